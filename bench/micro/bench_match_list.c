/* GB/s of reader and matcher together over a compact list of person records of about 1 KB (10-domain 3.1), against a
 * registry of many persons with four identifiers each, 1 % of the records protected; and where the time goes.
 *
 *   bench_match_list [--persons N] [--rules FILE] [--runs N] [--dump FILE] [--only match|reader]
 *                    [--body FILE] [--profile FILE] [--image FILE] [--pages]
 *
 * --only runs one part and nothing else, for a profiler; --body takes another document, up to 4 MB, --profile another pack,
 * whose first profile describes /api/persons and may hold examples of it. The index lies in huge pages where the kernel has some, as in
 * the gateway; with --pages, as the last option, in small ones. It is kept in FILE and taken from there the next time. */
#include "match/match.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define TARGET (1200 * 1000)
#define STEP ((size_t)64 * 1024)

static const char profile[] =
    "{\"format\":1,\"pack\":\"bench\",\"version\":\"1\",\"identifiers\":[],\"markers\":[],\"profiles\":[{\"id\":"
    "\"bench\","
    "\"title\":\"Bench\",\"system\":\"earm\",\"documents\":[{\"path\":\"/persons\",\"units\":[\"$.items[*]\","
    "\"$.items[*].associates[*]\"],\"keys\":{\"person_id\":[\"$.items[*].personId\"]},\"counts\":{\"$.total\":\"$."
    "items[*]\"},"
    "\"complete\":true,\"texts\":[\"$.items[*].narrative\"]}]}]}";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* shared machine: what others take is not ours */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t seed = 42;
static uint32_t roll(uint32_t sides)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

/* Everybody's identifiers follow from a number: the registry's persons are even, the list's others are odd. */
static uint32_t alien_of(uint32_t person)
{
    return 20000000 + (uint32_t)((uint64_t)person * 7919 % 480000000) * 2;
}
static uint32_t serial_of(uint32_t person)
{
    return (uint32_t)((uint64_t)person * 104729 % 100000000);
}

static size_t put_person(char *out, size_t room, uint32_t p, bool listed)
{
    static const char *const given[] = {"MARIA", "LI",
        ("ANA SOF\xC3\x8D"
         "A"),
        "JOHN", "OLEKSANDR", "FATIMA", "THI HOA", "JOSE"};
    static const char *const family[] = {"LOPEZ HERNANDEZ", "WANG",
        ("GARC\xC3\x8D"
         "A"),
        "SMITH", "KOVALENKO", "HASSAN", "NGUYEN", "NG"};
    uint32_t alien = alien_of(p) + !listed, person = 90000000 + 2 * p + !listed;
    int n = snprintf(out, room,
        "{\"personId\":%u,\"aNumber\":\"A %03u-%03u-%03u\",\"fins\":[\"11%08u\"],\"fbi\":\"%06uAB%u\","
        "\"name\":{\"last\":\"%s\",\"first\":\"%s\",\"middle\":\"DE "
        "JESUS\"},\"aka\":[{\"last\":\"%s\",\"first\":\"%s\"}],"
        "\"dob\":\"19%02u-%02u-%02u\",\"cob\":\"GUAT\",\"coc\":\"GUAT\",\"coa\":\"B2\",\"alerts\":[{\"code\":\"VTX\","
        "\"text\":\"NONE\"}],"
        "\"encounters\":[{\"eventNumber\":\"XYZ21%02u%06u\",\"landmark\":\"BUS STATION\",\"address\":{\"street\":\"%u "
        "OAK ST APT %u\","
        "\"city\":\"SPRINGFIELD\",\"state\":\"TX\",\"zip\":\"%05u\"},\"subjects\":[%u,%u],\"date\":\"2021-%02u-%02uT10:"
        "22:33Z\"}],"
        "\"detentions\":[{\"facilityCode\":\"KRO%02u\",\"bookIn\":\"2021-%02u-%02u\",\"bookOut\":null,\"bond\":%u.00}],"
        "\"related\":[{\"personId\":%u,\"rel\":\"CHILD\"}],\"associates\":[],\"active\":true,"
        "\"narrative\":\"SUBJECT STATED THAT HE ENTERED NEAR THE PORT OF ENTRY AND WAS ENCOUNTERED BY OFFICERS AT THE "
        "BUS STATION. "
        "SUBJECT WAS TRANSPORTED TO THE FIELD OFFICE FOR PROCESSING WITHOUT INCIDENT.\","
        "\"docs\":[{\"id\":\"D-%u\",\"name\":\"I213_%u.pdf\"},{\"id\":\"D-%u\",\"name\":\"receipt EAC21%08u\"}]}",
        person, alien / 1000000, alien / 1000 % 1000, alien % 1000, roll(100000000), roll(1000000), roll(10),
        family[roll(8)], given[roll(8)], family[roll(8)], given[roll(8)], 40 + roll(60), 1 + roll(12), 1 + roll(28),
        1 + roll(12), roll(1000000), roll(9999), roll(99), roll(99999), person, person + 7, 1 + roll(12), 1 + roll(28),
        roll(99), 1 + roll(12), 1 + roll(28), roll(9000), person + 7, roll(100), roll(9999), roll(100), serial_of(p));
    return (size_t)n;
}

