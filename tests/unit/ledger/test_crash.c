/* A crash at every moment. What the writer asks of the kernel is recorded (these definitions of pwrite, fsync, … stand
 * before the C library's), and then every state is made that a disk may be left in: each write that was under way, or not
 * yet flushed, has arrived whole, not at all, or in any part of its sectors or pages, in any order; a rename has happened, or
 * not, or half, so that the file has both names; a removed file is there again. From each the ledger must open again with everything that had been acknowledged, be the same, and be able to
 * go on. GATE1367_CRASH_POINTS=N runs more of them, GATE1367_SEED=N others. */
#include "ledger/support.h"

#include "ledger/publish.h"
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define POINTS 1000u
#define FILES 24u
#define OPS 4096u
#define SECTOR 512u
#define NAME 48u
#define ROOTS 65536u

enum op_kind { OP_CREATE, OP_WRITE, OP_SYNC, OP_RENAME, OP_SYNC_NAMES, OP_ACKNOWLEDGED };
struct op {
    enum op_kind kind;
    uint64_t inode, offset, size; /* ACKNOWLEDGED: entries, in size */
    bool at_once;                 /* the write is durable when it returns */
    uint8_t *data;                /* NULL: zeros */
    char from[NAME], to[NAME]; /* to "": removed; SYNC_NAMES: of the directory `from` */
};

/* The recording, and what is known of the ledger at each size. */
static struct {
    bool on;
    char directory[96];
    struct op *ops;
    size_t count;
    uint8_t (*roots)[32];
} tape;

/* ---- recording ------------------------------------------------------------------------------------------------------- */

static struct op *record(enum op_kind kind)
{
    assert_true(tape.count < OPS);
    struct op *o = &tape.ops[tape.count++];
    *o = (struct op){.kind = kind};
    return o;
}

/* The name below the ledger's directory; false: a file elsewhere. */
static bool inside(const char *path, char out[NAME])
{
    size_t n = strlen(tape.directory);
    if (strncmp(path, tape.directory, n) != 0 || (path[n] != '/' && path[n] != '\0')) return false;
    return snprintf(out, NAME, "%s", path[n] ? path + n + 1 : "") < (int)NAME;
}

static bool known(int fd, struct stat *st, char name[NAME])
{
    char link[64], path[512];
    if (!tape.on || fstat(fd, st) != 0) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return inside(path, name);
}

static void record_write(int fd, const void *data, size_t len, off_t at)
{
    static const uint8_t zeros[LEDGER_FRAME_MAX];
    struct stat st;
    char name[NAME];
    if (!known(fd, &st, name) || !S_ISREG(st.st_mode)) return;
    struct op *o = record(OP_WRITE);
    o->inode = st.st_ino, o->offset = (uint64_t)at, o->size = len;
    o->at_once = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    bool zero = true;
    for (size_t i = 0; i < len && zero; i += sizeof zeros)
        zero = memcmp((const uint8_t *)data + i, zeros, len - i < sizeof zeros ? len - i : sizeof zeros) == 0;
    if (zero) return;
    o->data = malloc(len);
    assert_non_null(o->data);
    memcpy(o->data, data, len);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at);
ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    record_write(fd, data, len, at);
    return syscall(SYS_pwrite64, fd, data, len, at);
}
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return pwrite(fd, data, len, at);
}

static void record_sync(int fd)
{
    struct stat st;
    char name[NAME];
    if (!known(fd, &st, name)) return;
    struct op *o = record(S_ISDIR(st.st_mode) ? OP_SYNC_NAMES : OP_SYNC);
    o->inode = st.st_ino;
    snprintf(o->from, NAME, "%s", name);
}

int fsync(int fd)
{
    int r = (int)syscall(SYS_fsync, fd);
    record_sync(fd);
    return r;
}
int fdatasync(int fd)
{
    int r = (int)syscall(SYS_fdatasync, fd);
    record_sync(fd);
    return r;
}

