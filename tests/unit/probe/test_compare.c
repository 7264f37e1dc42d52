/* Two looks held against each other: each way in which they can differ is told once and by its name, and what differs by
 * nature is not. The heads are written as RFC 9112 has them. */
#include "probe/probe.h"
#include "support.h"

#define HEAD(date, id)                                                                                                 \
    "HTTP/1.1 404 Not Found\r\nDate: " date "\r\nContent-Type: a/b\r\nContent-Length: 3\r\nRequest-Id: " id "\r\n\r\n"
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define OTHER_DATE "Mon, 07 Nov 1994 09:50:38 GMT"
#define ID "01234567-89ab-7def-8123-456789abcdef"
#define OTHER_ID "fedcba98-7654-7210-8fed-cba987654321"
#define PLAIN HEAD(DATE, ID) "abc"

struct told {
    unsigned count;
    enum probe_difference_kind kinds[8];
    char last[2][256];
};

static void tell(void *ctx, enum probe_difference_kind kind, const char *where, const char *absent, const char *withheld)
{
    struct told *t = ctx;
    assert_true(where[0] != '\0' && t->count < 8);
    t->kinds[t->count++] = kind;
    snprintf(t->last[0], sizeof(t->last[0]), "%s", absent);
    snprintf(t->last[1], sizeof(t->last[1]), "%s", withheld);
}

static struct probe_sight sight_of(const char *text)
{
    struct probe_sight s = {.raw = span_str(text), .message_count = 1, .ending = PROBE_ENDS_OPEN};
    size_t body = span_search(s.raw, SPAN("\r\n\r\n")) + 4;
    s.messages[0].body = body;
    s.messages[0].end = s.raw.len;
    return s;
}

static struct told compare(const char *a, const char *b)
{
    struct told t = {0};
    struct probe_sight x = sight_of(a), y = sight_of(b);
    probe_compare(&x, &y, tell, &t);
    return t;
}

static void assert_one(const char *a, const char *b, enum probe_difference_kind kind)
{
    struct told t = compare(a, b);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.kinds[0], kind);
}

static void test_equal(void **state)
{
    (void)state;
    assert_int_equal(compare(PLAIN, PLAIN).count, 0);
    assert_int_equal(compare(PLAIN, HEAD(OTHER_DATE, OTHER_ID) "abc").count, 0);
}

static void test_dates_and_ids_must_have_their_form(void **state)
{
    (void)state;
    assert_one(PLAIN, HEAD("Sun, 06 Nov 1994 08:49:37 CET", ID) "abc", PROBE_DIFFERS_VALUE);
    assert_one(PLAIN, HEAD("Sun, 6 Nov 1994 08:49:37 GMT", ID) "abc", PROBE_DIFFERS_VALUE);
    assert_one(PLAIN, HEAD("06 Nov 94 08:49:37", ID) "abc", PROBE_DIFFERS_VALUE);
    assert_one(PLAIN, HEAD(DATE, "01234567-89ab-7def-8123-456789abcdeF") "abc", PROBE_DIFFERS_VALUE);
    assert_one(PLAIN, HEAD(DATE, "1") "abc", PROBE_DIFFERS_VALUE);
    assert_one(PLAIN, HEAD(DATE, " " ID) "abc", PROBE_DIFFERS_HEAD); /* another length of the head */
}

static void test_heads(void **state)
{
    (void)state;
#define START "HTTP/1.1 200 OK\r\n"
    assert_one(START "A: 1\r\n\r\n", "HTTP/1.1 403 OK\r\nA: 1\r\n\r\n", PROBE_DIFFERS_STATUS);
    assert_one(START "A: 1\r\n\r\n", START "A: 1\r\nETag: 2\r\n\r\n", PROBE_DIFFERS_FIELD);
    assert_one(START "A: 1\r\nB: 2\r\n\r\n", START "B: 2\r\n\r\n", PROBE_DIFFERS_FIELD);
    assert_one(START "A: 1\r\nB: 2\r\n\r\n", START "B: 2\r\nA: 1\r\n\r\n", PROBE_DIFFERS_ORDER);
    assert_one(START "A: 1\r\n\r\n", START "A: 2\r\n\r\n", PROBE_DIFFERS_VALUE);
    assert_one(START "A: 1\r\nA: 2\r\n\r\n", START "A: 1\r\nA: 3\r\n\r\n", PROBE_DIFFERS_VALUE);
    assert_one(START "A: 1\r\n\r\n", START "A:  1\r\n\r\n", PROBE_DIFFERS_HEAD);
    struct told t = compare(START "A: 1\r\n\r\n", START "a: 1\r\n\r\n"); /* each has one that the other has not */
    assert_true(t.count == 2 && t.kinds[0] == PROBE_DIFFERS_FIELD && t.kinds[1] == PROBE_DIFFERS_FIELD);
}

