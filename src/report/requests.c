#include "report/requests.h"
#include "ledger/ledger.h"

static size_t home_of(const struct requests *r, const uint8_t id[16])
{
    static const uint8_t key[16];
    return (size_t)siphash64(key, span_of(id, 16)) & (r->room - 1);
}

static struct request *place_of(const struct requests *r, const uint8_t id[16])
{
    size_t i = home_of(r, id);
    while (r->places[i].taken && memcmp(r->places[i].id, id, 16) != 0) i = (i + 1) & (r->room - 1);
    return &r->places[i];
}

static bool grow(struct requests *r)
{
    struct requests more = {.room = r->room ? r->room * 2 : 256, .count = r->count};
    more.places = mem_array(more.room, sizeof *more.places);
    if (!more.places) return false;
    for (size_t i = 0; i < r->room; i++)
        if (r->places[i].taken) *place_of(&more, r->places[i].id) = r->places[i];
    mem_free(r->places);
    *r = more;
    return true;
}

bool requests_put(struct requests *r, const uint8_t id[16], uint64_t value)
{
    if (r->count * 2 >= r->room && !grow(r)) return false;
    struct request *q = place_of(r, id);
    r->count += !q->taken;
    memcpy(q->id, id, 16);
    q->value = value;
    q->taken = true;
    return true;
}

struct request *requests_find(const struct requests *r, const uint8_t id[16])
{
    struct request *q = r->room ? place_of(r, id) : NULL;
    return q && q->taken ? q : NULL;
}

/* What stood behind it because its own place was taken moves up: nothing is found past a hole. */
void requests_remove(struct requests *r, struct request *q)
{
    size_t hole = (size_t)(q - r->places), i = hole;
    r->count--;
    for (;;) {
        i = (i + 1) & (r->room - 1);
        if (!r->places[i].taken) break;
        size_t home = home_of(r, r->places[i].id);
        bool between = hole <= i ? home > hole && home <= i : home > hole || home <= i;
        if (between) continue;
        r->places[hole] = r->places[i];
        hole = i;
    }
    r->places[hole].taken = false;
}

void requests_free(struct requests *r)
{
    mem_free(r->places);
    *r = (struct requests){0};
}

bool request_id(span text, uint8_t out[16])
{
    char id[LEDGER_REQUEST_ID];
    if (text.len != sizeof id - 1) return false;
    memcpy(id, text.ptr, sizeof id - 1);
    id[sizeof id - 1] = 0;
    ledger_request_bytes(id, out);
    return true;
}
