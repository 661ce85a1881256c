/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_VECTORS_H
#define NW_TEST_VECTORS_H

/* vectors.h - reading tests/vectors/; NW_SOURCE_ROOT is defined by the build. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static inline json_t *load_vectors(const char *name)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/tests/vectors/%s", NW_SOURCE_ROOT, name);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fprintf(stderr, "%s: line %d: %s\n", path, error.line, error.text);
        abort();
    }
    return root;
}

/* A decimal string or number, to double. */
static inline double vector_number(const json_t *value)
{
    return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

#endif
