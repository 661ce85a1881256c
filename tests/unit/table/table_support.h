/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_TABLE_SUPPORT_H
#define NW_TEST_TABLE_SUPPORT_H

/* table_support.h - schemas and files in a few words. cmocka is included by this header, after what it needs. */
#include "table_internal.h"

#include <nw/testing.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static inline nw_schema *schema_of(const char *json, uint32_t max_bins)
{
    nw_schema *schema = NULL;
    nw_error err;
    if (nw_schema_parse(&schema, json, max_bins, &err) != NW_OK)
        fail_msg("%s", err.message);
    return schema;
}

/* A file in memory with these bytes; `path` names it while the returned descriptor is open. */
static inline int file_of(const void *bytes, size_t n, char path[64])
{
    const int fd = memfd_create("table", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < n;) {
        const ssize_t r = write(fd, (const char *)bytes + done, n - done);
        assert_true(r > 0);
        done += (size_t)r;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static inline nw_status read_bytes(
    nw_table **out, const nw_schema *schema, const void *bytes, size_t n, size_t chunk, nw_error *err)
{
    char path[64];
    const int fd = file_of(bytes, n, path);
    *out = NULL;
    const nw_status status = nw__table_read_csv(out, schema, path, chunk, err);
    close(fd);
    return status;
}

static inline nw_table *table_of(const nw_schema *schema, const char *csv)
{
    nw_table *table;
    nw_error err;
    if (read_bytes(&table, schema, csv, strlen(csv), NW__CSV_CHUNK, &err) != NW_OK)
        fail_msg("%s", err.message);
    return table;
}

static inline unsigned code_at(const nw_table *table, size_t column, size_t row)
{
    uint16_t code;
    nw_error err;
    assert_int_equal(nw_table_get(table, column, row, 1, &code, &err), NW_OK);
    return code;
}

/* Reads `csv` under a schema of one column "x" and checks the codes of its rows. */
static inline void assert_codes(const char *column, uint32_t max_bins, const char *csv, size_t n, const unsigned *codes)
{
    char json[1024];
    snprintf(json, sizeof json, "{\"x\": %s}", column);
    nw_schema *schema = schema_of(json, max_bins);
    nw_table *table = table_of(schema, csv);
    assert_int_equal(nw_table_rows(table), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(code_at(table, 0, i), codes[i]);
    nw_table_free(table);
    nw_schema_free(schema);
}

#define ASSERT_CODES(column, max_bins, csv, ...)                                                                                 \
    assert_codes(column, max_bins, csv, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned), (unsigned[]){__VA_ARGS__})

#endif
