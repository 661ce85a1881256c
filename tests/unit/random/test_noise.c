/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_noise.c - the slot table's contracts: cover, determinism, wide path, saturation, errors. The laws:
 * tests/stat/stat_noise.c. */
#include "trial.h"

#include <math.h>
#include <nw/testing.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double SCALES[] = { 0x1p-10, 0.25, 1.0, 3.2, 10.0, 1000.0, 65536.0, 1e6, 1e9, 0x1p50, 0x1p52, 0x1p54 };
enum { SCALE_COUNT = sizeof SCALES / sizeof *SCALES };

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static nw_noise *noise_of(int law, double scale, double margin)
{
    nw_noise *noise = NULL;
    assert_int_equal(nw__noise_new_with_margin(&noise, (nw_noise_law)law, scale, margin, NULL), NW_OK);
    return noise;
}

/* What a set of kernels draws; NULL: the set that would be chosen. */
static void fill_on(const nw__kernels *kernels, int law, double scale, uint64_t seed, int64_t *out, size_t n)
{
    nw_noise *noise = noise_of(law, scale, NW__NOISE_MARGIN);
    nw_rng *rng = seeded(seed);
    if (kernels != NULL)
        noise->kernels = kernels;
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static void fill(int law, double scale, double margin, uint64_t seed, int64_t *out, size_t n)
{
    nw_noise *noise = noise_of(law, scale, margin);
    nw_rng *rng = seeded(seed);
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static double height(const nw_noise *noise, double y)
{
    const double z = y / noise->lattice_scale;
    return noise->law == NW_NOISE_DISCRETE_LAPLACE ? exp(-fabs(z)) : exp(-0.5 * z * z);
}

/* The theorem's conditions: at each cell the levels of its block reach above the law (so nothing is cut), and a fast level lies
 * below it. */
static void noise_new__covers_the_law_and_fast_slots_lie_below_it(void **state)
{
    (void)state;
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (int i = 0; i < SCALE_COUNT; i++) {
            nw_noise *noise = noise_of(law, SCALES[i], NW__NOISE_MARGIN);
            const double edge = noise->is_continuous ? 1.0 : 0.0;
            double reach = 0.0;
            for (size_t s = 0; s < NW__SLOTS; s++) {
                const nw__slot *slot = &noise->slots[s];
                if (slot->kind != NW__SLOT_BLOCK)
                    continue;
                const double width = ldexp(1.0, slot->log2_width);
                const double first = (double)slot->base;
                const double last = first + width - 1.0 + edge;
                const double nearest = first > 0.0 ? first : last < 0.0 ? last : 0.0;
                const double farthest = fmax(fabs(first), fabs(last));
                const double h = noise->area / width;
                size_t levels = 1;
                while (s + levels < NW__SLOTS && noise->slots[s + levels].base == slot->base &&
                       noise->slots[s + levels].level == levels && noise->slots[s + levels].kind == NW__SLOT_BLOCK)
                    levels++;
                if (slot->level == 0)
                    assert_true((double)levels * h >= height(noise, nearest));
                if (noise->fast[s] != NW__SLOT_FLAGGED) {
                    assert_int_equal(noise->fast[s] * (INT64_C(1) << noise->log2_width), slot->base);
                    assert_true((slot->level + 1.0) * h <= height(noise, farthest));
                }
                assert_true(h >= 0x1p-17);
                reach = fmax(reach, last);
            }
            assert_true(reach >= (law == NW_NOISE_DISCRETE_LAPLACE ? 16.0 : 15.0) * noise->lattice_scale);
            nw_noise_free(noise);
        }
    }
}

/* Every cell lies in one block or tail, to the last bit of its base: blocks outward from 0, the nonnegative side first, without a
 * gap or a cell in common. */
static void noise_new__tiles_the_line(void **state)
{
    (void)state;
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (int i = 0; i < SCALE_COUNT; i++) {
            nw_noise *noise = noise_of(law, SCALES[i], NW__NOISE_MARGIN);
            int64_t above = 0; /* the first cell of the nonnegative side that no block holds yet */
            int64_t below = -1;
            int tails = 0;
            assert_true(NW__SLOT_BITS + noise->log2_width <= 64);
            for (const nw__slot *slot = noise->slots; slot < noise->slots + NW__SLOTS; slot++) {
                const int64_t width = INT64_C(1) << slot->log2_width;
                if (slot->kind == NW__SLOT_UNUSED || slot->level > 0)
                    continue;
                if (slot->kind == NW__SLOT_TAIL) {
                    assert_true(slot->base == (tails == 0 ? above : below));
                    tails++;
                } else if (slot->base >= 0) {
                    assert_true(slot->base == above && tails == 0);
                    above += width;
                } else {
                    assert_true(slot->base + width - 1 == below && tails < 2);
                    below -= width;
                }
            }
            assert_int_equal(tails, law == NW_NOISE_DISCRETE_LAPLACE ? 2 : 0);
            nw_noise_free(noise);
        }
    }
}

