/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_rules.c - rules against their plain reading, on every row of a small domain: by values, by codes, and as written. */
#include "plain_rules.h"
#include "rules.h"
#include "table_support.h"

#include <math.h>

#define RULES(list) "{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": [" list "]}"
#define SMALL_SCHEMA                                                                                                             \
    "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9}, \"b\": {\"type\": \"float\", \"lower\": -1, "                      \
    "\"upper\": 3.5, \"step\": 0.5, \"nullable\": false}, \"c\": {\"type\": \"int\", \"lower\": 0, "                             \
    "\"upper\": 16, \"step\": 2, \"scale\": \"log\"}, \"x\": {\"type\": \"categorical\", \"values\": "                           \
    "[\"p\", \"q\", \"r\"]}, \"t\": {\"type\": \"bool\", \"nullable\": false}, \"n\": 3}"

enum { COLUMNS = 6 };
static const char *const names[COLUMNS] = { "a", "b", "c", "x", "t", "n" };
static const double lowers[COLUMNS] = { 0, -1, 0, 0, 0, 0 };
static const double steps[COLUMNS] = { 1, .5, 2, 1, 1, 1 };
static const unsigned value_counts[COLUMNS] = { 11, 10, 10, 4, 2, 3 }; /* with the missing one */
static const bool are_nullable[COLUMNS] = { true, false, true, true, false, false };
static const char *const labels[COLUMNS][3] = { { 0 }, { 0 }, { 0 }, { "p", "q", "r" }, { "false", "true" }, { 0 } };
#define ROWS (11 * 10 * 10 * 4 * 2 * 3)