static size_t put_list(char *out, size_t room, uint32_t persons, size_t *records)
{
    size_t len = (size_t)snprintf(out, room, "{\"total\":1200,\"items\":[");
    for (*records = 0; len < TARGET; ++*records) {
        if (*records > 0) out[len++] = ',';
        len += put_person(out + len, room - len, roll(persons), *records % 100 == 50);
    }
    return len + (size_t)snprintf(out + len, room - len, "]}");
}

static span build_registry(uint32_t persons, const uint8_t key[32], struct problems *problems)
{
    struct registry_builder *b = registry_builder_new(key, problems);
    span image = {0};
    for (uint32_t p = 0; p < persons; p++) {
        char line[512];
        int n = snprintf(line, sizeof line,
            "{\"subject\":\"S-%u\",\"cases\":[{\"id\":\"C\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":"
            "\"pending\"}],"
            "\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"%09u\"},{\"kind\":\"receipt_number\",\"value\":"
            "\"MSC20%08u\"},"
            "{\"kind\":\"passport\",\"value\":\"G%08u\"},{\"kind\":\"person_id\",\"value\":\"%u\",\"system\":\"earm\"}]"
            "}",
            p, alien_of(p), serial_of(p), serial_of(p), 90000000 + 2 * p);
        result r = registry_builder_line(b, "bench", p + 1, span_of(line, (size_t)n));
        ASSERT(is_ok(r));
    }
    result r = registry_builder_finish(b, 1, 0, &image);
    ASSERT(is_ok(r));
    span copy = span_of(mem_copy(image.ptr, image.len), image.len);
    registry_builder_free(b);
    ASSERT(copy.ptr);
    return copy;
}

#define HUGE_PAGE ((size_t)2 << 20)
static span lay_out(span image, bool huge)
{
    size_t size = (image.len + 4095) / 4096 * 4096 + HUGE_PAGE;
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(p != MAP_FAILED);
    p += HUGE_PAGE - (uintptr_t)p % HUGE_PAGE;
    (void)madvise(p, size - HUGE_PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memcpy(p, image.ptr, image.len);
    return span_of(p, image.len);
}

static span read_all(FILE *f)
{
    uint8_t *p = NULL;
    size_t size = 0;
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) p = mem_alloc(size = (size_t)ftell(f));
    rewind(f);
    ASSERT(p && fread(p, 1, size, f) == size);
    return span_of(p, size);
}

static span find_image(uint32_t persons, const uint8_t key[32], const char *path, bool huge, struct problems *problems)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    span image = f ? read_all(f) : build_registry(persons, key, problems);
    if (f) fclose(f);
    FILE *kept = path && !f ? fopen(path, "wb") : NULL;
    if (kept) {
        size_t written = fwrite(image.ptr, 1, image.len, kept);
        ASSERT(fclose(kept) == 0 && written == image.len);
    }
    span placed = lay_out(image, huge);
    mem_free((void *)(uintptr_t)image.ptr);
    return placed;
}

