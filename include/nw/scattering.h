/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SCATTERING_H
#define NW_SCATTERING_H

/* nw/scattering.h - scattering features of images [Mal12, BM13]: what fixed wavelets see at two scales and eight angles, and what
 * wavelets see in that. A linear model on them learns from fewer private steps than a convolutional network does [TB21]. They are
 * a public function of each image by itself, so they cost no privacy.
 *
 * Scales 2^0 and 2^1, averages over 2^2: 81 channels of (height / 4) x (width / 4) features, channels outermost: the average; the
 * moduli of 2 x 8 wavelets, scale by scale; and of the 8 finer ones' moduli, angle by angle, the moduli of the 8 coarser
 * wavelets. 28 x 28 pixels give 81 x 7 x 7 = 3969 features.
 *
 *   nw_scattering *s = NULL;
 *   nw_scattering_new(&s, 28, 28, 0, &err);
 *   nw_scattering_apply(s, images, n, features, &err);          features: float[n][3969]
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NW_SCATTERING_CHANNELS = 81 };

typedef struct nw_scattering nw_scattering; /* shared */

/** Computes the wavelets for images of height x width pixels: multiples of 4 in 8 .. 128. groups > 0: the channels fall into as
 *  many groups, in order, and each group of an image's features is brought to mean 0 and variance 1; a divisor of 81, or 0:
 *  features as they are. Errors NW_E_ARG; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_scattering_new(nw_scattering **out, size_t height, size_t width, size_t groups, nw_error *err);
NW_API void nw_scattering_free(nw_scattering *s);

/** Features of an image: 81 (height / 4) (width / 4). */
NW_API size_t nw_scattering_features(const nw_scattering *s);

/** Transforms n images.
 *
 *  Shapes    images: float[n][height][width]; features: float[n][nw_scattering_features(s)], out.
 *  Units     those of the images: features are of degree one in them unless they are in groups.
 *  Errors    NW_E_NOMEM. A NaN or infinity in an image stays in that image's features.
 *  Cost      about 0.2 ms an image of 28 x 28. Threads: any; OpenMP inside. What becomes of an image depends on nothing else.
 *  Source    docs/rooms/dpsgd.md#scattering; [BM13].
 *  Example   tests/unit/numeric/test_scattering.c */
NW_API NW_WARN_UNUSED nw_status nw_scattering_apply(
    const nw_scattering *s, const float *images, size_t n, float *features, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
