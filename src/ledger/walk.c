#include "ledger/walk.h"

#define CHAIN_CONTEXT "gate1367 ledger v1\n"
#define SEGMENT_CONTEXT "gate1367 segment v1\n"

bool walk_start(struct walk *w, const struct ledger_verifier *v)
{
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(v, vkey);
    *w = (struct walk){0};
    return sha256_two(SPAN(CHAIN_CONTEXT), span_str(vkey), w->previous);
}

bool walk_enter_segment(struct walk *w)
{
    uint8_t place[40], digest[32];
    memcpy(place, w->previous, 32);
    store_le64(place + 32, w->next_index);
    if (!sha256_two(SPAN(SEGMENT_CONTEXT), span_of(place, sizeof place), digest)) return false;
    memcpy(w->segment, digest, 16);
    return true;
}

static void adopt_frame(struct walk *w, const struct frame *f)
{
    w->adopt = false;
    w->sequence = f->sequence - 1;
    memcpy(w->previous, frame_previous(f), 32);
    memcpy(w->segment, frame_segment(f), 16);
}

enum ledger_fault walk_check(struct walk *w, const struct frame *f)
{
    if (w->adopt && f->first_index != w->next_index) return LEDGER_FAULT_INDEX;
    if (w->adopt) adopt_frame(w, f);
    if (memcmp(frame_segment(f), w->segment, 16) != 0) return LEDGER_FAULT_SEGMENT;
    if (f->sequence != w->sequence + 1) return LEDGER_FAULT_SEQUENCE;
    if (f->first_index != w->next_index || f->first_index > UINT64_MAX - f->count) return LEDGER_FAULT_INDEX;
    if (memcmp(frame_previous(f), w->previous, 32) != 0) return LEDGER_FAULT_CHAIN;
    return LEDGER_SOUND;
}

bool walk_advance(struct walk *w, const struct frame *f)
{
    memcpy(w->header, f->base, FRAME_HEADER);
    w->sequence = f->sequence;
    w->next_index = f->first_index + f->count;
    return sha256(span_of(w->header, FRAME_HEADER), w->previous);
}

static enum ledger_fault missed(enum expected which)
{
    switch (which) {
    case TIP_A:
    case TIP_B: return LEDGER_FAULT_TIP_ROOT;
    case PUBLISHED: return LEDGER_FAULT_PUBLISHED_ROOT;
    case OLDER: return LEDGER_FAULT_OLDER;
    case EXPECTATIONS: break;
    }
    ASSERT(false);
}

/* Whether a signed end lies here and says otherwise. */
static enum ledger_fault meet_tips(struct walk *w, const uint8_t root[32])
{
    for (unsigned i = 0; i < ARRAY_LEN(w->tips); i++) {
        struct expectation *t = &w->tips[i];
        if (!t->there || t->size != w->next_index) continue;
        if (memcmp(t->root, root, 32) != 0) return missed(i);
        t->met = true;
    }
    return LEDGER_SOUND;
}

