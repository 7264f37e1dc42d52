/* The writer: recovers, gathers a group, signs it as a frame, makes it durable. One error and it is over. */
#include "ledger/frame_crew.h"
#include "ledger/publish.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct ledger {
    uint32_t magic;
    char *directory;
    const struct ledger_key *key;
    struct node node;
    int lock_fd;
    struct os_direct segment;
    uint64_t segment_first;
    uint64_t offset;  /* where the next frame goes */
    struct walk walk; /* of what is durable; its tree already holds what is gathered */
    uint8_t *frame;
    size_t payload;
    uint32_t count;
    bool failed;
    uint64_t tip_size;
    unsigned tip_turn;
    uint8_t *tip;
    pthread_mutex_t making_lock; /* held while a spare is made, which takes long */
    pthread_mutex_t spares_lock; /* of the array, held for a moment */
    bool spares[SPARE_COUNT];
    _Atomic bool hurry;   /* no rests while a spare is made */
    _Atomic bool halfway; /* through the segment that is written */
};
#define LEDGER_MAGIC 0x6c656467u

/* ---- opening -------------------------------------------------------------------------------------------------- */

static result take_lock(struct ledger *l)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, l->directory, "LOCK"));
    result r = os_lock(path, &l->lock_fd);
    if (!is_ok(r) && r.code == EWOULDBLOCK) return FAIL(ERROR_IO, LEDGER_E_LOCKED);
    return r;
}

/* A crash may have left the file under both names of a rename: what is the log's is nobody's spare. */
static result is_segment(const struct ledger *l, const char *spare, bool *out)
{
    char path[PATH_BYTES];
    struct os_identity mine, other;
    struct segments s;
    TRY(os_identify(spare, &mine));
    TRY(segments_list(l->directory, &s));
    result r = OK;
    *out = false;
    for (size_t i = 0; i < s.count && is_ok(r) && !*out; i++) {
        r = layout_path(path, l->directory, SEGMENT_NAME, (unsigned long long)s.first[i]);
        if (is_ok(r)) r = os_identify(path, &other);
        *out = is_ok(r) && os_same_file(&mine, &other);
    }
    mem_free(s.first);
    return r;
}

static result keep_unless_segment(const struct ledger *l, const char *path, bool *there)
{
    bool used = false;
    *there = os_exists(path);
    if (*there) TRY(is_segment(l, path, &used));
    if (!used) return OK;
    *there = false;
    return os_remove(path);
}

/* A spare is whole once it bears its name; what was being made, or going, when somebody pulled the plug goes. */
static result find_spares(struct ledger *l)
{
    char path[PATH_BYTES];
    bool waits;
    TRY(layout_path(path, l->directory, SPARE_GOING));
    TRY(os_remove(path));
    for (unsigned i = 0; i < SPARE_COUNT; i++) {
        TRY(layout_path(path, l->directory, SPARE_NEW, i));
        TRY(os_remove(path));
        TRY(layout_path(path, l->directory, SPARE_OLD, i));
        TRY(keep_unless_segment(l, path, &waits));
        TRY(layout_path(path, l->directory, SPARE_NAME, i));
        TRY(keep_unless_segment(l, path, &l->spares[i]));
    }
    return OK;
}

static result corrupt(const struct ledger_problem *found, struct ledger_problem *out)
{
    if (out) *out = *found;
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

/* What was published must be in the log; where nothing was yet, nothing is expected. */
static result expect_checkpoint(struct ledger *l, struct ledger_problem *problem)
{
    bool ours;
    TRY(published_expect(l->directory, &l->node.verifier, &l->walk.tips[PUBLISHED], &ours));
    if (ours) return OK;
    struct ledger_problem p;
    problem_set(&p, LEDGER_FAULT_CHECKPOINT, TILES_DIRECTORY "/" CHECKPOINT_NAME, 0, 0, 0);
    return corrupt(&p, problem);
}

static result expect_tips(struct ledger *l, const struct signature_check *check, struct ledger_problem *problem)
{
    int newest;
    TRY(tips_read(l->directory, &l->node.verifier, check, l->walk.tips, &newest));
    if (newest < 0) {
        struct ledger_problem p;
        problem_set(&p, LEDGER_FAULT_TIP, "tip.a", 0, 0, 0);
        return corrupt(&p, problem);
    }
    l->tip_size = l->walk.tips[newest].size;
    l->tip_turn = newest == 0;
    return OK;
}

/* What stands behind the last frame was never acknowledged. It is zeroed before anything is written there, so that no
 * later reader has to wonder. */
static result cut_tail(struct ledger *l)
{
    uint8_t *zeros = l->frame;
    memset(zeros, 0, LEDGER_FRAME_MAX);
    for (uint64_t at = l->offset; at < l->node.segment_bytes; at += LEDGER_FRAME_MAX) {
        uint64_t left = l->node.segment_bytes - at;
        TRY(os_direct_write(&l->segment, zeros, left < LEDGER_FRAME_MAX ? (size_t)left : LEDGER_FRAME_MAX, at));
    }
    return OK;
}

static result sync_directory(const struct ledger *l, const char *name)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, l->directory, "%s", name));
    return os_sync_dir(path);
}

