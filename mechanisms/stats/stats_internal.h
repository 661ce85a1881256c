/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_STATS_INTERNAL_H
#define NW_STATS_INTERNAL_H

/* stats_internal.h - what the files of the stats room share.
 *
 *   plan.c     totals of each query, sensitivities, noise, event   (public: queries and options only)
 *   stats.c    records in, merging, bytes, the spine                (holds the exact totals)
 *   quantile.c scores of the values that may be chosen               (from the exact counts of values)
 *   select.c   choosing by scores                                    (draws)
 *   sparse.c   the sparse vector technique
 *   bytes.c, keys.c, keys_bytes.c   counts of unknown keys            (hold the exact counts; keys_internal.h)
 *   linear.c   linear queries and trees                              (holds the exact counts)
 *   reach.c    how far the noise goes                                (public)
 *   figure.c   figures and their errors                             (from the noisy totals and the choices)
 */
#include "noise_budget.h"

#include <nw/grid.h>
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
    double reach;               /* the noise of a group is larger with probability risk / total_count at most; in the same unit */
    nw_noise *noise;
    size_t first; /* index of group 0 in the handle's totals */
} nw__total;

/** A choice among `cells` values a group. The wanted rank is (numerator n + denominator offset) / denominator of n records. */
typedef struct nw__choice {
    size_t cells;
    uint64_t numerator; /* at most the denominator; min: 0 / 1, max: 1 / 1 */
    uint64_t denominator;
    int64_t offset;
    double epsilon;       /* of the choices of all groups together */
    uint64_t sensitivity; /* of the scores, for that epsilon */
    uint64_t rate;        /* weight exp(-rate 2^-48 (best - score)), rounded down */
    size_t first;         /* index of group 0, value 0 in the handle's totals; after the release, value 0 holds the choice */
} nw__choice;

typedef struct nw__query {
    nw_stats_query asked;
    double share;      /* of the budget */
    double centre;     /* middle of the bounds */
    double half_width; /* |value - centre| is at most this, rounded up */
    size_t total_count;
    nw__total totals[NW__STATS_TOTALS];
    nw__choice choice; /* cells == 0 unless the query is answered by a choice */
} nw__query;

struct nw_stats {
    nw_stats_opts opts;
    size_t query_count;
    nw__query *queries;
    size_t total_count; /* of int64 in `totals` */
    int64_t *totals;    /* exact until the release, noisy afterwards */
    nw_event *event;
    double risk;             /* that one figure is farther off than its error: (1 - confidence) / figures */
    uint8_t fingerprint[32]; /* BLAKE2b of queries and options */
    bool is_handed;          /* the totals are with process 0: nw_stats_reduce */
    bool is_released;
    bool has_figures;
};

/** Reads the caller's queries and options and plans everything but memory for the totals. On error what was made is freed by
 *  nw__plan_clear. */
nw_status nw__stats_plan_make(nw_stats *stats, const nw_stats_query *queries, size_t n, const nw_stats_opts *opts, nw_error *err);
void nw__stats_plan_clear(nw_stats *stats);

/** The least whole number that |Z| of a law exceeds with probability `risk` at most. */
double nw__stats_reach(nw_noise_law law, double scale, double risk);
/** A whole number that none of a list of sums of independent draws exceeds in magnitude, but with probability `risk`, at least
 *  1e-20: sums[m] sums of m draws, 1 <= m <= most_terms <= 22, at most 2^23 in all. By a union bound; the least for one Laplace
 *  sum, or one draw. */
double nw__stats_reach_of_sums(nw_noise_law law, double scale, const double *sums, size_t most_terms, double risk);

/* What the releases do after the charge, any number of times; the audits have no other way to ten million runs. */
/** Chooses among scores that are clamped, with options that are whole. */
nw_status nw__select_draw(
    const nw_select_opts *opts, const int64_t *scores, size_t n, nw_rng *rng, size_t *chosen, nw_error *err);
/** Draws the threshold's noise and gives all positives back. */
nw_status nw__sparse_draw(nw_sparse *sparse, nw_rng *rng, nw_error *err);
/** The noisy answers. */
nw_status nw__linear_draw(const nw_linear *linear, nw_rng *rng, int64_t *out, nw_error *err);
/** The noisy counts of nodes 2, 3, ...; out may be the tree's own. */
nw_status nw__tree_draw(const nw_tree *tree, nw_rng *rng, int64_t *out, nw_error *err);

/** b, rounded up, as t / s with both at most 2^40, for nw__cks20_laplace: the readable sampler, which has no distance to its law
 *  that an event would have to carry. False if b is above 2^40. */
bool nw__laplace_ratio(double b, uint64_t *t, uint64_t *s);

/** Fills in everything of a choice but `first`; `epsilon` is its part of the budget. */
nw_status nw__choice_plan(nw__choice *choice, const nw_stats_query *asked, double epsilon, nw_adjacency adjacency, nw_error *err);
/** The score of each value: minus the distance of the wanted rank from the ranks that the value has, in 1 / denominator. */
void nw__choice_scores(const nw__choice *choice, const int64_t *counts, int64_t *scores);
/** The value that stands for x, which is not NaN; and the number that a value stands for. */
size_t nw__choice_cell(const nw_stats_query *asked, double x);
double nw__choice_value(const nw_stats_query *asked, size_t cell);
/** Chooses for every group, and leaves the choice in the place of the counts, which are wiped. */
nw_status nw__choice_run(const nw__query *q, int64_t *counts, nw_rng *rng, nw_error *err);
/** Distance of the chosen from the wanted rank, in records: at most, but with probability `risk`; and its mean, at most. */
double nw__choice_reach(const nw__choice *choice, double risk);
double nw__choice_mean_distance(const nw__choice *choice);

#endif
