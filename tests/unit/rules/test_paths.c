/* Paths: what the parser takes (RFC 9535), and the automaton against a naive evaluation over Jansson's tree. */
#include "rules/support.h"

/* ---- what parses ------------------------------------------------------------------------------------------------- */

static struct loaded load_unit(const char *path)
{
    json_t *pack = json_pack("{s:i,s:s,s:s,s:[{s:s,s:s,s:[{s:s,s:[s]}]}]}", "format", 1, "pack", "p", "version", "1",
        "profiles", "id", "p", "title", "t", "documents", "path", "/x", "units", path);
    assert_non_null(pack);
    char *text = json_dumps(pack, 0);
    struct loaded l = load_text(text);
    free(text);
    json_decref(pack);
    return l;
}

static void expect_accepted(const char *path, bool accepted)
{
    struct loaded l = load_unit(path);
    if ((l.set != NULL) != accepted) fail_msg("%s is %s", path, accepted ? "refused" : "accepted");
    loaded_free(&l);
}

/* The valid and invalid examples of RFC 9535 2.1.3, 2.3.1.3, 2.3.2.3, 2.3.3.3, 2.5.1.3 and 2.5.2.3, as far as names,
 * indices, wildcards and descendants go. */
//= RFC9535 2
//= RFC9535 2.2
//= RFC9535 2.3
//= RFC9535 2.5
static void test_grammar(void **state)
{
    static const char *const valid[] = {"$", "$.o['j j']", "$.o['j j']['k.k']", "$.o[\"j j\"][\"k.k\"]",
        "$[\"'\"][\"@\"]", "$[*]", "$.o[*]", "$.a[*]", "$[1]", "$[0]", "$..j", "$..[0]", "$..[*]", "$..*", "$..o",
        "$.\xE2\x98\xBA", "$._x1", "$['\\u263A']", "$['\\uD834\\uDD1E']", "$['\\'']", "$[ 0 ]", "$[ 'a' ]", "$['']",
        "$.items[*].associates[*]", "$['a\\/b']", "$[9007199254740991]", "$ .a", "$ [0] ..b"};
    static const char *const invalid[] = {"", "a", "@.a", "$.", "$..", "$.1", "$.a-b", "$. a", "$.a ", " $", "$[",
        "$[]", "$['a'", "$[a]", "$[01]", "$[-1]", "$[-0]", "$[9007199254740992]", "$[1:2]", "$[:]", "$['a','b']",
        "$[?@.a]", "$...a", "$.[a]", "$['\\q']", "$['\\u12']", "$['\\uD800']", "$['\\uDC00']", "$['a\tb']", "$.a.['b']",
        "$[\"\\'\"]", "$.*a", "$[0.0]", "$[+1]"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(valid); i++)
        expect_accepted(valid[i], true);
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
        expect_accepted(invalid[i], false);
}

/* ---- random paths and documents ---------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "cc", "x y", "\xC3\xA9", "it's", "a\"q", ""};

struct step { /* of a path, or of a value's location */
    enum { STEP_NAME, STEP_INDEX, STEP_ANY } kind;
    bool descend;
    const char *name;
    size_t index;
};

struct naive_path {
    struct step steps[5];
    size_t count;
    char text[160];
};

static void spell_name(const struct step *s, char *out)
{
    bool plain = is_alpha((uint8_t)s->name[0]) && !strpbrk(s->name, " '\"");
    if (plain && roll(2))
        sprintf(out, "%s%s", s->descend ? ".." : ".", s->name);
    else if (strchr(s->name, '\''))
        sprintf(out, "%s[\"%s\"]", s->descend ? ".." : "", s->name);
    else
        sprintf(out, "%s['%s']", s->descend ? ".." : "", s->name);
}

static void spell_step(const struct step *s, char *out)
{
    const char *dots = s->descend ? ".." : "";
    switch (s->kind) {
    case STEP_NAME: spell_name(s, out); break;
    case STEP_INDEX: sprintf(out, "%s[%zu]", dots, s->index); break;
    case STEP_ANY: sprintf(out, roll(2) ? "%s[*]" : s->descend ? "%s*" : "%s.*", dots); break;
    }
}

