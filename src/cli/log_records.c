/* log schedule, log destroy: how long records are kept, and their end. */
#include "cli/log.h"
#include "os/os.h"
#include <errno.h>

struct destroying {
    struct log_options log;
    const char *epoch, *reason, *approval, *out;
    struct ledger_records_place place;
    struct ledger_schedule schedule;
    const char *approvers[LOG_APPROVERS];
};

static void take_place(struct destroying *d)
{
    const struct log_schedule *s = &d->log.schedule;
    d->place = (struct ledger_records_place){
        .ledger = {.directory = d->log.directory, .key_path = d->log.key, .origin = d->log.origin},
        .standby = d->log.standby_path[0] ? d->log.standby_path : NULL};
    d->schedule = (struct ledger_schedule){.id = s->id[0] ? s->id : NULL, .retain_days = s->retain_days, .hold = s->hold[0] ? s->hold : NULL,
        .approvers = d->approvers, .approver_count = s->approver_count};
    for (size_t i = 0; i < s->approver_count; i++) d->approvers[i] = s->approvers[i];
}

static bool take_options(struct destroying *d, int *argc, char **argv)
{
    const struct cli_option options[] = {{"-c", NULL, &d->log.config}, {"--epoch", NULL, &d->epoch}, {"--reason", NULL, &d->reason},
        {"--approval", NULL, &d->approval}, {"-o", NULL, &d->out}, {"--output", NULL, &d->out}};
    d->log.command = "log";
    if (!cli_verb_options("log", argc, argv, options, ARRAY_LEN(options))) return false;
    if (*argc > 1) return (void)cli_usage("log", "%s is one too many", argv[1]), false;
    if (!d->log.config) return (void)cli_usage("log", "%s needs -c gate.json", argv[0]), false;
    if (!log_find(&d->log)) return false;
    take_place(d);
    return true;
}

/* Whether the ledger's own word on its keys and the keys agree: who finds them lost or replaced must not go on with new ones. An
 * earlier destruction that was cut off before the keys were gone is `recorded`. */
static int in_order(struct destroying *d, bool *recorded)
{
    result r = log_learn(&d->log);
    if (!is_ok(r)) return log_fail(&d->log, d->log.directory, ledger_error_text(r));
    const struct ledger_records_summary *s = ledger_records_summary(d->log.records);
    enum ledger_epochs_state state = ledger_records_compare(d->log.records, d->log.directory);
    *recorded = state == LEDGER_EPOCHS_BEHIND;
    if (s->problem[0] == 0 && (state == LEDGER_EPOCHS_AGREE || *recorded)) return 0;
    log_fail(&d->log, d->log.directory, s->problem[0] != 0 ? s->problem : ledger_epochs_state_text(state));
    return 1;
}

/* ---- schedule ----------------------------------------------------------------------------------------------------- */

static bool is_line(const char *text)
{
    while ((uint8_t)*text >= ' ' && *text != 0x7f) text++;
    return *text == 0;
}

/* What is put in force stays in the ledger for good: each a line, and two people who can be told apart. */
static bool in_form(const struct destroying *d)
{
    struct ledger_verifier first = {0}, v;
    bool two = false;
    for (size_t i = 0; i < d->schedule.approver_count; i++) {
        if (!is_ok(ledger_verifier_parse(span_str(d->schedule.approvers[i]), &v))) return false;
        two = two || (i > 0 && memcmp(first.key, v.key, sizeof v.key) != 0);
        if (i == 0) first = v;
    }
    return two && is_line(d->schedule.id);
}

int log_schedule(int argc, char **argv)
{
    static struct destroying d;
    struct ledger_epochs e;
    char first[LEDGER_MONTH_TEXT], from[LEDGER_MONTH_TEXT];
    if (!take_options(&d, &argc, argv)) return 2;
    if (!d.schedule.id) return log_fail(&d.log, d.log.config, "has no ledger.schedule that could be put in force");
    if (!in_form(&d)) return log_fail(&d.log, d.log.config, "/ledger/schedule is not as it should be; gate1367 check says what is not"), 1;
    bool recorded;
    int status = in_order(&d, &recorded);
    log_release(&d.log);
    if (status != 0) return status;
    result r = ledger_schedule_begin(&d.place, &d.schedule, &e);
    if (!is_ok(r)) return log_fail(&d.log, d.log.directory, ledger_error_text(r));
    ledger_month_text(e.first, first);
    ledger_month_text(e.month, from);
    mem_wipe(&e, sizeof e);
    printf("schedule %s is in force: months have keys of their own from %s on; kept are those from %s on\n", d.schedule.id, first, from);
    return 0;
}

/* ---- destroy ------------------------------------------------------------------------------------------------------ */

static int refused(const struct destroying *d, result r, const struct ledger_refusal *why)
{
    if (r.code == EINVAL) return log_fail(&d->log, d->reason, "not one line of text");
    if (r.code != LEDGER_E_SCHEDULE) return log_fail(&d->log, d->log.directory, ledger_error_text(r));
    log_fail(&d->log, d->approval ? d->approval : d->epoch, why->text);
    return 1;
}

