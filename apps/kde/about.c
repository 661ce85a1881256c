/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* about.c - see about.h. A file of the library is one line of JSON, bytes, and a BLAKE2b-256 of all before it: with one more
 * member in the line and another digest it is as good. nw_kde_load checks the digest before anything is read here. */
#include "about.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 65535, DIGEST_BYTES = 32 };
static const size_t MOST_BYTES = (size_t)1 << 32;
static const char MEMBER[] = "nw-kde";

void about_free(about *a)
{
    view_free(&a->view);
    free(a->class);
    *a = (about){ 0 };
}

int about_text(char **out, const view *v, const char *class, double points_error)
{
    json_t *object = json_object(), *how = view_json(v);
    *out = NULL;
    json_object_set_new(object, "view", how);
    if (class != NULL)
        json_object_set_new(object, "class", app_json_text(class));
    if (points_error > 0.0)
        json_object_set_new(object, "points_error", app_json_real(points_error));
    char *text = json_dumps(object, JSON_COMPACT);
    if (text != NULL && strlen(text) > MOST_TEXT && !v->is_exact && v->schema == NULL) {
        json_object_del(how, "columns"); /* a header's many names: columns are then taken by their place */
        free(text);
        text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    if (text == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (strlen(text) > MOST_TEXT) {
        free(text);
        return app_fail(APP_USAGE, v->schema == NULL ? "--columns" : "--schema",
            "is too long to be kept with a structure, must be shorter than 64 KiB with all its names");
    }
    *out = text;
    return APP_OK;
}

/* The header of a file in memory; *rest: what follows its line. NULL: it has none, or memory lacks. */
static json_t *header_of(const uint8_t *bytes, size_t n, const uint8_t **rest)
{
    const uint8_t *end = n <= DIGEST_BYTES ? NULL : memchr(bytes, '\n', n - DIGEST_BYTES);
    if (end == NULL)
        return NULL;
    *rest = end + 1;
    return json_loadb((const char *)bytes, (size_t)(end - bytes), JSON_REJECT_DUPLICATES, NULL);
}

/* The line, then `n` bytes, and the digest of both. */
static int write_again(const char *path, const char *line, const uint8_t *rest, size_t n)
{
    const size_t length = strlen(line);
    uint8_t *bytes = malloc(length + n + DIGEST_BYTES);
    if (bytes == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    memcpy(bytes, line, length);
    memcpy(bytes + length, rest, n);
    crypto_generichash(bytes + length + n, DIGEST_BYTES, bytes, length + n, NULL, 0);
    const int code = app_write_bytes(path, bytes, length + n + DIGEST_BYTES);
    free(bytes);
    return code;
}

int about_put(const char *path, const char *text)
{
    uint8_t *bytes = NULL;
    const uint8_t *rest = NULL;
    size_t n = 0;
    int code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
    if (code != APP_OK)
        return code;
    json_t *header = header_of(bytes, n, &rest);
    app_json_put(&header, MEMBER, json_loads(text, JSON_REJECT_DUPLICATES, NULL));
    char *line = app_json_dump(header, JSON_COMPACT);
    code = line == NULL ? app_fail(APP_INTERNAL, path, "out of memory")
                        : write_again(path, line, rest, n - DIGEST_BYTES - (size_t)(rest - bytes));
    free(line);
    free(bytes);
    return code;
}

int about_peek(about *out, const char *path)
{
    uint8_t *bytes = NULL;
    const uint8_t *rest = NULL;
    size_t n = 0;
    *out = (about){ 0 };
    int code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
    if (code != APP_OK)
        return code;
    json_t *header = header_of(bytes, n, &rest), *own = json_object_get(header, MEMBER);
    const char *class = json_string_value(json_object_get(own, "class"));
    code = view_of_json(&out->view, json_object_get(own, "view"), path);
    out->class = class == NULL ? NULL : strdup(class);
    out->points_error = json_number_value(json_object_get(own, "points_error"));
    json_decref(header);
    free(bytes);
    return code;
}

int about_read(about *out, const char *path, const char *project)
{
    const int code = about_peek(out, path);
    return code == APP_OK ? view_complete(&out->view, project, path) : code;
}