static struct naive_path random_path(size_t least)
{
    struct naive_path p = {.text = "$"};
    p.count = least + roll(4);
    for (size_t i = 0; i < p.count; i++) {
        struct step *s = &p.steps[i];
        unsigned kind = roll(6);
        s->kind = kind < 3 ? STEP_NAME : kind < 4 ? STEP_INDEX : STEP_ANY;
        s->descend = roll(5) == 0;
        s->name = names[roll(4) ? roll(3) : roll(ARRAY_LEN(names))];
        s->index = roll(3);
        spell_step(s, p.text + strlen(p.text));
    }
    return p;
}

static json_t *random_value(unsigned depth)
{
    unsigned kind = depth == 0 ? 2 : roll(5);
    json_t *v = kind < 2 ? json_object() : kind < 4 && kind > 2 ? json_array() : NULL;
    if (!v) return roll(2) ? json_true() : json_integer(roll(9));
    for (unsigned n = roll(4); n > 0; n--) {
        if (json_is_array(v))
            json_array_append_new(v, random_value(depth - 1));
        else
            json_object_set_new(v, roll(6) ? names[roll(ARRAY_LEN(names))] : "other", random_value(depth - 1));
    }
    return v;
}

/* ---- the naive evaluation: node lists as RFC 9535 defines them ----------------------------------------------------
 */

struct location {
    struct step steps[8];
    size_t count;
};

struct node_list {
    struct location at[4096];
    const json_t *value[4096];
    size_t count;
};

static void append_node(struct node_list *out, const struct location *parent, struct step step, const json_t *v)
{
    assert_true(out->count < ARRAY_LEN(out->at) && parent->count < ARRAY_LEN(parent->steps));
    out->at[out->count] = *parent;
    out->at[out->count].steps[parent->count] = step;
    out->at[out->count].count++;
    out->value[out->count++] = v;
}

static void select_children(const struct node_list *in, size_t i, const struct step *s, struct node_list *out)
{
    const char *name;
    json_t *item;
    json_object_foreach(
        (json_t *)in->value[i], name, item) if (s->kind == STEP_ANY || (s->kind == STEP_NAME && !strcmp(name, s->name)))
        append_node(out, &in->at[i], (struct step){.kind = STEP_NAME, .name = name}, item);
    for (size_t n = 0; n < json_array_size(in->value[i]); n++)
        if (s->kind == STEP_ANY || (s->kind == STEP_INDEX && n == s->index))
            append_node(
                out, &in->at[i], (struct step){.kind = STEP_INDEX, .index = n}, json_array_get(in->value[i], n));
}

/* The nodes and everything below them. */
static void add_descendants(struct node_list *list)
{
    const struct step any = {.kind = STEP_ANY};
    for (size_t i = 0; i < list->count; i++)
        select_children(list, i, &any, list);
}

static bool same_location(const struct location *a, const struct location *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct step *x = &a->steps[i], *y = &b->steps[i];
        if (x->kind != y->kind) return false;
        if (x->kind == STEP_NAME ? strcmp(x->name, y->name) != 0 : x->index != y->index) return false;
    }
    return true;
}

static struct node_list *evaluate(const struct naive_path *p, const json_t *root)
{
    struct node_list *now = calloc(1, sizeof *now), *next = calloc(1, sizeof *next);
    assert_true(now && next);
    now->value[now->count++] = root;
    for (size_t s = 0; s < p->count; s++) {
        if (p->steps[s].descend) add_descendants(now);
        next->count = 0;
        for (size_t i = 0; i < now->count; i++)
            select_children(now, i, &p->steps[s], next);
        size_t kept = 0; /* a list of nodes may name one twice; as a set it must not grow without bound */
        for (size_t i = 0; i < next->count; i++) {
            bool twice = false;
            for (size_t j = 0; j < kept && !twice; j++)
                twice = same_location(&next->at[j], &next->at[i]);
            if (!twice) next->at[kept] = next->at[i], next->value[kept++] = next->value[i];
        }
        next->count = kept;
        struct node_list *swap = now;
        now = next, next = swap;
    }
    free(next);
    return now;
}

static bool holds(const struct node_list *list, const struct location *at)
{
    for (size_t i = 0; i < list->count; i++)
        if (same_location(&list->at[i], at)) return true;
    return false;
}

/* ---- comparison ---------------------------------------------------------------------------------------------------
 */

