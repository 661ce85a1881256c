/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_aggregate.c - reports taken and refused, by reason; merging in any order; states as bytes; tracked users. */
#include "ldp_support.h"

enum { ITEMS = 300 };

typedef struct fixture {
    nw_ldp_campaign campaign;
    bool is_tracking_users;
    bool has_table;
} fixture;

/* All kinds of states: counts of outputs, of bits, of hashes by seed, logs, tracked users. */
enum { FIXTURES = 8 };
static fixture fixture_of(int i)
{
    nw_ldp_campaign_opts o = options(NW_LDP_BLH, 1.0, 0);
    o.bits = 20;
    o.levels = 2;
    switch (i) {
    case 0: return (fixture){ make(NW_LDP_GRR, 1.0, 10), false, true };
    case 1: return (fixture){ make(NW_LDP_OUE, 1.0, 100), false, true };
    case 2: return (fixture){ make(NW_LDP_SUBSET, 1.0, 100), false, true };
    case 3: o.seed_bits = 10; return (fixture){ campaign_of(o), false, true };
    case 4: return (fixture){ campaign_of(o), false, false };
    case 5: o.is_public_coin = true; return (fixture){ campaign_of(o), true, false };
    case 6: return (fixture){ make(NW_LDP_HYBRID, 1.0, 0), false, true };
    default: return (fixture){ make(NW_LDP_GRR, 1.0, 10), true, false };
    }
}

static nw_ldp_aggregate *aggregate_of(const fixture *f)
{
    nw_ldp_aggregate *a = NULL;
    nw_ldp_aggregate_opts o;
    nw_ldp_aggregate_opts_init(&o, sizeof o);
    o.is_tracking_users = f->is_tracking_users;
    assert_int_equal(nw_ldp_aggregate_new(&a, &f->campaign, &o, NULL), NW_OK);
    return a;
}

/* Reports of users first .. first + n - 1, added, with some that are refused. */
static nw_ldp_aggregate *filled(const fixture *f, unsigned first, unsigned n, uint64_t seed)
{
    nw_ldp_aggregate *a = aggregate_of(f);
    nw_rng *rng = seeded(seed);
    const size_t each = nw_ldp_report_size(&f->campaign);
    uint8_t *report = calloc(each + 1, 1);
    assert_non_null(report);
    for (unsigned i = first; i < first + n; i++) {
        const uint8_t user[NW_LDP_USER_BYTES] = { (uint8_t)i, (uint8_t)(i >> 8) };
        const nw_ldp_item item = item_of(i * 2654435761u % 1000);
        const bool is_public = f->campaign.is_public_coin;
        assert_int_equal(nw_ldp_report_many(&f->campaign, rng, is_public ? user : NULL, &item, 1, -1, report, each, NULL), NW_OK);
        assert_int_equal(nw_ldp_aggregate_add(a, report, each, user, NULL, NULL), NW_OK);
        if (i % 50 == 0) {
            report[4] ^= 1; /* of another campaign */
            assert_int_equal(nw_ldp_aggregate_add(a, report, each, user, NULL, NULL), NW_OK);
            assert_int_equal(nw_ldp_aggregate_add(a, report, each - 1, user, NULL, NULL), NW_OK);
        }
    }
    free(report);
    nw_rng_free(rng);
    return a;
}

static uint8_t *bytes_of(const nw_ldp_aggregate *a, size_t *n)
{
    *n = nw_ldp_aggregate_size(a);
    uint8_t *bytes = calloc(*n, 1);
    assert_non_null(bytes);
    assert_int_equal(nw_ldp_aggregate_serialize(a, bytes, *n, NULL), NW_OK);
    return bytes;
}

