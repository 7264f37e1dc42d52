/* Live changes: what a protect and a release do, and what readers see meanwhile.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "registry/fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 65536
#define LINE(subject, number)                                                                                          \
    "{\"subject\":\"" subject "\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"" number "\"}]}\n"
#define PROTECT(subject, number)                                                                                       \
    "{\"op\":\"protect\",\"subject\":\"" subject "\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"" number  \
    "\"}]}"
#define RELEASE(subject) "{\"op\":\"release\",\"subject\":\"" subject "\",\"reason\":\"cleared by counsel\"}"

static void *new_overlay(size_t size)
{
    void *overlay = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(overlay != MAP_FAILED);
    assert_true(is_ok(registry_overlay_format(overlay, size, test_key)));
    return overlay;
}

static struct registry_change parse(struct arena *a, const char *text)
{
    struct problems *p = problems_new();
    struct registry_change c;
    result r = registry_change_parse(test_key, "changes.jsonl", 1, span_str(text), a, p, &c);
    if (!is_ok(r)) fail_msg("%s", problems_count(p) ? problems_text(p, 0) : "no problem");
    static uint64_t position;
    c.position = ++position;
    problems_free(p);
    return c;
}

static result apply(void *overlay, const char *text)
{
    struct arena *a = arena_new(1 << 20);
    struct registry_change c = parse(a, text);
    result r = registry_overlay_apply(overlay, &c);
    arena_free(a);
    return r;
}

static bool has(const struct registry *r, const char *number)
{
    return is_protected(r, REGISTRY_ALIEN_NUMBER, number, "");
}

static void test_protect_and_release(void **state UNUSED)
{
    struct built b = build_text(
        LINE("S1", "A010000001") LINE("S2", "A010000002") LINE("S1b", "A010000003") LINE("S2b", "A010000003"));
    void *overlay = new_overlay(SIZE);
    struct registry *r = open_image(b.image, overlay);
    uint64_t subjects[4];
    struct registry_key shared = {REGISTRY_ALIEN_NUMBER, 0, SPAN("010000003")};

    /* Somebody new. */
    assert_false(has(r, "A020000001"));
    assert_true(is_ok(apply(overlay, PROTECT("N1", "A020000001"))));
    assert_true(has(r, "A020000001"));
    assert_true(registry_protects(r, handle_of("N1")));
    /* More of somebody whom the index has: both. */
    assert_true(is_ok(apply(overlay, PROTECT("S1", "A020000002"))));
    assert_true(has(r, "A010000001") && has(r, "A020000002"));
    /* Release takes all that is his, in the index and in the overlay, and nothing else. */
    assert_true(is_ok(apply(overlay, RELEASE("S1"))));
    assert_false(has(r, "A010000001") || has(r, "A020000002"));
    assert_true(has(r, "A010000002") && has(r, "A020000001"));
    assert_false(registry_protects(r, handle_of("S1")));
    /* Protected again, with another identifier: he is back whole. */
    assert_true(is_ok(apply(overlay, PROTECT("S1", "A020000004"))));
    assert_true(has(r, "A010000001") && has(r, "A020000002") && has(r, "A020000004"));
    /* What two subjects share stays until both are released. */
    assert_int_equal(registry_subjects(r, &shared, subjects, 4), 2);
    assert_true(is_ok(apply(overlay, RELEASE("S1b"))));
    assert_true(has(r, "A010000003"));
    assert_int_equal(registry_subjects(r, &shared, subjects, 4), 1);
    assert_true(subjects[0] == handle_of("S2b"));
    assert_true(is_ok(apply(overlay, RELEASE("S2b"))));
    assert_false(has(r, "A010000003"));
    /* The overlay's subject of a key whose index subjects are released. */
    assert_true(is_ok(apply(overlay, PROTECT("N2", "A010000003"))));
    assert_true(has(r, "A010000003"));
    assert_int_equal(registry_subjects(r, &shared, subjects, 4), 1);
    assert_true(subjects[0] == handle_of("N2"));
    /* Releasing somebody unknown changes nobody. */
    assert_true(is_ok(apply(overlay, RELEASE("nobody"))));
    assert_true(has(r, "A010000002") && has(r, "A010000003"));

    struct registry_overlay_info info;
    registry_overlay_info(overlay, &info);
    assert_int_equal(info.keys, 4);
    assert_int_equal(info.released, 3);
    registry_close(r);
    munmap(overlay, SIZE);
    built_free(&b);
}

