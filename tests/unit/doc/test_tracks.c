/* Lists of records that mostly repeat the one before, and now and then do not quite: with tracks (doc/track.h) the same
 * events as mark by mark, wherever the record leaves the way. `GATE1367_CASES=N` for more. */
#include "read_all.h"
#include "doc/track.h"

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

struct text {
    char bytes[60000];
    size_t len;
};

static void say(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(t->len + n < sizeof t->bytes);
    memcpy(t->bytes + t->len, s, n);
    t->len += n;
}

/* What a record consists of. `H` and `T` stand for any string and any scalar. */
#define PARTS 160
struct record {
    char part[PARTS];
    uint8_t name[PARTS];
    unsigned count;
};

static const char *const names[] = {"id", "name", "last", "first", "alerts", "code", "text", "date", "a", "items",
    "a name that is longer than thirty-two bytes, and than sixty-four bytes too, as some are", "x1", "x2", "x3", "x4", "x5",
    "x6", "x7", "caf\xC3\xA9", "mail@", "n%", "\\u0061", "\\n", "", "123456789012", "x8", "x9", "y1", "y2", "y3", "y4"};
static const char *const strings[] = {"", "A", "LOPEZ", "1990-01-01", "A 012-345-678", ("ANA SOF\xC3\x8D" "A"), "LOPEZ HERNANDEZ",
    "LOPEZ-HERNANDEZ", "12 OAK ST APT 7", "B2", "H4", "U1", "B2 C", "1990-02-03", "1991-01-04",
    "longer than what is read at once: 0123456789 0123456789 0123456789 01234567", /* so far the usual ones */
    "a\\\"b", "\\\\", "x@example.test", "{", "}]", ",\\\"id\\\":", "\\ud800", "\xC3", "%41",
    "longer than what is read at once, and only then something special: 01234567 \\u0041",
    "longer than what is read at once, and only then what may not be there: 012345 \\x"};
#define USUAL_STRINGS 16
static const char *const scalars[] = {"0", "1", "-1", "12345678", "123456789", "1.5", "1e3", "true", "false", "null",
    "01", "nul", "tru", "-", "1x"};
static const char *const blanks[] = {"", "", "", " ", "\n  ", "\t\r\n"};

static void put_value(struct record *r, unsigned depth);
static void add(struct record *r, char part, uint8_t name)
{
    if (r->count == PARTS) return;
    r->part[r->count] = part;
    r->name[r->count++] = name;
}

static void put_object(struct record *r, unsigned depth)
{
    unsigned from = below(ARRAY_LEN(names)), count = below(depth == 0 ? 9 : 5);
    add(r, '{', 0);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) add(r, ',', 0);
        add(r, 'N', (uint8_t)((from + i) % ARRAY_LEN(names)));
        add(r, ':', 0);
        put_value(r, depth + 1);
    }
    add(r, '}', 0);
}

static void put_value(struct record *r, unsigned depth)
{
    unsigned kind = below(10);
    if (kind < 2 && depth < 6) return put_object(r, depth);
    if (kind < 4 && depth < 6) {
        add(r, '[', 0);
        for (unsigned n = below(3), i = 0; i < n; i++) {
            if (i > 0) add(r, ',', 0);
            put_value(r, depth + 1);
        }
        return add(r, ']', 0);
    }
    add(r, kind < 8 ? 'H' : 'T', 0);
}

/* One thing is another, or is missing; mostly what comes out is no JSON, or a name stands there twice. */
static void disturb(struct record *r)
{
    unsigned at = below(r->count);
    switch (below(5)) {
    case 0: r->part[at] = "{}[],:NHT"[below(9)]; break;
    case 1: r->name[at] = (uint8_t)below(ARRAY_LEN(names)); break;
    case 2:
        memmove(r->part + at, r->part + at + 1, r->count - at - 1);
        memmove(r->name + at, r->name + at + 1, r->count - at - 1);
        r->count--;
        break;
    case 3: r->name[at] = r->name[below(r->count)]; break;
    default: break;
    }
}

