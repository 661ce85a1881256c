/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_rng.c - streams, substreams, forks, entropy, and the exact primitives' contracts. Their laws: tests/stat/stat_noise.c. */
#include "forks.h"
#include "random_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static void bytes_of(nw_rng *rng, uint8_t out[32])
{
    assert_int_equal(nw_rng_bytes(rng, out, 32, NULL), NW_OK);
}

static void rng_new_insecure_seeded__repeats_itself_and_says_so(void **state)
{
    (void)state;
    uint8_t x[32];
    uint8_t y[32];
    uint8_t z[32];
    nw_rng *a = seeded(1);
    nw_rng *b = seeded(1);
    nw_rng *c = seeded(2);
    bytes_of(a, x);
    bytes_of(b, y);
    bytes_of(c, z);
    assert_memory_equal(x, y, 32);
    assert_memory_not_equal(x, z, 32);
    assert_true(nw_rng_is_insecure(a));
    nw_rng_free(a);
    nw_rng_free(b);
    nw_rng_free(c);
}

/* The stream is part of the seeds' promise: the same on every machine. */
static void rng_bytes__known_answer(void **state)
{
    (void)state;
    enum { BYTES = 100000 };
    uint8_t *bytes = malloc(BYTES);
    uint8_t hash[16];
    char text[33];
    nw_rng *rng = seeded(42);
    assert_int_equal(nw_rng_bytes(rng, bytes, BYTES, NULL), NW_OK);
    crypto_generichash(hash, sizeof hash, bytes, BYTES, NULL, 0);
    assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash), "e6fcfdaf1a1ce69bca72cc3788b871dd");
    nw_rng_free(rng);
    free(bytes);
}

static void rng_new__streams_differ_and_are_secure(void **state)
{
    (void)state;
    uint8_t x[32];
    uint8_t y[32];
    nw_rng *a = NULL;
    nw_rng *b = NULL;
    assert_int_equal(nw_rng_new(&a, NULL), NW_OK);
    assert_int_equal(nw_rng_new(&b, NULL), NW_OK);
    bytes_of(a, x);
    bytes_of(b, y);
    assert_memory_not_equal(x, y, 32);
    assert_false(nw_rng_is_insecure(a));
    nw_rng_free(a);
    nw_rng_free(b);
    nw_rng_free(NULL);
}

static void rng_substream__depends_on_parent_and_id_only(void **state)
{
    (void)state;
    uint8_t first[32];
    uint8_t again[32];
    uint8_t other[32];
    uint8_t parent_bytes[32];
    nw_rng *parent = seeded(9);
    nw_rng *sub = NULL;
    assert_int_equal(nw_rng_substream(&sub, parent, 3, NULL), NW_OK);
    bytes_of(sub, first);
    assert_true(nw_rng_is_insecure(sub));
    nw_rng_free(sub);
    bytes_of(parent, parent_bytes); /* advancing the parent changes nothing */
    assert_int_equal(nw_rng_substream(&sub, parent, 3, NULL), NW_OK);
    bytes_of(sub, again);
    nw_rng_free(sub);
    assert_int_equal(nw_rng_substream(&sub, parent, 4, NULL), NW_OK);
    bytes_of(sub, other);
    nw_rng_free(sub);
    assert_memory_equal(first, again, 32);
    assert_memory_not_equal(first, other, 32);
    assert_memory_not_equal(first, parent_bytes, 32);
    nw_rng_free(parent);
}

/* Reading in pieces of any size gives the same stream; what was handed out is gone from the state. */
static void rng_bytes__is_one_stream_and_erases_what_it_gave(void **state)
{
    (void)state;
    uint8_t whole[9000];
    uint8_t pieces[9000];
    nw_rng *a = seeded(4);
    nw_rng *b = seeded(4);
    assert_int_equal(nw_rng_bytes(a, whole, 32, NULL), NW_OK);
    assert_null(memmem(a, sizeof *a, whole, 32));
    nw_rng_free(a);
    a = seeded(4);
    for (size_t at = 0; at < 8192; at += 8)
        assert_int_equal(nw_rng_bytes(a, whole + at, 8, NULL), NW_OK);
    for (size_t at = 0; at < 8192; at += 4)
        assert_int_equal(nw_rng_bytes(b, pieces + at, 4, NULL), NW_OK);
    assert_memory_equal(whole, pieces, 8192);
    nw_rng_free(a);
    nw_rng_free(b);
}

