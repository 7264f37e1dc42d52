/* The reader's events one by one, for bodies whose reading follows from RFC 8259 and the face's own promises. */
#include "read_all.h"

#include <sys/mman.h>
#include <unistd.h>

static struct levels levels;

static int open_readers(void **state)
{
    (void)state;
    levels = open_levels();
    return 0;
}

static int close_readers(void **state)
{
    (void)state;
    close_levels(&levels);
    return 0;
}

/* A reading in short: { } [ ] n:NAME s:STRING #:NUMBER t f 0 < > for kinds, !KIND@AT for flaws, then the end. */
static void describe(span body, const struct reading *all, char *out, size_t room)
{
    static const char *const kinds[] = {"{", "}", "[", "]", "n:", "s:", "#:", "t", "f", "0", "<", ">"};
    static const char *const flaws[] = {"twice", "surrogate", "utf8", "nul", "line"};
    size_t len = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct doc_event *e = &all->events[i];
        if (e->kind == DOC_FLAW)
            len += (size_t)snprintf(out + len, room - len, "!%s@%u", flaws[e->name], (unsigned)e->at);
        else if (e->kind == DOC_NAME || e->kind == DOC_STRING || e->kind == DOC_NUMBER)
            len += (size_t)snprintf(
                out + len, room - len, "%s%.*s", kinds[e->kind], (int)e->len, (const char *)body.ptr + e->at);
        else if (e->kind == DOC_LINE_BEGIN || e->kind == DOC_LINE_END)
            len += (size_t)snprintf(out + len, room - len, "%s%u+%u", kinds[e->kind], (unsigned)e->at, e->len);
        else
            len += (size_t)snprintf(out + len, room - len, "%s", kinds[e->kind]);
        len += (size_t)snprintf(out + len, room - len, " ");
    }
    if (all->status == DOC_COMPLETE)
        snprintf(out + len, room - len, ".");
    else
        snprintf(out + len, room - len, "%s@%u", doc_malformed_name(all->malformed), (unsigned)all->at);
}

struct example {
    const char *body, *reading;
};

static void check_examples(enum doc_format format, uint32_t depth, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char got[4096];
        span body = span_str(examples[i].body);
        struct reading all = read_everyway(&levels, format, depth, body);
        describe(body, &all, got, sizeof got);
        assert_string_equal(got, examples[i].reading);
        free(all.events);
    }
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

//= RFC8259 2
//= RFC8259 3
static void values_and_containers(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"{}", "{ } ."},
        {" [ ] ", "[ ] ."},
        {"\t\r\n 1 ", "#:1 ."},
        {"true", "t ."},
        {"\"\"", "s: ."},
        {"[true,false,null]", "[ t f 0 ] ."},
        {"{\"a\":{\"b\":[{}]},\"c\":-0.5e+10}", "{ n:a { n:b [ { } ] } n:c #:-0.5e+10 } ."},
        {"[\"" LONG "\",\"x\"]", "[ s:" LONG " s:x ] ."},
        {"\xEF\xBB\xBF[1]", "[ #:1 ] ."},
        {"[\"\\\\\",\"\\\"\",\"\\\\\\\"]\"]", "[ s:\\\\ s:\\\" s:\\\\\\\"] ] ."},
        {"[[[[1]]]]", "[ [ [ [ #:1 ] ] ] ] ."},
    };
    check_examples(DOC_JSON, 4, examples, ARRAY_LEN(examples));
}