static nw_schema *constrained(const char *schema_json, uint32_t max_bins, const char *rules)
{
    nw_schema *schema = schema_of(schema_json, max_bins);
    nw_schema *out = NULL;
    nw_error err;
    if (nw_constraints_parse(&out, schema, rules, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_schema_free(schema);
    return out;
}

static void nth_row(unsigned index, plain_value row[COLUMNS])
{
    for (int j = 0; j < COLUMNS; j++, index /= value_counts[j - 1]) {
        const unsigned v = index % value_counts[j];
        const bool is_missing = are_nullable[j] && v == value_counts[j] - 1;
        row[j] = (plain_value){ names[j], is_missing ? NULL : labels[j][v % 3], lowers[j] + steps[j] * v, is_missing };
    }
}

static size_t print_row(const plain_value row[COLUMNS], char *out)
{
    size_t n = 0;
    for (int j = 0; j < COLUMNS; j++) {
        if (!row[j].is_missing && row[j].label != NULL)
            n += (size_t)sprintf(out + n, "%s", row[j].label);
        else if (!row[j].is_missing)
            n += (size_t)sprintf(out + n, "%g", row[j].number);
        out[n++] = j + 1 < COLUMNS ? ',' : '\n';
    }
    return n;
}

static const char *const rule_sets[] = {
    RULES(
        "{\"name\": \"young\", \"if\": {\"column\": \"a\", \"less_than\": 4}, \"then\": {\"column\": \"c\", \"missing\": true}}"),
    RULES("{\"forbid\": {\"all\": [{\"column\": \"x\", \"in\": [\"p\", null]}, {\"any\": [{\"column\": \"t\", \"equals\": "
          "true}, {\"not\": {\"column\": \"b\", \"at_least\": 0.25, \"at_most\": 2}}]}]}}"),
    RULES("{\"function\": {\"from\": \"c\", \"to\": \"x\", \"intervals\": [[null, 3, \"p\"], [3, 8, \"q\"], [8, null, \"r\"]]}}"),
    RULES("{\"function\": {\"from\": \"x\", \"to\": \"a\", \"table\": [[\"p\", 3], [\"q\", 7], [\"r\", null]]}}"),
    RULES("{\"function\": {\"from\": [\"t\", \"n\"], \"to\": \"b\", \"table\": [[false, 0, -1], [true, 0, 0.5], [true, 1, "
          "3.5], [false, 2, 2], [true, 2, 2]]}}"),
    RULES("{\"order\": [\"b\", \"a\", \"c\"]}"),
    RULES("{\"if\": {\"column\": \"t\", \"equals\": true}, \"order\": [\"c\", \"a\"]}, {\"linear\": {\"a\": 1, \"b\": -2}, "
          "\"at_least\": -1, \"at_most\": 6}"),
    RULES("{\"linear\": {\"a\": 1, \"b\": 1, \"c\": -1}, \"equals\": 0}"),
    RULES("{\"linear\": {\"a\": 0.5, \"b\": 1, \"c\": -0.25}, \"equals\": 1, \"within\": 0.5}, {\"if\": {\"column\": \"n\", "
          "\"more_than\": 0}, \"then\": {\"all\": [{\"column\": \"a\", \"at_most\": 6}, {\"column\": \"x\", \"missing\": "
          "false}]}}"),
    RULES("{\"linear\": {\"a\": 2, \"c\": 1}, \"equals\": 10}, {\"linear\": {\"a\": 1, \"c\": -1}, \"at_most\": 2}"),
};
enum { RULE_SETS = sizeof rule_sets / sizeof *rule_sets };

/* By the plain reading: how many rows break each rule, and any. */
static void count_plainly(json_t *list, uint64_t *broken, uint64_t *rows)
{
    plain_value row[COLUMNS];
    *rows = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        broken[i] = 0;
    for (unsigned r = 0; r < ROWS; r++) {
        bool is_broken = false;
        nth_row(r, row);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const bool holds = plain_rule_holds(json_array_get(list, i), row, COLUMNS);
            broken[i] += !holds;
            is_broken |= !holds;
        }
        *rows += is_broken;
    }
}

static void violations_csv__are_those_of_the_plain_reading(void **state)
{
    (void)state;
    char *csv = malloc(ROWS * 40 + 100);
    char path[64];
    size_t n = (size_t)sprintf(csv, "a,b,c,x,t,n\n");
    plain_value row[COLUMNS];
    for (unsigned r = 0; r < ROWS; r++) {
        nth_row(r, row);
        n += print_row(row, csv + n);
    }
    const int fd = file_of(csv, n, path);
    for (size_t s = 0; s < RULE_SETS; s++) {
        uint64_t plain[2];
        uint64_t plain_rows;
        uint64_t broken[2];
        uint64_t rows;
        json_t *root = json_loads(rule_sets[s], 0, NULL);
        nw_schema *schema = constrained(SMALL_SCHEMA, s % 2 == 0 ? 3 : 0, rule_sets[s]);
        count_plainly(json_object_get(root, "rules"), plain, &plain_rows);
        assert_int_equal(nw_constraints_violations_csv(schema, path, broken, &rows, NULL), NW_OK);
        assert_true(plain_rows > 0 && plain_rows < ROWS);
        assert_int_equal(rows, plain_rows);
        for (size_t i = 0; i < nw_schema_rules(schema); i++)
            assert_int_equal(broken[i], plain[i]);
        nw_schema_free(schema);
        json_decref(root);
    }
    close(fd);
    free(csv);
}

/* The code combination of a row, as one number. */
static size_t combination_of(const nw_schema *schema, const plain_value row[COLUMNS], uint16_t codes[COLUMNS])
{
    size_t index = 0;
    for (int j = 0; j < COLUMNS; j++) {
        const nw__domain *domain = &schema->domains[j];
        codes[j] = row[j].is_missing      ? domain->missing_code
                   : row[j].label != NULL ? nw__domain_encode_text(domain, row[j].label, strlen(row[j].label))
                                          : nw__domain_encode_number(domain, row[j].number);
        index = index * domain->column.cells + codes[j];
    }
    return index;
}

static void violations__are_the_codes_that_no_values_of_them_save(void **state)
{
    (void)state;
    for (size_t s = 0; s < RULE_SETS; s++) {
        json_t *root = json_loads(rule_sets[s], 0, NULL);
        json_t *list = json_object_get(root, "rules");
        nw_schema *schema = constrained(SMALL_SCHEMA, 3, rule_sets[s]);
        size_t combinations = 1;
        for (int j = 0; j < COLUMNS; j++)
            combinations *= schema->domains[j].column.cells;
        uint8_t *is_saved = calloc(combinations, 1);
        plain_value row[COLUMNS];
        uint16_t codes[COLUMNS];
        for (unsigned r = 0; r < ROWS; r++) {
            bool is_kept = true;
            nth_row(r, row);
            for (size_t i = 0; i < json_array_size(list); i++)
                is_kept = is_kept && plain_rule_holds(json_array_get(list, i), row, COLUMNS);
            is_saved[combination_of(schema, row, codes)] |= is_kept;
        }
        nw_table *table = NULL;
        assert_int_equal(nw_table_new(&table, schema, combinations, NULL), NW_OK);
        uint64_t lost = 0;
        for (size_t k = 0; k < combinations; k++) {
            size_t rest = k;
            for (size_t j = COLUMNS; j-- > 0; rest /= schema->domains[j].column.cells) {
                const uint16_t code = (uint16_t)(rest % schema->domains[j].column.cells);
                assert_int_equal(nw_table_set(table, j, k, 1, &code, NULL), NW_OK);
            }
            lost += !is_saved[k];
        }
        uint64_t rows;
        assert_int_equal(nw_constraints_violations(table, NULL, &rows, NULL), NW_OK);
        assert_int_equal(rows, lost);
        nw_table_free(table);
        free(is_saved);
        nw_schema_free(schema);
        json_decref(root);
    }
}

/* Each allowed code combination, written many times: no row as written breaks a rule, and every code comes back. */
static void write_csv__keeps_the_rules_inside_bins(void **state)
{
    (void)state;
    char path[] = "/tmp/nw-rules-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 5, NULL), NW_OK);
    for (size_t s = 0; s < RULE_SETS; s++) {
        nw_schema *schema = constrained(SMALL_SCHEMA, 3, rule_sets[s]);
        nw_table *table = NULL;
        nw_table *back = NULL;
        plain_value row[COLUMNS];
        uint16_t codes[COLUMNS];
        int64_t k[COLUMNS];
        size_t kept = 0;
        assert_int_equal(nw_table_new(&table, schema, ROWS, NULL), NW_OK);
        for (unsigned r = 0; r < ROWS; r++) { /* the codes of every row: more often those of more values */
            bool is_kept = true;
            nth_row(r, row);
            combination_of(schema, row, codes);
            for (size_t i = 0; i < nw_schema_rules(schema); i++)
                is_kept = is_kept && nw__rule_truth(schema->rules, i, codes, codes) != NW__FALSE;
            if (is_kept)
                assert_int_equal(nw__rules_solve(schema->rules, codes, codes, SIZE_MAX, NULL, NULL, k, &is_kept, NULL), NW_OK);
            for (size_t j = 0; is_kept && j < COLUMNS; j++)
                assert_int_equal(nw_table_set(table, j, kept, 1, &codes[j], NULL), NW_OK);
            kept += is_kept;
        }
        nw__table_trim(table, kept);
        assert_true(kept > 100 && kept < ROWS);
        assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
        uint64_t rows = 1;
        assert_int_equal(nw_constraints_violations_csv(schema, path, NULL, &rows, NULL), NW_OK);
        assert_int_equal(rows, 0);
        assert_int_equal(nw_table_read_csv(&back, schema, path, NULL), NW_OK);
        assert_int_equal(nw_table_rows(back), kept);
        for (size_t r = 0; r < kept; r++)
            for (size_t j = 0; j < COLUMNS; j++)
                assert_int_equal(code_at(back, j, r), code_at(table, j, r));
        nw_table_free(back);
        nw_table_free(table);
        nw_schema_free(schema);
    }
    nw_rng_free(rng);
    unlink(path);
}

static void constraints__give_compared_numbers_bins_of_their_own(void **state)
{
    (void)state;
    const char *const json = "{\"v\": {\"type\": \"float\", \"lower\": 0, \"upper\": 100}, \"w\": 2}";
    nw_schema *schema = constrained(json, 4,
        RULES("{\"if\": {\"column\": \"v\", \"in\": [0, 12.7, 100]}, \"then\": {\"column\": \"w\", \"equals\": 1}}, {\"if\": "
              "{\"column\": \"v\", \"more_than\": 60}, \"then\": {\"column\": \"w\", \"equals\": 1}}"));
    const nw__domain *domain = &schema->domains[0];
    const double edges[] = { 0, nextafter(0, 1), 12.7, nextafter(12.7, 13), 25, 50, nextafter(60, 61), 75, 100,
        nextafter(100, 101) };
    assert_int_equal(domain->bins, 9);
    for (size_t i = 0; i < 10; i++)
        assert_true(domain->edges[i] == edges[i]);
    assert_int_equal(nw__domain_encode_number(domain, 60), 5);
    assert_int_equal(nw__domain_encode_number(domain, nextafter(60, 61)), 6);
    assert_int_equal(nw__domain_encode_number(domain, 1000), 8);
    nw_table *table = table_of(schema, "v,w\n12.7,1\n100,1\n0,1\n55,0\n,0\n99,1\n");
    nw_rng *rng = NULL;
    char text[512] = "";
    char path[] = "/tmp/nw-rules-XXXXXX";
    close(mkstemp(path));
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 5, NULL), NW_OK);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    FILE *file = fopen(path, "r");
    assert_true(file != NULL && fread(text, 1, sizeof text - 1, file) > 0);
    assert_memory_equal(text, "v,w\n12.7,1\n100,1\n0,1\n5", 22);
    fclose(file);
    unlink(path);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void constraints__change_the_hash(void **state)
{
    (void)state;
    char plain[65];
    char ruled[65];
    char respaced[65];
    nw_schema *schema = schema_of(SMALL_SCHEMA, 0);
    nw_schema *one = constrained(SMALL_SCHEMA, 0, RULES("{\"order\": [\"a\", \"c\"]}"));
    nw_schema *same = constrained(SMALL_SCHEMA, 0, RULES(" { \"order\" :[\"a\",\"c\"]} "));
    nw_schema_hash(schema, plain);
    nw_schema_hash(one, ruled);
    nw_schema_hash(same, respaced);
    assert_string_not_equal(plain, ruled);
    assert_string_equal(ruled, respaced);
    assert_int_equal(nw_schema_rules(schema), 0);
    assert_int_equal(nw_schema_rules(one), 1);
    assert_string_equal(nw_schema_rule_name(one, 0), "rule 1");
    nw_schema *again = constrained(SMALL_SCHEMA, 0, nw_schema_rules_json(one));
    nw_schema_hash(again, plain);
    assert_string_equal(plain, ruled);
    assert_null(nw_schema_rules_json(schema));
    nw_schema_free(again);
    nw_schema_free(schema);
    nw_schema_free(one);
    nw_schema_free(same);
}

