/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* build.c - nw-kde build and merge: everything is checked, then the points are added, then the ledger is charged, then noise is
 * drawn. */
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/progress.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "bandwidth.h"
#include "settings.h"

#include <noisewright.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t POINTS_AT_ONCE = 16384; /* between two looks at the signals */
static const size_t MOST_BYTES = (size_t)1 << 30;

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    points data;
    points landmarks;
    double *lower;
    double *upper;
    nw_kde *kde;
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    double bandwidth;
    double epsilon; /* of the structure: what a bandwidth from the points leaves */
} job;

static void free_job(job *j)
{
    points_free(&j->data);
    points_free(&j->landmarks);
    free(j->lower);
    free(j->upper);
    nw_kde_free(j->kde);
    nw_ledger_close(j->ledger);
    nw_rng_free(j->rng);
}

int kde_parse_bounds(const char *option, const char *text, size_t count, double **out)
{
    char cell[64];
    size_t given = 0;
    *out = NULL;
    if (text == NULL)
        return APP_OK;
    double *bounds = malloc((count == 0 ? 1 : count) * sizeof *bounds);
    if (bounds == NULL)
        return app_fail(APP_INTERNAL, option, "out of memory");
    for (const char *at = text; given <= count; given++) {
        const size_t n = strcspn(at, ",");
        double value = 0.0;
        snprintf(cell, sizeof cell, "%.*s", n < sizeof cell ? (int)n : 0, at);
        if (!app_parse_real(cell, &value) || given == count) {
            free(bounds);
            return given == count
                       ? app_fail(APP_USAGE, option, "is \"%s\", must be one number, or %zu", text, count)
                       : app_fail(APP_USAGE, option, "is \"%s\", must be a number, or numbers separated by commas", text);
        }
        bounds[given] = value;
        if (at[n] == '\0') {
            given++;
            break;
        }
        at += n + 1;
    }
    if (given != 1 && given != count) {
        free(bounds);
        return app_fail(APP_USAGE, option, "is \"%s\", must be one number, or %zu", text, count);
    }
    for (size_t j = given; j < count; j++)
        bounds[j] = bounds[0];
    *out = bounds;
    return APP_OK;
}

static int parse_points(const settings *s, int64_t *out)
{
    uint64_t count = 0;
    *out = -1;
    if (s->points == NULL || strcmp(s->points, "private") == 0)
        return APP_OK;
    if (!app_parse_count(s->points, &count) || count > UINT64_C(1) << 40)
        return app_fail(APP_USAGE, "--n-public", "is \"%s\", must be \"private\" or a whole number up to 2^40", s->points);
    *out = (int64_t)count;
    return APP_OK;
}

static int check_settings(const settings *s)
{
    const char *const named[] = { s->data, s->landmarks, s->ledger };
    if (s->is_estimate)
        return s->dimension > 0 || s->data != NULL ? APP_OK
                                                   : app_fail(APP_USAGE, "--dimension", "missing, must be given with --estimate");
    if (s->output == NULL)
        return app_fail(APP_USAGE, "--output", "missing, must name the file for the structure");
    if (app_is_stream(s->output))
        return app_fail(
            APP_USAGE, "--output", "is \"%s\", must be a file: a structure is written whole or not at all", s->output);
    if (s->is_partial && s->ledger != NULL)
        return app_fail(APP_USAGE, "--ledger", "given with --partial, which charges nothing: give it to nw-kde merge");
    const int code = app_check_seed(s->insecure_seed, s->ledger);
    return code == APP_OK ? app_check_apart("--output", s->output, named, sizeof named / sizeof *named) : code;
}

static nw_adjacency adjacency_of(const settings *s)
{
    return s->adjacency == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
}

/* The bandwidth's share, in the currency of the noise: of epsilon; or of mu^2, as the epsilon of a choice that costs so much. */
static double bandwidth_epsilon(const settings *s)
{
    if (s->delta == 0.0)
        return s->bandwidth_share * s->epsilon;
    return nw_gdp_range(sqrt(s->bandwidth_share) * nw_gdp_mu(s->epsilon, s->delta)) * (1.0 - 0x1p-20);
}

/* What is left for the structure. 2^-12 is for the ledger's roundings and what it sets aside of delta. */
static double epsilon_left(const settings *s)
{
    if (s->bandwidth_share == 0.0)
        return s->epsilon;
    if (s->delta == 0.0)
        return (1.0 - s->bandwidth_share) * s->epsilon * (1.0 - 0x1p-40);
    const double mu = sqrt(1.0 - s->bandwidth_share) * nw_gdp_mu(s->epsilon, s->delta);
    return nw_gdp_epsilon(mu * (1.0 - 0x1p-12), s->delta);
}