/* A registry rebuilt without those that the overlay protects drops them. */
static void test_dropped_counts_live_changes(void **state UNUSED)
{
    struct built old = build_text(LINE("S1", "A010000001") LINE("S2", "A010000002"));
    struct built new = build_text(LINE("S2", "A010000002"));
    void *overlay = new_overlay(SIZE);
    struct registry *r = open_image(old.image, overlay);
    uint64_t dropped[4];
    assert_true(is_ok(apply(overlay, PROTECT("N1", "A020000001"))));
    assert_true(is_ok(apply(overlay, PROTECT("S2", "A020000002"))));
    assert_int_equal(registry_builder_dropped(new.builder, r, dropped, 4), 2);
    assert_true(is_ok(apply(overlay, RELEASE("S1"))));
    assert_int_equal(registry_builder_dropped(new.builder, r, dropped, 4), 1);
    assert_true(dropped[0] == handle_of("N1"));
    registry_close(r);
    munmap(overlay, SIZE);
    built_free(&old);
    built_free(&new);
}

/* Random changes and look-ups against plain arrays; runs until the overlay is full, and full changes nothing. */
#define SUBJECTS 60
#define NUMBERS 90
static void test_against_arrays(void **state UNUSED)
{
    static bool owns[SUBJECTS][NUMBERS], released[SUBJECTS];
    struct built b = build_text("");
    void *overlay = new_overlay(SIZE);
    struct registry *r = open_image(b.image, overlay);
    char text[256], number[16];
    srandom(7);
    for (int step = 0; step < 4000; step++) {
        int s = (int)(random() % SUBJECTS), n = (int)(random() % NUMBERS);
        bool release = random() % 3 == 0;
        if (release)
            snprintf(text, sizeof text, RELEASE("R%d"), s);
        else
            snprintf(text, sizeof text, PROTECT("R%d", "A%09d"), s, n + 1);
        result applied = apply(overlay, text);
        if (!is_ok(applied)) {
            assert_int_equal(applied.class, ERROR_LIMIT);
            assert_int_equal(applied.code, REGISTRY_OVERLAY_FULL);
        } else {
            released[s] = release;
            if (!release) owns[s][n] = true;
        }
        int probe = (int)(random() % NUMBERS);
        bool expected = false;
        for (int i = 0; i < SUBJECTS; i++)
            expected |= owns[i][probe] && !released[i];
        snprintf(number, sizeof number, "A%09d", probe + 1);
        assert_int_equal(has(r, number), expected);
    }
    registry_close(r);
    munmap(overlay, SIZE);
    built_free(&b);
}

static void test_full(void **state UNUSED)
{
    void *overlay = new_overlay(REGISTRY_OVERLAY_MIN);
    struct built b = build_text("");
    struct registry *r = open_image(b.image, overlay);
    char text[256];
    int n = 0;
    result applied = OK;
    while (is_ok(applied) && n < 10000) {
        snprintf(text, sizeof text, PROTECT("F%d", "A%09d"), n, n + 1);
        applied = apply(overlay, text);
        n++;
    }
    assert_int_equal(applied.class, ERROR_LIMIT);
    assert_int_equal(applied.code, REGISTRY_OVERLAY_FULL);
    assert_string_equal(registry_error_text(applied.code), "the overlay of live changes is full; rebuild and reload");
    assert_true(n > 40);
    snprintf(text, sizeof text, "A%09d", n);
    assert_false(has(r, text));
    for (int i = 1; i < n; i++) {
        snprintf(text, sizeof text, "A%09d", i);
        assert_true(has(r, text));
    }
    /* Whom it has already can still be released and protected again. */
    assert_true(is_ok(apply(overlay, RELEASE("F0"))));
    assert_false(has(r, "A000000001"));
    assert_true(is_ok(apply(overlay, PROTECT("F0", "A000000001"))));
    assert_true(has(r, "A000000001"));
    registry_close(r);
    munmap(overlay, REGISTRY_OVERLAY_MIN);
    built_free(&b);
}