//= RFC8259 6
//= RFC8259 8.1
static void what_is_not_json(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", "cut short@0"},
        {" \n", "cut short@2"},
        {"[", "[ cut short@1"},
        {"{\"a\":1", "{ n:a #:1 cut short@6"},
        {"\"abc", "cut short@4"},
        {"[1,]", "[ #:1 not JSON@3"},
        {"[,1]", "[ not JSON@1"},
        {"[1 2]", "[ #:1 not JSON@3"},
        {"{\"a\",1}", "{ n:a not JSON@4"},
        {"{\"a\":1,}", "{ n:a #:1 not JSON@7"},
        {"{a:1}", "{ not JSON@1"},
        {"{1:1}", "{ not JSON@1"},
        {"[}", "[ not JSON@1"},
        {"{]", "{ not JSON@1"},
        {"[1}", "[ #:1 not JSON@2"},
        {"01", "not JSON@0"},
        {"-", "not JSON@0"},
        {"1.", "not JSON@0"},
        {"+1", "not JSON@0"},
        {".5", "not JSON@0"},
        {"1e", "not JSON@0"},
        {"0x1", "not JSON@0"},
        {"NaN", "not JSON@0"},
        {"True", "not JSON@0"},
        {"truE", "not JSON@0"},
        {"nul", "not JSON@0"},
        {"[tru e]", "[ not JSON@1"},
        {"'a'", "not JSON@0"},
        {"[1]x", "[ #:1 ] bytes after the value@3"},
        {"[1][2]", "[ #:1 ] bytes after the value@3"},
        {"1 2", "#:1 bytes after the value@2"},
        {"[\"a\x01\"]", "[ control character in a string@3"},
        {"[\"a\nb\"]", "[ control character in a string@3"},
        {"[\"\\x\"]", "[ not JSON@2"},
        {"[\"\\u12G4\"]", "[ not JSON@2"},
        {"[\"ab\\u123\"]", "[ not JSON@4"},
        {"[\xC3\xA9]", "[ not JSON@1"},
        {"\xEF\xBB\xBF\xEF\xBB\xBF[]", "not JSON@3"},
        {"\xEF\xBB[]", "not JSON@0"},
        {"[1]\xEF\xBB\xBF", "[ #:1 ] bytes after the value@3"},
        {"[[[[[1]]]]]", "[ [ [ [ nested too deeply@4"},
        {"// x\n1", "not JSON@0"},
        {"[1\"a\"]", "[ #:1 not JSON@2"},
        {"[\"a\"b]", "[ s:a not JSON@4"},
        {"\\\"a\"", "not JSON@0"},
        {"[\"\t" LONG, "[ control character in a string@2"},
    };
    check_examples(DOC_JSON, 4, examples, ARRAY_LEN(examples));
}

//= RFC8259 4
//= RFC8259 8.2
static void findings_at_their_place(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"{\"a\":1,\"a\":2}", "{ n:a #:1 !twice@8 n:a #:2 } ."},
        {"{\"a\":1,\"\\u0061\":2}", "{ n:a #:1 !twice@8 n:\\u0061 #:2 } ."},
        {"{\"a\":{\"a\":1},\"a\":2}", "{ n:a { n:a #:1 } !twice@14 n:a #:2 } ."},
        {"{\"a\":[{\"a\":1},{\"a\":1}],\"b\":2}", "{ n:a [ { n:a #:1 } { n:a #:1 } ] n:b #:2 } ."},
        {"[{\"a\":{\"b\":1,\"a\":{\"b\":2}},\"b\":3,\"a\":4}]",
            "[ { n:a { n:b #:1 n:a { n:b #:2 } } n:b #:3 !twice@33 n:a #:4 } ] ."},
        {"{\"\":1,\"\":2}", "{ n: #:1 !twice@7 n: #:2 } ."},
        {"[\"\\ud800\"]", "[ !surrogate@2 s:\\ud800 ] ."},
        {"[\"x\\udc00\"]", "[ !surrogate@3 s:x\\udc00 ] ."},
        {"[\"\\ud83d\\ude00\\ud83d\"]", "[ !surrogate@14 s:\\ud83d\\ude00\\ud83d ] ."},
        {"[\"\\ud83dx\\ude00\"]", "[ !surrogate@2 s:\\ud83dx\\ude00 ] ."},
        {"[\"\\uD83D\\uDE00\"]", "[ s:\\uD83D\\uDE00 ] ."},
        {"[\"a\xC3\"]", "[ !utf8@3 s:a\xC3 ] ."},
        {"[\"\xC3\xA9\xED\xA0\x80\"]", "[ !utf8@4 s:\xC3\xA9\xED\xA0\x80 ] ."},
        {"[\"\xC3\xA9\",\"\xC3\xA9\"]", "[ s:\xC3\xA9 s:\xC3\xA9 ] ."},
        {"{\"a\\u0000\":\"\\u0000\"}", "{ !nul@3 n:a\\u0000 s:\\u0000 } ."},
        {"{\"\xFF\\udfff\\u0000\":1,\"\xFF\\udfff\\u0000\":1}",
            "{ !surrogate@3 !utf8@2 !nul@9 n:\xFF\\udfff\\u0000 #:1 !surrogate@21 !utf8@20 !nul@27 !twice@20 "
            "n:\xFF\\udfff\\u0000 #:1 } ."},
    };
    check_examples(DOC_JSON, 8, examples, ARRAY_LEN(examples));
}

