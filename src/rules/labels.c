/* Labels: field names that bind a value to rules. Names are folded to lower-case ASCII letters and digits and looked up
 * in a trie; each node says which interned set of rules a name ending there carries. */
#include "rules/set.h"

static const char *const inheriting[LABEL_INHERITING] = {"value", "number", "id", "text", "identificationid", "code", "category", "ss"};

/* ---- walking ---------------------------------------------------------------------------------------------------- */

static struct label_node *node_at(const struct labels *t, uint16_t i)
{
    return LIST_AT(&t->nodes, struct label_node, i);
}

static uint16_t find_child(const struct labels *t, uint16_t parent, uint8_t byte)
{
    uint16_t i = node_at(t, parent)->child;
    while (i && node_at(t, i)->byte != byte)
        i = node_at(t, i)->sibling;
    return i;
}

/* Where a walk over a folded name stands. */
struct label_walk {
    const struct labels *table;
    uint16_t node;
    bool off; /* no label goes on like this */
    label_set prefix;
};

static uint16_t step(const struct labels *t, uint16_t node, uint8_t byte)
{
    if (node > 0) return find_child(t, node, byte);
    return t->first[is_digit(byte) ? byte - '0' : 10 + byte - 'a'];
}

static void walk_byte(struct label_walk *w, uint8_t byte)
{
    if (w->off || !is_alnum(byte)) return;
    uint16_t child = step(w->table, w->node, to_lower(byte));
    w->off = child == 0;
    if (w->off) return;
    w->node = child;
    w->prefix = node_at(w->table, child)->prefix;
}

static size_t ascii_length(span name)
{
    size_t n = 0;
    while (n < name.len && name.ptr[n] < 0x80) n++;
    return n;
}

/* Folds and walks piece by piece, cut between characters, so that a name of any length needs no memory. What is ASCII folds
 * to itself. */
static void walk_name(struct label_walk *w, span name)
{
    uint8_t folded[256];
    size_t plain = ascii_length(name);
    for (size_t i = 0; i < plain && !w->off; i++)
        walk_byte(w, name.ptr[i]);
    name = span_from(name, plain);
    while (name.len && !w->off) {
        size_t n = name.len < sizeof folded ? name.len : sizeof folded;
        size_t cut = n;
        while (n < name.len && cut > n - 4 && (name.ptr[cut] & 0xC0) == 0x80)
            cut--;
        if ((cut < name.len && (name.ptr[cut] & 0xC0) == 0x80)) cut = n;
        size_t len = registry_fold(span_sub(name, 0, cut), folded);
        for (size_t i = 0; i < len; i++)
            walk_byte(w, folded[i]);
        name = span_from(name, cut);
    }
}

static label_set set_of(const struct labels *t, span name)
{
    struct label_walk w = {.table = t};
    if (t->nodes.count == 0) return 0;
    walk_name(&w, name);
    return w.off ? w.prefix : node_at(t, w.node)->exact;
}

/* A#, Spouse A #: people write the sign for "number", and a name that is one letter beside it could be no label. */
static label_set numbered_set(const struct labels *t, span name)
{
    struct label_walk w = {.table = t};
    if (t->nodes.count == 0) return 0;
    walk_name(&w, name);
    walk_name(&w, SPAN("number"));
    return w.off ? w.prefix : node_at(t, w.node)->exact;
}

static bool parts_steps(uint8_t c)
{
    return c == ':' || c == '.' || c == '/' || c == '#' || c == '[';
}

/* NIEM writes its names with a prefix that the document chooses: nc:IdentificationID (10-domain 3.3). Programs that write a tree
 * as a table make a name of the whole way to a member, person.ssn or items[0].ssn, and JSON-LD may write a name as an IRI. */
static span local_name(span name)
{
    for (size_t i = name.len; i > 0; i--)
        if (parts_steps(name.ptr[i - 1])) return span_from(name, i);
    return name;
}

/* Without the marks at its end. */
static span trim_marks(span name)
{
    while (name.len > 0 && name.ptr[name.len - 1] < 0x80 && !is_alnum(name.ptr[name.len - 1]))
        name.len--;
    return name;
}

/* Where a name is one of several alike, ssn_2 or ssn[0], as it is without its number. */
#define NUMBERING 2 /* digits */
static span without_number(span name)
{
    size_t end = trim_marks(name).len, first = end;
    while (first > 0 && is_digit(name.ptr[first - 1]))
        first--;
    return first < end && end - first <= NUMBERING ? span_sub(name, 0, first) : name;
}

