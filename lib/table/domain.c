/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* domain.c - from a cell to its code: the bins of a numeric column, the hash of a categorical one. */
#include "table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A bin must be wider than the doubles in it are apart, or it could hold no number. 2^-40 leaves 12 bits: 4096 doubles a bin. */
enum { MOST_BINS = UINT16_MAX - 1 }; /* with one code more for a missing value */
#define NARROWEST_RELATIVE_BIN 0x1p-40
#define NARROWEST_BIN 1e-290 /* and a thousandth of it is still far from the end of the doubles */

/* How far, in bins, rounding may put a number from its place among bins of equal width: the edges and the distance from the first
 * are off by 2^-52 of the larger bound, which is at most 2^40 bins. 2^-10 leaves room. */
#define EDGE_MARGIN 0x1p-10

/* ---- scale ---- */

double nw__domain_to_scale(const nw__domain *domain, double x)
{
    if (!domain->column.is_log)
        return x;
    return domain->log_unit == 0 ? log(x) : copysign(log1p(fabs(x) / domain->log_unit), x);
}

double nw__domain_from_scale(const nw__domain *domain, double t)
{
    if (!domain->column.is_log)
        return t;
    return domain->log_unit == 0 ? exp(t) : copysign(domain->log_unit * expm1(fabs(t)), t);
}

/* ---- bins ---- */

/* Edges of equal width on the scale, rounded to whole steps; where that would leave a bin empty (the low end of a logarithm) it
 * gets one step, and later ones as many as are left. */
static void cut_grid(nw__domain *domain, double from, double to)
{
    const nw_column *c = &domain->column;
    const double bins = domain->bins;
    for (uint32_t b = 1; b < domain->bins; b++) {
        const double x = nw__domain_from_scale(domain, from + (to - from) * (b / bins));
        const double k = c->is_log ? round((x - c->lower) / c->step) : floor(domain->values * (b / bins));
        domain->edges[b] = fmin(fmax(k, domain->edges[b - 1] + 1), domain->values - (bins - b));
    }
    domain->edges[domain->bins] = domain->values;
}

static const char *cut_reals(nw__domain *domain, double from, double to)
{
    domain->edges[0] = domain->column.lower;
    for (uint32_t b = 1; b <= domain->bins; b++) {
        const bool is_last = b == domain->bins;
        double *e = &domain->edges[b];
        *e = is_last ? domain->column.upper : nw__domain_from_scale(domain, from + (to - from) * (b / (double)domain->bins));
        const double magnitude = fmax(fabs(e[-1]), fabs(e[0]));
        if (!(e[0] - e[-1] > fmax(magnitude * NARROWEST_RELATIVE_BIN, NARROWEST_BIN)))
            return "lower and upper are too close together for that many bins; give a step, or ask for fewer bins";
    }
    return NULL;
}

