/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_SETTINGS_H
#define SYNTH_SETTINGS_H

/* settings.h - what the options of all commands of nw-synth are read into, and the commands. */
#include "../common/options.h"
#include "../common/seed.h"

#include <noisewright.h>

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    const nw_reduce *reduce; /* the processes that run the command */
    const char *schema;
    const char *constraints;
    const char *unit;       /* a column; NULL: a record is protected */
    uint64_t rows_per_unit; /* 0: not given */
    uint64_t parts;         /* likewise */
    bool are_units_apart;   /* as promised */
    app_list partials;      /* merge */
    const char *output;
    const char *ledger;
    const char *manifest;
    const char *measurements;
    const char *partial;
    const char *report;
    const char *unsafe_compare;
    double epsilon;
    double delta;
    unsigned adjacency; /* the order of the option table: settings_adjacency */
    unsigned engine;    /* settings_engine */
    unsigned family;    /* --queries: settings_queries */
    unsigned preset;    /* 0: none */
    unsigned select;    /* settings_select */
    uint64_t rows;      /* 0: as many as the table has, as far as that is known */
    uint64_t bins;      /* 0 here and below: the library's default */
    uint64_t sweeps;
    uint64_t chains;
    uint64_t threads;
    uint64_t insecure_seed;
    uint64_t seed;      /* of a fit */
    bool is_fit;        /* the command is fit: the measurements are there already */
    const char *target; /* score */
    const char *positive;
    const char *test;
    uint64_t query_count;
    bool has_references;
    double infer_share;
    bool is_inferring;
    uint64_t query_seed;
    uint64_t rounds;
    uint64_t per_round;
    double query_share;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

nw_adjacency settings_adjacency(const settings *s);
nw_synth_engine settings_engine(const settings *s);
nw_synth_select settings_select(const settings *s);
/** Writes a selection to the options of a release, with the most columns of a marginal that goes with it. */
void settings_select_opts(nw_synth_select select, const nw_schema *schema, nw_synth_opts *opts);
/** Finds it by nw_synth_select_name; false if there is none. */
bool settings_select_parse(const char *name, nw_synth_select *out);
/** Rows of a unit that count, 1 if not given; 0 without --unit. */
uint32_t settings_rows_per_unit(const settings *s);
/** What --unit, --max-rows-per-unit, --parts and --promise-units-apart say about each other. An exit code, with its message
 *  written. */
int settings_check_units(const settings *s);
bool settings_are_insecure(const settings *s);
const char *settings_family(const settings *s); /* the name that --queries has */
const char *settings_preset(const settings *s); /* NULL: none */
/** The list that --queries, --query-count, --query-seed, --rounds and --preset ask for; NULL where only marginals are measured.
 *  An exit code, with its message written. */
int settings_queries(nw_queries **out, const settings *s, const nw_schema *schema);
/** Writes them to the options of a release and a fit. `queries` may be NULL. An exit code, with its message written. */
int settings_query_opts(
    const settings *s, const nw_schema *schema, const nw_queries *queries, nw_synth_opts *opts, nw_synth_fit_opts *fit);

/** Reads --schema, without the column of --unit, and --constraints. An exit code, with its message written. */
int settings_read_schema(const settings *s, nw_schema **out);

/* The commands. Each returns an exit code, with its message written. */
int synth_table(const settings *s);
int synth_fit(const settings *s);
int synth_measure(const settings *s);
int synth_merge(const settings *s);
int synth_release(const settings *s);
int synth_score(const settings *s);
int synth_infer(const settings *s);

#endif
