/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query.c - see query.h: a reader of words, and what the schema says about them. */
#include "query.h"
#include "../common/exit.h"
#include "../common/numbers.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 256, NUMBER_SIZE = 64, MOST_RANGES = 20, MOST_CELLS = 1 << 20, MOST_QUANTILES = 9999 };
/* A column of at most so many values is a histogram of its values unless another number of cells is asked for. */
static const uint32_t FEW_VALUES = 100;

typedef struct reader {
    const char *text;
    const char *at;
    const nw_schema *schema;
} reader;

static int expected(const reader *r, const char *what)
{
    return app_fail(APP_USAGE, "--query", "\"%s\" has %s at character %d, must have %s there", r->text,
        *r->at == '\0' ? "nothing" : "something else", (int)(r->at - r->text) + 1, what);
}

static void skip_blanks(reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool take(reader *r, const char *token)
{
    skip_blanks(r);
    const size_t length = strlen(token);
    if (strncmp(r->at, token, length) != 0)
        return false;
    r->at += length;
    return true;
}

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("_-.<>=", c) != NULL) || (unsigned char)c >= 0x80;
}

/* A whole word, so that "byte" is not "by" and "te". */
static bool take_word(reader *r, const char *word)
{
    skip_blanks(r);
    const size_t length = strlen(word);
    if (strncmp(r->at, word, length) != 0 || is_name_character(r->at[length]))
        return false;
    r->at += length;
    return true;
}

static bool read_quoted(reader *r, char *out, size_t capacity)
{
    size_t n = 0;
    for (r->at++; *r->at != '\0' && n + 1 < capacity; r->at++) {
        if (*r->at == '"' && *++r->at != '"') {
            out[n] = '\0';
            return true;
        }
        out[n++] = *r->at;
    }
    return false;
}

static bool read_name(reader *r, char out[NAME_SIZE])
{
    skip_blanks(r);
    size_t n = 0;
    if (*r->at == '"')
        return read_quoted(r, out, NAME_SIZE);
    while (is_name_character(*r->at) && n + 1 < NAME_SIZE)
        out[n++] = *r->at++;
    out[n] = '\0';
    return n > 0 && !is_name_character(*r->at);
}

size_t query_find_column(const nw_schema *schema, const char *name)
{
    for (size_t i = 0; i < nw_schema_columns(schema); i++)
        if (strcmp(nw_schema_column(schema, i).name, name) == 0)
            return i;
    return QUERY_NO_COLUMN;
}

static bool is_text(const reader *r, size_t column)
{
    return nw_schema_column(r->schema, column).type == NW_COLUMN_TEXT;
}

/* Any column, also of text. */
static int read_column(reader *r, size_t *column)
{
    char name[NAME_SIZE];
    const char *start = r->at;
    if (!read_name(r, name)) {
        r->at = start;
        skip_blanks(r);
        return expected(r, "a column");
    }
    *column = query_find_column(r->schema, name);
    if (*column != QUERY_NO_COLUMN)
        return APP_OK;
    return app_fail(APP_USAGE, "--query", "\"%s\" names the column \"%s\", must name one of the schema", r->text, name);
}

/* Digits, sign, exponent, and points that are not "..". */
static int read_number(reader *r, double *out)
{
    char text[NUMBER_SIZE];
    size_t n = 0;
    skip_blanks(r);
    const char *start = r->at;
    while (n + 1 < sizeof text && (isalnum((unsigned char)*r->at) || (*r->at != '\0' && strchr("+-", *r->at) != NULL) ||
                                      (*r->at == '.' && r->at[1] != '.')))
        text[n++] = *r->at++;
    text[n] = '\0';
    if (app_parse_real(text, out))
        return APP_OK;
    r->at = start;
    return expected(r, "a number");
}

static int read_bounds(reader *r, query *q)
{
    if (!take_word(r, "in"))
        return APP_OK;
    int code = read_number(r, &q->lower);
    if (code == APP_OK && !take(r, ".."))
        code = expected(r, "\"..\"");
    if (code == APP_OK)
        code = read_number(r, &q->upper);
    if (code == APP_OK && !(q->lower < q->upper))
        return app_fail(
            APP_USAGE, "--query", "\"%s\" has bounds %g..%g, the first must be below the second", r->text, q->lower, q->upper);
    return code;
}

/* The schema's bounds, unless narrower (or other) ones are given. */
static int read_values(reader *r, query *q)
{
    double unused;
    const int code = read_column(r, &q->column);
    if (code != APP_OK)
        return code;
    const nw_column column = nw_schema_column(r->schema, q->column);
    if (column.type == NW_COLUMN_TEXT)
        return app_fail(APP_USAGE, "--query", "\"%s\": column \"%s\" is text, must have numbers", r->text, column.name);
    if (column.type == NW_COLUMN_CATEGORICAL)
        return app_fail(APP_USAGE, "--query", "\"%s\": column \"%s\" has categories, must have numbers", r->text, column.name);
    nw_schema_range(r->schema, q->column, 0, &q->lower, &unused);
    nw_schema_range(r->schema, q->column, query_values(&column) - 1, &unused, &q->upper);
    if (column.type == NW_COLUMN_INT || column.type == NW_COLUMN_FLOAT || column.type == NW_COLUMN_DATE)
        q->upper = column.upper; /* where steps end before it, numbers between them are numbers too */
    return read_bounds(r, q);
}

