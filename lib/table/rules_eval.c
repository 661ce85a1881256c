/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rules_eval.c - the truth of rules for codes and for values, and values that satisfy linear rules together. */
#include "rules.h"

/* Of one search for values: rules between a few columns need a few steps a column. Deterministic, so what is not found once is
 * never found. */
enum { MAX_VALUE_STEPS = 4096, MAX_ROUNDS = 64 };

/* ---- truth over code ranges ---- */

static nw__truth either(nw__truth a, nw__truth b)
{
    return a > b ? a : b;
}

static nw__truth both(nw__truth a, nw__truth b)
{
    return a < b ? a : b;
}

static nw__truth opposite(nw__truth a)
{
    return (nw__truth)(NW__TRUE - a);
}

static nw__truth condition_truth(const nw__condition *c, const uint16_t *first)
{
    nw__truth truth = NW__TRUE;
    switch (c->kind) {
    case NW__IN_SET:
        if (first[c->set.column] == NW__UNDECIDED)
            return NW__OPEN;
        return c->holds[first[c->set.column]] ? NW__TRUE : NW__FALSE;
    case NW__ALL:
        for (size_t i = 0; i < c->part_count && truth != NW__FALSE; i++)
            truth = both(truth, condition_truth(&c->parts[i], first));
        return truth;
    case NW__ANY:
        truth = NW__FALSE;
        for (size_t i = 0; i < c->part_count && truth != NW__TRUE; i++)
            truth = either(truth, condition_truth(&c->parts[i], first));
        return truth;
    case NW__NOT: return opposite(condition_truth(&c->parts[0], first));
    }
    return truth;
}

static nw__truth function_truth(const nw__function *f, const uint16_t *first)
{
    size_t index = 0;
    for (size_t i = 0; i < f->input_count; i++) {
        if (first[f->inputs[i]] == NW__UNDECIDED)
            return NW__OPEN;
        index = index * f->slot_count[i] + f->slots[i][first[f->inputs[i]]];
    }
    const uint16_t result = f->result[index];
    if (result == NW__NO_RESULT)
        return NW__FALSE;
    if (first[f->output] == NW__UNDECIDED)
        return NW__OPEN;
    return first[f->output] == result ? NW__TRUE : NW__FALSE;
}

/* A missing value satisfies the rule; what is undecided can be anything, also missing. */
static nw__truth linear_truth(const nw__rules *rules, const nw__linear *linear, const uint16_t *first, const uint16_t *last)
{
    nw__int128 least = 0;
    nw__int128 most = 0;
    bool can_be_missing = false;
    for (size_t i = 0; i < linear->n; i++) {
        const size_t j = linear->columns[i];
        const bool is_open = first[j] == NW__UNDECIDED;
        if (!is_open && first[j] == rules->missing[j])
            return NW__TRUE;
        can_be_missing |= is_open && rules->missing[j] != NW__UNDECIDED;
        const nw__int128 low = is_open ? 0 : rules->k_low[j][first[j]];
        const nw__int128 high = is_open ? (nw__int128)rules->free_high[j] : rules->k_high[j][last[j]];
        least += linear->weights[i] * (linear->weights[i] > 0 ? low : high);
        most += linear->weights[i] * (linear->weights[i] > 0 ? high : low);
    }
    if (least >= linear->low && most <= linear->high)
        return NW__TRUE;
    return most < linear->low || least > linear->high ? (can_be_missing ? NW__OPEN : NW__FALSE) : NW__OPEN;
}

nw__truth nw__rule_truth(const nw__rules *rules, size_t i, const uint16_t *first, const uint16_t *last)
{
    const nw__rule *rule = &rules->rules[i];
    const nw__truth premise = rule->premise == NULL ? NW__TRUE : condition_truth(rule->premise, first);
    if (premise == NW__FALSE)
        return NW__TRUE;
    nw__truth conclusion = NW__TRUE;
    if (rule->conclusion != NULL)
        conclusion = condition_truth(rule->conclusion, first);
    if (rule->function != NULL)
        conclusion = function_truth(rule->function, first);
    for (size_t l = 0; l < rule->linear_count; l++)
        conclusion = both(conclusion, linear_truth(rules, &rule->linears[l], first, last));
    return either(opposite(premise), conclusion);
}

