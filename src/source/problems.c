#include "source/report.h"
#include <stdlib.h>

#define PROBLEMS_MAGIC 0x50524f42u
#define TEXT_CAP ((size_t)64 * 1024)
#define PART_MAX ((size_t)16 * 1024)  /* bytes of a message, and of a pointer: what is longer is cut, for a problem must be told */
#define FORMAT_CAP ((size_t)64 << 20) /* a message may quote what a file holds */
/* A file of one line must not fill the terminal. */
#define CODE_BEFORE 100
#define CODE_LEN 140

struct problem {
    size_t file_order;
    unsigned line, column;
    bool warning;
    char *file, *pointer, *message, *text;
    char *code;         /* the part of the source line that is shown */
    size_t marker_from; /* bytes of code before the marked character */
};

struct problems {
    uint32_t magic;
    size_t errors, warnings;
    size_t count, room;
    struct problem *items;
};

struct problems *problems_new(void)
{
    struct problems *p = mem_alloc(sizeof *p);
    if (p) p->magic = PROBLEMS_MAGIC;
    return p;
}

static void free_problem(struct problem *i)
{
    mem_free(i->file);
    mem_free(i->pointer);
    mem_free(i->message);
    mem_free(i->text);
    mem_free(i->code);
}

void problems_free(struct problems *p)
{
    if (!p) return;
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    for (size_t i = 0; i < p->count; i++)
        free_problem(&p->items[i]);
    mem_free(p->items);
    p->magic = 0;
    mem_free(p);
}

size_t problems_errors(const struct problems *p)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    return p->errors;
}

size_t problems_warnings(const struct problems *p)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    return p->warnings;
}

size_t problems_count(const struct problems *p)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    return p->count;
}

const char *problems_text(const struct problems *p, size_t i)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    ASSERT(i < p->count);
    return p->items[i].text;
}

bool problems_is_warning(const struct problems *p, size_t i)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    ASSERT(i < p->count);
    return p->items[i].warning;
}

/* C0, DEL, and C1 in its UTF-8 form: a terminal would obey them. */
static void clean_text(char *s)
{
    for (uint8_t *c = (uint8_t *)s; *c; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7F) *c = '?';
        if (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) c[0] = c[1] = '?';
    }
}

static char *take_text(struct buf *b)
{
    char *text = is_ok(buf_append(b, span_of("", 1))) ? mem_strdup((const char *)b->base + b->read) : NULL;
    buf_free(b);
    if (text) clean_text(text);
    return text;
}

/* Between characters, with a sign that more stood there. */
static void cut_text(char *s)
{
    static const char MORE[] = "\xe2\x80\xa6";
    size_t n = strlen(s) > PART_MAX ? PART_MAX : 0;
    if (n == 0) return;
    while (n > 0 && ((uint8_t)s[n] & 0xC0) == 0x80) n--;
    memcpy(s + n, MORE, sizeof MORE);
}

static char *format_text(const char *fmt, va_list args)
{
    struct buf b;
    buf_init(&b, FORMAT_CAP);
    char *text = is_ok(buf_vprintf(&b, fmt, args)) ? take_text(&b) : NULL;
    buf_free(&b);
    if (text) cut_text(text);
    return text;
}

static char *whole_text(const struct problem *i)
{
    struct buf b;
    buf_init(&b, TEXT_CAP);
    result r = buf_append(&b, span_str(i->file));
    if (is_ok(r) && i->line > 0) r = buf_printf(&b, ":%u:%u", i->line, i->column);
    if (is_ok(r) && i->pointer) r = buf_printf(&b, ": %s", i->pointer[0] ? i->pointer : "/");
    if (is_ok(r)) r = buf_printf(&b, ": %s%s", i->warning ? "warning: " : "", i->message);
    if (is_ok(r)) return take_text(&b);
    buf_free(&b);
    return NULL;
}

static bool is_boundary(span s, size_t i)
{
    return i >= s.len || (s.ptr[i] & 0xC0) != 0x80;
}

/* A window of the line around the marked character, cut between characters. */
static bool copy_code(struct problem *i, const struct report *r)
{
    size_t at = 0;
    for (unsigned c = 1; c < r->column && at < r->code.len; c++)
        do
            at++;
        while (!is_boundary(r->code, at));
    size_t from = at > CODE_BEFORE ? at - CODE_BEFORE : 0;
    while (!is_boundary(r->code, from))
        from++;
    size_t to = r->code.len - from > CODE_LEN ? from + CODE_LEN : r->code.len;
    while (!is_boundary(r->code, to))
        to--;
    i->code = mem_hook_alloc(to - from + 1);
    if (!i->code) return false;
    if (to > from) memcpy(i->code, r->code.ptr + from, to - from);
    i->code[to - from] = '\0';
    clean_text(i->code);
    i->marker_from = at - from;
    return true;
}

