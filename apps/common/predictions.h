/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PREDICTIONS_H
#define APP_PREDICTIONS_H

/* predictions.h - a model's outputs as a CSV table with a row for each record: a class and its probability, or a number. */
#include "table.h"

typedef struct predictions {
    const float *outputs; /* count x width */
    size_t count;
    size_t width;
    uint32_t classes;                                      /* 0: numbers, places between the bounds of plan's target */
    char *(*class_name)(const void *plan, uint32_t class); /* a new string; NULL if memory lacks */
    const void *named;                                     /* plan of class_name */
    const table_plan *plan;                                /* of numbers */
} predictions;

/** path: "-" or NULL is standard output. An exit code, with its message written. */
int predictions_write(const predictions *p, const char *path);

#endif
