/* What the files of this folder share: the compiled set and the loader's working state. Private to rules. */
#ifndef GATE1367_RULES_SET_H
#define GATE1367_RULES_SET_H

#include "rules/needles.h"
#include "rules/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs/hs.h>
#include <pcre2.h>

#define SET_MAGIC 0x52534554u
#define DOCUMENT_MAGIC 0x52444f43u
#define PROFILE_MAGIC 0x5250524fu
#define SCRATCH_MAGIC 0x52534352u

#define LABEL_MAX 128      /* bytes of a label; longer field names can still carry a prefix label */
#define LITERAL_MIN 3      /* shorter ones would wake the expressions all the time */
#define LITERAL_MAX 128
#define VALUE_MAX 64       /* bytes of a code value once normalised */
#define LOOKBEHIND_MAX 64  /* 10-domain 2.2: overlap that a streaming matcher keeps */
#define STATES_MAX 4096
#define SEGMENTS_MAX 64
#define PATHS_MAX 256

/* ---- growing lists ---------------------------------------------------------------------------------------------- */

struct list {
    void *items;
    size_t count, capacity;
};
/* A zeroed new last element of `size` bytes (the same for every call on one list), NULL: out of memory. */
void *list_add(struct list *l, size_t size);
void list_free(struct list *l);
#define LIST_AT(l, type, i) (&((type *)(l)->items)[i])

/* ---- paths ------------------------------------------------------------------------------------------------------ */

enum selector {
    SELECT_NAME,
    SELECT_INDEX,
    SELECT_ANY,     /* every member and every element, as in RFC 9535 */
    SELECT_ELEMENT, /* every element, no member: only the unprofiled document asks for it */
};
struct path_segment {
    enum selector selector;
    bool descend; /* ..selector: here or anywhere below */
    span name;
    uint64_t index;
};
struct path_expr {
    struct path_segment *segments;
    size_t count;
    const char *text; /* as written */
};
/* NULL when it parsed, else what is wrong and what would be right (static text); *offset says where. */
const char *path_parse(struct arena *a, span text, struct path_expr *out, size_t *offset);
bool path_equal(const struct path_expr *a, const struct path_expr *b);

/* One declared path of a document. */
struct path_decl {
    struct path_expr expr;
    enum path_role role;
    uint16_t unit;
    enum registry_kind kind;
    bool absent_null;
    struct place at;
};

/* Deterministic automaton: next[state][column], columns being the member names (0: any other) and then the element
 * indices (first: any other). */
struct automaton {
    uint16_t states, names, indices;
    uint8_t *others; /* by symbol: PATH_OTHERS_… under it */
    uint8_t root_others;
    bool others_are_void;
    span *name;      /* sorted; symbol i+1 */
    uint64_t *index; /* sorted */
    path_state *next;
    struct path_info *info;
    uint64_t *searched; /* by state: bits of the parameters that search what stands there or below */
    uint64_t *members; /* states × words: which declared positions a state stands for */
    size_t *end;       /* by declaration: the position where it ends */
    size_t words;
};
static inline size_t automaton_columns(const struct automaton *m) { return (size_t)m->names + m->indices + 2; }

enum automaton_outcome { AUTOMATON_OK, AUTOMATON_NO_MEMORY, AUTOMATON_TOO_MANY };
enum automaton_outcome automaton_build(
    struct arena *a, const struct path_decl *decls, size_t count, bool complete, struct automaton *out);
/* Does the path of declaration `decl` end at the state? */
bool automaton_accepts(const struct automaton *m, size_t decl, path_state s);
/* Marks the states that can stand below the places where declaration `decl` ends. */
void automaton_mark_below(const struct automaton *m, size_t decl, bool *below);

/* ---- path templates --------------------------------------------------------------------------------------------- */

struct template_part {
    enum { PART_LITERAL, PART_ANY, PART_REST } kind;
    span text;
};
struct template {
    struct template_part *parts;
    size_t count;
};
const char *template_parse(struct arena *a, const char *text, struct template *out);
bool template_matches(const struct template *t, span path);
/* Does every path of b match a, so that b after a is never reached? */
bool template_covers(const struct template *a, const struct template *b);
/* Is there a path that matches both? */
bool template_overlaps(const struct template *a, const struct template *b);

/* ---- the set ---------------------------------------------------------------------------------------------------- */

