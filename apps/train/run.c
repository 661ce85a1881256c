/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* run.c - see run.h. Options, schema, model, data, ledger and the places of the outputs are checked first; then the run is
 * charged, once; only then is a batch drawn. From there on a signal ends the run after a step, and its checkpoint can be taken
 * up. */
#include "run.h"

#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/processes.h"
#include "../common/progress.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "../common/curve.h"
#include "data.h"
#include "idx.h"
#include "recipe.h"
#include "score.h"

#include <nw/train.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };
static const nw_batches_kind samplings[] = { NW_BATCHES_POISSON, NW_BATCHES_SHUFFLED, NW_BATCHES_FULL, NW_BATCHES_FIXED_SIZE,
    NW_BATCHES_CYCLIC };
enum { SAMPLINGS = 5, KINDS_OF_OPTIMIZER = 3 };

/* Adam's usual rate is for steps without noise; and what is left of a second moment without the noise is noisy itself. */
static const double ADAM_RATE = 0.01;
static const double LEAST_ROOT = 1e-3;

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    const recipe *recipe;
    char *checkpoint;
    data_plan plan;
    examples data;
    examples test;
    bool has_test;
    data_feed feed;
    data_feed test_feed;
    nw_network *net;
    nw_train *train;
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    curve curve;
    score score;
    double began;
    int code; /* of what was called back */
} job;

/* Has the ledger, the checkpoint and the outputs, and what is said. */
static bool is_first(const job *j)
{
    return j->settings->reduce->rank == 0;
}

static nw_adjacency adjacency_of(const settings *s)
{
    return adjacencies[s->adjacency];
}

/* ---- before anything is read ---- */

