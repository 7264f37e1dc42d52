/* Values of one shape, their digits and case aside, are asked once whether one of them may hold an identifier. */
#include "match/own.h"

static size_t slot_of(span text, const struct look *l, uint32_t more)
{
    uint64_t h = (l->digit * 0x9E3779B97F4A7C15ULL) ^ (l->letter * 0xC2B2AE3D27D4EB4FULL) ^ text.len ^ (uint64_t)more << 8;
    return (h * 0xD6E8FEB86659FD93ULL) >> 57 & (SHAPES - 2);
}
_Static_assert(SHAPES == 128 && KNOWN == SHAPES, "seven bits");

/* Both end in zeros. */
static bool is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint64_t other = 0;
    for (size_t i = 0; i < len; i += 8)
        other |= load_le64(a + i) ^ load_le64(b + i);
    return other == 0;
}

static void note_bare(struct match *m, span digits)
{
    (void)digits;
    m->loosely++;
}

static void learn(struct match *m, struct shape *s, size_t len, const struct look *l)
{
    span shape = span_of(l->shape, len);
    memcpy(s->text, l->shape, sizeof s->text);
    s->len = (uint8_t)len;
    s->patterns = rules_propose_shape(m->rules, shape);
    m->loosely = 0;
    if (l->digits >= 9) shape_each_bare(m, shape, note_bare);
    s->bare = m->loosely > 0;
    s->read = syntax_may_read_shape(m, shape, l);
}

static void use_shape(struct match *m, size_t slot)
{
    if (m->shapes[slot].len == 0) m->shapes_used[m->shape_count++] = (uint8_t)slot;
}

/* Two places for each. */
const struct shape *shape_of(struct match *m, span text, const struct look *l)
{
    if (text.len > LOOK_BLOCK || text.len == 0 || l->leads > 0) return NULL;
    size_t slot = slot_of(text, l, 0);
    struct shape *s = &m->shapes[slot];
    if (LIKELY(s[0].len == text.len && is_same(s[0].text, l->shape, text.len))) return &s[0];
    if (s[1].len == text.len && is_same(s[1].text, l->shape, text.len)) return &s[1];
    if (s[0].len > 0) use_shape(m, slot + 1), s[1] = s[0];
    use_shape(m, slot);
    learn(m, s, text.len, l);
    return s;
}

/* ---- what is known of a shape at a place ------------------------------------------------------------------------ */

static bool is_known(const struct match *m, const struct known *k, span text, const struct look *l)
{
    return k->len == text.len && k->labels == m->spot.labels && k->key == m->spot.key && is_same(k->text, l->shape, text.len);
}

static void use_known(struct match *m, size_t slot)
{
    if (m->known[slot].len == 0) m->known_used[m->known_count++] = (uint8_t)slot;
}

/* The places for this shape, the known one first; false: it is not known yet. Two for each. */
static bool find_known(struct match *m, span text, const struct look *l, struct known **out)
{
    size_t slot = slot_of(text, l, m->spot.labels);
    struct known *k = *out = &m->known[slot];
    if (LIKELY(is_known(m, k, text, l))) return true;
    if (is_known(m, k + 1, text, l)) return *out = k + 1, true;
    if (k->len > 0) use_known(m, slot + 1), k[1] = k[0];
    use_known(m, slot);
    *k = (struct known){.key = m->spot.key, .labels = m->spot.labels, .len = (uint8_t)text.len};
    memcpy(k->text, l->shape, sizeof k->text);
    return false;
}

void shape_note(struct match *m, rule_id rule, enum registry_kind kind, span value)
{
    struct known *k = m->learning;
    uintptr_t from = (uintptr_t)value.ptr - (uintptr_t)m->learnt.ptr;
    if (from > m->learnt.len || value.len > m->learnt.len - from) return shape_varies(m);
    struct ask now = {.rule = rule, .kind = (uint8_t)kind, .from = (uint8_t)from, .len = (uint8_t)value.len};
    for (size_t i = 0; i < k->count; i++)
        if (k->asks[i].kind == now.kind && k->asks[i].from == now.from && k->asks[i].len == now.len) return;
    if (k->count == ASKS) return shape_varies(m);
    k->asks[k->count++] = now;
}

void shape_read(struct match *m, span text, const struct look *l, bool labelled_only)
{
    struct known *learning = m->learning;
    if (learning && !labelled_only) {
        learning->reads = true;
        m->learning = NULL;
    }
    syntax_scan(m, text, l, labelled_only);
    m->learning = learning;
}

bool shape_identify(struct match *m, span text, const struct look *l)
{
    struct known *k;
    if (!find_known(m, text, l, &k)) {
        m->learning = k;
        m->learnt = text;
        view_identify(m, text, l);
        m->learning = NULL;
    } else if (k->varies) {
        view_identify(m, text, l);
    } else {
        for (size_t i = 0; i < k->count; i++) {
            const struct ask *a = &k->asks[i];
            propose(m, a->rule, (enum registry_kind)a->kind, span_sub(text, a->from, a->len));
        }
        if (k->reads) syntax_scan(m, text, l, false);
    }
    return !k->varies && !k->reads && k->count == 0;
}

/* ---- values of which all is known ------------------------------------------------------------------------------- */

static struct plan *plan_of(struct match *m, size_t len)
{
    uint64_t h = (uint64_t)m->spot.labels << 8 ^ (uintptr_t)m->spot.key ^ len << 32;
    return &m->plans[h * 0x9E3779B97F4A7C15ULL >> 58];
}
_Static_assert(PLANS == 64, "six bits");

