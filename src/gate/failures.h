/* The failure table: every way things can go wrong is one row. No row says "pass" for a restricted recipient. The name is
 * the metric's label, the word in the operational log, and the switch that tests throw (fault point of the same name).
 *
 * X(ID, name, restricted gets, entitled gets, ledger outcome for restricted, condition)
 *
 *= ICE10036.2 2.1   acknowledging the existence of a record is a disclosure: what depends on stored data is one answer */
#ifndef GATE1367_GATE_FAILURES_H
#define GATE1367_GATE_FAILURES_H

#define GATE_FAILURES(X)                                                                                               \
    X(REQUEST_SYNTAX, "request_syntax", SYNTAX, SYNTAX, NO_ENTRY, "the request breaks RFC 9112 or a limit")            \
    X(REQUEST_TIMEOUT, "request_timeout", TIMEOUT, TIMEOUT, REFUSED, "the request did not arrive in time")            \
    X(REQUEST_BODY, "request_body", SYNTAX, SYNTAX, REFUSED, "the request's body breaks its framing")                  \
    X(RATE, "rate", RATE, RATE, NO_ENTRY, "more requests a second than limits.requests lets the recipient make")       \
    X(NO_ROUTE, "no_route", NOT_FOUND, NOT_FOUND, NO_ENTRY, "no route has the path")                                   \
    X(FORBIDDEN, "forbidden", FORBIDDEN, FORBIDDEN, REFUSED, "an entitled identity without a valid purpose, or a "     \
        "departmental certificate that no entry matches")                                                              \
    X(METHOD, "method", METHOD, METHOD, REFUSED, "a method that the recipient may not use here")                       \
    X(QUERY, "query", NOT_FOUND, PASS, REFUSED, "a query parameter that the document does not list")                   \
    X(CURSOR, "cursor", NOT_FOUND, PASS, REFUSED, "a cursor that is not ours, not this recipient's, or too old")        \
    X(NO_MEMORY, "no_memory", REFUSAL, REFUSAL, FAILED_CLOSED, "no memory for the exchange, before the origin is asked") \
    X(REGISTRY, "registry", REFUSAL, UNINSPECTED, FAILED_CLOSED, "the registry is not usable")                         \
    X(LEDGER, "ledger", REFUSAL, REFUSAL, NO_ENTRY, "the ledger did not make the entry durable")                       \
    X(LEDGER_ROOM, "ledger_room", REFUSAL, REFUSAL, NO_ENTRY, "an entry would be needed, and the ledger's device is nearly full") \
    X(SUSPICION, "suspicion", MISS, REFUSAL, FAILED_CLOSED, "a marker's suspicion could not be made durable")           \
    X(UPSTREAM_CONNECT, "upstream_connect", REFUSAL, REFUSAL, FAILED_CLOSED, "no origin server takes the connection")  \
    X(UPSTREAM_TIMEOUT, "upstream_timeout", REFUSAL, REFUSAL, FAILED_CLOSED, "the origin did not answer in time")      \
    X(UPSTREAM_CLOSED, "upstream_closed", REFUSAL, REFUSAL, FAILED_CLOSED, "the origin closed before it answered")     \
    X(UPSTREAM_FRAMING, "upstream_framing", MISS, REFUSAL, FAILED_CLOSED, "the origin's answer breaks RFC 9112")       \
    X(UPSTREAM_STATUS, "upstream_status", MISS, PASS, CLEAR, "the origin answered with another status than 200")       \
    X(UNPROFILED, "unprofiled", NOT_FOUND, UNINSPECTED, FAILED_CLOSED, "no documents entry describes the answer")      \
    X(FORMAT, "format", MISS, UNINSPECTED, FAILED_CLOSED, "a format that is not read, or that the bytes contradict")   \
    X(CODING, "coding", MISS, UNINSPECTED, FAILED_CLOSED, "a content coding although identity was asked for")          \
    X(MALFORMED, "malformed", MISS, UNINSPECTED, FAILED_CLOSED, "the document's structure is broken")                  \
    X(CUT_SHORT, "cut_short", MISS, UNINSPECTED, FAILED_CLOSED, "the origin broke off inside the body")                \
    X(DEPTH, "depth", MISS, UNINSPECTED, FAILED_CLOSED, "nested over limits.depth")                                    \
    X(DOCUMENT, "document", MISS, UNINSPECTED, FAILED_CLOSED, "over limits.document")                                  \
    X(RECORD, "record", MISS, UNINSPECTED, FAILED_CLOSED, "a record over twice limits.record")                         \
    X(SCAN, "scan", MISS, UNINSPECTED, FAILED_CLOSED, "a page further than pages.scan visible units")                   \
    X(SCAN_RAW, "scan_raw", MISS, UNINSPECTED, FAILED_CLOSED, "twice pages.scan units, and too few of them visible")    \
    X(READ_MEMORY, "read_memory", MISS, UNINSPECTED, FAILED_CLOSED, "no memory while the document was read")

enum gate_failure {
    GATE_FINE = 0,
#define X(id, name, restricted, entitled, outcome, condition) GATE_##id,
    GATE_FAILURES(X)
#undef X
    GATE_FAILURE_COUNT
};

/* What a client gets. */
enum gate_answer {
    GATE_ANSWER_SYNTAX,      /* 400, 414, 431, 501 or 505, and the connection closes */
    GATE_ANSWER_TIMEOUT,     /* 408, and the connection closes */
    GATE_ANSWER_RATE,        /* the static 429 */
    GATE_ANSWER_NOT_FOUND,   /* the canonical not-found */
    GATE_ANSWER_MISS,        /* the document's miss, or the canonical not-found */
    GATE_ANSWER_FORBIDDEN,   /* the constant 403 */
    GATE_ANSWER_METHOD,      /* the static 405 */
    GATE_ANSWER_REFUSAL,     /* the canonical refusal, 502 */
    GATE_ANSWER_UNINSPECTED, /* the origin's answer, marked and recorded as uninspected; never for restricted */
    GATE_ANSWER_PASS,        /* the origin's answer, inspected as any other; never for restricted */
};

#endif
