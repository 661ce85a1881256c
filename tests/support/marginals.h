/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_MARGINALS_H
#define NW_TEST_MARGINALS_H

/* marginals.h - scores of a synthetic table against the real one, by sorting: nothing in common with the code under test. */
#include <nw/table.h>

/** Total variation distance of two tables' marginals over each k-subset of columns, k = 1..3: half the l1 distance of relative
 *  frequencies. Writes the average and the largest over all subsets; -1 on lack of memory. */
typedef struct marginal_score {
    double average;
    double largest;
    size_t subsets;
} marginal_score;
int marginal_tv(const nw_table *real, const nw_table *synthetic, unsigned k, marginal_score *score);

#endif
