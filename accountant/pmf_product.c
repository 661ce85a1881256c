/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pmf_product.c - powers and products of privacy loss distributions by the Fourier transform, with a proven error.
 *
 * Window. A cyclic convolution only adds masses from outside its window to those inside, so it is an upper bound on the window;
 * what lies outside is bounded by Chernoff in the tilted law and goes to infinity (above) or to the lowest point (below).
 *
 * Round-off. eta = nw__fft_error(N). The masses of a factor sum to s (about 1), so each computed coefficient F is off by at most
 * eta s, and F^m by at most m eta s (|F| + eta s)^(m-1) + 3 m u |F|^m (a power by squaring multiplies relative errors of sqrt(5)
 * u). Where |F| > 2 m eta, (1 + eta / |F|)^(m-1) < e^(1/2); elsewhere the whole is below ((2m + 1) eta)^m. The inverse transform
 * turns errors of the coefficients into their mean, and adds eta times the mean modulus. That bound is added to (taken from)
 * every mass. */
#include "pmf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNIT = 0x1p-53;

enum { LANES = 8, BINS = 4096 };

/* A factor in at most BINS bins, for its moments: bin i stands for losses from low + i step to high - (n - 1 - i) step, counted
 * without the origin. */
typedef struct bins {
    size_t n;
    double step, low, high;
    double *mass;
    double power;
} bins;

static bool bins_new(bins *out, const nw__factor *f)
{
    const nw__pmf *p = f->pmf;
    const size_t width = (p->n + BINS - 1) / BINS;
    *out = (bins){ .n = (p->n + width - 1) / width, .step = p->h * (double)width, .power = (double)f->power };
    out->low = p->h * (double)p->first;
    out->high = out->low + p->h * (double)(out->n * width - 1);
    out->mass = nw__calloc(out->n, sizeof(double));
    for (size_t i = 0; out->mass != NULL && i < p->n; i++)
        out->mass[i / width] += p->mass[i];
    return out->mass != NULL;
}

/* log sum mass e^(s l), each mass at the end of its bin where that is larger; LANES sums side by side, each by Horner from the
 * small end. */
static double log_moment(const bins *b, double s)
{
    const double step = exp(-fabs(s) * b->step);
    const double stride = exp(-fabs(s) * b->step * LANES);
    double lane[LANES] = { 0 };
    double sum = 0.0;
    for (size_t row = (b->n + LANES - 1) / LANES; row-- > 0;) {
        for (size_t k = 0; k < LANES; k++) {
            const size_t i = row * LANES + k;
            lane[k] = lane[k] * stride + (i < b->n ? b->mass[s >= 0.0 ? b->n - 1 - i : i] : 0.0);
        }
    }
    for (size_t k = LANES; k-- > 0;)
        sum = sum * step + lane[k];
    /* rounded up: Horner's BINS / LANES steps and the two terms */
    const double edge = s * (s >= 0.0 ? b->high : b->low);
    return log(sum) + edge + 4e-13 * (1.0 + fabs(log(sum)) + fabs(edge));
}

static double total_moment(const bins *b, size_t n, double s)
{
    double k = 0.0;
    for (size_t j = 0; j < n; j++)
        k += b[j].power * log_moment(&b[j], s);
    return k;
}

static double variance_of(const bins *b)
{
    double sum = 0.0;
    double mean = 0.0;
    double square = 0.0;
    for (size_t i = 0; i < b->n; i++) {
        sum += b->mass[i];
        mean += b->mass[i] * (double)i;
    }
    mean /= sum;
    for (size_t i = 0; i < b->n; i++)
        square += b->mass[i] * ((double)i - mean) * ((double)i - mean);
    return b->step * b->step * square / sum;
}

typedef struct range {
    double low, high; /* losses without the origins */
    double infinite;  /* true mass above high */
    double below;     /* tilted mass that moving everything below up to low makes */
} range;

/* One order s: any one gives a bound. */
static void chernoff_at(double s, const bins *b, size_t n, const nw__window *window, double theta, double scale, double ends[2])
{
    const double log_alias = log(window->alias);
    const double t = fmax(s, theta);
    const double up = total_moment(b, n, s);
    const double down = total_moment(b, n, -t);
    ends[0] = fmax(ends[0], (log_alias - down) / t);
    ends[1] = fmin(ends[1], fmax((up - log_alias) / s, (up + scale - log(window->infinite)) / (s + theta)));
}

