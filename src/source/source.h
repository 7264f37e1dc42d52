/* source: operator-written JSON with positions. Parses strict RFC 8259 with Jansson (duplicate names refused), finds
 * line and column of any value on demand, collects every problem of a run, and words it as the contract says:
 * FILE:LINE:COLUMN: /json/pointer: what is wrong; what would be right. Pure: the caller read the file. */
#ifndef GATE1367_SOURCE_H
#define GATE1367_SOURCE_H

#include "base/base.h"
#include <jansson.h>

/* Collects problems across files of one run. Warnings do not make a run fail. A problem whose text finds no memory is
 * still counted. Control characters of a file never reach a terminal: "?" stands for each. */
struct problems;
struct problems *problems_new(void);
void problems_free(struct problems *p);
size_t problems_errors(const struct problems *p);
size_t problems_warnings(const struct problems *p);
/* All of them in order of file (as first mentioned) and position, one a line, with the source line and a marker under it when `context`. */
void problems_print(const struct problems *p, FILE *to, bool context, bool colour);
/* One JSON object a line: {"file","line","column","pointer","severity","message"}. */
void problems_print_json(const struct problems *p, FILE *to);
/* Text of the i-th problem in that order ("FILE:LINE:COLUMN: /ptr: message"; "/ptr: warning: message"; the root's
 * pointer is shown as "/"), for tests and logs; owned by p until the next problem is added. */
const char *problems_text(const struct problems *p, size_t i);
size_t problems_count(const struct problems *p);
bool problems_is_warning(const struct problems *p, size_t i);
/* A problem that has no place in a file. */
void problems_add(struct problems *p, const char *file, const char *fmt, ...) PRINTF(3, 4);
/* A problem or warning at a line of a file that is not JSON. `code` is that line, shown as context. */
void problems_at(struct problems *p, const char *file, unsigned line, unsigned column, bool warning, span code,
    const char *fmt, ...) PRINTF(7, 8);

/* One parsed file. `name` is shown in messages; `text` is copied. NULL when it does not parse or memory ran out: the
 * reason is in p. */
struct source;
struct source *source_parse(const char *name, span text, struct problems *p);
/* The same for one line of a larger file (JSON Lines): messages count lines from `line`, and quote nothing of it, for such lines
 * are about people. */
struct source *source_parse_line(const char *name, unsigned line, span text, struct problems *p);
void source_free(struct source *s);
json_t *source_root(const struct source *s); /* borrowed */
const char *source_name(const struct source *s);
span source_text(const struct source *s);
struct problems *source_problems(const struct source *s);

/* A place: JSON pointer (RFC 6901) built piece by piece while a loader walks down. Value semantics, no allocation;
 * pointers past the capacity are cut with "…". */
struct place {
    struct source *source;
    char pointer[240];
    uint16_t len;
};
struct place place_root(struct source *s);
struct place place_member(const struct place *at, const char *name);
struct place place_item(const struct place *at, size_t index);

/* Position of the value (or with `on_name` of the member name) at the pointer; 1-based, column in characters.
 * False when it is not there. */
bool source_locate(const struct source *s, const char *pointer, bool on_name, unsigned *line, unsigned *column);

/* Report at the place. fmt is "what is wrong; what would be right". */
void place_error(const struct place *at, const char *fmt, ...) PRINTF(2, 3);
void place_warning(const struct place *at, const char *fmt, ...) PRINTF(2, 3);
/* The feature is specified but not built: "… is not built yet; remove it". */
void place_not_yet(const struct place *at, const char *what);

/* True when v is of the type; else reports "is a …; must be a …" (NULL counts as missing). */
bool place_expect(const struct place *at, const json_t *v, json_type type);

/* The accepted members of an object. Ends with {0}. */
struct member_spec {
    const char *name;
    bool required;
    bool not_yet; /* known to the contract, not built: error that says so */
};
/* Reports unknown members (with "did you mean"), missing required ones, not-yet ones. `v` must be an object (reports
 * otherwise and returns false). True when nothing was reported. "$schema" is always accepted. */
bool place_check_members(const struct place *at, const json_t *v, const struct member_spec *specs);

/* Typed access: reports at the member's place when the type is wrong or (required) the member is missing; the result
 * then is the fallback. Strings are borrowed from the tree. */
const char *place_string(const struct place *object, const json_t *v, const char *name, bool required, const char *fallback);
/* JSON has one sort of numbers (RFC 8259 6): 1.0 and 1e3 are whole. False: no number, or none that is. */
bool source_whole_number(const json_t *v, int64_t *out);
bool place_bool(const struct place *object, const json_t *v, const char *name, bool fallback);
int64_t place_integer(const struct place *object, const json_t *v, const char *name, int64_t min, int64_t max, int64_t fallback);
/* "32KiB", "4MiB", "1GiB", or a plain number of bytes. */
uint64_t place_size(const struct place *object, const json_t *v, const char *name, uint64_t fallback);
/* "10ms", "2s", "5m", "1h", "7d" → milliseconds. */
uint64_t place_duration(const struct place *object, const json_t *v, const char *name, uint64_t fallback_ms);
/* One of a NULL-terminated list of words; its index, or fallback after a report with "did you mean". */
int place_enum(const struct place *object, const json_t *v, const char *name, const char *const *words, bool required, int fallback);
/* Array of strings at member `name` (absent: empty). Calls `each` for every element. */
typedef void source_string_fn(void *ctx, const struct place *at, const char *s);
void place_strings(const struct place *object, const json_t *v, const char *name, source_string_fn *each, void *ctx);
/* "format": 1 present and right. */
bool place_check_format(const struct place *at, const json_t *v);
/* Nearest of a NULL-terminated list by edit distance (≤ a third of the length), or NULL. */
const char *source_did_you_mean(const char *word, const char *const *words);

#endif
