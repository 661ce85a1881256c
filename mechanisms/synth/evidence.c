/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* evidence.c - how much each noisy count of a 2-way or 3-way deserves to be followed, from the noisy counts and their noise.
 *
 * A cell's deviation z from independence, in standard deviations of its noise, has mean square 1 if it is noise only, and more
 * where the two columns depend on each other. Dependence comes in lines: a code that has to do with the other column deviates in
 * many of its cells. So a cell is followed more closely
 *   if its row or its column of cells deviates by more than the noise of that row's mean square, and
 *   if it deviates so much by itself that noise is no explanation.
 * It is an empirical prior on the deviations, of which T = const would be the flat one. docs/rooms/synth.md#evidence has the
 * measurements behind the constants. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

/* The factor on 1/T of a cell without any evidence, what each line adds to it, and the most that lines make of it. */
#define FACTOR_WITHOUT 0.3
#define FACTOR_OF_LINE 0.7
#define FACTOR_OF_LINES 3.0
/* Of a cell that is far out by itself, and the deviation half-way to it: 63 of a million cells of noise are beyond 4. */
#define FACTOR_FAR_OUT 4.0
#define FAR_OUT 4.0
/* A line's mean square counts from so many of its standard deviations, sqrt(2 / cells), above 1. */
#define LINE_MARGIN 2.0

double nw__independent_count(const nw__reference *reference, const nw__marginal *m, size_t u, size_t v)
{
    const size_t thirds = m->cells_c == 0 ? 1 : m->cells_c;
    double log_p = (double)reference->log_p[m->a][u] + (double)reference->log_p[m->b][v / thirds];
    if (m->cells_c > 0)
        log_p += (double)reference->log_p[m->c][v % thirds];
    return reference->total * exp(log_p);
}

/* From a line's sum of z^2: the root of its excess over noise, a signal-to-noise ratio. */
static double line_signal(double squares, size_t n)
{
    const double cells = (double)n;
    return sqrt(fmax(0.0, squares / cells - 1.0 - LINE_MARGIN * sqrt(2.0 / cells)));
}

static float factor_of(double z, double lines)
{
    const double base = fmin(FACTOR_OF_LINES, FACTOR_WITHOUT + FACTOR_OF_LINE * lines);
    const double far_out = 1.0 / (1.0 + exp(-2.0 * (fabs(z) - FAR_OUT)));
    return (float)(base + (FACTOR_FAR_OUT - base) * far_out);
}

nw_status nw__evidence_make(const nw__reference *reference, const nw__marginal *m, float *factors, nw_error *err)
{
    const size_t rest = nw__marginal_rest(m); /* a 3-way's last two columns are one to it */
    double *rows = nw__calloc(m->cells_a, sizeof *rows);
    double *columns = nw__calloc(rest, sizeof *columns);
    if (rows == NULL || columns == NULL) {
        free(rows);
        free(columns);
        return nw__fail_memory(err, "nw_synth_fit");
    }
    for (size_t u = 0; u < m->cells_a; u++) {
        for (size_t v = 0; v < rest; v++) {
            const size_t c = u * rest + v;
            const double z = ((double)m->counts[c] - nw__independent_count(reference, m, u, v)) / m->sigma;
            factors[c] = (float)z;
            rows[u] += z * z;
            columns[v] += z * z;
        }
    }
    for (size_t u = 0; u < m->cells_a; u++)
        rows[u] = line_signal(rows[u], rest);
    for (size_t v = 0; v < rest; v++)
        columns[v] = line_signal(columns[v], m->cells_a);
    for (size_t u = 0; u < m->cells_a; u++)
        for (size_t v = 0; v < rest; v++)
            factors[u * rest + v] = factor_of((double)factors[u * rest + v], rows[u] + columns[v]);
    free(rows);
    free(columns);
    return NW_OK;
}
