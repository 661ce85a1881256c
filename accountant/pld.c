/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pld.c - the composition of dominating pairs.
 *
 * Grid. Placing n copies of a loss on a grid of step h adds about n t (t + 1) h^2 / 12 to the log-moment at t, so about n (theta
 * + 1) h^2 / 12 to epsilon. A sum of n copies spreads over sqrt(n) times the width of one, so a grid fine enough for one copy
 * would need ever longer transforms. Instead powers are taken in stages of RAISE = 64 copies; the sums, 64 times fewer, go to a
 * grid sqrt(RAISE) times coarser, where they cost as much error again: stages grow with log n, and their length hardly at all.
 * The last ENOUGH copies of a single mechanism need no stage. Point masses that lie on a lattice are powered on that lattice,
 * without any error of the grid.
 *
 * Slack. Thresholds are mapped through a family's formulas with an error of a few ulps of the loss, and grid points are rounded:
 * NW__LOSS_ROUNDING of the largest loss a step, added to (taken from) epsilon. */
#include "saddle.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

enum { RAISE = 64, MOST_RAISE = 1024, ENOUGH = 64, NARROW = 4, ATTEMPTS = 12 };
static const double LEAST_LOG_DELTA = -660.0;
/* What underflows is not nothing. */
static const double LEAST = 0x1p-1074;
/* Share of delta that may be cut off. */
static const double CUT = 1e-7;
static const double FINENESS = 4096.0;
static const size_t LONGEST = (size_t)1 << 21;

typedef struct attempt_plan {
    const nw__pld_query *query;
    const nw__saddle *saddle;
    nw__fft *fft;
    size_t n;         /* mechanisms */
    double tolerance; /* of epsilon, for this attempt */
    double delta;     /* where the answer is expected */
    double final_h;
    double *needed; /* points, where a window was too long */
} attempt_plan;

/* What the stages of a power cost together, in units of the first: the later ones are laid twice as fine as they need to be, as
 * the first has the longest transforms. */
static double stages(double count)
{
    return 1.0 + 0.35 * floor(log2(count) / 6.0);
}

/* Is the whole mechanism a lattice that the grid may follow without loss? */
static bool is_lattice(const nw__pair *pair, double h)
{
    return pair->tails == NULL && pair->spacing >= h;
}

/* The step for `count` copies of one of `n` mechanisms. Lowered chords lie twice as far below as chords lie above. */
static double step_for(const attempt_plan *plan, double count)
{
    const double share = plan->query->is_upper ? 12.0 : 6.0;
    return sqrt(share * plan->tolerance / ((double)plan->n * count * (plan->saddle->theta + 1.0) * stages(count)));
}

static nw__window window_for(const attempt_plan *plan, double remaining)
{
    /* upper: aliased mass is a small excess; lower: it is taken from every point */
    const double alias = plan->query->is_upper ? 1e-7 : 1e-13;
    return (nw__window){ fmax(alias / (remaining * (double)plan->n), 1e-280),
        fmax(CUT * plan->delta / (remaining * (double)plan->n), 1e-300), LONGEST, plan->needed };
}

/* Many point masses go to a grid of their own first, as merging and splitting them from there is more exact than one by one. */
static double first_step(const attempt_plan *plan, const nw__pair *pair, double h)
{
    enum { FINER = 64 };
    if (pair->tails != NULL || pair->atoms.n <= 3)
        return h;
    if (pair->spacing > 0.0)
        return fmin(h, pair->spacing);
    return plan->query->is_upper ? h : h / FINER;
}

