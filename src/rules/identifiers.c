/* Identifiers: a pattern or a label proposes, the registry decides.
 *
 *= 10-domain 2.1 */
#include "rules/set.h"

/* kind, canonical form, its width (0: as long as it is), digits that a bare value under a label may have. A number in
 * JSON has lost its leading zeros, so that where the width is fixed the bare value may be shorter. */
#define IDENTIFIER_KINDS(X)                                                                                            \
    X(ALIEN_NUMBER, "digits", 9, 1, 9)                                                                                 \
    X(RECEIPT_NUMBER, "upper", 13, 0, 0)                                                                               \
    X(SSN, "digits", 9, 7, 9)                                                                                          \
    X(ITIN, "digits", 9, 9, 9)                                                                                         \
    X(I94, "upper", 11, 9, 11)                                                                                         \
    X(SEVIS, "upper", 0, 0, 0)                                                                                         \
    X(PASSPORT, "upper", 0, 6, 12)                                                                                     \
    X(VISA_FOIL, "upper", 8, 8, 8)                                                                                     \
    X(FBI_NUMBER, "upper", 0, 1, 9)                                                                                    \
    X(FIN, "digits", 0, 1, 10)                                                                                         \
    X(SID, "upper", 0, 0, 0)                                                                                           \
    X(DRIVER_LICENSE, "upper", 0, 4, 20)                                                                               \
    X(PHONE, "digits", 0, 8, 15)                                                                                       \
    X(VEHICLE, "upper", 0, 3, 17)                                                                                      \
    X(EMAIL, "lower", 0, 0, 0)

struct kind_facts {
    enum registry_kind kind;
    const char *canonical;
    uint8_t width, bare_min, bare_max;
};

static const struct kind_facts kinds[] = {
#define X(id, canonical, width, min, max) {REGISTRY_##id, canonical, width, min, max},
    IDENTIFIER_KINDS(X)
#undef X
};

static const char *const kind_words[] = {
#define X(id, name, shared, surrogate) name,
    REGISTRY_KINDS(X)
#undef X
        NULL};

static const struct kind_facts *find_facts(int kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if ((int)kinds[i].kind == kind) return &kinds[i];
    return NULL;
}

bool identifier_has_bare(enum registry_kind kind)
{
    const struct kind_facts *facts = find_facts((int)kind);
    return facts && facts->bare_max > 0;
}

static const struct kind_facts *load_kind(const struct place *object, const json_t *v)
{
    int kind = place_enum(object, v, "kind", kind_words, false, -1);
    struct place at = place_member(object, "kind");
    if (kind < 0) return NULL;
    const struct kind_facts *facts = find_facts(kind);
    if (facts) return facts;
    if (registry_kind_is_surrogate((enum registry_kind)kind))
        place_error(&at,
            "%s is a surrogate key, which nothing recognises by its looks; a profile declares where it stands with "
            "\"keys\"",
            kind_words[kind]);
    else
        place_not_yet(&at, "recognising this kind in documents");
    return NULL;
}

/* The canonical form is the registry's, one for each kind; a pack may repeat it and must then be right. */
static void check_canonical(const struct place *object, const json_t *v, const struct kind_facts *facts)
{
    static const char *const words[] = {"digits", "upper", "lower", NULL};
    int form = place_enum(object, v, "canonical", words, false, -1);
    int64_t width = place_integer(object, v, "width", 1, REGISTRY_CANONICAL_MAX, -1);
    struct place form_at = place_member(object, "canonical"), width_at = place_member(object, "width");
    if (!facts) return;
    if (form >= 0 && strcmp(words[form], facts->canonical) != 0)
        place_error(&form_at, "the registry keeps %s as \"%s\"; write that or leave it out",
            registry_kind_name(facts->kind), facts->canonical);
    if (width >= 0 && facts->width == 0)
        place_error(&width_at, "%s has no fixed width; leave it out", registry_kind_name(facts->kind));
    else if (width >= 0 && width != facts->width)
        place_error(&width_at, "the registry keeps %s %u characters wide; write that or leave it out",
            registry_kind_name(facts->kind), facts->width);
}

