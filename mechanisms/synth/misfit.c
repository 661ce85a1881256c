/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* misfit.c - how far a chain's table is from the noisy counts, in units of the noise. */
#include "synth_internal.h"

#include <stdlib.h>
#include <string.h>

/* Counts the chain's rows in one marginal and adds up ((s n/N' - y) / sigma)^2. */
static double marginal_misfit(const nw__chain *chain, const nw__marginal *m, int64_t *counts)
{
    const size_t cells = nw__marginal_cells(m);
    const uint16_t *a = chain->codes + m->a * chain->rows;
    const uint16_t *b = m->b == NW__ONE_WAY ? NULL : chain->codes + m->b * chain->rows;
    const uint16_t *third = m->cells_c == 0 ? NULL : chain->codes + m->c * chain->rows;
    const double scale = chain->reference->total / (double)chain->rows;
    double sum = 0.0;
    memset(counts, 0, cells * sizeof *counts);
    for (size_t row = 0; row < chain->rows; row++) {
        size_t c = b == NULL ? a[row] : (size_t)a[row] * m->cells_b + b[row];
        c = third == NULL ? c : c * m->cells_c + third[row];
        counts[c]++;
    }
    for (size_t c = 0; c < cells; c++) {
        const double residual = ((double)counts[c] * scale - (double)m->counts[c]) / m->sigma;
        sum += residual * residual;
    }
    return sum;
}

nw_status nw__chain_misfit(const nw__chain *chain, double *misfit, nw_error *err)
{
    const nw__plan *plan = chain->plan;
    size_t largest = 0;
    double cells = 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const size_t n = nw__marginal_cells(&plan->marginals[i]);
        largest = n > largest ? n : largest;
        cells += (double)n;
    }
    int64_t *counts = nw__calloc(largest, sizeof *counts);
    if (counts == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    for (size_t i = 0; i < plan->marginal_count; i++)
        sum += marginal_misfit(chain, &plan->marginals[i], counts);
    free(counts);
    *misfit = sum / cells;
    return NW_OK;
}
