/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_query_release.c - answers to queries with noise: what they cost, how far a score moves, which workloads are chosen, parts
 * of a table, and tables fitted to them. */
#include "query_support.h"

#include "accountant_internal.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static bool fits(const nw_event *event, double epsilon, nw_adjacency adjacency)
{
    bool is_fitting = false;
    nw_ledger *ledger = ledger_of(epsilon, adjacency);
    assert_int_equal(nw_ledger_fits(ledger, event, &is_fitting, NULL), NW_OK);
    nw_ledger_close(ledger);
    return is_fitting;
}

/* The whole budget and no more, whatever is measured: a ledger of it takes the event, one of a thousandth less does not. */
static void synth_event__spends_the_budget_on_queries_too(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    const double epsilons[] = { 0.05, 1.0, 10.0 };
    for (size_t e = 0; e < 3; e++) {
        for (unsigned rounds = 0; rounds <= 7; rounds += 7) {
            for (int adjacency = NW_ADD_REMOVE; adjacency <= NW_REPLACE_ONE; adjacency++) {
                nw_synth *synth = NULL;
                nw_synth_opts o = options(q, epsilons[e]);
                o.adjacency = (nw_adjacency)adjacency;
                o.rounds = rounds;
                o.per_round = 3;
                o.most_ways = 1 + rounds % 2;
                assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
                assert_true(fits(nw_synth_event(synth), epsilons[e], o.adjacency));
                assert_false(fits(nw_synth_event(synth), 0.999 * epsilons[e], o.adjacency));
                nw_synth_free(synth);
            }
        }
    }
    nw_queries_free(q);
}

