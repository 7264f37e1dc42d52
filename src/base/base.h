/* base: what every room stands on. Results, assertions, memory, spans, cursor buffers, arenas, hashing, text codecs,
 * fault points. No file descriptor, clock or logger. The only state is the fault table and the hardware flags, both
 * written once by main before anything else runs. */
#ifndef GATE1367_BASE_H
#define GATE1367_BASE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- results -------------------------------------------------------------------------------------------------- */

/* Whose fault it is; callers switch on this and on nothing else. */
enum error_class {
    ERROR_NONE = 0,
    ERROR_IO,       /* the kernel or the disk said no; code is errno */
    ERROR_CLOSED,   /* the other side ended in good order */
    ERROR_PEER,     /* the client broke a rule */
    ERROR_UPSTREAM, /* the origin broke a rule */
    ERROR_POLICY,   /* the law says no */
    ERROR_LIMIT,    /* a configured or built-in bound was met; allocation failure is one */
    ERROR_CONFIG,   /* an operator's file is wrong */
    ERROR_INTERNAL, /* a sibling or a library broke its promise */
};

/* Must be used. `where` is a string literal with static lifetime ("file.c:123"). code is module-specific. */
typedef struct result {
    enum error_class class;
    int code;
    const char *where;
} result;

#define RESULT __attribute__((warn_unused_result)) result
#define BASE_STR_(x) #x
#define BASE_STR(x) BASE_STR_(x)
#define OK ((result){ERROR_NONE, 0, NULL})
#define FAIL(class_, code_) ((result){(class_), (code_), __FILE__ ":" BASE_STR(__LINE__)})
/* Hands an error on to the caller. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        result try_ = (expr);                                                                                          \
        if (UNLIKELY(try_.class != ERROR_NONE)) return try_;                                                           \
    } while (0)
/* Fails with class and code unless the condition holds. For conditions that input can break. */
#define REQUIRE(cond, class_, code_)                                                                                   \
    do {                                                                                                               \
        if (UNLIKELY(!(cond))) return FAIL(class_, code_);                                                             \
    } while (0)

static inline bool is_ok(result r) { return r.class == ERROR_NONE; }
/* "io", "peer", …; never NULL. */
const char *error_class_name(enum error_class class);

/* ---- assertions ----------------------------------------------------------------------------------------------- */

