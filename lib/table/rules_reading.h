/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_RULES_READING_H
#define NW_RULES_READING_H

/* rules_reading.h - what the parsers of rules share. */
#include "rules.h"

typedef struct nw__rule_reading {
    const nw_schema *schema;
    const char *function;
    const char *name; /* of the rule; NULL outside of one */
    bool *mentions;   /* columns of the rule that were named so far */
    nw_error *err;
} nw__rule_reading;

/** NW_E_FORMAT, with the rule's name before the message. */
nw_status nw__rule_fail(const nw__rule_reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
nw_status nw__rule_fail_memory(const nw__rule_reading *r);
/** The number of the column that a JSON string names. */
nw_status nw__rule_find_column(const nw__rule_reading *r, const json_t *item, size_t *column);

/** "order": [a, b, c] is a - b <= 0 and b - c <= 0. */
nw_status nw__rule_read_order(const nw__rule_reading *r, json_t *list, nw__rule *rule);
/** "linear": {column: coefficient, ...}, and in the rule at_least, at_most, or equals and within. */
nw_status nw__rule_read_linear(const nw__rule_reading *r, json_t *object, json_t *rule_object, nw__rule *rule);

#endif
