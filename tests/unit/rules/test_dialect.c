/* What DataTables and PostgREST's clients say of columns: what of it is read, what is refused, and what must then be shown.
 *
 *= 8USC1367 a(2)
 *= 10-domain 6.L20 */
#include "rules/support.h"

static const char pack[] =
    "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"profiles\":[{\"id\":\"p\",\"title\":\"t\",\"documents\":["
    "{\"path\":\"/t\",\"units\":[\"$.d[*]\"],\"query\":{\"draw\":\"any\",\"_\":\"drop\"},\"columns\":{\"dialect\":\"datatables\","
    "\"paths\":{\"n\":\"$.d[*].n\",\"m\":\"$.d[*].m\",\"a.b\":\"$.d[*].a.b\",\"0\":\"$.d[*][0]\"}}},"
    "{\"path\":\"/w\",\"units\":[\"$.d[*]\"],\"columns\":{\"dialect\":\"datatables\",\"match\":\"words\",\"paths\":{\"n\":\"$.d[*].n\",\"m\":\"$.d[*].m\"}}},"
    "{\"path\":\"/p\",\"units\":[\"$.d[*]\"],\"query\":{\"select\":\"drop\"},\"columns\":{\"dialect\":\"postgrest\",\"paths\":{\"n\":\"$.d[*].n\",\"m\":\"$.d[*].m\"}}},"
    "{\"path\":\"/r\",\"units\":[\"$.d[*]\"],\"columns\":{\"dialect\":\"postgrest\",\"ranges\":\"any\",\"paths\":{\"n\":\"$.d[*].n\",\"m\":\"$.d[*].m\"}}}]}]}";

struct asked {
    struct loaded l;
    const struct rules_document *d;
    struct arena *a;
    const struct rules_search *q;
};

static struct asked begin(void)
{
    struct asked k = {.l = load_text(pack), .a = arena_new(1 << 20)};
    for (size_t i = 0; i < problems_count(k.l.problems); i++) print_message("%s\n", problems_text(k.l.problems, i));
    assert_non_null(k.l.set);
    return k;
}

static void end(struct asked *k)
{
    arena_free(k->a);
    loaded_free(&k->l);
}

/* "/t?…" */
static bool ask(struct asked *k, const char *target)
{
    span t = span_str(target);
    size_t mark = span_find(t, '?');
    k->d = rules_find_document(rules_find_profile(k->l.set, SPAN("p")), span_sub(t, 0, mark));
    assert_non_null(k->d);
    arena_reset(k->a);
    return rules_query_read(k->d, span_from(t, mark + 1), k->a, &k->q) == RULES_QUERY_ALLOWED;
}

#define N "columns[0][data]=n&columns[0][searchable]=true"
#define NX N "&columns[1][data]=secret&columns[1][searchable]=true"

