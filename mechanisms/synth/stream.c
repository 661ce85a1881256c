/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stream.c - exact counts of a CSV file that memory need not hold. It is read twice: before the charge for the 1-ways and
 * queries, and, once the noisy 1-ways have said what the cells are, for the 2-ways and 3-ways in these cells. The counts are
 * those of the same file as a table in memory (count.c). */
#include "query_release.h"

#include <stdlib.h>
#include <string.h>

struct nw__stream {
    const nw_schema *schema; /* borrowed, as the plan and what `opts` points at, but for the two copies */
    const nw__plan *plan;
    nw__stream_opts opts;
    char *path;
    char *unit;
    int64_t **singles;   /* of each column, in codes */
    nw__marginal *pairs; /* of the plan, with exact counts; NULL before the second reading */
    size_t pair_count;
    uint64_t rows;        /* of this process */
    uint64_t all_rows;    /* of all of them */
    nw_reduce reduce;     /* those that were joined; one process until then */
    bool is_second_begun; /* the others know whether there is a second reading */
};

static const char READ[] = "nw_synth_read_csv";
static const char RELEASE[] = "nw_synth_release";

void nw__stream_free(nw__stream *stream)
{
    if (stream == NULL)
        return;
    for (size_t j = 0; stream->singles != NULL && j < stream->plan->columns; j++)
        nw__free_wiped(stream->singles[j], stream->plan->shapes[j].codes * sizeof *stream->singles[j]);
    for (size_t i = 0; stream->pairs != NULL && i < stream->pair_count; i++)
        nw__free_wiped(stream->pairs[i].counts, nw__marginal_cells(&stream->pairs[i]) * sizeof(int64_t));
    free(stream->singles);
    free(stream->pairs);
    free(stream->path);
    free(stream->unit);
    free(stream);
}

uint64_t nw__stream_rows(const nw__stream *stream)
{
    return stream->all_rows;
}

/* ---- one reading ---- */

typedef struct visit {
    const nw__coding *codings;
    int64_t *const *singles; /* NULL: not in this reading; so of the others */
    int64_t *const *pairs;
    nw__query_counts *queries;
    nw__unit_parts *parts;
    const char *phase;
    const char *function;
} visit;

static bool goes_on(const nw__stream *stream, const nw_csv_reader *reader, const visit *v)
{
    const nw__stream_opts *o = &stream->opts;
    return o->progress == NULL || o->progress(o->progress_context, v->phase, nw_csv_reader_fraction(reader));
}

static nw_status count_block(const nw__stream *stream, const nw_table *block, const visit *v, nw_error *err)
{
    const unsigned threads = stream->opts.threads;
    NW__TRY(nw__count_table(stream->plan, v->codings, block, v->singles, v->pairs, threads, v->function, err));
    return v->queries == NULL ? NW_OK : nw__query_counts_add(v->queries, block, threads, v->function, err);
}

static nw_status open_file(nw_csv_reader **reader, const nw__stream *stream, const char *function, nw_error *err)
{
    const nw__csv_share *share = &stream->opts.share;
    if (stream->unit != NULL)
        return nw__csv_reader_open_units(
            reader, stream->schema, stream->path, stream->unit, stream->opts.rows_per_unit, share, function, err);
    NW__TRY(nw_csv_reader_open(reader, stream->schema, stream->path, NULL, err));
    return nw_csv_reader_share(*reader, share->part, share->parts, err);
}

static nw_status read_file(const nw__stream *stream, const visit *v, uint64_t *rows, nw_error *err)
{
    nw_csv_reader *reader = NULL;
    size_t n = 1;
    *rows = 0;
    nw_status status = open_file(&reader, stream, v->function, err);
    while (status == NW_OK && n > 0) {
        status = nw_csv_reader_next(reader, &n, err);
        if (status == NW_OK && n > 0)
            status = count_block(stream, nw_csv_reader_block(reader), v, err);
        *rows += status == NW_OK ? n : 0;
        if (status == NW_OK && !goes_on(stream, reader, v))
            status = nw__fail(err, NW_E_CANCELLED, v->function, "stopped by the caller; what was charged stays charged");
    }
    if (status == NW_OK && v->parts != NULL)
        status = v->parts->are_apart ? nw__unit_parts_join_reader(v->parts, reader, v->function, err)
                                     : nw__unit_parts_join(v->parts, 1, NULL, 0, v->function, err);
    nw_csv_reader_close(reader);
    return status;
}

/* ---- the first ---- */