int rename(const char *from, const char *to)
{
    char a[NAME], b[NAME];
    if (tape.on && inside(from, a) && inside(to, b)) {
        struct op *o = record(OP_RENAME);
        snprintf(o->from, NAME, "%s", a);
        snprintf(o->to, NAME, "%s", b);
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    char name[NAME];
    if (tape.on && inside(path, name) && access(path, F_OK) == 0) {
        struct op *o = record(OP_RENAME);
        snprintf(o->from, NAME, "%s", name);
    }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
    struct stat st;
    int r = syscall(SYS_fallocate, fd, 0, at, len) == 0 ? 0 : errno;
    struct op *o = NULL;
    char name[NAME];
    if (r == 0 && known(fd, &st, name)) {
        o = record(OP_CREATE);
        o->inode = st.st_ino, o->size = (uint64_t)len;
        snprintf(o->to, NAME, "%s", name);
    }
    return r;
}

/* ---- what a disk holds ------------------------------------------------------------------------------------------------- */

struct file {
    uint64_t inode, size;
    char name[NAME];  /* by the last rename that is known to be durable; "": removed */
    char second[NAME]; /* left behind by half a rename */
    uint8_t *content; /* durable */
};
/* A rename of which not all is durable: the new name is, the old one's going is. */
struct moving {
    const struct op *op;
    bool come, gone;
};
struct disk {
    struct file files[FILES];
    size_t count;
    const struct op *writes[32]; /* neither flushed nor lost, oldest first */
    size_t write_count;
    struct moving renames[4];
    size_t rename_count;
    uint64_t acknowledged;
};

static struct file *find_file(struct disk *d, uint64_t inode)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->files[i].inode == inode) return &d->files[i];
    return NULL;
}

static struct file *add_file(struct disk *d, uint64_t inode, uint64_t size, const char *name)
{
    assert_true(d->count < FILES);
    struct file *f = &d->files[d->count++];
    *f = (struct file){.inode = inode, .size = size, .content = calloc(1, size)};
    assert_non_null(f->content);
    snprintf(f->name, NAME, "%s", name);
    return f;
}

static void put(uint8_t *content, const struct op *o, uint64_t from, uint64_t to)
{
    if (o->data) memcpy(content + o->offset + from, o->data + from, to - from);
    else memset(content + o->offset + from, 0, to - from);
}

static void flush(struct disk *d, uint64_t inode)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->write_count; i++) {
        const struct op *o = d->writes[i];
        if (o->inode == inode) put(find_file(d, inode)->content, o, 0, o->size);
        else d->writes[kept++] = o;
    }
    d->write_count = kept;
}

static void apply_rename(struct disk *d, const struct op *o)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->files[i].name, o->from) == 0) snprintf(d->files[i].name, NAME, "%s", o->to);
}

/* The kernel has begun the operation: from here on its effects may be on the disk. */
static void begin(struct disk *d, const struct op *o)
{
    if (o->kind == OP_CREATE) {
        add_file(d, o->inode, o->size, o->to);
    } else if (o->kind == OP_WRITE && find_file(d, o->inode)) {
        assert_true(d->write_count < ARRAY_LEN(d->writes));
        d->writes[d->write_count++] = o;
    } else if (o->kind == OP_RENAME) {
        assert_true(d->rename_count < ARRAY_LEN(d->renames));
        d->renames[d->rename_count++] = (struct moving){.op = o, .come = !o->to[0]};
    }
}

static bool stands_in(const char *name, const char *directory)
{
    const char *slash = strrchr(name, '/');
    size_t n = slash ? (size_t)(slash - name) : 0;
    return name[0] && strlen(directory) == n && memcmp(name, directory, n) == 0;
}

static void sync_names(struct disk *d, const char *directory)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->rename_count; i++) {
        struct moving m = d->renames[i];
        m.come = m.come || stands_in(m.op->to, directory);
        m.gone = m.gone || stands_in(m.op->from, directory);
        if (m.come && m.gone) apply_rename(d, m.op);
        else d->renames[kept++] = m;
    }
    d->rename_count = kept;
}

/* It has returned. */
static void finish(struct disk *d, const struct op *o)
{
    if (o->kind == OP_SYNC) flush(d, o->inode);
    if (o->kind == OP_WRITE && o->at_once && find_file(d, o->inode)) {
        put(find_file(d, o->inode)->content, o, 0, o->size); /* by itself: it takes along nothing that came before */
        d->write_count--;
    }
    if (o->kind == OP_SYNC_NAMES) sync_names(d, o->from);
    if (o->kind == OP_ACKNOWLEDGED) d->acknowledged = o->size;
}

/* ---- making it so ------------------------------------------------------------------------------------------------------ */

