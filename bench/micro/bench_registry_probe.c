/* The registry at size: bytes a key, and nanoseconds a look-up, misses and hits, in batches of 16 and one by one.
 *
 *   bench_registry_probe [--persons N] [--keys K] [--lookups N] [--image FILE] [--pages]
 *
 * Keys are A-numbers, receipt numbers, SSNs and person_ids of generated persons. Every look-up goes to another place of
 * the table (a cold set: at 10 million persons it is many times the cache). "floor" reads one random cache line of the
 * same table a look-up, prefetched in batches of 16, without hashing: what the memory alone costs. The image lies in
 * huge pages where the kernel has some, as in the gateway; with --pages in small ones. The image is kept in FILE and
 * taken from there the next time: making one of ten million persons takes minutes. */
#include "registry/registry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16

static uint64_t mix(uint64_t x)
{ /* splitmix64 (Steele, Lea, Flood 2014) */
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Time of this thread on a CPU: on a shared machine the clock on the wall counts others' work too. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The k-th key of person i, spelt canonically. Misses come from persons that do not exist. */
static void make_value(uint64_t i, unsigned k, char out[24])
{
    uint64_t x = mix(i * 64 + k);
    switch (k % 4) {
    case 0: snprintf(out, 24, "%09u", (unsigned)(x % 999999999 + 1)); break;
    case 1: snprintf(out, 24, "IOE%010llu", (unsigned long long)(x % 10000000000u)); break;
    case 2:
        snprintf(out, 24, "%03u%02u%04u", (unsigned)(x % 665 + 1), (unsigned)((x >> 16) % 99 + 1),
            (unsigned)((x >> 32) % 9999 + 1));
        break;
    default: snprintf(out, 24, "%llu", (unsigned long long)(10000000 + x % 9000000000u)); break;
    }
}
static const enum registry_kind kinds[4] = {
    REGISTRY_ALIEN_NUMBER, REGISTRY_RECEIPT_NUMBER, REGISTRY_SSN, REGISTRY_PERSON_ID};

static void die(const char *what)
{
    fprintf(stderr, "bench_registry_probe: %s\n", what);
    exit(2);
}

static void add_person(struct registry_builder *b, uint64_t i, unsigned keys)
{
    static const char *const names[] = {"alien_number", "receipt_number", "ssn", "person_id"};
    char line[4096], value[24];
    int n = snprintf(line, sizeof line, "{\"subject\":\"S%llu\",\"cases\":[{\"status\":\"pending\"}],\"identifiers\":[",
        (unsigned long long)i);
    for (unsigned k = 0; k < keys; k++) {
        make_value(i, k, value);
        n += snprintf(line + n, sizeof line - (size_t)n, "%s{\"kind\":\"%s\",\"value\":\"%s\"%s}", k ? "," : "",
            names[k % 4], value, k % 4 == 3 ? ",\"system\":\"earm\"" : "");
    }
    n += snprintf(line + n, sizeof line - (size_t)n, "]}");
    if (!is_ok(registry_builder_line(b, "bench", 1, span_of(line, (size_t)n)))) die("source line");
}

struct queries {
    char (*text)[24];
    struct registry_key *keys;
    size_t n;
};
static struct queries make_queries(size_t n, uint64_t persons, unsigned keys, uint64_t first)
{
    struct queries q = {mem_array(n, 24), mem_array(n, sizeof *q.keys), n};
    if (!q.text || !q.keys) die("out of memory");
    uint32_t system = registry_system_id(SPAN("earm"));
    for (size_t i = 0; i < n; i++) {
        uint64_t person = first + mix(~(uint64_t)i) % persons;
        unsigned k = (unsigned)(mix(i) % keys);
        make_value(person, k, q.text[i]);
        q.keys[i] = (struct registry_key){kinds[k % 4], k % 4 == 3 ? system : 0, span_str(q.text[i])};
    }
    return q;
}

#define WINDOW 1024
#define ROUNDS 7

/* Candidates come from a document that was just read, so that they are in the cache and the table is not: the window is
 * touched before the clock starts. */
static uint64_t touch(const struct queries *q, size_t from, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = from; i < from + n; i++)
        sum += q->keys[i].canonical.ptr[0] + q->keys[i].canonical.len;
    return sum;
}

