/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CSV_SCAN_H
#define NW_CSV_SCAN_H

/* csv_scan.h - bytes of a file or stream (gzip or not), cut into the cells of RFC 4180. */
#include "base.h"

#include <string.h>
#if defined(__SSE2__) /* every x86-64 */
#include <emmintrin.h>
#endif

/* ---- bytes ---- */

typedef struct nw__source nw__source;

/** Opens a file, or standard input for "-"; gzip is recognised by its first two bytes. */
nw_status nw__source_open(nw__source **out, const char *path, nw_error *err, const char *function);
/** Reads 1..n bytes, *got of them; 0 at the end. NW_E_IO, or NW_E_FORMAT for gzip that is damaged or cut short. */
nw_status nw__source_read(nw__source *source, char *bytes, size_t n, size_t *got, nw_error *err, const char *function);
void nw__source_close(nw__source *source);
/** A whole file or stream, at most `most` bytes, into a new block (free). NW_E_FORMAT if it is larger; else as the calls above.
 * */
nw_status nw__source_read_all(const char *path, size_t most, uint8_t **bytes, size_t *n, nw_error *err, const char *function);
/** How much of the file was read, 0 .. 1; -1 where its size is not known: a stream. */
double nw__source_fraction(const nw__source *source);

/* ---- cells ---- */

#define NW__CSV_MAX_CELL ((size_t)65536) /* bytes of a cell as it stands in the file, quotes included */
#define NW__CSV_PAD 64

typedef struct nw__csv {
    nw__source *source;
    const char *function;     /* the public function, for messages */
    const char *const *names; /* of the columns; NULL until the header is read */
    char *buffer;
    size_t chunk;   /* bytes asked for by a refill */
    char *cursor;   /* where the next cell begins */
    char *end;      /* followed by NW__CSV_PAD zero bytes */
    char *block;    /* the 64 bytes that `mask` is about */
    uint64_t mask;  /* bit i: block[i] is one of , " LF CR NUL, and not yet passed */
    bool is_at_end; /* the source has no more bytes */
    size_t line;    /* of the next cell, from 1 */
    size_t column;  /* of the next cell, from 1; kept by the caller */
} nw__csv;

typedef struct nw__csv_cell {
    const char *text; /* without the quotes around it, doubled quotes undone */
    size_t length;
    char stop; /* what ended it: ',' or '\n' (LF or CRLF), or 0 for the end of the file */
    bool is_quoted;
} nw__csv_cell;

nw_status nw__csv_open(nw__csv *csv, const char *path, size_t chunk, nw_error *err, const char *function);
void nw__csv_close(nw__csv *csv);

/** Moves the begun cell to the buffer's front and appends what the source gives; sets is_at_end if that is nothing. */
nw_status nw__csv_refill(nw__csv *csv, nw_error *err);

/** NW_E_FORMAT with "line L, column C (name): " before the message. */
nw_status nw__csv_fail(const nw__csv *csv, nw_error *err, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** What nw__csv_next does when a cell ends in anything but a comma or LF after plain text; `special`: the first special byte. */
nw_status nw__csv_next_slow(nw__csv *csv, char *special, nw__csv_cell *cell, nw_error *err);

/* The top bit of byte i of the result: byte i of the word is c. Exact: no carry leaves a byte. */
static inline uint64_t nw__csv_matches(uint64_t word, char c)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    const uint64_t x = word ^ (UINT64_C(0x0101010101010101) * (unsigned char)c);
    return ~(((x & low7) + low7) | x | low7); /* 0x80 where x is 0 */
}

/* Bit i of the result: block[i] is one of , " LF CR NUL. */
static inline uint64_t nw__csv_special_mask_plain(const char *block)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i += 8) {
        uint64_t w;
        memcpy(&w, block + i, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        w = __builtin_bswap64(w);
#endif
        const uint64_t hits = nw__csv_matches(w, ',') | nw__csv_matches(w, '\n') | nw__csv_matches(w, '\r') |
                              nw__csv_matches(w, '"') | nw__csv_matches(w, '\0');
        mask |= ((hits >> 7) * UINT64_C(0x0102040810204080)) >> 56 << i; /* gathers the eight top bits */
    }
    return mask;
}

/* The same. */
#if defined(__SSE2__)
static inline uint64_t nw__csv_special_mask(const char *block)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        __m128i hits = _mm_cmpeq_epi8(x, _mm_setzero_si128());
        for (int k = 0; k < 4; k++)
            hits = _mm_or_si128(hits, _mm_cmpeq_epi8(x, _mm_set1_epi8(",\n\r\""[k])));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(hits) << i;
    }
    return mask;
}
#else
static inline uint64_t nw__csv_special_mask(const char *block)
{
    return nw__csv_special_mask_plain(block);
}
#endif

/* The next special byte; the zeros after the end are special, so the search stays inside the buffer. */
static inline char *nw__csv_next_special(nw__csv *csv)
{
    while (csv->mask == 0) {
        csv->block += 64;
        csv->mask = nw__csv_special_mask(csv->block);
    }
    char *special = csv->block + __builtin_ctzll(csv->mask);
    csv->mask &= csv->mask - 1;
    return special;
}

/** The next cell; its text is valid until the next call. At the end of the file comes a cell that ends in 0. */
static inline nw_status nw__csv_next(nw__csv *csv, nw__csv_cell *cell, nw_error *err)
{
    char *special = nw__csv_next_special(csv);
    if ((*special == ',' || *special == '\n') && (size_t)(special - csv->cursor) <= NW__CSV_MAX_CELL) {
        *cell = (nw__csv_cell){ csv->cursor, (size_t)(special - csv->cursor), *special, false };
        csv->line += *special == '\n';
        csv->cursor = special + 1;
        return NW_OK;
    }
    return nw__csv_next_slow(csv, special, cell, err);
}

/* Blanks around an unquoted cell are not part of it; a quoted cell is taken as it is. */
static inline void nw__csv_trim(nw__csv_cell *cell)
{
    if (cell->is_quoted)
        return;
    while (cell->length > 0 && (cell->text[0] == ' ' || cell->text[0] == '\t')) {
        cell->text++;
        cell->length--;
    }
    while (cell->length > 0 && (cell->text[cell->length - 1] == ' ' || cell->text[cell->length - 1] == '\t'))
        cell->length--;
}

/** Passes a byte order mark. NW_E_FORMAT if the file is empty. */
nw_status nw__csv_skip_byte_order_mark(nw__csv *csv, nw_error *err);
/** A column's name from the file, fit for a message: one line, cut. */
const char *nw__csv_printable(const nw__csv_cell *cell, char out[64]);

#endif
