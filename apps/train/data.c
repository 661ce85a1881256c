/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* data.c - see data.h. */
#include "data.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "idx.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FINEST_BINS = 65534, IDX_CLASSES = 10, TEXT_CLASSES = 2, MOST_CLASSES = 65535 };
static const char *const format_names[] = { "idx", "csv", "text" };

/* ---- plan ---- */

static int no_memory(void)
{
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

/* The label's own name is a file's, so that it is asked for. */
static int need_target(const settings *s)
{
    return s->target != NULL ? APP_OK : app_fail(APP_USAGE, "--target", "missing, must be given with --format csv and text");
}

static int plan_table(data_plan *plan, const settings *s)
{
    nw_error err;
    nw_schema *schema = NULL;
    if (s->schema == NULL)
        return app_fail(APP_USAGE, "--schema", "missing, must be given with --format csv");
    int code = app_check_input(s->schema);
    if (code == APP_OK && nw_schema_read(&schema, s->schema, FINEST_BINS, &err) != NW_OK)
        code = app_fail_error(s->schema, &err);
    if (code == APP_OK)
        code = table_plan_make(&plan->table, schema, s->target, (table_task)s->task, TABLE_RICH, s->schema);
    plan->classes = plan->table.classes;
    return code;
}

int data_plan_make(data_plan *plan, const settings *s)
{
    *plan = (data_plan){ .format = (train_format)s->format, .text = text_defaults };
    plan->classes = (uint32_t)(s->classes > 0 ? s->classes : (s->format == TRAIN_IDX ? IDX_CLASSES : TEXT_CLASSES));
    if (s->format != TRAIN_CSV && s->task == TABLE_REGRESS)
        return app_fail(APP_USAGE, "--task", "is regress, must be classify with --format %s", format_names[s->format]);
    if (s->format == TRAIN_IDX)
        return APP_OK;
    const int code = need_target(s);
    if (code != APP_OK)
        return code;
    plan->target = strdup(s->target);
    if (plan->target == NULL)
        return no_memory();
    if (s->format == TRAIN_CSV && s->classes > 0)
        return app_fail(APP_USAGE, "--classes", "is for --format idx and text, a schema lists them itself");
    return s->format == TRAIN_CSV ? plan_table(plan, s) : APP_OK;
}

void data_plan_free(data_plan *plan)
{
    table_plan_free(&plan->table);
    free(plan->target);
    *plan = (data_plan){ 0 };
}

json_t *data_plan_json(const data_plan *plan)
{
    json_t *object = json_object();
    app_json_put(&object, "format", json_string(format_names[plan->format]));
    app_json_put(&object, "classes", json_integer((json_int_t)plan->classes));
    if (plan->target != NULL)
        app_json_put(&object, "target", app_json_text(plan->target));
    if (plan->format == TRAIN_CSV)
        app_json_put(&object, "schema", json_loads(nw_schema_json(plan->table.schema), 0, NULL));
    if (plan->format == TRAIN_TEXT)
        app_json_put(&object, "text",
            json_pack("{s:i, s:i, s:b, s:b, s:i}", "bits", (int)plan->text.bits, "prefix", (int)plan->text.prefix, "bigrams",
                plan->text.has_bigrams, "bag", plan->text.is_bag, "most", (int)plan->text.most));
    if (plan->is_scattered)
        app_json_put(&object, "scattering_groups", json_integer((json_int_t)plan->groups));
    app_json_put(&object, "smoothed", json_boolean(plan->is_smoothed));
    app_json_put(&object, "unit_rows", json_boolean(plan->has_unit_rows));
    return object;
}

static int read_text_settings(text_settings *text, const json_t *json)
{
    int bits = 0;
    int prefix = 0;
    int bigrams = 0;
    int bag = 0;
    int most = 0;
    if (json_unpack((json_t *)json, "{s:i, s:i, s:b, s:b, s:i}", "bits", &bits, "prefix", &prefix, "bigrams", &bigrams, "bag",
            &bag, "most", &most) != 0 ||
        bits < 1 || bits > 24 || prefix < 0 || most < 1 || most > 4096)
        return APP_DATA;
    *text = (text_settings){ (unsigned)bits, (unsigned)prefix, bigrams != 0, bag != 0, (size_t)most };
    return APP_OK;
}

static int read_table_plan(data_plan *plan, const json_t *json, const char *subject)
{
    nw_error err;
    nw_schema *schema = NULL;
    char *text = json_dumps(json_object_get(json, "schema"), JSON_COMPACT);
    const nw_status status = text == NULL ? NW_E_FORMAT : nw_schema_parse(&schema, text, FINEST_BINS, &err);
    free(text);
    if (status != NW_OK || plan->target == NULL)
        return app_fail(APP_DATA, subject, "does not say what it was trained on");
    return table_plan_make(
        &plan->table, schema, plan->target, plan->classes == 0 ? TABLE_REGRESS : TABLE_CLASSIFY, TABLE_RICH, subject);
}

int data_plan_read(data_plan *plan, const json_t *json, const char *subject)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    const json_int_t classes = json_integer_value(json_object_get(json, "classes"));
    const json_t *groups = json_object_get(json, "scattering_groups");
    const char *target = json_string_value(json_object_get(json, "target"));
    *plan = (data_plan){ .format = TRAIN_FORMATS, .text = text_defaults };
    for (unsigned i = 0; format != NULL && i < TRAIN_FORMATS; i++)
        if (strcmp(format, format_names[i]) == 0)
            plan->format = (train_format)i;
    if (plan->format == TRAIN_FORMATS || classes < 0 || classes > MOST_CLASSES)
        return app_fail(APP_DATA, subject, "was not made by nw-train");
    plan->classes = (uint32_t)classes;
    plan->target = target == NULL ? NULL : strdup(target);
    plan->is_scattered = groups != NULL;
    plan->is_smoothed = json_is_true(json_object_get(json, "smoothed"));
    plan->has_unit_rows = json_is_true(json_object_get(json, "unit_rows"));
    plan->groups = (size_t)json_integer_value(groups);
    if (plan->format == TRAIN_TEXT && read_text_settings(&plan->text, json_object_get(json, "text")) != APP_OK)
        return app_fail(APP_DATA, subject, "does not say how its texts were read");
    return plan->format == TRAIN_CSV ? read_table_plan(plan, json, subject) : APP_OK;
}

