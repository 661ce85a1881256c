/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_QUERY_RELEASE_H
#define NW_QUERY_RELEASE_H

/* query_release.h - which answers to a list of queries are measured, and with how much noise. */
#include "fit_items.h"

/** mu: the Gaussian-DP budget of the answers and choices together. Errors: NW_E_ARG naming the option. */
nw_status nw__query_plan_make(nw__query_plan *plan, const nw_synth_opts *opts, double mu, nw_error *err);
void nw__query_plan_clear(nw__query_plan *plan);
/** What measuring it charges. */
nw_status nw__query_plan_event(const nw__query_plan *plan, nw_event **out, nw_error *err);

/** Makes room for counts, all 0, where there are none yet. False if memory lacks. */
bool nw__query_counts_begin(nw__query_counts *exact);
/** Adds a table's records, if queries are asked for. */
nw_status nw__query_counts_add(
    nw__query_counts *exact, const nw_table *table, unsigned threads, const char *function, nw_error *err);
/** Adds what `other` counted to counts that have begun. */
void nw__query_counts_merge(nw__query_counts *exact, const nw__query_counts *other);
/** Wipes. */
void nw__query_counts_clear(nw__query_counts *exact);

/** Answers with noise into measured->queries, after the marginals; in rounds, a table of `rows` rows fitted so far tells which.
 *  The charge must stand. On error nothing is left. */
nw_status nw__query_plan_measure(const nw__query_plan *plan, const nw__query_counts *exact, nw_synth_measurements *measured,
    size_t rows, nw_rng *rng, nw_error *err);

/** The score of workload w, whose exact counts and answers of the fitted table are given: the largest distance of one of its
 *  counts from the answer in records, rounded; in 1 / unit records. One record moves it by at most one record, a
 *  unit of k rows by at most k. */
int64_t nw__query_score(const nw_queries *q, size_t w, const int64_t *exact, const int64_t *fitted, double scale, int64_t unit);

#endif
