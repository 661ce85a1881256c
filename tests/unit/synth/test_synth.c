/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth.c - the synth room through its public header. */
#include <noisewright.h>
#include <nw/testing.h>

#include "marginals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char SCHEMA[] = "{\"a\": 3, \"b\": 4, \"c\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\"]}}";

static nw_schema *schema_of(const char *json)
{
    nw_schema *schema = NULL;
    nw_error err;
    if (nw_schema_parse(&schema, json, 0, &err) != NW_OK)
        fail_msg("%s", err.message);
    return schema;
}

/* Correlated rows: b follows a, c follows a's parity, with a few exceptions. */
static nw_table *correlated_table(const nw_schema *schema, size_t rows)
{
    nw_table *table = NULL;
    uint16_t *codes = calloc(rows + 1, sizeof *codes);
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    for (size_t j = 0; j < 3 && rows > 0; j++) {
        for (size_t i = 0; i < rows; i++) {
            const size_t a = i % 3;
            const size_t value[3] = { a, i % 10 == 0 ? 3 : a, i % 15 == 0 ? 2 : a % 2 };
            codes[i] = (uint16_t)value[j];
        }
        assert_int_equal(nw_table_set(table, j, 0, rows, codes, NULL), NW_OK);
    }
    free(codes);
    return table;
}

/* What a run does with its noisy counts. */
static nw_synth_fit_opts fit_options(nw_synth_engine engine)
{
    nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
    f.engine = engine;
    return f;
}

static nw_synth_opts options(double epsilon)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

static nw_ledger *ledger_of(double epsilon, nw_adjacency adjacency)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = adjacency;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

/* A whole run on the correlated table; the caller frees the result. */
static nw_status run(
    const nw_synth_opts *o, const nw_synth_fit_opts *fit, const nw_table *table, uint64_t seed, nw_ledger *ledger, nw_table **out)
{
    nw_synth *synth = NULL;
    nw_rng *rng = seeded(seed);
    nw_status status = nw_synth_new(&synth, nw_table_schema(table), o, NULL);
    if (status == NW_OK)
        status = nw_synth_run(synth, rng, ledger, table, fit, out, NULL, NULL, NULL);
    nw_synth_free(synth);
    nw_rng_free(rng);
    return status;
}

static uint64_t charges_of(nw_ledger *ledger)
{
    nw_ledger_summary summary;
    assert_int_equal(nw_ledger_summarise(ledger, &summary, NULL), NW_OK);
    return summary.charges;
}

static void synth_new__refuses_each_bad_option_by_name(void **state)
{
    (void)state;
    const struct {
        const char *name;
        nw_synth_opts opts;
    } cases[] = {
        { "epsilon", { .epsilon = 0.0 } },
        { "epsilon", { .epsilon = -1.0 } },
        { "epsilon", { .epsilon = (double)NAN } },
        { "epsilon", { .epsilon = 1e9 } },
        { "delta", { .delta = 0.0 } },
        { "delta", { .delta = 1.0 } },
        { "delta", { .delta = (double)NAN } },
        { "adjacency", { .adjacency = NW_ADJACENCY_UNSET } },
        { "adjacency", { .adjacency = NW_ZERO_OUT } },
        { "one_way_share", { .one_way_share = 1.0 } },
        { "threads", { .threads = 1000000 } },
    };
    nw_schema *schema = schema_of(SCHEMA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_synth_opts o = options(1.0);
        const nw_synth_opts *c = &cases[i].opts;
        const char *name = cases[i].name;
        if (strcmp(name, "epsilon") == 0)
            o.epsilon = c->epsilon;
        if (strcmp(name, "delta") == 0)
            o.delta = c->delta;
        if (strcmp(name, "adjacency") == 0)
            o.adjacency = c->adjacency;
        if (strcmp(name, "one_way_share") == 0)
            o.one_way_share = c->one_way_share;
        if (strcmp(name, "threads") == 0)
            o.threads = c->threads;
        nw_synth *synth = (nw_synth *)&o;
        nw_error err;
        assert_int_equal(nw_synth_new(&synth, schema, &o, &err), NW_E_ARG);
        assert_null(synth);
        assert_memory_equal(err.message, name, strlen(name));
        assert_non_null(strstr(err.message, "must be"));
    }
    nw_schema_free(schema);
}