static void say_record(struct text *t, const struct record *r, bool blank, bool wild)
{
    for (unsigned i = 0; i < r->count; i++) {
        char one[2] = {r->part[i]};
        const char *const *list = NULL;
        unsigned count = wild && chance(20) ? ARRAY_LEN(scalars) : 10;
        if (blank) say(t, blanks[(i * 7 + r->count) % ARRAY_LEN(blanks)]);
        if (wild && chance(5)) say(t, blanks[below(ARRAY_LEN(blanks))]);
        switch (r->part[i]) {
        case 'N': say(t, "\""), say(t, names[r->name[i]]), say(t, "\""); break;
        case 'H':
            count = wild && chance(100) ? ARRAY_LEN(strings) : USUAL_STRINGS;
            list = strings;
            say(t, "\""), say(t, list[below(count)]), say(t, "\"");
            break;
        case 'T': say(t, scalars[below(count)]); break;
        default: say(t, one);
        }
    }
}

/* One of three structures each time, as it is or, now and then, not quite. */
static void put_list(struct text *t, bool wild)
{
    struct record kinds[3];
    unsigned records = 3 + below(60), most = 1 + below(3);
    bool blank = chance(200);
    for (unsigned i = 0; i < 3; i++) {
        kinds[i].count = 0;
        do {
            kinds[i].count = 0;
            put_object(&kinds[i], 0);
        } while (kinds[i].count == PARTS);
    }
    t->len = 0;
    say(t, chance(500) ? "[" : "{\"name\":1,\"items\":[");
    for (unsigned i = 0; i < records && t->len < sizeof t->bytes / 2; i++) {
        struct record one = kinds[below(most)];
        if (wild && chance(30)) disturb(&one);
        if (i > 0) say(t, ",");
        say_record(t, &one, blank, wild);
    }
    say(t, t->bytes[0] == '[' ? "]" : "],\"name\":2}");
}

static unsigned cases(void)
{
    const char *more = getenv("GATE1367_CASES");
    unsigned n = more ? (unsigned)strtoul(more, NULL, 10) : 0;
    return n ? n : 3000;
}

static void check(struct levels *l, enum doc_format format, span body, unsigned number)
{
    struct reading slow = read_body(l->readers[0], format, 64, body, (struct feeding){SIZE_MAX, 0, 1, false});
    for (size_t level = 0; level < l->count; level++) {
        const struct feeding ways[] = {WHOLE, {below((unsigned)body.len + 1), 0, 40, true}, {0, 300 + below(9000), 23, true}};
        for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
            struct reading fast = read_body(l->readers[level], format, 64, body, ways[i]);
            assert_same(body, &slow, &fast, "case", number);
            free(fast.events);
        }
    }
    free(slow.events);
}

//= RFC8259 4
static void records_on_tracks(void **state)
{
    static struct text t;
    struct levels levels = open_levels();
    unsigned clean = 0;
    (void)state;
    for (unsigned i = 0; i < cases(); i++) {
        seed = 0x9E3779B97F4A7C15u * (i + 1);
        put_list(&t, i % 2);
        check(&levels, DOC_JSON, span_of((const uint8_t *)t.bytes, t.len), i);
        struct reading all =
            read_body(levels.readers[0], DOC_JSON, 64, span_of((const uint8_t *)t.bytes, t.len), WHOLE);
        clean += all.status == DOC_COMPLETE;
        free(all.events);
    }
    assert_true(clean > cases() / 4); /* the others break off: that comes out the same as well */
    close_levels(&levels);
}

