/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_ldp.c - epsilon of local reports, bounded from below by making many for two items: of every oracle, of a whole user's
 * transcript, and of clients with a planted fault. The statistic is the report's likelihood ratio of the two items, or what it is
 * a function of; tests/unit/ldp/test_law.c has the exact laws. */
#include "audit.h"
#include "mutants.h"
#include "server.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* What goes wrong on the device. */
typedef enum fault {
    HONEST = 0,
    KEPT_TOO_OFTEN,        /* the truth, with the probability of 1.2 epsilon */
    LEVEL_OF_ITEM,         /* a level that depends on the item */
    RANDOM_BYTES_REUSED,   /* the same bytes for each report */
    REPORTED_TWICE,        /* at both levels, with all of epsilon */
    BUDGET_NOT_SPLIT,      /* two values, each with all of epsilon */
    OTHER_BIT_NOT_FLIPPED, /* bits of items that the user does not hold are 0 too often */
    FRESH_COIN_DROPPED     /* a permanent answer's fresh coin that does not turn */
} fault;

typedef struct local {
    nw_ldp_campaign campaign;
    nw_ldp_item items[2];
    fault fault;
    unsigned reports; /* a user makes */
} local;

enum { BATCH = 512 };

/* -1, 0, 1: whether the report speaks for the second item, the first, or neither more than for the other; of numbers, the
 * output. */
static double statistic(const nw_ldp_campaign *c, const nw_ldp_item items[2], const uint8_t *report)
{
    const uint8_t *payload = report + NW_LDP_REPORT_HEADER;
    const uint64_t y = nw__get(payload, 6);
    bool speaks[2];
    if (nw__ldp_is_number(c->oracle))
        return (double)y;
    for (int i = 0; i < 2; i++) {
        const uint64_t x = items[i].low;
        switch (c->oracle) {
        case NW_LDP_OLH:
        case NW_LDP_BLH: {
            const nw_ldp_item prefix = nw__ldp_item_at(c, report[3], items[i]);
            const uint32_t cell = nw__ldp_cell(c, (uint32_t)nw__get(payload, 4), prefix, nw__ldp_pieces(c, report[3]));
            speaks[i] = cell == nw__get(payload + 4, 2);
            break;
        }
        case NW_LDP_HADAMARD: {
            const uint64_t columns = UINT64_C(1) << c->dimension;
            speaks[i] = y / columns == x % c->symbols && nw__parity((y % columns) & (x / c->symbols + 1)) == 0;
            break;
        }
        case NW_LDP_PROJECTIVE: {
            uint32_t u[NW__LDP_MOST_DIMENSIONS];
            uint32_t v[NW__LDP_MOST_DIMENSIONS];
            uint64_t product = 0;
            nw__ldp_point(c->symbols, c->dimension, x, u);
            nw__ldp_point(c->symbols, c->dimension, y, v);
            for (unsigned j = 0; j < c->dimension; j++)
                product += (uint64_t)u[j] * v[j];
            speaks[i] = product % c->symbols == 0;
            break;
        }
        case NW_LDP_GRR: speaks[i] = y == x; break;
        default: speaks[i] = (payload[x / 8] >> (x % 8) & 1) != 0; break;
        }
    }
    return (double)speaks[0] - (double)speaks[1];
}

static void report_once(const local *l, nw_rng *rng, int side, int level, uint8_t *out, size_t each, size_t n)
{
    nw_ldp_item items[BATCH];
    nw_rng *same = NULL;
    for (size_t i = 0; i < n; i++)
        items[i] = l->items[side];
    if (l->fault != RANDOM_BYTES_REUSED) {
        assert_int_equal(nw_ldp_report_many(&l->campaign, rng, NULL, items, n, level, out, each * n, NULL), NW_OK);
        return;
    }
    assert_int_equal(nw_rng_new_insecure_seeded(&same, 98, NULL), NW_OK);
    assert_int_equal(nw_ldp_report_many(&l->campaign, same, NULL, items, 1, level, out, each, NULL), NW_OK);
    for (size_t i = 1; i < n; i++)
        memcpy(out + i * each, out, each);
    nw_rng_free(same);
}

