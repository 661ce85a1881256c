/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fit.c - the interpolated loss of [JCMM24, eq. 4] on released means: weights, moments, the squared loss in closed form, and the
 * ridge from the evidence of the means. All of it is post-processing.
 *
 * For the squared loss L_ins = L_bag + sum_a w_a Var_{i in a} f(x_i), exactly, so that with centred moments
 *   A = sum_a w_a xbar_a xbar_a',  c = sum_a w_a xbar_a ybar_a,  W = sum_a (w_a / s_a) sum_{i in a} (x_i - xbar_a)(x_i - xbar_a)'
 * the minimum is at (A + rho W + ridge I)^-1 c. */
#include "bags_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the mean diagonal element of A + rho W: from no regularisation that could be told from none, to no model. */
static const double LEAST_RIDGE = 1e-7;
static const double MOST_RIDGE = 1e7;
static const double NO_WEIGHT = 1e-12; /* relative: such ridges move no digit that is kept */
enum { STEPS = 57, FINE_STEPS = 16 };  /* a quarter of a decade each; golden sections of two of them, to a thousandth */

/* ---- weights ---- */

static size_t size_of(const nw__bags_sample *s, size_t a)
{
    return s->starts[a + 1] - s->starts[a];
}

/* Variance of a label, by moments of the released means: sum_a s_a ((ybar_a - y)^2 - tau^2 / s_a^2) / (m - 1), between 0 and the
 * largest that clipped labels can have. It only matters where bags differ in size. */
static double label_variance(const nw__bags_sample *s)
{
    const double tau2 = s->deviation * s->deviation;
    double n = 0.0, mean = 0.0, sum = 0.0;
    for (size_t a = 0; a < s->count; a++) {
        mean += (double)size_of(s, a) * s->means[a];
        n += (double)size_of(s, a);
    }
    mean /= n;
    for (size_t a = 0; a < s->count; a++) {
        const double size = (double)size_of(s, a), d = s->means[a] - mean;
        sum += size * (d * d - tau2 / (size * size));
    }
    return s->count < 2 ? s->clip * s->clip : fmin(fmax(sum / ((double)s->count - 1.0), 0.0), s->clip * s->clip);
}

/* Variance of a bag's mean about the model, if labels had the variance v: weights are its inverses. */
static double mean_variance(const nw__bags_sample *s, size_t a, double v)
{
    const double size = (double)size_of(s, a);
    return v / size + s->deviation * s->deviation / (size * size);
}

static double weigh(nw__bags_means *m)
{
    const nw__bags_sample *s = m->sample;
    const double v = label_variance(s);
    m->precision = 0.0;
    for (size_t a = 0; a < s->count; a++) {
        m->weight[a] = 1.0 / mean_variance(s, a, v);
        m->precision += m->weight[a];
    }
    for (size_t a = 0; a < s->count; a++)
        m->weight[a] /= m->precision;
    return v;
}

static void average(nw__bags_means *m)
{
    const nw__bags_sample *s = m->sample;
    for (size_t a = 0; a < s->count; a++) {
        double *mean = m->xbar + a * m->p;
        for (size_t k = s->starts[a]; k < s->starts[a + 1]; k++)
            for (size_t j = 0; j < m->p; j++)
                mean[j] += m->x[s->members[k] * m->p + j];
        for (size_t j = 0; j < m->p; j++)
            mean[j] /= (double)size_of(s, a);
    }
}

/* ---- moments ---- */

typedef struct moments {
    size_t p;
    double *gram;   /* A + rho W, lower triangle */
    double *within; /* rho W; NULL if rho is 0 */
    double *cross;  /* c */
    double *center; /* of the features */
    double mean;    /* of the means */
    double square;  /* sum_a w_a (ybar_a - mean)^2 */
    double *factor; /* room for a factor, and for what is solved */
    double *solved;
} moments;

static void moments_free(moments *q)
{
    free(q->gram);
    free(q->within);
    free(q->cross);
    free(q->center);
    free(q->factor);
    free(q->solved);
}

static bool moments_make(moments *q, size_t p, bool has_within)
{
    *q = (moments){ .p = p,
        .gram = nw__calloc(p * p, sizeof(double)),
        .within = has_within ? nw__calloc(p * p, sizeof(double)) : NULL,
        .cross = nw__calloc(p, sizeof(double)),
        .center = nw__calloc(p, sizeof(double)),
        .factor = nw__calloc(p * p, sizeof(double)),
        .solved = nw__calloc(p, sizeof(double)) };
    return q->gram != NULL && (!has_within || q->within != NULL) && q->cross != NULL && q->center != NULL && q->factor != NULL &&
           q->solved != NULL;
}

