/* The journal of live changes, as the one role that writes it sees it. A change is durable here before it is in force. */
#include "admin/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Each overlay stands where its own last change left it: the older generation's may be behind, where the admin that kept
 * both died between them. */
static RESULT replay(struct admin *a, size_t overlay, struct registry_journal_end *end)
{
    struct buf text;
    struct registry_info info;
    struct registry_overlay_info stand;
    void *to = a->arguments->overlays[overlay];
    registry_info(a->registry, &info);
    registry_overlay_info(to, &stand);
    uint64_t from = stand.position >= info.journal ? stand.position + 1 : info.journal;
    TRY(os_read_fd(a->journal, CONFIG_JOURNAL_MAX, &text));
    result r = registry_journal_replay(a->key, buf_span(&text), from, &info, to, end);
    if (is_ok(r)) mark_judge(a, span_sub(buf_span(&text), 0, (size_t)end->bytes), info.journal);
    buf_free(&text);
    return r;
}

/* What a crash left of the last append was never acknowledged: it goes, so that the next one can follow. Somebody should
 * know all the same: a disk that lost sectors of an acknowledged change would look so too. */
static RESULT cut_torn(struct admin *a, const struct registry_journal_end *end)
{
    if (!end->torn) return OK;
    REQUIRE(ftruncate(a->journal, (off_t)end->bytes) == 0 && fsync(a->journal) == 0, ERROR_IO, errno);
    admin_alarm(a, "the journal of live changes ended in an unfinished change, which was cut off; "
                   "a change whose command did not report success has to be applied again");
    return OK;
}

#define LOCK_MS 10000 /* for a command to end */

/* Shared with the admin of the generation before, which writes until this one does; it keeps out commands that believe that nobody
 * runs. What they wrote from a place that they had looked up before would stand over what was acknowledged meanwhile. */
