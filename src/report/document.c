#include "report/report.h"
#include <errno.h>
#include <stdarg.h>

#define MEMORY_MAX ((size_t)4 << 30)

result report_init(struct report *r, const char *id, const char *title)
{
    *r = (struct report){.id = id, .title = title, .memory = arena_new(MEMORY_MAX)};
    r->facts_end = &r->facts;
    r->tables_end = &r->tables;
    return r->memory ? OK : FAIL(ERROR_LIMIT, ENOMEM);
}

void report_free(struct report *r)
{
    for (struct report_table *t = r->tables; t; t = t->next) mem_free(t->cells);
    if (r->memory) arena_free(r->memory);
    *r = (struct report){0};
}

void report_fact(struct report *r, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct report_fact *f = arena_alloc(r->memory, sizeof *f);
    r->failed = r->failed || !f || n < 0;
    if (r->failed) return;
    f->name = name;
    f->text = arena_copy(r->memory, span_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
    *r->facts_end = f;
    r->facts_end = &f->next;
}

struct report_table *report_table_add(
    struct report *r, const char *id, const char *title, const char *note, const struct report_column *columns, size_t count)
{
    ASSERT(count > 0 && count <= REPORT_COLUMNS_MAX);
    struct report_table *t = arena_alloc(r->memory, sizeof *t);
    r->failed = r->failed || !t;
    if (!t) return NULL;
    *t = (struct report_table){.id = id, .title = title, .note = note, .columns = columns, .column_count = count};
    *r->tables_end = t;
    r->tables_end = &t->next;
    return t;
}

static struct report_cell *next_cell(struct report *r, struct report_table *t)
{
    if (r->failed || !t) return NULL;
    if (t->count == t->room) {
        size_t room = t->room * 2 + 64;
        struct report_cell *more = mem_resize(t->cells, room * sizeof *more);
        r->failed = !more;
        if (!more) return NULL;
        t->cells = more;
        t->room = room;
    }
    return &t->cells[t->count++];
}

void report_text(struct report *r, struct report_table *t, span text)
{
    struct report_cell *c = next_cell(r, t);
    if (!c) return;
    *c = (struct report_cell){.text = arena_copy(r->memory, text.ptr ? text : SPAN(""))};
    r->failed = r->failed || !c->text.ptr;
}

void report_number(struct report *r, struct report_table *t, uint64_t number)
{
    struct report_cell *c = next_cell(r, t);
    if (c) *c = (struct report_cell){.number = number};
}