static bool ends_folded(span name, span tail)
{
    size_t left = tail.len;
    for (size_t i = name.len; i > 0 && left > 0; i--) {
        if (!is_alnum(name.ptr[i - 1])) continue;
        if (to_lower(name.ptr[i - 1]) != tail.ptr[--left]) return false;
    }
    return left == 0;
}

static label_set tail_set(const struct labels *t, span name)
{
    span ended = trim_marks(name);
    if (ended.len == 0 || !is_alpha(ended.ptr[ended.len - 1])) return 0;
    if (!(t->tail_ends >> (to_lower(ended.ptr[ended.len - 1]) - 'a') & 1)) return 0;
    for (size_t i = 0; i < t->tails.count; i++)
        if (ends_folded(ended, LIST_AT(&t->tails, struct label_tail, i)->text)) return LIST_AT(&t->tails, struct label_tail, i)->set;
    return 0;
}

static label_set whole_set(const struct labels *t, span name)
{
    label_set set = set_of(t, name);
    span one = without_number(name);
    if (set == 0 && one.len < name.len) set = set_of(t, one);
    return set ? set : tail_set(t, one);
}

static label_set named_set(const struct labels *t, span name)
{
    label_set set = whole_set(t, name);
    span bare = set ? name : rules_name_bare(name);
    return bare.len < name.len ? whole_set(t, bare) : set;
}

#define INHERITING_LONGEST 20

/* Its letters and digits as they compare; false: more than any inheriting name has. */
static bool spell_out(span folded, uint8_t word[INHERITING_LONGEST], size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < folded.len; i++) {
        if (!is_alnum(folded.ptr[i])) continue;
        if (*len == INHERITING_LONGEST) return false;
        word[(*len)++] = to_lower(folded.ptr[i]);
    }
    return *len > 0;
}

/* One of several alike inherits as one alone does: id_1, code[0]. */
static int inheriting_word(span numbered)
{
    uint8_t word[INHERITING_LONGEST], folded[64];
    span name = without_number(numbered);
    size_t n;
    if (name.len > sizeof folded) return -1;
    if (ascii_length(name) < name.len) name = span_of(folded, registry_fold(name, folded));
    if (!spell_out(name, word, &n)) return -1;
    if (!memchr("vnitcs", word[0], 6)) return -1;
    for (int i = 0; i < LABEL_INHERITING; i++)
        if (span_equal(span_of(word, n), span_str(inheriting[i]))) return i;
    return -1;
}

#define WRAPS LABEL_INHERITING /* a name that says nothing at all */

/* Of a name that is a step of a way to a member. */
static int inheriting_step(span step)
{
    int i = inheriting_word(step);
    return i < 0 && rules_name_wraps(step) ? WRAPS : i;
}

/* The index of the inheriting name, WRAPS, or -1. */
static int inheriting_index(span name)
{
    int i = inheriting_step(name);
    span last = local_name(name);
    return i >= 0 || last.len == name.len ? i : inheriting_step(last);
}

/* Without its number. */
static span last_step(span name)
{
    return local_name(trim_marks(without_number(name)));
}

/* ---- what a member says of the others ----------------------------------------------------------------------------- */

#define BESIDE_LONGEST 48

/* In lower-case letters and digits, without what stands before its last ':' and the like, and without a number at its end; 0: it is
 * longer than any of these. */
static size_t last_word(span name, uint8_t word[BESIDE_LONGEST])
{
    size_t n = 0;
    name = last_step(name);
    for (size_t i = 0; i < name.len; i++) {
        if (!is_alnum(name.ptr[i])) continue;
        if (n == BESIDE_LONGEST) return 0;
        word[n++] = to_lower(name.ptr[i]);
    }
    return n;
}

static bool ends_with(span word, span end)
{
    return word.len >= end.len && span_equal(span_from(word, word.len - end.len), end);
}

/* type, idKind, categoryText */
static bool ends_in_kind(span word)
{
    static const char *const kinds[] = {"type", "kind", "category"}, *const more[] = {"code", "name", "text"};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        if (!ends_with(word, span_str(more[i]))) continue;
        word.len -= strlen(more[i]);
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (ends_with(word, span_str(kinds[i]))) return true;
    return false;
}

