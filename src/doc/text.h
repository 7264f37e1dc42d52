/* What stands between the quotes of a JSON string, looked at byte by byte. Only strings that hold a backslash or a
 * suspect byte come here. */
#ifndef GATE1367_DOC_TEXT_H
#define GATE1367_DOC_TEXT_H

#include "base/base.h"

#define TEXT_NONE SIZE_MAX

/* Offsets of the first of each kind in the raw string, TEXT_NONE where there is none. */
struct text_escapes {
    size_t malformed;      /* the backslash of an escape that RFC 8259 does not know */
    size_t lone_surrogate; /* the backslash of a \u escape that is half a pair */
    size_t nul;            /* the backslash of \u0000 */
};

struct text_escapes text_check_escapes(span raw);
/* Offset of the first byte that does not belong to a well-formed UTF-8 sequence, TEXT_NONE where all is well. */
size_t text_find_bad_utf8(span raw);
/* RFC 8259 section 6. */
bool text_is_number(span s);
bool text_has_exponent(span number);

#endif
