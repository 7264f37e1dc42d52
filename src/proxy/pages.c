/* A list that the origin gives page by page, for a restricted recipient: asked until enough of it is visible, decided as one
 * document, and cut to the page that was asked for. What is withheld shows neither in the number of units, nor in links, nor
 * in how far one gets; one ledger entry covers all that was read.
 *
 *   ADMIT: wish ─► ASK ─► LISTEN ─► READ_BODY ─► DECIDE: one document of all ─► enough? ─► SUSPECT ─► RECORD
 *                    ▲                                                            │
 *                    └────────────────────────── once more ───────────────────────┘
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "pages/pages.h"
#include "proxy/breakable.h"
#include "proxy/internal.h"

#define DOCUMENTS_MAX 4096 /* of the origin, for one page */

struct paged_document {
    struct pages_list list;
    size_t begin, len;             /* in `raw` */
    size_t address, address_len;   /* in `addresses`: what led to it */
};

struct paging {
    const struct rules_pages *rules;
    struct pages_wish wish;
    struct pages_walk walk;
    uint8_t *room;       /* the opened cursor */
    struct buf query;    /* of the trip at hand */
    struct buf raw;      /* the origin's documents, one behind the other */
    struct buf addresses, next; /* next: where the last document leads */
    struct paged_document *documents;
    uint64_t *begins; /* the first element of each, among all of them */
    size_t count, capacity;
    size_t begun;        /* where the document at hand begins in `raw` */
    struct doc_reader *reader;
    struct arena *arena; /* of the first head */
    struct engine_begin begin; /* as which all of it is read */
    struct http_media media;
    struct buf link;  /* the query of the next document, as the last head says */
    uint64_t total; /* as the last head says */
    bool past;      /* the origin says that there is nothing so far behind */
};

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

static struct pages_binding binding_of(const struct exchange *x)
{
    return (struct pages_binding){
        .recipient = span_str(x->who->recipient->id), .path = x->request.path, .query = x->paging->wish.rest};
}

static bool open_cursor(struct exchange *x)
{
    struct paging *p = x->paging;
    struct pages_binding b = binding_of(x);
    if (!p->wish.sealed) return true;
    return pages_open(&x->worker->cursor_keys, &b, p->rules->size, x->time_us / 1000000, p->wish.cursor, p->room, &p->wish.place);
}

/* The only head field that says which units; those who go by it are told by Content-Range. */
static void read_range(const struct exchange *x, struct pages_wish *w)
{
    const struct http_request *r = &x->request;
    const struct http_field *range = http_find_name(r->fields, r->field_count, SPAN("Range"), 0);
    const struct http_field *unit = http_find_name(r->fields, r->field_count, SPAN("Range-Unit"), 0);
    if (x->paging->rules->range.len == 0 || range == NULL || unit == NULL || !span_equal_nocase(unit->value, SPAN("items"))) return;
    if (http_find_name(r->fields, r->field_count, SPAN("Range"), 1) == NULL) pages_wish_range(x->paging->rules, range->value, w);
}

static struct paging *paging_new(const struct exchange *x, const struct rules_pages *rules)
{
    struct paging *p = mem_alloc(sizeof(*p));
    if (p == NULL) return NULL;
    size_t cap = x->worker->gates.body_cap;
    p->rules = rules;
    p->total = UINT64_MAX;
    p->room = mem_alloc(rules->size + 64);
    p->reader = doc_reader_new(cpu_level());
    p->arena = arena_new(x->worker->gates.arena_cap);
    buf_init(&p->query, 1u << 20);
    buf_init(&p->raw, cap);
    buf_init(&p->addresses, cap);
    buf_init(&p->next, 65536);
    buf_init(&p->link, 65536);
    buf_init(&p->wish.text, 0);
    return p;
}

void pages_leave(struct exchange *x)
{
    struct paging *p = x->paging;
    x->paging = NULL;
    if (p == NULL) return;
    pages_wish_free(&p->wish);
    buf_free(&p->query);
    buf_free(&p->raw);
    buf_free(&p->addresses);
    buf_free(&p->next);
    buf_free(&p->link);
    if (p->room != NULL) mem_free_wipe(p->room, p->rules->size + 64);
    if (p->reader != NULL) doc_reader_free(p->reader);
    if (p->arena != NULL) arena_free(p->arena);
    mem_free(p->documents);
    mem_free(p->begins);
    mem_free(p);
}