static bool is_compressed(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

static int check_outputs(const job *j)
{
    const settings *s = j->settings;
    const char *const named[] = { s->data, s->test, s->schema, s->ledger, s->model };
    const char *const others[] = { s->data, s->test, s->schema, s->ledger, s->model, s->output };
    if (is_compressed(s->output) || is_compressed(j->checkpoint))
        return app_fail(APP_USAGE, is_compressed(s->output) ? "--output" : "--checkpoint",
            "is %s, must not end in .gz: it is not compressed", is_compressed(s->output) ? s->output : j->checkpoint);
    int code = app_check_apart("--output", s->output, named, sizeof named / sizeof *named);
    if (code == APP_OK && app_is_stream(s->output))
        code = app_fail(APP_USAGE, "--output", "is %s, must be a file: a model is not written to a stream", s->output);
    if (code == APP_OK)
        code = app_check_apart("--curve", s->curve, others, sizeof others / sizeof *others);
    if (code == APP_OK)
        code = app_check_apart("--checkpoint", j->checkpoint, others, sizeof others / sizeof *others);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = app_check_output(j->checkpoint);
    return code == APP_OK && s->curve != NULL ? app_check_output(s->curve) : code;
}

/* A checkpoint that is there stands for a run that was paid for: it is not written over. */
static int check_checkpoint(const job *j)
{
    const bool is_there = access(j->checkpoint, F_OK) == 0;
    if (j->settings->is_resumed && !is_there)
        return app_fail(APP_NO_INPUT, j->checkpoint, "is not there: no run to --resume");
    if (!j->settings->is_resumed && is_there)
        return app_fail(APP_USAGE, j->checkpoint, "is of a run that was interrupted: give --resume, or remove it");
    return APP_OK;
}

static int check_settings(job *j)
{
    const settings *s = j->settings;
    if (s->format == TRAIN_FORMATS)
        return app_fail(APP_USAGE, "--format", "missing, must be idx, csv or text");
    if (!(s->epsilon > 0.0) && !(s->sigma > 0.0))
        return app_fail(APP_USAGE, "--epsilon", "missing, must be given unless --sigma is");
    if (s->epsilon > 0.0 && s->sigma > 0.0)
        return app_fail(APP_USAGE, "--sigma", "is given beside --epsilon, must be given alone");
    if (s->output == NULL && !s->is_estimate)
        return app_fail(APP_USAGE, "--output", "missing, must be given unless --estimate is");
    if (s->epochs > 0.0 && s->steps > 0)
        return app_fail(APP_USAGE, "--steps", "is given beside --epochs, must be given alone");
    if (s->reduce->size > 1 && (app_is_stream(s->data) || (s->test != NULL && app_is_stream(s->test))))
        return app_fail(APP_USAGE, app_is_stream(s->data) ? "--data" : "--test",
            "is a stream, which %zu processes cannot share: must be a file", s->reduce->size);
    const int code = app_check_seed(s->seed, s->ledger);
    if (code != APP_OK || s->is_estimate || !is_first(j))
        return code;
    if (s->checkpoint != NULL)
        j->checkpoint = strdup(s->checkpoint);
    else if (asprintf(&j->checkpoint, "%s.checkpoint", s->output) < 0)
        j->checkpoint = NULL;
    if (j->checkpoint == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    const int checked = check_outputs(j);
    return checked == APP_OK ? check_checkpoint(j) : checked;
}

/* ---- data and network ---- */

static int read_data(job *j)
{
    const settings *s = j->settings;
    const char *test = s->test;
    if (test == NULL && s->format == TRAIN_IDX && idx_has(s->data, IDX_TEST))
        test = s->data;
    if (!is_first(j))
        test = NULL;
    int code = s->format == TRAIN_IDX ? APP_OK : app_check_input(s->data);
    if (code == APP_OK && test != NULL && s->format != TRAIN_IDX)
        code = app_check_input(test);
    if (code == APP_OK)
        code = data_read(&j->data, &j->plan, s->data, false, true);
    if (code == APP_OK && test != NULL && !s->is_estimate)
        code = data_read(&j->test, &j->plan, test, true, true);
    j->has_test = code == APP_OK && test != NULL && !s->is_estimate;
    return code;
}

/* More classes than outputs would be records that train nothing, in silence. */
static int check_outputs_of(const job *j)
{
    nw_network_shape shape;
    nw_network_get_shape(j->net, &shape);
    const bool is_logistic = shape.loss == NW_NETWORK_LOGISTIC && shape.outputs == 1;
    const size_t classes = is_logistic ? 2 : shape.outputs;
    const bool is_regression = shape.loss == NW_NETWORK_SQUARED || shape.loss == NW_NETWORK_HUBER;
    if (shape.positions != 1 || is_regression != (j->plan.classes == 0) || (shape.loss == NW_NETWORK_LOGISTIC && !is_logistic) ||
        (is_regression && shape.outputs != 1))
        return app_fail(APP_USAGE, "--model", "must end in one output of loss %s at one position",
            j->plan.classes == 0 ? "squared or huber" : "logistic, or in one for each class of loss softmax");
    if (j->plan.classes > classes)
        return app_fail(APP_USAGE, "--model", "has outputs for %zu classes, must have them for the %u that there are", classes,
            j->plan.classes);
    return APP_OK;
}

static int make_network(job *j)
{
    nw_error err;
    nw_network_shape shape;
    char *model = NULL;
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    opts.memory_mib = (size_t)j->settings->memory;
    int code = recipe_model(&model, j->recipe, j->settings, &j->plan, &j->data);
    if (code == APP_OK && nw_network_new(&j->net, model, &opts, &err) != NW_OK)
        code = app_fail_error(recipe_is_name(j->settings->model) ? "--model" : j->settings->model, &err);
    free(model);
    if (code == APP_OK)
        code = check_outputs_of(j);
    if (code != APP_OK)
        return code;
    nw_network_get_shape(j->net, &shape);
    code = data_feed_make(&j->feed, &j->data, &shape, j->settings->data);
    if (code == APP_OK && j->has_test)
        code = data_feed_make(&j->test_feed, &j->test, &shape, j->settings->test == NULL ? j->settings->data : j->settings->test);
    if (code == APP_OK && nw_network_initialise(j->net, j->rng, &err) != NW_OK)
        code = app_fail_error("run", &err);
    return code;
}

/* ---- the run ---- */

static double given(double value, double otherwise)
{
    return value > 0.0 ? value : otherwise;
}

/* `run`: what of it is set by now. */
static int optimizer_opts(const job *j, const nw_train_opts *run, double n, nw_optimizer_opts *o)
{
    const settings *s = j->settings;
    const nw_optimizer_opts defaults = NW_OPTIMIZER_OPTS_INIT;
    int code = APP_OK;
    *o = defaults;
    o->kind = s->optimizer < KINDS_OF_OPTIMIZER ? (nw_optimizer_kind)(s->optimizer + 1) : NW_OPTIMIZER_SGD;
    o->epsilon = o->kind == NW_OPTIMIZER_ADAM_BC ? LEAST_ROOT : o->epsilon;
    o->momentum = o->kind != NW_OPTIMIZER_SGD ? 0.0 : (s->momentum >= 0.0 ? s->momentum : j->recipe->momentum);
    o->average = s->average >= 0.0 ? s->average : j->recipe->average;
    o->weight_decay = s->weight_decay;
    o->schedule = j->recipe->schedule;
    o->learning_rate = given(s->learning_rate, ADAM_RATE);
    if (s->learning_rate == 0.0 && o->kind == NW_OPTIMIZER_SGD)
        code = recipe_learning_rate(&o->learning_rate, j->recipe, s, run, n, o->momentum);
    return code;
}

static int train_opts(const job *j, nw_train_opts *o, nw_optimizer_opts *optimizer)
{
    const settings *s = j->settings;
    const double n = (double)(s->records > 0 ? s->records : j->data.count);
    if (!(n > 0.0))
        return app_fail(APP_DATA, s->data, "has no records: with --records N the sampling rate does not need them");
    o->epsilon = s->epsilon;
    o->delta = s->delta;
    o->noise_multiplier = s->sigma;
    o->adjacency = adjacency_of(s);
    o->batch = given(s->batch, fmin(n, fmax(1.0, nearbyint(j->recipe->rate * n))));
    o->public_records = (size_t)s->records;
    o->steps = s->steps > 0 ? s->steps : (uint64_t)ceil(s->epochs > 0.0 ? s->epochs * n / o->batch : j->recipe->steps);
    o->noise = (nw_train_noise)(s->noise + 1);
    o->sampling = s->sampling < SAMPLINGS            ? samplings[s->sampling]
                  : o->noise == NW_TRAIN_INDEPENDENT ? NW_BATCHES_POISSON
                                                     : NW_BATCHES_CYCLIC;
    o->bands = s->bands;
    o->clip_norm = given(s->clip, j->recipe->clip);
    o->clipping = (nw_dpsgd_clipping)(s->clipping + 1);
    o->quantile = s->quantile;
    o->memory_mib = (size_t)s->memory / 4;
    o->optimizer = optimizer;
    o->checkpoint = j->checkpoint;
    o->reduce = s->reduce;
    return optimizer_opts(j, o, n, optimizer);
}

static int make_train(job *j)
{
    nw_error err;
    nw_train_opts opts = NW_TRAIN_OPTS_INIT;
    nw_optimizer_opts optimizer;
    const int code = train_opts(j, &opts, &optimizer);
    if (code != APP_OK)
        return code;
    if (nw_train_new(&j->train, j->net, j->data.count, &opts, &err) != NW_OK)
        return app_fail_error("run", &err);
    if (is_first(j) && j->settings->records == 0 && !j->settings->is_quiet && !j->settings->is_json)
        app_note("the number of records is taken as public: it sets the sampling rate; --records N gives another figure");
    return APP_OK;
}

/* ---- charge ---- */

/* Without a file: a ledger in memory whose budget is this run. */
static int open_ledger(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = adjacency_of(s),
        .event = nw_train_event(j->train),
        .is_schedule = s->ledger == NULL };
    if (s->ledger == NULL && s->is_resumed)
        return APP_OK;
    if (s->is_resumed)
        return nw_ledger_open(&j->ledger, s->ledger, &err) == NW_OK ? APP_OK : app_fail_error(s->ledger, &err);
    if (s->ledger == NULL && nw_train_spent(j->train, nw_train_steps(j->train), &release.epsilon, &err) != NW_OK)
        return app_fail_error("ledger in memory", &err);
    return app_open_ledger(&j->ledger, &release);
}

/* From here on a signal is waited for. */
static int charge(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_status status;
    app_signals_defer(true);
    if (s->is_resumed)
        status = nw_train_resume(j->train, &j->receipt, &err);
    else
        status = nw_train_charge(j->train, j->ledger, s->label, j->rng, &j->receipt, &err); /* all hear of it */
    if (status == NW_OK && j->receipt.is_durable && s->ledger == NULL)
        return app_fail(APP_USAGE, "--ledger", "missing, must be the one that the run was charged to");
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->is_resumed ? j->checkpoint : (s->ledger == NULL ? "run" : s->ledger), &err);
    if (is_first(j) && !s->is_resumed && j->receipt.head[0] != '\0')
        app_note("the budget was spent and stays spent; nothing was trained");
    return code;
}

