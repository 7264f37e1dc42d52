/* The JSON reader against Jansson: what it accepts, and every event against a walk over Jansson's tree; random bodies,
 * whole and damaged; every level of hardware and random cuts. */
#include "read_all.h"

#include <errno.h>
#include <jansson.h>

static uint64_t seed = 20260117;
static uint32_t roll(uint32_t sides)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

/* ---- random bodies --------------------------------------------------------------------------------------------- */

struct text {
    char bytes[1 << 16];
    size_t len;
};

static void put(struct text *t, const char *s)
{
    size_t len = strlen(s);
    if (t->len + len > sizeof t->bytes) return;
    memcpy(t->bytes + t->len, s, len);
    t->len += len;
}

static void put_space(struct text *t)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n", "\t", "\r\n", "  \n    ", "                   "};
    put(t, spaces[roll(ARRAY_LEN(spaces))]);
}

static void put_string(struct text *t)
{
    static const char *const parts[] = {"a", "Maria", "A012-345-678", "\\n", "\\\"", "\\\\", "\\u00e9",
        "\\ud83d\\ude00", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "%20", "@", "m@x.org", "123456", "0", " ", "\x7f", "/", "{",
        "}", "[1,2]", ":", "\\/", "\\u0041",
        "a long run of plain text that goes on and on beyond any block of sixty-four bytes", "\\\\\\\\", "\\\\\\\"",
        ",", "'", "\\b\\f\\r\\t", "\\u0000"};
    put(t, "\"");
    for (uint32_t n = roll(6); n > 0; n--)
        put(t, parts[roll(ARRAY_LEN(parts))]);
    put(t, "\"");
}

static void put_scalar(struct text *t)
{
    static const char *const scalars[] = {"0", "-0", "1", "12", "-12.5", "1e3", "1E-3", "0.25e+2", "123456789", "true",
        "false", "null", "12345678.0", "1.2345678e7", "9007199254740991"};
    put(t, scalars[roll(ARRAY_LEN(scalars))]);
}

static void put_value(struct text *t, int depth);

static void put_container(struct text *t, int depth, bool object)
{
    static const char *const names[] = {"id", "name", "aNumber", "dateOfBirth", "a", "", "\\u0061", "caf\xC3\xA9"};
    put(t, object ? "{" : "[");
    for (uint32_t n = roll(7), i = 0; i < n; i++) {
        char name[64];
        put_space(t);
        if (i > 0) put(t, ",");
        put_space(t);
        if (object) {
            snprintf(name, sizeof name, roll(12) ? "\"%s%u\"" : "\"%s\"", names[roll(ARRAY_LEN(names))], i);
            put(t, name);
            put_space(t);
            put(t, ":");
            put_space(t);
        }
        put_value(t, depth - 1);
    }
    put_space(t);
    put(t, object ? "}" : "]");
}

static void put_value(struct text *t, int depth)
{
    uint32_t kind = roll(depth > 0 ? 6 : 3);
    if (kind == 0)
        put_scalar(t);
    else if (kind < 3)
        put_string(t);
    else
        put_container(t, depth, kind > 3);
}

/* Damages what stands behind `from`. */
static void damage(struct text *t, size_t from)
{
    static const uint8_t bytes[] = "\"\\{}[]:,0eE.-+ \n\x01\x80\xC3\xFF\xED\xA0utnf\x1F\xF4\x90";
    for (uint32_t n = 1 + roll(3); n > 0 && t->len > from; n--) {
        size_t at = from + roll((uint32_t)(t->len - from));
        switch (roll(4)) {
        case 0: t->bytes[at] = (char)bytes[roll(sizeof bytes - 1)]; break;
        case 1: t->bytes[at] = (char)(t->bytes[at] ^ (1 << roll(8))); break;
        case 2: memmove(t->bytes + at, t->bytes + at + 1, --t->len - at); break;
        default: t->len = roll(8) ? t->len : at;
        }
    }
}

/* ---- the walk over Jansson's tree ------------------------------------------------------------------------------ */

struct walk {
    span body;
    const struct reading *all;
    size_t next;
    struct doc_reader *reader;
};

static const struct doc_event *take(struct walk *w, enum doc_event_kind kind)
{
    assert_true(w->next < w->all->count);
    const struct doc_event *e = &w->all->events[w->next++];
    assert_int_equal(e->kind, kind);
    assert_true(e->at + e->len <= w->body.len);
    return e;
}

