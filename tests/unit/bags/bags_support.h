/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_BAGS_SUPPORT_H
#define NW_TEST_BAGS_SUPPORT_H

/* bags_support.h - simulated problems and releases of them, for the tests of the bags room. */
#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* The tests' own numbers: splitmix64, and normal ones by Box and Muller. */
typedef struct dice {
    uint64_t state;
} dice;

static inline double roll(dice *d)
{
    uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static inline double roll_normal(dice *d)
{
    const double r = sqrt(-2.0 * log(roll(d)));
    return r * cos(6.283185307179586 * roll(d));
}

/* y = x'theta + e with |theta|^2 = signal; features normal with variance 1 and correlation `correlation`. */
typedef struct scene {
    size_t n, p;
    double signal, residual, correlation;
    double *x;
    double *y;
    double *theta;
} scene;

static inline scene scene_make(size_t n, size_t p, double signal, double residual, double correlation)
{
    scene s = { n, p, signal, residual, correlation, NULL, NULL, NULL };
    s.x = calloc(n * p, sizeof *s.x);
    s.y = calloc(n, sizeof *s.y);
    s.theta = calloc(p, sizeof *s.theta);
    assert_true(s.x != NULL && s.y != NULL && s.theta != NULL);
    return s;
}

static inline void scene_free(scene *s)
{
    free(s->x);
    free(s->y);
    free(s->theta);
}

static inline void scene_draw(scene *s, uint64_t seed)
{
    dice d = { seed * UINT64_C(1000003) };
    double norm = 0.0;
    for (size_t j = 0; j < s->p; j++) {
        s->theta[j] = roll_normal(&d);
        norm += s->theta[j] * s->theta[j];
    }
    for (size_t j = 0; j < s->p; j++)
        s->theta[j] *= sqrt(s->signal / norm);
    for (size_t i = 0; i < s->n; i++) {
        const double common = roll_normal(&d) * sqrt(s->correlation);
        s->y[i] = roll_normal(&d) * sqrt(s->residual);
        for (size_t j = 0; j < s->p; j++) {
            s->x[i * s->p + j] = common + roll_normal(&d) * sqrt(1.0 - s->correlation);
            s->y[i] += s->theta[j] * s->x[i * s->p + j];
        }
    }
}

/* (c - theta)' Sigma (c - theta). */
static inline double scene_risk(const scene *s, const double *c)
{
    double own = 0.0, sum = 0.0;
    for (size_t j = 0; j < s->p; j++) {
        own += (c[j] - s->theta[j]) * (c[j] - s->theta[j]);
        sum += c[j] - s->theta[j];
    }
    return (1.0 - s->correlation) * own + s->correlation * sum * sum;
}

static inline nw_bags_opts bags_options(size_t rows, size_t k, double epsilon, double delta, double clip)
{
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    o.rows = rows;
    o.bag_size = k;
    o.epsilon = epsilon;
    o.delta = delta;
    o.clip = clip;
    return o;
}

static inline nw_ledger *label_ledger(void)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.delta = 1e-6;
    lo.adjacency = NW_REPLACE_LABEL;
    lo.unit = NW_BAGS_UNIT;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    return ledger;
}

/* Released bags with repeatable noise. */
static inline nw_bags *bags_released(const nw_bags_opts *o, const double *y, uint64_t seed)
{
    nw_bags *bags = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = label_ledger();
    nw_error err;
    if (nw_bags_new(&bags, o, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    if (nw_bags_release(bags, rng, ledger, y, "test", NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return bags;
}

#endif
