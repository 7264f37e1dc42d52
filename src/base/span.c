#include "base/base.h"

/* memcmp and friends may not see NULL, not even with length 0. */
bool span_equal(span a, span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Eight letters at once; what is no ASCII letter in upper case stays as it is. */
static uint64_t to_lower_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x80 * ones;
    uint64_t low = word & ~tops, from_a = low + (0x80 - 'A') * ones, beyond_z = low + (0x80 - 'Z' - 1) * ones;
    uint64_t upper = from_a & ~beyond_z & ~word & tops;
    return word | upper >> 2;
}

static bool is_same_word(const uint8_t *a, const uint8_t *b)
{
    uint64_t x = load_le64(a), y = load_le64(b);
    return x == y || to_lower_word(x) == to_lower_word(y);
}

/* The last word may overlap the one before it. */
bool span_equal_nocase(span a, span b)
{
    size_t i = 0, len = a.len;
    if (len != b.len) return false;
    for (; len - i > 8; i += 8)
        if (!is_same_word(a.ptr + i, b.ptr + i)) return false;
    if (len >= 8) return is_same_word(a.ptr + len - 8, b.ptr + len - 8);
    for (; i < len; i++)
        if (to_lower(a.ptr[i]) != to_lower(b.ptr[i])) return false;
    return true;
}

bool span_starts(span s, span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

size_t span_find(span s, uint8_t byte)
{
    if (s.len == 0) return 0;
    const uint8_t *at = memchr(s.ptr, byte, s.len);
    return at ? (size_t)(at - s.ptr) : s.len;
}

size_t span_search(span s, span needle)
{
    if (needle.len == 0) return 0;
    if (s.len < needle.len) return s.len;
    const uint8_t *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? (size_t)(at - s.ptr) : s.len;
}

static bool is_ows(uint8_t c)
{
    return c == ' ' || c == '\t';
}

//= RFC9110 5.6.3
span span_trim(span s)
{
    while (s.len > 0 && is_ows(s.ptr[s.len - 1]))
        s.len--;
    size_t from = 0;
    while (from < s.len && is_ows(s.ptr[from]))
        from++;
    return span_from(s, from);
}

bool span_to_u64(span s, uint64_t max, uint64_t *out)
{
    if (s.len == 0) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i])) return false;
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) return false;
        if (value > max) return false;
    }
    *out = value;
    return true;
}

int span_compare(span a, span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}
