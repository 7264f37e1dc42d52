/* What can be destroyed. A leaf of the log never goes: others hold its hash. So what a month's pseudonyms and sealed parts need
 * beside the long-lived keys stands apart, in a chain that goes forward only:
 *
 *   state(first) ──HMAC──► state(next month) ──HMAC──► …
 *        │                      └─ with the ledger's root: that month's pseudonyms; with an hour's key: what is sealed in it
 *
 * Where only the state of a later month is kept, nobody computes the earlier ones, whatever other key he holds. Before a
 * schedule there is no chain, and so nothing by whose loss records would be lost. */
#include "ledger/epoch.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#define FILE_MAX 1024u
#define MONTHS_MAX (9999u * 12)

uint32_t ledger_month_of(uint64_t time_us)
{
    struct ledger_date d = ledger_date_of(time_us / 86400000000u);
    return d.year * 12 + d.month - 1;
}

void ledger_month_text(uint32_t month, char out[LEDGER_MONTH_TEXT])
{
    snprintf(out, LEDGER_MONTH_TEXT, "%04u-%02u", month / 12 % 10000, month % 12 + 1);
}

bool ledger_month_parse(span text, uint32_t *month)
{
    uint64_t y, m;
    bool good = text.len == 7 && text.ptr[4] == '-' && span_to_u64(span_sub(text, 0, 4), 9999, &y) &&
                span_to_u64(span_from(text, 5), 12, &m) && y >= 1970 && m >= 1;
    if (good) *month = (uint32_t)(y * 12 + m - 1);
    return good;
}

uint64_t ledger_month_end(uint32_t month)
{
    struct ledger_date next = {(month + 1) / 12, (month + 1) % 12 + 1, 1};
    return ledger_days_of(next) * 86400000000u;
}

bool ledger_epochs_cover(const struct ledger_epochs *e, uint32_t month)
{
    return e->first != 0 && month >= e->first;
}

bool ledger_epochs_destroyed(const struct ledger_epochs *e, uint32_t month)
{
    return ledger_epochs_cover(e, month) && month < e->month;
}

bool ledger_epochs_forward(struct ledger_epochs *e, uint32_t month)
{
    ASSERT(month >= e->month);
    if (month > MONTHS_MAX) return false; /* no clock's month: it would take its time */
    for (; e->month < month; e->month++) {
        uint8_t next[32];
        if (!hmac_sha256(span_of(e->state, 32), SPAN("gate1367 next epoch"), next)) return false;
        memcpy(e->state, next, 32);
        mem_wipe(next, sizeof next);
    }
    return true;
}

bool ledger_epochs_commitment(const struct ledger_epochs *e, char out[65])
{
    uint8_t digest[32];
    if (!sha256_two(SPAN("gate1367 epoch commitment"), span_of(e->state, 32), digest)) return false;
    hex_encode(span_of(digest, 32), out);
    return true;
}

static bool derive(const struct ledger_epochs *e, uint32_t month, const char *what, const uint8_t with[32], uint8_t out[32])
{
    struct ledger_epochs then = *e;
    uint8_t half[32];
    if (ledger_epochs_destroyed(e, month)) return false;
    bool good = ledger_epochs_forward(&then, month) && hmac_sha256(span_of(then.state, 32), span_str(what), half) &&
                hmac_sha256(span_of(with, 32), span_of(half, 32), out);
    mem_wipe(&then, sizeof then);
    mem_wipe(half, sizeof half);
    return good;
}

bool epochs_seal_key(const struct ledger_epochs *e, uint32_t month, const uint8_t hour[32], uint8_t out[32])
{
    return derive(e, month, "gate1367 sealed", hour, out);
}

bool epochs_month_key(const struct ledger_epochs *e, uint32_t month, const uint8_t key[32], uint8_t out[32])
{
    return derive(e, month, "gate1367 pseudonyms", key, out);
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static bool take(const json_t *root, struct ledger_epochs *out)
{
    const char *first = json_string_value(json_object_get(root, "first")), *from = json_string_value(json_object_get(root, "from"));
    const char *key = json_string_value(json_object_get(root, "key"));
    return json_integer_value(json_object_get(root, "format")) == 1 && first && from && key &&
           ledger_month_parse(span_str(first), &out->first) && ledger_month_parse(span_str(from), &out->month) &&
           out->month >= out->first && hex_decode(span_str(key), out->state, 32);
}

result ledger_epochs_read(const char *directory, struct ledger_epochs *out)
{
    char path[PATH_BYTES];
    struct buf text;
    *out = (struct ledger_epochs){0};
    TRY(layout_path(path, directory, EPOCHS_FILE));
    if (!os_exists(path)) return OK;
    TRY(os_read_file(path, FILE_MAX, &text));
    span said = buf_span(&text);
    json_t *root = json_loadb((const char *)said.ptr, said.len, JSON_REJECT_DUPLICATES, NULL);
    bool good = take(root, out);
    json_decref(root);
    if (text.base) mem_wipe(text.base, text.size);
    buf_free(&text);
    if (!good) *out = (struct ledger_epochs){0};
    REQUIRE(good, ERROR_CONFIG, LEDGER_E_EPOCHS);
    return OK;
}

static result put(const char *path, const struct ledger_epochs *e)
{
    char text[256], first[LEDGER_MONTH_TEXT], from[LEDGER_MONTH_TEXT], key[65];
    ledger_month_text(e->first, first);
    ledger_month_text(e->month, from);
    hex_encode(span_of(e->state, 32), key);
    int n = snprintf(text, sizeof text, "{\"format\":1,\"first\":\"%s\",\"from\":\"%s\",\"key\":\"%s\"}\n", first, from, key);
    result r = os_write_atomic(path, span_of(text, (size_t)n), 0600);
    mem_wipe(text, sizeof text);
    mem_wipe(key, sizeof key);
    return r;
}

/* The blocks of the file that was replaced, as far as a file system writes in place. */
static result overwrite(int fd)
{
    static const uint8_t zeros[FILE_MAX];
    off_t size = lseek(fd, 0, SEEK_END);
    REQUIRE(size >= 0, ERROR_IO, errno);
    size_t len = (size_t)size < sizeof zeros ? (size_t)size : sizeof zeros;
    REQUIRE(pwrite(fd, zeros, len, 0) == (ssize_t)len && fsync(fd) == 0, ERROR_IO, errno);
    return OK;
}

result epochs_write(const char *directory, const struct ledger_epochs *e)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, directory, EPOCHS_FILE));
    int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    result r = put(path, e);
    if (is_ok(r) && old >= 0) r = overwrite(old);
    os_close(&old);
    return r;
}
