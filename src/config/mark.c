/* The mark of what was in force of the registry's journal (registry/mark.c), as a file beside the ledger: each gateway has a ledger of its own,
 * while several may share a registry. Where the ledger has a standby there is one beside that, too, and is written once the first one
 * cannot be: a device that fails takes nobody's answers along.
 *
 * A mark is read before the journal that it is held against, never behind it: what is written meanwhile goes into the journal first. */
#include "config/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define READ_TRIES 4 /* beside somebody who is just writing it */
#define READ_NAP_NS UINT64_C(5000000)

static RESULT path_of(const struct config *c, size_t place, char out[4096])
{
    const char *directory = place == 0 ? c->ledger.directory : c->standby.directory;
    REQUIRE(directory != NULL, ERROR_IO, ENOENT);
    int n = snprintf(out, 4096, "%s/" LEDGER_MARK_FILE, directory);
    REQUIRE(n > 0 && n < 4096, ERROR_IO, ENAMETOOLONG);
    return OK;
}

static RESULT read_place(const uint8_t key[32], int fd, struct registry_mark *out)
{
    struct buf text;
    result r = OK;
    for (unsigned i = 0; i < READ_TRIES; i++) {
        if (i > 0) os_nap_ns(READ_NAP_NS);
        TRY(os_read_fd(fd, 2 * REGISTRY_MARK_BYTES, &text));
        r = registry_mark_read(key, buf_span(&text), out);
        buf_free(&text);
        if (r.class != ERROR_CONFIG || r.code != REGISTRY_MARK_DAMAGED) return r;
    }
    return r;
}

RESULT config_mark_read(struct config_mark *m, const uint8_t key[32])
{
    for (size_t i = 0; i < CONFIG_MARKS; i++) {
        if (m->fds[i] < 0) continue;
        result r = read_place(key, m->fds[i], &m->marks[i]);
        bool foreign = r.class == ERROR_CONFIG && r.code == REGISTRY_MARK_FOREIGN;
        if (!is_ok(r) && !foreign) return r;
        if (i == 0) m->foreign = foreign;
        if (i == 0) m->made = !foreign && m->marks[i].sequence == 0;
    }
    return OK;
}

static RESULT make(const uint8_t key[32], const char *path)
{
    uint8_t file[REGISTRY_MARK_BYTES];
    struct registry_mark none = {0};
    for (size_t i = 0; i < REGISTRY_MARK_SLOTS; i++) TRY(registry_mark_encode(key, &none, file + i * REGISTRY_MARK_SLOT));
    return os_write_atomic(path, span_of(file, sizeof(file)), 0600);
}

static RESULT open_place(const char *path, bool writable, int *fd)
{
    bool denied = writable && fault_hit("mark-open");
    *fd = denied ? -1 : open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    bool unwritable = *fd < 0 && (denied || (writable && errno != ENOENT));
    /* A device that takes nothing more tells what it knows; what is due goes to the standby's. */
    if (unwritable) *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    return OK;
}

static RESULT open_places(const struct config *c, const uint8_t key[32], bool writable, struct config_mark *m)
{
    char path[4096];
    for (size_t i = 0; i < CONFIG_MARKS; i++) {
        if (i > 0 && c->standby.directory == NULL) continue;
        TRY(path_of(c, i, path));
        result r = open_place(path, writable, &m->fds[i]);
        bool missing = r.class == ERROR_IO && r.code == ENOENT;
        if (missing && i == 0) m->made = true;
        if (missing && !writable) continue;
        if (missing) r = make(key, path);
        if (missing && is_ok(r)) r = open_place(path, true, &m->fds[i]);
        TRY(r);
    }
    return OK;
}

RESULT config_mark_open(const struct config *c, const uint8_t key[32], bool writable, struct config_mark *m)
{
    *m = (struct config_mark){.fds = {-1, -1}};
    TRY(open_places(c, key, writable, m));
    return config_mark_read(m, key);
}

void config_mark_close(struct config_mark *m)
{
    for (size_t i = 0; i < CONFIG_MARKS; i++) os_close(&m->fds[i]);
}

RESULT config_mark_judge(const struct config_mark *m, span journal, uint64_t index)
{
    for (size_t i = 0; i < CONFIG_MARKS; i++)
        if (m->fds[i] >= 0) TRY(registry_mark_judge(&m->marks[i], journal, index));
    return OK;
}