static bool fill_problem(struct problem *i, const struct report *r, const char *fmt, va_list args)
{
    *i = (struct problem){.line = r->line, .column = r->column, .warning = r->warning};
    i->file = mem_strdup(r->file);
    i->message = format_text(fmt, args);
    if (r->pointer) i->pointer = mem_strdup(r->pointer);
    if (i->pointer) cut_text(i->pointer);
    if (!i->file || !i->message || (r->pointer && !i->pointer) || !copy_code(i, r)) return false;
    i->text = whole_text(i);
    return i->text;
}

static bool make_room(struct problems *p)
{
    if (p->count < p->room) return true;
    size_t room = p->room ? p->room * 2 : 16;
    struct problem *items = mem_resize(p->items, room * sizeof *items);
    if (!items) return false;
    p->items = items;
    p->room = room;
    return true;
}

static size_t file_order(const struct problems *p, const char *file)
{
    size_t next = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->items[i].file, file) == 0) return p->items[i].file_order;
        if (p->items[i].file_order >= next) next = p->items[i].file_order + 1;
    }
    return next;
}

static bool stands_after(const struct problem *a, const struct problem *b)
{
    if (a->file_order != b->file_order) return a->file_order > b->file_order;
    if (a->line != b->line) return a->line > b->line;
    return a->column > b->column;
}

static void insert_problem(struct problems *p, struct problem *new)
{
    size_t at = p->count;
    while (at > 0 && stands_after(&p->items[at - 1], new))
        at--;
    memmove(&p->items[at + 1], &p->items[at], (p->count - at) * sizeof *new);
    p->items[at] = *new;
    p->count++;
}

void problems_report(struct problems *p, const struct report *r, const char *fmt, va_list args)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    if (r->warning)
        p->warnings++;
    else
        p->errors++;
    struct problem new;
    if (!fill_problem(&new, r, fmt, args) || !make_room(p)) {
        free_problem(&new);
        return;
    }
    new.file_order = file_order(p, r->file);
    insert_problem(p, &new);
}

void problems_say(struct problems *p, const struct report *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problems_report(p, r, fmt, args);
    va_end(args);
}

void problems_add(struct problems *p, const char *file, const char *fmt, ...)
{
    struct report r = {.file = file};
    va_list args;
    va_start(args, fmt);
    problems_report(p, &r, fmt, args);
    va_end(args);
}

void problems_at(
    struct problems *p, const char *file, unsigned line, unsigned column, bool warning, span code, const char *fmt, ...)
{
    struct report r = {.file = file, .line = line, .column = column, .warning = warning, .code = code};
    va_list args;
    va_start(args, fmt);
    problems_report(p, &r, fmt, args);
    va_end(args);
}

/* The marker stands under its character: one column a character, tabs as they are in the line above. */
static void print_marker(const struct problem *i, FILE *to, bool colour)
{
    fprintf(to, "      | ");
    for (size_t c = 0; c < i->marker_from && i->code[c]; c++) {
        uint8_t byte = (uint8_t)i->code[c];
        if ((byte & 0xC0) != 0x80) fputc(byte == '\t' ? '\t' : ' ', to);
    }
    fprintf(to, "%s^%s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "");
}

static void print_problem(const struct problem *i, FILE *to, bool context, bool colour)
{
    const char *start = !colour ? "" : i->warning ? "\033[33m" : "\033[1m";
    fprintf(to, "%s%s%s\n", start, i->text, colour ? "\033[0m" : "");
    if (!context || i->line == 0 || i->code[0] == '\0') return;
    fprintf(to, "%5u | %s\n", i->line, i->code);
    print_marker(i, to, colour);
}

void problems_print(const struct problems *p, FILE *to, bool context, bool colour)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    for (size_t i = 0; i < p->count; i++)
        print_problem(&p->items[i], to, context, colour);
    if (p->errors + p->warnings > p->count) fprintf(to, "more problems were found than memory could hold\n");
}

static RESULT json_problem(struct buf *b, const struct problem *i)
{
    TRY(buf_append(b, SPAN("{\"file\":")));
    TRY(json_quote(b, span_str(i->file)));
    if (i->line > 0)
        TRY(buf_printf(b, ",\"line\":%u,\"column\":%u", i->line, i->column));
    else
        TRY(buf_append(b, SPAN(",\"line\":null,\"column\":null")));
    TRY(buf_append(b, SPAN(",\"pointer\":")));
    if (i->pointer)
        TRY(json_quote(b, span_str(i->pointer)));
    else
        TRY(buf_append(b, SPAN("null")));
    TRY(buf_printf(b, ",\"severity\":\"%s\",\"message\":", i->warning ? "warning" : "error"));
    TRY(json_quote(b, span_str(i->message)));
    return buf_append(b, SPAN("}\n"));
}

void problems_print_json(const struct problems *p, FILE *to)
{
    MAGIC_CHECK(p, PROBLEMS_MAGIC);
    for (size_t i = 0; i < p->count; i++) {
        struct buf b;
        buf_init(&b, 8 * TEXT_CAP);
        if (is_ok(json_problem(&b, &p->items[i]))) fwrite(b.base, 1, buf_len(&b), to);
        buf_free(&b);
    }
}
