/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_queries.c - linear queries: which records they count, against their definitions on decoded values; sensitivities by
 * enumeration; what is refused. */
#include "queries_internal.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* age: one code a value, 0..10 years -> tenths; pay: 8 bins of 16 values; both may be missing, tenure may not */
static const char SCHEMA[] = "{\"age\": {\"type\": \"int\", \"lower\": 20, \"upper\": 30},"
                             " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]},"
                             " \"pay\": {\"type\": \"int\", \"lower\": 0, \"upper\": 15},"
                             " \"member\": {\"type\": \"bool\", \"nullable\": false},"
                             " \"tenure\": {\"type\": \"float\", \"lower\": -1, \"upper\": 3, \"nullable\": false}}";
enum { AGE, SEX, PAY, MEMBER, TENURE, COLUMNS, ROWS = 500 };

typedef struct fixture {
    nw_schema *schema;
    nw_table *table;
    nw_queries *queries;
    uint16_t codes[COLUMNS][ROWS];
} fixture;

static void setup(fixture *f)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_schema_parse(&f->schema, SCHEMA, 16, NULL), NW_OK);
    assert_int_equal(nw_table_new(&f->table, f->schema, ROWS, NULL), NW_OK);
    assert_int_equal(nw_queries_new(&f->queries, f->schema, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++) {
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t code = 0;
            assert_int_equal(nw_rng_uniform(rng, nw_schema_column(f->schema, j).cells, &code, NULL), NW_OK);
            f->codes[j][i] = (uint16_t)code;
        }
        assert_int_equal(nw_table_set(f->table, j, 0, ROWS, f->codes[j], NULL), NW_OK);
    }
    nw_rng_free(rng);
}

static void teardown(fixture *f)
{
    nw_queries_free(f->queries);
    nw_table_free(f->table);
    nw_schema_free(f->schema);
}

static double *answers_of(const fixture *f)
{
    double *answers = calloc(nw_queries_cells(f->queries), sizeof *answers);
    assert_int_equal(nw_queries_answer(f->queries, f->table, answers, NULL), NW_OK);
    return answers;
}

/* The middle of a code's values in [0, 1], from the schema alone, rounded to 24 bits. NaN: missing. */
static double number(const fixture *f, size_t column, uint16_t code)
{
    double low, high;
    const nw_column c = nw_schema_column(f->schema, column);
    nw_schema_range(f->schema, column, code, &low, &high);
    return rint(((low + high) / 2 - c.lower) / (c.upper - c.lower) * 0x1p24) * 0x1p-24;
}

/* Which part of [0, 1] of `parts` equal ones, or the one after them. */
static uint32_t part(double x, uint32_t parts)
{
    if (isnan(x))
        return parts;
    for (uint32_t p = 0; p + 1 < parts; p++)
        if (x * parts < p + 1)
            return p;
    return parts - 1;
}

