/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* synth.c - the handle: options, plan, and the exact counts of what was added. */
#include "accountant_internal.h"
#include "query_release.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Two parts of the budget are rounded on their own: the second gives way by more than the roundings of both. */
#define SHARE_SLACK 0x1p-48

const char *nw_synth_select_name(nw_synth_select select)
{
    switch (select) {
    case NW_SYNTH_SELECT_AUTO: return "auto";
    case NW_SYNTH_SELECT_ALL: return "all";
    case NW_SYNTH_SELECT_ADAPTIVE: return "adaptive";
    }
    return "unknown selection";
}

void nw_synth_opts_init(nw_synth_opts *opts, size_t struct_size)
{
    const nw_synth_opts defaults = NW_SYNTH_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* The caller's options, with the defaults for members that an older caller does not know. */
static nw_synth_opts read_opts(const nw_synth_opts *opts)
{
    nw_synth_opts known = NW_SYNTH_OPTS_INIT;
    memcpy(&known, opts, opts->struct_size < sizeof known ? opts->struct_size : sizeof known);
    known.struct_size = sizeof known;
    return known;
}

static nw_status check_parts(const nw_synth_opts *o, nw_error *err)
{
    static const char *const name = "nw_synth_new";
    if (o->rows_per_unit == 0 && (o->parts != 1 || o->are_units_apart))
        return nw__fail(err, NW_E_ARG, name, "%s given and rows_per_unit 0: records need no such bound",
            o->are_units_apart ? "are_units_apart" : "parts");
    if (o->are_units_apart && o->parts != 1)
        return nw__fail(err, NW_E_ARG, name, "parts is %u, must be 1 with are_units_apart, which bounds no parts", o->parts);
    if (o->parts < 1 || nw__rows_protected(o) > NW_MAX_ROWS_PER_UNIT)
        return nw__fail(err, NW_E_ARG, name, "parts is %u, must be in 1..%u: rows_per_unit * parts is at most %u", o->parts,
            NW_MAX_ROWS_PER_UNIT / (o->rows_per_unit == 0 ? 1 : o->rows_per_unit), NW_MAX_ROWS_PER_UNIT);
    return NW_OK;
}

static nw_status check_opts(const nw_synth_opts *o, nw_error *err)
{
    static const char *const name = "nw_synth_new";
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, name, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, name, "delta is %g, must be in (0, 1)", o->delta);
    if (o->adjacency != NW_ADD_REMOVE && o->adjacency != NW_REPLACE_ONE)
        return nw__fail(
            err, NW_E_ARG, name, "adjacency is %s, must be add_remove or replace_one", nw_adjacency_name(o->adjacency));
    if (!(o->one_way_share >= 0.0 && o->one_way_share < 1.0))
        return nw__fail(err, NW_E_ARG, name, "one_way_share is %g, must be in (0, 1), or 0 for the default", o->one_way_share);
    if (o->queries != NULL && !(o->query_share > 0.0 && o->query_share < 1.0))
        return nw__fail(err, NW_E_ARG, name, "query_share is %g, must be in (0, 1)", o->query_share);
    if (o->select < NW_SYNTH_SELECT_AUTO || o->select > NW_SYNTH_SELECT_ADAPTIVE)
        return nw__fail(err, NW_E_ARG, name, "select is %d, must be NW_SYNTH_SELECT_AUTO, _ALL or _ADAPTIVE", (int)o->select);
    const unsigned most = o->select == NW_SYNTH_SELECT_ADAPTIVE ? 3 : 2;
    if (o->most_ways < 1 || o->most_ways > most)
        return nw__fail(err, NW_E_ARG, name, "most_ways is %u, must be in 1..%u if select is %s", o->most_ways, most,
            nw_synth_select_name(o->select));
    if (o->rounds > 0 && o->queries == NULL)
        return nw__fail(err, NW_E_ARG, name, "rounds is %u, must be 0 without queries", o->rounds);
    if (o->rounds > 0 && (o->round_rows < 1 || o->round_rows > UINT32_MAX))
        return nw__fail(err, NW_E_ARG, name, "round_rows is %llu, must be in 1..2^32 - 1", (unsigned long long)o->round_rows);
    if (o->threads > NW__MAX_THREADS)
        return nw__fail(err, NW_E_ARG, name, "threads is %u, must be in 0..%d", o->threads, NW__MAX_THREADS);
    if (o->rows_per_unit > NW_MAX_ROWS_PER_UNIT)
        return nw__fail(err, NW_E_ARG, name, "rows_per_unit is %u, must be in 0..%u", o->rows_per_unit, NW_MAX_ROWS_PER_UNIT);
    return check_parts(o, err);
}

