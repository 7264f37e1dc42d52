#include "admin/internal.h"

/* Of one figure, in every slot: `at` is where it stands in struct proxy_counters. */
static uint64_t sum_at(const struct admin *a, size_t at)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->arguments->counter_slots; i++) {
        const char *slot = (const char *)&a->arguments->counters[i];
        n += atomic_load_explicit((const _Atomic uint64_t *)(const void *)(slot + at), memory_order_relaxed);
    }
    return n;
}
#define SUM(a, member) sum_at(a, offsetof(struct proxy_counters, member))

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

/* It is alive, but stopped, or its disk does not answer: what needs an entry waits. */
static bool ledger_stalled(const struct admin *a)
{
    return os_monotonic_ns() / 1000000 > ipc_ring_beat_ms(a->arguments->ring) + PROXY_STALLED_MS;
}

static RESULT family(struct buf *out, const char *name, const char *type, const char *help)
{
    return buf_printf(out, "# HELP gate1367_%s %s\n# TYPE gate1367_%s %s\n", name, help, name, type);
}

static RESULT gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    TRY(family(out, name, "gauge", help));
    return buf_printf(out, "gate1367_%s %llu\n", name, (unsigned long long)value);
}

static RESULT labelled(struct buf *out, const char *name, const char *label, const char *value, uint64_t n)
{
    return buf_printf(out, "gate1367_%s{%s=\"%s\"} %llu\n", name, label, value, (unsigned long long)n);
}

static bool registry_stale(const struct admin *a)
{
    struct registry_info info;
    registry_info(a->registry, &info);
    return registry_is_stale(info.built, a->arguments->config->settings.registry_max_age_us, os_realtime_us());
}

static RESULT write_counters(const struct admin *a, struct buf *out)
{
    for (enum proxy_counter c = 0; c < PROXY_COUNTER_COUNT; c++) {
        char name[64];
        snprintf(name, sizeof(name), "%s_total", proxy_counter_name(c));
        TRY(family(out, name, "counter", proxy_counter_help(c)));
        TRY(buf_printf(out, "gate1367_%s %llu\n", name, (unsigned long long)SUM(a, counters[c])));
    }
    TRY(family(out, "failures_total", "counter", "answers given by a row of the failure table"));
    for (enum gate_failure f = GATE_FINE + 1; f < GATE_FAILURE_COUNT; f++) {
        TRY(labelled(out, "failures_total", "row", gate_failure_name(f), SUM(a, failures[f])));
    }
    return OK;
}

static RESULT write_outcomes(const struct admin *a, struct buf *out)
{
    static const char *const classes[] = {[RECIPIENT_RESTRICTED] = "restricted", [RECIPIENT_ENTITLED] = "entitled"};
    TRY(family(out, "answers_total", "counter", "answers to routed requests, by recipient class and outcome"));
    for (size_t class = 0; class < ARRAY_LEN(classes); class++) {
        for (enum ledger_outcome o = LEDGER_NO_OUTCOME + 1; o < LEDGER_OUTCOME_END; o++) {
            TRY(buf_printf(out, "gate1367_answers_total{class=\"%s\",outcome=\"%s\"} %llu\n", classes[class],
                ledger_outcome_name(o), (unsigned long long)SUM(a, outcomes[class][o])));
        }
    }
    return OK;
}

static RESULT put_escaped(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        const char *escaped = *c == '\\' ? "\\\\" : *c == '"' ? "\\\"" : *c == '\n' ? "\\n" : NULL;
        TRY(buf_append(out, escaped != NULL ? span_str(escaped) : span_of(c, 1)));
    }
    return OK;
}

static RESULT write_recipient(const struct admin *a, struct buf *out, const char *name, const char *id, enum proxy_recipient_counter c)
{
    TRY(buf_printf(out, "gate1367_%s{recipient=\"", name));
    TRY(put_escaped(out, id));
    return buf_printf(out, "\"} %llu\n", (unsigned long long)proxy_recipient_counted(a->arguments->rates, span_str(id), c));
}

/* A recipient's id is what an operator called it: no personal data. */
static RESULT write_recipients(const struct admin *a, struct buf *out)
{
    const struct recipient_table *t = a->arguments->config->settings.recipients;
    const char *id;
    for (enum proxy_recipient_counter c = 0; a->arguments->rates != NULL && c < PROXY_RECIPIENT_COUNTER_COUNT; c++) {
        char name[64];
        snprintf(name, sizeof(name), "recipient_%s_total", proxy_recipient_counter_name(c));
        TRY(family(out, name, "counter", proxy_recipient_counter_help(c)));
        for (size_t i = 0; (id = recipient_id_at(t, i)) != NULL; i++)
            TRY(write_recipient(a, out, name, id, c));
        TRY(write_recipient(a, out, name, "anonymous", c));
    }
    return OK;
}

