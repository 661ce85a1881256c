/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_KDE_DATA_H
#define BENCH_KDE_DATA_H

/* kde_data.h - points for bench_kde_accuracy.c: made ones, and those of a folder of real tables, in an order of our own. What
 * cannot be read ends the program with 66, or 65. */
#include <stddef.h>

typedef struct kde_points {
    size_t n;
    size_t d;
    float *x; /* [n][d] */
} kde_points;

/** Uniform in [0, 1]^d. */
kde_points kde_points_uniform(size_t n, size_t d);
/** Sixty towns of all sizes in [0, 11]^d. */
kde_points kde_points_towns(size_t n, size_t d);
/** DIR/california_housing/housing.csv: longitude + 125 and latitude - 32 cut to [0, 11]; median income. */
kde_points kde_points_places(const char *folder);
kde_points kde_points_incomes(const char *folder);
/** DIR/kddcup99_10pct: 38 numbers, log(1 + x) over that of a cap, cut to [0, 1]. */
kde_points kde_points_connections(const char *folder);
/** DIR/mnist: the training images, and the first 400 of the test images after them, as their products with the 50 leading
 *  directions of the test images 5000 .. 9999 about their mean. */
kde_points kde_points_images(const char *folder);

#endif
