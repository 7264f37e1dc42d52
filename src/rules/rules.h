/* rules: loads, checks and compiles rule packs: identifiers, markers, profiles. What comes out is immutable and shared by
 * all exchanges of a worker. Pure: the caller read the files. One bad rule refuses the whole set. */
#ifndef GATE1367_RULES_H
#define GATE1367_RULES_H

#include "base/base.h"
#include "registry/registry.h"
#include "source/source.h"

/* ---- identifiers and markers ------------------------------------------------------------------------------------ */

typedef uint16_t rule_id; /* index over all identifiers and markers of the set, in file order */
#define RULE_NONE 0xFFFF

/* Digits without a syntax: never looked up; looked up wherever nine stand alone, and labelled; only labelled. */
enum rule_bare { BARE_NONE, BARE_NINE_DIGITS, BARE_LABELLED };

/* Spellings that are read by the gateway itself, and not by an expression, because a check digit or a shape says more. */
#define RULE_SYNTAXES(X)                                                                                               \
    X(EMAIL, "email")                                                                                                  \
    X(PHONE, "phone")                                                                                                  \
    X(VIN, "vin")                                                                                                      \
    X(MRZ, "mrz")
enum rule_syntax {
    SYNTAX_NONE,
#define X(id, name) SYNTAX_##id,
    RULE_SYNTAXES(X)
#undef X
        SYNTAX_COUNT
};

struct rules_identifier {
    rule_id id;
    const char *name, *title;
    enum registry_kind kind;
    enum rule_bare bare;
    enum rule_syntax syntax;
    uint8_t bare_min, bare_max; /* digits a bare value under one of its labels may have (after folding) */
    uint8_t width; /* of the canonical form, 0: any. A JSON number of fewer digits has lost leading zeros: pad it */
    bool own_syntax;            /* its pattern is tried under any name, else only under its labels */
};

enum rule_strength { RULE_SUSPECTED, RULE_DEFINITIVE };

struct rules_marker {
    rule_id id;
    const char *name, *title;
    enum rule_strength strength;
    bool has_labels, has_values, has_pattern;
};

/* ---- profiles --------------------------------------------------------------------------------------------------- */

/* What a path says about the value that stands there; one bit each, so that a value may play several parts. Everything
 * but PATH_ALLOWED is said of the value alone, not of what stands inside it: inside `texts` and `uniform` the texts win,
 * whatever the paths say there (the loader warns). A document that has `allow` shows a value only with PATH_ALLOWED, or a
 * container with PATH_ON_THE_WAY; state 0 there means "removed". The loader refuses a value that is a unit or a count
 * and in texts or uniform, and one that is in both. */
enum path_role {
    PATH_UNIT = 1 << 0,     /* the value (or the member or element that holds it) is a unit */
    PATH_KEY = 1 << 1,      /* a surrogate key: `kind` below */
    PATH_COUNT = 1 << 2,    /* a count of the units of `unit` */
    PATH_UNIFORM = 1 << 3,  /* removed for every restricted recipient; findings inside count */
    PATH_TEXT = 1 << 4,     /* removed likewise; findings inside do not */
    PATH_ALLOWED = 1 << 5,  /* on or below a path of `allow` (only where the document has an `allow`) */
    PATH_ON_THE_WAY = 1 << 6, /* a container that leads to an allowed path: kept, its other members are not. A scalar
                                 that stands there instead is not allowed */
    PATH_DROPPABLE = 1 << 7, /* container some of whose elements or members may be removed: an empty one is normalised */
    PATH_QUERY = 1 << 8,    /* searched by a query parameter: this value and everything in it */
    PATH_LINK = 1 << 9,     /* joins units: `links` */
    PATH_ID = 1 << 10,      /* graph: what names the object around it */
    PATH_REF = 1 << 11,     /* graph: what names another object; the value may be an object that holds the id */
    PATH_ASIDE = 1 << 12,   /* graph: a member that says nothing of its object's own (a type, a language) */
    PATH_ORPHAN = 1 << 13,  /* graph: an object that goes with the last reference to it */
    PATH_PSEUDONYM = 1 << 16, /* replaced for every restricted recipient by what stands for it */
    PATH_LISTED = 1 << 14,  /* graph: in a list inside a reference ({"@list": [{…}]}), and no more than it */
    PATH_CURSOR = 1 << 15,  /* leads to another page; PATH_TEXT too: what the origin wrote there goes, and says nothing */
};

