/* What the files of config/ share. */
#ifndef GATE1367_CONFIG_INSIDE_H
#define GATE1367_CONFIG_INSIDE_H

#include "config/config.h"

#define CONFIG_FILE_MAX (16u << 20)
#define CONFIG_PEM_MAX (4u << 20)
#define CONFIG_SOURCES 64

/* Everything that settings point into; lives as long as the config. */
struct config_inside {
    uint8_t read[32]; /* what was read so far, one file hashed onto the other: see config_note */
    struct arena *memory;
    char *directory;                        /* of gate.json: paths are relative to it */
    struct source *sources[CONFIG_SOURCES]; /* gate.json first */
    size_t source_count;
    struct recipient_table *recipients;
    struct rules_set *rules;
    int fds[256]; /* to close: secrets */
    size_t fd_count;
    struct problems *problems; /* while loading */
    bool index_read; /* the registry's index, which may be empty */
};

/* One loading run. */
struct loading {
    struct config *config;
    struct config_inside *in;
    const json_t *root;
    struct place at;
};

/* Absolute path in the config's memory. */
const char *config_path(struct config_inside *in, const char *relative);
/* Every file that is no secret counts for what the ledger's entries name as the configuration, those of certificates too: whom a
 * listener trusts decides who is entitled. */
void config_note(struct config_inside *in, span text);
/* Reads and parses a JSON file; reports at `named` and gives NULL where it cannot. */
struct source *config_source(struct config_inside *in, const struct place *named, const char *relative);
/* The whole file as text in the config's memory. */
span config_text(struct config_inside *in, const struct place *named, const char *relative);
/* Opens a secret; -1 after a report. */
int config_secret(struct config_inside *in, const struct place *named, const char *relative);

/* Reports what is wrong with the members, missing ones too; true where the rest can be looked at all the same. */
bool config_object(const struct place *at, const json_t *v, const struct member_spec *specs);

void config_load_listeners(struct loading *l);
void config_load_upstreams(struct loading *l);
void config_load_routes(struct loading *l);
void config_load_files(struct loading *l); /* recipients, rules, registry, ledger */
void config_load_limits(struct loading *l); /* after the routes, which take on its pace */
/* "pace" of the object: "10ms", or {"floor", "grid"}. */
struct proxy_pace config_pace(const struct place *at, const json_t *v, struct proxy_pace fallback);
void config_load_cursors(struct loading *l); /* of pages */

/* What shows only when it is tried, of as much as could be loaded: who has several things wrong is told of all of them. */
void config_try_parts(const struct config *c);
/* What is in order today and will not stay so: certificates near their end, a full device, a ledger that others may write
 * to. Warnings, each with what to do. */
void config_warn_of_files(const struct config *c);

#endif
