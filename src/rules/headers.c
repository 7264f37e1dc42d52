/* `headers`: which fields of an origin's head restricted recipients get too, and which nobody may list. */
#include "rules/set.h"

#include <stdlib.h>

/* field, what it would tell or undo */
//= ICE10036.2 2.1
#define NEVER(X)                                                                                                       \
    X("accept-ranges", "ranges would be of another body")                                                              \
    X("age", "time tells what the origin looked up")                                                                   \
    X("allow", "the gateway says itself what is allowed")                                                              \
    X("alt-svc", "it leads past the gateway")                                                                          \
    X("cache-control", "the gateway sets it")                                                                          \
    X("connection", "framing is the gateway's own")                                                                    \
    X("content-digest", "a digest tells that something was taken out")                                                 \
    X("content-disposition", "its file name is a name")                                                                \
    X("content-encoding", "framing is the gateway's own")                                                              \
    X("content-length", "framing is the gateway's own")                                                                \
    X("content-location", "a link names what may not be named")                                                        \
    X("content-md5", "a digest tells that something was taken out")                                                    \
    X("content-range", "ranges would be of another body")                                                              \
    X("content-type", "the gateway writes it")                                                                         \
    X("date", "the gateway sets it")                                                                                   \
    X("digest", "a digest tells that something was taken out")                                                         \
    X("etag", "a validator tells that something changed")                                                              \
    X("expires", "time tells what the origin looked up")                                                               \
    X("keep-alive", "framing is the gateway's own")                                                                    \
    X("last-modified", "a validator tells that something changed")                                                     \
    X("link", "a link names what may not be named")                                                                    \
    X("location", "a link names what may not be named")                                                                \
    X("proxy-authenticate", "framing is the gateway's own")                                                            \
    X("proxy-connection", "framing is the gateway's own")                                                              \
    X("refresh", "a link names what may not be named")                                                                 \
    X("repr-digest", "a digest tells that something was taken out")                                                    \
    X("request-id", "the gateway sets it")                                                                             \
    X("retry-after", "time tells what the origin looked up")                                                           \
    X("section-1367", "the gateway tells the entitled, and nobody else")                                               \
    X("server-timing", "time tells what the origin looked up")                                                         \
    X("set-cookie", "a cookie can carry anything to the next request")                                                 \
    X("set-cookie2", "a cookie can carry anything to the next request")                                                \
    X("te", "framing is the gateway's own")                                                                            \
    X("trailer", "framing is the gateway's own")                                                                       \
    X("transfer-encoding", "framing is the gateway's own")                                                             \
    X("upgrade", "framing is the gateway's own")                                                                       \
    X("via", "framing is the gateway's own")                                                                           \
    X("warning-notice", "the gateway tells the entitled, and nobody else")                                             \
    X("x-response-time", "time tells what the origin looked up")                                                       \
    X("x-runtime", "time tells what the origin looked up")

struct never {
    const char *name, *why;
};
static const struct never never[] = {
#define X(name, why) {name, why},
    NEVER(X)
#undef X
};

/* Words of a field's name that say how many there are. */
static bool is_total(span word)
{
    static const char *const totals[] = {"total", "totals", "count", "counts", "pages", "results", "hits"};
    for (size_t i = 0; i < ARRAY_LEN(totals); i++)
        if (span_equal_nocase(word, span_str(totals[i]))) return true;
    return false;
}

static const char *why_never(span name)
{
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (span_equal_nocase(name, span_str(never[i].name))) return never[i].why;
    for (size_t from = 0, end; from < name.len; from = end + 1) {
        span rest = span_from(name, from);
        end = from + span_find(rest, '-');
        if (is_total(span_sub(name, from, end - from))) return "a total counts those who are withheld";
    }
    return NULL;
}

static bool is_token(const char *s)
{
    for (const char *p = s; *p; p++)
        if (!is_alnum((uint8_t)*p) && !strchr("!#$%&'*+-.^`|~", *p)) return false;
    return *s != 0;
}

static bool is_good(const struct place *at, const char *name)
{
    const char *why = why_never(span_str(name));
    bool token = is_token(name);
    if (!token) place_error(at, "\"%.60s\" is no field name; write one such as \"Content-Language\"", name);
    else if (why) place_error(at, "\"%s\" never reaches a restricted recipient: %s; remove it", name, why);
    return token && !why;
}

static int compare_names(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    for (; *x && to_lower((uint8_t)*x) == to_lower((uint8_t)*y); x++)
        y++;
    return (int)to_lower((uint8_t)*x) - (int)to_lower((uint8_t)*y);
}

/* In one order, whatever the origin's is and whatever the file's. */
void headers_load(struct loader *l, const struct place *at, const json_t *v, struct rules_document_view *view)
{
    struct place headers_at = place_member(at, "headers");
    struct words w;
    if (!words_load(l, at, v, "headers", is_good, &w)) return;
    if (w.count > 1) qsort(w.list, w.count, sizeof *w.list, compare_names);
    if (w.count > 0 && w.count == json_array_size(json_object_get(v, "headers")))
        place_warning(&headers_at, "what stands in a field of the head must not depend on who is in the answer; a finding in one "
                                   "withholds the whole answer, which may be noticed");
    view->headers = w.list;
    view->header_count = w.count;
}
