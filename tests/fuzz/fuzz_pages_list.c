/* Lists in pages: what clients send as cursors and queries, what origins send as links and documents. The first byte is the style and
 * what the profile says; the rest is taken for each of them in turn. */
#include "pages/pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1000000
#define TEXT(s) {(const uint8_t *)(s), sizeof(s) - 1} /* where a constant is needed */

static const struct pages_keys KEYS = {.count = 2, .key = {{1}, {2}}};
static const struct pages_binding ASKS = {.recipient = TEXT("police"), .path = TEXT("/api/list"), .query = TEXT("q=1")};

/* Nobody has a cursor that opens; the one that we make opens, and no neighbour of it. */
static void read_cursors(span text)
{
    struct pages_place place = {.address = span_sub(text, 0, text.len < 64 ? text.len : 64), .from = 3, .skip = 1, .position = 9}, back;
    uint8_t room[64 + 64], nonce[PAGES_NONCE] = {7}, *byte;
    struct buf out;
    buf_init(&out, 4096);
    ASSERT(!pages_open(&KEYS, &ASKS, 64, NOW, text, room, &back));
    if (is_ok(pages_seal(&KEYS, &ASKS, nonce, 64, NOW + 60, &place, &out))) {
        ASSERT(buf_len(&out) == pages_sealed_length(64));
        ASSERT(pages_open(&KEYS, &ASKS, 64, NOW, buf_span(&out), room, &back));
        ASSERT(span_equal(back.address, place.address) && back.from == 3 && back.skip == 1 && back.position == 9);
        byte = out.base + text.len % buf_len(&out);
        *byte = *byte == 'A' ? 'B' : 'A';
        ASSERT(!pages_open(&KEYS, &ASKS, 64, NOW, buf_span(&out), room, &back));
    }
    buf_free(&out);
}

static void read_links(span text)
{
    span url = pages_link_next(text), query;
    ASSERT(url.len == 0 || (url.ptr >= text.ptr && url.ptr + url.len <= text.ptr + text.len));
    if (pages_link_query(ASKS.path, text, &query)) ASSERT(query.len > 0 && query.ptr + query.len == text.ptr + text.len);
}

/* The list that is found is one by itself, with as many elements at the same places. */
static void read_documents(const struct rules_pages *p, span text)
{
    struct doc_reader *reader = doc_reader_new(cpu_level());
    struct rules_pages bare = {.style = PAGE_STYLE_OFFSET};
    struct pages_list list, again;
    if (reader == NULL) return;
    if (pages_list_read(reader, p, 64, text, &list) == DOC_OK && list.found) {
        ASSERT(list.open < list.close && list.close < text.len && text.ptr[list.open] == '[' && text.ptr[list.close] == ']');
        span inner = span_sub(text, (size_t)list.open, (size_t)(list.close + 1 - list.open));
        ASSERT(pages_list_read(reader, &bare, 64, inner, &again) == DOC_OK && again.found && again.count == list.count);
        if (list.count > 0) ASSERT(again.first + list.open == list.first && again.last + list.open == list.last);
        if (list.has_next) ASSERT(list.next + list.next_len <= text.len);
    }
    doc_reader_free(reader);
}

/* Lengths of the origin's answers are taken from the input; whatever they are, it ends, and a page that is called whole is. */
static void walk(const struct rules_pages *p, const struct pages_wish *wish, bool whole, span text)
{
    struct pages_walk w;
    enum pages_step step = PAGES_ASK;
    uint64_t visible = 0, decisions = 0;
    pages_walk_begin(&w, p, whole, wish);
    for (size_t i = 0; step == PAGES_ASK && w.trips < 5000; i++) {
        uint8_t given = text.len > 0 ? text.ptr[i % text.len] : 0;
        uint64_t count = given % 4 == 0 ? w.block : given % (w.block + 1), seen = given & 64 ? count : count / 2;
        pages_walk_met(&w, count, given != 1, UINT64_MAX);
        visible += w.units > 0 ? seen : 0;
        if (pages_walk_goes_on(&w)) continue;
        decisions++;
        step = pages_walk_judge(&w, visible < w.units ? visible : w.units);
    }
    ASSERT(decisions <= w.trips);
    if (step == PAGES_ENOUGH) ASSERT(w.ended || visible >= w.target || w.units >= w.target);
}

