/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_SAMPLER_TIMING_H
#define BENCH_SAMPLER_TIMING_H

/* sampler_timing.h - does the time that noise takes tell its size? */
#include <nw/rng.h>

/** Prints |correlation| of a step's time with the size of one of its values and with their mean size, law by law, over `steps`
 *  steps; beside it that of the CKS20 oracle's time with its value, which does tell. Independent numbers show about
 *  1 / sqrt(steps). */
void measure_timing(nw_rng *rng, size_t steps);

#endif