static void lines(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", "."},
        {" \n\r\n\t\n", "."},
        {"1", "<0+0 #:1 >1+0 ."},
        {"1\n", "<0+0 #:1 >1+1 ."},
        {"1\r\n2\n", "<0+0 #:1 >1+2 <3+0 #:2 >4+1 ."},
        {"  {\"a\":1} \r\n\n[]\r", "<0+0 { n:a #:1 } >10+2 <13+0 [ ] >16+0 ."},
        {"\xEF\xBB\xBF{}\n", "<3+0 { } >5+1 ."},
        {"[1\n[2]\n", "<0+0 [ #:1 !line@2 >2+1 <3+0 [ #:2 ] >6+1 ."},
        {"\"a\n\"b\"\n", "<0+0 !line@2 >2+1 <3+0 s:b >6+1 ."},
        {"\"a\r\n1", "<0+0 !line@2 >2+2 <4+0 #:1 >5+0 ."},
        {"\"\n\"", "<0+0 !line@1 >1+1 <2+0 !line@3 >3+0 ."},
        {"\"a\\\n\"b\"\n", "<0+0 !line@3 >3+1 <4+0 s:b >7+1 ."},
        {"\"\x01\"\n1\n", "<0+0 !line@1 >3+1 <4+0 #:1 >5+1 ."},
        {"x\n1 2\n{} }\n3", "<0+0 !line@0 >1+1 <2+0 #:1 !line@4 >5+1 <6+0 { } !line@9 >10+1 <11+0 #:3 >12+0 ."},
        {"{\"a\":{\"b\":1\n{\"a\":1,\"b\":2}\n",
            "<0+0 { n:a { n:b #:1 !line@11 >11+1 <12+0 { n:a #:1 n:b #:2 } >25+1 ."},
        {"{\"a\":1,\"a\":1}\n{\"a\":1}", "<0+0 { n:a #:1 !twice@8 n:a #:1 } >13+1 <14+0 { n:a #:1 } >21+0 ."},
        {"x\"\n\"y\"", "<0+0 !line@0 >2+1 <3+0 s:y >6+0 ."},
        {"[\"" LONG "\n[\"" LONG "\"]", "<0+0 [ !line@72 >72+1 <73+0 [ s:" LONG " ] >147+0 ."},
        {"[[[[[1]]]]]\n1", "<0+0 [ [ [ [ nested too deeply@4"},
    };
    check_examples(DOC_NDJSON, 4, examples, ARRAY_LEN(examples));
}

/* A line that ends inside a string, at every place relative to the blocks, and what follows it. */
static void a_line_cut_in_a_string_anywhere(void **state)
{
    (void)state;
    for (size_t before = 0; before < 140; before++) {
        char body[512], expected[512], got[1024];
        int len = snprintf(body, sizeof body, "%*s[\"\\\"\n[\"a\\\\\"]\n[2]", (int)before, "");
        unsigned at = (unsigned)before;
        snprintf(expected, sizeof expected, "<0+0 [ !line@%u >%u+1 <%u+0 [ s:a\\\\ ] >%u+1 <%u+0 [ #:2 ] >%u+0 .",
            at + 4, at + 4, at + 5, at + 12, at + 13, at + 16);
        struct reading all = read_everyway(&levels, DOC_NDJSON, 8, span_of(body, (size_t)len));
        describe(span_of(body, (size_t)len), &all, got, sizeof got);
        assert_string_equal(got, expected);
        free(all.events);
    }
}

