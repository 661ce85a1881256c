/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_VIEW_H
#define APP_KDE_VIEW_H

/* view.h - how the rows of a file become points: which columns, on which scale, of which norm, projected. All of it is public,
 * a function of one row alone, and told with the structure, so that queries are seen as the points were.
 *
 * Steps, each if asked for: 1. of a schema's column of numbers one coordinate, of any other one coordinate a value, of which
 * one is 1 (and one for a missing value); 2. missing numbers become the middle of the bounds (0 without), what lies beyond them
 * the bound (infinities 2^100 without); 3. bounds become 0 and 1; 4. norm 1, of zero rows 0; 5. the product with a matrix.
 * Without 3, 4 and 5 the library does 2. Functions that return int print their own message and return an exit code. */
#include "points.h"

#include <nw/table.h>

#include <jansson.h>

enum { VIEW_DIGEST = 33 };

typedef struct view {
    nw_schema *schema; /* or NULL: plain numbers */
    char *schema_path; /* for messages; NULL: it came with a structure */
    words columns;     /* coordinates by name, in this order; none: all that there are */
    char *label;       /* a column that is no coordinate, or NULL */
    bool is_exact;     /* the user named the columns */
    points_header header;
    bool is_scaled;
    bool is_unit_norm;
    points projection;             /* d of the file x d of the points, or none */
    char project[VIEW_DIGEST];     /* of that, in hexadecimal; empty: none */
    char *lower_text, *upper_text; /* of the file's coordinates, as given, or NULL */
    size_t d;                      /* coordinates of the file; 0: not known yet */
    bool is_settled;
    double *lower, *upper;             /* double[d], or NULL: of the file's */
    bool *is_log;                      /* bool[d], or NULL: none is */
    double *point_lower, *point_upper; /* of the points, or NULL */
} view;

/** What a user says. */
typedef struct view_words {
    const char *schema, *columns, *label, *project, *lower, *upper;
    unsigned header;
    bool is_scaled, is_unit_norm;
} view_words;

int view_make(view *v, const view_words *w);
void view_free(view *v);
/** Coordinates that a schema or matrix asks for; 0: any. */
size_t view_width(const view *v);
/** Once the file's coordinates are known: bounds of these, and of the points. `d`: as read, or view_width. */
int view_settle(view *v, size_t d, const char *subject);
size_t view_dimension(const view *v);
/** True if coordinate j of the points is one of the file's, but for the scale. */
bool view_is_plain(const view *v);
/** Where x of coordinate j of the file lies in the points, if these are plain. */
double view_place(const view *v, size_t j, double x);
/** The name of a point's coordinate, or NULL: it has none. To be freed. */
char *view_name(const view *v, size_t j);

/** Reads points; the view is settled if it was not. labels: what the column `label` says, one a point, and the column must be
 *  there; or NULL: it may be missing. */
int view_read(points *out, words *labels, view *v, const char *path);

/** The view as JSON, for a structure. */
json_t *view_json(const view *v);
/** The same back, NULL as nothing in particular, but for the matrix. `subject`: the structure. */
int view_of_json(view *v, const json_t *json, const char *subject);
/** With the matrix, of which the structure knows a digest, in the file `project`, or NULL. */
int view_complete(view *v, const char *project, const char *subject);

#endif