/* Only our own bug can break one: prints file, line and condition (never data) on stderr and aborts. Always on. */
#define ASSERT(cond)                                                                                                   \
    do {                                                                                                               \
        if (UNLIKELY(!(cond))) assert_failed(__FILE__, __LINE__, #cond);                                               \
    } while (0)
NORETURN void assert_failed(const char *file, int line, const char *condition);

/* Heap objects carry a magic number as their first member `uint32_t magic`. */
#define MAGIC_CHECK(p, m) ASSERT((p) != NULL && (p)->magic == (m))

/* ---- memory --------------------------------------------------------------------------------------------------- */

/* All NULL on failure (also when the fault point "malloc" says so); zeroed. Sizes in bytes. */
void *mem_alloc(size_t size);
void *mem_array(size_t count, size_t size); /* overflow-checked */
/* For types that are aligned by more than 16 bytes, a power of two: the compiler relies on it. Freed like the others, never resized. */
void *mem_alloc_aligned(size_t alignment, size_t size);
/* Grows or shrinks; the new part is not zeroed. On NULL the old block stands. */
void *mem_resize(void *p, size_t size);
void *mem_copy(const void *p, size_t size);
char *mem_strdup(const char *s);
void mem_free(void *p);
/* Overwrites with zeros in a way the compiler keeps. */
void mem_wipe(void *p, size_t size);
void mem_free_wipe(void *p, size_t size);
/* Hand these to libraries with allocation hooks (Jansson, PCRE2). */
void *mem_hook_alloc(size_t size);
void mem_hook_free(void *p);

/* Cleanup by attribute: MEM_AUTO char *p = mem_alloc(…); is freed when it leaves scope. */
static inline void mem_auto_(void *pp) { mem_free(*(void **)pp); }
#define MEM_AUTO __attribute__((cleanup(mem_auto_)))

/* ---- fault points --------------------------------------------------------------------------------------------- */

/* Tests make the n-th occasion fail. The variable GATE1367_FAULTS holds "NAME[@ROLE][:N[+]],…": the N-th hit (first
 * without N) of NAME in processes of that role fails, with "+" every one from then on; ROLE/ready counts only from when
 * the role serves. A fault can only turn success into failure, so that the switch may stay in production builds; what
 * was thrown is said on stderr ("fault: NAME COUNT in ROLE"). */
void fault_init(const char *spec, const char *role); /* NULL spec: nothing ever fails. Call once per process. */
void fault_role(const char *role);                   /* after fork: the role changes, counts start anew */
/* True when this hit is to fail. `name` is compared by text: use short literals. Costs one load when nothing is armed. */
void fault_ready(void); /* the role is set up and serves: entries for ROLE/ready count from here */
extern bool fault_armed_;
bool fault_hit_(const char *name);
static inline bool fault_hit(const char *name) { return UNLIKELY(fault_armed_) && fault_hit_(name); }
/* A switch in memory that a test shares with running processes, so that each n needs no new start: while `armed` is not 0,
 * the nth hit of `name` in processes of `role` fails, and `thrown` becomes 1. Everything else is written before `armed`. */
struct fault_switch {
    _Atomic uint64_t armed, count, thrown;
    uint64_t nth;
    char name[32], role[32];
};
void fault_share(struct fault_switch *memory); /* NULL: none; outlives the process */
/* Test programs only: arm NAME to fail at its n-th hit from now (0: disarm); hits so far since then. */
void fault_arm(const char *name, uint64_t nth);
uint64_t fault_count(const char *name);

/* ---- spans ---------------------------------------------------------------------------------------------------- */

/* Bytes that somebody else owns. ptr may be NULL only when len is 0. */
typedef struct span {
    const uint8_t *ptr;
    size_t len;
} span;

#define SPAN(literal) ((span){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define SPAN_FMT(s) (int)(s).len, (const char *)(s).ptr /* for "%.*s" */
static inline span span_of(const void *p, size_t len) { return (span){(const uint8_t *)p, len}; }
#ifdef __clang_analyzer__ /* a look at s for NULL would have it follow NULL into every caller */
static inline span span_str(const char *s) { return (span){(const uint8_t *)s, strlen(s)}; }
#else
static inline span span_str(const char *s) { return (span){(const uint8_t *)s, s ? strlen(s) : 0}; }
#endif
/* Bytes [from, from+len) of s; asserts that they lie inside. */
static inline span span_sub(span s, size_t from, size_t len)
{
    ASSERT(from <= s.len && len <= s.len - from);
    return span_of(from > 0 ? s.ptr + from : s.ptr, len); /* NULL takes no part in arithmetic */
}
static inline span span_from(span s, size_t from) { return span_sub(s, from, s.len - from); }
bool span_equal(span a, span b);
/* ASCII letters only. */
bool span_equal_nocase(span a, span b);
bool span_starts(span s, span prefix);
/* Index of the first byte, or s.len. */
size_t span_find(span s, uint8_t byte);
/* Index of the first occurrence of needle, or s.len. */
size_t span_search(span s, span needle);
/* Without surrounding SP and HTAB (RFC 9110 OWS). */
span span_trim(span s);
/* Decimal digits only, no sign, at most max: false otherwise. */
bool span_to_u64(span s, uint64_t max, uint64_t *out);
int span_compare(span a, span b); /* memcmp order, shorter first */

static inline bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline bool is_alpha(uint8_t c) { return (uint8_t)((c | 0x20) - 'a') < 26; }
static inline bool is_alnum(uint8_t c) { return is_digit(c) || is_alpha(c); }
/* Nothing but decimal digits, and one at least. */
static inline bool span_is_digits(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i])) return false;
    return s.len > 0;
}
static inline uint8_t to_lower(uint8_t c) { return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c; }
static inline uint8_t to_upper(uint8_t c) { return (uint8_t)(c - 'a') < 26 ? c & 0xDF : c; }

/* ---- cursor buffers ------------------------------------------------------------------------------------------- */

/* A growing byte queue with a cap. Readable bytes are [read, write). Zero-initialised is empty with cap 0: call
 * buf_init. What was written is wiped when the buffer is freed, grows, or is consumed empty after holding more than
 * 64 KiB; the memory is kept until buf_free, after which the buffer is empty with the same cap. */
