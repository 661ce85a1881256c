/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* view.c - see view.h. */
#include "view.h"

#include "../common/columns.h"
#include "../common/exit.h"
#include "../common/numbers.h"
#include "settings.h"
#include "coordinates.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double FARTHEST = 0x1p100; /* its square times the most coordinates is a float's double */

void view_free(view *v)
{
    nw_schema_free(v->schema);
    free(v->schema_path);
    words_free(&v->columns);
    free(v->label);
    points_free(&v->projection);
    free(v->lower_text);
    free(v->upper_text);
    free(v->lower);
    free(v->upper);
    free(v->is_log);
    free(v->point_lower);
    free(v->point_upper);
    *v = (view){ 0 };
}

static bool copy_text(char **out, const char *text)
{
    *out = text == NULL ? NULL : strdup(text);
    return text == NULL || *out != NULL;
}

/* ---- what a user says ---- */

static int read_projection(view *v, const char *path)
{
    csv_terms terms = { .header = POINTS_HEADER_AUTO };
    unsigned char digest[(VIEW_DIGEST - 1) / 2];
    int code = points_read(&v->projection, path, &terms);
    csv_terms_free(&terms);
    const size_t n = v->projection.n * v->projection.d;
    for (size_t i = 0; code == APP_OK && i < n; i++)
        if (!(fabs((double)v->projection.x[i]) <= 1e6))
            code = app_fail(APP_DATA, path, "row %zu has a number that is not finite, or above 1e6", i / v->projection.d + 1);
    if (code == APP_OK && (n == 0 || v->projection.n > POINTS_MOST_DIMENSIONS))
        code = app_fail(APP_DATA, path, "has %zu rows, must have one for each coordinate, 1 to %d", v->projection.n,
            (int)POINTS_MOST_DIMENSIONS);
    if (code == APP_OK &&
        crypto_generichash(digest, sizeof digest, (const unsigned char *)v->projection.x, n * sizeof(float), NULL, 0) == 0)
        sodium_bin2hex(v->project, sizeof v->project, digest, sizeof digest);
    return code;
}

int view_make(view *v, const view_words *w)
{
    nw_error err;
    int code = APP_OK;
    *v = (view){ .header = (points_header)w->header, .is_scaled = w->is_scaled, .is_unit_norm = w->is_unit_norm };
    if (!copy_text(&v->label, w->label) || !copy_text(&v->lower_text, w->lower) || !copy_text(&v->upper_text, w->upper) ||
        !copy_text(&v->schema_path, w->schema))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (w->schema != NULL && nw_schema_read(&v->schema, w->schema, 0, &err) != NW_OK)
        return app_fail_error(w->schema, &err);
    if (w->schema != NULL && (w->lower != NULL || w->upper != NULL))
        return app_fail(APP_USAGE, w->lower != NULL ? "--lower" : "--upper", "given with --schema, which has the bounds");
    if (w->schema != NULL && w->header != POINTS_HEADER_AUTO)
        return app_fail(APP_USAGE, "--header", "given with --schema, for which files have a first line with names");
    if (w->columns != NULL) {
        code = words_parse(&v->columns, "--columns", w->columns);
        v->is_exact = true;
    }
    if (code == APP_OK && v->is_scaled && v->schema == NULL && (w->lower == NULL || w->upper == NULL))
        code = app_fail(APP_USAGE, "--scale", "needs bounds: --lower and --upper, or --schema");
    if (code == APP_OK && w->project != NULL)
        code = read_projection(v, w->project);
    return code;
}

/* ---- coordinates ---- */

static coordinate_terms coordinate_terms_of(const view *v)
{
    return (coordinate_terms){ v->schema, &v->columns, v->label };
}

size_t view_width(const view *v)
{
    return v->schema == NULL && v->projection.n > 0 ? v->projection.n : v->d;
}

size_t view_dimension(const view *v)
{
    return v->projection.n > 0 ? v->projection.d : v->d;
}

int kde_parse_bounds(const char *option, const char *text, size_t count, double **out)
{
    char cell[64];
    size_t given = 0;
    *out = NULL;
    if (text == NULL)
        return APP_OK;
    double *bounds = calloc(count, sizeof *bounds);
    if (bounds == NULL)
        return app_fail(APP_INTERNAL, option, "out of memory");
    *out = bounds;
    for (const char *at = text; at != NULL; given++) {
        const size_t n = strcspn(at, ",");
        double value = 0.0;
        snprintf(cell, sizeof cell, "%.*s", n < sizeof cell ? (int)n : 0, at);
        if (!app_parse_real(cell, &value))
            return app_fail(APP_USAGE, option, "is \"%s\", must be a number, or numbers separated by commas", text);
        if (given < count)
            bounds[given] = value;
        at = at[n] == '\0' ? NULL : at + n + 1;
    }
    if (given != 1 && given != count)
        return app_fail(APP_USAGE, option, "is \"%s\", must be one number, or %zu", text, count);
    for (size_t j = given; j < count; j++)
        bounds[j] = bounds[0];
    return APP_OK;
}

