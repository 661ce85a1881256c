/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* model.c - the model file is JSON: what was released, and nothing private. */
#include "model.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "settings.h"

#include <noisewright.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-bags";
static const size_t MOST_BYTES = (size_t)1 << 26;

void model_free(model *m)
{
    feature_plan_free(&m->plan);
    free(m->coefficients);
    free(m->target);
    free(m->positive);
    free(m->schema);
    *m = (model){ 0 };
}

json_t *model_coefficients(const model *m, double *intercept)
{
    json_t *object = json_object();
    *intercept = m->intercept;
    for (size_t j = 0; j < m->plan.count; j++) {
        const double slope = m->coefficients[j] / m->plan.items[j].deviation;
        char *name = feature_name(&m->plan.items[j]);
        *intercept -= slope * m->plan.items[j].mean;
        if (name == NULL || json_object_set_new(object, name, app_json_real(slope)) != 0) {
            free(name);
            json_decref(object);
            return NULL;
        }
        free(name);
    }
    return object;
}

json_t *model_json(const model *m)
{
    json_t *object = json_object(), *list = json_array();
    for (size_t j = 0; j < m->plan.count; j++)
        json_array_append_new(list, app_json_real(m->coefficients[j]));
    app_json_put(&object, "format", json_string(FORMAT));
    app_json_put(&object, "version", json_integer(1));
    app_json_put(&object, "task", json_string(m->is_classifier ? "classify" : "regress"));
    app_json_put(&object, "target", app_json_text(m->target));
    if (m->positive != NULL)
        app_json_put(&object, "positive", app_json_text(m->positive));
    if (m->schema != NULL)
        app_json_put(&object, "schema", json_string(m->schema));
    app_json_put(&object, "intercept", app_json_real(m->intercept));
    app_json_put(&object, "coefficients", list);
    app_json_put(&object, "features", feature_plan_json(&m->plan));
    return object;
}

static char *copied(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? NULL : strdup(text);
}

static int read_json(model *m, const json_t *root, const char *path)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *list = json_object_get(root, "coefficients");
    if (format == NULL || strcmp(format, FORMAT) != 0 || json_integer_value(json_object_get(root, "version")) != 1)
        return app_fail(APP_DATA, path, "is no model of nw-bags");
    m->is_classifier =
        strcmp(json_string_value(json_object_get(root, "task")) == NULL ? "" : json_string_value(json_object_get(root, "task")),
            "classify") == 0;
    m->target = copied(root, "target");
    m->positive = copied(root, "positive");
    m->schema = copied(root, "schema");
    m->intercept = json_number_value(json_object_get(root, "intercept"));
    const int code = feature_plan_read(&m->plan, json_object_get(root, "features"), path);
    if (code != APP_OK)
        return code;
    m->coefficients = calloc(m->plan.count, sizeof *m->coefficients);
    if (m->coefficients == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (m->target == NULL || json_array_size(list) != m->plan.count)
        return app_fail(APP_DATA, path, "is no model of nw-bags: features and coefficients do not match");
    for (size_t j = 0; j < m->plan.count; j++)
        m->coefficients[j] = json_number_value(json_array_get(list, j));
    return APP_OK;
}

int model_read(model *m, const char *path)
{
    char *text = NULL;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_text(path, MOST_BYTES, &text);
    if (code != APP_OK)
        return code;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    code = root == NULL ? app_fail(APP_DATA, path, "is no model of nw-bags") : read_json(m, root, path);
    json_decref(root);
    free(text);
    return code;
}

int model_frame(frame *f, const model *m, const char *path, bool needs_target)
{
    const frame_opts o = { m->schema, m->target, m->positive, needs_target, &m->plan };
    const int code = app_check_input(path);
    return code == APP_OK ? frame_read(f, path, &o) : code;
}

int model_scores(double **out, const model *m, const frame *f, const char *subject)
{
    double *x = NULL;
    int code = feature_matrix(&x, &m->plan, f, subject);
    *out = calloc(f->rows + 1, sizeof **out);
    if (code == APP_OK && *out == NULL)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; code == APP_OK && i < f->rows; i++) {
        (*out)[i] = m->intercept;
        for (size_t j = 0; j < m->plan.count; j++)
            (*out)[i] += m->coefficients[j] * x[i * m->plan.count + j];
    }
    free(x);
    return code;
}

/* Of rows that have a label. */
static json_t *measures(const model *m, const frame *f, const double *scores)
{
    double n = 0.0, right = 0.0, positive = 0.0, loss = 0.0, sum = 0.0, square = 0.0, error = 0.0;
    json_t *object = json_object();
    for (size_t i = 0; i < f->rows; i++) {
        const double y = frame_label(f, i, m->is_classifier, m->positive), s = scores[i];
        if (isnan(y))
            continue;
        n += 1.0;
        right += (s > 0.0) == (y > 0.0);
        positive += y > 0.0;
        loss += fmax(0.0, -y * s) + log1p(exp(-fabs(s)));
        sum += y;
        square += y * y;
        error += (y - s) * (y - s);
    }
    app_json_put(&object, "rows", json_integer((json_int_t)n));
    if (m->is_classifier) {
        app_json_put(&object, "accuracy", app_json_real(right / n));
        app_json_put(&object, "majority", app_json_real(fmax(positive, n - positive) / n));
        app_json_put(&object, "log_loss", app_json_real(loss / n));
    } else {
        const double variance = square / n - sum / n * (sum / n);
        app_json_put(&object, "mse", app_json_real(error / n));
        app_json_put(&object, "rmse", app_json_real(sqrt(error / n)));
        app_json_put(&object, "r2", app_json_real(1.0 - error / n / variance));
    }
    return object;
}

int model_test(json_t **out, const model *m, const frame *f, const char *subject)
{
    double *scores = NULL;
    int code = model_scores(&scores, m, f, subject);
    if (code == APP_OK) {
        *out = measures(m, f, scores);
        code = *out == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    }
    free(scores);
    return code;
}

/* ---- nw-bags predict ---- */

static int write_predictions(const settings *s, const model *m, const double *scores, size_t rows)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    fputs(m->is_classifier ? "probability,class\n" : "prediction\n", out);
    for (size_t i = 0; i < rows; i++)
        if (m->is_classifier)
            fprintf(out, "%.6g,%d\n", 1.0 / (1.0 + exp(-scores[i])), scores[i] > 0.0);
        else
            fprintf(out, "%.10g\n", scores[i]);
    const int code = fclose(out) == 0 ? app_write_text(s->output == NULL ? "-" : s->output, text)
                                      : app_fail(APP_INTERNAL, NULL, "out of memory");
    free(text);
    return code;
}

int bags_predict(const settings *s)
{
    model m = { 0 };
    frame f = { 0 };
    double *scores = NULL;
    int code = model_read(&m, s->operands[0]);
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = model_frame(&f, &m, s->data, false);
    if (code == APP_OK)
        code = model_scores(&scores, &m, &f, s->data);
    if (code == APP_OK)
        code = write_predictions(s, &m, scores, f.rows);
    free(scores);
    frame_free(&f);
    model_free(&m);
    return code;
}
