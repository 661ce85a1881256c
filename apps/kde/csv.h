/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_CSV_H
#define APP_KDE_CSV_H

/* csv.h - lines of numbers separated by commas, with or without a header. */
#include "points.h"

/** The points in `text`, which is followed by a NUL and changed. `subject`: the file, for messages. An exit code, with its
 *  message written. */
int csv_parse(points *out, char *text, size_t n, csv_terms *terms, const char *subject);

#endif
