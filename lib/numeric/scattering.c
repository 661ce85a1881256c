/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* scattering.c - the scattering transform of depth two with J = 2, L = 8 [BM13, sec. 2].
 *
 * An image x is mirrored at its border pixels into a torus of 2^J more on each side, and with circular convolutions there
 *
 *   S0 = x * phi      S1(j, a) = |x * psi_{j,a}| * phi      S2(a, b) = ||x * psi_{0,a}| * psi_{1,b}| * phi
 *
 * are sampled at every fourth pixel of the image. psi are Morlet wavelets, phi is a Gaussian, with the widths of [TB21].
 *
 * Deviations: what has been through psi_1 is computed at every second pixel only, exactly (to fold a spectrum is to sample the
 * signal), and is averaged there by the Gaussian sampled on that grid.
 *
 * Sixteen images go through at once, one in each lane of every loop: no transposition, and no lane sees another. */
#include "fourier_lanes.h"

#include <nw/scattering.h>
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCALES = 2,
    ANGLES = 8,
    STRIDE = 1 << SCALES,
    MARGIN = STRIDE,
    SIDE_LEAST = 8,
    SIDE_MOST = 128,
    LANES = 16,
    PERIODS = 2 /* of the torus on each side, beyond which psi and phi are below e^-50 */
};

/* sqrtf may then be the processor's own, on vectors, too. */
#if defined(__GNUC__) && !defined(__clang__)
#define NW__NO_ERRNO __attribute__((optimize("no-math-errno")))
#else
#define NW__NO_ERRNO
#endif

static const double pi = 3.14159265358979323846;

/* One axis: pixels of an image, of the torus and of its coarser grid, samples of a feature. */
typedef struct axis {
    size_t image, torus, half, samples;
    float *low_full; /* [samples][torus]: phi around each sample */
    float *low_half; /* [samples][half] */
    nw__fourier full_plan, half_plan;
} axis;

struct nw_scattering {
    axis rows, columns;
    size_t groups;
    float *wavelets[SCALES][ANGLES]; /* spectra, [torus][torus], over the number of pixels: real, for psi is Hermitian */
};

/* ---- wavelets ---- */

/* exp(-u' D u / (2 sigma^2) + i xi u_1): u is (y, x) turned by theta, D = diag(1, slant^2). */
static double complex gabor(double y, double x, double sigma, double theta, double xi, double slant)
{
    const double along = y * cos(theta) + x * sin(theta);
    const double across = x * cos(theta) - y * sin(theta);
    const double size = exp(-(along * along + slant * slant * across * across) / (2.0 * sigma * sigma));
    return size * cexp(I * xi * along) * slant / (2.0 * pi * sigma * sigma);
}

static double complex periodic_gabor(
    size_t y, size_t x, const axis *rows, const axis *columns, double sigma, double theta, double xi, double slant)
{
    double complex sum = 0.0;
    for (int a = -PERIODS; a <= PERIODS; a++)
        for (int b = -PERIODS; b <= PERIODS; b++)
            sum += gabor((double)y + (double)a * (double)rows->torus, (double)x + (double)b * (double)columns->torus, sigma,
                theta, xi, slant);
    return sum;
}

/* A Gabor wave less so much of its envelope that the sum is zero, in space: [rows][columns]. */
static void fill_morlet(double complex *psi, double complex *envelope, const axis *rows, const axis *columns, int j, int a)
{
    const double sigma = 0.8 * (1 << j);
    const double xi = 0.75 * pi / (1 << j);
    const double theta = (ANGLES / 2 - 1 - a) * pi / ANGLES;
    const double slant = 4.0 / ANGLES;
    const size_t n = rows->torus * columns->torus;
    double complex sum = 0.0;
    double complex envelope_sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const size_t y = i / columns->torus;
        const size_t x = i % columns->torus;
        psi[i] = periodic_gabor(y, x, rows, columns, sigma, theta, xi, slant);
        envelope[i] = periodic_gabor(y, x, rows, columns, sigma, theta, 0.0, slant);
        sum += psi[i];
        envelope_sum += envelope[i];
    }
    for (size_t i = 0; i < n; i++)
        psi[i] -= sum / envelope_sum * envelope[i];
}

/* The transform of [outer][n][inner] over the middle index, by its definition. */
static void plain_transform(double complex *to, const double complex *from, size_t outer, size_t n, size_t inner)
{
    for (size_t o = 0; o < outer; o++)
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < inner; i++)
                to[(o * n + k) * inner + i] = 0.0;
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < n; j++) {
            const double complex w = cexp(-2.0 * pi * I * (double)(j * k % n) / (double)n);
            for (size_t o = 0; o < outer; o++)
                for (size_t i = 0; i < inner; i++)
                    to[(o * n + k) * inner + i] += w * from[(o * n + j) * inner + i];
        }
}

