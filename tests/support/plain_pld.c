/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "plain_pld.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 2 * PLAIN_HALF + 1 };

typedef struct grid {
    double h;
    double p[POINTS];
    double infinite;
    long double p_sum[POINTS + 1]; /* from the top */
    long double q_sum[POINTS + 1];
} grid;

typedef enum node_kind {
    NOTHING,
    GAUSSIAN,
    LAPLACE,
    RANGE,
    RESPONSE,
    LIST,
    REMOVED,
    ADDED,
    LARGEST,
    GROUPS,
    REPLACED,
    SUM
} node_kind;

struct plain_pld {
    node_kind kind;
    long double a, b;
    size_t n; /* of the list, or of the children */
    long double (*list)[2];
    plain_pld *child[8];
    uint64_t count[8];
    grid *sum;
};

typedef struct frame {
    nw_adjacency adjacency;
    bool is_add;
    plain_flavour flavour;
    double h;
} frame;

void plain_pld_free(plain_pld *plain)
{
    if (plain == NULL)
        return;
    for (size_t i = 0; i < 8; i++)
        plain_pld_free(plain->child[i]);
    free(plain->list);
    free(plain->sum);
    free(plain);
}

static plain_pld *leaf(node_kind kind, long double a, long double b)
{
    plain_pld *node = calloc(1, sizeof *node);
    node->kind = kind;
    node->a = a;
    node->b = b;
    return node;
}

static long double above(long double z)
{
    return 0.5L * erfcl(z * 0.707106781186547524400844362104849L);
}

static long double gaussian_delta(long double mu, long double x)
{
    return above(x / mu - mu / 2) - expl(x) * above(x / mu + mu / 2);
}

/* P[L > x] of the mixtures of N(0), N(mu) against N(0), N(-mu), by bisection for the threshold. */
static long double replaced_delta(long double q, long double mu, long double x)
{
    long double low = -1000 / mu;
    long double high = 1000 / mu;
    for (int i = 0; i < 200; i++) {
        const long double t = (low + high) / 2;
        const long double y = mu * t - mu * mu / 2;
        const long double z = -mu * t - mu * mu / 2;
        const long double larger = fmaxl(fmaxl(y, z), 0);
        const long double loss =
            logl((1 - q) * expl(-larger) + q * expl(y - larger)) - logl((1 - q) * expl(-larger) + q * expl(z - larger));
        *(loss <= x ? &low : &high) = t;
    }
    return (1 - q) * above(low) + q * above(low - mu) - expl(x) * ((1 - q) * above(low) + q * above(low + mu));
}

static long double delta_at(const plain_pld *n, long double x);

static long double removed_delta(const plain_pld *base, long double q, long double x)
{
    return expm1l(x) <= -q ? -expm1l(x) : q * delta_at(base, log1pl(expm1l(x) / q));
}

static long double added_delta(const plain_pld *base, long double q, long double x)
{
    const long double left = 1 - (1 - q) * expl(x);
    return left <= 0 ? 0 : left * delta_at(base, x + logl(q) - logl(left));
}

/* A record drawn k times of m draws from n counts as a group of k; for x < 0 by symmetry. */
static long double groups_delta(const plain_pld *node, long double x)
{
    const long double m = (long double)node->count[0];
    const long double n = (long double)node->count[1];
    const long double q = -expm1l(m * log1pl(-1 / n));
    if (x < 0)
        return -expm1l(x) + expl(x) * groups_delta(node, -x);
    long double sum = 0;
    for (long double k = 1; k <= m && k < 60; k++) {
        const long double w = expl(lgammal(m + 1) - lgammal(k + 1) - lgammal(m - k + 1) - k * logl(n) + (m - k) * log1pl(-1 / n));
        sum += w * gaussian_delta(k * node->a, log1pl(expm1l(x) / q));
    }
    return sum;
}

static long double list_delta(const plain_pld *n, long double x)
{
    const long double e = expl(x);
    long double sum = 0;
    for (size_t i = 0; i < n->n; i++)
        sum += fmaxl(0, n->list[i][0] - e * n->list[i][1]);
    return sum;
}

