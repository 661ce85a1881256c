/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ask.c - nw-kde query, classify, plot and info: post-processing of released structures. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/receipt.h"
#include "plot.h"
#include "points.h"
#include "settings.h"

#include <noisewright.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 4096 };
static const size_t MOST_TEXT = (size_t)1 << 28;

/* ---- structures and answers ---- */

static int load(nw_kde **kde, const char *path)
{
    nw_error err;
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    return nw_kde_load(kde, path, &err) == NW_OK ? APP_OK : app_fail_error(path, &err);
}

/* Queries and what is answered. */
typedef struct answers {
    points y;
    double *values;
    double *errors;
} answers;

static void answers_free(answers *a)
{
    points_free(&a->y);
    free(a->values);
    free(a->errors);
}

static int read_queries(answers *a, const char *path, const nw_kde *kde)
{
    int code = app_check_input(path);
    if (code == APP_OK)
        code = points_read(&a->y, path);
    if (code != APP_OK)
        return code;
    const size_t d = nw_kde_get_opts(kde).dimension;
    if (a->y.d != d)
        return app_fail(APP_DATA, path, "has %zu coordinates, must have %zu as the structure", a->y.d, d);
    a->values = calloc(a->y.n + 1, sizeof *a->values);
    a->errors = calloc(a->y.n + 1, sizeof *a->errors);
    return a->values != NULL && a->errors != NULL ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
}

static int ask(answers *a, const nw_kde *kde)
{
    nw_error err;
    return nw_kde_query(kde, a->y.x, a->y.n, a->values, a->errors, &err) == NW_OK ? APP_OK : app_fail_error(NULL, &err);
}

/* Writes what `fill` prints. */
static int write_output(const char *path, void (*fill)(FILE *, const void *), const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    fill(out, context);
    const int code =
        fclose(out) == 0 ? app_write_text(path == NULL ? "-" : path, text) : app_fail(APP_INTERNAL, NULL, "out of memory");
    free(text);
    return code;
}

/* ---- query ---- */

typedef struct ranked {
    size_t query;
    double value;
} ranked;

static int by_falling_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->query < y->query ? -1 : x->query > y->query;
}

typedef struct answer_lines {
    const answers *a;
    const ranked *order; /* NULL: all, in their own order */
    size_t n;
} answer_lines;

static void print_answers(FILE *out, const void *context)
{
    const answer_lines *l = context;
    fputs(l->order == NULL ? "value,stderr\n" : "query,value,stderr\n", out);
    for (size_t i = 0; i < l->n; i++) {
        const size_t q = l->order == NULL ? i : l->order[i].query;
        if (l->order != NULL)
            fprintf(out, "%zu,", q);
        fprintf(out, "%.10g,%.6g\n", l->a->values[q], l->a->errors[q]);
    }
}

static int print_answers_json(const answer_lines *l)
{
    json_t *object = json_object(), *list = json_array();
    for (size_t i = 0; i < l->n; i++) {
        const size_t q = l->order == NULL ? i : l->order[i].query;
        json_array_append_new(list, json_pack("{s:I, s:o, s:o}", "query", (json_int_t)q, "value", app_json_real(l->a->values[q]),
                                        "stderr", app_json_real(l->a->errors[q])));
    }
    app_json_put(&object, "answers", list);
    return app_print_json(object);
}