#define UNITS 3
struct comparison {
    const struct rules_document *document;
    struct naive_path units[UNITS], allow;
    struct node_list *unit_nodes[UNITS], *allow_nodes;
    size_t unit_count;
    bool has_allow;
    size_t values;
};

/* Could the location be strictly inside the path: does some continuation of it match? By plain recursion. */
static bool leads_on(const struct location *at, size_t i, const struct naive_path *p, size_t j)
{
    if (j == p->count) return false;
    if (i == at->count) return true;
    const struct step *s = &p->steps[j], *here = &at->steps[i];
    bool selected =
        s->kind == STEP_ANY ||
        (s->kind == here->kind && (s->kind == STEP_NAME ? !strcmp(s->name, here->name) : s->index == here->index));
    if (selected && leads_on(at, i + 1, p, j + 1)) return true;
    return s->descend && leads_on(at, i + 1, p, j);
}

static bool is_allowed(const struct comparison *c, const struct location *at)
{
    struct location above = *at;
    for (above.count = 0; above.count <= at->count; above.count++)
        if (holds(c->allow_nodes, &above)) return true;
    return false;
}

static void compare_value(struct comparison *c, const struct location *at, path_state s)
{
    const struct path_info *info = path_info_of(c->document, s);
    int unit = -1;
    for (size_t u = c->unit_count; u-- > 0;)
        if (holds(c->unit_nodes[u], at)) unit = (int)u;
    assert_int_equal((info->roles & PATH_UNIT) != 0, unit >= 0);
    if (unit >= 0) assert_int_equal(info->unit, unit);
    bool allowed = c->has_allow && is_allowed(c, at);
    assert_int_equal((info->roles & PATH_ALLOWED) != 0, allowed);
    bool on_the_way = c->has_allow && !allowed && leads_on(at, 0, &c->allow, 0);
    assert_int_equal((info->roles & PATH_ON_THE_WAY) != 0, on_the_way);
    assert_int_equal(info->roles & (PATH_KEY | PATH_COUNT | PATH_TEXT | PATH_UNIFORM), 0);
    c->values++;
}

/* A container from which a unit is seen to be removable must say so. */
static void compare_droppable(const struct comparison *c, path_state parent, path_state child)
{
    const struct path_info *info = path_info_of(c->document, child);
    if (info->roles & PATH_UNIT) assert_true(path_info_of(c->document, parent)->roles & PATH_DROPPABLE);
}

static void walk(struct comparison *c, const json_t *v, const struct location *at, path_state s)
{
    const char *name;
    json_t *item;
    struct location below = *at;
    compare_value(c, at, s);
    below.count++;
    json_object_foreach((json_t *)v, name, item)
    {
        path_state to = path_member(c->document, s, path_symbol_of(c->document, span_str(name)));
        below.steps[at->count] = (struct step){.kind = STEP_NAME, .name = name};
        compare_droppable(c, s, to);
        walk(c, item, &below, to);
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        path_state to = path_element(c->document, s, i);
        below.steps[at->count] = (struct step){.kind = STEP_INDEX, .index = i};
        compare_droppable(c, s, to);
        walk(c, json_array_get(v, i), &below, to);
    }
}

static struct loaded load_paths(const struct comparison *c)
{
    json_t *pack = json_pack("{s:i,s:s,s:s,s:[{s:s,s:s,s:[{s:s,s:[]}]}]}", "format", 1, "pack", "p", "version", "1",
        "profiles", "id", "p", "title", "t", "documents", "path", "/x", "units");
    assert_non_null(pack);
    json_t *document =
        json_array_get(json_object_get(json_array_get(json_object_get(pack, "profiles"), 0), "documents"), 0);
    for (size_t u = 0; u < c->unit_count; u++)
        json_array_append_new(json_object_get(document, "units"), json_string(c->units[u].text));
    if (c->has_allow) json_object_set_new(document, "allow", json_pack("[s]", c->allow.text));
    char *text = json_dumps(pack, 0);
    struct loaded l = load_text(text);
    free(text);
    json_decref(pack);
    return l;
}

static bool same_path(const struct naive_path *a, const struct naive_path *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct step *x = &a->steps[i], *y = &b->steps[i];
        if (x->kind != y->kind || x->descend != y->descend) return false;
        if (x->kind == STEP_NAME && strcmp(x->name, y->name) != 0) return false;
        if (x->kind == STEP_INDEX && x->index != y->index) return false;
    }
    return true;
}

