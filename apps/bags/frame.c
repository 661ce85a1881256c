/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* frame.c - reading tables into columns. */
#include "frame.h"

#include "../common/exit.h"
#include "../common/json.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 256, WORD_SIZE = 4100, MOST_BINS = 32768 };

static int no_memory(void)
{
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

void frame_free(frame *f)
{
    for (size_t j = 0; f->columns != NULL && j < f->count; j++) {
        frame_column *c = &f->columns[j];
        for (size_t v = 0; v < c->value_count; v++)
            free(c->values[v]);
        free(c->values);
        free(c->numbers);
        free(c->codes);
        free(c->name);
    }
    free(f->columns);
    *f = (frame){ 0 };
}

const frame_column *frame_find(const frame *f, const char *name)
{
    for (size_t j = 0; j < f->count; j++)
        if (strcmp(f->columns[j].name, name) == 0)
            return &f->columns[j];
    return NULL;
}

/* ---- cells ---- */

static bool make_room(frame *f, size_t rows)
{
    if (f->rows + rows <= f->room)
        return true;
    const size_t room = 2 * f->room > f->rows + rows ? 2 * f->room : f->rows + rows;
    for (size_t j = 0; j < f->count; j++) {
        frame_column *c = &f->columns[j];
        double *numbers = reallocarray(c->numbers, room, sizeof *numbers);
        if (numbers != NULL)
            c->numbers = numbers;
        int32_t *codes = reallocarray(c->codes, room, sizeof *codes);
        if (codes != NULL)
            c->codes = codes;
        if (numbers == NULL || codes == NULL)
            return false;
    }
    f->room = room;
    return true;
}

/* The code of a value, which is taken in if there is room; -2: there is none, or memory lacks. */
static int32_t code_of(frame_column *c, const char *word)
{
    for (size_t v = 0; v < c->value_count; v++)
        if (strcmp(c->values[v], word) == 0)
            return (int32_t)v;
    if (c->value_count == MOST_VALUES) {
        c->is_overfull = true;
        return -2;
    }
    if (c->values == NULL)
        c->values = calloc(MOST_VALUES, sizeof *c->values);
    char *own = c->values == NULL ? NULL : strdup(word);
    if (own == NULL) {
        c->is_overfull = true;
        return -2;
    }
    c->values[c->value_count] = own;
    return (int32_t)c->value_count++;
}

static void add_word(frame_column *c, size_t row, const char *word)
{
    c->numbers[row] = NAN;
    c->codes[row] = -1;
    if (word[0] == '\0')
        return;
    if (!app_parse_real(word, &c->numbers[row])) {
        c->numbers[row] = NAN;
        c->has_words = true;
    }
    c->codes[row] = c->is_overfull && !c->has_words ? -2 : code_of(c, word); /* numbers of many values are no category */
}

/* ---- without a schema ---- */

static int add_block(frame *f, const nw_csv_reader *reader, size_t rows)
{
    char word[WORD_SIZE];
    if (!make_room(f, rows))
        return no_memory();
    for (size_t j = 0; j < f->count; j++)
        for (size_t k = 0; k < rows; k++) {
            size_t size = 0;
            const char *text = nw_csv_reader_text(reader, j, k, &size);
            size = size < sizeof word - 1 ? size : sizeof word - 1;
            if (size > 0)
                memcpy(word, text, size);
            word[size] = '\0';
            add_word(&f->columns[j], f->rows + k, word);
        }
    f->rows += rows;
    return APP_OK;
}

static int make_columns(frame *f, const nw_schema *schema)
{
    f->count = nw_schema_columns(schema);
    f->columns = calloc(f->count + 1, sizeof *f->columns);
    for (size_t j = 0; f->columns != NULL && j < f->count; j++) {
        f->columns[j].name = strdup(nw_schema_column(schema, j).name);
        if (f->columns[j].name == NULL)
            return no_memory();
    }
    return f->columns == NULL ? no_memory() : APP_OK;
}

/* The positive label is known by its code, however many others there are. */
static bool expect(frame *f, const frame_opts *o)
{
    for (size_t j = 0; o->positive != NULL && j < f->count; j++)
        if (strcmp(f->columns[j].name, o->target) == 0 && code_of(&f->columns[j], o->positive) != 0)
            return false;
    return true;
}

static int read_texts(frame *f, const char *path, const frame_opts *o)
{
    nw_error err;
    nw_schema *schema = NULL;
    nw_csv_reader *reader = NULL;
    size_t rows = 1;
    if (nw_schema_of_header(&schema, path, &err) != NW_OK)
        return app_fail_error(path, &err);
    int code = make_columns(f, schema);
    if (code == APP_OK && !expect(f, o))
        code = no_memory();
    if (code == APP_OK && nw_csv_reader_open(&reader, schema, path, NULL, &err) != NW_OK)
        code = app_fail_error(path, &err);
    while (code == APP_OK && rows > 0)
        code = nw_csv_reader_next(reader, &rows, &err) == NW_OK ? add_block(f, reader, rows) : app_fail_error(path, &err);
    nw_csv_reader_close(reader);
    nw_schema_free(schema);
    return code;
}

/* Values in the order of their bytes, so that the features do not depend on that of the rows. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool sort_values(frame_column *c, size_t rows)
{
    char **sorted = calloc(c->value_count + 1, sizeof *sorted);
    int32_t to[MOST_VALUES];
    if (sorted == NULL)
        return false;
    if (c->value_count > 0)
        memcpy(sorted, c->values, c->value_count * sizeof *sorted);
    qsort(sorted, c->value_count, sizeof *sorted, by_text);
    for (size_t v = 0; v < c->value_count; v++)
        for (size_t w = 0; w < c->value_count; w++)
            if (sorted[w] == c->values[v])
                to[v] = (int32_t)w;
    for (size_t i = 0; i < rows; i++)
        if (c->codes[i] >= 0)
            c->codes[i] = to[c->codes[i]];
    free(c->values);
    c->values = sorted;
    return true;
}

/* What the plan takes a column for: 1 a category, 0 a number, -1: it does not know. */
static int planned_kind(const feature_plan *plan, const char *name)
{
    for (size_t i = 0; plan != NULL && i < plan->count; i++)
        if (strcmp(plan->items[i].column, name) == 0)
            return plan->items[i].value != NULL;
    return -1;
}

static int settle_kinds(frame *f, const char *path, const feature_plan *plan)
{
    for (size_t j = 0; j < f->count; j++) {
        frame_column *c = &f->columns[j];
        const int kind = planned_kind(plan, c->name);
        c->is_category = kind >= 0 ? kind == 1 : c->has_words;
        if (c == f->target)
            continue; /* labels decide nothing */
        if (plan == NULL && c->is_category && c->is_overfull)
            return app_fail(APP_DATA, path, "%s has more than %d values that are no numbers: leave it out, or give a --schema",
                c->name, MOST_VALUES);
        if (c->is_category && !sort_values(c, f->rows))
            return no_memory();
    }
    return APP_OK;
}

/* ---- by a schema ---- */

typedef struct scan {
    frame *frame;
    bool has_failed;
} scan;

static bool add_row(void *context, const double *values)
{
    scan *s = context;
    frame *f = s->frame;
    if (!make_room(f, 1)) {
        s->has_failed = true;
        return false;
    }
    for (size_t j = 0; j < f->count; j++) {
        frame_column *c = &f->columns[j];
        c->numbers[f->rows] = values[j];
        c->codes[f->rows] = c->is_category && !isnan(values[j]) ? (int32_t)values[j] : -1;
    }
    f->rows++;
    return true;
}

static bool has_column(const char *path, const char *name)
{
    nw_schema *header = NULL;
    bool is_there = false;
    if (nw_schema_of_header(&header, path, NULL) == NW_OK)
        for (size_t j = 0; j < nw_schema_columns(header); j++)
            is_there |= strcmp(nw_schema_column(header, j).name, name) == 0;
    nw_schema_free(header);
    return is_there;
}

static int name_values(frame *f, const nw_schema *schema, const char *subject)
{
    for (size_t j = 0; j < f->count; j++) {
        frame_column *c = &f->columns[j];
        const nw_column k = nw_schema_column(schema, j);
        if (k.type == NW_COLUMN_TEXT)
            return app_fail(APP_USAGE, subject, "%s is a column of text, which becomes no features", c->name);
        c->is_category = k.type == NW_COLUMN_CATEGORICAL || k.type == NW_COLUMN_BOOL || k.type == NW_COLUMN_CODE;
        if (!c->is_category)
            continue;
        const size_t values = k.cells - k.is_nullable;
        c->values = calloc(values + 1, sizeof *c->values);
        for (size_t v = 0; c->values != NULL && v < values; v++) {
            char text[32];
            const char *label = nw_schema_label(schema, j, (uint32_t)v);
            snprintf(text, sizeof text, "%zu", v);
            if (k.type == NW_COLUMN_BOOL)
                label = v == 1 ? "true" : "false";
            c->values[v] = strdup(label == NULL ? text : label);
            if (c->values[v] == NULL)
                return no_memory();
            c->value_count = v + 1;
        }
        if (c->values == NULL)
            return no_memory();
    }
    return APP_OK;
}

static int read_by_schema(frame *f, const char *path, const frame_opts *o)
{
    nw_error err;
    nw_schema *schema = NULL;
    scan s = { f, false };
    json_t *root = json_loads(o->schema, JSON_REJECT_DUPLICATES, NULL);
    if (root != NULL && !o->needs_target && !has_column(path, o->target))
        json_object_del(root, o->target);
    char *text = root == NULL ? strdup(o->schema) : app_json_dump(root, JSON_COMPACT); /* what is no JSON is told by the schema */
    if (text == NULL)
        return no_memory();
    const nw_status status = nw_schema_parse(&schema, text, MOST_BINS, &err);
    free(text);
    if (status != NW_OK)
        return app_fail_error("--schema", &err);
    int code = make_columns(f, schema);
    if (code == APP_OK)
        code = name_values(f, schema, "--schema");
    if (code == APP_OK && nw_table_scan_csv(schema, path, add_row, &s, &err) != NW_OK)
        code = s.has_failed ? no_memory() : app_fail_error(path, &err);
    nw_schema_free(schema);
    return code;
}

int frame_read(frame *out, const char *path, const frame_opts *opts)
{
    int code = opts->schema != NULL ? read_by_schema(out, path, opts) : read_texts(out, path, opts);
    if (code != APP_OK)
        return code;
    for (size_t j = 0; j < out->count; j++)
        if (strcmp(out->columns[j].name, opts->target) == 0)
            out->target = &out->columns[j];
    if (opts->needs_target && out->target == NULL)
        return app_fail(APP_USAGE, "--target", "is \"%s\", must be a column of %s", opts->target, path);
    return opts->schema != NULL ? APP_OK : settle_kinds(out, path, opts->plan);
}

double frame_label(const frame *f, size_t row, bool classify, const char *positive)
{
    const frame_column *c = f->target;
    const int32_t code = c->codes[row];
    if (!classify)
        return c->numbers[row];
    if (positive != NULL)
        return code == -1 ? NAN : (code >= 0 && strcmp(c->values[code], positive) == 0 ? 1.0 : -1.0);
    return isnan(c->numbers[row]) ? NAN : (c->numbers[row] > 0.0 ? 1.0 : -1.0);
}
