/* Records that are told as one before are played from a score (match/score.c): whatever the rules say of them, the survey is
 * the one that all events would have given, of which here the slow side is told, none skipped and no record whole.
 * `GATE1367_CASES=N` for more, GATE1367_SEED=N for others. */
#include "support.h"

#include "doc/reader.h"
#include "match/own.h"
#include "match/score_bodies.h"
#include "match/world.h"

#include <jansson.h>

/* ---- what was read, as numbers ------------------------------------------------------------------------------------ */

struct reading {
    enum doc_status status;
    enum doc_malformed malformed;
    uint64_t at;
    bool finished;
    uint64_t *words;
    size_t count, capacity;
};

static void put(struct reading *r, uint64_t word)
{
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 4096;
        r->words = realloc(r->words, r->capacity * sizeof *r->words);
        assert_non_null(r->words);
    }
    r->words[r->count++] = word;
}

static void put_bytes(struct reading *r, const uint8_t *p, size_t n)
{
    uint64_t hash = 14695981039346656037u ^ n;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    put(r, hash);
}

static void put_piece(struct reading *r, const struct match_piece *p, bool in)
{
    const uint64_t all[] = {p->begin, p->end, p->value, p->previous_end, p->next_begin, in ? p->container : 0, p->ordinal,
        p->unit_parent, p->roles, p->unit, p->depth, p->found, p->says, p->is_object, p->is_reference, p->is_member, p->is_line,
        p->is_root, p->absent_null, p->removed, p->marked};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        put(r, all[i]);
}

static void put_container(struct reading *r, const struct match_container *c)
{
    const uint64_t all[] = {c->open, c->close, c->children, c->is_lines, c->outer};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        put(r, all[i]);
}

static void put_finding(struct reading *r, const struct match_finding *f)
{
    const uint64_t all[] = {f->at, f->subject, f->len, f->unit, f->rule, f->origin, f->kind, f->in_text, f->in_name};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        put(r, all[i]);
}

static bool is_same_identifier(const struct match_survey *s, const struct match_identifier *a, const struct match_identifier *b)
{
    const uint8_t *text = s->identifier_text;
    return a->unit == b->unit && a->kind == b->kind && span_equal(span_of(text + a->text, a->len), span_of(text + b->text, b->len));
}

/* A set: one that is met twice in a value is noted twice where the batch was full, or a step was taken, between. */
static void put_identifier(struct reading *r, const struct match_survey *s, size_t i)
{
    const struct match_identifier *d = &s->identifiers[i];
    for (size_t before = 0; before < i; before++)
        if (is_same_identifier(s, &s->identifiers[before], d)) return;
    put(r, d->unit), put(r, d->kind), put_bytes(r, s->identifier_text + d->text, d->len);
}

static void put_others(struct reading *r, const struct match_survey *s)
{
    for (size_t i = 0; i < s->count_count; i++) {
        const struct match_count *c = &s->counts[i];
        put(r, c->begin), put(r, c->end), put(r, c->piece), put(r, c->unit_parent), put(r, c->unit), put(r, c->quoted);
    }
    for (size_t i = 0; i < s->link_count; i++) {
        const struct match_link *l = &s->links[i];
        put(r, l->hash), put(r, l->piece), put(r, l->part), put_bytes(r, s->link_text + l->text, l->len);
    }
    for (size_t i = 0; i < s->identifier_count; i++)
        put_identifier(r, s, i);
    for (size_t i = 0; i < s->pseudonym_count; i++) {
        const struct match_pseudonym *p = &s->pseudonyms[i];
        put(r, p->begin), put(r, p->end), put_bytes(r, s->pseudonym_text + p->text, p->len);
    }
}

static void put_survey(struct reading *r, const struct match_survey *s)
{
    const uint64_t sizes[] = {s->piece_count, s->container_count, s->count_count, s->finding_count, s->link_count,
        s->identifier_count > 0, s->pseudonym_count, s->units_seen, s->root_begin, s->root_end, s->visible_depth};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        put(r, sizes[i]);
    for (size_t i = 0; i < s->piece_count; i++)
        put_piece(r, &s->pieces[i], true);
    for (size_t i = 0; i < s->container_count; i++)
        put_container(r, &s->containers[i]);
    for (size_t i = 0; i < s->finding_count; i++)
        put_finding(r, &s->findings[i]);
    put_others(r, s);
}

