/* A dozen people who do not exist: names are put together from syllables, numbers from a seed. Two are protected: 1007,
 * principal of a pending U petition, and her child 1008, protected as a derivative. 1003's record mentions them. */
#include "demo/internal.h"

struct person {
    uint64_t id;
    char number[16], name[40], birth[12], facility[16];
    const char *narrative;
    uint64_t associates[2];
    const char *relation;
};

#define PEOPLE 12
#define FIRST_ID 1001

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void make_word(uint32_t *seed, char *out, size_t size, unsigned syllables)
{
    static const char *const SYLLABLES[] = {"ba", "ren", "do", "vel", "mi", "tor", "sa", "lun", "ke", "dra", "fo", "nis"};
    size_t len = 0;
    for (unsigned i = 0; i < syllables; i++) {
        const char *s = SYLLABLES[next(seed) % ARRAY_LEN(SYLLABLES)];
        len += (size_t)snprintf(out + len, size - len, "%s", s);
    }
    out[0] = (char)to_upper((uint8_t)out[0]);
}

static void make_person(size_t i, struct person *p)
{
    uint32_t seed = 13670000u + (uint32_t)i;
    char given[20], surname[20];
    *p = (struct person){.id = FIRST_ID + i, .narrative = "Routine contact; nothing to add."};
    make_word(&seed, given, sizeof(given), 2);
    make_word(&seed, surname, sizeof(surname), 3);
    snprintf(p->name, sizeof(p->name), "%s %s", given, surname);
    snprintf(p->number, sizeof(p->number), "A%03u-%03u-%03u", 200 + next(&seed) % 99, next(&seed) % 1000, next(&seed) % 1000);
    snprintf(p->birth, sizeof(p->birth), "19%02u-%02u-%02u", 60 + next(&seed) % 40, 1 + next(&seed) % 12, 1 + next(&seed) % 28);
    snprintf(p->facility, sizeof(p->facility), "Hall %u", 1 + next(&seed) % 9);
    if (p->id == DEMO_ABUSER_ID) {
        p->associates[0] = DEMO_PROTECTED_ID;
        p->associates[1] = DEMO_PROTECTED_ID + 4;
        p->relation = "spouse";
        p->narrative = "States that his wife left with the child.";
    }
    if (p->id == DEMO_PROTECTED_ID) {
        p->associates[0] = DEMO_PROTECTED_ID + 1;
        p->relation = "child";
    }
}

static RESULT write_associates(struct buf *out, const struct person *p)
{
    struct person other;
    TRY(buf_append(out, SPAN("[")));
    for (size_t i = 0; i < 2 && p->associates[i] != 0; i++) {
        make_person((size_t)(p->associates[i] - FIRST_ID), &other);
        TRY(buf_printf(out, "%s{\"personId\":%llu,\"name\":\"%s\",\"role\":\"%s\"}", i > 0 ? "," : "",
            (unsigned long long)other.id, other.name, i == 0 ? p->relation : "employer"));
    }
    return buf_append(out, SPAN("]"));
}

static RESULT write_person(struct buf *out, const struct person *p)
{
    TRY(buf_printf(out,
        "{\"personId\":%llu,\"aNumber\":\"%s\",\"name\":\"%s\",\"dob\":\"%s\",\"facility\":\"%s\",\"narrative\":\"%s\","
        "\"officerNotes\":\"reviewed\",\"associates\":",
        (unsigned long long)p->id, p->number, p->name, p->birth, p->facility, p->narrative));
    TRY(write_associates(out, p));
    return buf_append(out, SPAN("}"));
}

/* A list shows less of each: the columns must fit a screen. */
static bool in_list(const struct person *p) { return p->id <= FIRST_ID + 2 || p->id == DEMO_PROTECTED_ID; }

static RESULT write_listed(struct buf *out, const struct person *p)
{
    TRY(buf_printf(out, "{\"personId\":%llu,\"aNumber\":\"%s\",\"name\":\"%s\",\"associates\":",
        (unsigned long long)p->id, p->number, p->name));
    TRY(write_associates(out, p));
    return buf_append(out, SPAN("}"));
}

