/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* page.c - the words of the report. What it says is computed from the measurements, the synthetic table and the options: all of
 * it public, so the page is, too. Only --unsafe-compare brings the real table in, and then the page says so before anything
 * else. */
#include "page.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/html.h"
#include "../common/numbers.h"
#include "../common/seed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A marginal whose noise is expected to move less than the first share of the records is good, less than the second a sketch. */
static const double GOOD = 0.05;
static const double SKETCH = 0.2;
enum { MOST_ROWS = 200, MOST_IN_SINGLE = 24 /* columns; the map of more is drawn wider */ };

typedef struct page {
    const job *job;
    const page_data *data;
    const page_truth *truth; /* NULL: as it should be */
    FILE *f;
} page;

/* Black on white or the reverse, as the reader's system has it; one column on a phone. Colours of the map go from blue (near)
 * over grey to red, and are told apart by their lightness as well. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1d2129;--quiet:#5a6270;--paper:#fdfdfc;--card:#fff;--rule:#d9dce2;--bar:#3b6ea8;"
    "--dot:#b5471b;--h0:#9cc0e6;--h1:#c3d9ef;--h2:#e6e8eb;--h3:#f6cda8;--h4:#e58a4e;--h5:#a82a14;--dark:#1d2129;--light:#fff;"
    "--alarm:#b00020}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--quiet:#a3abb8;--paper:#15171b;--card:#1d2026;--rule:#3a3f49;"
    "--bar:#6fa3dc;--dot:#ff9d6b;--h0:#24507e;--h1:#2c435c;--h2:#3a3f49;--h3:#7a5534;--h4:#c46a2c;--h5:#ff6b4a;--dark:#e6e8ec;"
    "--light:#15171b;--alarm:#ff6b7d}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}"
    "h3{font-size:1rem;margin:0 0 .3rem;overflow-wrap:anywhere}"
    "p{max-width:42rem}.quiet,figcaption,.lead{color:var(--quiet)}"
    ".alarm{border:3px solid var(--alarm);color:var(--alarm);padding:.8rem 1rem;border-radius:.4rem;font-weight:600}"
    "dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1rem;margin:0}"
    "dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem;align-items:start}"
    "figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.9rem}"
    ".single{max-width:40rem}"
    "svg{display:block;width:100%;height:auto}"
    "svg text{font-size:12px;fill:var(--ink)}svg text.quiet{fill:var(--quiet)}"
    "svg .f4{font-size:4px}svg .f5{font-size:5px}svg .f6{font-size:6px}svg .f7{font-size:7px}svg .f8{font-size:8px}"
    "svg .f9{font-size:9px}svg .f10{font-size:10px}"
    "svg .synthetic{fill:var(--bar)}svg circle.noisy{fill:var(--dot)}svg path.noisy{stroke:var(--dot);stroke-width:1.5}"
    "svg .axis{fill:none;stroke:var(--quiet)}svg .dashed{fill:none;stroke:var(--quiet);stroke-dasharray:4 4}"
    "svg .line{fill:none;stroke:var(--bar);stroke-width:2}svg .unmeasured{fill:none;stroke:var(--rule)}"
    ".h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}"
    "svg text.on{font-size:10px;fill:var(--dark)}svg text.h5t{fill:var(--light)}"
    "details{margin-top:.5rem}summary{cursor:pointer;color:var(--quiet)}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.15rem .7rem .15rem 0;text-align:right;border-bottom:1px solid var(--rule)}"
    "th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere}"
    "@media print{details{display:block}}";

/* ---- head ---- */

static void write_alarms(const page *p)
{
    if (p->truth != NULL) {
        fputs("<p class=\"alarm\" role=\"alert\">NOT PRIVATE. This page was compared with the real table ", p->f);
        app_html_text(p->f, p->truth->path);
        fputs(" (--unsafe-compare). The figures in red are true statistics, which nothing protects. Do not hand this page "
              "on.</p>\n",
            p->f);
    }
    if (nw_synth_measurements_are_insecure(p->job->measured))
        fputs("<p class=\"alarm\" role=\"alert\">NOT PRIVATE. The noise came from --insecure-seed: anyone who knows the seed can "
              "take it away.</p>\n",
            p->f);
}

