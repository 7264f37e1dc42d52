/* Four answers beside each other, as a person would look at them. */
#include "demo/internal.h"
#include <jansson.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS 4
#define LINES_MAX 48

static unsigned terminal_width(void)
{
    struct winsize w;
    const char *set = getenv("COLUMNS");
    uint64_t n = 0;
    bool given = set != NULL && span_to_u64(span_str(set), 1000, &n);
    if (!given && ioctl(1, TIOCGWINSZ, &w) == 0) n = w.ws_col;
    return n >= 100 && n <= 300 ? (unsigned)n : 140;
}

static const char *paint(const char *code)
{
    const char *no = getenv("NO_COLOR");
    return isatty(1) && (no == NULL || no[0] == '\0') ? code : "";
}

void demo_show_heading(const char *text, const char *more)
{
    printf("\n%s%s%s  %s\n", paint("\033[1m"), text, paint("\033[0m"), more);
}

/* JSON is shown indented, whatever the origin sent. */
static char *readable(const struct demo_answer *a)
{
    json_error_t error;
    span body = buf_span(&a->body);
    json_t *v = json_loadb((const char *)body.ptr, body.len, JSON_DECODE_ANY, &error);
    char *text = v == NULL ? NULL : json_dumps(v, JSON_INDENT(1) | JSON_ENCODE_ANY);
    json_decref(v);
    if (text != NULL) return text;
    text = mem_hook_alloc(body.len + 1);
    if (text == NULL) return NULL;
    memcpy(text, body.ptr, body.len);
    text[body.len] = '\0';
    return text;
}

static void print_cell(const char **at, unsigned width)
{
    const char *line = *at == NULL ? "" : *at;
    size_t len = strcspn(line, "\n");
    if (*at != NULL) *at = line[len] == '\n' ? line + len + 1 : NULL;
    if (len <= width) printf("%.*s%*s", (int)len, line, (int)(width - len), "");
    else printf("%.*s…", (int)width - 1, line);
}

static bool any_left(const char *const at[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (at[i] != NULL && at[i][0] != '\0') return true;
    }
    return false;
}

static void print_heads(const struct demo_answer answers[COLUMNS], unsigned width)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        printf("%s%-*s%s %s", paint("\033[36m"), (int)width, DEMO_RECIPIENTS[i].title, paint("\033[0m"), i < 3 ? "│ " : "\n");
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        char text[128];
        snprintf(text, sizeof(text), "%u %s", answers[i].status, answers[i].section);
        const char *colour = answers[i].section[0] == 'p' ? paint("\033[33m") : "";
        printf("%s%-*.*s%s %s", colour, (int)width, (int)width, text, paint("\033[0m"), i < 3 ? "│ " : "\n");
    }
}

void demo_show_answers(const struct demo_answer answers[COLUMNS])
{
    unsigned width = terminal_width() / COLUMNS - 3;
    char *texts[COLUMNS];
    const char *at[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) at[i] = texts[i] = readable(&answers[i]);
    print_heads(answers, width);
    for (unsigned line = 0; any_left(at) && line < LINES_MAX; line++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            print_cell(&at[i], width);
            printf(" %s", i < 3 ? "│ " : "\n");
        }
    }
    if (any_left(at)) puts("…");
    for (size_t i = 0; i < COLUMNS; i++) mem_hook_free(texts[i]);
}
