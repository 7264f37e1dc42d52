#include "cli/cli.h"
#include "cli/mirror.h"
#include "ledger/ledger.h"
#include "supervisor/supervisor.h"

static void print_ready(void *ctx, const char *const *urls, size_t count, const char *admin)
{
    char line[8192];
    size_t len = 0;
    (void)ctx;
    for (size_t i = 0; i < count && len < sizeof line; i++) len += (size_t)snprintf(line + len, sizeof line - len, " %s", urls[i]);
    fprintf(stderr, "ready:%.*s admin %s\n", (int)(len < sizeof line ? len : sizeof line - 1), line, admin); /* at once: others write too */
    fflush(stderr);
}

/* Without a ledger there is nothing to serve on: that is the environment's lack, not the configuration's fault. */
static bool ledger_is_there(const struct config *c)
{
    struct ledger_verifier v;
    if (is_ok(ledger_verifier_read(c->ledger.directory, &v))) return true;
    fprintf(stderr, "gate1367 serve: there is no ledger in %s; make it with: gate1367 log init -c gate.json\n", c->ledger.directory);
    return false;
}

static void print_report(void *ctx, const struct mirror_source *source)
{
    cli_mirror_report(source, *(const bool *)ctx);
}

struct serving {
    const char *path;
    bool mirror, json;
};

/* NULL: *status says why. A capture needs no ledger: nobody gets anything, and nothing runs. */
static struct config *load(const struct serving *s, bool with_ledger, struct problems *p, int *status)
{
    struct config *c = config_load(s->path, p);
    *status = 1;
    if (c != NULL && with_ledger && !ledger_is_there(c)) {
        config_free(c);
        *status = 2;
        return NULL;
    }
    if (c != NULL && with_ledger) config_try(c);
    cli_print_problems(p, false);
    if (c != NULL && problems_errors(p) == 0) return c;
    config_free(c);
    return NULL;
}

static int serve(struct serving *s, char **files, size_t count)
{
    int status = 2;
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : load(s, count == 0, p, &status);
    if (c != NULL && count > 0) {
        status = cli_mirror_files(c, files, count, s->json);
        config_free(c);
    } else if (c != NULL) {
        struct supervisor_arguments a = {.config_path = s->path, .config = c, .ready = print_ready, .mirror = s->mirror,
            .report = print_report, .ctx = &s->json};
        status = supervisor_run(&a);
    }
    problems_free(p);
    return status;
}

int cli_serve(int argc, char **argv)
{
    struct serving s = {0};
    const struct cli_option options[] = {{"-c", NULL, &s.path}, {"--config", NULL, &s.path}, {"--mirror", &s.mirror, NULL},
        {"--json", &s.json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (s.path == NULL) return cli_usage("serve", "give the configuration: serve -c gate.json");
    if (argc > 1 && !s.mirror) return cli_usage("serve", "files are captures for the mirror: serve --mirror -c gate.json FILE…");
    if (s.json && !s.mirror) return cli_usage("serve", "--json is the mirror's report: serve --mirror --json -c gate.json");
    return serve(&s, argv + 1, (size_t)(argc - 1));
}
