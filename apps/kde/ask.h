/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_ASK_H
#define APP_KDE_ASK_H

/* ask.h - released structures, queries, and where answers go. Functions that return int print their own message and return an
 * exit code. */
#include "about.h"
#include "settings.h"

#include <noisewright.h>

typedef struct structure {
    nw_kde *kde;
    about about;
    const char *path; /* borrowed */
} structure;

/** project: the file of its matrix, or NULL. */
int structure_load(structure *out, const char *path, const char *project);
/** The same without its matrix, which is not needed to tell about it. */
int structure_peek(structure *out, const char *path);
void structure_free(structure *s);
/** True if a structure adds up distances: then a small value is a near one. */
bool structure_is_distance(const structure *s);
/** The number of points and its standard error; NaN: nobody knows. */
double structure_points(const structure *s, double *error);

/** The rows of a file that --rows keeps. */
typedef struct rows {
    size_t from;
    size_t all; /* that the file has */
} rows;
/** Queries, seen as the structure's points were; --rows of them. labels: of all rows of the file, or NULL. */
int ask_read(points *out, words *labels, rows *kept, structure *s, const settings *said);
/** Values and standard errors. */
int ask_values(const structure *s, const points *y, double *values, double *errors);

/** Writes what `fill` prints. */
int ask_write(const char *path, void (*fill)(FILE *, const void *), const void *context);
/** True if answers shall be an array of NumPy's. */
bool ask_is_npy(const char *path);

#endif
