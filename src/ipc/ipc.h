/* ipc: what our own processes say to each other. Two things: a shared ring from each worker to the scribe (single
 * producer, single consumer, no lock, no system call while both are awake), and framed typed messages over Unix
 * socket pairs between the supervisor and its children. Nobody trusts a sibling: the consumer copies, then validates.
 *
 * A ring's life, by process:
 *   supervisor  ipc_area_new … before it forks; ipc_area_open_slot before each worker; ipc_area_renew when the scribe
 *               died; ipc_area_fail when it ended with 74
 *   worker      ipc_ring_attach, ipc_ring_publish → ticket, ipc_ring_state(ticket), wakes on ipc_ring_wake_fd
 *   scribe      ipc_collector_new, ipc_collector_take …, ipc_collector_durable | ipc_collector_fail
 */
#ifndef GATE1367_IPC_H
#define GATE1367_IPC_H

#include "base/base.h"

/* ---- rings ---------------------------------------------------------------------------------------------------- */

#define IPC_ENTRY_MAX (60u * 1024)    /* bytes of one published entry */
#define IPC_RING_BYTES (1024u * 1024) /* room of one ring; power of two */
#define IPC_SLOTS_MAX 1024u

/* The shared segment and its eventfds, made before the fork and inherited. Slots: three times the workers. */
struct ipc_area;
/* LIMIT: slots is 0 or too many, or no memory; IO: the kernel refused a mapping or an eventfd. */
RESULT ipc_area_new(unsigned slots, struct ipc_area **out);
void ipc_area_free(struct ipc_area *a); /* this process's mapping and descriptors only */
unsigned ipc_area_slots(const struct ipc_area *a);

/* Supervisor, before it forks a worker into the slot: a new generation. Whatever the previous worker left unread is
 * dropped and its tickets can never become durable. Choose a slot nobody uses; prefer one that is idle. */
void ipc_area_open_slot(struct ipc_area *a, unsigned slot);
/* True when the scribe has taken everything that was published in the slot. */
bool ipc_area_slot_idle(const struct ipc_area *a, unsigned slot);
/* Supervisor, after the scribe was reaped and before the next one starts: every ticket not yet durable becomes FAILED,
 * and workers are woken to see it. Tickets published from now on wait for the next scribe. */
void ipc_area_renew(struct ipc_area *a);
/* Supervisor, when no scribe will come any more (it ended with 74): every ticket not durable is FAILED and publishing
 * fails with ERROR_IO. Workers are woken. */
void ipc_area_fail(struct ipc_area *a);
/* For all producers to see (ipc_ring_held), until it is taken back. */
void ipc_area_hold(struct ipc_area *a, bool held);
/* Closes in a child the descriptors it has no use for: a worker keeps its own slot (memory of the other slots is
 * unmapped, so that a worker can harm nobody's ring but its own); the scribe keeps all. */
void ipc_area_keep_slot(struct ipc_area *a, unsigned slot);

enum ipc_ticket_state { IPC_TICKET_PENDING, IPC_TICKET_DURABLE, IPC_TICKET_FAILED };

/* The worker's end of its slot. One thread. */
struct ipc_ring;
RESULT ipc_ring_attach(struct ipc_area *a, unsigned slot, struct ipc_ring **out);
void ipc_ring_free(struct ipc_ring *r); /* the area stays */
/* Publishes a copy of the entry (1 … IPC_ENTRY_MAX bytes). *ticket is valid for ipc_ring_state until the ring is freed.
 * Errors: LIMIT code EAGAIN: the ring is full, try again after the next wake (back-pressure, never a drop); LIMIT code
 * EMSGSIZE: too long; IO: the ledger failed for good. Tickets rise with every publish. */
RESULT ipc_ring_publish(struct ipc_ring *r, span entry, uint64_t *ticket);
/* No system call. DURABLE and FAILED are final for the caller that sees them; one that was durable unseen when the
 * scribe was replaced may answer FAILED (the safe side). */
