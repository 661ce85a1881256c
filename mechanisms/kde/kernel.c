/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernel.c - the functions of two points, in double. */
#include "kde_internal.h"

#include <math.h>
#include <string.h>

static const struct {
    nw_kde_kernel kernel;
    const char *name;
} KERNELS[] = {
    { NW_KDE_GAUSSIAN, "gaussian" },
    { NW_KDE_EXPONENTIAL, "exponential" },
    { NW_KDE_LAPLACIAN, "laplacian" },
    { NW_KDE_L1, "l1" },
    { NW_KDE_L2, "l2" },
    { NW_KDE_L2SQ, "l2sq" },
    { NW_KDE_LPP, "lpp" },
    { NW_KDE_RATIONAL_L2SQ, "rational-l2sq" },
    { NW_KDE_RATIONAL_L2, "rational-l2" },
    { NW_KDE_RATIONAL_L1, "rational-l1" },
};

const char *nw_kde_kernel_name(nw_kde_kernel kernel)
{
    for (size_t i = 0; i < sizeof KERNELS / sizeof *KERNELS; i++)
        if (KERNELS[i].kernel == kernel)
            return KERNELS[i].name;
    return NULL;
}

nw_status nw_kde_kernel_parse(const char *name, nw_kde_kernel *out, nw_error *err)
{
    for (size_t i = 0; name != NULL && i < sizeof KERNELS / sizeof *KERNELS; i++)
        if (strcmp(KERNELS[i].name, name) == 0) {
            *out = KERNELS[i].kernel;
            return NW_OK;
        }
    return nw__fail(err, NW_E_ARG, __func__,
        "kernel is '%s', must be gaussian, exponential, laplacian, l1, l2, l2sq, lpp, rational-l2sq, rational-l2 or rational-l1",
        name == NULL ? "" : name);
}

bool nw__kde_has_bandwidth(nw_kde_kernel kernel)
{
    return kernel != NW_KDE_L1 && kernel != NW_KDE_L2 && kernel != NW_KDE_L2SQ && kernel != NW_KDE_LPP;
}

bool nw__kde_is_l1(nw_kde_kernel kernel)
{
    return kernel == NW_KDE_LAPLACIAN || kernel == NW_KDE_L1 || kernel == NW_KDE_RATIONAL_L1;
}

double nw__kde_of_distance(const nw_kde_opts *opts, double distance)
{
    const double b = opts->bandwidth;
    switch (opts->kernel) {
    case NW_KDE_GAUSSIAN: return exp(-distance / (b * b) * (opts->is_half ? 0.5 : 1.0));
    case NW_KDE_EXPONENTIAL: return exp(-sqrt(distance) / b);
    case NW_KDE_LAPLACIAN: return exp(-distance / b);
    case NW_KDE_L2: return sqrt(distance);
    case NW_KDE_L1:
    case NW_KDE_L2SQ:
    case NW_KDE_LPP: return distance;
    case NW_KDE_RATIONAL_L2SQ: return 1.0 / (1.0 + distance / (b * b));
    case NW_KDE_RATIONAL_L2: return 1.0 / (1.0 + sqrt(distance) / b);
    case NW_KDE_RATIONAL_L1: return 1.0 / (1.0 + distance / b);
    }
    return NAN;
}

double nw__kde_value(const nw_kde_opts *opts, const double *difference)
{
    const bool is_l1 = nw__kde_is_l1(opts->kernel);
    double distance = 0.0;
    for (size_t j = 0; j < opts->dimension; j++) {
        const double u = fabs(difference[j]);
        distance += opts->kernel == NW_KDE_LPP ? pow(u, opts->power) : is_l1 ? u : u * u;
    }
    return nw__kde_of_distance(opts, distance);
}

double nw_kde_exact(const nw_kde_opts *opts, const float *x, const float *y)
{
    double sum = NAN;
    double *difference = opts == NULL ? NULL : nw__calloc(opts->dimension, sizeof *difference);
    if (difference == NULL)
        return NAN;
    for (size_t j = 0; j < opts->dimension; j++)
        difference[j] = (double)x[j] - (double)y[j];
    sum = nw__kde_value(opts, difference);
    nw__free_wiped(difference, opts->dimension * sizeof *difference);
    return sum;
}