static bool fill_wavelets(nw_scattering *s)
{
    const size_t n = s->rows.torus * s->columns.torus;
    double complex *a = nw__calloc(n, sizeof *a);
    double complex *b = nw__calloc(n, sizeof *b);
    bool is_good = a != NULL && b != NULL;
    for (int j = 0; is_good && j < SCALES; j++)
        for (int angle = 0; is_good && angle < ANGLES; angle++) {
            float *spectrum = nw__calloc(n, sizeof *spectrum);
            s->wavelets[j][angle] = spectrum;
            is_good = spectrum != NULL;
            if (!is_good)
                break;
            fill_morlet(a, b, &s->rows, &s->columns, j, angle);
            plain_transform(b, a, 1, s->rows.torus, s->columns.torus);
            plain_transform(a, b, s->rows.torus, s->columns.torus, 1);
            for (size_t i = 0; i < n; i++)
                spectrum[i] = (float)(creal(a[i]) / (double)n);
        }
    free(a);
    free(b);
    return is_good;
}

/* ---- averages ---- */

/* phi of one axis around each sample: a Gaussian of width sigma on a ring of n pixels, of which each sample is `step` further. */
static float *low_pass(size_t samples, size_t n, size_t first, size_t step, double sigma)
{
    float *low = nw__calloc(samples * n, sizeof *low);
    for (size_t k = 0; low != NULL && k < samples; k++)
        for (size_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int a = -PERIODS; a <= PERIODS; a++) {
                const double d = (double)i - (double)(first + k * step) + (double)a * (double)n;
                sum += exp(-d * d / (2.0 * sigma * sigma)) / (sqrt(2.0 * pi) * sigma);
            }
            low[k * n + i] = (float)sum;
        }
    return low;
}

static bool prepare_axis(axis *a, size_t image)
{
    static const double sigma = 0.8 * (1 << (SCALES - 1));
    a->image = image;
    a->torus = image + 2 * MARGIN;
    a->half = a->torus / 2;
    a->samples = image / STRIDE;
    a->low_full = low_pass(a->samples, a->torus, MARGIN, STRIDE, sigma);
    a->low_half = low_pass(a->samples, a->half, MARGIN / 2, STRIDE / 2, sigma / 2.0);
    return a->low_full != NULL && a->low_half != NULL && nw__fourier_prepare(&a->full_plan, a->torus) &&
           nw__fourier_prepare(&a->half_plan, a->half);
}

static void free_axis(axis *a)
{
    free(a->low_full);
    free(a->low_half);
    nw__fourier_free(&a->full_plan);
    nw__fourier_free(&a->half_plan);
}

/* ---- the object ---- */

static nw_status check_side(const char *name, size_t side, nw_error *err)
{
    if (side < SIDE_LEAST || side > SIDE_MOST || side % STRIDE != 0)
        return nw__fail(err, NW_E_ARG, "nw_scattering_new", "%s is %zu, must be a multiple of %d in %d .. %d", name, side, STRIDE,
            SIDE_LEAST, SIDE_MOST);
    return NW_OK;
}

nw_status nw_scattering_new(nw_scattering **out, size_t height, size_t width, size_t groups, nw_error *err)
{
    *out = NULL;
    NW__TRY(check_side("height", height, err));
    NW__TRY(check_side("width", width, err));
    if (groups > 0 && NW_SCATTERING_CHANNELS % groups != 0)
        return nw__fail(err, NW_E_ARG, __func__, "groups is %zu, must be 0 or a divisor of %d", groups, NW_SCATTERING_CHANNELS);
    nw_scattering *s = nw__calloc(1, sizeof *s);
    if (s != NULL)
        s->groups = groups;
    if (s == NULL || !prepare_axis(&s->rows, height) || !prepare_axis(&s->columns, width) || !fill_wavelets(s)) {
        nw_scattering_free(s);
        return nw__fail_memory(err, __func__);
    }
    *out = s;
    return NW_OK;
}

void nw_scattering_free(nw_scattering *s)
{
    if (s == NULL)
        return;
    free_axis(&s->rows);
    free_axis(&s->columns);
    for (int j = 0; j < SCALES; j++)
        for (int a = 0; a < ANGLES; a++)
            free(s->wavelets[j][a]);
    free(s);
}

size_t nw_scattering_features(const nw_scattering *s)
{
    return NW_SCATTERING_CHANNELS * s->rows.samples * s->columns.samples;
}

/* ---- sixteen images ---- */

/* Complex numbers of the torus, [rows][columns][LANES]. */
typedef struct plane {
    float *re, *im;
} plane;

/* What one thread works in. */
typedef struct workshop {
    plane image, modulus, field, scratch; /* spectrum of x; of |x * psi_0|; what is being transformed */
    float *averaged;                      /* [samples of rows][columns of the torus][LANES] */
    float *features;                      /* [channels][samples][samples][LANES] */
    float *memory;
    size_t size;
} workshop;

