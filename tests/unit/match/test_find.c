/* What is found, and in which unit. The values and what must come of them are the contract's and 10-domain's; none is
 * taken from what the program says. */
#include "support.h"

#include "match/world.h"

static struct world world;

struct sample {
    const char *body;
    const char *findings;
};

static void check_samples(const char *path, enum doc_format format, const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int prefilter = 1; prefilter >= 0; prefilter--) {
            world_prefilter(&world, prefilter);
            const struct match_survey *s = world_survey(&world, path, format, span_str(samples[i].body));
            if (!s || strcmp(world_findings(&world, s), samples[i].findings) != 0)
                fail_msg("%s\n  prefilter %d: \"%s\", not \"%s\"", samples[i].body, prefilter,
                    s ? world_findings(&world, s) : "(no survey)", samples[i].findings);
        }
    world_prefilter(&world, true);
}

/* Each value stands at "x" of the second element of $.items. */
static void check_values(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char body[1024];
        snprintf(body, sizeof body, "{\"items\":[{\"x\":1},{%s}],\"total\":2}", samples[i].body);
        const struct sample one = {body, samples[i].findings};
        check_samples("/list", DOC_JSON, &one, 1);
    }
}

//= 10-domain 2.1
//= 10-domain 2.2
static void test_spellings(void **state)
{
    static const struct sample samples[] = {
        {"\"x\":\"A012345678\"", "a-number@0/1"},
        {"\"x\":\"A 012-345-678\"", "a-number@0/1"},
        {"\"x\":\"Alien No. 012345678\"", "a-number@0/1"},
        {"\"x\":\"AZ12345678\"", "a-number@0/1"},
        {"\"x\":\"A-File No. 012-345-678\"", "a-number@0/1"},
        {"\"x\":\"A\xE2\x80\x91"
         "012\xE2\x80\x91"
         "345\xE2\x80\x91"
         "678\"",
            "a-number@0/1"},
        {"\"x\":\"A\xC2\xA0"
         "012\xC2\xA0"
         "345\xC2\xA0"
         "678\"",
            "a-number@0/1"},
        {"\"x\":\"A#:012345678\"", "a-number@0/1"},
        {"\"x\":\"a12345678\"", "a-number@0/1"},
        {"\"x\":\"\xD0\x90"
         "012345678\"",
            "a-number@0/1"}, /* Cyrillic letter */
        {"\"x\":\"012345678\"", "a-number@0/1"},
        {"\"x\":\"012-345-678\"", "a-number@0/1"},
        {"\"x\":\"(012345678)\"", "a-number@0/1"},
        {"\"x\":\"012 345678\"", "a-number@0/1"},
        {"\"x\":\"01-2345678\"", "a-number@0/1"},
        {"\"x\":\"0 1 2 3 4 5 6 7 8\"", "a-number@0/1"},
        {"\"x\":\"012_345_678\"", "a-number@0/1"},
        {"\"x\":\"file 012 - 345 - 678.\"", "a-number@0/1"},
        {"\"x\":\"012-345-\\n678\"", "a-number@0/1"},
        {"\"x\":\"0123\\u201145678\"", "a-number@0/1"},
        {"\"x\":\"555-66-6777\"", ""}, /* as a social security number is written */
        {"\"x\":\"55566-6777\"", ""},  /* as a long ZIP code is */
        {"\"x\":\"on 5556-66-77 7 persons\"", ""}, /* a day and a number */
        {"\"x\":\"55-56-6677 7\"", ""},
        {"\"x\":\"7 5556-66-77\"", ""},
        {"\"x\":\"2056-66777\"", ""}, /* a year and a serial: a case, or what is published under such numbers */
        {"\"x\":\"see CVE-2056-66777.\"", ""},
        {"\"x\":\"2056 66777\"", "a-number@0/1"},
        {"\"x\":\"20560304-6.jpg\"", ""}, /* a day and a number */
        {"\"x\":\"3 20560304\"", ""},
        {"\"x\":\"01234567-8\"", "a-number@0/1"},
        {"\"x\":[\"2021-20191\",\"2022-20191\",\"2023-20192\",\"2021-20193\",\"2056-66777\",\"0123-45678\"]", "a-number@0/1"},
        {"\"x\":\"216.012.345.678\"", ""}, /* addresses of the network */
        {"\"x\":\"012.345.678.9\"", ""},
        {"\"x\":\"dsl-012-345-678-53.example.net\"", ""},
        {"\"x\":\"dsl-01-23-45-678.example.net\"", ""},
        {"\"x\":\"012.345.678.\"", "a-number@0/1"},
        {"\"x\":\"012 345 678 9\"", "a-number@0/1"},
        {"\"x\":\"01.2345678\"", ""},  /* a fraction */
        {"\"x\":\"01.234.56.78\"", ""}, /* an address of the network */
        {"\"x\":\"0-12-3456 78:00\"", ""}, /* a day and a time */
        {"\"x\":\"9/012 345678\"", ""},
        {"\"x\":\"012 345678 9\"", ""},
        {"\"x\":\"x012 345678\"", ""},
        {"\"aNumber\":\"0012345678\"", "a-number@0/1"}, /* a column's width */
        {"\"aNumber\":\"000000012345678\"", "a-number@0/1"},
        {"\"aNumber\":\"1012345678\"", ""},
        {"\"aNumber\":\"O12345678\"", "a-number@0/1"}, /* read from paper */
        {"\"aNumber\":\"A l2345678\"", "a-number@0/1"},
        {"\"aNumber\":\"A0I234S67B\"", "a-number@0/1"},
        {"\"aNumber\":\"OISB45678\"", ""},
        {"\"badge\":\"O12345678\"", ""},
        {"\"x\":123456789", ""}, /* the SSN of S-1, and nobody's A-number */
        {"\"x\":555666777", "a-number@0/1"},
        {"\"x\":555666777.0", "a-number@0/1"},
        {"\"x\":5.55666777E8", "a-number@0/1"},
        {"\"aNumber\":12345678", "a-number@0/1"},
        {"\"aNumber\":12345678.0", "a-number@0/1"},
        {"\"aNumber\":1.2345678e7", "a-number@0/1"},
        {"\"aNumber\":1234567800e-2", "a-number@0/1"},
        {"\"aNumber\":811", "a-number@0/1"}, /* a number has lost its zeros */
        {"\"aNumber\":\"12345678\"", "a-number@0/1"},
        {"\"A_NUMBER\":\"12345678\"", "a-number@0/1"},
        {"\"Alien File Number\":\"12345678\"", "a-number@0/1"},
        {"\"aNumbers\":[\"1\",\"12345678\"]", "a-number@0/1"},
        {"\"aNumber\":{\"value\":\"12345678\"}", "a-number@0/1"},
        {"\"aNumber\":{\"identificationID\":12345678}", "a-number@0/1"},
        {"\"aNumber\":{\"code\":12345678}", "a-number@0/1"},
        {"\"aNumber\":{\"category\":\"12345678\"}", "a-number@0/1"},
        {"\"aNumber\":\"12/345/678\"", "a-number@0/1"},
        {"\"aNumber\":\"12_345_678\"", "a-number@0/1"},
        {"\"aNumbers\":[{\"id\":\"12345678\"}]", "a-number@0/1"},
        {"\"x\":"
         "\"\xEF\xBC\xA1\xEF\xBC\x90\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94\xEF\xBC\x95\xEF\xBC\x96\xEF\xBC"
         "\x97\xEF\xBC\x98\"",
            "a-number@0/1"}, /* fullwidth */
        {"\"x\":\"A\xD9\xA0\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4\xD9\xA5\xD9\xA6\xD9\xA7\xD9\xA8\"",
            "a-number@0/1"}, /* Arabic-Indic */
        {"\"x\":\"A0123\xE2\x80\x8B"
         "45678\"",
            "a-number@0/1"}, /* zero-width space */
        {"\"x\":\"\\u0041\\u0030\\u0031\\u0032345678\"", "a-number@0/1"},
        {"\"x\":\"%41%30%31%32345678\"", "a-number@0/1"},
        {"\"x\":\"%2541012345678\"", "a-number@0/1"},
        {"\"x\":\"QTAxMjM0NTY3OA==\"", "a-number@0/1"},
        {"\"x\":\"QTAxMjM0NTY3OA\"", "a-number@0/1"},
        {"\"x\":\"see /files/QTAxMjM0NTY3OA== there\"", "a-number@0/1"},
        {"\"x\":\"UVRBeE1qTTBOVFkzT0E9PQ==\"", "a-number@0/1"},
        {"\"x\":\"JTQxMDEyMzQ1Njc4\"", "a-number@0/1"},    /* base64 of %41012345678 */
        {"\"x\":\"77-9QTAxMjM0NTY3OC4\"", "a-number@0/1"}, /* base64url of U+FFFD and A012345678. */
        //= RFC2045 6.8  the number across two lines; made by Python's base64
        {"\"x\":\"cmVwb3J0IHggeCBhbmQgbW9yZSBvZiBpdCBhbmQgbW9yZSBhbmQgbW9yZSBBMDEy\\r\\nMzQ1Njc4LiA=\"", "a-number@0/1"},
        {"\"x\":\"JVBERi0xLjcg\\nQTAx\\nMjM0NTY3OA==\\n.\"", "a-number@0/1"},
        {"\"x\":\"word/R3LDtsOfZT8/IMO/w78gRUFDMjE5MDAxMjM0NSDDv8O/Pj4=\"", "receipt@0/1"}, /* slashes of a path and of base64 */
        {"\"x\":\"I213_A012345678.pdf\"", "a-number@0/1"},
        {"\"x\":\"EAC-21-900-12345\"", "receipt@0/1"},
        {"\"x\":\"eac2190012345\"", "receipt@0/1"},
        {"\"x\":\"EAC*999910340\"", "receipt@0/1"},
        {"\"x\":\"her SSN is 123-45-6789.\"", "ssn@0/1"},
        {"\"x\":\"123 45 6789\"", "ssn@0/1"},
        {"\"ssn\":\"123456789\"", "ssn@0/1"},
        {"\"ssn\":123456789", "ssn@0/1"},
        {"\"ssn\":12345678", "ssn@0/1"}, /* 012-34-5678 of S-2 */
        {"\"x\":\"G12345678\"", "passport@0/1"},
        {"\"passportNumber\":\"G12345678\"", "passport@0/1"},
        {"\"A012345678\":true", "a-number@0/1"},
        {"\"\\u0041012345678\":{}", "a-number@0/1"},
        {"\"012345678\":[]", "a-number@0/1"},
        {"\"personId\":90210017", "key@0/1"},
        {"\"personId\":\"90210017\"", "key@0/1"},
        {"\"personId\":\" 090210017 \"", "key@0/1"},
        {"\"a\":{\"b\":[[{\"c\":\"A012345678\"}]]}", "a-number@0/1"},
    };
    (void)state;
    check_values(samples, ARRAY_LEN(samples));
}