static void assert_same(const nw_ldp_aggregate *a, const nw_ldp_aggregate *b)
{
    size_t n = 0;
    size_t m = 0;
    uint8_t *x = bytes_of(a, &n);
    uint8_t *y = bytes_of(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static nw_ldp_aggregate *merged(const fixture *f, const nw_ldp_aggregate *a, const nw_ldp_aggregate *b)
{
    nw_ldp_aggregate *sum = aggregate_of(f);
    assert_int_equal(nw_ldp_aggregate_merge(sum, a, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_merge(sum, b, NULL), NW_OK);
    return sum;
}

static void merge__is_associative_and_commutative(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURES; i++) {
        const fixture f = fixture_of(i);
        nw_ldp_aggregate *a = filled(&f, 0, 100, 1);
        nw_ldp_aggregate *b = filled(&f, 80, 120, 2); /* users 80 .. 99 report in both */
        nw_ldp_aggregate *c = filled(&f, 150, 150, 3);
        assert_int_equal(a->table != NULL, f.has_table);
        nw_ldp_aggregate *ab = merged(&f, a, b);
        nw_ldp_aggregate *ba = merged(&f, b, a);
        nw_ldp_aggregate *bc = merged(&f, b, c);
        nw_ldp_aggregate *ab_c = merged(&f, ab, c);
        nw_ldp_aggregate *a_bc = merged(&f, a, bc);
        assert_same(ab, ba);
        assert_same(ab_c, a_bc);
        assert_int_equal(nw_ldp_aggregate_count(ab_c, NW_LDP_ACCEPTED), f.is_tracking_users ? 300 : 370);
        assert_int_equal(nw_ldp_aggregate_count(ab_c, NW_LDP_REPLAYED), f.is_tracking_users ? 70 : 0);
        assert_int_equal(nw_ldp_aggregate_count(ab_c, NW_LDP_FOREIGN), 2 + 2 + 3);
        assert_int_equal(nw_ldp_aggregate_count(ab_c, NW_LDP_MALFORMED), 2 + 2 + 3);
        nw_ldp_aggregate *all[] = { a, b, c, ab, ba, bc, ab_c, a_bc };
        for (size_t k = 0; k < 8; k++)
            nw_ldp_aggregate_free(all[k]);
    }
}

/* Merging what two parts saw is what one that saw both has. */
static void merge__equals_one_stream(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURES; i++) {
        const fixture f = fixture_of(i);
        nw_rng *rng = seeded(5);
        const size_t each = nw_ldp_report_size(&f.campaign);
        uint8_t *report = calloc(each, 1);
        assert_non_null(report);
        nw_ldp_aggregate *parts[3] = { aggregate_of(&f), aggregate_of(&f), aggregate_of(&f) };
        nw_ldp_aggregate *whole = aggregate_of(&f);
        for (unsigned k = 0; k < ITEMS; k++) {
            const uint8_t user[NW_LDP_USER_BYTES] = { (uint8_t)(k % 250) };
            const nw_ldp_item item = item_of(k);
            const bool is_public = f.campaign.is_public_coin;
            assert_int_equal(
                nw_ldp_report_many(&f.campaign, rng, is_public ? user : NULL, &item, 1, -1, report, each, NULL), NW_OK);
            assert_int_equal(nw_ldp_aggregate_add(parts[k * 7 % 3], report, each, user, NULL, NULL), NW_OK);
            assert_int_equal(nw_ldp_aggregate_add(whole, report, each, user, NULL, NULL), NW_OK);
        }
        assert_int_equal(nw_ldp_aggregate_merge(parts[2], parts[0], NULL), NW_OK);
        assert_int_equal(nw_ldp_aggregate_merge(parts[2], parts[1], NULL), NW_OK);
        assert_same(parts[2], whole);
        for (int k = 0; k < 3; k++)
            nw_ldp_aggregate_free(parts[k]);
        nw_ldp_aggregate_free(whole);
        free(report);
        nw_rng_free(rng);
    }
}

static void deserialize__takes_what_serialize_gives(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURES; i++) {
        const fixture f = fixture_of(i);
        nw_ldp_aggregate *a = filled(&f, 0, 120, 9);
        nw_ldp_aggregate *again = NULL;
        nw_ldp_aggregate *sum = aggregate_of(&f);
        size_t n = 0;
        nw_error err;
        uint8_t *bytes = bytes_of(a, &n);
        assert_int_equal(nw_ldp_aggregate_deserialize(&again, bytes, n, &err), NW_OK);
        assert_same(a, again);
        assert_int_equal(nw_ldp_aggregate_merge_bytes(sum, bytes, n, &err), NW_OK);
        assert_same(a, sum);
        for (size_t cut = 0; cut < n; cut += 1 + cut / 7) {
            nw_ldp_aggregate *none = NULL;
            assert_int_equal(nw_ldp_aggregate_deserialize(&none, bytes, cut, &err), NW_E_FORMAT);
            assert_null(none);
            assert_int_equal(nw_ldp_aggregate_merge_bytes(sum, bytes, cut, &err), NW_E_FORMAT);
        }
        assert_same(a, sum);
        assert_int_equal(nw_ldp_aggregate_serialize(a, bytes, n - 1, &err), NW_E_ARG);
        nw_ldp_aggregate_free(a);
        nw_ldp_aggregate_free(again);
        nw_ldp_aggregate_free(sum);
        free(bytes);
    }
}

