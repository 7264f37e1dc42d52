/* Cursors of our own: against a cursor that another implementation sealed (Python's cryptography, AESGCM), and against
 * everything that could have happened to one on its way. */
//= NIST.SP800-38D 5.2
//= ICE10036.2 2.1
#include "pages/pages.h"
#include "support.h"

#define SIZE 32
#define NOW 1999999999
#define EXPIRES 2000000000

/* key 00 01 … 1f, nonce 64 65 … 6f */
static const char TOKEN[] = "AWRlZmdoaWprbG1ub0iP6xF56VaeOWJf6Nplav1BwgYKi2zzct_RrEj7o6VInOlAwD597D7JxEkO_ULKzxtbmOcgSkEo-vGs1u-BpYoI"
                            "jNsOkNOvtnxMnYX9WzxetPBw1g";

static struct pages_keys keys_from(uint8_t first)
{
    struct pages_keys k = {.count = 1};
    for (size_t i = 0; i < PAGES_KEY; i++) k.key[0][i] = (uint8_t)(first + i);
    return k;
}

static struct pages_binding binding(void)
{
    return (struct pages_binding){.recipient = SPAN("state-police"), .path = SPAN("/api/c"), .query = SPAN("q=x")};
}

static bool opens(const struct pages_keys *k, const struct pages_binding *b, uint64_t now, const char *token)
{
    uint8_t room[SIZE + 64];
    struct pages_place p;
    return pages_open(k, b, SIZE, now, span_str(token), room, &p);
}

static void test_a_cursor_sealed_elsewhere(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    uint8_t room[SIZE + 64], nonce[PAGES_NONCE];
    struct pages_place p;
    assert_true(pages_open(&k, &b, SIZE, NOW, span_str(TOKEN), room, &p));
    assert_span(p.address, "row:4711");
    assert_int_equal(p.from, 7);
    assert_int_equal(p.skip, 3);
    assert_int_equal(p.position, 120);
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < PAGES_NONCE; i++) nonce[i] = (uint8_t)(100 + i);
    assert_ok(pages_seal(&k, &b, nonce, SIZE, EXPIRES, &p, &out));
    assert_span(buf_span(&out), TOKEN);
    assert_int_equal(buf_len(&out), pages_sealed_length(SIZE));
    buf_free(&out);
}

static void test_every_altered_character(void **state)
{
    (void)state;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    char token[sizeof(TOKEN)];
    for (size_t i = 0; i + 1 < sizeof(TOKEN); i++) {
        for (size_t c = 0; c + 1 < sizeof(alphabet); c++) {
            memcpy(token, TOKEN, sizeof(TOKEN));
            token[i] = alphabet[c];
            assert_int_equal(opens(&k, &b, NOW, token), alphabet[c] == TOKEN[i]);
        }
    }
}

/* Longer, shorter, padded, in the other alphabet: nobody gets a second spelling. */
static void test_other_spellings(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    char token[2 * sizeof(TOKEN)];
    for (size_t n = 0; n < sizeof(TOKEN) - 1; n++) {
        snprintf(token, sizeof(token), "%.*s", (int)n, TOKEN);
        assert_false(opens(&k, &b, NOW, token));
    }
    static const char *const tails[] = {"=", "==", "A", " ", "\n", "%3D"};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        snprintf(token, sizeof(token), "%s%s", TOKEN, tails[i]);
        assert_false(opens(&k, &b, NOW, token));
    }
    snprintf(token, sizeof(token), "%s", TOKEN);
    for (char *c = token; *c; c++) *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    assert_false(opens(&k, &b, NOW, token));
}

static void test_bound_to_whom_and_what(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0), other = keys_from(1);
    const struct pages_binding right = binding();
    const struct pages_binding wrong[] = {
        {.recipient = SPAN("state-polic"), .path = right.path, .query = right.query},
        {.recipient = SPAN("anonymous"), .path = right.path, .query = right.query},
        {.recipient = right.recipient, .path = SPAN("/api/d"), .query = right.query},
        {.recipient = right.recipient, .path = right.path, .query = SPAN("q=y")},
        {.recipient = right.recipient, .path = right.path, .query = SPAN("")},
        /* the same bytes, cut elsewhere */
        {.recipient = SPAN("state-police/api"), .path = SPAN("/c"), .query = right.query},
        {.recipient = right.recipient, .path = SPAN("/api/cq"), .query = SPAN("=x")},
    };
    assert_true(opens(&k, &right, NOW, TOKEN));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) assert_false(opens(&k, &wrong[i], NOW, TOKEN));
    assert_false(opens(&other, &right, NOW, TOKEN));
}