static void queries_add_marginals__counts_every_record_in_one_cell(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(nw_queries_add_marginals(f.queries, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(f.queries, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_workloads(f.queries), 3); /* sex, member, both */
    double *answers = answers_of(&f);
    double expected[3 + 2 + 6] = { 0 };
    for (size_t i = 0; i < ROWS; i++) {
        expected[f.codes[SEX][i]]++;
        expected[3 + f.codes[MEMBER][i]]++;
        expected[5 + f.codes[SEX][i] * 2 + f.codes[MEMBER][i]]++;
    }
    assert_int_equal(nw_queries_cells(f.queries), 11);
    for (int c = 0; c < 11; c++)
        assert_true(answers[c] == expected[c]);
    free(answers);
    teardown(&f);
}

static void queries_add_ranges__has_a_workload_for_each_choice_of_levels(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(nw_queries_add_ranges(f.queries, 2, 5, NULL), NW_OK);
    /* levels: age 11 values -> 2..16: 4; pay 16 -> 4; tenure 16 bins -> 4. Pairs: age-sex 4, age-pay 16, age-member 4,
     * age-tenure 16, sex-pay 4, sex-tenure 4, pay-member 4, pay-tenure 16, member-tenure 4 */
    assert_int_equal(nw_queries_workloads(f.queries), 72);
    double *answers = answers_of(&f);
    /* the second pair is (age, pay), its workloads in the order of their levels */
    size_t at = 0;
    for (unsigned l = 1; l <= 4; l++)
        at += ((1u << l) + 1) * 3;
    for (unsigned la = 1; la <= 4; la++) {
        for (unsigned lp = 1; lp <= 4; lp++) {
            const uint32_t a = 1u << la;
            const uint32_t p = 1u << lp;
            double *expected = calloc((a + 1) * (p + 1), sizeof *expected);
            for (size_t i = 0; i < ROWS; i++)
                expected[part(number(&f, AGE, f.codes[AGE][i]), a) * (p + 1) + part(number(&f, PAY, f.codes[PAY][i]), p)]++;
            for (uint32_t c = 0; c < (a + 1) * (p + 1); c++)
                assert_true(answers[at + c] == expected[c]);
            at += (a + 1) * (p + 1);
            free(expected);
        }
    }
    free(answers);
    teardown(&f);
}

/* Terms against numbers: code c is in [low, high) exactly if its number is below tau. */
static void queries_add_prefixes__counts_by_label_what_lies_below(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(nw_queries_add_prefixes(f.queries, 300, 2, 11, NULL), NW_OK);
    double *answers = answers_of(&f);
    size_t at = 0;
    size_t labels[COLUMNS] = { 0 };
    for (size_t w = 0; w < 300; w++) {
        const nw_query_workload workload = nw_queries_get(f.queries, w);
        const nw_query_term *t = f.queries->terms + f.queries->workloads[w].first;
        assert_int_equal(workload.kind, NW_QUERY_CONJUNCTION);
        assert_int_equal(workload.columns, 3);
        assert_true(t[0].column != t[1].column);
        labels[workload.label]++;
        double expected[3] = { 0 };
        for (size_t i = 0; i < ROWS; i++) {
            bool is_in = true;
            for (int k = 0; k < 2; k++) {
                const double x = number(&f, t[k].column, f.codes[t[k].column][i]);
                const double last = number(&f, t[k].column, (uint16_t)(t[k].high - 1));
                is_in = is_in && x <= last; /* false for NaN */
            }
            if (is_in)
                expected[f.codes[workload.label][i]]++;
        }
        for (uint32_t c = 0; c < workload.cells; c++)
            assert_true(answers[at++] == expected[c]);
    }
    assert_int_equal(labels[SEX] + labels[MEMBER], 300);
    assert_true(labels[SEX] > 100 && labels[MEMBER] > 100); /* of 300 fair tosses: 5.8 standard deviations */
    free(answers);
    teardown(&f);
}

static void queries_add_halfspaces__counts_exactly_what_lies_beyond(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(nw_queries_add_halfspaces(f.queries, 400, 5, NULL), NW_OK);
    double *answers = answers_of(&f);
    size_t at = 0;
    double squares = 0.0;
    for (size_t w = 0; w < 400; w++) {
        const nw__workload *workload = &f.queries->workloads[w];
        const double *theta = f.queries->thetas + w * COLUMNS;
        double expected[3] = { 0 };
        assert_true(theta[SEX] == 0.0 && theta[MEMBER] == 0.0);
        squares += theta[AGE] * theta[AGE] + theta[PAY] * theta[PAY] + theta[TENURE] * theta[TENURE];
        for (size_t i = 0; i < ROWS; i++) {
            /* in integers: theta in steps of 2^-20, numbers of 2^-24 */
            const double x[3] = { number(&f, AGE, f.codes[AGE][i]), number(&f, PAY, f.codes[PAY][i]),
                number(&f, TENURE, f.codes[TENURE][i]) };
            if (isnan(x[0]) || isnan(x[1]))
                continue;
            const int64_t sum = (int64_t)(theta[AGE] * 0x1p20) * (int64_t)(x[0] * 0x1p24) +
                                (int64_t)(theta[PAY] * 0x1p20) * (int64_t)(x[1] * 0x1p24) +
                                (int64_t)(theta[TENURE] * 0x1p20) * (int64_t)(x[2] * 0x1p24);
            if (sum > (int64_t)(workload->bound * 0x1p44))
                expected[f.codes[workload->label][i]]++;
        }
        for (uint32_t c = 0; c < workload->cells; c++)
            assert_true(answers[at++] == expected[c]);
    }
    /* 1200 squares of N(0, 1/3): mean 400 of the sum, deviation sqrt(1200 * 2) / 3; six of them */
    assert_true(fabs(squares - 400.0) < 6.0 * sqrt(2400.0) / 3.0);
    free(answers);
    teardown(&f);
}

static void queries_add_conjunctions__counts_records_in_all_intervals(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(nw_queries_add_conjunctions(f.queries, 200, 3, 2, NULL), NW_OK);
    const nw_query_term terms[] = { { PAY, 3, 9 }, { MEMBER, 1, 2 } };
    assert_int_equal(nw_queries_add_conjunction(f.queries, terms, 2, SEX, NULL), NW_OK);
    double *answers = answers_of(&f);
    size_t at = 0;
    for (size_t w = 0; w < 201; w++) {
        const nw__workload *workload = &f.queries->workloads[w];
        double expected[3] = { 0 };
        for (size_t i = 0; i < ROWS; i++) {
            bool is_in = true;
            for (size_t k = 0; k < workload->count; k++) {
                const nw_query_term *t = &f.queries->terms[workload->first + k];
                const uint16_t code = f.codes[t->column][i];
                is_in = is_in && code >= t->low && code < t->high;
            }
            if (is_in)
                expected[workload->label == SIZE_MAX ? 0 : f.codes[workload->label][i]]++;
        }
        for (uint32_t c = 0; c < workload->cells; c++)
            assert_true(answers[at++] == expected[c]);
    }
    double direct = 0.0;
    for (size_t i = 0; i < ROWS; i++)
        direct += f.codes[PAY][i] >= 3 && f.codes[PAY][i] < 9 && f.codes[MEMBER][i] == 1 && f.codes[SEX][i] == 1;
    assert_true(answers[200 + 1] == direct);
    free(answers);
    teardown(&f);
}

/* Weights of all sorts: what is not in [0, 1] is clamped, NaN counts nothing, unnamed columns are out of sight. */
static double odd_weight(const nw_query_record *record, void *context)
{
    static const double weights[] = { -3.0, 0.25, 1.0, 7.0, INFINITY, -INFINITY, 0x1p-18, 1.0 / 3.0 };
    assert_int_equal(record->columns, COLUMNS);
    assert_true(record->codes[SEX] == 0 && record->codes[MEMBER] == 0 && isnan(record->numbers[PAY]));
    (*(int *)context)++;
    if (isnan(record->numbers[AGE]))
        return NAN;
    return weights[record->codes[AGE] % 8];
}

static void queries_add_predicate__clamps_weights_and_shows_named_columns_only(void **state)
{
    (void)state;
    fixture f;
    const size_t columns[] = { AGE, TENURE };
    const double clamped[] = { 0.0, 0.25, 1.0, 1.0, 1.0, 0.0, 0.0, 21845.0 / 65536.0 };
    int calls = 0;
    setup(&f);
    assert_int_equal(nw_queries_add_predicate(f.queries, odd_weight, &calls, columns, 2, NULL), NW_OK);
    assert_true(nw_queries_get(f.queries, 0).unit == 65536.0);
    double *answers = answers_of(&f);
    double expected = 0.0;
    for (size_t i = 0; i < ROWS; i++)
        expected += f.codes[AGE][i] == 11 ? 0.0 : clamped[f.codes[AGE][i] % 8];
    assert_int_equal(calls, ROWS);
    assert_true(answers[0] == expected);
    free(answers);
    teardown(&f);
}

/* Every pair of neighbours of one record: the largest distance found is the stated one, rounded up by a step at most. */
static void queries_sensitivity__is_the_largest_distance_of_neighbours(void **state)
{
    (void)state;
    fixture f;
    const size_t columns[] = { AGE };
    int calls = 0;
    uint16_t(*records)[COLUMNS] = calloc(ROWS, sizeof *records);
    setup(&f);
    assert_int_equal(nw_queries_add_marginals(f.queries, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_add_prefixes(f.queries, 2, 2, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_halfspaces(f.queries, 2, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_conjunctions(f.queries, 1, 1, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_predicate(f.queries, odd_weight, &calls, columns, 1, NULL), NW_OK);
    nw__record scratch;
    assert_true(nw__record_make(&scratch, COLUMNS));
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            records[i][j] = f.codes[j][i];
    for (size_t w = 0; w < nw_queries_workloads(f.queries); w++) {
        const nw__workload *workload = &f.queries->workloads[w];
        const double unit = nw_queries_get(f.queries, w).unit;
        double most[2] = { 0.0, 0.0 };
        for (size_t i = 0; i < ROWS; i++) {
            uint32_t weight[2];
            uint32_t cell[2];
            cell[0] = nw__workload_cell(f.queries, workload, records[i], &scratch, &weight[0]);
            cell[1] = nw__workload_cell(f.queries, workload, records[(i + 1) % ROWS], &scratch, &weight[1]);
            const double x = cell[0] == NW__NO_CELL ? 0.0 : weight[0] / unit;
            const double y = cell[1] == NW__NO_CELL ? 0.0 : weight[1] / unit;
            most[0] = fmax(most[0], x);
            most[1] = fmax(most[1], cell[0] == cell[1] || x * y == 0.0 ? fabs(x - y) : sqrt(x * x + y * y));
        }
        const double removed = nw_queries_sensitivity(f.queries, w, NW_ADD_REMOVE).value;
        const double replaced = nw_queries_sensitivity(f.queries, w, NW_REPLACE_ONE).value;
        assert_true(removed == 1.0 && (most[0] == 1.0 || workload->kind == NW_QUERY_HALFSPACE));
        assert_true(most[1] <= replaced && replaced <= nextafter(sqrt(2.0), 2.0));
        if (workload->cells > 1 && workload->kind == NW_QUERY_MARGINAL)
            assert_true(nextafter(most[1], 2.0) == replaced);
        if (workload->cells == 1)
            assert_true(replaced == 1.0);
    }
    nw__record_clear(&scratch, COLUMNS);
    free(records);
    teardown(&f);
}

static void queries_add_prefixes__depends_on_the_seed_alone(void **state)
{
    (void)state;
    fixture f[2];
    for (int i = 0; i < 2; i++) {
        setup(&f[i]);
        assert_int_equal(nw_queries_add_prefixes(f[i].queries, 50, 2, 9, NULL), NW_OK);
        assert_int_equal(nw_queries_add_halfspaces(f[i].queries, 50, 9, NULL), NW_OK);
    }
    assert_memory_equal(f[0].queries->terms, f[1].queries->terms, 100 * sizeof(nw_query_term));
    assert_memory_equal(f[0].queries->thetas, f[1].queries->thetas, 50 * COLUMNS * sizeof(double));
    assert_int_equal(nw_queries_add_prefixes(f[0].queries, 50, 2, 10, NULL), NW_OK);
    assert_memory_not_equal(f[0].queries->terms, f[0].queries->terms + 100, 100 * sizeof(nw_query_term));
    teardown(&f[0]);
    teardown(&f[1]);
}

static void refuse(nw_status status, const nw_error *err, const char *word)
{
    assert_int_equal(status, NW_E_ARG);
    if (strstr(err->message, word) == NULL)
        fail_msg("%s does not say %s", err->message, word);
}

static void queries_add__refuses_each_bad_argument_by_name(void **state)
{
    (void)state;
    fixture f;
    nw_error err;
    nw_queries *q = NULL;
    nw_schema *numbers = NULL;
    nw_schema *codes = NULL;
    double answer;
    setup(&f);
    assert_int_equal(nw_schema_parse(&codes, "{\"a\": 3}", 0, NULL), NW_OK);
    assert_int_equal(nw_schema_parse(&numbers, "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 3}}", 0, NULL), NW_OK);
    refuse(nw_queries_new(NULL, f.schema, &err), &err, "out");
    refuse(nw_queries_new(&q, NULL, &err), &err, "schema");
    refuse(nw_queries_add_marginals(f.queries, 0, &err), &err, "k is 0");
    refuse(nw_queries_add_marginals(f.queries, 3, &err), &err, "k is 3");
    refuse(nw_queries_add_ranges(f.queries, 6, 1, &err), &err, "k is 6");
    refuse(nw_queries_add_ranges(f.queries, 2, 0, &err), &err, "levels is 0");
    refuse(nw_queries_add_ranges(f.queries, 2, 16, &err), &err, "levels is 16");
    refuse(nw_queries_add_prefixes(f.queries, 0, 2, 1, &err), &err, "count is 0");
    refuse(nw_queries_add_prefixes(f.queries, ((size_t)1 << 24) + 1, 2, 1, &err), &err, "at most 16777216");
    refuse(nw_queries_add_prefixes(f.queries, 1, 9, 1, &err), &err, "terms is 9");
    refuse(nw_queries_add_halfspaces(f.queries, 0, 1, &err), &err, "count is 0");
    refuse(nw_queries_add_conjunctions(f.queries, 1, 0, 1, &err), &err, "terms is 0");
    const nw_query_term bad[][2] = { { { 9, 0, 1 }, { 0 } }, { { AGE, 2, 2 }, { 0 } }, { { AGE, 0, 13 }, { 0 } },
        { { AGE, 0, 1 }, { AGE, 1, 2 } }, { { SEX, 0, 1 }, { 0 } } };
    refuse(nw_queries_add_conjunction(f.queries, bad[0], 1, SIZE_MAX, &err), &err, "column is 9");
    refuse(nw_queries_add_conjunction(f.queries, bad[1], 1, SIZE_MAX, &err), &err, "[2, 2)");
    refuse(nw_queries_add_conjunction(f.queries, bad[2], 1, SIZE_MAX, &err), &err, "[0, 12)");
    refuse(nw_queries_add_conjunction(f.queries, bad[3], 2, SIZE_MAX, &err), &err, "named before");
    refuse(nw_queries_add_conjunction(f.queries, bad[4], 1, AGE, &err), &err, "label is 0");
    refuse(nw_queries_add_conjunction(f.queries, bad[4], 1, SEX, &err), &err, "without a term");
    refuse(nw_queries_add_conjunction(f.queries, bad[4], 0, SEX, &err), &err, "n is 0");
    refuse(nw_queries_add_predicate(f.queries, NULL, NULL, &(size_t){ 0 }, 1, &err), &err, "function");
    refuse(nw_queries_add_predicate(f.queries, odd_weight, NULL, &(size_t){ 0 }, 0, &err), &err, "n is 0");
    refuse(nw_queries_add_predicate(f.queries, odd_weight, NULL, &(size_t){ 7 }, 1, &err), &err, "column is 7");
    assert_int_equal(nw_queries_workloads(f.queries), 0);
    assert_int_equal(nw_queries_new(&q, codes, NULL), NW_OK);
    refuse(nw_queries_add_ranges(q, 1, 3, &err), &err, "no numeric column");
    refuse(nw_queries_add_prefixes(q, 1, 1, 1, &err), &err, "no numeric column");
    refuse(nw_queries_add_halfspaces(q, 1, 1, &err), &err, "numeric columns");
    refuse(nw_queries_answer(q, f.table, &answer, &err), &err, "another schema");
    refuse(nw_queries_answer(q, NULL, &answer, &err), &err, "table is NULL");
    nw_queries_free(q);
    assert_int_equal(nw_queries_new(&q, numbers, NULL), NW_OK);
    refuse(nw_queries_add_marginals(q, 1, &err), &err, "at most 0");
    nw_queries_free(q);
    nw_schema_free(numbers);
    nw_schema_free(codes);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_add_marginals__counts_every_record_in_one_cell),
        cmocka_unit_test(queries_add_ranges__has_a_workload_for_each_choice_of_levels),
        cmocka_unit_test(queries_add_prefixes__counts_by_label_what_lies_below),
        cmocka_unit_test(queries_add_halfspaces__counts_exactly_what_lies_beyond),
        cmocka_unit_test(queries_add_conjunctions__counts_records_in_all_intervals),
        cmocka_unit_test(queries_add_predicate__clamps_weights_and_shows_named_columns_only),
        cmocka_unit_test(queries_sensitivity__is_the_largest_distance_of_neighbours),
        cmocka_unit_test(queries_add_prefixes__depends_on_the_seed_alone),
        cmocka_unit_test(queries_add__refuses_each_bad_argument_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
