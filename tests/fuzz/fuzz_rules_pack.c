/* Any bytes as a pack: refused with reasons, or a set that can be walked, scanned with and freed. */
#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    (void)ctx, (void)rule, (void)limit;
    ASSERT(value.ptr >= where.ptr || limit);
}

static void see_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    (void)ctx, (void)rule, (void)where, (void)limit;
}

static void see_test(void *ctx, const struct rules_test *t)
{
    (void)ctx;
    ASSERT(t->rule && t->sample);
}

/* Wherever a walk leads, the state has its say. */
static void walk_document(const struct rules_document *d, span moves)
{
    path_state s = path_root(d);
    for (size_t i = 0; i < moves.len; i++) {
        span name = span_sub(moves, i, moves.ptr[i] % 8 < moves.len - i ? moves.ptr[i] % 8 : 0);
        s = moves.ptr[i] & 1 ? path_element(d, s, moves.ptr[i] >> 5) : path_member(d, s, path_symbol_of(d, name));
        ASSERT(path_info_of(d, s) != NULL);
        if (s == 0) s = path_root(d);
    }
}

static void use_profiles(const struct rules_set *set, span bytes)
{
    for (const char *const *id = rules_profile_names(set); *id; id++) {
        const struct rules_profile *p = rules_find_profile(set, span_str(*id));
        const struct rules_document *d = rules_find_document(p, SPAN("/api/persons/1"));
        if (!d) d = rules_find_document(p, SPAN("/x"));
        if (d) walk_document(d, bytes);
        if (d) (void)rules_query_allowed(d, bytes);
        (void)rules_find_document(p, bytes);
    }
}

static void use_set(const struct rules_set *set, struct problems *problems, span bytes)
{
    struct rules_scratch *x = rules_scratch_new(set);
    if (!x) return;
    span text = span_sub(bytes, 0, bytes.len < 512 ? bytes.len : 512);
    label_set labels = rules_labels(set, span_sub(text, 0, text.len < 12 ? text.len : 12), 0);
    rules_scan_identifiers(set, x, text, labels, see_candidate, NULL);
    rules_scan_markers(set, x, text, labels, true, see_marker, NULL);
    rules_each_test(set, see_test, NULL);
    rules_lint(set, problems);
    use_profiles(set, text);
    rules_scratch_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536) return 0;
    struct problems *problems = problems_new();
    struct source *source = problems ? source_parse("fuzz", span_of(data, size), problems) : NULL;
    struct rules_set *set = source ? rules_load(&source, 1, problems) : NULL;
    if (source) ASSERT((set != NULL) == (problems_errors(problems) == 0));
    if (set) use_set(set, problems, span_of(data, size));
    rules_free(set);
    source_free(source);
    if (problems) problems_free(problems);
    return 0;
}
