/* What a restricted recipient may ask, and where it stands: rules_query_read, rules_search_look.
 *
 *= 8USC1367 a(2) */
#include "rules/support.h"

static const char pack[] =
    "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"profiles\":[{\"id\":\"p\",\"title\":\"t\",\"documents\":["
    "{\"path\":\"/a\",\"units\":[\"$\",\"$.i[*]\",\"$.i[*].in[*]\"],\"uniform\":[\"$.i[*].u\"],\"query\":{"
    "\"c\":[\"$.i[*].n\"],\"e\":{\"paths\":[\"$.i[*].n\"],\"match\":\"equals\",\"repeated\":\"any\"},"
    "\"p\":{\"paths\":[\"$.i[*].n\"],\"match\":\"prefix\",\"empty\":\"any\"},\"w\":{\"paths\":[\"$.i[*].n\",\"$.i[*].in[*]\"],\"match\":\"words\"},"
    "\"in\":{\"paths\":[\"$.i[*].in[*]\"],\"unit\":\"$.i[*].in[*]\"},\"d\":[\"$.d\"],\"s\":{\"sorts\":{\"n\":\"$.i[*].n\",\"n.m\":\"$.i[*].m\"}},"
    "\"x\":\"any\"}},{\"path\":\"/b\",\"units\":[\"$.i[*]\"],\"only\":{\"$.i[*].s\":[200,\"ok\",true]}}]}]}";

struct asked {
    struct loaded l;
    const struct rules_document *d;
    struct arena *a;
    const struct rules_search *q;
};

static struct asked begin(const char *path)
{
    struct asked k = {.l = load_text(pack), .a = arena_new(1 << 20)};
    assert_non_null(k.l.set);
    k.d = rules_find_document(rules_find_profile(k.l.set, SPAN("p")), span_str(path));
    assert_non_null(k.d);
    return k;
}

static void end(struct asked *k)
{
    arena_free(k->a);
    loaded_free(&k->l);
}

static bool ask(struct asked *k, const char *query)
{
    arena_reset(k->a);
    return rules_query_read(k->d, span_str(query), k->a, &k->q) == RULES_QUERY_ALLOWED;
}

static void what_may_be_asked(void **state)
{
    static const char *const yes[] = {"", "x", "x=%zz", "c=a", "c=%41+b", "c=a&c=b", "e=1", "p=", "p", "s=n", "s=-n,n.m", "s=n%20ASC", "s=n:desc",
        "s=n.m.asc", "s=+n", "%63=a", "c=%c3%a9", "w=a+b", "c=a%00"};
    static const char *const no[] = {"c", "c=", "c=+", "c=%2a%25", "c=%zz", "c=%4", "c=%ff", "c=%c3", "p=%20", "w=-", "s", "s=", "s=u", "s=n,", "s=nm",
        "s=n%20up", "s=--n", "s=n;x", "y=1", "c=a&", "c=a&&e=b", "C=a"};
    struct asked k = begin("/a");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!ask(&k, yes[i])) fail_msg("refused: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (ask(&k, no[i])) fail_msg("allowed: %s", no[i]);
    assert_true(ask(&k, "x=1&s=n&p=") && k.q == NULL); /* nothing to look for */
    end(&k);
}

static void too_much_is_refused(void **state)
{
    char query[512] = "w=a";
    struct asked k = begin("/a");
    (void)state;
    for (size_t i = 1; i < 64; i++) strcat(query, "+a");
    assert_true(ask(&k, query));
    strcat(query, "+a");
    assert_false(ask(&k, query));
    struct arena *small = arena_new(64);
    assert_int_equal(rules_query_read(k.d, SPAN("c=a"), small, &k.q), RULES_QUERY_NO_MEMORY);
    arena_free(small);
    end(&k);
}

/* The state of $.i[*].n, or $.i[*].in[*]. */
static path_state place(const struct asked *k, bool inner)
{
    path_state s = path_member(k->d, path_root(k->d), path_symbol_of(k->d, SPAN("i")));
    s = path_member(k->d, path_element(k->d, s, 3), path_symbol_of(k->d, inner ? SPAN("in") : SPAN("n")));
    return inner ? path_element(k->d, s, 0) : s;
}

static bool holds(struct asked *k, const char *query, const char *text)
{
    uint8_t room[256];
    assert_true(ask(k, query));
    uint64_t found = rules_search_look(k->q, place(k, false), span_str(text), room);
    for (size_t c = 0; c < rules_search_conditions(k->q); c++)
        if (!rules_search_holds(k->q, c, found)) return false;
    return true;
}

static void where_it_stands(void **state)
{
    static const struct {
        const char *query, *text;
        bool stands;
    } cases[] = {{"c=arc", "Garc\u00eda", true}, {"c=GARCIA", "Garc\u00eda L\u00f3pez", true}, {"c=garcialopez", "Garc\u00eda-L\u00f3pez", true},
        {"c=x", "Garc\u00eda", false}, {"c=obrien", "O\u2019Brien", true}, {"c=123456789", "123-45-6789", true}, {"c=1&c=2", "12", true},
        {"c=1&c=2", "1", false}, {"e=garc%c3%ada", "GARCIA", true}, {"e=garc", "GARCIA", false}, {"e=a&e=b", "b", true}, {"e=a&e=b", "c", false},
        {"p=gar", "Garc\u00eda", true}, {"p=arc", "Garc\u00eda", false}, {"w=lop+gar", "Garc\u00eda L\u00f3pez", true}, {"w=opez", "Garc\u00eda L\u00f3pez", false},
        {"w=1990-01", "1990-01-31", true}, {"c=%d0%b8%d0%b2", "\u0418\u0412\u0410\u041d", true}, {"c=a&p=b", "ba", true}, {"c=a&p=b", "ab", false}};
    struct asked k = begin("/a");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (holds(&k, cases[i].query, cases[i].text) != cases[i].stands) fail_msg("%s in \"%s\"", cases[i].query, cases[i].text);
    end(&k);
}

static void who_is_left_out(void **state)
{
    static const struct {
        const char *query;
        bool units[3], line;
    } cases[] = {{"c=a", {false, true, false}, true}, {"w=a", {false, true, false}, true}, {"in=a", {false, false, true}, false},
        {"d=a", {true, false, false}, true}};
    struct asked k = begin("/a");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(ask(&k, cases[i].query));
        for (uint16_t u = 0; u < 3; u++)
            if (rules_search_leaves_out(k.q, 0, u, false) != cases[i].units[u]) fail_msg("%s: unit %d", cases[i].query, u);
        assert_int_equal(rules_search_leaves_out(k.q, 0, 0, true), cases[i].line);
    }
    end(&k);
}

static void only_is_asked_of_every_answer(void **state)
{
    struct asked k = begin("/b");
    (void)state;
    assert_true(ask(&k, "") && k.q != NULL);
    assert_int_equal(rules_search_conditions(k.q), 1);
    assert_false(rules_search_holds(k.q, 0, 0));
    for (unsigned i = 0; i < 3; i++) assert_true(rules_search_holds(k.q, 0, UINT64_C(1) << i));
    assert_false(ask(&k, "s=200"));
    end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_may_be_asked), cmocka_unit_test(too_much_is_refused), cmocka_unit_test(where_it_stands),
        cmocka_unit_test(who_is_left_out), cmocka_unit_test(only_is_asked_of_every_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