/* Made by Python's binascii.hexlify(), quopri.encodestring(), base64.b64encode() and urllib.parse.quote(), or by a format of each byte. */
//= 10-domain L36
static void test_codings(void **state)
{
    static const struct sample samples[] = {
        {"\"x\":\"41303132333435363738\"", "a-number@0/1"},
        {"\"x\":\"0x41303132333435363738\"", "a-number@0/1"},
        {"\"x\":\"\\\\x41303132333435363738\"", "a-number@0/1"}, /* as PostgreSQL shows bytes */
        {"\"x\":\"\\\\x41\\\\x30\\\\x31\\\\x32\\\\x33\\\\x34\\\\x35\\\\x36\\\\x37\\\\x38\"", "a-number@0/1"},
        {"\"x\":\"{\\\"n\\\":\\\"\\\\u00410\\\\u00312345678\\\"}\"", "a-number@0/1"}, /* JSON in JSON */
        {"\"x\":\"{\\\"n\\\":\\\"one line\\\\nA012345678\\\"}\"", "a-number@0/1"}, /* the line is the inner text's */
        {"\"x\":\"a\\\\tA012345678\\\\r\\\\nb\"", "a-number@0/1"},
        {"\"x\":\"{\\\"n\\\":\\\"{\\\\\\\"m\\\\\\\":\\\\\\\"\\\\\\\\u0041012345678\\\\\\\"}\\\"}\"", "a-number@0/1"}, /* and in JSON in JSON */
        {"\"x\":\"n:A0123=\\\\r\\\\n45678\"", "a-number@0/1"},
        {"\"x\":\"C:\\\\notes\\\\A012345678\"", "a-number@0/1"},
        {"\"x\":\"%u0041%u00301%u00322345678\"", ""},
        {"\"x\":\"%u0041%u003012345678\"", "a-number@0/1"}, /* escape() */
        {"\"x\":\"key 73656520303132333435363738207468657265,\"", "a-number@0/1"},
        {"\"x\":\"KEY 73656520303132333435363738207468657265\"", "a-number@0/1"},
        {"\"x\":\"741303132333435363738\"", "a-number@0/1"}, /* a digit too many */
        {"\"x\":\"41303132333435363738e\"", "a-number@0/1"},
        {"\"x\":\"0017ff413031323334353637380080\"", "a-number@0/1"}, /* a text among other bytes */
        {"\"x\":\"efbca1efbc90efbc91efbc92efbc93efbc94efbc95efbc96efbc97efbc98\"", "a-number@0/1"},
        {"\"x\":\"EFBCA1EFBC90EFBC91EFBC92EFBC93EFBC94EFBC95EFBC96EFBC97EFBC98\"", "a-number@0/1"},
        {"\"x\":\"45414332313930303132333435\"", "receipt@0/1"},
        {"\"x\":41303132333435363738", ""}, /* a number is one */
        {"\"aNumber\":\"3132333435363738\"", "a-number@0/1"},
        {"\"41303132333435363738\":1", "a-number@0/1"},
        {"\"x\":\"3431333033313332333333343335333633373338\"", "a-number@0/1"},
        {"\"x\":\"515441784d6a4d304e5459334f413d3d\"", "a-number@0/1"},
        {"\"x\":\"NDEzMDMxMzIzMzM0MzUzNjM3Mzg=\"", "a-number@0/1"},
        {"\"x\":\"253431253330253331253332253333253334253335253336253337253338\"", "a-number@0/1"},
        {"\"x\":\"%34%31%33%30%33%31%33%32%33%33%33%34%33%35%33%36%33%37%33%38\"", "a-number@0/1"},
        {"\"x\":\"4e44457a4d444d784d7a497a4d7a4d304d7a557a4e6a4d334d7a673d\"", ""}, /* three levels */
        //= RFC2045 6.7
        {"\"x\":\"=41=30=31=32=33=34=35=36=37=38\"", "a-number@0/1"},
        {"\"x\":\"A=30=31=32345678\"", "a-number@0/1"},
        {"\"x\":\"a =41 012=2d345=2D678\"", "a-number@0/1"},
        {"\"x\":\"no.=3D=3012345678\"", "a-number@0/1"},
        {"\"x\":\"A0123=\\r\\n45678\"", "a-number@0/1"},
        {"\"x\":\"A0123=\\n45678\"", "a-number@0/1"},
        {"\"x\":\"est=C3=A1 en tr=C3=A1mite ante la oficina y sigue pendiente desde A01234=\\n5678 hace\"", "a-number@0/1"},
        {"\"A=30=31=32345678\":1", "a-number@0/1"},
        {"\"x\":\"3d34313d33303d33313d33323d33333d33343d33353d33363d33373d3338\"", "a-number@0/1"},
        {"\"x\":\"=34=31=33=30=33=31=33=32=33=33=33=34=33=35=33=36=33=37=33=38\"", "a-number@0/1"},
        {"\"x\":\"PTQxPTMwPTMxPTMyPTMzPTM0PTM1PTM2PTM3PTM4\"", "a-number@0/1"},
        {"\"x\":\"=3D41=3D30=3D31=3D32345678\"", "a-number@0/1"},
        {"\"x\":\"?alien=0123%345678\"", "a-number@0/1"}, /* "=01" is no character of a text */
        {"\"x\":\"?alien=0123=345678\"", "a-number@0/1"},
        //= RFC3986 2.1
        {"\"x\":\"%252541012345678\"", "a-number@0/1"},
        /* what a form sends: by Python's urllib.parse.urlencode() */
        {"\"x\":\"https://example.org/?q=of+A+012+345+678%21&n=1\"", "a-number@0/1"},
        {"\"x\":\"q=EAC+21+900+12345&n=1\"", "receipt@0/1"},
        {"\"x\":\"A+012+345+678 & 1\"", ""}, /* no form's */
        {"\"x\":\"%25252541012345678\"", ""}, /* four rounds */
        /* UTF-16, as Windows' programs write it in base64; by Python's codecs */
        {"\"x\":\"QQAwADEAMgAzADQANQA2ADcAOAA=\"", "a-number@0/1"},
        {"\"x\":\"AEEAMAAxADIAMwA0ADUANgA3ADg\"", "a-number@0/1"},
        {"\"x\":\"//5BADAAMQAyADMANAA1ADYANwA4AA==\"", "a-number@0/1"},
        {"\"x\":\"ZQBsACAAYwBhAHMAbwAgAEEAMAAxADIAMwA0ADUANgA3ADgAIABlAHMAdADhAA==\"", "a-number@0/1"},
        {"\"x\":\"RgBvAHIAbQAgAEkALQA5ADEAOAA=\"", "i918@0/1"},
        {"\"x\":\"AEkALQA5ADEAOA==\"", "i918@0/1"},
        {"\"x\":\"UQBRAEEAdwBBAEQARQBBAE0AZwBBAHoAQQBEAFEAQQBOAFEAQQAyAEEARABjAEEATwBBAEEAPQA=\"", "a-number@0/1"},
        {"\"x\":\"51514177414445414d67417a414451414e514132414463414f41413d\"", "a-number@0/1"},
        /* what is none */
        {"\"x\":\"d41d8cd98f00b204e9800998ecf8427e\"", ""},
        {"\"x\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"", ""},
        {"\"x\":\"550e8400-e29b-41d4-a716-446655440000\"", ""},
        {"\"x\":\"4130313233343536373\"", ""}, /* A01234567 and half an eight */
    };
    (void)state;
    check_values(samples, ARRAY_LEN(samples));
}

//= 10-domain 2.1
static void test_traps(void **state)
{
    static const struct sample samples[] = {
        {"\"x\":\"20210301\"", ""}, /* S-3's A-number, and a date */
        {"\"x\":\"2021-03-01\"", ""},
        {"\"alienEntry\":\"2021-03-01\"", ""},
        {"\"x\":20210301", ""},
        {"\"x\":\"12345678\"", ""},
        {"\"x\":\"617-555-0123\"", ""},
        {"\"x\":\"XA012345678\"", ""},
        {"\"x\":\"DA12345678\"", ""},
        {"\"x\":\"A0123456780\"", ""},
        {"\"x\":\"a012345678x\"", ""},
        {"\"x\":\"0123456780\"", ""},
        {"\"x\":\"A1234567\"", ""},           /* a driving licence that nobody registered */
        {"\"x\":\"A099888777\"", ""},         /* S-5's request was denied for good */
        {"\"ssn\":\"012345678\"", "ssn@0/1"}, /* S-2's, and not S-1's A-number */
        {"\"ssn\":\"555666777\"", ""},        /* under a label only as that kind */
        {"\"aNumber\":\"123456789\"", ""},
        {"\"aNumber\":12345678.5", ""},
        {"\"aNumber\":-12345678", ""},
        {"\"x\":555666777.25", ""},
        {"\"x\":0.555666777e8", ""},
        {"\"x\":\"123456789\"", ""}, /* bare nine digits are no SSN */
        {"\"x\":\"ABCEAC2190012345\"", ""},
        {"\"x\":90210017", ""},  /* a surrogate key counts where a profile says so */
        {"\"personId\":77", ""}, /* another system's */
        {"\"x\":{\"id\":\"12345678\"}", ""},
    };
    (void)state;
    check_values(samples, ARRAY_LEN(samples));
}

//= 10-domain 2.3
//= 10-domain 2.5
static void test_markers(void **state)
{
    static const struct sample samples[] = {
        {"\"coa\":\"384\"", "coa@0/1"},
        {"\"coa\":384", "coa@0/1"},
        {"\"coa\":384.0", "coa@0/1"},
        {"\"Class_Of_Admission_Code\":\"das\"", "coa@0/1"},
        {"\"coa\":{\"value\":\"DAS\"}", "coa@0/1"},
        {"\"coa\":[\"B2\",\"DAS\"]", "coa@0/1"},
        {"\"room\":\"384\"", ""},
        {"\"room\":384", ""},
        {"\"x\":\"filed Form I-918 in May\"", "i918@0/1"},
        {"\"x\":\"I-9180\"", ""},
        {"\"x\":\"form i\\u002d918\"", "i918@0/1"},
        {"\"x\":\"I\xE2\x80\x91"
         "918\"",
            "i918@0/1"},
        {"\"x\":\"I-9\xE2\x80\x8B"
         "18\"",
            "i918@0/1"},
        {"\"x\":\"I-%39%31%38\"", "i918@0/1"},
        {"\"x\":\"Rm9ybSBJLTkxOA==\"", "i918@0/1"},
        {"\"I-918\":1", "i918@0/1"},
        {"\"x\":\"in a SHELTER\"", "shelter@0/1"},
        {"\"x\":\"sheltered\"", ""},
    };
    (void)state;
    check_values(samples, ARRAY_LEN(samples));
}

static void test_units(void **state)
{
    static const struct sample list[] = {
        {"{\"items\":[],\"total\":0,\"who\":\"A012345678\"}", "a-number@-"},
        {"{\"items\":[{\"associates\":[{\"a\":1},{\"a\":\"A012345678\"}],\"b\":1}]}", "a-number@1/1"},
        {"{\"items\":[{\"associates\":[{\"a\":1}],\"b\":\"A012345678\"}]}", "a-number@0/0"},
        {"{\"items\":[{\"narrative\":\"saw A012345678\"}]}", "a-number@0/0t"},
        {"{\"items\":[{\"narrative\":{\"A012345678\":{\"coa\":384}}}]}", "a-number@0/0t coa@0/0t"},
        {"{\"items\":[{\"notes\":[\"A012345678\"]}]}", "a-number@0/0"},
        {"{\"echo\":\"A012345678\",\"items\":[]}", "a-number@-"},
        {"{\"items\":[{\"aNumber\":\"555666777\"}]}", "a-number@0/0"},
        {"{\"items\":[{\"a\":1,\"a\":2},{\"a\":\"\\ud800\"},{\"a\\u0000\":1}]}", "flaw@0/0 flaw@0/1 flaw@0/2"},
        {"{\"items\":[1,\"A012345678\",null]}", "a-number@0/1"},
        {"{\"items\":[],\"items\":[]}", "flaw@-"},
    };
    static const struct sample map[] = {
        {"{\"byNumber\":{\"A012345678\":{\"a\":1},\"A1\":{\"a\":2}}}", "a-number@0/0"},
        {"{\"byNumber\":{\"x\":{\"a\":1},\"012345678\":2}}", "a-number@0/1"},
    };
    static const struct sample one[] = {
        {"{\"a\":\"A012345678\"}", "a-number@0/0"},
        {"{\"personId\":90210017,\"narrative\":\"A555666777\"}", "a-number@0/0t key@0/0"},
        {"\"A012345678\"", "a-number@0/0"},
        {"[{\"aNumber\":12345678}]", "a-number@0/0"},
    };
    static const struct sample lines[] = {
        {"{\"a\":1}\n{\"a\":\"A012345678\"}\n\n{\"a\":3}\n", "a-number@0/1"},
        {"{\"a\":1}\n{\"a\":\n{\"associates\":[1,\"G12345678\"]}", "flaw@0/1 passport@1/1"},
        {"\"A012345678\"\n555666777", "a-number@0/0 a-number@0/1"},
        {"{\"associates\":[{\"a\":\"A012345678\"\n{}", "a-number@1/0 flaw@0/0"},
    };
    static const struct sample plain[] = {{"{\"a\":1}\n{\"a\":\n[3]\n", "flaw@0/1"}};
    (void)state;
    check_samples("/list", DOC_JSON, list, ARRAY_LEN(list));
    check_samples("/map", DOC_JSON, map, ARRAY_LEN(map));
    check_samples("/one", DOC_JSON, one, ARRAY_LEN(one));
    check_samples("/lines", DOC_NDJSON, lines, ARRAY_LEN(lines));
    check_samples("/plain", DOC_NDJSON, plain, ARRAY_LEN(plain));
}

/* An A-number of two protected persons names both. */
static void test_two_subjects(void **state)
{
    (void)state;
    const struct match_survey *s = world_survey(&world, "/one", DOC_JSON, SPAN("{\"a\":\"A555666777\"}"));
    assert_non_null(s);
    assert_int_equal(s->finding_count, 2);
    assert_true(s->findings[0].subject != s->findings[1].subject);
    assert_int_equal(s->findings[0].origin, MATCH_REGISTRY);
    assert_int_equal(s->findings[0].kind, REGISTRY_ALIEN_NUMBER);
    assert_int_equal(s->findings[0].at, 6);
    assert_int_equal(s->findings[0].len, 10);
}

/* More candidates than a batch holds, all in one value and over many. */
static void test_batches(void **state)
{
    static char body[65536];
    (void)state;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"items\":[");
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(
            body + n, sizeof body - n, "%s{\"x\":\"A%09d\"}", i ? "," : "", i % 100 == 99 ? 12345678 : 300000000 + i);
    snprintf(body + n, sizeof body - n, "]}");
    const struct match_survey *s = world_survey(&world, "/list", DOC_JSON, span_str(body));
    assert_non_null(s);
    assert_int_equal(s->finding_count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(s->pieces[s->findings[i].unit].ordinal, 100 * i + 99);
    n = (size_t)snprintf(body, sizeof body, "\"");
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "A%09d ", 300000000 + i);
    snprintf(body + n, sizeof body - n, "A012345678\"");
    s = world_survey(&world, "/one", DOC_JSON, span_str(body));
    assert_non_null(s);
    assert_string_equal(world_findings(&world, s), "a-number@0/0");
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

static const char *scan_field(const char *name, const char *value)
{
    const struct match_survey *s = NULL;
    static const struct doc_window w = {.data = (const uint8_t *)"{}", .len = 2, .complete = true};
    world_begin(&world, "/list", DOC_JSON);
    match_scan_field(world.match, span_str(name), span_str(value));
    assert_int_equal(match_feed(world.match, &w), DOC_COMPLETE);
    assert_ok(match_finish(world.match, &s));
    for (size_t i = 0; i < s->finding_count; i++)
        assert_true(s->findings[i].in_name && !s->findings[i].in_text);
    return world_findings(&world, s);
}

/* As a member of that name would be read, outside every unit. */
static void fields_of_the_head(void **state)
{
    (void)state;
    assert_string_equal(scan_field("X-A", "A012345678"), "a-number@-");
    assert_string_equal(scan_field("X-A", "no. 012-345-678."), "a-number@-");
    assert_string_equal(scan_field("X-A", "%41012345678, QTAxMjM0NTY3OA=="), "a-number@-");
    assert_string_equal(scan_field("Alien-Registration", "12345678"), "a-number@-");
    assert_string_equal(scan_field("X-A", "12345678"), "");
    assert_string_equal(scan_field("X-A", "form I-918"), "i918@-");
    assert_string_equal(scan_field("Class-Of-Admission", "384"), "coa@-");
    assert_string_equal(scan_field("X-A", "384"), "");
    assert_string_equal(scan_field("X-A", ""), "");
}

/* A value behind many others that differ from it in little, of which all is known by then: each says what it says alone. */
//= 10-domain 2.1
#define BEFORE 40
static void check_behind(const char *others, const char *value, const char *findings)
{
    static char body[1 << 14];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"items\":[");
    for (unsigned i = 0; i < BEFORE; i++) {
        n += (size_t)snprintf(body + n, sizeof body - n, "{");
        n += (size_t)snprintf(body + n, sizeof body - n, others, 10 + i); // NOLINT: each has one %u
        n += (size_t)snprintf(body + n, sizeof body - n, ",\"next\":%u},", i);
    }
    snprintf(body + n, sizeof body - n, "{%s,\"next\":0}],\"total\":41}", value);
    const struct sample one = {body, findings};
    check_samples("/list", DOC_JSON, &one, 1);
}