/* Adds rho W: rows about the mean of their bag, one bag after the other. */
static nw_status add_within(moments *q, const nw__bags_means *m, double rho, const char *function, nw_error *err)
{
    enum { ROWS = 128 };
    const nw__bags_sample *s = m->sample;
    double *rows = nw__calloc(ROWS * q->p, sizeof *rows);
    double weights[ROWS];
    size_t filled = 0;
    if (rows == NULL)
        return nw__fail_memory(err, function);
    for (size_t a = 0; a < s->count; a++)
        for (size_t k = s->starts[a]; k < s->starts[a + 1]; k++) {
            for (size_t j = 0; j < q->p; j++)
                rows[filled * q->p + j] = m->x[s->members[k] * q->p + j] - m->xbar[a * q->p + j];
            weights[filled++] = rho * m->weight[a] / (double)size_of(s, a);
            if (filled == ROWS || (a + 1 == s->count && k + 1 == s->starts[a + 1])) {
                nw__add_gram(q->within, q->p, rows, weights, filled);
                filled = 0;
            }
        }
    for (size_t i = 0; i < q->p * q->p; i++)
        q->gram[i] += q->within[i];
    free(rows);
    return NW_OK;
}

/* Centres xbar in place. */
static void add_between(moments *q, nw__bags_means *m, bool has_intercept)
{
    const nw__bags_sample *s = m->sample;
    for (size_t a = 0; has_intercept && a < s->count; a++) {
        q->mean += m->weight[a] * s->means[a];
        for (size_t j = 0; j < q->p; j++)
            q->center[j] += m->weight[a] * m->xbar[a * q->p + j];
    }
    for (size_t a = 0; a < s->count; a++) {
        const double y = s->means[a] - q->mean;
        q->square += m->weight[a] * y * y;
        for (size_t j = 0; j < q->p; j++) {
            m->xbar[a * q->p + j] -= q->center[j];
            q->cross[j] += m->weight[a] * m->xbar[a * q->p + j] * y;
        }
    }
    nw__add_gram(q->gram, q->p, m->xbar, m->weight, s->count);
}

/* ---- the minimum ---- */

/* Solves into q->solved; gives the least loss with that ridge, and both determinants. NaN: not positive definite. */
static double minimise(moments *q, double ridge, double *log_det)
{
    double loss = q->square;
    memcpy(q->factor, q->gram, q->p * q->p * sizeof(double));
    memcpy(q->solved, q->cross, q->p * sizeof(double));
    for (size_t j = 0; j < q->p; j++)
        q->factor[j * q->p + j] += ridge;
    if (!nw__cholesky(q->factor, q->p, log_det))
        return NAN;
    nw__cholesky_solve(q->factor, q->p, q->solved);
    for (size_t j = 0; j < q->p; j++)
        loss -= q->cross[j] * q->solved[j];
    return fmax(loss, 0.0);
}

/* log det (rho W + ridge I). */
static double log_det_of_prior(moments *q, double ridge)
{
    double log_det = 0.0;
    if (q->within == NULL)
        return (double)q->p * log(ridge);
    memcpy(q->factor, q->within, q->p * q->p * sizeof(double));
    for (size_t j = 0; j < q->p; j++)
        q->factor[j * q->p + j] += ridge;
    return nw__cholesky(q->factor, q->p, &log_det) ? log_det : NAN;
}

/* How the means are thought to come about: ybar_a normal about the model with variance omega (v / s_a + tau^2 / s_a^2), and the
 * coefficients normal about 0 with precision (rho W + ridge I) times precision / omega. */
typedef struct evidence {
    moments *q;
    double precision;
    double freedom; /* bags, less one for the intercept */
    double least;   /* of omega: what is known of the noise alone */
    double most;
    double spread; /* sum of the features' variances over rows: times the coefficients' variance, that of the signal */
    double clip;
} evidence;

/* log of the evidence at a ridge, up to a constant, omega in its best place between its bounds, and of the prior of the ridge:
 * the standard deviation of the signal is uniform up to the clip, beyond which labels have none. */
static double log_plausible(const evidence *e, double ridge)
{
    double log_det = 0.0;
    const double loss = minimise(e->q, ridge, &log_det);
    const double omega = fmin(fmax(e->precision * loss / e->freedom, e->least), e->most);
    const double surprise = log_det - log_det_of_prior(e->q, ridge) + e->freedom * log(omega) + e->precision * loss / omega;
    const double signal = sqrt(omega / (e->precision * ridge) * e->spread) / e->clip;
    return isnan(surprise) || !(signal > 0.0) || signal > 1.0 ? -INFINITY : log(signal) - 0.5 * surprise;
}