static void test_the_scarcer_room_is_told(void **state UNUSED)
{
    static const struct { uint64_t keys, key_room, subjects, subject_room; unsigned filled; } rows[] = {
        {0, 0, 0, 0, 0}, {0, 100, 0, 50, 0}, {50, 100, 0, 50, 50}, {10, 100, 45, 50, 90}, {100, 100, 1, 50, 100}, {749, 1000, 374, 500, 74}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct registry_overlay_info info = {.keys = rows[i].keys, .key_room = rows[i].key_room,
            .subjects = rows[i].subjects, .subject_room = rows[i].subject_room};
        assert_int_equal(registry_overlay_filled(&info), rows[i].filled);
    }
}

static void test_bad_overlays(void **state UNUSED)
{
    static _Alignas(64) uint8_t memory[SIZE];
    struct built b = build_text("");
    struct registry *r;
    uint8_t other[32] = {9};
    assert_int_equal(registry_overlay_format(memory, REGISTRY_OVERLAY_MIN - 1, test_key).code, REGISTRY_OVERLAY_BAD);
    assert_int_equal(registry_open(b.image, test_key, memory, &r).code, REGISTRY_OVERLAY_BAD);
    assert_true(is_ok(registry_overlay_format(memory, SIZE, other)));
    assert_int_equal(registry_open(b.image, test_key, memory, &r).code, REGISTRY_OVERLAY_BAD);
    assert_true(is_ok(registry_overlay_format(memory, SIZE, test_key)));
    for (size_t i = 0; i < 40; i++) { /* magic, size, words, key slots, subject slots */
        memory[i] ^= 0x40;
        result opened = registry_open(b.image, test_key, memory, &r);
        assert_int_equal(opened.code, REGISTRY_OVERLAY_BAD);
        memory[i] ^= 0x40;
    }
    built_free(&b);
}

/* Nothing of an earlier life is left: not where it is begun anew, and not where it is given back, whether or not it was used. */
static void test_emptied(void **state UNUSED)
{
    struct built b = build_text("");
    uint8_t *overlay = new_overlay(SIZE);
    struct registry *r = open_image(b.image, overlay);
    assert_true(is_ok(apply(overlay, PROTECT("N1", "A020000001"))));
    assert_true(has(r, "A020000001"));
    assert_true(is_ok(registry_overlay_format(overlay, SIZE, test_key)));
    assert_false(has(r, "A020000001"));
    for (int used = 0; used < 2; used++) {
        if (used) assert_true(is_ok(apply(overlay, PROTECT("N1", "A020000001"))));
        registry_overlay_wipe(overlay, SIZE);
        for (size_t i = 0; i < SIZE; i++)
            assert_int_equal(overlay[i], 0);
        assert_true(is_ok(registry_overlay_format(overlay, SIZE, test_key)));
        assert_false(has(r, "A020000001"));
    }
    registry_close(r);
    munmap(overlay, SIZE);
    built_free(&b);
}

