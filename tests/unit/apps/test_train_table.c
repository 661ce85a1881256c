/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_train_table.c - tables as examples: features worked out by hand, labels, and areas under the curve against counting
 * pairs. */
#include "train/score.h"
#include "common/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static char path[64];
static const char SCHEMA[] =
    "{\"age\": {\"type\": \"int\", \"lower\": 0, \"upper\": 3}, \"pay\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1000},"
    " \"kind\": {\"type\": \"categorical\", \"values\": [\"a\", \"b\"]}, \"member\": {\"type\": \"bool\", \"nullable\": false},"
    " \"grade\": {\"type\": \"int\", \"lower\": 2, \"upper\": 4}}";

static table_plan plan_of(const char *target, table_task task)
{
    nw_schema *schema = NULL;
    table_plan plan;
    assert_int_equal(nw_schema_parse(&schema, SCHEMA, 65534, NULL), NW_OK);
    assert_int_equal(table_plan_make(&plan, schema, target, task, TABLE_RICH, "schema.json"), 0);
    return plan;
}

static void write_table(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void assert_row(const examples *data, size_t row, const float *wanted, size_t n)
{
    assert_int_equal(data->width, n);
    for (size_t k = 0; k < n; k++)
        if (!(fabsf(data->reals[row * n + k] - wanted[k]) < 1e-6F))
            fail_msg("row %zu, feature %zu is %g, must be %g", row, k, (double)data->reals[row * n + k], (double)wanted[k]);
}

/* Four values and a missing one of age, 16 parts and a missing one of pay, two kinds and a missing one, two of member. */
static void table_read__features_are_those_of_the_schema(void **state)
{
    (void)state;
    enum { AGE = 0, PAY = 7, KIND = 26, MEMBER = 29, WIDTH = 31 };
    examples data;
    table_plan plan = plan_of("grade", TABLE_CLASSIFY);
    write_table("kind,age,pay,grade,member\nb,3,1000,2,true\n,,,4,false\nzzz,7,-5,3,1\na,1,62.5,3,no\n");
    assert_int_equal(plan.width, WIDTH);
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 0);
    assert_int_equal(data.count, 4);
    float row[WIDTH] = { [AGE] = 1.0F, [AGE + 1] = 1.0F, [AGE + 2 + 3] = 1.0F, [PAY] = 1.0F, [PAY + 1] = 1.0F };
    row[PAY + 2 + 15] = row[KIND + 1] = row[MEMBER + 1] = 1.0F;
    assert_row(&data, 0, row, WIDTH);
    memset(row, 0, sizeof row); /* missing, all that can be */
    row[AGE + 2 + 4] = row[PAY + 2 + 16] = row[KIND + 2] = row[MEMBER] = 1.0F;
    assert_row(&data, 1, row, WIDTH);
    memset(row, 0, sizeof row); /* outside: moved to the bounds; an unknown kind is missing */
    row[AGE] = row[AGE + 1] = row[AGE + 2 + 3] = row[PAY + 2] = row[KIND + 2] = row[MEMBER + 1] = 1.0F;
    row[PAY] = row[PAY + 1] = -1.0F;
    assert_row(&data, 2, row, WIDTH);
    memset(row, 0, sizeof row);
    row[AGE] = -1.0F / 3.0F;
    row[AGE + 1] = (float)(2.0 * log(2.0) / log(4.0) - 1.0);
    row[AGE + 2 + 1] = 1.0F;
    row[PAY] = -0.875F;
    row[PAY + 1] = (float)(2.0 * log1p(62.5) / log1p(1000.0) - 1.0); /* linear below a thousandth of the range, which is 1 */
    row[PAY + 2 + 1] = row[KIND] = row[MEMBER] = 1.0F;
    assert_row(&data, 3, row, WIDTH);
    const int32_t labels[4] = { 0, 2, 1, 1 };
    assert_memory_equal(data.labels, labels, sizeof labels);
    assert_int_equal(data.classes, 3);
    examples_free(&data);
    table_plan_free(&plan);
}