/* Lists in lines: a line that breaks off teaches nothing. */
static void lines_on_tracks(void **state)
{
    static struct text t, one;
    struct levels levels = open_levels();
    (void)state;
    for (unsigned i = 0; i < cases() / 4; i++) {
        seed = 0xD1B54A32D192ED03u * (i + 1);
        t.len = 0;
        for (unsigned n = 0; n < 6; n++) {
            uint64_t again = seed;
            put_list(&one, n % 2);
            if (chance(500)) seed = again;
            for (size_t k = 0; k < one.len; k++)
                if (one.bytes[k] == '\n') one.bytes[k] = ' ';
            if (t.len + one.len + 2 >= sizeof t.bytes) break;
            memcpy(t.bytes + t.len, one.bytes, one.len);
            t.len += one.len;
            say(&t, "\n");
        }
        check(&levels, DOC_NDJSON, span_of((const uint8_t *)t.bytes, t.len), i);
    }
    close_levels(&levels);
}

/* Every split point of a list whose records leave the track in each of its gaps. */
static void every_split_point(void **state)
{
    static struct text t;
    struct levels levels = open_levels();
    struct record plain = {.count = 0};
    (void)state;
    seed = 88172645463325252u;
    do {
        plain.count = 0;
        put_object(&plain, 0);
    } while (plain.count < 30 || plain.count > 60);
    t.len = 0;
    say(&t, "[");
    for (unsigned i = 0; i < plain.count; i++) {
        struct record one = plain;
        if (one.part[i] == 'N') one.name[i] = (uint8_t)((one.name[i] + 17) % ARRAY_LEN(names));
        if (one.part[i] == 'H') one.part[i] = 'T';
        else if (one.part[i] == 'T') one.part[i] = 'H';
        if (i > 0) say(&t, ",");
        say_record(&t, &plain, false, false);
        say(&t, ",");
        say_record(&t, &one, false, false);
    }
    say(&t, "]");
    span body = span_of((const uint8_t *)t.bytes, t.len);
    struct reading slow = read_body(levels.readers[0], DOC_JSON, 64, body, (struct feeding){SIZE_MAX, 0, 1, false});
    for (size_t level = 0; level < levels.count; level++)
        for (size_t cut = level; cut <= body.len; cut += levels.count) {
            struct reading fast = read_body(levels.readers[level], DOC_JSON, 64, body, (struct feeding){cut, 0, 64, true});
            assert_same(body, &slow, &fast, "split", cut);
            free(fast.events);
        }
    assert_int_equal(slow.status, DOC_COMPLETE);
    free(slow.events);
    close_levels(&levels);
}

/* A record that the window cuts off, or that ends close to its end, waits for the next one, once: then what there is of it
 * is read. */
static void a_record_that_is_cut_off(void **state)
{
    static const char one[] = "{\"id\":12,\"last\":\"LOPEZ HERNANDEZ\",\"first\":\"ANA\",\"dob\":\"1990-01-01\",\"active\":true,\"code\":\"A1\"},";
    static struct text t;
    struct levels levels = open_levels();
    (void)state;
    t.len = 0;
    say(&t, "[");
    for (unsigned i = 0; i < 40; i++)
        say(&t, one);
    t.bytes[t.len - 1] = ']';
    size_t begin = 1 + 30 * (sizeof one - 1), cut = begin + (sizeof one - 1) / 2;
    for (size_t level = 0; level < levels.count; level++) {
        struct doc_reader *r = levels.readers[level];
        struct reading all = {0};
        struct doc_window w = {0, (const uint8_t *)t.bytes, cut, false, 0};
        doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 64});
        assert_int_equal(drain(r, &w, 200, &all), DOC_MORE);
        uint64_t reached = doc_reader_reached(r);
        assert_true(reached <= begin && reached + 300 > begin && t.bytes[reached] == '{');
        assert_int_equal(doc_reader_needs(r), reached);
        assert_int_equal(drain(r, &w, 200, &all), DOC_MORE);
        assert_true(doc_reader_reached(r) > begin);
        w.len = t.len, w.complete = true;
        assert_int_equal(drain(r, &w, 200, &all), DOC_COMPLETE);
        struct reading slow = read_body(r, DOC_JSON, 64, span_of(w.data, w.len), (struct feeding){SIZE_MAX, 0, 1, false});
        all.status = DOC_COMPLETE;
        assert_same(span_of(w.data, w.len), &slow, &all, "cut off", level);
        free(slow.events);
        free(all.events);
    }
    close_levels(&levels);
}

