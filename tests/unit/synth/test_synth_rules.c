/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth_rules.c - the Gibbs engine within rules: its law by enumeration, and tables that break none. */
#include "../../../mechanisms/synth/gibbs.c" /* the file under test, for its static functions */

#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#define RULES(list) "{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": [" list "]}"

static nw_schema *constrained(const char *schema_json, uint32_t max_bins, const char *rules)
{
    nw_schema *schema = NULL;
    nw_schema *out = NULL;
    nw_error err;
    if (nw_schema_parse(&schema, schema_json, max_bins, &err) != NW_OK ||
        nw_constraints_parse(&out, schema, rules, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_schema_free(schema);
    return out;
}

/* ---- the law, on domains that can be enumerated ---- */

enum { MAX_COLUMNS = 4, MAX_ROWS = 3 };

typedef struct fixture {
    nw_schema *schema;
    nw__plan plan;
    nw__reference reference;
    nw__marginal marginals[MAX_COLUMNS * MAX_COLUMNS];
    nw__coding codings[MAX_COLUMNS];
    uint32_t cells[MAX_COLUMNS];
    float *log_p[MAX_COLUMNS];
    float *factors[MAX_COLUMNS * MAX_COLUMNS];
    uint16_t codes[MAX_COLUMNS * MAX_ROWS];
    uint16_t *columns[MAX_COLUMNS];
    size_t rows;
    nw__chain chain;
    nw_rng *rng;
    nw__gibbs e;
} fixture;

/* Arbitrary noisy counts and reference laws; every pair but the last is measured. */
static void setup(fixture *f, nw_schema *schema, size_t rows, double temperature)
{
    size_t m = 0;
    memset(f, 0, sizeof *f);
    assert_int_equal(nw_rng_new_insecure_seeded(&f->rng, 3, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(f->rng, NULL), NW_OK);
    f->schema = schema;
    f->rows = rows;
    const size_t columns = nw_schema_columns(schema);
    for (size_t j = 0; j < columns; j++) {
        f->cells[j] = nw_schema_column(schema, j).cells;
        f->codings[j] = (nw__coding){ f->cells[j], NULL };
        f->columns[j] = f->codes + j * rows;
        f->log_p[j] = calloc(f->cells[j], sizeof(float));
        for (uint32_t v = 0; v < f->cells[j]; v++)
            f->log_p[j][v] = -0.4f * (float)((v * 7 + j) % 4);
        f->marginals[m++] = (nw__marginal){ j, NW__ONE_WAY, f->cells[j], 1, 1.5, NULL, 0, 0 };
    }
    for (size_t a = 0; a < columns; a++)
        for (size_t b = a + 1; b < columns; b++)
            if (a + 2 < columns || columns == 2)
                f->marginals[m++] = (nw__marginal){ a, b, f->cells[a], f->cells[b], 1.0 + (double)b / 4.0, NULL, 0, 0 };
    for (size_t i = 0; i < m; i++) {
        f->marginals[i].counts = calloc(nw__marginal_cells(&f->marginals[i]), sizeof(int64_t));
        for (size_t c = 0; c < nw__marginal_cells(&f->marginals[i]); c++)
            f->marginals[i].counts[c] = (int64_t)(nw__rng_u32(f->rng) % 5) - 1;
    }
    f->plan = (nw__plan){ .columns = columns, .cells = f->cells, .marginals = f->marginals, .marginal_count = m };
    f->reference = (nw__reference){ .total = 4.0, .columns = columns, .log_p = f->log_p };
    f->chain = (nw__chain){ .plan = &f->plan,
        .reference = &f->reference,
        .rows = rows,
        .sweeps = 1,
        .heat = 1.0,
        .codes = f->codes,
        .schema = schema,
        .codings = f->codings };
    for (size_t i = 0; i < m; i++) {
        f->factors[i] = calloc(nw__marginal_cells(&f->marginals[i]), sizeof(float));
        if (f->marginals[i].b != NW__ONE_WAY)
            assert_int_equal(nw__evidence_make(&f->reference, &f->marginals[i], f->factors[i], NULL), NW_OK);
    }
    assert_int_equal(engine_make(&f->e, &f->chain, temperature, NULL), NW_OK);
    assert_int_equal(nw__chain_start(&f->chain, f->rng, NULL), NW_OK);
    assert_int_equal(nw__keeper_mend(f->e.keeper, f->columns, rows, f->log_p, f->rng, NULL), NW_OK);
    count_all_rows(&f->e, f->columns, rows);
}

static void teardown(fixture *f)
{
    engine_clear(&f->e);
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        free(f->marginals[i].counts);
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        free(f->factors[i]);
    for (size_t j = 0; j < f->plan.columns; j++)
        free(f->log_p[j]);
    nw_rng_free(f->rng);
    nw_schema_free(f->schema);
}

/* log pi of the whole table as it stands, by the comment at the head of gibbs.c. */
static double log_density(const fixture *f, double temperature)
{
    double sum = 0.0;
    for (size_t r = 0; r < f->rows; r++)
        for (size_t j = 0; j < f->plan.columns; j++)
            sum += (double)f->log_p[j][f->columns[j][r]];
    for (size_t i = 0; i < f->plan.marginal_count; i++) {
        const nw__marginal *m = &f->marginals[i];
        const bool is_one_way = m->b == NW__ONE_WAY;
        for (uint32_t u = 0; u < m->cells_a; u++) {
            for (uint32_t v = 0; v < m->cells_b; v++) {
                const size_t c = u * m->cells_b + v;
                const double factor = is_one_way ? ONE_WAY_FACTOR : (double)f->factors[i][c];
                const double target = is_one_way ? (double)f->rows * exp((double)f->log_p[m->a][u])
                                                 : (double)m->counts[c] * (double)f->rows / f->reference.total;
                double s = 0.0;
                for (size_t r = 0; r < f->rows; r++)
                    s += f->columns[m->a][r] == u && (is_one_way || f->columns[m->b][r] == v);
                /* one more row in a cell of s rows changes this by w (s - t): the step's logit */
                sum -= factor / (m->sigma * m->sigma * temperature) * (s * (s - 1.0) / 2.0 - target * s);
            }
        }
    }
    return sum;
}

static bool row_is_kept(const fixture *f, const uint16_t *codes)
{
    const nw__rules *rules = f->schema->rules;
    int64_t k[MAX_COLUMNS];
    bool is_found = false;
    for (size_t i = 0; i < rules->count; i++)
        if (nw__rule_truth(rules, i, codes, codes) == NW__FALSE)
            return false;
    assert_int_equal(nw__rules_solve(rules, codes, codes, SIZE_MAX, NULL, NULL, k, &is_found, NULL), NW_OK);
    return is_found;
}

/* Probabilities of all rows' states, in the order of their codes read as digits. Returns how many states keep the rules. */
static size_t enumerate(fixture *f, double temperature, double *p, size_t *row_states)
{
    const size_t columns = f->plan.columns;
    size_t all = 1;
    size_t kept = 0;
    double total = 0.0;
    uint16_t before[MAX_COLUMNS * MAX_ROWS];
    memcpy(before, f->codes, sizeof before);
    *row_states = 1;
    for (size_t j = 0; j < columns; j++)
        *row_states *= f->cells[j];
    for (size_t r = 0; r < f->rows; r++)
        all *= *row_states;
    for (size_t state = 0; state < all; state++) {
        size_t rest = state;
        bool is_kept = true;
        for (size_t r = f->rows; r-- > 0;) {
            uint16_t codes[MAX_COLUMNS];
            for (size_t j = columns; j-- > 0; rest /= f->cells[j])
                codes[j] = f->columns[j][r] = (uint16_t)(rest % f->cells[j]);
            is_kept = is_kept && row_is_kept(f, codes);
        }
        p[state] = is_kept ? exp(log_density(f, temperature)) : 0.0;
        kept += is_kept;
        total += p[state];
    }
    for (size_t state = 0; state < all; state++)
        p[state] /= total;
    memcpy(f->codes, before, sizeof before);
    return kept;
}

static size_t state_of(const fixture *f)
{
    size_t state = 0;
    for (size_t r = 0; r < f->rows; r++)
        for (size_t j = 0; j < f->plan.columns; j++)
            state = state * f->cells[j] + f->columns[j][r];
    return state;
}

/* After many sweeps every state has been seen as often as the law says, and none that breaks a rule. */
static void expect_law(nw_schema *schema, size_t rows, double temperature, double accuracy)
{
    enum { SWEEPS = 60000, MAX_STATES = 20000 };
    fixture f;
    size_t row_states;
    double *p = calloc(MAX_STATES, sizeof *p);
    double *seen = calloc(MAX_STATES, sizeof *seen);
    setup(&f, schema, rows, temperature);
    const size_t kept = enumerate(&f, temperature, p, &row_states);
    assert_true(kept > 1);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t r = 0; r < rows; r++)
            resample_row(&f.e, f.columns, r, f.rng);
        seen[state_of(&f)] += 1.0 / SWEEPS;
    }
    double distance = 0.0;
    for (size_t state = 0; state < MAX_STATES; state++) {
        distance += fabs(seen[state] - p[state]) / 2.0;
        if (p[state] == 0.0)
            assert_true(seen[state] == 0.0);
    }
    print_message("# %zu states within the rules, distance %.4f\n", kept, distance);
    assert_true(distance < accuracy);
    free(p);
    free(seen);
    teardown(&f);
}

static void resample_row__has_the_law_restricted_to_the_rules(void **state)
{
    (void)state;
    expect_law(constrained("{\"a\": 3, \"b\": 3}", 0,
                   RULES("{\"if\": {\"column\": \"a\", \"equals\": 0}, \"then\": {\"column\": \"b\", \"at_least\": 1}}")),
        2, 1.0, 0.03);
    expect_law(constrained("{\"a\": 4, \"b\": 4, \"c\": 2}", 0,
                   RULES("{\"order\": [\"a\", \"b\"]}, {\"forbid\": {\"all\": [{\"column\": \"a\", \"equals\": 2}, {\"column\": "
                         "\"c\", \"equals\": 1}]}}")),
        2, 1.0, 0.03);
}

static void resample_row__moves_functions_with_their_inputs(void **state)
{
    (void)state;
    expect_law(constrained(
                   "{\"a\": 4, \"b\": {\"type\": \"categorical\", \"values\": [\"p\", \"q\"], \"nullable\": false}, \"c\": 3}", 0,
                   RULES("{\"function\": {\"from\": \"a\", \"to\": \"b\", \"table\": [[0, \"p\"], [1, \"p\"], [2, \"q\"], [3, "
                         "\"q\"]]}}")),
        2, 1.0, 0.03);
    /* two inputs, a chain of functions, one pair of inputs without a result */
    expect_law(
        constrained("{\"a\": 3, \"c\": 4, \"b\": 2, \"d\": 2}", 0,
            RULES("{\"function\": {\"from\": [\"a\", \"b\"], \"to\": \"c\", \"table\": [[0, 0, 0], [0, 1, 1], [1, 0, 2], [1, "
                  "1, 3], [2, 1, 0]]}}, {\"function\": {\"from\": \"c\", \"to\": \"d\", \"table\": [[0, 0], [1, 1], [2, 1], [3, "
                  "0]]}}")),
        2, 1.0, 0.03);
}

static void resample_row__keeps_sums_inside_of_bins(void **state)
{
    (void)state;
    /* bins of two and three values: some combinations of codes hold a solution, some only seem to */
    expect_law(
        constrained("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 5, \"nullable\": false}, \"b\": {\"type\": \"int\", "
                    "\"lower\": 0, \"upper\": 5, \"nullable\": false}, \"c\": {\"type\": \"int\", \"lower\": 0, \"upper\": 8, "
                    "\"nullable\": false}}",
            3,
            RULES("{\"linear\": {\"a\": 2, \"b\": 3, \"c\": -1}, \"equals\": 1}, {\"linear\": {\"a\": 1, \"b\": 1}, "
                  "\"at_most\": 4}")),
        2, 1.0, 0.03);
}

/* ---- whole tables ---- */

#define WIDE_SCHEMA                                                                                                              \
    "{\"age\": {\"type\": \"int\", \"lower\": 0, \"upper\": 94}, \"pay\": {\"type\": \"int\", \"lower\": -500, \"upper\": "      \
    "100000}, \"bracket\": {\"type\": \"categorical\", \"values\": [\"low\", \"mid\", \"high\"]}, \"start\": {\"type\": "        \
    "\"date\", \"lower\": \"2000-01-01\", \"upper\": \"2020-12-31\"}, \"end\": {\"type\": \"date\", \"lower\": \"2000-01-01\", " \
    "\"upper\": \"2020-12-31\"}, \"wages\": {\"type\": \"float\", \"lower\": 0, \"upper\": 900, \"step\": 0.5}, \"rent\": "      \
    "{\"type\": \"float\", \"lower\": 0, \"upper\": 300, \"step\": 0.1, \"scale\": \"log\"}, \"total\": {\"type\": \"float\", "  \
    "\"lower\": 0, \"upper\": 1000, \"step\": 0.1, \"nullable\": false}, \"sex\": 2}"
#define WIDE_RULES                                                                                                               \
    RULES(                                                                                                                       \
        "{\"name\": \"young\", \"if\": {\"column\": \"age\", \"less_than\": 15}, \"then\": {\"column\": \"pay\", \"missing\": "  \
        "true}}, {\"function\": {\"from\": \"pay\", \"to\": \"bracket\", \"intervals\": [[null, 9999, \"low\"], [9999, 33333, "  \
        "\"mid\"], [33333, null, \"high\"]]}}, {\"order\": [\"start\", \"end\"]}, {\"linear\": {\"wages\": 1, \"rent\": 1, "     \
        "\"total\": -1}, \"equals\": 0, \"within\": 0.2}, {\"forbid\": {\"all\": [{\"column\": \"sex\", \"equals\": 1}, "        \
        "{\"column\": \"wages\", \"more_than\": 777.5}]}}")

/* Records at random, most of which break rules. */
static nw_table *random_table(const nw_schema *schema, size_t rows, uint64_t seed)
{
    nw_table *table = NULL;
    nw_rng *rng = NULL;
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < nw_schema_columns(schema); j++) {
            const uint16_t code = (uint16_t)(nw__rng_u32(rng) % nw_schema_column(schema, j).cells);
            assert_int_equal(nw_table_set(table, j, r, 1, &code, NULL), NW_OK);
        }
    }
    nw_rng_free(rng);
    return table;
}

