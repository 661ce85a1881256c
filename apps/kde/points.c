/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* points.c - see points.h. */
#include "points.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MOST_BYTES = (size_t)1 << 34;
static const size_t MOST_DIMENSIONS = 16384;

void points_free(points *p)
{
    free(p->x);
    *p = (points){ 0 };
}

/* ---- CSV ---- */

/* The number in text[0 .. n), blanks around it; an empty cell is NaN. */
static bool parse_cell(const char *text, size_t n, double *out)
{
    char cell[64];
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\r' || text[n - 1] == '\t'))
        n--;
    while (n > 0 && (*text == ' ' || *text == '\t'))
        text++, n--;
    *out = NAN;
    if (n == 0)
        return true;
    if (n >= sizeof cell)
        return false;
    memcpy(cell, text, n);
    cell[n] = '\0';
    return app_parse_real(cell, out);
}

static bool reserve(points *p, size_t *room)
{
    if ((p->n + 1) * p->d <= *room)
        return true;
    const size_t larger = *room == 0 ? 1024 * p->d : 2 * *room;
    float *x = realloc(p->x, larger * sizeof *x);
    if (x == NULL)
        return false;
    p->x = x;
    *room = larger;
    return true;
}

static size_t count_cells(const char *line, size_t n)
{
    size_t cells = 1;
    for (size_t i = 0; i < n; i++)
        cells += line[i] == ',';
    return cells;
}

/* One line as one point; column: of the cell that is no number. */
static bool parse_line(points *p, const char *line, size_t n, size_t *column)
{
    float *x = p->x + p->n * p->d;
    for (*column = 0; *column < p->d; ++*column) {
        const char *comma = memchr(line, ',', n);
        const size_t length = comma == NULL ? n : (size_t)(comma - line);
        double value = 0.0;
        if (!parse_cell(line, length, &value))
            return false;
        x[*column] = (float)value;
        line += length + 1;
        n -= length + (comma != NULL);
    }
    p->n++;
    return true;
}

/* The first line is one of numbers or a header, which every share has to find out. */
static bool take_line(points *p, const char *line, size_t n, bool is_first, const app_share *share, size_t *seen, size_t *column)
{
    const bool is_mine = *seen % share->parts == share->part;
    if (is_mine || is_first) {
        if (!parse_line(p, line, n, column))
            return is_first;
        p->n -= !is_mine;
    }
    ++*seen;
    return true;
}

static int parse_csv(points *p, const char *text, const char *path, const app_share *share)
{
    size_t room = 0, column = 0, number = 0, seen = 0;
    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        const bool is_blank = strspn(line, " \r\t") >= n;
        number++;
        if (p->d == 0 && !is_blank)
            p->d = count_cells(line, n);
        if (p->d > MOST_DIMENSIONS)
            return app_fail(APP_DATA, path, "line %zu has %zu cells, must have at most %zu", number, p->d, MOST_DIMENSIONS);
        if (!is_blank && count_cells(line, n) != p->d)
            return app_fail(
                APP_DATA, path, "line %zu has %zu cells, must have %zu as the first", number, count_cells(line, n), p->d);
        if (!is_blank && !reserve(p, &room))
            return app_fail(APP_INTERNAL, path, "out of memory");
        if (!is_blank && !take_line(p, line, n, number == 1, share, &seen, &column))
            return app_fail(APP_DATA, path, "line %zu, cell %zu is no number", number, column + 1);
        line += n + (line[n] == '\n');
    }
    return p->d == 0 ? app_fail(APP_DATA, path, "is empty, must have points") : APP_OK;
}

/* ---- .npy: magic, version, length of a header in Python's notation, the numbers ---- */

typedef struct npy_type {
    const char *name;
    size_t size;
} npy_type;

static const npy_type NPY_TYPES[] = { { "<f4", 4 }, { "<f8", 8 }, { "|u1", 1 }, { "|i1", 1 }, { "<u2", 2 }, { "<i2", 2 },
    { "<u4", 4 }, { "<i4", 4 }, { "<u8", 8 }, { "<i8", 8 } };