/* What recovery found is what every later frame hangs on, names and content, and it may have come from a writer that was
 * killed before it knew that it was durable. */
static result open_last_segment(struct ledger *l, const struct survey *s)
{
    char path[PATH_BYTES];
    uint64_t size;
    TRY(sync_directory(l, "wal"));
    TRY(sync_directory(l, "wal/spare"));
    TRY(layout_path(path, l->directory, SEGMENT_NAME, (unsigned long long)s->segments.first[s->segments.count - 1]));
    TRY(os_direct_open(path, true, &l->segment, &size));
    TRY(os_direct_sync(&l->segment));
    l->offset = s->end_offset;
    l->segment_first = s->segments.first[s->segments.count - 1];
    return s->torn ? cut_tail(l) : OK;
}

static result survey_log(
    struct ledger *l, const struct signature_check *check, struct survey *s, struct ledger_problem *problem)
{
    TRY(expect_tips(l, check, problem));
    TRY(expect_checkpoint(l, problem));
    result r = crew_survey(l->directory, &l->node, &(struct crew_wish){0}, &l->walk, s);
    if (s->problem.fault != LEDGER_SOUND) return is_ok(r) ? corrupt(&s->problem, problem) : r;
    TRY(r);
    /* The chain hangs on the last frame: its signature stands for all. */
    if (l->walk.sequence > 0 && !frame_signed(l->walk.header, check)) {
        problem_set(&s->problem, LEDGER_FAULT_SIGNATURE, s->file, s->end_offset, l->walk.next_index, 0);
        return corrupt(&s->problem, problem);
    }
    return open_last_segment(l, s);
}

