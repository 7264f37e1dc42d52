/* The registry as it is in force: the index, and what was changed since it was built. */
#include "config/inside.h"

static RESULT fail(struct config_registry *now, const char *path, const char *why, result r)
{
    now->path = path;
    now->why = why;
    return r;
}

static RESULT open_index(const struct config *c, const uint8_t key[32], struct config_registry *now)
{
    now->overlay = mem_alloc(CONFIG_OVERLAY_BYTES);
    result r = FAIL(ERROR_LIMIT, REGISTRY_NO_MEMORY);
    if (now->overlay != NULL) r = registry_overlay_format(now->overlay, CONFIG_OVERLAY_BYTES, key);
    if (is_ok(r)) r = registry_open(span_of(c->registry.ptr, c->registry.len), key, now->overlay, &now->registry);
    return is_ok(r) ? OK : fail(now, c->registry_path, registry_error_text(r.code), r);
}

/* A journal that is there and cannot be read is not an empty one: somebody in it would be forgotten. */
static RESULT replay(const struct config *c, const uint8_t key[32], struct config_registry *now)
{
    struct buf journal;
    struct registry_info info;
    buf_init(&journal, 0);
    result r = os_exists(c->journal_path) ? os_read_file(c->journal_path, CONFIG_JOURNAL_MAX, &journal) : OK;
    if (!is_ok(r)) return fail(now, c->journal_path, os_error_text(r), r);
    registry_info(now->registry, &info);
    r = registry_journal_replay(key, buf_span(&journal), info.journal, &info, now->overlay, &now->journal);
    buf_free(&journal);
    return is_ok(r) ? OK : fail(now, c->journal_path, registry_error_text(r.code), r);
}

RESULT config_registry_open(const struct config *c, struct config_registry *now)
{
    uint8_t key[32];
    *now = (struct config_registry){0};
    result r = config_registry_key(c, key);
    if (!is_ok(r)) return fail(now, c->registry_key_path, "is no registry key; registry build makes one", r);
    r = open_index(c, key, now);
    if (is_ok(r)) r = replay(c, key, now);
    mem_wipe(key, sizeof(key));
    if (!is_ok(r)) config_registry_close(now);
    return r;
}

void config_registry_close(struct config_registry *now)
{
    if (now->registry != NULL) registry_close(now->registry);
    if (now->overlay != NULL) registry_overlay_wipe(now->overlay, CONFIG_OVERLAY_BYTES);
    mem_free(now->overlay);
    now->registry = NULL;
    now->overlay = NULL;
}
