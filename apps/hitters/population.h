/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_POPULATION_H
#define HITTERS_POPULATION_H

/* population.h - users of a simulation: how many of which party hold which item, from a file or from a generator. */
#include "binomial.h"

typedef struct holding {
    uint32_t party;
    nw_ldp_item item;
    uint64_t users;
} holding;

typedef struct item_text {
    nw_ldp_item code;
    char *text;
} item_text;

typedef struct population {
    char **parties; /* names */
    size_t party_count;
    holding *holdings; /* by party, then item; each pair once, users above 0 */
    size_t n;
    uint64_t users;
    holding *totals; /* items over all parties, the most frequent first; party is 0 */
    size_t items;
    item_text *texts; /* hash: by code; else NULL */
    size_t text_count;
} population;
void population_free(population *p);

typedef struct population_file {
    const char *path;
    const char *columns; /* "party,item,count", or the names that the file's header has for them */
    nw_hh_encoding encoding;
    unsigned bits;
    const uint8_t *key; /* of the hash */
} population_file;
/** Reads tab-separated text, gzip or not. An exit code, with its message written. */
int population_read(population *p, const population_file *file);

/** "zipf:users=N,items=N,s=S,bits=N" and perhaps ",parties=N". */
typedef struct zipf {
    uint64_t users;
    uint64_t items;
    uint64_t bits;
    uint64_t parties;
    double s;
} zipf;
/** An exit code, with its message written. */
int zipf_parse(zipf *z, const char *text);
/** Users draw their items from the law, independently; codes are drawn without replacement. */
int population_generate(population *p, const zipf *z, nw_rng *rng);

/** The text of an item; of a hash the one that the file has for it. False: only its code is known. */
bool population_text(const population *p, nw_hh_encoding encoding, unsigned bits, nw_ldp_item item, char *out, size_t size);
/** Users who hold it. */
uint64_t population_count(const population *p, nw_ldp_item item);
/** Where the holdings of a party begin; party_count gives the end of all. */
size_t population_first(const population *p, size_t party);

/** Sorts and adds up what was put into `holdings`, n of them. An exit code, with its message written. */
int population_settle(population *p);

int item_compare(nw_ldp_item a, nw_ldp_item b);

#endif
