/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pmf.c - tilted masses on a grid: from cells, to another grid, and the hockey stick. */
#include "pmf.h"

#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNIT = 0x1p-53;

void nw__pmf_free(nw__pmf *pmf)
{
    free(pmf->mass);
    pmf->mass = NULL;
    pmf->n = 0;
}

nw_status nw__pmf_copy(nw__pmf *out, const nw__pmf *pmf, nw_error *err)
{
    *out = *pmf;
    out->mass = nw__calloc(pmf->n, sizeof(double));
    if (out->mass == NULL)
        return nw__fail_memory(err, "nw__pmf");
    memcpy(out->mass, pmf->mass, pmf->n * sizeof(double));
    return NW_OK;
}

double nw__pmf_variance(const nw__pmf *pmf)
{
    double sum = 0.0;
    double mean = 0.0;
    double square = 0.0;
    for (size_t i = 0; i < pmf->n; i++) {
        const double x = (double)i;
        sum += pmf->mass[i];
        mean += pmf->mass[i] * x;
        square += pmf->mass[i] * x * x;
    }
    mean /= sum;
    return pmf->h * pmf->h * fmax(0.0, square / sum - mean * mean);
}

double nw__pmf_loss(const nw__pmf *pmf, size_t i)
{
    return pmf->origin + (double)(pmf->first + (int64_t)i) * pmf->h;
}

double nw__pmf_mass(const nw__pmf *pmf, size_t i)
{
    return pmf->mass[i] * exp(pmf->log_scale - pmf->theta * nw__pmf_loss(pmf, i));
}

/* An exponential with argument x carries a relative error of at most 4 u (|x| + 4): outward. */
static double outward(double x, bool is_upper)
{
    const double error = 4.0 * UNIT * (fabs(x) + 4.0);
    return exp(x) * (is_upper ? 1.0 + error : 1.0 - error);
}

nw_status nw__pmf_from_cells(nw__pmf *out, const nw__cells *cells, double h, double theta, bool is_upper, nw_error *err)
{
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    double most = -INFINITY;
    double sum = 0.0;
    *out = (nw__pmf){ .h = h, .theta = theta, .is_upper = is_upper, .infinite = cells->infinite };
    for (size_t i = 0; i < cells->n; i++) {
        first = cells->at[i].index < first ? cells->at[i].index : first;
        last = cells->at[i].index > last ? cells->at[i].index : last;
        most = fmax(most, theta * h * (double)cells->at[i].index + log(cells->at[i].p));
    }
    if (cells->n == 0) { /* everything at infinity, or dropped: no mass at loss 0 */
        first = last = 0;
        most = 0.0;
    }
    for (size_t i = 0; i < cells->n; i++)
        sum += exp(theta * h * (double)cells->at[i].index + log(cells->at[i].p) - most);
    out->log_scale = cells->n == 0 ? 0.0 : most + log(sum);
    if ((double)(last - first) >= NW__PMF_MOST)
        return nw__fail(err, NW_E_UNSUPPORTED, "nw__pmf", "losses of different sizes meet on one grid");
    out->first = first;
    out->n = (size_t)(last - first + 1);
    out->mass = nw__calloc(out->n, sizeof(double));
    if (out->mass == NULL)
        return nw__fail_memory(err, "nw__pmf");
    for (size_t i = 0; i < cells->n; i++)
        out->mass[cells->at[i].index - first] +=
            cells->at[i].p * outward(theta * h * (double)cells->at[i].index - out->log_scale, is_upper);
    return NW_OK;
}

/* What lies in [g, g + h) of each grid point of `to`, tilted to g: A = sum p, D = sum p (1 - e^-d) for masses at g + d; what lies
 * at g itself is put there. From one mass to the next within a span d grows by from->h, so the exponentials are computed once
 * and then multiplied: RUN products at most between two of them, each right to 2 u. */
enum { RUN = 32 };

