/* A new file that is whole or not there: whoever reads a list of disclosures must not take half of one for all of it. */
#ifndef GATE1367_CLI_OUTPUT_H
#define GATE1367_CLI_OUTPUT_H

#include "base/base.h"
#include <sys/types.h>

#define OUTPUT_PATH 8192
/* Whoever ends us on the way finds a whole file or none: until it is kept it has no name, but for file systems that know only files
 * with one. */
struct output {
    int fd;
    char path[OUTPUT_PATH];
    char part[OUTPUT_PATH + 8]; /* its name until then; "": it has none */
};
/* IO EEXIST: there is a file already. */
RESULT output_open(struct output *o, const char *path, mode_t mode);
/* Gives it its name, durable on return, or drops it where `written` is an error, which is then what comes back. */
RESULT output_close(struct output *o, result written);
void output_drop(struct output *o);

/* The same as a stream, which is closed with it; `path` NULL: standard output, which stays open. NULL: *why says so. */
struct output_stream {
    struct output file;
    FILE *to;
    bool is_file;
};
FILE *output_stream_open(struct output_stream *s, const char *path, const char **why);
/* With `whole` what was written stays; false: it could not, *why says so, and there is no file. Without, there is none either. */
bool output_stream_close(struct output_stream *s, bool whole, const char **why);

#endif
