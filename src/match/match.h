/* match: walks a document once along the path automaton, finds candidates in values, confirms them against registry and
 * rules, and leaves a survey: which pieces may be withheld, what was found, and where. Decides nothing. Pure.
 *
 * Candidates are collected first and looked up in batches; markers run where their literal was seen. No allocation per
 * token: the survey's arrays grow by doubling, are kept between documents, and are wiped. */
#ifndef GATE1367_MATCH_H
#define GATE1367_MATCH_H

#include "base/base.h"
#include "doc/doc.h"
#include "registry/registry.h"
#include "rules/rules.h"

#define MATCH_NONE UINT32_MAX

/* A list element, an object member, an NDJSON line, or the whole document, that is a unit, or that a profile removes
 * for every restricted recipient (uniform, texts, counts that are not complete, what `allow` leaves out). In a graph
 * also every object: one that has an id and says something of its own is a unit (its declaration is the last). */
struct match_piece {
    uint64_t begin, end;   /* with its name, for a member; without the terminator, for a line */
    uint64_t value;        /* where the value begins */
    uint64_t previous_end; /* end of the sibling before it, or just behind the opening bracket */
    uint64_t next_begin;   /* begin of the sibling behind it, or `end` when it is the last (lines too: blank
                              lines belong to the separator) */
    uint32_t container;    /* index into containers; MATCH_NONE for the whole document */
    uint32_t ordinal;      /* its position among all siblings, from 0 */
    uint32_t unit_parent;  /* innermost unit piece around it (in a graph: or object), or MATCH_NONE */
    uint32_t roles;        /* of path_info; 0 in an `allow` document for what is not allowed */
    uint16_t unit;         /* ordinal of the unit declaration (PATH_UNIT) */
    uint32_t depth;        /* containers open at once (the root container is 1) at the deepest place in it that
                              is in no piece inside it; 0: it holds no container of its own */
    uint64_t found;        /* of a unit: what of the search stands in it, outside units inside it and what is removed */
    uint32_t says;         /* graph: members of an object that are neither its id nor a reference nor an aside */
    bool is_object;        /* graph: every object is a piece, and one of the chain that unit_parent makes */
    bool is_reference;     /* graph: an object that says nothing of its own: it stands for the one that it names */
    bool names;            /* graph: an id or a reference stands in it itself */
    bool is_member, is_line, is_root; /* every NDJSON line is a piece, unit or not: what does not parse goes alone */
    bool absent_null;
    bool removed; /* uniformly, for every restricted recipient */
    bool marked;  /* a definitive marker stands in it, outside texts and units inside it */
};

/* A value alone where `allow` knows only what may stand below it, and where the profile writes null for nobody: an origin's own null
 * stays there, so that no value may vanish. */
//= ICE10036.2 2.1
static inline bool match_piece_says_nobody(const struct match_piece *p)
{
    const uint32_t gone = PATH_UNIFORM | PATH_TEXT | PATH_COUNT;
    return p->removed && p->is_member && p->absent_null && (p->roles & PATH_ON_THE_WAY) && !(p->roles & gone);
}

/* An object, array or NDJSON body that has a piece, or that is empty at a droppable place. */
struct match_container {
    uint64_t open, close; /* offsets of the brackets; of the body's ends for NDJSON */
    uint32_t children;
    bool is_lines;
    bool outer; /* inside no piece */
};

struct match_count {
    uint64_t begin, end; /* of the value */
    uint32_t piece;      /* the piece to drop where the document is not complete, else MATCH_NONE */
    uint32_t unit_parent;
    uint16_t unit; /* declaration that it counts */
    bool quoted;   /* a string: keep it one */
};

/* A value that every restricted recipient gets something else for; not where it is removed. */
struct match_pseudonym {
    uint64_t begin, end; /* of the value, with its quotes */
    uint32_t text, len;  /* in survey.pseudonym_text: decoded */
};

/* What of the search stands in a value that something else may take the place of: only in documents whose findings are replaced. */
struct match_held {
    uint64_t at;    /* of the value, as in struct match_finding */
    uint64_t found; /* as in struct match_piece */
    uint32_t unit;  /* piece */
};

enum match_origin { MATCH_REGISTRY, MATCH_DEFINITIVE, MATCH_SUSPECTED, MATCH_FLAW, MATCH_LIMIT };

