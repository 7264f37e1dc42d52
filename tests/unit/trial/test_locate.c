/* Places to paths: documents are written together with the path of every value and name in them. */
#include "support.h"
#include "trial/trial.h"

static uint64_t seed = 88172645463325252ULL;

static unsigned roll(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

/* ---- documents with their paths --------------------------------------------------------------------------------- */

#define PLACES 4000

struct written {
    char text[200000], path[400];
    size_t len, places;
    bool one_line;
    uint64_t at[PLACES], hidden[PLACES];
    char *wanted[PLACES];
    size_t hidden_count;
};

static void put(struct written *w, const char *s)
{
    size_t n = strlen(s);
    memcpy(w->text + w->len, s, n + 1);
    w->len += n;
}

static void blank(struct written *w)
{
    static const char *const blanks[] = {"", "", " ", "\n\t"};
    put(w, blanks[roll(w->one_line ? 3 : 4)]);
}

static void note(struct written *w, uint64_t at)
{
    if (w->places == PLACES) return;
    w->at[w->places] = at;
    w->wanted[w->places++] = mem_strdup(w->path);
}

static void write_value(struct written *w, unsigned depth);

static void write_member(struct written *w, unsigned depth, unsigned i)
{
    static const struct {
        const char *text, *step;
    } names[] = {{"a", ".a"}, {"b_2", ".b_2"}, {"x y", "['x y']"}, {"", "['']"}, {"it's", "['it\\'s']"}, {"\\u0041", "['\\u0041']"}, {"9z", "['9z']"}};
    unsigned which = roll(ARRAY_LEN(names));
    size_t before = strlen(w->path);
    blank(w);
    put(w, "\"");
    uint64_t at = w->len;
    put(w, names[which].text);
    put(w, "\"");
    bool hidden = roll(9) == 0;
    if (hidden) w->hidden[w->hidden_count++] = at;
    if (hidden) snprintf(w->path + before, sizeof w->path - before, "[#%u]", i);
    else snprintf(w->path + before, sizeof w->path - before, "%s", names[which].step);
    note(w, at);
    blank(w);
    put(w, ":");
    blank(w);
    write_value(w, depth);
    w->path[before] = '\0';
}

static void write_container(struct written *w, unsigned depth, bool object)
{
    unsigned n = roll(5);
    size_t before = strlen(w->path);
    note(w, w->len);
    put(w, object ? "{" : "[");
    for (unsigned i = 0; i < n; i++) {
        if (i > 0) put(w, ",");
        if (object) {
            write_member(w, depth - 1, i);
            continue;
        }
        blank(w);
        snprintf(w->path + before, sizeof w->path - before, "[%u]", i);
        write_value(w, depth - 1);
        w->path[before] = '\0';
    }
    blank(w);
    put(w, object ? "}" : "]");
}

static void write_value(struct written *w, unsigned depth)
{
    static const char *const scalars[] = {"1", "-2.5e3", "true", "null", "false"};
    unsigned kind = roll(depth > 0 ? 4 : 2);
    if (kind > 1) {
        write_container(w, depth, kind == 2);
    } else if (kind == 1) {
        put(w, "\"");
        note(w, w->len);
        put(w, roll(2) ? "text, \\\"quoted\\\" {[" : "");
        put(w, "\"");
    } else {
        note(w, w->len);
        put(w, scalars[roll(ARRAY_LEN(scalars))]);
    }
}

static void check(struct written *w, enum doc_format format)
{
    struct trial_place places[PLACES];
    struct arena *a = arena_new((size_t)64 << 20);
    for (size_t i = 0; i < w->places; i++) places[i] = (struct trial_place){.at = w->at[w->places - 1 - i]};
    assert_true(trial_locate(span_of(w->text, w->len), format, w->hidden, w->hidden_count, places, w->places, a));
    for (size_t i = 0; i < w->places; i++) {
        if (strcmp(places[i].path, w->wanted[i])) fail_msg("%s at %llu: %s", w->wanted[i], (unsigned long long)w->at[i], places[i].path);
        mem_free(w->wanted[i]);
    }
    arena_free(a);
}

static void test_every_place_of_random_documents(void **state)
{
    (void)state;
    static struct written w;
    for (int i = 0; i < 300; i++) {
        w.len = w.places = w.hidden_count = 0;
        snprintf(w.path, sizeof w.path, "$");
        blank(&w);
        write_container(&w, 5, roll(2));
        check(&w, DOC_JSON);
    }
}

static void test_lines(void **state)
{
    (void)state;
    static struct written w = {.one_line = true};
    for (int i = 0; i < 50; i++) {
        w.len = w.places = w.hidden_count = 0;
        unsigned lines = roll(6);
        for (unsigned line = 1; line <= lines; line++) {
            snprintf(w.path, sizeof w.path, "line %u: $", line);
            write_container(&w, 3, roll(2));
            put(&w, "\n");
        }
        check(&w, DOC_NDJSON);
    }
}

#define TEN "xxxxxxxxxx"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "xxxxxxxxx" /* 119: one less than is shown */

/* Names come from whoever writes records: they are cut between characters, and drive nobody's terminal. */
static void test_names_are_shown_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
    } rows[] = {{"{\"\xC2\x9B" "31m\":1}", "$['?31m']"}, {"{\"\xC2\xA0\xC3\xA9\":1}", "$['\xC2\xA0\xC3\xA9']"},
        {"{\"\x7F\":1}", "$['?']"}, {"{\"" LONG "\xC3\xA9\":1}", "$['" LONG "\xC3\xA9']"},
        {"{\"" LONG "\xC3\xA9\xC3\xA9\":1}", "$['" LONG "\xC3\xA9…']"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct trial_place place = {.at = strlen(rows[i].text) - 2};
        struct arena *a = arena_new((size_t)1 << 20);
        assert_true(trial_locate(span_str(rows[i].text), DOC_JSON, NULL, 0, &place, 1, a));
        assert_string_equal(place.path, rows[i].path);
        arena_free(a);
    }
}

/* What lies nowhere, and a document that breaks off, are no reason to fall over. */
static void test_nowhere(void **state)
{
    (void)state;
    struct arena *a = arena_new((size_t)1 << 20);
    struct trial_place places[] = {{.at = 3}, {.at = 5}, {.at = 1000}};
    assert_true(trial_locate(SPAN("[1,22,{\"a"), DOC_JSON, NULL, 0, places, 3, a));
    assert_string_equal(places[0].path, "$[1]");
    assert_string_equal(places[2].path, "?");
    assert_true(trial_locate(SPAN(""), DOC_JSON, NULL, 0, places, 0, a));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_place_of_random_documents), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_names_are_shown_as_text), cmocka_unit_test(test_nowhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
