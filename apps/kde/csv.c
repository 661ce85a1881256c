/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv.c - see csv.h. A cell may stand in quotes, with "" for a quote; line ends inside of them are not taken. */
#include "csv.h"

#include "../common/exit.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One line, cut into cells that each end with a NUL. */
typedef struct row {
    char **cells;
    size_t count;
    size_t room;
} row;

typedef struct parser {
    csv_terms *terms;
    const char *subject;
    points *out;
    size_t room;   /* coordinates */
    size_t number; /* of the line, from 1 */
    size_t width;  /* cells a line */
    size_t *take;  /* out->d cells that are coordinates */
    size_t label;  /* SIZE_MAX: none */
    row row;
} parser;

/* ---- cells ---- */

static void trim_end(const char *begin, char *end)
{
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = '\0';
}

/* A cell in quotes that begins at `at`; *end: behind its last quote. NULL: there is none. */
static char *unquote(char *at, char **end)
{
    char *to = at;
    for (char *from = at + 1; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') {
            *to = '\0';
            *end = from + 1;
            return at;
        }
        from += *from == '"';
        *to++ = *from;
    }
    return NULL;
}

static bool add_cell(row *r, char *cell)
{
    if (r->count == r->room) {
        const size_t room = r->room == 0 ? 64 : 2 * r->room;
        char **larger = realloc(r->cells, room * sizeof *larger);
        if (larger == NULL)
            return false;
        r->cells = larger;
        r->room = room;
    }
    r->cells[r->count++] = cell;
    return true;
}

