/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_mutants.c - every broken twin with the test that kills it; docs/audits.md explains the table. The synth room's are in
 * audit_synth.c. */
#include "count_release.h"
#include "dpsgd_release.h"
#include "law_mutants.h"
#include "mutants.h"
#include "process_mutants.h"
#include "real_release.h"
#include "room_release.h"
#include "sampled_release.h"
#include "sum_release.h"

#include <math.h>

#define ONE_COUNT .steps = 1, .cells = 1, .x = { { 3 }, { 4 } }
#define LAPLACE .law = NW_NOISE_DISCRETE_LAPLACE, .adjacency = NW_ADD_REMOVE, .sensitivity = 1.0
#define GAUSSIAN .law = NW_NOISE_ROUNDED_GAUSSIAN, .delta = 1e-5, .adjacency = NW_ADD_REMOVE, .sensitivity = 1000.0
#define DISCRETE_GAUSSIAN .law = NW_NOISE_DISCRETE_GAUSSIAN, .delta = 0.01, .adjacency = NW_ADD_REMOVE, .sensitivity = 1.0

static const count_case laplace_bare = { LAPLACE, ONE_COUNT, .epsilon = 4.0, .fault = COUNT_BARE };
static const count_case laplace_half = { LAPLACE, ONE_COUNT, .epsilon = 1.0, .factor = 0.5 };
static const count_case laplace_9 = { LAPLACE, ONE_COUNT, .epsilon = 1.0, .factor = 0.9 };
static const count_case laplace_99 = { LAPLACE, ONE_COUNT, .epsilon = 4.0, .factor = 0.99, .runs = 12000000 };
static const count_case gaussian_9 = { GAUSSIAN, .steps = 1, .cells = 1, .x = { { 0 }, { 1000 } }, .epsilon = 1.0,
    .factor = 0.9 };
static const count_case discrete_gaussian_half = { DISCRETE_GAUSSIAN, ONE_COUNT, .epsilon = 1.0, .factor = 0.5 };
static const count_case discrete_gaussian_9 = { DISCRETE_GAUSSIAN, ONE_COUNT, .epsilon = 1.0, .factor = 0.9, .runs = 4000000 };
static const count_case root_for_variance = { DISCRETE_GAUSSIAN, ONE_COUNT, .epsilon = 0.5, .fault = COUNT_SQUARE_ROOT };
static const count_case half_sensitivity = { LAPLACE, .steps = 1, .cells = 2, .x = { { 3, 5 }, { 4, 5 } }, .epsilon = 2.0,
    .factor = 0.5 };
static const count_case l2_for_l1 = { .law = NW_NOISE_DISCRETE_LAPLACE,
    .adjacency = NW_ADD_REMOVE,
    .sensitivity = 4.0,
    .steps = 1,
    .cells = 4,
    .x = { { 3, 0, 7, 1 }, { 4, 1, 8, 2 } },
    .epsilon = 1.0,
    .factor = 0.5 };
static const count_case add_remove_for_replace = { .law = NW_NOISE_DISCRETE_LAPLACE,
    .adjacency = NW_REPLACE_ONE,
    .sensitivity = 2.0,
    .steps = 1,
    .cells = 2,
    .x = { { 4, 3 }, { 3, 4 } },
    .epsilon = 1.0,
    .factor = 0.5 };
static const count_case one_step_less = { GAUSSIAN, .steps = 4, .cells = 4, .x = { { 0 }, { 1000, 1000, 1000, 1000 } },
    .epsilon = 4.0, .factor = 0.866025, .runs = 2000000 }; /* sqrt(3 / 4) */
static const count_case one_bare = { LAPLACE, .steps = 1, .cells = 4, .x = { { 3, 3, 3, 3 }, { 4, 3, 3, 3 } }, .epsilon = 1.0,
    .fault = COUNT_ONE_BARE };
static const count_case zeros_bare = { LAPLACE, .steps = 1, .cells = 4, .x = { { 3, 0, 3, 0 }, { 3, 1, 3, 0 } }, .epsilon = 1.0,
    .fault = COUNT_ZEROS_BARE };
