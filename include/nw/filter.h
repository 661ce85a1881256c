/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_FILTER_H
#define NW_FILTER_H

/* nw/filter.h - budgets that hold although each step is chosen after seeing what the steps before it released.
 *
 * What it is for: an analyst, or a program, that decides on the next noise scale, sampling rate or mechanism by looking at
 * earlier releases. Bounds for a list fixed beforehand (nw/accounting.h) say nothing about that.
 *   nw_privacy_filter     (epsilon, delta) fixed beforehand: refuses the step that would pass it;
 *   nw_odometer           nothing fixed beforehand but delta: an epsilon to read after each step, whenever one stops;
 *   nw_individual_filter  a budget for each record of its own: charged what it contributes, left out when it is used up.
 * They live in memory and charge nobody. For a budget that is shared, durable and audited: nw/ledger.h, by the same rules.
 *
 * **A privacy loss distribution is no filter.** Composing the distributions of what happened to be chosen, and going on while
 * that composition is within (epsilon, delta), exceeds delta: after a lucky release an analyst goes on with one mechanism, after
 * an unlucky one with another, each path is within the budget and the whole is not (docs/rooms/filter.md#the-trap). The same goes
 * for nw_account_epsilon of the list drawn so far, for the smallest of several methods taken again at each step, and for
 * `spent_epsilon` below: only the budget is a guarantee, and only an odometer's reading is one at a time chosen on the way.
 *
 *   nw_privacy_filter_opts o = NW_PRIVACY_FILTER_OPTS_INIT;
 *   o.epsilon = 2.0;  o.delta = 1e-6;  o.adjacency = NW_ADD_REMOVE;  o.kind = NW_FILTER_GDP;
 *   nw_privacy_filter *f = NULL;
 *   nw_privacy_filter_new(&f, &o, &err);
 *   while (nw_privacy_filter_spend(f, next_event, &err) == NW_OK) ...   // spend, then draw
 *   nw_privacy_filter_free(f);
 */
#include <nw/accounting.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is added up, and against what. */
typedef enum nw_filter {
    NW_FILTER_AUTO = 0,     /* pure if delta = 0, else gdp */
    NW_FILTER_GDP = 1,      /* mu^2: exact for Gaussians; pure guarantees by their Gaussian majorants */
    NW_FILTER_ZCDP = 2,     /* rho: also discrete Gaussians and zCDP */
    NW_FILTER_PURE = 3,     /* epsilon; the only one when delta = 0 */
    NW_FILTER_RENYI = 4,    /* Renyi divergences: also subsampled mechanisms */
    NW_FILTER_SCHEDULE = 5, /* ledgers only, and not a filter: nw_ledger_opts.schedule, drawn as it was declared */
    NW_FILTER_APPROX = 6    /* not in ledgers: (epsilon_t, delta_t) by advanced composition, or by plain sums while these fit */
} nw_filter;
NW_API const char *nw_filter_name(nw_filter filter); /* "auto", "gdp", "zcdp", "pure", "renyi", "schedule", "approx" */

/** Most orders of a renyi filter. */
#define NW_FILTER_MAX_ORDERS 32

/** A budget. Privacy parameters have no default.
 *
 *  events_share: delta is split beforehand. delta events_share is for the deltas of approximate events and for the distance of
 *  the samplers to their ideal laws, the rest for what the filter adds up. The default is a ledger's; for many (epsilon_t,
 *  delta_t) events something like 0.5 suits. Unused by pure, whose whole delta is for events.
 *  orders: with renyi, in (1, 1e6], each once; NULL otherwise. With several, order a gets the share `weights` of the rest of
 *  delta, and a step is admitted while at least one order is within its own limit. Copied. */
