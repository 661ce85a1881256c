/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* classify.c - nw-kde classify: the class whose points a query is most similar to, on average. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "ask.h"
#include "classes.h"
#include "npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a run owns. */
typedef struct run {
    const settings *settings;
    words paths;
    structure *structures; /* paths.count */
    words names;           /* of the classes: as built, or their places from 0 */
    bool has_names;        /* as built */
    points y;
    rows rows;
    words labels;    /* the right classes, of all rows or of those that are kept */
    double *scores;  /* y.n x paths.count: averages */
    double *errors;  /* the same: standard errors */
    size_t *best;    /* class of each query */
    size_t *truth;   /* or NULL */
    double accuracy; /* NaN without truth */
} run;

static void run_free(run *r)
{
    for (size_t i = 0; r->structures != NULL && i < r->paths.count; i++)
        structure_free(&r->structures[i]);
    free(r->structures);
    words_free(&r->paths);
    words_free(&r->names);
    words_free(&r->labels);
    points_free(&r->y);
    free(r->scores);
    free(r->errors);
    free(r->best);
    free(r->truth);
}

/* ---- structures ---- */

static int take_paths(run *r)
{
    const settings *s = r->settings;
    int code = APP_OK;
    if ((s->structures != NULL) == (s->files.count > 0))
        return app_fail(APP_USAGE, "--structures", "%s, must name the classes' structures, or these as operands",
            s->structures == NULL ? "missing" : "given with operands");
    if (s->structures != NULL)
        code = words_parse(&r->paths, "--structures", s->structures);
    for (size_t i = 0; i < s->files.count; i++)
        if (!words_add(&r->paths, s->files.items[i], strlen(s->files.items[i])))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK && (r->paths.count < 2 || r->paths.count > CLASSES_MOST))
        return app_fail(APP_USAGE, "--structures", "has %zu, must have 2 to %d, one a class", r->paths.count, (int)CLASSES_MOST);
    return code == APP_OK ? app_check_distinct(r->paths.items, r->paths.count, "given twice, must be given once") : code;
}

static bool same_bounds(const double *a, const double *b, size_t n)
{
    return (a == NULL) == (b == NULL) && (a == NULL || memcmp(a, b, n * sizeof *a) == 0);
}

/* What differs between the functions of two structures; NULL: nothing. */
static const char *difference(const structure *a, const structure *b)
{
    const nw_kde_opts x = nw_kde_get_opts(a->kde), y = nw_kde_get_opts(b->kde);
    if (x.kernel != y.kernel)
        return "kernel";
    if (x.dimension != y.dimension)
        return "dimension";
    if (!structure_is_distance(a) && (x.bandwidth != y.bandwidth || x.is_half != y.is_half))
        return "bandwidth";
    if (x.kernel == NW_KDE_LPP && x.power != y.power)
        return "power";
    if (!same_bounds(x.lower, y.lower, x.dimension) || !same_bounds(x.upper, y.upper, x.dimension))
        return "bounds";
    json_t *p = view_json(&a->about.view), *q = view_json(&b->about.view);
    const bool has_names = json_object_get(p, "columns") != NULL && json_object_get(q, "columns") != NULL;
    json_object_del(p, has_names ? "" : "columns"); /* without names columns are taken by their place */
    json_object_del(q, has_names ? "" : "columns");
    const bool is_same = json_equal(p, q) == 1;
    json_decref(p);
    json_decref(q);
    return is_same ? NULL : "columns or transforms";
}

