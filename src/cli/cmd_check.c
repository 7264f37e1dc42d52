#include "cli/cli.h"
#include "config/config.h"

int cli_check(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false;
    const struct cli_option options[] = {{"-c", NULL, &path}, {"--config", NULL, &path}, {"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (path == NULL || argc > 1) return cli_usage("check", "give the configuration: check -c gate.json");
    struct problems *p = problems_new();
    if (p == NULL) return 2;
    struct config *c = config_load(path, p);
    if (c != NULL) config_try(c);
    cli_print_problems(p, json);
    size_t errors = problems_errors(p), warnings = problems_warnings(p);
    if (!json) printf("%s: %zu errors, %zu warnings\n", errors > 0 ? "not good" : "good", errors, warnings);
    config_free(c);
    problems_free(p);
    return errors > 0 ? 1 : 0;
}
