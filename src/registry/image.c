/* The file: its layout from its counts, sealing, and checking before any of it is believed. */
#include "registry/image.h"

#define CHECK_SPAN SPAN("gate1367 registry index")

/* Bounded first, so that no sum can wrap: nothing here may be more than the file has bytes. */
static bool counts_plausible(const struct image_header *h)
{
    const uint64_t max = (uint64_t)1 << 40;
    return h->bytes < max && h->buckets > 0 && h->buckets < max / BUCKET_BYTES &&
           h->blocks > 0 && h->blocks % 2 == 0 && h->blocks < max / BLOCK_BYTES && h->subjects < (uint64_t)1 << 32 &&
           h->groups < (uint64_t)1 << 32 && h->members < (uint64_t)1 << 32 &&
           h->reference_bits >= REFERENCE_LEAST && h->reference_bits <= REFERENCE_MOST &&
           h->subjects + h->groups <= (uint64_t)1 << h->reference_bits && h->keys <= h->buckets * BUCKET_SLOTS;
}

uint64_t image_length(const struct image_header *h)
{
    if (!counts_plausible(h)) return 0;
    return sizeof *h + h->blocks * BLOCK_BYTES + h->buckets * BUCKET_BYTES + h->subjects * 8 + (h->groups + 1) * 4 +
           h->members * 4 + IMAGE_MAC;
}

void image_lay_out(struct image *i, const uint8_t *base)
{
    const struct image_header *h = &i->header;
    i->blocks = base + sizeof *h;
    i->buckets = i->blocks + h->blocks * BLOCK_BYTES;
    i->handles = i->buckets + h->buckets * BUCKET_BYTES;
    i->groups = i->handles + h->subjects * 8;
    i->members = i->groups + (h->groups + 1) * 4;
    i->mac = i->members + h->members * 4;
}

bool image_has_subject(const struct image *i, uint64_t handle)
{
    uint64_t low = 0, high = i->header.subjects;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, there = load_le64(i->handles + 8 * middle);
        if (there == handle) return true;
        if (there < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static uint32_t header_crc(const struct image_header *h)
{
    return crc32c(0, span_of(h, offsetof(struct image_header, crc)));
}

RESULT image_seal(uint8_t *base, struct image_header *h, const struct secrets *s)
{
    memcpy(h->magic, IMAGE_MAGIC, 8);
    h->format = IMAGE_FORMAT;
    siphash128(s->check, CHECK_SPAN, h->check);
    h->crc = header_crc(h);
    memcpy(base, h, sizeof *h);
    REQUIRE(hmac_sha256(span_of(s->image, 32), span_of(base, h->bytes - IMAGE_MAC), base + h->bytes - IMAGE_MAC),
        ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return OK;
}

/* Without a shortcut: how many bytes were right says nothing. */
static bool equal_secret(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

RESULT image_read(span file, const struct secrets *s, struct image *out)
{
    struct image_header *h = &out->header;
    uint8_t check[16], mac[IMAGE_MAC];
    REQUIRE(file.len >= sizeof *h, ERROR_CONFIG, REGISTRY_NOT_INDEX);
    memcpy(h, file.ptr, sizeof *h);
    REQUIRE(memcmp(h->magic, IMAGE_MAGIC, 8) == 0, ERROR_CONFIG, REGISTRY_NOT_INDEX);
    REQUIRE(h->crc == header_crc(h), ERROR_CONFIG, REGISTRY_DAMAGED);
    REQUIRE(h->format == IMAGE_FORMAT, ERROR_CONFIG, REGISTRY_OTHER_FORMAT);
    siphash128(s->check, CHECK_SPAN, check);
    REQUIRE(equal_secret(check, h->check, 16), ERROR_CONFIG, REGISTRY_WRONG_KEY);
    REQUIRE(h->bytes == file.len && image_length(h) == file.len, ERROR_CONFIG, REGISTRY_DAMAGED);
    image_lay_out(out, file.ptr);
    REQUIRE(hmac_sha256(span_of(s->image, 32), span_of(file.ptr, file.len - IMAGE_MAC), mac), ERROR_LIMIT,
        REGISTRY_NO_MEMORY);
    REQUIRE(equal_secret(mac, out->mac, IMAGE_MAC), ERROR_CONFIG, REGISTRY_DAMAGED);
    return OK;
}