RESULT demo_people_list(struct buf *out)
{
    struct person p;
    unsigned total = 0;
    struct buf items;
    buf_init(&items, 1u << 20);
    result r = OK;
    for (size_t i = 0; i < PEOPLE && is_ok(r); i++) {
        make_person(i, &p);
        if (!in_list(&p)) continue;
        if (total++ > 0) r = buf_append(&items, SPAN(","));
        if (is_ok(r)) r = write_listed(&items, &p);
    }
    if (is_ok(r)) r = buf_printf(out, "{\"total\":%u,\"items\":[%.*s]}", total, SPAN_FMT(buf_span(&items)));
    buf_free(&items);
    return r;
}

RESULT demo_people_search(struct buf *out, span word)
{
    struct person p;
    unsigned total = 0;
    struct buf items;
    buf_init(&items, 1u << 20);
    result r = OK;
    for (size_t i = 0; i < PEOPLE && is_ok(r); i++) {
        make_person(i, &p);
        bool found = word.len > 0 && (span_search(span_str(p.name), word) < strlen(p.name) || span_equal(span_str(p.facility), word));
        if (!found) continue;
        if (total++ > 0) r = buf_append(&items, SPAN(","));
        if (is_ok(r)) r = write_person(&items, &p);
    }
    if (is_ok(r)) r = buf_append(out, SPAN("{\"query\":"));
    if (is_ok(r)) r = json_quote(out, word);
    if (is_ok(r)) r = buf_printf(out, ",\"total\":%u,\"items\":[%.*s]}", total, SPAN_FMT(buf_span(&items)));
    buf_free(&items);
    return r;
}

RESULT demo_people_export(struct buf *out)
{
    struct person p;
    for (size_t i = 0; i < PEOPLE; i++) {
        make_person(i, &p);
        TRY(write_person(out, &p));
        TRY(buf_append(out, SPAN("\n")));
    }
    return OK;
}

RESULT demo_people_map(struct buf *out)
{
    struct person p;
    TRY(buf_append(out, SPAN("{\"byNumber\":{")));
    for (size_t i = 0; i < PEOPLE; i++) {
        make_person(i, &p);
        TRY(buf_printf(out, "%s\"%s\":{\"personId\":%llu,\"name\":\"%s\"}", i > 0 ? "," : "", p.number, (unsigned long long)p.id, p.name));
    }
    return buf_append(out, SPAN("}}"));
}

static bool find_person(uint64_t id, struct person *p)
{
    if (id < FIRST_ID || id >= FIRST_ID + PEOPLE) return false;
    make_person((size_t)(id - FIRST_ID), p);
    return true;
}

bool demo_people_one(struct buf *out, uint64_t id)
{
    struct person p;
    return find_person(id, &p) && is_ok(write_person(out, &p));
}

bool demo_people_associates(struct buf *out, uint64_t id)
{
    struct person p;
    return find_person(id, &p) && is_ok(write_associates(out, &p));
}

RESULT demo_write_registry_source(struct buf *out)
{
    static const char *const ROLES[] = {"principal", "derivative"};
    struct person p;
    for (size_t i = 0; i < 2; i++) {
        make_person((size_t)(DEMO_PROTECTED_ID - FIRST_ID) + i, &p);
        TRY(buf_printf(out,
            "{\"subject\":\"S-%06zu\",\"cases\":[{\"id\":\"C-77\",\"benefit\":\"U\",\"role\":\"%s\",\"status\":\"pending\"}],"
            "\"names\":[{\"given\":\"%.*s\",\"surname\":\"%s\"}],\"dob\":\"%s\",\"identifiers\":["
            "{\"kind\":\"alien_number\",\"value\":\"%s\"},{\"kind\":\"person_id\",\"value\":\"%llu\",\"system\":\"earm\"}]}\n",
            i + 1, ROLES[i], (int)span_find(span_str(p.name), ' '), p.name, strchr(p.name, ' ') + 1, p.birth, p.number,
            (unsigned long long)p.id));
    }
    return OK;
}
