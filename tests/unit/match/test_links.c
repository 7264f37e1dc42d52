/* What joins units, as the survey says it.
 *
 *= ICE10036.2 2.1
 *= 10-domain 3.3 */
#include "support.h"

#include "match/world.h"

static struct world world;

static const char *part_name(unsigned part)
{
    switch (part) {
    case MATCH_TELLS: return "tells";
    case MATCH_TELLS | MATCH_FOLLOWS: return "both";
    case MATCH_TELLS | MATCH_FOLLOWS | MATCH_DEFINES | MATCH_GRAPH: return "is";
    case MATCH_TELLS | MATCH_FOLLOWS | MATCH_STANDS | MATCH_GRAPH: return "names";
    case MATCH_FOLLOWS | MATCH_STANDS | MATCH_GRAPH: return "refers";
    case MATCH_FOLLOWS | MATCH_GRAPH: return "goes";
    }
    return "?";
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* "what text@begin", sorted; begin is the offset of the piece, or - outside every unit. */
static const char *links_of(const struct match_survey *s)
{
    static char out[4096], line[64][64];
    size_t used = 0;
    assert_true(s->link_count <= 64);
    for (size_t i = 0; i < s->link_count; i++) {
        const struct match_link *l = &s->links[i];
        char at[24] = "-";
        if (l->piece != MATCH_NONE) snprintf(at, sizeof at, "%u", (unsigned)s->pieces[l->piece].begin);
        snprintf(line[i], sizeof line[i], "%s %.*s@%s", part_name(l->part), (int)l->len, s->link_text + l->text, at);
    }
    qsort(line, s->link_count, sizeof line[0], compare_lines);
    out[0] = 0;
    for (size_t i = 0; i < s->link_count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", used ? ", " : "", line[i]);
    return out;
}

static void check(const char *path, const char *body, const char *links)
{
    const struct match_survey *s = world_survey(&world, path, DOC_JSON, span_str(body));
    assert_non_null(s);
    assert_string_equal(links_of(s), links);
}

static void values_are_compared_as_the_registry_writes_them(void **state)
{
    (void)state;
    check("/linked", "{\"head\":7,\"items\":[{\"id\":\"7\"},{\"to\":\"0007\"}]}", "both 7@-, both 7@30, tells 7@19");
    check("/linked", "{\"items\":[{\"id\":\"ab-1\",\"no\":\" x\\u0020y \"}]}", "tells AB-1@10, tells X Y@10");
    check("/linked", "{\"items\":[{\"to\":1.2e1,\"all\":[12.0,\"\xEF\xBC\x91\xEF\xBC\x92\"]}]}",
        "both 12@10, both 12@10, both 12@10");
    check("/linked", "{\"items\":[{\"to\":1.5}]}", "both 1.5@10");
}

static void nothing_joins_those_who_have_none(void **state)
{
    (void)state;
    check("/linked", "{\"items\":[{\"id\":0,\"to\":null,\"all\":[\"\",\" \",\"000\",false,{},[]]}]}", "");
    check("/linked", "{\"items\":[{\"memo\":{\"to\":1},\"other\":{\"to\":1}}]}", "");
    check("/linked", "{\"items\":[{\"id\":\"None\",\"no\":\"-\",\"to\":-1,\"all\":[\"N/A\",\"n.a.\",\"UNKNOWN\",\"(not known)\",\"--\",\"?\",\"0-0\","
                     "\"-1\",\"NaN\",\"\xEF\xBC\xAE\xEF\xBC\xA1\",\"ninguno\",\"\xE2\x80\x94\",\"00000000-0000-0000\"]}]}", "");
    check("/linked", "{\"items\":[{\"to\":-2,\"all\":[\"NAB\",\"N/A 1\",\"-\xC3\xB1\"]}]}", "both -2@10, both -N@10, both N/A 1@10, both NAB@10");
    check("/list", "{\"items\":[{\"personId\":1}]}", ""); /* keys join only where the document has links */
}

static void a_link_is_looked_up(void **state)
{
    (void)state;
    const struct match_survey *s =
        world_survey(&world, "/linked", DOC_JSON, SPAN("{\"head\":77,\"items\":[{\"to\":\" 090210017\"},{\"to\":77}]}"));
    assert_non_null(s); /* 77 is a person of another system */
    assert_string_equal(world_findings(&world, s), "key@0/0");
}

static void what_has_an_id_is_a_unit_and_what_has_nothing_else_a_reference(void **state)
{
    (void)state;
    check("/graph", "{\"x\":{\"@id\":\"P\",\"n\":1}}", "is P@1");
    check("/graph", "{\"x\":{\"@id\":\"P\"}}", "goes P@0, names P@1");
    check("/graph", "{\"x\":{\"@type\":\"t\",\"@id\":\"#P\"}}", "goes P@0, names P@1");
    check("/graph", "{\"x\":{\"ref\":\"#P\"}}", "goes P@0, refers P@1");
    check("/graph", "{\"x\":{\"ref\":[\"P\",\"Q\"],\"n\":1}}", "refers P@1, refers Q@1");
    check("/graph", "{\"x\":{\"@id\":{\"rdf:value\":\"P\"},\"n\":1}}", "is P@1");
    check("/graph", "{\"x\":{\"ref\":\"P #Q\\nR\",\"n\":1}}", "refers P #Q\nR@1, refers P@1, refers Q@1, refers R@1");
    check("/graph", "{\"x\":{\"@id\":\"P Q\",\"n\":1}}", "is P Q@1");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"@id\":\"P\",\"n\":1}}}", "goes P@1, is P@12");
}

static void references_are_seen_in_lists_and_sets(void **state)
{
    (void)state;
    check("/graph", "{\"x\":{\"n\":1,\"ref\":[[\"P\"]]}}", "refers P@1");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":\" #P\\t\"}}", "refers P@1");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"@list\":[\"P\"]}}}", "goes P@1, refers P@12");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"@set\":[\"P\"]}}}", "goes P@1, refers P@12");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"rdf:value\":[\"P\"]}}}", "goes P@1, refers P@12");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":[{\"@value\":[\"P\"]}]}}", "goes P@1, refers P@19");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"@list\":[{\"@id\":\"P\"}]}}}", "goes P@1, goes P@12, names P@28");
    check("/graph", "{\"x\":{\"n\":1,\"ref\":{\"@list\":[{\"@value\":\"P\"}]}}}", "goes P@1, goes P@12, refers P@28");
    check("/graph", "{\"x\":{\"@id\":{\"@set\":[\"P\"]},\"n\":1}}", "is P@1");
}

