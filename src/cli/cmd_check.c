#include "admin/admin.h"
#include "cli/cli.h"
#include "config/config.h"

#define ANSWER_MAX ((size_t)1 << 20)

#define PATIENCE 5 /* seconds: what runs tells this from memory */

static void compare(const struct config *c, span answer)
{
    json_t *v = json_loadb((const char *)answer.ptr, answer.len, 0, NULL);
    for (enum config_fixed i = 0; i < CONFIG_FIXED_COUNT; i++) {
        const char *running = json_string_value(json_object_get(json_object_get(v, "fixed"), config_fixed_name(i)));
        if (running != NULL) config_warn_of_restart(c, i, running);
    }
    json_decref(v);
}

/* Where a gateway runs on this configuration's socket: what a reload would not take. Nobody there, or nobody for us, has no say. */
static void check_running(const struct config *c)
{
    struct buf answer;
    buf_init(&answer, ANSWER_MAX);
    result r = admin_ask(c->admin_socket, PATIENCE, SPAN("{\"command\":\"fixed\"}"), span_of(NULL, 0), &answer);
    if (is_ok(r)) compare(c, buf_span(&answer));
    else if (r.class == ERROR_IO && r.code == OS_TIMEOUT) config_warn_of_silence(c, PATIENCE);
    buf_free(&answer);
}

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
    if (c != NULL) config_try_mark(c);
    if (c != NULL) check_running(c);
    cli_print_problems(p, json);
    size_t errors = problems_errors(p), warnings = problems_warnings(p);
    if (!json) printf("%s: %zu errors, %zu warnings\n", errors > 0 ? "not good" : "good", errors, warnings);
    config_free(c);
    problems_free(p);
    return errors > 0 ? 1 : 0;
}
