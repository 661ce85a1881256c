/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_scale.c - releases of every room on teams of threads: the same as on one, one charge, and none of it after a failure. The
 * oracle is the room by itself, without a team. */
#include "rooms.h"
#include "team.h"

#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const uint64_t SEED = 11;

/* A job, and what came of it. */
typedef struct job {
    const room *room;
    bool is_other;       /* the options of the last process differ */
    bool is_over_budget; /* the ledger has too little */
    bool is_malformed;   /* the last process cannot add its records */
    room_figures figures;
    size_t charges;
    nw_status status[TEAM_MOST];
    nw_error err[TEAM_MOST];
    bool has_room; /* memory, a ledger and a generator were to be had */
} job;

static nw_status open_ledger(nw_ledger **ledger, nw_rng **rng, double epsilon, const char *name)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    const bool is_pure = strcmp(name, "kde") != 0 && strncmp(name, "synth", 5) != 0;
    o.epsilon = epsilon;
    o.delta = 2e-6;
    o.filter = is_pure ? NW_FILTER_PURE : NW_FILTER_AUTO;
    o.adjacency = strcmp(name, "linear") == 0 || strcmp(name, "tree") == 0 || strncmp(name, "synth", 5) == 0 ? NW_REPLACE_ONE
                                                                                                             : NW_ADD_REMOVE;
    const nw_status status = nw_rng_new_insecure_seeded(rng, SEED, NULL);
    return status == NW_OK ? nw_ledger_memory(ledger, &o, NULL) : status;
}

static nw_status release(job *j, void *handle, nw_error *err)
{
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_ledger_summary summary = { 0 };
    j->has_room = open_ledger(&ledger, &rng, j->is_over_budget ? 0.1 : 1.0, j->room->name) == NW_OK;
    const nw_status status = j->has_room ? j->room->release(handle, rng, ledger, &j->figures, err) : NW_E_NOMEM;
    if (status != NW_OK)
        j->figures.n = 0;
    if (ledger != NULL && nw_ledger_summarise(ledger, &summary, NULL) == NW_OK)
        j->charges = (size_t)summary.charges;
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    return status;
}

static void run(team_member *m)
{
    job *j = m->context;
    const nw_reduce *r = &m->reduce;
    const bool is_last = r->rank == r->size - 1;
    nw_error *err = &j->err[r->rank];
    void *handle = NULL;
    nw_status status = j->room->open(&handle, j->is_other && is_last, err);
    if (status == NW_OK)
        status = j->room->add(handle, r->rank, r->size, err);
    if (j->is_malformed && is_last) {
        status = NW_E_FORMAT;
        snprintf(err->message, sizeof err->message, "line 3 is malformed");
    }
    status = nw_reduce_agree(r, status, err);
    if (status == NW_OK)
        status = j->room->reduce(handle, r, err);
    if (status == NW_OK && r->rank == 0)
        status = release(j, handle, err);
    else if (status == NW_OK && j->room->follow != NULL)
        status = j->room->follow(handle, err);
    j->status[r->rank] = status;
    j->room->close(handle);
}

/* Without a team. */
static room_figures alone(const room *r)
{
    job j = { .room = r };
    nw_error err;
    void *handle = NULL;
    assert_int_equal(r->open(&handle, false, &err), NW_OK);
    assert_int_equal(r->add(handle, 0, 1, &err), NW_OK);
    assert_int_equal(release(&j, handle, &err), NW_OK);
    assert_int_equal(j.charges, 1);
    assert_true(j.figures.n > 1 && j.figures.n < ROOM_MOST_FIGURES);
    r->close(handle);
    return j.figures;
}

