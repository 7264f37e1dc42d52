/* The scribe: collects what workers published, commits it in groups, tells them. It waits in one place only, and one
 * commit is outstanding at a time: what arrives meanwhile is the next group. */
#include "ledger/guard.h"
#include "ledger/publisher.h"
#include "ledger/spare_maker.h"
#include "os/os.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EXIT_GOOD 0
#define EXIT_CORRUPT 1
#define EXIT_SETUP 2
#define EXIT_UNWRITABLE 74
#define HOLD_US 500u
#define HOLD_ENTRIES 16u
#define HOLD_LOOK_US 100u /* nothing came in as long: more is not on its way */
#define PROMPT_US 100u /* of the processor: about a commit */
#define TURN_ENTRIES 64u /* from one slot before the next has its turn */
#define TIP_IDLE_MS 20   /* also what nobody asked for is committed then */
#define TIP_STALE_NS UINT64_C(1000000000)
#define CONTROL_NS UINT64_C(10000000)
#define IDLE_NS UINT64_C(1000000) /* a shorter rest does not end a time of load */
#define LOOK_MS 400               /* how often files and room are looked at */
#define BLIND_LOOKS 10 /* without memory to look, and nothing more is acknowledged */
/* What the last entry needs, that says that the ledger is closed, and the group before it. */
#define CLOSING_BYTES (LEDGER_FRAME_MAX + 65536u)

/* A ledger with all that serves it. Of two only one is written; the other one's threads wait from the start, for a confined
 * process makes no more. */
struct side {
    struct ledger_scribe_config config; /* with this one's place */
    struct ledger *ledger;
    struct spare_maker maker;
    struct publisher publisher;
    struct guard guard;
};
enum { CONFIGURED, STANDBY, SIDES };

struct scribe {
    const struct ledger_scribe_config *config;
    struct ipc_collector *collector;
    struct ledger_key *key;
    struct side sides[SIDES];
    struct side *at;
    uint64_t *tickets; /* the last one of each slot in the group; 0: none */
    unsigned slots, turn;
    int signals;
    bool stopping, orphan, alarmed, unpublished;
    unsigned asked;       /* enum ipc_hurry, or-ed: what of the group was asked for */
    bool full;            /* more is there than the group holds */
    bool rest_waits;      /* … or than a slot's turn: what was asked for is asked for on */
    uint64_t tip_ns, control_ns, look_ns;
    unsigned blind; /* looks in a row for which there was no memory */
    uint64_t pace_ns; /* from one entry to the next, when the group was last held; 0: none came */
    enum ipc_room room;
};

/* ---- the supervisor ------------------------------------------------------------------------------------------- */

static void tell(struct scribe *s, enum ipc_type type, uint64_t number, const char *text)
{
    if (s->config->control_fd < 0) return;
    struct ipc_message m;
    ipc_message_set(&m, type, number, "%s", text);
    result r = ipc_channel_send(s->config->control_fd, &m);
    if (!is_ok(r) && r.class == ERROR_CLOSED) s->stopping = s->orphan = true;
}

static void distrust(struct scribe *s, unsigned slot, const char *why)
{
    ipc_collector_distrust(s->collector, slot);
    tell(s, IPC_DISTRUST, slot, why);
}

static void hear_control(struct scribe *s)
{
    struct ipc_message m;
    while (s->config->control_fd >= 0 && !s->orphan) {
        result r = ipc_channel_receive(s->config->control_fd, &m);
        if (!is_ok(r) && r.class == ERROR_LIMIT) break;
        if (!is_ok(r)) s->orphan = true; /* nobody we could trust is there any more */
        if (!is_ok(r) || m.type == IPC_STOP) s->stopping = true;
        for (uint32_t i = 0; is_ok(r) && i < m.fd_count; i++)
            os_close(&m.fds[i]);
    }
    /* The whole service gets SIGTERM at once, and workers that drain still need their entries written: with a
     * supervisor only its word ends the scribe. */
    while (os_signals_next(s->signals) != 0)
        if (s->config->control_fd < 0) s->stopping = true;
    s->control_ns = os_monotonic_ns();
}

