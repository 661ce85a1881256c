/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_HITTERS_H
#define NW_HITTERS_H

/* nw/hitters.h - the most frequent items of users who only send randomised reports: prefix trees over a campaign's levels.
 *
 * What it is for: items from domains too large to be listed (numbers, words, addresses), held by the users of one or of many
 *   parties. Each user reports at one level of a campaign (nw/ldp.h), a prefix of the item. From level to level the prefixes that
 *   look frequent are extended, until whole items are left.
 * What it protects: each user's item, at the campaign's epsilon, by the report alone. What happens here happens to reports, and
 *   costs nothing more. nw_hh_central_release is the other model, for comparison: exact counts, one noisy release, a ledger.
 * How: a state machine. Each nw_hh_step closes one level; whatever tells it supports - aggregates in memory, sums over machines,
 *   a simulation - is a function of the caller's. docs/rooms/hitters.md has the rules, and how well they do.
 *
 *   nw_hh_opts o = NW_HH_OPTS_INIT;
 *   o.protocol = NW_HH_POOLED;  o.top = 10;
 *   nw_hh_new(&hh, &campaign, &o, &err);
 *   while (!nw_hh_is_done(hh))
 *       nw_hh_step(hh, reports, source, context, &err);
 *   nw_hh_get(hh, 0, &hit, &err);                          // hit.item: hit.count +- hit.error users
 *   nw_hh_free(hh);
 */
#include <nw/ldp.h>
#include <nw/ledger.h>
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- items ---- */

typedef enum nw_hh_encoding {
    NW_HH_U64 = 1,      /* a whole number below 2^bits, decimal or after 0x hexadecimal; of up to 128 bits */
    NW_HH_LETTERS5 = 2, /* letters, five bits each, upper case as lower case; any other byte counts as an apostrophe */
    NW_HH_UTF8 = 3,     /* text, eight bits a byte */
    NW_HH_HASH = 4      /* any text, by a keyed hash: to be read back with a dictionary */
} nw_hh_encoding;
NW_API const char *nw_hh_encoding_name(nw_hh_encoding encoding); /* "u64", "letters5", "utf8", "hash" */

#define NW_HH_TEXT_SIZE 64 /* of any item's text, with its NUL */
/** The code of an item's text, in `bits` bits, the first character highest. Text that is too long is cut (UTF-8 between
 *  characters), shorter text is filled with zeros; text ends at a NUL. key: of the hash, NW_LDP_ID_BYTES, such as the campaign's
 *  id; else not used. False, and an item of 0, for a number that is none or too large; true for every other text. */
NW_API bool nw_hh_encode(
    nw_hh_encoding encoding, unsigned bits, const uint8_t *key, const char *text, size_t size, nw_ldp_item *item);
/** The text of a code, as nw_hh_encode takes it; of a hash its hexadecimal digits. False if the code is no text's. */
NW_API bool nw_hh_decode(nw_hh_encoding encoding, unsigned bits, nw_ldp_item item, char out[NW_HH_TEXT_SIZE]);
/** Whether the code of any text begins with this prefix of `length` bits: 5-bit letters and UTF-8 leave many codes out. */
NW_API bool nw_hh_is_prefix(nw_hh_encoding encoding, unsigned bits, nw_ldp_item prefix, unsigned length);

/* ---- protocols ---- */

typedef enum nw_hh_protocol {
    NW_HH_PEM = 1,    /* prefix extending method [WLJ19]: one server, `top` prefixes go on, the last level tells */
    NW_HH_FEDPEM = 2, /* every party by itself; the server adds up what each tells of its own `top` items */
    NW_HH_SHARED = 3, /* the first levels together, then every party by itself, as [ZYH25] divides the work; rules of our own */
    NW_HH_POOLED = 4  /* all levels together: parties tell supports only */
} nw_hh_protocol;
NW_API const char *nw_hh_protocol_name(nw_hh_protocol protocol); /* "pem", "fedpem", "shared", "pooled" */

typedef struct nw_hh_opts {
    size_t struct_size;
    nw_hh_protocol protocol; /* 0 until set, refused if left so */
    uint32_t top;            /* k, how many items are wanted: 1 .. 4096; 0 until set */
    uint32_t parties;        /* 1 .. 65536; default 1 */
    uint32_t keep;    /* prefixes that go on to the next level, at most: top .. 65536; default 0: top for PEM, else 12 top */
    uint32_t shared;  /* SHARED: levels that are searched together: 0 .. the campaign's less 1; default 0 */
    double threshold; /* prefixes less than so many standard deviations above 0 do not go on: 0 .. 10; default -1: 0 for
                                PEM, else 1.5 */
    bool is_adaptive; /* prefixes beyond the first `top` go on only from 2.5 standard deviations of the party's own noise */
    bool is_pruning;  /* SHARED: parties, the largest first, judge prefixes by what all before them estimated, too */
    nw_hh_encoding encoding; /* leaves prefixes out that no item has; default 0: every code is an item */
} nw_hh_opts;
/* clang-format off */
#define NW_HH_OPTS_INIT \
    { sizeof(nw_hh_opts), (nw_hh_protocol)0, 0, 1, 0, 0, -1.0, false, false, (nw_hh_encoding)0 }
