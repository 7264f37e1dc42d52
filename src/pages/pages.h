/* pages: what a restricted recipient gets of a list that an origin gives page by page. Each page holds as many visible units
 * as it would if the withheld did not exist, so that pages are counted in visible units and the origin is asked by another
 * arithmetic. Pure: here is the arithmetic, the reading of the origin's documents as far as it needs it, and the cursors of
 * our own; the proxy asks and the gate decides.
 *
 *   wish ─► walk: ask ─► list ─► (gate decides all that was read as one document) ─► judge ─► ask … or enough ─► words
 *
 * How often the origin is asked depends on what is withheld only where that is more than the constant amount read ahead.
 *
 *= ICE10036.2 2.1   acknowledging the existence of a record is a disclosure: a short page would */
#ifndef GATE1367_PAGES_H
#define GATE1367_PAGES_H

#include "base/base.h"
#include "doc/doc.h"
#include "rules/rules.h"

/* ---- cursors of our own ----------------------------------------------------------------------------------------- */

#define PAGES_KEY 32
#define PAGES_KEYS 8
/* The first one seals, all of them open: so that keys can be changed while cursors are under way. */
struct pages_keys {
    uint8_t key[PAGES_KEYS][PAGES_KEY];
    size_t count;
};
/* A key file: 64 hexadecimal digits a line, 1 to 8 lines; empty ones and those that begin with # do not count. NULL when it
 * is one, else what would be right (static text). */
const char *pages_keys_read(span text, struct pages_keys *out);
/* One key, of a secret that one gateway keeps anyway. False only when OpenSSL fails. */
bool pages_keys_derive(span secret, struct pages_keys *out);

/* Where a page begins. */
struct pages_place {
    span address;      /* what leads to the origin's document: its own cursor or query; empty: its first */
    uint64_t from;     /* visible units of that document that stand on earlier pages: what is withheld counts nowhere, so
                          that who is added between two pages and withheld moves nobody */
    uint64_t skip;     /* visible units behind those that stand on earlier pages too */
    uint64_t position; /* visible units before the page, in all */
};
/* What a cursor is good for: whoever it was given to, for that question. */
struct pages_binding {
    span recipient, path, query; /* query: without the parameters of paging */
};
#define PAGES_NONCE 12
/* Appends the cursor to `out`, of the same length whatever it says: base64url of version, nonce, ciphertext and tag. Nobody
 * uses a nonce twice with a key. PEER: the address is longer than `size`. */
RESULT pages_seal(const struct pages_keys *keys, const struct pages_binding *b, const uint8_t nonce[PAGES_NONCE], size_t size,
    uint64_t expires_s, const struct pages_place *place, struct buf *out);
/* False: foreign, altered, too old, or somebody else's; all alike. The address lives in `room` (of size + 64 bytes). */
bool pages_open(const struct pages_keys *keys, const struct pages_binding *b, size_t size, uint64_t now_s, span cursor,
    uint8_t *room, struct pages_place *place);
size_t pages_sealed_length(size_t size); /* characters */

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

struct pages_wish {
    bool limited; /* the client says how many */
    uint64_t limit;
    struct pages_place place;
    bool sealed;     /* `cursor` is to be opened, and says where */
    span cursor;     /* decoded, in `text` */
    struct buf text; /* also the rest of the query, raw */
    span rest;       /* without the parameters of paging */
};
/* Reads what a client asks. False: a parameter of paging stands there twice, or is no number; decided by the bytes alone.
 * pages_wish_free in any case. LIMIT of memory counts as false. */
bool pages_wish_read(const struct rules_pages *p, span query, struct pages_wish *out);
/* The same, asked by the head: "10-19" or "10-", as PostgREST's clients write Range beside Range-Unit: items. What is no such
 * range, or stands beside a limit or an offset, changes nothing. */
void pages_wish_range(const struct rules_pages *p, span range, struct pages_wish *w);
void pages_wish_free(struct pages_wish *w);

/* ---- the origin's documents ------------------------------------------------------------------------------------- */

#define PAGES_DEPTH 16 /* members that lead to a list, at most */
/* What one document says; offsets in its body. */
struct pages_list {
    bool found;              /* there is such an array */
    bool null;               /* or a null in its place */
    uint64_t open, close;    /* its brackets */
    uint64_t count;          /* elements */
    uint64_t first, last;    /* begin of the first, end of the last */
    uint64_t separator, separator_end; /* between the first two */
    uint64_t ends[PAGES_DEPTH + 1]; /* last byte of the value behind the first n + 1 members that lead to the list */
    bool has_next;
    uint64_t next, next_len; /* the value, without quotes; raw. Of relations the URL of the one called "next" */
};
/* The reader's names are wiped with its next reset. DOC_OK, or why the document cannot be read. */
enum doc_malformed pages_list_read(
    struct doc_reader *r, const struct rules_pages *p, uint32_t depth, span body, struct pages_list *out);

