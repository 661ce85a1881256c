/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LDP_H
#define NW_LDP_H

/* nw/ldp.h - local differential privacy: campaigns, and the server's half: randomised reports in, estimates out.
 *
 * What it is for: counting over users who give nobody their value, only a report that was randomised on their device
 *   (nw/ldp_client.h): how frequent items are, whole subtrees of prefixes at once, means and histograms of numbers. Reports
 *   stream into aggregates of integers; aggregates merge, in any order, or travel as bytes.
 * What it protects: each user's value, at epsilon, against everybody, the server included. Nothing is charged to a ledger here:
 *   the privacy was spent on the device; nw_ldp_event says what it cost.
 * What it does not: integrity. A user who lies moves estimates; docs/rooms/ldp.md#poisoning says by how much, and what helps.
 * Reports that do not fit are counted by reason and left out; they are never an error.
 *
 *   nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
 *   o.epsilon = 1.0;  o.domain = 50;
 *   nw_ldp_campaign_make(&campaign, &o, &err);
 *   nw_ldp_aggregate_new(&aggregate, &campaign, NULL, &err);
 *   nw_ldp_aggregate_add(aggregate, report, sizeof report, NULL, &verdict, &err);        // once for each report
 *   nw_ldp_aggregate_estimate(aggregate, 0, items, 50, counts, errors, &err);            // counts[i] +- errors[i]
 *   nw_ldp_aggregate_free(aggregate);
 */
#include <nw/event.h>
#include <nw/ldp_client.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NW_LDP_SMALLEST_EPSILON 0.0009765625 /* 2^-10 */
#define NW_LDP_LARGEST_EPSILON 16.0

/** Options of a campaign. Either `domain` is set, or `bits`. */
typedef struct nw_ldp_campaign_opts {
    size_t struct_size;
    nw_ldp_oracle oracle; /* 0: of bits BLH; of a domain the one with the least variance whose reports fit max_report_bytes */
    double epsilon;       /* nats, of one report, in [2^-10, 16]; 0 until set, refused if left so */
    double first_epsilon; /* SUE: of one memoised report, in [2^-10, epsilon), epsilon being that of all; default 0: none */
    uint64_t domain; /* items, 2 .. 2^32; SUE, OUE, SUBSET: at most 65536; GRR, PROJECTIVE, HADAMARD: 2^24; SQUARE_WAVE: cells of
                              the histogram, 2 .. 4096; means: 0 */
    uint32_t bits;   /* OLH, BLH: of an item, 1 .. 128 */
    uint32_t levels; /* of bits: 1 .. 32; default 1 */
    const uint8_t *lengths;      /* of each level's prefix, increasing, the last equal to bits; NULL: equal steps, rounded up */
    uint32_t symbols;            /* as nw_ldp_campaign.symbols, for OLH, BLH, SUBSET, HADAMARD, PROJECTIVE; default 0: the best */
    uint32_t seed_bits;          /* OLH, BLH: 8 .. 32; default 32. Up to 20, the aggregate has a fixed size */
    bool is_public_coin;         /* OLH, BLH, and any of several levels; default false */
    uint32_t max_report_bytes;   /* for the choice of an oracle; default 16 */
    uint8_t id[NW_LDP_ID_BYTES]; /* what tells campaigns of equal options apart: reports of one are foreign to the other */
} nw_ldp_campaign_opts;
/* clang-format off */
#define NW_LDP_CAMPAIGN_OPTS_INIT                                                                                                \
    { sizeof(nw_ldp_campaign_opts), (nw_ldp_oracle)0, 0.0, 0.0, 0, 0, 1, NULL, 0, 32, false, 16, { 0 } }
/* clang-format on */
NW_API void nw_ldp_campaign_opts_init(nw_ldp_campaign_opts *opts, size_t struct_size);

/** Validates the options, chooses what was left open, and computes the probabilities as a device does.
 *
 *  Integer parameters are the better of the two neighbours of the real optimum, by variance.
 *
 *  Shapes    *out: zeroed on error.
 *  Units     epsilon in nats.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set.
 *  Cost      some us. Threads: any.
 *  Source    docs/rooms/ldp.md#campaigns.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_campaign_make(nw_ldp_campaign *out, const nw_ldp_campaign_opts *opts, nw_error *err);
/** Accepts the names of nw_ldp_oracle_name. Errors: NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_oracle_parse(const char *name, nw_ldp_oracle *out, nw_error *err);

/** What one report says about one item: its support of the item, as a random variable. Of most oracles it is 0 or 1. */
typedef struct nw_ldp_law {
    double own;   /* mean if the reporting user holds the item: of support 0 or 1, p */
    double other; /* mean if not: q */
    double own_variance;
    double other_variance;
} nw_ldp_law;
/** Of a frequency oracle. An estimate is (support - n other) / (own - other). Of HADAMARD, other_variance is that of items spread
 *  evenly over the blocks. Of means and the square wave all NaN. */
