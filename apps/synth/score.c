/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score.c - nw-synth score: how far a synthetic table is from the real one. What it says is as private as the real table: not at
 * all. */
#include "../common/codes.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/progress.h"
#include "score_measures.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BINS 20
#define DEFAULT_QUERIES 2000
#define MOST_SETS 20000 /* all threes of 50 columns */

enum { SYNTHETIC, RESAMPLED, PERMUTED, TABLES };
static const char *const table_names[TABLES] = { "synthetic", "resampled", "permuted" };

/* How one table does. */
typedef struct marks {
    uint64_t violations; /* rows that break a rule; of the synthetic table only */
    score_variation variation[SCORE_MAX_WAYS];
    score_number *numbers;
    size_t number_count;
    score_spread queries[SCORE_FAMILIES];
    score_classifier classifier;
} marks;

typedef struct scoring {
    const settings *settings;
    nw_schema *schema;
    score_table real, test;
    score_table tables[TABLES];
    size_t table_count;
    score_cells cells;
    size_t target;
    double positive;
    marks marks[TABLES];
    score_classifier real_classifier;
    uint64_t real_violations;
    app_progress progress;
} scoring;

/* ---- what is asked ---- */

static int check_settings(const settings *s)
{
    if ((s->target == NULL) != (s->test == NULL))
        return app_fail(APP_USAGE, s->target == NULL ? "--target" : "--test", "missing, must be given with %s",
            s->target == NULL ? "--test" : "--target");
    if (s->positive != NULL && s->target == NULL)
        return app_fail(APP_USAGE, "--positive", "given without --target, must be with it");
    return APP_OK;
}

/* The rarer of the two values in the real table; of equals the second. */
static double rarer_value(const scoring *s)
{
    size_t counts[2] = { 0, 0 };
    for (size_t r = 0; r < s->real.rows; r++) {
        const double x = s->real.values[s->target][r];
        if (!isnan(x))
            counts[x > 0.5]++;
    }
    return counts[0] < counts[1] ? 0.0 : 1.0;
}

static int find_positive(scoring *s)
{
    const settings *given = s->settings;
    const nw_column column = nw_schema_column(s->schema, s->target);
    const uint32_t values = column.cells - (column.is_nullable ? 1 : 0);
    if (given->positive == NULL && values != 2)
        return app_fail(APP_USAGE, "--positive", "missing, must be given: %s has %u values, not two", given->target, values);
    s->positive = given->positive == NULL ? rarer_value(s) : NAN;
    for (uint32_t code = 0; given->positive != NULL && code < values; code++) {
        char *text = app_code_text(s->schema, s->target, code, code);
        if (text != NULL && strcmp(text, given->positive) == 0)
            s->positive = code;
        free(text);
    }
    return isnan(s->positive)
               ? app_fail(APP_USAGE, "--positive", "is \"%s\", must be a value of %s", given->positive, given->target)
               : APP_OK;
}

static int find_target(scoring *s)
{
    const char *name = s->settings->target;
    s->target = SIZE_MAX;
    for (size_t c = 0; name != NULL && c < nw_schema_columns(s->schema); c++) {
        if (strcmp(nw_schema_column(s->schema, c).name, name) == 0)
            s->target = c;
    }
    if (name != NULL && s->target == SIZE_MAX)
        return app_fail(APP_USAGE, "--target", "is \"%s\", must be a column of the schema", name);
    if (name != NULL && score_is_numeric(s->schema, s->target))
        return app_fail(APP_USAGE, "--target", "is %s, a column of numbers or dates, must be a column of categories", name);
    return APP_OK;
}

/* ---- reading ---- */

static int out_of_memory(void)
{
    return app_fail(APP_INTERNAL, "score", "out of memory");
}

