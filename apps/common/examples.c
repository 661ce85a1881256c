/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* examples.c - see examples.h. */
#include "examples.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void wipe(void *block, size_t n, size_t size)
{
    if (block != NULL)
        sodium_memzero(block, n * size);
    free(block);
}

void examples_free(examples *data)
{
    const size_t ids = data->starts != NULL ? data->starts[data->count] : 0;
    wipe(data->pixels, data->count * data->width, sizeof *data->pixels);
    wipe(data->reals, data->count * data->width, sizeof *data->reals);
    wipe(data->ids, ids, sizeof *data->ids);
    wipe(data->weights, ids, sizeof *data->weights);
    wipe(data->starts, data->count + 1, sizeof *data->starts);
    wipe(data->labels, data->count, sizeof *data->labels);
    wipe(data->targets, data->count, sizeof *data->targets);
    memset(data, 0, sizeof *data);
}

/* A pixel of the image, black outside of it; -1 is beyond the end, too. */
static unsigned pixel_at(const examples *data, const uint8_t *pixels, size_t row, size_t column)
{
    return row < data->height && column < data->columns ? pixels[row * data->columns + column] : 0U;
}

bool examples_smooth(examples *data)
{
    static const unsigned weights[3] = { 1, 2, 1 };
    uint8_t *image = malloc(data->width);
    for (size_t i = 0; image != NULL && i < data->count; i++) {
        uint8_t *const pixels = data->pixels + i * data->width;
        memcpy(image, pixels, data->width);
        for (size_t k = 0; k < data->width; k++) {
            unsigned sum = 8; /* of sixteenths: to the nearest */
            for (size_t y = 0; y < 3; y++)
                for (size_t x = 0; x < 3; x++)
                    sum += weights[y] * weights[x] * pixel_at(data, image, k / data->columns + y - 1, k % data->columns + x - 1);
            pixels[k] = (uint8_t)(sum / 16);
        }
    }
    wipe(image, image != NULL ? data->width : 0, 1);
    return image != NULL;
}

static void scale_to_unit(float *row, size_t n)
{
    double squares = 0.0;
    for (size_t k = 0; k < n; k++)
        squares += (double)row[k] * (double)row[k];
    const double factor = squares > 0.0 ? 1.0 / sqrt(squares) : 1.0;
    for (size_t k = 0; k < n; k++)
        row[k] = (float)((double)row[k] * factor);
}

void examples_row(const examples *data, size_t i, float *out)
{
    if (data->kind == EXAMPLES_REALS) {
        memcpy(out, data->reals + i * data->width, data->width * sizeof *out);
    } else if (data->kind == EXAMPLES_PIXELS) {
        const uint8_t *pixels = data->pixels + i * data->width;
        for (size_t k = 0; k < data->width; k++)
            out[k] = (float)pixels[k] / 255.0F;
    } else {
        memset(out, 0, data->width * sizeof *out);
        for (size_t k = data->starts[i]; k < data->starts[i + 1]; k++)
            out[data->ids[k]] += data->weights[k];
    }
    if (data->has_unit_rows)
        scale_to_unit(out, data->width);
}

void examples_words(const examples *data, size_t i, size_t length, int32_t *out)
{
    const size_t start = data->starts[i];
    const size_t has = data->starts[i + 1] - start;
    for (size_t k = 0; k < length; k++)
        out[k] = k < has ? (int32_t)data->ids[start + k] : -1;
}