NW_API nw_ldp_law nw_ldp_campaign_law(const nw_ldp_campaign *campaign);
/** Standard deviation of the estimated count of an item that `count` of `reports` users hold; of means, that of the mean in units
 *  of the bounds' distance, at most, with count ignored; of the square wave NaN. With fewer than 32 seed bits a term that depends
 *  on the other items comes on top: docs/rooms/ldp.md#seeds. */
NW_API double nw_ldp_campaign_deviation(const nw_ldp_campaign *campaign, double reports, double count);

/** n reports of n users, from the library's generator.
 *
 *  Shapes    users: n pseudonyms of NW_LDP_USER_BYTES if the coin is public, else NULL. items: n. out: n reports one after the
 *            other; zeroed on error. level: -1: as nw_ldp_report; else as nw_ldp_report_at.
 *  Units     as nw_ldp_report.
 *  Errors    NW_E_ARG; NW_E_ENTROPY.
 *  Cost      as nw_ldp_report. Threads: rng confined.
 *  Source    docs/rooms/ldp.md.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_report_many(const nw_ldp_campaign *campaign, nw_rng *rng, const uint8_t *users,
    const nw_ldp_item *items, size_t n, int level, uint8_t *out, size_t capacity, nw_error *err);
/** The place of a number between bounds, as nw_ldp_item wants it: NaN counts as lower, what lies beyond as the bound. */
NW_API nw_ldp_item nw_ldp_number(double value, double lower, double upper);

/* ---- what it costs ---- */

/** One report: ldp(epsilon). Its epsilon is that of the campaign, a multiple of 2^-32. To be freed with nw_event_free. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_event(nw_event **out, const nw_ldp_campaign *campaign, nw_error *err);
/** What one user's memoised reports of `values` different values cost together, however many reports there are; fresh reports:
 *  nw_event_repeat of nw_ldp_event. values >= 1. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_memoised_event(
    nw_event **out, const nw_ldp_campaign *campaign, uint64_t values, nw_error *err);
/** What is learned about one user from `reports` reports of one level in random order, without whatever tells senders apart: the
 *  central guarantee. Private coin only (NW_E_UNSUPPORTED): a public coin names the user. Levels are told apart, so of a campaign
 *  of several the smallest group counts. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_shuffled_event(
    nw_event **out, const nw_ldp_campaign *campaign, uint64_t reports, nw_error *err);

/* ---- aggregates ---- */

typedef struct nw_ldp_aggregate nw_ldp_aggregate; /* confined */

typedef struct nw_ldp_aggregate_opts {
    size_t struct_size;
    bool is_tracking_users; /* one report a user: of a user's several, the one with the smallest bytes counts, the others are
                               NW_LDP_REPLAYED. Short reports only. Default false */
} nw_ldp_aggregate_opts;
/* clang-format off */
#define NW_LDP_AGGREGATE_OPTS_INIT { sizeof(nw_ldp_aggregate_opts), false }
/* clang-format on */
NW_API void nw_ldp_aggregate_opts_init(nw_ldp_aggregate_opts *opts, size_t struct_size);

/** What became of a report. */
typedef enum nw_ldp_verdict {
    NW_LDP_ACCEPTED = 0,
    NW_LDP_MALFORMED = 1,    /* not of a report's size, mark or version, or of another oracle */
    NW_LDP_FOREIGN = 2,      /* of another campaign */
    NW_LDP_OUT_OF_RANGE = 3, /* a level, seed or payload that no client gives */
    NW_LDP_WRONG_COIN = 4,   /* public coin: the level or the seed is not this user's, or there is no user */
    NW_LDP_REPLAYED = 5,     /* a further report of a user who has one */
    NW_LDP_SUSPECT = 6,      /* taken out by nw_ldp_aggregate_screen */
    NW_LDP_VERDICTS = 7      /* how many there are */
} nw_ldp_verdict;
NW_API const char *nw_ldp_verdict_name(nw_ldp_verdict verdict); /* "accepted", "malformed", "foreign", "out_of_range", ... */

/** Shapes: opts: NULL for the defaults. Errors: NW_E_ARG naming the option; NW_E_NOMEM; NW_E_ENTROPY if users are tracked. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_new(
    nw_ldp_aggregate **out, const nw_ldp_campaign *campaign, const nw_ldp_aggregate_opts *opts, nw_error *err);
NW_API void nw_ldp_aggregate_free(nw_ldp_aggregate *aggregate);
/** Borrowed: lives as long as the aggregate. */
NW_API const nw_ldp_campaign *nw_ldp_aggregate_campaign(const nw_ldp_aggregate *aggregate);

