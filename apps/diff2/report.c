/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a run answers, as JSON and as text. */
#include "../common/exit.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "job.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

const char *diff2_method_name(unsigned method)
{
    static const char *const method_names[] = { "diff2", "dpgd", "dpsgd" };
    return method_names[method];
}

void hash_parameters(const double *x, size_t n, char out[HASH_SIZE])
{
    crypto_generichash_state state;
    uint8_t digest[HASH_SIZE / 2];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        uint8_t bytes[8];
        memcpy(&bits, x + i, sizeof bits);
        for (unsigned k = 0; k < 8; k++)
            bytes[k] = (uint8_t)(bits >> 8 * k);
        crypto_generichash_update(&state, bytes, sizeof bytes);
    }
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, HASH_SIZE, digest, sizeof digest);
}

/* ---- JSON ---- */

void report_put_score(json_t **object, const score *made)
{
    app_json_put(object, "test_loss", app_json_real(made->loss));
    app_json_put(object, "test_accuracy", app_json_real(made->accuracy));
    app_json_put(object, "test_auc", app_json_real(made->auc));
    app_json_put(object, "test_rmse", app_json_real(made->rmse));
}

static void put_choices(json_t **object, const job *j)
{
    const settings *s = j->settings;
    const choices *c = &j->chosen;
    const bool has_differences = s->method == METHOD_DIFF2 && c->period > 1;
    app_json_put(object, "method", json_string(diff2_method_name(s->method)));
    app_json_put(object, "loss", json_string(nw_diff2_loss_name(j->model.loss)));
    app_json_put(object, "dimension", json_integer((json_int_t)j->model.dimension));
    app_json_put(object, "rounds", json_integer((json_int_t)c->rounds));
    app_json_put(object, "restarts", json_integer((json_int_t)(j->diff2 != NULL ? j->costs.restarts : c->rounds)));
    app_json_put(object, "eta", app_json_real(c->eta));
    app_json_put(object, "c1", app_json_real(c->c1));
    app_json_put(object, "c2", app_json_real(has_differences ? c->c2 : NAN));
    app_json_put(object, "split", app_json_real(has_differences ? c->split : NAN));
    app_json_put(object, "restart_noise", app_json_real(j->costs.restart_noise));
    app_json_put(object, "difference_noise", app_json_real(j->costs.difference_noise));
}

static void put_privacy(json_t **object, const job *j)
{
    const settings *s = j->settings;
    app_json_put(object, "epsilon", app_json_real(j->costs.epsilon));
    app_json_put(object, "delta", app_json_real(s->delta));
    app_json_put(object, "mu", app_json_real(j->costs.mu));
    app_json_put(object, "adjacency", json_string(nw_adjacency_name(s->adjacency == 1 ? NW_REPLACE_ONE : NW_ADD_REMOVE)));
    app_json_put(object, "insecure", json_boolean(app_is_insecure(s->seed)));
}

static int print_json(const job *j)
{
    char hash[HASH_SIZE];
    json_t *object = json_object();
    const double count = (double)j->gradient_count;
    hash_parameters(j->x, j->model.dimension, hash);
    app_json_put(&object, "grad2_tail", app_json_real(j->gradient_count > 0 ? j->gradient_squares / count : NAN));
    app_json_put(&object, "train_loss", app_json_real(j->train_loss));
    app_json_put(&object, "not_private", is_diagnosed(j) ? json_pack("[s, s]", "grad2_tail", "train_loss") : json_array());
    report_put_score(&object, &j->score);
    put_privacy(&object, j);
    put_choices(&object, j);
    app_json_put(&object, "loss_unit", json_string(j->plan.classes == 0 ? "target scaled to [-1, 1] by its bounds" : "nats"));
    app_json_put(&object, "guarded", json_integer(j->diff2 != NULL ? (json_int_t)nw_diff2_guarded(j->diff2) : 0));
    app_json_put(&object, "clients", json_integer((json_int_t)j->clients));
    app_json_put(&object, "processes", json_integer((json_int_t)j->processes->size));
    app_json_put(&object, "seconds", app_json_real(app_clock() - j->began));
    app_json_put(&object, "release_hash", json_string(hash));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return app_print_json(object);
}

/* ---- text ---- */

void report_score(const score *made)
{
    if (!isnan(made->loss))
        printf("test loss      %.6g\n", made->loss);
    if (!isnan(made->rmse))
        printf("test error     %.6g (root mean square)\n", made->rmse);
    if (!isnan(made->accuracy))
        printf("test accuracy  %.4f\n", made->accuracy);
    if (!isnan(made->auc))
        printf("test auc       %.4f\n", made->auc);
}

static void print_costs(const job *j)
{
    char text[APP_NUMBER_SIZE];
    char mu[APP_NUMBER_SIZE];
    printf("privacy        epsilon %s at delta %g, mu %s\n", app_text_up(j->costs.epsilon, text), j->settings->delta,
        app_text_up(j->costs.mu, mu));
    if (isnan(j->costs.difference_noise))
        printf("noise          %.4f in each of %llu rounds, of clip norm %.4g\n", j->costs.restart_noise,
            (unsigned long long)j->chosen.rounds, j->chosen.c1);
    else
        printf("noise          %.4f in %llu restarts of clip norm %.4g, %.4f in %llu differences of %.4g times the step\n",
            j->costs.restart_noise, (unsigned long long)j->costs.restarts, j->chosen.c1, j->costs.difference_noise,
            (unsigned long long)(j->chosen.rounds - j->costs.restarts), j->chosen.c2);
}

static int flush(void)
{
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

int report_write(const job *j)
{
    char hash[HASH_SIZE];
    if (j->settings->is_json)
        return print_json(j);
    hash_parameters(j->x, j->model.dimension, hash);
    report_score(&j->score);
    if (is_diagnosed(j))
        printf("train loss     %.6g, squared gradient %.4g: NOT PRIVATE\n", j->train_loss,
            j->gradient_squares / (double)j->gradient_count);
    print_costs(j);
    printf("release        %s\n", hash);
    return flush();
}

/* What noise does to the mean gradient of a restart, all coordinates together, over the longest that the gradient can be. */
static double relative_noise(const job *j)
{
    const double n = (double)j->settings->records;
    const double factor = j->diff2 == NULL ? NAN : 1.0;
    return n > 0.0 ? factor * j->costs.restart_noise * sqrt((double)j->model.dimension) / n : NAN;
}

int report_estimate(const job *j)
{
    json_t *object = j->settings->is_json ? json_object() : NULL;
    if (!j->settings->is_json) {
        print_costs(j);
        printf("step           %.4g times the noisy gradient, %zu parameters\n", j->chosen.eta, j->model.dimension);
        if (!isnan(relative_noise(j)))
            printf("expected       the noise of a restart is %.3g of the clip norm, for %llu records\n", relative_noise(j),
                (unsigned long long)j->settings->records);
        return flush();
    }
    put_privacy(&object, j);
    put_choices(&object, j);
    app_json_put(&object, "relative_noise", app_json_real(relative_noise(j)));
    app_json_put(&object, "event", app_event_json(j->event));
    return app_print_json(object);
}
