/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

/* settings.h - the arguments of nw-train. */
#include "../common/options.h"

#include <nw/reduce.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum train_format { TRAIN_IDX = 0, TRAIN_CSV, TRAIN_TEXT, TRAIN_FORMATS } train_format;

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS]; /* eval, predict: MODEL.nw */
    const nw_reduce *reduce;                /* the processes that run the command */
    const char *data;
    const char *test;
    const char *schema;
    const char *target;
    const char *model; /* a file, or the name of a recipe */
    const char *output;
    const char *ledger;
    const char *label;
    const char *checkpoint;
    const char *curve;
    unsigned task;
    unsigned format;    /* train_format; TRAIN_FORMATS: not given */
    unsigned adjacency; /* into train_adjacencies */
    unsigned sampling;  /* into train_samplings */
    unsigned noise;     /* nw_train_noise - 1 */
    unsigned clipping;  /* nw_dpsgd_clipping - 1 */
    unsigned optimizer; /* nw_optimizer_kind - 1; 3: not given */
    double epsilon;
    double delta;
    double sigma; /* 0: from epsilon */
    double clip;  /* 0: the recipe's; so are the four below */
    double learning_rate;
    double epochs;
    double batch;
    double momentum; /* -1: the recipe's; so is the one below */
    double average;
    double quantile; /* 0: none */
    double weight_decay;
    uint64_t records; /* 0: as many as there are */
    uint64_t steps;   /* 0: by epochs */
    uint64_t classes; /* 0: by the format */
    uint64_t bands;
    uint64_t memory; /* MiB */
    uint64_t seed;
    bool is_resumed;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

#endif
