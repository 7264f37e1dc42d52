/* One page that needs nothing from elsewhere: no script, no font, no picture; light and dark, screen and paper. Whatever a
 * chart shows stands beneath it as a table. */
#include "report/print.h"

static const char HEAD[] =
    "<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n";

static const char STYLE[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--page:#ffffff;--card:#f6f8fa;--accent:#0b5394;\n"
    "--c0:#0072b2;--c1:#d55e00;--c2:#e69f00;--c3:#009e73;--c4:#56b4e9;--c5:#8c3f8f;--c6:#7f7f7f;--c7:#a63a50;--c8:#6b8e23}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--line:#30363d;--page:#0d1117;--card:#161b22;--accent:#79b8ff;\n"
    "--c0:#4ea3dd;--c1:#f0883e;--c2:#f2cc60;--c3:#3fb68b;--c4:#8fd3ff;--c5:#c58fd6;--c6:#a0a0a0;--c7:#e5788f;--c8:#a9c46c}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",Arial,sans-serif}\n"
    "main{max-width:68rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem}\n"
    "h2{font-size:1.2rem;margin:2.75rem 0 .25rem;padding-top:1rem;border-top:1px solid var(--line)}p{margin:.25rem 0 1rem;max-width:46rem}.note{color:var(--soft)}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:0 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem 1.25rem;margin:1.25rem 0}\n"
    ".facts div{padding:.35rem 0}.facts dt{color:var(--soft);font-size:.8rem}.facts dd{margin:0;overflow-wrap:anywhere}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}.k{white-space:nowrap}\n"
    "thead th{color:var(--soft);font-weight:600;font-size:.8rem;overflow-wrap:normal}th.n,td.n{text-align:right}tbody th{font-weight:600}\n"
    "figure{margin:1rem 0 1.25rem}svg{display:block;width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,\"Liberation Sans\",Arial,sans-serif}\n"
    "svg .soft{fill:var(--soft)}svg .axis{stroke:var(--line)}svg .track{fill:var(--card)}ul.key{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.5rem 0 0;font-size:.85rem}\n"
    "ul.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em;vertical-align:-.05em}\n"
    ".s0{fill:var(--c0);background:var(--c0)}.s1{fill:var(--c1);background:var(--c1)}.s2{fill:var(--c2);background:var(--c2)}.s3{fill:var(--c3);background:var(--c3)}.s4{fill:var(--c4);background:var(--c4)}\n"
    ".s5{fill:var(--c5);background:var(--c5)}.s6{fill:var(--c6);background:var(--c6)}.s7{fill:var(--c7);background:var(--c7)}.s8{fill:var(--c8);background:var(--c8)}\n"
    "footer{margin-top:3rem;color:var(--soft);font-size:.8rem}a{color:var(--accent)}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff}main{max-width:none;padding:0}h2{break-after:avoid}tr,figure{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
    "</style>\n";

static void print_facts(const struct report *r, FILE *to)
{
    fputs("<dl class=\"facts\">\n", to);
    for (const struct report_fact *f = r->facts; f; f = f->next) {
        fputs("<div><dt>", to);
        write_html(to, span_str(f->name));
        fputs("</dt><dd>", to);
        write_html(to, f->text);
        fputs("</dd></div>\n", to);
    }
    fputs("</dl>\n", to);
}

/* ---- charts ----------------------------------------------------------------------------------------------------- */

#define CHART_WIDTH 960u
#define LABEL_WIDTH 250u
#define VALUE_WIDTH 90u
#define BAR_PITCH 30u
#define BAR_HEIGHT 18u
#define CHART_ROWS 20u
#define SERIES_COLOURS 9u

static uint64_t row_value(const struct report_table *t, size_t row)
{
    const struct report_cell *cells = t->cells + row * t->column_count;
    uint64_t sum = 0;
    if (t->chart == REPORT_BARS) return cells[t->chart_column].number;
    for (size_t k = t->chart_column; k < t->column_count; k++) sum += cells[k].number;
    return sum;
}

static void print_label(span s, unsigned x, unsigned y, FILE *to)
{
    size_t max = 30;
    fprintf(to, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">", x, y);
    if (count_characters(s) > max) {
        size_t n = 0, i = 0;
        for (; i < s.len; i++)
            if ((s.ptr[i] & 0xc0) != 0x80 && n++ == max - 1) break;
        write_html(to, span_sub(s, 0, i));
        fputs("\xe2\x80\xa6", to);
    } else {
        write_html(to, s);
    }
    fputs("</text>\n", to);
}

static void print_segment(double x, unsigned y, double width, size_t series, const char *name, uint64_t value, FILE *to)
{
    fprintf(to, "<rect class=\"s%zu\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"><title>%s: %llu</title></rect>\n", series % SERIES_COLOURS,
        x, y, width, BAR_HEIGHT, name, (unsigned long long)value);
}

