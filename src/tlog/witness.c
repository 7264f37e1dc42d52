#include "tlog/tlog.h"

unsigned tlog_witness_read(span body, const struct tlog_verifier *logs, size_t count, struct tlog_asked *out)
{
    bool known = false, signed_by_it = false;
    if (!tlog_extension_parse(body, &out->extension) || !tlog_note_split(out->extension.note, &out->note)) return 400;
    if (!tlog_checkpoint_parse(out->note.text, &out->checkpoint)) return 400;
    for (size_t i = 0; i < count && !signed_by_it; i++) {
        if (!span_equal(out->checkpoint.origin, span_str(logs[i].name))) continue;
        known = true;
        signed_by_it = tlog_note_signed(&out->note, &logs[i], NULL);
        out->log = i;
    }
    return signed_by_it ? 200 : known ? 403 : 404;
}

/* A tree without leaves has one root only. */
static bool is_empty_root(const tlog_hash root)
{
    tlog_hash empty;
    return sha256(span_of(NULL, 0), empty) && memcmp(root, empty, TLOG_HASH) == 0;
}

unsigned tlog_witness_judge(const struct tlog_asked *asked, uint64_t seen, const tlog_hash seen_root)
{
    const struct tlog_checkpoint *c = &asked->checkpoint;
    const struct tlog_path *path = &asked->extension.path;
    uint64_t old = asked->extension.old;
    if (old > c->size) return 400;
    if (old != seen) return 409;
    if (c->size == 0) return path->count > 0 || !is_empty_root(c->root) ? 422 : 200;
    if (old == c->size && memcmp(c->root, seen_root, TLOG_HASH) != 0) return 409;
    return tlog_check_consistency(path, old, seen_root, c->size, c->root) ? 200 : 422;
}
