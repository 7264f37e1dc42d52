/* Which answer leaves, and its words. Canonical answers are constants: they depend on the request and the identity, never
 * on what is stored. */
#include "proxy/internal.h"

#define PROBLEM SPAN("application/problem+json")

struct canonical {
    unsigned status;
    span body;
};

static struct canonical canonical_of(const struct exchange *x)
{
    switch (x->answer) {
    case GATE_ANSWER_TIMEOUT:
        return (struct canonical){408, SPAN("{\"type\":\"about:blank\",\"title\":\"Request Timeout\",\"status\":408}")};
    case GATE_ANSWER_RATE:
        return (struct canonical){429, SPAN("{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429}")};
    case GATE_ANSWER_FORBIDDEN:
        return (struct canonical){403, SPAN("{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403}")};
    case GATE_ANSWER_METHOD:
        return (struct canonical){405, SPAN("{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405}")};
    case GATE_ANSWER_REFUSAL:
        return (struct canonical){502, SPAN("{\"type\":\"about:blank\",\"title\":\"Bad Gateway\",\"status\":502}")};
    case GATE_ANSWER_SYNTAX:
        return (struct canonical){x->status, span_of(NULL, 0)};
    case GATE_ANSWER_NOT_FOUND:
    case GATE_ANSWER_MISS:
    case GATE_ANSWER_UNINSPECTED:
    case GATE_ANSWER_PASS: break;
    }
    return (struct canonical){404, SPAN("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}")};
}

static void use_canonical(struct exchange *x)
{
    struct canonical c = canonical_of(x);
    x->from_origin = false;
    x->status = c.status;
    x->answer_type = c.body.len > 0 ? PROBLEM : span_of(NULL, 0);
    x->answer_body = c.body;
}

/* What this origin answers for nobody, where the profile says it. */
static void use_miss(struct exchange *x)
{
    const struct rules_document_view *v = x->document == NULL ? NULL : rules_document_view(x->document);
    if (v == NULL || !v->miss.given) {
        x->answer = GATE_ANSWER_NOT_FOUND;
        use_canonical(x);
        return;
    }
    x->from_origin = false;
    x->status = v->miss.status;
    x->answer_type = span_str(v->miss.type);
    x->answer_body = v->miss.body;
}

/* Whoever is restricted gets what was judged: a verdict that nobody reached must never look like one that found nobody. A
 * document in parts is judged unit by unit (engine/stream.c). */
//= 8USC1367 a(2)
static void use_origin(struct exchange *x)
{
    ASSERT(x->class == RECIPIENT_ENTITLED || x->in_parts || gate_outcome(x->gate)->verdict.judged);
    x->from_origin = true;
    x->status = x->class == RECIPIENT_ENTITLED ? x->response.status : 200;
    x->answer_type = http_media_text(&x->media);
}

void answer_choose(struct exchange *x)
{
    if (mirror_is_on(x)) {
        x->from_origin = false;
        x->status = 204;
        x->answer = GATE_ANSWER_NOT_FOUND; /* not the 405, which says Allow */
        x->answer_type = x->answer_body = span_of(NULL, 0);
        return;
    }
    if (x->begun) {
        use_origin(x);
        return;
    }
    switch (x->answer) {
    case GATE_ANSWER_MISS: use_miss(x); return;
    case GATE_ANSWER_UNINSPECTED:
        /* Where the origin's bytes cannot pass (none came, or there was no memory to take them), the row's other half
         * holds: an officer must never take an empty answer for "no such person". */
        if (gate_is_stream(x->gate)) use_origin(x);
        else x->answer = GATE_ANSWER_REFUSAL, use_canonical(x);
        return;
    case GATE_ANSWER_SYNTAX:
    case GATE_ANSWER_TIMEOUT:
    case GATE_ANSWER_RATE:
    case GATE_ANSWER_NOT_FOUND:
    case GATE_ANSWER_FORBIDDEN:
    case GATE_ANSWER_METHOD: use_canonical(x); return;
    case GATE_ANSWER_REFUSAL:
        if (x->failure != GATE_FINE) {
            use_canonical(x);
            return;
        }
        break; /* GATE_FINE's row, restricted: the document as decided */
    case GATE_ANSWER_PASS: break;
    }
    if (x->class == RECIPIENT_RESTRICTED && gate_outcome(x->gate)->verdict.document_withheld) use_miss(x);
    else use_origin(x);
}
