/* The journal of live changes, protected.idx.journal. A record:
 *
 *   magic 4 │ length 4 │ position 8 │ CRC-32C 4 │ payload … │ keyed hash 16 │ CRC-32C 4        little-endian
 *   payload: op 1 │ fellows 3 │ keys 4 │ time 8 │ subject 8 │ reason 16 │ keys × 16
 *
 * The CRCs (of the head; of all before) find what the disk broke, the keyed hash (SipHash-2-4-128 over head and
 * payload) what somebody without the key wrote: a forged release must not unprotect anybody. Positions go up by one, so
 * that no record can be taken out of the middle.
 *
 * Torn or damaged? Records are written with one append, one or several, and acknowledged after fsync. What a crash leaves
 * of an append that was not acknowledged is its beginning, cut short, or with zeros in the place of disk sectors whose data
 * had not arrived: at the end of the file, or with later sectors behind them that had. Only that is torn. Whole records may
 * stand behind such a hole, but only of the same append: `fellows` says how many records before one came with it. Everything
 * else is damage, also of the last record, for it may have been acknowledged; and damage refuses. */
#include "registry/image.h"

#define RECORD_MAGIC 0x4A524731u /* "1GRJ" */
#define HEAD_BYTES 20
#define SECTOR 512
#define TAIL_BYTES 20
#define PAYLOAD_FIXED 40
#define PAYLOAD_MAX (PAYLOAD_FIXED + 16 * REGISTRY_CHANGE_KEYS_MAX)

static void journal_mac(const struct secrets *s, const uint8_t *record, size_t payload, uint8_t mac[16])
{
    siphash128(s->journal, span_of(record, HEAD_BYTES + payload), mac);
}

static void write_payload(uint8_t *p, const struct registry_change *c)
{
    memset(p, 0, PAYLOAD_FIXED);
    p[0] = (uint8_t)c->op;
    p[1] = (uint8_t)c->fellows, p[2] = (uint8_t)(c->fellows >> 8), p[3] = (uint8_t)(c->fellows >> 16);
    store_le32(p + 4, (uint32_t)c->key_count);
    store_le64(p + 8, c->time);
    store_le64(p + 16, c->subject);
    if (c->op != REGISTRY_PROTECT) memcpy(p + 24, c->reason, 16);
    for (size_t i = 0; i < c->key_count; i++) {
        store_le64(p + PAYLOAD_FIXED + 16 * i, c->keys[i].a);
        store_le64(p + PAYLOAD_FIXED + 16 * i + 8, c->keys[i].b);
    }
}

RESULT registry_journal_encode(const uint8_t key[32], const struct registry_change *c, struct buf *out)
{
    struct secrets s;
    uint8_t *p;
    ASSERT(c->position > 0 && c->key_count <= REGISTRY_CHANGE_KEYS_MAX && c->subject != REGISTRY_NO_SUBJECT);
    ASSERT(c->op == REGISTRY_PROTECT || c->op == REGISTRY_SUSPECT || c->key_count == 0);
    ASSERT(c->fellows < c->position && c->fellows < 1u << 24);
    size_t payload = PAYLOAD_FIXED + 16 * c->key_count, length = HEAD_BYTES + payload + TAIL_BYTES;
    TRY(secrets_derive(&s, key));
    result r = buf_reserve(out, length, &p);
    if (is_ok(r)) {
        store_le32(p, RECORD_MAGIC);
        store_le32(p + 4, (uint32_t)payload);
        store_le64(p + 8, c->position);
        store_le32(p + 16, crc32c(0, span_of(p, 16)));
        write_payload(p + HEAD_BYTES, c);
        journal_mac(&s, p, payload, p + HEAD_BYTES + payload);
        store_le32(p + length - 4, crc32c(0, span_of(p, length - 4)));
        buf_commit(out, length);
    }
    secrets_wipe(&s);
    return r;
}

/* ---- reading ---- */

/* Length of the record at the start of `rest` by its own account, or 0 when that cannot be. */
static size_t record_length(span rest)
{
    if (rest.len < HEAD_BYTES || load_le32(rest.ptr) != RECORD_MAGIC) return 0;
    if (load_le32(rest.ptr + 16) != crc32c(0, span_of(rest.ptr, 16))) return 0;
    uint32_t payload = load_le32(rest.ptr + 4);
    if (payload < PAYLOAD_FIXED || payload > PAYLOAD_MAX || (payload - PAYLOAD_FIXED) % 16 != 0) return 0;
    return HEAD_BYTES + payload + TAIL_BYTES;
}

