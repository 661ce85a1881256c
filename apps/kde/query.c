/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query.c - nw-kde query, plot and info. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/receipt.h"
#include "ask.h"
#include "npy.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>

/* ---- query ---- */

typedef struct ranked {
    size_t query;
    double value;
} ranked;

/* What a run of query owns. */
typedef struct answers {
    const settings *settings;
    structure structure;
    points y;
    double *values;
    double *errors;
    ranked *order; /* NULL: all queries, in their own order */
    size_t n;      /* that are told */
    rows rows;
} answers;

static void answers_free(answers *a)
{
    structure_free(&a->structure);
    points_free(&a->y);
    free(a->values);
    free(a->errors);
    free(a->order);
}

/* Small values first; of equal ones the first. */
static int by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->query < y->query ? -1 : x->query > y->query;
}

/* --top: the nearest first; --outliers: the farthest. */
static int rank(answers *a)
{
    const settings *s = a->settings;
    const uint64_t most = s->top > 0 ? s->top : s->outliers;
    const bool is_small_first = (s->top > 0) == structure_is_distance(&a->structure);
    a->n = a->y.n;
    if (most == 0)
        return APP_OK;
    a->order = calloc(a->y.n + 1, sizeof *a->order);
    if (a->order == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < a->y.n; i++)
        a->order[i] = (ranked){ i, is_small_first ? a->values[i] : -a->values[i] };
    qsort(a->order, a->y.n, sizeof *a->order, by_value);
    a->n = most < a->y.n ? (size_t)most : a->y.n;
    return APP_OK;
}

static size_t query_of(const answers *a, size_t i)
{
    return a->order == NULL ? i : a->order[i].query;
}

static void print_answers(FILE *out, const void *context)
{
    const answers *a = context;
    fputs(a->order == NULL ? "value,stderr\n" : "query,value,stderr\n", out);
    for (size_t i = 0; i < a->n; i++) {
        const size_t q = query_of(a, i);
        if (a->order != NULL)
            fprintf(out, "%zu,", a->rows.from + q);
        fprintf(out, "%.10g,%.6g\n", a->values[q], a->errors[q]);
    }
}

static double array_value(const void *context, size_t row, size_t column)
{
    const answers *a = context;
    const size_t q = query_of(a, row), which = column + (a->order == NULL);
    return which == 0 ? (double)(a->rows.from + q) : which == 1 ? a->values[q] : a->errors[q];
}

static int print_answers_json(const answers *a)
{
    json_t *object = json_object(), *list = json_array();
    for (size_t i = 0; i < a->n; i++) {
        const size_t q = query_of(a, i);
        json_array_append_new(list, json_pack("{s:I, s:o, s:o}", "query", (json_int_t)(a->rows.from + q), "value",
                                        app_json_real(a->values[q]), "stderr", app_json_real(a->errors[q])));
    }
    app_json_put(&object, "answers", list);
    return app_print_json(object);
}

/* Of the number of points: to first order. */
static int average(answers *a)
{
    double error = 0.0;
    const double n = structure_points(&a->structure, &error);
    if (!(n > 0.0))
        return app_fail(
            APP_DATA, a->structure.path, "has a private number of points, must be built with --n-public for --average");
    for (size_t i = 0; i < a->y.n; i++) {
        const double mean = a->values[i] / n;
        a->errors[i] = hypot(a->errors[i], mean * error) / n;
        a->values[i] = mean;
    }
    return APP_OK;
}

static int answer(answers *a)
{
    const settings *s = a->settings;
    if (s->top > 0 && s->outliers > 0)
        return app_fail(APP_USAGE, "--outliers", "given with --top, must be one of the two");
    int code = structure_load(&a->structure, s->operands[0], s->project);
    if (code == APP_OK)
        code = ask_read(&a->y, NULL, &a->rows, &a->structure, s);
    const char *const named[] = { s->operands[0], s->data, s->project };
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, named, sizeof named / sizeof *named);
    a->values = calloc(a->y.n + 1, sizeof *a->values);
    a->errors = calloc(a->y.n + 1, sizeof *a->errors);
    if (code == APP_OK && (a->values == NULL || a->errors == NULL))
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = ask_values(&a->structure, &a->y, a->values, a->errors);
    if (code == APP_OK && s->is_average)
        code = average(a);
    return code == APP_OK ? rank(a) : code;
}