struct path_info {
    uint32_t roles;
    uint16_t unit;  /* ordinal of the unit declaration (PATH_UNIT), or of the units that a count counts (PATH_COUNT) */
    uint8_t kind;   /* enum registry_kind (PATH_KEY, PATH_LINK) */
    bool absent_null; /* unit that is written null when withheld */
};

/* The automaton over the paths of one document. States are small integers; 0 is "nothing can match below here". The
 * root value of the document (for NDJSON: of each line) has state path_root(). */
struct rules_document;
typedef uint16_t path_state;
typedef uint16_t path_symbol; /* a member name that occurs in the document's paths; 0: any other name */
path_state path_root(const struct rules_document *d);
path_symbol path_symbol_of(const struct rules_document *d, span decoded_name);
/* Whether a path says something of members that none names (a wildcard): of an object under this name, wherever it
 * stands; of objects in an array under it. The same of the root. */
enum { PATH_OTHERS_MEMBERS = 1, PATH_OTHERS_ELEMENTS = 2 };
unsigned path_others(const struct rules_document *d, path_symbol name);
unsigned path_root_others(const struct rules_document *d);
/* Whether nothing is declared of a container under a name that is in no path, where path_others() says nothing, nor of
 * elements in it, and nothing in them may be left out. */
bool path_others_are_void(const struct rules_document *d);
path_state path_member(const struct rules_document *d, path_state s, path_symbol name);
path_state path_element(const struct rules_document *d, path_state s, uint64_t index);
const struct path_info *path_info_of(const struct rules_document *d, path_state s); /* never NULL */

struct rules_profile; /* opaque */
struct rules_set;

/* What becomes of an answer in which something is found. X(ID, name, leaves a trace that something is there) */
#define RULES_ON_FINDING(X)                                                                                            \
    X(WITHHOLD, "withhold", false)                                                                                     \
    X(BLOCK, "block", false)                                                                                           \
    X(REDACT, "redact", true)                                                                                          \
    X(MASK, "mask", true)                                                                                              \
    X(PSEUDONYM, "pseudonym", true)                                                                                    \
    X(REPORT, "report", true)
enum rules_on_finding {
#define X(id, name, visible) ON_FINDING_##id,
    RULES_ON_FINDING(X)
#undef X
};
bool rules_is_visible(enum rules_on_finding verb);
bool rules_replaces(enum rules_on_finding verb); /* what was found gives way to something else */
const char *rules_on_finding_name(enum rules_on_finding verb);

/* How a value stands in a text, both without marks, case, punctuation and spaces. X(ID, name) */
#define RULES_MATCHES(X)                                                                                               \
    X(CONTAINS, "contains") /* somewhere in it */                                                                      \
    X(EQUALS, "equals")                                                                                                \
    X(PREFIX, "prefix") /* at its beginning */                                                                         \
    X(WORDS, "words")   /* each word of the value begins some word, of any of the texts */
enum rules_match {
#define X(id, name) RULES_MATCH_##id,
    RULES_MATCHES(X)
#undef X
};
const char *rules_match_name(enum rules_match match);

/* What becomes of the body of a restricted recipient's request, where the route lets one through. X(ID, name) */
#define RULES_BODIES(X)                                                                                                \
    X(REFUSE, "refuse") /* the canonical not-found */                                                                  \
    X(ANY, "any")       /* it filters nothing */
