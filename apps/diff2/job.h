/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF2_JOB_H
#define DIFF2_JOB_H

/* job.h - one training run of nw-diff2, and its parts. Functions that return int return an exit code, with its message written;
 * those marked "together" are called by all processes, in the same order. */
#include "../common/curve.h"
#include "../common/processes.h"
#include "../common/progress.h"
#include "../common/quality.h"
#include "model.h"
#include "settings.h"

#include <nw/train.h>

#include <jansson.h>

/* What the options leave open, by the schema and public numbers alone. */
typedef struct choices {
    uint64_t rounds;
    uint64_t restarts; /* as asked for: the period is ceil(rounds / restarts) */
    uint64_t period;
    uint64_t tail; /* iterates that count in the end */
    double eta;
    double c1;
    double c2;
    double split;
} choices;

/* What a run costs. */
typedef struct costs {
    double epsilon; /* rounded up */
    double mu;      /* of Gaussian differential privacy, rounded up */
    double restart_noise;
    double difference_noise; /* NaN: no differences */
    uint64_t restarts;       /* that there are */
} costs;

typedef struct job {
    const settings *settings;
    const nw_reduce *processes;
    nw_reduce holders; /* those of them that have records */
    table_plan plan;
    model model;
    choices chosen;
    costs costs;
    char *path;      /* of the table, as this process reads it */
    table_part part; /* of it that is this process's */
    examples data;   /* this process's */
    examples test;   /* of the first process */
    size_t records;  /* of all processes */
    size_t clients;
    float *targets;       /* of data, for the linear model */
    nw_diff2_model *rows; /* linear */
    nw_diff2 *diff2;      /* NULL: dpsgd */
    nw_network *net;      /* dpsgd; so are the two below */
    nw_train *train;
    const nw_event *event;
    bool keeps_reserve; /* nw_diff2_opts */
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt;
    double *x;        /* the result, double[dimension] */
    double *gradient; /* room of as many, and of 1 more */
    double *looked_at;
    double gradient_squares; /* sum over the last iterates; private */
    uint64_t gradient_count;
    double train_loss; /* private */
    score score;
    curve curve;
    app_progress progress;
    double began;
    int code; /* of what was called back */
} job;

/* choices.c */
choices choices_make(const job *j);
/** Restarts that are enough for the noise, whatever was asked for. */
uint64_t choices_restarts(const job *j, const choices *c);

/* rounds.c - diff2 and dpgd */
int rounds_prepare(job *j);
/** Together. */
int rounds_run(job *j);

/* batches.c - dpsgd, by the first process alone */
int batches_prepare(job *j);
int batches_run(job *j);

/* look.c */
/** True if what is private and not paid for is to be told. */
bool is_diagnosed(const job *j);
/** Together: adds the squared norm of the objective's exact gradient at an iterate, if it is one of the last. */
void look_at_iterate(job *j, const double *x, uint64_t round);
/** Together: the objective at the result. */
void look_at_result(job *j);
/** How good x is on the test records; in the first process. */
int look_at_test(job *j, const double *x);
/** True if the curve is to have a point after `round` rounds. */
bool is_curve_point(const job *j, uint64_t round);
/** That point, at x; in the first process. */
void look_for_curve(job *j, const double *x, uint64_t round, double epsilon);

/* report.c - in the first process */
#define HASH_SIZE 65
/** BLAKE2b-256 of the parameters as little-endian doubles, in hexadecimal digits. */
void hash_parameters(const double *x, size_t n, char out[HASH_SIZE]);
int report_write(const job *j);
int report_estimate(const job *j);
/** What of a score is told, as text and as members of an object. */
void report_score(const score *made);
void report_put_score(json_t **object, const score *made);
const char *diff2_method_name(unsigned method);

#endif
