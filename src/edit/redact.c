/* What stands where something was found: the value alone gives way.
 *
 *   redact     "A012345678" → "[redacted]"   12345678 → null
 *   mask       "A012345678" → "********"     12345678 → "********": of one length, whatever stood there
 *   pseudonym  "A012345678" → "6f0c…": who was found, keyed for this recipient and month */
#include "edit/plan.h"

#define PSEUDONYM_BYTES 16
#define PSEUDONYM_TEXT (2 * PSEUDONYM_BYTES + 3) /* quotes and NUL */
#define SUBJECTS_MAX 64
#define HMAC 32

static span redacted(bool quoted)
{
    return quoted ? SPAN("\"[redacted]\"") : SPAN("null");
}

static result write_pseudonym(struct edit_planning *p, const uint8_t hmac[HMAC], span *out)
{
    char *text = arena_alloc(p->arena, PSEUDONYM_TEXT);
    REQUIRE(text, ERROR_LIMIT, 0);
    text[0] = '"';
    hex_encode(span_of(hmac, PSEUDONYM_BYTES), text + 1);
    text[PSEUDONYM_TEXT - 2] = '"';
    *out = span_of(text, PSEUDONYM_TEXT - 1);
    return OK;
}

/* Whoever is found in several values, spelt in several ways, has one pseudonym; a value about several has one of its
 * own. What is about nobody that the registry knows (a marker) has none. */
static result pseudonym(struct edit_planning *p, const struct policy_redaction *r, span *out)
{
    uint8_t ids[SUBJECTS_MAX * 8], hmac[HMAC];
    const uint8_t *key = p->verdict->pseudonym_key;
    if (r->subject_count == 0 || r->subject_count > SUBJECTS_MAX || !key) return OK;
    for (uint32_t i = 0; i < r->subject_count; i++)
        store_le64(ids + i * 8, p->verdict->redactions.subjects[r->subject + i]);
    REQUIRE(hmac_sha256(span_of(key, POLICY_PSEUDONYM_KEY), span_of(ids, r->subject_count * 8), hmac), ERROR_LIMIT, 0);
    return write_pseudonym(p, hmac, out);
}

static result literal_of(struct edit_planning *p, const struct policy_redaction *r, bool quoted, span *out)
{
    *out = redacted(quoted);
    switch (p->verdict->redactions.verb) {
    case ON_FINDING_REDACT: break;
    case ON_FINDING_MASK: *out = SPAN("\"********\""); break;
    case ON_FINDING_PSEUDONYM: return pseudonym(p, r, out);
    case ON_FINDING_WITHHOLD:
    case ON_FINDING_BLOCK:
    case ON_FINDING_REPORT: ASSERT(!"nothing is replaced");
    }
    return OK;
}

result edit_plan_redactions(struct edit_planning *p)
{
    const struct policy_redactions *all = &p->verdict->redactions;
    for (size_t i = 0; i < all->count; i++) {
        const struct policy_redaction *r = &all->list[i];
        ASSERT(r->at <= p->body.len && r->len <= p->body.len - r->at);
        bool quoted = r->at > 0 && p->body.ptr[r->at - 1] == '"'; /* no number stands right behind a quote */
        span literal;
        TRY(literal_of(p, r, quoted, &literal));
        edit_add_op(p, r->at - quoted, r->at + r->len + quoted, literal.ptr, literal.len);
    }
    return OK;
}

/* Of the value as it is written, under a key that is made of the recipient's key and is none of the above: what stands for a
 * value is never what stands for a person. */
//= 10-domain 6.L32
result edit_plan_pseudonyms(struct edit_planning *p)
{
    const struct match_survey *s = p->survey;
    uint8_t key[HMAC], hmac[HMAC];
    bool keyed = s->pseudonym_count > 0 && p->verdict->pseudonym_key;
    if (keyed) REQUIRE(hmac_sha256(span_of(p->verdict->pseudonym_key, POLICY_PSEUDONYM_KEY), SPAN("values"), key), ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->pseudonym_count; i++) {
        const struct match_pseudonym *one = &s->pseudonyms[i];
        span literal = redacted(true);
        if (keyed) {
            REQUIRE(hmac_sha256(span_of(key, HMAC), span_of(s->pseudonym_text + one->text, one->len), hmac), ERROR_LIMIT, 0);
            TRY(write_pseudonym(p, hmac, &literal));
        }
        edit_add_op(p, one->begin, one->end, literal.ptr, literal.len);
    }
    return OK;
}