/* However the body was cut: where in the tables a container stands, and how many findings come at once, depends on that. */
static void put_step(struct reading *r, const struct match_step *s)
{
    if (s->kind == MATCH_STEP_OUTSIDE) {
        for (size_t i = 0; i < s->inside.finding_count; i++)
            put(r, s->kind), put_finding(r, &s->inside.findings[i]);
        return;
    }
    put(r, s->kind);
    if (s->container) put(r, s->container->open), put(r, s->container->is_lines), put(r, s->container->outer);
    if (s->kind == MATCH_STEP_CONTAINER && s->container) return put_container(r, s->container);
    put_piece(r, &s->piece, false);
    put_survey(r, &s->inside);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

struct feeding {
    size_t first, step; /* bytes that come first, and then each time */
    bool steps, slow;
    const char *field; /* of the head */
};

struct task {
    const struct rules_document *document;
    enum doc_format format;
    struct match_limits limits;
    span body;
    size_t slack; /* behind it */
};

static struct world world; /* of the slow side */
static struct match *fast[3];
static size_t fast_count;
static struct match_lores *lores;
static uint64_t scored, units, findings; /* scores that were made; what was found in all */

static void count_scores(const struct match *m)
{
    for (size_t i = 0; i < SCORES; i++)
        scored += m->scores->all[i].made && !m->scores->all[i].none;
}

static bool take_steps(struct match *m, enum match_stand stand, struct reading *r)
{
    struct match_step step;
    if (!is_ok(match_steps_begin(m, stand))) return false;
    while (match_steps_next(m, &step))
        put_step(r, &step);
    match_steps_end(m);
    return true;
}

/* What a stream still has: all that is needed, and all of what is held. */
static size_t begin_of(const struct match *m, const struct feeding *f)
{
    if (!f->steps) return 0;
    const struct match_piece *held = match_held(m);
    uint64_t needs = match_needs(m);
    return (size_t)(held && held->begin < needs ? held->begin : needs);
}

/* Of a stream in a block of exactly those bytes, so that one read before or behind them is seen. */
static enum doc_status feed_to(struct match *m, const struct task *t, const struct feeding *f, size_t to)
{
    size_t base = begin_of(m, f), slack = to == t->body.len ? t->slack : 0;
    MEM_AUTO uint8_t *copy = f->steps ? mem_copy(t->body.ptr + base, to - base + slack) : NULL;
    const struct doc_window w = {.base = base,
        .data = copy ? copy : t->body.ptr + base,
        .len = to - base,
        .complete = to == t->body.len,
        .slack = slack};
    return match_feed(m, &w);
}

static bool finish(struct match *m, const struct feeding *f, struct reading *r)
{
    const struct match_survey *s;
    if (f->steps) return take_steps(m, r->status == DOC_COMPLETE ? MATCH_ENDED : MATCH_BROKEN, r);
    if (r->status != DOC_COMPLETE || !is_ok(match_finish(m, &s))) return false;
    put_survey(r, s);
    if (f->slow) units += s->units_seen, findings += s->finding_count;
    return true;
}

static struct reading read_by(struct match *m, const struct task *t, const struct feeding *f)
{
    struct reading r = {.status = DOC_MORE};
    match_begin(m, t->format, t->document, world.registry, &t->limits);
    if (f->slow) m->skips = false;
    if (f->field) match_scan_field(m, span_str(f->field), SPAN("see A012345678"));
    for (size_t to = f->first; r.status == DOC_MORE; to += f->step) {
        if (to > t->body.len) to = t->body.len;
        r.status = feed_to(m, t, f, to);
        if (f->steps && r.status == DOC_MORE && !take_steps(m, MATCH_GOES_ON, &r)) break;
    }
    r.malformed = r.status == DOC_MALFORMED ? match_malformed(m, &r.at) : DOC_OK;
    r.finished = finish(m, f, &r);
    put(&r, match_too_deep(m));
    if (!f->slow) count_scores(m);
    match_reset(m);
    return r;
}

static bool is_same(const struct reading *a, const struct reading *b)
{
    if (a->status != b->status || a->malformed != b->malformed || a->finished != b->finished) return false;
    if (a->malformed == DOC_NO_MEMORY) return true; /* where that was depends on how the body was cut */
    return a->at == b->at && a->count == b->count && memcmp(a->words, b->words, a->count * sizeof *a->words) == 0;
}

/* ---- the property ------------------------------------------------------------------------------------------------- */

static char declared[60000]; /* the document, as the profile has it */

static void complain(
    unsigned number, size_t level, const struct task *t, const struct feeding *f, const struct reading *a, const struct reading *b)
{
    size_t i = 0;
    struct feeding slow = *f;
    slow.slow = true;
    struct reading again = read_by(world.match, t, &slow);
    fprintf(stderr, "so cut, the slow side has %s\n", is_same(&again, b) ? "the same" : is_same(&again, a) ? "the first" : "another");
    while (i < a->count && i < b->count && a->words[i] == b->words[i])
        i++;
    fprintf(stderr, "%s\n%.*s\n", declared, (int)t->body.len, (const char *)t->body.ptr);
    fprintf(stderr, "status %d %d malformed %d %d at %llu %llu words %zu %zu, other from %zu on: %llx %llx\n", a->status, b->status,
        a->malformed, b->malformed, (unsigned long long)a->at, (unsigned long long)b->at, a->count, b->count, i,
        (unsigned long long)(i < a->count ? a->words[i] : 0), (unsigned long long)(i < b->count ? b->words[i] : 0));
    fail_msg("case %u level %zu: first %zu, then %zu, steps %d, limits %llu %u %d", number, level, f->first, f->step, f->steps,
        (unsigned long long)t->limits.findings, t->limits.visible_depth, t->limits.suspicions);
}

static void check(unsigned number, const struct task *t, size_t level, const struct feeding *f, const struct reading *expected)
{
    struct reading got = read_by(fast[level], t, f);
    if (!is_same(expected, &got)) complain(number, level, t, f, expected, &got);
    free(got.words);
}

static size_t some_bytes(size_t len)
{
    return chance(300) ? len : chance(300) ? below((unsigned)len + 1) : 200 + below(9000);
}

static void check_all(unsigned number, const struct task *t, bool steps, const char *field)
{
    bool careful = chance(50);
    struct feeding f = {t->body.len, t->body.len, steps, true, field};
    if (steps && chance(200) && t->body.len < 4000) f.first = f.step = 1;
    world_prefilter(&world, !careful);
    struct reading expected = read_by(world.match, t, &f);
    world_prefilter(&world, true);
    f.slow = false;
    for (size_t level = 0; level < fast_count; level++) {
        f.first = level == number % fast_count ? t->body.len : some_bytes(t->body.len);
        f.step = chance(500) ? t->body.len : 1 + below(9000);
        check(number, t, level, &f, &expected);
    }
    free(expected.words);
}

/* Each count that the survey goes through on its way, or some of them where there are many. */
static void check_limits(unsigned number, struct task *t, bool steps)
{
    struct feeding f = {some_bytes(t->body.len), 1 + below(9000), steps, true, NULL};
    struct reading expected;
    bool done = false;
    for (t->limits.findings = 1 + below(3); !done; t->limits.findings += 1 + below(1 + (unsigned)t->limits.findings / 4)) {
        f.slow = true;
        expected = read_by(world.match, t, &f);
        done = expected.finished || expected.malformed != DOC_NO_MEMORY;
        f.slow = false;
        for (size_t level = 0; level < fast_count; level++)
            check(number, t, level, &f, &expected);
        free(expected.words);
    }
    t->limits.findings = 0;
}

/* ---- worlds ------------------------------------------------------------------------------------------------------- */

#define DOCUMENTS 40
static unsigned document_count;
static char documents[DOCUMENTS][1500];
static uint64_t kinds_of[DOCUMENTS]; /* what the records of its bodies are like */

/* Whether a pack with this document alone loads. */
static bool is_declarable(const char *document)
{
    static struct text pack;
    pack.len = 0;
    say(&pack, "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"identifiers\":[],\"markers\":[],\"profiles\":[{\"id\":\"persons\","
               "\"title\":\"P\",\"system\":\"earm\",\"documents\":[");
    say(&pack, document);
    say(&pack, "]}]}");
    struct problems *problems = problems_new();
    struct source *source = source_parse("pack.json", span_of(pack.bytes, pack.len), problems);
    struct rules_set *rules = source ? rules_load(&source, 1, problems) : NULL;
    bool good = rules != NULL;
    rules_free(rules);
    source_free(source);
    problems_free(problems);
    return good;
}

static void make_documents(void)
{
    static struct text t;
    for (document_count = 0; document_count < DOCUMENTS;) {
        t.len = 0;
        say_document(&t, document_count);
        if (t.len >= sizeof documents[0] || !is_declarable(t.bytes)) continue;
        kinds_of[document_count] = seed;
        memcpy(documents[document_count++], t.bytes, t.len + 1);
    }
}

/* Examples teach names and tracks before an answer is read. */
static json_t *make_examples(struct body *b)
{
    char path[20];
    json_t *tests = json_array();
    for (unsigned i = 0; i < document_count; i += 3) {
        snprintf(path, sizeof path, "/d%u", i);
        make_body(b, kinds_of[i]);
        json_t *text = b->lines || b->text.len > 20000 ? NULL : json_string(b->text.bytes);
        if (!text) continue;
        json_array_append_new(
            tests, json_pack("{s:s,s:s,s:o,s:s}", "path", path, "recipient", "restricted", "text", text, "expect", "unchanged"));
    }
    return tests;
}

static void open_readers(void)
{
    lores = match_lores_new();
    fast_count = 0;
    for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
        fast[fast_count] = match_new(world.rules, world.scratch, (enum cpu_level)level);
        match_share_lores(fast[fast_count++], lores);
    }
}

