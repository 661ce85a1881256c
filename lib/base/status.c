/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* status.c - statuses, errors, version. */
#include "base.h"
#include "nw_version_generated.h"

#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <zlib.h>

nw_status nw__fail(nw_error *err, nw_status status, const char *function, const char *format, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    snprintf(err->function, sizeof err->function, "%s", function);
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}

nw_status nw__fail_memory(nw_error *err, const char *function)
{
    return nw__fail(err, NW_E_NOMEM, function, "out of memory");
}

nw_status nw__init(nw_error *err)
{
    if (sodium_init() < 0) /* idempotent and thread-safe by its contract */
        return nw__fail(err, NW_E_ENTROPY, __func__, "libsodium could not be initialised");
    return NW_OK;
}

const char *nw_status_name(nw_status status)
{
    switch (status) {
    case NW_OK: return "NW_OK";
    case NW_E_ARG: return "NW_E_ARG";
    case NW_E_STATE: return "NW_E_STATE";
    case NW_E_NOMEM: return "NW_E_NOMEM";
    case NW_E_IO: return "NW_E_IO";
    case NW_E_FORMAT: return "NW_E_FORMAT";
    case NW_E_BUDGET: return "NW_E_BUDGET";
    case NW_E_ENTROPY: return "NW_E_ENTROPY";
    case NW_E_NUMERIC: return "NW_E_NUMERIC";
    case NW_E_UNSUPPORTED: return "NW_E_UNSUPPORTED";
    case NW_E_CANCELLED: return "NW_E_CANCELLED";
    }
    return "unknown status";
}

const char *nw_version(void)
{
    return NW_VERSION_STRING;
}

static char build_info[512];

static void write_build_info(void)
{
    snprintf(build_info, sizeof build_info,
        "noisewright " NW_VERSION_STRING "; compiler " __VERSION__ "; libsodium " SODIUM_VERSION_STRING "; SQLite " SQLITE_VERSION
        "; jansson " JANSSON_VERSION "; zlib " ZLIB_VERSION "; %s; sources and library Apache-2.0",
        nw_blas_name());
}

const char *nw_build_info(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_build_info);
    return build_info;
}
