/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* losses.c - derivatives of the losses of linear models, and what is left of them after clipping. The exponential is our own, so
 * that it is the same number everywhere. A NaN stays one until it becomes a coefficient, which is then zero. */
#include "diff2_internal.h"

#include <math.h>
#include <string.h>

/* Derivatives are differences of floats: none that is finite is larger. */
static const double LARGEST = 0x1p129;

static const char *const NAMES[] = { "squared", "logistic", "huber", "softmax" };

const char *nw_diff2_loss_name(nw_diff2_loss loss)
{
    return loss >= NW_DIFF2_SQUARED && loss <= NW_DIFF2_SOFTMAX ? NAMES[loss - NW_DIFF2_SQUARED] : "unknown";
}

nw_status nw_diff2_loss_parse(const char *name, nw_diff2_loss *out, nw_error *err)
{
    if (name == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", name == NULL ? "name" : "out");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (nw_diff2_loss)(NW_DIFF2_SQUARED + (int)i);
            return NW_OK;
        }
    return nw__fail(err, NW_E_ARG, __func__, "loss is \"%s\", must be squared, logistic, huber or softmax", name);
}

/* e^-t for t >= 0 to 2 units in the last place; e^-87 beyond. n = round(t / ln 2), and a polynomial on |t - n ln 2| < 0.35. */
static inline float exp_minus(float t)
{
    t = t < 87.0f ? t : 87.0f;
    const float shifted = t * 0x1.715476p0f + 0x1.8p23f;
    const float n = shifted - 0x1.8p23f;
    const float r = (t - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float sum = 1.0f / 5040.0f;
    sum = 1.0f / 720.0f - r * sum;
    sum = 1.0f / 120.0f - r * sum;
    sum = 1.0f / 24.0f - r * sum;
    sum = 1.0f / 6.0f - r * sum;
    sum = 0.5f - r * sum;
    sum = 1.0f - r * sum;
    sum = 1.0f - r * sum;
    const int32_t exponent = (int32_t)n;
    const uint32_t bits = (uint32_t)(127 - exponent) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

/* ---- derivatives ---- */

NW__CLONES static void squared(float *restrict z, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] -= y[i];
}

NW__CLONES static void logistic(float *restrict z, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float e = exp_minus(fabsf(z[i]));
        const float less = e / (1.0f + e);
        const float more = 1.0f / (1.0f + e);
        float target = y[i] > 1.0f ? 1.0f : y[i];
        target = target < 0.0f ? 0.0f : target;
        /* sigma(z) - 1 = -sigma(-z): no digits are lost near the ends */
        const float above = z[i] < 0.0f ? less : more;
        const float below = z[i] < 0.0f ? more : less;
        const float r = target == 1.0f ? -below : above - target;
        z[i] = z[i] == z[i] ? r : z[i];
    }
}

NW__CLONES static void huber(float *restrict z, const float *restrict y, float width, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float gap = z[i] - y[i];
        const float upper = gap > width ? width : gap;
        z[i] = upper < -width ? -width : upper;
    }
}

void nw__diff2_derivatives(nw_diff2_loss loss, double huber_width, float *z, const float *targets, size_t n)
{
    if (loss == NW_DIFF2_SQUARED)
        squared(z, targets, n);
    else if (loss == NW_DIFF2_LOGISTIC)
        logistic(z, targets, n);
    else
        huber(z, targets, (float)huber_width, n);
}

/* p - e_y of one record. */
static void softmax_of(float *z, float target, size_t classes)
{
    float most = z[0];
    double sum = 0.0;
    bool is_finite = true;
    for (size_t k = 0; k < classes; k++) {
        most = z[k] > most ? z[k] : most;
        is_finite = is_finite && fabsf(z[k]) <= 0x1p126f;
    }
    for (size_t k = 0; k < classes; k++) {
        z[k] = exp_minus(most - z[k]);
        sum += (double)z[k];
    }
    for (size_t k = 0; k < classes; k++) {
        const double p = (double)z[k] / sum;
        z[k] = is_finite ? (float)((float)k == target ? p - 1.0 : p) : NAN;
    }
}

void nw__diff2_softmax(float *z, const float *targets, size_t n, size_t classes)
{
    for (size_t i = 0; i < n; i++)
        softmax_of(z + i * classes, targets[i], classes);
}

/* ---- coefficients ---- */

static inline float coefficient(double gap, double per_unit, float most)
{
    const double steps = gap * per_unit;
    const double cap = (double)most;
    const double upper = steps > cap ? cap : steps;
    const double both = upper < -cap ? -cap : upper;
    return fabs(gap) <= LARGEST ? (float)both : 0.0f;
}

NW__CLONES static void coefficients(
    const float *restrict now, double per_unit, const float *restrict caps, size_t n, float *restrict c)
{
    for (size_t i = 0; i < n; i++)
        c[i] = coefficient((double)now[i], per_unit, caps[i]);
}

NW__CLONES static void difference_coefficients(const float *restrict now, const float *restrict before, double per_unit,
    const float *restrict caps, size_t n, float *restrict c)
{
    for (size_t i = 0; i < n; i++)
        c[i] = coefficient((double)now[i] - (double)before[i], per_unit, caps[i]);
}

void nw__diff2_coefficients(const float *now, const float *before, double per_unit, const float *caps, size_t n, float *c)
{
    if (before == NULL)
        coefficients(now, per_unit, caps, n, c);
    else
        difference_coefficients(now, before, per_unit, caps, n, c);
}

void nw__diff2_class_coefficients(
    const float *now, const float *before, double per_unit, const float *caps, size_t n, size_t classes, float *c)
{
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * classes;
        double square = 0.0;
        for (size_t k = 0; k < classes; k++) {
            const double gap = (double)now[at + k] - (before == NULL ? 0.0 : (double)before[at + k]);
            square += gap * gap;
        }
        const double norm = sqrt(square);
        const double cap = (double)caps[i] * (1.0 - 0x1p-30);
        const double scale = norm * per_unit > cap ? cap / norm : per_unit;
        for (size_t k = 0; k < classes; k++) {
            const double gap = (double)now[at + k] - (before == NULL ? 0.0 : (double)before[at + k]);
            c[k * n + i] = norm <= LARGEST ? (float)(gap * scale) : 0.0f;
        }
    }
}