static double measure_round(const struct registry *r, const struct queries *q, size_t batch, uint64_t *found)
{
    static struct registry_hit hits[WINDOW];
    uint64_t sum = 0;
    double took = 0;
    *found = 0;
    for (size_t i = 0; i + WINDOW <= q->n; i += WINDOW) {
        sum += touch(q, i, WINDOW);
        double start = cpu_seconds();
        for (size_t j = 0; j < WINDOW; j += batch)
            registry_probe(r, q->keys + i + j, batch, hits + j);
        took += cpu_seconds() - start;
        for (size_t j = 0; j < WINDOW; j++)
            *found += hits[j].protected_;
    }
    return sum == 0 ? 0 : took;
}

/* The same by registry_any(), messages included. */
static double any_round(const struct registry *r, const struct queries *q, size_t batch, uint64_t *found)
{
    static struct registry_asks asks;
    struct registry_head heads[REGISTRY_KIND_COUNT];
    uint64_t sum = 0;
    double took = 0;
    *found = 0;
    for (unsigned k = 0; k < 4; k++)
        heads[kinds[k]] = registry_ask_head(kinds[k], k == 3 ? registry_system_id(SPAN("earm")) : 0);
    for (size_t i = 0; i + WINDOW <= q->n; i += WINDOW) {
        sum += touch(q, i, WINDOW);
        double start = cpu_seconds();
        for (size_t j = 0; j < WINDOW; j += batch) {
            for (const struct registry_key *k = q->keys + i + j, *end = k + batch; k < end; k++)
                registry_ask_short(&asks, heads[k->kind], k->canonical.ptr, k->canonical.len);
            *found += (unsigned)__builtin_popcountll(registry_any(r, &asks));
            registry_asks_empty(&asks);
        }
        took += cpu_seconds() - start;
    }
    return sum == 0 ? 0 : took;
}

typedef double round_fn(const struct registry *r, const struct queries *q, size_t batch, uint64_t *found);

/* The best of the rounds: what others do on the machine only ever adds. A round goes to more lines than caches hold. */
static void measure(const struct registry *r, const struct queries *q, size_t batch, const char *name, round_fn *once)
{
    uint64_t found = 0;
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double took = once(r, q, batch, &found);
        if (took < best) best = took;
    }
    size_t n = q->n / WINDOW * WINDOW;
    printf("%-26s %7.1f ns a look-up   (%.2f %% found)\n", name, best * 1e9 / (double)n,
        100.0 * (double)found / (double)n);
}

static double floor_round(span image, size_t n, uint64_t *sum)
{
    uint64_t lines = image.len / 64;
    double start = cpu_seconds();
    for (size_t i = 0; i + BATCH <= n; i += BATCH) {
        for (size_t j = 0; j < BATCH; j++)
            __builtin_prefetch(image.ptr + mix(i + j) % lines * 64);
        for (size_t j = 0; j < BATCH; j++)
            *sum += image.ptr[mix(i + j) % lines * 64];
    }
    return cpu_seconds() - start;
}

static void measure_floor(span image, size_t n)
{
    uint64_t sum = 0;
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double took = floor_round(image, n, &sum);
        if (took < best) best = took;
    }
    printf("%-26s %7.1f ns a line      (sum %llu)\n", "floor, batch 16", best * 1e9 / (double)n,
        (unsigned long long)sum % 10);
}

static span copy_huge(span image)
{
    size_t size = (image.len + 4095) / 4096 * 4096 + (2 << 20);
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) die("mmap");
    p = (uint8_t *)(((uintptr_t)p + (2 << 20) - 1) & ~(uintptr_t)((2 << 20) - 1));
    madvise(p, size - (2 << 20), MADV_HUGEPAGE);
    memcpy(p, image.ptr, image.len);
    return span_of(p, image.len);
}

