/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CURVE_H
#define APP_CURVE_H

/* curve.h - the privacy curve delta(epsilon) and the trade-off curve as one SVG picture. */
#include <noisewright.h>

/** *out: a new string, to be freed by the caller. */
nw_status curve_svg(const nw_event *event, nw_adjacency adjacency, char **out, nw_error *err);

#endif
