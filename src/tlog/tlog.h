/* tlog: transparency logs as others read and check them. Pure: RFC 6962 hashing and proofs, 256-wide tiles and their
 * names (C2SP tlog-tiles), signed notes and cosignatures (C2SP signed-note, tlog-cosignature), checkpoints (C2SP
 * tlog-checkpoint), proof files (C2SP tlog-proof) and what a witness is asked (C2SP tlog-witness). */
#ifndef GATE1367_TLOG_H
#define GATE1367_TLOG_H

#include "base/base.h"

enum tlog_error {
    TLOG_E_NAME = 2101, /* CONFIG: a key's name is empty, too long, or holds a space, plus or control character */
    TLOG_E_VERIFIER,    /* CONFIG: not a verifier key NAME+ID+KEY of a type we know */
    TLOG_E_CRYPTO,      /* INTERNAL: OpenSSL failed */
};

/* ---- hashing -------------------------------------------------------------------------------------------------- */

#define TLOG_HASH 32u
typedef uint8_t tlog_hash[TLOG_HASH];

//= RFC6962 2.1
/* False only when OpenSSL fails. out may be one of the inputs. */
bool tlog_hash_leaf(span leaf, tlog_hash out);
bool tlog_hash_node(const tlog_hash left, const tlog_hash right, tlog_hash out);
/* Root of a complete subtree over the 2^height hashes that stand there; height at most 8. */
bool tlog_hash_subtree(const tlog_hash *hashes, unsigned height, tlog_hash out);

/* ---- tiles ---------------------------------------------------------------------------------------------------- */

#define TLOG_WIDTH 256u
#define TLOG_HEIGHT 8u /* of a tile: 2^8 hashes */
#define TLOG_LEVELS 8u
#define TLOG_TILE_BYTES (TLOG_WIDTH * TLOG_HASH)

/* A file of a log: hash i of a tile of level L and index n covers the leaves [(n·256+i)·256^L, (n·256+i+1)·256^L). */
struct tlog_tile {
    bool entries; /* a bundle: the leaves themselves; level is 0 */
    unsigned level;
    uint64_t index;
    unsigned width; /* 1 … 256; less than 256 is a partial tile */
};
#define TLOG_PATH 64
/* "tile/0/x001/x234/067", "tile/entries/000.p/17". */
void tlog_tile_path(const struct tlog_tile *t, char out[TLOG_PATH]);
/* How wide this tile of a tree of `size` leaves is; 0: it has none. */
unsigned tlog_tile_width(unsigned level, uint64_t index, uint64_t size);
/* Takes the first entry off a bundle; false at its end and where it is cut short (*bundle is not empty then). */
bool tlog_bundle_next(span *bundle, span *leaf);

/* The right edge of a tree as the unfinished tiles of each level: all that is needed to go on and to know the root.
 * Plain value; zero is empty. */
struct tlog_edge {
    uint64_t size;
    tlog_hash hashes[TLOG_LEVELS][TLOG_WIDTH];
};
static inline unsigned tlog_edge_width(const struct tlog_edge *e, unsigned level)
{
    return (unsigned)(e->size >> (TLOG_HEIGHT * level)) & (TLOG_WIDTH - 1);
}
/* Called for each tile that a leaf fills, lowest level first. */
typedef result tlog_full_fn(void *ctx, unsigned level, uint64_t index, const tlog_hash *hashes);
/* After an error the edge is of no use. */
RESULT tlog_edge_add(struct tlog_edge *e, const tlog_hash leaf, tlog_full_fn *full, void *ctx);
bool tlog_edge_root(const struct tlog_edge *e, tlog_hash root);

/* ---- proofs --------------------------------------------------------------------------------------------------- */

/* Root of the complete subtree over the leaves [index·2^height, (index+1)·2^height). */
typedef result tlog_node_fn(void *ctx, unsigned height, uint64_t index, tlog_hash out);
/* Which tile of level *level and index *tile holds what a node is made of, and from which hash on; the node is the
 * subtree of 2^(result) hashes. */
unsigned tlog_node_place(unsigned height, uint64_t index, unsigned *level, uint64_t *tile, unsigned *from);

#define TLOG_PATH_HASHES 65u
struct tlog_path {
    unsigned count;
    tlog_hash hashes[TLOG_PATH_HASHES];
};
RESULT tlog_root(tlog_node_fn *node, void *ctx, uint64_t size, tlog_hash out);
//= RFC6962 2.1.1
/* index < size (asserted). */
RESULT tlog_prove_inclusion(tlog_node_fn *node, void *ctx, uint64_t index, uint64_t size, struct tlog_path *out);
//= RFC6962 2.1.2
/* old <= size (asserted); empty where old is 0 or size. */
RESULT tlog_prove_consistency(tlog_node_fn *node, void *ctx, uint64_t old, uint64_t size, struct tlog_path *out);
//= RFC9162 2.1.3.2
bool tlog_check_inclusion(
    const struct tlog_path *p, const tlog_hash leaf, uint64_t index, uint64_t size, const tlog_hash root);
