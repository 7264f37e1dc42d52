#include "cli/cli.h"
#include "ledger/ledger.h"
#include "supervisor/supervisor.h"

static void print_ready(void *ctx, const char *const *urls, size_t count, const char *admin)
{
    (void)ctx;
    fputs("ready:", stderr);
    for (size_t i = 0; i < count; i++) fprintf(stderr, " %s", urls[i]);
    fprintf(stderr, " admin %s\n", admin);
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

int cli_serve(int argc, char **argv)
{
    const char *path = NULL;
    const struct cli_option options[] = {{"-c", NULL, &path}, {"--config", NULL, &path}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (path == NULL || argc > 1) return cli_usage("serve", "give the configuration: serve -c gate.json");
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : config_load(path, p);
    if (c != NULL && !ledger_is_there(c)) {
        config_free(c);
        problems_free(p);
        return 2;
    }
    if (c != NULL) config_try(c);
    bool good = c != NULL && problems_errors(p) == 0;
    if (p != NULL) cli_print_problems(p, false);
    if (!good) {
        config_free(c);
        problems_free(p);
        return 1;
    }
    struct supervisor_arguments a = {.config_path = path, .config = c, .ready = print_ready};
    int status = supervisor_run(&a);
    problems_free(p);
    return status;
}
