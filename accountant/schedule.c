/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - from an event tree to dominating pairs: compositions are flattened, equal mechanisms counted, Gaussians merged
 * (their mu^2 add up exactly), and what is sampled, shuffled or parallel becomes one pair. */
#include "schedule.h"

#include "shuffle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "nw_account";
enum { MOST_LATTICE_POINTS = 1 << 20, MOST_GROUPS = 512 };
/* Shuffled reports: each tail is a sum over about sqrt(n) terms, and a composition asks for thousands of tails. */
static const uint64_t MOST_REPORTS = UINT64_C(1) << 30;
static const uint64_t MOST_REPORTS_COMPOSED = UINT64_C(1) << 20;

typedef struct builder {
    nw__schedule *out;
    const nw__schedule_query *query;
    nw__fft *fft;
    bool is_single; /* one event, once */
} builder;

static nw_status visit(builder *b, const nw_event *e, double count, nw_error *err);

void nw__schedule_free(nw__schedule *schedule)
{
    for (size_t i = 0; i < schedule->n; i++)
        nw__pair_free(schedule->list[i].pair);
    free(schedule->list);
    *schedule = (nw__schedule){ 0 };
}

static nw_status push(nw__schedule *s, nw__pair *pair, uint64_t count, nw_error *err)
{
    if (s->n == s->capacity) {
        const size_t capacity = s->capacity == 0 ? 8 : 2 * s->capacity;
        nw__mechanism *list = realloc(s->list, capacity * sizeof *list);
        if (list == NULL) {
            nw__pair_free(pair);
            return nw__fail_memory(err, NAME);
        }
        s->list = list;
        s->capacity = capacity;
    }
    s->list[s->n++] = (nw__mechanism){ pair, count };
    return NW_OK;
}

nw_status nw__schedule_add_gaussian(nw__schedule *schedule, nw_error *err)
{
    nw__pair *pair = NULL;
    if (!(schedule->mu_squared > 0.0))
        return NW_OK;
    NW__TRY(nw__pair_gaussian(&pair, sqrt(schedule->mu_squared) * (1.0 + 0x1p-51), err));
    return push(schedule, pair, 1, err);
}

static nw_status refuse(nw_error *err, const nw_event *e, const builder *b, const char *reason)
{
    return nw__fail(err, NW_E_UNSUPPORTED, NAME, "%s cannot be accounted under %s: %s", nw__event_kind_name(e->kind),
        nw_adjacency_name(b->query->adjacency), reason);
}

/* A leaf without a pair: no upper bound by this method; for a lower bound it may count as nothing. */
static nw_status no_pair(builder *b, const char *reason)
{
    if (b->query->is_upper && b->out->no_pair == NULL)
        b->out->no_pair = reason;
    return NW_OK;
}

static void add_gaussian(builder *b, double mu, double count)
{
    const double error = b->query->is_upper ? 1.0 + 0x1p-50 : 1.0 - 0x1p-50;
    b->out->mu_squared += mu * mu * count * error;
    b->out->mu_squared *= b->query->is_upper ? 1.0 + 0x1p-52 : 1.0 - 0x1p-52;
}

/* Two pairs of the same formula. Point masses are compared too, so different laws never meet. */
static bool is_same(const nw__pair *a, const nw__pair *b)
{
    if (a->tails != b->tails || memcmp(a->parameter, b->parameter, sizeof a->parameter) != 0 || a->lowest != b->lowest ||
        a->highest != b->highest || a->atoms.n != b->atoms.n || a->atoms.p_infinite != b->atoms.p_infinite ||
        a->q_null != b->q_null || a->base_count != b->base_count)
        return false;
    if (a->atoms.n > 0 && memcmp(a->atoms.at, b->atoms.at, a->atoms.n * sizeof *a->atoms.at) != 0)
        return false;
    for (size_t i = 0; i < a->base_count; i++) {
        if ((a->weight != NULL && a->weight[i] != b->weight[i]) || !is_same(a->base[i], b->base[i]))
            return false;
    }
    return true;
}

