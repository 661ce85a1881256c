/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_ABOUT_H
#define APP_KDE_ABOUT_H

/* about.h - what nw-kde keeps in a structure's file beside the library's options: how points were seen, and which class they
 * are. It is one more member of the file's header, which the library passes over. Functions that return int print their own
 * message and return an exit code. */
#include "view.h"

typedef struct about {
    view view;
    char *class;         /* its name, or NULL */
    double points_error; /* standard error of the number of points, if that was drawn by itself; else 0 */
} about;

/** As text, in *out; it may be too long to be kept. */
int about_text(char **out, const view *v, const char *class, double points_error);
/** Puts the text into a file that nw_kde_save has just written. */
int about_put(const char *path, const char *text);
/** Of a file that nw_kde_load has taken, all zero if it has none. `project`: the file of its matrix, or NULL. */
int about_read(about *out, const char *path, const char *project);
/** The same without the matrix, which only queries need. */
int about_peek(about *out, const char *path);
void about_free(about *a);

#endif