//= RFC9162 2.1.4.2
bool tlog_check_consistency(
    const struct tlog_path *p, uint64_t old, const tlog_hash old_root, uint64_t size, const tlog_hash root);

/* ---- notes ---------------------------------------------------------------------------------------------------- */

enum tlog_key_type { TLOG_ED25519 = 1, TLOG_COSIGNATURE = 4 };
#define TLOG_NAME_MAX 255
#define TLOG_VKEY_MAX 352
struct tlog_verifier {
    char name[TLOG_NAME_MAX + 1];
    enum tlog_key_type type;
    uint8_t key[32], id[4];
};
RESULT tlog_verifier_make(span name, enum tlog_key_type type, const uint8_t key[32], struct tlog_verifier *out);
/* NAME+KEYID+BASE64(type ‖ key). */
RESULT tlog_verifier_parse(span vkey, struct tlog_verifier *out);
void tlog_verifier_format(const struct tlog_verifier *v, char out[TLOG_VKEY_MAX]);

/* The text that is signed, with its last line's end, and the signature lines. */
struct tlog_note {
    span text, signatures;
};
#define TLOG_NOTE_MAX 8192u
bool tlog_note_split(span note, struct tlog_note *out);
//= RFC8032 5.1
/* Whether a line is a valid signature of this key; all others are ignored. time (may be NULL): what a cosignature says,
 * in seconds since 1970; 0 for others. */
bool tlog_note_signed(const struct tlog_note *n, const struct tlog_verifier *v, uint64_t *time);
typedef bool tlog_sign_fn(void *ctx, span message, uint8_t signature[64]);
/* Appends the line with which the key signs the text; `time` is used by cosignatures alone. */
RESULT tlog_note_sign(
    struct buf *out, span text, const struct tlog_verifier *v, uint64_t time, tlog_sign_fn *sign, void *ctx);

/* ---- checkpoints ---------------------------------------------------------------------------------------------- */

struct tlog_checkpoint {
    span origin;
    uint64_t size;
    tlog_hash root;
};
/* Further lines may follow the third one. */
bool tlog_checkpoint_parse(span text, struct tlog_checkpoint *out);
RESULT tlog_checkpoint_format(struct buf *out, span origin, uint64_t size, const tlog_hash root);
/* The whole note: text, empty line, one signature. */
RESULT tlog_checkpoint_sign(struct buf *out, const struct tlog_verifier *v, uint64_t size, const tlog_hash root,
    tlog_sign_fn *sign, void *ctx);
/* A note that this key signed, whose origin is the key's name. */
bool tlog_checkpoint_open(span note, const struct tlog_verifier *v, struct tlog_checkpoint *out);

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* A proof that an entry is in the tree of the checkpoint. */
struct tlog_proof {
    uint64_t index;
    struct tlog_path path;
    span note;
};
RESULT tlog_proof_format(struct buf *out, const struct tlog_proof *p);
bool tlog_proof_parse(span text, struct tlog_proof *out);
/* That the tree of the checkpoint holds the one of `old` leaves: as a witness is asked. */
struct tlog_extension {
    uint64_t old;
    struct tlog_path path;
    span note;
};
RESULT tlog_extension_format(struct buf *out, const struct tlog_extension *x);
bool tlog_extension_parse(span text, struct tlog_extension *out);

/* ---- witnessing ----------------------------------------------------------------------------------------------- */

/* What a witness is asked, taken apart; points into the body. */
struct tlog_asked {
    struct tlog_extension extension;
    struct tlog_note note;
    struct tlog_checkpoint checkpoint;
    size_t log; /* which of the logs it is */
};
/* The HTTP status that C2SP tlog-witness gives to it: 200 so far good, 400, 404 no such log, 403 not signed by it. */
unsigned tlog_witness_read(span body, const struct tlog_verifier *logs, size_t count, struct tlog_asked *out);
/* Whether what is asked extends the tree that was seen last (size 0: none): 200; 409 it is not from there on, or another
 * tree of that size; 400; 422 the proof does not hold. */
unsigned tlog_witness_judge(const struct tlog_asked *asked, uint64_t seen, const tlog_hash seen_root);

#endif