static void gather(const nw__pmf *from, const nw__pmf *to, nw__span *spans)
{
    const double one_less = -expm1(-from->h);
    const double tilt_less = exp(-from->theta * from->h);
    for (size_t i = 0; i < from->n;) {
        const double loss = nw__pmf_loss(from, i) - to->origin;
        const double nearest = floor(loss / to->h + 0.5);
        const bool is_on_grid = fabs(loss - nearest * to->h) <= 4.0 * UNIT * (fabs(loss) + fabs(to->origin));
        const double below = is_on_grid ? nearest : floor(loss / to->h);
        const double d = loss - below * to->h;
        const int64_t at = (int64_t)below - to->first;
        if (is_on_grid) { /* a rounding of the loss, which nw__pld charges */
            to->mass[at] += from->mass[i++] * (to->is_upper ? 1.0 + 4.0 * UNIT : 1.0 - 4.0 * UNIT);
            continue;
        }
        double gap = -expm1(-d);             /* 1 - e^-d */
        double tilt = exp(-from->theta * d); /* e^(-theta d) */
        const double inside = fmin(ceil((to->h - d) / from->h), fmin(RUN, (double)(from->n - i)));
        const size_t end = i + (inside > 1.0 ? (size_t)inside : 1);
        for (; i < end; i++) {
            spans[at].mass += from->mass[i] * tilt;
            spans[at].excess += from->mass[i] * tilt * gap;
            gap += (1.0 - gap) * one_less;
            tilt *= tilt_less;
        }
    }
}

/* The chord of each span: a share w = D / (1 - e^-h) to its upper end, A - w to its lower. */
static void connect(nw__pmf *to, const nw__span *spans, double error)
{
    const double less = -expm1(-to->h);
    const double up = exp(to->theta * to->h);
    for (size_t k = 0; k + 1 < to->n; k++) {
        const double mass = spans[k].mass * (1.0 + error);
        const double w = fmin(mass, spans[k].excess / less * (1.0 + error));
        to->mass[k] += mass - w;
        to->mass[k + 1] += w * up * (1.0 + error);
    }
}

/* Points of a lattice that is coarser than the grid go down to it: chords between them say little. */
static nw_status contract(const nw__pmf *from, nw__pmf *to, nw__span *spans, double error, nw_error *err)
{
    const bool is_fine = from->h < to->h;
    for (size_t k = 0; k < to->n; k++) {
        const double mass[2] = { spans[k].mass * (1.0 - error), spans[k].mass * (1.0 + error) };
        const double excess[2] = { spans[k].excess * (1.0 - error), spans[k].excess * (1.0 + error) };
        spans[k] = nw__span_of((int64_t)k, mass, excess, to->h);
        if (!is_fine)
            to->mass[k] += mass[0];
    }
    return is_fine ? nw__contract(spans, to->n - 1, to->h, to->theta, to->mass, "nw__pmf", err) : NW_OK;
}

/* Where a grid of step h is best anchored: at the largest mass, which may be a pile; or, where the whole lies within a step or
 * so, a hair below its merged loss log (sum P / sum Q). */
static double anchor(const nw__pmf *pmf, double h)
{
    size_t largest = 0;
    double p = 0.0;
    double q = 0.0;
    for (size_t i = 1; i < pmf->n; i++)
        largest = pmf->mass[i] > pmf->mass[largest] ? i : largest;
    const double centre = nw__pmf_loss(pmf, largest);
    if (nw__pmf_variance(pmf) > h * h)
        return centre;
    for (size_t i = 0; i < pmf->n; i++) {
        const double d = nw__pmf_loss(pmf, i) - centre;
        p += pmf->mass[i] * exp(-pmf->theta * d);
        q += pmf->mass[i] * exp(-(pmf->theta + 1.0) * d);
    }
    return p > 0.0 && q > 0.0 && isfinite(p) && isfinite(q) ? centre + log(p / q) - 1e-6 * h : centre;
}

nw_status nw__pmf_regrid(nw__pmf *pmf, double h, nw_error *err)
{
    nw__pmf to = *pmf;
    to.origin = anchor(pmf, h);
    const double low = floor((nw__pmf_loss(pmf, 0) - to.origin) / h) - 1.0;
    const double high = floor((nw__pmf_loss(pmf, pmf->n - 1) - to.origin) / h) + 1.0;
    if (!(high - low < NW__PMF_MOST && fabs(low) < 0x1p46 && fabs(high) < 0x1p46))
        return nw__fail(err, NW_E_UNSUPPORTED, "nw__pmf", "losses of different sizes meet on one grid");
    to.h = h;
    to.first = (int64_t)low;
    to.n = (size_t)(high - low) + 1;
    to.mass = nw__calloc(to.n, sizeof(double));
    nw__span *spans = nw__calloc(to.n, sizeof *spans);
    if (to.mass == NULL || spans == NULL) {
        nw__pmf_free(&to);
        free(spans);
        return nw__fail_memory(err, "nw__pmf");
    }
    nw_status status = NW_OK;
    /* of the sums: their products, and one rounding a term */
    const double error = UNIT * (32.0 + 4.0 * RUN + h / pmf->h);
    gather(pmf, &to, spans);
    if (pmf->is_upper)
        connect(&to, spans, error);
    else
        status = contract(pmf, &to, spans, error, err);
    free(spans);
    if (status != NW_OK) {
        nw__pmf_free(&to);
        return status;
    }
    nw__pmf_free(pmf);
    *pmf = to;
    return NW_OK;
}