/* Runs in a child made by `make_child`; returns whether the child's bytes differ from the parent's next ones. */
static bool child_differs(nw_rng *rng, pid_t (*make_child)(void))
{
    int ends[2];
    uint8_t from_child[32];
    uint8_t from_parent[32];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = make_child();
    if (pid == 0) {
        uint8_t bytes[32] = { 0 };
        const bool is_ok = nw_rng_bytes(rng, bytes, sizeof bytes, NULL) == NW_OK;
        _exit(is_ok && write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], from_child, sizeof from_child), sizeof from_child);
    close(ends[0]);
    close(ends[1]);
    bytes_of(rng, from_parent);
    return memcmp(from_child, from_parent, sizeof from_child) != 0;
}

static pid_t by_fork(void)
{
    return fork();
}

static void rng__a_forked_child_has_a_fresh_key(void **state)
{
    (void)state;
    nw_rng *secure = NULL;
    nw_rng *insecure = seeded(1);
    uint8_t warm[32];
    assert_int_equal(nw_rng_new(&secure, NULL), NW_OK);
    bytes_of(secure, warm); /* the child inherits a full buffer */
    bytes_of(insecure, warm);
    assert_true(child_differs(secure, by_fork));
    assert_true(child_differs(insecure, by_fork));
    assert_true(child_differs(secure, fork_by_system_call)); /* only the wiped page can tell */
    assert_true(child_differs(secure, by_fork));             /* the parent still works, and so does a second child */
    nw_rng_free(secure);
    nw_rng_free(insecure);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static void rng__fails_closed_without_entropy(void **state)
{
    (void)state;
    int (*const system_entropy)(void *, size_t) = nw__system_entropy;
    nw_rng *rng = NULL;
    nw_error err;
    nw__system_entropy = no_entropy;
    assert_int_equal(nw_rng_new(&rng, &err), NW_E_ENTROPY);
    assert_null(rng);
    assert_int_equal(err.status, NW_E_ENTROPY);
    rng = seeded(1);
    rng->fork_generation--; /* as after a fork: it needs a new key, and gets none */
    uint8_t bytes[32];
    memset(bytes, 7, sizeof bytes);
    assert_int_equal(nw_rng_bytes(rng, bytes, sizeof bytes, &err), NW_E_ENTROPY);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0);
    uint64_t x = 5;
    assert_int_equal(nw_rng_uniform(rng, 10, &x, &err), NW_E_ENTROPY);
    nw_rng *sub = NULL;
    assert_int_equal(nw_rng_substream(&sub, rng, 1, &err), NW_E_ENTROPY);
    nw__system_entropy = system_entropy;
    assert_int_equal(nw_rng_bytes(rng, bytes, sizeof bytes, &err), NW_OK);
    nw_rng_free(rng);
}

static void rng_draws__refuse_bad_arguments(void **state)
{
    (void)state;
    nw_rng *rng = seeded(1);
    uint64_t x = 0;
    bool b = false;
    uint8_t items[4];
    nw_error err;
    assert_int_equal(nw_rng_new(NULL, &err), NW_E_ARG);
    assert_int_equal(nw_rng_new_insecure_seeded(NULL, 1, &err), NW_E_ARG);
    assert_int_equal(nw_rng_substream(NULL, rng, 1, &err), NW_E_ARG);
    assert_int_equal(nw_rng_bytes(NULL, items, 4, &err), NW_E_ARG);
    assert_int_equal(nw_rng_bytes(rng, NULL, 4, &err), NW_E_ARG);
    assert_int_equal(nw_rng_uniform(rng, 0, &x, &err), NW_E_ARG);
    assert_string_equal(err.message, "bound is 0, must be at least 1");
    const double bad[] = { -0.1, 1.1, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nw_rng_bernoulli(rng, bad[i], &b, &err), NW_E_ARG);
        assert_int_equal(nw_rng_poisson_gap(rng, bad[i], &x, &err), NW_E_ARG);
    }
    assert_int_equal(nw_rng_poisson_gap(rng, 0.0, &x, &err), NW_E_ARG);
    assert_int_equal(nw_rng_bernoulli_exp(rng, 1, 0, &b, &err), NW_E_ARG);
    assert_int_equal(nw_rng_shuffle(rng, items, 4, 0, &err), NW_E_ARG);
    assert_int_equal(nw_rng_shuffle(rng, items, SIZE_MAX, 2, &err), NW_E_ARG);
    assert_int_equal(nw_rng_shuffle(rng, NULL, 4, 1, &err), NW_E_ARG);
    nw_rng_free(rng);
}

