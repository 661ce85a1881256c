/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

/* recipe.h - models by name, and what to train them with unless the options say otherwise. None of it comes from the records. */
#include "data.h"

#include <nw/train.h>

typedef struct recipe {
    const char *name; /* "linear", "cnn", "scatter"; "" for a model of one's own */
    train_format format;
    double rate; /* of the records in a batch */
    double steps;
    double clip;
    double reach; /* see recipe_learning_rate */
    double momentum;
    double average;
    nw_optimizer_schedule schedule;
    bool is_smoothed;   /* a pixel is shown with its neighbours */
    bool has_unit_rows; /* features are shown with norm 1 */
    size_t groups;      /* of scattering features */
} recipe;

/** The recipe of --model; NULL with a message if there is none for that format. */
const recipe *recipe_find(const settings *s);
/** True if --model is the name of a recipe and not a file. */
bool recipe_is_name(const char *model);

/** The learning rate for a run over n records. One release of the records' sum at the run's epsilon and delta needs noise of s
 *  times the sensitivity; T steps of any rate that cost the same add up to about that, relative to n. How far they go,
 *  rate clip T / (1 - momentum), is the recipe's reach times n / s: noise and way are in the same proportion whatever n and
 *  epsilon are. An exit code, with its message written. */
int recipe_learning_rate(double *out, const recipe *r, const settings *s, const nw_train_opts *run, double n, double momentum);

/** The model's JSON for these data, in a new string: of the recipe, or what the file holds. An exit code, with its message
 *  written. */
int recipe_model(char **out, const recipe *r, const settings *s, const data_plan *plan, const examples *data);

#endif
