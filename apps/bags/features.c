/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* features.c - columns as features of mean 0 and variance 1. */
#include "frame.h"

#include "../common/exit.h"
#include "../common/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

static void feature_clear(feature *item)
{
    free(item->column);
    free(item->value);
}

void feature_plan_free(feature_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        feature_clear(&plan->items[i]);
    free(plan->items);
    *plan = (feature_plan){ 0 };
}

static int32_t code_of(const frame_column *c, const char *value)
{
    for (size_t v = 0; v < c->value_count; v++)
        if (strcmp(c->values[v], value) == 0)
            return (int32_t)v;
    return -3; /* no row has it */
}

/* The feature before it is scaled; NaN: a number that is missing. */
static double raw_value(const feature *item, const frame_column *c, int32_t code, size_t row)
{
    if (item->value != NULL)
        return c->codes[row] == code;
    return item->is_missing ? (double)!isfinite(c->numbers[row]) : c->numbers[row];
}

/* Mean and deviation over the rows that have the feature; false if it does not vary. */
static bool measure(feature *item, const frame *f, const frame_column *c)
{
    const int32_t code = item->value == NULL ? -1 : code_of(c, item->value);
    double n = 0.0, mean = 0.0, square = 0.0;
    for (size_t i = 0; i < f->rows; i++) {
        const double x = raw_value(item, c, code, i);
        if (!isfinite(x))
            continue;
        n += 1.0;
        const double d = x - mean; /* Welford's sums: columns far from 0 lose nothing */
        mean += d / n;
        square += d * (x - mean);
    }
    item->mean = mean;
    item->deviation = n > 0.0 ? sqrt(square / n) : 0.0;
    return item->deviation > 1e-9 * fabs(mean) && isfinite(item->deviation);
}

/* Takes the feature in if it varies. False: memory lacks. */
static bool add(feature_plan *plan, const frame *f, const frame_column *c, const char *value, bool is_missing)
{
    feature item = { strdup(c->name), value == NULL ? NULL : strdup(value), is_missing, 0.0, 0.0 };
    if (item.column == NULL || (value != NULL && item.value == NULL)) {
        feature_clear(&item);
        return false;
    }
    if (!measure(&item, f, c)) {
        feature_clear(&item);
        return true;
    }
    feature *items = reallocarray(plan->items, plan->count + 1, sizeof *items);
    if (items == NULL) {
        feature_clear(&item);
        return false;
    }
    plan->items = items;
    items[plan->count++] = item;
    return true;
}

static bool add_column(feature_plan *plan, const frame *f, const frame_column *c)
{
    if (!c->is_category)
        return add(plan, f, c, NULL, false) && add(plan, f, c, NULL, true);
    for (size_t v = 1; v < c->value_count; v++)
        if (!add(plan, f, c, c->values[v], false))
            return false;
    return true;
}

static bool is_left_out(const char *name, const char *const *left_out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (left_out[i] != NULL && strcmp(left_out[i], name) == 0)
            return true;
    return false;
}

int feature_plan_make(feature_plan *plan, const frame *f, const char *const *left_out, size_t left_out_count, const char *subject)
{
    for (size_t j = 0; j < f->count; j++)
        if (&f->columns[j] != f->target && !is_left_out(f->columns[j].name, left_out, left_out_count) &&
            !add_column(plan, f, &f->columns[j]))
            return no_memory();
    return plan->count > 0 ? APP_OK : app_fail(APP_DATA, subject, "has no feature that varies, must have one beside the target");
}

char *feature_name(const feature *item)
{
    char *name = NULL;
    const int size = item->value != NULL ? asprintf(&name, "%s=%s", item->column, item->value)
                                         : asprintf(&name, "%s%s", item->column, item->is_missing ? " missing" : "");
    return size < 0 ? NULL : name;
}

json_t *feature_plan_json(const feature_plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const feature *item = &plan->items[i];
        json_t *object = json_object();
        app_json_put(&object, "column", app_json_text(item->column));
        if (item->value != NULL)
            app_json_put(&object, "value", app_json_text(item->value));
        if (item->is_missing)
            app_json_put(&object, "missing", json_true());
        app_json_put(&object, "mean", app_json_real(item->mean));
        app_json_put(&object, "deviation", app_json_real(item->deviation));
        json_array_append_new(list, object);
    }
    return list;
}

int feature_plan_read(feature_plan *plan, const json_t *json, const char *subject)
{
    plan->items = calloc(json_array_size(json) + 1, sizeof *plan->items);
    if (plan->items == NULL)
        return no_memory();
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *object = json_array_get(json, i);
        const char *column = json_string_value(json_object_get(object, "column"));
        const char *value = json_string_value(json_object_get(object, "value"));
        const double deviation = json_number_value(json_object_get(object, "deviation"));
        if (column == NULL || !(deviation > 0.0))
            return app_fail(APP_DATA, subject, "is no model of nw-bags: a feature lacks its column or deviation");
        plan->items[i] = (feature){ strdup(column), value == NULL ? NULL : strdup(value),
            json_is_true(json_object_get(object, "missing")), json_number_value(json_object_get(object, "mean")), deviation };
        plan->count = i + 1;
        if (plan->items[i].column == NULL || (value != NULL && plan->items[i].value == NULL))
            return no_memory();
    }
    return plan->count > 0 ? APP_OK : app_fail(APP_DATA, subject, "is no model of nw-bags: it has no features");
}

int feature_matrix(double **out, const feature_plan *plan, const frame *f, const char *subject)
{
    *out = calloc(f->rows * plan->count + 1, sizeof **out);
    if (*out == NULL)
        return no_memory();
    for (size_t j = 0; j < plan->count; j++) {
        const feature *item = &plan->items[j];
        const frame_column *c = frame_find(f, item->column);
        if (c == NULL)
            return app_fail(APP_DATA, subject, "lacks the column %s, which the model needs", item->column);
        const int32_t code = item->value == NULL ? -1 : code_of(c, item->value);
        for (size_t i = 0; i < f->rows; i++) {
            const double x = raw_value(item, c, code, i);
            (*out)[i * plan->count + j] = isfinite(x) ? (x - item->mean) / item->deviation : 0.0;
        }
    }
    return APP_OK;
}

double feature_dimensions(const double *x, size_t rows, size_t p)
{
    enum { MOST_ROWS = 8192 };
    const size_t n = rows < MOST_ROWS ? rows : MOST_ROWS;
    double trace = 0.0, squares = 0.0;
    double *product = calloc(p * p, sizeof *product);
    if (product == NULL)
        return NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k <= j; k++)
                product[j * p + k] += x[i * p + j] * x[i * p + k];
    for (size_t j = 0; j < p; j++) {
        trace += product[j * p + j];
        for (size_t k = 0; k <= j; k++)
            squares += (k == j ? 1.0 : 2.0) * product[j * p + k] * product[j * p + k];
    }
    free(product);
    return squares > 0.0 ? fmin(fmax(trace * trace / squares, 1.0), (double)p) : 1.0;
}