int kde_query(const settings *s)
{
    nw_kde *kde = NULL;
    answers a = { 0 };
    ranked *order = NULL;
    int code = load(&kde, s->operands[0]);
    if (code == APP_OK)
        code = read_queries(&a, s->data, kde);
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = ask(&a, kde);
    if (code == APP_OK && s->top > 0) {
        order = calloc(a.y.n + 1, sizeof *order);
        for (size_t i = 0; order != NULL && i < a.y.n; i++)
            order[i] = (ranked){ i, a.values[i] };
        if (order != NULL)
            qsort(order, a.y.n, sizeof *order, by_falling_value);
        else
            code = app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    if (code == APP_OK) {
        const answer_lines lines = { &a, order, order != NULL && s->top < a.y.n ? (size_t)s->top : a.y.n };
        code = s->is_json ? print_answers_json(&lines) : write_output(s->output, print_answers, &lines);
    }
    free(order);
    answers_free(&a);
    nw_kde_free(kde);
    return code;
}

/* ---- classify ---- */

typedef struct classes {
    answers a;
    size_t *best;    /* class of each query */
    double *similar; /* its average similarity */
    size_t count;
    const char *truth; /* NULL: not known */
    double accuracy;
} classes;

/* Asks one class's structure, and keeps what is better than before. */
static int ask_class(classes *c, const char *path, const char *data)
{
    nw_kde *kde = NULL;
    int code = load(&kde, path);
    if (code == APP_OK && c->count == 0)
        code = read_queries(&c->a, data, kde);
    if (code == APP_OK && c->count == 0) {
        c->best = calloc(c->a.y.n + 1, sizeof *c->best);
        c->similar = calloc(c->a.y.n + 1, sizeof *c->similar);
        if (c->best == NULL || c->similar == NULL)
            code = app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    if (code == APP_OK && nw_kde_get_opts(kde).dimension != c->a.y.d)
        code = app_fail(APP_DATA, path, "has %zu coordinates, must have %zu as the first structure",
            nw_kde_get_opts(kde).dimension, c->a.y.d);
    const double members = kde == NULL ? NAN : nw_kde_points(kde, NULL);
    if (code == APP_OK && !(members > 0.0))
        code = app_fail(APP_DATA, path, "has a private number of points, must be built with --n-public for an average");
    if (code == APP_OK)
        code = ask(&c->a, kde);
    for (size_t i = 0; code == APP_OK && i < c->a.y.n; i++) {
        const double similar = c->a.values[i] / members;
        if (c->count == 0 || similar > c->similar[i]) {
            c->best[i] = c->count;
            c->similar[i] = similar;
        }
    }
    c->count++;
    nw_kde_free(kde);
    return code;
}

static int compare_truth(classes *c, const char *path)
{
    char *text = NULL;
    size_t right = 0, i = 0;
    int code = app_read_text(path, MOST_TEXT, &text);
    if (code != APP_OK)
        return code;
    for (char *at = text; *at != '\0' && i < c->a.y.n; i++) {
        char *end = NULL;
        const unsigned long long truth = strtoull(at, &end, 10);
        if (end == at || (*end != '\n' && *end != '\r' && *end != '\0')) {
            free(text);
            return app_fail(APP_DATA, path, "line %zu is no class, must be a whole number", i + 1);
        }
        right += truth == c->best[i];
        at = end + strspn(end, "\r\n");
    }
    free(text);
    if (i != c->a.y.n)
        return app_fail(APP_DATA, path, "has %zu lines, must have %zu, one a query", i, c->a.y.n);
    c->truth = path;
    c->accuracy = i == 0 ? NAN : (double)right / (double)i;
    return APP_OK;
}

static void print_classes(FILE *out, const void *context)
{
    const classes *c = context;
    fputs("class,similarity\n", out);
    for (size_t i = 0; i < c->a.y.n; i++)
        fprintf(out, "%zu,%.10g\n", c->best[i], c->similar[i]);
}

static int print_classes_json(const classes *c)
{
    json_t *object = json_object(), *labels = json_array(), *similar = json_array();
    for (size_t i = 0; i < c->a.y.n; i++) {
        json_array_append_new(labels, json_integer((json_int_t)c->best[i]));
        json_array_append_new(similar, app_json_real(c->similar[i]));
    }
    app_json_put(&object, "classes", json_integer((json_int_t)c->count));
    app_json_put(&object, "labels", labels);
    app_json_put(&object, "similarities", similar);
    if (c->truth != NULL)
        app_json_put(&object, "accuracy", app_json_real(c->accuracy));
    return app_print_json(object);
}

int kde_classify(const settings *s)
{
    classes c = { 0 };
    char *names = strdup(s->structures), *rest = NULL;
    int code = names == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    for (char *name = names == NULL ? NULL : strtok_r(names, ",", &rest); code == APP_OK && name != NULL;
         name = strtok_r(NULL, ",", &rest))
        code = c.count == MOST_CLASSES ? app_fail(APP_USAGE, "--structures", "names more than %d", MOST_CLASSES)
                                       : ask_class(&c, name, s->data);
    if (code == APP_OK && c.count < 2)
        code = app_fail(APP_USAGE, "--structures", "is \"%s\", must name two or more, separated by commas", s->structures);
    if (code == APP_OK && s->truth != NULL)
        code = compare_truth(&c, s->truth);
    if (code == APP_OK)
        code = s->is_json ? print_classes_json(&c) : write_output(s->output, print_classes, &c);
    if (code == APP_OK && c.truth != NULL && !s->is_json)
        app_note("%.4f of the classes are right", c.accuracy);
    free(names);
    free(c.best);
    free(c.similar);
    answers_free(&c.a);
    return code;
}

/* ---- plot ---- */

static int plot(const settings *s, const nw_kde *kde)
{
    const nw_kde_opts o = nw_kde_get_opts(kde);
    double *lower = NULL, *upper = NULL;
    int code = APP_OK;
    if (o.dimension > 2)
        return app_fail(APP_DATA, s->operands[0], "has %zu dimensions, must have 1 or 2 to be drawn", o.dimension);
    if (s->lower == NULL ? o.lower == NULL : s->upper == NULL)
        return app_fail(APP_USAGE, "--lower", "and --upper must both be given: the structure has no bounds");
    code = kde_parse_bounds("--lower", s->lower, o.dimension, &lower);
    if (code == APP_OK)
        code = kde_parse_bounds("--upper", s->upper, o.dimension, &upper);
    for (size_t j = 0; code == APP_OK && lower != NULL && upper != NULL && j < o.dimension; j++)
        if (!(lower[j] < upper[j]))
            code = app_fail(APP_USAGE, "--upper", "is \"%s\", must be above --lower", s->upper);
    char *svg = code == APP_OK ? plot_svg(kde, lower != NULL ? lower : o.lower, upper != NULL ? upper : o.upper) : NULL;
    if (code == APP_OK)
        code = svg == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory")
                           : app_write_text(s->output == NULL ? "-" : s->output, svg);
    free(svg);
    free(lower);
    free(upper);
    return code;
}

int kde_plot(const settings *s)
{
    nw_kde *kde = NULL;
    int code = load(&kde, s->operands[0]);
    if (code == APP_OK)
        code = plot(s, kde);
    nw_kde_free(kde);
    return code;
}

/* ---- info ---- */

static int print_info(const nw_kde *kde, bool is_json)
{
    const nw_kde_opts o = nw_kde_get_opts(kde);
    const nw_kde_plan p = nw_kde_get_plan(kde);
    const nw_receipt *r = nw_kde_receipt(kde);
    double error = 0.0;
    const double n = nw_kde_points(kde, &error);
    if (!is_json) {
        printf("function   %s in %zu dimensions\nestimator  %s of size %zu, %zu totals\nnoise      %.6g in a value\n",
            nw_kde_kernel_name(o.kernel), o.dimension, nw_kde_estimator_name(p.estimator), p.size, p.totals, p.noise);
        if (n == n)
            printf("points     %.0f +- %.3g\n", n, error);
        printf("privacy    epsilon %.6g, delta %g, neighbours %s%s\nreleased   %s\n", r->epsilon, r->delta,
            nw_adjacency_name(r->adjacency), r->is_insecure ? ", NOT PRIVATE: made with a seed" : "", r->time);
        return APP_OK;
    }
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
    app_json_put(&object, "epsilon", app_json_real(r->epsilon));
    app_json_put(&object, "delta", app_json_real(r->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(r->adjacency)));
    app_json_put(&object, "insecure", json_boolean(r->is_insecure));
    app_json_put(&object, "time", app_json_text(r->time));
    return app_print_json(object);
}

int kde_info(const settings *s)
{
    nw_kde *kde = NULL;
    int code = load(&kde, s->operands[0]);
    if (code == APP_OK)
        code = print_info(kde, s->is_json);
    nw_kde_free(kde);
    return code;
}
