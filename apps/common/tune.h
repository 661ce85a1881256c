/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_TUNE_H
#define APP_TUNE_H

/* tune.h - what libraries read from the environment when they are loaded, for programs that multiply matrices. */

/** Starts the program anew, once, with what is not set and should be: the kernels of this processor where OpenBLAS does not
 *  know it (OPENBLAS_CORETYPE), and threads that sleep when they wait, as others may want the processor (GOMP_SPINCOUNT). To
 *  be called first in main; returns if there is nothing to be done. */
void app_tune(char **argv);

#endif
