/* What the files of this folder share. Private to match.
 *
 *   bytes ─► reader ─► walk.c ─► value.c ─► view.c ─► propose.c ─► findings
 *              (events)  │ where   │ what stands   │ text as it   │ batched look-ups
 *                        │ it      │ there, under  │ reads once   │
 *                        ▼ stands  │ which label   │ decoded      │
 *                     pieces       ▼               ▼              ▼
 */
#ifndef GATE1367_MATCH_OWN_H
#define GATE1367_MATCH_OWN_H

#include "match/look.h"
#include "match/match.h"

#define MATCH_MAGIC 0x4d415443u
#define EVENTS 256
#define STEP ((size_t)64 * 1024) /* bytes scanned for literals and then read: both passes find them in the cache */
#define BATCH REGISTRY_ASKS
#define ASK_ROOM 16 /* bytes that may be read of a short key */
#define LEVELS 3   /* of codings, one in another: percent-encoding and character references */
#define PACKED 2   /* of them base64, hexadecimal and quoted-printable */
#define LABEL_RULES 32
#define LABEL_SLOTS 64
#define FLAWS_MAX 8

/* A growing array. `used` bytes of it may hold data of the last document. */
struct table {
    void *items;
    uint32_t count, capacity;
    size_t used;
};

/* Of its bytes `used` may hold data of the last document: what a larger one needed before takes no time again. */
struct bytes {
    uint8_t *ptr;
    size_t size, used;
};

/* What has to be done about a value because of where it stands. */
enum act {
    ACT_PIECE = 1, /* a unit, a count, or something that a profile removes */
    ACT_KEY = 2,
    ACT_LABEL = 4,
    ACT_NAME = 8, /* the name itself may hold an identifier or a marker */
    ACT_LINK = 16, /* joins units */
    ACT_SEARCH = 32, /* what is asked for may stand there */
    ACT_PSEUDONYM = 64, /* something else takes its place */
    ACT_BESIDE = 128, /* may say what its siblings are, or be what one of them says (beside.c) */
};

/* A member's or element's place, before it is known what stands there. */
struct child {
    path_state state;
    uint32_t roles;
    uint8_t act;
    uint8_t beside; /* enum rules_beside, and of enum rules_part */
    label_set labels;
    const struct path_info *info;
};

/* What a name means under one kind of parent, which `key` says. */
struct meaning {
    uint64_t key;
    struct child child;
};

/* One distinct member name. Many stand under two kinds of parents in turn: the last two are kept. */
struct name {
    struct meaning meanings[2];
    path_symbol symbol;
    bool known, inherits, quiet;
    uint8_t oldest;
    uint8_t beside; /* enum rules_beside, and of enum rules_part: what is asked for as it comes */
    bool column;    /* names a column, in a list of them */
    label_set labels;
};
#define NAME_KEY_NONE UINT64_MAX
#define MATCH_NAMES 4096 /* ids that may be dull: all that the reader gives */

/* Where a value or container is, as far as findings care. */
struct where {
    uint32_t unit;  /* innermost unit piece around it */
    uint32_t piece; /* innermost piece of any kind around it */
    bool in_text, removed, allowed;
};

/* An object's first and last byte; close 0: none. */
struct beside_span {
    uint64_t open, close;
};
/* BESIDE_HEADING: a list of the names of columns. BESIDE_COLUMN: an object in one. BESIDE_TABLE: an array whose first row may be one.
 * BESIDE_SAYS: an object that may say what is beside it. BESIDE_SAID: an array of what may be said to be something. */
enum { BESIDE_ASKED = 1, BESIDE_PASSED = 2, BESIDE_HEADING = 4, BESIDE_COLUMN = 8, BESIDE_TABLE = 16, BESIDE_SAYS = 32, BESIDE_SAID = 64 };
#define KEY_COLUMN (UINT64_C(1) << 63) /* of a frame: names are those in a BESIDE_COLUMN */

struct frame {
    uint64_t key;       /* state, labels and `allowed`, as in struct meaning */
    struct child child; /* arrays: of the element met last */
    path_state state;
    bool is_array;
    bool indexed; /* an array in a declared state: each element has a state of its own */
    uint8_t beside; /* BESIDE_ASKED: an object whose members may say what others of them are. BESIDE_PASSED: `passed` is known */
    label_set labels;
    struct where where;
    uint32_t own;       /* piece that this container is the value of, or MATCH_NONE */
    uint32_t container; /* in the survey, MATCH_NONE while it has no piece */
    uint32_t children;
    uint32_t last; /* piece that waits for its next sibling */
    uint64_t open, child_end;
    struct beside_span passed; /* the longest object inside that was asked for */
    const struct path_info *info;
};

