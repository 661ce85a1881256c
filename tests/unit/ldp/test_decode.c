/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_decode.c - supports against counting each report against each item, by the client's hash or by a definition; kernels
 * against plain C; transforms against sums. */
#include "ldp_support.h"

enum { REPORTS = 700 };

/* What the reports' bytes say, one by one: hashes by the client's own function. */
static int64_t counted(const nw_ldp_campaign *c, const uint8_t *reports, size_t n, unsigned level, nw_ldp_item item)
{
    int64_t support = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *r = reports + 16 * i;
        if (r[3] != level)
            continue;
        const uint32_t seed = (uint32_t)nw__get(r + 10, 4);
        support += nw__ldp_cell(c, seed, item, nw__ldp_pieces(c, level)) == nw__get(r + 14, 2);
    }
    return support;
}

/* Items of two 64-bit words that look arbitrary. */
static nw_ldp_item arbitrary(uint64_t i, unsigned bits)
{
    nw_ldp_item item = { nw__ldp_word(77, (uint32_t)i), nw__ldp_word(78, (uint32_t)i) };
    if (bits <= 64)
        return item_of(bits == 64 ? item.low : item.low & ((UINT64_C(1) << bits) - 1));
    item.high &= bits == 128 ? UINT64_MAX : (UINT64_C(1) << (bits - 64)) - 1;
    return item;
}

static nw_ldp_campaign hashed(nw_ldp_oracle oracle, uint32_t symbols, uint32_t bits, uint32_t levels, uint32_t seed_bits)
{
    nw_ldp_campaign_opts o = options(oracle, 1.0, 0);
    o.symbols = symbols;
    o.bits = bits;
    o.levels = levels;
    o.seed_bits = seed_bits;
    return campaign_of(o);
}

static void check_support(const nw_ldp_campaign *c, size_t n)
{
    nw_rng *rng = seeded(c->symbols + c->bits);
    nw_ldp_item held[REPORTS];
    for (size_t i = 0; i < REPORTS; i++)
        held[i] = arbitrary(i % 50, c->bits);
    uint8_t *reports = reports_of(c, rng, held, REPORTS, -1);
    nw_ldp_aggregate *a = empty(c);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, 16 * REPORTS, NULL, NULL), NW_OK);
    for (unsigned level = 0; level < c->levels; level++) {
        nw_ldp_item items[200];
        int64_t supports[200];
        for (size_t i = 0; i < n; i++)
            items[i] = nw_ldp_prefix(c, arbitrary(i, c->bits), c->lengths[level]);
        assert_int_equal(nw_ldp_aggregate_support(a, level, items, n, supports, NULL), NW_OK);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(supports[i], counted(c, reports, REPORTS, level, items[i]));
    }
    free(reports);
    nw_ldp_aggregate_free(a);
    nw_rng_free(rng);
}

static void support__counts_each_report(void **state)
{
    (void)state;
    const uint32_t bits[] = { 1, 16, 17, 40, 64, 65, 100, 128 };
    for (size_t b = 0; b < 8; b++)
        for (uint32_t seed_bits = 9; seed_bits <= 32; seed_bits += 23) { /* a table, and a log */
            const uint32_t levels = bits[b] > 2 ? 2 : 1;
            nw_ldp_campaign c = hashed(NW_LDP_OLH, 5, bits[b], levels, seed_bits);
            check_support(&c, 130);
            c = hashed(NW_LDP_OLH, 4096, bits[b], levels, seed_bits);
            check_support(&c, 3);
            c = hashed(NW_LDP_BLH, 8, bits[b], levels, seed_bits);
            check_support(&c, 130);
            c = hashed(NW_LDP_BLH, 2, bits[b], levels, seed_bits);
            check_support(&c, 64);
        }
}

