/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* settings.c - choices of the option table as the library's values. */
#include "settings.h"

nw_adjacency settings_adjacency(const settings *s)
{
    static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    return adjacencies[s->adjacency];
}

nw_synth_engine settings_engine(const settings *s)
{
    static const nw_synth_engine engines[] = { NW_SYNTH_GIBBS, NW_SYNTH_GENETIC };
    return engines[s->engine];
}

bool settings_are_insecure(const settings *s)
{
    return app_is_insecure(s->insecure_seed);
}
