/* Private to engine. */
#ifndef GATE1367_ENGINE_OWN_H
#define GATE1367_ENGINE_OWN_H

#include "engine/engine.h"

enum engine_charset { ENGINE_UTF8, ENGINE_ASCII };
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
};
enum engine_unreadable engine_judge(const struct engine_judging *j, struct engine_outcome *out);

#endif
