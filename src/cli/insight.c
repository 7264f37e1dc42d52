#include "cli/insight.h"

#include "cli/cli.h"
#include "os/os.h"
#include "registry/registry.h"

#define JOURNAL_MAX ((size_t)1 << 32)
#define OVERLAY_BYTES (64u << 20)

static bool fail(const struct insight *in, const char *what, const char *why)
{
    fprintf(stderr, "gate1367 %s: %s: %s\n", in->command, what, why);
    return false;
}

/* What `registry apply` has changed since the index was built. */
static bool replay(struct insight *in, const uint8_t key[32], const struct registry *index)
{
    struct buf journal;
    struct registry_info info;
    struct registry_journal_end end;
    const char *path = in->config->journal_path;
    if (!os_exists(path)) return true;
    result r = os_read_file(path, JOURNAL_MAX, &journal);
    if (!is_ok(r)) return fail(in, path, os_error_text(r));
    in->overlay = mem_alloc(OVERLAY_BYTES);
    registry_info(index, &info);
    r = in->overlay == NULL ? FAIL(ERROR_LIMIT, REGISTRY_NO_MEMORY) : registry_overlay_format(in->overlay, OVERLAY_BYTES, key);
    if (is_ok(r)) r = registry_journal_replay(key, buf_span(&journal), info.journal, in->overlay, &end);
    buf_free(&journal);
    return is_ok(r) || fail(in, path, registry_error_text(r.code));
}

static bool open_registry(struct insight *in)
{
    uint8_t key[32];
    struct registry *index = NULL;
    const struct config *c = in->config;
    span file = span_of(c->registry.ptr, c->registry.len);
    if (!is_ok(config_registry_key(c, key))) return fail(in, c->registry_key_path, "is no registry key; registry build makes one");
    result r = registry_open(file, key, NULL, &index);
    bool good = is_ok(r) ? replay(in, key, index) : fail(in, c->registry_path, registry_error_text(r.code));
    if (index != NULL) registry_close(index);
    if (good) r = registry_open(file, key, in->overlay, &in->registry);
    if (good && !is_ok(r)) good = fail(in, c->registry_path, registry_error_text(r.code));
    mem_wipe(key, sizeof(key));
    return good;
}

static void warn_stale(const struct insight *in)
{
    struct registry_info info;
    registry_info(in->registry, &info);
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
    if (in->registry != NULL) registry_close(in->registry);
    if (in->overlay != NULL) mem_free_wipe(in->overlay, OVERLAY_BYTES);
    config_free(in->config);
    problems_free(in->problems);
}

static void unknown_recipient(const struct insight *in, const char *id)
{
    const struct recipient_table *t = in->config->settings.recipients;
    const char *names[64] = {"anonymous", "restricted", "entitled"}, *name;
    for (size_t i = 0; i < ARRAY_LEN(names) - 4 && (name = recipient_id_at(t, i)) != NULL; i++) names[i + 3] = name;
    const char *near = source_did_you_mean(id, names);
    if (near != NULL) (void)cli_usage(in->command, "no recipient is called \"%s\"; did you mean \"%s\"?", id, near);
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
