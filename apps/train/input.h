/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_INPUT_H
#define TRAIN_INPUT_H

/* input.h - the bytes of a file, gzip undone. Functions that return int print their own message and return an exit code. */
#include <stddef.h>

typedef struct input input;

/** Opens a file, or standard input for "-". `path` is borrowed. */
int input_open(input **out, const char *path);
/** NULL is allowed. */
void input_close(input *in);
/** Up to n bytes; *got < n only at the end. A gzip file that is cut short or damaged is APP_DATA. */
int input_read(input *in, void *bytes, size_t n, size_t *got);
const char *input_path(const input *in);

#endif
