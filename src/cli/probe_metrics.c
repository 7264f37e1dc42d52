/* What a gateway's own admin address says. */
#include "cli/probe_metrics.h"
#include <errno.h>
#include <unistd.h>

#define METRICS_MAX ((size_t)4 << 20)

static RESULT receive(int fd, struct buf *out)
{
    for (;;) {
        uint8_t *room;
        TRY(buf_reserve(out, 16384, &room));
        ssize_t n = read(fd, room, 16384);
        if (n < 0 && errno == EINTR) continue;
        REQUIRE(n >= 0, ERROR_IO, errno);
        if (n == 0) return OK;
        buf_commit(out, (size_t)n);
    }
}

static RESULT ask(int fd, struct buf *out)
{
    TRY(os_set_nonblocking(fd, false));
    TRY(os_set_patience(fd, 5));
    TRY(os_write_all(fd, SPAN("GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")));
    return receive(fd, out);
}

result probing_metrics(const struct os_address *admin, struct buf *out)
{
    int fd = -1;
    bool done;
    buf_init(out, METRICS_MAX);
    result r = os_connect(admin, &fd, &done);
    if (is_ok(r)) r = ask(fd, out);
    os_close(&fd);
    return r;
}

bool probing_metric(span text, const char *name, uint64_t *value)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "\n%s ", name);
    if (n <= 0 || (size_t)n >= sizeof(line)) return false;
    size_t at = span_search(text, span_str(line));
    if (at == text.len) return false;
    span rest = span_from(text, at + (size_t)n);
    return span_to_u64(span_sub(rest, 0, span_find(rest, '\n')), UINT64_MAX, value);
}