/* Adds count copies of a pair, which is taken over. */
static nw_status add_pair(builder *b, nw__pair *pair, double count, nw_error *err)
{
    const double most = 0x1p62;
    const uint64_t copies = count < most ? (uint64_t)count : (uint64_t)1 << 62;
    b->out->steps += count;
    for (size_t i = b->out->n; i-- > 0;) {
        nw__mechanism *m = &b->out->list[i];
        if (is_same(m->pair, pair)) {
            m->count = (double)m->count + count < most ? m->count + copies : (uint64_t)1 << 62;
            nw__pair_free(pair);
            return NW_OK;
        }
        if (b->out->n - i > 64) /* a run of different ones: order them by kind yourself, or pay for each */
            break;
    }
    return push(b->out, pair, copies, err);
}

static nw_status add_guarantee(builder *b, const nw_event *e, double factor, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    const double epsilon = factor * e->parameter;
    const bool is_upper = b->query->is_upper;
    if (e->kind == NW_EVENT_APPROX && factor != 1.0)
        return refuse(err, e, b, "an (epsilon, delta) guarantee is not converted to another relation");
    if (epsilon == 0.0 && e->delta == 0.0)
        return NW_OK;
    if (e->kind == NW_EVENT_EXPONENTIAL && is_upper)
        NW__TRY(nw__pair_bounded_range(&pair, epsilon, err));
    else if (e->kind == NW_EVENT_EXPONENTIAL) /* two candidates, each epsilon / 2 away from a tie */
        NW__TRY(nw__pair_response(&pair, 0.5 * epsilon, 0.0, err));
    else if (!is_upper && (e->kind == NW_EVENT_REPORT_NOISY_MAX || e->kind == NW_EVENT_PERMUTE_AND_FLIP))
        return no_pair(b, NULL);
    else
        NW__TRY(nw__pair_approx(&pair, epsilon, e->delta, err));
    return add_pair(b, pair, count, err);
}

static nw_status add_noise(builder *b, const nw_event *e, double factor, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    const double distance = factor * e->sensitivity.value;
    const bool is_lattice = distance == floor(distance) && distance < (double)MOST_LATTICE_POINTS;
    switch (e->kind) {
    case NW_EVENT_LAPLACE: NW__TRY(nw__pair_laplace(&pair, distance / e->parameter, err)); break;
    case NW_EVENT_DISCRETE_LAPLACE:
        if (!is_lattice)
            return no_pair(b, "discrete Laplace noise at a distance of 2^20 or more");
        NW__TRY(nw__pair_discrete_laplace(&pair, e->parameter, (uint64_t)distance, err));
        break;
    case NW_EVENT_DISCRETE_GAUSSIAN:
        /* one coordinate: a vector's l2 distance does not say which lattice shift is the worst */
        if (!is_lattice || e->samples > 1 || e->parameter > 1e4)
            return no_pair(b, "discrete Gaussian noise on several coordinates, or of sigma above 1e4");
        NW__TRY(nw__pair_discrete_gaussian(&pair, e->parameter, (uint64_t)distance,
            fmax(1e-11 * b->query->delta / fmax(count, 1.0), 1e-290), b->query->is_upper, err));
        break;
    case NW_EVENT_ROUNDED_GAUSSIAN:
        if (!b->query->is_upper)
            return NW_OK; /* rounding may only help */
        add_gaussian(b, distance / e->parameter, count);
        return NW_OK;
    default: add_gaussian(b, distance / e->parameter, count); return NW_OK;
    }
    return add_pair(b, pair, count, err);
}

static nw_status add_response(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    const double k = (double)e->count;
    const double lie = e->parameter / k;
    if (e->parameter == 0.0) {
        nw__atoms all = { 0, nw__calloc(1, sizeof(nw__atom)), 1.0 };
        if (all.at == NULL)
            return nw__fail_memory(err, NAME);
        NW__TRY(nw__pair_atoms(&pair, all, 1.0, 0.0, err));
    } else {
        NW__TRY(nw__pair_response(&pair, log1p((1.0 - e->parameter) / lie), k - 2.0, err));
    }
    return add_pair(b, pair, count, err);
}

