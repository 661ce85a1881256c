/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_SET_H
#define KERNEL_SET_H

/* kernel_set.h - the set of kernels that a test program is run for: argv[1]. */
#include "kernels.h"

#include <stdio.h>

/** NULL, having said that the program is skipped, if this build does not hold the set or this processor cannot run it. */
static inline const nw__kernels *kernel_set(const char *name)
{
    for (size_t i = 0; nw__kernels_at(i) != NULL; i++)
        if (strcmp(nw__kernels_at(i)->name, name) == 0 && nw__kernels_can_run(nw__kernels_at(i)))
            return nw__kernels_at(i);
    printf("1..0 # SKIP skipped: no %s\n", name);
    return NULL;
}

#endif
