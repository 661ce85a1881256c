/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LEDGER_INTERNAL_H
#define NW_LEDGER_INTERNAL_H

/* ledger_internal.h - the ledger's state, its chain, and its store.
 *
 *   ledger.c         creating, opening, closing
 *   ledger_filter.c  what the filter adds up, its limit, whether a charge fits
 *   ledger_charge.c  charges, groups, reservations, receipts: everything that appends a row
 *   ledger_report.c  summaries, listing, verification
 *   ledger_row.c     a row's text and what it does to the state
 *   ledger_schedule.c  a schedule declared at creation, instead of a filter
 *   ledger_chain.c   the keyed hash chain over header and rows
 *   ledger_store.c   SQLite: creation, opening, transactions (a ledger in memory is an SQLite database in memory)
 *   ledger_json.c    the whole ledger as one JSON document, and back */
#include "currency.h"

#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

enum {
    NW__LEDGER_MAC_BYTES = 16,
    NW__LEDGER_ID_BYTES = 32,
    NW__LEDGER_HEADER_FIELDS = 7,
    NW__LEDGER_TOTAL = 0 /* the budget that everything is charged to; the others are groups */
};

typedef struct nw__mac {
    uint8_t bytes[NW__LEDGER_MAC_BYTES];
} nw__mac;

/* A loss in every currency that a filter may add up. */
typedef struct nw__loss {
    nw_cost cost;
    double renyi[2]; /* divergences at the ledger's own order, REMOVE and ADD; 0 unless the filter is renyi */
} nw__loss;

typedef struct nw__budget {
    char name[NW_LEDGER_GROUP_SIZE]; /* "" for the total */
    double epsilon;
    double delta;
    double limit;     /* of the filter's currency, computed from the two above */
    nw__loss settled; /* charges and committed reservations; what is still reserved comes on top */
    uint64_t charges; /* and reservations */
} nw__budget;

/* A reservation that was not committed: all of its steps are charged. */
typedef struct nw__reservation {
    uint64_t sequence;
    uint64_t steps;
    size_t budget; /* of its group, or NW__LEDGER_TOTAL */
    nw__loss loss; /* of all steps */
    nw_event *step;
    char label[NW_LEDGER_LABEL_SIZE];
} nw__reservation;

typedef struct nw__ledger_schedule_step {
    char *text; /* of the event */
    uint64_t count;
} nw__ledger_schedule_step;

/* A schedule declared at creation, and how far it was drawn. */
typedef struct nw__ledger_schedule {
    nw__ledger_schedule_step *steps;
    size_t count;
    size_t at;      /* the step that comes next */
    uint64_t taken; /* of it */
    double epsilon; /* of the whole, at the ledger's delta */
} nw__ledger_schedule;

struct nw_ledger {
    pthread_mutex_t mutex;
    sqlite3 *db;
    pid_t owner; /* the process that opened it: SQLite handles do not survive a fork */
    int version; /* of the format: 1 until the first row that is no plain charge */
    bool is_durable;
    bool is_readonly;
    bool is_unlimited;

    /* header; fixed at creation and covered by the first mac */
    uint8_t id[NW__LEDGER_ID_BYTES];
    double epsilon;
    double delta;
    double order; /* renyi filter only, else 0 */
    nw_adjacency adjacency;
    nw_filter filter;
    char unit[128];

    /* everything up to `sequence` has been read and verified */
    uint64_t sequence;
    nw__mac mac;
    nw__budget *budgets; /* the total, then the groups in the order of their rows */
    size_t budget_count;
    nw__reservation *reservations;
    size_t reservation_count;
    nw__ledger_schedule schedule; /* filter schedule only */
};

/* ---- ledger_filter.c ---- */
/** What `count` times the event costs. NW_E_UNSUPPORTED if the accountant cannot say. */
nw_status nw__ledger_loss(const nw_ledger *ledger, const nw_event *event, uint64_t count, nw__loss *out, nw_error *err);
nw__loss nw__loss_add(const nw__loss *a, const nw__loss *b);
/** What the filter adds up. */
double nw__ledger_currency(const nw_ledger *ledger, const nw__loss *loss);
/** The most of it that (epsilon, delta) allows, rounded down. */
double nw__ledger_limit(const nw_ledger *ledger, double epsilon, double delta);
/** Settled and reserved, all that counts against the budget. */
nw__loss nw__ledger_spent(const nw_ledger *ledger, size_t budget);
/** Does `loss` fit into the group's budget and the total? Refusals say why. */
nw_status nw__ledger_check_fit(const nw_ledger *ledger, size_t budget, const nw__loss *loss, const char *function, nw_error *err);
/** Smallest epsilon of a loss at delta by the ledger's filter, rounded up. */
double nw__ledger_epsilon(const nw_ledger *ledger, const nw__loss *loss, double delta);
/** Epsilon of the largest single Gaussian release that fits beside `spent`, rounded down. */
double nw__ledger_remaining(const nw_ledger *ledger, const nw__budget *budget, const nw__loss *spent);

/* ---- ledger_schedule.c ---- */
nw_status nw__ledger_schedule_read(
    nw__ledger_schedule *out, const nw_event *event, nw_adjacency adjacency, double delta, const char *function, nw_error *err);
