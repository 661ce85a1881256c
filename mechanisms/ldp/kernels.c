/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - the choice among the sets of lanes.c: by what the processor has, never by data. */
#include "server.h"

static const nw__ldp_kernels *const sets[] = {
    &nw__ldp_kernels_plain,
#ifdef NW__LDP_HAS_AVX2
    &nw__ldp_kernels_avx2,
#endif
#ifdef NW__LDP_HAS_AVX512
    &nw__ldp_kernels_avx512,
#endif
};

const nw__ldp_kernels *nw__ldp_kernels_at(size_t i)
{
    return i < sizeof sets / sizeof *sets ? sets[i] : NULL;
}

bool nw__ldp_kernels_can_run(const nw__ldp_kernels *kernels)
{
#ifdef NW__LDP_HAS_AVX512
    if (kernels == &nw__ldp_kernels_avx512)
        return __builtin_cpu_supports("avx512f");
#endif
#ifdef NW__LDP_HAS_AVX2
    if (kernels == &nw__ldp_kernels_avx2)
        return __builtin_cpu_supports("avx2");
#endif
    return kernels != NULL;
}

const nw__ldp_kernels *nw__ldp_kernels_best(void)
{
    size_t i = sizeof sets / sizeof *sets - 1;
    while (!nw__ldp_kernels_can_run(sets[i]))
        i--;
    return sets[i];
}
