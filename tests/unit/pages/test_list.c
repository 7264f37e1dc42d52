/* Where an origin's documents have their lists: against what Jansson reads at the same path, in documents with decoys. */
#include "pages/pages.h"
#include "support.h"

#include <jansson.h>

static uint64_t state_ = 88172645463325252u;
static uint64_t below(uint64_t n)
{
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_ % n;
}

static json_t *scalar(void)
{
    static const char *const texts[] = {"", "a", "],[", "\"}{", "items", "next\\", "\xc3\xa9\xe2\x82\xac", "\x01"};
    switch (below(5)) {
    case 0: return json_integer((json_int_t)below(1000));
    case 1: return json_null();
    case 2: return json_true();
    case 3: return json_real(1.5);
    }
    return json_string(texts[below(ARRAY_LEN(texts))]);
}

static const char *const names[] = {"items", "data", "next", "x", "", "a\"b", "items\xc3\xa9"};

static json_t *value(unsigned depth)
{
    if (depth == 0 || below(3) == 0) return scalar();
    bool list = below(2);
    json_t *v = list ? json_array() : json_object();
    for (uint64_t n = below(5); n > 0; n--) {
        if (list) json_array_append_new(v, value(depth - 1));
        else json_object_set_new(v, names[below(ARRAY_LEN(names))], value(depth - 1));
    }
    return v;
}

/* A document whose path leads to a list, or hardly. */
static json_t *document(const span *path, size_t count)
{
    if (count == 0) return below(8) ? value(3) : json_array();
    json_t *v = json_object();
    for (uint64_t n = below(4); n > 0; n--) json_object_set_new(v, names[below(ARRAY_LEN(names))], value(3));
    if (below(8)) json_object_set_new(v, (const char *)path[0].ptr, document(path + 1, count - 1));
    for (uint64_t n = below(3); n > 0; n--) {
        const char *name = names[below(ARRAY_LEN(names))];
        if (strcmp(name, (const char *)path[0].ptr) != 0) json_object_set_new(v, name, value(3));
    }
    return v;
}

static const json_t *at_path(const json_t *v, const span *path, size_t count)
{
    for (size_t i = 0; i < count && v; i++) v = json_object_get(v, (const char *)path[i].ptr);
    return v;
}

static void compare(const struct pages_list *l, const struct rules_pages *p, const json_t *v, span body)
{
    const json_t *list = at_path(v, p->items, p->items_count);
    assert_int_equal(l->found, json_is_array(list));
    if (!l->found) return;
    assert_int_equal(l->count, json_array_size(list));
    assert_true(body.ptr[l->open] == '[' && body.ptr[l->close] == ']');
    span inside = l->count > 0 ? span_sub(body, (size_t)l->first, (size_t)(l->last - l->first)) : span_of(NULL, 0);
    char text[65536];
    snprintf(text, sizeof(text), "[%.*s]", SPAN_FMT(inside));
    json_t *read = json_loads(text, 0, NULL);
    assert_true(json_equal(read, list));
    json_decref(read);
    if (l->count > 1) {
        span between = span_sub(body, (size_t)l->separator, (size_t)(l->separator_end - l->separator));
        for (size_t i = 0; i < between.len; i++) assert_non_null(strchr(", \n", between.ptr[i]));
        assert_true(span_find(between, ',') < between.len);
    }
    for (size_t i = 0; i < p->items_count; i++) assert_int_equal(body.ptr[l->ends[i]], i + 1 == p->items_count ? ']' : '}');
}

static void compare_next(const struct pages_list *l, const struct rules_pages *p, const json_t *v, span body)
{
    const json_t *next = at_path(v, p->next->names, p->next->count);
    bool leads = (json_is_string(next) && json_string_length(next) > 0) || json_is_number(next);
    assert_int_equal(l->has_next, leads);
    if (!json_is_string(next) || !leads) return;
    uint8_t text[1024];
    size_t n = doc_decode_string(span_sub(body, (size_t)l->next, (size_t)l->next_len), text);
    assert_true(span_equal(span_of(text, n), span_of(json_string_value(next), json_string_length(next))));
}