void nw__ledger_schedule_clear(nw__ledger_schedule *schedule);
/** Is the event what comes next? NW_E_BUDGET if not. */
nw_status nw__ledger_schedule_check(const nw_ledger *ledger, const nw_event *event, const char *function, nw_error *err);
/** Moves past a checked event. */
nw_status nw__ledger_schedule_advance(nw_ledger *ledger, const nw_event *event, nw_error *err);
/** The share of its steps that was taken. */
double nw__ledger_schedule_fraction(const nw__ledger_schedule *schedule);

/* ---- ledger_row.c ---- */
typedef struct nw__row {
    nw_row_kind kind;
    char group[NW_LEDGER_GROUP_SIZE]; /* "" for the total only */
    uint64_t steps;                   /* reservation, commit; else 1 */
    uint64_t reservation;             /* commit only */
    double epsilon;                   /* group only */
    double delta;
    nw_event *event; /* charge, schedule; reservation: of one step */
} nw__row;
void nw__row_free(nw__row *row);
/** True for a plain charge, the only kind of row that format 1 knows. */
bool nw__row_is_plain(const nw__row *row);
/** The text that the chain covers and the file holds: for a plain charge that of the event, as in format 1. To be freed. */
nw_status nw__row_to_text(const nw__row *row, char **out, nw_error *err);
nw_status nw__row_from_text(nw__row *row, const char *text, nw_error *err);
/** Whether the row may follow the state: names known or new, reservations open. Its loss is worked out on the way. */
nw_status nw__row_check(const nw_ledger *ledger, const nw__row *row, nw__loss *loss, const char *function, nw_error *err);
/** Makes room for what nw__row_apply will append, which can then not fail. */
nw_status nw__row_prepare(nw_ledger *ledger, const char *function, nw_error *err);
/** Takes a checked row into the state; takes the event of a reservation out of the row. Fails for lack of memory, and only where
 *  there is a schedule: then the state is unchanged. */
nw_status nw__row_apply(
    nw_ledger *ledger, nw__row *row, const nw__loss *loss, uint64_t sequence, const char *label, nw_error *err);
/** Position of the group's budget; NW__LEDGER_TOTAL for NULL and "", budget_count if there is no such group. */
size_t nw__ledger_find_budget(const nw_ledger *ledger, const char *group);
const nw__reservation *nw__ledger_find_reservation(const nw_ledger *ledger, uint64_t sequence);
/** Forgets all rows: the state after the header. */
nw_status nw__ledger_reset(nw_ledger *ledger, const char *function, nw_error *err);
void nw__ledger_forget(nw_ledger *ledger);

/* ---- ledger_chain.c ---- */
nw__mac nw__ledger_header_mac(const nw_ledger *ledger);
nw__mac nw__ledger_row_mac(
    const nw_ledger *ledger, nw__mac previous, uint64_t sequence, const char *time, const char *label, const char *text);
void nw__ledger_mac_text(nw__mac mac, char out[2 * NW__LEDGER_MAC_BYTES + 1]);

/* ---- ledger_store.c ---- */
/** A row as it is stored. */
typedef struct nw__stored {
    uint64_t sequence;
    const char *time;
    const char *label;
    const char *text;
    const char *mac;
} nw__stored;
/** Creates the database at path (NULL: in memory) with the ledger's header and, if given, a first row; on success ledger->db is
 *  open. */
nw_status nw__ledger_store_create(
    nw_ledger *ledger, const char *path, const nw__stored *first, const char *function, nw_error *err);
/** Opens the database and reads and verifies the header into the ledger. */
nw_status nw__ledger_store_open(nw_ledger *ledger, const char *path, const char *function, nw_error *err);
/** Reads and verifies the rows after ledger->sequence, adding their losses. A transaction or a single reader must be active. */
nw_status nw__ledger_store_catch_up(nw_ledger *ledger, const char *function, nw_error *err);
nw_status nw__ledger_store_append(nw_ledger *ledger, const nw__stored *row, const char *function, nw_error *err);
/** Inside a transaction: the file is of the current format from now on. */
nw_status nw__ledger_store_upgrade(nw_ledger *ledger, const char *function, nw_error *err);
nw_status nw__ledger_store_run(nw_ledger *ledger, const char *sql, const char *function, nw_error *err);
nw_status nw__ledger_store_each(nw_ledger *ledger, uint64_t after, bool (*visit)(void *context, const nw__stored *row),
    void *context, const char *function, nw_error *err);
nw_status nw__ledger_store_check(nw_ledger *ledger, const char *function, nw_error *err);
/** The header as texts: identity, epsilon, delta, adjacency, filter, unit, mac. */
typedef struct nw__header_text {
    char id[2 * NW__LEDGER_ID_BYTES + 1];
    char epsilon[17];
    char delta[17];
    char filter[32];
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
} nw__header_text;
void nw__ledger_header_fields(const nw_ledger *ledger, nw__header_text *text, const char *fields[NW__LEDGER_HEADER_FIELDS]);
/** False if they are no header, or do not verify. */
bool nw__ledger_parse_header(nw_ledger *ledger, const char *const fields[NW__LEDGER_HEADER_FIELDS]);

/* ---- ledger.c ---- */
nw_ledger *nw__ledger_allocate(const char *function, nw_error *err);
nw_status nw__ledger_check_handle(const nw_ledger *ledger, const char *function, nw_error *err);
/** "sequence:mac" of the state. */
void nw__ledger_head_text(const nw_ledger *ledger, char out[NW_LEDGER_HEAD_SIZE]);
void nw__utc_now(char out[32]);
void nw__bits_text(double x, char out[17]);
bool nw__bits_read(const char *text, double *x);

#endif