static int check_bounds(const view *v)
{
    if ((v->lower == NULL) != (v->upper == NULL))
        return app_fail(APP_USAGE, v->lower == NULL ? "--lower" : "--upper", "missing, must be given with %s",
            v->lower == NULL ? "--upper" : "--lower");
    for (size_t j = 0; v->lower != NULL && j < v->d; j++)
        if (!(v->lower[j] < v->upper[j]))
            return app_fail(
                APP_USAGE, "--upper", "is %g for coordinate %zu, must be above --lower, %g", v->upper[j], j, v->lower[j]);
    return APP_OK;
}

static int schema_bounds(view *v)
{
    coordinate *coordinates = NULL;
    size_t n = 0;
    const coordinate_terms terms = coordinate_terms_of(v);
    int code = coordinates_of(&coordinates, &n, &terms, v->schema_path == NULL ? "the structure" : v->schema_path);
    v->lower = calloc(n + 1, sizeof *v->lower);
    v->upper = calloc(n + 1, sizeof *v->upper);
    v->is_log = calloc(n + 1, sizeof *v->is_log);
    if (code == APP_OK && (v->lower == NULL || v->upper == NULL || v->is_log == NULL))
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t j = 0; code == APP_OK && j < n; j++) {
        const nw_column c = nw_schema_column(v->schema, coordinates[j].column);
        v->lower[j] = coordinates[j].is_number ? c.lower : 0.0;
        v->upper[j] = coordinates[j].is_number ? c.upper : 1.0;
        v->is_log[j] = coordinates[j].is_number && c.is_log;
        if (!(v->lower[j] < v->upper[j])) /* one value: any interval will do */
            v->upper[j] = v->lower[j] + 1.0;
    }
    v->d = n;
    free(coordinates);
    return code;
}

/* Of norm 1, a coordinate of the product is at most the norm of its column; else it is a sum of intervals. */
static void project_bounds(const view *v, const double *lower, const double *upper)
{
    const points *p = &v->projection;
    for (size_t k = 0; k < p->d; k++) {
        double low = 0.0, high = 0.0, square = 0.0;
        for (size_t j = 0; j < p->n; j++) {
            const double w = (double)p->x[j * p->d + k];
            square += w * w;
            low += w * (v->is_unit_norm ? 0.0 : w > 0.0 ? lower[j] : upper[j]);
            high += w * (v->is_unit_norm ? 0.0 : w > 0.0 ? upper[j] : lower[j]);
        }
        v->point_lower[k] = v->is_unit_norm ? -sqrt(square) : low;
        v->point_upper[k] = v->is_unit_norm ? sqrt(square) : high;
        if (!(v->point_lower[k] < v->point_upper[k])) /* a column of zeros */
            v->point_upper[k] = v->point_lower[k] + 1.0;
    }
}

static int point_bounds(view *v)
{
    const size_t d = view_dimension(v);
    const bool has_bounds = v->lower != NULL || v->is_unit_norm;
    if (!has_bounds)
        return APP_OK;
    v->point_lower = calloc(d, sizeof *v->point_lower);
    v->point_upper = calloc(d, sizeof *v->point_upper);
    double *lower = calloc(v->d, sizeof *lower), *upper = calloc(v->d, sizeof *upper);
    const bool is_whole = v->point_lower != NULL && v->point_upper != NULL && lower != NULL && upper != NULL;
    for (size_t j = 0; is_whole && j < v->d; j++) {
        const bool is_positive = v->is_scaled || (v->lower != NULL && v->lower[j] >= 0.0);
        lower[j] = v->is_unit_norm ? (is_positive ? 0.0 : -1.0) : v->is_scaled ? 0.0 : v->lower[j];
        upper[j] = v->is_unit_norm || v->is_scaled ? 1.0 : v->upper[j];
    }
    if (is_whole && v->projection.n > 0) {
        project_bounds(v, lower, upper);
    } else if (is_whole) {
        memcpy(v->point_lower, lower, d * sizeof *lower);
        memcpy(v->point_upper, upper, d * sizeof *upper);
    }
    free(lower);
    free(upper);
    return is_whole ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
}