static void watch_spares(struct scribe *s)
{
    if (ledger_spares(s->at->ledger) < 2) maker_want(&s->at->maker);
    int trouble = atomic_load(&s->at->maker.trouble);
    if (trouble && !s->alarmed) tell(s, IPC_ALARM, (uint64_t)trouble, "no spare ledger segment can be made");
    s->alarmed = trouble != 0;
}

static void watch_publishing(struct scribe *s)
{
    int trouble = atomic_load(&s->at->publisher.trouble);
    if (trouble && !s->unpublished) tell(s, IPC_ALARM, (uint64_t)trouble, "the ledger's tiles cannot be published");
    s->unpublished = trouble != 0;
}

/* ---- gathering ------------------------------------------------------------------------------------------------ */

/* Up to a turn's worth from one slot. False when the group is full. */
static bool collect_slot(struct scribe *s, unsigned slot)
{
    for (unsigned i = 0; i < TURN_ENTRIES; i++) {
        size_t room = ledger_pending_room(s->at->ledger), len = 0;
        uint64_t ticket = 0;
        uint8_t *at;
        if (room > IPC_ENTRY_MAX) room = IPC_ENTRY_MAX;
        if (!is_ok(ledger_reserve(s->at->ledger, room, &at))) return false;
        switch (ipc_collector_take(s->collector, slot, at, room, &len, &ticket)) {
        case IPC_TAKE_NONE: return true;
        case IPC_TAKE_FULL: return false;
        case IPC_TAKE_BROKEN: distrust(s, slot, "broke the ring's rules"); return true;
        case IPC_TAKE_ENTRY: break;
        }
        result r = ledger_add_reserved(s->at->ledger, len);
        if (is_ok(r))
            s->tickets[slot] = ticket;
        else if (r.code == LEDGER_E_ENTRY)
            distrust(s, slot, "published what is no entry");
        else
            return false;
        if (!is_ok(r)) return true;
    }
    s->rest_waits = true;
    return true;
}

/* Every slot has its turn, and the next round begins with the next slot. What was asked for is read first: it is in
 * the group then. */
static void collect(struct scribe *s)
{
    unsigned first = s->turn;
    s->asked |= ipc_collector_asked(s->collector);
    s->turn = (s->turn + 1) % s->slots;
    s->full = s->rest_waits = false;
    for (unsigned i = 0; i < s->slots && !s->full; i++)
        s->full = !collect_slot(s, (first + i) % s->slots);
}

static void nap_until(struct scribe *s, uint64_t now, uint64_t until)
{
    struct pollfd fd = {.fd = ipc_collector_fd(s->collector), .events = POLLIN};
    struct timespec left = {.tv_nsec = (long)(until - now)};
    if (ipc_collector_may_sleep(s->collector, IPC_NOW)) ppoll(&fd, 1, &left, NULL);
    ipc_collector_awake(s->collector, fd.revents != 0);
    collect(s);
}

/* How long until as many as are missing have come, at the pace last seen; all the time that is left, where a good part of them
 * will. 0: it does not pay, or nobody knows. */
static uint64_t choose_nap(uint64_t pace, uint64_t missing, uint64_t left, uint32_t enough)
{
    if (pace == 0 || pace > left / (enough / 4 + 1)) return 0;
    return pace * missing < left ? pace * missing : left;
}

/* It pays to let a group grow, until a producer says that it has no more to give, or no more is on its way. At a pace that is
 * known it sleeps once. */
