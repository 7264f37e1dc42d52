/* libgate1367: inspect a document for persons protected by 8 U.S.C. 1367 and get the bytes that a recipient may see,
 * without the gateway: for a web server module, an ICAP service, a batch job. The same code decides as in the gateway.
 *
 *     gate1367_rules *rules = gate1367_rules_load(packs, 2, &problems);
 *     gate1367_registry *registry = gate1367_registry_open(index, index_len, key, &why);
 *     gate1367_inspector *i = gate1367_inspector_new(rules);                  one a thread, reused
 *
 *     gate1367_open(i, &document);
 *     while (bytes come) if (!gate1367_feed(i, bytes, len)) break;
 *     switch (gate1367_finish(i, complete)) {
 *     case GATE1367_DELIVER: while (gate1367_output(i, &run)) write(run);     then
 *     case GATE1367_NOT_FOUND: answer as for somebody who does not exist: see gate1367_miss()
 *     case GATE1367_UNREADABLE: to restricted recipients likewise
 *     }
 *     gate1367_close(i);                                                      wipes
 *
 * What the library does not do: know who asks (say so honestly in `entitled`), keep the record of disclosures that the
 * law asks for, and remove headers that tell what the body no longer does (length, validators, ranges, totals).
 *
 * No function touches files, clocks or globals; nothing is logged. Rules and registries may be shared between threads,
 * an inspector may not. Strings are NUL-terminated UTF-8. No function may be called with NULL unless it says so.
 *
 * Symbols start with gate1367_; structs may grow at their end: set them to zero before use. */
#ifndef GATE1367_GATE1367_H
#define GATE1367_GATE1367_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GATE1367_API __attribute__((visibility("default")))

/* "0.1.0"; static. */
GATE1367_API const char *gate1367_version(void);

/* ---- rules ------------------------------------------------------------------------------------------------------ */

typedef struct gate1367_rules gate1367_rules;

/* A rule pack as it stands in its file. `name` appears in messages. */
typedef struct gate1367_pack {
    const char *name;
    const void *text;
    size_t len;
} gate1367_pack;

/* Compiles the packs, in order; nothing of them is referred to afterwards. NULL: one of them is wrong or memory ran
 * out; one bad rule refuses all. *problems (may be NULL) becomes every problem and warning, a line each,
 * "FILE:LINE:COLUMN: /pointer: what is wrong; what would be right", to be freed with gate1367_text_free; NULL when
 * there is none. */
GATE1367_API gate1367_rules *gate1367_rules_load(const gate1367_pack *packs, size_t count, char **problems);
/* After every inspector of it. NULL is nothing. */
GATE1367_API void gate1367_rules_free(gate1367_rules *rules);
GATE1367_API void gate1367_text_free(char *text);

/* ---- registry --------------------------------------------------------------------------------------------------- */

typedef struct gate1367_registry gate1367_registry;

/* An index as `gate1367 registry build` wrote it, 8-byte aligned (a mapped file is). It is borrowed until close. NULL:
 * no index, damaged, another format, another key, or no memory; *why (may be NULL) then is a static text. */
GATE1367_API gate1367_registry *gate1367_registry_open(
    const void *index, size_t len, const uint8_t key[32], const char **why);
/* After every document opened with it is closed. NULL is nothing. */
GATE1367_API void gate1367_registry_close(gate1367_registry *registry);

/* ---- documents -------------------------------------------------------------------------------------------------- */

typedef struct gate1367_inspector gate1367_inspector;

/* NULL: out of memory. */
GATE1367_API gate1367_inspector *gate1367_inspector_new(const gate1367_rules *rules);
GATE1367_API void gate1367_inspector_free(gate1367_inspector *i);

