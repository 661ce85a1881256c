/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_adaptive.c - rounds that choose what is measured: scores, what they cost, and a release of them. */
#include "adaptive.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double MEAN_MAGNITUDE = 0.79788456080286535588; /* sqrt(2 / pi) */

/* ---- scores ---- */

static void round_score__is_the_distance_less_what_chance_makes(void **state)
{
    int64_t exact[12] = { 9, 0, 4, 7, 1, 1, 30, 2, 0, 0, 5, 11 };
    const int64_t fitted[12] = { 3, 1, 2, 2, 0, 4, 9, 1, 0, 6, 2, 5 };
    const double scale = 2.3;
    const double sigma = 1.7;
    (void)state;
    for (size_t ways = 2; ways <= 3; ways++) {
        const nw__marginal m = { 0, 1, 2, ways == 2 ? 6 : 3, 0.0, exact, ways == 2 ? 0 : 2, ways == 2 ? 0 : 2 };
        double distance = 0.0;
        double chance = 0.0;
        for (size_t c = 0; c < 12; c++) {
            distance += fabs((double)exact[c] - round(scale * (double)fitted[c]));
            chance += MEAN_MAGNITUDE * (sigma + sqrt(scale * (double)fitted[c] * (1.0 + scale)));
        }
        assert_int_equal(nw__round_score(&m, fitted, scale, sigma), (int64_t)ways * ((int64_t)distance - llround(chance)));
    }
}

static void round_score__stays_within_what_a_choice_takes(void **state)
{
    int64_t exact[2] = { INT64_C(1) << 60, INT64_C(1) << 60 };
    const int64_t fitted[2] = { 0, 0 };
    const nw__marginal m = { 0, 1, 2, 1, 0.0, exact, 0, 0 };
    (void)state;
    assert_int_equal(nw__round_score(&m, fitted, 1.0, 1.0), INT64_C(1) << 60);
    exact[0] = exact[1] = 0;
    assert_int_equal(nw__round_score(&m, fitted, 1.0, 0x1p62), -(INT64_C(1) << 60));
}

/* Adds `change` to the counts of cell `record` of each of the candidates over a domain of 2 x 2 x 2. */
static void count(nw__marginal *candidates, unsigned record, int64_t change)
{
    for (size_t i = 0; i < 4; i++) {
        unsigned cell = 0;
        for (size_t k = 0; k < nw__marginal_ways(&candidates[i]); k++)
            cell = 2 * cell + (record >> nw__marginal_column(&candidates[i], k) & 1);
        candidates[i].counts[cell] += change;
    }
}

/* All tables of two records of a 2 x 2 x 2 domain, all their neighbours, some fitted tables. */
static void round_score__moves_by_its_sensitivity_and_no_more(void **state)
{
    int64_t counts[4][8];
    nw__marginal candidates[4] = { { 0, 1, 2, 2, 0.0, counts[0], 0, 0 }, { 0, 2, 2, 2, 0.0, counts[1], 0, 0 },
        { 1, 2, 2, 2, 0.0, counts[2], 0, 0 }, { 0, 1, 2, 2, 0.0, counts[3], 2, 2 } };
    static const int64_t fitted[3][8] = { { 0 }, { 1, 0, 2, 0, 0, 1, 1, 0 }, { 3, 3, 3, 3, 3, 3, 3, 3 } };
    (void)state;
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        const nw__plan plan = { .sensitivity = { is_replaced ? nextafter(nextafter(sqrt(2.0), 2.0), INFINITY) : 1.0,
                                    is_replaced ? NW_REPLACE_ONE : NW_ADD_REMOVE } };
        int64_t furthest = 0;
        for (unsigned x = 0; x < 8 * 8 * 8; x++) { /* records x / 64 and x / 8 % 8; x % 8 comes, the second may go */
            for (size_t f = 0; f < 3; f++) {
                int64_t before[4];
                memset(counts, 0, sizeof counts);
                count(candidates, x / 64, 1);
                count(candidates, x / 8 % 8, 1);
                for (size_t i = 0; i < 4; i++)
                    before[i] = nw__round_score(&candidates[i], fitted[f], 1.5, 0.25);
                count(candidates, x % 8, 1);
                if (is_replaced)
                    count(candidates, x / 8 % 8, -1);
                for (size_t i = 0; i < 4; i++) {
                    const int64_t change = llabs(nw__round_score(&candidates[i], fitted[f], 1.5, 0.25) - before[i]);
                    furthest = change > furthest ? change : furthest;
                }
            }
        }
        assert_int_equal(furthest, is_replaced ? 6 : 3);
        assert_int_equal(nw__score_sensitivity(&plan, candidates, 4), furthest);
        assert_int_equal(nw__score_sensitivity(&plan, candidates, 3), furthest / 3 * 2);
    }
}