enum rules_body {
#define X(id, name) RULES_BODY_##id,
    RULES_BODIES(X)
#undef X
    RULES_BODY_UNSAID, /* it goes on, and check warns */
};

struct rules_miss {
    bool given;
    unsigned status;
    const char *type; /* media type */
    span body;
};

/* How a list is asked for page by page. X(ID, name) */
#define RULES_PAGE_STYLES(X)                                                                                           \
    X(OFFSET, "offset") /* from the n-th unit on */                                                                    \
    X(PAGE, "page")     /* the n-th page */                                                                            \
    X(CURSOR, "cursor") /* behind what a value of the page before says, sent back as a parameter */                    \
    X(LINK, "link")     /* the same, as a whole URL */
enum rules_page_style {
#define X(id, name) PAGE_STYLE_##id,
    RULES_PAGE_STYLES(X)
#undef X
};
/* Where a cursor leads. */
#define RULES_CURSOR_AIMS(X)                                                                                           \
    X(NEXT, "next")                                                                                                    \
    X(PREVIOUS, "previous")                                                                                            \
    X(FIRST, "first")                                                                                                  \
    X(LAST, "last")
enum rules_cursor_aim {
#define X(id, name) CURSOR_##id,
    RULES_CURSOR_AIMS(X)
#undef X
        CURSOR_AIM_COUNT
};
/* What is written there. */
#define RULES_CURSOR_FORMS(X)                                                                                          \
    X(LINK, "link")     /* a URL */                                                                                    \
    X(VALUE, "value")   /* what the page's parameter takes, as a text */                                               \
    X(NUMBER, "number") /* the same as a number: an offset, a page */                                                  \
    X(RELATIONS, "relations") /* all of them: an array of objects, each with "relation" and "url" (FHIR) */
enum rules_cursor_form {
#define X(id, name) CURSOR_AS_##id,
    RULES_CURSOR_FORMS(X)
#undef X
};
struct rules_cursor {
    const span *names; /* members from the root on */
    size_t count;
    size_t shared; /* so many of them lead to the list too; what is removed is the one behind them */
    enum rules_cursor_aim aim;
    enum rules_cursor_form form;
    bool absent_null; /* null where there is no such page, else no member */
};
struct rules_pages {
    enum rules_page_style style;
    span offset, limit, page, cursor; /* query parameters, decoded; empty: none */
    const span *items;                /* members from the root to the array of units; none: the root is it */
    size_t items_count;
    uint64_t default_limit; /* units of a page where nobody says */
    uint64_t max_limit;     /* that the origin gives at once; 0: not known */
    uint64_t scan;          /* visible units that are read for one page at most */
    uint64_t first;         /* number of the first page */
    size_t size;            /* bytes of an origin's cursor at most: ours all have one length */
    span total, link, range; /* fields of the head; empty: none */
    const struct rules_cursor *cursors;
    size_t cursor_count;
    const struct rules_cursor *next; /* where the origin says how to go on; NULL: nowhere in the body */
};

/* Borrowed views, alive as long as the set. */
struct rules_document_view {
    const struct rules_profile *profile;
    const char *profile_id, *path_template;
    uint32_t system; /* registry_system_id of the profile's system */
    bool complete;   /* counts are written, else removed */
    bool has_allow;
    bool independent; /* units do not refer to each other: each may leave as soon as it is decided */
    enum rules_on_finding on_finding;
    bool root_is_unit;
    bool reads_all; /* of a list in pages: each page reads the whole of it, for `complete` says so, or for units are joined */
    bool has_links, has_graph, has_pseudonyms;
    uint16_t units;  /* number of unit declarations; of a graph the last is "an object that has an id" */
    struct rules_miss miss;
    const struct rules_pages *pages; /* NULL: the answer is no page of a list */
    enum rules_body body;
    const char *const *types;   /* media types in which restricted recipients get it */
    size_t type_count;          /* 0: any that can be read */
    const char *const *headers; /* fields of the head that restricted recipients get too, ascending without case */
    size_t header_count;
};
const struct rules_document_view *rules_document_view(const struct rules_document *d);
/* Whether the document is described in that media type, without parameters: a client may ask an origin for other shapes of it. */
bool rules_document_comes_as(const struct rules_document *d, span media_type);
/* The i-th answer that the profile's own tests give for the document, compact JSON where they give a value. False: there are
 * no more. All of a document have RULES_EXAMPLES_MAX bytes at most: what is over is left out. */
