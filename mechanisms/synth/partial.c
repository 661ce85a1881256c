/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* partial.c - exact counts of a plan's 1-ways, in codes, and 2-ways, in units, over some of the records: adding, merging, bytes.
 *
 * Bytes: "NWSYNTH1", the fingerprint of schema and options, the number of rows, each marginal's counts, of a table by units the
 * number of parts, of units, and these, and a BLAKE2b-256 of all that; integers little-endian. Equal counts have equal bytes. */
#include "query_release.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char MAGIC[8] = "NWSYNTH1";
enum { HEAD_BYTES = sizeof MAGIC + NW__FINGERPRINT_BYTES + 8, DIGEST_BYTES = 32 };
/* Many more than there are; sums of 2^14 such parts still fit an int64. */
static const uint64_t MOST_ROWS = UINT64_C(1) << 48;

/* Vector i: the 1-way of column i, then the 2-ways. */
static size_t vector_count(const nw__plan *plan)
{
    return plan->columns + plan->marginal_count - plan->one_ways;
}

static size_t vector_cells(const nw__plan *plan, size_t i)
{
    if (i < plan->columns)
        return plan->shapes[i].codes;
    const nw__marginal *m = &plan->marginals[plan->one_ways + i - plan->columns];
    return (size_t)plan->units[m->a].cells * plan->units[m->b].cells * (m->cells_c == 0 ? 1 : plan->units[m->c].cells);
}

static size_t query_cells(const nw__partial *partial)
{
    return partial->queries.queries == NULL ? 0 : nw_queries_cells(partial->queries.queries);
}

static bool begin(nw__partial *partial)
{
    const nw__plan *plan = partial->plan;
    if (partial->counts != NULL)
        return true;
    partial->counts = nw__calloc(vector_count(plan), sizeof *partial->counts);
    bool is_ok = partial->counts != NULL;
    for (size_t i = 0; is_ok && i < vector_count(plan); i++) {
        partial->counts[i] = nw__calloc(vector_cells(plan, i), sizeof(int64_t));
        is_ok = partial->counts[i] != NULL;
    }
    if (is_ok && partial->queries.queries != NULL)
        is_ok = nw__query_counts_begin(&partial->queries);
    if (!is_ok)
        nw__partial_clear(partial);
    return is_ok;
}

void nw__partial_clear(nw__partial *partial)
{
    for (size_t i = 0; partial->counts != NULL && i < vector_count(partial->plan); i++)
        nw__free_wiped(partial->counts[i], vector_cells(partial->plan, i) * sizeof(int64_t));
    free(partial->counts);
    nw__query_counts_clear(&partial->queries);
    nw__unit_parts_clear(&partial->parts);
    partial->counts = NULL;
    partial->rows = 0;
}

nw_status nw__partial_add(nw__partial *partial, const nw_table *table, unsigned threads, const char *function, nw_error *err)
{
    if (!begin(partial))
        return nw__fail_memory(err, function);
    int64_t *const *pairs = partial->counts + partial->plan->columns;
    NW__TRY(nw__count_table(partial->plan, partial->plan->units, table, partial->counts, pairs, threads, function, err));
    NW__TRY(nw__query_counts_add(&partial->queries, table, threads, function, err));
    partial->rows += nw_table_rows(table);
    return NW_OK;
}

nw_status nw__partial_merge(nw__partial *partial, const nw__partial *other, const char *function, nw_error *err)
{
    if (!begin(partial))
        return nw__fail_memory(err, function);
    NW__TRY(nw__unit_parts_join(&partial->parts, other->parts.count, other->parts.units, other->parts.unit_count, function, err));
    nw__query_counts_merge(&partial->queries, &other->queries);
    for (size_t i = 0; other->counts != NULL && i < vector_count(partial->plan); i++)
        for (size_t c = 0; c < vector_cells(partial->plan, i); c++)
            partial->counts[i][c] += other->counts[i][c];
    partial->rows += other->rows;
    return NW_OK;
}

/* ---- over processes ---- */

/* Of a file that is read twice the marginals are not here. */
static nw_status sum_counts(
    nw__partial *partial, const nw_reduce *reduce, bool has_marginals, const char *function, nw_error *err)
{
    const size_t n = has_marginals ? vector_count(partial->plan) : 0;
    int64_t rows = (int64_t)partial->rows;
    nw__vector *vectors = nw__calloc(n + 2, sizeof *vectors);
    const bool has_room = has_marginals                      ? begin(partial)
                          : partial->queries.queries != NULL ? nw__query_counts_begin(&partial->queries)
                                                             : true;
    nw_status status = has_room && vectors != NULL ? NW_OK : nw__fail_memory(err, function);
    status = nw_reduce_agree(reduce, status, err);
    for (size_t i = 0; status == NW_OK && i < n; i++)
        vectors[i] = (nw__vector){ partial->counts[i], vector_cells(partial->plan, i) };
    if (status == NW_OK) {
        vectors[n] = (nw__vector){ partial->queries.counts, query_cells(partial) };
        vectors[n + 1] = (nw__vector){ &rows, 1 };
        status = nw__reduce_vectors(reduce, vectors, n + 2, err);
    }
    free(vectors);
    partial->rows = (uint64_t)rows;
    return status;
}

