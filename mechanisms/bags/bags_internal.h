/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_BAGS_INTERNAL_H
#define NW_BAGS_INTERNAL_H

/* bags_internal.h - what the files of the bags room share.
 *
 *   options.c    options checked                                            (public)
 *   partition.c  rows into bags                                             (public)
 *   pick.c       closed forms of the risk, and the choice by them           (public)
 *   bags.c       the spine: event, charge, exact sums, noise, release       (holds labels, during the release)
 *   fit.c        weights, moments, squared loss, ridge from the evidence    (released means)
 *   logistic.c   logistic loss by Newton's method                           (released means)
 *   solve.c      symmetric matrices                                         (no data) */
#include "noise_budget.h"

#include <nw/bags.h>

#define NW__BAGS_MOST_ROWS ((size_t)INT32_MAX)
enum { NW__BAGS_MOST_FEATURES = 4096 };

struct nw_bags {
    nw_bags_opts opts; /* its arrays are not read after nw_bags_new, but for borrowed_features */
    size_t count;
    size_t curated_from; /* first bag of the second step; count if there is one step */
    size_t used;         /* rows that are in a bag */
    size_t *starts;      /* size_t[count + 1] into members */
    size_t *members;
    double *means; /* released; NULL before */
    nw_grid grid;
    nw__calibrated noise; /* in grid steps */
    double deviation;     /* of the noise in a sum, in the unit of the labels */
    nw_event *event;
    nw_receipt receipt;
    bool is_released;
};

/** NW_E_ARG naming the option. */
nw_status nw__bags_options_read(nw_bags_opts *out, const nw_bags_opts *opts, const char *function, nw_error *err);

/** Fills count, curated_from, used, starts and members from the options. */
nw_status nw__bags_partition(nw_bags *bags, const char *function, nw_error *err);
/** Puts members[from .. to) into the order of rising scores, equal ones in the order of the rows. */
nw_status nw__bags_sort(size_t *members, size_t n, const double *scores, const char *function, nw_error *err);

/** Released bags, or the first of them. */
typedef struct nw__bags_sample {
    size_t count;
    const size_t *starts;
    const size_t *members;
    const double *means; /* less the center */
    double deviation;    /* of the noise in a sum */
    double clip;
} nw__bags_sample;
nw_status nw__bags_fit(const nw__bags_sample *sample, const double *x, size_t p, const nw_bags_fit_opts *opts,
    double *coefficients, nw_bags_fitted *fitted, const char *function, nw_error *err);

/** What both losses are fitted from: means of the features, and weights. */
typedef struct nw__bags_means {
    const nw__bags_sample *sample;
    const double *x;
    size_t p;
    double *xbar;     /* double[count x p] */
    double *weight;   /* double[count], adding up to 1 */
    double precision; /* the sum of the weights before that */
} nw__bags_means;
/** Minimises the logistic loss from coefficients 0; targets[a] is t of bag a. */
nw_status nw__bags_logistic(const nw__bags_means *means, const double *targets, const nw_bags_fit_opts *opts,
    double *coefficients, nw_bags_fitted *fitted, const char *function, nw_error *err);

/** A += sum over the n rows of w_r x_r x_r', lower triangle; the sums are in the order of the rows, whatever the threads. */
void nw__add_gram(double *a, size_t p, const double *x, const double *w, size_t n);
/** Cholesky's factor in the place of the lower triangle, false if the matrix is not safely positive definite. log_det may be
 *  NULL. */
bool nw__cholesky(double *a, size_t p, double *log_det);
/** Solves L L' b = b in place. */
void nw__cholesky_solve(const double *l, size_t p, double *b);

#endif
