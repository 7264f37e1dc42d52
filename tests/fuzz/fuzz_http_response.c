/* Responses: whole and byte by byte must be read alike, and what stands in Content-Type can be respelled and read
 * again. */
#include "../unit/http/drive.h"

static void media_again(span in)
{
    struct http_response r;
    struct http_media m, again;
    http_response_reset(&r);
    if (http_response_read(&r, in, false, &HTTP_LIMITS_DEFAULT) != HTTP_DONE) return;
    ASSERT(r.head_len <= in.len && r.status >= 100 && r.status <= 599 && r.status != 101);
    if (!http_media_parse(r.content_type, &m)) return;
    ASSERT(http_media_parse(http_media_text(&m), &again) && span_equal(http_media_text(&m), http_media_text(&again)));
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
    struct drive whole = drive_stream(in, true, NULL, 0, &l);
    struct drive bytes = drive_stream(in, true, cuts, size > 0 ? size - 1 : 0, &l);
    ASSERT(strcmp(whole.notes, bytes.notes) == 0);
    free(whole.notes);
    free(bytes.notes);
    media_again(in);
    return 0;
}
