/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* measurements_file.c - measurements in a file: one line of JSON (what was measured, under which schema, as which event), each
 * marginal's noisy counts as 8 little-endian bytes a cell, and a BLAKE2b-256 of all before it. */
#include "csv_scan.h"
#include "output_file.h"
#include "query_file.h"

#include <nw/constraints.h>

#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-synth-measurements";
static const char *const WRITE = "nw_synth_measurements_write";
static const char *const READ = "nw_synth_measurements_read";
enum { FORMAT_VERSION = 1, DIGEST_BYTES = 32 };
static const size_t MOST_BYTES = (size_t)1 << 31; /* of a file that is read; 2^25 cells take an eighth */
static const double MOST_ROWS = 0x1p48;

/* ---- writing ---- */

/* Runs of codes in one cell: [cell, number of codes]. */
static json_t *coding_json(const nw__coding *coding, uint32_t codes)
{
    if (coding->cell_of == NULL)
        return json_null();
    json_t *list = json_array();
    for (uint32_t code = 0; code < codes;) {
        const uint32_t first = code;
        while (code < codes && coding->cell_of[code] == coding->cell_of[first])
            code++;
        json_array_append_new(list, json_pack("[I,I]", (json_int_t)coding->cell_of[first], (json_int_t)(code - first)));
    }
    return list;
}

static json_t *columns_json(const nw_synth_measurements *m)
{
    json_t *list = json_array();
    for (size_t j = 0; j < m->plan.columns; j++) {
        const nw_column column = nw_schema_column(m->schema, j);
        json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "name", column.name, "cells", (json_int_t)m->codings[j].cells,
                                        "runs", coding_json(&m->codings[j], column.cells)));
    }
    return list;
}