static int split(parser *p, char *line)
{
    p->row.count = 0;
    for (bool is_last = false; !is_last;) {
        char *cell = line + strspn(line, " \t"), *end = cell;
        if (*cell == '"') {
            cell = unquote(cell, &end);
            if (cell == NULL)
                return app_fail(APP_DATA, p->subject, "line %zu has a quote that is not closed", p->number);
            end += strspn(end, " \t\r");
            if (*end != ',' && *end != '\0')
                return app_fail(APP_DATA, p->subject, "line %zu goes on behind a quote, must have a comma there", p->number);
            is_last = *end == '\0';
        } else {
            end += strcspn(end, ",");
            is_last = *end == '\0';
            trim_end(cell, end);
        }
        *end = '\0';
        line = end + 1;
        if (!add_cell(&p->row, cell))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return APP_OK;
}

static bool parse_cell(const char *cell, float *out)
{
    static const char *const missing[] = { "", "nan", "na" };
    double value = NAN;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcasecmp(cell, missing[i]) == 0) {
            *out = NAN;
            return true;
        }
    const char *size = cell + (*cell == '-' || *cell == '+');
    if (strcasecmp(size, "inf") == 0 || strcasecmp(size, "infinity") == 0) {
        *out = *cell == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (!app_parse_real(cell, &value))
        return false;
    *out = (float)value;
    return true;
}

/* ---- the first line ---- */

/* Names, not numbers, in all cells: a first record that is malformed must not pass for names, which are kept. */
static bool is_header(const parser *p)
{
    float number;
    bool has_name = false;
    const csv_terms *t = p->terms;
    if (t->header != POINTS_HEADER_AUTO || t->needs_label || (t->columns != NULL && t->is_exact))
        return t->header != POINTS_HEADER_NO;
    for (size_t i = 0; i < p->row.count; i++) {
        const bool is_number = parse_cell(p->row.cells[i], &number);
        if (is_number && !isnan(number))
            return false;
        has_name = has_name || !is_number;
    }
    return has_name;
}

static size_t find_cell(const row *r, const char *name)
{
    size_t i = 0;
    while (i < r->count && strcmp(r->cells[i], name) != 0)
        i++;
    return i;
}

static int take_named(parser *p)
{
    const words *columns = p->terms->columns;
    for (size_t j = 0; j < columns->count; j++) {
        const char *name = columns->items[j];
        p->take[j] = find_cell(&p->row, name);
        if (p->take[j] == p->row.count)
            return app_fail(APP_DATA, p->subject, "has no column \"%s\" in its first line", name);
    }
    p->out->d = columns->count;
    return APP_OK;
}

/* Queries whose columns have other names altogether are taken by their place. */
static bool is_named_otherwise(const parser *p)
{
    const words *columns = p->terms->columns;
    for (size_t j = 0; j < columns->count; j++)
        if (find_cell(&p->row, columns->items[j]) != p->row.count)
            return false;
    return !p->terms->is_exact && p->row.count - (p->label != p->row.count) == columns->count;
}

static int take_header(parser *p)
{
    csv_terms *t = p->terms;
    const row *r = &p->row;
    p->label = t->label == NULL ? r->count : find_cell(r, t->label);
    if (p->label == r->count && t->needs_label)
        return app_fail(APP_DATA, p->subject, "has no column \"%s\" in its first line", t->label);
    if (t->columns != NULL && !is_named_otherwise(p)) {
        const int code = take_named(p);
        if (code != APP_OK)
            return code;
    } else {
        for (size_t i = 0; i < r->count; i++)
            if (i != p->label)
                p->take[p->out->d++] = i;
    }
    for (size_t j = 0; j < p->out->d; j++)
        if (!words_add(&t->names, r->cells[p->take[j]], strlen(r->cells[p->take[j]])))
            return app_fail(APP_INTERNAL, NULL, "out of memory");
    p->label = p->label == r->count || !t->needs_label ? SIZE_MAX : p->label;
    return APP_OK;
}

static int take_by_place(parser *p)
{
    const csv_terms *t = p->terms;
    if ((t->columns != NULL && t->is_exact) || t->needs_label)
        return app_fail(APP_DATA, p->subject, "has no first line with names, must have one with \"%s\"",
            t->needs_label ? t->label : t->columns->items[0]);
    for (size_t i = 0; i < p->row.count; i++)
        p->take[i] = i;
    p->out->d = p->row.count;
    return APP_OK;
}

static int take_first(parser *p, bool *is_point)
{
    const size_t named = p->terms->columns == NULL ? 0 : p->terms->columns->count;
    p->width = p->row.count;
    p->label = SIZE_MAX;
    p->take = calloc((p->width > named ? p->width : named) + 1, sizeof *p->take);
    if (p->take == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    *is_point = !is_header(p);
    const int code = *is_point ? take_by_place(p) : take_header(p);
    if (code == APP_OK && (p->out->d == 0 || p->out->d > POINTS_MOST_DIMENSIONS))
        return app_fail(APP_DATA, p->subject, "line %zu has %zu cells that are coordinates, must have 1 to %d", p->number,
            p->out->d, (int)POINTS_MOST_DIMENSIONS);
    return code;
}

/* ---- points ---- */

static int take_point(parser *p)
{
    points *out = p->out;
    if (!points_reserve(out, &p->room, 1))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t j = 0; j < out->d; j++)
        if (!parse_cell(p->row.cells[p->take[j]], &out->x[out->n * out->d + j]))
            return app_fail(APP_DATA, p->subject, "line %zu, cell %zu is no number%s", p->number, p->take[j] + 1,
                p->number == 1 ? "; if the first line has names, say --header yes"
                               : "; see --columns if it is none of the coordinates");
    if (p->label != SIZE_MAX && !words_add(&p->terms->labels, p->row.cells[p->label], strlen(p->row.cells[p->label])))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    out->n++;
    return APP_OK;
}

static int take_line(parser *p, char *line)
{
    bool is_point = true;
    if (line[strspn(line, " \t\r")] == '\0')
        return APP_OK;
    int code = split(p, line);
    if (code == APP_OK && p->take == NULL)
        code = take_first(p, &is_point);
    if (code == APP_OK && p->row.count != p->width)
        code = app_fail(
            APP_DATA, p->subject, "line %zu has %zu cells, must have %zu as the first", p->number, p->row.count, p->width);
    return code == APP_OK && is_point ? take_point(p) : code;
}

int csv_parse(points *out, char *text, size_t n, csv_terms *terms, const char *subject)
{
    parser p = { .terms = terms, .subject = subject, .out = out };
    int code = APP_OK;
    *out = (points){ 0 };
    if (memchr(text, '\0', n) != NULL)
        return app_fail(APP_DATA, subject, "has a NUL byte, must be CSV, .npy or idx");
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    while (code == APP_OK && *text != '\0') {
        char *end = text + strcspn(text, "\n");
        const bool is_last = *end == '\0';
        *end = '\0';
        p.number++;
        code = take_line(&p, text);
        text = end + !is_last;
    }
    if (code == APP_OK && p.take == NULL)
        code = app_fail(APP_DATA, subject, "is empty, must have points");
    free(p.take);
    free(p.row.cells);
    return code;
}
