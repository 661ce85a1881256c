/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* train_file.c - the checkpoint of a run.
 *
 *   0      magic, size of the body, digest of the run
 *   512    a mark: steps that are used, and a checksum of that; written in place and synced before a step is drawn
 *   1024   another; they are written in turns, so that one is whole whatever happens
 *   2048   the body: step, lost steps, reservation, clip norm, batches, receipt, weights, optimiser
 *   end    BLAKE2b-256 of the first 48 bytes and the body
 *
 * A run that was killed goes on behind the last marked step: what it may have drawn is not drawn again. Nothing in the file is
 * private beyond what the run was charged for. */
#include "train_internal.h"

#include "dpsgd_internal.h"
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 48, MARK_A = 512, MARK_B = 1024, MARK = 24, BODY = 2048, CHECKSUM = 32, FIXED = 32 + NW_BATCHES_STATE_SIZE };
static const char MAGIC[8] = "NWTRAIN1";

/* Marking costs a sync of the disk, some milliseconds: so far ahead that it is done twice a second at most, and that no more
 * than a 64th of the run can be lost by a kill. A signal that is caught loses nothing. */
static const double MARK_SECONDS = 0.5;
static const double MOST_LOST = 1.0 / 64.0;

double nw__train_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void put_u64(uint8_t *at, uint64_t x)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(x >> (8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++)
        x |= (uint64_t)at[i] << (8 * i);
    return x;
}

static nw_status io_error(const nw_train *t, const char *verb, const char *function, nw_error *err)
{
    return nw__fail(err, NW_E_IO, function, "cannot %s %.200s: %s", verb, t->checkpoint, strerrordesc_np(errno));
}

/* Whatever makes this run another one. */
nw_status nw__train_digest(nw_train *t, nw_error *err)
{
    char *event = NULL;
    char text[256];
    crypto_generichash_state state;
    NW__TRY(nw__init(err));
    NW__TRY(nw_event_to_json(t->event, &event, err));
    const char *model = nw_network_model(t->net);
    snprintf(text, sizeof text, "records %zu batch %a clip %a %d %a noise %d delta %a optimizer %zu", t->records,
        t->expected_batch, t->opts.clip_norm, (int)t->opts.clipping, t->opts.quantile, (int)t->opts.noise, t->opts.delta,
        nw_optimizer_size(t->optimizer));
    crypto_generichash_init(&state, NULL, 0, sizeof t->digest);
    crypto_generichash_update(&state, (const uint8_t *)event, strlen(event) + 1);
    crypto_generichash_update(&state, (const uint8_t *)model, strlen(model) + 1);
    crypto_generichash_update(&state, (const uint8_t *)text, strlen(text));
    crypto_generichash_final(&state, t->digest, sizeof t->digest);
    nw_string_free(event);
    return NW_OK;
}

/* ---- written ---- */

static void make_mark(const nw_train *t, uint64_t used, uint8_t mark[MARK])
{
    put_u64(mark, used);
    crypto_generichash(mark + 8, MARK - 8, mark, 8, t->digest, sizeof t->digest);
}

size_t nw__train_body_size(const nw_train *t)
{
    return FIXED + sizeof t->receipt + t->coordinates * sizeof(float) + nw_optimizer_size(t->optimizer);
}

nw_status nw__train_fill_body(nw_train *t, nw_rng *rng, uint8_t *body, nw_error *err)
{
    const double clip = nw_dpsgd_clip_norm(t->dpsgd);
    const size_t optimizer = nw_optimizer_size(t->optimizer);
    put_u64(body, t->step);
    put_u64(body + 8, t->lost);
    put_u64(body + 16, t->reservation);
    memcpy(body + 24, &clip, sizeof clip);
    NW__TRY(nw_batches_get_state(t->batches, rng, body + 32, err));
    memcpy(body + FIXED, &t->receipt, sizeof t->receipt);
    uint8_t *at = body + FIXED + sizeof t->receipt;
    for (size_t i = 0; i < t->parameter_count; i++) {
        memcpy(at, t->parameters[i], t->sizes[i] * sizeof(float));
        at += t->sizes[i] * sizeof(float);
    }
    return nw_optimizer_serialize(t->optimizer, at, optimizer, err);
}

