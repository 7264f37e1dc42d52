/* How long a scribe takes to recover: a log of the given size, of which nothing is published yet, is read whole from the disk,
 * every entry hashed. bench_ledger_recovery [MiB] [directory] */
#include "ledger/ledger.h"
#include "os/os.h"
#include <stdlib.h>
#include <unistd.h>

#define ENTRY 1000
#define GROUP 100

static result fill(struct ledger *l, uint64_t bytes)
{
    char entry[ENTRY + 1];
    for (uint64_t n = 0; n * ENTRY < bytes; n++) {
        snprintf(entry, sizeof entry, "{\"time\":\"2026-11-21T22:04:21.123456Z\",\"n\":%12llu,\"filler\":\"%0*d\"}",
            (unsigned long long)n, ENTRY - 76, 0);
        TRY(ledger_add(l, span_str(entry)));
        if (n % GROUP == GROUP - 1) TRY(ledger_commit(l));
    }
    return ledger_commit(l);
}

static result measure(const struct ledger_place *place, uint64_t mib)
{
    struct ledger_key *key = NULL;
    struct ledger_verifier verifier;
    struct ledger *l = NULL;
    TRY(ledger_init(place, &verifier));
    TRY(ledger_key_load(place->key_path, &key));
    TRY(ledger_open(place, key, NULL, &l));
    TRY(fill(l, mib << 20));
    TRY(ledger_close(l));
    for (int round = 0; round < 3; round++) {
        uint64_t cpu = os_cpu_ns(), since = os_monotonic_ns();
        TRY(ledger_open(place, key, NULL, &l));
        printf("%llu MiB, %llu entries: recovered in %.2f s, %.2f s of CPU\n", (unsigned long long)mib,
            (unsigned long long)ledger_size(l), (double)(os_monotonic_ns() - since) / 1e9, (double)(os_cpu_ns() - cpu) / 1e9);
        ledger_give_up(l);
        result closed = ledger_close(l);
        (void)closed; /* it wrote nothing */
    }
    ledger_key_free(key);
    return OK;
}

int main(int argc, char **argv)
{
    char root[256], directory[300], key[300], command[320];
    uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 1024;
    snprintf(root, sizeof root, "%s/gate1367-recovery-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (!mkdtemp(root)) return 2;
    snprintf(directory, sizeof directory, "%s/ledger", root);
    snprintf(key, sizeof key, "%s/ledger.key", root);
    struct ledger_place place = {directory, key, "gate1367.example/bench", 0};
    result r = measure(&place, mib);
    if (!is_ok(r)) fprintf(stderr, "%s\n", ledger_error_text(r));
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command) == 0 && is_ok(r) ? 0 : 2;
}
