/* For test_score.c: random rules documents, and bodies for them: lists of records that mostly repeat one before. */
#ifndef GATE1367_TESTS_MATCH_SCORE_BODIES_H
#define GATE1367_TESTS_MATCH_SCORE_BODIES_H

#include "support.h"

#include <stdio.h>

static uint64_t seed;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}
static bool chance(unsigned permille)
{
    return below(1000) < permille;
}
static void start_at(uint64_t n)
{
    seed = 0x9E3779B97F4A7C15u * (n + 1);
    for (unsigned i = 0; i < 4; i++)
        (void)below(2);
}

struct text {
    char bytes[200000];
    size_t len;
};

static void say(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(t->len + n < sizeof t->bytes);
    memcpy(t->bytes + t->len, s, n + 1);
    t->len += n;
}

/* ---- documents of a profile --------------------------------------------------------------------------------------- */

static const char *const bases[] = {"$.items[*]", "$.items[*]", "$.items[*]", "$.items[*]", "$.records[*]", "$.page.items[*]",
    "$[*]", "$..items[*]", "$.*[*]", "$.items[0]", "$.items[2]", "$", "$.page", "$.items", "$..list[*]", "$.items[*].list[*]",
    "$.items[*].list[*]", "$.items[*].list", "$.address.items[*]", "$.address", "$.*.items[*]", "$.items[*][*]", "$.items[1][*]",
    "$[*][*]", "$.items[*].associates[*]", "$..value.list[*]", "$.items[*].value", "$.items[*].value", "$.items[*].notes",
    "$.items[*].notes"};
static const char *const tails[] = {".id", ".name", ".name.last", ".to", ".associates[*]", ".associates[*]", ".associates",
    ".associates[0]", ".address", ".address.city", ".notes", ".list", ".list[*]", ".list[*][*]", ".list[0]", ".list[1]", "..x1",
    "..value", ".*", ".tags[*]", ".tags", ".tags[1]", ".aNumber", ".personId", ".value", ".items[*]", ".total", "[*]", ".coa", ".notes", ".value"};

static void say_path(struct text *t)
{
    say(t, "\"");
    say(t, bases[below(ARRAY_LEN(bases))]);
    for (unsigned n = below(3); n > 0; n--)
        say(t, tails[below(ARRAY_LEN(tails))]);
    say(t, "\"");
}

static void say_paths(struct text *t, const char *member, unsigned permille)
{
    if (!chance(permille)) return;
    say(t, ",\"");
    say(t, member);
    say(t, "\":[");
    for (unsigned i = 0, n = 1 + below(3); i < n; i++) {
        if (i > 0) say(t, ",");
        say_path(t);
    }
    say(t, "]");
}

static void say_units(struct text *t, char *first, size_t size)
{
    unsigned n = below(8) ? 1 + below(4) : 0;
    say(t, "\"units\":[");
    first[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        bool null = chance(200);
        if (i > 0) say(t, ",");
        if (null) say(t, "{\"absent\":\"null\",\"path\":");
        size_t from = t->len;
        if (i == 0 && chance(600)) say(t, "\"$.items[*]\"");
        else say_path(t);
        if (i == 0) snprintf(first, size, "%s", t->bytes + from);
        if (null) say(t, "}");
    }
    say(t, "]");
}

