/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_HTML_H
#define APP_HTML_H

/* html.h - text from elsewhere, put into HTML and SVG. */
#include <stddef.h>
#include <stdio.h>

/** Writes text so that it is nothing but text, in an element or in a quoted attribute: markup is escaped; control characters,
 *  marks that turn the direction of what follows, and bytes that are no UTF-8 become '?'. */
void app_html_text(FILE *file, const char *text);

/** The same, cut after `most` characters, with an ellipsis for the rest. */
void app_html_short(FILE *file, const char *text, size_t most);

#endif
