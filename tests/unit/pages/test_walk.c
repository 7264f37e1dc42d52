/* The arithmetic of a walk against a list that is counted one by one: whatever is withheld, wherever, each page holds what it
 * would if the withheld did not exist, and the origin is asked no more often while no more is withheld than is read ahead. */
//= ICE10036.2 2.1
#include "pages/pages.h"
#include "support.h"

struct origin {
    size_t units, cap; /* cap 0: gives what it is asked for */
    uint8_t hidden[512];
    bool counts; /* says how many there are in all */
};

struct page {
    enum pages_step step;
    uint64_t visible, trips, decided; /* units, as often as they were decided */
};

static struct rules_pages profile(enum rules_page_style style, uint64_t scan)
{
    return (struct rules_pages){.style = style, .offset = SPAN("offset"), .limit = SPAN("limit"), .page = SPAN("page"),
        .cursor = SPAN("cursor"), .default_limit = 10, .scan = scan, .first = 1, .size = 32};
}

/* Units from `raw` on that may be seen, among the first `read` of the list. */
static uint64_t count_visible(const struct origin *o, uint64_t raw, uint64_t read)
{
    uint64_t n = 0;
    for (uint64_t i = raw; i < read; i++) n += !o->hidden[i];
    return n;
}

/* Walks as the proxy does; `start`: where the place's address leads. */
static struct page walk_from(const struct origin *o, struct pages_walk *w, uint64_t start)
{
    uint64_t decided = 0;
    for (;;) {
        uint64_t at = start + w->units, asked = o->cap && w->block > o->cap ? o->cap : w->block;
        uint64_t given = at >= o->units ? 0 : o->units - at < asked ? o->units - at : asked;
        pages_walk_met(w, given, at + given < o->units, o->counts ? o->units : UINT64_MAX);
        if (pages_walk_goes_on(w)) continue;
        uint64_t visible = count_visible(o, start + w->place.from, start + w->units);
        enum pages_step s = pages_walk_judge(w, visible);
        decided += w->units;
        assert_true(decided <= 9 * w->units);
        if (s != PAGES_ASK) {
            assert_true((o->cap && o->cap < w->block) || w->trips <= pages_walk_most(w));
            return (struct page){s, visible, w->trips, decided};
        }
        assert_true(w->trips < 2000);
    }
}

static struct page walk(const struct origin *o, const struct rules_pages *p, bool whole, uint64_t position, uint64_t limit)
{
    struct pages_wish wish = {.limit = limit, .place = {.skip = position, .position = position}};
    struct pages_walk w;
    pages_walk_begin(&w, p, whole, &wish);
    return walk_from(o, &w, 0);
}

static uint64_t state_ = 88172645463325252u;
static uint64_t random_below(uint64_t n)
{
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_ % n;
}

static struct origin random_origin(void)
{
    struct origin o = {.units = random_below(200), .cap = random_below(3) ? 0 : 1 + random_below(30), .counts = random_below(2)};
    uint64_t density = random_below(8);
    for (size_t i = 0; i < o.units; i++) o.hidden[i] = random_below(10) < density;
    return o;
}

/* The same list without those who are withheld: what must come out is what comes out of that one. */
static struct origin without_hidden(const struct origin *o)
{
    struct origin out = *o;
    out.units = count_visible(o, 0, o->units);
    memset(out.hidden, 0, sizeof(out.hidden));
    return out;
}

static bool is_whole(const struct page *p, uint64_t all, uint64_t position, uint64_t limit)
{
    uint64_t end = position + limit < all ? position + limit : all;
    return p->visible >= end;
}

