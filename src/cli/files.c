#include "cli/files.h"

#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1u << 20)

static const struct ending {
    const char *text, *type;
} ENDINGS[] = {{".json", "application/json"}, {".ndjson", "application/x-ndjson"}, {".jsonl", "application/x-ndjson"}};

const char *files_type(const char *path)
{
    span name = span_str(path);
    for (size_t i = 0; i < ARRAY_LEN(ENDINGS); i++) {
        span ending = span_str(ENDINGS[i].text);
        if (name.len > ending.len && span_equal_nocase(span_from(name, name.len - ending.len), ending)) return ENDINGS[i].type;
    }
    return NULL;
}

size_t files_cap(const struct engine_limits *limits)
{
    return limits->document > (SIZE_MAX - 1) / 2 ? SIZE_MAX : (size_t)(2 * limits->document + 1);
}

static result read_all(int fd, size_t cap, struct buf *out)
{
    while (buf_len(out) < cap) {
        uint8_t *room;
        size_t want = cap - buf_len(out) < PIECE ? cap - buf_len(out) : PIECE;
        TRY(buf_reserve(out, want, &room));
        ssize_t got = read(fd, room, want);
        if (got < 0 && errno == EINTR) continue;
        REQUIRE(got >= 0, ERROR_IO, errno);
        if (got == 0) break;
        buf_commit(out, (size_t)got);
    }
    return OK;
}

/* As much at once as the file says it has: growing copies. */
static result expect(int fd, size_t cap, struct buf *out)
{
    struct stat st;
    uint8_t *unused;
    if (fstat(fd, &st) != 0 || st.st_size <= 0) return OK;
    return buf_reserve(out, (size_t)st.st_size < cap ? (size_t)st.st_size : cap, &unused);
}

bool files_read(const char *path, size_t cap, struct buf *out, const char *command)
{
    bool standard = strcmp(path, "-") == 0;
    buf_init(out, cap);
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    result r = fd < 0 ? FAIL(ERROR_IO, errno) : expect(fd, cap, out);
    if (is_ok(r)) r = read_all(fd, cap, out);
    if (!is_ok(r) && command != NULL) fprintf(stderr, "gate1367 %s: %s: %s\n", command, path, os_error_text(r));
    if (!standard && fd >= 0) close(fd);
    return is_ok(r);
}

bool files_read_pieces(const char *path, files_piece_fn *each, void *ctx)
{
    bool standard = strcmp(path, "-") == 0, wanted = true;
    MEM_AUTO uint8_t *piece = mem_alloc(PIECE);
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = piece == NULL || fd < 0 ? -1 : 1;
    while (got > 0 && wanted) {
        got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR) got = 1;
        else if (got >= 0) wanted = each(ctx, span_of(piece, (size_t)got), got == 0);
    }
    int error = errno;
    if (!standard && fd >= 0) close(fd);
    errno = error;
    return got >= 0;
}
