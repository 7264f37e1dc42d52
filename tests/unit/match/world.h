/* A small world for the matcher's tests: a pack, a registry of four persons, and findings as text. */
#ifndef GATE1367_TESTS_MATCH_WORLD_H
#define GATE1367_TESTS_MATCH_WORLD_H

#include "match/match.h"
#include <stdlib.h>

#define WORLD_A                                                                                                        \
    "(?i)(?<![0-9A-Z])A(?:Z|LIEN)?[ \\\\t\\\\-]{0,2}(?:#|NO\\\\.?|NUM(?:BER)?|FILE(?: NO\\\\.?)?)?[:#.]?[ "            \
    "\\\\t.\\\\-]{0,3}"                                                                                                \
    "((?:\\\\d[ .\\\\-]?){6,8}\\\\d)(?![0-9A-Z])"

/* clang-format off */
static const char world_pack[] =
    "{\"format\":1,\"pack\":\"world\",\"version\":\"1\",\"identifiers\":["
    "{\"id\":\"a-number\",\"title\":\"A-number\",\"why\":\"10-domain 2.1\",\"kind\":\"alien_number\",\"pattern\":\"" WORLD_A "\","
    "\"labels\":[\"aNumber\",\"aNumbers\",\"alien*\",\"arn\"],\"bare\":\"nine_digits\","
    "\"tests\":{\"match\":[\"A 012-345-678\"],\"ignore\":[\"XA012345678\"]}},"
    "{\"id\":\"receipt\",\"title\":\"Receipt number\",\"why\":\"10-domain 2.1\",\"kind\":\"receipt_number\",\"pattern\":"
    "\"(?i)(?<![0-9A-Z])([A-Z]{3}[ \\\\-]?(?:\\\\d{2}[ \\\\-]?\\\\d{3}[ \\\\-]?\\\\d{5}|\\\\*\\\\d{9}))(?![0-9A-Z])\","
    "\"tests\":{\"match\":[\"EAC2190012345\"],\"ignore\":[\"ABCEAC2190012345\"]}},"
    "{\"id\":\"ssn\",\"title\":\"SSN\",\"why\":\"10-domain 2.1\",\"kind\":\"ssn\",\"pattern\":"
    "\"(?<![\\\\d-])((?!000|666|9)\\\\d{3}(?:-(?!00)\\\\d{2}-| (?!00)\\\\d{2} |(?!00)\\\\d{2})(?!0000)\\\\d{4})(?![\\\\d-])\","
    "\"labels\":[\"ssn*\",\"social*\"],\"bare\":\"labelled\",\"tests\":{\"match\":[\"123-45-6789\"],\"ignore\":[\"000-12-3456\"]}},"
    "{\"id\":\"passport\",\"title\":\"Passport\",\"why\":\"10-domain 2.1\",\"kind\":\"passport\",\"pattern\":"
    "\"(?i)(?<![0-9A-Z])([A-Z]{1,2}\\\\d{6,8})(?![0-9A-Z])\",\"labels\":[\"passport*\"],\"bare\":\"labelled\","
    "\"tests\":{\"match\":[\"G12345678\"],\"ignore\":[\"G1\"]}}],"
    "\"markers\":["
    "{\"id\":\"coa\",\"title\":\"Class 384\",\"why\":\"10-domain 2.3\",\"values\":[\"384\",\"DAS\"],\"labels\":[\"coa\",\"classOfAdmission*\"],"
    "\"strength\":\"definitive\",\"tests\":{\"match\":[{\"coa\":\"384\"}],\"ignore\":[{\"room\":\"384\"}]}},"
    "{\"id\":\"i918\",\"title\":\"U petition\",\"why\":\"10-domain 2.5\",\"pattern\":\"(?i)(?<![0-9A-Z])I-?918(?![0-9])\",\"literals\":[\"918\"],"
    "\"strength\":\"definitive\",\"tests\":{\"match\":[\"filed Form I-918\"],\"ignore\":[\"I-9180\"]}},"
    "{\"id\":\"shelter\",\"title\":\"Shelter\",\"why\":\"10-domain 2.7\",\"pattern\":\"(?i)\\\\bshelter\\\\b\",\"literals\":[\"shelter\"],"
    "\"strength\":\"suspected\",\"tests\":{\"match\":[\"in a shelter\"],\"ignore\":[\"sheltered\"]}}],"
    "\"profiles\":[{\"id\":\"persons\",\"title\":\"Persons\",\"system\":\"earm\",\"documents\":["
    "{\"path\":\"/list\",\"units\":[\"$.items[*]\",\"$.items[*].associates[*]\"],\"keys\":{\"person_id\":[\"$.items[*].personId\"]},"
    "\"counts\":{\"$.total\":\"$.items[*]\"},\"complete\":true,\"texts\":[\"$.items[*].narrative\"],\"uniform\":[\"$.items[*].notes\",\"$.echo\"]},"
    "{\"path\":\"/cut\",\"units\":[\"$.items[*]\"],\"counts\":{\"$.total\":\"$.items[*]\"}},"
    "{\"path\":\"/map\",\"units\":[\"$.byNumber.*\"]},"
    "{\"path\":\"/values\",\"units\":[\"$.values[*]\"],\"texts\":[\"$.numbers\"]},"
    "{\"path\":\"/one\",\"units\":[\"$\",\"$.associates[*]\"],\"keys\":{\"person_id\":[\"$.personId\"]},\"texts\":[\"$.narrative\"]},"
    "{\"path\":\"/allow\",\"units\":[\"$.items[*]\"],\"allow\":[\"$.items[*].name\",\"$.items[*].address.city\"]},"
    "{\"path\":\"/lines\",\"units\":[\"$\",\"$.associates[*]\"]},"
    "{\"path\":\"/linked\",\"units\":[\"$.items[*]\"],\"keys\":{\"person_id\":[\"$.items[*].id\"],\"case_number\":[\"$.items[*].no\"]},"
    "\"links\":[\"$.head\",\"$.items[*].to\",\"$.items[*].all[*]\"],\"texts\":[\"$.items[*].memo\"]},"
    "{\"path\":\"/graph\",\"units\":[\"$..declared\"],\"graph\":{\"id\":[\"@id\"],\"ref\":[\"ref\"],\"orphans\":[\"charge\"]}},"
    "{\"path\":\"/table\",\"units\":[\"$.rows[*]\",\"$.ResultSet.Rows[*]\"],\"texts\":[\"$.rows[*][2]\"]},"
    "{\"path\":\"/sheet\",\"units\":[\"$[*]\",\"$.values[*]\"]},"
    "{\"path\":\"/stream\",\"units\":[\"$.rows[*]\"],\"independent\":true},"
    "{\"path\":\"/plain\",\"units\":[]}]}]}";