static void reduce__releases_the_same_on_any_number_of_processes(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 4, 8 };
    for (size_t k = 0; k < ROOM_COUNT; k++) {
        const room_figures wanted = alone(&ROOMS[k]);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            static job j;
            bool is_whole;
            j = (job){ .room = &ROOMS[k] };
            team_run(sizes[s], run, &j, 0, TEAM_NEVER, &is_whole);
            assert_true(is_whole && j.has_room);
            for (size_t rank = 0; rank < sizes[s]; rank++)
                if (j.status[rank] != NW_OK)
                    fail_msg("%s on %zu: %s", ROOMS[k].name, sizes[s], j.err[rank].message);
            assert_int_equal(j.charges, 1);
            assert_int_equal(j.figures.n, wanted.n);
            assert_memory_equal(j.figures.values, wanted.values, wanted.n * sizeof *wanted.values);
        }
    }
}

/* What one process finds wrong, all say. */
static void expect_failure(job *j, nw_status status, const char *message)
{
    bool is_whole;
    team_run(3, run, j, 0, TEAM_NEVER, &is_whole);
    assert_true(is_whole);
    for (size_t rank = 0; rank < 3; rank++) {
        assert_int_equal(j->status[rank], status);
        if (strstr(j->err[rank].message, message) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", j->room->name, j->err[rank].message, message);
    }
    assert_true(j->charges == 0 && j->figures.n == 0);
}

static void reduce__fails_alike_on_all(void **state)
{
    (void)state;
    static job j;
    for (size_t k = 0; k < ROOM_COUNT; k++) {
        j = (job){ .room = &ROOMS[k], .is_other = true };
        expect_failure(&j, NW_E_ARG, "than process 0, must have the same");
        j = (job){ .room = &ROOMS[k], .is_malformed = true };
        expect_failure(&j, NW_E_FORMAT, "line 3 is malformed");
    }
}

static void synth_follow__learns_that_the_ledger_refused(void **state)
{
    (void)state;
    static job j;
    assert_string_equal(ROOMS[ROOM_COUNT - 1].name, "synth_twice");
    j = (job){ .room = &ROOMS[ROOM_COUNT - 1], .is_over_budget = true };
    expect_failure(&j, NW_E_BUDGET, "");
}

/* A process dies at each of its calls in turn. Nothing is released unless all is, at most one charge stands, and only a second
 * reading can fail after it. */
static void reduce__of_a_process_that_dies_releases_nothing(void **state)
{
    (void)state;
    static job j;
    for (size_t k = 0; k < ROOM_COUNT; k++)
        for (size_t victim = 0; victim < 3; victim++) {
            size_t lost = 0;
            bool is_whole = true;
            size_t calls = SIZE_MAX;
            for (size_t at = 0; at < calls; at++) {
                j = (job){ .room = &ROOMS[k], .has_room = true };
                const size_t made = team_run(3, run, &j, victim, at, &is_whole);
                assert_true(is_whole && j.has_room);
                calls = made <= at ? made : calls; /* it lived */
                if (made <= at)
                    continue;
                assert_int_equal(j.status[victim], NW_E_IO);
                assert_true((j.status[0] == NW_OK) == (j.figures.n > 0));
                assert_true(j.charges <= 1);
                assert_true(j.figures.n == 0 || j.charges == 1);
                lost += j.charges == 1 && j.figures.n == 0;
                assert_true(ROOMS[k].follow != NULL || lost == 0);
            }
            assert_true(calls > 4 && calls < 200);
            assert_true(lost > 0 || ROOMS[k].follow == NULL); /* the budget of a release that did not come about stays spent */
        }
}

/* What any process but the first answers to a release of its own: noise would come twice, of one table that is no table. */
static void release_of_another(team_member *m)
{
    job *j = m->context;
    void *handle = NULL;
    nw_error *err = &j->err[m->reduce.rank];
    nw_status status = j->room->open(&handle, false, err);
    if (status == NW_OK)
        status = j->room->reduce(handle, &m->reduce, err);
    if (status == NW_OK && m->reduce.rank > 0)
        status = release(j, handle, err);
    j->status[m->reduce.rank] = status;
    j->room->close(handle);
}

static void release__is_for_process_0(void **state)
{
    (void)state;
    static job j;
    bool is_whole;
    for (size_t k = 0; k < ROOM_COUNT; k++) {
        j = (job){ .room = &ROOMS[k] };
        team_run(2, release_of_another, &j, 0, TEAM_NEVER, &is_whole);
        assert_true(is_whole && j.has_room);
        assert_int_equal(j.status[0], NW_OK);
        assert_int_equal(j.status[1], NW_E_STATE);
        assert_non_null(strstr(j.err[1].message, "process 0, which releases them"));
        assert_true(j.charges == 0 && j.figures.n == 0);
    }
}

/* Parts as bytes in any grouping are the whole; altered, cut, lengthened or of other options they are refused and leave no
 * trace. */
static void merge_bytes__takes_what_was_written_and_nothing_else(void **state)
{
    (void)state;
    for (size_t k = 0; k < ROOM_COUNT; k++) {
        const room *r = &ROOMS[k];
        void *handles[4] = { NULL, NULL, NULL, NULL }; /* the whole, two parts, other options */
        nw_error err;
        if (r->size == NULL)
            continue;
        for (size_t h = 0; h < 4; h++)
            assert_int_equal(r->open(&handles[h], h == 3, &err), NW_OK);
        assert_int_equal(r->add(handles[0], 0, 1, &err), NW_OK);
        const size_t n = r->size(handles[0]);
        uint8_t *whole = calloc(n + 1, 1), *bytes = calloc(n + 1, 1), *again = calloc(n + 1, 1);
        assert_true(whole != NULL && bytes != NULL && again != NULL);
        assert_int_equal(r->serialize(handles[0], whole, n, &err), NW_OK);
        assert_int_equal(r->serialize(handles[0], bytes, n - 1, &err), NW_E_ARG);
        for (size_t h = 1; h < 3; h++)
            assert_int_equal(r->add(handles[h], h - 1, 2, &err), NW_OK);
        assert_int_equal(r->serialize(handles[2], bytes, n, &err), NW_OK);
        assert_int_equal(r->merge_bytes(handles[1], bytes, n, &err), NW_OK);
        assert_int_equal(r->serialize(handles[1], again, n, &err), NW_OK);
        assert_memory_equal(again, whole, n);
        for (size_t at = 0; at < n; at += 1 + at / 16) {
            bytes[at] ^= 0x10;
            assert_int_equal(r->merge_bytes(handles[1], bytes, n, &err), NW_E_FORMAT);
            bytes[at] ^= 0x10;
        }
        for (size_t length = 0; length <= n + 1; length += length < n - 1 ? 7 : 1)
            if (length != n)
                assert_int_equal(r->merge_bytes(handles[1], bytes, length, &err), NW_E_FORMAT);
        assert_int_equal(r->merge_bytes(handles[3], bytes, n, &err), NW_E_FORMAT);
        assert_non_null(strstr(err.message, "other options"));
        assert_int_equal(r->serialize(handles[1], again, n, &err), NW_OK);
        assert_memory_equal(again, whole, n);
        free(whole);
        free(bytes);
        free(again);
        for (size_t h = 0; h < 4; h++)
            r->close(handles[h]);
    }
}

static int setup(void **state)
{
    (void)state;
    return rooms_setup() ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    rooms_teardown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce__releases_the_same_on_any_number_of_processes),
        cmocka_unit_test(reduce__fails_alike_on_all),
        cmocka_unit_test(synth_follow__learns_that_the_ledger_refused),
        cmocka_unit_test(reduce__of_a_process_that_dies_releases_nothing),
        cmocka_unit_test(release__is_for_process_0),
        cmocka_unit_test(merge_bytes__takes_what_was_written_and_nothing_else),
    };
    return cmocka_run_group_tests_name("scale", tests, setup, teardown);
}