/* The wide path decides what the double would: with the margin inflated to 2^-4 a large part of all tests takes it, and no
 * output changes. */
static void noise_fill__is_the_same_with_an_inflated_margin(void **state)
{
    (void)state;
    enum { N = 20000 };
    int64_t *plain = malloc(N * sizeof *plain);
    int64_t *inflated = malloc(N * sizeof *inflated);
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (int i = 0; i < SCALE_COUNT; i++) {
            fill(law, SCALES[i], NW__NOISE_MARGIN, 17, plain, N);
            fill(law, SCALES[i], 0x1p-4, 17, inflated, N);
            assert_memory_equal(plain, inflated, N * sizeof *plain);
        }
        for (int i = 0; i < 2; i++) {
            const double scale = i == 0 ? 1000.0 : 0x1p54;
            fill(law, scale, 1e9, 17, inflated, N / 10); /* every flagged test */
            fill(law, scale, NW__NOISE_MARGIN, 17, plain, N / 10);
            assert_memory_equal(plain, inflated, N / 10 * sizeof *plain);
        }
    }
    free(plain);
    free(inflated);
}

static void noise_fill__does_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    enum { N = 150000 };
    int64_t *one = malloc(N * sizeof *one);
    int64_t *many = malloc(N * sizeof *many);
    const int before = omp_get_max_threads();
    for (int threads = 2; threads <= 4; threads++) {
        omp_set_num_threads(1);
        fill(NW_NOISE_ROUNDED_GAUSSIAN, 100.0, NW__NOISE_MARGIN, 3, one, N);
        omp_set_num_threads(threads);
        fill(NW_NOISE_ROUNDED_GAUSSIAN, 100.0, NW__NOISE_MARGIN, 3, many, N);
        assert_memory_equal(one, many, N * sizeof *one);
    }
    omp_set_num_threads(before);
    free(one);
    free(many);
}

/* p(base + u width) width / A - level for a slot's block, in more digits than the table's doubles. */
static long double height_above(const nw_noise *noise, const nw__slot *slot, double u)
{
    const long double z =
        ((long double)slot->base + ldexpl((long double)u, slot->log2_width)) / (long double)noise->lattice_scale;
    const long double p = noise->law == NW_NOISE_DISCRETE_LAPLACE ? expl(-fabsl(z)) : expl(-0.5L * z * z);
    return ldexpl(p, slot->log2_width) / (long double)noise->area - (long double)slot->level;
}