static void sum_of(const uint8_t *file, size_t body, uint8_t out[CHECKSUM])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECKSUM);
    crypto_generichash_update(&state, file, HEADER);
    crypto_generichash_update(&state, file + BODY, body);
    crypto_generichash_final(&state, out, CHECKSUM);
}

nw_status nw__train_save(nw_train *t, nw_rng *rng, const char *function, nw_error *err)
{
    nw__output output;
    const size_t body = nw__train_body_size(t);
    const size_t size = BODY + body + CHECKSUM;
    const double began = nw__train_clock();
    if (t->checkpoint == NULL)
        return NW_OK;
    uint8_t *file = nw__calloc(size, 1);
    if (file == NULL)
        return nw__fail_memory(err, function);
    memcpy(file, MAGIC, sizeof MAGIC);
    put_u64(file + 8, body);
    memcpy(file + 16, t->digest, sizeof t->digest);
    make_mark(t, t->step, file + MARK_A);
    make_mark(t, t->step, file + MARK_B);
    nw_status status = nw__train_fill_body(t, rng, file + BODY, err);
    sum_of(file, body, file + BODY + body);
    if (status == NW_OK)
        status = nw__output_open(&output, t->checkpoint, err, function);
    if (status == NW_OK) {
        status = nw__output_write(&output, file, size, err);
        if (status == NW_OK)
            status = nw__output_finish(&output, err);
        else
            nw__output_abandon(&output);
    }
    free(file);
    if (status == NW_OK) {
        t->marked = t->step;
        t->saved_at = nw__train_clock();
        t->save_seconds = t->saved_at - began;
    }
    return status;
}

