#include "report/write.h"

void write_span(FILE *to, span s)
{
    if (s.len > 0) fwrite(s.ptr, 1, s.len, to);
}

//= RFC8259 7
void write_json(FILE *to, span s)
{
    fputc('"', to);
    for (size_t i = 0, n; i < s.len; i += n) {
        uint8_t c = s.ptr[i];
        n = 1;
        if (c == '"' || c == '\\') fprintf(to, "\\%c", c);
        else if (c < 0x20 || c == 0x7f) fprintf(to, "\\u%04x", c);
        else if (c < 0x80) fputc(c, to);
        else if ((n = utf8_length(span_from(s, i))) > 0) fwrite(s.ptr + i, 1, n, to);
        else n = 1, fputs("\xef\xbf\xbd", to);
    }
    fputc('"', to);
}

/* What a spreadsheet computes: Excel and LibreOffice look at the first character, and pass over white space before it. */
static bool is_formula(span s)
{
    size_t i = 0;
    while (i < s.len && (s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)) i++;
    return (s.len > 0 && (s.ptr[0] == '\t' || s.ptr[0] == '\r' || s.ptr[0] == '\n')) ||
           (i < s.len && strchr("=+-@|%", s.ptr[i]) != NULL) || span_starts(span_from(s, i), SPAN("\xef\xbc\x9d")) ||
           span_starts(span_from(s, i), SPAN("\xef\xbc\x8b")) || span_starts(span_from(s, i), SPAN("\xef\xbc\x8d")) ||
           span_starts(span_from(s, i), SPAN("\xef\xbc\xa0"));
}

void write_csv_inside(FILE *to, span s)
{
    if (is_formula(s)) fputc('\'', to);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '"') fputs("\"\"", to);
        else fputc(c < 0x20 || c == 0x7f ? ' ' : c, to);
    }
}

//= RFC4180 2
void write_csv(FILE *to, span s)
{
    fputc('"', to);
    write_csv_inside(to, s);
    fputc('"', to);
}

void write_html(FILE *to, span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '&') fputs("&amp;", to);
        else if (c == '<') fputs("&lt;", to);
        else if (c == '>') fputs("&gt;", to);
        else if (c == '"') fputs("&quot;", to);
        else if (c == '\'') fputs("&#39;", to);
        else fputc(c < 0x20 || c == 0x7f ? ' ' : c, to);
    }
}

size_t count_characters(span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += (s.ptr[i] & 0xc0) != 0x80;
    return n;
}

size_t write_plain(FILE *to, span s)
{
    size_t written = 0;
    for (size_t i = 0, n; i < s.len; i += n, written++) {
        span rest = span_from(s, i);
        size_t odd = utf8_unprintable(rest);
        n = odd > 0 ? odd : utf8_length(rest);
        write_span(to, odd > 0 ? SPAN("?") : span_sub(rest, 0, n));
    }
    return written;
}
