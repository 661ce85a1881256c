/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_KEEPER_H
#define NW_SYNTH_KEEPER_H

/* keeper.h - keeps the rows of one chain within the schema's rules, in cells of the marginals.
 *
 * Columns that are functions of others cannot change alone: a column's *block* is the column itself and, after it, those that
 * follow from it, in an order in which each can be told from the ones before. A block takes new values together. */
#include "rules.h"
#include "synth_internal.h"

enum { NW__MAX_GROUP = 16 };

typedef struct nw__keeper {
    const nw__rules *rules;
    size_t columns;
    const uint32_t *cells;
    bool *is_ruled;        /* of each column: some rule mentions it */
    bool *has_values;      /* of each column: whether its value leaves the others' values a choice has to be searched for */
    uint16_t **cell_of;    /* of each column: the cell of a code */
    uint16_t **cell_first; /* of each column: first and last code of a cell */
    uint16_t **cell_last;
    size_t *block; /* of each column, `columns` entries: its block; the first is the column itself */
    size_t *block_size;
    const nw__function **via; /* likewise: the function by which a column of the block follows; NULL for the first */
    size_t **block_rules;     /* of each column: the rules that mention its block */
    size_t *block_rule_count;
    size_t groups;   /* of columns tied by rules, 2 to NW__MAX_GROUP of them; not those that one block holds */
    size_t *grouped; /* group g is grouped[group_first[g]] up to grouped[group_first[g + 1]], functions of others last */
    size_t *group_first;
    uint16_t *block_place; /* of each column, `columns` entries: a column's place in its block, NW__UNDECIDED if it is in none */
    uint16_t *group_place; /* likewise of each group */
    uint16_t *first;       /* the row: code ranges, NW__UNDECIDED for columns without a rule */
    uint16_t *last;
    size_t *order; /* ruled columns, those that are functions of others last */
    size_t ruled_count;
    int64_t *k;        /* scratch */
    uint16_t *kept;    /* scratch: 2 * columns */
    double *weights;   /* scratch: of each cell of one column */
    uint8_t *allowed;  /* scratch: of each cell of one column */
    uint16_t *follows; /* scratch: [cells of the column][block size]: the block's cells; NW__UNDECIDED: not told */
    uint32_t widest;
} nw__keeper;

/** For one chain; the schema has rules. Every cell must be a run of codes of one class: nw__rules_share_class. */
nw_status nw__keeper_new(
    nw__keeper **out, const nw_schema *schema, const nw__coding *codings, const nw__plan *plan, nw_error *err);
void nw__keeper_free(nw__keeper *keeper);

static inline const size_t *nw__keeper_block(const nw__keeper *keeper, size_t j)
{
    return keeper->block + j * keeper->columns;
}

static inline const uint16_t *nw__keeper_block_places(const nw__keeper *keeper, size_t j)
{
    return keeper->block_place + j * keeper->columns;
}

/** Makes row `row` of the chain's cells the keeper's row. */
void nw__keeper_load(nw__keeper *keeper, uint16_t *const *columns, size_t row);
/** Sets one cell of the row. */
void nw__keeper_set(nw__keeper *keeper, size_t j, uint16_t cell);
/** Fills `allowed` (and, for a block of more than one column, `follows`) with the cells that column j may take, the others as
 *  they are. Returns how many. Sums inside of cells are only bounded here: nw__keeper_has_values decides. */
size_t nw__keeper_mask(nw__keeper *keeper, size_t j);
/** Whether the row, with column j (and its block) in cell v, has values that satisfy all linear rules. The row is as before. */
bool nw__keeper_has_values(nw__keeper *keeper, size_t j, uint16_t v);

/** Changes rows of the chain's cells, drawn from the product of laws (log_p: of each column's cells), to rows that keep the
 *  rules: column by column, a cell that the ones before it do not leave is drawn again among those they do. */
nw_status nw__keeper_mend(
    nw__keeper *keeper, uint16_t *const *columns, size_t rows, float *const *log_p, nw_rng *rng, nw_error *err);

/** Whether codes a and b of a column may share a cell. */
static inline bool nw__rules_share_class(const nw__rules *rules, size_t j, uint32_t a, uint32_t b)
{
    return rules == NULL || rules->class_of[j] == NULL || rules->class_of[j][a] == rules->class_of[j][b];
}

#endif
