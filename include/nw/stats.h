/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_STATS_H
#define NW_STATS_H

/* nw/stats.h - counts, sums, means, variances and quantiles of records, by group, released once; choices among candidates;
 *   questions about thresholds; counts of unknown keys; linear queries.
 *
 * What it is for: a handful of figures about a table, or about parts of it that lie on many threads or machines: each part adds
 *   its records to an accumulator of its own, accumulators merge, or reduce as bytes, and one of them releases.
 * What it protects: one record (add_remove or replace_one), at (epsilon, delta), for all figures of the handle together. A record
 *   is added at most once to each query. Not a person with several records.
 * How: each record becomes at most three integers - a count of 1, its value and its square on a power-of-two grid, truncated
 *   toward zero within public bounds -, integers are added up exactly, and each total gets one draw of integer noise: discrete
 *   Laplace if delta is 0, rounded Gaussian otherwise. Groups without records get noise too. A histogram is a count whose groups
 *   are the cells. Quantiles, minima and maxima are chosen among public values by the exponential mechanism, sampled exactly.
 *   docs/rooms/stats.md has the sensitivities.
 * Records that do not fit: a group that is not below `groups` and a NaN value contribute nothing; values beyond the bounds, and
 *   infinities, count as the bound. Never an error.
 *
 *   nw_stats_query q[2] = { NW_STATS_QUERY_INIT, NW_STATS_QUERY_INIT };
 *   q[0].kind = NW_STATS_COUNT;  q[0].groups = 2;
 *   q[1].kind = NW_STATS_MEAN;   q[1].groups = 2;  q[1].lower = 0;  q[1].upper = 120;
 *   nw_stats_opts o = NW_STATS_OPTS_INIT;
 *   o.epsilon = 1.0;  o.delta = 0.0;  o.adjacency = NW_ADD_REMOVE;
 *   nw_stats_new(&s, q, 2, &o, &err);
 *   nw_stats_add(s, 0, sexes, NULL, n, &err);
 *   nw_stats_add(s, 1, sexes, ages, n, &err);
 *   nw_stats_release(s, rng, ledger, "ages", &receipt, &err);    // charges, then draws
 *   nw_stats_get(s, 1, 0, &figure, &err);                        // figure.value +- figure.error
 *   nw_stats_free(s);
 */
#include <nw/ledger.h>
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_stats nw_stats; /* confined */

typedef enum nw_stats_kind {
    NW_STATS_COUNT = 1,
    NW_STATS_SUM = 2,
    NW_STATS_MEAN = 3,
    NW_STATS_VARIANCE = 4, /* the mean squared distance from the mean */
    NW_STATS_QUANTILE = 5, /* one of `cells` values, near the one that a fraction `rank` of the records lie at or below */
    NW_STATS_MIN = 6,      /* one that about k records lie at or below, k as small as epsilon allows: nw_stats_plan.margin */
    NW_STATS_MAX = 7       /* one that about k records lie above */
} nw_stats_kind;
NW_API const char *nw_stats_kind_name(nw_stats_kind kind); /* "count", "sum", "mean", "variance", "quantile", "min", "max" */

typedef struct nw_stats_query {
    size_t struct_size;
    nw_stats_kind kind; /* 0 until set, refused if left so */
    size_t groups;      /* 1 .. 2^24; default 1: no grouping */
    double lower;       /* bounds of the values: finite, lower < upper, at most 1e100 in magnitude; not used by a count */
    double upper;
    double weight; /* share of the budget, relative to the other queries': in [1e-6, 1e6]; default 1 */
    uint32_t
        cells;   /* quantile, min, max: so many values from lower to upper, equally far apart, stand for all: 2 .. 2^20; default
                       1000; with the groups at most 2^26 */
    double rank; /* quantile: in [0, 1], in steps of 1/10000; default 0.5, the median */
} nw_stats_query;
/* clang-format off */
#define NW_STATS_QUERY_INIT { sizeof(nw_stats_query), (nw_stats_kind)0, 1, 0.0, 0.0, 1.0, 1000, 0.5 }
/* clang-format on */