/** Adds one report.
 *
 *  Shapes    report: size bytes, any. user: NW_LDP_USER_BYTES, or NULL; needed if the coin is public or users are tracked.
 *            verdict: out, may be NULL; counted in any case.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL; NW_E_NOMEM. None of them depends on the report.
 *  Cost      some ns; SUE, OUE, SUBSET: 1 ns an item. Memory: OLH and BLH with more than 20 seed bits 6 bytes a report; tracked
 *            users 48 bytes; else fixed. Threads: confined; use an aggregate a thread and merge.
 *  Source    docs/rooms/ldp.md#reports.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_add(
    nw_ldp_aggregate *aggregate, const uint8_t *report, size_t size, const uint8_t *user, nw_ldp_verdict *verdict, nw_error *err);
/** Adds the reports that lie one after the other in `size` bytes; what is left over at the end is one malformed report. users: a
 *  pseudonym for each, or NULL. Errors: as nw_ldp_aggregate_add. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_add_batch(
    nw_ldp_aggregate *aggregate, const uint8_t *reports, size_t size, const uint8_t *users, nw_error *err);
/** Reports so far that got this verdict; and of those accepted, at one level. 0 for a verdict or level that there is not. */
NW_API uint64_t nw_ldp_aggregate_count(const nw_ldp_aggregate *aggregate, nw_ldp_verdict verdict);
NW_API uint64_t nw_ldp_aggregate_reports(const nw_ldp_aggregate *aggregate, unsigned level);

/** Adds what `other`, of the same campaign and options, has. In any order and grouping the serialized result is the same.
 *  Errors: NW_E_ARG if they differ; NW_E_NOMEM, after which only nw_ldp_aggregate_free is allowed. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_merge(nw_ldp_aggregate *aggregate, const nw_ldp_aggregate *other, nw_error *err);
/** The state as bytes: the campaign, the counts by verdict, and the integers; canonical. Not secret: it was made of reports.
 *
 *  Shapes    out: nw_ldp_aggregate_size bytes.
 *  Units     bytes.
 *  Errors    NW_E_ARG on NULL or capacity; NW_E_NOMEM.
 *  Cost      a copy, and for logs of reports a sort. Threads: confined.
 *  Source    docs/rooms/ldp.md#aggregates.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_serialize(
    const nw_ldp_aggregate *aggregate, uint8_t *out, size_t capacity, nw_error *err);
NW_API size_t nw_ldp_aggregate_size(const nw_ldp_aggregate *aggregate);
/** nw_ldp_aggregate_merge with the bytes of another aggregate. Errors: NW_E_FORMAT: not the bytes of an aggregate; NW_E_ARG: of
 *  another campaign or other options; NW_E_NOMEM. Unless it is NW_E_NOMEM, nothing is merged. Who can write the bytes can say
 *  anything: authenticate them. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_merge_bytes(
    nw_ldp_aggregate *aggregate, const uint8_t *bytes, size_t n, nw_error *err);
/** A new aggregate from such bytes, of the campaign and options that they name. Errors: NW_E_FORMAT; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_deserialize(
    nw_ldp_aggregate **out, const uint8_t *bytes, size_t n, nw_error *err);

/* ---- frequencies ---- */

/** The support of each of n items at a level: integers, which add up across aggregates.
 *
 *  Shapes    items: n codes of the level's length (numbers below 2^length), or indices below the domain. supports: int64[n], out.
 *  Units     reports.
 *  Errors    NW_E_ARG: a level or an item that there is not, or a campaign of numbers; NW_E_NOMEM.
 *  Cost      OLH and BLH: 0.2 ns an item and report with AVX2, or 2^seed_bits instead of reports if that is less; others O(n) and
 *            a transform. The result does not depend on threads or vector units. Threads: OpenMP over items.
 *  Source    docs/rooms/ldp.md#decoding.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_support(
    const nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err);
/** The supports of all codes that begin with one of n prefixes: of BLH by a Walsh-Hadamard transform a prefix.
 *
 *  Shapes    prefixes: n codes of the level's length less suffix_bits; suffix_bits: 0 .. 24, at most that length. supports:
 *            int64[n << suffix_bits], out: those of prefix i begin at i << suffix_bits, in the order of the suffix.
 *  Units     reports.
 *  Errors    as nw_ldp_aggregate_support; NW_E_ARG also if there are no bits.
 *  Cost      BLH: (g - 1) 1.5 ns a report and prefix, and 1 ns suffix_bits a code; OLH: as nw_ldp_aggregate_support. Memory:
 *            4 bytes a code besides the output. Threads: OpenMP over prefixes.
 *  Source    docs/rooms/ldp.md#decoding.
 *  Example   examples/ldp.c */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_subtree(const nw_ldp_aggregate *aggregate, unsigned level,
    const nw_ldp_item *prefixes, size_t n, unsigned suffix_bits, int64_t *supports, nw_error *err);
