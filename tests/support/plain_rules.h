/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_PLAIN_RULES_H
#define NW_PLAIN_RULES_H

/* plain_rules.h - rules of nw/constraints.h evaluated on values, straight from their JSON: an oracle. */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct plain_value {
    const char *column;
    const char *label; /* of a categorical or bool column; else NULL */
    double number;
    bool is_missing;
} plain_value;

bool plain_rule_holds(json_t *rule, const plain_value *row, size_t n);

#endif