static nw_status make(nw__stream **out, const nw_schema *schema, const nw__plan *plan, const nw__stream_opts *opts, nw_error *err)
{
    nw__stream *stream = nw__calloc(1, sizeof *stream);
    if (stream == NULL)
        return nw__fail_memory(err, READ);
    *stream = (nw__stream){ .schema = schema, .plan = plan, .opts = *opts, .path = nw__strdup(opts->path) };
    stream->reduce = nw_reduce_serial();
    stream->unit = opts->unit == NULL ? NULL : nw__strdup(opts->unit);
    stream->singles = nw__calloc(plan->columns, sizeof *stream->singles);
    bool is_ok = stream->path != NULL && stream->singles != NULL && (opts->unit == NULL || stream->unit != NULL);
    for (size_t j = 0; is_ok && j < plan->columns; j++) {
        stream->singles[j] = nw__calloc(plan->shapes[j].codes, sizeof *stream->singles[j]);
        is_ok = stream->singles[j] != NULL;
    }
    if (!is_ok) {
        nw__stream_free(stream);
        return nw__fail_memory(err, READ);
    }
    *out = stream;
    return NW_OK;
}

nw_status nw__stream_read(nw__stream **out, const nw_schema *schema, const nw__plan *plan, const nw__stream_opts *opts,
    nw__query_counts *queries, nw_error *err)
{
    nw__stream *stream = NULL;
    *out = NULL;
    NW__TRY(make(&stream, schema, plan, opts, err));
    nw__coding *codes = nw__codings_identity(plan);
    nw_status status = codes == NULL ? nw__fail_memory(err, READ) : NW_OK;
    if (status == NW_OK)
        status = read_file(
            stream, &(visit){ codes, stream->singles, NULL, queries, opts->parts, "reading", READ }, &stream->rows, err);
    nw__codings_free(codes, plan->columns);
    if (status != NW_OK) {
        nw__stream_free(stream);
        return status;
    }
    stream->all_rows = stream->rows;
    *out = stream;
    return NW_OK;
}

/* ---- the second ---- */

static nw_status allocate_pairs(nw__stream *stream, int64_t **counts, const nw__coding *codings, nw_error *err)
{
    for (size_t i = 0; i < stream->pair_count; i++) {
        nw__marginal *m = &stream->pairs[i];
        *m = stream->plan->marginals[stream->plan->one_ways + i];
        m->cells_a = codings[m->a].cells;
        m->cells_b = codings[m->b].cells;
        m->cells_c = m->cells_c == 0 ? 0 : codings[m->c].cells;
        m->counts = counts[i] = nw__calloc(nw__marginal_cells(m), sizeof *m->counts);
        if (m->counts == NULL)
            return nw__fail_memory(err, RELEASE);
    }
    return NW_OK;
}

/* This process' own part of it. */
static nw_status read_pairs(nw__stream *stream, const nw__coding *codings, nw_error *err)
{
    uint64_t rows = 0;
    stream->pairs = nw__calloc(stream->pair_count, sizeof *stream->pairs);
    int64_t **counts = nw__calloc(stream->pair_count, sizeof *counts);
    nw_status status = stream->pairs == NULL || counts == NULL ? nw__fail_memory(err, RELEASE) : NW_OK;
    if (status == NW_OK)
        status = allocate_pairs(stream, counts, codings, err);
    if (status == NW_OK)
        status = read_file(stream, &(visit){ codings, NULL, counts, NULL, NULL, "measuring", RELEASE }, &rows, err);
    free(counts);
    if (status == NW_OK && rows != stream->rows)
        return nw__fail(err, NW_E_IO, RELEASE, "%.200s changed between its two readings", stream->path);
    return status;
}

static nw_status sum_pairs(nw__stream *stream, nw_error *err)
{
    nw__vector *vectors = nw__calloc(stream->pair_count, sizeof *vectors);
    nw_status status = nw_reduce_agree(&stream->reduce, vectors == NULL ? nw__fail_memory(err, RELEASE) : NW_OK, err);
    for (size_t i = 0; status == NW_OK && i < stream->pair_count; i++)
        vectors[i] = (nw__vector){ stream->pairs[i].counts, nw__marginal_cells(&stream->pairs[i]) };
    if (status == NW_OK)
        status = nw__reduce_vectors(&stream->reduce, vectors, stream->pair_count, err);
    free(vectors);
    return status;
}

static nw_status read_again(nw__stream *stream, const nw__coding *codings, nw_error *err)
{
    stream->pair_count = stream->plan->marginal_count - stream->plan->one_ways;
    if (stream->pair_count == 0)
        return NW_OK;
    NW__TRY(nw_reduce_agree(&stream->reduce, read_pairs(stream, codings, err), err));
    return sum_pairs(stream, err);
}

/* ---- several processes ---- */

nw_status nw__stream_join(nw__stream *stream, const nw_reduce *reduce, nw_error *err)
{
    const nw__plan *plan = stream->plan;
    int64_t rows = (int64_t)stream->rows;
    nw__vector *vectors = nw__calloc(plan->columns + 1, sizeof *vectors);
    nw_status status = nw_reduce_agree(reduce, vectors == NULL ? nw__fail_memory(err, "nw_synth_reduce") : NW_OK, err);
    for (size_t j = 0; status == NW_OK && j < plan->columns; j++)
        vectors[j] = (nw__vector){ stream->singles[j], plan->shapes[j].codes };
    if (status == NW_OK) {
        vectors[plan->columns] = (nw__vector){ &rows, 1 };
        status = nw__reduce_vectors(reduce, vectors, plan->columns + 1, err);
    }
    free(vectors);
    stream->all_rows = (uint64_t)rows;
    stream->reduce = *reduce;
    return status;
}