static void score_sensitivity__grows_with_the_rows_of_a_unit(void **state)
{
    const nw__marginal pair = { 0, 1, 2, 2, 0.0, NULL, 0, 0 };
    (void)state;
    for (uint32_t k = 1; k < 100; k++) {
        const nw__plan added = { .sensitivity = { k, NW_ADD_REMOVE } };
        const nw__plan replaced = { .sensitivity = { nextafter(k * nextafter(sqrt(2.0), 2.0), INFINITY), NW_REPLACE_ONE } };
        assert_int_equal(nw__score_sensitivity(&added, &pair, 1), 2 * k);
        assert_int_equal(nw__score_sensitivity(&replaced, &pair, 1), 4 * k);
    }
}

static void is_annealed__compares_the_change_with_the_noise(void **state)
{
    const nw__marginal m = { 0, 1, 2, 2, 0.0, NULL, 0, 0 };
    const int64_t before[4] = { 10, 20, 30, 40 };
    const int64_t after[4] = { 13, 17, 34, 36 }; /* a change of 14 rows */
    (void)state;
    const double edge = 14.0 * 2.5 / (4.0 * MEAN_MAGNITUDE);
    assert_true(nw__is_annealed(&m, before, after, 2.5, edge * 1.0001));
    assert_false(nw__is_annealed(&m, before, after, 2.5, edge * 0.9999));
}

/* ---- the budget ---- */

/* The accountant's own cost of a round is at most its allotment, and nearly all of it. */
static void allot__spends_its_part_and_no_more(void **state)
{
    (void)state;
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        const nw_adjacency adjacency = is_replaced ? NW_REPLACE_ONE : NW_ADD_REMOVE;
        const nw__plan plan = { .sensitivity = { is_replaced ? nextafter(sqrt(2.0), 2.0) : 1.0, adjacency } };
        for (double mu_squared = 1e-9; mu_squared < 20.0; mu_squared *= 3.0) {
            const nw__allotment a = nw__allot(&plan, mu_squared);
            nw_event *leaves[2] = { NULL, NULL };
            nw_event *round = NULL;
            nw_cost cost;
            assert_int_equal(nw_event_selection(&leaves[0], NW_EVENT_EXPONENTIAL, a.epsilon, adjacency, NULL), NW_OK);
            assert_int_equal(nw_event_noise(&leaves[1], NW_EVENT_ROUNDED_GAUSSIAN, a.sigma, plan.sensitivity, 4, NULL), NW_OK);
            assert_int_equal(nw_event_composed(&round, (const nw_event *const *)leaves, 2, NULL), NW_OK);
            assert_int_equal(nw_event_cost(round, adjacency, &cost, NULL), NW_OK);
            assert_true(cost.mu_squared <= mu_squared);
            assert_true(cost.mu_squared > mu_squared * (1.0 - 1e-9));
            nw_event_free(round);
            nw_event_free(leaves[0]);
            nw_event_free(leaves[1]);
        }
    }
}

/* Whatever the rounds anneal, they end with the limit spent and never above it. */
static void filter__spends_the_limit_and_no_more(void **state)
{
    nw_rng *rng = NULL;
    (void)state;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    for (int run = 0; run < 2000; run++) {
        nw__filter filter = { exp((double)nw__rng_u32(rng) * 0x1p-28 - 12.0), 0.0 };
        const size_t most = 1 + nw__rng_u32(rng) % 300;
        double wanted = filter.limit / (double)most;
        long double spent = 0.0L;
        size_t rounds = 0;
        for (double next; (next = nw__filter_next(&filter, wanted)) > 0.0; rounds++) {
            nw__filter_spend(&filter, next);
            assert_true(next >= wanted * (1.0 - 1e-9) || nw__filter_next(&filter, wanted) == 0.0);
            spent += next;
            wanted *= nw__rng_u32(rng) % 8 == 0 ? 4.0 : 1.0;
        }
        assert_true(rounds >= 1 && rounds <= most);
        assert_true(spent <= filter.limit);
        assert_true(spent > filter.limit * (1.0L - 1e-9L));
    }
    nw_rng_free(rng);
}

/* ---- a release ---- */

enum { COLUMNS = 5, ROWS = 3000 };
static const char SCHEMA[] = "{\"a\": 2, \"b\": 2, \"c\": 2, \"d\": 4, \"e\": 4}";

typedef struct scene {
    nw_schema *schema;
    nw_table *table;
} scene;
static scene s;