#define RULES_EXAMPLES_MAX ((size_t)32 * 1024)
bool rules_document_example(const struct rules_document *d, size_t i, span *out);
/* The synthetic document of `unprofiled: inspect`. JSON: unit 0 is the document, unit 1 (inside it) the element of a
 * root array; NDJSON: unit 0 is the line. No keys, no query, view.profile NULL. */
const struct rules_document *rules_unprofiled(const struct rules_set *s, bool ndjson);

const struct rules_profile *rules_find_profile(const struct rules_set *s, span id);
/* NULL-terminated, for "did you mean". */
const char *const *rules_profile_names(const struct rules_set *s);
/* The i-th documents entry, or NULL past the last. */
const struct rules_document *rules_profile_document(const struct rules_profile *p, size_t i);
/* Leaves a trace of what it finds, and gives no reason (`visible_redaction`) why a restricted recipient may see it. */
bool rules_profile_is_traceable(const struct rules_profile *p, enum rules_on_finding *verb);
/* `mode: shadow`: evaluated beside the rules in force and decides nothing. */
bool rules_profile_is_shadow(const struct rules_profile *p);
/* The first documents entry of a profile in shadow that describes the path, packs in order; NULL: none. */
const struct rules_document *rules_shadow_document(const struct rules_set *s, span path);
/* First documents entry whose template matches the path as it came (segments are percent-decoded here; a broken escape
 * matches no literal). {name}: one segment that is not empty; *: the rest, possibly empty. NULL: none. */
const struct rules_document *rules_find_document(const struct rules_profile *p, span path);
/* The document as this recipient gets it, who is restricted: `writable_by`. */
const struct rules_document *rules_document_for(const struct rules_document *d, span recipient);
/* Is it one of those? */
bool rules_document_is_written(const struct rules_document *d);
/* The i-th recipient of `writable_by`, and where it is named. False: there are no more. */
bool rules_document_writer(const struct rules_document *d, size_t i, span *recipient, struct place *at);

/* ---- what a restricted recipient asks for ----------------------------------------------------------------------- */

/* What one request's query asks for, and what `only` asks for in every answer. Lives in the arena. */
struct rules_search;
enum rules_query { RULES_QUERY_REFUSED, RULES_QUERY_ALLOWED, RULES_QUERY_NO_MEMORY };
/* May a restricted recipient send this query (without '?')? Every parameter (name decoded once, + is a space) must be
 * listed in `query` or be one of `pages`; an empty parameter ("a=1&&b=2") or a raw semicolon is not allowed; the empty query always is. The value of
 * one that searches must be well-formed and hold a letter or digit, that of one that sorts be a listed one. *out: NULL where
 * nothing need be looked for. */
enum rules_query rules_query_read(
    const struct rules_document *d, span query, struct arena *a, const struct rules_search **out);
/* Is there a parameter that `query` says is dropped? What of an allowed query goes to the origin then. ptr NULL: no memory. */
bool rules_query_drops(const struct rules_document *d);
span rules_query_handed_on(const struct rules_document *d, span query, struct arena *a);
/* The same, only asked. */
bool rules_query_allowed(const struct rules_document *d, span query);
/* Bits of what stands in a text at this place. `room`: for text.len bytes. */
uint64_t rules_search_look(const struct rules_search *q, path_state state, span text, uint8_t *room);
/* Each condition leaves units of some declarations out (in NDJSON perhaps the line) in which it does not hold. */
size_t rules_search_conditions(const struct rules_search *q);
bool rules_search_leaves_out(const struct rules_search *q, size_t condition, uint16_t unit, bool is_line);
bool rules_search_holds(const struct rules_search *q, size_t condition, uint64_t found);

