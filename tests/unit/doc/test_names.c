/* Duplicate names against a generator that knows which it wrote twice; the name table at and over its bounds. */
#include "read_all.h"

#include <time.h>

static uint64_t seed = 20260118;
static uint32_t roll(uint32_t sides)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

static char body[8 << 20];
static size_t len;
static size_t twice[1 << 16], twice_count; /* where the generator wrote a name for the second time */

static void put(const char *format, ...) PRINTF(1, 2);
static void put(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    len += (size_t)vsnprintf(body + len, sizeof body - len, format, args);
    va_end(args);
    assert_true(len < sizeof body);
}

/* Name number n, one of two spellings; each third number has a name too long for the table. */
static void put_name(uint32_t n, bool escaped)
{
    static const char tail[] = "_a_tail_that_makes_the_name_longer_than_the_table_takes_for_one_name_a_tail_that_makes_"
                               "the_name_longer_than_the_table_takes_for_one_name";
    put(escaped ? "\"\\u006e%u%s\":" : "\"n%u%s\":", n, n % 3 == 0 ? tail : "");
}

static void put_object(int depth, uint32_t names)
{
    bool seen[64] = {false};
    put("{");
    for (uint32_t count = roll(10), i = 0; i < count; i++) {
        uint32_t n = roll(names);
        if (i > 0) put(",");
        if (seen[n]) twice[twice_count++] = len + 1;
        seen[n] = true;
        put_name(n, roll(4) == 0);
        uint32_t kind = roll(4);
        if (depth > 0 && kind == 0)
            put_object(depth - 1, names);
        else if (depth > 0 && kind == 1) {
            put("[");
            put_object(depth - 1, names);
            put(",");
            put_object(depth - 1, names);
            put("]");
        } else
            put("%u", i);
    }
    put("}");
}

static void duplicates_are_found_and_nothing_else(void **state)
{
    (void)state;
    struct levels l = open_levels();
    size_t all_twice = 0;
    for (int round = 0; round < 1500; round++) {
        len = twice_count = 0;
        put("[");
        for (uint32_t n = roll(4); n > 0; n--) {
            put_object((int)roll(5), 4 + roll(60));
            put(",");
        }
        put("0]");
        all_twice += twice_count;
        for (size_t level = 0; level < l.count; level++) {
            struct feeding f = {roll((uint32_t)len + 1), roll(2) * 50, roll(2) ? 1 : 500, roll(2)};
            struct reading all = read_body(l.readers[level], DOC_JSON, 64, span_of(body, len), f);
            size_t found = 0;
            for (size_t i = 0; i < all.count; i++) {
                if (all.events[i].kind != DOC_FLAW) continue;
                assert_int_equal(all.events[i].name, DOC_FLAW_DUPLICATE_NAME);
                assert_true(found < twice_count);
                assert_int_equal(all.events[i].at, twice[found++]);
                assert_int_equal(all.events[i + 1].kind, DOC_NAME);
                assert_int_equal(all.events[i + 1].at, all.events[i].at);
            }
            assert_int_equal(found, twice_count);
            assert_int_equal(all.status, DOC_COMPLETE);
            free(all.events);
        }
    }
    assert_true(all_twice > 1500);
    close_levels(&l);
}

static void put_map(uint32_t count, uint32_t repeated)
{
    len = 0;
    put("{\"first\":1");
    for (uint32_t i = 0; i < count; i++)
        put(",\"key-%u\":{\"v\":%u}", i, i);
    put(",\"key-%u\":0,\"first\":2}", repeated);
}

static double read_map(struct doc_reader *r, uint32_t count, uint32_t repeated, size_t *duplicates)
{
    struct timespec a, b;
    put_map(count, repeated);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    struct reading all = read_body(r, DOC_JSON, 8, span_of(body, len), WHOLE);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    assert_int_equal(all.status, DOC_COMPLETE);
    *duplicates = count_flaws(&all, DOC_FLAW_DUPLICATE_NAME);
    free(all.events);
    return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* The name that stands twice may be in the table or outside it; a hundred thousand more cost about ten times ten
 * thousand, where comparing all with all would cost a hundred times that. */
static void a_map_of_many_names_is_linear_and_right(void **state)
{
    (void)state;
    static const uint32_t repeated[] = {0, 31, 32, 4000, 4090, 4095, 4096, 50000, 99999};
    struct doc_reader *r = doc_reader_new(cpu_level());
    double small = 1e9, large = 1e9;
    size_t duplicates;
    for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
        double took = read_map(r, 100000, repeated[i], &duplicates);
        assert_int_equal(duplicates, 2);
        assert_true(doc_reader_names(r) <= 4096);
        if (took < large) large = took;
        took = read_map(r, 10000, repeated[i] % 10000, &duplicates);
        assert_int_equal(duplicates, 2);
        if (took < small) small = took;
    }
    assert_true(large < 60 * small);
    read_map(r, 100000, 1000000, &duplicates);
    assert_int_equal(duplicates, 1);
    doc_reader_free(r);
}

static void ids_are_stable_and_in_order_of_appearance(void **state)
{
    (void)state;
    struct doc_reader *r = doc_reader_new(cpu_level());
    len = 0;
    put("[");
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 300; i++)
            put("%s{\"n%u\":{\"caf\\u00e9%u\":1}}", round + i ? "," : "", i, i);
    put("]");
    struct reading all = read_body(r, DOC_JSON, 8, span_of(body, len), WHOLE);
    size_t names = 0;
    for (size_t i = 0; i < all.count; i++) {
        if (all.events[i].kind != DOC_NAME) continue;
        char expected[32];
        snprintf(expected, sizeof expected, names % 2 ? "caf\xC3\xA9%zu" : "n%zu", names % 600 / 2);
        assert_int_equal(all.events[i].name, names % 600);
        span name = doc_reader_name(r, all.events[i].name);
        assert_true(span_equal(name, span_str(expected)));
        names++;
    }
    assert_int_equal(names, 1200);
    assert_int_equal(doc_reader_names(r), 600);
    span kept = doc_reader_name(r, 0);
    assert_true(span_equal(kept, SPAN("n0")));
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 8});
    assert_int_equal(doc_reader_names(r), 0);
    assert_int_equal(kept.ptr[0], 0); /* wiped */
    free(all.events);
    doc_reader_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicates_are_found_and_nothing_else),
        cmocka_unit_test(a_map_of_many_names_is_linear_and_right),
        cmocka_unit_test(ids_are_stable_and_in_order_of_appearance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
