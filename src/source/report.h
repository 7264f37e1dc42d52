/* Private to source: one problem on its way into the list, and looking for places in a text. */
#ifndef GATE1367_SOURCE_REPORT_H
#define GATE1367_SOURCE_REPORT_H

#include "source/source.h"

/* line 0: no position; pointer NULL: no place inside the file. `code` is the whole source line (may be empty). */
struct report {
    const char *file;
    unsigned line, column;
    const char *pointer;
    bool warning;
    span code;
};
void problems_report(struct problems *p, const struct report *r, const char *fmt, va_list args) PRINTF(3, 0);
void problems_say(struct problems *p, const struct report *r, const char *fmt, ...) PRINTF(3, 4);

/* Byte offset of the value (or member name) at a JSON pointer in text that Jansson accepted. */
bool locate_pointer(span text, const char *pointer, bool on_name, size_t *offset);
/* Finds the member name that ends at `end` in text whose part before `end` is well-formed: its start, and its pointer
 * (cut when it does not fit). */
bool locate_name_end(span text, size_t end, size_t *start, struct place *at);
/* Line (from 0) and column (characters, from 1) of an offset, and the line itself. */
unsigned locate_line(span text, size_t offset, unsigned *column, span *line);

/* Where the text's first line stands in its file. */
unsigned source_first_line(const struct source *s);

#endif
