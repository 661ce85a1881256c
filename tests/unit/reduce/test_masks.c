/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* Masked sums: masks cancel and hide, rounds are used once, a missing party is noticed. */
#include "masks_internal.h"
#include "parties.h"
#include "team.h"

#include <gsl/gsl_cdf.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { VALUES = 700, MOST = 9 }; /* more values than are masked at once */

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
    return rng;
}

/* All parties' messages of a round, added; party `absent` sends nothing. values: of party p, v[i] = f(p, i). */
static uint64_t value_of(size_t party, size_t i)
{
    return (uint64_t)0 - (party + 1) * (i + 3) * UINT64_C(0x9e3779b97f4a7c15);
}

static void add_round(met_parties *p, uint64_t round, size_t absent, uint64_t total[VALUES + NW_MASKS_CHECK_WORDS])
{
    static uint64_t values[VALUES];
    static uint64_t message[VALUES + NW_MASKS_CHECK_WORDS];
    memset(total, 0, sizeof message);
    for (size_t k = 0; k < p->count; k++) {
        for (size_t i = 0; i < VALUES; i++)
            values[i] = value_of(k, i);
        assert_int_equal(nw_masks_seal(p->masks[k], round, values, VALUES, message, NULL), NW_OK);
        for (size_t i = 0; k != absent && i < VALUES + NW_MASKS_CHECK_WORDS; i++)
            total[i] += message[i];
    }
}

static void masks_seal__cancels_in_the_sum(void **state)
{
    (void)state;
    static uint64_t total[VALUES + NW_MASKS_CHECK_WORDS];
    nw_rng *rng = seeded(1);
    for (size_t count = 1; count <= MOST; count++) {
        met_parties p;
        parties_make(&p, count, rng);
        for (uint64_t round = 1; round <= 3; round++) {
            add_round(&p, round * round, SIZE_MAX, total);
            assert_int_equal(nw_masks_open(count, total, VALUES, total, NULL), NW_OK);
            for (size_t i = 0; i < VALUES; i++) {
                uint64_t sum = 0;
                for (size_t k = 0; k < count; k++)
                    sum += value_of(k, i);
                assert_true(total[i] == sum);
            }
            assert_int_equal(nw_masks_last_round(p.masks[0]), round * round);
        }
        parties_free(&p);
    }
    nw_rng_free(rng);
}

static void masks_open__refuses_a_sum_that_lacks_a_party(void **state)
{
    (void)state;
    static uint64_t total[VALUES + NW_MASKS_CHECK_WORDS];
    static uint64_t message[VALUES + NW_MASKS_CHECK_WORDS];
    uint64_t sum[VALUES] = { 7 };
    nw_rng *rng = seeded(2);
    nw_error err;
    met_parties p;
    parties_make(&p, 5, rng);
    for (size_t absent = 0; absent < 5; absent++) {
        add_round(&p, 1 + absent, absent, total);
        assert_int_equal(nw_masks_open(5, total, VALUES, sum, &err), NW_E_STATE);
        assert_non_null(strstr(err.message, "missing"));
        assert_true(sum[0] == 7); /* nothing is written */
    }
    /* in its place a message of another round, of other values, or nothing at all from anybody */
    add_round(&p, 10, 4, total);
    assert_int_equal(nw_masks_seal(p.masks[4], 11, sum, VALUES, message, NULL), NW_OK);
    for (size_t i = 0; i < VALUES + NW_MASKS_CHECK_WORDS; i++)
        total[i] += message[i];
    assert_int_equal(nw_masks_open(5, total, VALUES, sum, NULL), NW_E_STATE);
    memset(total, 0, sizeof total);
    assert_int_equal(nw_masks_open(5, total, VALUES, sum, NULL), NW_E_STATE);
    add_round(&p, 12, SIZE_MAX, total);
    assert_int_equal(nw_masks_open(4, total, VALUES, sum, NULL), NW_E_STATE);
    assert_int_equal(nw_masks_open(5, total, VALUES - 1, sum, NULL), NW_E_STATE);
    assert_int_equal(nw_masks_open(5, total, VALUES, sum, NULL), NW_OK);
    parties_free(&p);
    nw_rng_free(rng);
}

