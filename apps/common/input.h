/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_INPUT_H
#define APP_INPUT_H

/* input.h - the bytes of a file, gzip undone. Functions that return int print their own message and return an exit code. */
#include <stddef.h>
#include <stdint.h>

typedef struct app_input app_input;

/** Opens a file, or standard input for "-". `path` is borrowed. */
int app_input_open(app_input **out, const char *path);
/** NULL is allowed. */
void app_input_close(app_input *in);
/** Up to n bytes; *got < n only at the end. A gzip file that is cut short or damaged is APP_DATA. */
int app_input_read(app_input *in, void *bytes, size_t n, size_t *got);
/** The first bytes of a file that nothing was read of yet, to tell its format; they are read all the same. *got: fewer if the
 *  file is shorter. */
#define APP_INPUT_AHEAD 8
int app_input_peek(app_input *in, uint8_t bytes[APP_INPUT_AHEAD], size_t *got);
/** All that is left, at most `limit` bytes, into a new array. */
int app_input_rest(app_input *in, size_t limit, uint8_t **out, size_t *n);
const char *app_input_path(const app_input *in);

#endif
