/* Entries: written straight into the caller's buffer, no tree, no library, one pass. */
#include "ledger/seal.h"
#include <errno.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The writer's end never moves past `limit`: what does not fit latches `full`. */
struct writer {
    uint8_t *at, *limit;
    bool full;
};

static void put_bytes(struct writer *w, const void *p, size_t len)
{
    ASSERT(p || len == 0);
    if (UNLIKELY((size_t)(w->limit - w->at) < len)) {
        w->full = true;
        return;
    }
    if (len > 0) memcpy(w->at, p, len);
    w->at += len;
}

#define PUT(w, literal) put_bytes(w, "" literal, sizeof(literal) - 1)

static void put_u64(struct writer *w, uint64_t v)
{
    uint8_t digits[20];
    unsigned n = sizeof digits;
    do
        digits[--n] = (uint8_t)('0' + v % 10);
    while (v /= 10);
    put_bytes(w, digits + n, sizeof digits - n);
}

static void put_number(struct writer *w, int64_t v)
{
    if (v < 0)
        PUT(w, "null");
    else
        put_u64(w, (uint64_t)v);
}

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define EACH_TOP (EACH_BYTE * 0x80)

/* The top bit of a byte set where it is 0, and perhaps of those above that one. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE) & ~word & EACH_TOP;
}

/* Whether all eight need no escape and are ASCII. False also says: look at each. */
static bool plain_word(uint64_t word)
{
    uint64_t control = (word - EACH_BYTE * 0x20) & ~word & EACH_TOP;
    uint64_t named = zero_bytes(word ^ EACH_BYTE * '"') | zero_bytes(word ^ EACH_BYTE * '\\') | zero_bytes(word ^ EACH_BYTE * 0x7f);
    return (word & EACH_TOP) == 0 && (control | named) == 0;
}

static bool plain_byte(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many bytes from p on need no escape and are ASCII. */
static size_t plain_run(const uint8_t *p, size_t len)
{
    size_t i = 0;
    while (i < len && plain_byte(p[i]))
        i++;
    return i;
}

/* The same of sixteen. Signed, what is not ASCII is less than a blank. */
#ifdef __SSE2__
static bool plain_block(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const void *)p);
    __m128i low = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)), del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"')), backslash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, backslash))) == 0;
}
#else
static bool plain_block(const uint8_t *p)
{
    return plain_word(load_le64(p)) && plain_word(load_le64(p + 8));
}
#endif

/* The last block or word may overlap the one before it. */
static bool all_plain(span s)
{
    if (s.len < sizeof(uint64_t)) return plain_run(s.ptr, s.len) == s.len;
    if (s.len >= 16) {
        for (size_t i = 0; i < s.len - 16; i += 16)
            if (!plain_block(s.ptr + i)) return false;
        return plain_block(s.ptr + s.len - 16);
    }
    size_t last = s.len - sizeof(uint64_t);
    for (size_t i = 0; i < last; i += sizeof(uint64_t))
        if (!plain_word(load_le64(s.ptr + i))) return false;
    return plain_word(load_le64(s.ptr + last));
}

//= RFC8259 7
/* One character that is not plain; returns how many bytes of the input it took. The spelling is fixed, so that equal
 * values give equal bytes. */
static size_t put_special(struct writer *w, span s)
{
    static const char short_form[] = "btn?fr"; /* 0x08 … 0x0d */
    static const char hex[] = "0123456789abcdef";
    uint8_t c = s.ptr[0];
    if (c == '"' || c == '\\') return put_bytes(w, (uint8_t[]){'\\', c}, 2), 1;
    if (c >= 0x08 && c <= 0x0d && c != 0x0b) return put_bytes(w, (uint8_t[]){'\\', (uint8_t)short_form[c - 8]}, 2), 1;
    if (c < 0x20 || c == 0x7f)
        return put_bytes(w, (uint8_t[]){'\\', 'u', '0', '0', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]}, 6), 1;
    size_t n = utf8_length(s);
    if (n == 0) return put_bytes(w, "\xef\xbf\xbd", 3), 1;
    return put_bytes(w, s.ptr, n), n;
}

