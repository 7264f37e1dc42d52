#include "doc/names.h"

#include "doc/text.h"

#include <sys/auxv.h>

/* The kernel gives every process 16 random bytes at its start; no descriptor and no system call is needed to read them.
 * They also seed the stack protector, so only a hash of them is kept. */
static void derive_key(uint8_t key[16])
{
    const uint8_t *seed = (const uint8_t *)getauxval(AT_RANDOM); // NOLINT: an address in an integer by definition
    ASSERT(seed != NULL);
    siphash128(seed, SPAN("names of a document"), key);
}

void names_init(struct doc_names *n)
{
    derive_key(n->key);
    n->last = n->root = DOC_NAME_NONE;
}

void names_free(struct doc_names *n)
{
    names_reset(n);
    for (size_t i = 0; i < NAMES_PAGES; i++)
        mem_free(n->pages[i]);
    mem_free(n->entries);
    mem_free(n->undo);
    mem_free(n->strays);
    mem_free(n->stray_slots);
    mem_free(n->scratch);
}

void names_reset(struct doc_names *n)
{
    names_leave(n, (struct names_mark){0, 0});
    for (uint32_t i = 0; n->count > NAMES_FEW && i < n->count; i++)
        n->slots[n->entries[i].slot] = 0;
    if (n->count > 0) mem_wipe(n->entries, n->count * sizeof n->entries[0]);
    for (uint32_t i = 0; i <= n->page && n->pages[i]; i++)
        mem_wipe(n->pages[i], i < n->page ? NAMES_PAGE : n->page_used);
    if (n->scratch) mem_free_wipe(n->scratch, n->scratch_size);
    n->scratch = NULL;
    n->scratch_size = 0;
    n->count = n->page = n->page_used = 0;
    n->last = n->root = DOC_NAME_NONE;
    n->inside = false;
    memset(n->recent, 0, sizeof n->recent);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static uint64_t head_of(span name)
{
    uint64_t head = 0;
    memcpy(&head, name.ptr, name.len < 8 ? name.len : 8);
    return head;
}

static bool is_entry(const struct name_entry *e, span name, uint64_t head)
{
    return e->len == name.len && e->head == head &&
           (name.len <= 8 || memcmp(e->bytes + 8, name.ptr + 8, name.len - 8) == 0);
}

static uint16_t *recent_place(struct doc_names *n, span name, uint64_t head)
{
    return &n->recent[((head ^ name.len) * 0x9E3779B97F4A7C15ULL) >> 56];
}

/* Room in the pages for a name; NULL with *full set when the bound is met, without when out of memory. */
static uint8_t *take_room(struct doc_names *n, size_t size, bool *full)
{
    if (n->pages[n->page] && NAMES_PAGE - n->page_used < size) {
        *full = n->page + 1 == NAMES_PAGES;
        if (*full) return NULL;
        n->page++;
        n->page_used = 0;
    }
    if (!n->pages[n->page]) n->pages[n->page] = mem_alloc(NAMES_PAGE);
    if (!n->pages[n->page]) return NULL;
    uint8_t *room = n->pages[n->page] + n->page_used;
    n->page_used += (uint32_t)size;
    return room;
}

static bool grow_entries(struct doc_names *n, uint32_t more)
{
    if (n->size - n->count >= more) return true;
    uint32_t size = n->size ? 2 * n->size : 64;
    while (size - n->count < more) size *= 2;
    struct name_entry *entries = mem_array(size, sizeof *entries); /* not resized: the old one must be wiped */
    if (!entries) return false;
    if (n->count > 0) memcpy(entries, n->entries, n->count * sizeof *entries);
    mem_free_wipe(n->entries, n->size * sizeof *entries);
    n->entries = entries;
    n->size = size;
    return true;
}

/* What can be said once for all raw names that consist of the same bytes as the decoded one. */
static void describe(struct name_entry *e, uint16_t id)
{
    size_t digits = 0;
    uint8_t flags = e->len >= 12 ? DOC_LONG : 0;
    e->plain = text_find_bad_utf8(span_of(e->bytes, e->len)) == TEXT_NONE;
    for (size_t i = 0; i < e->len; i++) {
        uint8_t c = e->bytes[i];
        digits += is_digit(c);
        if (c >= 0x80) flags |= DOC_NON_ASCII;
        if (c == '%' || c == '&' || c == '@' || c == '=') flags |= DOC_PERCENT;
        if (c == '\\' || c < 0x20) e->plain = false;
    }
    if (digits >= 6) flags |= DOC_DIGITS;
    e->word = event_word(e->len, id, DOC_NAME, flags);
}

/* Adds a name that is not in the table. */
static enum names_verdict add_entry(struct doc_names *n, span name, uint64_t head, uint16_t *id)
{
    bool full = n->count == NAMES_MOST;
    *id = DOC_NAME_NONE;
    if (full) return NAMES_NEW;
    if (!grow_entries(n, 1)) return NAMES_NO_MEMORY;
    uint8_t *bytes = take_room(n, name.len + NAMES_SLACK, &full);
    if (!bytes) return full ? NAMES_NEW : NAMES_NO_MEMORY;
    if (name.len > 0) memcpy(bytes, name.ptr, name.len);
    memset(bytes + name.len, 0, NAMES_SLACK);
    *id = (uint16_t)n->count++;
    n->entries[*id] =
        (struct name_entry){.bytes = bytes, .head = head, .len = (uint16_t)name.len, .next = DOC_NAME_NONE, .first = DOC_NAME_NONE};
    describe(&n->entries[*id], *id);
    return NAMES_NEW;
}

static uint64_t hash_of(const struct doc_names *n, span name)
{
    return siphash64(n->key, name);
}

/* The slot where the name stands or would stand. */
static uint16_t *find_slot(struct doc_names *n, span name, uint64_t head)
{
    size_t slot = hash_of(n, name) % NAMES_SLOTS;
    while (n->slots[slot] != 0 && !is_entry(&n->entries[n->slots[slot] - 1], name, head))
        slot = (slot + 1) % NAMES_SLOTS;
    return &n->slots[slot];
}

static void fill_slot(struct doc_names *n, uint16_t id)
{
    struct name_entry *e = &n->entries[id];
    uint16_t *slot = find_slot(n, span_of(e->bytes, e->len), e->head);
    *slot = (uint16_t)(id + 1);
    e->slot = (uint16_t)(slot - n->slots);
}

/* All have their slots since there are more than a few. */
bool names_recall(struct doc_names *n, const struct name_entry *entries, uint32_t count)
{
    ASSERT(n->count == 0 && count <= NAMES_MOST);
    if (count == 0) return true;
    if (!grow_entries(n, count)) return false;
    memcpy(n->entries, entries, count * sizeof *entries);
    for (uint32_t i = 0; count > NAMES_FEW && i < count; i++)
        n->slots[entries[i].slot] = (uint16_t)(i + 1);
    n->count = count;
    return true;
}

/* Looks a name up and adds it where it is new and there is room. A few names are compared one by one: short bodies then
 * pay for no hash at all. */
static enum names_verdict look_up(struct doc_names *n, span name, uint64_t head, uint16_t *id)
{
    if (n->count <= NAMES_FEW) {
        for (*id = 0; *id < n->count; (*id)++)
            if (is_entry(&n->entries[*id], name, head)) return NAMES_NEW;
    } else {
        uint16_t slot = *find_slot(n, name, head);
        *id = (uint16_t)(slot - 1);
        if (slot != 0) return NAMES_NEW;
    }
    enum names_verdict verdict = add_entry(n, name, head, id);
    if (*id == NAMES_FEW)
        for (uint16_t i = 0; i < NAMES_FEW; i++)
            fill_slot(n, i);
    if (*id != DOC_NAME_NONE && *id >= NAMES_FEW) fill_slot(n, *id);
    return verdict;
}

/* ---- duplicates ------------------------------------------------------------------------------------------------ */

static bool grow_undo(struct doc_names *n)
{
    if (n->undo_count < n->undo_size) return true;
    uint32_t size = n->undo_size ? 2 * n->undo_size : 64;
    struct name_undo *undo = mem_resize(n->undo, size * sizeof *undo);
    if (!undo) return false;
    n->undo = undo;
    n->undo_size = size;
    return true;
}

static enum names_verdict meet_entry(struct doc_names *n, uint16_t id, const struct walk_frame *frames, uint32_t depth)
{
    ASSERT(n->entries != NULL);
    struct name_entry *e = &n->entries[id];
    uint64_t object = frames[depth - 1].object;
    if (e->object == object) return NAMES_DUPLICATE;
    if (UNLIKELY(e->object <= frames[depth - 1].outer && names_held(e, frames, depth))) {
        if (!grow_undo(n)) return NAMES_NO_MEMORY;
        n->undo[n->undo_count++] = (struct name_undo){e->object, e->frame, id};
    }
    e->object = object;
    e->frame = depth - 1;
    return NAMES_NEW;
}

/* Slots are twice the strays at least; both double together. Strays leave in the order opposite to their coming, so
 * that an emptied slot never cuts a probe chain, given that growing puts them in again in order of coming. */
static size_t stray_slot(const struct doc_names *n, const struct name_stray *stray, bool *found)
{
    size_t mask = 2 * (size_t)n->stray_size - 1;
    size_t slot = (stray->hash[0] ^ stray->object * 0x9E3779B97F4A7C15ULL) & mask;
    for (; n->stray_slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct name_stray *other = &n->strays[n->stray_slots[slot] - 1];
        *found = other->hash[0] == stray->hash[0] && other->hash[1] == stray->hash[1] && other->object == stray->object;
        if (*found) return slot;
    }
    *found = false;
    return slot;
}

static bool grow_strays(struct doc_names *n)
{
    if (n->stray_count < n->stray_size) return true;
    uint32_t size = n->stray_size ? 2 * n->stray_size : 256;
    uint32_t *slots = size <= UINT32_MAX / 4 ? mem_array(2 * (size_t)size, sizeof *slots) : NULL;
    struct name_stray *strays = slots ? mem_resize(n->strays, size * sizeof *strays) : NULL;
    if (strays) n->strays = strays;
    if (!strays) mem_free(slots);
    if (!strays) return false;
    mem_free(n->stray_slots);
    n->stray_slots = slots;
    n->stray_size = size;
    for (uint32_t i = 0; i < n->stray_count; i++) {
        bool found;
        n->stray_slots[stray_slot(n, &n->strays[i], &found)] = i + 1;
    }
    return true;
}

static enum names_verdict meet_stray(struct doc_names *n, const struct name_stray *stray)
{
    bool found;
    if (!grow_strays(n)) return NAMES_NO_MEMORY;
    size_t slot = stray_slot(n, stray, &found);
    if (found) return NAMES_DUPLICATE;
    n->strays[n->stray_count++] = *stray;
    n->stray_slots[slot] = n->stray_count;
    return NAMES_NEW;
}

static void drop_strays(struct doc_names *n, uint32_t to)
{
    while (n->stray_count > to) {
        bool found;
        size_t slot = stray_slot(n, &n->strays[n->stray_count - 1], &found);
        ASSERT(found);
        n->stray_slots[slot] = 0;
        mem_wipe(&n->strays[--n->stray_count], sizeof n->strays[0]);
    }
    if (n->stray_count > 0 || n->stray_size <= 4096) return;
    mem_free(n->strays); /* one huge map must not hold its memory for good */
    mem_free(n->stray_slots);
    n->strays = NULL;
    n->stray_slots = NULL;
    n->stray_size = 0;
}

void names_leave_slow(struct doc_names *n, struct names_mark mark)
{
    while (n->undo_count > mark.undo) {
        struct name_undo *undo = &n->undo[--n->undo_count];
        n->entries[undo->name].object = undo->object;
        n->entries[undo->name].frame = undo->frame;
    }
    drop_strays(n, mark.strays);
}

bool names_again(struct doc_names *n, uint16_t id, const struct walk_frame *frames, uint32_t depth)
{
    return meet_entry(n, id, frames, depth) != NAMES_NO_MEMORY;
}

uint16_t names_find(struct doc_names *n, span name)
{
    uint64_t head = head_of(name);
    if (name.len > NAMES_LONGEST) return DOC_NAME_NONE;
    if (n->count > NAMES_FEW) return (uint16_t)(*find_slot(n, name, head) - 1);
    for (uint32_t id = 0; id < n->count; id++)
        if (is_entry(&n->entries[id], name, head)) return (uint16_t)id;
    return DOC_NAME_NONE;
}

/* ---- meeting a name -------------------------------------------------------------------------------------------- */

/* The decoded name: the raw one where nothing is escaped. */
static bool decode_name(struct doc_names *n, span raw, span *name)
{
    if (raw.len > n->scratch_size) {
        uint8_t *scratch = mem_alloc(raw.len + 64);
        if (!scratch) return false;
        mem_free_wipe(n->scratch, n->scratch_size);
        n->scratch = scratch;
        n->scratch_size = raw.len + 64;
    }
    *name = span_of(n->scratch, doc_decode_string(raw, n->scratch));
    return true;
}

static uint16_t guess(struct doc_names *n, span name, uint64_t head)
{
    if (n->count == 0) return DOC_NAME_NONE;
    ASSERT(n->entries != NULL);
    const uint16_t *link = names_link(n);
    uint16_t id = link ? *link : 0;
    if (id < n->count && is_entry(&n->entries[id], name, head)) return id;
    id = *recent_place(n, name, head);
    return id < n->count && is_entry(&n->entries[id], name, head) ? id : DOC_NAME_NONE;
}

static enum names_verdict meet_outside(struct doc_names *n, span name, uint64_t object)
{
    struct name_stray stray = {.object = object};
    uint8_t hash[16];
    siphash128(n->key, name, hash);
    stray.hash[0] = load_le64(hash);
    stray.hash[1] = load_le64(hash + 8);
    return meet_stray(n, &stray);
}

enum names_verdict names_meet(
    struct doc_names *n, span raw, bool escaped, const struct walk_frame *frames, uint32_t depth, uint16_t *id)
{
    span name = raw;
    if (escaped && !decode_name(n, raw, &name)) return NAMES_NO_MEMORY;
    uint64_t head = head_of(name);
    *id = guess(n, name, head);
    if (*id == DOC_NAME_NONE) {
        if (name.len <= NAMES_LONGEST && look_up(n, name, head, id) == NAMES_NO_MEMORY) return NAMES_NO_MEMORY;
        if (*id == DOC_NAME_NONE) {
            n->last = DOC_NAME_NONE;
            n->inside = false;
            return meet_outside(n, name, frames[depth - 1].object);
        }
        *recent_place(n, name, head) = *id;
    }
    uint16_t *link = names_link(n);
    if (link) *link = *id;
    n->last = *id;
    n->inside = false;
    return meet_entry(n, *id, frames, depth);
}