#define QUERY_SEARCHES_MAX 64
#define QUERY_ONLY_MAX 32
#define QUERY_NO_SEARCH UINT16_MAX
/* COLUMN: of `columns`, spoken of in the dialect. DROP: taken, and not handed on. */
enum query_kind { QUERY_ANY, QUERY_SEARCH, QUERY_SORT, QUERY_ONLY, QUERY_COLUMN, QUERY_DROP };
#define RULES_DIALECTS(X)                                                                                              \
    X(DATATABLES, "datatables")                                                                                        \
    X(POSTGREST, "postgrest")
enum rules_dialect {
    RULES_DIALECT_NONE,
#define X(id, name) RULES_DIALECT_##id,
    RULES_DIALECTS(X)
#undef X
};
/* What a restricted recipient may ask for, or (`only`) what is asked for in every answer. */
struct query_parameter {
    span name; /* decoded; of `only` none */
    enum query_kind kind;
    enum rules_match match;
    bool any_of;       /* of several values one is enough */
    bool may_be_empty; /* an empty value filters nothing */
    uint16_t number;   /* its bit in automaton.searched, or QUERY_NO_SEARCH */
    int unit;          /* as declared, or -1 */
    uint64_t units[PATHS_MAX / 64]; /* ordinals of the units that go where nothing of it stands */
    bool lines;                     /* in NDJSON the lines do */
    span *values;                   /* SORT, ONLY */
    size_t value_count;
    struct place at;
};
/* Is there a letter or digit in it, once folded? */
bool search_folds(span text);
/* The bytes that percent-encoded text stands for, + being a space. False: a broken escape. out has room for s.len. */
bool template_decode(span s, uint8_t *out, size_t *len);
/* Is the encoded text this one, decoded? */
bool template_equals(span encoded, span text, bool plus_is_space);

/* The document as a recipient gets it whose people can write some of it. */
struct writable {
    span recipient;
    struct rules_document *document;
    struct place at;
};

struct rules_document {
    uint32_t magic;
    const struct rules_document *base; /* of one for a recipient that can write: the declared one; else NULL */
    struct writable *writable;
    size_t writable_count;
    struct rules_document_view view;
    struct template template;
    struct automaton automaton;
    struct query_parameter *parameters;
    size_t parameter_count, searching, only_values;
    enum rules_dialect dialect;
    enum rules_match column_match;
    bool column_ranges; /* comparisons are let through, and not looked for again */
    bool drops;         /* some parameter is not handed on */
    struct example *examples; /* of the profile's tests; of the base alone */
    size_t examples_size;
    struct place at;
};

struct rules_profile {
    uint32_t magic;
    const char *id, *title;
    const char *system;
    bool shadow; /* decides nothing */
    enum rules_on_finding on_finding;
    bool explained; /* says why what it finds may leave a trace */
    struct list documents; /* struct rules_document * */
    struct place at;
    const json_t *json; /* its tests are read from it, as long as the sources live */
};

struct regular;
struct pattern {
    pcre2_code *code; /* NULL: none */
    uint32_t lookbehind;
    uint32_t shortest; /* bytes of a match, at least */
    const uint8_t *class_of; /* of each byte, as far as the expression can tell them apart; NULL: no memo */
    uint16_t memo;           /* its number */
    bool blind;              /* takes all digits for one, and each letter in both cases */
    bool takes_words;        /* may match in a word of letters, so that hardly a value is passed over */
};

/* What one expression found in a text (memo.c). */
#define MEMO_TEXT 64
#define MEMO_WAYS 8 /* texts kept for each expression */
#define MEMO_MATCHES 3
struct memo {
    uint8_t classes[MEMO_TEXT];
    uint8_t len; /* 0: none */
    uint8_t count, bounds[MEMO_MATCHES][4];
};

struct rule {
    const char *name, *title, *why;
    bool is_marker;
    struct rules_identifier identifier;
    struct rules_marker marker;
    struct pattern pattern;
    struct list labels, values, literals; /* struct word */
    uint64_t proposal; /* its bit among its like (struct proposals), or 0 */
    struct place at;
    const json_t *json;
};

struct word {
    span text;
    bool prefix; /* labels that end in '*' */
    bool suffix; /* labels that begin with it */
};

struct label_node {
    uint8_t byte;
    uint16_t child, sibling;
    label_set exact, prefix; /* what a name that ends here carries; what one that goes on carries at least */
};