static double npy_number(const npy_type *type, const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < type->size; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    const uint32_t low = (uint32_t)bits;
    float single;
    double twofold;
    memcpy(&single, &low, sizeof single);
    memcpy(&twofold, &bits, sizeof twofold);
    if (type->name[1] == 'f')
        return type->size == 4 ? (double)single : twofold;
    if (type->name[1] == 'u')
        return (double)bits;
    const unsigned shift = (unsigned)(64 - 8 * type->size);
    return (double)((int64_t)(bits << shift) >> shift);
}

static const npy_type *npy_type_of(const char *header)
{
    const char *key = strstr(header, "'descr':");
    const char *quote = key == NULL ? NULL : strchr(key + 8, '\'');
    for (size_t i = 0; quote != NULL && i < sizeof NPY_TYPES / sizeof *NPY_TYPES; i++)
        if (strncmp(quote + 1, NPY_TYPES[i].name, 3) == 0 && quote[4] == '\'')
            return &NPY_TYPES[i];
    return NULL;
}

/* (n,) and (n, d). */
static bool npy_shape(const char *header, size_t *n, size_t *d)
{
    const char *key = strstr(header, "'shape':");
    unsigned long long rows = 0, columns = 1;
    char end = '\0';
    if (key == NULL || strstr(header, "'fortran_order': False") == NULL)
        return false;
    const int got = sscanf(key + 8, " (%llu , %llu %c", &rows, &columns, &end);
    if (got < 1 || (got == 3 && end != ')') || got == 2)
        return false;
    *n = (size_t)rows;
    *d = got == 1 ? 1 : (size_t)columns;
    return *d >= 1 && *d <= MOST_DIMENSIONS && *n <= MOST_BYTES / *d;
}

static int parse_npy(points *p, const uint8_t *bytes, size_t n, const char *path, const app_share *share)
{
    char header[4096];
    size_t at = 10, length = 0;
    if (n < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return app_fail(APP_DATA, path, "is no .npy file of version 1 to 3");
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        at = 12;
    }
    if (length >= sizeof header || at + length > n)
        return app_fail(APP_DATA, path, "is cut short in its header");
    memcpy(header, bytes + at, length);
    header[length] = '\0';
    const npy_type *type = npy_type_of(header);
    if (type == NULL)
        return app_fail(APP_DATA, path, "has numbers of another kind, must be little-endian float32, float64 or whole");
    if (!npy_shape(header, &p->n, &p->d))
        return app_fail(APP_DATA, path, "has another shape, must be (points,) or (points, coordinates) in C order");
    if (n - at - length != p->n * p->d * type->size)
        return app_fail(APP_DATA, path, "is cut short, or longer than its shape says");
    const size_t rows = p->n;
    p->n = rows > share->part ? (rows - share->part - 1) / share->parts + 1 : 0;
    p->x = malloc((p->n * p->d + 1) * sizeof *p->x);
    if (p->x == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->d; j++)
            p->x[i * p->d + j] =
                (float)npy_number(type, bytes + at + length + ((share->part + i * share->parts) * p->d + j) * type->size);
    return APP_OK;
}

int points_read(points *out, const char *path)
{
    return points_read_share(out, path, &(app_share){ NULL, 0, 1 });
}

int points_read_share(points *out, const char *path, const app_share *share)
{
    const size_t length = strlen(path);
    *out = (points){ 0 };
    int code;
    if (length > 4 && strcmp(path + length - 4, ".npy") == 0) {
        uint8_t *bytes = NULL;
        size_t n = 0;
        code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
        if (code == APP_OK)
            code = parse_npy(out, bytes, n, path, share);
        free(bytes);
    } else {
        char *text = NULL;
        code = app_read_text(path, MOST_BYTES, &text);
        if (code == APP_OK)
            code = parse_csv(out, text, path, share);
        free(text);
    }
    if (code != APP_OK)
        points_free(out);
    return code;
}
