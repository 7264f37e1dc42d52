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
    const struct rules_search *search; /* of the question; in the arena */
    struct engine_outcome outcome;
    struct buf text; /* what a test got; then why it failed */
    struct trial_flow {
        struct buf window, out;  /* of the body, what may still be needed; what has not left */
        uint64_t base, read, left; /* of the window; bytes read, and handed to the sink */
        struct policy_verdict sums;
        struct policy_rule_count *rules; /* by rule id, the last for what has none */
        enum recipient_class class;
        trial_sink_fn *sink;
        void *ctx;
        bool over;
        result failed;
    } flow;
};

/* A restricted recipient may not ask so; else what is asked for is in t->search. */
bool trial_refuses(struct trial *t, const struct trial_question *q);
void trial_describe(struct trial *t, const struct trial_question *q, struct buf *out);
enum trial_verdict trial_failed(enum gate_failure f, enum recipient_class class);
/* The verdict, and of a failure its row's name and what it means. */
#define TRIAL_SAID 256
void trial_say(const struct trial_answer *a, char out[TRIAL_SAID]);
void trial_flow_free(struct trial *t);

/* The document and question of a profile's test, asked. False after reporting. */
struct trial_asked {
    struct trial_people *people;
    char *made; /* the body, where the test gives it as a value */
    span body;
};
bool trial_ask_test(struct trial *t, const struct rules_profile_test *test, struct trial_asked *asked, struct trial_answer *a);
void trial_asked_free(struct trial_asked *asked);

#endif
