/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ask.c - see ask.h. Post-processing of released structures: nothing here is private. */
#include "ask.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load_library(structure *out, const char *path)
{
    nw_error err;
    *out = (structure){ .path = path };
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    return nw_kde_load(&out->kde, path, &err) == NW_OK ? APP_OK : app_fail_error(path, &err);
}

int structure_load(structure *out, const char *path, const char *project)
{
    const int code = load_library(out, path);
    return code == APP_OK ? about_read(&out->about, path, project) : code;
}

int structure_peek(structure *out, const char *path)
{
    const int code = load_library(out, path);
    return code == APP_OK ? about_peek(&out->about, path) : code;
}

void structure_free(structure *s)
{
    nw_kde_free(s->kde);
    about_free(&s->about);
}

bool structure_is_distance(const structure *s)
{
    const nw_kde_kernel k = nw_kde_get_opts(s->kde).kernel;
    return k == NW_KDE_L1 || k == NW_KDE_L2 || k == NW_KDE_L2SQ || k == NW_KDE_LPP;
}

double structure_points(const structure *s, double *error)
{
    const double n = nw_kde_points(s->kde, error);
    if (s->about.points_error > 0.0)
        *error = s->about.points_error;
    return n;
}

int kde_parse_rows(size_t *from, size_t *to, const char *option, const char *text, size_t n)
{
    char number[32];
    uint64_t first = 0, last = n == 0 ? 0 : n - 1;
    const char *dots = text == NULL ? NULL : strstr(text, "..");
    if (dots != NULL)
        snprintf(number, sizeof number, "%.*s", (int)(dots - text < 31 ? dots - text : 31), text);
    if (text != NULL && (dots == NULL || !app_parse_count(number, &first) || !app_parse_count(dots + 2, &last) || first > last))
        return app_fail(APP_USAGE, option, "is \"%s\", must be the first and the last row, counted from 0, such as 0..99", text);
    if (text != NULL && last >= n)
        return app_fail(APP_USAGE, option, "is \"%s\", must be within the %zu rows that there are, counted from 0", text, n);
    *from = (size_t)first;
    *to = (size_t)last;
    return APP_OK;
}

int ask_read(points *out, words *labels, rows *kept, structure *s, const settings *said)
{
    size_t to = 0;
    const size_t d = nw_kde_get_opts(s->kde).dimension;
    view *v = &s->about.view;
    v->header = (points_header)said->header;
    if (said->label != NULL) {
        free(v->label);
        v->label = strdup(said->label);
        if (v->label == NULL)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    int code = view_read(out, labels, v, said->data);
    if (code == APP_OK && out->d != d)
        code = app_fail(APP_DATA, said->data, "has %zu coordinates, must have %zu as the structure", out->d, d);
    if (code == APP_OK)
        code = kde_parse_rows(&kept->from, &to, "--rows", said->rows, out->n);
    kept->all = out->n;
    if (code == APP_OK && out->n > 0)
        points_keep(out, kept->from, to);
    return code;
}

int ask_values(const structure *s, const points *y, double *values, double *errors)
{
    nw_error err;
    return nw_kde_query(s->kde, y->x, y->n, values, errors, &err) == NW_OK ? APP_OK : app_fail_error(s->path, &err);
}

bool ask_is_npy(const char *path)
{
    const size_t n = path == NULL ? 0 : strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

int ask_write(const char *path, void (*fill)(FILE *, const void *), const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    fill(out, context);
    const int code =
        fclose(out) == 0 ? app_write_text(path == NULL ? "-" : path, text) : app_fail(APP_INTERNAL, NULL, "out of memory");
    free(text);
    return code;
}
