/* Candidates wait in a batch, so that their look-ups overlap; what the registry knows becomes a finding.
 *
 *= 8USC1367 a(2)   a pattern proposes, the registry decides */
#include "match/own.h"
#include <stdlib.h>

/* ---- findings --------------------------------------------------------------------------------------------------- */

void finding_add(struct match *m, const struct match_finding *finding)
{
    struct match_finding *f = table_add(m, &m->findings, sizeof *f);
    if (f) *f = *finding;
}

#define COMPARE(x, y)                                                                                                  \
    if ((x) != (y)) return (x) < (y) ? -1 : 1
/* What is in the head comes before all that is in the body. */
static int compare_findings(const void *p, const void *q)
{
    const struct match_finding *a = p, *b = q;
    COMPARE(a->at, b->at);
    COMPARE(b->in_name, a->in_name);
    COMPARE(a->unit, b->unit);
    COMPARE(a->rule, b->rule);
    COMPARE(a->origin, b->origin);
    COMPARE(a->kind, b->kind);
    COMPARE(a->subject, b->subject);
    return 0;
}

/* The same value read in two ways (as it stands and percent-decoded, say) is one finding. */
void findings_close(struct match *m)
{
    struct match_finding *all = m->findings.items;
    uint32_t n = m->findings.count, kept = 0;
    if (n > 1) qsort(all, n, sizeof *all, compare_findings);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || compare_findings(&all[kept - 1], &all[i]) != 0) all[kept++] = all[i];
    m->findings.count = kept;
}

void finding_here(struct match *m, enum match_origin origin, rule_id rule)
{
    const struct spot *p = &m->spot;
    shape_varies(m);
    m->proposals++;
    if (m->dry) return;
    if (origin == MATCH_DEFINITIVE && p->unit != MATCH_NONE && !p->in_text) suspect_mark(m);
    finding_add(m, &(struct match_finding){.at = p->at,
                       .len = p->len,
                       .unit = p->unit,
                       .rule = rule,
                       .origin = (uint8_t)origin,
                       .in_text = p->in_text,
                       .in_name = p->is_name});
}

void marker_here(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    (void)where;
    finding_here(ctx,
        limit                               ? MATCH_LIMIT
        : rule->strength == RULE_DEFINITIVE ? MATCH_DEFINITIVE
                                            : MATCH_SUSPECTED,
        rule->id);
}

/* ---- candidates ------------------------------------------------------------------------------------------------- */

#define SUBJECTS 64

/* An identifier may belong to several protected persons: each of them counts. */
static void add_hit(struct match *m, const struct candidate *c, const struct registry_key *key, uint64_t subject)
{
    finding_add(m, &(struct match_finding){.at = c->at,
                       .subject = subject,
                       .len = c->len,
                       .unit = c->unit,
                       .rule = c->rule,
                       .origin = MATCH_REGISTRY,
                       .kind = (uint8_t)key->kind,
                       .in_text = c->in_text,
                       .in_name = c->in_name});
}

static void add_subjects(struct match *m, const struct candidate *c, const struct registry_key *key, uint64_t subject)
{
    uint64_t few[SUBJECTS], *subjects = few;
    size_t n = registry_subjects(m->registry, key, subjects, SUBJECTS);
    MEM_AUTO uint64_t *many = n > SUBJECTS ? mem_array(n, sizeof *many) : NULL;
    if (n > SUBJECTS && !many) m->failed = true;
    if (many) {
        size_t again = registry_subjects(m->registry, key, many, n);
        subjects = many;
        if (again < n) n = again;
    } else if (n > SUBJECTS) {
        n = SUBJECTS;
    }
    if (n == 0) add_hit(m, c, key, subject);
    for (size_t s = 0; s < n; s++)
        add_hit(m, c, key, subjects[s]);
}

static void batch_note(struct batch *b)
{
    if (b->count > b->most) b->most = b->count;
    if (b->bytes > b->most_bytes) b->most_bytes = b->bytes;
}

/* A form that was refused stands behind those that are kept. */
void batch_wipe(struct batch *b)
{
    size_t bytes;
    batch_note(b);
    bytes = b->most_bytes + REGISTRY_CANONICAL_MAX;
    mem_wipe(b->candidates, b->most * sizeof b->candidates[0]);
    mem_wipe(b->keys, b->most * sizeof b->keys[0]);
    registry_asks_wipe(&b->asks);
    mem_wipe(b->text, bytes < sizeof b->text ? bytes : sizeof b->text);
    b->count = b->bytes = b->most = b->most_bytes = 0;
    b->longs = 0;
}

/* The key of a candidate: where it is a message, it is read back from that. */
static struct registry_key key_at(const struct match *m, size_t i)
{
    const struct batch *b = &m->batch;
    if (b->longs >> i & 1) return b->keys[i];
    const uint8_t *message = b->asks.messages[i];
    enum registry_kind kind = (enum registry_kind)message[0];
    size_t head = m->heads[kind].len;
    return (struct registry_key){kind, m->kind_systems[kind], span_of(message + head, message[REGISTRY_WAY_WIDTH - 1] - head)};
}

