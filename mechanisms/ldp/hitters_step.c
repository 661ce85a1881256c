/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters_step.c - one level of a prefix tree: supports of all extensions, the frequent among them go on [WLJ19, Alg. 1].
 *
 * Deviations: prefixes are extended by as many bits as a transform allows, more prefixes than items that are wanted go on, those
 * that noise alone explains do not, and codes that no item has are left out. With PEM's default options there are none. Codes are
 * compared by their supports, which are integers: a result does not depend on the machine. */
#include "hitters_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char STEP[] = "nw_hh_step";
static const size_t MOST_CODES = (size_t)1 << 22; /* at a time */
static const double ADAPTIVE_DEVIATIONS = 2.5;
enum { RERANKED = 4, REPORT_BYTES = 6, SUPPORT_BYTES = 8, PREFIX_BYTES = 16, ESTIMATE_BYTES = 32 };

/* What one step works with. */
typedef struct step {
    nw_hh *hh;
    const uint64_t *reports; /* of each party */
    nw_hh_source source;
    void *context;
    unsigned suffix_bits;
    bool is_last;
    int64_t *supports;
} step;

/* ---- the most frequent codes ---- */

/* A heap whose root is the least. Of equal supports the larger code is less. */
static bool is_less(const nw__hh_nominee *a, const nw__hh_nominee *b)
{
    return a->support != b->support ? a->support < b->support : nw__hh_compare_items(a->prefix, b->prefix) > 0;
}

static void sift_down(nw__hh_nominee *heap, size_t n, size_t at)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && is_less(&heap[child + 1], &heap[child]))
            child++;
        if (!is_less(&heap[child], &heap[at]))
            return;
        const nw__hh_nominee swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
        at = child;
    }
}

static void push(nw__hh_nominees *heap, size_t capacity, const nw__hh_nominee *one)
{
    size_t at = heap->n;
    if (heap->n == capacity) {
        heap->items[0] = *one;
        sift_down(heap->items, heap->n, 0);
        return;
    }
    for (heap->n++; at > 0 && is_less(one, &heap->items[(at - 1) / 2]); at = (at - 1) / 2)
        heap->items[at] = heap->items[(at - 1) / 2];
    heap->items[at] = *one;
}

static int by_support(const void *a, const void *b)
{
    return is_less(a, b) ? 1 : -1; /* no two codes are equal */
}

static int by_rank(const void *a, const void *b)
{
    const nw__hh_nominee *x = a;
    const nw__hh_nominee *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? 1 : -1) : by_support(a, b);
}

static int by_prefix(const void *a, const void *b)
{
    return nw__hh_compare_items(((const nw__hh_node *)a)->prefix, ((const nw__hh_node *)b)->prefix);
}

/* ---- nominees of a group ---- */

/* More than go on: they are ranked anew by what all levels say. */
static size_t capacity_of(const nw_hh_opts *o)
{
    return o->protocol == NW_HH_PEM ? o->keep : (size_t)RERANKED * o->keep;
}

/* The support that a code has to exceed. */
static int64_t bar_of(const step *s, uint64_t reports)
{
    const nw_ldp_law law = nw_ldp_campaign_law(&s->hh->campaign);
    const double deviation = nw_ldp_campaign_deviation(&s->hh->campaign, (double)reports, 0.0);
    return (int64_t)floor((double)reports * law.other + s->hh->opts.threshold * deviation * (law.own - law.other));
}

/* Supports of the codes of one piece; they come in increasing order, so of equal ones the first is kept. */
static void scan(
    const step *s, const nw_ldp_item *prefixes, size_t first, size_t n, int64_t *bar, size_t capacity, nw__hh_nominees *heap)
{
    const unsigned length = s->hh->campaign.lengths[s->hh->level];
    const unsigned bits = s->hh->campaign.bits;
    const size_t codes = (size_t)1 << s->suffix_bits;
    for (size_t i = 0; i < n; i++) {
        const int64_t *supports = s->supports + (i << s->suffix_bits);
        for (size_t c = 0; c < codes; c++) {
            if (supports[c] <= *bar)
                continue;
            const nw__hh_nominee one = {
                .prefix = nw__hh_extend(prefixes[i], s->suffix_bits, c), .support = supports[c], .parent = (uint32_t)(first + i)
            };
            if (s->hh->opts.encoding != 0 && !nw_hh_is_prefix(s->hh->opts.encoding, bits, one.prefix, length))
                continue;
            push(heap, capacity, &one);
            if (heap->n == capacity)
                *bar = heap->items[0].support;
        }
    }
}