static void a_reference_stands_for_what_holds_it(void **state)
{
    (void)state;
    check("/graph", "{\"x\":{\"n\":1,\"y\":[{\"@id\":\"P\"}]}}", "goes P@1, names P@17");
    check("/graph", "{\"x\":{\"n\":1,\"y\":{\"@list\":[{\"@id\":\"P\"}]}}}", "goes P@1, goes P@12, names P@26");
    check("/graph", "{\"x\":{\"n\":1,\"declared\":{\"@id\":\"P\"}}}", "names P@12");
    check("/graph", "[{\"@id\":\"P\"}]", "names P@1"); /* nothing holds it */
}

static void findings_belong_to_what_has_an_id(void **state)
{
    (void)state;
    static const struct {
        const char *body, *owner;
    } samples[] = {
        {"{\"x\":{\"@id\":\"P\",\"a\":{\"b\":[\"A012345678\"]}}}", "1"},
        {"{\"x\":{\"a\":{\"b\":[\"A012345678\"]},\"@id\":\"P\"}}", "1"},
        {"{\"x\":{\"a\":{\"b\":[\"A012345678\"]}}}", "-"},
        {"{\"x\":{\"declared\":{\"b\":[\"A012345678\"]}}}", "6"},
        {"{\"x\":{\"declared\":\"A012345678\"}}", "6"},
        {"{\"x\":{\"y\":{\"@id\":\"A012345678\"}}}", "6"},
        {"{\"x\":{\"@id\":{\"rdf:value\":\"A012345678\"},\"n\":1}}", "1"}, /* an id is no reference */
        {"{\"x\":{\"n\":1,\"y\":{\"ref\":\"A012345678\"}}}", "12"},
        {"{\"x\":{\"n\":1,\"ref\":{\"@value\":\"A012345678\"}}}", "12"},
        {"{\"x\":{\"n\":1,\"y\":{\"@type\":\"A012345678\"}}}", "-"}, /* it names nobody */
    };
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct match_survey *s = world_survey(&world, "/graph", DOC_JSON, span_str(samples[i].body));
        assert_non_null(s);
        assert_int_equal(s->finding_count, 1);
        uint32_t owner = match_owner(s, s->findings[0].unit);
        char at[24] = "-";
        if (owner != MATCH_NONE) snprintf(at, sizeof at, "%u", (unsigned)s->pieces[owner].begin);
        assert_string_equal(at, samples[i].owner);
    }
}

static void units_are_counted(void **state)
{
    (void)state;
    const struct match_survey *s = world_survey(&world, "/graph", DOC_JSON,
        SPAN("{\"@id\":\"d\",\"n\":1,\"p\":[{\"@id\":\"P\",\"n\":1},{\"@id\":\"P\"},{\"n\":1},{\"declared\":1}]}"));
    assert_non_null(s);
    assert_int_equal(s->units_seen, 3); /* d, P, what is declared */
}

static int open_world(void **state)
{
    (void)state;
    return world_open(&world) ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_compared_as_the_registry_writes_them),
        cmocka_unit_test(nothing_joins_those_who_have_none),
        cmocka_unit_test(a_link_is_looked_up),
        cmocka_unit_test(what_has_an_id_is_a_unit_and_what_has_nothing_else_a_reference),
        cmocka_unit_test(references_are_seen_in_lists_and_sets),
        cmocka_unit_test(a_reference_stands_for_what_holds_it),
        cmocka_unit_test(findings_belong_to_what_has_an_id),
        cmocka_unit_test(units_are_counted),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
