/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CURVE_H
#define APP_CURVE_H

/* curve.h - how a run went, as a picture: nothing of it is private but what the test records say. */
#include <stddef.h>
#include <stdint.h>

typedef struct curve_point {
    uint64_t step;
    double epsilon; /* spent so far */
    double value;   /* accuracy, or root mean squared error; NaN without test records */
    double loss;    /* of the test records */
} curve_point;

enum { CURVE_POINTS = 21 };
typedef struct curve {
    size_t count;
    curve_point points[CURVE_POINTS];
    const char *value_name; /* "test accuracy" */
    const char *title;
} curve;

/** Writes an SVG file. An exit code, with its message written. */
int curve_write(const curve *c, const char *path);

#endif
