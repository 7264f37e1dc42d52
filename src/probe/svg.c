/* The two distributions of each series, one over the other, as a picture that needs nothing else. */
#include "probe/probe.h"

#define BINS 80
#define WIDTH 640
#define PANEL 132
#define PLOT 84

static RESULT escape(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *c = *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : NULL;
        TRY(c != NULL ? buf_append(out, span_str(c)) : buf_append(out, span_of(s, 1)));
    }
    return OK;
}

static RESULT outline(struct buf *out, const size_t *counts, size_t most, size_t top, const char *colour)
{
    TRY(buf_printf(out, "<path d=\"M0 %zu", top + PLOT));
    for (size_t i = 0; i < BINS; i++) {
        size_t height = most == 0 ? 0 : counts[i] * PLOT / most;
        TRY(buf_printf(out, " V%zu H%zu", top + PLOT - height, (i + 1) * WIDTH / BINS));
    }
    return buf_printf(out, " V%zu\" fill=\"%s\" fill-opacity=\"0.25\" stroke=\"%s\"/>\n", top + PLOT, colour, colour);
}

static RESULT panel(struct buf *out, const struct probe_run *r, const struct probe_series *s, size_t top)
{
    static const char *const COLOURS[] = {"#1f77b4", "#d62728"};
    size_t counts[PROBE_SIDES][BINS], most = 0;
    struct probe_timing t;
    REQUIRE(probe_time(r, s, &t), ERROR_LIMIT, 0);
    TRY(buf_printf(out, "<text x=\"0\" y=\"%zu\">", top + 14));
    TRY(escape(out, s->subject->name));
    TRY(buf_printf(out, " (%s): %zu pairs, KS p %.2g, t %.2f, median %+.1f µs</text>\n", probe_way_name(s->way), s->n, t.ks.p, t.welch.t,
        1e6 * t.apart.median));
    for (int i = 0; i < PROBE_SIDES; i++) {
        stats_histogram(s->times[i], s->n, t.least, t.most, counts[i], BINS);
        for (size_t k = 0; k < BINS; k++) most = counts[i][k] > most ? counts[i][k] : most;
    }
    for (int i = 0; i < PROBE_SIDES; i++) TRY(outline(out, counts[i], most, top + 20, COLOURS[i]));
    TRY(buf_printf(out, "<text x=\"0\" y=\"%zu\">%.3f ms</text>", top + 20 + PLOT + 14, 1e3 * t.least));
    return buf_printf(out, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">%.3f ms</text>\n", WIDTH, top + 20 + PLOT + 14, 1e3 * t.most);
}

result probe_svg(const struct probe_run *r, const struct probe_heading *h, struct buf *out)
{
    size_t height = 40 + r->series_count * PANEL;
    TRY(buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 -4 %d %zu\" font-family=\"sans-serif\" font-size=\"12\">\n",
        WIDTH + 20, height));
    TRY(buf_append(out, SPAN("<text x=\"0\" y=\"14\" font-weight=\"bold\">")));
    TRY(escape(out, h->what));
    TRY(buf_append(out, SPAN("</text>\n<text x=\"0\" y=\"30\"><tspan fill=\"#1f77b4\">absent</tspan> <tspan fill=\"#d62728\">withheld</tspan></text>\n")));
    for (size_t i = 0; i < r->series_count; i++) {
        if (r->series[i].n > 0) TRY(panel(out, r, &r->series[i], 40 + i * PANEL));
    }
    return buf_append(out, SPAN("</svg>\n"));
}