struct buf {
    uint8_t *base;
    size_t read, write, size, cap;
    size_t dirty; /* bytes from base on that may hold data */
};
void buf_init(struct buf *b, size_t cap);
void buf_free(struct buf *b);
static inline size_t buf_len(const struct buf *b) { return b->write - b->read; }
#ifdef __clang_analyzer__
static inline span buf_span(const struct buf *b) { return span_of(b->base + b->read, buf_len(b)); }
#else
static inline span buf_span(const struct buf *b) { return span_of(b->base ? b->base + b->read : NULL, buf_len(b)); }
#endif
/* Room for n more bytes, contiguous, at *out; LIMIT when over cap or out of memory. Does not move `write`. */
RESULT buf_reserve(struct buf *b, size_t n, uint8_t **out);
void buf_commit(struct buf *b, size_t n); /* n ≤ what was reserved */
/* The n bytes that were reserved are somebody else's to write to: they are wiped as if they had been committed, even where
 * they never are. */
void buf_lend(struct buf *b, size_t n);
RESULT buf_append(struct buf *b, span s);
RESULT buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
RESULT buf_vprintf(struct buf *b, const char *fmt, va_list args) PRINTF(2, 0);
void buf_consume(struct buf *b, size_t n); /* n ≤ buf_len */
void buf_clear(struct buf *b);
/* The same for what is no secret (any more): nothing is wiped, now or later. */
void buf_forget(struct buf *b);

/* ---- arenas --------------------------------------------------------------------------------------------------- */

/* One an exchange. Allocations live until reset, which wipes them. Going over cap or out of memory latches `failed`
 * and returns NULL, once and for all until reset. Sanitizer builds give each allocation a block of its own. */
struct arena;
struct arena *arena_new(size_t cap); /* NULL: out of memory */
void arena_free(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, 16-byte aligned */
void *arena_array(struct arena *a, size_t count, size_t size);
span arena_copy(struct arena *a, span s); /* also NUL-terminated; ptr NULL on failure */
bool arena_failed(const struct arena *a);
size_t arena_used(const struct arena *a);

/* ---- hashing -------------------------------------------------------------------------------------------------- */

/* SipHash-2-4 (Aumasson, Bernstein 2012), keyed with 16 bytes. */
uint64_t siphash64(const uint8_t key[16], span data);
void siphash128(const uint8_t key[16], span data, uint8_t out[16]);
/* CRC-32C (RFC 3720 B.4), hardware where there is any. crc is 0 to start. */
uint32_t crc32c(uint32_t crc, span data);
/* SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), over OpenSSL. False only when OpenSSL fails. */
bool sha256(span data, uint8_t out[32]);
bool sha256_two(span a, span b, uint8_t out[32]); /* of a ‖ b */
bool hmac_sha256(span key, span data, uint8_t out[32]);
/* What a thread keeps to be quick at the above; to be called by one that ends before the process does. */
void digest_thread_end(void);

/* ---- text codecs ---------------------------------------------------------------------------------------------- */

/* out has room for 2·len (+1 for NUL, which is written). Lower case. */
void hex_encode(span s, char *out);
/* True when s is exactly 2·len hex digits, any case. */
bool hex_decode(span s, uint8_t *out, size_t len);
/* RFC 4648 §4 with padding; out has room for 4·⌈len/3⌉+1. Returns the length without NUL. */
size_t base64_encode(span s, char *out);
/* Standard or URL-safe alphabet, padding optional; out has room for s.len·3/4+3. False when not base64. */
bool base64_decode(span s, uint8_t *out, size_t *len);
/* Appends s as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD (RFC 8259 §7). */
RESULT json_quote(struct buf *b, span s);
/* Length in bytes of the well-formed UTF-8 sequence at s (Unicode 15 table 3-7), 0 when malformed or cut short. */
size_t utf8_length(span s);
/* Writes a code point that is none of the surrogates; how many bytes it took. */
size_t utf8_put(uint32_t code, uint8_t *out);
bool utf8_valid(span s);
/* Length of what stands at the beginning of s and would move the cursor of a terminal, end a line or turn the direction in which
 * people read: control characters (C1 too), separators of lines, marks of direction, what is no UTF-8. 0: it is harmless. */
size_t utf8_unprintable(span s);

/* Big- and little-endian loads and stores at any alignment. */
static inline uint16_t load_be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t load_le32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t load_le64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }
static inline uint64_t load_be64(const uint8_t *p) { return __builtin_bswap64(load_le64(p)); }
static inline void store_be16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static inline void store_le32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void store_le64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }
static inline void store_be64(uint8_t *p, uint64_t v) { store_le64(p, __builtin_bswap64(v)); }

/* ---- hardware ------------------------------------------------------------------------------------------------- */

/* What the CPU offers, reduced by GATE1367_CPU=portable|avx2 in the environment (tests). Safe to call at any time. */
enum cpu_level { CPU_PORTABLE, CPU_AVX2, CPU_AVX512 };
enum cpu_level cpu_level(void);

#endif