static void test_change_lines(void **state UNUSED)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"{\"op\":\"relese\",\"subject\":\"S\"}", "did you mean \"release\""},
        {"{\"subject\":\"S\"}", "\"op\" is missing"},
        {"{\"op\":\"release\",\"subject\":\"S\"}", "reason"},
        {"{\"op\":\"release\",\"subject\":\"S\",\"reason\":\"\"}", "/reason: must not be empty"},
        {"{\"op\":\"release\",\"subject\":\"\",\"reason\":\"x\"}", "/subject: must not be empty"},
        {"{\"op\":\"release\",\"subject\":\"S\",\"reason\":\"x\",\"cases\":[]}", "cases"},
        {"{\"op\":\"protect\"}", "subject"},
        {"{\"op\":\"protect\",\"subject\":\"S\",\"cases\":[{\"status\":\"denied_final\"}]}",
            "/cases: every case is denied_final, which protects nobody; to end a protection use \"op\":\"release\""},
        {"[]", "must be an object"},
        {"{", "changes.jsonl:7:"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct problems *p = problems_new();
        struct arena *a = arena_new(1 << 20);
        struct registry_change c;
        result r = registry_change_parse(test_key, "changes.jsonl", 7, span_str(rows[i].text), a, p, &c);
        assert_int_equal(r.code, REGISTRY_SOURCE_BROKEN);
        assert_true(problems_errors(p) >= 1);
        if (!strstr(problems_text(p, 0), rows[i].problem)) fail_msg("%s: %s", rows[i].text, problems_text(p, 0));
        arena_free(a);
        problems_free(p);
    }
}

/* ---- one writer, many readers ---- */

/* The writer announces each protect after it returned; a reader that finds one not in force, or a stranger in force,
 * has seen a torn state. Readers are processes, as workers are, and map the segment read-only. */
#define CHANGES 3000
struct stage {
    _Atomic unsigned protected_, done;
};

static int read_concurrently(const void *overlay, struct stage *stage, span image)
{
    struct registry *r;
    if (!is_ok(registry_open(image, test_key, overlay, &r))) return 3;
    uint32_t random_state = (uint32_t)getpid();
    for (unsigned round = 0; !atomic_load(&stage->done) || round < 100; round++) {
        char text[16][16];
        unsigned number[16], sure = atomic_load_explicit(&stage->protected_, memory_order_acquire);
        struct registry_key keys[16];
        struct registry_hit hits[16];
        for (int i = 0; i < 16; i++) {
            random_state = random_state * 1664525u + 1013904223u;
            number[i] = (random_state >> 8) % (2 * CHANGES);
            snprintf(text[i], sizeof text[i], "%09u", number[i] + 1);
            keys[i] = (struct registry_key){REGISTRY_ALIEN_NUMBER, 0, span_str(text[i])};
        }
        struct registry_asks asks = {0};
        for (int i = 0; i < 16; i++)
            registry_ask(r, &asks, &keys[i]);
        uint64_t any = registry_any(r, &asks);
        registry_probe(r, keys, 16, hits);
        for (int i = 0; i < 16; i++) {
            if (number[i] < sure && !hits[i].protected_) return 4;
            if (number[i] < sure && !(any >> i & 1)) return 7;
            if (number[i] >= CHANGES && hits[i].protected_) return 5;
            if (hits[i].protected_ && hits[i].subject != number[i] + 1) return 6;
        }
    }
    registry_close(r);
    return 0;
}

static void write_changes(void *overlay, struct stage *stage)
{
    struct problems *p = problems_new();
    for (unsigned i = 0; i < CHANGES; i++) {
        char line[128];
        struct arena *a = arena_new(1 << 16);
        struct registry_change c;
        snprintf(line, sizeof line, PROTECT("W%u", "A%09u"), i, i + 1);
        assert_true(is_ok(registry_change_parse(test_key, "c", 1, span_str(line), a, p, &c)));
        c.subject = i + 1;
        c.position = i + 1;
        assert_true(is_ok(registry_overlay_apply(overlay, &c)));
        atomic_store_explicit(&stage->protected_, i + 1, memory_order_release);
        arena_free(a);
    }
    problems_free(p);
}

