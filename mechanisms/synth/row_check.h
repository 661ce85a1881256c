/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ROW_CHECK_H
#define NW_ROW_CHECK_H

/* row_check.h - whether a row of codes, one of whose columns was changed, still keeps the schema's rules. */
#include "rules.h"

typedef struct nw__row_check {
    const nw__rules *rules; /* NULL: none, and all below is unused */
    size_t columns;
    size_t *mentioned; /* rules that mention column j: mentioned[first[j]] .. mentioned[first[j + 1] - 1] */
    size_t *first;
    bool *has_sums;      /* of each column: a rule that mentions it has inequalities */
    size_t *bundle;      /* of each column, `columns` entries: itself, and what functions make of it */
    size_t *bundle_size; /* 1: no function makes anything of it */
    uint16_t *codes;     /* scratch: the row, as the rules take it */
    int64_t *k;          /* scratch */
} nw__row_check;

/** False if memory lacks; to be cleared in any case. */
bool nw__row_check_make(nw__row_check *check, const nw_schema *schema);
void nw__row_check_clear(nw__row_check *check);
/** Whether the row keeps all rules that mention one of the columns, and has values for its inequalities if any of them has. */
bool nw__row_check_allows(nw__row_check *check, const uint16_t *row, const size_t *changed, size_t n);

#endif
