/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* law.c - what is expected of reports: the probabilities that clients use, as doubles, and the variances that follow
 * (docs/rooms/ldp.md#variances). Nothing here decides about privacy. */
#include "server.h"

#include <math.h>

static double probability(uint64_t threshold)
{
    return (double)threshold * 0x1p-64;
}

nw__ldp_density nw__ldp_density_of(const nw_ldp_campaign *c)
{
    const double likely = (double)nw__ldp_likely(c);
    const double p = probability(c->keep);
    return (nw__ldp_density){ p / likely, (1.0 - p) / ((double)c->outputs - likely) };
}

/* Of a support that is 0 or 1. */
static nw_ldp_law binary(double own, double other)
{
    return (nw_ldp_law){ own, other, own * (1.0 - own), other * (1.0 - other) };
}

static nw_ldp_law unary_law(const nw_ldp_campaign *c)
{
    const double p = probability(c->keep);
    const double d = (double)c->domain;
    const double w = (double)c->symbols;
    if (c->oracle == NW_LDP_SUBSET)
        return binary(p, p * (w - 1.0) / (d - 1.0) + (1.0 - p) * w / (d - 1.0));
    if (c->oracle == NW_LDP_OUE || c->first_epsilon == 0)
        return binary(p, probability(c->other));
    const double again = probability(c->again);
    const double first = p * again + (1.0 - p) * (1.0 - again);
    return binary(first, 1.0 - first);
}

/* Cells of g that 2^16 hash values make differ by one value. */
static double same_cell(uint32_t g)
{
    double sum = 0.0;
    for (uint32_t y = 0; y < g; y++) {
        const uint32_t first = ((y << 16) + g - 1) / g;
        const uint32_t end = (((y + 1) << 16) + g - 1) / g;
        sum += (double)(end - first) * (double)(end - first) * 0x1p-32;
    }
    return sum;
}

static nw_ldp_law hadamard_law(const nw_ldp_campaign *c)
{
    const nw__ldp_density density = nw__ldp_density_of(c);
    const double half = (double)nw__ldp_likely(c);
    const double own = half * (density.inside - density.outside);
    const double here = half * (density.inside + density.outside); /* a report from a block's item is in the block */
    const double blocks = (double)c->symbols;
    const double elsewhere = 2.0 * half * density.outside;
    return (nw_ldp_law){ own, 0.0, here - own * own, here / blocks + elsewhere * (blocks - 1.0) / blocks };
}

nw_ldp_law nw_ldp_campaign_law(const nw_ldp_campaign *c)
{
    const nw__ldp_density density = nw__ldp_density_of(c);
    const double p = probability(c->keep);
    switch (c->oracle) {
    case NW_LDP_SUE:
    case NW_LDP_OUE:
    case NW_LDP_SUBSET: return unary_law(c);
    case NW_LDP_GRR: return binary(p, density.outside);
    case NW_LDP_OLH: return binary(p, density.outside + (p - density.outside) * same_cell(c->symbols));
    case NW_LDP_BLH: return binary(p, 1.0 / (double)c->symbols);
    case NW_LDP_HADAMARD: return hadamard_law(c);
    case NW_LDP_PROJECTIVE: {
        const double both = c->dimension > 2 ? (double)nw__ldp_points(c->symbols, c->dimension - 2) : 0.0;
        const double one = (double)nw__ldp_likely(c) - both;
        return binary(p, density.inside * both + density.outside * one);
    }
    default: return (nw_ldp_law){ NAN, NAN, NAN, NAN };
    }
}

/* ---- means ---- */

/* E[z | input i] = slope (i - middle) for the cell z, counted from the middle one: docs/rooms/ldp.md#means. */
static double piecewise_variance(const nw_ldp_campaign *c)
{
    const double cells = (double)c->symbols;
    const double w = (double)c->band;
    const double inside = probability(c->keep) / w;
    const double outside = (1.0 - probability(c->keep)) / (cells - w);
    const double slope = w * (inside - outside);
    const double steps = cells - w; /* between the two ends */
    const double end = 0.5 * steps; /* of an input at an end: the band's middle, from the middle */
    const double square =
        outside * cells * (cells * cells - 1.0) / 12.0 + (inside - outside) * w * (end * end + (w * w - 1.0) / 12.0);
    const double mean = slope * end;
    return (square - mean * mean) / (slope * steps * slope * steps) + 0.25 / (steps * steps);
}

/* Values +- 1 / (2 (2 p - 1)) around the middle, where the mean is 1/2 in the worst case. */
static double duchi_variance(double p)
{
    const double reach = 0.5 / (2.0 * p - 1.0);
    return reach * reach;
}

double nw__ldp_mean_variance(const nw_ldp_campaign *c)
{
    const double mix = probability(c->mix);
    if (c->oracle == NW_LDP_DUCHI)
        return duchi_variance(probability(c->keep));
    if (c->oracle == NW_LDP_PIECEWISE)
        return piecewise_variance(c);
    /* of a number at an end the piecewise part is widest, of one in the middle Duchi's: at most both */
    return mix * piecewise_variance(c) + (1.0 - mix) * duchi_variance(probability(c->other));
}

double nw_ldp_campaign_deviation(const nw_ldp_campaign *campaign, double reports, double count)
{
    if (campaign->oracle == NW_LDP_SQUARE_WAVE)
        return NAN;
    if (nw__ldp_is_number(campaign->oracle))
        return sqrt(nw__ldp_mean_variance(campaign) / reports);
    const nw_ldp_law law = nw_ldp_campaign_law(campaign);
    const double variance = (reports - count) * law.other_variance + count * law.own_variance;
    return sqrt(variance) / (law.own - law.other);
}