/* The parts of another process, as words: their number, then their units. */
typedef struct join {
    nw__unit_parts *own;
    bool is_shared;
    const char *function;
} join;

static nw_status take_parts(void *context, size_t rank, const uint8_t *bytes, size_t n, nw_error *err)
{
    const join *j = context;
    const size_t count = n / 8 - 1;
    const uint64_t parts = nw__get_word(bytes);
    uint64_t *units = nw__calloc(count, sizeof *units);
    (void)rank;
    if (units == NULL)
        return nw__fail_memory(err, j->function);
    for (size_t i = 0; i < count; i++)
        units[i] = nw__get_word(bytes + 8 * (1 + i));
    /* the same parts as here, of which this process read other units */
    const uint64_t own = j->own->count;
    nw_status status = NW_OK;
    if (!j->is_shared || count > 0)
        status = nw__unit_parts_join(j->own, parts, units, count, j->function, err);
    if (j->is_shared)
        j->own->count = own;
    nw__free_wiped(units, count * sizeof *units);
    return status;
}

static nw_status join_parts(nw__partial *partial, const nw_reduce *reduce, bool is_shared, const char *function, nw_error *err)
{
    nw__unit_parts *parts = &partial->parts;
    const size_t n = 8 * (1 + parts->unit_count);
    if (!parts->are_needed)
        return NW_OK;
    uint8_t *bytes = nw__calloc(n, 1);
    nw_status status = nw_reduce_agree(reduce, bytes == NULL ? nw__fail_memory(err, function) : NW_OK, err);
    if (status == NW_OK) {
        join j = { parts, is_shared, function };
        nw__put_word(bytes, parts->count);
        for (size_t i = 0; i < parts->unit_count; i++)
            nw__put_word(bytes + 8 * (1 + i), parts->units[i]);
        status = nw_reduce_gather(reduce, bytes, n, take_parts, &j, err);
    }
    nw__free_wiped(bytes, n);
    return status;
}

nw_status nw__partial_reduce(
    nw__partial *partial, const nw_reduce *reduce, bool has_marginals, bool is_shared, const char *function, nw_error *err)
{
    nw_status status = join_parts(partial, reduce, is_shared, function, err);
    if (status == NW_OK)
        status = sum_counts(partial, reduce, has_marginals, function, err);
    if (reduce->rank > 0)
        nw__partial_clear(partial);
    return status;
}

/* ---- bytes ---- */

/* Bytes of parts with so many units. */
static size_t parts_size(const nw__partial *partial, size_t units)
{
    return partial->parts.are_needed ? 8 * (2 + units) : 0;
}

static size_t size_with(const nw__partial *partial, size_t units)
{
    size_t cells = 0;
    for (size_t i = 0; i < vector_count(partial->plan); i++)
        cells += vector_cells(partial->plan, i);
    return HEAD_BYTES + 8 * (cells + query_cells(partial)) + parts_size(partial, units) + DIGEST_BYTES;
}

size_t nw__partial_size(const nw__partial *partial)
{
    return size_with(partial, partial->parts.unit_count);
}

static uint8_t *write_parts(const nw__unit_parts *parts, uint8_t *at)
{
    if (!parts->are_needed)
        return at;
    nw__put_word(at, parts->count);
    nw__put_word(at + 8, parts->unit_count);
    at += 16;
    for (size_t i = 0; i < parts->unit_count; i++, at += 8)
        nw__put_word(at, parts->units[i]);
    return at;
}

void nw__partial_write(const nw__partial *partial, const uint8_t fingerprint[NW__FINGERPRINT_BYTES], uint8_t *out)
{
    uint8_t *at = out + HEAD_BYTES;
    memcpy(out, MAGIC, sizeof MAGIC);
    memcpy(out + sizeof MAGIC, fingerprint, NW__FINGERPRINT_BYTES);
    nw__put_word(out + sizeof MAGIC + NW__FINGERPRINT_BYTES, partial->rows);
    for (size_t i = 0; i < vector_count(partial->plan); i++)
        for (size_t c = 0; c < vector_cells(partial->plan, i); c++, at += 8)
            nw__put_word(at, partial->counts == NULL ? 0 : (uint64_t)partial->counts[i][c]);
    for (size_t c = 0; c < query_cells(partial); c++, at += 8)
        nw__put_word(at, partial->queries.counts == NULL ? 0 : (uint64_t)partial->queries.counts[c]);
    at = write_parts(&partial->parts, at);
    crypto_generichash(at, DIGEST_BYTES, out, (size_t)(at - out), NULL, 0);
}

