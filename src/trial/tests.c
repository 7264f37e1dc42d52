/* Tests of profiles: an answer of the origin, who is protected, what the recipient gets. */
#include "trial/own.h"


#define DEPTH 256
#define RECORD ((uint64_t)4 << 20)
#define DOCUMENT ((uint64_t)64 << 20)
#define SHOWN 2000 /* bytes of what came, in a message */

struct engine_limits trial_limits(void)
{
    return (struct engine_limits){.depth = DEPTH, .record = RECORD, .document = DOCUMENT};
}

bool trial_ask_test(struct trial *t, const struct rules_profile_test *test, struct trial_asked *asked, struct trial_answer *a)
{
    struct place people = place_member(&test->at, "protected");
    *asked = (struct trial_asked){.people = trial_people_new(t->rules, test->people, &people)};
    if (!asked->people) return false;
    if (!test->text) asked->made = json_dumps(test->body, JSON_COMPACT | JSON_ENCODE_ANY);
    asked->body = test->text ? span_str(json_string_value(test->text)) : span_str(asked->made);
    const struct rules_document *d = rules_find_document(test->profile, span_str(test->path));
    if (d && !test->entitled) d = rules_document_for(d, span_str(test->as));
    struct trial_question q = {.document = d,
        .query = span_str(test->query),
        .class = test->entitled ? RECIPIENT_ENTITLED : RECIPIENT_RESTRICTED,
        .registry = trial_people_registry(asked->people),
        .limits = trial_limits(),
        .type = test->type,
        .body = asked->body};
    trial_ask(t, &q, a);
    return true;
}

void trial_asked_free(struct trial_asked *asked)
{
    mem_hook_free(asked->made);
    trial_people_free(asked->people);
}

/* ---- what came, beside what was expected ------------------------------------------------------------------------ */

static bool same_value(span got, const json_t *expected)
{
    json_error_t error;
    json_t *v = json_loadb((const char *)got.ptr, got.len, JSON_DECODE_ANY, &error);
    bool same = v && json_equal(v, expected);
    json_decref(v);
    return same;
}

static bool same_body(const struct trial *t, const struct rules_profile_test *test)
{
    if (test->expect == RULES_EXPECT_BODY) return same_value(buf_span(&t->text), test->expect_body);
    return test->expect == RULES_EXPECT_TEXT && span_equal(buf_span(&t->text), span_str(test->expect_text));
}

static bool holds(struct trial *t, const struct rules_profile_test *test, const struct trial_asked *asked, const struct trial_answer *a)
{
    const struct policy_verdict *v = &a->outcome->verdict;
    if (test->records >= 0 && (uint64_t)test->records != v->protected_) return false;
    if (test->expect == RULES_EXPECT_NOT_FOUND) return !trial_delivers(a); /* what cannot be read is nobody too */
    if (!trial_delivers(a) || a->verdict == TRIAL_UNINSPECTED) return false;
    if (!is_ok(trial_body(a, asked->body, &t->text))) return false;
    return test->expect == RULES_EXPECT_UNCHANGED ? span_equal(buf_span(&t->text), asked->body) : same_body(t, test);
}

/* What came, or its beginning: lines of NDJSON can be told apart. */
static const char *in_one_line(span body, char out[2 * SHOWN + 1])
{
    char *to = out;
    for (size_t i = 0; i < body.len && i < SHOWN; i++) {
        if (body.ptr[i] == '\n' || body.ptr[i] == '\r') *to++ = '\\';
        *to++ = (char)(body.ptr[i] == '\n' ? 'n' : body.ptr[i] == '\r' ? 'r' : body.ptr[i]);
    }
    *to = '\0';
    return out;
}

/* A test's people are made up: what came may be shown. */
static const char *explain(struct trial *t, const struct rules_profile_test *test, const struct trial_answer *a)
{
    uint64_t found = a->outcome->verdict.protected_;
    char came[2 * SHOWN + TRIAL_SAID], body[2 * SHOWN + 1];
    if (trial_delivers(a) && buf_len(&t->text) > 0)
        snprintf(came, sizeof came, "%s: %s", trial_verdict_words(a->verdict), in_one_line(buf_span(&t->text), body));
    else
        trial_say(a, came);
    buf_clear(&t->text);
    bool counted = test->records < 0 || (uint64_t)test->records == found;
    result r = counted ? buf_printf(&t->text, "the answer is %s; correct the profile or the test", came)
                       : buf_printf(&t->text, "%llu protected records are found where %lld were expected (%s); correct the profile or the test",
                             (unsigned long long)found, (long long)test->records, came);
    return is_ok(r) && is_ok(buf_append(&t->text, span_of("", 1))) ? (const char *)buf_span(&t->text).ptr : "no memory";
}

/* What no entry describes is not found, whoever is in it: a test of it would hold for a path that is misspelt. */
static bool is_described(struct trial *t, const struct rules_profile_test *test, const char **why)
{
    if (rules_find_document(test->profile, span_str(test->path))) return true;
    result r = buf_printf(&t->text, "no entry of \"documents\" describes \"%.200s\", so that nothing of it is tried; correct the path or add the entry",
        test->path);
    *why = is_ok(r) && is_ok(buf_append(&t->text, span_of("", 1))) ? (const char *)buf_span(&t->text).ptr : "no memory";
    return false;
}

bool trial_test(struct trial *t, const struct rules_profile_test *test, const char **why)
{
    struct trial_asked asked;
    struct trial_answer a;
    *why = NULL;
    buf_clear(&t->text);
    if (!is_described(t, test, why)) return false;
    bool good = trial_ask_test(t, test, &asked, &a);
    if (good && !(good = holds(t, test, &asked, &a))) *why = explain(t, test, &a);
    trial_asked_free(&asked);
    return good;
}
