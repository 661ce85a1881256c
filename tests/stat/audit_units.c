/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_units.c - releases of the synth room where a unit of three rows is in the file or not and two rows of each unit count,
 * against what is charged. The best test is the likelihood ratio, linear in the noisy counts, as in audit_synth.c. With 2000
 * runs a side the bound of mu comes out a third or so below the truth; the mutants are further above the claim than that. */
#include "audit.h"
#include "mutants.h"
#include "table_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RUNS = 2000 };

/* How many rows of a unit are read, and how many the handle believes in. */
typedef struct unit_fault {
    uint32_t read;
    uint32_t charged;
} unit_fault;

typedef struct unit_release {
    nw_schema *schema;
    nw_table *tables[2];
    nw_synth_opts opts;
} unit_release;

static nw_table *read_side(const nw_schema *schema, int side, const unit_fault *fault)
{
    static const char *const texts[2] = { "who,a,b\nv,0,0\nv,0,1\nw,1,1\n",
        "who,a,b\nv,0,0\nu,1,1\nv,0,1\nu,1,1\nw,1,1\nu,1,1\n" };
    char path[] = "/tmp/nw-units-XXXXXX";
    nw_table *table = NULL;
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, texts[side], strlen(texts[side])) == (ssize_t)strlen(texts[side]));
    close(fd);
    assert_int_equal(nw_table_read_csv_units(&table, schema, path, "who", fault->read, NULL), NW_OK);
    unlink(path);
    nw__table_set_rows_per_unit(table, fault->charged);
    return table;
}

static double log_ratio(const nw_synth_measurements *measured)
{
    double s = 0.0;
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        s += (double)nw_synth_measurements_counts(measured, i)[m.cells - 1] / (m.sigma * m.sigma + 1.0 / 12.0);
    }
    return s;
}

static void run_releases(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const unit_release *r = context;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    lo.delta = r->opts.delta;
    lo.adjacency = NW_ADD_REMOVE;
    for (size_t run = 0; run < runs; run++) {
        nw_synth *synth = NULL;
        nw_synth_measurements *measured = NULL;
        if (run % 100 == 0) { /* a fresh ledger now and then: its chain is not what is audited */
            nw_ledger_close(ledger);
            assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
        }
        assert_int_equal(nw_synth_new(&synth, r->schema, &r->opts, NULL), NW_OK);
        assert_int_equal(nw_synth_add(synth, r->tables[side], NULL), NW_OK);
        assert_int_equal(nw_synth_release(synth, rng, ledger, "audit", &measured, NULL, NULL), NW_OK);
        out[run] = log_ratio(measured);
        nw_synth_measurements_free(measured);
        nw_synth_free(synth);
    }
    nw_ledger_close(ledger);
}

static audit_bound audit_units(const unit_fault *fault, audit_claim *claim)
{
    unit_release r = { .opts = NW_SYNTH_OPTS_INIT };
    audit_opts o = AUDIT_OPTS_INIT;
    nw_synth *synth = NULL;
    assert_int_equal(nw_schema_parse(&r.schema, "{\"a\": 2, \"b\": 2}", 0, NULL), NW_OK);
    for (int side = 0; side < 2; side++)
        r.tables[side] = read_side(r.schema, side, fault);
    r.opts.epsilon = 10.0;
    r.opts.delta = o.delta = 1e-9;
    r.opts.adjacency = NW_ADD_REMOVE;
    r.opts.rows_per_unit = fault->charged;
    r.opts.threads = 1;
    o.runs = RUNS;
    assert_int_equal(nw_synth_new(&synth, r.schema, &r.opts, NULL), NW_OK);
    *claim = audit_claim_of(nw_synth_event(synth), NW_ADD_REMOVE, o.delta);
    nw_synth_free(synth);
    const audit_bound bound = audit(&(audit_mechanism){ run_releases, &r, 1 }, &o);
    nw_table_free(r.tables[0]);
    nw_table_free(r.tables[1]);
    nw_schema_free(r.schema);
    return bound;
}

/* The honest release, audited once. */
static audit_bound honest;
static audit_claim honest_claim;

static void units__are_worth_what_is_charged(void **state)
{
    (void)state;
    honest = audit_units(&(unit_fault){ 2, 2 }, &honest_claim);
    assert_false(audit_refutes(&honest, &honest_claim));
    assert_true(honest.mu > 0.55 * honest_claim.mu);
}

static bool audit__refutes(const void *context, bool is_planted)
{
    audit_claim claim = honest_claim;
    const audit_bound bound = is_planted ? audit_units(context, &claim) : honest;
    return audit_refutes(&bound, &claim);
}

static void units__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "two neighbours accounted as one", "audit", audit__refutes, &(unit_fault){ 2, 1 } },
        { "a unit's third row counts, too", "audit", audit__refutes, &(unit_fault){ 3, 2 } },
    };
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        assert_true(mutant_report(&mutants[m]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units__are_worth_what_is_charged),
        cmocka_unit_test(units__mutants_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
