/* How long questions to the index take: a real ledger of so many entries (half of them completions), its write-ahead log
 * recycled, its index made, and questions as `log list --index` asks them, each until its last entry or the first thousand.
 * bench_report_index [entries] [directory]: ten million take 15 GB and some minutes. */
#include "ledger/publish.h"
#include "report/report.h"
#include <stdlib.h>
#include <unistd.h>

#define BEGAN UINT64_C(1780272000000000) /* 2026-06-01 */
#define STEP_US 250000u                  /* from one entry to the next: a month has about ten million */
#define PERSONS 100000u
#define LIST 1000u

static uint64_t mix(uint64_t n)
{
    static const uint8_t key[16] = "index bench seed";
    uint8_t bytes[8];
    store_le64(bytes, n);
    return siphash64(key, span_of(bytes, 8));
}

/* What varies as it does in life: whom, about whom, with which outcome. */
struct made {
    char request[LEDGER_REQUEST_ID], subject[1][LEDGER_PSEUDONYM], recipient[32];
    struct ledger_count rules[1];
    struct ledger_entry e;
};

static void make_entry(uint64_t n, struct made *m)
{
    static const char *const rules[] = {"a-number", "receipt", "coa-384", "form-i918"};
    uint64_t about = n / 2, chance = mix(about), person = mix(chance) % PERSONS;
    uint8_t random[10];
    bool rare = chance % 100 == 0;
    memcpy(random, &chance, 8);
    memcpy(random + 8, &about, 2);
    ledger_request_id((BEGAN + about * 2 * STEP_US) / 1000, random, m->request);
    snprintf(m->subject[0], LEDGER_PSEUDONYM, "%016llx%016llx", (unsigned long long)mix(person), (unsigned long long)mix(~person));
    snprintf(m->recipient, sizeof m->recipient, "recipient-%u", (unsigned)(chance >> 8) % 50);
    m->rules[0] = (struct ledger_count){span_str(rules[(chance >> 16) % 4]), 1};
    m->e = (struct ledger_entry){.time_us = BEGAN + n * STEP_US,
        .node = SPAN("gate1367.example/node-1"),
        .request = span_str(m->request),
        .event = n % 2 ? LEDGER_COMPLETION : LEDGER_DISCLOSURE,
        .recipient = {.id = span_str(m->recipient), .agency = SPAN("none"), .standing = SPAN("none")},
        .method = SPAN("GET"),
        .route = SPAN("/api/"),
        .target = SPAN("/api/persons"),
        .upstream_status = 200,
        .status = 200,
        .outcome = rare ? LEDGER_WITHHELD : LEDGER_CLEAR,
        .records = {60, rare, rare, 0, 60 - rare},
        .subjects = (const char(*)[LEDGER_PSEUDONYM])m->subject,
        .subject_count = rare,
        .rules = m->rules,
        .rule_count = rare,
        .grant = chance % 10000 == 1 ? SPAN("grant-17") : span_of(NULL, 0),
        .duration_us = 812,
        .bytes = 4096};
    memcpy(m->e.nonce, &chance, 8);
}

static result add(void *ctx, span part)
{
    return ledger_add(ctx, part);
}

static result fill(struct ledger *l, uint64_t entries)
{
    static struct made m;
    struct buf scratch;
    buf_init(&scratch, 2 * (size_t)LEDGER_ENTRY_MAX);
    result r = OK;
    for (uint64_t n = 0; n < entries && is_ok(r); n++) {
        make_entry(n, &m);
        r = ledger_entry_parts(&m.e, &scratch, add, l);
        if (is_ok(r) && n % 400 == 399) r = ledger_commit(l);
    }
    buf_free(&scratch);
    return is_ok(r) ? ledger_commit(l) : r;
}

static result grow(const struct ledger_place *place, const struct ledger_key *key, uint64_t entries)
{
    struct ledger *l = NULL;
    struct publication *p = NULL;
    struct ledger_mark mark;
    bool lost, more = true;
    TRY(ledger_open(place, key, NULL, &l));
    ledger_hurry_spares(l);
    TRY(publication_open(l, key, &p));
    result r = fill(l, entries);
    ledger_mark(l, &mark);
    if (is_ok(r)) r = publication_step(p, &mark, &lost);
    while (is_ok(r) && more)
        r = publication_recycle(p, 1000, &more);
    publication_close(p);
    result closed = ledger_close(l);
    return is_ok(r) ? closed : r;
}

struct asked {
    uint64_t found, first_ns;
    struct ledger_fetch *fetch;
};

static result take(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    (void)ctx, (void)index, (void)frame;
    return json.len > 0 ? OK : FAIL(ERROR_INTERNAL, 0);
}

