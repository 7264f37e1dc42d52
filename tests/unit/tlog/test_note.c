/* Notes and checkpoints: what others signed is believed, and nothing that was touched. */
#include "tlog/tlog.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The example of Go's package golang.org/x/mod/sumdb/note. */
#define PETER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define TEXT                                                                                                           \
    "If you think cryptography is the answer to your problem,\n"                                                       \
    "then you don't know what your problem is.\n"
#define SIGNED                                                                                                         \
    "\xe2\x80\x94 PeterNeumann "                                                                                       \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

static bool believed(span note, const char *vkey)
{
    struct tlog_verifier v;
    struct tlog_note n;
    assert_true(is_ok(tlog_verifier_parse(span_str(vkey), &v)));
    return tlog_note_split(note, &n) && tlog_note_signed(&n, &v, NULL);
}

//= RFC8032 5.1
static void test_a_note_from_the_field(void **state)
{
    (void)state;
    static const char note[] = TEXT "\n" SIGNED;
    struct tlog_verifier v;
    char again[TLOG_VKEY_MAX];
    assert_true(believed(SPAN(TEXT "\n" SIGNED), PETER));
    assert_true(is_ok(tlog_verifier_parse(SPAN(PETER), &v)));
    tlog_verifier_format(&v, again);
    assert_string_equal(again, PETER);
    for (size_t i = 0; i < sizeof note - 1; i++) { /* any bit of it */
        char *bad = strdup(note);
        assert_non_null(bad);
        bad[i] ^= (char)(1 << i % 8);
        assert_false(believed(span_str(bad), PETER));
        free(bad);
    }
    for (size_t len = 0; len < sizeof note - 1; len++)
        assert_false(believed(span_of(note, len), PETER));
}

static void test_signatures_of_others_are_passed_over(void **state)
{
    (void)state;
    assert_true(believed(SPAN(TEXT "\n\xe2\x80\x94 somebody AAAAAAAA\n" SIGNED "\xe2\x80\x94 else AAAA\n"), PETER));
    assert_false(believed(SPAN(TEXT "\n\xe2\x80\x94 PeterNeumann AAAAAAAA\n"), PETER));
    assert_false(believed(SPAN(TEXT "\n" SIGNED "no signature\n"), PETER));
    assert_false(believed(SPAN(TEXT SIGNED), PETER));
}

static void test_keys_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "PeterNeumann", "PeterNeumann+c74f20a3", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq_LDE4izWy10TW"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct tlog_verifier v;
        assert_false(is_ok(tlog_verifier_parse(span_str(bad[i]), &v)));
    }
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void test_checkpoints_have_one_spelling(void **state)
{
    (void)state;
    struct tlog_checkpoint c;
    assert_true(tlog_checkpoint_parse(SPAN("example.com/behind-the-sofa\n20852163\n" ROOT "\n"), &c));
    assert_true(span_equal(c.origin, SPAN("example.com/behind-the-sofa")));
    assert_int_equal(c.size, 20852163);
    assert_true(tlog_checkpoint_parse(SPAN("o\n0\n" ROOT "\nextension\n"), &c));
    static const char *const bad[] = {"", "o\n", "o\n1\n", "o\n1\n" ROOT, "o\n01\n" ROOT "\n", "o\n+1\n" ROOT "\n", "o\n\n" ROOT "\n",
        "\n1\n" ROOT "\n", "o\n1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", "o\n18446744073709551616\n" ROOT "\n", "o\n1\n" ROOT "\n\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(tlog_checkpoint_parse(span_str(bad[i]), &c));
}

#define PROOF "c2sp.org/tlog-proof@v1\nindex 5\n" ROOT "\n\nnote\n"

static void test_proof_files(void **state)
{
    (void)state;
    struct tlog_proof p;
    struct tlog_extension x;
    struct buf b;
    buf_init(&b, 4096);
    assert_true(tlog_proof_parse(SPAN(PROOF), &p));
    assert_int_equal(p.index, 5);
    assert_int_equal(p.path.count, 1);
    assert_true(span_equal(p.note, SPAN("note\n")));
    assert_true(is_ok(tlog_proof_format(&b, &p)));
    assert_true(span_equal(buf_span(&b), SPAN(PROOF)));
    assert_true(tlog_proof_parse(SPAN("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\nnote\n"), &p));
    static const char *const bad[] = {"", "c2sp.org/tlog-proof@v2\nindex 5\n\nn\n", "c2sp.org/tlog-proof@v1\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 05\n\nn\n", "c2sp.org/tlog-proof@v1\nindex 5\nAAAA\n\nn\n", "c2sp.org/tlog-proof@v1\nindex 5\n" ROOT "\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(tlog_proof_parse(span_str(bad[i]), &p));
    buf_clear(&b);
    assert_true(tlog_extension_parse(SPAN("old 20852014\n" ROOT "\n\nnote\n"), &x));
    assert_true(is_ok(tlog_extension_format(&b, &x)));
    assert_true(span_equal(buf_span(&b), SPAN("old 20852014\n" ROOT "\n\nnote\n")));
    assert_false(tlog_extension_parse(SPAN("old 020\n\nnote\n"), &x));
    assert_false(tlog_extension_parse(SPAN("old\n\nnote\n"), &x));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_note_from_the_field),
        cmocka_unit_test(test_signatures_of_others_are_passed_over),
        cmocka_unit_test(test_keys_that_are_none),
        cmocka_unit_test(test_checkpoints_have_one_spelling),
        cmocka_unit_test(test_proof_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
