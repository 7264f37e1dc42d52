/* The JSON Schema of packs against the loader, in both directions: by hand-written cases, and by packs mutated at
 * random of which the schema must take every one that the loader takes. */
#include "rules/bad_packs.h"
#include <sys/wait.h>

#define COMMAND "python3 " SOURCE_DIR "/tests/unit/rules/check_schema.py " SOURCE_DIR "/rules/schema/rules.schema.json"

static size_t accepted, refused;

static bool loader_takes(const char *text)
{
    struct loaded l = load_text(text);
    bool taken = l.set != NULL;
    loaded_free(&l);
    *(taken ? &accepted : &refused) += 1;
    return taken;
}

static void tell(FILE *to, const char *name, const char *text, bool agree)
{
    json_t *line =
        json_pack("{s:s,s:b,s:b,s:s}", "pack", text, "loader", loader_takes(text), "agree", agree, "name", name);
    char *out = json_dumps(line, 0);
    fprintf(to, "%s\n", out);
    free(out);
    json_decref(line);
}

/* ---- mutation -----------------------------------------------------------------------------------------------------
 */

static json_t *random_filling(void)
{
    switch (roll(9)) {
    case 0: return json_null();
    case 1: return json_true();
    case 2: return json_integer(roll(600));
    case 3: return json_string("");
    case 4: return json_string("x");
    case 5: return json_string("$.a[*]");
    case 6: return json_string("labelled");
    case 7: return json_array();
    default: return json_object();
    }
}

static void mutate_object(json_t *v)
{
    static const char *const names[] = {"title", "labels", "bare", "where", "values", "literals", "pattern", "units",
        "graph", "keys", "counts", "allow", "query", "miss", "system", "complete", "absent", "path", "tests", "links", "width",
        "$schema", "zzz"};
    size_t n = roll((unsigned)json_object_size(v) + 2), i = 0;
    const char *name, *chosen = names[roll(ARRAY_LEN(names))];
    json_t *item;
    json_object_foreach(v, name, item) if (i++ == n) chosen = name;
    if (roll(3) == 0)
        json_object_del(v, chosen);
    else
        json_object_set_new(v, chosen, random_filling());
}

static void mutate_array(json_t *v)
{
    unsigned n = roll((unsigned)json_array_size(v) + 1);
    if (n < json_array_size(v) && roll(2))
        json_array_remove(v, n);
    else
        json_array_insert_new(v, n, random_filling());
}

/* Goes down a few steps, then changes something there. */
static void mutate(json_t *v, unsigned depth)
{
    const char *name;
    json_t *item, *chosen = NULL;
    size_t i = 0, n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
    size_t want = n ? roll((unsigned)n) : 0;
    json_object_foreach(v, name, item) if (i++ == want) chosen = item;
    if (json_is_array(v)) chosen = json_array_get(v, want);
    if (depth && (json_is_object(chosen) || json_is_array(chosen)) && roll(8))
        mutate(chosen, depth - 1);
    else if (json_is_object(v))
        mutate_object(v);
    else
        mutate_array(v);
}

static void tell_mutants(FILE *to, const char *name, const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        json_t *pack = json_loads(text, 0, NULL);
        assert_non_null(pack);
        for (unsigned n = 1 + roll(2); n > 0; n--)
            mutate(pack, 8);
        char *mutant = json_dumps(pack, 0);
        tell(to, name, mutant, false);
        free(mutant);
        json_decref(pack);
    }
}

static void tell_file(FILE *to, const char *path)
{
    char *text = read_whole(path);
    assert_non_null(text);
    assert_true(loader_takes(text));
    tell(to, path, text, true);
    free(text);
}

/* A pack that says everything that this release can read. */
static const char full[] =
    "{\"$schema\":\"x\",\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"title\":\"t\","
    "\"identifiers\":[{\"id\":\"i\",\"title\":\"t\",\"why\":\"w\",\"kind\":\"alien_number\",\"pattern\":\"A(\\\\d{9})"
    "\",\"where\":\"labelled\","
    "\"canonical\":\"digits\",\"width\":9,\"labels\":[\"a "
    "number\",\"alien*\"],\"bare\":\"nine_digits\",\"tests\":{\"match\":[\"a\",{\"todo\":{\"b\":1}}],\"ignore\":[[1]]}}],"
    "\"markers\":[{\"id\":\"m\",\"title\":\"t\",\"why\":\"w\",\"values\":[\"T1\"],\"labels\":[\"coa\"],\"pattern\":"
    "\"x\",\"strength\":\"suspected\","
    "\"tests\":{\"match\":[\"a\"],\"ignore\":[\"b\"]}}],"
    "\"profiles\":[{\"id\":\"q\",\"title\":\"t\",\"system\":\"s\",\"on_finding\":\"withhold\",\"mode\":\"shadow\","
    "\"tests\":[{\"title\":\"t\",\"path\":\"/x/{id}\",\"query\":\"f=1\",\"recipient\":\"restricted\",\"protected\":["
    "\"A012345678\",{\"kind\":\"person_id\",\"value\":\"7\",\"system\":\"s\"},{\"subject\":\"S\",\"cases\":[]}],"
    "\"type\":\"application/json\",\"body\":{\"a\":1},\"expect\":{\"a\":1},\"records\":0},"
    "{\"todo\":{\"path\":\"/\",\"recipient\":\"entitled\",\"text\":\"[]\",\"expect_text\":\"[]\"}},"
    "{\"path\":\"/\",\"recipient\":\"entitled\",\"body\":null,\"expect\":{\"todo\":\"not_found\"}}],"
    "\"documents\":["
    "{\"path\":\"/x/{id}/"
    "*\",\"title\":\"t\",\"units\":[\"$\",{\"path\":\"$..a[0]\",\"absent\":\"null\"},\"$['it\\\\'s'].*\"],"
    "\"keys\":{\"person_id\":[\"$.id\"],\"case_number\":[\"$.no\"],\"event_number\":[\"$.ev\"]},\"links\":[\"$.l\"],"
    "\"graph\":{\"id\":[\"@id\"],\"ref\":[\"@ref\"],\"orphans\":[\"j:Charge\"]},\"counts\":{\"$.n\":\"$"
    "\"},\"complete\":true,"
    "\"uniform\":[\"$.u\"],\"texts\":[\"$.t\"],\"allow\":[\"$\"],\"query\":{\"f\":\"any\"},\"headers\":[\"X-A\",\"Content-Language\"],"
    "\"miss\":{\"status\":404,\"type\":\"application/json; "
    "charset=utf-8\",\"body\":\"\"}},{\"path\":\"/\"},{\"path\":\"/a/\"}]}]}";

static void test_both_directions(void **state)
{
    FILE *to = popen(COMMAND, "w");
    (void)state;
    assert_non_null(to);
    tell_file(to, SHIPPED);
    tell_file(to, EXAMPLE);
    assert_true(loader_takes(full) && loader_takes(sound));
    tell(to, "full", full, true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = patched_text(&cases[i]);
        tell(to, cases[i].expected, text, cases[i].by == SCHEMA_TOO);
        free(text);
    }
    tell_mutants(to, "mutant of sound", sound, 700);
    tell_mutants(to, "mutant of full", full, 700);
    int status = pclose(to);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(accepted > 100 && refused > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_directions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
