/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

/* run.h - the command that trains. */
#include "settings.h"

/** Returns an exit code, with its message written. */
int train_run(const settings *s);

#endif