/* a and b are coins, c is whether they differ, d is free and e is d. */
static int setup(void **state)
{
    nw_rng *rng = NULL;
    (void)state;
    assert_int_equal(nw_schema_parse(&s.schema, SCHEMA, 0, NULL), NW_OK);
    assert_int_equal(nw_table_new(&s.table, s.schema, ROWS, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    for (size_t i = 0; i < ROWS; i++) {
        const uint32_t draw = nw__rng_u32(rng);
        const uint16_t a = draw & 1;
        const uint16_t b = draw >> 1 & 1;
        const uint16_t d = draw >> 2 & 3;
        const uint16_t codes[COLUMNS] = { a, b, a ^ b, d, d };
        for (size_t j = 0; j < COLUMNS; j++)
            assert_int_equal(nw_table_set(s.table, j, i, 1, &codes[j], NULL), NW_OK);
    }
    nw_rng_free(rng);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nw_table_free(s.table);
    nw_schema_free(s.schema);
    return 0;
}

static nw_synth_opts adaptive(double epsilon)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.select = NW_SYNTH_SELECT_ADAPTIVE;
    o.most_ways = 3;
    o.threads = 1;
    return o;
}

static nw_ledger *ledger_of(double epsilon, nw_adjacency adjacency)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.epsilon = epsilon;
    lo.delta = 1e-9;
    lo.adjacency = adjacency;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    return ledger;
}

/* From the table (parts = 0), or counted in as many parts and merged. */
static nw_synth_measurements *release(const nw_synth_opts *o, const nw_table *table, size_t parts, uint64_t seed)
{
    nw_synth *synth = NULL;
    nw_rng *rng = NULL;
    nw_table *fitted = NULL;
    nw_synth_measurements *measured = NULL;
    nw_receipt receipt;
    nw_ledger *ledger = ledger_of(o->epsilon, o->adjacency);
    assert_int_equal(nw_synth_new(&synth, s.schema, o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    if (parts == 0) {
        assert_int_equal(nw_synth_run(synth, rng, ledger, table, NULL, &fitted, &measured, &receipt, NULL), NW_OK);
    } else {
        assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
        assert_int_equal(nw_synth_release(synth, rng, ledger, "rounds", &measured, &receipt, NULL), NW_OK);
    }
    assert_true(receipt.head[0] != '\0');
    nw_table_free(fitted);
    nw_rng_free(rng);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    return measured;
}

static void assert_same(const nw_synth_measurements *x, const nw_synth_measurements *y)
{
    assert_int_equal(nw_synth_measurements_count(x), nw_synth_measurements_count(y));
    for (size_t i = 0; i < nw_synth_measurements_count(x); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(x, i);
        const nw_synth_measurement other = nw_synth_measurements_get(y, i);
        assert_memory_equal(m.columns, other.columns, sizeof m.columns);
        assert_true(m.sigma == other.sigma);
        assert_memory_equal(nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i), m.cells * sizeof(int64_t));
    }
}

static void rounds_measure__depends_on_seed_and_table_only(void **state)
{
    nw_synth_opts o = adaptive(2.0);
    (void)state;
    nw_synth_measurements *one = release(&o, s.table, 0, 5);
    nw_synth_measurements *counted = release(&o, s.table, 1, 5);
    o.threads = 4;
    nw_synth_measurements *four = release(&o, s.table, 0, 5);
    assert_same(one, four);
    assert_same(one, counted); /* exact counts of parts are the table's, of 3-ways too */
    nw_synth_measurements_free(one);
    nw_synth_measurements_free(counted);
    nw_synth_measurements_free(four);
}

/* What is measured costs less than what was charged, which is the budget: the rest paid for the choices. */
static void rounds_measure__stays_within_the_charge(void **state)
{
    (void)state;
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        nw_synth_opts o = adaptive(1.0);
        o.adjacency = is_replaced ? NW_REPLACE_ONE : NW_ADD_REMOVE;
        const double squared = is_replaced ? 2.0 : 1.0;
        for (uint64_t seed = 0; seed < 5; seed++) {
            nw_synth_measurements *measured = release(&o, s.table, 0, seed);
            nw_cost cost;
            double mu_squared = 0.0;
            for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
                const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
                mu_squared += squared / (m.sigma * m.sigma);
            }
            assert_int_equal(nw_event_cost(nw_synth_measurements_event(measured), o.adjacency, &cost, NULL), NW_OK);
            assert_true(mu_squared < cost.mu_squared && mu_squared > 0.9 * cost.mu_squared);
            nw_synth_measurements_free(measured);
        }
    }
}

