/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ldp.c - which of 8 colours people like, without anybody telling: an organiser publishes a campaign, each device answers with
 * one randomised report of 16 bytes, two servers count, and one of them estimates. */
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

enum { COLOURS = 8, USERS = 20000 };

/* The device's source of random bytes; libnoisewright-client needs nothing else. */
static int draw(void *context, uint8_t *out, size_t n)
{
    return nw_rng_bytes(context, out, n, NULL) == NW_OK ? 0 : -1;
}

/* What runs on a device: it reads the campaign's bytes, so it computes the probabilities itself. */
static size_t answer(const uint8_t *published, uint64_t colour, nw_rng *rng, uint8_t *report, size_t capacity)
{
    nw_ldp_campaign campaign;
    if (nw_ldp_campaign_read(&campaign, published, NW_LDP_CAMPAIGN_BYTES) != NW_OK ||
        nw_ldp_report(&campaign, NULL, (nw_ldp_item){ 0, colour }, draw, rng, report, capacity) != NW_OK)
        exit(1);
    return nw_ldp_report_size(&campaign);
}

/* The same device asked every day: it repeats one answer, which costs epsilon once. */
static void repeat(const nw_ldp_campaign *campaign, nw_rng *rng)
{
    nw_error err;
    uint8_t key[NW_LDP_KEY_BYTES]; /* kept on the device */
    uint8_t reports[2][NW_LDP_SHORT_REPORT];
    TRY(nw_rng_bytes(rng, key, sizeof key, &err));
    for (int day = 0; day < 2; day++)
        if (nw_ldp_report_memoised(campaign, NULL, key, (nw_ldp_item){ 0, 3 }, draw, rng, reports[day], sizeof reports[day]) !=
            NW_OK)
            exit(1);
    printf("two days, one answer: %02x and %02x\n", reports[0][NW_LDP_REPORT_HEADER], reports[1][NW_LDP_REPORT_HEADER]);
}

int main(void)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_ldp_campaign campaign;
    uint8_t published[NW_LDP_CAMPAIGN_BYTES];
    nw_ldp_campaign_opts options = NW_LDP_CAMPAIGN_OPTS_INIT;
    options.epsilon = 2.0;
    options.domain = COLOURS; /* the oracle with the least variance is chosen */
    TRY(nw_ldp_campaign_make(&campaign, &options, &err));
    nw_ldp_campaign_write(&campaign, published);
    printf("%s, %zu bytes a report, +- %.0f users expected\n", nw_ldp_oracle_name(campaign.oracle), nw_ldp_report_size(&campaign),
        nw_ldp_campaign_deviation(&campaign, USERS, USERS / COLOURS));

    nw_ldp_aggregate *servers[2] = { NULL, NULL };
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_ldp_aggregate_new(&servers[0], &campaign, NULL, &err));
    TRY(nw_ldp_aggregate_new(&servers[1], &campaign, NULL, &err));
    for (uint64_t user = 0; user < USERS; user++) {
        uint8_t report[64];
        nw_ldp_verdict verdict;
        const size_t size = answer(published, user % 10 < 5 ? 2 : user % COLOURS, rng, report, sizeof report);
        if (user == 0)
            report[4] ^= 1; /* one report is damaged: counted as foreign, and left out */
        TRY(nw_ldp_aggregate_add(servers[user % 2], report, size, NULL, &verdict, &err));
    }

    const size_t size = nw_ldp_aggregate_size(servers[1]); /* what one server sends to the other: made of reports, no secret */
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return 1;
    TRY(nw_ldp_aggregate_serialize(servers[1], bytes, size, &err));
    TRY(nw_ldp_aggregate_merge_bytes(servers[0], bytes, size, &err));

    nw_ldp_item items[COLOURS];
    double counts[COLOURS];
    double errors[COLOURS];
    for (uint64_t i = 0; i < COLOURS; i++)
        items[i] = (nw_ldp_item){ 0, i };
    TRY(nw_ldp_aggregate_estimate(servers[0], 0, items, COLOURS, counts, errors, &err));
    TRY(nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, errors, COLOURS, USERS - 1, 0.0, &err)); /* no count is negative */
    for (int i = 0; i < COLOURS; i++)
        printf("colour %d: %6.0f +- %.0f\n", i, counts[i], errors[i]);
    printf("accepted %llu, foreign %llu\n", (unsigned long long)nw_ldp_aggregate_count(servers[0], NW_LDP_ACCEPTED),
        (unsigned long long)nw_ldp_aggregate_count(servers[0], NW_LDP_FOREIGN));
    repeat(&campaign, rng);

    nw_event *shuffled = NULL; /* if somebody mixes the reports before the server sees them */
    nw_bounds bounds;
    TRY(nw_ldp_shuffled_event(&shuffled, &campaign, USERS - 1, &err));
    TRY(nw_account_epsilon(shuffled, NW_REPLACE_ONE, 1e-6, NULL, &bounds, &err));
    printf("epsilon 2 on the device, %.3f at delta 1e-6 behind a shuffler\n", bounds.upper);

    nw_event_free(shuffled);
    free(bytes);
    nw_ldp_aggregate_free(servers[0]);
    nw_ldp_aggregate_free(servers[1]);
    nw_rng_free(rng);
    return 0;
}
