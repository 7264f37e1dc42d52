#include "ledger/ledger.h"
#include "os/os.h"

struct word {
    const char *text, *note;
};

static const struct word events[LEDGER_EVENT_COUNT] = {
#define X(name, text, note) {text, note},
    LEDGER_EVENTS(X)
#undef X
};

static const struct word outcomes[LEDGER_OUTCOME_END] = {{NULL, NULL},
#define X(name, text, note) {text, note},
    LEDGER_OUTCOMES(X)
#undef X
};

static const char *const faults[LEDGER_FAULT_END] = {"sound",
#define X(name, text) text,
    LEDGER_FAULTS(X)
#undef X
};

const char *ledger_event_name(enum ledger_event e)
{
    ASSERT((unsigned)e < LEDGER_EVENT_COUNT);
    return events[e].text;
}

const char *ledger_event_note(enum ledger_event e)
{
    ASSERT((unsigned)e < LEDGER_EVENT_COUNT);
    return events[e].note;
}

const char *ledger_outcome_name(enum ledger_outcome o)
{
    ASSERT((unsigned)o < LEDGER_OUTCOME_END);
    return outcomes[o].text;
}

const char *ledger_outcome_note(enum ledger_outcome o)
{
    ASSERT((unsigned)o < LEDGER_OUTCOME_END);
    return outcomes[o].note;
}

bool ledger_event_parse(span word, enum ledger_event *out)
{
    for (unsigned i = 0; i < LEDGER_EVENT_COUNT; i++) {
        if (!span_equal(word, span_str(events[i].text))) continue;
        *out = (enum ledger_event)i;
        return true;
    }
    return false;
}

bool ledger_outcome_parse(span word, enum ledger_outcome *out)
{
    for (unsigned i = 1; i < LEDGER_OUTCOME_END; i++) {
        if (!span_equal(word, span_str(outcomes[i].text))) continue;
        *out = (enum ledger_outcome)i;
        return true;
    }
    return false;
}

const char *ledger_fault_text(enum ledger_fault f)
{
    ASSERT((unsigned)f < LEDGER_FAULT_END);
    return faults[f];
}

void ledger_problem_format(const struct ledger_problem *p, char *out, size_t size)
{
    const char *why = p->error ? os_error_text((result){ERROR_IO, p->error, NULL}) : NULL;
    snprintf(out, size, "%s at byte %llu (entry %llu): %s%s%s", p->file, (unsigned long long)p->offset,
        (unsigned long long)p->index, ledger_fault_text(p->fault), why ? ": " : "", why ? why : "");
}

const char *ledger_error_text(result r)
{
    switch (r.code) {
    case LEDGER_E_LOCKED: return "another process is writing this ledger";
    case LEDGER_E_MISSING: return "there is no ledger here; make one with gate1367 log init";
    case LEDGER_E_EXISTS: return "there is a ledger here already";
    case LEDGER_E_KEY: return "the key file is not an Ed25519 private key in PEM";
    case LEDGER_E_VERIFIER: return "not a verifier key, or not this ledger's";
    case LEDGER_E_ORIGIN: return "the origin must be a name without spaces, plus signs and control characters";
    case LEDGER_E_CORRUPT: return "the ledger on disk is damaged or was changed";
    case LEDGER_E_FAILED: return "an earlier error in writing the ledger was final";
    case LEDGER_E_LOST: return "the disk does not give back what was acknowledged";
    case LEDGER_E_FULL: return "there is no room for another segment";
    case LEDGER_E_ENTRY: return "not an entry";
    case LEDGER_E_CRYPTO: return "the cryptographic library failed";
    case LEDGER_E_ENDED: return "this ledger was ended; the one that follows it goes on";
    case LEDGER_E_APPROVAL: return "not approved by two of those whom ledger.recovery names, for these two ledgers";
    case LEDGER_E_UNPUBLISHED: return "nothing is published here: there is no checkpoint";
    case LEDGER_E_GONE: return "a file of the ledger was deleted, replaced or cut";
    case LEDGER_E_NODE: return "node.json cannot be read";
    case LEDGER_E_EPOCHS: return "epochs.json is missing or cannot be read; gate1367 log schedule makes it, and a lost one comes from its backup";
    case LEDGER_E_SCHEDULE: return "the records schedule does not allow it";
    case LEDGER_E_THREAD: return "the system makes no further thread; raise TasksMax= or ulimit -u";
    case LEDGER_E_AUDITOR: return "not a certificate with a P-256 key, in PEM";
    case LEDGER_E_AUDITOR_KEY: return "not a private key on P-256, in PEM";
    default: return os_error_text(r);
    }
}
