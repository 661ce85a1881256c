/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF2_NAMES_H
#define DIFF2_NAMES_H

/* names.h - what each parameter of a model weighs, in words. */
#include "model.h"

#define NAMES_BIAS "(bias)"

/** Names in two levels, as the parameters lie: groups that follow each other (an output, a hidden unit), and in each what it adds
 *  up. All are different within their level. */
typedef struct names {
    char **features; /* [features]: "age", "age (missing)", "job = cook" */
    char **outputs;  /* [outputs]: the class, or the target's name */
    char **units;    /* [MODEL_UNITS], with hidden units: "hidden 1" */
    size_t feature_count, output_count, unit_count;
} names;

/** False if memory lacks. Free it in any case. */
bool names_make(names *out, const model *m, const table_plan *plan);
void names_free(names *n);

/** Groups there are, and one of them: its name, what it adds up, count of that (its bias follows). */
size_t names_groups(const names *n);
typedef struct names_group {
    const char *name;
    char *const *members;
    size_t count;
} names_group;
names_group names_get(const names *n, size_t group);

#endif