/* Nearly all are plain, short enough and fit. False: nothing was written. */
static bool put_plain(struct writer *w, span s, size_t max)
{
    if (s.len > max || (size_t)(w->limit - w->at) < s.len + 2 || !all_plain(s)) return false;
    w->at[0] = '"';
    memcpy(w->at + 1, s.ptr, s.len);
    w->at[s.len + 1] = '"';
    w->at += s.len + 2;
    return true;
}

/* The string in quotes, at most max encoded bytes of it: an entry must fit whatever a client sends. */
static void put_text(struct writer *w, span s, size_t max)
{
    if (!s.ptr) {
        PUT(w, "null");
        return;
    }
    if (put_plain(w, s, max)) return;
    PUT(w, "\"");
    const uint8_t *start = w->at;
    while (s.len > 0 && !w->full) {
        size_t used = (size_t)(w->at - start), room = used < max ? max - used : 0, n = plain_run(s.ptr, s.len);
        if (n > room || (n == 0 && room < 6)) {
            put_bytes(w, s.ptr, n < room ? n : room);
            PUT(w, "\xe2\x80\xa6");
            break;
        }
        if (n > 0)
            put_bytes(w, s.ptr, n);
        else
            n = put_special(w, s);
        s = span_from(s, n);
    }
    PUT(w, "\"");
}

static void put_hex(struct writer *w, const uint8_t nonce[16])
{
    char hex[33];
    hex_encode(span_of(nonce, 16), hex);
    PUT(w, "\"");
    put_bytes(w, hex, 32);
    PUT(w, "\"");
}

#define FIELD(w, name, s, max)                                                                                         \
    do {                                                                                                               \
        PUT(w, ",\"" name "\":");                                                                                      \
        put_text(w, s, max);                                                                                           \
    } while (0)
#define NUMBER(w, name, v)                                                                                             \
    do {                                                                                                               \
        PUT(w, ",\"" name "\":");                                                                                      \
        put_number(w, v);                                                                                              \
    } while (0)

static void put_word(struct writer *w, const char *word)
{
    if (!word) {
        PUT(w, "null");
        return;
    }
    PUT(w, "\"");
    put_bytes(w, word, strlen(word));
    PUT(w, "\"");
}

/* What is sealed stands nowhere else. */
static span in_clear(const struct ledger_entry *e, span value)
{
    return e->sealer ? span_of(NULL, 0) : value;
}

static void put_who(struct writer *w, const struct ledger_entry *e)
{
    PUT(w, ",\"recipient\":{\"id\":");
    put_text(w, e->recipient.id, LEDGER_FIELD_MAX);
    FIELD(w, "agency", e->recipient.agency, LEDGER_FIELD_MAX);
    FIELD(w, "component", e->recipient.component, LEDGER_FIELD_MAX);
    FIELD(w, "standing", e->recipient.standing, LEDGER_FIELD_MAX);
    FIELD(w, "organization", in_clear(e, e->recipient.organization), LEDGER_FIELD_MAX);
    FIELD(w, "identity", in_clear(e, e->recipient.identity), LEDGER_FIELD_MAX);
    FIELD(w, "fingerprint", e->recipient.fingerprint, LEDGER_FIELD_MAX);
    if (e->recipient.via.ptr) FIELD(w, "via", e->recipient.via, LEDGER_FIELD_MAX);
    PUT(w, "}");
    FIELD(w, "client", in_clear(e, e->client), LEDGER_FIELD_MAX);
}

static void put_versions(struct writer *w, const struct ledger_entry *e)
{
    PUT(w, ",\"versions\":{\"rules\":");
    put_text(w, e->versions.rules, LEDGER_FIELD_MAX);
    FIELD(w, "registry", e->versions.registry, LEDGER_FIELD_MAX);
    FIELD(w, "config", e->versions.config, LEDGER_FIELD_MAX);
    PUT(w, "}");
}

