/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_FOURIER_LANES_H
#define NW_FOURIER_LANES_H

/* fourier_lanes.h - complex Fourier transforms of any length on many signals side by side, in single precision. */
#include "base.h"

enum { NW__FOURIER_STAGES = 16 };

typedef struct nw__fourier {
    size_t n;
    size_t stages;
    size_t radix[NW__FOURIER_STAGES]; /* of each stage; their product is n */
    float *re, *im;                   /* stage after stage: [rest][radix out][radix in] factors */
} nw__fourier;

/** Makes a plan of length n, 1 .. 2^16. False if memory lacks. */
bool nw__fourier_prepare(nw__fourier *f, size_t n);
void nw__fourier_free(nw__fourier *f);

/** X_k = sum_j x_j exp(-2 pi i j k / n) over the middle index of re and im, [outer][n][inner], in place; scratch_re and
 *  scratch_im have n inner numbers. With re and im exchanged (and those of scratch) it is the inverse, times n. Signals do not
 *  mix. */
void nw__fourier_run(
    const nw__fourier *f, size_t outer, size_t inner, float *re, float *im, float *scratch_re, float *scratch_im);

#endif
