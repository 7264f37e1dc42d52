/* doc: bytes in, events with spans out; never a tree. One reader a format behind one face; this release reads JSON
 * (RFC 8259, strict) and NDJSON. Pure.
 *
 * The caller holds the decoded body in one contiguous, growing window and calls doc_reader_next() whenever it has more
 * or wants more events. The reader keeps its own place, looks at every byte once, and may be fed one byte at a time.
 *
 *   window:  [base … base+len)      events carry absolute offsets into the body
 */
#ifndef GATE1367_DOC_H
#define GATE1367_DOC_H

#include "base/base.h"

enum doc_format { DOC_JSON, DOC_NDJSON };

enum doc_event_kind {
    DOC_OBJECT_BEGIN, /* at = '{' */
    DOC_OBJECT_END,   /* at = '}' */
    DOC_ARRAY_BEGIN,
    DOC_ARRAY_END,
    DOC_NAME,   /* member name: at/len without quotes; `name` is its id in the reader's table */
    DOC_STRING, /* at/len without quotes */
    DOC_NUMBER, /* at/len of the lexeme */
    DOC_TRUE,
    DOC_FALSE,
    DOC_NULL,
    DOC_LINE_BEGIN, /* NDJSON: a line's first byte (after the byte-order mark, if there is one); blank lines are no
                       events */
    DOC_LINE_END,   /* at = offset of the terminator (LF, or end of body); len = bytes of the terminator (0, 1, 2) */
    DOC_FLAW,       /* a finding at its place (see enum doc_flaw in `name`), len 0; comes right before the event it is
                       about: at most one of each kind for a string, in the order of the enum but for duplicates, which
                       come last.
                       In NDJSON a line that does not parse gives DOC_FLAW_LINE between its LINE_BEGIN and LINE_END
                       (`flags` then is the enum doc_malformed of a body that consisted of that line), and containers
                       that were open in it get no END. Depth, token size and memory are limits of the whole body: over
                       them an NDJSON body is malformed as well. */
    DOC_SKIPPED, /* members or elements that the caller skips (doc_reader_skip): at/len from the first one's first byte
                    to the last one's end, `name` of them; `flags`: containers open at once in them, at most */
};

enum doc_flaw {
    DOC_FLAW_DUPLICATE_NAME, /* the second of two equal (decoded) names in one object */
    DOC_FLAW_LONE_SURROGATE,
    DOC_FLAW_INVALID_UTF8,
    DOC_FLAW_NUL_IN_NAME,
    DOC_FLAW_LINE, /* NDJSON only */
};

/* Flags of NAME, STRING, NUMBER events: hints that are never false negatives. */
#define DOC_ESCAPED 0x01   /* holds a backslash: decode before reading */
#define DOC_NON_ASCII 0x02 /* holds a byte ≥ 0x80 */
#define DOC_PERCENT 0x04   /* holds '%', '&', '@' or '=' */
#define DOC_DIGITS 0x08    /* holds six ASCII digits or more (anywhere in it) */
#define DOC_LONG 0x10      /* twelve bytes or longer */
/* Of a NUMBER, exactly: */
#define DOC_PLAIN 0x20    /* digits and nothing else */
#define DOC_EXPONENT 0x40 /* has an exponent */

/* A string without any of these holds nothing but a short word. */
#define DOC_ATTENTION (DOC_ESCAPED | DOC_NON_ASCII | DOC_PERCENT | DOC_DIGITS | DOC_LONG)

#define DOC_NAME_NONE 0xFFFF /* a name that is not in the table (too long, or the table is full): read the span */

struct doc_event {
    uint64_t at; /* absolute offset in the decoded body */
    uint32_t len;
    uint16_t name; /* NAME: id in the name table or DOC_NAME_NONE; FLAW: enum doc_flaw; else 0 */
    uint8_t kind;  /* enum doc_event_kind */
    uint8_t flags;
};