static result recover(struct ledger *l, struct ledger_problem *problem)
{
    struct survey s = {0};
    struct signature_check check;
    REQUIRE(walk_start(&l->walk, &l->node.verifier), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    REQUIRE(check_open(&check, l->node.verifier.key), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    result r = survey_log(l, &check, &s, problem);
    check_close(&check);
    mem_free(s.segments.first);
    return r;
}

static result check_owner(struct ledger *l, const char *origin)
{
    struct ledger_verifier own;
    TRY(ledger_verifier_of(l->key, origin ? origin : l->node.verifier.name, &own));
    REQUIRE(memcmp(own.key, l->node.verifier.key, 32) == 0 && strcmp(own.name, l->node.verifier.name) == 0,
        ERROR_CONFIG, LEDGER_E_VERIFIER);
    return OK;
}

static result open_steps(struct ledger *l, const struct ledger_place *place, struct ledger_problem *problem)
{
    l->directory = mem_strdup(place->directory);
    l->frame = os_aligned_alloc(LEDGER_FRAME_MAX);
    l->tip = os_aligned_alloc(TIP_BYTES);
    REQUIRE(l->directory && l->frame && l->tip, ERROR_LIMIT, ENOMEM);
    TRY(node_read(l->directory, &l->node));
    REQUIRE(l->node.successor[0] == 0, ERROR_CONFIG, LEDGER_E_ENDED);
    TRY(check_owner(l, place->origin));
    TRY(take_lock(l));
    TRY(find_spares(l));
    return recover(l, problem);
}

static void release(struct ledger *l)
{
    if (l->segment.fd >= 0) os_direct_close(&l->segment);
    os_close(&l->lock_fd);
    if (l->frame) mem_wipe(l->frame, LEDGER_FRAME_MAX);
    os_aligned_free(l->frame);
    os_aligned_free(l->tip);
    mem_free(l->directory);
    pthread_mutex_destroy(&l->spares_lock);
    pthread_mutex_destroy(&l->making_lock);
    l->magic = 0;
    mem_free(l);
}

result ledger_open(
    const struct ledger_place *place, const struct ledger_key *key, struct ledger_problem *problem, struct ledger **out)
{
    if (problem) *problem = (struct ledger_problem){0};
    struct ledger *l = mem_alloc(sizeof *l);
    REQUIRE(l, ERROR_LIMIT, ENOMEM);
    l->magic = LEDGER_MAGIC;
    l->key = key;
    l->lock_fd = -1;
    l->segment.fd = -1;
    pthread_mutex_init(&l->spares_lock, NULL);
    pthread_mutex_init(&l->making_lock, NULL);
    result r = open_steps(l, place, problem);
    if (!is_ok(r)) {
        release(l);
        return r;
    }
    *out = l;
    return OK;
}

/* ---- spares --------------------------------------------------------------------------------------------------- */

static bool has_time(void *ctx)
{
    struct ledger *l = ctx;
    return (ledger_spares(l) > 0 || !atomic_load(&l->halfway)) && !atomic_load(&l->hurry);
}

/* A recycled segment, zeroed. Its old name must be gone for good before what it holds is: both directories are synced. */
static result refill_old(struct ledger *l, const char *old, const char *fresh)
{
    TRY(os_rename(old, fresh));
    TRY(sync_directory(l, "wal"));
    return os_direct_refill_gently(fresh, l->node.segment_bytes, has_time, l);
}

static result make_fresh(struct ledger *l, const char *fresh)
{
    struct os_direct file;
    TRY(os_remove(fresh));
    TRY(os_direct_create_gently(fresh, l->node.segment_bytes, has_time, l, &file));
    os_direct_close(&file);
    return OK;
}

/* With one left, or half a segment, there is time: the commits that go on meanwhile shall not wait for the disk. */
static result make_spare(struct ledger *l, unsigned i)
{
    char old[PATH_BYTES], fresh[PATH_BYTES], name[PATH_BYTES];
    bool again = false;
    TRY(layout_path(fresh, l->directory, SPARE_NEW, i));
    TRY(layout_path(name, l->directory, SPARE_NAME, i));
    for (unsigned k = 0; k < SPARE_COUNT && !again; k++) {
        TRY(layout_path(old, l->directory, SPARE_OLD, k));
        again = os_exists(old);
    }
    TRY(again ? refill_old(l, old, fresh) : make_fresh(l, fresh));
    return os_rename(fresh, name);
}

/* A commit that finds no spare waits here for the one that the scribe's second thread is making: two must not make the
 * same file. */
static result ensure_spare(struct ledger *l, unsigned i)
{
    pthread_mutex_lock(&l->making_lock);
    pthread_mutex_lock(&l->spares_lock);
    bool there = l->spares[i];
    pthread_mutex_unlock(&l->spares_lock);
    result r = there ? OK : make_spare(l, i);
    if (!there && is_ok(r)) { /* one that was there may be taken by now */
        pthread_mutex_lock(&l->spares_lock);
        l->spares[i] = true;
        pthread_mutex_unlock(&l->spares_lock);
    }
    pthread_mutex_unlock(&l->making_lock);
    return r;
}

result ledger_make_spares(struct ledger *l)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    for (unsigned i = 0; i < SPARE_COUNT; i++)
        TRY(ensure_spare(l, i));
    return OK;
}

result ledger_make_spare(struct ledger *l)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    return ledger_spares(l) > 0 ? OK : ensure_spare(l, 0);
}

void ledger_hurry_spares(struct ledger *l)
{
    atomic_store(&l->hurry, true);
}

unsigned ledger_spares(struct ledger *l)
{
    pthread_mutex_lock(&l->spares_lock);
    unsigned n = 0;
    for (unsigned i = 0; i < SPARE_COUNT; i++)
        n += l->spares[i];
    pthread_mutex_unlock(&l->spares_lock);
    return n;
}

/* A spare that there is; SPARE_COUNT: none. */
static unsigned find_spare(struct ledger *l)
{
    pthread_mutex_lock(&l->spares_lock);
    unsigned i = 0;
    while (i < SPARE_COUNT && !l->spares[i])
        i++;
    pthread_mutex_unlock(&l->spares_lock);
    return i;
}

/* Takes a spare for the segment that begins at the next index. It counts as there until its name is free again: else
 * the second thread would put a new one under the name that is about to be renamed. */
