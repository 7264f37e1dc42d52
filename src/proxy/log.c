#include "proxy/proxy.h"
#include <unistd.h>

#define LOG_LINE 2048
#define LOST_LINE 160

/* Length; 0: half a line would be no JSON. */
static size_t begin_line(char *line, size_t room, const char *role, const char *event)
{
    char time[LEDGER_TIME_TEXT];
    ledger_time_format(os_realtime_us(), time);
    int n = snprintf(line, room, "{\"time\":\"%s\",\"role\":\"%s\",\"pid\":%d,\"event\":\"%s\"", time, role, (int)getpid(), event);
    return n > 0 && (size_t)n < room - 2 ? (size_t)n : 0;
}

static size_t end_line(char *line, size_t len)
{
    line[len++] = '}';
    line[len++] = '\n';
    return len;
}

static size_t write_lost(char *line, const char *role, unsigned lost)
{
    size_t len = begin_line(line, LOST_LINE, role, "log_lost");
    int n = len == 0 ? 0 : snprintf(line + len, LOST_LINE - len - 2, ",\"lines\":%u", lost);
    return n > 0 && (size_t)n < LOST_LINE - len - 2 ? end_line(line, len + (size_t)n) : 0;
}

/* Nobody waits for who reads the log and does not: all would stand still. What was lost meanwhile is counted, and told with the
 * next line. */
static void put(const char *role, const char *line, size_t len)
{
    static unsigned lost;
    static pid_t by; /* another one is told of by who lost it */
    char both[LOST_LINE + LOG_LINE];
    if (by != getpid()) lost = 0;
    by = getpid();
    if (!os_takes_line(STDERR_FILENO)) {
        lost++;
        return;
    }
    size_t before = lost > 0 ? write_lost(both, role, lost) : 0;
    lost = 0;
    memcpy(both + before, line, len);
    result r = os_write_all(STDERR_FILENO, span_of(both, before + len));
    (void)r; /* nowhere left to say it */
}

void proxy_log(const char *role, const char *event, const char *members, ...)
{
    char line[LOG_LINE];
    size_t len = begin_line(line, sizeof(line), role, event);
    if (len == 0) return;
    if (members != NULL) {
        line[len++] = ',';
        va_list args;
        va_start(args, members);
        int n = vsnprintf(line + len, sizeof(line) - len - 2, members, args);
        va_end(args);
        if (n < 0 || (size_t)n >= sizeof(line) - len - 2) return;
        len += (size_t)n;
    }
    put(role, line, end_line(line, len));
}
