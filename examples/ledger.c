/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - one budget in a file: two releases that fit, a job of many steps that reserves them and uses fewer, a group with a
 * share of its own, and a release that is refused. */
#include <noisewright.h>
#include <stdio.h>

static nw_status release_count(nw_ledger *ledger, nw_rng *rng, const char *label, int64_t count, double epsilon, nw_error *err)
{
    const nw_sensitivity one_record = { 1.0, NW_ADD_REMOVE };
    nw_event *event = NULL;
    nw_noise *noise = NULL;
    nw_receipt receipt;
    int64_t noisy = 0;
    nw_status status = nw_event_noise(&event, NW_EVENT_DISCRETE_LAPLACE, 1.0 / epsilon, one_record, 1, err);
    if (status == NW_OK)
        status = nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 1.0 / epsilon, err);
    if (status == NW_OK)
        status =
            nw_ledger_charge(ledger, event, label, rng, &receipt, err); /* durable before the draw; refused: nothing is drawn */
    if (status == NW_OK)
        status = nw_noise_add_i64(noise, rng, &count, &noisy, 1, err);
    if (status == NW_OK)
        printf("%s: about %lld; epsilon %.3f, spent so far %.3f, ledger head %s\n", label, (long long)noisy, receipt.epsilon,
            receipt.spent_epsilon, receipt.head);
    nw_noise_free(noise);
    nw_event_free(event);
    return status;
}

/* A job that may take up to 100 steps, charged to a group: one durable charge, and at the end what was used. */
static nw_status run_job(nw_ledger *ledger, nw_rng *rng, nw_error *err)
{
    nw_event *step = NULL;
    nw_receipt receipt;
    uint64_t reservation = 0;
    uint64_t used = 0;
    nw_status status = nw_event_pure(&step, 0.001, NW_ADD_REMOVE, err);
    if (status == NW_OK)
        status = nw_ledger_add_group(ledger, "research", 0.125, 0.0, err);
    if (status == NW_OK)
        status = nw_ledger_reserve(ledger, "research", step, 100, "search", rng, &reservation, NULL, err);
    while (status == NW_OK && used < 40)
        used++; /* counted before the step is drawn */
    if (status == NW_OK)
        status = nw_ledger_commit(ledger, reservation, used, &receipt, err);
    if (status == NW_OK)
        printf("search: %llu of 100 steps; epsilon %.3f, spent so far %.3f\n", (unsigned long long)used, receipt.epsilon,
            receipt.spent_epsilon);
    nw_event_free(step);
    return status;
}

int main(void)
{
    const char *path = "example-ledger.sqlite";
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    budget.epsilon = 1.0;
    budget.delta = 0.0; /* pure differential privacy: epsilons add up */
    budget.adjacency = NW_ADD_REMOVE;
    budget.unit = "one visit";
    remove(path);
    nw_status status = nw_ledger_create(&ledger, path, &budget, &err);
    if (status == NW_OK)
        status = nw_rng_new(&rng, &err);
    if (status == NW_OK)
        status = release_count(ledger, rng, "visits on Monday", 1204, 0.5, &err);
    if (status == NW_OK)
        status = release_count(ledger, rng, "visits on Tuesday", 377, 0.25, &err);
    if (status == NW_OK)
        status = run_job(ledger, rng, &err);
    const nw_status refused = status == NW_OK ? release_count(ledger, rng, "visits on Sunday", 12, 0.5, &err) : status;
    printf("%s: %s\n", nw_status_name(refused), err.message);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return refused == NW_E_BUDGET ? 0 : 1;
}