/* ---- refusals ---- */

static void refused(const char *rules, const char *words)
{
    nw_schema *schema = schema_of(SMALL_SCHEMA, 3);
    nw_schema *out = (nw_schema *)1;
    nw_error err;
    assert_int_equal(nw_constraints_parse(&out, schema, rules, &err), NW_E_FORMAT);
    assert_null(out);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    nw_schema_free(schema);
}

static void constraints__refuse_what_is_no_rule(void **state)
{
    (void)state;
    refused("{\"format\": \"x\",\n oops}", "line 2, column");
    refused("[]", "must be a JSON object with \"format\"");
    refused("{\"format\": \"noisewright-constraints\", \"version\": 2, \"rules\": [{}]}", "version must be 1");
    refused("{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": []}", "1 to 10000 rules");
    refused("{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": [{}], \"x\": 1}", "unknown key \"x\"");
    refused(RULES("3"), "rule 1: must be an object");
    refused(RULES("{}"), "exactly one of the keys");
    refused(RULES("{\"then\": {\"column\": \"a\", \"missing\": true}}"), "then must come with an if");
    refused(RULES("{\"order\": [\"a\", \"c\"], \"linear\": {}}"), "exactly one of the keys");
    refused(RULES("{\"name\": \"\", \"order\": [\"a\", \"c\"]}"), "name must be a text");
    refused(RULES("{\"name\": \"my rule\", \"order\": [\"a\", \"c\"], \"at_most\": 3}"),
        "rule 1 \"my rule\": unknown key \"at_most\"");
}