/* An origin's link to what comes next mostly repeats the query. One that made it longer than `size` would be answered where the list ends and
 * nowhere else, so that whoever lengthens his query would learn whether withheld records follow: half of the room is the query's, in the
 * longest spelling that an origin may give it. */
//= ICE10036.2 2.1
static bool leaves_room(const struct rules_pages *rules, span query)
{
    size_t len = 0;
    if (rules->style != PAGE_STYLE_LINK) return true;
    for (size_t i = 0; i < query.len; i++) {
        uint8_t c = query.ptr[i];
        len += is_alnum(c) || (c != 0 && strchr("-._~%&=", c) != NULL) ? 1 : 3;
    }
    return len <= rules->size / 2;
}

/* Decided by the request and the identity alone. A body would have to be sent with every question. */
enum gate_failure pages_enter(struct exchange *x)
{
    const struct rules_pages *rules = x->document == NULL ? NULL : rules_document_view(x->document)->pages;
    bool reads = x->request.method == HTTP_GET || x->request.method == HTTP_HEAD;
    if (rules == NULL || x->class == RECIPIENT_ENTITLED || mirror_is_on(x)) return GATE_FINE;
    if (!reads || x->request.framing != HTTP_FRAMING_NONE) return GATE_QUERY;
    struct paging *p = x->paging = paging_new(x, rules);
    if (p == NULL || p->room == NULL || p->reader == NULL || p->arena == NULL) return GATE_NO_MEMORY;
    if (!pages_wish_read(rules, x->dropped ? x->handed_on : x->request.query, &p->wish)) return GATE_QUERY;
    if (!leaves_room(rules, p->wish.rest)) return GATE_QUERY;
    read_range(x, &p->wish);
    if (!open_cursor(x)) return GATE_CURSOR;
    /* Once more, where it lives through all trips. */
    enum rules_query query = rules_query_read(x->document, x->request.query, p->arena, &x->search);
    if (query != RULES_QUERY_ALLOWED) return query == RULES_QUERY_REFUSED ? GATE_QUERY : GATE_NO_MEMORY;
    const struct rules_document_view *view = rules_document_view(x->document);
    pages_walk_begin(&p->walk, rules, view->reads_all, &p->wish);
    p->walk.joins = view->has_links || view->has_graph;
    if (!is_ok(buf_append(&p->next, p->walk.place.address))) return GATE_NO_MEMORY;
    return GATE_FINE;
}

uint64_t pages_held(const struct exchange *x)
{
    const struct paging *p = x->paging;
    return p == NULL ? 0 : p->raw.size + p->addresses.size + p->capacity * sizeof(*p->documents);
}

/* From the list's beginning; the other styles follow what the origin says. */
static bool counts(const struct paging *p)
{
    return p->rules->style == PAGE_STYLE_OFFSET || p->rules->style == PAGE_STYLE_PAGE;
}

/* ---- one trip --------------------------------------------------------------------------------------------------- */

/* What led to the last document. */
static span last_address(const struct paging *p)
{
    const struct paged_document *d = &p->documents[p->count - 1];
    return span_sub(buf_span(&p->addresses), d->address, d->address_len);
}

result pages_query(struct exchange *x, span *query)
{
    struct paging *p = x->paging;
    buf_clear(&p->query);
    TRY(pages_walk_ask(&p->walk, &p->wish, p->walk.ended ? last_address(p) : buf_span(&p->next), &p->query));
    *query = buf_span(&p->query);
    return OK;
}

static span field_value(const struct http_response *r, span name)
{
    const struct http_field *f = name.len == 0 ? NULL : http_find_name(r->fields, r->field_count, name, 0);
    return f == NULL ? span_of(NULL, 0) : f->value;
}

/* "57", or what stands behind the slash of "0-9/57". */
static void read_total(struct paging *p, const struct http_response *r)
{
    span range = field_value(r, p->rules->range);
    span total = field_value(r, p->rules->total);
    size_t slash = span_find(range, '/');
    p->total = UINT64_MAX;
    if (total.len == 0 && slash < range.len) total = span_from(range, slash + 1);
    if (total.len == 0 || !span_to_u64(total, UINT64_MAX - 1, &p->total)) p->total = UINT64_MAX;
}

