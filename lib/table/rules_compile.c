/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rules_compile.c - rules made ready for use: bins cut where conditions change, conditions and functions as tables over codes,
 * classes of codes, and a proof that rows exist which keep them. */
#include "rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FUNCTION_CELLS ((size_t)1 << 22)
/* Of the search for a row, over classes of values: far beyond what rules between a few columns need. */
#define MAX_SEARCH_STEPS ((size_t)1 << 22)

typedef struct compiler {
    nw__rules *rules;
    nw_schema *schema;
    nw_error *err;
    const char *function;
    size_t column; /* whose cuts are collected */
    double *cuts;
    size_t cut_count;
} compiler;

static nw_status fail_memory(const compiler *c)
{
    return nw__fail_memory(c->err, c->function);
}

void nw__condition_visit(nw__condition *condition, nw__set_visit visit, void *context)
{
    if (condition == NULL)
        return;
    if (condition->kind == NW__IN_SET)
        visit(context, condition);
    for (size_t i = 0; i < condition->part_count; i++)
        nw__condition_visit(&condition->parts[i], visit, context);
}

static void visit_conditions(nw__rules *rules, nw__set_visit visit, void *context)
{
    for (size_t i = 0; i < rules->count; i++) {
        nw__condition_visit(rules->rules[i].premise, visit, context);
        nw__condition_visit(rules->rules[i].conclusion, visit, context);
    }
}

static size_t function_sets(const nw__function *f)
{
    return f == NULL ? 0 : f->entry_count * (f->input_count + 1);
}

/* ---- cuts ---- */

static void take_cuts(compiler *c, const nw__set *set)
{
    for (size_t i = 0; set->column == c->column && i < set->count; i++, c->cut_count += 2) {
        if (c->cuts == NULL)
            continue; /* counting only */
        c->cuts[c->cut_count] = set->intervals[i].from;
        c->cuts[c->cut_count + 1] = set->intervals[i].to;
    }
}

static void take_condition_cuts(void *context, nw__condition *leaf)
{
    take_cuts(context, &leaf->set);
}

static void take_all_cuts(compiler *c)
{
    c->cut_count = 0;
    visit_conditions(c->rules, take_condition_cuts, c);
    for (size_t i = 0; i < c->rules->count; i++) {
        const nw__function *f = c->rules->rules[i].function;
        for (size_t k = 0; k < function_sets(f); k++)
            take_cuts(c, &f->entries[k]);
    }
}

static nw_status cut_column(compiler *c, size_t j)
{
    nw__domain *domain = &c->schema->domains[j];
    nw_column *column = &domain->column;
    const char *why = NULL;
    c->column = j;
    c->cuts = NULL;
    take_all_cuts(c);
    c->cuts = nw__calloc(c->cut_count, sizeof *c->cuts);
    if (c->cuts == NULL)
        return fail_memory(c);
    take_all_cuts(c);
    const bool is_cut = nw__domain_cut_at(domain, c->cuts, c->cut_count, &why);
    free(c->cuts);
    if (!is_cut)
        return fail_memory(c);
    if (why != NULL)
        return nw__fail(c->err, NW_E_FORMAT, c->function, "column \"%.100s\": %s", column->name, why);
    column->cells = domain->bins + (column->is_nullable ? 1 : 0);
    domain->missing_code = column->is_nullable ? (uint16_t)domain->bins : 0;
    return nw__domain_is_label(domain) || nw__domain_index_integers(domain) ? NW_OK : fail_memory(c);
}

/* ---- conditions and functions over codes ---- */

