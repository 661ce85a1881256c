/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* secure_sum.c - four hospitals publish a histogram of their patients together. None shows its own to anybody, nobody sees the
 * exact total, and it has the noise of one trusted curator even if one of the four tells all it knows. Here all four sit in one
 * process; what they would send each other are keys, messages and the coordinator's word. */
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOSPITALS = 4, TOLERATED = 1, CELLS = 5, WORDS = CELLS + NW_MASKS_CHECK_WORDS };
#define STEPS 256 /* of the grid for one patient: finer than the noise */

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

static const int64_t patients[HOSPITALS][CELLS] = {
    { 120, 80, 43, 9, 2 },
    { 310, 95, 60, 14, 0 },
    { 77, 140, 21, 30, 5 },
    { 205, 66, 58, 11, 1 },
};

typedef struct hospital {
    nw_rng *rng;
    nw_masks *masks;
} hospital;

/* What each hospital does of a round, on its own machine. */
static void send_message(const nw_secure_sum *sum, const hospital *h, const int64_t *counts, uint64_t round, uint64_t *message)
{
    nw_error err;
    int64_t steps[CELLS];
    for (size_t i = 0; i < CELLS; i++)
        steps[i] = counts[i] * STEPS;
    TRY(nw_secure_sum_seal(sum, h->masks, round, h->rng, steps, message, &err));
}

int main(void)
{
    nw_error err;
    nw_secure_sum *sum = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    hospital hospitals[HOSPITALS] = { { NULL, NULL } };
    uint8_t keys[HOSPITALS][NW_MASKS_KEY_SIZE];
    uint64_t total[WORDS] = { 0 };
    int64_t noisy[CELLS];

    /* 1. All agree about what is released: noise of deviation 8 patients, protecting one patient, added or removed. */
    nw_secure_sum_opts o = NW_SECURE_SUM_OPTS_INIT;
    o.parties = HOSPITALS;
    o.tolerated = TOLERATED;
    o.values = CELLS;
    o.sigma = 8.0 * STEPS;
    o.l2.value = 1.0 * STEPS;
    o.l2.adjacency = NW_ADD_REMOVE;
    TRY(nw_secure_sum_new(&sum, &o, &err));

    /* 2. Keys, once: each makes its own and hears the others'. That they are theirs, the deployment has to know. */
    for (size_t k = 0; k < HOSPITALS; k++) {
        TRY(nw_rng_new(&hospitals[k].rng, &err));
        TRY(nw_masks_new(&hospitals[k].masks, k, HOSPITALS, hospitals[k].rng, &err));
        nw_masks_key(hospitals[k].masks, keys[k]);
    }
    for (size_t k = 0; k < HOSPITALS; k++)
        TRY(nw_masks_meet(hospitals[k].masks, keys[0], &err));

    /* 3. The coordinator charges; only then does anybody draw. */
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 1.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    budget.unit = "one patient of any hospital";
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_ledger_charge(ledger, nw_secure_sum_event(sum), "patients", NULL, &receipt, &err));

    /* 4. One message each; whoever adds them sees random words. */
    for (size_t k = 0; k < HOSPITALS; k++) {
        uint64_t message[WORDS];
        send_message(sum, &hospitals[k], patients[k], 1, message);
        for (size_t i = 0; i < WORDS; i++)
            total[i] += message[i]; /* modulo 2^64 */
    }

    /* 5. The sum of all is the noisy histogram; a sum that lacks one would be refused. */
    TRY(nw_secure_sum_open(sum, total, noisy, &err));
    printf("epsilon %.3f at delta %g; deviation of the noise: %.1f patients\n", receipt.epsilon, receipt.delta,
        nw_secure_sum_get_plan(sum).deviation / STEPS);
    for (size_t i = 0; i < CELLS; i++)
        printf("cell %zu: %.1f\n", i, (double)noisy[i] / STEPS);

    for (size_t k = 0; k < HOSPITALS; k++) {
        nw_masks_free(hospitals[k].masks);
        nw_rng_free(hospitals[k].rng);
    }
    nw_ledger_close(ledger);
    nw_secure_sum_free(sum);
    return 0;
}
