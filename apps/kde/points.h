/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_POINTS_H
#define APP_KDE_POINTS_H

/* points.h - points from files: CSV of numbers, or NumPy's .npy. */
#include "../common/processes.h"

#include <stddef.h>

typedef struct points {
    float *x; /* n x d */
    size_t n;
    size_t d;
} points;

/** Reads `path` ("-": standard input, CSV). A name that ends in .npy is an array of one or two dimensions, in C order, of float
 *  or double, or of whole numbers of 8 to 64 bits. Anything else is CSV: one point a line, its coordinates separated by commas; a
 *  first line that has a cell which is no number is a header; an empty cell is NaN. An exit code, with its message written. */
int points_read(points *out, const char *path);
/** The same of a share of the points: number `part` modulo `parts`. */
int points_read_share(points *out, const char *path, const app_share *share);
void points_free(points *p);

#endif
