/* Going through what has been read once more, from member to member: it is well formed, and no event is made of it. Private to match. */
#ifndef GATE1367_MATCH_RAW_H
#define GATE1367_MATCH_RAW_H

#include "match/own.h"

#define RAW_LONGEST 128 /* bytes of a name, or of what says what something is, as they stand */

struct raw_cursor {
    const uint8_t *at, *end;
    const uint8_t *passed, *passed_end; /* the first and the last byte of an object in it that need not be read again; or NULL */
};

/* A member or an element. */
struct raw_value {
    span name;   /* decoded; empty where it is longer than any that matters, and of an element */
    span text;   /* of a string, a number or `true`, as it stands; of all else there is none */
    span inside; /* of an object or array: what stands between its brackets */
    enum doc_event_kind kind; /* DOC_NULL: nothing that says anything */
    uint8_t room[RAW_LONGEST];
};

/* As it reads; empty where it is too long. */
span raw_decoded(span text, uint8_t room[RAW_LONGEST]);
/* The labels of what is called so by a text. */
label_set raw_labels(struct match *m, span text);
/* At the next member or element: its name, and the cursor stands at its value. False: there are no more, or a bracket closes. */
bool raw_begin(struct raw_cursor *c, bool member, struct raw_value *out);
/* The value there. */
void raw_take(struct raw_cursor *c, struct raw_value *out);
/* Inside an object. False: there are no more. */
bool raw_next_member(struct raw_cursor *c, struct raw_value *out);
/* Through the members or elements of one that came last. */
static inline struct raw_cursor raw_inside(const struct raw_cursor *c, const struct raw_value *v)
{
    return (struct raw_cursor){.at = v->inside.ptr, .end = v->inside.ptr + v->inside.len, .passed = c->passed, .passed_end = c->passed_end};
}
/* Inside an array. */
bool raw_next_element(struct raw_cursor *c, struct raw_value *out);
/* A scalar is looked into as what these labels say; c: of its place. */
void raw_look(struct match *m, const struct raw_value *v, struct child *c, const struct where *w);
/* More than anybody says: what stands there cannot be known. */
void raw_give_up(struct match *m, const struct where *w, span at);

#endif