//= 10-domain 3.3 nc:IdentificationCategoryText says what nc:IdentificationID is
enum rules_beside rules_label_beside(span decoded_name)
{
    static const char *const systems[] = {"system", "scheme", "schemename", "schemeid", "typ", "idclass", "qualifier"};
    uint8_t letters[BESIDE_LONGEST];
    span word = span_of(letters, last_word(decoded_name, letters));
    bool versions = word.len == 1 && decoded_name.len > 1;
    if (!versions && rules_name_is_asked(word)) return RULES_BESIDE_VALUE;
    for (size_t i = 0; i < ARRAY_LEN(systems); i++)
        if (span_equal(word, span_str(systems[i]))) return RULES_BESIDE_KIND;
    return ends_in_kind(word) ? RULES_BESIDE_KIND : rules_name_names(word);
}

/* Of which nothing is known but that it is a number of something. */
static bool is_some_number(span decoded_name)
{
    static const char *const numbers[] = {"idnumber", "idvalue", "identifier", "identifiervalue", "identificationnumber", "documentnumber",
        "idno", "idnum", "docno", "docnum", "docnumber", "documentno", "documentnum", "mentiontext"};
    uint8_t letters[BESIDE_LONGEST];
    span word = span_of(letters, last_word(decoded_name, letters));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (span_equal(word, span_str(numbers[i]))) return true;
    return false;
}

bool rules_label_is_told(span decoded_name, enum rules_beside by)
{
    if (by == RULES_BESIDE_NAME || by == RULES_BESIDE_FIELD) return rules_name_is_said(last_step(decoded_name));
    return by == RULES_BESIDE_KIND && (inheriting_index(decoded_name) >= 0 || is_some_number(decoded_name));
}

bool rules_label_is_key(span decoded_name)
{
    uint8_t letters[BESIDE_LONGEST];
    span word = span_of(letters, last_word(decoded_name, letters));
    if (span_equal(word, SPAN("id")) || span_equal(word, SPAN("identifier"))) return true;
    span local = local_name(decoded_name), last = last_step(decoded_name);
    return (rules_name_wraps(local) && !rules_name_is_value(local)) || (rules_name_wraps(last) && !rules_name_is_value(last));
}

const struct label_rules *labels_of(const struct rules_set *s, label_set set)
{
    ASSERT(set < s->labels.sets.count);
    return LIST_AT(&s->labels.sets, struct label_rules, set);
}

static bool is_index(span step)
{
    span bare = without_number(step);
    for (size_t i = 0; i < bare.len; i++)
        if (is_alnum(bare.ptr[i]) || bare.ptr[i] >= 0x80) return false;
    return bare.len < step.len;
}

static label_set under(const struct rules_set *s, label_set set, int inherits)
{
    return inherits < 0 || inherits == WRAPS ? set : labels_of(s, set)->joined[inherits];
}

/* The last step says it, and what an index or an inheriting name stands behind: ssns.0, aNumber.value. */
static label_set last_set(const struct rules_set *s, span name)
{
    int inherits = -1;
    for (span last = local_name(name); last.len < name.len; last = local_name(name)) {
        int i = inheriting_step(last);
        label_set set = i < 0 || i == WRAPS ? named_set(&s->labels, last) : 0;
        if (set || (i < 0 && !is_index(last))) return under(s, set, inherits);
        if (inherits < 0 || (inherits == WRAPS && i >= 0)) inherits = i;
        name = span_sub(name, 0, name.len - last.len - 1);
    }
    return under(s, named_set(&s->labels, name), inherits);
}

/* Among the marks at its end is the sign for it. */
static bool says_number(span whole, span trimmed)
{
    return whole.len > trimmed.len && memchr(whole.ptr + trimmed.len, '#', whole.len - trimmed.len);
}

/* A way's last step before all of it: person.alienPhone is no personAlien*. But a slash may also stand between two names of one
 * thing, A-Number/File. */
static label_set own_set(const struct rules_set *s, span whole)
{
    span name = trim_marks(whole);
    span last = local_name(name);
    bool way = last.len < name.len && last.ptr[-1] != '/' && inheriting_step(last) < 0;
    label_set set = way ? named_set(&s->labels, last) : 0;
    if (set == 0) set = named_set(&s->labels, name);
    if (set == 0 && says_number(whole, name)) set = numbered_set(&s->labels, last);
    return set || last.len == name.len ? set : last_set(s, name);
}

