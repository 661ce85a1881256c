/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TABLE_INTERNAL_H
#define NW_TABLE_INTERNAL_H

/* table_internal.h - the domain of a column, and the blocks in which a table keeps its codes. */
#include "base.h"

#include <jansson.h>
#include <nw/table.h>

/** Reads a JSON file, keys refused that occur twice. NW_E_IO; *root is NULL, with *where set, if the text is no JSON. */
nw_status nw__json_read(json_t **root, json_error_t *where, const char *path, nw_error *err, const char *function);

/* ---- the domain of one column ---- */

typedef struct nw__label_slot {
    uint64_t hash;
    uint32_t length;
    uint32_t code_plus_one; /* 0: free */
} nw__label_slot;

#define NW__SMALL_INTEGERS 1000

/* A numeric column has its values on a grid, lower + k step for k < values, or anywhere in [lower, upper] if it has no step.
 * `edges` cut the k (or, without a step, the numbers themselves) into bins: code b holds edges[b] <= k < edges[b+1]. Decimal
 * grids are also kept as integers, value k = (scaled_lower + k scaled_step) / 10^decimals, so that what is written is exact. */
typedef struct nw__domain {
    nw_column column;      /* what the caller sees; owns its name */
    uint32_t bins;         /* codes that do not mean "missing" */
    uint16_t unknown_code; /* categorical: of a label that is not one of `labels`; its "other", or as missing */
    bool has_other;
    uint16_t missing_code; /* the last code, or 0 in a column that is not nullable */
    char **labels;         /* categorical: bins of them; else NULL */
    nw__label_slot *slots; /* open addressing over the labels, at most half full */
    uint32_t slot_mask;
    uint16_t *small;      /* numeric: the codes of the integers 0 .. NW__SMALL_INTEGERS - 1, which most cells are */
    double values;        /* number of values on the grid; 0 without a step */
    double *edges;        /* bins + 1 of them, increasing; NULL: the code is k itself */
    bool is_uneven;       /* bins were cut again (nw__domain_cut_at), so their width tells nothing */
    double bins_per_unit; /* on average */
    double inside_until;  /* of bins of equal width: this fraction of a bin lies before the next edge, however it was rounded */
    double log_unit;      /* "scale": "log": 0 for log(x), else the unit u of sign(x) log(1 + |x| / u) */
    int decimals;
    int64_t scaled_lower;
    int64_t scaled_step;
} nw__domain;

typedef struct nw__rules nw__rules; /* rules.h */

struct nw_schema {
    unsigned references; /* atomic: a schema is shared by the tables read under it */
    uint32_t max_bins;
    char *json; /* what it was read from, compact */
    size_t columns;
    nw__domain *domains;
    nw__rules *rules; /* NULL: none */
};

const nw_schema *nw__schema_share(const nw_schema *schema);

/** Cuts a numeric or date column into at most max_bins bins; reads column, values, decimals. False if memory lacks; *why is set,
 * and true returned, if the column cannot be cut. */
bool nw__domain_cut(nw__domain *domain, uint32_t max_bins, const char **why);
/** Cuts bins again at n coordinates of the edges (a k, or a number of a column without a step; those beyond the ends are
 * ignored). Before any lookup table is made. As nw__domain_cut; *why also if there would be too many codes. */
bool nw__domain_cut_at(nw__domain *domain, double *cuts, size_t n, const char **why);
/** Makes `copy`, zeroed, a deep copy. False if memory lacks; nw__domain_free frees what there is. */
bool nw__domain_copy(nw__domain *copy, const nw__domain *domain);
/** Looks the codes of small integers up beforehand. False if memory lacks. */
bool nw__domain_index_integers(nw__domain *domain);
/** Builds the hash of the labels. Sets *duplicate to a label that occurs twice, or NULL. False if memory lacks. */
bool nw__domain_index_labels(nw__domain *domain, const char **duplicate);
void nw__domain_free(nw__domain *domain);
/** Whether the values are labels: a category or a bool. */
bool nw__domain_is_label(const nw__domain *domain);

/** The code of the value nearest to x (not NaN; infinities are allowed), of a label, of a cell's text. */
uint16_t nw__domain_encode_number(const nw__domain *domain, double x);
/** The code of a label that is one of the domain's; false if it is not. */
bool nw__domain_find_label(const nw__domain *domain, const char *text, size_t length, uint16_t *code);
uint16_t nw__domain_encode_label(const nw__domain *domain, const char *text, size_t length);
uint16_t nw__domain_encode_text(const nw__domain *domain, const char *text, size_t length);
/** The value of a cell's text, not cut into bins: see nw_table_scan_csv. */
double nw__domain_read_value(const nw__domain *domain, const char *text, size_t length);

/** Value number k of a column with a step: the nearest double of the decimal fraction, as when it is read from text. */
double nw__domain_grid_value(const nw__domain *domain, double k);
/** x = m / 10^decimals, power = 10^decimals, with |m| <= 1e15, exactly as the nearest double of that decimal fraction; else
 * false. */
bool nw__scale_decimal(double x, int decimals, double power, int64_t *m);

/** The number k of the grid value nearest to x (not NaN), in a column with a step. */
int64_t nw__domain_grid_number(const nw__domain *domain, double x);

/** The scale on which bins have equal width: x itself, or its logarithm. */
double nw__domain_to_scale(const nw__domain *domain, double x);
double nw__domain_from_scale(const nw__domain *domain, double t);