result input_get(struct input *in, uint64_t offset, size_t len, span *out)
{
    if (offset > in->size) offset = in->size;
    if (len > in->size - offset) len = (size_t)(in->size - offset);
    if (!in->file) {
        *out = span_sub(in->memory, (size_t)offset, len);
        return OK;
    }
    if (offset < in->window_at || offset + len > in->window_at + in->window_len) {
        in->window_at = offset / FRAME_ALIGN * FRAME_ALIGN;
        in->window_len = 0;
        uint64_t left = (in->size - in->window_at + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
        size_t step = in->step ? in->step : WINDOW_BYTES, want = left < step ? (size_t)left : step;
        TRY((in->step ? os_direct_read_gently : os_direct_read)(in->file, in->window, want, in->window_at, &in->window_len));
    }
    uint64_t end = in->window_at + in->window_len;
    if (offset + len > end) len = offset < end ? (size_t)(end - offset) : 0;
    *out = span_of(in->window + (offset - in->window_at), len);
    return OK;
}

static bool span_zero(span s)
{
    return s.len == 0 || (s.ptr[0] == 0 && memcmp(s.ptr, s.ptr + 1, s.len - 1) == 0);
}

static result read_frame(struct input *in, uint64_t offset, struct frame *f, enum ledger_fault *fault)
{
    span bytes;
    TRY(input_get(in, offset, FRAME_HEADER, &bytes));
    uint32_t length = frame_length(bytes);
    if (length > 0) TRY(input_get(in, offset, length, &bytes));
    *fault = frame_parse(bytes, f);
    return OK;
}

struct tail {
    bool dirty; /* something but zeros */
    bool valid; /* a frame that holds, behind the broken place */
};

static result look_behind(struct input *in, uint64_t offset, struct tail *t)
{
    for (uint64_t at = offset; at < in->size && !t->valid; at += FRAME_ALIGN) {
        span block;
        TRY(input_get(in, at, FRAME_ALIGN, &block));
        if (span_zero(block)) continue;
        t->dirty = true;
        if (at == offset || frame_length(block) == 0) continue;
        struct frame f;
        enum ledger_fault fault;
        TRY(read_frame(in, at, &f, &fault));
        t->valid = fault == LEDGER_SOUND;
    }
    return OK;
}

/* A writer may have been at work between two looks: what is broken at the second look too is broken. */
static result look_again(struct input *in, uint64_t offset, bool *sound)
{
    struct frame f;
    enum ledger_fault fault;
    in->window_len = 0;
    TRY(read_frame(in, offset, &f, &fault));
    *sound = fault == LEDGER_SOUND;
    return OK;
}

/* No sound frame stands at the offset: the end, a torn tail, or corruption? */
static struct walk_stop judge_tail(struct input *in, uint64_t offset, bool last, enum ledger_fault fault, bool *again)
{
    struct tail t = {0};
    struct walk_stop stop = {.end = WALK_CLEAN, .offset = offset, .error = OK};
    result r = look_behind(in, offset, &t);
    if (is_ok(r) && t.dirty && in->file) r = look_again(in, offset, again);
    if (!is_ok(r)) return (struct walk_stop){WALK_STOPPED, LEDGER_FAULT_READ, offset, r};
    if (*again || !t.dirty) return stop;
    stop.end = !last || t.valid ? WALK_CORRUPT : WALK_TORN;
    stop.fault = t.valid ? LEDGER_FAULT_VALID_AFTER_INVALID : last ? LEDGER_FAULT_TORN : fault;
    return stop;
}

struct walk_stop walk_segment(
    struct walk *w, struct input *in, uint64_t from, bool last, walk_visit_fn *visit, void *ctx)
{
    uint64_t offset = from;
    while (offset < in->size) {
        struct frame f;
        enum ledger_fault fault;
        result r = read_frame(in, offset, &f, &fault);
        if (!is_ok(r)) return (struct walk_stop){WALK_STOPPED, LEDGER_FAULT_READ, offset, r};
        if (fault != LEDGER_SOUND) {
            bool again = false;
            struct walk_stop stop = judge_tail(in, offset, last, fault, &again);
            if (again) continue;
            return stop;
        }
        fault = walk_check(w, &f);
        if (fault == LEDGER_SOUND && !walk_advance(w, &f)) fault = LEDGER_FAULT_CHAIN;
        if (fault != LEDGER_SOUND) return (struct walk_stop){WALK_CORRUPT, fault, offset, OK};
        r = visit ? visit(ctx, &f, offset) : OK;
        if (!is_ok(r)) return (struct walk_stop){WALK_STOPPED, LEDGER_SOUND, offset + f.length, r};
        /* After the visit: whoever finds there that the root is not that of the entries has the better word for it. */
        fault = meet_tips(w, frame_root(&f));
        if (fault != LEDGER_SOUND) return (struct walk_stop){WALK_CORRUPT, fault, offset, OK};
        offset += f.length;
    }
    return (struct walk_stop){WALK_CLEAN, LEDGER_SOUND, offset, OK};
}
