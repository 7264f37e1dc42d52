#include "ledger/frame.h"

#define SIGNED_FROM 16u
#define SIGNED_TO 128u
#define SIGNED_CONTEXT "gate1367 frame v1\n"

static bool all_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= p[i];
    return any == 0;
}

uint32_t frame_length(span start)
{
    if (start.len < FRAME_HEADER || memcmp(start.ptr, FRAME_MAGIC, 8) != 0) return 0;
    uint32_t length = load_le32(start.ptr + 16);
    if (length < FRAME_ALIGN || length > LEDGER_FRAME_MAX || length % FRAME_ALIGN != 0) return 0;
    return length;
}

bool frame_next(const struct frame *f, size_t *at, span *leaf)
{
    if (*at >= f->payload.len) return false;
    size_t len = load_be16(f->payload.ptr + *at);
    *leaf = span_sub(f->payload, *at + RECORD_HEADER, len);
    *at += RECORD_HEADER + len;
    return true;
}

/* The records must fill the payload to the byte, be as many as the header says, and none may be empty or too long. */
static bool records_hold(span payload, uint32_t count)
{
    size_t at = 0;
    uint32_t seen = 0;
    while (at < payload.len) {
        if (payload.len - at < RECORD_HEADER) return false;
        size_t len = load_be16(payload.ptr + at);
        at += RECORD_HEADER;
        if (len == 0 || len > LEDGER_ENTRY_MAX || len > payload.len - at) return false;
        at += len;
        seen++;
    }
    return seen == count && count > 0;
}

enum ledger_fault frame_parse(span bytes, struct frame *out)
{
    uint32_t length = frame_length(bytes);
    if (length == 0 || load_le32(bytes.ptr + 8) != FRAME_VERSION) return LEDGER_FAULT_HEADER;
    uint32_t payload = load_le32(bytes.ptr + 20);
    if (length > bytes.len || payload > length - FRAME_HEADER || frame_padded(payload) != length)
        return LEDGER_FAULT_LENGTH;
    const uint8_t *p = bytes.ptr;
    if (crc32c(0, span_of(p + SIGNED_FROM, length - SIGNED_FROM)) != load_le32(p + 12)) return LEDGER_FAULT_CHECKSUM;
    *out = (struct frame){.base = p,
        .length = length,
        .count = load_le32(p + 40),
        .sequence = load_le64(p + 24),
        .first_index = load_le64(p + 32),
        .payload = span_of(p + FRAME_HEADER, payload)};
    if (!all_zero(p + 44, 4) || !all_zero(p + 192, 64) || !records_hold(out->payload, out->count) ||
        !all_zero(p + FRAME_HEADER + payload, length - FRAME_HEADER - payload))
        return LEDGER_FAULT_RECORDS;
    return LEDGER_SOUND;
}

static span signed_part(const uint8_t *header, uint8_t message[sizeof SIGNED_CONTEXT - 1 + SIGNED_TO - SIGNED_FROM])
{
    memcpy(message, SIGNED_CONTEXT, sizeof SIGNED_CONTEXT - 1);
    memcpy(message + sizeof SIGNED_CONTEXT - 1, header + SIGNED_FROM, SIGNED_TO - SIGNED_FROM);
    return span_of(message, sizeof SIGNED_CONTEXT - 1 + SIGNED_TO - SIGNED_FROM);
}

bool frame_signed(const uint8_t header[FRAME_HEADER], const struct signature_check *check)
{
    uint8_t message[sizeof SIGNED_CONTEXT - 1 + SIGNED_TO - SIGNED_FROM];
    return check_signature(check, signed_part(header, message), header + 128);
}

uint32_t frame_finish(uint8_t *base, const struct frame_facts *facts, const struct ledger_key *key)
{
    uint32_t length = frame_padded(facts->payload);
    uint8_t message[sizeof SIGNED_CONTEXT - 1 + SIGNED_TO - SIGNED_FROM];
    memset(base, 0, FRAME_HEADER);
    memset(base + FRAME_HEADER + facts->payload, 0, length - FRAME_HEADER - facts->payload);
    memcpy(base, FRAME_MAGIC, 8);
    store_le32(base + 8, FRAME_VERSION);
    store_le32(base + 16, length);
    store_le32(base + 20, facts->payload);
    store_le64(base + 24, facts->sequence);
    store_le64(base + 32, facts->first_index);
    store_le32(base + 40, facts->count);
    memcpy(base + 48, facts->segment, 16);
    memcpy(base + 64, facts->previous, 32);
    memcpy(base + 96, facts->root, 32);
    if (!ledger_key_sign(key, signed_part(base, message), base + 128)) return 0;
    store_le32(base + 12, crc32c(0, span_of(base + SIGNED_FROM, length - SIGNED_FROM)));
    return length;
}