size_t nw__rules_mask(const nw__rules *rules, uint16_t *first, uint16_t *last, size_t j, size_t n, const uint16_t *cell_first,
    const uint16_t *cell_last, uint8_t *allowed)
{
    const uint32_t *class_of = rules->class_of[j];
    const uint16_t kept_first = first[j];
    const uint16_t kept_last = last[j];
    const bool is_numeric = rules->k_low[j] != NULL;
    size_t count = 0;
    for (size_t v = 0; v < n; v++) {
        const bool is_new = v == 0 || class_of == NULL || class_of[cell_first[v]] != class_of[cell_first[v - 1]];
        first[j] = cell_first[v];
        last[j] = cell_last[v];
        allowed[v] = v > 0 && !is_new && !is_numeric ? allowed[v - 1] : 1;
        for (size_t i = 0; (is_new || is_numeric) && allowed[v] && i < rules->count; i++)
            if (rules->rules[i].mentions[j])
                allowed[v] = nw__rule_truth(rules, i, first, last) != NW__FALSE;
        count += allowed[v];
    }
    first[j] = kept_first;
    last[j] = kept_last;
    return count;
}

/* ---- values ---- */

/* The columns of one component that have values, and the inequalities that bind them. */
typedef struct problem {
    size_t n;
    size_t columns[NW__MAX_TIED];
    const nw__linear **linears;
    size_t linear_count;
    nw__value_choice choose;
    void *context;
    int steps;
} problem;

typedef struct box {
    int64_t low[NW__MAX_TIED];
    int64_t high[NW__MAX_TIED];
} box;

static size_t place_of(const problem *p, size_t column)
{
    size_t i = 0;
    while (p->columns[i] != column)
        i++;
    return i;
}

/* Narrows each variable of one inequality to what the others leave it. False if nothing is left. */
static bool narrow(const problem *p, const nw__linear *linear, box *b, bool *is_changed)
{
    nw__int128 least = 0;
    nw__int128 most = 0;
    for (size_t t = 0; t < linear->n; t++) {
        const size_t i = place_of(p, linear->columns[t]);
        const nw__int128 w = linear->weights[t];
        least += w * (w > 0 ? b->low[i] : b->high[i]);
        most += w * (w > 0 ? b->high[i] : b->low[i]);
    }
    for (size_t t = 0; t < linear->n; t++) {
        const size_t i = place_of(p, linear->columns[t]);
        const nw__int128 w = linear->weights[t];
        const nw__int128 size = w > 0 ? w : -w;
        /* w k lies in [low - (most of the others), high - (least of the others)] */
        const nw__int128 from = linear->low - (most - w * (w > 0 ? b->high[i] : b->low[i]));
        const nw__int128 to = linear->high - (least - w * (w > 0 ? b->low[i] : b->high[i]));
        const nw__int128 from_k = w > 0 ? from : -to;
        const nw__int128 to_k = w > 0 ? to : -from;
        const nw__int128 low = from_k / size + (from_k % size > 0);
        const nw__int128 high = to_k / size - (to_k % size < 0);
        if (low > b->high[i] || high < b->low[i])
            return false;
        if (low > b->low[i] || high < b->high[i]) {
            least += (w > 0 && low > b->low[i]) ? w * (low - b->low[i]) : 0;
            least += (w < 0 && high < b->high[i]) ? w * (high - b->high[i]) : 0;
            most += (w > 0 && high < b->high[i]) ? w * (high - b->high[i]) : 0;
            most += (w < 0 && low > b->low[i]) ? w * (low - b->low[i]) : 0;
            b->low[i] = low > b->low[i] ? (int64_t)low : b->low[i];
            b->high[i] = high < b->high[i] ? (int64_t)high : b->high[i];
            *is_changed = true;
        }
    }
    return true;
}

static bool narrow_all(const problem *p, box *b)
{
    bool is_changed = true;
    for (int round = 0; is_changed && round < MAX_ROUNDS; round++) {
        is_changed = false;
        for (size_t l = 0; l < p->linear_count; l++)
            if (!narrow(p, p->linears[l], b, &is_changed))
                return false;
    }
    return true;
}

static nw_status search(problem *p, box *b, bool *found, nw_error *err);

static nw_status search_part(
    problem *p, const box *whole, size_t i, int64_t low, int64_t high, box *out, bool *found, nw_error *err)
{
    box part = *whole;
    part.low[i] = low;
    part.high[i] = high;
    const nw_status status = search(p, &part, found, err);
    if (*found)
        *out = part;
    return status;
}

