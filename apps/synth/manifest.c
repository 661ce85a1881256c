/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - what a run measured, with how much noise: public quantities only. */
#include "manifest.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/seed.h"

#include <stdio.h>
#include <stdlib.h>

/* What was measured, or before a run what will be. */
static size_t marginals_of(const job *j)
{
    return j->measured != NULL ? nw_synth_measurements_count(j->measured) : nw_synth_plan_size(j->synth);
}

static const nw_event *event_of(const job *j)
{
    return j->measured != NULL ? nw_synth_measurements_event(j->measured) : nw_synth_event(j->synth);
}

static const nw_schema *schema_of(const job *j)
{
    return j->measured != NULL ? nw_synth_measurements_schema(j->measured) : j->schema;
}

static nw_adjacency adjacency_of(const job *j)
{
    return j->measured != NULL ? nw_synth_measurements_adjacency(j->measured) : nw_synth_get_opts(j->synth).adjacency;
}

/* rows: what the expected error is stated for; 0 if that is not known. */
static json_t *measurement_json(const job *j, size_t i, uint64_t rows)
{
    const nw_synth_measurement m =
        j->measured != NULL ? nw_synth_measurements_get(j->measured, i) : nw_synth_plan_get(j->synth, i, rows);
    json_t *columns = json_array();
    for (size_t k = 0; k < 3 && m.columns[k] != SIZE_MAX; k++)
        json_array_append_new(columns, app_json_text(nw_schema_column(schema_of(j), m.columns[k]).name));
    json_t *object = json_object();
    app_json_put(&object, "columns", columns);
    app_json_put(&object, "cells", json_integer((json_int_t)m.cells));
    if (m.width > 0)
        app_json_put(&object, "width", json_integer((json_int_t)m.width));
    app_json_put(&object, "sigma", app_json_real(m.sigma));
    app_json_put(&object, "expected_error", rows > 0 ? app_json_real(m.expected_error) : json_null());
    return object;
}

/* A fit does not know what epsilon was asked for: the event says what the measurements cost. */
static void put_budget(const job *j, json_t **object)
{
    const bool is_known = j->synth != NULL;
    const nw_synth_opts opts = is_known ? nw_synth_get_opts(j->synth) : (nw_synth_opts)NW_SYNTH_OPTS_INIT;
    app_json_put(
        object, "epsilon", is_known ? app_json_real(j->inferred != NULL ? j->settings->epsilon : opts.epsilon) : json_null());
    app_json_put(object, "delta", is_known ? app_json_real(opts.delta) : json_null());
    app_json_put(object, "adjacency", json_string(nw_adjacency_name(adjacency_of(j))));
    app_json_put(object, "event", app_event_json(event_of(j)));
    if (j->inferred != NULL)
        app_json_put(object, "inferred_schema", json_loads(j->inferred, 0, NULL));
    if (nw_schema_rules_json(schema_of(j)) != NULL)
        app_json_put(object, "constraints", json_loads(nw_schema_rules_json(schema_of(j)), 0, NULL));
    if (j->unit != NULL) {
        app_json_put(object, "unit", app_json_text(j->unit));
        app_json_put(object, "max_rows_per_unit", json_integer((json_int_t)opts.rows_per_unit));
        if (opts.parts > 1)
            app_json_put(object, "parts", json_integer((json_int_t)opts.parts));
        if (opts.are_units_apart)
            app_json_put(object, "promise", json_string("all rows of a unit were in one part"));
    }
}

/* What the queries can be drawn again from, and what is measured of them. */
static json_t *queries_json(const job *j)
{
    const settings *s = j->settings;
    const nw_synth_query_plan plan = nw_synth_query_plan_get(j->synth);
    json_t *object = json_object();
    app_json_put(&object, "family", json_string(settings_family(s)));
    app_json_put(&object, "seed", json_integer((json_int_t)s->query_seed));
    app_json_put(&object, "workloads", json_integer((json_int_t)plan.workloads));
    app_json_put(&object, "cells", json_integer((json_int_t)nw_queries_cells(j->queries)));
    app_json_put(&object, "rounds", json_integer((json_int_t)s->rounds));
    app_json_put(&object, "measured", json_integer((json_int_t)plan.measured));
    app_json_put(&object, "sigma", app_json_real(plan.sigma));
    app_json_put(&object, "choice_epsilon", plan.choice_epsilon > 0.0 ? app_json_real(plan.choice_epsilon) : json_null());
    return object;
}

