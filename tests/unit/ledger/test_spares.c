/* Who makes spare segments where there is no room: not all the time, for to try takes what room there is from everybody else. */
#include "ledger/spare_maker.h"
#include "ledger/support.h"
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <time.h>

#define MS UINT64_C(1000000)

static void nap(void)
{
    struct timespec t = {0, 5000000};
    nanosleep(&t, NULL);
}

/* How often something was begun in the watched directory since the last time. Two equal events in a row would be told as one. */
static unsigned begun(int watch)
{
    _Alignas(struct inotify_event) char events[65536];
    unsigned n = 0;
    for (ssize_t len; (len = read(watch, events, sizeof events)) > 0;)
        for (const char *at = events; at < events + len;) {
            const struct inotify_event *e = (const void *)at;
            n += (e->mask & IN_CREATE) != 0;
            at += sizeof *e + e->len;
        }
    return n;
}

/* The scribe says that it wants one whenever it has a moment, which is a hundred times a second. */
static uint64_t want_for(struct spare_maker *m, uint64_t ms)
{
    uint64_t since = os_monotonic_ns(), now = since;
    for (; now - since < ms * MS; now = os_monotonic_ns()) {
        maker_want(m);
        nap();
    }
    return (now - since) / MS;
}

static void test_where_there_is_no_room_it_is_tried_now_and_then(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    struct ledger_scribe_config config = {0};
    struct ledger *l = NULL;
    struct spare_maker m;
    struct rlimit before, none;
    assert_int_equal(shell("rm %s/wal/spare/*", s->directory), 0);
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, site_path(s, "wal/spare"), IN_CREATE | IN_DELETE) >= 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_true(is_ok(maker_start(&m, l, &config)));
    uint64_t took = want_for(&m, 1500);
    assert_int_not_equal(atomic_load(&m.trouble), 0);
    assert_in_range(begun(watch), 2, 2 + took / 400);
    /* Room again: within a second, as the manual has it. */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    uint64_t due = os_monotonic_ns() + 10000 * MS;
    while (ledger_spares(l) < 2 && os_monotonic_ns() < due)
        want_for(&m, 10);
    assert_int_equal(ledger_spares(l), 2);
    maker_stop(&m);
    assert_int_equal(atomic_load(&m.trouble), 0);
    close(watch);
    assert_true(is_ok(ledger_close(l)));
    ledger_key_free(key);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_there_is_no_room_it_is_tried_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
