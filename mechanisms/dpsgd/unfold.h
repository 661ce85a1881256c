/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_UNFOLD_H
#define NW_UNFOLD_H

/* unfold.h - a convolution as a product: of one group of channels, the matrix inputs x positions of what each weight meets at
 * each output position; outside of the image it meets zeros. */
#include <nw/dpsgd.h>

static inline size_t nw__conv_height(const nw_dpsgd_conv *c)
{
    return (c->height + 2 * c->padding - c->dilation * (c->kernel_height - 1) - 1) / c->stride + 1;
}

static inline size_t nw__conv_width(const nw_dpsgd_conv *c)
{
    return (c->width + 2 * c->padding - c->dilation * (c->kernel_width - 1) - 1) / c->stride + 1;
}

static inline size_t nw__conv_inputs(const nw_dpsgd_conv *c)
{
    return c->channels_in / c->groups * c->kernel_height * c->kernel_width;
}

/** channels: those of the group. */
void nw__unfold(const nw_dpsgd_conv *c, const float *channels, float *matrix);
/** The transpose: adds each number of the matrix to the place that it came from. */
void nw__fold(const nw_dpsgd_conv *c, const float *matrix, float *channels);

#endif
