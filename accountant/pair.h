/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_PAIR_H
#define NW_PAIR_H

/* pair.h - dominating pairs: two laws (P, Q) such that every hockey-stick divergence of two neighbours' outputs, in one
 * direction, is at most that of (P, Q)  [ZDW22, Def. 7].
 *
 * A pair is seen through its privacy loss L = log dP/dQ alone: the point masses of L, and P- and Q-tails of the rest. */
#include "accountant_internal.h"

/** The table with the record against the one without it, and the reverse. Under replace_one both are replacements. */
typedef enum nw__direction { NW__REMOVE = 0, NW__ADD = 1 } nw__direction;

/** Of the part of the pair without point masses, at a threshold. */
typedef struct nw__tails {
    double p_above, q_above; /* P(L > l), Q(L > l) */
    double p_below, q_below; /* P(L <= l), Q(L <= l) */
    double error;            /* each of the four is right to this relative error */
} nw__tails;

typedef struct nw__atom {
    double loss; /* log (p / q), finite */
    double p, q;
} nw__atom;

/** Point masses in increasing order of loss, and what P puts where Q puts nothing. */
typedef struct nw__atoms {
    size_t n;
    nw__atom *at;
    double p_infinite;
} nw__atoms;

enum { NW__PAIR_PARAMETERS = 4 };

typedef struct nw__pair nw__pair;
struct nw__pair {
    /* NULL if there are point masses only */
    void (*tails)(const nw__pair *pair, double loss, nw__tails *out);
    double lowest, highest; /* all finite losses lie in [lowest, highest]; may be infinite */
    double spacing;         /* of the lattice that the point masses lie on, from the lowest; 0 if none is known */
    nw__atoms atoms;        /* owned */
    double q_null;          /* what Q puts where P puts nothing */
    double parameter[NW__PAIR_PARAMETERS];
    size_t base_count; /* pairs that this one is made of; owned */
    nw__pair **base;
    double *weight; /* of a mixture, as many as bases */
};

void nw__pair_free(nw__pair *pair);

/* The families. Errors of all: NW_E_NOMEM. Each takes over the pairs and lists given to it, also on error. */

/** N(mu, 1) against N(0, 1): the loss is N(+-mu^2 / 2, mu^2). */
nw_status nw__pair_gaussian(nw__pair **out, double mu, nw_error *err);
/** Laplace noise of scale 1 at distance epsilon. */
nw_status nw__pair_laplace(nw__pair **out, double epsilon, nw_error *err);
/** The dominating pair of an epsilon-bounded-range mechanism, the supremum over t in [0, epsilon] of two-point laws with losses
 *  t and t - epsilon  [DDR20, Lemma 3.3]: delta(x) = (1 - e^((x - epsilon) / 2))^2 / (1 - e^-epsilon). */
nw_status nw__pair_bounded_range(nw__pair **out, double epsilon, nw_error *err);
/** Point masses only. spacing: of their lattice, or 0. */
nw_status nw__pair_atoms(nw__pair **out, nw__atoms atoms, double q_null, double spacing, nw_error *err);
/** Randomized response with probabilities truth : lie = e^epsilon : 1 for two of the answers and `rest` for the others. */
nw_status nw__pair_response(nw__pair **out, double epsilon, double rest, nw_error *err);
/** (epsilon, delta)-DP, attained. */
nw_status nw__pair_approx(nw__pair **out, double epsilon, double delta, nw_error *err);
nw_status nw__pair_discrete_laplace(nw__pair **out, double scale, uint64_t distance, nw_error *err);
/** tail: mass of P that may be moved to an infinite loss (is_upper) or dropped. */
nw_status nw__pair_discrete_gaussian(nw__pair **out, double sigma, uint64_t distance, double tail, bool is_upper, nw_error *err);
/** Poisson subsampling of a base in one direction: remove ((1-q) Q + q P, Q), add (P, (1-q) P + q Q)  [ZDW22, Thm 11]. */
nw_status nw__pair_poisson(nw__pair **out, double q, nw__direction direction, nw__pair *base, nw_error *err);
/** (1-q) N(0, 1) + q N(mu, 1) against (1-q) N(0, 1) + q N(-mu, 1): replacement under Poisson sampling  [SSKG24, Thm 3.8]. */
nw_status nw__pair_poisson_replace(nw__pair **out, double q, double mu, nw_error *err);
/** Sampling with replacement: the profile sum_k weight_k delta_k(log1p(expm1(x) / q)), q = sum of the weights
 *  [BBG18, Thm 10]. */
nw_status nw__pair_group_mixture(nw__pair **out, nw__pair **base, double *weight, size_t n, nw_error *err);
/** The smallest profile above those of all bases: at each threshold the base with the largest delta is active. */
nw_status nw__pair_maximum(nw__pair **out, nw__pair **base, size_t n, nw_error *err);

/** delta(loss) = P(L > loss) - e^loss Q(L > loss) of the whole pair, rounded down and up. */
void nw__pair_delta(const nw__pair *pair, double loss, double *lower, double *upper);

#endif
