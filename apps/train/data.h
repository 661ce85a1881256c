/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

/* data.h - files of every format as what a network is shown, for training and, from what a model file remembers, for use.
 * Functions that return int print their own message and return an exit code. */
#include "../common/examples.h"
#include "../common/feed.h"
#include "settings.h"
#include "../common/table.h"
#include "text.h"

#include <nw/scattering.h>

#include <jansson.h>

/** How files become examples; a model remembers it. */
typedef struct data_plan {
    train_format format;
    table_plan table;
    char *target; /* csv, text */
    text_settings text;
    uint32_t classes;   /* 0: regression */
    bool is_scattered;  /* idx: nw/scattering.h in place of the pixels */
    size_t groups;      /* of that */
    bool is_smoothed;   /* idx: a pixel is shown with its neighbours */
    bool has_unit_rows; /* features are shown with norm 1 */
} data_plan;

int data_plan_make(data_plan *plan, const settings *s);
void data_plan_free(data_plan *plan);
/** For the model's info; NULL if memory lacks. */
json_t *data_plan_json(const data_plan *plan);
/** The same back. `subject`: the model file. */
int data_plan_read(data_plan *plan, const json_t *json, const char *subject);
/** The name of a class in a new string; NULL if memory lacks. */
char *data_class_name(const data_plan *plan, uint32_t class);

/** Reads examples. is_test: of idx folders, the other part. */
int data_read(examples *out, const data_plan *plan, const char *path, bool is_test, bool needs_labels);
/** Puts scattering features in the place of pixels, and has rows shown with norm 1, if the plan says so. */
int data_prepare(examples *data, const data_plan *plan);

#endif