static void run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const local *l = context;
    const size_t each = nw_ldp_report_size(&l->campaign);
    uint8_t *reports = malloc(BATCH * each);
    assert_non_null(reports);
    for (size_t at = 0; at < runs; at += BATCH) {
        const size_t n = runs - at < BATCH ? runs - at : BATCH;
        memset(out + 2 * at, 0, 2 * n * sizeof *out);
        for (unsigned r = 0; r < l->reports; r++) {
            const int level = l->fault == REPORTED_TWICE ? (int)r : l->fault == LEVEL_OF_ITEM ? side : -1;
            report_once(l, rng, side, level, reports, each, n);
            for (size_t i = 0; i < n; i++) {
                out[2 * (at + i)] += statistic(&l->campaign, l->items, reports + i * each);
                out[2 * (at + i) + 1] = reports[i * each + 3]; /* the level */
            }
        }
    }
    free(reports);
}

static audit_bound bound_of(local *l, size_t runs)
{
    const audit_mechanism mechanism = { run, l, 2 };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = runs;
    opts.delta = 0.0;
    return audit(&mechanism, &opts);
}

static nw_ldp_campaign make(nw_ldp_oracle oracle, double epsilon)
{
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = oracle;
    o.epsilon = epsilon;
    if (nw__ldp_is_hashed(oracle)) {
        o.bits = 20;
        o.levels = 2;
    } else if (!nw__ldp_is_number(oracle) || oracle == NW_LDP_SQUARE_WAVE) {
        o.domain = 20;
    }
    assert_int_equal(nw_ldp_campaign_make(&c, &o, NULL), NW_OK);
    return c;
}

static local honest(nw_ldp_oracle oracle, double epsilon)
{
    local l = { make(oracle, epsilon), { { 0, 3 }, { 0, 16 } }, HONEST, 1 };
    if (nw__ldp_is_hashed(oracle)) /* prefixes that differ at both levels */
        l.items[1].low = 0xabcde;
    if (nw__ldp_is_number(oracle)) {
        l.items[0] = nw_ldp_number(0.0, 0.0, 1.0);
        l.items[1] = nw_ldp_number(1.0, 0.0, 1.0);
    }
    return l;
}

static void reports__keep_within_epsilon_and_come_near(void **state)
{
    (void)state;
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t e = 0; e < 3; e++)
        for (int oracle = NW_LDP_GRR; oracle <= NW_LDP_SQUARE_WAVE; oracle++) {
            /* a bit an item takes longer, and both bits have to be right: half of epsilon each */
            const bool is_slow = nw__ldp_is_unary((nw_ldp_oracle)oracle);
            local l = honest((nw_ldp_oracle)oracle, epsilons[e]);
            const audit_bound bound = bound_of(&l, is_slow ? 200000 : 400000);
            print_message("# %s, epsilon %g: at least %.4f\n", nw_ldp_oracle_name(l.campaign.oracle), epsilons[e], bound.epsilon);
            assert_true(bound.epsilon <= epsilons[e]);
            assert_true(bound.epsilon >= 0.8 * epsilons[e]);
        }
}

/* ---- mutants ---- */

typedef struct plan {
    nw_ldp_oracle oracle;
    double epsilon;
    fault fault;
} plan;

static bool is_above_epsilon(const void *context, bool is_planted)
{
    const plan *p = context;
    local l = honest(p->oracle, p->epsilon);
    if (p->fault == BUDGET_NOT_SPLIT) { /* two reports of one user, of half of epsilon each */
        l.reports = 2;
        if (!is_planted)
            l.campaign = make(p->oracle, p->epsilon / 2.0);
    }
    if (is_planted) {
        nw_ldp_campaign more = l.campaign; /* the probabilities of 1.2 epsilon, all else equal */
        more.epsilon = more.epsilon / 5 * 6;
        assert_int_equal(nw__ldp_campaign_complete(&more), NW_OK);
        l.fault = p->fault;
        if (p->fault == KEPT_TOO_OFTEN)
            l.campaign.keep = more.keep;
        if (p->fault == OTHER_BIT_NOT_FLIPPED)
            l.campaign.other = more.other;
        if (p->fault == REPORTED_TWICE)
            l.reports = 2;
    }
    return bound_of(&l, 400000).epsilon > p->epsilon;
}