/* More raw units than scan ever allows are another matter: there both worlds need not agree (the raw bound). */
static void test_pages_from_the_beginning(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct origin at = random_origin(), absent = without_hidden(&at);
        struct rules_pages p = profile(random_below(2) ? PAGE_STYLE_OFFSET : PAGE_STYLE_PAGE, 1 + random_below(60));
        uint64_t limit = random_below(30), position = random_below(80);
        bool whole = random_below(4) == 0;
        struct page a = walk(&at, &p, whole, position, limit), b = walk(&absent, &p, whole, position, limit);
        if (a.step == PAGES_TOO_FEW) {
            assert_true(at.units >= 2 * p.scan);
            continue;
        }
        assert_int_equal(a.step, b.step);
        bool reachable = absent.units <= p.scan || (!whole && position + limit <= p.scan);
        assert_int_equal(a.step, reachable ? PAGES_ENOUGH : PAGES_TOO_FAR);
        if (a.step != PAGES_ENOUGH) continue;
        assert_true(is_whole(&a, absent.units, position, limit) && is_whole(&b, absent.units, position, limit));
        if (whole) assert_true(a.visible == absent.units && b.visible == absent.units);
        struct pages_leads to_a, to_b;
        struct pages_walk w;
        struct pages_wish wish = {.limit = limit, .place = {.skip = position, .position = position}};
        pages_walk_begin(&w, &p, whole, &wish);
        pages_leads_find(&w, a.visible, &(struct pages_place){.from = 1}, &to_a);
        pages_leads_find(&w, b.visible, &(struct pages_place){.from = 1}, &to_b);
        for (size_t k = 0; k < CURSOR_AIM_COUNT; k++) {
            assert_int_equal(to_a.to[k].there, to_b.to[k].there);
            assert_int_equal(to_a.to[k].place.position, to_b.to[k].place.position);
        }
        assert_int_equal(to_a.to[CURSOR_NEXT].there, limit > 0 && position + limit < absent.units);
    }
}

/* ≤ 1 further trip a page with 5 % withheld, and as many in the world where they do not exist. */
static void test_withheld_units_cost_no_trip(void **state)
{
    (void)state;
    uint64_t further = 0, pages = 0, differ = 0;
    for (int i = 0; i < 2000; i++) {
        struct origin at = {.units = 500};
        for (size_t k = 0; k < at.units; k++) at.hidden[k] = random_below(20) == 0;
        struct origin absent = at;
        memset(absent.hidden, 0, sizeof(absent.hidden));
        struct rules_pages p = profile(PAGE_STYLE_OFFSET, 10000);
        uint64_t limit = 1 + random_below(50), position = random_below(400);
        struct page a = walk(&at, &p, false, position, limit), b = walk(&absent, &p, false, position, limit);
        further += a.trips - 1;
        differ += a.trips != b.trips;
        pages++;
    }
    print_message("%llu further trips, %llu other than without, in %llu pages\n", (unsigned long long)further, (unsigned long long)differ,
        (unsigned long long)pages);
    assert_true(further <= pages / 50 && differ == 0);
}

/* Also where the origin gives little at once, and near the list's end: who counts trips learns nothing. */
static void test_trips_do_not_tell(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct origin at = {.units = 1 + random_below(120), .counts = random_below(2)};
        size_t hidden = random_below(6);
        for (size_t k = 0; k < hidden; k++) at.hidden[random_below(at.units)] = 1;
        struct origin absent = without_hidden(&at);
        struct rules_pages p = profile(random_below(2) ? PAGE_STYLE_OFFSET : PAGE_STYLE_PAGE, 10000);
        if (random_below(2)) at.cap = absent.cap = p.max_limit = 8 + random_below(40);
        uint64_t limit = 1 + random_below(30), position = random_below(100);
        if (p.max_limit && limit > p.max_limit) limit = p.max_limit;
        struct page a = walk(&at, &p, false, position, limit), b = walk(&absent, &p, false, position, limit);
        assert_int_equal(a.trips, b.trips);
    }
}

/* A deep page of a list of which a third is withheld, read five at a time: whoever counts decisions finds about two, not one a trip. */
static void test_a_deep_page_is_decided_twice(void **state)
{
    (void)state;
    struct rules_pages p = profile(PAGE_STYLE_OFFSET, 10000);
    struct origin o = {.units = 512, .cap = 5};
    for (size_t i = 0; i < o.units; i += 3) o.hidden[i] = 1;
    struct page a = walk(&o, &p, false, 250, 10);
    assert_int_equal(a.step, PAGES_ENOUGH);
    assert_true(a.trips > 75 && a.decided < 1024);
}

