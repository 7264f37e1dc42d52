#include "proxy/proxy.h"

static const char *const NAMES[PROXY_COUNTER_COUNT] = {
#define X(id, name, help) [PROXY_##id] = name,
    PROXY_COUNTERS(X)
#undef X
};
static const char *const HELP[PROXY_COUNTER_COUNT] = {
#define X(id, name, help) [PROXY_##id] = help,
    PROXY_COUNTERS(X)
#undef X
};

const char *proxy_counter_name(enum proxy_counter c) { return NAMES[c]; }
const char *proxy_counter_help(enum proxy_counter c) { return HELP[c]; }

static const char *const HISTOGRAM_NAMES[PROXY_HISTOGRAM_COUNT] = {
#define X(id, name, help) [PROXY_##id] = name,
    PROXY_HISTOGRAMS(X)
#undef X
};
static const char *const HISTOGRAM_HELP[PROXY_HISTOGRAM_COUNT] = {
#define X(id, name, help) [PROXY_##id] = help,
    PROXY_HISTOGRAMS(X)
#undef X
};
static const uint64_t BOUNDS[PROXY_BOUND_COUNT] = {
#define X(us, text) us,
    PROXY_BOUNDS(X)
#undef X
};
static const char *const BOUND_TEXTS[PROXY_BOUND_COUNT + 1] = {
#define X(us, text) text,
    PROXY_BOUNDS(X)
#undef X
        "+Inf"};

const char *proxy_histogram_name(enum proxy_histogram h) { return HISTOGRAM_NAMES[h]; }
const char *proxy_histogram_help(enum proxy_histogram h) { return HISTOGRAM_HELP[h]; }
const char *proxy_bound_text(size_t bucket) { return BOUND_TEXTS[bucket]; }
uint64_t proxy_bound_us(size_t bucket) { return BOUNDS[bucket]; }

static void add(_Atomic uint64_t *v, uint64_t n)
{
    atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}

void proxy_observe(struct proxy_counters *c, enum proxy_histogram h, uint64_t us)
{
    struct proxy_distribution *d = &c->distributions[h];
    size_t i = 0;
    while (i < PROXY_BOUND_COUNT && us > BOUNDS[i]) i++;
    add(&d->buckets[i], 1);
    add(&d->sum_us, us);
}