static void hold(struct scribe *s)
{
    uint64_t us = s->config->hold_us ? s->config->hold_us : HOLD_US, look = HOLD_LOOK_US * UINT64_C(1000);
    uint32_t enough = s->config->hold_entries ? s->config->hold_entries : HOLD_ENTRIES;
    uint64_t now = os_monotonic_ns(), until = now + us * 1000;
    size_t have = ledger_pending(s->at->ledger), before;
    for (bool first = true; have < enough && !s->full && (s->asked & IPC_NOW) == 0 && now < until; first = false) {
        uint64_t since = now, nap = choose_nap(s->pace_ns, enough - have, until - now, enough);
        if (nap == 0 && !first) break;
        if (nap == 0) nap = look < until - now ? look : until - now;
        nap_until(s, now, now + nap);
        now = os_monotonic_ns();
        before = have;
        have = ledger_pending(s->at->ledger);
        s->pace_ns = have > before ? (now - since) / (have - before) : 0;
    }
}

static result commit(struct scribe *s)
{
    if (!s->full && !s->rest_waits) s->asked = 0; /* else what was asked for may be in what is still there */
    TRY(ledger_commit(s->at->ledger));
    for (unsigned i = 0; i < s->slots; i++) {
        if (s->tickets[i] == 0) continue;
        ipc_collector_durable(s->collector, i, s->tickets[i]);
        s->tickets[i] = 0;
    }
    publisher_tell(&s->at->publisher, s->at->ledger); /* last: no answer waits for it */
    return OK;
}

static result write_tip(struct scribe *s)
{
    s->tip_ns = os_monotonic_ns();
    return ledger_write_tip(s->at->ledger);
}

/* ---- the scribe's own entries ---------------------------------------------------------------------------------- */

static result mark_part(void *ctx, span part)
{
    return ledger_add(ctx, part);
}

/* Into the group that is being gathered. The other side, where one follows upon it. */
static result mark(struct scribe *s, enum ledger_event event, const struct ledger_count *what, const struct side *other)
{
    uint8_t root[32];
    uint8_t chance[26];
    char request[LEDGER_REQUEST_ID];
    uint64_t now = os_realtime_us();
    if (!s->config->mark_life) return OK;
    TRY(os_random(chance, sizeof chance));
    ledger_request_id(now / 1000, chance, request);
    struct ledger_entry e = {.time_us = now,
        .node = span_str(s->config->place.origin),
        .request = span_str(request),
        .event = event,
        .upstream_status = -1,
        .status = -1,
        .rules = what,
        .rule_count = what ? 1 : 0,
        .duration_us = -1};
    memcpy(e.nonce, chance + 10, 16);
    if (other) e.link.origin = span_str(other->config.place.origin);
    if (other && other->ledger) {
        ledger_root(other->ledger, root);
        e.link.size = ledger_size(other->ledger);
        e.link.root = root;
    }
    struct buf scratch;
    buf_init(&scratch, LEDGER_ENTRY_MAX * 2);
    result r = ledger_entry_parts(&e, &scratch, mark_part, s->at->ledger);
    buf_free(&scratch);
    return r;
}

/* When it began to write, and that it stopped in good order. */
static result mark_life(struct scribe *s, enum ledger_event event)
{
    TRY(mark(s, event, NULL, NULL));
    TRY(ledger_commit(s->at->ledger));
    publisher_tell(&s->at->publisher, s->at->ledger);
    return OK;
}

/* ---- files and room -------------------------------------------------------------------------------------------- */

/* Below a limit; from below it only well above it. */
static bool short_of(uint64_t free, uint64_t limit, bool already)
{
    return free < limit + (already ? limit / 4 : 0);
}

/* Two are published for every 256 entries, so that a device may be out of files that has room for bytes: LEDGER_FILES_SHED last
 * for some seconds of the greatest load. */
static uint64_t free_files(const struct scribe *s)
{
    uint64_t files;
    return is_ok(os_free_files(s->at->guard.directory, &files)) ? files : UINT64_MAX;
}