static const char world_people[] =
    "{\"subject\":\"S-1\",\"cases\":[{\"id\":\"C-1\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"pending\",\"recorded\":\"2026-10-01\"}],\"identifiers\":["
    "{\"kind\":\"alien_number\",\"value\":\"A012-345-678\"},{\"kind\":\"receipt_number\",\"value\":\"EAC2190012345\"},"
    "{\"kind\":\"ssn\",\"value\":\"123-45-6789\"},{\"kind\":\"passport\",\"value\":\"G12345678\"},"
    "{\"kind\":\"person_id\",\"value\":\"90210017\",\"system\":\"earm\"}]}\n"
    "{\"subject\":\"S-2\",\"cases\":[{\"id\":\"C-2\",\"benefit\":\"T\",\"role\":\"principal\",\"status\":\"approved\",\"recorded\":\"2026-10-01\"}],\"identifiers\":["
    "{\"kind\":\"alien_number\",\"value\":\"A000000811\"},{\"kind\":\"receipt_number\",\"value\":\"EAC*999910340\"},"
    "{\"kind\":\"ssn\",\"value\":\"012-34-5678\"},{\"kind\":\"person_id\",\"value\":\"77\",\"system\":\"other\"}]}\n"
    "{\"subject\":\"S-3\",\"cases\":[{\"id\":\"C-3\",\"benefit\":\"VAWA\",\"role\":\"principal\",\"status\":\"pending\",\"recorded\":\"2026-10-01\"}],\"identifiers\":["
    "{\"kind\":\"alien_number\",\"value\":\"A020210301\"},{\"kind\":\"alien_number\",\"value\":\"A555666777\"}]}\n"
    "{\"subject\":\"S-4\",\"cases\":[{\"id\":\"C-4\",\"benefit\":\"VAWA\",\"role\":\"derivative\",\"status\":\"pending\",\"recorded\":\"2026-10-01\"}],\"identifiers\":["
    "{\"kind\":\"alien_number\",\"value\":\"A555666777\"},{\"kind\":\"alien_number\",\"value\":\"A205666777\"},"
    "{\"kind\":\"alien_number\",\"value\":\"A205603046\"},{\"kind\":\"alien_number\",\"value\":\"A320560304\"}]}\n"
    "{\"subject\":\"S-5\",\"cases\":[{\"id\":\"C-5\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"denied_final\",\"recorded\":\"2026-10-01\"}],\"identifiers\":["
    "{\"kind\":\"alien_number\",\"value\":\"A099888777\"}]}\n";