/* {"type": "SSN", "id": …} is {"SSN": {"id": …}}. */
//= 10-domain 3.3
static void test_beside(void **state)
{
    (void)state;
    static const struct sample values[] = {
        {"\"type\":\"SSN\",\"id\":\"123456789\"", "ssn@0/1"},
        {"\"id\":\"123456789\",\"type\":\"SSN\"", "ssn@0/1"},
        {"\"x\":{\"id\" : 123456789 ,\n\"idType\":\"Social Security\"}", "ssn@0/1"},
        {"\"x\":{\"nc:IdentificationID\":\"123456789\",\"nc:IdentificationCategoryText\":\"SSN\"}", "ssn@0/1"},
        {"\"x\":[{\"key\":\"coa\",\"value\":\"DAS\"},{\"key\":\"room\",\"value\":\"384\"}]", "coa@0/1"},
        {"\"x\":{\"t\\u0079pe\":\"SS\\u004e\",\"id\":\"12345678\\u0039\"}", "ssn@0/1"},
        {"\"type\":\"SSN\",\"x\":{\"}\":[\"{\",\"\\\"\"]},\"number\":123456789", "ssn@0/1"},
        {"\"type\":\"alien number\",\"value\":12345678.0", "a-number@0/1"},
        {"\"type\":\"SSN\",\"kind\":\"coa\",\"code\":\"384\",\"id\":123456789", "coa@0/1 ssn@0/1"},
        {"\"type\":\"SSN\",\"x\":{\"value\":12,\"y\":{\"}\":1}},\"number\":123456789", "ssn@0/1"},
        {"\"x\":[{\"kind\":\"a\",\"value\":\"{\"},{\"value\":\"}]\"}],\"kind\":\"SSN\",\"id\":123456789", "ssn@0/1"},
        {"\"type\":\"category\",\"kind\":\"SSN\",\"otherKind\":\"SSN\",\"id\":123456789", "ssn@0/1"},
        {"\"kindText\":\"SSN\",\"id\":\"123456789\"", "ssn@0/1"},
        {"\"idType2\":\"SSN\",\"idNumber2\":\"123456789\",\"idType1\":\"badge\",\"idNumber1\":1", "ssn@0/1"},
        {"\"key_1\":\"SSN\",\"value_1\":\"123456789\"", "ssn@0/1"},
        {"\"ssn\":{\"value_1\":\"123456789\"}", "ssn@0/1"},
        {"\"aliens\":[{\"ssn.value\":\"123456789\"}]", "ssn@0/1"},
        {"\"type\":\"SSN\",\"badge\":123456789", ""},
        {"\"type\":\"badge\",\"id\":123456789", ""},
        {"\"name\":\"SSN\",\"id\":123456789", ""}, /* people have names and ids */
        {"\"type\":\"SSN\",\"x\":{\"id\":123456789}", ""},
        {"\"x\":{\"type\":\"SSN\"},\"id\":123456789", ""},
        {"\"type\":[\"SSN\"],\"id\":123456789", ""},
        {"\"type\":\"SSN\",\"id\":-123456789", ""},
    };
    static const struct sample lists[] = {
        {"{\"items\":[{\"associates\":[{\"type\":\"SSN\",\"id\":123456789}]}]}", "ssn@1/0"},
        {"{\"items\":[{\"narrative\":{\"type\":\"SSN\",\"id\":123456789}}]}", "ssn@0/0t"},
        {"{\"items\":[],\"type\":\"SSN\",\"id\":123456789}", "ssn@-"},
    };
    static const struct sample units[] = { /* themselves */
        {"{\"byNumber\":{\"type\":\"SSN\",\"id\":\"123456789\",\"x\":1}}", "ssn@0/1"},
        {"{\"byNumber\":{\"type\":\"SSN\",\"x\":1,\"ids\":[\"123456789\"]}}", "ssn@0/2"},
    };
    static const struct sample elements[] = {
        {"{\"type\":\"SSN\",\"values\":[1,\"123456789\"]}", "ssn@0/1"},
        {"{\"type\":\"SSN\",\"numbers\":[1,\"123456789\"]}", "ssn@-t"},
    };
    check_values(values, ARRAY_LEN(values));
    check_samples("/list", DOC_JSON, lists, ARRAY_LEN(lists));
    check_samples("/map", DOC_JSON, units, ARRAY_LEN(units));
    check_samples("/values", DOC_JSON, elements, ARRAY_LEN(elements));
}