static nw_status place(const attempt_plan *plan, const nw__mechanism *m, size_t j, double h, nw__pmf *out, nw_error *err)
{
    nw__cells cells;
    const double copies = (double)m->count * (double)plan->n;
    const nw__cells_opts opts = { .h = first_step(plan, m->pair, h),
        .theta = plan->saddle->theta,
        .log_scale = plan->saddle->log_scale[j],
        .cut_high = fmax(CUT * plan->delta / copies, 1e-300),
        .cut_low = 1e-13 / copies,
        .fineness = FINENESS,
        .most = NW__PMF_MOST,
        .is_upper = plan->query->is_upper };
    NW__TRY(nw__cells_new(&cells, m->pair, &opts, err));
    nw_status status = nw__pmf_from_cells(out, &cells, opts.h, plan->saddle->theta, plan->query->is_upper, err);
    out->origin = cells.origin;
    out->log_scale += plan->saddle->theta * cells.origin;
    nw__cells_free(&cells);
    if (status == NW_OK && opts.h < h)
        status = nw__pmf_regrid(out, h, err);
    return status;
}

static nw_status raise_to(const attempt_plan *plan, nw__pmf *pmf, uint64_t power, double remaining, nw_error *err)
{
    nw__pmf raised;
    const nw__window window = window_for(plan, remaining);
    const nw__factor factor = { pmf, power };
    NW__TRY(nw__pmf_product(&raised, &factor, 1, &window, plan->fft, err));
    nw__pmf_free(pmf);
    *pmf = raised;
    return NW_OK;
}

/* One mechanism on its way to the final product: `pmf` to the power `left`, and what the stages left over. */
typedef struct part {
    nw__pmf pmf;
    uint64_t left;
    nw__pmf rest;
    bool has_rest;
} part;

static void part_free(part *p)
{
    nw__pmf_free(&p->pmf);
    if (p->has_rest)
        nw__pmf_free(&p->rest);
}

/* rest *= pmf^power */
static nw_status add_rest(const attempt_plan *plan, part *p, uint64_t power, nw_error *err)
{
    nw__pmf product;
    const nw__window window = window_for(plan, 1.0);
    const nw__factor factors[2] = { { &p->pmf, power }, { &p->rest, 1 } };
    if (power == 0)
        return NW_OK;
    if (power == 1 && !p->has_rest) {
        p->has_rest = true;
        return nw__pmf_copy(&p->rest, &p->pmf, err);
    }
    NW__TRY(nw__pmf_product(&product, factors, p->has_rest ? 2 : 1, &window, plan->fft, err));
    if (p->has_rest)
        nw__pmf_free(&p->rest);
    p->rest = product;
    p->has_rest = true;
    return NW_OK;
}

static nw_status regrid(part *p, double h, nw_error *err)
{
    NW__TRY(nw__pmf_regrid(&p->pmf, h, err));
    return p->has_rest ? nw__pmf_regrid(&p->rest, h, err) : NW_OK;
}

/* How many copies a stage takes at most: RAISE, or as many as fit the transform that RAISE copies need anyway. The window of a
 * sum is that of one copy, which a heavy tail sets, and about 22 deviations of the sum. */
static uint64_t most_copies(const nw__pmf *pmf)
{
    const double spread = fmax(22.0 * sqrt(nw__pmf_variance(pmf)) / pmf->h, 1e-3);
    const double n = (double)pmf->n;
    const double root = (exp2(ceil(log2(n + spread * sqrt(RAISE)))) - n) / spread;
    return (uint64_t)fmax(RAISE, fmin(MOST_RAISE, root * root));
}

/* The power of the next stage: of those that do the same work, one that leaves little over. */
static uint64_t next_power(uint64_t left, uint64_t most)
{
    uint64_t best = most;
    if (left <= most)
        return left;
    for (uint64_t power = most; power > most / 2; power--)
        if (left % power < left % best)
            best = power;
    return best;
}

/* How much coarser the sums of `power` copies may lie: sqrt(power) costs as much error as before, and two thirds of that half. */
static double coarser_by(uint64_t power)
{
    return sqrt((double)power) / 1.5;
}

static nw_status stage(const attempt_plan *plan, part *p, double *ratio, nw_error *err)
{
    const uint64_t power = next_power(p->left, most_copies(&p->pmf));
    NW__TRY(add_rest(plan, p, p->left % power, err));
    p->left /= power;
    if (power > 1)
        NW__TRY(raise_to(plan, &p->pmf, power, (double)p->left, err));
    const double coarser = fmin(*ratio, coarser_by(power));
    if (coarser < 1.5)
        return NW_OK;
    *ratio /= coarser;
    return regrid(p, p->pmf.h * coarser, err);
}

