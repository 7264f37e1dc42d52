/* From what was collected to the image: number the protected, place their keys, write groups, seal. */
#include "registry/ask.h"
#include "registry/builder.h"

#include <stdlib.h>

#define WARNINGS_MAX 100

/* ---- subjects ---- */

struct ranked {
    uint64_t handle;
    uint32_t appearance;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->handle != y->handle) return x->handle < y->handle ? -1 : 1;
    return x->appearance < y->appearance ? -1 : x->appearance > y->appearance;
}

static void warn_merged(struct registry_builder *b, const struct appearance *first, const struct appearance *again)
{
    if (again->row || b->merge_warnings++ >= WARNINGS_MAX) return;
    problems_at(b->problems, b->files[again->file], again->line, 1, true, span_of(NULL, 0),
        "the same subject stands at %s:%u; taken as one person, protected if either line is", b->files[first->file],
        first->line);
}

/* One person, several lines: protected if any of them is. Numbers go by handle, so that handles can be searched. */
static uint32_t number_run(struct registry_builder *b, const struct ranked *run, size_t n, uint32_t number)
{
    bool protects = false;
    for (size_t i = 0; i < n; i++) {
        const struct appearance *s = &b->subjects[run[i].appearance];
        protects |= s->protected_;
        if (i > 0) warn_merged(b, &b->subjects[run[0].appearance], s);
    }
    for (size_t i = 0; i < n; i++)
        b->numbers[run[i].appearance] = protects ? number : NOBODY;
    if (!protects) return number;
    b->origins[number] = run[0].appearance;
    return number + 1;
}

static uint32_t number_all(struct registry_builder *b, struct ranked *ranked)
{
    uint32_t number = 0;
    for (size_t i = 0; i < b->subject_count; i++)
        ranked[i] = (struct ranked){b->subjects[i].handle, (uint32_t)i};
    qsort(ranked, b->subject_count, sizeof *ranked, compare_ranked);
    for (size_t from = 0, to; from < b->subject_count; from = to) {
        for (to = from + 1; to < b->subject_count && ranked[to].handle == ranked[from].handle;)
            to++;
        number = number_run(b, ranked + from, to - from, number);
        b->persons++;
    }
    return number;
}

static RESULT number_subjects(struct registry_builder *b, uint32_t *count)
{
    size_t n = b->subject_count + 1;
    struct ranked *ranked = mem_array(n, sizeof *ranked);
    b->numbers = mem_array(n, sizeof *b->numbers);
    b->origins = mem_array(n, sizeof *b->origins);
    bool room = ranked && b->numbers && b->origins;
    if (room) *count = number_all(b, ranked);
    mem_free(ranked);
    REQUIRE(room, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return OK;
}

/* Records of the protected come first, with their number; the others keep their appearance. */
static size_t partition_records(struct registry_builder *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        struct record r = b->records[i];
        uint32_t number = b->numbers[r.subject];
        if (number == NOBODY) continue;
        r.subject = number;
        b->records[i] = b->records[kept];
        b->records[kept++] = r;
    }
    return kept;
}

/* ---- warnings of shared identifiers ---- */

static void warn_shared(struct registry_builder *b, uint8_t kind, const struct appearance *first,
    const struct appearance *second, const char *outcome)
{
    if (registry_kind_is_shared((enum registry_kind)kind) || b->shared_warnings++ >= WARNINGS_MAX) return;
    problems_at(b->problems, b->files[second->file], second->line, 1, true, span_of(NULL, 0),
        "a %s of this subject also belongs to the subject at %s:%u; %s", registry_kind_name((enum registry_kind)kind),
        b->files[first->file], first->line, outcome);
}

static void note_shared(void *ctx, const struct record *r, uint32_t first, uint32_t second)
{
    struct registry_builder *b = ctx;
    warn_shared(b, r->kind, &b->subjects[b->origins[first]], &b->subjects[b->origins[second]],
        "protected as long as either is");
}

