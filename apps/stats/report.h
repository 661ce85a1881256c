/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_REPORT_H
#define APP_STATS_REPORT_H

/* report.h - figures with their errors, or what is to be expected of them, as aligned text and as JSON. */
#include "query.h"

#include <jansson.h>
#include <stdio.h>

typedef struct report {
    const query *queries;
    size_t count;
    const nw_schema *schema;
    const nw_stats *stats; /* of the same queries; released unless is_estimate */
    bool is_estimate;
    uint64_t records;  /* that an estimate assumes, 0 if none are */
    double confidence; /* that all figures lie within their errors */
} report;

/** The middle of what a code stands for, in the words of its column; to be freed. NULL if memory lacks. */
char *report_value(const nw_schema *schema, size_t column, uint32_t code);
json_t *report_value_json(const nw_schema *schema, size_t column, uint32_t code);

/** False if memory lacks. */
bool report_text(FILE *stream, const report *r);
/** One object a query; NULL if memory lacks. */
json_t *report_json(const report *r);

#endif
