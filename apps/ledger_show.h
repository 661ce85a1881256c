/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_LEDGER_SHOW_H
#define APP_LEDGER_SHOW_H

/* ledger_show.h - what nw-ledger prints of a ledger. */
#include <nw/ledger.h>

#include <jansson.h>

void ledger_print_summary(const char *path, const nw_ledger_summary *summary);
json_t *ledger_summary_json(const char *path, const nw_ledger_summary *summary);
void ledger_print_group(const char *name, const nw_ledger_summary *summary);
json_t *ledger_group_json(const char *name, const nw_ledger_summary *summary);

/** Prints the summary, every row and every group. An exit code; the message is printed. */
int ledger_show(nw_ledger *ledger, const char *path, bool is_json);

#endif