static bandwidth_choice choice_of(const job *j)
{
    const settings *s = j->settings;
    const nw_kde_kernel kernel = (nw_kde_kernel)(s->kernel + 1);
    const bool is_l1 = kernel == NW_KDE_LAPLACIAN || kernel == NW_KDE_RATIONAL_L1;
    return (bandwidth_choice){ &j->data, j->lower, j->upper, is_l1, bandwidth_epsilon(s), adjacency_of(s) };
}

static int make_structure(job *j, size_t dimension)
{
    const settings *s = j->settings;
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    nw_error err;
    const int code = parse_points(s, &o.public_points);
    if (code != APP_OK)
        return code;
    o.kernel = (nw_kde_kernel)(s->kernel + 1);
    o.estimator = (nw_kde_estimator)s->estimator;
    o.dimension = dimension;
    o.bandwidth = j->bandwidth;
    o.is_half = s->convention == 1;
    o.power = s->power;
    o.lower = j->lower;
    o.upper = j->upper;
    o.epsilon = j->epsilon;
    o.delta = s->delta;
    o.adjacency = adjacency_of(s);
    o.size = s->size;
    o.expected_points = s->expected_points;
    o.expected_density = s->expected_density;
    o.public_seed = s->public_seed;
    o.landmarks = j->landmarks.x;
    o.landmark_count = j->landmarks.n;
    if (nw_kde_new(&j->kde, &o, &err) != NW_OK)
        return app_fail(err.status == NW_E_NOMEM ? APP_INTERNAL : APP_USAGE, NULL, "%s", err.message);
    return APP_OK;
}

/* Checks and plans everything; no point is read but to learn the dimension. */
static int plan(job *j, size_t dimension)
{
    const settings *s = j->settings;
    int code = kde_parse_bounds("--lower", s->lower, dimension, &j->lower);
    if (code == APP_OK)
        code = kde_parse_bounds("--upper", s->upper, dimension, &j->upper);
    if (code == APP_OK && s->landmarks != NULL)
        code = points_read(&j->landmarks, s->landmarks);
    if (code != APP_OK)
        return code;
    if (s->landmarks != NULL && j->landmarks.d != dimension)
        return app_fail(APP_DATA, s->landmarks, "has %zu coordinates, must have %zu as the points", j->landmarks.d, dimension);
    if (s->bandwidth_share > 0.0) {
        const bandwidth_choice choice = choice_of(j);
        j->bandwidth = bandwidth_most(&choice);
    }
    return make_structure(j, dimension);
}

/* All that will be charged. */
static nw_status make_event(nw_event **out, const job *j, nw_error *err)
{
    nw_event *bandwidth = NULL;
    const bandwidth_choice choice = choice_of(j);
    if (j->settings->bandwidth_share == 0.0)
        return nw_event_copy(out, nw_kde_event(j->kde), err);
    nw_status status = bandwidth_event(&bandwidth, &choice, err);
    const nw_event *const both[] = { bandwidth, nw_kde_event(j->kde) };
    if (status == NW_OK)
        status = nw_event_composed(out, both, 2, err);
    nw_event_free(bandwidth);
    return status;
}

static int open_ledger(job *j)
{
    const settings *s = j->settings;
    nw_event *event = NULL;
    nw_error err;
    if (make_event(&event, j, &err) != NW_OK)
        return app_fail_error(NULL, &err);
    const app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = adjacency_of(s),
        .event = event,
        .filter = NW_FILTER_AUTO };
    const int code = app_open_ledger(&j->ledger, &release);
    nw_event_free(event);
    return code;
}

static int add_points(job *j)
{
    nw_error err;
    for (size_t i = 0; i < j->data.n; i += POINTS_AT_ONCE) {
        const size_t n = j->data.n - i < POINTS_AT_ONCE ? j->data.n - i : POINTS_AT_ONCE;
        if (!app_progress_step(&j->progress, "adding points", (double)i / (double)j->data.n))
            return app_exit_code(NW_E_CANCELLED);
        if (nw_kde_add(j->kde, j->data.x + i * j->data.d, n, &err) != NW_OK)
            return app_fail_error(j->settings->data, &err);
    }
    return APP_OK;
}

/* Charges and draws. From the charge on a signal comes too late. */
static int release(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_status status = j->rng == NULL ? app_new_rng(&j->rng, s->insecure_seed, &err) : NW_OK;
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_kde_release(j->kde, j->rng, j->ledger, "similarity", &j->receipt, &err);
    if (status == NW_OK)
        status = nw_kde_save(j->kde, s->output, &err);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (j->receipt.head[0] != '\0')
        app_note("the budget was spent and stays spent; nothing was written");
    return code;
}

static json_t *plan_json(const job *j)
{
    const nw_kde_opts o = nw_kde_get_opts(j->kde);
    const nw_kde_plan p = nw_kde_get_plan(j->kde);
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
    app_json_put(&object, "epsilon", app_json_real(o.epsilon));
    app_json_put(&object, "delta", app_json_real(o.delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(o.adjacency)));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(j->settings->insecure_seed)));
    return object;
}

