/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ELEMENTARY_H
#define NW_ELEMENTARY_H

/* elementary.h - exp, tanh and ln(1 + x) in float without branches or calls, so that a loop over them becomes vector code, and
 * sums in a fixed order of lanes. The same bits on every processor. A NaN comes out as a NaN. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NW__SUM_LANES = 16 };

/** Within 2 units in the last place, in [-87, 88]; beyond, as at the end. Cody and Waite's reduction to |r| <= ln(2) / 2 and the
 *  polynomial of Cephes' expf [Mos89]. */
static inline float nw__exp(float x)
{
    const float shift = 12582912.0F; /* 1.5 * 2^23: adding it rounds to an integer, which stands in the low bits */
    const float raised = x < -87.0F ? -87.0F : x;
    const float clamped = raised > 88.0F ? 88.0F : raised;
    const float shifted = clamped * 1.44269504F + shift;
    const float n = shifted - shift;
    const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
    uint32_t bits;
    float power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4B400000U + 127U) << 23;
    memcpy(&power, &bits, sizeof power);
    const float p =
        ((((1.9875691500e-4F * r + 1.3981999507e-3F) * r + 8.3334519073e-3F) * r + 4.1665795894e-2F) * r + 1.6666665459e-1F) * r +
        5.0000001201e-1F;
    return (p * (r * r) + r + 1.0F) * power;
}

/** Within 4 units in the last place: x P(x^2) / Q(x^2), a minimax quotient on [-7.9, 7.9], beyond which a float cannot tell it
 *  from 1. */
static inline float nw__tanh(float x)
{
    const float raised = x < -7.90531110F ? -7.90531110F : x;
    const float y = raised > 7.90531110F ? 7.90531110F : raised;
    const float s = y * y;
    const float p =
        ((((((-2.76076847742355e-16F * s + 2.00018790482477e-13F) * s - 8.60467152213735e-11F) * s + 5.12229709037114e-08F) * s +
              1.48572235717979e-05F) *
                 s +
             6.37261928875436e-04F) *
                s +
            4.89352455891786e-03F) *
        y;
    const float q = ((1.19825839466702e-06F * s + 1.18534705686654e-04F) * s + 2.26843463243900e-03F) * s + 4.89352518554385e-03F;
    return p / q;
}

/** ln(1 + t) of t in [0, 1], within 3 units in the last place: 2 artanh(s) = 2 (s + s^3 / 3 + ...), s = t / (2 + t) <= 1/3. The
 *  terms that are left out are together below 2^-28 of the first. */
static inline float nw__log1p(float t)
{
    const float s = t / (2.0F + t);
    const float q = s * s;
    const float p =
        ((((((q / 15.0F + 1.0F / 13.0F) * q + 1.0F / 11.0F) * q + 1.0F / 9.0F) * q + 1.0F / 7.0F) * q + 1.0F / 5.0F) * q +
            1.0F / 3.0F) *
        q;
    return 2.0F * (s + s * p);
}

/** x[0] y[0] + ...: lane i takes every 16th product from i on; then the lanes are added in order. */
static inline float nw__dot(const float *x, const float *y, size_t n)
{
    float lanes[NW__SUM_LANES] = { 0 };
    size_t i = 0;
    for (; i + NW__SUM_LANES <= n; i += NW__SUM_LANES)
        for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
            lanes[lane] += x[i + lane] * y[i + lane];
    for (size_t lane = 0; i < n; i++, lane++)
        lanes[lane] += x[i] * y[i];
    float sum = 0.0F;
    for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
        sum += lanes[lane];
    return sum;
}

static inline float nw__sum(const float *x, size_t n)
{
    float lanes[NW__SUM_LANES] = { 0 };
    size_t i = 0;
    for (; i + NW__SUM_LANES <= n; i += NW__SUM_LANES)
        for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
            lanes[lane] += x[i + lane];
    for (size_t lane = 0; i < n; i++, lane++)
        lanes[lane] += x[i];
    float sum = 0.0F;
    for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
        sum += lanes[lane];
    return sum;
}

static inline float nw__largest(const float *x, size_t n)
{
    float lanes[NW__SUM_LANES];
    size_t i = 0;
    for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
        lanes[lane] = x[0];
    for (; i + NW__SUM_LANES <= n; i += NW__SUM_LANES)
        for (size_t lane = 0; lane < NW__SUM_LANES; lane++)
            lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
    for (size_t lane = 0; i < n; i++, lane++)
        lanes[lane] = x[i] > lanes[lane] ? x[i] : lanes[lane];
    float largest = lanes[0];
    for (size_t lane = 1; lane < NW__SUM_LANES; lane++)
        largest = lanes[lane] > largest ? lanes[lane] : largest;
    return largest;
}

#endif
