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
    X("rlm", 0x200F) X("lsquo", 0x2018) X("rsquo", 0x2019) X("ldquo", 0x201C) X("rdquo", 0x201D) X("QUOT", '"')         \
    X("AMP", '&') X("LT", '<') X("GT", '>') X("NonBreakingSpace", 0xA0) X("UnderBar", '_') X("emsp13", 0x2004)          \
    X("emsp14", 0x2005) X("ThinSpace", 0x2009) X("VeryThinSpace", 0x200A) X("MediumSpace", 0x205F)                     \
    X("ThickSpace", 0x205F) X("NegativeThinSpace", 0x200B) X("NegativeMediumSpace", 0x200B)                            \
    X("NegativeThickSpace", 0x200B) X("NegativeVeryThinSpace", 0x200B) X("NoBreak", 0x2060) X("af", 0x2061)            \
    X("ApplyFunction", 0x2061) X("it", 0x2062) X("InvisibleTimes", 0x2062) X("ic", 0x2063) X("InvisibleComma", 0x2063) \
    X("horbar", 0x2015) X("hybull", 0x2043) X("rsquor", 0x2019) X("rdquor", 0x201D) X("OpenCurlyQuote", 0x2018)        \
    X("CloseCurlyQuote", 0x2019) X("OpenCurlyDoubleQuote", 0x201C) X("CloseCurlyDoubleQuote", 0x201D)                  \
    X("Aacute", 0xC1) X("Eacute", 0xC9) X("Iacute", 0xCD) X("Oacute", 0xD3) X("Uacute", 0xDA) X("Ntilde", 0xD1)        \
    X("Uuml", 0xDC) X("aacute", 0xE1) X("eacute", 0xE9) X("iacute", 0xED) X("oacute", 0xF3) X("uacute", 0xFA)          \
    X("ntilde", 0xF1) X("uuml", 0xFC) X("sup1", 0xB9) X("sup2", 0xB2) X("sup3", 0xB3) X("DownBreve", 0x311) X("imath", 0x131) X("inodot", 0x131) \
    X("IJlig", 0x132) X("ijlig", 0x133) X("OElig", 0x152) X("oelig", 0x153) X("THORN", 0xDE) X("thorn", 0xFE) \
    X("Alpha", 0x391) X("Beta", 0x392) X("Epsilon", 0x395) X("Zeta", 0x396) X("Eta", 0x397) X("Iota", 0x399) \
    X("Kappa", 0x39A) X("Mu", 0x39C) X("Nu", 0x39D) X("Omicron", 0x39F) X("omicron", 0x3BF) X("Rho", 0x3A1) \
    X("Tau", 0x3A4) X("Upsilon", 0x3A5) X("Chi", 0x3A7) X("Acy", 0x410) X("acy", 0x430) X("Vcy", 0x412) \
    X("IEcy", 0x415) X("iecy", 0x435) X("Kcy", 0x41A) X("Mcy", 0x41C) X("Ncy", 0x41D) X("Ocy", 0x41E) \
    X("ocy", 0x43E) X("Rcy", 0x420) X("rcy", 0x440) X("Scy", 0x421) X("scy", 0x441) X("Tcy", 0x422) X("Ucy", 0x423) \
    X("ucy", 0x443) X("KHcy", 0x425) X("khcy", 0x445) X("Iukcy", 0x406) X("iukcy", 0x456) X("Jsercy", 0x408) \
    X("jsercy", 0x458) X("DScy", 0x405) X("dscy", 0x455) \
    X("acute", 0xB4) X("AElig", 0xC6) X("aelig", 0xE6) X("brvbar", 0xA6) X("cedil", 0xB8) X("cent", 0xA2) \
    X("COPY", 0xA9) X("copy", 0xA9) X("curren", 0xA4) X("deg", 0xB0) X("divide", 0xF7) X("ETH", 0xD0) \
    X("eth", 0xF0) X("frac12", 0xBD) X("frac14", 0xBC) X("frac34", 0xBE) X("iexcl", 0xA1) X("iquest", 0xBF) \
    X("macr", 0xAF) X("micro", 0xB5) X("middot", 0xB7) X("not", 0xAC) X("ordf", 0xAA) X("ordm", 0xBA) \
    X("para", 0xB6) X("plusmn", 0xB1) X("pound", 0xA3) X("REG", 0xAE) X("reg", 0xAE) X("szlig", 0xDF) \
    X("times", 0xD7) X("uml", 0xA8) X("yen", 0xA5) X("alpha", 0x3B1) X("angst", 0xC5)

/* What HTML calls a letter with an accent or in another hand: "iacute", "Topf". Folding leaves the letter of it. */
#define HANDS(X) X("acute") X("grave") X("circ") X("uml") X("tilde") X("caron") X("cedil") X("breve") X("macr") X("ogon") \
    X("ring") X("dot") X("dblac") X("strok") X("slash") X("fr") X("opf") X("scr")

