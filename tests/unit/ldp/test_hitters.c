/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_hitters.c - searches for heavy hitters: on supports without noise, whose answer is known; against a plain search by listed
 * items; split over aggregates; stopped, written and read again. */
#include "ldp_support.h"

enum { BITS = 12, LEVELS = 3, ITEMS = 6, PARTIES = 3 };
static const uint64_t codes[ITEMS] = { 0xabc, 0x5bd, 0x123, 0xfff, 0x000, 0x7f0 };
static const uint64_t holders[PARTIES][ITEMS] = { { 9000, 100, 8000, 700, 600, 0 }, { 8000, 200, 100, 6000, 500, 0 },
    { 100, 300, 7000, 300, 3000, 10 } };

static nw_hh_opts search_of(nw_hh_protocol protocol, uint32_t top)
{
    nw_hh_opts o = NW_HH_OPTS_INIT;
    o.protocol = protocol;
    o.top = top;
    o.parties = PARTIES;
    return o;
}

static nw_hh *open_search(const nw_ldp_campaign *c, nw_hh_opts o)
{
    nw_hh *hh = NULL;
    nw_error err;
    if (nw_hh_new(&hh, c, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return hh;
}

static nw_ldp_campaign campaign(void)
{
    return make_bits(NW_LDP_BLH, 2.0, BITS, LEVELS);
}

/* ---- a source without noise ---- */

typedef struct exact {
    const nw_ldp_campaign *campaign;
    size_t pieces;  /* requests so far */
    size_t fail_at; /* which request fails; SIZE_MAX: none */
} exact;

static uint64_t reports_of_party(size_t p)
{
    uint64_t n = 0;
    for (size_t i = 0; i < ITEMS; i++)
        n += holders[p][i];
    return n;
}

/* The expected supports, which estimate the holders but for rounding. */
static nw_status tell(void *context, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    exact *e = context;
    const nw_ldp_law law = nw_ldp_campaign_law(e->campaign);
    const unsigned cut = BITS - e->campaign->lengths[r->level];
    (void)err;
    if (e->pieces++ == e->fail_at)
        return NW_E_IO;
    for (size_t i = 0; i < r->n; i++)
        for (uint64_t c = 0; c < UINT64_C(1) << r->suffix_bits; c++) {
            const uint64_t code = r->prefixes[i].low << r->suffix_bits | c;
            double n = 0.0;
            double own = 0.0;
            for (size_t p = 0; p < PARTIES; p++) {
                if (r->party != NW_HH_ALL_PARTIES && r->party != p)
                    continue;
                n += (double)reports_of_party(p);
                for (size_t k = 0; k < ITEMS; k++)
                    own += codes[k] >> cut == code ? (double)holders[p][k] : 0.0;
            }
            supports[(i << r->suffix_bits) + c] = llround(n * law.other + own * (law.own - law.other));
        }
    return NW_OK;
}

static nw_hh *run_exact(const nw_ldp_campaign *c, nw_hh_opts o)
{
    nw_hh *hh = open_search(c, o);
    exact e = { c, 0, SIZE_MAX };
    const uint64_t reports[PARTIES] = { reports_of_party(0), reports_of_party(1), reports_of_party(2) };
    for (unsigned l = 0; l < LEVELS; l++) {
        assert_int_equal(nw_hh_level(hh), l);
        assert_false(nw_hh_is_done(hh));
        assert_int_equal(nw_hh_step(hh, reports, tell, &e, NULL), NW_OK);
    }
    assert_true(nw_hh_is_done(hh));
    return hh;
}

/* Users are those of all levels, of which each has told as many here. */
static void assert_hit(const nw_hh *hh, size_t i, uint64_t code, double users)
{
    nw_hh_hit hit;
    assert_int_equal(nw_hh_get(hh, i, &hit, NULL), NW_OK);
    assert_int_equal(hit.item.low, code);
    assert_near(hit.count, users * LEVELS, 10.0); /* supports are whole: half of one is at most 2 users */
    assert_true(hit.error > 0.0);
}

static void step__finds_what_there_is(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    static const nw_hh_protocol together[] = { NW_HH_PEM, NW_HH_POOLED };
    for (size_t i = 0; i < 2; i++) {
        nw_hh *hh = run_exact(&c, search_of(together[i], 3));
        assert_int_equal(nw_hh_found(hh), 3);
        assert_hit(hh, 0, 0xabc, 17100);
        assert_hit(hh, 1, 0x123, 15100);
        assert_hit(hh, 2, 0xfff, 7000);
        assert_int_equal(nw_hh_users(hh), LEVELS * (reports_of_party(0) + reports_of_party(1) + reports_of_party(2)));
        nw_hh_free(hh);
    }
}

/* Each party tells its own two: the server adds up what it is told, and no more. */
static void step__adds_up_what_parties_tell(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    nw_hh *hh = run_exact(&c, search_of(NW_HH_FEDPEM, 2));
    nw_hh_hit hits[2];
    size_t n;
    assert_int_equal(nw_hh_found(hh), 2);
    assert_hit(hh, 0, 0xabc, 17000);
    assert_hit(hh, 1, 0x123, 15000);
    assert_int_equal(nw_hh_party(hh, 2, hits, &n, NULL), NW_OK);
    assert_int_equal(n, 2);
    assert_int_equal(hits[0].item.low, 0x123);
    assert_int_equal(hits[1].item.low, 0x000);
    assert_int_equal(nw_hh_get_traffic(hh).up, PARTIES * 2 * 32);
    assert_int_equal(nw_hh_get_traffic(hh).rounds, 1);
    nw_hh_free(hh);
    nw_hh_opts o = search_of(NW_HH_SHARED, 2);
    o.shared = 2;
    o.is_pruning = o.is_adaptive = true;
    hh = run_exact(&c, o);
    assert_hit(hh, 0, 0xabc, 17000);
    assert_hit(hh, 1, 0x123, 15000);
    assert_int_equal(nw_hh_get_traffic(hh).rounds, 2 + PARTIES);
    nw_hh_free(hh);
}

/* Two codes of one party that are alike to it: what a larger party said before decides. */
static nw_status tell_consensus(void *context, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    const nw_ldp_campaign *c = context;
    const nw_ldp_law law = nw_ldp_campaign_law(c);
    const double n = r->party == 0 ? 100000.0 : 10000.0;
    (void)err;
    for (size_t i = 0; i < r->n << r->suffix_bits; i++)
        supports[i] = llround(n * law.other);
    for (size_t i = 0; i < r->n; i++)
        for (uint64_t s = 0; s < UINT64_C(1) << r->suffix_bits; s++) {
            const uint64_t code = r->prefixes[i].low << r->suffix_bits | s;
            const double own = r->party == 0 ? (code == 2 ? 0.3 : 0.0) : code == 1 ? 0.07 : code == 2 ? 0.065 : 0.0;
            supports[(i << r->suffix_bits) + s] = llround(n * (law.other + own * (law.own - law.other)));
        }
    return NW_OK;
}

static void step__prunes_by_what_larger_parties_said(void **state)
{
    (void)state;
    const nw_ldp_campaign c = make_bits(NW_LDP_BLH, 2.0, 4, 1);
    const uint64_t reports[2] = { 100000, 10000 };
    for (int is_pruning = 0; is_pruning < 2; is_pruning++) {
        nw_hh_opts o = search_of(NW_HH_SHARED, 1);
        nw_hh_hit hit;
        size_t n;
        o.parties = 2;
        o.is_pruning = is_pruning;
        nw_hh *hh = open_search(&c, o);
        assert_int_equal(nw_hh_step(hh, reports, tell_consensus, (void *)(uintptr_t)&c, NULL), NW_OK);
        assert_int_equal(nw_hh_party(hh, 1, &hit, &n, NULL), NW_OK);
        assert_int_equal(n, 1);
        assert_int_equal(hit.item.low, 1); /* both are kept, and its own estimate is the higher of the two */
        assert_int_equal(nw_hh_get_traffic(hh).down, is_pruning ? 32 : 0);
        nw_hh_free(hh);
    }
}

static void step__leaves_the_state_as_it_was_when_a_source_fails(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    const uint64_t reports[PARTIES] = { 1000, 2000, 3000 };
    nw_hh *hh = open_search(&c, search_of(NW_HH_FEDPEM, 2));
    uint8_t before[512];
    uint8_t after[512];
    exact e = { &c, 0, 1 };
    assert_int_equal(nw_hh_serialize(hh, before, sizeof before, NULL), NW_OK);
    assert_int_equal(nw_hh_step(hh, reports, tell, &e, NULL), NW_E_IO);
    assert_int_equal(nw_hh_serialize(hh, after, sizeof after, NULL), NW_OK);
    assert_memory_equal(before, after, nw_hh_size(hh));
    nw_hh_free(hh);
}

/* A party without users, and a search in which nobody stands out, have answers too. */
static nw_status tell_nothing(void *context, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    (void)context;
    (void)err;
    assert_int_not_equal(r->party, 1); /* which has no reports */
    memset(supports, 0, (r->n << r->suffix_bits) * sizeof *supports);
    return NW_OK;
}

static void step__takes_empty_parties_and_empty_answers(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    const uint64_t reports[PARTIES] = { 1000, 0, 3000 };
    for (int protocol = NW_HH_PEM; protocol <= NW_HH_POOLED; protocol++) {
        nw_hh *hh = open_search(&c, search_of((nw_hh_protocol)protocol, 2));
        for (unsigned l = 0; l < LEVELS; l++)
            assert_int_equal(nw_hh_step(hh, reports, tell_nothing, NULL, NULL), NW_OK);
        assert_int_equal(nw_hh_found(hh), 0);
        assert_int_equal(nw_hh_users(hh), 3 * 4000);
        nw_hh_free(hh);
    }
}

/* ---- reports ---- */

enum { USERS = 6000 };

/* Users whose items follow 1/rank, on aggregates in turn. */
static void fill(nw_ldp_aggregate **aggregates, size_t n, const nw_ldp_campaign *c)
{
    nw_rng *rng = seeded(77);
    uint8_t report[NW_LDP_SHORT_REPORT];
    for (size_t i = 0; i < USERS; i++) {
        const size_t size = nw_ldp_report_size(c);
        const nw_ldp_item item = item_of(codes[USERS / (i + 1) % ITEMS]);
        assert_int_equal(nw_ldp_report_many(c, rng, NULL, &item, 1, -1, report, sizeof report, NULL), NW_OK);
        assert_int_equal(nw_ldp_aggregate_add(aggregates[i % n], report, size, NULL, NULL, NULL), NW_OK);
    }
    nw_rng_free(rng);
}

/* [WLJ19] by hand: supports of listed codes, the best `top` by support go on, those above what is expected of none. */
static size_t plain_pem(const nw_ldp_aggregate *a, size_t top, uint64_t *found, double *counts)
{
    const nw_ldp_campaign *c = nw_ldp_aggregate_campaign(a);
    uint64_t kept[16] = { 0 };
    size_t n = 1;
    for (unsigned l = 0; l < c->levels; l++) {
        const unsigned step = c->lengths[l] - (l == 0 ? 0u : c->lengths[l - 1]);
        uint64_t next[16] = { 0 };
        double best[16];
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            for (uint64_t s = 0; s < UINT64_C(1) << step; s++) {
                const nw_ldp_item item = item_of(kept[i] << step | s);
                double count;
                assert_int_equal(nw_ldp_aggregate_estimate(a, l, &item, 1, &count, NULL, NULL), NW_OK);
                size_t at = m < top ? m++ : top;
                while (at > 0 && best[at - 1] < count) {
                    if (at < top) {
                        best[at] = best[at - 1];
                        next[at] = next[at - 1];
                    }
                    at--;
                }
                if (at < top) {
                    best[at] = count;
                    next[at] = item.low;
                }
            }
        while (m > 0 && best[m - 1] <= 0.0)
            m--;
        n = m;
        for (size_t i = 0; i < m; i++) {
            kept[i] = next[i];
            for (size_t k = i; k > 0 && kept[k - 1] > kept[k]; k--) { /* extensions come in the order of their codes */
                const uint64_t swapped = kept[k];
                kept[k] = kept[k - 1];
                kept[k - 1] = swapped;
            }
        }
        memcpy(found, next, m * sizeof *found);
        memcpy(counts, best, m * sizeof *counts);
    }
    return n;
}

static void pem__is_the_published_search(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    nw_ldp_aggregate *a = empty(&c);
    const nw_ldp_aggregate *const aggregates[1] = { a };
    uint64_t found[16];
    double counts[16];
    fill(&a, 1, &c);
    for (uint32_t top = 1; top <= 8; top++) {
        nw_hh_opts o = search_of(NW_HH_PEM, top);
        o.parties = 1;
        nw_hh *hh = open_search(&c, o);
        while (!nw_hh_is_done(hh))
            assert_int_equal(nw_hh_step_aggregates(hh, aggregates, 1, NULL, NULL, NULL), NW_OK);
        const size_t n = plain_pem(a, top, found, counts);
        const double users = (double)nw_hh_users(hh);
        assert_int_equal(users, USERS);
        assert_int_equal(nw_hh_found(hh), n);
        for (size_t i = 0; i < n; i++) {
            nw_hh_hit hit;
            assert_int_equal(nw_hh_get(hh, i, &hit, NULL), NW_OK);
            assert_int_equal(hit.item.low, found[i]);
            assert_near(hit.count, counts[i] * users / (double)nw_ldp_aggregate_reports(a, LEVELS - 1), 1e-6);
        }
        nw_hh_free(hh);
    }
    nw_ldp_aggregate_free(a);
}

static void bytes_of(const nw_hh *hh, uint8_t **out, size_t *n)
{
    *n = nw_hh_size(hh);
    *out = malloc(*n);
    assert_non_null(*out);
    assert_int_equal(nw_hh_serialize(hh, *out, *n, NULL), NW_OK);
}

/* One aggregate of all, and three that add up to it; stopped, written and read again between any two steps. */
static void step_aggregates__does_not_depend_on_how_reports_are_spread(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    nw_ldp_aggregate *apart[PARTIES] = { empty(&c), empty(&c), empty(&c) };
    nw_ldp_aggregate *all = empty(&c);
    fill(apart, PARTIES, &c);
    for (size_t p = 0; p < PARTIES; p++)
        assert_int_equal(nw_ldp_aggregate_merge(all, apart[p], NULL), NW_OK);
    nw_hh *of_three = open_search(&c, search_of(NW_HH_POOLED, 4));
    nw_hh *of_all = open_search(&c, search_of(NW_HH_POOLED, 4));
    for (unsigned l = 0; l < LEVELS; l++) {
        uint64_t reports[PARTIES];
        uint8_t *a;
        uint8_t *b;
        size_t n;
        size_t m;
        for (size_t p = 0; p < PARTIES; p++)
            reports[p] = nw_ldp_aggregate_reports(apart[p], l);
        assert_int_equal(
            nw_hh_step_aggregates(of_three, (const nw_ldp_aggregate *const *)apart, PARTIES, NULL, NULL, NULL), NW_OK);
        assert_int_equal(nw_hh_step_aggregates(of_all, (const nw_ldp_aggregate *const *)&all, 1, reports, NULL, NULL), NW_OK);
        bytes_of(of_three, &a, &n);
        bytes_of(of_all, &b, &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
        nw_hh_free(of_all);
        assert_int_equal(nw_hh_deserialize(&of_all, a, n, NULL), NW_OK);
        free(a);
        free(b);
    }
    for (size_t i = 0; i < nw_hh_found(of_three); i++) {
        nw_hh_hit x;
        nw_hh_hit y;
        assert_int_equal(nw_hh_get(of_three, i, &x, NULL), NW_OK);
        assert_int_equal(nw_hh_get(of_all, i, &y, NULL), NW_OK);
        assert_memory_equal(&x, &y, sizeof x);
    }
    assert_int_equal(nw_hh_found(of_three), nw_hh_found(of_all));
    nw_hh_free(of_three);
    nw_hh_free(of_all);
    nw_ldp_aggregate_free(all);
    for (size_t p = 0; p < PARTIES; p++)
        nw_ldp_aggregate_free(apart[p]);
}

static void deserialize__refuses_what_is_not_whole(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    nw_hh *hh = run_exact(&c, search_of(NW_HH_FEDPEM, 2));
    nw_hh *other = NULL;
    uint8_t *bytes;
    size_t n;
    bytes_of(hh, &bytes, &n);
    for (size_t size = 0; size < n; size++)
        assert_int_equal(nw_hh_deserialize(&other, bytes, size, NULL), NW_E_FORMAT);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x10;
        assert_int_equal(nw_hh_deserialize(&other, bytes, n, NULL), NW_E_FORMAT);
        bytes[i] ^= 0x10;
    }
    assert_null(other);
    assert_int_equal(nw_hh_serialize(hh, bytes, n - 1, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_deserialize(NULL, bytes, n, NULL), NW_E_ARG);
    free(bytes);
    nw_hh_free(hh);
}

/* ---- options ---- */

static void refuse(const nw_ldp_campaign *c, nw_hh_opts o, const char *text)
{
    nw_hh *hh = NULL;
    nw_error err;
    assert_int_equal(nw_hh_new(&hh, c, &o, &err), NW_E_ARG);
    assert_null(hh);
    if (strstr(err.message, text) == NULL)
        fail_msg("\"%s\" must have \"%s\"", err.message, text);
}

static void new__refuses_bad_options(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    const nw_ldp_campaign closed = make(NW_LDP_GRR, 1.0, 10);
    const nw_hh_opts good = search_of(NW_HH_SHARED, 5);
    const uint8_t apart[2] = { 1, 30 };
    nw_ldp_campaign_opts far = options(NW_LDP_BLH, 1.0, 0);
    nw_hh_opts o = good;
    refuse(&closed, o, "oracle is grr");
    far.bits = 30;
    far.levels = 2;
    far.lengths = apart;
    const nw_ldp_campaign wide = campaign_of(far);
    refuse(&wide, o, "adds 29 bits, must add at most 24");
    o.protocol = (nw_hh_protocol)0;
    refuse(&c, o, "protocol is 0, must be pem, fedpem, shared or pooled");
    o = good;
    o.top = 0;
    refuse(&c, o, "top is 0, must be in 1..4096");
    o.top = 4097;
    refuse(&c, o, "top is 4097");
    const nw_ldp_campaign few = make_bits(NW_LDP_BLH, 1.0, 3, 1);
    o.top = 9;
    refuse(&few, o, "top is 9, must be at most the 2^3 items");
    o = good;
    o.parties = 0;
    refuse(&c, o, "parties is 0");
    o = good;
    o.keep = 4;
    refuse(&c, o, "keep is 4, must be in 5..65536");
    o = good;
    o.shared = LEVELS;
    refuse(&c, o, "shared is 3, must be below the 3 levels");
    o.protocol = NW_HH_POOLED;
    o.shared = 1;
    refuse(&c, o, "and 0 for pooled");
    o = good;
    o.threshold = NAN;
    refuse(&c, o, "threshold is nan, must be in 0..10");
    o = search_of(NW_HH_FEDPEM, 5);
    o.is_pruning = true;
    refuse(&c, o, "is_pruning is true, must be false for fedpem");
    o = good;
    o.encoding = (nw_hh_encoding)9;
    refuse(&c, o, "encoding is 9");
}

static void calls__out_of_turn_are_refused(void **state)
{
    (void)state;
    const nw_ldp_campaign c = campaign();
    const nw_ldp_campaign other = make_bits(NW_LDP_BLH, 1.0, BITS, LEVELS);
    nw_hh_hit hit[8];
    size_t n;
    exact e = { &c, 0, SIZE_MAX };
    nw_hh *hh = open_search(&c, search_of(NW_HH_POOLED, 5));
    nw_ldp_aggregate *foreign = empty(&other);
    const nw_ldp_aggregate *const aggregates[2] = { foreign, foreign };
    const uint64_t reports[PARTIES] = { 1, 1, 1 };
    assert_int_equal(nw_hh_get(hh, 0, hit, NULL), NW_E_STATE);
    assert_int_equal(nw_hh_found(hh), 0);
    assert_int_equal(nw_hh_step(hh, NULL, tell, &e, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_step_aggregates(hh, aggregates, 1, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_step_aggregates(hh, aggregates, 2, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_party(hh, 0, hit, &n, NULL), NW_E_STATE);
    nw_hh_free(hh);
    hh = run_exact(&c, search_of(NW_HH_POOLED, 5));
    assert_int_equal(nw_hh_step(hh, reports, tell, &e, NULL), NW_E_STATE);
    assert_int_equal(nw_hh_party(hh, 0, hit, &n, NULL), NW_E_STATE);
    assert_int_equal(nw_hh_party(hh, PARTIES, hit, &n, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_get(hh, 5, hit, NULL), NW_E_ARG);
    nw_hh_free(hh);
    nw_ldp_aggregate_free(foreign);
}

static void levels__are_as_published_or_few(void **state)
{
    (void)state;
    static const struct {
        nw_hh_protocol protocol;
        nw_hh_encoding encoding;
        unsigned bits, top, step;
        unsigned levels;
        uint8_t lengths[8]; /* the first ones */
    } cases[] = {
        { NW_HH_PEM, NW_HH_U64, 48, 10, 0, 23, { 4, 6, 8, 10 } },
        { NW_HH_PEM, NW_HH_U64, 12, 16, 1, 8, { 5, 6, 7, 8, 9, 10, 11, 12 } },
        { NW_HH_POOLED, NW_HH_U64, 48, 10, 0, 3, { 22, 35, 48 } },
        { NW_HH_POOLED, NW_HH_LETTERS5, 60, 10, 0, 4, { 20, 35, 50, 60 } },
        { NW_HH_POOLED, NW_HH_UTF8, 64, 10, 0, 4, { 16, 32, 48, 64 } },
        { NW_HH_SHARED, NW_HH_U64, 10, 3, 0, 1, { 10 } },
        { NW_HH_FEDPEM, NW_HH_U64, 10, 3, 4, 3, { 4, 8, 10 } },
    };
    uint8_t lengths[NW_LDP_MAX_LEVELS];
    unsigned levels;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(nw_hh_levels(cases[i].protocol, cases[i].encoding, cases[i].bits, cases[i].top, cases[i].step, lengths,
                             &levels, NULL),
            NW_OK);
        assert_int_equal(levels, cases[i].levels);
        for (unsigned l = 0; l < 8 && cases[i].lengths[l] != 0; l++)
            assert_int_equal(lengths[l], cases[i].lengths[l]);
        assert_int_equal(lengths[levels - 1], cases[i].bits);
    }
    for (unsigned bits = 1; bits <= 128; bits++) {
        assert_int_equal(nw_hh_levels(NW_HH_POOLED, NW_HH_U64, bits, 10, 0, lengths, &levels, NULL), NW_OK);
        for (unsigned l = 0; l < levels; l++)
            assert_in_range(lengths[l] - (l == 0 ? 0 : lengths[l - 1]), 1, l == 0 ? 22 : 16);
        assert_int_equal(lengths[levels - 1], bits);
    }
    assert_int_equal(nw_hh_levels(NW_HH_PEM, NW_HH_U64, 48, 10, 1, lengths, &levels, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_levels(NW_HH_PEM, NW_HH_U64, 0, 10, 1, lengths, &levels, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_levels(NW_HH_PEM, NW_HH_U64, 129, 10, 1, lengths, &levels, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_levels(NW_HH_PEM, NW_HH_U64, 48, 0, 1, lengths, &levels, NULL), NW_E_ARG);
    assert_int_equal(nw_hh_levels(NW_HH_PEM, NW_HH_U64, 48, 10, 23, lengths, &levels, NULL), NW_E_ARG);
}

static void compare__is_f1_and_ncr(void **state)
{
    (void)state;
    const nw_ldp_item truth[4] = { { 0, 1 }, { 0, 2 }, { 0, 3 }, { 0, 4 } };
    const nw_ldp_item some[3] = { { 0, 9 }, { 0, 3 }, { 0, 1 } };
    const nw_hh_score all = nw_hh_compare(truth, 4, truth, 4);
    const nw_hh_score part = nw_hh_compare(some, 3, truth, 4);
    const nw_hh_score none = nw_hh_compare(some, 0, truth, 4);
    assert_near(all.f1, 1.0, 0.0);
    assert_near(all.ncr, 1.0, 0.0);
    assert_near(part.f1, 2.0 * 2.0 / 7.0, 1e-15); /* precision 2/3, recall 2/4 */
    assert_near(part.ncr, (4.0 + 2.0) / 10.0, 1e-15);
    assert_near(none.f1 + none.ncr, 0.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__finds_what_there_is),
        cmocka_unit_test(step__adds_up_what_parties_tell),
        cmocka_unit_test(step__prunes_by_what_larger_parties_said),
        cmocka_unit_test(step__leaves_the_state_as_it_was_when_a_source_fails),
        cmocka_unit_test(step__takes_empty_parties_and_empty_answers),
        cmocka_unit_test(pem__is_the_published_search),
        cmocka_unit_test(step_aggregates__does_not_depend_on_how_reports_are_spread),
        cmocka_unit_test(deserialize__refuses_what_is_not_whole),
        cmocka_unit_test(new__refuses_bad_options),
        cmocka_unit_test(calls__out_of_turn_are_refused),
        cmocka_unit_test(levels__are_as_published_or_few),
        cmocka_unit_test(compare__is_f1_and_ncr),
    };
    return cmocka_run_group_tests_name("hitters", tests, NULL, NULL);
}
