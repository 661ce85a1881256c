/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* feed.c - see feed.h. */
#include "feed.h"

#include "exit.h"

#include <sodium.h>
#include <stdlib.h>

static bool is_fitting(const examples *data, const nw_network_shape *shape)
{
    if (data->kind == EXAMPLES_TOKENS)
        return shape->input == NW_NETWORK_TOKENS && shape->vocabulary == data->width;
    return shape->input != NW_NETWORK_TOKENS && shape->inputs == data->width;
}

int data_feed_make(data_feed *feed, const examples *data, const nw_network_shape *shape, const char *subject)
{
    *feed = (data_feed){ .data = data, .length = shape->inputs };
    if (!is_fitting(data, shape))
        return app_fail(APP_DATA, subject, "has %zu %s, must have the %zu that the model takes", data->width,
            data->kind == EXAMPLES_TOKENS ? "different words" : "features",
            shape->input == NW_NETWORK_TOKENS ? shape->vocabulary : shape->inputs);
    return APP_OK;
}

static void forget_rows(data_feed *feed)
{
    if (feed->values != NULL)
        sodium_memzero(feed->values, feed->room * feed->data->width * sizeof *feed->values);
    if (feed->tokens != NULL)
        sodium_memzero(feed->tokens, feed->room * feed->length * sizeof *feed->tokens);
    free(feed->values);
    free(feed->tokens);
    free(feed->classes);
    free(feed->targets);
    feed->values = feed->targets = NULL;
    feed->tokens = feed->classes = NULL;
    feed->room = 0;
}

void data_feed_free(data_feed *feed)
{
    if (feed->data != NULL)
        forget_rows(feed);
    *feed = (data_feed){ 0 };
}

static bool make_room(data_feed *feed, size_t n)
{
    const bool has_tokens = feed->data->kind == EXAMPLES_TOKENS;
    if (n <= feed->room)
        return true;
    forget_rows(feed);
    feed->values = has_tokens ? NULL : calloc(n, feed->data->width * sizeof *feed->values);
    feed->tokens = has_tokens ? calloc(n, feed->length * sizeof *feed->tokens) : NULL;
    feed->classes = calloc(n, sizeof *feed->classes);
    feed->targets = calloc(n, sizeof *feed->targets);
    feed->room = n;
    return (feed->values != NULL || feed->tokens != NULL) && feed->classes != NULL && feed->targets != NULL;
}

nw_status data_fetch(void *context, const uint32_t *indices, size_t n, nw_network_data *data, nw_error *err)
{
    data_feed *feed = context;
    const examples *e = feed->data;
    if (!make_room(feed, n > 0 ? n : 1)) {
        if (err != NULL)
            *err = (nw_error){ .status = NW_E_NOMEM, .function = "data_fetch", .message = "out of memory" };
        return NW_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t row = indices == NULL ? i : indices[i];
        if (feed->tokens != NULL)
            examples_words(e, row, feed->length, feed->tokens + i * feed->length);
        else
            examples_row(e, row, feed->values + i * e->width);
        feed->classes[i] = e->labels != NULL ? e->labels[row] : 0;
        feed->targets[i] = e->targets != NULL ? e->targets[row] : 0.0F;
    }
    *data = (nw_network_data){
        .values = feed->values, .tokens = feed->tokens, .classes = feed->classes, .targets = feed->targets, .copies = 1
    };
    return NW_OK;
}
