/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_HITTERS_H
#define BENCH_HITTERS_H

/* hitters.h - the part of bench-ldp that searches for heavy hitters. */
#include <nw/rng.h>
#include <stdbool.h>

/** A collection from items to answer, on one thread: users a second, beside making their reports alone. */
void measure_hitters(nw_rng *rng, bool is_quick);

#endif
