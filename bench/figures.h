/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

/* figures.h - the one form of every benchmark: figures, each beside yardsticks measured in the same run.
 *
 *   bench-NAME [--json] [--quick] [OPERAND...]
 *
 * prints a line a figure, or with --json one array of {"name", "value", "unit", "ratio_<yardstick>"...}. --quick takes sizes that
 * show that the program works and are too small to say how fast it is. Exit codes are those of the apps (docs/style.md). */
#include <nw/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
    BENCH_MAX_RATIOS = 3,
    BENCH_USAGE = 64,
    BENCH_DATA = 65,
    BENCH_NO_INPUT = 66,
    BENCH_INTERNAL = 70,
    BENCH_CANNOT_CREATE = 73,
    BENCH_IO = 74
};

/** The value over the yardstick's, both in the figure's unit: above 1 is faster for a rate and slower for a time. */
typedef struct bench_ratio {
    const char *yardstick; /* NULL ends the list */
    double ratio;          /* NAN: that yardstick cannot be measured here; null in JSON */
} bench_ratio;

typedef struct bench_figure {
    const char *name; /* what/which=value/..., once a run */
    double value;
    const char *unit; /* SI: "s", "B", "samples/s"; "correlation" and the like for numbers without one */
    bench_ratio ratios[BENCH_MAX_RATIOS + 1];
} bench_figure;

typedef struct bench_options {
    bool is_quick;
    int count; /* of the operands */
    char **operands;
} bench_options;

/** Reads the command line, which may hold up to as many operands as `operands` names ("[TABLE [SCHEMA]]"; NULL: none). --help
 *  prints `about` and exits with 0; a bad option, or an operand too many, exits with 64. */
bench_options bench_begin(int argc, char **argv, const char *operands, const char *about);

/** The table and the schema that the first two operands name, or the example's of this build. One without the other exits with
 *  64. */
void bench_table_names(const bench_options *options, const char **table, const char **schema);

/** Prints a figure; at once, so that a run that is interrupted still has shown it. */
void bench_print(const bench_figure *figure);

/** The same with more about the figure at the end of its line, in the text form alone; NULL: nothing. */
void bench_print_noted(const bench_figure *figure, const char *note);

/** Ends the list. main's result: 0, or 74 if not all of it could be written. */
int bench_end(void);

/** Prints "program: subject: message" and exits with `code`. */
_Noreturn void bench_fail(int code, const char *subject, const char *message);

/** bench_fail with the library's message, unless all is well. */
void bench_check(nw_status status, const nw_error *err);

/** The memory, or bench_fail if there is none. */
void *bench_need(void *memory);

/** CLOCK_THREAD_CPUTIME_ID for the work of one thread, CLOCK_MONOTONIC for what waits or has several threads. */
double bench_seconds(clockid_t clock);

/** Sorts x; the upper one of two middle values. */
double bench_median(double *x, size_t n);

/** The median time of `repeats` runs of work(context). */
double bench_median_seconds(clockid_t clock, void (*work)(void *context), void *context, size_t repeats);

/** A number that a Python program with numpy prints, such as the time of numpy's own way; NAN where there is no numpy. */
double bench_numpy(const char *source);

/** The most memory the process had so far, in bytes; NAN where the kernel does not say. */
double bench_peak_bytes(void);

#endif
