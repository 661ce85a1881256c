/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* genetic.c - Private-GSD [LTVW23, Alg. 2]: a genetic algorithm over whole tables.
 *
 * As published: a generation is P/2 mutations (one cell gets a value uniform in its column) and P/2 crossovers (one cell gets the
 * value of the same column in a random row of a random elite; a number also gets N(0, 0.01^2) and is clipped to [0, 1]) of the
 * best table X*; the E best of elites and candidates are kept; fitness is the squared error over all measured statistics. The
 * search starts from E uniform tables, or the last round's and E - 1. It ends when N' generations improve the fitness by less
 * than 1e-4 of its value, when a tenth more generations than at the last good improvement have passed, or after G of them.
 * Deviation: fitness is updated from the counts that a change touches, in rows (N' q) instead of frequencies; the order is the
 * same. Deviation: an elite is stored as its differences from X*, for it is at most a few changes away; the tables are the same.
 * Deviation: numbers are codes of the schema: a uniform value is a uniform code, "missing" among them, and a crossover's number
 * goes to the nearest code; a missing value crosses as it is. */
#include "genetic.h"

#include "fit_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATIONS = 50, CROSSOVERS = 50, ELITES = 5, SLOW_RULE_PERIOD = 50 };
static const double WINDOW_CHANGE = 1e-4;
static const double CROSSOVER_DEVIATION = 0.01;
static const char *const NAME = "nw_synth_fit";

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

typedef struct engine {
    const nw__genetic_settings *settings;
    nw__tally *tally;
    const nw_queries *numbers;
    size_t columns;
    size_t rows;
    const uint32_t *cells;
    uint16_t *best; /* X*, row-major; the caller's */
    member *elites; /* elites[0] is X* itself, without edits */
    edit *candidates;
    size_t candidate_count;
    double *changes; /* of the fitness */
} engine;

nw__genetic_settings nw__genetic_defaults(uint64_t most_generations)
{
    return (nw__genetic_settings){ MUTATIONS, CROSSOVERS, ELITES, most_generations, WINDOW_CHANGE, 0.0 };
}

/* Multiply-shift: bias below bound / 2^64, and nothing private depends on it. */
static size_t below(nw_rng *rng, size_t bound)
{
    return (size_t)(((unsigned __int128)nw__rng_u64(rng) * bound) >> 64);
}

/* Box and Muller's, good enough for a search. */
static double normal(nw_rng *rng)
{
    const double u = ((double)nw__rng_u32(rng) + 0.5) * 0x1p-32;
    const double v = ((double)nw__rng_u32(rng) + 0.5) * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(2.0 * acos(-1.0) * v);
}

static void engine_clear(engine *e)
{
    for (size_t i = 0; e->elites != NULL && i < e->settings->elites; i++)
        free(e->elites[i].edits);
    free(e->elites);
    free(e->candidates);
    free(e->changes);
}

static bool engine_make(engine *e, const nw__genetic_task *task)
{
    const nw__genetic_settings *s = &task->settings;
    *e = (engine){ .settings = s,
        .tally = task->tally,
        .numbers = task->numbers,
        .columns = task->columns,
        .rows = task->rows,
        .cells = task->cells,
        .best = task->table };
    e->candidate_count = s->mutations + s->crossovers;
    e->elites = nw__calloc(s->elites, sizeof *e->elites);
    e->candidates = nw__calloc(e->candidate_count, sizeof *e->candidates);
    e->changes = nw__calloc(e->candidate_count, sizeof *e->changes);
    return e->elites != NULL && e->candidates != NULL && e->changes != NULL;
}

static double change_of(const engine *e, const edit *x)
{
    return nw__tally_look(e->tally, e->best + x->row * e->columns, x->column, x->code);
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

/* The code whose number is nearest to that of `code` plus noise. */
static uint16_t shaken(const engine *e, size_t column, uint16_t code, nw_rng *rng)
{
    const nw__column_numbers *n = &e->numbers->numbers[column];
    if (!n->is_numeric || code >= n->values)
        return code;
    const double x = fmin(1.0, fmax(0.0, n->numbers[code] + CROSSOVER_DEVIATION * normal(rng)));
    const uint32_t above = nw__queries_codes_below(e->numbers, column, x);
    if (above == 0)
        return 0;
    if (above == n->values || x - n->numbers[above - 1] < n->numbers[above] - x)
        return (uint16_t)(above - 1);
    return (uint16_t)above;
}

static void propose(engine *e, nw_rng *rng)
{
    for (size_t i = 0; i < e->candidate_count; i++) {
        edit *x = &e->candidates[i];
        x->row = (uint32_t)below(rng, e->rows);
        x->column = (uint16_t)below(rng, e->columns);
        if (i < e->settings->mutations) {
            x->code = (uint16_t)below(rng, e->cells[x->column]);
        } else {
            const member *parent = &e->elites[below(rng, e->settings->elites)];
            x->code = shaken(e, x->column, member_cell(e, parent, below(rng, e->rows), x->column), rng);
        }
        e->changes[i] = change_of(e, x);
    }
}

/* Makes X* the table with one more cell changed, and restates the other elites as differences from it. */
static bool move_best(engine *e, edit x)
{
    const size_t elites = e->settings->elites;
    uint16_t *row = e->best + x.row * e->columns;
    uint16_t *cell = row + x.column;
    nw__tally_move(e->tally, row, x.column, x.code);
    const uint16_t old = *cell;
    *cell = x.code;
    for (size_t i = 1; i < elites; i++) {
        member *m = &e->elites[i];
        size_t k = 0;
        while (k < m->count && !(m->edits[k].row == x.row && m->edits[k].column == x.column))
            k++;
        /* A member that does not mention the cell has the old code there, one that does keeps its own. */
        const uint16_t code = k < m->count ? m->edits[k].code : old;
        if (!member_set(e, m, (edit){ x.row, x.column, code }))
            return false;
    }
    return true;
}

/* Puts a candidate in the place of the worst elite if it is fitter. */
static bool challenge_elites(engine *e, edit x, double fitness)
{
    size_t worst = 1;
    for (size_t i = 2; i < e->settings->elites; i++)
        if (e->elites[i].fitness > e->elites[worst].fitness)
            worst = i;
    if (fitness >= e->elites[worst].fitness)
        return true;
    e->elites[worst].count = 0;
    e->elites[worst].fitness = fitness;
    return member_set(e, &e->elites[worst], x);
}

/* Keeps the fittest of elites and candidates; X* moves if a candidate beats it. */
static bool select_survivors(engine *e)
{
    size_t winner = 0;
    for (size_t i = 1; i < e->candidate_count; i++)
        if (e->changes[i] < e->changes[winner])
            winner = i;
    const bool has_improved = e->changes[winner] < 0.0;
    const double fitness = e->elites[0].fitness;
    for (size_t i = 0; i < e->candidate_count; i++)
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

static void add_table(const engine *e, const uint16_t *table, float sign)
{
    for (size_t row = 0; row < e->rows; row++)
        nw__tally_add_row(e->tally, table + row * e->columns, sign);
}

static bool store_elite(engine *e, size_t elite, const uint16_t *table, double fitness)
{
    const size_t cells = e->rows * e->columns;
    member *m = &e->elites[elite];
    m->fitness = fitness;
    m->edits = nw__calloc(cells, sizeof *m->edits);
    m->capacity = cells;
    for (size_t c = 0; m->edits != NULL && c < cells; c++)
        if (table[c] != e->best[c])
            m->edits[m->count++] = (edit){ (uint32_t)(c / e->columns), (uint16_t)(c % e->columns), table[c] };
    return m->edits != NULL;
}

/* E uniform tables, the first of them the caller's if there is one; the fittest becomes X*, the others are stored as their
 * differences from it. */
static bool start_population(engine *e, bool has_start, nw_rng *rng)
{
    size_t cells = 0;
    size_t all = 0;
    const size_t elites = e->settings->elites;
    if (!nw__mul_size(e->rows, e->columns, &cells) || !nw__mul_size(cells, elites, &all))
        return false;
    uint16_t *tables = nw__calloc(all, sizeof *tables);
    double *fitness = nw__calloc(elites, sizeof *fitness);
    bool is_ok = tables != NULL && fitness != NULL;
    size_t fittest = 0;
    for (size_t i = 0; is_ok && i < elites; i++) {
        uint16_t *table = tables + i * cells;
        if (i == 0 && has_start)
            memcpy(table, e->best, cells * sizeof *table);
        else
            random_table(e, rng, table);
        add_table(e, table, 1.0f);
        fitness[i] = nw__tally_energy(e->tally);
        add_table(e, table, -1.0f);
        if (fitness[i] < fitness[fittest])
            fittest = i;
    }
    if (is_ok)
        memcpy(e->best, tables + fittest * cells, cells * sizeof *tables);
    for (size_t i = 0, elite = 1; is_ok && i < elites; i++)
        if (i != fittest)
            is_ok = store_elite(e, elite++, tables + i * cells, fitness[i]);
    if (is_ok) {
        add_table(e, e->best, 1.0f);
        e->elites[0].fitness = fitness[fittest];
    }
    free(tables);
    free(fitness);
    return is_ok;
}

/* The published second rule, asked every 50 generations after the first N': stop when a tenth more generations than at the last
 * improvement by slow_change have passed. */
typedef struct slow_rule {
    double fitness;
    uint64_t generation; /* 0: not asked yet */
} slow_rule;

static bool is_slow(slow_rule *rule, const nw__genetic_settings *s, uint64_t generation, double fitness)
{
    if (rule->generation == 0) {
        *rule = (slow_rule){ fitness, generation };
        return false;
    }
    const bool is_late = (double)(generation - rule->generation) > 0.1 * (double)rule->generation;
    if (rule->fitness - fitness > s->slow_change * rule->fitness)
        *rule = (slow_rule){ fitness, generation };
    return is_late;
}

static nw_status evolve(engine *e, const nw__genetic_task *task, nw_rng *rng, nw_error *err)
{
    const nw__genetic_settings *s = e->settings;
    double last_fitness = e->elites[0].fitness;
    slow_rule rule = { 0 };
    for (uint64_t generation = 1; generation <= s->most_generations; generation++) {
        propose(e, rng);
        if (!select_survivors(e))
            return nw__fail_memory(err, NAME);
        const double fitness = e->elites[0].fitness;
        if (s->slow_change > 0.0 && generation % SLOW_RULE_PERIOD == 0 && generation > e->rows &&
            is_slow(&rule, s, generation, fitness))
            break;
        if (generation % e->rows != 0)
            continue;
        const double relative_change = (last_fitness - fitness) / fmax(fitness, 1e-300);
        /* progress: how far the relative change has fallen on its way to the stop, on a logarithmic scale */
        const double done = log(fmin(1.0, fmax(relative_change, s->window_change))) / log(s->window_change);
        if (task->progress != NULL && !task->progress(task->progress_context, "fit", done))
            return nw__fail(err, NW_E_CANCELLED, NAME, "stopped by the caller; what was measured stays charged");
        if (relative_change < s->window_change)
            break;
        last_fitness = fitness;
    }
    return NW_OK;
}

nw_status nw__genetic_search(nw__genetic_task *task, nw_rng *rng, nw_error *err)
{
    engine e;
    nw_status status = NW_OK;
    NW__TRY(nw__rng_begin(rng, err));
    if (!engine_make(&e, task) || !start_population(&e, task->has_start, rng))
        status = nw__fail_memory(err, NAME);
    if (status == NW_OK)
        status = evolve(&e, task, rng, err);
    engine_clear(&e);
    return status;
}

/* The published one-shot experiments: G generations are never met with a stop after N' of them. */
static const uint64_t GENERATIONS_PER_ROW = 200;

nw_status nw__genetic_fit(const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    const size_t columns = chain->plan->columns;
    nw__fit_items f = { 0 };
    nw__tally tally = { 0 };
    nw__genetic_task task = { nw__genetic_defaults(GENERATIONS_PER_ROW * chain->rows), &tally, NULL, columns, chain->rows,
        chain->plan->cells, NULL, false, chain->progress, chain->progress_context };
    task.table = nw__calloc(chain->rows, columns * sizeof *task.table);
    nw_status status = task.table == NULL ? nw__fail_memory(err, NAME) : NW_OK;
    if (status == NW_OK)
        status = nw__fit_items_make(&f, chain->plan, NULL, chain->reference->total, chain->rows, NW__TARGET_PUBLISHED, err);
    task.numbers = f.marginals;
    if (status == NW_OK && !nw__tally_make(&tally, f.items, f.count, columns))
        status = nw__fail_memory(err, NAME);
    if (status == NW_OK)
        status = nw__genetic_search(&task, rng, err);
    for (size_t row = 0; status == NW_OK && row < chain->rows; row++)
        for (size_t j = 0; j < columns; j++)
            chain->codes[j * chain->rows + row] = task.table[row * columns + j];
    nw__tally_clear(&tally);
    nw__fit_items_clear(&f);
    free(task.table);
    return status;
}
