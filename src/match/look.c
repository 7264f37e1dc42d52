/* The look in portable C: a class for each byte from a table. */
#include "match/look_classes.h"

static void classify(const uint8_t *p, size_t n, struct look_block *b)
{
    *b = (struct look_block){0};
    for (size_t i = 0; i < n; i++) {
        uint64_t c = look_classes[p[i]];
        b->digit |= (c & 1) << i;
        b->letter |= (c >> 1 & 1) << i;
        b->line |= (uint64_t)(p[i] >= '\n' && p[i] <= '\r') << i;
        if (!(c & ~3ULL) && p[i] < 0x80) continue;
        b->url |= (c >> 2 & 1) << i;
        b->standard |= (c >> 3 & 1) << i;
        b->padding |= (c >> 4 & 1) << i;
        b->at |= (c >> 5 & 1) << i;
        b->percent |= (c >> 6 & 1) << i;
        b->lead |= (c >> 7) << i;
        b->high |= (uint64_t)(p[i] >> 7) << i;
        b->follows |= (uint64_t)((p[i] & 0xC0) == 0x80) << i;
    }
}

bool runs_portable(span text)
{
    size_t row = 0;
    for (size_t i = 0; i < text.len && row < RUN_MIN; i++) {
        uint8_t c = text.ptr[i];
        bool within = c >= 0x80 || look_classes[c] & (IS_DIGIT | IS_LETTER | IS_URL | IS_STANDARD | IS_PADDING);
        row = within ? row + 1 : 0;
    }
    return row == RUN_MIN;
}

static void put_shape(struct look *out, span text)
{
    memset(out->shape, 0, sizeof out->shape);
    for (size_t i = 0; i < text.len; i++)
        out->shape[i] = is_digit(text.ptr[i]) ? '0' : to_upper(text.ptr[i]);
}

/* It is decoded and looked at, then. */
bool noise_portable(span run, bool roomy)
{
    (void)run;
    (void)roomy;
    return false;
}

/* Without a branch for each byte: texts that hold nothing may come in any shape. */
void look_likeness(span text, struct likeness *out)
{
    uint8_t bytes[LOOK_READ] = {0};
    ASSERT(text.len <= LOOK_READ);
    memcpy(bytes, text.ptr, text.len);
    for (size_t i = 0; i < LOOK_READ; i++) {
        uint8_t c = bytes[i], letter = (uint8_t)((c | 0x20) - 'a') <= 'z' - 'a' ? 0x20 : 0;
        bool digit = (uint8_t)(c - '0') <= 9;
        out->with[i] = letter;
        out->from[i] = digit ? '0' : c | letter;
        out->most[i] = digit ? 9 : 0;
    }
    memset(out->most + text.len, 0xFF, LOOK_READ - text.len);
}

bool alike_portable(const uint8_t *text, const struct likeness *l)
{
    for (size_t i = 0; i < LOOK_READ; i++)
        if ((uint8_t)((text[i] | l->with[i]) - l->from[i]) > l->most[i]) return false;
    return true;
}

unsigned take_portable(const uint8_t *text, const struct likeness *l, const struct registry_way *ways, size_t count,
    uint8_t (*messages)[REGISTRY_WAY_WIDTH])
{
    unsigned refused = 0;
    if (!alike_portable(text, l)) return TAKE_OTHER;
    for (size_t i = 0; i < count; i++)
        refused |= !registry_way_take(&ways[i], text, messages[i]);
    return refused;
}

void look_portable(span text, struct look *out)
{
    struct look_sum sum = {0};
    struct look_block b = {0};
    for (size_t at = 0; at < text.len; at += LOOK_BLOCK) {
        classify(text.ptr + at, text.len - at < LOOK_BLOCK ? text.len - at : LOOK_BLOCK, &b);
        look_add(&sum, &b);
    }
    look_put(out, &sum, &b);
    if (text.len <= LOOK_BLOCK) put_shape(out, text);
}