/* A byte of the state changed: refused, or another state that is written as these bytes. */
static void deserialize__refuses_what_no_aggregate_writes(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURES; i++) {
        const fixture f = fixture_of(i);
        nw_ldp_aggregate *a = filled(&f, 0, 60, 9);
        size_t n = 0;
        size_t refused = 0;
        nw_error err;
        uint8_t *bytes = bytes_of(a, &n);
        const size_t step = n > 5000 ? 97 : 1;
        for (size_t at = 0; at < n; at += step) {
            nw_ldp_aggregate *other = NULL;
            bytes[at] ^= 0x11;
            if (nw_ldp_aggregate_deserialize(&other, bytes, n, &err) == NW_OK) {
                size_t m = 0;
                uint8_t *again = bytes_of(other, &m);
                assert_int_equal(m, n);
                assert_memory_equal(again, bytes, n);
                free(again);
            } else {
                assert_int_equal(err.status, NW_E_FORMAT);
                refused++;
            }
            nw_ldp_aggregate_free(other);
            bytes[at] ^= 0x11;
        }
        assert_true(refused > 0);
        nw_ldp_aggregate_free(a);
        free(bytes);
    }
}

static void merge__refuses_other_campaigns_and_options(void **state)
{
    (void)state;
    nw_error err;
    fixture f = fixture_of(0);
    nw_ldp_aggregate *a = filled(&f, 0, 10, 1);
    nw_ldp_campaign_opts o = options(NW_LDP_GRR, 1.0, 10);
    o.id[3] = 1; /* equal but for the organiser's name */
    const nw_ldp_campaign c = campaign_of(o);
    nw_ldp_aggregate *foreign = empty(&c);
    f.is_tracking_users = true;
    nw_ldp_aggregate *tracking = aggregate_of(&f);
    size_t n = 0;
    uint8_t *bytes = bytes_of(foreign, &n);
    assert_int_equal(nw_ldp_aggregate_merge(a, foreign, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge_bytes(a, bytes, n, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge(a, tracking, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge(a, a, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge(NULL, a, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge(a, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_merge_bytes(NULL, bytes, n, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_deserialize(NULL, bytes, n, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_serialize(NULL, bytes, n, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_serialize(a, NULL, n, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_ACCEPTED), 10);
    free(bytes);
    nw_ldp_aggregate_free(a);
    nw_ldp_aggregate_free(foreign);
    nw_ldp_aggregate_free(tracking);
}

/* ---- verdicts ---- */

static nw_ldp_verdict verdict_of(nw_ldp_aggregate *a, const uint8_t *report, size_t n, const uint8_t *user)
{
    nw_ldp_verdict verdict = NW_LDP_VERDICTS;
    assert_int_equal(nw_ldp_aggregate_add(a, report, n, user, &verdict, NULL), NW_OK);
    return verdict;
}

static void add__refuses_by_reason(void **state)
{
    (void)state;
    const nw_ldp_campaign c = make_bits(NW_LDP_BLH, 1.0, 20, 2); /* g = 4 */
    nw_ldp_aggregate *a = empty(&c);
    nw_rng *rng = seeded(3);
    const nw_ldp_item item = item_of(5);
    uint8_t *good = reports_of(&c, rng, &item, 1, 1);
    const struct {
        size_t at;
        uint8_t value;
        nw_ldp_verdict verdict;
    } cases[] = { { 0, 0x4f, NW_LDP_MALFORMED }, { 1, 2, NW_LDP_MALFORMED }, { 1, 0, NW_LDP_MALFORMED },
        { 2, NW_LDP_OLH, NW_LDP_MALFORMED }, { 3, 2, NW_LDP_OUT_OF_RANGE }, { 3, 255, NW_LDP_OUT_OF_RANGE },
        { 4, (uint8_t)~good[4], NW_LDP_FOREIGN }, { 9, (uint8_t)~good[9], NW_LDP_FOREIGN }, { 14, 4, NW_LDP_OUT_OF_RANGE },
        { 15, 1, NW_LDP_OUT_OF_RANGE } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t report[16];
        memcpy(report, good, 16);
        report[cases[i].at] = cases[i].value;
        assert_int_equal(verdict_of(a, report, 16, NULL), cases[i].verdict);
    }
    assert_int_equal(verdict_of(a, good, 15, NULL), NW_LDP_MALFORMED);
    assert_int_equal(verdict_of(a, good, 17, NULL), NW_LDP_MALFORMED); /* and nothing beyond 16 bytes is read */
    assert_int_equal(verdict_of(a, NULL, 0, NULL), NW_LDP_MALFORMED);
    assert_int_equal(verdict_of(a, good, 16, NULL), NW_LDP_ACCEPTED);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_MALFORMED), 7);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_FOREIGN), 2);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_OUT_OF_RANGE), 4);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_ACCEPTED), 1);
    assert_int_equal(nw_ldp_aggregate_reports(a, 1), 1);
    assert_int_equal(nw_ldp_aggregate_reports(a, 0) + nw_ldp_aggregate_reports(a, 2) + nw_ldp_aggregate_reports(a, 99), 0);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_VERDICTS), 0);
    assert_string_equal(nw_ldp_verdict_name(NW_LDP_WRONG_COIN), "wrong_coin");
    assert_string_equal(nw_ldp_verdict_name(NW_LDP_VERDICTS), "unknown verdict");
    free(good);
    nw_rng_free(rng);
    nw_ldp_aggregate_free(a);
}

