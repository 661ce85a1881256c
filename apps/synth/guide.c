/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* guide.c - what somebody is told who comes with a table and no schema. Of the table only the columns' names are read. */
#include "guide.h"
#include "../common/exit.h"

#include <jansson.h>
#include <stdlib.h>

enum { MOST_COLUMNS = 200 };

/* A line a column, with question marks where a person has to say something: no schema until they are gone. */
static void print_draft(const nw_schema *names, const char *table)
{
    const size_t columns = nw_schema_columns(names);
    fputs("Say what may stand in each column: fill this in, without looking at the data, save it as\n"
          "schema.json, and give --schema schema.json:\n{\n",
        stderr);
    for (size_t c = 0; c < columns && c < MOST_COLUMNS; c++) {
        json_t *string = json_string(nw_schema_column(names, c).name);
        char *quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        json_decref(string);
        fprintf(stderr, "  %s: {\"type\": ?}%s\n", quoted == NULL ? "?" : quoted, c + 1 < columns ? "," : "");
        free(quoted);
    }
    fprintf(stderr, "%s}\n", columns > MOST_COLUMNS ? "  ... and so on\n" : "");
    fputs("with, for {\"type\": ?}, one of\n"
          "  {\"type\": \"int\", \"lower\": 0, \"upper\": 120}\n"
          "  {\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01}\n"
          "  {\"type\": \"categorical\", \"values\": [\"one\", \"another\"]}\n"
          "  {\"type\": \"bool\"}\n"
          "  {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2025-12-31\"}\n"
          "or let a part of the budget find types, bounds and values, to be looked at and corrected:\n",
        stderr);
    char plain[256];
    snprintf(plain, sizeof plain, "%s", table);
    fprintf(stderr, "  nw-synth infer-schema %s --epsilon 0.2 --delta 1e-9 -o schema.json\n", app_plain(plain));
    fputs("or have both at once, the schema for a tenth of the budget: add --infer-schema to what you typed.\n", stderr);
}

int guide_to_schema(const char *table)
{
    nw_schema *names = NULL;
    const int code =
        app_fail(APP_USAGE, "--schema", "missing, must be given unless --infer-schema is: see nw-synth infer-schema --help");
    if (table != NULL && nw_schema_of_header(&names, table, NULL) == NW_OK)
        print_draft(names, table);
    nw_schema_free(names);
    return code;
}
