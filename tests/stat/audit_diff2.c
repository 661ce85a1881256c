/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_diff2.c - whole runs of DIFF2 with and without the hardest record, against what is charged. The statistic is the
 * log-likelihood ratio of all rounds, which no test beats: its law is N(+-mu^2 / 2, mu^2), so that its mean, its deviation and
 * its tail are known, too. Bounds of difference rounds follow from released iterates, and so differ from run to run. A handle is
 * set back between two runs, as making one takes longer than the run.
 *
 *   audit_diff2 [FACTOR]   so many times the runs */
#include "audit.h"
#include "diff2_internal.h"
#include "mutants.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { DIMENSION = 2, OTHERS = 2, RECORDS = 10, RUNS = 10000, MUTANT_RUNS = 800, STATISTICS = 3 };
static size_t factor = 1;

/* What is built wrong. */
typedef enum fault {
    HONEST,
    BATCH_CLIPPED, /* the sum of all records is clipped, no record is */
    SQUARE_ROOT,   /* noise of deviation sqrt(s B) for s B */
    CLIPPED_TWICE, /* clip(g) - clip(h) for clip(g - h) */
    HIDDEN_STEP,   /* B from the iterate before noise */
    EVERY_RANK,    /* three processes, each with all the noise */
    NO_RANK,       /* no process draws */
    REPLACED,      /* neighbours differ in a replaced record; the noise is that of an added one */
    LESS_NOISE     /* noise times 0.9 */
} fault;

typedef struct runs {
    nw_diff2 *d;
    fault fault;
    bool has_others; /* records beside the one in question */
    double squares;  /* sum over rounds of (noise / s B)^2, of side 0 */
    size_t rounds;
} runs;