static void constraints__refuse_bad_conditions(void **state)
{
    (void)state;
#define FORBID(c) RULES("{\"forbid\": " c "}")
    refused(FORBID("7"), "a condition must be an object");
    refused(FORBID("{\"column\": \"z\", \"missing\": true}"), "no column \"z\"");
    refused(FORBID("{\"column\": 3, \"missing\": true}"), "must be named by a string");
    refused(FORBID("{\"column\": \"a\"}"), "must have one of missing, equals, in, or bounds");
    refused(FORBID("{\"column\": \"a\", \"equals\": 3, \"at_least\": 2}"), "must have one of");
    refused(FORBID("{\"column\": \"a\", \"below\": 3}"), "unknown key \"below\"");
    refused(FORBID("{\"column\": \"x\", \"equals\": \"z\"}"), "\"z\" is no value of column \"x\"");
    refused(FORBID("{\"column\": \"x\", \"less_than\": \"q\"}"), "column \"x\" has no order");
    refused(FORBID("{\"column\": \"x\", \"equals\": true}"), "must be a string or an integer");
    refused(FORBID("{\"column\": \"a\", \"less_than\": \"q\"}"), "must be a number");
    refused(FORBID("{\"column\": \"a\", \"equals\": 3.5}"), "3.5 is no value of column \"a\"");
    refused(FORBID("{\"column\": \"a\", \"equals\": 12}"), "12 is no value of column \"a\"");
    refused(FORBID("{\"column\": \"t\", \"equals\": 1}"), "must be true or false");
    refused(FORBID("{\"column\": \"b\", \"missing\": true}"), "column \"b\" is not nullable");
    refused(FORBID("{\"column\": \"a\", \"in\": []}"), "at least one value");
    refused(FORBID("{\"all\": []}"), "at least one condition");
    refused(FORBID("{\"not\": [{\"column\": \"a\", \"equals\": 3}]}"), "not must be one condition");
}

