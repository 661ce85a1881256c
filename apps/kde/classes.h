/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_CLASSES_H
#define APP_KDE_CLASSES_H

/* classes.h - the classes of points: a public list, and which of them each point is of. Functions that return int print their own
 * message and return an exit code. */
#include "view.h"

enum { CLASSES_MOST = 4096 };

typedef struct classes {
    words names;             /* in the order of the list */
    const nw_schema *schema; /* of the label's column, or NULL: labels are names. Borrowed */
    size_t column;
    size_t *order; /* of the points by class, each class in the points' order */
    size_t *first; /* names.count + 1 places in `order` */
} classes;

/** The list: `text` ("0..9" or "a,b,c"), or the values of the view's label column if its schema has one. */
int classes_make(classes *c, const char *text, const view *v);
void classes_free(classes *c);
/** Sorts n points by their labels. `subject`: where these stand. */
int classes_sort(classes *c, const words *labels, size_t n, const char *subject);

/** Labels from a file: idx, an array of whole numbers, or text, one a line. */
int labels_read(words *out, const char *path);
/** Those of `n` points; a first line that is not in the list and one too many is a header, and dropped. Keeps [from, to]. */
int labels_places(size_t **out, const words *labels, const words *names, size_t n, const char *subject);

/** "PATH-NAME.nwk" of "PATH.nwk", with _ for what may not stand in a file's name; NULL if memory lacks. */
char *classes_path(const char *path, const char *name);

#endif
