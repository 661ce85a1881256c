/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LEDGER_INTERNAL_H
#define NW_LEDGER_INTERNAL_H

/* ledger_internal.h - the ledger's state, its chain, and its store.
 *
 *   ledger.c        public functions: the filter, charges, receipts, summaries
 *   ledger_chain.c  the keyed hash chain over header and rows
 *   ledger_store.c  SQLite: creation, opening, transactions (a ledger in memory is an SQLite database in memory) */
#include "accountant_internal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

enum { NW__LEDGER_MAC_BYTES = 16, NW__LEDGER_ID_BYTES = 32 };

typedef struct nw__mac {
    uint8_t bytes[NW__LEDGER_MAC_BYTES];
} nw__mac;

struct nw_ledger {
    pthread_mutex_t mutex;
    sqlite3 *db;
    pid_t owner; /* the process that opened it: SQLite handles do not survive a fork */
    bool is_durable;
    bool is_readonly;
    bool is_unlimited;

    /* header; fixed at creation and covered by the first mac */
    uint8_t id[NW__LEDGER_ID_BYTES];
    double epsilon;
    double delta;
    nw_adjacency adjacency;
    nw_filter filter;
    char unit[128];
    double limit; /* of the filter's currency, computed from the header */

    /* everything up to `sequence` has been read and verified */
    uint64_t sequence;
    nw__mac mac;
    nw_cost spent;
};

nw__mac nw__ledger_header_mac(const nw_ledger *ledger);
nw__mac nw__ledger_row_mac(
    const nw_ledger *ledger, nw__mac previous, uint64_t sequence, const char *time, const char *label, const char *event_json);
void nw__ledger_mac_text(nw__mac mac, char out[2 * NW__LEDGER_MAC_BYTES + 1]);

/** Creates the database at path (NULL: in memory) with the ledger's header; on success ledger->db is open. */
nw_status nw__ledger_store_create(nw_ledger *ledger, const char *path, const char *function, nw_error *err);
/** Opens the database and reads and verifies the header into the ledger. */
nw_status nw__ledger_store_open(nw_ledger *ledger, const char *path, const char *function, nw_error *err);
/** Reads and verifies the rows after ledger->sequence, adding their costs. A transaction or a single reader must be active. */
nw_status nw__ledger_store_catch_up(nw_ledger *ledger, const char *function, nw_error *err);
nw_status nw__ledger_store_append(nw_ledger *ledger, const char *time, const char *label, const char *event_json, nw__mac mac,
    const char *function, nw_error *err);
nw_status nw__ledger_store_run(nw_ledger *ledger, const char *sql, const char *function, nw_error *err);
nw_status nw__ledger_store_each(nw_ledger *ledger, uint64_t after, bool (*visit)(void *context, const nw_ledger_entry *entry),
    void *context, const char *function, nw_error *err);
nw_status nw__ledger_store_check(nw_ledger *ledger, const char *function, nw_error *err);

#endif
