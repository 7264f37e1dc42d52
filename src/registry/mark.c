/* How far a gateway has had its registry's journal in force, kept where the journal is not: a copy of it that lacks what came after
 * it, or none, is told by that at the next start.
 *
 *   slot:  magic 8 │ format 4 │ spare 4 │ key's check 16 │ sequence 8 │ position 8 │ seal 16 │ keyed hash 32 │ zeros 28 │ CRC-32C 4
 *
 * Two slots, each at the beginning of a page of its own with zeros behind it, are written in turn: what a crash leaves of one is as it
 * was or as it should be, for it lies within one sector, and the other one stands. So a slot whose checksum is wrong is damage. The
 * check tells another registry's key from a forged slot, which the keyed hash finds. The seal is the keyed hash of the journal's record
 * at the position, by which another journal of that length is told; zeros where an index stood for it. Everything is little-endian. */
#include "registry/image.h"

#define MARK_MAGIC "G1367MRK"
#define MARK_FORMAT 1u
#define MARK_CHECK SPAN("gate1367 registry mark")
#define SLOT_TEXT 64 /* what the keyed hash is of */
#define SLOT_SECTOR 128
#define SLOT_CRC (SLOT_SECTOR - 4)

static void mark_check(const struct secrets *s, uint8_t out[16])
{
    siphash128(s->check, MARK_CHECK, out);
}

RESULT registry_mark_encode(const uint8_t key[32], const struct registry_mark *m, uint8_t slot[REGISTRY_MARK_SLOT])
{
    struct secrets s;
    TRY(secrets_derive(&s, key));
    memset(slot, 0, REGISTRY_MARK_SLOT);
    memcpy(slot, MARK_MAGIC, 8);
    store_le32(slot + 8, MARK_FORMAT);
    mark_check(&s, slot + 16);
    store_le64(slot + 32, m->sequence);
    store_le64(slot + 40, m->position);
    memcpy(slot + 48, m->seal, 16);
    bool done = hmac_sha256(span_of(s.mark, sizeof s.mark), span_of(slot, SLOT_TEXT), slot + SLOT_TEXT);
    store_le32(slot + SLOT_CRC, crc32c(0, span_of(slot, SLOT_CRC)));
    secrets_wipe(&s);
    REQUIRE(done, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return OK;
}

static bool is_whole(const uint8_t *slot)
{
    if (memcmp(slot, MARK_MAGIC, 8) != 0 || load_le32(slot + 8) != MARK_FORMAT) return false;
    for (size_t i = SLOT_SECTOR; i < REGISTRY_MARK_SLOT; i++)
        if (slot[i] != 0) return false;
    return load_le32(slot + SLOT_CRC) == crc32c(0, span_of(slot, SLOT_CRC));
}

static bool is_signed(const struct secrets *s, const uint8_t *slot)
{
    uint8_t mac[32];
    return hmac_sha256(span_of(s->mark, sizeof s->mark), span_of(slot, SLOT_TEXT), mac) &&
           memcmp(mac, slot + SLOT_TEXT, sizeof mac) == 0;
}

/* A slot of another key counts in its sequence alone: what is written next goes on behind it. */
static RESULT read_slots(const struct secrets *s, const uint8_t *file, struct registry_mark *out, uint64_t *last)
{
    uint8_t check[16];
    bool found = false;
    mark_check(s, check);
    for (unsigned i = 0; i < REGISTRY_MARK_SLOTS; i++) {
        const uint8_t *slot = file + (size_t)i * REGISTRY_MARK_SLOT;
        bool ours = memcmp(slot + 16, check, sizeof check) == 0;
        uint64_t sequence = load_le64(slot + 32);
        REQUIRE(is_whole(slot) && (!ours || is_signed(s, slot)), ERROR_CONFIG, REGISTRY_MARK_DAMAGED);
        if (sequence > *last) *last = sequence;
        if (!ours || (found && sequence < out->sequence)) continue;
        *out = (struct registry_mark){.sequence = sequence, .position = load_le64(slot + 40), .slot = i};
        memcpy(out->seal, slot + 48, 16);
        found = true;
    }
    REQUIRE(found, ERROR_CONFIG, REGISTRY_MARK_FOREIGN);
    return OK;
}

RESULT registry_mark_read(const uint8_t key[32], span file, struct registry_mark *out)
{
    struct secrets s;
    uint64_t last = 0;
    *out = (struct registry_mark){0};
    REQUIRE(file.len == REGISTRY_MARK_BYTES, ERROR_CONFIG, REGISTRY_MARK_DAMAGED);
    TRY(secrets_derive(&s, key));
    result r = read_slots(&s, file.ptr, out, &last);
    secrets_wipe(&s);
    if (r.class == ERROR_CONFIG && r.code == REGISTRY_MARK_FOREIGN) *out = (struct registry_mark){.sequence = last};
    return r;
}

static bool has_seal(const uint8_t seal[16])
{
    static const uint8_t none[16];
    return memcmp(seal, none, sizeof none) != 0;
}

RESULT registry_mark_judge(const struct registry_mark *m, span journal, uint64_t index)
{
    struct registry_journal_seal there;
    if (m->position == 0) return OK;
    registry_journal_seal_of(journal, m->position, &there);
    if (there.found) {
        bool same = !has_seal(m->seal) || memcmp(m->seal, there.seal, sizeof m->seal) == 0;
        REQUIRE(same, ERROR_CONFIG, REGISTRY_MARK_ANOTHER);
        return OK;
    }
    REQUIRE(index > m->position, ERROR_CONFIG, REGISTRY_MARK_BEHIND);
    return OK;
}

void registry_mark_of(span journal, uint64_t index, struct registry_mark *out)
{
    struct registry_journal_seal last;
    *out = (struct registry_mark){0};
    registry_journal_seal_of(journal, UINT64_MAX, &last);
    bool stands = index > 0 && index - 1 > last.last;
    out->position = stands ? index - 1 : last.last;
    if (!stands && last.found) memcpy(out->seal, last.seal, sizeof out->seal);
}

bool registry_mark_advances(const struct registry_mark *m, const struct registry_mark *next)
{
    return next->position > m->position || (next->position == m->position && has_seal(next->seal) && !has_seal(m->seal));
}
