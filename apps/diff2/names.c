/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* names.c - see names.h. */
#include "names.h"

#include "../common/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BIAS[] = NAMES_BIAS;

static int by_text(const void *a, const void *b)
{
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

/* Names that a schema makes the same get numbers; the first in the list keeps its own. */
static bool tell_apart(char **list, size_t n)
{
    bool is_whole = true;
    char ***order = calloc(n, sizeof *order);
    for (size_t i = 0; order != NULL && i < n; i++)
        order[i] = &list[i];
    for (bool is_changed = order != NULL; is_changed && is_whole;) {
        is_changed = false;
        qsort(order, n, sizeof *order, by_text);
        for (size_t i = 0; is_whole && i < n; i++) {
            const bool is_same = (i > 0 && strcmp(*order[i - 1], *order[i]) == 0) || strcmp(*order[i], BIAS) == 0;
            char *other = NULL;
            if (!is_same)
                continue;
            is_whole = asprintf(&other, "%s #%zu", *order[i], (size_t)(order[i] - list) + 1) >= 0;
            if (!is_whole)
                break;
            free(*order[i]);
            *order[i] = other;
            is_changed = true;
        }
    }
    is_whole = is_whole && order != NULL;
    free(order);
    return is_whole;
}

static char *feature_name(const table_plan *plan, size_t column, uint32_t k)
{
    char *name = NULL;
    const nw_column c = nw_schema_column(plan->schema, column);
    const bool is_number = app_column_is_number(&c);
    const bool is_missing = c.is_nullable && k + 1 == (is_number ? 2 : c.cells);
    int size;
    if (is_missing)
        size = asprintf(&name, "%s (missing)", c.name);
    else if (is_number)
        size = asprintf(&name, "%s", c.name);
    else {
        char *class = app_class_name(plan->schema, column, k);
        size = class == NULL ? -1 : asprintf(&name, "%s = %s", c.name, class);
        free(class);
    }
    return size < 0 ? NULL : name;
}

static bool name_features(names *out, const table_plan *plan)
{
    bool is_whole = true;
    const size_t columns = nw_schema_columns(plan->schema);
    for (size_t i = 0; i < columns; i++) {
        const size_t end = i + 1 < columns ? plan->first[i + 1] : plan->width;
        for (size_t k = plan->first[i]; k < end; k++) {
            out->features[k] = feature_name(plan, i, (uint32_t)(k - plan->first[i]));
            is_whole = is_whole && out->features[k] != NULL;
        }
    }
    return is_whole;
}

static bool name_outputs(names *out, const table_plan *plan)
{
    bool is_whole = true;
    for (size_t k = 0; k < out->output_count; k++) {
        const bool is_class = out->output_count > 1;
        out->outputs[k] =
            is_class ? table_class_name(plan, (uint32_t)k) : strdup(nw_schema_column(plan->schema, plan->target).name);
        is_whole = is_whole && out->outputs[k] != NULL;
    }
    return is_whole;
}

bool names_make(names *out, const model *m, const table_plan *plan)
{
    bool is_whole;
    *out = (names){
        .feature_count = m->features, .output_count = m->outputs, .unit_count = m->kind == MODEL_SOFTPLUS ? MODEL_UNITS : 0
    };
    out->features = calloc(out->feature_count, sizeof *out->features);
    out->outputs = calloc(out->output_count + out->unit_count, sizeof *out->outputs);
    if (out->features == NULL || out->outputs == NULL)
        return false;
    out->units = out->outputs + out->output_count; /* told apart from the outputs */
    is_whole = name_features(out, plan) && name_outputs(out, plan);
    for (size_t k = 0; k < out->unit_count; k++)
        is_whole = asprintf(&out->units[k], "hidden %zu", k + 1) >= 0 && is_whole;
    return is_whole && tell_apart(out->features, out->feature_count) &&
           tell_apart(out->outputs, out->output_count + out->unit_count);
}

void names_free(names *n)
{
    for (size_t i = 0; n->features != NULL && i < n->feature_count; i++)
        free(n->features[i]);
    for (size_t i = 0; n->outputs != NULL && i < n->output_count + n->unit_count; i++)
        free(n->outputs[i]);
    free(n->features);
    free(n->outputs);
    *n = (names){ 0 };
}

size_t names_groups(const names *n)
{
    return n->unit_count + n->output_count;
}

names_group names_get(const names *n, size_t group)
{
    if (group < n->unit_count)
        return (names_group){ n->units[group], n->features, n->feature_count };
    const char *name = n->outputs[group - n->unit_count];
    if (n->unit_count > 0)
        return (names_group){ name, n->units, n->unit_count };
    return (names_group){ name, n->features, n->feature_count };
}
