/* Entries made of whatever a client sends: each is one JSON object that Jansson reads, within its bounds, and what the
 * scribe checks. The same bytes are then offered to the scribe's check as an entry. */
#include "ledger/ledger.h"
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next field of the input: a length byte, then so many bytes, repeated up to `times` so that fields get long. */
static span next_field(span *in, uint8_t *room, size_t room_len)
{
    if (in->len < 2) return span_of(NULL, 0);
    size_t n = in->ptr[0], times = 1 + in->ptr[1] % 16, used = 0;
    *in = span_from(*in, 2);
    if (n > in->len) n = in->len;
    for (size_t i = 0; i < times && used + n <= room_len; i++, used += n)
        memcpy(room + used, in->ptr, n);
    *in = span_from(*in, n);
    return span_of(room, used);
}

static result see_part(void *ctx, span part)
{
    unsigned *parts = ctx;
    json_error_t error;
    ASSERT(part.len <= LEDGER_ENTRY_MAX && ledger_entry_plausible(part));
    json_t *e = json_loadb((const char *)part.ptr, part.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    /* equal rule ids are the caller's doing, nothing else may repeat */
    if (!e) e = json_loadb((const char *)part.ptr, part.len, JSON_ALLOW_NUL, &error);
    ASSERT(e && json_object_size(e) >= 24);
    ASSERT(json_array_size(json_object_get(e, "subjects")) <= LEDGER_PART_SUBJECTS);
    json_decref(e);
    ++*parts;
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[20][4096];
    static uint8_t names[20][600], sealed[LEDGER_SEALED_MAX];
    static char subjects[700][LEDGER_PSEUDONYM];
    static struct ledger_count rules[300];
    span in = span_of(data, size), f[20];
    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        f[i] = next_field(&in, room[i], sizeof room[i]);
    memset(subjects, 'a', sizeof subjects);
    memset(sealed, 'A', sizeof sealed);
    for (size_t i = 0; i < 20; i++) /* Jansson takes no NUL in names */
        for (size_t k = 0; k < sizeof names[i]; k++)
            names[i][k] = room[i][k] ? room[i][k] : 'z';
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        size_t n = f[i % 20].len < sizeof names[0] ? f[i % 20].len : sizeof names[0];
        rules[i] = (struct ledger_count){span_of(names[i % 20], n), i};
    }
    struct ledger_entry e = {.time_us = size * 7919,
        .node = f[0],
        .request = f[1],
        .event = (enum ledger_event)(size % LEDGER_EVENT_COUNT),
        .recipient = {f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[2]},
        .client = f[9],
        .purpose = f[10],
        .method = f[11],
        .route = f[12],
        .target = f[13],
        .outcome = (enum ledger_outcome)(size % LEDGER_OUTCOME_END),
        .subjects = (const char(*)[LEDGER_PSEUDONYM])subjects,
        .subject_count = size % 700,
        .rules = rules,
        .rule_count = size % 300,
        .grant = f[14],
        .exception = f[15],
        .versions = {f[16], f[17], f[18]},
        .sealed = span_of(f[19].ptr ? sealed : NULL, f[19].len * 4)};
    struct buf scratch;
    unsigned parts = 0;
    buf_init(&scratch, LEDGER_ENTRY_MAX);
    result r = ledger_entry_parts(&e, &scratch, see_part, &parts);
    ASSERT(is_ok(r) && parts > 0);
    buf_free(&scratch);
    (void)ledger_entry_plausible(span_of(data, size));
    uint64_t us;
    (void)ledger_time_parse(span_of(data, size), &us);
    struct ledger_verifier v;
    (void)is_ok(ledger_verifier_parse(span_of(data, size), &v));
    return 0;
}
