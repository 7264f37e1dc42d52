/* Private to report: one function a format. */
#ifndef GATE1367_REPORT_PRINT_H
#define GATE1367_REPORT_PRINT_H

#include "report/write.h"

void print_plain(const struct report *r, FILE *to);
void print_csv(const struct report *r, FILE *to);
void print_json(const struct report *r, FILE *to);
void print_html(const struct report *r, FILE *to);
/* A cell as text; numbers in scratch. */
span cell_text(const struct report_table *t, size_t column, const struct report_cell *c, char scratch[24]);

#endif