/* Budgets that no sampler has the noise for are refused before anything can be charged. */
static void synth_new__refuses_a_budget_of_too_much_noise(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_synth_opts o = options(1e-20);
    nw_synth *synth = (nw_synth *)&o;
    nw_error err;
    o.delta = 1e-25;
    assert_int_equal(nw_synth_new(&synth, schema, &o, &err), NW_E_ARG);
    assert_null(synth);
    assert_memory_equal(err.message, "epsilon is 1e-20", 16);
    assert_non_null(strstr(err.message, "must be at most 2^54"));
    o.epsilon = 1e-12;
    assert_int_equal(nw_synth_new(&synth, schema, &o, &err), NW_OK);
    nw_synth_free(synth);
    nw_schema_free(schema);
}

static void synth_fit_opts_check__refuses_each_bad_option_by_name(void **state)
{
    (void)state;
    nw_synth_fit_opts bad[5];
    const char *const names[5] = { "engine", "rows", "sweeps", "chains", "threads" };
    for (size_t i = 0; i < 5; i++)
        bad[i] = fit_options(NW_SYNTH_GIBBS);
    bad[0].engine = (nw_synth_engine)7;
    bad[1].rows = UINT64_MAX;
    bad[2].sweeps = 0;
    bad[3].chains = 1000000;
    bad[4].threads = 1000000;
    for (size_t i = 0; i < 5; i++) {
        nw_synth_fit_opts resolved;
        nw_error err;
        assert_int_equal(nw_synth_fit_opts_check(&bad[i], &resolved, &err), NW_E_ARG);
        assert_memory_equal(err.message, names[i], strlen(names[i]));
        assert_non_null(strstr(err.message, "must be"));
    }
    assert_int_equal(nw_synth_fit_opts_check(NULL, NULL, NULL), NW_E_ARG);
}

static void synth_new__takes_defaults_for_members_an_older_caller_lacks(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    o.struct_size = offsetof(nw_synth_opts, one_way_share);
    o.one_way_share = 7.0; /* beyond the size the caller declares: never read */
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    nw_synth_free(synth);
    nw_schema_free(schema);
}

static void synth_event__spends_the_whole_budget_and_no_more(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    for (int a = 0; a < 2; a++) {
        const nw_adjacency adjacency = a == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        const double epsilons[] = { 1e-3, 0.1, 1.0, 10.0, 50.0 };
        for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
            nw_synth_opts o = options(epsilons[i]);
            nw_synth *synth = NULL;
            double epsilon = 0.0;
            o.adjacency = adjacency;
            assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
            assert_int_equal(nw_event_epsilon(nw_synth_event(synth), adjacency, o.delta, &epsilon, NULL, NULL), NW_OK);
            assert_true(epsilon <= o.epsilon);
            assert_true(epsilon >= 0.999 * o.epsilon);
            nw_synth_free(synth);
        }
    }
    nw_schema_free(schema);
}

static void synth_fit_opts_check__resolves_the_chains(void **state)
{
    (void)state;
    for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
        nw_synth_fit_opts f = fit_options((nw_synth_engine)engine);
        nw_synth_fit_opts resolved;
        f.struct_size = offsetof(nw_synth_fit_opts, sweeps);
        f.sweeps = 0; /* beyond the size the caller declares: never read */
        assert_int_equal(nw_synth_fit_opts_check(&f, &resolved, NULL), NW_OK);
        assert_int_equal(resolved.chains, engine == NW_SYNTH_GIBBS ? 4 : 1);
        assert_int_equal(resolved.sweeps, 6);
    }
}

static void synth_event__is_the_noise_of_the_measurements(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    nw_cost cost;
    double mu_squared = 0.0;
    uint64_t cells = 0;
    o.select = NW_SYNTH_SELECT_ALL;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_plan_size(synth), 3 + 3);
    for (size_t i = 0; i < nw_synth_plan_size(synth); i++) {
        const nw_synth_measurement m = nw_synth_plan_get(synth, i, 1000);
        mu_squared += 1.0 / (m.sigma * m.sigma);
        cells += m.cells;
        assert_true(m.expected_error > 0.0 && m.expected_error <= 1.0);
    }
    assert_int_equal(nw_event_cost(nw_synth_event(synth), NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared / mu_squared - 1.0) < 1e-9);
    assert_true(cost.samples >= cells && cost.samples < cells + 6);
    nw_synth_free(synth);
    nw_schema_free(schema);
}

