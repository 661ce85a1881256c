/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* table.c - see table.h. The label column is read as text, because a label that the schema does not know must be an error: the
 * schema's own rule, to count it as missing, would train on nothing. */
#include "table.h"

#include "columns.h"
#include "exit.h"
#include "numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 16, PLAIN_NUMBERS = 2, WORD_SIZE = 4100, BLOCK_ROWS = 65536 };

/* ---- features of a number ---- */

static uint32_t parts_of(const nw_column *c)
{
    const double values = c->step > 0.0 ? floor((c->upper - c->lower) / c->step) + 1.0 : MOST_PARTS;
    return values < MOST_PARTS ? (uint32_t)values : MOST_PARTS;
}

/* The place alone, on the scale that the schema names. */
static void plain_feature(const nw_column *c, double x, float *out)
{
    if (!isnan(x))
        out[0] = (float)(2.0 * (c->is_log ? app_column_log_place(c, x) : app_column_place(c, x)) - 1.0);
    else if (c->is_nullable)
        out[1] = 1.0F;
}

static void number_features(const nw_column *c, double x, float *out)
{
    const uint32_t parts = parts_of(c);
    if (isnan(x)) {
        if (c->is_nullable)
            out[PLAIN_NUMBERS + parts] = 1.0F;
        return;
    }
    const double log_place = app_column_log_place(c, x);
    const double scaled = (c->is_log ? log_place : app_column_place(c, x)) * parts;
    out[0] = (float)(2.0 * app_column_place(c, x) - 1.0);
    out[1] = (float)(2.0 * log_place - 1.0);
    out[PLAIN_NUMBERS + (scaled < parts ? (uint32_t)scaled : parts - 1)] = 1.0F;
}

/* ---- plan ---- */

static size_t features_of(const nw_column *c, table_features features)
{
    if (!app_column_is_number(c))
        return c->cells;
    return (features == TABLE_PLAIN ? 1 : (size_t)PLAIN_NUMBERS + parts_of(c)) + c->is_nullable;
}

static int plan_target(table_plan *plan, const char *subject)
{
    const nw_column c = nw_schema_column(plan->schema, plan->target);
    if (plan->task == TABLE_REGRESS && !app_column_is_number(&c))
        return app_fail(
            APP_USAGE, "--target", "%s is no column of numbers in %s, must be one with --task regress", c.name, subject);
    if (plan->task == TABLE_REGRESS)
        return APP_OK;
    if (!app_column_has_classes(&c))
        return app_fail(
            APP_USAGE, "--target", "%s has no list of values in %s, must have one unless --task is regress", c.name, subject);
    plan->classes = app_column_classes(&c);
    if (plan->classes < 2)
        return app_fail(APP_USAGE, "--target", "%s has one value in %s, must have two or more", c.name, subject);
    return APP_OK;
}

int table_plan_make(
    table_plan *plan, nw_schema *schema, const char *target, table_task task, table_features features, const char *subject)
{
    const size_t n = nw_schema_columns(schema);
    *plan = (table_plan){ .schema = schema, .task = task, .features = features, .target = TABLE_NO_TARGET };
    plan->first = calloc(n + 1, sizeof *plan->first);
    if (plan->first == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const nw_column c = nw_schema_column(schema, i);
        plan->first[i] = plan->width;
        if (strcmp(c.name, target) == 0)
            plan->target = i;
        else if (c.type == NW_COLUMN_TEXT)
            return app_fail(APP_USAGE, subject, "%s is a column of text, which becomes no features", c.name);
        else
            plan->width += features_of(&c, features);
    }
    if (plan->target == TABLE_NO_TARGET)
        return app_fail(APP_USAGE, "--target", "is \"%s\", must be a column of %s", target, subject);
    if (plan->width == 0)
        return app_fail(APP_USAGE, subject, "has no column but the target");
    return plan_target(plan, subject);
}

void table_plan_free(table_plan *plan)
{
    nw_schema_free(plan->schema);
    free(plan->first);
    *plan = (table_plan){ 0 };
}

/* ---- labels ---- */