/* The step for a mechanism, and how much coarser its sums may become: a power of two where grids have to meet. Where its law is a
 * lattice, the lattice's step; where it has point masses at its ends, a step that meets both, however often it is doubled. */
static double choose_step(const attempt_plan *plan, const nw__mechanism *m, size_t j, double *ratio)
{
    const double spacing = m->pair->spacing;
    const double narrow = fmax(plan->saddle->spread[j] / NARROW, 0x1p-10 * plan->final_h);
    const double wanted = fmin(fmin(step_for(plan, (double)m->count), plan->final_h), narrow);
    *ratio = 1.0;
    if (is_lattice(m->pair, wanted)) {
        const double width = 16.0 * plan->saddle->deviation; /* of the whole sum */
        if (width > spacing * (double)LONGEST)
            *ratio = exp2(floor(log2(fmax(1.0, plan->final_h / spacing))));
        return spacing;
    }
    if (spacing >= wanted) {
        *ratio = exp2(floor(log2(fmin(plan->final_h, spacing) / wanted)));
        return spacing / (*ratio * ceil(spacing / (*ratio * wanted)));
    }
    *ratio = plan->final_h / wanted;
    return plan->final_h / *ratio;
}

/* A mechanism's share of the final product, on the final grid if there are others. */
static nw_status prepare(const attempt_plan *plan, const nw__mechanism *m, size_t j, part *p, nw_error *err)
{
    double ratio = 1.0;
    *p = (part){ .left = m->count };
    const double h = choose_step(plan, m, j, &ratio);
    NW__TRY(place(plan, m, j, h, &p->pmf, err));
    if (is_lattice(m->pair, h) && plan->n > 1) {
        NW__TRY(raise_to(plan, &p->pmf, p->left, 1.0, err));
        p->left = 1;
    }
    const uint64_t enough = plan->n > 1 ? 1 : ENOUGH;
    while (ratio > 1.0 && p->left > enough)
        NW__TRY(stage(plan, p, &ratio, err));
    if (plan->n == 1 || fabs(p->pmf.h - plan->final_h) <= 0x1p-40 * plan->final_h)
        return NW_OK;
    if (p->left > 1) {
        NW__TRY(raise_to(plan, &p->pmf, p->left, 1.0, err));
        p->left = 1;
    }
    return regrid(p, plan->final_h, err);
}

static nw_status multiply_parts(const attempt_plan *plan, const part *parts, nw__pmf *out, nw_error *err)
{
    size_t n = 0;
    nw__factor *factors = nw__calloc(2 * plan->n, sizeof *factors);
    if (factors == NULL)
        return nw__fail_memory(err, "nw__pld");
    for (size_t j = 0; j < plan->n; j++) {
        factors[n++] = (nw__factor){ &parts[j].pmf, parts[j].left };
        if (parts[j].has_rest)
            factors[n++] = (nw__factor){ &parts[j].rest, 1 };
    }
    const nw__window window = window_for(plan, 1.0);
    const nw_status status = nw__pmf_product(out, factors, n, &window, plan->fft, err);
    free(factors);
    return status;
}

/* Mechanism j is prepared by thread t with a transform of its own; nothing depends on which thread it is. */
typedef struct worker {
    nw__fft fft;
    double needed;
    nw_status status;
    nw_error err;
} worker;

static void prepare_one(const attempt_plan *plan, const nw__mechanism *list, size_t j, worker *w, part *p)
{
    attempt_plan own = *plan;
    nw_error err;
    own.fft = &w->fft;
    own.needed = &w->needed;
    const nw_status status = prepare(&own, &list[j], j, p, &err);
    if (status != NW_OK && (w->status == NW_OK || w->status == NW_E_UNSUPPORTED)) {
        w->status = status;
        w->err = err;
    }
}

