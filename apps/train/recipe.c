/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* recipe.c - see recipe.h; how the figures were found: docs/rooms/dpsgd.md#nw-train. */
#include "recipe.h"

#include "../common/exit.h"
#include "../common/files.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_MODEL = 1 << 20 };

static const recipe recipes[] = {
    { "linear", TRAIN_CSV, 1024.0, 32561.0, 20.0, 1.0, 1.0, 0.9, 0.99 },
    { "linear", TRAIN_IDX, 4096.0, 60000.0, 30.0, 1.0, 2.0, 0.9, 0.95 },
    { "linear", TRAIN_TEXT, 4096.0, 60000.0, 40.0, 1.0, 16.0, 0.9, 0.95 },
    { "cnn", TRAIN_IDX, 1024.0, 60000.0, 40.0, 0.1, 4.0, 0.9, 0.99 },
    { "scatter", TRAIN_IDX, 4096.0, 60000.0, 40.0, 0.1, 8.0, 0.9, 0.95 },
    { "", TRAIN_CSV, 1024.0, 32561.0, 20.0, 1.0, 0.5, 0.9, 0.99 },
    { "", TRAIN_IDX, 1024.0, 60000.0, 30.0, 0.5, 0.5, 0.9, 0.99 },
    { "", TRAIN_TEXT, 2048.0, 60000.0, 30.0, 1.0, 1.0, 0.9, 0.99 },
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
