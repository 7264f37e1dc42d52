#include "probe/probe.h"

/* Two sorted samples and the sorted differences of their pairs, in one block. */
static double *sorted_copies(const struct probe_series *s)
{
    double *out = mem_array(3 * s->n, sizeof(*out));
    if (out == NULL) return NULL;
    memcpy(out, s->times[0], s->n * sizeof(*out));
    memcpy(out + s->n, s->times[1], s->n * sizeof(*out));
    for (size_t i = 0; i < s->n; i++) out[2 * s->n + i] = s->times[PROBE_WITHHELD][i] - s->times[PROBE_ABSENT][i];
    for (size_t k = 0; k < 3; k++) stats_sort(out + k * s->n, s->n);
    return out;
}

/* Every series is a test: all of them together shall raise a false alarm with probability PROBE_ALPHA at most (Bonferroni). */
static double limit_of(const struct probe_run *r)
{
    size_t tests = 0;
    for (size_t i = 0; i < r->series_count; i++) tests += r->series[i].n >= PROBE_TIMES_MIN && !r->series[i].subject->times_only;
    return PROBE_ALPHA / (double)(tests > 0 ? tests : 1);
}

bool probe_time(const struct probe_run *r, const struct probe_series *s, struct probe_timing *out)
{
    *out = (struct probe_timing){.equal = true, .limit = limit_of(r)};
    if (s->n == 0) return true;
    double *copies = sorted_copies(s);
    if (copies == NULL) return false;
    const double *x = copies, *y = copies + s->n;
    for (int i = 0; i < PROBE_SIDES; i++) {
        const double *one = copies + (size_t)i * s->n;
        double low = stats_quantile(one, s->n, 0.005), high = stats_quantile(one, s->n, 0.995);
        out->p50[i] = stats_quantile(one, s->n, 0.5);
        out->p99[i] = stats_quantile(one, s->n, 0.99);
        out->least = i == 0 || low < out->least ? low : out->least;
        out->most = i == 0 || high > out->most ? high : out->most;
    }
    out->ks = stats_kolmogorov_smirnov(x, s->n, y, s->n);
    out->apart = stats_median(copies + 2 * s->n, s->n, PROBE_CONFIDENCE);
    if (s->n > 1) out->welch = stats_welch(y, s->n, x, s->n);
    out->enough = s->n >= PROBE_TIMES_MIN;
    double t = out->welch.t < 0 ? -out->welch.t : out->welch.t;
    out->equal = !out->enough || (out->ks.p > out->limit && t < PROBE_T_MAX);
    mem_free(copies);
    return true;
}

/* Syntax, purpose, method, rate, no origin or ledger. */
static bool is_refusal(unsigned status)
{
    static const unsigned CLIENTS[] = {400, 401, 403, 405, 408, 413, 414, 429, 431};
    for (size_t i = 0; i < ARRAY_LEN(CLIENTS); i++) {
        if (status == CLIENTS[i]) return true;
    }
    return status >= 500;
}

unsigned probe_refusal(const struct probe_series *s)
{
    for (int i = 0; i < PROBE_SIDES; i++) {
        for (size_t k = 0; s->statuses[i][k] != 0; k++) {
            if (is_refusal(s->statuses[i][k])) return s->statuses[i][k];
        }
    }
    return 0;
}

enum probe_verdict probe_judge(const struct probe_run *r, const struct probe_series *s, const struct probe_timing *t)
{
    (void)r;
    if (s->difference_count > 0) return PROBE_DIFFERS;
    if (s->n == 0 || s->unanswered > 0 || probe_refusal(s) != 0) return PROBE_NOTHING;
    return t->equal || s->subject->times_only ? PROBE_EQUAL : PROBE_DIFFERS;
}

const char *probe_verdict_name(enum probe_verdict v)
{
    switch (v) {
    case PROBE_EQUAL: return "equal";
    case PROBE_DIFFERS: return "DIFFERENT";
    case PROBE_NOTHING: break;
    }
    return "proves nothing";
}