static void constraints__refuse_bad_functions_and_sums(void **state)
{
    (void)state;
    refused(RULES("{\"function\": {\"from\": \"x\", \"to\": \"x\", \"table\": [[\"p\", \"p\"]]}}"), "name a column twice");
    refused(RULES("{\"function\": {\"from\": \"x\", \"to\": \"a\"}}"), "must have a table or intervals");
    refused(RULES("{\"function\": {\"from\": \"x\", \"to\": \"a\", \"table\": [[\"p\"]]}}"), "(2 items)");
    refused(
        RULES("{\"function\": {\"from\": \"x\", \"to\": \"a\", \"table\": [[\"p\", 1], [\"p\", 2]]}}"), "two lines for the same");
    refused(RULES("{\"function\": {\"from\": \"c\", \"to\": \"a\", \"intervals\": [[0, 8, 1], [6, null, 2]]}}"), "overlap");
    refused(RULES("{\"function\": {\"from\": \"c\", \"to\": \"a\", \"intervals\": [[8, 8, 1]]}}"), "has no value");
    refused(RULES("{\"function\": {\"from\": \"x\", \"to\": \"a\", \"intervals\": [[0, 8, 1]]}}"), "column \"x\" has no order");
    refused(RULES("{\"order\": [\"a\"]}"), "2 to 16 columns");
    refused(RULES("{\"order\": [\"a\", \"x\"]}"), "column \"x\" has no numbers");
    refused(RULES("{\"order\": [\"a\", \"a\"]}"), "twice in a row");
    refused(RULES("{\"linear\": {\"a\": 1}}"), "needs either equals");
    refused(RULES("{\"linear\": {\"a\": 0}, \"equals\": 1}"), "is 0, must not be");
    refused(RULES("{\"linear\": {\"a\": 1e10}, \"equals\": 1}"), "at most 1e+09");
    refused(RULES("{\"linear\": {\"a\": 1}, \"equals\": 1, \"within\": -1}"), "not negative");
    refused(RULES("{\"linear\": {\"a\": 1}, \"at_most\": 1, \"within\": 1}"), "needs either equals");
    nw_schema *schema = schema_of("{\"v\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1}, \"w\": {\"type\": \"date\", "
                                  "\"lower\": \"2000-01-01\", \"upper\": \"2001-01-01\"}, \"k\": 4}",
        0);
    nw_schema *out;
    nw_error err;
    assert_int_equal(nw_constraints_parse(&out, schema, RULES("{\"order\": [\"v\", \"k\"]}"), &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "column \"v\" has no step"));
    assert_int_equal(nw_constraints_parse(&out, schema, RULES("{\"order\": [\"w\", \"k\"]}"), &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "a date with a number"));
    nw_schema_free(schema);
}

