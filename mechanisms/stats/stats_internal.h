/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_STATS_INTERNAL_H
#define NW_STATS_INTERNAL_H

/* stats_internal.h - what the files of the stats room share.
 *
 *   plan.c     totals of each query, sensitivities, noise, event   (public: queries and options only)
 *   stats.c    records in, merging, bytes, the spine                (holds the exact totals)
 *   figure.c   figures and their errors                             (from the noisy totals)
 */
#include "base.h"

#include <nw/grid.h>
#include <nw/noise.h>
#include <nw/stats.h>

enum { NW__STATS_TOTALS = 3 }; /* the most of one query */

/** What a total adds up; y is a value's distance from the middle of its bounds. */
typedef enum nw__total_kind {
    NW__TOTAL_COUNT = 1,   /* 1 */
    NW__TOTAL_SUM = 2,     /* the value itself */
    NW__TOTAL_CENTRED = 3, /* y */
    NW__TOTAL_SQUARE = 4   /* y^2 - half_width^2 / 2 */
} nw__total_kind;

/** A total a group: sum of integers in `grid` steps, and the noise that it gets. */
typedef struct nw__total {
    nw__total_kind kind;
    nw_grid grid;
    double lower; /* bounds of one record's contribution, in the unit of the contribution */
    double upper;
    nw_sensitivity sensitivity; /* l1 (Laplace) or l2 (Gaussian) of the vector over the groups, in grid steps */
    double scale;               /* b or sigma, in grid steps */
    double deviation;           /* standard deviation of the noise, in the unit of the contribution */
    nw_noise *noise;
    size_t first; /* index of group 0 in the handle's totals */
} nw__total;

typedef struct nw__query {
    nw_stats_query asked;
    double share;      /* of the budget */
    double centre;     /* middle of the bounds */
    double half_width; /* |value - centre| is at most this, rounded up */
    size_t total_count;
    nw__total totals[NW__STATS_TOTALS];
} nw__query;

struct nw_stats {
    nw_stats_opts opts;
    size_t query_count;
    nw__query *queries;
    size_t total_count; /* of int64 in `totals` */
    int64_t *totals;    /* exact until the release, noisy afterwards */
    nw_event *event;
    uint8_t fingerprint[32]; /* BLAKE2b of queries and options */
    bool is_released;
    bool has_figures;
};

/** Reads the caller's queries and options and plans everything but memory for the totals. On error what was made is freed by
 *  nw__plan_clear. */
nw_status nw__stats_plan_make(nw_stats *stats, const nw_stats_query *queries, size_t n, const nw_stats_opts *opts, nw_error *err);
void nw__stats_plan_clear(nw_stats *stats);

/** Standard deviation of the laws of nw/noise.h, in their own unit. */
double nw__stats_deviation(nw_noise_law law, double scale);

#endif