/* The same with enough behind it that whole members are taken at once. */
static void a_line_cut_in_a_member_anywhere(void **state)
{
    (void)state;
    for (size_t before = 0; before < 140; before++) {
        char body[512], expected[512], got[1024];
        int len = snprintf(body, sizeof body,
            "%*s[{\"n\":\"x}\n[{\"a\":{\"b\":2,\"c\":1},\"d\":\"e\",\"f\":\"g\"},{\"a\":{\"b\":2,\"c\":1}}]",
            (int)before, "");
        unsigned at = (unsigned)before + 9;
        snprintf(expected, sizeof expected,
            "<0+0 [ { n:n !line@%u >%u+1 <%u+0 [ { n:a { n:b #:2 n:c #:1 } n:d s:e n:f s:g } { n:a { n:b #:2 n:c #:1 } "
            "} "
            "] >%u+0 .",
            at, at, at + 1, (unsigned)len);
        struct reading all = read_everyway(&levels, DOC_NDJSON, 8, span_of(body, (size_t)len));
        describe(span_of(body, (size_t)len), &all, got, sizeof got);
        assert_string_equal(got, expected);
        free(all.events);
    }
}

static void flags_of_a_broken_line_say_why(void **state)
{
    (void)state;
    span body = SPAN("[1\n\"\x01\"\n1 2\nx\n");
    static const uint8_t expected[] = {DOC_CUT_SHORT, DOC_CONTROL, DOC_TRAILING, DOC_BAD_GRAMMAR};
    size_t seen = 0;
    struct reading all = read_everyway(&levels, DOC_NDJSON, 8, body);
    for (size_t i = 0; i < all.count; i++)
        if (all.events[i].kind == DOC_FLAW) assert_int_equal(all.events[i].flags, expected[seen++]);
    assert_int_equal(seen, 4);
    free(all.events);
}

/* What is still needed is never thrown away, and what is not needed does not pile up. */
static void needs_moves_with_the_tokens(void **state)
{
    (void)state;
    struct doc_reader *r = levels.readers[0];
    uint8_t body[8192];
    struct doc_event events[64];
    size_t count;
    memset(body, ' ', sizeof body);
    memcpy(body, "[\"abc", 5);
    memset(body + 5, 'x', 3000);
    memcpy(body + 3005, "\", 1, ", 6);
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 4});
    assert_int_equal(doc_reader_needs(r), 0);
    assert_int_equal(doc_reader_next(r, &(struct doc_window){0, body, 2048, false, 0}, events, 64, &count), DOC_MORE);
    assert_int_equal(doc_reader_needs(r), 2); /* the string began */
    assert_int_equal(doc_reader_next(r, &(struct doc_window){2, body + 2, 8190, false, 0}, events, 64, &count), DOC_MORE);
    assert_int_equal(count, 2);
    assert_int_equal(events[0].len, 3003);
    assert_int_equal(doc_reader_needs(r), 8192);
    struct doc_window end = {8192, (const uint8_t *)"2]", 2, true, 0};
    assert_int_equal(doc_reader_next(r, &end, events, 64, &count), DOC_COMPLETE);
    assert_int_equal(count, 2);
    assert_int_equal(doc_reader_next(r, &end, events, 64, &count), DOC_COMPLETE);
    assert_int_equal(count, 0);
}

static void malformed_stays_malformed(void **state)
{
    (void)state;
    struct doc_reader *r = levels.readers[0];
    struct doc_window w = {0, (const uint8_t *)"[}", 2, true, 0};
    struct doc_event events[4];
    size_t count;
    uint64_t at;
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 4});
    assert_int_equal(doc_reader_next(r, &w, events, 4, &count), DOC_MALFORMED);
    assert_int_equal(doc_reader_next(r, &w, events, 4, &count), DOC_MALFORMED);
    assert_int_equal(count, 0);
    assert_int_equal(doc_reader_malformed(r, &at), DOC_BAD_GRAMMAR);
    assert_int_equal(at, 1);
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 4});
    assert_int_equal(doc_reader_malformed(r, NULL), DOC_OK);
}

