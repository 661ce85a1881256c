/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* quantile.c - quantiles, minima and maxima: the exponential mechanism over public values, scored by ranks [Smi11].
 *
 * Of n records let L(c) lie below value c and U(c) at or below it; c has the ranks L(c) .. U(c). The wanted rank is T, in units
 * of 1 / den: T = num n + den offset. score(c) = -max(0, den L(c) - T, T - den U(c)). docs/rooms/stats.md#choices. */
#include "stats_internal.h"

#include "choose.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>

typedef __int128 int128;

enum { RANK_STEPS = 10000 };
static const int64_t MOST_RECORDS = INT64_C(1) << 40;
static const int64_t LARGEST_DISTANCE = INT64_C(1) << 61;
static const double LN_MISS =
    3.0; /* min, max: the values beyond all records have together at most e^-3 of the chosen one's weight */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void choose_rank(nw__choice *c, const nw_stats_query *asked)
{
    if (asked->kind != NW_STATS_QUANTILE) {
        c->numerator = asked->kind == NW_STATS_MAX;
        c->denominator = 1;
        return;
    }
    const uint64_t steps = (uint64_t)llround(asked->rank * RANK_STEPS);
    const uint64_t divisor = common_divisor(steps, RANK_STEPS);
    c->numerator = steps / divisor;
    c->denominator = RANK_STEPS / divisor;
}

nw_status nw__choice_plan(nw__choice *c, const nw_stats_query *asked, double epsilon, nw_adjacency adjacency, nw_error *err)
{
    choose_rank(c, asked);
    const uint64_t of_one = larger(c->numerator, c->denominator - c->numerator); /* a record comes or goes */
    c->cells = asked->cells;
    c->epsilon = epsilon;
    c->sensitivity = adjacency == NW_ADD_REMOVE ? of_one : asked->groups == 1 ? c->denominator : 2 * of_one;
    c->rate = nw__choice_rate(epsilon, c->sensitivity);
    if (c->rate < UINT64_C(1) << 16) /* so that rounding it down costs less than a part in 2^16 */
        return nw__fail(
            err, NW_E_ARG, "nw_stats_new", "epsilon is too small for so many queries: %g is left for a quantile", epsilon);
    if (asked->kind == NW_STATS_QUANTILE)
        return NW_OK;
    const double margin = ceil((log((double)asked->cells) + LN_MISS) / ldexp((double)c->rate, -48));
    c->offset = (int64_t)(asked->kind == NW_STATS_MIN ? margin : -margin);
    return NW_OK;
}

/* Merged counts may be anything. A clamp keeps a change of one at one. */
static int64_t counted(int64_t count)
{
    return count < 0 ? 0 : count > MOST_RECORDS ? MOST_RECORDS : count;
}

/* In 128 bits nothing overflows: 2^20 cells of 2^40 records, times 10^4. */
void nw__choice_scores(const nw__choice *c, const int64_t *counts, int64_t *scores)
{
    const int128 den = (int128)c->denominator;
    int128 n = 0;
    int128 below = 0;
    for (size_t i = 0; i < c->cells; i++)
        n += counted(counts[i]);
    const int128 wanted = (int128)c->numerator * n + den * c->offset;
    for (size_t i = 0; i < c->cells; i++) {
        const int128 above = below + counted(counts[i]);
        const int128 too_high = den * below - wanted;
        const int128 too_low = wanted - den * above;
        const int128 distance = too_high > too_low ? too_high : too_low;
        scores[i] = distance <= 0 ? 0 : distance > LARGEST_DISTANCE ? -LARGEST_DISTANCE : -(int64_t)distance;
        below = above;
    }
}

size_t nw__choice_cell(const nw_stats_query *asked, double x)
{
    const double last = (double)(asked->cells - 1);
    const double at = floor((x - asked->lower) / (asked->upper - asked->lower) * last + 0.5);
    return (size_t)fmin(fmax(at, 0.0), last); /* infinities included */
}

double nw__choice_value(const nw_stats_query *asked, size_t cell)
{
    const double last = (double)(asked->cells - 1);
    if ((double)cell == last)
        return asked->upper;
    return asked->lower + (asked->upper - asked->lower) * ((double)cell / last);
}

nw_status nw__choice_run(const nw__query *q, int64_t *counts, nw_rng *rng, nw_error *err)
{
    const nw__choice *c = &q->choice;
    const size_t bytes = c->cells * sizeof *counts;
    int64_t *scores = nw__calloc(c->cells, sizeof *scores);
    nw_status status = scores == NULL ? nw__fail_memory(err, "nw_stats_release") : NW_OK;
    for (size_t group = 0; status == NW_OK && group < q->asked.groups; group++) {
        int64_t *mine = counts + group * c->cells;
        size_t chosen = 0;
        nw__choice_scores(c, mine, scores);
        status = nw__choose_exponential(rng, scores, c->cells, c->rate, &chosen, err);
        sodium_memzero(mine, bytes);
        mine[0] = (int64_t)chosen;
    }
    nw__free_wiped(scores, bytes);
    return status;
}

/* P[best - score >= (log cells + t) / rate] <= e^-t [DR14, Thm 3.11]. */
double nw__choice_reach(const nw__choice *c, double risk)
{
    return (log((double)c->cells) - log(risk)) / ldexp((double)c->rate, -48) / (double)c->denominator;
}

/* Its integral over t. */
double nw__choice_mean_distance(const nw__choice *c)
{
    return (log((double)c->cells) + 1.0) / ldexp((double)c->rate, -48) / (double)c->denominator;
}
