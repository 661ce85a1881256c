/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* frequencies.c - public random frequencies whose average cosine is the kernel: E cos(w.(x - y)) = k(x, y).
 *
 * All six kernels are mixtures over a scale t of Gaussian frequencies [RR07]: 1 / (1 + h) = E e^(-t h) for t ~ Exp(1), and
 *   exp(-|u|_2^2)    w = sqrt(2) g                  1 / (1 + |u|_2^2)  w = sqrt(2 t) g
 *   exp(-|u|_2)      w = g / |g_0|                  1 / (1 + |u|_2)    w = t g / |g_0|
 *   exp(-|u|_1)      w_j = g_j / |g_0j| (Cauchy)    1 / (1 + |u|_1)    w_j = t g_j / |g_0j|
 * with g, g_0 independent standard normals. Orthogonal variant: g is a row of H D3 H D2 H D1 (random signs) times the length of a
 * Gaussian vector [YSCHK16]; the factors 1 / |g_0j| of the l1 kernels are then drawn once a block. */
#include "waves.h"

#include <math.h>
#include <stdlib.h>

static const double TWO_PI = 0x1.921fb54442d18p+2;
/* Beyond this, in turns a bandwidth, a cosine is as good as random: keeps every phase finite. */
static const double MOST_TURNS = 0x1p40;
enum { FREQUENCIES = 1 }; /* purpose of the public stream */

double nw__kde_public_uniform(nw_rng *rng)
{
    uint64_t bits = 0;
    if (nw_rng_bytes(rng, &bits, sizeof bits, NULL) != NW_OK)
        return NAN;
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

double nw__kde_public_normal(nw_rng *rng)
{
    const double radius = sqrt(-2.0 * log(nw__kde_public_uniform(rng)));
    return radius * cos(TWO_PI * nw__kde_public_uniform(rng));
}

/* The factor that all coordinates of one frequency share, in turns a unit. */
static double scale_of_frequency(const nw_kde_opts *o, nw_rng *rng)
{
    double scale = 1.0 / (TWO_PI * o->bandwidth);
    const bool is_rational =
        o->kernel == NW_KDE_RATIONAL_L2SQ || o->kernel == NW_KDE_RATIONAL_L2 || o->kernel == NW_KDE_RATIONAL_L1;
    const double t = is_rational ? -log(nw__kde_public_uniform(rng)) : 1.0;
    if (o->kernel == NW_KDE_GAUSSIAN)
        scale *= o->is_half ? 1.0 : sqrt(2.0);
    else if (o->kernel == NW_KDE_RATIONAL_L2SQ)
        scale *= sqrt(2.0 * t);
    else
        scale *= t;
    if (o->kernel == NW_KDE_EXPONENTIAL || o->kernel == NW_KDE_RATIONAL_L2)
        scale /= fabs(nw__kde_public_normal(rng));
    return scale;
}

static float limited(double turns, double bandwidth)
{
    const double most = MOST_TURNS / bandwidth;
    return (float)fmin(fmax(turns, -most), most);
}

static void draw_panels(nw__waves *w, const nw_kde_opts *o, nw_rng *rng)
{
    const size_t d = w->dimension;
    for (size_t i = 0; i < w->pairs; i++) {
        float *column = w->panels + (i / w->tile) * d * w->tile + i % w->tile;
        const double scale = scale_of_frequency(o, rng);
        for (size_t j = 0; j < d; j++) {
            const double g = nw__kde_public_normal(rng);
            const double own = nw__kde_is_l1(o->kernel) ? fabs(nw__kde_public_normal(rng)) : 1.0;
            column[j * w->tile] = limited(scale * g / own, o->bandwidth);
        }
    }
}

/* The length of a Gaussian vector of `side` dimensions, an even number: its square is -2 log of a product of side / 2 uniforms.
 * */
static double gaussian_length(size_t side, nw_rng *rng)
{
    double square = 0.0;
    for (size_t j = 0; j < side / 2; j += 8) {
        double product = 1.0; /* at least 2^-432 */
        for (size_t k = j; k < side / 2 && k < j + 8; k++)
            product *= nw__kde_public_uniform(rng);
        square -= 2.0 * log(product);
    }
    return sqrt(square);
}

static void draw_blocks(nw__waves *w, const nw_kde_opts *o, nw_rng *rng)
{
    const size_t side = w->tile;
    /* The three unscaled transforms lengthen by side^(3/2), and copies by their root; a row of the product, normalised, has
     * length 1. */
    const double normal = 1.0 / ((double)side * sqrt((double)side * (double)(side / w->dimension)));
    for (size_t b = 0; b < w->tiles; b++) {
        for (size_t j = 0; j < 3 * side; j++)
            w->signs[b * 3 * side + j] = nw__kde_public_uniform(rng) < 0.5 ? -1.0F : 1.0F;
        for (size_t j = 0; w->coordinates != NULL && j < w->dimension; j++)
            w->coordinates[b * w->dimension + j] = (float)fmin(1.0 / fabs(nw__kde_public_normal(rng)), MOST_TURNS);
        for (size_t j = 0; j < side; j++) {
            const double scale = scale_of_frequency(o, rng);
            w->radii[b * side + j] = limited(scale * gaussian_length(side, rng), o->bandwidth) * (float)normal;
        }
    }
}

static nw_status allocate(nw__waves *w, const nw_kde_opts *o, bool is_hadamard, bool is_shifted, nw_error *err)
{
    w->dimension = o->dimension;
    w->pairs = o->size;
    w->tile = NW__WAVES_PANEL;
    if (is_hadamard) {
        w->tile = NW__WAVES_LEAST_SIDE;
        while (w->tile < o->dimension)
            w->tile *= 2;
    }
    w->tiles = (w->pairs + w->tile - 1) / w->tile;
    bool has_failed = false;
    if (is_hadamard) {
        w->signs = nw__calloc(w->tiles * 3 * w->tile, sizeof *w->signs);
        w->radii = nw__calloc(w->tiles * w->tile, sizeof *w->radii);
        if (nw__kde_is_l1(o->kernel))
            w->coordinates = nw__calloc(w->tiles, w->dimension * sizeof *w->coordinates);
        has_failed = w->signs == NULL || w->radii == NULL || (nw__kde_is_l1(o->kernel) && w->coordinates == NULL);
    } else {
        w->panels = nw__calloc(w->tiles * w->tile, w->dimension * sizeof *w->panels);
        has_failed = w->panels == NULL;
    }
    if (is_shifted)
        w->shifts = nw__calloc(w->pairs, sizeof *w->shifts);
    return has_failed || (is_shifted && w->shifts == NULL) ? nw__fail_memory(err, __func__) : NW_OK;
}

nw_status nw__waves_new(nw__waves *waves, const nw_kde *kde, bool is_hadamard, bool is_shifted, nw_error *err)
{
    nw_rng *rng = NULL;
    NW__TRY(allocate(waves, &kde->opts, is_hadamard, is_shifted, err));
    NW__TRY(nw__kde_public_stream(&rng, kde, FREQUENCIES, err));
    if (is_hadamard)
        draw_blocks(waves, &kde->opts, rng);
    else
        draw_panels(waves, &kde->opts, rng);
    for (size_t i = 0; is_shifted && i < waves->pairs; i++)
        waves->shifts[i] = (float)nw__kde_public_uniform(rng);
    nw_rng_free(rng);
    return NW_OK;
}

void nw__waves_clear(nw__waves *waves)
{
    free(waves->panels);
    free(waves->signs);
    free(waves->coordinates);
    free(waves->radii);
    free(waves->shifts);
    *waves = (nw__waves){ 0 };
}
