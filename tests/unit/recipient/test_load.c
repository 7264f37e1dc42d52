/* recipients.json: what is refused, where, and in which words. */
#include "recipient/recipient.h"
#include <setjmp.h>

#include <cmocka.h>

/* Loads; returns all messages of the run in one text. */
static bool loads(const char *text, char *messages, size_t size)
{
    struct problems *problems = problems_new();
    struct source *s = source_parse("r.json", span_str(text), problems);
    struct recipient_table *t = s ? recipient_load(s) : NULL;
    bool loaded = t != NULL;
    assert_int_equal(loaded, problems_errors(problems) == 0);
    *messages = '\0';
    for (size_t i = 0; i < problems_count(problems); i++) {
        size_t used = strlen(messages);
        snprintf(messages + used, size - used, "%s\n", problems_text(problems, i));
    }
    recipient_table_free(t);
    source_free(s);
    problems_free(problems);
    return loaded;
}

static void expect(const char *text, const char *message)
{
    char messages[4096];
    bool loaded = loads(text, messages, sizeof messages);
    if (message) {
        if (loaded || !strstr(messages, message)) print_error("%s\ngave: %s\nwanted: %s\n", text, messages, message);
        assert_false(loaded);
        assert_non_null(strstr(messages, message));
    } else {
        if (!loaded || *messages) print_error("%s\ngave: %s\n", text, messages);
        assert_true(loaded);
        assert_string_equal(messages, "");
    }
}

#define FILE_OF(entry) "{\"format\":1,\"recipients\":[" entry "]}"
#define MATCH(m) FILE_OF("{\"id\":\"a\",\"agency\":\"none\",\"standing\":\"none\",\"match\":" m "}")
#define CERT(c) MATCH("{\"certificate\":" c "}")
#define OFFICER(c)                                                                                                     \
    FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"employee\",\"purposes\":[\"p\"],\"match\":{"              \
            "\"certificate\":" c "}}")
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void the_contract_s_own_entries_load(void **state)
{
    (void)state;
    expect("{ \"format\": 1, \"departmental_issuers\": [ { \"CN\": \"DHS CA4\" } ], \"recipients\": ["
           "{ \"id\": \"uscis-officer\", \"agency\": \"DHS\", \"component\": \"USCIS\", \"standing\": \"employee\","
           "\"match\": { \"certificate\": { \"issuer\": { \"CN\": \"DHS CA4\" }, \"subject\": { \"O\": \"U.S. "
           "Government\", \"OU\": \"USCIS\" } } },"
           "\"purposes\": [\"adjudication\", \"enforcement\"] },"
           "{ \"id\": \"state-police\", \"agency\": \"none\", \"standing\": \"none\", \"organization\": \"Springfield "
           "State Police\", \"address\": \"1 Main St, Springfield\","
           "\"match\": { \"certificate\": { \"subject\": { \"CN\": \"sp-client\" } } } },"
           "{ \"id\": \"leis\", \"agency\": \"DHS\", \"standing\": \"system\", \"conduit\": true, \"match\": { "
           "\"certificate\": { \"fingerprint\": \"" HEX64 "\" } } }"
           "] }",
        NULL);
    expect("{\"format\":1,\"recipients\":[]}", NULL);
    expect("{\"$schema\":\"x\",\"format\":1,\"departmental_issuers\":[],\"recipients\":[]}", NULL);
}

static void what_is_specified_but_not_built_says_so(void **state)
{
    (void)state;
    expect(MATCH("{\"token\":{\"issuer\":\"https://idp.example\",\"audience\":\"gate1367\"}}"), "not built yet");
}

#define EDGE(more, c) FILE_OF("{\"id\":\"edge\"," more "\"match\":{\"certificate\":" c "}}")

static void a_trusted_proxy_is_pinned_and_nobody_itself(void **state)
{
    (void)state;
    expect(EDGE("\"trusted_proxy\":true,", "{\"issuer\":{\"CN\":\"E\"}}"), NULL);
    expect(EDGE("\"trusted_proxy\":true,", "{\"fingerprint\":\"" HEX64 "\"}"), NULL);
    expect(EDGE("\"trusted_proxy\":true,", "{\"subject\":{\"CN\":\"E\"}}"), "pin \"issuer\" or \"fingerprint\"");
    expect(EDGE("\"trusted_proxy\":1,", "{\"issuer\":{\"CN\":\"E\"}}"), "/recipients/0/trusted_proxy: ");
    expect(EDGE("\"trusted_proxy\":false,", "{\"issuer\":{\"CN\":\"E\"}}"), "/recipients/0: ");
    const char *const wrong[][2] = {{"\"agency\":\"DHS\"", "agency"}, {"\"standing\":\"employee\"", "standing"},
        {"\"purposes\":[\"p\"]", "purposes"}, {"\"conduit\":true", "conduit"}, {"\"component\":\"ICE\"", "component"}};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char text[512], at[128];
        snprintf(text, sizeof text, EDGE("\"trusted_proxy\":true,%s,", "{\"issuer\":{\"CN\":\"E\"}}"), wrong[i][0]);
        snprintf(at, sizeof at, "/recipients/0/%s: a trusted proxy is nobody itself", wrong[i][1]);
        expect(text, at);
    }
}

