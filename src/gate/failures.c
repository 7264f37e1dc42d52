#include "gate/gate.h"

struct row {
    const char *name, *condition;
    enum gate_answer restricted, entitled;
    enum ledger_outcome outcome;
};

/* The table's short words. */
enum { LEDGER_NO_ENTRY = LEDGER_NO_OUTCOME };

static const struct row ROWS[GATE_FAILURE_COUNT] = {
    [GATE_FINE] = {"fine", "nothing went wrong", GATE_ANSWER_REFUSAL, GATE_ANSWER_PASS, LEDGER_NO_OUTCOME},
#define X(id, name, restricted, entitled, outcome, condition)                                                          \
    [GATE_##id] = {name, condition, GATE_ANSWER_##restricted, GATE_ANSWER_##entitled, (enum ledger_outcome)LEDGER_##outcome},
    GATE_FAILURES(X)
#undef X
};

const char *gate_failure_name(enum gate_failure f)
{
    ASSERT(f < GATE_FAILURE_COUNT);
    return ROWS[f].name;
}

const char *gate_failure_condition(enum gate_failure f)
{
    ASSERT(f < GATE_FAILURE_COUNT);
    return ROWS[f].condition;
}

enum gate_answer gate_failure_answer(enum gate_failure f, enum recipient_class class)
{
    ASSERT(f < GATE_FAILURE_COUNT);
    enum gate_answer a = class == RECIPIENT_ENTITLED ? ROWS[f].entitled : ROWS[f].restricted;
    ASSERT(class == RECIPIENT_ENTITLED || (a != GATE_ANSWER_PASS && a != GATE_ANSWER_UNINSPECTED));
    return a;
}

enum ledger_outcome gate_failure_outcome(enum gate_failure f, enum recipient_class class)
{
    switch (gate_failure_answer(f, class)) {
    case GATE_ANSWER_UNINSPECTED: return LEDGER_UNINSPECTED;
    case GATE_ANSWER_PASS: return LEDGER_CLEAR;
    case GATE_ANSWER_SYNTAX:
    case GATE_ANSWER_TIMEOUT:
    case GATE_ANSWER_RATE:
    case GATE_ANSWER_NOT_FOUND:
    case GATE_ANSWER_MISS:
    case GATE_ANSWER_FORBIDDEN:
    case GATE_ANSWER_METHOD:
    case GATE_ANSWER_REFUSAL: break;
    }
    return ROWS[f].outcome;
}

bool gate_failure_thrown(enum gate_failure f)
{
    return fault_hit(gate_failure_name(f));
}

enum gate_failure gate_failure_of(enum engine_unreadable u)
{
    switch (u) {
    case ENGINE_READABLE: return GATE_FINE;
    case ENGINE_FORMAT: return GATE_FORMAT;
    case ENGINE_CODING: return GATE_CODING;
    case ENGINE_MALFORMED: return GATE_MALFORMED;
    case ENGINE_CUT_SHORT: return GATE_CUT_SHORT;
    case ENGINE_DEPTH: return GATE_DEPTH;
    case ENGINE_DOCUMENT: return GATE_DOCUMENT;
    case ENGINE_RECORD: return GATE_RECORD;
    case ENGINE_MEMORY: return GATE_READ_MEMORY;
    case ENGINE_UNPROFILED: return GATE_UNPROFILED;
    }
    ASSERT(false);
}

/* The switches of the rows that a document can fail by: the first that a test threw. */
enum gate_failure gate_document_failure_thrown(void)
{
    if (!UNLIKELY(fault_armed_)) return GATE_FINE;
    for (enum gate_failure f = GATE_UNPROFILED; f < GATE_FAILURE_COUNT; f++) {
        if (gate_failure_thrown(f)) return f;
    }
    return GATE_FINE;
}
