/* The source as CSV (RFC 4180), one set of identifiers a row, columns in any order:
 *
 *   subject,status,benefit,role,case,recorded,given,surname,dob,confidential,alien_number,receipt_number,person_id:earm
 *   S-000001,pending,U,principal,C-77,2026-10-01,María,García,1987-03-04,,A012-345-678,EAC2190012345,90210017
 *   S-000001,pending,U,principal,C-77,,,,,,A098-765-432,,
 *
 * `subject` and `status` are required. Each kind of identifier is a column of its name; a surrogate key's column names
 * its system behind a colon. Rows of one subject belong together: several cases or several A-numbers are several rows.
 * An empty cell says nothing; a row without a status is as a line without cases (protected). `confidential` (true or
 * false) is about the row's shared things. */
#include "registry/builder.h"

#define COLUMNS_MAX 64

enum column_kind {
    COLUMN_SUBJECT,
    COLUMN_STATUS,
    COLUMN_BENEFIT,
    COLUMN_ROLE,
    COLUMN_CASE,
    COLUMN_RECORDED,
    COLUMN_GIVEN,
    COLUMN_SURNAME,
    COLUMN_DOB,
    COLUMN_CONFIDENTIAL,
    COLUMN_IDENTIFIER
};
static const char *const column_names[] = {"subject", "status", "benefit", "role", "case", "recorded", "given",
    "surname", "dob", "confidential",
#define X(id, name, shared, surrogate) name,
    REGISTRY_KINDS(X)
#undef X
        NULL};

struct column {
    enum column_kind kind;
    enum registry_kind identifier;
    uint8_t system[REGISTRY_SYSTEM_MAX];
    size_t system_len;
};
struct csv {
    struct registry_builder *builder;
    const char *name;
    uint16_t file;
    span text;
    size_t at;
    unsigned line, row_line; /* where we are; where the row began */
    struct buf cells;        /* the row's cells, unquoted, one behind the other */
    span cell[COLUMNS_MAX];
    unsigned cell_column[COLUMNS_MAX];
    size_t cell_count;
    struct column column[COLUMNS_MAX];
    size_t column_count;
};

static void PRINTF(4, 5) report(struct csv *c, size_t cell, bool warning, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    problems_at(c->builder->problems, c->name, c->row_line, cell < c->cell_count ? c->cell_column[cell] : 1, warning,
        span_of(NULL, 0), "%s", text);
}

/* ---- rows ---- */

/* The inside of a quoted cell; false when it does not end. */
static bool read_quoted(struct csv *c, struct buf *out)
{
    for (c->at++; c->at < c->text.len; c->at++) {
        uint8_t byte = c->text.ptr[c->at];
        if (byte == '\n') c->line++;
        if (byte == '"') {
            if (c->at + 1 >= c->text.len || c->text.ptr[c->at + 1] != '"') {
                c->at++;
                return true;
            }
            c->at++;
        }
        if (!is_ok(buf_append(out, span_of(&byte, 1)))) return false;
    }
    return false;
}

static bool is_end(const struct csv *c)
{
    return c->at >= c->text.len || c->text.ptr[c->at] == '\n' ||
           (c->text.ptr[c->at] == '\r' && (c->at + 1 >= c->text.len || c->text.ptr[c->at + 1] == '\n'));
}

static bool read_plain(struct csv *c, struct buf *out)
{
    size_t from = c->at;
    while (!is_end(c) && c->text.ptr[c->at] != ',' && c->text.ptr[c->at] != '"')
        c->at++;
    return is_ok(buf_append(out, span_sub(c->text, from, c->at - from)));
}

/* One cell into the buffer; false when it is malformed. */
static bool read_cell(struct csv *c)
{
    bool quoted = c->at < c->text.len && c->text.ptr[c->at] == '"';
    bool good = quoted ? read_quoted(c, &c->cells) : read_plain(c, &c->cells);
    return good && (is_end(c) || c->text.ptr[c->at] == ',');
}

static void end_row(struct csv *c)
{
    while (c->at < c->text.len && c->text.ptr[c->at] != '\n')
        c->at++;
    c->at += c->at < c->text.len;
    c->line++;
}

/* Cells are laid out once the buffer no longer moves. */
static void point_cells(struct csv *c, const size_t *ends)
{
    size_t from = 0;
    for (size_t i = 0; i < c->cell_count; i++) {
        c->cell[i] = span_trim(span_sub(buf_span(&c->cells), from, ends[i] - from));
        from = ends[i];
    }
}

