/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "plain_csv.h"

#include <stdlib.h>

typedef enum position { AT_START, IN_PLAIN, IN_QUOTES, AFTER_QUOTE, AFTER_RETURN } position;

typedef struct parse {
    plain_csv csv;
    plain_cell cell;
    size_t line;
    size_t first_line; /* where the cell begins */
    size_t number;     /* of the cell in its row */
} parse;

static void add_byte(parse *p, char byte)
{
    p->cell.text = realloc(p->cell.text, p->cell.length + 1);
    p->cell.text[p->cell.length++] = byte;
}

static position end_cell(parse *p, char stop)
{
    p->cell.stop = stop;
    p->csv.cells = realloc(p->csv.cells, (p->csv.count + 1) * sizeof *p->csv.cells);
    p->csv.cells[p->csv.count++] = p->cell;
    p->cell = (plain_cell){0};
    p->number = stop == ',' ? p->number + 1 : 1;
    p->first_line = p->line + (stop == '\n');
    return AT_START;
}

static void refuse(parse *p, size_t line, const char *why)
{
    p->csv.error = why;
    p->csv.error_line = line;
    p->csv.error_cell = p->number;
}

static position step(parse *p, position at, char byte)
{
    switch (at) {
    case AT_START:
    case IN_PLAIN:
        if (byte == ',' || byte == '\n')
            return end_cell(p, byte);
        if (byte == '\r')
            return AFTER_RETURN;
        if (byte == '"' && at == AT_START) {
            p->cell.is_quoted = true;
            return IN_QUOTES;
        }
        if (byte == '"')
            refuse(p, p->line, "a quote inside an unquoted cell");
        if (byte == '\0')
            refuse(p, p->line, "a NUL byte");
        add_byte(p, byte);
        return IN_PLAIN;
    case IN_QUOTES:
        if (byte == '"')
            return AFTER_QUOTE;
        if (byte == '\0')
            refuse(p, p->line, "a NUL byte");
        add_byte(p, byte);
        return IN_QUOTES;
    case AFTER_QUOTE:
        if (byte == ',' || byte == '\n')
            return end_cell(p, byte);
        if (byte == '\r')
            return AFTER_RETURN;
        if (byte == '"') {
            add_byte(p, byte);
            return IN_QUOTES;
        }
        refuse(p, p->line, byte == '\0' ? "a NUL byte" : "text after the closing quote");
        return AFTER_QUOTE;
    case AFTER_RETURN:
        if (byte == '\n')
            return end_cell(p, '\n');
        refuse(p, p->line, "a carriage return without a line feed");
        return AFTER_RETURN;
    }
    abort();
}

plain_csv plain_csv_parse(const char *bytes, size_t n)
{
    parse p = {.line = 1, .first_line = 1, .number = 1};
    position at = AT_START;
    for (size_t i = 0; i < n && p.csv.error == NULL; i++) {
        at = step(&p, at, bytes[i]);
        p.line += bytes[i] == '\n';
    }
    if (p.csv.error == NULL && at == IN_QUOTES)
        refuse(&p, p.first_line, "never closed");
    if (p.csv.error == NULL && at == AFTER_RETURN)
        refuse(&p, p.line, "a carriage return without a line feed");
    if (p.csv.error == NULL)
        (void)end_cell(&p, '\0');
    free(p.cell.text);
    return p.csv;
}

void plain_csv_free(plain_csv *csv)
{
    for (size_t i = 0; i < csv->count; i++)
        free(csv->cells[i].text);
    free(csv->cells);
}
