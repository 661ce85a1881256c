/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c - every allocation of the library fails once, in turn: NW_E_NOMEM each time, and (under a leak checker) nothing
 * lost.
 * Linked with --wrap, so that calls of lib/base/memory.c come here. */
#include "table_support.h"

static long allocations_left = -1; /* before one fails; negative: none does */

void *__wrap_nw__calloc(size_t n, size_t size);
void *__real_nw__calloc(size_t n, size_t size);
void *__wrap_nw__realloc_array(void *block, size_t n, size_t size);
void *__real_nw__realloc_array(void *block, size_t n, size_t size);
char *__wrap_nw__strdup(const char *text);
char *__real_nw__strdup(const char *text);

static bool is_failing(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_nw__calloc(size_t n, size_t size)
{
    return is_failing() ? NULL : __real_nw__calloc(n, size);
}

void *__wrap_nw__realloc_array(void *block, size_t n, size_t size)
{
    return is_failing() ? NULL : __real_nw__realloc_array(block, n, size);
}

char *__wrap_nw__strdup(const char *text)
{
    return is_failing() ? NULL : __real_nw__strdup(text);
}

static const char json[] = "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 1000}, \"b\": {\"type\": \"bool\"},"
                           " \"c\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\"]},"
                           " \"d\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1}}";
static const char csv[] = "a,b,c,d\n1,1,x,0\n2,0,y,1\n";

typedef struct job {
    nw_schema *schema;
    nw_schema *texts; /* the same columns, one of them text */
    nw_table *table;
    nw_rng *rng;
    char in[64];
    char out[64];
} job;

static nw_status parse_job(job *j, nw_error *err)
{
    nw_schema *schema;
    const nw_status status = nw_schema_parse(&schema, json, 0, err);
    assert_true((status == NW_OK) == (schema != NULL));
    nw_schema_free(schema);
    (void)j;
    return status;
}

static nw_status new_job(job *j, nw_error *err)
{
    nw_table *table;
    const nw_status status = nw_table_new(&table, j->schema, 5 * NW__TABLE_BLOCK_ROWS + 1, err);
    assert_true((status == NW_OK) == (table != NULL));
    nw_table_free(table);
    return status;
}

static nw_status read_job(job *j, nw_error *err)
{
    nw_table *table;
    const nw_status status = nw_table_read_csv(&table, j->schema, j->in, err);
    assert_true((status == NW_OK) == (table != NULL));
    if (status == NW_OK)
        assert_int_equal(nw_table_rows(table), 2);
    nw_table_free(table);
    return status;
}

static nw_status reader_job(job *j, nw_error *err)
{
    nw_csv_reader *reader;
    nw_schema *schema = j->texts;
    size_t rows = 0;
    nw_status status = nw_csv_reader_open(&reader, schema, j->in, NULL, err);
    assert_true((status == NW_OK) == (reader != NULL));
    if (status == NW_OK)
        status = nw_csv_reader_next(reader, &rows, err);
    assert_int_equal(rows, status == NW_OK ? 2 : 0);
    nw_csv_reader_close(reader);
    return status;
}

static nw_status write_job(job *j, nw_error *err)
{
    const nw_status status = nw_table_write_csv(j->table, j->out, j->rng, err);
    assert_int_equal(access(j->out, F_OK), status == NW_OK ? 0 : -1);
    unlink(j->out);
    return status;
}

/* Fails allocation 0, 1, 2, .. until the job gets through; at least `least` of them, or the jobs no longer are what they were. */
static void starve(job *j, nw_status (*run)(job *, nw_error *), int least)
{
    nw_error err;
    nw_status status = NW_E_NOMEM;
    int failures = 0;
    for (; status != NW_OK && failures < 1000; failures++) {
        allocations_left = failures;
        status = run(j, &err);
        /* Cutting the last block to size is the one allocation that is not needed. */
        const bool was_needed = allocations_left >= 0 || status != NW_OK;
        allocations_left = -1;
        if (status != NW_OK) {
            assert_int_equal(status, NW_E_NOMEM);
            assert_string_equal(err.message, "out of memory");
        }
        if (!was_needed)
            status = NW_E_NOMEM; /* go on to the ones after it */
    }
    assert_true(failures > least && failures < 1000);
}

static void table__reports_every_lack_of_memory(void **state)
{
    (void)state;
    job j = { .schema = schema_of(json, 0) };
    const int fd = file_of(csv, strlen(csv), j.in);
    j.texts = schema_of("{\"a\": {\"type\": \"text\"}, \"b\": 9, \"c\": {\"type\": \"text\"}, \"d\": 9}", 0);
    j.table = table_of(j.schema, csv);
    assert_int_equal(nw_rng_new_insecure_seeded(&j.rng, 1, NULL), NW_OK);
    snprintf(j.out, sizeof j.out, "/tmp/nw-memory-%ld.csv", (long)getpid());
    starve(&j, parse_job, 8);
    starve(&j, new_job, 20);
    starve(&j, read_job, 10);
    starve(&j, reader_job, 10);
    starve(&j, write_job, 10);
    nw_rng_free(j.rng);
    nw_table_free(j.table);
    nw_schema_free(j.schema);
    nw_schema_free(j.texts);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__reports_every_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
