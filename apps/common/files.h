/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_FILES_H
#define APP_FILES_H

/* files.h - what can be known about files before anything is charged, and small files written whole or not at all.
 * Functions that return int print their own message and return an exit code, APP_OK if all is well. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** APP_NO_INPUT unless `path` is "-" or something readable that is no folder. */
int app_check_input(const char *path);

/** APP_CANNOT_CREATE unless a table or text can be written to `path`: a device or pipe that may be written, or a file in a
 *  folder that takes new files, so that renaming can put it in its place. "-" passes. */
int app_check_output(const char *path);

/** True if what is written to `path` goes out at once, and not to a temporary file that is renamed: "-", a device, a pipe. */
bool app_is_stream(const char *path);

/** True if both name the same existing file, or are the same text. */
bool app_is_same_file(const char *a, const char *b);

/** APP_USAGE if `path`, which `option` names (NULL: not given), is the same file as one of `named`, of which any may be NULL. */
int app_check_apart(const char *option, const char *path, const char *const *named, size_t n);

/** The same, with message `why`, if two of the paths are the same file; any number of them. */
int app_check_distinct(char *const *paths, size_t n, const char *why);

/** Writes `text` to a temporary file in the folder of `path`, syncs and renames it: on error nothing is left. To a stream it goes
 *  at once. */
int app_write_text(const char *path, const char *text);
int app_write_bytes(const char *path, const void *bytes, size_t n);

/** The same for n bytes that only the owner of the file may read; `path` is no stream. */
int app_write_secret(const char *path, const void *bytes, size_t n);

/** Reads a whole file ("-": standard input) of at most `limit` bytes into a new string; a NUL byte is refused. */
int app_read_text(const char *path, size_t limit, char **out);

/** The same for any bytes, *n of them. */
int app_read_bytes(const char *path, size_t limit, uint8_t **out, size_t *n);

#define APP_HASH_SIZE 65
/** BLAKE2b-256 of a file as hex digits, as `b2sum -l 256` prints it. An exit code, with its message written. */
int app_hash_file(const char *path, char out[APP_HASH_SIZE]);

#endif