/* An identifier that somebody unprotected shares with somebody protected is protected; it may as well be a mistake. */
static void warn_unprotected(struct registry_builder *b, const struct table *t, size_t from)
{
    for (size_t i = from; i < b->record_count; i++) {
        const struct record r = b->records[i];
        uint32_t number = table_find(t, (struct registry_print){r.a, r.b});
        if (number == NOBODY) continue;
        warn_shared(b, r.kind, &b->subjects[b->origins[number]], &b->subjects[r.subject],
            "it is protected, though this subject is not");
    }
}

static void warn_rest(struct registry_builder *b, const char *what, uint32_t warnings)
{
    if (warnings <= WARNINGS_MAX) return;
    problems_at(
        b->problems, b->files[0], 0, 0, true, span_of(NULL, 0), "and %u more %s", warnings - WARNINGS_MAX, what);
}

/* ---- groups ---- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = load_le32(a), y = load_le32(b);
    return x < y ? -1 : x > y;
}

/* Writes one list's members in order, each once; returns how many. */
static uint32_t write_members(const struct table *t, uint32_t head, uint8_t *out)
{
    uint32_t n = 0, kept = 0;
    for (uint32_t i = head; i != NOBODY; i = t->nodes[i].next)
        store_le32(out + (size_t)4 * n++, t->nodes[i].subject);
    qsort(out, n, 4, compare_numbers);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t member = load_le32(out + (size_t)4 * i);
        if (kept == 0 || load_le32(out + (size_t)4 * (kept - 1)) != member)
            store_le32(out + (size_t)4 * kept++, member);
    }
    return kept;
}

/* Behind the handles: where each group's members begin, then the members. The block has room for all nodes. */
static void write_groups(const struct table *t, struct image_header *h, uint8_t *base)
{
    struct image i = {.header = *h};
    uint32_t at = 0;
    i.header.groups = t->group_count;
    image_lay_out(&i, base);
    uint8_t *starts = base + (i.groups - base), *members = base + (i.members - base);
    for (size_t g = 0; g < t->group_count; g++) {
        store_le32(starts + 4 * g, at);
        at += write_members(t, t->group_heads[g], members + (size_t)4 * at);
    }
    store_le32(starts + 4 * t->group_count, at);
    h->groups = t->group_count;
    h->members = at;
}

/* ---- the image ---- */

