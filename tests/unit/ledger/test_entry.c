/* Entries against Python's json: key order, escapes, limits. */
#include "ledger/support.h"

static char *encode(const struct ledger_entry *e)
{
    struct buf b;
    buf_init(&b, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ledger_entry_encode(e, &b)));
    assert_true(ledger_entry_plausible(buf_span(&b)));
    char *text = calloc(1, buf_len(&b) + 1);
    assert_non_null(text);
    memcpy(text, buf_span(&b).ptr, buf_len(&b));
    buf_free(&b);
    return text;
}

static struct ledger_entry full_entry(void)
{
    static const char subjects[2][LEDGER_PSEUDONYM] = {
        "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"};
    static const struct ledger_count rules[] = {
        {{(const uint8_t *)"a-number", 8}, 3}, {{(const uint8_t *)"coa-384", 7}, 1}};
    return (struct ledger_entry){.time_us = UINT64_C(1793313861000042),
        .node = SPAN("gate1367.example/node-1"),
        .request = SPAN("019aa9f0-7b1c-7000-8000-000000000001"),
        .event = LEDGER_DISCLOSURE,
        .recipient = {SPAN("state-police"), SPAN("none"), SPAN(""), SPAN("none"),
            SPAN("Springfield \"State\" Police\\\n\t\x01\x7f"), SPAN("CN=caf\xc3\xa9 \xf0\x9f\x94\x92 \xff\xc0\x80"),
            SPAN("ab12"), span_of(NULL, 0)},
        .client = SPAN("192.0.2.7:4711"),
        .method = SPAN("GET"),
        .route = SPAN("/api/"),
        .target = SPAN("/api/persons/00112233445566778899aabbccddeeff"),
        .upstream_status = 200,
        .status = 404,
        .outcome = LEDGER_WITHHELD,
        .records = {1, 1, 1, 0, 0},
        .subjects = subjects,
        .subject_count = 2,
        .rules = rules,
        .rule_count = 2,
        .versions = {SPAN("2026.1"), SPAN("7"), SPAN("sha256:00")},
        .duration_us = 1234,
        .nonce = {0xde, 0xad, 0xbe, 0xef},
        .sealed = {NULL, 0}};
}

static void check_with_python(const char *text, const char *program)
{
    char dir[] = "/tmp/gate1367-entry-XXXXXX", path[128];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/e.json", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    snprintf(path, sizeof path, "%s/p.py", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(
        f, "import json,sys\nraw=open('%s/e.json','rb').read()\ne=json.loads(raw.decode('utf-8'))\n%s", dir, program);
    fclose(f);
    int status = shell("python3 %s", path);
    shell("rm -r %s", dir);
    assert_int_equal(status, 0);
}

static void test_the_order_of_the_contract_as_python_reads_it(void **state)
{
    (void)state;
    struct ledger_entry e = full_entry();
    char *text = encode(&e);
    check_with_python(text,
        "assert list(e)==['time','node','request','event','recipient','client','purpose','method','route','target',"
        "'upstream_status','status','outcome','records','subjects','rules','grant','exception','versions','duration_us'"
        ","
        "'part','last','nonce','sealed'], list(e)\n"
        "assert list(e['recipient'])==['id','agency','component','standing','organization','identity','fingerprint']\n"
        "assert list(e['records'])==['seen','protected','withheld','redacted','disclosed']\n"
        "assert list(e['versions'])==['rules','registry','config']\n"
        "assert e['time']=='2026-10-29T22:44:21.000042Z', e['time']\n"
        "assert e['recipient']['organization']=='Springfield \"State\" Police\\\\\\n\\t\\x01\\x7f'\n"
        "assert e['recipient']['identity']=='CN=caf\\u00e9 \\U0001f512 \\ufffd\\ufffd\\ufffd'\n"
        "assert e['recipient']['component']=='' and e['purpose'] is None and e['grant'] is None and e['exception'] is "
        "None\n"
        "assert e['sealed'] is None and e['part']==1 and e['last'] is True\n"
        "assert e['nonce']=='deadbeef'+'0'*24 and e['duration_us']==1234\n"
        "assert e['rules']=={'a-number':3,'coa-384':1} and len(e['subjects'])==2\n"
        "assert e['outcome']=='withheld' and e['event']=='disclosure' and e['status']==404 and "
        "e['upstream_status']==200\n"
        "assert raw==json.dumps(e,ensure_ascii=False,separators=(',',':')).replace('\\x7f','\\\\u007f').encode()\n");
    free(text);
}