/* What the walk asks is a query that the same profile reads back as that place. */
static void ask(const struct rules_pages *p, const struct pages_wish *wish, span address)
{
    struct pages_walk w;
    struct pages_wish back;
    struct buf out;
    buf_init(&out, 1 << 20);
    pages_walk_begin(&w, p, false, wish);
    w.units = 40, w.trips = 4;
    if (is_ok(pages_walk_ask(&w, wish, address, &out)) && p->style != PAGE_STYLE_LINK) {
        bool counts = p->style == PAGE_STYLE_OFFSET || p->style == PAGE_STYLE_PAGE;
        ASSERT(pages_wish_read(p, buf_span(&out), &back));
        if (counts) ASSERT(back.place.position == (p->style == PAGE_STYLE_OFFSET ? 40 : 4 * back.limit));
        if (p->style == PAGE_STYLE_CURSOR) ASSERT(back.sealed == (address.len > 0));
        pages_wish_free(&back);
    }
    buf_free(&out);
}

/* Links of our own lead to where they say, by our own reading. */
static void write_links(const struct rules_pages *p, const struct pages_wish *wish, span query)
{
    struct pages_walk w;
    struct pages_leads leads;
    struct pages_place behind = {.from = 5};
    struct buf out;
    buf_init(&out, 1 << 20);
    pages_walk_begin(&w, p, true, wish);
    pages_leads_find(&w, 100, &behind, &leads);
    struct pages_words words = {.walk = &w, .wish = wish, .keys = &KEYS, .binding = &ASKS, .host = SPAN("h"), .query = query,
        .expires_s = NOW + 60, .leads = &leads};
    if (leads.to[CURSOR_NEXT].there && is_ok(pages_write_link(&words, CURSOR_NEXT, &out))) {
        span asked;
        struct pages_wish back;
        ASSERT(pages_link_query(ASKS.path, buf_span(&out), &asked) && pages_wish_read(p, asked, &back));
        ASSERT(back.limit == wish->limit && (p->style == PAGE_STYLE_CURSOR || p->style == PAGE_STYLE_LINK ? back.sealed :
            back.place.position == leads.to[CURSOR_NEXT].place.position));
        pages_wish_free(&back);
    }
    buf_free(&out);
}

/* What a request line may hold; nothing else comes as far. */
static bool is_query(span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7F || s.ptr[i] == '#') return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const span names[] = {TEXT("items")}, next_names[] = {TEXT("next")};
    static const struct rules_cursor next = {.names = next_names, .count = 1}, relations = {.names = next_names, .count = 1, .form = CURSOR_AS_RELATIONS};
    struct pages_wish wish;
    struct pages_keys keys;
    if (size == 0) return 0;
    span text = span_of(data + 1, size - 1);
    struct rules_pages p = {.style = (enum rules_page_style)(data[0] & 3), .offset = SPAN("offset"), .limit = SPAN("limit"), .page = SPAN("page"),
        .cursor = SPAN("cursor"), .items = names, .items_count = data[0] >> 2 & 1, .default_limit = 10, .max_limit = data[0] & 8 ? 7 : 0,
        .scan = data[0] & 16 ? 3 : 40, .first = data[0] >> 5 & 1, .size = 64, .next = data[0] & 64 ? &relations : &next};
    const char *wrong = pages_keys_read(text, &keys);
    ASSERT(wrong != NULL || (keys.count > 0 && keys.count <= PAGES_KEYS));
    read_cursors(text);
    read_links(text);
    read_documents(&p, text);
    if (pages_wish_read(&p, text, &wish)) {
        walk(&p, &wish, data[0] & 128, text);
        ask(&p, &wish, text);
        if (is_query(text)) write_links(&p, &wish, text);
    }
    pages_wish_free(&wish);
    return 0;
}
