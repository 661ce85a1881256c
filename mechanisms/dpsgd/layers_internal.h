/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LAYERS_INTERNAL_H
#define NW_LAYERS_INTERNAL_H

/* layers_internal.h - what the layers share. */
#include "blas.h"
#include "network_internal.h"

#include <omp.h>
#include <string.h>

/** How a loop over single floats is cut. */
enum { NW__CHUNK = 8192 };

/** Prepares grad_in[0], of so many floats an example, for one example's sums: copies `before`, or zeroes. */
static inline void nw__begin_gradient(const nw__io *io, size_t example, size_t floats)
{
    float *out = io->grad_in[0] + example * floats;
    if (io->before[0] == NULL)
        memset(out, 0, floats * sizeof *out);
    else if (io->before[0] != io->grad_in[0])
        memcpy(out, io->before[0] + example * floats, floats * sizeof *out);
}

#endif
