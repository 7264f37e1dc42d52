/* Sealed parts on their way through a ring: the key stands before what it opens, and no scribe's death parts them. What is
 * sealed with openssl is opened by tests/scenario/test_sealed.py; here our own two ends meet. */
#include "ipc/ipc.h"
#include "ledger/support.h"

struct site_of_ring {
    struct ipc_area *area;
    struct ipc_ring *ring;
    struct ipc_collector *collector;
    struct ledger_sealer *sealer;
    struct ledger_unsealer *unsealer;
    struct buf scratch, plain;
};

static span file_of(const char *path, struct buf *b)
{
    assert_true(is_ok(os_read_file(path, 65536, b)));
    return buf_span(b);
}

static const struct ledger_epochs none;

static void open_site(struct site_of_ring *s)
{
    char dir[] = "/tmp/gate1367-seal-XXXXXX", path[128];
    struct buf key, certificate;
    *s = (struct site_of_ring){0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(shell("cd %s && openssl ecparam -name prime256v1 -genkey -noout -out k.pem 2>/dev/null && "
                           "openssl req -x509 -new -key k.pem -subj /CN=a -days 2 -out c.pem 2>/dev/null", dir), 0);
    snprintf(path, sizeof path, "%s/k.pem", dir);
    span private = file_of(path, &key);
    snprintf(path, sizeof path, "%s/c.pem", dir);
    span public = file_of(path, &certificate);
    assert_true(is_ok(ledger_sealer_new(&public, 1, &none, &s->sealer)) && is_ok(ledger_unsealer_open(private, &s->unsealer)));
    assert_int_equal(ledger_sealer_new(&private, 1, &none, &(struct ledger_sealer *){NULL}).code, LEDGER_E_AUDITOR);
    assert_int_equal(ledger_unsealer_open(public, &(struct ledger_unsealer *){NULL}).code, LEDGER_E_AUDITOR_KEY);
    buf_free(&key);
    buf_free(&certificate);
    shell("rm -r %s", dir);
    buf_init(&s->scratch, LEDGER_ENTRY_MAX);
    buf_init(&s->plain, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ipc_area_new(1, &s->area)));
    ipc_area_open_slot(s->area, 0);
    assert_true(is_ok(ipc_ring_attach(s->area, 0, &s->ring)) && is_ok(ipc_collector_new(s->area, &s->collector)));
}

static void close_site(struct site_of_ring *s)
{
    ledger_sealer_free(s->sealer);
    ledger_unsealer_close(s->unsealer);
    buf_free(&s->scratch);
    buf_free(&s->plain);
    ipc_collector_free(s->collector);
    ipc_ring_free(s->ring);
    ipc_area_free(s->area);
}

static result publish(struct site_of_ring *s, const char *target, uint64_t time_us)
{
    struct ledger_entry e = {.time_us = time_us, .event = LEDGER_DISCLOSURE, .sealer = s->sealer, .exact_target = span_str(target),
        .client = SPAN("192.0.2.7"), .status = 200, .upstream_status = 200, .nonce = {1, 2, 3}};
    uint64_t ticket = 0;
    return ledger_entry_publish(&e, &s->scratch, s->ring, &ticket);
}

/* What the scribe takes: 'k' a key, '.' an entry that opens, '?' one that does not. With `keep` it becomes durable. */
static const char *take_all(struct site_of_ring *s, bool keep)
{
    static char seen[64];
    static uint8_t entry[IPC_ENTRY_MAX];
    size_t n = 0, len;
    uint64_t ticket, last = 0;
    while (ipc_collector_take(s->collector, 0, entry, sizeof entry, &len, &ticket) == IPC_TAKE_ENTRY && n + 1 < sizeof seen) {
        struct ledger_view v;
        assert_true(ledger_view_parse(span_of(entry, len), &v));
        bool key = ledger_view_is(v.members[LEDGER_MEMBER_EVENT], SPAN("key"));
        if (keep) assert_true(is_ok(ledger_unsealer_learn(s->unsealer, &v)));
        bool opens = !key && ledger_unseal(s->unsealer, &v, &s->plain) == LEDGER_UNSEALED;
        seen[n++] = key ? 'k' : opens ? '.' : '?';
        last = ticket;
    }
    if (keep && last) ipc_collector_durable(s->collector, 0, last);
    seen[n] = 0;
    return seen;
}

