#ifndef GATE1367_DEMO_INTERNAL_H
#define GATE1367_DEMO_INTERNAL_H

#include "demo/demo.h"
#include "fixture/fixture.h"
#include <sys/types.h>

#define DEMO_PATH FIXTURE_PATH

/* packs.c, made from rules/ by the build */
extern const unsigned char demo_pack_section[], demo_pack_persons[];
extern const size_t demo_pack_section_len, demo_pack_persons_len;

/* certs.c: CAs, the gateway's certificate, those of officer, attorney and police, as PEM files in the directory. */
RESULT demo_make_certificates(const char *directory);

/* people.c: a dozen generated people, two of them protected. */
RESULT demo_write_registry_source(struct buf *out);
RESULT demo_people_list(struct buf *out);
RESULT demo_people_search(struct buf *out, span word);
RESULT demo_people_export(struct buf *out);
RESULT demo_people_map(struct buf *out);
/* False where there is nobody of that id. */
bool demo_people_one(struct buf *out, uint64_t id);
bool demo_people_associates(struct buf *out, uint64_t id);
#define DEMO_PROTECTED_ID 1007
#define DEMO_ABUSER_ID 1003
#define DEMO_MISSING_ID 1999

/* origin.c: the people as a record API. */
RESULT demo_origin_answer(void *ctx, const struct http_request *r, span body, struct fixture_reply *out);

/* ask.c */
struct demo_recipient {
    const char *title, *file, *purpose; /* file: of the certificate, NULL: none */
};
extern const struct demo_recipient DEMO_RECIPIENTS[4];
struct demo_answer {
    unsigned status;
    char section[64]; /* Section-1367, or empty */
    struct buf body;
};
RESULT demo_ask(const char *directory, uint16_t port, const struct demo_recipient *who, span method, const char *path,
    span body, struct demo_answer *out);

/* show.c */
void demo_show_heading(const char *text, const char *more);
void demo_show_answers(const struct demo_answer answers[4]);

#endif
