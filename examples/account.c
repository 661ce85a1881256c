/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* account.c - what a training run and a few statistics cost together, certified; and the noise that a budget asks for. */
#include <noisewright.h>
#include <stdio.h>

/* `steps` steps of DP-SGD: each record enters a step with probability q; noise of `multiplier` times the clipping norm. */
static nw_status training(nw_event **out, double q, double multiplier, uint64_t steps, nw_error *err)
{
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    nw_event *noise = NULL;
    nw_event *step = NULL;
    nw_status status = nw_event_gaussian(&noise, multiplier, one, err);
    if (status == NW_OK)
        status = nw_event_poisson_subsampled(&step, q, noise, err);
    if (status == NW_OK)
        status = nw_event_repeat(out, step, steps, err);
    nw_event_free(noise);
    nw_event_free(step);
    return status;
}

/* The same with the multiplier still open. */
static nw_status training_of(nw_event **out, double multiplier, const void *steps, nw_error *err)
{
    return training(out, 0.01, multiplier, *(const uint64_t *)steps, err);
}

int main(void)
{
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    const uint64_t steps = 10000;
    nw_event *parts[2] = { NULL, NULL };
    nw_event *all = NULL;
    nw_bounds epsilon;
    nw_bounds delta;
    double multiplier = 0.0;
    nw_error err;
    bool ok = training(&parts[0], 0.01, 1.0, steps, &err) == NW_OK && nw_event_laplace(&parts[1], 10.0, one, &err) == NW_OK &&
              nw_event_composed(&all, (const nw_event *const *)parts, 2, &err) == NW_OK &&
              nw_account_epsilon(all, NW_ADD_REMOVE, 1e-5, NULL, &epsilon, &err) == NW_OK &&
              nw_account_delta(all, NW_ADD_REMOVE, 8.0, NULL, &delta, &err) == NW_OK &&
              nw_calibrate(&multiplier, NW_CALIBRATE_LEAST, 0.3, 100.0, 2.0, 1e-5, NW_ADD_REMOVE, training_of, &steps, &err) ==
                  NW_OK;
    if (ok) {
        printf("at delta = 1e-5, epsilon is between %.4f and %.4f (%s)\n", epsilon.lower, epsilon.upper, epsilon.method);
        printf("at epsilon = 8, delta is between %.3e and %.3e\n", delta.lower, delta.upper);
        printf("epsilon = 2 for the training alone asks for a noise multiplier of %.4f\n", multiplier);
    } else {
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    }
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    nw_event_free(all);
    return ok ? 0 : 1;
}