/* A distribution as point masses, moved by its slack. From below their Q-masses add up to at most 1, as sampling mixes with the
 * whole of Q. */
static nw_status as_atoms(nw__pair **out, const nw__pmf *pmf, double shift, nw_error *err)
{
    nw__atoms atoms = { 0, nw__calloc(pmf->n, sizeof(nw__atom)), pmf->infinite };
    double q_sum = 0.0;
    if (atoms.at == NULL)
        return nw__fail_memory(err, NAME);
    for (size_t i = 0; i < pmf->n; i++) {
        if (!(pmf->mass[i] > 0.0))
            continue;
        const double loss = nw__pmf_loss(pmf, i) + shift;
        const double p = nw__pmf_mass(pmf, i);
        atoms.at[atoms.n++] = (nw__atom){ loss, p, p * exp(-loss) };
        q_sum += p * exp(-loss);
    }
    const double scale = !pmf->is_upper && q_sum > 1.0 ? (1.0 - 0x1p-40) / q_sum : 1.0;
    for (size_t i = 0; i < atoms.n && scale < 1.0; i++) {
        atoms.at[i].p *= scale;
        atoms.at[i].q *= scale;
    }
    return nw__pair_atoms(out, atoms, fmax(0.0, 1.0 - q_sum), 0.0, err);
}

/* The whole of a sub-schedule as one pair: itself, or its distribution. *out is NULL if it costs nothing, or if no grid resolves
 * it. */
static nw_status as_one_pair(nw__pair **out, nw__schedule *s, builder *b, nw_error *err)
{
    nw__pmf pmf;
    double slack = 0.0;
    double estimate = 0.0;
    *out = NULL;
    NW__TRY(nw__schedule_add_gaussian(s, err));
    if (s->n == 0)
        return NW_OK;
    if (s->n == 1 && s->list[0].count == 1) {
        *out = s->list[0].pair;
        s->n = 0;
        return NW_OK;
    }
    const nw__pld_query q = { .asks_epsilon = true,
        .given = 1e-3 * b->query->delta,
        .tolerance = 1e-5,
        .is_upper = b->query->is_upper,
        .is_untilted = true };
    nw_status status = nw__pld_compose(s->list, s->n, &q, b->fft, &pmf, &slack, &estimate, err);
    if (status == NW_E_UNSUPPORTED)
        return no_pair(b, "a composition inside that no grid resolves");
    if (status == NW_OK) {
        status = as_atoms(out, &pmf, b->query->is_upper ? slack : -slack, err);
        nw__pmf_free(&pmf);
    }
    return status;
}

/* The schedule of a child under a direction. */
static nw_status child_schedule(
    nw__schedule *out, builder *b, const nw_event *child, nw_adjacency adjacency, nw__direction direction, nw_error *err)
{
    nw__schedule_query q = *b->query;
    q.adjacency = adjacency;
    q.direction = direction;
    NW__TRY(nw__schedule_new(out, child, &q, b->fft, err));
    if (out->no_pair != NULL)
        no_pair(b, out->no_pair);
    return NW_OK;
}

static nw_status child_pair(
    nw__pair **out, builder *b, const nw_event *child, nw_adjacency adjacency, nw__direction direction, nw_error *err)
{
    nw__schedule s;
    *out = NULL;
    NW__TRY(child_schedule(&s, b, child, adjacency, direction, err));
    const nw_status status = s.no_pair != NULL ? NW_OK : as_one_pair(out, &s, b, err);
    nw__schedule_free(&s);
    return status;
}

