/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LDP_SERVER_H
#define NW_LDP_SERVER_H

/* server.h - what the files of the server's half share. */
#include "base.h"
#include "client.h"

#include <nw/ldp.h>

/** Reports of hashes, as they came. */
enum { NW__LDP_BLOCK = 16384 };
typedef struct nw__ldp_block {
    struct nw__ldp_block *next;
    size_t used;
    uint32_t seeds[NW__LDP_BLOCK];
    uint16_t cells[NW__LDP_BLOCK];
} nw__ldp_block;

/** A tracked user's report. */
typedef struct nw__ldp_entry {
    uint8_t user[NW_LDP_USER_BYTES];
    uint8_t level;
    bool is_used;
    uint8_t payload[6];
} nw__ldp_entry;

/** Where the reports are: tracked users keep them in `entries`; else hashes of many seeds in logs, and all others as counts. */
struct nw_ldp_aggregate {
    nw_ldp_campaign campaign;
    bool is_tracking_users;
    uint64_t verdicts[NW_LDP_VERDICTS];
    uint64_t reports[NW_LDP_MAX_LEVELS];
    uint64_t *table; /* NULL: logs or entries. Of outputs; of bits; of hashes [level][seed][cell] */
    size_t table_size;
    nw__ldp_block *logs[NW_LDP_MAX_LEVELS]; /* the newest block first; older ones are full */
    nw__ldp_entry *entries;                 /* open addressing; capacity a power of two, or 0 */
    size_t capacity;
    size_t users;
    uint8_t key[16]; /* of the entries' places: users cannot choose them */
};

/** Entries of a campaign's table, or 0 if it keeps logs. */
size_t nw__ldp_table_size(const nw_ldp_campaign *campaign);
/** Checks the payload of a report. */
nw_ldp_verdict nw__ldp_check_payload(const nw_ldp_campaign *campaign, const uint8_t *payload);
/** Adds an accepted report, without counting it. */
nw_status nw__ldp_keep(nw_ldp_aggregate *aggregate, unsigned level, const uint8_t *payload, nw_error *err);

/** A user's report among the entries: of several the smallest counts, the others are NW_LDP_REPLAYED, in the aggregate's counts
 *  of verdicts too. */
nw_status nw__ldp_track(nw_ldp_aggregate *aggregate, const uint8_t *user, unsigned level, const uint8_t *payload,
    nw_ldp_verdict *verdict, nw_error *err);
/** The used entries, sorted by user: users of them; NULL if memory lacks. */
nw__ldp_entry *nw__ldp_sorted_entries(const nw_ldp_aggregate *aggregate);
/** An aggregate to decode: this one, or one made of its entries, to be freed by nw__ldp_view_free. */
nw_status nw__ldp_view(const nw_ldp_aggregate *aggregate, const nw_ldp_aggregate **view, nw_error *err);
void nw__ldp_view_free(const nw_ldp_aggregate *aggregate, const nw_ldp_aggregate *view);

/** Whether the items are admissible at the level: NW_E_ARG naming the first that is not. `shift`: bits that follow them. */
nw_status nw__ldp_check_items(const nw_ldp_campaign *campaign, unsigned level, unsigned shift, const nw_ldp_item *items, size_t n,
    const char *function, nw_error *err);

/* ---- kernels ---- */

enum { NW__LDP_LANES = 16 };

/** Inner loops, compiled for several vector units; all give the same integers. */
typedef struct nw__ldp_kernels {
    const char *name;
    /** Of n reports and one item of `pieces` pieces of 16 bits: how many report the item's cell. factors: [piece][stride];
     *  a report supports what hashes to less than widths[i] when summands[i] is the summand less where its cell begins. */
    uint32_t (*count_cells)(const uint32_t *factors, size_t stride, const uint32_t *summands, const uint32_t *widths, size_t n,
        const uint32_t *item, unsigned pieces);
    /** The Walsh-Hadamard transform of 2^log2_n numbers, in place. */
    void (*transform)(int32_t *x, unsigned log2_n);
    /** x[places[i]] += 1 - 2 (bit `shift` of signs[i]), times weights[i] unless that is NULL. */
    void (*scatter)(int32_t *x, const uint32_t *places, const uint64_t *signs, const int32_t *weights, size_t n, unsigned shift);
    /** The same two for NW__LDP_LANES arrays, interleaved: [place][lane], lane j with bit shift + j. */
    void (*transform_lanes)(int32_t *x, unsigned log2_n);
    void (*scatter_lanes)(
        int32_t *x, const uint32_t *places, const uint64_t *signs, const int32_t *weights, size_t n, unsigned shift);
} nw__ldp_kernels;
extern const nw__ldp_kernels nw__ldp_kernels_plain;
extern const nw__ldp_kernels nw__ldp_kernels_avx2;
extern const nw__ldp_kernels nw__ldp_kernels_avx512;
/** Number i of the sets of this build, plain C first; NULL beyond the last; and whether this processor can run it. */
const nw__ldp_kernels *nw__ldp_kernels_at(size_t i);
bool nw__ldp_kernels_can_run(const nw__ldp_kernels *kernels);
/** The widest set that can run here. */
const nw__ldp_kernels *nw__ldp_kernels_best(void);

/** Supports of OLH's and of BLH's items, one by one; of a view. */
nw_status nw__ldp_support_olh(const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports,
    const nw__ldp_kernels *kernels, nw_error *err);
nw_status nw__ldp_support_blh(
    const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err);
nw_status nw__ldp_support_plane(
    const nw_ldp_campaign *campaign, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err);
/** The same by adding up the points that are orthogonal to each item. */
void nw__ldp_plane_by_points(
    const nw_ldp_campaign *campaign, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports);
/** The same for all points at once; NW_E_NOMEM if there is not enough memory, or if more than 2^26 numbers would be needed. */
nw_status nw__ldp_plane_at_once(
    const nw_ldp_campaign *campaign, const uint64_t *table, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err);
nw_status nw__ldp_subtree_blh(const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *prefixes, size_t n,
    unsigned suffix_bits, int64_t *supports, const nw__ldp_kernels *kernels, nw_error *err);

/** Probability of the likely class, and of one output within the likely class and outside of it. */
typedef struct nw__ldp_density {
    double inside;
    double outside;
} nw__ldp_density;
nw__ldp_density nw__ldp_density_of(const nw_ldp_campaign *campaign);
/** Variance of a report's share of the mean, in squares of the bounds' distance, at most. */
double nw__ldp_mean_variance(const nw_ldp_campaign *campaign);

#endif
