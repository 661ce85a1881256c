/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "seed.h"

#include "exit.h"

#include <nw/testing.h>

bool app_is_insecure(uint64_t seed)
{
    return seed != APP_NO_SEED;
}

int app_check_seed(uint64_t seed, const char *ledger)
{
    if (app_is_insecure(seed) && ledger != NULL)
        return app_fail(APP_USAGE, "--insecure-seed", "cannot be charged to a ledger file, must be used without --ledger");
    return APP_OK;
}

nw_status app_new_rng(nw_rng **out, uint64_t seed, nw_error *err)
{
    return app_is_insecure(seed) ? nw_rng_new_insecure_seeded(out, seed, err) : nw_rng_new(out, err);
}

void app_note_seed(uint64_t seed)
{
    if (app_is_insecure(seed))
        app_note("NOT PRIVATE: the random numbers came from a seed");
}