/* False when the row is no CSV; the rest of the file can then not be trusted and is not read. */
static bool read_row(struct csv *c)
{
    size_t ends[COLUMNS_MAX] = {0}, start = c->at;
    buf_clear(&c->cells);
    c->cell_count = 0;
    c->row_line = c->line;
    for (;;) {
        if (c->cell_count == COLUMNS_MAX) return false;
        c->cell_column[c->cell_count] = (unsigned)(c->at - start) + 1;
        if (!read_cell(c)) return false;
        ends[c->cell_count++] = buf_len(&c->cells);
        if (is_end(c)) break;
        c->at++;
    }
    end_row(c);
    point_cells(c, ends);
    return true;
}

/* ---- the header row ---- */

static void read_system(struct csv *c, size_t i, struct column *column, span name, span system)
{
    bool surrogate = registry_kind_is_surrogate(column->identifier);
    bool given = registry_system_id(system) != 0 && system.len <= REGISTRY_SYSTEM_MAX;
    if (surrogate && !given)
        report(c, i, false, "column \"%.*s\" needs its system; for example person_id:earm", SPAN_FMT(name));
    if (!surrogate && system.len > 0)
        report(c, i, false, "column \"%.*s\" has no system; remove what follows the kind", SPAN_FMT(name));
    if (!surrogate || !given) return;
    memcpy(column->system, system.ptr, system.len);
    column->system_len = system.len;
}

static void report_column(struct csv *c, size_t i, span name)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", SPAN_FMT(name));
    const char *meant = source_did_you_mean(word, column_names);
    if (meant)
        report(c, i, false, "unknown column \"%s\"; did you mean \"%s\"?", word, meant);
    else
        report(c, i, false, "unknown column \"%s\"; should be a member of a source line or a kind of identifier", word);
}

/* Who lists it takes it for protected. */
static void tell_unmatched(struct csv *c, size_t i, span name)
{
    report(c, i, true, "what stands under \"%.*s\" is not looked for in documents by this release; list what identifies the person too",
        SPAN_FMT(name));
}

static void read_column(struct csv *c, size_t i)
{
    span name = c->cell[i];
    struct column *column = &c->column[i];
    for (int k = 0; k < COLUMN_IDENTIFIER; k++)
        if (span_equal(name, span_str(column_names[k]))) {
            *column = (struct column){.kind = (enum column_kind)k};
            if (k == COLUMN_GIVEN || k == COLUMN_SURNAME || k == COLUMN_DOB) tell_unmatched(c, i, name);
            return;
        }
    size_t colon = span_find(name, ':');
    int kind = registry_kind_from(span_sub(name, 0, colon));
    if (kind < 0) {
        report_column(c, i, name);
        return;
    }
    *column = (struct column){.kind = COLUMN_IDENTIFIER, .identifier = (enum registry_kind)kind};
    if (person_kind_unmatched(column->identifier)) tell_unmatched(c, i, name);
    read_system(c, i, column, name, colon < name.len ? span_trim(span_from(name, colon + 1)) : span_of(NULL, 0));
}

static size_t count_columns(const struct csv *c, enum column_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < c->column_count; i++)
        n += c->column[i].kind == kind;
    return n;
}

static bool read_columns(struct csv *c)
{
    size_t errors = problems_errors(c->builder->problems);
    c->column_count = c->cell_count;
    for (size_t i = 0; i < c->cell_count; i++)
        read_column(c, i);
    if (problems_errors(c->builder->problems) > errors) return false;
    for (int k = 0; k < COLUMN_IDENTIFIER; k++) {
        size_t n = count_columns(c, (enum column_kind)k);
        if (n == 0 && (k == COLUMN_SUBJECT || k == COLUMN_STATUS))
            report(c, 0, false, "no column \"%s\"; it is required", column_names[k]);
        if (n > 1) report(c, 0, false, "column \"%s\" stands twice", column_names[k]);
    }
    return problems_errors(c->builder->problems) == errors;
}

/* ---- the others ---- */

static span cell_of(const struct csv *c, enum column_kind kind)
{
    for (size_t i = 0; i < c->cell_count; i++)
        if (c->column[i].kind == kind) return c->cell[i];
    return span_of(NULL, 0);
}

