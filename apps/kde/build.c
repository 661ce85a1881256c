/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* build.c - nw-kde build and merge: everything is checked, then the points are added, then the ledger is charged, then noise is
 * drawn (release.c). */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/numbers.h"
#include "../common/seed.h"
#include "about.h"
#include "job.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t POINTS_AT_ONCE = 16384; /* between two looks at the signals */
static const size_t MOST_BYTES = (size_t)1 << 30;

static void free_job(job *j)
{
    app_share_free(&j->share);
    for (size_t i = 0; i < j->count; i++) {
        nw_kde_free(j->parts[i].kde);
        free(j->parts[i].path);
    }
    free(j->parts);
    classes_free(&j->classes);
    points_free(&j->data);
    points_free(&j->landmarks);
    view_free(&j->view);
    nw_stats_free(j->sizes);
    nw_ledger_close(j->ledger);
    nw_rng_free(j->rng);
}

/* ---- what was said ---- */

static bool has_classes(const settings *s)
{
    return s->label != NULL || s->labels != NULL;
}

static int check_classes(const settings *s)
{
    if (!has_classes(s))
        return s->classes == NULL ? APP_OK
                                  : app_fail(APP_USAGE, "--classes", "given without labels, must come with --label or --labels");
    if (s->reduce->size > 1)
        return app_check_alone(s->reduce, s->label != NULL ? "--label" : "--labels");
    if (s->label != NULL && s->labels != NULL)
        return app_fail(APP_USAGE, "--labels", "given with --label, must be one of the two");
    if (s->is_partial)
        return app_fail(
            APP_USAGE, "--partial", "given with classes, must be one structure: build a part of each class by itself");
    if (job_adjacency(s) == NW_REPLACE_ONE)
        return app_fail(APP_USAGE, "--adjacency",
            "is replace-one, must be add-remove with classes: who is replaced may be of "
            "another class after it, so that classes are not disjoint");
    return APP_OK;
}

static int check_bandwidth(const settings *s)
{
    const bool has_bounds = s->schema != NULL || s->is_unit_norm || (s->lower != NULL && s->upper != NULL);
    if (s->bandwidth_share == 0.0)
        return APP_OK;
    if (s->reduce->size > 1)
        return app_check_alone(s->reduce, "--choose-bandwidth");
    if (s->bandwidth > 0.0 || s->is_partial || s->is_estimate || !has_bounds)
        return app_fail(APP_USAGE, "--choose-bandwidth",
            "must be given with bounds (--lower and --upper, --schema or --unit-norm), and without --bandwidth, --partial and "
            "--estimate");
    return APP_OK;
}

static int check_settings(const settings *s)
{
    const char *const named[] = { s->data, s->landmarks, s->ledger, s->labels, s->schema, s->project };
    int code = check_classes(s);
    if (code == APP_OK)
        code = check_bandwidth(s);
    if (code != APP_OK || s->is_estimate)
        return code;
    if (s->output == NULL)
        return app_fail(APP_USAGE, "--output", "missing, must name the file for the structure");
    if (app_is_stream(s->output))
        return app_fail(
            APP_USAGE, "--output", "is \"%s\", must be a file: a structure is written whole or not at all", s->output);
    if (s->is_partial && s->ledger != NULL)
        return app_fail(APP_USAGE, "--ledger", "given with --partial, which charges nothing: give it to nw-kde merge");
    code = app_check_seed(s->insecure_seed, s->ledger);
    return code == APP_OK ? app_check_apart("--output", s->output, named, sizeof named / sizeof *named) : code;
}

/* ---- numbers of points ---- */

/* How many points are of part i. */
static size_t members(const job *j, size_t i)
{
    return j->classes.names.count == 0 ? j->data.n : j->classes.first[i + 1] - j->classes.first[i];
}

static int parse_numbers(job *j, const char *text)
{
    char number[32];
    size_t given = 0;
    for (const char *at = text; at != NULL; given++) {
        const size_t n = strcspn(at, ",");
        uint64_t value = 0;
        snprintf(number, sizeof number, "%.*s", n < sizeof number ? (int)n : 0, at);
        if (!app_parse_count(number, &value) || value > UINT64_C(1) << 40)
            return app_fail(APP_USAGE, "--n-public", "is \"%s\", must be \"private\", \"counted\" or a whole number up to 2^40%s",
                text, j->count > 1 ? ", or one for each class" : "");
        if (given < j->count)
            j->parts[given].points = (int64_t)value;
        at = at[n] == '\0' ? NULL : at + n + 1;
    }
    if (given != 1 && given != j->count)
        return app_fail(
            APP_USAGE, "--n-public", "has %zu numbers, must have one, or one for each of the %zu classes", given, j->count);
    for (size_t i = given; i < j->count; i++)
        j->parts[i].points = j->parts[0].points;
    return APP_OK;
}

