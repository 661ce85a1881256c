/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* release.c - what a run is charged, the draws after it, and what is told of it. */
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "about.h"
#include "job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

nw_adjacency job_adjacency(const settings *s)
{
    return s->adjacency == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
}

bool job_draws_sizes(const settings *s)
{
    const bool has_classes = s->label != NULL || s->labels != NULL;
    return has_classes && (s->points == NULL || strcmp(s->points, "private") == 0);
}

/* ---- shares of the budget ---- */

/* The bandwidth's share, in the currency of the noise: of epsilon; or of mu^2, as the epsilon of a choice that costs so much. */
static double bandwidth_epsilon(const settings *s)
{
    if (s->delta == 0.0)
        return s->bandwidth_share * s->epsilon;
    return nw_gdp_range(sqrt(s->bandwidth_share) * nw_gdp_mu(s->epsilon, s->delta)) * (1.0 - 0x1p-20);
}

/* 2^-12 is for the ledger's roundings and what it sets aside of delta. */
double job_epsilon_left(const settings *s)
{
    const double share = s->bandwidth_share + (job_draws_sizes(s) ? s->sizes_share : 0.0);
    if (share == 0.0)
        return s->epsilon;
    if (s->delta == 0.0)
        return (1.0 - share) * s->epsilon * (1.0 - 0x1p-40);
    const double mu = sqrt(1.0 - share) * nw_gdp_mu(s->epsilon, s->delta);
    return nw_gdp_epsilon(mu * (1.0 - 0x1p-12), s->delta);
}

bandwidth_choice job_bandwidth(const job *j)
{
    const settings *s = j->settings;
    const nw_kde_kernel kernel = (nw_kde_kernel)(s->kernel + 1);
    const bool is_l1 = kernel == NW_KDE_LAPLACIAN || kernel == NW_KDE_RATIONAL_L1;
    return (
        bandwidth_choice){ &j->data, j->view.point_lower, j->view.point_upper, is_l1, bandwidth_epsilon(s), job_adjacency(s) };
}

/* ---- events ---- */

/* Of the structures: classes are disjoint, and fixed without looking at the points. */
static nw_status structures_event(nw_event **out, const job *j, nw_error *err)
{
    if (j->classes.names.count == 0)
        return nw_event_copy(out, nw_kde_event(j->parts[0].kde), err);
    const nw_event **events = calloc(j->count, sizeof *events);
    if (events == NULL)
        return NW_E_NOMEM;
    for (size_t i = 0; i < j->count; i++)
        events[i] = nw_kde_event(j->parts[i].kde);
    const nw_status status = nw_event_parallel(out, events, j->count, err);
    free(events);
    return status;
}

/* The structures and the sizes of their classes: one charge. */
static nw_status release_event(nw_event **out, const job *j, nw_error *err)
{
    nw_event *structures = NULL;
    nw_status status = structures_event(&structures, j, err);
    if (status != NW_OK || j->sizes == NULL) {
        *out = structures;
        return status;
    }
    const nw_event *const both[] = { nw_stats_event(j->sizes), structures };
    status = nw_event_composed(out, both, 2, err);
    nw_event_free(structures);
    return status;
}

/* All that will be charged. */
static nw_status make_event(nw_event **out, const job *j, nw_error *err)
{
    nw_event *bandwidth = NULL, *rest = NULL;
    const bandwidth_choice choice = job_bandwidth(j);
    if (j->settings->bandwidth_share == 0.0)
        return release_event(out, j, err);
    nw_status status = bandwidth_event(&bandwidth, &choice, err);
    if (status == NW_OK)
        status = release_event(&rest, j, err);
    const nw_event *const both[] = { bandwidth, rest };
    if (status == NW_OK)
        status = nw_event_composed(out, both, 2, err);
    nw_event_free(bandwidth);
    nw_event_free(rest);
    return status;
}

int job_open_ledger(job *j)
{
    const settings *s = j->settings;
    nw_event *event = NULL;
    nw_error err = { 0 };
    if (make_event(&event, j, &err) != NW_OK)
        return app_fail_error("event", &err);
    const app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = job_adjacency(s),
        .event = event,
        .filter = NW_FILTER_AUTO };
    const int code = app_open_ledger(&j->ledger, &release);
    nw_event_free(event);
    return code;
}

/* ---- draws ---- */

static int fail_release(const job *j, const nw_error *err)
{
    const int code = app_fail_error(j->settings->ledger == NULL ? "run" : j->settings->ledger, err);
    if (j->receipt.head[0] != '\0')
        app_note("the budget was spent and stays spent; nothing was written");
    return code;
}

