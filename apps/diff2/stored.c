/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stored.c - see stored.h. */
#include "stored.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINEST_BINS = 65534, VERSION = 1 };
#define MOST_BYTES ((size_t)1 << 30)
static const char FORMAT[] = "nw-diff2 model";
static const char *const kinds[] = { "linear", "softplus10" };
static const char *const tasks[] = { "classify", "regress" };

/* ---- coefficients ---- */

static json_t *coefficients_json(const names *n, const double *x)
{
    json_t *object = json_object();
    for (size_t g = 0; g < names_groups(n); g++) {
        const names_group group = names_get(n, g);
        json_t *one = json_object();
        for (size_t k = 0; k < group.count; k++)
            app_json_put(&one, group.members[k], app_json_real(x[k]));
        app_json_put(&one, NAMES_BIAS, app_json_real(x[group.count]));
        app_json_put(&object, group.name, one);
        x += group.count + 1;
    }
    return object;
}

/* False if one is missing or no number. */
static bool read_coefficients(const names *n, const json_t *json, double *x)
{
    bool is_whole = true;
    for (size_t g = 0; g < names_groups(n); g++) {
        const names_group group = names_get(n, g);
        const json_t *one = json_object_get(json, group.name);
        for (size_t k = 0; k <= group.count; k++) {
            const json_t *value = json_object_get(one, k < group.count ? group.members[k] : NAMES_BIAS);
            is_whole = is_whole && json_is_number(value);
            *x++ = json_number_value(value);
        }
    }
    return is_whole;
}

/* ---- writing ---- */

static json_t *privacy_json(const job *j)
{
    json_t *object = json_object();
    app_json_put(&object, "method", json_string(diff2_method_name(j->settings->method)));
    app_json_put(&object, "epsilon", app_json_real(j->costs.epsilon));
    app_json_put(&object, "delta", app_json_real(j->settings->delta));
    app_json_put(&object, "mu", app_json_real(j->costs.mu));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(j->settings->seed)));
    app_json_put(&object, "event", app_event_json(j->event));
    app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return object;
}

static json_t *model_json(const job *j, const names *n)
{
    char hash[HASH_SIZE];
    const model *m = &j->model;
    json_t *object = json_object();
    hash_parameters(j->x, m->dimension, hash);
    app_json_put(&object, "format", json_string(FORMAT));
    app_json_put(&object, "version", json_integer(VERSION));
    app_json_put(&object, "model", json_string(kinds[m->kind]));
    app_json_put(&object, "task", json_string(tasks[j->plan.task]));
    app_json_put(&object, "target", json_string(nw_schema_column(j->plan.schema, j->plan.target).name));
    app_json_put(&object, "loss", json_string(nw_diff2_loss_name(m->loss)));
    app_json_put(&object, "huber_width", app_json_real(m->huber_width));
    app_json_put(&object, "coefficients", coefficients_json(n, j->x));
    app_json_put(&object, "release_hash", json_string(hash));
    app_json_put(&object, "privacy", privacy_json(j));
    app_json_put(&object, "schema", json_loads(nw_schema_json(j->plan.schema), 0, NULL));
    app_json_put(&object, "library", json_string(nw_version()));
    return object;
}

int stored_write(const job *j)
{
    names n;
    char *text = NULL;
    if (j->settings->output == NULL)
        return APP_OK;
    if (names_make(&n, &j->model, &j->plan))
        text = app_json_dump(model_json(j, &n), JSON_INDENT(1));
    names_free(&n);
    if (text == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    const int code = app_write_text(j->settings->output, text);
    free(text);
    return code;
}

/* ---- reading ---- */

/* The place of a text in a list; n if it is in none. */
static unsigned find(const char *text, const char *const *list, unsigned n)
{
    unsigned i = 0;
    while (i < n && (text == NULL || strcmp(text, list[i]) != 0))
        i++;
    return i;
}

static int fail_format(const char *path)
{
    return app_fail(APP_DATA, path, "is no model that nw-diff2 wrote");
}

static int read_plan(stored *out, const json_t *json, unsigned task, const char *path)
{
    nw_schema *schema = NULL;
    const char *target = json_string_value(json_object_get(json, "target"));
    char *text = json_dumps(json_object_get(json, "schema"), JSON_COMPACT);
    const bool is_good = text != NULL && target != NULL && nw_schema_parse(&schema, text, FINEST_BINS, NULL) == NW_OK;
    free(text);
    return is_good ? table_plan_make(&out->plan, schema, target, (table_task)task, TABLE_PLAIN, path) : fail_format(path);
}

static int read_model(stored *out, const json_t *json, const char *path)
{
    nw_diff2_loss loss;
    const char *format = json_string_value(json_object_get(json, "format"));
    const char *loss_name = json_string_value(json_object_get(json, "loss"));
    const unsigned kind = find(json_string_value(json_object_get(json, "model")), kinds, 2);
    const unsigned task = find(json_string_value(json_object_get(json, "task")), tasks, 2);
    if (format == NULL || strcmp(format, FORMAT) != 0 || kind == 2 || task == 2 || loss_name == NULL ||
        nw_diff2_loss_parse(loss_name, &loss, NULL) != NW_OK)
        return fail_format(path);
    if (json_integer_value(json_object_get(json, "version")) > VERSION)
        return app_fail(APP_DATA, path, "is of a later version, must be of version %d", VERSION);
    const int code = read_plan(out, json, task, path);
    if (code != APP_OK)
        return code;
    out->model = model_make((model_kind)kind, &out->plan, loss, json_number_value(json_object_get(json, "huber_width")));
    out->x = calloc(out->model.dimension, sizeof *out->x);
    return out->x != NULL ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
}

static int read_values(stored *out, const json_t *json, const char *path)
{
    names n;
    char hash[HASH_SIZE];
    const char *wanted = json_string_value(json_object_get(json, "release_hash"));
    int code = names_make(&n, &out->model, &out->plan) ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK && !read_coefficients(&n, json_object_get(json, "coefficients"), out->x))
        code = app_fail(APP_DATA, path, "lacks coefficients that its schema asks for");
    names_free(&n);
    hash_parameters(out->x, out->model.dimension, hash);
    if (code == APP_OK && (wanted == NULL || strcmp(hash, wanted) != 0))
        code = app_fail(APP_DATA, path, "was altered: its coefficients do not have its release_hash");
    return code;
}

int stored_read(stored *out, const char *path)
{
    char *text = NULL;
    *out = (stored){ 0 };
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_text(path, MOST_BYTES, &text);
    if (code != APP_OK)
        return code;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    code = json == NULL ? fail_format(path) : read_model(out, json, path);
    if (code == APP_OK)
        code = read_values(out, json, path);
    json_decref(json);
    return code;
}

void stored_free(stored *s)
{
    table_plan_free(&s->plan);
    free(s->x);
    *s = (stored){ 0 };
}