static int set_numbers(job *j)
{
    const settings *s = j->settings;
    const bool is_counted = s->points != NULL && strcmp(s->points, "counted") == 0;
    if (is_counted && s->reduce->size > 1)
        return app_check_alone(s->reduce, "--n-public counted");
    if (is_counted && (s->is_partial || s->parts.count > 0 || s->data == NULL))
        return app_fail(APP_USAGE, "--n-public", "is \"counted\", must be a number or \"private\" where not all points are read");
    for (size_t i = 0; i < j->count; i++)
        j->parts[i].points = is_counted ? (int64_t)members(j, i) : job_draws_sizes(s) ? 0 : -1; /* 0: to be drawn */
    return s->points == NULL || is_counted || strcmp(s->points, "private") == 0 ? APP_OK : parse_numbers(j, s->points);
}

/* ---- structures ---- */

int job_make(job *j, job_part *part, const nw_kde *like)
{
    const settings *s = j->settings;
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    nw_error err;
    o.kernel = (nw_kde_kernel)(s->kernel + 1);
    o.estimator = like == NULL ? (nw_kde_estimator)s->estimator : nw_kde_get_opts(like).estimator;
    o.size = like == NULL ? s->size : nw_kde_get_opts(like).size;
    o.dimension = view_dimension(&j->view);
    o.bandwidth = j->bandwidth;
    o.is_half = s->convention == 1;
    o.power = s->power;
    o.lower = j->view.point_lower;
    o.upper = j->view.point_upper;
    o.epsilon = j->epsilon;
    o.delta = s->delta;
    o.adjacency = job_adjacency(s);
    o.public_points = part->points;
    o.expected_points = s->expected_points;
    o.expected_density = s->expected_density;
    o.public_seed = s->public_seed;
    o.landmarks = j->landmarks.x;
    o.landmark_count = j->landmarks.n;
    nw_kde_free(part->kde);
    const nw_status status = nw_kde_new(&part->kde, &o, &err);
    return status == NW_OK ? APP_OK : app_fail(status == NW_E_NOMEM ? APP_INTERNAL : APP_USAGE, NULL, "%s", err.message);
}

static int read_landmarks(job *j)
{
    const settings *s = j->settings;
    size_t from = 0, to = 0;
    if (s->landmark_rows != NULL && s->landmarks == NULL)
        return app_fail(APP_USAGE, "--landmark-rows", "given without --landmarks");
    if (s->landmarks == NULL)
        return APP_OK;
    int code = view_read(&j->landmarks, NULL, &j->view, s->landmarks);
    if (code == APP_OK)
        code = kde_parse_rows(&from, &to, "--landmark-rows", s->landmark_rows, j->landmarks.n);
    if (code == APP_OK && j->landmarks.n > 0)
        points_keep(&j->landmarks, from, to);
    return code;
}

/* Sizes of classes, as counts by class. */
static int plan_sizes(job *j)
{
    nw_error err;
    nw_stats_query query = NW_STATS_QUERY_INIT;
    nw_stats_opts opts = NW_STATS_OPTS_INIT;
    query.kind = NW_STATS_COUNT;
    query.groups = (uint32_t)j->count;
    opts.epsilon = j->settings->epsilon;
    opts.delta = j->settings->delta;
    opts.adjacency = job_adjacency(j->settings);
    opts.share = j->settings->sizes_share;
    return nw_stats_new(&j->sizes, &query, 1, &opts, &err) == NW_OK ? APP_OK : app_fail_error("--sizes-share", &err);
}

