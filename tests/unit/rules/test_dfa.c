/* The automaton finds what walking its nodes finds, and has no state too many: both by the books' plain ways, on small expressions. */
#include "rules/support.h"

#include "rules/dfa.h"

/* ---- expressions ------------------------------------------------------------------------------------------------ */

#define ATOMS_BEHIND 3 /* the last ones look at the byte before */

static void write_expression(char *out, unsigned depth, bool behind)
{
    static const char *const atoms[] = {"a", "b", "7", "-", "[ab]", "[^a]", "[0-9]", "(?=b)", "(?![0-9])", "(?!-)", "$",
        "(?<=a)", "(?<![ab])", "^"};
    static const char *const counts[] = {"?", "{0,2}", "{2}", "{1,3}", "", ""};
    unsigned parts = 1 + roll(3);
    for (unsigned i = 0; i < parts; i++) {
        if (depth > 0 && roll(3) == 0) {
            strcat(out, "(?:");
            write_expression(out, depth - 1, behind);
            if (roll(2)) strcat(out, "|"), write_expression(out, depth - 1, behind);
            strcat(out, ")");
            strcat(out, counts[roll(ARRAY_LEN(counts))]);
        } else {
            unsigned atom = roll(ARRAY_LEN(atoms) - (behind ? 0 : ATOMS_BEHIND));
            strcat(out, atoms[atom]);
            if (atom < 7) strcat(out, counts[roll(ARRAY_LEN(counts))]);
        }
    }
}

/* ---- walking the nodes ------------------------------------------------------------------------------------------ */

struct walk {
    const struct regular *r;
    span text;
    uint64_t found;
    bool been[64][REGULAR_NODES];
};

static bool is_set(const struct walk *w, const struct node *n, size_t at)
{
    const struct byte_set *s = &w->r->set[n->set];
    return at < w->text.len ? set_holds(s, w->text.ptr[at]) : s->edge;
}

static void walk_from(struct walk *w, uint16_t node, size_t at)
{
    const struct node *n = &w->r->nodes[node];
    if (w->been[at][node]) return;
    w->been[at][node] = true;
    switch ((enum node_kind)n->kind) {
    case NODE_FOUND: w->found |= UINT64_C(1) << n->bit; return;
    case NODE_SPLIT: walk_from(w, n->other, at); break;
    case NODE_EMPTY: break;
    case NODE_BYTE:
        if (at == w->text.len || !is_set(w, n, at)) return;
        at++;
        break;
    case NODE_BEHIND: /* before the text is the edge, as behind it */
        if (!is_set(w, n, at > 0 ? at - 1 : SIZE_MAX)) return;
        break;
    case NODE_AHEAD:
        if (!is_set(w, n, at)) return;
        break;
    }
    walk_from(w, n->out, at);
}

static uint64_t walked(const struct regular *r, span text)
{
    static struct walk w;
    w.r = r, w.text = text, w.found = 0;
    memset(w.been, 0, sizeof w.been);
    for (size_t at = 0; at <= text.len; at++)
        walk_from(&w, 0, at);
    return w.found;
}

static uint64_t ran(const struct dfa *k, span text)
{
    uint64_t found = k->subsets[0].found;
    unsigned s = 0;
    for (size_t i = 0; i < text.len; i++) {
        s = k->next[(s << k->shift) + k->class_of[text.ptr[i]]];
        found |= k->subsets[s].found;
    }
    return found | k->at_end[s];
}

/* ---- telling states apart ---------------------------------------------------------------------------------------- */

#define FEW 400

/* How many states differ: pairs are marked until no more can be (Hopcroft and Ullman's table). */
static unsigned table_filled(const struct dfa *k)
{
    static bool differ[FEW][FEW];
    unsigned kinds = 0;
    for (unsigned a = 0; a < k->count; a++)
        for (unsigned b = 0; b < k->count; b++)
            differ[a][b] = k->subsets[a].found != k->subsets[b].found || k->at_end[a] != k->at_end[b];
    for (bool more = true; more;) {
        more = false;
        for (unsigned a = 0; a < k->count; a++)
            for (unsigned b = 0; b < a; b++)
                for (unsigned c = 0; c < k->classes && !differ[a][b]; c++)
                    if (differ[k->next[(a << k->shift) + c]][k->next[(b << k->shift) + c]])
                        more = differ[a][b] = differ[b][a] = true;
    }
    for (unsigned a = 0; a < k->count; a++) {
        unsigned b = 0;
        while (b < a && differ[a][b])
            b++;
        kinds += b == a;
    }
    return kinds;
}

static void assert_groups(const struct dfa *k, unsigned groups)
{
    assert_int_equal(groups, table_filled(k));
    assert_int_equal(k->group[0], 0);
    for (unsigned s = 0, known = 0; s < k->count; s++) {
        assert_true(k->group[s] <= known && known <= groups);
        if (k->group[s] == known) assert_int_equal(k->first[known++], s);
        unsigned like = k->first[k->group[s]];
        assert_true(k->subsets[s].found == k->subsets[like].found && k->at_end[s] == k->at_end[like]);
        for (unsigned c = 0; c < k->classes; c++)
            assert_int_equal(k->group[k->next[(s << k->shift) + c]], k->group[k->next[(like << k->shift) + c]]);
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

/* More may be found where something looks at the byte before behind a look ahead: that one passes then. Never less. */
static void assert_finds(const struct dfa *k, const struct regular *as_added, bool more)
{
    for (unsigned round = 0; round < 60; round++) {
        char text[16];
        size_t n = roll(sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = "ab7-ab7- \xC3"[roll(10)];
        uint64_t is = ran(k, span_of(text, n)), should = walked(as_added, span_of(text, n));
        if ((is & should) != should || (is != should && !more))
            fail_msg("%.*s: %llx, not %llx", (int)n, text, (unsigned long long)is, (unsigned long long)should);
    }
}

static void test_finds_what_its_nodes_find_and_is_smallest(void **state)
{
    static struct regular as_added;
    MEM_AUTO struct dfa *k = mem_alloc(sizeof *k);
    unsigned made = 0, split = 0;
    (void)state;
    assert_non_null(k);
    for (unsigned round = 0; round < 3000; round++) {
        dfa_start_over(k);
        for (unsigned rule = 0; rule < 3; rule++) {
            char expression[2048] = "";
            write_expression(expression, 2, round % 2);
            (void)regular_add(&k->regular, expression, false, rule);
        }
        as_added = k->regular;
        if (!dfa_determine(k, FEW)) continue;
        made++;
        assert_finds(k, &as_added, round % 2);
        unsigned groups = dfa_minimize(k);
        split += groups < k->count;
        assert_groups(k, groups);
    }
    assert_true(made > 1000 && split > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_its_nodes_find_and_is_smallest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
