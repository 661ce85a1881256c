/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LEDGER_H
#define NW_LEDGER_H

/* nw/ledger.h - the budget: what may be spent on one set of records, and every event ever charged against it.
 *
 * Rule: charge, make durable, draw, release. A crash can lose utility, never budget. There is no refund.
 * A ledger holds the unit of privacy (in words), the neighbouring relation, a budget (epsilon, delta) and a *filter* fixed at
 * creation that decides, soundly even when later events depend on earlier releases, whether one more event fits:
 *   gdp   sum of mu^2 against the largest mu with delta(epsilon) <= delta: exact for Gaussians; pure guarantees enter by their
 *         Gaussian majorants, choices by those of their bounded range;
 *   zcdp  sum of rho against the largest rho with delta(epsilon) <= delta: also takes discrete Gaussians and zCDP guarantees;
 *   pure  sum of epsilon; the only filter when delta = 0;
 *   renyi sum of Renyi divergences at one order, fixed at creation.
 * A share 2^-10 of delta is set aside at creation for approximate-DP events and for the sampler's distance to the ideal law.
 * An event that the filter cannot take is refused with the reason. Composed privacy-loss distributions are no filter: they bound
 * a list that was fixed beforehand. Whoever has such a list declares it at creation, as the ledger's schedule. For a budget that
 * needs no file, and for more kinds of filter: nw/filter.h.
 *
 * In a file (SQLite, WAL, synchronous=FULL) it may be charged by many processes at once. Rows are chained by BLAKE2b keyed with
 * the ledger's own identity: `verify` finds an edit, a reordering, a duplicate or a removal in the middle; a rolled-back copy is
 * found by comparing the head with the one on a receipt. It is no protection against an operator who rewrites the whole file.
 */
#include <nw/filter.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_ledger nw_ledger; /* locked: any number of threads */

typedef struct nw_ledger_opts {
    size_t struct_size;
    double epsilon;           /* nats, in (0, 64]; no default: 0 is refused */
    double delta;             /* in [0, 1); NW_LEDGER_OPTS_INIT sets -1, refused if left so */
    nw_adjacency adjacency;   /* no default */
    nw_filter filter;         /* auto (default), gdp, zcdp, pure or renyi: nw/filter.h */
    const char *unit;         /* what one record is, in words; default "one record" */
    double order;             /* filter renyi: of the divergence, in (1, 1e6]; else 0 */
    const nw_event *schedule; /* with filter auto: the budget is spent as this event, whose steps are then the only charges, in
                                 their order; default NULL. Copied */
} nw_ledger_opts;
/* clang-format off */
#define NW_LEDGER_OPTS_INIT { sizeof(nw_ledger_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, NW_FILTER_AUTO, "one record", 0.0, NULL }
/* clang-format on */
NW_API void nw_ledger_opts_init(nw_ledger_opts *opts, size_t struct_size);

#define NW_LEDGER_HEAD_SIZE 80
#define NW_LEDGER_LABEL_SIZE 64
#define NW_LEDGER_GROUP_SIZE 64
/** Proof of a charge, to be printed with the release. Strings are NUL-terminated. */
typedef struct nw_receipt {
    double epsilon;       /* of the charged event alone, at `delta`, rounded up */
    double delta;         /* the delta that `epsilon` is stated for */
    double spent_epsilon; /* of everything charged so far, at spent_delta = the ledger's delta, rounded up */
    double spent_delta;
    nw_adjacency adjacency;
    char unit[128];
    char method[16];                  /* composition: gdp, zcdp, pure, renyi */
    char label[NW_LEDGER_LABEL_SIZE]; /* the caller's name for the release */
    char version[32];                 /* of the library */
    char head[NW_LEDGER_HEAD_SIZE];   /* "sequence:mac" of the ledger after the charge; "unlimited" without a ledger */
    char time[32];                    /* UTC, ISO 8601 */
    uint64_t sequence;
    bool is_durable;                  /* in a file, and synced */
    bool is_insecure;                 /* the rng was seeded by the caller: not private */
    char group[NW_LEDGER_GROUP_SIZE]; /* "" unless charged to one */
    uint64_t steps;                   /* 1; of a reservation: all reserved; of a commit: used */
} nw_receipt;