//= 8USC1367 a(2)
static void entries_that_entitle_must_be_pinned(void **state)
{
    (void)state;
    const char *pin = "/recipients/0/match/certificate: this entry entitles";
    expect(OFFICER("{\"subject\":{\"CN\":\"x\"}}"), pin);
    expect(OFFICER("{\"san\":{\"dns\":\"x\"},\"policy\":\"1.2.3\"}"), pin);
    expect(OFFICER("{\"issuer\":{},\"subject\":{\"CN\":\"x\"}}"), "names at least one attribute");
    expect(OFFICER("{\"issuer\":{\"CN\":\"x\"}}"), NULL);
    expect(OFFICER("{\"fingerprint\":\"" HEX64 "\"}"), NULL);
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DOS\",\"standing\":\"sworn_officer\",\"purposes\":[\"p\"],\"match\":{"
                   "\"certificate\":{\"policy\":\"1.2.3\"}}}"),
        pin);
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"contractor\",\"match\":{\"certificate\":{"
                   "\"policy\":\"1.2.3\"}}}"),
        NULL);
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"none\",\"standing\":\"employee\",\"match\":{\"certificate\":{\"policy\":"
                   "\"1.2.3\"}}}"),
        NULL);
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"employee\",\"conduit\":true,\"match\":{"
                   "\"certificate\":{\"policy\":\"1.2.3\"}}}"),
        NULL);
}

static void matches_are_checked(void **state)
{
    (void)state;
    expect(CERT("{}"), "would match every certificate");
    expect(CERT("[]"), "must be an object");
    expect(MATCH("{}"), "give \"certificate\"");
    expect(MATCH("3"), "/recipients/0/match");
    expect(CERT("{\"isuer\":{\"CN\":\"x\"}}"), "did you mean \"issuer\"");
    expect(CERT("{\"subject\":{\"emailAdress\":\"x\"}}"), "did you mean \"emailAddress\"");
    expect(CERT("{\"subject\":{\"shoeSizeOfBearer\":\"x\"}}"), "unknown attribute \"shoeSizeOfBearer\"");
    expect(CERT("{\"subject\":{\"CN\":\"\"}}"), "must be a string that is not empty");
    expect(CERT("{\"subject\":{\"CN\":[\"x\"]}}"), "/recipients/0/match/certificate/subject/CN: ");
    expect(CERT("{\"subject\":\"CN=x\"}"), "names at least one attribute");
    expect(CERT("{\"san\":{}}"), "give \"uri\", \"dns\" or \"email\"");
    expect(CERT("{\"san\":{\"ip\":\"1.2.3.4\"}}"), "/recipients/0/match/certificate/san");
    expect(CERT("{\"san\":{\"dns\":\"\"}}"), "is empty");
    expect(CERT("{\"fingerprint\":\"00:11\"}"), "64 hexadecimal digits without colons");
    expect(CERT("{\"fingerprint\":\"" HEX64 "0\"}"), "64 hexadecimal digits");
    expect(CERT("{\"policy\":\"anyPolicy\"}"), "is not an OID");
    expect(CERT("{\"policy\":\"1.2.3.4\"}"), NULL);
    expect(CERT("{\"subject\":{\"1.2.3.4\":\"x\"}}"), NULL);
}

static void entries_are_checked(void **state)
{
    (void)state;
    expect(FILE_OF("{\"agency\":\"DHS\",\"standing\":\"system\",\"match\":{\"certificate\":{\"policy\":\"1.2\"}}}"),
        "\"id\" is missing");
    expect(FILE_OF("{\"id\":\"a\",\"standing\":\"system\",\"match\":{\"certificate\":{\"policy\":\"1.2\"}}}"),
        "\"agency\" is missing");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"match\":{\"certificate\":{\"policy\":\"1.2\"}}}"),
        "\"standing\" is missing");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"system\"}"), "match");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DSH\",\"standing\":\"system\",\"match\":{\"certificate\":{\"policy\":"
                   "\"1.2\"}}}"),
        "did you mean \"DHS\"");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"sworn\",\"match\":{\"certificate\":{\"policy\":\"1."
                   "2\"}}}"),
        "/recipients/0/standing: ");
    expect(FILE_OF("{\"id\":\"anonymous\",\"agency\":\"DHS\",\"standing\":\"system\",\"match\":{\"certificate\":{"
                   "\"policy\":\"1.2\"}}}"),
        "choose another id");
    expect(FILE_OF("{\"id\":\"\",\"agency\":\"DHS\",\"standing\":\"system\",\"match\":{\"certificate\":{\"policy\":\"1."
                   "2\"}}}"),
        "/recipients/0/id: ");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"system\",\"conduits\":true,\"match\":{"
                   "\"certificate\":{\"policy\":\"1.2\"}}}"),
        "did you mean \"conduit\"");
    expect(FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"system\",\"conduit\":1,\"match\":{\"certificate\":{"
                   "\"policy\":\"1.2\"}}}"),
        "/recipients/0/conduit: ");
    expect(FILE_OF("7"), "/recipients/0: ");
    expect("{\"format\":1,\"recipients\":{}}", "must be an array");
    expect("{\"format\":1}", "\"recipients\"");
    expect("{\"recipients\":[]}", "\"format\"");
    expect("{\"format\":9,\"recipients\":[]}", "/format: ");
    expect("{\"format\":1,\"departmental_issuers\":[{}],\"recipients\":[]}", "/departmental_issuers/0: ");
    expect("{\"format\":1,\"departmental_issuers\":{\"CN\":\"x\"},\"recipients\":[]}",
        "/departmental_issuers: must be an array");
    expect("[]", "r.json:1:1");
    expect("{\"format\":1,\"recipients\":[", "r.json:1:");
}