static result each(void *ctx, uint64_t index)
{
    struct asked *a = ctx;
    if (a->found++ == 0) a->first_ns = os_monotonic_ns();
    TRY(ledger_fetch(a->fetch, index, take, NULL));
    return a->found < LIST ? OK : FAIL(ERROR_CLOSED, 0);
}

static result ask(struct report_index *i, struct ledger_fetch *fetch, const char *what, struct ledger_filter *f)
{
    struct asked a = {.fetch = fetch};
    uint64_t since = os_monotonic_ns();
    result r = report_index_find(i, f, each, &a);
    uint64_t end = os_monotonic_ns();
    printf("%-52s %5llu%c  first after %7.1f ms, all after %7.1f ms\n", what, (unsigned long long)a.found, a.found == LIST ? '+' : ' ',
        a.found ? (double)(a.first_ns - since) / 1e6 : 0.0, (double)(end - since) / 1e6);
    return r.class == ERROR_CLOSED ? OK : r;
}

static result ask_all(struct report_index *i, struct ledger_fetch *fetch, uint64_t entries)
{
    static struct made m;
    uint64_t middle = BEGAN + entries / 2 * STEP_US, hour = UINT64_C(3600000000);
    make_entry(entries / 2, &m);
    for (uint64_t n = entries / 2; m.e.subject_count == 0; n++) make_entry(n, &m);
    struct ledger_filter subject = {0};
    snprintf(subject.pseudonym, sizeof subject.pseudonym, "%s", m.subject[0]);
    struct {
        const char *what;
        struct ledger_filter f;
    } questions[] = {
        {"a request", {.request = m.request}},
        {"a subject", subject},
        {"a grant", {.grant = "grant-17"}},
        {"a rule", {.rule = "form-i918"}},
        {"a recipient", {.recipient = m.recipient}},
        {"a recipient's withheld answers", {.recipient = m.recipient, .outcome = "withheld"}},
        {"a recipient within an hour", {.recipient = m.recipient, .since_us = middle, .until_us = middle + hour}},
        {"a rule within a day", {.rule = "a-number", .since_us = middle, .until_us = middle + 24 * hour}},
        {"withheld answers", {.outcome = "withheld"}},
        {"withheld answers to a recipient, by a rule", {.outcome = "withheld", .recipient = m.recipient, .rule = "a-number"}},
        {"disclosures", {.event = "disclosure"}},
        {"an hour", {.since_us = middle, .until_us = middle + hour}},
        {"from a time on", {.since_us = middle}},
        {"everything", {0}},
        {"nobody", {.recipient = "nobody"}},
        {"an event that there was none of", {.event = "stop"}},
    };
    for (size_t k = 0; k < ARRAY_LEN(questions); k++)
        TRY(ask(i, fetch, questions[k].what, &questions[k].f));
    return OK;
}

static result measure(const struct ledger_place *place, const char *index_path, uint64_t entries)
{
    struct ledger_key *key = NULL;
    struct ledger_verifier v;
    struct report_index *i = NULL;
    struct ledger_fetch *fetch = NULL;
    TRY(ledger_init(place, &v));
    TRY(ledger_key_load(place->key_path, &key));
    uint64_t since = os_monotonic_ns();
    TRY(grow(place, key, entries));
    printf("%llu entries written and published in %.1f s\n", (unsigned long long)entries, (double)(os_monotonic_ns() - since) / 1e9);
    since = os_monotonic_ns();
    TRY(report_index_open(index_path, place->directory, &v, true, &i));
    TRY(report_index_update(i, NULL, NULL));
    printf("index made in %.1f s\n", (double)(os_monotonic_ns() - since) / 1e9);
    report_index_close(i);
    since = os_monotonic_ns();
    TRY(report_index_open(index_path, place->directory, &v, false, &i));
    printf("opened, and held against the ledger, in %.1f ms\n\n", (double)(os_monotonic_ns() - since) / 1e6);
    TRY(ledger_fetch_open(place->directory, &fetch));
    result r = ask_all(i, fetch, entries);
    ledger_fetch_close(fetch);
    report_index_close(i);
    ledger_key_free(key);
    return r;
}

int main(int argc, char **argv)
{
    char root[256], directory[300], key[300], index[300], command[320];
    uint64_t entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    snprintf(root, sizeof root, "%s/gate1367-index-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (!mkdtemp(root)) return 2;
    snprintf(directory, sizeof directory, "%s/ledger", root);
    snprintf(key, sizeof key, "%s/ledger.key", root);
    snprintf(index, sizeof index, "%s/index.db", root);
    struct ledger_place place = {directory, key, "gate1367.example/bench", 0};
    result r = measure(&place, index, entries);
    if (!is_ok(r)) fprintf(stderr, "%s\n", report_index_why(r));
    if (getenv("KEEP")) return 0;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command) == 0 && is_ok(r) ? 0 : 2;
}