/* The names of a table's columns (columns.c), of which at least one is a label. */
#define HEADS 16
struct head {
    uint32_t from, count;  /* of match.columns, up to the last that is one */
    uint32_t width;        /* of all that there were */
    uint32_t level;        /* of the frame in which rows are looked for */
    uint64_t open, close;  /* where the names stand */
    struct beside_span seen; /* the container further inside that was gone through */
    uint8_t ups;           /* so many frames further out than where they stand */
    bool is_row;           /* the table's own first row */
    bool met;              /* rows of theirs were there */
};

/* What a label set means, worked out once. */
struct label {
    label_set set;
    bool known, markers;
    bool patterns; /* one of its rules has an expression that runs only here */
    bool claims;   /* one of its rules reads bare digits, which are then nothing else */
    uint8_t count;
    const struct rules_identifier *rules[LABEL_RULES];
};

/* The value (or name) that is being looked into. */
struct spot {
    uint64_t at;
    uint32_t len, unit;
    bool in_text, is_name;
    label_set labels;
    const struct label *label;   /* never NULL; count 0 where none */
    const struct path_info *key; /* NULL: no surrogate key */
};

struct candidate {
    uint64_t at;
    uint32_t len, unit;
    rule_id rule;
    bool in_text, in_name;
};

#define ASKED_MOST ((size_t)64 << 20)
struct batch {
    size_t count, bytes;
    size_t most, most_bytes; /* that it held in this document: so much is wiped */
    struct candidate candidates[BATCH];
    struct registry_asks asks; /* of each candidate one */
    uint64_t longs;            /* candidates that are no message: their keys stand here, and are spelled in `text` */
    struct registry_key keys[BATCH];
    uint8_t text[BATCH * REGISTRY_CANONICAL_MAX + ASK_ROOM];
};


/* Shapes of values (struct look) met in this document, and whether any value of the shape may hold an identifier: dates
 * and the like mostly have one shape, and are then never read again. */
#define SHAPES 128
struct shape {
    uint8_t text[LOOK_BLOCK];
    uint64_t patterns; /* rules_propose_shape() */
    uint8_t len;       /* 0: none yet */
    bool bare;         /* nine digits that stand alone */
    bool read;         /* syntax_may_read_shape() */
    bool near;         /* near_may() */
};

/* Texts of one shape under the same labels, of which all is known that will be proposed: the same parts for the same
 * rules, whatever the digits and the case. */
#define KNOWN 128
#define ASKS 4
struct known {
    uint8_t text[LOOK_BLOCK];
    const struct path_info *key;
    label_set labels;
    uint8_t len; /* 0: none yet */
    bool varies; /* what is found depends on more than the shape */
    bool reads;  /* telephones and the like may be there, which are read each time */
    uint8_t count;
    struct ask {
        rule_id rule;
        uint8_t kind, from, len;
    } asks[ASKS];
};

/* All that a value of this shape asks for at this place, of texts of LOOK_READ bytes at most. */
#define PLANS 64       /* by what is known of the place */
#define PLAN_CALLS 4   /* values of a shape, then its plan is made */
#define TOKENS 6
struct run {
    uint8_t from, len;
    bool hex; /* not base64: hexadecimal digits */
};
struct plan {
    struct likeness shape;
    struct registry_way way[ASKS];
    const struct path_info *key;
    label_set labels;
    uint8_t len;   /* 0: none yet */
    uint8_t calls; /* of values that had no plan, since the last one that had */
    bool used;     /* is in plans_used */
    bool number;   /* no string */
    bool reads;
    bool anew;     /* there is not a way for each ask */
    uint8_t count, ways, tokens;
    rule_id rules[ASKS]; /* of each way: two asks may have the same */
    struct ask asks[ASKS];
    struct run token[TOKENS];
    uint32_t digits, letters;
};

/* Texts of one shape under a name, of which nothing can be anything but base64 or hexadecimal, if they hold any. */
#define MURMURS 64
struct murmur {
    struct likeness shape;
    uint16_t name;
    uint8_t len; /* 0: none yet */
    bool never;  /* they hold none */
    uint8_t tokens;
    struct run token[TOKENS];
};

/* Texts that fold to nothing that says anything, where nothing is known of their place. */
#define HUSHES 64
struct hush {
    uint8_t text[LOOK_READ]; /* zeros behind */
    uint8_t len;             /* 0: none yet */
};

