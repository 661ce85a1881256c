/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_REDUCE_INTERNAL_H
#define NW_REDUCE_INTERNAL_H

/* reduce_internal.h - what the nw_*_reduce functions of the rooms have in common. All processes call these. */
#include "base.h"

#include <nw/reduce.h>

enum { NW__REDUCE_MOST_SAME = 64 };
/** Agrees on `status`, and then on the n bytes, up to NW__REDUCE_MOST_SAME, that say what is summed: NW_E_ARG on all processes
 *  unless all have those of process 0. what: "other options". */
nw_status nw__reduce_same(const nw_reduce *reduce, const uint8_t *mine, size_t n, nw_status status, const char *function,
    const char *what, nw_error *err);

/** Sums totals into those of process 0; those of the others are 0 afterwards. A total counts as at most 2^63 over the number of
 *  processes in magnitude, so that no sum overflows: moving totals to that bound does not move neighbours apart. */
nw_status nw__reduce_totals(const nw_reduce *reduce, int64_t *totals, size_t n, nw_error *err);

/** One of several vectors. */
typedef struct nw__vector {
    int64_t *values;
    size_t n;
} nw__vector;
/** nw__reduce_totals of many vectors, in few messages. */
nw_status nw__reduce_vectors(const nw_reduce *reduce, const nw__vector *vectors, size_t count, nw_error *err);

/** What a handle whose totals went to process 0 answers to a release: noise is drawn once, where the totals are. */
nw_status nw__fail_handed(const char *function, nw_error *err);

/** Exact totals of a room, as they travel. */
enum { NW__TOTALS_FINGERPRINT = 32 };
typedef struct nw__totals {
    const char *magic;                           /* 8 bytes: what they are, and the version of the format */
    uint8_t fingerprint[NW__TOTALS_FINGERPRINT]; /* of the options that make totals comparable */
    int64_t *values;
    size_t n;
} nw__totals;

/** Bytes of n totals. */
size_t nw__totals_size(size_t n);
void nw__totals_write(const nw__totals *totals, uint8_t *out);
/** Adds totals that were written so, saturating. NW_E_FORMAT if they are cut short, damaged, of another format or of other
 *  options: then nothing was added. */
nw_status nw__totals_add_bytes(nw__totals *totals, const uint8_t *bytes, size_t size, const char *function, nw_error *err);
/** nw__reduce_totals, once all processes have agreed on `status` and on the options. */
nw_status nw__totals_reduce(nw__totals *totals, const nw_reduce *reduce, nw_status status, const char *function, nw_error *err);

#endif