static int state(const struct destroying *d)
{
    struct buf text;
    struct ledger_refusal why;
    uint32_t month;
    if (!ledger_month_parse(span_str(d->epoch), &month)) return cli_usage("log", "--epoch takes a month like 2026-10, not \"%s\"", d->epoch);
    buf_init(&text, LEDGER_NOTE_MAX);
    result r = ledger_destruction_statement(&d->place, &d->schedule, month, span_str(d->reason), &text, &why);
    result put = is_ok(r) && d->out ? os_write_atomic(d->out, buf_span(&text), 0644) : OK;
    if (is_ok(r) && !d->out) printf("%.*s", SPAN_FMT(buf_span(&text)));
    buf_free(&text);
    if (!is_ok(put)) return log_fail(&d->log, d->out, os_error_text(put));
    return is_ok(r) ? 0 : refused(d, r, &why);
}

static int destroy(struct destroying *d, span approval)
{
    struct ledger_refusal why;
    bool recorded = false;
    int status = in_order(d, &recorded);
    if (status != 0) return status;
    const char *in_force = ledger_records_summary(d->log.records)->schedule;
    if (d->schedule.id && strcmp(in_force, d->schedule.id) != 0)
        return log_fail(&d->log, d->log.config, "names another schedule than the one in force; gate1367 log schedule puts it in force"), 1;
    /* gate.json may name other people, or another time, than what is in force: whoever verifies goes by that. */
    bool holds = recorded || !d->schedule.id || ledger_records_would_hold(d->log.records, approval, os_realtime_us());
    if (!holds)
        return log_fail(&d->log, d->approval, "not signed by two of those whom the schedule in force names, not its oldest months, or too early; "
                                              "where gate.json has changed since, gate1367 log schedule puts it in force"), 1;
    result r = ledger_destroy(&d->place, &d->schedule, approval, recorded, &why);
    if (!is_ok(r)) return refused(d, r, &why);
    printf("destroyed; destroy the copies of epochs.json too, and give the next backup of the ledger its new one\n");
    return 0;
}

int log_destroy(int argc, char **argv)
{
    static struct destroying d;
    if (!take_options(&d, &argc, argv)) return 2;
    bool states = d.epoch && d.reason && !d.approval, acts = d.approval && !d.epoch && !d.reason;
    if (!states && !acts) return cli_usage("log", "destroy needs --epoch MONTH and --reason TEXT, and then --approval FILE");
    if (states) return state(&d);
    struct buf approval;
    result r = os_read_file(d.approval, LEDGER_NOTE_MAX, &approval);
    if (!is_ok(r)) return log_fail(&d.log, d.approval, os_error_text(r));
    int status = destroy(&d, buf_span(&approval));
    buf_free(&approval);
    log_release(&d.log);
    return status;
}

/* ---- what a verifier says ----------------------------------------------------------------------------------------- */

const char *log_records_problem(const struct log_options *o, int *status)
{
    const struct ledger_records_summary *s = ledger_records_summary(o->records);
    /* The keys of months are no part of what is published. */
    bool copy = ledger_is_copy(o->directory);
    enum ledger_epochs_state state = copy ? LEDGER_EPOCHS_AGREE : ledger_records_compare(o->records, o->directory);
    *status = s->problem[0] == 0 && state == LEDGER_EPOCHS_UNREADABLE ? LEDGER_CANNOT_TELL : LEDGER_IS_TAMPERED;
    if (s->problem[0] != 0) return s->problem;
    if (state != LEDGER_EPOCHS_AGREE) return ledger_epochs_state_text(state);
    *status = LEDGER_IS_SOUND;
    return NULL;
}

static void print_destroyed(const char *from, const char *to, const struct ledger_destroyed *d)
{
    printf("keys of %s to %s: destroyed under schedule ", from, to);
    log_print_safe(span_str(d->schedule)); /* whoever wrote the ledger may have written anything */
    printf(", entry %llu\n", (unsigned long long)d->index);
}

void log_print_destroyed(const struct log_options *o)
{
    const struct ledger_records_summary *s = o->records ? ledger_records_summary(o->records) : NULL;
    if (o->json) printf(",\"destroyed\":[");
    for (size_t i = 0; s && i < s->destroyed_count; i++) {
        const struct ledger_destroyed *d = &s->destroyed[i];
        char from[LEDGER_MONTH_TEXT], to[LEDGER_MONTH_TEXT];
        ledger_month_text(d->from, from);
        ledger_month_text(d->to, to);
        if (o->json) printf("%s{\"from\":\"%s\",\"to\":\"%s\",\"entry\":%llu}", i ? "," : "", from, to, (unsigned long long)d->index);
        else print_destroyed(from, to, d);
    }
    if (o->json) printf("]");
}
