/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_failures.c - releases that fail once they are charged, for lack of random numbers or of memory: the charge stays, nothing
 * is released, what was exact is gone. The n-th allocation fails for every n. Linked with --wrap, so that allocations come here.
 */
#include "keys_internal.h"
#include "random_internal.h"
#include "stats_support.h"

static long allocations_left = -1; /* before one fails; negative: none does */

void *__wrap_nw__calloc(size_t n, size_t size);
void *__real_nw__calloc(size_t n, size_t size);

void *__wrap_nw__calloc(size_t n, size_t size)
{
    return allocations_left >= 0 && allocations_left-- == 0 ? NULL : __real_nw__calloc(n, size);
}

static int no_entropy(void *out, size_t n)
{
    (void)out;
    (void)n;
    return -1;
}

static nw_ledger *open_ledger(void)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 0.1;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    return ledger;
}

/* What a mechanism holds, its release, and whether anything of it can be had after a failure. */
typedef struct mechanism {
    const char *name;
    void *(*open)(void);
    nw_status (*release)(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err);
    bool (*is_closed)(void *handle); /* after a failure behind the charge */
    void (*close)(void *handle);
    bool is_function; /* nothing but its arguments: may be called again */
} mechanism;

/* ---- stats: a mean and a median of two groups ---- */

static void *stats_open(void)
{
    const nw_stats_query q[2] = { query(NW_STATS_MEAN, 2, 0, 10), query(NW_STATS_QUANTILE, 2, 0, 10) };
    const uint32_t groups[3] = { 0, 1, 1 };
    const double values[3] = { 3.0, 5.0, 7.0 };
    nw_stats *stats = make(q, 2, options(1.0, 0.0, NW_ADD_REMOVE));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(nw_stats_add(stats, i, groups, values, 3, NULL), NW_OK);
    return stats;
}

static nw_status stats_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    return nw_stats_release(handle, rng, ledger, "failure", receipt, err);
}

static bool stats_is_closed(void *handle)
{
    const nw_stats *stats = handle;
    nw_stats_figure f = { 1.5, 2.5, 3.5 };
    return stats->totals == NULL && nw_stats_get(stats, 0, 0, &f, NULL) == NW_E_STATE && f.value == 1.5;
}

static void stats_close(void *handle)
{
    nw_stats_free(handle);
}

/* ---- keys ---- */

static void *keys_open(void)
{
    nw_keys_opts o = NW_KEYS_OPTS_INIT;
    nw_keys *keys = NULL;
    o.epsilon = 60.0;
    o.delta = 0.0;
    o.threshold_delta = 0.1;
    o.adjacency = NW_ADD_REMOVE;
    o.max_keys = o.max_count = 1;
    assert_int_equal(nw_keys_new(&keys, &o, NULL), NW_OK);
    for (char user = 'a'; user <= 'z'; user++)
        assert_int_equal(nw_keys_add(keys, &user, 1, "key", 3, NULL), NW_OK);
    return keys;
}

static nw_status keys_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    return nw_keys_release(handle, rng, ledger, "failure", receipt, err);
}

static bool keys_is_closed(void *handle)
{
    const char *key = NULL;
    size_t size = 0;
    int64_t count = 0;
    const nw_keys *keys = handle;
    return keys->records.keys.text == NULL && nw_keys_released(handle) == 0 &&
           nw_keys_get(handle, 0, &key, &size, &count, NULL) == NW_E_STATE &&
           nw_keys_add(handle, "a", 1, "b", 1, NULL) == NW_E_STATE;
}

static void keys_close(void *handle)
{
    nw_keys_free(handle);
}

/* ---- choices: the place for the answer is the handle ---- */

typedef struct choice {
    nw_select_opts opts;
    size_t chosen;
} choice;

static void *choice_open(nw_select_mechanism kind)
{
    choice *c = calloc(1, sizeof *c);
    assert_non_null(c);
    nw_select_opts_init(&c->opts, sizeof c->opts);
    c->opts.mechanism = kind;
    c->opts.epsilon = 1.0;
    c->opts.sensitivity = 1;
    c->opts.adjacency = NW_ADD_REMOVE;
    c->chosen = 77;
    return c;
}

static void *exponential_open(void)
{
    return choice_open(NW_SELECT_EXPONENTIAL);
}

static void *noisy_max_open(void)
{
    return choice_open(NW_SELECT_NOISY_MAX);
}

static void *flip_open(void)
{
    return choice_open(NW_SELECT_PERMUTE_AND_FLIP);
}

static nw_status choice_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    const int64_t scores[3] = { 1, 5, 2 };
    choice *c = handle;
    return nw_select(&c->opts, scores, 3, rng, ledger, "failure", &c->chosen, receipt, err);
}

static bool choice_is_closed(void *handle)
{
    return ((choice *)handle)->chosen == 77;
}

/* ---- thresholds ---- */

static nw_rng *asker; /* of questions after a failure */

static void *sparse_open(void)
{
    nw_sparse_opts o = NW_SPARSE_OPTS_INIT;
    nw_sparse *sparse = NULL;
    o.epsilon = 1.0;
    o.sensitivity = 1;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_sparse_new(&sparse, &o, NULL), NW_OK);
    return sparse;
}

static nw_status sparse_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    return nw_sparse_start(handle, rng, ledger, "failure", receipt, err);
}

static bool sparse_is_closed(void *handle)
{
    bool is_above = true;
    return nw_sparse_ask(handle, asker, 1, 1, &is_above, NULL) == NW_E_STATE && is_above;
}

static void sparse_close(void *handle)
{
    nw_sparse_free(handle);
}

