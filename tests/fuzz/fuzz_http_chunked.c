/* Chunked bodies: the first byte says how the rest is cut. Cut or whole, the content and the end are the same, and what
 * was taken, chunked again by our writer, decodes to the same content. */
#include <stdlib.h>

#include "http/http.h"

struct taken {
    struct buf content;
    size_t used;
    enum http_step step;
};

static struct taken take(span in, size_t piece)
{
    struct taken t = {.step = HTTP_MORE};
    struct http_body b;
    struct http_limits l = {.head = 256, .target = 0, .extension = 64};
    buf_init(&t.content, 1 << 20);
    http_body_init(&b, HTTP_FRAMING_CHUNKED, 0, &l);
    while (t.used < in.len && t.step == HTTP_MORE) {
        span data;
        size_t used, n = in.len - t.used < piece ? in.len - t.used : piece;
        uint8_t *copy = malloc(n);
        memcpy(copy, in.ptr + t.used, n);
        t.step = http_body_next(&b, span_of(copy, n), &used, &data);
        ASSERT(used <= n && (used > 0 || t.step != HTTP_MORE) && data.len <= used);
        ASSERT(is_ok(buf_append(&t.content, data)));
        free(copy);
        t.used += used;
    }
    ASSERT(b.received == buf_len(&t.content));
    return t;
}

static void chunk_again(struct taken *t)
{
    struct http_chunker c;
    struct buf out;
    buf_init(&out, 1 << 20);
    http_chunker_init(&c);
    ASSERT(is_ok(http_chunker_add(&c, buf_span(&t->content), &out)) && is_ok(http_chunker_finish(&c, &out)));
    struct taken again = take(buf_span(&out), SIZE_MAX);
    ASSERT(again.step == HTTP_DONE && again.used == buf_len(&out));
    ASSERT(span_equal(buf_span(&again.content), buf_span(&t->content)));
    buf_free(&again.content);
    http_chunker_free(&c);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 18) return 0;
    span in = span_of(data + 1, size - 1);
    struct taken whole = take(in, SIZE_MAX), cut = take(in, data[0] % 61 + 1);
    ASSERT(whole.step == cut.step && whole.used == cut.used);
    ASSERT(span_equal(buf_span(&whole.content), buf_span(&cut.content)));
    if (whole.step == HTTP_DONE) chunk_again(&whole);
    buf_free(&whole.content);
    buf_free(&cut.content);
    return 0;
}