static void write_head(const page *p)
{
    fprintf(p->f,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<title>%sReport of a synthetic table</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n",
        p->truth != NULL ? "NOT PRIVATE: " : "", style);
    write_alarms(p);
    fprintf(p->f,
        "<h1>A synthetic table</h1>\n<p class=\"lead\">%zu rows, %zu columns, fitted to noisy marginals of a private "
        "table. No row is a record of anyone.</p>\n",
        p->data->rows, p->data->columns);
}

/* ---- what is protected ---- */

static void write_term(const page *p, const char *term, const char *text)
{
    fprintf(p->f, "<dt>%s</dt><dd>", term);
    app_html_text(p->f, text);
    fputs("</dd>\n", p->f);
}

/* A fit does not know the budget that was asked for: the accountant says what the event costs. */
static void write_budget(const page *p)
{
    char text[160];
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    nw_bounds bounds;
    const double usual_delta = 1e-9;
    const nw_adjacency adjacency = nw_synth_measurements_adjacency(p->job->measured);
    if (p->job->inferred != NULL) { /* the schema was charged before, under the same budget: the receipt is of the rest */
        const settings *s = p->job->settings;
        snprintf(text, sizeof text, "epsilon %s, delta %s at most, with what the schema cost", app_text_up(s->epsilon, epsilon),
            app_text_up(s->delta, delta));
        write_term(p, "privacy loss", text);
    } else if (job_is_charged(p->job)) {
        const nw_receipt *r = &p->job->receipt;
        snprintf(text, sizeof text, "epsilon %s, delta %s, rounded up", app_text_up(r->epsilon, epsilon),
            app_text_up(r->delta, delta));
        write_term(p, "privacy loss", text);
    } else if (nw_account_epsilon(nw_synth_measurements_event(p->job->measured), adjacency, usual_delta, NULL, &bounds, NULL) ==
                   NW_OK &&
               isfinite(bounds.upper)) {
        snprintf(text, sizeof text, "epsilon %s at delta %g, rounded up, for the measurements; the fit costs nothing more",
            app_text_up(bounds.upper, epsilon), usual_delta);
        write_term(p, "privacy loss", text);
    }
    write_term(p, "neighbours",
        adjacency == NW_REPLACE_ONE ? "replace_one: tables that differ in what one record says; the number of records is public"
                                    : "add_remove: tables of which one has a record more");
}

static void write_protection(const page *p)
{
    const job *j = p->job;
    fputs("<h2>What is protected</h2>\n<dl>\n", p->f);
    write_term(p, "unit", job_is_charged(j) ? j->receipt.unit : "one record, or what the ledger of the release says");
    write_budget(p);
    if (job_is_charged(j) && j->receipt.is_durable)
        write_term(p, "ledger head", j->receipt.head);
    write_term(p, "not protected",
        j->unit == NULL ? "a person with several records; what the schema says; facts that are true of everyone"
                        : "groups of units; what the schema says; facts that are true of everyone");
    fputs(
        "</dl>\n<p>The promise covers the noisy marginals, the table and this page together: from all of them nobody learns much "
        "more about a unit than if it had not been there.</p>\n",
        p->f);
}

/* ---- what it can be used for ---- */

static size_t columns_within(const page_data *d, double limit)
{
    size_t n = 0;
    for (size_t c = 0; c < d->columns; c++)
        n += d->column[c].expected_error <= limit ? 1 : 0;
    return n;
}

static size_t pairs_within(const page_data *d, double limit)
{
    size_t n = 0;
    for (size_t i = 0; i < d->pair_count; i++)
        n += d->pairs[i].expected_error <= limit ? 1 : 0;
    return n;
}

