/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_DIFF2_SUPPORT_H
#define NW_TEST_DIFF2_SUPPORT_H

/* diff2_support.h - handles, records and processes (threads of one program) for the tests of nw/diff2.h. */
#include "diff2_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/** Noise of a step of the grid: what is released is all but exact. */
static const double DIFF2_HARDLY_ANY = 0x1p-20;

static inline nw_diff2_opts diff2_options(void)
{
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = 100;
    o.rounds = 12;
    o.period = 4;
    o.clip_gradient = 1.0;
    o.clip_difference = 0.5;
    o.learning_rate = 0.5;
    return o;
}

/** The same with hardly any noise. */
static inline nw_diff2_opts diff2_quiet_options(void)
{
    nw_diff2_opts o = diff2_options();
    o.restart_noise = o.difference_noise = DIFF2_HARDLY_ANY;
    return o;
}

static inline nw_diff2 *diff2_make(size_t dimension, const double *start, const nw_diff2_opts *o)
{
    nw_diff2 *d = NULL;
    nw_error err;
    if (nw_diff2_new(&d, dimension, start, o, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return d;
}

static inline nw_rng *diff2_seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static inline nw_ledger *diff2_ledger(void)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    return ledger;
}

/** As a charge with an insecure stream leaves it: a charge takes longer than all rounds of a test. */
static inline void diff2_open(nw_diff2 *d)
{
    d->phase = NW__DIFF2_IDLE;
    d->is_insecure = true;
}

static inline nw_diff2 *diff2_opened(size_t dimension, const double *start, const nw_diff2_opts *o)
{
    nw_diff2 *d = diff2_make(dimension, start, o);
    diff2_open(d);
    return d;
}

/** Charged, so that rounds can begin. */
static inline nw_diff2 *diff2_charged(size_t dimension, const double *start, const nw_diff2_opts *o, nw_rng *rng)
{
    nw_error err;
    nw_diff2 *d = diff2_make(dimension, start, o);
    nw_ledger *ledger = diff2_ledger();
    if (nw_diff2_charge(d, NULL, rng, ledger, "test", NULL, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    nw_ledger_close(ledger);
    return d;
}

/** Uniform in (-1, 1). */
static inline double diff2_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-52 - 1.0;
}

/** Records of a linear model; targets suit any loss: 0 or 1, or a class. */
typedef struct diff2_data {
    size_t rows;
    size_t columns;
    float *features;
    float *targets;
} diff2_data;

static inline diff2_data diff2_records(size_t rows, size_t columns, size_t classes, uint64_t seed)
{
    diff2_data d = { rows, columns, calloc(rows * columns + 1, sizeof(float)), calloc(rows + 1, sizeof(float)) };
    for (size_t i = 0; i < rows * columns; i++)
        d.features[i] = (float)(diff2_number(&seed) / sqrt((double)columns));
    for (size_t i = 0; i < rows; i++)
        d.targets[i] = (float)((size_t)((diff2_number(&seed) + 1.0) * 1000.0) % classes);
    return d;
}

static inline void diff2_forget(diff2_data *d)
{
    free(d->features);
    free(d->targets);
}

static inline nw_diff2_model_opts diff2_model_options(const diff2_data *data, nw_diff2_loss loss, size_t classes, bool has_bias)
{
    nw_diff2_model_opts o = NW_DIFF2_MODEL_OPTS_INIT;
    o.loss = loss;
    o.features = data->features;
    o.targets = data->targets;
    o.rows = data->rows;
    o.columns = data->columns;
    o.classes = loss == NW_DIFF2_SOFTMAX ? classes : 0;
    o.has_bias = has_bias;
    o.huber_width = 0.25;
    return o;
}

static inline nw_diff2_model *diff2_model(const nw_diff2_model_opts *o)
{
    nw_diff2_model *m = NULL;
    nw_error err;
    if (nw_diff2_model_new(&m, o, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return m;
}

/** Begins a round and ends it with a mean from elsewhere: moves the iterate by -learning_rate * mean. */
static inline void diff2_move(nw_diff2 *d, const double *mean)
{
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_step_with(d, mean, NULL, NULL), NW_OK);
}

/* ---- processes: threads that meet ---- */

enum { DIFF2_MOST_WORDS = 4096 };

typedef struct diff2_team {
    size_t size;
    pthread_barrier_t barrier;
    pthread_mutex_t lock;
    uint64_t sums[DIFF2_MOST_WORDS];
    unsigned char bytes[8 * DIFF2_MOST_WORDS];
    size_t calls; /* of process 0 */
} diff2_team;

typedef struct diff2_member {
    diff2_team *team;
    size_t rank;
} diff2_member;

static inline void diff2_meet(diff2_team *team)
{
    pthread_barrier_wait(&team->barrier);
}

static inline nw_status diff2_team_sum(void *context, uint64_t *values, size_t n, nw_error *err)
{
    const diff2_member *m = context;
    (void)err;
    if (n > DIFF2_MOST_WORDS)
        abort();
    if (m->rank == 0) {
        memset(m->team->sums, 0, sizeof m->team->sums);
        m->team->calls++;
    }
    diff2_meet(m->team);
    pthread_mutex_lock(&m->team->lock);
    for (size_t i = 0; i < n; i++)
        m->team->sums[i] += values[i];
    pthread_mutex_unlock(&m->team->lock);
    diff2_meet(m->team);
    memcpy(values, m->team->sums, n * sizeof *values);
    diff2_meet(m->team);
    return NW_OK;
}

static inline nw_status diff2_team_sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return diff2_team_sum(context, (uint64_t *)values, n, err);
}

static inline nw_status diff2_team_broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    const diff2_member *m = context;
    (void)err;
    if (n > sizeof m->team->bytes)
        abort();
    if (m->rank == 0) {
        memcpy(m->team->bytes, bytes, n);
        m->team->calls++;
    }
    diff2_meet(m->team);
    memcpy(bytes, m->team->bytes, n);
    diff2_meet(m->team);
    return NW_OK;
}

static inline nw_status diff2_team_barrier(void *context, nw_error *err)
{
    (void)err;
    diff2_meet(((diff2_member *)context)->team);
    return NW_OK;
}

static inline nw_reduce diff2_reduce(diff2_member *m)
{
    return (nw_reduce){ m, m->rank, m->team->size, diff2_team_broadcast, diff2_team_sum_i64, diff2_team_sum, diff2_team_barrier };
}

#endif
