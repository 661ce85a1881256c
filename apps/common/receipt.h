/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_RECEIPT_H
#define APP_RECEIPT_H

/* receipt.h - the proof of a charge, for people and for programs. */
#include <nw/ledger.h>

#include <jansson.h>
#include <stdio.h>

/** ledger_path: the file that was charged, or NULL for a ledger in memory. */
void app_receipt_print(FILE *stream, const nw_receipt *receipt, const char *ledger_path);

/** The same as a JSON object; NULL if memory lacks. */
json_t *app_receipt_json(const nw_receipt *receipt);

/** The event's own form; NULL if memory lacks. */
json_t *app_event_json(const nw_event *event);

#endif
