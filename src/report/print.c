/* Text, CSV and JSON of a report. */
#include "report/print.h"

void report_print(const struct report *r, enum report_format format, FILE *to)
{
    switch (format) {
    case REPORT_AS_PLAIN: print_plain(r, to); return;
    case REPORT_AS_CSV: print_csv(r, to); return;
    case REPORT_AS_JSON: print_json(r, to); return;
    case REPORT_AS_HTML: print_html(r, to); return;
    }
}

span cell_text(const struct report_table *t, size_t column, const struct report_cell *c, char scratch[24])
{
    if (t->columns[column].kind == REPORT_TEXT) return c->text;
    return span_of(scratch, (size_t)snprintf(scratch, 24, "%llu", (unsigned long long)c->number));
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

#define WIDTH_MAX 72u

static void measure(const struct report_table *t, size_t widths[REPORT_COLUMNS_MAX])
{
    char scratch[24];
    ASSERT(t->column_count > 0);
    for (size_t k = 0; k < t->column_count; k++) widths[k] = count_characters(span_str(t->columns[k].heading));
    for (size_t i = 0; i < t->count; i++) {
        size_t k = i % t->column_count, n = count_characters(cell_text(t, k, &t->cells[i], scratch));
        if (n > widths[k]) widths[k] = n > WIDTH_MAX ? WIDTH_MAX : n;
    }
}

static void print_padded(FILE *to, span s, size_t width, bool right, bool last)
{
    size_t n = count_characters(s);
    for (; right && n < width; width--) fputc(' ', to);
    write_plain(to, s);
    for (; !right && !last && n < width; n++) fputc(' ', to);
    fputs(last ? "\n" : "  ", to);
}

static void print_table(const struct report_table *t, FILE *to)
{
    size_t widths[REPORT_COLUMNS_MAX];
    char scratch[24];
    ASSERT(t->column_count > 0);
    fprintf(to, "\n%s\n", t->title);
    if (t->note) fprintf(to, "%s\n", t->note);
    fputc('\n', to);
    measure(t, widths);
    for (size_t k = 0; k < t->column_count; k++)
        print_padded(to, span_str(t->columns[k].heading), widths[k], t->columns[k].kind == REPORT_NUMBER, k + 1 == t->column_count);
    for (size_t i = 0; i < t->count; i++) {
        size_t k = i % t->column_count;
        span s = cell_text(t, k, &t->cells[i], scratch);
        print_padded(to, s.len > 0 ? s : SPAN("-"), widths[k], t->columns[k].kind == REPORT_NUMBER, k + 1 == t->column_count);
    }
    if (t->count == 0) fputs("none\n", to);
}

void print_plain(const struct report *r, FILE *to)
{
    fprintf(to, "%s\n\n", r->title);
    for (const struct report_fact *f = r->facts; f; f = f->next) {
        fprintf(to, "%-22s ", f->name);
        write_plain(to, f->text);
        fputc('\n', to);
    }
    for (const struct report_table *t = r->tables; t; t = t->next) print_table(t, to);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

/* Of which ledger and time it is, and what could not be listed: a list without that would be taken for all there is. */
static void print_csv_facts(const struct report *r, FILE *to)
{
    fputs("\"table\",\"fact\",\"text\"\r\n", to);
    for (const struct report_fact *f = r->facts; f; f = f->next) {
        fputs("\"facts\",", to);
        write_csv(to, span_str(f->name));
        fputc(',', to);
        write_csv(to, f->text);
        fputs("\r\n", to);
    }
}

/* Tables of different columns follow each other with heads of their own; the first field says which table it is. */
//= RFC4180 2
void print_csv(const struct report *r, FILE *to)
{
    char scratch[24];
    const struct report_column *columns = NULL;
    print_csv_facts(r, to);
    for (const struct report_table *t = r->tables; t; t = t->next) {
        ASSERT(t->columns != NULL && t->column_count > 0);
        if (t->columns != columns) fputs("\"table\"", to);
        for (size_t k = 0; t->columns != columns && k < t->column_count; k++) fprintf(to, ",\"%s\"", t->columns[k].id);
        if (t->columns != columns) fputs("\r\n", to);
        columns = t->columns;
        for (size_t i = 0; i < t->count; i++) {
            size_t k = i % t->column_count;
            if (k == 0) fprintf(to, "\"%s\"", t->id);
            fputc(',', to);
            if (t->columns[k].kind == REPORT_NUMBER) write_span(to, cell_text(t, k, &t->cells[i], scratch));
            else write_csv(to, t->cells[i].text);
            if (k + 1 == t->column_count) fputs("\r\n", to);
        }
    }
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void print_json_table(const struct report_table *t, FILE *to)
{
    char scratch[24];
    fprintf(to, "\"%s\":[", t->id);
    for (size_t i = 0; i < t->count; i++) {
        size_t k = i % t->column_count;
        fprintf(to, "%s\"%s\":", k > 0 ? "," : i > 0 ? ",{" : "{", t->columns[k].id);
        if (t->columns[k].kind == REPORT_NUMBER) write_span(to, cell_text(t, k, &t->cells[i], scratch));
        else write_json(to, t->cells[i].text);
        if (k + 1 == t->column_count) fputc('}', to);
    }
    fputc(']', to);
}

void print_json(const struct report *r, FILE *to)
{
    fprintf(to, "{\"format\":1,\"report\":\"%s\",\"facts\":{", r->id);
    for (const struct report_fact *f = r->facts; f; f = f->next) {
        write_json(to, span_str(f->name));
        fputc(':', to);
        write_json(to, f->text);
        if (f->next) fputc(',', to);
    }
    fputs("},\"tables\":{", to);
    for (const struct report_table *t = r->tables; t; t = t->next) {
        print_json_table(t, to);
        if (t->next) fputc(',', to);
    }
    fputs("}}\n", to);
}