static RESULT write_histogram(const struct admin *a, struct buf *out, enum proxy_histogram h)
{
    const char *name = proxy_histogram_name(h);
    uint64_t below = 0, us = SUM(a, distributions[h].sum_us);
    TRY(family(out, name, "histogram", proxy_histogram_help(h)));
    for (size_t i = 0; i <= PROXY_BOUND_COUNT; i++) {
        below += SUM(a, distributions[h].buckets[i]);
        TRY(buf_printf(out, "gate1367_%s_bucket{le=\"%s\"} %llu\n", name, proxy_bound_text(i), (unsigned long long)below));
    }
    return buf_printf(out, "gate1367_%s_sum %llu.%06llu\ngate1367_%s_count %llu\n", name, (unsigned long long)(us / 1000000),
        (unsigned long long)(us % 1000000), name, (unsigned long long)below);
}

static RESULT write_processes(const struct admin *a, struct buf *out)
{
    static const char *const roles[] = {
#define X(id, name) name,
        ADMIN_ROLES(X)
#undef X
    };
    const struct admin_processes *p = a->arguments->processes;
    TRY(family(out, "restarts_total", "counter", "processes started again because one ended unasked"));
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) TRY(labelled(out, "restarts_total", "role", roles[i], atomic_load(&p->restarts[i])));
    TRY(family(out, "reloads_total", "counter", "reloads that took over, and that were refused"));
    TRY(labelled(out, "reloads_total", "result", "taken", atomic_load(&p->reloads_taken)));
    TRY(labelled(out, "reloads_total", "result", "refused", atomic_load(&p->reloads_refused)));
    TRY(family(out, "build_info", "gauge", "1; the release as label"));
    TRY(labelled(out, "build_info", "version", GATE1367_VERSION, 1));
    return gauge(out, "start_time_seconds", "when the gateway was started, in seconds since 1970", atomic_load(&p->started));
}

/* Only where a witness is configured: who has none must not be told that it is missing. */
static RESULT write_witness(const struct admin *a, struct buf *out)
{
    const struct witness_board *b = &a->arguments->processes->witness;
    if (atomic_load(&b->heard_ns) == 0) return OK;
    TRY(gauge(out, "witness_confirmed_seconds", "when the witness last confirmed the ledger, in seconds since 1970; 0: never",
        atomic_load(&b->confirmed)));
    TRY(gauge(out, "witness_size", "entries of the checkpoint that the witness confirmed last", atomic_load(&b->size)));
    TRY(gauge(out, "witness_late", "1: the witness has not confirmed the ledger for longer than ledger.witness.alarm", atomic_load(&b->late)));
    TRY(gauge(out, "witness_closed", "1: answers that need an entry are refused until the witness confirms the ledger again (strict)", atomic_load(&b->held)));
    return gauge(out, "witness_refused", "1: the witness knows another ledger under this name", atomic_load(&b->refused));
}