/* Chernoff bounds at orders c / deviation, as for a normal sum; where rare losses far beyond the deviation set the tail, as of a
 * sum of few small samples, also at c / reach, as for a Poisson number of them; the support's own ends where they are nearer. */
static void chernoff(range *r, const bins *b, size_t n, const nw__window *window, double theta, double scale)
{
    static const double orders[] = { 0.1, 0.2, 0.4, 0.7, 1.2, 2.0, 3.0, 4.5, 6.5, 9.0, 13.0 };
    static const double rare_orders[] = { 2.0, 4.0, 8.0, 16.0, 32.0 };
    double variance = 0.0;
    double reach = 0.0;
    double ends[2] = { -INFINITY, INFINITY };
    for (size_t j = 0; j < n; j++) {
        variance += b[j].power * variance_of(&b[j]);
        reach = fmax(reach, b[j].high - b[j].low);
    }
    const double deviation = fmax(sqrt(variance), 1e-290);
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++)
        chernoff_at(orders[k] / deviation, b, n, window, theta, scale, ends);
    for (size_t k = 0; k < sizeof rare_orders / sizeof *rare_orders; k++)
        if (rare_orders[k] * deviation < orders[0] * reach)
            chernoff_at(rare_orders[k] / reach, b, n, window, theta, scale, ends);
    if (ends[0] > r->low) {
        r->below = window->alias;
        r->low = ends[0];
    }
    if (ends[1] < r->high) {
        r->infinite = window->infinite;
        r->high = ends[1];
    }
}

static nw_status find_range(range *r, const nw__factor *f, size_t n, const nw__window *window, nw_error *err)
{
    double scale = 0.0; /* of the product's true masses, losses counted without the origins */
    bool is_ok = true;
    bins *b = nw__calloc(n, sizeof *b);
    *r = (range){ 0 };
    if (b == NULL)
        return nw__fail_memory(err, "nw__pmf");
    for (size_t j = 0; j < n; j++) {
        const nw__pmf *p = f[j].pmf;
        scale += (double)f[j].power * (p->log_scale - p->theta * p->origin);
        r->low += (double)f[j].power * (double)p->first * p->h;
        r->high += (double)f[j].power * (double)(p->first + (int64_t)p->n - 1) * p->h;
        is_ok = is_ok && bins_new(&b[j], &f[j]);
    }
    if (is_ok && (n > 1 || f[0].power > 1))
        chernoff(r, b, n, window, f[0].pmf->theta, scale);
    for (size_t j = 0; j < n; j++)
        free(b[j].mass);
    free(b);
    return is_ok ? NW_OK : nw__fail_memory(err, "nw__pmf");
}

typedef struct spectrum {
    size_t size; /* N */
    double *re;
    double *im;
} spectrum;

/* Wraps the masses around the circle, index `first` at 0. Returns their sum. */
NW__CLONES static double load(spectrum *s, const nw__pmf *pmf)
{
    double sum = 0.0;
    memset(s->re, 0, s->size / 2 * sizeof(double));
    memset(s->im, 0, s->size / 2 * sizeof(double));
    for (size_t from = 0; from < pmf->n; from += s->size) {
        const double *mass = pmf->mass + from;
        const size_t n = pmf->n - from < s->size ? pmf->n - from : s->size;
        for (size_t i = 0; 2 * i + 1 < n; i++) {
            s->re[i] += mass[2 * i];
            s->im[i] += mass[2 * i + 1];
        }
        if ((n & 1) != 0)
            s->re[n / 2] += mass[n - 1];
    }
    for (size_t i = 0; i < pmf->n; i++)
        sum += pmf->mass[i];
    return sum * (1.0 + 4.0 * UNIT * (double)pmf->n);
}

enum { BLOCK = 256 };

/* (re + i im)^power into acc, n <= BLOCK numbers. */
NW__CLONES static void raise_block(const double *re, const double *im, uint64_t power, size_t n, double *acc_re, double *acc_im)
{
    double base_re[BLOCK];
    double base_im[BLOCK];
    memcpy(base_re, re, n * sizeof(double));
    memcpy(base_im, im, n * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        acc_re[i] = 1.0;
        acc_im[i] = 0.0;
    }
    for (uint64_t rest = power; rest != 0; rest >>= 1) {
        if ((rest & 1) != 0) {
            for (size_t i = 0; i < n; i++) {
                const double x = acc_re[i] * base_re[i] - acc_im[i] * base_im[i];
                acc_im[i] = acc_re[i] * base_im[i] + acc_im[i] * base_re[i];
                acc_re[i] = x;
            }
        }
        if (rest == 1)
            break;
        for (size_t i = 0; i < n; i++) {
            const double x = base_re[i] * base_re[i] - base_im[i] * base_im[i];
            base_im[i] = 2.0 * base_re[i] * base_im[i];
            base_re[i] = x;
        }
    }
}

