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
    uint64_t rows;
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
    return stream->rows;
}

/* ---- one reading ---- */

typedef struct visit {
    const nw__coding *codings;
    int64_t *const *singles; /* NULL: not in this reading; so of the others */
    int64_t *const *pairs;
    nw__query_counts *queries;
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
    if (stream->unit == NULL)
        return nw_csv_reader_open(reader, stream->schema, stream->path, NULL, err);
    return nw__csv_reader_open_units(
        reader, stream->schema, stream->path, stream->unit, stream->opts.rows_per_unit, function, err);
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
        status = read_file(stream, &(visit){ codes, stream->singles, NULL, queries, "reading", READ }, &stream->rows, err);
    nw__codings_free(codes, plan->columns);
    if (status != NW_OK) {
        nw__stream_free(stream);
        return status;
    }
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

static nw_status prepare(const void *source, const nw__coding *codings, nw_error *err)
{
    nw__stream *stream = (nw__stream *)(uintptr_t)source; /* of nw__counter_of_stream, where it may change */
    stream->pair_count = stream->plan->marginal_count - stream->plan->one_ways;
    if (stream->pair_count == 0)
        return NW_OK;
    stream->pairs = nw__calloc(stream->pair_count, sizeof *stream->pairs);
    int64_t **counts = nw__calloc(stream->pair_count, sizeof *counts);
    uint64_t rows = 0;
    nw_status status = stream->pairs == NULL || counts == NULL ? nw__fail_memory(err, RELEASE) : NW_OK;
    if (status == NW_OK)
        status = allocate_pairs(stream, counts, codings, err);
    if (status == NW_OK)
        status = read_file(stream, &(visit){ codings, NULL, counts, NULL, "measuring", RELEASE }, &rows, err);
    free(counts);
    if (status == NW_OK && rows != stream->rows)
        return nw__fail(err, NW_E_IO, RELEASE, "%.200s changed between its two readings", stream->path);
    return status;
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
