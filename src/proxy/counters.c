#include "proxy/proxy.h"

static const char *const NAMES[PROXY_COUNTER_COUNT] = {
#define X(id, name, help) [PROXY_##id] = name,
    PROXY_COUNTERS(X)
#undef X
};
static const char *const HELP[PROXY_COUNTER_COUNT] = {
#define X(id, name, help) [PROXY_##id] = help,
    PROXY_COUNTERS(X)
#undef X
};

const char *proxy_counter_name(enum proxy_counter c) { return NAMES[c]; }
const char *proxy_counter_help(enum proxy_counter c) { return HELP[c]; }
