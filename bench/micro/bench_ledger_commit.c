/* How many decisions a second can be made durable, each released only after its signed frame is: two producers, a
 * scribe, real processes, a real directory (argument 1, default ./bench-ledger; it should stand on the disk to be
 * measured). Closed loop with K outstanding a producer, then a steady rate; then recovery and verify of what was
 * written. Arguments 2 and 3: outstanding and rate a second a producer (0: closed loop), that row alone, for a profiler; 4: for so many seconds. */
#include "ledger/ledger.h"
#include "os/os.h"
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PRODUCERS 2u
#define OUTSTANDING_MAX 1024u
#define SAMPLES_MAX 2000000u
#define FRAME_BYTES 16384u

struct shared {
    uint64_t count[PRODUCERS];
    uint32_t latency_us[PRODUCERS][SAMPLES_MAX];
};

struct load {
    unsigned outstanding; /* a producer */
    unsigned rate;        /* a second a producer; 0: as fast as possible */
    unsigned seconds;
};

static void fill_entry(struct ledger_entry *e, uint64_t i)
{
    static char subject[1][LEDGER_PSEUDONYM];
    static const struct ledger_count rules[] = {{{(const uint8_t *)"a-number", 8}, 1}};
    snprintf(subject[0], LEDGER_PSEUDONYM, "%032llx", (unsigned long long)i);
    *e = (struct ledger_entry){.time_us = os_realtime_us(),
        .node = SPAN("gate1367.example/node-1"),
        .request = SPAN("019aa9f0-7b1c-7000-8000-000000000001"),
        .event = LEDGER_DISCLOSURE,
        .recipient = {SPAN("state-police"), SPAN("none"), {NULL, 0}, SPAN("none"), SPAN("Springfield State Police"),
            SPAN("CN=sp-client"), SPAN("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"), {NULL, 0}},
        .client = SPAN("192.0.2.7"),
        .method = SPAN("GET"),
        .route = SPAN("/api/"),
        .target = SPAN("/api/persons"),
        .upstream_status = 200,
        .status = 200,
        .outcome = LEDGER_WITHHELD,
        .records = {60, 1, 1, 0, 59},
        .subjects = (const char(*)[LEDGER_PSEUDONYM])subject,
        .subject_count = 1,
        .rules = rules,
        .rule_count = 1,
        .versions = {SPAN("2026.1"), SPAN("17"), SPAN("5feceb66ffc86f38d952786c6d696c79")},
        .duration_us = 812};
    memcpy(e->nonce, &i, sizeof i);
}

/* Tickets in the order of publication, with the time each was published. */
struct window {
    uint64_t ticket[OUTSTANDING_MAX], since[OUTSTANDING_MAX];
    uint64_t first, next;
};

static void settle(struct window *w, struct ipc_ring *ring, struct shared *s, unsigned who)
{
    for (uint64_t now = 0; w->first < w->next; w->first++) {
        unsigned at = (unsigned)(w->first % OUTSTANDING_MAX);
        enum ipc_ticket_state state = ipc_ring_state(ring, w->ticket[at]);
        if (state == IPC_TICKET_PENDING) return;
        if (state == IPC_TICKET_FAILED) _exit(3);
        if (!now) now = os_monotonic_ns();
        if (s->count[who] < SAMPLES_MAX) s->latency_us[who][s->count[who]] = (uint32_t)((now - w->since[at]) / 1000);
        s->count[who]++;
    }
}

static void wait_news(struct ipc_ring *ring, uint64_t until)
{
    struct pollfd fd = {.fd = ipc_ring_wake_fd(ring), .events = POLLIN};
    uint64_t now = os_monotonic_ns(), ns = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    ppoll(&fd, 1, &timeout, NULL);
    ipc_ring_arm(ring);
}

