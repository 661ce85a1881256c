/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fourier_lanes.c - the self-sorting transform of Stockham in any radix: a stage takes n = r m apart into
 *
 *   y[q + s (r p + k)] = sum_j x[q + s (p + m j)] w_r^(j k) w_n^(p k),    w_n = exp(-2 pi i / n),
 *
 * and goes on with length m and stride s r. The two factors are one in the table, so a stage is small matrices times runs of s
 * inner numbers. */
#include "fourier_lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The next radix of what is left of the length: 4 while it divides, then the least prime. */
static size_t next_radix(size_t n)
{
    if (n % 4 == 0)
        return 4;
    for (size_t r = 2; r * r <= n; r++)
        if (n % r == 0)
            return r;
    return n;
}

static void fill_stage(const nw__fourier *f, size_t n, size_t r, float *re, float *im)
{
    static const double two_pi = 6.28318530717958647693;
    const size_t step = f->n / n; /* w_n = w_N^step, w_r = w_N^(N / r) */
    size_t i = 0;
    for (size_t p = 0; p < n / r; p++)
        for (size_t k = 0; k < r; k++)
            for (size_t j = 0; j < r; j++, i++) {
                const size_t turn = (j * k * (f->n / r) + p * k * step) % f->n;
                re[i] = (float)cos(two_pi * (double)turn / (double)f->n);
                im[i] = (float)-sin(two_pi * (double)turn / (double)f->n);
            }
}

bool nw__fourier_prepare(nw__fourier *f, size_t n)
{
    size_t size = 0;
    *f = (nw__fourier){ .n = n };
    for (size_t rest = n; rest > 1; rest /= f->radix[f->stages++]) {
        f->radix[f->stages] = next_radix(rest);
        size += rest * f->radix[f->stages];
    }
    f->re = nw__calloc(size, sizeof *f->re);
    f->im = nw__calloc(size, sizeof *f->im);
    if (f->re == NULL || f->im == NULL)
        return false;
    size = 0;
    for (size_t stage = 0, rest = n; stage < f->stages; rest /= f->radix[stage++]) {
        fill_stage(f, rest, f->radix[stage], f->re + size, f->im + size);
        size += rest * f->radix[stage];
    }
    return true;
}

void nw__fourier_free(nw__fourier *f)
{
    free(f->re);
    free(f->im);
    *f = (nw__fourier){ 0 };
}

/* out (+)= sum_{j < inputs} c_j x_j, complex, in runs of `run` numbers that are `apart` from each other. */
static inline __attribute__((always_inline)) void combine(size_t inputs, bool adds, const float *c_re, const float *c_im,
    const float *x_re, const float *x_im, size_t apart, size_t run, float *restrict out_re, float *restrict out_im)
{
    for (size_t i = 0; i < run; i++) {
        float re = adds ? out_re[i] : 0.0F;
        float im = adds ? out_im[i] : 0.0F;
        for (size_t j = 0; j < inputs; j++) {
            re += c_re[j] * x_re[j * apart + i] - c_im[j] * x_im[j * apart + i];
            im += c_re[j] * x_im[j * apart + i] + c_im[j] * x_re[j * apart + i];
        }
        out_re[i] = re;
        out_im[i] = im;
    }
}

static inline __attribute__((always_inline)) void combine_all(size_t r, const float *c_re, const float *c_im, const float *x_re,
    const float *x_im, size_t apart, size_t run, float *out_re, float *out_im)
{
    if (r == 2)
        combine(2, false, c_re, c_im, x_re, x_im, apart, run, out_re, out_im);
    else if (r == 3)
        combine(3, false, c_re, c_im, x_re, x_im, apart, run, out_re, out_im);
    else if (r == 4)
        combine(4, false, c_re, c_im, x_re, x_im, apart, run, out_re, out_im);
    else
        for (size_t j = 0; j < r; j++)
            combine(1, j > 0, c_re + j, c_im + j, x_re + j * apart, x_im + j * apart, apart, run, out_re, out_im);
}

/* One stage of one signal set: length n = r m at stride s. */
NW__CLONES static void run_stage(size_t n, size_t r, size_t s, size_t inner, const float *c_re, const float *c_im,
    const float *x_re, const float *x_im, float *y_re, float *y_im)
{
    const size_t m = n / r;
    const size_t run = s * inner;
    for (size_t p = 0; p < m; p++)
        for (size_t k = 0; k < r; k++) {
            const size_t c = (p * r + k) * r;
            combine_all(r, c_re + c, c_im + c, x_re + p * run, x_im + p * run, m * run, run, y_re + (r * p + k) * run,
                y_im + (r * p + k) * run);
        }
}

/* One set of signals, [n][inner]. */
static void run_one(const nw__fourier *f, size_t inner, float *re, float *im, float *scratch_re, float *scratch_im)
{
    size_t c = 0;
    size_t n = f->n;
    size_t s = 1;
    float *from[2] = { re, im };
    float *to[2] = { scratch_re, scratch_im };
    for (size_t stage = 0; stage < f->stages; stage++) {
        const size_t r = f->radix[stage];
        float *const swap[2] = { from[0], from[1] };
        run_stage(n, r, s, inner, f->re + c, f->im + c, from[0], from[1], to[0], to[1]);
        c += n * r;
        n /= r;
        s *= r;
        memcpy(from, to, sizeof from);
        memcpy(to, swap, sizeof to);
    }
    if (from[0] != re) {
        memcpy(re, from[0], f->n * inner * sizeof *re);
        memcpy(im, from[1], f->n * inner * sizeof *im);
    }
}

void nw__fourier_run(const nw__fourier *f, size_t outer, size_t inner, float *re, float *im, float *scratch_re, float *scratch_im)
{
    for (size_t o = 0; o < outer; o++) {
        const size_t at = o * f->n * inner;
        run_one(f, inner, re + at, im + at, scratch_re, scratch_im);
    }
}
