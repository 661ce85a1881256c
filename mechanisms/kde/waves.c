/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* waves.c - phases, cosines and sines. Compiled for several processors; each clone does the same operations. */
#include "waves.h"

#include <string.h>

typedef float lanes __attribute__((vector_size(32)));
enum { LANES = 8 };

/* ---- cosine and sine of turns ---- */

/* sin(2 pi z) for z in [-1/4, 1/4]: odd minimax polynomial of degree 9; 2.1e-7 off at most, rounding included. */
static inline __attribute__((always_inline)) float sine_of_quarter(float z)
{
    const float u = z * z;
    return ((((0x1.3c4b2cp+5F * u - 0x1.3232fap+6F) * u + 0x1.46676ep+6F) * u - 0x1.4abbb6p+5F) * u + 0x1.921fb4p+2F) * z;
}

/* The fraction in [-1/2, 1/2] of turns; of 2^22 turns and more, whose fraction a float does not have, 1/2. Adding 1.5 2^23
 * rounds to the nearest whole number. */
static inline __attribute__((always_inline)) float fraction(float turns)
{
    const float whole = (turns + 0x1.8p23F) - 0x1.8p23F;
    const float f = turns - whole;
    return __builtin_fabsf(turns) < 0x1p22F ? f : 0.5F;
}

static inline __attribute__((always_inline)) float cosine(float f)
{
    return sine_of_quarter(0.25F - __builtin_fabsf(f));
}

static inline __attribute__((always_inline)) float sine(float f)
{
    const float a = __builtin_fabsf(f);
    const float folded = a < 0.5F - a ? a : 0.5F - a;
    return sine_of_quarter(f < 0.0F ? -folded : folded);
}

/* rint(2^20 x) for |x| <= 1. */
static inline __attribute__((always_inline)) int32_t in_units(float x)
{
    const float shifted = x * 0x1p20F + 0x1.8p23F;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}

/* ---- Hadamard ---- */

/* Butterflies inside eight lanes: distances 1, 2 and 4. */
static inline __attribute__((always_inline)) void butterflies(float *v)
{
    const lanes s1 = { 1, -1, 1, -1, 1, -1, 1, -1 };
    const lanes s2 = { 1, 1, -1, -1, 1, 1, -1, -1 };
    const lanes s4 = { 1, 1, 1, 1, -1, -1, -1, -1 };
    lanes x;
    memcpy(&x, v, sizeof x);
    x = __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6) + x * s1;
    x = __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5) + x * s2;
    x = __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3) + x * s4;
    memcpy(v, &x, sizeof x);
}

static inline __attribute__((always_inline)) void hadamard(float *v, size_t side)
{
    for (size_t i = 0; i < side; i += LANES)
        butterflies(v + i);
    size_t h = LANES;
    for (; 2 * h < side; h *= 4) /* two distances a pass */
        for (size_t i = 0; i < side; i += 4 * h)
            for (size_t j = i; j < i + h; j++) {
                const float a = v[j] + v[j + h], b = v[j] - v[j + h];
                const float c = v[j + 2 * h] + v[j + 3 * h], d = v[j + 2 * h] - v[j + 3 * h];
                v[j] = a + c;
                v[j + h] = b + d;
                v[j + 2 * h] = a - c;
                v[j + 3 * h] = b - d;
            }
    if (h < side)
        for (size_t j = 0; j < h; j++) {
            const float a = v[j], b = v[j + h];
            v[j] = a + b;
            v[j + h] = a - b;
        }
}

NW__CLONES static void hadamard_alone(float *v, size_t side)
{
    hadamard(v, side);
}

/* H D3 H D2 H D1 of as many copies of the point as there is room for, padded: with more signs than coordinates a point of few
 * coordinates is mixed, too. radii carry side^(-3/2) copies^(-1/2). */
static inline __attribute__((always_inline)) void block_turns(const nw__waves *w, size_t tile, const float *point, float *turns)
{
    const size_t side = w->tile, d = w->dimension, copies = side / d;
    const float *signs = w->signs + tile * 3 * side;
    const float *radii = w->radii + tile * side;
    for (size_t c = 0; c < copies; c++)
        for (size_t j = 0; j < d; j++)
            turns[c * d + j] = point[j] * signs[c * d + j];
    if (w->coordinates != NULL)
        for (size_t c = 0; c < copies; c++)
            for (size_t j = 0; j < d; j++)
                turns[c * d + j] *= w->coordinates[tile * d + j];
    for (size_t j = copies * d; j < side; j++)
        turns[j] = 0.0F;
    hadamard(turns, side);
    for (size_t j = 0; j < side; j++)
        turns[j] *= signs[side + j];
    hadamard(turns, side);
    for (size_t j = 0; j < side; j++)
        turns[j] *= signs[2 * side + j];
    hadamard(turns, side);
    for (size_t j = 0; j < side; j++)
        turns[j] *= radii[j];
}

/* ---- dense ---- */