static void put_head(struct writer *w, const struct ledger_entry *e)
{
    char time[LEDGER_TIME_TEXT];
    ledger_time_format(e->time_us, time);
    PUT(w, "{\"time\":\"");
    put_bytes(w, time, LEDGER_TIME_TEXT - 1);
    PUT(w, "\"");
    FIELD(w, "node", e->node, LEDGER_FIELD_MAX);
    FIELD(w, "request", e->request, LEDGER_FIELD_MAX);
    PUT(w, ",\"event\":");
    put_word(w, ledger_event_name(e->event));
    if (e->spelled.who.ptr) put_bytes(w, e->spelled.who.ptr, e->spelled.who.len);
    else put_who(w, e);
    FIELD(w, "purpose", e->purpose, LEDGER_FIELD_MAX);
    FIELD(w, "method", e->method, LEDGER_FIELD_MAX);
    FIELD(w, "route", e->route, LEDGER_FIELD_MAX);
    FIELD(w, "target", e->target, LEDGER_TARGET_MAX);
}

static void put_verdict(struct writer *w, const struct ledger_entry *e)
{
    NUMBER(w, "upstream_status", e->upstream_status);
    NUMBER(w, "status", e->status);
    PUT(w, ",\"outcome\":");
    put_word(w, ledger_outcome_name(e->outcome));
    PUT(w, ",\"records\":{\"seen\":");
    put_u64(w, e->records.seen);
    PUT(w, ",\"protected\":");
    put_u64(w, e->records.protected);
    PUT(w, ",\"withheld\":");
    put_u64(w, e->records.withheld);
    PUT(w, ",\"redacted\":");
    put_u64(w, e->records.redacted);
    PUT(w, ",\"disclosed\":");
    put_u64(w, e->records.disclosed);
    PUT(w, "}");
}

static void put_subjects(struct writer *w, const struct ledger_entry *e)
{
    PUT(w, ",\"subjects\":[");
    for (size_t i = 0; i < e->subject_count; i++) {
        if (i > 0) PUT(w, ",");
        PUT(w, "\"");
        put_bytes(w, e->subjects[i], LEDGER_PSEUDONYM - 1);
        PUT(w, "\"");
    }
    PUT(w, "],\"rules\":{");
    for (size_t i = 0; i < e->rule_count; i++) {
        if (i > 0) PUT(w, ",");
        put_text(w, e->rules[i].id, LEDGER_FIELD_MAX);
        PUT(w, ":");
        put_u64(w, e->rules[i].count);
    }
    PUT(w, "}");
}

static void put_tail(struct writer *w, const struct ledger_entry *e, span sealed)
{
    FIELD(w, "grant", e->grant, LEDGER_FIELD_MAX);
    FIELD(w, "exception", e->exception, LEDGER_FIELD_MAX);
    if (e->spelled.versions.ptr) put_bytes(w, e->spelled.versions.ptr, e->spelled.versions.len);
    else put_versions(w, e);
    NUMBER(w, "duration_us", e->duration_us);
    NUMBER(w, "part", e->part ? (int64_t)e->part : 1);
    if (e->more)
        PUT(w, ",\"last\":false,\"nonce\":");
    else
        PUT(w, ",\"last\":true,\"nonce\":");
    put_hex(w, e->nonce);
    FIELD(w, "sealed", sealed, LEDGER_SEALED_MAX);
    if (e->previous.ptr) FIELD(w, "previous", e->previous, LEDGER_NOTE_MAX);
    if (e->successor.ptr) FIELD(w, "successor", e->successor, LEDGER_FIELD_MAX);
    if (e->gap.ptr) FIELD(w, "gap", e->gap, LEDGER_NOTE_MAX);
    if (e->epoch.ptr) FIELD(w, "epoch", e->epoch, LEDGER_FIELD_MAX);
    if (e->schedule.ptr) FIELD(w, "schedule", e->schedule, LEDGER_NOTE_MAX);
    if (e->destroyed.ptr) FIELD(w, "destroyed", e->destroyed, LEDGER_NOTE_MAX);
    if (e->event != LEDGER_COMPLETION) return;
    NUMBER(w, "bytes", (int64_t)(e->bytes & INT64_MAX));
    if (e->aborted)
        PUT(w, ",\"aborted\":true");
    else
        PUT(w, ",\"aborted\":false");
}

