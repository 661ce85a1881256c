/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* unfold.c - images to matrices and back. */
#include "unfold.h"

#include <string.h>

/* The positions first .. end - 1 of `out` whose place stride o + shift - padding lies within 0 .. side - 1. */
typedef struct span {
    size_t first, end;
} span;

static span inside(size_t side, size_t out, size_t stride, size_t shift, size_t padding)
{
    span s = { shift >= padding ? 0 : (padding - shift + stride - 1) / stride,
        shift >= side + padding ? 0 : (side + padding - shift - 1) / stride + 1 };
    s.end = s.end < out ? s.end : out;
    s.first = s.first < s.end ? s.first : s.end;
    return s;
}

/* Row i of the matrix: the channel and the shift that its weight stands for. */
typedef struct row {
    size_t channel, down, right; /* the last two with the padding in them */
    span y, x;
} row;

static row row_of(const nw_dpsgd_conv *c, size_t i)
{
    const size_t kernel = c->kernel_height * c->kernel_width;
    row r = {
        .channel = i / kernel, .down = i % kernel / c->kernel_width * c->dilation, .right = i % c->kernel_width * c->dilation
    };
    r.y = inside(c->height, nw__conv_height(c), c->stride, r.down, c->padding);
    r.x = inside(c->width, nw__conv_width(c), c->stride, r.right, c->padding);
    return r;
}

void nw__unfold(const nw_dpsgd_conv *c, const float *channels, float *matrix)
{
    const size_t wide = nw__conv_width(c);
    const size_t high = nw__conv_height(c);
    for (size_t i = 0; i < nw__conv_inputs(c); i++) {
        const row r = row_of(c, i);
        float *out = matrix + i * high * wide;
        if (r.y.end - r.y.first < high || r.x.end - r.x.first < wide)
            memset(out, 0, high * wide * sizeof *out);
        for (size_t y = r.y.first; y < r.y.end; y++) {
            const float *line = channels + (r.channel * c->height + r.down + y * c->stride - c->padding) * c->width;
            for (size_t x = r.x.first; x < r.x.end; x++)
                out[y * wide + x] = line[r.right + x * c->stride - c->padding];
        }
    }
}

void nw__fold(const nw_dpsgd_conv *c, const float *matrix, float *channels)
{
    const size_t wide = nw__conv_width(c);
    const size_t high = nw__conv_height(c);
    for (size_t i = 0; i < nw__conv_inputs(c); i++) {
        const row r = row_of(c, i);
        const float *in = matrix + i * high * wide;
        for (size_t y = r.y.first; y < r.y.end; y++) {
            float *line = channels + (r.channel * c->height + r.down + y * c->stride - c->padding) * c->width;
            for (size_t x = r.x.first; x < r.x.end; x++)
                line[r.right + x * c->stride - c->padding] += in[y * wide + x];
        }
    }
}
