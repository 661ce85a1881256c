/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* figures.c - see figures.h. Names and units are constants of the benchmarks, so JSON needs no escapes. */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPEATS = 64 };

static const char *program = "bench";
static bool is_json;
static bool is_first = true;

void bench_fail(int code, const char *subject, const char *message)
{
    fprintf(stderr, "%s: %s: %s\n", program, subject, message);
    exit(code);
}

void bench_check(nw_status status, const nw_error *err)
{
    if (status == NW_OK)
        return;
    const int code = status == NW_E_IO ? BENCH_NO_INPUT : status == NW_E_FORMAT ? BENCH_DATA : BENCH_INTERNAL;
    bench_fail(code, err->function, err->message);
}

void *bench_need(void *memory)
{
    if (memory == NULL)
        bench_fail(BENCH_INTERNAL, "memory", "not enough of it");
    return memory;
}

static int count_names(const char *operands)
{
    int count = operands != NULL;
    for (const char *c = operands; c != NULL && *c != '\0'; c++)
        count += *c == ' ';
    return count;
}

static void print_help(const char *operands, const char *about)
{
    printf("usage: %s [--json] [--quick]%s%s\n\n%s\n\n", program, operands == NULL ? "" : " ", operands == NULL ? "" : operands,
        about);
    printf("  --json   one array of {\"name\", \"value\", \"unit\", \"ratio_<yardstick>\"...}\n"
           "  --quick  small sizes: shows that it works, not how fast\n"
           "  --help   this\n");
    exit(bench_end());
}

bench_options bench_begin(int argc, char **argv, const char *operands, const char *about)
{
    bench_options options = { .operands = argv + 1 };
    const char *slash = strrchr(argv[0], '/');
    bool is_help = false;
    program = slash == NULL ? argv[0] : slash + 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            is_json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            options.is_quick = true;
        else if (strcmp(argv[i], "--help") == 0)
            is_help = true;
        else if (argv[i][0] == '-')
            bench_fail(BENCH_USAGE, argv[i], "no such option, must be --json, --quick or --help");
        else if (options.count == count_names(operands))
            bench_fail(BENCH_USAGE, argv[i], "one operand too many (--help names them)");
        else
            options.operands[options.count++] = argv[i];
    }
    if (is_help) {
        is_json = false;
        print_help(operands, about);
    }
    return options;
}

void bench_table_names(const bench_options *options, const char **table, const char **schema)
{
    if (options->count == 1)
        bench_fail(BENCH_USAGE, options->operands[0], "a table needs its schema as the next operand");
    *table = options->count == 0 ? NW_BENCH_TABLE : options->operands[0];
    *schema = options->count == 0 ? NW_BENCH_SCHEMA : options->operands[1];
}

/* Three or four digits and an SI prefix, for units that take one. */
static void print_value(double value, const char *unit)
{
    static const struct prefix {
        double size;
        const char *letter;
    } prefixes[] = { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" }, { 1.0, "" }, { 1e-3, "m" }, { 1e-6, "u" }, { 1e-9, "n" } };
    const char *slash = strstr(unit, "/s");
    const bool is_scaled = strcmp(unit, "s") == 0 || strcmp(unit, "B") == 0 || (slash != NULL && slash[2] == '\0');
    size_t i = 0;
    while (i + 1 < sizeof prefixes / sizeof *prefixes && value < prefixes[i].size)
        i++;
    if (is_scaled && value > 0.0)
        printf("%8.4g %s%s", value / prefixes[i].size, prefixes[i].letter, unit);
    else
        printf("%8.4g %s", value, unit);
}

static void print_ratio(const bench_ratio *r)
{
    if (is_json && isfinite(r->ratio))
        printf(", \"ratio_%s\": %.4g", r->yardstick, r->ratio);
    else if (is_json)
        printf(", \"ratio_%s\": null", r->yardstick);
    else if (isfinite(r->ratio))
        printf("  %.3g x %s", r->ratio, r->yardstick);
}

void bench_print_noted(const bench_figure *figure, const char *note)
{
    if (!isfinite(figure->value))
        bench_fail(BENCH_INTERNAL, figure->name, "was not measured");
    if (is_json) {
        printf("%s\n  {\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"", is_first ? "[" : ",", figure->name, figure->value,
            figure->unit);
    } else {
        printf("%-58s ", figure->name);
        print_value(figure->value, figure->unit);
    }
    for (const bench_ratio *r = figure->ratios; r->yardstick != NULL; r++)
        print_ratio(r);
    if (!is_json && note != NULL)
        printf("  %s", note);
    printf(is_json ? "}" : "\n");
    is_first = false;
    fflush(stdout);
}

void bench_print(const bench_figure *figure)
{
    bench_print_noted(figure, NULL);
}

int bench_end(void)
{
    if (is_json)
        printf(is_first ? "[]\n" : "\n]\n");
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "%s: standard output: not everything could be written\n", program);
    return BENCH_IO;
}

double bench_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_size);
    return x[n / 2];
}

double bench_median_seconds(clockid_t clock, void (*work)(void *context), void *context, size_t repeats)
{
    double seconds[MAX_REPEATS];
    if (repeats == 0 || repeats > MAX_REPEATS)
        bench_fail(BENCH_INTERNAL, "bench_median_seconds", "repeats must be in [1, 64]");
    for (size_t i = 0; i < repeats; i++) {
        const double start = bench_seconds(clock);
        work(context);
        seconds[i] = bench_seconds(clock) - start;
    }
    return bench_median(seconds, repeats);
}

double bench_numpy(const char *source)
{
    char command[1024];
    double number = NAN;
    if ((size_t)snprintf(command, sizeof command, "python3 -c '%s' 2>/dev/null", source) >= sizeof command)
        bench_fail(BENCH_INTERNAL, "bench_numpy", "the program is too long");
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return NAN;
    if (fscanf(pipe, "%lf", &number) != 1)
        number = NAN;
    return pclose(pipe) == 0 ? number : NAN;
}

/* getrusage would count what the program that started this one had: the kernel keeps that number across execve. */
double bench_peak_bytes(void)
{
    char line[128];
    double kibibytes = NAN;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && isnan(kibibytes) && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %lf kB", &kibibytes) != 1)
            kibibytes = NAN;
    if (status != NULL)
        fclose(status);
    return 1024.0 * kibibytes;
}
