/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

/* progress.h - a bar with the time left, on standard error, only if that is a terminal and the user did not ask for quiet. */
#include <stdbool.h>

typedef struct app_progress {
    bool is_shown;
    bool has_colour;   /* a terminal that knows colours, and no NO_COLOR */
    const char *phase; /* borrowed: the phase that is being drawn */
    double started;    /* seconds: when the phase began, and when the bar was last drawn */
    double drawn;
} app_progress;

void app_progress_start(app_progress *progress, bool is_quiet);

/** Draws at most ten times a second; `context` is the app_progress. False once a signal has been caught: the shape that the
 *  library's progress functions have. A fraction below 0 shows the phase without a bar. */
bool app_progress_step(void *context, const char *phase, double fraction);

/** Takes the bar away, until the next step. */
void app_progress_end(app_progress *progress);

/** Seconds on a clock that is never set back. */
double app_clock(void);

#endif