static void open_random_world(struct body *b, uint64_t number)
{
    json_error_t error;
    start_at(number);
    make_documents();
    json_t *pack = json_loads(world_pack, 0, &error);
    json_t *profile = json_array_get(json_object_get(pack, "profiles"), 0), *all = json_array();
    for (unsigned i = 0; i < document_count; i++)
        json_array_append_new(all, json_loads(documents[i], 0, &error));
    json_object_set_new(profile, "documents", all);
    json_object_set_new(profile, "tests", make_examples(b));
    char *text = json_dumps(pack, JSON_COMPACT);
    json_decref(pack);
    assert_true(world_open_pack(&world, text, span_str(world_people)));
    free(text);
    open_readers();
}

static void close_random_world(void)
{
    for (size_t i = 0; i < fast_count; i++)
        match_free(fast[i]);
    match_lores_free(lores);
    world_close(&world);
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static struct task make_task(struct body *b)
{
    char path[20];
    unsigned number = below(document_count);
    snprintf(path, sizeof path, "/d%u", number);
    make_body(b, kinds_of[number]);
    snprintf(declared, sizeof declared, "%s", documents[number]);
    const struct rules_document *document = rules_find_document(world.profile, span_str(path));
    return (struct task){.document = document,
        .format = b->lines ? DOC_NDJSON : DOC_JSON,
        .limits = {.depth = 4 + below(40), .visible_depth = chance(600) ? 0 : 1 + below(8), .suspicions = chance(500)},
        .body = span_of(b->text.bytes, b->text.len)};
}

#define CASES_OF_A_WORLD 300

//= 8USC1367 a(2)
//= ICE10036.2 2.1
static void test_played_as_walked(void **state)
{
    static struct body b;
    unsigned cases = number_from("GATE1367_CASES", 600), from = number_from("GATE1367_SEED", 0);
    (void)state;
    for (unsigned i = 0; i < cases; i++) {
        if (i % CASES_OF_A_WORLD == 0) {
            if (i > 0) close_random_world();
            open_random_world(&b, ((uint64_t)from << 32) + i);
        }
        start_at(((uint64_t)from << 32) + i + 0x10000000);
        struct task t = make_task(&b);
        t.slack = i % 3 * (DOC_SLACK / 2);
        uint8_t *copy = mem_alloc(t.body.len + t.slack); /* a byte that is read behind it is seen */
        memcpy(copy, t.body.ptr, t.body.len);
        t.body.ptr = copy;
        bool steps = rules_document_view(t.document)->independent && chance(700);
        check_all(i, &t, steps, chance(100) ? "aNumber" : NULL);
        if (chance(40) && t.body.len < 6000) check_limits(i, &t, steps);
        mem_free(copy);
    }
    close_random_world();
    assert_true(scored > cases && units > cases && findings > cases); /* else nothing was held against anything */
}

/* ---- places by hand ----------------------------------------------------------------------------------------------- */

static void check_text(unsigned number, const char *path, span body)
{
    struct task t = {rules_find_document(world.profile, span_str(path)), DOC_JSON, {.depth = 64, .suspicions = true}, body, 0};
    struct feeding f = {body.len, body.len, false, true, NULL};
    struct reading expected = read_by(world.match, &t, &f);
    assert_true(expected.finished);
    f.slow = false;
    for (size_t level = 0; level < fast_count; level++)
        check(number, &t, level, &f, &expected);
    free(expected.words);
}

/* Lists of the same records in two places by turns, to the reader the same: under labels, in texts, in units, and not. */
static void test_same_tale_in_two_places(void **state)
{
    static const struct {
        const char *path, *one, *other, *record;
    } cases[] = {
        {"/plain", "{\"x\":{\"value\":[", "{\"ssn\":{\"value\":[", "{\"value\":\"123456789\"}"},
        {"/plain", "{\"x\":{\"value\":[", "{\"coa\":{\"value\":[", "{\"n\":\"123456789\",\"text\":384}"},
        {"/list", "{\"x\":{\"list\":[", "{\"narrative\":{\"list\":[", "{\"a\":[{\"b\":\"A012345678\"}]}"},
        {"/list", "{\"notes\":{\"list\":[", "{\"x\":{\"list\":[", "{\"a\":[],\"b\":\"A012345678\"}"},
        {"/list", "{\"x\":{\"associates\":[", "{\"associates\":[{\"x\":[", "{\"personId\":\"90210017\",\"b\":\"A012345678\"}"},
        {"/list", "{\"x\":[{\"associates\":[", "{\"associates\":[{\"associates\":[", "{\"b\":\"A012345678\",\"c\":{}}"},
    };
    static struct text t;
    (void)state;
    for (unsigned i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        t.len = 0;
        say(&t, "{\"items\":[");
        for (unsigned list = 0; list < 16; list++) {
            const char *around = (list / (1 + i % 2)) % 2 ? cases[i / 2].other : cases[i / 2].one;
            say(&t, list ? "," : ""), say(&t, around);
            for (unsigned n = 0; n < 3 + list % 4; n++)
                say(&t, n ? "," : ""), say(&t, cases[i / 2].record);
            say(&t, strstr(around, "[{") ? "]}]}" : strchr(around + 1, '{') ? "]}}" : "]}]}");
        }
        say(&t, "]}");
        check_text(i, cases[i / 2].path, span_of(t.bytes, t.len));
    }
}

/* More ways to tell a record than are kept at once, each some times in a row. */
static void test_more_tales_than_fit(void **state)
{
    static struct text t;
    char member[40];
    (void)state;
    for (unsigned width = 7; width <= 9; width += 2) {
        t.len = 0;
        say(&t, "{\"items\":[");
        for (unsigned i = 0; i < 3u << width; i++) {
            unsigned told = i / 3 * 37;
            say(&t, i ? ",{\"associates\":[{" : "{\"associates\":[{");
            for (unsigned k = 0; k < width; k++) {
                snprintf(member, sizeof member, "%s\"%c\":%s", k ? "," : "", 'a' + k, told >> k & 1 ? "555666777" : "7");
                say(&t, member);
            }
            say(&t, "}]}");
        }
        say(&t, "]}");
        check_text(width, "/list", span_of(t.bytes, t.len));
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

static bool is_blank(const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0) return false;
    return true;
}

static bool holds(const void *p, size_t n, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; p && i + len <= n; i++)
        if (memcmp((const uint8_t *)p + i, word, len) == 0) return true;
    return false;
}

static bool holds_canary(const struct match *m)
{
    const struct table *tables[] = {&m->pieces, &m->names, &m->link_text, &m->pseudonym_text, &m->identifier_text};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (holds(tables[i]->items, tables[i]->capacity, "canary")) return true;
    const struct doc_reader *r = m->reader;
    if (holds(r->track, r->track ? sizeof *r->track : 0, "canary") || holds(r->track, r->track ? sizeof *r->track : 0, "CANARY"))
        return true;
    return holds(m, sizeof *m, "canary") || holds(m->scores, sizeof *m->scores, "canary");
}

/* Lists whose records stay on their track, in some places, with names and values that are somebody's. */
static void say_canaries(struct text *t)
{
    t->len = 0;
    say(t, "{\"items\":[");
    for (unsigned i = 0; i < 40; i++) {
        say(t, i ? "," : "");
        say(t, "{\"id\":1,\"canary name\":\"canary 1990-01-01\",\"associates\":[{\"aNumber\":\"A012345678\",\"x\":\"canary\"}]}");
    }
    say(t, "]}");
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
static void test_nothing_is_left(void **state)
{
    static struct text t;
    (void)state;
    say_canaries(&t);
    for (size_t level = 0; level < fast_count; level++) {
        struct match *m = fast[level], *own = world.match;
        world.match = m;
        const struct match_survey *s = world_survey(&world, "/list", DOC_JSON, span_of(t.bytes, t.len));
        world.match = own;
        assert_non_null(s);
        assert_int_equal(s->units_seen, 80);
        assert_int_equal(s->finding_count, 40);
        scored = 0;
        count_scores(m);
        assert_true(scored > 0 && holds_canary(m)); /* the test looks where something was */
        match_reset(m);
        assert_false(holds_canary(m));
        assert_true(is_blank(m->scores, sizeof *m->scores));
        assert_true(is_blank(m->dull, sizeof m->dull) && is_blank(m->classes, sizeof m->classes));
    }
}

/* Out of memory anywhere: the same survey, or none. */
static void test_faults(void **state)
{
    static struct text t;
    bool through = false;
    (void)state;
    say_canaries(&t);
    const struct task task = {rules_find_document(world.profile, SPAN("/list")), DOC_JSON, {.depth = 64, .suspicions = true},
        span_of(t.bytes, t.len), 0};
    const struct feeding whole = {t.len, t.len, false, false, NULL};
    struct reading expected = read_by(fast[0], &task, &whole);
    assert_true(expected.finished);
    for (uint64_t n = 1; !through; n++) {
        assert_true(n < 1000);
        fault_arm("malloc", n);
        struct match *m = match_new(world.rules, world.scratch, cpu_level());
        struct reading got = m ? read_by(m, &task, &whole) : (struct reading){0};
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (got.finished) assert_true(is_same(&expected, &got));
        else if (m) assert_int_equal(got.malformed ? got.malformed : DOC_NO_MEMORY, DOC_NO_MEMORY);
        free(got.words);
        if (m) { /* nothing of what failed is left */
            got = read_by(m, &task, &whole);
            assert_true(is_same(&expected, &got));
            free(got.words);
            assert_true(is_blank(m->scores, sizeof *m->scores));
        }
        match_free(m);
    }
    free(expected.words);
}

static int open_world(void **state)
{
    (void)state;
    if (!world_open(&world)) return -1;
    open_readers();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    close_random_world();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_played_as_walked),
        cmocka_unit_test_setup_teardown(test_same_tale_in_two_places, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_more_tales_than_fit, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_nothing_is_left, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_faults, open_world, close_world)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
