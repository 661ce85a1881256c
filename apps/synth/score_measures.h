/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_SCORE_MEASURES_H
#define SYNTH_SCORE_MEASURES_H

/* score_measures.h - how far one table is from another, in the usual measures. Functions return false if memory lacks. */
#include "score_table.h"

#define SCORE_MAX_WAYS 3

typedef struct score_spread {
    double average, largest; /* NaN: nothing to measure */
    size_t used;             /* how many were measured */
} score_spread;

/* Total variation distances of the marginals of all sets of k columns. */
typedef struct score_variation {
    score_spread spread;
    uint64_t sets;                  /* how many there are; more than used if a sample was taken */
    size_t columns[SCORE_MAX_WAYS]; /* of the largest */
} score_variation;

/** variation[k - 1] for k = 1, 2, 3: half the sum over cells of the absolute difference of the shares of the rows. Of more than
 *  `most` sets a fixed random sample of that size is measured. */
bool score_variations(const score_cells *cells, const score_table *real, const score_table *other, size_t most,
    score_variation variation[SCORE_MAX_WAYS]);

/* One numeric column, missing values left out of both. NaN where a table has no value. */
typedef struct score_number {
    size_t column;
    double ks; /* the largest difference of the distribution functions */
    double w1; /* the area between them, in units of the column's declared range */
} score_number;
bool score_numbers(const score_table *real, const score_table *other, score_number *numbers, size_t *count);

/* Families of random queries; the share of the rows that satisfy one is compared. */
typedef enum score_family { SCORE_PREFIX, SCORE_HALF_SPACE, SCORE_CONJUNCTION, SCORE_FAMILIES } score_family;
const char *score_family_name(score_family family);
/** `queries` of each family, drawn from a fixed public seed and the rows of `real`, and the errors of n other tables. */
bool score_queries(
    const score_table *real, const score_table *const *others, size_t n, size_t queries, score_spread (*spread)[SCORE_FAMILIES]);

/* A logistic regression trained on one table and tested on another. */
typedef struct score_classifier {
    double accuracy, f1, auc;
} score_classifier;
/** Predicts whether `target` has the code `positive` from all other columns. Rows whose target is missing are left out. */
bool score_classify(const score_table *train, const score_table *test, size_t target, double positive, score_classifier *out);

#endif
