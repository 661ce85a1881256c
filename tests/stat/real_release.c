/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "real_release.h"
#include "need.h"
#include "random_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>

enum { DRAWS = 400000 };

void release_on_grid(double x, grid_quantise quantise, nw_grid grid, const nw_noise *noise, nw_rng *rng, double *out, size_t n)
{
    int64_t *steps = calloc(n, sizeof *steps);
    int64_t q = 0;
    need(steps != NULL && quantise(grid, &x, 1, -0x1p21, 0x1p21, &q, NULL) == NW_OK);
    for (size_t i = 0; i < n; i++)
        steps[i] = q;
    need(nw_noise_add_i64(noise, rng, steps, steps, n, NULL) == NW_OK);
    need(nw_grid_to_double(grid, steps, n, out, NULL) == NW_OK);
    free(steps);
}

void release_float_noise(double x, nw_rng *rng, double *out, size_t n)
{
    need(nw__rng_begin(rng, NULL) == NW_OK);
    for (size_t i = 0; i < n; i++)
        out[i] = x + log(((double)(nw__rng_u64(rng) >> 11) + 0.5) * 0x1p-53);
}

void release_converted_early(double x, const nw_noise *noise, nw_rng *rng, double *out, size_t n)
{
    int64_t *z = calloc(n, sizeof *z);
    need(z != NULL && nw_noise_fill(noise, rng, z, n, NULL) == NW_OK);
    for (size_t i = 0; i < n; i++)
        out[i] = (double)(z[i] * 64) + x;
    free(z);
}

/* Two releases side by side, on a grid for sigma = sensitivity = 1 with Laplace noise of scale 1. */
typedef struct pair {
    nw_rng *rng;
    nw_noise *noise;
    nw_grid grid;
    double unit;
    double *out[2];
} pair;

static pair open_pair(double scale)
{
    pair p = { .rng = NULL };
    need(nw_rng_new_insecure_seeded(&p.rng, 11, NULL) == NW_OK);
    need(nw_grid_choose(&p.grid, 1.0, 1.0, 1, NULL) == NW_OK);
    p.unit = ldexp(1.0, p.grid.exponent);
    need(nw_noise_new(&p.noise, NW_NOISE_DISCRETE_LAPLACE, scale / p.unit, NULL) == NW_OK);
    for (int side = 0; side < 2; side++) {
        p.out[side] = calloc(DRAWS, sizeof *p.out[side]);
        need(p.out[side] != NULL);
    }
    return p;
}

static bool close_pair(pair *p, double unit)
{
    const bool leaks = residue_leaks(p->out[0], p->out[1], DRAWS, unit);
    nw_noise_free(p->noise);
    nw_rng_free(p->rng);
    free(p->out[0]);
    free(p->out[1]);
    return leaks;
}

bool float_noise__leaks(const void *context, bool is_planted)
{
    (void)context;
    pair p = open_pair(1.0);
    for (int side = 0; side < 2; side++) {
        if (is_planted)
            release_float_noise(side, p.rng, p.out[side], DRAWS);
        else
            release_on_grid(side, nw_grid_truncate, p.grid, p.noise, p.rng, p.out[side], DRAWS);
    }
    return close_pair(&p, p.unit);
}

/* Noise of scale 2^56 steps; x = 0 and x = 20 steps. Both twins stay on the grid: the law of the last bits tells. */
bool noise_converted_early__leaks(const void *context, bool is_planted)
{
    (void)context;
    pair p = open_pair(0x1p30);
    const double unit = 4.0;
    for (int side = 0; side < 2; side++) {
        if (is_planted)
            release_converted_early(20.0 * side, p.noise, p.rng, p.out[side], DRAWS);
        else
            release_on_grid(20.0 * side, nw_grid_round, (nw_grid){ 2 }, p.noise, p.rng, p.out[side], DRAWS);
    }
    return close_pair(&p, unit);
}

/* Noise on the grid, but the value is not: its fraction shows through. */
bool value_added_off_the_grid__leaks(const void *context, bool is_planted)
{
    (void)context;
    pair p = open_pair(1.0);
    for (int side = 0; side < 2; side++) {
        const double x = 0.1 + 0.7 * side;
        release_on_grid(is_planted ? 0.0 : x, nw_grid_round, p.grid, p.noise, p.rng, p.out[side], DRAWS);
        for (size_t i = 0; i < DRAWS && is_planted; i++)
            p.out[side][i] += x;
    }
    return close_pair(&p, p.unit);
}

/* As fine a grid as the largest value allows: the neighbours' grids differ, and every output shows its own. */
bool grid_chosen_from_data__leaks(const void *context, bool is_planted)
{
    (void)context;
    pair p = open_pair(1.0);
    for (int side = 0; side < 2; side++) {
        const double largest = side == 0 ? 0.9 : 3.0;
        const nw_grid grid = { is_planted ? ilogb(largest) - 20 : p.grid.exponent };
        nw_noise *noise = NULL;
        need(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, ldexp(1.0, -grid.exponent), NULL) == NW_OK);
        release_on_grid(largest, nw_grid_truncate, grid, noise, p.rng, p.out[side], DRAWS);
        nw_noise_free(noise);
    }
    return close_pair(&p, p.unit < 0x1p-21 ? p.unit : 0x1p-21);
}
