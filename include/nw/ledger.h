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
 *         Gaussian majorants;
 *   zcdp  sum of rho against the largest rho with delta(epsilon) <= delta: also takes discrete Gaussians and zCDP guarantees;
 *   pure  sum of epsilon; the only filter when delta = 0.
 * A share 2^-10 of delta is set aside at creation for approximate-DP events and for the sampler's distance to the ideal law.
 * An event that the filter cannot take is refused with the reason.
 *
 * In a file (SQLite, WAL, synchronous=FULL) it may be charged by many processes at once. Rows are chained by BLAKE2b keyed with
 * the ledger's own identity: `verify` finds an edit, a reordering, a duplicate or a removal in the middle; a rolled-back copy is
 * found by comparing the head with the one on a receipt. It is no protection against an operator who rewrites the whole file.
 */
#include <nw/accounting.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_ledger nw_ledger; /* locked: any number of threads */

typedef enum nw_filter {
    NW_FILTER_AUTO = 0, /* pure if delta = 0, else gdp */
    NW_FILTER_GDP = 1,
    NW_FILTER_ZCDP = 2,
    NW_FILTER_PURE = 3
} nw_filter;
NW_API const char *nw_filter_name(nw_filter filter); /* "auto", "gdp", "zcdp", "pure" */

typedef struct nw_ledger_opts {
    size_t struct_size;
    double epsilon;         /* nats, in (0, 64]; no default: 0 is refused */
    double delta;           /* in [0, 1); NW_LEDGER_OPTS_INIT sets -1, refused if left so */
    nw_adjacency adjacency; /* no default */
    nw_filter filter;       /* default NW_FILTER_AUTO */
    const char *unit;       /* what one record is, in words; default "one record" */
} nw_ledger_opts;
/* clang-format off */
#define NW_LEDGER_OPTS_INIT { sizeof(nw_ledger_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, NW_FILTER_AUTO, "one record" }
/* clang-format on */
NW_API void nw_ledger_opts_init(nw_ledger_opts *opts, size_t struct_size);

#define NW_LEDGER_HEAD_SIZE 80
/** Proof of a charge, to be printed with the release. Strings are NUL-terminated. */
typedef struct nw_receipt {
    double epsilon;       /* of the charged event alone, at `delta`, rounded up */
    double delta;         /* the delta that `epsilon` is stated for */
    double spent_epsilon; /* of everything charged so far, at spent_delta = the ledger's delta, rounded up */
    double spent_delta;
    nw_adjacency adjacency;
    char unit[128];
    char method[16];                /* composition: gdp, zcdp, pure */
    char label[64];                 /* the caller's name for the release */
    char version[32];               /* of the library */
    char head[NW_LEDGER_HEAD_SIZE]; /* "sequence:mac" of the ledger after the charge; "unlimited" without a ledger */
    char time[32];                  /* UTC, ISO 8601 */
    uint64_t sequence;
    bool is_durable;  /* in a file, and synced */
    bool is_insecure; /* the rng was seeded by the caller: not private */
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

/** True if the event would fit now; charges nothing. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_fits(nw_ledger *ledger, const nw_event *event, bool *fits, nw_error *err);

typedef struct nw_ledger_summary {
    double budget_epsilon;
    double budget_delta;
    double spent_epsilon; /* at spent_delta, rounded up; 0 when nothing is charged */
    double spent_delta;
    double remaining_epsilon; /* of the largest single Gaussian release that still fits, rounded down */
    double remaining_delta;
    double used_fraction; /* of the filter's own currency, 0..1, rounded up */
    nw_adjacency adjacency;
    nw_filter filter;
    bool is_unlimited;
    char unit[128];
    char head[NW_LEDGER_HEAD_SIZE];
    uint64_t charges;
    uint64_t samples;
} nw_ledger_summary;
NW_API NW_WARN_UNUSED nw_status nw_ledger_summarise(nw_ledger *ledger, nw_ledger_summary *out, nw_error *err);

typedef struct nw_ledger_entry {
    uint64_t sequence;
    const char *time;
    const char *label;
    const char *event_json;
    const char *mac;
} nw_ledger_entry;
/** Calls visit for each charge in order, until it returns false. The entry's strings live during the call only. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_each(
    nw_ledger *ledger, bool (*visit)(void *context, const nw_ledger_entry *entry), void *context, nw_error *err);

/** Recomputes the chain and every loss from the stored events, checks the file's structure, and, if anchor_head is given, that
 *  the ledger contains that head. Errors: NW_E_FORMAT naming the first row that does not verify. */
NW_API NW_WARN_UNUSED nw_status nw_ledger_verify(nw_ledger *ledger, const char *anchor_head, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