/* score.c: what the walk does about a record that is told as one before (struct doc_told). Pieces and containers of the
 * record count from 0. */
#define SCORES 256
#define SCORE_AROUND 0xFFFFFFFEu /* the unit, piece or container that the record stands in */
#define SCORE_DEEPEST 16
#define SCORE_PIECES 512
#define SCORE_CONTAINERS 512
#define SCORE_STEPS 2048
struct score_piece {
    struct match_piece piece; /* but for its offsets */
    struct doc_place begin, value, end, next_begin, previous_end;
    bool first; /* the record: `previous_end` and the ordinal are those of the list */
};
struct score_container {
    struct doc_place open, close;
    uint32_t children;
    bool outer;
};
/* SCORE_CLOSES: an outermost unit has ended. SCORE_LOOKS: an object has, in which members may say what others are; it stands from `at` to
 * `close`, in the child's state. SCORE_ASKS: one from `at` to `close` has, that may say what is beside it (or, where both are the same, it
 * does): what is around it is looked at then. */
enum score_does { SCORE_VALUE, SCORE_CLOSES, SCORE_LOOKS, SCORE_ASKS };
struct score_step {
    struct child child;
    struct where where;
    struct doc_place at; /* of a value */
    struct spot spot;    /* of it, but for where it stands this time */
    bool usual;          /* all that may be done about a string there is to look into it */
    uint8_t kind;        /* 0: any; else 1 + enum doc_event_kind that it has to be */
    uint8_t plan;        /* where the plan was that was followed last */
    uint8_t does;        /* enum score_does */
    uint8_t level;       /* how deep in the record its object is */
    struct doc_place close;
};
struct score {
    uint64_t key;     /* of the list's frame */
    uint32_t serial;  /* 0: none */
    uint32_t top, units, depth; /* `depth`: containers open at once, outside the record's pieces */
    path_state state; /* of its elements */
    uint16_t piece, pieces, container, containers, step, steps;
    uint8_t stands;   /* stands_of() */
    uint8_t calls;
    bool made, none;  /* `none`: it has to be walked */
    uint16_t kinds, kinds_end; /* the steps that ask for one stand from here to before there */
};
struct scores {
    uint32_t piece_count, container_count, step_count, used_count;
    uint32_t played; /* records of the document that were played */
    uint16_t used[SCORES];
    struct score all[SCORES];
    struct score_piece pieces[SCORE_PIECES];
    struct score_container containers[SCORE_CONTAINERS];
    struct score_step steps[SCORE_STEPS];
};

/* lore.c */
#define LORES 64
#define LORE_DEPTH 256
struct lore {
    const struct rules_document *document; /* NULL: none */
    struct doc_lore *reader;
    struct name *names;
    uint8_t *dull, *classes;
    label_set class_labels[16];
    uint32_t name_count, class_count, changes, shape_count, known_count, plan_count, murmur_count, hush_count;
    struct lore_shape {
        struct shape shape;
        uint8_t slot;
    } *shapes;
    struct lore_known {
        struct known known;
        uint8_t slot;
    } *known;
    struct lore_plan {
        struct plan plan;
        uint8_t slot;
    } *plans;
    struct lore_murmur {
        struct murmur murmur;
        uint8_t slot;
    } *murmurs;
    struct lore_hush {
        struct hush hush;
        uint8_t slot;
    } *hushes;
    struct lore_scores {
        struct score *all; /* by `used` */
        uint16_t *used;
        struct score_piece *pieces;
        struct score_container *containers;
        struct score_step *steps;
        uint32_t count, piece_count, container_count, step_count;
    } scores;
};
struct match_lores {
    size_t count;
    struct lore all[LORES + 1]; /* in the order of their first use; the last is never used */
};