static void what_is_read(void **state)
{
    static const char *const yes[] = {
        "/t?" N, "/t?draw=1&" N "&_=17", "/t?" NX, "/t?" NX "&search[value]=a&search[regex]=false", "/t?search[value]=&search[regex]=true",
        "/t?" N "&order[0][column]=0&order[0][dir]=asc&order[0][name]=", "/t?" N "&columns[0][name]=m&columns[0][orderable]=false",
        "/t?" N "&columns[0][search][value]=a&columns[0][search][regex]=false", "/t?columns%5B0%5D%5Bdata%5D=n&order%5B0%5D%5Bcolumn%5D=0",
        "/t?columns[0][data]=a.b&columns[0][search][value]=x", "/t?columns[0][data]=0&order[0][column]=0", "/t?search[value]=a&" N,
        "/t?columns[0][data]=&columns[0][searchable]=false&columns[1][data]=n&order[0][column]=1&order[0][dir]=desc",
        "/t?" NX "&columns[1][name]=secret&search[value]=a", "/w?" N "&search[value]=a+b",
        "/p?n=eq.a", "/p?n=eq.a&n=eq.b", "/p?n=like.a*", "/p?n=ilike.%25a%25", "/p?n=in.(a,b)", "/p?n=in.(%22a,b%22,c)", "/p?n=is.true",
        "/p?or=(n.eq.a,m.like.*b*)", "/p?and=(n.eq.a,m.in.(1,2))", "/p?or=(n.eq.%22a(b%22,m.eq.%22{c}%22)", "/p?order=n", "/p?order=n.asc,m.desc.nullslast",
        "/p?select=*", "/p?select=n,count()", "/r?n=gt.1&n=lte.9", "/r?n=neq.a", "/r?n=is.null", "/r?n=not.eq.a", "/r?n=not.is.null", "/r?or=(n.gt.1,m.eq.a)",
        "/r?n=gt.a(%22b", "/r?or=(n.gt.%22a,b(%22,m.not.in.(a,%22b,)%22),n.is.null)", "/r?and=(n.in.(a,b),m.not.eq.%22(x%22)"};
    static const char *const no[] = {
        "/t?columns[0][data]=n&columns[0][data]=secret", "/t?columns[0][data]=secret&columns[0][search][value]=a", "/t?" NX "&order[0][column]=1",
        "/t?" N "&order[0][column]=1", "/t?" N "&order[0][column]=64", "/t?" N "&order[0][column]=00", "/t?columns[00][data]=n", "/t?columns[1][data]=n",
        "/t?" N "&columns[2][data]=m&order[0][column]=2", "/t?" N "&columns[0][name]=secret", "/t?" N "&order[0][column]=0&order[0][name]=secret",
        "/t?" N "&order[0][column]=0&order[0][column]=0", "/t?" N "&order[0][dir]=up", "/t?" N "&search[value]=a&search[regex]=true",
        "/t?" N "&search[value]=a&search[value]=b", "/t?" N "&search[value]=%25", "/t?search[value]=a", "/t?columns[0][data]=secret&columns[0][searchable]=true&search[value]=a",
        "/t?columns[0][data]=n&search[value]=a", "/t?" N "&columns[0][searchable]=1", "/t?" N "&columns[0][search][fixed]=a", "/t?" N "&columns[0]=n", "/t?columns=n", "/t?columns[]=n",
        "/t?" N "&columns[0][data][x]=n", "/t?" N "&search=a", "/t?" N "&search[value][x]=a", "/t?" N "&searchBuilder[logic]=AND", "/t?secret=1", "/t?n=a",
        "/p?n=a", "/p?n=eq.", "/p?n=", "/p?n", "/p?n=eq", "/p?secret=eq.a", "/p?n=like.*", "/p?n=like.a%5C*", "/p?n=match.a", "/p?n=fts.a", "/p?n=cs.{a}",
        "/p?n=in.()", "/p?n=in.a", "/p?n=in.(%22a)", "/p?n=in.(a))", "/p?n=gt.1", "/p?n=neq.a", "/p?n=is.null", "/p?n=not.eq.a", "/p?n=eq(any).{a}", "/p?or=()", "/p?or=(n.eq.a", "/p?or=(secret.eq.a)",
        "/p?or=(n.eq.a,secret.eq.b)", "/p?or=(and(n.eq.a,m.eq.b))", "/p?or=(not.n.eq.a)", "/p?not.or=(n.eq.a)", "/p?s.n=eq.a", "/p?order=secret", "/p?order=n.up", "/p?order=n,", "/p?order=",
        "/p?order=n->x", "/p?order=s(n)", "/p?n=eq.%ff", "/p?n=eq.a&", "/p?columns=n", "/r?n=gt", "/r?n=not.fts.a", "/r?n=not.gt", "/r?secret=gt.1", "/r?n=is.unknown",
        /* what stands behind a comma is a condition of its own for PostgREST: a value of a list ends there, or at a parenthesis, but for one in quotes */
        "/r?or=(n.gt.a%22b,secret.eq.x,n.gt.c%22d)", "/r?or=(n.gt.a(b,secret.eq.x)c)", "/r?or=(n.gt.%22a%22b,secret.eq.x,n.gt.c%22d%22)", "/r?or=(n.is.null,n.eq.a(b,secret.eq.x)c)",
        "/r?or=(n.not.in.(a(b),secret.eq.x))", "/r?or=(n.is.null,n.in.(a(b),secret.eq.x))", "/r?or=(n.not.eq.(a,secret.eq.x))", "/r?or=(n.neq.%22a%5C%22,secret.eq.x,n.neq.%5C%22b%22)",
        "/r?and=(n.not.in.(%22a%22b,c%22d%22),n.gt.1)",
        "/p?or=(n.eq.a(b,c)d)", "/p?and=(n.in.(a,b(,c),secret.like.*x*,n.in.(d)))", "/p?and=(n.in.(%22a%22,%22b%5C%22),secret.like.*x*,n.in.(%5C%22c%22))",
        "/p?or=(n.eq.%22a%5C%22,secret.eq.%5C%22b%22)",
        /* an array goes on to its brace */
        "/p?or=(n.eq.{a,m.in.(b},secret.like.*x*))", "/r?or=(n.gt.{a,m.in.(b},secret.like.*x*))", "/r?or=(n.gt.{a,m.lt.b},m.eq.c)", "/r?or=(n.not.eq.{a},m.eq.c)",
        /* PostgREST's documentation, "Tables and Views", "Resource Embedding", "Aggregate Functions": casts, paths into JSON, several values, embedded tables, spread */
        "/r?n::text=eq.a", "/r?n->>x=eq.a", "/r?n->x->>y=gt.a", "/r?n=like(any).{a*,b*}", "/r?n=eq(all).{a}", "/r?n=not.like(any).{a*}", "/r?n=isdistinct.a", "/r?n=ov.{a}",
        "/r?orders.n=eq.a", "/r?orders.or=(n.eq.a)", "/r?orders.order=n", "/r?orders.limit=1", "/r?orders=not.is.null", "/r?not.and=(n.gt.a)", "/r?and=(or(n.gt.a,secret.gt.b))",
        "/r?or=(n.gt.a,not.and(n.gt.a,secret.gt.b))", "/r?or=(n.eq(any).{a,b})", "/r?or=(%22n%22.eq.a)", "/r?or=(%20n.eq.a)", "/r?order=n::text", "/r?order=n->>x", "/r?order=orders(n).desc",
        "/r?order=...orders(n)", "/r?order=secret.sum()", "/r?having=n.gt.1", "/r?group=n", "/r?n=count().gt.1", "/r?n.sum()=gt.1", "/r?select=n", "/r?on_conflict=n"};
    struct asked k = begin();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!ask(&k, yes[i])) fail_msg("refused: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (ask(&k, no[i])) fail_msg("allowed: %s", no[i]);
    end(&k);
}

