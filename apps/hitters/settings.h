/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_SETTINGS_H
#define HITTERS_SETTINGS_H

/* settings.h - what the options of all commands of nw-hitters are read into, and the commands. */
#include "../common/options.h"
#include "../common/seed.h"

#include <noisewright.h>

enum { MOST_EPSILONS = 32 };

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    const nw_reduce *reduce; /* the processes that run the command */
    const char *items;
    const char *columns;
    const char *generate;
    const char *epsilon; /* one, or several with commas */
    const char *levels;  /* lengths with commas */
    const char *campaign;
    const char *state;
    const char *output;
    const char *dictionary;
    const char *picture;
    const char *id;
    app_texts aggregates;
    app_list files; /* of aggregate and merge */
    uint64_t bits;
    uint64_t top;
    uint64_t keep; /* 0 here and below: the library's default */
    uint64_t step;
    uint64_t parties;
    uint64_t shared;
    uint64_t seed_bits;
    uint64_t runs;
    uint64_t threads;
    uint64_t insecure_seed;
    double delta;     /* central; 0: not given */
    double threshold; /* -1: the library's default */
    unsigned protocol;
    unsigned encoding;
    bool is_adaptive;
    bool is_pruning;
    bool is_public_coin;
    bool is_exact;
    bool is_fast;
    bool is_json;
    bool is_quiet;
} settings;

/* The places of --protocol and --encoding. */
enum { PROTOCOL_CENTRAL = 4 };
nw_hh_protocol settings_protocol(const settings *s); /* not of central */
const char *settings_protocol_name(const settings *s);
nw_hh_encoding settings_encoding(const settings *s);

/** The values of --epsilon. An exit code, with its message written. */
int settings_epsilons(const settings *s, double values[MOST_EPSILONS], size_t *n);
/** The levels of the campaign, from --levels or --step. */
int settings_levels(const settings *s, uint8_t lengths[NW_LDP_MAX_LEVELS], unsigned *levels);
/** The campaign for one epsilon. */
int settings_campaign(const settings *s, double epsilon, nw_ldp_campaign *campaign);
/** The options of the search. */
nw_hh_opts settings_search(const settings *s, size_t parties);

/* The commands. Each returns an exit code, with its message written. */
int hitters_simulate(const settings *s);
int hitters_params(const settings *s);
int hitters_report(const settings *s);
int hitters_aggregate(const settings *s);
int hitters_merge(const settings *s);
int hitters_step(const settings *s);
int hitters_estimate(const settings *s);

#endif