/* Codes b with edges (or b itself) >= x begin here. */
static uint32_t first_code(const nw__domain *domain, double x)
{
    uint32_t low = 0;
    uint32_t high = domain->bins;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const double at = domain->edges == NULL ? middle : domain->edges[middle];
        if (at < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* An interval takes part in the edges, so it holds whole bins: the codes first .. end - 1. */
static void code_range(const nw__domain *domain, const nw__interval *interval, uint32_t *first, uint32_t *end)
{
    *first = first_code(domain, interval->from);
    *end = first_code(domain, interval->to);
}

static void tabulate(void *context, nw__condition *leaf)
{
    compiler *c = context;
    const nw__set *set = &leaf->set;
    const nw__domain *domain = &c->schema->domains[set->column];
    leaf->holds = nw__calloc(domain->column.cells, 1);
    if (leaf->holds == NULL) {
        c->cut_count = SIZE_MAX; /* remembered: memory lacked */
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        uint32_t first;
        uint32_t end;
        code_range(domain, &set->intervals[i], &first, &end);
        for (; first < end; first++)
            leaf->holds[first] = 1;
    }
    if (domain->column.is_nullable)
        leaf->holds[domain->missing_code] = set->has_missing;
}

static nw_status fail_function(const compiler *c, const nw__rule *rule, const char *what)
{
    return nw__fail(c->err, NW_E_FORMAT, c->function, "%.200s: %s", rule->name, what);
}

/* Gives each distinct value or interval of input i a slot; they may repeat, but not overlap. */
static nw_status make_slots(const compiler *c, const nw__rule *rule, size_t i)
{
    nw__function *f = rule->function;
    const nw__domain *domain = &c->schema->domains[f->inputs[i]];
    uint32_t *slots = nw__calloc(domain->column.cells, sizeof *slots);
    f->slots[i] = slots;
    if (slots == NULL)
        return fail_memory(c);
    uint32_t count = 1;
    for (size_t e = 0; e < f->entry_count; e++) {
        const nw__set *set = &f->entries[e * (f->input_count + 1) + i];
        uint32_t first;
        uint32_t end;
        if (set->has_missing)
            continue;
        code_range(domain, &set->intervals[0], &first, &end);
        if (first == end)
            return fail_function(c, rule, "an interval has no value of its column");
        const uint32_t there = slots[first];
        const bool is_repeated =
            there != 0 && (first == 0 || slots[first - 1] != there) && (end == domain->bins || slots[end] != there);
        for (uint32_t b = first; b < end; b++) {
            if (slots[b] != there || (there != 0 && !is_repeated))
                return fail_function(c, rule, "two intervals overlap");
            slots[b] = there == 0 ? count : there;
        }
        count += there == 0;
    }
    if (domain->column.is_nullable)
        slots[domain->missing_code] = count++;
    f->slot_count[i] = count;
    return NW_OK;
}

/* Where a result stands: the slot of each input, the last input fastest. */
static size_t entry_index(const compiler *c, const nw__function *f, const nw__set *sets)
{
    size_t index = 0;
    for (size_t i = 0; i < f->input_count; i++) {
        const nw__domain *domain = &c->schema->domains[f->inputs[i]];
        const uint32_t code = sets[i].has_missing ? domain->missing_code : first_code(domain, sets[i].intervals[0].from);
        index = index * f->slot_count[i] + f->slots[i][code];
    }
    return index;
}

/* Inputs of which one is missing give a missing result, unless the table says otherwise. */
static void fill_missing(const compiler *c, nw__function *f, size_t cells)
{
    const nw__domain *output = &c->schema->domains[f->output];
    for (size_t index = 0; output->column.is_nullable && index < cells; index++) {
        size_t rest = index;
        bool is_missing = false;
        for (size_t i = f->input_count; i-- > 0; rest /= f->slot_count[i])
            is_missing |= c->schema->domains[f->inputs[i]].column.is_nullable && rest % f->slot_count[i] == f->slot_count[i] - 1;
        if (is_missing && f->result[index] == NW__NO_RESULT)
            f->result[index] = output->missing_code;
    }
}

static nw_status compile_function(const compiler *c, const nw__rule *rule)
{
    nw__function *f = rule->function;
    const nw__domain *output = &c->schema->domains[f->output];
    size_t cells = 1;
    for (size_t i = 0; i < f->input_count; i++) {
        NW__TRY(make_slots(c, rule, i));
        if (!nw__mul_size(cells, f->slot_count[i], &cells) || cells > MAX_FUNCTION_CELLS)
            return fail_function(c, rule, "the function has more than 2^22 combinations of inputs");
    }
    f->result = nw__calloc(cells, sizeof *f->result);
    if (f->result == NULL)
        return fail_memory(c);
    memset(f->result, 0xff, cells * sizeof *f->result);
    for (size_t e = 0; e < f->entry_count; e++) {
        const nw__set *sets = &f->entries[e * (f->input_count + 1)];
        const nw__set *value = &sets[f->input_count];
        uint16_t *result = &f->result[entry_index(c, f, sets)];
        if (*result != NW__NO_RESULT)
            return fail_function(c, rule, "the table has two lines for the same inputs");
        *result = value->has_missing ? output->missing_code : (uint16_t)first_code(output, value->intervals[0].from);
    }
    fill_missing(c, f, cells);
    return NW_OK;
}

/* ---- linear rules ---- */

static nw_status open_grid(const compiler *c, size_t j)
{
    nw__rules *rules = c->rules;
    const nw__domain *domain = &c->schema->domains[j];
    if (rules->k_low[j] != NULL)
        return NW_OK;
    rules->k_low[j] = nw__calloc(domain->bins, sizeof(int64_t));
    rules->k_high[j] = nw__calloc(domain->bins, sizeof(int64_t));
    if (rules->k_low[j] == NULL || rules->k_high[j] == NULL)
        return fail_memory(c);
    for (uint32_t b = 0; b < domain->bins; b++) {
        rules->k_low[j][b] = domain->edges == NULL ? (int64_t)b : (int64_t)domain->edges[b];
        rules->k_high[j][b] = domain->edges == NULL ? (int64_t)b : (int64_t)domain->edges[b + 1] - 1;
    }
    return NW_OK;
}

static nw_status compile_linears(const compiler *c)
{
    nw__rules *rules = c->rules;
    for (size_t j = 0; j < rules->columns; j++)
        rules->component[j] = SIZE_MAX;
    for (size_t i = 0; i < rules->count; i++) {
        for (size_t l = 0; l < rules->rules[i].linear_count; l++) {
            const nw__linear *linear = &rules->rules[i].linears[l];
            const size_t own = rules->components++;
            for (size_t t = 0; t < linear->n; t++) {
                const size_t old = rules->component[linear->columns[t]];
                NW__TRY(open_grid(c, linear->columns[t]));
                rules->component[linear->columns[t]] = own;
                for (size_t j = 0; old != SIZE_MAX && j < rules->columns; j++)
                    if (rules->component[j] == old)
                        rules->component[j] = own;
            }
        }
    }
    if (rules->components > NW__MAX_LINEARS)
        return nw__fail(c->err, NW_E_FORMAT, c->function, "the rules have %zu inequalities, must be at most %d",
            rules->components, NW__MAX_LINEARS);
    for (size_t component = 0; component < rules->components; component++) {
        size_t n = 0;
        for (size_t j = 0; j < rules->columns; j++)
            n += rules->component[j] == component;
        if (n > NW__MAX_TIED)
            return nw__fail(c->err, NW_E_FORMAT, c->function,
                "order and linear rules tie %zu columns together, must be at most %d", n, NW__MAX_TIED);
    }
    return NW_OK;
}

/* ---- classes ---- */

typedef struct boundary_marks {
    size_t column;
    uint8_t *marks; /* of each code: a class begins here */
    uint32_t cells;
} boundary_marks;

static void mark_condition(void *context, nw__condition *leaf)
{
    boundary_marks *m = context;
    for (uint32_t b = 1; leaf->set.column == m->column && b < m->cells; b++)
        m->marks[b] |= leaf->holds[b] != leaf->holds[b - 1];
}

static void mark_function(const boundary_marks *m, const nw__function *f)
{
    size_t cells = 1;
    for (size_t i = 0; i < f->input_count; i++) {
        cells *= f->slot_count[i];
        for (uint32_t b = 1; f->inputs[i] == m->column && b < m->cells; b++)
            m->marks[b] |= f->slots[i][b] != f->slots[i][b - 1];
    }
    for (size_t k = 0; f->output == m->column && k < cells; k++) {
        if (f->result[k] == NW__NO_RESULT)
            continue;
        m->marks[f->result[k]] = 1; /* a class of its own */
        if ((uint32_t)f->result[k] + 1 < m->cells)
            m->marks[f->result[k] + 1] = 1;
    }
}

static nw_status find_classes(const compiler *c, size_t j)
{
    nw__rules *rules = c->rules;
    const nw__domain *domain = &c->schema->domains[j];
    boundary_marks m = { j, nw__calloc(domain->column.cells, 1), domain->column.cells };
    rules->class_of[j] = nw__calloc(m.cells, sizeof(uint32_t));
    if (m.marks == NULL || rules->class_of[j] == NULL) {
        free(m.marks);
        return fail_memory(c);
    }
    visit_conditions(rules, mark_condition, &m);
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].function != NULL)
            mark_function(&m, rules->rules[i].function);
    if (domain->column.is_nullable)
        m.marks[domain->missing_code] = 1;
    for (uint32_t b = 1; b < m.cells; b++)
        rules->class_of[j][b] = rules->class_of[j][b - 1] + m.marks[b];
    free(m.marks);
    return NW_OK;
}

