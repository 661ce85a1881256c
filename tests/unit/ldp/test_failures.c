/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_failures.c - memory or entropy that cannot be had: the n-th allocation fails for every n, and each call answers NW_E_NOMEM
 * and leaks nothing; what only reads leaves its aggregate as it was. Linked with --wrap, so that allocations come here. */
#include "ldp_support.h"
#include "random_internal.h"

static long allocations_left = -1; /* before one fails; negative: none does */

void *__wrap_nw__calloc(size_t n, size_t size);
void *__real_nw__calloc(size_t n, size_t size);

void *__wrap_nw__calloc(size_t n, size_t size)
{
    return allocations_left >= 0 && allocations_left-- == 0 ? NULL : __real_nw__calloc(n, size);
}

enum { REPORTS = 300, ITEMS = 20 };

static const nw_ldp_item items[ITEMS] = { { 0, 3 }, { 0, 1 } };
static uint8_t users[REPORTS][NW_LDP_USER_BYTES];

static nw_ldp_campaign campaign_for(nw_ldp_oracle oracle)
{
    return oracle == NW_LDP_OLH || oracle == NW_LDP_BLH ? make_bits(oracle, 1.0, 12, 1) : make(oracle, 1.0, 20);
}

/* An aggregate of an oracle, with reports, made while memory lasts. */
static nw_ldp_aggregate *full(nw_ldp_oracle oracle, bool is_tracking_users)
{
    nw_ldp_aggregate *a = NULL;
    nw_ldp_item held[REPORTS] = { { 0, 0 } };
    nw_rng *rng = seeded(1);
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    o.is_tracking_users = is_tracking_users;
    const nw_ldp_campaign c = campaign_for(oracle);
    assert_int_equal(nw_ldp_aggregate_new(&a, &c, &o, NULL), NW_OK);
    for (size_t i = 0; i < REPORTS; i++)
        nw__put(users[i], i, 8);
    uint8_t *reports = reports_of(&c, rng, held, REPORTS, -1);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, 16 * REPORTS, users[0], NULL), NW_OK);
    free(reports);
    nw_rng_free(rng);
    return a;
}

/* ---- calls: what they need is in an aggregate and bytes of another one ---- */

typedef struct place {
    nw_ldp_aggregate *aggregate;
    uint8_t *bytes;
    size_t size;
} place;

static nw_status call_new(place *p, nw_error *err)
{
    nw_ldp_aggregate *a = NULL;
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    o.is_tracking_users = p->aggregate->is_tracking_users;
    const nw_status status = nw_ldp_aggregate_new(&a, &p->aggregate->campaign, &o, err);
    assert_true((a != NULL) == (status == NW_OK));
    nw_ldp_aggregate_free(a);
    return status;
}

static nw_status call_serialize(place *p, nw_error *err)
{
    uint8_t bytes[16384];
    return nw_ldp_aggregate_serialize(p->aggregate, bytes, sizeof bytes, err);
}

static nw_status call_deserialize(place *p, nw_error *err)
{
    nw_ldp_aggregate *a = NULL;
    const nw_status status = nw_ldp_aggregate_deserialize(&a, p->bytes, p->size, err);
    assert_true((a != NULL) == (status == NW_OK));
    nw_ldp_aggregate_free(a);
    return status;
}

static nw_status call_estimate(place *p, nw_error *err)
{
    double counts[ITEMS];
    return nw_ldp_aggregate_estimate(p->aggregate, 0, items, ITEMS, counts, NULL, err);
}

static nw_status call_subtree(place *p, nw_error *err)
{
    int64_t supports[64];
    return nw_ldp_aggregate_subtree(p->aggregate, 0, items, 2, 5, supports, err);
}

static nw_status call_histogram(place *p, nw_error *err)
{
    double fractions[20];
    return nw_ldp_aggregate_histogram(p->aggregate, true, fractions, err);
}

static nw_status call_screen(place *p, nw_error *err)
{
    return nw_ldp_aggregate_screen(p->aggregate, 0, items, 2, 0.01, NULL, err);
}

static nw_status call_postprocess(place *p, nw_error *err)
{
    double counts[2] = { 1.0, 2.0 };
    (void)p;
    return nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, NULL, 2, 10.0, 0.0, err);
}

static nw_status call_combine(place *p, nw_error *err)
{
    const double counts[2] = { 1.0, 2.0 };
    const double sizes[2] = { 1.0, 2.0 };
    double out = 0.0;
    (void)p;
    return nw_ldp_combine(counts, sizes, 2, 1, 0, &out, err);
}

typedef nw_status (*call)(place *p, nw_error *err);

/* Fails at each allocation in turn, until none is left to fail; then it must succeed. Returns how many there are. */
static long fail_each(call function, nw_ldp_oracle oracle, bool is_tracking_users)
{
    place p = { .aggregate = full(oracle, is_tracking_users) };
    p.size = nw_ldp_aggregate_size(p.aggregate);
    p.bytes = calloc(p.size, 1);
    uint8_t *after = calloc(p.size, 1);
    assert_true(p.bytes != NULL && after != NULL);
    assert_int_equal(nw_ldp_aggregate_serialize(p.aggregate, p.bytes, p.size, NULL), NW_OK);
    long failed = 0;
    for (;; failed++) {
        nw_error err = { .status = NW_OK };
        allocations_left = failed;
        const nw_status status = function(&p, &err);
        const bool is_over = allocations_left >= 0;
        allocations_left = -1;
        assert_int_equal(status, is_over ? NW_OK : NW_E_NOMEM);
        if (is_over)
            break;
        assert_int_equal(err.status, NW_E_NOMEM);
        assert_int_equal(nw_ldp_aggregate_size(p.aggregate), p.size);
        assert_int_equal(nw_ldp_aggregate_serialize(p.aggregate, after, p.size, NULL), NW_OK);
        assert_memory_equal(after, p.bytes, p.size);
    }
    nw_ldp_aggregate_free(p.aggregate);
    free(p.bytes);
    free(after);
    return failed;
}

