#include "doc/fast.h"

void walk_fast_avx2(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    take_strides(r, w, out);
}