static nw_status estimate(const step *s, uint64_t reports, nw__hh_nominees *all, int64_t bar, nw_error *err)
{
    const double n = (double)reports;
    double count;
    double error;
    for (size_t i = 0; i < all->n; i++) {
        nw__hh_nominee *one = &all->items[i];
        NW__TRY(nw_ldp_estimate(&s->hh->campaign, reports, &one->support, 1, &count, &error, err));
        one->frequency = count / n;
        one->variance = (error / n) * (error / n);
        one->weight = count / nw_ldp_campaign_deviation(&s->hh->campaign, n, 0.0);
    }
    NW__TRY(nw_ldp_estimate(&s->hh->campaign, reports, &bar, 1, &count, NULL, err));
    all->bound = count / n;
    return NW_OK;
}

/* Searches all extensions of the group's prefixes. */
static nw_status nominate(const step *s, size_t group, uint64_t reports, nw__hh_nominees *all, nw_error *err)
{
    nw_hh *hh = s->hh;
    const nw_ldp_item root = { 0, 0 };
    const nw__hh_list *before = hh->level == 0 ? NULL : nw__hh_list_of(hh, hh->level - 1, group);
    const size_t n = before == NULL ? 1 : before->n;
    const size_t capacity = capacity_of(&hh->opts);
    const size_t piece = MOST_CODES >> s->suffix_bits > 0 ? MOST_CODES >> s->suffix_bits : 1;
    int64_t bar = bar_of(s, reports);
    *all = (nw__hh_nominees){ 0 };
    if (reports == 0 || n == 0)
        return NW_OK;
    all->items = nw__calloc(capacity, sizeof *all->items);
    nw_ldp_item *prefixes = nw__calloc(n, sizeof *prefixes);
    nw_status status = all->items == NULL || prefixes == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    for (size_t i = 0; status == NW_OK && i < n; i++)
        prefixes[i] = before == NULL ? root : before->nodes[i].prefix;
    for (size_t first = 0; status == NW_OK && first < n; first += piece) {
        const size_t m = n - first < piece ? n - first : piece;
        const nw_hh_request request = { hh->level, nw__hh_is_together(hh, hh->level) ? NW_HH_ALL_PARTIES : (uint32_t)group,
            prefixes + first, m, s->suffix_bits };
        status = s->source(s->context, &request, s->supports, err);
        if (status == NW_OK)
            scan(s, prefixes + first, first, m, &bar, capacity, all);
    }
    free(prefixes);
    if (status == NW_OK)
        status = estimate(s, reports, all, bar, err);
    if (status == NW_OK && all->n > 0)
        qsort(all->items, all->n, sizeof *all->items, by_support);
    return status;
}

/* ---- what goes on ---- */

static nw__hh_node to_node(const nw__hh_nominee *one)
{
    return (nw__hh_node){ one->prefix, one->frequency, one->variance, one->parent };
}

/* Ranks the nominees by consensus if there is any, else by their frequency over all levels. */
static nw_status rank(const step *s, size_t group, uint64_t reports, bool has_consensus, nw__hh_nominees *all, nw_error *err)
{
    nw__hh_node *nodes = nw__calloc(all->n, sizeof *nodes);
    nw__hh_pooled *pools = nw__calloc(all->n, sizeof *pools);
    nw_status status = nodes == NULL || pools == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    if (status == NW_OK) {
        for (size_t i = 0; i < all->n; i++)
            nodes[i] = to_node(&all->items[i]);
        status = nw__hh_pool(s->hh, s->hh->level, group, reports, nodes, all->n, pools, err);
    }
    for (size_t i = 0; status == NW_OK && i < all->n; i++)
        all->items[i].rank = has_consensus ? all->items[i].weight : pools[i].frequency;
    if (status == NW_OK && all->n > 0)
        qsort(all->items, all->n, sizeof *all->items, by_rank);
    free(nodes);
    free(pools);
    return status;
}

static bool goes_on(const step *s, const nw__hh_nominee *one, size_t before)
{
    const nw_hh_opts *o = &s->hh->opts;
    if (!(one->weight > o->threshold))
        return false;
    return s->is_last || (before < o->keep && (before < o->top || !o->is_adaptive || one->weight >= ADAPTIVE_DEVIATIONS));
}

static nw_status keep(const step *s, const nw__hh_nominees *all, nw__hh_list *list, nw_error *err)
{
    list->nodes = nw__calloc(all->n, sizeof *list->nodes);
    if (list->nodes == NULL)
        return nw__fail_memory(err, STEP);
    for (size_t i = 0; i < all->n; i++)
        if (goes_on(s, &all->items[i], list->n))
            list->nodes[list->n++] = to_node(&all->items[i]);
    if (list->n > 0)
        qsort(list->nodes, list->n, sizeof *list->nodes, by_prefix);
    return NW_OK;
}

