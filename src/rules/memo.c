/* What an expression found in a text, kept for texts that it cannot tell from that one.
 *
 * An expression without back references knows a byte only by the sets that it asks for. Bytes that are in the same of
 * them are one class to it, and texts of the same classes are the same text: "A 012-345-678" and "A 876-543-210" to one
 * that says \d. PCRE2 is asked once for each such text. */
#include "rules/set.h"

#include "rules/regular.h"

/* Anchors and word boundaries ask for these without naming them. */
static void split_silent(uint8_t class_of[256], unsigned *count)
{
    struct byte_set word = {0}, line = {0};
    for (unsigned b = 0; b < 256; b++)
        if (is_alnum((uint8_t)b) || b == '_') word.bits[b / 64] |= UINT64_C(1) << (b % 64);
    line.bits['\n' / 64] |= UINT64_C(1) << ('\n' % 64);
    regular_split_classes(class_of, count, &word);
    regular_split_classes(class_of, count, &line);
    line.bits['\r' / 64] |= UINT64_C(1) << ('\r' % 64);
    regular_split_classes(class_of, count, &line);
}

static bool is_blind(const uint8_t class_of[256])
{
    bool blind = true;
    for (unsigned d = '0'; d <= '9'; d++)
        blind &= class_of[d] == class_of['0'];
    for (unsigned c = 'A'; c <= 'Z'; c++)
        blind &= class_of[c] == class_of[to_lower((uint8_t)c)];
    return blind;
}

static void split_all(uint8_t class_of[256], const struct regular *r)
{
    unsigned count = 1;
    for (uint16_t i = 0; i < r->sets; i++)
        regular_split_classes(class_of, &count, &r->set[i]);
    split_silent(class_of, &count);
}

bool memo_is_blind(const struct regular *r)
{
    uint8_t class_of[256] = {0};
    split_all(class_of, r);
    return is_blind(class_of);
}

void memo_learn(struct loader *l, struct rule *rule, const struct regular *r)
{
    uint8_t *class_of = loader_alloc(l, 256, 1);
    if (!class_of) return;
    split_all(class_of, r);
    rule->pattern.class_of = class_of;
    rule->pattern.memo = l->set->memos++;
}

static struct memo *slot_of(const struct pattern *p, struct rules_scratch *x, const uint8_t *classes, size_t len)
{
    size_t h = len * 5 + classes[0] * 3u + classes[len - 1] + classes[len / 2] * 2u;
    return &x->memos[(size_t)p->memo * MEMO_WAYS + h % MEMO_WAYS];
}

struct memo *memo_find(const struct pattern *p, struct rules_scratch *x, span text, bool *known)
{
    uint8_t classes[MEMO_TEXT];
    if (!p->class_of || text.len == 0 || text.len > MEMO_TEXT) return NULL;
    for (size_t i = 0; i < text.len; i++)
        classes[i] = p->class_of[text.ptr[i]];
    struct memo *m = slot_of(p, x, classes, text.len);
    *known = m->len == text.len && memcmp(m->classes, classes, text.len) == 0;
    if (*known) return m;
    memcpy(m->classes, classes, text.len);
    m->len = (uint8_t)text.len;
    m->count = 0;
    x->memo_used[p->memo] = true;
    return m;
}

void memo_add(struct memo *m, const size_t bounds[4])
{
    if (m->len == 0) return;
    if (m->count == MEMO_MATCHES) {
        m->len = 0; /* too many to keep */
        return;
    }
    for (size_t i = 0; i < 4; i++)
        m->bounds[m->count][i] = (uint8_t)bounds[i];
    m->count++;
}

void memo_forget(struct memo *m)
{
    m->len = 0;
}
