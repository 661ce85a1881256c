/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_IDX_H
#define APP_IDX_H

/* idx.h - unsigned bytes in the idx format: big-endian magic (0, 0, type, number of dimensions), dimensions, bytes. Functions
 * print their own message and return an exit code. */
#include "input.h"

/** The beginning of a file that must have so many dimensions. sizes: uint32_t[dimensions], each 1 or more. */
int app_idx_header(app_input *in, unsigned dimensions, uint32_t sizes[]);

/** `total` bytes into a new array, to be freed on error, too; the file must end after them. */
int app_idx_bytes(app_input *in, size_t total, uint8_t **out);

#endif