bool nw__domain_cut(nw__domain *domain, uint32_t max_bins, const char **why)
{
    const nw_column *c = &domain->column;
    *why = NULL;
    const bool has_grid = c->step > 0;
    if (has_grid && domain->values <= max_bins) {
        domain->bins = (uint32_t)domain->values;
        return true;
    }
    domain->bins = max_bins;
    domain->edges = nw__calloc((size_t)max_bins + 1, sizeof *domain->edges);
    if (domain->edges == NULL)
        return false;
    /* A logarithm needs an origin where bounds are not positive: a step is its natural unit, else a millionth of a bound. */
    if (c->is_log && c->lower <= 0)
        domain->log_unit = has_grid ? c->step : 1e-6 * fmax(fabs(c->lower), fabs(c->upper));
    const double end = has_grid ? c->lower + domain->values * c->step : c->upper;
    const double from = nw__domain_to_scale(domain, c->lower);
    const double to = nw__domain_to_scale(domain, end);
    if (has_grid)
        cut_grid(domain, from, to);
    else
        *why = cut_reals(domain, from, to);
    if (*why != NULL)
        return true;
    domain->inside_until = 1.0 - EDGE_MARGIN - (has_grid ? domain->bins / domain->values : 0.0); /* edges are rounded down */
    domain->bins_per_unit = domain->bins / (domain->edges[domain->bins] - domain->edges[0]);
    return true;
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A bin of real numbers holds one of them alone, or is wide enough to be written with decimals. */
static bool is_bin(const nw__domain *domain, double low, double high)
{
    if (domain->column.step > 0 || high == nextafter(low, INFINITY))
        return true;
    return high - low > fmax(fmax(fabs(low), fabs(high)) * NARROWEST_RELATIVE_BIN, NARROWEST_BIN);
}

/* Leaves out edges, at equal steps through those that are no cuts, until there are no more than MOST_BINS bins. */
static size_t thin_edges(double *edges, size_t count, const double *cuts, size_t n)
{
    if (count <= (size_t)MOST_BINS + 1)
        return count;
    const size_t surplus = count - MOST_BINS - 1;
    const size_t every = count / (surplus + 1) > 1 ? count / (surplus + 1) : 2;
    size_t kept = 0;
    size_t dropped = 0;
    size_t since = 0; /* the last that was dropped */
    for (size_t e = 0, i = 0; e < count; e++, since++) {
        while (i < n && cuts[i] < edges[e])
            i++;
        const bool is_needed = e == 0 || e + 1 == count || (i < n && cuts[i] == edges[e]);
        if (dropped < surplus && since >= every - 1 && !is_needed) {
            dropped++;
            since = 0;
            continue;
        }
        edges[kept++] = edges[e];
    }
    return kept;
}

bool nw__domain_cut_at(nw__domain *domain, double *cuts, size_t n, const char **why)
{
    *why = NULL;
    if (domain->edges == NULL || n == 0)
        return true;
    /* a cut just above the upper bound makes that bound a bin of its own */
    const double end = domain->column.step > 0 ? domain->values : nextafter(domain->column.upper, INFINITY);
    double *edges = nw__calloc((size_t)domain->bins + 1 + n, sizeof *edges);
    if (edges == NULL)
        return false;
    qsort(cuts, n, sizeof *cuts, compare_reals);
    size_t count = 0;
    for (size_t b = 0, i = 0; b <= domain->bins || i < n;) {
        const bool is_cut = b > domain->bins || (i < n && cuts[i] < domain->edges[b]);
        const double edge = is_cut ? cuts[i++] : domain->edges[b++];
        if (is_cut && (edge <= domain->edges[0] || edge > end))
            continue;
        if (count == 0 || edge > edges[count - 1])
            edges[count++] = edge;
    }
    count = thin_edges(edges, count, cuts, n);
    for (size_t b = 0; b + 1 < count; b++)
        if (!is_bin(domain, edges[b], edges[b + 1]))
            *why = "a rule compares with a number that is too close to another one, or to an edge of a bin; give a step";
    if (count - 1 > MOST_BINS)
        *why = "the rules cut it into more than 65534 bins";
    free(domain->edges);
    domain->edges = edges;
    domain->bins = (uint32_t)(count - 1);
    domain->is_uneven = true;
    return true;
}

/* The b with edges[b] <= y < edges[b+1]; y is in range. */
static uint32_t find_bin(const nw__domain *domain, double y)
{
    const double *edges = domain->edges;
    if (domain->column.is_log || domain->is_uneven) {
        uint32_t low = 0;
        for (uint32_t n = domain->bins; n > 1;) { /* y is in one of the n bins from low */
            const uint32_t half = n / 2;
            low = edges[low + half] <= y ? low + half : low;
            n -= half;
        }
        return low;
    }
    /* Equal width: the guess is off by one at most, for the rounding of edges, and right unless it is near an edge: then the
     * edges, which are many and seldom in a cache, need not be read. */
    const uint32_t last = domain->bins - 1;
    const double at = (y - edges[0]) * domain->bins_per_unit;
    uint32_t b = (uint32_t)at;
    b = b > last ? last : b;
    if (at - b >= EDGE_MARGIN && at - b < domain->inside_until)
        return b;
    while (y < edges[b])
        b--;
    while (b < last && y >= edges[b + 1])
        b++;
    return b;
}

/* The k of the value nearest to x, for lower < x < upper. */
static inline double grid_number(const nw__domain *domain, double x)
{
    const nw_column *c = &domain->column;
    const double k = (double)(int64_t)((x - c->lower) / c->step + 0.5); /* not negative, so the cast rounds down */
    return k < domain->values ? k : domain->values - 1;
}

uint16_t nw__domain_encode_number(const nw__domain *domain, double x)
{
    const nw_column *c = &domain->column;
    if (x <= c->lower)
        return 0;
    if (x >= c->upper)
        return (uint16_t)(domain->bins - 1);
    const double y = c->step > 0 ? grid_number(domain, x) : x;
    return domain->edges == NULL ? (uint16_t)y : (uint16_t)find_bin(domain, y);
}

bool nw__domain_index_integers(nw__domain *domain)
{
    domain->small = nw__calloc(NW__SMALL_INTEGERS, sizeof *domain->small);
    for (int i = 0; domain->small != NULL && i < NW__SMALL_INTEGERS; i++)
        domain->small[i] = nw__domain_encode_number(domain, i);
    return domain->small != NULL;
}

/* ---- labels ---- */

static inline uint64_t load_bytes(const char *text, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, text, n);
    return word;
}