static enum rule_bare load_bare(
    const struct place *object, const json_t *v, const struct kind_facts *facts, bool labels)
{
    static const char *const words[] = {"none", "nine_digits", "labelled", NULL};
    enum rule_bare bare = (enum rule_bare)place_enum(object, v, "bare", words, false, BARE_NONE);
    struct place at = place_member(object, "bare");
    if (!facts || bare == BARE_NONE) return BARE_NONE;
    if (bare == BARE_NINE_DIGITS && facts->kind != REGISTRY_ALIEN_NUMBER)
        place_error(&at, "only an alien_number is looked up from nine digits without a label; write \"labelled\"");
    else if (facts->bare_max == 0)
        place_error(&at, "%s is never digits alone; leave \"bare\" out", registry_kind_name(facts->kind));
    else if (!labels)
        place_error(&at, "bare digits need \"labels\" that say what they are");
    return bare;
}

static bool load_where(const struct place *object, const json_t *v, bool pattern, bool labels)
{
    static const char *const words[] = {"anywhere", "labelled", NULL};
    int where = place_enum(object, v, "where", words, false, 0);
    struct place at = place_member(object, "where");
    if (!json_object_get(v, "where")) return pattern;
    if (!pattern)
        place_error(&at, "says where the pattern is tried, and there is no \"pattern\"");
    else if (where == 1 && !labels)
        place_error(&at, "a pattern for labelled values needs \"labels\"");
    return pattern && where == 0;
}

static void load_pattern(struct loader *l, const struct place *object, const json_t *v, struct rule *r)
{
    const char *pattern = place_string(object, v, "pattern", false, NULL);
    struct place at = place_member(object, "pattern");
    if (pattern) (void)pattern_compile(l, &at, pattern, true, &r->pattern);
}

/* Which kinds a syntax tells of. */
static bool syntax_tells(enum rule_syntax syntax, enum registry_kind kind)
{
    switch (syntax) {
    case SYNTAX_EMAIL: return kind == REGISTRY_EMAIL;
    case SYNTAX_PHONE: return kind == REGISTRY_PHONE;
    case SYNTAX_VIN: return kind == REGISTRY_VEHICLE;
    case SYNTAX_MRZ:
        return kind == REGISTRY_PASSPORT || kind == REGISTRY_VISA_FOIL || kind == REGISTRY_ALIEN_NUMBER ||
               kind == REGISTRY_RECEIPT_NUMBER;
    case SYNTAX_NONE:
    case SYNTAX_COUNT: break;
    }
    return true;
}

static enum rule_syntax load_syntax(const struct place *object, const json_t *v, const struct kind_facts *facts)
{
    static const char *const words[] = {
#define X(id, name) name,
        RULE_SYNTAXES(X)
#undef X
            NULL};
    int word = place_enum(object, v, "syntax", words, false, -1);
    enum rule_syntax syntax = (enum rule_syntax)(word + 1);
    struct place at = place_member(object, "syntax");
    if (facts && !syntax_tells(syntax, facts->kind))
        place_error(&at, "\"%s\" tells nothing of %s; leave it out", words[word], registry_kind_name(facts->kind));
    if (syntax != SYNTAX_NONE && json_object_get(v, "pattern"))
        place_error(&at, "stands instead of a \"pattern\"; make two rules");
    return syntax;
}

void identifiers_load(struct loader *l, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"id", true, false}, {"title", true, false}, {"why", true, false},
        {"kind", true, false}, {"pattern", false, false}, {"where", false, false}, {"syntax", false, false},
        {"canonical", false, false}, {"width", false, false}, {"labels", false, false}, {"bare", false, false},
        {"tests", true, false}, {NULL, false, false}};
    (void)place_check_members(at, v, members);
    if (!json_is_object(v)) return;
    struct rule *r = rule_begin(l, at, v);
    if (!r) return;
    bool pattern = json_object_get(v, "pattern") != NULL, labels = json_object_get(v, "labels") != NULL;
    const struct kind_facts *facts = load_kind(at, v);
    load_pattern(l, at, v, r);
    check_canonical(at, v, facts);
    enum rule_bare bare = load_bare(at, v, facts, labels);
    bool own_syntax = load_where(at, v, pattern, labels);
    enum rule_syntax syntax = load_syntax(at, v, facts);
    if (!pattern && !json_object_get(v, "syntax") && !json_object_get(v, "bare"))
        place_error(at, "has neither \"pattern\" nor \"syntax\" nor \"bare\" and can never match; give it one of them");
    r->identifier = (struct rules_identifier){.id = (rule_id)(l->set->rules.count - 1),
        .name = r->name,
        .title = r->title,
        .kind = facts ? facts->kind : REGISTRY_ALIEN_NUMBER,
        .bare = bare,
        .syntax = syntax,
        .own_syntax = own_syntax,
        .bare_min = facts && bare ? facts->bare_min : 0,
        .bare_max = facts && bare ? facts->bare_max : 0,
        .width = facts ? facts->width : 0};
}
