/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_constraints.c - any bytes as rules of one schema. Of rules that are taken: there is a row that keeps them; each column has
 * an allowed code in that row; and the row can be written so that it keeps them. */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const schema_text =
    "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9}, \"b\": {\"type\": \"float\", \"lower\": 0, \"upper\": 100},"
    "\"c\": {\"type\": \"int\", \"lower\": -50, \"upper\": 1000, \"scale\": \"log\"}, \"x\": {\"type\": \"categorical\","
    "\"values\": [\"p\", \"q\", \"r\"]}, \"d\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2010-01-01\"},"
    "\"e\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2010-01-01\", \"nullable\": false}, \"t\": {\"type\":"
    "\"bool\"}}";

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_constraints: %s\n", what);
    abort();
}

static void check_rules(const nw_schema *schema)
{
    const nw__rules *rules = schema->rules;
    uint16_t row[16];
    uint16_t cells[UINT16_MAX];
    static uint8_t allowed[UINT16_MAX];
    int64_t k[16];
    bool is_found;
    char hash[65];
    memcpy(row, rules->row, rules->columns * sizeof *row);
    for (size_t i = 0; i < rules->count; i++)
        require(nw__rule_truth(rules, i, row, row) != NW__FALSE && rules->rules[i].name[0] != '\0', "the row breaks a rule");
    require(nw__rules_solve(rules, row, row, SIZE_MAX, NULL, NULL, k, &is_found, NULL) == NW_OK && is_found, "no values");
    for (size_t i = 0; i < rules->count; i++)
        require(nw__rule_holds(rules, i, row, k), "the values break a rule");
    for (size_t j = 0; j < rules->columns; j++) {
        const uint32_t n = schema->domains[j].column.cells;
        for (uint32_t v = 0; v < n; v++)
            cells[v] = (uint16_t)v;
        const size_t count = nw__rules_mask(rules, row, row, j, n, cells, cells, allowed);
        require(count >= 1 && allowed[row[j]], "the row's own code is not allowed");
    }
    nw_schema_hash(schema, hash);
    require(strlen(hash) == 64, "a short hash");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    nw_schema *plain;
    nw_schema *schema;
    nw_error err;
    char *text = nw__calloc(n + 1, 1);
    memcpy(text, bytes, n);
    require(nw_schema_parse(&plain, schema_text, 7, NULL) == NW_OK, "no schema");
    const nw_status status = nw_constraints_parse(&schema, plain, text, &err);
    require(
        status == NW_OK || (status == NW_E_FORMAT && schema == NULL && err.message[0] != '\0'), "neither rules nor a message");
    if (status == NW_OK)
        check_rules(schema);
    nw_schema_free(schema);
    nw_schema_free(plain);
    free(text);
    return 0;
}