/* From bounds of values to the first and the last code between them. */
static int bound_codes(const reader *r, query *q)
{
    double low, high;
    const nw_column column = nw_schema_column(r->schema, q->column);
    uint32_t first = 0;
    uint32_t last = query_values(&column) - 1;
    for (nw_schema_range(r->schema, q->column, first, &low, &high); first < last && high < q->lower;)
        nw_schema_range(r->schema, q->column, ++first, &low, &high);
    for (nw_schema_range(r->schema, q->column, last, &low, &high); last > first && low > q->upper;)
        nw_schema_range(r->schema, q->column, --last, &low, &high);
    if (first == last)
        return app_fail(APP_USAGE, "--query", "\"%s\" has one value to choose from, must have at least two", r->text);
    q->lower = first;
    q->upper = last;
    return APP_OK;
}

static int read_choice(reader *r, query *q, bool has_rank)
{
    int code = read_values(r, q);
    if (code == APP_OK && has_rank && !take(r, ","))
        code = expected(r, "\",\" and a rank");
    if (code == APP_OK && has_rank)
        code = read_number(r, &q->rank);
    if (code == APP_OK && !(q->rank >= 0.0 && q->rank <= 1.0))
        return app_fail(APP_USAGE, "--query", "\"%s\" has rank %g, must be in [0, 1]", r->text, q->rank);
    return code == APP_OK ? bound_codes(r, q) : code;
}

static int read_quantiles(reader *r, query *q)
{
    double parts = 0.0;
    int code = read_values(r, q);
    if (code == APP_OK && !take(r, ","))
        code = expected(r, "\",\" and how many");
    if (code == APP_OK)
        code = read_number(r, &parts);
    if (code == APP_OK && !(parts >= 1.0 && parts <= MOST_QUANTILES && parts == floor(parts)))
        return app_fail(
            APP_USAGE, "--query", "\"%s\" has %g quantiles, must have a whole number in 1..%d", r->text, parts, MOST_QUANTILES);
    q->parts = (uint32_t)parts;
    return code == APP_OK ? bound_codes(r, q) : code;
}

static int read_cells(reader *r, query *q)
{
    const int code = read_column(r, &q->column);
    if (code != APP_OK)
        return code;
    if (is_text(r, q->column)) {
        q->figure = FIGURE_KEYS;
        return APP_OK;
    }
    const nw_column column = nw_schema_column(r->schema, q->column);
    const uint32_t values = query_values(&column);
    const bool is_cut = values > FEW_VALUES && column.type != NW_COLUMN_CATEGORICAL;
    double cells = is_cut ? MOST_RANGES : values;
    if (take(r, ",")) {
        const int number = read_number(r, &cells);
        if (number != APP_OK)
            return number;
        if (column.type == NW_COLUMN_CATEGORICAL)
            return app_fail(APP_USAGE, "--query",
                "\"%s\": the cells of column \"%s\" are its categories, no number must be given", r->text, column.name);
        if (!(cells >= 1.0 && cells <= values && cells == floor(cells)))
            return app_fail(
                APP_USAGE, "--query", "\"%s\" has %g cells, must have a whole number in 1..%u", r->text, cells, values);
    }
    q->ranges = (uint32_t)cells;
    q->cells = q->ranges + (column.cells > values);
    return APP_OK;
}

typedef struct figure_word {
    const char *word;
    figure figure;
    bool has_rank;
} figure_word;

static int read_arguments(reader *r, query *q, const figure_word *word)
{
    q->figure = word->figure;
    if (q->figure == FIGURE_COUNT)
        return APP_OK;
    if (q->figure == FIGURE_HIST)
        return read_cells(r, q);
    if (q->figure == FIGURE_QUANTILES)
        return read_quantiles(r, q);
    return query_is_choice(q) ? read_choice(r, q, word->has_rank) : read_values(r, q);
}

static int read_figure(reader *r, query *q)
{
    static const figure_word words[] = { { "count", FIGURE_COUNT, false }, { "sum", FIGURE_SUM, false },
        { "mean", FIGURE_MEAN, false }, { "var", FIGURE_VAR, false }, { "hist", FIGURE_HIST, false },
        { "median", FIGURE_QUANTILE, false }, { "quantile", FIGURE_QUANTILE, true }, { "min", FIGURE_MIN, false },
        { "max", FIGURE_MAX, false }, { "quantiles", FIGURE_QUANTILES, false } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!take_word(r, words[i].word))
            continue;
        if (!take(r, "("))
            return expected(r, "\"(\"");
        const int code = read_arguments(r, q, &words[i]);
        return code == APP_OK && !take(r, ")") ? expected(r, "\")\"") : code;
    }
    return expected(r, "one of count, sum, mean, var, hist, median, quantile, quantiles, min, max");
}

