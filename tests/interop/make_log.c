/* Makes published logs fast, through the code that publishes: make_log DIRECTORY KEY [WORD]. Reads sizes from standard input, one a
 * line; after each the log has grown to that size and is published, and the size is written back. Logs of different words have different entries. */
#include "ledger/publish.h"
#include <stdlib.h>

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    return ledger_key_sign(ctx, message, signature);
}

static result grow(
    struct tiles *t, const struct tlog_verifier *v, struct ledger_key *key, const char *word, uint64_t size)
{
    struct buf note;
    tlog_hash root;
    char leaf[128];
    while (t->edge.size < size) {
        unsigned long long n = t->edge.size;
        int len = snprintf(leaf, sizeof leaf, "{\"n\":%llu,\"%.16s\":\"%0*d\"}", n, word, (int)(n % 40), 0);
        TRY(tiles_add(t, span_of(leaf, (size_t)len)));
    }
    REQUIRE(tlog_edge_root(&t->edge, root), ERROR_INTERNAL, 0);
    buf_init(&note, TLOG_NOTE_MAX);
    result r = tlog_checkpoint_sign(&note, v, t->edge.size, root, sign, key);
    if (is_ok(r)) r = tiles_publish(t, buf_span(&note));
    buf_free(&note);
    return r;
}

int main(int argc, char **argv)
{
    struct ledger_key *key = NULL;
    struct ledger_verifier own;
    struct tiles *t = NULL;
    char line[64];
    if (argc < 3 || !is_ok(ledger_key_load(argv[2], &key))) return 2;
    if (!is_ok(ledger_verifier_of(key, "made.example/log", &own)) || !is_ok(tiles_open(argv[1], 0, 0, &t))) return 2;
    struct tlog_verifier v = tlog_of(&own);
    while (fgets(line, sizeof line, stdin)) {
        if (!is_ok(grow(t, &v, key, argc > 3 ? argv[3] : "filler", strtoull(line, NULL, 10)))) return 1;
        printf("%llu\n", (unsigned long long)t->edge.size);
        fflush(stdout);
    }
    tiles_close(t);
    ledger_key_free(key);
    return 0;
}
