/* GB/s of the JSON reader over generated person lists, events included, at each level of this processor, beside memcpy
 * of the same bytes; the cost of a short body. */
#include "doc/doc.h"

#include <stdlib.h>
#include <time.h>

#define TARGET (1200 * 1000)
#define EVENTS 1024

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint32_t roll(uint32_t sides)
{
    static uint64_t seed = 42;
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

static size_t put_person(char *out, size_t room, bool pretty, unsigned id)
{
    static const char *const given[] = {
        "Maria", "Li", "Ana Sof\xC3\xAD\x61", "John", "Oleksandr", "Fatima", "Thi Hoa", "B"};
    static const char *const family[] = {
        "Garcia", "Wang", "L\xC3\xB3pez", "Smith", "Kovalenko", "Hassan", "Nguyen", "Ng"};
    static const char *const status[] = {"LPR", "USC", "F1", "H1B", "PENDING"};
    const char *n = pretty ? "\n      " : "", *s = pretty ? " " : "";
    int len = snprintf(out, room,
        "%s{%s\"personId\":%s%u,%s\"givenName\":%s\"%s\",%s\"familyName\":%s\"%s\",%s\"dateOfBirth\":%s\"19%02u-%02u-%"
        "02u\","
        "%s\"aNumber\":%s\"A%03u-%03u-%03u\",%s\"receipt\":%s\"EAC%010u\",%s\"status\":%s\"%s\",%s\"active\":%s%s,"
        "%s\"address\":%s{%s\"street\":%s\"%u Oak Street Apt %u\",%s\"city\":%s\"Springfield\",%s\"zip\":%s\"%05u\"%s},"
        "%s\"notes\":%s\"Interviewed on 2024-%02u-%02u; file complete, nothing to add.\"%s}",
        pretty ? "\n    " : "", n, s, 90000000 + id, n, s, given[roll(8)], n, s, family[roll(8)], n, s, roll(90),
        1 + roll(12), 1 + roll(28), n, s, roll(300), roll(1000), roll(1000), n, s, roll(1u << 31), n, s,
        status[roll(5)], n, s, roll(2) ? "true" : "false", n, s, n, s, roll(9999), roll(99), n, s, n, s, roll(99999), n,
        n, s, 1 + roll(12), 1 + roll(28), pretty ? "\n    " : "");
    return (size_t)len;
}

static size_t put_list(char *out, size_t room, bool pretty)
{
    size_t len = (size_t)snprintf(out, room, "{\"total\":3000,\"items\":[");
    for (unsigned id = 0; len < TARGET; id++) {
        if (id > 0) out[len++] = ',';
        len += put_person(out + len, room - len, pretty, id);
    }
    return len + (size_t)snprintf(out + len, room - len, pretty ? "\n  ]\n}\n" : "]}");
}

static size_t put_lines(char *out, size_t room)
{
    size_t len = 0;
    for (unsigned id = 0; len < TARGET; id++) {
        len += put_person(out + len, room - len, false, id);
        out[len++] = '\n';
    }
    return len;
}

static size_t read_whole(struct doc_reader *r, enum doc_format format, const char *body, size_t len, size_t *events)
{
    static struct doc_event out[EVENTS];
    struct doc_window w = {0, (const uint8_t *)body, len, true, 0};
    enum doc_status status;
    size_t count;
    *events = 0;
    doc_reader_reset(r, format, &(struct doc_limits){.depth = 256});
    do {
        status = doc_reader_next(r, &w, out, EVENTS, &count);
        *events += count;
    } while (status == DOC_FULL);
    ASSERT(status == DOC_COMPLETE);
    return len;
}

static double best_of(
    struct doc_reader *r, enum doc_format format, const char *body, size_t len, int rounds, size_t *events)
{
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        double start = now();
        read_whole(r, format, body, len, events);
        double took = now() - start;
        if (took < best) best = took;
    }
    return best;
}

static void measure(const char *what, enum doc_format format, const char *body, size_t len)
{
    static const char *const names[] = {"portable", "avx2", "avx512"};
    char *copy = malloc(len);
    double best = 1e9;
    for (int i = 0; i < 200; i++) {
        double start = now();
        memcpy(copy, body, len);
        __asm__ volatile("" : : "r"(copy) : "memory");
        double took = now() - start;
        if (took < best) best = took;
    }
    printf("%-8s %8zu bytes  memcpy %6.2f GB/s", what, len, (double)len / best / 1e9);
    for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
        struct doc_reader *r = doc_reader_new((enum cpu_level)level);
        size_t events;
        best = best_of(r, format, body, len, 300, &events);
        printf(
            "   %s %5.2f GB/s (%.1f ns an event)", names[level], (double)len / best / 1e9, best * 1e9 / (double)events);
        doc_reader_free(r);
    }
    printf("\n");
    free(copy);
}

/* A short body, many times: what a reset and a start cost. */
static void measure_short(char *body, size_t len)
{
    struct doc_reader *r = doc_reader_new(cpu_level());
    size_t events;
    double start = now();
    for (int i = 0; i < 100000; i++)
        read_whole(r, DOC_JSON, body, len, &events);
    double whole = (now() - start) / 100000;
    start = now();
    for (int i = 0; i < 100000; i++) /* the first reset forgets the names, the others find none */
        doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 256});
    printf("short    %8zu bytes  %.0f ns a body (%.2f GB/s), %.0f ns an empty reset\n", len, whole * 1e9,
        (double)len / whole / 1e9, (now() - start) / 100000 * 1e9);
    doc_reader_free(r);
}

int main(void)
{
    size_t room = TARGET + 8192;
    char *body = malloc(room);
    ASSERT(body != NULL);
    measure("compact", DOC_JSON, body, put_list(body, room, false));
    measure("pretty", DOC_JSON, body, put_list(body, room, true));
    measure("ndjson", DOC_NDJSON, body, put_lines(body, room));
    size_t len = (size_t)snprintf(body, room, "{\"total\":3,\"items\":[");
    for (unsigned id = 0; id < 3; id++) {
        if (id > 0) body[len++] = ',';
        len += put_person(body + len, room - len, false, id);
    }
    len += (size_t)snprintf(body + len, room - len, "]}");
    measure_short(body, len);
    free(body);
    return 0;
}