/** Options of a release. Privacy parameters have no default. */
typedef struct nw_stats_opts {
    size_t struct_size;
    double epsilon;         /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;           /* in [0, 1); 0: discrete Laplace noise, else rounded Gaussian; -1 until set, refused if left so */
    nw_adjacency adjacency; /* add_remove or replace_one; NW_ADJACENCY_UNSET until set */
    double share; /* of the budget, for a release that is charged together with others whose shares make up the rest: of epsilon,
                     or of mu^2; in [1e-15, 1]; default 1: all of it */
    double confidence; /* that all figures of the release lie within their errors, together: in [0.5, 1 - 1e-12]; says nothing
                          about the noise */
} nw_stats_opts;
#define NW_STATS_CONFIDENCE 0.999 /* the default */
/* clang-format off */
#define NW_STATS_OPTS_INIT { sizeof(nw_stats_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, 1.0, NW_STATS_CONFIDENCE }
/* clang-format on */
NW_API void nw_stats_opts_init(nw_stats_opts *opts, size_t struct_size);
NW_API void nw_stats_query_init(nw_stats_query *query, size_t struct_size);

/** Validates the options, divides the budget, calibrates the noise and allocates the totals.
 *
 *  The budget is divided in the currency of the noise, epsilon for Laplace and mu^2 for Gaussian: among the queries by weight,
 *  and within a query equally among its totals (a mean has two: count and sum; a variance three). A choice (quantile, min, max)
 *  takes its share of mu^2 as the epsilon that costs as much (nw_gdp_range).
 *
 *  Shapes    *out: new handle, or NULL on error. queries: n of them, 1 .. 4096, each of the first one's struct_size. Copied.
 *  Units     bounds in the unit of the values.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_NOMEM.
 *  Cost      about 1 ms a total; 8 bytes a group and total. Threads: any.
 *  Source    docs/rooms/stats.md; [BW18, Thm 8], [DMNS06].
 *  Example   examples/stats.c */