static void test_lists(void **state)
{
    (void)state;
    static const span paths[][3] = {{{(const uint8_t *)"items", 5}}, {{(const uint8_t *)"data", 4}, {(const uint8_t *)"items", 5}},
        {{(const uint8_t *)"x", 1}, {(const uint8_t *)"data", 4}, {(const uint8_t *)"items", 5}}};
    static const span leads[] = {{(const uint8_t *)"next", 4}, {(const uint8_t *)"x", 1}};
    struct doc_reader *r = doc_reader_new(cpu_level());
    for (int i = 0; i < 30000; i++) {
        size_t depth = below(4);
        struct rules_cursor next = {.names = leads + below(2), .count = 1};
        struct rules_pages p = {.items = depth ? paths[depth - 1] : NULL, .items_count = depth, .next = &next};
        json_t *v = document(p.items, depth);
        char *text = json_dumps(v, JSON_ENCODE_ANY | (below(2) ? JSON_INDENT(2) : JSON_COMPACT));
        struct pages_list l;
        assert_int_equal(pages_list_read(r, &p, 100, span_str(text), &l), DOC_OK);
        compare(&l, &p, v, span_str(text));
        compare_next(&l, &p, v, span_str(text));
        free(text);
        json_decref(v);
    }
    doc_reader_free(r);
}

static void test_relations(void **state)
{
    (void)state;
    static const struct {
        const char *body, *url;
    } cases[] = {
        {"{\"link\":[{\"relation\":\"self\",\"url\":\"a\"},{\"relation\":\"next\",\"url\":\"b\"}],\"entry\":[]}", "b"},
        {"{\"entry\":[], \"link\": [ {\"url\" : \"b\" , \"relation\" : \"next\"} , {\"relation\":\"next\",\"url\":\"c\"}]}", "b"},
        {"{\"link\":[{\"relation\":\"self\",\"url\":\"a\"}]}", NULL},
        {"{\"link\":[]}", NULL},
        {"{\"link\":{\"relation\":\"next\",\"url\":\"a\"}}", NULL},
        {"{\"link\":[{\"relation\":\"next\"},{\"url\":\"a\"}]}", NULL},
        {"{\"link\":[{\"x\":{\"relation\":\"next\",\"url\":\"a\"}},{\"relation\":\"next\",\"url\":\"\"}]}", NULL},
        {"{\"x\":{\"link\":[{\"relation\":\"next\",\"url\":\"a\"}]}}", NULL},
        {"{}", NULL},
    };
    static const span name = {(const uint8_t *)"link", 4}, items = {(const uint8_t *)"entry", 5};
    struct rules_cursor next = {.names = &name, .count = 1, .form = CURSOR_AS_RELATIONS};
    struct rules_pages p = {.items = &items, .items_count = 1, .next = &next};
    struct doc_reader *r = doc_reader_new(cpu_level());
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pages_list l;
        span body = span_str(cases[i].body);
        assert_int_equal(pages_list_read(r, &p, 100, body, &l), DOC_OK);
        assert_int_equal(l.has_next, cases[i].url != NULL);
        if (cases[i].url) assert_span(span_sub(body, (size_t)l.next, (size_t)l.next_len), cases[i].url);
    }
    doc_reader_free(r);
}

static void test_what_is_no_document(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum doc_malformed wrong;
    } cases[] = {{"", DOC_CUT_SHORT}, {"{\"items\":[", DOC_CUT_SHORT}, {"{\"items\":[1,]}", DOC_BAD_GRAMMAR}, {"[]]", DOC_TRAILING},
        {"[[[[[]]]]]", DOC_TOO_DEEP}, {"[\"\n\"]", DOC_CONTROL}};
    struct rules_pages p = {.items_count = 0};
    struct doc_reader *r = doc_reader_new(cpu_level());
    struct pages_list l;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) assert_int_equal(pages_list_read(r, &p, 3, span_str(cases[i].body), &l), cases[i].wrong);
    doc_reader_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists), cmocka_unit_test(test_relations), cmocka_unit_test(test_what_is_no_document)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
