/* What stands at a place: decides from the event's flags and the place whether anything need be looked into. */
#include "match/own.h"

#define INTEGER_MAX 32 /* digits */

static bool has_patterns(const struct label *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (!l->rules[i]->own_syntax) return true;
    return false;
}

static bool has_claims(const struct label *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->rules[i]->bare != BARE_NONE) return true;
    return false;
}

static void fill_label(struct match *m, struct label *l, label_set set)
{
    *l = (struct label){.set = set, .known = true, .markers = rules_label_has_markers(m->rules, set)};
    size_t n = rules_label_identifiers(m->rules, set, l->rules, LABEL_RULES);
    if (n > LABEL_RULES) {
        m->failed = true; /* no pack binds that many to one name; none may be left out */
        n = LABEL_RULES;
    }
    l->count = (uint8_t)n;
    l->patterns = has_patterns(l);
    l->claims = has_claims(l);
}

/* Sets are few and small numbers, so that slots hardly ever collide. */
const struct label *label_of(struct match *m, label_set set)
{
    if (set == 0) return &m->no_label;
    struct label *l = &m->labels[set % LABEL_SLOTS];
    if (!l->known || l->set != set) fill_label(m, l, set);
    return l;
}

static void set_spot(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    m->latest.value = span_of(NULL, 0);
    m->spot = (struct spot){.at = e->at,
        .len = e->len,
        .unit = w->unit,
        .in_text = w->in_text,
        .labels = c->labels,
        .label = label_of(m, c->labels),
        .key = c->act & ACT_KEY ? c->info : NULL};
}

static span event_text(const struct match *m, const struct doc_event *e)
{
    ASSERT(e->at <= m->body_len && e->len <= m->body_len - e->at);
    return span_of(m->body + e->at, e->len);
}

static void value_decoded(struct match *m, span text)
{
    uint8_t *out = bytes_room(m, &m->decoded, text.len);
    if (out) view_scan(m, span_of(out, doc_decode_string(text, out)), 0, false, false);
}

/* Whether its shape and its place say all but what its base64 runs hold. */
static bool is_shaped(span text, const struct look *l)
{
    bool one = text.len > 0 && text.len <= LOOK_BLOCK && l->leads == 0;
    return one && !look_coded(l) && !l->at;
}

/* Whether a value whose place says nothing of it holds at most base64. */
static bool is_plain(struct match *m, span text, const struct look *l)
{
    return l->leads == 0 && !look_coded(l) && !view_may_identify(m, text, l);
}

/* Whether nothing but base64 can say anything in it: nothing is known of its place, and it holds no sign of an address, nothing
 * to decode or fold, fewer digits than any identifier, and no literal of a marker. */
static bool is_mute(const struct match *m, const struct doc_event *e, const struct child *c, bool literal)
{
    const uint8_t says = DOC_ESCAPED | DOC_NON_ASCII | DOC_PERCENT | DOC_DIGITS;
    bool placed = c->act & (ACT_KEY | ACT_LABEL);
    return !(e->flags & says) && !placed && !literal && m->prefilter && !m->any_syntax;
}

void value_string(
    struct match *m, const struct doc_event *e, const struct child *c, const struct where *w, bool literal)
{
    span text = event_text(m, e);
    struct look l;
    if (is_mute(m, e, c, literal) && !m->runs(text)) return;
    if (e->flags & DOC_ESCAPED || !m->prefilter) {
        set_spot(m, e, c, w);
        return value_decoded(m, text);
    }
    set_spot(m, e, c, w);
    if (!literal && text.len <= LOOK_READ && m->readable - e->at >= LOOK_READ && plan_again(m, text, false)) return;
    m->look(text, &l);
    bool plain = !literal && !(c->act & (ACT_KEY | ACT_LABEL));
    if (plain && view_is_dull(m, &l, 0)) return;
    if (is_shaped(text, &l)) {
        shape_identify(m, text, &l);
        if (literal) view_free_text(m, text, &l);
        plan_keep(m, text, &l);
        return view_runs(m, text, &l, 0);
    }
    plain &= is_plain(m, text, &l);
    if (plain)
        view_runs(m, text, &l, 0);
    else
        view_scan_known(m, text, &l, 0, true, literal);
}

/* Where something is found, all is done again once its place is known. */
static enum doc_news shaped_news(struct match *m, uint16_t name, span text, const struct look *l)
{
    uint64_t before = m->proposals;
    m->dry = true;
    bool never = shape_identify(m, text, l);
    if (m->proposals == before) view_runs(m, text, l, 0);
    m->dry = false;
    if (m->proposals != before) return DOC_NEWS_SOME;
    if (never && (!l->run || view_stands_alone(m))) shape_murmured(m, name, text, l);
    return never && !l->run ? DOC_NEWS_NEVER : DOC_NEWS_NONE;
}

