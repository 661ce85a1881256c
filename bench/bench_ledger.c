/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_ledger.c - durable charges a second, beside plain appends of the same size with fsync in the same folder and run, and
 * charges in memory. */
#include "figures.h"

#include <fcntl.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHARGES = 500, ROW_BYTES = 300 };

static int charges = CHARGES;

static double charge_rate(nw_ledger *ledger)
{
    nw_error err;
    nw_event *event = NULL;
    bench_check(nw_event_gdp(&event, 1e-4, NW_ADD_REMOVE, &err), &err);
    const double start = bench_seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < charges; i++)
        bench_check(nw_ledger_charge(ledger, event, "bench", NULL, NULL, &err), &err);
    nw_event_free(event);
    return charges / (bench_seconds(CLOCK_MONOTONIC) - start);
}

static double append_rate(const char *path)
{
    char row[ROW_BYTES];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    memset(row, 'x', sizeof row);
    const double start = bench_seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < charges; i++)
        if (fd < 0 || write(fd, row, sizeof row) != (ssize_t)sizeof row || fsync(fd) != 0)
            bench_fail(BENCH_IO, path, "cannot be appended to");
    close(fd);
    return charges / (bench_seconds(CLOCK_MONOTONIC) - start);
}

static void print_rate(const char *name, double rate, double appends)
{
    bench_print(&(bench_figure){ name, rate, "charges/s", { { "fsync", rate / appends } } });
}

static double measure_appends(const char *path)
{
    const double rate = append_rate(path);
    remove(path);
    bench_print(&(bench_figure){ "append_fsync/bytes=300", rate, "appends/s", { { "fsync", 1.0 } } });
    return rate;
}

static void measure_file(const char *path, const nw_ledger_opts *opts, double appends)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    bench_check(nw_ledger_create(&ledger, path, opts, &err), &err);
    const double rate = charge_rate(ledger);
    nw_ledger_close(ledger);
    remove(path);
    print_rate("charge/file", rate, appends);
}

static void measure_in_memory(const nw_ledger_opts *opts, double appends)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    bench_check(nw_ledger_memory(&ledger, opts, &err), &err);
    print_rate("charge/memory", charge_rate(ledger), appends);
    nw_ledger_close(ledger);
}

int main(int argc, char **argv)
{
    const bench_options options =
        bench_begin(argc, argv, NULL, "Charges a second, beside appends with fsync in the folder it is started in.");
    char folder[] = "bench-ledger-XXXXXX";
    char path[64];
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    charges = options.is_quick ? 10 : CHARGES;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    if (mkdtemp(folder) == NULL)
        bench_fail(BENCH_CANNOT_CREATE, folder, "cannot be made in this folder");
    snprintf(path, sizeof path, "%s/appends", folder);
    const double appends = measure_appends(path);
    snprintf(path, sizeof path, "%s/ledger", folder);
    measure_file(path, &o, appends);
    measure_in_memory(&o, appends);
    if (rmdir(folder) != 0)
        bench_fail(BENCH_IO, folder, "cannot be removed");
    return bench_end();
}