/* What a value is, said one level deeper, and of what stands in a list. The code, its system and its text are FHIR's (v2-0203). */
#define SYSTEM "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\""
//= 10-domain 3.3
static void test_beside_deeper(void **state)
{
    (void)state;
    static const struct sample values[] = {
        {"\"type\":{\"text\":\"SSN\"},\"value\":\"123456789\"", "ssn@0/1"},
        {"\"value\":\"123456789\",\"type\":{\"text\":\"Social Security Number\"}", "ssn@0/1"},
        {"\"x\":[{\"use\":\"usual\",\"type\":{\"coding\":[{" SYSTEM ",\"code\":\"ssn\"}]},\"value\":\"123456789\"}]", "ssn@0/1"},
        {"\"type\":{\"coding\":[{" SYSTEM ",\"code\":\"XX\"},{\"display\":\"Social Security number\"}]},\"value\":123456789", "ssn@0/1"},
        {"\"type\":{\"coding\":{\"code\":\"SSN\"}},\"id\":123456789", "ssn@0/1"},
        {"\"idType\":{\"id\":3,\"name\":\"SSN\"},\"idNumber\":\"123456789\"", "ssn@0/1"},
        {"\"type\":\"SSN\",\"values\":[\"7\",\"123456789\"]", "ssn@0/1"},
        {"\"value\":[123456789],\"type\":\"SSN\"", "ssn@0/1"},
        {"\"idType\":\"SSN\",\"ids\":[\"123456789\"]", "ssn@0/1"},
        {"\"x\":[{\"name\":\"ssn\",\"values\":[\"123456789\"]}]", "ssn@0/1"},
        {"\"x\":[{\"values\":[\"B2\",\"384\"],\"key\":\"coa\"}]", "coa@0/1"},
        {"\"type\":{\"x\":\"SSN\"},\"id\":123456789", ""},
        {"\"type\":{\"text\":{\"text\":\"SSN\"}},\"value\":123456789", ""},
        {"\"x\":{\"type\":{\"text\":\"SSN\"}},\"value\":123456789", ""},
        {"\"type\":{\"text\":\"badge\"},\"value\":123456789", ""},
        {"\"type\":\"SSN\",\"values\":[[123456789]]", "ssn@0/1"},
        {"\"key\":\"SSN\",\"value\":{\"stringValue\":\"123456789\"}", "ssn@0/1"},
        {"\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":123456789}]}},\"key\":\"SSN\"", "ssn@0/1"},
        {"\"key\":\"SSN\",\"value\":{\"badge\":123456789}", ""},
        {"\"key\":\"SSN\",\"other\":{\"value\":123456789}", ""},
        {"\"key\":\"form\",\"value\":{\"id\":918}", ""},
        {"\"field\":{\"name\":\"SSN\"},\"value\":123456789", "ssn@0/1"},
        {"\"loc\":[\"body\",\"SSN\"],\"input\":123456789", "ssn@0/1"},
        {"\"loc\":[\"SSN\",\"body\"],\"input\":123456789", ""},
        {"\"name\":\"SSN\",\"ids\":[\"123456789\"]", ""},
        {"\"type\":{\"name\":\"form\"},\"id\":918", ""},
    };
    static const struct sample texts[] = {
        {"{\"items\":[{\"narrative\":{\"type\":{\"text\":\"SSN\"},\"values\":[123456789]}}]}", "ssn@0/0t"},
    };
    check_values(values, ARRAY_LEN(values));
    check_samples("/list", DOC_JSON, texts, ARRAY_LEN(texts));
}

