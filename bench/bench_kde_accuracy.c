/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_kde_accuracy.c - errors of the similarity room's answers: of what the planner chooses, beside a published baseline on the
 * same points, and beside the error that the answers themselves state. Made points; with a folder of real tables
 * (california_housing, kddcup99_10pct, mnist) those instead, or the set-ups whose names begin with NAME. Averages over ten seeds.
 */
#include "figures.h"
#include "kde_data.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Points and what is asked about them. */
typedef struct setup {
    const char *name;
    const float *x;
    size_t n;
    const float *y;
    size_t m;
    double unit; /* errors are told in units of this */
    const char *unit_name;
    const double *exact; /* [m] */
} setup;

/* Of one way to answer, over all queries and seeds. */
typedef struct errors {
    double mean;   /* absolute, in the setup's unit */
    double root;   /* root mean square of the same */
    double stated; /* root mean square of the errors stated with the answers */
    nw_kde_plan plan;
} errors;

static int seed_count = 10;
static const char *only = ""; /* set-ups whose names begin so */

static void release(nw_kde *kde, uint64_t seed)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.delta = nw_kde_get_opts(kde).delta;
    lo.adjacency = NW_ADD_REMOVE;
    bench_check(nw_rng_new_insecure_seeded(&rng, seed, &err), &err);
    bench_check(nw_ledger_unlimited(&ledger, &lo, &err), &err);
    bench_check(nw_kde_release(kde, rng, ledger, "bench", NULL, &err), &err);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/* Seeds of the frequencies and of the noise are 1, 2, ... */
static errors measure(const setup *s, nw_kde_opts o, int seeds)
{
    nw_error err;
    errors e = { 0 };
    double *values = bench_need(malloc(2 * s->m * sizeof *values)), *stated = values + s->m;
    const double count = (double)seeds * (double)s->m;
    for (int seed = 1; seed <= seeds; seed++) {
        nw_kde *kde = NULL;
        o.public_seed = (uint64_t)seed;
        bench_check(nw_kde_new(&kde, &o, &err), &err);
        bench_check(nw_kde_add(kde, s->x, s->n, &err), &err);
        release(kde, (uint64_t)seed);
        bench_check(nw_kde_query(kde, s->y, s->m, values, stated, &err), &err);
        for (size_t i = 0; i < s->m; i++) {
            const double error = (values[i] - s->exact[i]) / s->unit;
            e.mean += fabs(error) / count;
            e.root += error * error / count;
            e.stated += stated[i] * stated[i] / (s->unit * s->unit) / count;
        }
        e.plan = nw_kde_get_plan(kde);
        nw_kde_free(kde);
    }
    e.root = sqrt(e.root);
    e.stated = sqrt(e.stated);
    free(values);
    return e;
}

/* The first `asked` points are asked about, then come `landmarks`, then those that are private. */
typedef struct task {
    const char *name;
    const kde_points *points;
    size_t asked;
    size_t landmarks;
    size_t n;
    double unit; /* 0: n */
    const char *unit_name;
} task;

static double *exact_sums(const nw_kde_opts *o, const setup *s)
{
    double *sums = bench_need(calloc(s->m, sizeof *sums));
#pragma omp parallel for
    for (size_t i = 0; i < s->m; i++)
        for (size_t k = 0; k < s->n; k++)
            sums[i] += nw_kde_exact(o, s->x + k * o->dimension, s->y + i * o->dimension);
    return sums;
}

static setup begin(const task *t, const nw_kde_opts *o)
{
    const size_t d = t->points->d, first = t->asked + t->landmarks;
    setup s = { .name = t->name,
        .x = t->points->x + first * d,
        .n = t->points->n - first < t->n ? t->points->n - first : t->n,
        .y = t->points->x,
        .m = t->asked };
    s.unit = t->unit > 0.0 ? t->unit : (double)s.n;
    s.unit_name = t->unit_name;
    s.exact = exact_sums(o, &s);
    return s;
}

