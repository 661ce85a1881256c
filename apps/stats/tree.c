/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tree.c - see tree.h. A cell of the tree is a code of the column between the query's bounds; what the depth leaves over behind
 * the last one holds no record. */
#include "tree.h"
#include "../common/exit.h"
#include "../common/json.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nw_status tree_plan(nw_tree **out, const query *q, const nw_linear_opts *opts, nw_error *err)
{
    unsigned depth = 1;
    while (ldexp(1.0, (int)depth) < q->upper - q->lower + 1.0)
        depth++;
    return nw_tree_new(out, opts, 0.0, ldexp(1.0, (int)depth), depth, err);
}

double tree_value(const query *q, uint32_t code)
{
    return fmin(fmax(code, q->lower), q->upper) - q->lower;
}

/* Quantile k of 1 .. parts as a code of the column. */
static uint32_t quantile_code(const nw_tree *tree, const query *q, uint32_t k)
{
    double end = 1.0; /* of the cell */
    if (nw_tree_quantile(tree, (double)k / ((double)q->parts + 1.0), &end, NULL) != NW_OK)
        return (uint32_t)q->lower;
    return (uint32_t)fmin(q->lower + end - 1.0, q->upper);
}

static double rank_of(const query *q, uint32_t k)
{
    return (double)k / ((double)q->parts + 1.0);
}

static bool print_quantiles(FILE *stream, const tree_report *r)
{
    char heading[40];
    snprintf(heading, sizeof heading, "ranks off (%.10g %%)", 100.0 * r->confidence);
    fprintf(stream, "  %-8s  %12s  %s\n", "rank", "value", heading);
    for (uint32_t k = 1; k <= r->query->parts; k++) {
        char *value = report_value(r->schema, r->query->column, quantile_code(r->tree, r->query, k));
        if (value == NULL)
            return false;
        fprintf(stream, "  %-8.6g  %12s  %*.0f\n", rank_of(r->query, k), value, (int)strlen(heading), r->error);
        free(value);
    }
    return true;
}

bool tree_text(FILE *stream, const tree_report *r)
{
    char *text = strdup(r->query->text);
    if (text == NULL)
        return false;
    fprintf(stream, "%s  (%.4g of the budget; noise of a rank at most %.3g records)\n", app_plain(text), r->share,
        nw_tree_deviation(r->tree));
    free(text);
    if (!r->is_estimate)
        return print_quantiles(stream, r);
    fprintf(stream, "  %u figure%s, error (%.10g %%) %.0f ranks\n", r->query->parts, r->query->parts == 1 ? "" : "s",
        100.0 * r->confidence, r->error);
    return true;
}

static json_t *quantiles_json(const tree_report *r)
{
    json_t *figures = json_array();
    for (uint32_t k = 1; k <= r->query->parts; k++) {
        json_t *one = json_object();
        app_json_put(&one, "rank", app_json_real(rank_of(r->query, k)));
        app_json_put(&one, "value", report_value_json(r->schema, r->query->column, quantile_code(r->tree, r->query, k)));
        app_json_put(&one, "error", json_null());
        app_json_put(&one, "rank_error", app_json_real(r->error));
        json_array_append_new(figures, one);
    }
    return figures;
}

json_t *tree_json(const tree_report *r)
{
    json_t *object = json_object();
    app_json_put(&object, "query", app_json_text(r->query->text));
    app_json_put(&object, "figure", json_string("quantiles"));
    app_json_put(&object, "column", app_json_text(nw_schema_column(r->schema, r->query->column).name));
    app_json_put(&object, "by", json_null());
    app_json_put(&object, "share", app_json_real(r->share));
    app_json_put(&object, "noise", json_pack("[o]", app_json_real(nw_tree_deviation(r->tree))));
    if (r->is_estimate)
        app_json_put(&object, "expected_error", app_json_real(r->error));
    else
        app_json_put(&object, "figures", quantiles_json(r));
    return object;
}