struct match {
    uint32_t magic;
    bool prefilter;
    bool failed; /* out of memory or over limits.findings: latched until match_reset */
    bool dry;    /* proposals are only counted */
    unsigned packed; /* codings of PACKED around the text that is looked at */
    bool clean;  /* nothing is left of a document */
    const struct rules_set *rules;
    struct rules_scratch *scratch;
    struct doc_reader *reader;
    match_candidate_fn *observer;
    void *observer_ctx;
    /* of the rules */
    const struct rules_identifier *nine_digits; /* the rule of bare nine digits, or NULL */
    rule_id arrival; /* the rule of arrival records that reads bare digits, or RULE_NONE */
    rule_id kind_rule[REGISTRY_KIND_COUNT];
    const struct rules_identifier *syntax[SYNTAX_COUNT][REGISTRY_KIND_COUNT]; /* the rule read so, or NULL */
    bool reads_mrz;
    const struct rules_needs *identifier_needs, *marker_needs;
    bool any_syntax; /* a rule with a syntax of its own needs neither six digits nor an at sign */
    look_function *look;
    runs_function *runs;
    noise_function *noise;
    struct shape shapes[SHAPES];
    struct known known[KNOWN];
    struct plan plans[PLANS];
    uint8_t plans_used[PLANS];
    uint32_t plan_count;
    struct murmur murmurs[MURMURS];
    uint64_t murmurs_used; /* a bit for each */
    struct hush hushes[HUSHES];
    uint64_t hushes_used; /* a bit for each */
    alike_function *alike;
    take_function *take;
    struct known *learning; /* what is proposed is noted here too */
    span learnt;            /* about this text */
    uint8_t shapes_used[SHAPES], known_used[KNOWN]; /* slots to wipe */
    uint32_t shape_count, known_count;
    bool loose;       /* a shape is looked at: what is proposed is only counted */
    bool placed;      /* as it stands at the spot */
    uint64_t loosely; /* so many times */
    struct label labels[LABEL_SLOTS];
    struct label no_label;
    struct match_lores *lores; /* NULL: none */
    /* of the document */
    const struct rules_document *document;
    const struct rules_document_view *view;
    const struct registry *registry;
    const struct rules_search *search; /* what is asked for; NULL: nothing */
    struct match_limits limits;
    enum doc_format format;
    const uint8_t *body; /* of offset 0, which in a stream is gone: only what is in the window may be read */
    uint64_t body_len;
    uint64_t readable; /* offset up to which may be read, though it may be no body there */
    struct table pseudonyms, pseudonym_text, held;
    struct table pieces, containers, counts, findings, links, link_text, identifiers, identifier_text;
    uint32_t identifiers_from, identifier_text_from; /* of the outermost unit that is open */
    bool marked;                                     /* it, or a unit in it, holds a definitive marker */
    struct table frames, names, literals;
    struct table columns; /* label_set of each column of each of the heads */
    struct table nest;    /* columns.c: pieces around what is looked into */
    uint32_t named_count;
    uint32_t heading;      /* the level of the list of names that is open; 0: none */
    uint32_t heading_from; /* its columns */
    uint64_t looks;        /* at values, for what the names of their columns say */
    struct head named[HEADS]; /* by level, the innermost last */
    struct scores *scores;
    struct table order, moved; /* streams: steps to hand out; where containers went */
    struct stepping {
        uint32_t next, piece_stop, finding, container, identifier;
        bool past_order;
    } stepping;
    bool steps_open; /* what was not handed out last begins with an open piece */
    struct doc_skip skip;
    bool skips; /* the document is one in which dull names may be skipped */
    uint8_t dull[MATCH_NAMES], classes[MATCH_NAMES];
    label_set class_labels[16]; /* of each class of names (struct doc_skip): what stands around what is under them */
    uint32_t class_count;
    uint32_t top; /* index of the innermost open frame; 0 is the body itself */
    struct match_survey survey;
    uint32_t line;
    bool root_seen;
    bool disorder; /* containers were not met in order of `open` */
    uint64_t too_deep; /* UINT64_MAX: nowhere */
    struct child root;
    struct child undeclared; /* in state 0, no label */
    uint64_t literals_to, next_literal;
    uint32_t literal_at;
    struct doc_event name; /* of the member whose value comes next */
    bool name_waits;
    struct doc_event flaws[FLAWS_MAX];
    uint32_t flaw_count;
    /* of the value */
    struct spot spot;
    struct {
        span value;
        enum registry_kind kind;
    } latest; /* proposal about the text that is being looked at */
    uint64_t proposals;
    struct bytes decoded, folded[LEVELS + 1], percent[LEVELS], base64[LEVELS], lines[LEVELS], narrow[LEVELS];
    struct batch batch;
    bool keeps_asked;
    struct buf asked; /* see asked.c */
    struct registry_head heads[REGISTRY_KIND_COUNT]; /* of what is asked for in documents of this system */
    uint32_t kind_systems[REGISTRY_KIND_COUNT], heads_system;
    struct doc_event events[EVENTS];
};

/* Whether LOOK_READ bytes may be read of a text that stands in the body. */
static inline bool match_is_roomy(const struct match *m, span text)
{
    return (uintptr_t)m->body + m->readable - (uintptr_t)text.ptr >= LOOK_READ;
}