static nw_status check_queries(const nw_synth *synth, nw_error *err)
{
    char own[65];
    char theirs[65];
    if (synth->schema->rules != NULL && synth->opts.most_ways > 2)
        return nw__fail(err, NW_E_UNSUPPORTED, "nw_synth_new", "most_ways is %u, must be at most 2 with a schema with rules",
            synth->opts.most_ways);
    if (synth->opts.queries == NULL)
        return NW_OK;
    if (synth->opts.select == NW_SYNTH_SELECT_ADAPTIVE)
        return nw__fail(err, NW_E_UNSUPPORTED, "nw_synth_new", "select is adaptive, must be auto or all with queries");
    nw_schema_hash(synth->schema, own);
    nw_schema_hash(synth->opts.queries->schema, theirs);
    if (strcmp(own, theirs) != 0)
        return nw__fail(err, NW_E_ARG, "nw_synth_new", "queries has another schema than the one given to nw_synth_new");
    return NW_OK;
}

/* Marginals and queries share the budget as parts of mu^2. */
static nw_status make_plans(nw_synth *synth, nw_error *err)
{
    const nw_synth_opts *o = &synth->opts;
    const double mu = nw__budget_mu(o->epsilon, o->delta);
    const double share = o->queries == NULL ? 0.0 : o->query_share;
    NW__TRY(nw__plan_make(&synth->plan, synth->schema, o, mu * sqrt(1.0 - share), err));
    NW__TRY(nw__query_plan_make(&synth->query_plan, o, mu * sqrt(share) * (1.0 - SHARE_SLACK), err));
    synth->partial.queries.queries = synth->query_plan.queries;
    return NW_OK;
}

static nw_status make_event(nw_synth *synth, nw_error *err)
{
    nw_event *parts[2] = { NULL, NULL };
    if (synth->query_plan.queries == NULL)
        return nw__plan_event(&synth->plan, &synth->event, err);
    nw_status status = nw__plan_event(&synth->plan, &parts[0], err);
    if (status == NW_OK)
        status = nw__query_plan_event(&synth->query_plan, &parts[1], err);
    if (status == NW_OK)
        status = nw_event_composed(&synth->event, (const nw_event *const *)parts, 2, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}

/* What partial counts must have in common to be added up: the schema, the units, and what they will be released as. */
static nw_status make_fingerprint(nw_synth *synth, nw_error *err)
{
    char schema_hash[65];
    char *event = NULL;
    crypto_generichash_state state;
    NW__TRY(nw_event_to_json(synth->event, &event, err));
    nw_schema_hash(synth->schema, schema_hash);
    crypto_generichash_init(&state, NULL, 0, NW__FINGERPRINT_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)schema_hash, sizeof schema_hash);
    for (size_t j = 0; j < synth->plan.columns; j++) {
        uint8_t units[8];
        nw__put_word(units, synth->plan.units[j].cells);
        crypto_generichash_update(&state, units, sizeof units);
    }
    crypto_generichash_update(&state, (const uint8_t *)event, strlen(event));
    uint8_t
        units_of_rows[8 * 3]; /* a unit of one row has the event of a record, and two parts of three rows that of one of six */
    nw__put_word(units_of_rows, synth->opts.rows_per_unit);
    nw__put_word(units_of_rows + 8, synth->opts.parts);
    nw__put_word(units_of_rows + 16, synth->opts.are_units_apart);
    crypto_generichash_update(&state, units_of_rows, sizeof units_of_rows);
    if (synth->query_plan.queries != NULL)
        nw__queries_hash(synth->query_plan.queries, &state);
    crypto_generichash_final(&state, synth->fingerprint, NW__FINGERPRINT_BYTES);
    nw_string_free(event);
    return NW_OK;
}