static result take_spare(struct ledger *l, const char *to)
{
    char from[PATH_BYTES];
    unsigned i = find_spare(l);
    if (i == SPARE_COUNT) TRY(ensure_spare(l, i = 0));
    TRY(layout_path(from, l->directory, SPARE_NAME, i));
    TRY(os_rename(from, to));
    pthread_mutex_lock(&l->spares_lock);
    l->spares[i] = false;
    pthread_mutex_unlock(&l->spares_lock);
    return OK;
}

static result next_segment(struct ledger *l)
{
    char path[PATH_BYTES];
    uint64_t size;
    TRY(layout_path(path, l->directory, SEGMENT_NAME, (unsigned long long)l->walk.next_index));
    TRY(take_spare(l, path));
    os_direct_close(&l->segment);
    TRY(os_direct_open(path, true, &l->segment, &size));
    REQUIRE(size == l->node.segment_bytes, ERROR_IO, LEDGER_E_FULL);
    l->segment_first = l->walk.next_index;
    l->offset = 0;
    return OK;
}

/* ---- appending ------------------------------------------------------------------------------------------------ */

size_t ledger_pending_room(const struct ledger *l)
{
    size_t used = FRAME_HEADER + l->payload + RECORD_HEADER;
    return used < LEDGER_FRAME_MAX ? LEDGER_FRAME_MAX - used : 0;
}

result ledger_reserve(struct ledger *l, size_t room, uint8_t **out)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    REQUIRE(!l->failed, ERROR_IO, LEDGER_E_FAILED);
    REQUIRE(room <= ledger_pending_room(l), ERROR_LIMIT, EAGAIN);
    *out = l->frame + FRAME_HEADER + l->payload + RECORD_HEADER;
    return OK;
}

static result fail_for_good(struct ledger *l, result r)
{
    l->failed = true;
    return r;
}

result ledger_add_reserved(struct ledger *l, size_t len)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    ASSERT(len <= ledger_pending_room(l));
    uint8_t *record = l->frame + FRAME_HEADER + l->payload;
    span leaf = span_of(record + RECORD_HEADER, len);
    REQUIRE(len > 0 && ledger_entry_plausible(leaf), ERROR_INTERNAL, LEDGER_E_ENTRY);
    store_be16(record, (uint16_t)len);
    if (!ledger_tree_add(&l->walk.tree, leaf)) return fail_for_good(l, FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO));
    l->payload += RECORD_HEADER + len;
    l->count++;
    return OK;
}

result ledger_add(struct ledger *l, span entry)
{
    uint8_t *room;
    REQUIRE(entry.len <= LEDGER_ENTRY_MAX, ERROR_INTERNAL, LEDGER_E_ENTRY);
    TRY(ledger_reserve(l, entry.len, &room));
    memcpy(room, entry.ptr, entry.len);
    return ledger_add_reserved(l, entry.len);
}

result ledger_each_gathered(const struct ledger *l, ledger_part_fn *each, void *ctx)
{
    struct frame f = {.payload = span_of(l->frame + FRAME_HEADER, l->payload)};
    size_t at = 0;
    span leaf;
    MAGIC_CHECK(l, LEDGER_MAGIC);
    while (frame_next(&f, &at, &leaf))
        TRY(each(ctx, leaf));
    return OK;
}

size_t ledger_pending(const struct ledger *l)
{
    return l->count;
}