/* A text that folds is not known by its shape: what is nothing is known by its bytes, for names come again. */
static enum doc_news folded_news(struct match *m, span text, const struct look *l)
{
    uint64_t before = m->proposals;
    m->dry = true;
    view_scan_known(m, text, l, 0, true, false);
    m->dry = false;
    if (m->proposals != before) return DOC_NEWS_SOME;
    shape_hush(m, text);
    return DOC_NEWS_NONE;
}

enum doc_news value_news(void *match, uint16_t name, span text)
{
    struct match *m = match;
    struct look l;
    enum doc_news news = shape_murmurs(m, name, text);
    if (news != DOC_NEWS_SOME) return news;
    label_set labels = name_labels(m, name);
    if (labels == 0 && shape_is_hushed(m, text)) return DOC_NEWS_NONE;
    m->look(text, &l);
    if (labels == 0 && view_is_dull(m, &l, 0)) return shape_murmured(m, name, text, &l), DOC_NEWS_NEVER;
    m->spot = (struct spot){.unit = MATCH_NONE, .labels = labels, .label = label_of(m, labels)};
    if (is_shaped(text, &l))
        news = shaped_news(m, name, text, &l);
    else if (labels == 0 && is_plain(m, text, &l) && !l.run)
        news = DOC_NEWS_NONE;
    else if (labels == 0 && l.leads > 0)
        news = folded_news(m, text, &l);
    /* Where identifiers stand they mostly stand again: it is not asked in vain twice. */
    if (news == DOC_NEWS_SOME && labels) name_dull(m, name, 0);
    return news;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* A number has lost its leading zeros: what the kind needs is put back. */
span value_pad(enum registry_kind kind, span digits, uint8_t out[9])
{
    if ((kind != REGISTRY_ALIEN_NUMBER && kind != REGISTRY_SSN && kind != REGISTRY_ITIN) || digits.len >= 9)
        return digits;
    memset(out, '0', 9 - digits.len);
    memcpy(out + 9 - digits.len, digits.ptr, digits.len);
    return span_of(out, 9);
}

bool value_is_bare(const struct rules_identifier *rule, span digits)
{
    uint8_t padded[9];
    size_t len = value_pad(rule->kind, digits, padded).len;
    return rule->bare != BARE_NONE && len >= rule->bare_min && len <= rule->bare_max;
}

void value_labelled(struct match *m, span digits)
{
    for (size_t i = 0; i < m->spot.label->count; i++) {
        const struct rules_identifier *rule = m->spot.label->rules[i];
        uint8_t padded[9];
        if (value_is_bare(rule, digits)) propose(m, rule->id, rule->kind, value_pad(rule->kind, digits, padded));
    }
}

static void number_pattern(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct match *m = ctx;
    (void)where;
    if (limit)
        finding_here(m, MATCH_LIMIT, rule->id);
    else
        propose(m, rule->id, rule->kind, value);
}

/* Everything that digits may be there. `lexeme`: as they stand. */
static void look_at_number(struct match *m, span lexeme, span digits, const struct rules_identifier *phone)
{
    const struct label *label = m->spot.label;
    if (m->spot.key)
        propose(
            m, m->kind_rule[m->spot.key->kind], (enum registry_kind)m->spot.key->kind, digits.len ? digits : lexeme);
    if (label->count > 0 && digits.len > 0) value_labelled(m, digits);
    if (label->patterns && digits.len > 0)
        rules_scan_bound(m->rules, m->scratch, digits, label->set, number_pattern, m);
    if (!label->claims && digits.len == 9 && m->nine_digits)
        propose(m, m->nine_digits->id, REGISTRY_ALIEN_NUMBER, digits);
    if (!label->claims && phone) propose(m, phone->id, phone->kind, digits);
    if (label->markers)
        rules_scan_markers(m->rules, m->scratch, digits.len ? digits : lexeme, label->set, false, marker_here, m);
}

/* Digits and nothing else, all of which may be read as a text's. */
static bool is_planned(const struct match *m, const struct doc_event *e)
{
    return e->flags & DOC_PLAIN && e->len <= LOOK_READ && m->readable - e->at >= LOOK_READ && m->prefilter;
}

void value_number(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    uint8_t out[INTEGER_MAX];
    bool placed = c->act & (ACT_KEY | ACT_LABEL), planned = is_planned(m, e) && (placed || e->len == 9);
    span lexeme = event_text(m, e);
    if (planned) {
        set_spot(m, e, c, w);
        if (plan_again(m, lexeme, true)) return;
    }
    span digits = span_of(out, text_integer(lexeme, out, sizeof out));
    const struct rules_identifier *phone = syntax_is_phone(digits) ? m->syntax[SYNTAX_PHONE][REGISTRY_PHONE] : NULL;
    if (!placed && digits.len != 9 && !phone) return;
    set_spot(m, e, c, w);
    look_at_number(m, lexeme, digits, phone);
    if (planned) plan_keep_number(m, lexeme);
}

//= 10-domain 2.6 element present or true
void value_true(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    const struct label *label = label_of(m, c->labels);
    if (!label->markers) return;
    set_spot(m, e, c, w);
    rules_scan_markers(m->rules, m->scratch, SPAN("true"), label->set, false, marker_here, m);
}
