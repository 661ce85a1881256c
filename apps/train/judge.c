/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* judge.c - see judge.h. */
#include "judge.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/predictions.h"
#include "data.h"
#include "score.h"

#include <stdlib.h>

/* What a command owns; freed in one place. */
typedef struct job {
    const settings *settings;
    nw_network *net;
    data_plan plan;
    examples data;
    data_feed feed;
    nw_network_shape shape;
} job;

static int load_model(job *j, const char *path)
{
    nw_error err;
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    int code = app_check_input(path);
    opts.memory_mib = (size_t)j->settings->memory;
    if (code == APP_OK && nw_network_load(&j->net, path, &opts, &err) != NW_OK)
        code = app_fail_error(path, &err);
    if (code != APP_OK)
        return code;
    json_t *info = nw_network_info(j->net) == NULL ? NULL : json_loads(nw_network_info(j->net), 0, NULL);
    code = data_plan_read(&j->plan, json_object_get(info, "data"), path);
    json_decref(info);
    nw_network_get_shape(j->net, &j->shape);
    return code;
}

static int load(job *j, bool needs_labels)
{
    const settings *s = j->settings;
    int code = load_model(j, s->operands[0]);
    if (code == APP_OK && j->plan.format != TRAIN_IDX)
        code = app_check_input(s->data);
    if (code == APP_OK)
        code = data_read(&j->data, &j->plan, s->data, true, needs_labels);
    if (code == APP_OK)
        code = data_prepare(&j->data, &j->plan);
    return code == APP_OK ? data_feed_make(&j->feed, &j->data, &j->shape, s->data) : code;
}

static void free_job(job *j)
{
    data_feed_free(&j->feed);
    examples_free(&j->data);
    data_plan_free(&j->plan);
    nw_network_free(j->net);
}

static double unit_of(const data_plan *plan)
{
    return plan->classes == 0 ? table_target_unit(&plan->table) : 1.0;
}

static int print_score(const score *made, bool is_json)
{
    if (is_json) {
        json_t *object = json_object();
        app_json_put(&object, "test_accuracy", app_json_real(made->accuracy));
        app_json_put(&object, "test_auc", app_json_real(made->auc));
        app_json_put(&object, "test_loss", app_json_real(made->loss));
        app_json_put(&object, "test_rmse", app_json_real(made->rmse));
        app_json_put(&object, "records", json_integer((json_int_t)made->count));
        return app_print_json(object);
    }
    if (!isnan(made->rmse))
        printf("error     %.6g (root mean square)\n", made->rmse);
    if (!isnan(made->accuracy))
        printf("accuracy  %.4f\n", made->accuracy);
    if (!isnan(made->auc))
        printf("auc       %.4f\n", made->auc);
    printf("loss      %.6g\nrecords   %zu\n", made->loss, made->count);
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

int judge_eval(const settings *s)
{
    score made;
    job j = { .settings = s };
    int code = load(&j, true);
    if (code == APP_OK)
        code = score_make(&made, j.net, &j.feed, unit_of(&j.plan));
    if (code == APP_OK)
        code = print_score(&made, s->is_json);
    free_job(&j);
    return code;
}

/* ---- predictions ---- */

static char *class_name(const void *plan, uint32_t class)
{
    return data_class_name(plan, class);
}

static int write_predictions(const job *j, const float *outputs)
{
    const predictions p = { outputs, j->data.count, j->shape.outputs, j->plan.classes, class_name, &j->plan, &j->plan.table };
    return predictions_write(&p, j->settings->output);
}

int judge_predict(const settings *s)
{
    const char *const named[] = { s->operands[0], s->data };
    float *outputs = NULL;
    job j = { .settings = s };
    int code = app_check_apart("--output", s->output, named, 2);
    if (code == APP_OK)
        code = app_check_output(s->output == NULL ? "-" : s->output);
    if (code == APP_OK)
        code = load(&j, false);
    if (code == APP_OK)
        code = score_outputs(&outputs, j.net, &j.feed, NULL);
    if (code == APP_OK)
        code = write_predictions(&j, outputs);
    free(outputs);
    free_job(&j);
    return code;
}