static uint64_t chance(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Which parts of a write have arrived. */
enum arrival { NOTHING, ALL, BEGINNING, END, SOME_SECTORS, SOME_PAGES, ALL_BUT_ONE, ONLY_ONE, NOISE, ARRIVALS };
struct tear {
    enum arrival how;
    uint64_t unit, units, cut;
};

static struct tear choose_tear(uint64_t size, uint64_t *random)
{
    struct tear t = {.how = (enum arrival)(chance(random) % ARRIVALS)};
    t.unit = t.how == SOME_PAGES ? 4096 : SECTOR;
    t.units = (size + t.unit - 1) / t.unit;
    t.cut = chance(random) % (t.units + 1);
    return t;
}

static bool arrives(const struct tear *t, uint64_t i, uint64_t *random)
{
    switch (t->how) {
    case NOTHING: return false;
    case ALL: return true;
    case BEGINNING:
    case NOISE: return i < t->cut;
    case END: return i >= t->cut;
    case SOME_SECTORS:
    case SOME_PAGES: return chance(random) & 1;
    case ALL_BUT_ONE: return i != t->cut;
    case ONLY_ONE: return i == t->cut;
    case ARRIVALS: break;
    }
    fail();
    return false;
}

static void tear_write(uint8_t *content, const struct op *o, uint64_t *random)
{
    struct tear t = choose_tear(o->size, random);
    for (uint64_t i = 0; i < t.units; i++) {
        uint64_t from = i * t.unit, to = from + t.unit < o->size ? from + t.unit : o->size;
        if (arrives(&t, i, random)) put(content, o, from, to);
        else if (t.how == NOISE && i == t.cut) /* no disk should; ours must bear it */
            for (uint64_t at = from; at < to; at++) content[o->offset + at] = (uint8_t)chance(random);
    }
}

static void write_file(const char *directory, const char *name, const uint8_t *content, uint64_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, size), (ssize_t)size);
    close(fd);
}

/* Of what the recording knows; LOCK and node.json stay. */
static void empty(const char *directory, const char *below)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, below);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strstr(e->d_name, ".wal") || strstr(e->d_name, ".new") || strstr(e->d_name, ".old") || strncmp(e->d_name, "tip.", 4) == 0) unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

/* A name that is not durable may be there or not; the old one goes at the earliest when the new one has come. */
static void half_rename(struct disk *d, const struct moving *m, uint64_t *random)
{
    bool come = m->come || (chance(random) & 1), gone = m->gone || (come && (chance(random) & 1));
    for (size_t i = 0; i < d->count; i++) {
        struct file *f = &d->files[i];
        if (strcmp(f->name, m->op->from) != 0) continue;
        assert_true(come || !gone); /* else the file has no name, and is lost */
        if (come && !gone && m->op->to[0]) snprintf(f->second, NAME, "%s", f->name);
        if (come && (gone || m->op->to[0])) snprintf(f->name, NAME, "%s", m->op->to);
    }
}

static void give_second_name(const struct site *s, const struct file *f)
{
    char path[256], second[256];
    if (!f->second[0]) return;
    snprintf(path, sizeof path, "%s/%s", s->directory, f->name);
    snprintf(second, sizeof second, "%s/%s", s->directory, f->second);
    assert_int_equal(link(path, second), 0);
}

/* The whole directory anew. */
static void lay_out(const struct site *s, const struct disk *d, uint64_t *random)
{
    struct disk after = *d;
    empty(s->directory, "wal");
    empty(s->directory, "wal/spare");
    empty(s->directory, "");
    for (size_t i = 0; i < d->rename_count; i++)
        half_rename(&after, &d->renames[i], random);
    uint8_t *content = malloc(TEST_SEGMENT);
    assert_non_null(content);
    for (size_t i = 0; i < after.count; i++) {
        const struct file *f = &after.files[i];
        if (!f->name[0]) continue;
        memcpy(content, f->content, f->size);
        for (size_t w = 0; w < d->write_count; w++)
            if (d->writes[w]->inode == f->inode) tear_write(content, d->writes[w], random);
        write_file(s->directory, f->name, content, f->size);
        give_second_name(s, f);
    }
    free(content);
}

/* Only what is torn; the rest stands as it was laid out. */
static void patch(const struct site *s, const struct disk *d, uint64_t *random)
{
    for (size_t w = 0; w < d->write_count; w++) {
        const struct op *o = d->writes[w];
        const struct file *f = find_file((struct disk *)(uintptr_t)d, o->inode);
        uint8_t *content = malloc(f->size);
        char path[256];
        assert_non_null(content);
        memcpy(content, f->content, f->size);
        if (random) tear_write(content, o, random);
        snprintf(path, sizeof path, "%s/%s", s->directory, f->name);
        poke(path, o->offset, content + o->offset, o->size);
        free(content);
    }
}

/* ---- judging --------------------------------------------------------------------------------------------------------- */

static struct ledger_key *key;
static uint64_t points, went_on, seed;

