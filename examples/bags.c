/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bags.c - what does a year of age cost? Prices are private, ages are public: one release of noisy prices, a line
 * through them. */
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

enum { HOUSES = 5000 };

int main(void)
{
    nw_error err;
    nw_bags *bags = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    static double ages[HOUSES], prices[HOUSES];
    for (int i = 0; i < HOUSES; i++) { /* in tens of years, and in tens of thousands */
        ages[i] = (double)(i % 50) / 10.0;
        prices[i] = 40.0 - 3.0 * ages[i] + (double)((i * 7919) % 31 - 15) / 5.0;
    }

    nw_bags_problem problem = NW_BAGS_PROBLEM_INIT; /* public figures only */
    problem.rows = HOUSES;
    problem.features = 1;
    problem.epsilon = 1.0;
    problem.delta = 0.0;
    problem.clip = 20.0;
    nw_bags_choice choice;
    TRY(nw_bags_pick(&problem, &choice, &err));
    printf("bags of %zu: %s\n", choice.bag_size, choice.reason);

    nw_bags_opts options = NW_BAGS_OPTS_INIT;
    options.rows = HOUSES;
    options.bag_size = choice.bag_size;
    options.epsilon = 1.0;
    options.delta = 0.0;
    options.clip = 20.0; /* prices count from 10 to 50: public, never taken from the prices */
    options.center = 30.0;
    TRY(nw_bags_new(&bags, &options, &err));

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 1.0;
    budget.delta = 0.0;
    budget.adjacency = NW_REPLACE_LABEL; /* the prices are protected, and nothing else is */
    budget.unit = NW_BAGS_UNIT;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_bags_release(bags, rng, ledger, prices, "prices", &receipt, &err));

    nw_bags_fit_opts fit = NW_BAGS_FIT_OPTS_INIT;
    nw_bags_fitted fitted;
    double slope;
    TRY(nw_bags_fit(bags, ages, 1, &fit, &slope, &fitted, &err));
    printf("price = %.1f %+.2f x age, truth 40 -3; ridge %.3g\n", fitted.intercept, slope, fitted.ridge);
    printf("epsilon %.4f, of one %s\n", receipt.epsilon, receipt.unit);

    nw_bags_free(bags);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return slope < 0.0 ? 0 : 1;
}
