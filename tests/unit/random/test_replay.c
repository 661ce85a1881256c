/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_replay.c - known answers of the sampler. A change of any of them is a change of every release from a given key, and
 * belongs under Privacy in CHANGELOG.md. */
#include "kernels.h"

#include <nw/testing.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static void draw(const nw__kernels *kernels, int law, double scale, int64_t *out, size_t n)
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
static void noise_fill__known_answers_on_every_set_of_kernels(void **state)
{
    (void)state;
    enum { N = 1000000 };
    const struct {
        int law;
        double scale;
        const char *hash;
    } cases[] = {
        { NW_NOISE_ROUNDED_GAUSSIAN, 0.25, "007f4c0ef85224a30489432f509f3dc2" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1, "c89b36a0f0d53ca50376ac4e6323c9ba" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 10, "e9f280f161f3f4236d3e52eff4e7c0ae" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1000, "90cb57f3e99e83fbe740daf2cabe9bef" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 65536, "c2b57dd080496372ecc06454f91efc9b" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e6, "421828d646178b1a7e974a77ab8ff112" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e9, "e5a50a5ac81d9062bbef83867a6481f1" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p40, "98bdd45f89f85bc9dc28763860e098a4" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0.25, "961866d678cd9765f6ecfd968e518356" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1, "68f75803d83b082617fdfc0ba4710be4" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 10, "f0724e9aec4828dae4654cbdbe678cf3" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1000, "676a453440c2c283d3d2c24d8fc0fd5b" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 65536, "d20f3d1d8e7f26ab5a84db6cac91e2c9" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e6, "12124856075d3a668125db9f3bea9752" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e9, "d9bbc86f081cd0add895262e79ef97be" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p40, "87ff6af285890082b7deb42dbc13c57b" },
        { NW_NOISE_DISCRETE_LAPLACE, 0.25, "dcbd729c94b1e4d9fdd54b9a6a18a49a" },
        { NW_NOISE_DISCRETE_LAPLACE, 1, "311c31168b87b8e3ba2927adc64b3de2" },
        { NW_NOISE_DISCRETE_LAPLACE, 10, "cfa6d4dd37d42691e709f4c2355a4614" },
        { NW_NOISE_DISCRETE_LAPLACE, 1000, "b43b8d8aa9c006fe317ef941a0accac2" },
        { NW_NOISE_DISCRETE_LAPLACE, 65536, "f9d41efd5a835ac5b07110dc419fd742" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e6, "24da4c7bfc6ef3ae89640b16a033c666" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e9, "82c22ab0ca06bba813abdd984445ec37" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p40, "0d0f6f31c008695e50fcf0473c805908" },
    };
    int64_t *x = malloc(N * sizeof *x);
    for (size_t k = 0; nw__kernels_at(k) != NULL; k++) {
        if (!nw__kernels_can_run(nw__kernels_at(k))) {
            print_message("# skipped: no %s\n", nw__kernels_at(k)->name);
            continue;
        }
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            uint8_t hash[16];
            char text[33];
            draw(nw__kernels_at(k), cases[i].law, cases[i].scale, x, N);
            crypto_generichash(hash, sizeof hash, (const uint8_t *)x, N * sizeof *x, NULL, 0);
            assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash), cases[i].hash);
        }
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__known_answers_on_every_set_of_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