/* In an object that has a label ssn.value is still an ssn's. */
label_set rules_labels(const struct rules_set *s, span decoded_name, label_set parent)
{
    int i = parent ? inheriting_index(decoded_name) : -1;
    bool joins = i >= 0 && i != WRAPS, has_more = !joins || decoded_name.len > strlen(inheriting[i]);
    label_set own = has_more ? own_set(s, decoded_name) : 0;
    if (joins && (own == 0 || own == s->labels.inherited[i])) return labels_of(s, parent)->joined[i];
    return own == 0 && i == WRAPS ? parent : own;
}

bool rules_label_inherits(span decoded_name)
{
    return inheriting_index(decoded_name) >= 0;
}

size_t rules_label_identifiers(
    const struct rules_set *s, label_set labels, const struct rules_identifier **out, size_t cap)
{
    const struct list *bound = &labels_of(s, labels)->identifiers;
    for (size_t i = 0; i < bound->count && i < cap; i++)
        out[i] = &(*LIST_AT(bound, const struct rule *, i))->identifier;
    return bound->count;
}

bool rules_label_has_markers(const struct rules_set *s, label_set labels)
{
    return labels_of(s, labels)->markers.count > 0;
}

/* ---- in texts --------------------------------------------------------------------------------------------------- */

#define PHRASE_WORDS 4
#define PHRASE_GAP 2 /* signs between two words of one label, as in "Passport  No" */

/* Signs that part the words of a name, or the lines of a text. */
static bool parts_words(uint8_t c)
{
    return c == ' ' || c == '_' || c == '-' || c == '.' || c == '\n' || c == '\r' || c == '\t';
}

static size_t word_end(span text, size_t at)
{
    while (at < text.len && is_alpha(text.ptr[at]))
        at++;
    return at;
}

/* Where the next word of the same phrase begins; `at`: nowhere. */
static size_t next_word(span text, size_t at)
{
    size_t i = at;
    while (i < text.len && i - at < PHRASE_GAP && parts_words(text.ptr[i]))
        i++;
    return i < text.len && is_alpha(text.ptr[i]) ? i : at;
}

/* The label that begins with the word there, of as many words as it has; 0: none does. Words with digits are none: of a text's shape they
 * could not be told. */
static label_set phrase_set(const struct labels *t, span text, size_t at, size_t *end)
{
    struct label_walk w = {.table = t};
    label_set found = 0;
    for (unsigned words = 0; words < PHRASE_WORDS && !w.off; words++) {
        size_t stop = word_end(text, at);
        if (stop < text.len && is_digit(text.ptr[stop])) break;
        walk_name(&w, span_sub(text, at, stop - at));
        label_set set = w.off ? w.prefix : node_at(t, w.node)->exact;
        if (set) found = set, *end = stop;
        at = next_word(text, stop);
        if (at == stop) break;
    }
    return found;
}