static void write_noisy_columns(const page *p)
{
    const page_data *d = p->data;
    size_t listed = 0;
    for (size_t c = 0; c < d->columns && listed < MOST_ROWS; c++) {
        if (d->column[c].expected_error <= SKETCH)
            continue;
        fputs(listed++ == 0 ? "<li>Mostly noise, even alone: " : ", ", p->f);
        app_html_text(p->f, d->column[c].name);
    }
    fputs(listed > 0 ? ". Coarser bins or fewer values help.</li>\n" : "", p->f);
}

static void write_uses(const page *p)
{
    const page_data *d = p->data;
    const size_t all_pairs = d->columns * (d->columns - 1) / 2;
    fputs(
        "<h2>What it can be used for, and what not</h2>\n<p>Judged by the noise alone, before looking at any fit: the error of a "
        "marginal is the share of the records that its noise is expected to move to another cell.</p>\n<ul>\n",
        p->f);
    fprintf(p->f,
        "<li>Single columns, as they are drawn below: %zu of %zu have an error of at most %g, %zu of at most %g.</li>\n",
        columns_within(d, GOOD), d->columns, GOOD, columns_within(d, SKETCH), SKETCH);
    write_noisy_columns(p);
    if (all_pairs > 0)
        fprintf(p->f,
            "<li>Pairs of columns: of %zu, %zu have an error of at most %g, and can be relied on; %zu of at most %g (those "
            "included), a sketch; "
            "the "
            "other %zu that were measured are mostly noise, and the fit treats such columns as nearly independent.</li>\n",
            all_pairs, pairs_within(d, GOOD), GOOD, pairs_within(d, SKETCH), SKETCH, d->pair_count - pairs_within(d, SKETCH));
    if (all_pairs > d->pair_count)
        fprintf(p->f, "<li>Pairs that were not measured: %zu. What they have to do with each other is not in the table.</li>\n",
            all_pairs - d->pair_count);
    if (p->job->inferred != NULL)
        fputs("<li>The schema was told by noisy counts: values beyond its bounds were moved to them, and categories of few "
              "records became \"other\". A schema that is corrected by hand mends the tails.</li>\n",
            p->f);
    fputs(
        "<li>Three columns at once, rare combinations and the tails of numeric columns are guesses. Measure them directly when "
        "they matter.</li>\n<li>Confidence intervals and tests that take the rows for a sample are too narrow: the noise is not "
        "in them.</li>\n</ul>\n",
        p->f);
}

/* ---- columns ---- */

static void write_column_table(const page *p, const page_column *c)
{
    fputs("<details><summary>Numbers</summary><div class=\"wide\"><table><thead><tr><th scope=\"col\">value</th>"
          "<th scope=\"col\">noisy share</th><th scope=\"col\">noise (sd)</th><th scope=\"col\">synthetic share</th></tr></thead>"
          "<tbody>\n",
        p->f);
    for (size_t i = 0; i < c->bar_count; i++) {
        fputs("<tr><td>", p->f);
        app_html_text(p->f, c->bars[i].label);
        fprintf(p->f, "</td><td>%.5f</td><td>%.5f</td><td>%.5f</td></tr>\n", c->bars[i].noisy, c->bars[i].error,
            c->bars[i].synthetic);
    }
    fputs("</tbody></table></div></details>", p->f);
}

static void write_columns(const page *p)
{
    const page_data *d = p->data;
    fputs(
        "<h2>Columns</h2>\n<p>Bars: the synthetic table. Dots: what was measured, with two standard deviations of the noise to "
        "either side. A bar should mostly end within the line of its dot; the pairs have a say, too. Categories are in the order "
        "of their "
        "dots, so of many small ones the first dots tend to be too large, and all others too small.</p>\n<div class=\"grid\">\n",
        p->f);
    for (size_t c = 0; c < d->columns; c++) {
        const page_column *column = &d->column[c];
        fputs("<figure><h3>", p->f);
        app_html_text(p->f, column->name);
        fputs("</h3>\n", p->f);
        page_draw_bars(p->f, column, c);
        fprintf(p->f,
            "<figcaption>%llu cells, noise %.4g records each, expected error %.4f; synthetic from noisy %.4f</figcaption>\n",
            (unsigned long long)column->cells, column->sigma, column->expected_error, column->distance);
        write_column_table(p, column);
        fputs("</figure>\n", p->f);
    }
    fputs("</div>\n", p->f);
}