static void test_readers_see_no_torn_state(void **state UNUSED)
{
    const size_t size = 1 << 20;
    struct built b = build_text("");
    void *overlay = new_overlay(size);
    struct stage *stage = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t readers[3];
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        readers[i] = fork();
        assert_true(readers[i] >= 0);
        if (readers[i] == 0) {
            if (mprotect(overlay, size, PROT_READ) != 0) _exit(2);
            _exit(read_concurrently(overlay, stage, b.image));
        }
    }
    write_changes(overlay, stage);
    atomic_store(&stage->done, 1);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        int status;
        assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    munmap(stage, 4096);
    munmap(overlay, size);
    built_free(&b);
}

/* ---- suspicions ---- */

static const struct registry_key seen[] = {{REGISTRY_ALIEN_NUMBER, 0, SPAN("055555555")}, {REGISTRY_SSN, 0, SPAN("123456789")},
    {REGISTRY_ALIEN_NUMBER, 0, SPAN("010000001")}};

static struct registry_change suspicion(struct registry_print *prints, size_t n, uint64_t position)
{
    struct registry_change c = {.op = REGISTRY_SUSPECT, .position = position, .time = 1760000000, .keys = prints, .key_count = n,
        .reason = "0123456789abcde"};
    assert_true(registry_suspicion_handle(test_key, prints, n, &c.subject));
    return c;
}

/* Only what nobody protects becomes a suspicion, and once: not while it holds, not after it was cleared. */
static void test_suspect_and_clear(void **state UNUSED)
{
    struct built b = build_text(LINE("S1", "A010000001"));
    void *overlay = new_overlay(SIZE);
    struct registry *r = open_image(b.image, overlay);
    struct registry_print prints[3], again[3];
    assert_int_equal(registry_suspicion(r, seen, 3, prints), 2);
    assert_int_equal(registry_suspicion_news(overlay, prints, 2), 2);
    struct registry_change c = suspicion(prints, 2, 1);
    assert_true(is_ok(registry_overlay_apply(overlay, &c)));
    assert_true(has(r, "A055555555") && is_protected(r, REGISTRY_SSN, "123-45-6789", ""));
    assert_true(registry_is_suspected(overlay, c.subject) && registry_protects(r, c.subject));
    assert_int_equal(registry_suspicion(r, seen, 3, again), 0);
    assert_int_equal(registry_suspicion_news(overlay, prints, 2), 0);
    struct registry_overlay_info info;
    registry_overlay_info(overlay, &info);
    assert_int_equal(info.suspected, 1);
    struct registry_change clear = {.op = REGISTRY_CLEAR, .position = 2, .subject = c.subject};
    assert_true(is_ok(registry_overlay_apply(overlay, &clear)));
    assert_true(!has(r, "A055555555") && !registry_is_suspected(overlay, c.subject) && !registry_protects(r, c.subject));
    assert_int_equal(registry_suspicion(r, seen, 3, again), 0);
    assert_true(is_ok(registry_overlay_apply(overlay, &c))); /* read once more from the journal */
    assert_false(has(r, "A055555555"));
    registry_overlay_info(overlay, &info);
    assert_true(info.suspected == 0 && info.position == 2);
    assert_true(is_ok(apply(overlay, PROTECT("S9", "A055555555")))); /* a case is another matter */
    assert_true(has(r, "A055555555"));
    registry_close(r);
    built_free(&b);
}

static void count_suspicions(void *ctx, const struct registry_change *c)
{
    size_t *n = ctx;
    n[c->op]++;
    if (c->op == REGISTRY_SUSPECT) assert_memory_equal(c->reason, "0123456789abcde", 16);
}