int kde_query(const settings *s)
{
    answers a = { .settings = s };
    int code = answer(&a);
    if (code == APP_OK && ask_is_npy(s->output))
        code = npy_write(s->output, a.n, a.order == NULL ? 2 : 3, array_value, &a);
    else if (code == APP_OK && (s->output != NULL || !s->is_json))
        code = ask_write(s->output, print_answers, &a);
    if (code == APP_OK && s->is_json)
        code = print_answers_json(&a);
    answers_free(&a);
    return code;
}

/* ---- plot ---- */

/* What is drawn of coordinate j: as said, else all within the bounds. */
static int plot_range(plot_terms *t, const structure *drawn, size_t j, const double *lower, const double *upper)
{
    const nw_kde_opts o = nw_kde_get_opts(drawn->kde);
    const view *v = &drawn->about.view;
    t->lower[j] = lower != NULL ? lower[j] : v->is_scaled && view_is_plain(v) ? v->lower[j] : o.lower[j];
    t->upper[j] = upper != NULL ? upper[j] : v->is_scaled && view_is_plain(v) ? v->upper[j] : o.upper[j];
    if (!(t->lower[j] < t->upper[j]))
        return app_fail(
            APP_USAGE, "--upper", "is %g for coordinate %zu, must be above the lower bound, %g", t->upper[j], j, t->lower[j]);
    if (v->is_log != NULL && v->is_log[j] && v->is_scaled && t->lower[j] < v->lower[j])
        return app_fail(
            APP_USAGE, "--lower", "is %g for coordinate %zu, must be at least its bound, %g", t->lower[j], j, v->lower[j]);
    return APP_OK;
}

static int plot(const settings *s, structure *drawn)
{
    const nw_kde_opts o = nw_kde_get_opts(drawn->kde);
    view *v = &drawn->about.view, plain = { 0 };
    double *lower = NULL, *upper = NULL;
    char *names[2] = { NULL, NULL };
    if (o.dimension > 2)
        return app_fail(APP_DATA, drawn->path, "has %zu dimensions, must have 1 or 2 to be drawn", o.dimension);
    if (o.lower == NULL && (s->lower == NULL || s->upper == NULL))
        return app_fail(APP_USAGE, s->lower == NULL ? "--lower" : "--upper",
            "missing, must be given with %s: the structure has no bounds", s->lower == NULL ? "--upper" : "--lower");
    int code = view_is_plain(v) ? view_complete(v, NULL, drawn->path) : APP_OK;
    if (code == APP_OK)
        code = kde_parse_bounds("--lower", s->lower, o.dimension, &lower);
    if (code == APP_OK)
        code = kde_parse_bounds("--upper", s->upper, o.dimension, &upper);
    plot_terms terms = { .kde = drawn->kde, .view = view_is_plain(v) ? v : &plain, .title = s->title };
    for (size_t j = 0; code == APP_OK && j < o.dimension; j++) {
        terms.names[j] = names[j] = view_name(v, j);
        code = plot_range(&terms, drawn, j, lower, upper);
    }
    if (code == APP_OK)
        code = plot_write(&terms, s->output == NULL ? "-" : s->output);
    for (size_t j = 0; j < 2; j++)
        free(names[j]);
    free(lower);
    free(upper);
    return code;
}

int kde_plot(const settings *s)
{
    structure one;
    int code = s->output == NULL ? APP_OK : app_check_output(s->output);
    if (code != APP_OK)
        return code;
    code = structure_peek(&one, s->operands[0]);
    if (code == APP_OK)
        code = plot(s, &one);
    structure_free(&one);
    return code;
}