/* clang-format on */
NW_API void nw_hh_opts_init(nw_hh_opts *opts, size_t struct_size);

/** The levels that suit a protocol, for nw_ldp_campaign_opts.lengths. PEM: a first level of floor(log2 top) + 1 bits, then `step`
 *  bits each; others: as few levels as the transforms allow, whole letters or bytes each. step: 0: PEM 2, others by themselves.
 *
 *  Shapes    lengths: NW_LDP_MAX_LEVELS, out.
 *  Units     bits: 1 .. 128; step: at most 22.
 *  Errors    NW_E_ARG naming the parameter, also if there would be more than NW_LDP_MAX_LEVELS levels.
 *  Cost      none. Threads: any.
 *  Source    [WLJ19, sec. 4]; docs/rooms/hitters.md#levels.
 *  Example   examples/hitters.c */
NW_API NW_WARN_UNUSED nw_status nw_hh_levels(nw_hh_protocol protocol, nw_hh_encoding encoding, unsigned bits, unsigned top,
    unsigned step, uint8_t lengths[NW_LDP_MAX_LEVELS], unsigned *levels, nw_error *err);

typedef struct nw_hh nw_hh; /* confined */

/** Validates the options and begins at the first level.
 *
 *  Shapes    *out: new handle, or NULL on error. campaign: of BLH or OLH; copied.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set: also a campaign of a closed domain, or levels more
 *            than 24 bits apart; NW_E_NOMEM.
 *  Cost      none. Threads: any.
 *  Source    docs/rooms/hitters.md.
 *  Example   examples/hitters.c */
NW_API NW_WARN_UNUSED nw_status nw_hh_new(nw_hh **out, const nw_ldp_campaign *campaign, const nw_hh_opts *opts, nw_error *err);
NW_API void nw_hh_free(nw_hh *hh);
/** As they are in force: keep and threshold are set. */
NW_API nw_hh_opts nw_hh_get_opts(const nw_hh *hh);
NW_API const nw_ldp_campaign *nw_hh_campaign(const nw_hh *hh); /* borrowed */
/** The level that the next step closes; the campaign's number of levels when all are closed. */
NW_API unsigned nw_hh_level(const nw_hh *hh);
NW_API bool nw_hh_is_done(const nw_hh *hh);

#define NW_HH_ALL_PARTIES UINT32_MAX
/** What a step asks for: the supports of all codes that begin with one of n prefixes, among the reports of `party` at `level`, or
 *  added up over all parties. The arguments of nw_ldp_aggregate_subtree. */
typedef struct nw_hh_request {
    unsigned level;
    uint32_t party; /* NW_HH_ALL_PARTIES: of all together */
    const nw_ldp_item *prefixes;
    size_t n;
    unsigned suffix_bits;
} nw_hh_request;
/** Fills int64[n << suffix_bits]. What it returns but NW_OK ends the step. */
typedef nw_status (*nw_hh_source)(void *context, const nw_hh_request *request, int64_t *supports, nw_error *err);

/** Closes one level: asks the source for supports, keeps the prefixes that look frequent, and after the last level merges what
 *  the parties found. The result depends on the supports alone, not on how the source came by them.
 *
 *  Shapes    reports: uint64_t[parties], at this level. source is called with up to 2^22 codes, or one prefix, at a time, and for
 *            each party in turn when parties are by themselves; in which order depends on `reports` alone.
 *  Units     none.
 *  Errors    NW_E_STATE if all levels are closed; NW_E_ARG on NULL; NW_E_NOMEM; those of the source. The state is then as before.
 *  Cost      the source's; 2 ns a code. Memory: 8 bytes for each of 2^22 codes. Threads: confined.
 *  Source    docs/rooms/hitters.md#steps.
 *  Example   examples/hitters.c */
NW_API NW_WARN_UNUSED nw_status nw_hh_step(nw_hh *hh, const uint64_t *reports, nw_hh_source source, void *context, nw_error *err);
/** nw_hh_step with supports from aggregates: one for each party; or one of all users, n being 1, at a level that all parties
 *  search together. Over several processes, each of which has aggregates of a part of the users, all call it, and get
 *  the same.
 *
 *  Shapes    reports: uint64_t[parties], at this level, over all processes; NULL: as the aggregates have them, added up over the
 *            processes. reduce: NULL: this process only.
 *  Units     none.
 *  Errors    as nw_hh_step; NW_E_ARG if n or a campaign does not fit; those of reduce.
 *  Cost      that of nw_ldp_aggregate_subtree for each aggregate. Threads: confined.
 *  Source    none.
 *  Example   examples/hitters.c */