static void put_link(struct writer *w, const struct ledger_entry *e)
{
    if (!e->link.origin.ptr) return;
    PUT(w, ",\"link\":{\"origin\":");
    put_text(w, e->link.origin, LEDGER_FIELD_MAX);
    NUMBER(w, "size", e->link.root ? (int64_t)(e->link.size & INT64_MAX) : -1);
    PUT(w, ",\"root\":");
    char hex[65] = "";
    if (e->link.root) hex_encode(span_of(e->link.root, 32), hex);
    put_text(w, e->link.root ? span_str(hex) : span_of(NULL, 0), 64);
    PUT(w, "}");
}

result ledger_entry_spell(const struct ledger_entry *e, enum ledger_alike what, struct buf *out)
{
    uint8_t *room;
    buf_clear(out);
    TRY(buf_reserve(out, LEDGER_ENTRY_MAX, &room));
    struct writer w = {room, room + LEDGER_ENTRY_MAX, false};
    if (what == LEDGER_WHO) put_who(&w, e);
    else put_versions(&w, e);
    ASSERT(!w.full); /* each text has its own bound */
    buf_commit(out, (size_t)(w.at - room));
    return OK;
}

result ledger_entry_encode(const struct ledger_entry *e, struct buf *out)
{
    ASSERT(e->subject_count <= LEDGER_PART_SUBJECTS);
    span sealed = e->sealed;
    if (e->sealer) TRY(seal_entry(e->sealer, e, &sealed));
    REQUIRE(sealed.len <= LEDGER_SEALED_MAX, ERROR_LIMIT, EMSGSIZE);
    uint8_t *room;
    TRY(buf_reserve(out, LEDGER_ENTRY_MAX, &room));
    struct writer w = {room, room + LEDGER_ENTRY_MAX, false};
    put_head(&w, e);
    put_verdict(&w, e);
    put_subjects(&w, e);
    put_tail(&w, e, sealed);
    put_link(&w, e);
    PUT(&w, "}");
    REQUIRE(!w.full, ERROR_LIMIT, EMSGSIZE);
    buf_commit(out, (size_t)(w.at - room));
    return OK;
}

/* How many of the rules fit one part, reckoned at the longest spelling. At least one. */
#define RULES_ROOM (12u * 1024)
static size_t rules_that_fit(const struct ledger_count *rules, size_t count)
{
    size_t used = 0, n = 0;
    ASSERT(rules || count == 0);
    for (; n < count; n++) {
        size_t id = rules[n].id.len < LEDGER_FIELD_MAX / 6 ? rules[n].id.len * 6 : LEDGER_FIELD_MAX + 3;
        used += id + 24;
        if (used > RULES_ROOM) break;
    }
    return n > 0 || count == 0 ? n : 1;
}

/* A nonce of its own, so that equal parts do not give equal leaves. */
static bool next_nonce(uint8_t nonce[16])
{
    uint8_t digest[32];
    if (!sha256(span_of(nonce, 16), digest)) return false;
    memcpy(nonce, digest, 16);
    return true;
}

/* The next part of what is left. */
static struct ledger_entry cut_part(const struct ledger_entry *left)
{
    struct ledger_entry part = *left;
    part.part = left->part ? left->part : 1;
    if (part.subject_count > LEDGER_PART_SUBJECTS) part.subject_count = LEDGER_PART_SUBJECTS;
    part.rule_count = rules_that_fit(left->rules, left->rule_count);
    part.more = left->more || part.subject_count < left->subject_count || part.rule_count < left->rule_count;
    return part;
}

static bool is_last(const struct ledger_entry *left, const struct ledger_entry *part)
{
    return part->subject_count == left->subject_count && part->rule_count == left->rule_count;
}

