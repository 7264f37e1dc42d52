#include "source/source.h"

/* Longer words are not names of ours. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) that make b of a; letters in any case are alike. */
static size_t edit_distance(span a, span b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = j, before[j] = 0;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = to_lower(a.ptr[i - 1]) == to_lower(b.ptr[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && to_lower(a.ptr[i - 1]) == to_lower(b.ptr[j - 2]) &&
                           to_lower(a.ptr[i - 2]) == to_lower(b.ptr[j - 1]);
            if (swapped) row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last, last = row, row = spare;
    }
    return last[b.len];
}

const char *source_did_you_mean(const char *word, const char *const *words)
{
    span wrong = span_str(word);
    if (wrong.len > WORD_MAX) return NULL;
    const char *best = NULL;
    size_t best_distance = wrong.len / 3 + 1;
    for (; *words; words++) {
        span right = span_str(*words);
        if (right.len > WORD_MAX) continue;
        size_t distance = edit_distance(wrong, right);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = *words;
    }
    return best;
}
