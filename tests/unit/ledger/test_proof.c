/* Tree and keys against the standards' vectors and the openssl command. */
#include "ledger/support.h"

/* The leaves and roots that the Certificate Transparency reference tests use (RFC 6962 trees of 0 … 8 leaves). */
static const struct {
    const char *leaf, *root;
} tree[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

//= RFC6962 2.1
static void test_roots_of_the_reference_trees(void **state)
{
    (void)state;
    struct ledger_tree t = {0};
    uint8_t root[32], leaf[16];
    char hex[65];
    assert_true(ledger_tree_root(&t, root));
    hex_encode(span_of(root, 32), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
        size_t n = strlen(tree[i].leaf) / 2;
        assert_true(hex_decode(span_str(tree[i].leaf), leaf, n));
        assert_true(ledger_tree_add(&t, span_of(leaf, n)));
        assert_true(ledger_tree_root(&t, root));
        hex_encode(span_of(root, 32), hex);
        assert_string_equal(hex, tree[i].root);
    }
}

//= RFC8032 5.1
static void test_openssl_reads_our_key_and_believes_our_signature(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    uint8_t signature[64];
    char path[128];
    assert_true(ledger_key_sign(key, SPAN("a message"), signature));
    snprintf(path, sizeof path, "%s/sig", s->root);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(signature, 1, 64, f), 64);
    fclose(f);
    assert_int_equal(
        shell("cd %s && openssl pkey -in ledger.key -pubout -out pub && printf 'a message' > m && openssl pkeyutl "
              "-verify -pubin -inkey pub -rawin -in m -sigfile sig > /dev/null",
            s->root),
        0);
    assert_int_equal(
        shell("cd %s && grep -q 'BEGIN PRIVATE KEY' ledger.key && openssl pkey -in ledger.key -text -noout | "
              "grep -q ED25519",
            s->root),
        0);
    ledger_key_free(key);
    site_free(s);
}

/* Section 7.1: tests 1, 2 and 3. */
static const struct {
    const char *seed, *message, *signature;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
        "55141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
        "00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
        "027beceea1ec40a"},
};

//= RFC8032 7.1
static void test_the_standards_signatures(void **state)
{
    (void)state;
    /* PrivateKeyInfo of RFC 8410, section 7, up to the seed */
    uint8_t der[48] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20}, message[2], signature[64];
    char pem[160], text[80], hex[129];
    for (size_t i = 0; i < ARRAY_LEN(rfc8032); i++) {
        struct ledger_key *key = NULL;
        size_t n = strlen(rfc8032[i].message) / 2;
        assert_true(hex_decode(span_str(rfc8032[i].seed), der + 16, 32));
        assert_true(hex_decode(span_str(rfc8032[i].message), message, n));
        base64_encode(span_of(der, sizeof der), text);
        snprintf(pem, sizeof pem, "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n", "PRIVATE", text, "PRIVATE");
        assert_true(is_ok(ledger_key_parse(span_str(pem), &key)));
        assert_true(ledger_key_sign(key, span_of(message, n), signature));
        hex_encode(span_of(signature, 64), hex);
        assert_string_equal(hex, rfc8032[i].signature);
        ledger_key_free(key);
    }
}

/* The vkey computed from openssl's public key by Python, as C2SP signed-note says. */
static void test_verifier_key_as_the_note_specification_has_it(void **state)
{
    (void)state;
    struct site *s = site_new();
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(&s->verifier, vkey);
    assert_int_equal(
        shell("cd %s && openssl pkey -in ledger.key -pubout -outform DER | tail -c 32 > raw && python3 -c \"\n"
              "import hashlib,base64\nname=b'gate1367.example/node-1'\nk=b'\\x01'+open('raw','rb').read()\n"
              "i=hashlib.sha256(name+b'\\n'+k).digest()[:4].hex()\n"
              "assert name.decode()+'+'+i+'+'+base64.b64encode(k).decode()=='%s'\"",
            s->root, vkey),
        0);
    struct ledger_verifier v;
    assert_true(is_ok(ledger_verifier_parse(span_str(vkey), &v)));
    assert_string_equal(v.name, s->verifier.name);
    assert_memory_equal(v.key, s->verifier.key, 32);
    for (size_t i = 0; vkey[i]; i++) {
        char bad[LEDGER_VKEY_MAX];
        memcpy(bad, vkey, sizeof bad);
        bad[i] = bad[i] == 'Q' ? 'R' : 'Q';
        assert_false(is_ok(ledger_verifier_parse(span_str(bad), &v)));
    }
    site_free(s);
}

