/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "residue.h"
#include "need.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum {
    BITS = 8,
    RESIDUES = 1 << BITS,
    BINADES = 64
}; /* binades 64 apart are counted together: 64 are more than one release has */

static const double LIMIT = 1e-9;
static const double LEAST_PER_CELL = 40.0; /* outputs a side and residue, for the chi-square law to hold */

typedef struct counts {
    double of[2 * BINADES][2][RESIDUES]; /* by sign and binade, side, residue */
} counts;

bool residue_is_on_grid(const double *values, size_t n, double unit)
{
    for (size_t i = 0; i < n; i++) {
        const double steps = values[i] / unit;
        if (!isfinite(steps) || steps != floor(steps) || steps * unit != values[i])
            return false;
    }
    return true;
}

static void count_residues(counts *c, int side, const double *values, size_t n, double unit)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            continue; /* off the grid: residue_is_on_grid has it */
        const int binade = values[i] == 0.0 ? 0 : (ilogb(values[i]) % BINADES + BINADES) % BINADES;
        const double steps = values[i] / unit;
        const double residue = steps - RESIDUES * floor(steps / RESIDUES);
        c->of[2 * binade + (values[i] < 0.0)][side][(size_t)residue % RESIDUES]++;
    }
}

/* Chi-square of homogeneity of the residues mod m between the two sides. */
static double homogeneity(const double of[2][RESIDUES], size_t m)
{
    double merged[2][RESIDUES] = { { 0.0 } };
    double total[2] = { 0.0, 0.0 };
    double freedom = -1.0;
    double sum = 0.0;
    for (int side = 0; side < 2; side++) {
        for (size_t r = 0; r < RESIDUES; r++)
            merged[side][r % m] += of[side][r];
        for (size_t r = 0; r < m; r++)
            total[side] += merged[side][r];
        if (total[side] < LEAST_PER_CELL * (double)m)
            return 1.0;
    }
    for (size_t r = 0; r < m; r++) {
        const double row = merged[0][r] + merged[1][r];
        freedom += row > 0.0;
        for (int side = 0; side < 2 && row > 0.0; side++) {
            const double expected = row * total[side] / (total[0] + total[1]);
            sum += (merged[side][r] - expected) * (merged[side][r] - expected) / expected;
        }
    }
    return freedom >= 1.0 ? gsl_cdf_chisq_Q(sum, freedom) : 1.0;
}

double residue_p_value(const double *under_x, const double *under_y, size_t n, double unit)
{
    counts *c = calloc(1, sizeof *c);
    double least = 1.0;
    need(c != NULL);
    count_residues(c, 0, under_x, n, unit);
    count_residues(c, 1, under_y, n, unit);
    for (int b = 0; b < 2 * BINADES; b++)
        for (size_t m = 2; m <= RESIDUES; m *= 2)
            least = fmin(least, homogeneity(c->of[b], m));
    free(c);
    return least;
}

bool residue_leaks(const double *under_x, const double *under_y, size_t n, double unit)
{
    return !residue_is_on_grid(under_x, n, unit) || !residue_is_on_grid(under_y, n, unit) ||
           residue_p_value(under_x, under_y, n, unit) < LIMIT;
}
