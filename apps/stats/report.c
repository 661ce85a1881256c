/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* report.c - see report.h. */
#include "report.h"
#include "../common/codes.h"
#include "../common/exit.h"
#include "../common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = APP_VALUE_SIZE, COLUMNS = 4, MOST_DECIMALS = 15 };

/* ---- words ---- */

static char *cell_text(const report *r, const query *q, uint32_t cell)
{
    const nw_column c = nw_schema_column(r->schema, q->column);
    if (cell >= q->ranges)
        return strdup("(missing)");
    return app_code_text(r->schema, q->column, query_first_code(q, &c, cell), query_first_code(q, &c, cell + 1) - 1);
}

/* As many decimals as leave two digits of the error. */
static int decimals_for(double error)
{
    if (!(error > 0.0) || isinf(error))
        return 0;
    return (int)fmin(fmax(0.0, 1.0 - floor(log10(error))), MOST_DECIMALS);
}

static bool is_count(const query *q)
{
    return q->figure == FIGURE_COUNT || q->figure == FIGURE_HIST;
}

static double middle_of(const nw_schema *schema, size_t column, uint32_t code)
{
    double low, high;
    nw_schema_range(schema, column, code, &low, &high);
    return low + (high - low) / 2.0;
}

/* The number that a chosen code stands for. */
static double chosen_value(const report *r, const query *q, double code)
{
    return middle_of(r->schema, q->column, (uint32_t)(code + 0.5));
}

static char *value_text(const report *r, const query *q, nw_stats_figure f)
{
    char text[TEXT_SIZE];
    const nw_column_type type = q->column == QUERY_NO_COLUMN ? NW_COLUMN_CODE : nw_schema_column(r->schema, q->column).type;
    const bool is_date = q->figure == FIGURE_MEAN && type == NW_COLUMN_DATE;
    if (query_is_choice(q)) {
        app_value_text(type, chosen_value(r, q, f.value), text);
        return strdup(text);
    }
    if (isnan(f.value))
        return strdup("-");
    if (is_date)
        app_value_text(NW_COLUMN_DATE, f.value, text);
    else if (is_count(q))
        snprintf(text, sizeof text, "%.0f", f.value);
    else
        snprintf(text, sizeof text, fabs(f.value) < 1e15 ? "%.*f" : "%.*g", fabs(f.value) < 1e15 ? decimals_for(f.error) : 10,
            f.value);
    return strdup(text);
}

static char *error_heading(const report *r, const query *q)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, "%s (%.10g %%)", query_is_choice(q) ? "ranks off" : "error", 100.0 * r->confidence);
    return strdup(text);
}

static char *error_text(const query *q, double error)
{
    char text[TEXT_SIZE];
    if (!isfinite(error))
        return strdup("-");
    snprintf(text, sizeof text, error < 1e15 ? "%.*f" : "%.*g",
        error >= 1e15 ? 10
        : is_count(q) ? 0
                      : decimals_for(error),
        error);
    return strdup(text);
}

/* ---- aligned text ---- */

typedef struct rows {
    char **cells; /* [count][COLUMNS], owned; NULL where a column is not used */
    size_t count;
    bool is_number[COLUMNS]; /* aligned to the right */
} rows;

static bool rows_make(rows *t, size_t count)
{
    t->cells = calloc(count * COLUMNS, sizeof *t->cells);
    t->count = t->cells == NULL ? 0 : count;
    return t->cells != NULL;
}

static void rows_free(rows *t)
{
    for (size_t i = 0; i < t->count * COLUMNS; i++)
        free(t->cells[i]);
    free(t->cells);
}

