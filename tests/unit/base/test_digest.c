/* SHA-256: FIPS 180-4 examples; HMAC: RFC 4231; CRC-32C: RFC 3720 B.4 and the check value of the CRC catalogue. */
#include "base/crc32c.h"
#include "support.h"
#include <openssl/evp.h>

static void assert_hex(const uint8_t *got, size_t len, const char *want)
{
    char text[2 * 64 + 1];
    hex_encode(span_of(got, len), text);
    assert_string_equal(text, want);
}

static void test_sha256(void **state)
{
    (void)state;
    uint8_t out[32];
    assert_true(sha256(SPAN(""), out));
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(sha256(SPAN("abc"), out));
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(sha256(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out));
    assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_sha256_of_two_is_of_both_joined(void **state)
{
    (void)state;
    uint8_t out[32];
    span text = SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    for (size_t i = 0; i <= text.len; i++) {
        assert_true(sha256_two(span_sub(text, 0, i), span_from(text, i), out));
        assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

struct mac_vector {
    const char *key, *data, *mac; /* hex */
};
//= RFC4231 4
static const struct mac_vector macs[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
        "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    assert_true(hex_decode(span_str(hex), out, len));
    return len;
}

//= RFC2104 2
static void test_hmac(void **state)
{
    (void)state;
    uint8_t key[64], data[64], out[32];
    for (int round = 0; round < 2; round++) /* the second time over a context that was used */
        for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
            size_t key_len = from_hex(macs[i].key, key), data_len = from_hex(macs[i].data, data);
            assert_true(hmac_sha256(span_of(key, key_len), span_of(data, data_len), out));
            assert_hex(out, 32, macs[i].mac);
        }
}

/* RFC 4231 4.7: a key longer than the block is hashed first. */
static void test_hmac_with_a_long_key(void **state)
{
    (void)state;
    uint8_t key[131], out[32];
    memset(key, 0xaa, sizeof key);
    assert_true(
        hmac_sha256(span_of(key, sizeof key), SPAN("Test Using Larger Than Block-Size Key - Hash Key First"), out));
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The empty key is a key: not the one of the call before. Expected: Python's hmac. */
static void test_hmac_with_an_empty_key(void **state)
{
    (void)state;
    uint8_t out[32];
    assert_true(hmac_sha256(SPAN("Jefe"), SPAN("x"), out));
    assert_true(hmac_sha256(span_of(NULL, 0), span_of(NULL, 0), out));
    assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void check_crc(span data, uint32_t want)
{
    assert_int_equal(crc32c(0, data), want);
    assert_int_equal(~crc32c_portable(~0u, data), want);
    if (__builtin_cpu_supports("sse4.2")) assert_int_equal(~crc32c_sse42(~0u, data), want);
    for (size_t i = 0; i <= data.len; i++)
        assert_int_equal(crc32c(crc32c(0, span_sub(data, 0, i)), span_from(data, i)), want);
}

//= RFC3720 B.4
static void test_crc32c(void **state)
{
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, 32);
    check_crc(span_of(bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    check_crc(span_of(bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    check_crc(span_of(bytes, 32), 0x46DD794E);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    check_crc(span_of(bytes, 32), 0x113FDB5C);
    static const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    check_crc(span_of(read_command, 48), 0xD9963A56);
    check_crc(SPAN("123456789"), 0xE3069283);
    check_crc(SPAN(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_of_two_is_of_both_joined),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hmac_with_a_long_key),
        cmocka_unit_test(test_hmac_with_an_empty_key),
        cmocka_unit_test(test_crc32c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