static const char *name_of(nw_kde_estimator baseline)
{
    return baseline == NW_KDE_TREE ? "tree" : baseline == NW_KDE_LSQ_FGT ? "lsq_fgt" : "lsq_rff";
}

/* Beside a baseline of its best known size; AUTO: none. */
static void print_errors(const setup *s, const nw_kde_opts *o, nw_kde_estimator baseline, size_t size)
{
    char name[160], note[80];
    const errors e = measure(s, *o, seed_count);
    bench_figure figure = { name, e.mean, s->unit_name, { { "stated", e.root / e.stated } } };
    if (baseline != NW_KDE_AUTO) {
        nw_kde_opts b = *o;
        b.estimator = baseline;
        b.size = size;
        figure.ratios[1] = (bench_ratio){ name_of(baseline), e.mean / measure(s, b, seed_count).mean };
    }
    snprintf(name, sizeof name, "error/%s/epsilon=%g/delta=%g%s%s", s->name, o->epsilon, o->delta,
        o->public_points < 0 ? "/n-private" : "", o->landmark_count > 0 ? "/landmarks" : "");
    snprintf(note, sizeof note, "%s of size %zu", nw_kde_estimator_name(e.plan.estimator), e.plan.size);
    bench_print_noted(&figure, note);
}

static nw_kde_opts options(nw_kde_kernel kernel, const kde_points *p, double bandwidth, const double *bounds)
{
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = kernel;
    o.dimension = p->d;
    o.bandwidth = bandwidth;
    o.lower = bounds;
    o.upper = bounds == NULL ? NULL : bounds + p->d;
    o.epsilon = 1.0;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

static double *make_bounds(size_t d, double upper)
{
    double *bounds = bench_need(calloc(2 * d, sizeof *bounds));
    for (size_t j = 0; j < d; j++)
        bounds[d + j] = upper;
    return bounds;
}

/* ---- set-ups ---- */

static bool is_wanted(const char *name)
{
    return strncmp(name, only, strlen(only)) == 0;
}

/* In units of R. */
static void measure_l1(const char *name, const kde_points *p, double width)
{
    if (!is_wanted(name))
        return;
    double *bounds = make_bounds(p->d, width);
    nw_kde_opts o = options(NW_KDE_L1, p, 0.0, bounds);
    const setup s = begin(&(task){ name, p, 200, 0, p->n, width, "R" }, &o);
    static const double epsilons[] = { 0.1, 0.5, 1.0 };
    for (size_t e = 0; e < 3; e++)
        for (int kind = 0; kind < 3; kind++) {
            o.epsilon = epsilons[e];
            o.delta = kind == 2 ? 1e-6 : 0.0;
            o.public_points = kind == 0 ? -1 : (int64_t)s.n;
            print_errors(&s, &o, kind == 0 && p->d == 1 ? NW_KDE_TREE : NW_KDE_AUTO, 15);
        }
    free((void *)(uintptr_t)s.exact);
    free(bounds);
}

static void measure_plane(const char *name, const kde_points *p, nw_kde_kernel kernel, double bandwidth)
{
    if (!is_wanted(name))
        return;
    double *bounds = make_bounds(p->d, 11.0);
    nw_kde_opts o = options(kernel, p, bandwidth, bounds);
    const setup s = begin(&(task){ name, p, 300, 700, p->n, 0.0, "1" }, &o);
    static const double epsilons[] = { 0.1, 0.5, 1.0 };
    o.public_points = (int64_t)s.n;
    for (size_t e = 0; e < 3; e++) {
        o.epsilon = epsilons[e];
        print_errors(&s, &o, kernel == NW_KDE_GAUSSIAN ? NW_KDE_LSQ_FGT : NW_KDE_AUTO, e == 0 ? 3 : 4);
    }
    free((void *)(uintptr_t)s.exact);
    free(bounds);
}

/* Sizes of the baseline: those of least error in tests/vectors/kde.json. */
static void measure_space(const task *t, double bandwidth, const size_t *sizes)
{
    if (!is_wanted(t->name))
        return;
    nw_kde_opts o = options(NW_KDE_GAUSSIAN, t->points, bandwidth, NULL);
    const setup s = begin(t, &o);
    static const double epsilons[] = { 0.1, 0.5, 1.0 };
    o.public_points = (int64_t)s.n;
    for (size_t e = 0; e < 3; e++) {
        o.epsilon = epsilons[e];
        o.delta = 0.0;
        print_errors(&s, &o, NW_KDE_LSQ_RFF, sizes[e]);
        o.delta = 1e-6;
        print_errors(&s, &o, NW_KDE_AUTO, 0);
        o.landmarks = t->points->x + t->asked * t->points->d;
        o.landmark_count = t->landmarks;
        for (int kind = 0; t->landmarks > 0 && kind < 2; kind++) {
            o.delta = kind == 0 ? 0.0 : 1e-6;
            print_errors(&s, &o, NW_KDE_AUTO, 0);
        }
        o.landmarks = NULL;
        o.landmark_count = 0;
    }
    free((void *)(uintptr_t)s.exact);
}

static void measure_made(bool is_quick)
{
    static const struct {
        const char *name;
        size_t d;
    } lines[] = { { "l1/d=1", 1 }, { "l1/d=4", 4 }, { "l1/d=16", 16 }, { "l1/d=64", 64 } };
    for (size_t i = 0; i < (is_quick ? 1 : 4); i++) {
        kde_points p = kde_points_uniform(2200, lines[i].d);
        measure_l1(lines[i].name, &p, 1.0);
        free(p.x);
    }
    static const char *const towns[] = { "towns/d=1", "towns/d=2", "towns/d=3" };
    for (size_t d = 1; d <= (is_quick ? 1 : 3); d++) {
        kde_points p = kde_points_towns(is_quick ? 2000 : 21000, d);
        measure_plane(towns[d - 1], &p, NW_KDE_GAUSSIAN, 1.0);
        free(p.x);
    }
    kde_points p = kde_points_towns(is_quick ? 2000 : 21000, 2);
    if (!is_quick)
        measure_plane("towns/laplacian/d=2", &p, NW_KDE_LAPLACIAN, 0.5);
    free(p.x);
}

static void measure_real(const char *folder)
{
    static const size_t image_sizes[] = { 400, 1600, 3200 }, connection_sizes[] = { 3200, 6400, 6400 };
    kde_points p = kde_points_incomes(folder);
    measure_l1("incomes", &p, 15.0001);
    free(p.x);
    p = kde_points_places(folder);
    measure_plane("california", &p, NW_KDE_GAUSSIAN, 1.0);
    measure_plane("california/exponential", &p, NW_KDE_EXPONENTIAL, 1.0);
    free(p.x);
    p = kde_points_connections(folder);
    measure_space(&(task){ "kdd99/sigma=0.5", &p, 400, 1000, 100000, 0.0, "1" }, 0.5, connection_sizes);
    measure_space(&(task){ "kdd99/sigma=1", &p, 400, 1000, 100000, 0.0, "1" }, 1.0, connection_sizes);
    free(p.x);
    p = kde_points_images(folder);
    for (size_t i = 0; i < 400 * p.d; i++) { /* the test images are asked about */
        const float old = p.x[i];
        p.x[i] = p.x[60000 * p.d + i];
        p.x[60000 * p.d + i] = old;
    }
    measure_space(&(task){ "mnist-pca50/sigma=4", &p, 400, 0, 60000, 0.0, "1" }, 4.0, image_sizes);
    measure_space(&(task){ "mnist-pca50/sigma=6", &p, 400, 0, 60000, 0.0, "1" }, 6.0, image_sizes);
    free(p.x);
}

int main(int argc, char **argv)
{
    const bench_options options =
        bench_begin(argc, argv, "[FOLDER [NAME]]", "errors of similarity structures: made points, or the real tables in FOLDER");
    if (options.is_quick)
        seed_count = 2;
    if (options.count > 1)
        only = options.operands[1];
    if (options.count == 0)
        measure_made(options.is_quick);
    if (options.count > 0)
        measure_real(options.operands[0]);
    return bench_end();
}
