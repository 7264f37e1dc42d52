/* recipients.json, "match": {"certificate": …}. */
#include "recipient/table.h"
#include <openssl/err.h>
#include <openssl/objects.h>

/* What operators write, for "did you mean"; any name or dotted OID that OpenSSL knows is accepted. */
static const char *const known_attributes[] = {"CN", "O", "OU", "C", "ST", "L", "DC", "UID", "SN", "GN", "title",
    "serialNumber", "emailAddress", "organizationIdentifier", NULL};

static ASN1_OBJECT *attribute_object(const struct place *at, const char *name)
{
    ERR_set_mark();
    ASN1_OBJECT *object = OBJ_txt2obj(name, 0);
    ERR_pop_to_mark();
    if (object) return object;
    const char *meant = source_did_you_mean(name, known_attributes);
    if (meant)
        place_error(at, "unknown attribute \"%.60s\"; did you mean \"%s\"?", name, meant);
    else
        place_error(at, "unknown attribute \"%.60s\"; write a name such as \"CN\" or \"OU\", or a dotted OID", name);
    return NULL;
}

static void load_attribute(
    const struct place *at, const char *name, const json_t *value, struct arena *arena, struct attribute_list *list)
{
    if (!json_is_string(value) || json_string_length(value) == 0) {
        place_error(at, "must be a string that is not empty, the value of the attribute");
        return;
    }
    span text = arena_copy(arena, span_of(json_string_value(value), json_string_length(value)));
    ASN1_OBJECT *object = attribute_object(at, name);
    if (object && text.ptr)
        list->items[list->count++] = (struct attribute){object, text};
    else
        ASN1_OBJECT_free(object);
}

void load_attributes(const struct place *at, const json_t *v, struct arena *arena, struct attribute_list *out)
{
    if (!json_is_object(v) || json_object_size(v) == 0) {
        place_error(at, "must be an object that names at least one attribute, as in {\"CN\": \"…\"}");
        return;
    }
    out->items = arena_array(arena, json_object_size(v), sizeof *out->items);
    if (!out->items) return; /* latched in the arena, reported once by the loader */
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)v, name, value)
    {
        struct place here = place_member(at, name);
        load_attribute(&here, name, value, arena, out);
    }
}

void free_attributes(struct attribute_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ASN1_OBJECT_free(list->items[i].object);
    list->count = 0;
}

static void load_name(
    const struct place *at, const json_t *v, const char *member, struct arena *arena, struct attribute_list *out)
{
    const json_t *name = json_object_get(v, member);
    struct place here = place_member(at, member);
    if (name) load_attributes(&here, name, arena, out);
}

static void load_san(const struct place *at, const json_t *v, struct arena *arena, struct certificate_match *out)
{
    static const struct member_spec members[] = {
#define X(id, text, type) {.name = text},
        RECIPIENT_SANS(X)
#undef X
            {0}};
    if (!place_check_members(at, v, members)) return;
    if (json_object_size(v) == 0) place_error(at, "is empty; give \"uri\", \"dns\" or \"email\"");
    for (int kind = 0; kind < SAN_KINDS; kind++) {
        const char *value = place_string(at, v, members[kind].name, false, NULL);
        struct place here = place_member(at, members[kind].name);
        if (value && !*value) place_error(&here, "is empty; give the value that the certificate carries");
        if (value && *value) out->san[kind] = arena_copy(arena, span_str(value));
    }
}

static void load_fingerprint(const struct place *at, const json_t *v, struct certificate_match *out)
{
    const char *text = place_string(at, v, "fingerprint", false, NULL);
    if (!text) return;
    struct place here = place_member(at, "fingerprint");
    out->has_fingerprint = hex_decode(span_str(text), out->fingerprint, sizeof out->fingerprint);
    if (!out->has_fingerprint)
        place_error(&here, "is not a SHA-256 fingerprint; write 64 hexadecimal digits without colons");
}

static void load_policy(const struct place *at, const json_t *v, struct certificate_match *out)
{
    const char *text = place_string(at, v, "policy", false, NULL);
    if (!text) return;
    struct place here = place_member(at, "policy");
    ERR_set_mark();
    out->policy = OBJ_txt2obj(text, 1); /* dotted only */
    ERR_pop_to_mark();
    if (!out->policy)
        place_error(&here, "\"%.60s\" is not an OID; write it dotted, as in \"2.16.840.1.101.3.2.1.3.13\"", text);
}

/* Whoever can have a certificate with a chosen subject issued by some other trusted CA must not become an officer. */
static void check_pinned(const struct place *at, const json_t *v, bool entitles)
{
    if (!entitles || json_object_get(v, "issuer") || json_object_get(v, "fingerprint")) return;
    place_error(at, "this entry entitles or speaks for others, and any trusted issuer could name such a subject; pin "
                    "\"issuer\" or \"fingerprint\"");
}

void load_certificate_match(
    const struct place *at, const json_t *v, struct arena *arena, bool entitles, struct certificate_match *out)
{
    static const struct member_spec members[] = {
        {.name = "issuer"}, {.name = "subject"}, {.name = "san"}, {.name = "fingerprint"}, {.name = "policy"}, {0}};
    if (!json_is_object(v)) {
        place_error(at, "must be an object that says which certificates match");
        return;
    }
    (void)place_check_members(at, v, members); /* go on: all problems in one run */
    if (json_object_size(v) == 0)
        place_error(at, "is empty and would match every certificate; give at least one condition");
    load_name(at, v, "issuer", arena, &out->issuer);
    load_name(at, v, "subject", arena, &out->subject);
    const json_t *san = json_object_get(v, "san");
    struct place here = place_member(at, "san");
    if (san) load_san(&here, san, arena, out);
    load_fingerprint(at, v, out);
    load_policy(at, v, out);
    check_pinned(at, v, entitles);
}

void free_certificate_match(struct certificate_match *m)
{
    free_attributes(&m->issuer);
    free_attributes(&m->subject);
    ASN1_OBJECT_free(m->policy);
    m->policy = NULL;
}
