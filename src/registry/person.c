/* A person of the source: what a line may say, and what makes somebody protected.
 *
 *= 8USC1367 a(2)      until denied and all opportunities for appeal exhausted
 *= ICE10036.2 2.1     pending or approved; any beneficiary listed
 *= 10-domain 1.1 */
#include "registry/person.h"

#define VALUE_MAX 1024

const char *const person_benefits[] = {"T", "U", "CP", "VAWA", "INA106", NULL};
const char *const person_roles[] = {"principal", "derivative", NULL};
const char *const person_statuses[] = {
    "requested", "pending", "approved", "denied_appealable", "denied_final", "withdrawn", "revoked", "suspected", NULL};

/* Everything but one status protects: withdrawal and revocation are not "denied and exhausted", and what we do not know
 * might be anything. */
int person_status(span status)
{
    if (span_equal(status, SPAN("denied_final"))) return 0;
    for (size_t i = 0; person_statuses[i]; i++)
        if (span_equal(status, span_str(person_statuses[i]))) return 1;
    return -1;
}

static bool is_leap(uint64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool person_date_valid(span date)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year, month, day;
    if (date.len != 10 || date.ptr[4] != '-' || date.ptr[7] != '-') return false;
    if (!span_to_u64(span_sub(date, 0, 4), 9999, &year) || !span_to_u64(span_sub(date, 5, 2), 12, &month) ||
        !span_to_u64(span_sub(date, 8, 2), 31, &day) || month == 0 || day == 0)
        return false;
    return day <= days[month - 1] || (month == 2 && day == 29 && is_leap(year));
}

/* ---- identifiers ---- */

void person_reset(struct person *p)
{
    p->handle = REGISTRY_NO_SUBJECT;
    p->protected_ = false;
    p->key_count = 0;
}

void person_free(struct person *p)
{
    mem_free_wipe(p->keys, p->key_room * sizeof *p->keys);
    *p = (struct person){0};
}

static bool push_key(struct person *p, struct person_key key)
{
    if (p->key_count == p->key_room) {
        size_t room = p->key_room ? 2 * p->key_room : 16;
        struct person_key *keys = mem_resize(p->keys, room * sizeof *keys);
        if (!keys) return false;
        p->keys = keys;
        p->key_room = room;
    }
    p->keys[p->key_count++] = key;
    return true;
}

static bool push_canonical(
    struct person *p, const struct secrets *s, enum registry_kind kind, uint32_t system, span canonical)
{
    struct registry_key key = {kind, system, canonical};
    struct person_key made = {.kind = kind};
    print_keys(s, &key, 1, &made.print);
    return push_key(p, made);
}

/* In matching a bare number under a label may have lost its zeros; in a source, five digits are a slip of the hand that
 * would leave somebody unprotected. */
static bool too_short(enum registry_kind kind, span folded, size_t canonical)
{
    if (kind == REGISTRY_PHONE) return canonical < 10; /* of which country? */
    if (kind != REGISTRY_ALIEN_NUMBER) return false;
    size_t digits = 0;
    for (size_t i = 0; i < folded.len; i++)
        digits += is_digit(folded.ptr[i]);
    return digits < 7;
}

enum person_value person_add(
    struct person *p, const struct secrets *s, enum registry_kind kind, span value, span system)
{
    uint8_t folded[VALUE_MAX], canonical[REGISTRY_CANONICAL_MAX], other[REGISTRY_CANONICAL_MAX];
    if (value.len > sizeof folded) return PERSON_VALUE_BAD;
    span spelt = span_of(folded, registry_fold(value, folded));
    size_t n = registry_canonical(kind, spelt, canonical);
    if (n == 0 || too_short(kind, spelt, n)) return PERSON_VALUE_BAD;
    uint32_t system_id = registry_kind_is_surrogate(kind) ? registry_system_id(system) : 0;
    size_t others = registry_canonical_other(kind, span_of(canonical, n), other);
    bool pushed = push_canonical(p, s, kind, system_id, span_of(canonical, n)) &&
                  (others == 0 || push_canonical(p, s, kind, system_id, span_of(other, others)));
    mem_wipe(folded, value.len);
    mem_wipe(canonical, sizeof canonical);
    mem_wipe(other, sizeof other);
    return pushed ? PERSON_VALUE_GOOD : PERSON_VALUE_NO_MEMORY;
}

bool person_kind_unmatched(enum registry_kind kind)
{
    return kind == REGISTRY_ADDRESS || kind == REGISTRY_LOCATION || kind == REGISTRY_ORGANIZATION;
}

const char *person_kind_hint(enum registry_kind kind)
{
    switch (kind) {
    case REGISTRY_ALIEN_NUMBER: return "\"A\" and 7 to 9 digits, as in A012-345-678";
    case REGISTRY_RECEIPT_NUMBER: return "3 letters and 10 digits, as in EAC2190012345";
    case REGISTRY_SSN: return "9 digits that were ever issued, as in 123-45-6789";
    case REGISTRY_ITIN: return "9 digits that begin with 9, as in 912-70-1234";
    case REGISTRY_I94: return "9 digits, a letter or digit, and a digit";
    case REGISTRY_SEVIS: return "\"N\" and 9 or 10 digits";
    case REGISTRY_PASSPORT: return "6 to 12 letters and digits, one digit at least";
    case REGISTRY_VISA_FOIL: return "8 digits, or a letter and 7 digits";
    case REGISTRY_FBI_NUMBER: return "up to 9 letters and digits";
    case REGISTRY_FIN: return "digits";
    case REGISTRY_SID: return "the state's 2 letters and up to 10 letters and digits";
    case REGISTRY_DRIVER_LICENSE: return "4 to 24 letters and digits, with or without the state";
    case REGISTRY_PERSON_ID:
    case REGISTRY_EVENT_NUMBER:
    case REGISTRY_CASE_NUMBER: return "the key as its system writes it, at most 96 bytes";
    case REGISTRY_PHONE: return "10 digits, or a country code with \"+\"";
    case REGISTRY_EMAIL: return "name@host, at most 96 bytes";
    case REGISTRY_VEHICLE: return "a VIN, or a plate with or without its state";
    case REGISTRY_ADDRESS: return "house number, street and ZIP code";
    case REGISTRY_LOCATION: return "an address, a name, or \"latitude, longitude\"";
    case REGISTRY_ORGANIZATION: return "a name";
    case REGISTRY_KIND_COUNT: break;
    }
    ASSERT(false);
    return "";
}