static void test_bodies(void **state)
{
    (void)state;
    struct told t = compare(PLAIN, HEAD(DATE, ID) "abd");
    assert_int_equal(t.count, 1);
    assert_int_equal(t.kinds[0], PROBE_DIFFERS_BODY);
    assert_string_equal(t.last[1], "abd");
    assert_one(PLAIN, HEAD(DATE, ID) "ab", PROBE_DIFFERS_BODY);
    t = compare(PLAIN, HEAD(DATE, ID) "a\x1b[2J\n\xff");
    assert_string_equal(t.last[1], "a.[2J.."); /* nothing that drives a terminal */
}

static void test_records_and_endings(void **state)
{
    (void)state;
    const uint32_t one[] = {300}, two[] = {200, 100};
    struct told t = {0};
    struct probe_sight a = sight_of(PLAIN), b = a;
    a.records = one, a.record_count = 1, b.records = two, b.record_count = 2;
    probe_compare(&a, &b, tell, &t);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.kinds[0], PROBE_DIFFERS_RECORDS);
    assert_string_equal(t.last[1], "200 100");
    b = a;
    b.ending = PROBE_ENDS_CUT;
    t = (struct told){0};
    probe_compare(&a, &b, tell, &t);
    assert_true(t.count == 1 && t.kinds[0] == PROBE_DIFFERS_ENDING);
    b = a;
    b.message_count = 0;
    t = (struct told){0};
    probe_compare(&a, &b, tell, &t);
    assert_true(t.count == 1 && t.kinds[0] == PROBE_DIFFERS_ENDING);
}

#define SEALED "AbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefgh"

/* Sealed anew each time: of one length, at one place, in the cursors' own form; and nothing else passes for one. */
static void test_cursors(void **state)
{
    (void)state;
    char other[sizeof(SEALED)];
    const char *const forms[] = {"{\"next\":\"%s\",\"n\":1}", "%s", "x:%s"};
    for (size_t i = 0; i < sizeof(SEALED); i++) other[i] = i > 0 && is_alpha((uint8_t)SEALED[i]) ? (char)(SEALED[i] ^ 0x20) : SEALED[i];
    for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
        char a[512], b[512];
        snprintf(a, sizeof(a), HEAD(DATE, ID) "%s", "");
        snprintf(b, sizeof(b), "%s", a);
        size_t n = strlen(a);
        snprintf(a + n, sizeof(a) - n, forms[f], SEALED);
        snprintf(b + n, sizeof(b) - n, forms[f], other);
        assert_int_equal(compare(a, b).count, 0);
        b[n + strlen(b + n) - 2]++; /* behind the cursor, or in it */
        assert_int_equal(compare(a, b).count, f == 0);
        snprintf(b + n, sizeof(b) - n, forms[f], other + 1); /* one shorter, and of another form */
        assert_int_equal(compare(a, b).count, 1);
        other[0] = 'B'; /* another version */
        snprintf(b + n, sizeof(b) - n, forms[f], other);
        assert_int_equal(compare(a, b).count, 1);
        other[0] = 'A';
    }
}

/* Each byte of the answer in turn is another one, or is missing: never unnoticed. */
static void test_no_byte_goes_unnoticed(void **state)
{
    (void)state;
    char text[sizeof(PLAIN)];
    for (size_t i = 0; i + 1 < sizeof(PLAIN); i++) {
        memcpy(text, PLAIN, sizeof(PLAIN));
        text[i] = text[i] == 'z' ? 'y' : 'z';
        struct probe_sight a = sight_of(PLAIN), b = a;
        struct told t = {0};
        b.raw = span_of(text, sizeof(PLAIN) - 1);
        probe_compare(&a, &b, tell, &t);
        size_t date = span_search(span_str(PLAIN), SPAN(DATE));
        bool weekday_or_month = (i >= date && i < date + 3) || (i >= date + 8 && i < date + 11);
        assert_int_equal(t.count > 0, !weekday_or_month); /* letters where letters belong */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal), cmocka_unit_test(test_dates_and_ids_must_have_their_form),
        cmocka_unit_test(test_heads), cmocka_unit_test(test_bodies), cmocka_unit_test(test_records_and_endings),
        cmocka_unit_test(test_cursors), cmocka_unit_test(test_no_byte_goes_unnoticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
