/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_NPY_H
#define APP_KDE_NPY_H

/* npy.h - NumPy's format for one array: magic, version, length of a header in Python's notation, the numbers. */
#include "points.h"

/** The array in n bytes. `subject`: the file, for messages. An exit code, with its message written. */
int npy_parse(points *out, const uint8_t *bytes, size_t n, const char *subject);

/** Writes an array of `columns` doubles a row, each of which `value` tells; of one dimension if `columns` is 0. */
typedef double (*npy_value)(const void *context, size_t row, size_t column);
int npy_write(const char *path, size_t rows, size_t columns, npy_value value, const void *context);

#endif
