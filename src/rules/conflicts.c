/* Declarations of one document that contradict each other. Decided on the automaton, so that it does not matter how the
 * paths are spelt. */
#include "rules/set.h"

const char *role_member(enum path_role role)
{
    switch (role) {
    case PATH_UNIT: return "units";
    case PATH_KEY: return "keys";
    case PATH_COUNT: return "counts";
    case PATH_UNIFORM: return "uniform";
    case PATH_TEXT: return "texts";
    case PATH_ALLOWED: return "allow";
    case PATH_LINK: return "links";
    case PATH_CURSOR: return "cursors";
    case PATH_ID:
    case PATH_REF:
    case PATH_ASIDE:
    case PATH_LISTED:
    case PATH_ORPHAN: return "graph";
    case PATH_QUERY: return "query";
    case PATH_PSEUDONYM: return "pseudonyms";
    case PATH_ON_THE_WAY:
    case PATH_DROPPABLE: break;
    }
    ASSERT(!"a path is declared in a role that no member gives");
}

struct check {
    const struct rules_document *document;
    const struct path_decl *decls;
    size_t count;
    bool *below; /* by state: stands below the declaration that is looked at */
};

/* ---- one value in two roles ------------------------------------------------------------------------------------- */

/* role, role, why not */
#define CONFLICTS(X)                                                                                                   \
    X(PATH_UNIT, PATH_TEXT, "what everybody loses is no unit")                                                         \
    X(PATH_UNIT, PATH_UNIFORM, "what everybody loses is no unit")                                                      \
    X(PATH_UNIT, PATH_COUNT, "a count is a number of units, not one of them")                                          \
    X(PATH_COUNT, PATH_TEXT, "a count that everybody loses counts nothing")                                            \
    X(PATH_COUNT, PATH_UNIFORM, "a count that everybody loses counts nothing")                                         \
    X(PATH_COUNT, PATH_KEY, "a count is nobody's key")                                                                 \
    X(PATH_KEY, PATH_TEXT, "findings in texts are about somebody else, so this key would never be looked up")          \
    X(PATH_COUNT, PATH_LINK, "a count joins nobody")                                                                   \
    X(PATH_LINK, PATH_TEXT, "what stands in texts is about somebody else, so this link would never be followed")       \
    X(PATH_UNIT, PATH_CURSOR, "a cursor leads to other units, and is none")                                            \
    X(PATH_COUNT, PATH_CURSOR, "a cursor leads to other units, and counts none")                                       \
    X(PATH_TEXT, PATH_CURSOR, "nobody restricted sees a text, and a cursor is written anew")                           \
    X(PATH_UNIFORM, PATH_CURSOR, "nobody restricted sees it, and a cursor is written anew")                            \
    X(PATH_QUERY, PATH_TEXT, "nobody is found by what he cannot see; name what restricted recipients are shown")          \
    X(PATH_QUERY, PATH_UNIFORM, "nobody is found by what he cannot see; name what restricted recipients are shown")       \
    X(PATH_QUERY, PATH_COUNT, "a count is written anew, and who asks for the origin's own asks for who is withheld; name something else") \
    X(PATH_PSEUDONYM, PATH_UNIT, "a unit stays or goes; name the member of it that is replaced")                           \
    X(PATH_PSEUDONYM, PATH_COUNT, "a count stands for nobody")                                                            \
    X(PATH_PSEUDONYM, PATH_TEXT, "what everybody loses is not replaced")                                                  \
    X(PATH_PSEUDONYM, PATH_UNIFORM, "what everybody loses is not replaced")                                               \
    X(PATH_QUERY, PATH_PSEUDONYM, "nobody is found by what he cannot see; name what restricted recipients are shown")     \
    X(PATH_TEXT, PATH_UNIFORM, "findings inside count in \"uniform\" and do not count in \"texts\"")

static const struct conflict {
    enum path_role a, b;
    const char *why;
} conflicts[] = {
#define X(a, b, why) {a, b, why},
    CONFLICTS(X)
#undef X
};

static const char *conflict_of(enum path_role a, enum path_role b)
{
    for (size_t i = 0; i < ARRAY_LEN(conflicts); i++)
        if ((conflicts[i].a == a && conflicts[i].b == b) || (conflicts[i].a == b && conflicts[i].b == a))
            return conflicts[i].why;
    return NULL;
}

static bool accepts(const struct check *c, size_t decl, uint16_t state)
{
    return automaton_accepts(&c->document->automaton, decl, state);
}

