/* Many texts looked for at once, by each instruction set: what Vectorscan finds, which is a second reader. */
#include "support.h"

#include "rules/needles.h"

#include <hs.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

#define NEEDLES 80
#define TEXT 700
#define LONG 20000 /* several runs of blocks */

/* Of few letters, so that many are met in part. */
static uint8_t any_byte(void)
{
    static const char bytes[] = "abcABC019 -:(k\xC3\xAD\xE1zZ";
    return (uint8_t)bytes[below(sizeof bytes - 1)];
}

struct ends {
    uint64_t at[LONG * 4];
    size_t count;
};

static void note(void *ctx, uint64_t end)
{
    struct ends *e = ctx;
    assert_true(e->count < ARRAY_LEN(e->at));
    e->at[e->count++] = end;
}

static int note_other(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
    (void)id, (void)from, (void)flags;
    note(ctx, to);
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort(struct ends *e)
{
    qsort(e->at, e->count, sizeof e->at[0], compare);
}

/* Different ones, in lower case, ASCII. */
static size_t put_needles(struct needle *items, uint8_t (*texts)[24], unsigned most)
{
    size_t count = 0;
    for (unsigned tries = 0; tries < 4 * most && count < most; tries++) {
        bool known = false;
        uint32_t len = NEEDLE_MIN + below(below(4) ? 3 : 20);
        for (uint32_t i = 0; i < len; i++)
            do
                texts[count][i] = to_lower(any_byte());
            while (texts[count][i] >= 0x80);
        for (size_t i = 0; i < count; i++)
            known |= items[i].len == len && memcmp(items[i].text, texts[count], len) == 0;
        if (!known) items[count] = (struct needle){.text = texts[count], .len = len}, count++;
    }
    return count;
}

static void find_other(const struct needle *items, size_t count, span text, struct ends *out)
{
    const char *texts[NEEDLES];
    unsigned flags[NEEDLES], ids[NEEDLES] = {0};
    size_t lengths[NEEDLES];
    hs_database_t *database = NULL;
    hs_compile_error_t *problem = NULL;
    hs_scratch_t *scratch = NULL;
    for (size_t i = 0; i < count; i++) {
        texts[i] = (const char *)items[i].text;
        flags[i] = HS_FLAG_CASELESS;
        ids[i] = (unsigned)i;
        lengths[i] = items[i].len;
    }
    assert_int_equal(hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned)count, HS_MODE_BLOCK, NULL, &database, &problem),
        HS_SUCCESS);
    assert_int_equal(hs_alloc_scratch(database, &scratch), HS_SUCCESS);
    assert_int_equal(hs_scan(database, (const char *)text.ptr, (unsigned)text.len, 0, scratch, note_other, out), HS_SUCCESS);
    hs_free_scratch(scratch);
    hs_free_database(database);
}

/* At the end of a block of its own, so that a byte read beyond it is met; wherever that leaves it in a line of the cache. */
static span put_text(const struct needle *items, size_t count, uint8_t **block)
{
    size_t len = below(below(10) ? TEXT : LONG), before = below(64);
    *block = malloc(before + len + 1);
    assert_non_null(*block);
    uint8_t *text = *block + before + 1;
    for (size_t i = 0; i < len; i++)
        text[i] = any_byte();
    for (unsigned n = below(12) + (unsigned)len / 200; n > 0; n--) {
        const struct needle *needle = &items[below((unsigned)count)];
        if (needle->len > len) continue;
        size_t at = below(3) ? below((unsigned)(len - needle->len + 1)) : len - needle->len;
        for (size_t i = 0; i < needle->len; i++)
            text[at + i] = below(2) ? needle->text[i] : to_upper(needle->text[i]);
    }
    return span_of(text, len);
}

static void find(enum cpu_level level, const struct needle *items, size_t count, span text, struct ends *out)
{
    static struct needles n;
    struct needle own[NEEDLES];
    memcpy(own, items, count * sizeof own[0]);
    n = (struct needles){.items = own, .count = count};
    needles_prepare(&n);
    needles_pick(level)(&n, text, note, out);
    sort(out);
}

static void each_level_finds_what_is_there(void **state)
{
    static struct ends expected, found;
    size_t met = 0;
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct needle items[NEEDLES];
        uint8_t texts[NEEDLES + 1][24];
        size_t count = put_needles(items, texts, 1 + below(NEEDLES));
        uint8_t *block = NULL;
        span text = put_text(items, count, &block);
        expected.count = 0;
        if (text.len > 0) find_other(items, count, text, &expected);
        sort(&expected);
        met += expected.count;
        for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
            found.count = 0;
            find((enum cpu_level)level, items, count, text, &found);
            assert_int_equal(found.count, expected.count);
            assert_memory_equal(found.at, expected.at, found.count * sizeof found.at[0]);
        }
        free(block);
    }
    assert_true(met > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_level_finds_what_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
