/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_replay.c SET - known answers of the sampler. A change of any of them is a change of every release from a given key, and
 * belongs under Privacy in CHANGELOG.md. */
#include "kernel_set.h"

#include <nw/testing.h>
#include <omp.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw__kernels *kernels;

static void fill(const nw_noise *noise, int64_t *out, size_t n)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_rng_free(rng);
}

/* Other numbers of values, which end within a step, with one, and within and with a chunk of a thread's work, have the same
 * values at the same places. `out` holds N values, `space` is for as many. */
static void check_prefixes(const nw_noise *noise, const int64_t *out, int64_t *space, size_t n)
{
    const size_t lengths[] = { 1, 1023, 1024, 1025, 16384, 16385, 100000, n - 1 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        fill(noise, space, lengths[i]);
        assert_memory_equal(space, out, lengths[i] * sizeof *out);
    }
}

/* Replays: BLAKE2b of 1e6 draws a law and scale, the same on every machine, build, set of kernels and number of threads. */
static void noise_fill__known_answers(void **state)
{
    (void)state;
    enum { N = 1000000 };
    const int thread_counts[] = { 8, 3, 2, 1 }; /* the most first: LLVM's runtime leaks what a team outgrows */
    const struct {
        int law;
        double scale;
        const char *hash;
    } cases[] = {
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e-3, "f623800febeb33994b7900a893f9e6a1" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0.25, "b9d00ab8f52084d45c6f9cfef392360c" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1, "b3c600a1950ec3f9604e234083d0fc5d" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 10, "3513ac188c5deea62f2e84675f78e6bb" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1000, "2017308ed1f9fe1580f5a6a352e79c0c" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 65536, "e2e4a6474f4aa1c63ab96244e15315a8" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e6, "6ef2a1aef4366bf889d05e1217450cb7" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 1e9, "e2d0924b9f641c77da0c3634c07f86c9" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p40, "e764e01c472daafc4e2e8265fd92e940" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p50, "5b9492184e686e61eff4e34aacc3039f" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p52, "bf34d7a13d923d8cefce31740aeb1749" },
        { NW_NOISE_ROUNDED_GAUSSIAN, 0x1p54, "63af87613dbb65e54dc639cf37b396a3" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e-3, "f623800febeb33994b7900a893f9e6a1" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0.25, "cbec07e6a760f258789c093a2e5fd23a" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1, "b83ef018687fffef0842dde56863c12e" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 10, "f0ac61d447ed9b668fdd24d5d5efd059" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1000, "03c21ea306feae6efeaa93ea7cbd23ad" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 65536, "4bdb5f68a2d67976b4e3face69ea8a3c" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e6, "8ac7730fa06571afa767ae2cee6a3dab" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 1e9, "63f2a5fc8be6991ff173a6bee0402159" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p40, "b20eb3fd988e182f53e23e1d022029a2" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p50, "9019f6c42cc52f31f0f711b945ac967b" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p52, "873cebda1d7ddbba2e64051190414ddc" },
        { NW_NOISE_DISCRETE_GAUSSIAN, 0x1p54, "fd57b6876c87caa600d3fc75cf31f156" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e-3, "f623800febeb33994b7900a893f9e6a1" },
        { NW_NOISE_DISCRETE_LAPLACE, 0.25, "01edd2b3b238f8f0a1fb2e5477b60ed7" },
        { NW_NOISE_DISCRETE_LAPLACE, 1, "eee3ece9b35abb38b8af9b7f4b71c435" },
        { NW_NOISE_DISCRETE_LAPLACE, 10, "54e55cbbea01d19a56e13df15743b384" },
        { NW_NOISE_DISCRETE_LAPLACE, 1000, "f324c5e638b287bdbd4b47f7950abe36" },
        { NW_NOISE_DISCRETE_LAPLACE, 65536, "4cd1716b23e8c5fcc3cfb6911f133759" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e6, "266e60f0dd8e0cbfd30e059ab12f7fdf" },
        { NW_NOISE_DISCRETE_LAPLACE, 1e9, "2d68486acfe70b64d2208c06217fbbb3" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p40, "59db2557e41db60ccf207baa71fb67cb" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p50, "2f41f64502b97c03183514485b67616f" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p52, "ca60d1730e2e0a1661224f8ef03e07a8" },
        { NW_NOISE_DISCRETE_LAPLACE, 0x1p54, "548e510299cb2c8bccb648bfe65d5345" },
    };
    int64_t *x = malloc(2 * N * sizeof *x);
    const int threads_before = omp_get_max_threads();
    assert_non_null(x);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_noise *noise = NULL;
        assert_int_equal(nw_noise_new(&noise, (nw_noise_law)cases[i].law, cases[i].scale, NULL), NW_OK);
        noise->kernels = kernels;
        for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
            uint8_t hash[16];
            char text[33];
            omp_set_num_threads(thread_counts[t]);
            fill(noise, x, N);
            crypto_generichash(hash, sizeof hash, (const uint8_t *)x, N * sizeof *x, NULL, 0);
            assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash), cases[i].hash);
        }
        check_prefixes(noise, x, x + N, N);
        nw_noise_free(noise);
    }
    omp_set_num_threads(threads_before);
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
