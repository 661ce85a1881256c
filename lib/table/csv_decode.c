/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_decode.c - from codes to the text of a CSV file. */
#include "csv_decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A bin of a column without a step is written with as many decimals as give it at least this many values. */
#define LEAST_VALUES_LOG10 3
#define LARGEST_WITHOUT_EXPONENT 1e15

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

size_t nw__csv_quote(const char *text, char *out)
{
    const size_t length = strlen(text);
    const bool has_mark = strncmp(text, "\xEF\xBB\xBF", 3) == 0; /* would be taken for the file's byte order mark */
    const bool has_edge_blanks = length > 0 && (is_blank(text[0]) || is_blank(text[length - 1]));
    const bool is_quoted = has_mark || has_edge_blanks || strpbrk(text, ",\"\r\n") != NULL;
    size_t n = 0;
    for (size_t i = 0; i <= length + 1; i++) {
        const bool is_edge = i == 0 || i == length + 1;
        if (is_edge ? is_quoted : text[i - 1] == '"') {
            if (out != NULL)
                out[n] = '"';
            n++;
        }
        if (!is_edge) {
            if (out != NULL)
                out[n] = text[i - 1];
            n++;
        }
    }
    return n;
}

/* ---- codes with a text of their own ---- */

static size_t format_grid_value(const nw__domain *domain, int64_t k, char *out)
{
    const int64_t scaled = domain->scaled_lower + k * domain->scaled_step;
    if (domain->column.type != NW_COLUMN_DATE)
        return nw__format_decimal(scaled, domain->decimals, out);
    nw__format_date(scaled, out);
    return 10;
}

/* The text of a code that is not "missing" in a column without bins; written unless `out` is NULL. */
static size_t own_text(const nw__domain *domain, uint32_t code, char *out)
{
    char text[NW__NUMBER_TEXT_SIZE];
    if (domain->labels != NULL)
        return nw__csv_quote(domain->labels[code], out);
    if (domain->column.type == NW_COLUMN_BOOL)
        return nw__csv_quote(code == 1 ? "true" : "false", out);
    const size_t n = format_grid_value(domain, code, text);
    if (out != NULL)
        memcpy(out, text, n);
    return n;
}

static bool write_texts(nw__decoder *decoder, bool is_alone)
{
    const nw__domain *domain = decoder->domain;
    const uint32_t cells = domain->column.cells;
    const uint32_t own = domain->edges == NULL ? domain->bins : 0; /* codes from here on have no text, or are missing */
    const size_t missing = is_alone ? 2 : 0;                       /* "" or nothing */
    size_t total = missing;
    for (uint32_t code = 0; code < own; code++)
        total += own_text(domain, code, NULL);
    decoder->text = nw__calloc(total + 1, 1);
    decoder->offsets = nw__calloc((size_t)cells + 1, sizeof *decoder->offsets);
    if (decoder->text == NULL || decoder->offsets == NULL)
        return false;
    uint32_t at = 0;
    for (uint32_t code = 0; code < cells; code++) {
        decoder->offsets[code] = at;
        if (code < own)
            at += (uint32_t)own_text(domain, code, decoder->text + at);
        else if (code >= domain->bins) {
            memcpy(decoder->text + at, "\"\"", missing);
            at += (uint32_t)missing;
        }
        const size_t length = at - decoder->offsets[code];
        decoder->longest = length > decoder->longest ? length : decoder->longest;
    }
    decoder->offsets[cells] = at;
    return true;
}

/* ---- bins ---- */

/* Whether the text of m / 10^decimals, read back, is a number of bin b and inside the bounds. */
static bool is_in_bin(const nw__domain *domain, uint32_t b, int64_t m, int decimals)
{
    char text[NW__NUMBER_TEXT_SIZE];
    double x;
    return nw__parse_number(text, nw__format_decimal(m, decimals, text), &x) && x >= domain->column.lower &&
           x <= domain->column.upper && nw__domain_encode_number(domain, x) == b;
}

/* A bin of one real number, which a rule compares with: the fewest decimals that give it. */
static nw__bin point_bin(double x)
{
    nw__bin bin = { .count = 1, .power = 1 };
    while (!nw__scale_decimal(x, bin.decimals, bin.power, &bin.first)) {
        bin.decimals++;
        bin.power *= 10;
    }
    return bin;
}

/* A column without a step: decimals for at least 10^3 values in the bin; then the first and the last of them, found by trying
 * around where rounding may have put them. */
static nw__bin real_bin(const nw__domain *domain, uint32_t b)
{
    const double low = domain->edges[b];
    const double high = domain->edges[b + 1];
    if (high == nextafter(low, INFINITY))
        return point_bin(low);
    nw__bin bin = { .decimals = (int)ceil(LEAST_VALUES_LOG10 - log10(high - low)) };
    if (bin.decimals < 0 && fmax(fabs(low), fabs(high)) < LARGEST_WITHOUT_EXPONENT)
        bin.decimals = 0;
    bin.power = pow(10, bin.decimals);
    bin.first = llround(low * bin.power);
    while (is_in_bin(domain, b, bin.first - 1, bin.decimals))
        bin.first--;
    while (!is_in_bin(domain, b, bin.first, bin.decimals))
        bin.first++;
    int64_t last = llround(high * bin.power);
    while (is_in_bin(domain, b, last + 1, bin.decimals))
        last++;
    while (!is_in_bin(domain, b, last, bin.decimals))
        last--;
    bin.count = (uint64_t)(last - bin.first) + 1;
    bin.from = nw__domain_to_scale(domain, low);
    bin.to = nw__domain_to_scale(domain, high);
    return bin;
}