static void masks_seal__refuses_a_round_that_was(void **state)
{
    (void)state;
    uint64_t message[VALUES + NW_MASKS_CHECK_WORDS];
    uint64_t values[VALUES] = { 1 };
    nw_rng *rng = seeded(3);
    nw_error err;
    met_parties p;
    parties_make(&p, 2, rng);
    const uint64_t rounds[] = { 0, 7, 7, 6, 8, 1, UINT64_MAX, UINT64_MAX };
    const bool admitted[] = { false, true, false, false, true, false, true, false };
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        const nw_status status = nw_masks_seal(p.masks[1], rounds[i], values, VALUES, message, &err);
        assert_int_equal(status, admitted[i] ? NW_OK : NW_E_STATE);
        bool is_zero = true;
        for (size_t k = 0; k < VALUES + NW_MASKS_CHECK_WORDS; k++)
            is_zero = is_zero && message[k] == 0;
        assert_true(is_zero == !admitted[i]);
    }
    assert_non_null(strstr(err.message, "used once"));
    parties_free(&p);
    nw_rng_free(rng);
}

/* p-value of the 256 counts of the bytes of n words under the uniform law, for each byte position; the least of the eight. */
static double uniformity(const uint64_t *words, size_t n)
{
    double least = 1.0;
    for (unsigned byte = 0; byte < 8; byte++) {
        double counts[256] = { 0 };
        double chi2 = 0.0;
        for (size_t i = 0; i < n; i++)
            counts[words[i] >> (8 * byte) & 255]++;
        for (size_t v = 0; v < 256; v++)
            chi2 += (counts[v] - (double)n / 256.0) * (counts[v] - (double)n / 256.0) / ((double)n / 256.0);
        const double p = gsl_cdf_chisq_Q(chi2, 255.0);
        least = p < least ? p : least;
    }
    return least;
}

/* Eight tests each at 1e-9. 65536 words see a byte whose frequencies differ by 6 % of themselves. */
static const double ALPHA = 1e-9;
enum { WORDS = 1 << 16 };

static void masks_seal__makes_uniform_messages(void **state)
{
    (void)state;
    uint64_t *values = calloc(WORDS, sizeof *values);
    uint64_t *message = calloc(WORDS + NW_MASKS_CHECK_WORDS, sizeof *message);
    nw_rng *rng = seeded(4);
    assert_true(values != NULL && message != NULL);
    for (size_t i = 0; i < WORDS; i++)
        values[i] = i % 5;
    for (size_t count = 2; count <= 3; count++) {
        met_parties p;
        parties_make(&p, count, rng);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(nw_masks_seal(p.masks[k], 1, values, WORDS, message, NULL), NW_OK);
            assert_true(uniformity(message, WORDS) > ALPHA);
        }
        /* the sum of all but one as well; and the twin without masks is accused */
        uint64_t *others = calloc(WORDS + NW_MASKS_CHECK_WORDS, sizeof *others);
        assert_non_null(others);
        for (size_t k = 1; k < count; k++) {
            assert_int_equal(nw_masks_seal(p.masks[k], 2, values, WORDS, message, NULL), NW_OK);
            for (size_t i = 0; i < WORDS; i++)
                others[i] += message[i];
        }
        assert_true(uniformity(others, WORDS) > ALPHA);
        free(others);
        parties_free(&p);
    }
    assert_true(uniformity(values, WORDS) < ALPHA);
    free(values);
    free(message);
    nw_rng_free(rng);
}

/* Differences of two messages: uniform if the rounds differ, else the difference of the values. */
static void masks_seal__takes_other_masks_in_each_round(void **state)
{
    (void)state;
    static uint64_t first[WORDS + NW_MASKS_CHECK_WORDS];
    static uint64_t second[WORDS + NW_MASKS_CHECK_WORDS];
    static uint64_t twin[WORDS + NW_MASKS_CHECK_WORDS];
    nw_rng *rng = seeded(5);
    met_parties p;
    parties_make(&p, 3, rng);
    nw__masks_add(p.masks[0], 1, NULL, first, WORDS);
    nw__masks_add(p.masks[0], 2, NULL, second, WORDS);
    for (size_t i = 0; i < WORDS; i++)
        twin[i] = i % 3;
    nw__masks_add(p.masks[0], 1, NULL, twin, WORDS); /* a round used again */
    for (size_t i = 0; i < WORDS; i++) {
        second[i] -= first[i];
        twin[i] -= first[i];
    }
    assert_true(uniformity(second, WORDS) > ALPHA);
    assert_true(uniformity(twin, WORDS) < ALPHA);
    assert_true(twin[1] == 1 && twin[2] == 2);

    /* and for each context, and each number of values */
    const uint8_t context[NW__MASKS_CONTEXT_BYTES] = { 1 };
    memset(second, 0, sizeof second);
    nw__masks_add(p.masks[0], 1, context, second, WORDS);
    memset(twin, 0, sizeof twin);
    nw__masks_add(p.masks[0], 1, NULL, twin, WORDS - 1);
    for (size_t i = 0; i + 1 < WORDS; i++) {
        second[i] -= first[i];
        twin[i] -= first[i];
    }
    assert_true(uniformity(second, WORDS - 1) > ALPHA && uniformity(twin, WORDS - 1) > ALPHA);
    parties_free(&p);
    nw_rng_free(rng);
}