static enum ipc_room judge_room(const struct scribe *s, uint64_t free)
{
    uint64_t files = free_files(s);
    bool trouble = atomic_load(&s->at->maker.trouble) != 0;
    uint64_t segment = s->at->guard.segment_bytes;
    uint64_t shed = s->config->shed_bytes ? s->config->shed_bytes : 2 * segment;
    uint64_t warn = s->config->warn_bytes ? s->config->warn_bytes : 10 * segment;
    bool sheds = s->room == IPC_ROOM_SHED, warns = s->room >= IPC_ROOM_WARN;
    if (short_of(free, shed, sheds) || short_of(files, LEDGER_FILES_SHED, sheds) || (trouble && ledger_spares(s->at->ledger) == 0)) return IPC_ROOM_SHED;
    return trouble || short_of(free, warn, warns) || short_of(files, LEDGER_FILES_WARN, warns) ? IPC_ROOM_WARN : IPC_ROOM_ENOUGH;
}

static const struct {
    const char *id, *text;
} rooms[] = {[IPC_ROOM_ENOUGH] = {"ledger_room_enough", "the ledger's device has room again"},
    [IPC_ROOM_WARN] = {"ledger_room_warn", "the ledger's device is filling up: make room, or move the ledger"},
    [IPC_ROOM_SHED] = {"ledger_room_shed",
        "the ledger's device is nearly full: answers that need an entry are refused until there is room"}};

/* The entry says how many MiB were left. */
static result change_room(struct scribe *s, enum ipc_room room, uint64_t free)
{
    struct ledger_count what = {span_str(rooms[room].id), free >> 20};
    bool quiet = room == IPC_ROOM_ENOUGH && s->look_ns == 0;
    s->room = room;
    ipc_collector_set_room(s->collector, room);
    if (quiet) return OK;
    tell(s, IPC_ALARM, free >> 20, rooms[room].text);
    if (ledger_pending_room(s->at->ledger) < LEDGER_ENTRY_MAX) TRY(commit(s));
    s->asked |= IPC_SOON;
    return mark(s, LEDGER_INCIDENT, &what, NULL);
}

/* Whoever waits for it can be told so where a disk does not answer. */
static void beat(struct scribe *s)
{
    ipc_collector_beat(s->collector, os_monotonic_ns() / 1000000);
}

static result look_around(struct scribe *s)
{
    uint64_t free = 0;
    beat(s);
    result r = guard_look(&s->at->guard, &s->at->publisher.publication->removed);
    s->blind = is_ok(r) || r.class != ERROR_LIMIT ? 0 : s->blind + 1;
    if (s->blind > 0 && s->blind < BLIND_LOOKS) return s->look_ns = os_monotonic_ns(), OK;
    if (!is_ok(r)) ledger_give_up(s->at->ledger);
    TRY(r);
    enum ipc_room room = is_ok(os_free_space(s->at->guard.directory, &free)) ? judge_room(s, free) : s->room;
    if (room != s->room || s->look_ns == 0) TRY(change_room(s, room, free));
    s->look_ns = os_monotonic_ns();
    return OK;
}

/* No spare, and none can be made: what is left of the last segment holds the group that is gathered and one entry more. */
static bool at_the_end(struct scribe *s)
{
    if (ledger_segment_room(s->at->ledger) >= CLOSING_BYTES || ledger_spares(s->at->ledger) > 0) return false;
    if (atomic_load(&s->at->maker.trouble) != 0) return true;
    /* The thread that makes them may have had no turn yet: found out while the last word fits, not by the commit that has no room. */
    return !is_ok(ledger_make_spare(s->at->ledger));
}

static result close_for_good(struct scribe *s)
{
    struct ledger_count what = {SPAN("ledger_room_closed"), 0};
    TRY(commit(s));
    TRY(mark(s, LEDGER_INCIDENT, &what, NULL));
    TRY(commit(s));
    TRY(ledger_write_tip(s->at->ledger));
    return FAIL(ERROR_IO, LEDGER_E_FULL);
}

/* ---- the loop ------------------------------------------------------------------------------------------------- */

