/* Which files there are. Links below a directory are not followed: a scan ends, and reads what was named. */
#include "cli/scan.h"

#include "os/os.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILES_MAX ((size_t)16 << 20)

static bool complain(const char *path, const char *why)
{
    fputs("gate1367 scan: ", stderr);
    scan_print_name(stderr, path);
    fprintf(stderr, ": %s\n", why);
    return false;
}

static bool add_file(struct scan *s, const char *path, const char *relative, uint64_t size)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct scan_file *files = room <= FILES_MAX ? mem_resize(s->files, room * sizeof(*files)) : NULL;
        if (files == NULL) return complain(path, "too many files for the memory there is");
        s->files = files;
        s->room = room;
    }
    struct scan_file *f = &s->files[s->count];
    *f = (struct scan_file){.path = mem_strdup(path), .relative = mem_strdup(relative), .reason = "", .condition = "", .size = size};
    s->count++;
    s->size += size;
    return (f->path != NULL && f->relative != NULL) || complain(path, "no memory");
}

#define PATH_ROOM 4096 /* longer ones cannot be opened */

struct below {
    struct scan *scan;
    const char *directory;
    size_t named; /* how much of a path below it is the directory that was named, and a slash */
};

static result add_below(void *ctx, const char *name);

/* What cannot be listed costs the scan that it is complete, not what else there is. */
static bool leave_out(struct scan *s, const char *path, int error)
{
    s->left_out++;
    (void)complain(path, os_error_text(FAIL(ERROR_IO, error)));
    return true;
}

static bool add_directory(struct scan *s, const char *path, size_t named)
{
    struct below b = {s, path, named};
    result r = os_list_dir(path, add_below, &b);
    if (is_ok(r) || r.class == ERROR_LIMIT) return is_ok(r);
    return r.code == ENOMEM ? complain(path, "no memory") : leave_out(s, path, r.code);
}

/* Room for paths: not on the stack, where the directories above wait. */
struct paths {
    char target[PATH_MAX], named[PATH_MAX], root[PATH_MAX];
};

/* What a link below the directory leads to is read where it stands, or is nowhere; only what is elsewhere would be left out. */
static bool leads_out(const struct below *b, const char *path)
{
    MEM_AUTO struct paths *p = mem_alloc(sizeof(*p));
    if (p == NULL) return true;
    if (realpath(path, p->target) == NULL) return errno != ENOENT && errno != ELOOP;
    int n = snprintf(p->named, sizeof(p->named), "%.*s", (int)b->named, path);
    if (n < 0 || (size_t)n >= sizeof(p->named) || realpath(p->named, p->root) == NULL) return true;
    span below = span_str(p->target), top = span_str(p->root);
    bool within = span_starts(below, top) && (below.len == top.len || below.ptr[top.len] == '/');
    return !within && !span_equal(top, SPAN("/"));
}

static bool pass_over(const struct below *b, const char *path, bool is_link)
{
    if (is_link && leads_out(b, path)) {
        b->scan->left_out++;
        return complain(path, "is a link that leads elsewhere and was not read; name it to have it read"), true;
    }
    return complain(path, is_link ? "is a link and not read" : "is no file and not read"), true;
}

/* No room for a path on the stack: a directory goes as deep as it likes. */
static result add_below(void *ctx, const char *name)
{
    const struct below *b = ctx;
    struct stat st;
    size_t room = strlen(b->directory) + strlen(name) + 2;
    MEM_AUTO char *path = mem_alloc(room);
    REQUIRE(path != NULL, ERROR_LIMIT, ENOMEM);
    snprintf(path, room, "%s/%s", b->directory, name);
    int error = room > PATH_ROOM ? ENAMETOOLONG : lstat(path, &st) != 0 ? errno : 0;
    bool good = true;
    if (error != 0) good = leave_out(b->scan, path, error);
    else if (S_ISREG(st.st_mode)) good = add_file(b->scan, path, path + b->named, (uint64_t)st.st_size);
    else if (S_ISDIR(st.st_mode)) good = add_directory(b->scan, path, b->named);
    else good = pass_over(b, path, S_ISLNK(st.st_mode));
    REQUIRE(good, ERROR_LIMIT, 0);
    return OK;
}

/* "export/" is told as "export/list.json", not with two slashes. */
static bool add_named_directory(struct scan *s, const char *path)
{
    size_t n = strlen(path);
    MEM_AUTO char *name = mem_strdup(path);
    if (name == NULL) return complain(path, "no memory");
    while (n > 1 && name[n - 1] == '/') name[--n] = '\0';
    return add_directory(s, name, n + 1);
}

bool scan_add(struct scan *s, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0) return add_file(s, path, "stdin", 0);
    if (stat(path, &st) != 0) return complain(path, os_error_text(FAIL(ERROR_IO, errno)));
    if (S_ISDIR(st.st_mode)) return add_named_directory(s, path);
    const char *slash = strrchr(path, '/');
    return add_file(s, path, slash == NULL ? path : slash + 1, (uint64_t)st.st_size);
}

static int compare_targets(const void *a, const void *b)
{
    const struct scan_file *const *x = a, *const *y = b;
    return strcmp((*x)->relative, (*y)->relative);
}

bool scan_targets_differ(const struct scan *s)
{
    MEM_AUTO const struct scan_file **files = mem_alloc((s->count + 1) * sizeof(*files));
    bool differ = true;
    if (files == NULL) return complain(s->write, "no memory");
    for (size_t i = 0; i < s->count; i++) files[i] = &s->files[i];
    qsort(files, s->count, sizeof(*files), compare_targets);
    for (size_t i = 1; i < s->count; i++) {
        const struct scan_file *a = files[i - 1], *b = files[i];
        if (strcmp(a->relative, b->relative) != 0) continue;
        (void)complain(a->path, "and");
        differ = complain(b->path, "would be written to the same file; name the directory that holds both, or scan them one by one");
    }
    return differ;
}

void scan_free_files(struct scan *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct scan_file *f = &s->files[i];
        mem_free(f->path);
        mem_free(f->relative);
        mem_free(f->why);
        mem_free(f->rules);
        json_decref(f->places);
    }
    mem_free(s->files);
}