NW_API NW_WARN_UNUSED nw_status nw_stats_new(
    nw_stats **out, const nw_stats_query *queries, size_t n, const nw_stats_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_stats_free(nw_stats *stats);

/** What a release charges, known before any data is seen: one composed event. Borrowed: lives as long as the handle. */
NW_API const nw_event *nw_stats_event(const nw_stats *stats);

/** How one query will be answered: public. */
typedef struct nw_stats_plan {
    nw_stats_kind kind;
    size_t groups;
    double share;    /* of the budget, 0..1 */
    size_t totals;   /* 0 .. 3: the count, the sum, the sum of squares; of a sum the sum alone; of a choice none */
    double noise[3]; /* of each total: standard deviation of its noise, in its own unit */
    double epsilon;  /* of a choice, else 0 */
    uint64_t margin; /* min, max: k, in records; else 0 */
    double
        step[3]; /* of each total: one record's part of it is cut off toward zero by less than this, 2^-28 of the sensitivity */
} nw_stats_plan;
/** Query i < the number of queries given to nw_stats_new. */
NW_API nw_stats_plan nw_stats_get_plan(const nw_stats *stats, size_t i);
/** The error (nw_stats_figure) to be expected of query i's figure in a group of `records` records: exact for counts, sums and
 *  choices; for means and variances to first order in the worst case, records at the bounds, and at most the width of what is
 *  possible. */
NW_API double nw_stats_expected_error(const nw_stats *stats, size_t i, double records);

/** Adds n records to query i.
 *
 *  Shapes    groups: uint32[n], or NULL: all in group 0. values: double[n]; ignored, and may be NULL, for a count.
 *  Units     values in the unit of the bounds.
 *  Errors    NW_E_ARG on NULL or i; NW_E_STATE after the release; NW_E_NOMEM. None of them depends on a record.
 *  Cost      about 10 ns a record and total. Threads: confined; use a handle a thread and merge.
 *  Source    docs/rooms/stats.md#sensitivity.
 *  Example   examples/stats.c */
NW_API NW_WARN_UNUSED nw_status nw_stats_add(
    nw_stats *stats, size_t i, const uint32_t *groups, const double *values, size_t n, nw_error *err);

/** Adds the totals of `other`, made of the same queries and options, over other records. Errors: NW_E_ARG if they differ;
 *  NW_E_STATE if either was released. */
NW_API NW_WARN_UNUSED nw_status nw_stats_merge(nw_stats *stats, const nw_stats *other, nw_error *err);

/** The totals as bytes, for engines that reduce bytes. They are exact and unprotected: as secret as the table. Versioned, with a
 *  checksum; equal totals have equal bytes.
 *
 *  Shapes    out: nw_stats_size bytes, the same for every handle of the same queries.
 *  Units     bytes.
 *  Errors    NW_E_ARG on NULL or capacity; NW_E_STATE after the release.
 *  Cost      a copy. Threads: confined.
 *  Source    none.
 *  Example   examples/stats.c */
NW_API NW_WARN_UNUSED nw_status nw_stats_serialize(const nw_stats *stats, uint8_t *out, size_t capacity, nw_error *err);
NW_API size_t nw_stats_size(const nw_stats *stats);
/** nw_stats_merge with the bytes of another handle. Errors: NW_E_FORMAT if they are cut short, damaged, or not the totals of the
 *  same queries and options: then nothing was added; NW_E_STATE after the release. Who can write the bytes can say anything:
 *  authenticate them. */
NW_API NW_WARN_UNUSED nw_status nw_stats_merge_bytes(nw_stats *stats, const uint8_t *bytes, size_t n, nw_error *err);
/** Adds up the totals of all processes, in process 0, which then releases; those of the others are 0 afterwards. All processes
 *  call it, any number of times; so of nw_linear_reduce, nw_tree_reduce and nw_keys_reduce.
 *
 *  Shapes    stats: of the same queries and options on every process.
 *  Units     none.
 *  Errors    on every process the same: NW_E_ARG if the queries or options of one differ from those of process 0; NW_E_STATE
 *            after the release; NW_E_IO if the others cannot be reached: then the handle is only to be freed.
 *  Cost      one sum of 8 bytes a total. Threads: of `reduce`.
 *  Source    docs/scale-out.md.
 *  Example   examples/mpi.c */
NW_API NW_WARN_UNUSED nw_status nw_stats_reduce(nw_stats *stats, const nw_reduce *reduce, nw_error *err);

/** Charges, draws, and makes the figures. Once per handle, on the handle that everything was merged into.
 *
 *  Shapes    receipt: out, may be NULL; its head is empty unless something was charged. label: at most 63 bytes.
 *  Units     none.
 *  Errors    NW_E_STATE on a second release; NW_E_BUDGET and the ledger's other refusals, before any draw; NW_E_NOMEM,
 *            NW_E_ENTROPY after the charge, which stays: then the totals are wiped.
 *  Cost      a charge, and a few ns a group. Threads: rng confined.
 *  Source    docs/rooms/stats.md.
 *  Example   examples/stats.c */
NW_API NW_WARN_UNUSED nw_status nw_stats_release(
    nw_stats *stats, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);

typedef struct nw_stats_figure {
    double value; /* means and variances: within what the bounds allow; NaN if the noisy count is below 1 */
    double error; /* half width: with probability opts.confidence all figures of the release are this near to what they are
                     without noise. Of values as they count: held to the bounds; a sum may be off by another
                     nw_stats_plan.step a record. Of a choice in records: so many ranks at most lie between the chosen value
                     and the wanted rank, for min and max the end. Of NaN: INFINITY */
    double standard_error; /* standard deviation of the noise of the value: of means and variances to first order; of a choice
                              its mean distance from the wanted rank, at most. Of NaN: INFINITY */
} nw_stats_figure;
/** After a release: query i's figure for a group. Errors: NW_E_STATE before a release; NW_E_ARG if i or group is out of range. */
NW_API NW_WARN_UNUSED nw_status nw_stats_get(const nw_stats *stats, size_t i, size_t group, nw_stats_figure *out, nw_error *err);

/* ---- choosing one of several candidates ---- */

typedef enum nw_select_mechanism {
    NW_SELECT_EXPONENTIAL = 1, /* probability proportional to exp(epsilon score / (2 sensitivity)) [MT07] */
    NW_SELECT_NOISY_MAX = 2,   /* the largest score with discrete Laplace noise of scale 2 sensitivity / epsilon; of equal ones
                                      the first */
    NW_SELECT_PERMUTE_AND_FLIP = 3 /* in random order, the first that a coin of exp(-epsilon (best - score) / (2 sensitivity))
                                      takes: never worse in expectation than the exponential mechanism [MS20] */
} nw_select_mechanism;

typedef struct nw_select_opts {
    size_t struct_size;
    nw_select_mechanism
        mechanism;          /* default NW_SELECT_PERMUTE_AND_FLIP; the exponential mechanism composes better (bounded range) */
    double epsilon;         /* nats, in (0, 64]; 0 until set, refused if left so */
    uint64_t sensitivity;   /* the most that any one score changes between neighbours: 1 .. 2^32; 0 until set */
    nw_adjacency adjacency; /* of those neighbours; NW_ADJACENCY_UNSET until set */
} nw_select_opts;
/* clang-format off */
#define NW_SELECT_OPTS_INIT { sizeof(nw_select_opts), NW_SELECT_PERMUTE_AND_FLIP, 0.0, 0, NW_ADJACENCY_UNSET }
/* clang-format on */
NW_API void nw_select_opts_init(nw_select_opts *opts, size_t struct_size);

/** What nw_select charges: exponential, report_noisy_max or permute_and_flip. To be freed with nw_event_free. */
NW_API NW_WARN_UNUSED nw_status nw_select_event(nw_event **out, const nw_select_opts *opts, nw_error *err);

/** Charges, and chooses a candidate of a large score.
 *
 *  Shapes    scores: int64[n], n >= 1; taken as at most 2^61 in magnitude. *chosen: 0 .. n-1, out; untouched on error.
 *  Units     scores and sensitivity in one unit: scale real scores to integers beforehand, each rounded down.
 *  Errors    NW_E_ARG naming the option; NW_E_BUDGET and the ledger's other refusals, before any draw; NW_E_NOMEM, NW_E_ENTROPY.
 *  Cost      O(n); exponential: up to n trials in expectation. The time depends on the scores. Threads: rng confined.
 *  Source    docs/rooms/stats.md#choices; [MT07], [MS20], [DR14, sec. 3.3].
 *  Example   examples/stats.c */
NW_API NW_WARN_UNUSED nw_status nw_select(const nw_select_opts *opts, const int64_t *scores, size_t n, nw_rng *rng,
    nw_ledger *ledger, const char *label, size_t *chosen, nw_receipt *receipt, nw_error *err);

/* ---- answering whether scores are above thresholds ---- */

/* The sparse vector technique: any number of questions "is this score at least that threshold?", of which only the few that are
 * answered with yes cost anything; charged whole, before the first. */
typedef struct nw_sparse nw_sparse; /* confined */

typedef struct nw_sparse_opts {
    size_t struct_size;
    double epsilon;         /* nats, in (0, 64], for all answers together; 0 until set */
    uint64_t sensitivity;   /* the most that any score changes between neighbours: 1 .. 2^32; 0 until set */
    nw_adjacency adjacency; /* of those neighbours; NW_ADJACENCY_UNSET until set */
    uint32_t positives;     /* answers "yes" before it ends: 1 .. 2^20; default 1 */
    bool is_monotone;       /* a neighbour's scores differ all in one direction, as counts do under add_remove: half the noise */
} nw_sparse_opts;
/* clang-format off */
#define NW_SPARSE_OPTS_INIT { sizeof(nw_sparse_opts), 0.0, 0, NW_ADJACENCY_UNSET, 1, false }
/* clang-format on */
NW_API void nw_sparse_opts_init(nw_sparse_opts *opts, size_t struct_size);
/** Errors: NW_E_ARG naming the option; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_sparse_new(nw_sparse **out, const nw_sparse_opts *opts, nw_error *err);
NW_API void nw_sparse_free(nw_sparse *sparse);
/** What nw_sparse_start charges: pure(epsilon). Borrowed. */
NW_API const nw_event *nw_sparse_event(const nw_sparse *sparse);
/** Charges, and draws the noise of the thresholds. Once. Errors: NW_E_STATE if it was started; the ledger's refusals. */
NW_API NW_WARN_UNUSED nw_status nw_sparse_start(
    nw_sparse *sparse, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);
/** Answers whether score is at least threshold, up to noise. Both are taken as at most 2^60 in magnitude; the threshold is
 *  public, and both may depend on earlier answers.
 *
 *  Shapes    *is_above: out; untouched on error.
 *  Units     of the sensitivity.
 *  Errors    NW_E_STATE before nw_sparse_start, and once all positives are used up; NW_E_ENTROPY.
 *  Cost      about 1 us. Threads: confined.
 *  Source    docs/rooms/stats.md#sparse-vector; [LSL17, Alg. 1], whose faulty relatives it is not.
 *  Example   examples/keys.c */
NW_API NW_WARN_UNUSED nw_status nw_sparse_ask(
    nw_sparse *sparse, nw_rng *rng, int64_t score, int64_t threshold, bool *is_above, nw_error *err);
/** Answers "yes" that are left. */
NW_API uint32_t nw_sparse_left(const nw_sparse *sparse);

/* ---- counts of keys that are not known beforehand ---- */

/* Which keys occur is itself private: a key is released only if its noisy count reaches a threshold that a key of one user alone
 * reaches with probability threshold_delta at most, however many keys the user brings. Protects a *user*, with all records. Of
 * each user count the first max_keys keys that come, and of each of these the first max_count records. A ledger of filter pure
 * has all of its delta for thresholds, any other keeps 2^-10 of it. To group other figures by keys found here, use the released
 * keys as groups of an nw_stats: a second release. */
typedef struct nw_keys nw_keys; /* confined */

typedef struct nw_keys_opts {
    size_t struct_size;
    double epsilon;         /* of the noise, nats, in (0, 64]; 0 until set */
    double delta;           /* of the noise: 0: discrete Laplace, else rounded Gaussian; -1 until set */
    double threshold_delta; /* in (0, 1), on top of delta; 0 until set */
    nw_adjacency adjacency; /* NW_ADD_REMOVE, of one user; NW_ADJACENCY_UNSET until set */
    uint32_t max_keys;      /* of one user: 1 .. 2^20; 0 until set */
    uint32_t max_count;     /* records of one user and key: 1 .. 2^20; 0 until set */
} nw_keys_opts;
/* clang-format off */
#define NW_KEYS_OPTS_INIT { sizeof(nw_keys_opts), 0.0, -1.0, 0.0, NW_ADJACENCY_UNSET, 0, 0 }
/* clang-format on */
NW_API void nw_keys_opts_init(nw_keys_opts *opts, size_t struct_size);
/** Validates, calibrates noise and threshold.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_NOMEM.
 *  Cost      about 1 ms. Threads: any.
 *  Source    docs/rooms/stats.md#unknown-keys; [WZLDSG20].
 *  Example   examples/keys.c */
NW_API NW_WARN_UNUSED nw_status nw_keys_new(nw_keys **out, const nw_keys_opts *opts, nw_error *err);
NW_API void nw_keys_free(nw_keys *keys);
/** composed(noise, approx(0, delta of the threshold)), that delta exact for the law and rounded up. Borrowed. */
NW_API const nw_event *nw_keys_event(const nw_keys *keys);
/** Noisy counts below this are not released; and the standard deviation of the noise. */
NW_API int64_t nw_keys_threshold(const nw_keys *keys);
NW_API double nw_keys_deviation(const nw_keys *keys);
/** Half width: but for probability `risk`, in [1e-12, 0.5], else NaN, all counts that a release tells are this near to what
 *  counts of their keys. It holds however many keys there are and whichever are told; wide, as counts are told because they
 *  are high. */
NW_API double nw_keys_error(const nw_keys *keys, double risk);

/** Adds one record. user and key: any bytes; sizes up to 2^16.
 *  Errors: NW_E_ARG on NULL or size; NW_E_STATE after the release; NW_E_NOMEM, after which only nw_keys_free is allowed.
 *  Cost: under 1 us; memory for each user, key, and
 *  pair of both that counts. Threads: confined. */
NW_API NW_WARN_UNUSED nw_status nw_keys_add(
    nw_keys *keys, const void *user, size_t user_size, const void *key, size_t key_size, nw_error *err);
/** Adds what counts in `other`. A user whose records lie in both is bounded as one: of the keys that count in either, those of
 *  `keys` come first, then those of `other` in their order, up to max_keys; and counts of a key that is in both add up, to
 *  max_count at most. So which of a user's records count depends on the order of merging and on that user's records, never on
 *  another's; records that a part left out stay out. Errors: NW_E_ARG if the options differ; NW_E_STATE if either was released;
 *  NW_E_NOMEM, after which only nw_keys_free is allowed. */
NW_API NW_WARN_UNUSED nw_status nw_keys_merge(nw_keys *keys, const nw_keys *other, nw_error *err);

/** What counts as bytes: users, keys, and how often, for engines that reduce bytes; users go with it, so that they stay bounded
 *  over all parts. Exact and unprotected: as secret as the table.
 *
 *  Shapes    out: nw_keys_size bytes, more with every user, key and pair.
 *  Units     bytes.
 *  Errors    NW_E_ARG on NULL or capacity; NW_E_STATE after the release.
 *  Cost      a copy. Threads: confined.
 *  Source    none.
 *  Example   docs/rooms/stats.md#unknown-keys */
NW_API NW_WARN_UNUSED nw_status nw_keys_serialize(const nw_keys *keys, uint8_t *out, size_t capacity, nw_error *err);
NW_API size_t nw_keys_size(const nw_keys *keys);
/** nw_keys_merge with the bytes of another handle; merged into a new handle, they are serialized as the same bytes again. Errors:
 *  NW_E_FORMAT if they are not what a handle of the same options gives, and then nothing is merged; NW_E_STATE after the release;
 *  NW_E_NOMEM. Who can write the bytes can say anything within the bounds: authenticate them. */
NW_API NW_WARN_UNUSED nw_status nw_keys_merge_bytes(nw_keys *keys, const uint8_t *bytes, size_t n, nw_error *err);
/** nw_keys_merge of what counts on all processes, by rank, into process 0; the others have no records afterwards. Errors: as
 *  nw_stats_reduce, and NW_E_NOMEM. Cost: process 0 gets the bytes of nw_keys_serialize of one process after the other. */
NW_API NW_WARN_UNUSED nw_status nw_keys_reduce(nw_keys *keys, const nw_reduce *reduce, nw_error *err);

/** Charges, draws, keeps the keys that reach the threshold, ordered by their bytes. Noise is drawn in that order too, so the same
 *  counts and seed give the same release whatever came first. Once. Errors: as nw_stats_release. */
NW_API NW_WARN_UNUSED nw_status nw_keys_release(
    nw_keys *keys, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);
/** After a release: how many keys, and key i with its noisy count; borrowed, followed by a NUL. Errors: NW_E_STATE before a
 *  release, NW_E_ARG. */
NW_API size_t nw_keys_released(const nw_keys *keys);
NW_API NW_WARN_UNUSED nw_status nw_keys_get(
    const nw_keys *keys, size_t i, const char **key, size_t *key_size, int64_t *count, nw_error *err);

/* ---- linear queries over cells, and a tree of counts ---- */

/** Options of both: noise as for nw_stats. */
typedef struct nw_linear_opts {
    size_t struct_size;
    double epsilon;         /* nats, in (0, 64]; 0 until set */
    double delta;           /* in [0, 1); 0: discrete Laplace, else rounded Gaussian; -1 until set */
    nw_adjacency adjacency; /* add_remove or replace_one; NW_ADJACENCY_UNSET until set */
    double share;           /* as in nw_stats_opts; default 1 */
} nw_linear_opts;
/* clang-format off */
#define NW_LINEAR_OPTS_INIT { sizeof(nw_linear_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, 1.0 }
/* clang-format on */
NW_API void nw_linear_opts_init(nw_linear_opts *opts, size_t struct_size);

/** Any linear queries over records in cells: answer a = sum over the records of weights[a][cell of the record], plus noise. */
typedef struct nw_linear nw_linear; /* confined */
/** Shapes: weights: int64[answers][cells], public, at most 2^20 in magnitude, not all 0; copied. answers, cells: 1 .. 2^20,
 *  together at most 2^26 weights. The sensitivity is the largest norm of a column of weights; under replace_one the largest
 *  distance of two, or twice the largest norm where there are too many to compare. Errors: NW_E_ARG naming the parameter;
 *  NW_E_NOMEM. Cost: cells^2 answers for replace_one. Source: docs/rooms/stats.md#linear-queries-and-trees. */
NW_API NW_WARN_UNUSED nw_status nw_linear_new(
    nw_linear **out, const nw_linear_opts *opts, const int64_t *weights, size_t answers, size_t cells, nw_error *err);
NW_API void nw_linear_free(nw_linear *linear);
NW_API const nw_event *nw_linear_event(const nw_linear *linear); /* borrowed */
NW_API double nw_linear_deviation(const nw_linear *linear);      /* of the noise of every answer */
/** Adds n records; a cell that is not below `cells` contributes nothing. Errors: NW_E_ARG; NW_E_STATE after the release. */
NW_API NW_WARN_UNUSED nw_status nw_linear_add(nw_linear *linear, const uint32_t *cells, size_t n, nw_error *err);
/** Errors: NW_E_ARG if weights or options differ; NW_E_STATE if either was released. */
NW_API NW_WARN_UNUSED nw_status nw_linear_merge(nw_linear *linear, const nw_linear *other, nw_error *err);
/** As those of nw_stats: bytes of exact counts, merged and summed over processes. */
NW_API size_t nw_linear_size(const nw_linear *linear);
NW_API NW_WARN_UNUSED nw_status nw_linear_serialize(const nw_linear *linear, uint8_t *out, size_t capacity, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_linear_merge_bytes(nw_linear *linear, const uint8_t *bytes, size_t n, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_linear_reduce(nw_linear *linear, const nw_reduce *reduce, nw_error *err);
/** Charges, draws. Once. out: int64[answers], untouched on error. Errors: as nw_stats_release. */
NW_API NW_WARN_UNUSED nw_status nw_linear_release(
    nw_linear *linear, nw_rng *rng, nw_ledger *ledger, const char *label, int64_t *out, nw_receipt *receipt, nw_error *err);

/** Noisy counts of all halves, quarters, ... of [lower, upper]: any number of quantiles and ranks from one release. */
typedef struct nw_tree nw_tree; /* confined */
/** depth: 1 .. 20, so 2^depth cells. Bounds as in nw_stats_query. */
NW_API NW_WARN_UNUSED nw_status nw_tree_new(
    nw_tree **out, const nw_linear_opts *opts, double lower, double upper, unsigned depth, nw_error *err);
NW_API void nw_tree_free(nw_tree *tree);
NW_API const nw_event *nw_tree_event(const nw_tree *tree); /* borrowed */
/** Standard deviation of a rank that nw_tree_rank tells, at most. */
NW_API double nw_tree_deviation(const nw_tree *tree);
/** Half width, in records: but for probability `risk`, in [1e-12, 0.5], else NaN, all ranks that nw_tree_rank tells are this near
 *  to those without noise, and all quantiles of nw_tree_quantile, whichever are asked for, at most so many records away from the
 *  wanted rank: so many lie between that rank and those below the quantile's cell, or those up to its end. */
NW_API double nw_tree_error(const nw_tree *tree, double risk);
/** Adds n values; NaN contributes nothing, what lies beyond the bounds counts at the bound. Errors: as nw_linear_add. */
NW_API NW_WARN_UNUSED nw_status nw_tree_add(nw_tree *tree, const double *values, size_t n, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_tree_merge(nw_tree *tree, const nw_tree *other, nw_error *err);
/** As those of nw_stats: bytes of exact counts, merged and summed over processes. */
NW_API size_t nw_tree_size(const nw_tree *tree);
NW_API NW_WARN_UNUSED nw_status nw_tree_serialize(const nw_tree *tree, uint8_t *out, size_t capacity, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_tree_merge_bytes(nw_tree *tree, const uint8_t *bytes, size_t n, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_tree_reduce(nw_tree *tree, const nw_reduce *reduce, nw_error *err);
/** Charges, draws. Once. Errors: as nw_stats_release. */
NW_API NW_WARN_UNUSED nw_status nw_tree_release(
    nw_tree *tree, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);
/** After a release: the upper end of the cell where a fraction `rank` in [0, 1] of the records is reached. Errors: NW_E_STATE;
 *  NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_tree_quantile(const nw_tree *tree, double rank, double *value, nw_error *err);
/** After a release: the noisy number of records in the cells up to the one of x (not NaN). Errors: NW_E_STATE, NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_tree_rank(const nw_tree *tree, double x, double *records, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