/* In the place of the older of the two marks. */
static nw_status write_mark(nw_train *t, uint64_t used, const char *function, nw_error *err)
{
    uint8_t mark[MARK];
    make_mark(t, used, mark);
    const int fd = open(t->checkpoint, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error(t, "open", function, err);
    const off_t at = t->has_mark_a ? MARK_B : MARK_A;
    t->has_mark_a = !t->has_mark_a;
    const bool is_written = pwrite(fd, mark, sizeof mark, at) == (ssize_t)sizeof mark && fdatasync(fd) == 0;
    const int saved = errno;
    close(fd);
    errno = saved;
    return is_written ? NW_OK : io_error(t, "write", function, err);
}

nw_status nw__train_mark(nw_train *t, const char *function, nw_error *err)
{
    if (t->step < t->marked)
        return NW_OK;
    double ahead = fmin(MARK_SECONDS / fmax(t->step_seconds, 1e-6), MOST_LOST * (double)t->opts.steps);
    ahead = t->step_seconds == 0.0 ? 1.0 : fmax(1.0, floor(ahead));
    uint64_t marked = t->step + (uint64_t)ahead;
    if (marked > t->opts.steps)
        marked = t->opts.steps;
    if (t->checkpoint != NULL)
        NW__TRY(write_mark(t, marked, function, err));
    t->marked = marked;
    return NW_OK;
}

void nw__train_discard(nw_train *t)
{
    if (t->checkpoint != NULL)
        unlink(t->checkpoint);
}

/* ---- read ---- */

static nw_status read_file(const nw_train *t, uint8_t *file, size_t size, const char *function, nw_error *err)
{
    struct stat info;
    FILE *stream = fopen(t->checkpoint, "rbe");
    if (stream == NULL)
        return io_error(t, "open", function, err);
    const bool is_sized = fstat(fileno(stream), &info) == 0 && info.st_size == (off_t)size;
    const size_t got = is_sized ? fread(file, 1, size, stream) : 0;
    const bool has_failed = ferror(stream) != 0;
    fclose(stream);
    if (has_failed)
        return io_error(t, "read", function, err);
    if (got != size)
        return nw__fail(err, NW_E_FORMAT, function, "%.200s is no checkpoint of this run, or cut off", t->checkpoint);
    return NW_OK;
}

static nw_status check_file(const nw_train *t, const uint8_t *file, size_t body, const char *function, nw_error *err)
{
    uint8_t sum[CHECKSUM];
    if (memcmp(file, MAGIC, sizeof MAGIC) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "%.200s is no checkpoint", t->checkpoint);
    if (memcmp(file + 16, t->digest, sizeof t->digest) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "%.200s is of a run with other options, model or records", t->checkpoint);
    sum_of(file, body, sum);
    if (memcmp(sum, file + BODY + body, CHECKSUM) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "%.200s was altered", t->checkpoint);
    return NW_OK;
}

/* The later of the marks that are whole; step if none is. */
static uint64_t used_steps(const nw_train *t, const uint8_t *file, uint64_t step, bool *is_whole)
{
    uint64_t used = step;
    *is_whole = false;
    for (size_t at = MARK_A; at <= MARK_B; at += MARK_B - MARK_A) {
        uint8_t mark[MARK];
        const uint64_t marked = get_u64(file + at);
        make_mark(t, marked, mark);
        if (memcmp(mark, file + at, MARK) != 0)
            continue;
        *is_whole = true;
        used = marked > used ? marked : used;
    }
    return used;
}

uint64_t nw__train_body_step(const uint8_t *body)
{
    return get_u64(body);
}

nw_status nw__train_take_body(nw_train *t, const uint8_t *body, uint64_t used, nw_error *err)
{
    double clip;
    const uint64_t step = get_u64(body);
    const uint8_t *at = body + FIXED + sizeof t->receipt;
    NW__TRY(nw_batches_set_state(t->batches, body + 32, err));
    NW__TRY(nw_optimizer_restore(t->optimizer, at + t->coordinates * sizeof(float), nw_optimizer_size(t->optimizer), err));
    for (size_t i = 0; i < t->parameter_count; i++) {
        memcpy(t->parameters[i], at, t->sizes[i] * sizeof(float));
        at += t->sizes[i] * sizeof(float);
    }
    memcpy(&clip, body + 24, sizeof clip);
    nw__dpsgd_set_clip(t->dpsgd, clip);
    nw_batches_skip(t->batches, used - step);
    if (t->correlated != NULL)
        nw_correlated_restart(t->correlated, used);
    t->lost = get_u64(body + 8) + (used - step);
    t->reservation = get_u64(body + 16);
    memcpy(&t->receipt, body + FIXED, sizeof t->receipt);
    t->step = used;
    t->marked = used;
    return NW_OK;
}

nw_status nw__train_load(nw_train *t, const char *function, nw_error *err)
{
    const size_t body = nw__train_body_size(t);
    const size_t size = BODY + body + CHECKSUM;
    bool has_mark = false;
    uint8_t *file = nw__calloc(size, 1);
    if (file == NULL)
        return nw__fail_memory(err, function);
    nw_status status = read_file(t, file, size, function, err);
    if (status == NW_OK)
        status = check_file(t, file, body, function, err);
    if (status == NW_OK) {
        const uint64_t used = used_steps(t, file, get_u64(file + BODY), &has_mark);
        if (!has_mark || used > t->opts.steps)
            status = nw__fail(err, NW_E_FORMAT, function, "%.200s does not say how many steps are used", t->checkpoint);
        else
            status = nw__train_take_body(t, file + BODY, used, err);
    }
    free(file);
    return status;
}

static nw_status resume(nw_train *t, nw_error *err)
{
    if (t->checkpoint == NULL)
        return nw__fail(err, NW_E_ARG, "nw_train_resume", "checkpoint is NULL");
    return nw__train_load(t, "nw_train_resume", err);
}

nw_status nw_train_resume(nw_train *train, nw_receipt *receipt, nw_error *err)
{
    if (train == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "train is NULL");
    if (train->is_charged)
        return nw__fail(err, NW_E_STATE, __func__, "this run has begun");
    NW__TRY(nw__train_check_same(train, __func__, err));
    NW__TRY(nw__train_agree(train, nw__train_is_first(train) ? resume(train, err) : NW_OK, err));
    NW__TRY(nw__train_share_receipt(train, err));
    train->is_charged = true;
    train->saved_at = nw__train_clock();
    if (receipt != NULL)
        *receipt = train->receipt;
    return NW_OK;
}