/* A document as a profile declares it; many contradict themselves, and the loader refuses them. */
static void say_document(struct text *t, unsigned number)
{
    char first[200], path[40];
    bool streams = chance(250);
    snprintf(path, sizeof path, "{\"path\":\"/d%u\",", number);
    say(t, path);
    say_units(t, first, sizeof first);
    say_paths(t, "texts", 200);
    say_paths(t, "uniform", 250);
    if (chance(300)) say(t, ",\"keys\":{\"person_id\":["), say_path(t), say(t, "]}");
    say_paths(t, "allow", 40);
    if (streams && first[0]) {
        say(t, ",\"independent\":true}");
        return;
    }
    say_paths(t, "links", 200);
    say_paths(t, "pseudonyms", 200);
    if (first[0] && chance(300)) {
        say(t, ",\"counts\":{");
        static const char *const totals[] = {"\"$.total\"", "\"$.total\"", "\"$.items[*].total\"", "\"$..total\"", "\"$.items[*].list[*].id\""};
        say(t, totals[below(ARRAY_LEN(totals))]);
        say(t, ":"), say(t, first), say(t, "}");
        if (chance(600)) say(t, ",\"complete\":true");
    }
    if (chance(40)) say(t, ",\"graph\":{\"id\":[\"id\"],\"ref\":[\"to\"]}");
    say(t, "}");
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

/* What a record consists of. `H`, `T` and `V` stand for any string, any scalar and either; `E` for some element more. */
#define PARTS 200
struct record {
    char part[PARTS];
    uint8_t name[PARTS];
    unsigned count;
};

static const char *const names[] = {"id", "name", "last", "to", "aNumber", "list", "value", "associates", "personId", "address",
    "city", "notes", "tags", "total", "coa", "x1", "x2", "x3", "items", "ssn", "alienFile", "passportNo",
    "a name that is longer than thirty-two bytes, and than sixty-four bytes too, as some are", "x4", "x5", "x6", ("caf\xC3\xA9"),
    "mail@", "x7", "\\u0061", "x8", "A012345678", "form I-918", "123456789012", "", "n%41", "x9", "page", "records", "number", "x10", "type", "x:kind", "key", "columns", "values", "rows", "fields"};
static const char *const dull[] = {"A", "LOPEZ", "1990-01-01", "", "1991-03-07", "in town", "2021-03-01T10:22:33Z", "B2",
    ("ANA SOF\xC3\x8D" "A"), "XA012345678", "qtaxmjm9nty3oa", "QTAXMJM1NTY3OA", "QTAxMjM5NTY3OQ", "a8f5f167f44f4964", "%42012345678",
    "a@b", "ABCDEF-123456", "YWRtaW5pc3RyYXRvcg", "longer than what is read at once: ABCDEFGH 0123456789 0123456789 01234567"};
static const char *const hot[] = {"A012345678", "A 012-345-678", "012345678", "EAC2190012345", "123-45-6789", "G12345678", "384",
    "in a shelter", "filed Form I-918", "QTAxMjM0NTY3OA", "A099888777", "90210017", "a%30b", "\\u0041012345678", "a\\\"b",
    ("A\xEF\xBC\x90" "12345678"), "x@example.test", "das", "QTAxMjM0NTY3OA", "%41012345678", "YWRtaW5JLTkxOA", "QTAxMjM0NTY3OA==", "IGluIGEgc2hlbHRlciBJLTkxOCA", "A000000811", "A020210301", "A123456780", "A612345679",
    "A012345678 and A555666777, I-918, shelter", "\\ud800", "\xC3", "}]", ",\\\"id\\\":", "-1", "unknown",
    "SSN", "passport", "alien number", "coa", "SS\\u004E", "ssn", "aNumber"};
static const char *const scalars[] = {"0", "7", "-1", "1.5", "true", "false", "null", "811", "12345678", "90210017", "123456789",
    "012", "555666777", "1.2345678e7", "1e3", "384", "1234567890.5", "123456789012345"};
static const char *const blanks[] = {"", "", "", " ", "\n  ", "\t\r\n"};

struct body {
    struct text text;
    struct record kinds[4];
    unsigned used;   /* of the kinds */
    unsigned hot;    /* values that say something, of 1000 */
    unsigned other;  /* records that are not quite of their kind, of 1000 */
    unsigned inside; /* records that hold a list of records, and lists in lists, of 1000 */
    bool blank, lines;
};

static void put_value(struct record *r, unsigned depth);
static void add(struct record *r, char part, uint8_t name)
{
    if (r->count == PARTS) return;
    r->part[r->count] = part;
    r->name[r->count++] = name;
}

static void put_object(struct record *r, unsigned depth)
{
    unsigned from = below(ARRAY_LEN(names)), count = below(depth == 0 ? 10 : 5), step = 1 + below(3);
    add(r, '{', 0);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) add(r, ',', 0);
        add(r, 'N', (uint8_t)((from + i * step) % ARRAY_LEN(names)));
        add(r, ':', 0);
        put_value(r, depth + 1);
    }
    add(r, '}', 0);
}

