/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* coordinates.c - see coordinates.h. The label's column is read as text: the schema's own rule, to count what it does not know
 * as missing, would put points into a class that they are not of. */
#include "coordinates.h"

#include "../common/columns.h"
#include "../common/exit.h"
#include "../common/json.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CODES = 65536 };

static int add_column(coordinate *out, size_t *n, const nw_schema *schema, size_t column, const char *subject)
{
    const nw_column c = nw_schema_column(schema, column);
    const bool is_number = app_column_is_number(&c);
    if (c.type == NW_COLUMN_TEXT)
        return app_fail(APP_USAGE, subject, "%s is a column of text, which becomes no coordinates; see --columns", c.name);
    for (uint32_t code = 0; code < (is_number ? 1 : c.cells); code++) {
        if (*n == POINTS_MOST_DIMENSIONS)
            return app_fail(APP_USAGE, subject, "makes more than %d coordinates; see --columns", (int)POINTS_MOST_DIMENSIONS);
        out[(*n)++] = (coordinate){ column, code, is_number };
    }
    return APP_OK;
}

int coordinates_of(coordinate **out, size_t *n, const coordinate_terms *t, const char *subject)
{
    int code = APP_OK;
    const size_t columns = nw_schema_columns(t->schema);
    const size_t wanted = t->columns->count == 0 ? columns : t->columns->count;
    *n = 0;
    *out = calloc(POINTS_MOST_DIMENSIONS, sizeof **out);
    if (*out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; code == APP_OK && i < wanted; i++) {
        const size_t column = t->columns->count == 0 ? i : app_find_column(t->schema, t->columns->items[i]);
        if (column == columns)
            code = app_fail(APP_USAGE, "--columns", "has \"%s\", must be columns of %s", t->columns->items[i], subject);
        else if (t->label == NULL || strcmp(nw_schema_column(t->schema, column).name, t->label) != 0)
            code = add_column(*out, n, t->schema, column, subject);
    }
    return code == APP_OK && *n == 0 ? app_fail(APP_USAGE, subject, "has no column that becomes a coordinate") : code;
}

typedef struct reading {
    const coordinate_terms *terms;
    const char *path;
    nw_schema *schema; /* as this file is read */
    nw_csv_reader *reader;
    coordinate *coordinates; /* of the terms' schema */
    size_t *column;          /* of this schema, for each column of the other */
    size_t label;            /* of this schema; SIZE_MAX: not wanted */
    uint16_t *codes;
    points *out;
    size_t room;
    words *labels;
} reading;

static bool is_coordinate(const reading *r, size_t column)
{
    for (size_t j = 0; j < r->out->d; j++)
        if (r->coordinates[j].column == column)
            return true;
    return false;
}

/* Takes those columns out of the schema that the file at `path` lacks and that nobody needs. */
static int drop_missing(const reading *r, json_t *root)
{
    nw_error err;
    nw_schema *header = NULL;
    const nw_schema *all = r->terms->schema;
    if (strcmp(r->path, "-") == 0) /* a header cannot be read twice: there must be all */
        return APP_OK;
    if (nw_schema_of_header(&header, r->path, &err) != NW_OK)
        return app_fail_error(r->path, &err);
    for (size_t i = 0; i < nw_schema_columns(all); i++) {
        const char *name = nw_schema_column(all, i).name;
        const bool is_wanted = r->labels != NULL && strcmp(name, r->terms->label) == 0;
        if (!is_wanted && !is_coordinate(r, i) && app_find_column(header, name) == nw_schema_columns(header))
            json_object_del(root, name);
    }
    nw_schema_free(header);
    return APP_OK;
}

