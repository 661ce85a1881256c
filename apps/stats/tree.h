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

/** The quantiles, or before the release (is_estimate) what is to be expected of them; share: of the budget. False, or NULL, if
 *  memory lacks. */
bool tree_text(FILE *stream, const nw_tree *tree, const query *q, const nw_schema *schema, double share, bool is_estimate);
json_t *tree_json(const nw_tree *tree, const query *q, const nw_schema *schema, double share, bool is_estimate);

#endif