/* Chords may decide trials only if they are nowhere farther from the law than their slack; they should decide nearly all. */
static void noise_new__chords_stay_within_their_slack(void **state)
{
    (void)state;
    enum { POINTS = 33 };
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (int i = 0; i < SCALE_COUNT; i++) {
            nw_noise *noise = noise_of(law, SCALES[i], NW__NOISE_MARGIN);
            double undecided = 0.0;
            double flagged = 0.0;
            for (size_t s = 0; s < NW__SLOTS; s++) {
                const nw__slot *slot = &noise->slots[s];
                if (noise->fast[s] != NW__SLOT_FLAGGED || slot->kind == NW__SLOT_UNUSED)
                    continue;
                if (slot->kind == NW__SLOT_TAIL) {
                    assert_true(isinf(slot->slack));
                    continue;
                }
                for (int k = 0; k < POINTS; k++) {
                    const double u = (double)k / (POINTS - 1);
                    const long double chord = (long double)((double)slot->start + (double)slot->slope * u);
                    assert_true(fabsl(height_above(noise, slot, u) - chord) < (long double)slot->slack);
                }
                flagged += 1.0;
                undecided += fmin(1.0, 2.0 * (double)slot->slack);
            }
            if (flagged > 300.0) /* fewer: mostly the far tail's wide slots */
                assert_true(undecided < 0.1 * flagged);
            nw_noise_free(noise);
        }
    }
}

static const nw__slot *tail_of(const nw_noise *noise, bool is_negative)
{
    const nw__slot *slot = noise->slots;
    while (slot->kind != NW__SLOT_TAIL || (slot->base < 0) != is_negative)
        slot++;
    return slot;
}

/* V 2^-60 to either side of the threshold: within the double's margin, so the wide path decides, on 1 - e^(-1/b), 2^-54 at the
 * largest scale. The threshold here is below 2^-10, and good to a part in 2^49 even where a long double is no more than a
 * double. */
static void trial_accepts__knows_the_mass_of_a_tail(void **state)
{
    (void)state;
    const double scales[] = { 0.7, 10.0, 1e9, 0x1p50, 0x1.23456789abcdep53, 0x1p54 };
    static const uint8_t key[32] = { 9 };
    nw__streams streams;
    nw__streams_begin(&streams, &nw__kernels_plain, key, 0);
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        nw_noise *noise = noise_of(NW_NOISE_DISCRETE_LAPLACE, scales[i], NW__NOISE_MARGIN);
        const long double b = (long double)scales[i];
        for (int is_negative = 0; is_negative < 2; is_negative++) {
            const nw__slot *slot = tail_of(noise, is_negative == 1);
            const long double mass = expl(-fabsl((long double)slot->base) / b) / -expm1l(-1.0L / b);
            const long double threshold = mass / (long double)noise->area;
            assert_true(threshold > 0.0L && threshold < 0x1p-10L);
            for (int side = -1; side <= 1; side += 2) {
                const nw__trial t = { 0, (uint64_t)(ldexpl(threshold, 64) + side * 16.0L), 1 };
                assert_true(nw__trial_accepts(noise, slot, t, &streams) == (side < 0));
            }
        }
        nw_noise_free(noise);
    }
}

/* An accepted tail slot gives base + Y and base - Y with P[Y >= k] = e^(-k/b): its mean, and none on the wrong side; and the
 * end of int64 where the sum would pass it. */
static void trial_cell__draws_the_whole_tail_and_saturates(void **state)
{
    (void)state;
    enum { N = 20000 };
    static const uint8_t key[32] = { 7 };
    nw_noise *noise = noise_of(NW_NOISE_DISCRETE_LAPLACE, 0x1p54, NW__NOISE_MARGIN);
    nw__streams streams;
    nw__streams_begin(&streams, noise->kernels, key, 0);
    for (int is_negative = 0; is_negative < 2; is_negative++) {
        const nw__slot *slot = tail_of(noise, is_negative == 1);
        nw__slot last = *slot;
        double mean = 0.0;
        int beyond = 0; /* P[Y >= 3 b] = e^-3 */
        last.base = is_negative ? INT64_MIN + 1 : INT64_MAX - 1;
        for (int i = 0; i < N; i++) {
            const int64_t x = nw__trial_cell(noise, slot, (nw__trial){ 0, 0, 0 }, &streams);
            assert_true(is_negative ? x <= slot->base : x >= slot->base);
            mean += fabs((double)(x - slot->base)) * 0x1p-54 / N;
            beyond += fabs((double)(x - slot->base)) >= 0x3p54;
            assert_true(nw__trial_cell(noise, &last, (nw__trial){ 0, 0, 0 }, &streams) == (is_negative ? INT64_MIN : INT64_MAX));
        }
        assert_true(fabs(mean - 1.0) < 6.3 / sqrt(N));
        assert_true(fabs(beyond - N * exp(-3.0)) < 6.3 * sqrt(N * exp(-3.0)));
    }
    nw_noise_free(noise);
}