/* ---- linear queries and trees ---- */

static int64_t answers[2];

static nw_linear_opts linear_opts(void)
{
    nw_linear_opts o = NW_LINEAR_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

static void *linear_open(void)
{
    const nw_linear_opts o = linear_opts();
    const int64_t weights[4] = { 1, 2, 3, 4 };
    const uint32_t cells[2] = { 0, 1 };
    nw_linear *linear = NULL;
    assert_int_equal(nw_linear_new(&linear, &o, weights, 2, 2, NULL), NW_OK);
    assert_int_equal(nw_linear_add(linear, cells, 2, NULL), NW_OK);
    answers[0] = answers[1] = 77;
    return linear;
}

static nw_status linear_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    return nw_linear_release(handle, rng, ledger, "failure", answers, receipt, err);
}

static bool linear_is_closed(void *handle)
{
    const uint32_t cell = 0;
    return answers[0] == 77 && answers[1] == 77 && nw_linear_add(handle, &cell, 1, NULL) == NW_E_STATE;
}

static void linear_close(void *handle)
{
    nw_linear_free(handle);
}

static void *tree_open(void)
{
    const nw_linear_opts o = linear_opts();
    const double values[2] = { 0.1, 0.9 };
    nw_tree *tree = NULL;
    assert_int_equal(nw_tree_new(&tree, &o, 0.0, 1.0, 3, NULL), NW_OK);
    assert_int_equal(nw_tree_add(tree, values, 2, NULL), NW_OK);
    return tree;
}

static nw_status tree_release(void *handle, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    return nw_tree_release(handle, rng, ledger, "failure", receipt, err);
}

static bool tree_is_closed(void *handle)
{
    double x = 1.5;
    return nw_tree_rank(handle, 0.5, &x, NULL) == NW_E_STATE && nw_tree_quantile(handle, 0.5, &x, NULL) == NW_E_STATE && x == 1.5;
}

static void tree_close(void *handle)
{
    nw_tree_free(handle);
}

static const mechanism mechanisms[] = {
    { "stats", stats_open, stats_release, stats_is_closed, stats_close, false },
    { "keys", keys_open, keys_release, keys_is_closed, keys_close, false },
    { "exponential", exponential_open, choice_release, choice_is_closed, free, true },
    { "noisy max", noisy_max_open, choice_release, choice_is_closed, free, true },
    { "permute-and-flip", flip_open, choice_release, choice_is_closed, free, true },
    { "sparse", sparse_open, sparse_release, sparse_is_closed, sparse_close, false },
    { "linear", linear_open, linear_release, linear_is_closed, linear_close, false },
    { "tree", tree_open, tree_release, tree_is_closed, tree_close, false },
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

/* The stream was inherited through a fork, and the system gives no new key: found after the charge, as it is the first draw that
 * needs the key. */
static void release__without_entropy_keeps_the_charge_and_releases_nothing(void **state)
{
    (void)state;
    int (*const system_entropy)(void *, size_t) = nw__system_entropy;
    for (size_t i = 0; i < MECHANISMS; i++) {
        const mechanism *m = &mechanisms[i];
        nw_rng *rng = NULL;
        nw_ledger *ledger = open_ledger();
        nw_receipt receipt;
        void *handle = m->open();
        assert_int_equal(nw_rng_new(&rng, NULL), NW_OK);
        rng->fork_generation++;
        nw__system_entropy = no_entropy;
        const nw_status status = m->release(handle, rng, ledger, &receipt, NULL);
        nw__system_entropy = system_entropy;
        if (status != NW_E_ENTROPY || charges_of(ledger) != 1 || receipt.head[0] == '\0' || !m->is_closed(handle))
            fail_msg("%s: status %d, %d charges", m->name, (int)status, (int)charges_of(ledger));
        if (!m->is_function && m->release(handle, rng, ledger, NULL, NULL) != NW_E_STATE)
            fail_msg("%s: can be released again", m->name);
        assert_int_equal(charges_of(ledger), 1);
        m->close(handle);
        nw_ledger_close(ledger);
        nw_rng_free(rng);
    }
}

static void release__of_every_failed_allocation_releases_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < MECHANISMS; i++) {
        const mechanism *m = &mechanisms[i];
        long behind = 0; /* failures behind the charge */
        nw_status status = NW_E_NOMEM;
        for (long n = 0; status != NW_OK; n++) {
            nw_rng *rng = seeded(1);
            nw_ledger *ledger = open_ledger();
            nw_receipt receipt;
            void *handle = m->open();
            allocations_left = n;
            status = m->release(handle, rng, ledger, &receipt, NULL);
            allocations_left = -1;
            const bool is_charged = charges_of(ledger) == 1;
            if (status != NW_OK && status != NW_E_NOMEM)
                fail_msg("%s, allocation %ld: status %d", m->name, n, (int)status);
            assert_true(is_charged == (receipt.head[0] != '\0'));
            if (status == NW_OK)
                assert_true(is_charged);
            else if (is_charged && !m->is_closed(handle))
                fail_msg("%s, allocation %ld: something was released", m->name, n);
            behind += status != NW_OK && is_charged;
            m->close(handle);
            nw_ledger_close(ledger);
            nw_rng_free(rng);
            assert_true(n < 1000);
        }
        print_message("# %s: %ld allocations fail behind the charge\n", m->name, behind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release__without_entropy_keeps_the_charge_and_releases_nothing),
        cmocka_unit_test(release__of_every_failed_allocation_releases_nothing),
    };
    asker = seeded(3);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nw_rng_free(asker);
    return failed;
}