static int report(const job *j)
{
    const settings *s = j->settings;
    const nw_kde_plan p = nw_kde_get_plan(j->kde);
    app_note_seed(s->insecure_seed);
    if (s->is_json) {
        json_t *object = plan_json(j);
        if (s->is_estimate)
            app_json_put(&object, "event", app_event_json(nw_kde_event(j->kde)));
        else if (!s->is_partial)
            app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
        return app_print_json(object);
    }
    if (s->is_estimate)
        printf(
            "estimator  %s of size %zu (%s)\nnoise      %.6g in a value, which is a sum over the points\nmemory     %.3g MiB\n",
            nw_kde_estimator_name(p.estimator), p.size, p.reason, p.noise, (double)p.bytes / 1048576.0);
    if (!s->is_estimate && !s->is_partial && !s->is_quiet)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return APP_OK;
}

static int write_totals(job *j)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (nw_kde_totals_to_bytes(j->kde, &bytes, &n, &err) != NW_OK)
        return app_fail_error(NULL, &err);
    const int code = app_write_secret(j->settings->output, bytes, n);
    nw_kde_bytes_free(bytes, n);
    return code;
}

/* The structure was planned with any bandwidth, which its event does not depend on; it is made anew with this one. */
static int choose_bandwidth(job *j)
{
    nw_error err;
    const bandwidth_choice choice = choice_of(j);
    nw_status status = j->rng == NULL ? app_new_rng(&j->rng, j->settings->insecure_seed, &err) : NW_OK;
    app_signals_defer(true);
    if (status == NW_OK)
        status = bandwidth_choose(&j->bandwidth, &choice, j->rng, j->ledger, &err);
    if (status != NW_OK)
        return app_fail_error(j->settings->ledger, &err);
    nw_kde_free(j->kde);
    j->kde = NULL;
    return make_structure(j, j->data.d);
}

static int check_choice(const job *j)
{
    const settings *s = j->settings;
    if (s->bandwidth_share == 0.0)
        return APP_OK;
    if (s->bandwidth > 0.0 || s->is_partial || s->is_estimate || s->lower == NULL || s->upper == NULL)
        return app_fail(APP_USAGE, "--choose-bandwidth",
            "must be given with --lower and --upper, and without --bandwidth, --partial and --estimate");
    return APP_OK;
}

static int build(job *j)
{
    const settings *s = j->settings;
    int code = check_choice(j);
    if (code == APP_OK && s->data != NULL) {
        code = app_check_input(s->data);
        if (code == APP_OK)
            code = points_read(&j->data, s->data);
    } else if (code == APP_OK && !s->is_estimate) {
        code = app_fail(APP_USAGE, "--data", "missing, must name the points");
    }
    if (code == APP_OK)
        code = plan(j, s->data != NULL ? j->data.d : (size_t)s->dimension);
    if (code != APP_OK || s->is_estimate)
        return code;
    code = app_check_output(s->output);
    if (code == APP_OK && !s->is_partial)
        code = open_ledger(j);
    if (code == APP_OK && s->bandwidth_share > 0.0)
        code = choose_bandwidth(j);
    if (code == APP_OK)
        code = add_points(j);
    if (code == APP_OK)
        code = s->is_partial ? write_totals(j) : release(j);
    return code;
}

static int finish(job *j, int code)
{
    app_progress_end(&j->progress);
    if (code == APP_OK)
        code = report(j);
    free_job(j);
    return code;
}

int kde_build(const settings *s)
{
    job j = { .settings = s, .bandwidth = s->bandwidth, .epsilon = epsilon_left(s) };
    app_progress_start(&j.progress, s->is_quiet);
    int code = check_settings(s);
    if (code == APP_OK)
        code = build(&j);
    return finish(&j, code);
}

static int add_part(job *j, const char *path)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
    if (code == APP_OK && nw_kde_totals_add_bytes(j->kde, bytes, n, &err) != NW_OK)
        code = app_fail(err.status == NW_E_NOMEM ? APP_INTERNAL : APP_DATA, path, "%s", err.message);
    nw_kde_bytes_free(bytes, n);
    return code;
}

int kde_merge(const settings *s)
{
    job j = { .settings = s, .bandwidth = s->bandwidth, .epsilon = epsilon_left(s) };
    app_progress_start(&j.progress, s->is_quiet);
    int code = check_settings(s);
    for (size_t i = 0; code == APP_OK && i < s->parts.count; i++) {
        code = app_check_input(s->parts.items[i]);
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (app_is_same_file(s->parts.items[i], s->parts.items[k]))
                code = app_fail(APP_USAGE, "--part", "\"%s\" is given twice, must be given once", s->parts.items[i]);
    }
    if (code == APP_OK)
        code = plan(&j, (size_t)s->dimension);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = open_ledger(&j);
    for (size_t i = 0; code == APP_OK && i < s->parts.count; i++)
        code = add_part(&j, s->parts.items[i]);
    if (code == APP_OK)
        code = release(&j);
    return finish(&j, code);
}
