/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* genetic.c - Private-GSD [LTVW23, Alg. 2], one-shot: a genetic algorithm over whole tables.
 *
 * As published: the population of a generation is 50 mutations and 50 crossovers of the best table X*, each changing one cell;
 * the E = 5 best of elites and candidates are kept; fitness is ||y - q(X)||_2^2 over all measured statistics, unweighted, y
 * clipped to [0, 1]; the search starts from E uniform tables, and ends when N' generations improve the fitness by less than 1e-4
 * of its value. Deviation: fitness is updated from the cells that a change touches, in counts (N' q) instead of frequencies; the
 * order is the same. Deviation: an elite is stored as its differences from X*, for it is at most a few changes away; the tables
 * are the same. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ELITES = 5, MUTATIONS = 50, CROSSOVERS = 50, CANDIDATES = MUTATIONS + CROSSOVERS };
static const double STOP_RELATIVE_CHANGE = 1e-4; /* over N' generations */
static const uint64_t GENERATIONS_PER_ROW = 200; /* the cap, four times the published one; never met in our measurements */

typedef struct edit {
    uint32_t row;
    uint16_t column;
    uint16_t code;
} edit;

/* A table near X*: X* with some cells overwritten. */
typedef struct member {
    double fitness;
    edit *edits;
    size_t count;
    size_t capacity;
} member;

/* Residuals of one marginal seen from column j, whose partner is k: cell (u, v) at u * stride_j + v * stride_k. */
typedef struct view {
    float *residuals; /* NULL if not measured */
    size_t stride_j;
    size_t stride_k;
} view;

typedef struct engine {
    size_t columns;
    size_t rows;
    const uint32_t *cells;
    uint16_t *best;    /* X*, row-major */
    view *views;       /* [columns * columns]; the 1-way of j at j * columns + j */
    float **residuals; /* per marginal: N' q(X*) - N' y */
    size_t marginal_count;
    member elites[ELITES]; /* elites[0] is X* itself, without edits */
    edit candidates[CANDIDATES];
    double changes[CANDIDATES]; /* of the fitness */
} engine;

/* Multiply-shift: bias below rows / 2^64, and nothing private depends on it. */
static size_t below(nw_rng *rng, size_t bound)
{
    return (size_t)(((unsigned __int128)nw__rng_u64(rng) * bound) >> 64);
}

static void engine_clear(engine *e)
{
    for (size_t i = 0; e->residuals != NULL && i < e->marginal_count; i++)
        free(e->residuals[i]);
    for (size_t i = 0; i < ELITES; i++)
        free(e->elites[i].edits);
    free(e->residuals);
    free(e->views);
    free(e->best);
}

static bool load_targets(engine *e, const nw__chain *chain, size_t i)
{
    const nw__marginal *m = &chain->plan->marginals[i];
    const size_t cells = (size_t)m->cells_a * m->cells_b;
    float *residuals = nw__calloc(cells, sizeof *residuals);
    e->residuals[i] = residuals;
    if (residuals == NULL)
        return false;
    for (size_t c = 0; c < cells; c++)
        residuals[c] = (float)(-(double)e->rows * fmin(1.0, fmax(0.0, (double)m->counts[c] / chain->reference->total)));
    const size_t b = m->b == NW__ONE_WAY ? m->a : m->b;
    e->views[m->a * e->columns + b] = (view){ residuals, m->cells_b, m->b == NW__ONE_WAY ? 0 : 1 };
    if (b != m->a)
        e->views[b * e->columns + m->a] = (view){ residuals, 1, m->cells_b };
    return true;
}

static bool engine_make(engine *e, const nw__chain *chain)
{
    size_t cells = 0;
    *e = (engine){ .columns = chain->plan->columns, .rows = chain->rows, .cells = chain->plan->cells };
    e->marginal_count = chain->plan->marginal_count;
    if (!nw__mul_size(e->rows, e->columns, &cells))
        return false;
    e->best = nw__calloc(cells, sizeof *e->best);
    e->views = nw__calloc(e->columns * e->columns, sizeof *e->views);
    e->residuals = nw__calloc(e->marginal_count, sizeof *e->residuals);
    if (e->best == NULL || e->views == NULL || e->residuals == NULL)
        return false;
    for (size_t i = 0; i < e->marginal_count; i++)
        if (!load_targets(e, chain, i))
            return false;
    return true;
}

/* Adds `sign` rows with the codes of `row` to every marginal of column j with a partner >= j (so that each marginal is met
 * once). */
static void count_row(engine *e, const uint16_t *row, float sign)
{
    for (size_t j = 0; j < e->columns; j++) {
        for (size_t k = j; k < e->columns; k++) {
            const view *w = &e->views[j * e->columns + k];
            if (w->residuals != NULL)
                w->residuals[row[j] * w->stride_j + row[k] * w->stride_k] += sign;
        }
    }
}

