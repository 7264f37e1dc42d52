/* PCRE2, always with JIT. Expressions run on folded text as bytes: fullwidth forms, other digits, dashes and zero-width
 * characters are gone by then, what remains above ASCII is a boundary, and no input can be "bad UTF". */
#include "rules/set.h"

/* Backtracking steps; what needs more than this on one value is taken for a match.
 *= 10-domain 2.2 */
#define MATCH_LIMIT 200000
#define JIT_STACK_MIN (32 * 1024)
#define JIT_STACK_MAX (1024 * 1024)

static bool report_compile(const struct place *at, int code, size_t offset)
{
    PCRE2_UCHAR text[160];
    if (pcre2_get_error_message(code, text, sizeof text) < 0) snprintf((char *)text, sizeof text, "unknown error");
    place_error(at, "PCRE2 does not accept the pattern at offset %zu: %s; patterns run on folded ASCII text", offset, (char *)text);
    return false;
}

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((uint8_t)*s >= 0x80) return false;
    return true;
}

static uint32_t pattern_info(const pcre2_code *code, uint32_t what)
{
    uint32_t value = 0;
    ASSERT(pcre2_pattern_info(code, what, &value) == 0);
    return value;
}

static bool check_shape(const struct place *at, const pcre2_code *code, bool identifier)
{
    uint32_t captures = pattern_info(code, PCRE2_INFO_CAPTURECOUNT);
    if (pattern_info(code, PCRE2_INFO_MATCHEMPTY)) {
        place_error(at, "the pattern matches the empty text; make a part of it obligatory");
        return false;
    }
    if (identifier && captures != 1) {
        place_error(at, "the pattern has %u captures; it needs exactly one, around the value, and (?:…) elsewhere", captures);
        return false;
    }
    return true;
}

bool pattern_compile(struct loader *l, const struct place *at, const char *text, bool identifier, struct pattern *out)
{
    int code = 0;
    size_t offset = 0;
    if (!is_ascii(text)) {
        place_error(at, "the pattern holds a character outside ASCII; text is folded before it is matched, so write its ASCII form");
        return false;
    }
    out->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
        &code, &offset, l->set->compile);
    if (!out->code && code == PCRE2_ERROR_HEAP_FAILED) return l->no_memory = true, false;
    if (!out->code) return report_compile(at, code, offset);
    out->lookbehind = pattern_info(out->code, PCRE2_INFO_MAXLOOKBEHIND);
    out->shortest = pattern_info(out->code, PCRE2_INFO_MINLENGTH);
    if (out->shortest == 0) out->shortest = 1; /* none matches the empty text: check_shape() */
    if (!check_shape(at, out->code, identifier)) return false;
    code = pcre2_jit_compile(out->code, PCRE2_JIT_COMPLETE);
    if (code == PCRE2_ERROR_NOMEMORY) return l->no_memory = true, false;
    if (code != 0) place_error(at, "PCRE2 cannot compile the pattern to machine code (error %d); simplify it", code);
    return code == 0;
}

void pattern_free(struct pattern *p)
{
    pcre2_code_free(p->code);
    p->code = NULL;
}

enum pattern_outcome pattern_run(
    const struct pattern *p, struct rules_scratch *x, span text, size_t from, size_t bounds[4])
{
    if (text.len < p->shortest || text.len - from < p->shortest) return PATTERN_MISS;
    int found = pcre2_jit_match(p->code, text.ptr, text.len, from, 0, x->match, x->context);
    if (found == PCRE2_ERROR_NOMATCH) return PATTERN_MISS;
    if (found < 0) {
        x->limits++;
        bounds[0] = bounds[2] = from;
        bounds[1] = bounds[3] = text.len;
        return PATTERN_LIMIT;
    }
    const size_t *vector = pcre2_get_ovector_pointer(x->match);
    bounds[0] = vector[0] < vector[1] ? vector[0] : vector[1]; /* \K may put the start behind the end */
    bounds[1] = vector[1] > vector[0] ? vector[1] : vector[0];
    bool captured = found > 1 && vector[2] != PCRE2_UNSET;
    bounds[2] = captured ? vector[2] : bounds[0];
    bounds[3] = captured ? vector[3] : bounds[1];
    return PATTERN_HIT;
}

/* ---- scratch ---------------------------------------------------------------------------------------------------- */

static bool scratch_prepare(struct rules_scratch *x)
{
    pcre2_general_context *memory = x->set->memory;
    x->match = pcre2_match_data_create(2, memory);
    x->context = pcre2_match_context_create(memory);
    x->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, memory);
    x->seen = mem_array(bit_words(x->set->rules.count), sizeof *x->seen);
    x->memos = mem_array((size_t)x->set->memos * MEMO_WAYS + 1, sizeof *x->memos);
    x->memo_used = mem_array((size_t)x->set->memos + 1, sizeof *x->memo_used);
    if (!x->match || !x->context || !x->stack || !x->seen || !x->memos || !x->memo_used) return false;
    pcre2_set_match_limit(x->context, MATCH_LIMIT);
    pcre2_jit_stack_assign(x->context, NULL, x->stack);
    const hs_database_t *literals = x->set->literals.database;
    return !literals || hs_alloc_scratch(literals, &x->literals) == HS_SUCCESS;
}

struct rules_scratch *rules_scratch_new(const struct rules_set *s)
{
    MAGIC_CHECK(s, SET_MAGIC);
    struct rules_scratch *x = mem_alloc(sizeof *x);
    if (!x) return NULL;
    *x = (struct rules_scratch){.magic = SCRATCH_MAGIC, .set = s, .prefilter = true};
    if (scratch_prepare(x)) return x;
    rules_scratch_free(x);
    return NULL;
}

void rules_scratch_free(struct rules_scratch *x)
{
    if (!x) return;
    MAGIC_CHECK(x, SCRATCH_MAGIC);
    pcre2_match_data_free(x->match);
    pcre2_match_context_free(x->context);
    pcre2_jit_stack_free(x->stack);
    hs_free_scratch(x->literals);
    mem_free(x->seen);
    mem_free(x->memo_used);
    mem_free_wipe(x->memos, (size_t)x->set->memos * MEMO_WAYS * sizeof *x->memos);
    x->magic = 0;
    mem_free(x);
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void rules_scratch_forget(struct rules_scratch *x)
{
    MAGIC_CHECK(x, SCRATCH_MAGIC);
    for (size_t i = 0; i < x->set->memos; i++) {
        if (!x->memo_used[i]) continue;
        mem_wipe(x->memos + i * MEMO_WAYS, MEMO_WAYS * sizeof *x->memos);
        x->memo_used[i] = false;
    }
}

void rules_scratch_prefilter(struct rules_scratch *x, bool on)
{
    MAGIC_CHECK(x, SCRATCH_MAGIC);
    x->prefilter = on;
}

uint64_t rules_scratch_limits(const struct rules_scratch *x)
{
    MAGIC_CHECK(x, SCRATCH_MAGIC);
    return x->limits;
}
