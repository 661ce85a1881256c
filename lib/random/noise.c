/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* noise.c - draws from a slot table.
 *
 * One trial: a uniform slot, a uniform cell of its block, V uniform in [0, 1): accept iff (level + V) A / width < p(cell), p the
 * unnormalised law. A fast slot lies below p entirely: accept at once. A rejected trial is repeated *for the same output
 * position*: moving accepted samples together would make a position tell which part of the law it came from.
 *
 * Samples come in chunks. Chunk c of a release reads four streams of ChaCha20 under the release's key: nonce c for the words of
 * all samples, c | 2^63 for the first trials of those whose slot is not fast, c | 2^63 | 2^62 for redraws, c | 2^62 for the
 * extension of a comparison that a double cannot decide, at a block number of the trial's own. So the output is the same for any
 * number of threads, any set of kernels and any margin. */
#include "grid_internal.h"
#include "trial.h"

#include <omp.h>
#include <sodium.h>

enum {
    CHUNK = 16384, /* samples */
    STEP = 1024, /* samples drawn at a time, for the first level of the cache; never fewer, so that a clock does not see the slow
                   * path of one */
    PATCH = 256  /* samples patched together */
};

/* Distance of a sample's law from the ideal one: the Gaussian's end (2^-166) and undecided comparisons. One of these needs V
 * within 2^-170 of the threshold: the extended V and fraction have 192 bits, and an error of 2^-229 (two wide values) or of
 * 2^-192 / 64 in the height is one of at most 2^17 times as much in V, for no block is lower than 2^-17. A Laplace tail
 * compares V A (1 - e^(-1/b)): the 2^-230 of e^(-1/b) are 2^-188 there, as A < 2^42 at the largest b, and 2^14 times as much in
 * V. Rejecting what is undecided moves less than 2^-170 a trial, and fewer than 2^10 trials are made for a sample. */
static const double LOG2_TV = -150.0;

/* A flagged sample whose first trial the chord did not accept. */
typedef struct pending {
    nw__trial trial;
    uint16_t at;
    uint16_t slot;
} pending;

typedef struct workspace {
    union {
        uint32_t words32[STEP];
        uint64_t words64[STEP];
    };
    int64_t samples[STEP];
    int64_t steps[STEP]; /* of a grid */
    uint64_t flagged[STEP / 64];
    pending pending[PATCH];
    nw__streams streams;
} workspace;

static int64_t rounded(const nw_noise *noise, int64_t cell)
{
    /* floor, as >> of a negative number is arithmetic on every compiler we know; tested */
    return (cell + ((INT64_C(1) << noise->halvings) >> 1)) >> noise->halvings;
}

/* First trials of the flagged samples among from .. from + PATCH - 1, without a branch on one: about half are accepted by their
 * chord, the others are listed. Returns how many. */
static size_t first_trials(const nw_noise *noise, bool is_wide, size_t from, int64_t *out, workspace *w)
{
    nw__streams *s = &w->streams;
    size_t listed = 0;
    for (size_t i = from; i < from + PATCH; i += 64) {
        for (uint64_t left = w->flagged[i / 64]; left != 0; left &= left - 1) {
            const size_t at = i + (size_t)__builtin_ctzll(left);
            const uint64_t number = (is_wide ? w->words64[at] : w->words32[at]) & (NW__SLOTS - 1);
            const nw__slot *slot = &noise->slots[number];
            const uint64_t u = nw__next_word(s, &s->first);
            const uint64_t v = nw__next_word(s, &s->first);
            const nw__trial t = { u, v, s->firsts++ };
            out[at] = rounded(noise, slot->base + (int64_t)nw__trial_offset(slot, t));
            w->pending[listed] = (pending){ t, (uint16_t)at, (uint16_t)number };
            listed += !(nw__trial_below_chord(noise, slot, t) > (double)slot->slack);
        }
    }
    return listed;
}

/* Samples number first .. first + STEP - 1 of the chunk. Flagged ones are patched in place, their trials taken in the order of
 * the samples. */
static void draw_step(const nw_noise *noise, size_t first, int64_t *out, workspace *w)
{
    nw__streams *s = &w->streams;
    const bool is_wide = NW__SLOT_BITS + noise->log2_width > 32;
    const size_t per_block = NW__CHACHA20_BLOCK / (is_wide ? sizeof *w->words64 : sizeof *w->words32);
    s->kernels->keystream((uint8_t *)w->words64, STEP / per_block, s->chunk, first / per_block, s->key);
    if (is_wide)
        s->kernels->draw_64(noise, w->words64, STEP, out, w->flagged);
    else
        s->kernels->draw_32(noise, w->words32, STEP, out, w->flagged);
    for (size_t from = 0; from < STEP; from += PATCH) {
        const size_t listed = first_trials(noise, is_wide, from, out, w);
        for (const pending *p = w->pending; p < w->pending + listed; p++) {
            const nw__slot *slot = &noise->slots[p->slot];
            const bool is_accepted = nw__trial_accepts(noise, slot, p->trial, s);
            out[p->at] = rounded(noise, is_accepted ? nw__trial_cell(noise, slot, p->trial, s) : nw__redraw_cell(noise, s));
        }
    }
}

/* One vector to be released: integers, or reals on a grid; both x NULL for pure noise. */
typedef struct job {
    const nw_noise *noise;
    const uint8_t *key;
    const int64_t *x;
    int64_t *y;
    const double *real_x;
    double *real_y;
    nw_grid grid;
    double lower;
    double upper;
    size_t n;
} job;