enum doc_status {
    DOC_MORE,      /* all that could be said about the window has been said, but for a record at its end, which may wait for the
                      next one: give more bytes */
    DOC_FULL,      /* the event array is full: call again with the same window */
    DOC_COMPLETE,  /* the body was complete and is well-formed; no further events */
    DOC_MALFORMED, /* latched; doc_reader_malformed() says what and where */
};

enum doc_malformed {
    DOC_OK = 0,
    DOC_BAD_GRAMMAR, /* what stands there is not JSON */
    DOC_TRAILING,    /* bytes after the value */
    DOC_CUT_SHORT,   /* the body ends inside the value, or is empty */
    DOC_TOO_DEEP,    /* nesting over limits.depth */
    DOC_TOO_LARGE,   /* a token over 2^31 bytes */
    DOC_CONTROL,     /* a raw control character in a string */
    DOC_NO_MEMORY,
};

struct doc_limits {
    uint32_t depth; /* containers open at once */
};

struct doc_window {
    uint64_t base; /* absolute offset of data[0] */
    const uint8_t *data;
    size_t len;
    bool complete; /* no byte will follow */
    size_t slack;  /* bytes behind the last one that may be read as well, and are 0; DOC_SLACK is as good as any more. What stands
                      at the end of a body is then read like all else; without them it is read byte by byte */
};
#define DOC_SLACK 128

struct doc_reader;
/* NULL: out of memory. `level` picks the instruction set (cpu_level() in production, each in tests). */
struct doc_reader *doc_reader_new(enum cpu_level level);
void doc_reader_free(struct doc_reader *r);
/* Ready for a new body; wipes what it held of the last one (names are parts of somebody's life). */
void doc_reader_reset(struct doc_reader *r, enum doc_format format, const struct doc_limits *limits);
/* What the caller need not be told: members under dull names whose value is true, false, null, a number that has not
 * nine to eleven digits before its point, or a string in which no literal ends and which has no DOC_ATTENTION, or of which
 * the caller says when asked that nothing is in it; with `containers` also containers under such names in which all is
 * so. They are read like all others (names, duplicates, grammar) and become DOC_SKIPPED. The reader may tell them all the
 * same, and where it does depends on how the body was cut. All of it outlives its use; the table may change between
 * calls. */
/* What a caller says of a string that it is asked about. */
enum doc_news {
    DOC_NEWS_SOME,  /* something may be in it: it is told */
    DOC_NEWS_NONE,  /* nothing is in it */
    DOC_NEWS_NEVER, /* nor would there be with other digits in the place of its digits, and letters in the other case */
};
#define DOC_DULL_VALUE 1    /* of a name: its value is not wanted, unless something in it is */
#define DOC_DULL_MEMBERS 2  /* an object under it: its own members may be skipped */
#define DOC_DULL_ELEMENTS 4 /* an array under it: the members of the objects in it may be skipped */
#define DOC_DULL_STRINGS 8  /* of a name: strings under it are not wanted where the caller says so, and all else is */
/* A name may mean something under another name that it does not mean elsewhere. Names under which that is so have a class,
 * 1 to 15, and a name in an object (or in one of an array) under such a one is dull only where it is known to be so there. */