static void expect_recovery(const struct site *s, const struct disk *d, size_t at)
{
    struct ledger *l = NULL;
    struct ledger_problem problem;
    char text[256] = "";
    uint8_t root[32];
    result r = ledger_open(&s->place, key, &problem, &l);
    if (!is_ok(r)) {
        ledger_problem_format(&problem, text, sizeof text);
        fail_msg("point %llu, operation %zu: %s: %s; files stay in %s", (unsigned long long)points, at,
            ledger_error_text(r), text, s->root);
    }
    uint64_t size = ledger_size(l);
    if (size < d->acknowledged) fail_msg("point %llu, operation %zu: %llu entries of %llu; files stay in %s",
        (unsigned long long)points, at, (unsigned long long)size, (unsigned long long)d->acknowledged, s->root);
    ledger_root(l, root);
    assert_memory_equal(root, tape.roots[size], 32);
    ledger_give_up(l); /* writes nothing more */
    assert_int_equal(ledger_close(l).code, LEDGER_E_FAILED);
    points++;
}

/* … and it goes on from there. */
static void expect_future(const struct site *s, const struct disk *d)
{
    struct ledger_report report;
    site_append(s, 2, 3, 700);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_true(report.entries >= d->acknowledged + 6);
    assert_false(report.torn);
    went_on++;
}

/* ---- the recorded run -------------------------------------------------------------------------------------------------- */

static void commit_and_note(struct ledger *l)
{
    assert_true(is_ok(ledger_commit(l)));
    struct op *o = record(OP_ACKNOWLEDGED);
    o->size = ledger_size(l);
    assert_true(o->size < ROOTS);
    ledger_root(l, tape.roots[o->size]);
}

/* Frames of one block to many, over several segments, with tips and spares in between. */
static void run_writer(const struct site *s, uint64_t *random)
{
    struct ledger *l = NULL;
    char entry[4096];
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    ledger_root(l, tape.roots[0]);
    for (unsigned f = 0; f < 90; f++) {
        unsigned entries = 1 + (unsigned)(chance(random) % (f % 9 == 0 ? 120 : 12));
        for (unsigned i = 0; i < entries; i++) {
            size_t n = make_entry(ledger_size(l) + i, chance(random) % 2500, entry);
            assert_true(is_ok(ledger_add(l, span_of(entry, n))));
        }
        commit_and_note(l);
        if (f % 4 == 3) assert_true(is_ok(ledger_write_tip(l)));
        if (f % 30 == 20) assert_true(is_ok(ledger_make_spares(l)));
    }
    assert_true(is_ok(ledger_close(l)));
}

/* Segments whose entries are published are recycled, zeroed and used again, while commits go on. */
static void run_again(const struct site *s, uint64_t *random)
{
    struct ledger *l = NULL;
    struct publication *p = NULL;
    struct ledger_mark mark;
    char entry[4096];
    bool lost, more = true;
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    ledger_root(l, tape.roots[ledger_size(l)]);
    ledger_mark(l, &mark);
    assert_true(is_ok(publication_open(l, key, &p)));
    assert_true(is_ok(publication_step(p, &mark, &lost)));
    for (unsigned f = 0; f < 60; f++) {
        for (unsigned i = 0; i < 60; i++) {
            size_t n = make_entry(ledger_size(l) + i, chance(random) % 2500, entry);
            assert_true(is_ok(ledger_add(l, span_of(entry, n))));
        }
        commit_and_note(l);
        if (more) assert_true(is_ok(publication_recycle(p, 1, &more)));
        if (f % 7 == 6) assert_true(is_ok(ledger_make_spares(l)));
    }
    publication_close(p);
    assert_true(is_ok(ledger_close(l)));
}

static void take_file(struct disk *d, const struct site *s, const char *name)
{
    struct stat st;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", s->directory, name);
    if (stat(path, &st) != 0) return;
    struct file *f = add_file(d, st.st_ino, (uint64_t)st.st_size, name);
    peek(path, 0, f->content, f->size);
}

