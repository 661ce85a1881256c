/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* release.c - the spine: a durable charge, then exact counts, then one noise draw a cell, and what was measured is public. */
#include "adaptive.h"
#include "query_release.h"

#include <math.h>
#include <nw/noise.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const char *const RELEASE = "nw_synth_release";
/* Parts of the budget are rounded on their own: what is left gives way by more than the roundings. */
#define SHARE_SLACK 0x1p-46

/* One vector of counts that is measured: of a level, or of a 2-way. */
typedef struct vector {
    nw__marginal shape; /* which columns */
    const nw__coding *codings;
    size_t cells;
    int64_t **counts;
} vector;

/* Exact counts never outlive a failure. */
static void forget_counts(const vector *vectors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nw__free_wiped(*vectors[i].counts, vectors[i].cells * sizeof **vectors[i].counts);
        *vectors[i].counts = NULL;
    }
}

static nw_status count_exactly(const vector *vectors, size_t n, const nw__counter *counter, unsigned threads, nw_error *err)
{
    const int team = nw__threads((int)threads);
    for (size_t i = 0; i < n; i++) {
        *vectors[i].counts = nw__calloc(vectors[i].cells, sizeof **vectors[i].counts);
        if (*vectors[i].counts == NULL)
            return nw__fail_memory(err, RELEASE);
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (size_t i = 0; i < n; i++)
        counter->count(counter->source, &vectors[i].shape, vectors[i].codings, *vectors[i].counts);
    return NW_OK;
}

static nw_status add_noise(const vector *vectors, size_t n, double sigma, nw_rng *rng, unsigned threads, nw_error *err)
{
    nw_noise *noise = NULL;
    /* The noise of a vector is drawn by a team of threads: by as many as the options allow. */
    const int team = omp_get_max_threads();
    omp_set_num_threads(nw__threads((int)threads));
    nw_status status = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, sigma, err);
    for (size_t i = 0; status == NW_OK && i < n; i++)
        status = nw_noise_add_i64(noise, rng, *vectors[i].counts, *vectors[i].counts, vectors[i].cells, err);
    nw_noise_free(noise);
    omp_set_num_threads(team);
    return status;
}

/* Exact counts, then noise; on error none of them are left. The charge must stand already. */
static nw_status measure_vectors(
    const vector *vectors, size_t n, double sigma, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    nw_status status = count_exactly(vectors, n, counter, threads, err);
    if (status == NW_OK)
        status = add_noise(vectors, n, sigma, rng, threads, err);
    if (status != NW_OK)
        forget_counts(vectors, n);
    return status;
}

/* ---- first: the levels of the 1-ways ---- */

/* The coding of a level, in an array by column as counters want it; only its own column's entry is used. */
static nw_status level_codings(const nw__plan *plan, const nw__level *level, nw__coding *coding, nw_error *err)
{
    const nw__column_shape *shape = &plan->shapes[level->column];
    coding->cells = level->cells;
    if (level->width == 1)
        return NW_OK;
    coding->cell_of = nw__calloc(shape->codes, sizeof *coding->cell_of);
    if (coding->cell_of == NULL)
        return nw__fail_memory(err, RELEASE);
    for (uint32_t code = 0; code < shape->codes; code++)
        coding->cell_of[code] = (uint16_t)(code < shape->values ? code / level->width : level->cells - 1);
    return NW_OK;
}

static nw_status measure_levels(nw__plan *plan, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    const size_t n = plan->level_count;
    vector *vectors = nw__calloc(n, sizeof *vectors);
    nw__coding *codings = nw__calloc(n * plan->columns, sizeof *codings);
    nw_status status = vectors == NULL || codings == NULL ? nw__fail_memory(err, RELEASE) : NW_OK;
    for (size_t l = 0; status == NW_OK && l < n; l++) {
        nw__level *level = &plan->levels[l];
        nw__coding *own = codings + l * plan->columns;
        vectors[l] = (vector){ { level->column, NW__ONE_WAY, level->cells, 1, level->sigma, NULL, 0, 0 }, own, level->cells,
            &level->counts };
        status = level_codings(plan, level, &own[level->column], err);
    }
    if (status == NW_OK)
        status = measure_vectors(vectors, n, plan->levels[0].sigma, counter, rng, threads, err);
    nw__codings_free(codings, n * plan->columns);
    free(vectors);
    return status;
}