static const count_case constant = { LAPLACE, ONE_COUNT, .epsilon = 1.0, .fault = COUNT_CONSTANT };
static const count_case zero_twice = { LAPLACE, ONE_COUNT, .epsilon = 1.0, .fault = COUNT_ZERO_TWICE, .runs = 40000 };
static const count_case same_steps = { LAPLACE, .steps = 2, .cells = 2, .x = { { 3, 3 }, { 4, 3 } }, .epsilon = 2.0,
    .fault = COUNT_SAME_STEPS };
static const count_case same_threads = { LAPLACE, .steps = 1, .cells = 2, .x = { { 3, 3 }, { 4, 3 } }, .epsilon = 1.0,
    .fault = COUNT_SAME_THREADS, .runs = 400000 };
static const count_case same_chunks = { GAUSSIAN, .steps = 1, .cells = 2, .x = { { 0, 0 }, { 1000, 0 } }, .epsilon = 1.0,
    .fault = COUNT_SAME_CHUNKS };

static const sampled_case other_rate = { .q = 0.25, .sigma = 0.3, .steps = 1, .delta = 0.3, .other_q = 0.5 };
static const sampled_case shuffled = { .q = 0.25, .sigma = 0.3, .steps = 4, .delta = 0.72, .fault = SAMPLED_SHUFFLED };
static const sampled_case empty_skipped = { .q = 0.25, .sigma = 1.0, .steps = 1, .delta = 1e-5, .fault = SAMPLED_EMPTY_SKIPPED };
static const sampled_case sampled_once = { .q = 0.1, .sigma = 1.0, .steps = 16, .delta = 1e-3, .fault = SAMPLED_ONCE };

static const sum_case clip_skipped = { SUM_CLIP_SKIPPED, 50.0 };
static const sum_case clip_after = { SUM_CLIP_AFTER, 50.0 };
static const sum_case clip_max = { SUM_CLIP_FACTOR_MAX, 50.0 };
static const sum_case nan_passes = { SUM_NAN_PASSES, (double)NAN };
static const sum_case data_denominator = { SUM_DATA_DENOMINATOR, 1.0 };

static const law_case law_99 = { LAW_SCALED, 0.99, NW_NOISE_ROUNDED_GAUSSIAN, 4 };
static const law_case law_9 = { LAW_SCALED, 0.9, NW_NOISE_DISCRETE_GAUSSIAN, 8 };
static const law_case law_4_sigma = { LAW_TAIL_CUT, 0, NW_NOISE_ROUNDED_GAUSSIAN, 5 };
static const law_case law_4_b = { LAW_TAIL_CUT, 0, NW_NOISE_DISCRETE_LAPLACE, 7 };
static const law_case law_truncated = { LAW_TRUNCATED, 0, NW_NOISE_ROUNDED_GAUSSIAN, 2 };
static const law_case law_zero = { LAW_ZERO_TWICE, 0, NW_NOISE_DISCRETE_LAPLACE, 6 };
static const law_case law_sign = { LAW_SIGN_LOST_AT_END, 0, NW_NOISE_DISCRETE_GAUSSIAN, 7 };
static const law_case law_repeated = { LAW_REPEATED, 0, NW_NOISE_ROUNDED_GAUSSIAN, 3 };
static const law_case law_reordered = { LAW_REORDERED, 0, NW_NOISE_ROUNDED_GAUSSIAN, 4 };

