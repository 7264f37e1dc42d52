/* One text as a reader would see it: folded, then again with percent-encoding and base64 undone, to two levels.
 *
 *= ICE10036.2 2.1
 *= 10-domain 2.2 normalisation before matching */
#include "match/own.h"

/* ---- identifiers ------------------------------------------------------------------------------------------------ */

static bool all_digits(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i])) return false;
    return s.len > 0;
}

static bool label_names(const struct label *label, const struct rules_identifier *rule)
{
    for (size_t i = 0; i < label->count; i++)
        if (label->rules[i]->id == rule->id) return true;
    return false;
}

/* Bare digits mean something under a label only, but for nine of them: see scan_bare(). */
static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct match *m = ctx;
    if (limit)
        finding_here(m, MATCH_LIMIT, rule->id);
    else if (!all_digits(where) || label_names(m->spot.label, rule))
        propose(m, rule->id, rule->kind, value);
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.';
}

/* 012345678 and, as cards print it, 012-345-678. */
static void scan_bare(struct match *m, span text)
{
    size_t from = 0, begin, end, group[3] = {0}, groups = 0, last_end = 0;
    while (text_next_digits(text, from, &begin, &end)) {
        from = end;
        if (end - begin == 9) propose(m, m->nine_digits->id, REGISTRY_ALIEN_NUMBER, span_sub(text, begin, 9));
        bool joined = groups > 0 && begin == last_end + 1 && is_separator(text.ptr[last_end]);
        groups = end - begin != 3 ? 0 : joined ? groups + 1 : 1;
        last_end = end;
        if (groups == 0) continue;
        group[(groups - 1) % 3] = begin;
        if (groups < 3) continue;
        size_t first = group[groups % 3];
        if (text.ptr[first + 3] == text.ptr[first + 7])
            propose(m, m->nine_digits->id, REGISTRY_ALIEN_NUMBER, span_sub(text, first, 11));
    }
}

/* Nothing that carries its own syntax has fewer than six digits, or fewer than nine and no letter; rules of which that
 * is not so set any_syntax. The property test against "prefilter off" holds it. */
bool view_may_identify(const struct match *m, const struct facts *f)
{
    return !m->prefilter || m->any_syntax || f->digits >= 9 || (f->letter && f->digits >= 6);
}

static void scan_identifiers(struct match *m, span text, const struct facts *f)
{
    if (m->spot.label->patterns) rules_scan_bound(m->rules, m->scratch, text, m->spot.label->set, see_candidate, m);
    syntax_scan(m, text, f);
    if (!view_may_identify(m, f)) return;
    rules_scan_anywhere(m->rules, m->scratch, text, see_candidate, m);
    if (f->digits >= 9 && m->nine_digits && (m->spot.label->count == 0 || m->spot.is_name)) scan_bare(m, text);
}

/* ---- under a label ---------------------------------------------------------------------------------------------- */

/* Digits in groups of three from the right, as people write a number, and not as they write a date. */
static bool is_grouped(span s)
{
    size_t run = 0, groups = 0;
    for (size_t i = s.len; i > 0; i--) {
        if (is_digit(s.ptr[i - 1])) {
            run++;
        } else {
            if (run != 3 || !is_separator(s.ptr[i - 1])) return false;
            run = 0;
            groups++;
        }
    }
    return groups > 0 && run >= 1 && run <= 3;
}

static size_t count_digits(span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += is_digit(s.ptr[i]);
    return n;
}

static bool has_letter(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_alpha(s.ptr[i])) return true;
    return false;
}

static bool fits_bare(const struct rules_identifier *rule, size_t digits)
{
    return rule->bare != BARE_NONE && digits >= rule->bare_min && digits <= rule->bare_max;
}

/* The whole value: what has letters stands for itself; digits alone need the right number of them. */
static bool fits_whole(const struct rules_identifier *rule, span value)
{
    if (has_letter(value)) return true;
    size_t digits = count_digits(value);
    return fits_bare(rule, digits) && (digits == value.len || digits == rule->bare_max || is_grouped(value));
}

/* Fewer digits than this are a number somewhere in a text, whatever the text is called. */
#define EMBEDDED_MIN 6

