/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters_encode.c - items as codes of up to 128 bits, and back; which prefixes are of any item. */
#include "hitters_internal.h"

#include <nw/hitters.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LETTER_BITS = 5, BYTE_BITS = 8, APOSTROPHE = 27 };

const char *nw_hh_encoding_name(nw_hh_encoding encoding)
{
    switch (encoding) {
    case NW_HH_U64: return "u64";
    case NW_HH_LETTERS5: return "letters5";
    case NW_HH_UTF8: return "utf8";
    case NW_HH_HASH: return "hash";
    }
    return "unknown encoding";
}

/* ---- numbers ---- */

static bool is_below(nw_ldp_item item, unsigned bits)
{
    return bits >= 128 ||
           (bits >= 64 ? bits == 64 ? item.high == 0 : item.high >> (bits - 64) == 0 : item.high == 0 && item.low >> bits == 0);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool encode_number(unsigned bits, const char *text, size_t size, nw_ldp_item *item)
{
    const bool is_hex = size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const unsigned base = is_hex ? 16 : 10;
    unsigned __int128 value = 0;
    if (size == 0)
        return false;
    for (size_t i = is_hex ? 2 : 0; i < size; i++) {
        const unsigned digit = (unsigned)digit_of(text[i]);
        if (digit >= base || value > (~(unsigned __int128)0 - digit) / base)
            return false;
        value = value * base + digit;
    }
    const nw_ldp_item wide = { (uint64_t)(value >> 64), (uint64_t)value };
    if (!is_below(wide, bits))
        return false;
    *item = wide;
    return true;
}

static void decode_number(nw_ldp_item item, char out[NW_HH_TEXT_SIZE])
{
    unsigned __int128 value = (unsigned __int128)item.high << 64 | item.low;
    char digits[NW_HH_TEXT_SIZE];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0);
    memcpy(out, digits + at, sizeof digits - at);
}

/* ---- text ---- */

static unsigned letter_of(unsigned char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 1u;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 1u : APOSTROPHE;
}

/* Bytes of the UTF-8 character that begins so; 0 if none does. */
static unsigned utf8_length(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* The least and the greatest second byte: they leave out long forms, surrogates, and what is beyond U+10FFFF. */
static bool is_second(unsigned char first, unsigned char c)
{
    const unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return c >= least && c <= most;
}

/* How many of the first n bytes are whole characters: text is not cut within one. */
static size_t whole_characters(const char *text, size_t size, size_t most)
{
    size_t at = 0;
    while (at < size) {
        const unsigned length = utf8_length((unsigned char)text[at]);
        const size_t next = at + (length == 0 ? 1 : length);
        if (next > most)
            break;
        at = next < size ? next : size;
    }
    return at;
}

static void put_unit(nw_ldp_item *item, unsigned bits, unsigned at, unsigned width, unsigned unit)
{
    const unsigned __int128 wide = (unsigned __int128)unit << (bits - at - width);
    item->high |= (uint64_t)(wide >> 64);
    item->low |= (uint64_t)wide;
}

/* The `width` bits that begin `at` bits from the top of a code of `bits` bits. */
static unsigned get_unit(nw_ldp_item item, unsigned bits, unsigned at, unsigned width)
{
    return (unsigned)nw__hh_shorten(item, bits - at - width).low & ((1u << width) - 1u);
}

static void encode_text(nw_hh_encoding encoding, unsigned bits, const char *text, size_t size, nw_ldp_item *item)
{
    const unsigned width = encoding == NW_HH_LETTERS5 ? LETTER_BITS : BYTE_BITS;
    const size_t most = bits / width;
    size_t n = strnlen(text, size);
    if (encoding == NW_HH_UTF8)
        n = whole_characters(text, n, most);
    for (size_t i = 0; i < n && i < most; i++) {
        const unsigned char c = (unsigned char)text[i];
        put_unit(item, bits, (unsigned)i * width, width, width == LETTER_BITS ? letter_of(c) : c);
    }
}

static void hash_text(unsigned bits, const uint8_t *key, const char *text, size_t size, nw_ldp_item *item)
{
    uint8_t hash[16];
    nw_ldp_item wide = { 0, 0 };
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, size, key, key == NULL ? 0 : NW_LDP_ID_BYTES);
    for (size_t i = 0; i < 8; i++) {
        wide.high = wide.high << 8 | hash[i];
        wide.low = wide.low << 8 | hash[8 + i];
    }
    *item = nw__hh_shorten(wide, 128 - bits);
}

bool nw_hh_encode(nw_hh_encoding encoding, unsigned bits, const uint8_t *key, const char *text, size_t size, nw_ldp_item *item)
{
    *item = (nw_ldp_item){ 0, 0 };
    if (bits < 1 || bits > 128)
        return false;
    switch (encoding) {
    case NW_HH_U64: return encode_number(bits, text, size, item);
    case NW_HH_LETTERS5:
    case NW_HH_UTF8: encode_text(encoding, bits, text, size, item); return true;
    case NW_HH_HASH: hash_text(bits, key, text, size, item); return true;
    }
    return false;
}

