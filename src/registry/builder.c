/* Collecting the source: arrays of fixed records that grow by half, nothing a person. */
#include "registry/builder.h"

#define BUILDER_MAGIC 0x5242554Cu

struct registry_builder *registry_builder_new(const uint8_t key[32], struct problems *p)
{
    struct registry_builder *b = mem_alloc(sizeof *b);
    if (!b) return NULL;
    b->magic = BUILDER_MAGIC;
    b->problems = p;
    if (is_ok(secrets_derive(&b->secrets, key))) return b;
    registry_builder_free(b);
    return NULL;
}

void registry_builder_free(struct registry_builder *b)
{
    if (!b) return;
    MAGIC_CHECK(b, BUILDER_MAGIC);
    b->magic = 0;
    person_free(&b->person);
    mem_free(b->files);
    mem_free(b->records);
    mem_free(b->subjects);
    mem_free(b->image);
    mem_free(b->numbers);
    mem_free(b->origins);
    mem_free_wipe(b, sizeof *b);
}

/* Room for one more element; the block may move. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room) return true;
    size_t more = *room + *room / 2 + 64;
    if (more > SIZE_MAX / size) return false;
    void *grown = mem_resize(*array, more * size);
    if (!grown) return false;
    *array = grown;
    *room = more;
    return true;
}

RESULT builder_file(struct registry_builder *b, const char *name, uint16_t *file)
{
    size_t i = b->file_count;
    while (i > 0 && b->files[i - 1] != name)
        i--;
    if (i == 0) {
        REQUIRE(b->file_count < UINT16_MAX, ERROR_LIMIT, REGISTRY_TOO_LARGE);
        void *files = b->files;
        bool done = grow(&files, b->file_count, &b->file_room, sizeof *b->files);
        b->files = files;
        REQUIRE(done, ERROR_LIMIT, REGISTRY_NO_MEMORY);
        b->files[b->file_count++] = name;
        i = b->file_count;
    }
    *file = (uint16_t)(i - 1);
    return OK;
}

static RESULT take_key(struct registry_builder *b, const struct person_key *k)
{
    void *records = b->records;
    bool done = grow(&records, b->record_count, &b->record_room, sizeof *b->records);
    b->records = records;
    REQUIRE(done, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    b->records[b->record_count++] = (struct record){
        .a = k->print.a, .b = k->print.b, .subject = (uint32_t)b->subject_count, .kind = (uint8_t)k->kind};
    return OK;
}

RESULT builder_take(struct registry_builder *b, uint16_t file, unsigned line, bool row)
{
    b->lines++;
    if (b->person.handle == REGISTRY_NO_SUBJECT) return OK; /* reported where it was missing */
    REQUIRE(b->subject_count < NOBODY, ERROR_LIMIT, REGISTRY_TOO_LARGE);
    void *subjects = b->subjects;
    bool done = grow(&subjects, b->subject_count, &b->subject_room, sizeof *b->subjects);
    b->subjects = subjects;
    REQUIRE(done, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    for (size_t i = 0; i < b->person.key_count; i++)
        TRY(take_key(b, &b->person.keys[i]));
    b->subjects[b->subject_count++] = (struct appearance){
        .handle = b->person.handle, .line = line, .file = file, .protected_ = b->person.protected_, .row = row};
    return OK;
}

static bool is_blank(span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r", text.ptr[i]) || text.ptr[i] == 0) return false;
    return true;
}

/* When the run has failed already, a line that does not parse is a problem as any other; memory that ran out is not. */
RESULT registry_builder_line(struct registry_builder *b, const char *name, unsigned line, span text)
{
    MAGIC_CHECK(b, BUILDER_MAGIC);
    ASSERT(!b->finished);
    uint16_t file;
    if (is_blank(text)) return OK;
    TRY(builder_file(b, name, &file));
    size_t errors = problems_errors(b->problems);
    struct source *s = source_parse_line(name, line, text, b->problems);
    if (!s) {
        REQUIRE(problems_errors(b->problems) > errors, ERROR_LIMIT, REGISTRY_NO_MEMORY);
        return OK;
    }
    struct place at = place_root(s);
    result r = person_read(&b->person, &b->secrets, PERSON_SOURCE, &at, source_root(s));
    source_free(s);
    TRY(r);
    return builder_take(b, file, line, false);
}

static bool is_csv(const char *name)
{
    span s = span_str(name);
    return s.len > 4 && span_equal_nocase(span_from(s, s.len - 4), SPAN(".csv"));
}

RESULT registry_builder_source(struct registry_builder *b, const char *name, span text)
{
    MAGIC_CHECK(b, BUILDER_MAGIC);
    if (span_starts(text, SPAN("\xEF\xBB\xBF"))) text = span_from(text, 3);
    if (is_csv(name)) return builder_csv(b, name, text);
    for (unsigned line = 1; text.len > 0; line++) {
        size_t end = span_find(text, '\n');
        TRY(registry_builder_line(b, name, line, span_sub(text, 0, end)));
        text = span_from(text, end < text.len ? end + 1 : end);
    }
    return OK;
}

void registry_builder_totals(const struct registry_builder *b, struct registry_totals *out)
{
    MAGIC_CHECK(b, BUILDER_MAGIC);
    *out = (struct registry_totals){.lines = b->lines,
        .subjects = b->persons,
        .protected_subjects = b->header.subjects,
        .keys = b->header.keys};
}
