/* The chain of month keys, as openssl computes it; what was destroyed stays destroyed. */
#include "ledger/epoch.h"
#include "ledger/support.h"

//= ICE10036.2 6

#define DECEMBER UINT64_C(1796083200000000) /* 2026-12-01 */

static struct ledger_root root_of_november(void)
{
    struct ledger_root root = {.epochs = {.first = 2026 * 12 + 10, .month = 2026 * 12 + 10}};
    for (unsigned i = 0; i < 32; i++) root.key[i] = (uint8_t)i, root.epochs.state[i] = (uint8_t)(0xff - i);
    return root;
}

static void test_months(void **state)
{
    (void)state;
    char text[LEDGER_MONTH_TEXT];
    uint32_t month;
    assert_int_equal(ledger_month_of(DECEMBER), 2026 * 12 + 11);
    assert_int_equal(ledger_month_of(DECEMBER - 1), 2026 * 12 + 10);
    assert_true(ledger_month_end(2026 * 12 + 10) == DECEMBER);
    assert_true(ledger_month_end(2026 * 12 + 11) == DECEMBER + UINT64_C(31) * 86400000000);
    ledger_month_text(2026 * 12 + 11, text);
    assert_string_equal(text, "2026-12");
    assert_true(ledger_month_parse(SPAN("2026-12"), &month) && month == 2026 * 12 + 11);
    for (const char *const *bad = (const char *const[]){"2026-13", "2026-00", "2026-1", "2026/12", "1969-12", "2026-012", "", NULL}; *bad; bad++)
        assert_false(ledger_month_parse(span_str(*bad), &month));
}

static void test_the_chain_as_openssl_computes_it(void **state)
{
    (void)state;
    struct ledger_root root = root_of_november();
    struct ledger_month m = {0};
    char key[65], sealed[65];
    uint8_t hour[32] = {1, 2, 3}, out[32];
    assert_true(ledger_month_update(&m, &root, DECEMBER));
    hex_encode(span_of(m.key, 32), key);
    assert_true(epochs_seal_key(&root.epochs, 2026 * 12 + 11, hour, out));
    hex_encode(span_of(out, 32), sealed);
    assert_int_equal(shell("h() { openssl dgst -sha256 -mac hmac -macopt hexkey:$1 -r | cut -c1-64; }\n"
                           "b() { openssl dgst -sha256 -mac hmac -macopt hexkey:$1 -binary; }\n"
                           "s=fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0\n"
                           "n=$(printf 'gate1367 next epoch' | h $s)\n"
                           "i=$(printf 2026-12 | h 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f)\n"
                           "p=$(printf 'gate1367 pseudonyms' | b $n | h $i)\n"
                           "z=010203$(printf '%%058d' 0); l=$(printf 'gate1367 sealed' | b $n | h $z)\n"
                           "test $p = %s && test $l = %s", key, sealed), 0);
}

static void test_what_is_destroyed(void **state)
{
    (void)state;
    struct ledger_root root = root_of_november(), later = root;
    struct ledger_month before = {0}, m = {0};
    uint8_t hour[32] = {0}, out[32];
    assert_true(ledger_month_update(&before, &root, DECEMBER));
    assert_true(ledger_epochs_forward(&later.epochs, 2026 * 12 + 11));
    assert_true(ledger_epochs_destroyed(&later.epochs, 2026 * 12 + 10) && !ledger_epochs_destroyed(&later.epochs, 2026 * 12 + 11));
    assert_false(ledger_epochs_destroyed(&later.epochs, 2026 * 12 + 9)); /* never had a key of its own */
    assert_false(ledger_month_update(&m, &later, DECEMBER - 1));
    assert_int_equal(m.month, 0);
    assert_false(epochs_seal_key(&later.epochs, 2026 * 12 + 10, hour, out));
    assert_true(ledger_month_update(&m, &later, DECEMBER)); /* what is kept is as before */
    assert_memory_equal(m.key, before.key, 32);
    struct ledger_root plain = root;
    plain.epochs = (struct ledger_epochs){0};
    struct ledger_month october = {0}, same = {0};
    assert_true(ledger_month_update(&october, &later, DECEMBER - UINT64_C(40) * 86400000000));
    assert_true(ledger_month_update(&same, &plain, DECEMBER - UINT64_C(40) * 86400000000));
    assert_memory_equal(october.key, same.key, 32); /* before the schedule nothing changes */
    assert_false(ledger_epochs_forward(&later.epochs, 10000 * 12));
}

static void test_the_file(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_root root = root_of_november();
    struct ledger_epochs e;
    assert_true(is_ok(ledger_epochs_read(s->directory, &e)) && e.first == 0);
    assert_true(is_ok(epochs_write(s->directory, &root.epochs)) && is_ok(ledger_epochs_read(s->directory, &e)));
    assert_memory_equal(&e, &root.epochs, sizeof e);
    assert_int_equal(shell("test $(stat -c %%a %s/epochs.json) = 600", s->directory), 0);
    /* Nothing of the old one is left in the blocks that it had: a link shows them. */
    assert_int_equal(shell("ln %s/epochs.json %s/old", s->directory, s->root), 0);
    assert_true(ledger_epochs_forward(&e, 2027 * 12) && is_ok(epochs_write(s->directory, &e)));
    assert_int_equal(shell("! grep -q . %s/old || ! tr -d '\\000' < %s/old | grep -q .", s->root, s->root), 0);
    for (const char *const *bad = (const char *const[]){"", "{}", "{\"format\":1,\"first\":\"2027-01\",\"from\":\"2026-12\",\"key\":\"%064d\"}",
             "{\"format\":2,\"first\":\"2026-12\",\"from\":\"2026-12\",\"key\":\"%064d\"}", NULL}; *bad; bad++) {
        assert_int_equal(shell("printf '%s' 0 > %s/epochs.json", *bad, s->directory), 0);
        assert_int_equal(ledger_epochs_read(s->directory, &e).code, LEDGER_E_EPOCHS);
        assert_int_equal(e.first, 0);
    }
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_months), cmocka_unit_test(test_the_chain_as_openssl_computes_it),
        cmocka_unit_test(test_what_is_destroyed), cmocka_unit_test(test_the_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
