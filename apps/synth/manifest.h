/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_MANIFEST_H
#define SYNTH_MANIFEST_H

/* manifest.h - what a run says about itself, for programs. */
#include "job.h"

#include <jansson.h>

/** What --json, --estimate and the manifest share. `rows`: what the expected errors are stated for; 0 if that is not known. */
json_t *manifest_json(const job *j, uint64_t rows);
/** Writes --manifest. An exit code, with its message written. */
int manifest_write(const job *j);
/** The estimate as a table for people, on standard output. */
void manifest_print_estimate(const job *j);

#endif
