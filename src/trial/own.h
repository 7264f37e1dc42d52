/* Private to trial. */
#ifndef GATE1367_TRIAL_OWN_H
#define GATE1367_TRIAL_OWN_H

#include "trial/trial.h"

#define TRIAL_TEXT_MAX ((size_t)64 << 20)

struct trial {
    uint32_t magic;
    const struct rules_set *rules;
    struct engine *engine;
    struct arena *arena;
    struct engine_outcome outcome;
    struct buf text; /* what a test got; then why it failed */
};

/* The document and question of a profile's test, asked. False after reporting. */
struct trial_asked {
    struct trial_people *people;
    char *made; /* the body, where the test gives it as a value */
    span body;
};
bool trial_ask_test(struct trial *t, const struct rules_profile_test *test, struct trial_asked *asked, struct trial_answer *a);
void trial_asked_free(struct trial_asked *asked);

#endif