RESULT config_mark_judge_registry(const struct config_mark *m, const struct config *c, const struct config_registry *now)
{
    struct buf journal;
    struct registry_info info;
    buf_init(&journal, 0);
    if (os_exists(c->journal_path)) TRY(os_read_file(c->journal_path, CONFIG_JOURNAL_MAX, &journal));
    registry_info(now->registry, &info);
    size_t whole = now->journal.bytes < buf_len(&journal) ? (size_t)now->journal.bytes : buf_len(&journal);
    result r = config_mark_judge(m, span_sub(buf_span(&journal), 0, whole), info.journal);
    buf_free(&journal);
    return r;
}

uint64_t config_mark_position(const struct config_mark *m)
{
    uint64_t most = 0;
    for (size_t i = 0; i < CONFIG_MARKS; i++)
        if (m->fds[i] >= 0 && m->marks[i].position > most) most = m->marks[i].position;
    return most;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static RESULT write_place(struct config_mark *m, size_t place, const uint8_t key[32], const struct registry_mark *next)
{
    uint8_t slot[REGISTRY_MARK_SLOT];
    struct registry_mark as = *next, *was = &m->marks[place];
    REQUIRE(m->fds[place] >= 0, ERROR_IO, EBADF);
    REQUIRE(!fault_hit("mark"), ERROR_IO, EIO);
    as.sequence = was->sequence + 1;
    as.slot = (was->slot + 1) % REGISTRY_MARK_SLOTS;
    TRY(registry_mark_encode(key, &as, slot));
    TRY(os_write_at(m->fds[place], span_of(slot, sizeof(slot)), (uint64_t)as.slot * REGISTRY_MARK_SLOT));
    *was = as;
    m->unsynced = true;
    return OK;
}

static RESULT sync_place(struct config_mark *m, size_t place)
{
    REQUIRE(!fault_hit("mark-sync"), ERROR_IO, EIO);
    TRY(os_append_durable(m->fds[place], span_of(NULL, 0)));
    m->unsynced = false;
    return OK;
}

/* What could not be made durable is written anew: the kernel forgets what it could not write. */
static RESULT keep_at(struct config_mark *m, size_t place, const uint8_t key[32], const struct registry_mark *next, bool durable)
{
    const struct registry_mark *was = &m->marks[place];
    bool advances = registry_mark_advances(was, next) || was->sequence == 0;
    if (advances || m->broken) TRY(write_place(m, place, key, advances ? next : was));
    m->broken = false;
    if (!durable || !m->unsynced) return OK;
    result r = sync_place(m, place);
    m->broken = !is_ok(r);
    return r;
}

RESULT config_mark_keep(struct config_mark *m, const uint8_t key[32], const struct registry_mark *next, bool durable)
{
    result r = FAIL(ERROR_IO, EBADF);
    for (; m->place < CONFIG_MARKS; m->place++) {
        if (m->fds[m->place] < 0) break;
        r = keep_at(m, m->place, key, next, durable);
        if (is_ok(r) || m->place + 1 == CONFIG_MARKS || m->fds[m->place + 1] < 0) return r;
        m->broken = m->unsynced = false;
    }
    return r;
}

RESULT config_mark_renew(struct config_mark *m, const uint8_t key[32], const struct registry_mark *next)
{
    for (size_t i = 0; i < CONFIG_MARKS; i++) {
        if (m->fds[i] < 0) continue;
        REQUIRE(ftruncate(m->fds[i], REGISTRY_MARK_BYTES) == 0, ERROR_IO, errno);
        for (size_t k = 0; k < REGISTRY_MARK_SLOTS; k++) TRY(write_place(m, i, key, next));
        TRY(sync_place(m, i));
    }
    return m->fds[0] >= 0 ? OK : FAIL(ERROR_IO, EBADF);
}

void config_mark_words(const struct config_mark *m, result r, uint64_t there, char out[CONFIG_MARK_WORDS])
{
    unsigned long long known = config_mark_position(m), position = there;
    const char *remedy = "bring back the newest one, or where it is lost build the index from a source that has its changes, and then "
                         "run registry accept";
    if (r.class != ERROR_CONFIG) snprintf(out, CONFIG_MARK_WORDS, LEDGER_MARK_FILE " beside the ledger: %s", os_error_text(r));
    else if (r.code == REGISTRY_MARK_DAMAGED)
        snprintf(out, CONFIG_MARK_WORDS, LEDGER_MARK_FILE " beside the ledger %s; see that it does, then run registry accept", registry_error_text((int)r.code));
    else
        snprintf(out, CONFIG_MARK_WORDS, "%s: up to record %llu was in force, and what is there ends at %llu; %s", registry_error_text((int)r.code), known,
            position, remedy);
}
