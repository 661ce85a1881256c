/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_JUDGE_H
#define TRAIN_JUDGE_H

/* judge.h - the commands that use a model: what it says about records, and how good that is. Neither costs privacy of the records
 * that it was trained on. */
#include "settings.h"

/** Return an exit code, with its message written. */
int judge_eval(const settings *s);
int judge_predict(const settings *s);

#endif
