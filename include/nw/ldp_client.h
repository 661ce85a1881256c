/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LDP_CLIENT_H
#define NW_LDP_CLIENT_H

/* nw/ldp_client.h - the device's half of local differential privacy: one value in, one randomised report out.
 *
 * What it is for: programs that hold one user's value. It is all of libnoisewright-client, a static library that needs nothing
 *   but a source of random bytes: no heap, no floating point, no C library beyond memcpy and memset. nw/ldp.h is the server's
 *   half.
 * What it protects: the value. For any two values the probabilities of each report differ by a factor of at most e^epsilon,
 *   exactly: they are integers over a power of two, rounded toward equality, and e^epsilon is computed by the device, rounded
 *   down.
 * What it does not: more than one report. Each further report costs epsilon again, unless memoised (nw_ldp_report_memoised).
 * Timing: no branch and no memory index depends on the value or on a random byte, but for the subset oracle's exact shuffling,
 *   which depends on random bytes alone.
 *
 *   nw_ldp_campaign campaign;
 *   if (nw_ldp_campaign_read(&campaign, bytes, n) != NW_OK) ...        // what the organiser published
 *   nw_ldp_report(&campaign, NULL, (nw_ldp_item){ 0, 17 }, random, NULL, report, sizeof report);
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_ldp_oracle {
    NW_LDP_GRR = 1,         /* k-ary randomised response: the item, or any other */
    NW_LDP_SUE = 2,         /* symmetric unary encoding, basic RAPPOR [EPK14]: one bit an item, all flipped alike */
    NW_LDP_OUE = 3,         /* optimised unary encoding [WBLJ17] */
    NW_LDP_OLH = 4,         /* optimised local hashing [WBLJ17]: GRR on one of g hash cells */
    NW_LDP_BLH = 5,         /* the same with a binary linear hash, g a power of two: whole subtrees decode at once */
    NW_LDP_HADAMARD = 6,    /* Hadamard response [ASZ19]: half a block of a Hadamard matrix's row */
    NW_LDP_SUBSET = 7,      /* subset selection [YB18]: a set of w items */
    NW_LDP_PROJECTIVE = 8,  /* projective geometry response [FNNT22]: a point of a hyperplane */
    NW_LDP_DUCHI = 9,       /* mean: one of two values [DJW18] */
    NW_LDP_PIECEWISE = 10,  /* mean: piecewise mechanism [WXYZHSSY19], on integers */
    NW_LDP_HYBRID = 11,     /* mean: one of these two, by a coin [WXYZHSSY19] */
    NW_LDP_SQUARE_WAVE = 12 /* histogram of numbers: square wave [LWLJ20], on integers */
} nw_ldp_oracle;
/** "grr", "sue", "oue", "olh", "blh", "hadamard", "subset", "projective", "duchi", "piecewise", "hybrid", "square_wave". */
NW_API const char *nw_ldp_oracle_name(nw_ldp_oracle oracle);

enum {
    NW_LDP_CAMPAIGN_BYTES = 88,
    NW_LDP_DIGEST_BYTES = 32,
    NW_LDP_ID_BYTES = 16,
    NW_LDP_USER_BYTES = 16,
    NW_LDP_KEY_BYTES = 32,
    NW_LDP_MAX_LEVELS = 32,
    NW_LDP_SHORT_REPORT = 16,  /* bytes of a report, but of SUE, OUE and SUBSET over more than 48 items */
    NW_LDP_REPORT_HEADER = 10, /* bytes of a report before its payload */
    NW_LDP_MAX_REPORT = 8202   /* bytes of any report: the header and 65536 bits */
};

/** One value. Codes: an unsigned number of up to 128 bits, whose leading bits are what a level's prefix is made of. Closed
 *  domains: an index, in `low`. Numbers: in `low`, the value's place between the bounds, in 2^-32: 0 .. 2^32. A value beyond its
 *  range counts as the last one. */
typedef struct nw_ldp_item {
    uint64_t high;
    uint64_t low;
} nw_ldp_item;

/** What all parties to a collection agree on, in memory. Made by nw_ldp_campaign_read (or _make, nw/ldp.h); fields are to be read
 *  only. */
typedef struct nw_ldp_campaign {
    uint8_t id[NW_LDP_ID_BYTES];         /* the organiser's own name of it */
    uint8_t digest[NW_LDP_DIGEST_BYTES]; /* BLAKE2b-256 of its bytes; reports carry the first 6 */
    nw_ldp_oracle oracle;
    bool is_public_coin;                /* level and seed follow from the user's pseudonym */
    uint8_t bits;                       /* of an item; 0: a closed domain */
    uint8_t levels;                     /* 1 .. 32; a user reports at one of them, with all of epsilon */
    uint8_t lengths[NW_LDP_MAX_LEVELS]; /* of each level's prefix, in bits, increasing; the last is `bits`. Closed: 0 */
    uint8_t seed_bits;                  /* OLH, BLH: 8 .. 32 */
    uint32_t symbols;                   /* GRR: domain; OLH, BLH: g; SUBSET: w; HADAMARD: blocks; PROJECTIVE: the prime q;
                                              PIECEWISE, HYBRID, SQUARE_WAVE: cells of an output; DUCHI: 2; SUE, OUE: 2 */
    uint32_t band;                      /* PIECEWISE, HYBRID, SQUARE_WAVE: cells that a value makes likely */
    uint64_t domain;                    /* items of a closed domain; cells of a square wave's histogram */
    uint64_t epsilon;                   /* in 2^-32 nats, rounded down */
    uint64_t first_epsilon;             /* SUE: of one memoised report, if it is less than that of all; else 0 */
    uint64_t ratio;                     /* e^epsilon in 2^-40, rounded down */
    uint64_t outputs;                   /* different payloads, where they are numbers; of hashes, those of one seed */
    uint64_t keep;                      /* probabilities in 2^-64, as docs/rooms/ldp.md defines them for each oracle */
    uint64_t other;
    uint64_t again;
    uint64_t mix;
    uint32_t dimension; /* PROJECTIVE: t; HADAMARD: log2 of a block's columns; BLH: log2 g */
    uint32_t reserved;
} nw_ldp_campaign;