static long double grid_delta(const grid *g, long double x)
{
    const long double at = floorl(x / g->h) + 1 + PLAIN_HALF; /* first point above x */
    const size_t i = at < 0 ? 0 : at > POINTS ? POINTS : (size_t)at;
    return g->infinite + g->p_sum[i] - expl(x) * g->q_sum[i];
}

static long double response_delta(long double epsilon, long double delta, long double x)
{
    if (x <= -epsilon)
        return delta + (1 - delta) * -expm1l(x);
    return delta + (x >= epsilon ? 0 : (1 - delta) * -expm1l(x - epsilon) / (1 + expl(-epsilon)));
}

static long double delta_at(const plain_pld *n, long double x)
{
    long double most = 0;
    switch (n->kind) {
    case NOTHING: return fmaxl(0, -expm1l(x));
    case GAUSSIAN: return gaussian_delta(n->a, x);
    case LAPLACE: return x >= n->a ? 0 : x <= -n->a ? -expm1l(x) : -expm1l((x - n->a) / 2);
    case RANGE: return x >= n->a ? 0 : x <= -n->a ? -expm1l(x) : powl(expm1l((x - n->a) / 2), 2) / -expm1l(-n->a);
    case RESPONSE: return response_delta(n->a, n->b, x);
    case LIST: return list_delta(n, x);
    case REMOVED: return removed_delta(n->child[0], n->a, x);
    case ADDED: return added_delta(n->child[0], n->a, x);
    case LARGEST:
        for (size_t i = 0; i < n->n; i++)
            most = fmaxl(most, delta_at(n->child[i], x));
        return most;
    case GROUPS: return groups_delta(n, x);
    case REPLACED: return replaced_delta(n->a, n->b, x);
    case SUM: return grid_delta(n->sum, x);
    }
    return 1;
}

/* [DGKKM22, Alg. 1]. */
static void connect_the_dots(grid *g, const plain_pld *node)
{
    long double *d = calloc(POINTS, sizeof *d);
    const long double e = expm1l(g->h);
    for (int i = 0; i < POINTS; i++)
        d[i] = fminl(1, fmaxl(0, delta_at(node, (long double)(i - PLAIN_HALF) * g->h)));
    for (int i = 0; i < POINTS; i++) {
        const long double up = i + 1 < POINTS ? d[i + 1] - d[i] : 0;
        const long double down = i > 0 ? d[i] - d[i - 1] : 0;
        const long double p = i == 0 ? 1 - d[0] + up / e : i + 1 == POINTS ? down / expm1l(-g->h) : (up - expl(g->h) * down) / e;
        g->p[i] = (double)fmaxl(0, p);
    }
    g->infinite = (double)d[POINTS - 1];
    free(d);
}

static void finish(grid *g)
{
    g->p_sum[POINTS] = g->q_sum[POINTS] = 0;
    for (int i = POINTS; i-- > 0;) {
        g->p_sum[i] = g->p_sum[i + 1] + g->p[i];
        g->q_sum[i] = g->q_sum[i + 1] + g->p[i] * expl(-(long double)(i - PLAIN_HALF) * g->h);
    }
}

/* x *= y; what leaves the grid goes to infinity, or up to the lowest point. */
static void convolve(grid *x, const grid *y)
{
    double *out = calloc(3 * POINTS, sizeof *out);
    int first = 0;
    int last = POINTS;
    while (first < last && y->p[first] < 1e-40)
        first++;
    while (last > first && y->p[last - 1] < 1e-40)
        last--;
    for (int i = 0; i < POINTS; i++) {
        const double p = x->p[i];
        if (p < 1e-40)
            continue;
        for (int j = first; j < last; j++)
            out[i + j] += p * y->p[j];
    }
    x->infinite = x->infinite + y->infinite - x->infinite * y->infinite;
    for (int k = 0; k < PLAIN_HALF; k++)
        out[PLAIN_HALF] += out[k];
    for (int k = POINTS + PLAIN_HALF; k < 2 * POINTS; k++)
        x->infinite += out[k];
    memcpy(x->p, out + PLAIN_HALF, POINTS * sizeof *out);
    free(out);
}

