/* Two looks held against each other, byte for byte, and the differences in words. */
#include "http/http.h"
#include "probe/probe.h"

#define AROUND 24     /* bytes shown on each side of a difference */
#define WORDS_MAX 240
#define FIELDS_MAX HTTP_FIELDS_MAX

static const char *const DIFFERENCES[] = {
#define X(id, name) [PROBE_DIFFERS_##id] = name,
    PROBE_DIFFERENCES(X)
#undef X
};
static const char *const ENDINGS[] = {
#define X(id, words) [PROBE_ENDS_##id] = words,
    PROBE_ENDINGS(X)
#undef X
};
static const char *const WAYS[] = {
#define X(id, name, text) [PROBE_##id] = name,
    PROBE_WAYS(X)
#undef X
};

const char *probe_difference_name(enum probe_difference_kind k) { return DIFFERENCES[k]; }
const char *probe_way_name(enum probe_way w) { return WAYS[w]; }

struct comparison {
    probe_note *note;
    void *ctx;
    char where[64];
};

/* Nothing that a terminal could take for its own. */
static void show(span s, char out[WORDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 1 < WORDS_MAX; i++) out[n++] = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7F ? (char)s.ptr[i] : '.';
    out[n] = '\0';
}

static void note(const struct comparison *c, enum probe_difference_kind kind, span absent, span withheld)
{
    char a[WORDS_MAX], b[WORDS_MAX];
    show(absent, a);
    show(withheld, b);
    c->note(c->ctx, kind, c->where, a, b);
}

/* ---- cursors -------------------------------------------------------------------------------------------------------
 * The gateway's own cursors of lists in pages are sealed anew each time: base64url of a version, a nonce and what is sealed, of
 * one length for one document. Where such a thing stands in both at one place, in one length, it may differ. */

#define CURSOR_MIN 108   /* of the smallest sealed address */
#define CURSOR_FIRST 'A' /* six bits of the version */

static bool is_base64url(uint8_t c) { return is_alnum(c) || c == '-' || c == '_'; }

/* The end of the cursor around `at` in s; `at` where there is none. */
static size_t cursor_end(span s, size_t at, size_t *begin)
{
    size_t end = at;
    *begin = at;
    while (*begin > 0 && is_base64url(s.ptr[*begin - 1])) (*begin)--;
    while (end < s.len && is_base64url(s.ptr[end])) end++;
    return end - *begin >= CURSOR_MIN && s.ptr[*begin] == CURSOR_FIRST ? end : at;
}

/* Where the two differ, cursors aside; the shorter one's length where that is all. */
static size_t first_difference(span a, span b)
{
    size_t at = 0, shorter = a.len < b.len ? a.len : b.len;
    for (;;) {
        size_t begins[2];
        while (at < shorter && a.ptr[at] == b.ptr[at]) at++;
        if (at == shorter) return at;
        size_t end = cursor_end(a, at, &begins[0]);
        if (end == at || end != cursor_end(b, at, &begins[1]) || begins[0] != begins[1]) return at;
        at = end;
    }
}

static bool same_text(span a, span b) { return a.len == b.len && first_difference(a, b) == a.len; }

/* ---- heads ------------------------------------------------------------------------------------------------------- */

struct field {
    span name, value, line;
};
struct head {
    span start;
    struct field fields[FIELDS_MAX];
    size_t count;
};

static span next_line(span *rest)
{
    size_t end = span_search(*rest, SPAN("\r\n"));
    span line = span_sub(*rest, 0, end);
    *rest = end < rest->len ? span_from(*rest, end + 2) : span_of(NULL, 0);
    return line;
}

static void split_head(span text, struct head *h)
{
    h->start = next_line(&text);
    h->count = 0;
    while (text.len > 0 && h->count < FIELDS_MAX) {
        span line = next_line(&text);
        if (line.len == 0) break;
        size_t colon = span_find(line, ':');
        span value = colon < line.len ? span_from(line, colon + 1) : span_of(NULL, 0);
        h->fields[h->count++] = (struct field){span_sub(line, 0, colon), span_trim(value), line};
    }
}

/* "Sun, 22 Nov 2026 04:45:33 GMT": digits and letters where they belong. */
//= RFC9110 5.6.7
static bool is_date(span s)
{
    static const char FORM[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    if (s.len != sizeof(FORM) - 1) return false;
    for (size_t i = 0; i < s.len; i++) {
        char f = FORM[i];
        bool good = f == '0' ? is_digit(s.ptr[i]) : f == 'A' || f == 'a' ? is_alpha(s.ptr[i]) : s.ptr[i] == (uint8_t)f;
        if (!good) return false;
    }
    return true;
}

static bool is_request_id(span s)
{
    if (s.len != 36) return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = is_digit(s.ptr[i]) || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f');
        if (dash ? s.ptr[i] != '-' : !hex) return false;
    }
    return true;
}

/* The two that differ by nature, in lines of one form. */
static bool may_differ(const struct field *a, const struct field *b)
{
    if (!span_equal(a->name, b->name) || a->line.len != b->line.len) return false;
    if (span_equal(a->name, SPAN("Date"))) return is_date(a->value) && is_date(b->value);
    return span_equal(a->name, SPAN("Request-Id")) && is_request_id(a->value) && is_request_id(b->value);
}

static const struct field *find_nth(const struct head *h, span name, size_t nth)
{
    for (size_t i = 0; i < h->count; i++) {
        if (span_equal(h->fields[i].name, name) && nth-- == 0) return &h->fields[i];
    }
    return NULL;
}