/* RAPPOR's permanent bits without the fresh coins, against the loss of one report. */
static void run_first(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const local *l = context;
    for (size_t i = 0; i < runs; i++) { /* of another device each */
        uint8_t report[NW_LDP_SHORT_REPORT];
        nw_ldp_campaign c = l->campaign;
        if (l->fault == FRESH_COIN_DROPPED)
            c.again = UINT64_MAX;
        assert_int_equal(nw_ldp_report_many(&c, rng, NULL, &l->items[side], 1, -1, report, sizeof report, NULL), NW_OK);
        out[i] = statistic(&c, l->items, report);
    }
}

static bool is_above_first_epsilon(const void *context, bool is_planted)
{
    (void)context;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    local l = { .items = { { 0, 1 }, { 0, 2 } }, .fault = is_planted ? FRESH_COIN_DROPPED : HONEST, .reports = 1 };
    o.oracle = NW_LDP_SUE;
    o.epsilon = 4.0;
    o.first_epsilon = 1.0;
    o.domain = 4;
    assert_int_equal(nw_ldp_campaign_make(&l.campaign, &o, NULL), NW_OK);
    const audit_mechanism mechanism = { run_first, &l, 1 };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = 200000;
    return audit(&mechanism, &opts).epsilon > 1.0;
}

static const plan grr = { NW_LDP_GRR, 1.0, KEPT_TOO_OFTEN };
static const plan olh = { NW_LDP_OLH, 1.0, KEPT_TOO_OFTEN };
static const plan blh = { NW_LDP_BLH, 4.0, KEPT_TOO_OFTEN };
static const plan hadamard = { NW_LDP_HADAMARD, 1.0, KEPT_TOO_OFTEN };
static const plan projective = { NW_LDP_PROJECTIVE, 1.0, KEPT_TOO_OFTEN };
static const plan subset = { NW_LDP_SUBSET, 1.0, KEPT_TOO_OFTEN };
static const plan sue = { NW_LDP_SUE, 1.0, KEPT_TOO_OFTEN };
static const plan oue = { NW_LDP_OUE, 1.0, OTHER_BIT_NOT_FLIPPED };
static const plan duchi = { NW_LDP_DUCHI, 1.0, KEPT_TOO_OFTEN };
static const plan piecewise = { NW_LDP_PIECEWISE, 1.0, KEPT_TOO_OFTEN };
static const plan wave = { NW_LDP_SQUARE_WAVE, 1.0, KEPT_TOO_OFTEN };
static const plan level = { NW_LDP_BLH, 1.0, LEVEL_OF_ITEM };
static const plan reused = { NW_LDP_GRR, 4.0, RANDOM_BYTES_REUSED };
static const plan twice = { NW_LDP_BLH, 1.0, REPORTED_TWICE };
static const plan split = { NW_LDP_OLH, 1.0, BUDGET_NOT_SPLIT };

static const mutant mutants[] = {
    { "grr: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &grr },
    { "olh: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &olh },
    { "blh: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &blh },
    { "hadamard: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &hadamard },
    { "projective: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &projective },
    { "subset: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &subset },
    { "sue: the true bit kept as for 1.2 epsilon", "audit", is_above_epsilon, &sue },
    { "oue: other bits flipped as for 1.2 epsilon", "audit", is_above_epsilon, &oue },
    { "duchi: the truth kept as for 1.2 epsilon", "audit", is_above_epsilon, &duchi },
    { "piecewise: the band kept as for 1.2 epsilon", "audit", is_above_epsilon, &piecewise },
    { "square wave: the band kept as for 1.2 epsilon", "audit", is_above_epsilon, &wave },
    { "level follows from the item", "audit", is_above_epsilon, &level },
    { "random bytes reused for each report", "audit", is_above_epsilon, &reused },
    { "prefix reported at two levels", "audit", is_above_epsilon, &twice },
    { "budget not split between two reports", "audit", is_above_epsilon, &split },
    { "permanent answer sent as it is", "audit", is_above_first_epsilon, NULL },
};

static void clients__with_a_fault_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++)
        assert_true(mutant_report(&mutants[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports__keep_within_epsilon_and_come_near),
        cmocka_unit_test(clients__with_a_fault_are_found),
    };
    return cmocka_run_group_tests_name("audit_ldp", tests, NULL, NULL);
}
