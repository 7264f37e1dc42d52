/* Private to ledger: one frame of the write-ahead log, as bytes. Pure.
 *
 *   0  magic 8            24  sequence 8           64  hash of the previous frame's header 32
 *   8  version 4          32  first index 8        96  Merkle root after this frame 32
 *  12  CRC-32C of 16…end 4  40  record count 4    128  Ed25519 signature 64
 *  16  frame length 4     44  zero 4              192  zero 64
 *  20  payload length 4   48  segment id 16       256  records, then zeros to a multiple of 4096
 *
 * Integers little-endian but for the records' lengths: u16 big-endian, leaf, as in an entry bundle. The signature is
 * over a context line and bytes 16…128; the root in there stands for the payload. The next frame's chain hash covers
 * bytes 0…256, and with them checksum, root and signature. */
#ifndef GATE1367_LEDGER_FRAME_H
#define GATE1367_LEDGER_FRAME_H

#include "ledger/key.h"
#include "ledger/ledger.h"

#define FRAME_ALIGN 4096u
#define FRAME_HEADER 256u
#define FRAME_VERSION 1u
#define RECORD_HEADER 2u
/* A control byte and one that is not UTF-8: no entry can hold it, so no entry can pass for a frame. */
#define FRAME_MAGIC                                                                                                    \
    "\x89"                                                                                                             \
    "1367W\x01\n"

struct frame {
    const uint8_t *base;
    uint32_t length, count;
    uint64_t sequence, first_index;
    span payload;
};
static inline const uint8_t *frame_segment(const struct frame *f)
{
    return f->base + 48;
}
static inline const uint8_t *frame_previous(const struct frame *f)
{
    return f->base + 64;
}
static inline const uint8_t *frame_root(const struct frame *f)
{
    return f->base + 96;
}
static inline const uint8_t *frame_signature(const struct frame *f)
{
    return f->base + 128;
}

/* Length of the frame that starts here, at least FRAME_HEADER bytes given; 0 when no header stands here. */
uint32_t frame_length(span start);
/* Everything that can be said of a frame alone. */
enum ledger_fault frame_parse(span bytes, struct frame *out);
/* The records one by one: false at the end. *at starts at 0. */
bool frame_next(const struct frame *f, size_t *at, span *leaf);
bool frame_signed(const uint8_t header[FRAME_HEADER], const struct signature_check *check);
static inline uint32_t frame_padded(size_t payload)
{
    return (uint32_t)((FRAME_HEADER + payload + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN);
}

struct frame_facts {
    uint64_t sequence, first_index;
    uint32_t count, payload;
    const uint8_t *segment, *previous, *root;
};
/* Puts the header before the payload that stands at base + FRAME_HEADER, zeroes the padding, signs. 0: OpenSSL failed,
 * else the frame's length. */
uint32_t frame_finish(uint8_t *base, const struct frame_facts *facts, const struct ledger_key *key);

#endif