#define DOC_CLASS(around) ((around) & 15)  /* of a name: that of what is under it, 0: none */
#define DOC_CLASS_KNOWN(name) ((name) >> 4) /* of a name: the class that it is dull in as well, 0: none */
/* A record that went the whole way of one before it, so that what is told of it is known but for places and values. */
struct doc_place { /* in a record: so far behind where the gap of that step begins */
    uint8_t step, delta;
};
enum doc_line_kind { DOC_LINE_FIXED, DOC_LINE_VALUE, DOC_LINE_SKIPPED };
struct doc_line { /* an event of it, but for its offset */
    uint64_t word; /* behind the offset, as in struct doc_event; of a value: none; of what is skipped: without its length */
    struct doc_place at, end; /* `end`: of what is skipped */
    uint8_t kind;             /* enum doc_line_kind */
};
struct doc_told {
    uint64_t at;           /* of the chunk, which the gaps are counted from */
    const uint16_t *gaps;  /* by step */
    const uint64_t *words; /* of the values that are told, by step */
    const struct doc_line *lines; /* equal serials: equal lines, as long as the reader is not reset */
    uint32_t count, serial;       /* of lines; from 1 on */
    uint64_t end;                 /* behind its last byte */
};
struct doc_skip {
    const uint8_t *dull;      /* DOC_DULL_… by name id */
    const uint8_t *classes;   /* DOC_CLASS, DOC_CLASS_KNOWN by name id; may be NULL */
    uint32_t names;           /* ids from here on are not known */
    uint32_t changes;         /* counts changes of what stands in `dull` and `classes` */
    uint8_t root;             /* DOC_DULL_… of the whole value */
    const uint64_t *literals; /* offsets at which a literal ends, ascending, then UINT64_MAX */
    bool containers;
    bool parted;      /* of a string that has DOC_LONG alone, blanks in it less than twelve bytes apart, nothing would be said */
    uint32_t deepest; /* containers beyond this depth are told */
    /* Of a well-formed string as it stands, without escapes, under that name or in an array under it, in which no literal
     * ends. NULL: something may be in every one. */
    enum doc_news (*ask)(void *ctx, uint16_t name, span text);
    /* An element, in the place of its events. The events before it, which doc_reader_next would give, are the caller's with
     * this call. False: it is to be told by events. NULL: always. */
    bool (*take)(void *ctx, const struct doc_event *before, size_t count, const struct doc_told *record);
    void *ctx;
};
/* NULL: everything is told, as after a reset. Call anew whenever `literals` moved or begins elsewhere. */
void doc_reader_skip(struct doc_reader *r, const struct doc_skip *skip);
/* Fills events[0..*count); capacity is 1 or more. The window must start at or before doc_reader_needs() and never
 * shrinks at its end. Bytes are looked at in blocks of 64: the events of the last few may come only when the window is
 * complete. The sequence of events does not depend on how the body was cut. A JSON body gives DOC_CUT_SHORT when it is
 * empty, an NDJSON body is then complete without events. */
enum doc_status doc_reader_next(
    struct doc_reader *r, const struct doc_window *w, struct doc_event *events, size_t capacity, size_t *count);
/* Offset before which the reader needs no byte any more (start of the token it is in). */
uint64_t doc_reader_needs(const struct doc_reader *r);
/* After DOC_MORE: all that ended before this offset has been said to have ended. */
uint64_t doc_reader_reached(const struct doc_reader *r);
enum doc_malformed doc_reader_malformed(const struct doc_reader *r, uint64_t *at);
const char *doc_malformed_name(enum doc_malformed m);

/* The reader's names, decoded: ids count from 0 in order of first appearance, stable until reset. */
size_t doc_reader_names(const struct doc_reader *r);
span doc_reader_name(const struct doc_reader *r, uint16_t id);

/* What the reader has learnt of the bodies since its last reset: their names, with their ids, and in which order they stood.
 * For bodies that are nobody's. NULL: out of memory. */
struct doc_lore;
/* The body that comes is read to learn of it: also of what stands there once, which else is not worth it. `aloud`: of records
 * that are like one before all values are told, which is what is done later about one of which others are told than ever
 * before. Until the reset. */
void doc_reader_rehearse(struct doc_reader *r, bool aloud);
struct doc_lore *doc_reader_lore(const struct doc_reader *r, bool tales); /* `tales`: and how records were told */
void doc_lore_free(struct doc_lore *l);
/* Right behind a reset: as if it had learnt that of the body that comes. Reads no byte differently, and is only faster where
 * the body is alike. Where the caller skips with the same `changes` its names are judged as they were when the lore was taken,
 * whoever the caller was then, and a serial is the tale that it was. The lore is of a reader of this process and outlives the
 * next reset. False: out of memory, nothing is learnt. */
bool doc_reader_recall(struct doc_reader *r, const struct doc_lore *l);

/* Decodes the escapes of a raw string (between the quotes). out has room for raw.len bytes. Lone surrogates become
 * U+FFFD, malformed UTF-8 is copied as it is. Returns the length. */
size_t doc_decode_string(span raw, uint8_t *out);

#endif
