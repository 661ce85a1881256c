/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_BASE_H
#define NW_BASE_H

/* base.h - failing, and memory. Every other internal header includes this one. */
#include <nw/status.h>

/** Records a failure and returns its status: `return nw__fail(err, NW_E_ARG, __func__, "delta is %g, must be in (0, 1)", delta);`
 *  `function` should be the public function's name; err may be NULL. The message is cut at NW_ERROR_MESSAGE_SIZE. */
nw_status nw__fail(nw_error *err, nw_status status, const char *function, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** NW_E_NOMEM with its usual message. */
nw_status nw__fail_memory(nw_error *err, const char *function);

/** Evaluates a status once and returns it from the calling function if it is not NW_OK: for functions that own nothing yet. */
#define NW__TRY(call)                                                                                                            \
    do {                                                                                                                         \
        const nw_status nw__status_ = (call);                                                                                    \
        if (nw__status_ != NW_OK)                                                                                                \
            return nw__status_;                                                                                                  \
    } while (0)

/** a * b, or false if that overflows size_t. */
bool nw__mul_size(size_t a, size_t b, size_t *product);

/** Zeroed array of n items; NULL if n * size overflows or memory lacks. n = 0 gives a pointer that may be freed. */
void *nw__calloc(size_t n, size_t size);
/** realloc with a checked product; the old block survives a NULL. */
void *nw__realloc_array(void *block, size_t n, size_t size);
char *nw__strdup(const char *text);
/** Wipes (sodium_memzero), then frees. NULL is allowed. */
void nw__free_wiped(void *block, size_t bytes);

/** x + d held to int64. x -> clamp(x + d) keeps distances or shrinks them, so an overflow cannot raise a sensitivity. */
static inline int64_t nw__add_saturated(int64_t x, int64_t d)
{
    int64_t sum = 0;
    if (!__builtin_add_overflow(x, d, &sum))
        return sum;
    return d > 0 ? INT64_MAX : INT64_MIN;
}

/** Little-endian whatever the machine. */
static inline void nw__put_word(uint8_t out[8], uint64_t word)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(word >> (8 * i));
}

static inline uint64_t nw__get_word(const uint8_t in[8])
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | in[i];
    return word;
}

/** Calls sodium_init once; NW_E_ENTROPY if it fails. Idempotent, thread-safe. */
nw_status nw__init(nw_error *err);

/** Threads for a parallel region: `wanted`, or as OpenMP decides if that is 0; always 1 in a child made by fork. */
int nw__threads(int wanted);

/** A kernel compiled for the vector units of several processors, chosen when the program is loaded. Each clone does the same
 *  operations on the same numbers (no contraction, no reordering), so results do not depend on it. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(NW__SIMD_OFF) &&       \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define NW__CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NW__CLONES
#endif

#endif
