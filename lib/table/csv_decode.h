/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CSV_DECODE_H
#define NW_CSV_DECODE_H

/* csv_decode.h - from codes to the text of a CSV file. */
#include "table_internal.h"

/* The numbers written for one bin: m / 10^decimals, or (for a column with a step) lower + m step; first <= m < first + count. */
typedef struct nw__bin {
    int64_t first;
    uint64_t count;
    double from; /* the bin on a logarithmic scale */
    double to;
    double power; /* 10^decimals */
    int decimals;
} nw__bin;

/* How one column is written. A code with a text of its own is that text; any other is a bin from which a value is drawn. */
typedef struct nw__decoder {
    const nw__domain *domain;
    char *text;
    uint32_t *offsets; /* of code c: text[offsets[c]] up to offsets[c + 1]; cells + 1 of them */
    nw__bin *bins;     /* NULL: every code has a text; a bin of count 0 is still to be worked out */
    size_t longest;    /* bytes that any code may need */
} nw__decoder;

/** `is_alone`: the column is the only one, so a missing cell must not make a blank line. NW_E_NOMEM. */
nw_status nw__decoder_new(nw__decoder *decoder, const nw__domain *domain, bool is_alone, nw_error *err, const char *function);
void nw__decoder_free(nw__decoder *decoder);

/** Draws one of the bin's numbers low .. high: uniformly, or log-uniformly. */
nw_status nw__decoder_choose(
    const nw__decoder *decoder, uint32_t code, int64_t low, int64_t high, nw_rng *rng, int64_t *m, nw_error *err);
/** Writes number m of a bin to `out`; returns its length. */
size_t nw__decoder_format(const nw__decoder *decoder, uint32_t code, int64_t m, char *out);
/** Draws a value of a bin and writes it to `out`. */
nw_status nw__decoder_draw(const nw__decoder *decoder, uint32_t code, nw_rng *rng, char *out, size_t *length, nw_error *err);

/** Writes the roundest value of a bin, the one with the most trailing zeros; of a date, the first. */
void nw__decoder_round(const nw__decoder *decoder, uint32_t code, char *out, size_t *length);

/** Bytes of `text` as a CSV cell, quoted if it must be; written to `out` unless that is NULL (at most 2 n + 2). */
size_t nw__csv_quote(const char *text, char *out);

#endif
