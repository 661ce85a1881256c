/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* classes.c - see classes.h. */
#include "classes.h"

#include "../common/columns.h"
#include "../common/exit.h"
#include "../common/numbers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void classes_free(classes *c)
{
    words_free(&c->names);
    free(c->order);
    free(c->first);
    *c = (classes){ 0 };
}

/* ---- the list ---- */

static int fail_list(const char *text)
{
    return app_fail(APP_USAGE, "--classes",
        "is \"%s\", must be a range of whole numbers such as 0..9, or names separated by "
        "commas, at most %d, each once",
        text, (int)CLASSES_MOST);
}

static int parse_range(classes *c, const char *text, const char *dots)
{
    char number[32];
    uint64_t from = 0, to = 0;
    snprintf(number, sizeof number, "%.*s", (int)(dots - text < 31 ? dots - text : 31), text);
    if (!app_parse_count(number, &from) || !app_parse_count(dots + 2, &to) || from > to || to - from >= CLASSES_MOST)
        return fail_list(text);
    for (uint64_t i = from; i <= to; i++) {
        const int n = snprintf(number, sizeof number, "%llu", (unsigned long long)i);
        if (!words_add(&c->names, number, (size_t)n))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return APP_OK;
}

static int parse_list(classes *c, const char *text)
{
    const char *dots = strstr(text, "..");
    const int code = dots != NULL ? parse_range(c, text, dots) : words_parse(&c->names, "--classes", text);
    for (size_t i = 0; code == APP_OK && i < c->names.count; i++)
        if (i == CLASSES_MOST || words_find(&c->names, c->names.items[i]) != i)
            return fail_list(text);
    return code;
}

static int take_column(classes *c, const view *v)
{
    c->column = app_find_column(v->schema, v->label);
    if (c->column == nw_schema_columns(v->schema))
        return app_fail(APP_USAGE, "--label", "is \"%s\", must be a column of the schema", v->label);
    const nw_column column = nw_schema_column(v->schema, c->column);
    if (!app_column_has_classes(&column) || app_column_classes(&column) > CLASSES_MOST)
        return app_fail(APP_USAGE, "--label", "%s has no list of values in the schema, must have one of at most %d", v->label,
            (int)CLASSES_MOST);
    c->schema = v->schema;
    for (uint32_t i = 0; i < app_column_classes(&column); i++) {
        char *name = app_class_name(v->schema, c->column, i);
        const bool is_added = name != NULL && words_add(&c->names, name, strlen(name));
        free(name);
        if (!is_added)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return APP_OK;
}

int classes_make(classes *c, const char *text, const view *v)
{
    const bool is_of_schema = v->schema != NULL && v->label != NULL;
    *c = (classes){ 0 };
    if (is_of_schema && text != NULL)
        return app_fail(APP_USAGE, "--classes", "given, but the schema lists the values of --label");
    if (is_of_schema)
        return take_column(c, v);
    if (text == NULL)
        return app_fail(APP_USAGE, "--classes", "missing, must list the classes, such as 0..9: the points must not tell them");
    return parse_list(c, text);
}

/* ---- points by class ---- */

static size_t class_of(const classes *c, const char *label)
{
    if (c->schema == NULL)
        return words_find(&c->names, label);
    const int32_t class = app_class_of(c->schema, c->column, label);
    return class < 0 ? c->names.count : (size_t) class;
}

static int find_classes(size_t *of, const classes *c, const words *labels, size_t n, const char *subject)
{
    const size_t skip = labels->count == n + 1 && class_of(c, labels->items[0]) == c->names.count;
    if (labels->count - skip != n)
        return app_fail(APP_DATA, subject, "has %zu labels, must have one for each of the %zu points", labels->count, n);
    for (size_t i = 0; i < n; i++) {
        of[i] = class_of(c, labels->items[i + skip]);
        if (of[i] == c->names.count)
            return app_fail(APP_DATA, subject, "the label of record %zu is none of the %zu classes, %s to %s", i + 1,
                c->names.count, c->names.items[0], c->names.items[c->names.count - 1]);
    }
    return APP_OK;
}

int labels_places(size_t **out, const words *labels, const words *names, size_t n, const char *subject)
{
    const classes c = { .names = *names };
    *out = calloc(n + 1, sizeof **out);
    return *out == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : find_classes(*out, &c, labels, n, subject);
}

int classes_sort(classes *c, const words *labels, size_t n, const char *subject)
{
    size_t *of = calloc(n + 1, sizeof *of);
    c->order = calloc(n + 1, sizeof *c->order);
    c->first = calloc(c->names.count + 2, sizeof *c->first);
    int code = of == NULL || c->order == NULL || c->first == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    if (code == APP_OK)
        code = find_classes(of, c, labels, n, subject);
    if (code == APP_OK) {
        for (size_t i = 0; i < n; i++)
            c->first[of[i] + 2]++; /* counts, two places on; then where each class goes on */
        for (size_t k = 2; k <= c->names.count; k++)
            c->first[k] += c->first[k - 1];
        for (size_t i = 0; i < n; i++)
            c->order[c->first[of[i] + 1]++] = i;
    }
    if (of != NULL)
        sodium_memzero(of, n * sizeof *of);
    free(of);
    return code;
}

/* ---- files of labels ---- */

static int split_lines(words *out, char *text, size_t n, const char *path)
{
    if (memchr(text, '\0', n) != NULL)
        return app_fail(APP_DATA, path, "has a NUL byte, must be text, idx or .npy");
    for (char *at = text; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        const bool is_last = at[length] == '\0';
        const char *begin = at + strspn(at, " \t");
        size_t size = length - (size_t)(begin - at);
        while (size > 0 && (begin[size - 1] == '\r' || begin[size - 1] == ' ' || begin[size - 1] == '\t'))
            size--;
        if (size > 1 && *begin == '"' && begin[size - 1] == '"') {
            begin++;
            size -= 2;
        }
        if (size > 0 && !words_add(out, begin, size))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        at += length + !is_last;
    }
    return APP_OK;
}

static int name_numbers(words *out, const points *p, const char *path)
{
    char name[32];
    if (p->d != 1)
        return app_fail(APP_DATA, path, "has %zu numbers a record, must have one, a label", p->d);
    for (size_t i = 0; i < p->n; i++) {
        const int n = snprintf(name, sizeof name, "%.9g", (double)p->x[i]);
        if (!words_add(out, name, (size_t)n))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return APP_OK;
}

int labels_read(words *out, const char *path)
{
    points numbers = { 0 };
    char *text = NULL;
    size_t n = 0;
    int code = points_or_text(&numbers, &text, &n, path);
    if (code == APP_OK)
        code = text == NULL ? name_numbers(out, &numbers, path) : split_lines(out, text, n, path);
    if (text != NULL)
        sodium_memzero(text, n);
    free(text);
    points_free(&numbers);
    return code;
}

/* ---- names of files ---- */

char *classes_path(const char *path, const char *name)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_.=";
    char *out = NULL;
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash == NULL ? path : slash, '.');
    const size_t stem = dot == NULL || dot == path ? strlen(path) : (size_t)(dot - path);
    if (asprintf(&out, "%.*s-%s%s", (int)stem, path, name, path + stem) < 0)
        return NULL;
    for (size_t i = stem + 1; i < stem + 1 + strlen(name); i++)
        if (strchr(safe, out[i]) == NULL)
            out[i] = '_';
    return out;
}