static void table_read__labels_are_those_of_the_schema(void **state)
{
    (void)state;
    const char *const bad[] = { "c", "\"\"", "A" };
    table_plan plan = plan_of("kind", TABLE_CLASSIFY);
    examples data;
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        snprintf(text, sizeof text, "age,pay,kind,member,grade\n1,1,a,1,3\n1,1,%s,1,3\n", bad[i]);
        write_table(text);
        assert_int_equal(table_read(&data, &plan, path, true, NULL), 65);
        examples_free(&data);
        assert_int_equal(table_read(&data, &plan, path, false, NULL), 0); /* labels that are not asked for are not looked at */
        assert_int_equal(data.count, 2);
        examples_free(&data);
    }
    write_table("age,pay,member,grade\n1,1,1,3\n");
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 65);
    examples_free(&data);
    assert_int_equal(table_read(&data, &plan, path, false, NULL), 0);
    examples_free(&data);
    char *name = table_class_name(&plan, 1);
    assert_string_equal(name, "b");
    free(name);
    table_plan_free(&plan);
    plan = plan_of("member", TABLE_CLASSIFY);
    write_table("age,pay,kind,member,grade\n1,1,a,YES,3\n1,1,a,f,3\n");
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 0);
    assert_int_equal(data.labels[0], 1);
    assert_int_equal(data.labels[1], 0);
    examples_free(&data);
    table_plan_free(&plan);
}

static void table_read__targets_go_there_and_back(void **state)
{
    (void)state;
    table_plan plan = plan_of("pay", TABLE_REGRESS);
    examples data;
    write_table("age,pay,kind,member,grade\n1,250,a,1,3\n1,5000,a,1,3\n");
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 0);
    assert_true(fabs(table_target_value(&plan, (double)data.targets[0]) - 250.0) < 1e-4);
    assert_true(fabs(table_target_value(&plan, (double)data.targets[1]) - 1000.0) < 1e-4); /* held to the bound */
    examples_free(&data);
    write_table("age,pay,kind,member,grade\n1,much,a,1,3\n");
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 65);
    examples_free(&data);
    table_plan_free(&plan);
}

/* Many blocks of rows, one after the other. */
static void table_read__keeps_rows_in_order(void **state)
{
    (void)state;
    enum { ROWS = 150000 };
    table_plan plan = plan_of("grade", TABLE_CLASSIFY);
    examples data;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("age,pay,kind,member,grade\n", f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "%d,%d,a,1,%d\n", i % 4, i % 1001, 2 + i % 3);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(table_read(&data, &plan, path, true, NULL), 0);
    assert_int_equal(data.count, ROWS);
    for (int i = 0; i < ROWS; i += 7) {
        assert_int_equal(data.labels[i], i % 3);
        assert_true(fabsf(data.reals[(size_t)i * data.width] - (2.0F * (float)(i % 4) / 3.0F - 1.0F)) < 1e-6F);
    }
    examples_free(&data);
    table_plan_free(&plan);
}

static void score_make__area_counts_pairs(void **state)
{
    (void)state;
    enum { N = 40 };
    nw_network *net = NULL;
    nw_network_shape shape;
    data_feed feed;
    score made;
    float reals[N];
    int32_t labels[N];
    double pairs = 0.0;
    double right = 0.0;
    double hits = 0.0;
    assert_int_equal(nw_network_new(&net,
                         "{\"input\": {\"floats\": 1}, \"layers\": [{\"type\": \"linear\", \"outputs\": 1}], "
                         "\"loss\": \"logistic\"}",
                         NULL, NULL),
        NW_OK);
    nw_network_values(net)[0][0] = 1.0F; /* the output is the input */
    for (int i = 0; i < N; i++) {
        reals[i] = (float)((i * 17) % 11 - 5); /* with ties */
        labels[i] = (i * 7) % 5 < 2;
    }
    for (int i = 0; i < N; i++) {
        hits += (reals[i] > 0.0F) == (labels[i] == 1);
        for (int j = 0; j < N; j++) {
            pairs += labels[i] == 1 && labels[j] == 0;
            if (labels[i] == 1 && labels[j] == 0)
                right += reals[i] > reals[j] ? 1.0 : (reals[i] == reals[j] ? 0.5 : 0.0);
        }
    }
    const examples data = { .kind = EXAMPLES_REALS, .count = N, .width = 1, .reals = reals, .labels = labels, .classes = 2 };
    nw_network_get_shape(net, &shape);
    assert_int_equal(data_feed_make(&feed, &data, &shape, "data"), 0);
    assert_int_equal(score_make(&made, net, &feed, 1.0), 0);
    assert_true(fabs(made.auc - right / pairs) < 1e-12);
    assert_true(fabs(made.accuracy - hits / N) < 1e-12);
    assert_true(isnan(made.rmse));
    data_feed_free(&feed);
    nw_network_free(net);
}

static int remove_table(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_read__features_are_those_of_the_schema),
        cmocka_unit_test(table_read__labels_are_those_of_the_schema),
        cmocka_unit_test(table_read__targets_go_there_and_back),
        cmocka_unit_test(table_read__keeps_rows_in_order),
        cmocka_unit_test(score_make__area_counts_pairs),
    };
    snprintf(path, sizeof path, "test_train_table.%ld.csv", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, remove_table);
}
