/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* noise.c - draws from a slot table.
 *
 * One trial: a uniform slot, a uniform cell of its block, V uniform in [0, 1): accept iff (level + V) A / width < p(cell), p the
 * unnormalised law. A fast slot lies below p entirely: accept at once. A rejected trial is repeated *for the same output
 * position*: moving accepted samples together would make a position tell which part of the law it came from.
 *
 * Samples come in chunks. Chunk c of a release reads three streams of ChaCha20 under the release's key: nonce c for the first
 * trials, c | 2^63 for what flagged slots need, c | 2^62 for the extension of a comparison that a double cannot decide, at a
 * block number of the trial's own. So the output is the same for any number of threads and for any margin. */
#include "grid_internal.h"
#include "kernels.h"
#include "wide.h"

#include <math.h>
#include <omp.h>
#include <sodium.h>
#include <stdlib.h>

enum {
    CHUNK = 4096, /* samples */
    STEP = 1024,  /* samples drawn at a time, for the first level of the cache; never fewer, so that a clock does not see the slow
                   * path of one */
    REDRAW_BLOCKS = 16, /* of ChaCha20, read ahead */
    REDRAW_WORDS = REDRAW_BLOCKS * NW__CHACHA20_BLOCK / 8
};
static const uint64_t REDRAW_NONCE = UINT64_C(1) << 63;
static const uint64_t EXTENSION_NONCE = UINT64_C(1) << 62;

/* Distance of a sample's law from the ideal one: the Gaussian's end (2^-166) and undecided comparisons. One of these needs V
 * within 2^-170 of the threshold: the extended V and fraction have 192 bits, and an error of 2^-229 (two wide values) or of
 * 2^-192 / 64 in the height is one of at most 2^17 times as much in V, for no block is lower than 2^-17; rejecting it moves less
 * than 2^-170 a trial, and fewer than 2^10 trials are made for a sample. */
static const double LOG2_TV = -150.0;
static const unsigned UNDECIDED_BITS = 200;

typedef struct streams {
    const nw__kernels *kernels;
    const uint8_t *key;
    uint64_t chunk;
    uint64_t redraw[REDRAW_WORDS];
    size_t redraw_used;
    uint64_t redraw_block; /* ChaCha20 block number of the next refill */
    uint64_t trials;       /* flagged trials so far: the block number of the extension */
} streams;

static uint64_t redraw_word(streams *s)
{
    if (s->redraw_used == REDRAW_WORDS) {
        s->kernels->keystream((uint8_t *)s->redraw, REDRAW_BLOCKS, s->chunk | REDRAW_NONCE, s->redraw_block, s->key);
        s->redraw_block += REDRAW_BLOCKS;
        s->redraw_used = 0;
    }
    return s->redraw[s->redraw_used++];
}

/* (level + V) A / width < p(cell), on 192 bits of V and of the fraction; undecided counts as no. */
static bool wide_test(const nw_noise *noise, const nw__slot *slot, int64_t cell, nw__fraction v, nw__fraction f)
{
    if (slot->kind == NW__SLOT_TAIL) {
        /* V A (1 - e^(-1/b)) < e^(-|base|/b) */
        const nw__wide one_step = nw__wide_exp_minus(nw__wide_laplace_exponent(1, noise->lattice_scale));
        const nw__wide left = nw__wide_multiply(nw__wide_scaled(0, v, noise->area, 0), nw__wide_one_minus(one_step));
        const nw__wide right = nw__wide_exp_minus(nw__wide_laplace_exponent((uint64_t)llabs(slot->base), noise->lattice_scale));
        return nw__wide_compare(left, right, UNDECIDED_BITS) < 0;
    }
    const nw__wide left = nw__wide_scaled(slot->level, v, noise->area, slot->log2_width);
    const nw__wide exponent = noise->law == NW_NOISE_DISCRETE_LAPLACE
                                  ? nw__wide_laplace_exponent((uint64_t)llabs(cell), noise->lattice_scale)
                                  : nw__wide_gaussian_exponent(cell, f, noise->lattice_scale);
    return nw__wide_compare(left, nw__wide_exp_minus(exponent), UNDECIDED_BITS) < 0;
}

/* p(cell) width / A - level in double, for a tail slot the tail's mass over A. */
static double height_in_slot(const nw_noise *noise, const nw__slot *slot, double y)
{
    const double z = y / noise->lattice_scale;
    if (slot->kind == NW__SLOT_TAIL)
        return exp(-fabs((double)slot->base) / noise->lattice_scale) / -expm1(-1.0 / noise->lattice_scale) / noise->area;
    const double p = noise->law == NW_NOISE_DISCRETE_LAPLACE ? exp(-fabs(z)) : exp(-0.5 * z * z);
    return ldexp(p, slot->log2_width) / noise->area;
}

/* (level + V) A / width < p(cell) where the chord does not tell: in double, and within its error on 192 bits. */
static bool curve_test(
    const nw_noise *noise, const nw__slot *slot, int64_t cell, nw__fraction v, nw__fraction f, streams *s, uint64_t trial)
{
    const double y = (double)cell + (double)f.limb[2] * 0x1p-64;
    const double total = height_in_slot(noise, slot, y);
    const double gap = total - slot->level - (double)v.limb[2] * 0x1p-64;
    const double margin =
        noise->margin * total + 0x1p-50; /* the latter for V's and the fraction's unread bits and the subtractions */
    if (gap > margin)
        return true;
    if (gap < -margin)
        return false;
    uint64_t extension[NW__CHACHA20_BLOCK / 8];
    s->kernels->keystream((uint8_t *)extension, 1, s->chunk | EXTENSION_NONCE, trial, s->key);
    v.limb[1] = extension[0];
    v.limb[0] = extension[1];
    f.limb[1] = noise->is_continuous ? extension[2] : 0;
    f.limb[0] = noise->is_continuous ? extension[3] : 0;
    return wide_test(noise, slot, cell, v, f);
}