static void synth_new__refuses_a_column_without_a_domain(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 2, \"note\": {\"type\": \"text\"}}");
    nw_synth_opts o = options(1.0);
    nw_synth *synth = (nw_synth *)&o;
    nw_error err;
    assert_int_equal(nw_synth_new(&synth, schema, &o, &err), NW_E_UNSUPPORTED);
    assert_null(synth);
    assert_non_null(strstr(err.message, "note"));
    nw_schema_free(schema);
}

static void synth_new__leaves_out_pairs_that_are_too_large(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 2000, \"b\": 2000, \"c\": 5}");
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_plan_size(synth), 3 + 2);
    nw_synth_free(synth);
    nw_schema_free(schema);
}

/* At a huge epsilon the noise is nothing, so the fitted table must have the private one's marginals. */
static void check_engine_reproduces_marginals(nw_synth_engine engine, unsigned chains)
{
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 3000);
    nw_table *synthetic = NULL;
    nw_ledger *ledger = ledger_of(50.0, NW_ADD_REMOVE);
    nw_synth_opts o = options(50.0);
    marginal_score score;
    nw_synth_fit_opts f = fit_options(engine);
    f.chains = chains;
    f.sweeps = 30;
    f.rows = 3000; /* the estimate of the size is off by a row or so even at this epsilon */
    assert_int_equal(run(&o, &f, table, 1, ledger, &synthetic), NW_OK);
    assert_int_equal(nw_table_rows(synthetic), 3000);
    assert_int_equal(marginal_tv(table, synthetic, 2, &score), 0);
    assert_int_equal(score.subsets, 3);
    assert_true(score.largest < 0.02);
    nw_table_free(synthetic);
    nw_table_free(table);
    nw_ledger_close(ledger);
    nw_schema_free(schema);
}

static void synth_run__gibbs_reproduces_marginals_without_noise(void **state)
{
    (void)state;
    check_engine_reproduces_marginals(NW_SYNTH_GIBBS, 0);
    check_engine_reproduces_marginals(NW_SYNTH_GIBBS, 3);
}

static void synth_run__genetic_reproduces_marginals_without_noise(void **state)
{
    (void)state;
    check_engine_reproduces_marginals(NW_SYNTH_GENETIC, 0);
}

static bool tables_equal(const nw_table *x, const nw_table *y)
{
    marginal_score score;
    uint16_t u[3000];
    uint16_t v[3000];
    if (nw_table_rows(x) != nw_table_rows(y))
        return false;
    for (size_t j = 0; j < 3; j++) {
        assert_true(nw_table_rows(x) <= 3000);
        assert_int_equal(nw_table_get(x, j, 0, nw_table_rows(x), u, NULL), NW_OK);
        assert_int_equal(nw_table_get(y, j, 0, nw_table_rows(y), v, NULL), NW_OK);
        if (memcmp(u, v, nw_table_rows(x) * sizeof *u) != 0)
            return false;
    }
    return marginal_tv(x, y, 3, &score) == 0 && score.largest == 0.0;
}

