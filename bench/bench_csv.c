/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_csv CENSUS.csv CENSUS.json [MEGABYTES] - speed of reading and writing tables, one figure a line.
 * The table is the example one, repeated up to MEGABYTES (default 200) in a temporary file. Times are CPU seconds of this
 * thread, the best of three. The yardstick, measured in the same run on the same file, is what `wc -l` does: read it and count
 * line feeds. */
#include <nw/table.h>
#include <nw/testing.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define REPETITIONS 3

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench_csv: %s\n", what);
    return 1;
}

/* Writes the header of `name` once and its rows as often as fits into `bytes`; the size, or 0. */
static size_t repeat_table(int fd, const char *name, size_t bytes)
{
    FILE *file = fopen(name, "rb");
    static char text[1 << 22];
    const size_t n = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file != NULL)
        fclose(file);
    const char *rows = n == 0 ? NULL : memchr(text, '\n', n);
    if (rows == NULL)
        return 0;
    const size_t header = (size_t)(rows + 1 - text);
    size_t size = header;
    bool is_written = write(fd, text, header) == (ssize_t)header;
    for (; is_written && size < bytes; size += n - header)
        is_written = write(fd, text + header, n - header) == (ssize_t)(n - header);
    return is_written ? size : 0;
}

static double count_lines(const char *path, size_t *lines)
{
    static char buffer[1 << 18];
    const double start = cpu_seconds();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    *lines = 0;
    for (ssize_t n; fd >= 0 && (n = read(fd, buffer, sizeof buffer)) > 0;)
        for (const char *p = buffer; (p = memchr(p, '\n', (size_t)(buffer + n - p))) != NULL; p++)
            ++*lines;
    if (fd >= 0)
        close(fd);
    return cpu_seconds() - start;
}

static double best(double a, double b)
{
    return a < b ? a : b;
}

static int measure(const char *path, const char *out, size_t size, const nw_schema *schema)
{
    nw_error err;
    nw_table *table = NULL;
    size_t lines = 0;
    double read_time = 1e9;
    double count_time = 1e9;
    const long before = peak_kib();
    for (int i = 0; i < REPETITIONS; i++) {
        nw_table_free(table);
        count_time = best(count_time, count_lines(path, &lines));
        const double start = cpu_seconds();
        if (nw_table_read_csv(&table, schema, path, &err) != NW_OK)
            return fail(err.message);
        read_time = best(read_time, cpu_seconds() - start);
    }
    const long peak = peak_kib();
    const double cells = (double)nw_table_rows(table) * (double)nw_schema_columns(schema);
    nw_rng *rng = NULL;
    if (nw_rng_new_insecure_seeded(&rng, 1, &err) != NW_OK)
        return fail(err.message);
    const double start = cpu_seconds();
    const nw_status status = nw_table_write_csv(table, out, rng, &err);
    const double write_time = cpu_seconds() - start;
    nw_rng_free(rng);
    const bool is_counted = lines == nw_table_rows(table) + 1;
    nw_table_free(table);
    if (status != NW_OK || !is_counted)
        return fail(status != NW_OK ? err.message : "rows and lines disagree");
    FILE *written = fopen(out, "rb");
    const bool is_there = written != NULL && fseek(written, 0, SEEK_END) == 0;
    const double out_size = is_there ? (double)ftell(written) : 0;
    if (written != NULL)
        fclose(written);

    printf("file %.1f MB, %.3g cells, %.2f bytes a cell\n", (double)size / 1e6, cells, (double)size / cells);
    printf("read %.0f MB/s a core, %.1f ns a cell\n", (double)size / 1e6 / read_time, 1e9 * read_time / cells);
    printf("count line feeds %.0f MB/s a core; reading takes %.1f times as long\n", (double)size / 1e6 / count_time,
        read_time / count_time);
    printf("memory %.2f bytes a cell at the peak, %ld MiB above the %ld MiB before\n", 1024.0 * (double)(peak - before) / cells,
        (peak - before) / 1024, before / 1024);
    printf("write %.0f MB/s a core, %.1f ns a cell\n", out_size / 1e6 / write_time, 1e9 * write_time / cells);
    return 0;
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/bench_csv-XXXXXX";
    char out[] = "/tmp/bench_csv-XXXXXX";
    nw_schema *schema = NULL;
    nw_error err;
    if (argc < 3)
        return fail("usage: bench_csv CENSUS.csv CENSUS.json [MEGABYTES]");
    if (nw_schema_read(&schema, argv[2], 0, &err) != NW_OK)
        return fail(err.message);
    const size_t megabytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 200;
    const int fd = mkstemp(path);
    const int out_fd = mkstemp(out);
    const size_t size = fd < 0 || out_fd < 0 ? 0 : repeat_table(fd, argv[1], megabytes * 1000000);
    const int result = size == 0 ? fail("the table cannot be made") : measure(path, out, size, schema);
    close(fd);
    close(out_fd);
    unlink(path);
    unlink(out);
    nw_schema_free(schema);
    return result;
}