static void rng_bernoulli__is_certain_at_0_and_1_and_reads_tiny_p(void **state)
{
    (void)state;
    nw_rng *rng = seeded(1);
    for (int i = 0; i < 1000; i++) {
        bool b = true;
        assert_int_equal(nw_rng_bernoulli(rng, 0.0, &b, NULL), NW_OK);
        assert_false(b);
        assert_int_equal(nw_rng_bernoulli(rng, 1.0, &b, NULL), NW_OK);
        assert_true(b);
        assert_int_equal(nw_rng_bernoulli(rng, 0x1p-1074, &b, NULL), NW_OK);
        assert_false(b);
    }
    nw_rng_free(rng);
}

/* Every bound's every value, equally often: 6 standard errors. */
static void rng_uniform__is_uniform_for_small_and_awkward_bounds(void **state)
{
    (void)state;
    nw_rng *rng = seeded(1);
    const uint64_t bounds[] = { 1, 2, 3, 7, 10 };
    for (size_t k = 0; k < sizeof bounds / sizeof *bounds; k++) {
        size_t seen[10] = { 0 };
        const size_t n = 200000;
        for (size_t i = 0; i < n; i++) {
            uint64_t x = 0;
            assert_int_equal(nw_rng_uniform(rng, bounds[k], &x, NULL), NW_OK);
            assert_true(x < bounds[k]);
            seen[x]++;
        }
        for (uint64_t v = 0; v < bounds[k]; v++) {
            const double expected = (double)n / (double)bounds[k];
            assert_true(((double)seen[v] - expected) * ((double)seen[v] - expected) <= 36.0 * expected);
        }
    }
    /* 3 * 2^62: without the rejection the lower half of the range would come up 4 / 3 times as often as it should */
    size_t low = 0;
    for (size_t i = 0; i < 100000; i++) {
        uint64_t x = 0;
        assert_int_equal(nw_rng_uniform(rng, UINT64_C(3) << 62, &x, NULL), NW_OK);
        low += x % 3 == 0;
    }
    assert_true(low > 33333 - 900 && low < 33333 + 900);
    nw_rng_free(rng);
}

static void rng_shuffle__reaches_every_permutation_equally(void **state)
{
    (void)state;
    nw_rng *rng = seeded(3);
    size_t orders[256] = { 0 };
    for (int i = 0; i < 48000; i++) {
        uint8_t items[4] = { 0, 1, 2, 3 };
        assert_int_equal(nw_rng_shuffle(rng, items, 4, 1, NULL), NW_OK);
        orders[items[0] << 6 | items[1] << 4 | items[2] << 2 | items[3]]++;
    }
    size_t distinct = 0;
    for (int o = 0; o < 256; o++) {
        distinct += orders[o] > 0;
        assert_true(orders[o] == 0 || (orders[o] > 2000 - 280 && orders[o] < 2000 + 280)); /* 6 standard errors */
    }
    assert_int_equal(distinct, 24);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_new_insecure_seeded__repeats_itself_and_says_so),
        cmocka_unit_test(rng_bytes__known_answer),
        cmocka_unit_test(rng_new__streams_differ_and_are_secure),
        cmocka_unit_test(rng_substream__depends_on_parent_and_id_only),
        cmocka_unit_test(rng_bytes__is_one_stream_and_erases_what_it_gave),
        cmocka_unit_test(rng__a_forked_child_has_a_fresh_key),
        cmocka_unit_test(rng__fails_closed_without_entropy),
        cmocka_unit_test(rng_draws__refuse_bad_arguments),
        cmocka_unit_test(rng_bernoulli__is_certain_at_0_and_1_and_reads_tiny_p),
        cmocka_unit_test(rng_uniform__is_uniform_for_small_and_awkward_bounds),
        cmocka_unit_test(rng_shuffle__reaches_every_permutation_equally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
