/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* population_file.c - a file of lines "party TAB item TAB count", its columns in any order, with a header or without. */
#include "population.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/numbers.h"
#include "lines.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { PARTY, ITEM, COUNT, ROLES, MOST_COLUMNS = 64, NO_COLUMN = MOST_COLUMNS };
static const char *const role_names[ROLES] = { "party", "item", "count" };

typedef struct party_name {
    char *name;
    uint32_t index;
} party_name;

typedef struct loader {
    population *p;
    const population_file *file;
    size_t column[ROLES]; /* NO_COLUMN: there is none */
    size_t room;
    size_t text_room;
    void *names; /* tsearch */
    line_reader *lines;
} loader;

typedef struct cell {
    const char *text;
    size_t size;
} cell;

static size_t split_cells(const char *line, size_t size, cell cells[MOST_COLUMNS])
{
    size_t n = 0;
    for (const char *end = line + size; n < MOST_COLUMNS;) {
        const char *tab = memchr(line, '\t', (size_t)(end - line));
        cells[n++] = (cell){ line, (size_t)((tab == NULL ? end : tab) - line) };
        if (tab == NULL)
            break;
        line = tab + 1;
    }
    return n;
}

static bool is_text(cell c, const char *text)
{
    return strlen(text) == c.size && memcmp(text, c.text, c.size) == 0;
}

static bool parse_users(cell c, uint64_t *users)
{
    char text[32];
    if (c.size == 0 || c.size >= sizeof text)
        return false;
    memcpy(text, c.text, c.size);
    text[c.size] = '\0';
    return app_parse_count(text, users) && *users <= UINT64_C(1000000000000000);
}

/* ---- which column is what ---- */

/* The role of the wanted column i of n: by its word, else by its place. */
static int role_of(cell wanted, size_t i, size_t n, bool by_word)
{
    static const int places[ROLES + 1][ROLES] = { { 0 }, { ITEM }, { ITEM, COUNT }, { PARTY, ITEM, COUNT } };
    if (!by_word)
        return places[n][i];
    for (int r = 0; r < ROLES; r++)
        if (is_text(wanted, role_names[r]))
            return r;
    return ROLES;
}

static size_t split_wanted(const char *columns, cell wanted[ROLES])
{
    size_t n = 0;
    for (const char *at = columns;; at++) {
        const size_t size = strcspn(at, ",");
        if (n == ROLES)
            return ROLES + 1;
        wanted[n++] = (cell){ at, size };
        at += size;
        if (*at == '\0')
            return n;
    }
}

/* *is_header: whether the first line names columns, and holds no users. */
static int find_columns(loader *l, const cell *first, size_t n, bool *is_header)
{
    cell wanted[ROLES];
    const char *columns = l->file->columns;
    const size_t m = split_wanted(columns, wanted);
    bool by_word = m <= ROLES;
    size_t named = 0;
    uint64_t users;
    for (size_t i = 0; i < m && m <= ROLES; i++)
        by_word = by_word && role_of(wanted[i], i, m, true) != ROLES;
    for (int r = 0; r < ROLES; r++)
        l->column[r] = NO_COLUMN;
    for (size_t i = 0; i < m && m <= ROLES; i++) {
        const int role = role_of(wanted[i], i, m, by_word);
        for (size_t c = 0; c < n; c++) {
            if (wanted[i].size == first[c].size && memcmp(wanted[i].text, first[c].text, first[c].size) == 0) {
                l->column[role] = c;
                named++;
                break;
            }
        }
    }
    *is_header = named == m;
    if (!*is_header && by_word) { /* the words stand for the columns, one after the other */
        for (size_t i = 0; i < m; i++)
            l->column[role_of(wanted[i], i, m, true)] = i;
        *is_header = l->column[COUNT] < n && !parse_users(first[l->column[COUNT]], &users);
    } else if (!*is_header) {
        return app_fail(APP_USAGE, "--columns", "is \"%s\", must name columns of %s, or be of party,item,count in its order",
            columns, l->file->path);
    }
    if (l->column[ITEM] == NO_COLUMN)
        return app_fail(APP_USAGE, "--columns", "is \"%s\", must have an item", columns);
    return APP_OK;
}

/* ---- rows ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const party_name *)a)->name, ((const party_name *)b)->name);
}

static void free_name(void *node)
{
    free(node); /* the text is the population's */
}