/* The groups by size, the largest first: the one who has most to tell tells first. */
static void sort_groups(size_t *order, size_t n, const uint64_t *reports)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && reports[order[at - 1]] < reports[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static nw_status search(
    const step *s, size_t groups, const uint64_t *group_reports, nw__hh_list *lists, nw_hh_traffic *traffic, nw_error *err)
{
    const bool has_consensus = s->hh->opts.is_pruning && groups > 1;
    nw__hh_nominees *all = nw__calloc(groups, sizeof *all);
    size_t *order = nw__calloc(groups, sizeof *order);
    size_t told = 0;
    nw_status status = all == NULL || order == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    if (status == NW_OK)
        sort_groups(order, groups, group_reports);
    for (size_t turn = 0; status == NW_OK && turn < groups; turn++) {
        const size_t g = order[turn];
        status = nominate(s, g, group_reports[g], &all[g], err);
        if (status == NW_OK && has_consensus && all[g].n > 0) {
            nw__hh_weigh(s->hh, all, group_reports, order, turn);
            traffic->down += ESTIMATE_BYTES * (uint64_t)told;
            told += all[g].n;
        }
        if (status == NW_OK)
            status = rank(s, g, group_reports[g], has_consensus, &all[g], err);
        if (status == NW_OK)
            status = keep(s, &all[g], &lists[g], err);
    }
    for (size_t g = 0; all != NULL && g < groups; g++)
        free(all[g].items);
    free(all);
    free(order);
    return status;
}

/* ---- the step ---- */

/* What a level costs to send. Of PEM all users report to the one server. */
static void count_traffic(const nw_hh *hh, const uint64_t *reports, unsigned suffix_bits, nw_hh_traffic *t)
{
    const nw_hh_opts *o = &hh->opts;
    const unsigned level = hh->level;
    const bool is_together = nw__hh_is_together(hh, level);
    const uint64_t prefixes = level == 0 ? 1 : hh->lists[level - 1][0].n;
    if (o->protocol == NW_HH_PEM) {
        t->rounds = 1;
        for (size_t p = 0; p < o->parties; p++)
            t->up += REPORT_BYTES * reports[p];
    } else if (is_together) {
        t->rounds++;
        for (size_t p = 0; p < o->parties; p++) {
            const uint64_t supports = (prefixes << suffix_bits) * SUPPORT_BYTES;
            const uint64_t log = reports[p] * REPORT_BYTES;
            t->up += supports < log ? supports : log;
            t->down += level == 0 ? 0 : prefixes * PREFIX_BYTES;
        }
    } else if (level == 0 || nw__hh_is_together(hh, level - 1)) {
        t->rounds += o->is_pruning ? o->parties : 1;
        t->down += level == 0 ? 0 : prefixes * PREFIX_BYTES * o->parties;
    }
}

static nw_status check_step(const nw_hh *hh, const uint64_t *reports, nw_hh_source source, nw_error *err)
{
    if (hh == NULL || reports == NULL || source == NULL)
        return nw__fail(err, NW_E_ARG, STEP, "%s is NULL", hh == NULL ? "hh" : reports == NULL ? "reports" : "source");
    if (nw_hh_is_done(hh))
        return nw__fail(err, NW_E_STATE, STEP, "all %u levels are closed", hh->level);
    return NW_OK;
}

nw_status nw_hh_step(nw_hh *hh, const uint64_t *reports, nw_hh_source source, void *context, nw_error *err)
{
    NW__TRY(check_step(hh, reports, source, err));
    const unsigned level = hh->level;
    const unsigned suffix_bits = hh->campaign.lengths[level] - (level == 0 ? 0u : hh->campaign.lengths[level - 1]);
    const size_t groups = nw__hh_groups(hh, level);
    const size_t codes = suffix_bits > 22 ? (size_t)1 << suffix_bits : MOST_CODES;
    step s = { hh, reports, source, context, suffix_bits, level + 1u == hh->campaign.levels, NULL };
    nw_hh_traffic traffic = hh->traffic;
    uint64_t sum = 0;
    uint64_t *kept_reports = nw__calloc(hh->opts.parties, sizeof *kept_reports);
    nw__hh_list *lists = nw__calloc(groups, sizeof *lists);
    s.supports = nw__calloc(codes, sizeof *s.supports);
    nw_status status = kept_reports == NULL || lists == NULL || s.supports == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    for (size_t p = 0; status == NW_OK && p < hh->opts.parties; p++) {
        kept_reports[p] = reports[p];
        sum += reports[p];
    }
    if (status == NW_OK) {
        count_traffic(hh, reports, suffix_bits, &traffic);
        status = search(&s, groups, nw__hh_is_together(hh, level) ? &sum : reports, lists, &traffic, err);
    }
    free(s.supports);
    if (status == NW_OK) {
        hh->lists[level] = lists;
        hh->reports[level] = kept_reports;
        hh->level++;
        status = s.is_last ? nw__hh_conclude(hh, err) : NW_OK;
        if (status == NW_OK) {
            if (s.is_last && !nw__hh_is_together(hh, level)) /* each party's answer */
                for (size_t g = 0; g < groups; g++)
                    traffic.up += ESTIMATE_BYTES * (uint64_t)(lists[g].n < hh->opts.top ? lists[g].n : hh->opts.top);
            hh->traffic = traffic;
            return NW_OK;
        }
        hh->lists[level] = NULL;
        hh->reports[level] = NULL;
        hh->level--;
    }
    nw__hh_free_lists(lists, groups);
    free(kept_reports);
    return status;
}

/* ---- supports from aggregates in memory ---- */

typedef struct local {
    const nw_ldp_aggregate *const *aggregates;
    size_t n;
    const nw_reduce *reduce;
} local;

static nw_status add_up(const local *l, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    const size_t codes = r->n << r->suffix_bits;
    NW__TRY(nw_ldp_aggregate_subtree(l->aggregates[0], r->level, r->prefixes, r->n, r->suffix_bits, supports, err));
    if (l->n == 1)
        return NW_OK;
    int64_t *more = nw__calloc(codes, sizeof *more);
    nw_status status = more == NULL ? nw__fail_memory(err, "nw_hh_step_aggregates") : NW_OK;
    for (size_t p = 1; status == NW_OK && p < l->n; p++) {
        if (nw_ldp_aggregate_reports(l->aggregates[p], r->level) == 0)
            continue;
        status = nw_ldp_aggregate_subtree(l->aggregates[p], r->level, r->prefixes, r->n, r->suffix_bits, more, err);
        for (size_t c = 0; status == NW_OK && c < codes; c++)
            supports[c] += more[c];
    }
    free(more);
    return status;
}

static nw_status from_aggregates(void *context, const nw_hh_request *r, int64_t *supports, nw_error *err)
{
    const local *l = context;
    nw_status status;
    if (r->party == NW_HH_ALL_PARTIES)
        status = add_up(l, r, supports, err);
    else
        status = nw_ldp_aggregate_subtree(l->aggregates[r->party], r->level, r->prefixes, r->n, r->suffix_bits, supports, err);
    NW__TRY(nw_reduce_agree(l->reduce, status, err));
    return l->reduce->sum_i64(l->reduce->context, supports, r->n << r->suffix_bits, err);
}

static nw_status check_aggregates(const nw_hh *hh, const nw_ldp_aggregate *const *aggregates, size_t n, nw_error *err)
{
    static const char function[] = "nw_hh_step_aggregates";
    if (hh == NULL || aggregates == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", hh == NULL ? "hh" : "aggregates");
    if (nw_hh_is_done(hh))
        return nw__fail(err, NW_E_STATE, function, "all %u levels are closed", hh->level);
    if (n != hh->opts.parties && !(n == 1 && nw__hh_is_together(hh, hh->level)))
        return nw__fail(err, NW_E_ARG, function, "n is %zu, must be %u, one for each party", n, hh->opts.parties);
    for (size_t p = 0; p < n; p++) {
        if (aggregates[p] == NULL)
            return nw__fail(err, NW_E_ARG, function, "aggregates[%zu] is NULL", p);
        if (memcmp(nw_ldp_aggregate_campaign(aggregates[p])->digest, hh->campaign.digest, NW_LDP_DIGEST_BYTES) != 0)
            return nw__fail(err, NW_E_ARG, function, "aggregates[%zu] is of another campaign", p);
    }
    return NW_OK;
}

nw_status nw_hh_step_aggregates(nw_hh *hh, const nw_ldp_aggregate *const *aggregates, size_t n, const uint64_t *reports,
    const nw_reduce *reduce, nw_error *err)
{
    const nw_reduce serial = nw_reduce_serial();
    local l = { aggregates, n, reduce == NULL ? &serial : reduce };
    NW__TRY(nw_reduce_agree(l.reduce, check_aggregates(hh, aggregates, n, err), err));
    if (reports != NULL)
        return nw_hh_step(hh, reports, from_aggregates, &l, err);
    uint64_t *counted = nw__calloc(hh->opts.parties, sizeof *counted);
    nw_status status = nw_reduce_agree(l.reduce, counted == NULL ? nw__fail_memory(err, __func__) : NW_OK, err);
    for (size_t p = 0; status == NW_OK && p < n; p++)
        counted[p] = nw_ldp_aggregate_reports(aggregates[p], hh->level);
    if (status == NW_OK)
        status = l.reduce->sum_u64(l.reduce->context, counted, hh->opts.parties, err);
    if (status == NW_OK)
        status = nw_hh_step(hh, counted, from_aggregates, &l, err);
    free(counted);
    return status;
}