struct match_finding {
    uint64_t at;      /* of the value (or name) it stands in */
    uint64_t subject; /* MATCH_REGISTRY: a protected subject's handle */
    uint32_t len;
    uint32_t unit;  /* innermost unit piece around it (in a graph: match_owner of this), MATCH_NONE: outside every unit */
    rule_id rule;   /* RULE_NONE for flaws */
    uint8_t origin; /* enum match_origin */
    uint8_t kind;   /* enum registry_kind of a MATCH_REGISTRY finding, enum doc_flaw of a MATCH_FLAW one */
    bool in_text;   /* inside `texts`: about somebody else */
    bool in_name;   /* in a member's name or a field of the head, which nothing can take the place of */
};

/* A value that joins pieces: of `links` and `keys`, or an id in a graph. Equal values (in one space: MATCH_GRAPH or not)
 * are equal texts. `piece` MATCH_NONE: it stands outside every unit. */
enum match_link_part {
    MATCH_TELLS = 1,   /* where the piece is withheld for its own sake, the value is a withheld person's */
    MATCH_FOLLOWS = 2, /* where the value is a withheld person's, the piece is withheld */
    MATCH_DEFINES = 4, /* graph: the piece is what the id names */
    MATCH_STANDS = 8,  /* graph: a reference stands in the piece */
    MATCH_GRAPH = 16,
    MATCH_UNSEEN = 32, /* no restricted recipient sees it, whoever is withheld */
};
struct match_link {
    uint64_t hash;      /* of the text: equal texts have equal hashes */
    uint32_t text, len; /* in survey.link_text, canonical */
    uint32_t piece;
    uint8_t part; /* enum match_link_part */
};

/* A person's own identifier (no surrogate key, nothing shared) in a unit with a definitive marker, registered or not. */
struct match_identifier {
    uint32_t unit; /* piece; in a graph see match_owner */
    uint32_t text; /* in survey.identifier_text: canonical */
    uint8_t kind, len;
};

struct match_survey {
    const struct rules_document_view *document; /* as which it was read */
    const struct rules_search *search;          /* what was looked for, or NULL */
    const struct match_link *links;             /* in no particular order */
    size_t link_count;
    const uint8_t *link_text;
    const struct match_piece *pieces; /* in document order of `begin`, parents before children */
    size_t piece_count;
    const struct match_container *containers;
    size_t container_count; /* in order of `open` */
    const struct match_count *counts;
    size_t count_count;
    const struct match_pseudonym *pseudonyms; /* in document order */
    size_t pseudonym_count;
    const uint8_t *pseudonym_text;
    const struct match_held *held; /* in document order */
    size_t held_count;
    const struct match_finding *findings; /* in no particular order */
    size_t finding_count;
    const struct match_identifier *identifiers; /* with match_limits.suspicions */
    size_t identifier_count;
    const uint8_t *identifier_text;
    uint64_t units_seen;
    uint64_t root_begin, root_end; /* of the document's value (JSON) */
    uint32_t visible_depth;        /* as match_piece.depth, outside every piece */
    const rule_id *outside; /* of a part of a document: policy_verdict.outside_markers of the parts before; NULL: it is the first */
};

/* The unit (or reference) that a finding in this piece belongs to: in a graph an object that has no id belongs to what is
 * around it, and so does one in which only an id is written ({"rdf:value": id}). */
uint32_t match_owner(const struct match_survey *s, uint32_t piece);
/* Likewise of a finding; that a line does not parse is the line's own. */
uint32_t match_found_in(const struct match_survey *s, const struct match_finding *f);

struct match;
/* One a worker, reused. `scratch` and `rules` outlive it. NULL: out of memory. */
struct match *match_new(const struct rules_set *rules, struct rules_scratch *scratch, enum cpu_level level);
void match_free(struct match *m);
/* What is known of a document before an answer of it comes: what its examples teach (rules_document_example), which the
 * rules hold and no traffic. Each answer begins with that, whatever was read before. Verdicts do not change, small answers
 * are read faster. Matchers of one thread and one set of rules may share it; it outlives them, and grows by documents that
 * they meet, to a bound. NULL: out of memory. */