bool rules_next_label(const struct rules_set *s, span text, size_t *from, label_set *out)
{
    const struct labels *t = &s->labels;
    for (size_t i = *from; t->nodes.count > 0 && i < text.len; i++) {
        if (!is_alpha(text.ptr[i]) || (i > 0 && is_alnum(text.ptr[i - 1]))) continue;
        size_t stop = word_end(text, i), end = stop;
        bool whole = stop == text.len || !is_digit(text.ptr[stop]);
        *out = phrase_set(t, text, i, &end);
        if (*out == 0 && whole) *out = tail_set(t, span_sub(text, i, stop - i));
        *from = i = *out ? end : stop;
        if (*out) return true;
    }
    return false;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static uint16_t add_child(struct loader *l, uint16_t parent, uint8_t byte)
{
    struct labels *t = &l->set->labels;
    uint16_t i = find_child(t, parent, byte);
    if (i) return i;
    if (t->nodes.count > UINT16_MAX) return 0;
    struct label_node *node = loader_add(l, &t->nodes, sizeof *node);
    if (!node) return 0;
    i = (uint16_t)(t->nodes.count - 1);
    *node = (struct label_node){.byte = byte, .sibling = node_at(t, parent)->child};
    node_at(t, parent)->child = i;
    return i;
}

static bool add_label(struct loader *l, const struct word *label)
{
    uint16_t node = 0;
    if (label->suffix) return true;
    for (size_t i = 0; i < label->text.len; i++)
        if (!(node = add_child(l, node, label->text.ptr[i]))) return false;
    return true;
}

/* The number of the set with these bits, made where there is none. */
static bool intern_set(struct loader *l, const uint64_t *bits, label_set *out)
{
    struct list *sets = &l->set->labels.sets;
    size_t words = bit_words(l->set->rules.count);
    for (size_t i = 0; i < sets->count; i++) {
        *out = (label_set)i;
        if (!memcmp(LIST_AT(sets, struct label_rules, i)->bits, bits, words * sizeof *bits)) return true;
    }
    uint64_t *copy = loader_alloc(l, words, sizeof *copy);
    struct label_rules *set = copy ? loader_add(l, sets, sizeof *set) : NULL;
    if (!set) return false;
    memcpy(copy, bits, words * sizeof *bits);
    set->bits = copy;
    *out = (label_set)(sets->count - 1);
    return true;
}

static void index_first(struct labels *t)
{
    for (uint8_t i = 0; i < 10; i++) t->first[i] = find_child(t, 0, (uint8_t)('0' + i));
    for (uint8_t i = 0; i < 26; i++) t->first[10 + i] = find_child(t, 0, (uint8_t)('a' + i));
}

static uint16_t node_of(const struct labels *t, span label)
{
    uint16_t node = 0;
    for (size_t i = 0; i < label.len; i++) {
        node = find_child(t, node, label.ptr[i]);
        ASSERT(node != 0);
    }
    return node;
}

/* By node, the rules that a name carries which ends there, and one that goes on in a way no label does. */
struct carried {
    size_t words;
    uint64_t *exact, *prefix;
};

static void note_labels(const struct loader *l, const struct carried *c)
{
    const struct list *rules = &l->set->rules;
    for (size_t r = 0; r < rules->count; r++) {
        const struct list *labels = &LIST_AT(rules, struct rule, r)->labels;
        for (size_t i = 0; i < labels->count; i++) {
            const struct word *label = LIST_AT(labels, struct word, i);
            if (!label->suffix) bit_set((label->prefix ? c->prefix : c->exact) + node_of(&l->set->labels, label->text) * c->words, r);
        }
    }
}

/* What a name begins with reaches it. A node comes before its children. */
static void inherit_prefixes(const struct labels *t, const struct carried *c)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        const uint64_t *mine = c->prefix + i * c->words;
        for (uint16_t child = node_at(t, (uint16_t)i)->child; child; child = node_at(t, child)->sibling)
            for (size_t w = 0; w < c->words; w++)
                c->prefix[child * c->words + w] |= mine[w];
        for (size_t w = 0; w < c->words; w++)
            c->exact[i * c->words + w] |= mine[w];
    }
}

static bool intern_nodes(struct loader *l)
{
    const struct labels *t = &l->set->labels;
    size_t words = bit_words(l->set->rules.count);
    MEM_AUTO uint64_t *exact = mem_array(t->nodes.count * words, sizeof *exact);
    MEM_AUTO uint64_t *prefix = mem_array(t->nodes.count * words, sizeof *prefix);
    if (!exact || !prefix) return false;
    const struct carried c = {words, exact, prefix};
    note_labels(l, &c);
    inherit_prefixes(t, &c);
    for (size_t i = 1; i < t->nodes.count; i++) {
        struct label_node *node = node_at(t, (uint16_t)i);
        if (!intern_set(l, exact + i * words, &node->exact) || !intern_set(l, prefix + i * words, &node->prefix)) return false;
    }
    return true;
}

static bool has_tail(const struct rule *r, span tail)
{
    for (size_t i = 0; i < r->labels.count; i++) {
        const struct word *w = LIST_AT(&r->labels, struct word, i);
        if (w->suffix && ends_folded(tail, w->text)) return true;
    }
    return false;
}

/* A name that ends in a longer one ends in the shorter one too. */
static bool add_tail(struct loader *l, span text, uint64_t *bits)
{
    struct labels *t = &l->set->labels;
    for (size_t i = 0; i < t->tails.count; i++)
        if (span_equal(LIST_AT(&t->tails, struct label_tail, i)->text, text)) return true;
    memset(bits, 0, bit_words(l->set->rules.count) * sizeof *bits);
    for (size_t r = 0; r < l->set->rules.count; r++)
        if (has_tail(LIST_AT(&l->set->rules, struct rule, r), text)) bit_set(bits, r);
    struct label_tail *tail = loader_add(l, &t->tails, sizeof *tail);
    if (!tail || !intern_set(l, bits, &tail->set)) return false;
    tail->text = text;
    if (is_alpha(text.ptr[text.len - 1])) t->tail_ends |= UINT32_C(1) << (text.ptr[text.len - 1] - 'a');
    return true;
}