/* ---- steps ---- */

static nw_status look(void *context, nw_network *net, nw_error *err)
{
    job *j = context;
    (void)err;
    const double unit = j->plan.classes == 0 ? table_target_unit(&j->plan.table) : 1.0;
    j->code = score_make(&j->score, net, &j->test_feed, unit);
    return NW_OK;
}

static void add_point(job *j, uint64_t step)
{
    curve_point *p = &j->curve.points[j->curve.count];
    nw_error err;
    *p = (curve_point){ .step = step, .epsilon = NAN, .value = NAN, .loss = NAN };
    if (nw_train_spent(j->train, step, &p->epsilon, &err) != NW_OK)
        p->epsilon = NAN;
    if (j->has_test && nw_train_look(j->train, look, j, &err) == NW_OK && j->code == APP_OK) {
        p->value = j->plan.classes == 0 ? j->score.rmse : j->score.accuracy;
        p->loss = j->score.loss;
    }
    j->curve.count++;
    if (!j->progress.is_shown)
        return;
    app_progress_end(&j->progress);
    fprintf(stderr, "step %llu of %llu  epsilon %.4g", (unsigned long long)step, (unsigned long long)nw_train_steps(j->train),
        p->epsilon);
    if (j->has_test)
        fprintf(stderr, "  test loss %.4g  %s %.4g", p->loss, j->curve.value_name, p->value);
    fputc('\n', stderr);
}

