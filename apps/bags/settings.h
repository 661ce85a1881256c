/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BAGS_SETTINGS_H
#define APP_BAGS_SETTINGS_H

/* settings.h - what nw-bags is told, and its commands. Each gives an exit code, with its message written. */
#include "../common/options.h"

typedef enum bags_task { BAGS_REGRESS = 0, BAGS_CLASSIFY } bags_task;

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS]; /* predict: MODEL.json */
    const char *data;
    const char *target;
    const char *schema;
    const char *positive;
    const char *bag;   /* "auto" or a size */
    const char *rho;   /* "auto" or a number */
    const char *ridge; /* "auto" or a number */
    const char *sort_by;
    const char *bag_column;
    const char *test;
    const char *ledger;
    const char *label;
    const char *model; /* where it goes */
    const char *bags;  /* where the released means go */
    const char *plot;
    const char *output; /* predict */
    double epsilon;
    double delta;
    double clip; /* 0: not given */
    double center;
    double signal_variance; /* guesses; 0: not given */
    double residual_variance;
    uint64_t public_seed;
    uint64_t insecure_seed;
    uint64_t rows; /* --estimate */
    uint64_t features;
    unsigned task; /* bags_task */
    bool is_curated;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

int bags_run(const settings *s);
int bags_predict(const settings *s);

#endif