enum ipc_ticket_state ipc_ring_state(const struct ipc_ring *r, uint64_t ticket);
/* True when the ledger failed for good. */
bool ipc_ring_failed(const struct ipc_ring *r);
/* True when the scribe writes its second ledger, because the first cannot be written. */
bool ipc_ring_standby(const struct ipc_ring *r);
/* True while the supervisor holds the ledger: it can be written, and nothing may be answered that needs an entry. */
bool ipc_ring_held(const struct ipc_ring *r);
/* How much room the scribe says there is for what would be published. name, text in the log. */
#define IPC_ROOMS(X)                                                                                                   \
    X(ENOUGH, "enough")                                                                                                \
    X(WARN, "warn") /* somebody should make some */                                                                    \
    X(SHED, "shed") /* what can be refused must be: the rest is kept for entries that say so */
enum ipc_room {
#define X(id, name) IPC_ROOM_##id,
    IPC_ROOMS(X)
#undef X
};
enum ipc_room ipc_ring_room(const struct ipc_ring *r); /* no system call */
/* When the scribe last said that it comes round, by the monotonic clock. */
uint64_t ipc_ring_beat_ms(const struct ipc_ring *r);
/* Readable when something changed since the last ipc_ring_arm: poll for reading, edge or level. Owned by the area. */
int ipc_ring_wake_fd(const struct ipc_ring *r);
/* To be called when the wake fd was readable, BEFORE looking at ticket states, and again whenever the caller goes back
 * to waiting after a full ring: empties the fd and asks to be woken by the next change. (publish asks by itself.) */
void ipc_ring_arm(struct ipc_ring *r);

/* What has been published and not asked for is committed with the next group. A publisher that has more to come says
 * SOON when it has nothing else to do: the group may grow for a moment, as long as more comes. NOW: nothing more will come
 * before this is durable. Either stands for what has been published by then, and for nothing more once that is durable. */
enum ipc_hurry { IPC_SOON = 1, IPC_NOW = 2 };
void ipc_ring_ask(struct ipc_ring *r, enum ipc_hurry hurry);
/* Quiet: publishing asks for nothing and for no wake; the publisher owes ipc_ring_ask within a short time, and before it
 * waits ipc_ring_expect. Otherwise publish says SOON and expects by itself. */
void ipc_ring_set_quiet(struct ipc_ring *r, bool quiet);
/* To be woken by the next change; look at ticket states after it, not before. For who watches the wake fd edge by edge
 * and never empties it: no system call. */
void ipc_ring_expect(struct ipc_ring *r);

/* The scribe's end of all slots. One thread. */
struct ipc_collector;
RESULT ipc_collector_new(struct ipc_area *a, struct ipc_collector **out);
void ipc_collector_free(struct ipc_collector *c);

enum ipc_take {
    IPC_TAKE_NONE,   /* nothing there */
    IPC_TAKE_ENTRY,  /* one entry was copied out */
    IPC_TAKE_FULL,   /* the next entry is longer than room; it stays */
    IPC_TAKE_BROKEN, /* the producer broke the ring's rules: kill it; the slot is ignored until it is opened again */
};
/* Copies the slot's next entry to out (room bytes) and frees its place in the ring. */
enum ipc_take ipc_collector_take(
    struct ipc_collector *c, unsigned slot, uint8_t *out, size_t room, size_t *len, uint64_t *ticket);
/* The caller found the content of an entry malformed: as BROKEN above. */
void ipc_collector_distrust(struct ipc_collector *c, unsigned slot);
/* Everything in the slot up to this ticket is durable. Wakes the worker if it asked. */
void ipc_collector_durable(struct ipc_collector *c, unsigned slot, uint64_t ticket);
/* For all producers to see. */
void ipc_collector_set_room(struct ipc_collector *c, enum ipc_room room);
void ipc_collector_set_standby(struct ipc_collector *c, bool standby);
void ipc_collector_beat(struct ipc_collector *c, uint64_t now_ms);
/* The ledger failed for good: what is not durable fails, in every slot. Wakes everybody. */
void ipc_collector_fail(struct ipc_collector *c);
/* Everything that producers have asked for since the last call, or-ed: 0, IPC_SOON, IPC_NOW. What they asked for before
 * the call can be taken after it. */