/* Columns of UTF-8 text: bytes that do not continue a character. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; text != NULL && *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void rows_print(FILE *stream, const rows *t)
{
    size_t widths[COLUMNS] = { 0 };
    for (size_t i = 0; i < t->count * COLUMNS; i++)
        widths[i % COLUMNS] = width_of(t->cells[i]) > widths[i % COLUMNS] ? width_of(t->cells[i]) : widths[i % COLUMNS];
    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < COLUMNS; k++) {
            const char *cell = t->cells[i * COLUMNS + k];
            if (cell == NULL)
                continue;
            const int padding = (int)(widths[k] - width_of(cell));
            if (t->is_number[k])
                fprintf(stream, "  %*s%s", padding, "", cell);
            else
                fprintf(stream, "  %s%*s", cell, padding, "");
        }
        fputc('\n', stream);
    }
}

static bool has_all(const rows *t, const query *q)
{
    for (size_t i = 0; i < t->count; i++) {
        char *const *row = t->cells + i * COLUMNS;
        if ((q->key != QUERY_NO_COLUMN && row[0] == NULL) || (q->figure == FIGURE_HIST && row[1] == NULL) || row[2] == NULL ||
            row[3] == NULL)
            return false;
    }
    return true;
}

static char *column_name(const report *r, size_t column)
{
    char *copy = strdup(nw_schema_column(r->schema, column).name);
    return copy == NULL ? NULL : (char *)(uintptr_t)app_plain(copy);
}

static bool print_figures(FILE *stream, const report *r, size_t i)
{
    const query *q = &r->queries[i];
    rows t = { .is_number = { false, false, true, true } };
    if (!rows_make(&t, (size_t)q->keys * q->cells + 1))
        return false;
    for (size_t row = 0; row < t.count; row++) {
        char **cells = t.cells + row * COLUMNS;
        const uint32_t key = row == 0 ? 0 : (uint32_t)((row - 1) / q->cells);
        const uint32_t cell = row == 0 ? 0 : (uint32_t)((row - 1) % q->cells);
        nw_stats_figure f = { NAN, INFINITY, INFINITY };
        const bool is_known = row > 0 && nw_stats_get(r->stats, i, row - 1, &f, NULL) == NW_OK;
        if (q->key != QUERY_NO_COLUMN)
            cells[0] = row == 0 ? column_name(r, q->key) : app_code_text(r->schema, q->key, key, key);
        if (q->figure == FIGURE_HIST)
            cells[1] = row == 0 ? column_name(r, q->column) : cell_text(r, q, cell);
        cells[2] = is_known ? value_text(r, q, f) : strdup("value");
        cells[3] = is_known ? error_text(q, f.error) : error_heading(r, q);
    }
    const bool is_whole = has_all(&t, q);
    if (is_whole)
        rows_print(stream, &t);
    rows_free(&t);
    return is_whole;
}

/* In groups of one size. */
static double expected_error(const report *r, size_t i)
{
    const query *q = &r->queries[i];
    const double records = (double)r->records / ((double)q->keys * q->cells); /* a histogram's cells are its groups */
    return nw_stats_expected_error(r->stats, i, records);
}

static bool is_error_known(const report *r, const query *q)
{
    return r->records > 0 || is_count(q) || query_is_choice(q) || q->figure == FIGURE_SUM;
}

static void print_estimate(FILE *stream, const report *r, size_t i)
{
    const query *q = &r->queries[i];
    const nw_stats_plan plan = nw_stats_get_plan(r->stats, i);
    fprintf(stream, "  %zu figure%s, error (%.10g %%) ", plan.groups, plan.groups == 1 ? "" : "s", 100.0 * r->confidence);
    if (is_error_known(r, q))
        fprintf(stream, "%.3g", expected_error(r, i));
    else
        fprintf(stream, "unknown: give --rows N, the number of records to assume");
    if (query_is_choice(q)) {
        fprintf(stream, " ranks%s", plan.margin > 0 ? "" : "\n");
        if (plan.margin > 0)
            fprintf(stream, " from the end; wanted is the rank %llu records inside\n", (unsigned long long)plan.margin);
        return;
    }
    fprintf(stream, "; noise");
    for (size_t k = 0; k < plan.totals; k++)
        fprintf(stream, "%s %.3g", k == 0 ? "" : ",", plan.noise[k]);
    fputc('\n', stream);
}

bool report_text(FILE *stream, const report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        char *text = strdup(r->queries[i].text);
        if (text == NULL)
            return false;
        fprintf(
            stream, "%s%s  (%.4g of the budget)\n", i == 0 ? "" : "\n", app_plain(text), nw_stats_get_plan(r->stats, i).share);
        free(text);
        if (r->is_estimate)
            print_estimate(stream, r, i);
        else if (!print_figures(stream, r, i))
            return false;
    }
    return true;
}

/* ---- JSON ---- */

static json_t *number_json(nw_column_type type, double x)
{
    char text[TEXT_SIZE];
    if (isnan(x))
        return json_null();
    if (type == NW_COLUMN_BOOL)
        return json_boolean(x > 0.5);
    if (type == NW_COLUMN_INT || type == NW_COLUMN_CODE)
        return json_integer((json_int_t)x);
    if (type != NW_COLUMN_DATE)
        return json_real(x);
    app_value_text(NW_COLUMN_DATE, x, text);
    return json_string(text);
}

