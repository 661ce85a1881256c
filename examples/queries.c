/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* queries.c - a synthetic table that agrees with the private one on queries of one's own: random prefixes, an interval, and a
 * function of a record. */
#include <math.h>
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

enum { AGE, HOURS, MEMBER, PEOPLE = 5000 };

/* How far hours exceed age, both in [0, 1]: a weight in [0, 1], 0 where a value is missing. It sees these two columns only. */
static double excess(const nw_query_record *record, void *context)
{
    (void)context;
    return fmax(0.0, record->numbers[HOURS] - record->numbers[AGE]);
}

int main(void)
{
    nw_error err;
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    nw_table *synthetic = NULL;
    nw_queries *queries = NULL;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    static uint16_t codes[PEOPLE];
    const size_t read[] = { AGE, HOURS };
    const nw_query_term full_time[] = { { HOURS, 35, 41 } };
    double answers[2][3];

    TRY(nw_schema_parse(&schema,
        "{\"age\": {\"type\": \"int\", \"lower\": 18, \"upper\": 67}, \"hours\": {\"type\": \"int\", \"lower\": 0, \"upper\": "
        "60},"
        " \"member\": {\"type\": \"bool\", \"nullable\": false}}",
        0, &err));
    TRY(nw_table_new(&table, schema, PEOPLE, &err));
    for (size_t column = AGE; column <= MEMBER; column++) { /* the older, the fewer hours */
        for (size_t i = 0; i < PEOPLE; i++)
            codes[i] = (uint16_t)(column == AGE ? i % 50 : column == HOURS ? (i % 7 < 4 ? 38 : 60 - i % 50) : i % 3 == 0);
        TRY(nw_table_set(table, column, 0, PEOPLE, codes, &err));
    }

    TRY(nw_queries_new(&queries, schema, &err));
    TRY(nw_queries_add_conjunction(queries, full_time, 1, MEMBER, &err)); /* members and others who work 35 to 40 hours */
    TRY(nw_queries_add_predicate(queries, excess, NULL, read, 2, &err));
    TRY(nw_queries_answer(queries, table, answers[0], &err)); /* exact: not private, here to compare with */
    TRY(nw_queries_add_prefixes(queries, 50, 2, 1, &err));

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    nw_synth_opts options = NW_SYNTH_OPTS_INIT;
    budget.epsilon = options.epsilon = 2.0;
    budget.delta = options.delta = 1e-6;
    budget.adjacency = options.adjacency = NW_ADD_REMOVE;
    options.queries = queries;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_synth_new(&synth, schema, &options, &err));
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_synth_run(synth, rng, ledger, table, NULL, &synthetic, NULL, NULL, &err));

    nw_queries_free(queries); /* the same three questions to the synthetic table */
    TRY(nw_queries_new(&queries, schema, &err));
    TRY(nw_queries_add_conjunction(queries, full_time, 1, MEMBER, &err));
    TRY(nw_queries_add_predicate(queries, excess, NULL, read, 2, &err));
    TRY(nw_queries_answer(queries, synthetic, answers[1], &err));
    static const char *const names[] = { "others, full time", "members, full time", "excess of hours" };
    for (int i = 0; i < 3; i++)
        printf("%-20s %7.1f of %d   %7.1f of %zu\n", names[i], answers[0][i], PEOPLE, answers[1][i], nw_table_rows(synthetic));

    nw_queries_free(queries);
    nw_table_free(synthetic);
    nw_table_free(table);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_schema_free(schema);
    return 0;
}
