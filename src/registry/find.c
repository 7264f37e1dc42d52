#include "registry/find.h"

void find_slots_portable(struct find *f, size_t n, unsigned reference_bits)
{
    for (size_t i = 0; i < n; i++) {
        unsigned slot = 0;
        while (slot < BUCKET_SLOTS && slot_tag(f[i].bucket + slot * SLOT_BYTES, reference_bits) != f[i].tag)
            slot++;
        f[i].slot = slot;
    }
}
