/* Documents in files, for `scan` and `rules explain`. */
#ifndef GATE1367_CLI_FILES_H
#define GATE1367_CLI_FILES_H

#include "base/base.h"
#include "engine/engine.h"

/* The media type that the file's name says: .json, .ndjson, .jsonl; NULL: another. */
const char *files_type(const char *path);
/* How much of a file is worth reading: one byte over the raw bound, so that the engine says what is wrong. */
size_t files_cap(const struct engine_limits *limits);
/* The whole file, or "-", stdin, but at most cap bytes. False after a message on stderr (with `command`, else silent). Free
 * the buffer either way. */
bool files_read(const char *path, size_t cap, struct buf *out, const char *command);

/* The same in pieces, until `each` says that it wants no more; `last` with the last one, which may be empty. False: it could
 * not be read to its end. */
typedef bool files_piece_fn(void *ctx, span piece, bool last);
bool files_read_pieces(const char *path, files_piece_fn *each, void *ctx);

#endif
