/* What comes from outside as text: notes, checkpoints, proof files, requests to a witness, verifier keys, bundles. Whatever is
 * read must be spelled the one way: written again it is the same. */
#include "tlog/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(span text, struct buf *b)
{
    ASSERT(span_equal(text, buf_span(b)));
    buf_clear(b);
}

static void read_files(span text, struct buf *b)
{
    struct tlog_extension x;
    struct tlog_proof p;
    struct tlog_asked asked;
    static const struct tlog_verifier log = {.name = "l", .type = TLOG_ED25519};
    if (tlog_extension_parse(text, &x) && is_ok(tlog_extension_format(b, &x))) same(text, b);
    if (tlog_proof_parse(text, &p)) (void)(is_ok(tlog_proof_format(b, &p)) && p.path.count > 0);
    buf_clear(b);
    ASSERT(tlog_witness_read(text, &log, 1, &asked) != 200); /* nobody has that key */
}

static void read_note(span text)
{
    struct tlog_note n;
    struct tlog_checkpoint c;
    struct tlog_verifier v;
    if (tlog_note_split(text, &n)) {
        ASSERT(n.text.len + 1 + n.signatures.len == text.len);
        (void)tlog_checkpoint_parse(n.text, &c);
    }
    if (is_ok(tlog_verifier_parse(text, &v))) {
        char again[TLOG_VKEY_MAX];
        tlog_verifier_format(&v, again);
        ASSERT(strlen(again) == span_trim(text).len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span text = span_of(data, size), bundle = text, leaf;
    struct buf b;
    size_t taken = 0;
    buf_init(&b, 1 << 20);
    read_files(text, &b);
    read_note(text);
    while (tlog_bundle_next(&bundle, &leaf))
        taken += 2 + leaf.len;
    ASSERT(taken + bundle.len == size);
    buf_free(&b);
    return 0;
}
