/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters.c - which words do 60,000 people of two towns use most, if nobody tells theirs? */
#include <noisewright.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOWNS = 2, USERS = 30000, WORDS = 8 };

static const char *const words[WORDS] = { "apple", "pear", "plum", "cherry", "quince", "fig", "grape", "medlar" };

/* Word number 0 is the most frequent, 1 half as frequent, and so on; in the second town it is another one. */
static nw_ldp_item word_of(size_t user, size_t town)
{
    nw_ldp_item item;
    size_t rank = 0;
    for (size_t x = user; x % 2 == 1 && rank + 1 < WORDS; x /= 2)
        rank++;
    const char *word = words[(rank + town) % WORDS];
    nw_hh_encode(NW_HH_LETTERS5, 30, NULL, word, strlen(word), &item);
    return item;
}

int main(void)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_hh *hh = NULL;
    nw_ldp_campaign campaign;
    nw_ldp_campaign_opts c = NW_LDP_CAMPAIGN_OPTS_INIT;
    nw_ldp_aggregate *towns[TOWNS] = { NULL };
    uint8_t lengths[NW_LDP_MAX_LEVELS];
    unsigned levels = 0;
    int result = EXIT_FAILURE;
    c.oracle = NW_LDP_BLH;
    c.epsilon = 3.0;
    c.bits = 30;
    c.lengths = lengths;
    if (nw_hh_levels(NW_HH_POOLED, NW_HH_LETTERS5, c.bits, 3, 0, lengths, &levels, &err) != NW_OK)
        goto out;
    c.levels = levels;
    if (nw_ldp_campaign_make(&campaign, &c, &err) != NW_OK || nw_rng_new(&rng, &err) != NW_OK)
        goto out;

    for (size_t t = 0; t < TOWNS; t++) { /* on the devices, and in each town's server */
        if (nw_ldp_aggregate_new(&towns[t], &campaign, NULL, &err) != NW_OK)
            goto out;
        for (size_t user = 0; user < USERS; user++) {
            uint8_t report[NW_LDP_SHORT_REPORT];
            const nw_ldp_item item = word_of(user, t);
            if (nw_ldp_report_many(&campaign, rng, NULL, &item, 1, -1, report, sizeof report, &err) != NW_OK ||
                nw_ldp_aggregate_add(towns[t], report, sizeof report, NULL, NULL, &err) != NW_OK)
                goto out;
        }
    }

    nw_hh_opts o = NW_HH_OPTS_INIT; /* both search together */
    o.protocol = NW_HH_POOLED;
    o.top = 3;
    o.parties = TOWNS;
    o.encoding = NW_HH_LETTERS5;
    if (nw_hh_new(&hh, &campaign, &o, &err) != NW_OK)
        goto out;
    while (!nw_hh_is_done(hh))
        if (nw_hh_step_aggregates(hh, (const nw_ldp_aggregate *const *)towns, TOWNS, NULL, NULL, &err) != NW_OK)
            goto out;
    for (size_t i = 0; i < nw_hh_found(hh); i++) {
        nw_hh_hit hit;
        char text[NW_HH_TEXT_SIZE];
        if (nw_hh_get(hh, i, &hit, &err) != NW_OK)
            goto out;
        nw_hh_decode(NW_HH_LETTERS5, c.bits, hit.item, text);
        printf("%-8s %6.0f +- %4.0f of %llu people\n", text, hit.count, hit.error, (unsigned long long)nw_hh_users(hh));
    }
    result = EXIT_SUCCESS;
out:
    if (result != EXIT_SUCCESS)
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    nw_hh_free(hh);
    for (size_t t = 0; t < TOWNS; t++)
        nw_ldp_aggregate_free(towns[t]);
    nw_rng_free(rng);
    return result;
}
