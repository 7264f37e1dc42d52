/* The embedded record API: what a gateway stands before. */
#include "demo/internal.h"

static bool id_behind(span path, const char *prefix, uint64_t *id)
{
    span p = span_str(prefix);
    return span_starts(path, p) && span_to_u64(span_from(path, p.len), UINT32_MAX, id);
}

static RESULT missing(struct fixture_reply *out, const char *body)
{
    buf_clear(&out->body);
    return buf_append(&out->body, span_str(body));
}

result demo_origin_answer(void *ctx, const struct http_request *r, span sent, struct fixture_reply *out)
{
    uint64_t id = 0;
    (void)ctx;
    if (span_equal(r->path, SPAN("/api/persons"))) return demo_people_list(&out->body);
    if (span_equal(r->path, SPAN("/api/search"))) return demo_people_search(&out->body, sent);
    if (span_equal(r->path, SPAN("/api/map"))) return demo_people_map(&out->body);
    if (span_equal(r->path, SPAN("/api/export.ndjson"))) {
        out->content_type = SPAN("application/x-ndjson");
        return demo_people_export(&out->body);
    }
    if (id_behind(r->path, "/api/persons/", &id) && demo_people_one(&out->body, id)) return OK;
    if (id_behind(r->path, "/api/associates/", &id)) return demo_people_associates(&out->body, id) ? OK : missing(out, "[]");
    out->status = 404;
    return missing(out, "{\"error\":\"not found\"}\n");
}
