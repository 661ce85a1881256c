/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_JOB_H
#define SYNTH_JOB_H

/* job.h - what a command of nw-synth owns, and the steps that several commands take. Steps return an exit code, with its message
 * written; each is told by the job's settings what was asked for. */
#include "../common/processes.h"
#include "../common/progress.h"
#include "../common/receipt.h"
#include "settings.h"

typedef struct job {
    const settings *settings;
    const app_share *share; /* of TABLE.csv, whose path is in the settings' operands */
    nw_schema *schema;
    nw_queries *queries; /* NULL: only marginals */
    nw_synth *synth;
    nw_ledger *ledger;
    const char *unit;    /* the column that tells units; NULL: a record is protected */
    char *unit_of_parts; /* what `unit` points at if partials said it */
    nw_table *table;     /* of a stream; a file is read by `synth`, in two readings */
    nw_synth_measurements *measured;
    nw_synth_fit_opts fit; /* in force */
    nw_table *synthetic;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    bool is_measured_kept; /* --measurements was written */
    double seconds;
    double epsilon;                 /* of the table: less than the settings' if the schema was inferred */
    char *inferred;                 /* the schema's JSON; NULL: it was given */
    app_receipts inferred_receipts; /* of what it cost */
    struct page_trace *trace;       /* how the fit went on; NULL if nobody asks */
} job;
bool job_is_charged(const job *j);
void job_free(job *j);

/** Before anything is read: inputs can be read, outputs can be written and are different files from all others. A table may go to
 *  a stream; the rest must be regular files. Of the ledger and outputs only process 0 is asked. */
int job_check_files(const settings *s);
/** The options of the fit. */
int job_plan_fit(job *j);
/** The schema, what will be measured under the privacy options, and the options of the fit that go with it. */
int job_plan(job *j);
/** Asks the ledger whether the release fits. */
int job_open_ledger(job *j);
/** Reads TABLE.csv, a file for the first time: of several processes each its share, which are added up. */
int job_read_table(job *j);
/** Adds up what all processes counted, in process 0. */
int job_sum_up(job *j);
/** What there has to be of records: `rows` were read by this process. */
int job_check_rows(const job *j, uint64_t rows);
/** The processes that are not the first, while that one runs or releases: the second reading. */
int job_follow(job *j);
/** Charges, draws the noise, fits the table, and writes --measurements: of the table that was read, or of what was counted. From
 *  here on a signal is answered between steps. */
int job_run(job *j);
int job_release(job *j);
/** Reads --measurements; fits a table to them. */
int job_read_measurements(job *j);
int job_fit(job *j);
/** Writes the synthetic table, the report and the manifest. */
int job_write(job *j);
/** Prints the receipt or the JSON object. */
int job_print_result(const job *j);

#endif