static void put_value(struct record *r, unsigned depth)
{
    unsigned kind = below(12);
    if (kind < 2 && depth < 6) return put_object(r, depth);
    if (kind < 5 && depth < 6) {
        bool alike = chance(500);
        unsigned n = below(4), from, size;
        add(r, '[', 0);
        for (unsigned i = 0; i < n && r->count < PARTS; i++) {
            if (i > 0) add(r, ',', 0);
            from = r->count;
            put_value(r, depth + 1);
            size = r->count - from;
            for (; alike && i + 1 < n && size + r->count + 1 < PARTS; i++) { /* the same once more */
                add(r, ',', 0);
                memcpy(r->part + r->count, r->part + from, size);
                memcpy(r->name + r->count, r->name + from, size);
                r->count += size;
            }
        }
        if (n > 0 && chance(200)) add(r, 'E', 0);
        return add(r, ']', 0);
    }
    add(r, kind < 9 ? 'H' : kind < 11 ? 'T' : 'V', 0);
}

static void make_kinds(struct body *b, uint64_t of)
{
    uint64_t before = seed;
    start_at(of);
    for (unsigned i = 0; i < ARRAY_LEN(b->kinds); i++)
        do {
            b->kinds[i].count = 0;
            put_object(&b->kinds[i], 0);
        } while (b->kinds[i].count == PARTS || b->kinds[i].count < 3);
    seed = before;
}

/* One thing is another; seldom what comes out is no JSON. */
static void disturb(struct record *r)
{
    unsigned at = below(r->count);
    switch (below(8)) {
    case 0: r->part[at] = chance(60) ? "{}[],:NHT"[below(9)] : r->part[at]; break;
    case 1: r->name[at] = (uint8_t)below(ARRAY_LEN(names)); break;
    case 2: r->name[at] = r->name[below(r->count)]; break;
    case 3:
        if (r->part[at] == 'H') r->part[at] = 'T';
        else if (r->part[at] == 'T' || r->part[at] == 'V') r->part[at] = 'H';
        break;
    case 4:
        if (r->part[at] == 'H' || r->part[at] == 'T') r->part[at] = 'O';
        break;
    default: break;
    }
}

static void say_string(struct body *b)
{
    const char *const *list = chance(b->hot) ? hot : dull;
    say(&b->text, "\"");
    say(&b->text, list[below(list == hot ? ARRAY_LEN(hot) : ARRAY_LEN(dull))]);
    say(&b->text, "\"");
}

static void say_scalar(struct body *b)
{
    unsigned i = below(chance(b->hot) ? ARRAY_LEN(scalars) : 7);
    if (i == 11) i = 0; /* no JSON */
    say(&b->text, scalars[i]);
}

static void say_record(struct body *b, const struct record *r)
{
    struct text *t = &b->text;
    for (unsigned i = 0; i < r->count; i++) {
        char one[2] = {r->part[i]};
        const char *blank = blanks[(i * 7 + r->count) % ARRAY_LEN(blanks)];
        if (b->blank) say(t, b->lines && strchr(blank, '\n') ? " " : blank);
        switch (r->part[i]) {
        case 'N': say(t, "\""), say(t, names[r->name[i]]), say(t, "\""); break;
        case 'H': say_string(b); break;
        case 'T': say_scalar(b); break;
        case 'V': chance(500) ? say_string(b) : say_scalar(b); break;
        case 'O': say(t, chance(500) ? "{}" : "{\"value\":[7,\"A012345678\"]}"); break;
        case 'E':
            for (unsigned n = below(3); n > 0; n--)
                say(t, ","), say_string(b);
            break;
        default: say(t, one);
        }
    }
}

