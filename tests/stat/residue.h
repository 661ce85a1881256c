/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_RESIDUE_H
#define NW_TEST_RESIDUE_H

/* residue.h - do the last bits of released doubles depend on the data? For every release that returns doubles.
 *
 * Outputs of two neighbours must have the same support: all are exact multiples of one unit, known beforehand, and their last
 * bits, output / unit mod 2^j for j = 1 .. 8, have the same law given the output's sign and binade. That closes the leaks of
 * [Mir12] (float noise), [HDH22] (rounding after the sum), and of integer noise that becomes a double before it is added. */
#include <stdbool.h>
#include <stddef.h>

/** True if every value is a finite exact multiple of unit. */
bool residue_is_on_grid(const double *values, size_t n, double unit);
/** Smallest p-value, over signs, binades and j, of a chi-square of homogeneity between n outputs under x and n under y; 1 if no
 *  binade has enough of them. */
double residue_p_value(const double *under_x, const double *under_y, size_t n, double unit);
/** What a release must not do: leave the grid, or a p-value below 1e-9. */
bool residue_leaks(const double *under_x, const double *under_y, size_t n, double unit);

#endif