//= RFC8259 7
static void decoding(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u00e9\\u20AC\\ud83d\\ude00x", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x"},
        {"\\ud800x\\udc00", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
        {"\\ud800\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\xFF\xC3", "\xFF\xC3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        span raw = span_str(examples[i].body), expected = span_str(examples[i].reading);
        uint8_t *out = malloc(raw.len + 1);
        assert_int_equal(doc_decode_string(raw, out), expected.len);
        assert_memory_equal(out, expected.ptr, expected.len);
        free(out);
    }
}

/* Every allocation fails once: the reader says so or does without, and can be used again. */
static void memory_runs_out(void **state)
{
    (void)state;
    static char body[1 << 18];
    size_t len = (size_t)snprintf(body, sizeof body, "%.*s", 40, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
    for (int i = 0; i < 6000; i++)
        len += (size_t)snprintf(body + len, sizeof body - len, "%s\"na\\u006De%d\":{\"name0\":1}", i ? "," : "{", i);
    len += (size_t)snprintf(body + len, sizeof body - len, "}]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    size_t failures = 0, nth = 1;
    for (;; nth++) {
        fault_arm("malloc", nth);
        struct doc_reader *r = doc_reader_new(cpu_level());
        struct reading all = {0};
        if (r) all = read_body(r, DOC_JSON, 64, span_of(body, len), WHOLE);
        bool hit = fault_count("malloc") >= nth;
        fault_arm("malloc", 0);
        if (r && hit && all.status == DOC_MALFORMED) {
            assert_int_equal(all.malformed, DOC_NO_MEMORY);
            failures++;
        } else if (r) {
            assert_true(is_clean(&all));
        }
        free(all.events);
        if (r) {
            all = read_body(r, DOC_JSON, 64, span_of(body, len), WHOLE);
            assert_true(is_clean(&all));
            free(all.events);
        }
        doc_reader_free(r);
        if (!hit) break;
    }
    assert_true(failures > 5 && nth > 20);
}

/* A string of 2 GiB, made of one mebibyte mapped over and over. */
static void a_token_over_2_gib(void **state)
{
    (void)state;
    const size_t piece = 1 << 20, pieces = 2049;
    int fd = memfd_create("piece", 0);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)piece) == 0);
    uint8_t *window = mmap(NULL, piece * pieces, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(window != MAP_FAILED);
    for (size_t i = 0; i < pieces; i++) {
        void *at = mmap(window + i * piece, piece, i ? PROT_READ : PROT_READ | PROT_WRITE,
            MAP_FIXED | (i ? MAP_SHARED : MAP_PRIVATE), fd, 0);
        assert_ptr_equal(at, window + i * piece);
        if (i == 1) { /* the file through one mapping of its own, so that the first may begin with a quote */
            uint8_t *whole = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            memset(whole, 'a', piece);
            munmap(whole, piece);
        }
    }
    window[0] = '"';
    struct doc_reader *r = levels.readers[levels.count - 1];
    struct doc_event events[4];
    size_t count;
    uint64_t at;
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 4});
    struct doc_window w = {0, window, piece * pieces, false, 0};
    assert_int_equal(doc_reader_next(r, &w, events, 4, &count), DOC_MALFORMED);
    assert_int_equal(doc_reader_malformed(r, &at), DOC_TOO_LARGE);
    assert_int_equal(at, 1);
    munmap(window, piece * pieces);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_containers),
        cmocka_unit_test(what_is_not_json),
        cmocka_unit_test(findings_at_their_place),
        cmocka_unit_test(lines),
        cmocka_unit_test(a_line_cut_in_a_string_anywhere),
        cmocka_unit_test(a_line_cut_in_a_member_anywhere),
        cmocka_unit_test(flags_of_a_broken_line_say_why),
        cmocka_unit_test(needs_moves_with_the_tokens),
        cmocka_unit_test(malformed_stays_malformed),
        cmocka_unit_test(a_token_over_2_gib),
        cmocka_unit_test(decoding),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, open_readers, close_readers);
}