/* Zeroed new last element; NULL after latching `failed`. */
void *table_add(struct match *m, struct table *t, size_t size);
/* The same for who writes all of it. */
void *table_next(struct match *m, struct table *t, size_t size);
/* The same for n of them, one behind the other; NULL also where n is 0. */
void *table_more(struct match *m, struct table *t, size_t size, uint32_t n);
#define TABLE_AT(t, type, i) (&((type *)(t)->items)[i])
static inline struct match_piece *piece_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->pieces, struct match_piece, i);
}
/* n new last elements, not zeroed, of a table of bytes. */
uint8_t *table_add_bytes(struct match *m, struct table *t, size_t n);
/* Twice the room. */
bool table_grow(struct table *t, size_t size);
/* Room for size bytes; NULL after latching `failed`. */
uint8_t *bytes_room(struct match *m, struct bytes *b, size_t size);

/* match.c: match_begin() but for the walk. */
void match_prepare(struct match *m, enum doc_format format, const struct rules_document *document,
    const struct registry *registry, const struct match_limits *limits);

/* What was collected without a registry was asked about nobody: only examples are read so (lore.c), and of those there is no
 * survey. */
void match_check_asked(const struct match *m);

/* lore.c: what is known of answers of the document; it may have to be learnt, which uses all of m. NULL: nothing. */
const struct lore *lore_find(struct match *m, const struct rules_document *document, const struct match_limits *limits);
/* Between match_prepare() and walk_begin(). */
void lore_recall(struct match *m, const struct lore *l);

/* walk.c */
void walk_begin(struct match *m);
void walk_events(struct match *m, const struct doc_event *events, size_t count);
void walk_end(struct match *m);
/* True when an event's bytes (at, at+len] hold the end of a literal. */
bool literal_within(struct match *m, const struct doc_event *e);

static inline struct frame *frame_top(struct match *m)
{
    return TABLE_AT(&m->frames, struct frame, m->top);
}
/* What is known of a member of f that this name begins. */
const struct child *walk_member(struct match *m, struct frame *f, const struct doc_event *name);
/* What is known of the next element of f. */
const struct child *walk_element(struct match *m, struct frame *f);
/* Is the value removed for every restricted recipient? */
bool walk_removes(const struct match *m, const struct child *c, const struct where *w, const struct doc_event *e);
/* Of an array's frame: what is known of its elements. */
void walk_know_elements(struct match *m, struct frame *f, const struct child *c, bool allowed);
uint64_t walk_key(path_state state, label_set labels, bool allowed);
/* Whether a container of which nothing is left is noted, so that it is written without the space inside. */
bool walk_may_empty(const struct match *m, const struct path_info *info);
/* Notes f's container. */
uint32_t walk_container(struct match *m, struct frame *f);
/* What stood before a child of f that begins here knows its next sibling now. */
void walk_sibling(struct match *m, struct frame *f, uint64_t begin);
/* A value whose place is known: looked into where it has to be. */
void walk_value(struct match *m, const struct child *c, const struct doc_event *e, const struct where *w);

/* score.c: as if the events had been walked. False: they have to be. */
bool score_play(void *match, const struct doc_event *before, size_t count, const struct doc_told *record);
void scores_forget(struct match *m);
void scores_reset(struct match *m);

/* propose.c: what is collected is looked up, and the findings are in order. False after latching `failed`. */
bool findings_settle(struct match *m);

/* name.c */
const struct child *name_child(struct match *m, const struct frame *f, const struct doc_event *e);
void name_scan(struct match *m, const struct frame *f, const struct where *w);
uint8_t name_root_dullness(const struct match *m);
/* A container under a labelled name has begun: what the label means to names in it is told to the reader from now on. */
void name_opened(struct match *m, uint16_t name, label_set labels);
/* Of a name that has been learnt. */
label_set name_labels(const struct match *m, uint16_t name);
/* What the reader is to know of the name. */
static inline void name_dull(struct match *m, uint16_t name, unsigned dull)
{
    m->skip.changes += m->dull[name] != dull;
    m->dull[name] = (uint8_t)dull;
}
struct child child_of(struct match *m, path_state state, label_set labels, bool allowed);

/* value.c */
const struct label *label_of(struct match *m, label_set set);
void value_string(
    struct match *m, const struct doc_event *e, const struct child *c, const struct where *w, bool literal);