/* ---- what is skipped --------------------------------------------------------------------------------------------- */

/* Every third name is dull in each of the ways. */
static uint8_t dull[64];
static bool promised; /* struct doc_skip, `parted` */
static uint64_t literals[400];

static bool is_parted(span text)
{
    unsigned digits = 0, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c < ' ' || c >= 0x7F || c == '%' || c == '&' || c == '@' || c == '=') return false;
        digits += c >= '0' && c <= '9';
        run = c == ' ' ? 0 : run + 1;
        if (run == 12) return false;
    }
    return digits < 6;
}

static bool rarely; /* is there anything in a string */

/* Of an odd length, all of a shape are alike; else it depends on each byte. */
static bool is_news(uint16_t name, span text)
{
    unsigned sum = name;
    for (size_t i = 0; i < text.len; i++)
        sum += text.ptr[i];
    if (rarely) return text.len % 2 == 0 && sum % 256 == 0;
    return (text.len + name) % 3 == 0 || (text.len % 2 == 0 && sum % 4 == 0);
}

static enum doc_news ask(void *ctx, uint16_t name, span text)
{
    ++*(unsigned *)ctx;
    if (promised && name < 64 && dull[name] & DOC_DULL_VALUE && is_parted(text)) return text.len % 2 ? DOC_NEWS_NEVER : DOC_NEWS_NONE;
    if (is_news(name, text)) return DOC_NEWS_SOME;
    return text.len % 2 ? DOC_NEWS_NEVER : DOC_NEWS_NONE;
}

/* `name`: that it stands under, or its array does. */
static bool is_dull_string(const struct doc_event *e, uint16_t name, span body)
{
    unsigned asked = 0;
    for (const uint64_t *l = literals; *l <= e->at + e->len; l++)
        if (*l > e->at) return false;
    if (!(e->flags & DOC_ATTENTION) && dull[name] & DOC_DULL_VALUE) return true;
    return !(e->flags & DOC_ESCAPED) && ask(&asked, name, span_sub(body, e->at, e->len)) != DOC_NEWS_SOME;
}

static bool is_dull_number(const struct doc_event *e)
{
    return e->len < 9 ? !(e->flags & DOC_EXPONENT) : (e->flags & DOC_PLAIN) && e->len > 11;
}

static bool is_opening(const struct doc_event *e)
{
    return e->kind == DOC_OBJECT_BEGIN || e->kind == DOC_ARRAY_BEGIN;
}

/* For each event, the name that what it stands in is under; of an object's members, the one before. */
static uint16_t around[60000];
static void find_around(const struct reading *all)
{
    uint16_t under[70] = {DOC_NAME_NONE};
    unsigned depth = 0;
    assert_true(all->count < ARRAY_LEN(around));
    for (size_t i = 0; i < all->count; i++) {
        const struct doc_event *e = &all->events[i];
        around[i] = under[depth];
        if (e->kind == DOC_NAME) under[depth] = e->name;
        if (is_opening(e)) depth++, under[depth] = under[depth - 1];
        if (e->kind == DOC_OBJECT_END || e->kind == DOC_ARRAY_END) depth--;
    }
}

/* Goes through what all events say lies in a skipped stretch; the index behind it. Each value in it may be skipped by its
 * own name and text, none that is a flaw, and there are as many and as deep as is said. */
