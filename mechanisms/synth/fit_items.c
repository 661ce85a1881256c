/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fit_items.c - noisy counts as targets in rows of a synthetic table. Post-processing. */
#include "fit_items.h"

#include <math.h>
#include <stdlib.h>

static const char *const NAME = "nw_synth_fit";

bool nw__query_results_make(nw__query_results *r, const nw_queries *queries, size_t most)
{
    *r = (nw__query_results){ .queries = (nw_queries *)(uintptr_t)nw__queries_share(queries) };
    r->chosen = nw__calloc(most, sizeof *r->chosen);
    r->sigma = nw__calloc(most, sizeof *r->sigma);
    r->counts = nw__calloc(most, sizeof *r->counts);
    return r->chosen != NULL && r->sigma != NULL && r->counts != NULL;
}

void nw__query_results_clear(nw__query_results *r)
{
    for (size_t i = 0; r->counts != NULL && i < r->count; i++)
        free(r->counts[i]);
    nw_queries_free(r->queries);
    free(r->chosen);
    free(r->sigma);
    free(r->counts);
    *r = (nw__query_results){ 0 };
}

/* Where targets are written, and how. */
typedef struct writer {
    double *at;
    double total;
    double rows;
    nw__target target;
} writer;

static double target_of(const writer *w, double count)
{
    if (w->target == NW__TARGET_PUBLISHED)
        count = fmin(w->total, fmax(0.0, count));
    return count * (w->rows / w->total);
}

static void write_item(
    writer *w, nw__tally_item *item, const nw_queries *q, size_t workload, const int64_t *counts, double unit, double sigma)
{
    const double in_rows = sigma * w->rows / w->total;
    *item = (nw__tally_item){ q, workload, w->target == NW__TARGET_PUBLISHED ? 1.0 : 1.0 / (in_rows * in_rows), w->at };
    for (uint32_t c = 0; c < q->workloads[workload].cells; c++)
        *w->at++ = target_of(w, (double)counts[c] / unit);
}

static nw_status list_marginals(nw_queries *q, const nw__plan *plan, const nw__coding *codings, nw_error *err)
{
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        const size_t k = nw__marginal_ways(m);
        const uint32_t cells[3] = { m->cells_a, m->cells_b, m->cells_c };
        nw__axis axes[3];
        uint32_t stride = 1;
        for (size_t x = k; x-- > 0; stride *= cells[x]) {
            const size_t j = nw__marginal_column(m, x);
            axes[x] = (nw__axis){ j, codings == NULL ? NULL : codings[j].cell_of, cells[x], stride };
        }
        NW__TRY(nw__queries_push_axes(q, axes, k, NAME, err));
    }
    return NW_OK;
}

static nw_status make(nw__fit_items *f, const nw__plan *plan, const nw__query_results *results, writer *w, nw_error *err)
{
    const size_t asked = results == NULL ? 0 : results->count;
    size_t cells = nw_queries_cells(f->marginals);
    for (size_t i = 0; i < asked; i++)
        cells += results->queries->workloads[results->chosen[i]].cells;
    f->items = nw__calloc(plan->marginal_count + asked, sizeof *f->items);
    f->targets = w->at = nw__calloc(cells, sizeof *f->targets);
    if (f->items == NULL || f->targets == NULL)
        return nw__fail_memory(err, NAME);
    for (size_t i = 0; i < plan->marginal_count; i++)
        write_item(w, &f->items[f->count++], f->marginals, i, plan->marginals[i].counts, 1.0, plan->marginals[i].sigma);
    for (size_t i = 0; i < asked; i++)
        write_item(w, &f->items[f->count++], results->queries, results->chosen[i], results->counts[i],
            nw_queries_get(results->queries, results->chosen[i]).unit, results->sigma[i]);
    return NW_OK;
}

nw_status nw__fit_items_make(nw__fit_items *f, const nw__plan *plan, const nw_synth_measurements *measured, double total,
    size_t rows, nw__target target, nw_error *err)
{
    writer w = { NULL, total, (double)rows, target };
    *f = (nw__fit_items){ 0 };
    nw_status status = measured == NULL ? nw__queries_of_cells(&f->marginals, plan->cells, plan->columns, err)
                                        : nw_queries_new(&f->marginals, measured->schema, err);
    if (status == NW_OK)
        status = list_marginals(f->marginals, plan, measured == NULL ? NULL : measured->codings, err);
    if (status == NW_OK)
        status = make(f, plan, measured == NULL ? NULL : &measured->queries, &w, err);
    if (status != NW_OK)
        nw__fit_items_clear(f);
    return status;
}

void nw__fit_items_clear(nw__fit_items *f)
{
    nw_queries_free(f->marginals);
    free(f->items);
    free(f->targets);
    *f = (nw__fit_items){ 0 };
}