/* ---- pairs ---- */

static int by_residual(const void *a, const void *b)
{
    const page_pair *x = a;
    const page_pair *y = b;
    const int by_size = (x->residual < y->residual) - (x->residual > y->residual);
    const int by_first = (x->a > y->a) - (x->a < y->a);
    return by_size != 0 ? by_size : by_first != 0 ? by_first : (x->b > y->b) - (x->b < y->b);
}

/* The pairs that fit worst, worst first. False if memory lacks. */
static bool write_pair_table(const page *p)
{
    const page_data *d = p->data;
    page_pair *sorted = calloc(d->pair_count, sizeof *sorted);
    if (sorted == NULL)
        return false;
    memcpy(sorted, d->pairs, d->pair_count * sizeof *sorted);
    qsort(sorted, d->pair_count, sizeof *sorted, by_residual);
    fprintf(p->f,
        "<details><summary>Numbers%s</summary><div class=\"wide\"><table><thead><tr><th scope=\"col\">pair</th>"
        "<th scope=\"col\">cells</th><th scope=\"col\">noise (sd)</th><th scope=\"col\">expected error</th>"
        "<th scope=\"col\">residual</th></tr></thead><tbody>\n",
        d->pair_count > MOST_ROWS ? " of the pairs that fit worst" : "");
    for (size_t i = 0; i < d->pair_count && i < MOST_ROWS; i++) {
        fputs("<tr><td>", p->f);
        app_html_text(p->f, d->column[sorted[i].a].name);
        fputs(" and ", p->f);
        app_html_text(p->f, d->column[sorted[i].b].name);
        fprintf(p->f, "</td><td>%llu</td><td>%.4g</td><td>%.4f</td><td>%.4f</td></tr>\n", (unsigned long long)sorted[i].cells,
            sorted[i].sigma, sorted[i].expected_error, sorted[i].residual);
    }
    fputs("</tbody></table></div></details>", p->f);
    free(sorted);
    return true;
}

static bool write_pairs(const page *p)
{
    bool is_good = true;
    if (p->data->pair_count == 0)
        return true;
    fputs(
        "<h2>Pairs of columns</h2>\n<p>How far the synthetic table is from what was measured: the root mean square, over the "
        "cells "
        "of a pair, of their difference in units of the noise. About 1 is as near as can be told; much more means that the table "
        "misses something that was measured.</p>\n",
        p->f);
    fputs(p->data->columns <= MOST_IN_SINGLE ? "<figure class=\"single\">\n" : "<figure class=\"broad\">\n", p->f);
    page_draw_pairs(p->f, p->data);
    is_good = write_pair_table(p);
    fputs("</figure>\n", p->f);
    return is_good;
}

/* ---- the fit, and how it was made ---- */

static void write_trace(const page *p)
{
    const page_trace *t = p->job->trace;
    if (t == NULL || t->count < 2)
        return;
    fputs(
        "<h2>The fit over time</h2>\n<p>The mean square of the same difference over all cells, averaged over the chains: each is "
        "smaller than the table, so its sampling error is on top.</p>\n<figure class=\"single\">\n",
        p->f);
    page_draw_trace(p->f, t);
    fputs("<details><summary>Numbers</summary><table><thead><tr><th scope=\"col\">share of the fit</th><th "
          "scope=\"col\">misfit</th>"
          "</tr></thead><tbody>\n",
        p->f);
    for (size_t i = 0; i < t->count; i++)
        fprintf(p->f, "<tr><td>%.4f</td><td>%.4f</td></tr>\n", t->fraction[i], t->misfit[i]);
    fputs("</tbody></table></details></figure>\n", p->f);
}