/* The errors of n coefficients of F^m, relative to s^m, summed: where |F| > 2 m eta, 1.65 m eta |F|^(m-1) + 3 m u |F|^m with
 * |F| <= s (1 + eta); elsewhere `tail`, the same bound at its largest. |F|^(m-1) = |F^m| / |F| from the squares, whose underflow
 * LEAST covers. */
typedef struct error_terms {
    double floor;  /* (2 m eta)^2 */
    double factor; /* of |F|^(m-1) */
    double tail;
} error_terms;

static const double LEAST = 0x1p-480;
/* Of a mass, where they sum to about 1: more says nothing. */
static const double MOST_ERROR = 1e-3;

NW__CLONES static void multiply_block(double *re, double *im, const double *f_re, const double *f_im, const double *acc_re,
    const double *acc_im, size_t n, const error_terms *terms, double *error)
{
    for (size_t i = 0; i < n; i++) {
        const double modulus = f_re[i] * f_re[i] + f_im[i] * f_im[i];
        const double raised = acc_re[i] * acc_re[i] + acc_im[i] * acc_im[i];
        const double main = terms->factor * (sqrt(raised / modulus) + LEAST);
        error[i] = modulus > terms->floor ? main : terms->tail;
        const double x = re[i] * acc_re[i] - im[i] * acc_im[i];
        im[i] = re[i] * acc_im[i] + im[i] * acc_re[i];
        re[i] = x;
    }
}

/* The two real coefficients of entry 0. */
static double multiply_first(spectrum *product, const spectrum *f, double m, const error_terms *terms)
{
    double error = 0.0;
    double *const entries[2] = { product->re, product->im };
    const double values[2] = { f->re[0], f->im[0] };
    for (int i = 0; i < 2; i++) {
        const double modulus = fabs(values[i]);
        error += modulus * modulus > terms->floor ? terms->factor * (pow(modulus, m - 1.0) + LEAST) : terms->tail;
        entries[i][0] *= pow(values[i], m);
    }
    return error;
}

/* product *= F^power; returns a bound of the mean error of F^power over all N frequencies. */
static double multiply(spectrum *product, const spectrum *f, uint64_t power, double sum)
{
    const double m = (double)power;
    const double eta = nw__fft_error(f->size) * sum;
    const error_terms terms = { 4.0 * m * m * eta * eta, 1.65 * m * eta + 3.0 * m * UNIT * sum * (1.0 + 2.0 * eta),
        power == 1 ? eta : m * eta * pow(fmin(1.0, (2.0 * m + 1.0) * eta), m - 1.0) + 3.0 * m * UNIT * pow(2.0 * m * eta, m) };
    double acc_re[BLOCK];
    double acc_im[BLOCK];
    double errors[BLOCK];
    double error = 0.0;
    const double first = multiply_first(product, f, m, &terms);
    const double first_re = product->re[0];
    const double first_im = product->im[0];
    for (size_t from = 0; from < f->size / 2; from += BLOCK) {
        const size_t n = f->size / 2 - from < BLOCK ? f->size / 2 - from : BLOCK;
        raise_block(f->re + from, f->im + from, power, n, acc_re, acc_im);
        multiply_block(product->re + from, product->im + from, f->re + from, f->im + from, acc_re, acc_im, n, &terms, errors);
        for (size_t i = from == 0 ? 1 : 0; i < n; i++)
            error += errors[i];
    }
    product->re[0] = first_re;
    product->im[0] = first_im;
    /* every entry but the first stands for two coefficients */
    return (2.0 * error + first) / (double)f->size * (1.0 + 0x1p-20);
}

static double mean_modulus(const spectrum *s)
{
    double sum = fabs(s->re[0]) + fabs(s->im[0]);
    for (size_t i = 1; i < s->size / 2; i++)
        sum += 2.0 * sqrt(s->re[i] * s->re[i] + s->im[i] * s->im[i]);
    return sum / (double)s->size;
}