/* Written only where a proxy stood between. */
static void test_a_trusted_proxy_is_named_last(void **state)
{
    (void)state;
    struct ledger_entry e = full_entry();
    e.recipient.via = SPAN("edge");
    char *text = encode(&e);
    check_with_python(text, "assert list(e['recipient'])[-2:]==['fingerprint','via'] and e['recipient']['via']=='edge'\n");
    free(text);
}

/* Byte for byte what is written without. */
static void test_what_was_spelled_before_is_said_alike(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct ledger_entry e = full_entry();
        struct buf who, versions;
        buf_init(&who, LEDGER_ENTRY_MAX);
        buf_init(&versions, LEDGER_ENTRY_MAX);
        if (i & 1) e.recipient.via = SPAN("edge");
        if (i & 2) e.event = LEDGER_COMPLETION, e.client = span_of(NULL, 0), e.versions.registry = span_of(NULL, 0);
        char *plain = encode(&e);
        assert_true(is_ok(ledger_entry_spell(&e, LEDGER_WHO, &who)) && is_ok(ledger_entry_spell(&e, LEDGER_VERSIONS, &versions)));
        e.spelled.who = buf_span(&who);
        e.spelled.versions = buf_span(&versions);
        char *spelled = encode(&e);
        assert_string_equal(spelled, plain);
        free(plain), free(spelled);
        buf_free(&who);
        buf_free(&versions);
    }
}

static void test_absent_values_are_null_and_completion_counts_bytes(void **state)
{
    (void)state;
    struct ledger_entry e = {.event = LEDGER_COMPLETION,
        .upstream_status = -1,
        .status = -1,
        .duration_us = -1,
        .bytes = 4096,
        .aborted = true,
        .more = true,
        .part = 7};
    char *text = encode(&e);
    check_with_python(text,
        "for k in ('node','request','client','target','upstream_status','status','outcome','duration_us',"
        "'sealed'): assert e[k] is None, k\n"
        "assert all(v is None for v in e['recipient'].values())\n"
        "assert e['time']=='1970-01-01T00:00:00.000000Z' and e['subjects']==[] and e['rules']=={}\n"
        "assert list(e)[-3:]==['sealed','bytes','aborted'] and e['bytes']==4096 and e['aborted'] is True\n"
        "assert e['part']==7 and e['last'] is False\n");
    free(text);
}

/* One line of the text in hex and the entry that holds it. */
static void tell(FILE *f, span text)
{
    struct ledger_entry e = {.event = LEDGER_REFUSAL, .node = text};
    char hex[67], *json = encode(&e);
    hex_encode(text, hex);
    fprintf(f, "%s %s\n", hex, json);
    free(json);
}

/* Eight or sixteen bytes are judged at once, the last ones of a text overlap those before. */
static void test_each_byte_at_the_edges_of_words_as_python_reads_it(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33};
    char path[] = "/tmp/gate1367-texts-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t len = lengths[i], places[] = {0, len / 2, len - 1, len > 8 ? len - 8 : 0};
        for (size_t at = 0; at < ARRAY_LEN(places); at++)
            for (unsigned byte = 0; byte < 0x80; byte++) {
                uint8_t text[33];
                memset(text, byte % 2 ? '~' : ' ', sizeof text);
                text[places[at]] = (uint8_t)byte;
                tell(f, span_of(text, len));
            }
    }
    fclose(f);
    int status = shell("python3 -c \"import json; lines = open('%s', newline='\\n').read().splitlines(); assert len(lines) == 5632\n"
                       "for t, e in (x.split(' ', 1) for x in lines):\n"
                       "    said = json.dumps(bytes.fromhex(t).decode()).replace(chr(127), chr(92) + 'u007f')\n"
                       "    assert json.loads(e) and ('node' + chr(34) + ':' + said + ',') in e, (t, e)\"",
        path);
    unlink(path);
    assert_int_equal(status, 0);
}

