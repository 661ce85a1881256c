/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_AUDIT_H
#define NW_TEST_AUDIT_H

/* audit.h - lower bounds for epsilon and mu from runs of a mechanism on two neighbours; guide: docs/audits.md.
 *
 * An event {low <= statistic <= high} is chosen on the first runs (half of them, 2^19 at most) and counted on the others, so
 * that choosing costs no confidence. From its two rates, p under the side where it is likelier and p' under the other, each
 * bounded by Clopper and Pearson [CP34],
 *   epsilon >= ln((p - delta) / p')           by the definition of (epsilon, delta)-DP,
 *   mu      >= Phi^-1(p) - Phi^-1(p')         by that of Gaussian DP [DRS22].
 * Each of the two holds with probability 1 - failure. */
#include <nw/event.h>
#include <nw/rng.h>

enum { AUDIT_STATISTICS = 16 };

/** Runs the mechanism `runs` times on neighbour `side` (0 or 1) and writes runs x statistics doubles, row-major: what one knows
 *  of the output, or tests of it. The better the statistics, the stronger the bound; no statistic makes it wrong. NaN counts
 *  as infinity. */
typedef void (*audit_run)(void *context, int side, nw_rng *rng, double *out, size_t runs);

typedef struct audit_mechanism {
    audit_run run;
    void *context;
    size_t statistics; /* 1 .. AUDIT_STATISTICS */
} audit_mechanism;

typedef struct audit_opts {
    size_t runs;    /* a side, at least 8; an eighth more, at most 1024, lays the cells */
    uint64_t seed;  /* of the two sides' streams: fixed and insecure */
    double delta;   /* that epsilon is bounded at */
    double failure; /* probability of a bound above the truth */
} audit_opts;
#define AUDIT_OPTS_INIT                                                                                                          \
    {                                                                                                                            \
        1000000, 1, 0.0, 1e-6                                                                                                    \
    }

typedef struct audit_event {
    size_t statistic;
    double low; /* inclusive, as is high */
    double high;
    int likelier; /* the side where it is */
} audit_event;

typedef struct audit_bound {
    double epsilon; /* 0 if nothing was found */
    double mu;
    audit_event of_epsilon; /* what the bounds rest on */
    audit_event of_mu;
} audit_bound;

audit_bound audit(const audit_mechanism *mechanism, const audit_opts *opts);

/** What is claimed of a mechanism. */
typedef struct audit_claim {
    double epsilon; /* at delta */
    double delta;
    double mu; /* INFINITY: none */
} audit_claim;

/** The accountant's claim: its certified upper bounds. */
audit_claim audit_claim_of(const nw_event *event, nw_adjacency adjacency, double delta);
/** True if a bound exceeds what is claimed; prints both as a TAP comment. */
bool audit_refutes(const audit_bound *bound, const audit_claim *claim);

/** [CP34]: the greatest rate that does not make `hits` or fewer of `runs` rarer than `failure`, and the least one that does not
 *  make so many or more rarer. Rounded outward. runs <= 2^27, failure in (0, 1/4]. */
double audit_rate_above(size_t hits, size_t runs, double failure);
double audit_rate_below(size_t hits, size_t runs, double failure);

#endif
