/* What a run found, for a person. */
#include "probe/probe.h"
#include <math.h>

#define BINS 40

static const char *paint(bool colour, const char *code) { return colour ? code : ""; }

/* ▁ to █ by height; a value that occurs at all is seen. */
static void print_bar(FILE *to, const size_t *counts, size_t most)
{
    static const char *const HEIGHTS[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    for (size_t i = 0; i < BINS; i++) {
        size_t height = most == 0 ? 0 : (counts[i] * 8 + most - 1) / most;
        fputs(HEIGHTS[height], to);
    }
}

static void print_picture(FILE *to, const struct probe_series *s, const struct probe_timing *t)
{
    static const char *const SIDES[] = {"absent", "withheld"};
    size_t counts[PROBE_SIDES][BINS], most = 0;
    for (int i = 0; i < PROBE_SIDES; i++) {
        stats_histogram(s->times[i], s->n, t->least, t->most, counts[i], BINS);
        for (size_t k = 0; k < BINS; k++) most = counts[i][k] > most ? counts[i][k] : most;
    }
    for (int i = 0; i < PROBE_SIDES; i++) {
        fprintf(to, "      %-8s |", SIDES[i]);
        print_bar(to, counts[i], most);
        fputs("|", to);
        if (i == 0) fprintf(to, " %.3f to %.3f ms", 1e3 * t->least, 1e3 * t->most);
        fputc('\n', to);
    }
}

static void print_differences(FILE *to, const struct probe_series *s)
{
    for (size_t i = 0; i < s->difference_count; i++) {
        const struct probe_difference *d = &s->differences[i];
        fprintf(to, "      %s (%s), %llu times\n        absent:   %s\n        withheld: %s\n", probe_difference_name(d->kind),
            d->where == NULL ? "" : d->where, (unsigned long long)d->count, d->absent == NULL ? "" : d->absent,
            d->withheld == NULL ? "" : d->withheld);
    }
}

static void print_statuses(FILE *to, const struct probe_series *s)
{
    fputs("      answered with", to);
    for (int i = 0; i < PROBE_SIDES; i++) {
        for (size_t k = 0; s->statuses[i][k] != 0; k++) fprintf(to, " %u", s->statuses[i][k]);
    }
    fprintf(to, ", %llu pairs without whole answers: that says nothing about anybody\n", (unsigned long long)s->unanswered);
}

static void print_times(FILE *to, const struct probe_timing *t)
{
    char low[32] = "-∞", high[32] = "∞";
    if (t->apart.bounded) {
        snprintf(low, sizeof(low), "%+.1f", 1e6 * t->apart.low);
        snprintf(high, sizeof(high), "%+.1f", 1e6 * t->apart.high);
    }
    fprintf(to, "KS p %-8.2g |t| %-6.2f median %+.1f µs [%s, %s]  p50 %.2f / %.2f  p99 %.2f / %.2f ms", t->ks.p, fabs(t->welch.t),
        1e6 * t->apart.median, low, high, 1e3 * t->p50[0], 1e3 * t->p50[1], 1e3 * t->p99[0], 1e3 * t->p99[1]);
}

static enum probe_verdict print_series(FILE *to, const struct probe_run *r, const struct probe_series *s, bool colour)
{
    struct probe_timing t;
    ASSERT(s->subject != NULL);
    if (!probe_time(r, s, &t)) {
        fputs("    no memory\n", to);
        return PROBE_NOTHING;
    }
    enum probe_verdict v = probe_judge(r, s, &t);
    fprintf(to, "    %s%-10s %-14s%s %7zu  ", paint(colour, v == PROBE_EQUAL ? "" : "\033[1;31m"), probe_way_name(s->way),
        probe_verdict_name(v), paint(colour, v == PROBE_EQUAL ? "" : "\033[0m"), s->n);
    if (t.enough) print_times(to, &t);
    else fprintf(to, "too few pairs for times (%d)", PROBE_TIMES_MIN);
    fputc('\n', to);
    if (!t.equal && !s->subject->times_only) fprintf(to, "      the times differ: KS p must be over %.2g, |t| under %.1f\n", t.limit, PROBE_T_MAX);
    print_differences(to, s);
    if (v == PROBE_NOTHING) print_statuses(to, s);
    if (t.enough) print_picture(to, s, &t);
    return v;
}

/* A load that the gateway, or this program, could not keep up with is not the one that was asked for. */
static void print_load(FILE *to, double rate, const struct probe_load *l)
{
    fprintf(to, "beside %.0f other requests a second: %llu answered, %llu could not be asked in time%s\n", rate,
        (unsigned long long)l->answered, (unsigned long long)l->missed,
        l->missed > l->asked / 10 || l->answered == 0 ? "; the load was less than that" : "");
}

static enum probe_verdict worse(enum probe_verdict a, enum probe_verdict b)
{
    if (a == PROBE_DIFFERS || b == PROBE_DIFFERS) return PROBE_DIFFERS;
    return a == PROBE_NOTHING || b == PROBE_NOTHING ? PROBE_NOTHING : PROBE_EQUAL;
}

/* Before anything was asked. */
static enum probe_verdict begin(const struct probe_heading *h)
{
    return h->nothing != NULL ? PROBE_NOTHING : PROBE_EQUAL;
}

enum probe_verdict probe_print(const struct probe_run *r, const struct probe_heading *h, FILE *to, bool colour)
{
    enum probe_verdict all = begin(h);
    const struct probe_subject *last = NULL;
    fprintf(to, "%s, %u connections, seed %llu\n", h->what, h->options->connections, (unsigned long long)h->options->seed);
    if (h->options->load > 0) print_load(to, h->options->load, &r->load);
    for (size_t i = 0; i < r->series_count; i++) {
        const struct probe_series *s = &r->series[i];
        if (s->subject != last) fprintf(to, "  %s, as %s\n", s->subject->name, s->subject->who);
        last = s->subject;
        all = worse(all, print_series(to, r, s, colour));
    }
    switch (all) {
    case PROBE_EQUAL: fputs("equal\n", to); break;
    case PROBE_DIFFERS: fputs("DIFFERENT: withheld and absent can be told apart\n", to); break;
    case PROBE_NOTHING: fprintf(to, "equal as far as it was answered; %s\n", h->nothing != NULL ? h->nothing : "some of it proves nothing"); break;
    }
    return all;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *differences_json(const struct probe_series *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->difference_count; i++) {
        const struct probe_difference *d = &s->differences[i];
        json_array_append_new(list, json_pack("{s:s, s:s?, s:I, s:s?, s:s?}", "kind", probe_difference_name(d->kind), "where", d->where,
            "count", (json_int_t)d->count, "absent", d->absent, "withheld", d->withheld));
    }
    return list;
}

static json_t *statuses_json(const struct probe_series *s, enum probe_side side)
{
    json_t *list = json_array();
    for (size_t k = 0; s->statuses[side][k] != 0; k++) json_array_append_new(list, json_integer(s->statuses[side][k]));
    return list;
}

static json_t *times_json(const struct probe_timing *t)
{
    if (!t->enough) return json_null();
    return json_pack("{s:b, s:{s:o, s:o, s:b, s:o}, s:{s:o, s:o}, s:{s:o, s:o, s:o, s:o}, s:[oo], s:[oo]}", "equal", t->equal, "ks", "d",
        number(t->ks.d), "p", number(t->ks.p), "exact", t->ks.exact, "limit", number(t->limit), "welch", "t", number(t->welch.t), "df",
        number(t->welch.df), "median_difference", "seconds", number(t->apart.median), "low", number(t->apart.low), "high",
        number(t->apart.high), "confidence", number(PROBE_CONFIDENCE), "p50", number(t->p50[0]), number(t->p50[1]), "p99", number(t->p99[0]),
        number(t->p99[1]));
}

static json_t *series_json(const struct probe_run *r, const struct probe_series *s, enum probe_verdict *all)
{
    struct probe_timing t;
    if (!probe_time(r, s, &t)) return NULL;
    enum probe_verdict v = probe_judge(r, s, &t);
    *all = worse(*all, v);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:{s:o, s:o}, s:o, s:o}", "name", s->subject->name, "as", s->subject->who, "way",
        probe_way_name(s->way), "verdict", probe_verdict_name(v), "pairs", (json_int_t)s->n, "unanswered", (json_int_t)s->unanswered,
        "statuses", "absent", statuses_json(s, PROBE_ABSENT), "withheld", statuses_json(s, PROBE_WITHHELD), "differences",
        differences_json(s), "times", times_json(&t));
}

json_t *probe_json(const struct probe_run *r, const struct probe_heading *h)
{
    enum probe_verdict all = begin(h);
    json_t *list = json_array();
    for (size_t i = 0; i < r->series_count; i++) {
        json_t *one = series_json(r, &r->series[i], &all);
        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:i, s:s, s:s, s:s*, s:I, s:i, s:I, s:{s:f, s:I, s:I}, s:o}", "format", 1, "what", h->what, "verdict", probe_verdict_name(all), "nothing", all == PROBE_NOTHING ? h->nothing : NULL, "count",
        (json_int_t)h->options->count, "connections", (int)h->options->connections, "seed", (json_int_t)h->options->seed, "load",
        "rate", h->options->load, "answered", (json_int_t)r->load.answered, "missed", (json_int_t)r->load.missed, "series", list);
}