/* Of all its fields of that name: where the list goes on. */
static span next_link(const struct paging *p, const struct http_response *r)
{
    const struct http_field *f;
    span link = span_of(NULL, 0);
    bool leads = p->rules->style == PAGE_STYLE_LINK && p->rules->link.len > 0;
    for (size_t i = 0; leads && link.len == 0 && (f = http_find_name(r->fields, r->field_count, p->rules->link, i)) != NULL; i++) {
        link = pages_link_next(f->value);
    }
    return link;
}

/* The query of a URL that leads to the same path. False: it leads elsewhere. */
static bool keep_query(const struct exchange *x, span url, struct buf *out)
{
    span query;
    return pages_link_query(x->request.path, url, &query) && is_ok(pages_link_write(query, out)) && http_query_judge(buf_span(out));
}

struct arena *pages_arena(const struct exchange *x)
{
    return x->paging->arena;
}

bool pages_is_first(const struct exchange *x)
{
    return x->paging->walk.trips == 0;
}

/* All documents of a walk are read as the first one is: as one. */
static bool is_like_the_first(struct exchange *x, const struct engine_begin *b)
{
    struct paging *p = x->paging;
    if (pages_is_first(x)) {
        p->media = x->media;
        p->begin = *b;
        if (p->media.len > 0) p->begin.media_type = http_media_essence(&p->media), p->begin.charset = http_media_charset(&p->media);
        p->begin.content_encoding = arena_copy(p->arena, b->content_encoding);
        return p->begin.content_encoding.ptr != NULL;
    }
    return span_equal(http_media_text(&x->media), http_media_text(&p->media)) &&
           span_equal(b->content_encoding, p->begin.content_encoding);
}

/* Behind the end of its list an origin may have no range to give, or no page. A trip that is made for the time alone may end in
 * anything. */
//= RFC9110 15.5.17
bool pages_past_end(struct exchange *x)
{
    struct paging *p = x->paging;
    if (p == NULL || pages_is_first(x)) return false;
    unsigned status = x->response.status;
    if (!p->walk.ended && !(counts(p) && (status == 416 || status == 404))) return false;
    p->past = x->discard = true;
    return true;
}

enum flow pages_begin_body(struct exchange *x, const struct engine_begin *b)
{
    struct paging *p = x->paging;
    const struct http_response *r = &x->response;
    span link = next_link(p, r);
    buf_clear(&p->link);
    if (p->walk.ended) p->past = x->discard = true;
    if (!x->discard) {
        if (!is_like_the_first(x, b)) return exchange_fail(x, GATE_FORMAT);
        if (link.len > 0 && !keep_query(x, link, &p->link)) return exchange_fail(x, GATE_FORMAT);
        read_total(p, r);
    }
    p->begun = buf_len(&p->raw);
    io_consume(x->origin->conn, r->head_len);
    x->step = STEP_READ_BODY;
    return FLOW_GO;
}

result pages_receive(struct exchange *x, span data)
{
    return buf_append(&x->paging->raw, data);
}

/* ---- the documents so far --------------------------------------------------------------------------------------- */

static span body_of(const struct paging *p, const struct paged_document *d)
{
    return span_sub(buf_span(&p->raw), d->begin, d->len);
}

static span elements_of(const struct paging *p, const struct paged_document *d)
{
    if (d->list.count == 0) return span_of(NULL, 0);
    return span_sub(body_of(p, d), (size_t)d->list.first, (size_t)(d->list.last - d->list.first));
}

static struct paged_document *add_document(struct paging *p)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity == 0 ? 4 : 2 * p->capacity;
        struct paged_document *more = capacity > DOCUMENTS_MAX ? NULL : mem_resize(p->documents, capacity * sizeof(*more));
        if (more == NULL) return NULL;
        p->documents = more;
        uint64_t *begins = mem_resize(p->begins, capacity * sizeof(*begins));
        if (begins == NULL) return NULL;
        p->begins = begins;
        p->capacity = capacity;
    }
    struct paged_document *d = &p->documents[p->count];
    *d = (struct paged_document){.begin = p->begun, .len = buf_len(&p->raw) - p->begun, .address = buf_len(&p->addresses),
        .address_len = buf_len(&p->next)};
    if (!is_ok(buf_append(&p->addresses, buf_span(&p->next)))) return NULL;
    p->begins[p->count] = p->count == 0 ? 0 : p->begins[p->count - 1] + d[-1].list.count;
    p->count++;
    return d;
}