unsigned ipc_collector_asked(struct ipc_collector *c);
/* Before sleeping on ipc_collector_fd until somebody asks with this hurry: true when nobody had after the wish to be
 * woken was published; false: look again. After waking call ipc_collector_awake, which empties the fd, where it was
 * readable, and lets producers stop signalling. */
bool ipc_collector_may_sleep(struct ipc_collector *c, enum ipc_hurry least);
void ipc_collector_awake(struct ipc_collector *c, bool readable);
int ipc_collector_fd(const struct ipc_collector *c);

/* ---- messages ------------------------------------------------------------------------------------------------- */

/* Between the supervisor and its children. name, direction for the reader, what `number` and `text` mean. */
#define IPC_MESSAGES(X)                                                                                                \
    X(SECRET, "secret", "to child: a descriptor with a secret; text names it")                                         \
    X(READY, "ready", "from child: loaded and able to serve; number is its generation")                                \
    X(FAILED, "failed", "from child: cannot serve; text is the reason, without personal data")                         \
    X(SWITCH, "switch", "to child: serve from now on; number is the generation")                                       \
    X(DRAIN, "drain", "to child: finish what is under way and end; number is the time allowed in milliseconds")        \
    X(STOP, "stop", "to child: end now in good order")                                                                 \
    X(DISTRUST, "distrust", "from child: the sibling in slot `number` broke a rule; text says which")                  \
    X(RELOAD, "reload", "from admin: please reload")                                                                   \
    X(SUSPICION, "suspicion", "from worker: an identifier to suspect; text is the encoded change")                     \
    X(STATUS, "status", "from child: number and text by role")                                                         \
    X(ALARM, "alarm", "from child: something the operator must hear of; text says what, without personal data")

enum ipc_type {
    IPC_NONE,
#define X(name, text, note) IPC_##name,
    IPC_MESSAGES(X)
#undef X
        IPC_TYPES
};
const char *ipc_type_name(enum ipc_type type);

#define IPC_TEXT_MAX 4096u
#define IPC_FDS_MAX 4u

struct ipc_message {
    enum ipc_type type;
    uint64_t number;
    uint32_t text_len;
    uint32_t fd_count;
    int fds[IPC_FDS_MAX];        /* received ones belong to the receiver (close-on-exec) */
    char text[IPC_TEXT_MAX + 1]; /* NUL added on receipt */
};

/* A connected pair, non-blocking, close-on-exec, message boundaries kept by the kernel. */
RESULT ipc_channel_pair(int fds[2]);
/* One message, whole or not at all. LIMIT code EAGAIN: the other side does not read; CLOSED: it is gone; INTERNAL: the
 * message breaks the format. */
RESULT ipc_channel_send(int fd, const struct ipc_message *m);
/* LIMIT code EAGAIN: none waiting. CLOSED: the other side is gone. INTERNAL: the sibling sent something malformed (its
 * descriptors were closed): kill it. */
RESULT ipc_channel_receive(int fd, struct ipc_message *m);
/* Text as printf; cut at IPC_TEXT_MAX. */
void ipc_message_set(struct ipc_message *m, enum ipc_type type, uint64_t number, const char *fmt, ...) PRINTF(4, 5);
/* Such a message, sent. That it cannot be is not told: a child that does not listen is found by its deadline, and a supervisor
 * that is gone by whoever listens to it. Text is cut as above. */
void ipc_channel_tell(int fd, enum ipc_type type, uint64_t number, const char *text);

#endif
