/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fft.c - decimation in time with the twiddles in bit-reversed order: the polynomial X^M - 1 is split into X^(M/2) - 1 and
 * X^(M/2) + 1, and so on, so each block of a stage has one twiddle, the same table serves all lengths and no permutation is
 * needed. The real transform of length N is the complex one of length M = N/2 and one more pass  [Sor87, sec. III].
 *
 * Error. u = 2^-53. A product of complex numbers is right to sqrt(5) u  [BPZ07, Thm 1]. A twiddle is right to 1.5 u, or is the
 * product of two such: 5.3 u. A stage multiplies by a twiddle and adds (u): every path from an input to an output gains a factor
 * within (1 +- 8.6 u) a stage. The pass that separates even and odd samples is one stage of two additions and a product, 11 u
 * covers it. With log2 M stages the sum of the moduli of the inputs times ((1 + 8.6 u)^log2 M (1 + 11 u) - 1) bounds the error of
 * each output; 12 u log2 N is above that for N >= 16. */
#include "fft.h"

#include <math.h>
#include <stdlib.h>

enum { CACHED = 1 << 11, LAST = 8, FIRST = 1 << 9 };

void nw__fft_free(nw__fft *plan)
{
    free(plan->re);
    free(plan->im);
    for (int i = 0; i < 4; i++)
        free(plan->scratch[i]);
    *plan = (nw__fft){ 0 };
}

double nw__fft_error(size_t n)
{
    return 12.0 * 0x1p-53 * log2((double)n);
}

/* rho(b): the bits of b mirrored at the binary point. */
static double mirrored(size_t b)
{
    double rho = 0.0;
    double bit = 0.5;
    for (size_t rest = b; rest != 0; rest >>= 1, bit *= 0.5)
        rho += (rest & 1) != 0 ? bit : 0.0;
    return rho;
}

/* exp(-pi i rho(b)), b in [from, to). rho(b) is the sum of the rho of its low bits and of its high bits: the first FIRST twiddles
 * are computed, of each later group of FIRST the first, and the others as products. */
static void fill_twiddles(nw__fft *plan, size_t from, size_t to)
{
    static const double PI = 3.14159265358979323846;
    for (size_t group = from / FIRST; group * FIRST < to; group++) {
        const double c = cos(PI * mirrored(group * FIRST));
        const double s = -sin(PI * mirrored(group * FIRST));
        const size_t begin = group * FIRST < from ? from - group * FIRST : 0;
        const size_t end = to - group * FIRST < FIRST ? to - group * FIRST : FIRST;
        for (size_t b = begin; b < end; b++) {
            double *re = &plan->re[group * FIRST + b];
            double *im = &plan->im[group * FIRST + b];
            if (group == 0) {
                *re = cos(PI * mirrored(b));
                *im = -sin(PI * mirrored(b));
            } else {
                *re = plan->re[b] * c - plan->im[b] * s;
                *im = plan->re[b] * s + plan->im[b] * c;
            }
        }
    }
}

nw_status nw__fft_prepare(nw__fft *plan, size_t n, const char *function, nw_error *err)
{
    if (n <= plan->size)
        return NW_OK;
    nw__fft larger = { .size = n, .re = nw__calloc(n / 2, sizeof(double)), .im = nw__calloc(n / 2, sizeof(double)) };
    bool is_ok = larger.re != NULL && larger.im != NULL;
    for (int i = 0; i < 4; i++) {
        larger.scratch[i] = nw__calloc(n / 2, sizeof(double));
        is_ok = is_ok && larger.scratch[i] != NULL;
    }
    if (!is_ok) {
        nw__fft_free(&larger);
        return nw__fail_memory(err, function);
    }
    for (size_t b = 0; b < plan->size / 2; b++) {
        larger.re[b] = plan->re[b];
        larger.im[b] = plan->im[b];
    }
    fill_twiddles(&larger, plan->size / 2, n / 2);
    nw__fft_free(plan);
    *plan = larger;
    return NW_OK;
}

#define INLINE __attribute__((always_inline)) static inline

/* One block: (u, v) -> (u + w v, u - w v). */
INLINE void split(double *restrict re, double *restrict im, size_t half, double c, double s)
{
    double *restrict re2 = re + half;
    double *restrict im2 = im + half;
    for (size_t j = 0; j < half; j++) {
        const double vr = re2[j] * c - im2[j] * s;
        const double vi = re2[j] * s + im2[j] * c;
        re2[j] = re[j] - vr;
        im2[j] = im[j] - vi;
        re[j] += vr;
        im[j] += vi;
    }
}

