#include "cli/insight.h"

#include "cli/cli.h"
#include "os/os.h"
#include "registry/registry.h"

static bool open_registry(struct insight *in)
{
    if (is_ok(config_registry_open(in->config, &in->now))) return true;
    fprintf(stderr, "gate1367 %s: %s: %s\n", in->command, in->now.path, in->now.why);
    return false;
}

static void warn_stale(const struct insight *in)
{
    struct registry_info info;
    registry_info(in->now.registry, &info);
    if (registry_is_stale(info.built, in->config->settings.registry_max_age_us, os_realtime_us()))
        fprintf(stderr, "gate1367 %s: the registry is past \"max_age\": the gateway refuses restricted recipients until it is rebuilt\n",
            in->command);
}

bool insight_open(struct insight *in, const char *command, const char *path, int *status)
{
    *in = (struct insight){.command = command, .problems = problems_new()};
    *status = 2;
    if (in->problems == NULL) return false;
    in->config = config_load(path, in->problems);
    if (in->config == NULL) {
        cli_print_problems(in->problems, false);
        *status = 1;
        return false;
    }
    if (!open_registry(in)) return false;
    warn_stale(in);
    return true;
}

void insight_close(struct insight *in)
{
    config_registry_close(&in->now);
    config_free(in->config);
    problems_free(in->problems);
}

static void unknown_recipient(const struct insight *in, const char *id)
{
    const struct recipient_table *t = in->config->settings.recipients;
    const char *names[64] = {"anonymous", "restricted", "entitled"}, *name;
    for (size_t i = 0; i < ARRAY_LEN(names) - 4 && (name = recipient_id_at(t, i)) != NULL; i++) names[i + 3] = name;
    const char *near = source_did_you_mean(id, names);
    if (near != NULL && strcmp(near, id) == 0)
        (void)cli_usage(in->command, "\"%s\" is a trusted proxy, which is nobody itself; name whom it hands on", id);
    else if (near != NULL) (void)cli_usage(in->command, "no recipient is called \"%s\"; did you mean \"%s\"?", id, near);
    else (void)cli_usage(in->command, "no recipient is called \"%s\"; name an id of recipients.json, or anonymous", id);
}

bool insight_class(const struct insight *in, const char *id, bool public_route, enum recipient_class *out)
{
    struct recipient_identity who;
    bool known = recipient_named(in->config->settings.recipients, span_str(id), &who);
    bool entitled = known ? who.could_be_entitled : strcmp(id, "entitled") == 0;
    *out = entitled && !public_route ? RECIPIENT_ENTITLED : RECIPIENT_RESTRICTED;
    if (known || entitled || strcmp(id, "restricted") == 0) return true;
    unknown_recipient(in, id);
    return false;
}