/* A workload counts each row once or not at all; a predicate in parts of its unit. */
static bool are_answers(const nw__partial *partial, const uint8_t *at, uint64_t rows)
{
    const nw_queries *q = partial->queries.queries;
    for (size_t i = 0; q != NULL && i < q->count; i++) {
        uint64_t left = rows * (uint64_t)nw_queries_get(q, i).unit;
        for (uint32_t c = 0; c < q->workloads[i].cells; c++, at += 8) {
            const uint64_t count = nw__get_word(at);
            if (count > left)
                return false;
            left -= count;
        }
    }
    return true;
}

/* Every marginal counts each row once: so its counts are not negative and add up to the rows. */
static bool are_counts(const nw__partial *partial, const uint8_t *at, uint64_t rows)
{
    for (size_t i = 0; i < vector_count(partial->plan); i++) {
        uint64_t left = rows;
        for (size_t c = 0; c < vector_cells(partial->plan, i); c++, at += 8) {
            const uint64_t count = nw__get_word(at);
            if (count > left)
                return false;
            left -= count;
        }
        if (left != 0)
            return false;
    }
    return are_answers(partial, at, rows);
}

/* The parts that the bytes say were counted; their units are increasing, and of each there are rows. */
static bool are_parts(const nw__partial *partial, const uint8_t *at, size_t units, uint64_t rows)
{
    if (!partial->parts.are_needed)
        return true;
    for (size_t i = 1; i < units; i++)
        if (nw__get_word(at + 8 * (2 + i)) <= nw__get_word(at + 8 * (1 + i)))
            return false;
    return units <= rows && (rows == 0 || nw__get_word(at) > 0) && (partial->parts.are_apart || units == 0);
}

/* How many units the bytes hold: what is longer than without; SIZE_MAX if it is no such length. */
static size_t units_of(const nw__partial *partial, const uint8_t *bytes, size_t n)
{
    const size_t least = size_with(partial, 0);
    if (n < least || (n - least) % 8 != 0)
        return SIZE_MAX;
    const size_t units = (n - least) / 8;
    if (!partial->parts.are_needed)
        return units == 0 ? 0 : SIZE_MAX;
    return nw__get_word(bytes + least - DIGEST_BYTES - 8) == units ? units : SIZE_MAX;
}