/* clang-format on */

struct world {
    struct problems *problems;
    struct source *source;
    struct rules_set *rules;
    struct rules_scratch *scratch;
    struct registry_builder *builder;
    struct registry *registry;
    const struct rules_profile *profile;
    struct match *match;
};

static inline void world_complain(const struct problems *p)
{
    for (size_t i = 0; i < problems_count(p); i++)
        fprintf(stderr, "%s\n", problems_text(p, i));
}

/* False when anything of it cannot be made, after saying why. */
static inline bool world_open_pack(struct world *w, const char *pack, span people)
{
    static const uint8_t key[32] = "the key of a test, no secret.";
    span image;
    *w = (struct world){.problems = problems_new()};
    w->source = source_parse("world.json", span_str(pack), w->problems);
    w->rules = w->source ? rules_load(&w->source, 1, w->problems) : NULL;
    if (!w->rules) return world_complain(w->problems), false;
    w->scratch = rules_scratch_new(w->rules);
    w->builder = registry_builder_new(key, w->problems);
    if (!is_ok(registry_builder_source(w->builder, "people.jsonl", people))) return false;
    if (!is_ok(registry_builder_finish(w->builder, 1, 0, &image))) return world_complain(w->problems), false;
    if (!is_ok(registry_open(image, key, NULL, &w->registry))) return false;
    w->profile = rules_find_profile(w->rules, SPAN("persons"));
    w->match = match_new(w->rules, w->scratch, cpu_level());
    return w->match != NULL;
}

static inline bool world_open_with(struct world *w, span people)
{
    return world_open_pack(w, world_pack, people);
}

static inline bool world_open(struct world *w)
{
    return world_open_with(w, span_str(world_people));
}

static inline void world_close(struct world *w)
{
    match_free(w->match);
    registry_close(w->registry);
    registry_builder_free(w->builder);
    rules_scratch_free(w->scratch);
    rules_free(w->rules);
    source_free(w->source);
    problems_free(w->problems);
}

static inline void world_prefilter(struct world *w, bool on)
{
    match_set_prefilter(w->match, on);
    rules_scratch_prefilter(w->scratch, on);
}

static inline void world_begin(struct world *w, const char *path, enum doc_format format)
{
    const struct rules_document *d = rules_find_document(w->profile, span_str(path));
    const struct match_limits limits = {.depth = 64};
    ASSERT(d != NULL);
    match_begin(w->match, format, d, w->registry, &limits);
}

/* NULL when the body does not parse (or memory ran out). The body is copied to a block of its size, so that a byte read
 * behind it is seen. */
static inline const struct match_survey *world_survey(
    struct world *w, const char *path, enum doc_format format, span body)
{
    const struct match_survey *s = NULL;
    world_begin(w, path, format);
    MEM_AUTO uint8_t *copy = mem_copy(body.ptr, body.len);
    if (!copy) return NULL;
    const struct doc_window window = {.data = copy, .len = body.len, .complete = true};
    if (match_feed(w->match, &window) != DOC_COMPLETE) return NULL;
    return is_ok(match_finish(w->match, &s)) ? s : NULL;
}

