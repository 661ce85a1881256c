/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* recipe.c - see recipe.h; how the figures were found: docs/rooms/dpsgd.md#nw-train. */
#include "recipe.h"

#include "../common/exit.h"
#include "../common/files.h"

#include <math.h>
#include <nw/accounting.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_MODEL = 1 << 20 };

/* Records over noise beyond which there is nothing to be gained by going further. */
static const double ENOUGH = 1e5;
static const double SQUARED_CURVATURE = 4.0;

#define CONSTANT NW_OPTIMIZER_CONSTANT
#define COSINE NW_OPTIMIZER_COSINE
static const recipe recipes[] = {
    { "linear", TRAIN_CSV, 0.25, 150.0, 0.5, 1.2, 0.9, 0.95, CONSTANT, false, true, 0 },
    { "linear", TRAIN_IDX, 0.137, 400.0, 0.05, 2.0, 0.9, 0.98, CONSTANT, true, true, 0 },
    { "linear", TRAIN_TEXT, 0.25, 200.0, 1.0, 0.4, 0.9, 0.9, CONSTANT, false, false, 0 },
    { "cnn", TRAIN_IDX, 0.034, 1200.0, 0.1, 0.12, 0.9, 0.99, COSINE, false, false, 0 },
    { "scatter", TRAIN_IDX, 0.137, 400.0, 0.03, 4.0, 0.9, 0.95, CONSTANT, false, true, 27 },
    { "", TRAIN_CSV, 0.03, 700.0, 1.0, 0.1, 0.9, 0.99, COSINE, false, true, 0 },
    { "", TRAIN_IDX, 0.017, 1800.0, 0.5, 0.1, 0.9, 0.99, COSINE, false, false, 0 },
    { "", TRAIN_TEXT, 0.034, 900.0, 1.0, 0.1, 0.9, 0.99, COSINE, false, false, 0 },
};
enum { RECIPES = sizeof recipes / sizeof *recipes };

static const char *const names[] = { "linear", "cnn", "scatter" };

bool recipe_is_name(const char *model)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], model) == 0)
            return true;
    return false;
}

const recipe *recipe_find(const settings *s)
{
    const char *name = recipe_is_name(s->model) ? s->model : "";
    for (size_t i = 0; i < RECIPES; i++)
        if (strcmp(recipes[i].name, name) == 0 && (unsigned)recipes[i].format == s->format)
            return &recipes[i];
    app_fail(APP_USAGE, "--model", "is %s, which is for images, must be linear or a file with --format csv and text", s->model);
    return NULL;
}

int recipe_learning_rate(double *out, const recipe *r, const settings *s, const nw_train_opts *run, double n, double momentum)
{
    nw_error err;
    const double steps = (double)run->steps;
    double noise = s->sigma * n / (run->batch * sqrt(steps)); /* of one release that costs as much as the run */
    if (s->sigma == 0.0 && nw_calibrate_gaussian(&noise, run->epsilon, run->delta, (nw_sensitivity){ 1.0, run->adjacency }, 1,
                               run->adjacency, &err) != NW_OK)
        return app_fail_error("--epsilon", &err);
    const double factor = run->adjacency == NW_REPLACE_ONE ? 2.0 : 1.0;          /* of the sensitivity */
    const double curvature = s->task == TABLE_REGRESS ? SQUARED_CURVATURE : 1.0; /* of the loss, relative to the logistic one */
    const double way = r->reach / curvature * fmin(n / (factor * noise), ENOUGH);
    *out = way * (1.0 - momentum) / (steps * run->clip_norm);
    return APP_OK;
}

/* ---- models ---- */

/* Two classes are one logistic output: half the parameters, half the noise. */
static const char *loss_of(const data_plan *plan)
{
    return plan->classes == 0 ? "squared" : (plan->classes == 2 && plan->format != TRAIN_TEXT ? "logistic" : "softmax");
}

static unsigned outputs_of(const data_plan *plan)
{
    return plan->classes == 0 || strcmp(loss_of(plan), "logistic") == 0 ? 1 : plan->classes;
}

static int linear_model(char **out, const data_plan *plan, const examples *data)
{
    int n;
    if (data->kind == EXAMPLES_TOKENS)
        n = asprintf(out,
            "{\"input\": {\"tokens\": %zu, \"vocabulary\": %zu}, \"layers\": [{\"type\": \"embedding_bag\", \"width\": %u, "
            "\"combine\": \"sqrt\", \"init\": \"zero\"}], \"loss\": \"%s\"}",
            plan->text.most, data->width, outputs_of(plan), loss_of(plan));
    else
        n = asprintf(out,
            "{\"input\": {\"floats\": %zu}, \"layers\": [{\"type\": \"linear\", \"outputs\": %u, \"init\": \"zero\"}], "
            "\"loss\": \"%s\"}",
            data->width, outputs_of(plan), loss_of(plan));
    return n < 0 ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
}

/* The network of [PTSCE21], with tanh throughout. */
static int cnn_model(char **out, const data_plan *plan, const examples *data)
{
    if (data->height < 16 || data->columns < 16)
        return app_fail(APP_DATA, "--model cnn", "takes images of 16 x 16 pixels or more");
    const int n = asprintf(out,
        "{\"input\": {\"image\": [%zu, %zu, %zu]}, \"layers\": ["
        "{\"type\": \"conv2d\", \"channels\": 16, \"kernel\": 8, \"stride\": 2, \"padding\": 3}, {\"type\": \"tanh\"}, "
        "{\"type\": \"max_pool\", \"kernel\": 2, \"stride\": 1}, "
        "{\"type\": \"conv2d\", \"channels\": 32, \"kernel\": 4, \"stride\": 2}, {\"type\": \"tanh\"}, "
        "{\"type\": \"max_pool\", \"kernel\": 2, \"stride\": 1}, {\"type\": \"flatten\"}, "
        "{\"type\": \"linear\", \"outputs\": 32}, {\"type\": \"tanh\"}, "
        "{\"type\": \"linear\", \"outputs\": %u}], \"loss\": \"%s\"}",
        data->channels, data->height, data->columns, outputs_of(plan), loss_of(plan));
    return n < 0 ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
}

int recipe_model(char **out, const recipe *r, const settings *s, const data_plan *plan, const examples *data)
{
    *out = NULL;
    if (r->name[0] == '\0')
        return app_read_text(s->model, LONGEST_MODEL, out);
    if (strcmp(r->name, "cnn") == 0)
        return cnn_model(out, plan, data);
    return linear_model(out, plan, data);
}