/** A ledger in memory, with a budget: gone with the process. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_memory(nw_ledger **out, const nw_ledger_opts *opts, nw_error *err);
/** A ledger that records and adds up but refuses nothing: for research, asked for by name. opts: epsilon is ignored; delta is
 *  the one that losses are stated at. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_unlimited(nw_ledger **out, const nw_ledger_opts *opts, nw_error *err);
/** Makes a new ledger file; NW_E_IO if something is there already. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_create(nw_ledger **out, const char *path, const nw_ledger_opts *opts, nw_error *err);
/** Opens a ledger file. NW_E_IO if missing, not permitted or not writable; NW_E_FORMAT if it is not a ledger or does not
 *  verify. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_open(nw_ledger **out, const char *path, nw_error *err);
/** The same, to look only: charges are refused with NW_E_STATE; works on a read-only file. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_open_readonly(nw_ledger **out, const char *path, nw_error *err);
NW_API void nw_ledger_close(nw_ledger *ledger);

/** Charges an event: checks the budget and makes the charge durable, in one transaction, before it returns. The event's random
 *  draws come after.
 *
 *  Shapes    receipt: out, may be NULL; its head is empty unless the charge stands. rng: the stream that the release will draw
 *            from, to refuse an insecure one; NULL for a release made elsewhere.
 *  Units     none.
 *  Errors    NW_E_BUDGET: over the budget, nothing charged; NW_E_UNSUPPORTED: the filter cannot take the event, with the reason;
 *            NW_E_STATE: read-only ledger, or an insecure rng against a file; NW_E_IO: the file could not be written or synced
 *            (then the charge may or may not stand, and nothing may be released); NW_E_FORMAT: the file was altered.
 *  Cost      about 2 ms in a file. Threads: locked.
 *  Source    docs/rooms/ledger.md.
 *  Example   examples/ledger.c */
NW_API NW_WARN_UNUSED nw_status nw_ledger_charge(
    nw_ledger *ledger, const nw_event *event, const char *label, const nw_rng *rng, nw_receipt *receipt, nw_error *err);

/** Gives a group (a team, a data set, a project) a share of the budget: what is charged to the group must fit into its share and
 *  into the whole. Shares may add up to more than the whole, and cannot be changed.
 *
 *  Shapes    name: 1 to 63 letters, digits, '.', '_', '-'.
 *  Units     epsilon in nats, in (0, the ledger's]; delta in (0, the ledger's], 0 only with filter pure.
 *  Errors    NW_E_ARG, also if there is such a group; NW_E_STATE: the ledger is unlimited; as nw_ledger_charge.
 *  Cost      as nw_ledger_charge.
 *  Source    docs/rooms/ledger.md.
 *  Example   examples/ledger.c */
NW_API NW_WARN_UNUSED nw_status nw_ledger_add_group(
    nw_ledger *ledger, const char *name, double epsilon, double delta, nw_error *err);
/** nw_ledger_charge to a group and to the whole, in one transaction. group: NULL for the whole only. Errors: also NW_E_ARG if
 *  there is no such group. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_charge_group(nw_ledger *ledger, const char *group, const nw_event *event,
    const char *label, const nw_rng *rng, nw_receipt *receipt, nw_error *err);

/** Charges `steps` times the event `step` at once, for a job of many steps that would wait for the disk before each. Count a step
 *  as used before it draws, and hand the number to nw_ledger_commit at the end; without that everything stays charged.
 *
 *  Shapes    group: NULL for the whole only. reservation: out, the number of the row, valid in every process and after reopening.
 *  Units     none; steps >= 1.
 *  Errors    as nw_ledger_charge.
 *  Cost      that of one charge. Threads: locked.
 *  Source    docs/rooms/ledger.md.
 *  Example   examples/ledger.c */
