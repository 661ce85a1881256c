/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* simulate_write.c - the outcome of simulations as text and as JSON. */
#include "simulate.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/receipt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define INTERVAL 1.959963984540054 /* standard errors of 95 % of a normal law, either way */

void simulation_free(simulation *sim)
{
    for (size_t i = 0; i < sim->point_count; i++) {
        free(sim->points[i].runs);
        free(sim->points[i].hits);
    }
    *sim = (simulation){ 0 };
}

mean simulation_mean(const sim_point *point, size_t runs, size_t offset)
{
    double sum = 0.0;
    double squares = 0.0;
    for (size_t r = 0; r < runs; r++)
        sum += *(const double *)((const char *)&point->runs[r] + offset);
    const double value = sum / (double)runs;
    for (size_t r = 0; r < runs; r++) {
        const double x = *(const double *)((const char *)&point->runs[r] + offset) - value;
        squares += x * x;
    }
    return (mean){ value, runs > 1 ? sqrt(squares / (double)(runs - 1) / (double)runs) : NAN };
}

#define MEAN(point, runs, member) simulation_mean(point, runs, offsetof(sim_run, member))

static bool is_central(const settings *s)
{
    return s->protocol == PROTOCOL_CENTRAL;
}

/* Bytes that users send: one report each. */
static double report_bytes(const simulation *sim, const sim_point *point, const settings *s)
{
    return is_central(s) ? 0.0 : (double)sim->users * (double)nw_ldp_report_size(&point->campaign);
}

static const char *mode_of(const settings *s)
{
    return is_central(s) ? "central" : s->is_fast ? "fast" : "exact";
}

static void mean_traffic(const sim_point *point, size_t runs, double *up, double *down)
{
    *up = *down = 0.0;
    for (size_t r = 0; r < runs; r++) {
        *up += (double)point->runs[r].traffic.up / (double)runs;
        *down += (double)point->runs[r].traffic.down / (double)runs;
    }
}

/* ---- JSON ---- */

static json_t *json_of_hits(const sim_point *point)
{
    json_t *list = json_array();
    for (size_t i = 0; i < point->found; i++) {
        const sim_hit *h = &point->hits[i];
        json_t *one = json_object();
        app_json_put(&one, "item", app_json_text(h->text));
        app_json_put(&one, "estimate", app_json_real(h->count));
        app_json_put(&one, "se", app_json_real(h->error));
        app_json_put(&one, "low", app_json_real(h->count - INTERVAL * h->error));
        app_json_put(&one, "high", app_json_real(h->count + INTERVAL * h->error));
        app_json_put(&one, "true", json_integer((json_int_t)h->truth));
        json_array_append_new(list, one);
    }
    return list;
}

static void put_mean(json_t **object, const char *name, const char *error_name, mean m)
{
    app_json_put(object, name, app_json_real(m.value));
    app_json_put(object, error_name, app_json_real(m.error));
}

static void put_point(json_t **object, const simulation *sim, const sim_point *point, const settings *s)
{
    const size_t runs = (size_t)s->runs;
    const double seconds = MEAN(point, runs, seconds).value;
    double up;
    double down;
    mean_traffic(point, runs, &up, &down);
    app_json_put(object, "epsilon", app_json_real(point->epsilon));
    put_mean(object, "f1", "f1_se", MEAN(point, runs, f1));
    put_mean(object, "ncr", "ncr_se", MEAN(point, runs, ncr));
    app_json_put(object, "local_recall", app_json_real(MEAN(point, runs, local_recall).value));
    app_json_put(object, "bytes_up", app_json_real(up));
    app_json_put(object, "bytes_down", app_json_real(down));
    app_json_put(object, "bytes_up_per_party", app_json_real(up / (double)sim->parties));
    app_json_put(object, "bytes_down_per_party", app_json_real(down / (double)sim->parties));
    app_json_put(object, "report_bytes", app_json_real(report_bytes(sim, point, s)));
    app_json_put(object, "rounds", json_integer((json_int_t)point->runs[runs - 1].traffic.rounds));
    app_json_put(object, "seconds", app_json_real(seconds));
    app_json_put(object, "users_per_second", app_json_real((double)sim->users / seconds));
    app_json_put(object, "items", json_of_hits(point));
    if (is_central(s))
        app_json_put(object, "receipt", app_receipt_json(&point->receipt));
}

