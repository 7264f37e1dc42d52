/* What is kept for later requests, and when it goes back to the system. A crowd leaves its exchanges, its engines and the allocator's
 * free lists behind, which nobody else on the machine can use. As many stay as were in use at once lately; how many those were
 * depends on who came, and not on what anybody was told. All of it was wiped when its exchange ended. */
#include "proxy/internal.h"

#define KEPT 16                         /* exchanges */
#define BODY_KEPT ((uint64_t)256 << 10) /* of one that is kept, when the worker is quiet */
#define WAITED_ENOUGH 30                /* looks, for a moment in which nobody is being answered */
#define AT_ONCE 256                     /* for others want their turn */

static void free_one(struct worker *w)
{
    struct exchange *x = w->free_exchanges;
    w->free_exchanges = x->next;
    w->spare_memory -= gate_held(x->gate);
    w->spare.total--;
    exchange_destroy(x);
}

void spare_free(struct worker *w)
{
    while (w->free_exchanges != NULL) free_one(w);
}

/* Large bodies that are kept were of large answers: the next one can grow its own. */
static void shrink_bodies(struct worker *w)
{
    for (struct exchange *x = w->free_exchanges; x != NULL; x = x->next) {
        uint64_t held = gate_held(x->gate);
        if (held <= BODY_KEPT) continue;
        gate_shrink(x->gate);
        w->spare_memory -= held - gate_held(x->gate);
    }
}

/* A quarter of the way from the peak to what is in use now, each time: who comes back within seconds finds all as it was. */
static void forget_peak(struct spare *s)
{
    s->peak -= (s->peak - s->used + 3) / 4;
}

/* To give much back takes some ten milliseconds, which whoever is being answered would wait for; but one long download must not keep
 * all of it for hours. */
static bool is_quiet(struct spare *s)
{
    s->waited = s->used == 0 ? WAITED_ENOUGH : s->waited + 1;
    if (s->waited < WAITED_ENOUGH) return false;
    s->waited = 0;
    return true;
}

void spare_look(struct worker *w)
{
    struct spare *s = &w->spare;
    uint64_t keep = s->peak > KEPT ? s->peak : KEPT;
    if (s->peak > KEPT || w->spare_memory > KEPT * BODY_KEPT) s->owed = true;
    forget_peak(s);
    for (unsigned i = 0; i < AT_ONCE && s->total > keep && w->free_exchanges != NULL; i++) free_one(w);
    if (!s->owed || s->total > KEPT || !is_quiet(s)) return;
    s->owed = false;
    shrink_bodies(w);
    worker_engines_trim(w);
    os_give_memory_back();
}
