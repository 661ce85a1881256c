/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* reduce.c - one process, and what is made of the functions of any nw_reduce: agreeing, gathering, sums of totals. */
#include "reduce_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- one process ---- */

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    (void)context;
    (void)bytes;
    (void)n;
    (void)err;
    return NW_OK;
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return broadcast(context, values, n, err);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    return broadcast(context, values, n, err);
}

static nw_status barrier(void *context, nw_error *err)
{
    return broadcast(context, NULL, 0, err);
}

nw_reduce nw_reduce_serial(void)
{
    return (nw_reduce){ NULL, 0, 1, broadcast, sum_i64, sum_u64, barrier };
}

/* ---- agreeing ---- */

enum { FUNCTION_BYTES = 64, ERROR_BYTES = FUNCTION_BYTES + NW_ERROR_MESSAGE_SIZE, ERROR_WORDS = ERROR_BYTES / 8 };

static void error_to_words(const nw_error *err, uint64_t words[ERROR_WORDS])
{
    uint8_t bytes[ERROR_BYTES] = { 0 };
    memcpy(bytes, err->function, strnlen(err->function, FUNCTION_BYTES - 1));
    memcpy(bytes + FUNCTION_BYTES, err->message, strnlen(err->message, NW_ERROR_MESSAGE_SIZE - 1));
    for (size_t i = 0; i < ERROR_WORDS; i++)
        words[i] = nw__get_word(bytes + 8 * i);
}

static void words_to_error(const uint64_t words[ERROR_WORDS], nw_status status, nw_error *err)
{
    uint8_t bytes[ERROR_BYTES];
    for (size_t i = 0; i < ERROR_WORDS; i++)
        nw__put_word(bytes + 8 * i, words[i]);
    *err = (nw_error){ .status = status };
    memcpy(err->function, bytes, FUNCTION_BYTES - 1);
    memcpy(err->message, bytes + FUNCTION_BYTES, NW_ERROR_MESSAGE_SIZE - 1);
}

/* The first process that failed says why: the others add zeros. */
static nw_status share_failure(const nw_reduce *reduce, size_t first, nw_status status, nw_error *err)
{
    uint64_t words[ERROR_WORDS] = { 0 };
    if (reduce->rank == first && err != NULL)
        error_to_words(err, words);
    NW__TRY(reduce->sum_u64(reduce->context, words, ERROR_WORDS, err));
    if (err != NULL)
        words_to_error(words, status, err);
    return status;
}

nw_status nw_reduce_agree(const nw_reduce *reduce, nw_status mine, nw_error *err)
{
    if (reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "reduce is NULL");
    if (reduce->size == 1)
        return mine;
    nw_error own;
    nw_error *at = err == NULL ? &own : err;
    int64_t *statuses = nw__calloc(reduce->size, sizeof *statuses);
    if (statuses == NULL) /* then this process leaves the others, and whatever carries their calls ends them */
        return nw__fail_memory(err, __func__);
    statuses[reduce->rank] = mine;
    nw_error sum_error;
    const nw_status status = reduce->sum_i64(reduce->context, statuses, reduce->size, &sum_error);
    size_t first = 0;
    while (status == NW_OK && first < reduce->size && statuses[first] == NW_OK)
        first++;
    const nw_status agreed = status == NW_OK && first < reduce->size ? (nw_status)statuses[first] : status;
    free(statuses);
    if (err == NULL)
        own = (nw_error){ .status = mine };
    if (status != NW_OK)
        *at = sum_error;
    return status != NW_OK || agreed == NW_OK ? status : share_failure(reduce, first, agreed, at);
}

/* ---- gathering ---- */

enum { BLOCK_WORDS = 1 << 13 };

/* The n bytes that process `from` has, to process 0, in `all`. */
static nw_status send_bytes(
    const nw_reduce *reduce, size_t from, const uint8_t *bytes, size_t n, uint64_t *block, uint8_t *all, nw_error *err)
{
    for (size_t at = 0; at < n; at += 8 * BLOCK_WORDS) {
        const size_t m = n - at < 8 * BLOCK_WORDS ? n - at : 8 * BLOCK_WORDS;
        uint8_t word[8] = { 0 };
        for (size_t w = 0; w < (m + 7) / 8; w++) {
            const size_t k = m - 8 * w < 8 ? m - 8 * w : 8;
            if (reduce->rank == from)
                memcpy(word, bytes + at + 8 * w, k);
            block[w] = reduce->rank == from ? nw__get_word(word) : 0;
        }
        NW__TRY(reduce->sum_u64(reduce->context, block, (m + 7) / 8, err));
        for (size_t w = 0; all != NULL && w < (m + 7) / 8; w++) {
            nw__put_word(word, block[w]);
            memcpy(all + at + 8 * w, word, m - 8 * w < 8 ? m - 8 * w : 8);
        }
    }
    return NW_OK;
}

