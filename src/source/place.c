#include "source/report.h"

#define CUT "/\xE2\x80\xA6"
#define CUT_LEN (sizeof CUT - 1)

struct place place_root(struct source *s)
{
    return (struct place){.source = s};
}

static bool is_cut(const struct place *p)
{
    return p->len >= CUT_LEN && memcmp(p->pointer + p->len - CUT_LEN, CUT, CUT_LEN) == 0;
}

static bool put(struct place *p, const char *bytes, size_t len)
{
    if (sizeof p->pointer - 1 - CUT_LEN - p->len < len) return false; /* room for the cut always remains */
    memcpy(p->pointer + p->len, bytes, len);
    p->len = (uint16_t)(p->len + len);
    p->pointer[p->len] = '\0';
    return true;
}

//= RFC6901 3
static bool put_token(struct place *p, const char *name)
{
    bool fits = put(p, "/", 1);
    for (; fits && *name; name++)
        fits = *name == '~' ? put(p, "~0", 2) : *name == '/' ? put(p, "~1", 2) : put(p, name, 1);
    return fits;
}

struct place place_member(const struct place *at, const char *name)
{
    struct place p = *at;
    if (is_cut(&p) || put_token(&p, name)) return p;
    p = *at;
    memcpy(p.pointer + p.len, CUT, CUT_LEN + 1);
    p.len = (uint16_t)(p.len + CUT_LEN);
    return p;
}

struct place place_item(const struct place *at, size_t index)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", index);
    return place_member(at, digits);
}

/* The place itself, or the nearest thing around it that is there: a missing member is reported at its object. */
static size_t nearest_offset(span text, const struct place *at, bool on_name)
{
    struct place near = *at;
    size_t offset = 0;
    while (!locate_pointer(text, near.pointer, on_name && near.len == at->len, &offset) && near.len > 0) {
        char *slash = strrchr(near.pointer, '/');
        near.len = slash ? (uint16_t)(slash - near.pointer) : 0;
        near.pointer[near.len] = '\0';
    }
    return offset;
}

static void report_place(const struct place *at, bool warning, bool on_name, const char *fmt, va_list args)
{
    struct report r = {.file = source_name(at->source), .pointer = at->pointer, .warning = warning};
    span text = source_text(at->source);
    r.line = source_first_line(at->source) + locate_line(text, nearest_offset(text, at, on_name), &r.column, &r.code);
    problems_report(source_problems(at->source), &r, fmt, args);
}

void place_error(const struct place *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report_place(at, false, false, fmt, args);
    va_end(args);
}

void place_warning(const struct place *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report_place(at, true, false, fmt, args);
    va_end(args);
}

/* At the member's name, for it is the name that is wrong. */
static PRINTF(2, 3) void name_error(const struct place *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report_place(at, false, true, fmt, args);
    va_end(args);
}

void place_not_yet(const struct place *at, const char *what)
{
    name_error(at, "%s is not built yet; remove it", what);
}

static const struct member_spec *find_spec(const struct member_spec *specs, const char *name)
{
    for (; specs->name; specs++)
        if (strcmp(specs->name, name) == 0) return specs;
    return NULL;
}

/* More names than any object of ours has. */
#define SPECS_MAX 64

static void list_names(const char *const *names, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (; *names && used < size; names++) {
        int n = snprintf(out + used, size - used, "%s\"%s\"", used ? ", " : "", *names);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void report_unknown(const struct place *at, const struct member_spec *specs, const char *name)
{
    const char *names[SPECS_MAX + 1] = {NULL};
    for (size_t i = 0; i < SPECS_MAX && specs[i].name; i++)
        names[i] = specs[i].name;
    struct place here = place_member(at, name);
    const char *meant = source_did_you_mean(name, names);
    char known[1024];
    list_names(names, known, sizeof known);
    if (meant)
        name_error(&here, "unknown member; did you mean \"%s\"?", meant);
    else if (known[0])
        name_error(&here, "unknown member; known here: %s", known);
    else
        name_error(&here, "unknown member; none is known here");
}

static bool check_present(const struct place *at, const json_t *v, const struct member_spec *specs)
{
    bool good = true;
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)v, name, member)
    {
        (void)member;
        if (strcmp(name, "$schema") == 0) continue;
        const struct member_spec *spec = find_spec(specs, name);
        if (spec && !spec->not_yet) continue;
        good = false;
        struct place here = place_member(at, name);
        char quoted[256];
        snprintf(quoted, sizeof quoted, "\"%s\"", name);
        if (spec)
            place_not_yet(&here, quoted);
        else
            report_unknown(at, specs, name);
    }
    return good;
}

bool place_check_members(const struct place *at, const json_t *v, const struct member_spec *specs)
{
    if (!place_expect(at, v, JSON_OBJECT)) return false;
    bool good = check_present(at, v, specs);
    for (; specs->name; specs++) {
        if (!specs->required || json_object_get(v, specs->name)) continue;
        place_error(at, "\"%s\" is missing; it is required", specs->name);
        good = false;
    }
    return good;
}
