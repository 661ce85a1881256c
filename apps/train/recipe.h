/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

/* recipe.h - models by name, and what to train them with unless the options say otherwise. None of it comes from the records. */
#include "data.h"

typedef struct recipe {
    const char *name; /* "linear", "cnn", "scatter"; "" for a model of one's own */
    train_format format;
    double batch;   /* of that many records ... */
    double records; /* ... more or fewer in proportion */
    double epochs;
    double clip;
    double learning_rate;
    double momentum;
    double average;
} recipe;

/** The recipe of --model; NULL with a message if there is none for that format. */
const recipe *recipe_find(const settings *s);
/** True if --model is the name of a recipe and not a file. */
bool recipe_is_name(const char *model);

/** The model's JSON for these data, in a new string: of the recipe, or what the file holds. An exit code, with its message
 *  written. */
int recipe_model(char **out, const recipe *r, const settings *s, const data_plan *plan, const examples *data);

#endif