/* Tables, as pandas, Trino, BigQuery, Athena, Elasticsearch, InfluxDB, ClickHouse, Google's sheets and others write them. */
#define ROWS "[[\"A B\",\"7\"],[\"C D\",\"123456789\"]]"
//= 10-domain 3.3
static void test_tables(void **state)
{
    (void)state;
    static const struct sample tables[] = {
        {"{\"columns\":[\"name\",\"ssn\"],\"rows\":" ROWS "}", "ssn@0/1"},
        {"{\"rows\":" ROWS ",\"columns\":[\"name\",\"ssn\"]}", "ssn@0/1"},
        {"{\"columns\":[{\"name\":\"n\",\"type\":\"varchar\"},{\"name\":\"SSN\",\"type\":\"varchar\"}],\"rows\":" ROWS "}", "ssn@0/1"},
        {"{\"schema\":{\"fields\":[{\"name\":\"n\"},{\"type\":\"STRING\",\"name\":\"ssn\"}]},\"rows\":["
         "{\"f\":[{\"v\":\"A\"},{\"v\":\"8\"}]},{\"f\":[{\"v\":\"B\"},{\"v\":\"123456789\"}]}]}", "ssn@0/1"},
        {"{\"ResultSet\":{\"Rows\":[{\"Data\":[{\"VarCharValue\":\"x\"}]},{\"Data\":[{\"VarCharValue\":\"123456789\"}]}],"
         "\"ResultSetMetadata\":{\"ColumnInfo\":[{\"CatalogName\":\"hive\",\"Name\":\"ssn\"}]}}}", "ssn@1/1"},
        {"{\"meta\":[{\"name\":\"coa\",\"type\":\"String\"}],\"rows\":[[\"B2\"],[\"384\"]]}", "coa@0/1"},
        {"{\"manifest\":{\"schema\":{\"columns\":[{\"name\":\"aNumber\",\"position\":0}]}},\"rows\":[[12345678]]}", "a-number@0/0"},
        {"{\"resultSetMetaData\":{\"rowType\":[{\"name\":\"ARN\"}]},\"rows\":[[\"12345678\"]]}", "a-number@0/0"},
        {"{\"columns\":[\"name\",\"ssn\",\"text\"],\"rows\":[[\"A\",1,123456789],[\"B\",2,\"x\"]]}", ""},
        {"{\"columns\":[\"name\",\"a\",\"ssn\"],\"rows\":[[\"A\",1,123456789],[\"B\",2,\"x\"]]}", "ssn@0/0t"},
        {"{\"columns\":[\"s\\u0073n\"],\"rows\":[[\"12345678\\u0039\"]]}", "ssn@0/0"},
        {"{\"columns\":[\"id\",{\"name\":\"ssn\"}],\"index\":[0,1],\"rows\":[[5,null],[6,\"123456789\"],[]]}", "ssn@0/1"},
        {"{\"header\":[\"name\",\"ssn\"],\"total\":123456789,\"rows\":[[\"123456789\",\"x\"]]}", ""},
        {"{\"columns\":[\"name\",\"badge\"],\"rows\":" ROWS "}", ""},
        {"{\"columns\":[\"name\",\"room\"],\"rows\":[[\"x\",\"384\"]]}", ""},
        {"{\"columns\":[\"ssn\"],\"list\":[123456789]}", ""},
        {"{\"columns\":[\"ssn\"],\"y\":{\"x\":[\"123456789\"]}}", ""},
        {"{\"tables\":[{\"columns\":[\"ssn\"]}],\"rows\":[[123456789]]}", ""},
        {"{\"a\":{\"columns\":[\"ssn\"],\"rows\":[[1]]},\"b\":{\"columns\":[\"x\"],\"rows\":[[123456789]]}}", ""},
    };
    static const struct sample sheets[] = {
        {"[[\"name\",\"ssn\"],[\"A\",\"1\"],[\"B\",123456789]]", "ssn@0/2"},
        {"{\"range\":\"A1:B2\",\"values\":[[\"name\",\"ssn\"],[\"A\",\"123456789\"]]}", "ssn@1/1"},
        {"[[null,\"ssn\"],[0,123456789]]", "ssn@0/1"},
        {"[[\"coa\",\"A012345678\"],[\"384\",\"7\"]]", "a-number@0/0"},
        {"[[\"x\",\"A012-345-678\",\"coa\"],[1,2,\"384\"]]", "a-number@0/0"},
        {"[[\"2026-01-31\",\"2026-01-31T00:00:00\",\"field_100123456\",\"ssn\"],[0,1,2,123456789]]", "ssn@0/1"},
        {"[[\"name\",5,\"ssn\"],[\"A\",\"1\",\"123456789\"]]", ""},
        {"[[\"ssn\",\"name\"],[\"A\",\"123456789\"]]", ""},
    };
    static const struct sample lines[] = {
        {"[\"name\",\"ssn\"]\n[\"A\",\"1\"]\n[\"B\",\"123456789\"]\n", "ssn@0/2"},
        {"{\"columns\":[\"name\",\"ssn\"]}\n[\"A\",\"1\"]\n[\"B\",123456789]\n", "ssn@0/2"},
        {"{\"columns\":[\"ssn\"]}\n{\"columns\":[\"x\",\"coa\"]}\n[\"123456789\",384]\n", "coa@0/2"},
        {"{\"columns\":[\"ssn\"],\"data\":[[123456789]]}\n[123456789]\n", "ssn@0/0"},
        {"{\"columns\":[\"ssn\"],\n[123456789]\n", "flaw@0/0"},
        {"{\"columns\":[\"x\",\"ssn\"]}\n{\"row\":[1,123456789]}\n", "ssn@0/1"},
        {"{\"columns\":[\"x\",\"ssn\"]}\n{\"n\":1,\"rows\":[[1,123456789]]}\n", "ssn@0/1"},
        {"{\"id\":1,\"fields\":[\"coa\"]}\n{\"id\":2,\"old\":[\"384\"]}\n", ""},
    };
    static const struct sample plain[] = {
        {"{\"columns\":[\"name\",\"ssn\"],\"data\":" ROWS "}", "ssn@-"},
        {"{\"data\":" ROWS ",\"x\":{\"y\":{\"columns\":[\"name\",\"ssn\"]}}}", "ssn@-"},
        {"{\"result\":{\"data_array\":" ROWS "},\"manifest\":{\"schema\":{\"columns\":[\"name\",\"ssn\"]}}}", "ssn@-"},
        {"{\"results\":[{\"series\":[{\"name\":\"x\",\"columns\":[\"time\",\"ssn\"],\"values\":[[1,123456789]]}]}]}", "ssn@-"},
        {"{\"table\":{\"cols\":[{\"id\":\"A\",\"label\":\"SSN\"}],\"rows\":[{\"c\":[{\"v\":123456789,\"f\":\"x\"}]}]}}", "ssn@-"},
        {"{\"meta\":{\"view\":{\"columns\":[{\"id\":1,\"fieldName\":\"ssn\"}]}},\"data\":[[\"123456789\"]]}", "ssn@-"},
        {"{\"x\":{\"values\":[[\"ssn\"],[\"123456789\"]]}}", "ssn@-"},
        {"{\"data\":[{\"values\":[[\"a\",\"b\"],[\"c\",\"d\"]]},{\"values\":[[\"x\",\"coa\"],[\"1\",384]]}]}", "coa@-"},
        {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"columns\":[\"ssn\"]}}}}},\"rows\":[[\"123456789\"]]}", ""},
    };
    check_samples("/table", DOC_JSON, tables, ARRAY_LEN(tables));
    check_samples("/stream", DOC_JSON, tables, 1);
    check_samples("/stream", DOC_JSON, tables + 2, 2);
    check_samples("/sheet", DOC_JSON, sheets, ARRAY_LEN(sheets));
    check_samples("/lines", DOC_NDJSON, lines, ARRAY_LEN(lines));
    check_samples("/plain", DOC_JSON, plain, ARRAY_LEN(plain));
}

