#include "os/os.h"
#include "support.h"
#include <errno.h>
#include <sys/stat.h>

#define BLOCK OS_DIRECT_ALIGN

/* Once where builds live (usually a disk) and once in memory, where O_DIRECT may be refused. */
static const char *const places[] = {".", "/dev/shm"};
static char path[128];

static uint8_t *block_of(uint8_t byte, size_t blocks)
{
    uint8_t *p = os_aligned_alloc(blocks * BLOCK);
    assert_non_null(p);
    memset(p, byte, blocks * BLOCK);
    return p;
}

/* What the file holds, read in the plain way. */
static uint8_t byte_at(uint64_t offset)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)offset, SEEK_SET), 0);
    int c = fgetc(f);
    fclose(f);
    assert_true(c >= 0);
    return (uint8_t)c;
}

static void choose_path(size_t place)
{
    snprintf(path, sizeof path, "%s/gate1367-direct-%d", places[place], (int)getpid());
    unlink(path);
}

static void write_and_read_back(struct os_direct *d)
{
    uint8_t *data = block_of('x', 2), *back = block_of(0, 8);
    size_t got;
    assert_ok(os_direct_write(d, data, 2 * BLOCK, BLOCK));
    assert_ok(os_direct_read(d, back, 8 * BLOCK, 0, &got));
    assert_int_equal(got, 4 * BLOCK);
    for (size_t i = 0; i < 4 * BLOCK; i++)
        assert_int_equal(back[i], i >= BLOCK && i < 3 * BLOCK ? 'x' : 0);
    assert_ok(os_direct_read(d, back, BLOCK, 4 * BLOCK, &got));
    assert_int_equal(got, 0);
    os_aligned_free(data);
    os_aligned_free(back);
}

static void test_create_write_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        choose_path(i);
        struct os_direct d;
        assert_ok(os_direct_create(path, 4 * BLOCK, &d));
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, 4 * BLOCK);
        assert_int_equal(st.st_mode & 07777, 0600);
        write_and_read_back(&d);
        os_direct_close(&d);
        result r = os_direct_create(path, BLOCK, &d);
        assert_int_equal(r.code, EEXIST);
        uint64_t size;
        assert_ok(os_direct_open(path, false, &d, &size));
        assert_int_equal(size, 4 * BLOCK);
        os_direct_close(&d);
        unlink(path);
    }
}

/* Every failure is reported, and what it leaves on disk is what the switch says. */
static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        choose_path(i);
        struct os_direct d;
        size_t got;
        assert_ok(os_direct_create(path, 4 * BLOCK, &d));
        uint8_t *data = block_of('y', 4);
        fault_arm("write", 1);
        assert_int_equal(os_direct_write(&d, data, 4 * BLOCK, 0).code, EIO);
        fault_arm("write", 0);
        assert_int_equal(byte_at(0), 0);
        fault_arm("short-write", 1);
        assert_int_equal(os_direct_write(&d, data, 4 * BLOCK, 0).code, OS_SHORT_WRITE);
        fault_arm("short-write", 0);
        assert_int_equal(byte_at(2 * BLOCK - 1), 'y');
        assert_int_equal(byte_at(2 * BLOCK), 0);
        fault_arm("fsync", 1);
        assert_int_equal(os_direct_write(&d, data, 4 * BLOCK, 0).code, EIO);
        fault_arm("fsync", 0);
        assert_int_equal(byte_at(2 * BLOCK), 'y');
        fault_arm("read", 1);
        assert_int_equal(os_direct_read(&d, data, BLOCK, 0, &got).code, EIO);
        fault_arm("read", 0);
        os_aligned_free(data);
        os_direct_close(&d);
        unlink(path);
    }
}

static void test_failed_creation_leaves_no_file(void **state)
{
    (void)state;
    choose_path(0);
    static const char *const points[] = {"write", "fsync", "malloc", "fsync-file"};
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct os_direct d;
        fault_arm(points[i], 1);
        result r = os_direct_create(path, 4 * BLOCK, &d);
        fault_arm(points[i], 0);
        assert_false(is_ok(r));
        assert_int_equal(d.fd, -1);
        assert_false(os_exists(path));
    }
}

static bool rest_twice(void *ctx)
{
    unsigned *asked = ctx;
    return ++*asked <= 2;
}

