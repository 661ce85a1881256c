/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CKS20_H
#define NW_CKS20_H

/* cks20.h - the samplers of Canonne, Kamath and Steinke 2020 as printed: the readable oracle of the slot table, fifty times
 * slower. */
#include "random_internal.h"

/** [CKS20, Alg. 2]: discrete Laplace of scale t / s, t and s in 1 .. 2^40. rng has begun. */
int64_t nw__cks20_laplace(nw_rng *rng, uint64_t t, uint64_t s);

/** [CKS20, Alg. 3]: discrete Gaussian of variance n / d, n in 1 .. 2^40, d in 1 .. 2^10. rng has begun. */
int64_t nw__cks20_gaussian(nw_rng *rng, uint64_t n, uint64_t d);

#endif