/* What a profile declares, in file order. The path of a unit as written; alive as long as the pack's source. */
bool rules_is_parameter(span encoded, span name); /* is it this one, once decoded? */
size_t rules_profile_documents(const struct rules_profile *p);
const char *rules_unit_path(const struct rules_document *d, uint16_t unit);
/* Is it a member that holds an object's id in a graph? */
bool rules_graph_names(const struct rules_document *d, const char *member);
/* Can a path below this route be one of the document's? */
bool rules_document_under(const struct rules_document *d, span route);

/* ---- matching services (called by match) ------------------------------------------------------------------------ */

/* Set of labels that a field name carries: identifiers and markers bound to it. Value 0: none. */
typedef uint32_t label_set;
/* Computed on the folded (ASCII letters and digits, lower case) name; `parent` is the label set that a member called
 * value, number, id, text or identificationID inherits, and one whose name says nothing by itself (stringValue, old, $). Cheap enough for once per distinct name of a document. */
label_set rules_labels(const struct rules_set *s, span decoded_name, label_set parent);
/* The next word or words of a folded text, from *from on, that a label would be; *from is behind it then. */
bool rules_next_label(const struct rules_set *s, span text, size_t *from, label_set *out);
bool rules_label_inherits(span decoded_name); /* is it one of value, number, id, text, identificationID, or of those that say nothing */
/* What a member may say of the others of its object, as {"type": "SSN", "id": 219098765} reads as {"SSN": {"id": 219098765}}: KIND of
 * all names that inherit or say of themselves only that they are a number ("idNumber"), NAME ("key", "title") and FIELD ("field", "column")
 * of those that say of themselves that they are a value ("newValue", "answer"). There is a NAME in most objects, for people have names
 * too: only one that has a VALUE is worth looking for one. */
enum rules_beside { RULES_BESIDE_NONE, RULES_BESIDE_KIND, RULES_BESIDE_NAME, RULES_BESIDE_FIELD, RULES_BESIDE_VALUE };
enum rules_beside rules_label_beside(span decoded_name);
/* What else a member of that name may be: {"type": {"coding": [{"code": "SSN"}]}, "id": 219098765} reads as {"SSN": {"id": 219098765}}, and
 * {"columns": ["ssn"], "rows": [[219098765]]} as a list of {"ssn": 219098765}. */
enum rules_part {
    RULES_PART_HEAD = 1 << 3,   /* a list of the names of a table's columns, or of objects with a COLUMN */
    RULES_PART_ROWS = 1 << 4,   /* a table, whose first row may be the names */
    RULES_PART_COLUMN = 1 << 5, /* in an element of HEAD: its column's name */
    RULES_PART_SAYS = 1 << 6,   /* in an object under a KIND: what the kind is */
    RULES_PART_CODING = 1 << 7, /* in it: an object, or a list of them, with a SAYS */
    RULES_PART_BESIDE = 7,      /* enum rules_beside, where both are kept together */
};
unsigned rules_label_parts(span decoded_name);
/* Is it a name whose value one of that kind may speak of? */
bool rules_label_is_told(span decoded_name, enum rules_beside by);
/* Is it a name under which programs keep what they count their own records by? */
bool rules_label_is_key(span decoded_name);
/* The identifiers bound to the set (those with `bare` say under which kinds bare digits are looked up): writes at most
 * cap of them, returns how many there are. */
size_t rules_label_identifiers(const struct rules_set *s, label_set labels, const struct rules_identifier **out, size_t cap);
bool rules_label_has_markers(const struct rules_set *s, label_set labels);