static RESULT open_shared(struct admin *a, char *why, size_t size)
{
    a->journal = open(a->arguments->config->journal_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(a->journal >= 0, ERROR_IO, errno);
    result r = os_lock_open(a->journal, false, LOCK_MS);
    if (!is_ok(r)) snprintf(why, size, "%s: a command that writes it does not end", a->arguments->config->journal_path);
    return r;
}

/* Another admin may still be writing: what is unfinished now may be whole, and acknowledged, a moment later. It is cut when
 * this one is alone. The name of a journal that is new is made durable before anything that stands in it. */
RESULT journal_open(struct admin *a, char *why, size_t size)
{
    struct registry_journal_end end = {0};
    TRY(open_shared(a, why, size));
    TRY(os_identify(a->arguments->config->journal_path, &a->journal_file));
    TRY(os_sync_parent(a->arguments->config->journal_path));
    TRY(mark_open(a));
    result r = replay(a, 0, &end);
    if (!is_ok(r)) snprintf(why, size, "%s: %s", a->arguments->config->journal_path, registry_error_text(r.code));
    /* Before anybody is served by it. */
    if (!is_ok(r) || !is_ok(a->reached)) registry_overlay_set_behind(a->arguments->overlays[0], true);
    return r;
}

/* Whoever may write records at an origin may write markers, and every new person in them takes room; where none is left
 * nobody restricted is answered. Somebody should look long before. */
static void tell_room(struct admin *a)
{
    static const unsigned steps[] = {90, 75, 50, 0};
    struct registry_overlay_info info;
    size_t i = 0;
    registry_overlay_info(a->arguments->overlays[0], &info);
    unsigned memory = registry_overlay_filled(&info), file = (unsigned)(a->journal_bytes * 100 / CONFIG_JOURNAL_MAX);
    while ((memory > file ? memory : file) < steps[i]) i++;
    bool worse = steps[i] > a->room_told;
    a->room_told = steps[i];
    if (!worse) return;
    char why[160];
    snprintf(why, sizeof(why), "live changes fill %u %% of their room, %llu persons known by a marker alone among them; rebuild and reload, "
        "or look who writes so many markers", memory, (unsigned long long)info.suspected);
    if (file > memory) snprintf(why, sizeof(why), "%u %% of the journal's room are filled; %s", file, registry_error_text(REGISTRY_JOURNAL_FULL));
    admin_alarm(a, why);
}

/* ---- others who write it ----------------------------------------------------------------------------------------- */

/* The admin of the generation before, or another gateway that has the same registry: one at a time, for as long as an append
 * takes, and each first reads what others wrote. */
#define TURN_MS 2000

static RESULT hold(struct admin *a)
{
    REQUIRE(is_ok(os_turn_take(a->journal, TURN_MS)), ERROR_INTERNAL, REGISTRY_JOURNAL_BUSY);
    return OK;
}

/* What somebody wrote who did not live to hear that it is durable is made so before anything is built upon it. */
static RESULT catch_up(struct admin *a)
{
    struct registry_journal_end end = {0};
    TRY(os_append_durable(a->journal, span_of(NULL, 0)));
    mark_read(a);
    for (size_t i = ADMIN_OVERLAYS; i-- > 0;)
        if (a->arguments->overlays[i] != NULL) TRY(replay(a, i, &end));
    TRY(cut_torn(a, &end));
    a->position = end.position;
    a->journal_bytes = end.bytes;
    tell_room(a);
    return OK;
}

RESULT journal_catch_up(struct admin *a)
{
    TRY(hold(a));
    result r = catch_up(a);
    os_turn_end(a->journal);
    return r;
}

/* What is written to a file that nobody will read at the next start is not written. */
static RESULT keep_up(struct admin *a)
{
    struct os_identity now;
    bool there = is_ok(os_identify(a->arguments->config->journal_path, &now)) && os_same_file(&now, &a->journal_file);
    REQUIRE(there, ERROR_INTERNAL, REGISTRY_JOURNAL_GONE);
    REQUIRE(now.size >= a->journal_bytes, ERROR_INTERNAL, REGISTRY_JOURNAL_CUT);
    return now.size == a->journal_bytes ? OK : catch_up(a);
}

/* ---- what others have acknowledged ------------------------------------------------------------------------------- */

/* Of an overlay that stands at our position. */
static RESULT follow(struct admin *a)
{
    struct buf more;
    struct registry_info info;
    struct registry_journal_end end = {0};
    registry_info(a->registry, &info);
    if (a->journal_bytes == 0) return catch_up(a);
    TRY(os_append_durable(a->journal, span_of(NULL, 0))); /* before it is marked */
    TRY(os_read_fd_from(a->journal, a->journal_bytes, CONFIG_JOURNAL_MAX, &more));
    result r = OK;
    for (size_t i = ADMIN_OVERLAYS; i-- > 0 && is_ok(r);) {
        end = (struct registry_journal_end){.bytes = a->journal_bytes, .position = a->position};
        if (a->arguments->overlays[i] != NULL) r = registry_journal_follow(a->key, buf_span(&more), &info, a->arguments->overlays[i], &end);
    }
    if (is_ok(r)) mark_add(a, span_sub(buf_span(&more), 0, (size_t)(end.bytes - a->journal_bytes)));
    buf_free(&more);
    TRY(r);
    TRY(cut_torn(a, &end));
    a->position = end.position;
    a->journal_bytes = end.bytes;
    tell_room(a);
    return OK;
}

/* Whoever is protected in what cannot be read is not known here: nobody restricted is answered until it can be. */
static void set_behind(struct admin *a, result r, bool of_mark)
{
    bool behind = !is_ok(r);
    for (size_t i = 0; i < ADMIN_OVERLAYS; i++)
        if (a->arguments->overlays[i] != NULL) registry_overlay_set_behind(a->arguments->overlays[i], behind);
    if (behind == a->behind) return;
    a->behind = behind;
    if (of_mark) mark_words(a, r, a->behind_words);
    else snprintf(a->behind_words, sizeof(a->behind_words), "the journal of live changes cannot be followed; see the log");
    if (!behind) admin_alarm(a, "the journal of live changes can be followed again");
    else if (of_mark) admin_alarm(a, a->behind_words);
    else admin_alarm(a, r.class == ERROR_IO ? os_error_text(r) : registry_error_text(r.code));
}

/* Moved away it takes nothing more, and all that was acknowledged is in force. */
static void set_lost(struct admin *a, bool lost)
{
    if (lost && !a->journal_lost) admin_alarm(a, registry_error_text(REGISTRY_JOURNAL_GONE));
    a->journal_lost = lost;
}

/* Of another file in its place somebody may have been told something; of none, or of one that is about to be begun, nobody. */
static RESULT look(struct admin *a)
{
    struct os_identity now;
    bool there = is_ok(os_identify(a->arguments->config->journal_path, &now)), ours = there && os_same_file(&now, &a->journal_file);
    set_lost(a, !ours);
    if (!there || (!ours && now.size == 0)) return OK;
    REQUIRE(ours, ERROR_INTERNAL, REGISTRY_JOURNAL_GONE);
    REQUIRE(now.size >= a->journal_bytes, ERROR_INTERNAL, REGISTRY_JOURNAL_CUT);
    if (now.size == a->journal_bytes || !is_ok(os_turn_take(a->journal, 0))) return OK; /* whoever writes is not through yet */
    result r = follow(a);
    os_turn_end(a->journal);
    return r;
}

bool journal_is_followed(struct admin *a)
{
    result r = look(a);
    bool followed = is_ok(r);
    if (followed && mark_is_unread(a)) r = journal_catch_up(a);
    if (is_ok(r)) r = mark_keep(a, true);
    set_behind(a, r, followed && !is_ok(r));
    return !a->behind;
}

RESULT journal_mark(struct admin *a)
{
    result r = mark_keep(a, true);
    if (!is_ok(r)) set_behind(a, r, true);
    return r;
}

/* An answer that shows somebody by a marker waits for the journal alone. The mark is written at once, so that whatever is started from
 * now on reads it, and made durable within LOOK_MS: it would take a power failure in between, and another journal after that. */
static void mark_ahead(struct admin *a)
{
    result r = is_ok(a->reached) ? mark_keep(a, false) : OK;
    if (!is_ok(r)) set_behind(a, r, true);
}

#define LOOK_MS 250

/* Another gateway may have this registry too, and what it has acknowledged is in force: in ours as well, before whoever asked for it
 * has asked how things stand here. */
void journal_look(void *admin)
{
    struct admin *a = admin;
    (void)journal_is_followed(a);
    io_timer_after(&a->journal_timer, LOOK_MS);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A record that could not be made durable is taken back, or the next one would stand behind its remains. Where even that
 * fails nobody knows what the file holds: no further change until a restart has read it. */
static RESULT append(struct admin *a, span record)
{
    REQUIRE(!a->journal_broken, ERROR_IO, EIO);
    bool fits = record.len <= CONFIG_JOURNAL_MAX - a->journal_bytes && !fault_hit("journal-full");
    REQUIRE(fits, ERROR_INTERNAL, REGISTRY_JOURNAL_FULL);
    result r = os_append_durable(a->journal, record);
    if (is_ok(r)) {
        a->journal_bytes += record.len;
        return OK;
    }
    a->journal_broken = ftruncate(a->journal, (off_t)a->journal_bytes) != 0 || fsync(a->journal) != 0;
    return r;
}

/* For all of them together: what is in the journal must fit at the next start too. */
static RESULT check_room(const struct admin *a, const struct registry_change *changes, size_t n)
{
    size_t keys = 0;
    for (size_t i = 0; i < n; i++) keys += changes[i].key_count;
    for (size_t i = 0; i < ADMIN_OVERLAYS; i++) {
        struct registry_overlay_info info;
        if (a->arguments->overlays[i] == NULL) continue;
        registry_overlay_info(a->arguments->overlays[i], &info);
        bool fits = n == 1 || (info.keys + keys <= info.key_room && info.subjects + n <= info.subject_room);
        REQUIRE(fits, ERROR_LIMIT, REGISTRY_OVERLAY_FULL);
        for (size_t k = 0; k < n; k++) TRY(registry_overlay_room(a->arguments->overlays[i], &changes[k]));
    }
    return OK;
}

static RESULT apply_held(struct admin *a, struct registry_change *changes, size_t n)
{
    struct buf records;
    buf_init(&records, 64u << 20);
    TRY(keep_up(a));
    TRY(check_room(a, changes, n));
    result r = OK;
    for (size_t i = 0; i < n && is_ok(r); i++) {
        changes[i].position = a->position + i + 1;
        changes[i].fellows = (uint32_t)i;
        r = registry_journal_encode(a->key, &changes[i], &records);
    }
    if (is_ok(r)) r = append(a, buf_span(&records));
    if (is_ok(r)) mark_add(a, buf_span(&records));
    buf_free(&records);
    TRY(r);
    a->position += n;
    for (size_t i = 0; i < ADMIN_OVERLAYS; i++) {
        if (a->arguments->overlays[i] == NULL) continue;
        for (size_t k = 0; k < n; k++) TRY(registry_overlay_apply(a->arguments->overlays[i], &changes[k]));
    }
    mark_ahead(a);
    tell_room(a);
    return OK;
}

RESULT journal_apply_all(struct admin *a, struct registry_change *changes, size_t n)
{
    TRY(hold(a));
    result r = apply_held(a, changes, n);
    os_turn_end(a->journal);
    return r;
}

RESULT journal_apply(struct admin *a, const struct registry_change *c)
{
    struct registry_change one = *c;
    return journal_apply_all(a, &one, 1);
}

RESULT journal_read(struct admin *a, struct buf *text) { return os_read_fd(a->journal, CONFIG_JOURNAL_MAX, text); }
