/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_GIBBS_H
#define NW_SYNTH_GIBBS_H

/* gibbs.h - the Gibbs engine's numbers, for its two kinds of steps: gibbs.c for columns without rules, gibbs_rules.c for
 * others. */
#include "keeper.h"

/* Eight lanes by the compiler's vector extension: the same operations in the same order on every machine. */
enum { LANES = 8, HALF = 4 };
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef float half __attribute__((vector_size(HALF * sizeof(float)))); /* two sums stay in registers everywhere */
typedef int32_t vector_int __attribute__((vector_size(LANES * sizeof(int32_t))));

/* One ordered pair (j, k): logit contributions, one block of padded_j floats per code of k, so that a row's block is contiguous.
 * What one row in a cell takes off is the same for (k, j): it is kept once, for j < k, laid out as the logits. */
typedef struct nw__pair_block {
    float *logits;  /* NULL if the pair is not measured */
    float *weights; /* w; NULL for j > k */
} nw__pair_block;

/* One measured 3-way, laid out for each of its columns: a block of padded floats for each pair of codes of the other two, the
 * later one fastest. `weights` as the first column's. */
typedef struct nw__triple_block {
    size_t columns[3];
    uint32_t cells[3];
    float *logits[3];
    float *weights;
} nw__triple_block;

typedef struct nw__gibbs {
    size_t columns;
    const uint32_t *cells;
    uint32_t *padded;      /* cells rounded up to LANES */
    nw__pair_block *pairs; /* [columns * columns], pair (j, k) at j * columns + k */
    nw__triple_block *triples;
    size_t triple_count;
    size_t *places;       /* the 3-ways of column j: 3 * triple + position, places_first[j] .. places_first[j + 1] - 1 */
    size_t *places_first; /* NULL: no 3-way */
    float **log_p;        /* per column: log p1, -INFINITY in the padding */
    float **alone;        /* per column: the 1-way's contribution */
    float *alone_weight;  /* per column: w of the 1-way */
    float cool;           /* factor on all contributions */
    float *scratch;       /* logits of one column */
    nw__keeper *keeper;   /* NULL: no rules */
    float *side;          /* logits of a column that follows another */
    const half **terms;   /* the blocks of contributions that one cell's logits are the sum of */
} nw__gibbs;

/** w of the cell (code of j, other of k): what one row in it takes off. */
float nw__gibbs_weight(const nw__gibbs *e, size_t j, uint16_t code, size_t k, uint16_t other);
/** Turns the logits in e->scratch[0 .. padded) of column j into weights relative to the largest logit, *highest (may be NULL).
 *  Returns their sum. */
float nw__gibbs_weigh(nw__gibbs *e, size_t j, float *highest);
/** Draws v with probability weights[v] / mass; uniform in [0, 1). */
uint16_t nw__gibbs_draw(const float *weights, uint32_t n, float mass, float uniform);

/** One step for a column that rules mention, and the columns that are functions of it. The keeper has the row. */
void nw__gibbs_resample_ruled(nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row, nw_rng *rng);
/** One step for all columns of a group (nw__keeper) together. */
void nw__gibbs_regrow(nw__gibbs *e, size_t group, uint16_t *const *columns, size_t row, nw_rng *rng);

#endif
