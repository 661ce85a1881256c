/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* choices.c - what to train with unless the options say otherwise. All of it follows from the schema: a number is shown as its
 * place in [-1, 1] and a category as one feature that is 1, so a row of so many columns, its bias in the target's stead, has a
 * squared norm of at most their number. The model with hidden units takes the figures of the linear one. */
#include "job.h"

#include <nw/accounting.h>

#include <math.h>

enum { USUAL_ROUNDS = 200, USUAL_RESTARTS = 8, TAIL_PART = 10 };
static const double USUAL_SPLIT = 0.7;
static const double GROWTH = 0.25;
static const double STEP = 1.5; /* times the reciprocal of the smoothness */

/* Most that a linear model's gradient of one record can be, at errors of 1, and its smoothness, for rows of squared norm 1. */
static double slope_of(const model *m)
{
    switch (m->loss) {
    case NW_DIFF2_HUBER: return m->huber_width;
    case NW_DIFF2_SOFTMAX: return sqrt(2.0);
    default: return 1.0;
    }
}

static double curvature_of(const model *m)
{
    switch (m->loss) {
    case NW_DIFF2_LOGISTIC: return 0.25;
    case NW_DIFF2_SOFTMAX: return 0.5;
    default: return 1.0;
    }
}

static double given(double value, double otherwise)
{
    return value > 0.0 ? value : otherwise;
}

/* Restarts that keep the differences' noise from feeding itself. A difference gets noise of b |x_r - x_{r-1}| = b eta |v|, all
 * coordinates together, b = C2 s2 sqrt(d) / n; so between two restarts E |v|^2 grows by 1 + b^2 eta^2 a round, over a period of T
 * rounds by about e^(b^2 eta^2 T), whatever the records are. With s2^2 = (R - J) / ((1 - w) mu^2) and T = R / J the exponent is
 * at most GROWTH from this J on, which for little budget comes near R, that is DP-GD. */
uint64_t choices_restarts(const job *j, const choices *c)
{
    const settings *s = j->settings;
    const uint64_t least = c->rounds < USUAL_RESTARTS ? c->rounds : USUAL_RESTARTS;
    const double n = (double)(s->records > 0 ? s->records : j->records);
    const double mu = nw_gdp_mu(s->epsilon, s->delta) / (s->adjacency == 1 ? 2.0 : 1.0);
    const double rounds = (double)c->rounds;
    if (!(n > 0.0) || !(mu > 0.0))
        return least;
    const double way = c->eta * c->c2 / (mu * n);
    const double growth = way * way * (double)j->model.dimension * rounds / (1.0 - c->split); /* times R / J - 1 */
    const double most = ceil(rounds / (1.0 + GROWTH / growth));
    return most > (double)least ? (uint64_t)fmin(most, rounds) : least;
}

choices choices_make(const job *j)
{
    const settings *s = j->settings;
    const double squares = (double)nw_schema_columns(j->plan.schema);
    const double smoothness = curvature_of(&j->model) * squares;
    choices c = { .rounds = s->rounds > 0 ? s->rounds : USUAL_ROUNDS };
    c.eta = given(s->eta, STEP / smoothness);
    c.c1 = given(s->c1, slope_of(&j->model) * sqrt(squares));
    c.c2 = given(s->c2, smoothness);
    c.split = given(s->split, USUAL_SPLIT);
    c.tail = c.rounds / TAIL_PART > 0 ? c.rounds / TAIL_PART : 1;
    c.restarts = s->method != METHOD_DIFF2 ? c.rounds : s->restarts > 0 ? s->restarts : choices_restarts(j, &c);
    c.period = (c.rounds + c.restarts - 1) / c.restarts;
    return c;
}
