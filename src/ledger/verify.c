#include "ledger/verify.h"
#include "ledger/frame_crew.h"
#include <errno.h>

result verify_show(struct showing *s, uint64_t index, span entry)
{
    if (!s->options->each || index != s->next) return OK;
    s->next++;
    return s->options->each(s->options->each_ctx, index, entry, NULL);
}

static result show_frame(void *ctx, const struct frame *f)
{
    struct showing *s = ctx;
    uint64_t index = f->first_index;
    size_t at = 0;
    span leaf;
    if (index + f->count <= s->next) return OK;
    for (; frame_next(f, &at, &leaf); index++)
        TRY(verify_show(s, index, leaf));
    return OK;
}

static enum ledger_judgement judge(struct ledger_report *out, const struct survey *s, result r)
{
    out->first = s->problem;
    out->frames = s->frames;
    out->bytes = s->bytes;
    out->segments = s->segments.count;
    out->torn = s->torn;
    if (!is_ok(r)) return LEDGER_CANNOT_TELL;
    return s->problem.fault == LEDGER_SOUND ? LEDGER_IS_SOUND : LEDGER_IS_TAMPERED;
}

static enum ledger_judgement tampered(struct ledger_report *out, enum ledger_fault fault, const char *file)
{
    problem_set(&out->first, fault, file, 0, 0, 0);
    return LEDGER_IS_TAMPERED;
}

static result survey_signed(
    const char *directory, const struct node *node, struct walk *w, struct showing *showing, struct survey *s, struct ledger_report *out)
{
    struct crew_wish wish = {.signatures = true, .each = show_frame, .ctx = showing};
    result r = crew_survey(directory, node, &wish, w, s);
    out->entries = w->tree.size;
    REQUIRE(ledger_tree_root(&w->tree, out->root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return r;
}

/* The tips are read before the log: a writer at work may only be ahead of them. */
static enum ledger_judgement verify_chain(const char *directory, const struct node *node, struct walk *w,
    const struct signature_check *check, struct showing *showing, struct survey *s, struct ledger_report *out)
{
    int newest;
    char log[PATH_BYTES];
    if (is_ok(layout_path(log, directory, "wal")) && !os_exists(log)) return tampered(out, LEDGER_FAULT_GAP, "wal");
    result r = tips_read(directory, &node->verifier, check, w->tips, &newest);
    if (!is_ok(r)) return LEDGER_CANNOT_TELL;
    if (newest < 0) return tampered(out, LEDGER_FAULT_TIP, "tip.a");
    out->tip_size = w->tips[newest].size;
    return judge(out, s, survey_signed(directory, node, w, showing, s, out));
}

static bool same_verifier(const struct ledger_verifier *a, const struct ledger_verifier *b)
{
    return strcmp(a->name, b->name) == 0 && memcmp(a->key, b->key, 32) == 0;
}

enum ledger_judgement verify_node(
    const char *directory, const struct ledger_verifier *v, struct node *node, struct ledger_report *out)
{
    result r = node_read(directory, node);
    if (!is_ok(r)) {
        problem_set(&out->first, LEDGER_FAULT_NODE, "node.json", 0, 0, r.class == ERROR_IO ? r.code : 0);
        return r.class == ERROR_CONFIG && r.code == LEDGER_E_NODE ? LEDGER_IS_TAMPERED : LEDGER_CANNOT_TELL;
    }
    return same_verifier(&node->verifier, v) ? LEDGER_IS_SOUND : tampered(out, LEDGER_FAULT_NODE, "node.json");
}

enum ledger_judgement verify_wal(const char *directory, const struct ledger_verifier *v, const struct expectation more[2],
    struct showing *showing, struct ledger_report *out)
{
    struct node node;
    struct walk w;
    struct signature_check check;
    struct survey s = {.progress = showing->options->progress, .progress_ctx = showing->options->ctx};
    enum ledger_judgement named = verify_node(directory, v, &node, out);
    if (named != LEDGER_IS_SOUND) return named;
    if (!walk_start(&w, v) || !check_open(&check, v->key)) return LEDGER_CANNOT_TELL;
    memcpy(w.tips + PUBLISHED, more, 2 * sizeof *more);
    enum ledger_judgement j = verify_chain(directory, &node, &w, &check, showing, &s, out);
    check_close(&check);
    mem_free(s.segments.first);
    return j;
}

result ledger_goes_on(const char *directory)
{
    struct node node;
    TRY(node_read(directory, &node));
    REQUIRE(node.successor[0] == 0, ERROR_CONFIG, LEDGER_E_ENDED);
    return OK;
}

result ledger_verifier_read(const char *directory, struct ledger_verifier *out)
{
    struct node node;
    TRY(node_read(directory, &node));
    *out = node.verifier;
    return OK;
}