/* ---- numbers and dates as text; independent of the locale ---- */

/** Decimal text, blanks around it allowed: sign, digits, fraction, exponent; "inf", "infinity". Rounded as strtod. False for all
 * else. */
bool nw__parse_number(const char *text, size_t length, double *value);
/** Most cells of most tables: at most 15 digits, and a point among them or none. What it takes gets the value that
 * nw__parse_number gives. False for all else. */
bool nw__parse_short_number(const char *text, size_t length, double *value);
/** yyyy-mm-dd, years 0001..9999, to days since 1970-01-01 in the proleptic Gregorian calendar. False if there is no such day. */
bool nw__parse_date(const char *text, size_t length, int64_t *days);
/** Ten characters and no NUL. */
void nw__format_date(int64_t days, char out[10]);
#define NW__NUMBER_TEXT_SIZE 48
/** scaled / 10^decimals, with that many decimals (as "123e-45" where they are not 0..22). Returns the length; no NUL. */
size_t nw__format_decimal(int64_t scaled, int decimals, char out[NW__NUMBER_TEXT_SIZE]);

/* ---- tables ---- */

/* A column is kept in blocks of NW__TABLE_BLOCK_ROWS rows, so a table of unknown length grows without copying. Every block but
 * the last is full. A code takes one byte if the column has at most 256 cells, else two. */
#define NW__TABLE_BLOCK_ROWS ((size_t)65536)

static inline unsigned nw__code_bytes(uint32_t cells)
{
    return cells <= 256 ? 1 : 2;
}

size_t nw__table_blocks(const nw_table *table);
/** Rows in block `block`. */
size_t nw__table_block_rows(const nw_table *table, size_t block);
/** Codes of one column in one block: uint8_t[rows] if its cells are at most 256, else uint16_t[rows]. Borrowed. Same row numbers
 * in every column, so a joint count walks two such arrays side by side. */
const void *nw__table_block(const nw_table *table, size_t column, size_t block);
/** The same, to be filled; codes must be less than the column's cells. */
void *nw__table_block_mutable(nw_table *table, size_t column, size_t block);

/** NW_E_UNSUPPORTED naming a column of the schema that has no codes to be kept. */
nw_status nw__table_check_schema(const nw_schema *schema, nw_error *err, const char *function);
/** A table of no rows, whatever the schema. */
nw_status nw__table_new(nw_table **out, const nw_schema *schema, nw_error *err, const char *function);
/** For a table of one block, which it keeps: how many of its rows can be seen. */
void nw__table_show_rows(nw_table *table, size_t rows);
/** Appends a block of NW__TABLE_BLOCK_ROWS rows (the last block must be full). */
nw_status nw__table_append_block(nw_table *table, nw_error *err, const char *function);
/** Cuts the table to `rows` rows, which must lie in the last block (or be the end of the one before), and gives back what is not
 * needed. */
void nw__table_trim(nw_table *table, size_t rows);

/** Marks a code as a spike of the column: where a code stands for many values, nw_table_write_csv writes the roundest of them,
 *  the one with the most trailing zeros, for each of its cells, instead of drawing one. NW_E_NOMEM. */
nw_status nw__table_mark_spike(nw_table *table, size_t column, uint32_t code, nw_error *err, const char *function);
bool nw__table_is_spike(const nw_table *table, size_t column, uint32_t code);

/** How many rows of a unit the table holds at most: nw_table_rows_per_unit. */
void nw__table_set_rows_per_unit(nw_table *table, uint32_t rows);

/* ---- units ---- */

/** A share of a file: each row, or unit, is of one of `parts` parts. */
typedef struct nw__csv_share {
    size_t part;
    size_t parts;
} nw__csv_share;
#define NW__CSV_ALL ((nw__csv_share){ 0, 1 })

typedef struct nw__units nw__units;
/** Takes the first max_rows rows (at least 1) of each unit. NULL if memory lacks. */
nw__units *nw__units_new(uint32_t max_rows);
void nw__units_free(nw__units *units);
/** Whether the next row of this unit is taken. False if memory lacks. */
bool nw__units_admit(nw__units *units, const nw__csv_share *share, const char *text, size_t length, bool *is_admitted);
/** How many units there were, and the first 64 bits of the digest of each, increasing. */
size_t nw__units_count(const nw__units *units);
void nw__units_list(const nw__units *units, uint64_t *out);

/* ---- CSV ---- */

#define NW__CSV_CHUNK ((size_t)1 << 18)
/** nw_table_read_csv with buffer refills of `chunk` bytes, so that tests can put a boundary anywhere. */
nw_status nw__table_read_csv(nw_table **out, const nw_schema *schema, const char *path, size_t chunk, nw_error *err);
/** The same of nw_csv_reader_open. */
nw_status nw__csv_reader_open(
    nw_csv_reader **out, const nw_schema *schema, const char *path, const bool *is_wanted, size_t chunk, nw_error *err);

/** The same where the rows of units are bounded: see nw_table_read_csv_units. `unit` is borrowed as long as the reader lives. */
nw_status nw__csv_reader_open_units(nw_csv_reader **out, const nw_schema *schema, const char *path, const char *unit,
    uint32_t max_rows, const nw__csv_share *share, const char *function, nw_error *err);
/** The units that it has met so far. */
const nw__units *nw__csv_reader_units(const nw_csv_reader *reader);

#endif
