/* Private to registry: canonical forms of postal addresses and other words, and of ways to reach somebody. */
#ifndef GATE1367_REGISTRY_CANONICAL_H
#define GATE1367_REGISTRY_CANONICAL_H

#include "registry/registry.h"

/* All write at most REGISTRY_CANONICAL_MAX bytes and return how many; 0 when nothing is left. */
size_t canonical_address(span value, uint8_t *out);
size_t canonical_location(span value, uint8_t *out);
size_t canonical_organization(span value, uint8_t *out);
size_t canonical_phone(span value, uint8_t *out);
/* What the number in E.164 is at home, where it is written without its country; 0: none is known. */
size_t canonical_national(span phone, uint8_t *out);
size_t canonical_email(span value, uint8_t *out);
size_t canonical_license(span value, uint8_t *out);
size_t canonical_vehicle(span value, uint8_t *out);

#endif
