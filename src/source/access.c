#include "source/source.h"

static const char *type_name(const json_t *v)
{
    if (!v) return "missing";
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number with a fraction or exponent";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "unknown";
}

static const char *wanted_name(json_type type)
{
    switch (type) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

bool place_expect(const struct place *at, const json_t *v, json_type type)
{
    if (v && json_typeof(v) == type) return true;
    place_error(at, "is %s; must be %s", type_name(v), wanted_name(type));
    return false;
}

/* The member, when there is one of the type; NULL else, and the wrong type is reported. */
static const json_t *typed_member(const struct place *object, const json_t *v, const char *name, json_type type)
{
    const json_t *member = json_object_get(v, name);
    struct place at = place_member(object, name);
    return member && place_expect(&at, member, type) ? member : NULL;
}

static void report_missing(const struct place *object, const char *name)
{
    place_error(object, "\"%s\" is missing; it is required", name);
}

const char *place_string(
    const struct place *object, const json_t *v, const char *name, bool required, const char *fallback)
{
    if (required && !json_object_get(v, name)) report_missing(object, name);
    const json_t *member = typed_member(object, v, name, JSON_STRING);
    return member ? json_string_value(member) : fallback;
}

bool place_bool(const struct place *object, const json_t *v, const char *name, bool fallback)
{
    const json_t *member = json_object_get(v, name);
    if (!member) return fallback;
    if (json_is_boolean(member)) return json_is_true(member);
    struct place at = place_member(object, name);
    return place_expect(&at, member, JSON_TRUE) || fallback; /* reports */
}

#define EXACT_MAX 9007199254740992.0 /* up to which a double holds every whole number */

/* JSON has one sort of numbers: 1.0 and 1e3 are whole. */
//= RFC8259 6
bool source_whole_number(const json_t *v, int64_t *out)
{
    if (json_is_integer(v)) *out = json_integer_value(v);
    if (!json_is_real(v)) return json_is_integer(v);
    double n = json_real_value(v);
    if (n < -EXACT_MAX || n > EXACT_MAX) return false;
    *out = (int64_t)n;
    return n - (double)*out == 0.0;
}

int64_t place_integer(
    const struct place *object, const json_t *v, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    const json_t *member = json_object_get(v, name);
    struct place at = place_member(object, name);
    int64_t value;
    if (!member) return fallback;
    if (!source_whole_number(member, &value)) {
        (void)place_expect(&at, member, JSON_INTEGER); /* reports */
        return fallback;
    }
    if (value >= min && value <= max) return value;
    place_error(&at, "is %lld; must be from %lld to %lld", (long long)value, (long long)min, (long long)max);
    return fallback;
}

/* A unit and how much it is. */
struct unit {
    const char *name;
    uint64_t factor;
};
static const struct unit size_units[] = {{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {NULL, 0}};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

/* Digits directly followed by one of the units. */
static bool parse_quantity(span text, const struct unit *units, uint64_t *out)
{
    size_t digits = 0;
    while (digits < text.len && is_digit(text.ptr[digits]))
        digits++;
    uint64_t count;
    if (!span_to_u64(span_sub(text, 0, digits), INT64_MAX, &count)) return false;
    for (; units->name; units++)
        if (span_equal(span_from(text, digits), span_str(units->name)))
            return !__builtin_mul_overflow(count, units->factor, out) && *out <= INT64_MAX;
    return false;
}

/* What to show of a wrong value without flooding the message. */
#define SHOWN "%.60s"

uint64_t place_size(const struct place *object, const json_t *v, const char *name, uint64_t fallback)
{
    const json_t *member = json_object_get(v, name);
    uint64_t value;
    int64_t bytes;
    if (!member) return fallback;
    bool whole = source_whole_number(member, &bytes);
    if (whole && bytes >= 0) return (uint64_t)bytes;
    if (json_is_string(member) && parse_quantity(span_str(json_string_value(member)), size_units, &value)) return value;
    struct place at = place_member(object, name);
    const char *right = "write a number of bytes, or one with KiB, MiB or GiB, as in \"32KiB\"";
    if (json_is_string(member))
        place_error(&at, "\"" SHOWN "\" is not a size; %s", json_string_value(member), right);
    else
        place_error(&at, "is %s, not a size; %s", whole ? "negative" : type_name(member), right);
    return fallback;
}

uint64_t place_duration(const struct place *object, const json_t *v, const char *name, uint64_t fallback_ms)
{
    const json_t *member = json_object_get(v, name);
    uint64_t value;
    if (!member) return fallback_ms;
    if (json_is_string(member) && parse_quantity(span_str(json_string_value(member)), duration_units, &value))
        return value;
    struct place at = place_member(object, name);
    const char *right = "write a number with ms, s, m, h or d, as in \"10ms\"";
    if (json_is_string(member))
        place_error(&at, "\"" SHOWN "\" is not a duration; %s", json_string_value(member), right);
    else
        place_error(&at, "is %s, not a duration; %s", type_name(member), right);
    return fallback_ms;
}

static void report_word(const struct place *at, const char *word, const char *const *words)
{
    const char *meant = source_did_you_mean(word, words);
    if (meant) {
        place_error(at, "unknown value \"" SHOWN "\"; did you mean \"%s\"?", word, meant);
        return;
    }
    struct buf list;
    buf_init(&list, 1024);
    result r = OK;
    for (size_t i = 0; words[i] && is_ok(r); i++)
        r = buf_printf(&list, "%s\"%s\"", i ? ", " : "", words[i]);
    place_error(at, "unknown value \"" SHOWN "\"; must be one of %.*s", word, SPAN_FMT(buf_span(&list)));
    buf_free(&list);
}

int place_enum(const struct place *object, const json_t *v, const char *name, const char *const *words, bool required,
    int fallback)
{
    const char *word = place_string(object, v, name, required, NULL);
    if (!word) return fallback;
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    struct place at = place_member(object, name);
    report_word(&at, word, words);
    return fallback;
}

void place_strings(const struct place *object, const json_t *v, const char *name, source_string_fn *each, void *ctx)
{
    const json_t *list = typed_member(object, v, name, JSON_ARRAY);
    struct place at = place_member(object, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct place here = place_item(&at, i);
        if (place_expect(&here, item, JSON_STRING)) each(ctx, &here, json_string_value(item));
    }
}

bool place_check_format(const struct place *at, const json_t *v)
{
    const json_t *format = json_object_get(v, "format");
    if (!format) {
        place_error(at, "\"format\" is missing; add \"format\": 1");
        return false;
    }
    struct place here = place_member(at, "format");
    int64_t number;
    if (!source_whole_number(format, &number)) return place_expect(&here, format, JSON_INTEGER);
    if (number == 1) return true;
    place_error(&here, "is %lld; this release reads format 1", (long long)number);
    return false;
}
