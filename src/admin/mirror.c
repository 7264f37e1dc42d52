/* What the mirror's workers saw, while it runs. */
#include "admin/internal.h"

void admin_mirror_source(const struct config *c, const struct mirror_board *boards, size_t slots, struct admin_mirror *out)
{
    const struct proxy_settings *s = &c->settings;
    size_t n = slots < ADMIN_MIRROR_MAX ? slots : ADMIN_MIRROR_MAX;
    size_t routes = s->route_count < ADMIN_MIRROR_MAX ? s->route_count : ADMIN_MIRROR_MAX;
    for (size_t i = 0; i < n; i++) out->boards[i] = &boards[i];
    for (size_t i = 0; i < routes; i++) out->routes[i] = (struct mirror_route){s->routes[i].path, s->routes[i].profile};
    out->source = (struct mirror_source){out->boards, n, out->routes, routes};
}

RESULT mirror_page(const struct admin *a, struct buf *out)
{
    struct admin_mirror *m = mem_alloc(sizeof(*m));
    REQUIRE(m != NULL, ERROR_LIMIT, 0);
    admin_mirror_source(a->arguments->config, a->arguments->boards, a->arguments->counter_slots, m);
    result r = mirror_report_json(&m->source, out);
    mem_free(m);
    return r;
}

static RESULT write_facts(const struct mirror_source *s, struct buf *out)
{
    TRY(buf_append(out, SPAN("# HELP gate1367_mirror_total what the mirror saw; docs/operate.md says what each fact is\n"
                             "# TYPE gate1367_mirror_total counter\n")));
    for (enum mirror_fact f = 0; f < MIRROR_FACT_COUNT; f++) {
        TRY(buf_printf(out, "gate1367_mirror_total{fact=\"%s\"} %llu\n", mirror_fact_name(f), (unsigned long long)mirror_sum(s, f)));
    }
    return OK;
}

RESULT mirror_metrics(const struct admin *a, struct buf *out)
{
    if (a->arguments->boards == NULL) return OK;
    struct admin_mirror *m = mem_alloc(sizeof(*m));
    REQUIRE(m != NULL, ERROR_LIMIT, 0);
    admin_mirror_source(a->arguments->config, a->arguments->boards, a->arguments->counter_slots, m);
    result r = write_facts(&m->source, out);
    mem_free(m);
    return r;
}
