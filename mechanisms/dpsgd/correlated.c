/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* correlated.c - the matrix mechanism of DP-FTRL, row by row in bounded memory: docs/rooms/dpsgd.md#dp-ftrl.
 *
 * Banded: w_t = sum_d C_d x_(t-d) + z_t is all that is released, in integers: C_d is an integer over 2^16 and z_t a rounded
 * Gaussian, so w_t is the rounding of a Gaussian release. The answer solves C y = w from what was released. C_0 > C_1 > ... >
 * 0, so all roots of sum_d C_d X^d lie outside of the unit circle (Enestroem, Kakeya) and rounding errors of y die out.
 * Tree: after t steps the sum of all rows is that of the nodes in t's binary expansion [KMSTTX21]; y_t is the difference of two
 * such sums, in which only noise differs from x_t: x_t + Z_t - Z_(t-1), with Z_t the sum of those nodes' noise. */
#include "correlated.h"

#include "accountant_internal.h"

#include <nw/noise.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRACTION_BITS = 16, MOST_BANDS = 64, DEFAULT_BANDS = 32, CHUNK = 16384 };
static const int64_t MOST = INT64_C(1) << 40; /* of a row: 2^40 2^16 times the sum of 64 coefficients, below 10, is below 2^60 */

struct nw_correlated {
    nw_correlated_opts opts;
    nw_noise *noise;
    uint64_t step;
    uint64_t since; /* the step at which rows and noise were last forgotten */
    bool is_failed;
    size_t levels;   /* tree */
    int64_t *kept;   /* tree: noise of the last node of each level, levels x coordinates; banded: the rows before, as in a ring */
    double *answers; /* banded: y of the rows before, in the same ring; tree: NULL */
    int64_t *chunk;  /* noise, CHUNK */
    int64_t integer[MOST_BANDS]; /* C_d 2^FRACTION_BITS */
};

void nw_correlated_opts_init(nw_correlated_opts *opts, size_t struct_size)
{
    const nw_correlated_opts init = NW_CORRELATED_OPTS_INIT;
    memset(opts, 0, struct_size);
    memcpy(opts, &init, struct_size < sizeof init ? struct_size : sizeof init);
    opts->struct_size = struct_size;
}

/* C_0 = 1, C_d = C_(d-1) (2 d - 1) / (2 d), rounded to 16 bits behind the point. */
static void set_coefficients(nw_correlated *c)
{
    double x = 1.0;
    for (uint64_t d = 0; d < c->opts.bands; d++) {
        x *= d == 0 ? 1.0 : (2.0 * (double)d - 1.0) / (2.0 * (double)d);
        c->integer[d] = (int64_t)nearbyint(ldexp(x, FRACTION_BITS));
    }
}

static nw_status check(const nw_correlated_opts *o, const char *function, nw_error *err)
{
    const uint64_t most = o->cycle < MOST_BANDS ? o->cycle : MOST_BANDS;
    if (o->kind != NW_CORRELATED_TREE && o->kind != NW_CORRELATED_BANDED)
        return nw__fail(err, NW_E_ARG, function, "kind is %d, must be NW_CORRELATED_TREE or NW_CORRELATED_BANDED", (int)o->kind);
    if (o->steps == 0 || o->cycle == 0 || o->participations == 0 || o->coordinates == 0)
        return nw__fail(err, NW_E_ARG, function, "%s is 0, must be at least 1",
            o->steps == 0            ? "steps"
            : o->cycle == 0          ? "cycle"
            : o->participations == 0 ? "participations"
                                     : "coordinates");
    if (o->bands > most)
        return nw__fail(err, NW_E_ARG, function, "bands is %llu, must be at most %llu: a cycle, and 64",
            (unsigned long long)o->bands, (unsigned long long)most);
    if (!(o->noise_multiplier > 0.0) || isinf(o->noise_multiplier))
        return nw__fail(err, NW_E_ARG, function, "noise_multiplier is %g, must be positive and finite", o->noise_multiplier);
    if (!(o->scale >= 0.0) || o->scale > 0x1p38)
        return nw__fail(err, NW_E_ARG, function, "scale is %g, must be in [0, 2^38]", o->scale);
    return NW_OK;
}