#define ROOM_COUNT .room = &room_totals, .what = NW_STATS_COUNT, .adjacency = NW_ADD_REMOVE
#define ROOM_MEAN .room = &room_totals, .what = NW_STATS_MEAN, .adjacency = NW_ADD_REMOVE
static const room_case room_count_9 = { ROOM_COUNT, .epsilon = 1.0, .factor = 1.0 / 0.9 };
static const room_case room_twice = { ROOM_COUNT, .epsilon = 1.0, .fault = ROOM_RECORD_TWICE };
static const room_case room_undivided = { ROOM_MEAN, .epsilon = 1.0, .factor = 2.0 };
static const room_case room_denominator = { ROOM_MEAN, .epsilon = 1.0, .fault = ROOM_TRUE_DENOMINATOR };
static const room_case room_two_groups = {
    .room = &room_totals, .what = NW_STATS_COUNT, .adjacency = NW_REPLACE_ONE, .epsilon = 1.0, .fault = ROOM_OTHER_ADJACENCY
};
static const room_case room_median = {
    .room = &room_quantile, .adjacency = NW_REPLACE_ONE, .epsilon = 1.0, .fault = ROOM_OTHER_ADJACENCY, .runs = 400000
};
static const room_case room_exponential = {
    .room = &room_select, .what = NW_SELECT_EXPONENTIAL, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .factor = 2.0, .runs = 400000
};
static const room_case room_noisy_max = {
    .room = &room_select, .what = NW_SELECT_NOISY_MAX, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .factor = 2.0, .runs = 200000
};
static const room_case room_flip = { .room = &room_select,
    .what = NW_SELECT_PERMUTE_AND_FLIP,
    .adjacency = NW_ADD_REMOVE,
    .epsilon = 1.0,
    .factor = 2.0,
    .runs = 200000 };
#define ROOM_SPARSE .room = &room_sparse, .what = -1, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .runs = 400000
static const room_case room_one_nu = { ROOM_SPARSE, .fault = ROOM_ONE_NU };
static const room_case room_no_rho = { ROOM_SPARSE, .fault = ROOM_NO_RHO };
static const room_case room_free = { ROOM_SPARSE, .fault = ROOM_POSITIVES_FOR_FREE };
#define ROOM_KEYS .room = &room_keys, .what = 1, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .delta = 1e-3, .runs = 409600
static const room_case room_one_low = { ROOM_KEYS, .fault = ROOM_THRESHOLD_ONE_LOW };
static const room_case room_skipped = { ROOM_KEYS, .fault = ROOM_THRESHOLD_SKIPPED };
static const room_case room_one_weight = {
    .room = &room_linear, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .fault = ROOM_FIRST_LEVEL_ONLY, .runs = 200000
};
static const room_case room_one_level = {
    .room = &room_tree, .adjacency = NW_ADD_REMOVE, .epsilon = 1.0, .fault = ROOM_FIRST_LEVEL_ONLY, .runs = 200000
};

#define DPSGD_STEP .noise_multiplier = 1.0, .rate = 1.0, .steps = 1, .others = 7, .delta = 1e-5, .runs = 40000
static const dpsgd_case dpsgd_9 = {
    .noise_multiplier = 1.0, .rate = 1.0, .steps = 1, .others = 0, .delta = 1e-5, .runs = 120000, .fault = DPSGD_NOISE_9
};
static const dpsgd_case dpsgd_batch = { DPSGD_STEP, .fault = DPSGD_BATCH_CLIPPED };
static const dpsgd_case dpsgd_micro_batch = { DPSGD_STEP, .fault = DPSGD_NOISE_PER_MICRO_BATCH };
static const dpsgd_case dpsgd_divisor = { DPSGD_STEP, .fault = DPSGD_TRUE_DIVISOR };
static const dpsgd_case dpsgd_layer = { DPSGD_STEP, .fault = DPSGD_LAYER_LEFT_OUT };
static const dpsgd_case dpsgd_tie = { DPSGD_STEP, .is_tied = true, .fault = DPSGD_TIE_COUNTED_ONCE };
static const dpsgd_case dpsgd_free = { DPSGD_STEP, .fault = DPSGD_STEP_FOR_FREE };
static const dpsgd_case dpsgd_count = { .noise_multiplier = 2.0,
    .rate = 1.0,
    .steps = 1,
    .others = 7,
    .delta = 1e-5,
    .runs = 40000,
    .is_adaptive = true,
    .fault = DPSGD_COUNT_UNCENTRED };
