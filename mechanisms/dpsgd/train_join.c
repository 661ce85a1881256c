/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* train_join.c - a run of many processes. Process 0 has the ledger, the rng and the checkpoint; the others take from it, once,
 * what a checkpoint holds, and before each step whether it comes and the key that its batch is drawn with. So all hold the same
 * batch without sending it: which records are in it depends on the key and on their numbers alone. */
#include "train_internal.h"

#include "dpsgd_internal.h"

#include <sodium.h>
#include <string.h>

bool nw__train_is_first(const nw_train *t)
{
    return t->opts.reduce == NULL || t->opts.reduce->rank == 0;
}

static bool is_alone(const nw_train *t)
{
    return t->opts.reduce == NULL || t->opts.reduce->size == 1;
}

static nw_status broadcast(const nw_train *t, void *bytes, size_t n, nw_error *err)
{
    return t->opts.reduce->broadcast(t->opts.reduce->context, bytes, n, err);
}

nw_status nw__train_agree(const nw_train *t, nw_status mine, nw_error *err)
{
    return is_alone(t) ? mine : nw_reduce_agree(t->opts.reduce, mine, err);
}

nw_status nw__train_share_receipt(nw_train *t, nw_error *err)
{
    return is_alone(t) ? NW_OK : broadcast(t, &t->receipt, sizeof t->receipt, err);
}

/* The digest, and where batches are cut: a network may have less memory in one process. */
static nw_status compare(const nw_train *t, const char *function, nw_error *err)
{
    uint8_t mine[NW__TRAIN_DIGEST_BYTES + sizeof(uint64_t)];
    uint8_t first[sizeof mine];
    const uint64_t unit = nw__dpsgd_unit(t->dpsgd);
    memcpy(mine, t->digest, NW__TRAIN_DIGEST_BYTES);
    memcpy(mine + NW__TRAIN_DIGEST_BYTES, &unit, sizeof unit);
    memcpy(first, mine, sizeof mine);
    NW__TRY(broadcast(t, first, sizeof first, err));
    if (memcmp(first, mine, sizeof mine) == 0)
        return NW_OK;
    return nw__fail(err, NW_E_STATE, function,
        "process %zu has a run of other options, model or number of records than process 0", t->opts.reduce->rank);
}

nw_status nw__train_check_same(const nw_train *t, const char *function, nw_error *err)
{
    return is_alone(t) ? NW_OK : nw__train_agree(t, compare(t, function, err), err);
}

static nw_status share_body(nw_train *t, nw_rng *rng, uint8_t *body, size_t size, nw_error *err)
{
    const bool is_first = nw__train_is_first(t);
    NW__TRY(nw__train_agree(t, is_first ? nw__train_fill_body(t, rng, body, err) : NW_OK, err));
    NW__TRY(broadcast(t, body, size, err));
    return nw__train_agree(t, is_first ? NW_OK : nw__train_take_body(t, body, nw__train_body_step(body), err), err);
}

nw_status nw__train_join(nw_train *t, nw_rng *rng, nw_error *err)
{
    if (is_alone(t) || t->is_joined)
        return NW_OK;
    const size_t size = nw__train_body_size(t);
    uint8_t *body = nw__calloc(size, 1);
    nw_status status = nw__train_agree(t, body == NULL ? nw__fail_memory(err, "nw_train_run") : NW_OK, err);
    if (status == NW_OK)
        status = share_body(t, rng, body, size, err);
    nw__free_wiped(body, body == NULL ? 0 : size);
    t->is_joined = status == NW_OK;
    return status;
}

nw_status nw__train_announce(const nw_train *t, nw_status mine, uint8_t key[NW__RNG_KEY_BYTES], nw_error *err)
{
    struct {
        int64_t status;
        uint8_t key[NW__RNG_KEY_BYTES];
    } message = { .status = mine };
    if (is_alone(t))
        return mine;
    memcpy(message.key, key, NW__RNG_KEY_BYTES);
    const nw_status status = broadcast(t, &message, sizeof message, err);
    memcpy(key, message.key, NW__RNG_KEY_BYTES);
    sodium_memzero(message.key, sizeof message.key);
    if (status != NW_OK || message.status == NW_OK)
        return status;
    return nw__train_agree(t, nw__train_is_first(t) ? mine : NW_OK, err); /* tells all why */
}
