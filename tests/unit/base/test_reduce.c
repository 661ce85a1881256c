/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_reduce.c - sums, agreements and gatherings of teams of threads. What has to come out is a closed form of the ranks. */
#include "reduce_internal.h"
#include "team.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST_VALUES = 10000 }; /* more than a block of the buffer */
static const size_t SIZES[] = { 1, 2, 3, 4, 8 };

typedef struct seen {
    size_t n;
    size_t fails; /* the ranks from this on have something to complain about */
    nw_status status[TEAM_MOST];
    nw_error err[TEAM_MOST];
    bool is_right[TEAM_MOST];
} seen;

static seen run(size_t size, void (*function)(team_member *), size_t n, size_t fails, size_t dies_at)
{
    seen s = { .n = n, .fails = fails };
    bool is_whole = false;
    team_run(size, function, &s, size - 1, dies_at, &is_whole);
    assert_true(is_whole);
    return s;
}

static void sum(team_member *m)
{
    seen *s = m->context;
    const nw_reduce *r = &m->reduce;
    const int64_t ranks = (int64_t)(r->size * (r->size - 1) / 2);
    int64_t *values = calloc(s->n + 1, sizeof *values);
    uint64_t *words = calloc(s->n + 1, sizeof *words);
    char text[16] = "";
    bool is_right = values != NULL && words != NULL;
    for (size_t i = 0; is_right && i < s->n; i++) {
        values[i] = (int64_t)r->rank * (int64_t)(i + 1) - 7;
        words[i] = (UINT64_C(1) << 63) * (r->rank < 2) + i;
    }
    if (r->rank == 0)
        strcpy(text, "of the first");
    is_right = is_right && r->sum_i64(r->context, values, s->n, NULL) == NW_OK && r->barrier(r->context, NULL) == NW_OK &&
               r->sum_u64(r->context, words, s->n, NULL) == NW_OK && r->broadcast(r->context, text, sizeof text, NULL) == NW_OK;
    for (size_t i = 0; is_right && i < s->n; i++) {
        is_right = values[i] == ranks * (int64_t)(i + 1) - 7 * (int64_t)r->size;
        is_right = is_right && words[i] == (r->size == 1 ? UINT64_C(1) << 63 : 0) + r->size * i; /* modulo 2^64 */
    }
    s->is_right[r->rank] = is_right && strcmp(text, "of the first") == 0;
    free(values);
    free(words);
}

static void reduce_threads__sums_and_broadcasts(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof SIZES / sizeof *SIZES; k++)
        for (size_t n = 0; n <= MOST_VALUES; n = 20 * n + 1) {
            const seen s = run(SIZES[k], sum, n, 0, TEAM_NEVER);
            for (size_t rank = 0; rank < SIZES[k]; rank++)
                assert_true(s.is_right[rank]);
        }
}

static void agree(team_member *m)
{
    seen *s = m->context;
    const size_t rank = m->reduce.rank;
    nw_status mine = NW_OK;
    if (rank >= s->fails)
        mine = nw__fail(&s->err[rank], rank == s->fails ? NW_E_FORMAT : NW_E_ARG, "nw_test", "rank %zu is not well", rank);
    s->status[rank] = nw_reduce_agree(&m->reduce, mine, rank == 1 ? NULL : &s->err[rank]);
}

static void reduce_agree__tells_all_of_the_first_that_failed(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof SIZES / sizeof *SIZES; k++)
        for (size_t fails = 0; fails <= SIZES[k]; fails++) {
            const size_t size = SIZES[k];
            char wanted[40];
            snprintf(wanted, sizeof wanted, "rank %zu is not well", fails);
            const seen s = run(size, agree, 0, fails, TEAM_NEVER);
            for (size_t rank = 0; rank < size; rank++) {
                assert_int_equal(s.status[rank], fails < size ? NW_E_FORMAT : NW_OK);
                if (fails == size || rank == 1 || fails == 1) /* rank 1 has no nw_error, and so nothing to say */
                    continue;
                assert_string_equal(s.err[rank].message, wanted);
                assert_string_equal(s.err[rank].function, "nw_test");
                assert_int_equal(s.err[rank].status, NW_E_FORMAT);
            }
        }
}

/* Process r has r * n bytes, of value r. */
static nw_status take(void *context, size_t rank, const uint8_t *bytes, size_t n, nw_error *err)
{
    seen *s = context;
    bool is_right = n == rank * s->n;
    for (size_t i = 0; is_right && i < n; i++)
        is_right = bytes[i] == rank;
    s->is_right[rank] = is_right;
    return rank >= s->fails ? nw__fail(err, NW_E_STATE, "nw_test", "no more of %zu", rank) : NW_OK;
}