/* No source knows them: they are read from the journal's beginning, whatever an index includes. */
static void test_suspicions_outlive_an_index(void **state UNUSED)
{
    struct built b = build_text("");
    void *overlay = new_overlay(SIZE);
    struct registry *r = open_image(b.image, overlay);
    struct registry_print prints[2];
    struct buf journal;
    struct registry_journal_end end;
    size_t n[5] = {0};
    buf_init(&journal, 1 << 20);
    assert_int_equal(registry_suspicion(r, seen, 2, prints), 2);
    struct registry_change first = suspicion(prints, 1, 1), second = suspicion(prints + 1, 1, 2);
    struct registry_change clear = {.op = REGISTRY_CLEAR, .position = 3, .subject = first.subject};
    struct registry_change protect = {.op = REGISTRY_PROTECT, .position = 4, .subject = 77, .keys = prints, .key_count = 1};
    assert_true(is_ok(registry_journal_encode(test_key, &first, &journal)));
    assert_true(is_ok(registry_journal_encode(test_key, &second, &journal)));
    assert_true(is_ok(registry_journal_encode(test_key, &clear, &journal)));
    assert_true(is_ok(registry_journal_encode(test_key, &protect, &journal)));
    for (int round = 0; round < 2; round++) { /* a second reading changes nothing */
        assert_true(is_ok(registry_journal_replay(test_key, buf_span(&journal), 5, NULL, overlay, &end)));
        assert_true(end.records == 4 && end.applied == 3 && end.position == 4);
        assert_false(has(r, "A055555555")); /* cleared; and the case is in the index, or not in force any more */
        assert_true(is_protected(r, REGISTRY_SSN, "123-45-6789", ""));
    }
    assert_true(is_ok(registry_journal_each(test_key, buf_span(&journal), count_suspicions, n)));
    assert_true(n[REGISTRY_PROTECT] == 1 && n[REGISTRY_SUSPECT] == 2 && n[REGISTRY_CLEAR] == 1);
    buf_free(&journal);
    registry_close(r);
    built_free(&b);
}

/* What an operator adds leaves an eighth; with a sixty-fourth left nobody restricted is answered. */
static void test_room_for_suspicions(void **state UNUSED)
{
    struct built b = build_text("");
    void *overlay = new_overlay(REGISTRY_OVERLAY_MIN);
    struct registry *r = open_image(b.image, overlay);
    struct registry_overlay_info info;
    uint64_t i = 1, operators = 0;
    for (;; i++) {
        struct registry_print p = {i << 40 | i, i};
        struct registry_change c = {.op = REGISTRY_PROTECT, .position = i, .subject = i, .keys = &p, .key_count = 1};
        if (is_ok(registry_overlay_room(overlay, &c))) operators = i;
        c.op = REGISTRY_SUSPECT;
        if (!is_ok(registry_overlay_room(overlay, &c))) break;
        registry_overlay_info(overlay, &info);
        bool room = info.keys < info.key_room - info.key_room / 64 && info.subjects < info.subject_room - info.subject_room / 64;
        assert_int_equal(registry_suspicion_room(r), room);
        assert_true(is_ok(registry_overlay_apply(overlay, &c)));
    }
    registry_overlay_info(overlay, &info);
    assert_false(registry_suspicion_room(r));
    assert_int_equal(info.subjects, info.subject_room);
    assert_int_equal(operators, info.subject_room - info.subject_room / 8);
    registry_close(r);
    built_free(&b);
}

/* ---- a writer that is killed ---- */

struct left {
    struct built index;
    void *overlay, *copy; /* as the dead writer left it, with the change made once more */
    struct registry *registry; /* over the copy */
};

static struct left left_new(void)
{
    struct left l = {.index = build_text(LINE("S1", "A010000001")), .overlay = new_overlay(SIZE), .copy = new_overlay(SIZE)};
    l.registry = open_image(l.index.image, l.copy);
    return l;
}

static void left_free(struct left *l)
{
    registry_close(l->registry);
    munmap(l->overlay, SIZE);
    munmap(l->copy, SIZE);
    built_free(&l->index);
}

/* A process makes the change instruction by instruction. What memory holds after each is what a kill would leave there; the next
 * writer reads the journal, and makes the change again. */