static int read_all(scoring *s)
{
    const settings *given = s->settings;
    settings whole = *given;
    whole.bins = 0; /* those of the option are the score's */
    int code = settings_read_schema(&whole, &s->schema);
    if (code == APP_OK)
        code = find_target(s);
    if (code == APP_OK)
        code = score_table_read(&s->real, s->schema, given->operands[0], &s->progress);
    if (code == APP_OK && given->target != NULL)
        code = find_positive(s);
    if (code == APP_OK)
        code = score_table_read(&s->tables[SYNTHETIC], s->schema, given->operands[1], &s->progress);
    if (code == APP_OK && given->test != NULL)
        code = score_table_read(&s->test, s->schema, given->test, &s->progress);
    return code;
}

static int prepare(scoring *s)
{
    s->table_count = s->settings->has_references ? TABLES : 1;
    if (s->settings->has_references &&
        (!score_table_resample(&s->tables[RESAMPLED], &s->real) || !score_table_permute(&s->tables[PERMUTED], &s->real)))
        return out_of_memory();
    const size_t bins = s->settings->bins > 0 ? (size_t)s->settings->bins : DEFAULT_BINS;
    return score_cells_new(&s->cells, &s->real, bins) ? APP_OK : out_of_memory();
}

/* ---- measuring ---- */

/* Rows of the two files that break a rule of --constraints. */
static int count_violations(scoring *s)
{
    nw_error err;
    const char *const paths[2] = { s->settings->operands[0], s->settings->operands[1] };
    uint64_t *const counts[2] = { &s->real_violations, &s->marks[SYNTHETIC].violations };
    for (size_t i = 0; s->settings->constraints != NULL && i < 2; i++) {
        if (nw_constraints_violations_csv(s->schema, paths[i], NULL, counts[i], &err) != NW_OK)
            return app_fail_error(paths[i], &err);
    }
    return APP_OK;
}

static bool measure_table(scoring *s, size_t i)
{
    marks *m = &s->marks[i];
    m->numbers = calloc(s->real.columns, sizeof *m->numbers);
    if (m->numbers == NULL || !score_variations(&s->cells, &s->real, &s->tables[i], MOST_SETS, m->variation))
        return false;
    if (!score_numbers(&s->real, &s->tables[i], m->numbers, &m->number_count))
        return false;
    return s->target == SIZE_MAX || score_classify(&s->tables[i], &s->test, s->target, s->positive, &m->classifier);
}

static int measure(scoring *s)
{
    score_spread spread[TABLES][SCORE_FAMILIES];
    const score_table *tables[TABLES];
    const size_t queries = s->settings->query_count > 0 ? (size_t)s->settings->query_count : DEFAULT_QUERIES;
    bool is_good = true;
    for (size_t i = 0; is_good && i < s->table_count; i++) {
        app_progress_step(&s->progress, "comparing", -1.0);
        tables[i] = &s->tables[i];
        is_good = measure_table(s, i);
    }
    app_progress_step(&s->progress, "asking queries", -1.0);
    is_good = is_good && score_queries(&s->real, tables, s->table_count, queries, spread);
    for (size_t i = 0; is_good && i < s->table_count; i++)
        memcpy(s->marks[i].queries, spread[i], sizeof spread[i]);
    if (is_good && s->target != SIZE_MAX)
        is_good = score_classify(&s->real, &s->test, s->target, s->positive, &s->real_classifier);
    app_progress_end(&s->progress);
    return is_good ? APP_OK : out_of_memory();
}

/* ---- saying ---- */

static const char WARNING[] = "NOT PRIVATE: computed from the real table itself; publish nothing of it";

static json_t *spread_json(const score_spread *spread)
{
    json_t *object = json_object();
    app_json_put(&object, "average", app_json_real(spread->average));
    app_json_put(&object, "max", app_json_real(spread->largest));
    app_json_put(&object, "used", json_integer((json_int_t)spread->used));
    return object;
}

static json_t *variation_json(const scoring *s, const score_variation *v, size_t k)
{
    json_t *object = spread_json(&v->spread);
    json_t *where = json_array();
    for (size_t i = 0; v->spread.used > 0 && i < k; i++)
        json_array_append_new(where, app_json_text(nw_schema_column(s->schema, v->columns[i]).name));
    app_json_put(&object, "of", json_integer((json_int_t)v->sets));
    app_json_put(&object, "max_at", where);
    return object;
}