static double fitness_from_residuals(const engine *e, const nw__plan *plan)
{
    double sum = 0.0;
    for (size_t i = 0; i < e->marginal_count; i++) {
        const size_t cells = (size_t)plan->marginals[i].cells_a * plan->marginals[i].cells_b;
        for (size_t c = 0; c < cells; c++)
            sum += (double)e->residuals[i][c] * (double)e->residuals[i][c];
    }
    return sum;
}

/* Change of the fitness when one cell of X* changes: in each touched marginal one residual falls by 1 and one rises by 1. */
static double change_of(const engine *e, const edit *x)
{
    const uint16_t *row = e->best + x->row * e->columns;
    const size_t j = x->column;
    const uint16_t old = row[j];
    float sum = 0.0f;
    if (old == x->code)
        return 0.0;
    for (size_t k = 0; k < e->columns; k++) {
        const view *w = &e->views[j * e->columns + k];
        if (w->residuals == NULL)
            continue;
        const float *at = w->residuals + row[k] * w->stride_k;
        sum += at[x->code * w->stride_j] - at[old * w->stride_j] + 1.0f;
    }
    return 2.0 * (double)sum;
}

static uint16_t member_cell(const engine *e, const member *m, size_t row, size_t column)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->edits[i].row == row && m->edits[i].column == column)
            return m->edits[i].code;
    return e->best[row * e->columns + column];
}

/* Overwrites one cell of a member; a cell that is X*'s again is dropped from the list. */
static bool member_set(const engine *e, member *m, edit x)
{
    const bool is_best = e->best[x.row * e->columns + x.column] == x.code;
    for (size_t i = 0; i < m->count; i++) {
        if (m->edits[i].row == x.row && m->edits[i].column == x.column) {
            m->edits[i] = is_best ? m->edits[--m->count] : x;
            return true;
        }
    }
    if (is_best)
        return true;
    if (m->count == m->capacity) {
        edit *grown = nw__realloc_array(m->edits, 2 * m->capacity + 4, sizeof *grown);
        if (grown == NULL)
            return false;
        m->edits = grown;
        m->capacity = 2 * m->capacity + 4;
    }
    m->edits[m->count++] = x;
    return true;
}

static void propose(engine *e, nw_rng *rng)
{
    for (size_t i = 0; i < CANDIDATES; i++) {
        edit *x = &e->candidates[i];
        x->row = (uint32_t)below(rng, e->rows);
        x->column = (uint16_t)below(rng, e->columns);
        if (i < MUTATIONS) {
            x->code = (uint16_t)below(rng, e->cells[x->column]);
        } else {
            const member *parent = &e->elites[below(rng, ELITES)];
            x->code = member_cell(e, parent, below(rng, e->rows), x->column);
        }
        e->changes[i] = change_of(e, x);
    }
}

/* Makes X* the table with one more cell changed, and restates the other elites as differences from it. */
static bool move_best(engine *e, edit x)
{
    uint16_t *row = e->best + x.row * e->columns;
    const size_t j = x.column;
    const uint16_t old = row[j];
    for (size_t k = 0; k < e->columns; k++) {
        const view *w = &e->views[j * e->columns + k];
        if (w->residuals == NULL)
            continue;
        w->residuals[old * w->stride_j + row[k] * w->stride_k] -= 1.0f;
        w->residuals[x.code * w->stride_j + row[k] * w->stride_k] += 1.0f;
    }
    /* A member that does not mention the cell has the old code there, one that does keeps its own. */
    uint16_t codes[ELITES];
    for (size_t i = 1; i < ELITES; i++)
        codes[i] = member_cell(e, &e->elites[i], x.row, x.column);
    row[j] = x.code;
    for (size_t i = 1; i < ELITES; i++)
        if (!member_set(e, &e->elites[i], (edit){ x.row, x.column, codes[i] }))
            return false;
    return true;
}

/* Puts a candidate in the place of the worst elite if it is fitter. */
static bool challenge_elites(engine *e, edit x, double fitness)
{
    size_t worst = 1;
    for (size_t i = 2; i < ELITES; i++)
        if (e->elites[i].fitness > e->elites[worst].fitness)
            worst = i;
    if (fitness >= e->elites[worst].fitness)
        return true;
    e->elites[worst].count = 0;
    e->elites[worst].fitness = fitness;
    return member_set(e, &e->elites[worst], x);
}

