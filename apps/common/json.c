/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* json.c - numbers, file names, printing. */
#include "json.h"
#include "exit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *app_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *app_json_text(const char *text)
{
    json_t *string = json_string(text);
    char *copy = string == NULL ? strdup(text) : NULL;
    if (copy == NULL)
        return string;
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    string = json_string(copy);
    free(copy);
    return string;
}

void app_json_put(json_t **object, const char *key, json_t *value)
{
    if (*object == NULL) {
        json_decref(value);
    } else if (json_object_set_new(*object, key, value) != 0) { /* a NULL value fails, too */
        json_decref(*object);
        *object = NULL;
    }
}

char *app_json_dump(json_t *object, size_t flags)
{
    char *text = object == NULL ? NULL : json_dumps(object, flags);
    json_decref(object);
    if (text == NULL)
        return NULL;
    const size_t length = strlen(text);
    char *line = realloc(text, length + 2);
    if (line == NULL) {
        free(text);
        return NULL;
    }
    memcpy(line + length, "\n", 2);
    return line;
}

int app_print_json(json_t *object)
{
    char *text = app_json_dump(object, 0);
    if (text == NULL)
        return app_fail(APP_INTERNAL, "JSON", "out of memory");
    const bool is_written = fputs(text, stdout) != EOF && fflush(stdout) == 0;
    const int reason = errno;
    free(text);
    return is_written ? APP_OK : app_fail(APP_IO, "standard output", "%s", strerror(reason));
}
