/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - what a run measured, with how much noise: public quantities only. */
#include "manifest.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"

#include <stdio.h>
#include <stdlib.h>

bool job_is_charged(const job *j)
{
    return j->receipt.head[0] != '\0';
}

/* rows: what the expected error is stated for; 0 if that is not known. */
static json_t *measurement_json(const job *j, size_t i, uint64_t rows)
{
    const nw_synth_measurement m = nw_synth_plan_get(j->synth, i, rows);
    json_t *columns = json_array();
    for (size_t k = 0; k < 2 && m.columns[k] != SIZE_MAX; k++)
        json_array_append_new(columns, app_json_text(nw_schema_column(j->schema, m.columns[k]).name));
    json_t *object = json_object();
    app_json_put(&object, "columns", columns);
    app_json_put(&object, "cells", json_integer((json_int_t)m.cells));
    app_json_put(&object, "sigma", app_json_real(m.sigma));
    app_json_put(&object, "expected_error", rows > 0 ? app_json_real(m.expected_error) : json_null());
    return object;
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
    json_t *list = json_array();
    for (size_t i = 0; i < nw_synth_plan_size(j->synth); i++)
        json_array_append_new(list, measurement_json(j, i, rows));
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(s->epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(settings_adjacency(s))));
    app_json_put(&object, "engine", json_string(nw_synth_engine_name(j->fit.engine)));
    app_json_put(&object, "rows", rows > 0 ? json_integer((json_int_t)rows) : json_null());
    app_json_put(&object, "insecure", json_boolean(settings_are_insecure(s)));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(&object, "measurements", list);
    if (j->queries != NULL)
        app_json_put(&object, "queries", queries_json(j));
    if (job_is_charged(j))
        app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return object;
}

int manifest_write(const job *j)
{
    char hash[65];
    const settings *s = j->settings;
    nw_schema_hash(j->schema, hash);
    json_t *object = manifest_json(j, nw_table_rows(j->synthetic));
    app_json_put(&object, "format", json_string("noisewright-synth-manifest"));
    app_json_put(&object, "format_version", json_integer(1));
    app_json_put(&object, "schema_hash", json_string(hash));
    app_json_put(&object, "bins", json_integer(s->bins > 0 ? (json_int_t)s->bins : NW_SYNTH_BINS));
    app_json_put(&object, "sweeps", json_integer((json_int_t)j->fit.sweeps));
    app_json_put(&object, "chains", json_integer((json_int_t)j->fit.chains));
    char *text = app_json_dump(object, JSON_INDENT(2));
    const int code = text == NULL ? app_fail(APP_INTERNAL, s->manifest, "out of memory") : app_write_text(s->manifest, text);
    free(text);
    if (code != APP_OK)
        app_note("the table %s was written all the same, and the budget stays spent", s->output);
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
        putchar('\n');
    }
    if (j->queries != NULL) {
        const nw_synth_query_plan plan = nw_synth_query_plan_get(j->synth);
        printf("%zu of %zu workloads of queries (%s), sigma %.6g\n", plan.measured, plan.workloads, settings_family(j->settings),
            plan.sigma);
    }
}