/* A walk of which what stands last takes along what stands first: `linked` of the first units are gone once all is read. */
static struct page walk_joined(const struct rules_pages *p, uint64_t units, uint64_t linked)
{
    struct pages_wish wish = {.limit = 10};
    struct pages_walk w;
    pages_walk_begin(&w, p, true, &wish);
    w.joins = true;
    for (;;) {
        uint64_t given = w.units >= units ? 0 : units - w.units < w.block ? units - w.units : w.block;
        pages_walk_met(&w, given, w.units + given < units, UINT64_MAX);
        if (pages_walk_goes_on(&w)) continue;
        uint64_t visible = w.units < units ? w.units : units - linked;
        enum pages_step s = pages_walk_judge(&w, visible);
        if (s != PAGES_ASK) return (struct page){.step = s, .visible = visible, .trips = w.trips};
        assert_true(w.trips < 2000);
    }
}

/* As many units stay as ever: a list is too long by those alone, and of one that is too long no number of questions tells how long. */
//= ICE10036.2 2.1
static void test_what_stands_last_takes_along_the_first(void **state)
{
    (void)state;
    for (int style = PAGE_STYLE_OFFSET; style <= PAGE_STYLE_LINK; style++) {
        struct rules_pages p = profile((enum rules_page_style)style, 100);
        p.max_limit = 30;
        uint64_t most = walk_joined(&p, 101, 0).trips;
        for (uint64_t stays = 0; stays < 130; stays++) {
            for (uint64_t linked = 0; stays + linked <= 200; linked += 7) {
                struct page a = walk_joined(&p, stays + linked, linked), b = walk_joined(&p, stays, 0);
                assert_int_equal(a.step, stays <= 100 ? PAGES_ENOUGH : PAGES_TOO_FAR);
                assert_int_equal(a.step, b.step);
                assert_int_equal(a.visible, stays);
                if (linked <= 28 || stays > 100) assert_int_equal(a.trips, b.trips); /* 28: what is read ahead */
                if (stays > 100) assert_int_equal(a.trips, most);
            }
        }
    }
}

/* ±1 of scan. */
static void test_the_bound(void **state)
{
    (void)state;
    struct rules_pages p = profile(PAGE_STYLE_OFFSET, 40);
    struct origin o = {.units = 100};
    assert_int_equal(walk(&o, &p, false, 30, 10).step, PAGES_ENOUGH);
    assert_int_equal(walk(&o, &p, false, 30, 11).step, PAGES_TOO_FAR);
    assert_int_equal(walk(&o, &p, false, 31, 10).step, PAGES_TOO_FAR);
    o.units = 40;
    assert_int_equal(walk(&o, &p, false, 1000000, 1000000).step, PAGES_ENOUGH);
    assert_int_equal(walk(&o, &p, true, 0, 10).step, PAGES_ENOUGH);
    o.units = 41;
    assert_int_equal(walk(&o, &p, false, 1000000, 1000000).step, PAGES_TOO_FAR);
    assert_int_equal(walk(&o, &p, true, 0, 10).step, PAGES_TOO_FAR);
    /* many more than may be seen: an end, not a hang */
    o.units = 500;
    memset(o.hidden, 1, sizeof(o.hidden));
    assert_int_equal(walk(&o, &p, false, 0, 10).step, PAGES_TOO_FEW);
}

static void ask(const struct rules_pages *p, const char *query, const char *address, uint64_t units, uint64_t trips, const char *wanted)
{
    struct pages_wish wish;
    struct pages_walk w;
    struct buf out;
    buf_init(&out, 4096);
    assert_true(pages_wish_read(p, span_str(query), &wish));
    pages_walk_begin(&w, p, false, &wish);
    w.units = units;
    w.trips = trips;
    assert_ok(pages_walk_ask(&w, &wish, span_str(address), &out));
    assert_span(buf_span(&out), wanted);
    buf_free(&out);
    pages_wish_free(&wish);
}

