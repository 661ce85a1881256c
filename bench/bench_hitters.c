/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_hitters.c - heavy hitters end to end: every user's report, the aggregate, the search. */
#include "figures.h"
#include "hitters.h"

#include <noisewright.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 100000, BITS = 48, TOP = 10, BATCH = 4096 };

/* Items of Zipf's law 1.1, by inversion, with codes spread over all 48 bits. */
static nw_ldp_item *draw_items(nw_rng *rng, size_t users)
{
    nw_error err;
    double *upto = bench_need(calloc(ITEMS, sizeof *upto));
    nw_ldp_item *items = bench_need(calloc(users, sizeof *items));
    double sum = 0.0;
    for (size_t i = 0; i < ITEMS; i++)
        upto[i] = sum += pow((double)(i + 1), -1.1);
    for (size_t u = 0; u < users; u++) {
        uint64_t word;
        size_t low = 0;
        size_t high = ITEMS - 1;
        bench_check(nw_rng_bytes(rng, &word, sizeof word, &err), &err);
        const double x = (double)(word >> 11) * 0x1p-53 * sum;
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (upto[middle] < x)
                low = middle + 1;
            else
                high = middle;
        }
        items[u] = (nw_ldp_item){ 0, (low + 1) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BITS) };
    }
    free(upto);
    return items;
}

static nw_ldp_campaign campaign_of(double epsilon)
{
    nw_error err;
    nw_ldp_campaign campaign;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    uint8_t lengths[NW_LDP_MAX_LEVELS];
    unsigned levels = 0;
    bench_check(nw_hh_levels(NW_HH_POOLED, NW_HH_U64, BITS, TOP, 0, lengths, &levels, &err), &err);
    o.oracle = NW_LDP_BLH;
    o.epsilon = epsilon;
    o.bits = BITS;
    o.levels = levels;
    o.lengths = lengths;
    bench_check(nw_ldp_campaign_make(&campaign, &o, &err), &err);
    return campaign;
}

/* Reports of all users; added to an aggregate unless that is NULL. */
static void report_all(
    const nw_ldp_campaign *campaign, nw_rng *rng, const nw_ldp_item *items, size_t users, nw_ldp_aggregate *aggregate)
{
    nw_error err;
    static uint8_t reports[BATCH * NW_LDP_SHORT_REPORT];
    for (size_t at = 0; at < users; at += BATCH) {
        const size_t n = users - at < BATCH ? users - at : BATCH;
        bench_check(nw_ldp_report_many(campaign, rng, NULL, items + at, n, -1, reports, sizeof reports, &err), &err);
        if (aggregate != NULL)
            bench_check(nw_ldp_aggregate_add_batch(aggregate, reports, n * NW_LDP_SHORT_REPORT, NULL, &err), &err);
    }
}

static void search(const nw_ldp_campaign *campaign, const nw_ldp_aggregate *aggregate)
{
    nw_error err;
    nw_hh *hh = NULL;
    nw_hh_opts o = NW_HH_OPTS_INIT;
    o.protocol = NW_HH_POOLED;
    o.top = TOP;
    bench_check(nw_hh_new(&hh, campaign, &o, &err), &err);
    while (!nw_hh_is_done(hh))
        bench_check(nw_hh_step_aggregates(hh, &aggregate, 1, NULL, NULL, &err), &err);
    nw_hh_free(hh);
}

void measure_hitters(nw_rng *rng, bool is_quick)
{
    nw_error err;
    const size_t users = is_quick ? 4000 : 1000000;
    nw_ldp_item *items = draw_items(rng, users);
    static const double epsilons[] = { 1.0, 2.0, 4.0 };
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        char name[80];
        const nw_ldp_campaign campaign = campaign_of(epsilons[i]);
        nw_ldp_aggregate *aggregate = NULL;
        const double before = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        report_all(&campaign, rng, items, users, NULL);
        const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        bench_check(nw_ldp_aggregate_new(&aggregate, &campaign, NULL, &err), &err);
        report_all(&campaign, rng, items, users, aggregate);
        search(&campaign, aggregate);
        const double seconds = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        snprintf(name, sizeof name, "hitters/end_to_end/bits=48/top=10/epsilon=%g", epsilons[i]);
        bench_print(
            &(bench_figure){ name, (double)users / seconds, "users/s", { { "reports_alone", (start - before) / seconds } } });
        nw_ldp_aggregate_free(aggregate);
    }
    free(items);
}
