/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bounds.c - how many examples are summed in float together, the grid, and how far roundings can move a sum: from shapes and
 * options only, so that neighbouring tables have the same. docs/rooms/dpsgd.md#sums has the derivation. */
#include "dpsgd_internal.h"
#include "accountant_internal.h"

#include <math.h>

/* What float sums may move a sum by, over C; the most examples and floats of one. */
static const double FLOAT_SLACK = 0x1p-6;
enum { LARGEST_GROUP = 256, TILE_CELLS = 1 << 19, TILE_STEP = 16, SPLIT_FROM = 128 };

/* What rounding to the grid may move a sum by, over C, if cells of 32 bits allow; and the finest grid that is of any use. */
static const double GRID_SLACK = 0x1p-9;
static const double FINEST_STEP = 0x1p-21;

/* Two groups differ between neighbours that add or remove an example, each in both tables. */
static const double GROUPS = 4.0;

/* tau. Positions whose gradients are orthogonal and of one length have S = sqrt(T) n. */
static double reach_of(size_t positions)
{
    return positions == 1 ? 1.0 : nw__up(1.5 * sqrt((double)positions));
}

/* Error of float sums over groups of m examples, over C: m tau C bounds the sum of c S of a group. */
static double float_slack(double rows, double m, double reach)
{
    return GROUPS * rows * NW__FLOAT_ROUNDOFF * m * reach;
}

/* Rows that are worked on together: enough for a product to be fast, few enough for scratch to be small and for two threads to
 * have some each. */
static size_t tile_of(const nw__dpsgd_parameter *p)
{
    const size_t longest = p->cols > p->most_rows ? p->cols : p->most_rows;
    const size_t half = p->rows < SPLIT_FROM ? p->rows : p->rows / 2;
    const size_t rows = TILE_CELLS / longest < half ? TILE_CELLS / longest : half;
    const size_t whole = (rows + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
    return whole == 0 ? (p->rows < TILE_STEP ? p->rows : TILE_STEP) : whole < p->rows ? whole : p->rows;
}

void nw__dpsgd_bound_parameter(nw__dpsgd_parameter *p)
{
    p->reach = reach_of(p->positions);
    p->group = LARGEST_GROUP;
    while (p->group > 1 && float_slack((double)p->group * (double)p->positions, (double)p->group, p->reach) > FLOAT_SLACK)
        p->group /= 2;
    p->most_rows = p->group * p->positions;
    if (p->group == 1) {
        const double most = FLOAT_SLACK / float_slack(1.0, 1.0, p->reach);
        p->most_rows = most < (double)p->positions ? (size_t)fmax(most, 1.0) : p->positions;
    }
    p->results = (p->group * p->positions + p->most_rows - 1) / p->most_rows;
    p->tile = tile_of(p);
}

/* Groups of different sizes are of different parameters, so their errors are orthogonal; those of one size share one bound on
 * their members' c S. A result is taken to the grid by one more float product. */
static double float_slack_of_all(const nw_dpsgd *d)
{
    double square = 0.0;
    for (size_t m = 1; m <= LARGEST_GROUP; m *= 2) {
        double most = 0.0;
        for (size_t i = 0; i < d->count; i++)
            if (d->parameters[i].group == m)
                most = fmax(most, float_slack((double)d->parameters[i].most_rows + 1.0, (double)m, d->parameters[i].reach));
        square += most * most;
    }
    return sqrt(square);
}

/* Each result of a group, and an example's own rounding, moves a cell by half a step. */
static double roundings(const nw_dpsgd *d)
{
    double square = 0.0;
    for (size_t i = 0; i < d->count; i++) {
        const nw__dpsgd_parameter *p = &d->parameters[i];
        const double times = GROUPS * (double)p->results + 1.0;
        square += (double)p->rows * (double)p->cols * times * times;
    }
    return 0.5 * sqrt(square);
}

static double largest_reach(const nw_dpsgd *d)
{
    double most = 1.0;
    for (size_t i = 0; i < d->count; i++)
        most = fmax(most, d->parameters[i].reach);
    return most;
}

/* A Poisson batch of mean mu goes beyond mu + 14 sqrt(mu) + 64 with probability below 2^-100 (Bennett's bound). */
static size_t largest_batch_of(double expected)
{
    const double most = ceil(expected + 14.0 * sqrt(expected) + 64.0);
    return (size_t)most;
}

/* Float sums that one group's positions are cut into, at most. */
static size_t most_results(const nw_dpsgd *d)
{
    size_t most = 1;
    for (size_t i = 0; i < d->count; i++)
        most = d->parameters[i].results > most ? d->parameters[i].results : most;
    return most;
}

/* The step of the grid over C: no finer than is of use, and than leaves room for the largest batch in 31 bits. There an
 * example puts C / step at most, with the error of its float sums (2^-8, as 4 m K tau 2^-24 <= 2^-6), and half a step for each
 * rounding. */
static double step_of(const nw_dpsgd *d, double roundings)
{
    double step = FINEST_STEP;
    while (step * roundings > GRID_SLACK)
        step /= 2.0;
    while (step <= NW__COARSEST_STEP && (double)d->largest_batch * (1.03125 / step + (double)most_results(d) + 1.0) > 0x1.fffp30)
        step *= 2.0;
    return step;
}

void nw__dpsgd_bound_sums(nw_dpsgd *d)
{
    const double half_steps = roundings(d);
    d->largest_batch = largest_batch_of(d->opts.expected_batch);
    d->step = step_of(d, half_steps);
    /* An example's own c g is rounded once (reach), its steps twice; 2^-20 covers these, underflow, and the roundings of
     * doubles. */
    d->slack = nw__up(
        nw__up(float_slack_of_all(d) + d->step * half_steps) * (1.0 + 0x1p-40) + NW__FLOAT_ROUNDOFF * largest_reach(d) + 0x1p-20);
    nw__dpsgd_bound_noise(d);
}

/* Stepwise, the noise is a multiple of one example's contribution under any relation. */
void nw__dpsgd_bound_noise(nw_dpsgd *d)
{
    const double moved = d->opts.adjacency == NW_REPLACE_ONE && !d->opts.is_stepwise ? 2.0 : 1.0;
    const double sensitivity = nw__up(moved * (1.0 + d->slack) / d->step);
    d->noise_scale = nw__up(nw__dpsgd_sum_multiplier(&d->opts) * sensitivity * (1.0 + 0x1p-50));
}

double nw__dpsgd_count_noise(const nw_dpsgd_opts *opts)
{
    return opts->count_noise > 0.0 ? opts->count_noise : opts->expected_batch / 20.0;
}

/* One release of sums over C and of the count over its own sensitivity s is a Gaussian of multiplier z if
 * z^-2 = z_sum^-2 + (s / sigma_b)^2 [ATMR21, Thm. 1]. Rounded up. */
double nw__dpsgd_sum_multiplier(const nw_dpsgd_opts *opts)
{
    const double z = opts->noise_multiplier;
    if (opts->quantile == 0.0 || z == 0.0)
        return z;
    const double s = opts->adjacency == NW_REPLACE_ONE ? 1.0 : 0.5;
    const double share = z * s / nw__dpsgd_count_noise(opts);
    return z / sqrt((1.0 - share * share) * (1.0 - 0x1p-40)) * (1.0 + 0x1p-40);
}
