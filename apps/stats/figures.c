/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* figures.c - see figures.h. */
#include "figures.h"
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/options.h"
#include "feed.h"
#include "report.h"
#include "tree.h"

#include <math.h>
#include <stdlib.h>

struct figures_run {
    const query *queries;
    size_t count;
    size_t figures;  /* the first queries, answered by `stats` */
    nw_stats *stats; /* NULL if there are none */
    nw_tree **trees; /* of the other queries */
    double weights;  /* of all queries */
    nw_adjacency adjacency;
    double confidence;
    nw_event *event; /* composed of all parts */
    bool is_released;
};

/* ---- the plan ---- */

static bool is_of_tree(const query *q)
{
    return q->figure == FIGURE_QUANTILES;
}

/* Trees behind the others, both in the order in which they were asked. */
static size_t put_trees_last(query *queries, size_t count)
{
    size_t figures = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_of_tree(&queries[i]))
            continue;
        const query q = queries[i];
        for (size_t k = i; k > figures; k--)
            queries[k] = queries[k - 1];
        queries[figures++] = q;
    }
    return figures;
}

static double share_of(const figures_run *run, size_t first, size_t end)
{
    double weights = 0.0;
    for (size_t i = first; i < end; i++)
        weights += run->queries[i].weight;
    return first == 0 && end == run->count ? 1.0 : weights / run->weights;
}

/* That all errors of some queries hold: each query has its part of the risk, so that those of all hold with `confidence`. */
static double risk_of(const figures_run *run, size_t queries)
{
    return (1.0 - run->confidence) * (double)queries / (double)run->count;
}

static nw_status plan_stats(figures_run *run, nw_stats_opts opts, nw_error *err)
{
    nw_stats_query asked[APP_MAX_TEXTS];
    for (size_t i = 0; i < run->figures; i++)
        asked[i] = query_plan(&run->queries[i]);
    opts.share = share_of(run, 0, run->figures);
    if (run->figures < run->count) /* a double more: what this rounds off is not risked */
        opts.confidence = nextafter(1.0 - risk_of(run, run->figures), 1.0);
    return run->figures == 0 ? NW_OK : nw_stats_new(&run->stats, asked, run->figures, &opts, err);
}

static nw_status plan_trees(figures_run *run, const nw_stats_opts *all, nw_error *err)
{
    nw_status status = NW_OK;
    nw_linear_opts opts = NW_LINEAR_OPTS_INIT;
    opts.epsilon = all->epsilon;
    opts.delta = all->delta;
    opts.adjacency = all->adjacency;
    for (size_t i = run->figures; status == NW_OK && i < run->count; i++) {
        opts.share = share_of(run, i, i + 1);
        status = tree_plan(&run->trees[i - run->figures], &run->queries[i], &opts, err);
    }
    return status;
}

static nw_status compose(figures_run *run, nw_error *err)
{
    const nw_event *events[APP_MAX_TEXTS + 1];
    size_t n = 0;
    if (run->stats != NULL)
        events[n++] = nw_stats_event(run->stats);
    for (size_t i = run->figures; i < run->count; i++)
        events[n++] = nw_tree_event(run->trees[i - run->figures]);
    return n == 1 && run->stats != NULL ? NW_OK : nw_event_composed(&run->event, events, n, err);
}

int figures_plan(figures_run **out, query *queries, size_t count, const nw_stats_opts *opts)
{
    nw_error err;
    figures_run *run = calloc(1, sizeof *run);
    *out = run;
    if (run == NULL || (run->trees = calloc(count, sizeof(nw_tree *))) == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    run->figures = put_trees_last(queries, count);
    run->queries = queries;
    run->count = count;
    run->adjacency = opts->adjacency;
    run->confidence = opts->confidence;
    for (size_t i = 0; i < count; i++)
        run->weights += queries[i].weight;
    nw_status status = plan_stats(run, *opts, &err);
    if (status == NW_OK)
        status = plan_trees(run, opts, &err);
    if (status == NW_OK)
        status = compose(run, &err);
    return status == NW_OK ? APP_OK : app_fail_error("options", &err);
}

void figures_free(figures_run *run)
{
    if (run == NULL)
        return;
    nw_stats_free(run->stats);
    for (size_t i = run->figures; run->trees != NULL && i < run->count; i++)
        nw_tree_free(run->trees[i - run->figures]);
    nw_event_free(run->event);
    free(run->trees);
    free(run);
}

const nw_event *figures_event(const figures_run *run)
{
    return run->event == NULL ? nw_stats_event(run->stats) : run->event;
}

/* ---- records, release ---- */

int figures_feed(figures_run *run, const nw_schema *schema, const app_share *share, app_progress *progress, uint64_t *rows)
{
    const feed_targets to = { run->stats, run->figures, run->trees };
    return feed(&to, run->queries, run->count, schema, share, progress, rows);
}

nw_status figures_reduce(figures_run *run, const nw_reduce *reduce, nw_error *err)
{
    nw_status status = run->stats == NULL ? NW_OK : nw_stats_reduce(run->stats, reduce, err);
    for (size_t i = run->figures; status == NW_OK && i < run->count; i++)
        status = nw_tree_reduce(run->trees[i - run->figures], reduce, err);
    return status;
}

nw_status figures_release(figures_run *run, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    nw_ledger *parts = NULL;
    const app_charge charge = { ledger, figures_event(run), "stats", run->adjacency };
    nw_status status = app_charge_once(&parts, &charge, rng, receipt, err);
    if (status == NW_OK && run->stats != NULL)
        status = nw_stats_release(run->stats, rng, parts, "stats", NULL, err);
    for (size_t i = run->figures; status == NW_OK && i < run->count; i++)
        status = nw_tree_release(run->trees[i - run->figures], rng, parts, "stats", NULL, err);
    nw_ledger_close(parts);
    run->is_released = status == NW_OK;
    return status;
}

/* ---- words ---- */

static report report_of(const figures_run *run, const nw_schema *schema, uint64_t records)
{
    return (report){ run->queries, run->figures, schema, run->stats, !run->is_released, records, run->confidence };
}

/* Of query i, which is a tree's. */
static tree_report tree_report_of(const figures_run *run, const nw_schema *schema, size_t i)
{
    const nw_tree *tree = run->trees[i - run->figures];
    return (tree_report){ tree, &run->queries[i], schema, share_of(run, i, i + 1), run->confidence,
        nw_tree_error(tree, risk_of(run, 1)), !run->is_released };
}

bool figures_text(FILE *stream, const figures_run *run, const nw_schema *schema, uint64_t records)
{
    const report r = report_of(run, schema, records);
    bool is_whole = report_text(stream, &r);
    for (size_t i = run->figures; is_whole && i < run->count; i++) {
        const tree_report one = tree_report_of(run, schema, i);
        if (i > 0)
            fputc('\n', stream);
        is_whole = tree_text(stream, &one);
    }
    return is_whole;
}

json_t *figures_json(const figures_run *run, const nw_schema *schema, uint64_t records)
{
    const report r = report_of(run, schema, records);
    json_t *list = report_json(&r);
    for (size_t i = run->figures; i < run->count; i++) {
        const tree_report one = tree_report_of(run, schema, i);
        json_array_append_new(list, tree_json(&one));
    }
    return json_array_size(list) == run->count ? list : (json_decref(list), NULL);
}
