/* What a verifier says of schedules and destructions that our own commands would not write: whoever has the ledger's key can. */
#include "ledger/support.h"
#include "tlog/tlog.h"

//= ICE10036.2 6

#define KEY_A "00000000000000000000000000000000000000000000000000000000000000aa"
#define KEY_B "00000000000000000000000000000000000000000000000000000000000000bb"
#define KEY_C "00000000000000000000000000000000000000000000000000000000000000cc"
#define DAY UINT64_C(86400000000)
#define JANUARY UINT64_C(1798761600000000) /* 2027-01-01: the end of the month that is destroyed */

struct person {
    struct ledger_key *key;
    struct tlog_verifier self;
    char vkey[TLOG_VKEY_MAX];
};
enum { LEDGER, ARCHIVIST, COUNSEL, STRANGER, PEOPLE };
static struct person people[PEOPLE];

static int make_people(void **state)
{
    static const char *const names[] = {"ledger.example/a", "archivist.example/a", "counsel.example/c", "stranger.example/s"};
    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) {
        uint8_t public[32];
        assert_true(is_ok(ledger_key_generate(&people[i].key)) && is_ok(ledger_key_public(people[i].key, public)));
        assert_true(is_ok(tlog_verifier_make(span_str(names[i]), TLOG_ED25519, public, &people[i].self)));
        tlog_verifier_format(&people[i].self, people[i].vkey);
    }
    return 0;
}

static int free_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) ledger_key_free(people[i].key);
    return 0;
}

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    return ledger_key_sign(ctx, message, signature);
}

static void see(struct ledger_records *r, uint64_t index, uint64_t time, const char *schedule, const char *destroyed)
{
    struct ledger_entry e = {.time_us = time, .event = LEDGER_AUDIT};
    struct buf b;
    if (schedule) e.schedule = span_str(schedule);
    if (destroyed) e.destroyed = span_str(destroyed);
    buf_init(&b, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ledger_entry_encode(&e, &b)) && is_ok(ledger_records_see(r, index, buf_span(&b))));
    buf_free(&b);
}

static void put_in_force(struct ledger_records *r, uint64_t index, const char *id, unsigned days, const char *key, const char *kept)
{
    char text[2048];
    snprintf(text, sizeof text, "gate1367 records schedule\n%s\nschedule: %s\ndays kept after a month: %u\nmonths with a key: from 2026-12\n"
        "kept: from %s\nkey: %s\napprover: %s\napprover: %s\n", people[LEDGER].vkey, id, days, kept, key, people[ARCHIVIST].vkey, people[COUNSEL].vkey);
    see(r, index, JANUARY, text, NULL);
}

struct destruction_case {
    const char *id, *from, *to, *key;
    unsigned signers; /* bits */
    unsigned days;    /* after the month's end */
    const char *problem;
};

static void destruction_note(const struct destruction_case *c, struct buf *note)
{
    char text[2048];
    snprintf(text, sizeof text, "gate1367 destruction of ledger keys\n%s\nschedule: %s\nmonths: %s to %s\nkey: %s\nnext key: %s\nreason: old\n",
        people[LEDGER].vkey, c->id, c->from, c->to, c->key, KEY_B);
    buf_init(note, LEDGER_NOTE_MAX);
    assert_true(is_ok(buf_append(note, span_str(text))) && is_ok(buf_append(note, SPAN("\n"))));
    for (size_t i = 0; i < PEOPLE; i++)
        if (c->signers & 1u << i) assert_true(is_ok(tlog_note_sign(note, span_str(text), &people[i].self, 0, sign, people[i].key)));
}

static void judge(const struct destruction_case *c)
{
    struct ledger_verifier own;
    struct ledger_records *r = NULL;
    struct buf note;
    uint8_t public[32];
    char copy[LEDGER_NOTE_MAX + 1];
    assert_true(is_ok(ledger_key_public(people[LEDGER].key, public)) && is_ok(ledger_verifier_of(people[LEDGER].key, people[LEDGER].self.name, &own)));
    assert_true(is_ok(ledger_records_new(&own, &r)));
    put_in_force(r, 3, "S-1", 30, KEY_A, "2026-12");
    destruction_note(c, &note);
    uint64_t at = JANUARY + c->days * DAY;
    assert_int_equal(ledger_records_would_hold(r, buf_span(&note), at), c->problem == NULL);
    snprintf(copy, sizeof copy, "%.*s", SPAN_FMT(buf_span(&note)));
    see(r, 9, at, NULL, copy);
    const struct ledger_records_summary *s = ledger_records_summary(r);
    if (c->problem) assert_non_null(strstr(s->problem, c->problem));
    else assert_string_equal(s->problem, "");
    if (!c->problem) assert_true(s->destroyed_count == 1 && s->destroyed[0].index == 9 && strcmp(s->key, KEY_B) == 0);
    assert_false(ledger_records_would_hold(r, buf_span(&note), at)); /* not twice */
    buf_free(&note);
    ledger_records_free(r);
}

static void test_each_destruction_is_held_against_the_schedule_in_force(void **state)
{
    (void)state;
    static const struct destruction_case cases[] = {
        {"S-1", "2026-12", "2026-12", KEY_A, 1u << ARCHIVIST | 1u << COUNSEL, 30, NULL},
        {"S-1", "2026-12", "2026-12", KEY_A, 1u << ARCHIVIST, 30, "without two"},
        {"S-1", "2026-12", "2026-12", KEY_A, 1u << ARCHIVIST | 1u << STRANGER, 30, "without two"},
        {"S-1", "2026-12", "2026-12", KEY_A, 1u << LEDGER | 1u << STRANGER, 30, "without two"},
        {"S-1", "2026-12", "2026-12", KEY_A, 1u << ARCHIVIST | 1u << COUNSEL, 29, "before the schedule allowed"},
        {"S-2", "2026-12", "2026-12", KEY_A, 1u << ARCHIVIST | 1u << COUNSEL, 30, "not in force"},
        {"S-1", "2027-01", "2027-01", KEY_A, 1u << ARCHIVIST | 1u << COUNSEL, 99, "not the oldest"},
        {"S-1", "2026-12", "2026-12", KEY_C, 1u << ARCHIVIST | 1u << COUNSEL, 30, "not the oldest"},
        {"S-1", "2026-12", "2026-11", KEY_A, 1u << ARCHIVIST | 1u << COUNSEL, 30, "cannot be read"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) judge(&cases[i]);
}

/* A second schedule goes on with the same keys, or says that they were replaced. */
static void test_a_chain_that_was_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *key, *kept;
        bool good;
    } seconds[] = {{KEY_A, "2026-12", true}, {KEY_C, "2026-12", false}, {KEY_A, "2027-01", false}};
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        struct ledger_verifier own;
        struct ledger_records *r = NULL;
        assert_true(is_ok(ledger_verifier_of(people[LEDGER].key, people[LEDGER].self.name, &own)) && is_ok(ledger_records_new(&own, &r)));
        put_in_force(r, 1, "S-1", 30, KEY_A, "2026-12");
        put_in_force(r, 2, "S-2", 1, seconds[i].key, seconds[i].kept);
        assert_int_equal(strstr(ledger_records_summary(r)->problem, "replaced") == NULL, seconds[i].good);
        ledger_records_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_destruction_is_held_against_the_schedule_in_force),
        cmocka_unit_test(test_a_chain_that_was_replaced)};
    return cmocka_run_group_tests(tests, make_people, free_people);
}