static int load_all(run *r)
{
    r->structures = calloc(r->paths.count, sizeof *r->structures);
    if (r->structures == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    r->has_names = true;
    for (size_t i = 0; i < r->paths.count; i++) {
        structure *one = &r->structures[i];
        int code = i == 0 ? structure_load(one, r->paths.items[i], r->settings->project) : structure_peek(one, r->paths.items[i]);
        if (code != APP_OK)
            return code;
        const char *differs = difference(&r->structures[0], one);
        if (differs != NULL)
            return app_fail(
                APP_DATA, one->path, "has another %s than %s, must be of the same function", differs, r->structures[0].path);
        double error = 0.0;
        if (!(structure_points(one, &error) > 0.0))
            return app_fail(APP_DATA, one->path,
                "has a private number of points, must be built with --n-public (or --label, which draws it) for an average");
        r->has_names = r->has_names && one->about.class != NULL;
    }
    return APP_OK;
}

static int name_classes(run *r)
{
    char place[24];
    for (size_t i = 0; i < r->paths.count; i++) {
        snprintf(place, sizeof place, "%zu", i);
        const char *name = r->has_names ? r->structures[i].about.class : place;
        if (words_find(&r->names, name) != r->names.count)
            return app_fail(APP_DATA, r->paths.items[i], "is of class %s, as %s is, must be of another", name,
                r->paths.items[words_find(&r->names, name)]);
        if (!words_add(&r->names, name, strlen(name)))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return APP_OK;
}

/* ---- scores ---- */

/* The average over the class's points, and its error: the noise's, and to first order that of a number that was drawn. */
static int score_class(run *r, size_t class, double *values, double *errors)
{
    double error = 0.0;
    const double n = structure_points(&r->structures[class], &error);
    const int code = ask_values(&r->structures[class], &r->y, values, errors);
    for (size_t i = 0; code == APP_OK && i < r->y.n; i++) {
        const double mean = values[i] / n;
        r->scores[i * r->paths.count + class] = mean;
        r->errors[i * r->paths.count + class] = hypot(errors[i], mean * error) / n;
    }
    return code;
}

/* The largest average, of distances the smallest; of equal ones the first class. */
static void choose(run *r)
{
    const double sign = structure_is_distance(&r->structures[0]) ? -1.0 : 1.0;
    const size_t k = r->paths.count;
    for (size_t i = 0; i < r->y.n; i++)
        for (size_t c = 1; c < k; c++)
            if (sign * r->scores[i * k + c] > sign * r->scores[i * k + r->best[i]])
                r->best[i] = c;
}

static int score(run *r)
{
    const size_t n = r->y.n;
    double *values = calloc(n + 1, sizeof *values), *errors = calloc(n + 1, sizeof *errors);
    r->scores = calloc(n * r->paths.count + 1, sizeof *r->scores);
    r->errors = calloc(n * r->paths.count + 1, sizeof *r->errors);
    r->best = calloc(n + 1, sizeof *r->best);
    int code = values == NULL || errors == NULL || r->scores == NULL || r->errors == NULL || r->best == NULL
                   ? app_fail(APP_INTERNAL, NULL, "out of memory")
                   : APP_OK;
    for (size_t c = 0; code == APP_OK && c < r->paths.count; c++)
        code = score_class(r, c, values, errors);
    if (code == APP_OK)
        choose(r);
    free(values);
    free(errors);
    return code;
}

/* ---- truth ---- */

/* Labels are those of all rows of the file, or of those that were kept; a header may come before them. */
static int compare(run *r)
{
    const settings *s = r->settings;
    const char *subject = s->truth != NULL ? s->truth : s->data;
    const bool is_whole = r->labels.count == r->rows.all || r->labels.count == r->rows.all + 1;
    const size_t from = is_whole ? r->rows.from : 0;
    size_t right = 0;
    const int code = labels_places(&r->truth, &r->labels, &r->names, is_whole ? r->rows.all : r->y.n, subject);
    for (size_t i = 0; code == APP_OK && i < r->y.n; i++)
        right += r->truth[from + i] == r->best[i];
    r->accuracy = r->y.n == 0 ? NAN : (double)right / (double)r->y.n;
    return code;
}

/* ---- what is told ---- */

/* A name with a comma or quote stands in quotes. */
static void print_name(FILE *out, const char *name)
{
    if (strpbrk(name, ",\"\n\r") == NULL) {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name != '\0'; name++)
        fprintf(out, *name == '"' ? "\"\"" : "%c", *name);
    fputc('"', out);
}

static void print_head(FILE *out, const run *r)
{
    fputs("class,similarity,stderr", out);
    for (size_t c = 0; r->settings->has_scores && c < r->names.count; c++) {
        fputc(',', out);
        print_name(out, r->names.items[c]);
    }
    fputc('\n', out);
}

static void print_classes(FILE *out, const void *context)
{
    const run *r = context;
    const size_t k = r->paths.count;
    print_head(out, r);
    for (size_t i = 0; i < r->y.n; i++) {
        print_name(out, r->names.items[r->best[i]]);
        fprintf(out, ",%.10g,%.6g", r->scores[i * k + r->best[i]], r->errors[i * k + r->best[i]]);
        for (size_t c = 0; r->settings->has_scores && c < k; c++)
            fprintf(out, ",%.10g", r->scores[i * k + c]);
        fputc('\n', out);
    }
}

static int print_json(const run *r)
{
    const size_t k = r->paths.count;
    json_t *object = json_object(), *labels = json_array(), *similar = json_array(), *errors = json_array(),
           *names = json_array();
    for (size_t c = 0; c < k; c++)
        json_array_append_new(names, app_json_text(r->names.items[c]));
    for (size_t i = 0; i < r->y.n; i++) {
        json_array_append_new(labels, json_integer((json_int_t)r->best[i]));
        json_array_append_new(similar, app_json_real(r->scores[i * k + r->best[i]]));
        json_array_append_new(errors, app_json_real(r->errors[i * k + r->best[i]]));
    }
    app_json_put(&object, "classes", json_integer((json_int_t)k));
    app_json_put(&object, "names", names);
    app_json_put(&object, "labels", labels);
    app_json_put(&object, "similarities", similar);
    app_json_put(&object, "stderr", errors);
    if (r->truth != NULL)
        app_json_put(&object, "accuracy", app_json_real(r->accuracy));
    return app_print_json(object);
}

/* With --scores a row of averages, else the class's place. */
static double array_value(const void *context, size_t row, size_t column)
{
    const run *r = context;
    return r->settings->has_scores ? r->scores[row * r->paths.count + column] : (double)r->best[row];
}

static int tell(const run *r)
{
    const settings *s = r->settings;
    int code = APP_OK;
    if (ask_is_npy(s->output))
        code = npy_write(s->output, r->y.n, s->has_scores ? r->paths.count : 0, array_value, r);
    else if (s->output != NULL || !s->is_json)
        code = ask_write(s->output, print_classes, r);
    if (code == APP_OK && s->is_json)
        code = print_json(r);
    if (code == APP_OK && r->truth != NULL && !s->is_json)
        app_note("%.4f of %zu classes are right", r->accuracy, r->y.n);
    return code;
}

/* ---- the command ---- */

static int classify(run *r)
{
    const settings *s = r->settings;
    if (s->truth != NULL && s->label != NULL)
        return app_fail(APP_USAGE, "--truth", "given with --label, must be one of the two");
    int code = take_paths(r);
    if (code == APP_OK)
        code = load_all(r);
    if (code == APP_OK)
        code = name_classes(r);
    const char *const named[] = { s->data, s->project, s->truth };
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, named, sizeof named / sizeof *named);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, (const char *const *)r->paths.items, r->paths.count);
    if (code == APP_OK)
        code = ask_read(&r->y, s->label != NULL ? &r->labels : NULL, &r->rows, &r->structures[0], s);
    if (code == APP_OK && s->truth != NULL)
        code = labels_read(&r->labels, s->truth);
    if (code == APP_OK)
        code = score(r);
    return code == APP_OK && (s->truth != NULL || s->label != NULL) ? compare(r) : code;
}

int kde_classify(const settings *s)
{
    run r = { .settings = s };
    int code = classify(&r);
    if (code == APP_OK)
        code = tell(&r);
    run_free(&r);
    return code;
}
