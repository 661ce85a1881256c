/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* first.c - three private counts, the whole path: calibrate, describe, charge, draw, release. */
#include <noisewright.h>
#include <stdio.h>

int main(void)
{
    const int64_t visits[3] = { 1204, 377, 12 }; /* each person is in one of the three counts */
    const nw_sensitivity one_person = { 1.0, NW_ADD_REMOVE };
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 1.0;
    budget.delta = 1e-9;
    budget.adjacency = NW_ADD_REMOVE;

    nw_error err;
    nw_receipt receipt;
    nw_rng *rng = NULL;
    nw_event *event = NULL;
    nw_noise *noise = NULL;
    nw_ledger *ledger = NULL;
    double sigma;
    int64_t noisy[3];
    const bool ok = nw_calibrate_gaussian(&sigma, 0.5, 1e-9, one_person, 1, NW_ADD_REMOVE, &err) == NW_OK &&
        nw_event_noise(&event, NW_EVENT_ROUNDED_GAUSSIAN, sigma, one_person, 3, &err) == NW_OK &&
        nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, sigma, &err) == NW_OK && nw_rng_new(&rng, &err) == NW_OK &&
        nw_ledger_memory(&ledger, &budget, &err) == NW_OK &&
        nw_ledger_charge(ledger, event, "visits", rng, &receipt, &err) == NW_OK && /* refused: nothing is drawn */
        nw_noise_add_i64(noise, rng, visits, noisy, 3, &err) == NW_OK;
    if (ok)
        printf("%lld %lld %lld, sigma %.2f, epsilon %.4f at delta %g\n", (long long)noisy[0], (long long)noisy[1],
            (long long)noisy[2], sigma, receipt.epsilon, receipt.delta);
    else
        fprintf(stderr, "%s: %s\n", err.function, err.message);

    nw_ledger_close(ledger);
    nw_noise_free(noise);
    nw_event_free(event);
    nw_rng_free(rng);
    return ok ? 0 : 1;
}