static bool ends_together(const struct check *c, size_t i, size_t j)
{
    for (uint16_t s = 1; s < c->document->automaton.states; s++)
        if (accepts(c, i, s) && accepts(c, j, s)) return true;
    return false;
}

static void check_pair(const struct check *c, size_t i, size_t j)
{
    const struct path_decl *a = &c->decls[i], *b = &c->decls[j];
    const char *why = conflict_of(a->role, b->role);
    if (why && ends_together(c, i, j))
        place_error(&b->at, "\"%s\" stands in \"%s\" and, as \"%s\", in \"%s\"; %s", b->expr.text, role_member(b->role),
            a->expr.text, role_member(a->role), why);
    else if (a->role == PATH_KEY && b->role == PATH_KEY && a->kind != b->kind && ends_together(c, i, j))
        place_error(&b->at, "\"%s\" is already a key of kind %s, as \"%s\"; a value is a key of one kind", b->expr.text,
            registry_kind_name(a->kind), a->expr.text);
}

/* ---- what stands inside something removed ----------------------------------------------------------------------- */

static bool ends_below(const struct check *c, size_t j)
{
    for (uint16_t s = 1; s < c->document->automaton.states; s++)
        if (c->below[s] && accepts(c, j, s)) return true;
    return false;
}

/* A descendant path is meant for wherever it applies; only one that names its way there is a mistake. */
static bool is_lost_inside(enum path_role outer, const struct path_decl *decl)
{
    enum path_role inner = decl->role;
    for (size_t i = 0; i < decl->expr.count; i++)
        if (decl->expr.segments[i].descend) return false;
    if (inner == PATH_UNIT || inner == PATH_COUNT || inner == PATH_QUERY) return true;
    return (inner == PATH_KEY || inner == PATH_LINK) && outer != PATH_UNIFORM; /* keys in uniform members still count */
}

static void check_inside(struct check *c, size_t i)
{
    const struct path_decl *outer = &c->decls[i];
    if (outer->role != PATH_TEXT && outer->role != PATH_UNIFORM && outer->role != PATH_CURSOR) return;
    automaton_mark_below(&c->document->automaton, i, c->below);
    for (size_t j = 0; j < c->count; j++) {
        const struct path_decl *inner = &c->decls[j];
        if (is_lost_inside(outer->role, inner) && ends_below(c, j))
            place_warning(&inner->at,
                "\"%s\" can stand inside \"%s\" of \"%s\", which is removed for everybody; there it has no effect",
                inner->expr.text, outer->expr.text, role_member(outer->role));
    }
}

/* ---- allow ------------------------------------------------------------------------------------------------------ */

static uint32_t roles_at(const struct check *c, size_t i)
{
    uint32_t roles = 0;
    for (uint16_t s = 1; s < c->document->automaton.states; s++)
        if (accepts(c, i, s)) roles |= c->document->automaton.info[s].roles;
    return roles;
}

static void check_allowed(const struct check *c, size_t i)
{
    const struct path_decl *d = &c->decls[i];
    uint32_t roles = roles_at(c, i);
    if ((d->role == PATH_UNIT || d->role == PATH_COUNT) && !(roles & (PATH_ALLOWED | PATH_ON_THE_WAY)))
        place_warning(&d->at,
            "\"%s\" is not under a path of \"allow\", so no restricted recipient ever sees it; allow it or remove it "
            "here",
            d->expr.text);
    if (d->role == PATH_QUERY && !(roles & (PATH_ALLOWED | PATH_ON_THE_WAY)))
        place_error(&d->at, "\"%s\" is not under a path of \"allow\", and nobody is found by what he cannot see; allow it, or "
                            "search what is allowed", d->expr.text);
    if ((d->role == PATH_TEXT || d->role == PATH_UNIFORM) && (roles & PATH_ALLOWED))
        place_warning(&d->at, "\"%s\" is under a path of \"allow\" and removed all the same", d->expr.text);
}

void document_check(const struct rules_document *doc, const struct path_decl *decls, size_t count)
{
    MEM_AUTO bool *below = mem_array(doc->automaton.states, sizeof *below);
    struct check c = {doc, decls, count, below};
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < j; i++)
            check_pair(&c, i, j);
    for (size_t i = 0; below && i < count; i++)
        check_inside(&c, i);
    for (size_t i = 0; doc->view.has_allow && i < count; i++)
        check_allowed(&c, i);
}
