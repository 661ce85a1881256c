/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ADAPTIVE_H
#define NW_ADAPTIVE_H

/* adaptive.h - rounds that choose which marginals are measured: AIM [MMSM22]. */
#include "synth_internal.h"

/** Rounds at the first allotment: as many as there are at most, since allotments only grow. */
size_t nw__rounds_most(const nw__plan *plan);
/** Noise values that a release may draw after the levels, whatever is chosen. */
uint64_t nw__rounds_samples(const nw__plan *plan);
/** The part of round_mu_squared for which the levels are measured once more, by how many records there are and how much noise.
 *  From public numbers. */
double nw__one_way_part(const nw__plan *plan, double rows);

/** What one round may spend, in mu^2, and what it buys. */
typedef struct nw__allotment {
    double mu_squared;
    double sigma;   /* of its measurement */
    double epsilon; /* of its choice */
} nw__allotment;
nw__allotment nw__allot(const nw__plan *plan, double mu_squared);

/** The budget of the rounds, as a filter: what was spent never passes the limit. */
typedef struct nw__filter {
    double limit; /* mu^2 */
    double spent;
} nw__filter;
/** The next round's part: `wanted`, or all that is left if that would leave less than another. */
double nw__filter_next(const nw__filter *filter, double wanted);
void nw__filter_spend(nw__filter *filter, double mu_squared);

/** How far one record moves a score at most: the largest weight times what it moves the l1 distance. */
uint64_t nw__score_sensitivity(const nw__plan *plan, const nw__marginal *candidates, size_t n);
/** The score of a candidate whose exact counts are m->counts: its number of columns times (the l1 distance from the fitted
 *  table's answers - what noise and sampling would make of it), in whole records. `fitted`: counts of that table; scale: records
 *  a row of it. */
int64_t nw__round_score(const nw__marginal *m, const int64_t *fitted, double scale, double sigma);
/** AIM's rule: the measurement changed the fitted table by no more than noise explains. */
bool nw__is_annealed(const nw__marginal *m, const int64_t *before, const int64_t *after, double scale, double sigma);

/** Runs the rounds and appends what was measured to measured->plan. The charge must stand. On error no exact count is left. */
nw_status nw__rounds_measure(
    nw_synth_measurements *measured, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err);

#endif