/* All parts; a failure other than NW_E_UNSUPPORTED (the grid) comes first. */
static nw_status prepare_all(const attempt_plan *plan, const nw__mechanism *list, part *parts, nw_error *err)
{
    enum { MOST_THREADS = 8 };
    int threads = plan->n > 1 ? nw__threads(0) : 1;
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    worker *workers = nw__calloc((size_t)threads, sizeof *workers);
    nw_status status = NW_OK;
    if (workers == NULL)
        return nw__fail_memory(err, "nw__pld");
    workers[0].fft = *plan->fft;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t j = 0; j < plan->n; j++)
        prepare_one(plan, list, j, &workers[omp_get_thread_num()], &parts[j]);
    *plan->fft = workers[0].fft;
    for (int t = 0; t < threads; t++) {
        *plan->needed = fmax(*plan->needed, workers[t].needed);
        if (workers[t].status != NW_OK && (status == NW_OK || status == NW_E_UNSUPPORTED)) {
            status = workers[t].status;
            if (err != NULL)
                *err = workers[t].err;
        }
        if (t > 0)
            nw__fft_free(&workers[t].fft);
    }
    free(workers);
    return status;
}

static nw_status attempt(const attempt_plan *plan, const nw__mechanism *list, nw__pmf *out, nw_error *err)
{
    part *parts = nw__calloc(plan->n, sizeof *parts);
    if (parts == NULL)
        return nw__fail_memory(err, "nw__pld");
    nw_status status = prepare_all(plan, list, parts, err);
    if (status == NW_OK)
        status = multiply_parts(plan, parts, out, err);
    for (size_t j = 0; j < plan->n; j++)
        part_free(&parts[j]);
    free(parts);
    return status;
}

static double wanted_tolerance(const nw__pld_query *q, const nw__saddle *saddle)
{
    if (q->is_untilted)
        return q->tolerance;
    const double relative = (q->asks_epsilon ? 1e-3 : 2e-4) / saddle->theta; /* of delta */
    return fmax(fmin(q->tolerance, relative), 1e-6 * saddle->epsilon);
}

static double loss_slack(const nw__mechanism *list, size_t n, const nw__saddle *saddle)
{
    double slack = 0.0;
    for (size_t j = 0; j < n; j++)
        slack += (double)list[j].count * NW__LOSS_ROUNDING * saddle->highest[j];
    return slack;
}

/* A final grid that is fine against the sum's spread. */
static double resolution_for(const attempt_plan *plan)
{
    const nw__saddle *saddle = plan->saddle;
    const double scale = plan->query->is_untilted ? saddle->deviation : fmax(saddle->deviation, 1.0 / saddle->theta);
    return fmax(scale, 1e-290) / 32.0;
}

/* A final step of at most h. From below, the points of a lattice that is coarser than the grid each lose up to a step where it
 * meets others: one lattice is met by the grid, for several it is made finer. */
static double meet_lattices(const attempt_plan *plan, const nw__mechanism *list, double h)
{
    double spacing = 0.0;
    double lattices = 0.0;
    for (size_t j = 0; j < plan->n; j++) {
        if (!is_lattice(list[j].pair, h))
            continue;
        spacing = list[j].pair->spacing;
        lattices += 1.0;
    }
    if (plan->query->is_upper || plan->n == 1 || lattices == 0.0)
        return h;
    return lattices == 1.0 ? spacing / ceil(spacing / h) : fmin(h, 2.0 * plan->tolerance / lattices);
}