/* Its inverse, times 2: (u, v) -> (u + v, (u - v) / w). */
INLINE void join(double *restrict re, double *restrict im, size_t half, double c, double s)
{
    double *restrict re2 = re + half;
    double *restrict im2 = im + half;
    for (size_t j = 0; j < half; j++) {
        const double dr = re[j] - re2[j];
        const double di = im[j] - im2[j];
        re[j] += re2[j];
        im[j] += im2[j];
        re2[j] = dr * c + di * s;
        im2[j] = di * c - dr * s;
    }
}

/* The coefficients of frequencies k and M - k from the transform Z of even + i odd samples: E = (Z_k + conj Z_(M-k)) / 2,
 * O = (Z_k - conj Z_(M-k)) / 2i, X_k = E + w O, X_(M-k) = conj(E - w O). In bit-reversed order M - k mirrors a block. */
static void separate(const nw__fft *plan, double *re, double *im, size_t m, bool is_inverse)
{
    for (size_t block = 2; block < m; block *= 2) {
        for (size_t p = block, q = 2 * block - 1; p < q; p++, q--) {
            const double er = 0.5 * (re[p] + re[q]);
            const double ei = 0.5 * (im[p] - im[q]);
            const double dr = 0.5 * (re[p] - re[q]);
            const double di = 0.5 * (im[p] + im[q]);
            const double c = plan->re[p];
            const double s = is_inverse ? -plan->im[p] : plan->im[p];
            /* forward: w O = w (d / i) = w (di - i dr); inverse: O i = i d / w */
            const double or = is_inverse ? -di : di;
            const double oi = is_inverse ? dr : -dr;
            const double tr = or *c - oi * s;
            const double ti = or *s + oi * c;
            re[p] = er + tr;
            im[p] = ei + ti;
            re[q] = er - tr;
            im[q] = ti - ei;
        }
    }
    const double sum = re[0] + im[0];
    const double difference = re[0] - im[0];
    re[0] = is_inverse ? 0.5 * sum : sum;
    im[0] = is_inverse ? 0.5 * difference : difference;
    im[1] = -im[1]; /* k = M/2 is its own mirror: E + w O = conj Z */
}

/* Two stages of split in one pass over the numbers: block b, then its halves 2b and 2b + 1. */
INLINE void split_twice(const nw__fft *plan, double *restrict re, double *restrict im, size_t quarter, size_t b)
{
    double *restrict re1 = re + quarter;
    double *restrict im1 = im + quarter;
    double *restrict re2 = re + 2 * quarter;
    double *restrict im2 = im + 2 * quarter;
    double *restrict re3 = re + 3 * quarter;
    double *restrict im3 = im + 3 * quarter;
    const double c = plan->re[b], s = plan->im[b];
    const double c0 = plan->re[2 * b], s0 = plan->im[2 * b];
    const double c1 = plan->re[2 * b + 1], s1 = plan->im[2 * b + 1];
    for (size_t j = 0; j < quarter; j++) {
        const double vr2 = re2[j] * c - im2[j] * s;
        const double vi2 = re2[j] * s + im2[j] * c;
        const double vr3 = re3[j] * c - im3[j] * s;
        const double vi3 = re3[j] * s + im3[j] * c;
        const double r0 = re[j] + vr2, i0 = im[j] + vi2;
        const double r1 = re1[j] + vr3, i1 = im1[j] + vi3;
        const double r2 = re[j] - vr2, i2 = im[j] - vi2;
        const double r3 = re1[j] - vr3, i3 = im1[j] - vi3;
        const double vr1 = r1 * c0 - i1 * s0;
        const double vi1 = r1 * s0 + i1 * c0;
        const double wr3 = r3 * c1 - i3 * s1;
        const double wi3 = r3 * s1 + i3 * c1;
        re[j] = r0 + vr1;
        im[j] = i0 + vi1;
        re1[j] = r0 - vr1;
        im1[j] = i0 - vi1;
        re2[j] = r2 + wr3;
        im2[j] = i2 + wi3;
        re3[j] = r2 - wr3;
        im3[j] = i2 - wi3;
    }
}

