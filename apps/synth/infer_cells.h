/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_INFER_CELLS_H
#define SYNTH_INFER_CELLS_H

/* infer_cells.h - the public cells in which cells of an unknown column are counted, and what noisy counts of them say. */
#include <noisewright.h>

#include <jansson.h>

/* What a cell of the file looks like. */
typedef enum infer_kind {
    INFER_MISSING,
    INFER_WHOLE,      /* an integer of at most 15 digits */
    INFER_TENTHS,     /* a number with one decimal */
    INFER_HUNDREDTHS, /* with two */
    INFER_REAL,       /* with more, or an exponent */
    INFER_DATE,       /* yyyy-mm-dd */
    INFER_TEXT,
    INFER_KINDS
} infer_kind;
infer_kind infer_kind_of(const char *text, size_t size);

/* Numbers fall into the cells [d 10^e, (d + 1) 10^e) of their first digit, e = -6 .. 14, for both signs, and one for those around
 * zero; dates into the years 1800 .. 2199. Whatever lies beyond counts at the end. */
#define INFER_DECADES 21
#define INFER_SIDE (9 * INFER_DECADES)
#define INFER_NUMBERS (2 * INFER_SIDE + 1)
#define INFER_YEARS 400
size_t infer_number_cell(const char *text, size_t size);
size_t infer_date_cell(const char *text, size_t size);

typedef enum infer_type { INFER_IS_NUMBER = 1, INFER_IS_DATE, INFER_IS_CATEGORY } infer_type;
typedef struct infer_column {
    infer_type type;
    bool is_nullable;
    int decimals; /* of a number; -1: more than are counted */
} infer_column;

/** What noisy counts of the kinds say, with the standard deviation of their noise. */
infer_column infer_read_kinds(const double counts[INFER_KINDS], double deviation);
/** The column as a member of a schema, from noisy counts of its cells (infer_number_cell or infer_date_cell); *is_sure is false
 *  if nothing stands out of the noise. NULL if memory lacks. */
json_t *infer_bounds(const infer_column *column, const double *counts, double deviation, bool *is_sure);

#endif