static void test_behind_others(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"\"x\":\"A10000%u1\"", "\"x\":\"A12345678\"", "a-number@0/40"},
        {"\"x\":\"A10000%u1\"", "\"x\":\"G12345678\"", "passport@0/40"}, /* no A-number */
        {"\"x\":\"G10000%u1\"", "\"x\":\"a12345678\"", "a-number@0/40"},
        {"\"x\":\"G10000%u1\"", "\"x\":\"g12345678\"", "passport@0/40"},
        {"\"x\":\"B10000%u1\"", "\"x\":\"G12345678\"", "passport@0/40"},
        {"\"x\":\"EAC21900122%u\"", "\"x\":\"eac2190012345\"", "receipt@0/40"},
        {"\"x\":\"EAC21900122%u\"", "\"x\":\"EAD2190012345\"", ""},
        {"\"aNumber\":10000%u1", "\"aNumber\":12345678", "a-number@0/40"},
        {"\"aNumber\":10000%u1", "\"aNumber\":\"12345678\"", "a-number@0/40"},
        {"\"aNumber\":\"10000%u1\"", "\"aNumber\":12345678", "a-number@0/40"},
        {"\"aNumber\":%u1", "\"aNumber\":811", "a-number@0/40"},
        {"\"x\":1000000%u", "\"x\":555666777", "a-number@0/40"},
        {"\"x\":1000000%u", "\"x\":\"555666777\"", "a-number@0/40"},
        {"\"personId\":900000%u", "\"personId\":90210017", "key@0/40"},
        {"\"personId\":900000%u", "\"personId\":\"90210017\"", "key@0/40"},
        {"\"personId\":\"900000%u\"", "\"personId\":\"90210017\"", "key@0/40"},
        {"\"personId\":\"900000%u\"", "\"personId\":90210017", "key@0/40"},
        {"\"ssn\":\"123-45-67%u\"", "\"ssn\":\"123-45-6789\"", "ssn@0/40"},
        {"\"x\":\"GARC\xC3\x8D\x41 %u\"", "\"x\":\"GARC\xC3\x8D\x41 A12345678\"", "a-number@0/40"},
        {"\"x\":\"12345678%u\"", "\"x\":\"\xEF\xBC\xA1 012345678\"", "a-number@0/40"},
        {"\"id\":\"12345678%u\",\"type\":\"badge\"", "\"id\":\"123456789\",\"type\":\"SSN\"", "ssn@0/40"},
        {"\"kind\":\"SSN\",\"id\":100%u", "\"kind\":\"SSN\",\"id\":123456789", "ssn@0/40"},
        {"\"x\":[{\"value\":\"%u\",\"key\":\"coa\"}]", "\"x\":[{\"value\":\"384\",\"key\":\"coa\"}]", "coa@0/40"},
        {"\"x\":[{\"type\":{\"text\":\"badge\"},\"value\":\"12345678%u\"}]", "\"x\":[{\"type\":{\"text\":\"SSN\"},\"value\":\"123456789\"}]", "ssn@0/40"},
        {"\"x\":{\"type\":{\"coding\":[{\"code\":\"%u\"}]},\"id\":1}", "\"x\":{\"type\":{\"coding\":[{\"code\":\"SSN\"}]},\"id\":123456789}", "ssn@0/40"},
        {"\"x\":{\"name\":\"x%u\",\"values\":[\"12\"]}", "\"x\":{\"name\":\"ssn\",\"values\":[\"123456789\"]}", "ssn@0/40"},
        {"\"x\":{\"columns\":[\"ssn\"],\"rows\":[[%u]]}", "\"x\":{\"columns\":[\"ssn\"],\"rows\":[[123456789]]}", "ssn@0/40"},
        {"\"x\":{\"columns\":[\"a\"],\"rows\":[[\"%u\"]]}", "\"x\":{\"columns\":[\"ssn\"],\"rows\":[[\"123456789\"]]}", "ssn@0/40"},
        {"\"values\":[[\"a\",\"b\"],[\"%u\",\"2\"]]", "\"values\":[[\"a\",\"ssn\"],[\"2\",\"123456789\"]]", "ssn@0/40"},
        {"\"x\":{\"name\":\"ssn\",\"value\":%u}", "\"x\":{\"name\":\"ssn\",\"value\":123456789}", "ssn@0/40"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_behind(rows[i][0], rows[i][1], rows[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spellings), cmocka_unit_test(test_codings), cmocka_unit_test(test_traps),
        cmocka_unit_test(test_markers), cmocka_unit_test(test_units), cmocka_unit_test(test_two_subjects), cmocka_unit_test(test_beside),
        cmocka_unit_test(test_beside_deeper), cmocka_unit_test(test_tables), cmocka_unit_test(test_behind_others),
        cmocka_unit_test(fields_of_the_head), cmocka_unit_test(test_batches)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