/* The event says what is drawn: as many selections and noise vectors as there are, of these scales. */
static void query_plan_event__is_that_of_its_rounds(void **state)
{
    (void)state;
    nw_queries *q = make_queries(false);
    nw__query_plan plan;
    nw_event *event = NULL;
    nw_event *leaves[2] = { NULL, NULL };
    nw_cost cost, choice, noise;
    nw_synth_opts o = options(q, 1.0);
    o.rounds = 5;
    o.per_round = 2;
    assert_int_equal(nw__query_plan_make(&plan, &o, 0.5, NULL), NW_OK);
    assert_int_equal(plan.measured, 10);
    assert_int_equal(nw__query_plan_event(&plan, &event, NULL), NW_OK);
    assert_int_equal(nw_event_selection(&leaves[0], NW_EVENT_EXPONENTIAL, plan.epsilon, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_gaussian(&leaves[1], plan.sigma, plan.sensitivity, NULL), NW_OK);
    assert_int_equal(nw_event_cost(event, NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_int_equal(nw_event_cost(leaves[0], NW_ADD_REMOVE, &choice, NULL), NW_OK);
    assert_int_equal(nw_event_cost(leaves[1], NW_ADD_REMOVE, &noise, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 10.0 * (choice.mu_squared + noise.mu_squared)) < 1e-12);
    assert_true(cost.mu_squared <= 0.25 && cost.mu_squared > 0.2499999);
    assert_true(fabs(choice.mu_squared - noise.mu_squared) < 1e-9); /* half and half */
    for (int i = 0; i < 2; i++)
        nw_event_free(leaves[i]);
    nw_event_free(event);
    nw__query_plan_clear(&plan);
    nw_queries_free(q);
}

/* All neighbours of small tables, under both relations: no score moves by more than one record, and some do by one. */
static void query_score__moves_by_at_most_one_record(void **state)
{
    (void)state;
    enum { SMALL = 6, TABLES = 40 };
    nw_queries *q = make_queries(true);
    nw__record scratch;
    nw_rng *rng = seeded(3);
    int64_t *exact[2];
    int64_t *fitted = calloc(q->cells, sizeof *fitted);
    const int64_t unit = NW__PREDICATE_UNIT;
    int64_t most = 0;
    assert_true(nw__record_make(&scratch, COLUMNS));
    for (int t = 0; t < TABLES; t++) {
        uint16_t rows[SMALL + 1][COLUMNS];
        for (int i = 0; i <= SMALL; i++) {
            for (size_t j = 0; j < COLUMNS; j++) {
                uint64_t code;
                assert_int_equal(nw_rng_uniform(rng, nw_schema_column(schema, j).cells, &code, NULL), NW_OK);
                rows[i][j] = (uint16_t)code;
            }
        }
        for (int side = 0; side < 2; side++)
            exact[side] = calloc(q->cells, sizeof **exact);
        /* tables even: the last record replaces the first; odd: it is added */
        for (size_t w = 0, cell = 0; w < q->count; cell += q->workloads[w++].cells) {
            for (int side = 0; side < 2; side++) {
                for (int i = (side == 1 && t % 2 == 0); i < SMALL + side; i++) {
                    uint32_t weight;
                    const uint32_t c = nw__workload_cell(q, &q->workloads[w], rows[i], &scratch, &weight);
                    if (c != NW__NO_CELL)
                        exact[side][cell + c] += weight;
                }
            }
            for (uint32_t c = 0; c < q->workloads[w].cells; c++)
                fitted[cell + c] = exact[0][cell + (c + 1) % q->workloads[w].cells];
            const int64_t x = nw__query_score(q, w, exact[0] + cell, fitted + cell, 1.7, unit);
            const int64_t y = nw__query_score(q, w, exact[1] + cell, fitted + cell, 1.7, unit);
            assert_true(llabs(x - y) <= unit);
            most = llabs(x - y) > most ? llabs(x - y) : most;
        }
        free(exact[0]);
        free(exact[1]);
    }
    assert_int_equal(most, unit);
    free(fitted);
    nw__record_clear(&scratch, COLUMNS);
    nw_rng_free(rng);
    nw_queries_free(q);
}

/* (noisy - exact) / sigma over all cells: its sum of squares is chi-squared, within 7 standard deviations sqrt(2 n) of n; a noise
 * of 0.9 sigma is 0.19 n = 7 deviations below at n = 2700. Predicates apart: each in its unit. */
static void synth_release__adds_noise_of_the_stated_sigma(void **state)
{
    (void)state;
    nw_queries *q = make_queries(false);
    const size_t read[] = { Y };
    for (int i = 0; i < 700; i++)
        assert_int_equal(nw_queries_add_predicate(q, half, NULL, read, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_prefixes(q, 1000, 2, 2, NULL), NW_OK);
    nw_table *table = make_table(0, ROWS);
    nw_synth_opts o = options(q, 1.0);
    double *exact = calloc(nw_queries_cells(q), sizeof *exact);
    double sums[2] = { 0.0, 0.0 };
    double cells[2] = { 0.0, 0.0 };
    assert_int_equal(nw_queries_answer(q, table, exact, NULL), NW_OK);
    nw_synth_measurements *measured = release(&o, table, 5);
    const nw__query_results *r = &measured->queries;
    assert_int_equal(r->count, nw_queries_workloads(q));
    for (size_t i = 0, cell = 0; i < r->count; i++) {
        const bool is_predicate = q->workloads[i].kind == NW_QUERY_PREDICATE;
        assert_int_equal(r->chosen[i], i);
        for (uint32_t c = 0; c < q->workloads[i].cells; c++, cell++) {
            const double noise = (double)r->counts[i][c] / nw_queries_get(q, i).unit - exact[cell];
            sums[is_predicate] += noise * noise / (r->sigma[i] * r->sigma[i]);
            cells[is_predicate]++;
        }
    }
    assert_true(cells[0] > 2700.0 && fabs(sums[0] - cells[0]) < 7.0 * sqrt(2.0 * cells[0]));
    assert_true(fabs(sums[1] - cells[1]) < 7.0 * sqrt(2.0 * cells[1]));
    free(exact);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_queries_free(q);
}

/* Where choices are all but exact, the first falls on the one query that 1-ways get wrong; later ones are others. */
static void synth_release__rounds_choose_what_is_most_wrong(void **state)
{
    (void)state;
    nw_queries *q = NULL;
    nw_table *table = make_table(0, ROWS);
    assert_int_equal(nw_queries_new(&q, schema, NULL), NW_OK);
    for (uint32_t v = 0; v < 14; v++) /* single values: the 1-way of x has them */
        assert_int_equal(nw_queries_add_conjunction(q, &(nw_query_term){ X, v, v + 1 }, 1, SIZE_MAX, NULL), NW_OK);
    const nw_query_term both[] = { { C, 2, 3 }, { D, 1, 2 } }; /* a third of the rows; a ninth if they were independent */
    assert_int_equal(nw_queries_add_conjunction(q, both, 2, SIZE_MAX, NULL), NW_OK);
    nw_synth_opts o = options(q, 50.0);
    o.rounds = 5;
    o.per_round = 3;
    o.round_rows = 600;
    nw_synth_measurements *measured = release(&o, table, 2);
    bool are_chosen[15] = { false };
    bool is_first = false;
    assert_int_equal(measured->queries.count, 15);
    for (size_t i = 0; i < 15; i++) {
        assert_false(are_chosen[measured->queries.chosen[i]]);
        are_chosen[measured->queries.chosen[i]] = true;
        is_first = is_first || (i < 3 && measured->queries.chosen[i] == 14);
    }
    assert_true(is_first);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_queries_free(q);
}

/* Counted in parts, merged as handles or as bytes, or in one run: the same noise on the same counts. */
static void synth_merge__adds_queries_as_it_adds_marginals(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    nw_synth_opts o = options(q, 1.0);
    nw_table *whole = make_table(0, ROWS);
    nw_synth_measurements *expected = release(&o, whole, 9);
    nw_synth *parts[3] = { NULL, NULL, NULL };
    nw_synth_measurements *merged = NULL;
    nw_ledger *ledger = ledger_of(1.0, NW_ADD_REMOVE);
    nw_rng *rng = seeded(9);
    const size_t ends[] = { 0, 700, 701, ROWS };
    for (int i = 0; i < 3; i++) {
        nw_table *table = make_table(ends[i], ends[i + 1]);
        assert_int_equal(nw_synth_new(&parts[i], schema, &o, NULL), NW_OK);
        assert_int_equal(nw_synth_add(parts[i], table, NULL), NW_OK);
        nw_table_free(table);
    }
    const size_t size = nw_synth_size(parts[2]);
    uint8_t *bytes = malloc(size);
    assert_int_equal(nw_synth_merge(parts[0], parts[1], NULL), NW_OK);
    assert_int_equal(nw_synth_serialize(parts[2], bytes, size, NULL), NW_OK);
    assert_int_equal(nw_synth_merge_bytes(parts[0], bytes, size, NULL), NW_OK);
    assert_int_equal(nw_synth_release(parts[0], rng, ledger, "x", &merged, NULL, NULL), NW_OK);
    for (size_t i = 0; i < q->count; i++)
        assert_memory_equal(merged->queries.counts[i], expected->queries.counts[i], q->workloads[i].cells * sizeof(int64_t));
    /* other queries, another handle */
    nw_synth *other = NULL;
    nw_queries *fewer = make_queries(false);
    o.queries = fewer;
    assert_int_equal(nw_synth_new(&other, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_merge(parts[1], other, NULL), NW_E_ARG);
    assert_int_equal(nw_synth_merge_bytes(other, bytes, size, NULL), NW_E_FORMAT);
    nw_synth_free(other);
    for (int i = 0; i < 3; i++)
        nw_synth_free(parts[i]);
    nw_synth_measurements_free(expected);
    nw_synth_measurements_free(merged);
    nw_queries_free(fewer);
    nw_queries_free(q);
    nw_table_free(whole);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    free(bytes);
}

static double error_of(const nw_queries *q, const nw_table *real, const nw_table *synthetic)
{
    const size_t cells = nw_queries_cells(q);
    double *x = calloc(cells, sizeof *x);
    double *y = calloc(cells, sizeof *y);
    double sum = 0.0;
    assert_int_equal(nw_queries_answer(q, real, x, NULL), NW_OK);
    assert_int_equal(nw_queries_answer(q, synthetic, y, NULL), NW_OK);
    for (size_t c = 0; c < cells; c++)
        sum += fabs(x[c] / (double)nw_table_rows(real) - y[c] / (double)nw_table_rows(synthetic)) / (double)cells;
    free(x);
    free(y);
    return sum;
}

/* Little noise, 1-ways and queries only: both engines reproduce the answers, which a fit to the 1-ways alone does not. */
static void synth_fit__reproduces_answers_of_every_kind(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    nw_table *table = make_table(0, ROWS);
    nw_synth_opts o = options(q, 30.0);
    nw_synth_measurements *measured = release(&o, table, 1);
    o.queries = NULL;
    nw_synth_measurements *without = release(&o, table, 1);
    double errors[3];
    for (int i = 0; i < 3; i++) {
        nw_table *out = NULL;
        nw_rng *rng = seeded(4);
        nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
        f.engine = i == 2 ? NW_SYNTH_GENETIC : NW_SYNTH_GIBBS;
        f.rows = 800;
        f.query_sweeps = 30;
        assert_int_equal(nw_synth_fit(i == 0 ? without : measured, rng, &f, &out, NULL), NW_OK);
        assert_int_equal(nw_table_rows(out), 800);
        errors[i] = error_of(q, table, out);
        nw_table_free(out);
        nw_rng_free(rng);
    }
    print_message("# error: 1-ways %.5f, queries by moves %.5f, by the genetic search %.5f\n", errors[0], errors[1], errors[2]);
    assert_true(errors[0] > 0.01);
    assert_true(errors[1] < 0.3 * errors[0]);
    assert_true(errors[2] < 0.3 * errors[0]);
    nw_synth_measurements_free(measured);
    nw_synth_measurements_free(without);
    nw_table_free(table);
    nw_queries_free(q);
}

static bool stop_at_queries(void *context, const char *phase, double fraction)
{
    (*(int *)context) += fraction >= 0.0;
    return strcmp(phase, "queries") != 0;
}

static void synth_fit__is_stopped_while_it_moves(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    nw_table *table = make_table(0, 300);
    nw_synth_opts o = options(q, 1.0);
    nw_synth_measurements *measured = release(&o, table, 1);
    nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
    nw_rng *rng = seeded(1);
    nw_table *out = NULL;
    int calls = 0;
    f.progress = stop_at_queries;
    f.progress_context = &calls;
    assert_int_equal(nw_synth_fit(measured, rng, &f, &out, NULL), NW_E_CANCELLED);
    assert_null(out);
    assert_true(calls > 1);
    nw_rng_free(rng);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_queries_free(q);
}

/* No status depends on the records: tables of no row and of few, whatever the engine and the relation. */
static void synth_release__takes_degenerate_tables(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    for (size_t rows = 0; rows < 3; rows++) {
        nw_table *table = make_table(0, rows);
        for (int i = 0; i < 8; i++) {
            nw_synth_opts o = options(q, 1.0);
            nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
            nw_table *out = NULL;
            nw_rng *rng = seeded(1);
            o.adjacency = i % 2 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
            o.rounds = i / 2 % 2 == 0 ? 0 : 2;
            o.round_rows = 3;
            f.engine = i / 4 == 0 ? NW_SYNTH_GIBBS : NW_SYNTH_GENETIC;
            f.generations = 50;
            nw_synth_measurements *measured = release(&o, table, 1);
            assert_int_equal(nw_synth_fit(measured, rng, &f, &out, NULL), NW_OK);
            assert_true(nw_table_rows(out) >= 1);
            nw_table_free(out);
            nw_rng_free(rng);
            nw_synth_measurements_free(measured);
        }
        nw_table_free(table);
    }
    nw_queries_free(q);
}

/* The paper's settings, and its split: each workload as much as each 1-way. */
static void synth_preset__is_the_published_method(void **state)
{
    (void)state;
    nw_error err;
    nw_queries *q = make_queries(false);
    nw_synth_opts o = options(q, 1.0);
    nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
    o.most_ways = 2;
    o.rounds = 4;
    o.per_round = 5;
    assert_int_equal(nw_synth_preset("private-gsd-2023", schema, &o, &f, NULL), NW_OK);
    assert_int_equal(f.engine, NW_SYNTH_GENETIC);
    assert_int_equal(f.rows, 2000);
    assert_int_equal(f.generations, 100000);
    assert_int_equal(o.most_ways, 1);
    assert_int_equal(o.round_rows, 2000);
    assert_true(o.query_share == 20.0 / (20.0 + COLUMNS));
    assert_true(o.epsilon == 1.0 && o.delta == 1e-9 && o.adjacency == NW_ADD_REMOVE);
    o.rounds = 0;
    assert_int_equal(nw_synth_preset("private-gsd-2023", schema, &o, &f, NULL), NW_OK);
    assert_true(o.query_share == (double)q->count / ((double)q->count + COLUMNS));
    assert_int_equal(nw_synth_preset("aim", schema, &o, &f, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "name is \"aim\""));
    o.queries = NULL;
    assert_int_equal(nw_synth_preset("private-gsd-2023", schema, &o, &f, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "queries is NULL"));
    nw_queries_free(q);
}

static void refuse_of(const nw_schema *s, const nw_synth_opts *o, nw_status status, const char *word)
{
    nw_error err;
    nw_synth *synth = NULL;
    assert_int_equal(nw_synth_new(&synth, s, o, &err), status);
    assert_null(synth);
    if (strstr(err.message, word) == NULL)
        fail_msg("%s does not say %s", err.message, word);
}

static void refuse(const nw_synth_opts *o, const char *word)
{
    refuse_of(schema, o, NW_E_ARG, word);
}

static void synth_new__refuses_each_bad_query_option_by_name(void **state)
{
    (void)state;
    nw_queries *q = make_queries(false);
    nw_queries *empty = NULL;
    nw_queries *foreign = NULL;
    nw_schema *other = NULL;
    assert_int_equal(nw_queries_new(&empty, schema, NULL), NW_OK);
    assert_int_equal(nw_schema_parse(&other, "{\"a\": 3}", 0, NULL), NW_OK);
    assert_int_equal(nw_queries_new(&foreign, other, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(foreign, 1, NULL), NW_OK);
    const nw_synth_opts good = options(q, 1.0);
    nw_synth_opts o = good;
    o.queries = empty;
    refuse(&o, "queries is empty");
    o.queries = foreign;
    refuse(&o, "another schema");
    o = good;
    o.query_share = 1.0;
    refuse(&o, "query_share is 1");
    o = good;
    o.most_ways = 3;
    refuse(&o, "most_ways is 3");
    o = good;
    o.rounds = 10;
    o.per_round = 1000;
    refuse(&o, "per_round is 1000");
    o.per_round = 0;
    refuse(&o, "per_round is 0");
    o.per_round = 1;
    o.round_rows = 0;
    refuse(&o, "round_rows is 0");
    o = good;
    o.queries = NULL;
    o.rounds = 1;
    refuse(&o, "rounds is 1");
    nw_queries_free(q);
    nw_queries_free(empty);
    nw_queries_free(foreign);
    nw_schema_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_event__spends_the_budget_on_queries_too),
        cmocka_unit_test(query_plan_event__is_that_of_its_rounds),
        cmocka_unit_test(query_score__moves_by_at_most_one_record),
        cmocka_unit_test(synth_release__adds_noise_of_the_stated_sigma),
        cmocka_unit_test(synth_release__rounds_choose_what_is_most_wrong),
        cmocka_unit_test(synth_merge__adds_queries_as_it_adds_marginals),
        cmocka_unit_test(synth_fit__reproduces_answers_of_every_kind),
        cmocka_unit_test(synth_fit__is_stopped_while_it_moves),
        cmocka_unit_test(synth_release__takes_degenerate_tables),
        cmocka_unit_test(synth_preset__is_the_published_method),
        cmocka_unit_test(synth_new__refuses_each_bad_query_option_by_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