/* ---- rows that keep the rules ---- */

typedef struct finder {
    const compiler *c;
    const size_t *order; /* of the columns with rules */
    size_t count;
    size_t fixed; /* a column whose codes are set */
    uint16_t *first;
    uint16_t *last;
    int64_t *k;
    size_t steps;
} finder;

static bool has_broken_rule(const nw__rules *rules, size_t j, const uint16_t *first, const uint16_t *last)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].mentions[j] && nw__rule_truth(rules, i, first, last) == NW__FALSE)
            return true;
    return false;
}

/* All classes are chosen; now values, and the codes that hold them. */
static bool settle_values(finder *f)
{
    const nw__rules *rules = f->c->rules;
    bool is_found = false;
    if (nw__rules_solve(rules, f->first, f->last, SIZE_MAX, NULL, NULL, f->k, &is_found, NULL) != NW_OK || !is_found)
        return false;
    for (size_t i = 0; i < f->count; i++) {
        const size_t j = f->order[i];
        if (rules->k_low[j] != NULL && f->first[j] != rules->missing[j])
            while (rules->k_high[j][f->first[j]] < f->k[j])
                f->first[j]++;
        f->last[j] = f->first[j];
    }
    return true;
}

static bool find_row(finder *f, size_t depth)
{
    const nw__rules *rules = f->c->rules;
    if (depth == f->count)
        return settle_values(f);
    const size_t j = f->order[depth];
    if (j == f->fixed)
        return !has_broken_rule(rules, j, f->first, f->last) && find_row(f, depth + 1);
    const uint32_t cells = f->c->schema->domains[j].column.cells;
    for (uint32_t first = 0, end = 0; first < cells && f->steps > 0; first = end, f->steps--) {
        for (end = first + 1; end < cells && rules->class_of[j][end] == rules->class_of[j][first]; end++) {
        }
        f->first[j] = (uint16_t)first;
        f->last[j] = (uint16_t)(end - 1);
        if (!has_broken_rule(rules, j, f->first, f->last) && find_row(f, depth + 1))
            return true;
    }
    f->first[j] = NW__UNDECIDED;
    return false;
}

