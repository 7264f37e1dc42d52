/* Keys to fingerprints: SipHash-2-4-128 of kind ‖ system (surrogate keys only, so that the kind tells whether it is
 * there) ‖ canonical value. */
#include "registry/image.h"

#define MESSAGE_MAX (1 + 4 + REGISTRY_CANONICAL_MAX)

static size_t write_message(const struct registry_key *k, uint8_t *out)
{
    ASSERT(k->canonical.len <= REGISTRY_CANONICAL_MAX);
    size_t n = 1;
    out[0] = (uint8_t)k->kind;
    if (registry_kind_is_surrogate(k->kind)) {
        store_le32(out + 1, k->system);
        n = 5;
    }
    memcpy(out + n, k->canonical.ptr, k->canonical.len);
    return n + k->canonical.len;
}

void print_keys(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out)
{
    uint8_t message[MESSAGE_MAX], digest[16];
    for (size_t i = 0; i < n; i++) {
        siphash128(s->keys, span_of(message, write_message(&keys[i], message)), digest);
        out[i] = (struct registry_print){load_le64(digest), load_le64(digest + 8)};
    }
}