static const dpsgd_case dpsgd_empty = {
    .noise_multiplier = 5.0, .rate = 0.9, .steps = 1, .others = 1, .delta = 1e-5, .runs = 20000, .fault = DPSGD_EMPTY_SKIPPED
};
static const dpsgd_case dpsgd_shuffled = {
    .noise_multiplier = 0.3, .rate = 0.25, .steps = 4, .others = 7, .delta = 0.72, .runs = 60000, .fault = DPSGD_SHUFFLED
};

static const residue_case room_off_grid = { .kind = NW_STATS_SUM, .value = 7.3, .groups = 100000 };

static const mutant mutants[] = {
    { "noise x 0", "audit", count_release__is_refuted, &laplace_bare },
    { "noise x 0.5, Laplace", "audit", count_release__is_refuted, &laplace_half },
    { "noise x 0.9, Laplace", "audit", count_release__is_refuted, &laplace_9 },
    { "noise x 0.99, Laplace", "audit", count_release__is_refuted, &laplace_99 },
    { "noise x 0.9, rounded Gaussian", "audit", count_release__is_refuted, &gaussian_9 },
    { "noise x 0.5, discrete Gaussian", "audit", count_release__is_refuted, &discrete_gaussian_half },
    { "noise x 0.9, discrete Gaussian", "audit", count_release__is_refuted, &discrete_gaussian_9 },
    { "sigma for sigma^2", "audit", count_release__is_refuted, &root_for_variance },
    { "half the sensitivity", "audit", count_release__is_refuted, &half_sensitivity },
    { "l2 sensitivity for Laplace noise", "audit", count_release__is_refuted, &l2_for_l1 },
    { "add/remove sensitivity under replace-one", "audit", count_release__is_refuted, &add_remove_for_replace },
    { "accounted for one step less", "audit", count_release__is_refuted, &one_step_less },
    { "one coordinate without noise", "audit", count_release__is_refuted, &one_bare },
    { "noise on non-zero cells only", "audit", count_release__is_refuted, &zeros_bare },
    { "constant generator", "audit", count_release__is_refuted, &constant },
    { "-0 drawn as well as 0", "audit", count_release__is_refuted, &zero_twice },
    { "noise reused in every step", "audit", count_release__is_refuted, &same_steps },
    { "noise reused in every thread", "audit", count_release__is_refuted, &same_threads },
    { "noise reused in every chunk", "audit", count_release__is_refuted, &same_chunks },
    { "sampled at another rate", "audit", sampled_release__is_refuted, &other_rate },
    { "shuffled, accounted as Poisson", "audit", sampled_release__is_refuted, &shuffled },
    { "empty batch released without noise", "audit", sampled_release__is_refuted, &empty_skipped },
    { "one batch drawn for all steps", "audit", sampled_release__is_refuted, &sampled_once },
    { "clip skipped", "audit", sum_release__is_refuted, &clip_skipped },
    { "clip after the sum", "audit", sum_release__is_refuted, &clip_after },
    { "clip factor max for min", "audit", sum_release__is_refuted, &clip_max },
    { "NaN passes the clip", "audit", sum_release__is_refuted, &nan_passes },
    { "mean over the true number of records", "audit", sum_release__is_refuted, &data_denominator },
    { "one answer not randomized", "audit", one_answer_kept__is_refuted, NULL },
    { "uniforms of 24 bits", "audit", noise_of_24_bits__is_refuted, NULL },
    { "stats: noise x 0.9", "audit", room_release__is_refuted, &room_count_9 },
    { "stats: a record added twice", "audit", room_release__is_refuted, &room_twice },
    { "stats: budget of a mean not divided", "audit", room_release__is_refuted, &room_undivided },
    { "stats: denominator of a mean without noise", "audit", room_release__is_refuted, &room_denominator },
    { "stats: add/remove sensitivity of a histogram under replace-one", "audit", room_release__is_refuted, &room_two_groups },
    { "quantile: add/remove sensitivity under replace-one", "audit", room_release__is_refuted, &room_median },
    { "exponential: half the sensitivity", "audit", room_release__is_refuted, &room_exponential },
    { "noisy max: noise of D / epsilon for 2 D / epsilon", "audit", room_release__is_refuted, &room_noisy_max },
    { "permute-and-flip: half the sensitivity", "audit", room_release__is_refuted, &room_flip },
    { "sparse vector: one noise for all scores", "audit", room_release__is_refuted, &room_one_nu },
    { "sparse vector: no noise on the threshold", "audit", room_release__is_refuted, &room_no_rho },
    { "sparse vector: positives for free", "audit", room_release__is_refuted, &room_free },
    { "keys: threshold one lower, > for >=", "audit", lone_key__is_refuted, &room_one_low },
    { "keys: count released before its threshold", "audit", lone_key__is_refuted, &room_skipped },
    { "linear: sensitivity of half a column", "audit", room_release__is_refuted, &room_one_weight },
    { "tree: noise for one level", "audit", room_release__is_refuted, &room_one_level },
    { "dpsgd: noise x 0.9", "audit", dpsgd_release__is_refuted, &dpsgd_9 },
    { "dpsgd: batches clipped, not records", "audit", dpsgd_release__is_refuted, &dpsgd_batch },
    { "dpsgd: noise shared out to micro-batches", "audit", dpsgd_release__is_refuted, &dpsgd_micro_batch },
    { "dpsgd: divided by the batch that was drawn", "audit", dpsgd_release__is_refuted, &dpsgd_divisor },
    { "dpsgd: one layer left out of the norm", "audit", dpsgd_release__is_refuted, &dpsgd_layer },
    { "dpsgd: tied weight counted once", "audit", dpsgd_release__is_refuted, &dpsgd_tie },
    { "dpsgd: one step not charged", "audit", dpsgd_release__is_refuted, &dpsgd_free },
    { "dpsgd: count of the adaptive clip not centred", "audit", dpsgd_release__is_refuted, &dpsgd_count },
    { "dpsgd: empty batch skipped", "audit", dpsgd_release__is_refuted, &dpsgd_empty },
    { "dpsgd: shuffled, accounted as Poisson", "audit", dpsgd_release__is_refuted, &dpsgd_shuffled },
    { "noise x 0.99, rounded Gaussian", "law", noise_law__is_rejected, &law_99 },
    { "noise x 0.9, discrete Gaussian", "law", noise_law__is_rejected, &law_9 },
    { "tail cut at 4 sigma", "law", noise_law__is_rejected, &law_4_sigma },
    { "tail cut at 4 b", "law", noise_law__is_rejected, &law_4_b },
    { "truncation for rounding", "law", noise_law__is_rejected, &law_truncated },
    { "a value in 400 turned into 0", "law", noise_law__is_rejected, &law_zero },
    { "sign lost at the end of a batch", "law", noise_law__is_rejected, &law_sign },
    { "constant generator", "law", noise_law__is_rejected, &law_repeated },
    { "flagged samples moved to the end", "law", noise_law__is_rejected, &law_reordered },
    { "noise added as a double", "residue", float_noise__leaks, NULL },
    { "integer noise made a double before the sum", "residue", noise_converted_early__leaks, NULL },
    { "value added off the grid", "residue", value_added_off_the_grid__leaks, NULL },
    { "grid chosen from the data", "residue", grid_chosen_from_data__leaks, NULL },
    { "stats: record added to the noisy double", "residue", room_residue__leaks, &room_off_grid },
    { "dpsgd: noise in single precision", "residue", dpsgd_residue__leaks, NULL },
    { "charged after the release", "ledger", charge_after_release__is_seen, NULL },
    { "ledger rolled back", "ledger", rolled_back_ledger__is_seen, NULL },
    { "last row of the ledger replayed", "ledger", replayed_row__is_seen, NULL },
    { "seeded generator in production", "ledger", seeded_generator__is_refused, NULL },
    { "same noise after a fork", "fork", inherited_key__repeats_noise, NULL },
    { "rint for floor(x + 1/2)", "unit", rint_for_floor__is_seen, NULL },
    { "addition that wraps around", "unit", wrapping_add__is_seen, NULL },
};

int main(void)
{
    return mutants_run("mutants", mutants, sizeof mutants / sizeof *mutants);
}
