/* Somebody known only by a marker: what a suspicion is made of, and how it is named.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2   "reason to believe" is enough */
#include "registry/overlay.h"
#include <stdlib.h>

#define BATCH 64

size_t registry_suspicion(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_print *out)
{
    const struct overlay *o = registry_overlay(r);
    struct registry_hit hits[BATCH];
    struct registry_print prints[BATCH];
    size_t kept = 0;
    for (size_t at = 0; at < n; at += BATCH) {
        size_t count = n - at < BATCH ? n - at : BATCH;
        registry_probe(r, keys + at, count, hits);
        print_keys(registry_secrets(r), keys + at, count, prints);
        for (size_t i = 0; i < count; i++) {
            bool known = hits[i].protected_ || (o->header && overlay_key_suspicion(o, prints[i]));
            if (!known) out[kept++] = prints[i];
        }
    }
    return kept;
}

static int compare_prints(const void *p, const void *q)
{
    const struct registry_print *x = p, *y = q;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

size_t registry_suspicion_news(const void *overlay, struct registry_print *prints, size_t n)
{
    struct overlay o;
    size_t kept = 0;
    if (n > 1) qsort(prints, n, sizeof *prints, compare_prints);
    bool readable = is_ok(overlay_read(overlay, &o));
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && compare_prints(&prints[kept - 1], &prints[i]) == 0) continue;
        if (readable && overlay_key_suspicion(&o, prints[i])) continue;
        prints[kept++] = prints[i];
    }
    return kept;
}

/* No source line has such a subject: the words before it are none that a line may hold. */
bool registry_suspicion_handle(const uint8_t key[32], const struct registry_print *prints, size_t n, uint64_t *handle)
{
    struct secrets s;
    uint8_t digest[16], *text = mem_array(n + 1, sizeof *prints);
    if (!text || !is_ok(secrets_derive(&s, key))) return mem_free(text), false;
    memcpy(text, "\0suspected\0\0\0\0\0\0", sizeof *prints);
    for (size_t i = 0; i < n; i++) {
        store_le64(text + 16 * (i + 1), prints[i].a);
        store_le64(text + 16 * (i + 1) + 8, prints[i].b);
    }
    siphash128(s.subjects, span_of(text, 16 * (n + 1)), digest);
    secrets_wipe(&s);
    mem_free(text);
    *handle = load_le64(digest);
    if (*handle == REGISTRY_NO_SUBJECT) *handle = 1;
    return true;
}

bool registry_suspicion_room(const struct registry *r)
{
    const struct overlay *o = registry_overlay(r);
    if (!o->header) return true;
    uint64_t keys = o->key_slots / 2, subjects = o->subject_slots / 2;
    return atomic_load_explicit(&o->header->keys, memory_order_relaxed) < keys - keys / 64 &&
           atomic_load_explicit(&o->header->subjects, memory_order_relaxed) < subjects - subjects / 64;
}

bool registry_is_suspected(const void *overlay, uint64_t subject)
{
    struct overlay o;
    return is_ok(overlay_read(overlay, &o)) && overlay_suspects(&o, subject);
}

bool registry_reason_hash(const uint8_t key[32], span by, span reason, uint8_t out[16])
{
    struct secrets s;
    uint8_t both[32];
    if (!is_ok(secrets_derive(&s, key))) return false;
    siphash128(s.reasons, by, both);
    siphash128(s.reasons, reason, both + 16);
    siphash128(s.reasons, span_of(both, sizeof both), out);
    secrets_wipe(&s);
    return true;
}
