/* The request and response suites of other parsers, at the level of the readers: each vector whole, byte by byte, split
 * at each CRLF and at each single place, judged by the strict verdict of its manifest.
 *
 * "Forwarded" here means that a message was read to its end; what would have been sent on is in the notes. */
//= RFC9112 2.2
//= RFC9112 3
//= RFC9112 5.1
//= RFC9112 5.2
//= RFC9112 6.1
//= RFC9112 6.3
//= RFC9112 7.1.1
//= RFC9110 6.5.1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>

#include "http/drive.h"

#ifndef SOURCE_DIR
#define SOURCE_DIR "."
#endif

/* The contract takes no other stand than the labels on any of these vectors. Where a verdict leaves a choice (EITHER),
 * it is: unknown methods go on, another version is 505, Upgrade and CONNECT are refused, names with an underscore and
 * trailers are dropped, a body on GET and leading zeros of a length are taken. */
static char root[512];

static bool find_suites(void)
{
    const char *set = getenv("GATE1367_SUITES");
    struct stat st;
    if (set)
        snprintf(root, sizeof root, "%s", set);
    else
        snprintf(root, sizeof root, "%s/../shared/suites", SOURCE_DIR);
    return stat(root, &st) == 0;
}

static span read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    uint8_t *p = malloc((size_t)n + 1);
    assert_int_equal(fread(p, 1, (size_t)n, f), n);
    fclose(f);
    return span_of(p, (size_t)n);
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* NULL: as the verdict says; else what is wrong. */
static const char *judge(const struct drive *d, const char *verdict)
{
    if (is(verdict, "FORWARD") || is(verdict, "PASS"))
        return d->complete >= 1 && !d->bad ? NULL : "a good message was not read";
    if (is(verdict, "REJECT") || is(verdict, "WITHHOLD"))
        return d->complete == 0 ? NULL : "a bad message was read to its end";
    if (is(verdict, "INCOMPLETE") || is(verdict, "ABORT"))
        return d->complete == 0 ? NULL : "half a message was taken for one";
    if (is(verdict, "FIRST-ONLY")) return d->complete == 1 ? NULL : "not exactly the first message was read";
    if (is(verdict, "EITHER")) return NULL;
    return "unknown verdict";
}

static size_t cut_each(span s, size_t *cuts)
{
    for (size_t i = 0; i + 1 < s.len; i++)
        cuts[i] = i + 1;
    return s.len > 0 ? s.len - 1 : 0;
}

static size_t cut_lines(span s, size_t *cuts)
{
    size_t n = 0;
    for (size_t i = 1; i < s.len; i++)
        if (s.ptr[i] == '\n' && s.ptr[i - 1] == '\r' && i + 1 < s.len) cuts[n++] = i + 1;
    return n;
}

static void compare(const char *file, const struct drive *whole, struct drive cut, const char *how)
{
    if (!is(whole->notes, cut.notes)) fail_msg("%s: %s\n--- whole\n%s--- cut\n%s", file, how, whole->notes, cut.notes);
    free(cut.notes);
}

static struct drive run_vector(const char *file, span s, bool response)
{
    const struct http_limits *l = &HTTP_LIMITS_DEFAULT;
    size_t *cuts = malloc((s.len + 1) * sizeof *cuts);
    struct drive whole = drive_stream(s, response, NULL, 0, l);
    compare(file, &whole, drive_stream(s, response, cuts, cut_each(s, cuts), l), "byte by byte");
    compare(file, &whole, drive_stream(s, response, cuts, cut_lines(s, cuts), l), "split at each CRLF");
    for (size_t at = 1; at < s.len && s.len < 3000; at++)
        compare(file, &whole, drive_stream(s, response, &at, 1, l), "split in two");
    free(cuts);
    return whole;
}

static unsigned judge_row(const char *suite, char *row, unsigned *vectors)
{
    char *columns[5] = {0}, *save = NULL, path[6000], name[5000];
    columns[0] = row;
    for (int i = 1; i < 5; i++) {
        char *tab = strchr(columns[i - 1], '\t');
        if (!tab) return 0;
        *tab = '\0';
        columns[i] = tab + 1;
    }
    strtok_r(columns[4], "\t\n", &save);
    snprintf(path, sizeof path, "%s/%s/%s", root, suite, columns[0]);
    snprintf(name, sizeof name, "%s/%s", suite, columns[0]);
    span s = read_file(path);
    struct drive d = run_vector(name, s, is(columns[1], "response"));
    const char *wrong = judge(&d, columns[3]);
    if (wrong) printf("%s: %s, flags %s: %s\n%s", name, columns[3], columns[4], wrong, d.notes);
    ++*vectors;
    free(d.notes);
    free((void *)(uintptr_t)s.ptr);
    return wrong != NULL;
}

static void run_suite(const char *suite, unsigned expected)
{
    char path[1024], row[4096];
    unsigned wrong = 0, vectors = 0;
    if (!find_suites()) skip();
    snprintf(path, sizeof path, "%s/%s/manifest.tsv", root, suite);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(row, sizeof row, f));
    while (fgets(row, sizeof row, f))
        wrong += judge_row(suite, row, &vectors);
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_int_equal(vectors, expected);
}

static void test_llhttp(void **state)
{
    (void)state;
    run_suite("http1-llhttp", 246);
}
static void test_pico(void **state)
{
    (void)state;
    run_suite("http1-pico", 107);
}
static void test_gunicorn(void **state)
{
    (void)state;
    run_suite("http1-gunicorn", 137);
}
static void test_desync_guardian(void **state)
{
    (void)state;
    run_suite("http1-desync-guardian", 158);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_llhttp),
        cmocka_unit_test(test_pico),
        cmocka_unit_test(test_gunicorn),
        cmocka_unit_test(test_desync_guardian),
    };
    if (!find_suites()) {
        printf("skipped: no suites at %s\n", root);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
