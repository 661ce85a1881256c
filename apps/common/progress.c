/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* progress.c - one line, redrawn in place. */
#include "progress.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define REDRAW_SECONDS 0.1
#define ERASE_LINE "\r\033[K"

double app_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void app_progress_start(app_progress *progress, bool is_quiet)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    const bool is_smart = terminal != NULL && strcmp(terminal, "dumb") != 0;
    *progress = (app_progress){ .is_shown = !is_quiet && is_smart && isatty(STDERR_FILENO) };
    progress->has_colour = no_colour == NULL || *no_colour == '\0'; /* no-color.org: any value but the empty one */
}

static void draw(const app_progress *progress, double fraction, double seconds_left)
{
    char bar[BAR_WIDTH + 1];
    const int full = (int)(fraction * BAR_WIDTH);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, ERASE_LINE "%s %s%s%s %3.0f %%", progress->phase, progress->has_colour ? "\033[36m" : "", bar,
        progress->has_colour ? "\033[0m" : "", floor(100.0 * fraction));
    if (isfinite(seconds_left))
        fprintf(stderr, "  %.0f s left", ceil(seconds_left));
}

bool app_progress_step(void *context, const char *phase, double fraction)
{
    app_progress *progress = context;
    const double now = app_clock();
    if (progress->phase == NULL || strcmp(progress->phase, phase) != 0) {
        progress->phase = phase;
        progress->started = now;
        progress->drawn = -INFINITY;
    }
    if (progress->is_shown && now - progress->drawn >= REDRAW_SECONDS) {
        progress->drawn = now;
        if (fraction < 0.0)
            fprintf(stderr, ERASE_LINE "%s", phase);
        else
            draw(progress, fmin(fraction, 1.0),
                fraction > 0.0 ? (now - progress->started) * (1.0 - fraction) / fraction : INFINITY);
        fflush(stderr);
    }
    return app_signals_caught() == 0;
}

void app_progress_end(app_progress *progress)
{
    if (progress->is_shown && progress->phase != NULL)
        fputs(ERASE_LINE, stderr);
    progress->phase = NULL;
}
