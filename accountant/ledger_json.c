/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_json.c - the whole ledger as one JSON document, and back. The rows' texts are strings, exactly as the chain covers them,
 * so the document verifies by the same rules as the file. */
#include "ledger_internal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const FIELDS[NW__LEDGER_HEADER_FIELDS] = { "id", "epsilon", "delta", "adjacency", "filter", "unit", "mac" };
enum { DOCUMENT_VERSION = 1 };

static bool append_row(void *context, const nw__stored *row)
{
    json_t *rows = context;
    json_t *object = json_pack("{s:I, s:s, s:s, s:s, s:s}", "sequence", (json_int_t)row->sequence, "time", row->time, "label",
        row->label, "row", row->text, "mac", row->mac);
    if (object == NULL) /* no memory, or a text that is no UTF-8 */
        json_array_clear(rows);
    return object != NULL && json_array_append_new(rows, object) == 0;
}

static json_t *header_object(const nw_ledger *ledger)
{
    nw__header_text text;
    const char *fields[NW__LEDGER_HEADER_FIELDS];
    json_t *header = json_object();
    nw__ledger_header_fields(ledger, &text, fields);
    for (int i = 0; i < NW__LEDGER_HEADER_FIELDS; i++)
        if (json_object_set_new(header, FIELDS[i], json_string(fields[i])) != 0) {
            json_decref(header);
            return NULL;
        }
    return header;
}

static nw_status to_json_locked(nw_ledger *ledger, char **out, nw_error *err)
{
    static const char *const name = "nw_ledger_to_json";
    char head[NW_LEDGER_HEAD_SIZE];
    json_t *rows = json_array();
    nw_status status = nw__ledger_store_catch_up(ledger, name, err);
    if (status == NW_OK)
        status = nw__ledger_store_each(ledger, 0, append_row, rows, name, err);
    if (status == NW_OK && json_array_size(rows) < ledger->sequence)
        status = nw__fail(err, NW_E_UNSUPPORTED, name, "a label or the unit is no UTF-8, which JSON cannot hold");
    nw__ledger_head_text(ledger, head);
    json_t *document = json_pack("{s:s, s:i, s:o, s:o, s:s}", "format", "noisewright-ledger", "version", DOCUMENT_VERSION,
        "header", header_object(ledger), "rows", rows, "head", head);
    if (status == NW_OK)
        *out = json_dumps(document, JSON_INDENT(1));
    if (status == NW_OK && *out == NULL)
        status = nw__fail(err, NW_E_UNSUPPORTED, name, "the unit is no UTF-8, which JSON cannot hold, or memory lacks");
    json_decref(document);
    return status;
}

nw_status nw_ledger_to_json(nw_ledger *ledger, char **out, nw_error *err)
{
    NW__TRY(nw__ledger_check_handle(ledger, __func__, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (ledger->is_unlimited)
        return nw__fail(err, NW_E_STATE, __func__, "an unlimited ledger has nothing to be audited");
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = to_json_locked(ledger, out, err);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}

static nw_status insert_rows(nw_ledger *ledger, const json_t *rows, const char *function, nw_error *err)
{
    size_t i = 0;
    const json_t *object = NULL;
    json_array_foreach(rows, i, object)
    {
        const json_int_t sequence = json_integer_value(json_object_get(object, "sequence"));
        const nw__stored row = { (uint64_t)sequence, json_string_value(json_object_get(object, "time")),
            json_string_value(json_object_get(object, "label")), json_string_value(json_object_get(object, "row")),
            json_string_value(json_object_get(object, "mac")) };
        if (row.time == NULL || row.label == NULL || row.text == NULL || row.mac == NULL || sequence != (json_int_t)i + 1)
            return nw__fail(err, NW_E_FORMAT, function, "the document was altered: row %zu is missing or damaged", i + 1);
        NW__TRY(nw__ledger_store_append(ledger, &row, function, err));
    }
    return NW_OK;
}

static nw_status read_document(nw_ledger *ledger, const json_t *root, const char *function, nw_error *err)
{
    const char *fields[NW__LEDGER_HEADER_FIELDS];
    char head[NW_LEDGER_HEAD_SIZE];
    const char *format = json_string_value(json_object_get(root, "format"));
    const char *stated = json_string_value(json_object_get(root, "head"));
    if (format == NULL || strcmp(format, "noisewright-ledger") != 0)
        return nw__fail(err, NW_E_FORMAT, function, "\"format\" is not \"noisewright-ledger\"");
    if (json_integer_value(json_object_get(root, "version")) != DOCUMENT_VERSION)
        return nw__fail(err, NW_E_FORMAT, function, "\"version\" must be %d", DOCUMENT_VERSION);
    for (int i = 0; i < NW__LEDGER_HEADER_FIELDS; i++)
        fields[i] = json_string_value(json_object_get(json_object_get(root, "header"), FIELDS[i]));
    if (!nw__ledger_parse_header(ledger, fields))
        return nw__fail(err, NW_E_FORMAT, function, "the document was altered: its header does not verify");
    NW__TRY(nw__ledger_reset(ledger, function, err));
    NW__TRY(nw__ledger_store_create(ledger, NULL, NULL, function, err));
    NW__TRY(insert_rows(ledger, json_object_get(root, "rows"), function, err));
    NW__TRY(nw__ledger_store_catch_up(ledger, function, err));
    nw__ledger_head_text(ledger, head);
    if (stated == NULL || strcmp(stated, head) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the document was altered: its last rows are missing");
    ledger->is_readonly = true;
    return NW_OK;
}

nw_status nw_ledger_from_json(nw_ledger **out, const char *json, nw_error *err)
{
    json_error_t parse_error;
    if (out == NULL || json == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "json");
    *out = NULL;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &parse_error);
    if (root == NULL)
        return nw__fail(
            err, NW_E_FORMAT, __func__, "line %d, column %d: %s", parse_error.line, parse_error.column, parse_error.text);
    nw_ledger *ledger = nw__ledger_allocate(__func__, err);
    const nw_status status = ledger == NULL ? NW_E_NOMEM : read_document(ledger, root, __func__, err);
    json_decref(root);
    if (status == NW_OK)
        *out = ledger;
    else
        nw_ledger_close(ledger);
    return status;
}
