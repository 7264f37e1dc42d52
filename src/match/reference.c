/* Character references, as HTML and XML write what their readers see as one character: "T&nbsp;visa", "A012&#8209;345". */
#include "match/own.h"

/* What stands between the parts of an identifier or marker, or in their words, by the names of HTML. */
//= 10-domain L36
#define NAMES(X)                                                                                                       \
    X("nbsp", 0xA0) X("amp", '&') X("lt", '<') X("gt", '>') X("quot", '"') X("apos", '\'') X("num", '#') X("sol", '/') \
    X("lpar", '(') X("rpar", ')') X("period", '.') X("comma", ',') X("colon", ':') X("lowbar", '_') X("commat", '@')   \
    X("percnt", '%') X("plus", '+') X("equals", '=') X("Tab", '\t') X("NewLine", '\n') X("sect", 0xA7) X("shy", 0xAD) \
    X("laquo", 0xAB) X("raquo", 0xBB) X("ndash", 0x2013) X("mdash", 0x2014) X("hyphen", 0x2010) X("dash", 0x2010)      \
    X("minus", 0x2212) X("ensp", 0x2002) X("emsp", 0x2003) X("numsp", 0x2007) X("puncsp", 0x2008) X("thinsp", 0x2009)  \
    X("hairsp", 0x200A) X("ZeroWidthSpace", 0x200B) X("zwnj", 0x200C) X("zwj", 0x200D) X("lrm", 0x200E)                \
    X("rlm", 0x200F) X("lsquo", 0x2018) X("rsquo", 0x2019) X("ldquo", 0x201C) X("rdquo", 0x201D) X("Aacute", 0xC1)     \
    X("Eacute", 0xC9) X("Iacute", 0xCD) X("Oacute", 0xD3) X("Uacute", 0xDA) X("Ntilde", 0xD1) X("Uuml", 0xDC)          \
    X("aacute", 0xE1) X("eacute", 0xE9) X("iacute", 0xED) X("oacute", 0xF3) X("uacute", 0xFA) X("ntilde", 0xF1)        \
    X("uuml", 0xFC)

static uint32_t named(span name)
{
    static const struct {
        const char *name;
        uint32_t code;
    } all[] = {
#define X(name, code) {name, code},
        NAMES(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (span_equal(name, span_str(all[i].name))) return all[i].code;
    return 0;
}

/* HTML reads numbers that are control characters as Windows' characters there, as browsers always did. */
static uint32_t of_windows(uint32_t code)
{
    switch (code) {
    case 0x91: return 0x2018;
    case 0x92: return 0x2019;
    case 0x93: return 0x201C;
    case 0x94: return 0x201D;
    case 0x96: return 0x2013;
    case 0x97: return 0x2014;
    default: return code;
    }
}

/* 0: no number of a character. */
static uint32_t numbered(span digits)
{
    bool hexadecimal = digits.len > 0 && to_lower(digits.ptr[0]) == 'x';
    uint32_t code = 0;
    for (size_t i = hexadecimal; i < digits.len; i++) {
        uint8_t c = to_lower(digits.ptr[i]);
        bool letter = hexadecimal && c >= 'a' && c <= 'f';
        if (!is_digit(c) && !letter) return 0;
        code = code * (hexadecimal ? 16 : 10) + (uint32_t)(letter ? c - 'a' + 10 : c - '0');
        if (code > 0x10FFFF) return 0;
    }
    return code >= 0xD800 && code < 0xE000 ? 0 : of_windows(code);
}

#define REFERENCE_MAX 16 /* between '&' and ';': as many zeros as that leaves room for */

size_t text_reference(span text, uint8_t *out, size_t *len)
{
    size_t end = 1;
    while (end < text.len && end <= REFERENCE_MAX && (is_alnum(text.ptr[end]) || (end == 1 && text.ptr[end] == '#')))
        end++;
    if (end < 3 || end == text.len || text.ptr[end] != ';') return 0;
    bool number = text.ptr[1] == '#';
    uint32_t code = number ? numbered(span_sub(text, 2, end - 2)) : named(span_sub(text, 1, end - 1));
    *len = end + 1;
    return code == 0 ? 0 : utf8_put(code, out);
}