/* Replacement under Poisson sampling: Gaussians alone, from one record's contribution. */
static nw_status poisson_replace(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__schedule s;
    nw__pair *pair = NULL;
    NW__TRY(child_schedule(&s, b, e->children[0], NW_ADD_REMOVE, NW__REMOVE, err));
    const bool is_gaussian = s.n == 0 && s.no_pair == NULL;
    const double mu = sqrt(s.mu_squared) * (1.0 + 0x1p-51);
    nw__schedule_free(&s);
    if (!is_gaussian)
        return refuse(err, e, b, "under replacement a Poisson-sampled base must be Gaussian");
    if (mu == 0.0)
        return NW_OK;
    NW__TRY(nw__pair_poisson_replace(&pair, e->parameter, mu, err));
    return add_pair(b, pair, count, err);
}

static nw_status add_poisson(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__pair *base = NULL;
    nw__pair *pair = NULL;
    if (e->parameter == 0.0)
        return NW_OK;
    if (e->parameter == 1.0)
        return visit(b, e->children[0], count, err);
    if (nw__is_replacement(b->query->adjacency))
        return poisson_replace(b, e, count, err);
    NW__TRY(child_pair(&base, b, e->children[0], b->query->adjacency, b->query->direction, err));
    if (base == NULL)
        return NW_OK;
    NW__TRY(nw__pair_poisson(&pair, e->parameter, b->query->direction, base, err));
    return add_pair(b, pair, count, err);
}

/* Without replacement: for e^x >= 1 the profile of ((1-q) Q + q P, Q), below that of (P, (1-q) P + q Q)  [ZDW22, Prop. 30]. */
static nw_status sampled_without(nw__pair **out, builder *b, const nw_event *e, nw_error *err)
{
    nw__pair *halves[2] = { NULL, NULL };
    const double q = (double)e->count / (double)e->population;
    *out = NULL;
    for (int d = NW__REMOVE; d <= NW__ADD; d++) {
        nw__pair *base = NULL;
        nw_status status = child_pair(&base, b, e->children[0], b->query->adjacency, (nw__direction)d, err);
        if (status == NW_OK && base != NULL)
            status = nw__pair_poisson(&halves[d], q, (nw__direction)d, base, err);
        if (status != NW_OK || base == NULL) {
            nw__pair_free(halves[0]);
            return status;
        }
        if (!b->query->is_upper) { /* either half is attained */
            *out = halves[d];
            return NW_OK;
        }
    }
    return nw__pair_maximum(out, halves, 2, err);
}

/* P[Bin(m, 1/n) = k], k = 1..: the record is drawn k times. Each is rounded up: the recurrence in the logarithm carries the
 * errors of its steps. *left_out bounds the mass of all others: a geometric tail, or what the sum does not reach. */
static size_t group_weights(double *weight, double m, double n, double *left_out)
{
    double left = 1.0;
    double log_w = m * log1p(-1.0 / n);
    double largest = fabs(log_w);
    size_t k = 0;
    left -= exp(log_w);
    *left_out = 0.0;
    while (k < MOST_GROUPS && (double)k < m) {
        log_w += log((m - (double)k) / ((double)k + 1.0)) - log(n - 1.0);
        largest = fmax(largest, fabs(log_w));
        const double plain = exp(log_w);
        weight[k] = plain * (1.0 + 0x1p-50 * ((double)k + 3.0) * (largest + 4.0));
        k++;
        left -= plain;
        const double ratio = (m - (double)k) / (((double)k + 1.0) * (n - 1.0)); /* falls with k */
        if (plain < 1e-22 && ratio < 0.5) {
            *left_out = 2.0 * plain;
            return k;
        }
    }
    if ((double)k < m)
        *left_out = fmin(1.0, fmax(0.0, left) + 0x1p-50 * (double)k * (largest + 4.0));
    return k;
}

