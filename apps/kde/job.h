/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_JOB_H
#define APP_KDE_JOB_H

/* job.h - a run of nw-kde build or merge, and its release. Functions that return int print their own message and return an exit
 * code. */
#include "../common/processes.h"
#include "../common/progress.h"
#include "bandwidth.h"
#include "classes.h"
#include "settings.h"

/* One structure of a run. */
typedef struct job_part {
    nw_kde *kde;
    char *path;          /* where it goes */
    const char *name;    /* its class, or NULL */
    int64_t points;      /* public number, or -1 */
    double points_error; /* of a number that was drawn for it; else 0 */
} job_part;

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    app_share share; /* of --data, which this process reads */
    view view;
    points data;
    points landmarks;
    classes classes; /* none: one structure of all points */
    job_part *parts;
    size_t count;
    nw_stats *sizes; /* of classes whose sizes are drawn; else NULL */
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    double bandwidth;
    double epsilon; /* of the structures: what a bandwidth and sizes from the points leave */
} job;

nw_adjacency job_adjacency(const settings *s);
/** True if sizes of classes are to be drawn. */
bool job_draws_sizes(const settings *s);
/** What is left of epsilon for the structures. */
double job_epsilon_left(const settings *s);
bandwidth_choice job_bandwidth(const job *j);
/** The structure of a part, in the place of one that it may have. `like`: one whose estimator and size it must have, or NULL. */
int job_make(job *j, job_part *part, const nw_kde *like);
int job_add_points(job *j);
/** A bandwidth from the points, if asked for, which charges it; then the points, unless sizes of classes come first. */
int job_prepare(job *j);

/** Opens the ledger; says no if what will be charged does not fit. */
int job_open_ledger(job *j);
/** Charges, draws and writes. */
int job_release(job *j);
int job_report(const job *j);

#endif