/* The structures were planned with any bandwidth, which their events do not depend on; they are made anew with this one. */
static int draw_bandwidth(job *j)
{
    nw_error err;
    const bandwidth_choice choice = job_bandwidth(j);
    if (bandwidth_choose(&j->bandwidth, &choice, j->rng, j->ledger, &err) != NW_OK)
        return app_fail_error(j->settings->ledger == NULL ? "run" : j->settings->ledger, &err);
    for (size_t i = 0; i < j->count; i++) {
        const int code = job_make(j, &j->parts[i], NULL);
        if (code != APP_OK)
            return code;
    }
    return APP_OK;
}

/* What is drawn counts as public from here on: the structures are made anew with it, and must cost what was charged. */
static int draw_sizes(job *j, nw_ledger *parts)
{
    nw_error err = { 0 };
    for (size_t i = 0; i < j->count; i++) {
        const uint32_t class = (uint32_t)i;
        for (size_t k = j->classes.first[i]; k < j->classes.first[i + 1]; k++)
            if (nw_stats_add(j->sizes, 0, &class, NULL, 1, &err) != NW_OK)
                return fail_release(j, &err);
    }
    if (nw_stats_release(j->sizes, j->rng, parts, "class sizes", NULL, &err) != NW_OK)
        return fail_release(j, &err);
    for (size_t i = 0; i < j->count; i++) {
        nw_stats_figure figure = { 0 };
        char *then = NULL, *now = NULL;
        nw_kde *planned = j->parts[i].kde;
        if (nw_stats_get(j->sizes, 0, i, &figure, &err) != NW_OK)
            return fail_release(j, &err);
        j->parts[i].points = figure.value < 1.0 ? 1 : (int64_t)figure.value;
        j->parts[i].points_error = figure.standard_error;
        j->parts[i].kde = NULL;
        int code = job_make(j, &j->parts[i], planned);
        if (code == APP_OK && (nw_event_to_json(nw_kde_event(planned), &then, &err) != NW_OK ||
                                  nw_event_to_json(nw_kde_event(j->parts[i].kde), &now, &err) != NW_OK))
            code = fail_release(j, &err);
        if (code == APP_OK && strcmp(then, now) != 0)
            code = app_fail(APP_INTERNAL, NULL, "the structures cost something else with the drawn sizes");
        nw_string_free(then);
        nw_string_free(now);
        nw_kde_free(planned);
        if (code != APP_OK)
            return code;
    }
    return job_add_points(j);
}

/* Of one class: what it is charged alone is what its receipt says. */
static nw_status draw_class(const job *j, const job_part *part, nw_error *err)
{
    nw_ledger *own = NULL;
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    opts.epsilon = j->epsilon;
    opts.delta = j->settings->delta;
    opts.adjacency = job_adjacency(j->settings);
    nw_status status = nw_ledger_memory(&own, &opts, err);
    if (status == NW_OK)
        status = nw_kde_release(part->kde, j->rng, own, "similarity", NULL, err);
    nw_ledger_close(own);
    return status;
}

static int draw_classes(job *j)
{
    nw_error err = { 0 };
    nw_event *event = NULL;
    nw_ledger *parts = NULL;
    nw_status status = release_event(&event, j, &err);
    const app_charge charge = { j->ledger, event, "similarity by class", job_adjacency(j->settings) };
    if (status == NW_OK)
        status = app_charge_once(&parts, &charge, j->rng, &j->receipt, &err);
    int code = status == NW_OK ? APP_OK : fail_release(j, &err);
    if (code == APP_OK && j->sizes != NULL)
        code = draw_sizes(j, parts);
    for (size_t i = 0; code == APP_OK && i < j->count; i++)
        if (draw_class(j, &j->parts[i], &err) != NW_OK)
            code = fail_release(j, &err);
    nw_ledger_close(parts);
    nw_event_free(event);
    return code;
}

static int save_part(const job *j, const job_part *part)
{
    nw_error err;
    char *text = NULL;
    if (nw_kde_save(part->kde, part->path, &err) != NW_OK)
        return app_fail_error(part->path, &err);
    int code = about_text(&text, &j->view, part->name, part->points_error);
    if (code == APP_OK)
        code = about_put(part->path, text);
    if (code != APP_OK)
        unlink(part->path);
    free(text);
    return code;
}

/* All structures, or none. */
static int save(const job *j)
{
    int code = APP_OK;
    for (size_t i = 0; code == APP_OK && i < j->count; i++) {
        code = save_part(j, &j->parts[i]);
        for (size_t k = 0; code != APP_OK && k < i; k++)
            unlink(j->parts[k].path);
    }
    if (code != APP_OK)
        app_note("the budget was spent and stays spent; nothing was written");
    return code;
}