/* Twenty times a run, if somebody looks. */
static bool after_step(void *context, uint64_t step)
{
    job *j = context;
    const uint64_t steps = nw_train_steps(j->train);
    const uint64_t part = step * (CURVE_POINTS - 1) / steps;
    const bool is_wanted = j->settings->curve != NULL || j->progress.is_shown;
    if (is_wanted && part > (step - 1) * (CURVE_POINTS - 1) / steps && j->curve.count < CURVE_POINTS)
        add_point(j, step);
    return app_progress_step(&j->progress, "training", (double)step / (double)steps) && j->code == APP_OK;
}

static int train(job *j)
{
    nw_error err;
    const nw_train_source source = { data_fetch, &j->feed };
    const nw_status status = nw_train_run(j->train, &source, j->rng, after_step, j, &err);
    app_progress_end(&j->progress);
    if (j->code != APP_OK)
        return j->code;
    if (status == NW_OK)
        return APP_OK;
    if (status != NW_E_CANCELLED)
        return app_fail_error("run", &err);
    if (is_first(j))
        app_note("interrupted after step %llu of %llu; --resume goes on from %s", (unsigned long long)nw_train_step(j->train),
            (unsigned long long)nw_train_steps(j->train), j->checkpoint);
    return app_exit_code(status);
}

/* ---- what comes out ---- */

static json_t *privacy_json(const job *j)
{
    const settings *s = j->settings;
    double epsilon = NAN;
    json_t *object = json_object();
    if (nw_train_spent(j->train, nw_train_steps(j->train), &epsilon, NULL) != NW_OK)
        epsilon = NAN;
    app_json_put(&object, "epsilon", app_json_real(epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(adjacency_of(s))));
    app_json_put(&object, "sigma", app_json_real(nw_train_noise_multiplier(j->train)));
    app_json_put(&object, "steps", json_integer((json_int_t)nw_train_steps(j->train)));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(s->seed)));
    app_json_put(&object, "library", json_string(nw_version()));
    return object;
}

/* The model, with what its inputs are and what was spent on it. */
static int write_model(job *j)
{
    nw_error err;
    json_t *object = json_object();
    app_json_put(&object, "data", data_plan_json(&j->plan));
    app_json_put(&object, "privacy", privacy_json(j));
    app_json_put(&object, "event", app_event_json(nw_train_event(j->train)));
    app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    char *info = app_json_dump(object, JSON_COMPACT);
    if (info == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    nw_status status = nw_network_set_info(j->net, info, &err);
    if (status == NW_OK)
        status = nw_network_save(j->net, j->settings->output, &err);
    free(info);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(j->settings->output, &err);
    app_note("the trained weights are in %s; --resume writes them again", j->checkpoint);
    return code;
}

static double peak_mib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024.0 : NAN;
}

static int print_json(const job *j)
{
    json_t *object = privacy_json(j);
    app_json_put(&object, "test_accuracy", app_json_real(j->score.accuracy));
    app_json_put(&object, "test_auc", app_json_real(j->score.auc));
    app_json_put(&object, "test_loss", app_json_real(j->score.loss));
    app_json_put(&object, "test_rmse", app_json_real(j->score.rmse));
    app_json_put(&object, "lost_steps", json_integer((json_int_t)nw_train_lost_steps(j->train)));
    app_json_put(&object, "seconds", app_json_real(app_clock() - j->began));
    app_json_put(&object, "peak_mib", app_json_real(peak_mib()));
    app_json_put(&object, "blas", json_string(nw_blas_name()));
    if (j->settings->is_estimate)
        app_json_put(&object, "event", app_event_json(nw_train_event(j->train)));
    else
        app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return app_print_json(object);
}

