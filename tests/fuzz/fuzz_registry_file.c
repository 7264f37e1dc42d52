/* An index file that is damaged in any way is refused or, where its checksums are made right again (as memory that
 * fails after the check would), looked up without leading anywhere outside. The first byte chooses: even, the file as
 * it is; odd, the rest is laid over a real index, which is then sealed anew. */
#include "registry/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[32] = {1, 2, 3};
static const char source[] =
    "{\"subject\":\"S1\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A012345678\"},{\"kind\":\"ssn\","
    "\"value\":"
    "\"123-45-6789\"}]}\n"
    "{\"subject\":\"S2\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A012345678\"}]}\n"
    "{\"subject\":\"S3\",\"identifiers\":[{\"kind\":\"passport\",\"value\":\"G12345678\"}]}\n";

static void look_up(const struct registry *r)
{
    struct registry_key keys[20];
    struct registry_hit hits[20];
    uint64_t subjects[4];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        keys[i] = (struct registry_key){REGISTRY_ALIEN_NUMBER, 0, SPAN("012345678")};
        if (i % 3 == 1) keys[i] = (struct registry_key){REGISTRY_SSN, 0, SPAN("123456789")};
        if (i % 3 == 2) keys[i] = (struct registry_key){REGISTRY_PASSPORT, 0, SPAN("G12345678")};
    }
    registry_probe(r, keys, ARRAY_LEN(keys), hits);
    for (size_t i = 0; i < 3; i++)
        registry_subjects(r, &keys[i], subjects, ARRAY_LEN(subjects));
    registry_protects(r, 1);
}

static void try_image(span image)
{
    struct registry *r;
    if (is_ok(registry_open(image, key, NULL, &r))) look_up(r);
    registry_close(r);
}

/* Lays the input over the index at a place that its first two bytes name. */
static void try_patched(span patch)
{
    struct problems *p = problems_new();
    struct registry_builder *b = registry_builder_new(key, p);
    struct secrets s;
    span image;
    ASSERT(p && b && is_ok(registry_builder_source(b, "s", span_str(source))) &&
           is_ok(registry_builder_finish(b, 1, 0, &image)) && is_ok(secrets_derive(&s, key)));
    uint8_t *copy = mem_copy(image.ptr, image.len);
    size_t at = load_be16(patch.ptr) % image.len;
    patch = span_from(patch, 2);
    if (patch.len > image.len - at) patch.len = image.len - at;
    if (patch.len > 0) memcpy(copy + at, patch.ptr, patch.len);
    struct image_header h;
    memcpy(&h, copy, sizeof h);
    if (h.bytes == image.len && image_length(&h) == image.len && is_ok(image_seal(copy, &h, &s)))
        try_image(span_of(copy, image.len));
    mem_free(copy);
    registry_builder_free(b);
    problems_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    span rest = span_of(data + 1, size - 1);
    if (data[0] % 2)
        try_patched(rest);
    else
        try_image(rest);
    return 0;
}