static void sum_up(plain_pld *node, double h)
{
    grid *power = calloc(1, sizeof *power);
    grid *total = calloc(1, sizeof *total);
    total->h = power->h = h;
    total->p[PLAIN_HALF] = 1.0;
    for (size_t i = 0; i < node->n; i++) {
        if (node->child[i]->kind == SUM)
            memcpy(power, node->child[i]->sum, sizeof *power);
        else
            connect_the_dots(power, node->child[i]);
        for (uint64_t rest = node->count[i]; rest != 0; rest >>= 1) {
            if ((rest & 1) != 0)
                convolve(total, power);
            if (rest > 1) {
                grid *same = malloc(sizeof *same);
                memcpy(same, power, sizeof *same);
                convolve(power, same);
                free(same);
            }
        }
    }
    finish(total);
    free(power);
    node->sum = total;
}

/* Lists of (p, q), an outcome each. */
static plain_pld *list_of(size_t most)
{
    plain_pld *node = leaf(LIST, 0, 0);
    node->list = calloc(most, sizeof *node->list);
    return node;
}

static void put(plain_pld *node, long double p, long double q)
{
    node->list[node->n][0] = p;
    node->list[node->n++][1] = q;
}

static plain_pld *lattice_noise(long double scale, long distance, bool is_gaussian)
{
    const long reach = (long)(is_gaussian ? 14.0L * scale : 60.0L * scale) + distance + 2;
    plain_pld *node = list_of(2 * (size_t)reach + 1);
    long double total = 0;
    for (long x = -reach; x <= reach; x++) {
        const long double y = (long double)(x - distance) / scale;
        const long double z = (long double)x / scale;
        put(node, expl(is_gaussian ? -y * y / 2 : -fabsl(y)), expl(is_gaussian ? -z * z / 2 : -fabsl(z)));
        total += node->list[node->n - 1][1];
    }
    for (size_t i = 0; i < node->n; i++) {
        node->list[i][0] /= total;
        node->list[i][1] /= total;
    }
    return node;
}

static plain_pld *response_list(long double p, long double k)
{
    plain_pld *node = list_of(3);
    put(node, 1 - p + p / k, p / k);
    put(node, p / k, 1 - p + p / k);
    put(node, p * (k - 2) / k, p * (k - 2) / k);
    return node;
}

static long double binomial(long n, long k, long double p)
{
    if (k < 0 || k > n)
        return 0;
    return expl(lgammal((long double)n + 1) - lgammal((long double)k + 1) - lgammal((long double)(n - k) + 1)) * powl(p, k) *
           powl(1 - p, n - k);
}

/* The clones of [FMT21]: C of n - 1 others send a coin flip. */
static plain_pld *clones(const nw_event *e)
{
    const nw_event *base = e->children[0];
    const long n = (long)e->count;
    const bool is_coin = base->kind == NW_EVENT_RANDOMIZED_RESPONSE;
    const long double k = (long double)base->count;
    const long double p = base->parameter;
    const long double epsilon = is_coin ? logl((1 - p + p / k) / (p / k)) : (long double)base->parameter;
    const long double clone = is_coin && base->count == 2 ? p : expl(-epsilon);
    const long double s = expl(epsilon) / (1 + expl(epsilon));
    plain_pld *node = list_of((size_t)((n + 1) * (n + 2)));
    for (long c = 0; c < n; c++)
        for (long i = 0; i <= c + 1; i++)
            put(node, binomial(n - 1, c, clone) * (s * binomial(c, i - 1, 0.5L) + (1 - s) * binomial(c, i, 0.5L)),
                binomial(n - 1, c, clone) * ((1 - s) * binomial(c, i - 1, 0.5L) + s * binomial(c, i, 0.5L)));
    return node;
}

