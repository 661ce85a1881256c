/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NOISEWRIGHT_H
#define NOISEWRIGHT_H

/* noisewright.h - the whole public API, except for nw/testing.h, which a program has to ask for by name. */
#include <nw/accounting.h>
#include <nw/bags.h>
#include <nw/batches.h>
#include <nw/constraints.h>
#include <nw/correlated.h>
#include <nw/diff2.h>
#include <nw/dpsgd.h>
#include <nw/event.h>
#include <nw/filter.h>
#include <nw/grid.h>
#include <nw/hitters.h>
#include <nw/kde.h>
#include <nw/ldp.h>
#include <nw/ldp_client.h>
#include <nw/ledger.h>
#include <nw/masks.h>
#include <nw/network.h>
#include <nw/noise.h>
#include <nw/optimizer.h>
#include <nw/queries.h>
#include <nw/reduce.h>
#include <nw/rng.h>
#include <nw/scattering.h>
#include <nw/secure_sum.h>
#include <nw/stats.h>
#include <nw/status.h>
#include <nw/strategy.h>
#include <nw/synth.h>
#include <nw/table.h>
#include <nw/train.h>

#endif
