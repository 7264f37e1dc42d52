/* Where `scan --write` puts what would be delivered. */
#include "cli/scan.h"
#include <errno.h>
#include <sys/stat.h>

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

result scan_output_open(struct output *o, const char *directory, const char *relative)
{
    char path[OUTPUT_PATH];
    o->fd = -1;
    o->part[0] = '\0';
    int n = snprintf(path, sizeof(path), "%s/%s", directory, relative);
    snprintf(o->path, sizeof(o->path), "%s", path); /* for messages, before anything can fail */
    REQUIRE(n > 0 && (size_t)n < sizeof(path), ERROR_IO, ENAMETOOLONG);
    TRY(make_directories(path, strlen(directory) + 1));
    return output_open(o, path, 0666);
}