static uint32_t letter(span name)
{
    static const char *const hands[] = {
#define X(text) text,
        HANDS(X)
#undef X
    };
    span hand = span_from(name, 1);
    for (size_t i = 0; is_alpha(name.ptr[0]) && i < ARRAY_LEN(hands); i++)
        if (span_equal(hand, span_str(hands[i]))) return name.ptr[0];
    return 0;
}

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
    return letter(name);
}

/* HTML knows these 106 names without the semicolon too, whatever letter follows: "T&nbspvisa". */
//= 10-domain L36
#define SHORT_MAX 6 /* the longest */
#define SHORT(X) \
    X("Aacute") X("aacute") X("Acirc") X("acirc") X("acute") X("AElig") X("aelig") X("Agrave") X("agrave") \
    X("AMP") X("amp") X("Aring") X("aring") X("Atilde") X("atilde") X("Auml") X("auml") X("brvbar") X("Ccedil") \
    X("ccedil") X("cedil") X("cent") X("COPY") X("copy") X("curren") X("deg") X("divide") X("Eacute") X("eacute") \
    X("Ecirc") X("ecirc") X("Egrave") X("egrave") X("ETH") X("eth") X("Euml") X("euml") X("frac12") X("frac14") \
    X("frac34") X("GT") X("gt") X("Iacute") X("iacute") X("Icirc") X("icirc") X("iexcl") X("Igrave") X("igrave") \
    X("iquest") X("Iuml") X("iuml") X("laquo") X("LT") X("lt") X("macr") X("micro") X("middot") X("nbsp") X("not") \
    X("Ntilde") X("ntilde") X("Oacute") X("oacute") X("Ocirc") X("ocirc") X("Ograve") X("ograve") X("ordf") \
    X("ordm") X("Oslash") X("oslash") X("Otilde") X("otilde") X("Ouml") X("ouml") X("para") X("plusmn") X("pound") \
    X("QUOT") X("quot") X("raquo") X("REG") X("reg") X("sect") X("shy") X("sup1") X("sup2") X("sup3") X("szlig") \
    X("THORN") X("thorn") X("times") X("Uacute") X("uacute") X("Ucirc") X("ucirc") X("Ugrave") X("ugrave") \
    X("uml") X("Uuml") X("uuml") X("Yacute") X("yacute") X("yen") X("yuml")

static bool is_short(span name)
{
    static const char *const all[] = {
#define X(text) text,
        SHORT(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (span_equal(name, span_str(all[i]))) return true;
    return false;
}

/* HTML reads numbers that are control characters as Windows' characters there, as browsers always did. */
static uint32_t of_windows(uint32_t code)
{
    static const uint16_t meant[32] = {0x20AC, 0,      0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160,
                                       0x2039, 0x152,  0,      0x17D,  0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                       0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0,      0x17E, 0x178};
    return code >= 0x80 && code < 0xA0 && meant[code - 0x80] ? meant[code - 0x80] : code;
}

/* A character by its number behind "&#" is as long as there are digits, with a semicolon or without. 0: no number of one. */
//= 10-domain L36
static uint32_t numbered(span text, size_t *len)
{
    bool hexadecimal = text.len > 2 && to_lower(text.ptr[2]) == 'x';
    size_t first = hexadecimal ? 3 : 2, at = first;
    uint32_t code = 0;
    for (; at < text.len; at++) {
        uint8_t c = to_lower(text.ptr[at]);
        bool letter = hexadecimal && c >= 'a' && c <= 'f';
        if (!is_digit(c) && !letter) break;
        if (code <= 0x10FFFF) code = code * (hexadecimal ? 16 : 10) + (uint32_t)(letter ? c - 'a' + 10 : c - '0');
    }
    *len = at + (at < text.len && text.ptr[at] == ';');
    if (at == first || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
    return of_windows(code);
}

#define NAME_MAX 24 /* of a name */

/* Where an equals sign follows, a name without semicolon is one of a query ("?page=2&sect=3"), and nothing to look through. */
static uint32_t of_name(span text, size_t *len)
{
    size_t end = 1;
    while (end < text.len && end <= NAME_MAX && is_alnum(text.ptr[end]))
        end++;
    *len = end + 1;
    uint32_t code = end > 2 && end < text.len && text.ptr[end] == ';' ? named(span_sub(text, 1, end - 1)) : 0;
    if (code > 0 || (end < text.len && text.ptr[end] == '=')) return code;
    for (size_t n = end - 1 < SHORT_MAX ? end - 1 : SHORT_MAX; n > 1 && code == 0; n--)
        if (is_short(span_sub(text, 1, n))) code = named(span_sub(text, 1, n)), *len = n + 1;
    return code;
}

size_t text_reference(span text, uint8_t *out, size_t *len)
{
    bool number = text.len > 1 && text.ptr[1] == '#';
    uint32_t code = number ? numbered(text, len) : of_name(text, len);
    return code == 0 ? 0 : utf8_put(code, out);
}
