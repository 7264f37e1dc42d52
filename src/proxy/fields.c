/* Fields of the origin's head that a document's `headers` let through to restricted recipients. */
#include "proxy/internal.h"

static bool is_wanted(const struct http_response *r, const struct http_field *f, const char *name)
{
    return span_equal_nocase(f->name, span_str(name)) && http_field_passes(r->fields, r->field_count, f);
}

static size_t count_wanted(const struct http_response *r, const struct rules_document_view *v)
{
    size_t n = 0;
    for (size_t k = 0; k < v->header_count; k++)
        for (size_t i = 0; i < r->field_count; i++) n += is_wanted(r, &r->fields[i], v->headers[k]);
    return n;
}

/* In the profile's spelling and order, so that neither tells anything; they must outlive the origin's connection. */
RESULT fields_collect(struct exchange *x, struct engine_field **scanned)
{
    const struct http_response *r = &x->response;
    const struct rules_document_view *v = x->document == NULL || r->status != 200 ? NULL : rules_document_view(x->document);
    size_t n = v == NULL ? 0 : count_wanted(r, v);
    struct arena *a = x->paging != NULL ? pages_arena(x) : gate_arena(x->gate);
    *scanned = NULL;
    x->fields = NULL;
    x->field_count = 0;
    if (n == 0) return OK;
    struct http_field *fields = arena_array(a, n, sizeof(*fields));
    *scanned = arena_array(a, n, sizeof(**scanned));
    REQUIRE(fields != NULL && *scanned != NULL, ERROR_LIMIT, 0);
    for (size_t k = 0; k < v->header_count; k++) {
        for (size_t i = 0; i < r->field_count; i++) {
            if (!is_wanted(r, &r->fields[i], v->headers[k])) continue;
            span name = span_str(v->headers[k]), value = arena_copy(a, r->fields[i].value);
            REQUIRE(value.ptr != NULL, ERROR_LIMIT, 0);
            (*scanned)[x->field_count] = (struct engine_field){name, value};
            fields[x->field_count++] = (struct http_field){.name = name, .value = value, .id = HTTP_FIELD_OTHER};
        }
    }
    x->fields = fields;
    return OK;
}
