/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ACCOUNTING_H
#define NW_ACCOUNTING_H

/* nw/accounting.h - from events to (epsilon, delta), and back.
 *
 * Every function states its rounding direction: losses are rounded up, noise is rounded up, remaining budget is rounded down.
 * Methods: "gdp" (closed form: Gaussians; a pure guarantee through its Gaussian majorant), "zcdp" ([CKS20] conversion),
 * "pure"; "exact" (one mechanism's own hockey stick); "pld" (a privacy loss distribution, with every error of its numerics
 * added); "rdp" (Renyi divergences, the order optimised continuously); "none" (no finite bound is known).
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
/** The same of every epsilon-bounded-range mechanism, such as the exponential mechanism: nw_gdp_from_pure(epsilon / 2), about
 *  half as much. docs/rooms/accounting.md#bounded-range-into-gdp. */
NW_API double nw_gdp_from_range(double epsilon);
/** Largest epsilon with nw_gdp_from_range(epsilon) <= mu: what a choice may have for its part of mu. Rounded down. */
NW_API double nw_gdp_range(double mu);

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

typedef struct nw_account_opts {
    size_t struct_size;
    double tolerance;   /* wanted excess of upper over the truth, in epsilon; default 4e-5 */
    bool is_upper_only; /* lower is left at 0: several times faster. With both, ends that lie further apart than five tolerances
                           are computed again on finer grids, so upper may come out lower */
} nw_account_opts;
/* clang-format off */
#define NW_ACCOUNT_OPTS_INIT { sizeof(nw_account_opts), 4e-5, false }
/* clang-format on */

/** An interval that holds the truth: the smallest epsilon (delta) for which every pair of neighbours satisfies the definition,
 *  given what the event's leaves state. */
typedef struct nw_bounds {
    double lower;       /* certified, rounded down */
    double upper;       /* certified, rounded up */
    double estimate;    /* saddle-point estimate, a cross-check without proof; NaN where it does not apply */
    const char *method; /* of upper: "gdp", "pld", "exact", "rdp", "zcdp", "pure"; "none" if unbounded; a static string */
    bool is_certified;  /* false only if some part of upper rests on unproven numerics, which method then names */
} nw_bounds;

/** Epsilon at `delta`, delta at `epsilon`, for an event that is fixed beforehand. Not for parameters that are chosen adaptively:
 *  a privacy loss distribution is no filter; nw/filter.h and nw/ledger.h are.
 *
 *  Shapes    opts: NULL for the defaults.
 *  Units     nats.
 *  Errors    NW_E_ARG naming the parameter; NW_E_UNSUPPORTED if the event cannot be accounted under `adjacency`, with the reason.
 *  Cost      milliseconds; grows with the logarithm of the counts. Memory below 64 MiB. Threads: any.
 *  Source    docs/rooms/accounting.md.
 *  Example   examples/account.c */
NW_API NW_WARN_UNUSED nw_status nw_account_epsilon(const nw_event *event, nw_adjacency adjacency, double delta,
    const nw_account_opts *opts, nw_bounds *out, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_account_delta(const nw_event *event, nw_adjacency adjacency, double epsilon,
    const nw_account_opts *opts, nw_bounds *out, nw_error *err);

/** Renyi divergence of `order` in (1, 1e6], the larger of both directions; upper is INFINITY if it is not bounded, lower 0 where
 *  only a bound is known. */
NW_API NW_WARN_UNUSED nw_status nw_account_rdp(
    const nw_event *event, nw_adjacency adjacency, double order, nw_bounds *out, nw_error *err);
/** A curve of Renyi divergences to epsilon (delta): [CKS20, Prop. 12] at the best of the given orders, rounded up. */
NW_API double nw_rdp_epsilon(const double *orders, const double *rdp, size_t n, double delta);
NW_API double nw_rdp_delta(const double *orders, const double *rdp, size_t n, double epsilon);

/** The trade-off curve of the event from below: the least type II error of a test of two neighbours with type I error alpha[i],
 *  certified (rounded down).
 *  Shapes    alpha: n values in [0, 1]; lower: n values, out. */
NW_API NW_WARN_UNUSED nw_status nw_account_tradeoff(
    const nw_event *event, nw_adjacency adjacency, const double *alpha, size_t n, double *lower, nw_error *err);
/** A mu, nearly the least, such that delta(epsilon) is at most the mu-Gaussian's for every epsilon up to where delta is 1e-15;
 *  exact for Gaussians. INFINITY if there is none below 1e6. */
NW_API NW_WARN_UNUSED nw_status nw_account_mu(const nw_event *event, nw_adjacency adjacency, double *mu, nw_error *err);

/** The event of a schedule with a parameter still open. context: the caller's. */
typedef nw_status (*nw_event_of)(nw_event **out, double parameter, const void *context, nw_error *err);
typedef enum nw_calibrate_kind {
    NW_CALIBRATE_LEAST = 1,        /* more of the parameter is more private: a noise scale */
    NW_CALIBRATE_GREATEST = 2,     /* less of it is more private: a sampling rate */
    NW_CALIBRATE_GREATEST_COUNT = 3 /* the same, whole numbers >= 1: steps */
} nw_calibrate_kind;
/** The least noise (the greatest rate or count) in [low, high] with which the event is (epsilon, delta)-DP, on the safe side: the
 *  answer itself was certified. Errors: NW_E_BUDGET if even the most private end of [low, high] is over the target. */
NW_API NW_WARN_UNUSED nw_status nw_calibrate(double *parameter, nw_calibrate_kind kind, double low, double high, double epsilon,
    double delta, nw_adjacency adjacency, nw_event_of event_of, const void *context, nw_error *err);

/** The same, upper bound only. `method` (may be NULL) as in nw_bounds. The samplers' distance is charged: delta is first reduced
 *  by (1 + e^epsilon) N 2^-150. */
NW_API NW_WARN_UNUSED nw_status nw_event_epsilon(
    const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, const char **method, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_delta(
    const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, const char **method, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
