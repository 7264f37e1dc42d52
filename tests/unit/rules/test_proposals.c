/* The automaton over many values at once must propose at least what each expression finds in each value alone. */
#include "rules/support.h"

#define VALUES 24
#define TEXT_MAX 4096

static struct loaded pack;
static struct rules_scratch *scratch;

static int setup(void **state)
{
    const char *const files[] = {SHIPPED};
    (void)state;
    pack = load_files(files, 1);
    if (!pack.set) return -1;
    scratch = rules_scratch_new(pack.set);
    return scratch ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    rules_scratch_free(scratch);
    loaded_free(&pack);
    return 0;
}

static uint64_t seed = 6364136223846793005ULL;

static unsigned roll(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

/* Pieces of identifiers, of what surrounds them, and of what only looks like them. */
static const char *const pieces[] = {"A", "a", "AZ", "Alien No. ", "A-File ", "USCIS#", "012345678", "012-345-678", "12345678",
    "0123456", "7", "-", " ", ".", "/", "EAC", "IOE", "2190012345", "-21-900-12345", "*999910340", "123-45-6789", "123 45 6789",
    "999-70-1234", "G", "G12345678", "N0012345678", "C1USA0123456784EAC2190012345<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "X", "x", "\xC3\xA9", "\t", ":", "#", "123456789A1", "(", ")"};

struct seen {
    bool at[64][TEXT_MAX + 1]; /* by rule and offset */
};

static void see_proposal(void *ctx, rule_id rule, uint64_t end)
{
    struct seen *seen = ctx;
    assert_true(rule < 64 && end <= TEXT_MAX);
    seen->at[rule][end] = true;
}

struct check {
    const struct seen *seen;
    span all;
    size_t hits;
};

static void check_hit(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct check *c = ctx;
    (void)value;
    assert_false(limit);
    size_t end = (size_t)(where.ptr + where.len - c->all.ptr);
    if (!c->seen->at[rule->id][end]) fail_msg("%s is not proposed in: %.*s", rule->name, SPAN_FMT(where));
    c->hits++;
}

static size_t draw_lines(uint8_t *out)
{
    size_t n = 0;
    for (int v = 0; v < VALUES; v++) {
        for (unsigned p = 1 + roll(4); p > 0; p--) {
            const char *piece = pieces[roll(ARRAY_LEN(pieces))];
            memcpy(out + n, piece, strlen(piece));
            n += strlen(piece);
        }
        out[n++] = '\n';
    }
    return n;
}

static void test_superset_of_each_value(void **state)
{
    struct seen *seen = malloc(sizeof *seen);
    uint8_t *text = malloc(TEXT_MAX + 1);
    size_t hits = 0;
    (void)state;
    assert_true(seen && text);
    for (int round = 0; round < 3000; round++) {
        size_t n = draw_lines(text);
        struct check c = {.seen = seen, .all = span_of(text, n)};
        assert_true(n <= TEXT_MAX);
        memset(seen, 0, sizeof *seen);
        assert_true(rules_scan_proposals(pack.set, scratch, c.all, see_proposal, seen));
        for (size_t at = 0; at < n;) {
            size_t len = span_find(span_from(c.all, at), '\n');
            rules_scan_identifiers(pack.set, scratch, span_sub(c.all, at, len), 0, check_hit, &c);
            at += len + 1;
        }
        hits += c.hits;
    }
    free(seen);
    free(text);
    assert_true(hits > 20000);
}

/* Switched off, it says so, and the caller tries everything. */
static void test_switched_off(void **state)
{
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    assert_non_null(seen);
    rules_scratch_prefilter(scratch, false);
    assert_false(rules_scan_proposals(pack.set, scratch, SPAN("A012345678\n"), see_proposal, seen));
    rules_scratch_prefilter(scratch, true);
    assert_true(rules_scan_proposals(pack.set, scratch, SPAN(""), see_proposal, seen));
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_superset_of_each_value),
        cmocka_unit_test(test_switched_off),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
