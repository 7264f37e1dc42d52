#include "mirror/mirror.h"

static const char *const NAMES[MIRROR_FACT_COUNT] = {
#define X(id, name, help) [MIRROR_##id] = name,
    MIRROR_FACTS(X)
#undef X
};
static const char *const HELP[MIRROR_FACT_COUNT] = {
#define X(id, name, help) [MIRROR_##id] = help,
    MIRROR_FACTS(X)
#undef X
};

const char *mirror_fact_name(enum mirror_fact f) { return NAMES[f]; }
const char *mirror_fact_help(enum mirror_fact f) { return HELP[f]; }

/* Cut between characters, so that a report stays UTF-8. */
static void copy_text(char out[MIRROR_TEXT], span s)
{
    size_t n = s.len < MIRROR_TEXT - 1 ? s.len : MIRROR_TEXT - 1;
    while (n < s.len && n > 0 && (s.ptr[n] & 0xC0) == 0x80) n--;
    if (n > 0) memcpy(out, s.ptr, n);
    memset(out + n, 0, MIRROR_TEXT - n);
}

struct key {
    char texts[3][MIRROR_TEXT]; /* route, document, name; zeros behind them */
};

/* FNV-1a: spreads rows, keeps no secret. */
static uint32_t hash_of(const struct key *k, enum mirror_fact f)
{
    uint32_t h = 2166136261u ^ (uint32_t)f;
    const uint8_t *p = (const uint8_t *)k;
    for (size_t i = 0; i < sizeof(*k); i++) h = (h ^ p[i]) * 16777619u;
    return h;
}

static bool is_row(const struct mirror_row *r, uint32_t taken, const struct key *k)
{
    return atomic_load_explicit(&r->taken, memory_order_relaxed) == taken && memcmp(r->route, k->texts[0], MIRROR_TEXT) == 0 &&
           memcmp(r->document, k->texts[1], MIRROR_TEXT) == 0 && memcmp(r->name, k->texts[2], MIRROR_TEXT) == 0;
}

static void add(_Atomic uint64_t *v, uint64_t n)
{
    atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}

static struct mirror_row *find_row(struct mirror_board *b, enum mirror_fact f, const struct key *k)
{
    uint32_t at = hash_of(k, f), taken = (uint32_t)f + 1;
    for (uint32_t i = 0; i < MIRROR_ROWS; i++) {
        struct mirror_row *r = &b->rows[(at + i) % MIRROR_ROWS];
        if (is_row(r, taken, k)) return r;
        if (atomic_load_explicit(&r->taken, memory_order_relaxed) != 0) continue;
        memcpy(r->route, k->texts[0], MIRROR_TEXT);
        memcpy(r->document, k->texts[1], MIRROR_TEXT);
        memcpy(r->name, k->texts[2], MIRROR_TEXT);
        atomic_store_explicit(&r->taken, taken, memory_order_release);
        return r;
    }
    return NULL;
}

void mirror_count(struct mirror_board *b, enum mirror_fact f, const char *route, const char *document, span name, uint64_t n)
{
    struct key k = {.texts = {""}};
    if (n == 0) return;
    copy_text(k.texts[0], span_str(route));
    copy_text(k.texts[1], span_str(document));
    copy_text(k.texts[2], name);
    struct mirror_row *r = find_row(b, f, &k);
    add(r == NULL ? &b->lost : &r->count, n);
}
