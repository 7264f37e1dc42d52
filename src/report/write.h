/* Private to report: texts made safe for whoever reads them. */
#ifndef GATE1367_REPORT_WRITE_H
#define GATE1367_REPORT_WRITE_H

#include "report/report.h"

void write_span(FILE *to, span s);
void write_json(FILE *to, span s); /* as a JSON string, in quotes; what is no UTF-8 becomes U+FFFD */
/* A field of CSV (RFC 4180): in quotes, and with an apostrophe before what a spreadsheet would take for a formula. */
void write_csv(FILE *to, span s);
void write_csv_inside(FILE *to, span s); /* part of such a field, without the quotes */
void write_html(FILE *to, span s); /* for text and for attributes in double quotes */
/* For terminals: control characters, C1 ones too, become '?'. Returns how many characters were written. */
size_t write_plain(FILE *to, span s);
size_t count_characters(span s); /* as write_plain would write */

#endif