static nw_diff2 *make(double s1, double s2)
{
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    nw_diff2 *d = NULL;
    nw_error err;
    o.restart_noise = s1;
    o.difference_noise = s2;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = RECORDS;
    o.rounds = 32;
    o.period = 8;
    o.clip_gradient = 16.0;
    o.clip_difference = 0.5;
    o.learning_rate = 0.25;
    o.guard = NW_DIFF2_UNGUARDED;
    if (nw_diff2_new(&d, DIMENSION, NULL, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return d;
}

static void set_back(nw_diff2 *d)
{
    d->phase = NW__DIFF2_IDLE;
    d->is_insecure = true;
    d->round.round = 0;
    memset(d->x, 0, DIMENSION * sizeof *d->x);
    memset(d->previous, 0, DIMENSION * sizeof *d->previous);
    memset(d->v, 0, DIMENSION * sizeof *d->v);
    memset(d->output, 0, DIMENSION * sizeof *d->output);
}

/* Gradients of squared losses at x, some longer than the clip. */
static void gradients_at(const double *x, float *out)
{
    static const double a[OTHERS][DIMENSION] = { { 1.0, 2.0 }, { -0.5, 0.25 } }, y[OTHERS] = { 12.0, 1.0 };
    for (size_t i = 0; i < OTHERS; i++) {
        const double gap = a[i][0] * x[0] + a[i][1] * x[1] - y[i];
        for (size_t j = 0; j < DIMENSION; j++)
            out[i * DIMENSION + j] = (float)(gap * a[i][j]);
    }
}

static double shortened(double x, double y, double bound)
{
    const double norm = hypot(x, y);
    return norm > bound ? bound / norm : 1.0;
}

/* ---- the library's round ---- */

/* The first coordinate of the noisy sum less the other records', over B: N(0, s^2) without the record, N(1, s^2) with it. */
static double honest_round(runs *r, int side, nw_rng *rng, const nw_diff2_round *round)
{
    static const float far[DIMENSION] = { 1e6F, 0.0F }, near[DIMENSION] = { 0.0F, 0.0F };
    float now[OTHERS * DIMENSION], before[OTHERS * DIMENSION];
    nw_diff2 *d = r->d;
    const bool is_restart = round->kind == NW_DIFF2_RESTART;
    const double v = is_restart ? 0.0 : d->v[0];
    gradients_at(d->x, now);
    gradients_at(d->previous, before);
    if (r->has_others)
        assert_int_equal(nw_diff2_add_gradients(d, now, is_restart ? NULL : before, OTHERS, 0, NULL), NW_OK);
    const double others = (double)d->sums[0];
    if (side == 1)
        assert_int_equal(nw_diff2_add_gradients(d, far, is_restart ? NULL : near, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
    return round->bound > 0.0 ? (d->v[0] - v) * RECORDS / round->bound - others / NW__DIFF2_STEPS : 0.0;
}

/* ---- a round of a mutant, in double, whose noise is handed over as if it were a mean ---- */

typedef struct sums {
    double others[DIMENSION];
    double all[DIMENSION];
    double bound;
    double deviation;
} sums;

static void add_record(sums *s, fault f, bool is_restart, const double *g, const double *h, double clip, bool is_other)
{
    double gap[DIMENSION] = { is_restart ? g[0] : g[0] - h[0], is_restart ? g[1] : g[1] - h[1] };
    double scale = f == BATCH_CLIPPED ? 1.0 : shortened(gap[0], gap[1], s->bound);
    for (size_t j = 0; j < DIMENSION && f == CLIPPED_TWICE && !is_restart; j++)
        gap[j] = g[j] * shortened(g[0], g[1], clip) - h[j] * shortened(h[0], h[1], clip);
    if (f == CLIPPED_TWICE && !is_restart)
        scale = 1.0;
    for (size_t j = 0; j < DIMENSION; j++) {
        s->all[j] += scale * gap[j];
        s->others[j] += is_other ? scale * gap[j] : 0.0;
    }
}

static double deviation_of(fault f, double noise, double bound)
{
    switch (f) {
    case SQUARE_ROOT: return sqrt(noise * bound);
    case EVERY_RANK: return sqrt(3.0) * noise * bound;
    case NO_RANK: return 0.0;
    case LESS_NOISE: return 0.9 * noise * bound;
    default: return noise * bound;
    }
}

static void sum_records(runs *r, int side, const nw_diff2_round *round, sums *s)
{
    float now[OTHERS * DIMENSION], before[OTHERS * DIMENSION];
    const bool is_restart = round->kind == NW_DIFF2_RESTART;
    const double clip = r->d->opts.clip_gradient;
    gradients_at(r->d->x, now);
    gradients_at(r->d->previous, before);
    for (size_t i = 0; i < OTHERS && r->has_others; i++) {
        const double g[DIMENSION] = { (double)now[2 * i], (double)now[2 * i + 1] };
        const double h[DIMENSION] = { (double)before[2 * i], (double)before[2 * i + 1] };
        add_record(s, r->fault, is_restart, g, h, clip, true);
    }
    const double sign = side == 1 ? 1.0 : -1.0;
    const double g[DIMENSION] = { 1e6 * sign, 0.0 }, h[DIMENSION] = { -1e6 * sign, 0.0 };
    if (side == 1 || r->fault == REPLACED)
        add_record(s, r->fault, is_restart, g, h, clip, false);
    const double whole = r->fault == BATCH_CLIPPED ? shortened(s->all[0], s->all[1], RECORDS * s->bound) : 1.0;
    for (size_t j = 0; j < DIMENSION; j++)
        s->all[j] *= whole;
}

/* hidden: the last step of the iterate without this round's noise. */
static double faulty_round(runs *r, int side, nw_rng *rng, const nw_diff2_round *round, double *hidden)
{
    nw_diff2 *d = r->d;
    int64_t noise[DIMENSION];
    double mean[DIMENSION];
    const bool is_restart = round->kind == NW_DIFF2_RESTART;
    sums s = { .bound = r->fault == HIDDEN_STEP && !is_restart ? d->opts.clip_difference * *hidden : round->bound };
    s.deviation = deviation_of(r->fault, round->noise, s.bound);
    sum_records(r, side, round, &s);
    const nw_noise *law = is_restart ? d->restart_noise.law : d->difference_noise.law;
    assert_int_equal(nw_noise_fill(law, rng, noise, DIMENSION, NULL), NW_OK);
    for (size_t j = 0; j < DIMENSION; j++)
        mean[j] = (s.all[j] + (double)noise[j] / nw_noise_get_scale(law) * s.deviation) / RECORDS;
    *hidden = d->opts.learning_rate * hypot(s.all[0], s.all[1]) / RECORDS;
    assert_int_equal(nw_diff2_step_with(d, mean, NULL, NULL), NW_OK);
    if (!(s.bound > 0.0))
        return 0.0;
    return (mean[0] * RECORDS - s.others[0]) / s.bound;
}

/* ---- runs ---- */

/* out: the log-likelihood ratio; rounds that released exactly what the others sum up to; the ratio of the restarts. */
static void run_once(runs *r, int side, nw_rng *rng, double *out)
{
    double hidden = 0.0;
    out[0] = out[1] = out[2] = 0.0;
    set_back(r->d);
    while (!nw_diff2_is_done(r->d)) {
        nw_diff2_round round;
        assert_int_equal(nw_diff2_begin_round(r->d, &round, NULL), NW_OK);
        const double y = r->fault == HONEST ? honest_round(r, side, rng, &round) : faulty_round(r, side, rng, &round, &hidden);
        out[0] += (y - 0.5) / (round.noise * round.noise);
        out[1] += y == 0.0 ? 1.0 : 0.0;
        out[2] += round.kind == NW_DIFF2_RESTART ? (y - 0.5) / (round.noise * round.noise) : 0.0;
        r->squares += side == 0 ? y * y / (round.noise * round.noise) : 0.0;
        r->rounds += side == 0 ? 1 : 0;
    }
}

static void run_many(void *context, int side, nw_rng *rng, double *out, size_t n)
{
    runs *r = context;
    r->d->restart_noise.left = r->d->difference_noise.left = 0; /* what the other side's stream left over */
    for (size_t i = 0; i < n; i++)
        run_once(r, side, rng, out + STATISTICS * i);
}

static audit_bound audit_runs(runs *r, size_t n, audit_claim *claim)
{
    audit_opts o = AUDIT_OPTS_INIT;
    o.runs = n;
    o.delta = 1e-5;
    *claim = audit_claim_of(nw_diff2_event(r->d), NW_ADD_REMOVE, o.delta);
    return audit(&(audit_mechanism){ run_many, r, STATISTICS }, &o);
}

/* ---- tests ---- */

static void diff2__is_worth_what_is_charged(void **state)
{
    (void)state;
    for (int has_others = 0; has_others < 2; has_others++) {
        runs r = { .d = make(3.0, 2.5), .has_others = has_others != 0 };
        audit_claim claim;
        const audit_bound bound = audit_runs(&r, RUNS * factor, &claim);
        print_message("# mu %.4f found of %.4f\n", bound.mu, claim.mu);
        assert_false(audit_refutes(&bound, &claim));
        assert_true(bound.mu > 0.85 * claim.mu);
        nw_diff2_free(r.d);
    }
}

/* With the record, the log-likelihood ratio is N(mu^2 / 2, mu^2), and P[ratio > epsilon] - e^epsilon P'[the same] is delta:
 * the law of the Gaussian mechanism, not a bound of it. Thresholds of 6 standard errors. */
static void diff2__has_the_law_of_the_gaussian_mechanism(void **state)
{
    static const double epsilons[] = { 0.3, 0.8, 1.5 };
    (void)state;
    const size_t n = 4 * RUNS * factor;
    runs r = { .d = make(12.0, 9.0), .has_others = true };
    const double mu = nw_diff2_get_plan(r.d).mu;
    double sum = 0.0, square = 0.0, deltas[3] = { 0.0 }, out[STATISTICS];
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 7, NULL), NW_OK);
    for (size_t i = 0; i < n; i++) {
        run_once(&r, 1, rng, out);
        sum += out[0];
        square += out[0] * out[0];
        for (size_t e = 0; e < 3; e++) /* E[max(0, 1 - e^(epsilon - ratio))] is delta */
            deltas[e] += out[0] > epsilons[e] ? -expm1(epsilons[e] - out[0]) : 0.0;
    }
    const double mean = sum / (double)n, deviation = sqrt(square / (double)n - mean * mean);
    print_message("# ratio: mean %.4f of %.4f, deviation %.4f of %.4f\n", mean, mu * mu / 2.0, deviation, mu);
    assert_true(fabs(mean - mu * mu / 2.0) < 6.0 * mu / sqrt((double)n));
    assert_true(fabs(deviation - mu) < 6.0 * mu / sqrt(2.0 * (double)n));
    for (size_t e = 0; e < 3; e++) {
        const double delta = nw_gdp_delta(mu, epsilons[e]);
        print_message("# delta(%.1f): %.5f of %.5f\n", epsilons[e], deltas[e] / (double)n, delta);
        assert_true(fabs(deltas[e] / (double)n - delta) < 6.0 * sqrt(delta / (double)n)); /* each term is at most 1 */
    }
    nw_rng_free(rng);
    nw_diff2_free(r.d);
}

/* Noise of s B, no less and no more: the mean square of what is left without the record. */
static bool noise_is_off(fault f)
{
    runs r = { .d = make(3.0, 2.5), .fault = f, .has_others = true };
    double out[STATISTICS];
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 9, NULL), NW_OK);
    for (size_t i = 0; i < MUTANT_RUNS; i++)
        run_once(&r, 0, rng, out);
    nw_rng_free(rng);
    nw_diff2_free(r.d);
    return !(fabs(r.squares / (double)r.rounds - 1.0) < 6.2 * sqrt(2.0 / (double)r.rounds)); /* 1e-9 */
}