static int make_parts(job *j)
{
    const bool is_one = j->classes.names.count == 0;
    j->count = is_one ? 1 : j->classes.names.count;
    j->parts = calloc(j->count, sizeof *j->parts);
    if (j->parts == NULL) {
        j->count = 0;
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    for (size_t i = 0; i < j->count && j->settings->output != NULL; i++) {
        j->parts[i].name = is_one ? NULL : j->classes.names.items[i];
        j->parts[i].path = is_one ? strdup(j->settings->output) : classes_path(j->settings->output, j->parts[i].name);
        if (j->parts[i].path == NULL)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        for (size_t k = 0; k < i; k++)
            if (strcmp(j->parts[i].path, j->parts[k].path) == 0)
                return app_fail(APP_USAGE, "--classes", "has \"%s\" and \"%s\", which would both be written to %s",
                    j->parts[k].name, j->parts[i].name, j->parts[i].path);
    }
    return APP_OK;
}

/* Checks and plans everything; no point is looked at but to learn the dimension. */
static int plan(job *j)
{
    const settings *s = j->settings;
    int code = read_landmarks(j);
    if (code == APP_OK)
        code = make_parts(j);
    if (code == APP_OK)
        code = set_numbers(j);
    if (code == APP_OK && s->bandwidth_share > 0.0) {
        const bandwidth_choice choice = job_bandwidth(j);
        j->bandwidth = bandwidth_most(&choice);
    }
    for (size_t i = 0; code == APP_OK && i < j->count; i++) {
        char *text = NULL; /* that there will be one to be kept */
        code = about_text(&text, &j->view, j->parts[i].name, 1.0);
        free(text);
        if (code == APP_OK)
            code = job_make(j, &j->parts[i], NULL);
    }
    if (code == APP_OK && job_draws_sizes(s))
        code = plan_sizes(j);
    return code;
}

/* ---- points ---- */

/* The points of part i from its `from`-th on, in a row: those in `block` if they do not lie so. */
static const float *gather(const job *j, size_t i, size_t from, size_t n, float *block)
{
    const size_t d = j->data.d;
    if (j->classes.names.count == 0)
        return j->data.x + from * d;
    const size_t *order = j->classes.order + j->classes.first[i] + from;
    for (size_t k = 0; k < n; k++)
        memcpy(block + k * d, j->data.x + order[k] * d, d * sizeof *block);
    return block;
}

static int add_part(job *j, size_t i, size_t *done, float *block)
{
    nw_error err;
    const size_t all = members(j, i);
    for (size_t from = 0; from < all; from += POINTS_AT_ONCE) {
        const size_t n = all - from < POINTS_AT_ONCE ? all - from : POINTS_AT_ONCE;
        const bool goes_on = app_progress_step(&j->progress, "adding points", (double)*done / (double)j->data.n);
        if (!goes_on && j->receipt.head[0] == '\0') /* after the charge it would be too late */
            return app_exit_code(NW_E_CANCELLED);
        if (nw_kde_add(j->parts[i].kde, gather(j, i, from, n, block), n, &err) != NW_OK)
            return app_fail_error(j->settings->data, &err);
        *done += n;
    }
    return APP_OK;
}

int job_add_points(job *j)
{
    size_t done = 0;
    float *block = NULL;
    const size_t size = j->classes.names.count == 0 ? 1 : POINTS_AT_ONCE * j->data.d;
    int code = (block = calloc(size, sizeof *block)) == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    for (size_t i = 0; code == APP_OK && i < j->count; i++)
        code = add_part(j, i, &done, block);
    if (block != NULL)
        sodium_memzero(block, size * sizeof *block);
    free(block);
    return code;
}

static int read_data(job *j)
{
    words labels = { 0 };
    const settings *s = j->settings;
    int code = has_classes(s) ? classes_make(&j->classes, s->classes, &j->view) : APP_OK;
    if (code == APP_OK && s->data == NULL)
        code = app_fail(APP_USAGE, "--data", "missing, must name the points");
    if (code == APP_OK)
        code = app_share_of(&j->share, s->reduce, s->data);
    if (code == APP_OK)
        code = view_read(&j->data, s->label != NULL ? &labels : NULL, &j->view, j->share.path);
    if (code == APP_OK) { /* labels come in one process only */
        points_share(&j->data, j->share.part, j->share.parts);
        code = app_check_records(s->reduce, &j->share, s->data, j->data.n);
    }
    if (code == APP_OK && s->labels != NULL)
        code = labels_read(&labels, s->labels);
    if (code == APP_OK && has_classes(s))
        code = classes_sort(&j->classes, &labels, j->data.n, s->labels != NULL ? s->labels : s->data);
    for (size_t i = 0; i < labels.count; i++)
        sodium_memzero(labels.items[i], strlen(labels.items[i]));
    words_free(&labels);
    return code;
}

/* The dimension without points. */
static int settle(job *j)
{
    const settings *s = j->settings;
    const size_t d = s->dimension > 0 ? (size_t)s->dimension : view_width(&j->view);
    if (d == 0 && j->view.schema == NULL)
        return app_fail(APP_USAGE, "--dimension", "missing, must be given %s",
            s->is_estimate ? "with --estimate, or --data, or --schema" : "to merge, or --schema");
    return view_settle(&j->view, d, "--dimension");
}

static int make_view(job *j)
{
    const settings *s = j->settings;
    const view_words said = { s->schema, s->columns, s->label, s->project, s->lower, s->upper, s->header, s->is_scaled,
        s->is_unit_norm };
    return view_make(&j->view, &said);
}

static int write_totals(const job *j)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (nw_kde_totals_to_bytes(j->parts[0].kde, &bytes, &n, &err) != NW_OK)
        return app_fail_error("totals", &err);
    const int code = app_write_secret(j->settings->output, bytes, n);
    nw_kde_bytes_free(bytes, n);
    return code;
}