/* The flags, counted byte by byte. */
static void check_flags(span raw, uint8_t flags, bool number)
{
    size_t digits = 0;
    uint8_t expected = raw.len >= 12 ? DOC_LONG : 0;
    for (size_t i = 0; i < raw.len; i++) {
        digits += raw.ptr[i] >= '0' && raw.ptr[i] <= '9';
        if (raw.ptr[i] == '\\') expected |= DOC_ESCAPED;
        if (raw.ptr[i] >= 0x80) expected |= DOC_NON_ASCII;
        if (raw.ptr[i] == '%' || raw.ptr[i] == '&' || raw.ptr[i] == '@' || raw.ptr[i] == '=') expected |= DOC_PERCENT;
    }
    if (digits >= 6) expected |= DOC_DIGITS;
    if (number && digits == raw.len) expected |= DOC_PLAIN;
    if (number && (memchr(raw.ptr, 'e', raw.len) || memchr(raw.ptr, 'E', raw.len))) expected |= DOC_EXPONENT;
    assert_int_equal(flags, expected);
}

static void check_text(struct walk *w, const struct doc_event *e, const char *text, size_t len)
{
    span raw = span_sub(w->body, e->at, e->len);
    uint8_t *decoded = malloc(raw.len + 1);
    size_t got = doc_decode_string(raw, decoded);
    assert_int_equal(got, len);
    assert_memory_equal(decoded, text, len);
    assert_int_equal(w->body.ptr[e->at - 1], '"');
    assert_int_equal(w->body.ptr[e->at + e->len], '"');
    check_flags(raw, e->flags, false);
    free(decoded);
}

static void check_number(struct walk *w, const json_t *value)
{
    const struct doc_event *e = take(w, DOC_NUMBER);
    char lexeme[128] = "";
    assert_true(e->len < sizeof lexeme);
    memcpy(lexeme, w->body.ptr + e->at, e->len);
    char *end;
    double number = strtod(lexeme, &end);
    assert_ptr_equal(end, lexeme + e->len);
    assert_true(number == json_number_value(value));
    check_flags(span_str(lexeme), e->flags, true);
}

static void check_value(struct walk *w, json_t *value);

static void check_object(struct walk *w, json_t *object)
{
    const char *key;
    json_t *member;
    take(w, DOC_OBJECT_BEGIN);
    json_object_foreach(object, key, member)
    {
        const struct doc_event *e = take(w, DOC_NAME);
        check_text(w, e, key, strlen(key));
        if (e->name != DOC_NAME_NONE) {
            span name = doc_reader_name(w->reader, e->name);
            assert_int_equal(name.len, strlen(key));
            assert_memory_equal(name.ptr, key, name.len);
        }
        check_value(w, member);
    }
    take(w, DOC_OBJECT_END);
}

static void check_array(struct walk *w, json_t *array)
{
    size_t i;
    json_t *element;
    take(w, DOC_ARRAY_BEGIN);
    json_array_foreach(array, i, element) check_value(w, element);
    take(w, DOC_ARRAY_END);
}

static void check_value(struct walk *w, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: check_object(w, value); break;
    case JSON_ARRAY: check_array(w, value); break;
    case JSON_STRING: check_text(w, take(w, DOC_STRING), json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER:
    case JSON_REAL: check_number(w, value); break;
    case JSON_TRUE: take(w, DOC_TRUE); break;
    case JSON_FALSE: take(w, DOC_FALSE); break;
    case JSON_NULL: take(w, DOC_NULL); break;
    }
}

/* ---- the comparison -------------------------------------------------------------------------------------------- */

struct tally {
    size_t accepted, refused;
};

