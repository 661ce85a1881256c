/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BAGS_PLOT_H
#define APP_BAGS_PLOT_H

#include <nw/bags.h>

/** Predicted risk against the bag size, as an SVG in a new string: by each rule, and the choice. NULL if memory lacks. */
char *bags_plot(const nw_bags_problem *problem, const nw_bags_choice *choice);

#endif
