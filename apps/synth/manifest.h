/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_MANIFEST_H
#define SYNTH_MANIFEST_H

/* manifest.h - what a run owns, and what it says about itself in public. */
#include "../common/progress.h"
#include "../common/receipt.h"
#include "settings.h"

#include <jansson.h>

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    nw_schema *schema;
    nw_queries *queries; /* NULL: only marginals */
    nw_synth *synth;
    nw_synth_fit_opts fit; /* in force */
    nw_ledger *ledger;
    nw_table *table;
    nw_table *synthetic;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    double seconds;
} job;
bool job_is_charged(const job *j);

/** What --json, --estimate and the manifest share. `rows`: what the expected errors are stated for; 0 if that is not known. */
json_t *manifest_json(const job *j, uint64_t rows);
/** Writes --manifest. An exit code, with its message written. */
int manifest_write(const job *j);
/** The estimate as a table for people, on standard output. */
void manifest_print_estimate(const job *j);

#endif