static bool law__is_off(const void *context, bool is_planted)
{
    return noise_is_off(is_planted ? *(const fault *)context : HONEST);
}

static bool audit__refutes(const void *context, bool is_planted)
{
    const fault f = *(const fault *)context;
    /* The step before noise is 0 without any record, which is where it shows. */
    runs r = { .d = make(3.0, 2.5), .fault = is_planted ? f : HONEST, .has_others = f != HIDDEN_STEP };
    audit_claim claim;
    const audit_bound bound = audit_runs(&r, is_planted && f == LESS_NOISE ? 16 * MUTANT_RUNS : 2 * MUTANT_RUNS, &claim);
    nw_diff2_free(r.d);
    return audit_refutes(&bound, &claim);
}

static void diff2__mutants_are_killed(void **state)
{
    static const fault faults[] = { HONEST, BATCH_CLIPPED, SQUARE_ROOT, CLIPPED_TWICE, HIDDEN_STEP, EVERY_RANK, NO_RANK, REPLACED,
        LESS_NOISE };
    (void)state;
    const mutant mutants[] = {
        { "the sum clipped, not the records", "audit", audit__refutes, &faults[BATCH_CLIPPED] },
        { "deviation sqrt(s B) for s B", "audit", audit__refutes, &faults[SQUARE_ROOT] },
        { "clip(g) - clip(h) for clip(g - h)", "audit", audit__refutes, &faults[CLIPPED_TWICE] },
        { "B from the iterate before noise", "audit", audit__refutes, &faults[HIDDEN_STEP] },
        { "noise in every process", "law", law__is_off, &faults[EVERY_RANK] },
        { "noise in no process", "audit", audit__refutes, &faults[NO_RANK] },
        { "a replaced record counted as an added one", "audit", audit__refutes, &faults[REPLACED] },
        { "noise x 0.9", "law", law__is_off, &faults[LESS_NOISE] },
    };
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        assert_true(mutant_report(&mutants[m]));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff2__is_worth_what_is_charged),
        cmocka_unit_test(diff2__has_the_law_of_the_gaussian_mechanism),
        cmocka_unit_test(diff2__mutants_are_killed),
    };
    factor = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