/* One that may be known. False: it is not. */
static bool look_up(struct match *m, size_t i)
{
    struct registry_hit hit;
    const struct registry_key key = key_at(m, i);
    registry_probe(m->registry, &key, 1, &hit);
    bool known = hit.protected_;
    if (known) add_subjects(m, &m->batch.candidates[i], &key, hit.subject);
    mem_wipe(&hit, sizeof hit);
    return known;
}

static void keep_unknown(struct match *m, uint64_t known)
{
    for (size_t i = 0; i < m->batch.count; i++) {
        const struct registry_key key = key_at(m, i);
        if (!(known >> i & 1)) asked_keep(m, m->batch.candidates[i].at, &key);
    }
}

void propose_flush(struct match *m)
{
    struct batch *b = &m->batch;
    uint64_t maybe = m->registry ? registry_any(m->registry, &b->asks) : 0, known = 0;
    for (; UNLIKELY(maybe != 0); maybe &= maybe - 1)
        if (look_up(m, (size_t)__builtin_ctzll(maybe))) known |= maybe & -maybe;
    if (UNLIKELY(m->keeps_asked)) keep_unknown(m, known);
    registry_asks_empty(&b->asks);
    batch_note(b);
    b->count = b->bytes = 0;
    b->longs = 0;
}

bool findings_settle(struct match *m)
{
    propose_flush(m);
    findings_close(m);
    return !m->failed;
}

/* What stands behind the candidates was written all the same, and is wiped with them. */
static void note_written(struct batch *b, size_t n)
{
    if (b->asks.most < b->count + n) b->asks.most = (uint32_t)(b->count + n);
}

/* The message behind the candidates is among those about the same value. */
static bool is_message_again(const struct match *m)
{
    const struct batch *b = &m->batch;
    const uint8_t *now = b->asks.messages[b->count];
    for (size_t i = b->count; i > 0 && b->candidates[i - 1].at == m->spot.at; i--)
        if (!(b->longs >> (i - 1) & 1) && memcmp(b->asks.messages[i - 1], now, sizeof b->asks.messages[0]) == 0) return true;
    return false;
}

static bool is_long_again(const struct match *m, enum registry_kind kind, span canonical)
{
    const struct batch *b = &m->batch;
    for (size_t i = b->count; i > 0 && b->candidates[i - 1].at == m->spot.at; i--)
        if (b->longs >> (i - 1) & 1 && b->keys[i - 1].kind == kind && span_equal(b->keys[i - 1].canonical, canonical)) return true;
    return false;
}

/* Where no message holds it: it stays in the batch's text. False: it was proposed before. */
static bool ask_long(struct match *m, enum registry_kind kind, span canonical)
{
    struct batch *b = &m->batch;
    struct registry_key *key = &b->keys[b->count];
    if (is_long_again(m, kind, canonical)) return false;
    *key = (struct registry_key){kind, m->kind_systems[kind], canonical};
    b->longs |= UINT64_C(1) << b->count;
    b->bytes += canonical.len;
    if (m->registry)
        registry_ask(m->registry, &b->asks, key);
    else
        b->asks.count++; /* nothing is asked */
    return true;
}

static bool ask_short(struct match *m, struct registry_head head, span canonical)
{
    struct batch *b = &m->batch;
    registry_ask_short(&b->asks, head, canonical.ptr, canonical.len);
    if (LIKELY(!is_message_again(m))) return true;
    b->asks.count--;
    note_written(b, 1);
    return false;
}

void propose_tell(struct match *m, size_t n)
{
    const struct batch *b = &m->batch;
    bool suspected = m->limits.suspicions && m->spot.unit != MATCH_NONE && !m->spot.in_text;
    for (size_t i = b->count - n; i < b->count; i++) {
        const struct registry_key key = key_at(m, i);
        if (suspected) suspect_note(m, b->candidates[i].rule, key.kind, key.canonical);
        if (m->observer) m->observer(m->observer_ctx, b->candidates[i].rule, key.kind, key.canonical);
    }
}

static void propose_key(struct match *m, rule_id rule, enum registry_kind kind, span canonical)
{
    struct registry_head head = m->heads[kind];
    bool fits = LIKELY(registry_ask_fits(head, canonical.len));
    if (fits ? ask_short(m, head, canonical) : ask_long(m, kind, canonical)) propose_added(m, &rule, 1);
}

/* A text that is no message is written where the batch keeps it, and stays there when it is worth looking up. */
void propose(struct match *m, rule_id rule, enum registry_kind kind, span value)
{
    struct batch *b = &m->batch;
    if (UNLIKELY(m->loose)) {
        m->loosely++;
        return;
    }
    if (UNLIKELY(m->learning != NULL)) shape_note(m, rule, kind, value);
    /* Two rules often see the same. */
    if (value.ptr == m->latest.value.ptr && value.len == m->latest.value.len && kind == m->latest.kind && !m->dry) return;
    m->latest.value = value;
    m->latest.kind = kind;
    if (b->count == BATCH) propose_flush(m);
    uint8_t *out = b->text + b->bytes;
    size_t n = registry_canonical(kind, value, out);
    if (n == 0) return;
    m->proposals++;
    if (!m->dry) propose_key(m, rule, kind, span_of(out, n));
}

void propose_refused(struct match *m, size_t n)
{
    note_written(&m->batch, n);
}