/* A record with these texts in n and m. */
static bool stays(struct asked *k, const char *target, const char *n, const char *m)
{
    uint8_t room[256];
    uint64_t found = 0;
    if (!ask(k, target)) fail_msg("refused: %s", target);
    path_state s = path_member(k->d, path_root(k->d), path_symbol_of(k->d, SPAN("d")));
    s = path_element(k->d, s, 3);
    if (k->q == NULL) return true;
    found |= rules_search_look(k->q, path_member(k->d, s, path_symbol_of(k->d, SPAN("n"))), span_str(n), room);
    found |= rules_search_look(k->q, path_member(k->d, s, path_symbol_of(k->d, SPAN("m"))), span_str(m), room);
    for (size_t c = 0; c < rules_search_conditions(k->q); c++) {
        assert_true(rules_search_leaves_out(k->q, c, 0, false));
        if (!rules_search_holds(k->q, c, found)) return false;
    }
    return true;
}

#define NM N "&columns[1][data]=m&columns[1][searchable]=true"

static void what_must_be_shown(void **state)
{
    static const struct {
        const char *target, *n, *m;
        bool stays;
    } cases[] = {
        {"/t?" NM "&search[value]=arc", "García", "x", true}, {"/t?" NM "&search[value]=arc", "x", "García", true}, {"/t?" NM "&search[value]=arc", "x", "y", false},
        {"/t?" N "&search[value]=arc", "x", "García", false}, {"/t?" NM "&search[value]=", "x", "y", true}, {"/t?" NM "&order[0][column]=1", "x", "y", true},
        {"/t?" NM "&columns[1][search][value]=b", "b", "a", false}, {"/t?" NM "&columns[1][search][value]=b", "a", "b", true},
        {"/t?" NM "&columns[1][search][value]=b&search[value]=a", "a", "b", true}, {"/t?" NM "&columns[1][search][value]=b&search[value]=a", "c", "b", false},
        {"/t?columns[0][data]=n&columns[0][searchable]=false&columns[1][data]=m&columns[1][searchable]=true&search[value]=a", "a", "b", false},
        {"/w?" NM "&search[value]=gar+mar", "María", "García", true}, {"/w?" NM "&search[value]=gar+mar", "María", "López", false},
        {"/w?" NM "&search[value]=arc", "x", "García", false},
        {"/p?n=eq.a", "A", "", true}, {"/p?n=eq.a", "ab", "a", false}, {"/p?n=eq.a&n=eq.b", "a", "", false}, {"/p?n=eq.a&m=eq.b", "a", "b", true},
        {"/p?n=in.(a,b)", "b", "", true}, {"/p?n=in.(a,b)", "c", "", false}, {"/p?n=in.(%22New+York%22,b)", "new york", "", true}, {"/p?n=is.true", "true", "", true},
        {"/p?n=is.true", "false", "", false}, {"/p?n=like.Mar*a", "maría", "", true}, {"/p?n=like.Mar*z", "maria", "", false}, {"/p?n=ilike.%25a_b%25", "xaxbx", "", true},
        {"/p?or=(n.eq.a,m.eq.b)", "a", "x", true}, {"/p?or=(n.eq.a,m.eq.b)", "x", "b", true}, {"/p?or=(n.eq.a,m.eq.b)", "x", "a", false},
        {"/p?or=(n.eq.a,m.in.(b,c))", "x", "c", true}, {"/p?and=(n.eq.a,m.eq.b)", "a", "x", false}, {"/p?and=(n.eq.a,m.eq.b)", "a", "b", true},
        {"/p?or=(n.eq.a,m.eq.b)&n=eq.c", "c", "b", true}, {"/p?or=(n.eq.a,m.eq.b)&n=eq.c", "c", "x", false}, {"/p?or=(n.eq.%22(a),b%22,m.eq.z)", "(a),b", "x", true},
        {"/r?or=(n.gt.5,m.eq.b)", "x", "y", true}, {"/r?n=gt.5&m=eq.b", "x", "y", false}, {"/r?n=gt.5&m=eq.b", "x", "b", true}};
    struct asked k = begin();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (stays(&k, cases[i].target, cases[i].n, cases[i].m) != cases[i].stays) fail_msg("%zu: %s: %s, %s", i, cases[i].target, cases[i].n, cases[i].m);
    end(&k);
}