static size_t check_skipped(const struct reading *all, size_t i, const struct doc_event *skipped, span body)
{
    unsigned depth = 0, deepest = 0, children = 0;
    uint16_t under[70] = {around[i]}; /* names, by depth */
    for (; i < all->count && all->events[i].at < skipped->at + skipped->len; i++) {
        const struct doc_event *e = &all->events[i];
        assert_true(e->kind != DOC_FLAW);
        if (e->kind == DOC_NAME) {
            assert_true(e->name < 64);
            under[depth] = e->name;
            continue;
        }
        assert_true(under[depth] < 64);
        uint8_t said = dull[under[depth]];
        if (e->kind == DOC_STRING) assert_true(is_dull_string(e, under[depth], body) && said & (DOC_DULL_VALUE | DOC_DULL_STRINGS));
        else if (e->kind != DOC_OBJECT_END && e->kind != DOC_ARRAY_END) assert_true(said & DOC_DULL_VALUE);
        if (e->kind == DOC_NUMBER) assert_true(is_dull_number(e));
        if (e->kind == DOC_OBJECT_END || e->kind == DOC_ARRAY_END) {
            assert_true(depth-- > 0);
            continue;
        }
        if (is_opening(e)) under[depth + 1] = under[depth];
        children += depth == 0;
        depth += is_opening(e);
        if (depth > deepest) deepest = depth;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(children, skipped->name);
    assert_int_equal(deepest, skipped->flags);
    return i;
}

static size_t check_told(const struct reading *all, const struct reading *told, span body)
{
    size_t i = 0, skipped = 0;
    find_around(all);
    for (size_t k = 0; k < told->count; k++) {
        const struct doc_event *e = &told->events[k];
        if (e->kind == DOC_SKIPPED) {
            i = check_skipped(all, i, e, body);
            skipped++;
            continue;
        }
        assert_true(i < all->count && memcmp(e, &all->events[i], sizeof *e) == 0);
        i++;
    }
    assert_int_equal(i, all->count);
    assert_true(all->status == told->status && all->malformed == told->malformed && all->at == told->at);
    return skipped;
}

/* As read_body() in one window, with what may be skipped. */
static struct reading read_skipping(
    struct doc_reader *r, span body, size_t slack, const struct doc_skip *skip, size_t first)
{
    struct reading all = {0};
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 64});
    doc_reader_skip(r, skip);
    for (size_t len = first < body.len ? first : body.len;; len = body.len) {
        struct doc_window w = {0, body.ptr, len, len == body.len, len == body.len ? slack : 0};
        all.status = drain(r, &w, 200, &all);
        if (all.status != DOC_MORE) break;
    }
    all.malformed = doc_reader_malformed(r, &all.at);
    return all;
}

/* Anywhere, in every second document. */
static void put_literals(size_t len, bool any)
{
    size_t count = 0, at = 0;
    while (any && count + 1 < ARRAY_LEN(literals) && (at += 1 + below(400)) <= len)
        literals[count++] = at;
    literals[count] = UINT64_MAX;
}

static void what_is_skipped(void **state)
{
    static struct text t;
    struct levels levels = open_levels();
    size_t skipped = 0;
    unsigned asked = 0;
    (void)state;
    for (unsigned i = 0; i < cases() / 2; i++) {
        seed = 0xA0761D6478BD642Fu * (i + 1);
        for (size_t n = 0; n < sizeof dull; n++)
            dull[n] = (uint8_t)(below(8) ? 7 : below(16));
        put_list(&t, i % 2);
        put_literals(t.len, i / 2 % 2);
        promised = i % 3 && i % 7;
        span body = span_of((const uint8_t *)t.bytes, t.len);
        memset(t.bytes + t.len, 0, sizeof t.bytes - t.len);
        size_t slack = i % 3 ? sizeof t.bytes - t.len : 0;
        struct doc_skip skip = {.dull = dull, .names = 64, .root = DOC_DULL_ELEMENTS, .literals = literals,
            .containers = i % 8 != 0, .parted = promised, .deepest = i % 5 ? UINT32_MAX : 4, .ask = i % 3 ? ask : NULL, .ctx = &asked};
        struct reading all = read_body(levels.readers[0], DOC_JSON, 64, body, (struct feeding){SIZE_MAX, 0, 1, false});
        for (size_t level = 0; level < levels.count; level++) {
            struct reading told = read_skipping(levels.readers[level], body, slack, &skip, level ? below((unsigned)t.len) : t.len);
            skipped += check_told(&all, &told, body);
            free(told.events);
        }
        free(all.events);
    }
    assert_true(skipped > cases() && asked > cases());
    close_levels(&levels);
}