static int check_outputs(const job *j)
{
    const settings *s = j->settings;
    const char *const named[] = { s->data, s->landmarks, s->ledger, s->labels, s->schema, s->project };
    int code = APP_OK;
    for (size_t i = 0; code == APP_OK && i < j->count; i++) {
        code = app_check_apart("--output", j->parts[i].path, named, sizeof named / sizeof *named);
        if (code == APP_OK)
            code = app_check_output(j->parts[i].path);
    }
    return code;
}

/* What only process 0 needs: the places of the outputs, and the ledger. */
static int open_places(job *j)
{
    const int code = check_outputs(j);
    return code == APP_OK && !j->settings->is_partial ? job_open_ledger(j) : code;
}

static int build(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    const bool is_first = s->reduce->rank == 0;
    int code = make_view(j);
    if (code == APP_OK)
        code = s->is_estimate && s->data == NULL ? settle(j) : read_data(j);
    if (code == APP_OK)
        code = plan(j);
    if (code == APP_OK && !s->is_estimate && is_first)
        code = open_places(j);
    code = app_agree(s->reduce, code);
    if (code != APP_OK || s->is_estimate)
        return code;
    code = app_agree(s->reduce, job_prepare(j));
    if (code == APP_OK && s->reduce->size > 1 && nw_kde_reduce(j->parts[0].kde, s->reduce, &err) != NW_OK)
        code = app_fail_error("--data", &err);
    if (code != APP_OK || !is_first)
        return code;
    return s->is_partial ? write_totals(j) : job_release(j);
}

static int finish(job *j, int code)
{
    app_progress_end(&j->progress);
    if (code == APP_OK && j->settings->reduce->rank == 0)
        code = job_report(j);
    free_job(j);
    return code;
}

int kde_build(const settings *s)
{
    job j = { .settings = s, .bandwidth = s->bandwidth, .epsilon = job_epsilon_left(s) };
    app_progress_start(&j.progress, s->is_quiet || s->reduce->rank > 0);
    int code = check_settings(s);
    if (code == APP_OK)
        code = build(&j);
    return finish(&j, code);
}

/* ---- merge ---- */

static int add_totals(job *j, const char *path)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
    if (code == APP_OK && nw_kde_totals_add_bytes(j->parts[0].kde, bytes, n, &err) != NW_OK)
        code = app_fail(err.status == NW_E_NOMEM ? APP_INTERNAL : APP_DATA, path, "%s", err.message);
    nw_kde_bytes_free(bytes, n);
    return code;
}

static int check_parts(const settings *s)
{
    int code = APP_OK;
    for (size_t i = 0; code == APP_OK && i < s->parts.count; i++) {
        code = app_check_input(s->parts.items[i]);
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (app_is_same_file(s->parts.items[i], s->parts.items[k]))
                code = app_fail(APP_USAGE, "--part", "\"%s\" is given twice, must be given once", s->parts.items[i]);
    }
    return code;
}

int kde_merge(const settings *s)
{
    job j = { .settings = s, .bandwidth = s->bandwidth, .epsilon = job_epsilon_left(s) };
    app_progress_start(&j.progress, s->is_quiet);
    int code = check_settings(s);
    if (code == APP_OK)
        code = check_parts(s);
    if (code == APP_OK)
        code = make_view(&j);
    if (code == APP_OK)
        code = settle(&j);
    if (code == APP_OK)
        code = plan(&j);
    if (code == APP_OK)
        code = check_outputs(&j);
    if (code == APP_OK)
        code = job_open_ledger(&j);
    for (size_t i = 0; code == APP_OK && i < s->parts.count; i++)
        code = add_totals(&j, s->parts.items[i]);
    if (code == APP_OK)
        code = job_release(&j);
    return finish(&j, code);
}