/* Fixes the first variable that is open at a chosen value; if that leads nowhere, halves its range. */
static nw_status search(problem *p, box *b, bool *found, nw_error *err)
{
    *found = false;
    if (p->steps-- <= 0 || !narrow_all(p, b))
        return NW_OK;
    size_t i = 0;
    while (i < p->n && b->low[i] == b->high[i])
        i++;
    if (i == p->n) { /* a point that no inequality narrows satisfies them all */
        *found = true;
        return NW_OK;
    }
    const box whole = *b;
    int64_t k = whole.low[i];
    if (p->choose != NULL)
        NW__TRY(p->choose(p->context, p->columns[i], whole.low[i], whole.high[i], &k, err));
    NW__TRY(search_part(p, &whole, i, k, k, b, found, err));
    const int64_t middle = whole.low[i] + (whole.high[i] - whole.low[i]) / 2;
    if (!*found)
        NW__TRY(search_part(p, &whole, i, whole.low[i], middle, b, found, err));
    if (!*found)
        NW__TRY(search_part(p, &whole, i, middle + 1, whole.high[i], b, found, err));
    return NW_OK;
}

/* Whether an inequality binds the row: its premise holds, and none of its values is missing. */
static bool is_binding(const nw__rules *rules, const nw__rule *rule, const nw__linear *linear, const uint16_t *first)
{
    if (rule->premise != NULL && condition_truth(rule->premise, first) != NW__TRUE)
        return false;
    for (size_t t = 0; t < linear->n; t++)
        if (first[linear->columns[t]] == rules->missing[linear->columns[t]])
            return false;
    return true;
}

static nw_status solve_component(problem *p, box *b, int64_t *k, bool *found, nw_error *err)
{
    const box start = *b;
    p->steps = MAX_VALUE_STEPS;
    NW__TRY(search(p, b, found, err));
    if (!*found && p->choose != NULL) { /* chance may lead astray where the plain order does not */
        *b = start;
        p->steps = MAX_VALUE_STEPS;
        p->choose = NULL;
        NW__TRY(search(p, b, found, err));
    }
    for (size_t i = 0; *found && i < p->n; i++)
        k[p->columns[i]] = b->low[i];
    return NW_OK;
}

nw_status nw__rules_solve(const nw__rules *rules, const uint16_t *first, const uint16_t *last, size_t component,
    nw__value_choice choose, void *context, int64_t *k, bool *found, nw_error *err)
{
    const nw__linear *binding[NW__MAX_LINEARS];
    *found = true;
    for (size_t c = 0; *found && c < rules->components; c++) {
        problem p = { .linears = binding, .choose = choose, .context = context };
        box b;
        if (component != SIZE_MAX && c != component)
            continue;
        for (size_t j = 0; j < rules->columns; j++) {
            if (rules->component[j] != c || first[j] == rules->missing[j])
                continue;
            b.low[p.n] = rules->k_low[j][first[j]];
            b.high[p.n] = rules->k_high[j][last[j]];
            p.columns[p.n++] = j;
        }
        for (size_t i = 0; i < rules->count; i++)
            for (size_t l = 0; l < rules->rules[i].linear_count; l++) {
                const nw__linear *linear = &rules->rules[i].linears[l];
                if (rules->component[linear->columns[0]] == c && is_binding(rules, &rules->rules[i], linear, first))
                    binding[p.linear_count++] = linear;
            }
        if (p.n > 0)
            NW__TRY(solve_component(&p, &b, k, found, err));
    }
    return NW_OK;
}

bool nw__rule_holds(const nw__rules *rules, size_t i, const uint16_t *codes, const int64_t *k)
{
    const nw__rule *rule = &rules->rules[i];
    if (rule->linear_count == 0)
        return nw__rule_truth(rules, i, codes, codes) == NW__TRUE;
    for (size_t l = 0; l < rule->linear_count; l++) {
        const nw__linear *linear = &rule->linears[l];
        nw__int128 sum = 0;
        if (!is_binding(rules, rule, linear, codes))
            continue;
        for (size_t t = 0; t < linear->n; t++)
            sum += (nw__int128)linear->weights[t] * k[linear->columns[t]];
        if (sum < linear->low || sum > linear->high)
            return false;
    }
    return true;
}