/* ---- which codes there are ---- */

/* Whether letters are letters, and nothing follows the end. The last unit may be there in part. */
static bool is_letters(unsigned bits, nw_ldp_item code, unsigned length)
{
    bool has_ended = false;
    unsigned at = 0;
    for (; at + LETTER_BITS <= length; at += LETTER_BITS) {
        const unsigned letter = get_unit(code, length, at, LETTER_BITS);
        if (letter > APOSTROPHE || (has_ended && letter != 0))
            return false;
        has_ended = letter == 0;
    }
    const unsigned rest = length - at;
    const unsigned begun = rest == 0 ? 0 : get_unit(code, length, at, rest);
    if (at + LETTER_BITS > bits)
        return begun == 0; /* no room for another letter */
    return begun == 0 || (!has_ended && begun << (LETTER_BITS - rest) <= APOSTROPHE);
}

/* How far a text has been read. */
typedef struct utf8_state {
    unsigned missing; /* bytes of the character that has begun */
    unsigned char first;
    bool has_ended;
} utf8_state;

/* Reads one more byte, after which `left` bytes have room; false if no text goes on so. */
static bool accept_byte(utf8_state *s, unsigned char c, unsigned left)
{
    if (s->has_ended)
        return c == 0;
    if (s->missing > 0) {
        const bool is_next = s->missing + 1 == utf8_length(s->first);
        s->missing--;
        return is_next ? is_second(s->first, c) : (c & 0xc0) == 0x80;
    }
    if (utf8_length(c) == 0)
        return false;
    s->has_ended = c == 0;
    s->first = c;
    s->missing = utf8_length(c) - 1;
    return s->missing <= left; /* not cut within a character */
}

/* Whether bytes are UTF-8, and nothing follows the end. Bytes that are no UTF-8 have a code, too, but are not looked for. */
static bool is_utf8(unsigned bits, nw_ldp_item code, unsigned length)
{
    utf8_state s = { 0, 0, false };
    unsigned at = 0;
    for (; at + BYTE_BITS <= length; at += BYTE_BITS)
        if (!accept_byte(&s, (unsigned char)get_unit(code, length, at, BYTE_BITS), (bits - at) / BYTE_BITS - 1))
            return false;
    const unsigned rest = length - at;
    const unsigned begun = rest == 0 ? 0 : get_unit(code, length, at, rest);
    if (at + BYTE_BITS > bits)
        return begun == 0; /* no room for another byte */
    for (unsigned more = 0; rest > 0 && more < 1u << (BYTE_BITS - rest); more++) {
        utf8_state next = s;
        if (accept_byte(&next, (unsigned char)(begun << (BYTE_BITS - rest) | more), (bits - at) / BYTE_BITS - 1))
            return true;
    }
    return rest == 0;
}

bool nw_hh_is_prefix(nw_hh_encoding encoding, unsigned bits, nw_ldp_item prefix, unsigned length)
{
    if (bits < 1 || bits > 128 || length > bits || !is_below(prefix, length))
        return false;
    if (length == 0)
        return true;
    switch (encoding) {
    case NW_HH_LETTERS5: return is_letters(bits, prefix, length);
    case NW_HH_UTF8: return is_utf8(bits, prefix, length);
    case NW_HH_U64:
    case NW_HH_HASH: break;
    }
    return true;
}

bool nw_hh_decode(nw_hh_encoding encoding, unsigned bits, nw_ldp_item item, char out[NW_HH_TEXT_SIZE])
{
    out[0] = '\0';
    if (!nw_hh_is_prefix(encoding, bits, item, bits))
        return false;
    if (encoding == NW_HH_U64) {
        decode_number(item, out);
        return true;
    }
    if (encoding == NW_HH_HASH) {
        if (bits > 64)
            snprintf(out, NW_HH_TEXT_SIZE, "%0*llx%016llx", (int)(bits - 64 + 3) / 4, (unsigned long long)item.high,
                (unsigned long long)item.low);
        else
            snprintf(out, NW_HH_TEXT_SIZE, "%0*llx", (int)(bits + 3) / 4, (unsigned long long)item.low);
        return true;
    }
    const unsigned width = encoding == NW_HH_LETTERS5 ? LETTER_BITS : BYTE_BITS;
    unsigned n = 0;
    for (; n < bits / width; n++) {
        const unsigned unit = get_unit(item, bits, n * width, width);
        if (unit == 0)
            break;
        out[n] = (char)(width == BYTE_BITS ? unit : unit == APOSTROPHE ? '\'' : 'a' + unit - 1);
    }
    out[n] = '\0';
    return true;
}