static void gather(team_member *m)
{
    seen *s = m->context;
    const size_t rank = m->reduce.rank;
    uint8_t *bytes = calloc(rank * s->n + 1, 1);
    if (bytes == NULL)
        nw_reduce_team_leave(m->team);
    else
        memset(bytes, (int)rank, rank * s->n);
    s->status[rank] = nw_reduce_gather(&m->reduce, bytes, rank * s->n, take, s, &s->err[rank]);
    free(bytes);
}

static void reduce_gather__brings_bytes_by_rank(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0, 1, 7, 8, 65536, 70001 };
    for (size_t k = 1; k < sizeof SIZES / sizeof *SIZES; k++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            const seen s = run(SIZES[k], gather, lengths[l], TEAM_MOST, TEAM_NEVER);
            for (size_t rank = 0; rank < SIZES[k]; rank++) {
                assert_int_equal(s.status[rank], NW_OK);
                assert_true(rank == 0 || s.is_right[rank]);
            }
        }
}

static void reduce_gather__ends_everywhere_when_process_0_refuses(void **state)
{
    (void)state;
    const seen s = run(4, gather, 9, 2, TEAM_NEVER);
    assert_true(s.is_right[1] && s.is_right[2] && !s.is_right[3]);
    for (size_t rank = 0; rank < 4; rank++) {
        assert_int_equal(s.status[rank], NW_E_STATE);
        assert_string_equal(s.err[rank].message, "no more of 2");
    }
}

/* The thread of the last rank dies at each of its calls: nobody waits for it, and nobody is told that all is well. */
static void reduce_threads__nobody_waits_for_one_that_left(void **state)
{
    (void)state;
    for (size_t at = 0; at < 5; at++) {
        const seen s = run(3, gather, 100, TEAM_MOST, at);
        for (size_t rank = 0; rank < 3; rank++)
            assert_int_equal(s.status[rank], NW_E_IO);
    }
}

static void totals(team_member *m)
{
    seen *s = m->context;
    const size_t rank = m->reduce.rank;
    int64_t values[3] = { INT64_MAX, rank == 0 ? INT64_MIN : -5, (int64_t)rank };
    int64_t more[2] = { 1, 2 };
    const nw__vector vectors[] = { { values, 3 }, { NULL, 0 }, { more, 2 } };
    s->status[rank] = nw__reduce_vectors(&m->reduce, vectors, 3, NULL);
    const int64_t size = (int64_t)m->reduce.size;
    const int64_t most = INT64_MAX / size;
    s->is_right[rank] =
        rank > 0 ? values[0] == 0 && values[2] == 0 && more[1] == 0
                 : values[0] == most * size && values[1] == -most - 5 * (size - 1) && more[0] == size && more[1] == 2 * size;
}

static void reduce_vectors__does_not_overflow(void **state)
{
    (void)state;
    for (size_t k = 1; k < sizeof SIZES / sizeof *SIZES; k++) {
        const seen s = run(SIZES[k], totals, 0, 0, TEAM_NEVER);
        for (size_t rank = 0; rank < SIZES[k]; rank++)
            assert_true(s.status[rank] == NW_OK && s.is_right[rank]);
    }
}

static void reduce__refuses(void **state)
{
    (void)state;
    nw_reduce_team *team = NULL;
    nw_error err;
    const nw_reduce serial = nw_reduce_serial();
    assert_int_equal(nw_reduce_team_new(&team, 0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "size is 0, must be in 1..4096"));
    assert_null(team);
    assert_int_equal(nw_reduce_team_new(&team, 4097, &err), NW_E_ARG);
    assert_int_equal(nw_reduce_team_new(NULL, 1, &err), NW_E_ARG);
    assert_int_equal(nw_reduce_agree(NULL, NW_OK, &err), NW_E_ARG);
    assert_int_equal(nw_reduce_agree(&serial, NW_E_BUDGET, &err), NW_E_BUDGET);
    assert_int_equal(nw_reduce_gather(&serial, NULL, 0, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_reduce_gather(NULL, NULL, 0, take, NULL, &err), NW_E_ARG);
    nw_reduce_team_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce_threads__sums_and_broadcasts),
        cmocka_unit_test(reduce_agree__tells_all_of_the_first_that_failed),
        cmocka_unit_test(reduce_gather__brings_bytes_by_rank),
        cmocka_unit_test(reduce_gather__ends_everywhere_when_process_0_refuses),
        cmocka_unit_test(reduce_threads__nobody_waits_for_one_that_left),
        cmocka_unit_test(reduce_vectors__does_not_overflow),
        cmocka_unit_test(reduce__refuses),
    };
    return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
