/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_COORDINATES_H
#define APP_KDE_COORDINATES_H

/* coordinates.h - rows of a CSV file under a schema as points: a coordinate for a column of numbers, and one for each value of
 * any other. Functions that return int print their own message and return an exit code. */
#include "points.h"

#include <nw/table.h>

/** Columns that become coordinates: those of `columns`, or all, but not `label`. Public. */
typedef struct coordinate_terms {
    const nw_schema *schema;
    const words *columns; /* of count 0: all, in the schema's order */
    const char *label;    /* or NULL */
} coordinate_terms;

/** One coordinate: its column, and of a column that is no number the code that it stands for. */
typedef struct coordinate {
    size_t column;
    uint32_t code;
    bool is_number;
} coordinate;

/** All coordinates, in order, in a new array. `subject`: where the schema comes from. */
int coordinates_of(coordinate **out, size_t *n, const coordinate_terms *t, const char *subject);

/** Reads a file, which may lack columns that are no coordinates; missing numbers are NaN. labels: what the label's column says,
 *  one a point; NULL: it may be missing. */
int coordinates_read(points *out, words *labels, const coordinate_terms *t, const char *path);

#endif
