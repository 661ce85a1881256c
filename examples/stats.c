/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stats.c - counts and means by group: two accumulators that see half of the records each, reduced as bytes, released once. */
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

enum { RECORDS = 1000, GROUPS = 2 };

int main(void)
{
    nw_error err;
    nw_stats *here = NULL;
    nw_stats *there = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    uint32_t shifts[RECORDS];
    double hours[RECORDS];
    for (uint32_t i = 0; i < RECORDS; i++) { /* the night shift works longer */
        shifts[i] = i % 3 == 0;
        hours[i] = 35.0 + 8.0 * (double)shifts[i] + (double)(i % 7);
    }

    nw_stats_query queries[2] = { NW_STATS_QUERY_INIT, NW_STATS_QUERY_INIT };
    queries[0].kind = NW_STATS_COUNT;
    queries[0].groups = GROUPS;
    queries[1].kind = NW_STATS_MEAN;
    queries[1].groups = GROUPS;
    queries[1].lower = 0.0; /* bounds are public: never taken from the records */
    queries[1].upper = 80.0;
    queries[1].weight = 2.0; /* two thirds of the budget */
    nw_stats_opts options = NW_STATS_OPTS_INIT;
    options.epsilon = 1.0;
    options.delta = 0.0; /* pure: discrete Laplace noise */
    options.adjacency = NW_ADD_REMOVE;
    TRY(nw_stats_new(&here, queries, 2, &options, &err));
    TRY(nw_stats_new(&there, queries, 2, &options, &err));
    printf("expected errors: count %.2f, mean of 300 records %.2f at most\n", nw_stats_expected_error(here, 0, 300),
        nw_stats_expected_error(here, 1, 300));

    const size_t half = RECORDS / 2;
    for (size_t i = 0; i < 2; i++) {
        TRY(nw_stats_add(here, i, shifts, hours, half, &err));
        TRY(nw_stats_add(there, i, shifts + half, hours + half, half, &err));
    }
    const size_t size = nw_stats_size(there); /* what an engine would send: exact totals, as secret as the records */
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return 1;
    TRY(nw_stats_serialize(there, bytes, size, &err));
    TRY(nw_stats_merge_bytes(here, bytes, size, &err));

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 2.0;
    budget.delta = 0.0;
    budget.adjacency = NW_ADD_REMOVE;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_stats_release(here, rng, ledger, "shifts", &receipt, &err)); /* charges, then draws */
    for (size_t group = 0; group < GROUPS; group++) {
        nw_stats_figure count;
        nw_stats_figure mean;
        TRY(nw_stats_get(here, 0, group, &count, &err));
        TRY(nw_stats_get(here, 1, group, &mean, &err));
        printf("%s: %.0f +- %.1f people, %.2f +- %.2f hours\n", group == 0 ? "day" : "night", count.value, count.error,
            mean.value, mean.error);
    }
    printf("epsilon %.4f; ledger head %s\n", receipt.epsilon, receipt.head);

    free(bytes);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_stats_free(there);
    nw_stats_free(here);
    return 0;
}
