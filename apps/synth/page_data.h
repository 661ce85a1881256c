/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_PAGE_DATA_H
#define SYNTH_PAGE_DATA_H

/* page_data.h - the numbers of the report: of what was measured and of the synthetic table, both public. The real table is not
 * among the inputs. */
#include <noisewright.h>

/* One bar: neighbouring cells of a column, or what is left of a long list of categories. */
typedef struct page_bar {
    char *label;
    double noisy;     /* shares of the estimated records; the noisy one may be below 0 */
    double error;     /* standard deviation of the noise of the noisy one */
    double synthetic; /* share of the synthetic rows */
} page_bar;

typedef struct page_column {
    const char *name; /* borrowed from the schema */
    size_t bar_count;
    page_bar *bars;
    double distance;       /* total variation between the synthetic and the noisy bars */
    double expected_error; /* of the noisy bars from the true ones, predicted */
    uint64_t cells;
    double sigma;
} page_column;

typedef struct page_pair {
    size_t a, b;
    uint64_t cells;
    double sigma;
    double expected_error;
    double residual; /* root mean square over cells of (synthetic - noisy) / sigma */
} page_pair;

typedef struct page_data {
    const nw_schema *schema;
    double records, records_error; /* of the private table, as far as is known; 0: exact */
    size_t rows;                   /* synthetic */
    size_t columns;
    page_column *column;
    size_t pair_count;
    page_pair *pairs;
    size_t *level;    /* of each column the 1-way that its bars are made of */
    uint32_t **cells; /* of each column's codes: the cell in the 2-ways */
    uint16_t **codes; /* of the synthetic table's columns */
} page_data;

/** The codes of a table's columns, as new arrays; NULL if memory lacks. */
uint16_t **page_codes_new(const nw_table *table);
void page_codes_free(uint16_t **codes, size_t columns);
/** Adds `weight` for each row to the sums of a marginal's cells. */
void page_add_rows(
    const page_data *data, const nw_synth_measurement *m, uint16_t *const *codes, size_t rows, double weight, double *sums);
/** True for the 2-ways, and for the one 1-way of each column that its bars are made of. */
bool page_is_shown(const page_data *data, const nw_synth_measurement *m, size_t i);

/** False if memory lacks; to be freed in any case. */
bool page_data_new(page_data *data, const nw_synth_measurements *measured, const nw_table *synthetic);
void page_data_free(page_data *data);

/* How a fit went: told by the library, sweep by sweep and chain by chain. */
enum { PAGE_MOST_POINTS = 256 };
typedef struct page_trace {
    size_t count;
    double fraction[PAGE_MOST_POINTS]; /* of the fit, in order */
    double misfit[PAGE_MOST_POINTS];   /* mean over the chains that were there */
    unsigned chains[PAGE_MOST_POINTS];
} page_trace;
/** An nw_synth_trace; context: page_trace. */
void page_trace_step(void *context, unsigned chain, double fraction, double misfit);

#endif
