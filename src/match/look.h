/* What a text holds, counted by one pass with the widest vectors at hand. Private to match.
 *
 * Never too little: a byte that folding may turn into something counts as a `lead`, each of which may become one
 * character, and what may become part of a run counts as one. */
#ifndef GATE1367_MATCH_LOOK_H
#define GATE1367_MATCH_LOOK_H

#include "base/base.h"
#include "registry/registry.h"

#define LOOK_BLOCK 64
#define RUN_MIN 12 /* characters of a base64 run, padding included */

struct look {
    size_t digits, letters; /* ASCII */
    size_t leads;           /* bytes that begin a character which registry_fold() may change */
    uint64_t at;            /* not 0: holds '@', or may once folded */
    uint64_t percent;       /* not 0: holds '%', '&' or a backslash, or may once folded */
    uint64_t quoted;        /* not 0: holds what may be quoted-printable */
    uint64_t run;           /* not 0: RUN_MIN characters of base64 in a row, either alphabet and padding, or may once
                               folded */
    /* of a text of up to LOOK_BLOCK bytes, a bit for each: */
    uint64_t digit, letter, standard, url, padding;
    /* of such a text, zeros behind: digits as '0', letters in upper case, other bytes as they are */
    uint8_t shape[LOOK_BLOCK];
};

/* Whether it holds what may be undone character by character, or may once folded. */
static inline bool look_coded(const struct look *l)
{
    return (l->percent | l->quoted) != 0;
}

typedef void look_function(span text, struct look *out);
look_function look_portable;
look_function look_avx2;
look_function look_avx512;

/* Whether `run` of the text's look is not 0, and no more. */
typedef bool runs_function(span text);
runs_function runs_portable;
runs_function runs_avx2;
runs_function runs_avx512;

/* Whether a run of one base64 alphabet without padding is certainly no text once decoded and folded: no three printable
 * characters in a row, in UTF-8 or UTF-16, fewer than six digits, no '%' and no '@'. False where that is not known. `roomy`: LOOK_READ bytes may be
 * read. */
typedef bool noise_function(span run, bool roomy);
noise_function noise_portable;
noise_function noise_avx2;
noise_function noise_avx512;

/* Texts of up to LOOK_READ bytes that have one shape (struct look): each byte, with these bits set, is so much more than that at
 * most. Behind the shape anything may stand. */
#define LOOK_READ 32
struct likeness {
    uint8_t with[LOOK_READ], from[LOOK_READ], most[LOOK_READ];
};
/* Of this text's shape; a shape is a text of its own. */
void look_likeness(span text, struct likeness *out);

/* Whether the text has the shape, when it has its length. LOOK_READ bytes may be read of it. */
typedef bool alike_function(const uint8_t *text, const struct likeness *l);
alike_function alike_portable;
alike_function alike_avx2;

/* The messages of a text of the shape. 0: they are taken. TAKE_OTHER: the text is of another shape, and nothing is written. Else
 * registry_way_take() refuses one of them. */
#define TAKE_OTHER 0x80000000U
typedef unsigned take_function(const uint8_t *text, const struct likeness *l, const struct registry_way *ways, size_t count,
    uint8_t (*messages)[REGISTRY_WAY_WIDTH]);
take_function take_portable;
take_function take_avx2;

/* ---- what the kernels share ------------------------------------------------------------------------------------- */

/* A bit for each byte of the block. */
struct look_block {
    uint64_t digit, letter, url, standard, padding; /* the marks only: no letters and digits in the last three */
    uint64_t at, percent; /* with 0xEF, which begins the fullwidth ones */
    uint64_t line;        /* ends of lines, and what stands between them in ASCII */
    uint64_t high, lead, follows; /* at 0x80 or over; begins what may fold; 0x80 to 0xBF */
};

static inline uint64_t look_runs(uint64_t before, uint64_t now)
{
    unsigned __int128 bits = (unsigned __int128)now << (RUN_MIN - 1) | before >> (LOOK_BLOCK - RUN_MIN + 1);
    bits &= bits >> 1;
    bits &= bits >> 2;
    bits &= bits >> 4;
    bits &= bits >> (RUN_MIN - 8);
    return (uint64_t)bits | (uint64_t)(bits >> 64);
}

/* The same, one block after the other, whose ends are bits behind: whether there is a run. `tail`: of the block before, how
 * many bytes at its end may be part of one. */
static inline bool look_row(uint64_t now, unsigned *tail)
{
    uint64_t others = ~now;
    if (others == 0) return true;
    bool joined = *tail + (unsigned)__builtin_ctzll(others) >= RUN_MIN;
    *tail = (unsigned)__builtin_clzll(others);
    now &= now >> 1;
    now &= now >> 2;
    now &= now >> 4;
    now &= now >> (RUN_MIN - 8);
    return joined || now != 0;
}

/* '=' before two letters or digits, or the end of a line; what follows in the next block may be any of it. */
static inline uint64_t look_quoted(const struct look_block *b)
{
    uint64_t both = b->digit | b->letter, behind = b->line >> 1 | (both >> 1 & both >> 2) | UINT64_C(3) << (LOOK_BLOCK - 2);
    return b->padding & behind;
}

/* What blocks add up to. In variables of their own: `out` is written once, at the end and in words, because reading
 * back wider than was written waits. */
struct look_sum {
    uint64_t digits, letters, leads, at, percent, quoted, run, before;
};

/* `before`: what of the block before may be part of a run; only its last RUN_MIN - 1 bytes count. What the fold may
 * change or leave as it is, it counts as part of a run. */
static inline __attribute__((always_inline)) void look_add(struct look_sum *s, const struct look_block *b)
{
    uint64_t run = b->digit | b->letter | b->url | b->standard | b->padding | b->high;
    uint64_t lead = b->lead & (b->follows >> 1 | UINT64_C(1) << (LOOK_BLOCK - 1));
    s->digits += (uint64_t)__builtin_popcountll(b->digit);
    s->letters += (uint64_t)__builtin_popcountll(b->letter);
    s->leads += (uint64_t)__builtin_popcountll(lead);
    s->at |= b->at;
    s->percent |= b->percent;
    s->quoted |= look_quoted(b);
    s->run |= look_runs(s->before, run);
    s->before = run;
}

/* `last`: the only block, where the text has no more than one. */
static inline __attribute__((always_inline)) void look_put(
    struct look *out, const struct look_sum *s, const struct look_block *last)
{
    uint64_t both = last->digit | last->letter;
    out->digits = s->digits;
    out->letters = s->letters;
    out->leads = s->leads;
    out->at = s->at;
    out->percent = s->percent;
    out->quoted = s->quoted;
    out->run = s->run;
    out->digit = last->digit;
    out->letter = last->letter;
    out->standard = both | last->standard;
    out->url = both | last->url;
    out->padding = last->padding;
}

#endif
