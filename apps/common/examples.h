/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_EXAMPLES_H
#define APP_EXAMPLES_H

/* examples.h - a data set in memory: what a network is shown, and the label that it is to give. All that is done to an example is
 * a fixed public function of that example alone, so it costs no privacy. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum examples_kind {
    EXAMPLES_PIXELS = 1, /* pixels: count x width, 0 .. 255, shown as 0 .. 1 */
    EXAMPLES_REALS,      /* reals: count x width */
    EXAMPLES_SPARSE,     /* ids and weights of the features that are not zero */
    EXAMPLES_TOKENS      /* ids of words in their order, each below width */
} examples_kind;

typedef struct examples {
    examples_kind kind;
    size_t count;
    size_t width;                     /* pixels, reals, sparse: features an example has; tokens: size of the vocabulary */
    size_t height, columns, channels; /* of images: height * columns * channels = width, channels outermost; else 0 */
    uint8_t *pixels;
    float *reals;
    size_t *starts; /* sparse, tokens: [count + 1] into ids and weights */
    uint32_t *ids;
    float *weights;     /* sparse */
    int32_t *labels;    /* classification: 0 .. classes - 1; else NULL */
    float *targets;     /* regression; else NULL */
    uint32_t classes;   /* of labels, public; 0 for regression */
    bool has_unit_rows; /* an example's features are shown with Euclidean norm 1, all zero ones as they are; not for tokens */
} examples;

/** Wipes and frees the arrays; the struct may be all zero. */
void examples_free(examples *data);

/** Puts in each pixel's place its average with its neighbours, weights 1, 2, 1 down and across, rounded; beyond the border is
 *  black. False if memory lacks. */
bool examples_smooth(examples *data);

/** The features of one example as `width` floats: pixels, reals or sparse. */
void examples_row(const examples *data, size_t i, float *out);

/** The first `length` words of one example, then -1: tokens. */
void examples_words(const examples *data, size_t i, size_t length, int32_t *out);

#endif
