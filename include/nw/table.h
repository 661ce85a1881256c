/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TABLE_H
#define NW_TABLE_H

/* nw/table.h - a public schema, and tables of records read under it.
 *
 * The schema is public and comes from the user, never from the data:
 *   { "age":    {"type": "int", "lower": 17, "upper": 90},
 *     "pay":    {"type": "float", "lower": 0, "upper": 1e6, "step": 0.01, "scale": "log"},
 *     "sex":    {"type": "categorical", "values": ["F", "M"], "nullable": false},
 *     "job":    {"type": "categorical", "values": ["clerk", "cook", "else"], "other": "else"},
 *     "member": {"type": "bool"},
 *     "since":  {"type": "date", "lower": "2000-01-01", "upper": "2025-12-31"},
 *     "note":   {"type": "text"},                           not for tables: see nw_csv_reader
 *     "region": 12 }                                        short form: integer codes 0..11, not nullable
 * A column is nullable unless it says "nullable": false. Columns that the schema does not name are an error, and so are columns
 * of the schema that the file lacks.
 *
 * Each cell is encoded into a code 0..cells-1 of its column: a category, an integer value, a bin of a numeric column (of equal
 * width, or equal width in log with "scale": "log") - and, if nullable, one more code, the last, for a missing value. An empty
 * cell is a missing one, quoted or not. Cells outside of the domain are mapped, and never reported or counted: numbers to the
 * nearest bound (NaN and unparsable text as missing, or as the lower bound when the column is not nullable), unknown categories
 * as the one named by "other", else as missing, or as the first value when not nullable, a missing cell in a column that is not
 * nullable as its lower bound or first value.
 * A malformed *file* (ragged row, unclosed quote, NUL byte, oversized cell) is refused with line and column: that is said to the
 * operator, who holds the file. docs/rooms/table.md has every rule.
 */
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_column_type {
    NW_COLUMN_CODE = 1, /* short form */
    NW_COLUMN_INT = 2,
    NW_COLUMN_FLOAT = 3,
    NW_COLUMN_CATEGORICAL = 4,
    NW_COLUMN_BOOL = 5,
    NW_COLUMN_DATE = 6,
    NW_COLUMN_TEXT = 7 /* any text: no domain, so tables cannot hold it; read by nw_csv_reader_text */
} nw_column_type;

typedef struct nw_schema nw_schema; /* shared: immutable */
typedef struct nw_table nw_table;   /* shared: immutable after reading */

typedef struct nw_column {
    const char *name;
    nw_column_type type;
    uint32_t cells;   /* number of codes, the missing code included; 1 .. 65535 */
    bool is_nullable; /* then code cells-1 is "missing" */
    double lower;     /* numeric and date columns (days since 1970-01-01); else 0 and cells-1 */
    double upper;
    double step; /* distance of neighbouring values; 0 for a float without one */
    bool is_log;
} nw_column;

#define NW_SCHEMA_DEFAULT_BINS 100

/** Reads a schema file, or parses a schema. max_bins: the largest number of bins of a numeric or date column (a column with fewer
 *  values gets one code a value), at most 65535; 0 means NW_SCHEMA_DEFAULT_BINS.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL or max_bins; NW_E_IO; NW_E_FORMAT naming line and column of bad JSON, or the column and key that
 *            is wrong (lower > upper, duplicate column, duplicate value, unknown type or key, no values, too many cells);
 *            NW_E_NOMEM.
 *  Cost      O(size). Threads: any.
 *  Source    none.
 *  Example   docs/rooms/table.md#schema */
