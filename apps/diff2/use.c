/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* use.c - nw-diff2 eval and predict: what a stored model says about records. Neither costs privacy of those that it was trained
 * on. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/predictions.h"
#include "stored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a command owns; freed in one place. */
typedef struct use {
    stored stored;
    examples data;
    float *outputs;
    double *losses;
} use;

static void free_use(use *u)
{
    examples_free(&u->data);
    stored_free(&u->stored);
    free(u->outputs);
    free(u->losses);
}

static int judge(use *u, const settings *s, bool needs_target)
{
    int code = stored_read(&u->stored, s->operands[0]);
    if (code == APP_OK)
        code = app_check_input(s->data);
    if (code == APP_OK)
        code = table_read(&u->data, &u->stored.plan, s->data, needs_target, NULL);
    if (code == APP_OK && !model_judge(&u->stored.model, u->stored.x, &u->data, &u->outputs, needs_target ? &u->losses : NULL))
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    return code;
}

static int print_score(const score *made, bool is_json)
{
    json_t *object = is_json ? json_object() : NULL;
    if (!is_json) {
        report_score(made);
        printf("records        %zu\n", made->count);
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    }
    report_put_score(&object, made);
    app_json_put(&object, "records", json_integer((json_int_t)made->count));
    return app_print_json(object);
}

int diff2_eval(const settings *s)
{
    use u = { 0 };
    score made = { 0, NAN, NAN, NAN, NAN };
    int code = judge(&u, s, true);
    const double unit = code == APP_OK && u.stored.plan.classes == 0 ? table_target_unit(&u.stored.plan) : 1.0;
    if (code == APP_OK)
        code = score_judge(&made, u.outputs, u.stored.model.outputs, u.losses, &u.data, unit);
    if (code == APP_OK)
        code = print_score(&made, s->is_json);
    free_use(&u);
    return code;
}

static char *class_name(const void *plan, uint32_t class)
{
    return table_class_name(plan, class);
}

int diff2_predict(const settings *s)
{
    use u = { 0 };
    const char *const named[] = { s->operands[0], s->data };
    const table_plan *plan = &u.stored.plan;
    int code = app_check_apart("--output", s->output, named, 2);
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    if (code == APP_OK)
        code = judge(&u, s, false);
    if (code == APP_OK) {
        const predictions p = { u.outputs, u.data.count, u.stored.model.outputs, plan->classes, class_name, plan, plan };
        code = predictions_write(&p, s->output);
    }
    free_use(&u);
    return code;
}
