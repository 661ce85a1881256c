/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_errors.c - what is refused, how it is said, and what stays as it was. */
#include "kde_support.h"

static nw_kde_opts good(void)
{
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = NW_KDE_GAUSSIAN;
    o.dimension = 2;
    o.bandwidth = 0.5;
    o.lower = KDE_LOWER;
    o.upper = KDE_UPPER;
    o.epsilon = 1.0;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

static void refuse(const nw_kde_opts *o, nw_status status, const char *named)
{
    nw_kde *kde = (nw_kde *)1;
    nw_error err;
    assert_int_equal(nw_kde_new(&kde, o, &err), status);
    assert_null(kde);
    if (strstr(err.message, named) == NULL)
        fail_msg("'%s' does not name '%s'", err.message, named);
}

#define REFUSED(change, status, named)                                                                                           \
    do {                                                                                                                         \
        nw_kde_opts o = good();                                                                                                  \
        change;                                                                                                                  \
        refuse(&o, status, named);                                                                                               \
    } while (0)

static void kde_new__names_what_is_not_admissible(void **state)
{
    (void)state;
    static const double equal[2] = { 0.0, -1.0 }, reversed[2] = { 2.0, 2.0 }, unbounded[2] = { -INFINITY, 0.0 };
    static const float landmark[2] = { NAN, 0.0F }, fine[2] = { 0.0F, 0.0F };
    REFUSED(o.kernel = (nw_kde_kernel)0, NW_E_ARG, "kernel is 0");
    REFUSED(o.kernel = (nw_kde_kernel)11, NW_E_ARG, "kernel is 11");
    REFUSED(o.dimension = 0, NW_E_ARG, "dimension is 0");
    REFUSED(o.dimension = 20000, NW_E_ARG, "dimension is 20000");
    const double bandwidths[] = { 0.0, -1.0, 1e-310, INFINITY, NAN };
    for (size_t i = 0; i < 5; i++)
        REFUSED(o.bandwidth = bandwidths[i], NW_E_ARG, "bandwidth is");
    REFUSED(o.epsilon = 0.0, NW_E_ARG, "epsilon is 0");
    REFUSED(o.epsilon = NAN, NW_E_ARG, "epsilon is");
    REFUSED(o.epsilon = 65.0, NW_E_ARG, "epsilon is 65");
    REFUSED(o.delta = -1.0, NW_E_ARG, "delta is -1");
    REFUSED(o.delta = 1.0, NW_E_ARG, "delta is 1");
    REFUSED(o.adjacency = NW_ADJACENCY_UNSET, NW_E_ARG, "adjacency is unset");
    REFUSED(o.lower = NULL, NW_E_ARG, "lower and upper");
    REFUSED(o.upper = equal, NW_E_ARG, "bounds of coordinate 0");
    REFUSED(o.lower = reversed, NW_E_ARG, "bounds of coordinate 0");
    REFUSED(o.lower = unbounded, NW_E_ARG, "bounds of coordinate 0");
    REFUSED((o.kernel = NW_KDE_L1, o.lower = o.upper = NULL), NW_E_ARG, "l1 needs bounds");
    REFUSED((o.kernel = NW_KDE_LPP, o.power = 0.0), NW_E_ARG, "power is 0");
    REFUSED((o.kernel = NW_KDE_LAPLACIAN, o.is_half = true), NW_E_ARG, "is_half");
    REFUSED(o.estimator = (nw_kde_estimator)11, NW_E_ARG, "estimator is 11");
    REFUSED(o.size = 1000000000, NW_E_ARG, "size is 1000000000");
    REFUSED((o.estimator = NW_KDE_GRID, o.size = 100000), NW_E_ARG, "size is 100000");
    REFUSED((o.estimator = NW_KDE_LSQ_FGT, o.size = 13), NW_E_ARG, "size is 13");
    REFUSED((o.estimator = NW_KDE_LSQ_FGT, o.bandwidth = 1e-9), NW_E_ARG, "bandwidth is 1e-09");
    REFUSED((o.kernel = NW_KDE_L1, o.estimator = NW_KDE_TREE, o.size = 25), NW_E_ARG, "size is 25");
    REFUSED((o.kernel = NW_KDE_L1, o.estimator = NW_KDE_TABLE, o.size = 1), NW_E_ARG, "size is 1");
    REFUSED(o.public_points = -2, NW_E_ARG, "public_points is -2");
    REFUSED(o.expected_points = NAN, NW_E_ARG, "expected_points is");
    REFUSED(o.expected_density = 0.0, NW_E_ARG, "expected_density is 0");
    REFUSED(o.landmark_count = 3, NW_E_ARG, "landmark_count is 3");
    REFUSED((o.landmarks = fine, o.landmark_count = 9000), NW_E_ARG, "landmark_count is 9000");
    REFUSED((o.landmarks = landmark, o.landmark_count = 1), NW_E_ARG, "landmark 0");
    REFUSED((o.landmarks = fine, o.landmark_count = 1, o.estimator = NW_KDE_LANDMARKS, o.size = 2), NW_E_ARG, "size is 2");
    refuse(NULL, NW_E_ARG, "opts is NULL");
    assert_int_equal(nw_kde_new(NULL, NULL, NULL), NW_E_ARG);
}

static void kde_new__says_what_an_estimator_needs(void **state)
{
    (void)state;
    REFUSED(o.estimator = NW_KDE_MOMENTS, NW_E_UNSUPPORTED, "moments needs kernel l2sq");
    REFUSED(o.estimator = NW_KDE_TABLE, NW_E_UNSUPPORTED, "table needs kernel l1");
    REFUSED(o.estimator = NW_KDE_TREE, NW_E_UNSUPPORTED, "tree needs kernel l1");
    REFUSED(o.estimator = NW_KDE_LSH, NW_E_UNSUPPORTED, "lsh needs kernel laplacian");
    REFUSED(o.estimator = NW_KDE_LANDMARKS, NW_E_UNSUPPORTED, "landmarks needs landmarks");
    REFUSED((o.kernel = NW_KDE_L2, o.estimator = NW_KDE_HADAMARD), NW_E_UNSUPPORTED, "hadamard needs a kernel");
    REFUSED((o.dimension = 4, o.estimator = NW_KDE_GRID), NW_E_UNSUPPORTED, "grid needs dimension");
    REFUSED((o.kernel = NW_KDE_LAPLACIAN, o.estimator = NW_KDE_LSQ_FGT), NW_E_UNSUPPORTED, "lsq-fgt needs kernel gaussian");
    REFUSED((o.lower = o.upper = NULL, o.estimator = NW_KDE_GRID), NW_E_UNSUPPORTED, "grid needs bounds");
}

static void kde_names__are_read_back(void **state)
{
    (void)state;
    for (int i = 1; i <= 10; i++) {
        nw_kde_kernel kernel = (nw_kde_kernel)0;
        nw_kde_estimator estimator = NW_KDE_AUTO;
        assert_int_equal(nw_kde_kernel_parse(nw_kde_kernel_name((nw_kde_kernel)i), &kernel, NULL), NW_OK);
        assert_int_equal(nw_kde_estimator_parse(nw_kde_estimator_name((nw_kde_estimator)i), &estimator, NULL), NW_OK);
        assert_true((int)kernel == i && (int)estimator == i);
    }
    nw_kde_kernel kernel;
    nw_kde_estimator estimator;
    assert_int_equal(nw_kde_kernel_parse("box", &kernel, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_estimator_parse(NULL, &estimator, NULL), NW_E_ARG);
    assert_null(nw_kde_kernel_name((nw_kde_kernel)0));
    assert_null(nw_kde_estimator_name((nw_kde_estimator)11));
}

/* ---- order of calls ---- */

static nw_rng *make_rng(void)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    return rng;
}

static nw_ledger *make_ledger(double epsilon)
{
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    lo.epsilon = epsilon;
    lo.delta = 0.0;
    lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    return ledger;
}

static void kde_calls__have_an_order(void **state)
{
    (void)state;
    const nw_kde_opts o = good();
    nw_kde *kde = kde_make(&o), *other = kde_make(&o);
    nw_rng *rng = make_rng();
    nw_ledger *ledger = make_ledger(5.0);
    const float point[2] = { 0.5F, 0.0F };
    double value = 0.0, error = 0.0;
    uint8_t *bytes = NULL;
    size_t n = 0;
    assert_int_equal(nw_kde_query(kde, point, 1, &value, NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_save(kde, "/tmp/nw-kde-never", NULL), NW_E_STATE);
    assert_null(nw_kde_receipt(kde));
    assert_true(isnan(nw_kde_points(kde, &error)) && isnan(error));
    assert_int_equal(nw_kde_add(kde, point, 1, NULL), NW_OK);
    assert_int_equal(nw_kde_release(kde, rng, ledger, "test", NULL, NULL), NW_OK);
    assert_int_equal(nw_kde_add(kde, point, 1, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_merge(kde, other, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_merge(other, kde, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_totals_to_bytes(kde, &bytes, &n, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_totals_add_bytes(kde, (const uint8_t *)"x", 1, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_release(kde, rng, ledger, "again", NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_kde_query(kde, point, 0, NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_kde_add(other, NULL, 0, NULL), NW_OK);
    assert_int_equal(nw_kde_add(other, NULL, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_query(kde, NULL, 1, &value, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_query(kde, point, 1, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_release(other, NULL, ledger, "x", NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_release(other, rng, NULL, "x", NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_release(other, rng, ledger, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_merge(other, other, NULL), NW_E_ARG);
    nw_kde_free(kde);
    nw_kde_free(other);
    nw_kde_free(NULL);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/* Refused: nothing drawn, nothing charged, and the points are still there for a larger budget. */
static void kde_release__keeps_everything_when_the_budget_is_too_small(void **state)
{
    (void)state;
    const nw_kde_opts o = good();
    nw_kde *kde = kde_make(&o);
    nw_rng *rng = make_rng();
    nw_ledger *small = make_ledger(0.5), *large = make_ledger(1.0);
    const float point[2] = { 0.5F, 0.0F };
    nw_ledger_summary summary;
    nw_receipt receipt;
    assert_int_equal(nw_kde_add(kde, point, 1, NULL), NW_OK);
    assert_int_equal(nw_kde_release(kde, rng, small, "test", &receipt, NULL), NW_E_BUDGET);
    assert_int_equal(nw_ledger_summarise(small, &summary, NULL), NW_OK);
    assert_int_equal(summary.charges, 0);
    assert_int_equal(nw_kde_release(kde, rng, large, "test", &receipt, NULL), NW_OK);
    assert_true(receipt.epsilon <= 1.0 && receipt.epsilon > 0.9999);
    assert_string_equal(nw_kde_receipt(kde)->head, receipt.head);
    nw_kde_free(kde);
    nw_rng_free(rng);
    nw_ledger_close(small);
    nw_ledger_close(large);
}

static void kde_merge__refuses_other_options(void **state)
{
    (void)state;
    nw_kde_opts o = good(), p = good();
    static const double wider[2] = { 2.0, 2.0 };
    for (int change = 0; change < 5; change++) {
        p = o;
        p.bandwidth = change == 0 ? 0.6 : o.bandwidth;
        p.public_seed = change == 1 ? 7 : o.public_seed;
        p.upper = change == 2 ? wider : o.upper;
        p.epsilon = change == 3 ? 2.0 : o.epsilon;
        p.size = change == 4 ? 77 : o.size;
        nw_kde *kde = kde_make(&o), *other = kde_make(&p);
        uint8_t *bytes = NULL;
        size_t n = 0;
        assert_int_equal(nw_kde_merge(kde, other, NULL), NW_E_ARG);
        assert_int_equal(nw_kde_totals_to_bytes(other, &bytes, &n, NULL), NW_OK);
        assert_int_equal(nw_kde_totals_add_bytes(kde, bytes, n, NULL), NW_E_FORMAT);
        assert_int_equal(nw_kde_totals_add_bytes(other, bytes, n, NULL), NW_OK);
        assert_int_equal(nw_kde_totals_add_bytes(other, bytes, n - 1, NULL), NW_E_FORMAT);
        assert_int_equal(nw_kde_totals_add_bytes(other, bytes, 7, NULL), NW_E_FORMAT);
        bytes[n - 33 - n % 97] ^= 4; /* a total, or the checksum's neighbourhood: whatever is altered is seen */
        assert_int_equal(nw_kde_totals_add_bytes(other, bytes, n, NULL), NW_E_FORMAT);
        nw_kde_bytes_free(bytes, n);
        nw_kde_free(kde);
        nw_kde_free(other);
    }
}

/* ---- files ---- */

static void write_bytes(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* Every byte flipped, and every length cut: refused, whatever it was. */
static void kde_load__refuses_what_was_altered_or_cut(void **state)
{
    (void)state;
    nw_kde_opts o = good();
    o.estimator = NW_KDE_FEATURES;
    o.size = 5;
    nw_kde *kde = kde_make(&o), *loaded = NULL;
    static uint8_t bytes[1 << 16];
    char path[] = "/tmp/nw-kde-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    kde_release(kde, 1);
    assert_int_equal(nw_kde_save(kde, path, NULL), NW_OK);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x10;
        write_bytes(path, bytes, n);
        const nw_status status = nw_kde_load(&loaded, path, NULL);
        assert_true(status == NW_E_FORMAT || status == NW_E_UNSUPPORTED);
        assert_null(loaded);
        bytes[i] ^= 0x10;
    }
    for (size_t length = 0; length < n; length += 1 + length / 16) {
        write_bytes(path, bytes, length);
        assert_int_equal(nw_kde_load(&loaded, path, NULL), NW_E_FORMAT);
    }
    remove(path);
    assert_int_equal(nw_kde_load(&loaded, path, NULL), NW_E_IO);
    assert_int_equal(nw_kde_save(kde, "/nonexistent/x", NULL), NW_E_IO);
    assert_int_equal(nw_kde_load(NULL, path, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_load(&loaded, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_kde_save(kde, NULL, NULL), NW_E_ARG);
    nw_kde_free(kde);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kde_new__names_what_is_not_admissible),
        cmocka_unit_test(kde_new__says_what_an_estimator_needs),
        cmocka_unit_test(kde_names__are_read_back),
        cmocka_unit_test(kde_calls__have_an_order),
        cmocka_unit_test(kde_release__keeps_everything_when_the_budget_is_too_small),
        cmocka_unit_test(kde_merge__refuses_other_options),
        cmocka_unit_test(kde_load__refuses_what_was_altered_or_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
