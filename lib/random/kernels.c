/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - the plain set, and the choice among the sets. */
#include "kernels.h"

#include <sodium.h>

static void keystream(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key)
{
    uint8_t n[crypto_stream_chacha20_NONCEBYTES];
    for (int i = 0; i < 8; i++)
        n[i] = (uint8_t)(nonce >> (8 * i));
    memset(out, 0, blocks * NW__CHACHA20_BLOCK);
    crypto_stream_chacha20_xor_ic(out, out, blocks * NW__CHACHA20_BLOCK, n, block, key);
}

const nw__kernels nw__kernels_plain = { "plain", keystream };

static const nw__kernels *const sets[] = {
    &nw__kernels_plain,
#ifdef NW__HAS_VECTOR
    &nw__kernels_vector,
#endif
#ifdef NW__HAS_AVX2
    &nw__kernels_avx2,
#endif
#ifdef NW__HAS_AVX512
    &nw__kernels_avx512,
#endif
};

const nw__kernels *nw__kernels_at(size_t i)
{
    return i < sizeof sets / sizeof *sets ? sets[i] : NULL;
}

bool nw__kernels_can_run(const nw__kernels *kernels)
{
#ifdef NW__HAS_AVX512
    if (kernels == &nw__kernels_avx512)
        return __builtin_cpu_supports("avx512f");
#endif
#ifdef NW__HAS_AVX2
    if (kernels == &nw__kernels_avx2)
        return __builtin_cpu_supports("avx2");
#endif
    return kernels != NULL;
}

const nw__kernels *nw__kernels_best(void)
{
    size_t i = sizeof sets / sizeof *sets - 1;
    while (!nw__kernels_can_run(sets[i]))
        i--;
    return sets[i];
}