int view_settle(view *v, size_t d, const char *subject)
{
    double *lower = NULL, *upper = NULL;
    int code = APP_OK;
    if (v->schema != NULL)
        code = schema_bounds(v);
    else
        v->d = d;
    if (code == APP_OK && v->projection.n > 0 && v->projection.n != v->d)
        code = app_fail(APP_DATA, subject, "has %zu coordinates, must have %zu as --project has rows", v->d, v->projection.n);
    if (code == APP_OK)
        code = kde_parse_bounds("--lower", v->lower_text, v->d, &lower);
    v->lower = lower == NULL ? v->lower : lower; /* a schema has its own */
    if (code == APP_OK)
        code = kde_parse_bounds("--upper", v->upper_text, v->d, &upper);
    v->upper = upper == NULL ? v->upper : upper;
    if (code == APP_OK)
        code = check_bounds(v);
    v->is_settled = code == APP_OK;
    return code == APP_OK ? point_bounds(v) : code;
}

static char *schema_name(const view *v, size_t j)
{
    coordinate *coordinates = NULL;
    size_t n = 0;
    char *name = NULL;
    const coordinate_terms terms = coordinate_terms_of(v);
    if (coordinates_of(&coordinates, &n, &terms, "the structure") == APP_OK && j < n) {
        const nw_column c = nw_schema_column(v->schema, coordinates[j].column);
        char *value = coordinates[j].is_number ? NULL
                      : c.is_nullable && coordinates[j].code == c.cells - 1
                          ? strdup("missing")
                          : app_class_name(v->schema, coordinates[j].column, coordinates[j].code);
        if (asprintf(&name, "%s%s%s", c.name, value == NULL ? "" : " = ", value == NULL ? "" : value) < 0)
            name = NULL;
        free(value);
    }
    free(coordinates);
    return name;
}

char *view_name(const view *v, size_t j)
{
    char *name = NULL;
    if (v->project[0] != '\0')
        return asprintf(&name, "projection %zu", j + 1) < 0 ? NULL : name;
    if (v->schema != NULL)
        return schema_name(v, j);
    return j < v->columns.count ? strdup(v->columns.items[j]) : NULL;
}

/* ---- points ---- */

bool view_is_plain(const view *v)
{
    return !v->is_unit_norm && v->project[0] == '\0';
}

double view_place(const view *v, size_t j, double x)
{
    if (!v->is_scaled)
        return x;
    const nw_column c = { .lower = v->lower[j], .upper = v->upper[j] };
    return v->is_log != NULL && v->is_log[j] ? app_column_log_place(&c, x) : app_column_place(&c, x);
}

/* One number of a row, held to its bounds, and on the scale that is asked for. */
static double held(const view *v, size_t j, float x)
{
    const double low = v->lower == NULL ? -FARTHEST : v->lower[j], high = v->upper == NULL ? FARTHEST : v->upper[j];
    const double at = isnan(x) ? 0.5 * (low + high) : fmin(fmax((double)x, low), high);
    return view_place(v, j, at);
}

static void make_row(const view *v, const float *x, double *row, double *sums, float *out)
{
    double square = 0.0;
    for (size_t j = 0; j < v->d; j++) {
        row[j] = held(v, j, x[j]);
        square += row[j] * row[j];
    }
    const double factor = v->is_unit_norm && square > 0.0 ? 1.0 / sqrt(square) : 1.0;
    const size_t d = view_dimension(v);
    if (v->projection.n == 0) {
        for (size_t j = 0; j < d; j++)
            out[j] = (float)(factor * row[j]);
        return;
    }
    memset(sums, 0, d * sizeof *sums);
    for (size_t j = 0; j < v->d; j++) {
        const float *w = v->projection.x + j * d;
        for (size_t k = 0; row[j] != 0.0 && k < d; k++)
            sums[k] += row[j] * (double)w[k];
    }
    for (size_t k = 0; k < d; k++)
        out[k] = (float)(factor * sums[k]);
}

/* Puts what is seen in the place of what was read. */
static int transform(points *p, const view *v)
{
    if (!v->is_scaled && !v->is_unit_norm && v->projection.n == 0)
        return APP_OK;
    points seen = { .d = view_dimension(v) };
    seen.x = reallocarray(NULL, p->n * seen.d + 1, sizeof *seen.x);
    double *row = calloc(v->d, sizeof *row), *sums = calloc(seen.d, sizeof *sums);
    const bool is_whole = seen.x != NULL && row != NULL && sums != NULL;
    for (; is_whole && seen.n < p->n; seen.n++)
        make_row(v, p->x + seen.n * p->d, row, sums, seen.x + seen.n * seen.d);
    if (row != NULL)
        sodium_memzero(row, v->d * sizeof *row);
    if (sums != NULL)
        sodium_memzero(sums, seen.d * sizeof *sums);
    free(row);
    free(sums);
    if (is_whole) {
        points_free(p);
        *p = seen;
    } else {
        points_free(&seen);
    }
    return is_whole ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
}

