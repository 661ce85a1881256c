/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* codes.c - what the codes of a column stand for. */
#include "table_internal.h"

#include <math.h>

double nw__domain_grid_value(const nw__domain *domain, double k)
{
    return ((double)domain->scaled_lower + k * (double)domain->scaled_step) / pow(10.0, domain->decimals);
}

void nw_schema_range(const nw_schema *schema, size_t column, uint32_t code, double *low, double *high)
{
    const nw__domain *domain = &schema->domains[column];
    const nw_column *c = &domain->column;
    *low = *high = NAN;
    if (code >= domain->bins || c->type == NW_COLUMN_CATEGORICAL || c->type == NW_COLUMN_TEXT)
        return;
    if (c->type == NW_COLUMN_BOOL || c->type == NW_COLUMN_CODE) {
        *low = *high = code;
    } else if (domain->edges == NULL) {
        *low = *high = nw__domain_grid_value(domain, code);
    } else if (c->step > 0) {
        *low = nw__domain_grid_value(domain, domain->edges[code]);
        *high = nw__domain_grid_value(domain, domain->edges[code + 1] - 1.0);
    } else {
        *low = domain->edges[code];
        *high = domain->edges[code + 1];
    }
}

const char *nw_schema_label(const nw_schema *schema, size_t column, uint32_t code)
{
    const nw__domain *domain = &schema->domains[column];
    return domain->labels != NULL && code < domain->bins ? domain->labels[code] : NULL;
}