/* Jansson swallows a raw NUL behind a number; no JSON text holds one. */
static json_t *load(span body, size_t flags, json_error_t *error)
{
    *error = (json_error_t){.text = "a raw NUL"};
    if (body.len > 0 && memchr(body.ptr, 0, body.len)) return NULL;
    return json_loadb((const char *)body.ptr, body.len, flags | JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

static void judge(struct levels *l, span body, struct tally *tally)
{
    json_error_t error;
    json_t *tree = load(body, JSON_REJECT_DUPLICATES, &error);
    struct reading whole = read_body(l->readers[0], DOC_JSON, 256, body, WHOLE);
    bool overflow = !tree && json_error_code(&error) == json_error_numeric_overflow;
    if (!overflow && (tree != NULL) != is_clean(&whole)) {
        fprintf(stderr, "jansson: %s; body %.*s\n", tree ? "accepts" : error.text, SPAN_FMT(body));
        print_reading(&whole);
        fail();
    }
    if (tree) {
        struct walk w = {body, &whole, 0, l->readers[0]};
        check_value(&w, tree);
        assert_int_equal(w.next, whole.count);
        json_decref(tree);
        tally->accepted++;
    } else {
        tally->refused++;
    }
    for (size_t i = 0; i < l->count; i++) {
        struct feeding f = {roll((uint32_t)body.len + 1), roll(2) ? 0 : 1 + roll(200), 1 + roll(40), roll(2)};
        struct reading other = read_body(l->readers[i], DOC_JSON, 256, body, f);
        assert_same(body, &whole, &other, "level", i);
        free(other.events);
    }
    free(whole.events);
}

static void bodies_read_as_jansson_reads_them(void **state)
{
    (void)state;
    static struct text t;
    struct levels l = open_levels();
    struct tally tally = {0, 0};
    for (int i = 0; i < 12000; i++) {
        t.len = 0;
        put_space(&t);
        put_value(&t, 1 + (int)roll(5));
        put_space(&t);
        judge(&l, span_of(t.bytes, t.len), &tally);
        for (int k = 0; k < 3; k++) {
            damage(&t, 0);
            judge(&l, span_of(t.bytes, t.len), &tally);
        }
    }
    close_levels(&l);
    assert_true(tally.accepted > 12000 && tally.refused > 12000);
}

/* Lines: each for itself as Jansson reads it, whatever its neighbours are. */
static void lines_read_as_jansson_reads_each(void **state)
{
    (void)state;
    static struct text t;
    struct levels l = open_levels();
    for (int i = 0; i < 4000; i++) {
        size_t lines = 0, good = 0;
        t.len = 0;
        for (uint32_t n = roll(8); n > 0; n--) {
            size_t from = t.len;
            put_value(&t, (int)roll(4));
            if (roll(3) == 0) damage(&t, from);
            /* line feeds as white space would make several lines of it */
            for (size_t k = from; k < t.len; k++)
                if (t.bytes[k] == '\n') t.bytes[k] = ' ';
            bool blank = true;
            for (size_t k = from; k < t.len; k++)
                blank &= strchr(" \t\r", t.bytes[k]) != NULL && t.bytes[k] != 0;
            json_error_t error;
            json_t *tree = load(span_of(t.bytes + from, t.len - from), 0, &error);
            bool damaged_text = !tree && (json_error_code(&error) == json_error_invalid_utf8 ||
                                             json_error_code(&error) == json_error_null_byte_in_key ||
                                             json_error_code(&error) == json_error_numeric_overflow ||
                                             strstr(error.text, "Unicode") || strstr(error.text, "surrogate"));
            if (damaged_text) {
                t.len = from;
                continue;
            }
            lines += !blank;
            good += tree != NULL;
            json_decref(tree);
            put(&t, roll(2) ? "\n" : "\r\n");
            if (roll(5) == 0) put(&t, "  \n");
        }
        span body = span_of(t.bytes, t.len);
        struct reading whole = read_body(l.readers[0], DOC_NDJSON, 256, body, WHOLE);
        size_t begun = 0, ended = 0;
        for (size_t k = 0; k < whole.count; k++) {
            begun += whole.events[k].kind == DOC_LINE_BEGIN;
            ended += whole.events[k].kind == DOC_LINE_END;
        }
        if (begun != lines || count_flaws(&whole, DOC_FLAW_LINE) != lines - good) {
            fprintf(stderr, "%zu lines, %zu good: %.*s\n", lines, good, SPAN_FMT(body));
            print_reading(&whole);
            fail();
        }
        assert_int_equal(whole.status, DOC_COMPLETE);
        assert_int_equal(ended, lines);
        for (size_t level = 0; level < l.count; level++) {
            struct feeding f = {roll((uint32_t)body.len + 1), roll(2) ? 0 : 1 + roll(200), 1 + roll(40), roll(2)};
            struct reading other = read_body(l.readers[level], DOC_NDJSON, 256, body, f);
            assert_same(body, &whole, &other, "level", level);
            free(other.events);
        }
        free(whole.events);
    }
    close_levels(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_read_as_jansson_reads_them),
        cmocka_unit_test(lines_read_as_jansson_reads_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
