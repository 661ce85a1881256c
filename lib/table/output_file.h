/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_OUTPUT_FILE_H
#define NW_OUTPUT_FILE_H

/* output_file.h - a file that appears whole or not at all. */
#include "base.h"

#include <zlib.h>

typedef struct nw__output {
    const char *function;
    const char *path; /* borrowed */
    char *temporary;  /* beside `path`, to be renamed to it; NULL for what is written directly: standard output, devices, pipes */
    int fd;
    bool is_owned; /* fd is to be closed */
    gzFile gzip;   /* NULL: not compressed */
} nw__output;

/** True if nw__output_open would compress what is written to `path`. */
bool nw__output_is_compressed(const char *path);
/** Begins to write `path`: "-" is standard output, a name ending in ".gz" is compressed. After NW_OK: finish or abandon. */
nw_status nw__output_open(nw__output *output, const char *path, nw_error *err, const char *function);
nw_status nw__output_write(nw__output *output, const void *bytes, size_t n, nw_error *err);
/** Flushes, syncs and renames; on error nothing is left. */
nw_status nw__output_finish(nw__output *output, nw_error *err);
void nw__output_abandon(nw__output *output);

#endif
