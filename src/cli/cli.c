#include "cli/cli.h"
#include "os/os.h"
#include <stdlib.h>
#include <unistd.h>

struct command {
    const char *name, *synopsis, *text;
    int (*run)(int argc, char **argv);
};

static const struct command COMMANDS[] = {
#define X(name, function, synopsis, text) {name, synopsis, text, function},
    CLI_COMMANDS(X)
#undef X
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) return &COMMANDS[i];
    }
    return NULL;
}

static void print_overview(FILE *to)
{
    fputs("gate1367 keeps people protected by 8 U.S.C. 1367 out of what record APIs answer.\n\n"
          "usage: gate1367 COMMAND [options]\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) fprintf(to, "  %-9s %s\n", COMMANDS[i].name, COMMANDS[i].text);
    fputs("\n  gate1367 help COMMAND    one command's options\n  gate1367 --version       the version\n", to);
}

static bool is_listed(const char *word, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) return true;
    }
    return false;
}

static int unknown_command(const char *name)
{
    static const char *const LATER[] = {"grant", NULL};
    if (is_listed(name, LATER)) {
        fprintf(stderr, "gate1367: %s is not built yet\n", name);
        return 2;
    }
    const char *names[ARRAY_LEN(COMMANDS) + 1] = {0};
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) names[i] = COMMANDS[i].name;
    const char *near = source_did_you_mean(name, names);
    fprintf(stderr, "gate1367: there is no command \"%s\"; ", name);
    if (near != NULL) fprintf(stderr, "did you mean \"%s\"?\n", near);
    else fputs("gate1367 help lists them\n", stderr);
    return 2;
}

int cli_help(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stdout);
        return 0;
    }
    if (find_command(argv[1]) == NULL) return unknown_command(argv[1]);
    cli_print_help(argv[1], stdout);
    return 0;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    }
    return false;
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("gate1367 %s\n", GATE1367_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return cli_help(1, argv);
    const struct command *c = find_command(argv[1]);
    if (c == NULL) return unknown_command(argv[1]);
    if (wants_help(argc - 1, argv + 1)) {
        cli_print_help(c->name, stdout);
        return 0;
    }
    int status = c->run(argc - 1, argv + 1);
    bool told = fflush(stdout) == 0 && !ferror(stdout); /* what filled a buffer before was lost without a word */
    if (!told && status == 0) status = 2; /* a full disk behind a pipe is no success */
    return status;
}

int cli_usage(const char *command, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "gate1367 %s: ", command);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\nsee gate1367 help %s\n", command);
    va_end(args);
    return 2;
}

static void list_verbs(const char *command, const char *const *verbs)
{
    fprintf(stderr, "gate1367 %s: give one of ", command);
    for (size_t i = 0; verbs[i] != NULL; i++) fprintf(stderr, "%s%s", i > 0 ? ", " : "", verbs[i]);
    fprintf(stderr, "\nsee gate1367 help %s\n", command);
}

int cli_unknown_verb(const char *command, const char *verb, const char *const *verbs, const char *const *later)
{
    const char *near = verb == NULL ? NULL : source_did_you_mean(verb, verbs);
    if (verb != NULL && is_listed(verb, later)) return cli_usage(command, "%s is not built yet", verb);
    if (near != NULL) return cli_usage(command, "there is no \"%s\"; did you mean \"%s\"?", verb, near);
    list_verbs(command, verbs);
    return 2;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static const struct cli_option *find_option(const char *arg, const struct cli_option *options, size_t count, const char **inline_value)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals == NULL || arg[1] != '-' ? strlen(arg) : (size_t)(equals - arg);
    *inline_value = len < strlen(arg) ? equals + 1 : NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, arg, len) == 0) return &options[i];
    }
    return NULL;
}

static void report_unknown(const char *command, const char *arg, const struct cli_option *options, size_t count)
{
    const char *names[32] = {0};
    for (size_t i = 0; i < count && i < 31; i++) names[i] = options[i].name;
    const char *near = source_did_you_mean(arg, names);
    if (near != NULL) (void)cli_usage(command, "there is no option %s; did you mean %s?", arg, near);
    else (void)cli_usage(command, "there is no option %s", arg);
}

bool cli_options(int *argc, char **argv, const struct cli_option *options, size_t count)
{
    return cli_verb_options(argv[0], argc, argv, options, count);
}

bool cli_verb_options(const char *command, int *argc, char **argv, const struct cli_option *options, size_t count)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const char *arg = argv[i], *value;
        if (strcmp(arg, "--") == 0) {
            while (++i < *argc) argv[kept++] = argv[i];
            break;
        }
        if (arg[0] != '-' || arg[1] == '\0') {
            argv[kept++] = argv[i];
            continue;
        }
        const struct cli_option *o = find_option(arg, options, count, &value);
        if (o == NULL) {
            report_unknown(command, arg, options, count);
            return false;
        }
        if (o->flag != NULL && value != NULL) { /* --json=no would be taken for --json */
            (void)cli_usage(command, "%s takes no value", o->name);
            return false;
        }
        if (o->flag != NULL) {
            *o->flag = true;
            continue;
        }
        if (value == NULL && i + 1 < *argc) value = argv[++i];
        if (value == NULL) {
            (void)cli_usage(command, "%s needs a value", arg);
            return false;
        }
        *o->value = value;
    }
    *argc = kept;
    return true;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

bool cli_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    return isatty(fileno(f)) && (no == NULL || no[0] == '\0');
}

json_t *cli_json_text(const char *s)
{
    struct buf text;
    if (utf8_valid(span_str(s))) return json_string(s);
    buf_init(&text, 4 * strlen(s) + 1);
    result r = OK;
    for (; *s != '\0' && is_ok(r); s++) r = buf_printf(&text, (uint8_t)*s < 0x80 ? "%c" : "\\x%02X", (uint8_t)*s);
    json_t *v = is_ok(r) ? json_stringn((const char *)buf_span(&text).ptr, buf_len(&text)) : NULL;
    buf_free(&text);
    return v;
}

#define PROGRESS_AFTER_NS 2000000000ull
#define PROGRESS_EVERY_NS 200000000ull

void cli_progress_show(struct cli_progress *p, const char *what, uint64_t done, uint64_t all)
{
    uint64_t now = os_monotonic_ns();
    if (p->started_ns == 0) p->started_ns = now;
    if (!isatty(2) || now - p->started_ns < PROGRESS_AFTER_NS || now - p->shown_ns < PROGRESS_EVERY_NS) return;
    p->shown_ns = now;
    p->visible = true;
    if (all > 0) fprintf(stderr, "\r%s: %3.0f %%\033[K", what, 100.0 * (double)done / (double)all);
    else fprintf(stderr, "\r%s: %llu\033[K", what, (unsigned long long)done);
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->visible) fputs("\r\033[K", stderr);
    p->visible = false;
}

void cli_print_problems_of_people(const struct problems *p, bool json)
{
    if (json) problems_print_json(p, stdout);
    else problems_print(p, stderr, false, cli_colour(stderr));
}

void cli_print_problems(const struct problems *p, bool json)
{
    if (json) problems_print_json(p, stdout);
    else problems_print(p, stderr, true, cli_colour(stderr));
}