nw_status nw_synth_new(nw_synth **out, const nw_schema *schema, const nw_synth_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (schema == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", schema == NULL ? "schema" : "opts");
    nw_synth *synth = nw__calloc(1, sizeof *synth);
    if (synth == NULL)
        return nw__fail_memory(err, __func__);
    synth->opts = read_opts(opts);
    synth->schema = (nw_schema *)(uintptr_t)nw__schema_share(schema);
    synth->partial.plan = &synth->plan;
    synth->share = NW__CSV_ALL;
    synth->partial.parts = (nw__unit_parts){
        .are_needed = synth->opts.rows_per_unit > 0, .are_apart = synth->opts.are_units_apart, .most = synth->opts.parts
    };
    nw_status status = check_opts(&synth->opts, err);
    if (status == NW_OK)
        status = check_queries(synth, err);
    if (status == NW_OK)
        status = make_plans(synth, err);
    if (status == NW_OK)
        status = make_event(synth, err);
    synth->opts.queries = synth->query_plan.queries; /* the caller's may be freed: this one is ours */
    if (status == NW_OK)
        status = make_fingerprint(synth, err);
    if (status != NW_OK) {
        nw_synth_free(synth);
        return status;
    }
    *out = synth;
    return NW_OK;
}

void nw_synth_free(nw_synth *synth)
{
    if (synth == NULL)
        return;
    nw__partial_clear(&synth->partial);
    nw__stream_free(synth->stream);
    nw__plan_clear(&synth->plan);
    nw__query_plan_clear(&synth->query_plan);
    nw_event_free(synth->event);
    nw_schema_free(synth->schema);
    free(synth);
}

nw_synth_opts nw_synth_get_opts(const nw_synth *synth)
{
    return synth->opts;
}

const nw_event *nw_synth_event(const nw_synth *synth)
{
    return synth->event;
}

size_t nw_synth_plan_size(const nw_synth *synth)
{
    return synth->plan.select == NW_SYNTH_SELECT_ADAPTIVE ? synth->plan.level_count : nw__measured_count(&synth->plan);
}

size_t nw_synth_plan_candidates(const nw_synth *synth)
{
    return nw__measured_count(&synth->plan) - nw_synth_plan_size(synth);
}

nw_synth_measurement nw_synth_plan_get(const nw_synth *synth, size_t i, uint64_t rows)
{
    return nw__measured_get(&synth->plan, i, (double)rows);
}

nw_synth_query_plan nw_synth_query_plan_get(const nw_synth *synth)
{
    const nw__query_plan *plan = &synth->query_plan;
    if (plan->queries == NULL)
        return (nw_synth_query_plan){ 0 };
    return (nw_synth_query_plan){ plan->queries->count, plan->measured, plan->sigma, plan->epsilon };
}

/* ---- partial counts ---- */

nw_status nw__synth_check_open(const nw_synth *synth, const char *function, nw_error *err)
{
    if (synth == NULL)
        return nw__fail(err, NW_E_ARG, function, "synth is NULL");
    if (synth->is_released)
        return nw__fail(err, NW_E_STATE, function, "this handle was released: make a new one for another release");
    return NW_OK;
}

nw_status nw__synth_check_table(const nw_synth *synth, const nw_table *table, const char *function, nw_error *err)
{
    char hash[65];
    char own[65];
    if (table == NULL)
        return nw__fail(err, NW_E_ARG, function, "table is NULL");
    if (nw_table_rows_per_unit(table) != synth->opts.rows_per_unit)
        return nw__fail(err, NW_E_ARG, function, "table holds up to %u rows of a unit (0: not bounded), must be read with %u",
            nw_table_rows_per_unit(table), synth->opts.rows_per_unit);
    if (nw_table_schema(table) == synth->schema)
        return NW_OK;
    nw_schema_hash(nw_table_schema(table), hash);
    nw_schema_hash(synth->schema, own);
    if (strcmp(hash, own) != 0)
        return nw__fail(err, NW_E_ARG, function, "table has another schema than the one given to nw_synth_new");
    return NW_OK;
}

/* What a handle that read a file twice cannot do besides. */
static nw_status check_unread(const nw_synth *synth, const char *function, nw_error *err)
{
    NW__TRY(nw__synth_check_open(synth, function, err));
    if (synth->stream != NULL)
        return nw__fail(err, NW_E_STATE, function, "nw_synth_read_csv read a file, which is all that this handle can count");
    return NW_OK;
}

nw_status nw_synth_add(nw_synth *synth, const nw_table *table, nw_error *err)
{
    NW__TRY(check_unread(synth, __func__, err));
    NW__TRY(nw__synth_check_table(synth, table, __func__, err));
    if (synth->opts.are_units_apart)
        return nw__fail(err, NW_E_UNSUPPORTED, __func__,
            "are_units_apart is set, which needs to know the units: nw_synth_add_csv_units reads them");
    NW__TRY(nw__unit_parts_join(&synth->partial.parts, 1, NULL, 0, __func__, err));
    return nw__partial_add(&synth->partial, table, synth->opts.threads, __func__, err);
}

static nw_status add_blocks(nw_synth *synth, nw_csv_reader *reader, uint64_t *rows, const char *function, nw_error *err)
{
    size_t n = 1;
    *rows = 0;
    while (n > 0) {
        NW__TRY(nw_csv_reader_next(reader, &n, err));
        if (n > 0)
            NW__TRY(nw__partial_add(&synth->partial, nw_csv_reader_block(reader), synth->opts.threads, function, err));
        *rows += n;
    }
    return NW_OK;
}

nw_status nw_synth_add_csv(nw_synth *synth, const char *path, uint64_t *rows, nw_error *err)
{
    nw_csv_reader *reader = NULL;
    uint64_t total = 0;
    NW__TRY(check_unread(synth, __func__, err));
    if (path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "path is NULL");
    if (synth->opts.rows_per_unit > 0)
        return nw__fail(err, NW_E_ARG, __func__, "rows_per_unit is %u, must be 0: nw_synth_add_csv_units bounds a unit's rows",
            synth->opts.rows_per_unit);
    NW__TRY(nw_csv_reader_open(&reader, synth->schema, path, NULL, err));
    nw_status status = nw_csv_reader_share(reader, synth->share.part, synth->share.parts, err);
    if (status == NW_OK)
        status = add_blocks(synth, reader, &total, __func__, err);
    nw_csv_reader_close(reader);
    if (status == NW_OK && rows != NULL)
        *rows = total;
    return status;
}

static nw_status check_units(const nw_synth *synth, const char *path, const char *unit, const char *function, nw_error *err)
{
    if (path == NULL || (unit == NULL) != (synth->opts.rows_per_unit == 0))
        return nw__fail(err, NW_E_ARG, function, "%s",
            path == NULL   ? "path is NULL"
            : unit == NULL ? "unit is NULL, must be a column: rows_per_unit is set"
                           : "unit is a column, must be NULL: rows_per_unit is 0");
    return NW_OK;
}

nw_status nw_synth_add_csv_units(nw_synth *synth, const char *path, const char *unit, uint64_t *rows, nw_error *err)
{
    nw_csv_reader *reader = NULL;
    uint64_t total = 0;
    NW__TRY(check_unread(synth, __func__, err));
    if (unit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "unit is NULL");
    NW__TRY(check_units(synth, path, unit, __func__, err));
    if (!synth->opts.are_units_apart) /* else once the units are known */
        NW__TRY(nw__unit_parts_join(&synth->partial.parts, 1, NULL, 0, __func__, err));
    NW__TRY(
        nw__csv_reader_open_units(&reader, synth->schema, path, unit, synth->opts.rows_per_unit, &synth->share, __func__, err));
    nw_status status = add_blocks(synth, reader, &total, __func__, err);
    if (status == NW_OK && synth->opts.are_units_apart)
        status = nw__unit_parts_join_reader(&synth->partial.parts, reader, __func__, err);
    nw_csv_reader_close(reader);
    if (status != NW_OK) /* rows that no part answers for must not be released */
        nw__partial_clear(&synth->partial);
    else if (rows != NULL)
        *rows = total;
    return status;
}

nw_status nw_synth_read_csv(
    nw_synth *synth, const char *path, const char *unit, nw_synth_progress progress, void *context, uint64_t *rows, nw_error *err)
{
    NW__TRY(check_unread(synth, __func__, err));
    NW__TRY(check_units(synth, path, unit, __func__, err));
    if (synth->partial.counts != NULL)
        return nw__fail(err, NW_E_STATE, __func__, "records were added already: use nw_synth_add_csv");
    if (strcmp(path, "-") == 0)
        return nw__fail(err, NW_E_ARG, __func__, "path is \"-\", must be a file, which is read twice");
    const nw__stream_opts opts = { path, unit, synth->opts.rows_per_unit, synth->opts.threads, progress, context, synth->share,
        &synth->partial.parts };
    nw__query_counts *queries = &synth->partial.queries;
    const nw_status status =
        nw__stream_read(&synth->stream, synth->schema, &synth->plan, &opts, queries->queries == NULL ? NULL : queries, err);
    if (status != NW_OK) {
        nw__query_counts_clear(queries);
        nw__unit_parts_clear(&synth->partial.parts);
    } else if (rows != NULL)
        *rows = nw__stream_rows(synth->stream);
    return status;
}

nw_status nw_synth_merge(nw_synth *synth, const nw_synth *other, nw_error *err)
{
    NW__TRY(check_unread(synth, __func__, err));
    NW__TRY(check_unread(other, __func__, err));
    if (memcmp(synth->fingerprint, other->fingerprint, NW__FINGERPRINT_BYTES) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "other has another schema or other options, must have the same");
    return nw__partial_merge(&synth->partial, &other->partial, __func__, err);
}

size_t nw_synth_size(const nw_synth *synth)
{
    return nw__partial_size(&synth->partial);
}

nw_status nw_synth_serialize(const nw_synth *synth, uint8_t *out, size_t capacity, nw_error *err)
{
    NW__TRY(check_unread(synth, __func__, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    if (capacity < nw_synth_size(synth))
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, nw_synth_size(synth));
    nw__partial_write(&synth->partial, synth->fingerprint, out);
    return NW_OK;
}

nw_status nw_synth_merge_bytes(nw_synth *synth, const uint8_t *bytes, size_t n, nw_error *err)
{
    NW__TRY(check_unread(synth, __func__, err));
    if (bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "bytes is NULL");
    return nw__partial_merge_bytes(&synth->partial, synth->fingerprint, bytes, n, __func__, err);
}