/** A source of random bytes: fills out with n of them and returns 0, or anything else if it cannot. They must be unpredictable
 *  (getentropy, a hardware generator): whoever knows them knows the value. */
typedef int (*nw_ldp_random)(void *context, uint8_t *out, size_t n);

/** Reads a campaign's canonical bytes, checks them and computes the probabilities.
 *
 *  Shapes    bytes: n of them, NW_LDP_CAMPAIGN_BYTES.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL; NW_E_FORMAT: not a campaign's bytes; NW_E_UNSUPPORTED: of a later version. *out is zeroed.
 *  Cost      a few us. Threads: any.
 *  Source    docs/rooms/ldp.md#campaigns.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_campaign_read(nw_ldp_campaign *out, const uint8_t *bytes, size_t n);
/** The canonical bytes, NW_LDP_CAMPAIGN_BYTES of them: the same for the same campaign on every machine. */
NW_API void nw_ldp_campaign_write(const nw_ldp_campaign *campaign, uint8_t out[NW_LDP_CAMPAIGN_BYTES]);
/** Bytes of each report of the campaign. */
NW_API size_t nw_ldp_report_size(const nw_ldp_campaign *campaign);

/** Makes one report.
 *
 *  Shapes    user: NW_LDP_USER_BYTES of a pseudonym if the coin is public, else NULL. out: nw_ldp_report_size bytes; zeroed on
 *            error. The level is drawn uniformly, or follows from the pseudonym.
 *  Units     item: nw_ldp_item.
 *  Errors    NW_E_ARG on NULL, capacity, or a pseudonym where there must be none, and the reverse; NW_E_ENTROPY: the source
 *            failed. None of them depends on the item.
 *  Cost      some 50 ns with a buffered source; SUE, OUE, SUBSET: 10 ns an item of the domain. 2 KiB of stack. Threads: any.
 *  Source    docs/rooms/ldp.md#oracles.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_report(const nw_ldp_campaign *campaign, const uint8_t *user, nw_ldp_item item,
    nw_ldp_random random, void *context, uint8_t *out, size_t capacity);
/** The same at a level that somebody chose without looking at the item. Private coin only: NW_E_ARG. A user who reports at two
 *  levels has paid epsilon twice. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_report_at(const nw_ldp_campaign *campaign, unsigned level, nw_ldp_item item,
    nw_ldp_random random, void *context, uint8_t *out, size_t capacity);

/** Makes the report that this device always makes for this value: its random bytes are BLAKE2b of the device's key, so nothing
 *  has to be stored. All reports of one value together cost epsilon once; of several values, epsilon for each, but for no more
 *  than nw_ldp_memo_values of them: values that hash alike share a report. A campaign of SUE with first_epsilon randomises the
 *  permanent answer once more, with fresh bytes (RAPPOR), so that reports cannot be told to be one user's by their bits.
 *
 *  Shapes    key: NW_LDP_KEY_BYTES, secret, drawn once by the device and kept. user, out: as nw_ldp_report. random: may be NULL
 *            unless the campaign has first_epsilon.
 *  Units     as nw_ldp_report.
 *  Errors    as nw_ldp_report.
 *  Cost      1 us; SUE, OUE, SUBSET: 30 ns an item of the domain. Threads: any.
 *  Source    [EPK14]; [AGPC23] (LOLOHA), whose rule for hashed values it is.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_report_memoised(const nw_ldp_campaign *campaign, const uint8_t *user,
    const uint8_t key[NW_LDP_KEY_BYTES], nw_ldp_item item, nw_ldp_random random, void *context, uint8_t *out, size_t capacity);
/** How many values a device can report memoised before all further ones are free: g, or the number of items. */
NW_API uint64_t nw_ldp_memo_values(const nw_ldp_campaign *campaign);

/** Public coin: the level and the seed of a user, from BLAKE2b of the campaign's digest and the pseudonym. */
NW_API void nw_ldp_public_coin(
    const nw_ldp_campaign *campaign, const uint8_t user[NW_LDP_USER_BYTES], unsigned *level, uint32_t *seed);

/** The first `length` bits of an item of a campaign of codes, as a number. */
NW_API nw_ldp_item nw_ldp_prefix(const nw_ldp_campaign *campaign, nw_ldp_item item, unsigned length);

#ifdef __cplusplus
}
#endif
#endif