/* Keeps the fittest ELITES of elites and candidates; X* moves if a candidate beats it. */
static bool select_survivors(engine *e)
{
    size_t winner = 0;
    for (size_t i = 1; i < CANDIDATES; i++)
        if (e->changes[i] < e->changes[winner])
            winner = i;
    const bool has_improved = e->changes[winner] < 0.0;
    const double fitness = e->elites[0].fitness;
    for (size_t i = 0; i < CANDIDATES; i++)
        if (!(has_improved && i == winner) && !challenge_elites(e, e->candidates[i], fitness + e->changes[i]))
            return false;
    if (!has_improved)
        return true;
    const edit x = e->candidates[winner];
    const edit back = { x.row, x.column, e->best[x.row * e->columns + x.column] };
    if (!move_best(e, x))
        return false;
    e->elites[0].fitness += e->changes[winner];
    return challenge_elites(e, back, fitness); /* the former X* competes as one change away from the new one */
}

static void random_table(const engine *e, nw_rng *rng, uint16_t *table)
{
    for (size_t row = 0; row < e->rows; row++)
        for (size_t j = 0; j < e->columns; j++)
            table[row * e->columns + j] = (uint16_t)below(rng, e->cells[j]);
}

/* E uniform tables; the fittest becomes X*, the others are stored as their differences from it. */
static bool start_population(engine *e, const nw__plan *plan, nw_rng *rng)
{
    const size_t cells = e->rows * e->columns;
    uint16_t *tables = nw__calloc(cells * ELITES, sizeof *tables);
    double fitness[ELITES];
    bool is_ok = tables != NULL;
    size_t fittest = 0;
    for (size_t i = 0; is_ok && i < ELITES; i++) {
        uint16_t *table = tables + i * cells;
        random_table(e, rng, table);
        for (size_t row = 0; row < e->rows; row++)
            count_row(e, table + row * e->columns, 1.0f);
        fitness[i] = fitness_from_residuals(e, plan);
        for (size_t row = 0; row < e->rows; row++)
            count_row(e, table + row * e->columns, -1.0f);
        if (fitness[i] < fitness[fittest])
            fittest = i;
    }
    if (is_ok)
        memcpy(e->best, tables + fittest * cells, cells * sizeof *tables);
    for (size_t i = 0, elite = 1; is_ok && i < ELITES; i++) {
        if (i == fittest)
            continue;
        e->elites[elite].fitness = fitness[i];
        e->elites[elite].edits = nw__calloc(cells, sizeof(edit));
        e->elites[elite].capacity = cells;
        is_ok = e->elites[elite].edits != NULL;
        for (size_t c = 0; is_ok && c < cells; c++)
            if (tables[i * cells + c] != e->best[c])
                e->elites[elite].edits[e->elites[elite].count++] =
                    (edit){ (uint32_t)(c / e->columns), (uint16_t)(c % e->columns), tables[i * cells + c] };
        elite++;
    }
    free(tables);
    for (size_t row = 0; is_ok && row < e->rows; row++)
        count_row(e, e->best + row * e->columns, 1.0f);
    e->elites[0].fitness = is_ok ? fitness[fittest] : 0.0;
    return is_ok;
}

static nw_status evolve(engine *e, const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    double last_fitness = e->elites[0].fitness;
    for (uint64_t generation = 1; generation <= GENERATIONS_PER_ROW * e->rows; generation++) {
        propose(e, rng);
        if (!select_survivors(e))
            return nw__fail_memory(err, "nw_synth_fit");
        if (generation % e->rows != 0)
            continue;
        const double fitness = e->elites[0].fitness;
        const double relative_change = (last_fitness - fitness) / fmax(fitness, 1.0);
        /* progress: how far the relative change has fallen on its way to the stop, on a logarithmic scale */
        const double done = log(fmin(1.0, fmax(relative_change, STOP_RELATIVE_CHANGE))) / log(STOP_RELATIVE_CHANGE);
        if (chain->progress != NULL && !chain->progress(chain->progress_context, "fit", done))
            return nw__fail(err, NW_E_CANCELLED, "nw_synth_fit", "stopped by the caller; what was measured stays charged");
        if (relative_change < STOP_RELATIVE_CHANGE)
            break;
        last_fitness = fitness;
    }
    return NW_OK;
}

nw_status nw__genetic_fit(const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    engine e;
    nw_status status = NW_OK;
    NW__TRY(nw__rng_begin(rng, err));
    if (!engine_make(&e, chain) || !start_population(&e, chain->plan, rng)) {
        status = nw__fail_memory(err, "nw_synth_fit");
        goto out;
    }
    status = evolve(&e, chain, rng, err);
    for (size_t row = 0; status == NW_OK && row < e.rows; row++)
        for (size_t j = 0; j < e.columns; j++)
            chain->codes[j * e.rows + row] = e.best[row * e.columns + j];
out:
    engine_clear(&e);
    return status;
}