/* Rows, answers and noise that the steps to come need. */
static nw_status allocate(nw_correlated *c, const char *function, nw_error *err)
{
    const bool is_tree = c->opts.kind == NW_CORRELATED_TREE;
    const double scale = is_tree ? c->opts.scale : ldexp(c->opts.scale, FRACTION_BITS);
    size_t rows = is_tree ? c->levels : (size_t)c->opts.bands - 1;
    size_t n = 0;
    if (!nw__mul_size(rows, c->opts.coordinates, &n))
        return nw__fail_memory(err, function);
    c->kept = nw__calloc(n, sizeof *c->kept);
    c->answers = is_tree ? NULL : nw__calloc(n, sizeof *c->answers);
    c->chunk = nw__calloc(CHUNK, sizeof *c->chunk);
    if (c->kept == NULL || c->chunk == NULL || (!is_tree && c->answers == NULL))
        return nw__fail_memory(err, function);
    return nw_noise_new(&c->noise, NW_NOISE_ROUNDED_GAUSSIAN, scale, err);
}

nw_status nw_correlated_new(nw_correlated **out, const nw_correlated_opts *opts, nw_error *err)
{
    nw_correlated_opts o = NW_CORRELATED_OPTS_INIT;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    *out = NULL;
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check(&o, __func__, err));
    if (o.bands == 0)
        o.bands = o.cycle < DEFAULT_BANDS ? o.cycle : DEFAULT_BANDS;
    nw_correlated *c = nw__calloc(1, sizeof *c);
    if (c == NULL)
        return nw__fail_memory(err, __func__);
    c->opts = o;
    for (uint64_t leaves = o.cycle; leaves > 0; leaves >>= 1)
        c->levels++;
    set_coefficients(c);
    const nw_status status = o.scale > 0.0 ? allocate(c, __func__, err) : NW_OK;
    if (status != NW_OK) {
        nw_correlated_free(c);
        return status;
    }
    *out = c;
    return NW_OK;
}

void nw_correlated_free(nw_correlated *c)
{
    if (c == NULL)
        return;
    const size_t rows = c->opts.kind == NW_CORRELATED_TREE ? c->levels : (size_t)c->opts.bands - 1;
    if (c->kept != NULL)
        nw__free_wiped(c->kept, rows * c->opts.coordinates * sizeof *c->kept);
    nw__free_wiped(c->chunk, CHUNK * sizeof *c->chunk);
    free(c->answers);
    nw_noise_free(c->noise);
    free(c);
}

/* ---- what it costs ---- */

/* Every cycle has a tree of its own, and a record one leaf in each. */
static nw_status tree_event(const nw_correlated *c, double sigma, nw_sensitivity l2, nw_event **out, nw_error *err)
{
    const nw_correlated_opts *o = &c->opts;
    nw_event *tree = NULL;
    NW__TRY(nw_event_tree(&tree, sigma, l2, o->cycle < o->steps ? o->cycle : o->steps, err));
    if (__builtin_mul_overflow(o->cycle, (uint64_t)o->coordinates, &tree->samples) || tree->samples > NW__MOST_COUNT)
        tree->samples = NW__MOST_COUNT;
    const nw_status status = nw_event_repeat(out, tree, o->participations, err);
    nw_event_free(tree);
    return status;
}