/* One worker's scratch for PCRE2 and Vectorscan; not shared between threads. */
struct rules_scratch;
struct rules_scratch *rules_scratch_new(const struct rules_set *s);
void rules_scratch_free(struct rules_scratch *x);
/* Wipes what it keeps of the texts that it has seen. */
void rules_scratch_forget(struct rules_scratch *x);
/* Property tests: off, every expression is tried on every text, whether or not an automaton proposes it, and every
 * free-text marker whether or not the text holds one of its literals. */
void rules_scratch_prefilter(struct rules_scratch *x, bool on);
/* How many times an expression met its limits and was taken for a match. */
uint64_t rules_scratch_limits(const struct rules_scratch *x);

/* What a folded text must hold, at the least, for one of many expressions to match in it: digits, letters (ASCII) and an
 * at sign. Counts over RULES_NEEDS_MOST count as that many. */
#define RULES_NEEDS_MOST 15
struct rules_needs {
    uint16_t letters[2][RULES_NEEDS_MOST + 1]; /* by at sign and digits: bit n: with n letters there may be one */
};
static inline bool rules_may_match(const struct rules_needs *n, size_t digits, size_t letters, bool at)
{
    if (digits > RULES_NEEDS_MOST) digits = RULES_NEEDS_MOST;
    if (letters > RULES_NEEDS_MOST) letters = RULES_NEEDS_MOST;
    return n->letters[at][digits] >> letters & 1;
}
/* Of the identifiers with a syntax of their own; of the markers in free text. They live as long as the set. */
const struct rules_needs *rules_identifier_needs(const struct rules_set *s);
const struct rules_needs *rules_marker_needs(const struct rules_set *s);
/* The identifiers with a syntax of their own that may stand in some folded text of this shape: '0' for every digit,
 * letters in upper case, every other byte as it is. 0: none. The bits mean something to rules_scan_proposed() alone. */
uint64_t rules_propose_shape(const struct rules_set *s, span shape);

/* Whether those of these bits, and what runs only under the labels, find the same in every text of the shape of this one. */
bool rules_see_shapes(const struct rules_set *s, uint64_t proposed, label_set labels, span text);

/* Every identifier pattern that the folded text (registry_fold) proposes: those with a syntax of their own, and those
 * bound to `labels`. Calls `each` with rule, span in text and the captured value, which registry_canonical(kind, value)
 * turns into a key or refuses; overlapping proposals are all made. A match limit met is a proposal with `limit` true (it
 * counts as a finding) and ends that rule's scan of the text. `bare` values are the caller's to find. */
typedef void rules_candidate_fn(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit);
void rules_scan_identifiers(
    const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, rules_candidate_fn *each, void *ctx);

/* Each half alone: those with a syntax of their own, and those bound to `labels`. */
void rules_scan_anywhere(
    const struct rules_set *s, struct rules_scratch *x, span folded, rules_candidate_fn *each, void *ctx);
void rules_scan_bound(
    const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, rules_candidate_fn *each, void *ctx);

/* As rules_scan_anywhere(), where rules_propose_shape() has told which may be there. */
void rules_scan_proposed(const struct rules_set *s, struct rules_scratch *x, span folded, uint64_t proposed,
    rules_candidate_fn *each, void *ctx);

/* Markers bound to labels (values and patterns) and, with `free_text`, those with literals, in one folded value; each
 * rule at most once. Code values are compared without case, spaces and punctuation ("T-1" is "T1"). */
typedef void rules_marker_fn(void *ctx, const struct rules_marker *rule, span where, bool limit);
void rules_scan_markers(const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, bool free_text,
    rules_marker_fn *each, void *ctx);
/* Literals in a raw block: offsets in it at which a literal of a free-text marker ends
 * (literals are ASCII without quote and backslash; values with escapes or bytes above ASCII need a look of their own).
 * Resumable by overlap: call with blocks that overlap by rules_literal_overlap() bytes. The same literal may be told
 * twice then. */
