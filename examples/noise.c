/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* noise.c - exact noise on integers, and on reals through a grid. Nothing is charged here: see ledger.c for the whole path. */
#include <noisewright.h>
#include <stdio.h>

int main(void)
{
    const int64_t counts[4] = { 120, 0, 3, 41 };
    const double values[4] = { 0.25, -3.5, 17.125, 99.0 }; /* each clamped to [-20, 20] */
    int64_t noisy[4];
    int64_t steps[4];
    double released[4];
    nw_error err;
    nw_rng *rng = NULL;
    nw_noise *gaussian = NULL;
    nw_noise *laplace = NULL;
    nw_grid grid;
    bool ok = nw_rng_new(&rng, &err) == NW_OK && nw_noise_new(&gaussian, NW_NOISE_ROUNDED_GAUSSIAN, 12.5, &err) == NW_OK &&
              nw_noise_add_i64(gaussian, rng, counts, noisy, 4, &err) == NW_OK;
    if (ok)
        printf("counts + Gaussian noise: %lld %lld %lld %lld\n", (long long)noisy[0], (long long)noisy[1], (long long)noisy[2],
            (long long)noisy[3]);

    /* Laplace noise of scale 8 on reals: the grid comes from public numbers, the noise's scale in grid steps is 8 / g. */
    ok = ok && nw_grid_choose(&grid, 8.0, 20.0, 4, &err) == NW_OK;
    double scale = 8.0;
    for (int k = grid.exponent; ok && k < 0; k++)
        scale *= 2.0;
    ok = ok && nw_grid_truncate(grid, values, 4, -20.0, 20.0, steps, &err) == NW_OK &&
         nw_noise_new(&laplace, NW_NOISE_DISCRETE_LAPLACE, scale, &err) == NW_OK &&
         nw_noise_add_i64(laplace, rng, steps, steps, 4, &err) == NW_OK &&
         nw_grid_to_double(grid, steps, 4, released, &err) == NW_OK;
    if (ok)
        printf("reals + Laplace noise on a grid of 2^%d: %.6f %.6f %.6f %.6f\n", grid.exponent, released[0], released[1],
            released[2], released[3]);

    /* A vector of sums, rounded once: the scale has to fit a sensitivity that nw_grid_inflate_l1 has raised for that. */
    ok = ok && nw_noise_add_f64_grid(laplace, rng, grid, values, -20.0, 20.0, released, 4, &err) == NW_OK;
    if (ok)
        printf("sums + Laplace noise in one call: %.6f %.6f %.6f %.6f\n", released[0], released[1], released[2], released[3]);
    else
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    nw_noise_free(gaussian);
    nw_noise_free(laplace);
    nw_rng_free(rng);
    return ok ? 0 : 1;
}
