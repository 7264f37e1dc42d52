/* Findings that leave a trace: the value is replaced, and everything around it stays. */
#include "policy/own.h"
#include <stdlib.h>

static enum rules_on_finding verb_of(const struct match_survey *s)
{
    return s->document ? s->document->on_finding : ON_FINDING_WITHHOLD;
}

/* A name cannot give way to another, and a flaw is in how it is written: they withhold their unit under any profile. */
static bool is_replaceable(const struct match_finding *f)
{
    return !f->in_name && f->origin != MATCH_FLAW;
}

bool redact_shows(const struct match_survey *s, const struct match_finding *f)
{
    return rules_is_visible(verb_of(s)) && !f->in_text && is_replaceable(f);
}

struct found {
    uint64_t at, subject;
    uint32_t len;
    bool known;
};

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->known != y->known) return x->known ? 1 : -1;
    return x->subject < y->subject ? -1 : x->subject > y->subject;
}

static size_t collect(const struct match_survey *s, const uint8_t *counts, struct found *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->finding_count; i++) {
        const struct match_finding *f = &s->findings[i];
        if (!counts[i] || !is_replaceable(f)) continue; /* in texts too: the entitled see them */
        bool known = f->origin == MATCH_REGISTRY && f->subject != REGISTRY_NO_SUBJECT;
        out[n++] = (struct found){f->at, known ? f->subject : 0, f->len, known};
    }
    if (n > 1) qsort(out, n, sizeof *out, compare_found);
    return n;
}

RESULT redact_list(const struct match_survey *s, const uint8_t *counts, struct arena *arena, struct policy_redactions *out)
{
    *out = (struct policy_redactions){.verb = verb_of(s)};
    if (!rules_replaces(out->verb) || s->finding_count == 0) return OK;
    struct found *found = arena_array(arena, s->finding_count, sizeof *found);
    struct policy_redaction *list = arena_array(arena, s->finding_count, sizeof *list);
    uint64_t *subjects = arena_array(arena, s->finding_count, sizeof *subjects);
    REQUIRE(found && list && subjects, ERROR_LIMIT, 0);
    size_t n = collect(s, counts, found);
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || found[i].at != found[i - 1].at)
            list[out->count++] = (struct policy_redaction){.at = found[i].at, .len = found[i].len, .subject = used};
        struct policy_redaction *r = &list[out->count - 1];
        bool again = r->subject_count > 0 && subjects[used - 1] == found[i].subject;
        if (!found[i].known || again) continue;
        subjects[used++] = found[i].subject;
        r->subject_count++;
    }
    out->list = list;
    out->subjects = subjects;
    return OK;
}
