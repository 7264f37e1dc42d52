/* Link fields as RFC 8288 3.5 gives them, and as origins write them; URLs that lead to the same list. */
//= RFC8288 3
#include "pages/pages.h"
#include "support.h"

static void leads(const char *field, const char *url)
{
    span found = pages_link_next(span_str(field));
    if (!span_equal(found, span_str(url))) fail_msg("%s: %.*s", field, SPAN_FMT(found));
}

static void test_relations(void **state)
{
    (void)state;
    leads("<http://example.com/TheBook/chapter2>; rel=\"previous\"; title=\"previous chapter\"", "");
    leads("</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
          "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel", "/TheBook/chapter4");
    leads("<http://example.org/>; rel=\"start http://example.net/relation/other\"", "");
    leads("</>; rel=\"http://example.net/foo\"", "");
    leads("<https://a/b?page=2>; rel=\"next\", <https://a/b?page=9>; rel=\"last\"", "https://a/b?page=2");
    leads("<b?p=1>; rel=\"first last\",<b?p=3> ; REL = \"last NEXT\"", "b?p=3");
    leads("<b?p=1>;rel=next", "b?p=1");
    leads("<b?p=1>;x=\"<c?p=2>; rel=next, \\\" <d>; rel=next\",<e?p=3>;rel='next',<f?p=4>;title=\"a, b; rel=next\";rel=Next", "f?p=4");
    leads("<b?p=1>; rel=prev; rel=next, <c?p=2>; rel=nextish, <d?p=3>; rel=\"next-archive\"", "");
    leads("<b?p=1>; rev=next, <c?p=2>;;rel=next", "c?p=2");
    leads(" , ,, <b?p=1,2;3>; rel=next", "b?p=1,2;3");
    leads("<b?q=>&p=2>; rel=next", "b?q=>&p=2"), leads("<b?q=<a>b>;rel=prev , <b?q=>&p=3> ; rel=next", "b?q=>&p=3"), leads("<b?q=>", ""), leads("<a> rel=prev, <b>; rel=next", "b"), leads("<b?q=>>;rel=next", "b?q=>");
    leads("", ""), leads("<", ""), leads("<a", ""), leads("<a>; rel=\"next", "a"), leads("rel=next", ""), leads("<a>, rel=next", "");
}

static void queried(const char *url, const char *query)
{
    span found;
    bool same = pages_link_query(SPAN("/api/list"), span_str(url), &found);
    if (same != (query != NULL) || (same && !span_equal(found, span_str(query)))) fail_msg("%s: %d %.*s", url, same, SPAN_FMT(found));
}

//= RFC3986 6.2.2.2
static void test_urls(void **state)
{
    (void)state;
    queried("/api/list?a=1", "a=1"), queried("http://origin:80/api/list?a=1&b=/?", "a=1&b=/?"), queried("//origin/api/list?a=1", "a=1");
    queried("list?a=1", "a=1"), queried("?a=1", "a=1"), queried("http://origin?a=1", NULL);
    queried("/api/list", NULL), queried("/api/list?", NULL), queried("/api/other?a=1", NULL), queried("other?a=1", NULL);
    queried("http://origin/api/list/?a=1", NULL), queried("/api/list;v=1?a=1", NULL), queried("", NULL), queried("/api/list?u=http://x/y", "u=http://x/y");
    queried("/%61pi/l%69st?a=1", "a=1"), queried("/api%2Flist?a=1", NULL), queried("l%69st?a=1", "a=1"), queried("/api/list?a=1#b?c", "a=1#b?c"), queried("/api/list#?a=1", NULL);
    queried("/api/lis%74%?a=1", NULL), queried("/api/lis?a=1", NULL), queried("/api/list%?a=1", NULL);
    span found;
    assert_true(pages_link_query(SPAN("/%61pi/%6Cist"), SPAN("/api/list?a=1"), &found) && pages_link_query(SPAN("/a%2fpi"), SPAN("/a%2Fpi?a=1"), &found));
    assert_false(pages_link_query(SPAN("/a%2fpi"), SPAN("/a/pi?a=1"), &found));
}

/* RFC 3986 3.4: what a query is made of stays, anything else is percent-encoded (2.1), and a percent sign that encodes nothing. */
static void test_queries_as_urls_have_them(void **state)
{
    static const char *const pairs[][2] = {{"a=1&b=%41%c3%A9/?:@-._~!$'()*+,;", "a=1&b=%41%c3%A9/?:@-._~!$'()*+,;"}, {"q=\xC3\xA9 \"<>#", "q=%C3%A9%20%22%3C%3E%23"},
        {"p[n]=1|2\\^`{}", "p%5Bn%5D=1%7C2%5C%5E%60%7B%7D"}, {"q=100%&r=%4&s=%zz&t=%", "q=100%25&r=%254&s=%25zz&t=%25"}, {"", ""}, {"\x01\x7F", "%01%7F"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf out;
        buf_init(&out, 4096);
        assert_true(is_ok(pages_link_write(span_str(pairs[i][0]), &out)));
        if (!span_equal(buf_span(&out), span_str(pairs[i][1]))) fail_msg("%s: %.*s", pairs[i][0], SPAN_FMT(buf_span(&out)));
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_relations), cmocka_unit_test(test_urls), cmocka_unit_test(test_queries_as_urls_have_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
