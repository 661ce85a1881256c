/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_csv.c - speed of reading and writing tables. The example table, or another one, is repeated up to 200 MB in a temporary
 * file. Times are CPU seconds of this thread, the best of three. The yardstick, measured in the same run on the same file, is
 * what `wc -l` does: read it and count line feeds. */
#include "figures.h"

#include <nw/table.h>
#include <nw/testing.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPETITIONS = 3, MEGABYTES = 200, QUICK_MEGABYTES = 5 };

static double cpu_seconds(void)
{
    return bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* Writes the header of `name` once and its rows as often as it takes to pass `bytes`. */
static bool repeat_table(int fd, const char *name, size_t bytes)
{
    FILE *file = fopen(name, "rb");
    static char text[1 << 22];
    const size_t n = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file != NULL)
        fclose(file);
    const char *rows = n == 0 ? NULL : memchr(text, '\n', n);
    if (rows == NULL)
        return false;
    const size_t header = (size_t)(rows + 1 - text);
    size_t size = header;
    bool is_written = write(fd, text, header) == (ssize_t)header;
    for (; is_written && size < bytes; size += n - header)
        is_written = write(fd, text + header, n - header) == (ssize_t)(n - header);
    return is_written;
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

/* Reads the file into *table: the best time of reading, and of counting its lines in turn. */
static double time_reading(nw_table **table, const nw_schema *schema, const char *path, double *count_time)
{
    nw_error err;
    size_t lines = 0;
    double read_time = 1e9;
    *count_time = 1e9;
    for (int i = 0; i < REPETITIONS; i++) {
        nw_table_free(*table);
        *table = NULL;
        *count_time = best(*count_time, count_lines(path, &lines));
        const double start = cpu_seconds();
        bench_check(nw_table_read_csv(table, schema, path, &err), &err);
        read_time = best(read_time, cpu_seconds() - start);
    }
    if (lines != nw_table_rows(*table) + 1)
        bench_fail(BENCH_INTERNAL, path, "rows and lines disagree");
    return read_time;
}

static double time_writing(const nw_table *table, const char *path)
{
    nw_error err;
    nw_rng *rng = NULL;
    bench_check(nw_rng_new_insecure_seeded(&rng, 1, &err), &err);
    const double start = cpu_seconds();
    bench_check(nw_table_write_csv(table, path, rng, &err), &err);
    const double seconds = cpu_seconds() - start;
    nw_rng_free(rng);
    return seconds;
}

static double file_size(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        bench_fail(BENCH_IO, path, "cannot be looked at");
    return (double)status.st_size;
}

static void print_rate(const char *name, double bytes, double seconds, double yardstick, double cells)
{
    char note[64];
    snprintf(note, sizeof note, "%.1f ns a cell", 1e9 * seconds / cells);
    bench_print_noted(&(bench_figure){ name, bytes / seconds, "B/s", { { "line_feeds", bytes / seconds / yardstick } } },
        cells > 0 ? note : NULL);
}

static void measure(const char *path, const char *out, const nw_schema *schema)
{
    nw_table *table = NULL;
    double count_time = 0.0;
    const double size = file_size(path);
    const double before = bench_peak_bytes();
    const double read_time = time_reading(&table, schema, path, &count_time);
    const double memory = bench_peak_bytes() - before;
    const double cells = (double)nw_table_rows(table) * (double)nw_schema_columns(schema);
    const double write_time = time_writing(table, out);
    nw_table_free(table);
    print_rate("count_line_feeds", size, count_time, size / count_time, 0.0);
    print_rate("read_csv", size, read_time, size / count_time, cells);
    print_rate("write_csv", file_size(out), write_time, size / count_time, cells);
    bench_print(&(bench_figure){ "read_csv/memory", memory / cells, "B/cell", { { "file", memory / size } } });
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(
        argc, argv, "[TABLE.csv SCHEMA.json]", "Speed of reading and writing a table as CSV, by default the example one.");
    const size_t bytes = (size_t)(options.is_quick ? QUICK_MEGABYTES : MEGABYTES) * 1000000;
    const char *table_name = NULL;
    const char *schema_name = NULL;
    char path[] = "/tmp/bench-csv-XXXXXX";
    char out[] = "/tmp/bench-csv-XXXXXX";
    nw_schema *schema = NULL;
    nw_error err;
    bench_table_names(&options, &table_name, &schema_name);
    bench_check(nw_schema_read(&schema, schema_name, 0, &err), &err);
    const int fd = mkstemp(path);
    const int out_fd = mkstemp(out);
    const bool is_made = fd >= 0 && out_fd >= 0 && repeat_table(fd, table_name, bytes);
    if (is_made)
        measure(path, out, schema);
    close(fd);
    close(out_fd);
    unlink(path);
    unlink(out);
    nw_schema_free(schema);
    if (!is_made)
        bench_fail(BENCH_IO, table_name, "cannot be read, or its copy not be written to /tmp");
    return bench_end();
}
