/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_schema.c - any bytes as a schema. Of one that is taken: the columns are as the header promises, and what is written for a
 * code is read back as that code. */
#include "csv_decode.h"

#include <nw/testing.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define CODES_TRIED 12

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_schema: %s\n", what);
    abort();
}

/* A cell as the reader would see it. */
static size_t unquote(char *text, size_t length)
{
    if (length == 0 || text[0] != '"')
        return length;
    size_t n = 0;
    for (size_t i = 1; i + 1 < length; i++) {
        i += text[i] == '"';
        text[n++] = text[i];
    }
    return n;
}

static void check_code(const nw__decoder *decoder, uint32_t code, nw_rng *rng)
{
    const nw__domain *domain = decoder->domain;
    static char text[3 * 4096];
    size_t length;
    if (decoder->bins != NULL && code < domain->bins)
        require(nw__decoder_draw(decoder, code, rng, text, &length, NULL) == NW_OK, "a value cannot be drawn");
    else {
        length = decoder->offsets[code + 1] - decoder->offsets[code];
        memcpy(text, decoder->text + decoder->offsets[code], length);
    }
    require(length <= decoder->longest, "a text is longer than announced");
    length = unquote(text, length);
    const uint16_t back = length == 0 ? domain->missing_code : nw__domain_encode_text(domain, text, length);
    require(back == code, "a code does not come back");
}

static void check_column(const nw__domain *domain, nw_rng *rng)
{
    const nw_column *c = &domain->column;
    const double numbers[] = {
        -INFINITY, -1e300, -1, -0.0, 0, 1e-300, 0.5, 1, 1e5, 1e300, INFINITY, c->lower, c->upper, (c->lower + c->upper) / 2};
    require(c->name != NULL && c->name[0] != '\0' && c->cells >= 1 && c->cells <= 65535, "bad name or cells");
    require(c->lower <= c->upper && domain->bins + c->is_nullable == c->cells, "bad bounds or bins");
    if (domain->labels == NULL && c->type != NW_COLUMN_BOOL)
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            require(nw__domain_encode_number(domain, numbers[i]) < domain->bins, "a number falls out of the domain");
    nw__decoder decoder;
    require(nw__decoder_new(&decoder, domain, false, NULL, "fuzz") == NW_OK, "no decoder");
    for (uint32_t i = 0; i < CODES_TRIED; i++)
        check_code(&decoder, (uint32_t)((uint64_t)(c->cells - 1) * i / (CODES_TRIED - 1)), rng);
    nw__decoder_free(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = nw__calloc(n + 1, 1);
    nw_schema *schema;
    nw_error err;
    memcpy(text, bytes, n);
    const nw_status status = nw_schema_parse(&schema, text, n == 0 ? 0 : 1 + bytes[n / 2], &err);
    require(
        status == NW_OK || (status == NW_E_FORMAT && schema == NULL && err.message[0] != '\0'), "neither a schema nor a message");
    if (status == NW_OK) {
        nw_rng *rng;
        char hash[65];
        require(nw_rng_new_insecure_seeded(&rng, 1, NULL) == NW_OK, "no stream");
        for (size_t i = 0; i < nw_schema_columns(schema); i++)
            check_column(&schema->domains[i], rng);
        nw_schema_hash(schema, hash);
        require(strlen(hash) == 64, "a short hash");
        nw_rng_free(rng);
    }
    nw_schema_free(schema);
    free(text);
    return 0;
}
