/* Looking into entries: against Jansson, for entries that we wrote and for bytes that nobody should have. */
#include "ledger/support.h"
#include <jansson.h>


/* Every member as Jansson has it, raw. */
static void agree(const char *json)
{
    struct ledger_view v;
    json_t *e = json_loads(json, JSON_ALLOW_NUL, NULL);
    assert_non_null(e);
    assert_true(ledger_view_parse(span_str(json), &v));
    for (unsigned m = 0; m < LEDGER_MEMBER_COUNT; m++) {
        json_t *wanted = json_object_get(e, ledger_member_name((enum ledger_member)m));
        assert_int_equal(wanted != NULL, v.members[m].ptr != NULL);
        if (!wanted) continue;
        char *copy = calloc(1, v.members[m].len + 1);
        assert_non_null(copy);
        memcpy(copy, v.members[m].ptr, v.members[m].len);
        json_t *found = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(found);
        assert_true(json_equal(found, wanted));
        json_decref(found);
        free(copy);
    }
    json_decref(e);
}

static void test_members_as_jansson_has_them(void **state)
{
    (void)state;
    agree("{\"time\":\"2026-11-21T22:04:21.123456Z\"}");
    agree("{\"time\":\"2026-11-21T22:04:21.123456Z\",\"event\":\"disclosure\",\"recipient\":{\"id\":\"a\\\"}b\",\"agency\":null},"
          "\"subjects\":[\"x\",\"y\"],\"rules\":{\"a,b\":1},\"status\":200,\"last\":true,\"future\":[{\"a\":[]}],\"nonce\":\"00\"}");
    agree("{ \"time\" : \"t\" , \"status\" : null , \"event\" : \"a\" }");
}

static void test_texts_as_jansson_decodes_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"\"\"", "\"plain\"", "\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"", "\"\\u0041\\u00e9\\u20ac\"", "\"\\ud83d\\udd12x\"",
        "\"caf\xc3\xa9 \xf0\x9f\x94\x92\""};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char scratch[64];
        json_t *wanted = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_non_null(wanted);
        assert_true(span_equal(ledger_view_text(span_str(texts[i]), scratch, sizeof scratch), span_str(json_string_value(wanted))));
        assert_true(ledger_view_is(span_str(texts[i]), span_str(json_string_value(wanted))));
        json_decref(wanted);
    }
    assert_null(ledger_view_text(SPAN("null"), (char[4]){0}, 4).ptr);
    assert_false(ledger_view_is(SPAN("null"), SPAN("null")));
}

/* Whatever is cut off or turned around: nothing past the bytes is looked at (the sanitizer watches), and it is no entry. */
static void test_every_prefix_and_every_changed_byte(void **state)
{
    (void)state;
    const char *json = "{\"time\":\"2026-11-21T22:04:21Z\",\"recipient\":{\"id\":\"a\\u0041\"},\"subjects\":[\"x\"],\"rules\":{\"r\":1},\"last\":true}";
    size_t len = strlen(json);
    for (size_t n = 0; n < len; n++) {
        uint8_t *copy = malloc(n + 1);
        struct ledger_view v;
        assert_non_null(copy);
        memcpy(copy, json, n);
        assert_false(ledger_view_parse(span_of(copy, n), &v));
        free(copy);
    }
    for (size_t n = 0; n < len; n++) {
        for (const char *c = "\"\\{}[],:0\x01"; *c; c++) {
            char *copy = strdup(json), scratch[64];
            struct ledger_view v;
            assert_non_null(copy);
            copy[n] = *c;
            if (ledger_view_parse(span_str(copy), &v))
                for (unsigned m = 0; m < LEDGER_MEMBER_COUNT; m++) (void)ledger_view_text(v.members[m], scratch, sizeof scratch);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_as_jansson_has_them),
        cmocka_unit_test(test_texts_as_jansson_decodes_them),
        cmocka_unit_test(test_every_prefix_and_every_changed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
