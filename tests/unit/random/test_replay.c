/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_replay.c SET - known answers of the sampler. A change of any of them is a change of every release from a given key, and
 * belongs under Privacy in CHANGELOG.md. */
#include "kernel_set.h"

#include <nw/testing.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw__kernels *kernels;

static void draw(int law, double scale, int64_t *out, size_t n)
{
    nw_noise *noise = NULL;
    nw_rng *rng = NULL;
    assert_int_equal(nw_noise_new(&noise, (nw_noise_law)law, scale, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    noise->kernels = kernels;
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

/* Replays: BLAKE2b of 1e6 draws a law and scale, the same on every machine, build and set of kernels. */
static void noise_fill__known_answers(void **state)
{
    (void)state;
    enum { N = 1000000 };
    const struct {
        int law;
        double scale;
        const char *hash;
    } cases[] = {
        { NW_NOISE_ROUNDED_GAUSSIAN, 0.25, "7630732cb7289b5cf125fef528f2e01e" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1, "edbf81d5e7dafe5bd856ad28df5e7554" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 10, "32e12e80f1f0093427c04faf10262db0" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1000, "35bd16954b70e453fb41095aeb00bfb0" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 65536, "e962c5ef2903fa71a2844b8abfe4d82b" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e6, "6b899555fe616f3ebc24c9e47ec65b4a" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e9, "f7e346f510e54b2cd4bb6980d4ab9780" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p40, "6fe98282ff59026ce4aa296336a09b0f" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0.25, "ff65755a0ae11fea4c4618b322c4bc8a" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1, "2bbc198e9b046b774f2b3eabec613614" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 10, "a79364768d5f42df762ac4d679e053ec" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1000, "5e1323b8bd59332ee8c9b9a804ff6090" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 65536, "4acdf314b0a967873b4d161f7c3f6c9c" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e6, "38e5372b64818f2c314e9f6864659bc1" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e9, "3ca99f3df4eb2442d42ac85624191ca0" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p40, "3b4e61e56287d4ade605eabeea435dab" },
        { NW_NOISE_DISCRETE_LAPLACE, 0.25, "687feffe672128f01f8df0262f377869" },
        { NW_NOISE_DISCRETE_LAPLACE, 1, "875ee6146c26a9d772fba314da07fb91" },
        { NW_NOISE_DISCRETE_LAPLACE, 10, "4f2e06bed236f4c3e5d93dde4dd42417" },
        { NW_NOISE_DISCRETE_LAPLACE, 1000, "01a6e30c46ccc44d1379aa9afd50ffd5" },
        { NW_NOISE_DISCRETE_LAPLACE, 65536, "6af47fb7115ae86b5fb180c839eb334a" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e6, "537e53e90fde5bf925cc1420689c8f1a" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e9, "2ade2293fb0f7a94290cf32e885c674e" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p40, "e54f4c94d7d69be80888fb7dd9611ed5" },
    };
    int64_t *x = malloc(N * sizeof *x);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t hash[16];
        char text[33];
        draw(cases[i].law, cases[i].scale, x, N);
        crypto_generichash(hash, sizeof hash, (const uint8_t *)x, N * sizeof *x, NULL, 0);
        assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash), cases[i].hash);
    }
    free(x);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__known_answers),
    };
    kernels = kernel_set(argc > 1 ? argv[1] : "plain");
    if (kernels == NULL)
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