/* Sums from the top, for the loss g of entry i and masses relative to it:
 *   B_i = sum_(j>=i) f_j e^(-(theta+1)(l_j - g)),  C_i = sum_(j>=i) f_j e^(-theta (l_j - g)) (1 - e^(-(l_j - g))),
 * all terms positive; for epsilon in (g - h, g]:
 *   delta(epsilon) = e^(log_scale - theta g) (C_i + (1 - e^(epsilon - g)) B_i) + infinite. */
typedef struct sums {
    double b;
    double c;
} sums;

static sums next(const nw__pmf *pmf, sums above, size_t i, double step, double step_less)
{
    /* step = e^(-theta h), step_less = e^-h */
    return (sums){ pmf->mass[i] + step * step_less * above.b, step * (above.c + (1.0 - step_less) * above.b) };
}

/* Relative error of the sums: a few roundings an entry; of the exponential in front. */
static double outward_factor(const nw__pmf *pmf, double exponent)
{
    const double error = 8.0 * UNIT * ((double)pmf->n + fabs(exponent) + 8.0);
    return pmf->is_upper ? 1.0 + error : 1.0 - error;
}

static double value_at(const nw__pmf *pmf, sums s, double g, double epsilon)
{
    const double exponent = pmf->log_scale - pmf->theta * g;
    const double sum = s.c - expm1(fmin(0.0, epsilon - g)) * s.b;
    const double value = exp(exponent + log(sum)) * outward_factor(pmf, exponent) + pmf->infinite;
    return value * (pmf->is_upper ? 1.0 + 4.0 * UNIT : 1.0 - 4.0 * UNIT); /* that the sum was rounded */
}

double nw__pmf_delta(const nw__pmf *pmf, double epsilon)
{
    const double step = exp(-pmf->theta * pmf->h);
    const double step_less = exp(-pmf->h);
    sums s = { 0.0, 0.0 };
    size_t i = pmf->n;
    while (i > 0 && nw__pmf_loss(pmf, i - 1) >= epsilon)
        s = next(pmf, s, --i, step, step_less);
    if (i == pmf->n)
        return pmf->infinite;
    return fmin(1.0, value_at(pmf, s, nw__pmf_loss(pmf, i), epsilon));
}

/* delta is `left` where (1 - e^(epsilon - g)) B = target - C: this is the share 1 - e^(epsilon - g) asked for, with g the loss of
 * entry i; the answer lies in (g - h, g] once it is at most 1 - e^-h. */
static double share_needed(const nw__pmf *pmf, sums s, size_t i, double left)
{
    const double exponent = pmf->log_scale - pmf->theta * nw__pmf_loss(pmf, i);
    const double log_target = log(left) - exponent - log(outward_factor(pmf, exponent));
    return s.b > 0.0 ? ((log_target > 700.0 ? INFINITY : exp(log_target)) - s.c) / s.b : INFINITY;
}

double nw__pmf_epsilon(const nw__pmf *pmf, double delta)
{
    const double step = exp(-pmf->theta * pmf->h);
    const double step_less = exp(-pmf->h);
    const double left = delta - pmf->infinite;
    /* entries between two looks, over which nothing underflows; then one by one from the last look that was too high */
    const size_t chunk = (size_t)fmax(1.0, fmin(64.0, 300.0 / (pmf->theta * pmf->h)));
    sums s = { 0.0, 0.0 };
    size_t i = pmf->n;
    if (!(left > 0.0))
        return INFINITY;
    while (i > chunk) {
        sums ahead = s;
        for (size_t j = 0; j < chunk; j++)
            ahead = next(pmf, ahead, i - 1 - j, step, step_less);
        if (share_needed(pmf, ahead, i - chunk, left) <= -expm1(-pmf->h))
            break;
        s = ahead;
        i -= chunk;
    }
    while (i-- > 0) {
        s = next(pmf, s, i, step, step_less);
        const double share = share_needed(pmf, s, i, left);
        if (share <= -expm1(-pmf->h) || i == 0)
            return share >= 1.0 ? -INFINITY : nw__pmf_loss(pmf, i) + log1p(-fmax(share, 0.0));
    }
    return -INFINITY;
}
