/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NOISE_H
#define NW_NOISE_H

/* nw/noise.h - exact integer noise, fast: the slot-table rejection sampler.
 *
 * What it is for: adding noise of a known law to vectors of integers. Real numbers come through nw/grid.h first.
 * Laws: rounded Gaussian, floor(N + 1/2) for N ~ Normal(0, sigma^2), which added to integers is post-processing of the continuous
 *   Gaussian mechanism, so every theorem about that one applies as it stands; discrete Gaussian and discrete Laplace of [CKS20].
 * What it promises: each sample's law is within total variation 2^-150 of the ideal (nw_noise_log2_tv), a bound that the
 * accountant
 *   charges; the same bytes from the same rng whatever the number of threads.
 * What it does not: account. A mechanism charges its nw_event first (nw/ledger.h), then draws.
 *
 *   nw_noise *noise = NULL;
 *   nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, 58.2, &err);
 *   nw_noise_add_i64(noise, rng, counts, counts, n, &err);
 *   nw_noise_free(noise);
 */
#include <nw/grid.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_noise_law {
    NW_NOISE_ROUNDED_GAUSSIAN = 1,  /* scale = sigma; floor(N(0, sigma^2) + 1/2) */
    NW_NOISE_DISCRETE_GAUSSIAN = 2, /* scale = sigma; P[x] proportional to exp(-x^2 / (2 sigma^2)), x integer */
    NW_NOISE_DISCRETE_LAPLACE = 3   /* scale = b;     P[x] proportional to exp(-|x| / b), x integer */
} nw_noise_law;

/* The scales that there are samplers for. In decimal, which every C++ reads. */
#define NW_NOISE_SMALLEST_SCALE 0.0009765625       /* 2^-10 */
#define NW_NOISE_LARGEST_SCALE 18014398509481984.0 /* 2^54 */

typedef struct nw_noise nw_noise; /* shared: immutable after nw_noise_new */

/** Builds the sampler of one law. The scale is the exact value of the double.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     scale in counts.
 *  Errors    NW_E_ARG if the law is unknown or scale is NaN or outside [2^-10, 2^54]; NW_E_NOMEM.
 *  Cost      about 1 ms, 300 KiB. Threads: any.
 *  Source    docs/rooms/sampler.md (design and proof).
 *  Example   examples/noise.c */
NW_API NW_WARN_UNUSED nw_status nw_noise_new(nw_noise **out, nw_noise_law law, double scale, nw_error *err);

/** Frees the sampler. NULL is allowed. */
NW_API void nw_noise_free(nw_noise *noise);

NW_API nw_noise_law nw_noise_get_law(const nw_noise *noise);
NW_API double nw_noise_get_scale(const nw_noise *noise);

/** log2 of the proved bound on the total variation distance between one sample's law and the ideal one, at most -150. */
NW_API double nw_noise_log2_tv(const nw_noise *noise);

/** Draws n independent samples.
 *
 *  Shapes    out: int64[n], out; zeroed on error.
 *  Units     counts.
 *  Errors    NW_E_ARG on NULL; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      2 to 4 ns a sample; OpenMP over chunks of 16384. The result depends on the rng only: not on the threads, nor on
 *            which vector instructions the processor has.
 *            Draw vectors in one call: a batch hides from a clock which samples took the slow path. Threads: rng confined.
 *  Source    docs/rooms/sampler.md#slot-table.
 *  Example   examples/noise.c */
NW_API NW_WARN_UNUSED nw_status nw_noise_fill(const nw_noise *noise, nw_rng *rng, int64_t *out, size_t n, nw_error *err);

/** Computes y_i = x_i + Z_i with independent samples Z_i, saturating at the ends of int64. The noise is drawn before x is read,
 *  and wiped.
 *
 *  Shapes    x: int64[n] in; y: int64[n] out, x itself or apart from it; y is untouched on error.
 *  Units     counts.
 *  Errors    as nw_noise_fill.
 *  Cost      as nw_noise_fill plus one pass; 36 KiB of workspace a thread. Threads: rng confined.
 *  Source    as nw_noise_fill.
 *  Example   examples/noise.c */
NW_API NW_WARN_UNUSED nw_status nw_noise_add_i64(
    const nw_noise *noise, nw_rng *rng, const int64_t *x, int64_t *y, size_t n, nw_error *err);

/** Releases an aggregate of reals: q_i = nw_grid_round of x_i, then y_i = g (q_i + Z_i) as nw_grid_to_double gives it, so every
 *  output is an exact multiple of g, at most 2^53 of them: with a scale above 2^50 steps, many sums end there. Same noise as
 *  nw_noise_add_i64. Rounding moves x: inflate the
 *  sensitivity (nw_grid_inflate_l1, nw_grid_inflate_l2), or truncate each record (nw_grid_truncate) and sum integers instead.
 *
 *  Shapes    x: double[n] in; y: double[n] out, x itself or apart from it; y is untouched on error.
 *  Units     x, lower, upper, y in the unit of the values; the noise's scale in grid steps, that is sigma / g.
 *  Errors    as nw_noise_fill and nw_grid_round.
 *  Cost      as nw_noise_add_i64 plus a few ns a value. Threads: rng confined.
 *  Source    docs/rooms/sampler.md#grid.
 *  Example   examples/noise.c */
NW_API NW_WARN_UNUSED nw_status nw_noise_add_f64_grid(const nw_noise *noise, nw_rng *rng, nw_grid grid, const double *x,
    double lower, double upper, double *y, size_t n, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