static void print_bar(const struct report_table *t, size_t row, uint64_t max, FILE *to)
{
    const struct report_cell *cells = t->cells + row * t->column_count;
    unsigned y = (unsigned)row * BAR_PITCH + 6, room = CHART_WIDTH - LABEL_WIDTH - VALUE_WIDTH;
    double x = LABEL_WIDTH, scale = max > 0 ? (double)room / (double)max : 0;
    char scratch[24];
    print_label(cell_text(t, 0, &cells[0], scratch), LABEL_WIDTH - 12, y + 14, to);
    fprintf(to, "<rect class=\"track\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>\n", LABEL_WIDTH, y, room, BAR_HEIGHT);
    size_t from = t->chart_column, end = t->chart == REPORT_BARS ? from + 1 : t->column_count;
    for (size_t k = from; k < end; k++) {
        double width = (double)cells[k].number * scale;
        if (cells[k].number > 0) print_segment(x, y, width > 1 ? width : 1, k - from, t->columns[k].heading, cells[k].number, to);
        x += width;
    }
    fprintf(to, "<text class=\"soft\" x=\"%.1f\" y=\"%u\">%llu</text>\n", x + 8, y + 14, (unsigned long long)row_value(t, row));
}

static bool has_series(const struct report_table *t, size_t column, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        if (t->cells[i * t->column_count + column].number > 0) return true;
    return false;
}

static void print_key(const struct report_table *t, size_t rows, FILE *to)
{
    if (t->chart != REPORT_STACKED) return;
    fputs("<ul class=\"key\" aria-hidden=\"true\">", to);
    for (size_t k = t->chart_column; k < t->column_count; k++)
        if (has_series(t, k, rows)) fprintf(to, "<li><i class=\"s%zu\"></i>%s</li>", (k - t->chart_column) % SERIES_COLOURS, t->columns[k].heading);
    fputs("</ul>\n", to);
}

static void print_chart(const struct report_table *t, FILE *to)
{
    size_t rows = report_rows(t) < CHART_ROWS ? report_rows(t) : CHART_ROWS;
    uint64_t max = 0;
    if (t->chart == REPORT_NO_CHART || rows == 0) return;
    for (size_t i = 0; i < rows; i++)
        if (row_value(t, i) > max) max = row_value(t, i);
    unsigned height = (unsigned)rows * BAR_PITCH + 6;
    fprintf(to, "<figure>\n<svg viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"%s: bars; the table below has the numbers\">\n", CHART_WIDTH, height, t->title);
    fprintf(to, "<line class=\"axis\" x1=\"%u\" y1=\"0\" x2=\"%u\" y2=\"%u\"/>\n", LABEL_WIDTH, LABEL_WIDTH, height);
    for (size_t i = 0; i < rows; i++) print_bar(t, i, max, to);
    fputs("</svg>\n", to);
    print_key(t, rows, to);
    if (rows < report_rows(t)) fprintf(to, "<figcaption class=\"note\">the first %zu of %zu</figcaption>\n", rows, report_rows(t));
    fputs("</figure>\n", to);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

#define BRIEF 24u /* characters that a line holds: such a text is not broken */

static void print_cell(const struct report_table *t, size_t column, const struct report_cell *c, FILE *to)
{
    char scratch[24];
    const char *tag = column == 0 ? "th scope=\"row\"" : "td", *end = column == 0 ? "th" : "td";
    span s = cell_text(t, column, c, scratch);
    bool number = t->columns[column].kind == REPORT_NUMBER, brief = count_characters(s) <= BRIEF;
    fprintf(to, "<%s%s>", tag, number ? " class=\"n\"" : brief ? " class=\"k\"" : "");
    write_html(to, s.len > 0 ? s : SPAN("\xe2\x80\x93"));
    fprintf(to, "</%s>", end);
}

static void print_table(const struct report_table *t, FILE *to)
{
    fprintf(to, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", t->id, t->id, t->title);
    if (t->note) {
        fputs("<p class=\"note\">", to);
        write_html(to, span_str(t->note));
        fputs("</p>\n", to);
    }
    print_chart(t, to);
    if (t->count == 0) {
        fputs("<p>None.</p>\n</section>\n", to);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n<thead><tr>", to);
    for (size_t k = 0; k < t->column_count; k++)
        fprintf(to, "<th scope=\"col\"%s>%s</th>", t->columns[k].kind == REPORT_NUMBER ? " class=\"n\"" : "", t->columns[k].heading);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (size_t i = 0; i < t->count; i++) {
        size_t k = i % t->column_count;
        if (k == 0) fputs("<tr>", to);
        print_cell(t, k, &t->cells[i], to);
        if (k + 1 == t->column_count) fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n</section>\n", to);
}

void print_html(const struct report *r, FILE *to)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n", to);
    fputs(HEAD, to);
    fprintf(to, "<title>%s</title>\n", r->title);
    fputs(STYLE, to);
    fprintf(to, "</head>\n<body>\n<main>\n<h1>%s</h1>\n", r->title);
    print_facts(r, to);
    for (const struct report_table *t = r->tables; t; t = t->next) print_table(t, to);
    fputs("<footer>Made by gate1367 " GATE1367_VERSION " of the ledger's entries alone. gate1367 log verify proves that the ledger is "
          "whole.</footer>\n</main>\n</body>\n</html>\n", to);
}
