/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ACCOUNTING_H
#define NW_ACCOUNTING_H

/* nw/accounting.h - from events to (epsilon, delta), and back.
 *
 * Every function states its rounding direction: losses are rounded up, noise is rounded up, remaining budget is rounded down.
 * This version composes exactly what has a closed form: Gaussians (Gaussian DP), pure and zCDP guarantees, and sums of deltas.
 * Methods: "gdp" (exact for Gaussians; a pure guarantee enters through its Gaussian majorant), "zcdp" ([CKS20] conversion),
 * "pure".
 */
#include <nw/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Smallest delta with which mu-Gaussian DP implies (epsilon, delta), rounded up. NaN if mu < 0 or epsilon < 0.  [BW18, Thm 8] */
NW_API double nw_gdp_delta(double mu, double epsilon);
/** Smallest epsilon >= 0 with which mu-Gaussian DP implies (epsilon, delta), rounded up; INFINITY if there is none (delta = 0,
 *  mu > 0). */
NW_API double nw_gdp_epsilon(double mu, double delta);
/** Largest mu whose Gaussian mechanism is (epsilon, delta)-DP, rounded down. */
NW_API double nw_gdp_mu(double epsilon, double delta);
/** Smallest mu such that every (epsilon, 0)-DP mechanism is mu-Gaussian DP, rounded up: -2 Phi^-1(1 / (1 + e^epsilon)). */
NW_API double nw_gdp_from_pure(double epsilon);

/** rho-zCDP to approximate DP and back. [CKS20, Prop. 12], the order optimised continuously. Rounded up, up, down. */
NW_API double nw_zcdp_epsilon(double rho, double delta);
NW_API double nw_zcdp_delta(double rho, double epsilon);
NW_API double nw_zcdp_rho(double epsilon, double delta);

/** Smallest sigma of a Gaussian mechanism of the given l2 sensitivity, run `count` times, that is (epsilon, delta)-DP under
 *  `adjacency`; rounded up.
 *
 *  Shapes    *sigma: one value.
 *  Units     sigma in the unit of the sensitivity.
 *  Errors    NW_E_ARG naming the parameter (epsilon in (0, 1e6], delta in (0, 1)); NW_E_UNSUPPORTED if the sensitivity was
 *            worked out for another adjacency.
 *  Cost      microseconds. Threads: any.
 *  Source    [BW18, Thm 8]; composition of Gaussians is exact in mu^2 = sum (sensitivity / sigma)^2.
 *  Example   docs/rooms/accounting.md#calibration */
NW_API NW_WARN_UNUSED nw_status nw_calibrate_gaussian(
    double *sigma, double epsilon, double delta, nw_sensitivity l2, uint64_t count, nw_adjacency adjacency, nw_error *err);

/** What an event costs, in every currency it can be expressed in; INFINITY where it cannot. Additive under composition in mu^2,
 *  rho, epsilon and delta. Rounded up. */
typedef struct nw_cost {
    double mu_squared;   /* Gaussian DP: sum of mu^2 */
    double rho_zcdp;     /* zero-concentrated DP */
    double epsilon_pure; /* pure DP */
    double delta;        /* probabilities added outside of the above: approx events */
    uint64_t samples;    /* noise values drawn, each at most 2^-150 from its ideal law */
} nw_cost;

/** Adds up an event's cost under `adjacency`. Errors: NW_E_UNSUPPORTED with the reason. */
NW_API NW_WARN_UNUSED nw_status nw_event_cost(const nw_event *event, nw_adjacency adjacency, nw_cost *out, nw_error *err);
/** Smallest certified epsilon at `delta` over the methods that apply (a single event that is fixed beforehand, so the minimum is
 *  sound). `method` (may be NULL) receives "gdp", "zcdp" or "pure". The sampler's distance is charged: delta is first reduced by
 *  (1 + e^epsilon) N 2^-150. */
NW_API NW_WARN_UNUSED nw_status nw_event_epsilon(
    const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, const char **method, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_delta(
    const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, const char **method, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
