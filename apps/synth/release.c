/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* release.c - nw-synth TABLE.csv: a private synthetic table; nw-synth fit: another one from what was measured. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/seed.h"
#include "guide.h"
#include "infer.h"
#include "manifest.h"
#include "page_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DEFAULT_INFER_SHARE = 0.1;

/* A schema is given or inferred; rules, units and estimates need one that is given. */
static int check_inferring(const settings *s)
{
    if (!s->is_inferring) {
        if (s->infer_share > 0.0)
            return app_fail(APP_USAGE, "--infer-share", "given without --infer-schema, must be given with it");
        return s->schema != NULL ? APP_OK : guide_to_schema(s->operands[0]);
    }
    const char *const alone[][2] = { { "--schema", s->schema }, { "--constraints", s->constraints }, { "--unit", s->unit } };
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (alone[i][1] != NULL)
            return app_fail(APP_USAGE, alone[i][0], "given with --infer-schema, must be given with a schema only");
    if (s->is_estimate)
        return app_fail(APP_USAGE, "--estimate", "given with --infer-schema, must be given with a schema only");
    return APP_OK;
}

/* What the options say about each other. */
static int check_settings(const settings *s)
{
    if (s->constraints != NULL && settings_engine(s) != NW_SYNTH_GIBBS)
        return app_fail(
            APP_USAGE, "--engine", "is %s, must be gibbs with --constraints", nw_synth_engine_name(settings_engine(s)));
    int code = settings_check_units(s);
    if (code == APP_OK && !s->is_fit)
        code = check_inferring(s);
    if (code != APP_OK || s->is_estimate)
        return code;
    if (s->operands[0] == NULL && !s->is_fit)
        return app_fail(APP_USAGE, "TABLE.csv", "missing, must be given");
    if (s->output == NULL)
        return app_fail(APP_USAGE, "--output", "missing, must be given unless --estimate is");
    if (strcmp(s->output, "-") == 0 && s->is_json)
        return app_fail(APP_USAGE, "--json", "both it and the table would go to standard output, -o must be a file");
    if (s->unsafe_compare != NULL && s->report == NULL)
        return app_fail(APP_USAGE, "--report", "missing, must be given with --unsafe-compare");
    code = app_check_seed(s->insecure_seed, s->ledger);
    return code == APP_OK ? job_check_files(s) : code;
}

static int estimate(job *j)
{
    int code = app_check_alone(j->settings->reduce, "--estimate");
    if (code == APP_OK)
        code = check_settings(j->settings);
    if (code == APP_OK)
        code = job_plan(j);
    if (code != APP_OK)
        return code;
    if (!j->settings->is_json) {
        manifest_print_estimate(j);
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    }
    json_t *object = manifest_json(j, j->settings->rows);
    app_json_put(&object, "estimate", json_true());
    return app_print_json(object);
}

/* The schema first; the table gets what is left of the budget. */
static int infer_and_plan(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    const double mu = infer_mu(s->epsilon, s->delta);
    const double share = s->infer_share > 0.0 ? s->infer_share : DEFAULT_INFER_SHARE;
    infer inferring = { .path = s->operands[0], .delta = s->delta, .mu = mu * sqrt(share), .progress = &j->progress };
    int code = infer_open_ledger(s, &j->ledger);
    if (code == APP_OK && app_new_rng(&j->rng, s->insecure_seed, &err) != NW_OK)
        code = app_fail_error("random numbers", &err);
    inferring.ledger = j->ledger;
    inferring.rng = j->rng;
    if (code == APP_OK)
        code = infer_schema(&inferring, &j->inferred);
    if (code == APP_OK) {
        j->epsilon = infer_epsilon(sqrt(mu * mu - inferring.mu_squared), s->delta);
        code = job_plan(j);
    }
    app_progress_end(&j->progress);
    j->inferred_receipts = inferring.receipts;
    if (code != APP_OK && inferring.receipts.count > 0)
        app_note("what was charged for the schema stays spent; nothing was released");
    return code;
}

static int synthesise(job *j)
{
    const settings *s = j->settings;
    const double started = app_clock();
    const bool is_first = s->reduce->rank == 0;
    int code = s->is_inferring ? app_check_alone(s->reduce, "--infer-schema") : APP_OK;
    if (code == APP_OK)
        code = check_settings(s);
    if (code == APP_OK)
        code = job_plan_fit(j);
    if (code == APP_OK && s->is_fit)
        code = job_read_measurements(j);
    if (code == APP_OK && !s->is_fit && !s->is_inferring)
        code = job_plan(j);
    if (code == APP_OK && !s->is_fit && is_first)
        code = s->is_inferring ? infer_and_plan(j) : job_open_ledger(j);
    code = app_agree(s->reduce, code);
    if (code == APP_OK && !s->is_fit)
        code = job_read_table(j);
    if (code == APP_OK && !is_first)
        return job_follow(j);
    if (code == APP_OK)
        code = s->is_fit ? job_fit(j) : job_run(j);
    if (code == APP_OK)
        code = job_write(j);
    j->seconds = app_clock() - started;
    return code == APP_OK ? job_print_result(j) : code;
}

static int run(const settings *given)
{
    page_trace trace = { 0 };
    settings s = *given;
    app_share share;
    job j = { .settings = &s, .share = &share, .epsilon = s.epsilon, .trace = &trace };
    int code = app_share_of(&share, s.reduce, s.operands[0]);
    s.operands[0] = share.path;
    app_progress_start(&j.progress, s.is_quiet || s.reduce->rank > 0);
    if (code == APP_OK)
        code = s.is_estimate ? estimate(&j) : synthesise(&j);
    app_progress_end(&j.progress);
    job_free(&j);
    app_share_free(&share);
    return code;
}

int synth_table(const settings *s)
{
    return run(s);
}

int synth_fit(const settings *given)
{
    settings s = *given;
    s.is_fit = true;
    return run(&s);
}