/* Sum over the features of their variance over the rows that are in a bag. */
static double spread_of(const nw__bags_means *m)
{
    const nw__bags_sample *s = m->sample;
    const size_t from = s->starts[0], n = s->starts[s->count] - from;
    double sum = 0.0;
    for (size_t j = 0; j < m->p; j++) {
        double mean = 0.0, square = 0.0;
        for (size_t k = 0; k < n; k++)
            mean += m->x[s->members[from + k] * m->p + j] / (double)n;
        for (size_t k = 0; k < n; k++) {
            const double d = m->x[s->members[from + k] * m->p + j] - mean;
            square += d * d / (double)n;
        }
        sum += square;
    }
    return sum;
}

static evidence evidence_of(moments *q, const nw__bags_means *m, double variance, bool has_intercept)
{
    const nw__bags_sample *s = m->sample;
    evidence e = { q, m->precision, fmax(1.0, (double)s->count - (has_intercept ? 1.0 : 0.0)), INFINITY, 0.0, spread_of(m),
        s->clip };
    for (size_t a = 0; a < s->count; a++) {
        const double nominal = mean_variance(s, a, variance);
        e.least = fmin(e.least, mean_variance(s, a, 0.0) / nominal);
        e.most = fmax(e.most, mean_variance(s, a, s->clip * s->clip) / nominal);
    }
    return e;
}

/* How far the model at a ridge is from `mean`, in predictions. */
static double distance(moments *q, double ridge, const double *mean)
{
    double sum = 0.0;
    if (isnan(minimise(q, ridge, NULL)))
        return INFINITY;
    for (size_t i = 0; i < q->p; i++)
        for (size_t j = 0; j <= i; j++)
            sum += (i == j ? 1.0 : 2.0) * q->gram[i * q->p + j] * (q->solved[i] - mean[i]) * (q->solved[j] - mean[j]);
    return sum;
}

/* The coefficients' posterior mean, over the ridges of the scan as plausible as they are. False: there is none to be had. */
static bool posterior_mean(const evidence *e, double low, double step, double *mean)
{
    const size_t p = e->q->p;
    double weight[STEPS], total = 0.0, most = -INFINITY;
    for (int i = 0; i < STEPS; i++) {
        weight[i] = log_plausible(e, exp(low + step * i));
        most = fmax(most, weight[i]);
    }
    if (!isfinite(most))
        return false;
    for (int i = 0; i < STEPS; i++) {
        weight[i] = exp(weight[i] - most);
        if (weight[i] < NO_WEIGHT || isnan(minimise(e->q, exp(low + step * i), NULL)))
            continue;
        total += weight[i];
        for (size_t j = 0; j < p; j++)
            mean[j] += weight[i] * e->q->solved[j];
    }
    for (size_t j = 0; j < p; j++)
        mean[j] /= total;
    return true;
}

/* The ridge whose model is nearest to the posterior mean, which has the least expected risk. The most plausible ridge would be
 * all or nothing where there are few features and much noise. */
static nw_status best_ridge(const evidence *e, double *ridge, const char *function, nw_error *err)
{
    static const double GOLDEN = 0.61803398874989485;
    const size_t p = e->q->p;
    double trace = 0.0, best = 0.0, least = INFINITY;
    for (size_t j = 0; j < p; j++)
        trace += e->q->gram[j * p + j] / (double)p;
    *ridge = 1.0;
    if (!(trace > 0.0 && e->spread > 0.0))
        return NW_OK; /* features that do not vary: any ridge gives coefficients 0 */
    const double low = log(LEAST_RIDGE * trace), step = (log(MOST_RIDGE) - log(LEAST_RIDGE)) / (STEPS - 1);
    double *mean = nw__calloc(p, sizeof *mean);
    if (mean == NULL)
        return nw__fail_memory(err, function);
    const bool has_mean = posterior_mean(e, low, step, mean);
    for (int i = 0; i < STEPS && has_mean; i++) {
        const double d = distance(e->q, exp(low + step * i), mean);
        best = d < least ? low + step * i : best;
        least = fmin(d, least);
    }
    double a = best - step, b = best + step;
    for (int i = 0; i < FINE_STEPS && has_mean; i++) {
        const double x1 = b - GOLDEN * (b - a), x2 = a + GOLDEN * (b - a);
        if (distance(e->q, exp(x1), mean) <= distance(e->q, exp(x2), mean))
            b = x2;
        else
            a = x1;
    }
    *ridge = has_mean ? exp(0.5 * (a + b)) : MOST_RIDGE * trace; /* no signal below the clip is plausible: none */
    free(mean);
    return NW_OK;
}

