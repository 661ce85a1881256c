/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_process.c - streams and noise in a hostile process: many forks from a stream in use, no memory to lock, allocations that
 * fail. argv[1]: rounds of forks, default 20. Linked with --wrap, so that allocations come here. */
#include "forks.h"
#include "random_internal.h"

#include <nw/noise.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t rounds = 20;
static long allocations_left = -1; /* before one fails; negative: none does */

void *__wrap_nw__calloc(size_t n, size_t size);
void *__real_nw__calloc(size_t n, size_t size);
void *__wrap_sodium_malloc(size_t size);
void *__real_sodium_malloc(size_t size);

static bool is_failing(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_nw__calloc(size_t n, size_t size)
{
    return is_failing() ? NULL : __real_nw__calloc(n, size);
}

void *__wrap_sodium_malloc(size_t size)
{
    return is_failing() ? NULL : __real_sodium_malloc(size);
}

typedef struct source {
    nw_rng *rng;
    nw_noise *noise;
} source;

static source open_source(void)
{
    source s = { NULL, NULL };
    assert_int_equal(nw_rng_new(&s.rng, NULL), NW_OK);
    assert_int_equal(nw_noise_new(&s.noise, NW_NOISE_DISCRETE_LAPLACE, 0x1p45, NULL), NW_OK);
    return s;
}

static void close_source(source *s)
{
    nw_noise_free(s->noise);
    nw_rng_free(s->rng);
}

/* Three values of noise and eight bytes of the stream. */
static bool draw_both(void *context, uint8_t out[FORK_BYTES])
{
    const source *s = context;
    int64_t z[3];
    if (nw_noise_fill(s->noise, s->rng, z, 3, NULL) != NW_OK || nw_rng_bytes(s->rng, out, 8, NULL) != NW_OK)
        return false;
    memcpy(out + 8, z, sizeof z);
    return true;
}

/* The children inherit a stream whose buffer is partly used; every draw of every process and round is another one. */
static void rng__many_forks_draw_different_noise(void **state)
{
    (void)state;
    const size_t each = FORK_CHILDREN + 1;
    uint8_t(*out)[FORK_BYTES] = calloc(rounds * each, sizeof *out);
    source s = open_source();
    uint8_t warm[100];
    assert_non_null(out);
    for (size_t r = 0; r < rounds; r++) {
        assert_int_equal(nw_rng_bytes(s.rng, warm, 1 + r % sizeof warm, NULL), NW_OK);
        assert_true(fork_and_draw(draw_both, &s, out + r * each));
    }
    assert_int_equal(fork_count_repeats(out, rounds * each), 0);
    close_source(&s);
    free(out);
}

/* A stream in use is given to children of children. */
static bool draw_in_grandchild(void *context, uint8_t out[FORK_BYTES])
{
    int ends[2];
    int status = 1;
    if (pipe(ends) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0) {
        uint8_t bytes[FORK_BYTES];
        _exit(draw_both(context, bytes) && write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes ? 0 : 1);
    }
    const bool is_ok = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    const bool is_read = read(ends[0], out, FORK_BYTES) == FORK_BYTES;
    close(ends[0]);
    close(ends[1]);
    return is_ok && is_read;
}

static void rng__grandchildren_draw_different_noise(void **state)
{
    (void)state;
    uint8_t out[2 * (FORK_CHILDREN + 1)][FORK_BYTES];
    source s = open_source();
    assert_true(fork_and_draw(draw_in_grandchild, &s, out));
    assert_true(fork_and_draw(draw_both, &s, out + FORK_CHILDREN + 1));
    assert_int_equal(fork_count_repeats(out, sizeof out / sizeof *out), 0);
    close_source(&s);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static bool draw_nothing(void *context, uint8_t out[FORK_BYTES])
{
    const source *s = context;
    int64_t z[4] = { 1, 1, 1, 1 };
    const nw_status status = nw_noise_fill(s->noise, s->rng, z, 4, NULL);
    memcpy(out, z, sizeof z);
    return status == NW_E_ENTROPY && z[0] == 0 && z[3] == 0;
}

/* A child that gets no key from the system draws nothing: it does not fall back to the parent's. */
static void rng__a_child_without_entropy_fails_closed(void **state)
{
    (void)state;
    int (*const system_entropy)(void *, size_t) = nw__system_entropy;
    source s = open_source();
    int status = 1;
    const pid_t child = fork();
    if (child == 0) {
        uint8_t bytes[FORK_BYTES];
        nw__system_entropy = no_entropy;
        const bool is_closed = draw_nothing(&s, bytes) && draw_nothing(&s, bytes);
        nw__system_entropy = system_entropy;
        _exit(is_closed && draw_both(&s, bytes) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close_source(&s);
}

/* Noise alone, on integers and on reals; noise of that scale is all zero with probability below 2^-60. */
static bool draw_every_way(nw_rng *rng)
{
    nw_noise *noise = NULL;
    int64_t z[4] = { 0 };
    int64_t y[4] = { 0 };
    double r[4] = { 0.0 };
    const bool is_ok = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, 1e6, NULL) == NW_OK &&
                       nw_noise_fill(noise, rng, z, 4, NULL) == NW_OK && nw_noise_add_i64(noise, rng, y, y, 4, NULL) == NW_OK &&
                       nw_noise_add_f64_grid(noise, rng, (nw_grid){ 0 }, r, -1.0, 1.0, r, 4, NULL) == NW_OK;
    bool is_noisy[3] = { false };
    for (int i = 0; i < 4; i++) {
        is_noisy[0] = is_noisy[0] || z[i] != 0;
        is_noisy[1] = is_noisy[1] || y[i] != 0;
        is_noisy[2] = is_noisy[2] || r[i] != 0.0;
    }
    nw_noise_free(noise);
    return is_ok && is_noisy[0] && is_noisy[1] && is_noisy[2];
}

enum { CHILD_OK = 0, CHILD_FAILED = 1, CHILD_CAN_LOCK = 2 };

/* What a process that may lock no memory does. A privileged one is not held to the limit: it gives its privilege up. */
static int draw_without_locked_memory(void)
{
    const struct rlimit none = { 0, 0 };
    static uint8_t page[4096];
    uint8_t bytes[2][32];
    nw_rng *rng[2] = { NULL, NULL };
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
        return CHILD_FAILED;
    if (mlock(page, sizeof page) == 0)
        return CHILD_CAN_LOCK;
    for (int i = 0; i < 2; i++)
        if (nw_rng_new(&rng[i], NULL) != NW_OK || nw_rng_bytes(rng[i], bytes[i], 32, NULL) != NW_OK || !draw_every_way(rng[i]))
            return CHILD_FAILED;
    nw_rng_free(rng[0]);
    nw_rng_free(rng[1]);
    return memcmp(bytes[0], bytes[1], 32) != 0 ? CHILD_OK : CHILD_FAILED;
}

static void rng_new__works_where_no_memory_can_be_locked(void **state)
{
    (void)state;
    int status = 1;
    const pid_t child = fork();
    if (child == 0)
        _exit(draw_without_locked_memory());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    /* this cmocka prints a skipped test as a failed one */
    if (WEXITSTATUS(status) == CHILD_CAN_LOCK)
        print_message("# the limit is not held to here (a sanitizer replaces mlock): not tested\n");
    else
        assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

/* A stream, a substream, a sampler, a draw and additions to integers and reals; statuses are NW_OK or NW_E_NOMEM, outputs then
 * zero or untouched. */
static nw_status do_everything(void)
{
    nw_rng *rng = NULL;
    nw_rng *sub = NULL;
    nw_noise *noise = NULL;
    int64_t z[2] = { 7, 7 };
    int64_t y[2] = { 7, 7 };
    double r[2] = { 7.0, 7.0 };
    const nw_grid grid = { -4 };
    nw_error err;
    nw_status status = nw_rng_new_insecure_seeded(&rng, 1, &err);
    assert_true((status == NW_OK) == (rng != NULL));
    if (status == NW_OK) {
        status = nw_rng_substream(&sub, rng, 1, &err);
        assert_true((status == NW_OK) == (sub != NULL));
    }
    if (status == NW_OK) {
        status = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, 1e6, &err);
        assert_true((status == NW_OK) == (noise != NULL));
    }
    if (status == NW_OK) {
        status = nw_noise_fill(noise, sub, z, 2, &err);
        assert_true(status == NW_OK || (z[0] == 0 && z[1] == 0));
    }
    if (status == NW_OK) {
        status = nw_noise_add_i64(noise, sub, y, y, 2, &err);
        assert_true(status == NW_OK || (y[0] == 7 && y[1] == 7));
    }
    if (status == NW_OK) {
        status = nw_noise_add_f64_grid(noise, sub, grid, r, 0.0, 9.0, r, 2, &err);
        assert_true(status == NW_OK || (r[0] == 7.0 && r[1] == 7.0));
    }
    assert_true(status == NW_OK || (status == NW_E_NOMEM && err.status == NW_E_NOMEM));
    nw_noise_free(noise);
    nw_rng_free(sub);
    nw_rng_free(rng);
    return status;
}

static void random__each_allocation_may_fail(void **state)
{
    (void)state;
    long failures = 0;
    for (allocations_left = 0; do_everything() != NW_OK; allocations_left = ++failures)
        assert_true(failures < 100);
    allocations_left = -1;
    assert_true(failures >= 6); /* one at least for each of the six calls */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng__many_forks_draw_different_noise),
        cmocka_unit_test(rng__grandchildren_draw_different_noise),
        cmocka_unit_test(rng__a_child_without_entropy_fails_closed),
        cmocka_unit_test(rng_new__works_where_no_memory_can_be_locked),
        cmocka_unit_test(random__each_allocation_may_fail),
    };
    if (argc > 1)
        rounds = (size_t)strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