static span copy_pages(span image)
{
    uint8_t *p = mmap(NULL, image.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) die("mmap");
    madvise(p, image.len, MADV_NOHUGEPAGE);
    memcpy(p, image.ptr, image.len);
    return span_of(p, image.len);
}

/* NULL: there is none yet. */
static const uint8_t *map_file(const char *path, size_t *len)
{
    struct stat st;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &st) != 0) return NULL;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED) die("the image cannot be mapped");
    *len = (size_t)st.st_size;
    return p;
}

static void keep_file(const char *path, span image)
{
    FILE *f = path ? fopen(path, "wb") : NULL;
    if (!path) return;
    if (!f || fwrite(image.ptr, 1, image.len, f) != image.len || fclose(f) != 0) die("the image cannot be kept");
}

static uint64_t option(int argc, char **argv, const char *name, uint64_t fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return strtoull(argv[i + 1], NULL, 10);
    return fallback;
}

static const char *text_option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return NULL;
}

typedef span copy_fn(span image);

static span build_image(uint64_t persons, unsigned keys, const uint8_t key[32], const char *file, copy_fn *copy)
{
    struct problems *p = problems_new();
    struct registry_builder *b = registry_builder_new(key, p);
    span built;
    if (!b) die("out of memory");
    double start = seconds();
    for (uint64_t i = 0; i < persons; i++)
        add_person(b, i, keys);
    double collected = seconds();
    if (!is_ok(registry_builder_finish(b, 0, 0, &built))) die("build failed");
    double finished = seconds();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("collect %.1f s  place and seal %.1f s  peak memory %.0f MB\n", collected - start, finished - collected,
        (double)usage.ru_maxrss / 1024);
    keep_file(file, built);
    span image = copy(built);
    registry_builder_free(b);
    problems_free(p);
    return image;
}

int main(int argc, char **argv)
{
    uint64_t persons = option(argc, argv, "--persons", 1000000);
    unsigned keys = (unsigned)option(argc, argv, "--keys", 4);
    size_t lookups = option(argc, argv, "--lookups", 2000000), len = 0;
    const char *file = text_option(argc, argv, "--image");
    copy_fn *copy = argc > 1 && strcmp(argv[argc - 1], "--pages") == 0 ? copy_pages : copy_huge;
    uint8_t key[32] = {7};
    struct registry *r;
    if (persons == 0 || keys == 0 || keys > 24)
        die("usage: [--persons N] [--keys 1-24] [--lookups N] [--image FILE] [--pages]");
    const uint8_t *kept = map_file(file, &len);
    span image = kept ? copy(span_of(kept, len)) : build_image(persons, keys, key, file, copy);
    double opening = seconds();
    if (!is_ok(registry_open(image, key, NULL, &r))) die("open failed");
    double opened = seconds();
    struct registry_info info;
    registry_info(r, &info);
    printf("persons %llu  keys %llu  image %.1f MB  %.2f bytes a key\n", (unsigned long long)persons,
        (unsigned long long)info.keys, (double)info.bytes / 1e6, (double)info.bytes / (double)info.keys);
    printf("open %.3f s\n", opened - opening);
    struct queries misses = make_queries(lookups, persons * 8, keys, persons),
                   found = make_queries(lookups, persons, keys, 0);
    measure_floor(image, lookups);
    measure(r, &misses, BATCH, "miss, batch 16", measure_round);
    measure(r, &found, BATCH, "hit, batch 16", measure_round);
    measure(r, &misses, BATCH, "miss, any of 16", any_round);
    measure(r, &misses, REGISTRY_ASKS, "miss, any of 64", any_round);
    measure(r, &found, REGISTRY_ASKS, "hit, any of 64", any_round);
    measure(r, &misses, WINDOW, "miss, 1024 a call", measure_round);
    measure(r, &found, WINDOW, "hit, 1024 a call", measure_round);
    measure(r, &misses, 1, "miss, one by one", measure_round);
    measure(r, &found, 1, "hit, one by one", measure_round);
    registry_close(r);
    return 0;
}
