#include "rules/needles.h"

#include <stdlib.h>

#define GROUPS 16

static void add_byte(struct needles *n, size_t place, unsigned group, uint8_t c)
{
    uint8_t bit = (uint8_t)(1 << group % 8);
    n->low[place][group / 8][c % 16] |= bit;
    n->high[place][group / 8][c / 16] |= bit;
    if (c < 0x80) n->classes[place][group / 8][c] |= bit;
}

/* How often a byte is met in records, about: letters as in English, where digits and blanks are more common still. */
static unsigned weight_of(uint8_t c)
{
    static const uint8_t letters[] = "zqxjkvbpygfwmucldrhsnioate";
    const uint8_t *found = is_alpha(c) ? memchr(letters, to_lower(c), sizeof letters - 1) : NULL;
    return found ? 1 + (unsigned)(found - letters) : is_digit(c) || c == ' ' ? 32 : 8;
}

static void choose_gram(struct needle *needle)
{
    unsigned least = UINT32_MAX;
    for (uint32_t i = 0; i + NEEDLE_MIN <= needle->len; i++) {
        const uint8_t *p = needle->text + i;
        unsigned weight = weight_of(p[0]) * weight_of(p[1]) * weight_of(p[2]);
        if (weight < least) least = weight, needle->gram = i;
    }
}

static void describe(struct needle *needle)
{
    for (size_t i = 0; i < needle->len && i < 8; i++) {
        needle->head |= (uint64_t)needle->text[i] << 8 * i;
        needle->keep |= UINT64_C(0xFF) << 8 * i;
        needle->fold |= (uint64_t)(is_alpha(needle->text[i]) ? 0x20 : 0) << 8 * i;
    }
}

static void add_needle(struct needles *n, size_t i)
{
    struct needle *needle = &n->items[i];
    const uint8_t *gram = needle->text + needle->gram;
    unsigned group = (unsigned)(i * GROUPS / n->count);
    uint32_t hash = needle_hash(needle_gram(gram));
    for (size_t place = 0; place < NEEDLE_MIN; place++) {
        add_byte(n, place, group, gram[place]);
        add_byte(n, place, group, to_upper(gram[place]));
    }
    n->grams[hash >> 20] = 1;
    needle->next = n->heads[hash >> 24];
    n->heads[hash >> 24] = (uint32_t)i + 1;
}

/* Those with like grams are one group, so that its classes are small. */
static int compare_grams(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;
    return memcmp(x->text + x->gram, y->text + y->gram, NEEDLE_MIN);
}

void needles_prepare(struct needles *n)
{
    for (size_t i = 0; i < n->count; i++) {
        ASSERT(n->items[i].len >= NEEDLE_MIN);
        choose_gram(&n->items[i]);
        describe(&n->items[i]);
    }
    qsort(n->items, n->count, sizeof *n->items, compare_grams);
    for (size_t i = 0; i < n->count; i++)
        add_needle(n, i);
}

static bool is_same(const struct needle *needle, const uint8_t *p, size_t from)
{
    for (size_t i = from; i < needle->len; i++)
        if (to_lower(p[i]) != needle->text[i]) return false;
    return true;
}

void needles_compare(const struct needles *n, span text, size_t at, uint32_t hash, needle_fn *each, void *ctx)
{
    for (uint32_t i = n->heads[hash >> 24]; i > 0; i = n->items[i - 1].next) {
        const struct needle *needle = &n->items[i - 1];
        if (at < needle->gram || needle->len > text.len - (at - needle->gram)) continue;
        const uint8_t *p = text.ptr + (at - needle->gram);
        bool wide = text.len - (at - needle->gram) >= 8;
        if (LIKELY(wide) && ((load_le64(p) | needle->fold) & needle->keep) != needle->head) continue;
        if (is_same(needle, p, wide ? 8 : 0)) each(ctx, at - needle->gram + needle->len);
    }
}

void needles_portable(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    needles_try_rest(n, text, 0, each, ctx);
}

needles_function *needles_pick(enum cpu_level level)
{
    switch (level) {
    case CPU_PORTABLE: return needles_portable;
    case CPU_AVX2: return needles_avx2;
    case CPU_AVX512: return needles_avx512;
    }
    return needles_portable;
}