/* How many of n reports are one answer, which all others hold (or, adding, the neighbour's): what the shuffled reports show. */
static plain_pld *counted(const nw_event *e, bool is_add)
{
    const nw_event *base = e->children[0];
    const long n = (long)e->count;
    const bool is_response = base->kind == NW_EVENT_RANDOMIZED_RESPONSE;
    const long double k = (long double)base->count;
    const long double p = base->parameter;
    const long double truth = is_response ? 1 - p + p / k : expl(p) / (1 + expl(p));
    const long double lie = is_response ? p / k : 1 - truth;
    const long double held = is_add ? lie : truth;
    plain_pld *node = list_of((size_t)n + 1);
    for (long i = 0; i <= n; i++)
        put(node, truth * binomial(n - 1, i - 1, held) + (1 - truth) * binomial(n - 1, i, held),
            lie * binomial(n - 1, i - 1, held) + (1 - lie) * binomial(n - 1, i, held));
    return node;
}

static plain_pld *guarantee(const nw_event *e, const frame *f, long double x)
{
    const bool is_upper = f->flavour == PLAIN_DOMINATING;
    switch (e->kind) {
    case NW_EVENT_EXPONENTIAL: return is_upper ? leaf(RANGE, x, 0) : leaf(RESPONSE, x / 2, 0);
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: return is_upper ? leaf(RESPONSE, x, 0) : leaf(NOTHING, 0, 0);
    case NW_EVENT_GDP: return leaf(GAUSSIAN, x, 0);
    case NW_EVENT_ZCDP: return is_upper ? NULL : leaf(GAUSSIAN, sqrtl(2 * e->parameter) * (x / (long double)e->parameter), 0);
    case NW_EVENT_RDP: return is_upper ? NULL : leaf(NOTHING, 0, 0);
    default: return leaf(RESPONSE, x, e->delta);
    }
}

static plain_pld *leaf_of(const nw_event *e, const frame *f)
{
    const long double factor = e->sensitivity.adjacency != f->adjacency && f->adjacency == NW_REPLACE_ONE ? 2 : 1;
    const long double distance = factor * e->sensitivity.value;
    switch (e->kind) {
    case NW_EVENT_ROUNDED_GAUSSIAN:
        if (f->flavour == PLAIN_ATTAINED)
            return leaf(NOTHING, 0, 0);
        return leaf(GAUSSIAN, distance / e->parameter, 0);
    case NW_EVENT_GAUSSIAN: return leaf(GAUSSIAN, distance / e->parameter, 0);
    case NW_EVENT_TREE:
    case NW_EVENT_MATRIX: return leaf(GAUSSIAN, distance * e->strategy_sensitivity / e->parameter, 0);
    case NW_EVENT_DISCRETE_GAUSSIAN: return lattice_noise(e->parameter, (long)distance, true);
    case NW_EVENT_DISCRETE_LAPLACE: return lattice_noise(e->parameter, (long)distance, false);
    case NW_EVENT_LAPLACE: return leaf(LAPLACE, distance / e->parameter, 0);
    case NW_EVENT_RANDOMIZED_RESPONSE: return response_list(e->parameter, (long double)e->count);
    default: return guarantee(e, f, factor * e->parameter);
    }
}

static plain_pld *build(const nw_event *e, frame f);

static plain_pld *parent(node_kind kind, const nw_event *e, frame f, long double a)
{
    plain_pld *node = leaf(kind, a, 0);
    node->n = e->child_count;
    for (size_t i = 0; i < e->child_count; i++) {
        node->child[i] = build(e->children[i], f);
        node->count[i] = e->kind == NW_EVENT_REPEAT ? e->count : 1;
        if (node->child[i] == NULL) {
            plain_pld_free(node);
            return NULL;
        }
    }
    if (kind == SUM)
        sum_up(node, f.h);
    return node;
}

/* The Gaussian that a tree of Gaussian leaves is. */
static long double total_mu(const nw_event *e, nw_adjacency adjacency)
{
    const frame f = { adjacency, false, PLAIN_DOMINATING, 1.0 };
    long double square = 0;
    if (e->child_count == 0) {
        plain_pld *node = leaf_of(e, &f);
        square = node->a * node->a;
        plain_pld_free(node);
    }
    for (size_t i = 0; i < e->child_count; i++)
        square += powl(total_mu(e->children[i], adjacency), 2) * (e->kind == NW_EVENT_REPEAT ? (long double)e->count : 1);
    return sqrtl(square);
}

