#include "stats/stats.h"
#include <math.h>
#include <stdlib.h>

/* ---- order ------------------------------------------------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *x, size_t n)
{
    if (n > 1) qsort(x, n, sizeof(*x), compare_doubles);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
    ASSERT(n > 0 && q >= 0 && q <= 1);
    double place = q * (double)(n - 1);
    size_t below = (size_t)place;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

void stats_histogram(const double *x, size_t n, double low, double high, size_t *counts, size_t bins)
{
    ASSERT(bins > 0 && high >= low);
    memset(counts, 0, bins * sizeof(*counts));
    double step = (high - low) / (double)bins;
    for (size_t i = 0; i < n; i++) {
        double at = step > 0 ? (x[i] - low) / step : 0;
        size_t bin = at <= 0 ? 0 : at >= (double)(bins - 1) ? bins - 1 : (size_t)at;
        counts[bin]++;
    }
}

/* ---- Kolmogorov–Smirnov ----------------------------------------------------------------------------------------- */

/* The largest |i·m − j·n|: the distance as a whole number of 1/(n·m). Steps over all copies of a value at once. */
static uint64_t largest_distance(const double *x, size_t n, const double *y, size_t m)
{
    size_t i = 0, j = 0;
    uint64_t largest = 0;
    while (i < n && j < m) {
        double v = x[i] < y[j] ? x[i] : y[j];
        while (i < n && x[i] <= v) i++;
        while (j < m && y[j] <= v) j++;
        uint64_t a = (uint64_t)i * m, b = (uint64_t)j * n, distance = a > b ? a - b : b - a;
        if (distance > largest) largest = distance;
    }
    return largest;
}

double stats_kolmogorov_tail(double lambda)
{
    const double pi = 3.14159265358979323846;
    if (lambda <= 0) return 1;
    double sum = 0;
    if (lambda < 1.18) { /* the other series converges too slowly here */
        double y = exp(-pi * pi / (8 * lambda * lambda));
        for (int k = 1; k <= 7; k += 2) sum += pow(y, (double)(k * k));
        return 1 - sqrt(2 * pi) / lambda * sum;
    }
    for (int k = 1; k <= 20; k++) sum += (k % 2 == 1 ? 2 : -2) * exp(-2 * lambda * lambda * k * k);
    return sum;
}

/* The share of the ways from (0,0) to (n,m) that stay nearer to the diagonal than the distance. What stands at (i,j) is the
 * share of the ways to there: so nothing overflows. */
static double share_within(size_t n, size_t m, uint64_t distance, double *row)
{
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            uint64_t a = (uint64_t)i * m, b = (uint64_t)j * n;
            double from_left = j > 0 ? row[j - 1] * (double)j : 0, from_below = i > 0 ? row[j] * (double)i : 0;
            if (i + j > 0) row[j] = (from_left + from_below) / (double)(i + j);
            else row[j] = 1;
            if ((a > b ? a - b : b - a) >= distance) row[j] = 0;
        }
    }
    return row[m];
}

struct stats_ks stats_kolmogorov_smirnov(const double *x, size_t n, const double *y, size_t m)
{
    ASSERT(n > 0 && m > 0);
    uint64_t distance = largest_distance(x, n, y, m);
    double product = (double)n * (double)m;
    struct stats_ks out = {.d = (double)distance / product, .p = 1};
    if (distance == 0) {
        out.exact = true;
        return out;
    }
    double *row = product <= STATS_EXACT ? mem_array(m + 1, sizeof(*row)) : NULL;
    out.exact = row != NULL;
    if (row != NULL) out.p = 1 - share_within(n, m, distance, row);
    else out.p = stats_kolmogorov_tail(sqrt(product / (double)(n + m)) * out.d);
    mem_free(row);
    if (out.p < 0) out.p = 0;
    return out;
}

/* ---- means ------------------------------------------------------------------------------------------------------ */

struct moments {
    double mean, error; /* the variance of the mean */
};

/* Two passes: times lie close together, far from zero. */
static struct moments moments_of(const double *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    return (struct moments){mean, squares / (double)(n - 1) / (double)n};
}

struct stats_welch stats_welch(const double *x, size_t n, const double *y, size_t m)
{
    ASSERT(n > 1 && m > 1);
    struct moments a = moments_of(x, n), b = moments_of(y, m);
    double error = a.error + b.error, apart = a.mean - b.mean;
    if (error <= 0) return (struct stats_welch){apart > 0 ? INFINITY : apart < 0 ? -INFINITY : 0, (double)(n + m - 2)};
    double df = error * error / (a.error * a.error / (double)(n - 1) + b.error * b.error / (double)(m - 1));
    return (struct stats_welch){apart / sqrt(error), df};
}

/* ---- the median ------------------------------------------------------------------------------------------------- */

/* The largest k for which fewer than k of n fair coins show heads with probability at most `tail`; 0: not even for 1. */
static size_t rank_of_tail(size_t n, double tail)
{
    double sum = 0, log_all = lgamma((double)n + 1), log_half = (double)n * log(0.5);
    size_t k = 0;
    while (k < n / 2) {
        sum += exp(log_all - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) + log_half);
        if (sum > tail) break;
        k++;
    }
    return k;
}

struct stats_median stats_median(const double *sorted, size_t n, double confidence)
{
    ASSERT(n > 0 && confidence > 0 && confidence < 1);
    struct stats_median out = {.median = stats_quantile(sorted, n, 0.5), .low = -INFINITY, .high = INFINITY};
    size_t k = rank_of_tail(n, (1 - confidence) / 2);
    out.bounded = k > 0;
    if (out.bounded) {
        out.low = sorted[k - 1];
        out.high = sorted[n - k];
    }
    return out;
}