static bool prepare_workshop(workshop *w, const nw_scattering *s)
{
    const size_t plane_size = s->rows.torus * s->columns.torus * LANES;
    const size_t averaged = s->rows.samples * s->columns.torus * LANES;
    w->size = 8 * plane_size + averaged + nw_scattering_features(s) * LANES;
    w->memory = nw__calloc(w->size, sizeof *w->memory);
    if (w->memory == NULL)
        return false;
    plane *const planes[] = { &w->image, &w->modulus, &w->field, &w->scratch };
    for (size_t i = 0; i < 4; i++)
        *planes[i] = (plane){ w->memory + 2 * i * plane_size, w->memory + (2 * i + 1) * plane_size };
    w->averaged = w->memory + 8 * plane_size;
    w->features = w->averaged + averaged;
    return true;
}

static size_t mirror(size_t i, size_t n)
{
    const size_t distance = i < MARGIN ? MARGIN - i : i - MARGIN;
    return i < MARGIN + n ? distance : 2 * (n - 1) - distance;
}

static void load_images(workshop *w, const nw_scattering *s, const float *images, size_t n)
{
    const size_t pixels = s->rows.image * s->columns.image;
    float *to = w->image.re;
    for (size_t y = 0; y < s->rows.torus; y++)
        for (size_t x = 0; x < s->columns.torus; x++, to += LANES) {
            const size_t pixel = mirror(y, s->rows.image) * s->columns.image + mirror(x, s->columns.image);
            for (size_t lane = 0; lane < LANES; lane++)
                to[lane] = lane < n ? images[lane * pixels + pixel] : 0.0F;
        }
    memset(w->image.im, 0, s->rows.torus * s->columns.torus * LANES * sizeof(float));
}

static void transform(const workshop *w, const nw_scattering *s, plane p)
{
    nw__fourier_run(&s->rows.full_plan, 1, s->columns.torus * LANES, p.re, p.im, w->scratch.re, w->scratch.im);
    nw__fourier_run(&s->columns.full_plan, s->rows.torus, LANES, p.re, p.im, w->scratch.re, w->scratch.im);
}

/* The field back in space, times the number of pixels of its grid. */
static void invert(const workshop *w, const nw_scattering *s, bool is_half)
{
    const plane p = w->field;
    const size_t rows = is_half ? s->rows.half : s->rows.torus;
    const size_t columns = is_half ? s->columns.half : s->columns.torus;
    nw__fourier_run(
        is_half ? &s->rows.half_plan : &s->rows.full_plan, 1, columns * LANES, p.im, p.re, w->scratch.im, w->scratch.re);
    nw__fourier_run(
        is_half ? &s->columns.half_plan : &s->columns.full_plan, rows, LANES, p.im, p.re, w->scratch.im, w->scratch.re);
}

/* field = spectrum wavelet. */
NW__CLONES static void multiply(plane field, plane spectrum, const float *wavelet, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t lane = 0; lane < LANES; lane++) {
            field.re[i * LANES + lane] = spectrum.re[i * LANES + lane] * wavelet[i];
            field.im[i * LANES + lane] = spectrum.im[i * LANES + lane] * wavelet[i];
        }
}

/* The same, folded to half the length of each axis: what the coarser grid sees. */
NW__CLONES static void multiply_folded(plane field, plane spectrum, const float *wavelet, size_t rows, size_t columns)
{
    for (size_t y = 0; y < rows / 2; y++)
        for (size_t x = 0; x < columns / 2; x++) {
            float *const re = field.re + (y * (columns / 2) + x) * LANES;
            float *const im = field.im + (y * (columns / 2) + x) * LANES;
            const size_t at[4] = { y * columns + x, y * columns + x + columns / 2, (y + rows / 2) * columns + x,
                (y + rows / 2) * columns + x + columns / 2 };
            for (size_t lane = 0; lane < LANES; lane++) {
                float sum_re = 0.0F;
                float sum_im = 0.0F;
                for (size_t k = 0; k < 4; k++) {
                    sum_re += spectrum.re[at[k] * LANES + lane] * wavelet[at[k]];
                    sum_im += spectrum.im[at[k] * LANES + lane] * wavelet[at[k]];
                }
                re[lane] = sum_re;
                im[lane] = sum_im;
            }
        }
}

/* re = |field|, im = 0. */
NW__CLONES NW__NO_ERRNO static void take_modulus(plane field, size_t n)
{
    for (size_t i = 0; i < n * LANES; i++) {
        field.re[i] = sqrtf(field.re[i] * field.re[i] + field.im[i] * field.im[i]);
        field.im[i] = 0.0F;
    }
}