static result rest(struct scribe *s)
{
    bool stale = ledger_tip_stale(s->at->ledger), lonely = ledger_pending(s->at->ledger) > 0;
    int timeout = stale || lonely ? TIP_IDLE_MS : LOOK_MS, n = 1;
    uint64_t since = os_monotonic_ns();
    struct pollfd fds[3] = {{.fd = ipc_collector_fd(s->collector), .events = POLLIN},
        {.fd = s->signals, .events = POLLIN}, {.fd = s->config->control_fd, .events = POLLIN}};
    if (ipc_collector_may_sleep(s->collector, IPC_SOON)) n = poll(fds, 3, timeout);
    ipc_collector_awake(s->collector, fds[0].revents != 0);
    bool idle = os_monotonic_ns() - since > IDLE_NS;
    if (idle || fds[1].revents || fds[2].revents) {
        hear_control(s);
        watch_spares(s);
        watch_publishing(s);
    }
    if (lonely && n == 0) s->asked |= IPC_SOON; /* its publisher has died, or forgot */
    return stale && n == 0 && !lonely ? write_tip(s) : OK;
}

static result turn(struct scribe *s)
{
    if (os_monotonic_ns() - s->control_ns > CONTROL_NS) {
        hear_control(s);
        watch_spares(s);
        watch_publishing(s);
    }
    /* What was acknowledged does not come back from the disk: no more can be acknowledged. Where a file is gone, which. */
    if (atomic_load(&s->at->publisher.lost)) TRY(look_around(s));
    REQUIRE(!atomic_load(&s->at->publisher.lost), ERROR_IO, LEDGER_E_LOST);
    if (os_monotonic_ns() - s->look_ns > LOOK_MS * UINT64_C(1000000)) TRY(look_around(s));
    if (at_the_end(s)) return close_for_good(s);
    collect(s);
    if (ledger_failed(s->at->ledger)) return FAIL(ERROR_IO, LEDGER_E_FAILED);
    size_t pending = ledger_pending(s->at->ledger);
    if (pending == 0 && s->stopping) return FAIL(ERROR_CLOSED, 0);
    if (pending == 0) s->asked = 0;
    if (s->asked == 0 && !s->full && !s->stopping) return rest(s);
    hold(s);
    TRY(commit(s));
    uint64_t now = os_monotonic_ns();
    if (now - s->tip_ns > TIP_STALE_NS) TRY(write_tip(s));
    return OK;
}

static void tell_failure(struct scribe *s, result r)
{
    char text[256];
    bool gone = r.code == LEDGER_E_GONE;
    snprintf(text, sizeof text, "%s%s%s", ledger_error_text(r), gone ? ": " : "", gone ? s->at->guard.lost : "");
    tell(s, IPC_FAILED, (uint64_t)r.code, text);
}

/* ---- the standby ------------------------------------------------------------------------------------------------ */

static result carry(void *ctx, span entry)
{
    struct ledger *to = ctx;
    result r = ledger_add(to, entry);
    if (is_ok(r) || r.class != ERROR_LIMIT) return r;
    TRY(ledger_commit(to));
    return ledger_add(to, entry);
}

/* One ledger follows upon the other: says so, with the other's end. */
static result mark_link(struct scribe *s, const struct side *other)
{
    struct ledger_count what = {SPAN("ledger_standby"), 1};
    return mark(s, LEDGER_INCIDENT, &what, other);
}

static bool has_standby(const struct scribe *s)
{
    return s->at == &s->sides[CONFIGURED] && s->sides[STANDBY].ledger && !ledger_failed(s->sides[STANDBY].ledger);
}

/* What was gathered and not acknowledged goes along: nobody need be refused. It may stand at the end of the other one too, for
 * nobody knows what the disk took. */
