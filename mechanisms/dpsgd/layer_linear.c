/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_linear.c - products of rows with weights. */
#include "layers_internal.h"
#include "rows.h"

static void linear_forward(const nw__op *op, const nw__io *io)
{
    nw__rows_product(&(nw__rows){ .rows = io->examples * op->from.positions,
        .n = op->to.width,
        .k = op->from.width,
        .x = io->in[0],
        .w = io->weights[0],
        .is_turned = true,
        .bias = op->n_parameters > 1 ? io->weights[1] : NULL,
        .y = io->out,
        .scratch = io->scratch,
        .threads = io->threads });
}

static void linear_backward(const nw__op *op, const nw__io *io)
{
    nw__rows_product(&(nw__rows){ .rows = io->examples * op->from.positions,
        .n = op->from.width,
        .k = op->to.width,
        .x = io->grad,
        .w = io->weights[0],
        .before = io->before[0],
        .y = io->grad_in[0],
        .scratch = io->scratch,
        .threads = io->threads });
}

const nw__layer nw__layer_linear = {
    .type = "linear", .forward = linear_forward, .backward = linear_backward, .kinds = { NW_DPSGD_LINEAR, NW_DPSGD_BIAS }
};
