/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BAGS_FRAME_H
#define APP_BAGS_FRAME_H

/* frame.h - a CSV table as public features and private labels.
 *
 * The features are public, so what they look like may decide how they are used: without a schema, a column of numbers (empty
 * cells apart) is a number and any other column a category. A number becomes one feature, a missing one counting as the mean, and
 * one more that says which are missing, if any are. A category becomes a feature for each of its values but the first. Features
 * are shown to the fit with mean 0 and variance 1; those that do not vary are left out. Labels decide nothing, not
 * even an error. */
#include <nw/table.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct frame_column {
    char *name;
    bool is_category;
    double *numbers; /* NaN: missing, or no number */
    int32_t *codes;  /* into values; -1: missing; -2: one too many */
    char **values;
    size_t value_count;
    bool has_words;   /* a cell that is neither empty nor a number */
    bool is_overfull; /* of values */
} frame_column;

typedef struct frame {
    size_t rows;
    size_t room;
    size_t count;
    frame_column *columns;
    frame_column *target; /* among them; NULL: none */
} frame;

/** One feature of a model. */
typedef struct feature {
    char *column;
    char *value; /* of a category; NULL: the number itself, or whether it is missing */
    bool is_missing;
    double mean;
    double deviation;
} feature;

typedef struct feature_plan {
    feature *items;
    size_t count;
} feature_plan;

/** How a table is read. */
typedef struct frame_opts {
    const char *schema; /* NULL, or the JSON text by which cells are read */
    const char *target;
    const char *positive;     /* of the target's values the one that counts; NULL: none */
    bool needs_target;        /* else its column may be missing */
    const feature_plan *plan; /* NULL, or the features that it is read for, which say what is a category */
} frame_opts;
/** Reads a table; zero `out` before and free it in any case. */
int frame_read(frame *out, const char *path, const frame_opts *opts);
void frame_free(frame *f);
/** NULL if there is no such column. */
const frame_column *frame_find(const frame *f, const char *name);

/** Features of all columns but the target and `left_out`, of which any may be NULL. */
int feature_plan_make(
    feature_plan *plan, const frame *f, const char *const *left_out, size_t left_out_count, const char *subject);
void feature_plan_free(feature_plan *plan);
/** The name of a feature: "age", "age missing", "job=clerk"; in a new string, NULL if memory lacks. */
char *feature_name(const feature *item);
json_t *feature_plan_json(const feature_plan *plan);
int feature_plan_read(feature_plan *plan, const json_t *json, const char *subject);
/** The label of a row as it counts: a number, or with `classify` 1 and -1, as the value is `positive`, or without one a number
 *  above 0, or the schema's second value. NaN: there is none. */
double frame_label(const frame *f, size_t row, bool classify, const char *positive);
/** The dimensions of such a matrix (nw_bags_problem): of its first 8192 rows at most. NaN: memory lacks. */
double feature_dimensions(const double *x, size_t rows, size_t p);
/** double[rows x count], with mean 0 and variance 1 where the plan was made, into a new array. */
int feature_matrix(double **out, const feature_plan *plan, const frame *f, const char *subject);

#endif