static void add__refuses_bits_that_no_client_sets(void **state)
{
    (void)state;
    nw_ldp_campaign_opts o = options(NW_LDP_SUBSET, 1.0, 60);
    o.symbols = 3;
    const nw_ldp_campaign c = campaign_of(o);
    nw_ldp_aggregate *a = empty(&c);
    uint8_t report[18] = { NW__LDP_MARK, 1, NW_LDP_SUBSET, 0 };
    memcpy(report + 4, c.digest, 6);
    report[10] = 7;
    assert_int_equal(verdict_of(a, report, 18, NULL), NW_LDP_ACCEPTED);
    report[10] = 3;
    assert_int_equal(verdict_of(a, report, 18, NULL), NW_LDP_OUT_OF_RANGE); /* two items */
    report[17] = 0x08;
    assert_int_equal(verdict_of(a, report, 18, NULL), NW_LDP_ACCEPTED); /* item 59 */
    report[17] = 0x10;
    assert_int_equal(verdict_of(a, report, 18, NULL), NW_LDP_OUT_OF_RANGE); /* item 60 */
    const nw_ldp_campaign grr = make(NW_LDP_GRR, 1.0, 10);
    nw_ldp_aggregate *b = empty(&grr);
    uint8_t other[16] = { NW__LDP_MARK, 1, NW_LDP_GRR, 0 };
    memcpy(other + 4, grr.digest, 6);
    other[10] = 9;
    assert_int_equal(verdict_of(b, other, 16, NULL), NW_LDP_ACCEPTED);
    other[10] = 10;
    assert_int_equal(verdict_of(b, other, 16, NULL), NW_LDP_OUT_OF_RANGE);
    other[10] = 9;
    other[15] = 0x80;
    assert_int_equal(verdict_of(b, other, 16, NULL), NW_LDP_OUT_OF_RANGE);
    nw_ldp_aggregate_free(a);
    nw_ldp_aggregate_free(b);
}

static void add__checks_coins_and_users(void **state)
{
    (void)state;
    const fixture f = fixture_of(5);
    nw_ldp_aggregate *a = aggregate_of(&f);
    nw_rng *rng = seeded(3);
    const uint8_t users[2][NW_LDP_USER_BYTES] = { { 1 }, { 2 } };
    const nw_ldp_item item = item_of(5);
    uint8_t report[16];
    assert_int_equal(nw_ldp_report_many(&f.campaign, rng, users[0], &item, 1, -1, report, 16, NULL), NW_OK);
    assert_int_equal(verdict_of(a, report, 16, NULL), NW_LDP_WRONG_COIN);
    assert_int_equal(verdict_of(a, report, 16, users[1]), NW_LDP_WRONG_COIN);
    assert_int_equal(verdict_of(a, report, 16, users[0]), NW_LDP_ACCEPTED);
    assert_int_equal(verdict_of(a, report, 16, users[0]), NW_LDP_REPLAYED);
    report[10] ^= 1; /* another seed, chosen by the client */
    assert_int_equal(verdict_of(a, report, 16, users[0]), NW_LDP_WRONG_COIN);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_ACCEPTED), 1);
    nw_ldp_aggregate_free(a);
    nw_rng_free(rng);
}