static bool record_whole(span rest)
{
    size_t length = record_length(rest);
    return length > 0 && length <= rest.len &&
           load_le32(rest.ptr + length - 4) == crc32c(0, span_of(rest.ptr, length - 4));
}

/* Only zeros in the part of some disk sector from `at` on. No sector of a record is zero by itself: it begins with the
 * magic, ends with a checksum, and holds hashes. */
static bool has_hole(span journal, size_t at)
{
    for (size_t from = at; from < journal.len;) {
        size_t to = (from / SECTOR + 1) * SECTOR, i = from;
        if (to > journal.len) to = journal.len;
        while (i < to && journal.ptr[i] == 0)
            i++;
        if (i == to) return true;
        from = to;
    }
    return false;
}

/* Does a whole record stand behind that was written by a later append than the one that is to have position `next`? */
static bool followed_by_later(span journal, size_t at, uint64_t next)
{
    for (size_t i = at + 1; i + HEAD_BYTES <= journal.len; i++) {
        span rest = span_from(journal, i);
        if (load_le32(rest.ptr) != RECORD_MAGIC || !record_whole(rest)) continue;
        const uint8_t *p = rest.ptr + HEAD_BYTES;
        uint64_t fellows = (uint64_t)p[1] | (uint64_t)p[2] << 8 | (uint64_t)p[3] << 16;
        if (load_le64(rest.ptr + 8) - fellows > next) return true;
    }
    return false;
}

/* What is not whole from `at` on is what a crash left of the last append. */
static bool is_torn(span journal, size_t at, uint64_t next)
{
    span rest = span_from(journal, at);
    size_t length = record_length(rest);
    if (rest.len < (length ? length : HEAD_BYTES)) return true;
    return has_hole(journal, at) && !followed_by_later(journal, at, next);
}

/* The change in a whole record; its keys go to the scratch. False when its insides or its keyed hash are wrong. */
static bool read_record(const struct secrets *s, span record, struct registry_print *keys, struct registry_change *out)
{
    size_t payload = record.len - HEAD_BYTES - TAIL_BYTES;
    const uint8_t *p = record.ptr + HEAD_BYTES;
    uint8_t mac[16];
    journal_mac(s, record.ptr, payload, mac);
    if (memcmp(mac, p + payload, 16) != 0) return false;
    *out = (struct registry_change){.op = (enum registry_op)p[0],
        .position = load_le64(record.ptr + 8),
        .time = load_le64(p + 8),
        .subject = load_le64(p + 16),
        .keys = keys,
        .key_count = load_le32(p + 4),
        .fellows = (uint32_t)p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16};
    memcpy(out->reason, p + 24, 16);
    if (p[0] < REGISTRY_PROTECT || p[0] > REGISTRY_CLEAR) return false;
    if (out->key_count != (payload - PAYLOAD_FIXED) / 16 || out->subject == REGISTRY_NO_SUBJECT) return false;
    for (size_t i = 0; i < out->key_count; i++)
        keys[i] =
            (struct registry_print){load_le64(p + PAYLOAD_FIXED + 16 * i), load_le64(p + PAYLOAD_FIXED + 16 * i + 8)};
    return true;
}

/* Positions follow each other; the first may be any, for what an index includes may have been cut off in front. */
static bool position_follows(const struct registry_journal_end *end, uint64_t position)
{
    return end->records == 0 ? position > 0 : position == end->position + 1;
}

struct reader {
    uint64_t from;
    uint64_t built; /* by the clock, of an index that knows of no journal; 0: it does */
    void *overlay;  /* NULL: not applied */
    void (*each)(void *ctx, const struct registry_change *c);
    void *ctx;
};

/* Whoever was released before the index was built, and stands in it, was protected anew since. */
static bool is_outlived(const struct reader *to, const struct registry_change *c)
{
    return c->op == REGISTRY_RELEASE && c->time < to->built;
}

