/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* queries.c - the queries that --queries names, and the options that go with them. */
#include "../common/exit.h"
#include "settings.h"

#include <math.h>

enum { CAT, CAT_NUM, PREFIX, HALFSPACE, CONJUNCTION };
enum { DEFAULT_COUNT = 1000, LEVELS = 5, PREFIX_TERMS = 2, CONJUNCTION_TERMS = 3 };
/* in the order of the option table */
static const char *const families[] = { "cat", "cat+num", "prefix", "halfspace", "conjunction" };

const char *settings_family(const settings *s)
{
    return families[s->family];
}

const char *settings_preset(const settings *s)
{
    return s->preset == 0 ? NULL : "private-gsd-2023";
}

static size_t categorical_columns(const nw_schema *schema)
{
    size_t n = 0;
    for (size_t j = 0; j < nw_schema_columns(schema); j++) {
        const nw_column_type type = nw_schema_column(schema, j).type;
        n += type == NW_COLUMN_CODE || type == NW_COLUMN_CATEGORICAL || type == NW_COLUMN_BOOL;
    }
    return n;
}

static nw_status add(nw_queries *queries, const settings *s, const nw_schema *schema, nw_error *err)
{
    const size_t count = s->query_count > 0 ? (size_t)s->query_count : DEFAULT_COUNT;
    const size_t categorical = categorical_columns(schema);
    const unsigned wanted = s->rounds > 0 ? 3 : 2; /* of the published experiments: rounds choose among 3-ways */
    switch (s->family) {
    case CAT_NUM: return nw_queries_add_ranges(queries, nw_schema_columns(schema) > 1 ? 2 : 1, LEVELS, err);
    case PREFIX: return nw_queries_add_prefixes(queries, count, PREFIX_TERMS, s->query_seed, err);
    case HALFSPACE: return nw_queries_add_halfspaces(queries, count, s->query_seed, err);
    case CONJUNCTION: return nw_queries_add_conjunctions(queries, count, CONJUNCTION_TERMS, s->query_seed, err);
    }
    return nw_queries_add_marginals(queries, categorical < wanted ? (unsigned)categorical : wanted, err);
}

int settings_queries(nw_queries **out, const settings *s, const nw_schema *schema)
{
    nw_error err;
    nw_queries *queries = NULL;
    *out = NULL;
    if (s->family == CAT && s->rounds == 0 && s->preset == 0) /* the marginals that are measured anyway */
        return APP_OK;
    if (nw_queries_new(&queries, schema, &err) != NW_OK)
        return app_fail_error("--queries", &err);
    nw_status status = add(queries, s, schema, &err);
    if (status == NW_OK && s->preset != 0 && s->family == CAT_NUM && categorical_columns(schema) > 1)
        status = nw_queries_add_marginals(queries, 2, &err);
    if (status != NW_OK) {
        nw_queries_free(queries);
        return app_fail_error("--queries", &err);
    }
    *out = queries;
    return APP_OK;
}

int settings_query_opts(
    const settings *s, const nw_schema *schema, const nw_queries *queries, nw_synth_opts *opts, nw_synth_fit_opts *fit)
{
    nw_error err;
    opts->queries = queries;
    opts->rounds = (unsigned)s->rounds;
    opts->per_round = s->per_round > 0 ? (unsigned)s->per_round : opts->per_round;
    if (s->preset != 0 && nw_synth_preset(settings_preset(s), schema, opts, fit, &err) != NW_OK)
        return app_fail_error("--preset", &err);
    if (!isnan(s->query_share))
        opts->query_share = s->query_share;
    return APP_OK;
}
