/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_EVENT_H
#define NW_EVENT_H

/* nw/event.h - what a mechanism will do, as a value: the one object that both the sampler and the accountant read.
 *
 * An event is a tree built without looking at data: leaves are mechanisms with their typed sensitivity, inner nodes compose or
 * repeat. It is immutable after construction and copied into its parents (value semantics), has a versioned JSON form that loses
 * nothing, and is what a ledger stores: losses are recomputed from it, never stored rounded.
 *
 *   nw_event *e = NULL;
 *   nw_sensitivity s = { 1.0, NW_ADD_REMOVE };
 *   nw_event_gaussian(&e, 4.2, s, &err);
 */
#include <nw/strategy.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which two tables are neighbours. Never defaulted. */
typedef enum nw_adjacency {
    NW_ADJACENCY_UNSET = 0,
    NW_ADD_REMOVE = 1,   /* one record is added or removed */
    NW_REPLACE_ONE = 2,  /* one record is replaced by another; the number of records is public */
    NW_ZERO_OUT = 3,     /* one record is replaced by a record that contributes nothing */
    NW_REPLACE_LABEL = 4 /* the label of one record is replaced; which records there are, and all else in them, is public */
} nw_adjacency;

/** "add_remove", "replace_one", "zero_out", "replace_label"; "unset". */
NW_API const char *nw_adjacency_name(nw_adjacency adjacency);
/** Accepts the names above, with '-' or '_'. Errors: NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_adjacency_parse(const char *name, nw_adjacency *out, nw_error *err);

/** How far the outputs before noise of two neighbours may lie apart, and for which neighbours that was worked out.
 *
 *  NW_ADD_REMOVE: the largest norm of one record's contribution. It holds as it is under add_remove and zero_out, and as *twice*
 *  the value under replace_one and replace_label (opposite contributions).
 *  NW_REPLACE_ONE: the largest norm of the change when one record is replaced (sqrt(2) for a histogram). Usable under replace_one
 *  and replace_label, whose neighbours are neighbours of replace_one, too; asked under another adjacency it is refused.
 *  NW_REPLACE_LABEL: the largest norm of the change when one label is replaced. It says nothing of whole records: usable under
 *  replace_label only. */
typedef struct nw_sensitivity {
    double value;
    nw_adjacency adjacency;
} nw_sensitivity;

typedef enum nw_event_kind {
    NW_EVENT_GAUSSIAN = 1,             /* scale = sigma, l2 sensitivity */
    NW_EVENT_ROUNDED_GAUSSIAN = 2,     /* the same on integers, rounded: accounted as the Gaussian */
    NW_EVENT_DISCRETE_GAUSSIAN = 3,    /* scale = sigma, integer l2 sensitivity of one coordinate, else accounted as zCDP */
    NW_EVENT_LAPLACE = 4,              /* scale = b, l1 sensitivity */
    NW_EVENT_DISCRETE_LAPLACE = 5,     /* scale = b, integer l1 sensitivity */
    NW_EVENT_PURE = 6,                 /* (epsilon, 0) for the adjacency it names */
    NW_EVENT_APPROX = 7,               /* (epsilon, delta) */
    NW_EVENT_ZCDP = 8,                 /* rho-zCDP */
    NW_EVENT_GDP = 9,                  /* mu-Gaussian DP */
    NW_EVENT_RANDOMIZED_RESPONSE = 10, /* with probability p a uniform answer among k, else the true one; replace_one */
    NW_EVENT_EXPONENTIAL = 11,         /* exponential mechanism, or noisy max with Gumbel noise: epsilon-bounded range */
    NW_EVENT_REPORT_NOISY_MAX = 12,    /* Laplace or exponential noise: (epsilon, 0), no bounded range */
    NW_EVENT_PERMUTE_AND_FLIP = 13,    /* (epsilon, 0), no bounded range: docs/rooms/accounting.md */
    NW_EVENT_RDP = 14,                 /* a curve of Renyi divergences */
    NW_EVENT_LDP = 15,                 /* an epsilon_0-DP local randomizer; replace_one */
    NW_EVENT_TREE = 16,                /* binary-tree aggregation with Gaussian noise */
    NW_EVENT_MATRIX = 17,              /* matrix mechanism with Gaussian noise: nw/strategy.h */
    NW_EVENT_COMPOSED = 100,           /* children on the same records, adaptively or not */
    NW_EVENT_REPEAT = 101,             /* one child, count times */
    NW_EVENT_PARALLEL = 102,           /* children on disjoint records */
    NW_EVENT_POISSON_SUBSAMPLED = 103, /* each record enters with probability q, then the child */
    NW_EVENT_FIXED_SIZE_SUBSAMPLED = 104, /* m of n records, with or without replacement, then the child; replace_one */
    NW_EVENT_SHUFFLED = 105            /* n records, each through the child (a local randomizer), in random order; replace_one */
} nw_event_kind;

typedef struct nw_event nw_event; /* shared: immutable */

/* Leaves. `samples`: how many noise values the mechanism will draw; the accountant charges the sampler's distance to the ideal
 * law for each (nw_noise_log2_tv); 0 when nothing is drawn from nw/noise.h.
 * Errors of all: NW_E_ARG naming the parameter; NW_E_NOMEM. *out is NULL on error. */
