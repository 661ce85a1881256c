/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_JSON_H
#define APP_JSON_H

/* json.h - what jansson leaves to its callers. */
#include <jansson.h>

/** A number with all its digits; null for NaN and infinities, which JSON lacks. */
json_t *app_json_real(double value);

/** A string; a file name that is no UTF-8 has '?' in place of what is not ASCII. */
json_t *app_json_text(const char *text);

/** Sets a member and takes the value. *object becomes NULL if that fails, and stays NULL: one check at the end
 *  is enough. */
void app_json_put(json_t **object, const char *key, json_t *value);

/** Prints an object as one line on standard output, and frees it. APP_OK, or a message and APP_IO; a NULL object is APP_INTERNAL:
 *  memory lacked. */
int app_print_json(json_t *object);

/** The object as text by jansson's flags, with a newline at its end; to be freed by the caller. Frees the object. NULL if the
 *  object is NULL or memory lacks. */
char *app_json_dump(json_t *object, size_t flags);

#endif