INLINE void join_twice(const nw__fft *plan, double *restrict re, double *restrict im, size_t quarter, size_t b)
{
    double *restrict re1 = re + quarter;
    double *restrict im1 = im + quarter;
    double *restrict re2 = re + 2 * quarter;
    double *restrict im2 = im + 2 * quarter;
    double *restrict re3 = re + 3 * quarter;
    double *restrict im3 = im + 3 * quarter;
    const double c = plan->re[b], s = plan->im[b];
    const double c0 = plan->re[2 * b], s0 = plan->im[2 * b];
    const double c1 = plan->re[2 * b + 1], s1 = plan->im[2 * b + 1];
    for (size_t j = 0; j < quarter; j++) {
        const double dr1 = re[j] - re1[j], di1 = im[j] - im1[j];
        const double dr3 = re2[j] - re3[j], di3 = im2[j] - im3[j];
        const double r0 = re[j] + re1[j], i0 = im[j] + im1[j];
        const double r1 = dr1 * c0 + di1 * s0, i1 = di1 * c0 - dr1 * s0;
        const double r2 = re2[j] + re3[j], i2 = im2[j] + im3[j];
        const double r3 = dr3 * c1 + di3 * s1, i3 = di3 * c1 - dr3 * s1;
        const double dr2 = r0 - r2, di2 = i0 - i2;
        const double er3 = r1 - r3, ei3 = i1 - i3;
        re[j] = r0 + r2;
        im[j] = i0 + i2;
        re1[j] = r1 + r3;
        im1[j] = i1 + i3;
        re2[j] = dr2 * c + di2 * s;
        im2[j] = di2 * c - dr2 * s;
        re3[j] = er3 * c + ei3 * s;
        im3[j] = ei3 * c - er3 * s;
    }
}

/* The last stages of a block of LAST numbers, unrolled. */
INLINE void split_last(const nw__fft *plan, double *re, double *im, size_t b)
{
    split_twice(plan, re, im, LAST / 4, b);
    for (size_t i = 0; i < LAST / 2; i++)
        split(re + 2 * i, im + 2 * i, 1, plan->re[4 * b + i], plan->im[4 * b + i]);
}

INLINE void join_first(const nw__fft *plan, double *re, double *im, size_t b)
{
    for (size_t i = 0; i < LAST / 2; i++)
        join(re + 2 * i, im + 2 * i, 1, plan->re[4 * b + i], plan->im[4 * b + i]);
    join_twice(plan, re, im, LAST / 4, b);
}

static bool is_odd_power(size_t power_of_two)
{
    return (power_of_two & (size_t)0x5555555555555555u) == 0;
}

/* The stages of block b of m >= LAST numbers, two at a time. Quarters are finished one after the other while they do not fit a
 * cache, so that they are not read again for every stage. */
NW__CLONES static void descend(const nw__fft *plan, double *re, double *im, size_t m, size_t b)
{
    if (m > CACHED) {
        split_twice(plan, re, im, m / 4, b);
        for (size_t i = 0; i < 4; i++)
            descend(plan, re + i * (m / 4), im + i * (m / 4), m / 4, 4 * b + i);
        return;
    }
    size_t size = m;
    size_t blocks = 1;
    for (; size >= 4 * LAST; size /= 4, blocks *= 4)
        for (size_t i = 0; i < blocks; i++)
            split_twice(plan, re + size * i, im + size * i, size / 4, b * blocks + i);
    if (size == 2 * LAST) {
        for (size_t i = 0; i < blocks; i++)
            split(re + size * i, im + size * i, LAST, plan->re[b * blocks + i], plan->im[b * blocks + i]);
        blocks *= 2;
    }
    for (size_t i = 0; i < blocks; i++)
        split_last(plan, re + LAST * i, im + LAST * i, b * blocks + i);
}

NW__CLONES static void ascend(const nw__fft *plan, double *re, double *im, size_t m, size_t b)
{
    if (m > CACHED) {
        for (size_t i = 0; i < 4; i++)
            ascend(plan, re + i * (m / 4), im + i * (m / 4), m / 4, 4 * b + i);
        join_twice(plan, re, im, m / 4, b);
        return;
    }
    size_t size = LAST;
    size_t blocks = m / LAST;
    for (size_t i = 0; i < blocks; i++)
        join_first(plan, re + LAST * i, im + LAST * i, b * blocks + i);
    if (is_odd_power(m / LAST)) {
        size *= 2;
        blocks /= 2;
        for (size_t i = 0; i < blocks; i++)
            join(re + size * i, im + size * i, LAST, plan->re[b * blocks + i], plan->im[b * blocks + i]);
    }
    while (size < m) {
        size *= 4;
        blocks /= 4;
        for (size_t i = 0; i < blocks; i++)
            join_twice(plan, re + size * i, im + size * i, size / 4, b * blocks + i);
    }
}

void nw__fft_forward(const nw__fft *plan, double *re, double *im, size_t n)
{
    descend(plan, re, im, n / 2, 0);
    separate(plan, re, im, n / 2, false);
}

void nw__fft_inverse(const nw__fft *plan, double *re, double *im, size_t n)
{
    const size_t m = n / 2;
    const double scale = 1.0 / (double)m;
    separate(plan, re, im, m, true);
    ascend(plan, re, im, m, 0);
    for (size_t j = 0; j < m; j++) {
        re[j] *= scale;
        im[j] *= scale;
    }
}
