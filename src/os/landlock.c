#include "os/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that came after the headers of the oldest system we build on. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                                                   \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |                       \
        LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
        LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define FIRST_RIGHTS ((1ULL << 13) - 1) /* all of version 1 */

static int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* A right that is not handled stays with everybody: handle all that this kernel knows. */
static uint64_t handled_rights(int version)
{
    uint64_t rights = FIRST_RIGHTS;
    if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return rights;
}

static RESULT add_rule(int ruleset, int fd, uint64_t rights)
{
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    if (!S_ISDIR(st.st_mode)) rights &= FILE_RIGHTS;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    REQUIRE(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0, ERROR_IO, errno);
    return OK;
}

static RESULT allow_path(int ruleset, uint64_t handled, const struct os_access *a)
{
    if (!a->path) return OK;
    int fd = open(a->path, O_PATH | O_CLOEXEC);
    REQUIRE(fd >= 0, ERROR_IO, errno);
    result r = add_rule(ruleset, fd, handled & (READ_RIGHTS | (a->write ? WRITE_RIGHTS : 0)));
    os_close(&fd);
    return r;
}

static RESULT fill_and_enforce(int ruleset, uint64_t handled, const struct os_access *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(allow_path(ruleset, handled, &paths[i]));
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, ERROR_IO, errno);
    REQUIRE(syscall(SYS_landlock_restrict_self, ruleset, 0) == 0, ERROR_IO, errno);
    return OK;
}

result confine_files(const struct os_access *paths, size_t count)
{
    int version = landlock_version();
    if (version < 1) return OK; /* the kernel has none, or it is off */
    struct landlock_ruleset_attr rules = {.handled_access_fs = handled_rights(version)};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    REQUIRE(ruleset >= 0, ERROR_IO, errno);
    result r = fill_and_enforce(ruleset, rules.handled_access_fs, paths, count);
    os_close(&ruleset);
    return r;
}

bool os_has_landlock(void)
{
#ifdef OS_UNCONFINED
    return false;
#else
    return landlock_version() >= 1;
#endif
}

result os_confine(enum os_role role, const struct os_access *paths, size_t count)
{
#ifdef OS_UNCONFINED
    (void)role, (void)paths, (void)count;
    return OK;
#else
    TRY(confine_files(paths, count)); /* first: its calls are on no role's list */
    return confine_syscalls(role);
#endif
}
