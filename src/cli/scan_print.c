/* What `scan` says: a line for each file of which something would be withheld, and a summary. */
#include "cli/cli.h"
#include "cli/scan.h"
#include <inttypes.h>

#define SHOWN 3 /* withheld units that a line names */

bool scan_withholds(const struct scan_file *f)
{
    return f->verdict == TRIAL_WITHHELD || f->verdict == TRIAL_REPLACED || f->verdict == TRIAL_REPORTED || f->verdict == TRIAL_NOT_FOUND || f->verdict == TRIAL_UNDELIVERABLE;
}

static const char *rule_name(const struct scan *s, rule_id rule)
{
    return rule == RULE_NONE ? "structure" : rules_name(s->insight.config->settings.rules, rule);
}

/* ---- for machines ----------------------------------------------------------------------------------------------- */

static void print_json(const struct scan *s, const struct scan_file *f)
{
    json_t *rules = json_object(), *line;
    const char *reason = f->failed ? f->why : f->reason[0] ? f->reason : NULL;
    for (size_t i = 0; i < f->rule_count; i++)
        json_object_set_new(rules, rule_name(s, f->rules[i].rule), json_integer(f->rules[i].count));
    line = json_pack("{s:o,s:s*,s:o*,s:s*,s:I,s:{s:I,s:I,s:I},s:o,s:O*}", "file", cli_json_text(f->path), "verdict",
        f->failed ? "failed" : trial_verdict_name(f->verdict), "reason", reason != NULL ? cli_json_text(reason) : NULL,
        "document", f->document, "bytes", (json_int_t)f->bytes, "units", "seen", (json_int_t)f->seen, "protected",
        (json_int_t)f->protected_, "withheld", (json_int_t)f->withheld, "rules", rules, "withheld", f->places);
    if (line == NULL) return;
    json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(line);
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

void scan_print_name(FILE *out, const char *name)
{
    for (span rest = span_str(name); rest.len > 0;) {
        size_t n = utf8_length(rest);
        bool control = n == 2 ? rest.ptr[0] == 0xC2 && rest.ptr[1] < 0xA0 : rest.ptr[0] < 0x20 || rest.ptr[0] == 0x7F;
        if (n == 0 || control) fputc('?', out);
        else fwrite(rest.ptr, 1, n, out);
        rest = span_from(rest, n > 0 ? n : 1);
    }
}

static void print_rules(const struct scan *s, const struct scan_file *f)
{
    for (size_t i = 0; i < f->rule_count; i++)
        printf("%s%s × %" PRIu32, i > 0 ? ", " : "     found: ", rule_name(s, f->rules[i].rule), f->rules[i].count);
    if (f->rule_count > 0) putchar('\n');
}

static void print_places(const struct scan_file *f)
{
    size_t all = json_array_size(f->places);
    for (size_t i = 0; i < all && i < SHOWN; i++)
        printf("%s%s", i > 0 ? ", " : "     where: ", json_string_value(json_object_get(json_array_get(f->places, i), "path")));
    if (f->withheld > SHOWN && all > SHOWN) printf(", and %" PRIu64 " more", f->withheld - SHOWN);
    if (all > 0) putchar('\n');
}

/* The row's name, which metrics and the ledger have, and what it means. */
static void print_unreadable(const struct scan_file *f)
{
    bool format = strcmp(f->reason, gate_failure_name(GATE_FORMAT)) == 0;
    printf("%s", trial_verdict_words(f->verdict));
    if (f->reason[0]) printf(": %s (%s)", f->reason, format ? "neither its name nor --type says JSON or NDJSON: --type application/json, if it is" : f->condition);
}

static void print_verdict(const struct scan_file *f)
{
    if (f->failed) scan_print_name(stdout, f->why == NULL ? "no memory" : f->why);
    else if (f->verdict == TRIAL_WITHHELD) printf("%" PRIu64 " of %" PRIu64 " records withheld", f->withheld, f->seen);
    else print_unreadable(f);
}

void scan_print_file(struct scan *s, const struct scan_file *f)
{
    if (s->json) {
        print_json(s, f);
        return;
    }
    if (!f->failed && !scan_withholds(f) && f->verdict != TRIAL_UNINSPECTED) return;
    bool colour = cli_colour(stdout);
    if (colour) fputs(f->failed || f->verdict == TRIAL_UNDELIVERABLE ? "\033[33m" : "\033[1m", stdout);
    scan_print_name(stdout, f->path);
    if (colour) fputs("\033[0m", stdout);
    fputs("\n     ", stdout);
    print_verdict(f);
    putchar('\n');
    print_rules(s, f);
    print_places(f);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

struct sums {
    uint64_t files[TRIAL_UNINSPECTED + 1], failed, bytes, seen, withheld;
};

static struct sums add_up(const struct scan *s)
{
    struct sums sum = {0};
    for (size_t i = 0; i < s->count; i++) {
        const struct scan_file *f = &s->files[i];
        sum.bytes += f->bytes;
        sum.seen += f->seen;
        sum.withheld += f->verdict == TRIAL_WITHHELD ? f->withheld : 0;
        if (f->failed) sum.failed++;
        else sum.files[f->verdict]++;
    }
    return sum;
}

static void print_sum(uint64_t n, const char *words)
{
    if (n > 0) printf("%9" PRIu64 "  %s\n", n, words);
}

static void print_rule_sums(const struct scan *s)
{
    const struct rules_set *rules = s->insight.config->settings.rules;
    bool any = false;
    for (size_t r = 0; r <= rules_count(rules); r++) {
        rule_id rule = r == rules_count(rules) ? RULE_NONE : (rule_id)r;
        uint64_t n = 0;
        for (size_t i = 0; i < s->count; i++)
            for (size_t k = 0; k < s->files[i].rule_count; k++)
                if (s->files[i].rules[k].rule == rule) n += s->files[i].rules[k].count;
        if (n == 0) continue;
        if (!any) puts("\nfound by");
        any = true;
        printf("%9" PRIu64 "  %-20s %s\n", n, rule_name(s, rule), rule == RULE_NONE ? "what readers would disagree on" : rules_title(rules, rule));
    }
}

void scan_print_summary(struct scan *s, double seconds)
{
    struct sums sum = add_up(s);
    const char *kind = s->class == RECIPIENT_ENTITLED ? "entitled" : "restricted";
    if (s->json) return;
    printf("\n%zu files, %.1f MB, %" PRIu64 " records, for %s (%s)", s->count, (double)sum.bytes / 1e6, sum.seen, s->recipient, kind);
    if (s->route != NULL) printf(" at %s", s->route);
    printf(", in %.1f s\n", seconds);
    print_sum(sum.files[TRIAL_UNCHANGED], "delivered as they are");
    print_sum(sum.files[TRIAL_CHANGED], "delivered without what everybody loses");
    print_sum(sum.files[TRIAL_WITHHELD], "delivered without protected records");
    print_sum(sum.withheld, "  records withheld in them");
    print_sum(sum.files[TRIAL_REPLACED], "delivered with something else in the place of what was found");
    print_sum(sum.files[TRIAL_REPORTED], "delivered with what was found, which is only reported");
    print_sum(sum.files[TRIAL_NOT_FOUND], "withheld whole");
    print_sum(sum.files[TRIAL_UNDELIVERABLE], "not delivered, for they cannot be read");
    print_sum(sum.files[TRIAL_UNINSPECTED], "delivered unread");
    print_sum(sum.failed, "failed: the scan is not complete");
    print_sum(s->left_out, "places that were not read: the scan is not complete");
    print_rule_sums(s);
}
