/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fast.c - what a server would count, without the reports. Of n reports at a level, c of them from holders of a code, the code's
 * support is Bin(c, p) + Bin(n - c, q): that law is drawn as it is. Supports of different codes, which share reports, are
 * uncorrelated but for the holders' own and are drawn independently; tests/cli/hitters.sh holds the answers against those of
 * every user's report. */
#include "crowd.h"

#include <nw/testing.h>
#include <stdlib.h>

struct sketch {
    const crowd_job *job;
    nw_rng *rng;
    words words;
    uint64_t *split;   /* [level][holding]: users who report there */
    uint64_t *reports; /* [level][party] */
};

/* Each user takes one of the levels, all alike. */
static void draw_levels(sketch *k)
{
    const population *p = k->job->people;
    const unsigned levels = k->job->campaign->levels;
    for (size_t i = 0; i < p->n; i++) {
        uint64_t left = p->holdings[i].users;
        for (unsigned l = 0; l < levels; l++) {
            const uint64_t taken = binomial_draw(&k->words, left, 1.0 / (double)(levels - l));
            k->split[l * p->n + i] = taken;
            k->reports[l * p->party_count + p->holdings[i].party] += taken;
            left -= taken;
        }
    }
}

nw_status sketch_new(sketch **out, const crowd_job *job, nw_error *err)
{
    const population *p = job->people;
    const size_t levels = job->campaign->levels;
    *out = NULL;
    sketch *k = calloc(1, sizeof *k);
    if (k == NULL)
        return crowd_fail(err, NW_E_NOMEM, "out of memory");
    k->job = job;
    k->split = calloc(levels * p->n, sizeof *k->split);
    k->reports = calloc(levels * p->party_count, sizeof *k->reports);
    nw_status status = k->split == NULL || k->reports == NULL ? crowd_fail(err, NW_E_NOMEM, "out of memory")
                                                              : nw_rng_new_insecure_seeded(&k->rng, job->seed, err);
    if (status != NW_OK) {
        sketch_free(k);
        return status;
    }
    words_open(&k->words, k->rng);
    draw_levels(k);
    *out = k;
    return NW_OK;
}

void sketch_free(sketch *k)
{
    if (k == NULL)
        return;
    nw_rng_free(k->rng);
    free(k->split);
    free(k->reports);
    free(k);
}

static int compare_item(const void *a, const void *b)
{
    return item_compare(*(const nw_ldp_item *)a, *(const nw_ldp_item *)b);
}

/* holders[code]: reports at the level from holders of each code that is asked for. */
static void count_holders(const sketch *k, const nw_hh_request *r, uint64_t *holders)
{
    const population *p = k->job->people;
    const nw_ldp_campaign *c = k->job->campaign;
    const unsigned length = c->lengths[r->level];
    const bool is_all = r->party == NW_HH_ALL_PARTIES;
    const size_t end = is_all ? p->n : population_first(p, r->party + 1);
    const uint64_t mask = (UINT64_C(1) << r->suffix_bits) - 1;
    for (size_t i = is_all ? 0 : population_first(p, r->party); i < end; i++) {
        const nw_ldp_item prefix = nw_ldp_prefix(c, p->holdings[i].item, length - r->suffix_bits);
        const nw_ldp_item *found = bsearch(&prefix, r->prefixes, r->n, sizeof prefix, compare_item);
        if (found == NULL)
            continue;
        const uint64_t suffix = nw_ldp_prefix(c, p->holdings[i].item, length).low & mask;
        holders[((size_t)(found - r->prefixes) << r->suffix_bits) + suffix] += k->split[r->level * p->n + i];
    }
}

static nw_status draw_supports(void *context, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    sketch *k = context;
    const population *p = k->job->people;
    const size_t codes = r->n << r->suffix_bits;
    const nw_ldp_law law = nw_ldp_campaign_law(k->job->campaign);
    uint64_t n = 0;
    for (size_t party = 0; party < p->party_count; party++)
        n += r->party == NW_HH_ALL_PARTIES || r->party == party ? k->reports[r->level * p->party_count + party] : 0;
    uint64_t *holders = calloc(codes, sizeof *holders);
    binomial_law *nobody = binomial_law_new(n, law.other);
    const bool is_made = holders != NULL && nobody != NULL;
    if (is_made)
        count_holders(k, r, holders);
    for (size_t i = 0; is_made && i < codes; i++)
        supports[i] = (int64_t)(holders[i] == 0 ? binomial_law_draw(nobody, &k->words)
                                                : binomial_draw(&k->words, holders[i], law.own) +
                                                      binomial_draw(&k->words, n - holders[i], law.other));
    free(holders);
    binomial_law_free(nobody);
    if (!is_made)
        return crowd_fail(err, NW_E_NOMEM, "out of memory");
    return k->words.status == NW_OK ? NW_OK : crowd_fail(err, k->words.status, "no random numbers");
}

nw_status sketch_step(sketch *k, nw_hh *hh, nw_error *err)
{
    return nw_hh_step(hh, k->reports + nw_hh_level(hh) * k->job->people->party_count, draw_supports, k, err);
}