/* Strings of an even length, of which the caller says each for itself, and now and then another. */
static void say_string(struct text *t)
{
    static const char *const rare[] = {"", "A", "\xC3\x8D", "\\u0041", "%41", "99999", "longer than what is read at once: 0123456789 0123456789 012345"};
    char one[48] = "";
    size_t n = 2 * below(18);
    for (size_t i = 0; i < n; i++)
        one[i] = "0123456789-T: AB"[below(16)];
    say(t, "\"");
    say(t, one);
    if (chance(12)) say(t, rare[below(ARRAY_LEN(rare))]);
    say(t, "\",");
}

static void put_strangers(struct text *t)
{
    t->len = 0;
    say(t, "{\"items\":[");
    for (unsigned i = 0; i < 120; i++) {
        say(t, i ? ",{\"a\":" : "{\"a\":");
        say_string(t);
        say(t, "\"b\":");
        say_string(t);
        say(t, "\"date\":");
        say_string(t);
        say(t, chance(30) ? "\"x\":null}" : "\"c\":true}");
    }
    say(t, "]}");
}

static void where_each_string_is_another(void **state)
{
    static struct text t;
    struct levels levels = open_levels();
    size_t skipped = 0;
    unsigned asked = 0;
    (void)state;
    for (unsigned i = 0; i < cases() / 20; i++) {
        seed = 0xE7037ED1A0B428DBu * (i + 1);
        for (size_t n = 0; n < sizeof dull; n++)
            dull[n] = (uint8_t)(below(3) ? 7 : DOC_DULL_STRINGS);
        put_strangers(&t);
        put_literals(t.len, i % 4 == 0);
        promised = i % 3 == 0;
        rarely = true;
        span body = span_of((const uint8_t *)t.bytes, t.len);
        memset(t.bytes + t.len, 0, sizeof t.bytes - t.len);
        struct doc_skip skip = {.dull = dull, .names = 64, .root = DOC_DULL_ELEMENTS, .literals = literals, .containers = i % 2,
            .parted = promised, .deepest = UINT32_MAX, .ask = ask, .ctx = &asked};
        struct reading all = read_body(levels.readers[0], DOC_JSON, 64, body, (struct feeding){SIZE_MAX, 0, 1, false});
        for (size_t level = 0; level < levels.count; level++) {
            struct reading told =
                read_skipping(levels.readers[level], body, sizeof t.bytes - t.len, &skip, i % 2 ? below((unsigned)t.len) : t.len);
            skipped += check_told(&all, &told, body);
            free(told.events);
        }
        free(all.events);
    }
    rarely = false;
    assert_true(skipped > cases() && asked > cases());
    close_levels(&levels);
}

/* The compiler stores to a gap's shape by whole vectors, for its type promises that it lies on a line. */
static void gaps_lie_on_lines(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct track *t = track_new();
        assert_non_null(t);
        assert_int_equal((uintptr_t)t->nodes % 64, 0);
        mem_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gaps_lie_on_lines), cmocka_unit_test(records_on_tracks), cmocka_unit_test(lines_on_tracks), cmocka_unit_test(where_each_string_is_another),
        cmocka_unit_test(every_split_point),
        cmocka_unit_test(a_record_that_is_cut_off), cmocka_unit_test(what_is_skipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
