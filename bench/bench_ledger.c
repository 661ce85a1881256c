/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_ledger.c - durable charges a second, beside plain appends of the same size with fsync in the same folder and run, and
 * charges in memory. */
#include <fcntl.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHARGES = 500, ROW_BYTES = 300 };

static double wall_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double charge_rate(nw_ledger *ledger)
{
    nw_event *event = NULL;
    if (nw_event_gdp(&event, 1e-4, NW_ADD_REMOVE, NULL) != NW_OK)
        exit(1);
    const double start = wall_seconds();
    for (int i = 0; i < CHARGES; i++)
        if (nw_ledger_charge(ledger, event, "bench", NULL, NULL, NULL) != NW_OK)
            exit(1);
    nw_event_free(event);
    return CHARGES / (wall_seconds() - start);
}

static double append_rate(const char *path)
{
    char row[ROW_BYTES];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    memset(row, 'x', sizeof row);
    const double start = wall_seconds();
    for (int i = 0; i < CHARGES; i++)
        if (fd < 0 || write(fd, row, sizeof row) != (ssize_t)sizeof row || fsync(fd) != 0)
            exit(1);
    close(fd);
    return CHARGES / (wall_seconds() - start);
}

int main(void)
{
    char folder[] = "bench-ledger-XXXXXX";
    char path[64];
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_error err;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/appends", folder);
    const double appends = append_rate(path);
    remove(path);
    printf("append + fsync, %d bytes   %8.0f /s\n", ROW_BYTES, appends);
    snprintf(path, sizeof path, "%s/ledger", folder);
    if (nw_ledger_create(&ledger, path, &o, &err) != NW_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const double durable = charge_rate(ledger);
    nw_ledger_close(ledger);
    remove(path);
    printf("charges, in a file          %8.0f /s  %.2f of the appends\n", durable, durable / appends);
    if (nw_ledger_memory(&ledger, &o, &err) != NW_OK)
        return 1;
    printf("charges, in memory          %8.0f /s\n", charge_rate(ledger));
    nw_ledger_close(ledger);
    return rmdir(folder) == 0 ? 0 : 1;
}