typedef struct nw_privacy_filter_opts {
    size_t struct_size;
    double epsilon;         /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;           /* in [0, 1), 0 only for pure; -1 until set, refused if left so */
    nw_adjacency adjacency; /* NW_ADJACENCY_UNSET until set */
    nw_filter kind;         /* default NW_FILTER_AUTO */
    double events_share;    /* in [0, 1); default 2^-10 */
    const double *orders;   /* renyi: order_count of them; default NULL */
    const double *weights;  /* positive, their sum at most 1; NULL (default): all the same */
    size_t order_count;     /* renyi: in 1..32; else 0 (default) */
} nw_privacy_filter_opts;
/* clang-format off */
#define NW_PRIVACY_FILTER_OPTS_INIT \
    { sizeof(nw_privacy_filter_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, NW_FILTER_AUTO, 0.0009765625, NULL, NULL, 0 }
/* clang-format on */
NW_API void nw_privacy_filter_opts_init(nw_privacy_filter_opts *opts, size_t struct_size);

typedef struct nw_privacy_filter nw_privacy_filter; /* confined */

/** Validates the options and works out the limits, rounded down.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set, also if the kind (each order) lets nothing through at
 *            this epsilon and delta; NW_E_NOMEM.
 *  Cost      microseconds. Threads: any.
 *  Source    docs/rooms/filter.md#proofs; [ST22], [KTH22], [FZ21], [WRRW22].
 *  Example   examples/filter.c */
NW_API NW_WARN_UNUSED nw_status nw_privacy_filter_new(nw_privacy_filter **out, const nw_privacy_filter_opts *opts, nw_error *err);
NW_API void nw_privacy_filter_free(nw_privacy_filter *filter);

/** Takes an event into the sums, if it fits: the step may be drawn after NW_OK, and only then. There is no refund.
 *
 *  Shapes    event: chosen by whatever was released before, without looking at data.
 *  Units     none.
 *  Errors    NW_E_BUDGET: it does not fit, nothing is spent, and a smaller event may still fit; NW_E_UNSUPPORTED: no sum of this
 *            kind can hold it, with the reason; NW_E_ARG; NW_E_NOMEM.
 *  Cost      microseconds; per order of renyi 0.3 ms for a subsampled Gaussian, and up to some 100 ms for other subsampled
 *            mechanisms. Threads: confined.
 *  Source    docs/rooms/filter.md#proofs.
 *  Example   examples/filter.c */
NW_API NW_WARN_UNUSED nw_status nw_privacy_filter_spend(nw_privacy_filter *filter, const nw_event *event, nw_error *err);
/** True if the event would fit now; spends nothing. Errors: as nw_privacy_filter_spend, without NW_E_BUDGET. */
NW_API NW_WARN_UNUSED nw_status nw_privacy_filter_admits(
    const nw_privacy_filter *filter, const nw_event *event, bool *fits, nw_error *err);

/** Where the sums stand. All of it follows from the events, so it is as public as they are. */
typedef struct nw_privacy_filter_summary {
    double epsilon; /* the budget: the guarantee, whatever was spent of it */
    double delta;
    nw_adjacency adjacency;
    nw_filter kind;       /* never auto */
    double order;         /* renyi: the order that has used least of its limit (in the direction that has used more); approx:
                             INFINITY while plain sums have used less of theirs than rho has; else 0 */
    double limit;         /* of mu^2, rho, epsilon, or the divergence of that order, rounded down */
    double spent;         /* of the same, rounded up */
    double used_fraction; /* spent / limit, rounded up; at most 1 up to that rounding */
    double spent_epsilon; /* of a filter, made beforehand, that these sums would just fill; rounded up. NOT a guarantee for a
                             time chosen on the way */
    double events_limit;  /* of the deltas of approximate events and samplers */
    double events_delta;  /* used of it, rounded up */
    uint64_t events;      /* calls of spend that were admitted */
    uint64_t samples;
} nw_privacy_filter_summary;
/** Never fails. */
NW_API nw_privacy_filter_summary nw_privacy_filter_summarise(const nw_privacy_filter *filter);

/** An odometer. Privacy parameters have no default. orders, weights, events_share: as above.
 *
 *  first_epsilon: the smallest reading but 0. Readings are first_epsilon 2^(i/2), i = 0, 1, ... up to 64; reading i is the
 *  epsilon of a filter of its own, with 6 / (pi^2 (i+1)^2) of delta. The nearer the first one is to what will be used, the
 *  less is lost. */
typedef struct nw_odometer_opts {
    size_t struct_size;
    double delta;           /* in (0, 1); -1 until set, refused if left so */
    nw_adjacency adjacency; /* NW_ADJACENCY_UNSET until set */
    nw_filter kind;         /* gdp, zcdp, renyi or approx; default NW_FILTER_AUTO: gdp */
    double first_epsilon;   /* in [2^-10, 64]; default 2^-4 */
    double events_share;    /* in [0, 1); default 2^-10 */
    const double *orders;
    const double *weights;
    size_t order_count;
} nw_odometer_opts;
/* clang-format off */
#define NW_ODOMETER_OPTS_INIT \
    { sizeof(nw_odometer_opts), -1.0, NW_ADJACENCY_UNSET, NW_FILTER_AUTO, 0.0625, 0.0009765625, NULL, NULL, 0 }
/* clang-format on */
NW_API void nw_odometer_opts_init(nw_odometer_opts *opts, size_t struct_size);

typedef struct nw_odometer nw_odometer; /* confined */

/** Errors: as nw_privacy_filter_new; pure is refused, since a sum of epsilons is an odometer as it is. */
NW_API NW_WARN_UNUSED nw_status nw_odometer_new(nw_odometer **out, const nw_odometer_opts *opts, nw_error *err);
NW_API void nw_odometer_free(nw_odometer *odometer);
/** Takes an event into the sums; refuses none for its size. Before the step is drawn. Errors: NW_E_UNSUPPORTED, as
 *  nw_privacy_filter_spend; NW_E_ARG; NW_E_NOMEM: then nothing is added. */
NW_API NW_WARN_UNUSED nw_status nw_odometer_add(nw_odometer *odometer, const nw_event *event, nw_error *err);
/** The reading: what was released until now, with the decision to stop now, is (epsilon, delta)-DP in the sense that for every
 *  set S of transcripts on which the last reading is at most epsilon, P(S) <= e^epsilon Q(S) + delta
 *  (docs/rooms/filter.md#odometer). 0 while nothing that costs was added, INFINITY beyond 64. Does not fall. */
NW_API double nw_odometer_epsilon(const nw_odometer *odometer);

/** A budget for each of `records` records. Privacy parameters have no default.
 *
 *  adjacency: add_remove or zero_out. Under replace_one the old and the new record would be charged, and dropped, at different
 *  times, and neither's sum bounds how far apart the releases are. */
typedef struct nw_individual_filter_opts {
    size_t struct_size;
    size_t records;         /* at least 1; 0 until set */
    double epsilon;         /* nats, in (0, 64]; 0 until set */
    double delta;           /* in (0, 1); -1 until set */
    nw_adjacency adjacency; /* NW_ADJACENCY_UNSET until set */
    double order;           /* of the Renyi divergence, in (1, 1e6]; 0 until set */
} nw_individual_filter_opts;
/* clang-format off */
#define NW_INDIVIDUAL_FILTER_OPTS_INIT { sizeof(nw_individual_filter_opts), 0, 0.0, -1.0, NW_ADJACENCY_UNSET, 0.0 }
/* clang-format on */
NW_API void nw_individual_filter_opts_init(nw_individual_filter_opts *opts, size_t struct_size);

typedef struct nw_individual_filter nw_individual_filter; /* confined; holds private counters */

/** Validates the options and allocates the counters. Errors: NW_E_ARG, also if the order lets nothing through; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_individual_filter_new(
    nw_individual_filter **out, const nw_individual_filter_opts *opts, nw_error *err);
/** Wipes the counters. */
NW_API void nw_individual_filter_free(nw_individual_filter *filter);

/** Before one release sum over records of clip(v_i) + N(0, sigma^2 I): who may take part, and the charge to those who do.
 *
 *  **takes_part, the counters and all that is computed from them (how many take part, too) are private: only the noisy sum over
 *  those who take part may be released.** The noise must not depend on how many they are.
 *
 *  Computes  r_i = order norm_i^2 / (2 sigma^2); takes_part[i] = (spent_i + r_i <= B), and then spent_i += r_i. Rounded up.
 *  Shapes    norms, takes_part (out): one for each record. norms[i]: l2 norm of record i's own contribution, from that record and
 *            from earlier releases alone. What is above clip, negative or NaN counts as clip; the caller clips.
 *  Units     norms, clip and sigma in the same unit. samples: noise values that the release draws from nw/noise.h, or 0.
 *  Errors    NW_E_ARG (sigma, clip: positive and finite, clip / sigma at most 1e100); NW_E_BUDGET: over the share of delta,
 *            2^-10, for samplers. Nothing is charged and takes_part not written. Never depends on norms or counters.
 *  Cost      O(records), some ns each. Threads: confined.
 *  Source    [FZ21, Sec. 5]; docs/rooms/filter.md#individual-filters.
 *  Example   examples/filter.c */
NW_API NW_WARN_UNUSED nw_status nw_individual_filter_gaussian(nw_individual_filter *filter, double sigma, double clip,
    uint64_t samples, const double *norms, bool *takes_part, nw_error *err);
/** The same for any mechanism: renyi[i] bounds the divergence at the filter's order, in both directions, between this step with
 *  and without record i, given everything released before. NaN and negative values count as INFINITY: the record is left out.
 *  Errors: NW_E_ARG for NULL; NW_E_BUDGET. */
NW_API NW_WARN_UNUSED nw_status nw_individual_filter_renyi(
    nw_individual_filter *filter, uint64_t samples, const double *renyi, bool *takes_part, nw_error *err);

/** The bound B of each counter: the whole is (order, B)-RDP. Rounded down. */
NW_API double nw_individual_filter_limit(const nw_individual_filter *filter);
/** Copies the counters. PRIVATE: for the operator who holds the data, never for a release. */
NW_API void nw_individual_filter_spent(const nw_individual_filter *filter, double *spent);

#ifdef __cplusplus
}
#endif
#endif
