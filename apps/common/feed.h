/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_FEED_H
#define APP_FEED_H

/* feed.h - examples as a network is shown them. */
#include "examples.h"

#include <nw/network.h>

/** Rows of examples for nw_network_data. */
typedef struct data_feed {
    const examples *data;
    size_t length; /* tokens of a text */
    size_t room;   /* rows that there is room for */
    float *values;
    int32_t *tokens;
    int32_t *classes;
    float *targets;
} data_feed;
/** `shape`: of the network. APP_DATA if the examples do not fit it. */
int data_feed_make(data_feed *feed, const examples *data, const nw_network_shape *shape, const char *subject);
void data_feed_free(data_feed *feed);
/** nw_train_source's fetch; indices may be NULL: rows first .. */
nw_status data_fetch(void *context, const uint32_t *indices, size_t n, nw_network_data *data, nw_error *err);

#endif
