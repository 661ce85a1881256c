/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* device.c - a program with the device's library alone: reads a campaign (grr over 10 items, epsilon 1), reports item 3 with
 * random bytes that are all 0, with which the truth is kept. */
#include <nw/ldp_client.h>
#include <stdio.h>
#include <string.h>

static int draw_zeros(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0, n);
    return 0;
}

int main(void)
{
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES] = { 'N', 'W', 'L', 'C', 1, NW_LDP_GRR };
    uint8_t report[NW_LDP_SHORT_REPORT];
    nw_ldp_campaign campaign;
    bytes[9] = 1;   /* level */
    bytes[12] = 10; /* symbols */
    bytes[16] = 10; /* domain */
    bytes[28] = 1;  /* epsilon, in 2^-32 */
    if (nw_ldp_campaign_read(&campaign, bytes, sizeof bytes) != NW_OK)
        return 1;
    if (nw_ldp_report(&campaign, NULL, (nw_ldp_item){ 0, 3 }, draw_zeros, NULL, report, sizeof report) != NW_OK)
        return 1;
    printf("%s: %u\n", nw_ldp_oracle_name(campaign.oracle), report[NW_LDP_REPORT_HEADER]);
    return report[NW_LDP_REPORT_HEADER] == 3 ? 0 : 1;
}