static void run(const nw_schema *schema, const nw_table *table, double epsilon, size_t rows, nw_table **out)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    o.epsilon = lo.epsilon = epsilon;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    fit.rows = rows;
    fit.sweeps = 2;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 9, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    if (nw_synth_run(synth, rng, ledger, table, &fit, out, NULL, NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

static uint64_t broken_as_written(const nw_table *table)
{
    char path[] = "/tmp/nw-rules-XXXXXX";
    uint64_t rows = 1;
    nw_rng *rng = NULL;
    close(mkstemp(path));
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 4, NULL), NW_OK);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    assert_int_equal(nw_constraints_violations_csv(nw_table_schema(table), path, NULL, &rows, NULL), NW_OK);
    nw_rng_free(rng);
    unlink(path);
    return rows;
}

static void synth_run__breaks_no_rule_whatever_the_records(void **state)
{
    (void)state;
    static const double epsilons[] = { 0.01, 1.0, 1.0, 30.0 };
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        nw_schema *schema =
            constrained(WIDE_SCHEMA, i % 2 == 1 ? NW_SYNTH_BINS : 20, WIDE_RULES); /* grouped codes, and codes as cells */
        nw_table *table = random_table(schema, i == 0 ? 1 : 300, i);
        nw_table *out = NULL;
        uint64_t rows = 1;
        assert_int_equal(nw_constraints_violations(table, NULL, &rows, NULL), NW_OK);
        assert_true(i == 0 || rows > 200);
        run(schema, table, epsilons[i], 700, &out);
        assert_int_equal(nw_table_rows(out), 700);
        assert_int_equal(nw_constraints_violations(out, NULL, &rows, NULL), NW_OK);
        assert_int_equal(rows, 0);
        assert_int_equal(broken_as_written(out), 0);
        nw_table_free(out);
        nw_table_free(table);
        nw_schema_free(schema);
    }
}