/* ---- then: the 2-ways in these cells ---- */

static nw_status measure_pairs(
    nw_synth_measurements *measured, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    nw__plan *plan = &measured->plan;
    const size_t n = plan->marginal_count - plan->one_ways;
    if (n == 0)
        return NW_OK;
    vector *vectors = nw__calloc(n, sizeof *vectors);
    if (vectors == NULL)
        return nw__fail_memory(err, RELEASE);
    for (size_t i = 0; i < n; i++) {
        nw__marginal *m = &plan->marginals[plan->one_ways + i];
        m->cells_a = plan->cells[m->a];
        m->cells_b = plan->cells[m->b];
        vectors[i] = (vector){ *m, measured->codings, nw__marginal_cells(m), &m->counts };
    }
    const nw_status status = measure_vectors(vectors, n, plan->marginals[plan->one_ways].sigma, counter, rng, threads, err);
    free(vectors);
    return status;
}

/* The levels once more, with noise sigma; what is kept is the average by precision, in whole records. */
static nw_status measure_levels_again(
    nw__plan *plan, double sigma, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    const double old = 1.0 / (plan->levels[0].sigma * plan->levels[0].sigma);
    const double new = 1.0 / (sigma * sigma);
    int64_t **first = nw__calloc(plan->level_count, sizeof *first);
    if (first == NULL)
        return nw__fail_memory(err, RELEASE);
    for (size_t l = 0; l < plan->level_count; l++) {
        first[l] = plan->levels[l].counts;
        plan->levels[l].counts = NULL;
        plan->levels[l].sigma = sigma;
    }
    const nw_status status = measure_levels(plan, counter, rng, threads, err);
    for (size_t l = 0; l < plan->level_count; l++) {
        nw__level *level = &plan->levels[l];
        for (uint32_t c = 0; status == NW_OK && c < level->cells; c++)
            level->counts[c] = llround((old * (double)first[l][c] + new *(double)level->counts[c]) / (old + new));
        level->sigma = 1.0 / sqrt(old + new);
        free(first[l]);
    }
    free(first);
    return status;
}

/* From what the levels said: whether they are measured again, and with how much noise what follows is. */
static nw_status settle(nw__plan *plan, double rows, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    const double sensitivity = plan->sensitivity.value;
    const size_t after = plan->marginal_count - plan->one_ways;
    const double part = plan->round_mu_squared > 0.0 ? nw__one_way_part(plan, rows) : 0.0;
    double sigma = after > 0 ? plan->marginals[plan->one_ways].sigma : 0.0;
    if (part > 0.0) {
        const double again = nw__sigma_for(plan->level_count, sqrt(plan->round_mu_squared * part), sensitivity);
        NW__TRY(measure_levels_again(plan, again, counter, rng, threads, err));
        plan->round_mu_squared *= (1.0 - part) * (1.0 - SHARE_SLACK);
        sigma = nw__sigma_for(after, sqrt(plan->round_mu_squared), sensitivity);
    }
    if (plan->select == NW_SYNTH_SELECT_ADAPTIVE)
        sigma = nw__allot(plan, plan->round_mu_squared / (double)nw__rounds_most(plan)).sigma;
    for (size_t i = plan->one_ways; i < plan->marginal_count; i++)
        plan->marginals[i].sigma = sigma;
    return NW_OK;
}

static nw_status measure(
    nw_synth_measurements *measured, const nw_synth *synth, const nw__counter *counter, nw_rng *rng, nw_error *err)
{
    const unsigned threads = synth->opts.threads;
    NW__TRY(measure_levels(&measured->plan, counter, rng, threads, err));
    const double rows = nw__rows_of_levels(&measured->plan, measured->known_rows);
    NW__TRY(settle(&measured->plan, rows, counter, rng, threads, err));
    NW__TRY(nw__measurements_choose_cells(measured, counter->units, err)); /* from what is public */
    if (counter->prepare != NULL)
        NW__TRY(counter->prepare(counter->source, measured->codings, err));
    if (measured->plan.select == NW_SYNTH_SELECT_ADAPTIVE)
        NW__TRY(nw__rounds_measure(measured, counter, rng, threads, err));
    else
        NW__TRY(measure_pairs(measured, counter, rng, threads, err));
    NW__TRY(nw__mask_impossible(&measured->plan, measured->codings, measured->schema, err));
    return nw__query_plan_measure(
        &synth->query_plan, &synth->partial.queries, measured, (size_t)synth->opts.round_rows, rng, err);
}

