/* Signed counters of an interval: all requests, whatever became of them, so that the ledger can be held against what an
 * origin saw (`report reconcile`). An interval ends with the minute, in every worker alike. */
#include "proxy/internal.h"

#define MINUTE_MS UINT64_C(60000)
#define NAME_BYTES 96

uint64_t summary_due_ms(void)
{
    uint64_t left = MINUTE_MS - os_realtime_us() / 1000 % MINUTE_MS;
    return left < 100 ? left + MINUTE_MS : left; /* the timer came a little early */
}

/* Counts that nobody told are a dead predecessor's: the interval began where it last told. */
void summary_begin(struct worker *w)
{
    struct proxy_counters *c = w->arguments->counters;
    if (memcmp(c->tally, c->told, sizeof(c->told)) == 0 || c->told_us == 0) c->told_us = os_realtime_us();
    memcpy(w->told_before, c->told, sizeof(c->told));
    w->told_before_us = c->told_us;
}

/* What the place counts, as it is called in the entry's `rules`. */
static span name_of(const struct worker *w, unsigned what, char out[NAME_BYTES])
{
    static const char *const CLASSES[] = {"restricted", "entitled"};
    if (what >= PROXY_TALLY_ASKED) {
        bool answered = what >= PROXY_TALLY_ANSWERED;
        size_t i = what - (answered ? PROXY_TALLY_ANSWERED : PROXY_TALLY_ASKED);
        bool one = i < w->settings->upstream_count && (i + 1 < PROXY_TALLIED_UPSTREAMS || i + 1 == w->settings->upstream_count);
        int n = snprintf(out, NAME_BYTES, "%s.%.64s", answered ? "answered" : "asked", one ? w->settings->upstreams[i].name : "others");
        return span_of(out, (size_t)n);
    }
    if (what >= PROXY_TALLY_REFUSED) return span_str(gate_failure_name((enum gate_failure)(what - PROXY_TALLY_REFUSED)));
    const char *outcome = ledger_outcome_name((enum ledger_outcome)(what % LEDGER_OUTCOME_END));
    int n = snprintf(out, NAME_BYTES, "%s.%s", CLASSES[what / LEDGER_OUTCOME_END], outcome == NULL ? "none" : outcome);
    return span_of(out, (size_t)n);
}

/* The last summary fell with its scribe: what it told is to be told again. */
static void look_back(struct worker *w)
{
    struct proxy_counters *c = w->arguments->counters;
    if (w->summary_ticket == 0 || ipc_ring_state(w->arguments->ring, w->summary_ticket) != IPC_TICKET_FAILED) return;
    memcpy(c->told, w->told_before, sizeof(c->told));
    c->told_us = w->told_before_us;
    w->summary_ticket = 0;
}

static void advance(struct worker *w, uint64_t now, uint64_t ticket)
{
    struct proxy_counters *c = w->arguments->counters;
    memcpy(w->told_before, c->told, sizeof(c->told));
    w->told_before_us = c->told_us;
    memcpy(c->told, c->tally, sizeof(c->told));
    c->told_us = now;
    w->summary_ticket = ticket;
}

void summary_write(struct worker *w)
{
    static char names[PROXY_TALLY_COUNT][NAME_BYTES]; /* too much for a stack, and one worker a process */
    struct ledger_count counts[PROXY_TALLY_COUNT];
    struct proxy_counters *c = w->arguments->counters;
    uint64_t now = os_realtime_us(), ticket = 0;
    size_t n = 0;
    look_back(w);
    for (unsigned i = 0; i < PROXY_TALLY_COUNT; i++) {
        if (c->tally[i] == c->told[i]) continue;
        counts[n++] = (struct ledger_count){name_of(w, i, names[i]), c->tally[i] - c->told[i]};
    }
    if (n == 0) {
        c->told_us = now;
        return;
    }
    struct ledger_entry e = {.time_us = now, .node = span_str(w->settings->node), .event = LEDGER_SUMMARY,
        .upstream_status = -1, .status = -1, .rules = counts, .rule_count = n,
        .duration_us = now > c->told_us ? (int64_t)(now - c->told_us) : 0};
    record_versions(w, &e);
    if (!is_ok(worker_random(w, e.nonce, sizeof(e.nonce)))) return; /* the next interval's holds them too */
    if (!is_ok(ledger_entry_publish(&e, &w->scratch, w->arguments->ring, &ticket))) return;
    advance(w, now, ticket);
    worker_published(w, false);
}
