/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* points.c - see points.h. */
#include "points.h"

#include "../common/exit.h"
#include "../common/idx.h"
#include "csv.h"
#include "npy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t MOST_BYTES = (size_t)1 << 34;

void points_free(points *p)
{
    if (p->x != NULL)
        sodium_memzero(p->x, p->n * p->d * sizeof *p->x);
    free(p->x);
    *p = (points){ 0 };
}

bool points_reserve(points *p, size_t *room, size_t n)
{
    const size_t wanted = (p->n + n) * p->d;
    if (wanted <= *room && p->x != NULL)
        return true;
    const size_t larger = wanted < 1024 ? 1024 : wanted < 2 * *room ? 2 * *room : wanted;
    float *x = reallocarray(p->x, larger, sizeof *x);
    if (x == NULL)
        return false;
    p->x = x;
    *room = larger;
    return true;
}

void points_keep(points *p, size_t from, size_t to)
{
    memmove(p->x, p->x + from * p->d, (to - from + 1) * p->d * sizeof *p->x);
    p->n = to - from + 1;
}

void points_share(points *p, size_t part, size_t parts)
{
    size_t n = 0;
    for (size_t i = part; parts > 1 && i < p->n; i += parts)
        memmove(p->x + n++ * p->d, p->x + i * p->d, p->d * sizeof *p->x);
    if (parts > 1 && n < p->n)
        sodium_memzero(p->x + n * p->d, (p->n - n) * p->d * sizeof *p->x);
    p->n = parts > 1 ? n : p->n;
}

/* ---- words ---- */

void words_free(words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->items[i]);
    free(w->items);
    *w = (words){ 0 };
}

bool words_add(words *w, const char *text, size_t size)
{
    if ((w->count & (w->count - 1)) == 0) { /* room doubles when it is a power of two */
        char **larger = reallocarray(w->items, w->count == 0 ? 1 : 2 * w->count, sizeof *larger);
        if (larger == NULL)
            return false;
        w->items = larger;
    }
    w->items[w->count] = strndup(text, size);
    if (w->items[w->count] == NULL)
        return false;
    w->count++;
    return true;
}

size_t words_find(const words *w, const char *text)
{
    size_t i = 0;
    while (i < w->count && strcmp(w->items[i], text) != 0)
        i++;
    return i;
}

int words_parse(words *w, const char *option, const char *text)
{
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");
        if (n == 0)
            return app_fail(APP_USAGE, option, "is \"%s\", must be names separated by commas", text);
        if (!words_add(w, at, n))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        at += n;
        if (*at == '\0')
            return APP_OK;
    }
}

void csv_terms_free(csv_terms *t)
{
    words_free(&t->names);
    for (size_t i = 0; i < t->labels.count; i++)
        sodium_memzero(t->labels.items[i], strlen(t->labels.items[i]));
    words_free(&t->labels);
}

/* ---- files ---- */

/* Big-endian sizes follow; all dimensions but the first are coordinates. */
static int read_idx(points *out, app_input *in, unsigned dimensions)
{
    uint32_t sizes[4];
    uint8_t *bytes = NULL;
    int code = app_idx_header(in, dimensions, sizes);
    if (code != APP_OK)
        return code;
    size_t n = sizes[0], d = 1;
    for (unsigned k = 1; k < dimensions; k++)
        d = d > POINTS_MOST_DIMENSIONS ? d : d * sizes[k];
    if (d > POINTS_MOST_DIMENSIONS)
        return app_fail(APP_DATA, app_input_path(in), "has more than %d coordinates a point", (int)POINTS_MOST_DIMENSIONS);
    code = app_idx_bytes(in, n * d, &bytes);
    if (code == APP_OK && (out->x = reallocarray(NULL, n * d, sizeof *out->x)) == NULL)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK) {
        out->n = n;
        out->d = d;
        for (size_t i = 0; i < n * d; i++)
            out->x[i] = bytes[i];
        sodium_memzero(bytes, n * d);
    }
    free(bytes);
    return code;
}

/* Reads an array, or all that there is as text with a NUL behind it, if it is none: *text is NULL or new. */
static int read_any(points *out, char **text, size_t *n, app_input *in)
{
    uint8_t first[APP_INPUT_AHEAD];
    size_t seen = 0;
    uint8_t *bytes = NULL;
    int code = app_input_peek(in, first, &seen);
    if (code == APP_OK && seen >= 4 && first[0] == 0 && first[1] == 0 && first[3] >= 1 && first[3] <= 4)
        return read_idx(out, in, first[3]);
    if (code == APP_OK)
        code = app_input_rest(in, MOST_BYTES, &bytes, n);
    if (code != APP_OK)
        return code;
    if (seen >= 6 && memcmp(first, "\x93NUMPY", 6) == 0) {
        code = npy_parse(out, bytes, *n, app_input_path(in));
        sodium_memzero(bytes, *n);
        free(bytes);
        return code;
    }
    *text = realloc(bytes, *n + 1);
    if (*text == NULL) {
        free(bytes);
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    (*text)[*n] = '\0';
    return APP_OK;
}

int points_or_text(points *out, char **text, size_t *n, const char *path)
{
    app_input *in = NULL;
    *out = (points){ 0 };
    *text = NULL;
    *n = 0;
    int code = app_input_open(&in, path);
    if (code == APP_OK)
        code = read_any(out, text, n, in);
    app_input_close(in);
    if (code != APP_OK)
        points_free(out);
    return code;
}

int points_read(points *out, const char *path, csv_terms *terms)
{
    char *text = NULL;
    size_t n = 0;
    int code = points_or_text(out, &text, &n, path);
    const bool has_names = terms->needs_label || (terms->columns != NULL && terms->is_exact);
    if (code == APP_OK && text == NULL && has_names)
        code = app_fail(APP_DATA, path, "has no columns with names, must be CSV with \"%s\"",
            terms->needs_label ? terms->label : terms->columns->items[0]);
    if (code == APP_OK && text != NULL)
        code = csv_parse(out, text, n, terms, strcmp(path, "-") == 0 ? "standard input" : path);
    if (text != NULL)
        sodium_memzero(text, n);
    free(text);
    if (code != APP_OK)
        points_free(out);
    return code;
}