typedef void rules_literal_fn(void *ctx, uint64_t end_offset);
void rules_scan_literals(const struct rules_set *s, struct rules_scratch *x, span raw, rules_literal_fn *each, void *ctx);
size_t rules_literal_overlap(const struct rules_set *s);

/* ---- the set ---------------------------------------------------------------------------------------------------- */

/* Loads and compiles the packs in order; NULL after reporting every problem. The sources may be freed once nobody calls
 * rules_each_test or rules_lint any more; nothing else reads them. */
struct rules_set *rules_load(struct source *const *packs, size_t count, struct problems *problems);
void rules_free(struct rules_set *s);
size_t rules_count(const struct rules_set *s);
const char *rules_name(const struct rules_set *s, rule_id id);
const char *rules_title(const struct rules_set *s, rule_id id);
const char *rules_why(const struct rules_set *s, rule_id id); /* the paragraph that the rule serves */
/* The rule as an identifier, as a marker; NULL when it is the other. */
const struct rules_identifier *rules_identifier_at(const struct rules_set *s, rule_id id);
const struct rules_marker *rules_marker_at(const struct rules_set *s, rule_id id);
void rules_version(const struct rules_set *s, uint8_t out[16]); /* fingerprint of the packs' bytes, in order */
/* The set in one spelling, as JSON text: labels and values folded, paths normalised, sets sorted, defaults, titles and tests
 * left out; how each pattern is looked for. To be freed with mem_hook_free; NULL: out of memory. Needs the sources. */
char *rules_canonical(const struct rules_set *s);
/* The self-tests of every identifier and marker (their `tests`); the caller runs the matcher. A sample that is a text is
 * to be looked at as a document that holds it under a name without labels, an object or array as a document. "Match"
 * means that the rule recognises something there: also a suspected marker that stands alone. */
struct rules_test {
    const char *rule;       /* id */
    bool expect_match;
    bool todo;              /* a known gap: does not fail while it is one */
    const json_t *sample;   /* string, object or array; borrowed from the pack's source */
    struct place at;
};
typedef void rules_test_fn(void *ctx, const struct rules_test *t);
void rules_each_test(const struct rules_set *s, rules_test_fn *each, void *ctx);
/* The tests of profiles: an answer of the origin, who is protected, and what the recipient gets. All borrowed. */
enum rules_expect {
    RULES_EXPECT_NOT_FOUND, /* the document's miss, or the canonical not-found */
    RULES_EXPECT_UNCHANGED, /* the body byte for byte */
    RULES_EXPECT_BODY,      /* expect_body as a JSON value */
    RULES_EXPECT_TEXT,      /* expect_text to the byte */
};
struct rules_profile_test {
    const struct rules_profile *profile;
    const char *profile_id, *title;
    const char *path, *query; /* of the request; "" for no query */
    const char *type;         /* of the answer: its Content-Type */
    const char *as; /* id of the restricted recipient, or "" */
    bool entitled, todo;
    const json_t *people;      /* array of identifiers (texts), {"kind","value","system"}, registry source lines; or NULL */
    const json_t *body, *text; /* the answer, as a value or to the byte: one of them */
    enum rules_expect expect;
    const json_t *expect_body;
    const char *expect_text;
    int64_t records; /* protected records that must be found; -1: not said */
    struct place at;
};
typedef void rules_profile_test_fn(void *ctx, const struct rules_profile_test *t);
void rules_each_profile_test(const struct rules_set *s, rules_profile_test_fn *each, void *ctx);
/* Advice on what loads and is hardly meant, as warnings, each with what to do. */
void rules_lint(const struct rules_set *s, struct problems *problems);
/* The same for unit declarations that nothing matched in the profile's own tests; `met` says which were. Profiles without
 * tests are told once. */
typedef bool rules_met_fn(void *ctx, const struct rules_document *d, uint16_t unit);
void rules_lint_units(const struct rules_set *s, rules_met_fn *met, void *ctx);

#endif