/* More reports than a block of the log holds, and more than a counter of 8 bits. */
static void support__counts_across_blocks(void **state)
{
    (void)state;
    enum { MANY = NW__LDP_BLOCK + 3000 };
    nw_rng *rng = seeded(3);
    nw_ldp_item *held = calloc(MANY, sizeof *held);
    assert_non_null(held);
    for (int k = NW_LDP_OLH; k <= NW_LDP_BLH; k++) {
        const nw_ldp_campaign c = make((nw_ldp_oracle)k, 1.0, 100000);
        uint8_t *reports = reports_of(&c, rng, held, MANY, -1);
        nw_ldp_aggregate *a = empty(&c);
        assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, (size_t)16 * MANY, NULL, NULL), NW_OK);
        const nw_ldp_item items[3] = { { 0, 0 }, { 0, 99999 }, { 0, 65536 } };
        int64_t supports[3];
        assert_int_equal(nw_ldp_aggregate_support(a, 0, items, 3, supports, NULL), NW_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(supports[i], counted(&c, reports, MANY, 0, items[i]));
        free(reports);
        nw_ldp_aggregate_free(a);
    }
    free(held);
    nw_rng_free(rng);
}

/* ---- subtrees ---- */

static void check_subtree(const nw_ldp_campaign *c, unsigned suffix_bits, size_t prefixes)
{
    nw_rng *rng = seeded(c->symbols);
    nw_ldp_item held[REPORTS];
    const unsigned level = c->levels - 1u;
    const size_t n = prefixes << suffix_bits;
    for (size_t i = 0; i < REPORTS; i++)
        held[i] = arbitrary(i % 20, c->bits);
    nw_ldp_aggregate *a = empty(c);
    add_reports(a, rng, held, REPORTS, -1);
    nw_ldp_item *listed = calloc(n, sizeof *listed);
    nw_ldp_item *starts = calloc(prefixes, sizeof *starts);
    int64_t *found = calloc(n, sizeof *found);
    int64_t *wanted = calloc(n, sizeof *wanted);
    assert_true(listed != NULL && starts != NULL && found != NULL && wanted != NULL);
    for (size_t p = 0; p < prefixes; p++) {
        starts[p] = nw_ldp_prefix(c, arbitrary(p, c->bits), c->bits - suffix_bits);
        if (suffix_bits == c->bits)
            starts[p] = item_of(0);
        for (size_t s = 0; s < (size_t)1 << suffix_bits; s++) {
            nw_ldp_item *item = &listed[(p << suffix_bits) + s];
            item->high = starts[p].high << suffix_bits | (suffix_bits != 0 ? starts[p].low >> (64 - suffix_bits) : 0);
            item->low = starts[p].low << suffix_bits | s;
        }
    }
    assert_int_equal(nw_ldp_aggregate_subtree(a, level, starts, prefixes, suffix_bits, found, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_support(a, level, listed, n, wanted, NULL), NW_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(found[i], wanted[i]);
    free(listed);
    free(starts);
    free(found);
    free(wanted);
    nw_ldp_aggregate_free(a);
    nw_rng_free(rng);
}

static void subtree__is_support_of_each_suffix(void **state)
{
    (void)state;
    const struct {
        uint32_t g, bits, seed_bits;
        unsigned suffix;
        size_t prefixes;
    } cases[] = { { 2, 10, 32, 10, 1 }, { 4, 48, 32, 6, 70 }, { 8, 64, 32, 5, 3 }, { 4, 65, 32, 7, 3 }, { 16, 128, 32, 4, 5 },
        { 128, 20, 32, 3, 2 }, { 4, 30, 32, 0, 9 }, { 4, 30, 10, 6, 66 }, { 32, 100, 9, 5, 4 }, { 2, 1, 32, 1, 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nw_ldp_campaign c = hashed(NW_LDP_BLH, cases[i].g, cases[i].bits, 1, cases[i].seed_bits);
        check_subtree(&c, cases[i].suffix, cases[i].prefixes);
    }
    const nw_ldp_campaign c = hashed(NW_LDP_OLH, 5, 40, 2, 32);
    check_subtree(&c, 6, 80); /* more than one list */
}

/* Counts beyond what one transform holds: a table in which one seed has 2^33 reports of one cell. */
static void subtree__holds_large_counts(void **state)
{
    (void)state;
    const nw_ldp_campaign c = hashed(NW_LDP_BLH, 4, 12, 1, 8);
    nw_ldp_aggregate *a = empty(&c);
    int64_t found[64];
    int64_t wanted[64];
    nw_ldp_item items[64];
    const nw_ldp_item prefix = { 0, 21 };
    a->table[5 * 4 + 2] = UINT64_C(1) << 33;
    a->table[9 * 4 + 1] = 77;
    a->reports[0] = (UINT64_C(1) << 33) + 77;
    for (uint64_t s = 0; s < 64; s++)
        items[s] = item_of(21 * 64 + s);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, &prefix, 1, 6, found, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, items, 64, wanted, NULL), NW_OK);
    for (int s = 0; s < 64; s++)
        assert_int_equal(found[s], wanted[s]);
    nw_ldp_aggregate_free(a);
}

/* Supports add up: those of two parts are those of the whole, and a tracked state decodes as another one does. */
static void support__adds_up(void **state)
{
    (void)state;
    const nw_ldp_campaign c = hashed(NW_LDP_BLH, 4, 24, 1, 32);
    nw_rng *rng = seeded(4);
    nw_ldp_item held[REPORTS];
    uint8_t users[REPORTS][NW_LDP_USER_BYTES] = { { 0 } };
    for (uint64_t i = 0; i < REPORTS; i++) {
        held[i] = arbitrary(i % 9, 24);
        nw__put(users[i], i, 8);
    }
    uint8_t *reports = reports_of(&c, rng, held, REPORTS, -1);
    nw_ldp_aggregate *parts[4] = { empty(&c), empty(&c), empty(&c), NULL };
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    o.is_tracking_users = true;
    assert_int_equal(nw_ldp_aggregate_new(&parts[3], &c, &o, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_add_batch(parts[0], reports, 16 * 300, NULL, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_add_batch(parts[1], reports + 16 * 300, 16 * (REPORTS - 300), NULL, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_add_batch(parts[2], reports, 16 * REPORTS, NULL, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_add_batch(parts[3], reports, 16 * REPORTS, users[0], NULL), NW_OK);
    const nw_ldp_item prefix = nw_ldp_prefix(&c, held[0], 16);
    int64_t supports[4][256];
    for (int k = 0; k < 4; k++)
        assert_int_equal(nw_ldp_aggregate_subtree(parts[k], 0, &prefix, 1, 8, supports[k], NULL), NW_OK);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(supports[0][i] + supports[1][i], supports[2][i]);
        assert_int_equal(supports[3][i], supports[2][i]);
    }
    for (int k = 0; k < 4; k++)
        nw_ldp_aggregate_free(parts[k]);
    free(reports);
    nw_rng_free(rng);
}

/* ---- kernels ---- */

/* Interleaved arrays against one array after the other. */
static void check_lanes(
    const nw__ldp_kernels *kernels, const uint32_t *places, const uint64_t *signs, const int32_t *weights, size_t n)
{
    enum { LOG2 = 11, SHIFT = 48 };
    static int32_t woven[NW__LDP_LANES << LOG2];
    int32_t plain[1 << LOG2];
    for (int has_weights = 0; has_weights < 2; has_weights++) {
        memset(woven, 0, sizeof woven);
        kernels->scatter_lanes(woven, places, signs, has_weights ? weights : NULL, n, SHIFT);
        kernels->transform_lanes(woven, LOG2);
        for (unsigned j = 0; j < NW__LDP_LANES; j++) {
            memset(plain, 0, sizeof plain);
            nw__ldp_kernels_plain.scatter(plain, places, signs, has_weights ? weights : NULL, n, SHIFT + j);
            nw__ldp_kernels_plain.transform(plain, LOG2);
            for (size_t i = 0; i < (size_t)1 << LOG2; i++)
                assert_int_equal(woven[i * NW__LDP_LANES + j], plain[i]);
        }
    }
}

static void kernels__agree_with_plain_c(void **state)
{
    (void)state;
    enum { N = 1000, LOG2 = 11 };
    static uint32_t factors[8][N];
    static uint32_t summands[N];
    static uint32_t widths[N];
    static int32_t x[2][1 << LOG2];
    static uint32_t places[N];
    static uint64_t signs[N];
    static int32_t weights[N];
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < 8; j++)
            factors[j][i] = (uint32_t)nw__ldp_word(i, j);
        summands[i] = (uint32_t)nw__ldp_word(i, 8);
        widths[i] = i % 7 == 0 ? UINT32_C(1) << 31 : 7777u * i;
        places[i] = (uint32_t)nw__ldp_word(i, 9) % (1u << LOG2);
        signs[i] = nw__ldp_word(i, 10);
        weights[i] = (int32_t)(nw__ldp_word(i, 11) % 2001) - 1000;
    }
    const nw__ldp_kernels *plain = nw__ldp_kernels_at(0);
    check_lanes(plain, places, signs, weights, N);
    for (size_t k = 1; nw__ldp_kernels_at(k) != NULL; k++) {
        const nw__ldp_kernels *kernels = nw__ldp_kernels_at(k);
        if (!nw__ldp_kernels_can_run(kernels))
            continue;
        for (unsigned pieces = 1; pieces <= 8; pieces++)
            for (size_t n = 0; n <= N; n += n < 40 ? 1 : 191) {
                const uint32_t item[8] = { 1, 65535, 3, 40000, 5, 6, 7, 60001 };
                assert_int_equal(kernels->count_cells(factors[0], N, summands, widths, n, item, pieces),
                    plain->count_cells(factors[0], N, summands, widths, n, item, pieces));
            }
        for (unsigned log2 = 0; log2 <= LOG2; log2++)
            for (int has_weights = 0; has_weights < 2; has_weights++) {
                for (uint32_t i = 0; i < 1u << LOG2; i++)
                    x[0][i] = x[1][i] = (int32_t)(i * i % 1000) - 500;
                kernels->scatter(x[0], places, signs, has_weights ? weights : NULL, N, log2);
                plain->scatter(x[1], places, signs, has_weights ? weights : NULL, N, log2);
                kernels->transform(x[0], log2);
                plain->transform(x[1], log2);
                assert_memory_equal(x[0], x[1], sizeof x[0]);
            }
        check_lanes(kernels, places, signs, weights, N);
    }
    assert_true(nw__ldp_kernels_can_run(nw__ldp_kernels_best()));
}

/* Row times numbers, with signs by the parity of common bits. */
static void transform__is_the_sum_with_signs(void **state)
{
    (void)state;
    for (unsigned log2 = 0; log2 <= 7; log2++) {
        const size_t n = (size_t)1 << log2;
        int32_t x[128];
        int32_t y[128];
        for (size_t i = 0; i < n; i++)
            x[i] = y[i] = (int32_t)(nw__ldp_word(5, (uint32_t)i) % 1999) - 999;
        nw__ldp_kernels_best()->transform(y, log2);
        for (size_t row = 0; row < n; row++) {
            int32_t sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += __builtin_parityll(row & i) ? -x[i] : x[i];
            assert_int_equal(y[row], sum);
        }
    }
}

/* ---- other oracles ---- */

static void support_hadamard__is_twice_the_half_less_the_block(void **state)
{
    (void)state;
    for (uint32_t blocks = 1; blocks <= 8; blocks *= 2) {
        nw_ldp_campaign_opts o = options(NW_LDP_HADAMARD, 1.0, 21);
        o.symbols = blocks;
        const nw_ldp_campaign c = campaign_of(o);
        const uint64_t columns = UINT64_C(1) << c.dimension;
        nw_ldp_aggregate *a = empty(&c);
        nw_ldp_item items[21];
        int64_t supports[21];
        for (uint64_t y = 0; y < c.outputs; y++)
            a->table[y] = nw__ldp_word(1, (uint32_t)y) % 100;
        for (uint64_t i = 0; i < 21; i++)
            items[i] = item_of(i);
        assert_int_equal(nw_ldp_aggregate_support(a, 0, items, 21, supports, NULL), NW_OK);
        for (uint64_t i = 0; i < 21; i++) {
            int64_t wanted = 0;
            for (uint64_t y = 0; y < c.outputs; y++) {
                const bool is_half = __builtin_parityll((y % columns) & (i / blocks + 1)) == 0;
                if (y / columns == i % blocks)
                    wanted += is_half ? (int64_t)a->table[y] : -(int64_t)a->table[y];
            }
            assert_int_equal(supports[i], wanted);
        }
        nw_ldp_aggregate_free(a);
    }
}

static void support_plane__is_the_same_at_once_and_by_points(void **state)
{
    (void)state;
    const uint32_t primes[] = { 2, 3, 5, 7, 13 };
    for (size_t k = 0; k < 5; k++) {
        nw_ldp_campaign_opts o = options(NW_LDP_PROJECTIVE, 1.0, 100);
        o.symbols = primes[k];
        const nw_ldp_campaign c = campaign_of(o);
        uint64_t *table = calloc(c.outputs, sizeof *table);
        nw_ldp_item items[100];
        int64_t at_once[100];
        int64_t by_points[100];
        assert_non_null(table);
        for (uint64_t y = 0; y < c.outputs; y++)
            table[y] = nw__ldp_word(2, (uint32_t)y) % 1000;
        for (uint64_t i = 0; i < 100; i++)
            items[i] = item_of(i);
        assert_int_equal(nw__ldp_plane_at_once(&c, table, items, 100, at_once, NULL), NW_OK);
        nw__ldp_plane_by_points(&c, table, items, 100, by_points);
        for (uint64_t i = 0; i < 100; i++) {
            int64_t wanted = 0; /* by the definition */
            uint32_t u[NW__LDP_MOST_DIMENSIONS];
            nw__ldp_point(c.symbols, c.dimension, i, u);
            for (uint64_t y = 0; y < c.outputs; y++) {
                uint32_t v[NW__LDP_MOST_DIMENSIONS];
                uint64_t product = 0;
                nw__ldp_point(c.symbols, c.dimension, y, v);
                for (unsigned j = 0; j < c.dimension; j++)
                    product += (uint64_t)u[j] * v[j];
                wanted += product % c.symbols == 0 ? (int64_t)table[y] : 0;
            }
            assert_int_equal(at_once[i], wanted);
            assert_int_equal(by_points[i], wanted);
        }
        free(table);
    }
}

/* ---- refusals ---- */

static void support__refuses(void **state)
{
    (void)state;
    nw_error err;
    int64_t supports[4];
    const nw_ldp_campaign c = hashed(NW_LDP_BLH, 4, 20, 2, 32);
    nw_ldp_aggregate *a = empty(&c);
    nw_ldp_item item = item_of(1 << 10); /* level 0 has 10 bits */
    assert_int_equal(nw_ldp_aggregate_support(a, 0, &item, 1, supports, &err), NW_E_ARG);
    assert_string_equal(err.message, "item 0 is beyond the items of level 0");
    assert_int_equal(nw_ldp_aggregate_support(a, 1, &item, 1, supports, &err), NW_OK);
    assert_int_equal(nw_ldp_aggregate_support(a, 2, &item, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_support(NULL, 0, &item, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, NULL, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, &item, 1, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 2, &item, 1, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, &item, 1, 11, supports, &err), NW_E_ARG);
    assert_string_equal(err.message, "suffix_bits is 11, must be at most 10 at level 0");
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, &item, 1, 1, supports, &err), NW_E_ARG); /* a prefix of 9 bits */
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, &item, SIZE_MAX / 4, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_subtree(NULL, 0, &item, 1, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, NULL, 1, 1, supports, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, NULL, 0, NULL, &err), NW_OK);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, NULL, 0, 1, NULL, &err), NW_OK);
    item = (nw_ldp_item){ 1, 0 };
    assert_int_equal(nw_ldp_aggregate_support(a, 1, &item, 1, supports, &err), NW_E_ARG);
    nw_ldp_aggregate_free(a);
    const nw_ldp_campaign closed = make(NW_LDP_GRR, 1.0, 7);
    a = empty(&closed);
    item = item_of(7);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, &item, 1, supports, &err), NW_E_ARG);
    item = item_of(6);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, &item, 1, supports, &err), NW_OK);
    assert_int_equal(nw_ldp_aggregate_subtree(a, 0, &item, 1, 1, supports, &err), NW_E_ARG);
    nw_ldp_aggregate_free(a);
    const nw_ldp_campaign mean = make(NW_LDP_DUCHI, 1.0, 0);
    a = empty(&mean);
    assert_int_equal(nw_ldp_aggregate_support(a, 0, &item, 1, supports, &err), NW_E_ARG);
    nw_ldp_aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(support__counts_each_report),
        cmocka_unit_test(support__counts_across_blocks),
        cmocka_unit_test(subtree__is_support_of_each_suffix),
        cmocka_unit_test(subtree__holds_large_counts),
        cmocka_unit_test(support__adds_up),
        cmocka_unit_test(kernels__agree_with_plain_c),
        cmocka_unit_test(transform__is_the_sum_with_signs),
        cmocka_unit_test(support_hadamard__is_twice_the_half_less_the_block),
        cmocka_unit_test(support_plane__is_the_same_at_once_and_by_points),
        cmocka_unit_test(support__refuses),
    };
    return cmocka_run_group_tests_name("ldp_decode", tests, NULL, NULL);
}
