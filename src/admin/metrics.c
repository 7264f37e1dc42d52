#include "admin/internal.h"

static uint64_t sum(const struct admin *a, enum proxy_counter c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        n += atomic_load_explicit(&a->arguments->counters[i].counters[c], memory_order_relaxed);
    }
    return n;
}

static uint64_t sum_failures(const struct admin *a, enum gate_failure f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        n += atomic_load_explicit(&a->arguments->counters[i].failures[f], memory_order_relaxed);
    }
    return n;
}

static uint64_t workers_serving(const struct admin *a)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        uint64_t generation = atomic_load_explicit(&a->arguments->counters[i].generation, memory_order_relaxed);
        n += generation == a->arguments->config->generation;
    }
    return n;
}

/* Alive for the supervisor, but its loop does not come round: what the system gives to it waits. */
static uint64_t workers_stalled(const struct admin *a)
{
    uint64_t n = 0, now = os_monotonic_ns() / 1000000;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        const struct proxy_counters *c = &a->arguments->counters[i];
        bool ours = atomic_load_explicit(&c->generation, memory_order_relaxed) == a->arguments->config->generation;
        n += ours && now > atomic_load_explicit(&c->beat_ms, memory_order_relaxed) + PROXY_STALLED_MS;
    }
    return n;
}

static uint64_t open_connections(const struct admin *a)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        n += atomic_load_explicit(&a->arguments->counters[i].open_connections, memory_order_relaxed);
    }
    return n;
}

static RESULT gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    return buf_printf(out, "# HELP gate1367_%s %s\n# TYPE gate1367_%s gauge\ngate1367_%s %llu\n", name, help, name, name,
        (unsigned long long)value);
}

static bool registry_stale(const struct admin *a)
{
    struct registry_info info;
    registry_info(a->registry, &info);
    return registry_is_stale(info.built, a->arguments->config->settings.registry_max_age_us, os_realtime_us());
}

RESULT metrics_write(const struct admin *a, struct buf *out)
{
    for (enum proxy_counter c = 0; c < PROXY_COUNTER_COUNT; c++) {
        const char *name = proxy_counter_name(c);
        TRY(buf_printf(out, "# HELP gate1367_%s_total %s\n# TYPE gate1367_%s_total counter\ngate1367_%s_total %llu\n", name,
            proxy_counter_help(c), name, name, (unsigned long long)sum(a, c)));
    }
    TRY(buf_append(out, SPAN("# HELP gate1367_failures_total answers given by a row of the failure table\n"
                             "# TYPE gate1367_failures_total counter\n")));
    for (enum gate_failure f = GATE_FINE + 1; f < GATE_FAILURE_COUNT; f++) {
        TRY(buf_printf(out, "gate1367_failures_total{row=\"%s\"} %llu\n", gate_failure_name(f),
            (unsigned long long)sum_failures(a, f)));
    }
    struct registry_info info;
    struct registry_overlay_info overlay;
    registry_info(a->registry, &info);
    registry_overlay_info(a->arguments->overlays[0], &overlay);
    TRY(gauge(out, "open_connections", "client connections open now", open_connections(a)));
    TRY(gauge(out, "workers_serving", "workers of the generation in force", workers_serving(a)));
    TRY(gauge(out, "workers_stalled", "workers that have not come round for five seconds", workers_stalled(a)));
    TRY(gauge(out, "generation", "configuration generation in force", a->arguments->config->generation));
    TRY(gauge(out, "registry_built_seconds", "when the index was built, in seconds since 1970", info.built));
    uint64_t now_s = os_realtime_us() / 1000000, max_us = a->arguments->config->settings.registry_max_age_us;
    TRY(gauge(out, "registry_age_seconds", "age of the index; 0 where it comes from the future", now_s > info.built ? now_s - info.built : 0));
    TRY(gauge(out, "registry_max_age_seconds", "age past which the registry is stale; 0: never", max_us / 1000000));
    TRY(gauge(out, "registry_stale", "1: restricted recipients are refused until a rebuild and a reload", registry_stale(a)));
    TRY(gauge(out, "registry_overlay_keys", "keys of live changes", overlay.keys));
    TRY(gauge(out, "registry_overlay_key_room", "keys of live changes that fit before a rebuild is needed", overlay.key_room));
    return gauge(out, "ledger_failed", "1: the ledger could not be written; answers that need an entry are refused",
        ipc_ring_failed(a->arguments->ring));
}

const char *not_ready(const struct admin *a)
{
    if (!a->serving) return "the generation is not switched on";
    if (ipc_ring_failed(a->arguments->ring)) return "the ledger could not be written";
    if (registry_stale(a)) return "the registry is stale: its index is older than max_age; build it again and reload";
    if (workers_serving(a) == 0) return "no worker is serving";
    if (workers_stalled(a) > 0) return "a worker does not answer; the connections that it was given wait";
    return NULL;
}