/* Ends of chunks, steps and words: a shorter vector is the start of a longer one, on every set of kernels. */
static void noise_fill__does_not_depend_on_the_length(void **state)
{
    (void)state;
    enum { N = 40000 };
    const size_t lengths[] = { 1, 63, 64, 65, 1023, 1024, 1025, 5120, 16383, 16384, 16385, 32768 };
    const double scales[] = { 3.0, 1e12, 0x1p54 }; /* words of 32 and of 64 bits, and with every bit of them in use */
    int64_t *whole = malloc(N * sizeof *whole);
    int64_t *part = malloc(N * sizeof *part);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        fill_on(&nw__kernels_plain, NW_NOISE_DISCRETE_LAPLACE, scales[s], 4, whole, N);
        for (size_t k = 0; nw__kernels_at(k) != NULL; k++) {
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths && nw__kernels_can_run(nw__kernels_at(k)); i++) {
                part[lengths[i]] = 77;
                fill_on(nw__kernels_at(k), NW_NOISE_DISCRETE_LAPLACE, scales[s], 4, part, lengths[i]);
                assert_memory_equal(part, whole, lengths[i] * sizeof *part);
                assert_int_equal(part[lengths[i]], 77);
            }
        }
    }
    free(whole);
    free(part);
}

static void check_addition(double scale)
{
    enum { N = 5000 };
    nw_noise *noise = noise_of(NW_NOISE_DISCRETE_GAUSSIAN, scale, NW__NOISE_MARGIN);
    nw_rng *a = seeded(2);
    nw_rng *b = seeded(2);
    nw_rng *c = seeded(2);
    int64_t z[N];
    int64_t x[N];
    int64_t y[N];
    const int64_t room = (int64_t)(scale / 50.0);
    for (int i = 0; i < N; i++)
        x[i] = i % 3 == 0 ? INT64_MAX - room : i % 3 == 1 ? INT64_MIN + room : i;
    assert_int_equal(nw_noise_fill(noise, a, z, N, NULL), NW_OK);
    assert_int_equal(nw_noise_add_i64(noise, b, x, y, N, NULL), NW_OK);
    for (int i = 0; i < N; i++) {
        int64_t sum = 0;
        if (__builtin_add_overflow(x[i], z[i], &sum))
            sum = z[i] > 0 ? INT64_MAX : INT64_MIN;
        assert_true(y[i] == sum);
    }
    assert_int_equal(nw_noise_add_i64(noise, c, x, x, N, NULL), NW_OK); /* aliased */
    assert_memory_equal(x, y, sizeof x);
    nw_rng_free(a);
    nw_rng_free(b);
    nw_rng_free(c);
    nw_noise_free(noise);
}

static void noise_add_i64__adds_what_fill_draws_and_saturates(void **state)
{
    (void)state;
    check_addition(50.0);
    check_addition(0x1p54);
}

