#include "cli/output.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static RESULT open_part(struct output *o, mode_t mode)
{
    snprintf(o->part, sizeof(o->part), "%s.part", o->path);
    o->fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (o->fd >= 0) return OK;
    o->part[0] = '\0'; /* somebody else's */
    return FAIL(ERROR_IO, errno);
}

result output_open(struct output *o, const char *path, mode_t mode)
{
    o->fd = -1;
    o->part[0] = '\0';
    int n = snprintf(o->path, sizeof(o->path), "%s", path);
    REQUIRE(n >= 0 && (size_t)n < sizeof(o->path), ERROR_IO, ENAMETOOLONG);
    REQUIRE(!os_exists(o->path), ERROR_IO, EEXIST);
    result r = os_create_nameless(o->path, mode, &o->fd);
    return r.class == ERROR_IO && r.code == EOPNOTSUPP ? open_part(o, mode) : r;
}

static RESULT name_part(struct output *o)
{
    REQUIRE(fsync(o->fd) == 0, ERROR_IO, errno);
    REQUIRE(!os_exists(o->path), ERROR_IO, EEXIST);
    TRY(os_rename(o->part, o->path));
    o->part[0] = '\0';
    return os_sync_parent(o->path);
}

void output_drop(struct output *o)
{
    os_close(&o->fd);
    if (o->part[0] != '\0') (void)unlink(o->part);
}

result output_close(struct output *o, result written)
{
    result r = written;
    if (is_ok(r)) r = o->part[0] == '\0' ? os_give_name(o->fd, o->path) : name_part(o);
    output_drop(o);
    return r;
}

/* ---- streams ---------------------------------------------------------------------------------------------------- */

/* What tells who asked for whom is its owner's. */
#define STREAM_MODE 0600

static const char *words(result r)
{
    return r.class == ERROR_IO && r.code == EEXIST ? "is there already; name a new file" : os_error_text(r);
}

FILE *output_stream_open(struct output_stream *s, const char *path, const char **why)
{
    s->is_file = path != NULL;
    s->to = stdout;
    if (path == NULL) return stdout;
    result r = output_open(&s->file, path, STREAM_MODE);
    s->to = is_ok(r) ? fdopen(dup(s->file.fd), "w") : NULL;
    if (is_ok(r) && s->to == NULL) r = output_close(&s->file, FAIL(ERROR_IO, errno));
    if (s->to == NULL) *why = words(r);
    return s->to;
}

bool output_stream_close(struct output_stream *s, bool whole, const char **why)
{
    errno = 0;
    bool good = fflush(s->to) == 0 && !ferror(s->to);
    int error = errno;
    if (!s->is_file) {
        if (!good) *why = "could not be written";
        return good;
    }
    good = fclose(s->to) == 0 && good;
    result r = good ? OK : FAIL(ERROR_IO, error);
    if (whole) r = output_close(&s->file, r);
    else output_drop(&s->file);
    if (!is_ok(r)) *why = r.code == 0 ? "could not be written" : words(r); /* 0: the stream failed long ago */
    return is_ok(r);
}
