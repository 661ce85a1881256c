/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

/* signals.h - SIGINT, SIGTERM and SIGHUP: at once while there is nothing to clean up, at the next opportunity otherwise. */
#include <stdbool.h>

/** Catches the three signals; each ends the process at once with 128 + its number until app_signals_defer(true). SIGPIPE and
 *  SIGXFSZ are ignored, so that a closed pipe and a file that grows too large are write errors like any other and get their
 *  message. A SIGHUP that nohup(1) has switched off stays off. */
void app_signals_install(void);

/** While deferred, a signal is only remembered. */
void app_signals_defer(bool is_deferred);

/** The deferred signal that came last, or 0. */
int app_signals_caught(void);

#endif