static RESULT write_gauges(const struct admin *a, struct buf *out)
{
    struct registry_info info;
    struct registry_overlay_info overlay;
    registry_info(a->registry, &info);
    registry_overlay_info(a->arguments->overlays[0], &overlay);
    TRY(gauge(out, "open_connections", "client connections open now", SUM(a, open_connections)));
    TRY(gauge(out, "connection_room", "client connections that fit at once", SUM(a, connection_room)));
    TRY(gauge(out, "unread_bytes", "bytes that clients have sent and nobody has read yet, as of the last second", SUM(a, unread)));
    TRY(gauge(out, "unread_room_bytes", "as many fit; who sends more then is broken off", SUM(a, unread_room)));
    TRY(gauge(out, "ledger_waiting", "exchanges whose entry is not durable yet", SUM(a, ledger_waiting)));
    TRY(gauge(out, "workers", "workers that are configured", a->arguments->config->workers));
    TRY(gauge(out, "ready", "1: would serve now", not_ready(a) == NULL));
    TRY(gauge(out, "workers_serving", "workers of the generation in force", workers_serving(a)));
    TRY(gauge(out, "workers_stalled", "workers that have not come round for five seconds", workers_stalled(a)));
    TRY(gauge(out, "generation", "configuration generation in force", a->arguments->config->generation));
    TRY(gauge(out, "registry_built_seconds", "when the index was built, in seconds since 1970", info.built));
    uint64_t now_s = os_realtime_us() / 1000000, max_us = a->arguments->config->settings.registry_max_age_us;
    TRY(gauge(out, "registry_age_seconds", "age of the index; 0 where it comes from the future", now_s > info.built ? now_s - info.built : 0));
    TRY(gauge(out, "registry_max_age_seconds", "age past which the registry is stale; 0: never", max_us / 1000000));
    TRY(gauge(out, "registry_stale", "1: restricted recipients are refused until a rebuild and a reload", registry_stale(a)));
    TRY(gauge(out, "registry_keys", "keys of the index", info.keys));
    TRY(gauge(out, "registry_overlay_keys", "keys of live changes", overlay.keys));
    TRY(gauge(out, "registry_suspected", "persons known by a marker alone, whom nobody has cleared", overlay.suspected));
    TRY(gauge(out, "registry_overlay_key_room", "keys of live changes that fit before a rebuild is needed", overlay.key_room));
    TRY(gauge(out, "registry_overlay_subjects", "persons of live changes, suspected and cleared ones too", overlay.subjects));
    TRY(gauge(out, "registry_behind", "1: restricted recipients are refused, for the journal of live changes cannot be followed, or lacks what was in force", a->behind));
    TRY(gauge(out, "registry_overlay_subject_room", "persons of live changes that fit before a rebuild is needed", overlay.subject_room));
    if (a->certificates_end < INT64_MAX) {
        TRY(gauge(out, "certificate_end_seconds", "when the first of the certificates ends that listen and upstreams name, in seconds since 1970",
            a->certificates_end > 0 ? (uint64_t)a->certificates_end : 0));
    }
    uint64_t free = 0;
    if (is_ok(os_free_space(a->arguments->config->ledger.directory, &free))) {
        TRY(gauge(out, "ledger_free_bytes", "bytes that can still be written on the ledger's device", free));
    }
    if (is_ok(os_free_files(a->arguments->config->ledger.directory, &free)) && free < UINT64_MAX) {
        TRY(gauge(out, "ledger_free_files", "files that can still be made on the ledger's device", free));
    }
    TRY(gauge(out, "ledger_room", "of the ledger's device: 0 enough, 1 filling up, 2 answers that need an entry are refused",
        ipc_ring_room(a->arguments->ring)));
    TRY(gauge(out, "ledger_standby", "1: the ledger could not be written, and its standby is", ipc_ring_standby(a->arguments->ring)));
    TRY(write_witness(a, out));
    return gauge(out, "ledger_failed", "1: the ledger could not be written; answers that need an entry are refused",
        ipc_ring_failed(a->arguments->ring));
}

RESULT metrics_write(const struct admin *a, struct buf *out)
{
    TRY(write_counters(a, out));
    TRY(write_outcomes(a, out));
    TRY(write_recipients(a, out));
    for (enum proxy_histogram h = 0; h < PROXY_HISTOGRAM_COUNT; h++) TRY(write_histogram(a, out, h));
    TRY(write_processes(a, out));
    TRY(mirror_metrics(a, out));
    return write_gauges(a, out);
}

const char *not_ready(const struct admin *a)
{
    if (!a->serving) return "the generation is not switched on";
    if (ipc_ring_failed(a->arguments->ring)) return "the ledger could not be written";
    if (atomic_load(&a->arguments->processes->scribe) == 0) return "the ledger has no writer; it is being started again";
    if (ledger_stalled(a)) return "the ledger's writer does not answer; what needs an entry waits";
    if (ipc_ring_held(a->arguments->ring)) return "the ledger is closed until its witness confirms it again";
    if (ipc_ring_room(a->arguments->ring) == IPC_ROOM_SHED) return "the ledger's device is nearly full; make room";
    if (a->behind) return a->behind_words;
    if (!registry_suspicion_room(a->registry)) return "the registry is full of live changes; build it again and reload";
    if (registry_stale(a)) return "the registry is stale: its index is older than max_age; build it again and reload";
    if (workers_serving(a) == 0) return "no worker is serving";
    if (workers_stalled(a) > 0) return "a worker does not answer; the connections that it was given wait";
    return NULL;
}
