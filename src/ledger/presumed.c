/* A completion says how a disclosure ended. Where none came (the gateway was killed, the ledger closed, or it is still under
 * way) nobody can say that the answer did not arrive: it is presumed disclosed. */
#include "ledger/ledger.h"
#include <errno.h>

#define FIRST_ROOM 1024u

struct open_answer {
    uint8_t id[16];
    bool taken;
};
/* The answers begun and not completed: open addressing, at most half full. Requests under way and those that a crash cut
 * off, never the whole ledger. */
struct ledger_presumed {
    uint32_t magic;
    size_t room, count;
    struct open_answer *answers;
};
#define PRESUMED_MAGIC 0x70726573u

result ledger_presumed_new(struct ledger_presumed **out)
{
    struct ledger_presumed *p = mem_alloc(sizeof *p);
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    *p = (struct ledger_presumed){.magic = PRESUMED_MAGIC, .room = FIRST_ROOM};
    p->answers = mem_array(p->room, sizeof *p->answers);
    if (!p->answers) {
        mem_free(p);
        return FAIL(ERROR_LIMIT, ENOMEM);
    }
    *out = p;
    return OK;
}

void ledger_presumed_free(struct ledger_presumed *p)
{
    if (!p) return;
    MAGIC_CHECK(p, PRESUMED_MAGIC);
    p->magic = 0;
    mem_free(p->answers);
    mem_free(p);
}

/* The bytes of a UUIDv7 after its time are chance. */
static size_t place_of(const struct ledger_presumed *p, const uint8_t id[16])
{
    size_t i = (size_t)load_le64(id + 8) & (p->room - 1);
    while (p->answers[i].taken && memcmp(p->answers[i].id, id, 16) != 0)
        i = (i + 1) & (p->room - 1);
    return i;
}

static result grow(struct ledger_presumed *p)
{
    struct ledger_presumed larger = {.room = p->room * 2};
    larger.answers = mem_array(larger.room, sizeof *larger.answers);
    REQUIRE(larger.answers, ERROR_LIMIT, ENOMEM);
    for (size_t i = 0; i < p->room; i++)
        if (p->answers[i].taken) larger.answers[place_of(&larger, p->answers[i].id)] = p->answers[i];
    mem_free(p->answers);
    p->answers = larger.answers;
    p->room = larger.room;
    return OK;
}

static result begin(struct ledger_presumed *p, const uint8_t id[16])
{
    if (p->count * 2 >= p->room) TRY(grow(p));
    struct open_answer *a = &p->answers[place_of(p, id)];
    if (!a->taken) p->count++;
    memcpy(a->id, id, 16);
    a->taken = true;
    return OK;
}

/* What stood behind it moves up, or it would not be found any more. */
static void complete(struct ledger_presumed *p, const uint8_t id[16])
{
    size_t hole = place_of(p, id);
    if (!p->answers[hole].taken) return;
    p->answers[hole].taken = false;
    p->count--;
    for (size_t i = (hole + 1) & (p->room - 1); p->answers[i].taken; i = (i + 1) & (p->room - 1)) {
        struct open_answer moved = p->answers[i];
        p->answers[i].taken = false;
        p->answers[place_of(p, moved.id)] = moved;
    }
}

/* The string member that comes next, as it is spelt; ours are written in this order and without white space. */
static bool next_text(span *rest, span name, span *value)
{
    if (!span_starts(*rest, name)) return false;
    size_t start = name.len, end = start + span_find(span_from(*rest, start), '"'), escapes = 0;
    for (; end < rest->len; end += 1 + span_find(span_from(*rest, end + 1), '"'), escapes = 0) {
        while (rest->ptr[end - 1 - escapes] == '\\') escapes++;
        if (escapes % 2 == 0) break;
    }
    if (end >= rest->len) return false;
    *value = span_sub(*rest, start, end - start);
    *rest = span_from(*rest, end + 1);
    return true;
}

static bool read_id(span text, uint8_t id[16])
{
    char copy[LEDGER_REQUEST_ID];
    if (text.len != sizeof copy - 1) return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    ledger_request_bytes(copy, id);
    return load_le64(id) != 0;
}

/* Event and request of an entry; false: it has none. */
static bool read_head(span entry, span *event, uint8_t id[16])
{
    span value, rest = entry;
    return next_text(&rest, SPAN("{\"time\":\""), &value) && next_text(&rest, SPAN(",\"node\":\""), &value) &&
           next_text(&rest, SPAN(",\"request\":\""), &value) && read_id(value, id) &&
           next_text(&rest, SPAN(",\"event\":\""), event);
}

result ledger_presumed_see(struct ledger_presumed *p, span entry)
{
    span event;
    uint8_t id[16];
    MAGIC_CHECK(p, PRESUMED_MAGIC);
    if (!read_head(entry, &event, id)) return OK;
    if (span_equal(event, span_str(ledger_event_name(LEDGER_DISCLOSURE)))) return begin(p, id);
    if (span_equal(event, span_str(ledger_event_name(LEDGER_COMPLETION)))) complete(p, id);
    return OK;
}

bool ledger_presumed_has(const struct ledger_presumed *p, span entry)
{
    span event;
    uint8_t id[16];
    MAGIC_CHECK(p, PRESUMED_MAGIC);
    return read_head(entry, &event, id) && span_equal(event, span_str(ledger_event_name(LEDGER_DISCLOSURE))) &&
           p->answers[place_of(p, id)].taken;
}

uint64_t ledger_presumed_count(const struct ledger_presumed *p)
{
    MAGIC_CHECK(p, PRESUMED_MAGIC);
    return p->count;
}