static nw_status sampled_with(nw__pair **out, builder *b, const nw_event *e, nw_error *err)
{
    nw__schedule s;
    *out = NULL;
    if (!b->query->is_upper)
        return NW_OK;
    NW__TRY(child_schedule(&s, b, e->children[0], b->query->adjacency, NW__REMOVE, err));
    const bool is_gaussian = s.n == 0 && s.no_pair == NULL && s.mu_squared > 0.0;
    const double mu = sqrt(s.mu_squared) * (1.0 + 0x1p-51);
    nw__schedule_free(&s);
    if (is_gaussian && e->population == 1) /* the only record, every time */
        return nw__pair_gaussian(out, mu * (double)e->count * (1.0 + 0x1p-51), err);
    if (!is_gaussian)
        return refuse(err, e, b, "with replacement the base must be Gaussian: a record drawn k times counts k times");
    double *weight = nw__calloc(MOST_GROUPS, sizeof *weight);
    nw__pair **base = nw__calloc(MOST_GROUPS, sizeof(nw__pair *));
    nw_status status = weight == NULL || base == NULL ? nw__fail_memory(err, NAME) : NW_OK;
    double left_out = 0.0;
    const size_t groups = status == NW_OK ? group_weights(weight, (double)e->count, (double)e->population, &left_out) : 0;
    size_t made = 0;
    if (status == NW_OK && left_out > 0.5) {
        free(weight);
        free(base);
        return no_pair(b, "with replacement, a record that is drawn more than 512 times");
    }
    for (; status == NW_OK && made < groups; made++)
        status = nw__pair_gaussian(&base[made], mu * (double)(made + 1), err);
    if (status == NW_OK) {
        status = nw__pair_group_mixture(out, base, weight, groups, err);
        if (status == NW_OK)
            (*out)->atoms.p_infinite = left_out;
        weight = NULL;
    } else {
        for (size_t i = 0; i < made; i++)
            nw__pair_free(base[i]);
    }
    free(weight);
    free(base);
    return status;
}

static nw_status add_fixed_size(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    if (!nw__is_replacement(b->query->adjacency))
        return refuse(err, e, b, "samples of a fixed size compare tables of the same size: ask for replace_one");
    if (e->count == 0)
        return NW_OK;
    if (!e->with_replacement && e->count == e->population)
        return visit(b, e->children[0], count, err);
    NW__TRY((e->with_replacement ? sampled_with : sampled_without)(&pair, b, e, err));
    return pair == NULL ? NW_OK : add_pair(b, pair, count, err);
}

static nw_status add_parallel(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    size_t n = 0;
    if (nw__is_replacement(b->query->adjacency))
        return refuse(err, e, b, "a replaced record may leave one part and enter another");
    nw__pair **parts = nw__calloc(e->child_count, sizeof(nw__pair *));
    nw_status status = parts == NULL ? nw__fail_memory(err, NAME) : NW_OK;
    for (size_t i = 0; status == NW_OK && i < e->child_count; i++) {
        status = child_pair(&parts[n], b, e->children[i], b->query->adjacency, b->query->direction, err);
        if (status == NW_OK && parts[n] != NULL)
            n++;
    }
    size_t worst = 0;
    for (size_t i = 0; status == NW_OK && i < n; i++) {
        double least[2];
        double most[2];
        nw__pair_delta(parts[i], 0.0, &least[0], &most[0]);
        nw__pair_delta(parts[worst], 0.0, &least[1], &most[1]);
        worst = least[0] > least[1] ? i : worst;
    }
    if (status == NW_OK && n > 0 && (n == 1 || !b->query->is_upper)) { /* any one part is a lower bound */
        pair = parts[worst];
        parts[worst] = NULL;
    } else if (status == NW_OK && n > 0) {
        status = nw__pair_maximum(&pair, parts, n, err);
        n = 0;
    }
    for (size_t i = 0; i < n; i++)
        nw__pair_free(parts[i]);
    free(parts);
    return status != NW_OK || pair == NULL ? status : add_pair(b, pair, count, err);
}