static int find_party(loader *l, cell name, uint32_t *index)
{
    population *p = l->p;
    party_name *one = malloc(sizeof *one);
    char *text = strndup(name.text, name.size);
    if (one == NULL || text == NULL)
        goto lacking;
    *one = (party_name){ text, (uint32_t)p->party_count };
    party_name **found = tsearch(one, &l->names, compare_names);
    if (found == NULL)
        goto lacking;
    *index = (*found)->index;
    if (*found != one) {
        free(one);
        free(text);
        return APP_OK;
    }
    char **more = realloc(p->parties, (p->party_count + 1) * sizeof *more);
    if (more == NULL) {
        free(text);
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    p->parties = more;
    p->parties[p->party_count++] = text;
    return p->party_count <= 65536 ? APP_OK : app_fail(APP_DATA, l->file->path, "has more than 65536 parties");
lacking:
    free(one);
    free(text);
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

static int keep_text(loader *l, nw_ldp_item item, cell text)
{
    population *p = l->p;
    if (l->file->encoding != NW_HH_HASH)
        return APP_OK;
    if (p->text_count == l->text_room) {
        const size_t room = l->text_room == 0 ? 1024 : 2 * l->text_room;
        item_text *more = realloc(p->texts, room * sizeof *more);
        if (more == NULL)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        p->texts = more;
        l->text_room = room;
    }
    p->texts[p->text_count] = (item_text){ item, strndup(text.text, text.size) };
    return p->texts[p->text_count++].text == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
}

static int malformed(const loader *l, const char *what)
{
    return app_fail(APP_DATA, l->file->path, "line %zu: %s", lines_number(l->lines), what);
}

static int add_row(loader *l, const cell *cells, size_t n)
{
    population *p = l->p;
    holding h = { .users = 1 };
    for (int r = 0; r < ROLES; r++)
        if (l->column[r] != NO_COLUMN && l->column[r] >= n)
            return malformed(l, "has too few columns");
    if (l->column[COUNT] != NO_COLUMN && !parse_users(cells[l->column[COUNT]], &h.users))
        return malformed(l, "the count must be a whole number in [0, 1e15]");
    const cell item = cells[l->column[ITEM]];
    if (!nw_hh_encode(l->file->encoding, l->file->bits, l->file->key, item.text, item.size, &h.item))
        return malformed(l, "the item must be a whole number that fits --bits");
    const cell everyone = { "all", 3 };
    const cell party = l->column[PARTY] == NO_COLUMN ? everyone : cells[l->column[PARTY]];
    if (party.size == 0)
        return malformed(l, "the party has no name");
    int code = find_party(l, party, &h.party);
    if (code == APP_OK)
        code = keep_text(l, h.item, item);
    if (code != APP_OK)
        return code;
    if (p->n == l->room) {
        l->room = l->room == 0 ? 1024 : 2 * l->room;
        holding *more = realloc(p->holdings, l->room * sizeof *more);
        if (more == NULL)
            return app_fail(APP_INTERNAL, NULL, "out of memory");
        p->holdings = more;
    }
    p->holdings[p->n++] = h;
    return APP_OK;
}

static int read_rows(loader *l)
{
    cell cells[MOST_COLUMNS];
    const char *line;
    size_t size;
    bool is_header = false;
    int code;
    while ((code = lines_next(l->lines, &line, &size)) == APP_OK && line != NULL) {
        const size_t n = split_cells(line, size, cells);
        if (lines_number(l->lines) == 1) {
            code = find_columns(l, cells, n, &is_header);
            if (code != APP_OK)
                return code;
            if (is_header)
                continue;
        }
        code = add_row(l, cells, n);
        if (code != APP_OK)
            return code;
    }
    if (code == APP_OK && l->p->n == 0)
        code = app_fail(APP_DATA, l->file->path, "has no rows, must have at least one");
    return code;
}

static int by_code(const void *a, const void *b)
{
    return item_compare(((const item_text *)a)->code, ((const item_text *)b)->code);
}

int population_read(population *p, const population_file *file)
{
    loader l = { .p = p, .file = file };
    *p = (population){ 0 };
    int code = lines_open(&l.lines, file->path);
    if (code == APP_OK)
        code = read_rows(&l);
    lines_close(l.lines);
    tdestroy(l.names, free_name);
    if (code == APP_OK && p->text_count > 0)
        qsort(p->texts, p->text_count, sizeof *p->texts, by_code);
    if (code == APP_OK)
        code = population_settle(p);
    if (code == APP_OK && p->users == 0)
        code = app_fail(APP_DATA, file->path, "has no users, some count must be above 0");
    return code;
}