static void draw_paths(struct comparison *c)
{
    for (c->unit_count = 0; c->unit_count < 1 + roll(UNITS);) {
        struct naive_path p = random_path(0);
        bool twice = false;
        for (size_t u = 0; u < c->unit_count; u++)
            twice |= same_path(&c->units[u], &p);
        if (!twice) c->units[c->unit_count++] = p;
        if (c->unit_count == UNITS) break;
    }
    c->has_allow = roll(2);
    if (c->has_allow) c->allow = random_path(1);
}

static size_t compare_once(void)
{
    struct comparison c = {0};
    draw_paths(&c);
    struct loaded l = load_paths(&c);
    if (!l.set) print_problems(&l);
    assert_non_null(l.set);
    c.document = rules_find_document(rules_find_profile(l.set, SPAN("p")), SPAN("/x"));
    assert_non_null(c.document);
    for (unsigned round = 0; round < 2; round++) {
        json_t *root = random_value(4);
        for (size_t u = 0; u < c.unit_count; u++)
            c.unit_nodes[u] = evaluate(&c.units[u], root);
        if (c.has_allow) c.allow_nodes = evaluate(&c.allow, root);
        walk(&c, root, &(struct location){0}, path_root(c.document));
        for (size_t u = 0; u < c.unit_count; u++)
            free(c.unit_nodes[u]);
        free(c.allow_nodes);
        c.allow_nodes = NULL;
        json_decref(root);
    }
    loaded_free(&l);
    return c.values;
}

static void test_against_naive_evaluation(void **state)
{
    size_t values = 0;
    (void)state;
    for (int i = 0; i < 3000; i++)
        values += compare_once(); /* two documents each */
    assert_true(values > 20000);
}

/* ---- roles --------------------------------------------------------------------------------------------------------
 */

static const char roles_pack[] =
    "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"profiles\":[{\"id\":\"p\",\"title\":\"t\",\"system\":\"earm\","
    "\"documents\":["
    "{\"path\":\"/list\",\"units\":[\"$.items[*]\",{\"path\":\"$.items[*].spouse\",\"absent\":\"null\"}],"
    "\"keys\":{\"person_id\":[\"$.items[*].id\"],\"case_number\":[\"$..caseNo\"]},"
    "\"counts\":{\"$.total\":\"$.items[*]\"},\"texts\":[\"$.items[*].story\"],\"uniform\":[\"$.meta.debug\"]},"
    "{\"path\":\"/whole\",\"units\":[\"$.items[*]\"],\"counts\":{\"$.total\":\"$.items[*]\"},\"complete\":true},"
    "{\"path\":\"/allow\",\"units\":[\"$.items[*]\"],\"allow\":[\"$.items[*].name\",\"$.total\"]},"
    "{\"path\":\"/map\",\"units\":[\"$.byNumber.*\"]}]}]}";

static const struct path_info *info_at(const struct rules_document *d, const char *const *steps)
{
    path_state s = path_root(d);
    for (; *steps; steps++)
        s = is_digit((uint8_t) * *steps) ? path_element(d, s, (uint64_t)atoi(*steps))
                                         : path_member(d, s, path_symbol_of(d, span_str(*steps)));
    return path_info_of(d, s);
}
#define INFO(d, ...) info_at(d, (const char *const[]){__VA_ARGS__, NULL})
#define ROOT(d) info_at(d, (const char *const[]){NULL})