static json_t *measured_json(const nw__plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < nw__measured_count(plan); i++) {
        const nw_synth_measurement m = nw__measured_get(plan, i, 1.0);
        json_t *columns = json_array();
        json_t *object = json_object();
        for (size_t k = 0; k < 3 && m.columns[k] != NW__ONE_WAY; k++)
            json_array_append_new(columns, json_integer((json_int_t)m.columns[k]));
        json_object_set_new(object, "columns", columns);
        json_object_set_new(object, "sigma", json_real(m.sigma));
        if (m.columns[1] == NW__ONE_WAY)
            json_object_set_new(object, "width", json_integer(m.width));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *rules_json(const nw_schema *schema)
{
    const char *text = nw_schema_rules_json(schema);
    return text == NULL ? json_null() : json_loads(text, 0, NULL);
}

/* The header as one line with its newline; NULL if memory lacks. */
static char *header_text(const nw_synth_measurements *m)
{
    char hash[65];
    char *event_text = NULL;
    nw_schema_hash(m->schema, hash);
    if (nw_event_to_json(m->event, &event_text, NULL) != NW_OK)
        return NULL;
    json_t *header = json_pack("{s:s, s:i, s:b, s:o, s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "format", FORMAT, "version",
        FORMAT_VERSION, "insecure", m->is_insecure, "schema", json_loads(nw_schema_json(m->schema), 0, NULL), "bins",
        (json_int_t)nw_schema_max_bins(m->schema), "constraints", rules_json(m->schema), "schema_hash", hash, "adjacency",
        nw_adjacency_name(m->adjacency), "rows", m->known_rows < 0.0 ? json_null() : json_real(m->known_rows), "event",
        json_loads(event_text, 0, NULL), "columns", columns_json(m), "measured", measured_json(&m->plan), "queries",
        nw__query_results_json(&m->queries));
    nw_string_free(event_text);
    char *text = header == NULL ? NULL : json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(header);
    if (text == NULL)
        return NULL;
    const size_t n = strlen(text);
    char *line = nw__realloc_array(text, n + 2, 1);
    if (line == NULL) {
        free(text);
        return NULL;
    }
    memcpy(line + n, "\n", 2);
    return line;
}

static nw_status write_hashed(nw__output *output, crypto_generichash_state *hash, const uint8_t *bytes, size_t n, nw_error *err)
{
    crypto_generichash_update(hash, bytes, n);
    return nw__output_write(output, bytes, n, err);
}

static nw_status write_counts(
    nw__output *output, crypto_generichash_state *hash, const int64_t *counts, size_t cells, nw_error *err)
{
    uint8_t *bytes = nw__calloc(cells, 8);
    if (bytes == NULL)
        return nw__fail_memory(err, WRITE);
    for (size_t c = 0; c < cells; c++)
        nw__put_word(bytes + 8 * c, (uint64_t)counts[c]);
    const nw_status status = write_hashed(output, hash, bytes, 8 * cells, err);
    free(bytes);
    return status;
}

nw_status nw_synth_measurements_write(const nw_synth_measurements *measurements, const char *path, nw_error *err)
{
    if (measurements == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", measurements == NULL ? "measurements" : "path");
    if (!nw__query_results_can_be_written(&measurements->queries))
        return nw__fail(err, NW_E_UNSUPPORTED, __func__, "answers to predicates cannot be written: a file cannot hold functions");
    nw__output output;
    crypto_generichash_state hash;
    uint8_t digest[DIGEST_BYTES];
    char *header = header_text(measurements);
    if (header == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw__output_open(&output, path, err, __func__);
    if (status != NW_OK) {
        free(header);
        return status;
    }
    crypto_generichash_init(&hash, NULL, 0, DIGEST_BYTES);
    status = write_hashed(&output, &hash, (const uint8_t *)header, strlen(header), err);
    const nw__plan *plan = &measurements->plan;
    for (size_t i = 0; status == NW_OK && i < nw__measured_count(plan); i++)
        status = write_counts(&output, &hash, nw__measured_counts(plan, i), nw__measured_get(plan, i, 1.0).cells, err);
    const nw__query_results *answers = &measurements->queries;
    for (size_t i = 0; status == NW_OK && i < answers->count; i++)
        status = write_counts(&output, &hash, answers->counts[i], answers->queries->workloads[answers->chosen[i]].cells, err);
    crypto_generichash_final(&hash, digest, sizeof digest);
    if (status == NW_OK)
        status = nw__output_write(&output, digest, sizeof digest, err);
    if (status == NW_OK)
        status = nw__output_finish(&output, err);
    else
        nw__output_abandon(&output);
    free(header);
    return status;
}

/* ---- reading ---- */

static nw_status fail_format(nw_error *err, const char *what)
{
    return nw__fail(err, NW_E_FORMAT, READ, "%s", what);
}

static nw_status check_seal(const uint8_t *bytes, size_t n, nw_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    if (n < DIGEST_BYTES)
        return fail_format(err, "the file is not measurements of nw_synth_measurements_write");
    crypto_generichash(digest, DIGEST_BYTES, bytes, n - DIGEST_BYTES, NULL, 0);
    if (memcmp(digest, bytes + n - DIGEST_BYTES, DIGEST_BYTES) != 0)
        return fail_format(err, "the file is damaged or cut off: its checksum does not hold");
    return NW_OK;
}

static nw_status read_runs(nw__coding *coding, const json_t *list, uint32_t codes, nw_error *err)
{
    uint32_t code = 0;
    coding->cell_of = nw__calloc(codes, sizeof *coding->cell_of);
    if (coding->cell_of == NULL)
        return nw__fail_memory(err, READ);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *run = json_array_get(list, i);
        const json_int_t cell = json_integer_value(json_array_get(run, 0));
        const json_int_t n = json_integer_value(json_array_get(run, 1));
        if (!json_is_integer(json_array_get(run, 0)) || cell < 0 || cell >= coding->cells || n < 1 || n > codes - code)
            return fail_format(err, "the header is malformed: a column's runs");
        for (json_int_t k = 0; k < n; k++)
            coding->cell_of[code++] = (uint16_t)cell;
    }
    return code == codes ? NW_OK : fail_format(err, "the header is malformed: a column's runs");
}

static nw_status read_columns(nw_synth_measurements *m, const json_t *list, nw_error *err)
{
    if (json_array_size(list) != m->plan.columns)
        return fail_format(err, "the header is malformed: columns");
    for (size_t j = 0; j < m->plan.columns; j++) {
        const json_t *json = json_array_get(list, j);
        const json_t *runs = json_object_get(json, "runs");
        const json_int_t cells = json_integer_value(json_object_get(json, "cells"));
        const nw_column column = nw_schema_column(m->schema, j);
        m->plan.shapes[j] = (nw__column_shape){ .codes = column.cells, .values = column.cells - column.is_nullable };
        m->plan.shapes[j].is_ordered = nw__is_ordered(&column);
        m->plan.shapes[j].is_grouped = !json_is_null(runs);
        if (cells < 1 || cells > column.cells || (json_is_null(runs) && cells != column.cells))
            return fail_format(err, "the header is malformed: a column's cells");
        m->codings[j].cells = m->plan.cells[j] = (uint32_t)cells;
        if (!json_is_null(runs))
            NW__TRY(read_runs(&m->codings[j], runs, column.cells, err));
    }
    return NW_OK;
}

/* The next level: of the same column as the one before, narrower and in parts of it, or the first of the next column. */
static bool read_level(nw__plan *plan, const json_t *json, size_t column, double sigma)
{
    const json_int_t width = json_integer_value(json_object_get(json, "width"));
    const nw__level *before = plan->level_count == 0 ? NULL : &plan->levels[plan->level_count - 1];
    const bool is_first = before == NULL || before->column != column;
    if (column >= plan->columns || column != (before == NULL ? 0 : before->column + is_first) ||
        (before != NULL && is_first && before->width != 1) || plan->marginal_count > plan->one_ways)
        return false;
    nw__column_shape *shape = &plan->shapes[column];
    if (width < 1 || width > shape->values || (!is_first && (width >= before->width || before->width % width != 0)))
        return false;
    if (is_first)
        shape->first_level = plan->level_count;
    shape->levels++;
    const uint32_t groups = (shape->values + (uint32_t)width - 1) / (uint32_t)width;
    plan->levels[plan->level_count++] =
        (nw__level){ column, (uint32_t)width, groups + (shape->codes - shape->values), sigma, NULL };
    return true;
}

static bool read_pair(nw__plan *plan, json_int_t a, json_int_t b, double sigma)
{
    if (a < 0 || b <= a || b >= (json_int_t)plan->columns)
        return false;
    plan->marginals[plan->marginal_count++] =
        (nw__marginal){ (size_t)a, (size_t)b, plan->cells[a], plan->cells[b], sigma, NULL, 0, 0 };
    return true;
}

static bool read_triple(nw__plan *plan, json_int_t a, json_int_t b, json_int_t c, double sigma)
{
    if (c <= b || c >= (json_int_t)plan->columns || !read_pair(plan, a, b, sigma))
        return false;
    nw__marginal *m = &plan->marginals[plan->marginal_count - 1];
    m->c = (size_t)c;
    m->cells_c = plan->cells[c];
    return (uint64_t)m->cells_a * m->cells_b <= MOST_BYTES / 8 / m->cells_c;
}

static bool read_one(nw__plan *plan, const json_t *json)
{
    const json_t *columns = json_object_get(json, "columns");
    const json_int_t a = json_integer_value(json_array_get(columns, 0));
    const json_t *sigma = json_object_get(json, "sigma");
    const double value = json_number_value(sigma);
    if (!json_is_number(sigma) || !(value > 0.0 && isfinite(value)) || a < 0)
        return false;
    if (json_array_size(columns) == 1)
        return read_level(plan, json, (size_t)a, value);
    if (json_array_size(columns) == 3)
        return read_triple(
            plan, a, json_integer_value(json_array_get(columns, 1)), json_integer_value(json_array_get(columns, 2)), value);
    return json_array_size(columns) == 2 && read_pair(plan, a, json_integer_value(json_array_get(columns, 1)), value);
}

static nw_status read_measured(nw__plan *plan, const json_t *list, nw_error *err)
{
    plan->marginals = nw__calloc(json_array_size(list) + plan->columns, sizeof *plan->marginals);
    plan->levels = nw__calloc(json_array_size(list), sizeof *plan->levels);
    if (plan->marginals == NULL || plan->levels == NULL)
        return nw__fail_memory(err, READ);
    plan->marginal_count = plan->one_ways = plan->columns;
    for (size_t j = 0; j < plan->columns; j++)
        plan->marginals[j] = (nw__marginal){ .a = j, .b = NW__ONE_WAY, .cells_a = plan->cells[j], .cells_b = 1 };
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_one(plan, json_array_get(list, i)))
            return fail_format(err, "the header is malformed: what was measured");
    const nw__level *last = plan->level_count == 0 ? NULL : &plan->levels[plan->level_count - 1];
    if (last == NULL || last->column != plan->columns - 1 || last->width != 1)
        return fail_format(err, "the header is malformed: what was measured");
    return NW_OK;
}

static nw_status read_event(nw_synth_measurements *m, const json_t *json, nw_error *err)
{
    char *text = json_dumps(json, 0);
    if (text == NULL)
        return fail_format(err, "the header is malformed: event");
    const nw_status status = nw_event_from_json(&m->event, text, NULL);
    free(text);
    return status == NW_OK || status == NW_E_NOMEM ? status : fail_format(err, "the header is malformed: event");
}

static nw_status read_header(nw_synth_measurements *m, const json_t *header, nw_error *err)
{
    const json_t *rows = json_object_get(header, "rows");
    const char *adjacency = json_string_value(json_object_get(header, "adjacency"));
    if (adjacency == NULL || nw_adjacency_parse(adjacency, &m->adjacency, NULL) != NW_OK)
        return fail_format(err, "the header is malformed: adjacency");
    const json_t *insecure = json_object_get(header, "insecure");
    if (!json_is_boolean(insecure))
        return fail_format(err, "the header is malformed: insecure");
    m->is_insecure = json_is_true(insecure);
    m->known_rows = json_is_null(rows) ? -1.0 : json_number_value(rows);
    if (!json_is_null(rows) && !(json_is_number(rows) && m->known_rows >= 0.0 && m->known_rows <= MOST_ROWS))
        return fail_format(err, "the header is malformed: rows");
    m->plan.columns = nw_schema_columns(m->schema);
    m->plan.cells = nw__calloc(m->plan.columns, sizeof *m->plan.cells);
    m->codings = nw__calloc(m->plan.columns, sizeof *m->codings);
    m->plan.shapes = nw__calloc(m->plan.columns, sizeof *m->plan.shapes);
    if (m->plan.cells == NULL || m->codings == NULL || m->plan.shapes == NULL)
        return nw__fail_memory(err, READ);
    NW__TRY(read_event(m, json_object_get(header, "event"), err));
    NW__TRY(read_columns(m, json_object_get(header, "columns"), err));
    NW__TRY(read_measured(&m->plan, json_object_get(header, "measured"), err));
    return nw__query_results_from_json(&m->queries, m->schema, json_object_get(header, "queries"), READ, err);
}

/* The next `cells` counts of the file, moving *bytes and *n past them. */
static nw_status take_counts(int64_t **counts, size_t cells, const uint8_t **bytes, size_t *n, nw_error *err)
{
    if (cells > *n / 8)
        return fail_format(err, "the file is malformed: fewer counts than its header says");
    *counts = nw__calloc(cells, sizeof **counts);
    if (*counts == NULL)
        return nw__fail_memory(err, READ);
    for (size_t c = 0; c < cells; c++)
        (*counts)[c] = (int64_t)nw__get_word(*bytes + 8 * c);
    *bytes += 8 * cells;
    *n -= 8 * cells;
    return NW_OK;
}

static nw_status read_counts(nw_synth_measurements *m, const uint8_t *bytes, size_t n, nw_error *err)
{
    nw__plan *plan = &m->plan;
    nw__query_results *answers = &m->queries;
    for (size_t i = 0; i < nw__measured_count(plan); i++) {
        const size_t cells = nw__measured_get(plan, i, 1.0).cells;
        int64_t **counts =
            i < plan->level_count ? &plan->levels[i].counts : &plan->marginals[plan->one_ways + i - plan->level_count].counts;
        NW__TRY(take_counts(counts, cells, &bytes, &n, err));
    }
    for (size_t i = 0; i < answers->count; i++)
        NW__TRY(take_counts(&answers->counts[i], answers->queries->workloads[answers->chosen[i]].cells, &bytes, &n, err));
    return n == 0 ? NW_OK : fail_format(err, "the file is malformed: more counts than its header says");
}

/* What the header says it is, before anything else is believed. */
static nw_status check_kind(const json_t *header, nw_error *err)
{
    const char *format = json_string_value(json_object_get(header, "format"));
    const json_int_t version = json_integer_value(json_object_get(header, "version"));
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return fail_format(err, "the file is not measurements of nw_synth_measurements_write");
    if (version != FORMAT_VERSION)
        return nw__fail(err, NW_E_FORMAT, READ, "the file has version %lld, must be %d", (long long)version, FORMAT_VERSION);
    return NW_OK;
}

/* The schema that the header holds. Anything that is not right about it is NW_E_FORMAT. */
static nw_status schema_of_header(nw_schema **out, const json_t *header)
{
    nw_schema *plain = NULL;
    const json_t *rules = json_object_get(header, "constraints");
    const json_int_t bins = json_integer_value(json_object_get(header, "bins"));
    char *text = json_dumps(json_object_get(header, "schema"), JSON_COMPACT);
    char *rules_text = rules == NULL || json_is_null(rules) ? NULL : json_dumps(rules, JSON_COMPACT);
    nw_status status = text == NULL || rules == NULL || bins <= 0 || bins > UINT16_MAX ? NW_E_FORMAT : NW_OK;
    if (status == NW_OK)
        status = nw_schema_parse(&plain, text, (uint32_t)bins, NULL);
    if (status == NW_OK && rules_text != NULL)
        status = nw_constraints_parse(out, plain, rules_text, NULL);
    if (status == NW_OK && rules_text == NULL)
        *out = plain;
    else
        nw_schema_free(plain);
    free(text);
    free(rules_text);
    return status == NW_OK || status == NW_E_NOMEM ? status : NW_E_FORMAT;
}

/* The caller's schema must be the file's; without one the file's is taken. */
static nw_status settle_schema(nw_synth_measurements *m, const json_t *header, nw_error *err)
{
    char hash[65];
    const char *wanted = json_string_value(json_object_get(header, "schema_hash"));
    const bool is_given = m->schema != NULL;
    const nw_status status = is_given ? NW_OK : schema_of_header(&m->schema, header);
    if (status == NW_E_NOMEM)
        return nw__fail_memory(err, READ);
    if (status != NW_OK)
        return fail_format(err, "the header is malformed: schema");
    nw_schema_hash(m->schema, hash);
    if (wanted != NULL && strcmp(wanted, hash) == 0)
        return NW_OK;
    return is_given ? nw__fail(err, NW_E_ARG, READ, "schema is not the one that was measured under, must be, with the same bins")
                    : fail_format(err, "the header is malformed: schema_hash");
}

static nw_status parse(nw_synth_measurements *m, const uint8_t *bytes, size_t n, nw_error *err)
{
    const uint8_t *end = n == 0 ? NULL : memchr(bytes, '\n', n);
    json_t *header = end == NULL ? NULL : json_loadb((const char *)bytes, (size_t)(end - bytes), JSON_REJECT_DUPLICATES, NULL);
    if (header == NULL)
        return fail_format(err, "the file is not measurements of nw_synth_measurements_write");
    nw_status status = check_kind(header, err);
    if (status == NW_OK)
        status = check_seal(bytes, n, err);
    if (status == NW_OK)
        status = settle_schema(m, header, err);
    if (status == NW_OK)
        status = read_header(m, header, err);
    json_decref(header);
    const size_t head = (size_t)(end - bytes) + 1;
    if (status == NW_OK)
        status = read_counts(m, bytes + head, n - head - DIGEST_BYTES, err);
    return status == NW_OK ? nw__measurements_choose_cells(m, NULL, err) : status;
}

nw_status nw_synth_measurements_read(nw_synth_measurements **out, const nw_schema *schema, const char *path, nw_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "path is NULL");
    nw_synth_measurements *m = nw__calloc(1, sizeof *m);
    if (m == NULL)
        return nw__fail_memory(err, __func__);
    m->schema = schema == NULL ? NULL : (nw_schema *)(uintptr_t)nw__schema_share(schema);
    nw_status status = nw__source_read_all(path, MOST_BYTES, &bytes, &n, err, READ);
    if (status == NW_OK)
        status = parse(m, bytes, n, err);
    free(bytes);
    if (status != NW_OK) {
        nw_synth_measurements_free(m);
        return status;
    }
    *out = m;
    return NW_OK;
}
