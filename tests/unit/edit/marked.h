/* Surveys by hand: a document with marks in front of members and elements becomes its plain text, the survey that match
 * would leave of it, and a verdict. Strings hold letters and digits only, so that no mark stands in one.
 *
 *   <u  a unit of declaration u (a digit), kept          !u  withheld
 *   ?u  withheld, "absent": "null"                        :u  kept, "absent": "null"
 *   *u  withheld for what stands in its name, "absent": "null"
 *   ~   removed for everybody                             #u  a count of declaration u
 */
#ifndef TESTS_EDIT_MARKED_H
#define TESTS_EDIT_MARKED_H

#include "edit/edit.h"

#define MARKED_MAX 4096
struct marked {
    char *text;
    size_t len;
    struct match_piece pieces[MARKED_MAX];
    struct match_container containers[MARKED_MAX];
    struct match_count counts[MARKED_MAX];
    uint8_t withheld[MARKED_MAX];
    struct match_survey survey;
    struct policy_verdict verdict;
    const char *from; /* the marked text still to be read */
    uint32_t depth;
};

static void marked_put(struct marked *m, char c)
{
    m->text[m->len++] = c;
}
static void marked_space(struct marked *m)
{
    while (*m->from == ' ' || *m->from == '\n' || *m->from == '\t' || *m->from == '\r')
        marked_put(m, *m->from++);
}
static void marked_string(struct marked *m)
{
    marked_put(m, *m->from++);
    while (*m->from != '"')
        marked_put(m, *m->from++);
    marked_put(m, *m->from++);
}
static void marked_value(struct marked *m, uint32_t unit);

/* Where siblings stand: what the next one must be told. */
struct marked_siblings {
    uint32_t container, ordinal;
    uint64_t previous_end;
    uint32_t waiting; /* piece whose next_begin is not known yet */
};

static bool marked_is_mark(char c)
{
    return c != '\0' && strchr("<!?:*~#", c) != NULL;
}

static uint32_t marked_piece(struct marked *m, char mark, uint16_t decl, uint32_t unit, const struct marked_siblings *s)
{
    uint32_t i = (uint32_t)m->survey.piece_count++;
    ASSERT(i < MARKED_MAX);
    m->pieces[i] = (struct match_piece){.begin = m->len,
        .previous_end = s->previous_end,
        .container = s->container,
        .ordinal = s->ordinal,
        .unit_parent = unit,
        .roles = mark == '~' ? PATH_UNIFORM : PATH_UNIT,
        .unit = decl,
        .absent_null = mark == '?' || mark == ':' || mark == '*',
        .removed = mark == '~'};
    m->withheld[i] = mark == '!' || mark == '?' ? POLICY_WITHHELD : mark == '*' ? POLICY_WITHHELD_NAME : POLICY_KEPT;
    return i;
}

/* One element, member or line with its marks. */
static void marked_child(struct marked *m, uint32_t unit, struct marked_siblings *s, bool member, bool line)
{
    char mark = 0;
    uint16_t decl = 0;
    uint32_t piece = MATCH_NONE;
    if (marked_is_mark(*m->from)) {
        mark = *m->from++;
        if (mark != '~') decl = (uint16_t)(*m->from++ - '0');
    }
    if (s->waiting != MATCH_NONE) m->pieces[s->waiting].next_begin = m->len;
    s->waiting = MATCH_NONE;
    if (mark && mark != '#') piece = marked_piece(m, mark, decl, unit, s);
    if (member) {
        marked_string(m);
        marked_space(m);
        marked_put(m, *m->from++); /* : */
        marked_space(m);
    }
    uint64_t value = m->len;
    bool quoted = *m->from == '"';
    marked_value(m, piece != MATCH_NONE && mark != '~' ? piece : unit);
    if (mark == '#')
        m->counts[m->survey.count_count++] = (struct match_count){
            .begin = value, .end = m->len, .piece = MATCH_NONE, .unit_parent = unit, .unit = decl, .quoted = quoted};
    if (piece != MATCH_NONE) {
        struct match_piece *p = &m->pieces[piece];
        p->value = value;
        p->end = p->next_begin = m->len;
        p->is_member = member;
        p->is_line = line;
        s->waiting = piece;
    }
    s->ordinal++;
    s->previous_end = m->len;
}

static void marked_container(struct marked *m, uint32_t unit)
{
    bool object = *m->from == '{';
    uint32_t i = (uint32_t)m->survey.container_count++;
    ASSERT(i < MARKED_MAX);
    m->containers[i] = (struct match_container){.open = m->len};
    marked_put(m, *m->from++);
    struct marked_siblings s = {.container = i, .previous_end = m->len, .waiting = MATCH_NONE};
    marked_space(m);
    while (*m->from != ']' && *m->from != '}') {
        marked_child(m, unit, &s, object, false);
        marked_space(m);
        if (*m->from == ',') marked_put(m, *m->from++);
        marked_space(m);
    }
    m->containers[i].close = m->len;
    m->containers[i].children = s.ordinal;
    marked_put(m, *m->from++);
}

static void marked_value(struct marked *m, uint32_t unit)
{
    if (*m->from == '{' || *m->from == '[')
        marked_container(m, unit);
    else if (*m->from == '"')
        marked_string(m);
    else
        while (*m->from && !strchr(",]} \n\r\t", *m->from))
            marked_put(m, *m->from++);
}

static struct marked *marked_new(const char *text)
{
    struct marked *m = mem_alloc(sizeof *m);
    ASSERT(m && (m->text = mem_alloc(strlen(text) + 1)));
    m->from = text;
    return m;
}

static struct marked *marked_finish(struct marked *m)
{
    ASSERT(*m->from == '\0');
    m->survey.pieces = m->pieces;
    m->survey.containers = m->containers;
    m->survey.counts = m->counts;
    m->verdict.withheld = m->withheld;
    return m;
}

static struct marked *marked_json(const char *text)
{
    struct marked *m = marked_new(text);
    marked_space(m);
    marked_value(m, MATCH_NONE);
    marked_space(m);
    return marked_finish(m);
}

/* NDJSON: white space between lines belongs to the separators. */
static struct marked *marked_lines(const char *text)
{
    struct marked *m = marked_new(text);
    m->survey.container_count = 1;
    struct marked_siblings s = {.waiting = MATCH_NONE};
    marked_space(m);
    s.previous_end = 0;
    while (*m->from) {
        marked_child(m, MATCH_NONE, &s, false, true);
        marked_space(m);
    }
    m->containers[0] = (struct match_container){.close = m->len, .children = s.ordinal, .is_lines = true};
    return marked_finish(m);
}

static void marked_free(struct marked *m)
{
    mem_free(m->text);
    mem_free(m);
}

/* What leaves, NUL-terminated; freed by the caller. Also holds that the runs describe themselves truly. */
static char *marked_edit(const struct marked *m, struct arena *arena)
{
    struct edit_list list;
    result r = edit_plan(&m->survey, &m->verdict, span_of(m->text, m->len), arena, &list);
    ASSERT(is_ok(r));
    char *out = mem_alloc(list.length + 1);
    size_t len = 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct edit_run *run = &list.runs[i];
        ASSERT(run->out == len);
        if (run->literal_len)
            memcpy(out + len, run->literal, run->literal_len);
        else
            memcpy(out + len, m->text + run->at, run->len);
        len += run->literal_len ? run->literal_len : run->len;
    }
    ASSERT(len == list.length);
    if (list.identity) ASSERT(len == m->len && memcmp(out, m->text, len) == 0);
    return out;
}

#endif
