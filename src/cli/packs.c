#include "cli/packs.h"

#include "os/os.h"

#define PACK_MAX (16u << 20)

static bool read_pack(struct packs *p, const char *path)
{
    struct buf text;
    result r = os_read_file(path, PACK_MAX, &text);
    if (!is_ok(r)) {
        problems_add(p->problems, path, "%s; name a rule pack that can be read", os_error_text(r));
        return false;
    }
    struct source *s = source_parse(path, buf_span(&text), p->problems);
    buf_free(&text);
    if (s != NULL) p->list[p->count++] = s;
    return s != NULL;
}

bool packs_open(struct packs *p, char **paths, size_t count)
{
    *p = (struct packs){.problems = problems_new()};
    bool good = p->problems != NULL;
    if (good && count > PACKS_MAX) {
        problems_add(p->problems, paths[PACKS_MAX], "is one pack too many; put several into one");
        good = false;
    }
    bool all = good;
    for (size_t i = 0; good && i < count; i++) all = read_pack(p, paths[i]) && all;
    if (p->count > 0) p->set = rules_load(p->list, p->count, p->problems);
    if (all) return p->set != NULL;
    rules_free(p->set); /* one that cannot be read hides nothing of the others, but what is left is no set */
    p->set = NULL;
    return false;
}

void packs_close(struct packs *p)
{
    rules_free(p->set);
    for (size_t i = 0; i < p->count; i++) source_free(p->list[i]);
    problems_free(p->problems);
}