static int compare_tails(const void *p, const void *q)
{
    const struct label_tail *a = p, *b = q;
    return a->text.len < b->text.len ? 1 : a->text.len > b->text.len ? -1 : 0;
}

static bool intern_tails(struct loader *l, uint64_t *bits)
{
    struct labels *t = &l->set->labels;
    for (size_t r = 0; r < l->set->rules.count; r++) {
        const struct list *labels = &LIST_AT(&l->set->rules, struct rule, r)->labels;
        for (size_t i = 0; i < labels->count; i++) {
            const struct word *w = LIST_AT(labels, struct word, i);
            if (w->suffix && !add_tail(l, w->text, bits)) return false;
        }
    }
    if (t->tails.count > 1) qsort(t->tails.items, t->tails.count, sizeof(struct label_tail), compare_tails);
    return true;
}

static bool join_sets(struct loader *l, size_t set, size_t name, uint64_t *bits)
{
    struct labels *t = &l->set->labels;
    const uint64_t *mine = LIST_AT(&t->sets, struct label_rules, set)->bits;
    const uint64_t *own = LIST_AT(&t->sets, struct label_rules, t->inherited[name])->bits;
    label_set joined;
    for (size_t w = 0; w < bit_words(l->set->rules.count); w++)
        bits[w] = mine[w] | own[w];
    if (!intern_set(l, bits, &joined)) return false;
    LIST_AT(&t->sets, struct label_rules, set)->joined[name] = joined;
    return true;
}

/* Sets made on the way are joined in their turn: the loop ends because unions only grow. */
static bool join_all(struct loader *l, uint64_t *bits)
{
    struct labels *t = &l->set->labels;
    for (size_t name = 0; name < LABEL_INHERITING; name++)
        t->inherited[name] = set_of(t, span_str(inheriting[name]));
    for (size_t set = 0; set < t->sets.count; set++)
        for (size_t name = 0; name < LABEL_INHERITING; name++)
            if (!join_sets(l, set, name, bits)) return false;
    return true;
}

static bool list_rules(struct loader *l, struct label_rules *set)
{
    for (size_t r = 0; r < l->set->rules.count; r++) {
        if (!bit_get(set->bits, r)) continue;
        const struct rule *rule = LIST_AT(&l->set->rules, struct rule, r);
        const struct rule **slot = loader_add(l, rule->is_marker ? &set->markers : &set->identifiers, sizeof *slot);
        if (!slot) return false;
        *slot = rule;
    }
    return true;
}

static bool build_all(struct loader *l, uint64_t *bits)
{
    struct labels *t = &l->set->labels;
    const struct list *rules = &l->set->rules;
    label_set empty;
    if (!loader_add(l, &t->nodes, sizeof(struct label_node)) || !intern_set(l, bits, &empty)) return false;
    for (size_t r = 0; r < rules->count; r++)
        for (size_t i = 0; i < LIST_AT(rules, struct rule, r)->labels.count; i++)
            if (!add_label(l, LIST_AT(&LIST_AT(rules, struct rule, r)->labels, struct word, i))) return false;
    if (!intern_nodes(l) || !intern_tails(l, bits)) return false;
    index_first(t);
    if (!join_all(l, bits)) return false;
    for (size_t i = 0; i < t->sets.count; i++)
        if (!list_rules(l, LIST_AT(&t->sets, struct label_rules, i))) return false;
    return true;
}

bool labels_build(struct loader *l)
{
    MEM_AUTO uint64_t *bits = mem_array(bit_words(l->set->rules.count), sizeof *bits);
    if (bits && build_all(l, bits)) return true;
    l->no_memory = true; /* also when 65,535 trie nodes do not do: nobody writes that many labels */
    return false;
}

void labels_free(struct labels *t)
{
    for (size_t i = 0; i < t->sets.count; i++) {
        list_free(&LIST_AT(&t->sets, struct label_rules, i)->identifiers);
        list_free(&LIST_AT(&t->sets, struct label_rules, i)->markers);
    }
    list_free(&t->sets);
    list_free(&t->tails);
    list_free(&t->nodes);
}