/* No column is looked for in another's place, and what is too much is refused. */
static void bounds(void **state)
{
    char target[4096] = "/t?";
    struct asked k = begin();
    (void)state;
    for (int i = 0; i < 64; i++) snprintf(target + strlen(target), 64, "columns[%d][data]=n&columns[%d][searchable]=true&", i, i);
    strcat(target, "search[value]=a");
    assert_true(ask(&k, target));
    strcat(target, "&columns[0][search][value]=b");
    assert_false(ask(&k, target));
    strcpy(target, "/p?n=in.(a");
    for (int i = 0; i < 63; i++) strcat(target, ",a");
    strcat(target, ")");
    assert_true(ask(&k, target));
    target[strlen(target) - 1] = '\0';
    strcat(target, ",a)");
    assert_false(ask(&k, target));
    struct arena *small = arena_new(64);
    assert_true(ask(&k, "/p?n=eq.a"));
    assert_int_equal(rules_query_read(k.d, SPAN("n=eq.a"), small, &k.q), RULES_QUERY_NO_MEMORY);
    arena_free(small);
    end(&k);
}

static void what_goes_on(void **state)
{
    static const struct {
        const char *target, *goes_on;
    } cases[] = {{"/p?select=n", ""}, {"/p?n=eq.a&select=n,m&order=n", "n=eq.a&order=n"}, {"/p?sel%65ct=n&n=eq.a", "n=eq.a"}, {"/t?draw=1&_=5", "draw=1"}, {"/p?n=eq.%61", "n=eq.%61"}};
    struct asked k = begin();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(ask(&k, cases[i].target));
        assert_true(rules_query_drops(k.d));
        span on = rules_query_handed_on(k.d, span_from(span_str(cases[i].target), 3), k.a);
        assert_true(span_equal(on, span_str(cases[i].goes_on)));
    }
    assert_true(ask(&k, "/r?n=eq.a") && !rules_query_drops(k.d));
    end(&k);
}

/* Pieces of the languages in any order: nothing is read that is not there. */
static void whatever_is_sent(void **state)
{
    static const char *const pieces[] = {"columns%5B", "0", "%5D", "[", "]", "search", "value", "data", "order", "column", "dir", "asc", "n", "m", "secret", "=", "&", "eq.", "in.", "like.",
        "not.", "is.", "null", "gt.", "or", "and", "(", ")", ",", "%22", "%5C", "*", "a", ".", "+", "%", "64", "true", "select",
        "&n=eq.a", "&or=(n.eq.a,m.like.*b*)", ("&" N), "&columns[1][data]=m", "&order[0][column]=0", "&search[value]=a", "&order=n", "&m=in.(a,b)", "&columns[2][data]=secret"};
    static const char *const paths[] = {"/t?", "/w?", "/p?", "/r?"};
    struct asked k = begin();
    uint64_t x = 88172645463325252u;
    size_t allowed = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char target[512];
        strcpy(target, paths[i % 4]);
        strcat(target, i % 4 == 0 ? "draw=1" : i % 4 == 1 ? N : "n=eq.b");
        for (int n = 0; n < 1 + i / 4 % 8; n++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            strcat(target, pieces[x % ARRAY_LEN(pieces)]);
        }
        if (!ask(&k, target)) continue;
        (void)stays(&k, target, "a", "n");
        allowed++;
    }
    assert_true(allowed > 0);
    end(&k);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_read), cmocka_unit_test(what_must_be_shown), cmocka_unit_test(bounds), cmocka_unit_test(what_goes_on),
        cmocka_unit_test(whatever_is_sent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