/* Whatever a client sends, the entry fits and stays JSON. */
static void test_nothing_makes_an_entry_too_long(void **state)
{
    (void)state;
    static uint8_t junk[70000];
    static const uint8_t fills[] = {0x01, 'a', '"', 0xff, 0xe2};
    for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
        memset(junk, fills[i], sizeof junk);
        span s = span_of(junk, sizeof junk);
        static char subjects[256][LEDGER_PSEUDONYM];
        for (size_t k = 0; k < 256; k++)
            snprintf(subjects[k], LEDGER_PSEUDONYM, "%032zx", k);
        struct ledger_entry e = {.node = s,
            .request = s,
            .recipient = {s, s, s, s, s, s, s, s},
            .client = s,
            .purpose = s,
            .method = s,
            .route = s,
            .target = s,
            .grant = s,
            .exception = s,
            .versions = {s, s, s},
            .subjects = (const char(*)[LEDGER_PSEUDONYM])subjects,
            .subject_count = 256};
        char *text = encode(&e);
        assert_true(strlen(text) <= LEDGER_ENTRY_MAX);
        check_with_python(text, "assert all(e[k].endswith('\\u2026') for k in ('node','client','target','grant'))\n"
                                "assert len(e['subjects'])==256\n");
        free(text);
    }
}

struct parts {
    unsigned count, subjects, rules;
    bool ended;
    char nonces[64][33];
};

static result see_part(void *ctx, span part)
{
    struct parts *p = ctx;
    assert_true(part.len <= LEDGER_ENTRY_MAX);
    assert_false(p->ended);
    char *text = calloc(1, part.len + 1);
    assert_non_null(text);
    memcpy(text, part.ptr, part.len);
    const char *nonce = strstr(text, "\"nonce\":\"");
    assert_non_null(nonce);
    memcpy(p->nonces[p->count], nonce + 9, 32);
    for (unsigned i = 0; i < p->count; i++)
        assert_string_not_equal(p->nonces[i], p->nonces[p->count]);
    char expected[32];
    snprintf(expected, sizeof expected, "\"part\":%u,", ++p->count);
    assert_non_null(strstr(text, expected));
    p->ended = strstr(text, "\"last\":true") != NULL;
    for (const char *at = strstr(text, "\"subjects\":["); at && *at != ']'; at++)
        p->subjects += *at == 'f';
    for (const char *at = text; (at = strstr(at, "rule-")); at++)
        p->rules++;
    free(text);
    return OK;
}

static void test_many_subjects_and_rules_become_parts(void **state)
{
    (void)state;
    static char subjects[1000][LEDGER_PSEUDONYM], names[800][64];
    static struct ledger_count rules[800];
    for (size_t i = 0; i < 1000; i++)
        snprintf(subjects[i], LEDGER_PSEUDONYM, "f%031d", 0);
    for (size_t i = 0; i < 800; i++) {
        snprintf(names[i], sizeof names[i], "rule-%050zu", i);
        rules[i] = (struct ledger_count){span_str(names[i]), i};
    }
    struct ledger_entry e = {.subjects = (const char(*)[LEDGER_PSEUDONYM])subjects,
        .subject_count = 1000,
        .rules = rules,
        .rule_count = 800};
    struct buf scratch;
    struct parts p = {0};
    buf_init(&scratch, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ledger_entry_parts(&e, &scratch, see_part, &p)));
    buf_free(&scratch);
    assert_true(p.ended);
    assert_true(p.count >= 4);
    assert_int_equal(p.subjects, 1000);
    assert_int_equal(p.rules, 800);
}