static nw_status gather_one(const nw_reduce *reduce, size_t from, const uint8_t *bytes, size_t n, uint64_t *block,
    nw_reduce_take take, void *context, nw_error *err)
{
    const bool is_first = reduce->rank == 0;
    uint8_t *all = is_first ? nw__calloc(n, 1) : NULL;
    nw_status status = is_first && all == NULL ? nw__fail_memory(err, "nw_reduce_gather") : NW_OK;
    status = nw_reduce_agree(reduce, status, err);
    if (status == NW_OK)
        status = send_bytes(reduce, from, bytes, n, block, all, err);
    if (status == NW_OK && is_first)
        status = nw_reduce_agree(reduce, take(context, from, all, n, err), err);
    else if (status == NW_OK)
        status = nw_reduce_agree(reduce, NW_OK, err);
    nw__free_wiped(all, n);
    return status;
}

nw_status nw_reduce_gather(
    const nw_reduce *reduce, const uint8_t *bytes, size_t n, nw_reduce_take take, void *context, nw_error *err)
{
    if (reduce == NULL || take == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", reduce == NULL ? "reduce" : "take");
    if (reduce->size == 1)
        return NW_OK;
    uint64_t *sizes = nw__calloc(reduce->size, sizeof *sizes);
    uint64_t *block = nw__calloc(BLOCK_WORDS, sizeof *block);
    nw_status status = sizes == NULL || block == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    status = nw_reduce_agree(reduce, status, err);
    if (status == NW_OK) {
        sizes[reduce->rank] = n;
        status = reduce->sum_u64(reduce->context, sizes, reduce->size, err);
    }
    for (size_t from = 1; status == NW_OK && from < reduce->size; from++)
        status = gather_one(reduce, from, bytes, (size_t)sizes[from], block, take, context, err);
    nw__free_wiped(block, BLOCK_WORDS * sizeof *block);
    free(sizes);
    return status;
}

/* ---- for the rooms ---- */

nw_status nw__reduce_same(const nw_reduce *reduce, const uint8_t *mine, size_t n, nw_status status, const char *function,
    const char *what, nw_error *err)
{
    uint8_t first[NW__REDUCE_MOST_SAME] = { 0 };
    NW__TRY(nw_reduce_agree(reduce, status, err));
    memcpy(first, mine, n);
    NW__TRY(reduce->broadcast(reduce->context, first, n, err));
    if (memcmp(first, mine, n) != 0)
        status = nw__fail(err, NW_E_ARG, function, "process %zu has %s than process 0, must have the same", reduce->rank, what);
    return nw_reduce_agree(reduce, status, err);
}

nw_status nw__fail_handed(const char *function, nw_error *err)
{
    return nw__fail(err, NW_E_STATE, function, "the totals of this handle were added to those of process 0, which releases them");
}

/* Words of all vectors, one after another: word `at` of vector *v and on; to or from the block. */
static size_t copy_words(
    const nw__vector *vectors, size_t count, size_t *v, size_t *at, int64_t *block, size_t room, bool is_back)
{
    size_t used = 0;
    while (*v < count && used < room) {
        const size_t left = vectors[*v].n - *at;
        const size_t n = left < room - used ? left : room - used;
        if (n > 0) { /* a vector of none may be NULL */
            int64_t *values = vectors[*v].values + *at;
            memcpy(is_back ? values : block + used, is_back ? block + used : values, n * sizeof *values);
        }
        used += n;
        *at += n;
        if (*at == vectors[*v].n) {
            ++*v;
            *at = 0;
        }
    }
    return used;
}

nw_status nw__reduce_vectors(const nw_reduce *reduce, const nw__vector *vectors, size_t count, nw_error *err)
{
    enum { ROOM = 1 << 16 };
    int64_t *block = reduce->size == 1 ? NULL : nw__calloc(ROOM, sizeof *block);
    if (reduce->size == 1)
        return NW_OK;
    nw_status status = nw_reduce_agree(reduce, block == NULL ? nw__fail_memory(err, "nw_reduce") : NW_OK, err);
    for (size_t v = 0, at = 0; status == NW_OK && v < count;) {
        size_t back = v, back_at = at;
        const size_t n = copy_words(vectors, count, &v, &at, block, ROOM, false);
        status = nw__reduce_totals(reduce, block, n, err);
        if (status == NW_OK)
            copy_words(vectors, count, &back, &back_at, block, n, true);
    }
    nw__free_wiped(block, ROOM * sizeof *block);
    return status;
}

nw_status nw__reduce_totals(const nw_reduce *reduce, int64_t *totals, size_t n, nw_error *err)
{
    const int64_t most = INT64_MAX / (int64_t)reduce->size;
    if (reduce->size == 1)
        return NW_OK;
    for (size_t i = 0; i < n; i++)
        totals[i] = totals[i] > most ? most : totals[i] < -most ? -most : totals[i];
    const nw_status status = reduce->sum_i64(reduce->context, totals, n, err);
    if (reduce->rank > 0)
        memset(totals, 0, n * sizeof *totals);
    return status;
}
