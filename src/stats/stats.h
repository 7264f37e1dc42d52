/* stats: whether two samples of measured times may come from one source. Pure: numbers in, numbers out; nothing is
 * allocated but for the exact distribution of small samples. */
#ifndef GATE1367_STATS_H
#define GATE1367_STATS_H

#include "base/base.h"

/* Sorts ascending, in place. */
void stats_sort(double *x, size_t n);
/* The q-quantile (0..1) of a sorted sample, between two order statistics by their distance (Hyndman and Fan 1996, type 7).
 * n ≥ 1. */
double stats_quantile(const double *sorted, size_t n, double q);

/* Two-sample Kolmogorov–Smirnov, two-sided: the largest distance of the two empirical distributions and the probability of one
 * as large where both samples have one source. Both sorted, n, m ≥ 1. Exact (by counting lattice paths, Hodges 1958) while
 * n·m ≤ STATS_EXACT and there is memory, else the limiting distribution (Kolmogorov 1933). Values that occur in both samples
 * make p larger than it need be, never smaller. */
#define STATS_EXACT 4000000
struct stats_ks {
    double d, p;
    bool exact;
};
struct stats_ks stats_kolmogorov_smirnov(const double *x, size_t n, const double *y, size_t m);
/* Q(λ), the limiting distribution's upper tail. */
double stats_kolmogorov_tail(double lambda);

/* Welch's t of the two means, with its degrees of freedom. n, m ≥ 2. Where nothing varies t is 0, or infinite if the means
 * differ. */
struct stats_welch {
    double t, df;
};
struct stats_welch stats_welch(const double *x, size_t n, const double *y, size_t m);

/* The median of a sorted sample, and the narrowest symmetric pair of its order statistics that holds the true one with at least
 * this confidence, whatever the distribution (the sign test turned round). `bounded` false: the sample is too small for any.
 * n ≥ 1. */
struct stats_median {
    double median, low, high;
    bool bounded;
};
struct stats_median stats_median(const double *sorted, size_t n, double confidence);

/* Counts the values of a sample in `bins` equal steps from low to high; what lies outside counts in the first and the last. */
void stats_histogram(const double *x, size_t n, double low, double high, size_t *counts, size_t bins);

#endif