/* ---- findings as text ---------------------------------------------------------------------------------------------
 */

#define WORLD_TEXT 8192

static inline int world_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static inline void world_finding(
    const struct world *w, const struct match_survey *s, const struct match_finding *f, char out[96])
{
    static const char *const origins[] = {"", "", "", "flaw", "limit:"};
    const char *name = f->rule == RULE_NONE ? f->origin == MATCH_REGISTRY ? "key" : "" : rules_name(w->rules, f->rule);
    char unit[32] = "-";
    if (f->unit != MATCH_NONE)
        snprintf(unit, sizeof unit, "%u/%u", s->pieces[f->unit].unit, s->pieces[f->unit].ordinal);
    snprintf(out, 96, "%s%s@%s%s", origins[f->origin], name, unit, f->in_text ? "t" : "");
}

/* "rule@declaration/ordinal", sorted, each once, joined with a space; "-": outside every unit; "t": inside texts. */
static inline const char *world_findings(const struct world *w, const struct match_survey *s)
{
    static char out[WORLD_TEXT];
    static char text[512][96];
    const char *sorted[512];
    size_t n = s->finding_count < 512 ? s->finding_count : 512, used = 0;
    for (size_t i = 0; i < n; i++)
        world_finding(w, s, &s->findings[i], text[i]), sorted[i] = text[i];
    qsort(sorted, n, sizeof *sorted, world_compare);
    out[0] = 0;
    for (size_t i = 0; i < n && used + 100 < sizeof out; i++) {
        if (i > 0 && !strcmp(sorted[i], sorted[i - 1])) continue;
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", used ? " " : "", sorted[i]);
    }
    return out;
}

/* The whole survey as text: two are the same exactly when their texts are. */
static inline char *world_dump(const struct match_survey *s)
{
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    if (!f) return NULL;
    for (size_t i = 0; i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        fprintf(f,
            "piece %llu-%llu value %llu previous %llu next %llu in %u #%u under %u roles %x unit %u depth %u "
            "%d%d%d%d%d found %llx\n",
            (unsigned long long)p->begin, (unsigned long long)p->end, (unsigned long long)p->value,
            (unsigned long long)p->previous_end, (unsigned long long)p->next_begin, p->container, p->ordinal,
            p->unit_parent, p->roles, p->unit, p->depth, p->is_member, p->is_line, p->is_root, p->absent_null,
            p->removed, (unsigned long long)p->found);
    }
    for (size_t i = 0; i < s->container_count; i++)
        fprintf(f, "container %llu-%llu of %u lines %d\n", (unsigned long long)s->containers[i].open,
            (unsigned long long)s->containers[i].close, s->containers[i].children, s->containers[i].is_lines);
    for (size_t i = 0; i < s->count_count; i++)
        fprintf(f, "count %llu-%llu piece %u under %u unit %u quoted %d\n", (unsigned long long)s->counts[i].begin,
            (unsigned long long)s->counts[i].end, s->counts[i].piece, s->counts[i].unit_parent, s->counts[i].unit,
            s->counts[i].quoted);
    for (size_t i = 0; i < s->link_count; i++)
        fprintf(f, "link %.*s in %u part %x\n", (int)s->links[i].len, s->link_text + s->links[i].text, s->links[i].piece,
            s->links[i].part);
    for (size_t i = 0; i < s->finding_count; i++)
        fprintf(f, "finding %llu+%u subject %llx unit %u rule %u origin %u kind %u text %d\n",
            (unsigned long long)s->findings[i].at, s->findings[i].len, (unsigned long long)s->findings[i].subject,
            s->findings[i].unit, s->findings[i].rule, s->findings[i].origin, s->findings[i].kind,
            s->findings[i].in_text);
    fprintf(f, "seen %llu root %llu-%llu depth %u\n", (unsigned long long)s->units_seen,
        (unsigned long long)s->root_begin, (unsigned long long)s->root_end, s->visible_depth);
    return fclose(f) == 0 ? out : NULL;
}

#endif
