/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* logistic.c - the interpolated logistic loss, by Newton's method with halved steps.
 *
 * l(t, f) = log(1 + e^f) - t f is convex in f for every real t, so noisy means beyond [0, 1] stay in. Where they are, it may fall
 * without end in some direction; the ridge, above 0, makes a minimum, and there is one only. For the intercept, which the ridge
 * must not pull, a small fixed one does. */
#include "bags_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double INTERCEPT_RIDGE = 0x1p-10;
static const double ENOUGH = 1e-14; /* Newton's decrement: twice the distance of the loss from its minimum, to second order */
enum { MOST_STEPS = 200, MOST_HALVINGS = 60, ROWS_AT_ONCE = 128 };

typedef struct problem {
    const nw__bags_means *m;
    const double *targets;
    double rho;
    double ridge;
    size_t q; /* parameters: coefficients, then the intercept if there is one */
    double *theta;
    double *gradient;
    double *hessian;
    double *step;
    double *trial;
    double *rows; /* ROWS_AT_ONCE rows of q, and their weights */
    double *curvature;
    size_t filled;
} problem;

static double softplus(double f)
{
    return f > 0.0 ? f + log1p(exp(-f)) : log1p(exp(f));
}

static void flush(problem *b)
{
    nw__add_gram(b->hessian, b->q, b->rows, b->curvature, b->filled);
    b->filled = 0;
}

/* One term w l(t, x'theta): its value, and if derivatives are wanted, its part of gradient and Hessian. */
static double add_term(problem *b, const double *theta, const double *x, double t, double w, bool has_derivatives)
{
    const size_t p = b->m->p;
    double f = b->q > p ? theta[p] : 0.0;
    for (size_t j = 0; j < p; j++)
        f += theta[j] * x[j];
    if (has_derivatives) {
        const double probability = 1.0 / (1.0 + exp(-f));
        double *row = b->rows + b->filled * b->q;
        memcpy(row, x, p * sizeof *row);
        if (b->q > p)
            row[p] = 1.0;
        for (size_t j = 0; j < b->q; j++)
            b->gradient[j] += w * (probability - t) * row[j];
        b->curvature[b->filled++] = w * probability * (1.0 - probability);
        if (b->filled == ROWS_AT_ONCE)
            flush(b);
    }
    return w * (softplus(f) - t * f);
}

static double ridge_of(const problem *b, size_t j)
{
    return j < b->m->p ? b->ridge : INTERCEPT_RIDGE;
}

/* The loss at theta. */
static double evaluate(problem *b, const double *theta, bool has_derivatives)
{
    const nw__bags_means *m = b->m;
    const nw__bags_sample *s = m->sample;
    double loss = 0.0;
    if (has_derivatives) {
        memset(b->gradient, 0, b->q * sizeof *b->gradient);
        memset(b->hessian, 0, b->q * b->q * sizeof *b->hessian);
    }
    for (size_t a = 0; a < s->count; a++) {
        const size_t size = s->starts[a + 1] - s->starts[a];
        const double within = size == 1 ? 0.0 : b->rho; /* a bag of one row is that row */
        if (within < 1.0)
            loss += add_term(b, theta, m->xbar + a * m->p, b->targets[a], (1.0 - within) * m->weight[a], has_derivatives);
        for (size_t k = s->starts[a]; within > 0.0 && k < s->starts[a + 1]; k++)
            loss += add_term(
                b, theta, m->x + s->members[k] * m->p, b->targets[a], within * m->weight[a] / (double)size, has_derivatives);
    }
    for (size_t j = 0; j < b->q; j++)
        loss += ridge_of(b, j) * theta[j] * theta[j];
    if (has_derivatives) {
        flush(b);
        for (size_t j = 0; j < b->q; j++) {
            b->gradient[j] += 2.0 * ridge_of(b, j) * theta[j];
            b->hessian[j * b->q + j] += 2.0 * ridge_of(b, j);
        }
    }
    return loss;
}

/* Newton's step and its decrement; false if the Hessian cannot be factored. */
static bool newton(problem *b, double *decrement)
{
    if (!nw__cholesky(b->hessian, b->q, NULL))
        return false;
    memcpy(b->step, b->gradient, b->q * sizeof *b->step);
    nw__cholesky_solve(b->hessian, b->q, b->step);
    *decrement = 0.0;
    for (size_t j = 0; j < b->q; j++)
        *decrement += b->gradient[j] * b->step[j];
    return true;
}

/* Half of the decrease that the slope promises, or less, is enough; false if no step gives it: the minimum, to rounding. */
static bool descend(problem *b, double decrement, double *loss)
{
    double length = 1.0;
    for (int h = 0; h < MOST_HALVINGS; h++, length *= 0.5) {
        for (size_t j = 0; j < b->q; j++)
            b->trial[j] = b->theta[j] - length * b->step[j];
        const double value = evaluate(b, b->trial, false);
        if (value <= *loss - 1e-4 * length * decrement) {
            memcpy(b->theta, b->trial, b->q * sizeof *b->theta);
            *loss = value;
            return true;
        }
    }
    return false;
}

static nw_status iterate(problem *b, nw_bags_fitted *fitted, const char *function, nw_error *err)
{
    double decrement = INFINITY;
    for (size_t i = 0; i < MOST_STEPS; i++) {
        fitted->loss = evaluate(b, b->theta, true);
        if (!newton(b, &decrement))
            return nw__fail(err, NW_E_NUMERIC, function,
                "the features are collinear at ridge %g: a larger ridge decides among them", b->ridge);
        fitted->iterations = i;
        if (decrement < ENOUGH || !descend(b, decrement, &fitted->loss))
            return NW_OK;
    }
    return nw__fail(err, NW_E_NUMERIC, function,
        "no minimum within %d steps at ridge %g: a larger ridge, or features of like scale", MOST_STEPS, b->ridge);
}

nw_status nw__bags_logistic(const nw__bags_means *means, const double *targets, const nw_bags_fit_opts *opts,
    double *coefficients, nw_bags_fitted *fitted, const char *function, nw_error *err)
{
    const size_t p = means->p, q = p + (opts->has_intercept ? 1 : 0);
    double *room = nw__calloc(4 * q + q * q + ROWS_AT_ONCE * (q + 1), sizeof *room);
    if (room == NULL)
        return nw__fail_memory(err, function);
    problem b = { .m = means, .targets = targets, .rho = opts->rho, .ridge = opts->ridge, .q = q, .theta = room };
    b.gradient = b.theta + q;
    b.step = b.gradient + q;
    b.trial = b.step + q;
    b.hessian = b.trial + q;
    b.rows = b.hessian + q * q;
    b.curvature = b.rows + ROWS_AT_ONCE * q;
    const nw_status status = iterate(&b, fitted, function, err);
    memcpy(coefficients, b.theta, p * sizeof *coefficients);
    fitted->intercept = q > p ? b.theta[p] : 0.0;
    free(room);
    return status;
}
