/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* receipt.c - what was spent, on what, by which rule, and what is not protected. */
#include "receipt.h"
#include "exit.h"
#include "json.h"
#include "numbers.h"

#include <stdlib.h>

/* What the receipts of one run have in common; the last one knows what all have spent. */
static void print_terms(FILE *stream, const nw_receipt *receipt, const char *ledger_path)
{
    nw_receipt plain = *receipt;
    char spent[APP_NUMBER_SIZE];
    char spent_delta[APP_NUMBER_SIZE];
    fprintf(stream, "protected    %s, neighbours %s\n", app_plain(plain.unit), nw_adjacency_name(receipt->adjacency));
    fprintf(stream, "accounting   %s, noisewright %s\n", receipt->method, receipt->version);
    if (receipt->is_durable)
        fprintf(stream, "ledger       %s, spent so far epsilon %s at delta %s\n", ledger_path == NULL ? "a file" : ledger_path,
            app_text_up(receipt->spent_epsilon, spent), app_text_up(receipt->spent_delta, spent_delta));
    else
        fprintf(stream, "ledger       in memory only: nothing durable was kept, adding up your releases is left to you\n");
    fprintf(stream, "head         %s\n", receipt->head);
    fprintf(stream, "unprotected  a person with more than that; what the schema says; facts true of everyone\n");
    if (receipt->is_insecure)
        fprintf(stream, "NOT PRIVATE  the random numbers came from a seed: anyone who knows it can take the noise away\n");
}

void app_receipt_print(FILE *stream, const nw_receipt *receipt, const char *ledger_path)
{
    nw_receipt plain = *receipt;
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    fprintf(stream, "receipt      %s, %s\n", app_plain(plain.label), receipt->time);
    fprintf(stream, "privacy      epsilon %s, delta %s, rounded up\n", app_text_up(receipt->epsilon, epsilon),
        app_text_up(receipt->delta, delta));
    print_terms(stream, receipt, ledger_path);
}

bool app_receipts_expect(app_receipts *receipts, nw_receipt **slot)
{
    app_receipts_settle(receipts);
    nw_receipt *more = realloc(receipts->items, (receipts->count + 1) * sizeof *more);
    if (more == NULL)
        return false;
    receipts->items = more;
    *slot = &more[receipts->count++];
    **slot = (nw_receipt){ 0 };
    return true;
}

void app_receipts_settle(app_receipts *receipts)
{
    while (receipts->count > 0 && receipts->items[receipts->count - 1].head[0] == '\0')
        receipts->count--;
}

void app_receipts_free(app_receipts *receipts)
{
    free(receipts->items);
    *receipts = (app_receipts){ 0 };
}

void app_receipts_print(FILE *stream, const app_receipts *receipts, const char *ledger_path)
{
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    for (size_t i = 0; i < receipts->count; i++) {
        nw_receipt r = receipts->items[i];
        fprintf(stream, "receipt      %zu of %zu: %s, %s: epsilon %s, delta %s, rounded up\n", i + 1, receipts->count,
            app_plain(r.label), r.time, app_text_up(r.epsilon, epsilon), app_text_up(r.delta, delta));
    }
    if (receipts->count > 0)
        print_terms(stream, &receipts->items[receipts->count - 1], ledger_path);
}

json_t *app_receipts_json(const app_receipts *receipts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < receipts->count; i++)
        json_array_append_new(list, app_receipt_json(&receipts->items[i]));
    return list;
}

json_t *app_receipt_json(const nw_receipt *receipt)
{
    json_t *object = json_object();
    app_json_put(&object, "label", app_json_text(receipt->label));
    app_json_put(&object, "epsilon", app_json_real(receipt->epsilon));
    app_json_put(&object, "delta", app_json_real(receipt->delta));
    app_json_put(&object, "spent_epsilon", app_json_real(receipt->spent_epsilon));
    app_json_put(&object, "spent_delta", app_json_real(receipt->spent_delta));
    app_json_put(&object, "rounding", json_string("up"));
    app_json_put(&object, "unit", app_json_text(receipt->unit));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(receipt->adjacency)));
    app_json_put(&object, "method", json_string(receipt->method));
    app_json_put(&object, "version", json_string(receipt->version));
    app_json_put(&object, "time", json_string(receipt->time));
    app_json_put(&object, "sequence", json_integer((json_int_t)receipt->sequence));
    app_json_put(&object, "head", json_string(receipt->head));
    app_json_put(&object, "durable", json_boolean(receipt->is_durable));
    app_json_put(&object, "insecure", json_boolean(receipt->is_insecure));
    return object;
}

json_t *app_event_json(const nw_event *event)
{
    char *text = NULL;
    json_t *object = NULL;
    if (nw_event_to_json(event, &text, NULL) == NW_OK)
        object = json_loads(text, 0, NULL);
    nw_string_free(text);
    return object;
}