static json_t *numbers_json(const scoring *s, const marks *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->number_count; i++) {
        json_t *object = json_object();
        app_json_put(&object, "column", app_json_text(nw_schema_column(s->schema, m->numbers[i].column).name));
        app_json_put(&object, "ks", app_json_real(m->numbers[i].ks));
        app_json_put(&object, "w1", app_json_real(m->numbers[i].w1));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *classifier_json(const score_classifier *c)
{
    json_t *object = json_object();
    app_json_put(&object, "accuracy", app_json_real(c->accuracy));
    app_json_put(&object, "f1", app_json_real(c->f1));
    app_json_put(&object, "auc", app_json_real(c->auc));
    return object;
}

static json_t *marks_json(const scoring *s, size_t i)
{
    static const char *const ways[SCORE_MAX_WAYS] = { "tv1", "tv2", "tv3" };
    const marks *m = &s->marks[i];
    json_t *object = json_object();
    app_json_put(&object, "table", json_string(table_names[i]));
    app_json_put(&object, "rows", json_integer((json_int_t)s->tables[i].rows));
    for (size_t k = 0; k < SCORE_MAX_WAYS; k++)
        app_json_put(&object, ways[k], variation_json(s, &m->variation[k], k + 1));
    app_json_put(&object, "numeric", numbers_json(s, m));
    for (int f = 0; f < SCORE_FAMILIES; f++)
        app_json_put(&object, score_family_name((score_family)f), spread_json(&m->queries[f]));
    if (s->target != SIZE_MAX)
        app_json_put(&object, "classifier", classifier_json(&m->classifier));
    return object;
}

static int print_json(const scoring *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->table_count; i++)
        json_array_append_new(list, marks_json(s, i));
    json_t *object = json_object();
    app_json_put(&object, "private", json_false());
    app_json_put(&object, "warning", json_string(WARNING));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(&object, "real_rows", json_integer((json_int_t)s->real.rows));
    app_json_put(&object, "scores", list);
    if (s->target != SIZE_MAX)
        app_json_put(&object, "real_classifier", classifier_json(&s->real_classifier));
    if (s->settings->constraints != NULL) {
        app_json_put(&object, "violations", json_integer((json_int_t)s->marks[SYNTHETIC].violations));
        app_json_put(&object, "real_violations", json_integer((json_int_t)s->real_violations));
    }
    return app_print_json(object);
}

/* One line of the table: a name and a figure of each table. */
static void print_row(const scoring *s, const char *name, const double figures[TABLES])
{
    printf("%-28.28s", name);
    for (size_t i = 0; i < s->table_count; i++) {
        if (isnan(figures[i]))
            printf("  %10s", "-");
        else
            printf("  %10.4f", figures[i]);
    }
}

static void print_variations(const scoring *s)
{
    char name[64];
    for (size_t k = 0; k < SCORE_MAX_WAYS; k++) {
        double averages[TABLES] = { 0 };
        double largest[TABLES] = { 0 };
        for (size_t i = 0; i < s->table_count; i++) {
            averages[i] = s->marks[i].variation[k].spread.average;
            largest[i] = s->marks[i].variation[k].spread.largest;
        }
        snprintf(name, sizeof name, "%zu-way distance, average", k + 1);
        print_row(s, name, averages);
        snprintf(name, sizeof name, "%zu-way distance, largest", k + 1);
        putchar('\n');
        print_row(s, name, largest);
        const score_variation *v = &s->marks[SYNTHETIC].variation[k];
        for (size_t i = 0; v->spread.used > 0 && i <= k; i++) {
            snprintf(name, sizeof name, "%s", nw_schema_column(s->schema, v->columns[i]).name);
            printf("%s%s", i == 0 ? "  " : " x ", app_plain(name));
        }
        putchar('\n');
    }
}