static void ids_differ(void **state)
{
    (void)state;
    expect(
        FILE_OF(
            "{\"id\":\"a\",\"agency\":\"none\",\"standing\":\"none\",\"match\":{\"certificate\":{\"policy\":\"1.2\"}}},"
            "{\"id\":\"a\",\"agency\":\"none\",\"standing\":\"none\",\"match\":{\"certificate\":{\"policy\":\"1.3\"}}"
            "}"),
        "/recipients/1/id: \"a\" is the id of an earlier entry");
}

#define PURPOSES(p)                                                                                                    \
    FILE_OF("{\"id\":\"a\",\"agency\":\"DHS\",\"standing\":\"employee\",\"purposes\":" p                               \
            ",\"match\":{\"certificate\":{\"issuer\":{\"CN\":\"x\"}}}}")
//= RFC9110 5.6.2
static void purposes_are_single_words(void **state)
{
    (void)state;
    expect(PURPOSES("[\"a,b\"]"), "/recipients/0/purposes/0: \"a,b\" cannot be a purpose");
    expect(PURPOSES("[\"a b\"]"), "cannot be a purpose");
    expect(PURPOSES("[\"\"]"), "cannot be a purpose");
    expect(PURPOSES("[\"a\",\"a\"]"), "/recipients/0/purposes/1: \"a\" stands twice");
    expect(PURPOSES("[1]"), "/recipients/0/purposes/0");
    expect(PURPOSES("\"a\""), "/recipients/0/purposes");
    char messages[1024];
    assert_true(loads(PURPOSES("[]"), messages, sizeof messages));
    assert_non_null(strstr(messages, "every request of it will be forbidden"));
}

static void all_problems_come_in_one_run_with_their_places(void **state)
{
    (void)state;
    char messages[4096];
    assert_false(loads("{ \"format\": 1,\n  \"recipients\": [\n    { \"id\": \"a\", \"agency\": \"DSH\",\n      "
                       "\"standing\": \"non\",\n"
                       "      \"match\": { \"certificate\": { \"fingerprint\": \"x\" } } } ] }",
        messages, sizeof messages));
    assert_non_null(strstr(messages, "r.json:3:28: /recipients/0/agency: "));
    assert_non_null(strstr(messages, "r.json:4:19: /recipients/0/standing: "));
    assert_non_null(strstr(messages, "r.json:5:50: /recipients/0/match/certificate/fingerprint: "));
}

/* Memory that runs out anywhere is an error, never a table that knows less. */
static void memory_that_runs_out_refuses_the_file(void **state)
{
    (void)state;
    const char *text = OFFICER("{\"issuer\":{\"CN\":\"x\"},\"subject\":{\"OU\":\"y\"}}");
    bool through = false;
    for (uint64_t n = 1; !through; n++) {
        struct problems *problems = problems_new();
        struct source *s = source_parse("r.json", span_str(text), problems);
        assert_non_null(s);
        fault_arm("malloc", n);
        struct recipient_table *t = recipient_load(s);
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        assert_int_equal(t != NULL, through);
        recipient_table_free(t);
        source_free(s);
        problems_free(problems);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_s_own_entries_load),
        cmocka_unit_test(what_is_specified_but_not_built_says_so),
        cmocka_unit_test(a_trusted_proxy_is_pinned_and_nobody_itself), cmocka_unit_test(entries_that_entitle_must_be_pinned),
        cmocka_unit_test(matches_are_checked),
        cmocka_unit_test(entries_are_checked),
        cmocka_unit_test(ids_differ),
        cmocka_unit_test(purposes_are_single_words),
        cmocka_unit_test(all_problems_come_in_one_run_with_their_places),
        cmocka_unit_test(memory_that_runs_out_refuses_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
