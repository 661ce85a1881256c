/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rules_linear.c - order and linear rules from JSON, as inequalities in exact integers. */
#include "rules_reading.h"

#include <math.h>

enum { MAX_TERMS = 16 };

/* A number as m / 10^decimals. */
static nw_status read_decimal(
    const nw__rule_reading *r, const char *what, const json_t *item, double limit, int64_t *m, int *decimals)
{
    double power = 1;
    const double x = json_number_value(item);
    if (!json_is_number(item) || fabs(x) > limit)
        return nw__rule_fail(r, "%.100s must be a number of at most %g in magnitude", what, limit);
    for (*decimals = 0; !nw__scale_decimal(x, *decimals, power, m); power *= 10)
        if (++*decimals > 9)
            return nw__rule_fail(r, "%.100s is %.17g, must have at most 9 decimals and 15 digits", what, x);
    return NW_OK;
}

typedef struct term {
    size_t column;
    int64_t m;
    int decimals;
} term;

static nw__int128 power_of_10(int n)
{
    nw__int128 p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

/* floor(a / b) for b > 0. */
static nw__int128 floor_divide(nw__int128 a, nw__int128 b)
{
    return a / b - (a % b < 0);
}

static nw__int128 greatest_divisor(nw__int128 a, nw__int128 b)
{
    while (b != 0) {
        const nw__int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

#define NO_BOUND ((nw__int128)1 << 120) /* above any sum of scale_linear */

/* Divides by the weights' common divisor and rounds the bounds inward, so that 2 a + 4 b = 7 is found to be impossible. */
static nw_status reduce_linear(const nw__rule_reading *r, nw__linear *linear, const nw__int128 *weights)
{
    nw__int128 divisor = 0;
    for (size_t i = 0; i < linear->n; i++)
        divisor = greatest_divisor(divisor, weights[i]);
    for (size_t i = 0; i < linear->n; i++) {
        const nw__int128 w = weights[i] / divisor;
        if (w > INT64_MAX || w < -INT64_MAX)
            return nw__rule_fail(r, "the coefficients and steps of a linear rule are too far apart");
        linear->weights[i] = (int64_t)w;
    }
    if (linear->low != -NO_BOUND)
        linear->low = -floor_divide(-linear->low, divisor);
    if (linear->high != NO_BOUND)
        linear->high = floor_divide(linear->high, divisor);
    return NW_OK;
}

/* sum c_i x_i in [low, high] with x_i = (lower_i + k_i step_i) / 10^d_i, in units of the last decimal of all, of which there are
 * at most 18. Nothing overflows: 16 terms of up to 1e33 and bounds of up to 1e30 stay below 2^115. */
static nw_status scale_linear(const nw__rule_reading *r, const term *terms, size_t n, const json_t *low, const json_t *high,
    double within, nw__linear *linear)
{
    nw__int128 weights[MAX_TERMS];
    int64_t bounds[2] = { 0, 0 };
    int64_t slack = 0;
    int decimals[3] = { 0, 0, 0 };
    int most = 0;
    json_t *tolerance = json_real(within);
    nw_status status = tolerance == NULL ? nw__rule_fail_memory(r) : NW_OK;
    if (status == NW_OK && low != NULL)
        status = read_decimal(r, "a bound of a linear rule", low, 1e12, &bounds[0], &decimals[0]);
    if (status == NW_OK && high != NULL)
        status = read_decimal(r, "a bound of a linear rule", high, 1e12, &bounds[1], &decimals[1]);
    if (status == NW_OK)
        status = read_decimal(r, "within", tolerance, 1e12, &slack, &decimals[2]);
    json_decref(tolerance);
    NW__TRY(status);
    for (size_t i = 0; i < n; i++) {
        const int d = r->schema->domains[terms[i].column].decimals + terms[i].decimals;
        most = d > most ? d : most;
    }
    for (int i = 0; i < 3; i++)
        most = decimals[i] > most ? decimals[i] : most;
    if (most > 18)
        return nw__rule_fail(r, "the steps and coefficients of a linear rule together need more than 18 decimals");
    nw__int128 constant = 0;
    for (size_t i = 0; i < n; i++) {
        const nw__domain *domain = &r->schema->domains[terms[i].column];
        const nw__int128 unit = terms[i].m * power_of_10(most - domain->decimals - terms[i].decimals);
        weights[i] = unit * domain->scaled_step;
        constant += unit * domain->scaled_lower;
        const double magnitude =
            fabs((double)unit) * fmax(fabs((double)domain->scaled_lower), fabs(domain->column.upper) * pow(10, domain->decimals));
        if (magnitude > 1e33)
            return nw__rule_fail(r, "the terms of a linear rule are too large for exact arithmetic");
        linear->columns[i] = terms[i].column;
    }
    const nw__int128 give = slack * power_of_10(most - decimals[2]);
    linear->low = low == NULL ? -NO_BOUND : bounds[0] * power_of_10(most - decimals[0]) - constant - give;
    linear->high = high == NULL ? NO_BOUND : bounds[1] * power_of_10(most - decimals[1]) - constant + give;
    linear->n = n;
    return reduce_linear(r, linear, weights);
}

static nw_status check_term(const nw__rule_reading *r, size_t column)
{
    const nw_column *c = &r->schema->domains[column].column;
    if (nw__domain_is_label(&r->schema->domains[column]))
        return nw__rule_fail(r, "column \"%.100s\" has no numbers, so it cannot be part of order or linear", c->name);
    if (c->step == 0)
        return nw__rule_fail(r, "column \"%.100s\" has no step, so it cannot be part of order or linear: give it one", c->name);
    return NW_OK;
}

static nw_status new_linears(const nw__rule_reading *r, nw__rule *rule, size_t count, size_t terms)
{
    rule->linears = nw__calloc(count, sizeof *rule->linears);
    if (rule->linears == NULL)
        return nw__rule_fail_memory(r);
    rule->linear_count = count;
    for (size_t i = 0; i < count; i++) {
        rule->linears[i].columns = nw__calloc(terms, sizeof(size_t));
        rule->linears[i].weights = nw__calloc(terms, sizeof(int64_t));
        if (rule->linears[i].columns == NULL || rule->linears[i].weights == NULL)
            return nw__rule_fail_memory(r);
    }
    return NW_OK;
}

nw_status nw__rule_read_order(const nw__rule_reading *r, json_t *list, nw__rule *rule)
{
    const size_t n = json_array_size(list);
    if (n < 2 || n > MAX_TERMS)
        return nw__rule_fail(r, "order must be an array of 2 to %d columns", MAX_TERMS);
    NW__TRY(new_linears(r, rule, n - 1, 2));
    json_t *zero = json_integer(0);
    nw_status status = zero == NULL ? nw__rule_fail_memory(r) : NW_OK;
    for (size_t i = 0; status == NW_OK && i + 1 < n; i++) {
        term terms[2] = { { 0, 1, 0 }, { 0, -1, 0 } };
        for (size_t k = 0; status == NW_OK && k < 2; k++) {
            status = nw__rule_find_column(r, json_array_get(list, i + k), &terms[k].column);
            if (status == NW_OK)
                status = check_term(r, terms[k].column);
        }
        if (status != NW_OK)
            break;
        if (terms[0].column == terms[1].column)
            status = nw__rule_fail(r, "order names a column twice in a row");
        else if ((r->schema->domains[terms[0].column].column.type == NW_COLUMN_DATE) !=
                 (r->schema->domains[terms[1].column].column.type == NW_COLUMN_DATE))
            status = nw__rule_fail(r, "order compares a date with a number");
        else
            status = scale_linear(r, terms, 2, NULL, zero, 0, &rule->linears[i]);
    }
    json_decref(zero);
    return status;
}

static nw_status read_terms(const nw__rule_reading *r, json_t *object, term *terms)
{
    const char *name;
    json_t *item;
    size_t n = 0;
    json_object_foreach(object, name, item)
    {
        json_t *text = json_string(name);
        const nw_status status = text == NULL ? nw__rule_fail_memory(r) : nw__rule_find_column(r, text, &terms[n].column);
        json_decref(text);
        NW__TRY(status);
        NW__TRY(check_term(r, terms[n].column));
        NW__TRY(read_decimal(r, "a coefficient", item, 1e9, &terms[n].m, &terms[n].decimals));
        if (terms[n].m == 0)
            return nw__rule_fail(r, "the coefficient of column \"%.100s\" is 0, must not be", name);
        n++;
    }
    return NW_OK;
}

nw_status nw__rule_read_linear(const nw__rule_reading *r, json_t *object, json_t *rule_object, nw__rule *rule)
{
    term terms[MAX_TERMS];
    const size_t n = json_object_size(object);
    const json_t *low = json_object_get(rule_object, "at_least");
    const json_t *high = json_object_get(rule_object, "at_most");
    const json_t *equals = json_object_get(rule_object, "equals");
    const json_t *within = json_object_get(rule_object, "within");
    if (n < 1 || n > MAX_TERMS)
        return nw__rule_fail(r, "linear must be an object of 1 to %d columns with their coefficients", MAX_TERMS);
    if ((equals != NULL) == (low != NULL || high != NULL) || (within != NULL && equals == NULL))
        return nw__rule_fail(r, "linear needs either equals (and within), or at_least or at_most or both");
    if (within != NULL && !(json_is_number(within) && json_number_value(within) >= 0))
        return nw__rule_fail(r, "within must be a number that is not negative");
    NW__TRY(new_linears(r, rule, 1, n));
    NW__TRY(read_terms(r, object, terms));
    return scale_linear(
        r, terms, n, equals != NULL ? equals : low, equals != NULL ? equals : high, json_number_value(within), &rule->linears[0]);
}
