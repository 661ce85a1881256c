/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* infer_command.c - nw-synth infer-schema TABLE.csv: a schema to look at, and to edit. */
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/numbers.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "infer.h"

#include <stdlib.h>
#include <string.h>

int infer_open_ledger(const settings *s, nw_ledger **ledger)
{
    nw_error err;
    nw_event *whole = NULL;
    if (app_is_stream(s->operands[0]))
        return app_fail(APP_USAGE, "TABLE.csv", "is a stream, must be a file where a schema is inferred: it is read twice");
    if (settings_adjacency(s) != NW_ADD_REMOVE)
        return app_fail(APP_USAGE, "--adjacency", "is replace-one, must be add-remove where a schema is inferred");
    /* what the schema, and the table, will come to together */
    const double sigma = 1.0 / infer_mu(s->epsilon, s->delta);
    if (nw_event_gaussian(&whole, sigma, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, &err) != NW_OK)
        return app_fail_error("--epsilon", &err);
    const app_release release = {
        .ledger = s->ledger, .epsilon = s->epsilon, .delta = s->delta, .adjacency = NW_ADD_REMOVE, .event = whole
    };
    const int code = app_open_ledger(ledger, &release);
    nw_event_free(whole);
    return code;
}

void infer_note_total(nw_ledger *ledger)
{
    nw_ledger_summary summary;
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    if (nw_ledger_summarise(ledger, &summary, NULL) == NW_OK)
        app_note("all charges together are epsilon %s at delta %s", app_text_up(summary.spent_epsilon, epsilon),
            app_text_up(summary.spent_delta, delta));
}

static int print_json(const infer *job, const settings *s)
{
    nw_ledger_summary summary;
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(s->epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    if (nw_ledger_summarise(job->ledger, &summary, NULL) == NW_OK) {
        app_json_put(&object, "spent_epsilon", app_json_real(summary.spent_epsilon));
        app_json_put(&object, "spent_delta", app_json_real(summary.spent_delta));
    }
    app_json_put(&object, "receipts", app_receipts_json(&job->receipts));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(s->insecure_seed)));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(&object, "output", app_json_text(s->output));
    return app_print_json(object);
}

static int print_result(const infer *job, const settings *s)
{
    app_note_seed(s->insecure_seed);
    if (s->is_json)
        return print_json(job, s);
    if (s->is_quiet)
        return APP_OK;
    app_receipts_print(stderr, &job->receipts, s->ledger);
    infer_note_total(job->ledger);
    app_note("values beyond the bounds that were found will be moved to them, and rare categories become \"other\"");
    app_note("look at %s and correct it; then: nw-synth %s --schema %s --epsilon E --delta D -o FILE", s->output, job->path,
        s->output);
    return APP_OK;
}

static int check(const settings *s)
{
    const char *const named[] = { s->operands[0], s->ledger };
    int code = app_check_seed(s->insecure_seed, s->ledger);
    if (code == APP_OK && s->is_json && strcmp(s->output, "-") == 0)
        code = app_fail(APP_USAGE, "--json", "both it and the schema would go to standard output, -o must be a file");
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, named, 2);
    if (code == APP_OK)
        code = app_check_input(s->operands[0]);
    return code == APP_OK ? app_check_output(s->output) : code;
}

int synth_infer(const settings *s)
{
    nw_error err;
    app_progress progress;
    char *text = NULL;
    infer job = { .path = s->operands[0], .delta = s->delta, .mu = infer_mu(s->epsilon, s->delta), .progress = &progress };
    int code = check(s);
    if (code == APP_OK)
        code = infer_open_ledger(s, &job.ledger);
    if (code == APP_OK && app_new_rng(&job.rng, s->insecure_seed, &err) != NW_OK)
        code = app_fail_error("random numbers", &err);
    app_progress_start(&progress, s->is_quiet);
    if (code == APP_OK)
        code = infer_schema(&job, &text);
    app_progress_end(&progress);
    if (code == APP_OK)
        code = app_write_text(s->output, text);
    if (code != APP_OK && job.receipts.count > 0)
        app_note("what was charged so far stays spent; no schema was written");
    if (code == APP_OK)
        code = print_result(&job, s);
    app_receipts_free(&job.receipts);
    free(text);
    nw_rng_free(job.rng);
    nw_ledger_close(job.ledger);
    return code;
}
