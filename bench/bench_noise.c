/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_noise.c - million noise values a second on one core, and as ratios to yardsticks of the same run: libsodium's ChaCha20
 * (a value eats 4 bytes of it), a floating-point Box-Muller from the same cipher (insecure in its last bits, and what most
 * software does), and the CKS20 oracle. */
#include "cks20.h"

#include <math.h>
#include <nw/noise.h>
#include <omp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1 << 22, ORACLE = 1 << 18 };
static const double TAU = 6.283185307179586;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cipher_rate(void *buffer)
{
    static const uint8_t key[32] = { 1 };
    static const uint8_t nonce[8] = { 0 };
    const double start = cpu_seconds();
    crypto_stream_chacha20(buffer, (size_t)N * 8, nonce, key);
    return N * 8.0 / (cpu_seconds() - start);
}

static double box_muller_rate(nw_rng *rng, double *out)
{
    const double start = cpu_seconds();
    for (size_t i = 0; i < N; i += 2) {
        const double radius = sqrt(-2.0 * log(((double)(nw__rng_u64(rng) >> 11) + 0.5) * 0x1p-53));
        const double angle = TAU * (double)(nw__rng_u64(rng) >> 11) * 0x1p-53;
        out[i] = radius * cos(angle);
        out[i + 1] = radius * sin(angle);
    }
    return N / (cpu_seconds() - start);
}

static double oracle_rate(nw_rng *rng, nw_noise_law law, uint64_t scale)
{
    int64_t keep = 0;
    const double start = cpu_seconds();
    for (size_t i = 0; i < ORACLE; i++)
        keep ^= law == NW_NOISE_DISCRETE_LAPLACE ? nw__cks20_laplace(rng, scale, 1) : nw__cks20_gaussian(rng, scale * scale, 1);
    const double rate = ORACLE / (cpu_seconds() - start);
    return keep == INT64_MIN ? 0.0 : rate;
}

static double slot_rate(nw_rng *rng, nw_noise_law law, double scale, int64_t *out)
{
    nw_noise *noise = NULL;
    double best = 0.0;
    if (nw_noise_new(&noise, law, scale, NULL) != NW_OK)
        return 0.0;
    for (int repeat = 0; repeat < 3; repeat++) {
        const double start = cpu_seconds();
        if (nw_noise_fill(noise, rng, out, N, NULL) == NW_OK)
            best = fmax(best, N / (cpu_seconds() - start));
    }
    nw_noise_free(noise);
    return best;
}

int main(void)
{
    static const char *const names[] = { "", "rounded Gaussian", "discrete Gaussian", "discrete Laplace" };
    const double scales[] = { 1.0, 10.0, 1e3, 65536.0, 1e6, 1e9 };
    int64_t *out = malloc((size_t)N * sizeof *out);
    nw_rng *rng = NULL;
    omp_set_num_threads(1);
    if (out == NULL || nw_rng_new(&rng, NULL) != NW_OK || nw__rng_begin(rng, NULL) != NW_OK)
        return 1;
    slot_rate(rng, NW_NOISE_ROUNDED_GAUSSIAN, 10.0, out); /* touches every page once */
    const double cipher = cipher_rate(out);
    const double box_muller = box_muller_rate(rng, (double *)(void *)out);
    printf("ChaCha20 (libsodium)          %7.0f MB/s\n", cipher / 1e6);
    printf("Box-Muller, float, ChaCha20   %7.1f M/s\n", box_muller / 1e6);
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
            const double rate = slot_rate(rng, (nw_noise_law)law, scales[i], out);
            printf("%-18s %10g %7.0f M/s  %5.1f x Box-Muller  %.2f of the cipher's limit", names[law], scales[i], rate / 1e6,
                rate / box_muller, rate * 4.0 / cipher);
            if (law != NW_NOISE_ROUNDED_GAUSSIAN && scales[i] <= 1e6)
                printf("  %4.0f x CKS20", rate / oracle_rate(rng, (nw_noise_law)law, (uint64_t)scales[i]));
            printf("\n");
        }
    }
    nw_rng_free(rng);
    free(out);
    return 0;
}
