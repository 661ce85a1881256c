/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_SIMULATE_H
#define HITTERS_SIMULATE_H

/* simulate.h - what simulations came to, and how it is told. */
#include "settings.h"

enum { MOST_TOP = 4096 };

typedef struct sim_hit {
    nw_ldp_item item;
    double count;
    double error;
    uint64_t truth; /* users who hold it */
    char text[80];
} sim_hit;

typedef struct sim_run {
    double f1;
    double ncr;
    double local_recall;
    double seconds;
    nw_hh_traffic traffic;
} sim_run;

/* All runs at one epsilon. */
typedef struct sim_point {
    double epsilon;
    nw_ldp_campaign campaign; /* not of the central model */
    nw_receipt receipt;       /* of the central model */
    uint32_t keep;
    sim_run *runs;
    sim_hit *hits; /* of the last run */
    size_t found;
} sim_point;

typedef struct simulation {
    sim_point points[MOST_EPSILONS];
    size_t point_count;
    uint64_t users;
    size_t parties;
    size_t items; /* different ones */
} simulation;
void simulation_free(simulation *sim);

/** Writes --output, as text or JSON, and --picture. An exit code, with its message written. */
int simulation_write(const simulation *sim, const settings *s, size_t processes);

typedef struct mean {
    double value;
    double error; /* standard error; NaN of one run */
} mean;
/** Over the runs, of the double at `offset` in sim_run. */
mean simulation_mean(const sim_point *point, size_t runs, size_t offset);

/* picture.c */
/** An SVG: estimated against true counts of the last run, and F1 against epsilon. */
int picture_write(const simulation *sim, const settings *s);

#endif