struct match_lores;
struct match_lores *match_lores_new(void);
void match_lores_free(struct match_lores *l);
void match_share_lores(struct match *m, struct match_lores *l);
struct match_limits {
    uint32_t depth;
    uint64_t findings; /* survey entries of any kind at most; 0: as many as memory holds */
    uint32_t visible_depth; /* streams: the first place outside every piece that is deeper is noted */
    bool suspicions;   /* note the identifiers of units with a definitive marker */
    const struct rules_search *search; /* of the request, for that document; outlives the survey. NULL: nothing is looked for */
};
/* Ready for a body of this format described by `document`. `registry` is held until match_finish. */
void match_begin(struct match *m, enum doc_format format, const struct rules_document *document,
    const struct registry *registry, const struct match_limits *limits);
/* A field of the answer's head, between match_begin and the first match_feed: a finding in it stands outside every unit,
 * `at` 0, and is looked for as in a member of that name. */
void match_scan_field(struct match *m, span name, span value);
/* Behind match_begin: what is looked up and is nobody's is kept until match_forget_asked, or the next document. Where it cannot be,
 * memory was lacking. */
void match_keep_asked(struct match *m);
/* Is any of it somebody's now, who is protected and not only suspected? */
bool match_anybody_since(const struct match *m);
/* What stands before this offset of the body matters no more. */
void match_forget_asked(struct match *m, uint64_t before);
/* Reads on. The window starts at offset 0, or in a stream at match_needs() or before. */
enum doc_status match_feed(struct match *m, const struct doc_window *w);
/* After DOC_COMPLETE: looks up what is still collected and closes the survey, which lives until match_reset. LIMIT: out
 * of memory, or over limits.findings. */
RESULT match_finish(struct match *m, const struct match_survey **out);
/* DOC_NO_MEMORY also when limits.findings was met. */
enum doc_malformed match_malformed(const struct match *m, uint64_t *at);
/* Wipes. */
void match_reset(struct match *m);
/* ---- streams: what is finished is handed out and forgotten while the rest is still to come -------------------------- */

enum match_step_kind {
    MATCH_STEP_PIECE,     /* an outermost piece has ended; a unit, a line, or what is removed for everybody */
    MATCH_STEP_CONTAINER, /* a container outside every piece, which holds one or is empty, has ended */
    MATCH_STEP_OUTSIDE,   /* findings in nothing that can be left out */
};
/* Steps come in the order of the bytes that they end with, however the body was cut. Everything that a step points to
 * lives until match_steps_end. */
struct match_step {
    enum match_step_kind kind;
    struct match_piece piece;                /* PIECE, offsets in the body */
    const struct match_container *container; /* PIECE: what the piece stands in, NULL for the whole document. CONTAINER */
    struct match_survey inside;              /* PIECE: the piece as a document of its own, offsets from its begin; it is
                                                piece 0 and the root. OUTSIDE: findings alone */
};
enum match_stand {
    MATCH_GOES_ON,
    MATCH_BROKEN, /* nothing more can be read: a piece whose next sibling was awaited is a step too */
    MATCH_ENDED,  /* match_feed said DOC_COMPLETE */
};
/* Between two match_feed. LIMIT: out of memory. */
RESULT match_steps_begin(struct match *m, enum match_stand stand);
/* False: no more. */
bool match_steps_next(struct match *m, struct match_step *out);
/* Forgets what was handed out. */
void match_steps_end(struct match *m);
/* The piece that has not been handed out yet: it is open (its end is 0), or waits for its sibling. NULL: there is none. */
const struct match_piece *match_held(const struct match *m);
/* All that ended before this offset is known to have ended. */
uint64_t match_reached(const struct match *m);
/* Offset before which no byte is needed any more, steps that have not been handed out aside. */
uint64_t match_needs(const struct match *m);
/* Where it first went deeper than limits.visible_depth outside every piece; UINT64_MAX: nowhere. */
uint64_t match_too_deep(const struct match *m);

/* Calls `each` for every candidate before it is looked up: how a rule's own tests see what it proposes. With an
 * observer `registry` may be NULL in match_begin. NULL: no observer. Stays until changed. */
typedef void match_candidate_fn(void *ctx, rule_id rule, enum registry_kind kind, span canonical);
void match_set_observer(struct match *m, match_candidate_fn *each, void *ctx);
/* Property tests: with the prefilter off every value is folded, scanned and looked up; verdicts must not change. */
void match_set_prefilter(struct match *m, bool on);

#endif