/* A row in which column `fixed` (SIZE_MAX: none) has one of the codes first .. last. */
static bool find_row_with(finder *f, size_t fixed, uint32_t first, uint32_t last)
{
    for (size_t j = 0; j < f->c->rules->columns; j++)
        f->first[j] = f->last[j] = NW__UNDECIDED;
    f->fixed = fixed;
    if (fixed != SIZE_MAX) {
        f->first[fixed] = (uint16_t)first;
        f->last[fixed] = (uint16_t)last;
    }
    return find_row(f, 0);
}

static nw_status fail_search(const finder *f, const char *what, const char *column)
{
    return nw__fail(f->c->err, NW_E_FORMAT, f->c->function, "%s%.100s%s%s", what, column, column[0] == '\0' ? "" : "\"",
        f->steps == 0 ? " (none was found in a search of 2^22 steps)" : "");
}

/* Every label must be possible; a numeric column must not be missing in all rows. */
static nw_status check_column(finder *f, size_t j)
{
    const nw__rules *rules = f->c->rules;
    const nw__domain *domain = &f->c->schema->domains[j];
    const bool is_label = nw__domain_is_label(domain);
    bool is_possible = false;
    for (uint32_t first = 0, end = 0; first < domain->bins; first = end) {
        for (end = first + 1; end < domain->bins && rules->class_of[j][end] == rules->class_of[j][first]; end++) {
        }
        const bool is_here = find_row_with(f, j, first, end - 1);
        is_possible |= is_here;
        if (is_here && !is_label)
            return NW_OK;
        if (!is_here && is_label)
            return nw__fail(f->c->err, NW_E_FORMAT, f->c->function,
                "the rules leave no row with the value \"%.100s\" of column \"%.100s\"",
                domain->labels != NULL ? domain->labels[first]
                : first == 1           ? "true"
                                       : "false",
                domain->column.name);
    }
    return is_possible ? NW_OK : fail_search(f, "the rules leave only missing values of column \"", domain->column.name);
}

static nw_status prove_rows(finder *f)
{
    nw__rules *rules = f->c->rules;
    if (!find_row_with(f, SIZE_MAX, 0, 0))
        return fail_search(f, "no row can keep all rules", "");
    for (size_t i = 0; i < f->count; i++)
        rules->row[f->order[i]] = f->first[f->order[i]];
    for (size_t i = 0; i < f->count; i++)
        NW__TRY(check_column(f, f->order[i]));
    return NW_OK;
}

