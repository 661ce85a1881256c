/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* receipt.c - what was spent, on what, by which rule, and what is not protected. */
#include "receipt.h"
#include "json.h"
#include "numbers.h"

void app_receipt_print(FILE *stream, const nw_receipt *receipt, const char *ledger_path)
{
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    char spent[APP_NUMBER_SIZE];
    char spent_delta[APP_NUMBER_SIZE];
    fprintf(stream, "receipt      %s, %s\n", receipt->label, receipt->time);
    fprintf(stream, "privacy      epsilon %s, delta %s, rounded up\n", app_text_up(receipt->epsilon, epsilon),
        app_text_up(receipt->delta, delta));
    fprintf(stream, "protected    %s, neighbours %s\n", receipt->unit, nw_adjacency_name(receipt->adjacency));
    fprintf(stream, "accounting   %s, noisewright %s\n", receipt->method, receipt->version);
    if (receipt->is_durable)
        fprintf(stream, "ledger       %s, spent so far epsilon %s at delta %s\n", ledger_path == NULL ? "a file" : ledger_path,
            app_text_up(receipt->spent_epsilon, spent), app_text_up(receipt->spent_delta, spent_delta));
    else
        fprintf(stream, "ledger       in memory only: nothing durable was kept, adding up your releases is left to you\n");
    fprintf(stream, "head         %s\n", receipt->head);
    fprintf(stream, "unprotected  a person with several records; what the schema says; facts true of everyone\n");
    if (receipt->is_insecure)
        fprintf(stream, "NOT PRIVATE  the random numbers came from a seed: anyone who knows it can take the noise away\n");
}

json_t *app_receipt_json(const nw_receipt *receipt)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b}",
        "epsilon", app_json_real(receipt->epsilon), "delta", app_json_real(receipt->delta),
        "spent_epsilon", app_json_real(receipt->spent_epsilon), "spent_delta", app_json_real(receipt->spent_delta),
        "rounding", "up", "adjacency", nw_adjacency_name(receipt->adjacency), "unit", receipt->unit, "method", receipt->method,
        "label", receipt->label, "version", receipt->version, "head", receipt->head, "time", receipt->time,
        "sequence", (json_int_t)receipt->sequence, "durable", (int)receipt->is_durable, "insecure", (int)receipt->is_insecure);
}
