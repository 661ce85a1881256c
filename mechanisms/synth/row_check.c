/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* row_check.c - rules of single rows of codes. A rule that none of the changed columns is in holds as it held before. */
#include "row_check.h"

#include <stdlib.h>

void nw__row_check_clear(nw__row_check *check)
{
    free(check->mentioned);
    free(check->first);
    free(check->has_sums);
    free(check->bundle);
    free(check->bundle_size);
    free(check->codes);
    free(check->k);
    *check = (nw__row_check){ 0 };
}

static void list_rules(nw__row_check *check)
{
    size_t n = 0;
    for (size_t j = 0; j < check->columns; j++) {
        check->first[j] = n;
        for (size_t i = 0; i < check->rules->count; i++) {
            if (!check->rules->rules[i].mentions[j])
                continue;
            check->mentioned[n++] = i;
            check->has_sums[j] |= check->rules->rules[i].linear_count > 0;
        }
    }
    check->first[check->columns] = n;
}

static bool is_in(const size_t *list, size_t n, size_t j)
{
    size_t i = 0;
    while (i < n && list[i] != j)
        i++;
    return i < n;
}

/* A function without a premise makes its output change with each input, so they change together or not at all. */
static void find_bundle(nw__row_check *check, size_t j)
{
    size_t *bundle = check->bundle + j * check->columns;
    size_t n = 1;
    bundle[0] = j;
    for (size_t before = 0; before < n;) {
        before = n;
        for (size_t i = 0; i < check->rules->count; i++) {
            const nw__function *f = check->rules->rules[i].premise == NULL ? check->rules->rules[i].function : NULL;
            bool is_fed = false;
            for (size_t t = 0; f != NULL && t < f->input_count; t++)
                is_fed |= is_in(bundle, n, f->inputs[t]);
            if (is_fed && !is_in(bundle, n, f->output))
                bundle[n++] = f->output;
        }
    }
    check->bundle_size[j] = n;
}

bool nw__row_check_make(nw__row_check *check, const nw_schema *schema)
{
    const size_t n = schema->columns;
    *check = (nw__row_check){ .rules = schema->rules, .columns = n };
    if (schema->rules == NULL)
        return true;
    check->mentioned = nw__calloc(n, schema->rules->count * sizeof *check->mentioned);
    check->first = nw__calloc(n + 1, sizeof *check->first);
    check->has_sums = nw__calloc(n, sizeof *check->has_sums);
    check->bundle = nw__calloc(n, n * sizeof *check->bundle);
    check->bundle_size = nw__calloc(n, sizeof *check->bundle_size);
    check->codes = nw__calloc(n, sizeof *check->codes);
    check->k = nw__calloc(n, sizeof *check->k);
    if (check->mentioned == NULL || check->first == NULL || check->has_sums == NULL || check->bundle == NULL ||
        check->bundle_size == NULL || check->codes == NULL || check->k == NULL)
        return false;
    list_rules(check);
    for (size_t j = 0; j < n; j++)
        find_bundle(check, j);
    return true;
}

/* Columns without a rule stay undecided, as the rules want them. */
static void load(nw__row_check *check, const uint16_t *row)
{
    for (size_t j = 0; j < check->columns; j++)
        check->codes[j] = check->rules->class_of[j] == NULL ? NW__UNDECIDED : row[j];
}

bool nw__row_check_allows(nw__row_check *check, const uint16_t *row, const size_t *changed, size_t n)
{
    bool has_sums = false;
    bool is_found = true;
    if (check->rules == NULL)
        return true;
    load(check, row);
    const uint16_t *codes = check->codes;
    for (size_t c = 0; c < n; c++) {
        const size_t j = changed[c];
        has_sums |= check->has_sums[j];
        for (size_t i = check->first[j]; i < check->first[j + 1]; i++)
            if (nw__rule_truth(check->rules, check->mentioned[i], codes, codes) == NW__FALSE)
                return false;
    }
    if (!has_sums)
        return true;
    return nw__rules_solve(check->rules, codes, codes, SIZE_MAX, NULL, NULL, check->k, &is_found, NULL) == NW_OK && is_found;
}