/* Label sets are interned: every set that a name, or a name and its parent, can ever carry is known at load. */
#define LABEL_INHERITING 8
struct labels {
    struct list nodes; /* struct label_node, a trie; node 0 is the root */
    uint16_t first[36]; /* under the root, by digit and letter; 0: none */
    struct list sets;  /* struct label_rules; set 0 is empty */
    struct list tails; /* struct label_tail, the longest first */
    uint32_t tail_ends; /* a bit for each letter that one of them ends in */
    label_set inherited[LABEL_INHERITING];
};
/* What a name carries that ends so and is no other label. */
struct label_tail {
    span text;
    label_set set;
};
struct label_rules {
    uint64_t *bits; /* of rule ids */
    label_set joined[LABEL_INHERITING]; /* the union with what the i-th inheriting name carries itself */
    struct list identifiers, markers;   /* const struct rule * */
    uint64_t identifier_bits, marker_bits; /* of those that have bits in bound_proposals, marker_proposals */
};

struct literals {
    hs_database_t *database; /* NULL: no free-text marker */
    size_t overlap;
    struct list owners; /* rule_id, by literal */
    struct needles needles;
    needles_function *find;
};

/* Many rules as one deterministic automaton. A state is where its row begins in `next`: for each class of bytes the next
 * state, then what was found on the way to it, then what is found where the text ends there (places in `mask`). */
#define PROPOSALS_EXTRA 2
struct proposals {
    struct rule **rules; /* in file order; the first 64 have bits, the others are always tried */
    size_t count;
    uint64_t always;          /* bits of rules that the automaton does not know */
    unsigned states, classes; /* 0 states: there is none */
    uint32_t loud;            /* states from here on have found something */
    uint8_t class_of[256];
    uint32_t fresh[256]; /* by the byte before: the state that a search from inside a text begins in */
    const uint32_t *next;
    const uint64_t *mask; /* bits of rules that may have matched */
    struct rules_needs needs; /* of all of them; nothing is enough where there is no rule */
};

/* Adds what the rules of these nodes need; that there is one that needs nothing. */
void needs_of(const struct regular *r, struct rules_needs *out);
void needs_always(struct rules_needs *out);

struct rules_set {
    uint32_t magic;
    struct arena *arena;
    struct list rules;    /* struct rule */
    struct list packs;    /* const char * */
    struct list profiles; /* struct rules_profile * */
    const char **profile_names;
    struct list anywhere;  /* const struct rule *: identifiers with a syntax of their own */
    struct list free_text; /* const struct rule *: markers not bound to labels */
    struct labels labels;
    struct literals literals;
    struct proposals anywhere_proposals, bound_proposals; /* of identifiers; bound: to labels */
    struct proposals shape_proposals; /* anywhere_proposals, of shapes of texts */
    struct proposals marker_proposals;                    /* bound to labels, with their values */
    struct proposals text_proposals;                      /* of markers in free text */
    struct rules_document *unprofiled[2];
    uint16_t memos; /* expressions that have one */
    pcre2_general_context *memory;
    pcre2_compile_context *compile;
    uint8_t version[16];
};

struct rules_scratch {
    uint32_t magic;
    const struct rules_set *set;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    hs_scratch_t *literals;
    uint64_t *seen; /* bits of rule ids */
    struct memo *memos; /* MEMO_WAYS for each expression that has one */
    bool *memo_used; /* by expression */
    bool prefilter;
    uint64_t limits;
};

/* ---- loading ---------------------------------------------------------------------------------------------------- */

struct loader {
    struct rules_set *set;
    struct problems *problems;
    bool no_memory;
};
/* NULL after latching no_memory. */
const char *loader_text(struct loader *l, const char *s);
void *loader_alloc(struct loader *l, size_t count, size_t size);
void *loader_add(struct loader *l, struct list *list, size_t size);

void identifiers_load(struct loader *l, const struct place *at, const json_t *v);
void markers_load(struct loader *l, const struct place *at, const json_t *v);
void profiles_load(struct loader *l, const struct place *at, const json_t *v);
/* `pages` of a document, and the `cursors` that go with them. `each` takes the paths to remove. NULL after reporting, or
 * where there are none. */
typedef void cursor_path_fn(void *ctx, const struct place *at, const char *text, const struct path_expr *expr);
const struct rules_pages *pages_load(
    struct loader *l, const struct place *at, const json_t *v, cursor_path_fn *each, void *ctx);