bool shape_again(struct match *m, span text)
{
    struct plan *p = plan_of(m, text.len);
    if (p->len != text.len || p->labels != m->spot.labels || p->key != m->spot.key) return false;
    if (!m->alike(text.ptr, p->text, text.len)) return false;
    p->calls = 0;
    for (size_t i = 0; i < p->count; i++)
        propose_again(m, &p->asks[i], &p->ways[i], text);
    if (p->reads) syntax_scan(m, text, &(struct look){.digits = p->digits, .letters = p->letters}, false);
    for (size_t i = 0; i < p->runs; i++)
        view_token(m, span_sub(text, p->run[i].from, p->run[i].len), 0);
    return true;
}

static void make_plan(struct plan *p, const struct known *k, span text, const struct look *l)
{
    size_t runs = l->run ? view_find_runs(l, p->run, RUNS) : 0;
    p->len = 0;
    if ((l->run && l->padding) || runs > RUNS) return;
    memcpy(p->text, k->text, sizeof p->text);
    p->key = k->key;
    p->labels = k->labels;
    p->len = k->len;
    p->reads = k->reads;
    p->count = k->count;
    p->runs = (uint8_t)runs;
    p->digits = (uint32_t)l->digits;
    p->letters = (uint32_t)l->letters;
    for (size_t i = 0; i < k->count; i++) {
        p->asks[i] = k->asks[i];
        (void)registry_way_of((enum registry_kind)k->asks[i].kind, span_sub(text, k->asks[i].from, k->asks[i].len), &p->ways[i]);
    }
}

static const struct known *known_here(const struct match *m, span text, const struct look *l)
{
    const struct known *k = &m->known[slot_of(text, l, m->spot.labels)];
    if (is_known(m, k, text, l)) return k;
    return is_known(m, k + 1, text, l) ? k + 1 : NULL;
}

void shape_keep(struct match *m, span text, const struct look *l)
{
    struct plan *p = plan_of(m, text.len);
    if (text.len > LOOK_READ) return;
    if (!p->used) m->plans_used[m->plan_count++] = (uint8_t)(p - m->plans);
    p->used = true;
    if (++p->calls < PLAN_CALLS) return;
    p->calls = 0;
    const struct known *k = known_here(m, text, l);
    if (k && !k->varies) make_plan(p, k, text, l);
}

static struct murmur *murmur_of(struct match *m, uint16_t name, size_t len)
{
    return &m->murmurs[(name * 5u + len) % MURMURS];
}
_Static_assert(MURMURS == 32, "a word of bits");

bool shape_murmurs(struct match *m, uint16_t name, span text)
{
    const struct murmur *k = murmur_of(m, name, text.len);
    bool near = (uintptr_t)(m->body + m->body_len) - (uintptr_t)text.ptr >= LOOK_READ;
    if (k->len != text.len || k->name != name || !near || !m->alike(text.ptr, k->text, text.len)) return false;
    for (size_t i = 0; i < k->runs; i++)
        if (!view_is_noise(m, span_sub(text, k->run[i].from, k->run[i].len))) return false;
    return true;
}

void shape_murmured(struct match *m, uint16_t name, span text, const struct look *l)
{
    struct murmur *k = murmur_of(m, name, text.len);
    struct run runs[RUNS];
    size_t count = text.len <= LOOK_READ && !l->padding ? view_find_runs(l, runs, RUNS) : RUNS + 1;
    if (count > RUNS) return;
    m->murmurs_used |= UINT32_C(1) << (k - m->murmurs);
    *k = (struct murmur){.name = name, .len = (uint8_t)text.len, .runs = (uint8_t)count};
    memcpy(k->text, l->shape, sizeof k->text);
    memcpy(k->run, runs, sizeof k->run);
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void shapes_forget(struct match *m)
{
    for (uint32_t i = 0; i < m->shape_count; i++)
        mem_wipe(&m->shapes[m->shapes_used[i]], sizeof m->shapes[0]);
    for (uint32_t i = 0; i < m->known_count; i++)
        mem_wipe(&m->known[m->known_used[i]], sizeof m->known[0]);
    m->shape_count = m->known_count = 0;
    for (uint32_t i = 0; i < m->plan_count; i++)
        mem_wipe(&m->plans[m->plans_used[i]], sizeof m->plans[0]);
    m->plan_count = 0;
    for (uint32_t i = 0; i < MURMURS; i++)
        if (m->murmurs_used >> i & 1) mem_wipe(&m->murmurs[i], sizeof m->murmurs[0]);
    m->murmurs_used = 0;
    m->learnt = span_of(NULL, 0);
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.';
}

void shape_each_bare(struct match *m, span text, bare_fn *each)
{
    size_t from = 0, begin, end, group[3] = {0}, groups = 0, last_end = 0;
    while (text_next_digits(text, from, &begin, &end)) {
        from = end;
        if (end - begin == 9) each(m, span_sub(text, begin, 9));
        bool joined = groups > 0 && begin == last_end + 1 && is_separator(text.ptr[last_end]);
        groups = end - begin != 3 ? 0 : joined ? groups + 1 : 1;
        last_end = end;
        if (groups == 0) continue;
        group[(groups - 1) % 3] = begin;
        if (groups < 3) continue;
        size_t first = group[groups % 3];
        if (text.ptr[first + 3] == text.ptr[first + 7]) each(m, span_sub(text, first, 11));
    }
}