static void constraints__refuse_what_no_row_can_keep(void **state)
{
    (void)state;
    refused(RULES("{\"forbid\": {\"any\": [{\"column\": \"t\", \"equals\": true}, {\"column\": \"t\", \"equals\": false}]}}"),
        "no row can keep all rules");
    refused(RULES("{\"forbid\": {\"column\": \"x\", \"equals\": \"q\"}}"), "no row with the value \"q\" of column \"x\"");
    refused(RULES("{\"if\": {\"column\": \"n\", \"at_least\": 0}, \"then\": {\"column\": \"a\", \"missing\": true}}"),
        "only missing values of column \"a\"");
    refused(RULES("{\"linear\": {\"b\": 2, \"n\": 3}, \"at_most\": -4}"), "no row can keep all rules");
    /* 2 a + 2 c = 7 has no integer solution, whatever the bounds */
    refused(RULES("{\"linear\": {\"a\": 2, \"c\": 2}, \"equals\": 7}, {\"forbid\": {\"any\": [{\"column\": \"a\", \"missing\": "
                  "true}, {\"column\": \"c\", \"missing\": true}]}}"),
        "no row can keep all rules");
    refused(RULES("{\"order\": [\"a\", \"n\"]}, {\"linear\": {\"a\": 1, \"n\": -1}, \"at_least\": 1}, {\"forbid\": {\"column\": "
                  "\"a\", \"missing\": true}}"),
        "no row can keep all rules");
}

static void constraints__refuse_bad_arguments(void **state)
{
    (void)state;
    nw_schema *schema = constrained(SMALL_SCHEMA, 0, RULES("{\"order\": [\"a\", \"c\"]}"));
    nw_schema *out;
    nw_error err;
    uint64_t rows;
    assert_int_equal(nw_constraints_parse(&out, NULL, "{}", NULL), NW_E_ARG);
    assert_int_equal(nw_constraints_parse(NULL, schema, "{}", NULL), NW_E_ARG);
    assert_int_equal(nw_constraints_parse(&out, schema, "{}", &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "has rules already"));
    assert_int_equal(nw_constraints_violations(NULL, NULL, &rows, NULL), NW_E_ARG);
    assert_int_equal(nw_constraints_violations_csv(schema, "/", NULL, NULL, NULL), NW_E_ARG);
    nw_schema *plain = schema_of(SMALL_SCHEMA, 0);
    assert_int_equal(nw_constraints_read(&out, plain, "/nonexistent/rules.json", &err), NW_E_IO);
    assert_non_null(strstr(err.message, "/nonexistent/rules.json"));
    nw_schema_free(plain);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(violations_csv__are_those_of_the_plain_reading),
        cmocka_unit_test(violations__are_the_codes_that_no_values_of_them_save),
        cmocka_unit_test(write_csv__keeps_the_rules_inside_bins),
        cmocka_unit_test(constraints__give_compared_numbers_bins_of_their_own),
        cmocka_unit_test(constraints__change_the_hash),
        cmocka_unit_test(constraints__refuse_what_is_no_rule),
        cmocka_unit_test(constraints__refuse_bad_conditions),
        cmocka_unit_test(constraints__refuse_bad_functions_and_sums),
        cmocka_unit_test(constraints__refuse_what_no_row_can_keep),
        cmocka_unit_test(constraints__refuse_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