/* Any spread will do: labels are public and chosen by the operator, and a lookup compares the text in the end. */
static inline uint64_t hash_text(const char *text, size_t length)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = length * odd;
    for (; length > 8; text += 8, length -= 8) {
        h = (h ^ load_bytes(text, 8)) * odd;
        h ^= h >> 32;
    }
    uint64_t tail = 0; /* 1..8 bytes, read with overlapping loads of fixed size */
    if (length >= 4)
        tail = load_bytes(text, 4) | load_bytes(text + length - 4, 4) << 32;
    else if (length > 0)
        tail = load_bytes(text, 1) | load_bytes(text + length / 2, 1) << 8 | load_bytes(text + length - 1, 1) << 16;
    h = (h ^ tail) * odd;
    return h ^ h >> 32;
}

/* The slot of a label: its own, or the free one where it would go. */
static inline nw__label_slot *find_slot(const nw__domain *domain, const char *text, size_t length)
{
    const uint64_t hash = hash_text(text, length);
    uint32_t i = (uint32_t)hash & domain->slot_mask;
    for (;; i = (i + 1) & domain->slot_mask) {
        nw__label_slot *slot = &domain->slots[i];
        if (slot->code_plus_one == 0)
            return slot;
        if (slot->hash == hash && slot->length == length && memcmp(domain->labels[slot->code_plus_one - 1], text, length) == 0)
            return slot;
    }
}

bool nw__domain_index_labels(nw__domain *domain, const char **duplicate)
{
    *duplicate = NULL;
    uint32_t slots = 4;
    while (slots < 2 * domain->bins)
        slots *= 2;
    domain->slots = nw__calloc(slots, sizeof *domain->slots);
    if (domain->slots == NULL)
        return false;
    domain->slot_mask = slots - 1;
    for (uint32_t i = 0; i < domain->bins; i++) {
        const char *label = domain->labels[i];
        const size_t length = strlen(label);
        nw__label_slot *slot = find_slot(domain, label, length);
        if (slot->code_plus_one != 0) {
            *duplicate = label;
            return true;
        }
        *slot = (nw__label_slot){ hash_text(label, length), (uint32_t)length, i + 1 };
    }
    return true;
}

bool nw__domain_find_label(const nw__domain *domain, const char *text, size_t length, uint16_t *code)
{
    const nw__label_slot *slot = find_slot(domain, text, length);
    *code = (uint16_t)(slot->code_plus_one - 1);
    return slot->code_plus_one != 0;
}

uint16_t nw__domain_encode_label(const nw__domain *domain, const char *text, size_t length)
{
    uint16_t code;
    return nw__domain_find_label(domain, text, length, &code) ? code : domain->unknown_code;
}

static uint16_t encode_bool(const nw__domain *domain, const char *text, size_t length)
{
    static const char *const words[2][4] = { { "false", "0", "no", "f" }, { "true", "1", "yes", "t" } };
    for (uint16_t code = 0; code < 2; code++)
        for (size_t i = 0; i < 4; i++)
            if (strlen(words[code][i]) == length && strncasecmp(words[code][i], text, length) == 0)
                return code;
    return domain->missing_code;
}