/* turns[r][i] = sum over j of x_rj w_ji, in the order of j. */
static inline __attribute__((always_inline)) void panel_turns(
    const nw__waves *w, size_t tile, const float *points, size_t rows, float *turns)
{
    enum { GROUPS = NW__WAVES_PANEL / LANES };
    const size_t d = w->dimension;
    const float *panel = w->panels + tile * d * NW__WAVES_PANEL;
    for (size_t r = 0; r < rows; r++)
        for (size_t half = 0; half < GROUPS; half += 2) {
            lanes sum0 = { 0 }, sum1 = { 0 };
            for (size_t j = 0; j < d; j++) {
                lanes w0, w1;
                memcpy(&w0, panel + j * NW__WAVES_PANEL + half * LANES, sizeof w0);
                memcpy(&w1, panel + j * NW__WAVES_PANEL + (half + 1) * LANES, sizeof w1);
                const float x = points[r * d + j];
                sum0 += x * w0;
                sum1 += x * w1;
            }
            memcpy(turns + r * NW__WAVES_PANEL + half * LANES, &sum0, sizeof sum0);
            memcpy(turns + r * NW__WAVES_PANEL + (half + 1) * LANES, &sum1, sizeof sum1);
        }
}

static inline __attribute__((always_inline)) void tile_turns(const nw__waves *w, size_t tile, const float *point, float *turns)
{
    if (w->panels == NULL)
        block_turns(w, tile, point, turns);
    else
        panel_turns(w, tile, point, 1, turns);
    if (w->shifts != NULL) {
        const size_t first = tile * w->tile;
        const size_t n = w->pairs - first < w->tile ? w->pairs - first : w->tile;
        for (size_t i = 0; i < n; i++)
            turns[i] += w->shifts[first + i];
    }
}

/* ---- loops over tiles: static, as clones would be exported else ---- */

NW__CLONES static void phases_of(const nw__waves *waves, const float *point, float *turns)
{
    float tile[NW__WAVES_MOST_SIDE];
    for (size_t t = 0; t < waves->tiles; t++) {
        const size_t first = t * waves->tile;
        const size_t n = waves->pairs - first < waves->tile ? waves->pairs - first : waves->tile;
        tile_turns(waves, t, point, tile);
        memcpy(turns + first, tile, n * sizeof *turns);
    }
}

/* n <= NW__KDE_BATCH points: |sum| <= 2^26. */
NW__CLONES static void add_of(const nw__waves *waves, const float *points, size_t n, int64_t *cosines, int64_t *sines)
{
    float turns[NW__WAVES_MOST_SIDE];
    int32_t sums[2][NW__WAVES_MOST_SIDE];
    for (size_t t = 0; t < waves->tiles; t++) {
        const size_t first = t * waves->tile;
        const size_t count = waves->pairs - first < waves->tile ? waves->pairs - first : waves->tile;
        memset(sums[0], 0, count * sizeof **sums);
        memset(sums[1], 0, count * sizeof **sums);
        for (size_t r = 0; r < n; r++) {
            tile_turns(waves, t, points + r * waves->dimension, turns);
            for (size_t i = 0; i < count; i++) {
                const float f = fraction(turns[i]);
                sums[0][i] += in_units(cosine(f));
                sums[1][i] += in_units(sine(f));
            }
        }
        for (size_t i = 0; i < count; i++)
            cosines[first + i] += sums[0][i];
        for (size_t i = 0; sines != NULL && i < count; i++)
            sines[first + i] += sums[1][i];
    }
}

/* Eight running sums in double, whose order is fixed. */
NW__CLONES static void dot_of(
    const nw__waves *waves, const float *point, const float *c, const float *s, double *value, double *square)
{
    float turns[NW__WAVES_MOST_SIDE];
    double sums[LANES] = { 0 }, squares[LANES] = { 0 };
    for (size_t t = 0; t < waves->tiles; t++) {
        const size_t first = t * waves->tile;
        const size_t count = waves->pairs - first < waves->tile ? waves->pairs - first : waves->tile;
        tile_turns(waves, t, point, turns);
        for (size_t i = 0; i < count; i++) {
            const float f = fraction(turns[i]);
            turns[i] = s == NULL ? cosine(f) * c[first + i] : cosine(f) * c[first + i] + sine(f) * s[first + i];
        }
        for (size_t i = count; i < waves->tile && i % LANES != 0; i++)
            turns[i] = 0.0F;
        for (size_t i = 0; i < count; i += LANES)
            for (size_t k = 0; k < LANES; k++) {
                sums[k] += (double)turns[i + k];
                squares[k] += (double)turns[i + k] * (double)turns[i + k];
            }
    }
    *value = 0.0;
    *square = 0.0;
    for (size_t k = 0; k < LANES; k++) {
        *value += sums[k];
        *square += squares[k];
    }
}

/* ---- what the estimators call ---- */

void nw__waves_phases(const nw__waves *waves, const float *point, float *turns)
{
    phases_of(waves, point, turns);
}

void nw__waves_add(const nw__waves *waves, const float *points, size_t n, int64_t *cosines, int64_t *sines)
{
    add_of(waves, points, n, cosines, sines);
}

void nw__waves_dot(const nw__waves *waves, const float *point, const float *c, const float *s, double *value, double *square)
{
    dot_of(waves, point, c, s, value, square);
}

void nw__waves_hadamard(float *v, size_t side)
{
    hadamard_alone(v, side);
}
