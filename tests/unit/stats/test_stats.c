/* Every expected number comes from SciPy 1.10.1 and NumPy, which were given the same samples:
 *
 *   def lcg(seed, n, scale, shift):    # the samples of `fill` below
 *       s, out = seed, []
 *       for _ in range(n):
 *           s = (s * 6364136223846793005 + 1442695040888963407) % 2**64; out.append(shift + scale * ((s >> 11) / 2**53))
 *       return np.array(out)
 *   scipy.stats.ks_2samp(x, y, method="exact"); over 4,000,000 pairs scipy.special.kolmogorov(np.sqrt(n*m/(n+m)) * statistic)
 *   scipy.stats.ttest_ind(x, y, equal_var=False).statistic; its degrees of freedom by Welch and Satterthwaite from x.var(ddof=1)
 *   np.median(x), np.quantile(x, .999)
 *   the median's interval: the largest k with scipy.stats.binom.cdf(k-1, n, .5) <= .025 gives sorted(x)[k-1], sorted(x)[n-k] */
#include "stats/stats.h"
#include "support.h"
#include <math.h>

#define SAMPLE_MAX 3000

struct vector {
    uint64_t seed_x;
    size_t n;
    double scale_x, shift_x;
    uint64_t seed_y;
    size_t m;
    double scale_y, shift_y;
    double d, p, t, df, median, low, high, p999; /* low -1: there is none */
};

static const struct vector VECTORS[] = {
    {1, 20, 1.0, 0.0, 2, 25, 1.0, 0.1, 0.24, 0.4743341655515452, -0.5288284139198624, 42.52585241568434, 0.5225825487303797,
        0.3828633905082601, 0.6483593939634306, 0.8388848208002},
    {3, 100, 1.0, 0.0, 4, 120, 1.0, 0.15, 0.25166666666666665, 0.0016004815473203715, -4.075931185152509, 215.23359967095354,
        0.485222021286627, 0.4120809667175517, 0.6379254158755219, 0.981812160506767},
    {5, 300, 2.0, 1.0, 6, 300, 2.0, 1.0, 0.06333333333333334, 0.584980918983971, -0.5777159739948218, 596.7851184446047,
        1.9090461155844256, 1.8177079285827238, 2.0254069408033626, 2.993782899356929},
    {7, 5, 1.0, 0.0, 8, 4, 1.0, 3.0, 1.0, 0.015873015873015872, -13.262531705851707, 6.480758784074507, 0.4932122668392295, -1, -1,
        0.9554632035396353},
    {9, 3000, 1.0, 0.0, 10, 2500, 1.0, 0.02, 0.03766666666666668, 0.041741649892065025, -3.134808285684458, 5338.070955200426,
        0.4920162515543864, 0.4722311579120768, 0.5085254365777477, 0.9982915161715148},
    {11, 2, 1.0, 0.0, 12, 3, 1.0, 0.0, 0.6666666666666666, 0.6, 0.9163985233932441, 2.814454233028574, 0.7298542997849518, -1, -1,
        0.8729276107548432},
};

static void fill(double *out, uint64_t seed, size_t n, double scale, double shift)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = shift + scale * ((double)(seed >> 11) / 9007199254740992.0);
    }
    stats_sort(out, n);
}

static void assert_near(double got, double wanted)
{
    if (fabs(got - wanted) <= 1e-9 * (1 + fabs(wanted))) return;
    print_error("%.17g instead of %.17g\n", got, wanted);
    fail();
}

static void test_against_scipy(void **state)
{
    (void)state;
    static double x[SAMPLE_MAX], y[SAMPLE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        const struct vector *v = &VECTORS[i];
        fill(x, v->seed_x, v->n, v->scale_x, v->shift_x);
        fill(y, v->seed_y, v->m, v->scale_y, v->shift_y);
        struct stats_ks ks = stats_kolmogorov_smirnov(x, v->n, y, v->m);
        struct stats_welch w = stats_welch(x, v->n, y, v->m);
        struct stats_median m = stats_median(x, v->n, 0.95);
        assert_near(ks.d, v->d);
        assert_near(ks.p, v->p);
        assert_int_equal(ks.exact, v->n * v->m <= STATS_EXACT);
        assert_near(w.t, v->t);
        assert_near(w.df, v->df);
        assert_near(m.median, v->median);
        assert_int_equal(m.bounded, v->low >= 0);
        if (m.bounded) assert_near(m.low, v->low);
        if (m.bounded) assert_near(m.high, v->high);
        assert_near(stats_quantile(x, v->n, 0.999), v->p999);
        assert_near(stats_kolmogorov_smirnov(y, v->m, x, v->n).p, v->p);
    }
}

