/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_SETTINGS_H
#define APP_KDE_SETTINGS_H

/* settings.h - what nw-kde is told, and its commands. Each gives an exit code, with its message written. */
#include "../common/options.h"

#include <nw/reduce.h>

#define KDE_KERNELS "gaussian|exponential|laplacian|l1|l2|l2sq|lpp|rational-l2sq|rational-l2|rational-l1"
#define KDE_ESTIMATORS "auto|moments|table|features|hadamard|landmarks|grid|lsh|tree|lsq-rff|lsq-fgt"

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    const nw_reduce *reduce; /* the processes that run the command */
    const char *data;
    const char *output;
    const char *lower;
    const char *upper;
    const char *points; /* a number, or "private" */
    const char *landmarks;
    const char *ledger;
    const char *structures;
    const char *truth;
    app_texts parts;
    double bandwidth;
    double power;
    double bandwidth_share; /* of epsilon, for a bandwidth from the points; 0: it is given */
    double epsilon;
    double delta;
    double expected_points;
    double expected_density;
    uint64_t size;
    uint64_t dimension;
    uint64_t public_seed;
    uint64_t insecure_seed;
    uint64_t top;
    unsigned kernel; /* choices, from 0 in the order of KDE_KERNELS: nw_kde_kernel less 1 */
    unsigned estimator;
    unsigned convention;
    unsigned adjacency;
    bool is_partial;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

int kde_build(const settings *s);
int kde_merge(const settings *s);
int kde_query(const settings *s);
int kde_classify(const settings *s);
int kde_plot(const settings *s);
int kde_info(const settings *s);

/** "1" or "1,2,3" as `count` numbers, one for all or one each, into a new array; *out is NULL if text is. */
int kde_parse_bounds(const char *option, const char *text, size_t count, double **out);

#endif