static void produce(struct ipc_area *area, unsigned who, struct load load, struct shared *s)
{
    struct ipc_ring *ring;
    static struct window w;
    static struct ledger_entry e;
    struct buf scratch;
    buf_init(&scratch, LEDGER_ENTRY_MAX);
    if (!is_ok(ipc_ring_attach(area, who, &ring))) _exit(2);
    uint64_t start = os_monotonic_ns(), end = start + load.seconds * UINT64_C(1000000000), published = 0;
    for (uint64_t now = start; now < end; now = os_monotonic_ns()) {
        settle(&w, ring, s, who);
        uint64_t due = load.rate ? (now - start) * load.rate / 1000000000 : UINT64_MAX;
        while (published < due && w.next - w.first < load.outstanding) {
            unsigned at = (unsigned)(w.next % OUTSTANDING_MAX);
            fill_entry(&e, w.next);
            /* at a steady rate the clock runs from when the entry was due, not from when we got round to it */
            w.since[at] = load.rate ? start + published * 1000000000 / load.rate : os_monotonic_ns();
            struct ledger_entry left = e;
            w.ticket[at] = 0;
            if (!is_ok(ledger_entry_publish(&left, &scratch, ring, &w.ticket[at]))) break;
            w.next++, published++;
        }
        wait_news(ring, load.rate ? start + (published + 1) * 1000000000 / load.rate : end);
    }
    while (w.first < w.next)
        settle(&w, ring, s, who), wait_news(ring, os_monotonic_ns() + 1000000);
    _exit(0);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double cpu_seconds(const struct rusage *u)
{
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
           (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void print_row(struct load load, struct shared *s, const struct rusage *scribe, double all_cpu)
{
    static uint32_t all[2 * SAMPLES_MAX];
    size_t n = 0;
    uint64_t count = 0;
    for (unsigned p = 0; p < PRODUCERS; p++) {
        size_t kept = s->count[p] < SAMPLES_MAX ? (size_t)s->count[p] : SAMPLES_MAX;
        memcpy(all + n, s->latency_us[p], kept * sizeof *all);
        n += kept;
        count += s->count[p];
    }
    qsort(all, n, sizeof *all, by_value);
    char rate[16] = "max";
    if (load.rate) snprintf(rate, sizeof rate, "%u/s", load.rate * PRODUCERS);
    printf("| %u × %u | %s | %.0f | %u | %u | %.1f | %.1f |\n", PRODUCERS, load.outstanding, rate,
        (double)count / load.seconds, n ? all[n / 2] : 0, n ? all[n * 99 / 100] : 0,
        cpu_seconds(scribe) * 1e6 / (double)count, all_cpu * 1e6 / (double)count);
    fflush(stdout);
}

static pid_t start_scribe(const struct ledger_place *place, struct ipc_area *area, int control[2])
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    os_close(&control[0]);
    struct ledger_scribe_config config = {
        .area = area, .control_fd = control[1], .key_fd = -1, .root_fd = -1, .place = *place};
    _exit(ledger_scribe_run(&config));
}

static bool expect_ready(int fd)
{
    static struct ipc_message m;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    poll(&p, 1, 60000);
    bool ready = is_ok(ipc_channel_receive(fd, &m)) && m.type == IPC_READY;
    if (!ready) fprintf(stderr, "scribe: %s\n", m.text);
    return ready;
}

static bool run_load(const struct ledger_place *place, struct load load)
{
    struct ipc_area *area;
    struct rusage scribe, child;
    static struct ipc_message stop;
    int control[2], status;
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED || !is_ok(ipc_area_new(3 * PRODUCERS, &area)) || !is_ok(ipc_channel_pair(control)))
        return false;
    pid_t scribe_pid = start_scribe(place, area, control), producers[PRODUCERS];
    os_close(&control[1]);
    bool good = expect_ready(control[0]);
    double cpu = 0;
    for (unsigned p = 0; p < PRODUCERS; p++) {
        ipc_area_open_slot(area, p);
        if ((producers[p] = fork()) == 0) produce(area, p, load, s);
    }
    for (unsigned p = 0; p < PRODUCERS; p++) {
        wait4(producers[p], &status, 0, &child);
        good = good && status == 0;
        cpu += cpu_seconds(&child);
    }
    ipc_message_set(&stop, IPC_STOP, 0, "%s", "");
    good = is_ok(ipc_channel_send(control[0], &stop)) && good;
    wait4(scribe_pid, &status, 0, &scribe);
    if (good && status == 0) print_row(load, s, &scribe, cpu + cpu_seconds(&scribe));
    os_close(&control[0]);
    ipc_area_free(area);
    munmap(s, sizeof *s);
    return good && status == 0;
}

static bool measure_reading(const struct ledger_place *place, const struct ledger_verifier *v)
{
    struct ledger_report report;
    struct ledger_key *key;
    struct ledger *l;
    uint64_t start = os_monotonic_ns(), cpu = os_cpu_ns();
    if (ledger_verify(place->directory, v, NULL, NULL, &report) != LEDGER_IS_SOUND) return false;
    double s = (double)(os_monotonic_ns() - start) / 1e9, c = (double)(os_cpu_ns() - cpu) / 1e9;
    printf("\nverify: %llu leaves in %llu frames (%.1f a frame, %.0f bytes a leaf), %.2f M leaves/s, %.2f GiB/s (CPU "
           "%.2f s of %.2f s)\n",
        (unsigned long long)report.entries, (unsigned long long)report.frames,
        (double)report.entries / (double)report.frames, (double)report.bytes / (double)report.entries,
        (double)report.entries / s / 1e6, (double)report.bytes / s / (1u << 30), c, s);
    if (!is_ok(ledger_key_load(place->key_path, &key))) return false;
    start = os_monotonic_ns();
    if (!is_ok(ledger_open(place, key, NULL, &l))) return false;
    s = (double)(os_monotonic_ns() - start) / 1e9;
    printf("recovery: %.2f GiB/s\n", (double)report.bytes / s / (1u << 30));
    bool good = is_ok(ledger_close(l));
    ledger_key_free(key);
    return good;
}

/* What one durable write costs here and now, with nothing around it: every latency above contains at least one. */
static bool measure_disk(const char *root)
{
    enum { N = 500 };
    static uint32_t us[N];
    char path[600];
    struct os_direct file;
    void *block = os_aligned_alloc(FRAME_BYTES);
    snprintf(path, sizeof path, "%s/yardstick", root);
    bool good = block && is_ok(os_direct_create(path, N * (uint64_t)FRAME_BYTES, &file));
    for (unsigned i = 0; good && i < N; i++) {
        uint64_t start = os_monotonic_ns();
        good = is_ok(os_direct_write(&file, block, FRAME_BYTES, i * (uint64_t)FRAME_BYTES));
        us[i] = (uint32_t)((os_monotonic_ns() - start) / 1000);
    }
    if (good) os_direct_close(&file);
    os_aligned_free(block);
    qsort(us, N, sizeof *us, by_value);
    if (good) printf("one durable write of 16 KiB: p50 %u µs, p99 %u µs\n\n", us[N / 2], us[N * 99 / 100]);
    return good;
}

/* What the directory takes on the disk: the published log, its bundles' own lengths, and the rest. */
static struct {
    uint64_t published, bundles, log;
} taken;

static int take_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F) return 0;
    bool bundle = strstr(path, "/tlog/tile/entries/") != NULL;
    *(strstr(path, "/tlog/") ? &taken.published : &taken.log) += (uint64_t)st->st_blocks * 512;
    if (bundle) taken.bundles += (uint64_t)st->st_size;
    return 0;
}

