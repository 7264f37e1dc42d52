/* Expected values: OpenSSL's SipHash (`openssl mac -macopt hexkey:000102…0f -macopt size:8|16 SIPHASH`) over the bytes
 * 0, 1, 2, …; the 64-bit values of lengths 0 to 63 are those of the paper's appendix too. */
#include "support.h"

struct vector {
    size_t len;
    const char *hash64, *hash128;
};

static const struct vector vectors[] = {
    {0, "310e0edd47db6f72", "a3817f04ba25a8e66df67214c7550293"},
    {1, "fd67dc93c539f874", "da87c1d86b99af44347659119b22fc45"},
    {2, "5a4fa9d909806c0d", "8177228da4a45dc7fca38bdef60affe4"},
    {3, "2d7efbd796666785", "9c70b60c5267a94e5f33b6b02985ed51"},
    {4, "b7877127e09427cf", "f88164c12d9c8faf7d0f6e7c7bcd5579"},
    {5, "8da699cd64557618", "1368875980776f8854527a07690e9627"},
    {6, "cee3fe586e46c9cb", "14eeca338b208613485ea0308fd7a15e"},
    {7, "37d1018bf50002ab", "a1f1ebbed8dbc153c0b84aa61ff08239"},
    {8, "6224939a79f5f593", "3b62a9ba6258f5610f83e264f31497b4"},
    {9, "b0e4a90bdf82009e", "264499060ad9baabc47f8b02bb6d71ed"},
    {10, "f3b9dd94c5bb5d7a", "00110dc378146956c95447d3f3d0fbba"},
    {11, "a7ad6b22462fb3f4", "0151c568386b6677a2b4dc6f81e5dc18"},
    {12, "fbe50e86bc8f1e75", "d626b266905ef35882634df68532c125"},
    {13, "903d84c02756ea14", "9869e247e9c08b10d029934fc4b952f7"},
    {14, "eef27a8e90ca23f7", "31fcefac66d7de9c7ec7485fe4494902"},
    {15, "e545be4961ca29a1", "5493e99933b0a8117e08ec0f97cfc3d9"},
    {16, "db9bc2577fcc2a3f", "6ee2a4ca67b054bbfd3315bf85230577"},
    {17, "9447be2cf5e99a69", "473d06e8738db89854c066c47ae47740"},
    {18, "9cd38d96f0b3c14b", "a426e5e423bf4885294da481feaef723"},
    {19, "bd6179a71dc96dbb", "78017731cf65fab074d5208952512eb1"},
    {20, "98eea21af25cd6be", "9e25fc833f2290733e9344a5e83839eb"},
    {21, "c7673b2eb0cbf2d0", "568e495abe525a218a2214cd3e071d12"},
    {22, "883ea3e395675393", "4a29b54552d16b9a469c10528eff0aae"},
    {23, "c8ce5ccd8c030ca8", "c9d184ddd5a9f5e0cf8ce29a9abf691c"},
    {24, "94af49f6c650adb8", "2db479ae78bd50d8882a8a178a6132ad"},
    {25, "eab8858ade92e1bc", "8ece5f042d5e447b5051b9eacb8d8f6f"},
    {26, "f315bb5bb835d817", "9c0b53b4b3c307e87eaee08678141f66"},
    {27, "adcf6b0763612e2f", "abf248af69a6eae4bfd3eb2f129eeb94"},
    {28, "a5c91da7acaa4dde", "0664da1668574b88b935f3027358aef4"},
    {29, "716595876650a2a6", "aa4b9dc4bf337de90cd4fd3c467c6ab7"},
    {30, "28ef495c53a387ad", "ea5c7f471faf6bde2b1ad7d4686d2287"},
    {31, "42c341d8fa92d832", "2939b0183223fafc1723de4f52c43d35"},
    {32, "ce7cf2722f512771", "7c3956ca5eeafc3e363e9d556546eb68"},
    {33, "e37859f94623f3a7", "77c6077146f01c32b6b69d5f4ea9ffcf"},
    {63, "724506eb4c328a95", "5150d1772f50834a503e069a973fbd7c"},
    {64, "d8ca02850bc4d2ac", "1eaf077dc0d4cd3f8cad4d383658a74b"},
    {65, "2459a291dbbeb636", "02233e98fe91e1c8220dca0d285261ef"},
    {255, "1ab24dc7fe69c1a9", "1c9bb67528165f8e468248e3799b0eab"},
};

static void make_input(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
}

static void test_64_bits(void **state)
{
    (void)state;
    uint8_t key[16], data[256], want[8];
    make_input(key, sizeof key);
    make_input(data, sizeof data);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        assert_true(hex_decode(span_str(vectors[i].hash64), want, sizeof want));
        uint64_t got = siphash64(key, span_of(data, vectors[i].len));
        assert_memory_equal(&got, want, sizeof want);
    }
}

static void test_128_bits(void **state)
{
    (void)state;
    uint8_t key[16], data[256], want[16], got[16];
    make_input(key, sizeof key);
    make_input(data, sizeof data);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        assert_true(hex_decode(span_str(vectors[i].hash128), want, sizeof want));
        siphash128(key, span_of(data, vectors[i].len), got);
        assert_memory_equal(got, want, sizeof want);
    }
}

/* The block has exactly the size of the text, at every alignment: the sanitizer sees a byte read too many. */
static void test_any_alignment(void **state)
{
    (void)state;
    uint8_t key[16];
    make_input(key, sizeof key);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t *block = mem_alloc(shift + vectors[i].len), want[8];
            make_input(block + shift, vectors[i].len);
            assert_true(hex_decode(span_str(vectors[i].hash64), want, sizeof want));
            uint64_t got = siphash64(key, span_of(block + shift, vectors[i].len));
            assert_memory_equal(&got, want, sizeof want);
            mem_free(block);
        }
}

static void test_null_is_empty(void **state)
{
    (void)state;
    uint8_t key[16];
    make_input(key, sizeof key);
    assert_int_equal(siphash64(key, span_of(NULL, 0)), siphash64(key, SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64_bits),
        cmocka_unit_test(test_128_bits),
        cmocka_unit_test(test_any_alignment),
        cmocka_unit_test(test_null_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