static void calls__leave_no_trace_without_memory(void **state)
{
    (void)state;
    assert_int_equal(fail_each(call_new, NW_LDP_GRR, false), 2);
    assert_int_equal(fail_each(call_new, NW_LDP_GRR, true), 1);
    assert_int_equal(fail_each(call_serialize, NW_LDP_BLH, false), 1);
    assert_int_equal(fail_each(call_serialize, NW_LDP_BLH, true), 1);
    assert_int_equal(fail_each(call_deserialize, NW_LDP_BLH, false), 2);
    assert_true(fail_each(call_deserialize, NW_LDP_GRR, true) > 3); /* the users' table grows */
    assert_int_equal(fail_each(call_estimate, NW_LDP_GRR, false), 1);
    assert_int_equal(fail_each(call_estimate, NW_LDP_HADAMARD, false), 2);
    assert_int_equal(fail_each(call_estimate, NW_LDP_OLH, false), 3);
    assert_true(fail_each(call_estimate, NW_LDP_BLH, true) >= 3); /* a view is made of the users */
    assert_true(fail_each(call_subtree, NW_LDP_BLH, false) >= 3);
    assert_true(fail_each(call_subtree, NW_LDP_OLH, false) >= 3);
    assert_int_equal(fail_each(call_histogram, NW_LDP_SQUARE_WAVE, false), 2);
    assert_int_equal(fail_each(call_screen, NW_LDP_OLH, false), 2);
    assert_int_equal(fail_each(call_postprocess, NW_LDP_GRR, false), 1);
    assert_int_equal(fail_each(call_combine, NW_LDP_GRR, false), 1);
}

/* What adds may fail halfway: then only freeing is allowed, and nothing leaks. */
static void adding__can_be_given_up_without_memory(void **state)
{
    (void)state;
    for (int is_tracking_users = 0; is_tracking_users < 2; is_tracking_users++) {
        nw_ldp_aggregate *other = full(NW_LDP_BLH, is_tracking_users != 0);
        const size_t size = nw_ldp_aggregate_size(other);
        uint8_t *bytes = calloc(size, 1);
        assert_non_null(bytes);
        assert_int_equal(nw_ldp_aggregate_serialize(other, bytes, size, NULL), NW_OK);
        long failures = 0;
        for (bool is_over = false; !is_over; failures += !is_over) {
            nw_ldp_aggregate *a = NULL;
            nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
            o.is_tracking_users = is_tracking_users != 0;
            assert_int_equal(nw_ldp_aggregate_new(&a, &other->campaign, &o, NULL), NW_OK);
            allocations_left = failures;
            const nw_status status = nw_ldp_aggregate_merge_bytes(a, bytes, size, NULL);
            is_over = allocations_left >= 0;
            allocations_left = -1;
            assert_int_equal(status, is_over ? NW_OK : NW_E_NOMEM);
            nw_ldp_aggregate_free(a);
        }
        assert_true(failures >= 3);
        free(bytes);
        nw_ldp_aggregate_free(other);
    }
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static void aggregate_new__refuses_without_entropy(void **state)
{
    (void)state;
    nw_error err;
    nw_ldp_aggregate *a = NULL;
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    const nw_ldp_campaign c = campaign_for(NW_LDP_BLH);
    int (*const honest)(void *, size_t) = nw__system_entropy;
    o.is_tracking_users = true;
    nw__system_entropy = no_entropy;
    const nw_status status = nw_ldp_aggregate_new(&a, &c, &o, &err);
    nw__system_entropy = honest;
    assert_int_equal(status, NW_E_ENTROPY);
    assert_null(a);
}

/* A step that lacks memory leaves the search where it was, and can be made again. */
static void search__stays_where_it_was_without_memory(void **state)
{
    (void)state;
    static const nw_hh_protocol protocols[] = { NW_HH_PEM, NW_HH_SHARED, NW_HH_POOLED };
    nw_ldp_aggregate *a = full(NW_LDP_BLH, false);
    const nw_ldp_aggregate *const aggregates[2] = { a, a };
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        nw_hh_opts o = NW_HH_OPTS_INIT;
        nw_status status = NW_E_NOMEM;
        nw_hh *hh = NULL;
        o.protocol = protocols[i];
        o.top = 3;
        o.parties = 2;
        o.is_pruning = protocols[i] == NW_HH_SHARED;
        for (long n = 0; status != NW_OK; n++) { /* ends when all allocations could be had */
            assert_true(n < 1000);
            allocations_left = n;
            if (hh == NULL)
                status = nw_hh_new(&hh, nw_ldp_aggregate_campaign(a), &o, NULL);
            if (hh != NULL)
                status = nw_hh_step_aggregates(hh, aggregates, 2, NULL, NULL, NULL);
            allocations_left = -1;
            assert_true(status == NW_OK || status == NW_E_NOMEM);
            assert_int_equal(hh == NULL ? 0 : nw_hh_level(hh), status == NW_OK ? 1 : 0);
        }
        assert_int_equal(nw_hh_found(hh) > 0, 1);
        nw_hh_free(hh);
    }
    nw_ldp_aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls__leave_no_trace_without_memory),
        cmocka_unit_test(adding__can_be_given_up_without_memory),
        cmocka_unit_test(aggregate_new__refuses_without_entropy),
        cmocka_unit_test(search__stays_where_it_was_without_memory),
    };
    return cmocka_run_group_tests_name("ldp_failures", tests, NULL, NULL);
}