static size_t ordinal(const struct head *h, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < i; k++) n += span_equal(h->fields[k].name, h->fields[i].name);
    return n;
}

/* Fields of `a` that `b` has not, and values that differ; each difference once. True where there was one. */
static bool compare_fields(const struct comparison *c, const struct head *a, const struct head *b, bool swapped)
{
    bool any = false;
    for (size_t i = 0; i < a->count; i++) {
        const struct field *f = &a->fields[i], *other = find_nth(b, f->name, ordinal(a, i));
        span nothing = SPAN("-");
        if (other == NULL) note(c, PROBE_DIFFERS_FIELD, swapped ? nothing : f->line, swapped ? f->line : nothing);
        else if (!swapped && !same_text(f->value, other->value) && !may_differ(f, other)) note(c, PROBE_DIFFERS_VALUE, f->line, other->line);
        else continue;
        any = true;
    }
    return any;
}

static span names_of(const struct head *h, char out[WORDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++) {
        int more = snprintf(out + n, WORDS_MAX - n, "%s%.*s", i > 0 ? ", " : "", SPAN_FMT(h->fields[i].name));
        n = n + (size_t)more < WORDS_MAX ? n + (size_t)more : WORDS_MAX - 1;
    }
    return span_of(out, n);
}

static bool compare_order(const struct comparison *c, const struct head *a, const struct head *b)
{
    char x[WORDS_MAX], y[WORDS_MAX];
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) same = span_equal(a->fields[i].name, b->fields[i].name);
    if (!same) note(c, PROBE_DIFFERS_ORDER, names_of(a, x), names_of(b, y));
    return !same;
}

static bool same_but_for_nature(const struct head *a, const struct head *b)
{
    if (!span_equal(a->start, b->start) || a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!same_text(a->fields[i].line, b->fields[i].line) && !may_differ(&a->fields[i], &b->fields[i])) return false;
    }
    return true;
}

static void compare_heads(const struct comparison *c, span absent, span withheld)
{
    struct head a, b;
    split_head(absent, &a);
    split_head(withheld, &b);
    if (absent.len == withheld.len && same_but_for_nature(&a, &b)) return;
    bool told = !span_equal(a.start, b.start);
    if (told) note(c, PROBE_DIFFERS_STATUS, a.start, b.start);
    bool fields = compare_fields(c, &a, &b, false);
    fields = compare_fields(c, &b, &a, true) || fields;
    if (!fields && compare_order(c, &a, &b)) fields = true;
    if (!told && !fields) note(c, PROBE_DIFFERS_HEAD, absent, withheld);
}

/* ---- bodies, records, endings ------------------------------------------------------------------------------------ */

static span around(span s, size_t at)
{
    size_t from = at > AROUND ? at - AROUND : 0, to = at + AROUND < s.len ? at + AROUND : s.len;
    return from < to ? span_sub(s, from, to - from) : span_of(NULL, 0);
}

static void compare_bodies(const struct comparison *c, span a, span b)
{
    struct comparison here = *c;
    if (same_text(a, b)) return;
    size_t at = first_difference(a, b);
    snprintf(here.where, sizeof(here.where), "%.20s, byte %zu of %zu and %zu", c->where, at, a.len, b.len);
    note(&here, PROBE_DIFFERS_BODY, around(a, at), around(b, at));
}

static span sizes_of(const struct probe_sight *s, char out[WORDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s->record_count; i++) {
        int more = snprintf(out + n, WORDS_MAX - n, "%s%u", i > 0 ? " " : "", s->records[i]);
        n = n + (size_t)more < WORDS_MAX ? n + (size_t)more : WORDS_MAX - 1;
    }
    return span_of(out, n);
}

static void compare_records(const struct comparison *c, const struct probe_sight *a, const struct probe_sight *b)
{
    char x[WORDS_MAX], y[WORDS_MAX];
    bool same = a->record_count == b->record_count;
    for (size_t i = 0; same && i < a->record_count; i++) same = a->records[i] == b->records[i];
    if (!same) note(c, PROBE_DIFFERS_RECORDS, sizes_of(a, x), sizes_of(b, y));
}

/* Behind the last whole answer: what was cut, or came without being asked for. */
static span rest_of(const struct probe_sight *s)
{
    return span_from(s->raw, s->message_count > 0 ? s->messages[s->message_count - 1].end : 0);
}

static span part(const struct probe_sight *s, size_t from, size_t to) { return span_sub(s->raw, from, to - from); }

void probe_compare(const struct probe_sight *a, const struct probe_sight *b, probe_note *tell, void *ctx)
{
    struct comparison c = {.note = tell, .ctx = ctx};
    size_t n = a->message_count < b->message_count ? a->message_count : b->message_count;
    for (size_t i = 0; i < n; i++) {
        snprintf(c.where, sizeof(c.where), "%s", i == 0 ? "answer" : "next answer");
        compare_heads(&c, part(a, a->messages[i].head, a->messages[i].body), part(b, b->messages[i].head, b->messages[i].body));
        compare_bodies(&c, part(a, a->messages[i].body, a->messages[i].end), part(b, b->messages[i].body, b->messages[i].end));
    }
    snprintf(c.where, sizeof(c.where), "connection");
    if (a->message_count == b->message_count) compare_bodies(&c, rest_of(a), rest_of(b));
    compare_records(&c, a, b);
    if (a->ending != b->ending || a->message_count != b->message_count) {
        note(&c, PROBE_DIFFERS_ENDING, span_str(ENDINGS[a->ending]), span_str(ENDINGS[b->ending]));
    }
}
