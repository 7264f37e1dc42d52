/* Kinds of identifiers, from the one table in registry.h. */
#include "registry/registry.h"

struct kind_row {
    const char *name;
    bool shared, surrogate;
};

static const struct kind_row kinds[] = {
#define X(id, name, shared, surrogate) {name, shared, surrogate},
    REGISTRY_KINDS(X)
#undef X
};

const char *registry_kind_name(enum registry_kind kind)
{
    ASSERT((unsigned)kind < REGISTRY_KIND_COUNT);
    return kinds[kind].name;
}

int registry_kind_from(span name)
{
    for (int i = 0; i < REGISTRY_KIND_COUNT; i++)
        if (span_equal(name, span_str(kinds[i].name))) return i;
    return -1;
}

bool registry_kind_is_surrogate(enum registry_kind kind)
{
    ASSERT((unsigned)kind < REGISTRY_KIND_COUNT);
    return kinds[kind].surrogate;
}

bool registry_kind_is_shared(enum registry_kind kind)
{
    ASSERT((unsigned)kind < REGISTRY_KIND_COUNT);
    return kinds[kind].shared;
}

/* The name is folded and lower-cased first: "EARM" in the source and "earm" in a profile must be one system, for two
 * would mean that the key is never found. CRC-32C, because it only has to tell a site's few systems apart; the
 * secrecy of a key comes from SipHash. */
uint32_t registry_system_id(span system)
{
    uint8_t name[REGISTRY_SYSTEM_MAX];
    system = span_trim(system);
    if (system.len > sizeof name) system.len = sizeof name;
    size_t len = registry_fold(system, name);
    if (len == 0) return 0;
    for (size_t i = 0; i < len; i++)
        name[i] = to_lower(name[i]);
    uint32_t id = crc32c(0, span_of(name, len));
    return id ? id : 1;
}