static nw_status squared(moments *q, nw__bags_means *m, const nw_bags_fit_opts *o, double variance, double *coefficients,
    nw_bags_fitted *fitted, const char *function, nw_error *err)
{
    const evidence e = evidence_of(q, m, variance, o->has_intercept);
    fitted->ridge = o->ridge;
    if (o->ridge < 0.0)
        NW__TRY(best_ridge(&e, &fitted->ridge, function, err));
    const size_t needed = q->p + (o->has_intercept ? 1 : 0);
    if (fitted->ridge == 0.0 && m->sample->count <= needed)
        return nw__fail(err, NW_E_ARG, function, "ridge is 0 with %zu bags, must be above 0, or more bags than %zu coefficients",
            m->sample->count, needed);
    fitted->loss = minimise(q, fitted->ridge, NULL);
    if (isnan(fitted->loss))
        return nw__fail(err, NW_E_NUMERIC, function, "the features are collinear at ridge %g: a larger ridge decides among them",
            fitted->ridge);
    memcpy(coefficients, q->solved, q->p * sizeof *coefficients);
    fitted->intercept = q->mean;
    for (size_t j = 0; j < q->p; j++)
        fitted->intercept -= coefficients[j] * q->center[j];
    return NW_OK;
}

/* Near f = 0 labels at +-clip are +-1 times clip tanh(f / 2), about clip f / 2, and the logistic loss is half the squared one in
 * units of clip: l(t, f) = f^2 / 8 - (t - 1/2) f + ... = ((y / clip) - f / 2)^2 / 2 + ... So a linear model with ridge r is, at
 * coefficients twice as large in units of clip, a logistic one with ridge r / 8. */
static const double LOGISTIC_RIDGE = 0.125;

static nw_status logistic(moments *q, nw__bags_means *m, const nw_bags_fit_opts *o, double variance, double *coefficients,
    nw_bags_fitted *fitted, const char *function, nw_error *err)
{
    nw_bags_fit_opts own = *o;
    if (own.ridge < 0.0) {
        const evidence e = evidence_of(q, m, variance, o->has_intercept);
        NW__TRY(best_ridge(&e, &own.ridge, function, err));
        own.ridge *= LOGISTIC_RIDGE;
    }
    double *targets = nw__calloc(m->sample->count, sizeof *targets);
    if (targets == NULL)
        return nw__fail_memory(err, function);
    for (size_t a = 0; a < m->sample->count; a++)
        targets[a] = 0.5 + 0.5 * m->sample->means[a] / m->sample->clip;
    for (size_t a = 0; a < m->sample->count; a++) /* the means of the features as they are */
        for (size_t j = 0; j < m->p; j++)
            m->xbar[a * m->p + j] += q->center[j];
    fitted->ridge = own.ridge;
    const nw_status status = nw__bags_logistic(m, targets, &own, coefficients, fitted, function, err);
    free(targets);
    return status;
}

static nw_status check(const nw_bags_fit_opts *o, const char *function, nw_error *err)
{
    if (nw_bags_loss_name(o->loss) == NULL)
        return nw__fail(err, NW_E_ARG, function, "loss is %d, must be one of nw_bags_loss", (int)o->loss);
    if (!(o->rho >= 0.0 && o->rho <= 1.0))
        return nw__fail(err, NW_E_ARG, function, "rho is %g, must be in [0, 1]", o->rho);
    if (!(o->ridge == -1.0 || (o->ridge >= 0.0 && o->ridge <= 1e30)))
        return nw__fail(err, NW_E_ARG, function, "ridge is %g, must be in [0, 1e30], or -1: from the evidence", o->ridge);
    if (o->loss == NW_BAGS_LOGISTIC && o->ridge == 0.0)
        return nw__fail(
            err, NW_E_ARG, function, "ridge is 0, must be above 0 with the logistic loss: of noisy means it may have no minimum");
    return NW_OK;
}

nw_status nw__bags_fit(const nw__bags_sample *sample, const double *x, size_t p, const nw_bags_fit_opts *opts,
    double *coefficients, nw_bags_fitted *fitted, const char *function, nw_error *err)
{
    moments q;
    *fitted = (nw_bags_fitted){ 0 };
    NW__TRY(check(opts, function, err));
    nw__bags_means m = { .sample = sample, .x = x, .p = p };
    size_t cells = 0;
    m.xbar = nw__mul_size(sample->count, p, &cells) ? nw__calloc(cells, sizeof *m.xbar) : NULL;
    m.weight = nw__calloc(sample->count, sizeof *m.weight);
    nw_status status =
        moments_make(&q, p, opts->rho > 0.0) && m.xbar != NULL && m.weight != NULL ? NW_OK : nw__fail_memory(err, function);
    if (status == NW_OK) {
        const double variance = weigh(&m);
        average(&m);
        if (opts->rho > 0.0)
            status = add_within(&q, &m, opts->rho, function, err);
        add_between(&q, &m, opts->has_intercept);
        if (status == NW_OK)
            status =
                (opts->loss == NW_BAGS_SQUARED ? squared : logistic)(&q, &m, opts, variance, coefficients, fitted, function, err);
    }
    moments_free(&q);
    free(m.xbar);
    free(m.weight);
    return status;
}
