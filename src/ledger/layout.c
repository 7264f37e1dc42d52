#include "ledger/layout.h"
#include <errno.h>
#include <jansson.h>

#define NODE_MAX 8192u
#define SEGMENT_LIMIT (UINT64_C(16) << 30)

result layout_path(char out[PATH_BYTES], const char *directory, const char *fmt, ...)
{
    int n = snprintf(out, PATH_BYTES, "%s/", directory);
    REQUIRE(n > 0 && n < (int)PATH_BYTES, ERROR_CONFIG, ENAMETOOLONG);
    va_list args;
    va_start(args, fmt);
    int m = vsnprintf(out + n, PATH_BYTES - (size_t)n, fmt, args);
    va_end(args);
    REQUIRE(m >= 0 && n + m < (int)PATH_BYTES, ERROR_CONFIG, ENAMETOOLONG);
    return OK;
}

static result node_parse(span text, struct node *out)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    const char *vkey = json_string_value(json_object_get(root, "verifier"));
    const char *origin = json_string_value(json_object_get(root, "origin"));
    json_int_t format = json_integer_value(json_object_get(root, "format"));
    json_int_t bytes = json_integer_value(json_object_get(root, "segment_bytes"));
    bool good = format == 1 && vkey && origin && bytes >= (json_int_t)LEDGER_SEGMENT_MIN && bytes % FRAME_ALIGN == 0 &&
                (uint64_t)bytes <= SEGMENT_LIMIT && is_ok(ledger_verifier_parse(span_str(vkey), &out->verifier)) &&
                strcmp(origin, out->verifier.name) == 0;
    if (good) out->segment_bytes = (uint64_t)bytes;
    const char *successor = json_string_value(json_object_get(root, "successor"));
    snprintf(out->successor, sizeof out->successor, "%s", good && successor ? successor : "");
    json_decref(root);
    REQUIRE(good, ERROR_CONFIG, LEDGER_E_NODE);
    return OK;
}

result node_read(const char *directory, struct node *out)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, directory, "node.json"));
    REQUIRE(os_exists(path), ERROR_CONFIG, LEDGER_E_MISSING);
    struct buf text;
    TRY(os_read_file(path, NODE_MAX, &text));
    result r = node_parse(buf_span(&text), out);
    buf_free(&text);
    return r;
}

static result node_text(struct buf *b, const struct node *node)
{
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(&node->verifier, vkey);
    TRY(buf_append(b, SPAN("{\"format\":1,\"origin\":")));
    TRY(json_quote(b, span_str(node->verifier.name)));
    TRY(buf_append(b, SPAN(",\"verifier\":")));
    TRY(json_quote(b, span_str(vkey)));
    TRY(buf_printf(b, ",\"segment_bytes\":%llu", (unsigned long long)node->segment_bytes));
    if (node->successor[0] == 0) return buf_append(b, SPAN("}\n"));
    TRY(buf_append(b, SPAN(",\"successor\":")));
    TRY(json_quote(b, span_str(node->successor)));
    return buf_append(b, SPAN("}\n"));
}

result node_write(const char *directory, const struct node *node)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, directory, "node.json"));
    struct buf b;
    buf_init(&b, NODE_MAX);
    result r = node_text(&b, node);
    if (is_ok(r)) r = os_write_atomic(path, buf_span(&b), 0644);
    buf_free(&b);
    return r;
}

static result add_segment(void *ctx, const char *name)
{
    struct segments *s = ctx;
    uint64_t first;
    span text = span_str(name);
    if (text.len != 24 || !span_equal(span_from(text, 20), SPAN(".wal"))) return OK;
    if (!span_to_u64(span_sub(text, 0, 20), UINT64_MAX, &first)) return OK;
    uint64_t *grown = mem_resize(s->first, (s->count + 1) * sizeof *grown);
    REQUIRE(grown, ERROR_LIMIT, ENOMEM);
    s->first = grown;
    s->first[s->count++] = first;
    return OK;
}

/* Names are of one length, so that their order is the order of the indices. */
result segments_list(const char *directory, struct segments *out)
{
    char path[PATH_BYTES];
    *out = (struct segments){0};
    TRY(layout_path(path, directory, "wal"));
    result r = os_list_dir(path, add_segment, out);
    if (!is_ok(r)) {
        mem_free(out->first);
        *out = (struct segments){0};
    }
    return r;
}

size_t segments_find(const struct segments *s, uint64_t index)
{
    size_t i = s->count;
    while (i > 1 && s->first[i - 1] > index)
        i--;
    return i > 0 ? i - 1 : 0;
}
