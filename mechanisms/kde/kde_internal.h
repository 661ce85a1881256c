/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_INTERNAL_H
#define NW_KDE_INTERNAL_H

/* kde_internal.h - what the files of the similarity room share.
 *
 *   options.c    options checked, resolved and copied                      (public)
 *   plan.c       which estimator, of what size                             (public)
 *   kernel.c     the functions themselves                                  (public)
 *   calibrate.c  the noise of each block, and the event                    (public)
 *   kde.c        points in, merging, the spine                             (holds the exact totals)
 *   query.c      queries in batches                                        (released totals)
 *   file.c       released state as bytes                                   (released totals)
 * and the estimators, each an nw__kde_ops:
 *   moments.c table.c tree.c frequencies.c + waves.c + features.c landmarks.c grid.c + splines.c binning.c gauss_transform.c
 *
 * An estimator turns a point into whole numbers, which are added up in `sums`; at the release it turns the sums into totals, by a
 * whole-numbered linear map (mostly the identity), which get noise block by block; and it answers queries from the totals. */
#include "noise_budget.h"

#include <nw/kde.h>

enum {
    NW__KDE_BATCH = 64,     /* points or queries that an estimator gets at once, at most */
    NW__KDE_UNIT_BITS = 20, /* a feature of magnitude 1 is 2^20 */
    NW__KDE_MOST_TOTALS = 1 << 26,
    NW__KDE_MOST_DIMENSIONS = 16384,
    NW__KDE_MOST_LANDMARKS = 8192
};
static const double NW__KDE_UNIT = 0x1p20;

/** Consecutive totals whose noise has one scale. Pairs: the first half are cosines, the second half their sines. */
typedef struct nw__kde_block {
    size_t count;
    double l1; /* the most that one point, added or removed, moves them, in whole units, rounded up */
    double l2;
    double pairs;     /* the most that it moves the sum over the pairs of their l2 norms; 0: these are no pairs */
    bool is_in_pairs; /* pure noise is drawn for pairs (pair_noise.h) */
    double weight; /* variance of a query's value for noise of variance 1 on these totals, on average over queries, or at most */
    double scale;
    double deviation;
    nw_noise *noise;
} nw__kde_block;

typedef struct nw__kde_ops {
    nw_kde_estimator estimator;
    /** Builds the public tables and says how many sums there are, and which blocks of totals (nw__kde_add_block). */
    nw_status (*setup)(nw_kde *kde, nw_error *err);
    /** Adds n <= NW__KDE_BATCH points, clamped, to sums. May be called by several threads, each with its own sums. */
    void (*add)(const nw_kde *kde, const float *points, size_t n, int64_t *sums);
    /** From sums to totals; NULL: they are the same. */
    void (*encode)(const nw_kde *kde, const int64_t *sums, int64_t *totals);
    /** After the release, or a load: from totals to what queries read. */
    nw_status (*decode)(nw_kde *kde, nw_error *err);
    /** m <= NW__KDE_BATCH or query_batch queries, clamped. errors may be NULL; room: as many doubles as kde->room says. */
    void (*query)(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room);
    void (*clear)(nw_kde *kde);
} nw__kde_ops;

struct nw_kde {
    nw_kde_opts opts; /* arrays are owned */
    float *least;     /* of each coordinate, inside the bounds */
    float *most;
    float *middle; /* what NaN counts as */
    const nw__kde_ops *ops;
    void *tables;       /* the estimator's own */
    bool counts_points; /* the number of points is private and needed: the last total, a block of its own */
    bool needs_points;
    size_t room;        /* doubles that the queries of one thread need */
    size_t query_batch; /* queries that the estimator gets at once, at most; 0: NW__KDE_BATCH */
    size_t sum_count;
    bool is_handed; /* the sums are with process 0: nw_kde_reduce */
    int64_t *sums;  /* exact, sum_count of them, then the number of points; NULL after the release */
    size_t total_count;
    int64_t *totals; /* released; NULL before */
    nw__kde_block *blocks;
    size_t block_count;
    nw_event *event;
    nw_kde_plan plan;
    nw_receipt receipt;
    bool is_released;
};

extern const nw__kde_ops nw__kde_moments, nw__kde_table, nw__kde_tree, nw__kde_features, nw__kde_landmarks, nw__kde_grid,
    nw__kde_binning, nw__kde_gauss_transform;

/* options.c */
nw_status nw__kde_options_read(nw_kde *kde, const nw_kde_opts *opts, const char *function, nw_error *err);
void nw__kde_options_clear(nw_kde *kde);
bool nw__kde_has_bandwidth(nw_kde_kernel kernel);
/** Copies points, clamped. */
void nw__kde_clamp(const nw_kde *kde, const float *points, size_t n, float *out);

/* plan.c */
/** Resolves estimator and size of checked options, and says why. */
nw_status nw__kde_plan_make(nw_kde *kde, const char *function, nw_error *err);
const nw__kde_ops *nw__kde_ops_of(nw_kde_estimator estimator);

/* kernel.c */
/** All functions are of one sum over the coordinates: of |u_j| (l1 kernels), of |u_j|^power (lpp), of u_j^2 (the others). */
bool nw__kde_is_l1(nw_kde_kernel kernel);
double nw__kde_of_distance(const nw_kde_opts *opts, double distance);
double nw__kde_value(const nw_kde_opts *opts, const double *difference);

/* calibrate.c */
/** Noise and event of a handle whose blocks are known. */
nw_status nw__kde_calibrate(nw_kde *kde, const char *function, nw_error *err);
/** Adds noise to the totals, which are exact until then. The event has been charged. */
nw_status nw__kde_draw(nw_kde *kde, nw_rng *rng, nw_error *err);

/* kde.c */
nw_status nw__kde_add_block(nw_kde *kde, const nw__kde_block *block, nw_error *err);
/** Everything public of a handle whose options are read: tables, blocks, noise, event, plan. */
nw_status nw__kde_setup(nw_kde *kde, const char *function, nw_error *err);
/** The noisy or the public number of points. */
double nw__kde_points_of(const nw_kde *kde);
/** Variance of that number. */
double nw__kde_points_variance(const nw_kde *kde);

/** A uniform number in (0, 1) and a standard normal from the public seed: not private. */
double nw__kde_public_uniform(nw_rng *rng);
double nw__kde_public_normal(nw_rng *rng);
/** The stream of the public seed for one purpose. */
nw_status nw__kde_public_stream(nw_rng **out, const nw_kde *kde, uint64_t purpose, nw_error *err);

#endif