static void synth_run__depends_on_the_seed_and_not_on_the_threads(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 500);
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.delta = 1e-9;
    lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
        nw_synth_opts o = options(1.0);
        nw_table *out[4] = { NULL, NULL, NULL, NULL };
        const unsigned threads[4] = { 1, 2, 3, 1 };
        nw_synth_fit_opts f = fit_options((nw_synth_engine)engine);
        f.chains = 3;
        f.rows = 700;
        for (int i = 0; i < 4; i++) {
            o.threads = f.threads = threads[i];
            assert_int_equal(run(&o, &f, table, i == 3 ? 8 : 7, ledger, &out[i]), NW_OK);
            assert_int_equal(nw_table_rows(out[i]), 700);
        }
        assert_true(tables_equal(out[0], out[1]));
        assert_true(tables_equal(out[0], out[2]));
        assert_false(tables_equal(out[0], out[3]));
        for (int i = 0; i < 4; i++)
            nw_table_free(out[i]);
    }
    nw_ledger_close(ledger);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void synth_run__refused_by_the_ledger_draws_nothing(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 100);
    nw_table *out = NULL;
    nw_ledger *ledger = ledger_of(0.5, NW_ADD_REMOVE);
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    nw_rng *rng = seeded(3);
    nw_rng *untouched = seeded(3);
    uint8_t x[16];
    uint8_t y[16];
    nw_error err;
    nw_synth_measurements *measured = NULL;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, &out, &measured, NULL, &err), NW_E_BUDGET);
    assert_null(out);
    assert_null(measured);
    assert_int_equal(charges_of(ledger), 0);
    assert_int_equal(nw_rng_bytes(rng, x, sizeof x, NULL), NW_OK);
    assert_int_equal(nw_rng_bytes(untouched, y, sizeof y, NULL), NW_OK);
    assert_memory_equal(x, y, sizeof x);
    nw_rng_free(rng);
    nw_rng_free(untouched);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void synth_run__charges_once_its_own_event_with_a_receipt(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 300);
    nw_table *out = NULL;
    nw_table *again = NULL;
    nw_ledger *ledger = ledger_of(1.0, NW_REPLACE_ONE);
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    nw_rng *rng = seeded(5);
    nw_receipt receipt;
    nw_synth_measurements *measured = NULL;
    nw_error err;
    o.adjacency = NW_REPLACE_ONE;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, &out, &measured, &receipt, &err), NW_OK);
    assert_int_equal(charges_of(ledger), 1);
    assert_int_equal(nw_table_rows(out), 300); /* public under replace_one */
    assert_true(nw_synth_measurements_rows(measured, NULL) == 300.0);
    assert_true(receipt.epsilon > 0.99 && receipt.epsilon <= 1.0);
    assert_true(receipt.delta == 1e-9);
    assert_int_equal(receipt.adjacency, NW_REPLACE_ONE);
    assert_true(receipt.is_insecure);
    assert_false(receipt.is_durable);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, &again, NULL, NULL, &err), NW_E_STATE);
    assert_null(again);
    assert_int_equal(charges_of(ledger), 1);
    nw_synth_measurements_free(measured);
    nw_table_free(out);
    nw_rng_free(rng);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_table_free(table);
    nw_schema_free(schema);
}

static bool stop_at_once(void *context, const char *phase, double fraction)
{
    (void)phase;
    assert_true(fraction >= 0.0 && fraction <= 1.0);
    ++*(int *)context;
    return false;
}

static void synth_run__cancelled_keeps_the_charge(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 300);
    for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
        nw_table *out = NULL;
        nw_ledger *ledger = ledger_of(1.0, NW_ADD_REMOVE);
        nw_synth_opts o = options(1.0);
        int calls = 0;
        nw_synth_fit_opts f = fit_options((nw_synth_engine)engine);
        f.progress = stop_at_once;
        f.progress_context = &calls;
        assert_int_equal(run(&o, &f, table, 1, ledger, &out), NW_E_CANCELLED);
        assert_null(out);
        assert_int_equal(calls, 1);
        assert_int_equal(charges_of(ledger), 1);
        nw_ledger_close(ledger);
    }
    nw_table_free(table);
    nw_schema_free(schema);
}

