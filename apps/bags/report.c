/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* report.c - the answer of nw-bags, as JSON or as text. */
#include "job.h"

#include "../common/exit.h"
#include "../common/json.h"
#include "../common/receipt.h"
#include "../common/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PROTECTED[] = "labels only: the features and which records there are count as public";

static const char *grouping_of(const job *j)
{
    const settings *s = j->settings;
    return s->bag_column != NULL ? "column" : (s->sort_by != NULL ? "sorted" : (j->choice.is_curated ? "curated" : "random"));
}

static void put_choice(json_t **object, const job *j)
{
    const nw_bags_choice *c = &j->choice;
    const bool is_given = j->settings->bag_column != NULL;
    app_json_put(object, "grouping", json_string(grouping_of(j)));
    app_json_put(object, "bag_size", is_given ? json_null() : json_integer((json_int_t)c->bag_size));
    app_json_put(object, "bags", json_integer((json_int_t)nw_bags_count(j->bags)));
    app_json_put(object, "rho", app_json_real(c->rho));
    app_json_put(object, "clip", app_json_real(j->clip));
    app_json_put(object, "center", app_json_real(j->settings->center));
    app_json_put(object, "predicted_risk", is_given ? json_null() : app_json_real(c->risk));
    app_json_put(object, "baseline_risk", app_json_real(c->baseline_risk));
    app_json_put(object, "dimensions", app_json_real(j->problem.dimensions));
    app_json_put(object, "best_bag_size", json_integer((json_int_t)c->best_bag_size));
    app_json_put(object, "best_bag_risk", app_json_real(c->best_bag_risk));
    app_json_put(object, "why", json_string(is_given ? "the bags were given" : c->reason));
    app_json_put(object, "noise_of_sum", app_json_real(nw_bags_noise(j->bags)));
    app_json_put(object, "noise_of_mean", is_given ? json_null() : app_json_real(nw_bags_noise(j->bags) / (double)c->bag_size));
}

static int report_json(job *j)
{
    const settings *s = j->settings;
    json_t *object = json_object();
    app_json_put(&object, "task", json_string(s->task == BAGS_CLASSIFY ? "classify" : "regress"));
    app_json_put(&object, "rows", json_integer((json_int_t)j->rows));
    app_json_put(&object, "features", json_integer((json_int_t)j->width));
    put_choice(&object, j);
    app_json_put(&object, "epsilon", app_json_real(s->epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    app_json_put(&object, "unit", json_string(NW_BAGS_UNIT));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(NW_REPLACE_LABEL)));
    app_json_put(&object, "protected", json_string(PROTECTED));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(s->insecure_seed)));
    if (s->is_estimate) {
        app_json_put(&object, "event", app_event_json(nw_bags_event(j->bags)));
        return app_print_json(object);
    }
    double intercept = 0.0;
    json_t *coefficients = model_coefficients(&j->model, &intercept);
    app_json_put(&object, "ridge", app_json_real(j->fitted.ridge));
    app_json_put(&object, "intercept", app_json_real(intercept));
    app_json_put(&object, "coefficients", coefficients);
    if (j->test != NULL)
        app_json_put(&object, "test", json_incref(j->test));
    app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return app_print_json(object);
}

static void print_test(const json_t *test)
{
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)test, key, value) printf("test %-12s %.6g\n", key, json_number_value(value));
}

static int report_text(job *j)
{
    double intercept = 0.0;
    const char *name;
    const json_t *value;
    const nw_bags_choice *c = &j->choice;
    printf("bags         %zu, %s", nw_bags_count(j->bags), grouping_of(j));
    if (j->settings->bag_column == NULL)
        printf(", of %zu; %s", c->bag_size, c->reason);
    printf("\nnoise        %.6g in the sum of a bag, one standard deviation\n", nw_bags_noise(j->bags));
    printf("protected    %s\n", PROTECTED);
    if (j->settings->is_estimate)
        return APP_OK;
    json_t *coefficients = model_coefficients(&j->model, &intercept);
    if (coefficients == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    printf("fit          rho %g, ridge %.6g\nintercept    %.8g\n", c->rho, j->fitted.ridge, intercept);
    json_object_foreach(coefficients, name, value)
    {
        char *plain = strdup(name);
        printf("%-12s %.8g\n", plain == NULL ? "?" : app_plain(plain), json_number_value(value));
        free(plain);
    }
    json_decref(coefficients);
    print_test(j->test);
    return APP_OK;
}

int bags_report(job *j)
{
    const settings *s = j->settings;
    app_note_seed(s->insecure_seed);
    const int code = s->is_json ? report_json(j) : report_text(j);
    if (code == APP_OK && !s->is_estimate && !s->is_quiet) {
        app_note("protected are %s", PROTECTED);
        app_receipt_print(stderr, &j->receipt, s->ledger);
    }
    return code;
}