/* Small steps first, then large ones, over a length that is a multiple of neither. */
static void test_gentle_creation_makes_the_same_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        choose_path(i);
        struct os_direct d;
        struct stat st;
        unsigned asked = 0;
        assert_ok(os_direct_create_gently(path, 600 * BLOCK, rest_twice, &asked, &d));
        assert_int_equal(asked, 2 + 3); /* 64 KiB twice; then 1 MiB, 1 MiB, the rest */
        assert_int_equal(fstat(d.fd, &st), 0);
        assert_int_equal(st.st_size, 600 * BLOCK);
        for (size_t at = 0; at < 600 * BLOCK; at += BLOCK)
            assert_int_equal(byte_at(at), 0);
        os_direct_close(&d);
        unlink(path);
    }
}

static void fill_with(uint8_t byte, size_t blocks)
{
    struct os_direct d;
    uint8_t *data = block_of(byte, blocks);
    assert_ok(os_direct_create(path, blocks * BLOCK, &d));
    assert_ok(os_direct_write(&d, data, blocks * BLOCK, 0));
    os_direct_close(&d);
    os_aligned_free(data);
}

static void test_refilling_leaves_zeros_in_the_same_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        choose_path(i);
        struct os_direct d;
        uint64_t size;
        unsigned asked = 0;
        fill_with('x', 70);
        assert_ok(os_direct_open(path, false, &d, &size));
        assert_int_equal(os_direct_refill_gently(path, 71 * BLOCK, rest_twice, &asked).code, OS_NOT_A_FILE);
        assert_int_equal(byte_at(0), 'x');
        assert_ok(os_direct_refill_gently(path, 70 * BLOCK, rest_twice, &asked));
        for (size_t at = 0; at < 70 * BLOCK; at += BLOCK)
            assert_int_equal(byte_at(at), 0);
        assert_true(os_direct_is_at(&d, path));
        unlink(path);
        assert_false(os_direct_is_at(&d, path));
        fill_with('y', 1);
        assert_false(os_direct_is_at(&d, path));
        os_direct_close(&d);
        unlink(path);
    }
}

static void test_gentle_removal(void **state)
{
    (void)state;
    struct os_direct d;
    struct stat st;
    choose_path(0);
    assert_ok(os_direct_create(path, 900 * BLOCK, &d));
    assert_ok(os_remove_gently(path));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(fstat(d.fd, &st), 0);
    assert_int_equal(st.st_size, 900 * BLOCK - 3 * 1024 * 1024); /* a MiB at a time, and the rest with the name */
    os_direct_close(&d);
    assert_ok(os_remove_gently(path)); /* there is none */
}

/* Ends in the middle of a block, as the files that others wrote do. */
static void test_gentle_reading_reads_the_same(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 3 * 65536, 200000};
    uint8_t *back = block_of(0, 64);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct os_direct d;
        uint64_t size;
        size_t got;
        choose_path(0);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        for (size_t at = 0; at < sizes[i]; at++)
            fputc((int)(at * 131 >> 4 & 255), f);
        fclose(f);
        assert_ok(os_direct_open(path, false, &d, &size));
        assert_ok(os_direct_read_gently(&d, back, 64 * BLOCK, 0, &got));
        assert_int_equal(got, sizes[i]);
        for (size_t at = 0; at < got; at++)
            assert_int_equal(back[at], at * 131 >> 4 & 255);
        os_direct_close(&d);
        unlink(path);
    }
    os_aligned_free(back);
}

static void write_askew(void *ctx)
{
    const struct os_direct *d = ctx;
    uint8_t *data = os_aligned_alloc(BLOCK);
    result r = os_direct_write(d, data, 100, 0);
    _exit(is_ok(r) ? 1 : 2);
}

static void test_alignment_is_our_own_duty(void **state)
{
    (void)state;
    struct os_direct d = {-1, true};
    assert_true(aborts(write_askew, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_write_read),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_failed_creation_leaves_no_file),
        cmocka_unit_test(test_gentle_creation_makes_the_same_file),
        cmocka_unit_test(test_refilling_leaves_zeros_in_the_same_file),
        cmocka_unit_test(test_gentle_removal),
        cmocka_unit_test(test_gentle_reading_reads_the_same),
        cmocka_unit_test(test_alignment_is_our_own_duty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
