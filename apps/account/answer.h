/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_ANSWER_H
#define APP_ANSWER_H

/* answer.h - one answer of the accountant, as people and as programs read it; queries; calibration of an open parameter. */
#include <jansson.h>
#include <noisewright.h>

typedef struct answer {
    const char *quantity;   /* "epsilon", "delta", "rdp", "sigma", "scale", "q", "count" */
    const char *given_name; /* "delta", "epsilon", "order" */
    double given;
    double value; /* the safe end */
    double lower, upper;
    double estimate;
    double epsilon;     /* calibration only: what the value was certified to reach */
    bool is_calibrated; /* quantity is a parameter */
    bool is_count;
    bool is_certified;
    const char *method;
    double seconds;
    nw_adjacency adjacency;
} answer;

/** Seconds of a monotonic clock. */
double answer_clock(void);
/** {"value" or the quantity's own name, "lower", "upper", "method", "certified", "seconds"}. An infinite end is null, with
 *  "unbounded": true. */
json_t *answer_json(const answer *a, const char *value_name);

/** What a query or a short form asks of an event. */
typedef struct question {
    const char *quantity; /* "epsilon", "delta", "rdp" */
    double given;         /* delta, epsilon, order */
    nw_adjacency adjacency;
    bool is_upper_only;
} question;
nw_status answer_event(const nw_event *event, const question *q, answer *out, nw_error *err);

/** A schedule in which one "sigma", "scale", "q" or "count" is null: its safe value for (epsilon, delta), and a value beyond
 *  which no better one is: there the certified lower end is over the target. */
nw_status answer_calibrate(
    const json_t *schedule, double epsilon, double delta, nw_adjacency adjacency, answer *out, nw_error *err);

/** One entry as in the reference tables: kind, adjacency, mechanisms, query, and what other kinds add. */
nw_status answer_query(const json_t *entry, answer *out, nw_error *err);

/** Fails with NW_E_FORMAT and a message. */
nw_status answer_malformed(nw_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