static nw__bin grid_bin(const nw__domain *domain, uint32_t b)
{
    const nw_column *c = &domain->column;
    const double first = domain->edges[b];
    const double end = domain->edges[b + 1];
    return (nw__bin){
        .first = (int64_t)first,
        .count = (uint64_t)(end - first),
        .from = nw__domain_to_scale(domain, c->lower + first * c->step),
        .to = nw__domain_to_scale(domain, c->lower + end * c->step),
    };
}

static bool make_bins(nw__decoder *decoder)
{
    const nw__domain *domain = decoder->domain;
    if (domain->edges == NULL)
        return true;
    decoder->bins = nw__calloc(domain->bins, sizeof *decoder->bins);
    if (decoder->bins == NULL)
        return false;
    decoder->longest = NW__NUMBER_TEXT_SIZE;
    return true;
}

/* Few of many bins occur: each is worked out when it first does. */
static const nw__bin *bin_of(const nw__decoder *decoder, uint32_t code)
{
    nw__bin *bin = &decoder->bins[code];
    if (bin->count == 0)
        *bin = decoder->domain->column.step > 0 ? grid_bin(decoder->domain, code) : real_bin(decoder->domain, code);
    return bin;
}

nw_status nw__decoder_new(nw__decoder *decoder, const nw__domain *domain, bool is_alone, nw_error *err, const char *function)
{
    *decoder = (nw__decoder){ .domain = domain };
    return write_texts(decoder, is_alone) && make_bins(decoder) ? NW_OK : nw__fail_memory(err, function);
}

void nw__decoder_free(nw__decoder *decoder)
{
    free(decoder->text);
    free(decoder->offsets);
    free(decoder->bins);
}

/* m log-uniform: a point of the scale is drawn, and belongs to the value at or below it. */
static nw_status draw_log(
    const nw__decoder *decoder, const nw__bin *bin, int64_t low, int64_t high, nw_rng *rng, int64_t *m, nw_error *err)
{
    const nw__domain *domain = decoder->domain;
    const nw_column *c = &domain->column;
    const bool is_whole = low == bin->first && high == bin->first + (int64_t)bin->count - 1;
    double from = bin->from;
    double to = bin->to;
    if (!is_whole) { /* a part of a bin of a grid */
        from = nw__domain_to_scale(domain, c->lower + (double)low * c->step);
        to = nw__domain_to_scale(domain, c->lower + ((double)high + 1.0) * c->step);
    }
    uint64_t bits;
    NW__TRY(nw_rng_uniform(rng, UINT64_C(1) << 53, &bits, err));
    const double x = nw__domain_from_scale(domain, from + (to - from) * ((double)bits * 0x1p-53));
    const double at = floor(c->step > 0 ? (x - c->lower) / c->step : x * bin->power);
    *m = (int64_t)fmin(fmax(at, (double)low), (double)high); /* rounding may lead just outside */
    return NW_OK;
}

nw_status nw__decoder_choose(
    const nw__decoder *decoder, uint32_t code, int64_t low, int64_t high, nw_rng *rng, int64_t *m, nw_error *err)
{
    uint64_t offset;
    if (decoder->domain->column.is_log)
        return draw_log(decoder, bin_of(decoder, code), low, high, rng, m, err);
    NW__TRY(nw_rng_uniform(rng, (uint64_t)(high - low) + 1, &offset, err));
    *m = low + (int64_t)offset;
    return NW_OK;
}

size_t nw__decoder_format(const nw__decoder *decoder, uint32_t code, int64_t m, char *out)
{
    const bool is_grid = decoder->domain->column.step > 0;
    return is_grid ? format_grid_value(decoder->domain, m, out) : nw__format_decimal(m, bin_of(decoder, code)->decimals, out);
}

nw_status nw__decoder_draw(const nw__decoder *decoder, uint32_t code, nw_rng *rng, char *out, size_t *length, nw_error *err)
{
    const nw__bin *bin = bin_of(decoder, code);
    int64_t m;
    NW__TRY(nw__decoder_choose(decoder, code, bin->first, bin->first + (int64_t)bin->count - 1, rng, &m, err));
    *length = nw__decoder_format(decoder, code, m, out);
    return NW_OK;
}

/* The multiple of the largest power of ten among low, low + step, .. high. */
static int64_t roundest(int64_t low, int64_t high, int64_t step)
{
    for (int64_t power = INT64_C(1000000000000000); power > 1; power /= 10) { /* grid values stay below 2^62 */
        int64_t m = low / power * power;
        m += m < low ? power : 0;
        for (int tries = 0; m <= high && tries < 10; tries++, m += power)
            if ((m - low) % step == 0)
                return m;
    }
    return low;
}

void nw__decoder_round(const nw__decoder *decoder, uint32_t code, char *out, size_t *length)
{
    const nw__domain *domain = decoder->domain;
    const nw__bin *bin = bin_of(decoder, code);
    const int64_t last = bin->first + (int64_t)bin->count - 1;
    if (domain->column.type == NW_COLUMN_DATE) {
        *length = format_grid_value(domain, bin->first, out);
        return;
    }
    if (domain->column.step > 0) {
        const int64_t low = domain->scaled_lower + bin->first * domain->scaled_step;
        const int64_t high = domain->scaled_lower + last * domain->scaled_step;
        *length = nw__format_decimal(roundest(low, high, domain->scaled_step), domain->decimals, out);
        return;
    }
    int64_t m = roundest(bin->first, last, 1);
    int decimals = bin->decimals;
    for (; decimals > 0 && m % 10 == 0; decimals--)
        m /= 10;
    *length = nw__format_decimal(m, decimals, out);
}
