#include "base/base.h"

#define ARENA_MAGIC 0x41524e41u
#define CHUNK_FIRST ((size_t)16 * 1024)
#define CHUNK_MAX ((size_t)256 * 1024)
#define ARENA_ALIGN ((size_t)16)

/* A chunk's memory is always zero beyond `used`: mem_alloc zeroes it and reset wipes what was used, so that handing
 * out zeroed memory costs nothing. Chunks sit in a list, the current one first. */
struct chunk {
    struct chunk *next;
    size_t size, used;
    uint8_t *bytes;
};

struct arena {
    uint32_t magic;
    bool failed;
    size_t cap, used;
    struct chunk *chunks;
};

struct arena *arena_new(size_t cap)
{
    struct arena *a = mem_alloc(sizeof *a);
    if (!a) return NULL;
    a->magic = ARENA_MAGIC;
    a->cap = cap;
    return a;
}

static void free_chunk(struct chunk *c)
{
    mem_free_wipe(c->bytes, c->used);
    mem_free(c);
}

void arena_free(struct arena *a)
{
    if (!a) return;
    MAGIC_CHECK(a, ARENA_MAGIC);
    while (a->chunks) {
        struct chunk *next = a->chunks->next;
        free_chunk(a->chunks);
        a->chunks = next;
    }
    a->magic = 0;
    mem_free(a);
}

/* One chunk of the first size outlives a reset, so that the next small exchange needs no allocation at all. */
static bool worth_keeping(const struct chunk *c, const struct chunk *kept)
{
#ifdef GATE1367_SANITIZED
    (void)c, (void)kept;
    return false;
#else
    return !kept && c->size == CHUNK_FIRST;
#endif
}

void arena_reset(struct arena *a)
{
    MAGIC_CHECK(a, ARENA_MAGIC);
    struct chunk *kept = NULL, *next;
    for (struct chunk *c = a->chunks; c; c = next) {
        next = c->next;
        if (!worth_keeping(c, kept)) {
            free_chunk(c);
            continue;
        }
        mem_wipe(c->bytes, c->used);
        c->used = 0;
        c->next = NULL;
        kept = c;
    }
    a->chunks = kept;
    a->used = 0;
    a->failed = false;
}

static size_t chunk_size(const struct arena *a, size_t size)
{
#ifdef GATE1367_SANITIZED
    (void)a;
    return size; /* exactly its own block: the sanitizer then sees every byte beyond */
#else
    size_t wanted = a->chunks ? a->chunks->size * 2 : CHUNK_FIRST;
    if (wanted > CHUNK_MAX) wanted = CHUNK_MAX;
    return size > wanted ? size : wanted;
#endif
}

static struct chunk *add_chunk(struct arena *a, size_t size)
{
    struct chunk *c = mem_alloc(sizeof *c);
    if (!c) return NULL;
    c->size = chunk_size(a, size);
    c->bytes = mem_alloc(c->size);
    if (!c->bytes) {
        mem_free(c);
        return NULL;
    }
    c->next = a->chunks;
    a->chunks = c;
    return c;
}

static void *fail_arena(struct arena *a)
{
    a->failed = true;
    return NULL;
}

static size_t aligned_size(size_t size)
{
#ifdef GATE1367_SANITIZED
    return size ? size : 1;
#else
    return size ? (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1) : ARENA_ALIGN;
#endif
}

void *arena_alloc(struct arena *a, size_t size)
{
    MAGIC_CHECK(a, ARENA_MAGIC);
    if (UNLIKELY(a->failed || size > a->cap)) return fail_arena(a); /* size ≤ cap: rounding cannot overflow */
    size_t need = aligned_size(size);
    if (UNLIKELY(size > a->cap - a->used)) return fail_arena(a);
    struct chunk *c = a->chunks;
    if (!c || c->size - c->used < need) c = add_chunk(a, need);
    if (UNLIKELY(!c)) return fail_arena(a);
    uint8_t *p = c->bytes + c->used;
    c->used += need;
    a->used += need < a->cap - a->used ? need : a->cap - a->used;
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) return fail_arena(a);
    return arena_alloc(a, total);
}

span arena_copy(struct arena *a, span s)
{
    if (s.len == SIZE_MAX) return span_of(fail_arena(a), 0);
    uint8_t *copy = arena_alloc(a, s.len + 1);
    if (!copy) return span_of(NULL, 0);
    if (s.len > 0) memcpy(copy, s.ptr, s.len);
    return span_of(copy, s.len);
}

bool arena_failed(const struct arena *a)
{
    MAGIC_CHECK(a, ARENA_MAGIC);
    return a->failed;
}

size_t arena_used(const struct arena *a)
{
    MAGIC_CHECK(a, ARENA_MAGIC);
    return a->used;
}
