/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_PAGE_H
#define SYNTH_PAGE_H

/* page.h - the report of a run as one HTML page: no script, nothing from elsewhere. */
#include "job.h"
#include "page_data.h"

#include <stdio.h>

/* True distances, for --unsafe-compare: nothing of it is private. */
typedef struct page_truth {
    const char *path;
    size_t rows;
    double *column;                /* total variation between the synthetic table's column and the real one's */
    double average[2], largest[2]; /* over the measured 1-ways and 2-ways; NaN: there is none */
} page_truth;

/** Reads the real table that --unsafe-compare names. An exit code, with its message written; to be freed in any case. */
int page_truth_read(page_truth *truth, const page_data *data, const nw_synth_measurements *measured, const char *path);
void page_truth_free(page_truth *truth);

/** Writes --report. An exit code, with its message written. */
int page_write(const job *j);

/* ---- pictures ---- */

/** Synthetic bars and noisy dots of one column; `number` makes the ids of the page unique. */
void page_draw_bars(FILE *file, const page_column *column, size_t number);
/** Columns x columns, the residuals of the pairs. */
void page_draw_pairs(FILE *file, const page_data *data);
/** The misfit of the table while it was fitted. */
void page_draw_trace(FILE *file, const page_trace *trace);

#endif