/* The real release is the three steps that it names: round, add, back; every value an exact multiple of g. */
static void noise_add_f64_grid__rounds_adds_and_returns_multiples_of_g(void **state)
{
    (void)state;
    enum { N = 5000 };
    const nw_grid grid = { -7 };
    nw_noise *noise = noise_of(NW_NOISE_ROUNDED_GAUSSIAN, 900.0, NW__NOISE_MARGIN);
    nw_rng *a = seeded(2);
    nw_rng *b = seeded(2);
    nw_rng *c = seeded(2);
    int64_t z[N];
    double x[N];
    double y[N];
    for (int i = 0; i < N; i++)
        x[i] = 0.37 * (i - N / 2);
    x[0] = (double)NAN;
    x[1] = (double)INFINITY;
    x[2] = (double)-INFINITY;
    assert_int_equal(nw_noise_fill(noise, a, z, N, NULL), NW_OK);
    assert_int_equal(nw_noise_add_f64_grid(noise, b, grid, x, -300.0, 200.0, y, N, NULL), NW_OK);
    for (int i = 0; i < N; i++) {
        const double value = isnan(x[i]) ? 0.0 : fmin(200.0, fmax(-300.0, x[i]));
        assert_true(y[i] == (floor(value * 128.0 + 0.5) + (double)z[i]) / 128.0);
        assert_true(y[i] * 128.0 == floor(y[i] * 128.0));
    }
    assert_int_equal(nw_noise_add_f64_grid(noise, c, grid, x, -300.0, 200.0, x, N, NULL), NW_OK); /* aliased */
    assert_memory_equal(x, y, sizeof x);
    nw_rng_free(a);
    nw_rng_free(b);
    nw_rng_free(c);
    nw_noise_free(noise);
}

/* Beyond 2^53 steps not every integer is a double: the sum stops there, on the side it is on. */
static void noise_add_f64_grid__saturates_at_2_to_the_53(void **state)
{
    (void)state;
    nw_noise *noise = noise_of(NW_NOISE_DISCRETE_LAPLACE, 2.0, NW__NOISE_MARGIN);
    nw_rng *rng = seeded(3);
    double x[2] = { 0x1p60, -0x1p60 };
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, (nw_grid){ 1 }, x, -0x1p61, 0x1p61, x, 2, NULL), NW_OK);
    assert_true(x[0] == 0x1p54 && x[1] == -0x1p54);
    nw_rng_free(rng);
    nw_noise_free(noise);
}

/* No two releases share noise, nor do neighbouring chunks. */
static void noise_fill__never_repeats(void **state)
{
    (void)state;
    enum { CHUNK = 16384, N = 2 * CHUNK };
    nw_noise *noise = noise_of(NW_NOISE_ROUNDED_GAUSSIAN, 1e9, NW__NOISE_MARGIN);
    nw_rng *rng = seeded(2);
    int64_t *x = malloc(2 * N * sizeof *x);
    size_t equal = 0;
    assert_int_equal(nw_noise_fill(noise, rng, x, N, NULL), NW_OK);
    assert_int_equal(nw_noise_fill(noise, rng, x + N, N, NULL), NW_OK);
    for (size_t i = 0; i < N; i++)
        equal += x[i] == x[N + i];
    for (size_t i = 0; i + CHUNK < N; i++)
        equal += x[i] == x[i + CHUNK];
    assert_true(equal <= 1); /* expected: 49152 pairs * 2.8e-10 */
    assert_int_equal(nw_noise_fill(noise, rng, NULL, 0, NULL), NW_OK);
    free(x);
    nw_rng_free(rng);
    nw_noise_free(noise);
}

