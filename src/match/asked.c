/* What was looked up for a document that leaves in parts, and was nobody's: asked once more before a part leaves that was read before the
 * registry changed. */
#include "match/own.h"

#define TOGETHER 16 /* keys that are asked for at once */

/* In front of the canonical value. */
struct asked_key {
    uint64_t at;
    uint32_t system;
    uint16_t len;
    uint8_t kind;
};

void match_keep_asked(struct match *m)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    m->keeps_asked = true;
}

void asked_keep(struct match *m, uint64_t at, const struct registry_key *key)
{
    uint8_t *to;
    struct asked_key head = {at, key->system, (uint16_t)key->canonical.len, (uint8_t)key->kind};
    ASSERT(key->canonical.len <= UINT16_MAX);
    if (!is_ok(buf_reserve(&m->asked, sizeof head + key->canonical.len, &to))) {
        m->failed = true;
        return;
    }
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, key->canonical.ptr, key->canonical.len);
    buf_commit(&m->asked, sizeof head + key->canonical.len);
}

/* The key at the beginning, and how many bytes it takes. */
static size_t read_key(span asked, uint64_t *at, struct registry_key *key)
{
    struct asked_key head;
    memcpy(&head, asked.ptr, sizeof head);
    *at = head.at;
    *key = (struct registry_key){(enum registry_kind)head.kind, head.system, span_sub(asked, sizeof head, head.len)};
    return sizeof head + head.len;
}

void match_forget_asked(struct match *m, uint64_t before)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    while (buf_len(&m->asked) > 0) {
        uint64_t at;
        struct registry_key key;
        size_t n = read_key(buf_span(&m->asked), &at, &key);
        if (at >= before) break;
        buf_consume(&m->asked, n);
    }
}

/* Those who are only suspected do not count. */
static bool is_somebody(const struct match *m, const struct registry_key *key)
{
    uint64_t subjects[TOGETHER];
    size_t n = registry_subjects(m->registry, key, subjects, TOGETHER);
    if (n == 0 || n > TOGETHER) return true;
    for (size_t i = 0; i < n; i++)
        if (!registry_suspects(m->registry, subjects[i])) return true;
    return false;
}

static bool is_any(const struct match *m, const struct registry_key *keys, size_t count)
{
    struct registry_hit hits[TOGETHER];
    bool any = false;
    registry_probe(m->registry, keys, count, hits);
    for (size_t i = 0; i < count; i++)
        any |= hits[i].protected_ && is_somebody(m, &keys[i]);
    mem_wipe(hits, sizeof hits);
    return any;
}

bool match_anybody_since(const struct match *m)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    struct registry_key keys[TOGETHER];
    bool any = false;
    size_t count = 0;
    for (span left = buf_span(&m->asked); left.len > 0 && !any;) {
        uint64_t at;
        left = span_from(left, read_key(left, &at, &keys[count++]));
        if (count < TOGETHER && left.len > 0) continue;
        any = is_any(m, keys, count);
        count = 0;
    }
    return any;
}
