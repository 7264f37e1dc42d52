#include "proxy/internal.h"

/* The next character as an origin would read it, -1 at the end. The triplets of a path that was judged are whole. */
static int next_character(span s, size_t *i)
{
    uint8_t c;
    size_t n;
    if (*i >= s.len) return -1;
    bool encoded = s.ptr[*i] == '%';
    if (!http_percent_decode(span_sub(s, *i, encoded ? 3 : 1), false, &c, &n)) return -1;
    *i += encoded ? 3 : 1;
    return c;
}

/* Compared decoded, as documents are: who spells a letter as %61 must not come in by another route, with another
 * profile, than who does not. A prefix ends at a segment's border: "/api" describes "/api" and "/api/x", never "/apix". */
//= RFC3986 6.2.2.2
static bool route_fits(span prefix, span path)
{
    size_t p = 0, at = 0;
    while (p < prefix.len) {
        int wanted = next_character(prefix, &p);
        if (wanted < 0 || next_character(path, &at) != wanted) return false;
    }
    return prefix.ptr[prefix.len - 1] == '/' || at == path.len || path.ptr[at] == '/';
}

/* Routes stand longest prefix first, so that the first that fits wins. */
const struct proxy_route *proxy_find_route(const struct proxy_settings *s, span path)
{
    for (size_t i = 0; i < s->route_count; i++) {
        if (route_fits(span_str(s->routes[i].path), path)) return &s->routes[i];
    }
    return NULL;
}
