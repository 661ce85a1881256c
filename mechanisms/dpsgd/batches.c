/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* batches.c - which records take part in which step, and the event that says so: docs/rooms/dpsgd.md#batches.
 *
 * Poisson: geometric gaps from one record that enters to the next [BF13, sec. 2]. Fixed size: the first `size` swaps of a
 * Fisher-Yates shuffle [Knu97, Alg. P], which the next step takes back. So a batch depends on the stream that it is drawn
 * from, and not on the batches before it.
 * Shuffled and cyclic batches are found again from a key and the number of the step, so that a run that was interrupted cannot
 * meet a record more often than it is accounted. */
#include "accountant_internal.h"
#include "random_internal.h"

#include <nw/batches.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The batches of one run. */
struct nw_batches {
    nw_batches_kind kind;
    nw_adjacency adjacency;
    size_t records;
    double rate;     /* poisson */
    size_t size;     /* shuffled, fixed_size: of a batch */
    size_t cycle;    /* shuffled: batches of an epoch; cyclic: batches in all */
    uint64_t step;   /* of the next batch */
    uint32_t *order; /* uint32[records]: room for any batch, so that no status depends on how large one came out */
    uint32_t *start; /* cyclic: uint32[cycle + 1], where its batches begin in order; fixed_size: uint32[size], what was swapped */
    uint32_t *shown; /* cyclic: uint32[records], a batch in random order */
    bool has_swaps;  /* fixed_size */
    bool has_key;
    uint8_t key[NW__RNG_KEY_BYTES]; /* shuffled, cyclic */
    bool has_order;                 /* shuffled, cyclic: `order` is that of `epoch` */
    uint64_t epoch;
};

static bool has_fixed_order(const nw_batches *b)
{
    return b->kind == NW_BATCHES_SHUFFLED || b->kind == NW_BATCHES_CYCLIC;
}

/* ---- made ---- */

static void identity(nw_batches *b)
{
    for (size_t i = 0; i < b->records; i++)
        b->order[i] = (uint32_t)i;
}

static nw_status make(nw_batches **out, nw_batches batches, const char *function, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    *out = NULL;
    if (batches.records > NW_BATCHES_MOST_RECORDS)
        return nw__fail(err, NW_E_ARG, function, "records is above %d", NW_BATCHES_MOST_RECORDS);
    if (batches.adjacency < NW_ADD_REMOVE || batches.adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(batches.adjacency));
    nw_batches *b = nw__calloc(1, sizeof *b);
    if (b == NULL)
        return nw__fail_memory(err, function);
    *b = batches;
    b->order = nw__calloc(b->records, sizeof *b->order);
    b->start = nw__calloc(b->kind == NW_BATCHES_CYCLIC ? b->cycle + 1 : b->size, sizeof *b->start);
    b->shown = nw__calloc(b->kind == NW_BATCHES_CYCLIC ? b->records : 0, sizeof *b->shown);
    if (b->order == NULL || b->start == NULL || b->shown == NULL) {
        nw_batches_free(b);
        return nw__fail_memory(err, function);
    }
    if (b->kind == NW_BATCHES_FIXED_SIZE)
        identity(b);
    *out = b;
    return NW_OK;
}

/* The number of records is public where a size is given: it may stand in a message. */
static nw_status check_size(size_t records, size_t size, const char *function, nw_error *err)
{
    if (size == 0 || size > records)
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be in 1 .. %zu, the number of records", size, records);
    return NW_OK;
}

