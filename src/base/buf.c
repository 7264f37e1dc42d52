#include "base/base.h"

#define BUF_FIRST ((size_t)512)
/* Wiping small buffers on every drain would cost more than it hides: they are overwritten at once and wiped in the
 * end. */
#define BUF_WIPE_ABOVE ((size_t)64 * 1024)

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_free(struct buf *b)
{
    mem_free_wipe(b->base, b->dirty);
    *b = (struct buf){.cap = b->cap};
}

static size_t grown_size(const struct buf *b, size_t need)
{
    size_t size = b->size ? b->size : BUF_FIRST;
    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    if (size > b->cap) size = b->cap; /* need ≤ cap */
    return size;
}

/* Not realloc: it would leave a copy of the old bytes in the heap. */
static bool move_to_larger(struct buf *b, size_t need)
{
    size_t len = buf_len(b), size = grown_size(b, need);
    uint8_t *base = mem_hook_alloc(size);
    if (!base) return false;
    if (b->base) memcpy(base, b->base + b->read, len);
    mem_free_wipe(b->base, b->dirty);
    *b = (struct buf){.base = base, .write = len, .size = size, .cap = b->cap, .dirty = len};
    return true;
}

static void move_to_front(struct buf *b)
{
    size_t len = buf_len(b);
    if (len > 0) memmove(b->base, b->base + b->read, len);
    b->read = 0;
    b->write = len;
}

result buf_reserve(struct buf *b, size_t n, uint8_t **out)
{
    size_t len = buf_len(b);
    REQUIRE(len <= b->cap && n <= b->cap - len, ERROR_LIMIT, 0);
    if (b->size - b->write < n || !b->base) {
        /* Moving pays only when it frees more than it copies; else a nearly full buffer would move at each append. */
        if (b->base && b->size - len >= n && (len <= b->read || b->size == b->cap))
            move_to_front(b);
        else
            REQUIRE(move_to_larger(b, len + n), ERROR_LIMIT, 0);
    }
    *out = b->base + b->write;
    return OK;
}

void buf_commit(struct buf *b, size_t n)
{
    ASSERT(n <= b->size - b->write);
    b->write += n;
    if (b->write > b->dirty) b->dirty = b->write;
}

void buf_lend(struct buf *b, size_t n)
{
    ASSERT(n <= b->size - b->write);
    if (b->write + n > b->dirty) b->dirty = b->write + n;
}

result buf_append(struct buf *b, span s)
{
    uint8_t *out;
    TRY(buf_reserve(b, s.len, &out));
    if (s.len > 0) memcpy(out, s.ptr, s.len);
    buf_commit(b, s.len);
    return OK;
}

/* vsnprintf insists on a NUL behind the text; a buffer that ends exactly at its cap has no room for one. */
static RESULT print_aside(struct buf *b, size_t len, const char *fmt, va_list args)
{
    MEM_AUTO char *text = mem_hook_alloc(len + 1);
    REQUIRE(text, ERROR_LIMIT, 0);
    vsnprintf(text, len + 1, fmt, args);
    result r = buf_append(b, span_of(text, len));
    mem_wipe(text, len);
    return r;
}

result buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    REQUIRE(len >= 0, ERROR_INTERNAL, 0);
    uint8_t *out;
    TRY(buf_reserve(b, (size_t)len, &out));
    if (b->size - b->write == (size_t)len) return print_aside(b, (size_t)len, fmt, args);
    vsnprintf((char *)out, (size_t)len + 1, fmt, args);
    buf_commit(b, (size_t)len);
    return OK;
}

result buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    result r = buf_vprintf(b, fmt, args);
    va_end(args);
    return r;
}

void buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= buf_len(b));
    b->read += n;
    if (b->read == b->write) buf_clear(b);
}

void buf_clear(struct buf *b)
{
    if (b->dirty > BUF_WIPE_ABOVE) {
        mem_wipe(b->base, b->dirty);
        b->dirty = 0;
    }
    b->read = b->write = 0;
}

void buf_forget(struct buf *b)
{
    b->read = b->write = b->dirty = 0;
}