/* x + z, saturating: an overflow shows in the sign of the sum. */
static inline int64_t saturated_sum(int64_t x, int64_t z)
{
    const uint64_t sum = (uint64_t)x + (uint64_t)z;
    const bool is_over = (int64_t)(((uint64_t)x ^ sum) & ((uint64_t)z ^ sum)) < 0;
    return is_over ? (z < 0 ? INT64_MIN : INT64_MAX) : (int64_t)sum;
}

/* Two loops, as a compiler that must reckon with overlap adds one at a time. */
NW__CLONES static void add_in_place(int64_t *restrict y, const int64_t *restrict z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = saturated_sum(y[i], z[i]);
}

NW__CLONES static void add_apart(const int64_t *restrict x, const int64_t *restrict z, int64_t *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = saturated_sum(x[i], z[i]);
}

/* Each step's noise is drawn before its data is read; a whole step of pure noise goes to its place at once. */
static void release_step(const job *j, size_t chunk, size_t at, workspace *w)
{
    const size_t first = chunk * CHUNK + at;
    const size_t n = j->n - first < STEP ? j->n - first : STEP;
    const bool is_pure = j->x == NULL && j->real_x == NULL;
    if (is_pure && n == STEP) {
        draw_step(j->noise, at, j->y + first, w);
        return;
    }
    draw_step(j->noise, at, w->samples, w);
    if (j->real_x != NULL) {
        nw__grid_round(j->grid, j->real_x + first, n, j->lower, j->upper, w->steps);
        add_in_place(w->steps, w->samples, n);
        nw__grid_to_double(j->grid, w->steps, n, j->real_y + first);
    } else if (is_pure) {
        memcpy(j->y + first, w->samples, n * sizeof *w->samples);
    } else if (j->x == j->y) {
        add_in_place(j->y + first, w->samples, n);
    } else {
        add_apart(j->x + first, w->samples, j->y + first, n);
    }
}

static void release_chunk(const job *j, size_t chunk, workspace *w)
{
    nw__streams_begin(&w->streams, j->noise->kernels, j->key, chunk);
    for (size_t at = 0; at < CHUNK && chunk * CHUNK + at < j->n; at += STEP)
        release_step(j, chunk, at, w);
}

static void release(const job *j, workspace *spaces, int threads)
{
    const size_t chunks = (j->n + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads) if (chunks > 1)
    for (size_t c = 0; c < chunks; c++)
        release_chunk(j, c, &spaces[omp_get_thread_num()]);
}

static nw_status draw(job j, nw_rng *rng, const char *function, nw_error *err)
{
    uint8_t key[NW__RNG_KEY_BYTES];
    const size_t chunks = (j.n + CHUNK - 1) / CHUNK;
    const int threads = chunks > 1 ? nw__threads(0) : 1;
    if (j.n == 0)
        return NW_OK;
    workspace *spaces = nw__calloc((size_t)threads, sizeof *spaces);
    if (spaces == NULL)
        return nw__fail_memory(err, function);
    const nw_status status = nw_rng_bytes(rng, key, sizeof key, err);
    j.key = key;
    if (status == NW_OK)
        release(&j, spaces, threads);
    sodium_memzero(key, sizeof key);
    nw__free_wiped(spaces, (size_t)threads * sizeof *spaces);
    return status;
}

nw_status nw_noise_fill(const nw_noise *noise, nw_rng *rng, int64_t *out, size_t n, nw_error *err)
{
    if (noise == NULL || rng == NULL || (out == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", noise == NULL ? "noise" : rng == NULL ? "rng" : "out");
    const nw_status status = draw((job){ .noise = noise, .y = out, .n = n }, rng, __func__, err);
    if (status != NW_OK)
        memset(out, 0, n * sizeof *out);
    return status;
}

static nw_status check_vectors(
    const nw_noise *noise, const nw_rng *rng, const void *x, const void *y, size_t n, const char *function, nw_error *err)
{
    const char *null = noise == NULL ? "noise" : rng == NULL ? "rng" : n > 0 && x == NULL ? "x" : n > 0 && y == NULL ? "y" : NULL;
    return null == NULL ? NW_OK : nw__fail(err, NW_E_ARG, function, "%s is NULL", null);
}

nw_status nw_noise_add_i64(const nw_noise *noise, nw_rng *rng, const int64_t *x, int64_t *y, size_t n, nw_error *err)
{
    NW__TRY(check_vectors(noise, rng, x, y, n, __func__, err));
    return draw((job){ .noise = noise, .x = x, .y = y, .n = n }, rng, __func__, err);
}

nw_status nw_noise_add_f64_grid(const nw_noise *noise, nw_rng *rng, nw_grid grid, const double *x, double lower, double upper,
    double *y, size_t n, nw_error *err)
{
    NW__TRY(check_vectors(noise, rng, x, y, n, __func__, err));
    NW__TRY(nw__grid_check(grid, lower, upper, __func__, err));
    const job j = { .noise = noise, .real_x = x, .real_y = y, .grid = grid, .lower = lower, .upper = upper, .n = n };
    return draw(j, rng, __func__, err);
}

double nw_noise_log2_tv(const nw_noise *noise)
{
    (void)noise; /* the same bound for every law and scale */
    return LOG2_TV;
}