static void synth_run__refuses_another_schema_and_null_handles(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_schema *other = schema_of("{\"a\": 3, \"b\": 4}");
    nw_table *table = NULL;
    nw_table *out = NULL;
    nw_ledger *ledger = ledger_of(1.0, NW_ADD_REMOVE);
    nw_synth_opts o = options(1.0);
    nw_synth *synth = NULL;
    nw_rng *rng = seeded(1);
    nw_error err;
    assert_int_equal(nw_table_new(&table, other, 10, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, &out, NULL, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "schema"));
    assert_int_equal(nw_synth_run(synth, rng, NULL, table, NULL, &out, NULL, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "nw_ledger_unlimited"));
    assert_int_equal(nw_synth_run(synth, rng, ledger, NULL, NULL, &out, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_run(synth, NULL, ledger, table, NULL, &out, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_run(NULL, rng, ledger, table, NULL, &out, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, NULL, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(charges_of(ledger), 0);
    nw_rng_free(rng);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_table_free(table);
    nw_schema_free(schema);
    nw_schema_free(other);
}

/* Degenerate tables go the same way as any other: no status may depend on the records. */
static void synth_run__takes_degenerate_tables(void **state)
{
    (void)state;
    const char *schemas[] = { SCHEMA, "{\"a\": 1, \"b\": 1, \"c\": 1}", "{\"a\": 7}", "{\"a\": 1}",
        "{\"m\": {\"type\": \"categorical\", \"values\": [\"only\"]}}" };
    const size_t rows[] = { 0, 1, 2, 40 };
    for (size_t s = 0; s < sizeof schemas / sizeof *schemas; s++) {
        nw_schema *schema = schema_of(schemas[s]);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
                for (int a = NW_ADD_REMOVE; a <= NW_REPLACE_ONE; a++) {
                    nw_table *table = NULL;
                    nw_table *out = NULL;
                    nw_ledger *ledger = ledger_of(1.0, (nw_adjacency)a);
                    nw_synth_opts o = options(1.0);
                    const nw_synth_fit_opts f = fit_options((nw_synth_engine)engine);
                    o.adjacency = (nw_adjacency)a;
                    assert_int_equal(nw_table_new(&table, schema, rows[r], NULL), NW_OK);
                    assert_int_equal(run(&o, &f, table, 1, ledger, &out), NW_OK);
                    assert_true(nw_table_rows(out) >= 1);
                    nw_table_free(out);
                    nw_table_free(table);
                    nw_ledger_close(ledger);
                }
            }
        }
        nw_schema_free(schema);
    }
}

/* Where the noise drowns the number of rows, the estimate must not become a table of any size. */
static void synth_run__bounds_the_rows_of_a_size_lost_in_noise(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(SCHEMA);
    nw_table *table = correlated_table(schema, 300);
    for (uint64_t seed = 0; seed < 10; seed++) {
        nw_table *out = NULL;
        nw_ledger *ledger = ledger_of(1e-9, NW_ADD_REMOVE);
        nw_synth_opts o = options(1e-9);
        nw_synth_fit_opts f = fit_options(NW_SYNTH_GIBBS);
        f.sweeps = 1;
        assert_int_equal(run(&o, &f, table, seed, ledger, &out), NW_OK);
        assert_int_equal(nw_table_rows(out), 1000);
        nw_table_free(out);
        nw_ledger_close(ledger);
    }
    nw_table_free(table);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_new__refuses_each_bad_option_by_name),
        cmocka_unit_test(synth_new__refuses_a_budget_of_too_much_noise),
        cmocka_unit_test(synth_fit_opts_check__refuses_each_bad_option_by_name),
        cmocka_unit_test(synth_new__takes_defaults_for_members_an_older_caller_lacks),
        cmocka_unit_test(synth_event__spends_the_whole_budget_and_no_more),
        cmocka_unit_test(synth_fit_opts_check__resolves_the_chains),
        cmocka_unit_test(synth_event__is_the_noise_of_the_measurements),
        cmocka_unit_test(synth_new__refuses_a_column_without_a_domain),
        cmocka_unit_test(synth_new__leaves_out_pairs_that_are_too_large),
        cmocka_unit_test(synth_run__gibbs_reproduces_marginals_without_noise),
        cmocka_unit_test(synth_run__genetic_reproduces_marginals_without_noise),
        cmocka_unit_test(synth_run__depends_on_the_seed_and_not_on_the_threads),
        cmocka_unit_test(synth_run__refused_by_the_ledger_draws_nothing),
        cmocka_unit_test(synth_run__charges_once_its_own_event_with_a_receipt),
        cmocka_unit_test(synth_run__cancelled_keeps_the_charge),
        cmocka_unit_test(synth_run__refuses_another_schema_and_null_handles),
        cmocka_unit_test(synth_run__takes_degenerate_tables),
        cmocka_unit_test(synth_run__bounds_the_rows_of_a_size_lost_in_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
