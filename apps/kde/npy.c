/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* npy.c - see npy.h. */
#include "npy.h"

#include "../common/exit.h"
#include "../common/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 4096, DIMENSIONS_MOST = 8, PREFIX = 128 };
static const size_t MOST_NUMBERS = (size_t)1 << 33;

/* What a header says. */
typedef struct array {
    char kind; /* 'f', 'i', 'u', 'b' */
    size_t size;
    bool is_big_endian;
    bool is_fortran;
    size_t dimensions;
    size_t shape[DIMENSIONS_MOST];
} array;

/* ---- numbers ---- */

static double half(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023) / 1024.0;
    const double size = exponent == 31 ? (fraction > 0.0 ? NAN : INFINITY)
                                       : ldexp(fraction + (exponent > 0 ? 1.0 : 0.0), exponent > 0 ? exponent - 15 : -14);
    return bits >> 15 != 0 ? -size : size;
}

static double number(const array *a, const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < a->size; i++)
        bits |= (uint64_t)bytes[a->is_big_endian ? a->size - 1 - i : i] << (8 * i);
    if (a->kind == 'f' && a->size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (a->kind == 'f' && a->size == 4) {
        const uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return (double)value;
    }
    if (a->kind == 'f')
        return half(bits);
    if (a->kind != 'i')
        return (double)bits;
    const unsigned shift = (unsigned)(64 - 8 * a->size);
    return (double)((int64_t)(bits << shift) >> shift);
}

/* ---- header ---- */

/* What follows `key` and blanks; NULL if the key is missing. */
static const char *after(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    return at == NULL ? NULL : at + strlen(key) + strspn(at + strlen(key), " ");
}

static bool parse_type(array *a, const char *header)
{
    const char *at = after(header, "'descr':");
    if (at == NULL || *at != '\'' || strchr("<>|=", at[1]) == NULL || at[1] == '\0' || at[2] == '\0' || at[3] == '\0' ||
        at[4] != '\'')
        return false;
    a->is_big_endian = at[1] == '>';
    a->kind = at[2];
    a->size = (size_t)(at[3] - '0');
    switch (a->kind) {
    case 'f': return a->size == 2 || a->size == 4 || a->size == 8;
    case 'b': return a->size == 1;
    case 'i':
    case 'u': return a->size == 1 || a->size == 2 || a->size == 4 || a->size == 8;
    default: return false;
    }
}

static bool parse_shape(array *a, const char *header)
{
    const char *at = after(header, "'shape':");
    size_t all = 1;
    if (at == NULL || *at++ != '(')
        return false;
    for (a->dimensions = 0; *(at += strspn(at, " ")) != ')';) {
        char *end = NULL;
        if (a->dimensions == DIMENSIONS_MOST || *at < '0' || *at > '9')
            return false;
        const unsigned long long side = strtoull(at, &end, 10);
        if (side > MOST_NUMBERS || (side > 0 && all > MOST_NUMBERS / side))
            return false;
        all *= side > 0 ? (size_t)side : 1;
        a->shape[a->dimensions++] = (size_t)side;
        at = end + strspn(end, " ");
        if (*at == ',')
            at++;
        else if (*at != ')')
            return false;
    }
    return a->dimensions > 0;
}

static bool parse_order(array *a, const char *header)
{
    const char *at = after(header, "'fortran_order':");
    a->is_fortran = at != NULL && strncmp(at, "True", 4) == 0;
    return a->is_fortran || (at != NULL && strncmp(at, "False", 5) == 0);
}

static int parse_header(array *a, const uint8_t *bytes, size_t n, size_t *begin, const char *subject)
{
    char header[HEADER_MOST];
    size_t at = 10, length;
    if (n < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return app_fail(APP_DATA, subject, "is no .npy file of version 1 to 3");
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        at = 12;
    }
    if (length >= sizeof header || at + length > n)
        return app_fail(APP_DATA, subject, "is cut short in its header, or no .npy file");
    memcpy(header, bytes + at, length);
    header[length] = '\0';
    *begin = at + length;
    if (!parse_type(a, header))
        return app_fail(APP_DATA, subject, "has numbers of another kind, must be float16, float32, float64, bool or whole");
    if (!parse_order(a, header) || !parse_shape(a, header))
        return app_fail(APP_DATA, subject, "has another shape, must be (points,) or (points, coordinates)");
    return APP_OK;
}

/* ---- the array ---- */

/* Where coordinate j of point 0 stands, in numbers: in Fortran order the first of the other dimensions runs fastest. */
static size_t place_of(const array *a, size_t j)
{
    size_t place = 0, stride = a->shape[0];
    if (!a->is_fortran)
        return j;
    for (size_t k = 1, rest = j, below = 1; k < a->dimensions; k++) {
        below = 1;
        for (size_t l = k + 1; l < a->dimensions; l++)
            below *= a->shape[l];
        place += rest / below * stride;
        rest %= below;
        stride *= a->shape[k];
    }
    return place;
}

int npy_parse(points *out, const uint8_t *bytes, size_t n, const char *subject)
{
    array a = { 0 };
    size_t begin = 0;
    *out = (points){ 0 };
    const int code = parse_header(&a, bytes, n, &begin, subject);
    if (code != APP_OK)
        return code;
    out->n = a.shape[0];
    out->d = 1;
    for (size_t k = 1; k < a.dimensions; k++)
        out->d *= a.shape[k];
    if (out->d == 0 || out->d > POINTS_MOST_DIMENSIONS)
        return app_fail(APP_DATA, subject, "has %zu coordinates a point, must have 1 to %d", out->d, (int)POINTS_MOST_DIMENSIONS);
    if (n - begin != out->n * out->d * a.size)
        return app_fail(APP_DATA, subject, "is cut short, or longer than its shape says");
    out->x = malloc((out->n * out->d + 1) * sizeof *out->x);
    if (out->x == NULL)
        return app_fail(APP_INTERNAL, subject, "out of memory");
    for (size_t j = 0; j < out->d; j++) {
        const uint8_t *at = bytes + begin + place_of(&a, j) * a.size;
        const size_t step = (a.is_fortran ? 1 : out->d) * a.size;
        for (size_t i = 0; i < out->n; i++)
            out->x[i * out->d + j] = (float)number(&a, at + i * step);
    }
    return APP_OK;
}

/* ---- writing ---- */

int npy_write(const char *path, size_t rows, size_t columns, npy_value value, const void *context)
{
    const size_t width = columns == 0 ? 1 : columns;
    const size_t size = PREFIX + 8 * rows * width;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    char header[PREFIX - 10 + 1], shape[48];
    snprintf(shape, sizeof shape, columns == 0 ? "(%zu,)" : "(%zu, %zu)", rows, columns);
    const int length = snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }", shape);
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76: what is left of PREFIX */
    memset(bytes + 10, ' ', PREFIX - 10);
    memcpy(bytes + 10, header, (size_t)length);
    bytes[PREFIX - 1] = '\n';
    for (size_t i = 0; i < rows * width; i++) {
        const double x = value(context, i / width, i % width);
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        for (unsigned k = 0; k < 8; k++)
            bytes[PREFIX + 8 * i + k] = (uint8_t)(bits >> (8 * k));
    }
    const int code = app_write_bytes(path, bytes, size);
    free(bytes);
    return code;
}
