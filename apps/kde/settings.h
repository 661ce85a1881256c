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
    app_list files;          /* of classify */
    const nw_reduce *reduce; /* the processes that run the command */
    const char *data;
    const char *schema;
    const char *columns;
    const char *label;
    const char *labels;
    const char *classes;
    const char *project;
    const char *rows;
    const char *landmark_rows;
    const char *output;
    const char *lower;
    const char *upper;
    const char *points; /* numbers, "counted" or "private" */
    const char *landmarks;
    const char *ledger;
    const char *structures;
    const char *truth;
    const char *title;
    app_texts parts;
    double bandwidth;
    double power;
    double bandwidth_share; /* of epsilon, for a bandwidth from the points; 0: it is given */
    double sizes_share;     /* of epsilon, for sizes of classes that are not public */
    double epsilon;
    double delta;
    double expected_points;
    double expected_density;
    uint64_t size;
    uint64_t dimension;
    uint64_t public_seed;
    uint64_t insecure_seed;
    uint64_t top;
    uint64_t outliers;
    unsigned kernel; /* choices, from 0 in the order of KDE_KERNELS: nw_kde_kernel less 1 */
    unsigned estimator;
    unsigned convention;
    unsigned adjacency;
    unsigned header;
    bool is_scaled;
    bool is_unit_norm;
    bool is_average;
    bool has_scores;
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

/** "1" or "1,2,3" as `count` numbers, one for all or one each, into a new array; *out is NULL if text is, and may be new on
 *  error, too. */
int kde_parse_bounds(const char *option, const char *text, size_t count, double **out);
/** "A..B", counted from 0, as two of n rows; all of them if text is NULL. */
int kde_parse_rows(size_t *from, size_t *to, const char *option, const char *text, size_t n);

#endif