/* What is in a text under a dull name (struct doc_skip). */
enum doc_news value_news(void *match, uint16_t name, span text);
/* "It is so" may be what a marker waits for. */
void value_true(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w);
void value_number(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w);

/* link.c: notes a value that joins units, and, at the end, what the ids of a graph join. */
void link_note(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w);
void links_close(struct match *m);
/* As readers compare it: a number by its integer, a string without its escapes. */
span value_text(struct match *m, const struct doc_event *e, uint8_t digits[32]);

/* A value that something else takes the place of, wherever it is seen. */
void pseudonym_note(struct match *m, const struct doc_event *e, const struct where *w);

/* search.c: whether what is asked for stands here. */
void search_note(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w);

/* beside.c: may this value of a member say what its siblings are, or be said to be something by them? */
bool beside_asks(struct match *m, unsigned beside, const struct doc_event *e);
/* What a container is to what is beside it: BESIDE_SAYS, BESIDE_SAID or 0. */
uint8_t beside_opens(unsigned beside, enum doc_event_kind kind);
/* At its end: the same as beside_asks(). */
bool beside_says(struct match *m, uint64_t open, uint64_t close);
bool beside_is_said(uint32_t children);
/* An object that has been read: its values are looked into as what others of its members say that they are. */
struct beside_object {
    uint64_t open, close;
    path_state state;
    struct where where;
    struct beside_span passed; /* in it, and gone through before */
};
void beside_look(struct match *m, const struct beside_object *o);
/* The same of an object or array that ends, where anything is known of it (struct frame). */
void beside_closed(struct match *m, struct frame *f, uint64_t close);

/* columns.c: a container in f begins, of which this is known; `inner` is its frame. */
void columns_opened(struct match *m, const struct frame *f, const struct child *c, struct frame *inner);
/* A text in a list of names of columns. */
void columns_note(struct match *m, const struct frame *f, const struct doc_event *e);
/* A container that ends, where it is such a list or a row that may be one, or where there are names for what stands in it. */
void columns_closed(struct match *m, struct frame *f, uint64_t close);
bool columns_may_be_head(const struct match *m, const struct frame *f);
/* Of the containers of a line that does not parse no end came. */
void columns_line_broke(struct match *m);
/* Of an array's frame: its elements are attended to. */
static inline void columns_attend(const struct frame *f, struct child *c)
{
    if (LIKELY(!(f->beside & BESIDE_HEADING))) return;
    c->act |= ACT_BESIDE;
    c->beside = RULES_PART_COLUMN;
}

/* Bare digits have often lost their leading zeros on the way: where the kind has a fixed width they are put back. */
span value_pad(enum registry_kind kind, span digits, uint8_t out[9]);
/* A number under a label: what it may be there; whether it may be what this rule of it is about. */
void value_labelled(struct match *m, span digits);
bool value_is_bare(const struct rules_identifier *rule, span digits);

/* view.c: one text as a reader would see it. `raw` = it stands so in the body, whose literals are known: `literal`. */
void view_scan(struct match *m, span text, unsigned level, bool raw, bool literal);
/* The same where the look is known. */
void view_scan_known(struct match *m, span text, const struct look *known, unsigned level, bool raw, bool literal);
/* May an identifier that needs no label stand in a folded text of this look? */
bool view_may_identify(struct match *m, span text, const struct look *l);
/* Whether a text without a label can be left alone, whatever it folds to. */
bool view_is_dull(const struct match *m, const struct look *l, unsigned level);
/* A text that needs no folding and holds neither '%', '&' nor '@': the identifiers in it but for codings, and what its label
 * marks; the markers of free text, where a literal is in it. */
void view_identify(struct match *m, span text, const struct look *l);
void view_free_text(struct match *m, span text, const struct look *l);
/* Whether only what stands in a text at the spot itself can say anything of it: nothing is known of its place. */
bool view_stands_alone(const struct match *m);
/* What base64 the token is; what text the hexadecimal digits are. */
void view_decode(struct match *m, span token, unsigned level);
void view_unhex(struct match *m, span digits, unsigned level);
/* Whether no text stands in the digits. */
bool view_is_hex_noise(span digits);
/* Where base64 and hexadecimal may begin and end in a text of one block, and in each other of its shape. False: in more places
 * than TOKENS, or there is padding. */
bool view_find_tokens(span text, const struct look *l, struct run token[TOKENS], uint8_t *count);
/* Only its runs of base64 and hexadecimal. */
void view_runs(struct match *m, span text, const struct look *l, unsigned level);