static void masks_meet__refuses_keys_that_cannot_be(void **state)
{
    (void)state;
    nw_rng *rng = seeded(6);
    nw_error err;
    nw_masks *m[3] = { NULL };
    uint8_t keys[3 * NW_MASKS_KEY_SIZE];
    uint8_t bad[3 * NW_MASKS_KEY_SIZE];
    uint64_t word[2] = { 0 };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(nw_masks_new(&m[i], i, 3, rng, NULL), NW_OK);
        nw_masks_key(m[i], keys + i * NW_MASKS_KEY_SIZE);
    }
    assert_int_equal(nw_masks_seal(m[0], 1, word, 1, word, &err), NW_E_STATE); /* not met */
    memcpy(bad, keys, sizeof bad);
    memset(bad + NW_MASKS_KEY_SIZE, 0, NW_MASKS_KEY_SIZE); /* a point of order 2: everybody knows what it would agree on */
    assert_int_equal(nw_masks_meet(m[0], bad, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "key 1"));
    bad[NW_MASKS_KEY_SIZE] = 1; /* and one of order 4 */
    assert_int_equal(nw_masks_meet(m[0], bad, &err), NW_E_ARG);
    memcpy(bad + NW_MASKS_KEY_SIZE, keys + 2 * NW_MASKS_KEY_SIZE, NW_MASKS_KEY_SIZE);
    assert_int_equal(nw_masks_meet(m[0], bad, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "equal"));
    assert_int_equal(nw_masks_meet(m[1], bad, &err), NW_E_ARG); /* another's key in its place */
    assert_int_equal(nw_masks_meet(m[0], NULL, &err), NW_E_ARG);
    assert_int_equal(nw_masks_seal(m[0], 1, word, 1, word, &err), NW_E_STATE);
    assert_int_equal(nw_masks_meet(m[0], keys, &err), NW_OK);
    assert_int_equal(nw_masks_meet(m[0], keys, &err), NW_E_STATE); /* once: else rounds could begin again */
    for (size_t i = 0; i < 3; i++)
        nw_masks_free(m[i]);
    nw_rng_free(rng);
}

