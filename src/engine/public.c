/* The public face: include/gate1367/gate1367.h over the engine. Keeps the body and the arena that the gate keeps
 * elsewhere. */
#include "engine/engine.h"
#include "gate1367/gate1367.h"

#define RULES_MAGIC 0x47525545u
#define INSPECTOR_MAGIC 0x47494e53u
#define DEPTH_DEFAULT 256
#define RECORD_DEFAULT ((uint64_t)4 << 20)
#define DOCUMENT_DEFAULT ((uint64_t)64 << 20)
#define ARENA_CAP ((size_t)256 << 20)

struct gate1367_rules {
    uint32_t magic;
    struct rules_set *set;
    struct source **sources; /* the set's tests are borrowed from them */
    size_t count;
};

struct gate1367_inspector {
    uint32_t magic;
    const struct gate1367_rules *rules;
    struct engine *engine;
    struct arena *arena;
    struct buf body;
    const struct rules_document *document;
    enum recipient_class class;
    bool open, no_memory;
    struct engine_outcome outcome;
    size_t next_run, next_finding;
};

const char *gate1367_version(void)
{
    return GATE1367_VERSION;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

#define PROBLEMS_TEXT_MAX ((size_t)16 << 20)

static char *problems_join(const struct problems *p)
{
    if (problems_count(p) == 0) return NULL;
    struct buf text;
    buf_init(&text, PROBLEMS_TEXT_MAX);
    result r = OK;
    for (size_t i = 0; i < problems_count(p) && is_ok(r); i++)
        r = buf_printf(&text, "%s\n", problems_text(p, i));
    if (is_ok(r)) r = buf_append(&text, span_of("", 1));
    char *joined = is_ok(r) ? mem_copy(buf_span(&text).ptr, buf_len(&text)) : NULL;
    buf_free(&text);
    return joined;
}

static bool parse_packs(gate1367_rules *r, const gate1367_pack *packs, size_t count, struct problems *p)
{
    r->sources = mem_array(count ? count : 1, sizeof *r->sources);
    if (!r->sources) return false;
    for (; r->count < count; r->count++) {
        r->sources[r->count] =
            source_parse(packs[r->count].name, span_of(packs[r->count].text, packs[r->count].len), p);
        if (!r->sources[r->count]) return false;
    }
    return true;
}

gate1367_rules *gate1367_rules_load(const gate1367_pack *packs, size_t count, char **problems)
{
    if (problems) *problems = NULL;
    struct problems *p = problems_new();
    gate1367_rules *r = mem_alloc(sizeof *r);
    if (r) r->magic = RULES_MAGIC;
    if (p && r && parse_packs(r, packs, count, p)) r->set = rules_load(r->sources, count, p);
    if (p && problems) *problems = problems_join(p);
    if (!r || r->set) {
        /* The sources refer to the problems that were collected while they were read, but only to report. */
        problems_free(p);
        return r;
    }
    gate1367_rules_free(r);
    problems_free(p);
    return NULL;
}

void gate1367_rules_free(gate1367_rules *rules)
{
    if (!rules) return;
    MAGIC_CHECK(rules, RULES_MAGIC);
    rules_free(rules->set);
    for (size_t i = 0; i < rules->count; i++)
        source_free(rules->sources[i]);
    mem_free(rules->sources);
    rules->magic = 0;
    mem_free(rules);
}

void gate1367_text_free(char *text)
{
    mem_free(text);
}

/* ---- registry --------------------------------------------------------------------------------------------------- */

/* The opaque type is the registry itself. */
static const struct registry *registry_inside(const gate1367_registry *r)
{
    return (const struct registry *)r;
}

gate1367_registry *gate1367_registry_open(const void *index, size_t len, const uint8_t key[32], const char **why)
{
    struct registry *opened = NULL;
    result r = registry_open(span_of(index, len), key, NULL, &opened);
    if (why) *why = is_ok(r) ? NULL : registry_error_text(r.code);
    return is_ok(r) ? (gate1367_registry *)opened : NULL;
}

void gate1367_registry_close(gate1367_registry *registry)
{
    if (registry) registry_close((struct registry *)registry);
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

gate1367_inspector *gate1367_inspector_new(const gate1367_rules *rules)
{
    MAGIC_CHECK(rules, RULES_MAGIC);
    gate1367_inspector *i = mem_alloc(sizeof *i);
    if (!i) return NULL;
    i->magic = INSPECTOR_MAGIC;
    i->rules = rules;
    i->engine = engine_new(rules->set, cpu_level());
    i->arena = arena_new(ARENA_CAP);
    if (i->engine && i->arena) return i;
    gate1367_inspector_free(i);
    return NULL;
}

void gate1367_inspector_free(gate1367_inspector *i)
{
    if (!i) return;
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    engine_free(i->engine);
    arena_free(i->arena);
    buf_free(&i->body);
    i->magic = 0;
    mem_free_wipe(i, sizeof *i);
}

static struct engine_limits limits_of(const gate1367_document *d)
{
    return (struct engine_limits){.depth = d->depth ? d->depth : DEPTH_DEFAULT,
        .record = d->record ? d->record : RECORD_DEFAULT,
        .document = d->document ? d->document : DOCUMENT_DEFAULT};
}

/* One byte over the raw bound may come in: the engine then says what is wrong. */
static size_t body_cap(uint64_t document)
{
    return document > (SIZE_MAX - 1) / 2 ? SIZE_MAX : (size_t)(2 * document + 1);
}

int gate1367_open(gate1367_inspector *i, const gate1367_document *d)
{
    gate1367_close(i);
    const struct rules_profile *profile = d->profile ? rules_find_profile(i->rules->set, span_str(d->profile)) : NULL;
    if (d->profile && !profile) return 0;
    i->document = profile && d->path ? rules_find_document(profile, span_str(d->path)) : NULL;
    i->class = d->entitled ? RECIPIENT_ENTITLED : RECIPIENT_RESTRICTED;
    const struct rules_search *search = NULL; /* of what the profile asks of every answer */
    bool restricted = i->document && i->class == RECIPIENT_RESTRICTED;
    if (restricted && rules_query_read(i->document, span_of(NULL, 0), i->arena, &search) != RULES_QUERY_ALLOWED) return 0;
    struct engine_begin b = {.document = i->document,
        .search = search,
        .inspect = d->inspect != 0,
        .class = i->class,
        .registry = registry_inside(d->registry),
        .limits = limits_of(d),
        .media_type = span_str(d->media_type),
        .charset = span_str(d->charset),
        .content_encoding = span_str(d->content_encoding),
        .arena = i->arena,
        .keep_survey = true};
    buf_init(&i->body, body_cap(b.limits.document));
    engine_start(i->engine, &b);
    i->open = true;
    return 1;
}

int gate1367_feed(gate1367_inspector *i, const void *bytes, size_t len)
{
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    ASSERT(i->open);
    if (i->no_memory) return 0;
    size_t room = i->body.cap - buf_len(&i->body);
    i->no_memory = !is_ok(buf_append(&i->body, span_of(bytes, len < room ? len : room)));
    return !i->no_memory && engine_feed(i->engine, buf_span(&i->body));
}

gate1367_verdict gate1367_finish(gate1367_inspector *i, int complete)
{
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    ASSERT(i->open);
    i->open = false;
    engine_finish(i->engine, buf_span(&i->body), complete && !i->no_memory, &i->outcome);
    if (i->no_memory) i->outcome = (struct engine_outcome){.unreadable = ENGINE_MEMORY};
    if (i->outcome.unreadable != ENGINE_READABLE) return GATE1367_UNREADABLE;
    return i->outcome.verdict.document_withheld ? GATE1367_NOT_FOUND : GATE1367_DELIVER;
}

const char *gate1367_reason(const gate1367_inspector *i)
{
    return engine_unreadable_name(i->outcome.unreadable);
}
int gate1367_unchanged(const gate1367_inspector *i)
{
    return i->outcome.edits.identity;
}

int gate1367_output(gate1367_inspector *i, gate1367_run *run)
{
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    const struct edit_list *edits = &i->outcome.edits;
    if (i->next_run >= edits->count) return 0;
    const struct edit_run *r = &edits->runs[i->next_run++];
    if (r->literal_len)
        *run = (gate1367_run){r->literal, r->literal_len};
    else
        *run = (gate1367_run){span_sub(buf_span(&i->body), r->at, r->len).ptr, r->len};
    return 1;
}

static gate1367_origin origin_of(enum match_origin o)
{
    switch (o) {
    case MATCH_REGISTRY: return GATE1367_REGISTERED;
    case MATCH_DEFINITIVE: return GATE1367_DEFINITIVE;
    case MATCH_SUSPECTED: return GATE1367_SUSPECTED;
    case MATCH_FLAW: return GATE1367_FLAW;
    case MATCH_LIMIT: return GATE1367_OVER_LIMIT;
    }
    return GATE1367_OVER_LIMIT;
}

int gate1367_next_finding(gate1367_inspector *i, gate1367_finding *finding)
{
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    const struct match_survey *s = engine_survey(i->engine);
    if (!s || i->next_finding >= s->finding_count) return 0;
    const struct match_finding *f = &s->findings[i->next_finding++];
    bool registered = f->origin == MATCH_REGISTRY;
    *finding = (gate1367_finding){.at = f->at,
        .len = f->len,
        .origin = origin_of((enum match_origin)f->origin),
        .rule = f->rule == RULE_NONE ? "" : rules_name(i->rules->set, f->rule),
        .kind = registered ? registry_kind_name((enum registry_kind)f->kind) : "",
        .subject = registered ? f->subject : 0,
        .in_text = f->in_text};
    return 1;
}

gate1367_records gate1367_counts(const gate1367_inspector *i)
{
    const struct policy_verdict *v = &i->outcome.verdict;
    return (gate1367_records){
        .seen = v->seen, .protected_ = v->protected_, .withheld = v->withheld_count, .disclosed = v->disclosed};
}

gate1367_answer gate1367_miss(const gate1367_inspector *i)
{
    static const char body[] = "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}";
    const struct rules_miss *miss = i->document ? &rules_document_view(i->document)->miss : NULL;
    if (!miss || !miss->given) return (gate1367_answer){404, "application/problem+json", body, sizeof body - 1};
    return (gate1367_answer){miss->status, miss->type, miss->body.ptr, miss->body.len};
}

void gate1367_close(gate1367_inspector *i)
{
    MAGIC_CHECK(i, INSPECTOR_MAGIC);
    engine_reset(i->engine);
    arena_reset(i->arena);
    buf_free(&i->body); /* wipes */
    i->outcome = (struct engine_outcome){0};
    i->document = NULL;
    i->open = i->no_memory = false;
    i->next_run = i->next_finding = 0;
}