static void test_roles(void **state)
{
    struct loaded l = load_text(roles_pack);
    (void)state;
    print_problems(&l);
    assert_non_null(l.set);
    const struct rules_profile *p = rules_find_profile(l.set, SPAN("p"));
    const struct rules_document *d = rules_find_document(p, SPAN("/list"));
    assert_int_equal(ROOT(d)->roles, PATH_DROPPABLE); /* loses the count */
    assert_int_equal(INFO(d, "items")->roles, PATH_DROPPABLE);
    assert_int_equal(INFO(d, "items", "7")->roles, PATH_UNIT | PATH_DROPPABLE); /* loses the story */
    assert_int_equal(INFO(d, "items", "7", "id")->roles, PATH_KEY);
    assert_int_equal(INFO(d, "items", "7", "id")->kind, REGISTRY_PERSON_ID);
    assert_int_equal(INFO(d, "items", "7", "deep", "0", "caseNo")->kind, REGISTRY_CASE_NUMBER);
    assert_int_equal(INFO(d, "items", "7", "story")->roles, PATH_TEXT);
    assert_int_equal(INFO(d, "items", "0", "spouse")->roles, PATH_UNIT);
    assert_int_equal(INFO(d, "items", "0", "spouse")->unit, 1);
    assert_true(INFO(d, "items", "0", "spouse")->absent_null);
    assert_int_equal(INFO(d, "total")->roles, PATH_COUNT);
    assert_int_equal(INFO(d, "total")->unit, 0);
    assert_int_equal(INFO(d, "meta")->roles, PATH_DROPPABLE);
    assert_int_equal(INFO(d, "meta", "debug")->roles, PATH_UNIFORM);
    assert_int_equal(INFO(d, "elsewhere")->roles, 0);
    d = rules_find_document(p, SPAN("/whole"));
    assert_int_equal(ROOT(d)->roles, 0); /* the count is rewritten */
    assert_true(rules_document_view(d)->complete);
    d = rules_find_document(p, SPAN("/allow"));
    assert_int_equal(ROOT(d)->roles, PATH_ON_THE_WAY | PATH_DROPPABLE);
    assert_int_equal(INFO(d, "items", "3")->roles, PATH_UNIT | PATH_ON_THE_WAY | PATH_DROPPABLE);
    assert_int_equal(INFO(d, "items", "3", "name")->roles, PATH_ALLOWED);
    assert_int_equal(INFO(d, "items", "3", "name", "first", "0")->roles, PATH_ALLOWED);
    assert_int_equal(INFO(d, "items", "3", "ssn")->roles, 0);
    d = rules_find_document(p, SPAN("/map"));
    assert_int_equal(INFO(d, "byNumber")->roles, PATH_DROPPABLE);
    assert_int_equal(INFO(d, "byNumber", "A012345678")->roles, PATH_UNIT);
    loaded_free(&l);
}

/* Escapes name the character that JSON names (RFC 8259 7); a member is found by its decoded name. */
static void test_escaped_names(void **state)
{
    static const struct {
        const char *path, *name;
    } names_of[] = {{"$['\\u0041']", "A"}, {"$['\\u00e9']", "\xC3\xA9"}, {"$['\\u263A']", "\xE2\x98\xBA"},
        {"$['\\uD834\\uDD1E']", "\xF0\x9D\x84\x9E"}, {"$['\\n\\t\\/\\\\']", "\n\t/\\"}, {"$['it\\'s']", "it's"},
        {"$[\"a\\\"q\"]", "a\"q"}, {"$.\xE2\x98\xBA", "\xE2\x98\xBA"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names_of); i++) {
        struct loaded l = load_unit(names_of[i].path);
        assert_non_null(l.set);
        const struct rules_document *d = rules_find_document(rules_find_profile(l.set, SPAN("p")), SPAN("/x"));
        if (INFO(d, names_of[i].name)->roles != PATH_UNIT) fail_msg("%s", names_of[i].path);
        loaded_free(&l);
    }
}

static void test_unprofiled(void **state)
{
    struct loaded l = load_text("{\"format\":1,\"pack\":\"p\",\"version\":\"1\"}");
    (void)state;
    assert_non_null(l.set);
    const struct rules_document *d = rules_unprofiled(l.set, false);
    assert_true(rules_document_view(d)->root_is_unit);
    assert_int_equal(ROOT(d)->roles, PATH_UNIT | PATH_DROPPABLE);
    assert_int_equal(INFO(d, "5")->roles, PATH_UNIT);
    assert_int_equal(INFO(d, "5")->unit, 1);
    assert_int_equal(INFO(d, "member")->roles, 0); /* a member of a root object is no unit */
    d = rules_unprofiled(l.set, true);
    assert_int_equal(ROOT(d)->roles, PATH_UNIT);
    assert_int_equal(INFO(d, "0")->roles, 0);
    loaded_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_against_naive_evaluation),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_escaped_names),
        cmocka_unit_test(test_unprofiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