static int print_text(const job *j)
{
    double epsilon = NAN;
    char text[APP_NUMBER_SIZE];
    if (nw_train_spent(j->train, nw_train_steps(j->train), &epsilon, NULL) != NW_OK)
        epsilon = NAN;
    if (!isnan(j->score.rmse))
        printf("test error     %.6g (root mean square)\n", j->score.rmse);
    if (!isnan(j->score.accuracy))
        printf("test accuracy  %.4f\n", j->score.accuracy);
    if (!isnan(j->score.auc))
        printf("test auc       %.4f\n", j->score.auc);
    printf("privacy        epsilon %s at delta %g, noise multiplier %.4f, %llu steps\n", app_text_up(epsilon, text),
        j->settings->delta, nw_train_noise_multiplier(j->train), (unsigned long long)nw_train_steps(j->train));
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

static int write_outputs(job *j)
{
    const settings *s = j->settings;
    const double unit = j->plan.classes == 0 ? table_target_unit(&j->plan.table) : 1.0;
    int code = j->has_test ? score_make(&j->score, j->net, &j->test_feed, unit) : APP_OK;
    if (code == APP_OK)
        code = write_model(j);
    if (code == APP_OK && s->curve != NULL)
        code = curve_write(&j->curve, s->curve);
    return code;
}

static int finish(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    int code = app_agree(s->reduce, is_first(j) ? write_outputs(j) : APP_OK);
    if (code == APP_OK && nw_train_settle(j->train, j->ledger, &j->receipt, &err) != NW_OK)
        code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (!is_first(j))
        return code;
    if (code == APP_OK)
        code = s->is_json ? print_json(j) : print_text(j);
    if (code == APP_OK)
        app_note_seed(s->seed);
    if (code == APP_OK && !s->is_quiet && !s->is_json)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return code;
}

static int prepare(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    j->recipe = recipe_find(s);
    if (j->recipe == NULL)
        return APP_USAGE;
    int code = recipe_is_name(s->model) ? APP_OK : app_check_input(s->model);
    if (code == APP_OK)
        code = data_plan_make(&j->plan, s);
    j->plan.is_scattered = strcmp(j->recipe->name, "scatter") == 0;
    j->plan.groups = j->recipe->groups;
    j->plan.is_smoothed = j->recipe->is_smoothed;
    j->plan.has_unit_rows = j->recipe->has_unit_rows;
    if (code == APP_OK)
        code = read_data(j);
    if (code == APP_OK)
        code = data_prepare(&j->data, &j->plan);
    if (code == APP_OK && j->has_test)
        code = data_prepare(&j->test, &j->plan);
    if (code == APP_OK && app_new_rng(&j->rng, s->seed, &err) != NW_OK)
        code = app_fail_error("run", &err);
    if (code == APP_OK)
        code = make_network(j);
    return code == APP_OK ? make_train(j) : code;
}

static int answer(job *j)
{
    int code = check_settings(j);
    if (code == APP_OK)
        code = prepare(j);
    if (code == APP_OK && !j->settings->is_estimate && is_first(j))
        code = open_ledger(j);
    code = app_agree(j->settings->reduce, code);
    if (code == APP_OK && j->settings->is_estimate)
        return !is_first(j) ? APP_OK : j->settings->is_json ? print_json(j) : print_text(j);
    if (code == APP_OK)
        code = charge(j);
    if (code == APP_OK)
        code = train(j);
    return code == APP_OK ? finish(j) : code;
}

static void free_job(job *j)
{
    nw_train_free(j->train);
    nw_rng_free(j->rng);
    nw_ledger_close(j->ledger);
    data_feed_free(&j->feed);
    data_feed_free(&j->test_feed);
    nw_network_free(j->net);
    examples_free(&j->data);
    examples_free(&j->test);
    data_plan_free(&j->plan);
    free(j->checkpoint);
}

int train_run(const settings *s)
{
    job j = { .settings = s, .began = app_clock(), .score = { 0, NAN, NAN, NAN, NAN } };
    j.curve.value_name = s->task == TABLE_REGRESS ? "test error" : "test accuracy";
    j.curve.title = s->model;
    app_progress_start(&j.progress, s->is_quiet || s->is_json || !is_first(&j));
    const int code = answer(&j);
    app_progress_end(&j.progress);
    free_job(&j);
    return code;
}
