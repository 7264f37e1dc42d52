/* A sound pack, and what makes bad ones of it: one merge patch (RFC 7396) each, with the message that it deserves. */
#ifndef RULES_TEST_BAD_PACKS_H
#define RULES_TEST_BAD_PACKS_H

#include "rules/support.h"

enum place_of_patch { IN_PACK, IN_IDENTIFIER, IN_MARKER, IN_PROFILE, IN_DOCUMENT };

static const char sound[] = "{\"format\":1,\"pack\":\"p\",\"version\":\"1\","
                            "\"identifiers\":[{\"id\":\"i\",\"title\":\"t\",\"why\":\"w\",\"kind\":\"ssn\",\"pattern\":"
                            "\"(\\\\d{9})x\",\"labels\":[\"ssn\"],"
                            "\"tests\":{\"match\":[\"a\"],\"ignore\":[\"b\"]}}],"
                            "\"markers\":[{\"id\":\"m\",\"title\":\"t\",\"why\":\"w\",\"pattern\":\"abc\",\"literals\":"
                            "[\"abc\"],\"strength\":\"definitive\","
                            "\"tests\":{\"match\":[\"abc\"],\"ignore\":[\"b\"]}}],"
                            "\"profiles\":[{\"id\":\"q\",\"title\":\"t\",\"system\":\"s\",\"documents\":[{\"path\":\"/"
                            "x\",\"units\":[\"$.a[*]\"]}]}]}";

/* Whether the JSON Schema refuses it too, or only the loader can know. */
enum refused_by { LOADER_ONLY, SCHEMA_TOO };

struct bad_pack {
    enum place_of_patch where;
    enum refused_by by;
    const char *patch, *expected;
};

static const struct bad_pack cases[] = {
#include "rules/bad_packs.inc"
};

static void merge(json_t *target, json_t *patch)
{
    const char *name;
    json_t *item;
    json_object_foreach(patch, name, item)
    {
        json_t *old = json_object_get(target, name);
        if (json_is_null(item))
            json_object_del(target, name);
        else if (json_is_object(item) && json_is_object(old) && strcmp(name, "tests") != 0)
            merge(old, item);
        else
            json_object_set(target, name, item);
    }
}

static json_t *target_of(json_t *pack, enum place_of_patch where)
{
    json_t *profile = json_array_get(json_object_get(pack, "profiles"), 0);
    switch (where) {
    case IN_PACK: return pack;
    case IN_IDENTIFIER: return json_array_get(json_object_get(pack, "identifiers"), 0);
    case IN_MARKER: return json_array_get(json_object_get(pack, "markers"), 0);
    case IN_PROFILE: return profile;
    case IN_DOCUMENT: return json_array_get(json_object_get(profile, "documents"), 0);
    }
    return NULL;
}

/* To be freed. */
static char *patched_text(const struct bad_pack *c)
{
    json_error_t problem;
    json_t *pack = json_loads(sound, 0, NULL), *patch = json_loads(c->patch, 0, &problem);
    if (!pack || !patch) fail_msg("%s: %s", c->patch, patch ? "" : problem.text);
    merge(target_of(pack, c->where), patch);
    char *text = json_dumps(pack, 0);
    json_decref(pack);
    json_decref(patch);
    return text;
}

#endif