static void check_word(struct csv *c, size_t i, const char *const *words)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", SPAN_FMT(c->cell[i]));
    for (size_t w = 0; words[w]; w++)
        if (strcmp(word, words[w]) == 0) return;
    const char *meant = source_did_you_mean(word, words);
    report(c, i, false, "unknown %s \"%s\"; %s %s", column_names[c->column[i].kind], word,
        meant ? "did you mean" : "one of those is", meant ? meant : words[0]);
}

static void check_status(struct csv *c, size_t i)
{
    int protects = c->cell[i].len > 0 ? person_status(c->cell[i]) : 1;
    c->builder->person.protected_ = protects != 0;
    if (protects < 0) report(c, i, true, "unknown status, taken as protected; see the guide for the statuses");
}

static bool is_confidential(const struct csv *c)
{
    return span_equal(cell_of(c, COLUMN_CONFIDENTIAL), SPAN("true"));
}

static RESULT add_cell(struct csv *c, size_t i)
{
    const struct column *column = &c->column[i];
    struct registry_builder *b = c->builder;
    size_t before = b->person.key_count;
    enum registry_kind kind = column->identifier;
    enum person_value added =
        person_add(&b->person, &b->secrets, kind, c->cell[i], span_of(column->system, column->system_len));
    REQUIRE(added != PERSON_VALUE_NO_MEMORY, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    if (added == PERSON_VALUE_BAD)
        report(c, i, false, "no %s; should be %s", registry_kind_name(kind), person_kind_hint(kind));
    if (registry_kind_is_shared(kind) && kind != REGISTRY_LOCATION && !is_confidential(c)) b->person.key_count = before;
    return OK;
}

static RESULT take_cell(struct csv *c, size_t i)
{
    struct registry_builder *b = c->builder;
    if (c->column[i].kind == COLUMN_STATUS) check_status(c, i);
    if (c->cell[i].len == 0) {
        if (c->column[i].kind == COLUMN_SUBJECT) report(c, i, false, "no subject; every row needs one");
        return OK;
    }
    switch (c->column[i].kind) {
    case COLUMN_SUBJECT: b->person.handle = secrets_handle(&b->secrets, c->cell[i]); break;
    case COLUMN_BENEFIT: check_word(c, i, person_benefits); break;
    case COLUMN_ROLE: check_word(c, i, person_roles); break;
    case COLUMN_DOB:
    case COLUMN_RECORDED:
        if (!person_date_valid(c->cell[i])) report(c, i, false, "no such day; dates are YYYY-MM-DD");
        break;
    case COLUMN_CONFIDENTIAL: check_word(c, i, (const char *const[]){"true", "false", NULL}); break;
    case COLUMN_IDENTIFIER: return add_cell(c, i);
    case COLUMN_STATUS:
    case COLUMN_CASE:
    case COLUMN_GIVEN:
    case COLUMN_SURNAME: break;
    }
    return OK;
}

static RESULT take_row(struct csv *c)
{
    if (c->cell_count == 1 && c->cell[0].len == 0) return OK; /* an empty line */
    if (c->cell_count != c->column_count) {
        report(c, 0, false, "%zu cells; the header row names %zu columns", c->cell_count, c->column_count);
        return OK;
    }
    person_reset(&c->builder->person);
    for (size_t i = 0; i < c->cell_count; i++)
        TRY(take_cell(c, i));
    return builder_take(c->builder, c->file, c->row_line, true);
}

static RESULT read_rows(struct csv *c)
{
    bool header = true;
    while (c->at < c->text.len) {
        if (!read_row(c)) {
            report(c, 0, false,
                "malformed from here on; quotes must stand at both ends of a cell, and a row has at most %d",
                COLUMNS_MAX);
            return OK;
        }
        if (!header)
            TRY(take_row(c));
        else if (!read_columns(c))
            return OK;
        header = false;
    }
    if (header) report(c, 0, false, "no header row; the first row names the columns");
    return OK;
}

RESULT builder_csv(struct registry_builder *b, const char *name, span text)
{
    struct csv *c = mem_alloc(sizeof *c);
    REQUIRE(c, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    c->builder = b;
    c->name = name;
    c->text = text;
    c->line = c->row_line = 1;
    buf_init(&c->cells, (size_t)16 << 20);
    result r = builder_file(b, name, &c->file);
    if (is_ok(r)) r = read_rows(c);
    buf_free(&c->cells);
    mem_free_wipe(c, sizeof *c);
    return r;
}