static nw_status add_shuffled(builder *b, const nw_event *e, double count, nw_error *err)
{
    nw__pair *pair = NULL;
    double clone = 0.0;
    double epsilon0 = 0.0;
    if (!nw__is_replacement(b->query->adjacency))
        return refuse(err, e, b, "shuffling compares tables of the same size: ask for replace_one");
    nw__shuffle_parameters(e->children[0], &epsilon0, &clone);
    if (epsilon0 == 0.0)
        return NW_OK;
    if (isinf(epsilon0))
        return no_pair(b, "a local randomizer that reveals its input");
    /* a report of somebody who is the same in both tables can be added afterwards, so fewer reports are an upper bound */
    const uint64_t most = b->is_single ? MOST_REPORTS : MOST_REPORTS_COMPOSED;
    if (b->query->is_upper)
        NW__TRY(nw__pair_shuffle(&pair, e->count < most ? e->count : most, epsilon0, clone, err));
    else if (e->count > most)
        return no_pair(b, NULL);
    else
        NW__TRY(nw__pair_shuffle_attained(&pair, e, b->query->direction, err));
    return add_pair(b, pair, count, err);
}

static nw_status visit_leaf(builder *b, const nw_event *e, double count, nw_error *err)
{
    const double factor = nw__distance_factor(e->sensitivity.adjacency, b->query->adjacency);
    if (factor == 0.0)
        return nw__fail(err, NW_E_UNSUPPORTED, NAME,
            "%s: its sensitivity or guarantee was worked out for %s and says nothing about %s", nw__event_kind_name(e->kind),
            nw_adjacency_name(e->sensitivity.adjacency), nw_adjacency_name(b->query->adjacency));
    switch (e->kind) {
    case NW_EVENT_TREE:
    case NW_EVENT_MATRIX:
        add_gaussian(b, e->strategy_sensitivity * factor * e->sensitivity.value / e->parameter, count);
        return NW_OK;
    case NW_EVENT_GDP: add_gaussian(b, factor * e->parameter, count); return NW_OK;
    case NW_EVENT_ZCDP:
        if (b->query->is_upper)
            return no_pair(b, "a zCDP guarantee has no dominating pair");
        add_gaussian(b, factor * sqrt(2.0 * e->parameter), count); /* which attains it */
        return NW_OK;
    case NW_EVENT_RDP: return no_pair(b, "a curve of Renyi divergences has no dominating pair");
    case NW_EVENT_RANDOMIZED_RESPONSE: return add_response(b, e, count, err);
    case NW_EVENT_PURE:
    case NW_EVENT_APPROX:
    case NW_EVENT_LDP:
    case NW_EVENT_EXPONENTIAL:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: return add_guarantee(b, e, factor, count, err);
    default: return add_noise(b, e, factor, count, err);
    }
}

static nw_status visit(builder *b, const nw_event *e, double count, nw_error *err)
{
    switch (e->kind) {
    case NW_EVENT_COMPOSED:
        for (size_t i = 0; i < e->child_count; i++)
            NW__TRY(visit(b, e->children[i], count, err));
        return NW_OK;
    case NW_EVENT_REPEAT: return visit(b, e->children[0], count * (double)e->count, err);
    case NW_EVENT_PARALLEL: return add_parallel(b, e, count, err);
    case NW_EVENT_POISSON_SUBSAMPLED: return add_poisson(b, e, count, err);
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED: return add_fixed_size(b, e, count, err);
    case NW_EVENT_SHUFFLED: return add_shuffled(b, e, count, err);
    default: return visit_leaf(b, e, count, err);
    }
}

nw_status nw__schedule_new(nw__schedule *out, const nw_event *event, const nw__schedule_query *query, nw__fft *fft, nw_error *err)
{
    *out = (nw__schedule){ 0 };
    const nw_event *only = event;
    while ((only->kind == NW_EVENT_COMPOSED || only->kind == NW_EVENT_REPEAT) && only->child_count == 1 && only->count <= 1)
        only = only->children[0];
    builder b = { out, query, fft, only->kind != NW_EVENT_COMPOSED && only->kind != NW_EVENT_REPEAT };
    const nw_status status = visit(&b, event, 1.0, err);
    if (status != NW_OK)
        nw__schedule_free(out);
    return status;
}
