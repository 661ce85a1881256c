/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_RECEIPT_H
#define APP_RECEIPT_H

/* receipt.h - the proof of a charge, for people and for programs. */
#include <nw/ledger.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** ledger_path: the file that was charged, or NULL for a ledger in memory. */
void app_receipt_print(FILE *stream, const nw_receipt *receipt, const char *ledger_path);

/** The same as a JSON object; NULL if memory lacks. */
json_t *app_receipt_json(const nw_receipt *receipt);

/** The receipts of a run that charges several times, in order. */
typedef struct app_receipts {
    nw_receipt *items;
    size_t count;
} app_receipts;
/** False if memory lacks: to be called before the charge, then *slot is filled by it. */
bool app_receipts_expect(app_receipts *receipts, nw_receipt **slot);
/** Drops the slots that nothing was charged to. */
void app_receipts_settle(app_receipts *receipts);
void app_receipts_free(app_receipts *receipts);
/** A line each, and what they have in common as app_receipt_print prints it. */
void app_receipts_print(FILE *stream, const app_receipts *receipts, const char *ledger_path);
json_t *app_receipts_json(const app_receipts *receipts);

/** The event's own form; NULL if memory lacks. */
json_t *app_event_json(const nw_event *event);

#endif