static int make_rng(job *j)
{
    nw_error err;
    if (j->rng == NULL && app_new_rng(&j->rng, j->settings->insecure_seed, &err) != NW_OK)
        return fail_release(j, &err);
    return APP_OK;
}

/* From the first charge on a signal comes too late. */
int job_prepare(job *j)
{
    int code = APP_OK;
    if (j->settings->bandwidth_share > 0.0) {
        code = make_rng(j);
        app_signals_defer(true);
        if (code == APP_OK)
            code = draw_bandwidth(j);
    }
    return code == APP_OK && j->sizes == NULL ? job_add_points(j) : code;
}

int job_release(job *j)
{
    nw_error err;
    int code = make_rng(j);
    app_signals_defer(true);
    if (code == APP_OK && j->classes.names.count > 0)
        code = draw_classes(j);
    else if (code == APP_OK && nw_kde_release(j->parts[0].kde, j->rng, j->ledger, "similarity", &j->receipt, &err) != NW_OK)
        code = fail_release(j, &err);
    return code == APP_OK ? save(j) : code;
}

/* ---- what is told ---- */

static json_t *plan_json(const job *j)
{
    const nw_kde_opts o = nw_kde_get_opts(j->parts[0].kde);
    const nw_kde_plan p = nw_kde_get_plan(j->parts[0].kde);
    json_t *object = json_object();
    app_json_put(&object, "kernel", json_string(nw_kde_kernel_name(o.kernel)));
    app_json_put(&object, "dimension", json_integer((json_int_t)o.dimension));
    app_json_put(&object, "bandwidth", app_json_real(o.bandwidth));
    app_json_put(&object, "estimator", json_string(nw_kde_estimator_name(p.estimator)));
    app_json_put(&object, "size", json_integer((json_int_t)p.size));
    app_json_put(&object, "totals", json_integer((json_int_t)p.totals));
    app_json_put(&object, "noise", app_json_real(p.noise));
    app_json_put(&object, "approximation", app_json_real(p.approximation));
    app_json_put(&object, "bytes", json_integer((json_int_t)p.bytes));
    app_json_put(&object, "reason", json_string(p.reason));
    app_json_put(&object, "epsilon", app_json_real(j->settings->epsilon));
    app_json_put(&object, "delta", app_json_real(o.delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(o.adjacency)));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(j->settings->insecure_seed)));
    return object;
}

static json_t *classes_json(const job *j)
{
    json_t *list = json_array();
    for (size_t i = 0; i < j->count; i++) {
        json_t *one = json_object();
        app_json_put(&one, "name", app_json_text(j->parts[i].name));
        app_json_put(&one, "output", app_json_text(j->parts[i].path));
        app_json_put(&one, "points", json_integer(j->parts[i].points));
        app_json_put(&one, "points_error", app_json_real(j->parts[i].points_error));
        json_array_append_new(list, one);
    }
    return list;
}

static void print_classes(const job *j)
{
    fprintf(stderr, "classes      %zu, each in a file of its own:\n", j->count);
    for (size_t i = 0; i < j->count; i++)
        fprintf(stderr, "             %s\n", j->parts[i].path);
}

int job_report(const job *j)
{
    const settings *s = j->settings;
    const nw_kde_plan p = nw_kde_get_plan(j->parts[0].kde);
    app_note_seed(s->insecure_seed);
    if (s->is_json) {
        json_t *object = plan_json(j);
        nw_event *event = NULL;
        if (s->is_estimate && make_event(&event, j, NULL) == NW_OK)
            app_json_put(&object, "event", app_event_json(event));
        else if (!s->is_estimate && !s->is_partial)
            app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
        if (!s->is_estimate && j->classes.names.count > 0)
            app_json_put(&object, "classes", classes_json(j));
        nw_event_free(event);
        return app_print_json(object);
    }
    if (s->is_estimate)
        printf(
            "estimator  %s of size %zu (%s)\nnoise      %.6g in a value, which is a sum over the points\nmemory     %.3g MiB\n",
            nw_kde_estimator_name(p.estimator), p.size, p.reason, p.noise, (double)p.bytes / 1048576.0);
    if (!s->is_estimate && !s->is_partial && !s->is_quiet) {
        app_receipt_print(stderr, &j->receipt, s->ledger);
        if (j->classes.names.count > 0)
            print_classes(j);
    }
    return APP_OK;
}