static void scan_labelled(struct match *m, span text)
{
    span value = span_trim(text);
    uint8_t padded[9];
    for (size_t i = 0; i < m->spot.label->count; i++) {
        const struct rules_identifier *rule = m->spot.label->rules[i];
        if (value.len <= 2 * REGISTRY_CANONICAL_MAX && fits_whole(rule, value))
            propose(m, rule->id, rule->kind, all_digits(value) ? value_pad(rule->kind, value, padded) : value);
        size_t from = 0, begin, end;
        while (text_next_digits(value, from, &begin, &end)) {
            from = end;
            if (end - begin >= EMBEDDED_MIN && fits_bare(rule, end - begin))
                propose(m, rule->id, rule->kind, span_sub(value, begin, end - begin));
        }
    }
}

static void scan_key(struct match *m, span text)
{
    enum registry_kind kind = (enum registry_kind)m->spot.key->kind;
    propose(m, m->kind_rule[kind], kind, text);
}

/* ---- markers ---------------------------------------------------------------------------------------------------- */

static void see_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    (void)where;
    finding_here(ctx,
        limit                               ? MATCH_LIMIT
        : rule->strength == RULE_DEFINITIVE ? MATCH_DEFINITIVE
                                            : MATCH_SUSPECTED,
        rule->id);
}

static void scan_markers(struct match *m, span text, bool free_text)
{
    if (!free_text && !m->spot.label->markers) return;
    rules_scan_markers(m->rules, m->scratch, text, m->spot.label->set, free_text, see_marker, m);
}

/* ---- codings ---------------------------------------------------------------------------------------------------- */

static void scan_percent(struct match *m, span text, unsigned level)
{
    uint8_t *out = bytes_room(m, &m->percent[level], text.len);
    if (!out) return;
    size_t n = text_percent(text, out);
    if (n < text.len) view_scan(m, span_of(out, n), level + 1, false, false);
}

static void scan_token(struct match *m, span token, unsigned level)
{
    uint8_t *out = bytes_room(m, &m->base64[level], token.len * 3 / 4 + 3);
    if (out) view_scan(m, span_of(out, text_base64(token, out)), level + 1, false, false);
}

static void scan_tokens(struct match *m, span run, bool url, unsigned level)
{
    size_t begin, end;
    for (size_t from = 0; text_next_token(run, from, url, &begin, &end); from = end)
        scan_token(m, span_sub(run, begin, end - begin), level);
}

/* In the two alphabets apart: '/' is base64 and ends a path segment, '-' is base64url and joins words. */
static void scan_run(struct match *m, span run, unsigned level)
{
    scan_tokens(m, run, false, level);
    if (!text_is_common(run)) scan_tokens(m, run, true, level);
}

void view_runs(struct match *m, span text, unsigned level)
{
    size_t begin, end;
    if (text.len < RUN_MIN) return;
    for (size_t from = 0; text_next_run(text, from, &begin, &end); from = end)
        scan_run(m, span_sub(text, begin, end - begin), level);
}

/* ---- one view --------------------------------------------------------------------------------------------------- */

static void scan_folded(struct match *m, span text, const struct facts *f, unsigned level, bool free_text)
{
    if (m->spot.key) scan_key(m, text);
    if (m->spot.label->count > 0) scan_labelled(m, text);
    scan_identifiers(m, text, f);
    scan_markers(m, text, free_text || !m->prefilter);
    if (level == LEVELS) return;
    if (f->percent || !m->prefilter) scan_percent(m, text, level);
    view_runs(m, text, level);
}

/* Folding never lengthens, and what it changes it shortens. */
void view_scan(struct match *m, span text, unsigned level, bool raw, bool literal)
{
    struct facts f = text_facts(text);
    view_scan_known(m, text, &f, level, raw, literal);
}

void view_scan_known(struct match *m, span text, const struct facts *known, unsigned level, bool raw, bool literal)
{
    struct facts f = *known;
    if (f.foldable || !m->prefilter) {
        uint8_t *out = bytes_room(m, &m->folded[level], text.len);
        if (!out) return;
        size_t n = registry_fold(text, out);
        if (n < text.len) {
            text = span_of(out, n);
            raw = false;
            f = text_facts(text);
        }
    }
    scan_folded(m, text, &f, level, raw ? literal : text_has_word(text));
}
