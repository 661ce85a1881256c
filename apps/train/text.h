/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_TEXT_H
#define TRAIN_TEXT_H

/* text.h - texts with labels as hashed words: tables separated by tabs, with a header line, plain or gzip.
 *
 * A text becomes lower case (ASCII) and falls into words: letters, digits, apostrophes and whatever is not ASCII; any other
 * character that is not blank is a word of its own. A word's id is a hash [WDLSA09] under a fixed public key [AB12], so there is
 * no vocabulary that would have to be learnt, or chosen in view of the records. */
#include "../common/examples.h"

typedef struct text_settings {
    unsigned bits;    /* 1 .. 24: ids are below 2^bits */
    unsigned prefix;  /* characters: words that have as many also give their beginning, a cheap stem; 0: none */
    bool has_bigrams; /* two words in a row give an id, too */
    bool is_bag;      /* each id once */
    size_t most;      /* ids of a text, at most 4096: what comes after them is left out */
} text_settings;

/** What is good for bags of words. */
extern const text_settings text_defaults;

/** The ids of a text, in its order: how many. ids: uint32_t[settings->most]. */
size_t text_ids(const text_settings *settings, const char *text, size_t size, uint32_t *ids);

/** Reads a file: the text is the column called "sentence" or "text", or the only one besides the target.
 *  target: the column of labels, 0 .. classes - 1, or as `names` calls them if that is not NULL; a NULL target reads no labels.
 *  An exit code, with its message written; free the examples in any case. */
int text_read(examples *out, const char *path, const char *target, uint32_t classes, const char *const *names,
    const text_settings *settings);

#endif