/* The URL of relation "next" in the value of a Link field; empty: there is none. */
span pages_link_next(span field);
/* The query of a URL, absolute or relative, that leads to the path `own`, however either is spelled. False: elsewhere, or it has none. */
bool pages_link_query(span own, span url, span *query);
/* Appends it as a URL has it: origins repeat in it what they were asked, decoded, and some write it so. No link to a page has a fragment: "#" is such a sign. */
RESULT pages_link_write(span query, struct buf *out);

/* ---- the walk --------------------------------------------------------------------------------------------------- */

#define PAGES_AHEAD 16     /* units read ahead, and an eighth of what is needed */
#define PAGES_AT_ONCE 1000 /* asked for at once where the profile does not say what the origin gives */

struct pages_walk {
    const struct rules_pages *rules;
    bool whole; /* to the list's end, whatever the page: its totals are told */
    bool joins; /* what stands further on may withhold a unit that stands here: set behind pages_walk_begin, of a whole walk */
    uint64_t limit;
    struct pages_place place;
    uint64_t target; /* visible units that must be seen */
    uint64_t block;  /* asked for at a time */
    uint64_t least;  /* trips that are made in any case */
    uint64_t wanted; /* units before which no decision can say that it is enough */
    uint64_t trips, units; /* of the origin so far */
    bool ended;      /* the origin has no more */
};
void pages_walk_begin(struct pages_walk *w, const struct rules_pages *p, bool whole, const struct pages_wish *wish);
/* The query of the next trip, without '?'. `address`: where the last document said that the next one is; of the first trip,
 * the place's. LIMIT when out is full. */
RESULT pages_walk_ask(const struct pages_walk *w, const struct pages_wish *wish, span address, struct buf *out);
/* A document came with so many elements. `leads_on`: it says where the next is. `total`: what the origin says there are in
 * all, UINT64_MAX where it does not. */
void pages_walk_met(struct pages_walk *w, uint64_t count, bool leads_on, uint64_t total);
/* Once more before anything is decided. Where the list has ended, for the time that it takes alone: who counts trips must not
 * learn how far the list went on behind what may be seen. */
bool pages_walk_goes_on(const struct pages_walk *w);
/* Trips for this page at most, from an origin that gives as much as it is asked for: `least` of them are made in any case. */
uint64_t pages_walk_most(const struct pages_walk *w);
enum pages_step {
    PAGES_ASK,     /* the origin once more */
    PAGES_ENOUGH,  /* the page is whole, or the list is */
    PAGES_TOO_FAR, /* pages.scan visible units, and the page is not whole */
    PAGES_TOO_FEW, /* at least twice as many units of any sort */
};
/* After a decision on all that was read: `visible` units from the place on. Where units are joined, what is too far so far may
 * not be once all is read: then the raw bound is read to, by as many questions wherever the list ends. Where it was not enough the
 * next decision comes when it should be, judged by the share that was visible, and never before another eighth was read: so that, whatever is
 * withheld, what is decided is nine times what was read at most, and about twice as a rule. */
enum pages_step pages_walk_judge(struct pages_walk *w, uint64_t visible);

/* ---- what we say ourselves -------------------------------------------------------------------------------------- */

/* Where the four aims lead from a page; `there` false: nowhere. */
struct pages_leads {
    struct {
        bool there;
        struct pages_place place;
    } to[CURSOR_AIM_COUNT];
};
/* `next`: the place behind the last unit taken. */
void pages_leads_find(const struct pages_walk *w, uint64_t visible, const struct pages_place *next, struct pages_leads *out);
struct pages_words {
    const struct pages_walk *walk;
    const struct pages_wish *wish;
    const struct pages_keys *keys;
    const struct pages_binding *binding;
    span host; /* with port; empty: links without one */
    span query; /* as it was asked */
    uint64_t expires_s;
    uint8_t nonces[CURSOR_AIM_COUNT][PAGES_NONCE];
    const struct pages_leads *leads;
};
/* The URL of a page; what its parameter takes. */
RESULT pages_write_link(const struct pages_words *w, enum rules_cursor_aim aim, struct buf *out);
RESULT pages_write_value(const struct pages_words *w, enum rules_cursor_aim aim, struct buf *out);
/* The members that lead to other pages, as they are written behind the member that leads to the list from the object
 * `depth` members deep; nothing where none is declared there. */
RESULT pages_write_members(const struct pages_words *w, size_t depth, struct buf *out);
/* The value of a Link field (RFC 8288), of a Content-Range field (RFC 9110 14.4; an unknown total is "*"). */
RESULT pages_write_links(const struct pages_words *w, struct buf *out);
RESULT pages_write_range(const struct pages_walk *w, uint64_t visible, uint64_t taken, struct buf *out);
/* The number of units in all, where it may be told. */
bool pages_total(const struct pages_walk *w, uint64_t visible, uint64_t *total);

#endif