static plain_pld *fixed_size(const nw_event *e, frame f)
{
    const long double q = (long double)e->count / (long double)e->population;
    if (!e->with_replacement && e->count == e->population)
        return parent(SUM, e, f, 0);
    if (e->with_replacement) {
        if (f.flavour == PLAIN_ATTAINED)
            return leaf(NOTHING, 0, 0);
        plain_pld *node = leaf(GROUPS, total_mu(e->children[0], NW_REPLACE_ONE), 0);
        node->count[0] = e->count;
        node->count[1] = e->population;
        return node;
    }
    f.is_add = false;
    plain_pld *node = leaf(LARGEST, 0, 0);
    node->child[node->n++] = parent(REMOVED, e, f, q);
    f.is_add = true;
    if (f.flavour == PLAIN_DOMINATING && node->child[0] != NULL)
        node->child[node->n++] = parent(ADDED, e, f, q);
    if (node->child[node->n - 1] != NULL)
        return node;
    plain_pld_free(node);
    return NULL;
}

static plain_pld *build(const nw_event *e, frame f)
{
    switch (e->kind) {
    case NW_EVENT_REPEAT:
    case NW_EVENT_COMPOSED: return parent(SUM, e, f, 0);
    case NW_EVENT_PARALLEL: { /* attained: what any one part is, here the first */
        if (f.flavour == PLAIN_ATTAINED)
            return build(e->children[0], f);
        return parent(LARGEST, e, f, 0);
    }
    case NW_EVENT_POISSON_SUBSAMPLED:
        if (e->parameter == 0.0)
            return leaf(NOTHING, 0, 0);
        if (f.adjacency == NW_REPLACE_ONE)
            return leaf(REPLACED, e->parameter, total_mu(e->children[0], NW_ADD_REMOVE));
        return parent(f.is_add ? ADDED : REMOVED, e, f, e->parameter);
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED: return fixed_size(e, f);
    case NW_EVENT_SHUFFLED: return f.flavour == PLAIN_ATTAINED ? counted(e, f.is_add) : clones(e);
    default: return leaf_of(e, &f);
    }
}

plain_pld *plain_pld_new(const nw_event *event, nw_adjacency adjacency, bool is_add, plain_flavour flavour, double h)
{
    plain_pld *node = build(event, (frame){ adjacency, is_add, flavour, h });
    if (node == NULL || node->kind == SUM)
        return node;
    plain_pld *top = leaf(SUM, 0, 0); /* on the grid too, so that what is compared is of one kind */
    top->child[0] = node;
    top->count[0] = 1;
    top->n = 1;
    sum_up(top, h);
    return top;
}

double plain_pld_delta(const plain_pld *plain, double epsilon)
{
    return (double)delta_at(plain, epsilon);
}

double plain_pld_infinite(const plain_pld *plain)
{
    return plain->sum->infinite;
}

bool plain_is_attained(const nw_event *e)
{
    switch (e->kind) {
    case NW_EVENT_ROUNDED_GAUSSIAN:
    case NW_EVENT_EXPONENTIAL:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP:
    case NW_EVENT_ZCDP:
    case NW_EVENT_RDP:
    case NW_EVENT_PARALLEL:
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED:
    case NW_EVENT_SHUFFLED: return false;
    default: break;
    }
    for (size_t i = 0; i < e->child_count; i++)
        if (!plain_is_attained(e->children[i]))
            return false;
    return true;
}

bool plain_is_symmetric(const nw_event *e, nw_adjacency adjacency)
{
    if ((e->kind == NW_EVENT_POISSON_SUBSAMPLED && adjacency != NW_REPLACE_ONE) || e->kind == NW_EVENT_SHUFFLED)
        return false;
    for (size_t i = 0; i < e->child_count; i++)
        if (!plain_is_symmetric(e->children[i], adjacency))
            return false;
    return true;
}
