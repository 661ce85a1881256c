/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* exit.c - messages and exit codes. */
#include "exit.h"
#include "signals.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 2048 /* longer messages are cut: file names have at most 4096 bytes, and no one reads that */

static bool is_held;
static char held[8 * LINE_SIZE];
static size_t held_size;

void app_hold_messages(bool is_wanted)
{
    is_held = is_wanted;
}

void app_release_messages(bool is_printed)
{
    if (is_printed)
        fwrite(held, 1, held_size, stderr);
    held_size = 0;
}

const char *app_plain(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    return text;
}

static void print_line(const char *subject, const char *format, va_list args)
{
    char line[LINE_SIZE];
    const int used = subject == NULL ? snprintf(line, sizeof line, "%s: ", program_invocation_short_name)
                                     : snprintf(line, sizeof line, "%s: %s: ", program_invocation_short_name, subject);
    if (used > 0 && (size_t)used < sizeof line)
        vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    app_plain(line);
    if (!is_held)
        fprintf(stderr, "%s\n", line);
    else if (strlen(line) + 1 < sizeof held - held_size)
        held_size += (size_t)snprintf(held + held_size, sizeof held - held_size, "%s\n", line);
}

int app_fail(int code, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(subject, format, args);
    va_end(args);
    return code;
}

void app_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(NULL, format, args);
    va_end(args);
}

int app_exit_code(nw_status status)
{
    switch (status) {
    case NW_OK: return APP_OK;
    case NW_E_ARG:
    case NW_E_UNSUPPORTED: return APP_USAGE;
    case NW_E_IO: return APP_IO;
    case NW_E_FORMAT: return APP_DATA;
    case NW_E_BUDGET: return APP_BUDGET;
    case NW_E_CANCELLED: return 128 + app_signals_caught();
    case NW_E_STATE:
    case NW_E_NOMEM:
    case NW_E_ENTROPY:
    case NW_E_NUMERIC: break;
    }
    return APP_INTERNAL;
}

int app_fail_error(const char *subject, const nw_error *err)
{
    if (err->status == NW_E_CANCELLED) /* by app_progress_step, because of a signal */
        return app_fail(app_exit_code(err->status), NULL, "interrupted");
    const bool is_named = subject != NULL && strstr(err->message, subject) != NULL;
    return app_fail(app_exit_code(err->status), is_named ? NULL : subject, "%s", err->message);
}