static void test_what_is_asked(void **state)
{
    (void)state;
    struct rules_pages o = profile(PAGE_STYLE_OFFSET, 40), n = profile(PAGE_STYLE_PAGE, 40), c = profile(PAGE_STYLE_CURSOR, 40),
                       l = profile(PAGE_STYLE_LINK, 40);
    ask(&o, "", "", 0, 0, "offset=0&limit=28");
    ask(&o, "a=1&offset=5&b=%20&limit=3", "", 26, 1, "a=1&b=%20&offset=26&limit=26");
    o.offset = SPAN("page[offset]");
    o.limit = SPAN("$top");
    ask(&o, "page%5Boffset%5D=1&%24top=2", "", 0, 0, "page%5Boffset%5D=0&$top=20");
    ask(&n, "page=2&limit=10", "", 39, 1, "page=2&limit=39");
    ask(&c, "q=1", "", 0, 0, "q=1&limit=16");
    ask(&c, "q=1", "a+/=&\x80", 0, 0, "q=1&cursor=a%2B/%3D%26%80&limit=16");
    ask(&l, "q=1&limit=20", "", 0, 0, "q=1&limit=20");
    ask(&l, "q=1&limit=20", "q=1&after=7", 0, 0, "q=1&after=7");
    c.max_limit = 5;
    ask(&c, "limit=100", "", 0, 0, "limit=5");
}

static void test_what_is_no_page(void **state)
{
    (void)state;
    static const char *const wrong[] = {"offset=", "offset", "offset=-1", "offset=+1", "offset=1.0", "offset=0x1", "offset=1&offset=1",
        "limit=%31", "limit=1e3", "offset=99999999999999999999", "limit=1 ", "offset=1&a=2&offset=2"};
    struct rules_pages o = profile(PAGE_STYLE_OFFSET, 40), n = profile(PAGE_STYLE_PAGE, 40);
    o.page = o.cursor = SPAN("");
    struct pages_wish wish;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_false(pages_wish_read(&o, span_str(wrong[i]), &wish));
        pages_wish_free(&wish);
    }
    assert_false(pages_wish_read(&n, SPAN("page=0"), &wish));
    pages_wish_free(&wish);
    assert_true(pages_wish_read(&n, SPAN("page=1099511627776&limit=1099511627776"), &wish));
    assert_int_equal(wish.place.skip, UINT64_C(1) << 40);
    pages_wish_free(&wish);
    assert_true(pages_wish_read(&o, SPAN("a=b&offset=7&c&limit=0"), &wish));
    assert_true(wish.place.skip == 7 && wish.place.position == 7 && wish.limit == 0 && wish.limited);
    assert_span(wish.rest, "a=b&c");
    pages_wish_free(&wish);
    static const struct {
        const char *query, *range;
        uint64_t at, limit;
    } ranges[] = {{"", "10-19", 10, 10}, {"", "10-", 10, 10}, {"", "0-0", 0, 1}, {"", "5-4", 0, 10}, {"", "-5", 0, 10}, {"", "5", 0, 10}, {"", "bytes=0-4", 0, 10},
        {"", "0-4,6-7", 0, 10}, {"", " 0-4", 0, 10}, {"", "0-9999", 0, 500}, {"limit=3", "10-19", 0, 3}, {"offset=2", "10-19", 2, 10}, {"", "99999999999999999999-", 0, 10}};
    o.max_limit = 500;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        assert_true(pages_wish_read(&o, span_str(ranges[i].query), &wish));
        pages_wish_range(&o, span_str(ranges[i].range), &wish);
        assert_int_equal(wish.place.position, ranges[i].at);
        assert_int_equal(wish.place.skip, ranges[i].at);
        assert_int_equal(wish.limit, ranges[i].limit);
        pages_wish_free(&wish);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages_from_the_beginning), cmocka_unit_test(test_withheld_units_cost_no_trip),
        cmocka_unit_test(test_trips_do_not_tell), cmocka_unit_test(test_a_deep_page_is_decided_twice),
        cmocka_unit_test(test_what_stands_last_takes_along_the_first), cmocka_unit_test(test_the_bound), cmocka_unit_test(test_what_is_asked), cmocka_unit_test(test_what_is_no_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
