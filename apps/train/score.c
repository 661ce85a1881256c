/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score.c - see score.h. */
#include "score.h"

#include "../common/exit.h"
#include "../common/signals.h"

#include <stdlib.h>

enum { AT_ONCE = 2048 };

int score_outputs(float **out, nw_network *net, data_feed *feed, double *losses)
{
    nw_error err;
    nw_network_shape shape;
    const size_t n = feed->data->count;
    uint32_t indices[AT_ONCE];
    nw_network_get_shape(net, &shape);
    const size_t width = shape.positions * shape.outputs;
    *out = calloc(n > 0 ? n : 1, width * sizeof **out);
    if (*out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t first = 0; first < n; first += AT_ONCE) {
        nw_network_data data;
        const size_t part = n - first < AT_ONCE ? n - first : AT_ONCE;
        for (size_t i = 0; i < part; i++)
            indices[i] = (uint32_t)(first + i);
        nw_status status = data_fetch(feed, indices, part, &data, &err);
        if (status == NW_OK)
            status =
                nw_network_forward(net, &data, NULL, part, *out + first * width, losses == NULL ? NULL : losses + first, &err);
        if (status != NW_OK)
            return app_fail_error("evaluation", &err);
        if (app_signals_caught() != 0)
            return 128 + app_signals_caught();
    }
    return APP_OK;
}

int score_make(score *out, nw_network *net, data_feed *feed, double unit)
{
    nw_network_shape shape;
    float *outputs = NULL;
    const examples *data = feed->data;
    double *losses = calloc(data->count > 0 ? data->count : 1, sizeof *losses);
    nw_network_get_shape(net, &shape);
    if (losses == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    int code = score_outputs(&outputs, net, feed, losses);
    if (code == APP_OK)
        code = score_judge(out, outputs, shape.outputs, losses, data, unit);
    free(outputs);
    free(losses);
    return code;
}
