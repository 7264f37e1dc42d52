/* Canonical forms. Expected values are the vectors of 10-domain 2.1 and 2.2 ("verified"), the contract's source line,
 * and Unicode's own tables.
 *
 *= 10-domain 2.1
 *= 10-domain 2.2 */
#include "registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct vector {
    enum registry_kind kind;
    const char *value, *canonical; /* "" : no value of that kind */
};

static const struct vector vectors[] = {
    {REGISTRY_ALIEN_NUMBER, "A123456789", "123456789"},
    {REGISTRY_ALIEN_NUMBER, "A 012-345-678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A012-345-678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "Alien No. 012345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "AZ12345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A-File No. 012-345-678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A‑012‑345‑678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A#:012345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "USCIS# 012-345-678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "000-000-811", "000000811"},
    {REGISTRY_ALIEN_NUMBER, "A 12,345,678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A_012_345_678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "012/345/678", "012345678"},
    {REGISTRY_RECEIPT_NUMBER, "EAC_21_900_12345", "EAC2190012345"},
    {REGISTRY_RECEIPT_NUMBER, "EAC.21.900.12345", "EAC2190012345"},
    {REGISTRY_SSN, "123/45/6789", "123456789"},
    {REGISTRY_SSN, "123_45_6789", "123456789"},
    {REGISTRY_I94, "123.456.789.A1", "123456789A1"},
    {REGISTRY_PHONE, "413_555_0123", "14135550123"},
    {REGISTRY_ALIEN_NUMBER, "12345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "1234567", "001234567"},
    {REGISTRY_ALIEN_NUMBER, "811", "000000811"},
    {REGISTRY_ALIEN_NUMBER, "a012345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "  A012345678 ", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "А012345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "Α012345678", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "Ａ０１２３４５６７８", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A٠١٢٣٤٥٦٧٨", "012345678"},
    {REGISTRY_ALIEN_NUMBER, "A०१२३४५६७८", "012345678"},
    {REGISTRY_ALIEN_NUMBER,
        "A\xE2\x80\x8B"
        "012\xC2\xAD"
        "345\xEF\xBB\xBF"
        "678",
        "012345678"},
    {REGISTRY_ALIEN_NUMBER,
        "A\xC2\xA0"
        "012\xE2\x80\x93"
        "345\xE2\x80\x95"
        "678",
        "012345678"},
    {REGISTRY_ALIEN_NUMBER, "XA012345678", ""},
    {REGISTRY_ALIEN_NUMBER, "DA12345678", ""},
    {REGISTRY_ALIEN_NUMBER, "A1234567890", ""},
    {REGISTRY_ALIEN_NUMBER, "a012345678x", ""},
    {REGISTRY_ALIEN_NUMBER, "A123456", ""},
    {REGISTRY_ALIEN_NUMBER, "A000000000", ""},
    {REGISTRY_ALIEN_NUMBER, "A", ""},
    {REGISTRY_ALIEN_NUMBER, "", ""},
    {REGISTRY_RECEIPT_NUMBER, "EAC2190012345", "EAC2190012345"},
    {REGISTRY_RECEIPT_NUMBER, "EAC-21-900-12345", "EAC2190012345"},
    {REGISTRY_RECEIPT_NUMBER, "eac 21 900 12345", "EAC2190012345"},
    {REGISTRY_RECEIPT_NUMBER, "IOE0912345678", "IOE0912345678"},
    {REGISTRY_RECEIPT_NUMBER, "EAC*999910340", "EAC*999910340"},
    {REGISTRY_RECEIPT_NUMBER, "ЕАС2190012345", "EAC2190012345"},
    {REGISTRY_RECEIPT_NUMBER, "ABCEAC2190012345", ""},
    {REGISTRY_RECEIPT_NUMBER, "EA12190012345", ""},
    {REGISTRY_RECEIPT_NUMBER, "EAC*99991034", ""},
    {REGISTRY_I94, "123456789A1", "123456789A1"},
    {REGISTRY_I94, "123456789 a1", "123456789A1"},
    {REGISTRY_I94, "12345678901", "12345678901"},
    {REGISTRY_I94, "123456789AA", ""},
    {REGISTRY_SSN, "123-45-6789", "123456789"},
    {REGISTRY_SSN, "123456789", "123456789"},
    {REGISTRY_SSN, "000-12-3456", ""},
    {REGISTRY_SSN, "666-12-3456", ""},
    {REGISTRY_SSN, "900-12-3456", ""},
    {REGISTRY_SSN, "123-00-4567", ""},
    {REGISTRY_SSN, "123-45-0000", ""},
    {REGISTRY_ITIN, "999-93-1234", ""},
    {REGISTRY_ITIN, "999-89-1234", ""},
    {REGISTRY_ITIN, "912-70-1234", "912701234"},
    {REGISTRY_ITIN, "912-94-1234", "912941234"},
    {REGISTRY_SEVIS, "N0012345678", "N0012345678"},
    {REGISTRY_SEVIS, "n001234567", "N001234567"},
    {REGISTRY_SEVIS, "M0012345678", ""},
    {REGISTRY_PASSPORT, "G12345678", "G12345678"},
    {REGISTRY_PASSPORT, "l898902c3", "L898902C3"},
    {REGISTRY_PASSPORT, "L898902C<", "L898902C"},
    {REGISTRY_PASSPORT, "UNKNOWN", ""},
    {REGISTRY_PASSPORT, "00000000", ""},
    {REGISTRY_PASSPORT, "G1234", ""},
    {REGISTRY_VISA_FOIL, "a1234567", "A1234567"},
    {REGISTRY_VISA_FOIL, "12345678", "12345678"},
    {REGISTRY_VISA_FOIL, "AB123456", ""},
    {REGISTRY_FBI_NUMBER, "123456A7", "123456A7"},
    {REGISTRY_FBI_NUMBER, "12345 aa6", "12345AA6"},
    {REGISTRY_FIN, "0012345", "12345"},
    {REGISTRY_FIN, "000", ""},
    {REGISTRY_SID, "ca 12345678", "CA12345678"},
    {REGISTRY_SID, "1234567", ""},
    /* the state stands in front, behind or elsewhere */
    {REGISTRY_DRIVER_LICENSE, "MA-S12345678", "S12345678"},
    {REGISTRY_DRIVER_LICENSE, "S12345678", "S12345678"},
    {REGISTRY_DRIVER_LICENSE, "s123-456-78 (MA)", "S12345678"},
    {REGISTRY_DRIVER_LICENSE, "S12345678, MA", "S12345678"},
    {REGISTRY_DRIVER_LICENSE, "ma: S123 456 78", "S12345678"},
    {REGISTRY_DRIVER_LICENSE, "A123-4567-8901-2345", "A123456789012345"},
    {REGISTRY_DRIVER_LICENSE, "A12", ""},
    {REGISTRY_DRIVER_LICENSE, "00000000", ""},
    {REGISTRY_DRIVER_LICENSE, "UNKNOWN", ""},
    {REGISTRY_PERSON_ID, "90210017", "90210017"},
    {REGISTRY_PERSON_ID, " 0090210017 ", "90210017"},
    {REGISTRY_PERSON_ID, "\r\n\t90210017\n", "90210017"},
    {REGISTRY_PERSON_ID, "p-00a1", "P-00A1"},
    {REGISTRY_PERSON_ID, "", ""},
    {REGISTRY_EVENT_NUMBER, "xyz1901000123", "XYZ1901000123"},
    {REGISTRY_PHONE, "(413) 555-0123", "14135550123"},
    {REGISTRY_PHONE, "+1 413.555.0123", "14135550123"},
    {REGISTRY_PHONE, "413-555-0123 x44", "14135550123"},
    {REGISTRY_PHONE, "+502 2312 3456", "50223123456"},
    {REGISTRY_PHONE, "011 502 2312 3456", "50223123456"},
    {REGISTRY_PHONE, "1-413-555-0123", "14135550123"},
    {REGISTRY_PHONE, "14135550123", "14135550123"},
    {REGISTRY_PHONE, "4135550123", "14135550123"},
    {REGISTRY_PHONE, "+1 (413) 555-0123 ext. 44", "14135550123"},
    {REGISTRY_PHONE, "413/555-0123 #44", "14135550123"},
    {REGISTRY_PHONE, "tel:+1-413-555-0123;ext=44", "14135550123"},
    {REGISTRY_PHONE, "+14135550123,44", "14135550123"},
    {REGISTRY_PHONE, "00502 2312-3456", "50223123456"},
    {REGISTRY_PHONE, "+52 55 1234 5678", "525512345678"},
    {REGISTRY_PHONE, "+52 1 55 1234 5678", "525512345678"},
    {REGISTRY_PHONE, "+503 2222 3333", "50322223333"},
    {REGISTRY_PHONE, "+44 (0)20 7946 0018", "442079460018"},
    {REGISTRY_PHONE, "2312-3456", "23123456"},
    {REGISTRY_PHONE, "+1234567890123456", ""},
    {REGISTRY_PHONE, "000-000-0000", ""},
    {REGISTRY_PHONE, "413-555-CARS", ""},
    {REGISTRY_PHONE, "555-0123", ""},
    {REGISTRY_EMAIL, "Maria.Lopez@Example.ORG", "maria.lopez@example.org"},
    {REGISTRY_EMAIL, "mailto:maria.lopez@example.org", "maria.lopez@example.org"},
    {REGISTRY_EMAIL, "maria.lopez@example.org.", "maria.lopez@example.org"},
    {REGISTRY_EMAIL, "maria.lopez+ice@example.org", "maria.lopez@example.org"},
    {REGISTRY_EMAIL, "+maria@example.org", "+maria@example.org"},
    {REGISTRY_EMAIL, "Maria.Lopez+x@GoogleMail.com", "marialopez@gmail.com"},
    {REGISTRY_EMAIL, "marialopez@gmail.com", "marialopez@gmail.com"},
    {REGISTRY_EMAIL, "...@gmail.com", ""},
    {REGISTRY_EMAIL, "ma ria@example.org", ""},
    {REGISTRY_EMAIL, "@example.org", ""},
    {REGISTRY_EMAIL, "maria@", ""},
    {REGISTRY_EMAIL, "maria@@example.org", ""},
    {REGISTRY_EMAIL, "maria", ""},
    {REGISTRY_VEHICLE, "1m8gdm9axkp042788", "1M8GDM9AXKP042788"},
    {REGISTRY_VEHICLE, "ma 123-abc", "123ABC"},
    {REGISTRY_VEHICLE, "123-ABC", "123ABC"},
    {REGISTRY_VEHICLE, "123 ABC / MA", "123ABC"},
    {REGISTRY_VEHICLE, "MA123ABC", "MA123ABC"},
    {REGISTRY_VEHICLE, "XX 123-ABC", "XX123ABC"},
    {REGISTRY_VEHICLE, "NONE", ""},
    {REGISTRY_ADDRESS, "12 Oak St Apt 3, Springfield 01101", "12 OAK ST 01101"},
    {REGISTRY_ADDRESS, "12 OAK STREET, #3, Springfield, MA 01101-4321", "12 OAK ST 01101"},
    {REGISTRY_ADDRESS, "12 Óak Street Springfield MA 01101", "12 OAK ST 01101"},
    {REGISTRY_ADDRESS, "12 North Oak Ave. Springfield MA 01101", "12 N OAK AVE 01101"},
    {REGISTRY_LOCATION, "42.10149, -72.58981", "42.101,-72.590"},
    {REGISTRY_LOCATION, "Safe Harbor Shelter", "SAFE HARBOR SHELTER"},
    {REGISTRY_ORGANIZATION, "Acme Widgets, Inc.", "ACME WIDGETS"},
};

static void assert_canonical(const struct vector *v)
{
    uint8_t folded[256], out[REGISTRY_CANONICAL_MAX];
    size_t n = registry_fold(span_str(v->value), folded);
    size_t len = registry_canonical(v->kind, span_of(folded, n), out);
    if (!span_equal(span_of(out, len), span_str(v->canonical)))
        fail_msg("%s \"%s\": got \"%.*s\", want \"%s\"", registry_kind_name(v->kind), v->value, (int)len,
            (const char *)out, v->canonical);
}

static void test_vectors(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        assert_canonical(&vectors[i]);
}

/* A canonical form is its own canonical form: what was canonicalised once may be again. */
static void test_canonical_is_stable(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        if (!vectors[i].canonical[0] || vectors[i].kind == REGISTRY_ADDRESS || vectors[i].kind == REGISTRY_LOCATION)
            continue;
        struct vector again = {vectors[i].kind, vectors[i].canonical, vectors[i].canonical};
        assert_canonical(&again);
    }
}

/* No byte string may overrun or be read beyond its end: under the sanitizers, every prefix of every vector as every
 * kind. */
static void test_every_prefix_as_every_kind(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        for (size_t len = 0; len <= strlen(vectors[i].value); len++)
            for (int kind = 0; kind < REGISTRY_KIND_COUNT; kind++) {
                uint8_t *exact = mem_copy(vectors[i].value, len + (len == 0)), *folded = mem_alloc(len + 1);
                uint8_t *out = mem_alloc(REGISTRY_CANONICAL_MAX);
                assert_true(exact && folded && out);
                size_t n = registry_fold(span_of(exact, len), folded);
                assert_true(n <= len);
                assert_true(
                    registry_canonical((enum registry_kind)kind, span_of(folded, n), out) <= REGISTRY_CANONICAL_MAX);
                mem_free(exact), mem_free(folded), mem_free(out);
            }
}

static void test_long_values(void **state UNUSED)
{
    uint8_t *value = mem_alloc(5000), out[REGISTRY_CANONICAL_MAX];
    static const char fills[] = "A1 ,@*-";
    for (size_t f = 0; f < strlen(fills); f++) {
        memset(value, fills[f], 5000);
        for (int kind = 0; kind < REGISTRY_KIND_COUNT; kind++)
            assert_true(registry_canonical((enum registry_kind)kind, span_of(value, 5000), out) <= sizeof out);
    }
    mem_free(value);
}

static void test_fold_keeps_what_it_does_not_know(void **state UNUSED)
{
    uint8_t out[64];
    span in = SPAN("Garcia \xE6\xBC\xA2 \xFF\xC3 3\xC3\x97"
                   "4");
    size_t n = registry_fold(in, out);
    assert_true(span_equal(span_of(out, n), in));
}

/* Precomposed and decomposed, as NFC and NFD write them. */
//= 10-domain 2.7
static void test_fold_takes_marks_away(void **state UNUSED)
{
    static const char *const pairs[][2] = {
        {"cónyuge MALTRATADA, víctima de trata", "conyuge MALTRATADA, victima de trata"},
        {"vi\xCC\x81"
         "ctima",
            "victima"},
        {"ÁÉÍÓÚÜÑ áéíóúüñ Łódź Çelik Øre Ångström Straße", "AEIOUUN aeiouun Lodz Celik Ore Angstrom Strase"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        uint8_t out[128];
        size_t n = registry_fold(span_str(pairs[i][0]), out);
        if (!span_equal(span_of(out, n), span_str(pairs[i][1])))
            fail_msg("%s became %.*s", pairs[i][0], (int)n, (const char *)out);
    }
}

static void test_kinds(void **state UNUSED)
{
    assert_int_equal(registry_kind_from(SPAN("alien_number")), REGISTRY_ALIEN_NUMBER);
    assert_int_equal(registry_kind_from(SPAN("organization")), REGISTRY_ORGANIZATION);
    assert_int_equal(registry_kind_from(SPAN("Alien_Number")), -1);
    assert_int_equal(registry_kind_from(SPAN("")), -1);
    assert_true(registry_kind_is_surrogate(REGISTRY_PERSON_ID));
    assert_false(registry_kind_is_surrogate(REGISTRY_SSN));
    assert_true(registry_kind_is_shared(REGISTRY_ADDRESS));
    assert_true(registry_kind_is_shared(REGISTRY_EVENT_NUMBER));
    assert_false(registry_kind_is_shared(REGISTRY_PASSPORT));
}

static void test_system_ids(void **state UNUSED)
{
    assert_int_equal(registry_system_id(SPAN("")), 0);
    /* CRC-32C of "123456789" (RFC 3720 B.4 check value). */
    assert_int_equal(registry_system_id(SPAN("123456789")), 0xE3069283);
    assert_int_equal(registry_system_id(SPAN("EARM")), registry_system_id(SPAN(" earm ")));
    assert_int_not_equal(registry_system_id(SPAN("earm")), registry_system_id(SPAN("eid")));
}

static uint64_t seed = 88172645463325252u;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

/* Other digits, zeros often, and letters in either case. */
static void fill_shape(const uint8_t *shape, size_t n, uint8_t *out)
{
    unsigned zeros = below(3);
    for (size_t i = 0; i < n; i++) {
        out[i] = shape[i];
        if (is_digit(shape[i])) out[i] = zeros == 0 || (zeros == 1 && below(2)) ? '0' : (uint8_t)('0' + below(10));
        if (is_alpha(shape[i])) out[i] = below(2) ? to_lower(shape[i]) : to_upper(shape[i]);
    }
}

static size_t put_shape(uint8_t *out)
{
    static const char *const heads[] = {"", "A", "A ", "USCIS# ", "AZ", "MSC", "EAC*", " ", "G", "_", "Alien No. "};
    const char *head = heads[below(ARRAY_LEN(heads))];
    size_t n = strlen(head), more = below(14);
    memcpy(out, head, n);
    for (size_t i = 0; i < more; i++)
        out[n++] = (uint8_t)"0000000000A-- .</*"[below(18)];
    return n;
}

/* What is hashed of a value, by its definition (registry.h). */
static bool put_message(enum registry_kind kind, uint32_t system, span value, uint8_t out[16])
{
    uint8_t spelling[REGISTRY_CANONICAL_MAX];
    size_t n = registry_canonical(kind, value, spelling), head = registry_kind_is_surrogate(kind) ? 5 : 1;
    if (n == 0 || head + n < REGISTRY_ASK_LEAST || head + n > REGISTRY_ASK_SHORT) return false;
    memset(out, 0, 16);
    out[0] = (uint8_t)kind;
    for (size_t i = 1; i < head; i++)
        out[i] = (uint8_t)(system >> 8 * (i - 1));
    memcpy(out + head, spelling, n);
    out[15] = (uint8_t)(head + n);
    return true;
}

/* The way that one value of a shape has taken leads all others of the shape to their message, wherever they stand in a text. */
//= 10-domain 2.1
#define ROOM 32
static void test_ways(void **state UNUSED)
{
    unsigned ways = 0, taken = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t shape[64], first[128], other[128], expected[16], out[16];
        struct registry_way way;
        enum registry_kind kind = (enum registry_kind)below(REGISTRY_KIND_COUNT);
        uint32_t system = registry_kind_is_surrogate(kind) ? 0x12345678u + i : 0;
        size_t n = put_shape(shape), from = below(20);
        memset(first, '7', sizeof first);
        memset(other, 'x', sizeof other);
        fill_shape(shape, n, first + from);
        span text = span_of(first, from + n);
        if (!registry_way_of(registry_ask_head(kind, system), kind, text, from, n, ROOM, &way)) continue;
        ways++;
        assert_true(way.at + 16 <= ROOM);
        for (unsigned k = 0; k < 8; k++) {
            fill_shape(shape, n, other + from);
            if (!registry_way_take(&way, other, out)) continue;
            taken++;
            assert_true(put_message(kind, system, span_of(other + from, n), expected));
            if (memcmp(out, expected, 16) != 0) fail_msg("kind %d: '%.*s'", kind, (int)n, (char *)other + from);
        }
    }
    assert_true(ways > 10000 && taken > 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_canonical_is_stable),
        cmocka_unit_test(test_every_prefix_as_every_kind),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_fold_keeps_what_it_does_not_know),
        cmocka_unit_test(test_fold_takes_marks_away),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_system_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