static int read_key(reader *r, query *q)
{
    if (!take_word(r, "by"))
        return APP_OK;
    const int code = read_column(r, &q->key);
    if (code != APP_OK)
        return code;
    const nw_column key = nw_schema_column(r->schema, q->key);
    if (q->figure == FIGURE_QUANTILES)
        return app_fail(APP_USAGE, "--query", "\"%s\": quantiles are of all records, \"by\" must not follow", r->text);
    if (q->figure == FIGURE_KEYS)
        return app_fail(APP_USAGE, "--query", "\"%s\": unknown keys are counted in one column, \"by\" must not follow", r->text);
    if (!is_text(r, q->key)) {
        q->keys = key.cells;
        return APP_OK;
    }
    if (q->figure != FIGURE_COUNT)
        return app_fail(APP_USAGE, "--query",
            "\"%s\": column \"%s\" is text, and only count() can be by unknown keys: list in the schema those that it finds",
            r->text, key.name);
    q->figure = FIGURE_KEYS;
    q->column = q->key;
    q->key = QUERY_NO_COLUMN;
    return APP_OK;
}

static int read_weight(reader *r, query *q)
{
    if (!take_word(r, "weight"))
        return APP_OK;
    const int code = read_number(r, &q->weight);
    if (code == APP_OK && !(q->weight >= 1e-6 && q->weight <= 1e6))
        return app_fail(APP_USAGE, "--query", "\"%s\" has weight %g, must be in [1e-06, 1e+06]", r->text, q->weight);
    return code;
}

int query_parse(query *out, const char *text, const nw_schema *schema)
{
    reader r = { text, text, schema };
    *out = (query){
        .text = text, .column = QUERY_NO_COLUMN, .key = QUERY_NO_COLUMN, .keys = 1, .cells = 1, .rank = 0.5, .weight = 1.0
    };
    int code = read_figure(&r, out);
    if (code == APP_OK)
        code = read_key(&r, out);
    if (code == APP_OK)
        code = read_weight(&r, out);
    skip_blanks(&r);
    if (code == APP_OK && *r.at != '\0')
        return expected(&r, out->key == QUERY_NO_COLUMN ? "\"by\", \"weight\" or the end" : "\"weight\" or the end");
    if (code == APP_OK && (uint64_t)out->keys * out->cells > MOST_CELLS)
        return app_fail(APP_USAGE, "--query", "\"%s\" has %llu figures, must have at most %d", text,
            (unsigned long long)out->keys * out->cells, MOST_CELLS);
    return code;
}

bool query_is_choice(const query *q)
{
    return q->figure >= FIGURE_QUANTILE && q->figure <= FIGURE_MAX;
}

bool query_has_numbers(const query *q)
{
    return q->figure == FIGURE_SUM || q->figure == FIGURE_MEAN || q->figure == FIGURE_VAR;
}

nw_stats_query query_plan(const query *q)
{
    static const nw_stats_kind kinds[] = { [FIGURE_COUNT] = NW_STATS_COUNT,
        [FIGURE_SUM] = NW_STATS_SUM,
        [FIGURE_MEAN] = NW_STATS_MEAN,
        [FIGURE_VAR] = NW_STATS_VARIANCE,
        [FIGURE_HIST] = NW_STATS_COUNT,
        [FIGURE_QUANTILE] = NW_STATS_QUANTILE,
        [FIGURE_MIN] = NW_STATS_MIN,
        [FIGURE_MAX] = NW_STATS_MAX };
    nw_stats_query plan = NW_STATS_QUERY_INIT;
    plan.kind = kinds[q->figure];
    plan.groups = (size_t)q->keys * q->cells;
    plan.lower = q->lower;
    plan.upper = q->upper;
    plan.weight = q->weight;
    plan.rank = q->rank;
    if (query_is_choice(q))
        plan.cells = (uint32_t)(q->upper - q->lower) + 1;
    return plan;
}

uint32_t query_values(const nw_column *column)
{
    return column->cells - (column->is_nullable ? 1 : 0);
}

uint32_t query_cell(const query *q, const nw_column *column, uint32_t code)
{
    const uint32_t values = query_values(column);
    return code < values ? (uint32_t)((uint64_t)code * q->ranges / values) : q->ranges;
}

uint32_t query_first_code(const query *q, const nw_column *column, uint32_t range)
{
    const uint64_t values = query_values(column);
    return (uint32_t)((range * values + q->ranges - 1) / q->ranges);
}
