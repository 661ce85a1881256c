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

bool tree_text(FILE *stream, const nw_tree *tree, const query *q, const nw_schema *schema, double share, bool is_estimate)
{
    char *text = strdup(q->text);
    if (text == NULL)
        return false;
    fprintf(stream, "%s  (%.4g of the budget; noise of a rank at most %.3g records)\n", app_plain(text), share,
        nw_tree_deviation(tree));
    free(text);
    if (is_estimate)
        return true;
    fprintf(stream, "  %-8s  %12s\n", "rank", "value");
    for (uint32_t k = 1; k <= q->parts; k++) {
        char *value = report_value(schema, q->column, quantile_code(tree, q, k));
        if (value == NULL)
            return false;
        fprintf(stream, "  %-8.6g  %12s\n", rank_of(q, k), value);
        free(value);
    }
    return true;
}

json_t *tree_json(const nw_tree *tree, const query *q, const nw_schema *schema, double share, bool is_estimate)
{
    json_t *object = json_object();
    json_t *figures = is_estimate ? NULL : json_array();
    for (uint32_t k = 1; figures != NULL && k <= q->parts; k++) {
        json_t *one = json_object();
        app_json_put(&one, "rank", app_json_real(rank_of(q, k)));
        app_json_put(&one, "value", report_value_json(schema, q->column, quantile_code(tree, q, k)));
        json_array_append_new(figures, one);
    }
    app_json_put(&object, "query", app_json_text(q->text));
    app_json_put(&object, "figure", json_string("quantiles"));
    app_json_put(&object, "column", app_json_text(nw_schema_column(schema, q->column).name));
    app_json_put(&object, "share", app_json_real(share));
    app_json_put(&object, "noise", json_pack("[o]", app_json_real(nw_tree_deviation(tree))));
    if (!is_estimate)
        app_json_put(&object, "figures", figures);
    return object;
}