uint16_t nw__domain_encode_text(const nw__domain *domain, const char *text, size_t length)
{
    double x;
    int64_t integer; /* or days */
    switch (domain->column.type) {
    case NW_COLUMN_CATEGORICAL: return nw__domain_encode_label(domain, text, length);
    case NW_COLUMN_BOOL: return encode_bool(domain, text, length);
    case NW_COLUMN_TEXT: return 0;
    case NW_COLUMN_DATE:
        return nw__parse_date(text, length, &integer) ? nw__domain_encode_number(domain, (double)integer) : domain->missing_code;
    case NW_COLUMN_CODE:
    case NW_COLUMN_INT:
    case NW_COLUMN_FLOAT:
        if (nw__parse_short_number(text, length, &x))
            return x < NW__SMALL_INTEGERS && x == (int)x ? domain->small[(int)x] : nw__domain_encode_number(domain, x);
        return nw__parse_number(text, length, &x) ? nw__domain_encode_number(domain, x) : domain->missing_code;
    }
    return domain->missing_code;
}

static double clamp(const nw_column *c, double x)
{
    return fmin(fmax(x, c->lower), c->upper);
}

double nw__domain_read_value(const nw__domain *domain, const char *text, size_t length)
{
    double x;
    int64_t days;
    const nw_column *c = &domain->column;
    if (c->type == NW_COLUMN_DATE && nw__parse_date(text, length, &days))
        return clamp(c, (double)days);
    if ((c->type == NW_COLUMN_INT || c->type == NW_COLUMN_FLOAT) && nw__parse_number(text, length, &x))
        return clamp(c, x);
    const bool has_codes = c->type == NW_COLUMN_CATEGORICAL || c->type == NW_COLUMN_BOOL || c->type == NW_COLUMN_CODE;
    const uint16_t code = has_codes && length > 0 ? nw__domain_encode_text(domain, text, length) : domain->missing_code;
    if (code < domain->bins && has_codes)
        return code;
    return c->is_nullable ? NAN : c->lower;
}

int64_t nw__domain_grid_number(const nw__domain *domain, double x)
{
    if (x <= domain->column.lower)
        return 0;
    return (int64_t)(x >= domain->column.upper ? domain->values - 1 : grid_number(domain, x));
}

static void *copy_array(const void *array, size_t n, size_t size)
{
    void *copy = nw__calloc(n, size);
    if (copy != NULL)
        memcpy(copy, array, n * size);
    return copy;
}

bool nw__domain_copy(nw__domain *copy, const nw__domain *domain)
{
    *copy = *domain;
    copy->labels = NULL;
    copy->slots = NULL;
    copy->small = NULL;
    copy->edges = NULL;
    copy->column.name = nw__strdup(domain->column.name);
    if (copy->column.name == NULL)
        return false;
    if (domain->edges != NULL) {
        copy->edges = copy_array(domain->edges, (size_t)domain->bins + 1, sizeof *domain->edges);
        return copy->edges != NULL;
    }
    if (domain->labels == NULL)
        return true;
    copy->labels = nw__calloc(domain->bins, sizeof *copy->labels);
    copy->slots = copy_array(domain->slots, (size_t)domain->slot_mask + 1, sizeof *domain->slots);
    bool is_whole = copy->labels != NULL && copy->slots != NULL;
    for (uint32_t b = 0; is_whole && b < domain->bins; b++) {
        copy->labels[b] = nw__strdup(domain->labels[b]);
        is_whole = copy->labels[b] != NULL;
    }
    return is_whole;
}

bool nw__domain_is_label(const nw__domain *domain)
{
    return domain->column.type == NW_COLUMN_CATEGORICAL || domain->column.type == NW_COLUMN_BOOL ||
           domain->column.type == NW_COLUMN_TEXT;
}

void nw__domain_free(nw__domain *domain)
{
    for (uint32_t i = 0; domain->labels != NULL && i < domain->bins; i++)
        free(domain->labels[i]);
    free(domain->labels);
    free(domain->slots);
    free(domain->edges);
    free(domain->small);
    free((char *)(uintptr_t)domain->column.name);
}