char *data_class_name(const data_plan *plan, uint32_t class)
{
    char text[16];
    if (plan->format == TRAIN_CSV)
        return table_class_name(&plan->table, class);
    snprintf(text, sizeof text, "%u", class);
    return strdup(text);
}

/* ---- reading ---- */

int data_read(examples *out, const data_plan *plan, const char *path, bool is_test, bool needs_labels)
{
    switch (plan->format) {
    case TRAIN_IDX: return idx_read(out, path, is_test ? IDX_TEST : IDX_TRAIN, plan->classes);
    case TRAIN_CSV: return table_read(out, &plan->table, path, needs_labels, NULL);
    default: return text_read(out, path, needs_labels ? plan->target : NULL, plan->classes, NULL, &plan->text);
    }
}

int data_prepare(examples *data, const data_plan *plan)
{
    enum { AT_ONCE = 1024 };
    nw_error err;
    nw_scattering *s = NULL;
    if (plan->is_smoothed && data->kind == EXAMPLES_PIXELS && !examples_smooth(data))
        return no_memory();
    if (!plan->is_scattered) {
        data->has_unit_rows = plan->has_unit_rows;
        return APP_OK;
    }
    if (nw_scattering_new(&s, data->height, data->columns, plan->groups, &err) != NW_OK)
        return app_fail_error("--model scatter", &err);
    const size_t features = nw_scattering_features(s);
    float *all = reallocarray(NULL, data->count > 0 ? data->count : 1, features * sizeof *all);
    float *part = calloc(AT_ONCE, data->width * sizeof *part);
    nw_status status = all == NULL || part == NULL || data->channels != 1 ? NW_E_NOMEM : NW_OK;
    for (size_t first = 0; status == NW_OK && first < data->count; first += AT_ONCE) {
        const size_t n = data->count - first < AT_ONCE ? data->count - first : AT_ONCE;
        for (size_t i = 0; i < n; i++)
            examples_row(data, first + i, part + i * data->width);
        status = nw_scattering_apply(s, part, n, all + first * features, &err);
    }
    if (part != NULL)
        sodium_memzero(part, AT_ONCE * data->width * sizeof *part);
    free(part);
    nw_scattering_free(s);
    if (status != NW_OK) {
        free(all);
        return no_memory();
    }
    sodium_memzero(data->pixels, data->count * data->width);
    free(data->pixels);
    data->pixels = NULL;
    data->has_unit_rows = plan->has_unit_rows;
    data->kind = EXAMPLES_REALS;
    data->reals = all;
    data->width = features;
    return APP_OK;
}