static nw_status find_rows(const compiler *c)
{
    const size_t n = c->rules->columns;
    size_t *order = nw__calloc(n, sizeof *order);
    finder f = { c, order, 0, SIZE_MAX, nw__calloc(n, sizeof(uint16_t)), nw__calloc(n, sizeof(uint16_t)),
        nw__calloc(n, sizeof(int64_t)), MAX_SEARCH_STEPS };
    /* columns of one rule stand together, so that a broken rule is seen early */
    for (size_t i = 0; order != NULL && i < c->rules->count; i++) {
        for (size_t j = 0; j < n; j++) {
            bool is_new = c->rules->rules[i].mentions[j];
            for (size_t k = 0; k < f.count; k++)
                is_new = is_new && order[k] != j;
            if (is_new)
                order[f.count++] = j;
        }
    }
    const bool has_memory = order != NULL && f.first != NULL && f.last != NULL && f.k != NULL;
    const nw_status status = has_memory ? prove_rows(&f) : fail_memory(c);
    free(order);
    free(f.first);
    free(f.last);
    free(f.k);
    return status;
}

/* ---- the whole ---- */

static nw_status allocate(const compiler *c)
{
    nw__rules *rules = c->rules;
    const size_t n = rules->columns;
    rules->class_of = nw__calloc(n, sizeof *rules->class_of);
    rules->k_low = nw__calloc(n, sizeof *rules->k_low);
    rules->k_high = nw__calloc(n, sizeof *rules->k_high);
    rules->missing = nw__calloc(n, sizeof *rules->missing);
    rules->component = nw__calloc(n, sizeof *rules->component);
    rules->row = nw__calloc(n, sizeof *rules->row);
    rules->free_high = nw__calloc(n, sizeof *rules->free_high);
    return rules->class_of == NULL || rules->k_low == NULL || rules->k_high == NULL || rules->missing == NULL ||
                   rules->component == NULL || rules->row == NULL || rules->free_high == NULL
               ? fail_memory(c)
               : NW_OK;
}

nw_status nw__rules_compile(nw__rules *rules, nw_schema *schema, nw_error *err, const char *function)
{
    compiler c = { rules, schema, err, function, 0, NULL, 0 };
    NW__TRY(allocate(&c));
    for (size_t j = 0; j < rules->columns; j++) {
        const nw__domain *domain = &schema->domains[j];
        NW__TRY(cut_column(&c, j));
        rules->missing[j] = domain->column.is_nullable ? domain->missing_code : NW__UNDECIDED;
        rules->free_high[j] = domain->values - 1;
    }
    c.cut_count = 0;
    visit_conditions(rules, tabulate, &c);
    if (c.cut_count == SIZE_MAX)
        return fail_memory(&c);
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].function != NULL)
            NW__TRY(compile_function(&c, &rules->rules[i]));
    NW__TRY(compile_linears(&c));
    for (size_t i = 0; i < rules->count; i++)
        for (size_t j = 0; j < rules->columns; j++)
            if (rules->rules[i].mentions[j] && rules->class_of[j] == NULL)
                NW__TRY(find_classes(&c, j));
    return find_rows(&c);
}

/* ---- freeing ---- */

static void free_condition(nw__condition *condition)
{
    for (size_t i = 0; i < condition->part_count; i++)
        free_condition(&condition->parts[i]);
    free(condition->parts);
    free(condition->set.intervals);
    free(condition->holds);
}

static void free_function(nw__function *f)
{
    for (size_t k = 0; f->entries != NULL && k < function_sets(f); k++)
        free(f->entries[k].intervals);
    for (size_t i = 0; i < NW__MAX_INPUTS; i++)
        free(f->slots[i]);
    free(f->entries);
    free(f->result);
    free(f);
}

static void free_rule(nw__rule *rule)
{
    if (rule->premise != NULL)
        free_condition(rule->premise);
    if (rule->conclusion != NULL)
        free_condition(rule->conclusion);
    for (size_t l = 0; l < rule->linear_count; l++) {
        free(rule->linears[l].columns);
        free(rule->linears[l].weights);
    }
    if (rule->function != NULL)
        free_function(rule->function);
    free(rule->premise);
    free(rule->conclusion);
    free(rule->linears);
    free(rule->mentions);
    free(rule->name);
}

void nw__rules_free(nw__rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; rules->rules != NULL && i < rules->count; i++)
        free_rule(&rules->rules[i]);
    for (size_t j = 0; j < rules->columns; j++) {
        if (rules->class_of != NULL)
            free(rules->class_of[j]);
        if (rules->k_low != NULL)
            free(rules->k_low[j]);
        if (rules->k_high != NULL)
            free(rules->k_high[j]);
    }
    free(rules->rules);
    free(rules->text);
    free(rules->class_of);
    free(rules->k_low);
    free(rules->k_high);
    free(rules->missing);
    free(rules->component);
    free(rules->row);
    free(rules->free_high);
    free(rules);
}
