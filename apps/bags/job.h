/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BAGS_JOB_H
#define APP_BAGS_JOB_H

/* job.h - what a run of nw-bags owns, and its report. */
#include "model.h"
#include "settings.h"

#include <noisewright.h>

typedef struct job {
    const settings *settings;
    char *schema;
    frame table;
    model model;
    double *features; /* double[rows x model.plan.count] */
    double *labels;   /* private */
    double *scores;   /* of --sort-by */
    size_t *ids;      /* of --bag-column */
    size_t bag_count;
    size_t rows;
    size_t width;
    double clip;
    double rho;        /* -1: auto */
    double ridge;      /* -1: auto */
    uint64_t bag_size; /* 0: auto */
    nw_bags_problem problem;
    nw_bags_choice choice;
    nw_bags *bags;
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    nw_bags_fitted fitted;
    frame test_table; /* not protected */
    json_t *test;
} job;

/** Prints what was done, or with --estimate what would be. An exit code, with its message written. */
int bags_report(job *j);

#endif