static span read_file(const char *path, char *text, size_t room)
{
    FILE *f = fopen(path, "rb");
    if (!f) return (span){0};
    size_t n = fread(text, 1, room, f);
    fclose(f);
    return span_of(text, n);
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

struct bench {
    struct rules_set *rules;
    struct rules_scratch *scratch;
    struct registry *registry;
    const struct rules_document *document;
    struct doc_reader *reader;
    struct match *match;
    span body;
    size_t events, findings, literals, keys;
};

static void run_reader(struct bench *b)
{
    static struct doc_event events[256];
    enum doc_status status = DOC_MORE;
    size_t count;
    b->events = 0;
    doc_reader_reset(b->reader, DOC_JSON, &(struct doc_limits){.depth = 256});
    for (size_t len = STEP; status != DOC_COMPLETE; len += STEP) {
        if (len > b->body.len) len = b->body.len;
        struct doc_window w = {0, b->body.ptr, len, len == b->body.len, DOC_SLACK};
        do {
            status = doc_reader_next(b->reader, &w, events, 256, &count);
            b->events += count;
        } while (status == DOC_FULL);
        ASSERT(status != DOC_MALFORMED);
    }
}

static void count_literal(void *ctx, uint64_t end)
{
    (void)end;
    ++*(size_t *)ctx;
}

static void run_literals(struct bench *b)
{
    b->literals = 0;
    for (size_t at = 0; at < b->body.len; at += STEP) {
        size_t n = b->body.len - at < STEP ? b->body.len - at : STEP;
        rules_scan_literals(b->rules, b->scratch, span_sub(b->body, at, n), count_literal, &b->literals);
    }
}

static void run_match(struct bench *b)
{
    const struct match_survey *s = NULL;
    const struct match_limits limits = {.depth = 256};
    const struct doc_window w = {0, b->body.ptr, b->body.len, true, DOC_SLACK};
    match_begin(b->match, DOC_JSON, b->document, b->registry, &limits);
    enum doc_status status = match_feed(b->match, &w);
    ASSERT(status == DOC_COMPLETE);
    result r = match_finish(b->match, &s);
    ASSERT(is_ok(r));
    b->findings = s->finding_count;
}

static void count_key(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    (void)rule, (void)kind, (void)canonical;
    ++*(size_t *)ctx;
}

/* All candidates at once, as the batches look them up. */
struct keys {
    size_t count;
    struct registry_key keys[20000];
    struct registry_hit hits[20000];
    uint8_t text[20000][32];
};

static void keep_key(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    struct keys *k = ctx;
    (void)rule;
    if (k->count == ARRAY_LEN(k->keys) || canonical.len > 32) return;
    memcpy(k->text[k->count], canonical.ptr, canonical.len);
    k->keys[k->count] =
        (struct registry_key){kind, registry_kind_is_surrogate(kind) ? registry_system_id(SPAN("earm")) : 0,
            span_of(k->text[k->count], canonical.len)};
    k->count++;
}

static struct keys keys;
static void run_probe(struct bench *b)
{
    for (size_t i = 0; i < keys.count; i += 128)
        registry_probe(b->registry, keys.keys + i, keys.count - i < 128 ? keys.count - i : 128, keys.hits + i);
}

static double best_of(struct bench *b, void (*run)(struct bench *), int runs)
{
    double best = 1e9;
    for (int i = 0; i < runs; i++) {
        double start = now();
        run(b);
        double took = now() - start;
        if (took < best) best = took;
    }
    return best;
}

static void report(struct bench *b, size_t records, int runs)
{
    match_set_observer(b->match, keep_key, &keys);
    run_match(b);
    match_set_observer(b->match, count_key, &b->keys);
    run_match(b);
    match_set_observer(b->match, NULL, NULL);
    double all = best_of(b, run_match, runs), reader = best_of(b, run_reader, runs),
           literals = best_of(b, run_literals, runs);
    double probe = best_of(b, run_probe, runs), size = (double)b->body.len;
    printf("%zu bytes, %zu records, %zu events, %zu literals, %zu candidates, %zu findings\n", b->body.len, records,
        b->events, b->literals, b->keys, b->findings);
    printf("reader alone       %6.2f GB/s  %6.0f ns a record  %.1f ns an event\n", size / reader / 1e9,
        reader / (double)records * 1e9, reader / (double)b->events * 1e9);
    printf(
        "literals alone     %6.2f GB/s  %6.0f ns a record\n", size / literals / 1e9, literals / (double)records * 1e9);
    printf("look-ups alone                 %6.0f ns a record  %.1f ns a key\n", probe / (double)records * 1e9,
        probe / (double)keys.count * 1e9);
    printf("walk and values                %6.0f ns a record (what remains)\n",
        (all - reader - literals - probe) / (double)records * 1e9);
    printf("reader + matching  %6.2f GB/s  %6.0f ns a record\n", size / all / 1e9, all / (double)records * 1e9);
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name)) return argv[i + 1];
    return fallback;
}

