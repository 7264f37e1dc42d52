#include "config/inside.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_MEMORY (64u << 20)

static const struct member_spec TOP[] = {{"format", true, false}, {"listen", true, false}, {"admin", false, false},
    {"workers", false, false}, {"upstreams", true, false}, {"routes", true, false}, {"recipients", true, false},
    {"rules", true, false}, {"registry", true, false}, {"grants", false, true}, {"ledger", true, false},
    {"limits", false, false}, {"pace", false, false}, {"cursors", false, false}, {0}};

void config_note(struct config_inside *in, span text)
{
    uint8_t both[64];
    memcpy(both, in->read, 32);
    bool hashed = sha256(text, both + 32) && sha256(span_of(both, sizeof both), in->read);
    if (!hashed) problems_add(in->problems, in->directory, "cannot be hashed; is there memory?");
}

static struct config_inside *make_inside(const char *path, struct problems *problems)
{
    char real[PATH_MAX];
    struct config_inside *in = mem_alloc(sizeof(*in));
    if (in == NULL) return NULL;
    in->problems = problems;
    in->memory = arena_new(CONFIG_MEMORY);
    if (realpath(path, real) == NULL) snprintf(real, sizeof(real), "%s", path);
    char *slash = strrchr(real, '/');
    if (slash != NULL) slash[slash == real ? 1 : 0] = '\0';
    in->directory = mem_strdup(slash == NULL ? "." : real);
    return in;
}

static struct source *read_top(struct config_inside *in, const char *path)
{
    struct buf text;
    result r = os_read_file(path, CONFIG_FILE_MAX, &text);
    if (!is_ok(r)) {
        problems_add(in->problems, path, "%s; name a configuration that can be read", os_error_text(r));
        return NULL;
    }
    struct source *s = source_parse(path, buf_span(&text), in->problems);
    buf_free(&text);
    if (s != NULL) config_note(in, source_text(s));
    if (s != NULL) in->sources[in->source_count++] = s;
    return s;
}

bool config_object(const struct place *at, const json_t *v, const struct member_spec *specs)
{
    (void)place_check_members(at, v, specs);
    return json_is_object(v);
}

static void load_all(struct config *c, struct source *s)
{
    struct loading l = {.config = c, .in = c->inside, .root = source_root(s), .at = place_root(s)};
    place_check_members(&l.at, l.root, TOP);
    if (!json_is_object(l.root)) return;
    place_check_format(&l.at, l.root);
    int64_t workers = place_integer(&l.at, l.root, "workers", 0, 256, 0);
    c->workers = workers > 0 ? (unsigned)workers : os_cpu_count();
    config_load_listeners(&l);
    config_load_upstreams(&l);
    config_load_files(&l);
    config_load_routes(&l);
    config_load_limits(&l);
    config_load_cursors(&l);
    hex_encode(span_of(c->inside->read, 16), c->settings.config_version);
}

struct config *config_load(const char *path, struct problems *problems)
{
    struct config *c = mem_alloc(sizeof(*c));
    if (c == NULL) return NULL;
    c->ledger_key_fd = c->registry_key_fd = -1;
    c->inside = make_inside(path, problems);
    if (c->inside == NULL || c->inside->memory == NULL || c->inside->directory == NULL) {
        config_free(c);
        return NULL;
    }
    size_t before = problems_errors(problems);
    struct source *s = read_top(c->inside, path);
    if (s != NULL) load_all(c, s);
    if (arena_failed(c->inside->memory)) problems_add(problems, path, "no memory for the configuration; make it smaller");
    if (s != NULL && problems_errors(problems) > before) config_try_parts(c);
    if (s == NULL || problems_errors(problems) > before) {
        config_free(c);
        return NULL;
    }
    return c;
}

void config_free(struct config *c)
{
    if (c == NULL) return;
    struct config_inside *in = c->inside;
    if (in != NULL) {
        for (size_t i = 0; i < in->fd_count; i++) os_close(&in->fds[i]);
        rules_free(in->rules);
        recipient_table_free(in->recipients);
        for (size_t i = 0; i < in->source_count; i++) source_free(in->sources[i]);
        if (in->memory != NULL) arena_free(in->memory);
        mem_free(in->directory);
        mem_free(in);
    }
    os_unmap(&c->registry);
    os_close(&c->ledger_key_fd);
    mem_free(c);
}

void config_close_secrets(struct config *c)
{
    struct config_inside *in = c->inside;
    while (in->fd_count > 0) os_close(&in->fds[--in->fd_count]);
}

RESULT config_registry_key(const struct config *c, uint8_t key[32])
{
    struct buf text;
    TRY(os_read_fd(c->registry_key_fd, 4096, &text));
    bool good = registry_key_decode(buf_span(&text), key);
    if (text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
    REQUIRE(good, ERROR_CONFIG, 0);
    return OK;
}
