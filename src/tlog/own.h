/* Private to tlog: lines, and numbers and hashes as they must be spelled. */
#ifndef GATE1367_TLOG_OWN_H
#define GATE1367_TLOG_OWN_H

#include "tlog/tlog.h"

/* Takes the next line off s, without its end; false where no line ends. */
bool take_line(span *s, span *line);
/* Decimal without leading zeros. */
bool parse_number(span text, uint64_t *out);
/* Standard base64 in its one spelling, of exactly `len` bytes, at most 128. */
bool parse_base64(span text, uint8_t *out, size_t len);
/* Hashes, one a line, up to an empty line, which is taken too. */
bool parse_path(span *s, struct tlog_path *out);
RESULT format_path(struct buf *out, const struct tlog_path *p);

#endif
