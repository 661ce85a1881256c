/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_POINTS_H
#define APP_KDE_POINTS_H

/* points.h - points in memory, and files of plain numbers as points: NumPy's arrays, idx, CSV. What a file is, its first bytes
 * tell; gzip is undone. Functions that return int print their own message and return an exit code. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POINTS_MOST_DIMENSIONS = 16384 };

typedef struct points {
    float *x; /* n x d */
    size_t n;
    size_t d;
} points;

/** Wipes and frees. */
void points_free(points *p);
/** Room for n more, *room of coordinates in all. */
bool points_reserve(points *p, size_t *room, size_t n);

/** Names that the caller chose, or that a file has. */
typedef struct words {
    char **items;
    size_t count;
} words;
void words_free(words *w);
/** Takes a copy. False if memory lacks. */
bool words_add(words *w, const char *text, size_t size);
/** Place of a word; count if it is none of them. */
size_t words_find(const words *w, const char *text);
/** "a,b,c" as words; an empty one is APP_USAGE of `option`. */
int words_parse(words *w, const char *option, const char *text);

typedef enum points_header { POINTS_HEADER_AUTO = 0, POINTS_HEADER_YES, POINTS_HEADER_NO } points_header;

/** What to take of a CSV file, and what was found there. */
typedef struct csv_terms {
    points_header header; /* auto: the first line is one if no cell of it is a number */
    const words *columns; /* the coordinates, by name; NULL: all columns but the label. A file without a header has just these */
    bool is_exact;        /* columns: that names the file lacks are an error also where it has no header */
    const char *label;    /* a column that is no coordinate, or NULL */
    bool needs_label;
    words names;  /* out: of the coordinates, if the file has a header */
    words labels; /* out: what the label's column says, one a point */
} csv_terms;
void csv_terms_free(csv_terms *t);

/** Reads `path`, "-" for standard input: an array (float, double, half, bool or whole numbers, little- or big-endian, C or
 *  Fortran order; all but its first dimension are coordinates), an idx file of unsigned bytes likewise, else CSV: one point a
 *  line, an empty cell, "nan" and "NA" are NaN, "inf" infinity. Of CSV `terms` tells more. */
int points_read(points *out, const char *path, csv_terms *terms);

/** The same for what may be no points: an array or idx file into `out`, or else the file's text, followed by a NUL, into *text,
 *  which is new; the other of the two is empty. */
int points_or_text(points *out, char **text, size_t *n, const char *path);

/** Drops all points but [from, to]. */
void points_keep(points *p, size_t from, size_t to);
/** Drops all but the points whose number is `part` modulo `parts`. */
void points_share(points *p, size_t part, size_t parts);

#endif