static RESULT new_block(struct registry_builder *b, size_t keys, uint32_t subjects, unsigned attempt)
{
    struct image_header *h = &b->header;
    h->subjects = subjects;
    h->blocks = table_blocks_for(keys);
    h->buckets = table_buckets_for(keys, attempt);
    h->bytes = sizeof *h + h->blocks * BLOCK_BYTES + h->buckets * BUCKET_BYTES + (uint64_t)subjects * 8;
    mem_free(b->image);
    b->image = mem_alloc(h->bytes);
    REQUIRE(b->image, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    uint8_t *handles = b->image + h->bytes - (uint64_t)subjects * 8;
    for (uint32_t i = 0; i < subjects; i++)
        store_le64(handles + (size_t)8 * i, b->subjects[b->origins[i]].handle);
    return OK;
}

static RESULT fill_block(
    struct registry_builder *b, struct table *t, size_t keys, uint32_t subjects, unsigned bits, unsigned attempt)
{
    TRY(new_block(b, keys, subjects, attempt));
    b->header.reference_bits = bits;
    uint8_t *blocks = b->image + sizeof b->header;
    *t = (struct table){.blocks = blocks,
        .buckets = blocks + b->header.blocks * BLOCK_BYTES,
        .block_count = b->header.blocks,
        .bucket_count = b->header.buckets,
        .reference_bits = bits,
        .subjects = subjects};
    b->shared_warnings = 0;
    TRY(table_fill(t, b->records, keys, note_shared, b));
    b->header.keys = t->keys;
    return OK;
}

/* Numbers known, keys placed: groups, checksum. */
static RESULT complete_block(struct registry_builder *b, const struct table *t)
{
    struct image_header *h = &b->header;
    size_t most = h->bytes + (t->group_count + 1) * 4 + t->node_count * 4 + IMAGE_MAC;
    uint8_t *grown = mem_resize(b->image, most);
    REQUIRE(grown, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    b->image = grown;
    write_groups(t, h, b->image);
    h->bytes = image_length(h);
    REQUIRE(h->bytes > 0, ERROR_LIMIT, REGISTRY_TOO_LARGE);
    return image_seal(b->image, h, &b->secrets);
}

#define ATTEMPTS 8

/* Enough even where a third of the people share something. */
static unsigned bits_for(uint32_t subjects)
{
    unsigned bits = REFERENCE_LEAST;
    while (bits < REFERENCE_MOST && subjects > ((uint64_t)3 << bits) / 4)
        bits++;
    return bits;
}

/* More groups than so many bits have names for. */
static bool needs_longer(const struct table *t)
{
    return t->reference_bits < REFERENCE_MOST && t->subjects + t->group_count >= (uint64_t)1 << t->reference_bits;
}

/* Again with longer references, or with more buckets where a key found no place. */
static RESULT fill_somehow(struct registry_builder *b, struct table *t, size_t keys, uint32_t subjects)
{
    unsigned bits = bits_for(subjects), attempt = 0;
    for (;;) {
        result r = fill_block(b, t, keys, subjects, bits, attempt);
        if (is_ok(r) || r.code != REGISTRY_TOO_LARGE || attempt == ATTEMPTS) return r;
        if (needs_longer(t))
            bits++;
        else
            attempt++;
        table_free(t);
    }
}

static RESULT make_image(struct registry_builder *b)
{
    struct table t = {0};
    uint32_t subjects;
    TRY(number_subjects(b, &subjects));
    size_t keys = partition_records(b);
    result r = fill_somehow(b, &t, keys, subjects);
    if (is_ok(r)) warn_unprotected(b, &t, keys);
    if (is_ok(r)) r = complete_block(b, &t);
    table_free(&t);
    return r;
}

RESULT registry_builder_finish(struct registry_builder *b, uint64_t built, uint64_t journal, span *image)
{
    ASSERT(b && !b->finished);
    b->finished = true;
    REQUIRE(problems_errors(b->problems) == 0, ERROR_CONFIG, REGISTRY_SOURCE_BROKEN);
    b->header = (struct image_header){.built = built, .journal = journal};
    TRY(make_image(b));
    warn_rest(b, "identifiers of several subjects", b->shared_warnings);
    warn_rest(b, "subjects on several lines", b->merge_warnings);
    *image = span_of(b->image, b->header.bytes);
    return OK;
}

/* ---- who is no longer there ---- */

struct dropped {
    struct image image;
    uint64_t *subjects;
    size_t cap, count;
};

static void note_dropped(void *ctx, uint64_t handle)
{
    struct dropped *d = ctx;
    if (image_has_subject(&d->image, handle)) return;
    if (d->count < d->cap) d->subjects[d->count] = handle;
    d->count++;
}

static struct image finished_image(const struct registry_builder *b)
{
    struct image image = {.header = b->header};
    ASSERT(b->finished && b->image);
    image_lay_out(&image, b->image);
    return image;
}

size_t registry_builder_dropped(
    const struct registry_builder *b, const struct registry *old, uint64_t *subjects, size_t cap)
{
    struct dropped d = {.image = finished_image(b), .subjects = subjects, .cap = cap};
    registry_each_protected(old, note_dropped, &d);
    return d.count;
}

static bool has_key(const struct image *i, struct registry_print p)
{
    unsigned bits = i->header.reference_bits;
    uint64_t tag = print_tag(p, bits), home = home_bucket(p, i->header.buckets),
             other = other_bucket(tag, home, i->header.buckets);
    const uint8_t *buckets[] = {i->buckets + home * BUCKET_BYTES, i->buckets + other * BUCKET_BYTES}, *slots[2];
    ask_slots_portable(buckets, (const uint64_t[]){tag, tag}, 2, bits, slots);
    return slots[0] || slots[1];
}

size_t registry_builder_lacks(
    const struct registry_builder *b, const struct registry *old, const struct registry_change *c)
{
    const struct image image = finished_image(b);
    size_t n = 0;
    if (c->op != REGISTRY_PROTECT || !registry_protects(old, c->subject) || !image_has_subject(&image, c->subject)) return 0;
    for (size_t i = 0; i < c->key_count; i++)
        n += !has_key(&image, c->keys[i]);
    return n;
}
