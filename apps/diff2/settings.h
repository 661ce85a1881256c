/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF2_SETTINGS_H
#define DIFF2_SETTINGS_H

/* settings.h - the arguments of nw-diff2, and the processes that it runs on. */
#include "../common/options.h"

#include <nw/reduce.h>

#include <stdbool.h>
#include <stdint.h>

typedef enum diff2_method { METHOD_DIFF2 = 0, METHOD_DPGD, METHOD_DPSGD } diff2_method;

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS]; /* eval, predict: the model file */
    const char *data;
    const char *schema;
    const char *target;
    const char *test;
    const char *output; /* --save-model; of predict the table */
    const char *curve;
    const char *ledger;
    const char *label;
    const char *clients; /* how many, or a column; NULL: one */
    unsigned task;       /* table_task */
    unsigned method;     /* diff2_method */
    unsigned model;      /* model_kind */
    unsigned loss;       /* 0: squared, 1: huber */
    unsigned adjacency;  /* 0: add-remove, 1: replace-one */
    double epsilon;
    double delta;
    double huber;
    double eta; /* 0: by default; so are all below */
    double c1;
    double c2;
    double split;
    double batch;
    double ridge;
    uint64_t records;
    uint64_t rounds;
    uint64_t restarts;
    uint64_t threads;
    uint64_t seed;
    bool is_shown; /* what is private and not paid for */
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

/** Trains, and answers. Returns an exit code, the same in all processes, with its message written once. */
int diff2_run(const settings *s, const nw_reduce *processes);
/** Use a model. Return an exit code, with its message written. */
int diff2_eval(const settings *s);
int diff2_predict(const settings *s);

#endif
