/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* reference.c - what the noisy marginals say of the table's size and of each column by itself.
 *
 * Every 2-way is also a noisy 1-way of both of its columns: summed over the other column, variance cells_other * sigma^2. All of
 * them and the measured 1-way are averaged with weights 1/variance. Rows drawn from the product of these laws are the engines'
 * start, and the laws are the Gibbs engine's reference measure: noise is then shrunk toward independence instead of toward
 * uniformity. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

/* Soft floor of a column's noisy counts, in standard deviations: a cell whose estimate is 0 gets this much. */
#define FLOOR_SD 0.3
/* Halves an interval until it is one of neighbouring doubles, whatever it was. */
enum { BISECTIONS = 100 };

static double sum_counts(const nw__marginal *m)
{
    double sum = 0.0;
    for (size_t i = 0; i < nw__marginal_cells(m); i++)
        sum += (double)m->counts[i];
    return sum;
}

/* Each marginal's total is the table's size plus noise of variance cells * sigma^2. */
double nw__estimate_rows(const nw__plan *plan, double known_rows, double *standard_error)
{
    double weighted = 0.0;
    double precision = 0.0;
    *standard_error = 0.0;
    if (known_rows >= 0.0)
        return fmax(1.0, known_rows);
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        const double weight = 1.0 / ((double)nw__marginal_cells(m) * m->sigma * m->sigma);
        weighted += weight * sum_counts(m);
        precision += weight;
    }
    *standard_error = sqrt(1.0 / precision);
    return fmax(1.0, weighted / precision);
}

/* Adds marginal m's view of column j to the weighted sum. */
static double add_view(const nw__marginal *m, size_t j, double *weighted)
{
    const size_t thirds = m->cells_c == 0 ? 1 : m->cells_c;
    const size_t own = m->a == j ? m->cells_a : m->b == j ? m->cells_b : m->cells_c;
    const double weight = 1.0 / ((double)(nw__marginal_cells(m) / own) * m->sigma * m->sigma);
    size_t i = 0;
    for (size_t u = 0; u < m->cells_a; u++)
        for (size_t v = 0; v < m->cells_b; v++)
            for (size_t w = 0; w < thirds; w++)
                weighted[m->a == j ? u : m->b == j ? v : w] += weight * (double)m->counts[i++];
    return weight;
}

/* A smooth positive version of the estimate x with standard deviation sd: about x for x >> sd, FLOOR_SD * sd at 0, and falling
 * to 0 below. */
static double soften(double x, double sd)
{
    const double floor = FLOOR_SD * sd;
    const double root = sqrt(x * x + 4.0 * floor * floor);
    return x > 0.0 ? 0.5 * (x + root) : 2.0 * floor * floor / (root - x); /* the same, without cancellation */
}

static double softened_mass(const double *x, uint32_t cells, double shift, double sd)
{
    double mass = 0.0;
    for (uint32_t v = 0; v < cells; v++)
        mass += soften(x[v] - shift, sd);
    return mass;
}

/* Makes the estimates positive with sum `total`: all are shifted by the same before they are softened. Softening adds to many
 * small cells; a common factor would take that from the large ones, whose estimates are the good ones. The mass falls with the
 * shift: bisection. */
static void project(double *x, uint32_t cells, double total, double sd)
{
    double low = x[0];
    double high = x[0];
    for (uint32_t v = 1; v < cells; v++) {
        low = fmin(low, x[v]);
        high = fmax(high, x[v]);
    }
    low -= total / cells;                                  /* soften(x) > x: every term is at least total / cells */
    high += FLOOR_SD * FLOOR_SD * sd * sd * cells / total; /* soften(-x) < (FLOOR_SD sd)^2 / x: every term is at most that */
    for (int step = 0; step < BISECTIONS; step++) {
        const double middle = 0.5 * (low + high);
        if (softened_mass(x, cells, middle, sd) > total)
            low = middle;
        else
            high = middle;
    }
    for (uint32_t v = 0; v < cells; v++)
        x[v] = soften(x[v] - low, sd);
}

static nw_status column_law(const nw__plan *plan, size_t j, double total, double *weighted, float *log_p, nw_error *err)
{
    double precision = 0.0;
    double mass = 0.0;
    for (uint32_t v = 0; v < plan->cells[j]; v++)
        weighted[v] = 0.0;
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        if (m->a == j || m->b == j || (m->cells_c > 0 && m->c == j))
            precision += add_view(m, j, weighted);
    }
    for (uint32_t v = 0; v < plan->cells[j]; v++)
        weighted[v] /= precision;
    if (plan->cells[j] > NW__FEW_CELLS && !plan->shapes[j].is_ordered)
        NW__TRY(nw__shrink(weighted, plan->cells[j], 1.0 / sqrt(precision), total, err));
    else
        project(weighted, plan->cells[j], total, 1.0 / sqrt(precision));
    for (uint32_t v = 0; v < plan->cells[j]; v++)
        mass += weighted[v];
    for (uint32_t v = 0; v < plan->cells[j]; v++)
        log_p[v] = (float)log(weighted[v] / mass);
    return NW_OK;
}

nw_status nw__reference_make(nw__reference *reference, const nw__plan *plan, double known_rows, nw_error *err)
{
    *reference = (nw__reference){ .columns = plan->columns };
    uint32_t widest = 0;
    reference->total = nw__estimate_rows(plan, known_rows, &reference->standard_error);
    for (size_t j = 0; j < plan->columns; j++)
        widest = plan->cells[j] > widest ? plan->cells[j] : widest;
    double *weighted = nw__calloc(widest, sizeof *weighted);
    reference->log_p = nw__calloc(plan->columns, sizeof *reference->log_p);
    if (weighted == NULL || reference->log_p == NULL)
        goto no_memory;
    for (size_t j = 0; j < plan->columns; j++) {
        reference->log_p[j] = nw__calloc(plan->cells[j], sizeof(float));
        if (reference->log_p[j] == NULL)
            goto no_memory;
        if (column_law(plan, j, reference->total, weighted, reference->log_p[j], err) != NW_OK)
            goto no_memory;
    }
    free(weighted);
    return NW_OK;
no_memory:
    free(weighted);
    nw__reference_clear(reference);
    return nw__fail_memory(err, "nw_synth_fit");
}

void nw__reference_clear(nw__reference *reference)
{
    for (size_t j = 0; reference->log_p != NULL && j < reference->columns; j++)
        free(reference->log_p[j]);
    free(reference->log_p);
    *reference = (nw__reference){ 0 };
}

static uint16_t draw_by_cdf(const double *cdf, uint32_t cells, double uniform)
{
    uint32_t low = 0;
    uint32_t high = cells - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (uniform < cdf[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return (uint16_t)low;
}

nw_status nw__chain_start(const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    const nw__plan *plan = chain->plan;
    NW__TRY(nw__rng_begin(rng, err));
    for (size_t j = 0; j < plan->columns; j++) {
        double *cdf = nw__calloc(plan->cells[j], sizeof *cdf);
        if (cdf == NULL)
            return nw__fail_memory(err, "nw_synth_fit");
        double sum = 0.0;
        for (uint32_t v = 0; v < plan->cells[j]; v++)
            cdf[v] = sum += exp((double)chain->reference->log_p[j][v]);
        for (size_t row = 0; row < chain->rows; row++)
            chain->codes[j * chain->rows + row] = draw_by_cdf(cdf, plan->cells[j], (double)nw__rng_u32(rng) * 0x1p-32 * sum);
        free(cdf);
    }
    return NW_OK;
}
