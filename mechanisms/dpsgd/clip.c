/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* clip.c - factors, rounded down, and the clip norm that follows a quantile of the norms [ATMR21, Alg. 1]. */
#include "accountant_internal.h"
#include "dpsgd_internal.h"

#include <math.h>

/* Grid of the count: 2^20 steps to an example's +1 or -1. */
static const double COUNT_STEPS = 0x1p20;

void nw__dpsgd_set_clip(nw_dpsgd *d, double clip_norm)
{
    d->clip_norm = clip_norm;
    /* Two roundings of relative 2^-53 go the safe way. */
    d->layer_clip = d->layers == 1 ? clip_norm : clip_norm / sqrt((double)d->layers) * (1.0 - 0x1p-50);
}

/* The largest float that is at most x >= 0. */
static float float_down(double x)
{
    const float nearest = (float)x;
    if ((double)nearest <= x)
        return nearest;
    return nextafterf(nearest, 0.0f);
}

/* No smaller than the root, for x of 0 or above 2^-1000: rounding up once, and without a call. */
static inline double root_up(double x)
{
    return sqrt(x) * (1.0 + 0x1p-51);
}

/* limit: at least the norm, and S / tau. */
static double factor_of(const nw_dpsgd *d, double limit)
{
    const double c = d->layer_clip;
    switch (d->opts.clipping) {
    case NW_DPSGD_GLOBAL: return limit <= c ? 1.0 : 0.0;
    case NW_DPSGD_AUTO_S: return c / (limit + d->opts.auto_gamma) * (1.0 - 0x1p-50);
    case NW_DPSGD_FLAT:
    case NW_DPSGD_PER_LAYER: break;
    }
    return limit <= c ? 1.0 : c / limit * (1.0 - 0x1p-50);
}

void nw__dpsgd_clip_examples(nw_dpsgd *d)
{
    for (size_t layer = 0; layer < d->layers; layer++) {
        for (size_t i = 0; i < d->examples; i++) {
            const size_t at = layer * d->examples + i;
            const nw__example_norm *n = &d->norms[at];
            const double limit = root_up(n->bound > n->reach ? n->bound : n->reach);
            const bool is_excluded = d->is_excluded[i] != 0;
            d->squares[at] = is_excluded ? (double)NAN : n->square;
            d->bounds[at] = is_excluded ? (double)INFINITY : root_up(n->bound);
            d->factors[at] = is_excluded ? 0.0f : float_down(factor_of(d, limit));
            if (layer == 0 && !is_excluded)
                d->below += limit <= d->clip_norm ? 1 : -1;
        }
    }
}

/* The sum of b - 1/2 over examples is `below` / 2: an example moves it by 1/2, whichever side it is on. */
nw_status nw__dpsgd_move_clip(nw_dpsgd *d, nw_error *err)
{
    int64_t steps = d->below * (int64_t)COUNT_STEPS;
    if (d->count_noise != NULL)
        NW__TRY(nw_noise_add_i64(d->count_noise, d->rng, &steps, &steps, 1, err));
    const double share = (double)steps / (2.0 * COUNT_STEPS) / d->opts.expected_batch + 0.5;
    const double moved = d->clip_norm * exp(-d->opts.quantile_rate * (share - d->opts.quantile));
    nw__dpsgd_set_clip(d, fmin(fmax(moved, NW__SMALLEST_CLIP), NW__LARGEST_CLIP));
    return NW_OK;
}