/* The schema as this file is read: the label as text. */
static int make_schema(reading *r)
{
    nw_error err;
    const nw_schema *all = r->terms->schema;
    json_t *root = json_loads(nw_schema_json(all), JSON_REJECT_DUPLICATES, NULL);
    const int code = drop_missing(r, root);
    if (r->terms->label != NULL && json_object_get(root, r->terms->label) != NULL)
        json_object_set_new(root, r->terms->label, json_pack("{s:s}", "type", "text"));
    char *text = app_json_dump(root, JSON_COMPACT);
    if (code != APP_OK || text == NULL) {
        free(text);
        return code != APP_OK ? code : app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    const nw_status status = nw_schema_parse(&r->schema, text, nw_schema_max_bins(all), &err);
    free(text);
    return status == NW_OK ? APP_OK : app_fail_error(r->path, &err);
}

static int open_reader(reading *r)
{
    nw_error err;
    const nw_schema *all = r->terms->schema;
    const size_t n = nw_schema_columns(r->schema);
    r->column = calloc(nw_schema_columns(all), sizeof *r->column);
    r->codes = calloc(MOST_CODES, sizeof *r->codes);
    if (r->column == NULL || r->codes == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < nw_schema_columns(all); i++)
        r->column[i] = app_find_column(r->schema, nw_schema_column(all, i).name);
    r->label = r->labels == NULL ? SIZE_MAX : app_find_column(r->schema, r->terms->label);
    nw_status status = nw_csv_reader_open(&r->reader, r->schema, r->path, NULL, &err);
    for (size_t i = 0; status == NW_OK && i < n; i++) {
        const nw_column c = nw_schema_column(r->schema, i);
        if (app_column_is_number(&c))
            status = nw_csv_reader_want_numbers(r->reader, i, &err);
    }
    return status == NW_OK ? APP_OK : app_fail_error(r->path, &err);
}

/* Coordinate j of the rows of a block. Codes are got once a column. */
static int add_coordinate(reading *r, size_t j, size_t rows)
{
    nw_error err;
    points *out = r->out;
    const coordinate *c = &r->coordinates[j];
    const size_t column = r->column[c->column];
    float *at = out->x + out->n * out->d + j;
    if (c->is_number) {
        const double *x = nw_csv_reader_numbers(r->reader, column);
        for (size_t i = 0; i < rows; i++)
            at[i * out->d] = (float)x[i];
        return APP_OK;
    }
    if (c->code == 0 && nw_table_get(nw_csv_reader_block(r->reader), column, 0, rows, r->codes, &err) != NW_OK)
        return app_fail_error(r->path, &err);
    for (size_t i = 0; i < rows; i++)
        at[i * out->d] = r->codes[i] == c->code ? 1.0F : 0.0F;
    return APP_OK;
}

static int add_block(reading *r, size_t rows)
{
    int code = APP_OK;
    if (!points_reserve(r->out, &r->room, rows))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t j = 0; code == APP_OK && j < r->out->d; j++)
        code = add_coordinate(r, j, rows);
    for (size_t i = 0; code == APP_OK && r->label != SIZE_MAX && i < rows; i++) {
        size_t size = 0;
        const char *text = nw_csv_reader_text(r->reader, r->label, i, &size);
        if (!words_add(r->labels, text == NULL ? "" : text, size))
            code = app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    r->out->n += rows;
    return code;
}

static int read_blocks(reading *r)
{
    for (;;) {
        nw_error err;
        size_t rows = 0;
        if (nw_csv_reader_next(r->reader, &rows, &err) != NW_OK)
            return app_fail_error(r->path, &err);
        if (rows == 0)
            return APP_OK;
        const int code = add_block(r, rows);
        if (code != APP_OK)
            return code;
    }
}

int coordinates_read(points *out, words *labels, const coordinate_terms *t, const char *path)
{
    reading r = { .terms = t, .path = path, .out = out, .labels = labels };
    *out = (points){ 0 };
    int code = coordinates_of(&r.coordinates, &out->d, t, path);
    if (code == APP_OK)
        code = make_schema(&r);
    if (code == APP_OK)
        code = open_reader(&r);
    if (code == APP_OK)
        code = read_blocks(&r);
    nw_csv_reader_close(r.reader);
    nw_schema_free(r.schema);
    free(r.coordinates);
    free(r.column);
    free(r.codes);
    if (code != APP_OK)
        points_free(out);
    return code;
}
