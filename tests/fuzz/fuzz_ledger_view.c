/* Looking into whatever somebody calls an entry: nothing past its bytes is read, and what Jansson takes for an object with our
 * members has the same ones here. */
#include "ledger/ledger.h"
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct ledger_view *v)
{
    char scratch[256];
    for (unsigned m = 0; m < LEDGER_MEMBER_COUNT; m++) {
        span name, value, text = ledger_view_text(v->members[m], scratch, sizeof scratch);
        size_t at = 0;
        ASSERT(!text.ptr || text.len <= v->members[m].len || text.len <= sizeof scratch); /* a broken escape becomes U+FFFD */
        while (v->members[m].len > 1 && ledger_view_next(v->members[m], &at, &name, &value)) ASSERT(value.len > 0);
        (void)ledger_view_number(v->members[m], 0);
    }
}

/* Of names that stand twice ours is the first and Jansson's the last: those it refuses are not compared. */
static void compare(const struct ledger_view *v, const uint8_t *data, size_t size)
{
    json_t *e = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    for (unsigned m = 0; e && m < LEDGER_MEMBER_COUNT; m++)
        ASSERT(!v->members[m].ptr || json_object_get(e, ledger_member_name((enum ledger_member)m)));
    json_decref(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger_view v;
    struct ledger_filter f = {.event = "disclosure", .rule = "a-number", .since_us = 1, .pseudonym = "00112233445566778899aabbccddeeff"};
    if (!ledger_view_parse(span_of(data, size), &v)) return 0;
    look_at(&v);
    compare(&v, data, size);
    (void)ledger_filter_passes(&f, &v);
    return 0;
}