/* Verifier key of the Go checksum database, published in its documentation. */
static void test_a_verifier_key_from_the_field(void **state)
{
    (void)state;
    static const char text[] = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    struct ledger_verifier v;
    char again[LEDGER_VKEY_MAX];
    assert_true(is_ok(ledger_verifier_parse(span_str(text), &v)));
    assert_string_equal(v.name, "sum.golang.org");
    ledger_verifier_format(&v, again);
    assert_string_equal(again, text);
}

//= RFC5869 2
static void test_pseudonym_root_as_openssl_derives_it(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    uint8_t root[32];
    char hex[65];
    assert_true(is_ok(ledger_key_root(key, root)));
    hex_encode(span_of(root, 32), hex);
    assert_int_equal(
        shell("cd %s && seed=$(openssl pkey -in ledger.key -outform DER | tail -c 32 | xxd -p -c 64) && "
              "r=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:$seed -kdfopt salt: -kdfopt "
              "info:'gate1367 pseudonym' -binary HKDF | xxd -p -c 64) && test $r = %s",
            s->root, hex),
        0);
    ledger_key_free(key);
    site_free(s);
}

/* The tip is a signed note: Python and openssl take it apart. */
static void test_the_tip_is_a_signed_note(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 1, 3, 10);
    assert_int_equal(
        shell(
            "cd %s && openssl pkey -in ledger.key -pubout -out pub && python3 -c \"\n"
            "import base64,subprocess\nt=open('ledger/tip.b','rb').read().rstrip(b'\\0')\n"
            "text,note=t.split(b'\\n\\n');lines=text.split(b'\\n')\n"
            "assert lines[0]==b'gate1367.example/node-1' and lines[1]==b'3' and len(base64.b64decode(lines[2]))==32\n"
            "dash,name,sig=note.decode().split()\nassert dash=='\\u2014' and name=='gate1367.example/node-1'\n"
            "open('m','wb').write(text+b'\\n');open('sig','wb').write(base64.b64decode(sig)[4:])\" && openssl pkeyutl "
            "-verify -pubin -inkey pub -rawin -in m -sigfile sig > /dev/null",
            s->root),
        0);
    site_free(s);
}

static void test_keys_that_are_none(void **state)
{
    (void)state;
    struct ledger_key *key = NULL;
    struct site *s = site_new();
    char path[160];
    assert_int_equal(ledger_key_parse(SPAN("nonsense"), &key).code, LEDGER_E_KEY);
    assert_int_equal(
        shell("cd %s && openssl genpkey -algorithm X25519 -out x.key 2>/dev/null && chmod 600 x.key", s->root), 0);
    snprintf(path, sizeof path, "%s/x.key", s->root);
    assert_int_equal(ledger_key_load(path, &key).code, LEDGER_E_KEY);
    assert_int_equal(shell("cd %s && openssl pkcs8 -topk8 -v2 aes128 -passout pass:secret -in ledger.key -out p.key && "
                           "chmod 600 p.key",
                         s->root),
        0);
    snprintf(path, sizeof path, "%s/p.key", s->root);
    assert_int_equal(ledger_key_load(path, &key).code, LEDGER_E_KEY);
    assert_int_equal(shell("chmod 644 %s", s->key), 0);
    assert_int_equal(ledger_key_load(s->key, &key).class, ERROR_CONFIG);
    static const char *const origins[] = {"", "a b", "a+b", "a\nb", NULL};
    assert_int_equal(shell("chmod 600 %s", s->key), 0);
    key = site_key(s);
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        struct ledger_verifier v;
        assert_int_equal(ledger_verifier_of(key, origins[i], &v).code, LEDGER_E_ORIGIN);
    }
    ledger_key_free(key);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots_of_the_reference_trees),
        cmocka_unit_test(test_openssl_reads_our_key_and_believes_our_signature),
        cmocka_unit_test(test_the_standards_signatures),
        cmocka_unit_test(test_verifier_key_as_the_note_specification_has_it),
        cmocka_unit_test(test_a_verifier_key_from_the_field),
        cmocka_unit_test(test_pseudonym_root_as_openssl_derives_it),
        cmocka_unit_test(test_the_tip_is_a_signed_note),
        cmocka_unit_test(test_keys_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
