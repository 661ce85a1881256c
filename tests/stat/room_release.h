/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_ROOM_RELEASE_H
#define NW_TEST_ROOM_RELEASE_H

/* room_release.h - every mechanism of the stats room, and its broken twins, on the neighbours that tell most, as an audit's
 * mechanism. room_totals.c: totals and keys; room_choices.c: choices and thresholds; room_vectors.c: linear queries and trees. */
#include "audit.h"

#include <nw/stats.h>

typedef enum room_fault {
    ROOM_BUDGET = 0,         /* noise for `factor` times the epsilon that is charged */
    ROOM_RECORD_TWICE,       /* one record added twice */
    ROOM_OTHER_ADJACENCY,    /* add/remove sensitivity under replace-one */
    ROOM_TRUE_DENOMINATOR,   /* mean: the count is released without noise */
    ROOM_THRESHOLD_ONE_LOW,  /* keys: noisy counts one below the threshold are released: > for >= where it is computed */
    ROOM_THRESHOLD_SKIPPED,  /* keys: every noisy count is released */
    ROOM_ONE_NU,             /* sparse: the noise of the first score serves all */
    ROOM_NO_RHO,             /* sparse: no noise on the threshold */
    ROOM_POSITIVES_FOR_FREE, /* sparse: goes on after its last positive answer */
    ROOM_FIRST_LEVEL_ONLY,   /* tree: noise for one level; linear: for the largest weight */
} room_fault;

typedef struct room_case room_case;

/** One mechanism: what is made once, what is run, and the event that is charged. */
typedef struct room {
    void *(*open)(const room_case *c, bool is_planted);
    audit_run run;
    const nw_event *(*event)(const void *context);
    void (*close)(void *context);
    size_t statistics;
} room;

extern const room room_totals;   /* `what`: nw_stats_kind */
extern const room room_keys;     /* what: 0: a key of many users; 1: of one user */
extern const room room_quantile; /* the median */
extern const room room_select;   /* what: nw_select_mechanism */
extern const room room_sparse;   /* what: scores of the questions answered no, against the threshold */
extern const room room_linear;
extern const room room_tree;

struct room_case {
    const char *name;
    const room *room;
    int what;
    double epsilon;
    double delta;
    nw_adjacency adjacency;
    size_t runs; /* 0: AUDIT_OPTS_INIT's */
    room_fault fault;
    double factor; /* 0: 1 */
};

/** Epsilon that the noise is for. */
double room_epsilon(const room_case *c, bool is_planted);
bool room_has(const room_case *c, bool is_planted, room_fault fault);

/** Totals with and without one record: do their last bits tell? */
typedef struct residue_case {
    nw_stats_kind kind;
    size_t total;  /* of the kind's totals */
    double delta;  /* 0: Laplace */
    double value;  /* of the record; bounds are 0 .. 10 */
    double others; /* what else is in the total, in sensitivities */
    size_t groups; /* releases a side */
} residue_case;
/** The honest release or, planted, a twin that adds the record's value to the noisy double. */
bool room_residue__leaks(const void *context, bool is_planted);

/** Audits the honest release or the broken twin, with `factor` times the runs; *claim is the accountant's for the honest one. */
audit_bound room_case_audit(const room_case *c, bool is_planted, size_t runs, audit_claim *claim);
/** For a table of mutants; context: a room_case. */
bool room_release__is_refuted(const void *context, bool is_planted);
/** The same for the delta of a key of one user: how often it is released, against what is charged. */
bool lone_key__is_refuted(const void *context, bool is_planted);

#endif
