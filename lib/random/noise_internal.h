/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NOISE_INTERNAL_H
#define NW_NOISE_INTERNAL_H

/* noise_internal.h - the slot table of one law; design and proof in docs/rooms/sampler.md#slot-table. */
#include "random_internal.h"

#include <nw/noise.h>

enum { NW__SLOT_BITS = 14, NW__SLOTS = 1 << NW__SLOT_BITS };

/** In nw__noise.fast: the slot needs the full test. */
#define NW__SLOT_FLAGGED INT16_MIN

typedef enum nw__slot_kind {
    NW__SLOT_UNUSED = 0, /* always rejects */
    NW__SLOT_BLOCK = 1,  /* cells base .. base + 2^log2_width - 1, one level of them */
    NW__SLOT_TAIL = 2    /* Laplace: all of the law at or beyond `base`, away from 0 */
} nw__slot_kind;

/** A rectangle of area A: its cells wide, A / width high, `level` of its own heights above the axis.
 *  The chord of the law over the block, in heights above the level: |p(base + u width) width / A - level - (start + slope u)| <
 *  slack for 0 <= u <= 1, roundings and the margin included. It decides most trials without an exponential. */
typedef struct nw__slot {
    int64_t base;
    uint16_t level;
    uint8_t log2_width;
    uint8_t kind;
    float start;
    float slope;
    float slack;
} nw__slot;

struct nw_noise {
    const struct nw__kernels *kernels; /* kernels.h; replaced by tests only */
    nw_noise_law law;
    double scale;
    /* The law on the lattice of cells: the rounded Gaussian is drawn as a real y = cell + fraction of scale lattice_scale =
     * 2^halvings * scale and comes out as floor(y / 2^halvings + 1/2); the other laws live on the integers, halvings = 0. */
    double lattice_scale;
    unsigned halvings;
    bool is_continuous;
    double area;         /* A */
    unsigned log2_width; /* of the fast slots */
    double margin;       /* relative error allowed to the double evaluation of a height; inflated by tests only */
    /* Block number, cells from number * 2^log2_width; or NW__SLOT_FLAGGED. Vector kernels read 4 bytes at the last entry. */
    int16_t fast[NW__SLOTS + 2];
    nw__slot slots[NW__SLOTS];
};

/** As nw_noise_new; a larger margin sends more comparisons to the wide path and must not change any output. */
nw_status nw__noise_new_with_margin(nw_noise **out, nw_noise_law law, double scale, double margin, nw_error *err);
/** Error of the double evaluation, relative to the height: |exponent| <= 128 with at most 8 roundings each of relative 2^-53,
 *  that of a cell beyond 2^53 to a double among them, so an absolute error of 2^-43 in the exponent, plus 2^-52 of exp and of
 *  two products. 2^-38 leaves a factor of 30. A larger exponent is that of a height below 2^-160. */
#define NW__NOISE_MARGIN 0x1p-38

#endif
