/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* Choices and thresholds. A loss of all of epsilon takes candidates whose scores move by the sensitivity against all that matter
 * beside them: from 2 D below the others to their level, say. With a fraction f of such candidates the exponential mechanism then
 * loses epsilon + ln(1 - f (1 - e^-epsilon)). The statistic is whether one of them was chosen. */
#include "choose.h"
#include "cks20.h"
#include "need.h"
#include "room_release.h"
#include "stats_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>

enum { CELLS = 200, CANDIDATES = 20 };

/* ---- the median of values in cells ---- */

typedef struct medians {
    nw_event *event;
    nw__choice choice;
    int64_t scores[2][CELLS];
    size_t few; /* cells below the first record */
} medians;

/* Add/remove, D = 1: a record at `few`; a second one in the last cell moves the cells below the first from -1 to -2, those above
 * it from -1 to 0. Replace-one, D = 2: the second record is in the first cell instead of the last, and moves the cells below the
 * other from -2 to 0, those above it from 0 to -2: there the fewer cells are the more needed, the larger epsilon. */
static void *quantile_open(const room_case *c, bool is_planted)
{
    medians *m = calloc(1, sizeof *m);
    nw_stats_query q = NW_STATS_QUERY_INIT;
    int64_t counts[CELLS] = { 0 };
    const bool is_replace = c->adjacency == NW_REPLACE_ONE;
    const double epsilon = room_epsilon(c, is_planted);
    need(m != NULL);
    q.kind = NW_STATS_QUANTILE;
    q.upper = 1.0;
    q.cells = CELLS;
    need(nw__choice_plan(&m->choice, &q, epsilon, room_has(c, is_planted, ROOM_OTHER_ADJACENCY) ? NW_ADD_REMOVE : c->adjacency,
             NULL) == NW_OK);
    need(nw_event_selection(&m->event, NW_EVENT_EXPONENTIAL, c->epsilon, c->adjacency, NULL) == NW_OK);
    m->few = epsilon < 2.0 ? 8 : 2;
    counts[m->few] = 1;
    counts[0] = is_replace;
    nw__choice_scores(&m->choice, counts, m->scores[0]);
    counts[0] = 0;
    counts[CELLS - 1] = 1;
    nw__choice_scores(&m->choice, counts, m->scores[1]);
    return m;
}

static const nw_event *quantile_event(const void *context)
{
    return ((const medians *)context)->event;
}

static void quantile_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const medians *m = context;
    for (size_t run = 0; run < runs; run++) {
        size_t chosen = 0;
        need(nw__choose_exponential(rng, m->scores[side], CELLS, m->choice.rate, &chosen, NULL) == NW_OK);
        out[run] = chosen < m->few;
    }
}

static void quantile_close(void *context)
{
    nw_event_free(((medians *)context)->event);
    free(context);
}

const room room_quantile = { quantile_open, quantile_run, quantile_event, quantile_close, 1 };

/* ---- candidates ---- */

typedef struct candidates {
    nw_select_opts opts;
    nw_event *event;
    size_t n;
    int64_t scores[2][CANDIDATES];
} candidates;

static nw_select_opts select_opts(const room_case *c, double epsilon)
{
    nw_select_opts o = NW_SELECT_OPTS_INIT;
    o.mechanism = (nw_select_mechanism)c->what;
    o.epsilon = epsilon;
    o.sensitivity = 3;
    o.adjacency = c->adjacency;
    return o;
}

/* The first candidate rises from 2 D below the others to their level. Noisy max: one of nine, so that the largest noise of the
 * others is hardly ever negative. */
static void *select_open(const room_case *c, bool is_planted)
{
    candidates *s = calloc(1, sizeof *s);
    const nw_select_opts charged = select_opts(c, c->epsilon);
    need(s != NULL && nw_select_event(&s->event, &charged, NULL) == NW_OK);
    s->opts = select_opts(c, room_epsilon(c, is_planted));
    s->n = c->what == NW_SELECT_EXPONENTIAL ? CANDIDATES : c->what == NW_SELECT_NOISY_MAX ? 9 : 2;
    for (size_t i = 0; i < s->n; i++) {
        s->scores[0][i] = i == 0 ? 0 : 6;
        s->scores[1][i] = 3;
    }
    return s;
}

static const nw_event *select_event(const void *context)
{
    return ((const candidates *)context)->event;
}

