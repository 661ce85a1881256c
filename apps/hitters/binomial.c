/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* binomial.c - single draws by inversion where few successes are expected, else by transformed rejection [Hor93, BTRS]; many
 * draws of one law by inversion with a guide table [CA74]. */
#include "binomial.h"

#include <math.h>
#include <stdlib.h>

enum { BUFFER_WORDS = 512, GUIDE_BITS = 10 };
static const double FEW_SUCCESSES = 10.0; /* BTRS is for n p at or above it */
static const double REACH = 9.0;          /* deviations that a table covers: 1e-18 of a normal law lies beyond */

void words_open(words *w, nw_rng *rng)
{
    w->rng = rng;
    w->used = BUFFER_WORDS;
    w->status = NW_OK;
}

uint64_t words_next(words *w)
{
    if (w->used == BUFFER_WORDS) {
        const nw_status status = nw_rng_bytes(w->rng, w->buffer, sizeof w->buffer, NULL);
        w->status = w->status == NW_OK ? status : w->status;
        w->used = 0;
    }
    return w->buffer[w->used++];
}

/* Uniform in (0, 1). */
static double unit(words *w)
{
    return ((double)(words_next(w) >> 12) + 0.5) * 0x1p-52;
}

static double log_binomial(double n, double k, double p)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log1p(-p);
}

static uint64_t invert(words *w, double n, double p)
{
    const double odds = p / (1.0 - p);
    double mass = exp(n * log1p(-p));
    double u = unit(w);
    double k = 0.0;
    while (u > mass && k < n) {
        u -= mass;
        k += 1.0;
        mass *= odds * (n - k + 1.0) / k;
    }
    return (uint64_t)k;
}

/* [Hor93], algorithm BTRS, p <= 1/2. */
static uint64_t reject(words *w, double n, double p)
{
    const double deviation = sqrt(n * p * (1.0 - p));
    const double b = 1.15 + 2.53 * deviation;
    const double a = -0.0873 + 0.0248 * b + 0.01 * p;
    const double c = n * p + 0.5;
    const double v_r = 0.92 - 4.2 / b;
    const double alpha = (2.83 + 5.1 / b) * deviation;
    const double mode = floor((n + 1.0) * p);
    for (;;) {
        const double u = unit(w) - 0.5;
        const double v = unit(w);
        const double us = 0.5 - fabs(u);
        const double k = floor((2.0 * a / us + b) * u + c);
        if (us >= 0.07 && v <= v_r)
            return (uint64_t)k;
        if (k < 0.0 || k > n)
            continue;
        if (log(v * alpha / (a / (us * us) + b)) <= log_binomial(n, k, p) - log_binomial(n, mode, p))
            return (uint64_t)k;
    }
}

uint64_t binomial_draw(words *w, uint64_t n, double p)
{
    if (n == 0 || p <= 0.0)
        return 0;
    if (p >= 1.0)
        return n;
    if (p > 0.5)
        return n - binomial_draw(w, n, 1.0 - p);
    return (double)n * p < FEW_SUCCESSES ? invert(w, (double)n, p) : reject(w, (double)n, p);
}

struct binomial_law {
    uint64_t first; /* value of entry 0 */
    size_t size;
    uint64_t *upto;                         /* 2^64 times the distribution function; the last is 2^64 - 1 */
    uint32_t guide[(1u << GUIDE_BITS) + 1]; /* where to begin to look, by the leading bits */
};

binomial_law *binomial_law_new(uint64_t n, double p)
{
    const double mean = (double)n * p;
    const double reach = REACH * sqrt(mean * (1.0 - p)) + 20.0;
    const uint64_t first = mean > reach ? (uint64_t)(mean - reach) : 0;
    const uint64_t last = mean + reach < (double)n ? (uint64_t)(mean + reach) : n;
    binomial_law *law = calloc(1, sizeof *law);
    uint64_t *upto = calloc(last - first + 1, sizeof *upto);
    double sum = 0.0;
    size_t at = 0;
    if (law == NULL || upto == NULL) {
        free(law);
        free(upto);
        return NULL;
    }
    law->first = first;
    law->size = (size_t)(last - first + 1);
    law->upto = upto;
    for (size_t i = 0; i < law->size; i++) {
        const double k = (double)(first + i);
        sum += p > 0.0 && p < 1.0 ? exp(log_binomial((double)n, k, p)) : k == mean ? 1.0 : 0.0;
        upto[i] = sum >= 1.0 ? UINT64_MAX : (uint64_t)ldexp(sum, 64);
    }
    upto[law->size - 1] = UINT64_MAX;
    for (size_t g = 0; g <= (size_t)1 << GUIDE_BITS; g++) {
        const uint64_t from = g == (size_t)1 << GUIDE_BITS ? UINT64_MAX : (uint64_t)g << (64 - GUIDE_BITS);
        while (upto[at] < from)
            at++;
        law->guide[g] = (uint32_t)at;
    }
    return law;
}

void binomial_law_free(binomial_law *law)
{
    if (law == NULL)
        return;
    free(law->upto);
    free(law);
}

uint64_t binomial_law_draw(const binomial_law *law, words *w)
{
    const uint64_t u = words_next(w);
    size_t at = law->guide[u >> (64 - GUIDE_BITS)];
    size_t beyond = law->guide[(u >> (64 - GUIDE_BITS)) + 1];
    while (at < beyond) { /* the least entry that is at least u */
        const size_t middle = at + (beyond - at) / 2;
        if (law->upto[middle] < u)
            at = middle + 1;
        else
            beyond = middle;
    }
    return law->first + at;
}
