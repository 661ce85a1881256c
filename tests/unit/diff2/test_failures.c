/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_failures.c - memory or random numbers that cannot be had: the n-th allocation fails for every n, each call answers
 * NW_E_NOMEM, a run that was begun is over with one charge, and nothing of its open round is released. Linked with --wrap, so
 * that allocations come here. */
#include "diff2_support.h"
#include "random_internal.h"

static long allocations_left = -1; /* before one fails; negative: none does */

void *__wrap_nw__calloc(size_t n, size_t size);
void *__real_nw__calloc(size_t n, size_t size);

void *__wrap_nw__calloc(size_t n, size_t size)
{
    return allocations_left >= 0 && allocations_left-- == 0 ? NULL : __real_nw__calloc(n, size);
}

/* A run of three rounds of a model and of gradients, in which the nth allocation fails; true if none was left to fail. */
static bool run_failing(long nth, const diff2_data *data)
{
    nw_diff2_opts o = diff2_options();
    const nw_diff2_model_opts mo = diff2_model_options(data, NW_DIFF2_SOFTMAX, 2, true);
    nw_diff2 *d = NULL;
    nw_diff2_model *m = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    o.rounds = 3;
    o.period = 2;
    o.local_steps = 2;
    o.local_batch = 50.0;
    o.clip_local = 0.5;
    o.local_noise = 10.0;
    o.restart_noise = o.difference_noise = DIFF2_HARDLY_ANY; /* what it costs is not worked out */
    nw_rng *rng = diff2_seeded(3);
    allocations_left = nth;
    nw_status status = nw_diff2_new(&d, 2 * (data->columns + 1), NULL, &o, NULL);
    assert_true(status == NW_OK || d == NULL);
    if (status == NW_OK)
        status = nw_diff2_model_new(&m, &mo, NULL);
    if (status == NW_OK)
        diff2_open(d);
    while (status == NW_OK && !nw_diff2_is_done(d)) {
        status = nw_diff2_begin_round(d, NULL, NULL);
        if (status == NW_OK)
            status = nw_diff2_add_model(d, m, NULL);
        if (status == NW_OK && n == 0)
            status = nw_diff2_partial_to_bytes(d, &bytes, &n, NULL);
        if (status == NW_OK) {
            status = nw_diff2_step(d, NULL, rng, NULL, NULL);
        } else if (n > 0 || bytes == NULL) { /* an addition that failed leaves nothing that could be released */
            allocations_left = -1;
            const nw_status after = nw_diff2_step(d, NULL, rng, NULL, NULL);
            assert_true(after == NW_E_STATE || (after == NW_OK && n == 0));
        }
    }
    const bool is_over = allocations_left >= 0;
    allocations_left = -1;
    assert_int_equal(status, is_over ? NW_OK : NW_E_NOMEM);
    if (is_over)
        assert_true(nw_diff2_is_done(d));
    nw_diff2_bytes_free(bytes, n);
    nw_diff2_model_free(m);
    nw_diff2_free(d);
    nw_rng_free(rng);
    return is_over;
}

static void allocations__each_may_fail(void **state)
{
    (void)state;
    diff2_data data = diff2_records(60, 3, 2, 3);
    long nth = 0;
    while (!run_failing(nth, &data))
        nth++;
    print_message("# %ld allocations\n", nth);
    assert_true(nth > 15);
    diff2_forget(&data);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

/* Random numbers that cannot be had once the run is charged: no release, one charge, and the run is over. */
static void entropy__lacking_ends_the_run(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    const float row[2] = { 0.5f, 0.5f };
    nw_error err;
    nw_rng *rng = diff2_seeded(3);
    nw_diff2 *d = diff2_charged(2, NULL, &o, rng);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_add_gradients(d, row, NULL, 1, 0, NULL), NW_OK);
    rng->fork_generation++;
    int (*system_entropy)(void *, size_t) = nw__system_entropy;
    nw__system_entropy = no_entropy;
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, &err), NW_E_ENTROPY);
    nw__system_entropy = system_entropy;
    assert_true(nw_diff2_iterate(d)[0] == 0.0 && nw_diff2_direction(d)[0] == 0.0);
    assert_true(d->sums[0] == 0 && d->sums[1] == 0);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_E_STATE);
    nw_diff2_free(d);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations__each_may_fail),
        cmocka_unit_test(entropy__lacking_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
