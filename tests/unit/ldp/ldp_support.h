/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LDP_SUPPORT_H
#define LDP_SUPPORT_H

/* ldp_support.h - what the tests of the local room share: campaigns, and a source whose words a test chooses. */
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

static inline nw_ldp_campaign_opts options(nw_ldp_oracle oracle, double epsilon, uint64_t domain)
{
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = oracle;
    o.epsilon = epsilon;
    o.domain = domain;
    return o;
}

static inline nw_ldp_campaign campaign_of(nw_ldp_campaign_opts o)
{
    nw_ldp_campaign c;
    nw_error err;
    if (nw_ldp_campaign_make(&c, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return c;
}

static inline nw_ldp_campaign make(nw_ldp_oracle oracle, double epsilon, uint64_t domain)
{
    return campaign_of(options(oracle, epsilon, domain));
}

static inline nw_ldp_campaign make_bits(nw_ldp_oracle oracle, double epsilon, uint32_t bits, uint32_t levels)
{
    nw_ldp_campaign_opts o = options(oracle, epsilon, 0);
    o.bits = bits;
    o.levels = levels;
    return campaign_of(o);
}

static inline void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("%.17g, must be %.17g to within %g", found, wanted, tolerance);
}

static inline nw_ldp_item item_of(uint64_t low)
{
    return (nw_ldp_item){ 0, low };
}

static inline nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static inline nw_ldp_aggregate *empty(const nw_ldp_campaign *c)
{
    nw_ldp_aggregate *a = NULL;
    assert_int_equal(nw_ldp_aggregate_new(&a, c, NULL, NULL), NW_OK);
    return a;
}

/* Reports of these items at a level, or at any (-1); to be freed. */
static inline uint8_t *reports_of(const nw_ldp_campaign *c, nw_rng *rng, const nw_ldp_item *items, size_t n, int level)
{
    const size_t bytes = n * nw_ldp_report_size(c);
    uint8_t *reports = malloc(bytes + 1);
    assert_non_null(reports);
    assert_int_equal(nw_ldp_report_many(c, rng, NULL, items, n, level, reports, bytes, NULL), NW_OK);
    return reports;
}

static inline void add_reports(nw_ldp_aggregate *a, nw_rng *rng, const nw_ldp_item *items, size_t n, int level)
{
    const nw_ldp_campaign *c = nw_ldp_aggregate_campaign(a);
    uint8_t *reports = reports_of(c, rng, items, n, level);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, n * nw_ldp_report_size(c), NULL, NULL), NW_OK);
    free(reports);
}

/* A source that gives these words, then zeros. */
typedef struct script {
    const uint64_t *words;
    size_t n;
    size_t used; /* asked for */
} script;

static inline int draw_script(void *context, uint8_t *out, size_t n)
{
    script *s = context;
    for (size_t i = 0; i < n; i += 8, s->used++)
        nw__put(out + i, s->used < s->n ? s->words[s->used] : 0, 8);
    return 0;
}

/* The payload of a short report whose words are these. */
static inline uint64_t payload_of(
    const nw_ldp_campaign *c, nw_ldp_item item, uint64_t coin, uint64_t keep, uint64_t which, uint64_t round)
{
    uint8_t report[NW_LDP_SHORT_REPORT];
    script s = { (const uint64_t[]){ coin, keep, which, round }, 4, 0 };
    assert_int_equal(nw_ldp_report(c, NULL, item, draw_script, &s, report, sizeof report), NW_OK);
    return nw__get(report + NW_LDP_REPORT_HEADER + (nw__ldp_is_hashed(c->oracle) ? 4 : 0), nw__ldp_is_hashed(c->oracle) ? 2 : 6);
}

#endif
