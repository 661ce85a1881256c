/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_TREE_H
#define APP_STATS_TREE_H

/* tree.h - many quantiles of a column from one tree of noisy counts over its codes. */
#include "query.h"

#include <jansson.h>
#include <stdio.h>

/** A tree for a query with FIGURE_QUANTILES. opts: with its share of the budget. */
nw_status tree_plan(nw_tree **out, const query *q, const nw_linear_opts *opts, nw_error *err);

/** What a code of the column is for the tree; `code` lies anywhere. */
double tree_value(const query *q, uint32_t code);

/** What is told of a tree. */
typedef struct tree_report {
    const nw_tree *tree;
    const query *query;
    const nw_schema *schema;
    double share;      /* of the budget */
    double confidence; /* of the whole run */
    double error;      /* of every quantile, in ranks, with that confidence */
    bool is_estimate;  /* before the release */
} tree_report;
/** The quantiles, or before the release what is to be expected of them. False, or NULL, if memory lacks. */
bool tree_text(FILE *stream, const tree_report *r);
json_t *tree_json(const tree_report *r);

#endif