char *table_class_name(const table_plan *plan, uint32_t class)
{
    return app_class_name(plan->schema, plan->target, class);
}

double table_target_unit(const table_plan *plan)
{
    const nw_column c = nw_schema_column(plan->schema, plan->target);
    return 0.5 * (c.upper - c.lower);
}

double table_target_value(const table_plan *plan, double place)
{
    const nw_column c = nw_schema_column(plan->schema, plan->target);
    return c.lower + (place + 1.0) * table_target_unit(plan);
}

/* ---- reading ---- */

typedef struct reading {
    const table_plan *plan;
    const char *path;
    nw_schema *schema; /* the plan's, with the label column as text, or without it */
    size_t *column;    /* of the plan's schema, for each column of this one */
    size_t target;     /* of this one, or TABLE_NO_TARGET */
    bool needs_target;
    nw_csv_reader *reader;
    table_part *part;
    size_t client; /* column of this schema that names the client, or TABLE_NO_TARGET */
    examples *out;
    size_t room;
    uint16_t *codes;
    uint32_t *kept; /* the rows of a block that are */
    size_t kept_count;
} reading;

/* Which column of the plan each column is; numbers are wanted as they stand in the file. */
static int open_reader(reading *r)
{
    nw_error err;
    const size_t n = nw_schema_columns(r->schema);
    const table_plan *plan = r->plan;
    r->target = r->client = TABLE_NO_TARGET;
    r->column = calloc(n, sizeof *r->column);
    r->codes = calloc(BLOCK_ROWS, sizeof *r->codes);
    r->kept = calloc(BLOCK_ROWS, sizeof *r->kept);
    if (r->column == NULL || r->codes == NULL || r->kept == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    nw_status status = nw_csv_reader_open(&r->reader, r->schema, r->path, NULL, &err);
    for (size_t i = 0; status == NW_OK && i < n; i++) {
        const nw_column c = nw_schema_column(r->schema, i);
        while (strcmp(nw_schema_column(plan->schema, r->column[i]).name, c.name) != 0)
            r->column[i]++;
        if (r->column[i] == r->part->client)
            r->client = i;
        if (r->column[i] == plan->target)
            r->target = i;
        else if (app_column_is_number(&c))
            status = nw_csv_reader_want_numbers(r->reader, i, &err);
    }
    return status == NW_OK ? APP_OK : app_fail_error(r->path, &err);
}

static int make_room(reading *r, size_t rows)
{
    examples *out = r->out;
    if (out->count + rows <= r->room)
        return APP_OK;
    const size_t room = 2 * r->room > out->count + rows ? 2 * r->room : out->count + rows;
    float *reals = reallocarray(out->reals, room * out->width, sizeof *reals);
    if (reals != NULL)
        out->reals = reals;
    int32_t *labels = r->plan->task == TABLE_CLASSIFY ? reallocarray(out->labels, room, sizeof *labels) : NULL;
    if (labels != NULL)
        out->labels = labels;
    float *targets = r->plan->task == TABLE_REGRESS ? reallocarray(out->targets, room, sizeof *targets) : NULL;
    if (targets != NULL)
        out->targets = targets;
    if (reals == NULL || (labels == NULL && targets == NULL))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    r->room = room;
    return APP_OK;
}

static int get_codes(reading *r, size_t i, size_t rows)
{
    nw_error err;
    const nw_status status = nw_table_get(nw_csv_reader_block(r->reader), i, 0, rows, r->codes, &err);
    return status == NW_OK ? APP_OK : app_fail_error(r->path, &err);
}

/* Which rows of a block are of this part. Clients stay together. */
static int choose_rows(reading *r, size_t rows)
{
    table_part *part = r->part;
    const int code = r->client == TABLE_NO_TARGET ? APP_OK : get_codes(r, r->client, rows);
    r->kept_count = 0;
    for (size_t k = 0; code == APP_OK && k < rows; k++) {
        const size_t owner = r->client == TABLE_NO_TARGET ? part->rows + k : r->codes[k];
        if (r->client != TABLE_NO_TARGET && part->client_rows != NULL)
            part->client_rows[r->codes[k]]++;
        if (owner % part->parts == part->index)
            r->kept[r->kept_count++] = (uint32_t)k;
    }
    return code;
}

/* One column of a block into its features. */
static int add_column(reading *r, size_t i, size_t rows)
{
    const size_t width = r->out->width;
    const nw_column c = nw_schema_column(r->schema, i);
    void (*const features)(const nw_column *, double, float *) =
        r->plan->features == TABLE_PLAIN ? plain_feature : number_features;
    float *at = r->out->reals + r->out->count * width + r->plan->first[r->column[i]];
    if (app_column_is_number(&c)) {
        const double *x = nw_csv_reader_numbers(r->reader, i);
        for (size_t k = 0; k < r->kept_count; k++)
            features(&c, x[r->kept[k]], at + k * width);
        return APP_OK;
    }
    const int code = get_codes(r, i, rows);
    for (size_t k = 0; code == APP_OK && k < r->kept_count; k++)
        at[k * width + r->codes[r->kept[k]]] = 1.0F;
    return code;
}

/* The label of the row of a block that is kept as the k-th, into out. */
static int add_label(reading *r, size_t kept)
{
    char word[WORD_SIZE];
    size_t size = 0;
    double x = 0.0;
    const size_t row = r->kept[kept];
    const size_t record = r->part->rows + row + 1; /* in the file */
    const size_t k = r->out->count + kept;
    const nw_column c = nw_schema_column(r->plan->schema, r->plan->target);
    const char *text = nw_csv_reader_text(r->reader, r->target, row, &size);
    size = size < sizeof word - 1 ? size : sizeof word - 1;
    if (size > 0)
        memcpy(word, text, size);
    word[size] = '\0';
    if (r->plan->task == TABLE_CLASSIFY) {
        r->out->labels[k] = app_class_of(r->plan->schema, r->plan->target, word);
        if (r->out->labels[k] < 0)
            return app_fail(APP_DATA, r->path, "record %zu: %s is %s, must be one of the schema's %u values", record, c.name,
                size == 0 ? "missing" : "not in the schema", r->plan->classes);
        return APP_OK;
    }
    if (!app_parse_real(word, &x))
        return app_fail(
            APP_DATA, r->path, "record %zu: %s is %s, must be a number", record, c.name, size == 0 ? "missing" : "no number");
    r->out->targets[k] = (float)(2.0 * app_column_place(&c, fmin(fmax(x, c.lower), c.upper)) - 1.0);
    return APP_OK;
}

static int add_block(reading *r, size_t rows)
{
    examples *out = r->out;
    int code = choose_rows(r, rows);
    if (code == APP_OK)
        code = make_room(r, r->kept_count);
    if (code != APP_OK)
        return code;
    memset(out->reals + out->count * out->width, 0, r->kept_count * out->width * sizeof *out->reals);
    for (size_t i = 0; code == APP_OK && i < nw_schema_columns(r->schema); i++)
        if (i != r->target)
            code = add_column(r, i, rows);
    for (size_t k = 0; code == APP_OK && r->needs_target && k < r->kept_count; k++)
        code = add_label(r, k);
    out->count += r->kept_count; /* also after a failure, so that what was read is wiped */
    r->part->rows += rows;
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

int table_read(examples *out, const table_plan *plan, const char *path, bool needs_target, table_part *part)
{
    table_part all = TABLE_ALL;
    reading r = { .plan = plan, .path = path, .needs_target = needs_target, .out = out, .part = part == NULL ? &all : part };
    *out = (examples){ .kind = EXAMPLES_REALS, .width = plan->width, .classes = plan->classes };
    int code =
        app_schema_with_text(&r.schema, plan->schema, nw_schema_column(plan->schema, plan->target).name, path, needs_target);
    if (code == APP_OK)
        code = open_reader(&r);
    if (code == APP_OK)
        code = read_blocks(&r);
    nw_csv_reader_close(r.reader);
    nw_schema_free(r.schema);
    free(r.column);
    free(r.codes);
    free(r.kept);
    return code;
}
