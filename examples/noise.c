/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* noise.c - the sampler alone: noise of each law on a vector of counts. It accounts for nothing; first.c walks the whole path. */
#include <noisewright.h>
#include <stdio.h>

#define CELLS 8

static nw_status add_noise(nw_rng *rng, nw_noise_law law, double scale, const int64_t *counts, int64_t *noisy, nw_error *err)
{
    nw_noise *noise = NULL;
    nw_status status = nw_noise_new(&noise, law, scale, err);
    if (status == NW_OK)
        status = nw_noise_add_i64(noise, rng, counts, noisy, CELLS, err);
    nw_noise_free(noise);
    return status;
}

int main(void)
{
    static const struct {
        const char *name;
        nw_noise_law law;
    } laws[] = {
        { "rounded Gaussian", NW_NOISE_ROUNDED_GAUSSIAN },
        { "discrete Gaussian", NW_NOISE_DISCRETE_GAUSSIAN },
        { "discrete Laplace", NW_NOISE_DISCRETE_LAPLACE },
    };
    const int64_t counts[CELLS] = { 0, 0, 10, 100, 1000, 10000, 100000, 1000000 };
    int64_t noisy[CELLS];
    nw_error err;
    nw_rng *rng = NULL;
    nw_rng *piece = NULL; /* work cut into numbered pieces gives the same result on any number of threads */
    bool ok = nw_rng_new(&rng, &err) == NW_OK && nw_rng_substream(&piece, rng, 7, &err) == NW_OK;

    for (size_t i = 0; ok && i < sizeof laws / sizeof laws[0]; i++) {
        ok = add_noise(piece, laws[i].law, 20.0, counts, noisy, &err) == NW_OK;
        printf("%-18s", laws[i].name);
        for (size_t c = 0; ok && c < CELLS; c++)
            printf(" %8lld", (long long)noisy[c]);
        printf("\n");
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    nw_rng_free(piece);
    nw_rng_free(rng);
    return ok ? 0 : 1;
}