typedef struct gate1367_document {
    const gate1367_registry *registry; /* required */
    const char *profile;               /* id of the profile that describes this origin; NULL: none */
    const char *path; /* of the request, without query, percent-encoded as it came; picks the profile's document */
    const char *media_type, *charset, *content_encoding; /* of the answer; NULL or "": not given */
    int entitled;   /* a sworn officer or employee of DHS, DOS or DOJ with a legitimate purpose; 0: everybody else */
    int inspect;    /* what no profile describes: 0 refuse, else inspect it as a whole */
    uint32_t depth; /* containers open at once; 0: 256 */
    uint64_t record, document; /* bytes of a unit and of the whole, in what stays visible; 0: 4 MiB and 64 MiB */
} gate1367_document;

/* Begins; drops what was open before. *document is not referred to afterwards, but its registry is. 0: no such profile.
 */
GATE1367_API int gate1367_open(gate1367_inspector *i, const gate1367_document *document);
/* The next bytes of the body, which are copied. 0: no more are needed, gate1367_finish will say why. */
GATE1367_API int gate1367_feed(gate1367_inspector *i, const void *bytes, size_t len);

typedef enum gate1367_verdict {
    GATE1367_DELIVER,    /* exactly what gate1367_output gives */
    GATE1367_NOT_FOUND,  /* all of it is withheld */
    GATE1367_UNREADABLE, /* nothing may be delivered to a restricted recipient; to an entitled one all, as uninspected
                          */
} gate1367_verdict;

/* `complete`: the body ended in good order; 0: it was cut short. Once for each open. */
GATE1367_API gate1367_verdict gate1367_finish(gate1367_inspector *i, int complete);
/* Why a document is unreadable, one or two words, static; "readable" otherwise. From gate1367_finish on. */
GATE1367_API const char *gate1367_reason(const gate1367_inspector *i);

typedef struct gate1367_run {
    const void *bytes; /* until gate1367_close */
    size_t len;
} gate1367_run;
/* The next run of what may be delivered. 0: that was all (of NOT_FOUND and UNREADABLE there is none). */
GATE1367_API int gate1367_output(gate1367_inspector *i, gate1367_run *run);
/* 1: the document leaves byte for byte. */
GATE1367_API int gate1367_unchanged(const gate1367_inspector *i);

typedef enum gate1367_origin {
    GATE1367_REGISTERED, /* an identifier of a protected person */
    GATE1367_DEFINITIVE, /* a marker that by itself gives reason to believe */
    GATE1367_SUSPECTED,  /* a marker that needs another one in its record */
    GATE1367_FLAW,       /* something that readers take differently */
    GATE1367_OVER_LIMIT, /* an expression gave up: taken for a match */
} gate1367_origin;

typedef struct gate1367_finding {
    uint64_t at; /* offset in the body of the value (or name) that it stands in */
    uint32_t len;
    gate1367_origin origin;
    const char *rule; /* id; "" for flaws and surrogate keys; lives as long as the rules */
    const char *kind; /* kind of identifier, for REGISTERED; else ""; static */
    uint64_t subject; /* keyed handle of the person, for REGISTERED; else 0 */
    int in_text;      /* inside `texts` of the profile: about somebody else */
} gate1367_finding;
/* The next finding, in no particular order. 0: that was all. For insiders: it says what must not be told. */
GATE1367_API int gate1367_next_finding(gate1367_inspector *i, gate1367_finding *finding);

typedef struct gate1367_records {
    uint64_t seen, protected_, withheld, disclosed;
} gate1367_records;
GATE1367_API gate1367_records gate1367_counts(const gate1367_inspector *i);

typedef struct gate1367_answer {
    unsigned status;
    const char *type;
    const void *body;
    size_t len;
} gate1367_answer;
/* What this origin answers for nobody, where its profile says so, else 404 with problem+json: the one answer to give
 * whenever something of a document is not delivered at all. From gate1367_open on; lives as long as the rules. */
GATE1367_API gate1367_answer gate1367_miss(const gate1367_inspector *i);

/* Wipes everything that the document left. */
GATE1367_API void gate1367_close(gate1367_inspector *i);

#ifdef __cplusplus
}
#endif

#endif