/* ---- info ---- */

/* How rows become points, in a few words. */
static void print_view(const view *v)
{
    if (v->schema == NULL && v->columns.count == 0 && !v->is_scaled && !v->is_unit_norm && v->project[0] == '\0')
        return;
    printf("points are ");
    if (v->schema != NULL)
        printf("rows under a schema");
    else
        printf("rows of %zu numbers", v->d);
    if (v->columns.count > 0 && v->columns.count <= 8) {
        printf(",");
        for (size_t i = 0; i < v->columns.count; i++)
            printf(" %s", app_plain(v->columns.items[i]));
    }
    printf("%s%s%s\n", v->is_scaled ? ", bounds at 0 and 1" : "", v->is_unit_norm ? ", of norm 1" : "",
        v->project[0] != '\0' ? ", projected" : "");
}

static int print_info(const structure *s)
{
    const nw_kde_opts o = nw_kde_get_opts(s->kde);
    const nw_kde_plan p = nw_kde_get_plan(s->kde);
    const nw_receipt *r = nw_kde_receipt(s->kde);
    double error = 0.0;
    const double n = structure_points(s, &error);
    printf("function   %s in %zu dimension%s", nw_kde_kernel_name(o.kernel), o.dimension, o.dimension == 1 ? "" : "s");
    if (!structure_is_distance(s))
        printf(", bandwidth %g%s", o.bandwidth, o.is_half ? " (convention half)" : "");
    printf("\nestimator  %s of size %zu, %zu totals\nnoise      %.6g in a value\n", nw_kde_estimator_name(p.estimator), p.size,
        p.totals, p.noise);
    if (n == n)
        printf(error > 0.0 ? "points     %.0f +- %.3g\n" : "points     %.0f, public\n", n, error);
    if (s->about.class != NULL)
        printf("class      %s\n", app_plain(s->about.class));
    print_view(&s->about.view);
    printf("privacy    epsilon %.6g, delta %g, neighbours %s%s\nreleased   %s\n", r->epsilon, r->delta,
        nw_adjacency_name(r->adjacency), r->is_insecure ? ", NOT PRIVATE: made with a seed" : "", r->time);
    return APP_OK;
}

static int print_info_json(const structure *s)
{
    const nw_kde_opts o = nw_kde_get_opts(s->kde);
    const nw_kde_plan p = nw_kde_get_plan(s->kde);
    const nw_receipt *r = nw_kde_receipt(s->kde);
    double error = 0.0;
    const double n = structure_points(s, &error);
    json_t *object = json_object();
    app_json_put(&object, "kernel", json_string(nw_kde_kernel_name(o.kernel)));
    app_json_put(&object, "dimension", json_integer((json_int_t)o.dimension));
    app_json_put(&object, "bandwidth", app_json_real(o.bandwidth));
    app_json_put(&object, "convention", json_string(o.is_half ? "half" : "plain"));
    app_json_put(&object, "estimator", json_string(nw_kde_estimator_name(p.estimator)));
    app_json_put(&object, "size", json_integer((json_int_t)p.size));
    app_json_put(&object, "noise", app_json_real(p.noise));
    app_json_put(&object, "points", app_json_real(n));
    app_json_put(&object, "points_error", app_json_real(error));
    app_json_put(&object, "class", s->about.class == NULL ? json_null() : app_json_text(s->about.class));
    app_json_put(&object, "view", view_json(&s->about.view));
    app_json_put(&object, "epsilon", app_json_real(r->epsilon));
    app_json_put(&object, "delta", app_json_real(r->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(r->adjacency)));
    app_json_put(&object, "insecure", json_boolean(r->is_insecure));
    app_json_put(&object, "time", app_json_text(r->time));
    return app_print_json(object);
}

int kde_info(const settings *s)
{
    structure one;
    int code = structure_peek(&one, s->operands[0]);
    if (code == APP_OK)
        code = s->is_json ? print_info_json(&one) : print_info(&one);
    structure_free(&one);
    return code;
}