static int read_plain(points *out, words *labels, view *v, const char *path)
{
    csv_terms terms = { .header = v->header,
        .columns = v->columns.count == 0 ? NULL : &v->columns,
        .is_exact = v->is_exact,
        .label = v->label,
        .needs_label = labels != NULL };
    const int code = points_read(out, path, &terms);
    if (code == APP_OK && v->columns.count == 0) {
        v->columns = terms.names; /* those that queries must have */
        terms.names = (words){ 0 };
    }
    if (code == APP_OK && labels != NULL) {
        *labels = terms.labels;
        terms.labels = (words){ 0 };
    }
    csv_terms_free(&terms);
    return code;
}

int view_read(points *out, words *labels, view *v, const char *path)
{
    const coordinate_terms terms = coordinate_terms_of(v);
    int code = v->schema != NULL ? coordinates_read(out, labels, &terms, path) : read_plain(out, labels, v, path);
    if (code == APP_OK && !v->is_settled)
        code = view_settle(v, out->d, path);
    if (code == APP_OK && out->d != v->d)
        code = app_fail(APP_DATA, path, "has %zu coordinates, must have %zu as the points of the structure", out->d, v->d);
    if (code == APP_OK)
        code = transform(out, v);
    if (code != APP_OK)
        points_free(out);
    return code;
}

/* ---- with a structure ---- */

json_t *view_json(const view *v)
{
    json_t *object = json_object();
    if (v->schema != NULL) {
        json_object_set_new(object, "schema", json_string(nw_schema_json(v->schema)));
        json_object_set_new(object, "max_bins", json_integer(nw_schema_max_bins(v->schema)));
    }
    if (v->columns.count > 0) {
        json_t *list = json_array();
        for (size_t i = 0; i < v->columns.count; i++)
            json_array_append_new(list, json_string(v->columns.items[i]));
        json_object_set_new(object, "columns", list);
    }
    if (v->label != NULL)
        json_object_set_new(object, "label", json_string(v->label));
    if (v->lower_text != NULL && (v->is_scaled || v->is_unit_norm || v->project[0] != '\0')) {
        json_object_set_new(object, "lower", json_string(v->lower_text));
        json_object_set_new(object, "upper", json_string(v->upper_text));
    }
    if (v->is_scaled)
        json_object_set_new(object, "scale", json_true());
    if (v->is_unit_norm)
        json_object_set_new(object, "unit_norm", json_true());
    if (v->project[0] != '\0')
        json_object_set_new(object, "project", json_string(v->project));
    json_object_set_new(object, "coordinates", json_integer((json_int_t)v->d));
    return object;
}

static int read_columns(view *v, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL || !words_add(&v->columns, name, strlen(name)))
            return app_fail(APP_DATA, NULL, "out of memory, or a column without a name");
    }
    return APP_OK;
}

static int read_schema(view *v, const json_t *json, const char *subject)
{
    nw_error err;
    const char *schema = json_string_value(json_object_get(json, "schema"));
    const json_int_t bins = json_integer_value(json_object_get(json, "max_bins"));
    if (schema != NULL &&
        nw_schema_parse(&v->schema, schema, (uint32_t)(bins > 0 && bins <= UINT16_MAX ? bins : 0), &err) != NW_OK)
        return app_fail_error(subject, &err);
    return APP_OK;
}

int view_of_json(view *v, const json_t *json, const char *subject)
{
    const char *project = json_string_value(json_object_get(json, "project"));
    const json_int_t d = json_integer_value(json_object_get(json, "coordinates"));
    *v = (view){ .is_scaled = json_is_true(json_object_get(json, "scale")),
        .is_unit_norm = json_is_true(json_object_get(json, "unit_norm")),
        .d = d > 0 && d <= POINTS_MOST_DIMENSIONS ? (size_t)d : 0 };
    snprintf(v->project, sizeof v->project, "%s", project == NULL ? "" : project);
    if (!copy_text(&v->label, json_string_value(json_object_get(json, "label"))) ||
        !copy_text(&v->lower_text, json_string_value(json_object_get(json, "lower"))) ||
        !copy_text(&v->upper_text, json_string_value(json_object_get(json, "upper"))))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    const int code = read_columns(v, json_object_get(json, "columns"));
    return code == APP_OK ? read_schema(v, json, subject) : code;
}

int view_complete(view *v, const char *project, const char *subject)
{
    char wanted[VIEW_DIGEST];
    memcpy(wanted, v->project, sizeof wanted);
    if (wanted[0] == '\0' && project != NULL)
        return app_fail(APP_USAGE, "--project", "given, but %s was built without one", subject);
    if (wanted[0] != '\0' && project == NULL)
        return app_fail(APP_USAGE, "--project", "missing, must be the matrix that %s was built with", subject);
    int code = project == NULL ? APP_OK : read_projection(v, project);
    if (code == APP_OK && strcmp(v->project, wanted) != 0)
        return app_fail(APP_USAGE, "--project", "is %s, must be the matrix that %s was built with", project, subject);
    return code == APP_OK && v->d > 0 ? view_settle(v, v->d, subject) : code;
}