static void test_it_grows_old(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    assert_true(opens(&k, &b, EXPIRES - 1, TOKEN));
    assert_false(opens(&k, &b, EXPIRES, TOKEN));
    assert_false(opens(&k, &b, UINT64_MAX, TOKEN));
}

/* The first key seals, all of them open. */
static void test_keys_are_changed(void **state)
{
    (void)state;
    static const char file[] = "# new\n202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\r\n\n"
                               "  000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    struct pages_keys k, new = keys_from(0x20);
    struct pages_binding b = binding();
    assert_null(pages_keys_read(span_str(file), &k));
    assert_int_equal(k.count, 2);
    assert_true(opens(&k, &b, NOW, TOKEN));
    assert_false(opens(&new, &b, NOW, TOKEN));
    uint8_t nonce[PAGES_NONCE] = {1};
    struct buf out;
    buf_init(&out, 4096);
    assert_ok(pages_seal(&k, &b, nonce, SIZE, EXPIRES, &(struct pages_place){.from = 1}, &out));
    assert_ok(buf_append(&out, SPAN("\0")));
    assert_true(opens(&new, &b, NOW, (const char *)buf_span(&out).ptr));
    buf_free(&out);
}

static void test_what_is_no_key_file(void **state)
{
    (void)state;
    static const char key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    char many[9 * sizeof(key)] = "";
    struct pages_keys k;
    static const char *const wrong[] = {"", "\n# only words\n", "00", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) assert_non_null(strstr(pages_keys_read(span_str(wrong[i]), &k), "openssl rand -hex 32"));
    for (int i = 0; i < 9; i++) strcat(many, key);
    assert_non_null(strstr(pages_keys_read(span_str(many), &k), "more than 8"));
    assert_null(pages_keys_read(span_sub(span_str(many), 0, 8 * (sizeof(key) - 1)), &k));
}

/* All cursors have one length, and an origin's own that is longer than the bound has none. */
static void test_one_length(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    uint8_t nonce[PAGES_NONCE] = {0}, address[SIZE + 1];
    memset(address, 'x', sizeof(address));
    for (size_t n = 0; n <= SIZE + 1; n++) {
        struct buf out;
        buf_init(&out, 4096);
        struct pages_place p = {.address = span_of(address, n), .from = n % 2 ? UINT64_MAX : 0};
        result r = pages_seal(&k, &b, nonce, SIZE, EXPIRES, &p, &out);
        if (n > SIZE) assert_fails(r, ERROR_PEER);
        else assert_int_equal(buf_len(&out), pages_sealed_length(SIZE));
        buf_free(&out);
    }
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    struct pages_keys k = keys_from(0);
    struct pages_binding b = binding();
    uint8_t nonce[PAGES_NONCE] = {0};
    for (uint64_t n = 1;; n++) {
        struct buf out;
        buf_init(&out, 4096);
        fault_arm("malloc", n);
        result r = pages_seal(&k, &b, nonce, SIZE, EXPIRES, &(struct pages_place){.from = 1}, &out);
        bool opened = opens(&k, &b, NOW, TOKEN), done = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        buf_free(&out);
        if (done) {
            assert_true(is_ok(r) && opened);
            break;
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_cursor_sealed_elsewhere), cmocka_unit_test(test_every_altered_character),
        cmocka_unit_test(test_other_spellings), cmocka_unit_test(test_bound_to_whom_and_what), cmocka_unit_test(test_it_grows_old),
        cmocka_unit_test(test_keys_are_changed), cmocka_unit_test(test_what_is_no_key_file), cmocka_unit_test(test_one_length),
        cmocka_unit_test(test_memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
