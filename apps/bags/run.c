/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* run.c - a run of nw-bags: options, table, plan, bags and places of the outputs are checked, then the ledger is charged, then
 * noise is drawn, then a model is fitted and written. Nothing before the charge depends on a label. */
#include "job.h"

#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "plot.h"

#include <sodium.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MOST_SCHEMA = (size_t)1 << 26;
static const double CLASS_RESIDUAL = 0.875; /* of labels -1 and 1, whose variance is at most 1, beside a signal of 1/8 */

static void free_job(job *j)
{
    if (j->labels != NULL)
        sodium_memzero(j->labels, j->rows * sizeof *j->labels);
    free(j->labels);
    free(j->features);
    free(j->scores);
    free(j->ids);
    free(j->schema);
    frame_free(&j->table);
    frame_free(&j->test_table);
    model_free(&j->model);
    nw_bags_free(j->bags);
    nw_ledger_close(j->ledger);
    nw_rng_free(j->rng);
    json_decref(j->test);
}

static int no_memory(void)
{
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

/* ---- options ---- */

/* "auto", as -1, or a number in an interval. */
static int parse_choice(const char *option, const char *text, const char *interval, double *out)
{
    *out = -1.0;
    if (text == NULL || strcmp(text, "auto") == 0)
        return APP_OK;
    if (!app_parse_real(text, out) || !app_is_inside(interval, *out))
        return app_fail(APP_USAGE, option, "is \"%s\", must be \"auto\" or a number in %s", text, interval);
    return APP_OK;
}

static int parse_bag(job *j)
{
    const char *text = j->settings->bag;
    if (text == NULL || strcmp(text, "auto") == 0)
        return APP_OK;
    if (!app_parse_count(text, &j->bag_size) || j->bag_size < 1 || j->bag_size > INT32_MAX)
        return app_fail(APP_USAGE, "--bag", "is \"%s\", must be \"auto\" or a whole number from 1 on", text);
    return APP_OK;
}

static int check_kinds(const settings *s)
{
    if ((s->is_curated ? 1 : 0) + (s->sort_by != NULL ? 1 : 0) + (s->bag_column != NULL ? 1 : 0) > 1)
        return app_fail(APP_USAGE, "--curated", "--curated, --sort-by and --bag-column exclude each other, give one of them");
    if (s->bag_column != NULL && s->bag != NULL && strcmp(s->bag, "auto") != 0)
        return app_fail(APP_USAGE, "--bag", "is \"%s\", must be left out with --bag-column, which says the bags", s->bag);
    if (s->positive != NULL && s->task != BAGS_CLASSIFY)
        return app_fail(APP_USAGE, "--positive", "given with --task regress, must be given with --task classify");
    return APP_OK;
}

static int check_label(job *j)
{
    const settings *s = j->settings;
    j->clip = s->task == BAGS_CLASSIFY ? 1.0 : s->clip;
    if (s->task == BAGS_REGRESS && s->clip == 0.0)
        return app_fail(APP_USAGE, "--clip", "missing, must say how far from --center labels count");
    if (s->task == BAGS_CLASSIFY && s->clip != 0.0 && s->clip != 1.0)
        return app_fail(
            APP_USAGE, "--clip", "is %g, must be 1 with --task classify, whose labels are -1 and 1, or left out", s->clip);
    if (s->task == BAGS_CLASSIFY && s->center != 0.0)
        return app_fail(APP_USAGE, "--center", "is %g, must be 0 with --task classify, or left out", s->center);
    return APP_OK;
}

static int check_files(const settings *s)
{
    const char *const inputs[] = { s->data, s->schema, s->test, s->ledger };
    const char *const outputs[] = { s->model, s->bags, s->plot };
    static const char *const options[] = { "--save-model", "--bags", "--plot" };
    for (size_t i = 0; i < 3; i++) {
        int code = app_check_apart(options[i], outputs[i], inputs, 4);
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (outputs[i] != NULL && outputs[k] != NULL && !app_is_stream(outputs[i]) &&
                app_is_same_file(outputs[i], outputs[k]))
                code = app_fail(APP_USAGE, options[i], "is the same file as %s, must be another", options[k]);
        if (code == APP_OK && outputs[i] != NULL && strcmp(outputs[i], "-") == 0)
            code = app_fail(APP_USAGE, options[i], "is \"-\", must be a file: standard output has the report");
        if (code == APP_OK && outputs[i] != NULL)
            code = app_check_output(outputs[i]);
        if (code != APP_OK)
            return code;
    }
    return s->test == NULL ? APP_OK : app_check_input(s->test);
}

static int check_settings(job *j)
{
    const settings *s = j->settings;
    int code = check_kinds(s);
    if (code == APP_OK)
        code = check_label(j);
    if (code == APP_OK)
        code = parse_bag(j);
    if (code == APP_OK)
        code = parse_choice("--rho", s->rho, "[0, 1]", &j->rho);
    if (code == APP_OK)
        code = parse_choice("--ridge", s->ridge, "[0, 1e9]", &j->ridge);
    if (code == APP_OK && s->task == BAGS_CLASSIFY && j->ridge == 0.0)
        code = app_fail(
            APP_USAGE, "--ridge", "is 0, must be above 0 with --task classify: of noisy means there may be no best model");
    if (code == APP_OK)
        code = app_check_seed(s->insecure_seed, s->ledger);
    if (code != APP_OK || s->is_estimate)
        return code;
    if (s->data == NULL || s->target == NULL)
        return app_fail(APP_USAGE, s->data == NULL ? "--data" : "--target", "missing, must be given unless --estimate is");
    return check_files(s);
}

/* ---- table ---- */

/* No label is looked at, but to be moved. */
static int take_labels(job *j)
{
    const settings *s = j->settings;
    j->labels = calloc(j->rows + 1, sizeof *j->labels);
    if (j->labels == NULL)
        return no_memory();
    for (size_t i = 0; i < j->rows; i++)
        j->labels[i] = frame_label(&j->table, i, s->task == BAGS_CLASSIFY, s->positive);
    sodium_memzero(j->table.target->numbers, j->rows * sizeof(double));
    sodium_memzero(j->table.target->codes, j->rows * sizeof(int32_t));
    return APP_OK;
}

/* With a schema the two values of the target are known; the second one counts as 1. */
static int settle_positive(job *j)
{
    const frame_column *c = j->table.target;
    const char *positive = j->settings->positive;
    if (j->settings->task == BAGS_REGRESS && j->schema != NULL && c->is_category)
        return app_fail(
            APP_USAGE, "--target", "is %s, a column of categories, must be one of numbers with --task regress", c->name);
    if (j->settings->task == BAGS_CLASSIFY && j->schema != NULL && positive == NULL && c->is_category && c->value_count != 2)
        return app_fail(
            APP_USAGE, "--positive", "missing, must name the value that counts as 1: %s has %zu values", c->name, c->value_count);
    if (j->schema != NULL && positive != NULL && c->is_category) {
        for (size_t v = 0; v < c->value_count; v++)
            if (strcmp(c->values[v], positive) == 0)
                return APP_OK;
        return app_fail(APP_USAGE, "--positive", "is \"%s\", must be a value of %s in the schema", positive, c->name);
    }
    return APP_OK;
}

static int remember(job *j)
{
    const settings *s = j->settings;
    model *m = &j->model;
    m->is_classifier = s->task == BAGS_CLASSIFY;
    m->target = strdup(s->target);
    m->positive = s->positive == NULL ? NULL : strdup(s->positive);
    m->schema = j->schema == NULL ? NULL : strdup(j->schema);
    m->coefficients = calloc(m->plan.count, sizeof *m->coefficients);
    if (m->target == NULL || m->coefficients == NULL || (s->positive != NULL && m->positive == NULL) ||
        (j->schema != NULL && m->schema == NULL))
        return no_memory();
    j->width = m->plan.count;
    return APP_OK;
}

static int read_table(job *j)
{
    const settings *s = j->settings;
    const char *const left_out[] = { s->bag_column };
    int code = app_check_input(s->data);
    if (code == APP_OK && s->schema != NULL) {
        code = app_check_input(s->schema);
        if (code == APP_OK)
            code = app_read_text(s->schema, MOST_SCHEMA, &j->schema);
    }
    const frame_opts o = { j->schema, s->target, s->positive, true, NULL };
    if (code == APP_OK)
        code = frame_read(&j->table, s->data, &o);
    j->rows = j->table.rows;
    if (code == APP_OK && j->rows < 2)
        code = app_fail(APP_DATA, s->data, "must have two records or more");
    if (code == APP_OK)
        code = settle_positive(j);
    if (code == APP_OK)
        code = take_labels(j);
    if (code == APP_OK)
        code = feature_plan_make(&j->model.plan, &j->table, left_out, 1, s->data);
    if (code == APP_OK)
        code = remember(j);
    if (code == APP_OK)
        code = feature_matrix(&j->features, &j->model.plan, &j->table, s->data);
    return code;
}

/* ---- bags ---- */

static int find_column(const job *j, const char *option, const char *name, const frame_column **out)
{
    *out = frame_find(&j->table, name);
    if (*out == NULL || *out == j->table.target)
        return app_fail(APP_USAGE, option, "is \"%s\", must be a column of %s other than the target", name, j->settings->data);
    return APP_OK;
}

static int take_scores(job *j)
{
    const frame_column *c = NULL;
    const int code = find_column(j, "--sort-by", j->settings->sort_by, &c);
    if (code != APP_OK)
        return code;
    j->scores = calloc(j->rows, sizeof *j->scores);
    if (j->scores == NULL)
        return no_memory();
    for (size_t i = 0; i < j->rows; i++) {
        j->scores[i] = c->is_category ? c->codes[i] : c->numbers[i];
        if (isnan(j->scores[i]))
            return app_fail(
                APP_DATA, j->settings->data, "record %zu: %s is missing, must be a number with --sort-by", i + 1, c->name);
    }
    return APP_OK;
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Bags in the order of the column's values. */
static int take_ids(job *j)
{
    const frame_column *c = NULL;
    int code = find_column(j, "--bag-column", j->settings->bag_column, &c);
    if (code != APP_OK)
        return code;
    double *sorted = calloc(j->rows, sizeof *sorted);
    j->ids = calloc(j->rows, sizeof *j->ids);
    if (sorted == NULL || j->ids == NULL) {
        free(sorted);
        return no_memory();
    }
    for (size_t i = 0; code == APP_OK && i < j->rows; i++) {
        sorted[i] = c->is_category ? c->codes[i] : c->numbers[i];
        if (isnan(sorted[i]) || (c->is_category && sorted[i] < 0.0))
            code = app_fail(APP_DATA, j->settings->data, "record %zu: %s is missing, must name a bag", i + 1, c->name);
    }
    qsort(sorted, j->rows, sizeof *sorted, by_number);
    for (size_t i = 0; i < j->rows; i++)
        if (i == 0 || sorted[i] != sorted[j->bag_count - 1])
            sorted[j->bag_count++] = sorted[i];
    for (size_t i = 0; code == APP_OK && i < j->rows; i++) {
        const double x = c->is_category ? c->codes[i] : c->numbers[i];
        const double *at = bsearch(&x, sorted, j->bag_count, sizeof *sorted, by_number);
        j->ids[i] = at == NULL ? 0 : (size_t)(at - sorted);
    }
    free(sorted);
    return code;
}

static int pick(job *j)
{
    const settings *s = j->settings;
    nw_error err;
    if (j->bag_size > j->rows)
        return app_fail(APP_USAGE, "--bag", "is %llu, must be at most the number of records", (unsigned long long)j->bag_size);
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    q.rows = j->rows;
    q.features = j->width;
    q.epsilon = s->epsilon;
    q.delta = s->delta;
    q.clip = j->clip;
    q.signal_variance = s->signal_variance;
    q.residual_variance = s->residual_variance == 0.0 && s->task == BAGS_CLASSIFY ? CLASS_RESIDUAL : s->residual_variance;
    q.bag_size = (size_t)j->bag_size;
    q.rho = j->rho;
    q.is_unregularized = j->ridge == 0.0;
    q.is_curated = s->is_curated;
    q.dimensions = j->features == NULL ? 0.0 : feature_dimensions(j->features, j->rows, j->width);
    if (isnan(q.dimensions))
        return no_memory();
    j->problem = q;
    if (nw_bags_pick(&q, &j->choice, &err) != NW_OK)
        return app_fail(APP_USAGE, NULL, "%s", err.message);
    if (s->is_curated && j->bag_size > 0)
        j->choice.is_curated = true;
    if (s->bag_column != NULL)
        j->choice.rho = j->rho < 0.0 ? 0.0 : j->rho;
    return APP_OK;
}

static int make_bags(job *j)
{
    static const double none = 0.0; /* --estimate has no features, and new reads none */
    const settings *s = j->settings;
    nw_error err;
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    o.rows = j->rows;
    o.epsilon = s->epsilon;
    o.delta = s->delta;
    o.clip = j->clip;
    o.center = s->center;
    o.public_seed = s->public_seed;
    o.bag_size = j->choice.bag_size;
    o.grouping = j->ids != NULL
                     ? NW_BAGS_BY_ID
                     : (j->scores != NULL ? NW_BAGS_SORTED : (j->choice.is_curated ? NW_BAGS_CURATED : NW_BAGS_RANDOM));
    o.scores = j->scores;
    o.ids = j->ids;
    o.bag_count = j->bag_count;
    o.borrowed_features = j->features == NULL ? &none : j->features;
    o.feature_count = j->width;
    if (nw_bags_new(&j->bags, &o, &err) != NW_OK)
        return app_fail(err.status == NW_E_NOMEM ? APP_INTERNAL : APP_USAGE, NULL, "%s", err.message);
    return APP_OK;
}

static nw_bags_fit_opts fit_of(const job *j)
{
    nw_bags_fit_opts o = NW_BAGS_FIT_OPTS_INIT;
    o.loss = j->settings->task == BAGS_CLASSIFY ? NW_BAGS_LOGISTIC : NW_BAGS_SQUARED;
    o.rho = j->choice.rho;
    o.ridge = j->ridge;
    return o;
}

/* Without a ridge the fit may fail, by the public features alone: tried on labels that are all the same, so that nothing is
 * charged for a model that there cannot be. */
static int rehearse(job *j)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_bags *own = j->bags;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.delta = 0.5;
    lo.adjacency = NW_REPLACE_LABEL;
    lo.unit = NW_BAGS_UNIT;
    j->bags = NULL;
    double *zeros = calloc(j->rows, sizeof *zeros);
    int code = zeros == NULL ? no_memory() : make_bags(j);
    if (code == APP_OK && (app_new_rng(&rng, 1, &err) != NW_OK || nw_ledger_unlimited(&ledger, &lo, &err) != NW_OK ||
                              nw_bags_release(j->bags, rng, ledger, zeros, "rehearsal", NULL, &err) != NW_OK))
        code = app_fail_error(NULL, &err);
    const nw_bags_fit_opts o = fit_of(j);
    if (code == APP_OK && nw_bags_fit(j->bags, j->features, j->width, &o, j->model.coefficients, NULL, &err) != NW_OK)
        code = app_fail(APP_USAGE, "--ridge", "%s", err.message);
    free(zeros);
    nw_bags_free(j->bags);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    j->bags = own;
    return code;
}

/* ---- the release ---- */

static int check_unit(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    if (s->ledger == NULL)
        return APP_OK;
    int code = app_check_input(s->ledger);
    if (code != APP_OK)
        return code;
    if (nw_ledger_open_readonly(&ledger, s->ledger, &err) != NW_OK)
        return app_fail_error(s->ledger, &err);
    if (nw_ledger_summarise(ledger, &summary, &err) != NW_OK)
        code = app_fail_error(s->ledger, &err);
    else if (summary.adjacency != NW_REPLACE_LABEL || strcmp(summary.unit, NW_BAGS_UNIT) != 0)
        code = app_fail(APP_USAGE, s->ledger,
            "protects %s under %s, must protect label under replace_label (nw-ledger create --adjacency replace-label)",
            app_plain(summary.unit), nw_adjacency_name(summary.adjacency));
    nw_ledger_close(ledger);
    return code;
}

static int open_ledger(job *j)
{
    const settings *s = j->settings;
    const app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = NW_REPLACE_LABEL,
        .event = nw_bags_event(j->bags),
        .filter = NW_FILTER_AUTO,
        .unit = NW_BAGS_UNIT };
    const int code = check_unit(s);
    return code == APP_OK ? app_open_ledger(&j->ledger, &release) : code;
}

