/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SECURE_SUM_H
#define NW_SECURE_SUM_H

/* nw/secure_sum.h - private sums without anybody who sees the exact one: each party adds a share of the noise, then its masks.
 *
 * What it is for: M parties with integer vectors, whose sum is wanted with the noise of one trusted curator, and there is none.
 * What it protects: each record of each party, against everybody who sees the sum, the messages, and all that `tolerated` of the
 *   parties know, their shares of the noise and their masks included. Cost: as of one Gaussian of sigma, plus a distance.
 * How: discrete Gaussian noise of variance (sigma^2 + 6) / (M - tolerated) on each value of each party, so that the shares of any
 *   M - tolerated parties are enough; then pairwise masks (nw/masks.h), modulo 2^64. The sum of so many shares is, up to a
 *   distance of about 4 exp(-pi^2 variance) a value, post-processing of the Gaussian mechanism: docs/rooms/secure_sum.md#proof.
 * What it rests on: that of nw/masks.h, and that no more than `tolerated` parties tell others what they know or leave out their
 *   noise. It has no defence against a party that adds nonsense.
 *
 * Values are integers on a grid that is fine enough for the noise to be many steps: nw_grid_truncate for reals; counts are
 * multiplied by a power of two, and sigma and the sensitivity with them. All that is refused is a share of variance below 4.
 *
 *   nw_secure_sum_opts o = NW_SECURE_SUM_OPTS_INIT;
 *   o.parties = 4;  o.tolerated = 1;  o.values = 10;  o.sigma = 1600.0;
 *   o.l2 = (nw_sensitivity){ 256.0, NW_ADD_REMOVE };
 *   nw_secure_sum_new(&sum, &o, &err);
 *   nw_secure_sum_release(sum, masks, rng, ledger, "histogram", reduce, values, &receipt, &err);
 *
 * Without a reducer: whoever coordinates charges nw_secure_sum_event, and says so to all; each party makes its message
 * (nw_secure_sum_seal); anybody adds them up modulo 2^64 and opens the total (nw_secure_sum_open).
 */
#include <nw/ledger.h>
#include <nw/masks.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The least variance of a share, in squared steps. */
#define NW_SECURE_SUM_LEAST_VARIANCE 4.0
/** What all needed shares have besides sigma^2, in squared steps: it makes a discrete law of a continuous one. */
#define NW_SECURE_SUM_SMOOTHING 6.0

/** All parties have the same; if not, their masks do not cancel. No privacy parameter has a default. */
typedef struct nw_secure_sum_opts {
    size_t struct_size;
    size_t parties;    /* M, in [1, NW_MASKS_MOST_PARTIES]; 0 until set */
    size_t tolerated;  /* t, in [0, M - 1]: parties whose noise does not count, as they may tell it; SIZE_MAX until set */
    size_t values;     /* of the vector, in [1, 2^40]; 0 until set */
    double sigma;      /* of the Gaussian that is charged, in steps; 0 until set */
    nw_sensitivity l2; /* of the sum over all parties' records, in steps; unset until set */
} nw_secure_sum_opts;
/* clang-format off */
#define NW_SECURE_SUM_OPTS_INIT { sizeof(nw_secure_sum_opts), 0, SIZE_MAX, 0, 0.0, { 0.0, NW_ADJACENCY_UNSET } }
/* clang-format on */
NW_API void nw_secure_sum_opts_init(nw_secure_sum_opts *opts, size_t struct_size);

typedef struct nw_secure_sum nw_secure_sum; /* shared: what one release draws and costs; used for as many as are charged */

/** Validates the options and builds the sampler of a share.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     sigma and l2 in steps of the grid that the values are on.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; a share's variance below 4 is refused with the power
 *            of two to refine the grid by; NW_E_NOMEM.
 *  Cost      1 ms, 300 KiB. Threads: any.
 *  Source    [KLS21]; docs/rooms/secure_sum.md#proof.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_secure_sum_new(nw_secure_sum **out, const nw_secure_sum_opts *opts, nw_error *err);
NW_API void nw_secure_sum_free(nw_secure_sum *sum);

/** What one release costs: rounded_gaussian(sigma, l2), whose samples are those of all parties and one more a value for the
 *  distance; while that is above 2^-150, composed with approx(0, the distance of all values). Borrowed. */
