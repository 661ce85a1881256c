/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_adult.c - the accuracy that the synth room promises on a real table (Adult, coded, 48842 x 14) at delta =
 * 1e-9, add/remove: average total variation over all 2-way and all 364 3-way marginals, mean of three seeds. Needs
 * -Dreal_data_dir. */
#include <noisewright.h>
#include <nw/testing.h>

#include "marginals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char *folder;

static nw_table *read_adult(void)
{
    char path[4096];
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    nw_error err;
    snprintf(path, sizeof path, "%s/adult/adult-codes-domain.json", folder);
    if (nw_schema_read(&schema, path, 0, &err) != NW_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/adult/adult-codes.csv", folder);
    if (nw_table_read_csv(&table, schema, path, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_schema_free(schema);
    return table;
}

/* Means over the seeds: of the average over all subsets of columns, and of the largest. */
typedef struct accuracy {
    double two_way;
    double three_way;
    double largest_three_way;
} accuracy;

static accuracy score_engine(nw_synth_engine engine, double epsilon, unsigned seeds)
{
    accuracy a = { 0 };
    nw_table *table = read_adult();
    assert_int_equal(nw_table_rows(table), 48842);
    for (unsigned seed = 0; seed < seeds; seed++) {
        nw_synth_opts o = NW_SYNTH_OPTS_INIT;
        nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
        nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
        nw_synth *synth = NULL;
        nw_ledger *ledger = NULL;
        nw_table *synthetic = NULL;
        nw_rng *rng = NULL;
        marginal_score pairs;
        marginal_score triples;
        o.epsilon = lo.epsilon = epsilon;
        o.delta = lo.delta = 1e-9;
        o.adjacency = lo.adjacency = NW_ADD_REMOVE;
        fit.engine = engine;
        assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
        assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
        assert_int_equal(nw_synth_new(&synth, nw_table_schema(table), &o, NULL), NW_OK);
        assert_int_equal(nw_synth_run(synth, rng, ledger, table, &fit, &synthetic, NULL, NULL, NULL), NW_OK);
        assert_int_equal(marginal_tv(table, synthetic, 2, &pairs), 0);
        assert_int_equal(marginal_tv(table, synthetic, 3, &triples), 0);
        assert_int_equal(pairs.subsets, 91);
        assert_int_equal(triples.subsets, 364);
        print_message("# %s, epsilon %g, seed %u: 2-way %.4f (largest %.3f), 3-way %.4f (largest %.3f)\n",
            nw_synth_engine_name(engine), epsilon, seed, pairs.average, pairs.largest, triples.average, triples.largest);
        a.two_way += pairs.average / seeds;
        a.three_way += triples.average / seeds;
        a.largest_three_way += triples.largest / seeds;
        nw_table_free(synthetic);
        nw_synth_free(synth);
        nw_rng_free(rng);
        nw_ledger_close(ledger);
    }
    nw_table_free(table);
    return a;
}

static void adult__gibbs_reaches_its_accuracy(void **state)
{
    (void)state;
    const accuracy a = score_engine(NW_SYNTH_GIBBS, 1.0, 3);
    assert_true(a.two_way <= 0.033);
    assert_true(a.three_way <= 0.080);
    assert_true(a.largest_three_way <= 0.380);
}

static void adult__gibbs_reaches_its_accuracy_with_little_and_with_much_budget(void **state)
{
    (void)state;
    const accuracy little = score_engine(NW_SYNTH_GIBBS, 0.1, 3);
    assert_true(little.two_way <= 0.105);
    assert_true(little.three_way <= 0.181);
    const accuracy much = score_engine(NW_SYNTH_GIBBS, 10.0, 3);
    assert_true(much.two_way <= 0.0119);
    assert_true(much.three_way <= 0.0453);
}

static void adult__genetic_reaches_its_accuracy(void **state)
{
    (void)state;
    const accuracy a = score_engine(NW_SYNTH_GENETIC, 1.0, 3);
    assert_true(a.two_way <= 0.060);
    assert_true(a.three_way <= 0.135);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adult__gibbs_reaches_its_accuracy),
        cmocka_unit_test(adult__gibbs_reaches_its_accuracy_with_little_and_with_much_budget),
        cmocka_unit_test(adult__genetic_reaches_its_accuracy),
    };
    if (argc < 2 || argv[1][0] == '\0') {
        puts("1..0 # SKIP skipped: no real data");
        return 0;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
