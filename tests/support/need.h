/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_NEED_H
#define NW_TEST_NEED_H

/* need.h - what the machinery of a test cannot do without: the program ends where it is lacking. For code that runs outside of a
 * test of cmocka's, or in threads. */
#include <stdbool.h>
#include <stdlib.h>

static inline void need(bool condition)
{
    if (!condition)
        abort();
}

#endif