NW_API NW_WARN_UNUSED nw_status nw_schema_read(nw_schema **out, const char *path, uint32_t max_bins, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_schema_parse(nw_schema **out, const char *json, uint32_t max_bins, nw_error *err);
/** A schema in which every column that a CSV file's header names is text. Only the header is read: the names are taken to be
 *  public. Errors: as nw_schema_read and nw_table_read_csv; "-" cannot be read twice and is refused with NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_schema_of_header(nw_schema **out, const char *path, nw_error *err);
NW_API void nw_schema_free(nw_schema *schema);
NW_API size_t nw_schema_columns(const nw_schema *schema);
/** Column i, in the schema's order; the strings live as long as the schema. */
NW_API nw_column nw_schema_column(const nw_schema *schema, size_t i);
/** The least and the greatest value of a column that get a code: the same, unless the column is cut into bins. A date in days
 *  since 1970-01-01, a bool as 0 or 1. NaN for a missing value and for a category. column and code must be in range. */
NW_API void nw_schema_range(const nw_schema *schema, size_t column, uint32_t code, double *low, double *high);
/** The label of a category; NULL for the missing value and for columns of other types. Lives as long as the schema. */
NW_API const char *nw_schema_label(const nw_schema *schema, size_t column, uint32_t code);
/** The JSON that the schema was read from, without blanks, and max_bins as it was in force: nw_schema_parse makes the same schema
 *  of the two. Lives as long as the schema. */
NW_API const char *nw_schema_json(const nw_schema *schema);
NW_API uint32_t nw_schema_max_bins(const nw_schema *schema);
/** BLAKE2b-256 of the schema's canonical form, as 64 hex digits and a NUL. */
NW_API void nw_schema_hash(const nw_schema *schema, char out[65]);

/** Reads a CSV table (RFC 4180; LF or CRLF; UTF-8 BOM; a header naming the columns in any order). "-" is standard input; gzip is
 *  recognised by its first bytes. A header alone is a table of no rows. The table keeps its own reference to the schema. One
 *  pass; memory is the encoded table plus a fixed buffer.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL; NW_E_IO; NW_E_FORMAT with line and column (see above), or if gzip data are damaged; NW_E_NOMEM;
 *            NW_E_UNSUPPORTED naming a column of text.
 *  Cost      >= 200 MB/s a core; 1 or 2 bytes a cell. Threads: any.
 *  Source    RFC 4180, RFC 1952.
 *  Example   docs/rooms/table.md#csv */
NW_API NW_WARN_UNUSED nw_status nw_table_read_csv(nw_table **out, const nw_schema *schema, const char *path, nw_error *err);
/** Is given one row at a time: a value for each column of the schema. Returning false ends the reading. */
typedef bool (*nw_row_function)(void *context, const double *values);
/** Reads the same file row by row and keeps nothing of it: numbers as they stand in the file, moved to the nearest bound but not
 *  into a bin or onto the step, dates as days since 1970-01-01, a bool as 0 or 1, a category or code as its code; NaN for a
 *  missing cell. A cell without a value, in a column that is not nullable, is the lower bound or 0.
 *
 *  Shapes    values: double[columns of the schema], borrowed for the call.
 *  Units     none.
 *  Errors    as nw_table_read_csv; NW_E_CANCELLED if `row` returned false.
 *  Cost      as nw_table_read_csv; constant memory. Threads: any.
 *  Source    none.
 *  Example   docs/rooms/table.md#csv */
NW_API NW_WARN_UNUSED nw_status nw_table_scan_csv(
    const nw_schema *schema, const char *path, nw_row_function row, void *context, nw_error *err);

#define NW_MAX_ROWS_PER_UNIT 1048576u
/** The same where several rows may belong to one unit, such as a person: of each unit the first max_rows rows of the file are
 *  kept, the others left out. What counts of a unit depends on its own rows only, and nothing tells that rows were left out.
 *
 *  Shapes    unit: the name of a column of the file that the schema does not have; any text. Rows without one are all of one
 *            unit. max_rows: 1 .. 2^20.
 *  Units     none.
 *  Errors    as nw_table_read_csv; NW_E_ARG if unit is a column of the schema; NW_E_FORMAT if the file lacks it.
 *  Cost      also 150 ns a row, and 80 to 150 bytes a unit while reading. Threads: any.
 *  Source    docs/rooms/synth.md#units-of-several-rows.
 *  Example   docs/rooms/synth.md#units-of-several-rows */
NW_API NW_WARN_UNUSED nw_status nw_table_read_csv_units(
    nw_table **out, const nw_schema *schema, const char *path, const char *unit, uint32_t max_rows, nw_error *err);

/* ---- a table in blocks ---- */

/* For what needs each row once, such as figures of a file that memory does not hold, and for columns of text. */
typedef struct nw_csv_reader nw_csv_reader; /* confined */

/** Opens a CSV file and reads its header, as nw_table_read_csv does.
 *
 *  Shapes    *out: new handle, or NULL on error. is_wanted: bool[columns of the schema], or NULL: all; cells of the others are
 *            found and checked to be well formed, but not decoded: their codes are all 0.
 *  Units     none.
 *  Errors    as nw_table_read_csv. A schema may have columns of text.
 *  Cost      two blocks of 65536 rows at most, and their texts. Threads: any.
 *  Source    RFC 4180, RFC 1952.
 *  Example   docs/rooms/table.md#csv */
NW_API NW_WARN_UNUSED nw_status nw_csv_reader_open(
    nw_csv_reader **out, const nw_schema *schema, const char *path, const bool *is_wanted, nw_error *err);
/** Before the first nw_csv_reader_next: asks for the numbers of a column, as nw_table_scan_csv gives them. That is apart from
 *  is_wanted, which is about codes. Errors: NW_E_ARG on NULL, or if the column is out of range or text; NW_E_STATE after it;
 *  NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_csv_reader_want_numbers(nw_csv_reader *reader, size_t column, nw_error *err);
/** Before the first nw_csv_reader_next: keeps one of `parts` shares of the rows, those whose number, from 0, is `part` modulo
 *  parts. All shares together are all rows. The others are found, and a malformed one is told of, but not decoded. Errors:
 *  NW_E_ARG on NULL, or if part is not below parts; NW_E_STATE after it. */
NW_API NW_WARN_UNUSED nw_status nw_csv_reader_share(nw_csv_reader *reader, size_t part, size_t parts, nw_error *err);
/** Reads up to 65536 rows in the place of those before; *rows is 0 at the end. Errors: NW_E_ARG on NULL; as nw_table_read_csv,
 *  after which there are no more rows. */
NW_API NW_WARN_UNUSED nw_status nw_csv_reader_next(nw_csv_reader *reader, size_t *rows, nw_error *err);
/** Those rows as a table, for nw_table_get; borrowed, changed by nw_csv_reader_next. A text has code 0, a missing one 1. */
NW_API const nw_table *nw_csv_reader_block(const nw_csv_reader *reader);
/** The numbers of a column in those rows, or NULL if they were not asked for; borrowed, changed by nw_csv_reader_next. */
NW_API const double *nw_csv_reader_numbers(const nw_csv_reader *reader, size_t column);
/** The text in one of those rows, as it stands in the file without quotes; not followed by a NUL, and borrowed until
 *  nw_csv_reader_next. Of size 0 if it is missing, or the column is not text or not wanted. */
NW_API const char *nw_csv_reader_text(const nw_csv_reader *reader, size_t column, size_t row, size_t *size);
/** How much of the file was read, in bytes, 0 .. 1, for those who wait; -1 for a stream. */
NW_API double nw_csv_reader_fraction(const nw_csv_reader *reader);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_csv_reader_close(nw_csv_reader *reader);

/* ---- tables in memory ---- */

/** Makes a table of rows whose codes are all 0, to be filled with nw_table_set. NW_E_UNSUPPORTED: a column is text. */
NW_API NW_WARN_UNUSED nw_status nw_table_new(nw_table **out, const nw_schema *schema, size_t rows, nw_error *err);
NW_API void nw_table_free(nw_table *table);
NW_API size_t nw_table_rows(const nw_table *table);
/** The bound that the table was read with, max_rows; 0 for tables that were not read by units. */
NW_API uint32_t nw_table_rows_per_unit(const nw_table *table);
NW_API const nw_schema *nw_table_schema(const nw_table *table);
/** Codes of rows first..first+n-1 of one column. Out of range: NW_E_ARG. */
NW_API NW_WARN_UNUSED nw_status nw_table_get(
    const nw_table *table, size_t column, size_t first, size_t n, uint16_t *codes, nw_error *err);
/** Writes such codes; one that is not less than the column's cells: NW_E_ARG, and nothing is written. */
NW_API NW_WARN_UNUSED nw_status nw_table_set(
    nw_table *table, size_t column, size_t first, size_t n, const uint16_t *codes, nw_error *err);

/** Writes a table as CSV, columns in the schema's order, codes decoded: a category's label, true or false, an integer, a float
 *  with its step's decimals, an ISO date, an empty cell for missing ("" if the table has one column). Inside a bin the value is
 *  drawn uniformly from the bin's values (log-uniformly with "scale": "log") from `rng`. Read back, the codes are the same.
 *  `path` "-" is standard output; a name ending in .gz is compressed. Written to a temporary file in the same folder, synced and
 *  renamed: on error nothing is left and an existing file is untouched. Devices and pipes are written directly.
 *
 *  Shapes    none.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL; NW_E_IO; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      about 50 ns a cell. Threads: rng confined.
 *  Source    RFC 4180.
 *  Example   docs/rooms/table.md#csv */
NW_API NW_WARN_UNUSED nw_status nw_table_write_csv(const nw_table *table, const char *path, nw_rng *rng, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
