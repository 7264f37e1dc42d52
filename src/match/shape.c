/* Values of one shape, their digits and case aside, are asked once whether one of them may hold an identifier. */
#include "match/own.h"

static struct shape *slot_of(struct match *m, span text, const struct look *l)
{
    uint64_t h = (l->digit * 0x9E3779B97F4A7C15ULL) ^ (l->letter * 0xC2B2AE3D27D4EB4FULL) ^ text.len;
    return &m->shapes[(h * 0xD6E8FEB86659FD93ULL) >> 57 & (SHAPES - 2)];
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
    uint64_t other = 0;
    for (size_t i = 0; i < LOOK_BLOCK; i += 8)
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
    m->shapes_used = true;
}

/* Two places for each. */
const struct shape *shape_of(struct match *m, span text, const struct look *l)
{
    if (text.len > LOOK_BLOCK || text.len == 0 || l->leads > 0) return NULL;
    struct shape *s = slot_of(m, text, l);
    if (LIKELY(s[0].len == text.len && is_same(s[0].text, l->shape))) return &s[0];
    if (s[1].len == text.len && is_same(s[1].text, l->shape)) return &s[1];
    if (s[0].len > 0) s[1] = s[0];
    learn(m, s, text.len, l);
    return s;
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