NW_API NW_WARN_UNUSED nw_status nw_ledger_reserve(nw_ledger *ledger, const char *group, const nw_event *step, uint64_t steps,
    const char *label, const nw_rng *rng, uint64_t *reservation, nw_receipt *receipt, nw_error *err);
/** Replaces a reservation by the steps that were used, in 0 .. steps: the rest may be spent on other things. Once; no step of the
 *  reservation may be drawn afterwards. The receipt is that of the used steps; may be NULL.
 *  Errors: NW_E_ARG: no such reservation, committed already, or more than reserved; as nw_ledger_charge. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_commit(
    nw_ledger *ledger, uint64_t reservation, uint64_t used, nw_receipt *receipt, nw_error *err);

/** True if the event would fit now; charges nothing. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_fits(nw_ledger *ledger, const nw_event *event, bool *fits, nw_error *err);

typedef struct nw_ledger_summary {
    double budget_epsilon;
    double budget_delta;
    double spent_epsilon; /* at spent_delta, rounded up; 0 when nothing is charged */
    double spent_delta;
    double remaining_epsilon; /* of the largest single Gaussian release that still fits, rounded down */
    double remaining_delta;
    double used_fraction; /* of the filter's own currency, 0..1, rounded up; of a schedule: of its steps */
    nw_adjacency adjacency;
    nw_filter filter;
    bool is_unlimited;
    char unit[128];
    char head[NW_LEDGER_HEAD_SIZE];
    uint64_t charges; /* and reservations */
    uint64_t samples;
    double order;          /* filter renyi, else 0 */
    uint64_t reservations; /* that are not committed: charged in full */
    uint64_t groups;       /* of the ledger */
} nw_ledger_summary;
NW_API NW_WARN_UNUSED nw_status nw_ledger_summarise(nw_ledger *ledger, nw_ledger_summary *out, nw_error *err);
/** The same of a group's share; what remains of it is limited by what remains of the whole. Errors: NW_E_ARG: no such group. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_summarise_group(
    nw_ledger *ledger, const char *group, nw_ledger_summary *out, nw_error *err);

typedef enum nw_row_kind {
    NW_ROW_CHARGE = 1,
    NW_ROW_GROUP = 2,
    NW_ROW_RESERVATION = 3,
    NW_ROW_COMMIT = 4,
    NW_ROW_SCHEDULE = 5 /* the first row of a ledger with one */
} nw_row_kind;
NW_API const char *nw_row_kind_name(nw_row_kind kind); /* "charge", "group", "reservation", "commit", "schedule" */

typedef struct nw_ledger_entry {
    uint64_t sequence;
    const char *time;
    const char *label;
    const char *event_json; /* of a reservation: of one step; NULL for a group and a commit */
    const char *mac;
    nw_row_kind kind;
    const char *group;    /* what is charged or made; "" for the whole only, and in a commit */
    uint64_t steps;       /* reserved, or used; else 1, of a group 0 */
    uint64_t reservation; /* that a commit ends, else 0 */
    double epsilon;       /* of a group's share, else 0 */
    double delta;
} nw_ledger_entry;
/** Calls visit for each row in order, until it returns false. The entry's strings live during the call only. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_each(
    nw_ledger *ledger, bool (*visit)(void *context, const nw_ledger_entry *entry), void *context, nw_error *err);

/** Recomputes the chain and every loss from the stored events, checks the file's structure, and, if anchor_head is given, that
 *  the ledger contains that head. Errors: NW_E_FORMAT naming the first row that does not verify. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_verify(nw_ledger *ledger, const char *anchor_head, nw_error *err);

/** The whole ledger as one JSON document (format "noisewright-ledger", version 1): header, rows, macs and head, to be kept or
 *  audited elsewhere. To be freed with nw_string_free. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_to_json(nw_ledger *ledger, char **out, nw_error *err);
/** Reads and verifies that document into a ledger in memory, to look only. Errors: NW_E_FORMAT: no such document, or altered. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_from_json(nw_ledger **out, const char *json, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