static nw_status check_bytes(const nw__partial *partial, const uint8_t fingerprint[NW__FINGERPRINT_BYTES], const uint8_t *bytes,
    size_t n, const char *function, nw_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    if (n < sizeof MAGIC || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are not those of nw_synth_serialize");
    if (n >= HEAD_BYTES && memcmp(bytes + sizeof MAGIC, fingerprint, NW__FINGERPRINT_BYTES) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are of another schema or other options, must be of the same");
    const size_t units = units_of(partial, bytes, n);
    if (units == SIZE_MAX)
        return nw__fail(err, NW_E_FORMAT, function, "%zu bytes, must be the %zu of nw_synth_serialize", n, size_with(partial, 0));
    crypto_generichash(digest, DIGEST_BYTES, bytes, n - DIGEST_BYTES, NULL, 0);
    const uint64_t rows = nw__get_word(bytes + sizeof MAGIC + NW__FINGERPRINT_BYTES);
    if (memcmp(digest, bytes + n - DIGEST_BYTES, DIGEST_BYTES) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are damaged: their checksum does not hold");
    const uint8_t *parts = bytes + size_with(partial, 0) - DIGEST_BYTES - parts_size(partial, 0);
    if (rows > MOST_ROWS || !are_counts(partial, bytes + HEAD_BYTES, rows) || !are_parts(partial, parts, units, rows))
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are not the counts of one table");
    return NW_OK;
}

/* Before any count is added: parts that do not go together leave all as it was. */
static nw_status join_bytes(nw__partial *partial, const uint8_t *bytes, size_t n, const char *function, nw_error *err)
{
    const size_t count = units_of(partial, bytes, n);
    if (!partial->parts.are_needed)
        return NW_OK;
    const uint8_t *at = bytes + size_with(partial, 0) - DIGEST_BYTES - parts_size(partial, 0);
    uint64_t *units = nw__calloc(count, sizeof *units);
    if (units == NULL)
        return nw__fail_memory(err, function);
    for (size_t i = 0; i < count; i++)
        units[i] = nw__get_word(at + 8 * (2 + i));
    const nw_status status = nw__unit_parts_join(&partial->parts, nw__get_word(at), units, count, function, err);
    nw__free_wiped(units, count * sizeof *units);
    return status;
}

nw_status nw__partial_merge_bytes(nw__partial *partial, const uint8_t fingerprint[NW__FINGERPRINT_BYTES], const uint8_t *bytes,
    size_t n, const char *function, nw_error *err)
{
    NW__TRY(check_bytes(partial, fingerprint, bytes, n, function, err));
    if (!begin(partial))
        return nw__fail_memory(err, function);
    NW__TRY(join_bytes(partial, bytes, n, function, err));
    const uint8_t *at = bytes + HEAD_BYTES;
    for (size_t i = 0; i < vector_count(partial->plan); i++)
        for (size_t c = 0; c < vector_cells(partial->plan, i); c++, at += 8)
            partial->counts[i][c] += (int64_t)nw__get_word(at);
    for (size_t c = 0; c < query_cells(partial); c++, at += 8)
        partial->queries.counts[c] += (int64_t)nw__get_word(at);
    partial->rows += nw__get_word(bytes + sizeof MAGIC + NW__FINGERPRINT_BYTES);
    return NW_OK;
}

/* ---- as a source of counts ---- */

static void count_single(const nw__partial *partial, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    for (uint32_t code = 0; code < partial->plan->shapes[m->a].codes; code++)
        counts[nw__coding_cell(&codings[m->a], code)] += partial->counts[m->a][code];
}

/* The cell that a unit lies in. */
static uint32_t cell_of_unit(const nw__column_shape *shape, const nw__coding *coding, uint32_t unit)
{
    const uint64_t code = (uint64_t)unit * shape->unit_width;
    return nw__coding_cell(coding, code < shape->values ? (uint32_t)code : shape->values);
}

static const int64_t *exact_counts(const nw__partial *partial, const nw__marginal *m)
{
    const nw__plan *plan = partial->plan;
    const nw__marginal *own = plan->marginals + plan->one_ways;
    while (!nw__marginals_are_alike(own, m))
        own++; /* the plan's are the ones that are asked for */
    return partial->counts[plan->columns + (size_t)(own - plan->marginals) - plan->one_ways];
}

static void count_pair(const nw__partial *partial, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    const nw__plan *plan = partial->plan;
    const int64_t *exact = exact_counts(partial, m);
    const uint32_t units_b = plan->units[m->b].cells;
    for (uint32_t u = 0; u < plan->units[m->a].cells; u++) {
        const size_t row = (size_t)cell_of_unit(&plan->shapes[m->a], &codings[m->a], u) * codings[m->b].cells;
        for (uint32_t v = 0; v < units_b; v++)
            counts[row + cell_of_unit(&plan->shapes[m->b], &codings[m->b], v)] += exact[(size_t)u * units_b + v];
    }
}

static void count_triple(const nw__partial *partial, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    const nw__plan *plan = partial->plan;
    const int64_t *exact = exact_counts(partial, m);
    for (uint32_t u = 0; u < plan->units[m->a].cells; u++) {
        const size_t row = (size_t)cell_of_unit(&plan->shapes[m->a], &codings[m->a], u) * codings[m->b].cells;
        for (uint32_t v = 0; v < plan->units[m->b].cells; v++) {
            const size_t pair = (row + cell_of_unit(&plan->shapes[m->b], &codings[m->b], v)) * codings[m->c].cells;
            for (uint32_t w = 0; w < plan->units[m->c].cells; w++)
                counts[pair + cell_of_unit(&plan->shapes[m->c], &codings[m->c], w)] += *exact++;
        }
    }
}

static void count_from_partial(const void *source, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    const nw__partial *partial = source;
    const size_t cells_b = m->b == NW__ONE_WAY ? 1 : codings[m->b].cells;
    const size_t cells_c = m->cells_c == 0 ? 1 : codings[m->c].cells;
    for (size_t c = 0; c < codings[m->a].cells * cells_b * cells_c; c++)
        counts[c] = 0;
    if (partial->counts == NULL)
        return;
    switch (nw__marginal_ways(m)) {
    case 1: count_single(partial, m, codings, counts); break;
    case 2: count_pair(partial, m, codings, counts); break;
    default: count_triple(partial, m, codings, counts); break;
    }
}

nw__counter nw__counter_of_partial(const nw__partial *partial)
{
    return (nw__counter){ count_from_partial, partial, partial->plan->units, NULL };
}