static void noise__refuses_bad_arguments(void **state)
{
    (void)state;
    nw_noise *noise = NULL;
    nw_rng *rng = seeded(1);
    int64_t x[2];
    nw_error err;
    const double bad[] = { 0.0, -1.0, 0x1p-11, 0x1.0000000000001p54, 0x1p55, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        noise = (nw_noise *)x;
        assert_int_equal(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, bad[i], &err), NW_E_ARG);
        assert_null(noise);
        assert_memory_equal(err.message, "scale is ", 9);
    }
    assert_int_equal(nw_noise_new(&noise, (nw_noise_law)9, 1.0, &err), NW_E_ARG);
    assert_int_equal(nw_noise_new(NULL, NW_NOISE_DISCRETE_LAPLACE, 1.0, &err), NW_E_ARG);
    assert_int_equal(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 1.5, &err), NW_OK);
    assert_true(nw_noise_get_scale(noise) == 1.5);
    assert_int_equal(nw_noise_get_law(noise), NW_NOISE_DISCRETE_LAPLACE);
    assert_int_equal(nw_noise_fill(NULL, rng, x, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_fill(noise, NULL, x, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_fill(noise, rng, NULL, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_i64(noise, rng, NULL, x, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_i64(noise, rng, x, NULL, 2, &err), NW_E_ARG);
    double real[2] = { 1.0, 2.0 };
    const nw_grid grid = { 0 };
    assert_int_equal(nw_noise_add_f64_grid(NULL, rng, grid, real, 0.0, 1.0, real, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_f64_grid(noise, NULL, grid, real, 0.0, 1.0, real, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, grid, NULL, 0.0, 1.0, real, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, grid, real, 0.0, 1.0, NULL, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, grid, real, 1.0, 0.0, real, 2, &err), NW_E_ARG);
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, (nw_grid){ -1023 }, real, 0.0, 1.0, real, 2, &err), NW_E_ARG);
    assert_string_equal(err.function, "nw_noise_add_f64_grid");
    assert_true(real[0] == 1.0 && real[1] == 2.0);
    nw_noise_free(noise);
    nw_noise_free(NULL);
    nw_rng_free(rng);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static void noise__fails_closed_without_entropy(void **state)
{
    (void)state;
    int (*const system_entropy)(void *, size_t) = nw__system_entropy;
    nw_noise *noise = noise_of(NW_NOISE_DISCRETE_GAUSSIAN, 50.0, NW__NOISE_MARGIN);
    nw_rng *rng = seeded(1);
    int64_t x[3] = { 10, 20, 30 };
    int64_t y[3] = { 1, 2, 3 };
    rng->fork_generation--; /* as after a fork */
    nw__system_entropy = no_entropy;
    assert_int_equal(nw_noise_add_i64(noise, rng, x, y, 3, NULL), NW_E_ENTROPY);
    assert_true(y[0] == 1 && y[1] == 2 && y[2] == 3);
    double real[1] = { 5.0 };
    assert_int_equal(nw_noise_add_f64_grid(noise, rng, (nw_grid){ 0 }, real, 0.0, 9.0, real, 1, NULL), NW_E_ENTROPY);
    assert_true(real[0] == 5.0);
    assert_int_equal(nw_noise_fill(noise, rng, y, 3, NULL), NW_E_ENTROPY);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
    nw__system_entropy = system_entropy;
    nw_rng_free(rng);
    nw_noise_free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_new__covers_the_law_and_fast_slots_lie_below_it),
        cmocka_unit_test(noise_new__tiles_the_line),
        cmocka_unit_test(noise_fill__is_the_same_with_an_inflated_margin),
        cmocka_unit_test(noise_fill__does_not_depend_on_the_number_of_threads),
        cmocka_unit_test(noise_new__chords_stay_within_their_slack),
        cmocka_unit_test(trial_accepts__knows_the_mass_of_a_tail),
        cmocka_unit_test(trial_cell__draws_the_whole_tail_and_saturates),
        cmocka_unit_test(noise_fill__does_not_depend_on_the_length),
        cmocka_unit_test(noise_add_i64__adds_what_fill_draws_and_saturates),
        cmocka_unit_test(noise_add_f64_grid__rounds_adds_and_returns_multiples_of_g),
        cmocka_unit_test(noise_add_f64_grid__saturates_at_2_to_the_53),
        cmocka_unit_test(noise_fill__never_repeats),
        cmocka_unit_test(noise__refuses_bad_arguments),
        cmocka_unit_test(noise__fails_closed_without_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