nw_status nw_correlated_event(const nw_correlated *c, nw_sensitivity l2, nw_event **out, nw_error *err)
{
    double coefficients[MOST_BANDS];
    if (c == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", c == NULL ? "c" : "out");
    *out = NULL;
    const nw_correlated_opts *o = &c->opts;
    const double sigma = o->noise_multiplier * l2.value;
    if (o->kind == NW_CORRELATED_TREE)
        return tree_event(c, sigma, l2, out, err);
    for (uint64_t d = 0; d < o->bands; d++)
        coefficients[d] = ldexp((double)c->integer[d], -FRACTION_BITS);
    nw_strategy s = NW_STRATEGY_INIT;
    s.kind = NW_STRATEGY_TOEPLITZ;
    s.steps = o->steps;
    s.coefficients = coefficients;
    s.coefficient_count = (size_t)(o->bands < o->steps ? o->bands : o->steps);
    s.max_participations = o->participations;
    s.min_separation = o->cycle;
    NW__TRY(nw_event_matrix(out, sigma, l2, &s, err));
    if (__builtin_mul_overflow(o->steps, (uint64_t)o->coordinates, &(*out)->samples) || (*out)->samples > NW__MOST_COUNT)
        (*out)->samples = NW__MOST_COUNT;
    return NW_OK;
}

/* ---- steps ---- */

static int64_t held(int64_t x)
{
    return x > MOST ? MOST : (x < -MOST ? -MOST : x);
}

/* The node that step t of a cycle completes is of level l = trailing zeros of t + 1; the nodes below it leave the sum. */
static void tree_piece(nw_correlated *c, const int64_t *x, size_t first, size_t n, double *y)
{
    const uint64_t t = (c->step - c->since) % c->opts.cycle + 1;
    const size_t level = (size_t)__builtin_ctzll(t);
    int64_t *const node = c->kept + level * c->opts.coordinates + first;
    for (size_t i = 0; i < n; i++) {
        int64_t sum = held(x[i]) + c->chunk[i];
        for (size_t l = 0; l < level; l++) {
            int64_t *below = c->kept + l * c->opts.coordinates + first;
            sum -= below[i];
            below[i] = 0;
        }
        node[i] = c->chunk[i];
        y[i] = (double)sum;
    }
}

/* Row d steps ago lies at (step - d) modulo (bands - 1) of the ring; before the first there is none. */
static void banded_piece(nw_correlated *c, const int64_t *x, size_t first, size_t n, double *y)
{
    const uint64_t ring = c->opts.bands - 1;
    const uint64_t t = c->step - c->since;
    const uint64_t back = t < ring ? t : ring;
    for (size_t i = 0; i < n; i++) {
        c->chunk[i] += held(x[i]) * c->integer[0];
        y[i] = 0.0;
    }
    for (uint64_t d = 1; d <= back; d++) {
        const size_t at = (size_t)((t - d) % ring) * c->opts.coordinates + first;
        const double coefficient = ldexp((double)c->integer[d], -FRACTION_BITS);
        for (size_t i = 0; i < n; i++) {
            c->chunk[i] += c->kept[at + i] * c->integer[d];
            y[i] -= coefficient * c->answers[at + i];
        }
    }
    for (size_t i = 0; i < n; i++)
        y[i] += ldexp((double)c->chunk[i], -FRACTION_BITS);
    if (ring == 0)
        return;
    int64_t *row = c->kept + (size_t)(t % ring) * c->opts.coordinates + first;
    double *answer = c->answers + (size_t)(t % ring) * c->opts.coordinates + first;
    for (size_t i = 0; i < n; i++) {
        row[i] = held(x[i]);
        answer[i] = y[i];
    }
}

nw_status nw__correlated_piece(void *context, nw_rng *rng, const int64_t *x, size_t first, size_t n, double *y, nw_error *err)
{
    nw_correlated *c = context;
    if (c->noise == NULL || c->is_failed || c->step >= c->opts.steps)
        return nw__fail(err, NW_E_STATE, "nw_correlated_step",
            c->noise == NULL ? "made with scale 0, for its event alone"
            : c->is_failed   ? "a step has failed before"
                             : "all steps are taken");
    for (size_t done = 0; done < n; done += CHUNK) {
        const size_t part = n - done < CHUNK ? n - done : CHUNK;
        const nw_status status = nw_noise_fill(c->noise, rng, c->chunk, part, err);
        if (status != NW_OK) {
            c->is_failed = true;
            return status;
        }
        (c->opts.kind == NW_CORRELATED_TREE ? tree_piece : banded_piece)(c, x + done, first + done, part, y + done);
    }
    return NW_OK;
}

/* A tree ends with its cycle: its noise is forgotten, and the next one's sums begin at 0. */
void nw__correlated_end_step(nw_correlated *c)
{
    c->step++;
    if (c->opts.kind == NW_CORRELATED_TREE && (c->step - c->since) % c->opts.cycle == 0)
        memset(c->kept, 0, c->levels * c->opts.coordinates * sizeof *c->kept);
}

nw_status nw_correlated_step(nw_correlated *c, nw_rng *rng, const int64_t *x, double *y, nw_error *err)
{
    if (c == NULL || rng == NULL || x == NULL || y == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", c == NULL ? "c" : rng == NULL ? "rng" : x == NULL ? "x" : "y");
    NW__TRY(nw__correlated_piece(c, rng, x, 0, c->opts.coordinates, y, err));
    nw__correlated_end_step(c);
    return NW_OK;
}

void nw_correlated_restart(nw_correlated *c, uint64_t steps)
{
    c->step += steps;
    c->since = c->step;
    if (c->kept != NULL && c->opts.kind == NW_CORRELATED_TREE)
        memset(c->kept, 0, c->levels * c->opts.coordinates * sizeof *c->kept);
}
