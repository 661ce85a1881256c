/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* settings.c - choices of the option table as the library's values. */
#include "settings.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA_LIMIT ((size_t)1 << 28) /* bytes */

nw_adjacency settings_adjacency(const settings *s)
{
    static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    return adjacencies[s->adjacency];
}

nw_synth_engine settings_engine(const settings *s)
{
    static const nw_synth_engine engines[] = { NW_SYNTH_GIBBS, NW_SYNTH_GENETIC };
    return engines[s->engine];
}

static const nw_synth_select selections[] = { NW_SYNTH_SELECT_AUTO, NW_SYNTH_SELECT_ALL, NW_SYNTH_SELECT_ADAPTIVE };

nw_synth_select settings_select(const settings *s)
{
    return selections[s->select];
}

void settings_select_opts(nw_synth_select select, const nw_schema *schema, nw_synth_opts *opts)
{
    opts->select = select;
    if (select == NW_SYNTH_SELECT_ADAPTIVE && nw_schema_rules_json(schema) == NULL)
        opts->most_ways = 3;
}

bool settings_select_parse(const char *name, nw_synth_select *out)
{
    for (size_t i = 0; name != NULL && i < sizeof selections / sizeof *selections; i++) {
        *out = selections[i];
        if (strcmp(nw_synth_select_name(*out), name) == 0)
            return true;
    }
    return false;
}

bool settings_are_insecure(const settings *s)
{
    return app_is_insecure(s->insecure_seed);
}

uint32_t settings_rows_per_unit(const settings *s)
{
    if (s->unit == NULL)
        return 0;
    return s->rows_per_unit == 0 ? 1 : (uint32_t)s->rows_per_unit;
}

int settings_check_units(const settings *s)
{
    const struct {
        const char *name;
        bool is_given;
    } needy[] = { { "--max-rows-per-unit", s->rows_per_unit > 0 }, { "--parts", s->parts > 0 },
        { "--promise-units-apart", s->are_units_apart } };
    for (size_t i = 0; s->unit == NULL && i < sizeof needy / sizeof *needy; i++)
        if (needy[i].is_given)
            return app_fail(APP_USAGE, needy[i].name, "given without --unit, must be given with it");
    if (s->parts > 0 && s->are_units_apart)
        return app_fail(APP_USAGE, "--parts",
            "given with --promise-units-apart, must be given without: of units apart there may be any number");
    return APP_OK;
}

static uint32_t most_bins(const settings *s)
{
    return s->bins > 0 ? (uint32_t)s->bins : NW_SYNTH_BINS;
}

/* The unit's column is in the file, and may be in the schema, but never in what is measured. */
static int leave_unit_out(const settings *s, nw_schema **schema)
{
    nw_error err;
    char *text = NULL;
    size_t c = 0;
    while (c < nw_schema_columns(*schema) && strcmp(nw_schema_column(*schema, c).name, s->unit) != 0)
        c++;
    if (c == nw_schema_columns(*schema))
        return APP_OK;
    const int code = app_read_text(s->schema, SCHEMA_LIMIT, &text);
    if (code != APP_OK)
        return code;
    json_t *object = json_loads(text, 0, NULL);
    free(text);
    json_object_del(object, s->unit);
    text = app_json_dump(object, JSON_COMPACT);
    nw_schema_free(*schema);
    *schema = NULL;
    if (text == NULL)
        return app_fail(APP_INTERNAL, s->schema, "out of memory");
    const nw_status status = nw_schema_parse(schema, text, most_bins(s), &err);
    free(text);
    return status == NW_OK ? APP_OK : app_fail_error(s->schema, &err);
}

int settings_read_schema(const settings *s, nw_schema **out)
{
    nw_error err;
    nw_schema *schema = NULL;
    *out = NULL;
    int code = app_check_input(s->schema);
    if (code == APP_OK && s->constraints != NULL)
        code = app_check_input(s->constraints);
    if (code == APP_OK && nw_schema_read(&schema, s->schema, most_bins(s), &err) != NW_OK)
        code = app_fail_error(s->schema, &err);
    if (code == APP_OK && s->unit != NULL)
        code = leave_unit_out(s, &schema);
    for (size_t i = 0; code == APP_OK && i < nw_schema_columns(schema); i++)
        if (nw_schema_column(schema, i).type == NW_COLUMN_TEXT)
            code = app_fail(APP_DATA, s->schema, "column \"%s\" is text, must be left out of the table or be given a domain",
                nw_schema_column(schema, i).name);
    if (code == APP_OK && s->constraints != NULL && nw_constraints_read(out, schema, s->constraints, &err) != NW_OK)
        code = app_fail_error(s->constraints, &err);
    if (code == APP_OK && s->constraints == NULL)
        *out = schema;
    else
        nw_schema_free(schema);
    return code;
}