NW_API NW_WARN_UNUSED nw_status nw_event_noise(
    nw_event **out, nw_event_kind kind, double scale, nw_sensitivity sensitivity, uint64_t samples, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_gaussian(nw_event **out, double sigma, nw_sensitivity l2, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_laplace(nw_event **out, double b, nw_sensitivity l1, nw_error *err);
/* Guarantees that hold for one adjacency, by an argument outside the library. */
NW_API NW_WARN_UNUSED nw_status nw_event_pure(nw_event **out, double epsilon, nw_adjacency adjacency, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_approx(
    nw_event **out, double epsilon, double delta, nw_adjacency adjacency, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_zcdp(nw_event **out, double rho, nw_adjacency adjacency, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_gdp(nw_event **out, double mu, nw_adjacency adjacency, nw_error *err);

/** k-ary randomized response: with probability p in [0, 1] a uniform answer among k >= 2, else the true one. Only replace_one
 *  has a meaning. */
NW_API NW_WARN_UNUSED nw_status nw_event_randomized_response(nw_event **out, double p, uint64_t k, nw_error *err);
/** A choice among candidates: kind is NW_EVENT_EXPONENTIAL, NW_EVENT_REPORT_NOISY_MAX or NW_EVENT_PERMUTE_AND_FLIP; it is
 *  (epsilon, 0)-DP, the exponential mechanism also epsilon-bounded range [DR19]. */
NW_API NW_WARN_UNUSED nw_status nw_event_selection(
    nw_event **out, nw_event_kind kind, double epsilon, nw_adjacency adjacency, nw_error *err);
/** A curve: Renyi divergence of order orders[i] > 1 at most rdp[i] >= 0, both increasing; between two orders the bound is
 *  interpolated linearly in (order - 1) rdp, which is convex; beyond them nothing is claimed. n >= 1. */
NW_API NW_WARN_UNUSED nw_status nw_event_rdp(
    nw_event **out, const double *orders, const double *rdp, size_t n, nw_adjacency adjacency, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_ldp(nw_event **out, double epsilon0, nw_error *err);
/** Binary-tree aggregation over `leaves` steps: every record is in one leaf, so in ceil(log2(leaves + 1)) nodes, each with
 *  Gaussian noise sigma; l2: of one leaf. */
NW_API NW_WARN_UNUSED nw_status nw_event_tree(
    nw_event **out, double sigma, nw_sensitivity l2, uint64_t leaves, nw_error *err);
/** Matrix mechanism: Gaussian noise sigma on C x; l2: of one row of x. Its sensitivity under the strategy's participation
 *  pattern is computed once, here. Errors: those of nw_strategy_sensitivity. */
NW_API NW_WARN_UNUSED nw_status nw_event_matrix(
    nw_event **out, double sigma, nw_sensitivity l2, const nw_strategy *strategy, nw_error *err);

/** The children on the same records, one after the other; they are copied. n >= 1. */
NW_API NW_WARN_UNUSED nw_status nw_event_composed(nw_event **out, const nw_event *const *children, size_t n, nw_error *err);
/** `child` run `count` times; it is copied. count >= 1. */
NW_API NW_WARN_UNUSED nw_status nw_event_repeat(nw_event **out, const nw_event *child, uint64_t count, nw_error *err);
/** The children on disjoint records, fixed without looking at the data: the worst of them. n >= 1. Under replace_one a record may
 *  leave one part and enter another, so that relation is refused when it is asked for. */
NW_API NW_WARN_UNUSED nw_status nw_event_parallel(nw_event **out, const nw_event *const *children, size_t n, nw_error *err);
/** Each record enters with probability q in [0, 1], independently, then `base`. */
NW_API NW_WARN_UNUSED nw_status nw_event_poisson_subsampled(nw_event **out, double q, const nw_event *base, nw_error *err);
/** `sample` of `population` records, then `base`. Without replacement: sample <= population. Accounted under replace_one only. */
NW_API NW_WARN_UNUSED nw_status nw_event_fixed_size_subsampled(
    nw_event **out, uint64_t population, uint64_t sample, bool with_replacement, const nw_event *base, nw_error *err);
/** n records, each through `base` (ldp, pure or randomized_response), in random order. n >= 1. Accounted under replace_one. */
NW_API NW_WARN_UNUSED nw_status nw_event_shuffled(nw_event **out, uint64_t n, const nw_event *base, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_event_copy(nw_event **out, const nw_event *event, nw_error *err);
NW_API void nw_event_free(nw_event *event);

NW_API nw_event_kind nw_event_get_kind(const nw_event *event);
/** Noise values drawn in the whole tree; saturates at UINT64_MAX. */
NW_API uint64_t nw_event_samples(const nw_event *event);

/** Writes the JSON form (format "noisewright-event", version 1, hex floats) into a new string, to be freed with
 *  nw_string_free. */
NW_API NW_WARN_UNUSED nw_status nw_event_to_json(const nw_event *event, char **out, nw_error *err);
/** Reads the JSON form, an event alone, or the "mechanisms" list form of accounting tables. A key that is not the event's is an
 *  error, as it would silently change what is accounted. Errors: NW_E_FORMAT, naming the key;
 *  NW_E_UNSUPPORTED for a type that this version cannot account. */
NW_API NW_WARN_UNUSED nw_status nw_event_from_json(nw_event **out, const char *json, nw_error *err);
NW_API void nw_string_free(char *string);

#ifdef __cplusplus
}
#endif
#endif
