/* registry list --suspected, registry clear, registry accept: who is known by a marker alone, and a named person's word that ends it, or
 * that what is missing of the registry is lost. They go through the running gateway, which keeps the journal and the ledger. */
#include "admin/admin.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "config/config.h"
#include <errno.h>

#define ANSWER_MAX (16u << 20)

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "gate1367 registry: %s: %s\n", what, why);
    return 2;
}

/* The gateway's answer as JSON; NULL after a report. */
static json_t *ask(const char *config_path, json_t *request, int *status)
{
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : config_load(config_path, p);
    char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    struct buf answer;
    json_t *v = NULL;
    buf_init(&answer, ANSWER_MAX);
    *status = 1;
    if (c == NULL && p != NULL) cli_print_problems(p, false);
    else if (c == NULL || line == NULL) *status = fail("asking", "no memory");
    else {
        result r = admin_ask(c->admin_socket, ADMIN_ASK_SECONDS, span_str(line), span_of(NULL, 0), &answer);
        bool nobody = r.class == ERROR_IO && (r.code == ENOENT || r.code == ECONNREFUSED);
        if (!is_ok(r)) *status = fail(c->admin_socket, nobody ? "no gateway runs there; start it, it keeps the journal" : admin_ask_words(r));
        else v = json_loadb((const char *)answer.base + answer.read, buf_len(&answer), 0, NULL);
        if (is_ok(r) && v == NULL) *status = fail(c->admin_socket, "the gateway broke off; whether it did what was asked is in its ledger");
    }
    buf_free(&answer);
    mem_hook_free(line);
    config_free(c);
    problems_free(p);
    return v;
}

static int show_problems(const json_t *answer)
{
    const json_t *problem;
    size_t i;
    const char *status = json_string_value(json_object_get(answer, "status"));
    json_array_foreach(json_object_get(answer, "problems"), i, problem)
    {
        fprintf(stderr, "gate1367 registry: %s\n", json_string_value(problem));
    }
    return status != NULL && strcmp(status, "ok") == 0 ? 0 : 1;
}

static void show_one(const json_t *one, bool json)
{
    if (json) {
        char *line = json_dumps(one, JSON_COMPACT);
        if (line != NULL) puts(line);
        mem_hook_free(line);
        return;
    }
    printf("%s  %s  %s  %lld\n", json_string_value(json_object_get(one, "subject")),
        json_string_value(json_object_get(one, "since")), json_string_value(json_object_get(one, "request")),
        json_integer_value(json_object_get(one, "identifiers")));
}

/* NULL: *status is what to return. Else what was wrong with it is told. */
static json_t *ask_once(const char *path, json_t *request, int *status)
{
    json_t *answer = ask(path, request, status);
    json_decref(request);
    if (answer != NULL) *status = show_problems(answer);
    return answer;
}

int registry_list(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false, suspected = false;
    const struct cli_option options[] = {
        {"-c", NULL, &path}, {"--config", NULL, &path}, {"--suspected", &suspected, NULL}, {"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (path == NULL || argc != 1 || !suspected) {
        return cli_usage("registry", "list shows who is suspected, for nobody else can be named: list --suspected -c gate.json");
    }
    int status;
    json_t *answer = ask_once(path, json_pack("{s:s}", "command", "suspected"), &status);
    if (answer == NULL) return status;
    const json_t *list = json_object_get(answer, "suspected");
    if (status == 0 && !json && json_array_size(list) > 0) {
        puts("subject           since                        request                               identifiers");
    }
    for (size_t i = 0; i < json_array_size(list); i++) show_one(json_array_get(list, i), json);
    if (status == 0 && !json) printf("%zu suspected\n", json_array_size(list));
    json_decref(answer);
    return status;
}

/* Who answers for what, and why. */
struct word {
    const char *path, *by, *reason;
    bool json;
};

static bool read_word(int *argc, char **argv, struct word *w)
{
    const struct cli_option options[] = {{"-c", NULL, &w->path}, {"--config", NULL, &w->path}, {"--by", NULL, &w->by},
        {"--reason", NULL, &w->reason}, {"--json", &w->json, NULL}};
    return cli_options(argc, argv, options, ARRAY_LEN(options));
}

static bool is_given(const struct word *w)
{
    return w->path != NULL && w->by != NULL && w->by[0] != '\0' && w->reason != NULL && w->reason[0] != '\0';
}

static bool is_utf8(const struct word *w) { return utf8_valid(span_str(w->by)) && utf8_valid(span_str(w->reason)); }

int registry_clear(int argc, char **argv)
{
    struct word w = {0};
    int status;
    if (!read_word(&argc, argv, &w)) return 2;
    if (argc != 2 || !is_given(&w)) {
        return cli_usage("registry", "clear needs -c gate.json SUBJECT --by NAME --reason REASON: who answers for it, and why");
    }
    if (!utf8_valid(span_str(argv[1])) || !is_utf8(&w)) {
        return cli_usage("registry", "the ledger is UTF-8; SUBJECT, NAME and REASON must be, too");
    }
    json_t *request = json_pack("{s:s,s:s,s:s,s:s}", "command", "clear", "subject", argv[1], "by", w.by, "reason", w.reason);
    json_t *answer = ask_once(w.path, request, &status);
    if (answer == NULL) return status;
    if (status == 0) puts(w.json ? "{\"status\":\"ok\",\"cleared\":1}" : "cleared; it is not suspected again");
    json_decref(answer);
    return status;
}

int registry_accept(int argc, char **argv)
{
    struct word w = {0};
    int status;
    if (!read_word(&argc, argv, &w)) return 2;
    if (argc != 1 || !is_given(&w)) {
        return cli_usage("registry", "accept needs -c gate.json --by NAME --reason REASON: who answers for it, and why");
    }
    if (!is_utf8(&w)) return cli_usage("registry", "the ledger is UTF-8; NAME and REASON must be, too");
    json_t *answer = ask_once(w.path, json_pack("{s:s,s:s,s:s}", "command", "accept", "by", w.by, "reason", w.reason), &status);
    if (answer == NULL) return status;
    long long there = json_integer_value(json_object_get(answer, "accepted"));
    if (status == 0 && w.json) printf("{\"status\":\"ok\",\"accepted\":%lld}\n", there);
    else if (status == 0) printf("accepted: live changes count up to record %lld; what came after it is forgotten\n", there);
    json_decref(answer);
    return status;
}
