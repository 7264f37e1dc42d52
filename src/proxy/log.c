#include "proxy/proxy.h"
#include <unistd.h>

#define LOG_LINE 2048

void proxy_log(const char *role, const char *event, const char *members, ...)
{
    char line[LOG_LINE], time[LEDGER_TIME_TEXT];
    ledger_time_format(os_realtime_us(), time);
    int n = snprintf(line, sizeof(line), "{\"time\":\"%s\",\"role\":\"%s\",\"pid\":%d,\"event\":\"%s\"", time, role,
        (int)getpid(), event);
    if (n < 0 || (size_t)n >= sizeof(line) - 2) return;
    size_t len = (size_t)n;
    if (members != NULL) {
        line[len++] = ',';
        va_list args;
        va_start(args, members);
        n = vsnprintf(line + len, sizeof(line) - len - 2, members, args);
        va_end(args);
        if (n < 0 || (size_t)n >= sizeof(line) - len - 2) return; /* half a line would be no JSON */
        len += (size_t)n;
    }
    line[len++] = '}';
    line[len++] = '\n';
    result r = os_write_all(2, span_of(line, len));
    (void)r; /* nowhere left to say it */
}