/* Charges, draws and fits. From the charge on a signal comes too late. */
static int release(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    const nw_bags_fit_opts o = fit_of(j);
    nw_status status = app_new_rng(&j->rng, s->insecure_seed, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_bags_release(j->bags, j->rng, j->ledger, j->labels, s->label, &j->receipt, &err);
    if (status == NW_OK)
        status = nw_bags_fit(j->bags, j->features, j->width, &o, j->model.coefficients, &j->fitted, &err);
    j->model.intercept = j->fitted.intercept;
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (j->receipt.head[0] != '\0')
        app_note("the budget was spent and stays spent; no model was written");
    return code;
}

/* ---- outputs ---- */

static int write_bags(const job *j)
{
    char *text = NULL;
    size_t size = 0;
    nw_error err;
    size_t *ids = calloc(j->rows, sizeof *ids);
    FILE *out = open_memstream(&text, &size);
    if (ids == NULL || out == NULL || nw_bags_get_ids(j->bags, ids, &err) != NW_OK) {
        free(ids);
        if (out != NULL)
            fclose(out);
        free(text);
        return no_memory();
    }
    fputs("row,bag,size,mean\n", out);
    for (size_t i = 0; i < j->rows; i++)
        fprintf(out, "%zu,%zu,%zu,%.17g\n", i, ids[i], nw_bags_size(j->bags, ids[i]), nw_bags_means(j->bags)[ids[i]]);
    const int code = fclose(out) == 0 ? app_write_text(j->settings->bags, text) : no_memory();
    free(ids);
    free(text);
    return code;
}

static int write_plot(const job *j)
{
    char *text = bags_plot(&j->problem, &j->choice);
    const int code = text == NULL ? no_memory() : app_write_text(j->settings->plot, text);
    free(text);
    return code;
}

static int write_model(const job *j)
{
    json_t *object = model_json(&j->model);
    app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    char *text = app_json_dump(object, JSON_INDENT(1));
    const int code = text == NULL ? no_memory() : app_write_text(j->settings->model, text);
    free(text);
    return code;
}

static int write_outputs(job *j)
{
    const settings *s = j->settings;
    int code = s->model == NULL ? APP_OK : write_model(j);
    if (code == APP_OK && s->bags != NULL)
        code = write_bags(j);
    if (code == APP_OK && s->plot != NULL)
        code = write_plot(j);
    return code == APP_OK && s->test != NULL ? model_test(&j->test, &j->model, &j->test_table, s->test) : code;
}

/* ---- run ---- */

static int estimate(job *j)
{
    const settings *s = j->settings;
    if (s->rows == 0 || s->features == 0)
        return app_fail(APP_USAGE, s->rows == 0 ? "--rows" : "--features", "missing, must be given with --estimate");
    if (s->sort_by != NULL || s->bag_column != NULL)
        return app_fail(APP_USAGE, "--estimate", "given with --sort-by or --bag-column, which it reads no data for");
    j->rows = (size_t)s->rows;
    j->width = (size_t)s->features;
    int code = pick(j);
    if (code == APP_OK)
        code = make_bags(j);
    if (code == APP_OK && s->plot != NULL)
        code = app_check_output(s->plot);
    return code == APP_OK && s->plot != NULL ? write_plot(j) : code;
}

/* Before the charge, so that a file that does not fit costs nothing. */
static int read_test(job *j)
{
    json_t *unused = NULL;
    int code = model_frame(&j->test_table, &j->model, j->settings->test, true);
    if (code == APP_OK)
        code = model_test(&unused, &j->model, &j->test_table, j->settings->test);
    json_decref(unused);
    return code;
}

static int plan(job *j)
{
    const settings *s = j->settings;
    int code = read_table(j);
    if (code == APP_OK && s->sort_by != NULL)
        code = take_scores(j);
    if (code == APP_OK && s->bag_column != NULL)
        code = take_ids(j);
    if (code == APP_OK)
        code = pick(j);
    if (code == APP_OK)
        code = make_bags(j);
    if (code == APP_OK && j->ridge == 0.0)
        code = rehearse(j);
    if (code == APP_OK && s->test != NULL)
        code = read_test(j);
    return code;
}

int bags_run(const settings *s)
{
    job j = { .settings = s };
    int code = check_settings(&j);
    if (code == APP_OK && s->is_estimate)
        code = estimate(&j);
    else if (code == APP_OK) {
        code = plan(&j);
        if (code == APP_OK)
            code = open_ledger(&j);
        if (code == APP_OK)
            code = release(&j);
        if (code == APP_OK)
            code = write_outputs(&j);
    }
    if (code == APP_OK)
        code = bags_report(&j);
    free_job(&j);
    return code;
}
