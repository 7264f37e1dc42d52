/* Requests a second of one recipient, over all workers and generations: a table in shared memory, one atomic time each.
 *
 * The time is when all that was asked so far would have been asked at an even pace (a "generic cell rate" clock). It may
 * run ahead of now by a second: so many requests may come at once. What is over it costs nothing later. */
#include "proxy/internal.h"

#define SECOND_US UINT64_C(1000000)

static uint64_t name_of(span recipient)
{
    static const uint8_t key[16];
    return siphash64(key, recipient) | 1;
}

static struct proxy_rate *place_of(struct proxy_rates *r, uint64_t who)
{
    for (size_t i = 0; i < PROXY_RATES; i++) {
        struct proxy_rate *p = &r->recipients[(who + i) % PROXY_RATES];
        uint64_t there = 0;
        if (atomic_load_explicit(&p->who, memory_order_relaxed) == who) return p;
        if (atomic_compare_exchange_strong(&p->who, &there, who) || there == who) return p;
    }
    return &r->recipients[who % PROXY_RATES]; /* full: two share one, which is less than either may */
}

bool proxy_rate_admits(struct proxy_rates *r, span recipient, uint64_t limit, uint64_t now_us)
{
    struct proxy_rate *p = place_of(r, name_of(recipient));
    uint64_t due = atomic_load_explicit(&p->due_us, memory_order_relaxed), next;
    do {
        uint64_t from = due > now_us ? due : now_us;
        next = from + SECOND_US / limit;
        if (next > now_us + SECOND_US) return false;
    } while (!atomic_compare_exchange_weak(&p->due_us, &due, next));
    return true;
}

/* ---- what is counted of a recipient ----------------------------------------------------------------------------- */

static const char *const NAMES[] = {
#define X(id, name, help) name,
    PROXY_RECIPIENT_COUNTERS(X)
#undef X
};
static const char *const HELP[] = {
#define X(id, name, help) help,
    PROXY_RECIPIENT_COUNTERS(X)
#undef X
};

const char *proxy_recipient_counter_name(enum proxy_recipient_counter c) { return NAMES[c]; }
const char *proxy_recipient_counter_help(enum proxy_recipient_counter c) { return HELP[c]; }

void proxy_recipient_count(struct proxy_rates *r, span recipient, enum proxy_recipient_counter c)
{
    atomic_fetch_add_explicit(&place_of(r, name_of(recipient))->counters[c], 1, memory_order_relaxed);
}

uint64_t proxy_recipient_counted(const struct proxy_rates *r, span recipient, enum proxy_recipient_counter c)
{
    uint64_t who = name_of(recipient);
    for (size_t i = 0; i < PROXY_RATES; i++) {
        const struct proxy_rate *p = &r->recipients[(who + i) % PROXY_RATES];
        uint64_t there = atomic_load_explicit(&p->who, memory_order_relaxed);
        if (there == who) return atomic_load_explicit(&p->counters[c], memory_order_relaxed);
        if (there == 0) return 0;
    }
    return 0;
}