static result commit_frame(struct ledger *l)
{
    uint8_t root[32];
    if (l->offset + frame_padded(l->payload) > l->node.segment_bytes) TRY(next_segment(l));
    if (l->offset == 0) REQUIRE(walk_enter_segment(&l->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    REQUIRE(ledger_tree_root(&l->walk.tree, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    struct frame_facts facts = {.sequence = l->walk.sequence + 1,
        .first_index = l->walk.next_index,
        .count = l->count,
        .payload = (uint32_t)l->payload,
        .segment = l->walk.segment,
        .previous = l->walk.previous,
        .root = root};
    uint32_t length = frame_finish(l->frame, &facts, l->key);
    REQUIRE(length > 0, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    TRY(os_direct_write(&l->segment, l->frame, length, l->offset));
    struct frame f = {
        .base = l->frame, .sequence = facts.sequence, .first_index = facts.first_index, .count = l->count};
    REQUIRE(walk_advance(&l->walk, &f), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    l->offset += length;
    atomic_store_explicit(&l->halfway, l->offset > l->node.segment_bytes / 2, memory_order_relaxed);
    return OK;
}

//= ICE10036.2 4.6
result ledger_commit(struct ledger *l)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    REQUIRE(!l->failed, ERROR_IO, LEDGER_E_FAILED);
    if (l->count == 0) return OK;
    result r = commit_frame(l);
    /* After a failed write nobody knows what the disk holds: whatever it was, it is over. */
    if (!is_ok(r)) return fail_for_good(l, r);
    l->payload = 0;
    l->count = 0;
    return OK;
}

bool ledger_tip_stale(const struct ledger *l)
{
    return l->tip_size != l->walk.next_index;
}

static result write_tip(struct ledger *l, unsigned turn, bool create)
{
    char path[PATH_BYTES];
    uint8_t root[32];
    struct os_direct file;
    uint64_t size;
    ledger_root(l, root);
    REQUIRE(
        tip_format(&l->node.verifier, l->key, l->walk.next_index, root, l->tip) > 0, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    TRY(layout_path(path, l->directory, turn ? "tip.b" : "tip.a"));
    if (create && !os_exists(path))
        TRY(os_direct_create(path, TIP_BYTES, &file));
    else
        TRY(os_direct_open(path, true, &file, &size));
    result r = os_direct_write(&file, l->tip, TIP_BYTES, 0);
    os_direct_close(&file);
    return r;
}

result ledger_write_tip(struct ledger *l)
{
    MAGIC_CHECK(l, LEDGER_MAGIC);
    REQUIRE(!l->failed, ERROR_IO, LEDGER_E_FAILED);
    if (!ledger_tip_stale(l)) return OK;
    result r = write_tip(l, l->tip_turn, true);
    if (!is_ok(r)) return fail_for_good(l, r);
    l->tip_turn ^= 1;
    l->tip_size = l->walk.next_index;
    return OK;
}

uint64_t ledger_size(const struct ledger *l)
{
    return l->walk.next_index;
}

/* Of what is durable: the last frame's. */
void ledger_root(const struct ledger *l, uint8_t root[32])
{
    static const struct ledger_tree empty;
    if (l->walk.sequence > 0)
        memcpy(root, l->walk.header + 96, 32);
    else
        ASSERT(ledger_tree_root(&empty, root));
}

void ledger_mark(const struct ledger *l, struct ledger_mark *out)
{
    *out = (struct ledger_mark){l->walk.next_index, l->segment_first, l->offset};
}

void ledger_walk(const struct ledger *l, struct walk *out)
{
    *out = l->walk;
    memset(out->tips, 0, sizeof out->tips);
}

const char *ledger_directory(const struct ledger *l)
{
    return l->directory;
}

bool ledger_failed(const struct ledger *l)
{
    return l->failed;
}

void ledger_give_up(struct ledger *l)
{
    l->failed = true;
}

uint64_t ledger_segment_room(const struct ledger *l)
{
    return l->node.segment_bytes - l->offset;
}

result ledger_close(struct ledger *l)
{
    if (!l) return OK;
    MAGIC_CHECK(l, LEDGER_MAGIC);
    result r = l->failed ? FAIL(ERROR_IO, LEDGER_E_FAILED) : ledger_write_tip(l);
    release(l);
    return r;
}

/* ---- a new ledger, and one entry ------------------------------------------------------------------------------ */

static result obtain_key(const char *path, struct ledger_key **out)
{
    if (os_exists(path)) return ledger_key_load(path, out);
    struct buf pem;
    TRY(ledger_key_generate(out));
    result r = ledger_key_pem(*out, &pem);
    if (is_ok(r)) r = os_secret_create(path, buf_span(&pem));
    buf_free(&pem);
    if (!is_ok(r)) {
        ledger_key_free(*out);
        *out = NULL;
    }
    return r;
}

/* Where on the disk a directory goes hangs on the name it is made under: one by chance, lest a ledger follows another that was
 * removed to the same place. */
static result make_tiles_directory(const char *directory)
{
    char made[PATH_BYTES], name[PATH_BYTES], hex[17];
    uint8_t chance[8];
    TRY(layout_path(name, directory, TILES_DIRECTORY));
    if (os_exists(name)) return OK;
    TRY(os_random(chance, sizeof chance));
    hex_encode(span_of(chance, sizeof chance), hex);
    TRY(layout_path(made, directory, TILES_DIRECTORY ".%s", hex));
    TRY(os_make_dir(made, 0750));
    return os_rename(made, name);
}

static result make_directories(const char *directory)
{
    char path[PATH_BYTES];
    TRY(os_make_dir(directory, 0750));
    os_spread_dir(directory); /* what is published is many files, and others may make and remove many near here */
    TRY(layout_path(path, directory, "wal"));
    TRY(os_make_dir(path, 0750));
    TRY(layout_path(path, directory, "wal/spare"));
    TRY(os_make_dir(path, 0750));
    return make_tiles_directory(directory);
}

/* node.json comes last: until it is there, there is no ledger, and log init may be run again. */
static result fill_directory(const struct ledger_place *place, const struct ledger_key *key, struct ledger *l)
{
    char path[PATH_BYTES];
    struct os_direct file;
    uint64_t size = place->segment_bytes ? place->segment_bytes : LEDGER_SEGMENT_BYTES;
    REQUIRE(size >= LEDGER_SEGMENT_MIN && size % FRAME_ALIGN == 0, ERROR_CONFIG, EINVAL);
    TRY(make_directories(place->directory));
    TRY(layout_path(path, place->directory, SEGMENT_NAME, 0ull));
    TRY(os_remove(path));
    TRY(os_direct_create(path, size, &file));
    os_direct_close(&file);
    l->key = key;
    l->node.segment_bytes = size;
    TRY(find_spares(l));
    TRY(ledger_make_spares(l));
    TRY(write_tip(l, 0, true));
    TRY(write_tip(l, 1, true)); /* its room is had before there is anything to lose */
    TRY(node_write(place->directory, &l->node));
    return os_sync_dir(place->directory);
}

static result init_with_key(const struct ledger_place *place, const struct ledger_key *key, struct ledger_verifier *out)
{
    struct ledger l = {.magic = LEDGER_MAGIC, .lock_fd = -1, .segment.fd = -1, .hurry = true};
    TRY(ledger_verifier_of(key, place->origin, out));
    l.node.verifier = *out;
    l.directory = mem_strdup(place->directory);
    l.tip = os_aligned_alloc(TIP_BYTES);
    pthread_mutex_init(&l.spares_lock, NULL);
    pthread_mutex_init(&l.making_lock, NULL);
    result r = l.directory && l.tip ? fill_directory(place, key, &l) : FAIL(ERROR_LIMIT, ENOMEM);
    if (is_ok(r)) r = ledger_publish(&l, key);
    pthread_mutex_destroy(&l.spares_lock);
    pthread_mutex_destroy(&l.making_lock);
    os_aligned_free(l.tip);
    mem_free(l.directory);
    return r;
}

result ledger_init(const struct ledger_place *place, struct ledger_verifier *out)
{
    char path[PATH_BYTES];
    struct ledger_key *key = NULL;
    TRY(layout_path(path, place->directory, "node.json"));
    REQUIRE(!os_exists(path), ERROR_CONFIG, LEDGER_E_EXISTS);
    bool had_key = os_exists(place->key_path);
    TRY(obtain_key(place->key_path, &key));
    result r = init_with_key(place, key, out);
    ledger_key_free(key);
    if (is_ok(r) || had_key || os_exists(path)) return r;
    result removed = os_remove(place->key_path); /* ours, of a moment ago, and the key of nothing */
    (void)removed;
    return r;
}

/* An entry of many parts is more than a frame holds. */
static result add_part(void *ctx, span part)
{
    struct ledger *l = ctx;
    result r = ledger_add(l, part);
    if (is_ok(r) || r.class != ERROR_LIMIT) return r;
    TRY(ledger_commit(l));
    return ledger_add(l, part);
}

static result append_with_key(
    const struct ledger_place *place, const struct ledger_key *key, const struct ledger_entry *e)
{
    struct ledger *l = NULL;
    struct buf scratch;
    TRY(ledger_open(place, key, NULL, &l));
    buf_init(&scratch, LEDGER_ENTRY_MAX * 2);
    result r = ledger_entry_parts(e, &scratch, add_part, l);
    if (is_ok(r)) r = ledger_commit(l);
    if (is_ok(r)) r = ledger_publish(l, key);
    buf_free(&scratch);
    result closed = ledger_close(l);
    return is_ok(r) ? closed : r;
}

result ledger_append_once(const struct ledger_place *place, const struct ledger_entry *e)
{
    struct ledger_key *key = NULL;
    TRY(ledger_key_load(place->key_path, &key));
    result r = append_with_key(place, key, e);
    ledger_key_free(key);
    return r;
}
