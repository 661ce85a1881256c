/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_constraints.c - rules on a real table: the records keep them, so does every row that is written, and the marginals are no
 * worse for it. The American Community Survey's Massachusetts 2019 excerpt, 7634 x 24, epsilon = 1. Needs -Dreal_data_dir. */
#include <noisewright.h>
#include <nw/testing.h>

#include "marginals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char *folder;

static void read_schemas(nw_schema **plain, nw_schema **ruled)
{
    char path[4096];
    nw_error err;
    snprintf(path, sizeof path, "%s/acs-ma2019/acs-ma2019-domain.json", folder);
    if (nw_schema_read(plain, path, NW_SYNTH_BINS, &err) != NW_OK)
        fail_msg("%s", err.message);
    if (nw_constraints_read(ruled, *plain, NW_SOURCE_ROOT "/tests/real/acs-ma2019-constraints.json", &err) != NW_OK)
        fail_msg("%s", err.message);
}

/* The synthetic table under the given schema; seeds differ. */
static nw_table *synthesise(const nw_schema *schema, const char *csv, uint64_t seed, nw_table **real)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_table *out = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    o.epsilon = lo.epsilon = 1.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_table_read_csv(real, schema, csv, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    if (nw_synth_run(synth, rng, ledger, *real, NULL, &out, NULL, NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return out;
}

static uint64_t count_broken(const nw_schema *ruled, const nw_table *table)
{
    char path[] = "/tmp/nw-constraints-XXXXXX";
    uint64_t rows = 1;
    nw_rng *rng = NULL;
    nw_error err;
    close(mkstemp(path));
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    if (nw_constraints_violations_csv(ruled, path, NULL, &rows, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_rng_free(rng);
    unlink(path);
    return rows;
}

/* The same table under another schema's bins. */
static nw_table *recode(const nw_schema *schema, const nw_table *table)
{
    char path[] = "/tmp/nw-constraints-XXXXXX";
    nw_table *out = NULL;
    nw_rng *rng = NULL;
    close(mkstemp(path));
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 2, NULL), NW_OK);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    assert_int_equal(nw_table_read_csv(&out, schema, path, NULL), NW_OK);
    nw_rng_free(rng);
    unlink(path);
    return out;
}

static void acs_ma2019__keeps_its_rules_at_no_loss(void **state)
{
    (void)state;
    enum { SEEDS = 2 };
    char csv[4096];
    uint64_t broken[32];
    uint64_t rows = 1;
    nw_schema *plain = NULL;
    nw_schema *ruled = NULL;
    double free_tv[2] = { 0 };
    double kept_tv[2] = { 0 };
    read_schemas(&plain, &ruled);
    snprintf(csv, sizeof csv, "%s/acs-ma2019/acs-ma2019.csv", folder);
    assert_int_equal(nw_constraints_violations_csv(ruled, csv, broken, &rows, NULL), NW_OK);
    for (size_t i = 0; i < nw_schema_rules(ruled); i++)
        if (broken[i] > 0)
            fail_msg("%s: broken by the records", nw_schema_rule_name(ruled, i));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        nw_table *real = NULL;
        nw_table *real_ruled = NULL;
        nw_table *unruled = synthesise(plain, csv, seed, &real);
        nw_table *kept = synthesise(ruled, csv, seed, &real_ruled);
        nw_table *kept_plainly = recode(plain, kept);
        assert_true(count_broken(ruled, unruled) > nw_table_rows(unruled) / 10);
        assert_int_equal(count_broken(ruled, kept), 0);
        for (unsigned ways = 2; ways <= 3; ways++) {
            marginal_score score;
            assert_int_equal(marginal_tv(real, unruled, ways, &score), 0);
            free_tv[ways - 2] += score.average / SEEDS;
            assert_int_equal(marginal_tv(real, kept_plainly, ways, &score), 0);
            kept_tv[ways - 2] += score.average / SEEDS;
        }
        nw_table_free(real);
        nw_table_free(real_ruled);
        nw_table_free(unruled);
        nw_table_free(kept);
        nw_table_free(kept_plainly);
    }
    print_message("# 2-way / 3-way: %.4f / %.4f without rules, %.4f / %.4f within them\n", free_tv[0], free_tv[1], kept_tv[0],
        kept_tv[1]);
    assert_true(kept_tv[0] <= free_tv[0] * 1.02 && kept_tv[1] <= free_tv[1] * 1.02);
    nw_schema_free(plain);
    nw_schema_free(ruled);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acs_ma2019__keeps_its_rules_at_no_loss),
    };
    if (argc < 2 || argv[1][0] == '\0') {
        puts("1..0 # SKIP skipped: no real data");
        return 0;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