nw_status nw_batches_poisson(nw_batches **out, size_t records, double rate, nw_adjacency adjacency, nw_error *err)
{
    if (!(rate >= 0x1p-60 && rate <= 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "rate is %g, must be in [2^-60, 1]", rate);
    const nw_batches b = { .kind = NW_BATCHES_POISSON, .adjacency = adjacency, .records = records, .rate = rate, .cycle = 1 };
    return make(out, b, __func__, err);
}

nw_status nw_batches_full(nw_batches **out, size_t records, nw_adjacency adjacency, nw_error *err)
{
    const nw_batches b = { .kind = NW_BATCHES_FULL, .adjacency = adjacency, .records = records, .size = records, .cycle = 1 };
    return make(out, b, __func__, err);
}

nw_status nw_batches_shuffled(nw_batches **out, size_t records, size_t size, nw_adjacency adjacency, nw_error *err)
{
    NW__TRY(check_size(records, size, __func__, err));
    if (adjacency == NW_ADD_REMOVE)
        return nw__fail(err, NW_E_ARG, __func__,
            "adjacency is add_remove, must be replace_one or zero_out: how many batches an epoch has tells the number of "
            "records");
    const nw_batches b = {
        .kind = NW_BATCHES_SHUFFLED, .adjacency = adjacency, .records = records, .size = size, .cycle = (records - 1) / size + 1
    };
    return make(out, b, __func__, err);
}

nw_status nw_batches_fixed_size(nw_batches **out, size_t records, size_t size, nw_error *err)
{
    NW__TRY(check_size(records, size, __func__, err));
    const nw_batches b = {
        .kind = NW_BATCHES_FIXED_SIZE, .adjacency = NW_REPLACE_ONE, .records = records, .size = size, .cycle = 1
    };
    return make(out, b, __func__, err);
}

nw_status nw_batches_cyclic(nw_batches **out, size_t records, size_t cycle, nw_adjacency adjacency, nw_error *err)
{
    if (cycle == 0 || cycle > NW_BATCHES_MOST_RECORDS)
        return nw__fail(err, NW_E_ARG, __func__, "cycle is %zu, must be in 1 .. %d", cycle, NW_BATCHES_MOST_RECORDS);
    const nw_batches b = { .kind = NW_BATCHES_CYCLIC, .adjacency = adjacency, .records = records, .cycle = cycle };
    return make(out, b, __func__, err);
}

void nw_batches_free(nw_batches *batches)
{
    if (batches == NULL)
        return;
    nw__free_wiped(batches->order, batches->records * sizeof *batches->order);
    free(batches->start);
    free(batches->shown);
    free(batches);
}

nw_batches_kind nw_batches_get_kind(const nw_batches *batches)
{
    return batches->kind;
}

nw_adjacency nw_batches_adjacency(const nw_batches *batches)
{
    return batches->adjacency;
}

double nw_batches_expected_size(const nw_batches *batches)
{
    switch (batches->kind) {
    case NW_BATCHES_POISSON: return batches->rate * (double)batches->records;
    case NW_BATCHES_CYCLIC: return (double)batches->records / (double)batches->cycle;
    default: return (double)batches->size;
    }
}

/* ---- what it costs ---- */

uint64_t nw_batches_participations(const nw_batches *batches, uint64_t steps)
{
    if (!has_fixed_order(batches))
        return steps;
    return steps / batches->cycle + (steps % batches->cycle > 0);
}

uint64_t nw_batches_separation(const nw_batches *batches)
{
    return batches->kind == NW_BATCHES_CYCLIC ? batches->cycle
                                              : 1; /* shuffled: the last of an epoch, then the first of the next */
}

/* What one step may be: what is repeated or sampled already would be counted twice; correlated noise is that of a whole run. */
static nw_status check_step(const nw_event *e, const char *function, nw_error *err)
{
    if (e->kind > NW_EVENT_COMPOSED || e->kind == NW_EVENT_TREE || e->kind == NW_EVENT_MATRIX)
        return nw__fail(err, NW_E_ARG, function,
            "step is %s, must be one mechanism or several composed, neither repeated nor sampled", nw__event_kind_name(e->kind));
    for (size_t i = 0; i < e->child_count; i++)
        NW__TRY(check_step(e->children[i], function, err));
    return NW_OK;
}

/* One step with its sampling; of an order that is not counted on, the step itself, which stands for a whole epoch. */
static nw_status make_part(const nw_batches *b, const nw_event *step, nw_event **part, nw_error *err)
{
    switch (b->kind) {
    case NW_BATCHES_POISSON: return nw_event_poisson_subsampled(part, b->rate, step, err);
    case NW_BATCHES_FIXED_SIZE: return nw_event_fixed_size_subsampled(part, b->records, b->size, false, step, err);
    default: return nw_event_copy(part, step, err);
    }
}

static nw_status charge(
    const nw_batches *b, const nw_event *step, uint64_t steps, nw_event **part, const char *function, nw_error *err)
{
    nw_cost cost;
    if (b == NULL || step == NULL || part == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", b == NULL ? "batches" : (step == NULL ? "step" : "out"));
    *part = NULL;
    if (steps == 0)
        return nw__fail(err, NW_E_ARG, function, "steps is 0, must be at least 1");
    NW__TRY(check_step(step, function, err));
    NW__TRY(make_part(b, step, part, err));
    const nw_status status =
        nw_event_cost(*part, b->adjacency, &cost, err); /* has a meaning under these neighbours, or says why not */
    if (status != NW_OK) {
        nw_event_free(*part);
        *part = NULL;
    }
    return status;
}

nw_status nw_batches_charge(
    const nw_batches *batches, const nw_event *step, uint64_t steps, nw_event **part, uint64_t *count, nw_error *err)
{
    if (count == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "count is NULL");
    NW__TRY(charge(batches, step, steps, part, __func__, err));
    *count = nw_batches_participations(batches, steps);
    return NW_OK;
}

nw_status nw_batches_event(const nw_batches *batches, const nw_event *step, uint64_t steps, nw_event **out, nw_error *err)
{
    nw_event *part = NULL;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(charge(batches, step, steps, &part, __func__, err));
    const nw_status status = nw_event_repeat(out, part, nw_batches_participations(batches, steps), err);
    nw_event_free(part);
    return status;
}

/* ---- drawn ---- */

static nw_status next_poisson(nw_batches *b, nw_rng *rng, size_t *n, nw_error *err)
{
    uint64_t at = 0;
    for (;;) {
        uint64_t gap = 0;
        NW__TRY(nw_rng_poisson_gap(rng, b->rate, &gap, err));
        if (gap >= b->records - at)
            break;
        at += gap;
        b->order[(*n)++] = (uint32_t)at;
        at++;
    }
    return nw_rng_shuffle(rng, b->order, *n, sizeof *b->order, err);
}

static void swap(uint32_t *order, size_t i, size_t j)
{
    const uint32_t kept = order[i];
    order[i] = order[j];
    order[j] = kept;
}

static nw_status next_fixed_size(nw_batches *b, nw_rng *rng, nw_error *err)
{
    NW__TRY(nw__rng_begin(rng, err));
    for (size_t i = b->has_swaps ? b->size : 0; i-- > 0;)
        swap(b->order, i, b->start[i]);
    for (size_t i = 0; i < b->size; i++) {
        b->start[i] = (uint32_t)(i + (size_t)nw__rng_below(rng, b->records - i));
        swap(b->order, i, b->start[i]);
    }
    b->has_swaps = true;
    return NW_OK;
}

static nw_status need_key(nw_batches *b, nw_rng *rng, nw_error *err)
{
    if (b->has_key || !has_fixed_order(b))
        return NW_OK;
    NW__TRY(nw_rng_bytes(rng, b->key, sizeof b->key, err));
    b->has_key = true;
    return NW_OK;
}

/* Cyclic: a batch for each record, then the records sorted by it, those of a batch in the order of their numbers. */
static void fill_bins(nw_batches *b, nw_rng *rng)
{
    uint32_t *bin = b->order;
    uint32_t *at = b->start;
    for (size_t i = 0; i <= b->cycle; i++)
        at[i] = 0;
    for (size_t i = 0; i < b->records; i++) {
        bin[i] = (uint32_t)nw__rng_below(rng, b->cycle);
        at[bin[i] + 1]++;
    }
    for (size_t i = 0; i < b->cycle; i++)
        at[i + 1] += at[i];
}

/* From the batch of each record to the records of each batch. */
static nw_status sort_bins(nw_batches *b, nw_error *err)
{
    uint32_t *sorted = nw__calloc(b->records, sizeof *sorted);
    uint32_t *at = nw__calloc(b->cycle, sizeof *at);
    const bool has_memory = sorted != NULL && at != NULL;
    for (size_t i = 0; has_memory && i < b->cycle; i++)
        at[i] = b->start[i];
    for (size_t i = 0; has_memory && i < b->records; i++)
        sorted[at[b->order[i]]++] = (uint32_t)i;
    free(at);
    if (!has_memory) {
        free(sorted);
        return nw__fail_memory(err, "nw_batches_next");
    }
    nw__free_wiped(b->order, b->records * sizeof *b->order);
    b->order = sorted;
    return NW_OK;
}

/* The order of the step's epoch, from the key alone. Cyclic batches have one epoch. */
static nw_status need_order(nw_batches *b, nw_error *err)
{
    const uint64_t epoch = b->kind == NW_BATCHES_CYCLIC ? 0 : b->step / b->cycle;
    nw_rng *root = NULL;
    nw_rng *rng = NULL;
    if (b->has_order && b->epoch == epoch)
        return NW_OK;
    b->has_order = false;
    nw_status status = nw__rng_keyed(&root, b->key, err);
    if (status == NW_OK)
        status = nw_rng_substream(&rng, root, epoch, err);
    if (status == NW_OK && b->kind == NW_BATCHES_CYCLIC) {
        fill_bins(b, rng);
        status = sort_bins(b, err);
    } else if (status == NW_OK) {
        identity(b);
        status = nw_rng_shuffle(rng, b->order, b->records, sizeof *b->order, err);
    }
    b->has_order = status == NW_OK;
    b->epoch = epoch;
    nw_rng_free(rng);
    nw_rng_free(root);
    return status;
}

static nw_status next_in_order(nw_batches *b, nw_rng *rng, const uint32_t **indices, size_t *n, nw_error *err)
{
    NW__TRY(need_key(b, rng, err));
    NW__TRY(need_order(b, err));
    const size_t k = (size_t)(b->step % b->cycle);
    if (b->kind == NW_BATCHES_CYCLIC) {
        *indices = b->shown;
        *n = b->start[k + 1] - b->start[k];
        if (*n > 0)
            memcpy(b->shown, b->order + b->start[k], *n * sizeof *b->shown);
        return nw_rng_shuffle(rng, b->shown, *n, sizeof *b->shown, err);
    }
    *indices = b->order + k * b->size;
    *n = b->records - k * b->size < b->size ? b->records - k * b->size : b->size;
    return NW_OK;
}

nw_status nw_batches_next(nw_batches *batches, nw_rng *rng, const uint32_t **indices, size_t *n, nw_error *err)
{
    if (batches == NULL || rng == NULL || indices == NULL || n == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            batches == NULL ? "batches" : (rng == NULL ? "rng" : (indices == NULL ? "indices" : "n")));
    nw_status status;
    *indices = batches->order;
    *n = 0;
    switch (batches->kind) {
    case NW_BATCHES_POISSON: status = next_poisson(batches, rng, n, err); break;
    case NW_BATCHES_FIXED_SIZE: status = next_fixed_size(batches, rng, err); break;
    case NW_BATCHES_FULL:
        identity(batches);
        status = nw_rng_shuffle(rng, batches->order, batches->records, sizeof *batches->order, err);
        break;
    default: status = next_in_order(batches, rng, indices, n, err); break;
    }
    if (batches->kind == NW_BATCHES_FULL || batches->kind == NW_BATCHES_FIXED_SIZE)
        *n = batches->size;
    if (status == NW_OK)
        batches->step++;
    else
        *n = 0;
    return status;
}

/* ---- kept: kind, has_key, the size or cycle that the order depends on, the step, the key ---- */

enum { STATE_KIND = 0, STATE_HAS_KEY = 1, STATE_CUT = 4, STATE_STEP = 8, STATE_KEY = 16 };

static uint32_t cut_of(const nw_batches *b)
{
    return (uint32_t)(b->kind == NW_BATCHES_SHUFFLED ? b->size : b->cycle);
}

nw_status nw_batches_get_state(nw_batches *batches, nw_rng *rng, uint8_t state[NW_BATCHES_STATE_SIZE], nw_error *err)
{
    if (batches == NULL || rng == NULL || state == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", batches == NULL ? "batches" : (rng == NULL ? "rng" : "state"));
    NW__TRY(need_key(batches, rng, err));
    for (size_t i = 0; i < NW_BATCHES_STATE_SIZE; i++)
        state[i] = 0;
    state[STATE_KIND] = (uint8_t)batches->kind;
    state[STATE_HAS_KEY] = batches->has_key;
    for (int i = 0; i < 4; i++)
        state[STATE_CUT + i] = (uint8_t)(cut_of(batches) >> (8 * i));
    for (int i = 0; i < 8; i++)
        state[STATE_STEP + i] = (uint8_t)(batches->step >> (8 * i));
    memcpy(state + STATE_KEY, batches->key, sizeof batches->key);
    return NW_OK;
}

nw_status nw_batches_set_state(nw_batches *batches, const uint8_t state[NW_BATCHES_STATE_SIZE], nw_error *err)
{
    uint32_t cut = 0;
    if (batches == NULL || state == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", batches == NULL ? "batches" : "state");
    for (int i = 0; i < 4; i++)
        cut |= (uint32_t)state[STATE_CUT + i] << (8 * i);
    if (state[STATE_KIND] != batches->kind || cut != cut_of(batches) || state[STATE_HAS_KEY] != has_fixed_order(batches))
        return nw__fail(err, NW_E_FORMAT, __func__, "the state is of other batches");
    batches->step = 0;
    for (int i = 0; i < 8; i++)
        batches->step |= (uint64_t)state[STATE_STEP + i] << (8 * i);
    memcpy(batches->key, state + STATE_KEY, sizeof batches->key);
    batches->has_key = has_fixed_order(batches);
    batches->has_order = false;
    return NW_OK;
}

void nw_batches_skip(nw_batches *batches, uint64_t steps)
{
    batches->step += steps;
}