static void print_queries(const scoring *s)
{
    static const char *const titles[SCORE_FAMILIES] = { "prefix queries", "half-space queries", "conjunctions" };
    char name[64];
    for (int f = 0; f < SCORE_FAMILIES; f++) {
        double averages[TABLES] = { 0 };
        double largest[TABLES] = { 0 };
        for (size_t i = 0; i < s->table_count; i++) {
            averages[i] = s->marks[i].queries[f].average;
            largest[i] = s->marks[i].queries[f].largest;
        }
        snprintf(name, sizeof name, "%s, average", titles[f]);
        print_row(s, name, averages);
        putchar('\n');
        snprintf(name, sizeof name, "%s, largest", titles[f]);
        print_row(s, name, largest);
        putchar('\n');
    }
}

static void print_numbers(const scoring *s)
{
    char name[64];
    for (size_t n = 0; n < s->marks[SYNTHETIC].number_count; n++) {
        double ks[TABLES] = { 0 };
        double w1[TABLES] = { 0 };
        for (size_t i = 0; i < s->table_count; i++) {
            ks[i] = s->marks[i].numbers[n].ks;
            w1[i] = s->marks[i].numbers[n].w1;
        }
        snprintf(name, sizeof name, "KS %s", nw_schema_column(s->schema, s->marks[SYNTHETIC].numbers[n].column).name);
        print_row(s, app_plain(name), ks);
        putchar('\n');
        memcpy(name, "W1", 2);
        print_row(s, name, w1);
        putchar('\n');
    }
}

static void print_classifier(const scoring *s)
{
    static const char *const titles[3] = { "classifier: accuracy", "classifier: F1", "classifier: AUC" };
    for (int k = 0; k < 3; k++) {
        double figures[TABLES] = { 0 };
        for (size_t i = 0; i <= s->table_count; i++) {
            const score_classifier *c = i < s->table_count ? &s->marks[i].classifier : &s->real_classifier;
            const double figure = k == 0 ? c->accuracy : k == 1 ? c->f1 : c->auc;
            if (i < s->table_count) {
                figures[i] = figure;
                continue;
            }
            print_row(s, titles[k], figures);
            printf("  trained on real records: %.4f\n", figure);
        }
    }
}

static int print_text(const scoring *s)
{
    printf("%s\n%zu real records, %zu synthetic\n\n%28s", WARNING, s->real.rows, s->tables[SYNTHETIC].rows, "");
    for (size_t i = 0; i < s->table_count; i++)
        printf("  %10s", table_names[i]);
    putchar('\n');
    print_variations(s);
    print_numbers(s);
    print_queries(s);
    if (s->target != SIZE_MAX)
        print_classifier(s);
    if (s->settings->constraints != NULL)
        printf("rows that break a rule        %10llu  of the real ones %llu\n",
            (unsigned long long)s->marks[SYNTHETIC].violations, (unsigned long long)s->real_violations);
    if (s->marks[SYNTHETIC].variation[2].sets > MOST_SETS)
        printf("3-way: %d of %llu sets of columns, drawn at random\n", MOST_SETS,
            (unsigned long long)s->marks[SYNTHETIC].variation[2].sets);
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

static void free_scoring(scoring *s)
{
    for (size_t i = 0; i < TABLES; i++) {
        free(s->marks[i].numbers);
        score_table_free(&s->tables[i]);
    }
    score_table_free(&s->real);
    score_table_free(&s->test);
    score_cells_free(&s->cells);
    nw_schema_free(s->schema);
}

int synth_score(const settings *given)
{
    scoring s = { .settings = given };
    app_progress_start(&s.progress, given->is_quiet);
    int code = check_settings(given);
    if (code == APP_OK)
        code = read_all(&s);
    if (code == APP_OK)
        code = prepare(&s);
    if (code == APP_OK)
        code = count_violations(&s);
    if (code == APP_OK)
        code = measure(&s);
    if (code == APP_OK)
        code = given->is_json ? print_json(&s) : print_text(&s);
    free_scoring(&s);
    return code;
}