static void masks_new__names_what_is_wrong(void **state)
{
    (void)state;
    nw_rng *rng = seeded(7);
    nw_error err;
    nw_masks *m = NULL;
    uint64_t word[2] = { 0 };
    assert_int_equal(nw_masks_new(NULL, 0, 2, rng, &err), NW_E_ARG);
    assert_int_equal(nw_masks_new(&m, 0, 2, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_masks_new(&m, 0, 0, rng, &err), NW_E_ARG);
    assert_string_equal(err.message, "parties is 0, must be in 1..4096");
    assert_int_equal(nw_masks_new(&m, 0, NW_MASKS_MOST_PARTIES + 1, rng, &err), NW_E_ARG);
    assert_int_equal(nw_masks_new(&m, 2, 2, rng, &err), NW_E_ARG);
    assert_string_equal(err.message, "party is 2, must be in 0..1");
    assert_null(m);
    assert_int_equal(nw_masks_open(0, word, 1, word, &err), NW_E_ARG);
    assert_int_equal(nw_masks_open(2, word, 0, word, &err), NW_E_ARG);
    assert_int_equal(nw_masks_open(2, NULL, 1, word, &err), NW_E_ARG);
    assert_int_equal(nw_masks_open(2, word, SIZE_MAX, word, &err), NW_E_ARG);
    assert_int_equal(nw_masks_seal(NULL, 1, word, 1, word, &err), NW_E_ARG);
    nw_masks_free(NULL);
    nw_rng_free(rng);
}

/* Parent and child have the same keys: two messages of a round would be under the same masks. */
static void masks_seal__is_refused_in_a_child(void **state)
{
    (void)state;
    nw_rng *rng = seeded(8);
    met_parties p;
    uint64_t word[2] = { 0 };
    parties_make(&p, 2, rng);
    const pid_t child = fork();
    if (child == 0)
        _exit(nw_masks_seal(p.masks[0], 1, (const uint64_t[1]){ 5 }, 1, word, NULL) == NW_E_STATE ? 0 : 1);
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    assert_int_equal(nw_masks_seal(p.masks[0], 1, (const uint64_t[1]){ 5 }, 1, word, NULL), NW_OK);
    parties_free(&p);
    nw_rng_free(rng);
}

/* ---- over a reducer ---- */

enum { SUM_VALUES = 5 };

typedef struct sums {
    size_t disagrees; /* this process asks for more values than there can be */
    nw_status status[MOST];
    nw_status other_status[MOST];
    int64_t i64[MOST][SUM_VALUES];
    uint64_t u64[MOST][SUM_VALUES];
    char text[MOST][8];
} sums;

static void sum_masked(team_member *m)
{
    sums *s = m->context;
    const nw_reduce *plain = &m->reduce;
    const size_t k = plain->rank;
    nw_rng *rng = seeded(100 + k);
    nw_masks *masks = NULL;
    need(nw_masks_new(&masks, k, plain->size, rng, NULL) == NW_OK && nw_masks_meet_over(masks, plain, NULL) == NW_OK);
    const nw_reduce reduce = nw_masks_reduce(masks, plain);
    for (size_t i = 0; i < SUM_VALUES; i++) {
        s->i64[k][i] = (int64_t)i - 3 * (int64_t)k;
        s->u64[k][i] = UINT64_MAX / 2 + i;
    }
    s->status[k] = reduce.sum_i64(reduce.context, s->i64[k], SUM_VALUES, NULL);
    need(reduce.sum_u64(reduce.context, s->u64[k], SUM_VALUES, NULL) == NW_OK);
    snprintf(s->text[k], sizeof s->text[k], "%zu", k + 7);
    need(reduce.broadcast(reduce.context, s->text[k], sizeof s->text[k], NULL) == NW_OK);
    need(reduce.barrier(reduce.context, NULL) == NW_OK && reduce.rank == k && reduce.size == plain->size);
    /* one that fails fails all, and the next sum works again */
    int64_t zero[2] = { 0, 1 };
    s->other_status[k] = reduce.sum_i64(reduce.context, zero, k == s->disagrees ? SIZE_MAX : 2, NULL);
    need(zero[1] == 1);
    need(reduce.sum_i64(reduce.context, zero, 2, NULL) == NW_OK && zero[1] == (int64_t)plain->size);
    nw_masks_free(masks);
    nw_rng_free(rng);
}

static void masks_reduce__sums_as_the_reducer_below(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 4; size++) {
        sums s = { .disagrees = size - 1 };
        bool is_whole = false;
        team_run(size, sum_masked, &s, 0, TEAM_NEVER, &is_whole);
        assert_true(is_whole);
        const int64_t n = (int64_t)size;
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(s.status[k], NW_OK);
            assert_int_equal(s.other_status[k], NW_E_ARG);
            assert_string_equal(s.text[k], "7");
            for (size_t i = 0; i < SUM_VALUES; i++) {
                assert_int_equal(s.i64[k][i], n * (int64_t)i - 3 * n * (n - 1) / 2);
                assert_true(s.u64[k][i] == size * (UINT64_MAX / 2 + i));
            }
        }
    }
}

static void masks_meet_over__wants_the_parties_to_be_the_processes(void **state)
{
    (void)state;
    nw_rng *rng = seeded(9);
    nw_masks *m = NULL;
    nw_error err;
    const nw_reduce serial = nw_reduce_serial();
    assert_int_equal(nw_masks_new(&m, 0, 2, rng, NULL), NW_OK);
    assert_int_equal(nw_masks_meet_over(m, &serial, &err), NW_E_ARG);
    assert_string_equal(err.message, "reduce is process 0 of 1, must be party 0 of 2");
    assert_int_equal(nw_masks_meet_over(NULL, &serial, &err), NW_E_ARG);
    nw_masks_free(m);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_new__names_what_is_wrong),
        cmocka_unit_test(masks_meet__refuses_keys_that_cannot_be),
        cmocka_unit_test(masks_meet_over__wants_the_parties_to_be_the_processes),
        cmocka_unit_test(masks_seal__cancels_in_the_sum),
        cmocka_unit_test(masks_seal__refuses_a_round_that_was),
        cmocka_unit_test(masks_seal__makes_uniform_messages),
        cmocka_unit_test(masks_seal__takes_other_masks_in_each_round),
        cmocka_unit_test(masks_seal__is_refused_in_a_child),
        cmocka_unit_test(masks_open__refuses_a_sum_that_lacks_a_party),
        cmocka_unit_test(masks_reduce__sums_as_the_reducer_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