/* Sets where the walk goes on. False: it leads nowhere that may be asked. */
static bool find_next(struct exchange *x, const struct paged_document *d)
{
    struct paging *p = x->paging;
    uint8_t *text;
    span value = span_sub(body_of(p, d), (size_t)d->list.next, (size_t)d->list.next_len);
    buf_clear(&p->next);
    if (buf_len(&p->link) > 0) return is_ok(buf_append(&p->next, buf_span(&p->link)));
    if (!d->list.has_next) return true;
    buf_clear(&p->query); /* of the trip that brought it */
    if (!is_ok(buf_reserve(&p->query, value.len + 1, &text))) return false;
    span decoded = span_of(text, doc_decode_string(value, text));
    return p->rules->style == PAGE_STYLE_LINK ? keep_query(x, decoded, &p->next) : is_ok(buf_append(&p->next, decoded));
}

/* An origin that counts, and gives less than it was asked for, and the same again, has come to its end: it clamps what it is asked,
 * or does not know it. */
static bool is_repeated(const struct paging *p)
{
    if (p->count < 2 || !counts(p) || p->documents[p->count - 1].list.count >= p->walk.block) return false;
    span a = elements_of(p, &p->documents[p->count - 1]), b = elements_of(p, &p->documents[p->count - 2]);
    return a.len > 0 && span_equal(a, b);
}

/* A cursor that leads to where it stands leads nowhere. */
static void stop_in_circles(struct paging *p)
{
    if (!counts(p) && span_equal(buf_span(&p->next), last_address(p))) buf_clear(&p->next);
}

/* GATE_FINE, or why what came cannot be used. */
static enum gate_failure take_document(struct exchange *x)
{
    struct paging *p = x->paging;
    if (p->past) {
        pages_walk_met(&p->walk, 0, false, p->total);
        return GATE_FINE;
    }
    struct paged_document *d = add_document(p);
    if (d == NULL) return GATE_READ_MEMORY;
    uint32_t depth = x->worker->settings->limits.depth;
    enum doc_malformed m = pages_list_read(p->reader, p->rules, depth > UINT32_MAX / 2 ? UINT32_MAX : 2 * depth, body_of(p, d), &d->list);
    if (m == DOC_NO_MEMORY) return GATE_READ_MEMORY; /* the engine may find the memory again, and would take the page for all there is */
    if (m != DOC_OK && p->walk.trips > 0) return GATE_MALFORMED;
    /* An origin that gives the one record itself where there is one, and an error where there are two, tells of whom it counted. */
    if (m == DOC_OK && p->walk.trips == 0 && !d->list.found && !d->list.null) return GATE_FORMAT;
    if (m != DOC_OK || !d->list.found) d->list = (struct pages_list){.found = false}; /* the engine says why */
    if (!find_next(x, d)) return GATE_FORMAT;
    stop_in_circles(p);
    bool repeated = is_repeated(p);
    worker_count(x->worker, PROXY_PAGE_UNITS, d->list.count);
    if (repeated) p->count--;
    pages_walk_met(&p->walk, repeated ? 0 : d->list.count, !repeated && buf_len(&p->next) > 0, p->total);
    if (!d->list.found) p->walk.ended = true;
    return GATE_FINE;
}

/* ---- one document of all ---------------------------------------------------------------------------------------- */

static span separator_of(const struct paging *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct pages_list *l = &p->documents[i].list;
        if (l->count > 1) return span_sub(body_of(p, &p->documents[i]), (size_t)l->separator, (size_t)(l->separator_end - l->separator));
    }
    return SPAN(",");
}

/* Bytes that stand between the first document's last element and what follows there. */
static uint64_t joined_length(const struct paging *p)
{
    uint64_t length = 0;
    bool some = p->documents[0].list.count > 0;
    for (size_t i = 1; i < p->count; i++) {
        if (p->documents[i].list.count == 0) continue;
        length += elements_of(p, &p->documents[i]).len + (some ? separator_of(p).len : 0);
        some = true;
    }
    return length;
}