/* shape.c */
const struct shape *shape_of(struct match *m, span text, const struct look *l);
/* As view_identify() at the spot, from memory where the shape is known there. True: nothing is ever proposed of a text of
 * this shape there. */
bool shape_identify(struct match *m, span text, const struct look *l);
/* What is known of the shape that was identified last; NULL: it was forgotten. */
const struct known *shape_known_here(const struct match *m, span text, const struct look *l);
/* syntax_scan() of the text at the spot: of a shape that is learnt it is kept that it has to be done. */
void shape_read(struct match *m, span text, const struct look *l, bool labelled_only);
/* Whether the text under that name is of a shape that is known to hold base64 alone or nothing, and no text in it; else
 * DOC_NEWS_SOME. Where it may be so, it can be kept. */
enum doc_news shape_murmurs(struct match *m, uint16_t name, span text);
void shape_murmured(struct match *m, uint16_t name, span text, const struct look *l);
/* Whether this very text was hushed, which says nothing where no label, key or literal is: of up to LOOK_READ bytes. */
bool shape_is_hushed(struct match *m, span text);
void shape_hush(struct match *m, span text);
/* While a shape is learnt: what is proposed; that it is no matter of the shape alone. */
void shape_note(struct match *m, rule_id rule, enum registry_kind kind, span value);
static inline void shape_varies(struct match *m)
{
    if (UNLIKELY(m->learning != NULL)) m->learning->varies = true;
}
void shapes_forget(struct match *m);
/* Calls `each` for nine digits that stand alone: 012345678, as cards print it 012-345-678, or in other groups. */
typedef void bare_fn(struct match *m, span digits);
void shape_each_bare(struct match *m, span text, bare_fn *each);
/* Eight digits, as a day is written without signs: 20210304. */
bool shape_is_day(const uint8_t *digits);

/* near.c: digits in a text that also holds a word that is a label. May a text of this shape be one? */
#define NEAR_DIGITS 7
#define NEAR_LETTERS 2
void near_scan(struct match *m, span text);
bool near_may(const struct match *m, span text);

/* plan.c */
/* A value at the spot of which there is a plan, in place of all else that is done about it; false: there is none. LOOK_READ
 * bytes may be read. `number`: it is digits and no string. */
bool plan_again(struct match *m, span text, bool number);
/* The same where *at is the place of a plan that may be the one; it is where the one is, if there is one. */
bool plan_again_at(struct match *m, uint8_t *at, span text, bool number);
/* The same from now on, for the shape that was identified last; for numbers of so many digits. */
void plan_keep(struct match *m, span text, const struct look *l);
void plan_keep_number(struct match *m, span digits);
void plans_forget(struct match *m);

/* syntax.c, mrz.c: what is no expression. */
/* `labelled_only`: where syntax_may_read() or the text's shape has said that nothing else may be there. */
void syntax_scan(struct match *m, span text, const struct look *l, bool labelled_only);
/* May something without a label be read in the text; in some text of this shape? */
bool syntax_may_read(const struct match *m, span text, const struct look *l);
bool syntax_may_read_shape(struct match *m, span shape, const struct look *l);
/* Likewise at the spot, where a label may say whose digits they are. */
bool syntax_may_read_here(struct match *m, span shape, const struct look *l);
/* Are digits alone a North American telephone number? */
bool syntax_is_phone(span digits);
#define MRZ_LINE 30  /* the shortest */
#define MRZ_DIGITS 6 /* fewer: no line of a document that is looked up */
void mrz_scan(struct match *m, span text);