NW_API const nw_event *nw_secure_sum_event(const nw_secure_sum *sum);

/** Known before any data is seen. */
typedef struct nw_secure_sum_plan {
    double share_variance; /* of one party's noise on one value: (sigma^2 + 6) / (M - t), in squared steps */
    double deviation;      /* of the released sum's noise, all M shares, in steps: what the caller sees */
    double distance;       /* of one value's honest noise to post-processing of the Gaussian, rounded up */
} nw_secure_sum_plan;
NW_API nw_secure_sum_plan nw_secure_sum_get_plan(const nw_secure_sum *sum);

/** One party's message of a round: its values, its share of the noise, its masks. **After the charge.** A round that was sealed
 *  is over, whatever becomes of it: what goes wrong is charged anew and gets a round of its own.
 *
 *  Shapes    values: int64[values] in; message: uint64[values + NW_MASKS_CHECK_WORDS] out, apart from it; zeroed on error.
 *  Units     steps. Modulo 2^64: if the noisy sum leaves int64, it wraps.
 *  Errors    NW_E_ARG, also if masks are of another number of parties; NW_E_STATE: as nw_masks_seal; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      4 ns a value for the noise, and 7 for each other party. Threads: rng and masks confined.
 *  Source    docs/rooms/secure_sum.md.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_secure_sum_seal(const nw_secure_sum *sum, nw_masks *masks, uint64_t round, nw_rng *rng,
    const int64_t *values, uint64_t *message, nw_error *err);
/** The noisy sum, from the sum of all messages modulo 2^64.
 *
 *  Shapes    total: uint64[values + NW_MASKS_CHECK_WORDS] in; values: int64[values] out, untouched on error.
 *  Units     steps.
 *  Errors    NW_E_STATE, as nw_masks_open; NW_E_ARG.
 *  Cost      one pass. Threads: any.
 *  Source    docs/rooms/secure_sum.md.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_secure_sum_open(
    const nw_secure_sum *sum, const uint64_t *total, int64_t *values, nw_error *err);

/** One release over a reducer, for a caller that has charged it: a room that charges all its rounds at once. All processes call
 *  it, and all get the noisy sum; either every one of them sends its message, or none does.
 *
 *  Shapes    values: int64[values], in: this party's, out: the noisy sum; zeroed on error.
 *  Units     steps.
 *  Errors    those of nw_secure_sum_seal and nw_secure_sum_open, of any party on all of them; those of reduce.
 *  Cost      that of nw_secure_sum_seal, and two sums over reduce. Threads: confined.
 *  Source    docs/rooms/secure_sum.md#rooms.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_secure_sum_add(
    const nw_secure_sum *sum, nw_masks *masks, nw_rng *rng, const nw_reduce *reduce, int64_t *values, nw_error *err);
/** The whole release: the charge, agreement, nw_secure_sum_add. Each process that gives a ledger charges it; process 0 has to.
 *  Nothing is drawn anywhere unless all charges stand.
 *
 *  Shapes    ledger: NULL for process 0's charge to be enough; else the one that this party's records are charged to. receipt:
 *            out, may be NULL: of the own ledger, else process 0's.
 *  Units     steps.
 *  Errors    those of nw_ledger_charge, of any party's ledger on all of them (a charge that stands already stays); those of
 *            nw_secure_sum_add.
 *  Cost      as nw_ledger_charge and nw_secure_sum_add. Threads: confined.
 *  Source    docs/rooms/secure_sum.md#who-charges.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_secure_sum_release(const nw_secure_sum *sum, nw_masks *masks, nw_rng *rng, nw_ledger *ledger,
    const char *label, const nw_reduce *reduce, int64_t *values, nw_receipt *receipt, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
