/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_EXIT_H
#define APP_EXIT_H

/* exit.h - how an app fails: one line on standard error, "program: subject: what, what is admissible", and an exit code. */
#include <nw/status.h>

/* BSD's sysexits.h numbers, and 3 for a refusal of the ledger. A signal gives 128 + its number (signals.h). */
enum {
    APP_OK = 0,
    APP_BUDGET = 3,
    APP_USAGE = 64,
    APP_DATA = 65,
    APP_NO_INPUT = 66,
    APP_INTERNAL = 70,
    APP_CANNOT_CREATE = 73,
    APP_IO = 74
};

/** Prints "program: subject: message" (subject may be NULL) as one line (control characters become '?') and returns `code`. */
int app_fail(int code, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** The exit code of a library status; NW_E_CANCELLED is the signal's. */
int app_exit_code(nw_status status);

/** app_fail with the library's message and app_exit_code of its status; the subject is left out if the message names it. */
int app_fail_error(const char *subject, const nw_error *err);

/** Puts '?' for control characters, in place, and returns `text`: names and labels from elsewhere must not command a terminal. */
const char *app_plain(char *text);

/** While held, messages and remarks are kept instead of printed: of several processes, one will speak (processes.h). */
void app_hold_messages(bool is_held);
/** Prints what was kept, or forgets it. */
void app_release_messages(bool is_printed);

/** A remark that is no failure: "program: message", one line on standard error. */
void app_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