nw_status nw__pld_compose(const nw__mechanism *list, size_t n, const nw__pld_query *query, nw__fft *fft, nw__pmf *out,
    double *slack, double *estimate, nw_error *err)
{
    nw__saddle saddle;
    NW__TRY(nw__saddle_find(&saddle, list, n, query, err));
    if (!query->asks_epsilon && saddle.log_delta < LEAST_LOG_DELTA) {
        nw__saddle_free(&saddle);
        return nw__fail(err, NW_E_UNSUPPORTED, "nw__pld", "delta is below the range of doubles");
    }
    double needed = 0.0;
    attempt_plan plan = { .query = query,
        .saddle = &saddle,
        .fft = fft,
        .n = n,
        .tolerance = wanted_tolerance(query, &saddle),
        .delta = fmax(query->asks_epsilon ? query->given : exp(saddle.log_delta), 1e-290),
        .needed = &needed };
    nw_status status = NW_E_UNSUPPORTED;
    double resolution = resolution_for(&plan);
    for (int i = 0; i < ATTEMPTS && status == NW_E_UNSUPPORTED; i++) {
        const double for_sum = n > 1 ? step_for(&plan, 4.0) : step_for(&plan, 1.0);
        plan.final_h = meet_lattices(&plan, list, fmin(for_sum, resolution));
        needed = 0.0;
        status = attempt(&plan, list, out, err);
        if (status == NW_E_UNSUPPORTED && needed == NW__PMF_TOO_COARSE)
            break;
        const double coarser = needed > 0.0 ? fmin(64.0, fmax(1.125, 1.0625 * needed / (double)LONGEST)) : 4.0;
        resolution = plan.final_h * coarser;
        plan.tolerance *= coarser * coarser;
    }
    if (status == NW_OK) {
        *slack = loss_slack(list, n, &saddle);
        *estimate = !saddle.is_smooth ? NAN : query->asks_epsilon ? saddle.epsilon : exp(saddle.log_delta);
    }
    nw__saddle_free(&saddle);
    return status;
}

nw_status nw__pld_estimate(const nw__mechanism *list, size_t n, const nw__pld_query *query, double *estimate, nw_error *err)
{
    nw__saddle saddle;
    NW__TRY(nw__saddle_find(&saddle, list, n, query, err));
    *estimate = query->asks_epsilon ? saddle.epsilon : exp(saddle.log_delta);
    nw__saddle_free(&saddle);
    return NW_OK;
}

/* The sum of the largest finite losses, rounded up, and what lies at infinity, 1 - prod (1 - p_j)^n_j: at most the sum, at least
 * the sum less half its square. Above the one, delta is the other. */
static double highest_of(const nw__mechanism *list, size_t n, bool is_upper, double *delta)
{
    double highest = 0.0;
    double infinite = 0.0;
    for (size_t j = 0; j < n; j++) {
        highest += (double)list[j].count * fmax(0.0, list[j].pair->highest) * (1.0 + (double)n * NW__LOSS_ROUNDING);
        infinite += (double)list[j].count * list[j].pair->atoms.p_infinite;
    }
    const double error = 0x1p-52 * (2.0 * (double)n + 8.0);
    *delta = is_upper ? fmin(1.0, infinite * (1.0 + error))
                      : fmax(0.0, fmin(1.0, infinite) * (1.0 - 0.5 * fmin(1.0, infinite)) * (1.0 - error));
    return highest;
}

nw_status nw__pld_solve(
    const nw__mechanism *list, size_t n, const nw__pld_query *query, nw__fft *fft, nw__pld_answer *out, nw_error *err)
{
    nw__pmf pmf;
    double slack = 0.0;
    out->estimate = NAN;
    out->is_rough = false;
    double infinite = 0.0;
    const double highest = highest_of(list, n, query->is_upper, &infinite);
    if (!query->asks_epsilon && query->given >= highest) {
        out->value = infinite;
        return NW_OK;
    }
    const nw_status status = nw__pld_compose(list, n, query, fft, &pmf, &slack, &out->estimate, err);
    if (status == NW_E_UNSUPPORTED && query->asks_epsilon && query->is_upper && isfinite(highest) && infinite <= query->given) {
        out->value = highest; /* enough for a direction that does not decide */
        out->is_rough = true;
        return NW_OK;
    }
    NW__TRY(status);
    const double outward = query->is_upper ? slack : -slack;
    if (query->asks_epsilon)
        out->value = fmax(0.0, nw__pmf_epsilon(&pmf, query->given) + outward);
    else
        out->value = fmax(nw__pmf_delta(&pmf, query->given - outward), query->is_upper ? LEAST : 0.0);
    nw__pmf_free(&pmf);
    return NW_OK;
}