#define HOUR UINT64_C(3600000000)
static uint64_t now(void)
{
    return os_realtime_us();
}

static void test_a_key_an_hour_before_what_it_opens(void **state)
{
    struct site_of_ring s;
    uint64_t at = now();
    (void)state;
    open_site(&s);
    assert_true(is_ok(publish(&s, "/a", at)) && is_ok(publish(&s, "/b", at)));
    assert_string_equal(take_all(&s, true), "k..");
    assert_true(is_ok(publish(&s, "/c", at)));
    assert_string_equal(take_all(&s, true), ".");
    assert_true(is_ok(publish(&s, "/d", at + HOUR)) && is_ok(publish(&s, "/late", at))); /* a new hour; an entry of the old one */
    assert_string_equal(take_all(&s, true), "k..");
    close_site(&s);
}

/* The key went down with its scribe: the next entry fails or brings it again; none that is durable stays closed. */
static void test_a_scribe_dies_between_key_and_entry(void **state)
{
    struct site_of_ring s;
    uint64_t at = now();
    (void)state;
    open_site(&s);
    assert_true(is_ok(publish(&s, "/a", at)));
    (void)take_all(&s, false); /* taken, and never durable */
    ipc_area_renew(s.area);
    ipc_collector_free(s.collector);
    assert_true(is_ok(ipc_collector_new(s.area, &s.collector)));
    assert_true(is_ok(publish(&s, "/b", at)) && is_ok(publish(&s, "/c", at)));
    assert_string_equal(take_all(&s, true), "k..");
    ipc_area_renew(s.area); /* durable keys stay */
    ipc_collector_free(s.collector);
    assert_true(is_ok(ipc_collector_new(s.area, &s.collector)));
    assert_true(is_ok(publish(&s, "/d", at)));
    const char *seen = take_all(&s, true);
    assert_int_equal(seen[strlen(seen) - 1], '.');
    close_site(&s);
}

/* A sealed part that was moved to another entry, or changed, does not open. */
static void test_a_sealed_part_belongs_to_its_entry(void **state)
{
    struct site_of_ring s;
    static uint8_t entry[IPC_ENTRY_MAX];
    struct ledger_view v;
    size_t len;
    uint64_t ticket;
    (void)state;
    open_site(&s);
    assert_true(is_ok(publish(&s, "/a", now())));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ipc_collector_take(s.collector, 0, entry, sizeof entry, &len, &ticket), IPC_TAKE_ENTRY);
        assert_true(ledger_view_parse(span_of(entry, len), &v) && is_ok(ledger_unsealer_learn(s.unsealer, &v)));
    }
    assert_int_equal(ledger_unseal(s.unsealer, &v, &s.plain), LEDGER_UNSEALED);
    assert_true(span_search(buf_span(&s.plain), SPAN("\"target\":\"/a\"")) < buf_len(&s.plain));
    uint8_t *nonce = entry + (v.members[LEDGER_MEMBER_NONCE].ptr - entry), *sealed = entry + (v.members[LEDGER_MEMBER_SEALED].ptr - entry);
    nonce[1] ^= 1;
    assert_int_equal(ledger_unseal(s.unsealer, &v, &s.plain), LEDGER_SEAL_BROKEN);
    nonce[1] ^= 1;
    for (size_t at = 18; at + 1 < v.members[LEDGER_MEMBER_SEALED].len; at += 7) {
        uint8_t was = sealed[at];
        sealed[at] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(ledger_unseal(s.unsealer, &v, &s.plain), LEDGER_UNSEALED);
        sealed[at] = was;
    }
    sealed[1] = sealed[1] == '0' ? '1' : '0';
    assert_int_equal(ledger_unseal(s.unsealer, &v, &s.plain), LEDGER_SEAL_KEY_MISSING);
    close_site(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_key_an_hour_before_what_it_opens),
        cmocka_unit_test(test_a_scribe_dies_between_key_and_entry), cmocka_unit_test(test_a_sealed_part_belongs_to_its_entry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