/* The first document with the elements of all the others behind its own. */
static RESULT join(struct exchange *x)
{
    struct paging *p = x->paging;
    const struct paged_document *first = &p->documents[0];
    span body = body_of(p, first), separator = separator_of(p);
    if (!first->list.found) return gate_receive(x->gate, body);
    size_t cut = (size_t)(first->list.count > 0 ? first->list.last : first->list.open + 1);
    bool some = first->list.count > 0;
    TRY(gate_receive(x->gate, span_sub(body, 0, cut)));
    for (size_t i = 1; i < p->count; i++) {
        if (p->documents[i].list.count == 0) continue;
        if (some) TRY(gate_receive(x->gate, separator));
        TRY(gate_receive(x->gate, elements_of(p, &p->documents[i])));
        some = true;
    }
    return gate_receive(x->gate, span_from(body, cut));
}

struct engine_page pages_window(const struct exchange *x)
{
    const struct paging *p = x->paging;
    if (p == NULL) return (struct engine_page){.on = false};
    const struct pages_list *l = &p->documents[0].list;
    return (struct engine_page){.on = true, .items = l->found ? l->open : UINT64_MAX, .skip = p->walk.place.from + p->walk.place.skip,
        .take = p->walk.limit, .begins = p->begins, .begin_count = p->count};
}

static enum gate_failure decide_all(struct exchange *x)
{
    struct paging *p = x->paging;
    p->begin.page = pages_window(x);
    p->begin.fields = NULL;
    struct engine_field *fields = arena_array(p->arena, x->field_count + 1, sizeof(*fields));
    if (fields == NULL) return GATE_READ_MEMORY;
    for (size_t i = 0; i < x->field_count; i++) fields[i] = (struct engine_field){x->fields[i].name, x->fields[i].value};
    p->begin.fields = fields;
    p->begin.field_count = x->field_count;
    if (x->engine == NULL) x->engine = worker_engine_take(x->worker);
    x->begin = p->begin;
    gate_open(x->gate, x->engine, &x->begin);
    bool held = exchange_account(x) && is_ok(join(x)) && exchange_account(x);
    return held ? gate_decide(x->gate, true) : GATE_READ_MEMORY;
}

/* ---- enough? ---------------------------------------------------------------------------------------------------- */

static enum flow ask_again(struct exchange *x)
{
    gate_reset(x->gate);
    x->head_sent = x->retried = x->responded = x->discard = x->body_complete = false;
    x->servers_tried = 0;
    http_response_reset(&x->response);
    worker_count(x->worker, PROXY_PAGE_TRIPS, 1);
    x->step = STEP_ASK;
    return FLOW_GO;
}

static enum flow undeliverable(struct exchange *x, enum gate_failure f)
{
    worker_alarm(x->worker, f);
    return exchange_fail(x, f);
}

/* From the place on. */
static uint64_t visible_units(const struct exchange *x)
{
    uint64_t visible = gate_outcome(x->gate)->page.visible, from = x->paging->walk.place.from;
    return visible > from ? visible - from : 0;
}

enum flow pages_look(struct exchange *x, enum flow (*enough)(struct exchange *))
{
    struct paging *p = x->paging;
    const struct engine_outcome *o = gate_outcome(x->gate);
    if (o->verdict.document_withheld) return enough(x);
    switch (pages_walk_judge(&p->walk, visible_units(x))) {
    case PAGES_ASK: return BREAKS_FOUND(o, "break-short-page") ? enough(x) : ask_again(x);
    case PAGES_TOO_FAR: return undeliverable(x, GATE_SCAN);
    case PAGES_TOO_FEW: return undeliverable(x, GATE_SCAN_RAW);
    case PAGES_ENOUGH: break;
    }
    return enough(x);
}

static enum flow to_suspect(struct exchange *x)
{
    x->step = STEP_SUSPECT;
    return FLOW_GO;
}

enum flow pages_decide(struct exchange *x)
{
    struct paging *p = x->paging;
    if (!x->body_complete && !p->past) return undeliverable(x, GATE_CUT_SHORT);
    enum gate_failure f = take_document(x);
    if (f == GATE_FINE && pages_walk_goes_on(&p->walk) && p->documents[0].list.found) return ask_again(x);
    if (f == GATE_FINE) f = decide_all(x);
    x->media = p->media;
    x->response.status = 200; /* the last one may say that there is no more */
    if (f != GATE_FINE) return undeliverable(x, f);
    return pages_look(x, to_suspect);
}

/* ---- what we say ourselves -------------------------------------------------------------------------------------- */