/* A member that lists words, each of which `good` reports or says yes to, and none of which may stand there twice, by case or not.
 * False: there is no such member, or no memory. */
struct words {
    const char **list;
    size_t count;
};
typedef bool word_good_fn(const struct place *at, const char *text);
bool words_load(struct loader *l, const struct place *at, const json_t *v, const char *name, word_good_fn *good, struct words *out);
bool words_hold(const char *const *list, size_t count, span word);
/* `types` of a document. */
void types_load(struct loader *l, const struct place *at, const json_t *v, struct rules_document_view *view);
/* `headers` of a document. */
void headers_load(struct loader *l, const struct place *at, const json_t *v, struct rules_document_view *view);
/* Keeps the answers that the profiles' tests give. False: out of memory. */
bool examples_take(struct loader *l);
/* NULL after reporting. */
struct rules_document *document_load(
    struct loader *l, const struct place *at, const json_t *v, const struct rules_profile *profile);
struct rules_document *document_unprofiled(struct loader *l, bool ndjson);

/* Can a value of the kind be digits alone? */
bool identifier_has_bare(enum registry_kind kind);
/* The member of a document that declares paths of the role. */
const char *role_member(enum path_role role);
/* Reports declarations that contradict each other. */
void document_check(const struct rules_document *doc, const struct path_decl *decls, size_t count);

/* What identifiers and markers have in common: id, title, why, labels, tests. */
struct rule *rule_begin(struct loader *l, const struct place *at, const json_t *v);
/* Reports what is wrong with the tests of a rule, of a profile. */
void tests_check(const struct place *object, const json_t *v);
void tests_check_profile(const struct place *profile, const json_t *v);
bool rule_check_id(struct loader *l, const struct place *object, const json_t *v, const char *what);
/* Upper-case ASCII letters and digits of a code value; the length, or 0 when there are none or more than VALUE_MAX. */
size_t value_normalize(span value, uint8_t out[VALUE_MAX]);

bool pattern_compile(struct loader *l, const struct place *at, const char *text, bool identifier, struct pattern *out);
void pattern_free(struct pattern *p);
enum pattern_outcome { PATTERN_MISS, PATTERN_HIT, PATTERN_LIMIT };
/* `bounds`: start and end of the match, start and end of the first capture. */
enum pattern_outcome pattern_run(
    const struct pattern *p, struct rules_scratch *x, span text, size_t from, size_t bounds[4]);

/* Gives the rule's expression a memo. `r`: that expression, and all of it. */
void memo_learn(struct loader *l, struct rule *rule, const struct regular *r);
/* Does it take all digits for one, and each letter in both cases? `r`: all of it. */
bool memo_is_blind(const struct regular *r);
/* Where the text's matches are, or, when they are not known, shall be added. NULL: not kept. */
struct memo *memo_find(const struct pattern *p, struct rules_scratch *x, span text, bool *known);
void memo_add(struct memo *m, const size_t bounds[4]);
void memo_forget(struct memo *m);

bool labels_build(struct loader *l);
void labels_free(struct labels *t);
/* wrappers.c, of the last step of a decoded name: does it only say how a value is written or when it was so; may it be what a member
 * that names something is about, and is it worth to ask for one; is a number under it what its kind says? Of some only the
 * letters and digits are given, in lower case. */
bool rules_name_wraps(span name);
bool rules_name_is_said(span name);
bool rules_name_is_value(span name);
bool rules_name_is_asked(span word);
enum rules_beside rules_name_names(span word);
/* The name without what only says how a value is kept or when it was so: SSN__c, ssn_txt, ssnOld, u_ssn. All of it: there is nothing
 * like that. */
span rules_name_bare(span name);

const struct label_rules *labels_of(const struct rules_set *s, label_set set);
bool literals_build(struct loader *l);
void literals_free(struct literals *t);
bool proposals_build(struct loader *l);
/* The rules that may match somewhere in the text. */
uint64_t proposals_run(const struct proposals *p, span text);
/* Whether the rule of this bit may match from `from` (over 0) on; always true of one without a bit. */
bool proposals_more(const struct proposals *p, uint64_t rule, span text, size_t from);

static inline bool bit_get(const uint64_t *bits, size_t i) { return bits[i / 64] >> (i % 64) & 1; }
static inline void bit_set(uint64_t *bits, size_t i) { bits[i / 64] |= UINT64_C(1) << (i % 64); }
static inline size_t bit_words(size_t n) { return n / 64 + 1; }

#endif
