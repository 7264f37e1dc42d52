/* The table of requests against a plain list, through puts and removals. */
#include "report/requests.h"
#include "support.h"

#define IDS 500u

static void test_against_a_list(void **unused)
{
    (void)unused;
    struct requests r = {0};
    uint64_t there[IDS] = {0}, state = 7;
    for (unsigned step = 0; step < 20000; step++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned i = (unsigned)(state >> 33) % IDS;
        uint8_t id[16] = {0};
        store_le32(id, i * 7919u);
        struct request *q = requests_find(&r, id);
        assert_int_equal(q != NULL, there[i] != 0);
        if (q) assert_int_equal(q->value, there[i]);
        if (q && (state & 1)) {
            requests_remove(&r, q);
            there[i] = 0;
        } else {
            assert_true(requests_put(&r, id, step + 1));
            there[i] = step + 1;
        }
    }
    requests_free(&r);
}

static void test_ids(void **unused)
{
    (void)unused;
    uint8_t id[16];
    assert_true(request_id(SPAN("019aa9f0-7b1c-7000-8000-0000000000ff"), id) && id[0] == 0x01 && id[15] == 0xff);
    assert_false(request_id(SPAN("019aa9f0"), id) || request_id(span_of(NULL, 0), id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