/* Where the page behind this one begins: in the document that its first unit stands in, so that the walk gets on. */
static struct pages_place place_behind(const struct paging *p, const struct engine_page_found *found)
{
    const struct paged_document *d = &p->documents[found->next_begin];
    return (struct pages_place){.address = span_sub(buf_span(&p->addresses), d->address, d->address_len), .from = found->next_in};
}

static RESULT insert_members(struct exchange *x, const struct pages_words *w)
{
    const struct paging *p = x->paging;
    const struct pages_list *l = &p->documents[0].list;
    for (size_t depth = 0; depth < p->rules->items_count; depth++) {
        struct buf text;
        buf_init(&text, 65536);
        result r = pages_write_members(w, depth, &text);
        span words = is_ok(r) && buf_len(&text) > 0 ? arena_copy(gate_arena(x->gate), buf_span(&text)) : span_of(NULL, 0);
        bool some = is_ok(r) && buf_len(&text) > 0;
        buf_free(&text);
        TRY(r);
        if (!some) continue;
        REQUIRE(words.ptr != NULL, ERROR_LIMIT, 0);
        TRY(gate_insert(x->gate, l->ends[depth] + joined_length(p), words));
    }
    return OK;
}

static RESULT add_field(struct exchange *x, struct http_field *fields, span name, struct buf *value)
{
    span copy = arena_copy(gate_arena(x->gate), buf_span(value));
    REQUIRE(copy.ptr != NULL, ERROR_LIMIT, 0);
    fields[x->field_count++] = (struct http_field){.name = name, .value = copy, .id = HTTP_FIELD_OTHER};
    buf_clear(value);
    return OK;
}

static RESULT write_fields(struct exchange *x, const struct pages_words *w, struct http_field *fields, struct buf *text)
{
    uint64_t visible = visible_units(x), taken = gate_outcome(x->gate)->page.taken;
    const struct rules_pages *rules = w->walk->rules;
    uint64_t total;
    if (rules->link.len > 0) {
        TRY(pages_write_links(w, text));
        if (buf_len(text) > 0) TRY(add_field(x, fields, rules->link, text));
    }
    if (rules->range.len > 0) {
        TRY(pages_write_range(w->walk, visible, taken, text));
        TRY(add_field(x, fields, rules->range, text));
    }
    if (rules->total.len == 0 || !pages_total(w->walk, visible, &total)) return OK;
    TRY(buf_printf(text, "%llu", (unsigned long long)total));
    return add_field(x, fields, rules->total, text);
}

/* Behind the fields that the profile lists. */
static RESULT add_fields(struct exchange *x, const struct pages_words *w)
{
    struct http_field *fields = arena_array(gate_arena(x->gate), x->field_count + 3, sizeof(*fields));
    struct buf text;
    REQUIRE(fields != NULL, ERROR_LIMIT, 0);
    if (x->field_count > 0) memcpy(fields, x->fields, x->field_count * sizeof(*fields));
    x->fields = fields;
    buf_init(&text, 65536);
    result r = write_fields(x, w, fields, &text);
    buf_free(&text);
    return r;
}

static RESULT write_own(struct exchange *x)
{
    struct paging *p = x->paging;
    struct worker *w = x->worker;
    const struct engine_outcome *o = gate_outcome(x->gate);
    if (!p->documents[0].list.found || o->verdict.document_withheld) return OK;
    struct pages_binding binding = binding_of(x);
    struct pages_place behind = place_behind(p, &o->page);
    struct pages_leads leads;
    struct pages_words words = {.walk = &p->walk, .wish = &p->wish, .keys = &w->cursor_keys, .binding = &binding,
        .host = x->request.host, .query = x->request.query, .expires_s = x->time_us / 1000000 + w->settings->cursor_expiry_s, .leads = &leads};
    for (size_t i = 0; i < CURSOR_AIM_COUNT; i++) TRY(worker_random(w, words.nonces[i], PAGES_NONCE));
    pages_leads_find(&p->walk, visible_units(x), &behind, &leads);
    TRY(insert_members(x, &words));
    return add_fields(x, &words);
}

/* An origin's cursor that is longer than the profile says would make ours longer than all others. */
enum gate_failure pages_finish(struct exchange *x)
{
    result r = write_own(x);
    if (is_ok(r)) return GATE_FINE;
    enum gate_failure f = r.class == ERROR_PEER ? GATE_FORMAT : GATE_READ_MEMORY;
    worker_alarm(x->worker, f);
    return f;
}