/* The codings as bytes: per column the number of cells, whether codes are grouped, and the cell of each code. */
static size_t codings_size(const nw__plan *plan)
{
    size_t size = 0;
    for (size_t j = 0; j < plan->columns; j++)
        size += 8 * (2 + (size_t)plan->shapes[j].codes);
    return size;
}

static void write_codings(const nw__plan *plan, const nw__coding *codings, uint8_t *out)
{
    for (size_t j = 0; j < plan->columns; j++) {
        const nw__coding *c = &codings[j];
        nw__put_word(out, c->cells);
        nw__put_word(out + 8, c->cell_of != NULL);
        out += 16;
        for (uint32_t code = 0; code < plan->shapes[j].codes; code++, out += 8)
            nw__put_word(out, nw__coding_cell(c, code));
    }
}

/* NULL if memory lacks. */
static nw__coding *read_codings(const nw__plan *plan, const uint8_t *in)
{
    nw__coding *codings = nw__calloc(plan->columns, sizeof *codings);
    for (size_t j = 0; codings != NULL && j < plan->columns; j++) {
        const uint32_t codes = plan->shapes[j].codes;
        codings[j].cells = (uint32_t)nw__get_word(in);
        if (nw__get_word(in + 8) != 0 && (codings[j].cell_of = nw__calloc(codes, sizeof(uint16_t))) == NULL) {
            nw__codings_free(codings, plan->columns);
            return NULL;
        }
        in += 16;
        for (uint32_t code = 0; code < codes; code++, in += 8)
            if (codings[j].cell_of != NULL)
                codings[j].cell_of[code] = (uint16_t)nw__get_word(in);
    }
    return codings;
}

/* Process 0 gives its codings, the others get them: *received, to be freed. */
static nw_status share_codings(nw__stream *stream, const nw__coding *own, nw__coding **received, nw_error *err)
{
    const nw_reduce *reduce = &stream->reduce;
    const size_t n = codings_size(stream->plan);
    uint8_t *bytes = nw__calloc(n, 1);
    stream->is_second_begun = true;
    nw_status status = nw_reduce_agree(reduce, bytes == NULL ? nw__fail_memory(err, RELEASE) : NW_OK, err);
    if (status == NW_OK && own != NULL)
        write_codings(stream->plan, own, bytes);
    if (status == NW_OK)
        status = reduce->broadcast(reduce->context, bytes, n, err);
    if (status == NW_OK) {
        *received = own == NULL ? read_codings(stream->plan, bytes) : NULL;
        status = own == NULL && *received == NULL ? nw__fail_memory(err, RELEASE) : NW_OK;
        status = nw_reduce_agree(reduce, status, err);
    }
    free(bytes);
    return status;
}

static nw_status prepare(const void *source, const nw__coding *codings, nw_error *err)
{
    nw__stream *stream = (nw__stream *)(uintptr_t)source; /* of nw__counter_of_stream, where it may change */
    nw__coding *none;
    if (stream->reduce.size > 1)
        NW__TRY(share_codings(stream, codings, &none, err));
    return read_again(stream, codings, err);
}

nw_status nw__stream_follow(nw__stream *stream, nw_error *err)
{
    nw__coding *codings = NULL;
    nw_status status = share_codings(stream, NULL, &codings, err);
    if (status == NW_OK)
        status = read_again(stream, codings, err);
    nw__codings_free(codings, stream->plan->columns);
    return status;
}

nw_status nw__stream_dismiss(nw__stream *stream, nw_status status, nw_error *err)
{
    if (stream->reduce.size == 1 || stream->is_second_begun || status == NW_OK)
        return status;
    stream->is_second_begun = true;
    return nw_reduce_agree(&stream->reduce, status, err);
}

static void count_from_stream(const void *source, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    const nw__stream *stream = source;
    if (m->b == NW__ONE_WAY) {
        memset(counts, 0, codings[m->a].cells * sizeof *counts);
        for (uint32_t code = 0; code < stream->plan->shapes[m->a].codes; code++)
            counts[nw__coding_cell(&codings[m->a], code)] += stream->singles[m->a][code];
        return;
    }
    const nw__marginal *own = stream->pairs;
    while (!nw__marginals_are_alike(own, m))
        own++; /* the plan's are the ones that are asked for */
    memcpy(counts, own->counts, nw__marginal_cells(own) * sizeof *counts);
}

nw__counter nw__counter_of_stream(nw__stream *stream)
{
    return (nw__counter){ count_from_stream, stream, NULL, prepare };
}