/* Of a user's reports the smallest counts, in whichever order they come. */
static void add__keeps_one_report_a_user(void **state)
{
    (void)state;
    const fixture f = fixture_of(7);
    const uint8_t user[NW_LDP_USER_BYTES] = { 8 };
    uint8_t report[16] = { NW__LDP_MARK, 1, NW_LDP_GRR, 0 };
    memcpy(report + 4, f.campaign.digest, 6);
    nw_ldp_aggregate *up = aggregate_of(&f);
    nw_ldp_aggregate *down = aggregate_of(&f);
    for (uint8_t i = 3; i < 8; i++) {
        report[10] = i;
        assert_int_equal(verdict_of(up, report, 16, user), i == 3 ? NW_LDP_ACCEPTED : NW_LDP_REPLAYED);
        report[10] = (uint8_t)(10 - i);
        assert_int_equal(verdict_of(down, report, 16, user), i == 3 ? NW_LDP_ACCEPTED : NW_LDP_REPLAYED);
    }
    assert_same(up, down);
    int64_t supports[10];
    nw_ldp_item items[10];
    for (uint64_t i = 0; i < 10; i++)
        items[i] = item_of(i);
    assert_int_equal(nw_ldp_aggregate_support(up, 0, items, 10, supports, NULL), NW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(supports[i], i == 3);
    nw_ldp_aggregate_free(up);
    nw_ldp_aggregate_free(down);
}

static void add_batch__splits_and_counts_the_rest(void **state)
{
    (void)state;
    const nw_ldp_campaign c = make(NW_LDP_GRR, 1.0, 10);
    nw_rng *rng = seeded(3);
    nw_ldp_item items[20];
    for (uint64_t i = 0; i < 20; i++)
        items[i] = item_of(i % 10);
    uint8_t *reports = reports_of(&c, rng, items, 20, -1);
    nw_ldp_aggregate *a = empty(&c);
    nw_ldp_aggregate *b = empty(&c);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, 20 * 16 - 5, NULL, NULL), NW_OK);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(nw_ldp_aggregate_add(b, reports + 16 * i, i < 19 ? 16 : 11, NULL, NULL, NULL), NW_OK);
    assert_same(a, b);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_MALFORMED), 1);
    nw_error err;
    assert_int_equal(nw_ldp_aggregate_add_batch(NULL, reports, 16, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, NULL, 16, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_add(NULL, reports, 16, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_add(a, NULL, 16, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_new(NULL, &c, NULL, &err), NW_E_ARG);
    nw_ldp_aggregate *none = NULL;
    assert_int_equal(nw_ldp_aggregate_new(&none, NULL, NULL, &err), NW_E_ARG);
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    o.is_tracking_users = true;
    const nw_ldp_campaign wide = make(NW_LDP_OUE, 1.0, 49);
    assert_int_equal(nw_ldp_aggregate_new(&none, &wide, &o, &err), NW_E_ARG);
    assert_string_equal(err.message, "is_tracking_users is true, must be false with reports of 17 bytes, not 16");
    o.struct_size = 1;
    assert_int_equal(nw_ldp_aggregate_new(&none, &c, &o, &err), NW_E_ARG);
    assert_null(none);
    nw_ldp_aggregate_free(NULL);
    nw_ldp_aggregate_free(a);
    nw_ldp_aggregate_free(b);
    free(reports);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge__is_associative_and_commutative),
        cmocka_unit_test(merge__equals_one_stream),
        cmocka_unit_test(deserialize__takes_what_serialize_gives),
        cmocka_unit_test(deserialize__refuses_what_no_aggregate_writes),
        cmocka_unit_test(merge__refuses_other_campaigns_and_options),
        cmocka_unit_test(add__refuses_by_reason),
        cmocka_unit_test(add__refuses_bits_that_no_client_sets),
        cmocka_unit_test(add__checks_coins_and_users),
        cmocka_unit_test(add__keeps_one_report_a_user),
        cmocka_unit_test(add_batch__splits_and_counts_the_rest),
    };
    return cmocka_run_group_tests_name("ldp_aggregate", tests, NULL, NULL);
}