static RESULT take_record(const struct reader *to, const struct registry_change *c, struct registry_journal_end *end)
{
    bool suspicion = c->op == REGISTRY_SUSPECT || c->op == REGISTRY_CLEAR;
    if (to->each) to->each(to->ctx, c);
    if (!to->overlay || (c->position < to->from && !suspicion) || is_outlived(to, c)) return OK;
    TRY(registry_overlay_apply(to->overlay, c));
    end->applied++;
    return OK;
}

static RESULT replay_all(const struct secrets *s, span journal, const struct reader *to, struct registry_print *keys,
    struct registry_journal_end *end)
{
    while (end->bytes < journal.len) {
        span rest = span_from(journal, end->bytes);
        struct registry_change c;
        if (!record_whole(rest)) {
            end->torn = is_torn(journal, end->bytes, end->position + 1);
            REQUIRE(end->torn, ERROR_CONFIG, REGISTRY_JOURNAL_DAMAGED);
            return OK;
        }
        span record = span_sub(rest, 0, record_length(rest));
        REQUIRE(read_record(s, record, keys, &c) && position_follows(end, c.position), ERROR_CONFIG,
            REGISTRY_JOURNAL_DAMAGED);
        TRY(take_record(to, &c, end));
        end->bytes += record.len;
        end->position = c.position;
        end->records++;
    }
    return OK;
}

static RESULT go_on(const uint8_t key[32], span journal, const struct reader *to, struct registry_journal_end *end)
{
    struct secrets s;
    TRY(secrets_derive(&s, key));
    struct registry_print *keys = mem_array(REGISTRY_CHANGE_KEYS_MAX, sizeof *keys);
    result r = keys ? replay_all(&s, journal, to, keys, end) : FAIL(ERROR_LIMIT, REGISTRY_NO_MEMORY);
    mem_free(keys);
    secrets_wipe(&s);
    return r;
}

static RESULT read_journal(
    const uint8_t key[32], span journal, const struct reader *to, struct registry_journal_end *end)
{
    *end = (struct registry_journal_end){0};
    return go_on(key, journal, to, end);
}

/* A record at a position that the index stands for would never be read again: a journal that was moved away goes on where
 * the index ends, and one that ends before it is not this index's. */
static RESULT fit_index(struct registry_journal_end *end, uint64_t from)
{
    if (end->records == 0 && from > 0) end->position = from - 1;
    REQUIRE(end->position + 1 >= from, ERROR_CONFIG, REGISTRY_JOURNAL_BEHIND);
    return OK;
}

static uint64_t built_apart(const struct registry_info *index)
{
    return index && index->journal <= 1 ? index->built : 0;
}

RESULT registry_journal_follow(const uint8_t key[32], span more, const struct registry_info *index, void *overlay,
    struct registry_journal_end *end)
{
    struct registry_journal_end next = {.position = end->position, .records = 1};
    TRY(go_on(key, more, &(struct reader){.built = built_apart(index), .overlay = overlay}, &next));
    end->position = next.position;
    end->bytes += next.bytes;
    end->records += next.records - 1;
    end->applied += next.applied;
    end->torn = next.torn;
    return OK;
}

RESULT registry_journal_replay(const uint8_t key[32], span journal, uint64_t from, const struct registry_info *index,
    void *overlay, struct registry_journal_end *end)
{
    uint64_t built = built_apart(index);
    TRY(read_journal(key, journal, &(struct reader){.from = from, .built = built, .overlay = overlay}, end));
    return from == UINT64_MAX ? OK : fit_index(end, from);
}

RESULT registry_journal_each(
    const uint8_t key[32], span journal, void (*each)(void *ctx, const struct registry_change *c), void *ctx)
{
    struct registry_journal_end end;
    return read_journal(key, journal, &(struct reader){.each = each, .ctx = ctx}, &end);
}

void registry_journal_seal_of(span journal, uint64_t position, struct registry_journal_seal *out)
{
    *out = (struct registry_journal_seal){0};
    for (size_t length; (length = record_length(journal)) > 0 && length <= journal.len; journal = span_from(journal, length)) {
        out->last = load_le64(journal.ptr + 8);
        if (position != UINT64_MAX && out->last != position) continue;
        memcpy(out->seal, journal.ptr + length - TAIL_BYTES, sizeof out->seal);
        out->found = true;
    }
}
