/* A ledger in a temporary directory, and the shell for what other programs are to say about it. */
#ifndef TEST_LEDGER_SUPPORT_H
#define TEST_LEDGER_SUPPORT_H

#include "ledger/layout.h"
#include "os/os.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_SEGMENT LEDGER_SEGMENT_MIN

struct site {
    char root[64], directory[96], key[96];
    struct ledger_place place;
    struct ledger_verifier verifier;
};

UNUSED static int shell(const char *fmt, ...)
{
    char command[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

UNUSED static struct site *site_new(void)
{
    struct site *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->root, sizeof s->root, "/tmp/gate1367-ledger-XXXXXX");
    assert_non_null(mkdtemp(s->root));
    snprintf(s->directory, sizeof s->directory, "%s/ledger", s->root);
    snprintf(s->key, sizeof s->key, "%s/ledger.key", s->root);
    s->place = (struct ledger_place){s->directory, s->key, "gate1367.example/node-1", TEST_SEGMENT};
    assert_true(is_ok(ledger_init(&s->place, &s->verifier)));
    return s;
}

UNUSED static void site_free(struct site *s)
{
    shell("rm -rf %s", s->root);
    free(s);
}

UNUSED static size_t make_entry(uint64_t i, size_t filler, char out[4096])
{
    return (size_t)snprintf(out, 4096, "{\"time\":\"2026-11-21T22:04:21.%06uZ\",\"n\":%llu,\"filler\":\"%0*d\"}",
        (unsigned)(i % 1000000), (unsigned long long)i, (int)filler, 0);
}

UNUSED static struct ledger_key *site_key(const struct site *s)
{
    struct ledger_key *key = NULL;
    assert_true(is_ok(ledger_key_load(s->key, &key)));
    return key;
}

/* Appends `frames` frames of `each` entries, from the index the ledger is at. */
UNUSED static void site_append(const struct site *s, unsigned frames, unsigned each, size_t filler)
{
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    char entry[4096];
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    for (unsigned f = 0; f < frames; f++) {
        for (unsigned i = 0; i < each; i++) {
            size_t n = make_entry(ledger_size(l) + i, filler, entry);
            assert_true(is_ok(ledger_add(l, span_of(entry, n))));
        }
        assert_true(is_ok(ledger_commit(l)));
    }
    assert_true(is_ok(ledger_close(l)));
    ledger_key_free(key);
}

UNUSED static enum ledger_judgement site_verify(const struct site *s, struct ledger_report *report)
{
    return ledger_verify(s->directory, &s->verifier, NULL, NULL, report);
}

/* The path of a file of the ledger; static storage. */
UNUSED static const char *site_path(const struct site *s, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", s->directory, name);
    return path;
}

#define FIRST_SEGMENT "wal/00000000000000000000.wal"

UNUSED static void poke(const char *path, uint64_t offset, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

UNUSED static void peek(const char *path, uint64_t offset, void *bytes, size_t len)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)offset, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, len, f), len);
    fclose(f);
}

UNUSED static void flip(const char *path, uint64_t offset, uint8_t mask)
{
    uint8_t byte;
    peek(path, offset, &byte, 1);
    byte ^= mask;
    poke(path, offset, &byte, 1);
}

#endif
