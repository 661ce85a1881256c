/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* html.c - escaping, character by character. */
#include "html.h"

#include <stdint.h>

/* Decodes one character; returns its length in bytes, 1 and U+FFFD for a byte that begins none. */
static size_t decode(const unsigned char *text, uint32_t *character)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t length = text[0] < 0x80   ? 1
                          : text[0] < 0xc2 ? 0
                          : text[0] < 0xe0 ? 2
                          : text[0] < 0xf0 ? 3
                          : text[0] < 0xf5 ? 4
                                           : 0;
    uint32_t c = length < 2 ? text[0] : text[0] & (0x7fu >> length);
    size_t read = 1;
    while (read < length && (text[read] & 0xc0) == 0x80) /* a NUL ends it, too */
        c = c << 6 | (text[read++] & 0x3f);
    if (length == 0 || read < length || c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        *character = 0xfffd;
        return 1;
    }
    *character = c;
    return length;
}

/* U+200E, U+200F, U+202A .. U+202E, U+2066 .. U+2069, and the separators that break a line. */
static int is_command(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x061c || c == 0xfeff || c == 0xfffd || (c & 0xfffe) == 0xfffe;
}

static void put(FILE *file, const unsigned char *text, size_t length, uint32_t c)
{
    switch (c) {
    case '&': fputs("&amp;", file); return;
    case '<': fputs("&lt;", file); return;
    case '>': fputs("&gt;", file); return;
    case '"': fputs("&quot;", file); return;
    case '\'': fputs("&#39;", file); return;
    default: break;
    }
    if (is_command(c))
        fputc('?', file);
    else
        fwrite(text, 1, length, file);
}

void app_html_short(FILE *file, const char *text, size_t most)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t written = 0;
    while (*at != '\0') {
        uint32_t c;
        const size_t length = decode(at, &c);
        if (written++ == most) {
            fputs("\xE2\x80\xA6", file);
            return;
        }
        put(file, at, length, c);
        at += length;
    }
}

void app_html_text(FILE *file, const char *text)
{
    app_html_short(file, text, SIZE_MAX);
}