/* propose.c */
void propose(struct match *m, rule_id rule, enum registry_kind kind, span value);
void propose_flush(struct match *m);
/* Who else wants to know is told of the last n candidates. */
void propose_tell(struct match *m, size_t n);
/* Candidates at the spot, of which the batch has been asked already. */
static inline void propose_added(struct match *m, const rule_id *rules, size_t n)
{
    struct batch *b = &m->batch;
    const struct spot *s = &m->spot;
    struct candidate *c = b->candidates + b->count;
    for (size_t i = 0; i < n; i++)
        c[i] = (struct candidate){s->at, s->len, s->unit, rules[i], s->in_text, s->is_name};
    b->count += n;
    if (UNLIKELY(m->limits.suspicions || m->observer)) propose_tell(m, n);
}
/* Room for n messages, which are proposed for these rules once they are taken; or it is said that they are not. */
static inline uint8_t (*propose_room(struct match *m, size_t n))[REGISTRY_WAY_WIDTH]
{
    struct batch *b = &m->batch;
    ASSERT(!m->dry && n <= BATCH);
    if (UNLIKELY(b->count + n > BATCH)) propose_flush(m);
    return b->asks.messages + b->count;
}
static inline void propose_taken(struct match *m, const rule_id *rules, size_t n)
{
    m->batch.asks.count += (uint32_t)n;
    propose_added(m, rules, n);
}
void propose_refused(struct match *m, size_t n);
void batch_wipe(struct batch *b);
/* asked.c */
void asked_keep(struct match *m, uint64_t at, const struct registry_key *key);
void finding_add(struct match *m, const struct match_finding *finding);
/* suspect.c: what stands in a unit is kept until its outermost unit closes, and then only where a marker was seen. */
void suspect_note(struct match *m, rule_id rule, enum registry_kind kind, span canonical);
void suspect_mark(struct match *m);
void suspect_closed(struct match *m);
/* Brings them into an order and leaves each once. */
void findings_close(struct match *m);
void finding_here(struct match *m, enum match_origin origin, rule_id rule);
/* For rules_scan_markers; ctx: the match. */
void marker_here(void *ctx, const struct rules_marker *rule, span where, bool limit);

/* text.c */
/* Are there three printable ASCII characters in a row? Only then a literal may be there. */
bool text_has_word(span text);

/* codings.c: `out` has room for text.len bytes */
/* Decodes %41, %u0041, \x41, \u0041 and character references. */
size_t text_decode(span text, uint8_t *out);
/* Decodes quoted-printable. */
size_t text_unquote(span text, uint8_t *out);
/* Decodes hexadecimal digits and nothing else; a last one that stands alone is dropped. */
size_t text_hex(span digits, uint8_t *out);
/* The next of the digits, two a byte, that are characters in UTF-8 and no control characters; false: no PLAIN_MIN of them. What
 * digits are is a text only there: most of them are numbers, digests and keys. */
#define PLAIN_MIN 12
bool text_next_plain(span digits, size_t from, size_t *begin, size_t *end);
/* Whether there may be any in some text of this shape (struct look). */
bool text_may_be_plain(span shape);
/* Leaves of what was decoded the texts, rows of `least` bytes or more, with one 0 for all that is none before, between and behind them.
 * Returns the length: no more than there was. */
size_t text_condense(uint8_t *bytes, size_t len, size_t least);
/* Are there three printable ASCII characters in a row in UTF-16, in either order of bytes? */
bool text_is_wide(span bytes);
/* Such a text in UTF-8; out has room for 2·bytes.len. */
size_t text_narrow(span bytes, uint8_t *out);
/* reference.c */
/* The character reference that the text begins with (at '&') becomes fewer bytes in `out`; `len`: of itself. 0: it is none. */
size_t text_reference(span text, uint8_t *out, size_t *len);
/* The next run of base64 or base64url characters and padding that is RUN_MIN long, from `from` on. False: none. */
bool text_next_run(span text, size_t from, size_t *begin, size_t *end);
/* The next run of hexadecimal digits of that length. */
bool text_next_hex(span text, size_t from, size_t *begin, size_t *end);
/* The next run of one alphabet inside; `end` is behind its padding. */
bool text_next_token(span text, size_t from, bool url, size_t *begin, size_t *end);
/* The next lines of base64 of which the first has a run of RUN_MIN or more at its end; `end` is behind the last run. */
bool text_next_lines(span text, size_t from, size_t *begin, size_t *end);
/* Without ends of lines; out has room for text.len bytes. */
size_t text_join_lines(span text, uint8_t *out);
/* Are its characters in both alphabets (padding aside)? */
bool text_is_common(span run);
/* Is a run of base64 nothing but hexadecimal digits and hyphens, a digest or a UUID? It never is base64 of a number or a phrase: of
 * each three bytes the first is no digit, no capital letter, no space and no sign that people write. */
bool text_is_digest(span token);
/* Decodes either alphabet up to the first '='; a last character that stands alone is dropped. Room: text.len·3/4+3. */
size_t text_base64(span text, uint8_t *out);
/* The integer that a JSON number is, in decimal digits without leading zeros; 0 when it is none, negative, or longer
 * than max. out has room for max bytes. */
size_t text_integer(span lexeme, uint8_t *out, size_t max);
/* Is it a number with an exponent, as "1.2345678E7"? */
bool text_is_scientific(span text);
/* The next maximal run of digits that touches no ASCII letter or digit. */
bool text_next_digits(span text, size_t from, size_t *begin, size_t *end);

#endif
