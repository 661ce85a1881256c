/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* campaign.c - from options to a campaign: what was left open is what has the least variance. Real arithmetic only finds
 * candidates; a campaign's probabilities are the client's integers. */
#include "server.h"

#include <math.h>
#include <string.h>

void nw_ldp_campaign_opts_init(nw_ldp_campaign_opts *opts, size_t struct_size)
{
    const nw_ldp_campaign_opts defaults = NW_LDP_CAMPAIGN_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

nw_status nw_ldp_oracle_parse(const char *name, nw_ldp_oracle *out, nw_error *err)
{
    if (name == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", name == NULL ? "name" : "out");
    for (unsigned i = NW_LDP_GRR; i <= NW_LDP_SQUARE_WAVE; i++)
        if (strcmp(name, nw_ldp_oracle_name((nw_ldp_oracle)i)) == 0) {
            *out = (nw_ldp_oracle)i;
            return NW_OK;
        }
    return nw__fail(err, NW_E_ARG, __func__,
        "oracle is %.40s, must be grr, sue, oue, olh, blh, hadamard, subset, projective, duchi, piecewise, hybrid or square_wave",
        name);
}

/* ---- the best parameter ---- */

/* Variance of an item that nobody holds, or of a mean; INFINITY if there is no such campaign. */
static double variance_of(nw_ldp_campaign *c)
{
    if (nw__ldp_campaign_complete(c) != NW_OK)
        return INFINITY;
    if (nw__ldp_is_number(c->oracle))
        return nw__ldp_mean_variance(c);
    const nw_ldp_law law = nw_ldp_campaign_law(c);
    return law.other_variance / ((law.own - law.other) * (law.own - law.other));
}

/* Keeps the better of two candidates; the first one if they are equal. */
static void improve(nw_ldp_campaign *best, double *least, nw_ldp_campaign candidate)
{
    const double variance = variance_of(&candidate);
    if (variance < *least) {
        *least = variance;
        *best = candidate;
    }
}

static uint32_t clamp(double x, double low, double high)
{
    return (uint32_t)fmax(low, fmin(high, x));
}

static uint32_t prime_near(uint32_t from, int step)
{
    for (uint32_t q = from; q >= 2 && q <= NW__LDP_MOST_SYMBOLS; q = (uint32_t)((int)q + step)) {
        bool is_prime = true;
        for (uint32_t i = 2; i * i <= q && is_prime; i++)
            is_prime = q % i != 0;
        if (is_prime)
            return q;
    }
    return 2;
}

static void choose_symbols(nw_ldp_campaign *best, double *least, nw_ldp_campaign c)
{
    const double ideal = exp((double)c.epsilon * 0x1p-32) + 1.0;
    const double w = (double)c.domain / ideal;
    for (int up = 0; up < 2; up++) {
        switch (c.oracle) {
        case NW_LDP_OLH: c.symbols = clamp(floor(ideal) + up, 2.0, NW__LDP_MOST_SYMBOLS); break;
        case NW_LDP_BLH: c.symbols = 1u << clamp(floor(log2(ideal)) + up, 1.0, NW__LDP_MOST_LOG2); break;
        case NW_LDP_SUBSET: c.symbols = clamp(floor(w) + up, 1.0, (double)c.domain - 1.0); break;
        case NW_LDP_PROJECTIVE:
            c.symbols = prime_near(clamp(floor(ideal) + up, 2.0, NW__LDP_MOST_SYMBOLS), up == 0 ? -1 : 1);
            break;
        default: break;
        }
        improve(best, least, c);
    }
}

static void choose_blocks(nw_ldp_campaign *best, double *least, nw_ldp_campaign c)
{
    for (c.symbols = 1; c.symbols <= c.domain && c.symbols <= NW__LDP_MOST_OUTPUTS; c.symbols *= 2)
        improve(best, least, c);
}

/* Steps between the ends of a number: rounding to them adds 2^-32 to the variance. */
enum { STEPS = 32768 };

static void choose_band(nw_ldp_campaign *best, double *least, nw_ldp_campaign c)
{
    const double s = exp((double)c.epsilon * 0x1p-33); /* band / cells = 1 / (s + 1)  [WXYZHSSY19, sec. III-B] */
    for (int up = 0; up < 2; up++) {
        c.band = clamp(floor(STEPS / s) + up, 1.0, NW__LDP_MOST_CELLS - STEPS);
        c.symbols = STEPS + c.band;
        improve(best, least, c);
    }
}

/* What a report tells about an evenly spread number, in nats, but for terms that are the same for all bands. */
static double wave_information(double ratio, double domain, double band)
{
    const double outputs = domain + band - 1.0;
    const double outside = 1.0 / (ratio * band + outputs - band);
    return log(outputs) + band * ratio * outside * log(ratio * outside) + (outputs - band) * outside * log(outside);
}

/* Half the band is b = (e eps - e + 1) / (2 e (e - 1 - eps)) of the range, e = e^eps  [LWLJ20, sec. 5.3], in cells one of the two
 * integers beside it. */
static void choose_wave(nw_ldp_campaign *best, double *least, nw_ldp_campaign c)
{
    const double epsilon = (double)c.epsilon * 0x1p-32;
    const double e = exp(epsilon);
    const double b = (e * epsilon - e + 1.0) / (2.0 * e * (e - 1.0 - epsilon));
    const double half = fmax(0.0, floor(b * (double)c.domain));
    const double domain = (double)c.domain;
    const bool is_wider = wave_information(e, domain, 2.0 * half + 3.0) > wave_information(e, domain, 2.0 * half + 1.0);
    c.band = (uint32_t)(2.0 * (half + (is_wider ? 1.0 : 0.0)) + 1.0);
    c.symbols = (uint32_t)c.domain + c.band - 1;
    if (nw__ldp_campaign_complete(&c) == NW_OK) {
        *least = 0.0;
        *best = c;
    }
}

/* The best campaign of one oracle; c.symbols: as the caller wants it, or 0. */
static void choose(nw_ldp_campaign *best, double *least, nw_ldp_campaign c)
{
    const bool is_hash = nw__ldp_is_hashed(c.oracle);
    if (!is_hash) {
        c.seed_bits = 0;
        c.is_public_coin = false;
    }
    switch (c.oracle) {
    case NW_LDP_GRR:
        c.symbols = (uint32_t)(c.domain <= NW__LDP_MOST_OUTPUTS ? c.domain : 0);
        improve(best, least, c);
        break;
    case NW_LDP_SUE:
    case NW_LDP_OUE:
    case NW_LDP_DUCHI:
        c.symbols = 2;
        improve(best, least, c);
        break;
    case NW_LDP_PIECEWISE:
    case NW_LDP_HYBRID: choose_band(best, least, c); break;
    case NW_LDP_SQUARE_WAVE: choose_wave(best, least, c); break;
    case NW_LDP_HADAMARD:
        if (c.symbols == 0)
            choose_blocks(best, least, c);
        else
            improve(best, least, c);
        break;
    default:
        if (c.symbols == 0)
            choose_symbols(best, least, c);
        else
            improve(best, least, c);
    }
}

static void choose_oracle(nw_ldp_campaign *best, double *least, nw_ldp_campaign c, size_t most_bytes)
{
    static const nw_ldp_oracle oracles[] = { NW_LDP_GRR, NW_LDP_BLH, NW_LDP_OLH, NW_LDP_PROJECTIVE, NW_LDP_HADAMARD,
        NW_LDP_SUBSET, NW_LDP_OUE };
    for (size_t i = 0; i < sizeof oracles / sizeof *oracles; i++) {
        nw_ldp_campaign found = c;
        double variance = INFINITY;
        c.oracle = oracles[i];
        if (c.is_public_coin && !nw__ldp_is_hashed(c.oracle))
            continue;
        choose(&found, &variance, c);
        if (variance < *least && nw_ldp_report_size(&found) <= most_bytes) {
            *least = variance;
            *best = found;
        }
    }
}

/* ---- options ---- */

static nw_status fixed(uint64_t *out, double epsilon, const char *name, nw_error *err)
{
    if (!(epsilon >= NW_LDP_SMALLEST_EPSILON && epsilon <= NW_LDP_LARGEST_EPSILON))
        return nw__fail(err, NW_E_ARG, "nw_ldp_campaign_make", "%s is %g, must be in [2^-10, 16]", name, epsilon);
    *out = (uint64_t)floor(ldexp(epsilon, 32));
    return NW_OK;
}

static nw_status check_domain(const nw_ldp_campaign_opts *o, nw_error *err)
{
    const bool is_hash = o->oracle == 0 || nw__ldp_is_hashed(o->oracle);
    const bool is_mean = o->oracle == NW_LDP_DUCHI || o->oracle == NW_LDP_PIECEWISE || o->oracle == NW_LDP_HYBRID;
    const uint64_t most = is_hash                           ? UINT64_C(1) << 32
                          : nw__ldp_is_unary(o->oracle)     ? NW__LDP_MOST_UNARY
                          : o->oracle == NW_LDP_SQUARE_WAVE ? NW__LDP_MOST_HISTOGRAM
                                                            : NW__LDP_MOST_OUTPUTS;
    const char *function = "nw_ldp_campaign_make";
    if (o->bits != 0 && (!is_hash || o->domain != 0))
        return nw__fail(err, NW_E_ARG, function, "bits is %u, must be 0 with %s", o->bits,
            is_hash ? "a domain" : nw_ldp_oracle_name(o->oracle));
    if (o->bits > 128)
        return nw__fail(err, NW_E_ARG, function, "bits is %u, must be in 1..128", o->bits);
    if (is_mean && o->domain != 0)
        return nw__fail(err, NW_E_ARG, function, "domain is %llu, must be 0 with %s", (unsigned long long)o->domain,
            nw_ldp_oracle_name(o->oracle));
    if (!is_mean && o->bits == 0 && (o->domain < 2 || o->domain > most))
        return nw__fail(err, NW_E_ARG, function, "domain is %llu, must be in 2..%llu%s", (unsigned long long)o->domain,
            (unsigned long long)most, is_hash ? ", unless bits is set" : "");
    return NW_OK;
}

static nw_status set_levels(nw_ldp_campaign *c, const nw_ldp_campaign_opts *o, nw_error *err)
{
    const char *function = "nw_ldp_campaign_make";
    const uint32_t most = o->bits == 0 ? 1 : o->bits < NW_LDP_MAX_LEVELS ? o->bits : NW_LDP_MAX_LEVELS;
    if (o->levels < 1 || o->levels > most)
        return nw__fail(err, NW_E_ARG, function, "levels is %u, must be in 1..%u%s", o->levels, most,
            o->bits == 0 ? " unless bits is set" : "");
    c->levels = (uint8_t)o->levels;
    for (uint32_t i = 0; o->bits != 0 && i < o->levels; i++) {
        const uint32_t length = o->lengths != NULL ? o->lengths[i] : (o->bits * (i + 1) + o->levels - 1) / o->levels;
        const uint32_t least = i > 0 ? c->lengths[i - 1] + 1u : 1u;
        if (length < least || length > o->bits || (i + 1 == o->levels && length != o->bits))
            return nw__fail(
                err, NW_E_ARG, function, "length of level %u is %u, must increase up to bits, %u", i, length, o->bits);
        c->lengths[i] = (uint8_t)length;
    }
    return NW_OK;
}

static nw_status set_options(nw_ldp_campaign *c, const nw_ldp_campaign_opts *o, nw_error *err)
{
    const char *function = "nw_ldp_campaign_make";
    if ((unsigned)o->oracle > NW_LDP_SQUARE_WAVE)
        return nw__fail(err, NW_E_ARG, function, "oracle is %d, must be one of nw_ldp_oracle", (int)o->oracle);
    NW__TRY(fixed(&c->epsilon, o->epsilon, "epsilon", err));
    if (o->first_epsilon != 0.0) {
        NW__TRY(fixed(&c->first_epsilon, o->first_epsilon, "first_epsilon", err));
        if (o->oracle != NW_LDP_SUE || c->first_epsilon >= c->epsilon)
            return nw__fail(err, NW_E_ARG, function, "first_epsilon is %g, must be 0 unless the oracle is sue, and below epsilon",
                o->first_epsilon);
    }
    NW__TRY(check_domain(o, err));
    NW__TRY(set_levels(c, o, err));
    if (o->seed_bits < 8 || o->seed_bits > 32)
        return nw__fail(err, NW_E_ARG, function, "seed_bits is %u, must be in 8..32", o->seed_bits);
    if (o->is_public_coin && o->oracle != 0 && !nw__ldp_is_hashed(o->oracle))
        return nw__fail(err, NW_E_ARG, function, "is_public_coin is true, must be false with %s", nw_ldp_oracle_name(o->oracle));
    if (o->symbols != 0 && (o->oracle == 0 || o->oracle == NW_LDP_GRR || o->oracle == NW_LDP_SUE || o->oracle == NW_LDP_OUE ||
                               nw__ldp_is_number(o->oracle)))
        return nw__fail(
            err, NW_E_ARG, function, "symbols is %u, must be 0 but with olh, blh, subset, hadamard and projective", o->symbols);
    if (o->max_report_bytes < NW_LDP_SHORT_REPORT)
        return nw__fail(err, NW_E_ARG, function, "max_report_bytes is %u, must be at least 16", o->max_report_bytes);
    return NW_OK;
}

nw_status nw_ldp_campaign_make(nw_ldp_campaign *out, const nw_ldp_campaign_opts *opts, nw_error *err)
{
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    memset(out, 0, sizeof *out);
    if (opts->struct_size < sizeof *opts)
        return nw__fail(err, NW_E_ARG, __func__, "struct_size is %zu, must be at least %zu", opts->struct_size, sizeof *opts);
    nw_ldp_campaign c;
    double least = INFINITY;
    memset(&c, 0, sizeof c);
    NW__TRY(set_options(&c, opts, err));
    memcpy(c.id, opts->id, sizeof c.id);
    c.oracle = opts->oracle != 0 ? opts->oracle : opts->bits != 0 ? NW_LDP_BLH : (nw_ldp_oracle)0;
    c.bits = (uint8_t)opts->bits;
    c.domain = opts->domain;
    c.seed_bits = (uint8_t)opts->seed_bits;
    c.is_public_coin = opts->is_public_coin;
    c.symbols = opts->symbols;
    if (c.oracle == 0)
        choose_oracle(out, &least, c, opts->max_report_bytes);
    else
        choose(out, &least, c);
    if (isinf(least)) {
        memset(out, 0, sizeof *out);
        return nw__fail(err, NW_E_ARG, __func__, "symbols is %u, with domain %llu not what %s can have", opts->symbols,
            (unsigned long long)opts->domain, nw_ldp_oracle_name(opts->oracle));
    }
    return NW_OK;
}