static void write_making(const page *p)
{
    const job *j = p->job;
    char text[200];
    char hash[65];
    const size_t marginals = nw_synth_measurements_count(j->measured);
    nw_schema_hash(p->data->schema, hash);
    fputs("<h2>How it was made</h2>\n<dl>\n", p->f);
    snprintf(text, sizeof text,
        "%zu marginals: %zu of one column (numbers and dates in several widths), %zu of two; rounded Gaussian noise on every "
        "cell",
        marginals, marginals - p->data->pair_count, p->data->pair_count);
    write_term(p, "measured", text);
    snprintf(text, sizeof text,
        p->data->records_error > 0.0 ? "%.0f, estimated from the noisy counts (standard error %.1f)" : "%.0f", p->data->records,
        p->data->records_error);
    write_term(p, "records", text);
    snprintf(text, sizeof text, "%s, %u sweeps, %u chains", nw_synth_engine_name(j->fit.engine), j->fit.sweeps, j->fit.chains);
    write_term(p, "engine", text);
    if (j->settings->seed != APP_NO_SEED) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)j->settings->seed);
        write_term(p, "seed of the fit", text);
    }
    write_term(p, "schema", hash);
    write_term(p, "library", nw_version());
    fputs("</dl>\n", p->f);
}

/* ---- the truth ---- */

static void write_distance(const page *p, const char *name, double value)
{
    if (!isnan(value))
        fprintf(p->f, "<tr><td>%s</td><td>%.4f</td></tr>\n", name, value);
}

static void write_truth(const page *p)
{
    const page_truth *t = p->truth;
    if (t == NULL)
        return;
    fprintf(p->f,
        "<h2 class=\"alarm\">Compared with the real table: not private</h2>\n<p>Total variation distances between the "
        "synthetic table and the %zu records of the real one, over the cells that were measured.</p>\n"
        "<div class=\"alarm wide\"><table><thead><tr><th scope=\"col\">marginal</th><th scope=\"col\">true distance</th>"
        "</tr></thead><tbody>\n",
        t->rows);
    write_distance(p, "single columns, average", t->average[0]);
    write_distance(p, "single columns, largest", t->largest[0]);
    if (!isnan(t->average[1])) {
        write_distance(p, "pairs, average", t->average[1]);
        write_distance(p, "pairs, largest", t->largest[1]);
    }
    for (size_t c = 0; c < p->data->columns; c++) {
        fputs("<tr><td>", p->f);
        app_html_text(p->f, p->data->column[c].name);
        fprintf(p->f, "</td><td>%.4f</td></tr>\n", t->column[c]);
    }
    fputs("</tbody></table></div>\n", p->f);
}

/* The whole page as a new string; NULL if memory lacks. */
static char *page_text(page *p)
{
    char *text = NULL;
    size_t size = 0;
    p->f = open_memstream(&text, &size);
    if (p->f == NULL)
        return NULL;
    write_head(p);
    write_truth(p);
    write_protection(p);
    write_uses(p);
    write_columns(p);
    bool is_good = write_pairs(p);
    write_trace(p);
    write_making(p);
    fputs("</main>\n</body>\n</html>\n", p->f);
    is_good = ferror(p->f) == 0 && is_good;
    is_good = fclose(p->f) == 0 && is_good;
    if (is_good)
        return text;
    free(text);
    return NULL;
}

int page_write(const job *j)
{
    page_data data;
    page_truth truth = { 0 };
    const settings *s = j->settings;
    page p = { .job = j, .data = &data };
    char *text = NULL;
    int code = page_data_new(&data, j->measured, j->synthetic) ? APP_OK : app_fail(APP_INTERNAL, s->report, "out of memory");
    if (code == APP_OK && s->unsafe_compare != NULL) {
        code = page_truth_read(&truth, &data, j->measured, s->unsafe_compare);
        p.truth = &truth;
    }
    if (code == APP_OK && (text = page_text(&p)) == NULL)
        code = app_fail(APP_INTERNAL, s->report, "out of memory");
    if (code == APP_OK)
        code = app_write_text(s->report, text);
    if (code == APP_OK && p.truth != NULL)
        app_note("NOT PRIVATE: %s was compared with the real table", s->report);
    free(text);
    page_truth_free(&truth);
    page_data_free(&data);
    return code;
}
