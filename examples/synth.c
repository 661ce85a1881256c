/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* synth.c - a private synthetic table from a program: the schema, the plan and its cost, one run, a CSV file. */
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

int main(void)
{
    nw_error err;
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    nw_table *synthetic = NULL;
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    uint16_t answers[1000];

    /* A survey of 1000 people: the second answer is often the first. Real tables come from nw_table_read_csv. */
    TRY(nw_schema_parse(&schema, "{\"likes_tea\": 3, \"likes_coffee\": 3}", 0, &err));
    TRY(nw_table_new(&table, schema, 1000, &err));
    for (size_t column = 0; column < 2; column++) {
        for (size_t i = 0; i < 1000; i++)
            answers[i] = (uint16_t)((i + (column == 1 && i % 4 == 0)) % 3);
        TRY(nw_table_set(table, column, 0, 1000, answers, &err));
    }

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT; /* all that may ever be released about these people */
    budget.epsilon = 2.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    TRY(nw_ledger_memory(&ledger, &budget, &err)); /* nw_ledger_create keeps it in a file */

    nw_synth_opts options = NW_SYNTH_OPTS_INIT;
    options.epsilon = 1.0;
    options.delta = 1e-6;
    options.adjacency = NW_ADD_REMOVE;
    TRY(nw_synth_new(&synth, schema, &options, &err));
    const nw_synth_measurement pair = nw_synth_plan_get(synth, 2, 1000); /* known before any data is read */
    printf("the pair: %llu cells, sigma %.1f, expected error %.3f\n", (unsigned long long)pair.cells, pair.sigma,
        pair.expected_error);

    TRY(nw_rng_new(&rng, &err));
    TRY(nw_synth_add(synth, table, &err)); /* exact counts; also block after block, or merged from other machines */
    TRY(nw_synth_release(synth, rng, ledger, "survey", &measured, &receipt, &err)); /* charges, draws: public from here on */
    TRY(nw_synth_fit(measured, rng, NULL, &synthetic, &err));                       /* any number of times, at no cost */
    printf("%zu synthetic rows for epsilon %.4f at delta %g; ledger head %s\n", nw_table_rows(synthetic), receipt.epsilon,
        receipt.delta, receipt.head);
    TRY(nw_table_write_csv(synthetic, "synthetic.csv", rng, &err));

    nw_table_free(synthetic);
    nw_table_free(table);
    nw_synth_measurements_free(measured);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_schema_free(schema);
    return 0;
}