/* A label, a value, [low, high] of a bin, or null: missing. */
static json_t *codes_json(const nw_schema *schema, size_t column, uint32_t first, uint32_t last)
{
    const nw_column c = nw_schema_column(schema, column);
    const char *label = nw_schema_label(schema, column, first);
    double low, high, unused;
    if (label != NULL)
        return app_json_text(label);
    nw_schema_range(schema, column, first, &low, &unused);
    nw_schema_range(schema, column, last, &unused, &high);
    if (isnan(low) || low == high)
        return number_json(c.type, low);
    return json_pack("[o, o]", number_json(c.type, low), number_json(c.type, high));
}

static json_t *cell_json(const report *r, const query *q, uint32_t cell)
{
    const nw_column c = nw_schema_column(r->schema, q->column);
    if (cell >= q->ranges)
        return json_null();
    return codes_json(r->schema, q->column, query_first_code(q, &c, cell), query_first_code(q, &c, cell + 1) - 1);
}

static json_t *figure_json(const report *r, const query *q, size_t i, size_t group)
{
    nw_stats_figure f;
    json_t *object = json_object();
    if (nw_stats_get(r->stats, i, group, &f, NULL) != NW_OK) {
        json_decref(object);
        return NULL;
    }
    if (q->key != QUERY_NO_COLUMN) {
        const uint32_t key = (uint32_t)(group / q->cells);
        app_json_put(&object, "key", codes_json(r->schema, q->key, key, key));
    }
    if (q->figure == FIGURE_HIST)
        app_json_put(&object, "cell", cell_json(r, q, (uint32_t)(group % q->cells)));
    if (query_is_choice(q)) {
        app_json_put(&object, "value", number_json(nw_schema_column(r->schema, q->column).type, chosen_value(r, q, f.value)));
        app_json_put(&object, "error", json_null());
        app_json_put(&object, "rank_error", app_json_real(f.error));
        app_json_put(&object, "mean_rank_error", app_json_real(f.standard_error));
        return object;
    }
    app_json_put(&object, "value", is_count(q) ? json_integer((json_int_t)f.value) : app_json_real(f.value));
    app_json_put(&object, "error", app_json_real(f.error));
    app_json_put(&object, "standard_error", app_json_real(f.standard_error));
    return object;
}

static const char *figure_name(figure f)
{
    static const char *const names[] = { "", "count", "sum", "mean", "var", "hist", "quantile", "min", "max" };
    return names[f];
}

static json_t *query_json(const report *r, size_t i)
{
    const query *q = &r->queries[i];
    const nw_stats_plan plan = nw_stats_get_plan(r->stats, i);
    json_t *noise = json_array();
    json_t *object = json_object();
    for (size_t k = 0; k < plan.totals; k++)
        json_array_append_new(noise, app_json_real(plan.noise[k]));
    app_json_put(&object, "query", app_json_text(q->text));
    app_json_put(&object, "figure", json_string(figure_name(q->figure)));
    app_json_put(&object, "column",
        q->column == QUERY_NO_COLUMN ? json_null() : app_json_text(nw_schema_column(r->schema, q->column).name));
    app_json_put(
        &object, "by", q->key == QUERY_NO_COLUMN ? json_null() : app_json_text(nw_schema_column(r->schema, q->key).name));
    app_json_put(&object, "share", app_json_real(plan.share));
    app_json_put(&object, "noise", noise);
    if (plan.margin > 0)
        app_json_put(&object, "margin", json_integer((json_int_t)plan.margin));
    if (r->is_estimate) {
        app_json_put(&object, "groups", json_integer((json_int_t)plan.groups));
        app_json_put(&object, "expected_error", is_error_known(r, q) ? app_json_real(expected_error(r, i)) : json_null());
        return object;
    }
    json_t *figures = json_array();
    for (size_t group = 0; group < plan.groups; group++)
        json_array_append_new(figures, figure_json(r, q, i, group));
    app_json_put(&object, "figures", figures);
    return object;
}

json_t *report_json(const report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(list, query_json(r, i));
    return json_array_size(list) == r->count ? list : (json_decref(list), NULL);
}

/* ---- one value ---- */

char *report_value(const nw_schema *schema, size_t column, uint32_t code)
{
    char text[TEXT_SIZE];
    app_value_text(nw_schema_column(schema, column).type, middle_of(schema, column, code), text);
    return strdup(text);
}

json_t *report_value_json(const nw_schema *schema, size_t column, uint32_t code)
{
    return number_json(nw_schema_column(schema, column).type, middle_of(schema, column, code));
}
