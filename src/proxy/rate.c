/* Requests a second of one recipient, over all workers and generations: a table in shared memory, one atomic time each.
 *
 * The time is when all that was asked so far would have been asked at an even pace (a "generic cell rate" clock). It may
 * run ahead of now by a second: so many requests may come at once. What is over it costs nothing later. */
#include "proxy/internal.h"

#define SECOND_US UINT64_C(1000000)

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
    static const uint8_t key[16];
    uint64_t who = siphash64(key, recipient) | 1;
    struct proxy_rate *p = place_of(r, who);
    uint64_t due = atomic_load_explicit(&p->due_us, memory_order_relaxed), next;
    do {
        uint64_t from = due > now_us ? due : now_us;
        next = from + SECOND_US / limit;
        if (next > now_us + SECOND_US) return false;
    } while (!atomic_compare_exchange_weak(&p->due_us, &due, next));
    return true;
}
