/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_CROWD_H
#define HITTERS_CROWD_H

/* crowd.h - what all users of a population report: each of them one by one, or drawn at once as what a server would count. */
#include "../common/progress.h"
#include "population.h"

typedef struct crowd crowd;

typedef struct crowd_job {
    const population *people;
    const nw_ldp_campaign *campaign;
    nw_hh_opts search;
    uint64_t seed; /* everything follows from it */
    int threads;   /* 0: as OpenMP decides; the result does not depend on them */
    bool is_fast;
    const nw_reduce *reduce;
    app_progress *progress;
} crowd_job;

/** Collects the reports of this process's part of the users. NW_E_NOMEM, NW_E_ENTROPY; NW_E_CANCELLED by a signal. */
nw_status crowd_new(crowd **out, const crowd_job *job, nw_error *err);
/** Closes one level of a search. */
nw_status crowd_step(crowd *c, nw_hh *hh, nw_error *err);
void crowd_free(crowd *c);

/* fast.c */
typedef struct sketch sketch;
/** Draws who reports at which level: int64 counts for each level and holding. */
nw_status sketch_new(sketch **out, const crowd_job *job, nw_error *err);
nw_status sketch_step(sketch *k, nw_hh *hh, nw_error *err);
void sketch_free(sketch *k);

nw_status crowd_fail(nw_error *err, nw_status status, const char *message);

#endif
