/* The public face: feeds the reader step by step, each step first to the literals and then to the walk. */
#include "match/own.h"

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* With n more in it. */
static bool over_limit(struct match *m, const struct table *t, uint32_t n)
{
    if (m->limits.findings == 0) return false;
    bool own = t == &m->frames || t == &m->names || t == &m->literals || t == &m->order || t == &m->moved ||
               t == &m->columns || t == &m->nest;
    if (own) return false;
    uint64_t entries =
        (uint64_t)m->pieces.count + m->containers.count + m->counts.count + m->findings.count + m->links.count +
        m->pseudonyms.count + m->held.count;
    return entries + n > m->limits.findings;
}

bool table_grow(struct table *t, size_t size)
{
    if (t->capacity >= UINT32_MAX / 4) return false;
    uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
    void *items = mem_array(capacity, size);
    if (!items) return false;
    if (t->count) memcpy(items, t->items, t->count * size);
    mem_free_wipe(t->items, t->capacity * size);
    t->items = items;
    t->capacity = capacity;
    return true;
}

void *table_more(struct match *m, struct table *t, size_t size, uint32_t n)
{
    m->failed = m->failed || over_limit(m, t, n);
    while (!m->failed && n > t->capacity - t->count)
        m->failed = !table_grow(t, size);
    if (m->failed || n == 0) return NULL;
    void *items = (uint8_t *)t->items + (size_t)t->count * size;
    t->count += n;
    if (t->used < t->count * size) t->used = t->count * size;
    return items;
}

void *table_next(struct match *m, struct table *t, size_t size)
{
    return table_more(m, t, size, 1);
}

void *table_add(struct match *m, struct table *t, size_t size)
{
    void *item = table_next(m, t, size);
    if (item) memset(item, 0, size);
    return item;
}

/* What the document itself holds bounds it. */
uint8_t *table_add_bytes(struct match *m, struct table *t, size_t n)
{
    while (!m->failed && n > t->capacity - t->count)
        m->failed = !table_grow(t, 1);
    if (m->failed) return NULL;
    uint8_t *added = (uint8_t *)t->items + t->count;
    t->count += (uint32_t)n;
    if (t->used < t->count) t->used = t->count;
    return added;
}

static void table_clear(struct table *t)
{
    mem_wipe(t->items, t->used);
    t->count = 0;
    t->used = 0;
}

static void table_free(struct table *t)
{
    mem_free_wipe(t->items, t->used);
    *t = (struct table){0};
}

uint8_t *bytes_room(struct match *m, struct bytes *b, size_t size)
{
    if (size == 0) size = 1;
    if (b->size < size) {
        size_t larger = size < 256 ? 256 : size + size / 2;
        uint8_t *p = mem_alloc(larger);
        if (!p) return m->failed = true, NULL;
        mem_free_wipe(b->ptr, b->used);
        *b = (struct bytes){p, larger, 0};
    }
    if (b->used < size) b->used = size;
    return b->ptr;
}

typedef void table_fn(struct table *t);
static void each_table(struct match *m, table_fn *fn)
{
    struct table *all[] = {&m->pieces, &m->containers, &m->counts, &m->findings, &m->frames, &m->names, &m->literals,
        &m->links, &m->link_text, &m->pseudonyms, &m->pseudonym_text, &m->held, &m->order, &m->moved, &m->columns, &m->nest, &m->identifiers, &m->identifier_text};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        fn(all[i]);
}

typedef void bytes_fn(struct bytes *b);
static void each_bytes(struct match *m, bytes_fn *fn)
{
    fn(&m->decoded);
    for (size_t i = 0; i <= LEVELS; i++)
        fn(&m->folded[i]);
    for (size_t i = 0; i < LEVELS; i++)
        fn(&m->percent[i]);
    for (size_t i = 0; i < LEVELS; i++)
        fn(&m->base64[i]);
    for (size_t i = 0; i < LEVELS; i++)
        fn(&m->lines[i]);
    for (size_t i = 0; i < LEVELS; i++)
        fn(&m->narrow[i]);
}

