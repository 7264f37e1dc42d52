/* What the gateway asks of an origin for one request: of a list in pages, more units than the client wants, and more than once. */
#include "cli/probe.h"
#include "http/http.h"
#include "pages/pages.h"
#include "rules/rules.h"

#define QUERY_MAX 65536

/* "GET /path?query HTTP/1.1…" with another query. */
static bool with_query(struct arena *memory, span path, span query, span *text)
{
    struct buf out;
    size_t begin = (size_t)(path.ptr - text->ptr), target = begin + path.len;
    span rest = span_from(*text, target);
    rest = span_from(rest, span_find(rest, ' '));
    buf_init(&out, text->len + query.len + 16);
    bool good = is_ok(buf_append(&out, span_sub(*text, 0, target))) && is_ok(buf_append(&out, SPAN("?"))) &&
                is_ok(buf_append(&out, query)) && is_ok(buf_append(&out, rest));
    span copy = good ? arena_copy(memory, buf_span(&out)) : span_of(NULL, 0);
    buf_free(&out);
    if (copy.len > 0) *text = copy;
    return copy.len > 0;
}

static bool read_walk(struct arena *memory, const struct rules_document_view *v, const struct http_request *r, struct probe_shot *shot,
    struct probing_trips *out)
{
    struct pages_wish wish;
    struct pages_walk walk;
    struct buf query;
    buf_init(&query, QUERY_MAX);
    bool good = true;
    if (pages_wish_read(v->pages, r->query, &wish)) {
        pages_walk_begin(&walk, v->pages, v->complete, &wish);
        *out = (struct probing_trips){walk.least, pages_walk_most(&walk), v->path_template};
        good = is_ok(pages_walk_ask(&walk, &wish, walk.place.address, &query)) &&
               with_query(memory, r->path, buf_span(&query), &shot->text);
    }
    pages_wish_free(&wish);
    buf_free(&query);
    return good;
}

bool probing_read_trips(const struct proxy_route *route, struct arena *memory, struct probe_shot *shot, struct probing_trips *out)
{
    *out = (struct probing_trips){1, 1, NULL};
    struct http_request *r = mem_alloc(sizeof(*r));
    bool good = r != NULL;
    if (good) http_request_reset(r);
    if (good && http_request_read(r, shot->text, &HTTP_LIMITS_DEFAULT) == HTTP_DONE && route->profile != NULL) {
        const struct rules_document *d = rules_find_document(route->profile, r->path);
        const struct rules_document_view *v = d == NULL ? NULL : rules_document_view(d);
        if (v != NULL && v->pages != NULL) good = read_walk(memory, v, r, shot, out);
    }
    mem_free(r);
    return good;
}