json_t *manifest_json(const job *j, uint64_t rows)
{
    const settings *s = j->settings;
    const bool is_insecure = j->measured != NULL ? nw_synth_measurements_are_insecure(j->measured) : settings_are_insecure(s);
    json_t *list = json_array();
    for (size_t i = 0; i < marginals_of(j); i++)
        json_array_append_new(list, measurement_json(j, i, rows));
    json_t *object = json_object();
    put_budget(j, &object);
    if (j->synth != NULL)
        app_json_put(&object, "select", json_string(nw_synth_select_name(nw_synth_get_opts(j->synth).select)));
    app_json_put(&object, "engine", json_string(nw_synth_engine_name(j->fit.engine)));
    app_json_put(&object, "rows", rows > 0 ? json_integer((json_int_t)rows) : json_null());
    app_json_put(&object, "insecure", json_boolean(is_insecure));
    app_json_put(&object, "library", json_string(nw_version()));
    if (s->unsafe_compare != NULL) /* the report is not private */
        app_json_put(&object, "unsafe_compare", app_json_text(s->unsafe_compare));
    app_json_put(&object, "measurements", list);
    if (j->queries != NULL)
        app_json_put(&object, "queries", queries_json(j));
    if (j->inferred != NULL)
        app_json_put(&object, "schema_receipts", app_receipts_json(&j->inferred_receipts));
    if (job_is_charged(j))
        app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return object;
}

/* Path and hash of each file that was written; a stream cannot be read again. */
static json_t *outputs_json(const job *j)
{
    const settings *s = j->settings;
    const char *const paths[] = { j->synthetic != NULL ? s->output : NULL, s->is_fit ? NULL : s->measurements, s->report };
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char hash[APP_HASH_SIZE];
        if (paths[i] == NULL || app_is_stream(paths[i]))
            continue;
        if (app_hash_file(paths[i], hash) != APP_OK) {
            json_decref(list);
            return NULL;
        }
        json_t *object = json_object();
        app_json_put(&object, "path", app_json_text(paths[i]));
        app_json_put(&object, "blake2b_256", json_string(hash));
        json_array_append_new(list, object);
    }
    return list;
}

static void put_fit(const job *j, json_t **object)
{
    const settings *s = j->settings;
    app_json_put(object, "sweeps", json_integer((json_int_t)j->fit.sweeps));
    app_json_put(object, "chains", json_integer((json_int_t)j->fit.chains));
    app_json_put(object, "seed", s->seed != APP_NO_SEED ? json_integer((json_int_t)s->seed) : json_null());
}

int manifest_write(const job *j)
{
    char hash[65];
    const settings *s = j->settings;
    double standard_error;
    nw_schema_hash(schema_of(j), hash);
    json_t *object = manifest_json(j, (uint64_t)nw_synth_measurements_rows(j->measured, &standard_error));
    app_json_put(&object, "rows", j->synthetic != NULL ? json_integer((json_int_t)nw_table_rows(j->synthetic)) : json_null());
    app_json_put(&object, "format", json_string("noisewright-synth-manifest"));
    app_json_put(&object, "format_version", json_integer(1));
    app_json_put(&object, "schema_hash", json_string(hash));
    app_json_put(&object, "bins", json_integer((json_int_t)nw_schema_max_bins(schema_of(j))));
    if (j->synthetic != NULL)
        put_fit(j, &object);
    app_json_put(&object, "outputs", outputs_json(j));
    char *text = app_json_dump(object, JSON_INDENT(2));
    const int code = text == NULL ? app_fail(APP_INTERNAL, s->manifest, "out of memory") : app_write_text(s->manifest, text);
    free(text);
    return code;
}

void manifest_print_estimate(const job *j)
{
    const uint64_t rows = j->settings->rows;
    printf("%zu marginals, epsilon %g, delta %g, neighbours %s\n", nw_synth_plan_size(j->synth), j->settings->epsilon,
        j->settings->delta, nw_adjacency_name(settings_adjacency(j->settings)));
    if (rows > 0)
        printf("error: predicted average total variation distance of the noisy marginal, assuming %llu records\n",
            (unsigned long long)rows);
    else
        printf("give --rows N, the number of records to assume, for the predicted error\n");
    printf("%10s  %12s  %8s  columns\n", "cells", "sigma", "error");
    for (size_t i = 0; i < nw_synth_plan_size(j->synth); i++) {
        const nw_synth_measurement m = nw_synth_plan_get(j->synth, i, rows);
        printf("%10llu  %12.6g  ", (unsigned long long)m.cells, m.sigma);
        if (rows > 0)
            printf("%8.4f", m.expected_error);
        else
            printf("%8s", "-");
        printf("  %s", nw_schema_column(j->schema, m.columns[0]).name);
        if (m.columns[1] != SIZE_MAX)
            printf(" x %s", nw_schema_column(j->schema, m.columns[1]).name);
        else if (m.width > 1)
            printf(", %u codes a cell", m.width);
        putchar('\n');
    }
    if (nw_synth_plan_candidates(j->synth) > 0)
        printf("then rounds, which choose among %zu marginals of two and three columns\n", nw_synth_plan_candidates(j->synth));
    if (j->queries != NULL) {
        const nw_synth_query_plan plan = nw_synth_query_plan_get(j->synth);
        printf("%zu of %zu workloads of queries (%s), sigma %.6g\n", plan.measured, plan.workloads, settings_family(j->settings),
            plan.sigma);
    }
}