static json_t *levels_json(const nw_ldp_campaign *campaign)
{
    json_t *list = json_array();
    for (unsigned l = 0; l < campaign->levels; l++)
        json_array_append_new(list, json_integer(campaign->lengths[l]));
    return list;
}

static char *json_text(const simulation *sim, const settings *s, size_t processes)
{
    const sim_point *first = &sim->points[0];
    json_t *object = json_object();
    app_json_put(&object, "protocol", json_string(settings_protocol_name(s)));
    app_json_put(&object, "mode", json_string(mode_of(s)));
    app_json_put(&object, "top", json_integer((json_int_t)s->top));
    app_json_put(&object, "runs", json_integer((json_int_t)s->runs));
    app_json_put(&object, "users", json_integer((json_int_t)sim->users));
    app_json_put(&object, "parties", json_integer((json_int_t)sim->parties));
    app_json_put(&object, "distinct_items", json_integer((json_int_t)sim->items));
    app_json_put(&object, "bits", json_integer((json_int_t)s->bits));
    app_json_put(&object, "encoding", json_string(nw_hh_encoding_name(settings_encoding(s))));
    app_json_put(&object, "processes", json_integer((json_int_t)processes));
    app_json_put(&object, "library", json_string(nw_version()));
    if (!is_central(s)) {
        app_json_put(&object, "levels", levels_json(&first->campaign));
        app_json_put(&object, "keep", json_integer((json_int_t)first->keep));
    }
    put_point(&object, sim, first, s);
    if (sim->point_count > 1) {
        json_t *list = json_array();
        for (size_t i = 0; i < sim->point_count; i++) {
            json_t *one = json_object();
            put_point(&one, sim, &sim->points[i], s);
            json_array_append_new(list, one);
        }
        app_json_put(&object, "points", list);
    }
    return app_json_dump(object, 0);
}

/* ---- text ---- */

static void print_point(FILE *f, const simulation *sim, const sim_point *point, const settings *s)
{
    const size_t runs = (size_t)s->runs;
    const mean f1 = MEAN(point, runs, f1);
    const mean ncr = MEAN(point, runs, ncr);
    const double seconds = MEAN(point, runs, seconds).value;
    double up;
    double down;
    mean_traffic(point, runs, &up, &down);
    fprintf(f, "epsilon %g: F1 %.3f, NCR %.3f, local recall %.3f", point->epsilon, f1.value, ncr.value,
        MEAN(point, runs, local_recall).value);
    if (runs > 1)
        fprintf(f, " (means of %zu runs, standard errors %.3f and %.3f)", runs, f1.error, ncr.error);
    fprintf(f, "\n%.3g s, %.3g users a second; %.4g bytes up, %.4g down, %llu rounds\n", seconds, (double)sim->users / seconds,
        up, down, (unsigned long long)point->runs[runs - 1].traffic.rounds);
    fprintf(f, "%-32s %14s %12s %14s\n", "item", "estimate", "error", "true");
    for (size_t i = 0; i < point->found; i++) {
        const sim_hit *h = &point->hits[i];
        char text[sizeof h->text];
        snprintf(text, sizeof text, "%s", h->text);
        fprintf(f, "%-32s %14.0f %12.0f %14llu\n", app_plain(text), h->count, h->error, (unsigned long long)h->truth);
    }
}

static char *plain_text(const simulation *sim, const settings *s)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL)
        return NULL;
    fprintf(f, "%s, %s: %llu users of %zu parties, %zu different items, top %llu of %llu bits\n", settings_protocol_name(s),
        mode_of(s), (unsigned long long)sim->users, sim->parties, sim->items, (unsigned long long)s->top,
        (unsigned long long)s->bits);
    for (size_t i = 0; i < sim->point_count; i++)
        print_point(f, sim, &sim->points[i], s);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

int simulation_write(const simulation *sim, const settings *s, size_t processes)
{
    char *text = s->is_json ? json_text(sim, s, processes) : plain_text(sim, s);
    int code =
        text == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : app_write_text(s->output == NULL ? "-" : s->output, text);
    free(text);
    if (code == APP_OK && s->picture != NULL)
        code = picture_write(sim, s);
    return code;
}
