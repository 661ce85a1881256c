/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF2_STORED_H
#define DIFF2_STORED_H

/* stored.h - a model as a JSON file: what it was trained on, its coefficients by the names of what they weigh, what was spent
 * on it. Functions that return int return an exit code, with its message written. */
#include "job.h"

#include <jansson.h>

/** Writes the model to --save-model, if it is given. */
int stored_write(const job *j);

/** A model read back; free it in any case. */
typedef struct stored {
    table_plan plan;
    model model;
    double *x;
} stored;
int stored_read(stored *out, const char *path);
void stored_free(stored *s);

#endif