static bool has(const nw_synth_measurements *measured, size_t a, size_t b, size_t c)
{
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        if (m.columns[0] == a && m.columns[1] == b && m.columns[2] == c)
            return true;
    }
    return false;
}

/* Two columns that are the same and three of which the third depends on both, and on neither alone: no 2-way shows that. */
static void rounds_measure__finds_what_depends_on_what(void **state)
{
    const nw_synth_opts o = adaptive(3.0);
    nw_rng *rng = NULL;
    nw_table *fitted = NULL;
    uint16_t codes[COLUMNS][ROWS + 100];
    size_t wrong[2] = { 0, 0 };
    (void)state;
    nw_synth_measurements *measured = release(&o, s.table, 0, 2);
    assert_true(has(measured, 3, 4, SIZE_MAX) || has(measured, 0, 3, 4) || has(measured, 1, 3, 4) || has(measured, 2, 3, 4));
    assert_true(has(measured, 0, 1, 2));
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 4, NULL), NW_OK);
    assert_int_equal(nw_synth_fit(measured, rng, NULL, &fitted, NULL), NW_OK);
    const size_t rows = nw_table_rows(fitted);
    assert_true(rows > ROWS - 100 && rows < ROWS + 100);
    for (size_t j = 0; j < COLUMNS; j++)
        assert_int_equal(nw_table_get(fitted, j, 0, rows, codes[j], NULL), NW_OK);
    for (size_t i = 0; i < rows; i++) {
        wrong[0] += codes[2][i] != (codes[0][i] ^ codes[1][i]);
        wrong[1] += codes[3][i] != codes[4][i];
    }
    assert_true(wrong[0] < rows / 20 && wrong[1] < rows / 20); /* by chance a half and three quarters */
    nw_table_free(fitted);
    nw_rng_free(rng);
    nw_synth_measurements_free(measured);
}

static void measurements_write__keeps_triples(void **state)
{
    const nw_synth_opts o = adaptive(3.0);
    char path[] = "/tmp/nw-rounds-XXXXXX";
    nw_synth_measurements *back = NULL;
    (void)state;
    close(mkstemp(path));
    nw_synth_measurements *measured = release(&o, s.table, 0, 2);
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_read(&back, s.schema, path, NULL), NW_OK);
    assert_same(measured, back);
    unlink(path);
    nw_synth_measurements_free(measured);
    nw_synth_measurements_free(back);
}

/* A table of few records for the noise: its 1-ways are measured twice, and no 2-way loses its place. */
static void auto_select__measures_one_ways_again_where_noise_is_large(void **state)
{
    nw_synth_opts o = adaptive(0.1);
    double sigma[2][2];
    (void)state;
    o.most_ways = 2;
    for (int is_auto = 0; is_auto < 2; is_auto++) {
        o.select = is_auto ? NW_SYNTH_SELECT_AUTO : NW_SYNTH_SELECT_ALL;
        nw_synth_measurements *measured = release(&o, s.table, is_auto == 0, 2);
        nw_cost cost;
        double mu_squared = 0.0;
        assert_int_equal(nw_synth_measurements_count(measured), 5 + 10);
        for (size_t i = 0; i < 15; i++)
            mu_squared += pow(nw_synth_measurements_get(measured, i).sigma, -2.0);
        assert_int_equal(nw_event_cost(nw_synth_measurements_event(measured), NW_ADD_REMOVE, &cost, NULL), NW_OK);
        assert_true(mu_squared <= cost.mu_squared && mu_squared > cost.mu_squared * (1.0 - 1e-9));
        for (size_t k = 0; k < 2; k++)
            sigma[is_auto][k] = nw_synth_measurements_get(measured, k * 5).sigma;
        nw_synth_measurements_free(measured);
    }
    /* 3000 records are some 13 standard deviations of a 2-way: the 1-ways get 0.6 instead of 0.1 */
    assert_true(fabs(sigma[1][0] / sigma[0][0] - sqrt(0.1 / 0.6)) < 1e-6);
    assert_true(fabs(sigma[1][1] / sigma[0][1] - sqrt(0.9 / 0.4)) < 1e-6);
}

/* ---- candidates and refusals ---- */

static void synth_new__bounds_the_cells_of_candidates(void **state)
{
    static const uint64_t budgets[] = { 7, 103, 104, 200 };
    (void)state;
    /* 3-ways: one of 8 cells, six of 16, three of 32; from 2^16 down the limit is halved until all within it fit */
    static const size_t expected[] = { 0, 1, 7, 10 };
    for (size_t b = 0; b < 4; b++) {
        nw_synth_opts o = adaptive(1.0);
        nw_synth *synth = NULL;
        o.candidate_cells = budgets[b];
        assert_int_equal(nw_synth_new(&synth, s.schema, &o, NULL), NW_OK);
        assert_int_equal(nw_synth_plan_candidates(synth), 10 + expected[b]);
        assert_int_equal(nw_synth_plan_size(synth), 5);
        nw_synth_free(synth);
    }
}

