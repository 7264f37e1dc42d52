#include "base/crc32c.h"
#include <nmmintrin.h>

uint32_t crc32c_sse42(uint32_t state, span data)
{
    uint64_t crc = state;
    size_t i = 0;
    for (; data.len - i >= 8; i += 8)
        crc = _mm_crc32_u64(crc, load_le64(data.ptr + i));
    uint32_t rest = (uint32_t)crc;
    for (; i < data.len; i++)
        rest = _mm_crc32_u8(rest, data.ptr[i]);
    return rest;
}