static result take_over(struct scribe *s, result why)
{
    struct side *failed = s->at;
    char text[512];
    snprintf(text, sizeof text, "the ledger failed and its standby takes over: %s", ledger_error_text(why));
    ledger_give_up(failed->ledger);
    tell(s, IPC_ALARM, (uint64_t)why.code, text);
    s->at = &s->sides[STANDBY];
    ipc_collector_set_standby(s->collector, true);
    s->look_ns = 0;
    s->room = IPC_ROOM_ENOUGH;
    s->asked |= IPC_NOW;
    TRY(mark_link(s, failed));
    return ledger_each_gathered(failed->ledger, carry, s->at->ledger);
}

/* Every start links what was written to the standby meanwhile. */
static result begin_life(struct scribe *s)
{
    const struct side *standby = &s->sides[STANDBY];
    TRY(mark_life(s, LEDGER_START));
    if (s->at == standby) TRY(mark_link(s, &s->sides[CONFIGURED]));
    else if (standby->ledger && ledger_size(standby->ledger) > 0) TRY(mark_link(s, standby));
    TRY(commit(s));
    return look_around(s);
}

static int live(struct scribe *s)
{
    result r = begin_life(s);
    while (is_ok(r) || (r.class == ERROR_IO && has_standby(s)))
        r = is_ok(r) ? turn(s) : take_over(s, r);
    if (r.class == ERROR_CLOSED) r = mark_life(s, LEDGER_STOP);
    if (is_ok(r)) r = ledger_write_tip(s->at->ledger);
    if (is_ok(r) && !s->orphan) return EXIT_GOOD;
    ipc_collector_fail(s->collector);
    if (is_ok(r)) return EXIT_GOOD;
    tell_failure(s, r);
    return EXIT_UNWRITABLE;
}

/* ---- set-up --------------------------------------------------------------------------------------------------- */

static result load_key(struct scribe *s)
{
    if (s->config->key_fd < 0) return ledger_key_load(s->config->place.key_path, &s->key);
    int fd = s->config->key_fd;
    result r = ledger_key_load_fd(fd, &s->key);
    os_close(&fd);
    return r;
}

/* What processes hold in memory is kept as long as they live: nothing of months that are over, but of the last one, lest a
 * clock that is put right over the border stops everything. */