int main(int argc, char **argv)
{
    static const uint8_t key[32] = {1};
    uint32_t persons = (uint32_t)strtoul(option(argc, argv, "--persons", "100000"), NULL, 10);
    int runs = (int)strtol(option(argc, argv, "--runs", "50"), NULL, 10);
    const char *path = option(argc, argv, "--rules", "rules/section-1367.json"),
               *dump = option(argc, argv, "--dump", NULL);
    struct problems *problems = problems_new();
    static char text[1 << 20], other[4 << 20];
    const char *body_path = option(argc, argv, "--body", NULL);
    const char *profile_path = option(argc, argv, "--profile", NULL);
    static char described[1 << 20];
    span pack = read_file(path, text, sizeof text);
    span profiles = profile_path ? read_file(profile_path, described, sizeof described) : span_str(profile);
    if (pack.len == 0) return fprintf(stderr, "%s cannot be read; --rules names the shipped pack\n", path), 2;
    struct source *sources[] = {
        source_parse(path, pack, problems), source_parse("profile", profiles, problems)};
    struct bench b = {.rules = sources[0] && sources[1] ? rules_load(sources, 2, problems) : NULL};
    if (!b.rules) return problems_print(problems, stderr, true, false), 1;
    bool pages = argc > 1 && strcmp(argv[argc - 1], "--pages") == 0;
    span image = find_image(persons, key, option(argc, argv, "--image", NULL), !pages, problems);
    result r = registry_open(image, key, NULL, &b.registry);
    ASSERT(is_ok(r));
    b.scratch = rules_scratch_new(b.rules);
    const char *first = rules_profile_names(b.rules)[0];
    ASSERT(first);
    b.document = rules_find_document(
        rules_find_profile(b.rules, span_str(first)), profile_path ? SPAN("/api/persons") : SPAN("/persons"));
    b.reader = doc_reader_new(cpu_level());
    b.match = match_new(b.rules, b.scratch, cpu_level());
    char *body = malloc(TARGET + 8192);
    size_t records;
    ASSERT(body && b.document && b.scratch && b.reader && b.match);
    struct match_lores *lores = match_lores_new();
    match_share_lores(b.match, lores);
    b.body = span_of(body, put_list(body, TARGET + 8192, persons, &records));
    if (body_path) b.body = read_file(body_path, other, sizeof other);
    if (dump) {
        FILE *f = fopen(dump, "wb");
        if (f) fwrite(b.body.ptr, 1, b.body.len, f), fclose(f);
    }
    printf("%u persons, %.1f MB of index\n", persons, (double)image.len / 1e6);
    const char *only = option(argc, argv, "--only", "");
    if (!strcmp(only, "match") || !strcmp(only, "reader"))
        printf("%s: %.0f ns a record\n", only,
            best_of(&b, strcmp(only, "match") ? run_reader : run_match, runs) / (double)records * 1e9);
    else
        report(&b, records, runs);
    match_free(b.match);
    match_lores_free(lores);
    doc_reader_free(b.reader);
    rules_scratch_free(b.scratch);
    registry_close(b.registry);
    rules_free(b.rules);
    source_free(sources[0]);
    source_free(sources[1]);
    problems_free(problems);
    free(body);
    return 0;
}
