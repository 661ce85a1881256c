/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* page_truth.c - the one part of the report that sees the real table: --unsafe-compare. */
#include "../common/exit.h"
#include "../common/files.h"
#include "page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    const page_data *data;
    const nw_synth_measurements *measured;
    uint16_t **real; /* the codes of its columns */
    size_t rows;
} comparison;

static double distance(const comparison *c, const nw_synth_measurement *m, double *sums)
{
    double total = 0.0;
    memset(sums, 0, (size_t)m->cells * sizeof *sums);
    page_add_rows(c->data, m, c->data->codes, c->data->rows, 1.0 / (double)c->data->rows, sums);
    page_add_rows(c->data, m, c->real, c->rows, -1.0 / (double)c->rows, sums);
    for (size_t i = 0; i < m->cells; i++)
        total += 0.5 * fabs(sums[i]);
    return total;
}

static bool compare(const comparison *c, page_truth *t)
{
    size_t used[2] = { 0, 0 };
    uint64_t largest = 1;
    const size_t n = nw_synth_measurements_count(c->measured);
    for (size_t i = 0; i < n; i++) {
        const uint64_t cells = nw_synth_measurements_get(c->measured, i).cells;
        largest = cells > largest ? cells : largest;
    }
    double *sums = calloc((size_t)largest, sizeof *sums);
    t->column = calloc(c->data->columns, sizeof *t->column);
    for (size_t i = 0; sums != NULL && t->column != NULL && i < n; i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(c->measured, i);
        const size_t k = m.columns[1] == SIZE_MAX ? 0 : 1;
        if (!page_is_shown(c->data, &m, i))
            continue;
        const double d = distance(c, &m, sums);
        t->average[k] += (d - t->average[k]) / (double)++used[k];
        t->largest[k] = fmax(t->largest[k], d);
        if (k == 0)
            t->column[m.columns[0]] = d;
    }
    for (size_t k = 0; k < 2; k++)
        t->average[k] = used[k] > 0 ? t->average[k] : NAN;
    const bool is_good = sums != NULL && t->column != NULL;
    free(sums);
    return is_good;
}

int page_truth_read(page_truth *truth, const page_data *data, const nw_synth_measurements *measured, const char *path)
{
    nw_error err;
    nw_table *real = NULL;
    *truth = (page_truth){ .path = path };
    if (nw_table_read_csv(&real, data->schema, path, &err) != NW_OK)
        return app_fail_error(path, &err);
    truth->rows = nw_table_rows(real);
    const comparison c = { data, measured, page_codes_new(real), truth->rows };
    int code = truth->rows > 0 ? APP_OK : app_fail(APP_DATA, path, "has a header but no records, must have at least one");
    if (code == APP_OK && (c.real == NULL || !compare(&c, truth)))
        code = app_fail(APP_INTERNAL, path, "out of memory");
    page_codes_free(c.real, data->columns);
    nw_table_free(real);
    return code;
}

void page_truth_free(page_truth *truth)
{
    free(truth->column);
}
