/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* text.c - see text.h. */
#include "text.h"
#include "../common/input.h"
#include "../common/exit.h"
#include "../common/numbers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const text_settings text_defaults = { .bits = 16, .prefix = 5, .has_bigrams = false, .is_bag = true, .most = 96 };

/* ---- words ---- */

enum { WORD_MOST = 64 /* bytes: what comes after them does not tell words apart */ };

typedef enum id_of { ID_OF_WORD = 'w', ID_OF_PREFIX = 'p', ID_OF_PAIR = '2' } id_of;

/* Public, and part of every model: another key gives other ids. */
static const unsigned char hash_key[crypto_shorthash_KEYBYTES + 1] = "noisewright text";

static uint32_t hash_of(id_of what, const void *bytes, size_t size)
{
    unsigned char message[1 + WORD_MOST];
    unsigned char hash[crypto_shorthash_BYTES];
    message[0] = (unsigned char)what;
    memcpy(message + 1, bytes, size);
    crypto_shorthash(hash, message, 1 + size, hash_key);
    return (uint32_t)hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 | (uint32_t)hash[3] << 24;
}

typedef struct id_list {
    const text_settings *settings;
    uint32_t *ids;
    size_t n;
} id_list;

static void add_id(id_list *list, uint32_t hash)
{
    const uint32_t id = hash >> (32 - list->settings->bits);
    if (list->n == list->settings->most)
        return;
    for (size_t i = 0; list->settings->is_bag && i < list->n; i++)
        if (list->ids[i] == id)
            return;
    list->ids[list->n++] = id;
}

static bool is_blank(unsigned char c)
{
    return c <= ' ' || c == 0x7f;
}

static bool is_inside_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\'' || c >= 0x80;
}

/* Bytes of the first `characters` characters of UTF-8; 0 if there are not as many. */
static size_t prefix_size(const char *word, size_t size, unsigned characters)
{
    size_t i = 0;
    for (unsigned k = 0; k < characters; k++) {
        if (i == size)
            return 0;
        do
            i++;
        while (i < size && ((unsigned char)word[i] & 0xc0) == 0x80);
    }
    return i;
}

/* One word, and what comes with it. Its hash. */
static uint32_t add_word(id_list *list, const char *word, size_t size, const uint32_t *last)
{
    const uint32_t hash = hash_of(ID_OF_WORD, word, size);
    const size_t prefix = list->settings->prefix > 0 ? prefix_size(word, size, list->settings->prefix) : 0;
    add_id(list, hash);
    if (prefix > 0)
        add_id(list, hash_of(ID_OF_PREFIX, word, prefix));
    if (list->settings->has_bigrams && last != NULL) {
        const unsigned char pair[8] = { (unsigned char)*last, (unsigned char)(*last >> 8), (unsigned char)(*last >> 16),
            (unsigned char)(*last >> 24), (unsigned char)hash, (unsigned char)(hash >> 8), (unsigned char)(hash >> 16),
            (unsigned char)(hash >> 24) };
        add_id(list, hash_of(ID_OF_PAIR, pair, sizeof pair));
    }
    return hash;
}

