/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_batch_events.c - what batches cost against closed forms, what a checkpoint keeps of them, and what is refused. */
#include "batches_support.h"
#include "random_internal.h"

/* ---- events ---- */

static nw_event *gaussian_step(double sigma, nw_adjacency adjacency)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_gaussian(&e, sigma, (nw_sensitivity){ 1.0, adjacency }, NULL), NW_OK);
    return e;
}

static double epsilon_of(const nw_batches *b, const nw_event *step, uint64_t steps)
{
    nw_event *run = NULL;
    nw_bounds bounds;
    nw_error err;
    if (nw_batches_event(b, step, steps, &run, &err) != NW_OK ||
        nw_account_epsilon(run, nw_batches_adjacency(b), 1e-5, NULL, &bounds, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    nw_event_free(run);
    return bounds.upper;
}

static void assert_json(const nw_batches *b, const nw_event *step, uint64_t steps, const char *json)
{
    nw_event *run = NULL;
    nw_event *wanted = NULL;
    char *texts[2] = { NULL, NULL };
    assert_int_equal(nw_batches_event(b, step, steps, &run, NULL), NW_OK);
    assert_int_equal(nw_event_from_json(&wanted, json, NULL), NW_OK);
    assert_int_equal(nw_event_to_json(run, &texts[0], NULL), NW_OK);
    assert_int_equal(nw_event_to_json(wanted, &texts[1], NULL), NW_OK);
    assert_string_equal(texts[0], texts[1]);
    nw_string_free(texts[0]);
    nw_string_free(texts[1]);
    nw_event_free(run);
    nw_event_free(wanted);
}

static void batches_event__names_the_sampling_that_is_drawn(void **state)
{
    (void)state;
    nw_event *step = gaussian_step(2.0, NW_ADD_REMOVE);
    nw_batches *b = poisson(1000, 0.125, NW_ADD_REMOVE);
    assert_json(b, step, 40,
        "{\"type\": \"repeat\", \"count\": 40, \"event\": {\"type\": \"poisson_subsampled\", \"q\": 0.125, \"base\": {\"type\": "
        "\"gaussian\", \"sigma\": 2, \"sensitivity\": 1}}}");
    nw_batches_free(b);
    assert_int_equal(nw_batches_fixed_size(&b, 1000, 50, NULL), NW_OK);
    assert_json(b, step, 40,
        "{\"type\": \"repeat\", \"count\": 40, \"event\": {\"type\": \"fixed_size_subsampled\", \"population\": 1000, "
        "\"sample\": 50, "
        "\"replacement\": false, \"base\": {\"type\": \"gaussian\", \"sigma\": 2, \"sensitivity\": 1}}}");
    nw_batches_free(b);
    nw_event_free(step);
}

/* Gaussians alone: mu = distance sqrt(participations) / sigma, in closed form [BW18]. */
static void batches_event__without_amplification_counts_participations(void **state)
{
    (void)state;
    nw_event *step = gaussian_step(4.0, NW_ADD_REMOVE);
    nw_batches *full = NULL;
    nw_batches *order = shuffled(1000, 300); /* four batches an epoch, under replace_one: twice the distance */
    nw_batches *bins = cyclic(1000, 10);
    nw_batches *zero = NULL;
    assert_int_equal(nw_batches_full(&full, 1000, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_batches_shuffled(&zero, 1000, 300, NW_ZERO_OUT, NULL), NW_OK);
    assert_near(epsilon_of(full, step, 9), nw_gdp_epsilon(3.0 / 4.0, 1e-5), 1e-9);
    assert_near(epsilon_of(order, step, 16), nw_gdp_epsilon(2.0 * 2.0 / 4.0, 1e-5), 1e-9);
    assert_near(epsilon_of(order, step, 13), nw_gdp_epsilon(2.0 * 2.0 / 4.0, 1e-5), 1e-9); /* an epoch that begins counts */
    assert_near(epsilon_of(zero, step, 12), nw_gdp_epsilon(sqrt(3.0) / 4.0, 1e-5), 1e-9);
    assert_near(epsilon_of(bins, step, 90), nw_gdp_epsilon(3.0 / 4.0, 1e-5), 1e-9);
    assert_near(epsilon_of(bins, step, 1), nw_gdp_epsilon(1.0 / 4.0, 1e-5), 1e-9);
    nw_batches_free(full);
    nw_batches_free(order);
    nw_batches_free(bins);
    nw_batches_free(zero);
    nw_event_free(step);
}

/* The bug of the field: fixed batches of a shuffled order, accounted as if each record had tossed a coin for each
 * [CGKKMSZ24]. */
static void batches_event__of_a_shuffled_order_never_claims_poisson(void **state)
{
    (void)state;
    nw_event *step = gaussian_step(1.0, NW_ADD_REMOVE);
    nw_event *part = NULL;
    uint64_t count = 0;
    nw_batches *order = shuffled(10000, 100);
    nw_batches *coins = poisson(10000, 0.01, NW_REPLACE_ONE);
    assert_int_equal(nw_batches_charge(order, step, 250, &part, &count, NULL), NW_OK);
    assert_int_equal(nw_event_get_kind(part), NW_EVENT_GAUSSIAN);
    assert_int_equal(count, 3);
    assert_true(epsilon_of(order, step, 250) > 5.0 * epsilon_of(coins, step, 250));
    nw_event_free(part);
    nw_batches_free(order);
    nw_batches_free(coins);
    nw_event_free(step);
}

static void batches_charge__repeated_is_the_event(void **state)
{
    (void)state;
    nw_event *step = gaussian_step(2.0, NW_ADD_REMOVE);
    nw_batches *all[3] = { poisson(100, 0.5, NW_ADD_REMOVE), shuffled(100, 7), cyclic(100, 7) };
    for (size_t i = 0; i < 3; i++) {
        nw_event *part = NULL;
        nw_event *run = NULL;
        char *json = NULL;
        uint64_t count = 0;
        assert_int_equal(nw_batches_charge(all[i], step, 50, &part, &count, NULL), NW_OK);
        assert_int_equal(count, nw_batches_participations(all[i], 50));
        assert_int_equal(nw_event_repeat(&run, part, count, NULL), NW_OK);
        assert_int_equal(nw_event_to_json(run, &json, NULL), NW_OK);
        assert_json(all[i], step, 50, json);
        nw_string_free(json);
        nw_event_free(run);
        nw_event_free(part);
        nw_batches_free(all[i]);
    }
    nw_event_free(step);
}

static void batches_participations__are_what_a_strategy_asks(void **state)
{
    (void)state;
    nw_batches *coins = poisson(100, 0.5, NW_ADD_REMOVE);
    nw_batches *order = shuffled(100, 30);
    nw_batches *bins = cyclic(100, 4);
    assert_int_equal(nw_batches_participations(coins, 9), 9);
    assert_int_equal(nw_batches_participations(order, 9), 3);
    assert_int_equal(nw_batches_participations(bins, 9), 3);
    assert_int_equal(nw_batches_participations(bins, 8), 2);
    assert_int_equal(nw_batches_separation(coins), 1);
    assert_int_equal(nw_batches_separation(order), 1);
    assert_int_equal(nw_batches_separation(bins), 4);
    nw_batches_free(coins);
    nw_batches_free(order);
    nw_batches_free(bins);
}

/* ---- kept ---- */

static void remember(nw_batches *b, nw_rng *rng, uint32_t *out, size_t steps, size_t records)
{
    for (size_t s = 0; s < steps; s++) {
        const uint32_t *at;
        for (size_t i = draw(b, rng, &at); i > 0; i--)
            out[s * records + at[i - 1]] = 1;
    }
}

/* A run that was interrupted, from what was kept before its first step: the same sets from any later step on. */
static void batches_set_state__goes_on_in_the_same_order(void **state)
{
    (void)state;
    enum { RECORDS = 50, STEPS = 24, SKIPPED = 9 };
    for (int kind = 0; kind < 2; kind++) {
        uint8_t kept[NW_BATCHES_STATE_SIZE];
        uint32_t whole[STEPS * RECORDS] = { 0 };
        uint32_t rest[STEPS * RECORDS] = { 0 };
        nw_rng *rng = seeded(11);
        nw_rng *other = seeded(12);
        nw_batches *first = kind == 0 ? shuffled(RECORDS, 8) : cyclic(RECORDS, 7);
        nw_batches *second = kind == 0 ? shuffled(RECORDS, 8) : cyclic(RECORDS, 7);
        assert_int_equal(nw_batches_get_state(first, rng, kept, NULL), NW_OK);
        remember(first, rng, whole, STEPS, RECORDS);
        assert_int_equal(nw_batches_set_state(second, kept, NULL), NW_OK);
        nw_batches_skip(second, SKIPPED);
        remember(second, other, rest, STEPS - SKIPPED, RECORDS);
        assert_memory_equal(whole + SKIPPED * RECORDS, rest, (STEPS - SKIPPED) * RECORDS * sizeof *rest);
        nw_batches_free(first);
        nw_batches_free(second);
        nw_rng_free(rng);
        nw_rng_free(other);
    }
}

/* Each kind, from a step's own stream: the same batch in the same order, whatever was drawn before it. */
static void batches_next__depends_on_its_stream_alone(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        uint8_t kept[NW_BATCHES_STATE_SIZE];
        nw_batches *b[2] = { NULL, NULL };
        nw_rng *rng = seeded(16);
        for (int i = 0; i < 2; i++) {
            switch (kind) {
            case 0: b[i] = poisson(60, 0.3, NW_ADD_REMOVE); break;
            case 1: b[i] = shuffled(60, 11); break;
            case 2: b[i] = cyclic(60, 5); break;
            case 3: assert_int_equal(nw_batches_full(&b[i], 60, NW_ADD_REMOVE, NULL), NW_OK); break;
            default: assert_int_equal(nw_batches_fixed_size(&b[i], 60, 20, NULL), NW_OK); break;
            }
        }
        assert_int_equal(nw_batches_get_state(b[0], rng, kept, NULL), NW_OK);
        assert_int_equal(nw_batches_set_state(b[1], kept, NULL), NW_OK);
        nw_batches_skip(b[1], 7);
        for (uint64_t t = 0; t < 12; t++) {
            const uint32_t *at[2];
            nw_rng *own[2];
            assert_int_equal(nw_rng_substream(&own[0], rng, t, NULL), NW_OK);
            assert_int_equal(nw_rng_substream(&own[1], rng, t, NULL), NW_OK);
            const size_t n = draw(b[0], own[0], &at[0]);
            if (t >= 7) {
                assert_int_equal(draw(b[1], own[1], &at[1]), n);
                assert_memory_equal(at[0], at[1], n * sizeof **at);
            }
            nw_rng_free(own[0]);
            nw_rng_free(own[1]);
        }
        nw_batches_free(b[0]);
        nw_batches_free(b[1]);
        nw_rng_free(rng);
    }
}

/* Poisson batches rest on their secrecy: nothing in the state finds them again. */
static void batches_get_state__keeps_no_key_of_poisson_batches(void **state)
{
    (void)state;
    uint8_t kept[NW_BATCHES_STATE_SIZE];
    const uint8_t zeros[32] = { 0 };
    nw_rng *rng = seeded(13);
    nw_batches *b = poisson(50, 0.5, NW_ADD_REMOVE);
    const uint32_t *at;
    draw(b, rng, &at);
    assert_int_equal(nw_batches_get_state(b, rng, kept, NULL), NW_OK);
    assert_memory_equal(kept + 16, zeros, sizeof zeros);
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_set_state__refuses_that_of_others(void **state)
{
    (void)state;
    uint8_t kept[NW_BATCHES_STATE_SIZE];
    nw_rng *rng = seeded(14);
    nw_batches *a = shuffled(50, 8);
    nw_batches *b = shuffled(50, 9);
    nw_batches *c = poisson(50, 0.5, NW_ADD_REMOVE);
    assert_int_equal(nw_batches_get_state(a, rng, kept, NULL), NW_OK);
    assert_int_equal(nw_batches_set_state(b, kept, NULL), NW_E_FORMAT);
    assert_int_equal(nw_batches_set_state(c, kept, NULL), NW_E_FORMAT);
    kept[1] = 0; /* without a key a record could be met twice in an epoch */
    assert_int_equal(nw_batches_set_state(a, kept, NULL), NW_E_FORMAT);
    assert_int_equal(nw_batches_set_state(a, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_get_state(a, NULL, kept, NULL), NW_E_ARG);
    nw_batches_free(a);
    nw_batches_free(b);
    nw_batches_free(c);
    nw_rng_free(rng);
}

/* ---- refused ---- */

static void batches_new__refuses_bad_arguments(void **state)
{
    (void)state;
    nw_batches *b = NULL;
    nw_error err;
    const size_t huge = (size_t)NW_BATCHES_MOST_RECORDS + 1;
    assert_int_equal(nw_batches_poisson(&b, 10, 0.0, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_string_equal(err.message, "rate is 0, must be in [2^-60, 1]");
    assert_int_equal(nw_batches_poisson(&b, 10, NAN, NW_ADD_REMOVE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_poisson(&b, 10, 1.5, NW_ADD_REMOVE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_poisson(&b, huge, 0.5, NW_ADD_REMOVE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_poisson(&b, 10, 0.5, NW_ADJACENCY_UNSET, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_poisson(NULL, 10, 0.5, NW_ADD_REMOVE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_full(&b, 10, NW_ADJACENCY_UNSET, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_shuffled(&b, 10, 0, NW_REPLACE_ONE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_shuffled(&b, 10, 11, NW_REPLACE_ONE, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_shuffled(&b, 10, 5, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "adjacency is add_remove, must be replace_one or zero_out"));
    assert_int_equal(nw_batches_fixed_size(&b, 10, 11, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_cyclic(&b, 10, 0, NW_ADD_REMOVE, NULL), NW_E_ARG);
    assert_null(b);
}

static void batches_event__refuses_what_is_counted_already(void **state)
{
    (void)state;
    nw_event *step = gaussian_step(1.0, NW_ADD_REMOVE);
    nw_event *replaced = gaussian_step(1.0, NW_REPLACE_ONE);
    nw_event *sampled = NULL;
    nw_event *composed = NULL;
    nw_event *tree = NULL;
    nw_event *run = NULL;
    uint64_t count = 0;
    nw_batches *b = poisson(10, 0.5, NW_ADD_REMOVE);
    assert_int_equal(nw_event_poisson_subsampled(&sampled, 0.5, step, NULL), NW_OK);
    const nw_event *both[2] = { step, sampled };
    assert_int_equal(nw_event_composed(&composed, both, 2, NULL), NW_OK);
    assert_int_equal(nw_event_tree(&tree, 1.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 8, NULL), NW_OK);
    assert_int_equal(nw_batches_event(b, sampled, 5, &run, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_event(b, composed, 5, &run, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_event(b, tree, 5, &run, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_event(b, step, 0, &run, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_event(b, NULL, 5, &run, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_charge(b, step, 5, &run, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_batches_event(b, replaced, 5, &run, NULL), NW_E_UNSUPPORTED); /* worked out for other neighbours */
    assert_int_equal(nw_batches_charge(b, replaced, 5, &run, &count, NULL), NW_E_UNSUPPORTED);
    assert_null(run);
    nw_event_free(step);
    nw_event_free(replaced);
    nw_event_free(sampled);
    nw_event_free(composed);
    nw_event_free(tree);
    nw_batches_free(b);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static void batches_next__passes_on_the_want_of_entropy(void **state)
{
    (void)state;
    nw_rng *rng = seeded(15);
    int (*const before)(void *, size_t) = nw__system_entropy;
    nw_batches *all[3] = { poisson(10, 0.5, NW_ADD_REMOVE), shuffled(10, 3), NULL };
    assert_int_equal(nw_batches_fixed_size(&all[2], 10, 3, NULL), NW_OK);
    nw__system_entropy = no_entropy;
    rng->fork_generation = 0; /* as in a child whose system gives no key */
    for (size_t i = 0; i < 3; i++) {
        const uint32_t *at;
        size_t n = 7;
        assert_int_equal(nw_batches_next(all[i], rng, &at, &n, NULL), NW_E_ENTROPY);
        assert_int_equal(n, 0);
        assert_int_equal(nw_batches_next(all[i], NULL, &at, &n, NULL), NW_E_ARG);
        nw_batches_free(all[i]);
    }
    nw__system_entropy = before;
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_event__names_the_sampling_that_is_drawn),
        cmocka_unit_test(batches_event__without_amplification_counts_participations),
        cmocka_unit_test(batches_event__of_a_shuffled_order_never_claims_poisson),
        cmocka_unit_test(batches_charge__repeated_is_the_event),
        cmocka_unit_test(batches_participations__are_what_a_strategy_asks),
        cmocka_unit_test(batches_set_state__goes_on_in_the_same_order),
        cmocka_unit_test(batches_next__depends_on_its_stream_alone),
        cmocka_unit_test(batches_get_state__keeps_no_key_of_poisson_batches),
        cmocka_unit_test(batches_set_state__refuses_that_of_others),
        cmocka_unit_test(batches_new__refuses_bad_arguments),
        cmocka_unit_test(batches_event__refuses_what_is_counted_already),
        cmocka_unit_test(batches_next__passes_on_the_want_of_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