/* to[i] = sum_j weights[j] from[j][i]. */
NW__CLONES static void average(float *restrict to, const float *weights, const float *restrict from, size_t n, size_t width)
{
    memset(to, 0, width * sizeof *to);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < width; i++)
            to[i] += weights[j] * from[j * width + i];
}

/* A channel of the features: the field averaged by phi around each sample. */
static void sample(const workshop *w, const nw_scattering *s, const float *field, bool is_half, size_t channel)
{
    const axis *const r = &s->rows;
    const axis *const c = &s->columns;
    const size_t rows = is_half ? r->half : r->torus;
    const size_t columns = is_half ? c->half : c->torus;
    float *to = w->features + channel * r->samples * c->samples * LANES;
    for (size_t y = 0; y < r->samples; y++) {
        average(w->averaged, (is_half ? r->low_half : r->low_full) + y * rows, field, rows, columns * LANES);
        for (size_t x = 0; x < c->samples; x++, to += LANES)
            average(to, (is_half ? c->low_half : c->low_full) + x * columns, w->averaged, columns, LANES);
    }
}

/* |spectrum * psi_1(angle)| on the coarser grid, averaged. */
static void coarse_channel(const workshop *w, const nw_scattering *s, plane spectrum, int angle, size_t channel)
{
    multiply_folded(w->field, spectrum, s->wavelets[1][angle], s->rows.torus, s->columns.torus);
    invert(w, s, true);
    take_modulus(w->field, s->rows.half * s->columns.half);
    sample(w, s, w->field.re, true, channel);
}

/* |x * psi_0(angle)|, averaged, and the eight channels that see it. */
static void fine_channels(const workshop *w, const nw_scattering *s, int angle)
{
    const size_t n = s->rows.torus * s->columns.torus;
    multiply(w->field, w->image, s->wavelets[0][angle], n);
    invert(w, s, false);
    take_modulus(w->field, n);
    sample(w, s, w->field.re, false, 1 + (size_t)angle);
    memcpy(w->modulus.re, w->field.re, n * LANES * sizeof(float));
    memcpy(w->modulus.im, w->field.im, n * LANES * sizeof(float));
    transform(w, s, w->modulus);
    for (int second = 0; second < ANGLES; second++)
        coarse_channel(w, s, w->modulus, second, 1 + SCALES * ANGLES + (size_t)angle * ANGLES + (size_t)second);
}

/* ---- features of one image ---- */

/* Brings n features to mean 0 and variance 1; features that are all the same become 0. */
static void normalise(float *features, size_t n)
{
    static const double least = 1e-5; /* of the variance: noise of an image without contrast is not blown up */
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)features[i];
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += ((double)features[i] - mean) * ((double)features[i] - mean);
    const double scale = 1.0 / sqrt(squares / (double)n + least);
    for (size_t i = 0; i < n; i++)
        features[i] = (float)(((double)features[i] - mean) * scale);
}

static void store_features(const workshop *w, const nw_scattering *s, size_t n, float *features)
{
    const size_t size = nw_scattering_features(s);
    for (size_t lane = 0; lane < n; lane++, features += size) {
        for (size_t i = 0; i < size; i++)
            features[i] = w->features[i * LANES + lane];
        for (size_t group = 0; group < s->groups; group++)
            normalise(features + group * (size / s->groups), size / s->groups);
    }
}

static void apply_block(workshop *w, const nw_scattering *s, const float *images, size_t n, float *features)
{
    load_images(w, s, images, n);
    sample(w, s, w->image.re, false, 0);
    transform(w, s, w->image);
    for (int angle = 0; angle < ANGLES; angle++) {
        fine_channels(w, s, angle);
        coarse_channel(w, s, w->image, angle, 1 + ANGLES + (size_t)angle);
    }
    store_features(w, s, n, features);
}

nw_status nw_scattering_apply(const nw_scattering *s, const float *images, size_t n, float *features, nw_error *err)
{
    const size_t blocks = n / LANES + (n % LANES != 0);
    const size_t pixels = s->rows.image * s->columns.image;
    bool is_good = true;
    if (n > 0 && (images == NULL || features == NULL))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", images == NULL ? "images" : "features");
#pragma omp parallel num_threads(nw__threads(0)) reduction(&& : is_good) if (blocks > 1)
    {
        workshop w;
        const bool is_ready = prepare_workshop(&w, s);
        is_good = is_ready;
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < blocks; b++)
            if (is_ready)
                apply_block(&w, s, images + b * LANES * pixels, n - b * LANES < LANES ? n - b * LANES : LANES,
                    features + b * LANES * nw_scattering_features(s));
        if (is_ready)
            nw__free_wiped(w.memory, w.size * sizeof *w.memory);
    }
    return is_good ? NW_OK : nw__fail_memory(err, __func__);
}