size_t text_ids(const text_settings *settings, const char *text, size_t size, uint32_t *ids)
{
    id_list list = { settings, ids, 0 };
    uint32_t last = 0;
    bool has_last = false;
    for (size_t i = 0; i < size;) {
        char word[WORD_MOST];
        size_t length = 0;
        if (is_blank((unsigned char)text[i])) {
            i++;
            continue;
        }
        do {
            const char c = text[i++];
            if (length < WORD_MOST)
                word[length++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        } while (i < size && is_inside_word((unsigned char)text[i - 1]) && is_inside_word((unsigned char)text[i]));
        last = add_word(&list, word, length, has_last ? &last : NULL);
        has_last = true;
    }
    return list.n;
}

/* ---- lines ---- */

enum { LINE_FIRST = 1 << 16, LINE_MOST = 1 << 24 /* bytes */, COLUMNS_MOST = 256 };

typedef struct line_reader {
    app_input *in;
    char *bytes;
    size_t capacity, start, end; /* bytes[start .. end) have been read and not handed on */
    bool is_ended;
    size_t number; /* of the line handed on last, from 1 */
} line_reader;

static int read_more(line_reader *r)
{
    memmove(r->bytes, r->bytes + r->start, r->end - r->start);
    r->end -= r->start;
    r->start = 0;
    if (r->end == r->capacity) {
        if (r->capacity >= LINE_MOST)
            return app_fail(APP_DATA, app_input_path(r->in), "line %zu has more than %d bytes", r->number + 1, LINE_MOST);
        char *larger = realloc(r->bytes, 2 * r->capacity);
        if (larger == NULL)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        r->bytes = larger;
        r->capacity *= 2;
    }
    size_t got;
    const size_t wanted = r->capacity - r->end;
    const int code = app_input_read(r->in, r->bytes + r->end, wanted, &got);
    r->end += got;
    r->is_ended = got < wanted;
    return code;
}

/* The next line without its end; *line is NULL after the last one. */
static int next_line(line_reader *r, char **line, size_t *size)
{
    size_t searched = 0;
    char *end;
    *line = NULL;
    while ((end = memchr(r->bytes + r->start + searched, '\n', r->end - r->start - searched)) == NULL && !r->is_ended) {
        searched = r->end - r->start;
        const int code = read_more(r);
        if (code != APP_OK)
            return code;
    }
    if (end == NULL && r->start == r->end)
        return APP_OK;
    *line = r->bytes + r->start;
    *size = end != NULL ? (size_t)(end - *line) : r->end - r->start;
    r->start += *size + (end != NULL);
    r->number++;
    if (*size > 0 && (*line)[*size - 1] == '\r')
        --*size;
    return APP_OK;
}

/* ---- columns ---- */

typedef struct span {
    const char *text;
    size_t size;
} span;

static size_t split(const char *line, size_t size, span columns[COLUMNS_MOST])
{
    size_t n = 0;
    const char *const end = line + size;
    while (n < COLUMNS_MOST) {
        const char *const tab = memchr(line, '\t', (size_t)(end - line));
        columns[n++] = (span){ line, (size_t)((tab != NULL ? tab : end) - line) };
        if (tab == NULL)
            break;
        line = tab + 1;
    }
    return n;
}

static bool is_named(const span *column, const char *name)
{
    return column->size == strlen(name) && memcmp(column->text, name, column->size) == 0;
}

typedef struct layout {
    size_t columns, text, target; /* target: = columns if there is none */
} layout;

static size_t find_column(const span *columns, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && !is_named(&columns[i], name))
        i++;
    return i;
}

static int read_layout(line_reader *r, const char *target, layout *out)
{
    span columns[COLUMNS_MOST];
    char *line;
    size_t size = 0;
    const int code = next_line(r, &line, &size);
    if (code != APP_OK)
        return code;
    const size_t n = line == NULL ? 0 : split(line, size, columns);
    out->columns = n;
    out->target = target == NULL ? n : find_column(columns, n, target);
    if (target != NULL && out->target == n)
        return app_fail(
            APP_DATA, app_input_path(r->in), "has no column \"%s\" in its first line, which must name the columns", target);
    out->text = find_column(columns, n, "sentence");
    if (out->text == n)
        out->text = find_column(columns, n, "text");
    if (out->text == n && n == (target == NULL ? 1 : 2))
        out->text = n - 1 - (out->target % n);
    if (out->text >= n || out->text == out->target)
        return app_fail(APP_DATA, app_input_path(r->in), "has no column \"sentence\" or \"text\" besides the target");
    return APP_OK;
}

/* ---- the table ---- */

typedef struct text_builder {
    examples *out;
    const text_settings *settings;
    const char *const *names;
    size_t rows_capacity, ids_capacity;
} text_builder;

static bool grow(void **block, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return true;
    const size_t larger = 2 * wanted;
    void *moved = realloc(*block, larger * size);
    if (moved == NULL)
        return false;
    *block = moved;
    *capacity = larger;
    return true;
}