/* Transforms all factors and multiplies them; *error bounds the error of each mass after the inverse transform. */
static void transform(spectrum *product, spectrum *work, const nw__factor *f, size_t n, const nw__fft *plan, double *error)
{
    double growth = 1.0; /* product of the sums, at least 1: what multiplies the other factors' errors */
    *error = 0.0;
    for (size_t i = 0; i < product->size / 2; i++) {
        product->re[i] = 1.0;
        product->im[i] = 0.0;
    }
    product->im[0] = 1.0;
    for (size_t j = 0; j < n; j++) {
        const double sum = load(work, f[j].pmf);
        nw__fft_forward(plan, work->re, work->im, work->size);
        *error += multiply(product, work, f[j].power, sum) + (n > 1 ? 3.0 * UNIT : 0.0);
        growth *= fmax(1.0, pow(sum, (double)f[j].power));
    }
    *error = *error * growth + nw__fft_error(product->size) * mean_modulus(product) * (1.0 + 0x1p-20);
    nw__fft_inverse(plan, product->re, product->im, product->size);
}

/* The masses of the window out of the circle, with the error and what was aliased taken into account. */
static void unload(nw__pmf *out, const spectrum *s, int64_t sum_of_first, double error, const range *r, double alias)
{
    const double *half[2] = { s->re, s->im };
    const double shift = out->is_upper ? error : -error - alias;
    size_t at = (size_t)(out->first - sum_of_first) & (s->size - 1);
    for (size_t i = 0; i < out->n; i++) {
        const double mass = half[at & 1][at / 2] + shift;
        out->mass[i] = mass > 0.0 ? mass : 0.0;
        at = (at + 1) & (s->size - 1);
    }
    if (out->is_upper)
        out->mass[0] += r->below;
}

nw_status nw__pmf_product(
    nw__pmf *out, const nw__factor *factors, size_t n, const nw__window *window, nw__fft *plan, nw_error *err)
{
    const nw__pmf *model = factors[0].pmf;
    range r;
    *out = (nw__pmf){ .h = model->h, .theta = model->theta, .is_upper = model->is_upper };
    NW__TRY(find_range(&r, factors, n, window, err));
    const double low = floor(r.low / model->h);
    const double high = ceil(r.high / model->h);
    if (!(high - low >= 0.0 && high - low < (double)window->most) || fabs(low) > 0x1p46 || fabs(high) > 0x1p46) {
        *window->needed = high - low;
        return nw__fail(
            err, NW_E_UNSUPPORTED, "nw__pmf", "the window needs %.0f points, more than %zu", high - low, window->most);
    }
    out->first = (int64_t)low;
    out->n = (size_t)(high - low) + 1;
    size_t size = 16;
    while (size < out->n)
        size *= 2;
    int64_t sum_of_first = 0;
    for (size_t j = 0; j < n; j++) {
        const nw__pmf *p = factors[j].pmf;
        sum_of_first += (int64_t)factors[j].power * p->first;
        out->origin += (double)factors[j].power * p->origin;
        out->log_scale += (double)factors[j].power * p->log_scale;
        out->infinite += (double)factors[j].power * p->infinite * (out->is_upper ? 1.0 + 8.0 * UNIT : 1.0 - 8.0 * UNIT);
    }
    if (!out->is_upper) /* 1 - (1 - p)^m >= m p - (m p)^2 / 2 */
        out->infinite = fmax(0.0, out->infinite * (1.0 - 0.5 * fmin(1.0, out->infinite)));
    else
        out->infinite = fmin(1.0, out->infinite + r.infinite);
    out->mass = nw__calloc(out->n, sizeof(double));
    const nw_status status = nw__fft_prepare(plan, size, "nw__pmf", err);
    if (status != NW_OK || out->mass == NULL) {
        nw__pmf_free(out);
        return status != NW_OK ? status : nw__fail_memory(err, "nw__pmf");
    }
    double error = 0.0;
    spectrum product = { size, plan->scratch[0], plan->scratch[1] };
    spectrum work = { size, plan->scratch[2], plan->scratch[3] };
    transform(&product, &work, factors, n, plan, &error);
    if (!(error < MOST_ERROR)) { /* also what is not a number */
        nw__pmf_free(out);
        *window->needed = NW__PMF_TOO_COARSE;
        return nw__fail(err, NW_E_UNSUPPORTED, "nw__pmf", "the masses grow out of bounds: the grid is too coarse");
    }
    unload(out, &product, sum_of_first, error, &r, r.below + (r.infinite > 0.0 ? window->alias : 0.0));
    return NW_OK;
}
