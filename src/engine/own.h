/* Private to engine. */
#ifndef GATE1367_ENGINE_OWN_H
#define GATE1367_ENGINE_OWN_H

#include "engine/engine.h"

#define ENGINE_MAGIC 0x454e4749u

enum engine_charset { ENGINE_UTF8, ENGINE_ASCII };

/* A document that is decided unit by unit. */
struct engine_streaming {
    struct edit_stream edit;
    struct arena *arena; /* of one unit */
    struct policy_verdict sums;
    struct buf subjects;   /* uint64_t, as they come */
    struct buf suspicion_counts, suspicion_prints; /* size_t, struct registry_print, of the part at hand */
    rule_id outside[2];    /* match_survey.outside of the next unit */
    uint32_t *rule_counts; /* one a rule */
    struct policy_rule_count *rules;
    uint64_t read;
    uint64_t marked_settled, marked_done; /* once so much of what leaves is taken, nothing before there in the body is asked about again */
};

struct engine {
    uint32_t magic;
    const struct rules_set *rules;
    struct rules_scratch *scratch;
    struct match *match;
    struct engine_begin begin;
    enum engine_charset charset;
    enum engine_unreadable unreadable; /* latched */
    uint64_t unreadable_at;
    bool started, reading; /* match_begin was called since the last reset */
    bool stream;
    size_t slack; /* behind the body, once it is whole */
    struct engine_streaming streaming;
    const struct match_survey *survey;
};

/* The first reason stands. */
void engine_latch(struct engine *e, enum engine_unreadable u, uint64_t at);
enum engine_unreadable engine_unreadable_of(enum doc_malformed m);
/* Makes what a stream needs; false: out of memory. */
bool engine_stream_prepare(struct engine *e);
void engine_stream_reset(struct engine *e);
void engine_stream_free(struct engine *e);

bool engine_charset_of(span charset, enum engine_charset *out); /* false: another one */
bool engine_is_ascii(span body);
bool engine_is_identity(span coding);

/* The last step: from the survey to what leaves. Fills verdict and edits, or says why nothing can leave. */
struct engine_judging {
    const struct match_survey *survey;
    enum recipient_class class;
    const struct engine_limits *limits;
    span body;
    struct arena *arena;
    const uint8_t *pseudonym_key; /* or NULL */
    struct engine_page page;
};
/* suspect.c: fills out->suspicions; ENGINE_MEMORY when the arena is full. */
enum engine_unreadable engine_suspect(
    const struct match_survey *s, const struct registry *registry, struct arena *arena, struct engine_outcome *out);
enum engine_unreadable engine_judge(const struct engine_judging *j, struct engine_outcome *out);

#endif