static void bytes_free(struct bytes *b)
{
    mem_free_wipe(b->ptr, b->used);
    *b = (struct bytes){0};
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void learn_rule(struct match *m, const struct rules_identifier *rule)
{
    if (m->kind_rule[rule->kind] == RULE_NONE) m->kind_rule[rule->kind] = rule->id;
    if (rule->bare == BARE_NINE_DIGITS && rule->kind == REGISTRY_ALIEN_NUMBER && !m->nine_digits) m->nine_digits = rule;
    if (rule->bare != BARE_NONE && rule->kind == REGISTRY_I94 && m->arrival == RULE_NONE) m->arrival = rule->id;
    const struct rules_identifier **reader = &m->syntax[rule->syntax][rule->kind];
    if (rule->syntax && !*reader) *reader = rule;
    m->reads_mrz |= rule->syntax == SYNTAX_MRZ;
}

static void learn_rules(struct match *m)
{
    for (size_t i = 0; i < REGISTRY_KIND_COUNT; i++)
        m->kind_rule[i] = RULE_NONE;
    m->arrival = RULE_NONE;
    for (size_t i = 0; i < rules_count(m->rules); i++) {
        const struct rules_identifier *rule = rules_identifier_at(m->rules, (rule_id)i);
        if (rule) learn_rule(m, rule);
    }
    m->identifier_needs = rules_identifier_needs(m->rules);
    m->marker_needs = rules_marker_needs(m->rules);
    m->any_syntax = rules_may_match(m->identifier_needs, 5, RULES_NEEDS_MOST, false);
}

static void pick_kernels(struct match *m, enum cpu_level level)
{
    static const struct {
        look_function *look;
        runs_function *runs;
        noise_function *noise;
        alike_function *alike;
        take_function *take;
    } kernels[] = {[CPU_PORTABLE] = {look_portable, runs_portable, noise_portable, alike_portable, take_portable},
        [CPU_AVX2] = {look_avx2, runs_avx2, noise_avx2, alike_avx2, take_avx2},
        [CPU_AVX512] = {look_avx512, runs_avx512, noise_avx512, alike_avx2, take_avx2}};
    ASSERT((size_t)level < ARRAY_LEN(kernels));
    m->look = kernels[level].look;
    m->runs = kernels[level].runs;
    m->noise = kernels[level].noise;
    m->alike = kernels[level].alike;
    m->take = kernels[level].take;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

struct match *match_new(const struct rules_set *rules, struct rules_scratch *scratch, enum cpu_level level)
{
    struct match *m = mem_alloc(sizeof *m);
    if (!m) return NULL;
    m->reader = doc_reader_new(level);
    if (!m->reader) return mem_free(m), NULL;
    m->magic = MATCH_MAGIC;
    m->rules = rules;
    m->scratch = scratch;
    m->prefilter = true;
    buf_init(&m->asked, ASKED_MOST);
    pick_kernels(m, level);
    m->scores = mem_alloc(sizeof *m->scores);
    if (!m->scores) return doc_reader_free(m->reader), mem_free(m), NULL;
    m->no_label.known = true;
    learn_rules(m);
    return m;
}

void match_free(struct match *m)
{
    if (!m) return;
    MAGIC_CHECK(m, MATCH_MAGIC);
    each_table(m, table_free);
    each_bytes(m, bytes_free);
    buf_free(&m->asked);
    doc_reader_free(m->reader);
    mem_free_wipe(m->scores, sizeof *m->scores);
    m->magic = 0;
    mem_free_wipe(m, sizeof *m);
}

static void bytes_wipe(struct bytes *b)
{
    mem_wipe(b->ptr, b->used);
    b->used = 0;
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void match_reset(struct match *m)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    mem_wipe(m->dull, m->names.count < MATCH_NAMES ? m->names.count : MATCH_NAMES);
    mem_wipe(m->classes, m->names.count < MATCH_NAMES ? m->names.count : MATCH_NAMES);
    m->class_count = 0;
    each_table(m, table_clear);
    each_bytes(m, bytes_wipe);
    batch_wipe(&m->batch);
    buf_free(&m->asked);
    m->keeps_asked = false;
    mem_wipe(m->events, sizeof m->events);
    mem_wipe(&m->survey, sizeof m->survey);
    mem_wipe(&m->spot, sizeof m->spot);
    shapes_forget(m);
    plans_forget(m);
    scores_reset(m);
    rules_scratch_forget(m->scratch);
    doc_reader_reset(m->reader, DOC_JSON, &(struct doc_limits){.depth = 1});
    m->failed = m->name_waits = m->disorder = m->marked = false;
    m->identifiers_from = m->identifier_text_from = 0;
    m->too_deep = UINT64_MAX;
    m->stepping = (struct stepping){0};
    m->steps_open = false;
    m->flaw_count = m->top = m->named_count = m->heading = 0;
    m->looks = 0;
    m->document = NULL;
    m->view = NULL;
    m->registry = NULL;
    m->search = NULL;
    m->body = NULL;
    m->body_len = m->literals_to = m->readable = 0;
    m->literal_at = 0;
    m->next_literal = UINT64_MAX;
    m->clean = true;
}

static void know_heads(struct match *m)
{
    if (m->heads[0].len > 0 && m->heads_system == m->view->system) return;
    m->heads_system = m->view->system;
    for (size_t i = 0; i < REGISTRY_KIND_COUNT; i++) {
        enum registry_kind kind = (enum registry_kind)i;
        m->kind_systems[i] = registry_kind_is_surrogate(kind) ? m->view->system : 0;
        m->heads[i] = registry_ask_head(kind, m->kind_systems[i]);
    }
}

void match_prepare(struct match *m, enum doc_format format, const struct rules_document *document,
    const struct registry *registry, const struct match_limits *limits)
{
    if (!m->clean) match_reset(m);
    m->clean = false;
    m->format = format;
    m->document = document;
    m->view = rules_document_view(document);
    m->registry = registry;
    m->limits = *limits;
    m->search = limits->search;
    know_heads(m);
    doc_reader_reset(m->reader, format, &(struct doc_limits){.depth = limits->depth});
    m->skips = m->prefilter && !m->any_syntax && !m->view->has_allow && !m->view->has_graph && !m->search;
}

void match_begin(struct match *m, enum doc_format format, const struct rules_document *document,
    const struct registry *registry, const struct match_limits *limits)
{
    ASSERT(document != NULL);
    const struct lore *lore = lore_find(m, document, limits);
    match_prepare(m, format, document, registry, limits);
    match_check_asked(m);
    lore_recall(m, lore);
    walk_begin(m);
}

void match_check_asked(const struct match *m)
{
    ASSERT(m->registry != NULL || m->observer != NULL);
}

void match_scan_field(struct match *m, span name, span value)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    ASSERT(m->document != NULL && m->body_len == 0);
    label_set labels = rules_labels(m->rules, name, 0);
    m->spot = (struct spot){.unit = MATCH_NONE, .is_name = true, .labels = labels, .label = label_of(m, labels)};
    view_scan(m, value, 0, false, false);
    propose_flush(m);
}

/* ---- feeding ---------------------------------------------------------------------------------------------------- */

struct literal_block {
    struct match *m;
    uint64_t at;
};

static void note_literal(void *ctx, uint64_t end_offset)
{
    const struct literal_block *b = ctx;
    uint64_t end = b->at + end_offset;
    if (end <= b->m->literals_to) return; /* seen with the last block */
    const uint64_t *ends = b->m->literals.items;
    uint32_t n = b->m->literals.count;
    if (n > 0 && ends[n - 1] == end) return;
    uint64_t *added = table_add(b->m, &b->m->literals, sizeof *added);
    if (added) *added = end;
}

static int compare_ends(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The reader sees the literals of this step, and an end that is none. */
static void skip_dull(struct match *m)
{
    uint64_t *end = table_add(m, &m->literals, sizeof *end);
    if (!end) return;
    *end = UINT64_MAX;
    m->literals.count--;
    m->skip = (struct doc_skip){.dull = m->dull,
        .names = MATCH_NAMES,
        .changes = m->skip.changes,
        .root = name_root_dullness(m),
        .classes = m->classes,
        .literals = m->literals.items,
        .containers = path_others_are_void(m->document),
        .parted = true, /* no run of base64, and no digits to look up: value_news() */
        .deepest = m->limits.visible_depth ? m->limits.visible_depth : UINT32_MAX,
        .ask = value_news,
        .take = score_play,
        .ctx = m};
    doc_reader_skip(m->reader, &m->skip);
}

/* Literals of the bytes up to `to`, before events of them are read. */
static void scan_literals(struct match *m, uint64_t to)
{
    uint64_t overlap = rules_literal_overlap(m->rules), from = m->literals_to;
    from = from > overlap ? from - overlap : 0;
    if (m->literal_at == m->literals.count) m->literal_at = m->literals.count = 0;
    uint32_t first = m->literals.count;
    struct literal_block block = {m, from};
    rules_scan_literals(m->rules, m->scratch, span_of(m->body + from, to - from), note_literal, &block);
    m->literals_to = to;
    uint64_t *ends = m->literals.items;
    if (m->literals.count > first) qsort(ends + first, m->literals.count - first, sizeof *ends, compare_ends);
    m->next_literal = m->literal_at < m->literals.count ? ends[m->literal_at] : UINT64_MAX;
    if (m->skips) skip_dull(m);
}

static enum doc_status read_step(struct match *m, const struct doc_window *w)
{
    for (;;) {
        size_t count = 0;
        enum doc_status status = doc_reader_next(m->reader, w, m->events, EVENTS, &count);
        walk_events(m, m->events, count);
        if (m->failed) return DOC_MALFORMED;
        if (status != DOC_FULL) return status;
    }
}

enum doc_status match_feed(struct match *m, const struct doc_window *w)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    uint64_t done = m->body_len, all = w->base + w->len;
    ASSERT(m->document != NULL && w->base <= match_needs(m) && all >= done);
    m->body = (const uint8_t *)((uintptr_t)w->data - w->base); // NOLINT: bytes before the window are never read
    m->readable = all + w->slack;
    if (m->failed) return DOC_MALFORMED;
    for (;;) {
        uint64_t to = all - done > STEP ? done + STEP : all;
        bool last = to == all;
        const struct doc_window part = {
            .base = w->base, .data = w->data, .len = (size_t)(to - w->base), .complete = w->complete && last, .slack = w->slack};
        m->body_len = to;
        if (m->prefilter && to > m->literals_to) scan_literals(m, to);
        enum doc_status status = read_step(m, &part);
        if (status != DOC_MORE || last) return status;
        done = to;
    }
}

RESULT match_finish(struct match *m, const struct match_survey **out)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    ASSERT(m->document != NULL);
    match_check_asked(m);
    if (findings_settle(m)) walk_end(m);
    if (!m->failed) links_close(m);
    if (m->failed) return FAIL(ERROR_LIMIT, DOC_NO_MEMORY);
    struct match_survey *s = &m->survey;
    s->document = m->view;
    s->search = m->search;
    s->links = m->links.items;
    s->link_count = m->links.count;
    s->link_text = m->link_text.items;
    s->pieces = m->pieces.items;
    s->piece_count = m->pieces.count;
    s->containers = m->containers.items;
    s->container_count = m->containers.count;
    s->counts = m->counts.items;
    s->count_count = m->counts.count;
    s->pseudonyms = m->pseudonyms.items;
    s->pseudonym_count = m->pseudonyms.count;
    s->pseudonym_text = m->pseudonym_text.items;
    s->held = m->held.items;
    s->held_count = m->held.count;
    s->findings = m->findings.items;
    s->finding_count = m->findings.count;
    s->identifiers = m->identifiers.items;
    s->identifier_count = m->identifiers.count;
    s->identifier_text = m->identifier_text.items;
    *out = s;
    return OK;
}

enum doc_malformed match_malformed(const struct match *m, uint64_t *at)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    if (!m->failed) return doc_reader_malformed(m->reader, at);
    *at = m->body_len;
    return DOC_NO_MEMORY;
}

void match_set_prefilter(struct match *m, bool on)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    m->prefilter = on;
}

void match_set_observer(struct match *m, match_candidate_fn *each, void *ctx)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    m->observer = each;
    m->observer_ctx = ctx;
}
