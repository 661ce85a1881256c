/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* filter.c - steps that are chosen by looking at the answers so far: a filter that refuses the step too many, an odometer that
 * says where it stands, and a mean in which each record takes part until its own budget is used. Nothing is charged to a ledger
 * here. */
#include <noisewright.h>
#include <stdio.h>

static const nw_sensitivity one_record = { 1.0, NW_ADD_REMOVE };

/* A count with Gaussian noise, refined while it is small beside its noise: the noise of the next step depends on the answer. */
static nw_status refine(nw_privacy_filter *filter, nw_odometer *odometer, nw_rng *rng, int64_t count, nw_error *err)
{
    double sigma = 40.0;
    nw_status status = NW_OK;
    for (int step = 1; status == NW_OK; step++) {
        nw_event *event = NULL;
        nw_noise *noise = NULL;
        int64_t answer = 0;
        status = nw_event_noise(&event, NW_EVENT_ROUNDED_GAUSSIAN, sigma, one_record, 1, err);
        if (status == NW_OK)
            status = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, sigma, err);
        if (status == NW_OK)
            status = nw_privacy_filter_spend(filter, event, err); /* spend, then draw; refused: nothing is drawn */
        if (status == NW_OK)
            status = nw_odometer_add(odometer, event, err);
        if (status == NW_OK)
            status = nw_noise_add_i64(noise, rng, &count, &answer, 1, err);
        if (status == NW_OK)
            printf("step %d, sigma %4.1f: about %lld; odometer %.2f, used %.0f %% of the filter\n", step, sigma,
                (long long)answer, nw_odometer_epsilon(odometer), 100.0 * nw_privacy_filter_summarise(filter).used_fraction);
        if ((double)answer < 5.0 * sigma)
            sigma *= 0.5;
        nw_noise_free(noise);
        nw_event_free(event);
    }
    return status;
}

/* Noisy sums of norms 0.1 .. 1.0: records that contribute little take part ten or a hundred times as long. */
static nw_status individual(nw_rng *rng, nw_error *err)
{
    enum { RECORDS = 100, STEPS = 40, SIGMA = 8, GRID = 1024 };
    nw_individual_filter_opts o = NW_INDIVIDUAL_FILTER_OPTS_INIT;
    nw_individual_filter *filter = NULL;
    nw_noise *noise = NULL;
    double values[RECORDS];
    bool takes_part[RECORDS];
    int64_t noisy = 0;
    o.records = RECORDS;
    o.epsilon = 2.0;
    o.delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    o.order = 12.0;
    nw_status status = nw_individual_filter_new(&filter, &o, err);
    if (status == NW_OK)
        status = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, (double)SIGMA * GRID, err);
    for (int i = 0; i < RECORDS; i++)
        values[i] = (double)((i % 10 + 1) * GRID / 10) / GRID; /* on the grid of the sum */
    for (int step = 0; step < STEPS && status == NW_OK; step++) {
        int64_t sum = 0; /* in units of 1 / GRID */
        status = nw_individual_filter_gaussian(filter, SIGMA, 1.0, 1, values, takes_part, err);
        for (int i = 0; i < RECORDS && status == NW_OK; i++)
            sum += takes_part[i] ? (int64_t)(values[i] * GRID) : 0; /* the mask stays private */
        if (status == NW_OK)
            status = nw_noise_add_i64(noise, rng, &sum, &noisy, 1, err);
        if (status == NW_OK && (step == 0 || step == STEPS - 1))
            printf("sum %d of %d: about %.1f\n", step + 1, STEPS, (double)noisy / GRID);
    }
    nw_noise_free(noise);
    nw_individual_filter_free(filter);
    return status;
}

int main(void)
{
    nw_privacy_filter_opts budget = NW_PRIVACY_FILTER_OPTS_INIT;
    nw_odometer_opts reading = NW_ODOMETER_OPTS_INIT;
    nw_privacy_filter *filter = NULL;
    nw_odometer *odometer = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    budget.epsilon = 1.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    budget.kind = NW_FILTER_GDP;
    reading.delta = 1e-6;
    reading.adjacency = NW_ADD_REMOVE;
    nw_status status = nw_rng_new(&rng, &err);
    if (status == NW_OK)
        status = nw_privacy_filter_new(&filter, &budget, &err);
    if (status == NW_OK)
        status = nw_odometer_new(&odometer, &reading, &err);
    if (status == NW_OK)
        status = refine(filter, odometer, rng, 60, &err);
    const bool is_refused = status == NW_E_BUDGET;
    printf("%s: %s\n", nw_status_name(status), err.message);
    status = is_refused ? individual(rng, &err) : status;
    if (status != NW_OK)
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    nw_odometer_free(odometer);
    nw_privacy_filter_free(filter);
    nw_rng_free(rng);
    return status == NW_OK ? 0 : 1;
}