/* Room for one more text. */
static bool grow_all(text_builder *b)
{
    examples *const e = b->out;
    const size_t ids = e->starts == NULL ? 0 : e->starts[e->count];
    size_t starts = b->rows_capacity;
    size_t labels = b->rows_capacity;
    void *blocks[3] = { e->starts, e->labels, e->ids };
    const bool is_good = grow(&blocks[0], &starts, e->count + 2, sizeof *e->starts) &&
                         grow(&blocks[1], &labels, e->count + 2, sizeof *e->labels) &&
                         grow(&blocks[2], &b->ids_capacity, ids + b->settings->most, sizeof *e->ids);
    e->starts = blocks[0]; /* those that have moved, whether or not all have */
    e->labels = blocks[1];
    e->ids = blocks[2];
    if (e->count == 0 && e->starts != NULL)
        e->starts[0] = 0;
    b->rows_capacity = is_good ? starts : b->rows_capacity;
    return is_good;
}

/* False if the text is no label. */
static bool label_of(const text_builder *b, const span *column, int32_t *out)
{
    char digits[16];
    uint64_t value;
    for (uint32_t i = 0; b->names != NULL && i < b->out->classes; i++)
        if (is_named(column, b->names[i])) {
            *out = (int32_t)i;
            return true;
        }
    if (b->names != NULL || column->size >= sizeof digits)
        return false;
    memcpy(digits, column->text, column->size);
    digits[column->size] = '\0';
    if (!app_parse_count(digits, &value) || value >= b->out->classes)
        return false;
    *out = (int32_t)value;
    return true;
}

static int fail_label(const text_builder *b, const line_reader *r)
{
    if (b->names != NULL)
        return app_fail(APP_DATA, app_input_path(r->in), "line %zu: the label is none of the %u that are declared", r->number,
            (unsigned)b->out->classes);
    return app_fail(
        APP_DATA, app_input_path(r->in), "line %zu: the label must be in 0 .. %u", r->number, (unsigned)b->out->classes - 1);
}

static int add_line(text_builder *b, const line_reader *r, const layout *l, const char *line, size_t size)
{
    span columns[COLUMNS_MOST];
    examples *const e = b->out;
    const size_t n = split(line, size, columns);
    if (n != l->columns)
        return app_fail(APP_DATA, app_input_path(r->in), "line %zu has %zu columns, must have %zu", r->number, n, l->columns);
    if (e->count == INT32_MAX)
        return app_fail(APP_DATA, app_input_path(r->in), "has more than %d lines", INT32_MAX);
    if (!grow_all(b))
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (l->target < n && !label_of(b, &columns[l->target], &e->labels[e->count]))
        return fail_label(b, r);
    const span *const text = &columns[l->text];
    const size_t start = e->starts[e->count];
    e->starts[e->count + 1] = start + text_ids(b->settings, text->text, text->size, e->ids + start);
    e->count++;
    return APP_OK;
}

static int read_lines(text_builder *b, line_reader *r, const char *target)
{
    layout l = { 0, 0, 0 };
    char *line = NULL;
    size_t size = 0;
    int code = read_layout(r, target, &l);
    while (code == APP_OK && (code = next_line(r, &line, &size)) == APP_OK && line != NULL)
        if (size > 0) /* an empty line is no record */
            code = add_line(b, r, &l, line, size);
    if (code == APP_OK && b->out->count == 0)
        code = app_fail(APP_DATA, app_input_path(r->in), "has no records");
    if (target == NULL) {
        free(b->out->labels);
        b->out->labels = NULL;
    }
    return code;
}

int text_read(examples *out, const char *path, const char *target, uint32_t classes, const char *const *names,
    const text_settings *settings)
{
    text_builder b = { .out = out, .settings = settings, .names = names };
    line_reader r = { .capacity = LINE_FIRST };
    *out = (examples){ .kind = EXAMPLES_TOKENS, .width = (size_t)1 << settings->bits, .classes = classes };
    int code = app_input_open(&r.in, path);
    if (code == APP_OK && (r.bytes = malloc(r.capacity)) == NULL)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = read_lines(&b, &r, target);
    if (r.bytes != NULL)
        sodium_memzero(r.bytes, r.capacity);
    free(r.bytes);
    app_input_close(r.in);
    return code;
}