static void test_times_agree_with_date(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t us;
    } times[] = {/* date -u -d … +%s */ {"2000-02-29T23:59:59.999999Z", UINT64_C(951868799999999)},
        {"2026-11-21T22:04:21.123456Z", UINT64_C(1795298661123456)},
        {"2100-03-01T00:00:00.000000Z", UINT64_C(4107542400000000)}, {"1970-01-01T00:00:00.000000Z", 0}};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[LEDGER_TIME_TEXT];
        uint64_t us;
        ledger_time_format(times[i].us, text);
        assert_string_equal(text, times[i].text);
        assert_true(ledger_time_parse(span_str(text), &us));
        assert_int_equal(us, times[i].us);
    }
    uint64_t a, b;
    assert_true(ledger_time_parse(SPAN("2026-11-22T00:04:21+02:00"), &a));
    assert_true(ledger_time_parse(SPAN("2026-11-21T22:04:21Z"), &b));
    assert_int_equal(a, b);
    static const char *const bad[] = {"", "2026", "2026-02-29", "2026-13-01", "2026-11-21T24:00:00Z",
        "2026-11-21T22:04:21", "2026-11-21T22:04:21Zx", "2026-11-21T22:04:21.Z", "1969-12-31",
        "2026-11-21T22:04:21+0200"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(ledger_time_parse(span_str(bad[i]), &a));
}

//= RFC9562 5.7
static void test_request_id_of_the_rfc(void **state)
{
    (void)state;
    char id[LEDGER_REQUEST_ID];
    /* RFC 9562 appendix A.6: 0x017F22E279B0, rand_a 0xCC3, rand_b 0b01, 0x8C4DC0C0C07398F */
    ledger_request_id(
        UINT64_C(0x017F22E279B0), (const uint8_t[]){0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F}, id);
    assert_string_equal(id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void test_pseudonyms_as_openssl_computes_them(void **state)
{
    (void)state;
    struct ledger_root root = {0};
    struct ledger_month m = {0};
    char out[LEDGER_PSEUDONYM];
    for (size_t i = 0; i < 32; i++)
        root.key[i] = (uint8_t)i;
    assert_true(ledger_month_update(&m, &root, UINT64_C(1795298661000000)));
    assert_true(ledger_pseudonym(&m, SPAN("alien_number"), SPAN("A012345678"), out));
    assert_int_equal(shell("k=$(printf 2026-11 | openssl dgst -sha256 -mac hmac -macopt "
                           "hexkey:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -r | cut -c1-64); "
                           "p=$(printf 'alien_number\\000A012345678' | openssl dgst -sha256 -mac hmac -macopt "
                           "hexkey:$k -r | cut -c1-32); "
                           "test $p = %s",
                         out),
        0);
    char december[LEDGER_PSEUDONYM], other[LEDGER_PSEUDONYM];
    assert_true(ledger_pseudonym(&m, SPAN("ssn"), SPAN("A012345678"), other));
    assert_string_not_equal(out, other);
    assert_true(ledger_month_update(&m, &root, UINT64_C(1795298661000000) + UINT64_C(10) * 86400000000));
    assert_true(ledger_pseudonym(&m, SPAN("alien_number"), SPAN("A012345678"), december));
    assert_string_not_equal(out, december);
}

static void test_words_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < LEDGER_EVENT_COUNT; i++) {
        enum ledger_event e;
        assert_true(ledger_event_parse(span_str(ledger_event_name((enum ledger_event)i)), &e));
        assert_int_equal(e, i);
    }
    for (int i = 1; i < LEDGER_OUTCOME_END; i++) {
        enum ledger_outcome o;
        assert_true(ledger_outcome_parse(span_str(ledger_outcome_name((enum ledger_outcome)i)), &o));
        assert_int_equal(o, i);
    }
    enum ledger_event none;
    assert_false(ledger_event_parse(SPAN("disclosur"), &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_the_contract_as_python_reads_it),
        cmocka_unit_test(test_a_trusted_proxy_is_named_last),
        cmocka_unit_test(test_what_was_spelled_before_is_said_alike),
        cmocka_unit_test(test_absent_values_are_null_and_completion_counts_bytes),
        cmocka_unit_test(test_each_byte_at_the_edges_of_words_as_python_reads_it),
        cmocka_unit_test(test_nothing_makes_an_entry_too_long),
        cmocka_unit_test(test_many_subjects_and_rules_become_parts),
        cmocka_unit_test(test_times_agree_with_date),
        cmocka_unit_test(test_request_id_of_the_rfc),
        cmocka_unit_test(test_pseudonyms_as_openssl_computes_them),
        cmocka_unit_test(test_words_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
