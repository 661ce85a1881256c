/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* consumer.c - a program outside of the project: draws noise, and fails if all of it is the same. */
#include <noisewright.h>
#include <stdio.h>

#define DRAWS 1000

int main(void)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_noise *noise = NULL;
    int64_t z[DRAWS];
    bool is_varied = false;

    if (nw_rng_new(&rng, &err) != NW_OK || nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 100.0, &err) != NW_OK ||
        nw_noise_fill(noise, rng, z, DRAWS, &err) != NW_OK) {
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    } else {
        for (int i = 1; i < DRAWS; i++)
            is_varied = is_varied || z[i] != z[0];
        printf("%s\nfirst draw %lld\n", nw_build_info(), (long long)z[0]);
    }
    nw_noise_free(noise);
    nw_rng_free(rng);
    return is_varied ? 0 : 1;
}