static void select_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const candidates *s = context;
    for (size_t run = 0; run < runs; run++) {
        size_t chosen = 0;
        need(nw__select_draw(&s->opts, s->scores[side], s->n, rng, &chosen, NULL) == NW_OK);
        out[run] = chosen == 0;
    }
}

static void select_close(void *context)
{
    nw_event_free(((candidates *)context)->event);
    free(context);
}

const room room_select = { select_open, select_run, select_event, select_close, 1 };

/* ---- thresholds ---- */

enum { QUESTIONS = 8 }; /* to be answered no, then one to be answered yes */

typedef struct thresholds {
    const room_case *c;
    bool is_planted;
    nw_sparse *sparse;
    uint64_t rho_t, rho_s, nu_t, nu_s; /* of the twins */
} thresholds;

/* Scores against a threshold of 0: where an enumeration of the law finds most of epsilon with a probability that can be counted.
 * On the neighbour the questions answered no have risen by D = 1, the one answered yes has fallen by as much. Where positives are
 * free, half of the questions are to be answered yes. */
static int64_t score_of(const thresholds *t, int side, size_t question)
{
    const size_t refused = t->c->fault == ROOM_POSITIVES_FOR_FREE ? QUESTIONS / 2 : QUESTIONS;
    return question < refused ? t->c->what + (side == 0) : t->c->what + 1 - (side == 0);
}

static void *sparse_open(const room_case *c, bool is_planted)
{
    thresholds *t = calloc(1, sizeof *t);
    nw_sparse_opts o = NW_SPARSE_OPTS_INIT;
    need(t != NULL);
    *t = (thresholds){ .c = c, .is_planted = is_planted };
    o.epsilon = room_epsilon(c, is_planted);
    o.sensitivity = 1;
    o.adjacency = c->adjacency;
    need(nw_sparse_new(&t->sparse, &o, NULL) == NW_OK);
    const double epsilon_1 = o.epsilon / (1.0 + cbrt(4.0));
    need(nw__laplace_ratio(1.0 / epsilon_1, &t->rho_t, &t->rho_s));
    need(nw__laplace_ratio(2.0 / (o.epsilon - epsilon_1), &t->nu_t, &t->nu_s));
    return t;
}

static const nw_event *sparse_event(const void *context)
{
    return nw_sparse_event(((const thresholds *)context)->sparse);
}

static void sparse_close(void *context)
{
    nw_sparse_free(((thresholds *)context)->sparse);
    free(context);
}

/* The questions answered yes, as the digits of a number; the honest mechanism ends with the first. */
static double ask_honest(const thresholds *t, int side, nw_rng *rng)
{
    need(nw__sparse_draw(t->sparse, rng, NULL) == NW_OK);
    for (size_t question = 0; question <= QUESTIONS; question++) {
        bool is_above = false;
        need(nw_sparse_ask(t->sparse, rng, score_of(t, side, question), 0, &is_above, NULL) == NW_OK);
        if (is_above)
            return ldexp(1.0, (int)question);
    }
    return 0.0;
}

static double ask_twin(const thresholds *t, int side, nw_rng *rng)
{
    const bool is_free = room_has(t->c, t->is_planted, ROOM_POSITIVES_FOR_FREE);
    const int64_t rho = room_has(t->c, t->is_planted, ROOM_NO_RHO) ? 0 : nw__cks20_laplace(rng, t->rho_t, t->rho_s);
    int64_t nu = nw__cks20_laplace(rng, t->nu_t, t->nu_s);
    double answers = 0.0;
    for (size_t question = 0; question <= QUESTIONS; question++) {
        if (question > 0 && !room_has(t->c, t->is_planted, ROOM_ONE_NU))
            nu = nw__cks20_laplace(rng, t->nu_t, t->nu_s);
        const bool is_above = score_of(t, side, question) + nu >= rho;
        answers += is_above ? ldexp(1.0, (int)question) : 0.0;
        if (is_above && !is_free)
            break;
    }
    return answers;
}

static void sparse_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const thresholds *t = context;
    const bool is_twin = t->is_planted && t->c->fault != ROOM_BUDGET;
    for (size_t run = 0; run < runs; run++)
        out[run] = is_twin ? ask_twin(t, side, rng) : ask_honest(t, side, rng);
}

const room room_sparse = { sparse_open, sparse_run, sparse_event, sparse_close, 1 };