/* After recycling all but the last segments of the write-ahead log stand in the published log alone. */
static bool measure_room(const struct ledger_place *place, const struct ledger_verifier *v)
{
    uint64_t leaves;
    uint8_t root[32];
    if (!is_ok(ledger_published(place->directory, v, &leaves, root)) || nftw(place->directory, take_file, 16, FTW_PHYS) != 0) return false;
    double leaf = ((double)taken.bundles - 2.0 * (double)leaves) / (double)leaves, each = (double)taken.published / (double)leaves;
    printf("\ndisk: %.1f bytes a leaf of %.1f bytes, %.3f of what 1.15 times the leaf and 33 bytes make; besides, write-ahead log and "
           "spares of %.0f MiB, however many leaves there are\n",
        each, leaf, each / (1.15 * leaf + 33), (double)taken.log / (1 << 20));
    return true;
}

static void measure_encoding(void)
{
    struct ledger_entry e;
    struct buf b;
    enum { N = 1000000 };
    buf_init(&b, LEDGER_ENTRY_MAX * 2);
    fill_entry(&e, 1);
    size_t len = 0;
    uint64_t start = os_cpu_ns();
    for (int i = 0; i < N; i++) {
        buf_clear(&b);
        if (!is_ok(ledger_entry_encode(&e, &b))) return;
        len = buf_len(&b);
    }
    printf("\nencode: %.0f ns an entry of %zu bytes\n", (double)(os_cpu_ns() - start) / N, len);
    buf_free(&b);
}

static unsigned read_number(const char *text, unsigned most)
{
    unsigned long n = strtoul(text, NULL, 10);
    return n < most ? (unsigned)n : most;
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "bench-ledger";
    char directory[512], key[512], command[600];
    snprintf(directory, sizeof directory, "%s/ledger", root);
    snprintf(key, sizeof key, "%s/ledger.key", root);
    struct ledger_place place = {directory, key, "gate1367.example/bench", 0};
    struct ledger_verifier v;
    if (!is_ok(os_make_dir(root, 0700)) || !is_ok(ledger_init(&place, &v))) {
        fprintf(stderr, "%s: cannot make a ledger there\n", root);
        return 2;
    }
    /* Steady rates first: what the others leave to be published shares the disk for a while, as the last row shows. */
    static const struct load all[] = {{1024, 5000, 3}, {1024, 15000, 3}, {1, 0, 3}, {16, 0, 3}, {64, 0, 3}, {256, 0, 3},
        {1024, 0, 3}, {1024, 15000, 3}};
    bool one = argc > 3;
    struct load wanted = {one ? read_number(argv[2], OUTSTANDING_MAX) : 0, one ? read_number(argv[3], 1000000) : 0,
        argc > 4 ? read_number(argv[4], 3600) : 3};
    const struct load *loads = one ? &wanted : all;
    size_t count = one ? 1 : ARRAY_LEN(all);
    bool good = measure_disk(root);
    printf(
        "| outstanding | offered | durable decisions/s | p50 µs | p99 µs | scribe CPU µs/entry | all CPU µs/entry |\n"
        "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count && good; i++)
        good = run_load(&place, loads[i]);
    if (good && !one) good = measure_reading(&place, &v) && measure_room(&place, &v);
    if (!one) measure_encoding();
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) == 0 && good ? 0 : 1;
}
