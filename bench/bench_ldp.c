/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_ldp.c - speed of local reports: the device with the library's generator, beside the random bytes that a report takes; the
 * server taking reports, beside a copy of their bytes; decoding of listed items by each kernel, beside plain C; of subtrees,
 * beside listing their items; of heavy hitters from items to answer. CPU seconds; of decoding on one thread. */
#include "figures.h"
#include "hitters.h"
#include "server.h"

#include <noisewright.h>

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 1024, RANDOM_BYTES = 32 };

typedef struct work {
    nw_rng *rng;
    size_t users;   /* that make reports */
    size_t reports; /* of a subtree */
    size_t prefixes;
    unsigned suffix_bits;
    nw_ldp_item *items;
    uint8_t *bytes;
    double random_rate; /* random bytes for one report, a second */
} work;

static double now(void)
{
    return bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static nw_ldp_campaign make(nw_ldp_oracle oracle, uint64_t domain, uint32_t bits)
{
    nw_error err;
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = oracle;
    o.epsilon = 1.0;
    o.domain = domain;
    o.bits = bits;
    o.levels = bits != 0 ? 3 : 1;
    bench_check(nw_ldp_campaign_make(&c, &o, &err), &err);
    return c;
}

static double random_rate(const work *w)
{
    nw_error err;
    uint8_t bytes[RANDOM_BYTES];
    const double start = now();
    for (size_t i = 0; i < w->users; i++)
        bench_check(nw_rng_bytes(w->rng, bytes, sizeof bytes, &err), &err);
    return (double)w->users / (now() - start);
}

/* n reports of this campaign in w->bytes; the seconds they took. */
static double report(const work *w, const nw_ldp_campaign *c, size_t n, int level)
{
    nw_error err;
    const double start = now();
    bench_check(nw_ldp_report_many(c, w->rng, NULL, w->items, n, level, w->bytes, n * nw_ldp_report_size(c), &err), &err);
    return now() - start;
}

static nw_ldp_aggregate *collect(const work *w, const nw_ldp_campaign *c, size_t n)
{
    nw_error err;
    nw_ldp_aggregate *a = NULL;
    bench_check(nw_ldp_aggregate_new(&a, c, NULL, &err), &err);
    bench_check(nw_ldp_aggregate_add_batch(a, w->bytes, n * nw_ldp_report_size(c), NULL, &err), &err);
    return a;
}

static double copy_rate(const work *w, size_t size)
{
    enum { PASSES = 5 };
    uint8_t *copy = bench_need(malloc(size));
    const double start = now();
    for (int i = 0; i < PASSES; i++) {
        memcpy(copy, w->bytes, size);
        __asm__ volatile("" : : "r"(copy) : "memory");
    }
    const double seconds = now() - start;
    free(copy);
    return PASSES / seconds;
}

static void measure_reports(const work *w, const nw_ldp_campaign *c, size_t n)
{
    char name[64];
    const size_t size = n * nw_ldp_report_size(c);
    const double made = (double)n / report(w, c, n, -1);
    snprintf(name, sizeof name, "report/%s", nw_ldp_oracle_name(c->oracle));
    bench_print(&(bench_figure){ name, made, "reports/s", { { "random_bytes", made / w->random_rate } } });
    const double start = now();
    nw_ldp_aggregate *a = collect(w, c, n);
    const double added = (double)n / (now() - start);
    snprintf(name, sizeof name, "add/%s", nw_ldp_oracle_name(c->oracle));
    bench_print(&(bench_figure){ name, added, "reports/s", { { "memcpy", added / (double)n / copy_rate(w, size) } } });
    nw_ldp_aggregate_free(a);
}

static void list_candidates(nw_ldp_item *items)
{
    for (uint64_t i = 0; i < CANDIDATES; i++)
        items[i] = (nw_ldp_item){ 0, i };
}

/* Users a second of one kernel, at 1024 candidates. */
static double decode_rate(const nw_ldp_aggregate *a, const nw_ldp_item *items, const nw__ldp_kernels *kernels)
{
    nw_error err;
    static int64_t supports[CANDIDATES];
    const double start = now();
    if (kernels != NULL)
        bench_check(nw__ldp_support_olh(a, 0, items, CANDIDATES, supports, kernels, &err), &err);
    else
        bench_check(nw_ldp_aggregate_support(a, 0, items, CANDIDATES, supports, &err), &err);
    return (double)nw_ldp_aggregate_reports(a, 0) / (now() - start);
}

static double measure_candidates(const work *w)
{
    nw_ldp_item items[CANDIDATES];
    char name[64];
    const size_t n = w->users / 4;
    const nw_ldp_campaign olh = make(NW_LDP_OLH, CANDIDATES, 0);
    const nw_ldp_campaign blh = make(NW_LDP_BLH, CANDIDATES, 0);
    list_candidates(items);
    report(w, &olh, n, -1);
    nw_ldp_aggregate *a = collect(w, &olh, n);
    double plain = 0.0;
    for (size_t k = 0; nw__ldp_kernels_at(k) != NULL; k++) {
        const nw__ldp_kernels *kernels = nw__ldp_kernels_at(k);
        if (!nw__ldp_kernels_can_run(kernels))
            continue;
        const double rate = decode_rate(a, items, kernels);
        plain = k == 0 ? rate : plain;
        snprintf(name, sizeof name, "decode/olh/candidates=1024/%s", kernels->name);
        bench_print(&(bench_figure){ name, rate, "users/s", { { "plain", rate / plain } } });
    }
    nw_ldp_aggregate_free(a);
    report(w, &blh, n, -1);
    a = collect(w, &blh, n);
    const double rate = decode_rate(a, items, NULL);
    bench_print(&(bench_figure){ "decode/blh/candidates=1024", rate, "users/s", { { "olh_plain", rate / plain } } });
    nw_ldp_aggregate_free(a);
    return rate * CANDIDATES; /* pairs of report and item a second */
}

static void measure_subtree(const work *w, double pair_rate)
{
    nw_error err;
    const nw_ldp_campaign c = make(NW_LDP_BLH, 0, 48);
    nw_ldp_item *prefixes = bench_need(calloc(w->prefixes, sizeof *prefixes));
    int64_t *supports = bench_need(calloc(w->prefixes << w->suffix_bits, sizeof *supports));
    report(w, &c, w->reports, 1);
    nw_ldp_aggregate *a = collect(w, &c, w->reports);
    for (uint64_t i = 0; i < w->prefixes; i++)
        prefixes[i].low = (i * 1000003) & ((UINT64_C(1) << (32 - w->suffix_bits)) - 1);
    const double start = now();
    bench_check(nw_ldp_aggregate_subtree(a, 1, prefixes, w->prefixes, w->suffix_bits, supports, &err), &err);
    const double seconds = now() - start;
    const double listed = (double)w->reports * (double)(w->prefixes << w->suffix_bits) / pair_rate;
    bench_print(&(bench_figure){
        "subtree/blh/prefixes=40/suffix_bits=16/reports=250000", seconds, "s", { { "listing_all", seconds / listed } } });
    nw_ldp_aggregate_free(a);
    free(prefixes);
    free(supports);
}

int main(int argc, char **argv)
{
    nw_error err;
    const bench_options options = bench_begin(argc, argv, NULL, "Speed of local reports, and of decoding them.");
    work w = { .users = options.is_quick ? 4000 : 1000000,
        .reports = options.is_quick ? 2000 : 250000,
        .prefixes = options.is_quick ? 4 : 40,
        .suffix_bits = options.is_quick ? 8 : 16 };
    omp_set_num_threads(1);
    bench_check(nw_rng_new(&w.rng, &err), &err);
    w.items = bench_need(calloc(w.users, sizeof *w.items));
    w.bytes = bench_need(calloc(w.users, 16));
    for (size_t i = 0; i < w.users; i++)
        w.items[i] = (nw_ldp_item){ 0, i % CANDIDATES };
    w.random_rate = random_rate(&w);
    bench_print(&(bench_figure){ "random_bytes/n=32", w.random_rate, "draws/s", { { "itself", 1.0 } } });
    for (int oracle = NW_LDP_GRR; oracle <= NW_LDP_SQUARE_WAVE; oracle++) {
        const bool is_mean = oracle >= NW_LDP_DUCHI && oracle <= NW_LDP_HYBRID;
        const bool is_unary = oracle == NW_LDP_SUE || oracle == NW_LDP_OUE || oracle == NW_LDP_SUBSET;
        const nw_ldp_campaign c = make((nw_ldp_oracle)oracle, is_mean ? 0 : CANDIDATES, 0);
        measure_reports(&w, &c, is_unary ? w.users / 200 : w.users);
    }
    measure_subtree(&w, measure_candidates(&w));
    measure_hitters(w.rng, options.is_quick);
    free(w.items);
    free(w.bytes);
    nw_rng_free(w.rng);
    return bench_end();
}
