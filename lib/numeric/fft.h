/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_FFT_H
#define NW_FFT_H

/* fft.h - real Fourier transforms of power-of-two length with a stated pointwise error, for convolutions.
 *
 * A spectrum of a real sequence of length N is kept as N/2 complex numbers in two arrays, in bit-reversed order (nothing here
 * needs the natural one): entry p > 0 is the coefficient of frequency k = brev(p), entry 0 holds the two real coefficients of
 * frequencies 0 (re) and N/2 (im). The other half follows by conjugation.
 *
 * Error: every computed coefficient differs from the exact transform of its input by at most nw__fft_error(N) sum_j |x_j|; the
 * inverse by nw__fft_error(N) (1/N) sum_k |X_k|, all N frequencies counted. Derived in fft.c. */
#include "base.h"

typedef struct nw__fft {
    size_t size; /* twiddles for transforms up to this length */
    double *re;  /* exp(-pi i rho(b)), rho the bit-reversal fraction */
    double *im;
    double *scratch[4]; /* of size / 2 numbers each, for the caller: two spectra */
} nw__fft;

/** Makes a plan ready for transforms of length n (a power of two >= 16); may be called again with a larger n. Start with {0}. */
nw_status nw__fft_prepare(nw__fft *plan, size_t n, const char *function, nw_error *err);
void nw__fft_free(nw__fft *plan);

/** x[0], x[2], ... in re and x[1], x[3], ... in im, n/2 each; replaced by the spectrum. */
void nw__fft_forward(const nw__fft *plan, double *re, double *im, size_t n);
/** The reverse, scaled by 1/n. */
void nw__fft_inverse(const nw__fft *plan, double *re, double *im, size_t n);
double nw__fft_error(size_t n);

#endif
