/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* memory.c - checked allocation. */
#include "base.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool nw__mul_size(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

void *nw__calloc(size_t n, size_t size)
{
    /* calloc checks the product itself; one item at least, so that NULL always means failure. */
    return calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);
}

void *nw__realloc_array(void *block, size_t n, size_t size)
{
    size_t bytes = 0;
    if (!nw__mul_size(n, size, &bytes))
        return NULL;
    return realloc(block, bytes == 0 ? 1 : bytes);
}

char *nw__strdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = nw__calloc(bytes, 1);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

void nw__free_wiped(void *block, size_t bytes)
{
    if (block == NULL)
        return;
    sodium_memzero(block, bytes);
    free(block);
}