/* The first part tells of the records: so sums over entries are right. */
static result drop_part(struct ledger_entry *left, const struct ledger_entry *part)
{
    memset(&left->records, 0, sizeof left->records);
    left->part = part->part + 1;
    if (left->subjects) left->subjects += part->subject_count;
    if (left->handles) left->handles += part->subject_count;
    left->subject_count -= part->subject_count;
    if (left->rules) left->rules += part->rule_count;
    left->rule_count -= part->rule_count;
    return next_nonce(left->nonce) ? OK : FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
}

/* The key that opens an entry stands before it. */
static result hand_key(const struct ledger_entry *e, struct buf *out, ledger_part_fn *each, void *ctx)
{
    struct ledger_entry key;
    bool due;
    if (!e->sealer) return OK;
    TRY(seal_key_due(e->sealer, NULL, e->time_us, &due));
    if (!due) return OK;
    TRY(seal_key_entry(e->sealer, e->node, e->time_us, &key));
    buf_clear(out);
    TRY(ledger_entry_encode(&key, out));
    TRY(each(ctx, buf_span(out)));
    seal_key_published(e->sealer, 0);
    return OK;
}

//= ICE10036.2 4.6
result ledger_entry_parts(const struct ledger_entry *e, struct buf *out, ledger_part_fn *each, void *ctx)
{
    struct ledger_entry left = *e;
    TRY(hand_key(e, out, each, ctx));
    for (;;) {
        struct ledger_entry part = cut_part(&left);
        buf_clear(out);
        TRY(ledger_entry_encode(&part, out));
        TRY(each(ctx, buf_span(out)));
        if (is_last(&left, &part)) return OK;
        TRY(drop_part(&left, &part));
    }
}

/* Two scribes never share an entry: the parts that a dead one did not commit are lost, and what its successor makes
 * durable would pass for the whole. */
static result publish_part(struct ipc_ring *ring, span part, struct ledger_sealer *sealer, uint64_t *ticket)
{
    uint64_t before = *ticket;
    TRY(ipc_ring_publish(ring, part, ticket));
    bool torn = before != 0 && ipc_ring_state(ring, before) == IPC_TICKET_FAILED;
    return torn || (sealer && !seal_holds(sealer, ring)) ? FAIL(ERROR_IO, EIO) : OK;
}

static result publish_key(struct ledger_sealer *s, const struct ledger_entry *e, struct buf *scratch, struct ipc_ring *ring)
{
    struct ledger_entry key;
    uint64_t ticket = 0;
    bool due;
    TRY(seal_key_due(s, ring, e->time_us, &due));
    if (!due) return OK;
    TRY(seal_key_entry(s, e->node, e->time_us, &key));
    buf_clear(scratch);
    TRY(ledger_entry_encode(&key, scratch));
    TRY(ipc_ring_publish(ring, buf_span(scratch), &ticket));
    seal_key_published(s, ticket);
    return OK;
}

result ledger_entry_publish(struct ledger_entry *left, struct buf *scratch, struct ipc_ring *ring, uint64_t *ticket)
{
    for (;;) {
        struct ledger_entry part = cut_part(left);
        if (left->sealer) TRY(publish_key(left->sealer, left, scratch, ring));
        buf_clear(scratch);
        TRY(ledger_entry_encode(&part, scratch));
        TRY(publish_part(ring, buf_span(scratch), left->sealer, ticket));
        if (is_last(left, &part)) return OK;
        TRY(drop_part(left, &part));
    }
}

/* Eight bytes at a time: a byte under 0x20 borrows from its top bit, which it does not have itself. A borrow that comes
 * from below follows a byte that did, so that no word is called clean that is not. */
static bool has_control(span s)
{
    const uint64_t tops = UINT64_C(0x8080808080808080), spaces = UINT64_C(0x2020202020202020);
    uint64_t any = 0, word;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.ptr + i, 8);
        any |= (word - spaces) & ~word & tops;
    }
    for (; i < s.len; i++)
        any |= s.ptr[i] < 0x20;
    return any != 0;
}

bool ledger_entry_plausible(span entry)
{
    if (entry.len > LEDGER_ENTRY_MAX || !span_starts(entry, SPAN("{\"time\":\"")) || entry.ptr[entry.len - 1] != '}')
        return false;
    return !has_control(entry) && utf8_valid(entry);
}