static void kill_at_each_store(const struct left *l, const struct registry_change *c, void (*look)(const struct left *l))
{
    static uint8_t last[SIZE];
    int status, stores = 0;
    memcpy(last, l->overlay, SIZE);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(77);
        raise(SIGSTOP);
        _exit(is_ok(registry_overlay_apply(l->overlay, c)) ? 0 : 1);
    }
    assert_int_equal(waitpid(writer, &status, 0), writer);
    if (!WIFSTOPPED(status)) skip(); /* where nobody may be traced */
    while (ptrace(PTRACE_SINGLESTEP, writer, 0, 0) == 0 && waitpid(writer, &status, 0) == writer && WIFSTOPPED(status)) {
        if (memcmp(last, l->overlay, SIZE) == 0) continue;
        memcpy(last, l->overlay, SIZE);
        memcpy(l->copy, last, SIZE);
        assert_true(is_ok(registry_overlay_apply(l->copy, c)));
        look(l);
        stores++;
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(stores >= 4);
}

static void is_protected_whole(const struct left *l)
{
    struct registry_key key = {REGISTRY_ALIEN_NUMBER, 0, SPAN("020000001")};
    struct registry_asks asks = {0};
    uint64_t subjects[2];
    registry_ask(l->registry, &asks, &key);
    assert_true(registry_any(l->registry, &asks) & 1);
    assert_true(has(l->registry, "A020000001"));
    assert_int_equal(registry_subjects(l->registry, &key, subjects, 2), 1);
    assert_true(subjects[0] == handle_of("N1") && registry_protects(l->registry, handle_of("N1")));
}

static void is_released(const struct left *l)
{
    assert_false(has(l->registry, "A010000001") || registry_protects(l->registry, handle_of("S1")));
}

static void test_a_killed_writer_leaves_nobody_out(void **state UNUSED)
{
    struct arena *a = arena_new(1 << 20);
    for (int used = 0; used < 2; used++) {
        struct left protect = left_new(), release = left_new();
        if (used) assert_true(is_ok(apply(protect.overlay, PROTECT("N2", "A020000002"))));
        if (used) assert_true(is_ok(apply(release.overlay, PROTECT("N2", "A020000002"))));
        struct registry_change p = parse(a, PROTECT("N1", "A020000001")), r = parse(a, RELEASE("S1"));
        kill_at_each_store(&protect, &p, is_protected_whole);
        kill_at_each_store(&release, &r, is_released);
        left_free(&protect);
        left_free(&release);
    }
    arena_free(a);
}

/* Cleared: nobody is suspected, and nobody less than nobody. */
static uint64_t suspect;
static void nobody_is_suspected(const struct left *l)
{
    struct registry_change clear = {.op = REGISTRY_CLEAR, .position = 2, .subject = suspect};
    struct registry_overlay_info info;
    assert_true(registry_is_suspected(l->copy, suspect) && has(l->registry, "A055555555"));
    assert_true(is_ok(registry_overlay_apply(l->copy, &clear)));
    registry_overlay_info(l->copy, &info);
    assert_int_equal(info.suspected, 0);
    assert_false(has(l->registry, "A055555555"));
}

static void test_a_killed_writer_counts_nobody_below_nobody(void **state UNUSED)
{
    struct left l = left_new();
    struct registry_print prints[1];
    assert_int_equal(registry_suspicion(l.registry, seen, 1, prints), 1);
    struct registry_change c = suspicion(prints, 1, 1);
    suspect = c.subject;
    kill_at_each_store(&l, &c, nobody_is_suspected);
    left_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protect_and_release),
        cmocka_unit_test(test_dropped_counts_live_changes),
        cmocka_unit_test(test_against_arrays),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_the_scarcer_room_is_told),
        cmocka_unit_test(test_bad_overlays),
        cmocka_unit_test(test_emptied),
        cmocka_unit_test(test_change_lines),
        cmocka_unit_test(test_readers_see_no_torn_state),
        cmocka_unit_test(test_suspect_and_clear),
        cmocka_unit_test(test_suspicions_outlive_an_index),
        cmocka_unit_test(test_room_for_suspicions),
        cmocka_unit_test(test_a_killed_writer_leaves_nobody_out),
        cmocka_unit_test(test_a_killed_writer_counts_nobody_below_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
