/* Where `scan --write` puts what would be delivered. */
#include "cli/scan.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the directories of DIR/a/b/c.json. */
static RESULT make_directories(char *path, size_t base)
{
    for (char *slash = strchr(path + base, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        REQUIRE(made, ERROR_IO, errno);
    }
    return OK;
}

static RESULT open_part(struct scan_output *o)
{
    snprintf(o->part, sizeof(o->part), "%s.part", o->path);
    o->fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    REQUIRE(o->fd >= 0, ERROR_IO, errno);
    return OK;
}

result scan_output_open(struct scan_output *o, const char *directory, const char *relative)
{
    o->part[0] = '\0';
    int n = snprintf(o->path, sizeof(o->path), "%s/%s", directory, relative);
    REQUIRE(n > 0 && (size_t)n < sizeof(o->path), ERROR_IO, ENAMETOOLONG);
    REQUIRE(!os_exists(o->path), ERROR_IO, EEXIST);
    TRY(make_directories(o->path, strlen(directory) + 1));
    result r = os_create_nameless(o->path, 0666, &o->fd);
    return r.class == ERROR_IO && r.code == EOPNOTSUPP ? open_part(o) : r;
}

static RESULT name_part(struct scan_output *o)
{
    REQUIRE(fsync(o->fd) == 0, ERROR_IO, errno);
    REQUIRE(!os_exists(o->path), ERROR_IO, EEXIST);
    return os_rename(o->part, o->path);
}

void scan_output_drop(struct scan_output *o)
{
    os_close(&o->fd);
    if (o->part[0] != '\0') (void)unlink(o->part);
}

result scan_output_close(struct scan_output *o, result written)
{
    result r = written;
    if (is_ok(r)) r = o->part[0] == '\0' ? os_give_name(o->fd, o->path) : name_part(o);
    scan_output_drop(o);
    return r;
}
