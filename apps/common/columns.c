/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* columns.c - see columns.h. */
#include "columns.h"
#include "exit.h"
#include "json.h"
#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_CLASSES = 65535 };
static const double LINEAR_PART = 1e-3;

bool app_column_is_number(const nw_column *c)
{
    return c->type == NW_COLUMN_INT || c->type == NW_COLUMN_FLOAT || c->type == NW_COLUMN_DATE;
}

double app_column_place(const nw_column *c, double x)
{
    return c->upper > c->lower ? (x - c->lower) / (c->upper - c->lower) : 0.0;
}

double app_column_log_place(const nw_column *c, double x)
{
    const double unit = c->step > 0.0 ? c->step : LINEAR_PART * (c->upper - c->lower);
    return c->upper > c->lower ? log1p((x - c->lower) / unit) / log1p((c->upper - c->lower) / unit) : 0.0;
}

bool app_column_has_classes(const nw_column *c)
{
    return c->type == NW_COLUMN_CATEGORICAL || c->type == NW_COLUMN_BOOL || c->type == NW_COLUMN_CODE ||
           (c->type == NW_COLUMN_INT && c->step == 1.0 && c->upper - c->lower < MOST_CLASSES);
}

uint32_t app_column_classes(const nw_column *c)
{
    return c->type == NW_COLUMN_INT ? (uint32_t)(c->upper - c->lower) + 1 : c->cells - c->is_nullable;
}

char *app_class_name(const nw_schema *schema, size_t column, uint32_t class)
{
    char text[32];
    const nw_column c = nw_schema_column(schema, column);
    if (c.type == NW_COLUMN_CATEGORICAL)
        return strdup(nw_schema_label(schema, column, class));
    if (c.type == NW_COLUMN_BOOL)
        return strdup(class == 1 ? "true" : "false");
    snprintf(text, sizeof text, "%.0f", (c.type == NW_COLUMN_INT ? c.lower : 0.0) + class);
    return strdup(text);
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcasecmp(word, *list) == 0)
            return true;
    return false;
}

int32_t app_class_of(const nw_schema *schema, size_t column, const char *word)
{
    static const char *const yes[] = { "true", "t", "yes", "1", NULL };
    static const char *const no[] = { "false", "f", "no", "0", NULL };
    const nw_column c = nw_schema_column(schema, column);
    const uint32_t classes = app_column_classes(&c);
    double x;
    if (c.type == NW_COLUMN_BOOL)
        return is_one_of(word, yes) ? 1 : (is_one_of(word, no) ? 0 : -1);
    if (c.type == NW_COLUMN_CATEGORICAL) {
        for (uint32_t k = 0; k < classes; k++)
            if (strcmp(word, nw_schema_label(schema, column, k)) == 0)
                return (int32_t)k;
        return -1;
    }
    if (!app_parse_real(word, &x))
        return -1;
    x -= c.type == NW_COLUMN_INT ? c.lower : 0.0;
    return x >= 0.0 && x < classes && x == floor(x) ? (int32_t)x : -1;
}

size_t app_find_column(const nw_schema *schema, const char *name)
{
    size_t i = 0;
    while (i < nw_schema_columns(schema) && strcmp(nw_schema_column(schema, i).name, name) != 0)
        i++;
    return i;
}

int app_schema_with_text(nw_schema **out, const nw_schema *schema, const char *column, const char *path, bool is_needed)
{
    nw_error err;
    *out = NULL;
    json_t *root = json_loads(nw_schema_json(schema), JSON_REJECT_DUPLICATES, NULL);
    if (!is_needed) {
        nw_schema *header = NULL;
        if (nw_schema_of_header(&header, path, &err) != NW_OK) {
            json_decref(root);
            return app_fail_error(path, &err);
        }
        if (app_find_column(header, column) == nw_schema_columns(header))
            json_object_del(root, column);
        nw_schema_free(header);
    }
    if (json_object_get(root, column) != NULL)
        json_object_set_new(root, column, json_pack("{s:s}", "type", "text"));
    char *text = app_json_dump(root, JSON_COMPACT);
    if (text == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    const nw_status status = nw_schema_parse(out, text, nw_schema_max_bins(schema), &err);
    free(text);
    return status == NW_OK ? APP_OK : app_fail_error(path, &err);
}
