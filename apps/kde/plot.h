/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_PLOT_H
#define APP_KDE_PLOT_H

/* plot.h - a structure of one or two dimensions as a picture. */
#include "view.h"

#include <noisewright.h>

typedef struct plot_terms {
    const nw_kde *kde;
    const view *view; /* settled, or of plain points without a scale */
    double lower[2];  /* what is drawn, in the unit of the file where points are plain, else of the points */
    double upper[2];
    const char *names[2]; /* of the axes; NULL: none */
    const char *title;    /* NULL: what the function is */
} plot_terms;

/** Writes an SVG: a curve with a band of one standard error, or a map of the values and one of their standard errors. An exit
 *  code, with its message written. */
int plot_write(const plot_terms *terms, const char *path);

#endif