static nw_status check_release(
    const nw_synth *synth, const nw_rng *rng, const nw_ledger *ledger, const char *label, const char *function, nw_error *err)
{
    if (synth == NULL || rng == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", synth == NULL ? "synth" : rng == NULL ? "rng" : "label");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, function, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    NW__TRY(nw__synth_check_open(synth, function, err));
    return synth->is_handed ? nw__fail_handed(function, err) : NW_OK;
}

/* Charges, counts by `counter` and draws; `rows` of them, which is public under replace_one of records: units have any number of
 * rows. */
static nw_status release(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const char *label, const nw__counter *counter,
    uint64_t rows, nw_synth_measurements **out, nw_receipt *receipt, nw_error *err)
{
    const bool is_public = synth->opts.adjacency == NW_REPLACE_ONE && synth->opts.rows_per_unit == 0;
    const double known_rows = is_public ? (double)rows : -1.0;
    nw_synth_measurements *measured = NULL;
    NW__TRY(nw__measurements_new(&measured, synth, known_rows, err));
    measured->is_insecure = nw_rng_is_insecure(rng);
    nw_status status = nw_ledger_charge(ledger, synth->event, label, rng, receipt, err);
    if (status == NW_OK) {
        synth->is_released = true;
        status = measure(measured, synth, counter, rng, err); /* from here on it is public */
        nw__partial_clear(&synth->partial);
    }
    if (status != NW_OK) {
        nw_synth_measurements_free(measured);
        return status;
    }
    nw__measurements_settle(measured);
    *out = measured;
    return NW_OK;
}

nw_status nw_synth_release(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const char *label, nw_synth_measurements **out,
    nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    nw_status status = check_release(synth, rng, ledger, label, __func__, err);
    if (synth == NULL || synth->stream == NULL) {
        NW__TRY(status);
        const nw__counter counter = nw__counter_of_partial(&synth->partial);
        return release(synth, rng, ledger, label, &counter, synth->partial.rows, out, receipt, err);
    }
    if (status == NW_OK) {
        const nw__counter counter = nw__counter_of_stream(synth->stream);
        status = release(synth, rng, ledger, label, &counter, nw__stream_rows(synth->stream), out, receipt, err);
    }
    if (!synth->is_handed)
        status = nw__stream_dismiss(synth->stream, status, err);
    if (synth->is_released) {
        nw__stream_free(synth->stream);
        synth->stream = NULL;
    }
    return status;
}

nw_status nw_synth_run(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const nw_table *table, const nw_synth_fit_opts *fit,
    nw_table **out, nw_synth_measurements **measured, nw_receipt *receipt, nw_error *err)
{
    nw_synth_measurements *own = NULL;
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (measured != NULL)
        *measured = NULL;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(check_release(synth, rng, ledger, "synth", __func__, err));
    NW__TRY(nw__synth_check_table(synth, table, __func__, err));
    nw_synth_fit_opts known = NW_SYNTH_FIT_OPTS_INIT;
    if (fit != NULL)
        NW__TRY(nw_synth_fit_opts_check(fit, &known, err));
    NW__TRY(nw__fit_check_rules(synth->schema, &known, __func__, err));
    if (synth->partial.counts != NULL || synth->stream != NULL)
        return nw__fail(err, NW_E_STATE, __func__, "records were added already: use nw_synth_release and nw_synth_fit");
    const nw__counter counter = nw__counter_of_table(table);
    nw_status status = nw__query_counts_add(&synth->partial.queries, table, synth->opts.threads, __func__, err);
    if (status == NW_OK)
        status = release(synth, rng, ledger, "synth", &counter, nw_table_rows(table), &own, receipt, err);
    nw__partial_clear(&synth->partial);
    NW__TRY(status);
    status = nw_synth_fit(own, rng, fit, out, err);
    if (measured != NULL)
        *measured = own;
    else
        nw_synth_measurements_free(own);
    return status;
}
