/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ACCOUNTANT_INTERNAL_H
#define NW_ACCOUNTANT_INTERNAL_H

/* accountant_internal.h - what the files of the accountant share, and what mechanisms calibrate with. */
#include "base.h"

#include <nw/filter.h>
#include <nw/ledger.h>

struct nw_event {
    nw_event_kind kind;
    double parameter;           /* sigma, b, epsilon, rho, mu, p or q: the node's first parameter */
    double delta;               /* approx only */
    nw_sensitivity sensitivity; /* of noise; for guarantees only the adjacency is used */
    uint64_t samples;
    uint64_t count;      /* repeat: times; randomized_response: k; tree: leaves; fixed_size: sample; shuffled: n */
    uint64_t population; /* fixed_size only */
    bool with_replacement;
    size_t curve_size; /* rdp only: orders and values */
    double *orders;
    double *rdp;
    nw_strategy *strategy;       /* matrix only: owns its arrays */
    double strategy_sensitivity; /* matrix: sens(C); tree: sqrt of the depth; rounded up */
    size_t child_count;          /* repeat, subsampled, shuffled: 1 */
    nw_event **children;
};

/** The share of delta that a ledger sets aside for approx events and for the samplers' distance to their ideal laws; the rest is
 *  the filter's. */
#define NW__DELTA_RESERVE 0x1p-10
/** Largest epsilon of a budget. Beyond it (1 + e^epsilon) times the samplers' distance is no longer a small delta. */
#define NW__MAX_EPSILON 64.0
/** Largest count anywhere in an event, so that its JSON form holds it. */
#define NW__MOST_COUNT (UINT64_C(1) << 62)
/** Most inner nodes on a path of an event. */
enum { NW__MOST_DEPTH = 64 };
/** Total variation distance of one value of nw/noise.h from its ideal law; tests hold it against nw_noise_log2_tv. */
#define NW__SAMPLE_TV 0x1p-150

/** The Gaussian-DP budget of a total (epsilon, delta): what a ledger of that budget lets through. Rounded down. */
double nw__budget_mu(double epsilon, double delta);

/** The conversions of nw_gdp_delta and nw_gdp_epsilon, rounded down. */
double nw__gdp_delta_lower(double mu, double epsilon);
double nw__gdp_epsilon_lower(double mu, double delta);

/** A positive double rounded up (down) by one step, which covers one operation rounded to nearest. */
double nw__up(double x);
double nw__down(double x);
/** x + y and x * y of numbers >= 0, rounded up; what is exact stays exact. */
double nw__up_add(double x, double y);
double nw__up_multiply(double x, double y);

/** Shrinks a bracket to two neighbouring doubles: the one where `holds` is true is returned, so the answer holds whatever the
 *  bisection met on its way. `given`: two numbers for `holds`. yes may lie above or below no. */
typedef bool (*nw__condition)(double x, const double given[2]);
double nw__bisect(double yes, double no, nw__condition holds, const double given[2]);

typedef enum nw__method { NW__METHOD_GDP = 1, NW__METHOD_ZCDP = 2, NW__METHOD_PURE = 3 } nw__method;
/** The method's own conversion at delta, rounded up; nothing is charged for approx events and samplers. */
double nw__method_epsilon(const nw_cost *cost, double delta, nw__method method);
/** Smallest epsilon of a cost at delta by one method, rounded up; INFINITY if the method does not apply. Charges the samplers'
 *  distance. */
double nw__cost_epsilon(const nw_cost *cost, double delta, nw__method method);
double nw__cost_delta(const nw_cost *cost, double epsilon, nw__method method);
/** a + b, rounded up. */
nw_cost nw__cost_add(const nw_cost *a, const nw_cost *b);
/** (1 + e^epsilon) samples 2^-150, rounded up. */
double nw__sampler_delta(double epsilon, uint64_t samples);

/** How many times the leaf's declared distance neighbours under `adjacency` can be apart: 1, 2, or 0 if it says nothing. */
double nw__distance_factor(nw_adjacency declared, nw_adjacency adjacency);
/** One of the relations that have a name. */
bool nw__is_adjacency(nw_adjacency adjacency);
/** Of a record, or of its label alone: neighbours of equal size, and a relation that is symmetric. */
bool nw__is_replacement(nw_adjacency adjacency);

/** "gaussian", ...; NULL for a value that is no kind. */
const char *nw__event_kind_name(nw_event_kind kind);
/** "sigma", "epsilon", ...: what `parameter` is called; NULL if the kind has none. */
const char *nw__event_parameter_name(nw_event_kind kind);
bool nw__event_has_noise(nw_event_kind kind);
/** Builds any leaf: the one place that checks parameters. */
nw_status nw__event_leaf(nw_event **out, nw_event leaf, const char *function, nw_error *err);

#endif