static void say_list(struct body *b, unsigned records, unsigned depth);
/* A list inside, of any length, so that what is around it keeps to no track. */
static void say_around(struct body *b, unsigned records, unsigned depth)
{
    static const char *const lists[] = {"{\"list\":", "{\"id\":1,\"associates\":", "{\"value\":{\"list\":", "{\"list\":[],\"items\":",
        "{\"value\":{\"list\":", "{\"aNumber\":{\"value\":", "{\"notes\":{\"value\":", "{\"notes\":{\"list\":"};
    static const char *const ends[] = {",\"notes\":\"A012345678\"", ",\"to\":[1,[2,[3]]]", ",\"id\":90210017", "", ""};
    unsigned which = below(ARRAY_LEN(lists) + 1);
    if (which == ARRAY_LEN(lists)) return say_list(b, records, depth - 1);
    say(&b->text, lists[which]);
    say_list(b, records, depth - 1);
    if (which == 2 || which > 3) say(&b->text, "}");
    say(&b->text, ends[below(ARRAY_LEN(ends))]);
    say(&b->text, "}");
}

static void say_list(struct body *b, unsigned records, unsigned depth)
{
    say(&b->text, "[");
    for (unsigned i = 0; i < records && b->text.len < sizeof b->text.bytes / 3; i++) {
        struct record one = b->kinds[chance(900) ? below(b->used) : below(ARRAY_LEN(b->kinds))];
        if (chance(b->other)) disturb(&one);
        if (i > 0) say(&b->text, ",");
        if (chance(10)) say(&b->text, "null,7,\"A012345678\",[],");
        if (depth > 0 && chance(b->inside)) say_around(b, 1 + below(6), depth);
        else say_record(b, &one);
    }
    say(&b->text, "]");
}

static void say_more(struct body *b)
{
    static const char *const members[] = {",\"total\":%u", ",\"echo\":\"A012345678\"", ",\"page\":{\"number\":7}", ",\"x1\":[]",
        ",\"notes\":\"I-918\"", ",\"columns\":[\"x\",\"ssn\",{\"name\":\"aNumber\"}]", ",\"values\":[[\"ssn\",\"x1\"],[\"123456789\",%u]]",
        ",\"rows\":[[5,\"123456789\",{\"v\":12345678}],[%u]]",
        ",\"aNumber\":[{\"value\":\"012345678\"},{\"value\":%u}]"};
    char text[80];
    if (chance(500)) return;
    snprintf(text, sizeof text, members[below(ARRAY_LEN(members))], below(9));
    say(&b->text, text);
}

/* One value; `records` in each of its lists. */
static void say_value(struct body *b, unsigned records)
{
    static const char *const lists[] = {"items", "records", "rows", "page\":{\"items", "address\":{\"items", "x1\":{\"items", "list"};
    if (chance(120)) return say_list(b, records, 2);
    say(&b->text, "{\"v\":1");
    for (unsigned n = 1 + below(3), i = 0; i < n; i++) {
        unsigned which = i == 0 ? 0 : below(ARRAY_LEN(lists));
        say_more(b);
        say(&b->text, ",\""), say(&b->text, lists[which]), say(&b->text, "\":");
        say_list(b, records, 2);
        if (which >= 3 && which <= 5) say_more(b), say(&b->text, "}");
    }
    say_more(b);
    say(&b->text, "}");
}

/* `of`: records are of the same kinds where it is the same. */
static void make_body(struct body *b, uint64_t of)
{
    make_kinds(b, of);
    b->text.len = 0;
    b->used = 1 + below(3);
    b->hot = below(3) ? 20 : below(400);
    b->other = below(3) ? 0 : below(120);
    b->inside = below(3) ? 0 : below(3) ? 1000 : 100 + below(900);
    b->blank = chance(150);
    b->lines = chance(150);
    unsigned records = chance(30) ? 150 + below(150) : 4 + below(25);
    for (unsigned n = b->lines ? 1 + below(4) : 1, i = 0; i < n; i++) {
        if (i > 0) say(&b->text, chance(900) ? "\n" : "\r\n\n");
        say_value(b, b->lines ? 1 + records / 2 : records);
    }
}

#endif