/* One trial of a slot that is not fast; *cell is set if it is accepted. */
static bool try_slot(const nw_noise *noise, const nw__slot *slot, streams *s, int64_t *cell)
{
    const uint64_t trial = s->trials++;
    if (slot->kind == NW__SLOT_UNUSED)
        return false;
    const uint64_t offset = redraw_word(s) & ((UINT64_C(1) << slot->log2_width) - 1);
    const nw__fraction v = { { 0, 0, redraw_word(s) } };
    const nw__fraction f = { { 0, 0, noise->is_continuous ? redraw_word(s) : 0 } };
    *cell = slot->base + (int64_t)offset;
    const double x = (double)(int64_t)offset + (double)f.limb[2] * 0x1p-64;
    const double gap = (double)slot->start + (double)slot->slope * x - (double)v.limb[2] * 0x1p-64;
    if (fabs(gap) > (double)slot->slack)
        return gap > 0.0;
    return curve_test(noise, slot, *cell, v, f, s, trial);
}

static int64_t draw_cell(const nw_noise *noise, size_t slot_number, streams *s);

/* A trial from fresh words, and all that follow until one is accepted. */
static int64_t redraw_cell(const nw_noise *noise, streams *s)
{
    const uint64_t word = redraw_word(s);
    const size_t slot = word & (NW__SLOTS - 1);
    if (noise->fast[slot] == NW__SLOT_FLAGGED)
        return draw_cell(noise, slot, s);
    const uint64_t offset = (word >> NW__SLOT_BITS) & ((UINT64_C(1) << noise->log2_width) - 1);
    return noise->fast[slot] * (INT64_C(1) << noise->log2_width) + (int64_t)offset;
}

/* Beyond `base` a Laplace law is its own nonnegative half again, moved: the memoryless property, so the tail is exact. */
static int64_t draw_tail(const nw_noise *noise, int64_t base, streams *s)
{
    int64_t beyond = redraw_cell(noise, s);
    while (beyond < 0)
        beyond = redraw_cell(noise, s);
    int64_t sum = 0;
    if (__builtin_add_overflow(base, base < 0 ? -beyond : beyond, &sum))
        return base < 0 ? INT64_MIN : INT64_MAX; /* 2^13 scales out at least: probability below e^-8000 */
    return sum;
}

/* The cell of a first trial in a slot that is not fast, redrawn until accepted. */
static int64_t draw_cell(const nw_noise *noise, size_t slot_number, streams *s)
{
    int64_t cell = 0;
    while (!try_slot(noise, &noise->slots[slot_number], s, &cell)) {
        const uint64_t word = redraw_word(s);
        slot_number = word & (NW__SLOTS - 1);
        if (noise->fast[slot_number] != NW__SLOT_FLAGGED) {
            const uint64_t offset = (word >> NW__SLOT_BITS) & ((UINT64_C(1) << noise->log2_width) - 1);
            return noise->fast[slot_number] * (INT64_C(1) << noise->log2_width) + (int64_t)offset;
        }
    }
    if (noise->slots[slot_number].kind == NW__SLOT_TAIL)
        return draw_tail(noise, noise->slots[slot_number].base, s);
    return cell;
}

typedef struct workspace {
    union {
        uint32_t words32[STEP];
        uint64_t words64[STEP];
    };
    int64_t samples[STEP];
    int64_t steps[STEP]; /* of a grid */
    uint64_t flagged[STEP / 64];
    streams streams;
} workspace;

/* Samples number first .. first + STEP - 1 of the chunk. Flagged ones are patched in place and in their order, which is the
 * order of the chunk's second stream. */
static void draw_step(const nw_noise *noise, size_t first, int64_t *out, workspace *w)
{
    streams *s = &w->streams;
    const bool is_wide = NW__SLOT_BITS + noise->log2_width > 32;
    const size_t per_block = NW__CHACHA20_BLOCK / (is_wide ? sizeof *w->words64 : sizeof *w->words32);
    s->kernels->keystream((uint8_t *)w->words64, STEP / per_block, s->chunk, first / per_block, s->key);
    if (is_wide)
        s->kernels->draw_64(noise, w->words64, STEP, out, w->flagged);
    else
        s->kernels->draw_32(noise, w->words32, STEP, out, w->flagged);
    const int64_t half = (INT64_C(1) << noise->halvings) >> 1;
    for (size_t i = 0; i < STEP; i += 64) {
        for (uint64_t left = w->flagged[i / 64]; left != 0; left &= left - 1) {
            const size_t at = i + (size_t)__builtin_ctzll(left);
            const uint64_t word = is_wide ? w->words64[at] : w->words32[at];
            out[at] = (draw_cell(noise, word & (NW__SLOTS - 1), s) + half) >> noise->halvings;
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
    w->streams.kernels = j->noise->kernels;
    w->streams.key = j->key;
    w->streams.chunk = chunk;
    w->streams.redraw_used = REDRAW_WORDS;
    w->streams.redraw_block = 0;
    w->streams.trials = 0;
    for (size_t at = 0; at < CHUNK && chunk * CHUNK + at < j->n; at += STEP)
        release_step(j, chunk, at, w);
}

static void release(const job *j, workspace *spaces, int threads)
{
    const size_t chunks = (j->n + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static) num_threads(threads) if (chunks > 1)
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
