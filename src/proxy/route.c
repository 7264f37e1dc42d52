#include "proxy/internal.h"

/* Routes stand longest prefix first, so that the first that fits wins. A prefix ends at a segment's border: "/api"
 * describes "/api" and "/api/x", never "/apix". */
const struct proxy_route *route_find(const struct proxy_settings *s, span path)
{
    for (size_t i = 0; i < s->route_count; i++) {
        span prefix = span_str(s->routes[i].path);
        if (!span_starts(path, prefix)) continue;
        bool border = prefix.ptr[prefix.len - 1] == '/' || path.len == prefix.len || path.ptr[prefix.len] == '/';
        if (border) return &s->routes[i];
    }
    return NULL;
}
