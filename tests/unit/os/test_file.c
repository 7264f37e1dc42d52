#include "os/os.h"
#include "support.h"
#include <errno.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

static char dir[64];

static const char *at(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/gate1367-os-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static result remove_name(void *ctx, const char *name)
{
    (void)ctx;
    unlink(at(name));
    rmdir(at(name));
    return OK;
}

static int remove_dir(void **state)
{
    (void)state;
    if (!is_ok(os_list_dir(dir, remove_name, NULL))) return -1;
    return rmdir(dir);
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_content(const char *path, const char *want)
{
    char text[256];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static void assert_error(result r, enum error_class class, int code)
{
    assert_string_equal(error_class_name(r.class), error_class_name(class));
    assert_int_equal(r.code, code);
}

static void test_read_file(void **state)
{
    (void)state;
    struct buf b;
    put(at("a"), "hello", 0644);
    assert_ok(os_read_file(at("a"), 5, &b));
    assert_span(buf_span(&b), "hello");
    buf_free(&b);
    assert_error(os_read_file(at("a"), 4, &b), ERROR_LIMIT, OS_TOO_LARGE);
    assert_int_equal(buf_len(&b), 0);
    assert_error(os_read_file(at("missing"), 4, &b), ERROR_IO, ENOENT);
    assert_error(os_read_file(dir, 4, &b), ERROR_IO, EISDIR);
    put(at("empty"), "", 0644);
    assert_ok(os_read_file(at("empty"), 0, &b));
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

/* /proc files say size 0 and pipes say nothing at all: the cap must hold for what is read. */
static void test_read_without_a_size(void **state)
{
    (void)state;
    struct buf b;
    assert_ok(os_read_file("/proc/self/status", 1 << 20, &b));
    assert_true(buf_len(&b) > 100);
    buf_free(&b);
    assert_error(os_read_file("/proc/self/status", 10, &b), ERROR_LIMIT, OS_TOO_LARGE);
    assert_error(os_read_file("/dev/zero", 1 << 20, &b), ERROR_LIMIT, OS_TOO_LARGE);
}

static void test_nth_read_fails(void **state)
{
    (void)state;
    struct buf b;
    put(at("a"), "hello", 0644);
    for (uint64_t n = 1;; n++) {
        fault_arm("read-file", n);
        result r = os_read_file(at("a"), 100, &b);
        bool hit = fault_count("read-file") >= n;
        fault_arm("read-file", 0);
        assert_int_equal(is_ok(r), !hit);
        buf_free(&b);
        if (!hit) return;
        assert_error(r, ERROR_IO, EIO);
    }
}

static void test_atomic_write(void **state)
{
    (void)state;
    put(at("a"), "old", 0644);
    assert_ok(os_write_atomic(at("a"), SPAN("new"), 0640));
    assert_content(at("a"), "new");
    struct stat st;
    assert_int_equal(stat(at("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_error(os_write_atomic(at("no/such/place"), SPAN("x"), 0600), ERROR_IO, ENOENT);
}

static result count_name(void *ctx, const char *name)
{
    (void)name;
    ++*(int *)ctx;
    return OK;
}

/* Each step fails once: the file then holds the old text or the new, and no temporary file is left. */
static void test_atomic_write_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    static const char *const points[] = {"write-file", "fsync-file"};
    int before = 0;
    put(at("a"), "old", 0644);
    assert_ok(os_list_dir(dir, count_name, &before));
    for (size_t p = 0; p < ARRAY_LEN(points); p++)
        for (uint64_t n = 1;; n++) {
            put(at("a"), "old", 0644);
            fault_arm(points[p], n);
            result r = os_write_atomic(at("a"), SPAN("new"), 0600);
            bool hit = fault_count(points[p]) >= n;
            fault_arm(points[p], 0);
            assert_int_equal(is_ok(r), !hit);
            int after = 0;
            assert_ok(os_list_dir(dir, count_name, &after));
            assert_int_equal(after, before);
            if (!hit) break;
            /* Only the last step, the directory's fsync, comes after the rename. */
            assert_content(at("a"), p == 1 && n == 2 ? "new" : "old");
        }
    assert_content(at("a"), "new");
}

/* The name stands at once; that it lasts is said later, and a failure then is not lost. */
static void test_a_file_synced_later(void **state)
{
    (void)state;
    char temporary[256], path[256];
    int fd = -1;
    struct stat st;
    snprintf(temporary, sizeof temporary, "%s", at("later.new"));
    snprintf(path, sizeof path, "%s", at("later"));
    put(path, "old", 0644);
    assert_ok(os_write_unsynced(temporary, path, SPAN("new"), 0640, &fd));
    assert_content(path, "new");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_false(os_exists(temporary));
    assert_ok(os_sync_close(&fd));
    assert_int_equal(fd, -1);
    assert_ok(os_write_unsynced(temporary, path, SPAN("newer"), 0640, &fd));
    fault_arm("fsync-file", 1);
    assert_error(os_sync_close(&fd), ERROR_IO, EIO);
    fault_arm("fsync-file", 0);
    assert_int_equal(fd, -1);
    fault_arm("write-file", 1);
    assert_false(is_ok(os_write_unsynced(temporary, path, SPAN("newest"), 0640, &fd)));
    fault_arm("write-file", 0);
    assert_int_equal(fd, -1);
    assert_content(path, "newer");
    assert_error(os_write_unsynced(temporary, at("no/such/place"), SPAN("x"), 0600, &fd), ERROR_IO, ENOENT);
    assert_int_equal(fd, -1);
}

static void test_secrets(void **state)
{
    (void)state;
    struct buf b;
    assert_ok(os_secret_create(at("key"), SPAN("secret")));
    struct stat st;
    assert_int_equal(stat(at("key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(os_secret_read(at("key"), 100, &b));
    assert_span(buf_span(&b), "secret");
    buf_free(&b);
    assert_error(os_secret_create(at("key"), SPAN("other")), ERROR_IO, EEXIST);
    assert_content(at("key"), "secret");
    static const mode_t exposed[] = {0640, 0604, 0620, 0601, 0777};
    for (size_t i = 0; i < ARRAY_LEN(exposed); i++) {
        assert_int_equal(chmod(at("key"), exposed[i]), 0);
        assert_error(os_secret_read(at("key"), 100, &b), ERROR_CONFIG, OS_SECRET_EXPOSED);
    }
    assert_int_equal(chmod(at("key"), 0400), 0);
    if (chown(at("key"), geteuid() + 1, (gid_t)-1) == 0) { /* we are root, and still told whose it is */
        assert_error(os_secret_read(at("key"), 100, &b), ERROR_CONFIG, OS_SECRET_OTHERS);
        assert_int_equal(chown(at("key"), 0, (gid_t)-1), 0);
        assert_ok(os_secret_read(at("key"), 100, &b));
        buf_free(&b);
    }
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_error(os_secret_read(at("fifo"), 100, &b), ERROR_CONFIG, OS_NOT_A_FILE);
    assert_int_equal(symlink(at("nowhere"), at("link")), 0);
    assert_error(os_secret_create(at("link"), SPAN("x")), ERROR_IO, EEXIST);
    assert_false(os_exists(at("nowhere")));
}

/* An access control list as the kernel takes it: version 2, then tag, rights, id of each entry. */
struct listed {
    uint16_t tag, rights;
    uint32_t id;
};
enum { OWNER = 1, USER = 2, GROUP_OWNER = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static bool give_list(const char *path, const struct listed *entries, size_t count)
{
    uint8_t raw[256] = {2};
    memcpy(raw + 4, entries, count * sizeof *entries);
    return setxattr(path, "system.posix_acl_access", raw, 4 + count * sizeof *entries, 0) == 0;
}

/* What systemd hands to a service: root's file, a list that lets the service's user read, and mode 0440 for its mask. */
static void test_a_secret_listed_for_us_alone(void **state)
{
    (void)state;
    struct buf b;
    uint32_t us = geteuid(), none = UINT32_MAX;
    const struct {
        struct listed entries[6];
        size_t count;
        bool good;
        int code;
    } lists[] = {
        {{{OWNER, 4, none}, {USER, 4, us}, {GROUP_OWNER, 0, none}, {MASK, 4, none}, {OTHER, 0, none}}, 5, true, 0},
        {{{OWNER, 4, none}, {USER, 4, us + 1}, {GROUP_OWNER, 0, none}, {MASK, 4, none}, {OTHER, 0, none}}, 5, false, OS_SECRET_OTHERS},
        {{{OWNER, 4, none}, {USER, 6, us}, {GROUP_OWNER, 0, none}, {MASK, 6, none}, {OTHER, 0, none}}, 5, false, OS_SECRET_EXPOSED},
        {{{OWNER, 4, none}, {USER, 4, us}, {GROUP_OWNER, 4, none}, {MASK, 4, none}, {OTHER, 0, none}}, 5, false, OS_SECRET_EXPOSED},
        {{{OWNER, 4, none}, {USER, 4, us}, {GROUP_OWNER, 0, none}, {GROUP, 4, 1}, {MASK, 4, none}, {OTHER, 0, none}}, 6, false, OS_SECRET_EXPOSED},
        {{{OWNER, 4, none}, {USER, 4, us}, {GROUP_OWNER, 0, none}, {MASK, 4, none}, {OTHER, 4, none}}, 5, false, OS_SECRET_EXPOSED},
        {{{OWNER, 4, none}, {USER, 4, us}, {USER, 4, us + 1}, {GROUP_OWNER, 0, none}, {MASK, 4, none}, {OTHER, 0, none}}, 6, false, OS_SECRET_EXPOSED},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        unlink(at("listed"));
        assert_ok(os_secret_create(at("listed"), SPAN("secret")));
        if (!give_list(at("listed"), lists[i].entries, lists[i].count)) {
            assert_int_equal(errno, ENOTSUP);
            print_message("no access control lists here\n");
            return;
        }
        struct stat st;
        assert_int_equal(stat(at("listed"), &st), 0);
        assert_true((st.st_mode & 077) != 0);
        result r = os_secret_read(at("listed"), 100, &b);
        assert_int_equal(is_ok(r), lists[i].good);
        if (lists[i].good) assert_span(buf_span(&b), "secret");
        else assert_error(r, ERROR_CONFIG, lists[i].code);
        buf_free(&b);
    }
}

/* As a child does that inherited the descriptor: wherever its offset stands. */
static void test_secret_by_descriptor(void **state)
{
    (void)state;
    struct buf b;
    int fd;
    unlink(at("key2"));
    assert_ok(os_secret_create(at("key2"), SPAN("secret")));
    assert_ok(os_secret_open(at("key2"), &fd));
    for (int i = 0; i < 2; i++) {
        assert_ok(os_read_fd(fd, 6, &b));
        assert_span(buf_span(&b), "secret");
        buf_free(&b);
    }
    assert_error(os_read_fd(fd, 5, &b), ERROR_LIMIT, OS_TOO_LARGE);
    os_close(&fd);
    assert_int_equal(fd, -1);
}

/* Nobody sees it until it has its name, and it never takes another's. */
static void test_a_file_without_a_name(void **state)
{
    (void)state;
    int fd;
    result r = os_create_nameless(at("named"), 0600, &fd);
    if (!is_ok(r)) {
        assert_error(r, ERROR_IO, EOPNOTSUPP);
        print_message("no files without names here\n");
        return;
    }
    assert_ok(os_write_all(fd, SPAN("content")));
    assert_false(os_exists(at("named")));
    assert_ok(os_give_name(fd, at("named")));
    os_close(&fd);
    assert_content(at("named"), "content");
    assert_ok(os_create_nameless(at("named"), 0600, &fd));
    assert_error(os_give_name(fd, at("named")), ERROR_IO, EEXIST);
    os_close(&fd);
    assert_content(at("named"), "content");
    assert_error(os_create_nameless(at("no/such"), 0600, &fd), ERROR_IO, ENOENT);
}

static void test_failed_secret_leaves_no_file(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        unlink(at("key3"));
        fault_arm("fsync-file", n);
        result r = os_secret_create(at("key3"), SPAN("secret"));
        bool hit = fault_count("fsync-file") >= n;
        fault_arm("fsync-file", 0);
        assert_int_equal(is_ok(r), !hit);
        assert_int_equal(os_exists(at("key3")), !hit);
        if (!hit) return;
    }
}

static void test_append(void **state)
{
    (void)state;
    int fd = open(at("journal"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_ok(os_append_durable(fd, SPAN("one\n")));
    fault_arm("short-write", 1);
    assert_error(os_append_durable(fd, SPAN("two\n")), ERROR_IO, OS_SHORT_WRITE);
    fault_arm("short-write", 0);
    assert_content(at("journal"), "one\ntw");
    fault_arm("fsync-file", 1);
    assert_error(os_append_durable(fd, SPAN("o\n")), ERROR_IO, EIO);
    fault_arm("fsync-file", 0);
    os_close(&fd);
}

static void test_lock(void **state)
{
    (void)state;
    int first, second;
    assert_ok(os_lock(at("LOCK"), &first));
    assert_error(os_lock(at("LOCK"), &second), ERROR_IO, EWOULDBLOCK);
    os_close(&first);
    assert_ok(os_lock(at("LOCK"), &second));
    os_close(&second);
}

static result join_name(void *ctx, const char *name)
{
    strncat(ctx, name, 20);
    return strcmp(name, "b") == 0 ? FAIL(ERROR_IO, 7) : OK;
}

/* The flag is the kernel's, as `chattr +T` sets it; what else was set stays. */
static void test_a_directory_whose_children_are_spread(void **state)
{
    int before = 0, after = 0;
    struct statfs fs;
    (void)state;
    os_spread_dir(at("nowhere"));
    assert_ok(os_make_dir(at("wide"), 0700));
    int fd = open(at("wide"), O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0 && fstatfs(fd, &fs) == 0);
    bool has_flags = ioctl(fd, FS_IOC_GETFLAGS, &before) == 0;
    os_spread_dir(at("wide"));
    if (has_flags) assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &after), 0);
    close(fd);
    if (!has_flags || fs.f_type != EXT4_SUPER_MAGIC) skip();
    assert_int_equal(after, before | FS_TOPDIR_FL);
}

static void test_directories(void **state)
{
    (void)state;
    assert_ok(os_make_dir(at("d"), 0700));
    assert_ok(os_make_dir(at("d"), 0700));
    put(at("file"), "", 0600);
    assert_error(os_make_dir(at("file"), 0700), ERROR_IO, ENOTDIR);
    put(at("d/c"), "", 0600);
    put(at("d/a"), "", 0600);
    put(at("d/b"), "", 0600);
    char names[64] = "";
    assert_error(os_list_dir(at("d"), join_name, names), ERROR_IO, 7);
    assert_string_equal(names, "ab");
    assert_ok(os_rename(at("d/b"), at("d/z")));
    names[0] = '\0';
    assert_ok(os_list_dir(at("d"), join_name, names));
    assert_string_equal(names, "acz");
    assert_ok(os_remove(at("d/z")));
    assert_ok(os_remove(at("d/z")));
    assert_ok(os_remove(at("d/a")));
    assert_ok(os_remove(at("d/c")));
}

static void test_map(void **state)
{
    (void)state;
    struct os_map m;
    put(at("a"), "mapped", 0644);
    assert_ok(os_map_file(at("a"), &m));
    assert_ok(os_write_atomic(at("a"), SPAN("x"), 0600));
    assert_span(span_of(m.ptr, m.len), "mapped");
    os_unmap(&m);
    put(at("empty"), "", 0644);
    assert_ok(os_map_file(at("empty"), &m));
    assert_null(m.ptr);
    os_unmap(&m);
    assert_error(os_map_file(dir, &m), ERROR_CONFIG, OS_NOT_A_FILE);
}

static void test_error_texts(void **state)
{
    (void)state;
    assert_string_equal(os_error_text(FAIL(ERROR_IO, ENOENT)), "No such file or directory");
    assert_string_equal(os_error_text(FAIL(ERROR_LIMIT, OS_TOO_LARGE)), "the file is larger than allowed");
    assert_string_equal(
        os_error_text(FAIL(ERROR_CONFIG, OS_BAD_ADDRESS)), "not an ADDRESS:PORT such as 127.0.0.1:8443 or [::1]:8443");
}

static void test_map_copy(void **state)
{
    (void)state;
    struct os_map m;
    put(at("a"), "twelve bytes", 0644);
    assert_ok(os_map_copy(at("a"), &m));
    int fd = open(at("a"), O_WRONLY | O_TRUNC); /* what would be SIGBUS behind a plain mapping */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "other", 5), 5);
    close(fd);
    assert_int_equal(m.len, 12);
    assert_memory_equal(m.ptr, "twelve bytes", 12);
    fd = open(at("a"), O_RDONLY);
    assert_int_equal(read(fd, (void *)(uintptr_t)m.ptr, 5), -1); /* the kernel may not write there either */
    assert_int_equal(errno, EFAULT);
    close(fd);
    pid_t child = fork(); /* who makes it writable changes what is his alone */
    if (child == 0) {
        uint8_t *p = (uint8_t *)(uintptr_t)m.ptr;
        _exit(mprotect(p, m.len, PROT_READ | PROT_WRITE) == 0 ? (p[0] = 'T', 0) : 0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_memory_equal(m.ptr, "twelve bytes", 12);
    os_unmap(&m);
    assert_error(os_map_copy(dir, &m), ERROR_CONFIG, OS_NOT_A_FILE);
    assert_error(os_map_copy(at("nowhere"), &m), ERROR_IO, ENOENT);
    assert_null(m.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_read_without_a_size),
        cmocka_unit_test(test_nth_read_fails),
        cmocka_unit_test(test_atomic_write),
        cmocka_unit_test(test_atomic_write_that_fails_leaves_the_old_file),
        cmocka_unit_test(test_a_file_synced_later),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_a_secret_listed_for_us_alone),
        cmocka_unit_test(test_secret_by_descriptor),
        cmocka_unit_test(test_a_file_without_a_name),
        cmocka_unit_test(test_failed_secret_leaves_no_file),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_a_directory_whose_children_are_spread),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_copy),
        cmocka_unit_test(test_error_texts),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
