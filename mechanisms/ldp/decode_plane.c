/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* decode_plane.c - supports of the projective geometry response: an item's are the reports of the points orthogonal to it. Either
 * those points one by one, or all items at once, coordinate by coordinate [FNNT22, sec. 4]. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STATE = 1 << 26 };

void nw__ldp_plane_by_points(
    const nw_ldp_campaign *c, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports)
{
    const uint64_t orthogonal = nw__ldp_likely(c);
    const unsigned t = c->dimension;
    const uint32_t q = c->symbols;
#pragma omp parallel for schedule(dynamic, 16) num_threads(nw__threads(0))
    for (size_t i = 0; i < n; i++) {
        uint32_t u[NW__LDP_MOST_DIMENSIONS];
        uint32_t y[NW__LDP_MOST_DIMENSIONS];
        uint32_t z[NW__LDP_MOST_DIMENSIONS];
        unsigned leading = 0;
        supports[i] = 0;
        nw__ldp_point(q, t, items[i].low, u);
        while (u[leading] == 0)
            leading++;
        for (uint64_t number = 0; number < orthogonal; number++) {
            uint64_t sum = 0;
            nw__ldp_point(q, t - 1, number, z);
            for (unsigned k = 0; k < t; k++) {
                y[k] = k < leading ? z[k] : k > leading ? z[k - 1] : 0;
                sum += (uint64_t)u[k] * y[k];
            }
            y[leading] = (uint32_t)((q - sum % q) % q);
            supports[i] += (int64_t)table[nw__ldp_point_index(q, t, y)];
        }
    }
}

/* state[v][c]: reports of the points that agree with v in the coordinates that are not replaced yet, and whose product with v
 * over the replaced ones is c. Replaces one more coordinate of place value `value`. */
static void replace(uint64_t *state, size_t vectors, size_t value, uint32_t q, uint64_t *fibre)
{
    for (size_t high = 0; high < vectors; high += value * q)
        for (size_t low = 0; low < value; low++) {
            uint64_t *at = state + (high + low) * q;
            memset(fibre, 0, (size_t)q * q * sizeof *fibre);
            for (uint32_t y = 0; y < q; y++)
                for (uint32_t u = 0; u < q; u++) {
                    const uint32_t product = u * y % q;
                    for (uint32_t c = 0; c < q; c++)
                        fibre[u * q + (c + product < q ? c + product : c + product - q)] += at[y * value * q + c];
                }
            for (uint32_t u = 0; u < q; u++)
                memcpy(at + u * value * q, fibre + (size_t)u * q, q * sizeof *fibre);
        }
}

static size_t number_of(uint32_t q, unsigned t, const uint32_t *vector)
{
    size_t number = 0;
    for (unsigned i = 0; i < t; i++)
        number = number * q + vector[i];
    return number;
}

nw_status nw__ldp_plane_at_once(
    const nw_ldp_campaign *c, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    const uint32_t q = c->symbols;
    const unsigned t = c->dimension;
    uint32_t vector[NW__LDP_MOST_DIMENSIONS];
    size_t vectors = 1;
    for (unsigned i = 0; i < t && vectors <= MOST_STATE; i++)
        vectors *= q;
    uint64_t *state = vectors * q <= MOST_STATE ? nw__calloc(vectors * q, sizeof *state) : NULL;
    uint64_t *fibre = nw__calloc((size_t)q * q, sizeof *fibre);
    if (state == NULL || fibre == NULL) {
        free(state);
        free(fibre);
        return nw__fail_memory(err, "nw_ldp_aggregate_support");
    }
    for (uint64_t y = 0; y < c->outputs; y++) {
        nw__ldp_point(q, t, y, vector);
        state[number_of(q, t, vector) * q] = table[y];
    }
    for (size_t value = 1; value < vectors; value *= q)
        replace(state, vectors, value, q, fibre);
    for (size_t i = 0; i < n; i++) {
        nw__ldp_point(q, t, items[i].low, vector);
        supports[i] = (int64_t)state[number_of(q, t, vector) * q];
    }
    free(state);
    free(fibre);
    return NW_OK;
}

nw_status nw__ldp_support_plane(
    const nw_ldp_campaign *c, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    double state = c->symbols;
    for (unsigned i = 0; i < c->dimension; i++)
        state *= c->symbols;
    const double by_points = (double)n * (double)nw__ldp_likely(c) * 8.0; /* steps a coordinate: measured */
    if (state <= MOST_STATE && state * c->symbols < by_points)
        return nw__ldp_plane_at_once(c, table, items, n, supports, err);
    nw__ldp_plane_by_points(c, table, items, n, supports);
    return NW_OK;
}
