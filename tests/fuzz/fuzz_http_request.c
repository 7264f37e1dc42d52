/* Requests: whole and byte by byte must be read alike; a head that was taken, written out again, must be taken again as
 * the same request; nothing that was taken holds a byte that could end a line. */
#include "../unit/http/drive.h"

static bool same(span a, span b)
{
    return span_equal(a, b);
}

static void write_again(span in)
{
    struct http_request r, again;
    struct buf b;
    http_request_reset(&r);
    if (http_request_read(&r, in, &HTTP_LIMITS_DEFAULT) != HTTP_DONE || r.host.len == 0) return;
    ASSERT(r.head_len <= in.len);
    buf_init(&b, 1 << 20);
    ASSERT(is_ok(http_write_request(&b, r.method_text, r.path, r.has_query, r.query, r.host)));
    for (size_t i = 0; i < r.field_count; i++)
        if (http_field_passes(r.fields, r.field_count, &r.fields[i]))
            ASSERT(is_ok(http_write_field(&b, r.fields[i].name, r.fields[i].value)));
    ASSERT(is_ok(http_write_end(&b)));
    http_request_reset(&again);
    struct http_limits wide = {.head = 1 << 20, .target = 1 << 20, .extension = 0};
    ASSERT(http_request_read(&again, buf_span(&b), &wide) == HTTP_DONE);
    ASSERT(same(r.method_text, again.method_text) && same(r.path, again.path) && same(r.query, again.query));
    ASSERT(same(r.host, again.host) && again.framing == HTTP_FRAMING_NONE && again.head_len == buf_len(&b));
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) return 0;
    size_t cuts[4096];
    for (size_t i = 0; i + 1 < size; i++)
        cuts[i] = i + 1;
    span in = span_of(data, size);
    struct http_limits l = {.head = 1024, .target = 200, .extension = 100};
    struct drive whole = drive_stream(in, false, NULL, 0, &l);
    struct drive bytes = drive_stream(in, false, cuts, size > 0 ? size - 1 : 0, &l);
    ASSERT(strcmp(whole.notes, bytes.notes) == 0);
    free(whole.notes);
    free(bytes.notes);
    write_again(in);
    return 0;
}
