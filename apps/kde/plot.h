/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_PLOT_H
#define APP_KDE_PLOT_H

/* plot.h - a structure of one or two dimensions as a picture. */
#include <noisewright.h>

/** An SVG of the values over [lower, upper], as a new string: a curve with a band of one standard error, or a heat map. NULL if
 *  memory lacks, or the structure has more dimensions. lower and upper: double[dimension]. */
char *plot_svg(const nw_kde *kde, const double *lower, const double *upper);

#endif
