/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kde.c - which of two public candidates lies among private points? Two parts add their points, one release, any number of
 * queries. */
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

enum { POINTS = 4000, DIMENSION = 8 };

int main(void)
{
    nw_error err;
    nw_kde *here = NULL, *there = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    static float points[POINTS * DIMENSION];
    for (int i = 0; i < POINTS * DIMENSION; i++) /* a cloud around (1, ..., 1) */
        points[i] = 1.0F + 0.01F * (float)((i * 7919) % 31 - 15);

    nw_kde_opts options = NW_KDE_OPTS_INIT;
    options.kernel = NW_KDE_GAUSSIAN;
    options.dimension = DIMENSION;
    options.bandwidth = 1.0; /* public: never taken from the points */
    options.epsilon = 1.0;
    options.delta = 1e-6;
    options.adjacency = NW_ADD_REMOVE;
    options.expected_points = POINTS;
    TRY(nw_kde_new(&here, &options, &err));
    TRY(nw_kde_new(&there, &options, &err));
    const nw_kde_plan plan = nw_kde_get_plan(here);
    printf("%s of size %zu (%s), noise %.1f\n", nw_kde_estimator_name(plan.estimator), plan.size, plan.reason, plan.noise);

    TRY(nw_kde_add(here, points, POINTS / 2, &err));
    TRY(nw_kde_add(there, points + POINTS / 2 * DIMENSION, POINTS / 2, &err));
    TRY(nw_kde_merge(here, there, &err));

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 1.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_kde_release(here, rng, ledger, "similarity", &receipt, &err));

    float candidates[2 * DIMENSION];
    for (int j = 0; j < DIMENSION; j++) {
        candidates[j] = 1.0F;
        candidates[DIMENSION + j] = 3.0F;
    }
    double values[2], errors[2];
    TRY(nw_kde_query(here, candidates, 2, values, errors, &err));
    for (int i = 0; i < 2; i++)
        printf("candidate %d: similarity to the private points %.0f +- %.0f\n", i, values[i], errors[i]);
    printf("epsilon %.4f at delta %g\n", receipt.epsilon, receipt.delta);

    nw_kde_free(here);
    nw_kde_free(there);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return values[0] > values[1] ? 0 : 1;
}