/* scipy.special.kolmogorov */
static void test_limiting_distribution(void **state)
{
    (void)state;
    static const double TAIL[][2] = {{0.2, 0.999999999999495}, {0.5, 0.9639452436648751}, {0.9, 0.3927307079406543},
        {1.0, 0.26999967167735456}, {1.17, 0.12939004218561884}, {1.19, 0.11774229287977166}, {1.5, 0.022217962616525127},
        {2, 0.0006709252557796953}, {3, 3.045995948942526e-08}};
    for (size_t i = 0; i < ARRAY_LEN(TAIL); i++) assert_near(stats_kolmogorov_tail(TAIL[i][0]), TAIL[i][1]);
    assert_true(stats_kolmogorov_tail(0) == 1);
}

/* scipy.stats.ks_2samp([1,1,2,2,3,5], [2,2,2,4,4,6,6], method="exact") */
static void test_values_that_occur_twice(void **state)
{
    (void)state;
    const double x[] = {1, 1, 2, 2, 3, 5}, y[] = {2, 2, 2, 4, 4, 6, 6};
    struct stats_ks ks = stats_kolmogorov_smirnov(x, 6, y, 7);
    assert_near(ks.d, 0.40476190476190477);
    assert_near(ks.p, 0.5279720279720281);
    assert_near(stats_kolmogorov_smirnov(x, 6, x, 6).p, 1);
}

static void test_where_nothing_varies(void **state)
{
    (void)state;
    const double x[] = {2, 2, 2}, y[] = {3, 3};
    assert_true(stats_welch(x, 3, x, 3).t == 0);
    assert_true(isinf(stats_welch(y, 2, x, 3).t) && stats_welch(y, 2, x, 3).t > 0);
    assert_near(stats_quantile(x, 1, 0.999), 2);
    assert_false(stats_median(x, 1, 0.95).bounded);
}

/* binom.cdf: the ranks of the interval among 1..n */
static void test_ranks_of_the_medians_interval(void **state)
{
    (void)state;
    static const struct { size_t n; double confidence, low, high; } RANKS[] = {
        {6, 0.95, 1, 6}, {20, 0.95, 6, 15}, {100, 0.99, 37, 64}, {1000, 0.95, 469, 532}};
    static double x[1000];
    for (size_t i = 0; i < 1000; i++) x[i] = (double)i + 1;
    for (size_t i = 0; i < ARRAY_LEN(RANKS); i++) {
        struct stats_median m = stats_median(x, RANKS[i].n, RANKS[i].confidence);
        assert_true(m.bounded && m.low == RANKS[i].low && m.high == RANKS[i].high);
    }
    assert_false(stats_median(x, 5, 0.95).bounded);
}

static void test_histogram(void **state)
{
    (void)state;
    const double x[] = {-1, 0, 0.5, 1.0, 1.99, 2.0, 9};
    size_t counts[4];
    stats_histogram(x, 7, 0, 2, counts, 4);
    const size_t wanted[] = {2, 1, 1, 3};
    assert_memory_equal(counts, wanted, sizeof(wanted));
    stats_histogram(x, 7, 1, 1, counts, 4);
    assert_int_equal(counts[0], 7);
}

/* Without memory the limiting distribution stands in. */
static void test_no_memory(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5}, y[] = {3.5, 4.5, 5.5, 6.5};
    fault_arm("malloc", 1);
    struct stats_ks ks = stats_kolmogorov_smirnov(x, 5, y, 4);
    fault_arm("malloc", 0);
    assert_false(ks.exact);
    assert_true(ks.p > 0 && ks.p <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_scipy), cmocka_unit_test(test_limiting_distribution),
        cmocka_unit_test(test_values_that_occur_twice), cmocka_unit_test(test_where_nothing_varies),
        cmocka_unit_test(test_ranks_of_the_medians_interval), cmocka_unit_test(test_histogram), cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
