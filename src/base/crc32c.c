#include "base/crc32c.h"
#include "base/base.h"

/* Polynomial 0x1EDC6F41, reflected; what four bits at a time need. Only processors without SSE 4.2 come here. */
static const uint32_t nibbles[16] = {
    0x00000000,
    0x105ec76f,
    0x20bd8ede,
    0x30e349b1,
    0x417b1dbc,
    0x5125dad3,
    0x61c69362,
    0x7198540d,
    0x82f63b78,
    0x92a8fc17,
    0xa24bb5a6,
    0xb21572c9,
    0xc38d26c4,
    0xd3d3e1ab,
    0xe330a81a,
    0xf36e6f75,
};

uint32_t crc32c_portable(uint32_t state, span data)
{
    for (size_t i = 0; i < data.len; i++) {
        state ^= data.ptr[i];
        state = state >> 4 ^ nibbles[state & 15];
        state = state >> 4 ^ nibbles[state & 15];
    }
    return state;
}

//= RFC3720 B.4
uint32_t crc32c(uint32_t crc, span data)
{
    bool hardware = cpu_level() != CPU_PORTABLE && __builtin_cpu_supports("sse4.2");
    return ~(hardware ? crc32c_sse42(~crc, data) : crc32c_portable(~crc, data));
}
