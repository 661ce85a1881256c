/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_work.c - what a clock could see of noise, counted and not timed: the work of a step of the sampler (blocks of ChaCha20,
 * and samples whose slot was not fast) must not follow the size of a value in it. The CKS20 oracle's work does follow its value:
 * the positive control. Times of the same correlation: bench-sampler. argv[1]: steps, default 1e5; the long suite takes 1e6. */
#include "cks20.h"
#include "kernels.h"

#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum {
    STEP = 1024,
    BLOCK_WORK = 3, /* a block of the cipher takes about as long as three samples that are not fast */
    ORACLE_DRAWS = 50000
};

static const double BOUND = 0.01;
static const double STANDARD_ERRORS = 4.0;
static const double LEAK = 0.1;
static size_t steps = 100000;
static uint64_t work;

static void counting_keystream(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key)
{
    work += BLOCK_WORK * blocks;
    nw__kernels_best()->keystream(out, blocks, nonce, block, key);
}

static void count_flagged(const uint64_t *flagged, size_t n)
{
    for (size_t i = 0; i < n / 64; i++)
        work += (uint64_t)__builtin_popcountll(flagged[i]);
}

static void counting_draw_32(const nw_noise *noise, const uint32_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    nw__kernels_best()->draw_32(noise, words, n, out, flagged);
    count_flagged(flagged, n);
}

static void counting_draw_64(const nw_noise *noise, const uint64_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    nw__kernels_best()->draw_64(noise, words, n, out, flagged);
    count_flagged(flagged, n);
}

static const nw__kernels counting = { "counting", counting_keystream, counting_draw_32, counting_draw_64 };

/* Sums for Pearson's correlation. */
typedef struct sums {
    double n;
    double x;
    double y;
    double xx;
    double yy;
    double xy;
} sums;

static void add_point(sums *s, double x, double y)
{
    s->n += 1.0;
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->yy += y * y;
    s->xy += x * y;
}

static double correlation(const sums *s)
{
    const double xx = s->xx - s->x * s->x / s->n;
    const double yy = s->yy - s->y * s->y / s->n;
    assert_true(xx > 0.0 && yy > 0.0);
    return (s->xy - s->x * s->y / s->n) / sqrt(xx * yy);
}

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    return rng;
}

static void check_scale(nw_noise_law law, double scale)
{
    nw_noise *noise = NULL;
    nw_rng *rng = seeded((uint64_t)law);
    sums s = { 0 };
    int64_t z[STEP];
    assert_int_equal(nw_noise_new(&noise, law, scale, NULL), NW_OK);
    noise->kernels = &counting;
    for (size_t i = 0; i < steps; i++) {
        work = 0;
        assert_int_equal(nw_noise_fill(noise, rng, z, STEP, NULL), NW_OK);
        add_point(&s, fabs((double)z[i % STEP]) / scale, (double)work);
    }
    const double r = correlation(&s);
    print_message("# law %d, scale %g: correlation %.4f\n", (int)law, scale, r);
    assert_true(fabs(r) < BOUND + STANDARD_ERRORS / sqrt((double)steps));
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static void noise_fill__work_does_not_follow_the_noise(void **state)
{
    (void)state;
    for (nw_noise_law law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        check_scale(law, 1.0);
        check_scale(law, 1000.0);
        check_scale(law, 0x1p40);
    }
}

/* The bytes of its stream that a draw takes. */
static double oracle_correlation(nw_noise_law law)
{
    enum { T = 1000 };
    const size_t refill = NW__RNG_BUFFER_BYTES - NW__RNG_KEY_BYTES;
    nw_rng *rng = seeded(3);
    sums s = { 0 };
    for (size_t i = 0; i < ORACLE_DRAWS; i++) {
        const size_t before = rng->used;
        const int64_t z = law == NW_NOISE_DISCRETE_LAPLACE ? nw__cks20_laplace(rng, T, 1) : nw__cks20_gaussian(rng, T * T, 1);
        const size_t bytes = rng->used >= before ? rng->used - before : rng->used + refill - before;
        add_point(&s, fabs((double)z), (double)bytes);
    }
    nw_rng_free(rng);
    return correlation(&s);
}

static void cks20__work_follows_the_noise(void **state)
{
    (void)state;
    const double gaussian = oracle_correlation(NW_NOISE_DISCRETE_GAUSSIAN);
    const double laplace = oracle_correlation(NW_NOISE_DISCRETE_LAPLACE);
    print_message("# the oracle, scale 1000: Gaussian %.3f, Laplace %.3f\n", gaussian, laplace);
    assert_true(gaussian > LEAK);
    assert_true(laplace > LEAK);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__work_does_not_follow_the_noise),
        cmocka_unit_test(cks20__work_follows_the_noise),
    };
    if (argc > 1)
        steps = (size_t)strtoull(argv[1], NULL, 10);
    return steps < 10000 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
