/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* codes.c - labels, numbers and dates. */
#include "codes.h"
#include "exit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void date_text(double days, char out[APP_VALUE_SIZE])
{
    const time_t seconds = (time_t)(round(days) * 86400.0);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        snprintf(out, APP_VALUE_SIZE, "%g", days);
    else
        snprintf(out, APP_VALUE_SIZE, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void app_value_text(nw_column_type type, double x, char out[APP_VALUE_SIZE])
{
    if (type == NW_COLUMN_DATE)
        date_text(x, out);
    else if (type == NW_COLUMN_BOOL)
        snprintf(out, APP_VALUE_SIZE, "%s", x > 0.5 ? "true" : "false");
    else
        snprintf(out, APP_VALUE_SIZE, "%.10g", x);
}

/* The end of a bin, to a thousandth of its width: more digits say nothing about it. */
static void end_text(const nw_column *c, double x, double width, char out[APP_VALUE_SIZE])
{
    const double digits = ceil(log10(fabs(x) / width)) + 3.0;
    if (c->type == NW_COLUMN_FLOAT && width > 0.0 && digits < 10.0)
        snprintf(out, APP_VALUE_SIZE, "%.*g", (int)fmax(digits, 3.0), x);
    else
        app_value_text(c->type, x, out);
}

char *app_code_text(const nw_schema *schema, size_t column, uint32_t first, uint32_t last)
{
    char from[APP_VALUE_SIZE], to[APP_VALUE_SIZE], both[2 * APP_VALUE_SIZE + 3];
    const nw_column c = nw_schema_column(schema, column);
    const char *label = nw_schema_label(schema, column, first);
    double low, high, unused;
    if (label != NULL) {
        char *copy = strdup(label);
        return copy == NULL ? NULL : (char *)(uintptr_t)app_plain(copy);
    }
    if (c.is_nullable && first + 1 == c.cells)
        return strdup("(missing)");
    nw_schema_range(schema, column, first, &low, &unused);
    nw_schema_range(schema, column, last, &unused, &high);
    end_text(&c, low, high - low, from);
    end_text(&c, high, high - low, to);
    snprintf(both, sizeof both, low == high ? "%s" : "%s .. %s", from, to);
    return strdup(both);
}
