#include "base/base.h"
#include <stdlib.h>

const char *error_class_name(enum error_class class)
{
    switch (class) {
    case ERROR_NONE: return "none";
    case ERROR_IO: return "io";
    case ERROR_CLOSED: return "closed";
    case ERROR_PEER: return "peer";
    case ERROR_UPSTREAM: return "upstream";
    case ERROR_POLICY: return "policy";
    case ERROR_LIMIT: return "limit";
    case ERROR_CONFIG: return "config";
    case ERROR_INTERNAL: return "internal";
    }
    return "unknown";
}

void assert_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    fflush(stderr);
    abort();
}
