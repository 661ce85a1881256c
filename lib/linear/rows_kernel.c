/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rows_kernel.c - one block of a product of rows, on vectors of NW__ROWS_LANES floats: compiled once a width, with the
 * instructions of that width, and with fused multiplications where there are some. A tile of rows x two vectors is added up in
 * registers; each of its numbers by itself and in order, so that it does not matter how many rows a tile has. */
#include "rows.h"

#include <string.h>

#define LANES NW__ROWS_LANES
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
/* Rows of a tile: as many as leave registers for two vectors of the matrix and one of the rows. */
enum { PANEL = 2 * LANES, TILE = LANES == 16 ? 12 : LANES == 8 ? 6 : 4 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

static inline vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void store(float *to, vector v)
{
    memcpy(to, &v, sizeof v);
}

/* x w for a tile; x is packed, input by input. */
static inline void sum_tile(const float *x, size_t ins, const float *w, vector left[TILE], vector right[TILE])
{
    for (size_t i = 0; i < TILE; i++)
        left[i] = right[i] = (vector){ 0 };
    for (size_t p = 0; p < ins; p++) {
        const vector w_left = load(w + p * PANEL);
        const vector w_right = load(w + p * PANEL + LANES);
        for (size_t i = 0; i < TILE; i++) {
            left[i] += x[p * TILE + i] * w_left;
            right[i] += x[p * TILE + i] * w_right;
        }
    }
}

/* y += x w. */
static inline void tile(const float *x, size_t ins, const float *w, float *y, size_t y_step)
{
    vector left[TILE];
    vector right[TILE];
    for (size_t i = 0; i < TILE; i++) {
        __builtin_prefetch(y + i * y_step, 1);
        __builtin_prefetch(y + i * y_step + PANEL - 1, 1);
    }
    sum_tile(x, ins, w, left, right);
    for (size_t i = 0; i < TILE; i++) {
        store(y + i * y_step, load(y + i * y_step) + left[i]);
        store(y + i * y_step + LANES, load(y + i * y_step + LANES) + right[i]);
    }
}

/* A tile at an edge goes through an array that has room for all of it. */
static void edge(size_t rows, const float *x, size_t ins, const float *w, float *y, size_t y_step, size_t outs)
{
    float whole[TILE * PANEL];
    vector left[TILE];
    vector right[TILE];
    sum_tile(x, ins, w, left, right);
    for (size_t i = 0; i < TILE; i++) {
        store(whole + i * PANEL, left[i]);
        store(whole + i * PANEL + LANES, right[i]);
    }
    for (size_t i = 0; i < rows; i++) {
        float *to = y + i * y_step;
        const size_t from = outs >= LANES ? LANES : 0;
        if (outs >= LANES)
            store(to, load(to) + left[i]);
        for (size_t j = from; j < outs; j++)
            to[j] += whole[i * PANEL + j];
    }
}

/* One output: lanes are rows. The same sums in the same order. */
static void multiply_by_one(const nw__rows *r, const nw__rows_block *b)
{
    float turned[NW__ROWS_DEPTH * LANES];
    for (size_t i = b->first_row; i < b->end_row; i += LANES) {
        const size_t rows = b->end_row - i < LANES ? b->end_row - i : LANES;
        vector sum = { 0 };
        float sums[LANES];
        for (size_t j = 0; j < LANES; j++) {
            const float *x = r->x + (i + (j < rows ? j : 0)) * r->k + b->first_in; /* a lane too many takes any row */
            for (size_t p = 0; p < b->ins; p++)
                turned[p * LANES + j] = x[p];
        }
        for (size_t p = 0; p < b->ins; p++)
            sum += load(turned + p * LANES) * r->scratch[p * PANEL];
        store(sums, sum);
        for (size_t j = 0; j < rows; j++)
            r->y[i + j] += sums[j];
    }
}

/* Rows first .. first + rows - 1 of X, and zeros for those that a tile lacks. */
static void pack_rows(const nw__rows *r, const nw__rows_block *b, size_t first, size_t rows, float *to)
{
    for (size_t i = 0; i < TILE; i++) {
        const float *x = r->x + (first + (i < rows ? i : 0)) * r->k + b->first_in;
        for (size_t p = 0; p < b->ins; p++)
            to[p * TILE + i] = i < rows ? x[p] : 0.0F;
    }
}

static void multiply(const nw__rows *r, const nw__rows_block *b)
{
    float packed[NW__ROWS_AT_ONCE * NW__ROWS_DEPTH];
    if (r->n == 1) {
        multiply_by_one(r, b);
        return;
    }
    for (size_t i = b->first_row; i < b->end_row; i += TILE)
        pack_rows(r, b, i, b->end_row - i < TILE ? b->end_row - i : TILE, packed + (i - b->first_row) * b->ins);
    for (size_t out = 0; out < b->outs; out += PANEL) {
        const float *w = r->scratch + out * b->ins;
        const size_t outs = b->outs - out < PANEL ? b->outs - out : PANEL;
        for (size_t i = b->first_row; i < b->end_row; i += TILE) {
            const float *x = packed + (i - b->first_row) * b->ins;
            const size_t rows = b->end_row - i < TILE ? b->end_row - i : TILE;
            float *y = r->y + i * r->n + b->first_out + out;
            if (rows == TILE && outs == PANEL)
                tile(x, b->ins, w, y, r->n);
            else
                edge(rows, x, b->ins, w, y, r->n, outs);
        }
    }
}

/* Of a matrix with an output a row: through squares, so that a cache line of each row is read once. */
static void pack_turned(const float *w, size_t step, size_t ins, size_t outs, float *to)
{
    enum { SQUARE = 16 };
    float square[PANEL][SQUARE];
    for (size_t p = 0; p < ins; p += SQUARE) {
        const size_t n = ins - p < SQUARE ? ins - p : SQUARE;
        for (size_t j = 0; j < outs; j++)
            memcpy(square[j], w + j * step + p, n * sizeof *w);
        for (size_t q = 0; q < n; q++)
            for (size_t j = 0; j < outs; j++)
                to[(p + q) * PANEL + j] = square[j][q];
    }
}

static void pack(const nw__rows *r, const nw__rows_block *b, size_t i)
{
    float *to = r->scratch + i * PANEL * b->ins;
    const size_t first = b->first_out + i * PANEL;
    const size_t left = b->first_out + b->outs - first;
    const size_t outs = left < PANEL ? left : PANEL;
    if (outs < PANEL)
        memset(to, 0, PANEL * b->ins * sizeof *to);
    if (r->is_turned && outs == PANEL)
        pack_turned(r->w + first * r->k + b->first_in, r->k, b->ins, PANEL, to);
    else if (r->is_turned)
        pack_turned(r->w + first * r->k + b->first_in, r->k, b->ins, outs, to);
    else if (outs == PANEL)
        for (size_t p = 0; p < b->ins; p++)
            memcpy(to + p * PANEL, r->w + (b->first_in + p) * r->n + first, PANEL * sizeof *to);
    else
        for (size_t p = 0; p < b->ins; p++)
            memcpy(to + p * PANEL, r->w + (b->first_in + p) * r->n + first, outs * sizeof *to);
}

const nw__rows_kernel JOIN(nw__rows_kernel_, LANES) = { .panel = PANEL, .pack = pack, .multiply = multiply };
