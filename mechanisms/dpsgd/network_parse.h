/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NETWORK_PARSE_H
#define NW_NETWORK_PARSE_H

/* network_parse.h - what the readers of a model's JSON share. */
#include "network_internal.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#define NW__LARGEST ((size_t)1 << 31) /* numbers of an example, and parameters */

typedef struct nw__parse {
    nw_network *net;
    nw_error *err;
    const char *function;
    char place[160]; /* name of the layer that is read; empty: none */
    size_t current;  /* the value that the next layer reads */
} nw__parse;

/** NW_E_ARG, in front of it the layer. */
nw_status nw__parse_fail(const nw__parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A member of an object. *out is its default, NW__NONE if it must be there. */
nw_status nw__parse_size(const nw__parse *p, const json_t *object, const char *key, size_t lower, size_t upper, size_t *out);
nw_status nw__parse_bool(const nw__parse *p, const json_t *object, const char *key, bool *out);
nw_status nw__parse_real(const nw__parse *p, const json_t *object, const char *key, double lower, double upper, double *out);
nw_status nw__parse_choice(
    const nw__parse *p, const json_t *object, const char *key, const char *const *names, size_t n, size_t *out);
/** keys ends with NULL. */
nw_status nw__parse_known(const nw__parse *p, const json_t *object, const char *const *keys);

nw_status nw__parse_value(nw__parse *p, const nw__value *value, size_t *out);
/** Adds an operation, its output as op->to says, and makes that the current value. */
nw_status nw__parse_op(nw__parse *p, const nw__op *op);
nw_status nw__parse_parameter(
    nw__parse *p, const char *suffix, size_t rows, size_t cols, double variance, float fill, size_t *out);

/** network_layers.c: any layer but residual. */
nw_status nw__parse_layer(nw__parse *p, const char *type, const json_t *layer);

#endif
