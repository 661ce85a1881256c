/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_adult_queries.c - tables fitted to 2000 prefixes and 2000 half-spaces on a real table (Adult as it is, 32561 x 15) at
 * epsilon = 1, delta = 1e-9, add/remove: the average error of the fitted table's answers against the true ones, over all cells
 * and over those of at least a hundredth of the records, in parts of the noise floor sqrt(2 / pi) sigma / n, which is the average
 * error of the measured answers themselves. Needs -Dreal_data_dir. */
#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char *folder;
enum { WORKLOADS = 2000 };

static nw_table *read_adult(void)
{
    char path[4096];
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    nw_error err;
    snprintf(path, sizeof path, "%s/adult/adult-domain.json", folder);
    if (nw_schema_read(&schema, path, NW_SYNTH_BINS, &err) != NW_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/adult/adult-train.csv", folder);
    if (nw_table_read_csv(&table, schema, path, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_schema_free(schema);
    return table;
}

typedef struct error {
    double all;
    double large; /* cells of at least a hundredth of the records */
} error;

static error error_of(const nw_queries *q, const nw_table *real, const nw_table *synthetic)
{
    const size_t cells = nw_queries_cells(q);
    const double n[2] = { (double)nw_table_rows(real), (double)nw_table_rows(synthetic) };
    double *x = calloc(cells, sizeof *x);
    double *y = calloc(cells, sizeof *y);
    error e = { 0.0, 0.0 };
    size_t large = 0;
    assert_int_equal(nw_queries_answer(q, real, x, NULL), NW_OK);
    assert_int_equal(nw_queries_answer(q, synthetic, y, NULL), NW_OK);
    for (size_t c = 0; c < cells; c++) {
        const double difference = fabs(x[c] / n[0] - y[c] / n[1]);
        e.all += difference / (double)cells;
        if (x[c] >= 0.01 * n[0]) {
            e.large += difference;
            large++;
        }
    }
    e.large /= (double)large;
    free(x);
    free(y);
    return e;
}

/* One release and one fit of an engine, the preset's options for the genetic one; errors in noise floors. */
static error fit(const nw_table *table, const nw_queries *q, nw_synth_engine engine)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_table *synthetic = NULL;
    nw_error err;
    o.epsilon = lo.epsilon = 1.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    o.queries = q;
    if (engine == NW_SYNTH_GENETIC)
        assert_int_equal(nw_synth_preset("private-gsd-2023", nw_table_schema(table), &o, &f, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, nw_table_schema(table), &o, NULL), NW_OK);
    const clock_t started = clock();
    if (nw_synth_run(synth, rng, ledger, table, &f, &synthetic, NULL, NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
    const double seconds = (double)(clock() - started) / CLOCKS_PER_SEC;
    const double sigma = nw_synth_query_plan_get(synth).sigma;
    const double floor_of_noise = sqrt(2.0 / acos(-1.0)) * sigma / (double)nw_table_rows(table);
    const error e = error_of(q, table, synthetic);
    print_message("# %s, %s: average error %.5f, of large cells %.5f; noise floor %.5f; %.1f s\n",
        nw_query_kind_name(nw_queries_get(q, 0).kind), nw_synth_engine_name(engine), e.all, e.large, floor_of_noise, seconds);
    nw_table_free(synthetic);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return (error){ e.all / floor_of_noise, e.large / floor_of_noise };
}

static void adult_queries__fit_within_the_noise(void **state)
{
    (void)state;
    nw_table *table = read_adult();
    for (int family = 0; family < 2; family++) {
        nw_queries *q = NULL;
        assert_int_equal(nw_queries_new(&q, nw_table_schema(table), NULL), NW_OK);
        if (family == 0)
            assert_int_equal(nw_queries_add_prefixes(q, WORKLOADS, 2, 1, NULL), NW_OK);
        else
            assert_int_equal(nw_queries_add_halfspaces(q, WORKLOADS, 1, NULL), NW_OK);
        for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
            const error e = fit(table, q, (nw_synth_engine)engine);
            assert_true(e.all <= 1.5);
            assert_true(e.large <= 1.5);
        }
        nw_queries_free(q);
    }
    nw_table_free(table);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adult_queries__fit_within_the_noise),
    };
    if (argc < 2 || argv[1][0] == '\0') {
        puts("1..0 # SKIP skipped: no real data");
        return 0;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