/* Cells that the rules leave to no row hold neither noise nor the records that are in them; all others hold both. */
static void synth_release__leaves_no_noise_where_no_row_can_be(void **state)
{
    (void)state;
    nw_schema *schema = constrained("{\"a\": 4, \"b\": 4, \"c\": 3}", 0,
        RULES("{\"order\": [\"a\", \"b\"]}, {\"function\": {\"from\": \"a\", \"to\": \"c\", \"table\": [[0, 0], [1, 1], [2, 1], "
              "[3, "
              "2]]}}"));
    nw_table *table = random_table(schema, 200, 3);
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_synth_measurements *measured = NULL;
    o.epsilon = lo.epsilon = 0.1;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    o.select = NW_SYNTH_SELECT_ALL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 9, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "zeros", &measured, NULL, NULL), NW_OK);
    static const uint16_t c_of_a[4] = { 0, 1, 1, 2 };
    size_t masked = 0;
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        const int64_t *counts = nw_synth_measurements_counts(measured, i);
        const bool is_ab = m.columns[0] == 0 && m.columns[1] == 1;
        const bool is_ac = m.columns[0] == 0 && m.columns[1] == 2;
        for (uint64_t cell = 0; cell < m.cells; cell++) {
            const uint64_t a = cell / (is_ab ? 4 : 3);
            const bool is_impossible = (is_ab && a > cell % 4) || (is_ac && cell % 3 != c_of_a[a]);
            masked += is_impossible;
            assert_true((counts[cell] == 0) == is_impossible); /* a noise of sigma 200 is never 0 here */
        }
    }
    assert_int_equal(masked, 6 + 8);
    /* from a file the measurements are fitted within the same rules, and only under them */
    char path[] = "/tmp/nw-rules-XXXXXX";
    nw_synth_measurements *back = NULL;
    nw_table *fitted = NULL;
    nw_schema *without = NULL;
    uint64_t rows = 1;
    close(mkstemp(path));
    assert_int_equal(nw_schema_parse(&without, "{\"a\": 4, \"b\": 4, \"c\": 3}", 0, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_read(&back, without, path, NULL), NW_E_ARG);
    assert_int_equal(nw_synth_measurements_read(&back, schema, path, NULL), NW_OK);
    assert_int_equal(nw_synth_fit(back, rng, &(nw_synth_fit_opts)NW_SYNTH_FIT_OPTS_INIT, &fitted, NULL), NW_OK);
    assert_int_equal(nw_constraints_violations(fitted, NULL, &rows, NULL), NW_OK);
    assert_int_equal(rows, 0);
    unlink(path);
    nw_schema_free(without);
    nw_table_free(fitted);
    nw_synth_measurements_free(back);
    nw_synth_measurements_free(measured);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void synth_run__refuses_an_engine_that_keeps_no_rules_before_the_charge(void **state)
{
    (void)state;
    nw_schema *schema = constrained(WIDE_SCHEMA, 20, WIDE_RULES);
    nw_table *table = random_table(schema, 5, 1);
    nw_table *out = (nw_table *)1;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    nw_error err;
    o.epsilon = lo.epsilon = 1.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    fit.engine = NW_SYNTH_GENETIC;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 9, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, table, &fit, &out, NULL, &receipt, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "genetic engine does not keep, must be gibbs"));
    assert_null(out);
    assert_string_equal(receipt.head, "");
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resample_row__has_the_law_restricted_to_the_rules),
        cmocka_unit_test(resample_row__moves_functions_with_their_inputs),
        cmocka_unit_test(resample_row__keeps_sums_inside_of_bins),
        cmocka_unit_test(synth_run__breaks_no_rule_whatever_the_records),
        cmocka_unit_test(synth_release__leaves_no_noise_where_no_row_can_be),
        cmocka_unit_test(synth_run__refuses_an_engine_that_keeps_no_rules_before_the_charge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