/* What there was before the recording began. */
static void begin_disk(struct disk *d, const struct site *s)
{
    static const char *const names[] = {"wal/spare/0.wal", "wal/spare/1.wal", "tip.a", "tip.b"};
    struct segments segments;
    char name[NAME];
    *d = (struct disk){0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        take_file(d, s, names[i]);
    assert_true(is_ok(segments_list(s->directory, &segments)));
    for (size_t i = 0; i < segments.count; i++) {
        snprintf(name, sizeof name, SEGMENT_NAME, (unsigned long long)segments.first[i]);
        take_file(d, s, name);
    }
    mem_free(segments.first);
}

static struct site *site_in_memory(void)
{
    struct site *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->root, sizeof s->root, "%s/gate1367-crash-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(s->root));
    snprintf(s->directory, sizeof s->directory, "%s/ledger", s->root);
    snprintf(s->key, sizeof s->key, "%s/ledger.key", s->root);
    s->place = (struct ledger_place){s->directory, s->key, "gate1367.example/node-1", TEST_SEGMENT};
    assert_true(is_ok(ledger_init(&s->place, &s->verifier)));
    return s;
}

static void start_tape(const struct site *s)
{
    snprintf(tape.directory, sizeof tape.directory, "%s", s->directory);
    tape.ops = calloc(OPS, sizeof *tape.ops);
    tape.roots = calloc(ROOTS, sizeof *tape.roots);
    assert_true(tape.ops && tape.roots);
    tape.count = 0;
    tape.on = true;
}

static void forget(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->files[i].content);
    for (size_t i = 0; i < tape.count; i++)
        free(tape.ops[i].data);
    free(tape.ops);
    free(tape.roots);
}

static uint64_t wanted_points(void)
{
    const char *text = getenv("GATE1367_CRASH_POINTS");
    return text ? strtoull(text, NULL, 10) : POINTS;
}

/* All moments have their share; one at which nothing is under way has one state only. */
static void crash_everywhere(const struct site *s, struct disk *d, uint64_t share, uint64_t *random)
{
    for (size_t at = 0; at < tape.count; at++) {
        const struct op *o = &tape.ops[at];
        begin(d, o);
        bool moving = d->write_count > 0 || d->rename_count > 0;
        if (o->kind != OP_ACKNOWLEDGED && (o->kind != OP_WRITE || o->data || at % 16 == 0)) {
            lay_out(s, d, random);
            expect_recovery(s, d, at);
            if (at % 37 == 0) {
                expect_future(s, d);
                lay_out(s, d, random);
            }
            for (uint64_t i = 0; i < share && moving && d->rename_count == 0 && o->kind == OP_WRITE && o->data; i++) {
                patch(s, d, random);
                expect_recovery(s, d, at);
                patch(s, d, NULL);
            }
        }
        finish(d, o);
    }
}

static void crash_test(struct site *s, const char *fault, void (*run)(const struct site *s, uint64_t *random))
{
    struct disk d;
    const char *text = getenv("GATE1367_SEED");
    uint64_t random = seed = text ? strtoull(text, NULL, 10) : 1367;
    size_t writes = 0;
    key = site_key(s);
    begin_disk(&d, s);
    start_tape(s);
    if (fault) fault_init("direct:1+", NULL);
    run(s, &random);
    tape.on = false;
    for (size_t i = 0; i < tape.count; i++)
        writes += tape.ops[i].kind == OP_WRITE && tape.ops[i].data;
    assert_true(writes >= 60);
    points = went_on = 0;
    crash_everywhere(s, &d, wanted_points() / 2 / writes, &random);
    fault_init("", NULL);
    assert_int_equal(d.write_count + d.rename_count, 0);
    print_message("%s: %llu crashes, %llu gone on from; %zu operations, seed %llu\n", fault ? "without O_DIRECT" : "with O_DIRECT",
        (unsigned long long)points, (unsigned long long)went_on, tape.count, (unsigned long long)seed);
    assert_true(points >= wanted_points() / 3);
    forget(&d);
    ledger_key_free(key);
    site_free(s);
}

//= ICE10036.2 4.6
static void test_a_crash_at_every_moment(void **state)
{
    (void)state;
    crash_test(site_in_memory(), NULL, run_writer);
}

static void test_a_crash_at_every_moment_where_o_direct_is_refused(void **state)
{
    (void)state;
    crash_test(site_in_memory(), "direct", run_writer);
}

static void test_a_crash_while_segments_are_used_again(void **state)
{
    (void)state;
    struct site *s = site_in_memory();
    struct ledger_key *own = site_key(s);
    struct ledger *l = NULL;
    site_append(s, 60, 50, 1500);
    assert_true(is_ok(ledger_open(&s->place, own, NULL, &l)));
    assert_true(is_ok(ledger_publish(l, own)));
    assert_true(is_ok(ledger_close(l)));
    ledger_key_free(own);
    crash_test(s, NULL, run_again);
}

int main(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30); /* windows of megabytes, thousands of times: not from the kernel each time */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crash_at_every_moment),
        cmocka_unit_test(test_a_crash_at_every_moment_where_o_direct_is_refused),
        cmocka_unit_test(test_a_crash_while_segments_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
