/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_GUIDE_H
#define SYNTH_GUIDE_H

/* guide.h - from a table without a schema to a schema. */
#include <noisewright.h>

/** Says that a schema is missing and, if the table's header can be read, shows a draft of one to fill in. APP_USAGE. */
int guide_to_schema(const char *table);

#endif