NW_API NW_WARN_UNUSED nw_status nw_hh_step_aggregates(nw_hh *hh, const nw_ldp_aggregate *const *aggregates, size_t n,
    const uint64_t *reports, const nw_reduce *reduce, nw_error *err);

/** One item that was found, among how many users. */
typedef struct nw_hh_hit {
    nw_ldp_item item;
    double count; /* users who hold it, estimated; may be negative */
    double error; /* standard error: of the noise, and of who reported at which level */
} nw_hh_hit;
/** After the last level: how many items were found, at most `top`; the i-th, the most frequent first; and the reports of all
 *  levels, which are the users. Errors: NW_E_STATE before; NW_E_ARG. */
NW_API size_t nw_hh_found(const nw_hh *hh);
NW_API NW_WARN_UNUSED nw_status nw_hh_get(const nw_hh *hh, size_t i, nw_hh_hit *hit, nw_error *err);
NW_API uint64_t nw_hh_users(const nw_hh *hh);
/** What one party told the server at the end, when parties are by themselves: n items of `top` at most, written to hits
 *  [top]. Errors: NW_E_STATE if the party told none; NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_hh_party(const nw_hh *hh, uint32_t party, nw_hh_hit *hits, size_t *n, nw_error *err);

/** What travels if parties and server are apart; reports of users are not in it. A party sends the supports that are asked for, 8
 *  bytes each, or the reports of that level, 6 bytes each, whichever is less; prefixes are sent in 16 bytes, estimates in 32. */
typedef struct nw_hh_traffic {
    uint64_t up;     /* bytes, from all parties to the server */
    uint64_t down;   /* bytes, from the server to all parties, and from party to party */
    uint64_t rounds; /* messages that have to wait for another */
} nw_hh_traffic;
NW_API nw_hh_traffic nw_hh_get_traffic(const nw_hh *hh);

/** The state between two steps as bytes, canonical; made of reports, so not secret. Errors: NW_E_ARG on NULL or capacity. */
NW_API size_t nw_hh_size(const nw_hh *hh);
NW_API NW_WARN_UNUSED nw_status nw_hh_serialize(const nw_hh *hh, uint8_t *out, size_t capacity, nw_error *err);
/** Errors: NW_E_FORMAT if they are not the bytes of a state; NW_E_NOMEM. Who can write them can say anything. */
NW_API NW_WARN_UNUSED nw_status nw_hh_deserialize(nw_hh **out, const uint8_t *bytes, size_t n, nw_error *err);

/* ---- how good an answer is ---- */

/** Of an answer, beside the true most frequent items. */
typedef struct nw_hh_score {
    double f1;  /* harmonic mean of precision and recall */
    double ncr; /* normalised cumulative rank [WLJ19]: the true item of rank i is worth k + 1 - i; 1 if all are found */
} nw_hh_score;
/** found: any number of items, in any order, each once; truth: the true ones, the most frequent first; n >= 1 of them. */
NW_API nw_hh_score nw_hh_compare(const nw_ldp_item *found, size_t n_found, const nw_ldp_item *truth, size_t n);

/* ---- the central model, for comparison ---- */

typedef struct nw_hh_central_opts {
    size_t struct_size;
    double epsilon; /* nats, in (0, 64]; 0 until set */
    double delta;   /* of the threshold: an item that one user alone holds comes out with that probability; in [1e-30, 0.5); 0
                       until set */
    uint32_t top;   /* 1 .. 4096; 0 until set */
} nw_hh_central_opts;
/* clang-format off */
#define NW_HH_CENTRAL_OPTS_INIT { sizeof(nw_hh_central_opts), 0.0, 0.0, 0 }
/* clang-format on */
NW_API void nw_hh_central_opts_init(nw_hh_central_opts *opts, size_t struct_size);
/** What it costs: composed(discrete Laplace, approx(0, delta)) under add_remove, a user being a record. To be freed. */
NW_API NW_WARN_UNUSED nw_status nw_hh_central_event(nw_event **out, const nw_hh_central_opts *opts, nw_error *err);
/** A trusted curator who holds all items: exact counts, discrete Laplace noise, and a threshold, below which nothing is told; of
 *  the rest the `top` highest.
 *
 *  Shapes    items, counts: n different items and the users who hold each, all of them above 0. hits: nw_hh_hit[top].
 *  Units     counts in users, one item each.
 *  Errors    NW_E_ARG; as nw_ledger_charge; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      a few ns an item. Threads: rng confined, ledger locked.
 *  Source    [WZLDSG20]; docs/rooms/hitters.md#central.
 *  Example   docs/rooms/hitters.md#central */
NW_API NW_WARN_UNUSED nw_status nw_hh_central_release(const nw_hh_central_opts *opts, nw_rng *rng, nw_ledger *ledger,
    const char *label, const nw_ldp_item *items, const int64_t *counts, size_t n, nw_hh_hit *hits, size_t *found,
    nw_receipt *receipt, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
