/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tune.c - see tune.h: the variables are read when a library is loaded, so it takes a new start. */
#include "tune.h"

#include <nw/status.h>

#include <stdlib.h>
#include <unistd.h>

static const char CORE[] = "OPENBLAS_CORETYPE";
static const char SPINS[] = "2000";                   /* some microseconds: what loops of a step are apart */
static const char TRIED[] = "NOISEWRIGHT_BLAS_TRIED"; /* set by us: no second start, whatever comes of the first */

static const char *core_of_processor(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}

/* A variable that somebody has set is left alone. True if it was set here. */
static bool set_missing(const char *name, const char *value)
{
    return value != NULL && getenv(name) == NULL && setenv(name, value, 1) == 0;
}

void app_tune(char **argv)
{
    bool is_changed = false;
    if (getenv(TRIED) != NULL || setenv(TRIED, "1", 1) != 0)
        return;
    if (getenv("OMP_WAIT_POLICY") == NULL)
        is_changed = set_missing("GOMP_SPINCOUNT", SPINS);
    if (nw_blas_is_slow())
        is_changed = set_missing(CORE, core_of_processor()) || is_changed;
    if (is_changed)
        execv("/proc/self/exe", argv); /* on failure: slower, and right */
}