/** Unbiased counts among `reports` reports, and their standard errors, from supports; a count may be negative. errors: may be
 *  NULL. The error of an item is that of the count as it is estimated, 0 taken for a negative one. Errors: NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_estimate(const nw_ldp_campaign *campaign, uint64_t reports, const int64_t *supports,
    size_t n, double *counts, double *errors, nw_error *err);
/** nw_ldp_aggregate_support, then nw_ldp_estimate with the reports of that level. counts, errors: double[n], out; errors may be
 *  NULL. Errors: as nw_ldp_aggregate_support. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_estimate(const nw_ldp_aggregate *aggregate, unsigned level,
    const nw_ldp_item *items, size_t n, double *counts, double *errors, nw_error *err);

/** What is known of counts beyond the reports: they are not negative, and add up. Applied to all items of a level. */
typedef enum nw_ldp_rule {
    NW_LDP_UNBIASED = 1, /* leaves them as they are */
    NW_LDP_BASE_CUT = 2, /* 0 unless above what noise alone reaches but for `risk` among all n, 0.05 if that is 0 */
    NW_LDP_NORM_SUB = 3, /* the nearest counts that are not negative and add up to `total` [WLLSL20] */
    NW_LDP_SIMPLEX = 4   /* the same with distances in standard errors */
} nw_ldp_rule;
NW_API const char *nw_ldp_rule_name(nw_ldp_rule rule); /* "unbiased", "base_cut", "norm_sub", "simplex" */
/** Shapes: counts: double[n], in place. errors: double[n], or NULL for NORM_SUB and UNBIASED. Units: counts; total > 0; risk in
 *  [0, 1), base_cut only. Errors: NW_E_ARG; NW_E_NOMEM. Cost: a sort. Source: docs/rooms/ldp.md#estimators. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_postprocess(
    nw_ldp_rule rule, double *counts, const double *errors, size_t n, double total, double risk, nw_error *err);
/** Counts of a whole tree made consistent: each node the sum of its children, at the least squares of the errors [HRMS10].
 *  Shapes: counts: level after level, from the top; level 0 has `roots` nodes, each next one `fanout` times as many; in place.
 *  deviations: double[levels], of each level's counts; > 0. Errors: NW_E_ARG; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_consistent(
    double *counts, const double *deviations, size_t levels, size_t roots, size_t fanout, nw_error *err);

/* ---- numbers ---- */

/** The mean of the users' numbers, unbiased, and its standard error, at most, given the numbers. lower, upper: the bounds given
 *  to nw_ldp_number.
 *  Errors: NW_E_ARG: not a campaign of means, or bounds; NW_E_STATE: no reports. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_mean(
    const nw_ldp_aggregate *aggregate, double lower, double upper, double *mean, double *error, nw_error *err);
/** The histogram of the users' numbers by expectation maximisation, smoothed between steps (EMS) or not.
 *  Shapes: fractions: double[domain], out; they add up to 1. Errors: NW_E_ARG: not a square wave; NW_E_STATE: no reports;
 *  NW_E_NOMEM. Cost: up to 10000 steps of O(domain). Source: [LWLJ20]. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_histogram(
    const nw_ldp_aggregate *aggregate, bool is_smoothed, double *fractions, nw_error *err);

/* ---- against poisoned reports ---- */

/** How much of all frequency a fraction `fakes` of fake users can move onto `targets` items that hold `mass` of it: the expected
 *  gain, of GRR, SUE, OUE, OLH, BLH [CJG21]; else NaN. Of a public coin, that of users who cannot choose their seed. */
NW_API double nw_ldp_attack_gain(const nw_ldp_campaign *campaign, double fakes, double targets, double mass);
/** OLH, BLH: takes out the reports that support more of the n items than an honest report does but for probability `risk`, and
 *  counts them as NW_LDP_SUSPECT. items: candidates chosen without looking at these reports. removed: out, may be NULL.
 *  Errors: NW_E_ARG, NW_E_NOMEM; NW_E_UNSUPPORTED if the aggregate has no log of reports (up to 20 seed bits). */
NW_API NW_WARN_UNUSED nw_status nw_ldp_aggregate_screen(nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *items,
    size_t n, double risk, uint64_t *removed, nw_error *err);
/** One party's estimates may be poisoned while most are not: counts of `parties` parties, each divided by its size, combined item
 *  by item leaving out the `trimmed` largest and smallest frequencies, weighted by size. trimmed: 0: the sum; at most
 *  (parties - 1) / 2, the median. Shapes: counts: double[parties][n]; sizes: double[parties], reports, > 0; out: double[n].
 *  Errors: NW_E_ARG; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_ldp_combine(
    const double *counts, const double *sizes, size_t parties, size_t n, size_t trimmed, double *out, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
