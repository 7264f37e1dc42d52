/* Private to registry: canonical forms of postal addresses and other words. */
#ifndef GATE1367_REGISTRY_CANONICAL_H
#define GATE1367_REGISTRY_CANONICAL_H

#include "registry/registry.h"

/* All write at most REGISTRY_CANONICAL_MAX bytes and return how many; 0 when nothing is left. */
size_t canonical_address(span value, uint8_t *out);
size_t canonical_location(span value, uint8_t *out);
size_t canonical_organization(span value, uint8_t *out);

#endif