static void refuse(const nw_schema *schema, const nw_synth_opts *o, nw_status status, const char *text)
{
    nw_error err;
    nw_synth *synth = NULL;
    assert_int_equal(nw_synth_new(&synth, schema, o, &err), status);
    assert_null(synth);
    assert_non_null(strstr(err.message, text));
}

static void synth_new__refuses_selections_that_cannot_be(void **state)
{
    nw_synth_opts o = adaptive(1.0);
    nw_queries *queries = NULL;
    nw_schema *ruled = NULL;
    (void)state;
    o.select = (nw_synth_select)3;
    refuse(s.schema, &o, NW_E_ARG, "select is 3");
    o.select = NW_SYNTH_SELECT_AUTO;
    refuse(s.schema, &o, NW_E_ARG, "most_ways is 3, must be in 1..2 if select is auto");
    o.select = NW_SYNTH_SELECT_ADAPTIVE;
    o.most_ways = 4;
    refuse(s.schema, &o, NW_E_ARG, "most_ways is 4, must be in 1..3 if select is adaptive");
    o.most_ways = 3;
    assert_int_equal(nw_constraints_parse(&ruled, s.schema,
                         "{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": [{\"forbid\": {\"all\": ["
                         "{\"column\": \"a\", \"equals\": 1}, {\"column\": \"b\", \"equals\": 1}]}}]}",
                         NULL),
        NW_OK);
    refuse(ruled, &o, NW_E_UNSUPPORTED, "most_ways is 3, must be at most 2 with a schema with rules");
    assert_int_equal(nw_queries_new(&queries, s.schema, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(queries, 1, NULL), NW_OK);
    o.queries = queries;
    refuse(s.schema, &o, NW_E_UNSUPPORTED, "select is adaptive");
    nw_queries_free(queries);
    nw_schema_free(ruled);
}

static void synth_run__refused_by_the_ledger_measures_nothing(void **state)
{
    const nw_synth_opts o = adaptive(1.0);
    nw_synth *synth = NULL;
    nw_rng *rng = NULL;
    nw_table *fitted = NULL;
    nw_receipt receipt;
    nw_error err;
    (void)state;
    nw_ledger *ledger = ledger_of(0.9, NW_ADD_REMOVE);
    assert_int_equal(nw_synth_new(&synth, s.schema, &o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 5, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, s.table, NULL, &fitted, NULL, &receipt, &err), NW_E_BUDGET);
    assert_null(fitted);
    assert_true(receipt.head[0] == '\0');
    nw_rng_free(rng);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
}

static void synth_run__takes_tables_of_no_records(void **state)
{
    nw_table *empty = NULL;
    const nw_synth_opts o = adaptive(1.0);
    (void)state;
    assert_int_equal(nw_table_new(&empty, s.schema, 0, NULL), NW_OK);
    nw_synth_measurements *measured = release(&o, empty, 0, 6);
    assert_true(nw_synth_measurements_count(measured) > 5);
    nw_synth_measurements_free(measured);
    nw_table_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_score__is_the_distance_less_what_chance_makes),
        cmocka_unit_test(round_score__stays_within_what_a_choice_takes),
        cmocka_unit_test(round_score__moves_by_its_sensitivity_and_no_more),
        cmocka_unit_test(score_sensitivity__grows_with_the_rows_of_a_unit),
        cmocka_unit_test(is_annealed__compares_the_change_with_the_noise),
        cmocka_unit_test(allot__spends_its_part_and_no_more),
        cmocka_unit_test(filter__spends_the_limit_and_no_more),
        cmocka_unit_test(rounds_measure__depends_on_seed_and_table_only),
        cmocka_unit_test(rounds_measure__stays_within_the_charge),
        cmocka_unit_test(rounds_measure__finds_what_depends_on_what),
        cmocka_unit_test(measurements_write__keeps_triples),
        cmocka_unit_test(auto_select__measures_one_ways_again_where_noise_is_large),
        cmocka_unit_test(synth_new__bounds_the_cells_of_candidates),
        cmocka_unit_test(synth_new__refuses_selections_that_cannot_be),
        cmocka_unit_test(synth_run__refused_by_the_ledger_measures_nothing),
        cmocka_unit_test(synth_run__takes_tables_of_no_records),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
