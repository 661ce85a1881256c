/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

/* signals.h - SIGINT, SIGTERM and SIGHUP: at once while there is nothing to clean up, at the next opportunity otherwise. */
#include <stdbool.h>

/** Catches the three signals; each ends the process at once with 128 + its number until app_signals_defer(true). SIGPIPE is ignored, so that
 *  a closed pipe is a write error like any other and gets its message. */
void app_signals_install(void);

/** While deferred, a signal is only remembered. */
void app_signals_defer(bool is_deferred);

/** The deferred signal that came last, or 0. */
int app_signals_caught(void);

#endif
