/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_IDX_H
#define TRAIN_IDX_H

/* idx.h - images and labels in the idx format: big-endian magic (0, 0, type, number of dimensions), dimensions, bytes; plain or
 * gzip. */
#include "../common/examples.h"

typedef enum idx_part { IDX_TRAIN = 0, IDX_TEST = 1 } idx_part;

/** Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` of a folder, or the two of `t10k-`, with or without `.gz`, with
 *  `-` or `.` before "idx". Labels are 0 .. classes - 1, and there must be one for each image. An exit code, with its message
 *  written; free the examples in any case. */
int idx_read(examples *out, const char *folder, idx_part part, uint32_t classes);

/** True if the folder has images of that part. */
bool idx_has(const char *folder, idx_part part);

#endif