static result read_epochs(const struct scribe *s, struct ledger_epochs *out)
{
    uint32_t last = ledger_month_of(os_realtime_us()) - 1;
    result r = ledger_epochs_read(s->config->place.directory, out);
    if (r.class == ERROR_IO && s->config->standby.directory) r = ledger_epochs_read(s->config->standby.directory, out);
    TRY(r);
    REQUIRE(out->first != 0 || !s->config->scheduled, ERROR_CONFIG, LEDGER_E_EPOCHS);
    bool good = out->first == 0 || out->month >= last || ledger_epochs_forward(out, last);
    REQUIRE(good, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

static result hand_out_root(struct scribe *s)
{
    if (s->config->root_fd < 0) return OK;
    struct ledger_root root;
    TRY(ledger_key_root(s->key, root.key));
    result r = read_epochs(s, &root.epochs);
    ssize_t n = is_ok(r) ? pwrite(s->config->root_fd, &root, sizeof root, 0) : 0;
    mem_wipe(&root, sizeof root);
    TRY(r);
    REQUIRE(n == (ssize_t)sizeof root, ERROR_IO, n < 0 ? errno : OS_SHORT_WRITE);
    return OK;
}

static result open_side(struct scribe *s, struct side *side, const struct ledger_place *place, struct ledger_problem *problem)
{
    side->config = *s->config;
    side->config.place = *place;
    TRY(ledger_open(place, s->key, problem, &side->ledger));
    TRY(guard_open(&side->guard, place->directory));
    TRY(maker_start(&side->maker, side->ledger, &side->config));
    return publisher_start(&side->publisher, side->ledger, s->key, &side->config);
}

static result close_side(struct side *side)
{
    maker_stop(&side->maker);
    publisher_stop(&side->publisher);
    guard_close(&side->guard);
    result r = ledger_close(side->ledger);
    side->ledger = NULL;
    return r;
}

/* A standby that cannot be used is no reason not to serve, but one to be told of; a disk that fails at once is one to use it.
 * What was tampered with, or is being written by somebody else, is neither. */
static result open_sides(struct scribe *s, struct ledger_problem *problem)
{
    struct ledger_problem other;
    const struct ledger_place *place = &s->config->standby;
    result r = open_side(s, &s->sides[CONFIGURED], &s->config->place, problem);
    bool usable = is_ok(r) || (r.class == ERROR_IO && r.code != LEDGER_E_LOCKED);
    s->at = &s->sides[CONFIGURED];
    if (!usable || !place->directory) return r;
    result second = open_side(s, &s->sides[STANDBY], place, &other);
    if (is_ok(r) && !is_ok(second)) {
        result closed = close_side(&s->sides[STANDBY]);
        (void)closed; /* it was never of use */
        tell(s, IPC_ALARM, (uint64_t)second.code, "the standby ledger cannot be used");
        return OK;
    }
    if (is_ok(r) || !is_ok(second)) return r;
    tell(s, IPC_ALARM, (uint64_t)r.code, "the ledger cannot be opened and its standby takes over");
    result closed = close_side(&s->sides[CONFIGURED]);
    (void)closed; /* it is what could not be used */
    s->at = &s->sides[STANDBY];
    return OK;
}

static result set_up(struct scribe *s, struct ledger_problem *problem)
{
    static const int wanted[] = {SIGTERM, SIGINT, 0};
    s->slots = ipc_area_slots(s->config->area);
    s->tickets = mem_array(s->slots, sizeof *s->tickets);
    REQUIRE(s->tickets, ERROR_LIMIT, ENOMEM);
    TRY(os_signals_open(wanted, &s->signals));
    prctl(PR_SET_TIMERSLACK, 1000); /* naps of 100 µs must not become 150 */
    TRY(load_key(s));
    TRY(hand_out_root(s));
    TRY(open_sides(s, problem));
    TRY(ipc_collector_new(s->config->area, &s->collector));
    ipc_collector_set_standby(s->collector, s->at == &s->sides[STANDBY]);
    beat(s);
    os_thread_prompt(PROMPT_US); /* after the other threads were made: they would be so too */
    if (s->config->confine) TRY(s->config->confine(s->config->confine_ctx));
    s->tip_ns = os_monotonic_ns();
    watch_spares(s);
    return OK;
}

static int refuse_start(struct scribe *s, result r, const struct ledger_problem *problem)
{
    char text[512];
    if (problem->fault != LEDGER_SOUND)
        ledger_problem_format(problem, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", ledger_error_text(r));
    tell(s, IPC_FAILED, (uint64_t)r.code, text);
    if (r.code == LEDGER_E_CORRUPT) return EXIT_CORRUPT;
    return r.class == ERROR_IO && r.code != LEDGER_E_LOCKED ? EXIT_UNWRITABLE : EXIT_SETUP;
}

int ledger_scribe_run(const struct ledger_scribe_config *config)
{
    struct scribe s = {.config = config, .signals = -1};
    s.at = &s.sides[CONFIGURED];
    struct ledger_problem problem = {0};
    result r = set_up(&s, &problem);
    int status;
    if (is_ok(r)) {
        tell(&s, IPC_READY, config->generation, "");
        fault_ready();
        status = live(&s);
    } else {
        status = refuse_start(&s, r, &problem);
    }
    ipc_collector_free(s.collector);
    result closed = OK;
    for (size_t i = 0; i < SIDES; i++) {
        result one = close_side(&s.sides[i]);
        if (&s.sides[i] == s.at) closed = one;
    }
    if (status == EXIT_GOOD && !is_ok(closed)) status = EXIT_UNWRITABLE;
    ledger_key_free(s.key);
    mem_free(s.tickets);
    os_close(&s.signals);
    return status;
}
